/* torus_suite.h: classes of Wilson loops on lattices that they close around: with gauge_flow_suite.h, which includes it for each
 * instance as its SUITE_MORE; then call SUITE_(small)(), SUITE_(small_flow)() and the others. */
#ifndef TORUS_SUITE_COMMON
#define TORUS_SUITE_COMMON
static lft_arena flow_scratch, flow_scratch_start;
#endif

/* W_i of all configurations: W[i * lanes + lane]. */
static void SUITE_(loop_values)(const SUITE_(p_potential) *s, const SUITE_(batch) *x, SUITE_(p_program_fields) f, double *W)
{
    const SUITE_(p_program) *g = &s->program;
    SUITE_(p_place)          p = SUITE_(p_first_place)();
    SUITE_(p_program_sums)      wanted;
    const int                lanes = SUITE_(lanes)();
    SUITE_(p_v)             *part = (SUITE_(p_v) *)lft_arena_take(&flow_scratch, (size_t)g->classes, sizeof *part);
    int                      y, i;
    memset(&wanted, 0, sizeof wanted);
    wanted.value = part;
    f.dot       = NULL;
    SUITE_(p_program_links)(g, SUITE_(p_view)(x->data), f.value);
    for (i = 0; i < g->classes * lanes; ++i) W[i] = 0;
    for (y = 0; y < g->lattice.volume; ++y, SUITE_(p_next_place)(&g->lattice, &p)) {
        SUITE_(p_set_zero)(part, g->classes);
        SUITE_(p_program_at)(g, p, &f);
        SUITE_(p_program_visit)(g, &f, NULL, NULL, &wanted);
        for (i = 0; i < g->classes; ++i) SUITE_(p_add_wide)(W + i * lanes, part[i]);
    }
    flow_scratch = flow_scratch_start;
}

/* sum_j row_j W_j + constant of the first configuration; *bad counts classes that the program does not have. */
static double SUITE_(expression)(const double *row, int classes, int constant, double volume, const double *W, int *bad)
{
    double sum = row[constant] * volume;
    int    j;
    for (j = 0; j < constant; ++j) {
        if (!(row[j] < 0 || row[j] > 0)) continue;
        if (j < classes) sum += row[j] * W[j * SUITE_(lanes)()];
        else ++*bad;
    }
    return sum;
}

/* All images of all classes to an order are known as members of theirs. */
static void SUITE_(images)(int doubled, const int *period, int order)
{
    static const int       permutations[5] = {0, 1, 2, 6, 24};
    static SUITE_(p_classes) classes;
    SUITE_(p_traces)       p, q;
    int                    i, g, count, looked_up = 0, bad = 0;
    SUITE_(p_classes_find)(&classes, doubled, period, order, 1000);
    count = classes.count;
    for (i = 0; i < count; ++i) {
        for (g = 0; g < permutations[SUITE_DIM] << SUITE_DIM; ++g) {
            if (!SUITE_(p_traces_member)(&p, classes.one + i, g)) continue;
            SUITE_(p_traces_reversed)(&q, &p);
            bad += SUITE_(p_class_of)(&classes, &p) != i || SUITE_(p_class_of)(&classes, &q) != i;
            ++looked_up;
        }
    }
    printf("%s, order %d%s: %d classes, %d images\n", suite_case, order, doubled ? ", of a doubled axis" : "", count, looked_up);
    check_true(suite_name("all images are known"), count > 0 && looked_up >= count << SUITE_DIM && !bad && classes.count == count);
}

/* Force, divergence and sum_l dW_0 dW_i of the classes to an order, on a lattice of these extents; period: along which of them they
 * are expected to be found modulo the extent. */
static void SUITE_(small)(const int *extent, int order, const int *period)
{
    static const double      stencil[4] = {-2, -1, 1, 2}, share[4] = {1, -8, 8, -1};
    const double             h = 1e-3;
    const int                lanes = SUITE_(lanes)(), loops = SUITE_(continuous_loops_on)(extent, order);
    static SUITE_(p_potential) s;
    static SUITE_(p_classes) classes;
    static SUITE_(p_in_classes) row;
    SUITE_(flow)             flow;
    SUITE_(batch)            z, one, moved, turned;
    SUITE_(p_program_fields) f;
    SUITE_(real)            *Z, *other, *u;
    lft_arena                arena = lft_arena_of(flow_memory, sizeof flow_memory);
    lft_error                error;
    double                  *c, *W, div[64], unused[64], trace = 0, off = 0, most = 0, worst = 0, scale = 0, dot;
    int                      all, links, i, j, k, a, l, mu, bad = 0;
    memset(&flow, 0, sizeof flow);
    memset(&turned, 0, sizeof turned);
    printf("%s, extents", suite_case);
    for (mu = 0; mu < SUITE_DIM; ++mu) printf(" %d", extent[mu]);
    printf(", order %d: %d classes\n", order, loops);
    check_true("there is room", loops > 0 && !SUITE_(lattice_init)(&flow.lattice, extent, NULL));
    if (!loops) return;
    if (SUITE_(p_potential_init)(&s, &flow.lattice, 0, loops, &arena, &error)) check_true(error.text, 0);
    check_true(suite_name("all classes of the order"), s.upto[order] == loops && s.classes == loops);
    for (mu = 0, i = 0; mu < SUITE_DIM; ++mu) i += s.program.period[mu] != (period[mu] ? extent[mu] : 0);
    check_true(suite_name("    modulo the extents that are too small"), !i);
    SUITE_(draw)(&z, &flow, lanes, &arena);
    bad += SUITE_(batch_init)(&moved, &flow.lattice, lanes, &arena, NULL) != LFT_OK;
    bad += SUITE_(batch_init)(&one, &flow.lattice, 1, &arena, NULL) || SUITE_(batch_init)(&turned, &flow.lattice, 1, &arena, NULL);
    all   = s.program.classes, links = flow.lattice.volume * SUITE_DIM;
    Z     = (SUITE_(real) *)SUITE_(p_vectors)(&arena, SUITE_(p_force_vectors)(&flow.lattice));
    other = (SUITE_(real) *)SUITE_(p_vectors)(&arena, SUITE_(p_force_vectors)(&flow.lattice));
    u     = (SUITE_(real) *)lft_arena_take(&arena, (size_t)(flow.lattice.volume * z.reals), sizeof *u);
    c     = (double *)lft_arena_alloc(&arena, (size_t)all, sizeof(double));
    W     = (double *)lft_arena_alloc(&arena, (size_t)(all * lanes), sizeof(double));
    f     = SUITE_(p_potential_fields)(&s, 0, &arena);
    flow_scratch = flow_scratch_start = arena;
    check_true(suite_name("memory"), !bad && lft_arena_check(&arena, NULL, "") == LFT_OK);
    SUITE_(batch_get)(&z, 0, u);
    for (l = 0; l < lanes; ++l) SUITE_(batch_set)(&z, l, u);
    SUITE_(batch_set)(&one, 0, u);
    lft_normals(lft_draw_of(6, LFT_DRAW_USER, 0, 0), c, s.classes);
    SUITE_(p_potential_force)(&s, c, SUITE_(p_view)(z.data), SUITE_(p_view)(Z), div, f);
    for (a = 0; a < SUITE_(algebra); ++a) {
        for (i = 0; i < links; i += lanes) { /* a link in each lane */
            double derivative[64] = {0};
            for (k = 0; k < 4; ++k) {
                for (l = 0; l < lanes; ++l) {
                    SUITE_(nudge)(&one, &turned, i + l < links ? i + l : 0, a, stencil[k] * h);
                    SUITE_(batch_get)(&turned, 0, u);
                    SUITE_(batch_set)(&moved, l, u);
                }
                SUITE_(loop_values)(&s, &moved, f, W);
                SUITE_(p_potential_force)(&s, c, SUITE_(p_view)(moved.data), SUITE_(p_view)(other), unused, f);
                for (l = 0; l < lanes && i + l < links; ++l) {
                    for (j = 0; j < s.classes; ++j) derivative[l] += share[k] * c[j] * W[j * lanes + l] / (12 * h);
                    trace += share[k] * other[((i + l) * SUITE_(algebra) + a) * lanes + l] / (12 * h);
                }
            }
            for (l = 0; l < lanes && i + l < links; ++l) {
                test_worst(&off, Z[((i + l) * SUITE_(algebra) + a) * lanes] + derivative[l]);
                test_worst(&most, derivative[l]);
            }
        }
    }
    check_below(suite_name("force, the derivative of S~"), off / most, 1e-8);
    check_below(suite_name("divergence, the trace of its derivative"), (div[0] - trace) / (1 + fabs(trace)), 1e-8);
    if (order == 1) return;
    for (i = 0; i < s.classes; ++i) c[i] = i < s.upto[1];
    SUITE_(p_potential_force)(&s, c, SUITE_(p_view)(z.data), SUITE_(p_view)(Z), unused, f);
    SUITE_(loop_values)(&s, &z, f, W);
    SUITE_(p_classes_find)(&classes, 0, s.program.period, order, loops);
    for (i = 0; i < s.upto[order - 1]; ++i) {
        for (j = 0; j < s.classes; ++j) c[j] = j == i;
        SUITE_(p_potential_force)(&s, c, SUITE_(p_view)(z.data), SUITE_(p_view)(other), unused, f);
        for (dot = 0, k = 0; k < links * SUITE_(algebra); ++k) dot += Z[k * lanes] * other[k * lanes];
        SUITE_(p_classes_times_plaquettes)(&classes, i, &row);
        if (SUITE_GROUP == LFT_SU2) dot *= 2; /* both directions of a plaquette */
        test_worst(&worst, dot - SUITE_(expression)(row.c, s.classes, (int)(sizeof row.c / sizeof(double)) - 1,
                                                    flow.lattice.volume, W, &bad));
        test_worst(&scale, dot);
    }
    check_true(suite_name("products with plaquettes, classes of the order"), !bad);
    check_below(suite_name("    what they are"), worst / scale, 1e-11);
}

/* The flow on a lattice with all extents the same: maps, symmetries, derivatives. */
static void SUITE_(small_flow)(int extent, int order)
{
    int same[SUITE_DIM], mu;
    for (mu = 0; mu < SUITE_DIM; ++mu) same[mu] = extent;
    flow_extent = extent, flow_equal = 1, flow_loops = SUITE_(continuous_loops_on)(same, order);
    printf("%s, extents %d, order %d: the flow\n", suite_case, extent, order);
    SUITE_(inverse)();
    SUITE_(symmetries)();
    SUITE_(cold)();
    SUITE_(derivatives)(LFT_COMMUTATOR_FREE_4);
    flow_extent = 3, flow_equal = 0, flow_loops = 0;
}

/* Of the trivializing map to an order, or of what is cut off at it (order < 0). */
static lft_weights SUITE_(small_weights)(const int *extent, int order, double beta, int n)
{
    enum { BATCH = 128 };
    SUITE_(flow)      flow;
    SUITE_(flow_desc) desc;
    SUITE_(theory)    theory;
    SUITE_(batch)     x;
    lft_arena         arena = lft_arena_of(flow_memory, sizeof flow_memory);
    lft_weights       w;
    lft_error         error;
    double           *logw = (double *)malloc((size_t)n * sizeof *logw), logq[BATCH], S[BATCH];
    int               i, k;
    memset(&desc, 0, sizeof desc);
    memcpy(desc.extent, extent, sizeof desc.extent);
    desc.continuous.cut_off = order < 0, desc.continuous.nodes = order < 0 ? 8 : 4, desc.continuous.steps = 6;
    desc.continuous.order = abs(order), desc.continuous.beta = beta;
    desc.continuous.loops = SUITE_(continuous_loops_on)(extent, abs(order));
    if (SUITE_(flow_init)(&flow, &desc, &arena, &error)) check_true(error.text, 0);
    if (SUITE_(wilson_init)(&theory, beta, 0, NULL)) check_true("theory", 0);
    if (SUITE_(batch_init)(&x, &flow.lattice, BATCH, &arena, NULL)) check_true("memory", 0);
    for (i = 0; i < n; i += BATCH) {
        if (SUITE_(flow_sample)(&flow, 11, (uint64_t)i, &x, logq)) check_true(flow.error.text, 0);
        SUITE_(action)(&theory, &x, S);
        for (k = 0; k < BATCH; ++k) logw[i + k] = -S[k] - logq[k];
    }
    w = lft_weigh(logw, (size_t)n);
    free(logw);
    return w;
}

/* What the order leaves: the variance goes with beta^(2 order + 2). */
static void SUITE_(small_scaling)(const int *extent, int order, double beta)
{
    const double coarse = 1 / SUITE_(small_weights)(extent, order, beta, 256).ess - 1;
    const double fine   = 1 / SUITE_(small_weights)(extent, order, beta / 2, 256).ess - 1;
    const double found  = log2(coarse / fine), power = 2 * abs(order) + 2;
    int          mu;
    test_count(fabs(found - power) < 0.5);
    printf("%s, extents", suite_case);
    for (mu = 0; mu < SUITE_DIM; ++mu) printf(" %d", extent[mu]);
    printf(", order %d: variance %.2e, %.2e: power of beta %.2f %s\n", order, coarse, fine, found,
           fabs(found - power) < 0.5 ? "ok" : "FAILED");
}

/* A model of a lattice that its loops close around is none of another; where they do not, it is. And the names of loops. */
static void SUITE_(small_transfer)(int order)
{
    static const int     extents[3] = {2, 5, 6};
    SUITE_(flow)         flow[3], other;
    SUITE_(flow_desc)    desc;
    lft_arena            arena = lft_arena_of(flow_memory, sizeof flow_memory);
    char                 name[2][80];
    int                  i, mu, same[SUITE_DIM], loops;
    for (mu = 0; mu < SUITE_DIM; ++mu) same[mu] = 2;
    loops = SUITE_(continuous_loops_on)(same, order);
    for (i = 0; i < 4; ++i) {
        memset(&desc, 0, sizeof desc);
        for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = i < 3 ? extents[i] : 2;
        desc.continuous.loops = loops;
        if (SUITE_(flow_init)(i < 3 ? flow + i : &other, &desc, &arena, NULL)) check_true("init", 0);
    }
    check_true(suite_name("transfer between large lattices"), SUITE_(flow_transfer)(flow + 1, flow + 2) == LFT_OK);
    check_true(suite_name("    between small ones of the same extents"), SUITE_(flow_transfer)(flow, &other) == LFT_OK);
    check_true(suite_name("    from a small one is refused"), SUITE_(flow_transfer)(flow + 1, flow) == LFT_ERR_MISMATCH &&
               strstr(flow[1].error.text, "close around"));
    check_true(suite_name("    to a small one is refused"), SUITE_(flow_transfer)(flow, flow + 1) == LFT_ERR_MISMATCH);
    for (i = 0; i < loops; ++i) {
        if (SUITE_(continuous_loop)(flow[2].layer, i, name[0], 80) || SUITE_(continuous_loop)(flow[1].layer, i, name[1], 80)) break;
        if (strcmp(name[0], name[1])) break;
    }
    check_true(suite_name("names of loops of a large lattice"), i == loops);
    for (i = 0; i < loops && !SUITE_(continuous_loop)(flow->layer, i, name[0], 80) && strlen(name[0]) > 6; ++i) {}
    check_true(suite_name("    of a small one"), i == loops &&
               SUITE_(continuous_loop)(flow->layer, loops, name[0], 80) == LFT_ERR_ARG);
}
