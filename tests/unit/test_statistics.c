/* test_statistics.c: log-weights, series, the Gamma method against golden values and exact autocorrelation times,
 * derived quantities against analytic error propagation, the jackknife, and what is too short, too constant or NaN. */
#include "lftflow.h"
#include "../test.h"

enum { MEMORY = 24 << 20 };
static unsigned char memory[MEMORY], scratch_memory[MEMORY];

static double special(uint64_t bits) /* INFINITY and NAN do not survive -ffast-math */
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
#define MINUS_INFINITY special(0xfff0000000000000u)
#define PLUS_INFINITY  special(0x7ff0000000000000u)
#define A_NAN          special(0x7ff8000000000000u)

static lft_arena scratch(void)
{
    return lft_arena_of(scratch_memory, sizeof scratch_memory);
}

static lft_series series(int columns, int replicas, size_t capacity)
{
    lft_arena  arena = lft_arena_of(memory, sizeof memory);
    lft_error  e;
    lft_series s;
    if (lft_series_init(&s, columns, replicas, capacity, &arena, &e) != LFT_OK) check_true(e.text, 0);
    return s;
}

static void add1(lft_series *s, int replica, double x)
{
    (void)lft_series_add(s, replica, &x);
}

/* ---- Gamma method ------------------------------------------------------------------------------------------------ */

/* The golden series: sums of 12 uniforms, AR(1). */
static void add_golden(lft_series *s, int replica, uint32_t seed, uint32_t n, double rho)
{
    const uint32_t key[2] = {seed, 0};
    double         a      = 0;
    uint32_t       i, j;
    int            k;
    for (i = 0; i < n; ++i) {
        double x = -6;
        for (j = 0; j < 3; ++j) {
            uint32_t c[4] = {0, 0, 0, 0};
            c[0]          = i;
            c[1]          = j;
            lft_philox(c, key, c);
            for (k = 0; k < 4; ++k) x += ((c[k] >> 8) + 0.5) / 16777216;
        }
        a = rho * a + sqrt(1 - rho * rho) * x;
        add1(s, replica, a);
    }
}

/* Values of an independent implementation. */
static void test_golden(void)
{
    static const double gold[4][5] = {
        {-0.04521547043323517, 0.031946290407995154, 0.5009990009990012, 0.031622776601683805, 1},
        {0.027982838506582994, 0.08643895516490943, 3.857552386227458, 0.9052758777934163, 18},
        {-0.07196481420951217, 0.029540923342773827, 4.61858578664368, 0.47622343823792973, 31},
        {0.08730380503653197, 0.09166172259190375, 5.326461222950931, 1.200669665384432, 25}};
    int t, k;
    for (t = 0; t < 4; ++t) {
        lft_series   s = series(1, 2, 10000);
        lft_estimate r;
        double       got[5], worst = 0;
        if (t == 0) add_golden(&s, 0, 1, 1000, 0);
        if (t == 1) add_golden(&s, 0, 2, 1000, 0.8);
        if (t == 2) add_golden(&s, 0, 3, 10000, 0.8);
        if (t == 3) add_golden(&s, 0, 5, 600, 0.8), add_golden(&s, 1, 6, 900, 0.8);
        r      = lft_gamma(&s, 0);
        got[0] = r.value;
        got[1] = r.error;
        got[2] = r.tau_int;
        got[3] = r.tau_int_error;
        got[4] = r.window;
        for (k = 0; k < 5; ++k) worst = fmax(worst, fabs(got[k] / gold[t][k] - 1));
        check_below("golden Gamma values, relative", worst, 1e-13);
        check_near("golden error of the error", r.error_error, gold[t][1] * sqrt((gold[t][4] + 0.5) / (double)r.n),
                   1e-13 * gold[t][1]);
        check_true("golden series is reliable", r.reliable && r.doubts == 0);
    }
}

/* An AR(1) process with unit variance, started in equilibrium: tau_int = (1 + rho) / (1 - rho) / 2. */
static void add_ar1(lft_series *s, int replica, size_t n, double rho, uint64_t seed, double shift)
{
    static double x[1 << 17];
    double        a;
    size_t        i;
    lft_normals(lft_draw_of(seed, LFT_DRAW_USER, (uint64_t)replica, 0), x, (int)n);
    a = x[0];
    for (i = 0; i < n; ++i) {
        if (i) a = rho * a + sqrt(1 - rho * rho) * x[i];
        add1(s, replica, a + shift);
    }
}

static void test_exact_tau(void)
{
    static const double rho[4] = {0, 0.5, 0.8, 0.95};
    int                 t, r;
    for (t = 0; t < 4; ++t) {
        const double exact = 0.5 * (1 + rho[t]) / (1 - rho[t]), error = sqrt(2 * exact / 100000);
        lft_series   s = series(1, 1, 100000);
        lft_estimate e;
        double       own;
        add_ar1(&s, 0, 100000, rho[t], 31 + (uint64_t)t, 0);
        e = lft_gamma(&s, 0);
        check_sigma("AR(1): tau_int", e.tau_int, exact, e.tau_int_error);
        check_sigma("AR(1): error", e.error, error, e.error_error);
        check_sigma("AR(1): mean", e.value, 0, error);
        check_true("AR(1): reliable", e.reliable);
        s = series(1, 64, 1500); /* the lanes of a batch as replicas */
        for (r = 0; r < 64; ++r) add_ar1(&s, r, 1500, rho[t], 41 + (uint64_t)t, 1000);
        e = lft_gamma(&s, 0);
        own = (2 * e.window + 1) / 1500.0; /* what the replicas' own means take out of tau_int */
        check_sigma("AR(1) in 64 replicas: tau_int", e.tau_int, exact * (1 - own), e.tau_int_error);
        check_sigma("AR(1) in 64 replicas: mean", e.value, 1000, e.error);
        check_true("AR(1) in 64 replicas: doubt if that is more than 1/10",
                   e.doubts == (own > 0.1 ? LFT_DOUBT_REPLICA : 0) && e.reliable == !e.doubts);
        check_sigma("AR(1) in 64 replicas: spread", e.spread, 1, sqrt(2.0 / 63));
    }
}

/* Over many repetitions the error is the scatter of the means. */
static void test_coverage(void)
{
    enum { RUNS = 600 };
    double scatter = 0, squares = 0;
    int    t, inside = 0;
    for (t = 0; t < RUNS; ++t) {
        lft_series   s = series(1, 2, 1000);
        lft_estimate e;
        add_ar1(&s, 0, 1000, 0.8, 1000 + (uint64_t)t, 0);
        add_ar1(&s, 1, 1000, 0.8, 1000 + (uint64_t)t, 0);
        e = lft_gamma(&s, 0);
        scatter += e.value * e.value;
        squares += e.error * e.error;
        inside += fabs(e.value) < e.error;
    }
    check_sigma("600 runs: mean error^2 / scatter", squares / scatter, 1, sqrt(2 / (double)RUNS));
    check_sigma("600 runs: within one error", inside / (double)RUNS, 0.6827, sqrt(0.68 * 0.32 / (double)RUNS));
}

/* Shifting and scaling the samples does what it must. */
static void test_covariance(void)
{
    lft_series   s = series(3, 2, 5000);
    lft_estimate a, b, c;
    size_t       i;
    int          r;
    for (r = 0; r < 2; ++r) {
        double x[5000], row[3], old = 0;
        lft_normals(lft_draw_of(77, LFT_DRAW_USER, (uint64_t)r, 0), x, 5000);
        for (i = 0; i < 5000; ++i) {
            row[0] = old = 0.7 * old + x[i];
            row[1] = 1e6 + old;
            row[2] = -1e-9 * old;
            (void)lft_series_add(&s, r, row);
        }
    }
    a = lft_gamma(&s, 0);
    b = lft_gamma(&s, 1);
    c = lft_gamma(&s, 2);
    check_below("shifted by 1e6: value", b.value - 1e6 - a.value, 1e-9);
    check_below("shifted by 1e6: error, relative", b.error / a.error - 1, 1e-9);
    check_below("scaled by -1e-9: value, relative", c.value / a.value + 1e-9, 1e-20);
    check_below("scaled by -1e-9: error, relative", c.error / a.error - 1e-9, 1e-20);
    check_below("scaled by -1e-9: tau_int", c.tau_int - a.tau_int, 1e-12);
}

/* ---- derived quantities ------------------------------------------------------------------------------------------ */

static double first(const double *mean, void *ctx)
{
    (void)ctx;
    return mean[0];
}

static double curved(const double *mean, void *ctx)
{
    const double *scale = (const double *)ctx;
    return *scale * sin(mean[0]) * exp(mean[1]);
}

static double binder(const double *mean, void *ctx)
{
    (void)ctx;
    return 1 - mean[1] / (3 * mean[0] * mean[0]);
}

static double square(const double *mean, void *ctx)
{
    (void)ctx;
    return mean[0] * mean[0];
}

static double always(const double *mean, void *ctx)
{
    (void)mean;
    (void)ctx;
    return 3;
}

static double logarithm(const double *mean, void *ctx)
{
    (void)ctx;
    return mean[0] > 0 ? log(mean[0]) : A_NAN;
}

/* Two correlated columns, and in a third the analytic projection of `curved`, in a fourth that of the ratio. */
static lft_series correlated(double scale)
{
    static double x[8000];
    const double  p[4]     = {scale * cos(2) * exp(0.3), scale * sin(2) * exp(0.3), -0.3 / 4, 1.0 / 2};
    double        shift[2] = {0, 0};
    lft_series    s        = series(4, 3, 4000);
    size_t        i;
    int           r, k;
    for (k = 0; k < 2; ++k) { /* twice: first to find the means, which are then moved to 2 and 0.3 */
        lft_series_clear(&s);
        for (r = 0; r < 3; ++r) {
            double row[4] = {0, 0, 0, 0}, a = 0, b = 0;
            lft_normals(lft_draw_of(99, LFT_DRAW_USER, (uint64_t)r, 0), x, 8000);
            for (i = 0; i < 4000 - 500 * (size_t)r; ++i) {
                a      = 0.6 * a + 0.1 * x[2 * i];
                b      = 0.8 * b + 0.1 * x[2 * i + 1] - 0.05 * a;
                row[0] = 2 + a - shift[0];
                row[1] = 0.3 + b - shift[1];
                row[2] = p[0] * row[0] + p[1] * row[1];
                row[3] = p[2] * row[0] + p[3] * row[1];
                (void)lft_series_add(&s, r, row);
            }
        }
        shift[0] = lft_gamma(&s, 0).value - 2;
        shift[1] = lft_gamma(&s, 1).value - 0.3;
    }
    return s;
}

static void check_same_estimate(const char *name, lft_estimate a, lft_estimate b, double tolerance)
{
    double worst = fmax(fabs(a.error / b.error - 1), fabs(a.tau_int / b.tau_int - 1));
    worst        = fmax(worst, fabs(a.error_error / b.error_error - 1));
    worst        = fmax(worst, fabs(a.tau_int_error / b.tau_int_error - 1));
    check_below(name, worst, tolerance);
    check_true("   same window, n and verdict", a.window == b.window && a.n == b.n && a.doubts == b.doubts);
}

static void test_derived(void)
{
    double       scale = 1e3;
    lft_series   s     = correlated(scale);
    lft_error    e;
    lft_estimate r;
    e.code = LFT_OK;
    r      = lft_gamma_of(&s, first, NULL, scratch(), &e);
    check_below("f = mean[0]: value", r.value - lft_gamma(&s, 0).value, 0);
    check_same_estimate("f = mean[0]: lft_gamma", r, lft_gamma(&s, 0), 1e-9);
    r = lft_gamma_of(&s, curved, &scale, scratch(), &e);
    check_near("sin(a) exp(b): value", r.value, 1e3 * sin(2) * exp(0.3), 1e-9);
    check_same_estimate("sin(a) exp(b): analytic propagation", r, lft_gamma(&s, 2), 1e-6);
    r = lft_gamma_of(&s, lft_ratio, NULL, scratch(), &e);
    check_near("b / a: value", r.value, 0.15, 1e-12);
    check_same_estimate("b / a: analytic propagation", r, lft_gamma(&s, 3), 1e-6);
    {
        int columns[2] = {0, 1};
        r              = lft_gamma_of(&s, lft_ratio, columns, scratch(), &e);
        check_near("lft_ratio with columns", r.value, 2 / 0.3, 1e-11);
    }
    r = lft_gamma_of(&s, always, NULL, scratch(), &e);
    check_true("constant function: error 0", r.value == 3 && r.error == 0 && r.doubts == LFT_DOUBT_CONSTANT);
    check_true("success leaves the error alone", e.code == LFT_OK);
}

/* Normal numbers: U = 0 with variance 8/3 / N: exact error propagation. */
static void test_binder(void)
{
    enum { N = 100000 };
    static double x[N];
    lft_series    s = series(2, 1, N);
    lft_estimate  r;
    int           i;
    lft_normals(lft_draw_of(7, LFT_DRAW_USER, 0, 0), x, N);
    for (i = 0; i < N; ++i) {
        double row[2];
        row[0] = x[i] * x[i];
        row[1] = row[0] * row[0];
        (void)lft_series_add(&s, 0, row);
    }
    r = lft_gamma_of(&s, binder, NULL, scratch(), NULL);
    check_sigma("Binder cumulant of normals", r.value, 0, r.error);
    check_near("Binder cumulant: error sqrt(8 / (3 N))", r.error / sqrt(8.0 / 3 / (double)N), 1, 0.03);
}

/* From N(0,1) to N(1/2,1) by weights exp(x/2 - 1/8): <w O>/<w> with O = x is 1/2, with N error^2 = exp(1/4) 5/4. */
static void test_reweighting(void)
{
    enum { N = 100000 };
    static double x[N], logw[N];
    lft_series    s = series(2, 1, N);
    lft_estimate  r;
    lft_weights   w;
    int           i;
    lft_normals(lft_draw_of(8, LFT_DRAW_USER, 0, 0), x, N);
    for (i = 0; i < N; ++i) {
        double row[2];
        logw[i] = x[i] / 2 - 0.125;
        row[0]  = exp(logw[i] - 700); /* a constant factor drops out */
        row[1]  = row[0] * x[i];
        row[0] *= 1e304, row[1] *= 1e304;
        (void)lft_series_add(&s, 0, row);
    }
    r = lft_gamma_of(&s, lft_ratio, NULL, scratch(), NULL);
    w = lft_weigh(logw, N);
    check_sigma("reweighted mean", r.value, 0.5, r.error);
    check_near("reweighted mean: error", r.error / sqrt(exp(0.25) * 1.25 / (double)N), 1, 0.03);
    check_sigma("log of the mean weight", w.logz, 0, w.logz_error);
    check_near("its error", w.logz_error / sqrt((exp(0.25) - 1) / (double)N), 1, 0.02);
    check_near("effective sample size", w.ess, exp(-0.25), 0.01);
}

/* The same draws x of N(0,1) weighed by exp(x/2) and by exp(x/2 + c x + 1): the log of the ratio of their means is c/2 + c^2/2 + 1,
 * its variance is exp(1/4) + exp((1/2 + c)^2) - 2 exp(1/4 + c/2), the change has std c. */
static void test_pair(void)
{
    enum { N = 100000 };
    static double    x[N], logw[N], other[N];
    const double     c = 0.1;
    lft_weight_shift s;
    int              i;
    lft_normals(lft_draw_of(9, LFT_DRAW_USER, 0, 0), x, N);
    for (i = 0; i < N; ++i) logw[i] = x[i] / 2 + 700, other[i] = logw[i] + c * x[i] + 1;
    s = lft_weigh_pair(logw, other, N);
    check_true("pair of weights", s.status == LFT_OK && s.n == N);
    check_sigma("pair: shift of log Z", s.logz_shift, c / 2 + c * c / 2 + 1, s.logz_error);
    check_near("pair: its error", s.logz_error * s.logz_error,
               (exp(0.25) + exp((0.5 + c) * (0.5 + c)) - 2 * exp(0.25 + c / 2)) / N, 0.06 * s.logz_error * s.logz_error);
    check_near("pair: std of the change", s.std, c, 0.01 * c);
    for (i = 0; i < N; ++i) other[i] = logw[i] - 3;
    s = lft_weigh_pair(logw, other, N);
    check_near("pair: the same but for a factor", s.logz_shift, -3, 1e-12);
    check_below("pair: no error", s.logz_error + s.std, 1e-12);
    s = lft_weigh_pair(logw, other, 1);
    check_true("pair: of one draw", s.status == LFT_ERR_ARG && !lft_finite(s.logz_shift));
    other[7] = -INFINITY;
    s        = lft_weigh_pair(logw, other, N);
    check_true("pair: weight zero", s.status == LFT_ERR_NONFINITE && !lft_finite(s.std) && !lft_finite(s.logz_error));
}

/* ---- edges ------------------------------------------------------------------------------------------------------- */

static void test_short_and_constant(void)
{
    lft_series   s = series(1, 1, 64);
    lft_estimate r = lft_gamma(&s, 0);
    int          i;
    check_true("no samples: NaN, n = 0", r.n == 0 && !lft_finite(r.value) && !lft_finite(r.error) && !r.reliable);
    r = lft_gamma(&s, 1);
    check_true("no such column: NaN, n = 0", r.n == 0 && !lft_finite(r.value) && !r.reliable);
    r = lft_gamma(&s, -1);
    check_true("no such column: NaN, n = 0", r.n == 0 && !lft_finite(r.value) && !r.reliable);
    add1(&s, 0, 2.5);
    r = lft_gamma(&s, 0);
    check_true("one sample: its value, no error", r.n == 1 && r.value == 2.5 && !lft_finite(r.error) && !r.reliable);
    add1(&s, 0, 3.5);
    r = lft_gamma(&s, 0);
    check_true("two samples: some error, not reliable", r.value == 3 && lft_finite(r.error) && r.error > 0 && r.doubts);
    add1(&s, 0, 1.5);
    add1(&s, 0, 2);
    r = lft_gamma(&s, 0);
    check_true("four samples: few", lft_finite(r.error) && (r.doubts & LFT_DOUBT_FEW) != 0);
    add1(&s, 0, 4);
    r = lft_gamma(&s, 0);
    check_true("five samples: not few", lft_finite(r.error) && !(r.doubts & LFT_DOUBT_FEW));
    lft_series_clear(&s);
    check_true("cleared", lft_gamma(&s, 0).n == 0);
    for (i = 0; i < 64; ++i) add1(&s, 0, 0.1);
    r = lft_gamma(&s, 0);
    check_true("constant: value, tau_int 1/2", r.value == 0.1 && r.tau_int == 0.5);
    check_true("constant: error 0", r.error == 0 && r.error_error == 0);
    check_true("constant: not reliable", r.doubts == LFT_DOUBT_CONSTANT && !r.reliable);
    check_true("full", lft_series_add(&s, 0, &r.value) == LFT_ERR_NOMEM && s.length[0] == 64);
    check_true("no such replica", lft_series_add(&s, 1, &r.value) == LFT_ERR_ARG);
    check_true("no such replica", lft_series_add(&s, -1, &r.value) == LFT_ERR_ARG);
}

static void test_slow(void)
{
    lft_series   s = series(1, 1, 2000);
    lft_estimate r;
    int          i;
    for (i = 0; i < 100; ++i) add1(&s, 0, i);
    r = lft_gamma(&s, 0);
    check_true("a drift: unreliable", !r.reliable && lft_finite(r.error));
    lft_series_clear(&s);
    for (i = 0; i < 40; ++i) add1(&s, 0, i < 20 ? 1 + 1e-3 * (i % 3) : -1);
    r = lft_gamma(&s, 0);
    check_true("one jump in 40: unreliable", !r.reliable);
    lft_series_clear(&s);
    add_ar1(&s, 0, 1000, 0.98, 3, 0); /* tau_int = 49.5: N = 20 tau_int */
    r = lft_gamma(&s, 0);
    check_true("N < 50 tau_int: unreliable", (r.doubts & LFT_DOUBT_LENGTH) != 0);
    lft_series_clear(&s);
    for (i = 0; i < 2000; ++i) add1(&s, 0, i & 1);
    r = lft_gamma(&s, 0);
    check_near("anticorrelated: tau_int is not below 1/2", r.tau_int, 0.5 * (1 + 3.0 / 2000) / (1 + 1.0 / 2000), 1e-12);
    lft_series_clear(&s);
    s.window_factor = 1e6;
    add_ar1(&s, 0, 1001, 0.98, 3, 0);
    r = lft_gamma(&s, 0);
    check_true("a window without end stops at half", r.window == 500 ? r.doubts & LFT_DOUBT_WINDOW : r.window < 500);
}

static void test_replicas(void)
{
    lft_series   s = series(1, 64, 10000);
    lft_estimate r, one;
    double       x[64], sum = 0, squares = 0;
    int          i;
    lft_normals(lft_draw_of(4, LFT_DRAW_USER, 0, 0), x, 64);
    for (i = 0; i < 64; ++i) {
        add1(&s, i, x[i]);
        sum += x[i];
        squares += x[i] * x[i];
    }
    squares = sqrt((squares - sum * sum / 64) / 63 / 64);
    r       = lft_gamma(&s, 0);
    check_near("64 replicas of 1: standard error", r.error, squares, 1e-15);
    check_true("64 replicas of 1: not reliable, n = 64", r.n == 64 && !r.reliable && r.tau_int == 0.5);
    for (i = 0; i < 64; ++i) add1(&s, i, x[i]), add1(&s, i, x[i]);
    check_near("64 stuck replicas: error of 64 numbers", lft_gamma(&s, 0).error, squares, 1e-14);

    s = series(1, 64, 10);
    for (i = 0; i < 64; ++i) add_ar1(&s, i, 10, 0, 5, 0);
    r = lft_gamma(&s, 0);
    check_near("64 replicas of 10: error", r.error, 1 / sqrt(640.0), 0.2 / sqrt(640.0));
    check_true("64 replicas of 10: too short", r.n == 640 && r.doubts == LFT_DOUBT_REPLICA);

    s = series(1, 4, 10000);
    add_ar1(&s, 0, 10000, 0.8, 6, 0);
    one = lft_gamma(&s, 0);
    add1(&s, 2, 0.25);
    add1(&s, 3, 0.5);
    add1(&s, 3, 0.4);
    r = lft_gamma(&s, 0);
    check_true("replicas of 10000, 0, 1, 2: n, window, verdict", r.n == 10003 && r.window == one.window && r.reliable);
    check_near("replicas of 10000, 0, 1, 2: tau_int", r.tau_int / one.tau_int, 1, 1e-3);
    check_near("replicas of 10000, 0, 1, 2: error", r.error / one.error, 1, 1e-3);

    s = series(1, 8, 1000); /* half of the chains sit in one mode, half in the other */
    for (i = 0; i < 8; ++i) add_ar1(&s, i, 1000, 0.5, 7, i % 2 ? 1 : -1);
    r = lft_gamma(&s, 0);
    check_true("replicas in two modes: disagree", r.doubts == LFT_DOUBT_SPREAD && r.spread > 100);
    check_true("its words", strcmp(lft_doubt_str(r.doubts), "replicas disagree") == 0);
    check_true("words for none", strcmp(lft_doubt_str(0), "reliable") == 0);
    check_true("words for unknown bits", strcmp(lft_doubt_str(1 << 20), "reliable") == 0);
}

static void test_not_finite(void)
{
    lft_series   s = series(2, 2, 100);
    lft_estimate r;
    lft_error    e;
    double       row[2];
    int          i, said = 0;
    for (i = 0; i < 100; ++i) {
        row[0] = -1 - 0.01 * (i % 7);
        row[1] = i == 50 ? PLUS_INFINITY : 1;
        said += lft_series_add(&s, 0, row) == LFT_ERR_NONFINITE;
    }
    check_true("a row with infinity says so", said == 1);
    row[1] = A_NAN;
    check_true("a row with NaN says so", lft_series_add(&s, 1, row) == LFT_ERR_NONFINITE);
    check_true("and is stored", s.length[0] == 100 && s.length[1] == 1);
    r = lft_gamma(&s, 1);
    check_true("NaN samples: NaN value, NaN error", !lft_finite(r.value) && !lft_finite(r.error));
    check_true("NaN samples: not reliable", r.doubts == LFT_DOUBT_NONFINITE && !r.reliable);
    check_true("the other column is unharmed", lft_finite(lft_gamma(&s, 0).error));
    e.code = LFT_OK;
    r      = lft_gamma_of(&s, logarithm, NULL, scratch(), &e);
    check_true("f is NaN: NaN value", !lft_finite(r.value) && !r.reliable && e.code == LFT_ERR_NONFINITE);
    printf("   \"%s\"\n", e.text);
    e.code = LFT_OK;
    r      = lft_gamma_of(&s, first, NULL, scratch(), &e);
    check_true("NaN in a column: NaN error", !lft_finite(r.error) && !r.reliable && e.code == LFT_ERR_NONFINITE);
    {
        lft_jackknifed j = lft_jackknife(&s, logarithm, NULL, 10, scratch(), &e);
        check_true("jackknife of NaN", !lft_finite(j.value) && !lft_finite(j.error) && e.code == LFT_ERR_NONFINITE);
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* The worst alignment: one byte past a multiple of 64. */
static lft_arena worst_arena(size_t bytes)
{
    const size_t past = (size_t)((uintptr_t)scratch_memory % 64);
    return lft_arena_of(scratch_memory + 65 - past, bytes);
}

static void test_series_memory(void)
{
    lft_arena  measure = lft_arena_measure(), arena;
    lft_series s;
    lft_error  e;
    check_true("measuring", lft_series_init(&s, 3, 5, 77, &measure, &e) == LFT_OK && s.data == NULL);
    check_true("a measured series takes no samples", lft_series_add(&s, 0, NULL) == LFT_ERR_NOMEM);
    check_true("and gives no estimate", lft_gamma(&s, 0).n == 0);
    arena = worst_arena(measure.need);
    check_true("exactly enough", lft_series_init(&s, 3, 5, 77, &arena, &e) == LFT_OK && arena.need == measure.need);
    arena = worst_arena(measure.need - 1);
    check_true("one byte less", lft_series_init(&s, 3, 5, 77, &arena, &e) == LFT_ERR_NOMEM && s.data == NULL);
    printf("   \"%s\"\n", e.text);
    check_true("bad columns", lft_series_init(&s, 0, 5, 77, &arena, &e) == LFT_ERR_ARG);
    check_true("bad replicas", lft_series_init(&s, 1, 0, 77, &arena, &e) == LFT_ERR_ARG);
    check_true("bad capacity", lft_series_init(&s, 1, 1, 0, &arena, &e) == LFT_ERR_ARG);
    check_true("absurd capacity", lft_series_init(&s, 1, 1, SIZE_MAX / 8, &arena, &e) == LFT_ERR_NOMEM);
    check_true("more absurd capacity", lft_series_init(&s, 1, 1, SIZE_MAX, &arena, &e) == LFT_ERR_ARG);
}

static void test_scratch(void)
{
    lft_series s = series(2, 3, 50);
    lft_error  e;
    size_t     need;
    int        i;
    for (i = 0; i < 150; ++i) {
        double row[2];
        row[0] = 1 + i % 7;
        row[1] = i % 5;
        (void)lft_series_add(&s, i % 3, row);
    }
    need   = lft_gamma_bytes(&s);
    e.code = LFT_OK;
    check_true("gamma scratch, exact", lft_finite(lft_gamma_of(&s, first, NULL, worst_arena(need), &e).error));
    check_true("and no complaint", e.code == LFT_OK);
    check_true("one byte less", !lft_finite(lft_gamma_of(&s, first, NULL, worst_arena(need - 1), &e).value));
    check_true("and says so", e.code == LFT_ERR_NOMEM);
    check_true("without an lft_error", !lft_gamma_of(&s, first, NULL, worst_arena(10), NULL).reliable);
    need   = lft_jackknife_bytes(&s, 15);
    e.code = LFT_OK;
    check_true("jackknife scratch, exact", lft_finite(lft_jackknife(&s, first, NULL, 15, worst_arena(need), &e).error));
    check_true("and no complaint", e.code == LFT_OK);
    check_true("one byte less", !lft_finite(lft_jackknife(&s, first, NULL, 15, worst_arena(need - 1), &e).value));
    check_true("and says so", e.code == LFT_ERR_NOMEM);
    printf("   \"%s\"\n", e.text);
}

/* ---- jackknife --------------------------------------------------------------------------------------------------- */

static void test_jackknife(void)
{
    lft_series     s = series(1, 1, 1000);
    lft_jackknifed j;
    lft_estimate   g;
    lft_error      e;
    double         mean, squares = 0, scale = 1;
    size_t         i;
    add_golden(&s, 0, 1, 1000, 0);
    mean = lft_gamma(&s, 0).value;
    for (i = 0; i < 1000; ++i) squares += (s.data[i] - mean) * (s.data[i] - mean);
    squares /= 1000 * 999.0; /* the variance of the mean */
    j = lft_jackknife(&s, first, NULL, 1000, scratch(), NULL);
    check_near("jackknife of the mean: standard error", j.error, sqrt(squares), 1e-15);
    check_below("jackknife of the mean: no bias", j.bias, 1e-15);
    check_true("jackknife: bins, n", j.bins == 1000 && j.n == 1000 && j.value == mean);
    j = lft_jackknife(&s, square, NULL, 1000, scratch(), NULL);
    check_near("jackknife of mean^2: bias is the variance of the mean", j.bias / squares, 1, 1e-9);
    j = lft_jackknife(&s, first, NULL, 5000, scratch(), NULL);
    check_true("more bins than samples", j.bins == 1000);
    j = lft_jackknife(&s, first, NULL, 7, scratch(), NULL); /* 1000 = 6 x 143 + 142 */
    check_near("7 unequal bins: same order", j.error / sqrt(squares), 1, 0.8);
    check_below("7 unequal bins: no bias of a mean", j.bias, 1e-14);

    s = correlated(scale);
    g = lft_gamma_of(&s, curved, &scale, scratch(), NULL);
    j = lft_jackknife(&s, curved, &scale, 150, scratch(), NULL); /* bins of 70: 8 to 15 tau_int */
    check_near("jackknife and Gamma: value", j.value, g.value, 0);
    check_near("jackknife and Gamma: error", j.error / g.error, 1, 3 * (g.error_error / g.error + 1 / sqrt(300.0)));
    check_below("jackknife: bias below the error", j.bias / j.error, 0.3);
    check_true("jackknife: replicas get their shares", j.bins == 150 && j.n == 10500);

    s = series(1, 64, 10);
    for (i = 0; i < 64; ++i) add_ar1(&s, (int)i, i ? 10 : 1, 0, 5, 0);
    j = lft_jackknife(&s, first, NULL, 20, scratch(), &e);
    check_true("at least one bin per replica", j.bins == 64);
    check_near("64 bins of 10 and 1: error", j.error, 1 / sqrt(631.0), 0.3 / sqrt(631.0));
    s = series(1, 1, 10);
    e.code = LFT_OK;
    (void)lft_jackknife(&s, first, NULL, 10, scratch(), &e);
    check_true("no samples", e.code == LFT_ERR_ARG);
    add1(&s, 0, 1);
    e.code = LFT_OK;
    j      = lft_jackknife(&s, first, NULL, 10, scratch(), &e);
    check_true("one sample: value, no error", e.code == LFT_ERR_ARG && j.value == 1 && !lft_finite(j.error));
    e.code = LFT_OK;
    (void)lft_jackknife(&s, first, NULL, 1, scratch(), &e);
    check_true("one bin", e.code == LFT_ERR_ARG);
    printf("   \"%s\"\n", e.text);
}

/* ---- log-weights ------------------------------------------------------------------------------------------------- */

static void test_weights(void)
{
    enum { N = 20000 };
    static double x[N];
    lft_weights   w, v;
    const double  n   = N;
    double        sum = 0, squares = 0, error;
    int           i;
    lft_normals(lft_draw_of(21, LFT_DRAW_USER, 0, 0), x, N);
    for (i = 0; i < N; ++i) {
        sum += exp(x[i]);
        squares += exp(2 * x[i]);
    }
    w = lft_weigh(x, N);
    check_near("ess: direct formula", w.ess, sum * sum / squares / n, 1e-13);
    check_near("logz: direct formula", w.logz, log(sum / n), 1e-13);
    check_near("logz error: direct formula", w.logz_error, sqrt((squares * n / (sum * sum) - 1) / n), 1e-14);
    check_true("n, status", w.n == N && w.status == LFT_OK);
    for (i = 0; i < N; ++i) x[i] += 1048576;
    v = lft_weigh(x, N);
    check_near("shifted by 2^20: ess", v.ess, w.ess, 1e-9);
    check_near("shifted by 2^20: logz", v.logz - 1048576, w.logz, 1e-9);
    for (i = 0; i < N; ++i) x[i] = -1e5;
    w = lft_weigh(x, N);
    check_true("constant weights: ess 1, logz, no error", w.ess == 1 && w.logz == -1e5 && w.logz_error == 0);
    lft_normals(lft_draw_of(22, LFT_DRAW_USER, 0, 0), x, N);
    for (i = 0, sum = squares = 0; i < N; ++i) {
        sum += x[i];
        squares += x[i] * x[i];
        x[i] *= 1e-6;
    }
    w     = lft_weigh(x, N);
    error = 1e-6 * sqrt((squares - sum * sum / n) / n / n);
    check_below("nearly constant: error of logz, relative", w.logz_error / error - 1, 1e-5);
    check_true("nearly constant: ess below 1", w.ess < 1 && w.ess > 1 - 1e-11);
}

static void test_weight_extremes(void)
{
    double      x[4];
    lft_weights w = lft_weigh(NULL, 0);
    check_true("no weights", w.n == 0 && w.status == LFT_ERR_ARG && !lft_finite(w.ess));
    x[0] = 1e308;
    w    = lft_weigh(x, 1);
    check_true("one weight", w.ess == 1 && w.logz == 1e308 && w.status == LFT_OK);
    x[0] = 1e308, x[1] = -1e308, x[2] = 1e308, x[3] = 0;
    w = lft_weigh(x, 4);
    check_true("1e308, -1e308, 1e308, 0: ess 1/2", fabs(w.ess - 0.5) < 1e-15 && w.logz == 1e308 && w.status == LFT_OK);
    x[0] = 3, x[1] = MINUS_INFINITY, x[2] = 3, x[3] = 3;
    w = lft_weigh(x, 4);
    check_near("a zero weight counts: ess", w.ess, 0.75, 1e-15);
    check_near("a zero weight counts: logz", w.logz, 3 + log(0.75), 1e-15);
    check_near("a zero weight counts: error", w.logz_error, sqrt((4.0 / 3 - 1) / 4), 1e-15);
    x[0] = MINUS_INFINITY;
    w    = lft_weigh(x, 4);
    check_near("zero weight first: ess", w.ess, 0.5, 1e-15);
    x[2] = x[3] = MINUS_INFINITY;
    w           = lft_weigh(x, 4);
    check_true("all zero: logz -infinity, no ess",
               w.status == LFT_ERR_NONFINITE && !lft_finite(w.ess) && !lft_finite(w.logz) && !lft_finite(w.logz_error));
    x[2] = A_NAN;
    w    = lft_weigh(x, 4);
    check_true("NaN", w.status == LFT_ERR_NONFINITE && !lft_finite(w.ess) && !lft_finite(w.logz) && w.n == 4);
    x[2] = PLUS_INFINITY;
    w    = lft_weigh(x, 4);
    check_true("+infinity", w.status == LFT_ERR_NONFINITE && !lft_finite(w.ess) && !lft_finite(w.logz));
    x[0] = 0, x[1] = -800, x[2] = -50, x[3] = -700.5;
    w = lft_weigh(x, 4);
    check_near("one dominates: ess 1/n", w.ess, 0.25, 1e-15);
}

int main(void)
{
    test_golden();
    test_exact_tau();
    test_coverage();
    test_covariance();
    test_derived();
    test_binder();
    test_reweighting();
    test_pair();
    test_short_and_constant();
    test_slow();
    test_replicas();
    test_not_finite();
    test_series_memory();
    test_scratch();
    test_jackknife();
    test_weights();
    test_weight_extremes();
    return test_end();
}
