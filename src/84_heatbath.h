/* 84_heatbath.h: heat bath with overrelaxation for Wilson's plaquette action, many independent chains at a time.
 * Offers: LFT_(heatbath_desc), LFT_(heatbath), LFT_(heatbath_init)(), LFT_(heatbath_bytes)(), LFT_(heatbath_start)(),
 *         LFT_(heatbath_next)(), LFT_(heatbath_thermalise)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default, -1 none. */
typedef struct LFT_(heatbath_desc) {
    int       extent[LFT_DIM]; /* at least 2: a plaquette may not hold a link twice */
    int       chains;          /* independent chains, which advance together: 64 */
    int       overrelax;       /* sweeps of overrelaxation after each sweep of the heat bath: 2 */
    lft_start start;           /* cold; a hot start is that of HMC with the same seed */
    uint64_t  seed;            /* every number is a seed, 0 too */
    lft_pool  pool;            /* serial; lane groups are the tasks */
} LFT_(heatbath_desc);

/* The chains. The next update depends on x, desc.overrelax, the couplings and drawn alone: with these saved a run resumes. */
typedef struct LFT_(heatbath) {
    LFT_(heatbath_desc) desc; /* with the defaults filled in */
    const LFT_(theory) *theory;
    LFT_(batch)         x;      /* the current configurations, one per chain */
    uint64_t            drawn;  /* updates ever: the address of the random numbers to come, which repeat after 2^32 */
    uint64_t            sweeps; /* of each chain, of both kinds, since init or the last heatbath_thermalise */
    lft_error           error;  /* of the last call that failed */
    void               *state;
} LFT_(heatbath);

/* Lays the chains out in the arena. The theory is "wilson" with c1 = 0 and must outlive them; beta may be changed between
 * updates, and have either sign. LFT_ERR_ARG: extents below 2, another theory, c1; LFT_ERR_NOMEM; text in *error (may be
 * NULL). After it, nothing allocates. */
static inline lft_status LFT_(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                             const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error);

/* Bytes that heatbath_init takes from an arena of any alignment; 0 if the desc is not legal. */
LFT_API size_t LFT_(heatbath_bytes)(const LFT_(heatbath_desc) *desc);

/* Goes on from these configurations, the i-th for chain i. LFT_ERR_MISMATCH if extents or number differ. */
LFT_API lft_status LFT_(heatbath_start)(LFT_(heatbath) *bath, const LFT_(batch) *x);

/* One update of every chain: a sweep in which each link is drawn anew given its staples, then desc.overrelax sweeps in which
 * each link is moved as far as it goes at constant action; then all links are made unitary again. A sweep goes through the
 * links in the order of memory, so each sees those before it already changed. SU(2): Kennedy and Pendleton with a tighter
 * envelope; SU(3): Cabibbo and Marinari, three subgroups SU(2); U(1): Best and Fisher. Chain c depends on the seed, c, drawn and
 * its configuration, not on the number of chains, lanes or threads (bit for bit except for lanes: rounding may decide
 * between two attempts). LFT_ERR_ARG: as init; LFT_ERR_NONFINITE: a link of a chain, or beta times its staples, was not
 * finite; the other chains have advanced. O(chains volume (1 + overrelax)). */
LFT_API lft_status LFT_(heatbath_next)(LFT_(heatbath) *bath);

/* n updates; the sweeps count from there. */
LFT_API lft_status LFT_(heatbath_thermalise)(LFT_(heatbath) *bath, int n);

LFT_API lft_status LFT_P_SIGNED(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                               const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error);

static inline lft_status LFT_(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                             const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error)
{
    return LFT_P_SIGNED(heatbath_init)(bath, theory, desc, arena, error);
}

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- setting up --------------------------------------------------------------------------------------------------- */

static inline lft_status LFT_P(heatbath_defaults)(LFT_(heatbath_desc) *d, lft_error *error)
{
    int mu;
    if (!d->chains) d->chains = 64;
    if (!d->overrelax) d->overrelax = 2;
    if (!d->start) d->start = LFT_START_COLD;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (d->extent[mu] < 2) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "extent",
                                  "at least 2 (else a link stands twice in its plaquettes)", d->extent[mu]);
        }
    }
    if (d->overrelax < -1) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "overrelax", "an integer >= -1", d->overrelax);
    }
    if (d->start != LFT_START_COLD && d->start != LFT_START_HOT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "start", "1 (cold) or 2 (hot)", (int)d->start);
    }
    return LFT_OK;
}

/* The conditional density of a link is known for one theory only. */
static inline lft_status LFT_P(heatbath_theory)(const LFT_(theory) *theory, lft_error *error)
{
    if (lft_p_order(theory->name, "wilson") != 0) {
        return lft_p_fail(error, LFT_ERR_ARG, "heat bath", "the theory is not \"wilson\"");
    }
    if (theory->coupling[1] < 0 || theory->coupling[1] > 0 || !lft_finite(theory->coupling[1])) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "c1, the weight of rectangles", "0", theory->coupling[1]);
    }
    if (!lft_finite(theory->coupling[0])) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "beta", "a finite number", theory->coupling[0]);
    }
    return LFT_OK;
}

/* The state is one number for each lane group: 1 + the first chain that failed, 0 for none. */
static inline lft_status LFT_P(heatbath_layout)(LFT_(heatbath) *bath, const LFT_(heatbath_desc) *desc, lft_arena *arena,
                                                lft_error *error)
{
    LFT_(lattice) lattice;
    lft_status    status;
    lft_p_zero(bath, sizeof *bath);
    lft_p_zero(&lattice, sizeof lattice);
    bath->desc = *desc;
    status     = LFT_P(heatbath_defaults)(&bath->desc, error);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, desc->extent, error);
    if (!status) status = LFT_(batch_init)(&bath->x, &lattice, bath->desc.chains, arena, error);
    if (status && status != LFT_ERR_NOMEM) return status; /* the check below has the need of all */
    bath->state = lft_arena_alloc(arena, (size_t)bath->x.groups, sizeof(int));
    return lft_arena_check(arena, error, "heat bath");
}

static inline void LFT_P(heatbath_hot_task)(void *context, int group, int thread)
{
    const LFT_(heatbath) *bath = (const LFT_(heatbath) *)context;
    (void)thread;
    LFT_P(group_haar)(lft_draw_of(bath->desc.seed, LFT_DRAW_INIT, (uint64_t)group * LFT_P_LANES, 0), &bath->x.lattice,
                      LFT_P(view)(LFT_P(group)(&bath->x, group)));
}

LFT_API lft_status LFT_P_SIGNED(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                               const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error)
{
    lft_status status = LFT_P(heatbath_layout)(bath, desc, arena, error);
    bath->theory = theory;
    if (!status) status = LFT_P(heatbath_theory)(theory, error);
    if (status || lft_arena_measuring(arena)) return status;
    if (bath->desc.start == LFT_START_HOT) {
        lft_p_pool_run(&bath->desc.pool, bath->x.groups, LFT_P(heatbath_hot_task), bath);
    }
    return LFT_OK;
}

LFT_API size_t LFT_(heatbath_bytes)(const LFT_(heatbath_desc) *desc)
{
    LFT_(heatbath) bath;
    lft_arena      measure = lft_arena_measure();
    return LFT_P(heatbath_layout)(&bath, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

LFT_API lft_status LFT_(heatbath_start)(LFT_(heatbath) *bath, const LFT_(batch) *x)
{
    return LFT_P(batch_start)(&bath->x, x, "heat bath", &bath->error);
}

/* ---- all chains ----------------------------------------------------------------------------------------------------- */

static inline void LFT_P(heatbath_task)(void *context, int group, int thread)
{
    const LFT_(heatbath) *bath  = (const LFT_(heatbath) *)context;
    const LFT_P(walk)     walk  = LFT_P(walk_of)(&bath->x.lattice);
    const lft_draw        d     = lft_draw_of(bath->desc.seed, LFT_DRAW_HEATBATH, (uint64_t)group * LFT_P_LANES,
                                              (uint32_t)bath->drawn);
    const lft_real        k     = (lft_real)(bath->theory->coupling[0] / LFT_P_COLOURS);
    lft_v                *links = LFT_P(view)(LFT_P(group)(&bath->x, group));
    const lft_m           bad   = LFT_P(heat_update)(&walk, links, k, bath->desc.overrelax, &d);
    lft_int               of[LFT_P_LANES];
    int                   i, failed = 0;
    (void)thread;
    lft_p_copy(of, &bad, sizeof of);
    for (i = LFT_P_LANES - 1; i >= 0; --i) {
        const int chain = group * LFT_P_LANES + i;
        if (of[i] && chain < bath->x.n) failed = chain + 1;
    }
    ((int *)bath->state)[group] = failed;
}

LFT_API lft_status LFT_(heatbath_next)(LFT_(heatbath) *bath)
{
    const int *failed = (const int *)bath->state;
    lft_status status = LFT_P(heatbath_theory)(bath->theory, &bath->error);
    int        i;
    if (status) return status;
    lft_p_pool_run(&bath->desc.pool, bath->x.groups, LFT_P(heatbath_task), bath);
    bath->drawn += 1;
    bath->sweeps += 1 + (uint64_t)(bath->desc.overrelax > 0 ? bath->desc.overrelax : 0);
    for (i = 0; i < bath->x.groups && !failed[i]; ++i) {}
    if (i == bath->x.groups) return LFT_OK;
    return lft_p_fail_got(&bath->error, LFT_ERR_NONFINITE, "heat bath", "first chain whose links are not finite", "none",
                          failed[i] - 1);
}

LFT_API lft_status LFT_(heatbath_thermalise)(LFT_(heatbath) *bath, int n)
{
    lft_status status = LFT_OK;
    int        i;
    for (i = 0; i < n && !status; ++i) status = LFT_(heatbath_next)(bath);
    bath->sweeps = 0;
    return status;
}

#endif /* LFT_P_CODE */
