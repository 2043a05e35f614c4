/* test_trivializing.c: the trivializing map without training against what is published and exact, and its training by Gauss-Newton
 * steps. */
#include "../bessel.h"
#define SUITE    "physics/weigh_case.h"
#define SUITE_OF (U1_2D | SU2_2D | SU3_2D | U1_4D)
#include "../gauge_instances.h"
#define SUITE_NAME  four
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   4
#define SUITE_REAL  LFT_F32
#include "weigh_case.h"

/* log Z of SU(2) on a torus of V plaquettes: sum_j (2 I_{2j+1}(beta) / beta)^V */
static double exact_su2(double beta, int V)
{
    double sum = 0;
    int    n;
    for (n = 1; n < 20; ++n) sum += pow(bessel(n, beta) / bessel(1, beta), V);
    return V * log(2 * bessel(1, beta) / beta) + log(sum);
}

/* ESS is quoted with two or three digits from 1e5 samples or so; ours from few. */
static void untrained(void)
{
    u1_flow     a;
    u1_theory   ta;
    su3_flow    b;
    su3_theory  tb;
    four_flow   c;
    four_theory tc;
    su2_flow    d;
    su2_theory  td;
    lft_arena   arena;
    lft_weights w;
    printf("---- no training\n");
    arena = u1_make(&a, &ta, 8, 2, 1, 6);
    w     = u1_weigh(&a, &ta, 16384, arena);
    check_near("U(1) 8^2, beta 1, next to leading order: ESS .70", w.ess, 0.70, 0.03);
    check_sigma("    log Z, exact", w.logz, 15.0985189445, w.logz_error);
    arena = su3_make(&b, &tb, 16, 1, 1, 4);
    w     = su3_weigh(&b, &tb, 1024, arena);
    check_near("SU(3) 16^2, beta 1, leading order: ESS .956", w.ess, 0.956, 0.015);
    arena = su3_make(&b, &tb, 16, 2, 4, 6);
    w     = su3_weigh(&b, &tb, 2048, arena);
    check_near("SU(3) 16^2, beta 4, next to leading order: ESS .42", w.ess, 0.42, 0.06);
    check_sigma("    log Z, exact", w.logz, 135.65911214, w.logz_error);
    arena = su3_make(&b, &tb, 8, 2, 4, 6);
    w     = su3_weigh(&b, &tb, 2048, arena);
    check_sigma("SU(3) 8^2, beta 4, next to leading order: log Z, exact", w.logz, 33.91477803, w.logz_error);
    arena = four_make(&c, &tc, 4, 2, 1, 3);
    w     = four_weigh(&c, &tc, 256, arena);
    check_near("SU(3) 4^4, beta 1, next to leading order: ESS .994", w.ess, 0.994, 0.003);
    arena = su2_make(&d, &td, 8, -3, 2.7, 10);
    w     = su2_weigh(&d, &td, 2048, arena);
    check_sigma("SU(2) 8^2, beta 2.7, third order, cut off: log Z, exact", w.logz, exact_su2(2.7, 64), w.logz_error);
    arena = su2_make(&d, &td, 8, 3, 2.7, 10);
    check_below("    1 - ESS, of that when expanded", (1 - w.ess) / (1 - su2_weigh(&d, &td, 2048, arena).ess), 0.5);
}

static void orders(void)
{
    int order;
    printf("---- orders\n");
    for (order = 1; order <= 4; ++order) u1_scaling("U(1) 2D", order, 0.3, 512);
    for (order = 1; order <= 3; ++order) su2_scaling("SU(2) 2D", order, 0.5, 512);
    for (order = 1; order <= 3; ++order) su3_scaling("SU(3) 2D", order, 1, 512);
    for (order = 1; order <= 2; ++order) four_scaling("SU(3) 4D", order, 1, 512);
    for (order = 1; order <= 3; ++order) u1_scaling("U(1) 2D, cut off", -order, 0.3, 512);
    for (order = 1; order <= 3; ++order) su2_scaling("SU(2) 2D, cut off", -order, 0.5, 512);
    for (order = 1; order <= 2; ++order) su3_scaling("SU(3) 2D, cut off", -order, 0.5, 512);
#ifndef LFT_TEST_FEW
    u1_4d_scaling("U(1) 4D", 3, 0.25, 128);
#endif
}

/* Mean of (log w - log Z)^2 of a batch; its gradient against finite differences, then what steps make of it. */
static double su2_squares(su2_flow *flow, const su2_theory *theory, const lft_train_desc *desc, double logz, lft_arena arena)
{
    su2_trainer t;
    double      loss, square = 0;
    int         i;
    lft_train_desc adam = *desc;
    adam.optimizer = LFT_ADAM, adam.estimator = LFT_TOTAL_GRADIENT;
    if (su2_trainer_init(&t, flow, theory, &adam, &arena) || su2_train_gradient(&t, 0, &loss)) check_true("gradient", 0);
    for (i = 0; i < desc->batch; ++i) square += (t.logw[i] - logz) * (t.logw[i] - logz) / desc->batch;
    return square;
}

static void gauss_newton(void)
{
    su2_flow       flow;
    su2_theory     theory;
    su2_trainer    t;
    lft_train_desc desc;
    lft_weights    before, after;
    lft_arena      arena = su2_make(&flow, &theory, 4, 2, 2.2, 16), left;
    double         start[64], worst = 0, most = 0, logz;
    size_t         k, n = flow.params.count;
    int            s;
    printf("---- Gauss-Newton\n");
    memset(&desc, 0, sizeof desc);
    desc.optimizer = LFT_GAUSS_NEWTON, desc.batch = 96, desc.steps = 1, desc.guard_every = -1, desc.rate = 1e-300, desc.warmup = 1;
    memcpy(start, flow.params.value, n * sizeof(double));
    left = arena;
    check_true("a step", su2_trainer_init(&t, &flow, &theory, &desc, &left) == LFT_OK && su2_train_step(&t) == LFT_OK);
    logz = lft_weigh(t.logw, (size_t)desc.batch).logz;
    for (k = 0; k < n; ++k) {
        static const double stencil[4] = {-2, -1, 1, 2}, share[4] = {1, -8, 8, -1};
        const double        h = 1e-4;
        double              d = 0;
        if (!(flow.params.pace[k] > 0)) {
            check_true("the plaquette's pace does not move", t.gradient[k] >= 0 && t.gradient[k] <= 0);
            continue;
        }
        for (s = 0; s < 4; ++s) {
            flow.params.value[k] = start[k] + stencil[s] * h;
            su2_flow_prepare(&flow);
            d += share[s] * su2_squares(&flow, &theory, &desc, logz, left) / (12 * h);
        }
        flow.params.value[k] = start[k];
        worst = fabs(t.gradient[k] - d / 2) > worst ? fabs(t.gradient[k] - d / 2) : worst; /* of half of it */
        most  = fabs(d) > most ? fabs(d) : most;
    }
    su2_flow_prepare(&flow);
    check_below("gradient of the mean of (log w - log Z)^2", worst / most, 1e-7);

    before         = su2_weigh(&flow, &theory, 4096, arena);
    desc.batch     = 512, desc.steps = 10, desc.rate = 1, desc.seed = 3;
    check_true("training", su2_train(&flow, &theory, &desc, arena) == LFT_OK);
    after = su2_weigh(&flow, &theory, 4096, arena);
    printf("ESS before %.4f, after %.4f\n", before.ess, after.ess);
    check_true("it gets better", after.ess > 0.95 && before.ess < 0.9);
    check_sigma("log Z, exact", after.logz, exact_su2(2.2, 16), after.logz_error);
    desc.batch = 64, desc.steps = 2;
    {
        double once[64];
        su2_flow other;
        arena = su2_make(&flow, &theory, 4, 2, 2.2, 16);
        if (su2_train(&flow, &theory, &desc, arena)) check_true("training", 0);
        memcpy(once, flow.params.value, n * sizeof(double));
        arena = su2_make(&other, &theory, 4, 2, 2.2, 16);
        if (su2_train(&other, &theory, &desc, arena)) check_true("training", 0);
        check_true("the same seed, the same bits", !memcmp(once, other.params.value, n * sizeof(double)));
    }
}

int main(void)
{
    check_near("exact SU(2), 16^2 at beta 2.2", exact_su2(2.2, 256), 141.80724831, 1e-7);
    untrained();
    orders();
    gauss_newton();
    return test_end();
}
