/* net_suite.h: the net of plaquettes in the continuous flow: with gauge_flow_suite.h, which includes it for each instance as its
 * SUITE_MORE; then call SUITE_(nets)(). */

/* A flow that is nothing but its net, and what its force takes. */
typedef struct SUITE_(net_probe) {
    SUITE_(flow)              flow;
    SUITE_(batch)             z, moved;
    const SUITE_(p_continuous) *s;
    SUITE_(p_continuous_work) work;
    SUITE_(p_v)              *links, *Z;
    lft_arena                 arena;
} SUITE_(net_probe);

static void SUITE_(net_probe_make)(SUITE_(net_probe) *p)
{
    const lft_parameter *t;
    size_t               k;
    int                  i, links;
    p->arena = SUITE_(make)(&p->flow, 0, 2, 1, 1, NULL);
    SUITE_(draw)(&p->z, &p->flow, 1, &p->arena);
    if (SUITE_(batch_init)(&p->moved, &p->flow.lattice, 1, &p->arena, NULL)) check_true("memory", 0);
    for (i = 0; i < p->flow.params.tensors; ++i) {
        t = p->flow.params.list + i;
        for (k = t->offset; k < t->offset + t->count && !strstr(t->name, "net_"); ++k) p->flow.params.value[k] = 0;
    }
    SUITE_(flow_prepare)(&p->flow);
    p->s     = (const SUITE_(p_continuous) *)p->flow.layer->state;
    p->work  = SUITE_(p_continuous_scratch)(p->s, 1, &p->arena);
    links    = p->flow.lattice.volume * SUITE_DIM;
    p->links = (SUITE_(p_v) *)lft_arena_take(&p->arena, (size_t)(links * SUITE_(reals)), sizeof(SUITE_(p_v)));
    p->Z     = (SUITE_(p_v) *)lft_arena_take(&p->arena, (size_t)(links * SUITE_(algebra)), sizeof(SUITE_(p_v)));
    if (lft_arena_check(&p->arena, NULL, "")) check_true("memory", 0);
}

/* Force and divergence of a configuration at time .3, those of the last lane. */
static void SUITE_(net_force_of)(SUITE_(net_probe) *p, const SUITE_(batch) *x, double *Z, double *divergence)
{
    const int     lanes = SUITE_(lanes)(), n = x->lattice.volume * x->reals;
    const int     forces = x->lattice.volume * SUITE_DIM * SUITE_(algebra);
    SUITE_(real) *u = (SUITE_(real) *)malloc((size_t)n * sizeof *u), *links = (SUITE_(real) *)(void *)p->links;
    double        div[64];
    int           i, l;
    SUITE_(batch_get)(x, 0, u);
    for (i = 0; i < n; ++i) {
        for (l = 0; l < lanes; ++l) links[i * lanes + l] = u[i];
    }
    SUITE_(p_continuous_force)(p->s, 0.3, p->links, p->Z, div, &p->work);
    for (i = 0; i < forces; ++i) Z[i] = ((const SUITE_(real) *)(void *)p->Z)[i * lanes + lanes - 1];
    if (divergence) *divergence = div[lanes - 1];
    free(u);
}

#if SUITE_DIM == 2
/* S~ in two dimensions from plain matrices: K by the two distances, sorted. */
static double SUITE_(net_action)(const SUITE_(net_probe) *p, const SUITE_(batch) *x, double t)
{
    const int           *extent = x->lattice.extent, volume = x->lattice.volume, reach = p->s->desc.reach, nodes = p->s->desc.nodes;
    const lft_parameter *list = p->flow.params.list;
    const double        *output, *bias, *kernel;
    double               w[100], sum = 0;
    SUITE_(real)        *u = (SUITE_(real) *)malloc((size_t)(volume * x->reals) * sizeof *u);
    int                  site, h, i, k, orbits = (reach + 1) * (reach + 2) / 2;
    matrix_colours = SUITE_GROUP == LFT_U1 ? 1 : SUITE_GROUP == LFT_SU2 ? 2 : 3;
    while (!strstr(list->name, "net_output")) ++list;
    output = p->flow.params.value + list[0].offset, bias = p->flow.params.value + list[1].offset;
    kernel = p->flow.params.value + list[2].offset;
    SUITE_(batch_get)(x, 0, u);
    for (site = 0; site < volume; ++site) {
        const int right = SUITE_(moved)(&x->lattice, site, 0, 1), up = SUITE_(moved)(&x->lattice, site, 1, 1);
        matrix    there = matrix_times(matrix_of_link(u + 2 * site * SUITE_(reals)),
                                       matrix_of_link(u + (2 * right + 1) * SUITE_(reals)));
        matrix    back  = matrix_times(matrix_of_link(u + (2 * site + 1) * SUITE_(reals)),
                                       matrix_of_link(u + 2 * up * SUITE_(reals)));
        w[site] = matrix_trace(matrix_times(there, matrix_dagger(back))) / matrix_colours;
    }
    for (site = 0; site < volume; ++site) {
        for (h = 0; h < p->s->desc.units; ++h) {
            const double legendre[3] = {1, 2 * t - 1, 1.5 * (2 * t - 1) * (2 * t - 1) - 0.5};
            double       a = 0, y = bias[h];
            for (k = 0; k < nodes; ++k) a += output[h * nodes + k] * legendre[k];
            for (i = -reach; i <= reach; ++i) {
                for (k = -reach; k <= reach; ++k) {
                    const int far = abs(i) > abs(k) ? abs(i) : abs(k), near = abs(i) + abs(k) - far;
                    const int q = ((site / extent[1] + i + 8 * extent[0]) % extent[0]) * extent[1] +
                                  (site % extent[1] + k + 8 * extent[1]) % extent[1];
                    y += kernel[h * orbits + far * (far + 1) / 2 + near] * w[q];
                }
            }
            sum += a * tanh(y);
        }
    }
    free(u);
    return sum;
}
#endif

/* The divergence against the trace of the derivatives of the force and, in two dimensions, the force against those of S~. */
static void SUITE_(net_divergence)(const char *what)
{
    static const double stencil[4] = {-2, -1, 1, 2}, share[4] = {1, -8, 8, -1};
    const double        h = 1e-3;
    SUITE_(net_probe)   p;
    double             *Z, *other, trace = 0, divergence, worst = 0, most = 0;
    int                 n, i, s;
    SUITE_(net_probe_make)(&p);
    n     = p.flow.lattice.volume * SUITE_DIM * SUITE_(algebra);
    Z     = (double *)malloc(2 * (size_t)n * sizeof *Z);
    other = Z + n;
    SUITE_(net_force_of)(&p, &p.z, Z, &divergence);
    for (i = 0; i < n; ++i) {
        double rate = 0;
        for (s = 0; s < 4; ++s) {
            SUITE_(nudge)(&p.z, &p.moved, i / SUITE_(algebra), i % SUITE_(algebra), stencil[s] * h);
            SUITE_(net_force_of)(&p, &p.moved, other, NULL);
            trace += share[s] * other[i] / (12 * h);
#if SUITE_DIM == 2
            rate += share[s] * SUITE_(net_action)(&p, &p.moved, 0.3) / (12 * h);
#endif
        }
        test_worst(&most, Z[i]);
        test_worst(&worst, SUITE_DIM == 2 ? Z[i] + rate : 0);
    }
    printf("%s\n", what);
    check_true(suite_name("a force and a divergence"), most > 1e-3 && fabs(divergence) > 1e-2);
    check_below(suite_name("divergence, by the trace"), (trace - divergence) / divergence, 1e-9);
    if (SUITE_DIM == 2) check_below(suite_name("force, by S~ of plain matrices"), worst / most, 1e-9);
    free(Z);
}

/* With a = 0 the flow is what it is without a net. */
static void SUITE_(net_of_nothing)(void)
{
    const int     units = flow_units, reach = flow_reach;
    SUITE_(flow)  flow, without;
    SUITE_(batch) z, x, y;
    lft_arena     arena;
    double        logdet[3], other[3], worst = 0;
    size_t        count;
    int           i, bad = 0;
    SUITE_(flow_desc) desc;
    memset(&desc, 0, sizeof desc);
    arena = SUITE_(make)(&flow, 0, 4, 2, 1, NULL);
    for (i = 0; i < SUITE_DIM; ++i) desc.extent[i] = flow.lattice.extent[i];
    desc.continuous = ((const SUITE_(p_continuous) *)flow.layer->state)->desc;
    desc.continuous.units = desc.continuous.reach = 0;
    bad += SUITE_(flow_init)(&without, &desc, &arena, NULL) != LFT_OK;
    count = without.params.count;
    check_true(suite_name("the net's parameters come last"), count < flow.params.count);
    memcpy(without.params.value, flow.params.value, count * sizeof(double));
    for (i = 0; i < flow_units * desc.continuous.nodes; ++i) flow.params.value[count + (size_t)i] = 0;
    SUITE_(flow_prepare)(&flow), SUITE_(flow_prepare)(&without);
    flow_units = flow_reach = 0;
    SUITE_(draw)(&z, &flow, 3, &arena);
    flow_units = units, flow_reach = reach;
    bad += SUITE_(batch_init)(&x, &flow.lattice, 3, &arena, NULL) + SUITE_(batch_init)(&y, &flow.lattice, 3, &arena, NULL);
    bad += SUITE_(flow_map)(&flow, &z, &x, logdet) + SUITE_(flow_map)(&without, &z, &y, other);
    for (i = 0; i < 3; ++i) test_worst(&worst, logdet[i] - other[i]);
    check_true(suite_name("maps with and without"), !bad);
    check_below(suite_name("a = 0: no net"), SUITE_(distance)(&x, &y), 0);
    check_below(suite_name("    log-det"), worst, 0);
}

/* Orbits of pairs: of parallel plaquettes distances in the plane, sorted, times those across it; and so on. */
static void SUITE_(net_orbits_counted)(void)
{
    static const int known[3][2] = {{3, 6}, {8, 30}, {14, 81}};
    SUITE_(lattice)     lattice;
    SUITE_(p_trace_net) net;
    lft_arena           arena = lft_arena_measure();
    int                 extent[SUITE_DIM], mu, reach, i, n;
    for (mu = 0; mu < SUITE_DIM; ++mu) extent[mu] = 8;
    if (SUITE_(lattice_init)(&lattice, extent, NULL)) check_true("lattice", 0);
    for (reach = 1; reach <= 2; ++reach) {
        SUITE_(p_net_init)(&net, &lattice, 1, reach, &arena);
        for (i = n = 0; i < net.about.orbits; ++i) n += net.about.members[i];
        check_near(suite_name("orbits"), net.about.orbits, known[SUITE_DIM - 2][reach - 1], 0);
        if (SUITE_DIM == 2) check_near(suite_name("plaquettes about one"), n, (2 * reach + 1) * (2 * reach + 1), 0);
    }
}

/* Through a file and back, to the same samples; and the numbers of layers of before, without a net. */
static void SUITE_(net_files)(void)
{
    static const int64_t old[] = {4, 3, 2, 8, 32}, doubled[] = {3, 3, 2, 1, 8, 32}, net[] = {4, 3, 2, 0, 5, 2, 8, 32};
    static unsigned char file[60000];
    SUITE_(flow)         flow, again;
    SUITE_(flow_desc)    desc;
    SUITE_(model_info)   info;
    SUITE_(batch)        x, y;
    lft_safetensors      doc;
    lft_memory           memory;
    lft_error            error;
    lft_arena            arena = SUITE_(make)(&flow, 0, 4, 2, 1, NULL);
    lft_arena            less;
    size_t               bytes;
    double               logq[5], back[5], worst = 0;
    int64_t              number[32];
    const void          *read;
    int                  i, bad = 0;
    const SUITE_(continuous_desc) *of;
    lft_status         (*reader)(const int64_t *, int, lft_arena *, const void **, lft_error *) = SUITE_(continuous)()->read;
    memset(&info, 0, sizeof info);
    bad |= SUITE_(model_save)(&flow, &info, lft_memory_writer(&memory, file, sizeof file), arena, &error) != LFT_OK;
    bad |= lft_safetensors_load(lft_memory_reader(&memory, file, memory.at), &arena, &doc, &error) != LFT_OK;
    bad |= SUITE_(model_desc)(&doc, NULL, &desc, NULL, &arena, &error) != LFT_OK;
    bad |= SUITE_(flow_init)(&again, &desc, &arena, &error) != LFT_OK;
    check_true(suite_name("a file with a net"), !bad);
    if (bad) return;
    check_true(suite_name("    another start"), SUITE_(model_restore)(&again, &doc, &error) == LFT_OK);
    bytes = SUITE_(flow_bytes)(&desc);
    less  = lft_arena_of(lft_arena_alloc(&arena, bytes, 1), bytes - 64);
    check_true(suite_name("    less memory than the query says"), SUITE_(flow_init)(&again, &desc, &less, &error) == LFT_ERR_NOMEM);
    bad |= SUITE_(flow_init)(&again, &desc, &arena, &error) + SUITE_(model_restore)(&again, &doc, &error);
    bad |= SUITE_(batch_init)(&x, &flow.lattice, 5, &arena, NULL) + SUITE_(batch_init)(&y, &flow.lattice, 5, &arena, NULL);
    bad |= SUITE_(flow_sample)(&flow, 4, 0, &x, logq) + SUITE_(flow_sample)(&again, 4, 0, &y, back);
    for (i = 0; i < 5; ++i) test_worst(&worst, logq[i] - back[i]);
    check_true(suite_name("    samples"), !bad);
    check_below(suite_name("    the same bit for bit"), SUITE_(distance)(&x, &y) + worst, 0);
    check_true(suite_name("    its numbers"), flow.layer->ops->spec(flow.layer, number) == 8 && number[3] == 0 &&
               number[4] == flow_units && number[5] == 1);
    check_true(suite_name("numbers of before"), reader(old, 5, &arena, &read, &error) == LFT_OK);
    of = (const SUITE_(continuous_desc) *)read;
    check_true(suite_name("    mean the same"), of->loops == 4 && of->nodes == 3 && of->integrator == LFT_CROUCH_GROSSMAN_2 &&
               !of->doubled && !of->units && !of->reach && of->steps == 8 && of->most_steps == 32);
    check_true(suite_name("and of a doubled axis"), reader(doubled, 6, &arena, &read, &error) == LFT_OK);
    of = (const SUITE_(continuous_desc) *)read;
    check_true(suite_name("    mean the same"), of->doubled == 1 && !of->units && of->steps == 8 && of->most_steps == 32);
    check_true(suite_name("numbers of a net"), reader(net, 8, &arena, &read, &error) == LFT_OK);
    of = (const SUITE_(continuous_desc) *)read;
    check_true(suite_name("    are read"), !of->doubled && of->units == 5 && of->reach == 2 && of->steps == 8 &&
               of->most_steps == 32);
    memcpy(number, net, sizeof net);
    number[4] = 0;
    check_true(suite_name("a damaged one"), reader(number, 8, &arena, &read, &error) == LFT_ERR_FORMAT);
}

/* For another coupling a changes, and nothing else of the net. */
static void SUITE_(net_scaled)(void)
{
    SUITE_(flow)  flow;
    double       *before;
    size_t        k;
    int           i, right = 1;
    (void)SUITE_(make)(&flow, 0, 4, 2, 1, NULL);
    before = (double *)malloc(flow.params.count * sizeof *before);
    memcpy(before, flow.params.value, flow.params.count * sizeof *before);
    SUITE_(continuous_scale)(flow.layer, flow.params.value, 2);
    for (i = 0; i < flow.params.tensors; ++i) {
        const lft_parameter *t = flow.params.list + i;
        for (k = t->offset; k < t->offset + t->count && strstr(t->name, "net_"); ++k) {
            right = right && !(fabs(flow.params.value[k] - (strstr(t->name, "output") ? 2 : 1) * before[k]) > 0);
        }
    }
    free(before);
    check_true(suite_name("scaled to another coupling"), right);
}

/* What a layout over a measuring arena says is what the layer takes. */
static void SUITE_(net_memory)(void)
{
    SUITE_(flow)   flow;
    SUITE_(layer)  layer;
    lft_parameters set;
    lft_error      error;
    lft_arena      measure = lft_arena_measure();
    (void)SUITE_(make)(&flow, 0, 4, 0, 1, NULL);
    memset(&layer, 0, sizeof layer);
    memset(&set, 0, sizeof set);
    layer.ops = flow.layer->ops, layer.desc = &((const SUITE_(p_continuous) *)flow.layer->state)->desc, layer.in = flow.lattice;
    check_true(suite_name("measured"), layer.ops->init(&layer, "layer0", &set, &measure, &error) == LFT_OK);
    check_true(suite_name("    the same scratch, tape, gradient, parameters"),
               layer.scratch_bytes == flow.layer->scratch_bytes && layer.tape_bytes == flow.layer->tape_bytes &&
               layer.gradient_count == flow.layer->gradient_count && set.count == flow.params.count);
}

static void SUITE_(net_refused)(const char *what, int units, int reach, int doubled, const char *text)
{
    SUITE_(flow)      flow;
    SUITE_(flow_desc) desc;
    lft_arena         arena = lft_arena_of(flow_memory, sizeof flow_memory);
    lft_error         error;
    int               mu;
    memset(&desc, 0, sizeof desc);
    memset(&error, 0, sizeof error);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = 4;
    desc.continuous.units = units, desc.continuous.reach = reach, desc.continuous.doubled = doubled;
    check_true(suite_name(what), SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, text));
}

static void SUITE_(nets)(const char *name)
{
    static const int order[] = {3, 2, 3, 4};
    int              kind;
    suite_case = name, flow_units = 3;
    printf("---- %s\n", name);
    SUITE_(net_orbits_counted)();
    SUITE_(net_divergence)("extents 3 and 4, reach 1");
    if (SUITE_DIM == 2) {
        flow_reach = 2;
        SUITE_(net_divergence)("extents 3 and 4, reach 2: plaquettes are seen twice");
        flow_extent = 6;
        if (SUITE_GROUP == LFT_U1) SUITE_(net_divergence)("extents 6 and 7, reach 2");
        flow_extent = 3, flow_reach = 0;
    }
    flow_loops = 1, flow_extent = 2;
    SUITE_(net_divergence)("extents 2 and 3: plaquettes share two links");
    flow_loops = 0, flow_extent = 3;
    SUITE_(net_of_nothing)();
    SUITE_(net_files)();
    SUITE_(net_memory)();
    SUITE_(net_scaled)();
    SUITE_(identity)();
    SUITE_(inverse)();
    SUITE_(symmetries)();
    SUITE_(reflection)();
    SUITE_(batches)();
    SUITE_(cold)();
    for (kind = LFT_LUESCHER_RK3; kind <= LFT_COMMUTATOR_FREE_4; ++kind) {
        if (kind == LFT_COMMUTATOR_FREE_4 || SUITE_DIM == 2) SUITE_(derivatives)(kind);
        if (SUITE_DIM == 2) SUITE_(orders)(kind, order[kind - 1]);
    }
    if (SUITE_DIM == 2) {
        flow_reach = 2;
        SUITE_(symmetries)();
        SUITE_(derivatives)(LFT_COMMUTATOR_FREE_4);
        flow_reach = 0;
    }
    flow_units = 0;
    SUITE_(net_refused)("units < 0", -1, 0, 0, "units: expected 0 to 256, got -1");
    SUITE_(net_refused)("too many units", 257, 0, 0, "units: expected 0 to 256, got 257");
    SUITE_(net_refused)("reach without units", 0, 1, 0, "with units, got 1");
    SUITE_(net_refused)("too long a reach", 1, 7 - SUITE_DIM, 0, "reach: expected 1");
    SUITE_(net_refused)("a doubled axis", 2, 1, 1, "units: expected 0 for the new links of a doubled axis, got 2");
}
