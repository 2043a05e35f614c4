/* The words of the groups (30_group.h) against plain complex matrices in double: U(1), SU(2), SU(3), f32 and f64, the widest
 * lanes and one. */
#include "lftflow.h"
#include "../matrices.h"
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
    void (*files)(const double *c, double *u, double *back);
} test_group;

static const test_group *g; /* the instance under test */
static char              text[160];

static const char *named(const char *what)
{
    snprintf(text, sizeof text, "%s x%d %s", g->name, g->lanes, what);
    return text;
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
                const matrix a = matrix_of_link(words[l].a), b = matrix_of_link(words[l].b);
                const matrix m = i == 0   ? matrix_times(a, b)
                                 : i == 1 ? matrix_times(a, matrix_dagger(b))
                                 : i == 2 ? matrix_times(matrix_dagger(a), b)
                                          : matrix_dagger(a);
                keep_worst(worst + i, matrix_apart(matrix_of_link(words[l].u), m));
            }
        }
        g->word(TEST_SUM, words, 0);
        for (l = 0; l < g->lanes; ++l) {
            const matrix a = matrix_of_link(words[l].a), b = matrix_of_link(words[l].b);
            const matrix w = matrix_sum(matrix_sum(matrix_of(0), 0.5, b), -2, matrix_dagger(b));
            keep_worst(worst + 4, fabs(matrix_trace(matrix_times(a, w)) - words[l].v[0]));
        }
        g->word(TEST_ONE, words, 0);
        for (l = 0; l < g->lanes; ++l) keep_worst(worst + 5, matrix_apart(matrix_of_link(words[l].u), matrix_of(1)));
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
    double              worst[5], unitary = 0;
    int                 i, turn, l;
    for (i = 0; i < 5; ++i) {
        worst[i] = 0;
        for (turn = 0; turn < 12; ++turn) {
            draw(size[i]);
            for (l = 0; l < g->lanes; ++l) {
                if (i == 2) special(turn, l);
            }
            g->word(TEST_EXP, words, 0);
            for (l = 0; l < g->lanes; ++l) {
                const matrix m = matrix_exp(matrix_of_algebra(words[l].z));
                keep_worst(worst + i, matrix_apart(matrix_of_link(words[l].u), m) / (1 + size[i]));
                keep_worst(&unitary, matrix_defect(matrix_of_link(words[l].u)) / (1 + size[i]));
            }
        }
    }
    check_below(named("exp of small z"), worst[0], 10 * g->eps);
    check_below(named("exp, size 0.3"), worst[1], 10 * g->eps);
    check_below(named("exp, size 1, 0, tiny, coinciding eigenvalues"), worst[2], 10 * g->eps);
    check_below(named("exp, size 5, over 1 + size"), worst[3], 30 * g->eps);
    check_below(named("exp, size 30, over 1 + size"), worst[4], 60 * g->eps);
    check_below(named("exp is unitary, det 1"), unitary, 30 * g->eps);
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
            const matrix x = matrix_of_link(words[l].u), u = matrix_of_link(words[l].a);
            matrix       d = matrix_of(0);
            double       s = 0;
            for (k = 0; k < g->colours; ++k) {
                d.re[k][k] = cosl(words[l].v[k]), d.im[k][k] = sinl(words[l].v[k]);
                s += words[l].v[k];
            }
            keep_worst(&worst, matrix_apart(matrix_times(matrix_times(x, d), matrix_dagger(x)), u));
            keep_worst(&unitary, matrix_defect(x));
            kind = (int)floor(s / 6.283185307179586 + 0.5);
            keep_worst(&sum_of, fabs(s - 6.283185307179586 * kind));
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
            const matrix u = matrix_of_link(words[l].a);
            keep_worst(worst, fabs(words[l].v[0] - matrix_trace(u)));
            keep_worst(worst + 1, fabs(words[l].v[1] - matrix_trace_im(u)));
            for (k = 0; k < g->algebra; ++k) {
                double z[8] = {0, 0, 0, 0, 0, 0, 0, 0}, up, down;
                z[k] = 1e-4;
                up   = matrix_trace(matrix_times(matrix_exp(matrix_of_algebra(z)), u));
                z[k] = -1e-4;
                down = matrix_trace(matrix_times(matrix_exp(matrix_of_algebra(z)), u));
                keep_worst(worst + 2, fabs((up - down) / 2e-4 - words[l].v[2 + k]));
            }
        }
        g->word(TEST_CARRY, words, 0);
        for (l = 0; l < g->lanes; ++l) {
            const matrix u = matrix_of_link(words[l].a), z = matrix_of_algebra(words[l].z);
            const matrix m = matrix_times(matrix_times(matrix_dagger(u), z), u);
            keep_worst(worst + 3, matrix_apart(matrix_of_algebra(words[l].v), m));
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
            keep_worst(&bent, matrix_defect(matrix_of_link(words[l].u)));
            memcpy(words[l].a, words[l].u, sizeof words[l].a);
        }
        g->word(TEST_UNIT, words, 0);
        for (l = 0; l < g->lanes; ++l) keep_worst(&again, matrix_apart(matrix_of_link(words[l].u), matrix_of_link(words[l].a)));
    }
    draw(0.1);
    g->word(TEST_MOVE, words, 10000);
    for (l = 0; l < g->lanes; ++l) {
        keep_worst(&drift, matrix_defect(matrix_of_link(words[l].u)));
        if (g->colours == 1) keep_worst(&drift, fabs(words[l].u[0]) > 3.1416 ? 1 : 0);
    }
    check_below(named("unit: unitary, det 1"), bent, 8 * g->eps);
    check_below(named("unit twice"), again, 8 * g->eps);
    check_below(named("after 10000 updates"), drift, 8 * g->eps);
}

/* The matrices of files, element by element. */
static void test_files(void)
{
    double worst = 0, back = 0, u[18], c[18];
    int    turn, l, i, k;
    for (turn = 0; turn < 5; ++turn) {
        draw(1);
        for (l = 0; l < g->lanes; ++l) {
            const matrix m = matrix_of_link(words[l].a);
            g->files(words[l].a, u, c);
            for (i = 0; i < g->colours; ++i) {
                for (k = 0; k < g->colours; ++k) {
                    const double *at = u + 2 * (i * g->colours + k);
                    keep_worst(&worst, fabs(at[0] - (double)m.re[i][k]) + fabs(at[1] - (double)m.im[i][k]));
                }
            }
            for (k = 0; k < g->link; ++k) keep_worst(&back, fabs(c[k] - words[l].a[k]));
        }
    }
    check_below(named("matrix of a file"), worst, 4 * 2.2e-16);
    check_below(named("and back"), back, 8 * 2.2e-16);
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
            const matrix u = matrix_of_link(words[l].u);
            const double re = matrix_trace(u), im = matrix_trace_im(u), q = re * re + im * im;
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
    test_group group[] = {{"u1 f64", 1, 1, 1, 2, u1_f64_lanes(), 2.2e-16, u1_f64_word, u1_f64_files},
                          {"u1 f32", 1, 1, 1, 2, u1_f32_lanes(), 1.2e-7, u1_f32_word, u1_f32_files},
                          {"su2 f64", 2, 4, 3, 4, su2_f64_lanes(), 2.2e-16, su2_f64_word, su2_f64_files},
                          {"su2 f32", 2, 4, 3, 4, su2_f32_lanes(), 1.2e-7, su2_f32_word, su2_f32_files},
                          {"su3 f64", 3, 18, 8, 12, su3_f64_lanes(), 2.2e-16, su3_f64_word, su3_f64_files},
                          {"su3 f32", 3, 18, 8, 12, su3_f32_lanes(), 1.2e-7, su3_f32_word, su3_f32_files},
                          {"su2 f64", 2, 4, 3, 4, su2_one_lanes(), 2.2e-16, su2_one_word, su2_one_files},
                          {"su3 f64", 3, 18, 8, 12, su3_one_lanes(), 2.2e-16, su3_one_word, su3_one_files}};
    size_t i;
    for (i = 0; i < sizeof group / sizeof *group; ++i) {
        g              = group + i;
        matrix_colours = g->colours;
        test_products();
        test_exponential();
        if (g->colours == 3) test_eigen();
        test_derivatives();
        test_unitarity();
        test_files();
        test_haar();
    }
    return test_end();
}
