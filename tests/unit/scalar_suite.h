/* scalar_suite.h: what the suites of layers of scalar fields share, beside suite.h. */
#include "../suite.h"
#ifndef SCALAR_SUITE_COMMON
#define SCALAR_SUITE_COMMON

static char suite_at[80]; /* of suite_case */

/* log |det a|, a[n][n] is overwritten */
static double suite_logdet(double *a, int n)
{
    double sum = 0;
    int    i, j, k;
    for (k = 0; k < n; ++k) {
        int pivot = k;
        for (i = k + 1; i < n; ++i) {
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
        }
        for (j = 0; j < n; ++j) {
            const double swap = a[k * n + j];
            a[k * n + j]      = a[pivot * n + j];
            a[pivot * n + j]  = swap;
        }
        sum += log(fabs(a[k * n + k]));
        for (i = k + 1; i < n; ++i) {
            const double factor = a[i * n + k] / a[k * n + k];
            for (j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
        }
    }
    return sum;
}

static void suite_normals(uint64_t stream, double *out, int n)
{
    lft_normals(lft_draw_of(20, LFT_DRAW_USER, stream, 0), out, n);
}

/* The derivative from values at -2, -1, 1, 2 steps of the central difference of fourth order. */
static double suite_derivative(const double *f, double step)
{
    return (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * step);
}
static const double suite_stencil[4] = {-2, -1, 1, 2};
#define SUITE_STEP 2.5e-4
#endif
