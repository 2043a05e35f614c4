/* exact_suite.h: the exact flow of two dimensions, for one group. A suite (suite.h) of several tests. */
#include "../suite.h"
#ifndef EXACT_SUITE_COMMON
#define EXACT_SUITE_COMMON
#include "../bessel.h"

static unsigned char exact_memory[48 << 20], exact_more[24 << 20];
#endif

/* The flow at these extents; what is left of the memory. */
static lft_arena SUITE_(make)(SUITE_(flow) *flow, int L, int M, double beta, const lft_pool *pool)
{
    lft_arena         arena = lft_arena_of(exact_memory, sizeof exact_memory);
    SUITE_(flow_desc) desc;
    lft_error         error;
    const int         extent[2] = {L, M};
    if (SUITE_(exact_desc)(&desc, extent, beta, &arena, &error)) check_true(error.text, 0);
    if (pool) desc.pool = *pool;
    if (SUITE_(flow_init)(flow, &desc, &arena, &error)) check_true(error.text, 0);
    return arena;
}

/* Weights of samples and of configurations that are given, and the mean plaquette. */
static void SUITE_(weights)(int L, int M, double beta, int n, double bound)
{
    SUITE_(flow)   flow;
    SUITE_(theory) theory;
    SUITE_(batch)  x;
    const int      extent[2] = {L, M};
    const double   h = 1e-4;
    double         off = 0, apart = 0, near[2], logz, sum = 0, square = 0, *logq, *S, *back;
    lft_arena      arena = SUITE_(make)(&flow, L, M, beta, NULL);
    lft_error      error;
    char           text[40];
    int            i, bad = 0;
    snprintf(text, sizeof text, "%d x %d, beta %g", L, M, beta);
    printf("%s\n", suite_name(text));
    logq = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
    S    = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
    back = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
    bad |= SUITE_(wilson_init)(&theory, beta, 0, &error) != LFT_OK;
    bad |= SUITE_(batch_init)(&x, &flow.lattice, n, &arena, &error) != LFT_OK;
    bad |= SUITE_(flow_sample)(&flow, 11, 0, &x, logq) != LFT_OK;
    bad |= SUITE_(flow_logq)(&flow, &x, back) != LFT_OK;
    bad |= SUITE_(exact_logz)(extent, beta, &logz, arena, &error) != LFT_OK;
    bad |= SUITE_(exact_logz)(extent, beta + h, near, arena, &error) != LFT_OK;
    bad |= beta > h && SUITE_(exact_logz)(extent, beta - h, near + 1, arena, &error) != LFT_OK;
    SUITE_(action)(&theory, &x, S);
    for (i = 0; i < n; ++i) {
        test_worst(&off, -S[i] - logq[i] - logz);
        test_worst(&apart, back[i] - logq[i]);
        sum += S[i] / n, square += S[i] * S[i] / n;
    }
    check_true("    no errors", !bad);
    check_below("    log weight - log Z", off, bound);
    check_below("    log q of the same configurations, given", apart, bound);
    if (beta > h && (L * M > 1 || SUITE_GROUP != LFT_U1)) {
        check_sigma("    plaquette, exact", -sum / beta / (L * M), (near[0] - near[1]) / (2 * h) / (L * M),
                    sqrt((square - sum * sum) / n) / beta / (L * M));
    }
}

#ifndef SUITE_F32
/* kappa_1 is an exponential: its sum of characters. Powers of u belong to kappa_k, whose weights are normalised. */
static void SUITE_(kernels)(double beta)
{
    const int         lanes = SUITE_(lanes)();
    lft_arena         arena = lft_arena_of(exact_memory, sizeof exact_memory);
    SUITE_(p_characters) c;
    SUITE_(p_kernel)  one, sum, two;
    SUITE_(lattice)   lattice;
    SUITE_(batch)     x;
    const int         extent[2] = {8, 8};
    double            off = 0, re[16], im[16], exact[16], value[16];
    int               i, l;
    SUITE_(p_characters_init)(&c, beta, &arena);
    SUITE_(p_kernel_init)(&one, &c, 1, 0, &arena);
    SUITE_(p_kernel_init)(&sum, &c, 1, 0, &arena);
    SUITE_(p_kernel_init)(&two, &c, 2, 0, &arena);
    sum.area = 0; /* by its sum */
    if (SUITE_(lattice_init)(&lattice, extent, NULL)) check_true("extents", 0);
    if (SUITE_(batch_init)(&x, &lattice, lanes, &arena, NULL)) check_true("memory", 0);
    SUITE_(p_group_haar)(lft_draw_of(2, LFT_DRAW_USER, 0, 0), &lattice, SUITE_(p_view)(x.data));
    for (i = 0; i < 128; ++i) {
        SUITE_(p_wide_trace)(SUITE_(p_link)(SUITE_(p_view)(x.data), i), re, im);
        SUITE_(p_kernel_value)(&one, re, im, exact);
        SUITE_(p_kernel_value)(&sum, re, im, value);
        for (l = 0; l < lanes; ++l) test_worst(&off, (value[l] - exact[l]) / one.most);
        SUITE_(p_kernel_value)(&two, re, im, value);
#if SUITE_GROUP == LFT_U1
        for (l = 0; l < lanes; ++l) { /* I_0(2 beta cos(theta / 2)) / I_0(beta)^2 */
            const double z = 2 * beta * sqrt(fmax(0, 0.5 * (1 + re[l])));
            test_worst(&off, (value[l] - bessel(0, z) / pow(bessel(0, beta), 2)) / two.most);
        }
#elif SUITE_GROUP == LFT_SU2
        for (l = 0; l < lanes; ++l) { /* 2 I_1(z) / z (beta / 2 I_1(beta))^2, z = 2 beta cos(psi / 2) */
            const double z = 2 * beta * sqrt(fmax(0, 0.5 * (1 + 0.5 * re[l])));
            test_worst(&off, (value[l] - 2 * bessel(1, z) / z * pow(beta / 2 / bessel(1, beta), 2)) / two.most);
        }
#endif
    }
    snprintf(suite_text, sizeof suite_text, "%s: kappa at beta %g, of kappa(1); kappa_2(1)/least %.1e", suite_case, beta,
             two.most / two.least);
    check_below(suite_text, off, SUITE_GROUP == LFT_SU3 ? 1e-12 : 1e-14); /* u of SU(3) come from a quadrature */
}

/* Links drawn between two plaquettes, against the same density by weights on links from the invariant measure. */
static void SUITE_(between)(double beta, int a, int b)
{
    enum { ROUNDS = 6000, KINDS = 5, LANES = 16 };
    static const char *const kind[KINDS] = {"Re tr w", "Re tr w^+ p", "(Im tr w^+ p)^2", "Im tr w Im tr w^+ p", "Re tr w p"};
    const int            lanes = SUITE_(lanes)();
    lft_arena            arena = lft_arena_of(exact_memory, sizeof exact_memory);
    SUITE_(p_characters) c;
    SUITE_(p_kernel)     first, second, both;
    SUITE_(p_u)          p, w, loop;
    double               re[LANES], im[LANES], other[LANES], value[LANES], sums[2][KINDS + 1][3], f[KINDS];
    double               off[LANES], oi[LANES], more[LANES], exact = 0, weights = 0, squares = 0;
    int                  i, k, l, bad = 0, way;
    SUITE_(p_characters_init)(&c, beta, &arena);
    SUITE_(p_kernel_init)(&first, &c, a, 1, &arena);
    SUITE_(p_kernel_init)(&second, &c, b, 0, &arena);
    SUITE_(p_kernel_init)(&both, &c, a + b, 0, &arena);
    memset(sums, 0, sizeof sums);
    SUITE_(p_haar_of)(lft_draw_of(5, LFT_DRAW_USER, 3, 0), 1, p.c);
    for (k = 0; k < (int)(sizeof p.c / sizeof p.c[0]); ++k) { /* the same p in every lane */
        SUITE_(p_to_wide)(re, p.c[k]);
        for (l = 1; l < lanes; ++l) re[l] = re[0];
        p.c[k] = SUITE_(p_from_wide)(re);
    }
    SUITE_(p_wide_trace)(&p, re, im);
    SUITE_(p_kernel_value)(&both, re, im, value);
    exact = value[0];
    for (i = 0; i < ROUNDS * 8 / lanes; ++i) {
        for (way = 0; way < 2; ++way) {
            if (way) bad |= SUITE_(p_split)(&first, &second, lft_draw_of(6, LFT_DRAW_USER, (uint64_t)(16 * i), 0), 0, &p, &w);
            else SUITE_(p_haar_of)(lft_draw_of(6, LFT_DRAW_USER, (uint64_t)(16 * i), 1), 1, w.c);
            SUITE_(p_wide_trace)(&w, re, im);
            SUITE_(p_adj_mul)(&loop, &w, &p);
            SUITE_(p_wide_trace)(&loop, off, oi);
            SUITE_(p_mul)(&loop, &w, &p);
            SUITE_(p_wide_trace)(&loop, more, value);
            SUITE_(p_kernel_value)(&first, re, im, value);
            SUITE_(p_kernel_value)(&second, off, oi, other);
            for (l = 0; l < lanes; ++l) {
                const double weight = way ? 1 : value[l] * other[l];
                f[0] = re[l], f[1] = off[l], f[2] = oi[l] * oi[l], f[3] = im[l] * oi[l], f[4] = more[l];
                if (!way) weights += weight, squares += weight * weight;
                sums[way][KINDS][0] += weight;
                for (k = 0; k < KINDS; ++k) {
                    sums[way][k][0] += weight * f[k], sums[way][k][1] += weight * weight * f[k] * f[k];
                    sums[way][k][2] += weight * weight * f[k];
                }
            }
        }
    }
    printf("%s: between plaquettes of areas %d and %d, beta %g\n", suite_case, a, b, beta);
    check_true("    drawn", !bad);
    {
        const double n = ROUNDS * 8;
        check_sigma("    int dU kappa_a(A U) kappa_b(U^+ B), kappa_a+b(A B)", weights / n, exact,
                    sqrt(squares / n - weights * weights / n / n) / sqrt(n));
        for (k = 0; k < KINDS; ++k) { /* errors of ratios */
            const double m = sums[1][k][0] / n, x = sums[0][k][0] / weights, v = sums[1][k][1] / n - m * m;
            const double u = (sums[0][k][1] - 2 * x * sums[0][k][2] + x * x * squares) / weights / weights;
            char         text[60];
            snprintf(text, sizeof text, "    <%s>", kind[k]);
            if (fabs(m) + fabs(x) > 1e-12) check_sigma(text, m, x, sqrt(v / n + u)); /* SU(2) has no Im tr */
        }
    }
}
#endif

/* The same bits in any batch, for any threads; memory to the byte; models. */
static void SUITE_(bits)(void)
{
    enum { N = 37, REALS = SUITE_(reals), V = 15 * 2 * REALS };
    static SUITE_(real) a[V], b[V];
    SUITE_(flow)      flow, other;
    SUITE_(flow_desc) desc;
    SUITE_(batch)     x, y;
    SUITE_(model_info) info;
    SUITE_(theory)    theory;
    lft_safetensors   doc;
    lft_memory        file;
    double            logq[N], again[N], late[4];
    lft_arena         arena = SUITE_(make)(&flow, 3, 5, 1.5, NULL), list = lft_arena_of(exact_more, sizeof exact_more), left;
    lft_error         error = {LFT_OK, ""};
    size_t            bytes, cut;
    const int         extent[2] = {3, 5};
    unsigned char    *text;
    int               i, same = 1, bad = 0;
    bad |= SUITE_(batch_init)(&x, &flow.lattice, N, &arena, &error) || SUITE_(flow_sample)(&flow, 3, 0, &x, logq);
    bad |= SUITE_(exact_desc)(&desc, extent, 1.5, &list, &error) != LFT_OK;
    desc.pool = suite_pool();
    bad |= SUITE_(flow_init)(&other, &desc, &list, &error) || SUITE_(batch_init)(&y, &flow.lattice, N, &list, &error);
    bad |= SUITE_(flow_sample)(&other, 3, 0, &y, again) != LFT_OK;
    check_true(suite_name("threads: the same bits"), !bad && !memcmp(logq, again, sizeof logq));
    y.n = 4, y.groups = (3 + SUITE_(lanes)()) / SUITE_(lanes)();
    bad |= SUITE_(flow_sample)(&other, 3, 30, &y, late) != LFT_OK;
    for (i = 0; i < 4; ++i) {
        SUITE_(batch_get)(&x, 30 + i, a);
        SUITE_(batch_get)(&y, i, b);
        same = same && fabs(late[i] - logq[30 + i]) < 1e-12 && !memcmp(a, b, sizeof a);
    }
    check_true(suite_name("sample 30 is sample 30"), !bad && same);

    list = lft_arena_of(exact_more, sizeof exact_more);
    bad |= SUITE_(exact_desc)(&desc, extent, 1.5, &list, &error) != LFT_OK;
    bytes = SUITE_(flow_bytes)(&desc);
    left  = lft_arena_of(exact_memory + 1, bytes);
    check_true(suite_name("memory: as much as the query says"), SUITE_(flow_init)(&other, &desc, &left, &error) == LFT_OK);
    for (cut = 1, same = 1; cut + 64 < bytes; cut += cut / 2 + 63) {
        left = lft_arena_of(exact_memory + 64, bytes - cut - 64);
        same = same && SUITE_(flow_init)(&other, &desc, &left, &error) == LFT_ERR_NOMEM;
    }
    check_true(suite_name("memory: less is an error"), same);

    list = lft_arena_of(exact_more, sizeof exact_more);
    SUITE_(make)(&flow, 3, 5, 1.5, NULL);
    text = (unsigned char *)lft_arena_alloc(&list, 100000, 1);
    bad |= SUITE_(wilson_init)(&theory, 1.5, 0, &error) != LFT_OK;
    SUITE_(model_info_of)(&info, &theory);
    bad |= SUITE_(model_save)(&flow, &info, lft_memory_writer(&file, text, 100000), list, &error) != LFT_OK;
    bad |= lft_safetensors_load(lft_memory_reader(&file, text, file.at), &list, &doc, &error) != LFT_OK;
    bad |= SUITE_(model_desc)(&doc, NULL, &desc, NULL, &list, &error) != LFT_OK;
    bad = bad || SUITE_(flow_init)(&other, &desc, &list, &error) || SUITE_(model_restore)(&other, &doc, &error);
    bad = bad || SUITE_(batch_init)(&y, &other.lattice, N, &list, &error) || SUITE_(flow_sample)(&other, 3, 0, &y, again);
    if (bad) printf("%s\n", error.text);
    check_true(suite_name("a model file: the same bits"), !bad && !memcmp(logq, again, sizeof logq));
}

static void SUITE_(errors)(void)
{
    const int           bad_extent[2] = {4, 0}, extent[2] = {4, 4};
    SUITE_(flow)        flow;
    SUITE_(flow_desc)   desc;
    SUITE_(layer_desc)  layer;
    SUITE_(doubling_desc) d;
    SUITE_(batch)       z, x;
    SUITE_(trainer)     trainer;
    SUITE_(theory)      theory;
    lft_train_desc      train;
    double              logdet[2], logz;
    lft_arena           arena = lft_arena_of(exact_memory, sizeof exact_memory), left;
    lft_error           error;
    int                 right = 1;
    right = right && SUITE_(exact_desc)(&desc, bad_extent, 1, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "extent");
    right = right && SUITE_(exact_desc)(&desc, extent, -1, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "beta");
    right = right && SUITE_(exact_logz)(extent, NAN, &logz, arena, &error) == LFT_ERR_ARG;
    right = right && SUITE_(exact_desc)(&desc, extent, 99, &arena, &error) == LFT_OK;
    right = right && SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "beta") != NULL;
    check_true(suite_name("errors: extents, beta"), right);
    memset(&d, 0, sizeof d);
    memset(&desc, 0, sizeof desc);
    desc.extent[0] = desc.extent[1] = 2, desc.layer = &layer, desc.layers = 1;
    layer.ops = SUITE_(doubling)(), layer.desc = &d;
    d.axis = 2;
    right  = SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "axis");
    d.axis = 0, d.extent = 5;
    right = right && SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "extent");
    d.extent = 3, d.conditional = LFT_CONDITIONAL_EXACT, d.beta = 1, d.target[0] = 5;
    right = right && SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "twice");
    d.target[0] = 2;
    right = right && SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "target");
    layer.ops = SUITE_(torus)(), layer.desc = NULL;
    right = right && SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "sites");
    check_true(suite_name("errors: axis, extent, target, torus"), right);

    left  = SUITE_(make)(&flow, 2, 2, 1, NULL);
    right = !SUITE_(batch_init)(&x, &flow.lattice, 2, &left, NULL) && !SUITE_(batch_init)(&z, &flow.layer[0].in, 2, &left, NULL);
    right = right && SUITE_(flow_map)(&flow, &z, &x, logdet) == LFT_ERR_ARG && strstr(flow.error.text, "draws");
    right = right && SUITE_(flow_inverse)(&flow, &x, &z, logdet) == LFT_OK && fabs(logdet[0] - logdet[1]) < 1e-12;
    memset(&train, 0, sizeof train);
    train.steps = 1;
    right = right && !SUITE_(wilson_init)(&theory, 1, 0, &error);
    right = right && SUITE_(trainer_init)(&trainer, &flow, &theory, &train, &left) == LFT_ERR_ARG;
    check_true(suite_name("errors: nothing to map or to train"), right && strstr(flow.error.text, "gradient"));
    x.data[0] = (SUITE_(real))NAN;
    check_true(suite_name("errors: NaN"), SUITE_(flow_logq)(&flow, &x, logdet) == LFT_ERR_NONFINITE);
}

/* log Z = -S - log q of configurations that the heat bath made. */
static void SUITE_(heated)(double beta)
{
    enum { CHAINS = 19 };
    SUITE_(flow)          flow;
    SUITE_(theory)        theory;
    SUITE_(heatbath)      bath;
    SUITE_(heatbath_desc) desc;
    const int             extent[2] = {4, 6};
    double                logq[CHAINS], S[CHAINS], logz, off = 0;
    lft_arena             arena = SUITE_(make)(&flow, 4, 6, beta, NULL);
    lft_error             error;
    int                   i, bad = 0;
    memset(&desc, 0, sizeof desc);
    desc.extent[0] = 4, desc.extent[1] = 6, desc.chains = CHAINS, desc.start = LFT_START_HOT;
    bad |= SUITE_(wilson_init)(&theory, beta, 0, &error) || SUITE_(heatbath_init)(&bath, &theory, &desc, &arena, &error);
    bad |= SUITE_(heatbath_thermalise)(&bath, 20) || SUITE_(flow_logq)(&flow, &bath.x, logq);
    bad |= SUITE_(exact_logz)(extent, beta, &logz, arena, &error);
    SUITE_(action)(&theory, &bath.x, S);
    for (i = 0; i < CHAINS; ++i) test_worst(&off, -S[i] - logq[i] - logz);
    check_below(suite_name("configurations of the heat bath"), bad ? NAN : off, sizeof(SUITE_(real)) == 8 ? 1e-11 : 1e-3);
}

#include "../suite_end.h"
