/* matrices.h: plain complex matrices of up to 3 x 3, and links and algebra elements of the library as such: what the tests of
 * groups and gauge fields compare with. matrix_colours is N of the group under test: 1, 2, 3. */
#ifndef LFT_TEST_MATRICES_H
#define LFT_TEST_MATRICES_H
#include "test.h"

static int matrix_colours;

typedef long double real_number; /* so that squaring an exponential ten times loses nothing */
typedef struct matrix { real_number re[3][3], im[3][3]; } matrix;

static matrix matrix_of(real_number x)
{
    matrix m;
    int    i;
    memset(&m, 0, sizeof m);
    for (i = 0; i < matrix_colours; ++i) m.re[i][i] = x;
    return m;
}

static matrix matrix_times(matrix a, matrix b)
{
    matrix m = matrix_of(0);
    int    i, j, k;
    for (i = 0; i < matrix_colours; ++i) {
        for (j = 0; j < matrix_colours; ++j) {
            for (k = 0; k < matrix_colours; ++k) {
                m.re[i][j] += a.re[i][k] * b.re[k][j] - a.im[i][k] * b.im[k][j];
                m.im[i][j] += a.re[i][k] * b.im[k][j] + a.im[i][k] * b.re[k][j];
            }
        }
    }
    return m;
}

static matrix matrix_sum(matrix a, real_number x, matrix b)
{
    int i, j;
    for (i = 0; i < 3; ++i) {
        for (j = 0; j < 3; ++j) a.re[i][j] += x * b.re[i][j], a.im[i][j] += x * b.im[i][j];
    }
    return a;
}

static matrix matrix_dagger(matrix a)
{
    matrix m;
    int    i, j;
    for (i = 0; i < 3; ++i) {
        for (j = 0; j < 3; ++j) m.re[i][j] = a.re[j][i], m.im[i][j] = -a.im[j][i];
    }
    return m;
}

static double matrix_apart(matrix a, matrix b)
{
    double worst = 0;
    int    i, j;
    for (i = 0; i < matrix_colours; ++i) {
        for (j = 0; j < matrix_colours; ++j) {
            const double d = (double)(fabsl(a.re[i][j] - b.re[i][j]) + fabsl(a.im[i][j] - b.im[i][j]));
            if (!(d <= worst)) worst = d; /* NaN too */
        }
    }
    return worst;
}

static double matrix_trace(matrix a) { return (double)(a.re[0][0] + a.re[1][1] + a.re[2][2]); }
static double matrix_trace_im(matrix a) { return (double)(a.im[0][0] + a.im[1][1] + a.im[2][2]); }

static matrix matrix_of_link(const double *c)
{
    matrix m = matrix_of(0);
    int    i, j;
    if (matrix_colours == 1) m.re[0][0] = cosl(c[0]), m.im[0][0] = sinl(c[0]);
    else if (matrix_colours == 2) {
        m.re[0][0] = c[0], m.im[0][0] = c[3], m.re[1][1] = c[0], m.im[1][1] = -c[3];
        m.re[0][1] = c[2], m.im[0][1] = c[1], m.re[1][0] = -c[2], m.im[1][0] = c[1];
    } else {
        for (i = 0; i < 3; ++i) {
            for (j = 0; j < 3; ++j) m.re[i][j] = c[6 * i + 2 * j], m.im[i][j] = c[6 * i + 2 * j + 1];
        }
    }
    return m;
}

/* A unitary matrix as the numbers of a link. */
static void matrix_to_link(matrix m, double *c)
{
    int i, j;
    if (matrix_colours == 1) c[0] = (double)atan2l(m.im[0][0], m.re[0][0]);
    else if (matrix_colours == 2) {
        c[0] = (double)m.re[0][0], c[1] = (double)m.im[0][1], c[2] = (double)m.re[0][1], c[3] = (double)m.im[0][0];
    } else {
        for (i = 0; i < 3; ++i) {
            for (j = 0; j < 3; ++j) c[6 * i + 2 * j] = (double)m.re[i][j], c[6 * i + 2 * j + 1] = (double)m.im[i][j];
        }
    }
}

/* z^a T^a: i, i sigma / 2, i lambda / 2, element by element */
static matrix matrix_of_algebra(const double *z)
{
    matrix m = matrix_of(0);
    if (matrix_colours == 1) m.im[0][0] = z[0];
    else if (matrix_colours == 2) {
        m.im[0][0] = z[2] / 2, m.im[1][1] = -z[2] / 2;
        m.re[0][1] = z[1] / 2, m.im[0][1] = z[0] / 2, m.re[1][0] = -z[1] / 2, m.im[1][0] = z[0] / 2;
    } else {
        const real_number e = z[7] / sqrtl(3);
        m.im[0][0] = (z[2] + e) / 2, m.im[1][1] = (e - z[2]) / 2, m.im[2][2] = -e;
        m.re[0][1] = z[1] / 2, m.im[0][1] = z[0] / 2, m.re[1][0] = -z[1] / 2, m.im[1][0] = z[0] / 2;
        m.re[0][2] = z[4] / 2, m.im[0][2] = z[3] / 2, m.re[2][0] = -z[4] / 2, m.im[2][0] = z[3] / 2;
        m.re[1][2] = z[6] / 2, m.im[1][2] = z[5] / 2, m.re[2][1] = -z[6] / 2, m.im[2][1] = z[5] / 2;
    }
    return m;
}

/* The exponential by its series for z / 2^10, squared ten times. */
static matrix matrix_exp(matrix z)
{
    matrix m = matrix_of(1), term = m;
    int    n;
    z = matrix_sum(matrix_of(0), 1.0L / 1024, z);
    for (n = 1; n <= 16; ++n) {
        term = matrix_sum(matrix_of(0), 1.0L / n, matrix_times(term, z));
        m    = matrix_sum(m, 1, term);
    }
    for (n = 0; n < 10; ++n) m = matrix_times(m, m);
    return m;
}

static double matrix_defect(matrix u) /* of unitarity and, for SU(N), of the determinant */
{
    double worst = matrix_apart(matrix_times(u, matrix_dagger(u)), matrix_of(1));
    real_number re = 0, im = 0;
    int    i, j, k;
    if (matrix_colours == 1) return worst;
    if (matrix_colours == 2) {
        re = u.re[0][0] * u.re[1][1] - u.im[0][0] * u.im[1][1] - u.re[0][1] * u.re[1][0] + u.im[0][1] * u.im[1][0];
        im = u.re[0][0] * u.im[1][1] + u.im[0][0] * u.re[1][1] - u.re[0][1] * u.im[1][0] - u.im[0][1] * u.re[1][0];
    } else {
        for (i = 0; i < 3; ++i) {
            for (k = 0, j = (i + 1) % 3; k < 2; ++k, j = (i + 2) % 3) {
                const int    l = 3 - i - j;
                const real_number s = k ? -1 : 1;
                const real_number ar = u.re[0][i] * u.re[1][j] - u.im[0][i] * u.im[1][j];
                const real_number ai = u.re[0][i] * u.im[1][j] + u.im[0][i] * u.re[1][j];
                re += s * (ar * u.re[2][l] - ai * u.im[2][l]);
                im += s * (ar * u.im[2][l] + ai * u.re[2][l]);
            }
        }
    }
    worst = fmax(worst, (double)fabsl(re - 1));
    return fmax(worst, (double)fabsl(im));
}

#endif
