/* 91_pullback.h: a theory in the variables of a flow: HMC through the flow as a change of variables.
 * Offers: LFT_(pullback), LFT_(pullback_init)(), _bytes, _map. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* S'(eta) = S(f(z)) - log |det df/dz|, z = H(sigma eta) as the flow's prior draws it, of links z = eta: if eta has the density
 * exp(-S'), then f(z) has the density exp(-S), whatever the flow is; and S' = sum eta^2 / 2 + const, of links const, for a
 * flow that samples exp(-S) exactly (trivializing map, 0907.5491). As exact as log q is: see LFT_(flow_logq_error)(). An action
 * costs a sample of the flow, its gradient about four. */
typedef struct LFT_(pullback) {
    LFT_(theory)        theory; /* for hmc_init and others; serial pools only, for its work has no threads */
    LFT_(flow)         *flow;
    const LFT_(theory) *base; /* S */
    lft_status          status; /* of the first action that failed: its S is not finite, and a trajectory is rejected */
    void               *state;
} LFT_(pullback);

/* Flow, base and *pullback stay where they are as long as pullback->theory is used. The flow keeps its extents: LFT_ERR_ARG
 * otherwise; LFT_ERR_NOMEM; text in flow->error. */
LFT_API lft_status LFT_(pullback_init)(LFT_(pullback) *pullback, LFT_(flow) *flow, const LFT_(theory) *base,
                                       lft_arena *arena);
LFT_API size_t LFT_(pullback_bytes)(LFT_(flow) *flow);

/* x = f(z(eta)) of every configuration; x may be eta. Errors as of LFT_(flow_map)(), text in flow->error. */
LFT_API lft_status LFT_(pullback_map)(LFT_(pullback) *pullback, const LFT_(batch) *eta, LFT_(batch) *x);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(pullback_state) {
    LFT_P(flow_work) work;
    unsigned char   *tape;
} LFT_P(pullback_state);

LFT_P_STATIC void LFT_P(pullback_action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *eta,
                                         double *S, lft_real *dS)
{
    LFT_(pullback)          *p     = (LFT_(pullback) *)theory->user;
    LFT_P(pullback_state)   *s     = (LFT_P(pullback_state) *)p->state;
    const LFT_P(flow_state) *f     = LFT_P(flow_state_of)(p->flow);
    lft_v                   *dx    = dS ? LFT_P(view)(dS) : NULL;
    double                   logdet[LFT_P_LANES], minus[LFT_P_LANES];
    lft_status               status;
    int                      l;
    LFT_P(copy_field)(s->work.x, LFT_P(const_view)(eta), lattice);
    LFT_P(prior_scale)(&f->prior, s->work.x, 0, s->work.scratch);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0, minus[l] = -1;
    status = LFT_P(flow_push)(p->flow, &s->work, NULL, logdet, NULL, dS ? s->tape : NULL, 0);
    p->base->action(p->base, lattice, (const lft_real *)s->work.x, S, dS);
    for (l = 0; l < LFT_P_LANES; ++l) {
        S[l] -= logdet[l];
        if (!status && !lft_finite(S[l])) status = LFT_ERR_NONFINITE;
    }
    if (dS) {
        const lft_status back = LFT_P(flow_backward)(p->flow, 0, &s->work, s->tape, dx, minus, NULL);
        if (!status) status = back;
        LFT_P(prior_scale)(&f->prior, dx, 1, s->work.scratch);
    }
    if (status && !p->status) p->status = status;
}

LFT_API lft_status LFT_(pullback_init)(LFT_(pullback) *p, LFT_(flow) *flow, const LFT_(theory) *base, lft_arena *arena)
{
    LFT_P(flow_state)     *f = LFT_P(flow_state_of)(flow);
    LFT_P(pullback_state) *s = (LFT_P(pullback_state) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    const size_t           scratch = f->work[0].scratch.size;
    lft_status             status  = LFT_P(flow_fits)(flow, &flow->lattice, &flow->layer[0].in);
    lft_p_zero(p, sizeof *p);
    p->flow  = flow;
    p->base  = base;
    p->state = s;
    if (status) return lft_p_fail(&flow->error, LFT_ERR_ARG, "pullback", "expected a flow that keeps its extents, got doublings");
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    s->work.x       = LFT_P(vectors)(arena, f->volume * LFT_P_SITE);
    s->work.other   = LFT_P(vectors)(arena, f->volume * LFT_P_SITE);
    s->work.scratch = lft_arena_of(lft_arena_take(arena, scratch, 1), scratch);
    s->tape         = (unsigned char *)lft_arena_take(arena, LFT_P(flow_tape_bytes)(flow, 0), 1);
    if (base) p->theory = *base;
    p->theory.name   = "pullback";
    p->theory.user   = p;
    p->theory.action = LFT_P(pullback_action);
    return lft_arena_check(arena, &flow->error, "pullback");
}

LFT_API size_t LFT_(pullback_bytes)(LFT_(flow) *flow)
{
    LFT_(pullback) p;
    lft_arena      measure = lft_arena_measure();
    return LFT_(pullback_init)(&p, flow, NULL, &measure) == LFT_OK ? measure.need : 0;
}

LFT_API lft_status LFT_(pullback_map)(LFT_(pullback) *p, const LFT_(batch) *eta, LFT_(batch) *x)
{
    LFT_P(pullback_state) *s      = (LFT_P(pullback_state) *)p->state;
    lft_status             status = LFT_P(flow_fits)(p->flow, &eta->lattice, &p->flow->lattice), one;
    double                 logdet[LFT_P_LANES];
    int                    g, l;
    if (!status) status = LFT_P(flow_fits)(p->flow, &x->lattice, &eta->lattice);
    if (!status && x->n != eta->n) {
        status = lft_p_fail_got(&p->flow->error, LFT_ERR_MISMATCH, "pullback", "n", "batches of the same size", x->n);
    }
    for (g = 0; g < eta->groups && !(status && status != LFT_ERR_NONFINITE); ++g) {
        LFT_P(copy_field)(s->work.x, LFT_P(view)(LFT_P(group)(eta, g)), &eta->lattice);
        LFT_P(prior_scale)(&LFT_P(flow_state_of)(p->flow)->prior, s->work.x, 0, s->work.scratch);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
        one = LFT_P(flow_push)(p->flow, &s->work, NULL, logdet, NULL, NULL, 0);
        if (one && !status) {
            status         = one;
            p->flow->error = s->work.error;
        }
        LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(x, g)), s->work.x, &x->lattice);
    }
    return status;
}

#endif /* LFT_P_CODE */
