/* bessel.h: modified Bessel functions for the tests' exact numbers. */
#ifndef LFT_TEST_BESSEL_H
#define LFT_TEST_BESSEL_H

/* I_n(x), x up to 100, by its series. */
static double bessel(int n, double x)
{
    double term = 1, sum = 0;
    int    k;
    if (n < 0) n = -n;
    for (k = 1; k <= n; ++k) term *= x / 2 / k;
    for (k = 1; k < 300; ++k) sum += term, term *= x * x / 4 / (k * (double)(n + k));
    return sum;
}

#endif
