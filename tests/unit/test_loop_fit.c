/* test_loop_fit.c: loops fitted to the flow's equation: the residual against finite differences, its mean, the expansion in beta at
 * small beta, exact log Z, and what is refused. The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#ifndef LFT_TEST_FEW
#define T       u2
#define T_TEXT  "U(1) 2D"
#define T_GROUP LFT_U1
#define T_DIM   2
#include "test_loop_fit.c"
#define T       s3
#define T_TEXT  "SU(3) 2D"
#define T_GROUP LFT_SU3
#define T_DIM   2
#include "test_loop_fit.c"
#define T       u4
#define T_TEXT  "U(1) 4D"
#define T_GROUP LFT_U1
#define T_DIM   4
#include "test_loop_fit.c"
#endif
#define T       s2
#define T_TEXT  "SU(2) 3D"
#define T_GROUP LFT_SU2
#define T_DIM   3
#include "test_loop_fit.c"

int main(void)
{
    s2_suite(2, 1.2);
#ifndef LFT_TEST_FEW
    u2_suite(3, 1.5);
    u2_exact(), u2_carried();
    s3_suite(2, 3);
    u4_suite(2, 0.5);
#endif
    return test_end();
}

#else
#define LFT_NAME  T
#define LFT_GROUP T_GROUP
#define LFT_DIM   T_DIM
#include "../instance.h"

#define T_PASTE_(a, b) a##_##b
#define T_PASTE(a, b)  T_PASTE_(a, b)
#define T_(name)       T_PASTE(T, name)

enum { T_(numbers) = T_GROUP == LFT_U1 ? 1 : T_GROUP == LFT_SU2 ? 3 : 8 }; /* of an algebra element */

static void *T_(memory)[16];
static int   T_(blocks);

static lft_arena T_(room)(size_t bytes)
{
    T_(memory)[T_(blocks)] = malloc(bytes ? bytes : 1);
    return lft_arena_of(T_(memory)[T_(blocks)++], bytes);
}

static void T_(free_all)(void)
{
    while (T_(blocks)) free(T_(memory)[--T_(blocks)]);
}

/* All classes of an order on a lattice of so many sites along each axis; `start`: the order of the coefficients at the start. */
static void T_(make)(T_(flow) *flow, int extent, int order, int start, double beta, double from, int threads)
{
    T_(flow_desc) d;
    lft_arena     arena;
    lft_error     error;
    int           mu;
    memset(&d, 0, sizeof d);
    memset(&error, 0, sizeof error);
    for (mu = 0; mu < T_DIM; ++mu) d.extent[mu] = extent;
    d.continuous.loops = T_(continuous_loops)(0, order);
    d.continuous.order = start, d.continuous.beta = beta, d.continuous.from = from, d.continuous.steps = 10;
    d.pool = lft_pool_openmp(threads);
    arena  = T_(room)(T_(flow_bytes)(&d));
    check_true(T_TEXT ": flow", T_(flow_init)(flow, &d, &arena, &error) == LFT_OK);
}

static lft_status T_(fit_with)(T_(flow) *flow, const T_(theory) *theory, const lft_fit_desc *d, lft_fit_report *r)
{
    return T_(loop_fit)(flow, theory, d, r, T_(room)(T_(loop_fit_bytes)(flow, d)));
}

static lft_weights T_(weights)(T_(flow) *flow, const T_(theory) *theory, int n)
{
    double     *logw = (double *)malloc((size_t)n * sizeof *logw), *S = (double *)malloc((size_t)n * sizeof *S);
    lft_arena   arena = T_(room)(T_(batch_bytes)(&flow->lattice, n));
    T_(batch)   x;
    lft_weights w;
    int         i;
    check_true(T_TEXT ": batch", T_(batch_init)(&x, &flow->lattice, n, &arena, NULL) == LFT_OK);
    check_true(T_TEXT ": sample", T_(flow_sample)(flow, 3, 0, &x, logw) == LFT_OK);
    T_(action)(theory, &x, S);
    for (i = 0; i < n; ++i) logw[i] = -S[i] - logw[i];
    w = lft_weigh(logw, (size_t)n);
    free(logw), free(S);
    return w;
}

/* R of one configuration at time t against d/dh [log p_{t + h}(exp(h Z) U)] + div Z, and the mean of R and f over many. */
static void T_(residual)(double beta, double from)
{
    const double           t = 0.37, h = 1e-4;
    T_(flow)               flow;
    T_(theory)             theory, moved;
    T_(p_fit)              s;
    lft_fit_desc           d;
    lft_arena              arena, scratch;
    T_(p_continuous_work)  w;
    T_(p_v)               *Z, *X, *U;
    double                 div[64], S[2][64], noise[4000], worst = 0, *sum, pull = 0;
    size_t                 i;
    int                    side, k, n, links;
    memset(&d, 0, sizeof d);
    (void)T_(wilson_init)(&theory, beta, 0, NULL);
    T_(make)(&flow, 4, 2, 0, beta, from, 1);
    lft_normals(lft_draw_of(1, LFT_DRAW_USER, 0, 0), noise, (int)flow.params.count);
    for (i = 0; i < flow.params.count; ++i) flow.params.value[i] = 0.02 * noise[i];
    T_(flow_prepare)(&flow);
    d.chains = 1, d.seed = 5;
    arena = T_(room)(T_(loop_fit_bytes)(&flow, &d));
    check_true(T_TEXT ": fit_init", T_(p_fit_init)(&s, &flow, &theory, &d, &arena, NULL) == LFT_OK);
    links = flow.lattice.volume * T_DIM;
    s.theory.coupling[0] = from + (beta - from) * t;
    T_(p_continuous_at)(s.layer, t, s.c);
    check_true(T_TEXT ": heat bath", T_(heatbath_thermalise)(&s.bath, 20) == LFT_OK);
    T_(p_fit_task)(&s, 0, 0);
    scratch = T_(room)(flow.layer->scratch_bytes + (1 << 20));
    w       = T_(p_continuous_scratch)(s.layer, 0, &scratch);
    arena   = T_(room)(3 * ((size_t)flow.lattice.volume * T_DIM * 18 + 64) * sizeof(T_(p_v)));
    Z       = T_(p_vectors)(&arena, (size_t)flow.lattice.volume * T_DIM * 8);
    X       = T_(p_vectors)(&arena, (size_t)flow.lattice.volume * T_DIM * 8);
    U       = T_(p_vectors)(&arena, (size_t)flow.lattice.volume * T_DIM * 18);
    T_(p_continuous_force)(s.layer, t, (const T_(p_v) *)s.bath.x.data, Z, div, &w);
    for (side = 0; side < 2; ++side) {
        const double to   = side ? h : -h;
        const int    link = (int)(T_(p_group_reals)(&s.bath.x) / (size_t)T_(lanes)()) / links;
        memcpy(U, s.bath.x.data, T_(p_group_reals)(&s.bath.x) * sizeof(T_(real)));
        for (k = 0; k < links; ++k) {
            for (n = 0; n < T_(numbers); ++n) X[k * T_(numbers) + n] = Z[k * T_(numbers) + n] * (T_(real))to;
            T_(p_move)(U + k * link, X + k * T_(numbers), 1);
        }
        (void)T_(wilson_init)(&moved, from + (beta - from) * (t + to), 0, NULL);
        moved.action(&moved, &flow.lattice, (const T_(real) *)U, S[side], NULL);
    }
    worst = (S[0][0] - S[1][0]) / (2 * h) + div[0] - s.slot[1];
    check_below(T_TEXT ": R against finite differences, relative", worst / (1 + fabs(s.slot[1])), 1e-7);
    /* many configurations: the mean of each f is 0 */
    memset(&d, 0, sizeof d);
    d.seed = 6;
    arena  = T_(room)(T_(loop_fit_bytes)(&flow, &d));
    check_true(T_TEXT ": fit_init, 64 chains", T_(p_fit_init)(&s, &flow, &theory, &d, &arena, NULL) == LFT_OK);
    s.theory.coupling[0] = from + (beta - from) * t;
    check_true(T_TEXT ": heat bath, 64 chains", T_(heatbath_thermalise)(&s.bath, 40) == LFT_OK);
    for (k = 0; k < 30; ++k) {
        (void)T_(heatbath_thermalise)(&s.bath, 4);
        for (n = 0; n < s.bath.x.groups; ++n) T_(p_fit_task)(&s, n, 0);
    }
    sum = s.slot;
    for (n = 1; n < s.bath.x.groups; ++n) {
        for (i = 0; i < s.classes; ++i) sum[i] += sum[(size_t)n * s.classes + i];
    }
    n = s.layer->desc.loops;
    for (k = 0; k < n; ++k) {
        const double mean = sum[3 + k] / sum[0], square = sum[3 + 2 * n + k * n + k] / sum[0];
        pull = fabs(mean) / sqrt(square / sum[0]) > pull ? fabs(mean) / sqrt(square / sum[0]) : pull;
    }
    check_below(T_TEXT ": the mean of f is 0, largest deviation in sigma", pull, 4);
    T_(free_all)();
}

/* Fits from the identity at a small beta: the first coefficient of the plaquette is that of the expansion; what is left of the
 * variance, relative, belongs to the first order that the classes do not have; and from there the same configurations lead
 * nowhere. */
static void T_(expansion)(int order)
{
    T_(flow)       flow, expanded;
    T_(theory)     theory;
    lft_fit_desc   d;
    lft_fit_report r = {0, 0, 0}, again = r;
    double         left[2], beta = 0.1;
    int            i;
    memset(&d, 0, sizeof d);
    d.n = 256, d.ridge = 1e-12;
    for (i = 0; i < 2; ++i, beta /= 2) {
        (void)T_(wilson_init)(&theory, beta, 0, NULL);
        T_(make)(&flow, 4, order, 0, beta, 0, 1);
        T_(make)(&expanded, 4, order, order, beta, 0, 1);
        check_true(T_TEXT ": fit", T_(fit_with)(&flow, &theory, &d, &r) == LFT_OK);
        left[i] = r.after / r.before;
        check_near(T_TEXT ": the plaquette against the expansion", flow.params.value[0] / expanded.params.value[0], 1, 0.01);
        check_true(T_TEXT ": once more", T_(fit_with)(&flow, &theory, &d, &again) == LFT_OK);
        check_below(T_TEXT ": begins where that has ended", (again.before - r.after) / r.before, 1e-11);
        check_below(T_TEXT ": and stays", (again.after - r.after) / r.before, 1e-11);
    }
    check_near(T_TEXT ": order in beta of the variance that is left", log(left[0] / left[1]) / log(2), 2 * order, 0.5);
    T_(free_all)();
}

static int T_(stop_at)(void *user, int done, int of)
{
    (void)of;
    return done == *(const int *)user;
}

/* What is refused leaves the flow as it is; the same seed gives the same, with any threads. */
static void T_(edges)(double beta)
{
    T_(flow)       flow, two;
    T_(flow_desc)  with;
    T_(theory)     theory, improved;
    lft_fit_desc   d;
    lft_fit_report r = {0, 0, 0}, r_two = r;
    lft_arena      arena;
    lft_status     status;
    double         before[4000];
    int            stop = 3, mu;
    size_t         bytes;
    memset(&d, 0, sizeof d);
    (void)T_(wilson_init)(&theory, beta, 0, NULL);
    (void)T_(wilson_init)(&improved, beta, -0.331, NULL);
    T_(make)(&flow, 4, 2, 1, beta, 0, 1);
    T_(make)(&two, 4, 2, 1, beta, 0, 2);
    memcpy(before, flow.params.value, flow.params.count * sizeof(double));
    check_true(T_TEXT ": rectangles are refused", T_(fit_with)(&flow, &improved, &d, &r) == LFT_ERR_ARG &&
                                                      strstr(flow.error.text, "c1"));
    d.n = 1;
    check_true(T_TEXT ": one configuration is refused", T_(fit_with)(&flow, &theory, &d, &r) == LFT_ERR_ARG);
    d.n = 40, d.ridge = NAN;
    check_true(T_TEXT ": ridge NaN is refused", T_(fit_with)(&flow, &theory, &d, &r) == LFT_ERR_ARG);
    d.ridge = 0, d.apart = -1;
    check_true(T_TEXT ": apart -1 is refused", T_(fit_with)(&flow, &theory, &d, &r) == LFT_ERR_ARG);
    d.apart = 0, d.report = T_(stop_at), d.user = &stop;
    check_true(T_TEXT ": stopped", T_(fit_with)(&flow, &theory, &d, &r) == LFT_STOPPED);
    d.report = NULL;
    bytes    = T_(loop_fit_bytes)(&flow, &d);
    status   = T_(loop_fit)(&flow, &theory, &d, &r, T_(room)(bytes / 2));
    check_true(T_TEXT ": half the memory", bytes && status == LFT_ERR_NOMEM);
    check_true(T_TEXT ": the flow is as it was", !memcmp(before, flow.params.value, flow.params.count * sizeof(double)));
    check_true(T_TEXT ": one thread", T_(fit_with)(&flow, &theory, &d, &r) == LFT_OK);
    check_true(T_TEXT ": two threads", T_(fit_with)(&two, &theory, &d, &r_two) == LFT_OK);
    check_true(T_TEXT ": the same bit for bit", !memcmp(two.params.value, flow.params.value, flow.params.count * sizeof(double)) &&
                                                    r.after == r_two.after);
    check_true(T_TEXT ": rounds of 64 chains at 8 times", r.n == 512);
    memset(&with, 0, sizeof with);
    for (mu = 0; mu < T_DIM; ++mu) with.extent[mu] = 4;
    with.continuous.units = 2;
    arena = T_(room)(T_(flow_bytes)(&with));
    check_true(T_TEXT ": a net is refused", T_(flow_init)(&two, &with, &arena, NULL) == LFT_OK &&
                                                T_(fit_with)(&two, &theory, &d, &r) == LFT_ERR_ARG);
    with.continuous.units = 0, with.continuous.doubled = 1;
    arena = T_(room)(T_(flow_bytes)(&with));
    check_true(T_TEXT ": a doubled axis is refused", T_(flow_init)(&two, &with, &arena, NULL) == LFT_OK &&
                                                         T_(fit_with)(&two, &theory, &d, &r) == LFT_ERR_ARG);
    T_(free_all)();
}

/* From the expansion at a coupling where it is poor: the variance of R falls, and, where that is most of what log w lacks, the ESS
 * grows. */
static void T_(gain)(int order, double beta)
{
    T_(flow)       flow;
    T_(theory)     theory;
    lft_fit_desc   d;
    lft_fit_report r = {0, 0, 0};
    double         before;
    lft_weights    w;
    memset(&d, 0, sizeof d);
    (void)T_(wilson_init)(&theory, beta, 0, NULL);
    T_(make)(&flow, 4, order, order, beta, 0, 1);
    before = T_(weights)(&flow, &theory, 256).ess;
    check_true(T_TEXT ": fit at a larger beta", T_(fit_with)(&flow, &theory, &d, &r) == LFT_OK);
    w = T_(weights)(&flow, &theory, 256);
    printf("%-58s %.4f -> %.4f, variance of R %.4g -> %.4g\n", T_TEXT ": ESS", before, w.ess, r.before, r.after);
    if (T_DIM < 4) check_true(T_TEXT ": the ESS grows", w.ess > before); /* there it does not: what is left at one time adds up */
    check_true(T_TEXT ": the variance of R falls", r.after < 0.9 * r.before);
    T_(free_all)();
}

static void T_(suite)(int order, double beta)
{
    T_(residual)(beta, 0);
    T_(residual)(beta, 0.4 * beta);
    T_(expansion)(order);
    T_(gain)(order, beta);
    T_(edges)(beta);
}

#if T_GROUP == LFT_U1 && T_DIM == 2
/* log Z of the torus: sum_n I_n(beta)^V. */
static void T_(exact)(void)
{
    T_(flow)       flow;
    T_(theory)     theory;
    lft_fit_desc   d;
    lft_weights    w;
    memset(&d, 0, sizeof d);
    (void)T_(wilson_init)(&theory, 2, 0, NULL);
    T_(make)(&flow, 8, 3, 0, 2, 0, 1);
    check_true(T_TEXT ": fit from the identity at beta = 2", T_(fit_with)(&flow, &theory, &d, NULL) == LFT_OK);
    check_true(T_TEXT ": 12 steps more", T_(flow_refine)(&flow, 22) == LFT_OK);
    w = T_(weights)(&flow, &theory, 4096);
    check_sigma(T_TEXT ": log Z at beta = 2 on 8^2", w.logz, 52.7356, w.logz_error);
    check_true(T_TEXT ": ESS above 0.3", w.ess > 0.3);
    T_(free_all)();
}

/* A map between two couplings: configurations of the first with weights of less variance than without the fit. */
static void T_(carried)(void)
{
    T_(flow)            flow;
    T_(theory)          from, to;
    T_(heatbath)        bath;
    T_(heatbath_desc)   h;
    T_(batch)           y;
    lft_fit_desc        d;
    lft_arena           arena;
    double              logw[640], variance[2];
    int                 k, i;
    memset(&d, 0, sizeof d);
    memset(&h, 0, sizeof h);
    (void)T_(wilson_init)(&from, 1, 0, NULL);
    (void)T_(wilson_init)(&to, 2, 0, NULL);
    T_(make)(&flow, 8, 2, 2, 2, 1, 1);
    h.extent[0] = h.extent[1] = 8, h.chains = 640, h.start = LFT_START_HOT;
    arena = T_(room)(T_(heatbath_bytes)(&h));
    check_true(T_TEXT ": heat bath at beta = 1", T_(heatbath_init)(&bath, &from, &h, &arena, NULL) == LFT_OK);
    check_true(T_TEXT ": thermalised", T_(heatbath_thermalise)(&bath, 30) == LFT_OK);
    arena = T_(room)(T_(batch_bytes)(&flow.lattice, 640));
    check_true(T_TEXT ": batch", T_(batch_init)(&y, &flow.lattice, 640, &arena, NULL) == LFT_OK);
    for (k = 0; k < 2; ++k) {
        double sum = 0, square = 0;
        if (k) check_true(T_TEXT ": fit of a map from beta = 1 to 2", T_(fit_with)(&flow, &to, &d, NULL) == LFT_OK);
        check_true(T_TEXT ": carried", T_(flow_carry)(&flow, &from, &to, &bath.x, &y, logw) == LFT_OK);
        for (i = 0; i < 640; ++i) sum += logw[i], square += logw[i] * logw[i];
        variance[k] = square / 640 - sum / 640 * sum / 640;
    }
    printf("%-58s %.4g -> %.4g\n", T_TEXT ": variance of the log-weights", variance[0], variance[1]);
    check_true(T_TEXT ": less than half of it", variance[1] < 0.5 * variance[0]);
    T_(free_all)();
}
#endif

#undef T_PASTE_
#undef T_PASTE
#undef T_
#undef T
#undef T_TEXT
#undef T_GROUP
#undef T_DIM
#endif
