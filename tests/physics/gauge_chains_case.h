/* gauge_chains_case.h: Metropolis and HMC through a flow for one instance of test_gauge_chains.c, with a flow that is neither
 * trained nor the identity. Include it with CASE (the instance's name) and COLOURS. */
#define CASE_PASTE2(a, b) a##_##b
#define CASE_PASTE(a, b)  CASE_PASTE2(a, b)
#define C(name)           CASE_PASTE(CASE, name)

static void C(metropolis)(C(flow) *flow, const C(theory) *theory, int steps, lft_arena arena)
{
    static double sum[64], mixed[64], S[64];
    C(chain_desc) d;
    C(chain)      chain;
    C(hmc_desc)   h;
    C(hmc)        hmc;
    lft_error     e;
    const int     V = flow->lattice.volume;
    const double  beta = theory->coupling[0];
    size_t        n = 0;
    lft_weights   w;
    int           i, k, started = 1;
    memset(&d, 0, sizeof d), memset(&h, 0, sizeof h), memset(sum, 0, sizeof sum), memset(mixed, 0, sizeof mixed);
    d.seed = 21;
    check_true("Metropolis: chains", C(chain_init)(&chain, flow, theory, &d, &arena, &e) == LFT_OK);
    for (i = -50; i < steps; ++i) {
        if (C(chain_next)(&chain)) break;
        for (k = 0; k < 64; ++k) logw[n++] = chain.proposal_logw[k];
        C(action)(theory, &chain.x, S);
        for (k = 0; i >= 0 && k < 64; ++k) sum[k] -= S[k] / (beta * V);
    }
    w = lft_weigh(logw, n);
    printf("    acceptance %.3f, ess %.3f\n", (double)chain.accepted / (64.0 * (double)chain.steps), w.ess);
    check_true("Metropolis: all steps, moves and rejections", i == steps && chain.accepted > chain.steps * 6 &&
                                                                  chain.accepted < chain.steps * 60);
    check_chains("Metropolis: mean plaquette", sum, 64, steps, torus_plaquette(COLOURS, beta, V));
    check_sigma("proposals: log Z", w.logz, torus_log_z(COLOURS, beta, V), w.logz_error);

    /* a chain that goes on from what HMC makes of it, and back */
    h.extent[0] = flow->lattice.extent[0], h.extent[1] = flow->lattice.extent[1], h.chains = 64, h.steps = 4, h.seed = 5;
    check_true("mixed: HMC", C(hmc_init)(&hmc, theory, &h, &arena, &e) == LFT_OK);
    for (i = 0; i < steps / 5 && started; ++i) {
        started = !C(hmc_start)(&hmc, &chain.x) && !C(hmc_next)(&hmc) && !C(chain_start)(&chain, &hmc.x) && !C(chain_next)(&chain);
        C(action)(theory, &chain.x, S);
        for (k = 0; k < 64; ++k) mixed[k] -= S[k] / (beta * V);
    }
    check_true("mixed: HMC and the flow's proposals in turn", started);
    check_chains("mixed: mean plaquette", mixed, 64, steps / 5, torus_plaquette(COLOURS, beta, V));
}

static void C(through)(C(flow) *flow, const C(theory) *theory, int trajectories, int chains, lft_arena arena)
{
    static double sum[64], S[64], dH[64];
    C(pullback)   p;
    C(hmc_desc)   d;
    C(hmc)        hmc;
    C(batch)      x;
    lft_error     e;
    const int     V = flow->lattice.volume;
    const double  beta = theory->coupling[0];
    double        largest = 0;
    int           i, k, good = 1;
    memset(&d, 0, sizeof d), memset(&x, 0, sizeof x), memset(sum, 0, sizeof sum), memset(dH, 0, sizeof dH);
    d.extent[0] = flow->lattice.extent[0], d.extent[1] = flow->lattice.extent[1];
    d.chains = chains, d.steps = 4, d.seed = 8, d.start = LFT_START_HOT;
    check_true("through a flow: init", !C(pullback_init)(&p, flow, theory, &arena) &&
                                           !C(hmc_init)(&hmc, &p.theory, &d, &arena, &e) &&
                                           !C(batch_init)(&x, &flow->lattice, chains, &arena, &e));
    for (i = -10; i < trajectories && good; ++i) {
        good = !C(hmc_next)(&hmc) && !C(pullback_map)(&p, &hmc.x, &x);
        C(action)(theory, &x, S);
        for (k = 0; i >= 0 && k < chains; ++k) sum[k] -= S[k] / (beta * V), dH[k] += exp(-hmc.dH[k]);
        for (k = 0; k < chains; ++k) largest = fmax(largest, fabs(hmc.dH[k]));
    }
    check_true("through a flow: trajectories", good && p.status == LFT_OK && largest > 1e-4);
    check_chains("through a flow: mean plaquette", sum, chains, trajectories, torus_plaquette(COLOURS, beta, V));
    check_chains("through a flow: exp(-dH)", dH, chains, trajectories, 1);
}

/* Where the flow samples the theory exactly, nothing pushes: trajectories are geodesics. */
static void C(geodesics)(void)
{
    static const int extent[] = {2, 1};
    lft_arena        arena = lft_arena_of(memory, sizeof memory);
    C(flow)          flow;
    C(theory)        theory = C(theory_of)(1, 0.3);
    C(pullback)      p;
    C(hmc_desc)      d;
    C(hmc)           hmc;
    lft_error        e;
    double           largest = 0;
    int              i, k, good;
    memset(&d, 0, sizeof d);
    d.extent[0] = 2, d.extent[1] = 1, d.chains = 8, d.steps = 2, d.start = LFT_START_HOT;
    good = !C(make)(&flow, extent, 1, 0, 0, lft_pool_openmp(1), &arena, &e);
    flow.params.value[0] = flow.params.value[1] = 0.3;
    C(flow_prepare)(&flow);
    good = good && !C(pullback_init)(&p, &flow, &theory, &arena) && !C(hmc_init)(&hmc, &p.theory, &d, &arena, &e);
    for (i = 0; i < 3 && good; ++i) {
        good = !C(hmc_next)(&hmc);
        for (k = 0; k < 8; ++k) largest = fmax(largest, fabs(hmc.dH[k]));
    }
    check_true("an exact flow: trajectories", good && hmc.accepted == 24);
    check_below("an exact flow: dH", largest, 1e-11);
}

static void C(case)(double beta, int steps, int trajectories, int chains)
{
    static const int extent[] = {2, COLOURS == 1 ? 3 : 2};
    lft_arena        arena = lft_arena_of(memory, sizeof memory);
    C(flow)          flow;
    C(theory)        theory;
    lft_error        e;
    printf("---- %s\n", COLOURS == 1 ? "U(1)" : "SU(2)");
    check_true("a flow", C(make)(&flow, extent, 1, 0.1, 0.3, lft_pool_openmp(1), &arena, &e) == LFT_OK);
    check_true("a theory", C(wilson_init)(&theory, beta, 0, &e) == LFT_OK);
    C(metropolis)(&flow, &theory, steps, arena);
    C(through)(&flow, &theory, trajectories, chains, arena);
    C(geodesics)();
}

#undef C
#undef CASE
#undef COLOURS
