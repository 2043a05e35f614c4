/* test_gauge_chains.c: flows of links trained, as proposals of independence Metropolis, and as a change of variables for HMC:
 * against optima by quadrature and against Wilson's action on a small torus, which is known exactly in two dimensions. */
#define LFT_STATIC
#define LFT_NAME  u1
#define LFT_GROUP LFT_U1
#define LFT_DIM   2
#include "../instance.h"

#define LFT_NAME  su2
#define LFT_GROUP LFT_SU2
#define LFT_DIM   2
#include "../instance.h"

#include "../test.h"
#include "../bessel.h"
#include <stdlib.h>

#define KICK         u1
#define KICK_COLOURS 1
#define KICK_DIM     2
#include "../kick_instance.h"
#define KICK         su2
#define KICK_COLOURS 2
#define KICK_DIM     2
#include "../kick_instance.h"

static LFT_ARENA(memory, 16 << 20);
static double logw[200000];

/* log Z of Wilson's action on a torus of V plaquettes: sum over representations of (character coefficient / dimension)^V. */
static double torus_log_z(int colours, double beta, int V)
{
    double sum = 0;
    int    n;
    for (n = colours == 1 ? -30 : 1; n <= 30; ++n) sum += pow(colours == 1 ? bessel(abs(n), beta) : 2 * bessel(n, beta) / beta, V);
    return log(sum);
}

static double torus_plaquette(int colours, double beta, int V)
{
    return (torus_log_z(colours, beta + 1e-4, V) - torus_log_z(colours, beta - 1e-4, V)) / (2e-4 * V);
}

/* The mean of a number per chain over chains that know nothing of each other. */
static void check_chains(const char *name, const double *sum, int chains, double steps, double exact)
{
    double mean = 0, square = 0;
    int    i;
    for (i = 0; i < chains; ++i) mean += sum[i] / steps / chains;
    for (i = 0; i < chains; ++i) square += (sum[i] / steps - mean) * (sum[i] / steps - mean);
    check_sigma(name, mean, exact, sqrt(square / (chains - 1.0) / chains));
}

/* KL - log Z per link of theta - h sin theta and exp(kappa cos theta), and its least value. */
static double single_loss(double h, double kappa)
{
    double sum = 0;
    int    i;
    for (i = 0; i < 400; ++i) {
        const double t = 6.283185307179586476925 * i / 400;
        sum += -log(1 - h * cos(t)) - kappa * cos(t - h * sin(t));
    }
    return sum / 400;
}

static double single_optimum(double kappa)
{
    double low = 0, high = 0.95;
    while (high - low > 1e-9) {
        const double a = low + 0.382 * (high - low), b = low + 0.618 * (high - low);
        if (single_loss(a, kappa) < single_loss(b, kappa)) high = b;
        else low = a;
    }
    return low;
}

static void test_training(lft_estimator estimator)
{
    static const int extent[] = {1, 2};
    const double     kappa = 0.8, best = single_optimum(kappa);
    const int        n = 30000;
    lft_arena        arena = lft_arena_of(memory, sizeof memory);
    u1_flow          flow;
    u1_theory        theory = u1_theory_of(0, kappa);
    u1_batch         x;
    lft_train_desc   d;
    lft_error        e;
    double           mean = 0, square = 0, *S = logw + n;
    lft_weights      w;
    int              i;
    printf("---- U(1): training, estimator %d\n", (int)estimator);
    memset(&d, 0, sizeof d), memset(&x, 0, sizeof x);
    d.steps = 400, d.batch = 128, d.rate = 0.02, d.last_rate = 2e-4, d.estimator = estimator, d.seed = 3;
    check_true("a flow", u1_make(&flow, extent, 1, 0, 0, lft_pool_openmp(1), &arena, &e) == LFT_OK);
    check_true("trained", u1_train(&flow, &theory, &d, arena) == LFT_OK);
    check_near("links of axis 0: at the optimum", flow.params.value[0], best, 0.01);
    check_near("links of axis 1: at the optimum", flow.params.value[1], best, 0.01);
    check_true("samples", !u1_batch_init(&x, &flow.lattice, n, &arena, &e) && !u1_flow_sample(&flow, 5, 0, &x, logw));
    u1_action(&theory, &x, S);
    for (i = 0; i < n; ++i) mean += (logw[i] + S[i]) / n, square += (logw[i] + S[i]) * (logw[i] + S[i]) / n;
    check_sigma("loss, that of the optimum", mean, 4 * single_loss(best, kappa), sqrt((square - mean * mean) / n));
    for (i = 0; i < n; ++i) logw[i] = -S[i] - logw[i];
    w = lft_weigh(logw, (size_t)n);
    check_sigma("log Z of single links", w.logz, 4 * log(bessel(0, kappa)), w.logz_error);
}

static void test_exact_training(void)
{
    static const int extent[] = {1, 2};
    lft_arena        arena = lft_arena_of(memory, sizeof memory);
    su2_flow         flow;
    su2_theory       theory = su2_theory_of(1, 0.35);
    lft_train_desc   d;
    su2_trainer      t;
    lft_error        e;
    printf("---- SU(2): training towards a theory that the layer samples exactly\n");
    memset(&d, 0, sizeof d);
    d.steps = 80, d.batch = 8, d.rate = 0.05, d.last_rate = 1e-3;
    check_true("a flow", su2_make(&flow, extent, 1, 0, 0, lft_pool_openmp(1), &arena, &e) == LFT_OK);
    check_true("trained", su2_trainer_init(&t, &flow, &theory, &d, &arena) == LFT_OK && su2_train_rest(&t) == LFT_OK);
    check_near("links of axis 0: at the optimum", flow.params.value[0], 0.35, 5e-3);
    check_near("links of axis 1: at the optimum", flow.params.value[1], 0.35, 5e-3);
    check_near("ESS", t.report.ess, 1, 1e-3);
    check_near("loss", t.report.loss, 0, 1e-3);
}

#define CASE    u1
#define COLOURS 1
#include "gauge_chains_case.h"
#define CASE    su2
#define COLOURS 2
#include "gauge_chains_case.h"

int main(void)
{
    test_training(LFT_PATH_GRADIENT);
    test_training(LFT_TOTAL_GRADIENT);
    test_exact_training();
    u1_case(1.0, 1000, 200, 64);
    su2_case(1.0, 200, 40, 8);
    return test_end();
}
