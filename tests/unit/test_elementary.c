/* The elementary functions of 11_elementary.h against the long double functions of the C library: f32 and f64, the widest
 * lanes and one lane, over dense sweeps and over the arguments that are hard. */
#include "../test.h"
#include <float.h>

#define LFT_NAME f32w
#define LFT_REAL LFT_F32
#include "elementary_root.h"

#define LFT_NAME f64w
#define LFT_REAL LFT_F64
#include "elementary_root.h"

#define LFT_NAME  f32one
#define LFT_REAL  LFT_F32
#define LFT_LANES 1
#include "elementary_root.h"

#define LFT_NAME  f64one
#define LFT_REAL  LFT_F64
#define LFT_LANES 1
#include "elementary_root.h"

typedef struct test_case {
    void (*apply)(int function, int n, const double *x, double *y);
    void (*loop)(int function, int n, const double *x, double *y);
    int is_float, lanes;
} test_case;

static const test_case *present; /* the instance under test */

/* ---- ulps -------------------------------------------------------------------------------------------------------- */

typedef long double real_function(long double);

/* sincos_fast in float is that of pi times x times the float next to 1/pi: a product that is rounded unless it is fused.
 * The nearer of the two counts: clang fuses it here and not there. */
static int product_is_fused;

static long double fast_angle(long double x)
{
    const double half_turns = (double)x * (double)0.318309886F; /* exact: 24 + 24 bits */
    if (!present->is_float) return x;
    return 3.14159265358979323846264L * (product_is_fused ? half_turns : (double)(float)half_turns);
}

/* volatile: under -ffast-math gcc would put the x87 instructions here, whose pi has 66 bits */
static real_function *volatile const sine = sinl, *volatile const cosine = cosl;

static long double sin_fast(long double x) { return sine(fast_angle(x)); }
static long double cos_fast(long double x) { return cosine(fast_angle(x)); }

static real_function *volatile const references[] = {expl,     logl,  sinl,  cosl, sin_fast,
                                                     cos_fast, sqrtl, atanl, tanhl};

/* the spacing of the type's numbers at |x| */
static double ulp(double x)
{
    int exponent, least = present->is_float ? FLT_MIN_EXP - FLT_MANT_DIG : DBL_MIN_EXP - DBL_MANT_DIG;
    (void)frexp(x, &exponent);
    exponent -= present->is_float ? FLT_MANT_DIG : DBL_MANT_DIG;
    return ldexp(1, exponent > least ? exponent : least);
}

static double smallest(void) { return present->is_float ? (double)FLT_MIN : DBL_MIN; }
static double largest_number(void) { return present->is_float ? (double)FLT_MAX : DBL_MAX; }
static double round_to_type(double x) { return present->is_float ? (double)(float)x : x; }

/* x moved by `steps` numbers of the type, for sweeps over neighbours */
static double neighbour(double x, int steps) { return round_to_type(x) + steps * ulp(x); }

/* ---- points are collected, and evaluated as soon as the buffer is full ------------------------------------------- */

enum { TEST_POINTS = 4096 };

typedef struct sweep {
    int    function, absolute, n;
    double worst, at, x[TEST_POINTS];
} sweep;

static sweep sweep_of(int function, int absolute)
{
    sweep s;
    memset(&s, 0, sizeof s);
    s.function = function;
    s.absolute = absolute;
    return s;
}

static void flush(sweep *s)
{
    static double  y[TEST_POINTS];
    const double   largest = largest_number();
    real_function *reference = references[s->function];
    int            i;
    present->apply(s->function, s->n, s->x, y);
    for (i = 0; i < s->n; ++i) {
        long double exact = reference((long double)s->x[i]), other;
        double      error;
        if (exact > (long double)largest && !(y[i] <= largest)) continue; /* overflow is due, or nearly */
        if (s->function == TEST_SIN_FAST || s->function == TEST_COS_FAST) {
            product_is_fused = !product_is_fused;
            other            = reference((long double)s->x[i]);
            if (fabsl((long double)y[i] - other) < fabsl((long double)y[i] - exact)) exact = other;
        }
        error = (double)fabsl((long double)y[i] - exact) / (s->absolute ? 1 : ulp((double)exact));
        if (error <= s->worst) continue;
        s->worst = error;
        s->at    = s->x[i];
    }
    s->n = 0;
}

static void add(sweep *s, double x)
{
    s->x[s->n++] = round_to_type(x);
    if (s->n == TEST_POINTS) flush(s);
}

/* n points from a to b with equal distances */
static void add_line(sweep *s, double a, double b, int n)
{
    int i;
    for (i = 0; i <= n; ++i) add(s, a + (b - a) * i / n);
}

/* n points of either sign with |x| from a to b, and equal ratios */
static void add_powers(sweep *s, double a, double b, int n, int both_signs)
{
    int i;
    for (i = 0; i <= n; ++i) {
        double x = a * pow(b / a, (double)i / n);
        add(s, x);
        if (both_signs) add(s, -x);
    }
}

static void add_neighbours(sweep *s, double x, int steps)
{
    int i;
    for (i = -steps; i <= steps; ++i) add(s, neighbour(x, i));
}

/* "f32 x16 sin ulp" and, where it is known, the argument that was the worst */
static const char *name_of(const char *what)
{
    static char text[100];
    snprintf(text, sizeof text, "f%d x%-2d %.60s", present->is_float ? 32 : 64, present->lanes, what);
    return text;
}

static void report(sweep *s, const char *what, double bound)
{
    char text[60];
    flush(s);
    snprintf(text, sizeof text, "%.20s, worst at %.9g", what, s->at);
    check_below(name_of(text), s->worst, bound);
}

/* ---- the functions ----------------------------------------------------------------------------------------------- */

#ifdef __FAST_MATH__
#define TEST_FAST 1 /* denormals are 0, inf and NaN are anything: see the head of 11_elementary.h */
#else
#define TEST_FAST 0
#endif

static void test_exp(void)
{
    const double low = present->is_float ? -103.9 : -745.1, normal = present->is_float ? -87.3 : -708.3;
    const double high = present->is_float ? 88.72 : 709.78;
    sweep        s    = sweep_of(TEST_EXP, 0);
    int          k;
    add_line(&s, TEST_FAST ? normal : low, high, 300000);
    add_line(&s, -1, 1, 100000);
    add_powers(&s, 1e-30, 1, 10000, 1);
    for (k = -250; k <= 250; ++k) add_neighbours(&s, k * 0.34657359027997264, 3); /* where the reduction changes over */
    report(&s, "exp ulp", 2);
}

static void test_log(void)
{
    const double least = smallest(), largest = largest_number();
    sweep        s = sweep_of(TEST_LOG, 0);
    int          k;
    add_powers(&s, least, largest / 2, 200000, 0);
    if (!TEST_FAST) add_powers(&s, ulp(0), least, 10000, 0);
    add_line(&s, 0.4, 2.1, 200000);
    for (k = 1; k < 50; ++k) {
        add_neighbours(&s, 1 + ldexp(1, -k), 20);
        add_neighbours(&s, 1 - ldexp(1, -k), 20);
    }
    for (k = -120; k <= 120; ++k) {
        add_neighbours(&s, ldexp(1, k), 3);
        add_neighbours(&s, ldexp(0.70710678118654752, k), 3);
    }
    add(&s, largest);
    report(&s, "log ulp", 2);
}

static void add_angles(sweep *s, double limit)
{
    const double quarter = 1.5707963267948966;
    int          k;
    add_line(s, -limit, limit, 100000);
    add_line(s, -30, 30, 50000);
    add_powers(s, 1e-30, limit, 20000, 1);
    for (k = 0; k * quarter < limit; ++k) {
        add_neighbours(s, k * quarter, 1);
        add_neighbours(s, -k * quarter, 1);
        add(s, (k + 0.5) * quarter);
    }
}

static void test_angles(int function, const char *what, int absolute, double bound)
{
    sweep s = sweep_of(function, absolute);
    add_angles(&s, present->is_float ? 8192 : 1e5);
    report(&s, what, bound);
}

static void test_sqrt(void)
{
    const double least = smallest() * (TEST_FAST ? 4 : 1), largest = largest_number();
    sweep        s = sweep_of(TEST_SQRT, 0);
    int          k;
    add(&s, 0);
    add_line(&s, 0.99, 4.01, 300000);
    add_powers(&s, least, largest / 2, 300000, 0);
    for (k = 1; k < 2000; ++k) add_neighbours(&s, (double)k * k, 2);
    for (k = -120; k <= 120; ++k) add_neighbours(&s, ldexp(1, k), 3);
    add(&s, largest);
    report(&s, "sqrt ulp", TEST_FAST ? 3 : 2);
}

static void test_atan(void)
{
    sweep s = sweep_of(TEST_ATAN, 0);
    add_line(&s, -3, 3, 300000);
    add_powers(&s, 1e-30, 1e30, 100000, 1);
    add_neighbours(&s, 0.5, 50);
    add_neighbours(&s, 1, 50);
    add_neighbours(&s, 2, 50);
    report(&s, "atan ulp", TEST_FAST ? 3 : 2);
}

static void test_tanh(void)
{
    sweep s = sweep_of(TEST_TANH, 0);
    add_line(&s, -3, 3, 300000);
    add_line(&s, -25, 25, 100000);
    add_powers(&s, 1e-30, 1e30, 100000, 1);
    add_neighbours(&s, 0.55, 50);
    add_neighbours(&s, 10, 50);
    add_neighbours(&s, 20, 50);
    report(&s, "tanh ulp", TEST_FAST ? 3 : 2);
}

/* ---- what is no number, and arguments out of range --------------------------------------------------------------- */

static double value(int function, double x)
{
    double y;
    present->apply(function, 1, &x, &y);
    return y;
}

static int is_finite_pair(double x)
{
    return fabs(value(TEST_SIN_FAST, x)) < HUGE_VAL && fabs(value(TEST_COS_FAST, x)) < HUGE_VAL;
}

static void check_value(int function, const char *what, double x, double expected)
{
    double y = value(function, x);
    check_true(name_of(what), isnan(expected) ? isnan(y) : y == expected && !signbit(y) == !signbit(expected));
}

static void test_special(void)
{
    const double inf = HUGE_VAL, nan = inf - inf, high = present->is_float ? 88.8 : 709.8;
    check_value(TEST_EXP, "exp(0) = 1", 0, 1);
    check_value(TEST_EXP, "exp(just too large) = inf", high, inf);
    check_value(TEST_EXP, "exp(1e30) = inf", 1e30, inf);
    check_value(TEST_EXP, "exp(inf) = inf", inf, inf);
    check_value(TEST_EXP, "exp(-1e30) = 0", -1e30, 0);
    check_value(TEST_EXP, "exp(-inf) = 0", -inf, 0);
    check_value(TEST_EXP, "exp(nan) = nan", nan, nan);
    check_value(TEST_LOG, "log(1) = 0", 1, 0);
    check_value(TEST_LOG, "log(0) = -inf", 0, -inf);
    check_value(TEST_LOG, "log(-0) = -inf", -0.0, -inf);
    check_value(TEST_LOG, "log(-1) = nan", -1, nan);
    check_value(TEST_LOG, "log(-inf) = nan", -inf, nan);
    check_value(TEST_LOG, "log(inf) = inf", inf, inf);
    check_value(TEST_LOG, "log(nan) = nan", nan, nan);
    check_value(TEST_SIN, "sin(0) = 0", 0, 0);
    check_value(TEST_SIN, "sin(inf) = nan", inf, nan);
    check_value(TEST_SIN, "sin(-inf) = nan", -inf, nan);
    check_value(TEST_SIN, "sin(nan) = nan", nan, nan);
    check_value(TEST_COS, "cos(0) = 1", 0, 1);
    check_value(TEST_COS, "cos(inf) = nan", inf, nan);
    check_value(TEST_COS, "cos(nan) = nan", nan, nan);
    check_true(name_of("sincos_fast(nan) is not finite"), !is_finite_pair(nan));
    check_true(name_of("sincos_fast(inf) is not finite"), !is_finite_pair(inf));
    check_value(TEST_SQRT, "sqrt(0) = 0", 0, 0);
    check_value(TEST_SQRT, "sqrt(-0) = -0", -0.0, -0.0);
    check_value(TEST_SQRT, "sqrt(4) = 2", 4, 2);
    check_value(TEST_SQRT, "sqrt(inf) = inf", inf, inf);
    check_value(TEST_SQRT, "sqrt(-1) = nan", -1, nan);
    check_value(TEST_SQRT, "sqrt(-inf) = nan", -inf, nan);
    check_value(TEST_SQRT, "sqrt(nan) = nan", nan, nan);
    check_value(TEST_ATAN, "atan(-0) = -0", -0.0, -0.0);
    check_value(TEST_ATAN, "atan(inf) = pi/2", inf, round_to_type(1.5707963267948966));
    check_value(TEST_ATAN, "atan(-inf) = -pi/2", -inf, -round_to_type(1.5707963267948966));
    check_value(TEST_ATAN, "atan(nan) = nan", nan, nan);
    check_value(TEST_TANH, "tanh(-0) = -0", -0.0, -0.0);
    check_value(TEST_TANH, "tanh(inf) = 1", inf, 1);
    check_value(TEST_TANH, "tanh(-inf) = -1", -inf, -1);
    check_value(TEST_TANH, "tanh(nan) = nan", nan, nan);
}

/* sin and cos of arguments that are too large to be reduced are wrong, but they stay where a sine is */
static void test_beyond(void)
{
    const double largest = largest_number();
    double       worst = 0, x;
    for (x = 1000; x < largest / 1.001; x *= 1.001) {
        double a = round_to_type(x), s = fabs(value(TEST_SIN, a)), c = fabs(value(TEST_COS, -a));
        if (!(s <= worst)) worst = s;
        if (!(c <= worst)) worst = c;
    }
    check_below(name_of("largest |sin|, |cos| beyond the range"), worst, 1);
}

/* ---- the same bits for every number of lanes --------------------------------------------------------------------- */

/* 1 if the compiler fuses multiplications with additions: then it may do so differently for one lane and for many */
static int fuses(void)
{
    volatile double a = 1 + DBL_EPSILON, product = a * a;
    double          b = a;
    return b * b - product != 0;
}

static void test_lanes(const test_case *wide, const test_case *one)
{
    static const char *const names[] = {"exp", "log", "sin", "cos", "sin_fast", "cos_fast", "sqrt", "atan", "tanh"};
    static const char *const what[]  = {"one lane", "a loop", "a loop of one lane"};
    enum { N = 4096 };
    static double x[N], y[N], z[N];
    int           function, i, k;
    present = wide;
    for (function = TEST_EXP; function <= TEST_TANH; ++function) {
        char text[60];
        int  first = function == TEST_LOG || function == TEST_SQRT ? 1 : -N / 2;
        for (i = 0; i < N; ++i) x[i] = round_to_type((first + i) * 0.0371);
        wide->apply(function, N, x, y);
        for (k = 0; k < 3; ++k) {
            double worst = 0;
            (k == 0 ? one->apply : k == 1 ? wide->loop : one->loop)(function, N, x, z);
            for (i = 0; i < N; ++i) {
                double d = fabs(y[i] - z[i]) / (function == TEST_SIN_FAST || function == TEST_COS_FAST ? ulp(1) : ulp(y[i]));
                if (!(d <= worst)) worst = d;
            }
            snprintf(text, sizeof text, "%.20s: %.20s differs by ulp", names[function], what[k]);
            check_below(name_of(text), worst, fuses() || TEST_FAST ? 2 : 0);
        }
    }
}

static void test_instance(const test_case *t)
{
    const double absolute = t->is_float ? 2e-7 : 2.3e-16;
    present               = t;
    test_exp();
    test_log();
    test_angles(TEST_SIN, "sin ulp", 0, 2);
    test_angles(TEST_COS, "cos ulp", 0, 2);
    test_angles(TEST_SIN_FAST, "sin_fast absolute", 1, absolute);
    test_angles(TEST_COS_FAST, "cos_fast absolute", 1, absolute);
    test_sqrt();
    test_atan();
    test_tanh();
    test_beyond();
    if (TEST_FAST) check_skipped("inf, NaN", "-ffast-math");
    else test_special();
}

int main(void)
{
    const test_case cases[] = {{f32w_apply, f32w_loop, 1, f32w_lanes()},
                               {f32one_apply, f32one_loop, 1, f32one_lanes()},
                               {f64w_apply, f64w_loop, 0, f64w_lanes()},
                               {f64one_apply, f64one_loop, 0, f64one_lanes()}};
    int             i;
    for (i = 0; i < 4; ++i) {
        if (!cases[i].is_float && LDBL_MANT_DIG <= DBL_MANT_DIG) check_skipped("f64", "long double is no wider");
        else test_instance(&cases[i]);
    }
    test_lanes(&cases[0], &cases[1]);
    test_lanes(&cases[2], &cases[3]);
    return test_end();
}
