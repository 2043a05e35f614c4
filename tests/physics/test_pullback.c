/* test_pullback.c: HMC through a flow, and chains that mix a flow's proposals with HMC: gradients against finite differences,
 * then the exact 2 x 2 lattice with flows that are neither trained nor the identity. */
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  p2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F64
#include "../instance.h"

static unsigned char memory[16 << 20], series_memory[64 << 20];

/* kind 0: continuous, free prior; 1: continuous, normal prior; 2: two coupling layers, free prior. Shaken. */
static void make(p2_flow *flow, int kind, int a, int b, double size, lft_arena *arena)
{
    static p2_coupling_desc couple[2];
    static p2_layer_desc    list[2];
    p2_flow_desc            desc;
    double                 *noise;
    lft_error               e;
    size_t                  i;
    memset(&desc, 0, sizeof desc);
    memset(couple, 0, sizeof couple);
    couple[1].parity = 1;
    for (i = 0; i < 2; ++i) list[i].ops = p2_coupling(), list[i].desc = couple + i;
    desc.extent[0] = a, desc.extent[1] = b;
    desc.prior.kind            = kind == 1 ? LFT_PRIOR_NORMAL : LFT_PRIOR_FREE;
    desc.prior.mass2      = 1;
    desc.continuous.steps = 20;
    if (kind == 2) desc.layer = list, desc.layers = 2;
    if (p2_flow_init(flow, &desc, arena, &e)) {
        printf("no flow: %s\n", e.text);
        exit(1);
    }
    noise = (double *)malloc(flow->params.count * sizeof(double));
    lft_normals(lft_draw_of(2, LFT_DRAW_USER, 0, 0), noise, (int)flow->params.count);
    for (i = 0; i < flow->params.count; ++i) flow->params.value[i] += size * noise[i] * flow->params.pace[i];
    free(noise);
    p2_flow_prepare(flow);
}

/* S' by its definition, from flow_map and the spectrum that the prior draws with. */
static double action_of(p2_pullback *p, p2_batch *eta, p2_batch *x)
{
    double S;
    p2_action(&p->theory, eta, &S);
    check_true("map", p2_pullback_map(p, eta, x) == LFT_OK);
    return S;
}

static void test_gradient(int kind)
{
    lft_arena   arena = lft_arena_of(memory, sizeof memory), small;
    p2_flow     flow;
    p2_theory   theory;
    p2_pullback p;
    p2_batch    eta, x, force, z;
    double      noise[12], field[12], dS[12], S, SX, logq, worst = 0, at, square = 0;
    size_t      bytes;
    int         i, k;
    printf("---- gradient, kind %d\n", kind);
    make(&flow, kind, 3, 4, 0.1, &arena);
    p2_phi4_init(&theory, -1, 2, NULL);
    memset(&force, 0, sizeof force); /* gcc 12 -O3 sees a path without it */
    bytes = p2_pullback_bytes(&flow);
    small = lft_arena_of(series_memory, bytes / 2);
    check_true("an arena that is too small is refused", p2_pullback_init(&p, &flow, &theory, &small) == LFT_ERR_NOMEM);
    small = lft_arena_of(series_memory, bytes);
    check_true("one of pullback_bytes is not", p2_pullback_init(&p, &flow, &theory, &small) == LFT_OK);
    check_true("init", p2_pullback_init(&p, &flow, &theory, &arena) == LFT_OK);
    check_true("batches", p2_batch_init(&eta, &flow.lattice, 1, &arena, NULL) == LFT_OK &&
               p2_batch_init(&x, &flow.lattice, 1, &arena, NULL) == LFT_OK &&
               p2_batch_init(&z, &flow.lattice, 1, &arena, NULL) == LFT_OK &&
               p2_batch_init(&force, &flow.lattice, 1, &arena, NULL) == LFT_OK);
    lft_normals(lft_draw_of(3, LFT_DRAW_USER, 0, 0), noise, 12);
    p2_batch_set(&eta, 0, noise);
    S = action_of(&p, &eta, &x);
    p2_action(&theory, &x, &SX);
    check_true("logq", p2_flow_logq(&flow, &x, &logq) == LFT_OK);
    for (i = 0; i < 12; ++i) square += noise[i] * noise[i];
    /* log q = -eta^2/2 - log|dz/deta| - log|df/dz|, so S' = S + log q + eta^2/2 + the constant log|dz/deta| */
    memset(field, 0, sizeof field);
    p2_batch_set(&eta, 0, field);
    at = action_of(&p, &eta, &x);
    {
        double S0, logq0;
        p2_action(&theory, &x, &S0);
        check_true("logq", p2_flow_logq(&flow, &x, &logq0) == LFT_OK);
        check_near("S' is S + log q + eta^2/2, up to a constant", S - at, (SX + logq + square / 2) - (S0 + logq0), 1e-9);
    }
    p2_batch_set(&eta, 0, noise);
    p2_force(&p.theory, &eta, &force);
    p2_batch_get(&force, 0, dS);
    for (i = 0; i < 12; ++i) {
        const double step = 1e-3, where[4] = {-2, -1, 1, 2};
        double       f[4], value[16];
        for (k = 0; k < 4; ++k) {
            memcpy(field, noise, sizeof field);
            field[i] += step * where[k];
            p2_batch_set(&eta, 0, field);
            p2_action(&p.theory, &eta, value);
            f[k] = value[0];
        }
        worst = fmax(worst, fabs(dS[i] + (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * step)));
    }
    check_below("force against finite differences", worst, 1e-7);
    check_true("no action failed", p.status == LFT_OK);
}

static void compare(const lft_series *series, const p2_theory *theory, const p2_lattice *lattice, lft_arena scratch,
                    const double *expected)
{
    static const int which[] = {LFT_CHI2, LFT_BINDER, LFT_PHI2, LFT_PHI4};
    int              i;
    for (i = 0; i < 4; ++i) {
        const lft_estimate e = p2_observe(series, theory, lattice, which[i], scratch, NULL);
        check_sigma(p2_observable_name(which[i]), e.value, expected[i], e.error);
        check_true("reliable", e.reliable);
    }
}

static void test_hmc(int kind, const double *expected)
{
    enum { CHAINS = 32, STEPS = 600 };
    lft_arena      arena = lft_arena_of(memory, sizeof memory), more = lft_arena_of(series_memory, sizeof series_memory);
    p2_flow        flow;
    p2_theory      theory;
    p2_pullback    p;
    p2_hmc_desc    desc;
    p2_hmc         hmc;
    p2_batch       x;
    lft_series     series;
    lft_logq_error e;
    int            i, bad = 0;
    memset(&e, 0, sizeof e);
    printf("---- HMC through a flow, kind %d\n", kind);
    make(&flow, kind, 2, 2, 0.03, &arena);
    check_true("epsilon", p2_flow_logq_error(&flow, 5, 0, 64, &e, more) == LFT_OK);
    check_below("std of epsilon", e.std, 1e-3);
    p2_phi4_init(&theory, -4, 8, NULL);
    memset(&desc, 0, sizeof desc);
    desc.extent[0] = desc.extent[1] = 2;
    desc.chains = CHAINS, desc.length = 1.5, desc.seed = 41;
    bad += p2_pullback_init(&p, &flow, &theory, &arena) != LFT_OK;
    bad += p2_hmc_init(&hmc, &p.theory, &desc, &arena, NULL) != LFT_OK;
    bad += p2_batch_init(&x, &flow.lattice, CHAINS, &arena, NULL) != LFT_OK;
    bad += lft_series_init(&series, p2_observables_count(&flow.lattice), CHAINS, STEPS, &more, NULL) != LFT_OK;
    bad += p2_hmc_thermalise(&hmc, 100) != LFT_OK;
    p.status = LFT_OK; /* while steps are chosen, some are too long */
    for (i = 0; i < STEPS; ++i) {
        bad += p2_hmc_next(&hmc) != LFT_OK;
        bad += p2_pullback_map(&p, &hmc.x, &x) != LFT_OK;
        bad += p2_measure_into(&theory, &x, &series, arena, NULL) != LFT_OK;
    }
    check_true("all steps", !bad);
    check_true("where an action fails, a trajectory overflows", !p.status || hmc.nonfinite); /* or its momenta alone do */
    check_near("acceptance", (double)hmc.accepted / ((double)hmc.trajectories * CHAINS), 0.85, 0.14);
    compare(&series, &theory, &flow.lattice, more, expected);
}

/* A step of the flow, a trajectory, and so on: the flow alone would hardly be accepted. */
static void test_mixed(int kind, const double *expected)
{
    enum { CHAINS = 32, STEPS = 600 };
    lft_arena     arena = lft_arena_of(memory, sizeof memory), more = lft_arena_of(series_memory, sizeof series_memory);
    p2_flow       flow;
    p2_theory     theory;
    p2_chain_desc desc;
    p2_chain      chain;
    p2_hmc_desc   hmc_desc;
    p2_hmc        hmc;
    p2_batch      other;
    lft_series    series;
    uint64_t      accepted;
    double        logw[CHAINS], worst = 0;
    int           i, c, bad = 0;
    printf("---- a flow and HMC in turns, kind %d\n", kind);
    make(&flow, kind, 2, 2, kind ? 0.1 : 0.03, &arena);
    p2_phi4_init(&theory, -4, 8, NULL);
    memset(&desc, 0, sizeof desc);
    memset(&hmc_desc, 0, sizeof hmc_desc);
    desc.chains = hmc_desc.chains = CHAINS;
    hmc_desc.extent[0] = hmc_desc.extent[1] = 2;
    hmc_desc.length = 0.7, hmc_desc.steps = 4;
    bad += p2_chain_init(&chain, &flow, &theory, &desc, &arena, NULL) != LFT_OK;
    bad += p2_hmc_init(&hmc, &theory, &hmc_desc, &arena, NULL) != LFT_OK;
    bad += p2_batch_init(&other, &flow.lattice, CHAINS - 1, &arena, NULL) != LFT_OK;
    bad += lft_series_init(&series, p2_observables_count(&flow.lattice), CHAINS, STEPS, &more, NULL) != LFT_OK;
    memcpy(logw, chain.logw, sizeof logw);
    bad += p2_chain_start(&chain, &chain.x) != LFT_OK;
    for (c = 0; c < CHAINS; ++c) worst = fmax(worst, fabs(logw[c] - chain.logw[c]));
    check_below("the log-weights of configurations are those of their proposals", worst, 1e-9);
    check_true("another number of configurations is refused", p2_chain_start(&chain, &other) == LFT_ERR_MISMATCH);
    for (i = -100; i < STEPS; ++i) { /* the first configurations are the flow's, far from equilibrium */
        bad += p2_chain_next(&chain) != LFT_OK;
        bad += p2_hmc_start(&hmc, &chain.x) != LFT_OK || p2_hmc_next(&hmc) != LFT_OK;
        bad += p2_chain_start(&chain, &hmc.x) != LFT_OK;
        if (i >= 0) bad += p2_measure_into(&theory, &chain.x, &series, arena, NULL) != LFT_OK;
    }
    accepted = chain.accepted;
    check_true("all steps", !bad);
    check_true("both samplers move", accepted > 100 && hmc.accepted > 100);
    printf("acceptance of the flow %.3f, of HMC %.3f\n", (double)accepted / ((STEPS + 100) * CHAINS),
           (double)hmc.accepted / ((STEPS + 100) * CHAINS));
    compare(&series, &theory, &flow.lattice, more, expected);
}

int main(void)
{
    /* chi2, binder, phi2, phi4 of the 2 x 2 lattice at m2 = -4, lambda = 8, by quadrature */
    static const double broken_phase[] = {.450481641481, .363764244432, .171434423240, .056169583896};
    int                 kind;
    for (kind = 0; kind < 3; ++kind) test_gradient(kind);
    for (kind = 0; kind < 3; ++kind) test_hmc(kind, broken_phase);
    for (kind = 0; kind < 3; kind += 2) test_mixed(kind, broken_phase);
    return test_end();
}
