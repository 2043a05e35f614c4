/* test.h: the few words that every test program uses. Each check prints its number beside its bound; a failed check
 * does not end the program. main() ends with `return test_end();`, which prints the line that the runner adds up. */
#ifndef LFT_TEST_H
#define LFT_TEST_H
#include <math.h>
#include <stdio.h>
#include <string.h>

static int test_passed, test_failed, test_skipped;

static void test_count(int ok)
{
    if (ok) ++test_passed;
    else ++test_failed;
}

/* |value| <= bound; NaN fails */
static void check_below(const char *name, double value, double bound)
{
    int ok = fabs(value) <= bound;
    test_count(ok);
    printf("%-58s %10.2e  (bound %.1e) %s\n", name, value, bound, ok ? "ok" : "FAILED");
}

/* |value - expected| <= tolerance */
static void check_near(const char *name, double value, double expected, double tolerance)
{
    int ok = fabs(value - expected) <= tolerance;
    test_count(ok);
    printf("%-58s %.12g  (expected %.12g, tolerance %.1e) %s\n", name, value, expected, tolerance, ok ? "ok" : "FAILED");
}

/* |value - expected| <= 3 sigma, for Monte Carlo results with an error */
static void check_sigma(const char *name, double value, double expected, double sigma)
{
    double pull = (value - expected) / sigma;
    int    ok   = fabs(pull) <= 3;
    test_count(ok);
    printf("%-58s %.6g +- %.2g  (expected %.6g, %+.2f sigma) %s\n", name, value, sigma, expected, pull, ok ? "ok" : "FAILED");
}

static void check_true(const char *name, int ok)
{
    test_count(ok);
    printf("%-58s %s\n", name, ok ? "ok" : "FAILED");
}

static void check_skipped(const char *name, const char *why)
{
    ++test_skipped;
    printf("%-58s skipped: %s\n", name, why);
}

/* The largest |value| so far; NaN stays. */
static void test_worst(double *worst, double value)
{
    if (!(fabs(value) <= *worst) && !isnan(*worst)) *worst = fabs(value);
}

static double test_largest(const double *a, size_t n)
{
    double worst = 0;
    size_t i;
    for (i = 0; i < n; ++i) test_worst(&worst, a[i]);
    return worst;
}

static double test_apart(const double *a, const double *b, size_t n)
{
    double worst = 0;
    size_t i;
    for (i = 0; i < n; ++i) test_worst(&worst, a[i] - b[i]);
    return worst;
}

static int test_end(void)
{
    printf("%d passed, %d failed, %d skipped\n", test_passed, test_failed, test_skipped);
    return test_failed != 0;
}

#endif
