/* 83_hmc.h: Hybrid Monte Carlo, many independent chains at a time: the reference that flows are compared with.
 * Offers: lft_integrator, lft_start, LFT_(hmc_desc), LFT_(hmc), LFT_(hmc_init)(), LFT_(hmc_bytes)(), LFT_(hmc_start)(),
 *         LFT_(hmc_next)(), LFT_(hmc_thermalise)(), LFT_(hmc_reversibility)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_HMC_ENUMS
#define LFT_P_HMC_ENUMS
/* How the equations of motion of H = sum_x pi^2 / 2 + S(phi) are integrated. P(h): pi -= h dS/dphi, Q(h): phi += h pi. Both
 * are reversible, preserve volume and are of second order; an error that S does not see costs Omelyan's two forces per step
 * less than a tenth of leapfrog's one. */
typedef enum lft_integrator {
    LFT_LEAPFROG = 1, /* P(h/2) Q(h) P(h/2) */
    LFT_OMELYAN       /* P(z h) Q(h/2) P((1 - 2z) h) Q(h/2) P(z h), z = 0.1931833275037836, the default. Omelyan, Mryglod,
                         Folk, Comput. Phys. Commun. 151 (2003) 272, eq. 31 */
} lft_integrator;

typedef enum lft_start {
    LFT_START_COLD = 1, /* phi = 0, the default */
    LFT_START_HOT       /* phi(x) ~ N(0, 1) */
} lft_start;
#endif

/* Zero means the default, -1 none. */
typedef struct LFT_(hmc_desc) {
    int            extent[LFT_DIM];
    int            chains;     /* independent chains, which advance together: 64 */
    lft_integrator integrator; /* Omelyan */
    double         length;     /* of a trajectory, in the time of H above: 1 */
    double         jitter;     /* trajectories have length times 1 - jitter to 1 + jitter, uniformly: 0.2, below 1. A fixed
                                  length that is a period of some mode would never move that mode */
    int            steps;      /* per trajectory. By default hmc_thermalise chooses them, and it is 10 before */
    double         acceptance; /* that it aims at: 0.8. Cost alone would have it at 0.65 for both integrators, with hardly
                                  any difference in between, but then chains stick longer */
    lft_start      start;      /* cold */
    uint64_t       seed;       /* every number is a seed, 0 too */
    lft_pool       pool;       /* serial; threads are part of the byte query */
} LFT_(hmc_desc);

/* The chains. The next trajectory depends on x, steps, desc.length and drawn alone: with these saved a run resumes.
 * acceptance = accepted / (trajectories chains); exp_dH / (trajectories chains) is 1 within its error for an exact chain in
 * equilibrium: for that error put the mean of exp(-dH[c]) over the chains, or each by itself, into a series. */
typedef struct LFT_(hmc) {
    LFT_(hmc_desc)      desc; /* with the defaults filled in */
    const LFT_(theory) *theory;
    LFT_(batch)         x;            /* the current configurations, one per chain */
    double             *dH;           /* [chains] H(end) - H(beginning) of the last trajectory, accepted or not */
    int                 steps;        /* per trajectory */
    uint64_t            drawn;        /* trajectories ever: the address of the random numbers to come */
    uint64_t            trajectories; /* of each chain since init or the last hmc_thermalise; the sums below count from there */
    uint64_t            accepted;     /* of all chains */
    uint64_t            nonfinite;    /* trajectories that overflowed and were rejected */
    double              exp_dH;       /* sum of exp(-dH) over trajectories and chains */
    lft_error           error;        /* of the last call that failed */
    void               *state;
} LFT_(hmc);

/* Lays the chains out in the arena. The theory must outlive them; its couplings may be changed between trajectories.
 * LFT_ERR_ARG, LFT_ERR_NOMEM; text in *error (may be NULL). After it, nothing allocates. */
static inline lft_status LFT_(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                        lft_arena *arena, lft_error *error);

/* Bytes that hmc_init takes from an arena of any alignment; 0 if the desc is not legal. */
LFT_API size_t LFT_(hmc_bytes)(const LFT_(hmc_desc) *desc);

/* Goes on from these configurations, the i-th for chain i. LFT_ERR_MISMATCH if extents or number differ. */
LFT_API lft_status LFT_(hmc_start)(LFT_(hmc) *hmc, const LFT_(batch) *x);

/* One trajectory of every chain: normal momenta, integration, accepted with probability min(1, exp(-dH)). Chain c depends on
 * the seed, c, drawn and its configuration, not on the number of chains, lanes or threads (bit for bit except for lanes).
 * Energies are summed in double. LFT_ERR_NONFINITE: the action of a current configuration is not finite; that chain stays
 * where it is. O(chains steps volume). */
LFT_API lft_status LFT_(hmc_next)(LFT_(hmc) *hmc);

/* n trajectories; where desc.steps is 0 they choose the number of steps for those that follow. After each one the step size
 * e is changed by log e += g (a - acceptance), a being the mean of min(1, exp(-dH)) over the chains, g = 1 in the first half
 * and k^-0.6 in the k-th trajectory of the second; the geometric mean of the second half's step sizes, shortened until it
 * divides the length, is then kept. A few tens are enough for that, and the chains have to reach equilibrium before the
 * second half begins. The sums start afresh. LFT_ERR_NONFINITE as above; LFT_ERR_NOCONV if more than 10000 steps were needed. */
LFT_API lft_status LFT_(hmc_thermalise)(LFT_(hmc) *hmc, int n);

/* Integrates the next trajectory, turns the momenta round and integrates back, without changing any chain: the largest
 * |change of phi| over sites and chains, and the largest |change of H| over chains. Both are rounding errors, magnified by
 * the instability of the trajectory. LFT_ERR_NONFINITE. */
LFT_API lft_status LFT_(hmc_reversibility)(LFT_(hmc) *hmc, double *dphi, double *dH);

LFT_API lft_status LFT_P_SIGNED(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                          lft_arena *arena, lft_error *error);

static inline lft_status LFT_(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                        lft_arena *arena, lft_error *error)
{
    return LFT_P_SIGNED(hmc_init)(hmc, theory, desc, arena, error);
}

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* What one thread works in. */
typedef struct LFT_P(hmc_work) {
    lft_v  *phi, *pi, *dS; /* one group: field, momenta, dS/dphi */
    double *normal;        /* [volume] */
    int     failed;        /* 1 + a chain that failed, the smallest; 0 for none */
    double  dphi, dH;      /* the worst so far: reversibility */
} LFT_P(hmc_work);

typedef struct LFT_P(hmc_state) {
    LFT_P(hmc_work) *work; /* [threads] */
    int              threads;
} LFT_P(hmc_state);

/* What the tasks of one trajectory share. */
typedef struct LFT_P(hmc_job) {
    LFT_(hmc) *hmc;
    uint32_t   trajectory; /* counted from 1; draw 0 is the start */
    double     step;
    int        steps;
} LFT_P(hmc_job);

static inline LFT_P(hmc_state) *LFT_P(hmc_state_of)(const LFT_(hmc) *hmc)
{
    return (LFT_P(hmc_state) *)hmc->state;
}

/* ---- setting up --------------------------------------------------------------------------------------------------- */

static inline lft_status LFT_P(hmc_defaults)(LFT_(hmc_desc) *d, lft_error *error)
{
    if (!d->chains) d->chains = 64;
    if (!d->integrator) d->integrator = LFT_OMELYAN;
    if (!d->start) d->start = LFT_START_COLD;
    if (d->length <= 0 && d->length >= 0) d->length = 1;
    if (d->jitter <= 0) d->jitter = d->jitter < 0 ? 0 : 0.2;
    if (d->acceptance <= 0 && d->acceptance >= 0) d->acceptance = 0.8;
    if (d->integrator != LFT_LEAPFROG && d->integrator != LFT_OMELYAN) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "integrator", "1 (leapfrog) or 2 (Omelyan)", (int)d->integrator);
    }
    if (d->start != LFT_START_COLD && d->start != LFT_START_HOT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "start", "1 (cold) or 2 (hot)", (int)d->start);
    }
    if (!(d->length > 0) || !lft_finite(d->length)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "length", "a number > 0", d->length);
    }
    if (!(d->jitter < 1) || !lft_finite(d->jitter)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "jitter", "a number < 1", d->jitter);
    }
    if (d->steps < 0) return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "steps", "an integer >= 0", d->steps);
    if (!(d->acceptance > 0 && d->acceptance < 1) || !lft_finite(d->acceptance)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "acceptance", "between 0 and 1", d->acceptance);
    }
    return LFT_OK;
}

static inline lft_status LFT_P(hmc_layout)(LFT_(hmc) *hmc, const LFT_(hmc_desc) *desc, lft_arena *arena,
                                           lft_error *error)
{
    LFT_P(hmc_state) *s = (LFT_P(hmc_state) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(lattice)     lattice;
    lft_status        status;
    size_t            volume;
    int               i;
    lft_p_zero(hmc, sizeof *hmc);
    hmc->desc  = *desc;
    hmc->state = s;
    status     = LFT_P(hmc_defaults)(&hmc->desc, error);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, desc->extent, error);
    if (!status) status = LFT_(batch_init)(&hmc->x, &lattice, hmc->desc.chains, arena, error);
    if (status) return status;
    if (!s) s = &local;
    volume     = (size_t)lattice.volume;
    hmc->dH    = (double *)lft_arena_alloc(arena, (size_t)hmc->desc.chains, sizeof(double));
    hmc->steps = hmc->desc.steps ? hmc->desc.steps : 10;
    s->threads = lft_p_pool_threads(&hmc->desc.pool);
    s->work    = (LFT_P(hmc_work) *)lft_arena_alloc(arena, (size_t)s->threads, sizeof *s->work);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(hmc_work) first, *w = s->work ? s->work + i : &first;
        w->phi    = LFT_P(vectors)(arena, volume);
        w->pi     = LFT_P(vectors)(arena, volume);
        w->dS     = LFT_P(vectors)(arena, volume);
        w->normal = (double *)lft_arena_take(arena, volume, sizeof(double));
    }
    return lft_arena_check(arena, error, "hmc");
}

static inline void LFT_P(hmc_hot_task)(void *context, int group, int thread)
{
    const LFT_P(hmc_job) *job = (const LFT_P(hmc_job) *)context;
    LFT_(hmc)            *hmc = job->hmc;
    LFT_P(group_normals)(lft_draw_of(hmc->desc.seed, LFT_DRAW_INIT, (uint64_t)group * LFT_P_LANES, 0),
                         hmc->x.lattice.volume, (lft_v *)LFT_P(group)(&hmc->x, group),
                         LFT_P(hmc_state_of)(hmc)->work[thread].normal);
}

LFT_API lft_status LFT_P_SIGNED(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                          lft_arena *arena, lft_error *error)
{
    LFT_P(hmc_job) job;
    lft_status     status = LFT_P(hmc_layout)(hmc, desc, arena, error);
    hmc->theory = theory;
    if (status || lft_arena_measuring(arena)) return status;
    job.hmc = hmc;
    if (hmc->desc.start == LFT_START_HOT) {
        lft_p_pool_run(&hmc->desc.pool, hmc->x.groups, LFT_P(hmc_hot_task), &job);
    }
    return LFT_OK;
}

LFT_API size_t LFT_(hmc_bytes)(const LFT_(hmc_desc) *desc)
{
    LFT_(hmc) hmc;
    lft_arena measure = lft_arena_measure();
    return LFT_P(hmc_layout)(&hmc, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

LFT_API lft_status LFT_(hmc_start)(LFT_(hmc) *hmc, const LFT_(batch) *x)
{
    if (!LFT_P(same_lattice)(&x->lattice, &hmc->x.lattice)) {
        return lft_p_fail(&hmc->error, LFT_ERR_MISMATCH, "hmc", "the batch has other extents than the chains");
    }
    if (x->n != hmc->x.n) {
        return lft_p_fail_got(&hmc->error, LFT_ERR_MISMATCH, "hmc", "configurations to start from", "one per chain", x->n);
    }
    lft_p_copy(hmc->x.data, x->data, LFT_P(group_reals)(&x->lattice) * (size_t)x->groups * sizeof(lft_real));
    return LFT_OK;
}

/* ---- one group ------------------------------------------------------------------------------------------------------ */

/* P(a) and Q(b) in one sweep */
LFT_P_INLINE void LFT_P(hmc_kick)(lft_v *phi, lft_v *pi, const lft_v *dS, double a, double b, int volume)
{
    const lft_real ra = (lft_real)a, rb = (lft_real)b;
    int            x;
    for (x = 0; x < volume; ++x) {
        const lft_v p = pi[x] - ra * dS[x];
        pi[x]         = p;
        phi[x] += rb * p;
    }
}

/* K[lane] = sum_x pi^2 / 2 */
static inline void LFT_P(hmc_kinetic)(const lft_v *pi, int volume, double *K)
{
    int x, l, end;
    for (l = 0; l < LFT_P_LANES; ++l) K[l] = 0;
    for (x = 0; x < volume;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) part += pi[x] * pi[x];
        LFT_P(add_wide)(K, part);
    }
    for (l = 0; l < LFT_P_LANES; ++l) K[l] *= 0.5;
}

/* A trajectory of w->phi, w->pi; H[lane] at its two ends. Kick number i of 0 ... kicks follows a force: the last one of a
 * step and the first of the next are one. */
static inline void LFT_P(hmc_integrate)(const LFT_P(hmc_job) *job, LFT_P(hmc_work) *w, double *H0, double *H1)
{
    const LFT_(hmc)     *hmc     = job->hmc;
    const LFT_(lattice) *lattice = &hmc->x.lattice;
    const int            omelyan = hmc->desc.integrator == LFT_OMELYAN, kicks = omelyan ? 2 * job->steps : job->steps;
    const double         h = job->step, outer = omelyan ? 0.1931833275037836 * h : 0.5 * h, inner = h - 2 * outer;
    double               S[LFT_P_LANES], K[LFT_P_LANES];
    int                  i, l;
    LFT_P(hmc_kinetic)(w->pi, lattice->volume, K);
    for (i = 0; i <= kicks; ++i) {
        const int    end  = i == 0 || i == kicks;
        const double kick = end ? outer : omelyan && i % 2 ? inner : 2 * outer;
        hmc->theory->action(hmc->theory, lattice, (const lft_real *)w->phi, S, (lft_real *)w->dS);
        for (l = 0; i == 0 && l < LFT_P_LANES; ++l) H0[l] = S[l] + K[l];
        LFT_P(hmc_kick)(w->phi, w->pi, w->dS, kick, i == kicks ? 0 : omelyan ? 0.5 * h : h, lattice->volume);
    }
    LFT_P(hmc_kinetic)(w->pi, lattice->volume, K);
    for (l = 0; l < LFT_P_LANES; ++l) H1[l] = S[l] + K[l];
}

/* The group's configurations and new momenta into w. */
static inline void LFT_P(hmc_begin)(const LFT_P(hmc_job) *job, int group, LFT_P(hmc_work) *w)
{
    const LFT_(hmc) *hmc    = job->hmc;
    const int        volume = hmc->x.lattice.volume;
    const lft_draw   d =
        lft_draw_of(hmc->desc.seed, LFT_DRAW_MOMENTA, (uint64_t)group * LFT_P_LANES, job->trajectory);
    lft_p_copy(w->phi, LFT_P(group)(&hmc->x, group), (size_t)volume * sizeof(lft_v));
    LFT_P(group_normals)(d, volume, w->pi, w->normal);
}

static inline void LFT_P(hmc_note)(LFT_P(hmc_work) *w, int chain)
{
    if (!w->failed || chain + 1 < w->failed) w->failed = chain + 1;
}

static inline void LFT_P(hmc_task)(void *context, int group, int thread)
{
    const LFT_P(hmc_job) *job = (const LFT_P(hmc_job) *)context;
    LFT_(hmc)            *hmc = job->hmc;
    LFT_P(hmc_work)      *w   = LFT_P(hmc_state_of)(hmc)->work + thread;
    lft_v                *to  = (lft_v *)LFT_P(group)(&hmc->x, group);
    double                H0[LFT_P_LANES], H1[LFT_P_LANES], moves[LFT_P_LANES];
    lft_m                 mask;
    int                   l, x;
    LFT_P(hmc_begin)(job, group, w);
    LFT_P(hmc_integrate)(job, w, H0, H1);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int      c  = group * LFT_P_LANES + l;
        const double   dH = H1[l] - H0[l];
        const lft_draw d  = lft_draw_of(hmc->desc.seed, LFT_DRAW_ACCEPT, (uint64_t)c, job->trajectory);
        moves[l]          = 0;
        if (c >= hmc->x.n) continue;
        hmc->dH[c] = dH;
        if (!lft_finite(H0[l])) LFT_P(hmc_note)(w, c);
        if (lft_finite(dH) && (dH <= 0 || lft_uniform(d, 0) < lft_p_f64_p_exp(-dH))) moves[l] = 1;
    }
    for (l = 0; l < LFT_P_LANES && group * LFT_P_LANES + l < hmc->x.n; ++l) {
        hmc->moved[group * LFT_P_LANES + l] = moves[l] > 0;
    }
    mask = LFT_P(lt)(lft_splat(0), LFT_P(from_wide)(moves));
    for (x = 0; x < hmc->x.lattice.volume; ++x) to[x] = lft_sel(mask, w->phi[x], to[x]);
}
