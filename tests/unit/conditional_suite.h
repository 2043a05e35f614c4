/* conditional_suite.h: the continuous flow of the new links of a doubled axis: with gauge_flow_suite.h, which includes it for each
 * instance as its SUITE_MORE; then call SUITE_(conditional)(). */

/* ---- what moves, and where to ------------------------------------------------------------------------------------------ */

/* Link i of a lattice is new: across the doubled axis, at an odd coordinate. */
static int SUITE_(is_new)(const SUITE_(lattice) *l, int i)
{
    const int mu = flow_doubled - 1;
    int       nu, stride = 1;
    for (nu = SUITE_DIM - 1; nu > mu; --nu) stride *= l->extent[nu];
    return i % SUITE_DIM != mu && i / SUITE_DIM / stride % l->extent[mu] % 2 == 1;
}

/* All others stay, bit for bit, there and back. */
static void SUITE_(others_stay)(void)
{
    SUITE_(flow)  flow;
    SUITE_(batch) z, x, back;
    lft_arena     arena = SUITE_(make)(&flow, 0, 4, 2, 1, NULL);
    const int     links = flow.lattice.volume * SUITE_DIM, n = links * SUITE_(reals);
    double        logdet[5];
    SUITE_(real) *u = (SUITE_(real) *)malloc(3 * (size_t)n * sizeof *u), *v = u + n, *w = v + n;
    int           i, k, c, bad = 0, changed = 0, moved = 0, new_links = 0;
    SUITE_(draw)(&z, &flow, 5, &arena);
    bad += SUITE_(batch_init)(&x, &flow.lattice, 5, &arena, NULL) + SUITE_(batch_init)(&back, &flow.lattice, 5, &arena, NULL);
    bad += SUITE_(flow_map)(&flow, &z, &x, logdet) + SUITE_(flow_inverse)(&flow, &x, &back, logdet);
    for (c = 0; c < 5; ++c) {
        SUITE_(batch_get)(&z, c, u), SUITE_(batch_get)(&x, c, v), SUITE_(batch_get)(&back, c, w);
        for (i = 0; i < links; ++i) {
            int differ = 0;
            for (k = i * SUITE_(reals); k < (i + 1) * SUITE_(reals); ++k) {
                differ |= fabs(u[k] - v[k]) > 1e-6;
                changed += !SUITE_(is_new)(&flow.lattice, i) && (u[k] < v[k] || u[k] > v[k] || u[k] < w[k] || u[k] > w[k]);
            }
            moved += differ, new_links += SUITE_(is_new)(&flow.lattice, i);
        }
    }
    free(u);
    check_true(suite_name("the other links stay, bit for bit"), !bad && !changed);
    check_below(suite_name("there and back"), SUITE_(distance)(&z, &back), 1e-12);
    check_true(suite_name("the new ones move"), moved == new_links && moved > 0);
}

/* A translation by one along the doubled axis is another map. */
static void SUITE_(parity_matters)(void)
{
    SUITE_(flow)  flow;
    SUITE_(batch) z, x, z2, x2;
    lft_arena     arena = SUITE_(make)(&flow, 0, 4, 2, 0, NULL);
    const int     doubled = flow_doubled;
    double        logdet[3];
    int           bad = 0;
    SUITE_(draw)(&z, &flow, 3, &arena);
    bad += SUITE_(batch_init)(&x, &flow.lattice, 3, &arena, NULL) + SUITE_(batch_init)(&z2, &flow.lattice, 3, &arena, NULL);
    bad += SUITE_(batch_init)(&x2, &flow.lattice, 3, &arena, NULL);
    bad += SUITE_(flow_map)(&flow, &z, &x, logdet) != LFT_OK;
    flow_doubled = 0;
    SUITE_(symmetry)(doubled == 1 ? 0 : 5, &z, &z2);
    SUITE_(symmetry)(doubled == 1 ? 0 : 5, &x, &x2);
    flow_doubled = doubled;
    bad += SUITE_(flow_map)(&flow, &z2, &z2, logdet) != LFT_OK;
    check_true(suite_name("a translation by one is no symmetry"), !bad && SUITE_(distance)(&z2, &x2) > 0.01);
}

/* ---- force and divergence ---------------------------------------------------------------------------------------------- */

/* S~ of configuration 0 */
static double SUITE_(potential)(const SUITE_(p_potential) *s, const double *c, const SUITE_(batch) *x, SUITE_(p_program_fields) f)
{
    const SUITE_(p_program) *g = &s->program;
    SUITE_(p_place)          p = SUITE_(p_first_place)();
    SUITE_(p_program_sums)      wanted;
    SUITE_(p_v)              W[512];
    double                   wide[64], sum = 0;
    int                      y, i;
    memset(&wanted, 0, sizeof wanted);
    wanted.value = W;
    f.dot       = NULL;
    SUITE_(p_program_links)(g, SUITE_(p_view)(x->data), f.value);
    for (y = 0; y < g->lattice.volume; ++y, SUITE_(p_next_place)(&g->lattice, &p)) {
        if (!SUITE_(p_program_runs)(g, &p)) continue;
        SUITE_(p_set_zero)(W, g->classes);
        SUITE_(p_program_at)(g, p, &f);
        SUITE_(p_program_visit)(g, &f, NULL, NULL, &wanted);
        for (i = 0; i < s->classes; ++i) {
            memset(wide, 0, sizeof wide);
            SUITE_(p_add_wide)(wide, W[i]);
            sum += c[i] * wide[0];
        }
    }
    return sum;
}

/* The force is the derivative of S~ by the new links, and none of the others; the divergence is the trace of its own. */
static void SUITE_(forces)(void)
{
    static const double      stencil[4] = {-2, -1, 1, 2}, share[4] = {1, -8, 8, -1};
    const double             h = 1e-3;
    SUITE_(flow)             flow;
    SUITE_(batch)            z, moved;
    lft_arena                arena = SUITE_(make)(&flow, 0, 4, 2, 1, NULL), scratch;
    const SUITE_(layer)     *layer = flow.layer;
    const SUITE_(p_potential) *s = &((const SUITE_(p_continuous) *)layer->state)->potential;
    const int                links = flow.lattice.volume * SUITE_DIM, lanes = SUITE_(lanes)();
    SUITE_(p_program_fields) f;
    SUITE_(real)            *Z, *other;
    double                   c[512], div[64], unused[64], trace = 0, off = 0, most = 0, still = 0;
    int                      i, a, k;
    SUITE_(draw)(&z, &flow, 1, &arena);
    check_true("memory", SUITE_(batch_init)(&moved, &flow.lattice, 1, &arena, NULL) == LFT_OK);
    Z       = (SUITE_(real) *)SUITE_(p_vectors)(&arena, SUITE_(p_force_vectors)(&flow.lattice));
    other   = (SUITE_(real) *)SUITE_(p_vectors)(&arena, SUITE_(p_force_vectors)(&flow.lattice));
    scratch = arena;
    f       = SUITE_(p_potential_fields)(s, 0, &scratch);
    check_true("memory", lft_arena_check(&scratch, NULL, "") == LFT_OK);
    lft_normals(lft_draw_of(6, LFT_DRAW_USER, 0, 0), c, s->classes);
    SUITE_(p_potential_force)(s, c, SUITE_(p_view)(z.data), SUITE_(p_view)(Z), div, f);
    for (i = 0; i < links; ++i) {
        for (a = 0; a < SUITE_(algebra); ++a) {
            const int at = (i * SUITE_(algebra) + a) * lanes;
            double    derivative = 0;
            if (!SUITE_(is_new)(&flow.lattice, i)) {
                test_worst(&still, Z[at]);
                continue;
            }
            for (k = 0; k < 4; ++k) {
                SUITE_(nudge)(&z, &moved, i, a, stencil[k] * h);
                derivative += share[k] * SUITE_(potential)(s, c, &moved, f) / (12 * h);
                SUITE_(p_potential_force)(s, c, SUITE_(p_view)(moved.data), SUITE_(p_view)(other), unused, f);
                trace += share[k] * other[at] / (12 * h);
            }
            test_worst(&off, Z[at] + derivative);
            test_worst(&most, derivative);
        }
    }
    check_below(suite_name("force, the derivative of S~"), off / most, 1e-8);
    check_below(suite_name("    of the other links"), still, 0);
    check_below(suite_name("divergence, the trace of its derivative"), (div[0] - trace) / (1 + fabs(trace)), 1e-8);
}

/* L S~ + t dS dS~ - S, the action's own derivatives, does not change with the new links to the order of the start in beta. */
static double SUITE_(residual)(int order, double beta)
{
    SUITE_(flow)             flow;
    SUITE_(flow_desc)        desc;
    SUITE_(theory)           theory;
    SUITE_(batch)            z, dS;
    lft_arena                arena = lft_arena_of(flow_memory, sizeof flow_memory);
    const SUITE_(p_continuous) *s;
    SUITE_(p_program_fields) f;
    SUITE_(real)            *Z, *u, *v;
    lft_error                error;
    double                   c[512], div[64], S[64], R[2];
    int                      n, i, k, mu, bad;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = mu == flow_doubled - 1 ? 4 : SUITE_DIM == 2 && order > 2 ? 3 : order + 1;
    desc.continuous.doubled = flow_doubled, desc.continuous.order = order, desc.continuous.beta = beta;
    desc.continuous.nodes = 8; /* what is left is not that of the polynomials in time */
    desc.continuous.loops = SUITE_(continuous_loops)(flow_doubled, order);
    if (SUITE_(flow_init)(&flow, &desc, &arena, &error)) check_true(error.text, 0);
    memset(&dS, 0, sizeof dS);
    s   = (const SUITE_(p_continuous) *)flow.layer->state;
    bad = SUITE_(wilson_init)(&theory, beta, 0, &error) || SUITE_(momenta_init)(&dS, &flow.lattice, 1, &arena, &error);
    SUITE_(draw)(&z, &flow, 2, &arena);
    n = flow.lattice.volume * SUITE_DIM;
    Z = (SUITE_(real) *)SUITE_(p_vectors)(&arena, SUITE_(p_force_vectors)(&flow.lattice));
    f = SUITE_(p_potential_fields)(&s->potential, 0, &arena);
    check_true("memory", !bad && lft_arena_check(&arena, NULL, "") == LFT_OK);
    u = (SUITE_(real) *)malloc(2 * (size_t)(n * SUITE_(reals)) * sizeof *u), v = u + n * SUITE_(reals);
    SUITE_(batch_get)(&z, 0, u), SUITE_(batch_get)(&z, 1, v);
    for (k = 0; k < 2; ++k) {
        const double t = 1;
        SUITE_(p_continuous_at)(s, t, c);
        SUITE_(p_potential_force)(&s->potential, c, SUITE_(p_view)(z.data), SUITE_(p_view)(Z), div, f);
        theory.action(&theory, &flow.lattice, z.data, S, dS.data);
        R[k] = div[0] - S[0];
        for (i = 0; i < n * SUITE_(algebra); ++i) R[k] -= t * dS.data[i * z.lanes] * Z[i * z.lanes];
        for (i = 0; i < n * SUITE_(reals); ++i) u[i] = SUITE_(is_new)(&flow.lattice, i / SUITE_(reals)) ? v[i] : u[i];
        SUITE_(batch_set)(&z, 0, u);
    }
    free(u);
    return fabs(R[1] - R[0]);
}

/* ---- whole flows ------------------------------------------------------------------------------------------------------- */

/* From coarse to fine: log q of what is drawn, by the inverse, of a gauge transform; epsilon; in two dimensions log Z. */
static void SUITE_(multiscale_flow)(double beta, int order, int refine)
{
    enum { N = SUITE_DIM == 2 ? 4000 : 40, SOME = 40 };
    const int               plane[2] = {4, 4};
    SUITE_(multiscale_desc) of;
    SUITE_(flow_desc)       desc;
    SUITE_(flow)            flow;
    SUITE_(theory)          theory;
    SUITE_(batch)           x, y;
    lft_arena               arena = lft_arena_of(flow_memory, sizeof flow_memory);
    lft_logq_error          e;
    lft_weights             w;
    lft_error               error;
    SUITE_(real)            u[5000];
    static double           logq[N], again[SOME], S[N];
    double                  back = 0, turned = 0, logz = 0;
    int                     i, mu, bad = 0;
    memset(&of, 0, sizeof of), memset(&e, 0, sizeof e), memset(&x, 0, sizeof x), memset(&y, 0, sizeof y);
    for (mu = 0; mu < SUITE_DIM; ++mu) of.extent[mu] = SUITE_DIM == 2 || mu == 1 ? 4 : 2;
    of.refine = refine;
    of.flow.order = of.flow.nodes = order, of.flow.beta = beta, of.flow.steps = SUITE_DIM == 2 ? 8 : 4;
    bad = SUITE_(multiscale)(&desc, &of, &arena, &error) || SUITE_(flow_init)(&flow, &desc, &arena, &error);
    if (bad) check_true(error.text, 0);
    bad |= SUITE_(wilson_init)(&theory, beta, 0, &error) || SUITE_(batch_init)(&x, &flow.lattice, N, &arena, &error);
    bad |= SUITE_(batch_init)(&y, &flow.lattice, SOME, &arena, &error) || SUITE_(flow_sample)(&flow, 4, 0, &x, logq);
    for (i = 0; i < SOME; ++i) {
        SUITE_(batch_get)(&x, i, u);
        SUITE_(batch_set)(&y, i, u);
    }
    bad |= SUITE_(flow_logq)(&flow, &y, again) != LFT_OK;
    for (i = 0; i < SOME; ++i) test_worst(&back, again[i] - logq[i]);
    bad |= SUITE_(gauge_transform)(&y, lft_draw_of(9, LFT_DRAW_USER, 0, 0), arena, &error) || SUITE_(flow_logq)(&flow, &y, again);
    for (i = 0; i < SOME; ++i) test_worst(&turned, again[i] - logq[i]);
    bad |= SUITE_(flow_logq_error)(&flow, 4, 0, 2, &e, arena) != LFT_OK;
    printf("multiscale, %d layers, beta %g, order %d\n", flow.layers, beta, order);
    check_true(suite_name("whole flow"), !bad);
    check_below(suite_name("log q of the inverse"), back, 1e-9);
    check_below(suite_name("log q of a gauge transform"), turned, 1e-9);
    check_below(suite_name("epsilon"), fabs(e.mean) + e.std, SUITE_DIM == 2 ? 1e-3 : 1e-2);
    if (SUITE_DIM > 2) return;
    SUITE_(action)(&theory, &x, S);
    for (i = 0; i < N; ++i) logq[i] = -S[i] - logq[i];
    w = lft_weigh(logq, N);
    check_true(suite_name("log Z"), SUITE_(exact_logz)(plane, beta, &logz, arena, &error) == LFT_OK);
    printf("ESS %.4f\n", w.ess);
    check_sigma(suite_name("log of the mean weight, log Z"), w.logz, logz, w.logz_error);
}

/* What the flow of new links refuses. */
static void SUITE_(conditional_refused)(const char *what, int extent, int doubled, const char *word)
{
    SUITE_(flow)      flow;
    SUITE_(flow_desc) desc;
    lft_arena         arena = lft_arena_of(flow_memory, sizeof flow_memory);
    lft_error         error;
    int               mu;
    memset(&desc, 0, sizeof desc);
    memset(&error, 0, sizeof error);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = extent;
    desc.continuous.doubled = doubled;
    check_true(suite_name(what), SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, word));
}

static void SUITE_(conditional)(const char *name)
{
    const int        most = SUITE_DIM == 2 || (SUITE_DIM == 3 && SUITE_GROUP == LFT_U1) ? 4 : SUITE_DIM == 3 ? 2 : 1;
    int              kind, order, axis;
    static const int of_kind[] = {3, 2, 3, 4};
    suite_case = name;
    printf("---- %s\n", name);
    if (SUITE_DIM == 4) flow_extent = 2, flow_loops = SUITE_(continuous_loops)(1, 1);
    for (axis = 0; axis < SUITE_DIM; axis += SUITE_DIM - 1) {
        flow_doubled = axis + 1;
        printf("axis %d doubled\n", axis);
        SUITE_(others_stay)();
        if (SUITE_DIM < 4) SUITE_(parity_matters)(); /* on two slices it is one */
        SUITE_(forces)();
        SUITE_(symmetries)();
        if (SUITE_DIM < 4) SUITE_(reflection)();
        for (order = 1; order <= 4; ++order) {
            if (!SUITE_(continuous_loops)(flow_doubled, order) || order > most) break;
            flow_order("residual of the start, in beta", SUITE_(residual)(order, 0.4), SUITE_(residual)(order, 0.2), order + 1);
        }
    }
    SUITE_(identity)();
    SUITE_(inverse)();
    SUITE_(batches)();
    SUITE_(cold)();
    for (kind = LFT_LUESCHER_RK3; kind <= LFT_COMMUTATOR_FREE_4; ++kind) {
        if (SUITE_DIM > 2 && kind < LFT_COMMUTATOR_FREE_4) continue;
        SUITE_(derivatives)(kind);
        if (SUITE_DIM == 2) SUITE_(orders)(kind, of_kind[kind - 1]);
    }
    if (SUITE_DIM == 2) {
        printf("loops of order 4 around one site across\n");
        flow_loops = SUITE_(continuous_loops)(flow_doubled, 4), flow_extent = 1;
        SUITE_(inverse)();
        SUITE_(forces)();
        SUITE_(derivatives)(LFT_COMMUTATOR_FREE_4);
    }
    if (SUITE_DIM == 3 && SUITE_GROUP == LFT_U1) {
        printf("loops of order 4, axis 1 doubled\n");
        flow_doubled = 2, flow_loops = SUITE_(continuous_loops)(flow_doubled, 4), flow_extent = 5, flow_along = 2;
        SUITE_(others_stay)();
        SUITE_(forces)();
        SUITE_(symmetries)();
        flow_along = 0;
    }
    SUITE_(conditional_refused)("an odd extent of the axis", 5, 1, "extent: expected an even one of the doubled axis, got 5");
    SUITE_(conditional_refused)("no such axis", 4, SUITE_DIM + 1, "doubled");
    if (SUITE_DIM > 2) SUITE_(conditional_refused)("loops that close around the lattice", 2, 1, "extent: expected at least 3");
    flow_loops = 0, flow_extent = 3, flow_doubled = 0;
    SUITE_(multiscale_flow)(SUITE_GROUP == LFT_U1 ? 1.0 / (SUITE_DIM - 1) : SUITE_GROUP == LFT_SU2 ? 1.5 : 2,
                            SUITE_DIM == 2 ? 3 : 1, 0);
    SUITE_(multiscale_flow)(0.5, 2, 1);
}
