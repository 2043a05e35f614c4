/* 82_metropolis.h: independence Metropolis: the samples of a flow, accepted or rejected, are an exact Markov chain.
 * Offers: LFT_(chain_desc), LFT_(chain), LFT_(chain_init)(), LFT_(chain_bytes)(), LFT_(chain_next)(), LFT_(chain_start)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default. */
typedef struct LFT_(chain_desc) {
    int      chains; /* independent chains, which advance together: 64 */
    uint64_t seed;   /* of proposals and decisions; every number is a seed, 0 too */
} LFT_(chain_desc);

/* Chains whose proposals are a flow's samples. All that a chain is stands in these members and may be saved and put back:
 * rounds is the address of the random numbers to come. acceptance = accepted / (steps chains). */
typedef struct LFT_(chain) {
    LFT_(flow)         *flow;
    const LFT_(theory) *theory;
    int                 chains;
    uint64_t            seed;
    LFT_(batch)         x;        /* the current configurations, one per chain */
    LFT_(batch)         proposal; /* the last round of proposals, accepted or not */
    double             *logw;     /* [chains] log-weights -S - log q of x */
    double             *proposal_logw; /* [chains] those of the last round: independent samples of the flow, whatever the
                                          chains make of them, so lft_weigh() of all rounds gives ESS and log Z */
    uint64_t           *run;       /* [chains] steps since the chain last moved */
    uint64_t            rounds;    /* of proposals so far: those of the start and one per step */
    uint64_t            steps;     /* calls of chain_next */
    uint64_t            accepted;  /* of all chains */
    uint64_t            nonfinite; /* proposals without a finite log-weight, those of the start included */
    uint64_t            longest;   /* rejection run of any chain */
    lft_error           error;     /* of the last call that failed */
    LFT_(batch)         ahead;      /* fewer chains than lanes: the proposals of as many rounds as there is room for in a group */
    double             *ahead_logq; /* [ahead.n] */
    uint64_t           *ahead_of;   /* [3] the first of these rounds, how many (0: none yet), their seed: beside what it is about */
} LFT_(chain);

/* Lays the chains out in the arena and starts each from its first proposal of finite log-weight. Flow and theory must
 * outlive the chains; the couplings and the parameters may not change between two steps (proposals may be drawn some rounds ahead:
 * they do not depend on where chains are). LFT_ERR_ARG, LFT_ERR_NOMEM, what flow_sample returns, and LFT_ERR_NONFINITE if a chain
 * found no start in 1000 rounds. */
LFT_API lft_status LFT_(chain_init)(LFT_(chain) *chain, LFT_(flow) *flow, const LFT_(theory) *theory,
                                    const LFT_(chain_desc) *desc, lft_arena *arena, lft_error *error);

/* Bytes that chain_init takes from an arena of any alignment for a flow on this lattice; 0 if the desc is not legal. */
LFT_API size_t LFT_(chain_bytes)(const LFT_(lattice) *lattice, const LFT_(chain_desc) *desc);

/* One step of every chain: chain c proposes x' = sample number rounds * chains + c of the flow, and moves there with
 * probability min(1, w(x') / w(x)), w = exp(-S - log q). A proposal without a finite log-weight (an action that overflows, a
 * flow that does) is not accepted. The same for any number of lanes and threads, the latter bit for bit.
 * Chains that are at most half as many as lanes cost about as much per proposal as those that fill them.
 * Returns what flow_sample returns but LFT_ERR_NONFINITE; the chains then stay as they are. */
LFT_API lft_status LFT_(chain_next)(LFT_(chain) *chain);

/* Goes on from these configurations, the i-th in chain i, e.g. after a trajectory of HMC in between: a chain that mixes two
 * samplers of the same density. Their log q is computed, by the inverse of the flow. LFT_ERR_MISMATCH if extents or number
 * differ, or what flow_logq returns; LFT_ERR_NONFINITE if a log-weight is not finite; the chains then stay as they are. */
LFT_API lft_status LFT_(chain_start)(LFT_(chain) *chain, const LFT_(batch) *x);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC lft_status LFT_P(chain_layout)(LFT_(chain) *chain, const LFT_(lattice) *lattice,
                                            const LFT_(chain_desc) *desc, lft_arena *arena, lft_error *error)
{
    const int    chains = desc->chains ? desc->chains : 64;
    const size_t n      = (size_t)(chains > 0 ? chains : 0);
    lft_status   status;
    lft_p_zero(chain, sizeof *chain);
    chain->chains = chains;
    chain->seed   = desc->seed;
    status        = LFT_(batch_init)(&chain->x, lattice, chains, arena, error);
    if (status && status != LFT_ERR_NOMEM) return status;
    (void)LFT_(batch_init)(&chain->proposal, lattice, chains, arena, NULL);
    chain->logw          = (double *)lft_arena_alloc(arena, n, sizeof(double));
    chain->proposal_logw = (double *)lft_arena_alloc(arena, n, sizeof(double));
    chain->run           = (uint64_t *)lft_arena_alloc(arena, n, sizeof(uint64_t));
    if (chains <= LFT_P_LANES / 2) {
        const int ahead = LFT_P_LANES / chains * chains;
        (void)LFT_(batch_init)(&chain->ahead, lattice, ahead, arena, NULL);
        chain->ahead_logq = (double *)lft_arena_alloc(arena, (size_t)ahead, sizeof(double));
        chain->ahead_of   = (uint64_t *)lft_arena_alloc(arena, 3, sizeof(uint64_t));
        if (chain->ahead_of) lft_p_zero(chain->ahead_of, 3 * sizeof(uint64_t));
    }
    return lft_arena_check(arena, error, "chain"); /* with the need of all */
}

LFT_API size_t LFT_(chain_bytes)(const LFT_(lattice) *lattice, const LFT_(chain_desc) *desc)
{
    LFT_(chain) chain;
    lft_arena   measure = lft_arena_measure();
    return LFT_P(chain_layout)(&chain, lattice, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

/* Does chain i move to its proposal? While the chains are started, those without a configuration take what is finite. */
LFT_P_STATIC int LFT_P(chain_moves)(const LFT_(chain) *chain, int i)
{
    const double   d = chain->proposal_logw[i] - chain->logw[i];
    const uint64_t number = chain->rounds * (uint64_t)chain->chains + (uint64_t)i;
    if (!lft_finite(chain->proposal_logw[i])) return 0;
    if (!lft_finite(chain->logw[i])) return 1;
    if (!chain->steps) return 0;
    return d >= 0 || lft_uniform(lft_draw_of(chain->seed, LFT_DRAW_ACCEPT, number, 0), 0) < lft_p_f64_p_exp(d);
}

/* One group of proposals: their log-weights out of log q, the decisions, and the moves. */
LFT_P_STATIC void LFT_P(chain_task)(void *context, int group, int thread)
{
    LFT_(chain)   *chain = (LFT_(chain) *)context;
    const lft_v   *from  = LFT_P(view)(LFT_P(group)(&chain->proposal, group));
    lft_v         *to    = LFT_P(view)(LFT_P(group)(&chain->x, group));
    double         S[LFT_P_LANES], moves[LFT_P_LANES];
    const size_t   n     = LFT_P(field_vectors)(&chain->x.lattice);
    lft_m          mask;
    size_t         x;
    int            l, any = 0;
    (void)thread;
    chain->theory->action(chain->theory, &chain->x.lattice, (const lft_real *)from, S, NULL);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int i = group * LFT_P_LANES + l;
        moves[l]    = 0;
        if (i >= chain->chains) continue;
        chain->proposal_logw[i] = -S[l] - chain->proposal_logw[i];
        chain->run[i] += 1;
        if (!LFT_P(chain_moves)(chain, i)) continue;
        chain->logw[i] = chain->proposal_logw[i];
        chain->run[i]  = 0;
        moves[l]       = 1;
        any            = 1;
    }
    mask = LFT_P(lt)(lft_splat(0), LFT_P(from_wide)(moves));
    for (x = 0; any && x < n; ++x) to[x] = lft_sel(mask, from[x], to[x]);
}

/* The next round, out of a group that holds several: the numbers of their samples follow one another. */
LFT_P_STATIC lft_status LFT_P(chain_ahead)(LFT_(chain) *chain, uint64_t first)
{
    uint64_t       *of   = chain->ahead_of;
    const lft_real *from = chain->ahead.data;
    lft_real       *to   = chain->proposal.data;
    const size_t    n    = LFT_P(field_vectors)(&chain->x.lattice);
    lft_status      status;
    size_t          x;
    int             l, skip;
    if (chain->rounds - of[0] >= of[1] || chain->seed != of[2]) {
        of[1]  = 0;
        status = LFT_(flow_sample)(chain->flow, chain->seed, first, &chain->ahead, chain->ahead_logq);
        if (status && status != LFT_ERR_NONFINITE) return status;
        of[0] = chain->rounds, of[1] = (uint64_t)(chain->ahead.n / chain->chains), of[2] = chain->seed;
    }
    skip = (int)(chain->rounds - of[0]) * chain->chains;
    for (x = 0; x < n; ++x, from += LFT_P_LANES, to += LFT_P_LANES) { /* lanes without a chain get others, no garbage */
        for (l = 0; l < LFT_P_LANES; ++l) to[l] = from[(skip + l) % LFT_P_LANES];
    }
    for (l = 0; l < chain->chains; ++l) chain->proposal_logw[l] = chain->ahead_logq[skip + l];
    return LFT_OK;
}

/* One round of proposals. A flow that overflows in one lane has still computed the others: their log-weights tell. */
LFT_P_STATIC lft_status LFT_P(chain_round)(LFT_(chain) *chain)
{
    const uint64_t first = chain->rounds * (uint64_t)chain->chains;
    lft_status     status;
    int            i;
    if (chain->ahead.n) status = LFT_P(chain_ahead)(chain, first);
    else status = LFT_(flow_sample)(chain->flow, chain->seed, first, &chain->proposal, chain->proposal_logw);
    if (status && status != LFT_ERR_NONFINITE) {
        chain->error = chain->flow->error;
        return status;
    }
    lft_p_pool_run(&chain->flow->pool, chain->x.groups, LFT_P(chain_task), chain);
    chain->rounds += 1;
    for (i = 0; i < chain->chains; ++i) {
        if (!lft_finite(chain->proposal_logw[i])) chain->nonfinite += 1;
    }
    return LFT_OK;
}

LFT_P_STATIC int LFT_P(chain_missing)(const LFT_(chain) *chain)
{
    int i, missing = 0;
    for (i = 0; i < chain->chains; ++i) missing += !lft_finite(chain->logw[i]);
    return missing;
}

LFT_API lft_status LFT_(chain_init)(LFT_(chain) *chain, LFT_(flow) *flow, const LFT_(theory) *theory,
                                    const LFT_(chain_desc) *desc, lft_arena *arena, lft_error *error)
{
    const int  most   = 1000;
    lft_status status = LFT_P(chain_layout)(chain, &flow->lattice, desc, arena, error);
    int        i, missing = chain->chains;
    chain->flow   = flow;
    chain->theory = theory;
    if (status || lft_arena_measuring(arena)) return status;
    for (i = 0; i < chain->chains; ++i) lft_p_set_nan(chain->logw + i); /* has no configuration yet */
    for (i = 0; i < most && missing && !status; ++i) {
        status  = LFT_P(chain_round)(chain);
        missing = LFT_P(chain_missing)(chain);
    }
    if (!status && missing) {
        status = lft_p_fail_got(&chain->error, LFT_ERR_NONFINITE, "chain",
                                "chains without a proposal of finite log-weight in 1000 rounds", "0", missing);
    }
    if (status && error) *error = chain->error;
    for (i = 0; i < chain->chains; ++i) chain->run[i] = 0;
    return status;
}

LFT_API lft_status LFT_(chain_next)(LFT_(chain) *chain)
{
    lft_status status;
    int        i;
    chain->steps += 1;
    status = LFT_P(chain_round)(chain);
    if (status) {
        chain->steps -= 1;
        return status;
    }
    for (i = 0; i < chain->chains; ++i) {
        if (!chain->run[i]) chain->accepted += 1;
        if (chain->run[i] > chain->longest) chain->longest = chain->run[i];
    }
    return LFT_OK;
}

/* The room of the last proposals, which are over, takes the new log-weights until they are known to be good. */
LFT_API lft_status LFT_(chain_start)(LFT_(chain) *chain, const LFT_(batch) *x)
{
    double    *logw = chain->proposal_logw, S[LFT_P_LANES];
    lft_status status;
    int        g, l, i;
    if (x->n != chain->chains) {
        return lft_p_fail_got(&chain->error, LFT_ERR_MISMATCH, "chain", "configurations to start from", "one per chain", x->n);
    }
    status = LFT_(flow_logq)(chain->flow, x, logw);
    if (status) {
        chain->error = chain->flow->error;
        return status;
    }
    for (g = 0; g < x->groups; ++g) {
        chain->theory->action(chain->theory, &x->lattice, LFT_P(group)(x, g), S, NULL);
        for (l = 0; l < LFT_P_LANES && g * LFT_P_LANES + l < x->n; ++l) {
            i       = g * LFT_P_LANES + l;
            logw[i] = -S[l] - logw[i];
            if (lft_finite(logw[i])) continue;
            return lft_p_fail_got(&chain->error, LFT_ERR_NONFINITE, "chain", "log-weight", "a finite number in chain", i);
        }
    }
    lft_p_copy(chain->logw, logw, (size_t)chain->chains * sizeof(double));
    lft_p_copy(chain->x.data, x->data, LFT_P(group_reals)(x) * (size_t)x->groups * sizeof(lft_real));
    for (i = 0; i < chain->chains; ++i) chain->run[i] = 0;
    return LFT_OK;
}

#endif /* LFT_P_CODE */
