/* test_exact.c: Wilson's action in two dimensions sampled exactly: characters, weights, memory, errors, files. */
#define SUITE      "unit/exact_suite.h"
#define SUITE_OF   SU3_2D
#define SUITE_REST (U1_2D | SU2_2D)
#include "../gauge_instances.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u1_f32
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F32
#include "exact_suite.h"
#define SUITE_NAME  su3_f32
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F32
#include "exact_suite.h"
#define LFT_STATIC
#define LFT_NAME  three
#define LFT_GROUP LFT_U1
#define LFT_DIM   3
#include "lftflow.h"
#endif

typedef lft_status exact_logz(const int *extent, double beta, double *logz, lft_arena scratch, lft_error *error);

/* Known to ten digits or so from independent sums. */
static void logz(const char *name, exact_logz *of, int L, double beta, double exact, double tolerance)
{
    const int extent[2] = {L, L};
    double    found     = 0;
    lft_error error;
    if (of(extent, beta, &found, lft_arena_of(exact_memory, sizeof exact_memory), &error)) check_true(error.text, 0);
    check_near(name, found, exact, tolerance);
}

/* d_r lambda_r = sum_m det I_(l_j - j + i + m)(beta / 3), l = (p + q, q, 0) */
static void determinants(double beta)
{
    su3_p_characters c;
    lft_arena        arena = lft_arena_of(exact_memory, sizeof exact_memory);
    double           off = 0;
    int              p, q, m, i, j;
    su3_p_characters_init(&c, beta, &arena);
    for (p = 0; p < 6; ++p) {
        for (q = 0; q <= p && p + q < 8; ++q) {
            const int    l[3] = {p + q, q, 0};
            const double d = 0.5 * (p + 1) * (q + 1) * (p + q + 2);
            double       sum = 0;
            for (m = -25; m <= 25; ++m) {
                double a[3][3];
                for (i = 0; i < 3; ++i) {
                    for (j = 0; j < 3; ++j) a[i][j] = bessel(abs(l[j] - j + i + m), beta / 3);
                }
                for (i = 0; i < 3; ++i) {
                    sum += a[0][i] * (a[1][(i + 1) % 3] * a[2][(i + 2) % 3] - a[1][(i + 2) % 3] * a[2][(i + 1) % 3]);
                }
            }
            test_worst(&off, sum / d * exp(-c.log_first) - c.u[su3_p_pair_of(p + q, q)]);
        }
    }
    printf("at beta %g\n", beta);
    check_below("SU(3): characters by determinants of Bessel functions", off, 1e-14);
}

/* tr w^+ p of the attempts, another lane's p each, against the matrices. */
static void rest(void)
{
    enum { LANES = sizeof(su3_p_v) / sizeof(double) };
    lft_arena         arena = lft_arena_of(exact_memory, sizeof exact_memory);
    su3_p_characters  c;
    su3_p_kernel      kernel;
    su3_p_halves      h;
    su3_p_attempt     a;
    su3_p_u           p, basis;
    su3_p_v           phase[3];
    const lft_p_alias *table[LANES];
    double            u[16][LANES], re[LANES], im[LANES], angle[3][LANES], z[18][LANES], off = 0, size = 0;
    int               of[LANES], i, j, k, l;
    su3_p_characters_init(&c, 4, &arena);
    su3_p_kernel_init(&kernel, &c, 2, 1, &arena);
    su3_p_haar_of(lft_draw_of(9, LFT_DRAW_USER, 0, 0), 1, p.c);
    for (l = 0; l < LANES; ++l) {
        table[l] = &kernel.table, of[l] = (l + 1) % LANES;
        for (i = 0; i < 16; ++i) u[i][l] = lft_uniform(lft_draw_of(10, LFT_DRAW_USER, (uint64_t)l, 0), (uint32_t)i);
    }
    su3_p_eigen(&p, &basis, phase);
    su3_p_halves_of(&h, &kernel, phase);
    su3_p_attempt_of(&a, table, u);
    su3_p_rest_trace(&a, &h, of, re, im);
    for (j = 0; j < 3; ++j) su3_p_to_wide(angle[j], phase[j]);
    for (j = 0; j < 18; ++j) su3_p_to_wide(z[j], a.z.c[j]);
    for (l = 0; l < LANES; ++l) {
        for (i = 0; i < 3; ++i) {
            double wr = 0, wi = 0; /* w_ii = sum_k |z_ik|^2 e^i alpha_k */
            for (k = 0; k < 3; ++k) {
                const double share = z[6 * i + 2 * k][l] * z[6 * i + 2 * k][l] + z[6 * i + 2 * k + 1][l] * z[6 * i + 2 * k + 1][l];
                wr += share * a.re[k][l], wi += share * a.im[k][l];
            }
            re[l] -= wr * cos(angle[i][of[l]]) + wi * sin(angle[i][of[l]]);
            im[l] -= wr * sin(angle[i][of[l]]) - wi * cos(angle[i][of[l]]);
            size = fmax(size, fabs(wi * cos(angle[i][of[l]])));
        }
        test_worst(&off, fabs(re[l]) + fabs(im[l]));
    }
    check_below("SU(3): trace of an attempt's other plaquette", off, 1e-13);
    check_true("    is not real", size > 0.1);
}

int main(void)
{
    suite_case = "SU(3)";
    rest();
    logz("log Z of SU(3), 8^2, beta 4", su3_exact_logz, 8, 4, 33.91477803, 1e-7);
    logz("log Z of SU(3), 8^2, beta 6", su3_exact_logz, 8, 6, 79.09696586, 1e-7);
    logz("log Z of SU(3), 16^2, beta 4", su3_exact_logz, 16, 4, 135.65911214, 1e-7);
    logz("log Z of SU(3), 16^2, beta 6", su3_exact_logz, 16, 6, 316.38786345, 1e-7);
    logz("log Z of SU(3), beta 0", su3_exact_logz, 16, 0, 0, 1e-12);
    determinants(1);
    determinants(6);
    determinants(12);
    su3_kernels(1);
    su3_kernels(6);
    su3_kernels(20);
    su3_between(3, 1, 1);
    su3_between(3, 1, 2);
    su3_between(4, 2, 2);
    su3_between(8, 3, 4);
    su3_between(9, 2, 2);
    su3_weights(1, 1, 3, 200, 1e-11);
    su3_weights(3, 5, 4, 4000, 1e-11);
    su3_weights(2, 2, 0, 64, 1e-11);
    su3_weights(8, 4, 6, 200, 1e-11);
    su3_bits();
    su3_errors();
    su3_heated(4);
#ifndef LFT_TEST_FEW
    suite_case = "SU(3), single precision";
    su3_f32_weights(3, 4, 5, 100, 1e-3);
    suite_case = "U(1)";
    logz("log Z of U(1), 8^2, beta 1", u1_exact_logz, 8, 1, 15.0985189445, 1e-9);
    logz("log Z of U(1), 8^2, beta 7", u1_exact_logz, 8, 7, 328.1735759490, 1e-9);
    logz("log Z of U(1), 16^2, beta 7", u1_exact_logz, 16, 7, 1312.6381862662, 1e-9);
    u1_kernels(1e-3);
    u1_kernels(2);
    u1_kernels(11);
    u1_between(2, 1, 1);
    u1_between(2, 1, 2);
    u1_between(5, 3, 3);
    u1_weights(1, 1, 2, 100, 1e-11);
    u1_weights(1, 6, 2, 1000, 1e-11);
    u1_weights(13, 2, 3, 10000, 1e-11); /* slices of 2 and 1 as well as 1 and 2 */
    u1_weights(7, 5, 4, 20000, 1e-11);
    u1_weights(3, 3, 0, 64, 1e-11);
    u1_weights(16, 16, 7, 1000, 1e-9);
    u1_bits();
    u1_errors();
    u1_heated(2);
    suite_case = "U(1), single precision";
    u1_f32_weights(7, 5, 4, 1000, 1e-3);
    u1_f32_heated(2);
    suite_case = "SU(2)";
    logz("log Z of SU(2), 16^2, beta 1.8", su2_exact_logz, 16, 1.8, 97.49604061, 1e-7);
    logz("log Z of SU(2), 16^2, beta 2.7", su2_exact_logz, 16, 2.7, 205.78881647, 1e-7);
    su2_kernels(1e-3);
    su2_kernels(2.7);
    su2_kernels(11);
    su2_between(2, 1, 1);
    su2_between(2, 1, 2);
    su2_between(4, 2, 3);
    su2_weights(1, 1, 2, 1000, 1e-11);
    su2_weights(3, 5, 2.2, 20000, 1e-11);
    su2_weights(13, 1, 2.2, 10000, 1e-11);
    su2_weights(2, 3, 0, 64, 1e-11);
    su2_weights(8, 8, 2.7, 1000, 1e-11);
    su2_bits();
    su2_errors();
    su2_heated(2.2);
    {
        const int       extent[3] = {2, 2, 2};
        three_flow_desc desc;
        lft_error       error;
        lft_arena       arena = lft_arena_of(exact_memory, sizeof exact_memory);
        check_true("three dimensions have no such flow",
                   three_exact_desc(&desc, extent, 1, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "dimensions"));
    }
#endif
    return test_end();
}
