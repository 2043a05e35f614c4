/* test_multiscale.c: shortly trained flows of scalar fields from coarse lattices to fine ones: log Z and observables of chains
 * against transfer matrices (rings) and HMC (4x4).
 * The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"
#include <stdlib.h>

enum { CHAINS = 64, ROUNDS = 600, GRID = 96 };

static unsigned char memory[96 << 20];
static double        logw[CHAINS * ROUNDS], sum_pull2;
static int           pulls;

typedef struct known {
    double logz, phi2, chi2;
    double phi2_error, chi2_error; /* 0: exact; then log Z is known, too */
} known;

static void compare(const char *name, double value, double error, double expected, double expected_error)
{
    const double sigma = sqrt(error * error + expected_error * expected_error);
    check_sigma(name, value, expected, sigma);
    sum_pull2 += (value - expected) * (value - expected) / (sigma * sigma);
    ++pulls;
}

/* c = a b of matrices of the grid */
static void product(const double *a, const double *b, double *c)
{
    int i, j, k;
    for (i = 0; i < GRID * GRID; ++i) c[i] = 0;
    for (i = 0; i < GRID; ++i) {
        for (k = 0; k < GRID; ++k) {
            for (j = 0; j < GRID; ++j) c[i * GRID + j] += a[i * GRID + k] * b[k * GRID + j];
        }
    }
}

/* A ring of L sites: T(x, y) = exp(-V(x)/2 - (x - y)^2 - V(y)/2) dx; equidistant points are exact but for exponentials. */
static known ring(int L, double m2, double lambda)
{
    static double power[16][GRID * GRID];
    const double  step = 6.0 / (GRID - 1);
    double        x[GRID], Z = 0, phi2 = 0, chi2 = 0;
    known         k;
    int           i, j, n;
    for (i = 0; i < GRID; ++i) x[i] = -3 + step * i;
    for (i = 0; i < GRID * GRID; ++i) {
        const double a = x[i / GRID], b = x[i % GRID];
        power[1][i] = step * exp(-0.5 * (m2 * (a * a + b * b) + lambda * (a * a * a * a + b * b * b * b)) - (a - b) * (a - b));
    }
    for (n = 2; n <= L; ++n) product(power[n - 1], power[1], power[n]);
    for (i = 0; i < GRID; ++i) Z += power[L][i * GRID + i], phi2 += x[i] * x[i] * power[L][i * GRID + i];
    for (n = 1, chi2 = phi2; n < L; ++n) {
        for (i = 0; i < GRID; ++i) {
            for (j = 0; j < GRID; ++j) chi2 += x[i] * power[n][i * GRID + j] * x[j] * power[L - n][j * GRID + i];
        }
    }
    memset(&k, 0, sizeof k);
    k.logz = log(Z), k.phi2 = phi2 / Z, k.chi2 = chi2 / Z;
    return k;
}

#define LFT_STATIC
#define T      r1
#define T_DIM  1
#define T_REAL LFT_F64
#include "test_multiscale.c"
#define T      r2
#define T_DIM  2
#define T_REAL LFT_F32
#include "test_multiscale.c"

int main(void)
{
    static const int one[] = {1}, two[] = {2}, eight[] = {8}, twos[] = {2, 2}, fours[] = {4, 4}, lines[] = {1, 2}, line[] = {1, 8};
    known            k = ring(8, -2, 4);
    check_near("log Z of the ring of 8, as test_logz.c has it", k.logz, 2.485955968116, 1e-11);
    r1_test("ring of 8 from 2", two, eight, -2, 4, 0, &k);
    r1_test("ring of 8 from 1, a flow behind each", one, eight, -2, 4, 1, &k);
    r2_test("1x8 from 1x2", lines, line, -2, 4, 0, &k);
    k = r2_reference(fours, -4, 6.975);
    r2_test("4x4 from 2x2", twos, fours, -4, 6.975, 0, &k);
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

#if T_DIM == 2
static known T_(reference)(const int *extent, double m2, double lambda)
{
    T_(hmc_desc) desc;
    T_(hmc)      hmc;
    T_(theory)   theory;
    lft_arena    arena = lft_arena_of(memory, sizeof memory);
    lft_series   series;
    lft_estimate e;
    known        k;
    lft_status   status;
    int          i, mu;
    memset(&desc, 0, sizeof desc), memset(&k, 0, sizeof k), memset(&series, 0, sizeof series);
    for (mu = 0; mu < T_DIM; ++mu) desc.extent[mu] = extent[mu];
    desc.chains = CHAINS, desc.seed = 5;
    status = T_(phi4_init)(&theory, m2, lambda, NULL);
    if (!status) status = T_(hmc_init)(&hmc, &theory, &desc, &arena, NULL);
    if (!status) status = T_(hmc_thermalise)(&hmc, 200);
    if (!status) status = lft_series_init(&series, T_(observables_count)(&hmc.x.lattice), CHAINS, 4 * ROUNDS, &arena, NULL);
    for (i = 0; i < 4 * ROUNDS && !status; ++i) {
        status = T_(hmc_next)(&hmc);
        if (!status) status = T_(measure_into)(&theory, &hmc.x, &series, arena, NULL);
    }
    check_true("HMC", !status);
    if (status) return k;
    e      = T_(observe)(&series, &theory, &hmc.x.lattice, LFT_PHI2, arena, NULL);
    k.phi2 = e.value, k.phi2_error = e.error;
    e      = T_(observe)(&series, &theory, &hmc.x.lattice, LFT_CHI2, arena, NULL);
    k.chi2 = e.value, k.chi2_error = e.error;
    return k;
}
#endif

static void T_(test)(const char *name, const int *from, const int *extent, double m2, double lambda, int refine, const known *k)
{
    T_(multiscale_desc) of;
    T_(flow_desc)       desc;
    T_(flow)            flow;
    T_(chain_desc)      start;
    T_(chain)           chain;
    T_(theory)          theory;
    lft_train_desc      train;
    lft_arena           arena = lft_arena_of(memory, sizeof memory);
    lft_logq_error      epsilon;
    lft_series          series;
    lft_estimate        e;
    lft_weights         w;
    lft_error           error = {LFT_OK, ""};
    lft_status          status;
    int                 i, c, mu;
    memset(&of, 0, sizeof of), memset(&train, 0, sizeof train), memset(&start, 0, sizeof start);
    memset(&epsilon, 0, sizeof epsilon), memset(&series, 0, sizeof series), memset(&flow, 0, sizeof flow);
    for (mu = 0; mu < T_DIM; ++mu) of.from[mu] = from[mu], of.extent[mu] = extent[mu];
    of.refine     = refine;
    of.flow.sines = 4;
    of.flow.gates = of.flow.zeros = 1;
    of.flow.nodes = 3;
    train.steps = 200, train.batch = 64, train.seed = 3;
    start.chains = CHAINS, start.seed = 4;
    status = T_(multiscale)(&desc, &of, &arena, &error);
    if (!status) status = T_(flow_init)(&flow, &desc, &arena, &error);
    if (!status) status = T_(phi4_init)(&theory, m2, lambda, &error);
    if (!status) status = T_(train)(&flow, &theory, &train, arena);
    if (!status) status = T_(flow_logq_error)(&flow, 6, 0, 32, &epsilon, arena);
    if (!status) status = T_(chain_init)(&chain, &flow, &theory, &start, &arena, &error);
    if (!status) status = lft_series_init(&series, T_(observables_count)(&flow.lattice), CHAINS, ROUNDS, &arena, &error);
    for (i = 0; i < 20 && !status; ++i) status = T_(chain_next)(&chain);
    for (i = 0; i < ROUNDS && !status; ++i) {
        status = T_(chain_next)(&chain);
        if (!status) status = T_(measure_into)(&theory, &chain.x, &series, arena, &error);
        for (c = 0; c < CHAINS; ++c) logw[i * CHAINS + c] = chain.proposal_logw[c];
    }
    if (status) {
        printf("%s: %s: %s %s\n", name, lft_status_str(status), error.text, flow.error.text);
        check_true(name, 0);
        return;
    }
    w = lft_weigh(logw, CHAINS * ROUNDS);
    printf("%s: %d layers, ESS %.4f (N = %d), epsilon %.1e +- %.1e\n", name, flow.layers, w.ess, CHAINS * ROUNDS, epsilon.mean,
           epsilon.std);
    check_true("  its ESS is above .9", w.ess > 0.9);
    check_below("  its mean of epsilon", epsilon.mean, 1e-2);
    if (k->phi2_error <= 0) {
        const double sigma = sqrt(w.logz_error * w.logz_error + epsilon.mean_error * epsilon.mean_error);
        check_below("  error of log Z", sigma, 3e-3);
        compare("  log Z", w.logz + epsilon.mean, sigma, k->logz, 0);
    }
    e = T_(observe)(&series, &theory, &flow.lattice, LFT_PHI2, arena, NULL);
    check_below("  relative error of phi2", e.error / e.value, 5e-3);
    compare("  phi2", e.value, e.error, k->phi2, k->phi2_error);
    e = T_(observe)(&series, &theory, &flow.lattice, LFT_CHI2, arena, NULL);
    check_below("  relative error of chi2", e.error / e.value, 2e-2);
    compare("  chi2", e.value, e.error, k->chi2, k->chi2_error);
}

#undef T
#undef T_
#undef T_DIM
#undef T_REAL
#endif
