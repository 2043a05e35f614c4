/* test_logz.c: log Z of shortly trained flows, corrected by the mean of epsilon, against exact values: one site,
 * the 2x2 lattice, rings, free fields, in one to four dimensions. The exact numbers come from quadrature, transfer
 * matrices and sums over momenta by an independent program.
 * The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"
#include <stdlib.h>

enum { SAMPLES = 50000, BATCH = 1000 };

typedef struct lattice_case {
    int    extent[4];
    double m2, lambda, exact;
    double prior_mass2; /* of a free field: what the prior starts with; 0: the default */
    int    steps;       /* of training; 0: the flow at its start, whose weights are all equal */
} lattice_case;

#define SITE   .733748687322
#define SITE1  .313661799576
#define TWO    .914433978425
#define TWO1   (-.680230025670)
#define RING4  1.257640927166
#define RING8  2.485955968116
#define RING81 .004349197602
#define FREE8  (-11.622885257333)
#define FREE6  (-2.360495935187)
#define FREE16 (-7.311341071006)

static unsigned char memory[64 << 20];
static double        logw[SAMPLES], S[BATCH];
static double        sum_pull2;
static int           pulls;

#define LFT_STATIC
#define T      z1
#define T_DIM  1
#define T_REAL LFT_F64
#include "test_logz.c"
#define T      z1f
#define T_DIM  1
#define T_REAL LFT_F32
#include "test_logz.c"
#define T      z2
#define T_DIM  2
#define T_REAL LFT_F64
#include "test_logz.c"
#define T      z2f
#define T_DIM  2
#define T_REAL LFT_F32
#include "test_logz.c"
#define T      z3
#define T_DIM  3
#define T_REAL LFT_F64
#include "test_logz.c"
#define T      z4
#define T_DIM  4
#define T_REAL LFT_F64
#include "test_logz.c"

int main(void)
{
    static const lattice_case d1[] = {{{1}, -4, 8, SITE, 0, 200},    {{1}, 1, 1, SITE1, 0, 200},
                                      {{4}, -2, 4, RING4, 0, 200},   {{8}, -2, 4, RING8, 0, 200},
                                      {{8}, 1, 1, RING81, 0, 200}};
    static const lattice_case d2[] = {{{1, 1}, -4, 8, SITE, 0, 200}, {{2, 2}, -4, 8, TWO, 0, 200},
                                      {{2, 2}, 1, 1, TWO1, 0, 200},  {{1, 8}, -2, 4, RING8, 0, 200},
                                      {{8, 8}, 1, 0, FREE8, 1, 0},   {{6, 6}, 0.25, 0, FREE6, 0.25, 0},
                                      {{16, 16}, 0.0625, 0, FREE16, 0.0625, 0}, {{6, 6}, 0.25, 0, FREE6, 0.6, 150}};
    static const lattice_case d3[] = {{{1, 1, 8}, -2, 4, RING8, 0, 200}, {{1, 2, 2}, -4, 8, TWO, 0, 200}};
    static const lattice_case d4[] = {{{1, 1, 2, 2}, -4, 8, TWO, 0, 200}, {{1, 4, 1, 1}, -2, 4, RING4, 0, 200}};
    size_t                    i;
    for (i = 0; i < sizeof d1 / sizeof *d1; ++i) z1_test(d1 + i), z1f_test(d1 + i);
    for (i = 0; i < sizeof d2 / sizeof *d2; ++i) z2_test(d2 + i), z2f_test(d2 + i);
    for (i = 0; i < sizeof d3 / sizeof *d3; ++i) z3_test(d3 + i);
    for (i = 0; i < sizeof d4 / sizeof *d4; ++i) z4_test(d4 + i);
    printf("%d comparisons, chi^2 = %.2f\n", pulls, sum_pull2);
    check_near("chi^2 per comparison", sum_pull2 / pulls, 1, 4 * sqrt(2.0 / pulls));
    return test_end();
}

#else /* one instance */

#define LFT_NAME  T
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   T_DIM
#define LFT_REAL  T_REAL
#include "../instance.h"
#define T_(name) LFT_P_PASTE(T, name)

static void T_(test)(const lattice_case *c)
{
    const int      is_float = sizeof(T_(real)) == 4, samples = c->steps ? SAMPLES : 2 * BATCH;
    T_(flow_desc)  desc;
    T_(flow)       flow;
    T_(theory)     theory;
    T_(batch)      x;
    lft_train_desc train;
    lft_arena      arena = lft_arena_of(memory, sizeof memory);
    lft_logq_error epsilon;
    lft_weights    w;
    char           name[100], at[40];
    double         sigma, logz;
    lft_status     status;
    int            i, k, mu, n = 0;
    memset(&desc, 0, sizeof desc);
    memset(&train, 0, sizeof train);
    memset(&epsilon, 0, sizeof epsilon);
    for (mu = 0; mu < T_DIM; ++mu) {
        desc.extent[mu] = c->extent[mu];
        n += snprintf(at + n, sizeof at - (size_t)n, "%s%d", mu ? "x" : "", c->extent[mu]);
    }
    snprintf(name, sizeof name, "f%d %s m2=%g lambda=%g", is_float ? 32 : 64, at, c->m2, c->lambda);
    desc.prior.mass2      = c->prior_mass2;
    desc.continuous.sines = 4;
    desc.continuous.gates = desc.continuous.zeros = 1;
    desc.continuous.nodes                         = 3;
    train.steps                                   = (uint64_t)c->steps;
    train.batch                                   = 64;
    train.seed                                    = (uint64_t)pulls; /* others for each case */
    status = T_(flow_init)(&flow, &desc, &arena, NULL);
    if (!status) status = T_(phi4_init)(&theory, c->m2, c->lambda, NULL);
    if (!status && c->steps) status = T_(train)(&flow, &theory, &train, arena);
    if (!status) status = T_(batch_init)(&x, &flow.lattice, BATCH, &arena, NULL);
    for (i = 0; i < samples && !status; i += BATCH) {
        status = T_(flow_sample)(&flow, 1000 + (uint64_t)pulls, (uint64_t)i, &x, logw + i);
        T_(action)(&theory, &x, S);
        for (k = 0; k < BATCH; ++k) logw[i + k] = -S[k] - logw[i + k];
    }
    w = lft_weigh(logw, (size_t)samples);
    if (!status) status = T_(flow_logq_error)(&flow, 2000 + (uint64_t)pulls, 0, c->steps ? 32 : 2, &epsilon, arena);
    if (status) {
        printf("%s: %s: %s\n", name, lft_status_str(status), flow.error.text);
        check_true(name, 0);
        return;
    }
    logz  = w.logz + epsilon.mean;
    sigma = sqrt(w.logz_error * w.logz_error + epsilon.mean_error * epsilon.mean_error);
    printf("%-32s ESS %.4f (N = %d), epsilon %.1e +- %.1e\n", name, w.ess, samples, epsilon.mean, epsilon.std);
    if (!c->steps) { /* no fluctuations: rounding, which for single numbers of 2^24 is that of the sum over sites */
        check_near(name, logz, c->exact, is_float ? 2e-6 * flow.lattice.volume : 1e-11);
        check_near("  its ESS", w.ess, 1, is_float ? 1e-7 : 1e-12);
        return;
    }
    check_true("  its ESS is above .9", w.ess > 0.9);
    check_below("  its error", sigma, 2e-3);
    check_below("  its mean of epsilon", epsilon.mean, 1e-2);
    check_sigma(name, logz, c->exact, sigma);
    sum_pull2 += (logz - c->exact) * (logz - c->exact) / (sigma * sigma);
    ++pulls;
}

#undef T
#undef T_
#undef T_DIM
#undef T_REAL
#endif
