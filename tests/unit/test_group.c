/* The words of the groups (30_group.h) against plain complex matrices in double: U(1), SU(2), SU(3), f32 and f64, the widest
 * lanes and one. */
#include "../test.h"
#include <stdlib.h>

#define LFT_NAME  u1_f64
#define LFT_GROUP LFT_U1
#include "group_root.h"
#define LFT_NAME  u1_f32
#define LFT_GROUP LFT_U1
#define LFT_REAL  LFT_F32
#include "group_root.h"
#define LFT_NAME  su2_f64
#define LFT_GROUP LFT_SU2
#include "group_root.h"
#define LFT_NAME  su2_f32
#define LFT_GROUP LFT_SU2
#define LFT_REAL  LFT_F32
#include "group_root.h"
#define LFT_NAME  su3_f64
#define LFT_GROUP LFT_SU3
#include "group_root.h"
#define LFT_NAME  su3_f32
#define LFT_GROUP LFT_SU3
#define LFT_REAL  LFT_F32
#include "group_root.h"
#define LFT_NAME  su2_one
#define LFT_GROUP LFT_SU2
#define LFT_LANES 1
#include "group_root.h"
#define LFT_NAME  su3_one
#define LFT_GROUP LFT_SU3
#define LFT_LANES 1
#include "group_root.h"

typedef struct test_group {
    const char *name;
    int         colours, link, algebra, normals, lanes;
    double      eps;
    void (*word)(int what, test_words *w, int n);
} test_group;

static const test_group *g; /* the instance under test */
static char              text[160];

static const char *named(const char *what)
{
    snprintf(text, sizeof text, "%s x%d %s", g->name, g->lanes, what);
    return text;
}

/* ---- plain matrices ------------------------------------------------------------------------------------------------- */

typedef long double real; /* so that squaring an exponential ten times loses nothing */
typedef struct matrix { real re[3][3], im[3][3]; } matrix;

static matrix unit_matrix(real x)
{
    matrix m;
    int    i;
    memset(&m, 0, sizeof m);
    for (i = 0; i < g->colours; ++i) m.re[i][i] = x;
    return m;
}

static matrix times(matrix a, matrix b)
{
    matrix m = unit_matrix(0);
    int    i, j, k;
    for (i = 0; i < g->colours; ++i) {
        for (j = 0; j < g->colours; ++j) {
            for (k = 0; k < g->colours; ++k) {
                m.re[i][j] += a.re[i][k] * b.re[k][j] - a.im[i][k] * b.im[k][j];
                m.im[i][j] += a.re[i][k] * b.im[k][j] + a.im[i][k] * b.re[k][j];
            }
        }
    }
    return m;
}

static matrix sum(matrix a, real x, matrix b)
{
    int i, j;
    for (i = 0; i < 3; ++i) {
        for (j = 0; j < 3; ++j) a.re[i][j] += x * b.re[i][j], a.im[i][j] += x * b.im[i][j];
    }
    return a;
}

static matrix dagger(matrix a)
{
    matrix m;
    int    i, j;
    for (i = 0; i < 3; ++i) {
        for (j = 0; j < 3; ++j) m.re[i][j] = a.re[j][i], m.im[i][j] = -a.im[j][i];
    }
    return m;
}

static double apart(matrix a, matrix b)
{
    double worst = 0;
    int    i, j;
    for (i = 0; i < g->colours; ++i) {
        for (j = 0; j < g->colours; ++j) {
            const double d = (double)(fabsl(a.re[i][j] - b.re[i][j]) + fabsl(a.im[i][j] - b.im[i][j]));
            if (!(d <= worst)) worst = d; /* NaN too */
        }
    }
    return worst;
}

static double trace_re(matrix a) { return (double)(a.re[0][0] + a.re[1][1] + a.re[2][2]); }
static double trace_imaginary(matrix a) { return (double)(a.im[0][0] + a.im[1][1] + a.im[2][2]); }

static matrix from_link(const double *c)
{
    matrix m = unit_matrix(0);
    int    i, j;
    if (g->colours == 1) m.re[0][0] = cosl(c[0]), m.im[0][0] = sinl(c[0]);
    else if (g->colours == 2) {
        m.re[0][0] = c[0], m.im[0][0] = c[3], m.re[1][1] = c[0], m.im[1][1] = -c[3];
        m.re[0][1] = c[2], m.im[0][1] = c[1], m.re[1][0] = -c[2], m.im[1][0] = c[1];
    } else {
        for (i = 0; i < 3; ++i) {
            for (j = 0; j < 3; ++j) m.re[i][j] = c[6 * i + 2 * j], m.im[i][j] = c[6 * i + 2 * j + 1];
        }
    }
    return m;
}

/* z^a T^a: i, i sigma / 2, i lambda / 2, element by element */
static matrix from_algebra(const double *z)
{
    matrix m = unit_matrix(0);
    if (g->colours == 1) m.im[0][0] = z[0];
    else if (g->colours == 2) {
        m.im[0][0] = z[2] / 2, m.im[1][1] = -z[2] / 2;
        m.re[0][1] = z[1] / 2, m.im[0][1] = z[0] / 2, m.re[1][0] = -z[1] / 2, m.im[1][0] = z[0] / 2;
    } else {
        const real e = z[7] / sqrtl(3);
        m.im[0][0] = (z[2] + e) / 2, m.im[1][1] = (e - z[2]) / 2, m.im[2][2] = -e;
        m.re[0][1] = z[1] / 2, m.im[0][1] = z[0] / 2, m.re[1][0] = -z[1] / 2, m.im[1][0] = z[0] / 2;
        m.re[0][2] = z[4] / 2, m.im[0][2] = z[3] / 2, m.re[2][0] = -z[4] / 2, m.im[2][0] = z[3] / 2;
        m.re[1][2] = z[6] / 2, m.im[1][2] = z[5] / 2, m.re[2][1] = -z[6] / 2, m.im[2][1] = z[5] / 2;
    }
    return m;
}

/* The exponential by its series for z / 2^10, squared ten times. */
static matrix exponential(matrix z)
{
    matrix m = unit_matrix(1), term = m;
    int    n;
    z = sum(unit_matrix(0), 1.0L / 1024, z);
    for (n = 1; n <= 16; ++n) {
        term = sum(unit_matrix(0), 1.0L / n, times(term, z));
        m    = sum(m, 1, term);
    }
    for (n = 0; n < 10; ++n) m = times(m, m);
    return m;
}

static double defect(matrix u) /* of unitarity and, for SU(N), of the determinant */
{
    double worst = apart(times(u, dagger(u)), unit_matrix(1));
    real   re = 0, im = 0;
    int    i, j, k;
    if (g->colours == 1) return worst;
    if (g->colours == 2) {
        re = u.re[0][0] * u.re[1][1] - u.im[0][0] * u.im[1][1] - u.re[0][1] * u.re[1][0] + u.im[0][1] * u.im[1][0];
        im = u.re[0][0] * u.im[1][1] + u.im[0][0] * u.re[1][1] - u.re[0][1] * u.im[1][0] - u.im[0][1] * u.re[1][0];
    } else {
        for (i = 0; i < 3; ++i) {
            for (k = 0, j = (i + 1) % 3; k < 2; ++k, j = (i + 2) % 3) {
                const int    l = 3 - i - j;
                const real   s = k ? -1 : 1;
                const real   ar = u.re[0][i] * u.re[1][j] - u.im[0][i] * u.im[1][j];
                const real   ai = u.re[0][i] * u.im[1][j] + u.im[0][i] * u.re[1][j];
                re += s * (ar * u.re[2][l] - ai * u.im[2][l]);
                im += s * (ar * u.im[2][l] + ai * u.re[2][l]);
            }
        }
    }
    worst = fmax(worst, (double)fabsl(re - 1));
    return fmax(worst, (double)fabsl(im));
}

/* ---- numbers -------------------------------------------------------------------------------------------------------- */

static uint64_t generator = 88172645463325252u;

static double uniform(void)
{
    generator ^= generator << 13, generator ^= generator >> 7, generator ^= generator << 17;
    return ((double)(generator >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static test_words words[16];

/* Random links a and b; z: normal numbers times size, some of them special. */
static void draw(double size)
{
    int l, k;
    for (l = 0; l < g->lanes; ++l) {
        for (k = 0; k < 12; ++k) words[l].z[k] = normal();
    }
    g->word(TEST_HAAR, words, 0);
    for (l = 0; l < g->lanes; ++l) {
        memcpy(words[l].b, words[l].u, sizeof words[l].b);
        for (k = 0; k < 12; ++k) words[l].z[k] = normal();
    }
    g->word(TEST_HAAR, words, 0);
    for (l = 0; l < g->lanes; ++l) {
        memcpy(words[l].a, words[l].u, sizeof words[l].a);
        for (k = 0; k < 12; ++k) words[l].z[k] = (double)(float)(size * normal());
    }
}

/* Of lane l: 0, a tiny one, one of a direction with coinciding eigenvalues, one of a diagonal direction. */
static void special(int turn, int l)
{
    double *z = words[l].z;
    int     k;
    turn = (turn + l) % 8;
    if (turn > 5) return;
    for (k = 0; k < 8; ++k) z[k] *= turn == 1 ? 1e-12 : turn == 2 ? 1e-6 : 0;
    if (turn == 3) z[g->algebra - 1] = 1.75;                   /* lambda8: two equal eigenvalues */
    if (turn == 4) z[g->algebra - 1] = 1.75, z[0] = 9.3e-10;   /* nearly */
    if (turn == 5) z[g->algebra > 2 ? 2 : 0] = -0.625;         /* lambda3: 1, and a pair with the same real part */
}

static void keep_worst(double *worst, double value)
{
    if (!(value <= *worst)) *worst = value;
}

/* ---- the tests ------------------------------------------------------------------------------------------------------ */

static void test_products(void)
{
    double worst[6] = {0, 0, 0, 0, 0, 0};
    int    turn, l;
    for (turn = 0; turn < 20; ++turn) {
        static const int what[4] = {TEST_MUL, TEST_MUL_ADJ, TEST_ADJ_MUL, TEST_ADJOINT};
        int              i;
        draw(1);
        for (i = 0; i < 4; ++i) {
            g->word(what[i], words, 0);
            for (l = 0; l < g->lanes; ++l) {
                const matrix a = from_link(words[l].a), b = from_link(words[l].b);
                const matrix m = i == 0 ? times(a, b) : i == 1 ? times(a, dagger(b)) : i == 2 ? times(dagger(a), b) : dagger(a);
                keep_worst(worst + i, apart(from_link(words[l].u), m));
            }
        }
        g->word(TEST_SUM, words, 0);
        for (l = 0; l < g->lanes; ++l) {
            const matrix a = from_link(words[l].a), b = from_link(words[l].b);
            const matrix w = sum(sum(unit_matrix(0), 0.5, b), -2, dagger(b));
            keep_worst(worst + 4, fabs(trace_re(times(a, w)) - words[l].v[0]));
        }
        g->word(TEST_ONE, words, 0);
        for (l = 0; l < g->lanes; ++l) keep_worst(worst + 5, apart(from_link(words[l].u), unit_matrix(1)));
    }
    check_below(named("a b"), worst[0], 8 * g->eps);
    check_below(named("a b^+"), worst[1], 8 * g->eps);
    check_below(named("a^+ b"), worst[2], 8 * g->eps);
    check_below(named("adjoint"), worst[3], 8 * g->eps);
    check_below(named("Re tr of a link times a sum"), worst[4], 60 * g->eps);
    check_below(named("one"), worst[5], 0);
}

static void test_exponential(void)
{
    static const double size[] = {1e-3, 0.3, 1, 5, 30};
    double              worst[5], inverse = 0, back = 0, unitary = 0;
    int                 i, turn, l, k;
    for (i = 0; i < 5; ++i) {
        worst[i] = 0;
        for (turn = 0; turn < 12; ++turn) {
            draw(size[i]);
            for (l = 0; l < g->lanes; ++l) {
                if (i == 2) special(turn, l);
            }
            g->word(TEST_EXP, words, 0);
            for (l = 0; l < g->lanes; ++l) {
                const matrix m = exponential(from_algebra(words[l].z));
                keep_worst(worst + i, apart(from_link(words[l].u), m) / (1 + size[i]));
                keep_worst(&unitary, defect(from_link(words[l].u)) / (1 + size[i]));
                memcpy(words[l].a, words[l].u, sizeof words[l].a);
            }
            g->word(TEST_LOG, words, 0);
            for (l = 0; l < g->lanes; ++l) {
                double square = 0, length = 0;
                for (k = 0; k < g->algebra; ++k) {
                    square += (words[l].z[k] - words[l].v[k]) * (words[l].z[k] - words[l].v[k]);
                    length += words[l].z[k] * words[l].z[k];
                }
                if (sqrt(length) < 3) keep_worst(&inverse, sqrt(square)); /* shorter than any other logarithm */
                keep_worst(&back, apart(exponential(from_algebra(words[l].v)), from_link(words[l].a)) / (1 + size[i]));
            }
        }
    }
    check_below(named("exp of small z"), worst[0], 10 * g->eps);
    check_below(named("exp, size 0.3"), worst[1], 10 * g->eps);
    check_below(named("exp, size 1, 0, tiny, coinciding eigenvalues"), worst[2], 10 * g->eps);
    check_below(named("exp, size 5, over 1 + size"), worst[3], 30 * g->eps);
    check_below(named("exp, size 30, over 1 + size"), worst[4], 60 * g->eps);
    check_below(named("exp is unitary, det 1"), unitary, 30 * g->eps);
    check_below(named("log exp z = z"), inverse, 40 * g->eps);
    check_below(named("exp log u = u"), back, 60 * g->eps);
}

/* a = a b a^+ */
static void conjugate(void)
{
    double a[16][18];
    int    l;
    g->word(TEST_MUL, words, 0);
    for (l = 0; l < g->lanes; ++l) {
        memcpy(a[l], words[l].a, sizeof a[l]);
        memcpy(words[l].a, words[l].u, sizeof words[l].a);
        memcpy(words[l].b, a[l], sizeof a[l]);
    }
    g->word(TEST_MUL_ADJ, words, 0);
    for (l = 0; l < g->lanes; ++l) memcpy(words[l].a, words[l].u, sizeof words[l].a);
}

static void test_eigen(void)
{
    double worst = 0, unitary = 0, sum_of = 0;
    int    turn, l, k, kind;
    for (turn = 0; turn < 60; ++turn) {
        draw(1);
        for (l = 0; l < g->lanes; ++l) special(turn, l);
        if (turn % 3 < 2) { /* exponentials; every other time conjugated by a, so that no axis is special */
            g->word(TEST_EXP, words, 0);
            for (l = 0; l < g->lanes; ++l) memcpy(words[l].b, words[l].u, sizeof words[l].b);
            if (turn % 3 == 0) conjugate();
            else {
                for (l = 0; l < g->lanes; ++l) memcpy(words[l].a, words[l].b, sizeof words[l].a);
            }
        }
        g->word(TEST_EIGEN, words, 0);
        for (l = 0; l < g->lanes; ++l) {
            const matrix x = from_link(words[l].u), u = from_link(words[l].a);
            matrix       d = unit_matrix(0);
            double       s = 0;
            for (k = 0; k < g->colours; ++k) {
                d.re[k][k] = cosl(words[l].v[k]), d.im[k][k] = sinl(words[l].v[k]);
                s += words[l].v[k];
            }
            keep_worst(&worst, apart(times(times(x, d), dagger(x)), u));
            keep_worst(&unitary, defect(x));
            kind = (int)floor(s / 6.283185307179586 + 0.5);
            if (g->colours > 1) keep_worst(&sum_of, fabs(s - 6.283185307179586 * kind));
        }
    }
    check_below(named("u = x diag x^+, coinciding eigenvalues too"), worst, 40 * g->eps);
    check_below(named("x is unitary, det 1"), unitary, 40 * g->eps);
    check_below(named("the phases' sum, modulo 2 pi"), sum_of, 40 * g->eps);
}

static void test_derivatives(void)
{
    double worst[4] = {0, 0, 0, 0};
    int    turn, l, k;
    for (turn = 0; turn < 10; ++turn) {
        draw(1);
        g->word(TEST_TRACE, words, 0);
        for (l = 0; l < g->lanes; ++l) {
            const matrix u = from_link(words[l].a);
            keep_worst(worst, fabs(words[l].v[0] - trace_re(u)));
            keep_worst(worst + 1, fabs(words[l].v[1] - trace_imaginary(u)));
            for (k = 0; k < g->algebra; ++k) {
                double z[8] = {0, 0, 0, 0, 0, 0, 0, 0}, up, down;
                z[k] = 1e-4;
                up   = trace_re(times(exponential(from_algebra(z)), u));
                z[k] = -1e-4;
                down = trace_re(times(exponential(from_algebra(z)), u));
                keep_worst(worst + 2, fabs((up - down) / 2e-4 - words[l].v[2 + k]));
            }
        }
        g->word(TEST_CARRY, words, 0);
        for (l = 0; l < g->lanes; ++l) {
            const matrix u = from_link(words[l].a), m = times(times(dagger(u), from_algebra(words[l].z)), u);
            keep_worst(worst + 3, apart(from_algebra(words[l].v), m));
        }
    }
    check_below(named("Re tr"), worst[0], 10 * g->eps);
    check_below(named("Im tr"), worst[1], 10 * g->eps);
    check_below(named("gradient of Re tr against differences"), worst[2], 10 * g->eps + 1e-8);
    check_below(named("u^+ z u"), worst[3], 40 * g->eps);
}

static void test_unitarity(void)
{
    double bent = 0, again = 0, drift = 0;
    int    turn, l, k;
    for (turn = 0; turn < 10; ++turn) {
        draw(1);
        for (l = 0; l < g->lanes && g->colours > 1; ++l) {
            for (k = 0; k < g->link; ++k) words[l].a[k] += 1e-3 * normal();
        }
        g->word(TEST_UNIT, words, 0);
        for (l = 0; l < g->lanes; ++l) {
            keep_worst(&bent, defect(from_link(words[l].u)));
            memcpy(words[l].a, words[l].u, sizeof words[l].a);
        }
        g->word(TEST_UNIT, words, 0);
        for (l = 0; l < g->lanes; ++l) keep_worst(&again, apart(from_link(words[l].u), from_link(words[l].a)));
    }
    draw(0.1);
    g->word(TEST_MOVE, words, 10000);
    for (l = 0; l < g->lanes; ++l) {
        keep_worst(&drift, defect(from_link(words[l].u)));
        if (g->colours == 1) keep_worst(&drift, fabs(words[l].u[0]) > 3.1416 ? 1 : 0);
    }
    check_below(named("unit: unitary, det 1"), bent, 8 * g->eps);
    check_below(named("unit twice"), again, 8 * g->eps);
    check_below(named("after 10000 updates"), drift, 8 * g->eps);
}

/* <Re tr>, <Im tr> = 0, <|tr|^2> = 1; <|tr|^4> = 1, 2, 2; <(Re tr)^3>: 1/4 for SU(3), whose tr^3 has the mean 1, else 0 */
static void test_haar(void)
{
    enum { N = 40000 };
    const double expected[5] = {0, 0, 1, g->colours == 1 ? 1 : 2, g->colours == 3 ? 0.25 : 0};
    const char  *name[5] = {"Haar <Re tr>", "Haar <Im tr>", "Haar <|tr|^2>", "Haar <|tr|^4>", "Haar <(Re tr)^3>"};
    double       one[5] = {0, 0, 0, 0, 0}, two[5] = {0, 0, 0, 0, 0}, x[5];
    int          n = 0, l, k, i;
    while (n < N) {
        for (l = 0; l < g->lanes; ++l) {
            for (k = 0; k < 12; ++k) words[l].z[k] = normal();
        }
        g->word(TEST_HAAR, words, 0);
        for (l = 0; l < g->lanes; ++l, ++n) {
            const matrix u = from_link(words[l].u);
            const double re = trace_re(u), im = trace_imaginary(u), q = re * re + im * im;
            x[0] = re, x[1] = im, x[2] = q, x[3] = q * q, x[4] = re * re * re;
            for (i = 0; i < 5; ++i) one[i] += x[i], two[i] += x[i] * x[i];
        }
    }
    for (i = 0; i < 5; ++i) {
        const double mean = one[i] / n, error = sqrt(fmax(two[i] / n - mean * mean, 0) / n);
        if (error > 1e-6) check_sigma(named(name[i]), mean, expected[i], error);
        else check_near(named(name[i]), mean, expected[i], 1e-5);
    }
}

int main(void)
{
    test_group group[] = {{"u1 f64", 1, 1, 1, 2, u1_f64_lanes(), 2.2e-16, u1_f64_word},
                          {"u1 f32", 1, 1, 1, 2, u1_f32_lanes(), 1.2e-7, u1_f32_word},
                          {"su2 f64", 2, 4, 3, 4, su2_f64_lanes(), 2.2e-16, su2_f64_word},
                          {"su2 f32", 2, 4, 3, 4, su2_f32_lanes(), 1.2e-7, su2_f32_word},
                          {"su3 f64", 3, 18, 8, 12, su3_f64_lanes(), 2.2e-16, su3_f64_word},
                          {"su3 f32", 3, 18, 8, 12, su3_f32_lanes(), 1.2e-7, su3_f32_word},
                          {"su2 f64", 2, 4, 3, 4, su2_one_lanes(), 2.2e-16, su2_one_word},
                          {"su3 f64", 3, 18, 8, 12, su3_one_lanes(), 2.2e-16, su3_one_word}};
    size_t i;
    for (i = 0; i < sizeof group / sizeof *group; ++i) {
        g = group + i;
        test_products();
        test_exponential();
        test_eigen();
        test_derivatives();
        test_unitarity();
        test_haar();
    }
    return test_end();
}
