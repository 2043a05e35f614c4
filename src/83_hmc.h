/* 83_hmc.h: Hybrid Monte Carlo, many independent chains at a time: the reference that flows are compared with.
 * Offers: lft_integrator, lft_start, LFT_(hmc_desc), LFT_(hmc), LFT_(hmc_init)(), LFT_(hmc_bytes)(), LFT_(hmc_start)(),
 *         LFT_(hmc_next)(), LFT_(hmc_thermalise)(), LFT_(hmc_thermalise_next)(), LFT_(hmc_reversibility)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_HMC_ENUMS
#define LFT_P_HMC_ENUMS
/* How the equations of motion of H = sum pi^2 / 2 + S are integrated. P(h): pi -= h dS, Q(h): phi += h pi or, for links,
 * U = exp(h pi^a T^a) U. All are reversible and preserve volume. Those of second order have <dH> proportional to V h^4; Omelyan's
 * step takes two forces instead of one, but is so much more accurate that it needs fewer in all. That of fourth order, <dH>
 * proportional to V h^8, takes five: for large lattices and high acceptance. */
typedef enum lft_integrator {
    LFT_LEAPFROG = 1, /* P(h/2) Q(h) P(h/2) */
    LFT_OMELYAN,      /* P(z h) Q(h/2) P((1 - 2z) h) Q(h/2) P(z h), z = 0.1931833275037836, the default. Omelyan, Mryglod,
                         Folk, Comput. Phys. Commun. 151 (2003) 272, eq. 31 */
    LFT_FOURTH        /* P(a h) Q(b h) P(c h) Q(d h) P((1/2 - a - c) h) Q((1 - 2 (b + d)) h) and back. The same, eqs. 71, 72 */
} lft_integrator;

typedef enum lft_start {
    LFT_START_COLD = 1, /* phi = 0, links 1, the default */
    LFT_START_HOT       /* phi(x) ~ N(0, 1), links with the invariant measure */
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

/* The chains. The next trajectory depends on x, steps, desc.length and drawn alone: with these saved a run resumes; in the
 * middle of hmc_thermalise, with tuning too.
 * acceptance = accepted / (trajectories chains); exp_dH / (trajectories chains) is 1 within its error for an exact chain in
 * equilibrium: for that error put the mean of exp(-dH[c]) over the chains, or each by itself, into a series. With coarse
 * steps on a small lattice, states that hardly ever occur carry part of that mean: then it looks too small. */
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
    double              tuning[2];    /* of hmc_thermalise: log of the step size, and its sum in the second half */
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
 * second half begins. The sums start afresh. LFT_ERR_NONFINITE as above; LFT_ERR_NOCONV if more than 10000 steps were
 * needed. */
LFT_API lft_status LFT_(hmc_thermalise)(LFT_(hmc) *hmc, int n);

/* The i-th of these n trajectories alone, 0 <= i < n, for callers that look up in between: hmc_thermalise is all of them in turn.
 * The sums start afresh with each. */
LFT_API lft_status LFT_(hmc_thermalise_next)(LFT_(hmc) *hmc, int i, int n);

/* Integrates the next trajectory, turns the momenta round and integrates back, without changing any chain: the largest
 * |change| of a number of the fields over sites and chains, and the largest |change of H| over chains. Both are rounding
 * errors, magnified by the instability of the trajectory. LFT_ERR_NONFINITE. */
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
    lft_v  *phi, *pi, *dS; /* one group: field, momenta, gradient of S */
    double *normal;        /* as many as momenta */
    int     failed;        /* 1 + the first chain that failed, 0 for none */
    int     accepted;
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
    if (d->integrator != LFT_LEAPFROG && d->integrator != LFT_OMELYAN && d->integrator != LFT_FOURTH) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "integrator", "1 (leapfrog), 2 (Omelyan) or 3 (fourth order)",
                              (int)d->integrator);
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
    lft_p_zero(&lattice, sizeof lattice);
    hmc->desc  = *desc;
    hmc->state = s;
    status     = LFT_P(hmc_defaults)(&hmc->desc, error);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, desc->extent, error);
    if (!status) status = LFT_(batch_init)(&hmc->x, &lattice, hmc->desc.chains, arena, error);
    if (status && status != LFT_ERR_NOMEM) return status; /* the check below has the need of all */
    if (!s) s = &local;
    volume     = (size_t)lattice.volume;
    hmc->dH    = (double *)lft_arena_alloc(arena, (size_t)hmc->desc.chains, sizeof(double));
    hmc->steps = hmc->desc.steps ? hmc->desc.steps : 10;
    s->threads = lft_p_pool_threads(&hmc->desc.pool);
    s->work    = (LFT_P(hmc_work) *)lft_arena_alloc(arena, (size_t)s->threads, sizeof *s->work);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(hmc_work) first, *w = s->work ? s->work + i : &first;
        w->phi    = LFT_P(vectors)(arena, volume * LFT_P_SITE);
        w->pi     = LFT_P(vectors)(arena, volume * LFT_P_FORCES);
        w->dS     = LFT_P(vectors)(arena, volume * LFT_P_FORCES);
        w->normal = (double *)lft_arena_take(arena, volume * LFT_P_FORCES, sizeof(double));
    }
    return lft_arena_check(arena, error, "hmc");
}

static inline void LFT_P(hmc_hot_task)(void *context, int group, int thread)
{
    const LFT_P(hmc_job) *job = (const LFT_P(hmc_job) *)context;
    LFT_(hmc)            *hmc = job->hmc;
    (void)thread;
    LFT_P(group_haar)(lft_draw_of(hmc->desc.seed, LFT_DRAW_INIT, (uint64_t)group * LFT_P_LANES, 0), &hmc->x.lattice,
                      LFT_P(view)(LFT_P(group)(&hmc->x, group)));
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
    return LFT_P(batch_start)(&hmc->x, x, "hmc", &hmc->error);
}

/* ---- one group ------------------------------------------------------------------------------------------------------ */

/* P(a) and Q(b) of n links in one sweep */
LFT_P_INLINE void LFT_P(hmc_kick)(lft_v *phi, lft_v *pi, const lft_v *dS, double a, double b, int n)
{
    const lft_real ra = (lft_real)a, rb = (lft_real)b;
    int            i, k;
    for (i = 0; i < n; ++i, phi += LFT_P_LINK, pi += LFT_P_ALGEBRA, dS += LFT_P_ALGEBRA) {
        for (k = 0; k < LFT_P_ALGEBRA; ++k) pi[k] -= ra * dS[k];
        LFT_P(move)(phi, pi, rb);
    }
}

/* K[lane] = sum pi^2 / 2 of n numbers */
static inline void LFT_P(hmc_kinetic)(const lft_v *pi, int n, double *K)
{
    int l;
    LFT_P(sum_wide)(pi, pi, n, K);
    for (l = 0; l < LFT_P_LANES; ++l) K[l] *= 0.5;
}

/* The kicks of one step and the drifts between them, in units of it; the last kick of a step and the first of the next are
 * one. */
typedef struct LFT_P(hmc_scheme) {
    int    kicks; /* of a step, the last one not counted */
    double kick[6], drift[5];
} LFT_P(hmc_scheme);

static inline const LFT_P(hmc_scheme) *LFT_P(hmc_scheme_of)(lft_integrator integrator)
{
    static const LFT_P(hmc_scheme) table[] = {
        {1, {0.5, 0.5, 0, 0, 0, 0}, {1, 0, 0, 0, 0}},
        {2, {0.1931833275037836, 0.6136333449924328, 0.1931833275037836, 0, 0, 0}, {0.5, 0.5, 0, 0, 0}},
        {5,
         {0.08398315262876693, 0.6822365335719091, -0.26621968620067603, -0.26621968620067603, 0.6822365335719091,
          0.08398315262876693},
         {0.2539785108410595, -0.03230286765269967, 0.55664871362328034, -0.03230286765269967, 0.2539785108410595}}};
    return table + (integrator - LFT_LEAPFROG);
}

/* A trajectory of w->phi, w->pi; H[lane] at its two ends. */
static inline void LFT_P(hmc_integrate)(const LFT_P(hmc_job) *job, LFT_P(hmc_work) *w, double *H0, double *H1)
{
    const LFT_(hmc)          *hmc     = job->hmc;
    const LFT_(lattice)      *lattice = &hmc->x.lattice;
    const LFT_P(hmc_scheme)  *scheme  = LFT_P(hmc_scheme_of)(hmc->desc.integrator);
    const int                 links = lattice->volume * LFT_P_LINKS, reals = lattice->volume * LFT_P_FORCES;
    const double              h = job->step, last = scheme->kick[scheme->kicks];
    double                    S[LFT_P_LANES], K[LFT_P_LANES];
    int                       step, i, l;
    LFT_P(hmc_kinetic)(w->pi, reals, K);
    hmc->theory->action(hmc->theory, lattice, (const lft_real *)w->phi, S, (lft_real *)w->dS);
    for (l = 0; l < LFT_P_LANES; ++l) H0[l] = S[l] + K[l];
    for (step = 0; step < job->steps; ++step) {
        for (i = 0; i < scheme->kicks; ++i) {
            const double kick = scheme->kick[i] + (i == 0 && step > 0 ? last : 0);
            LFT_P(hmc_kick)(w->phi, w->pi, w->dS, h * kick, h * scheme->drift[i], links);
            hmc->theory->action(hmc->theory, lattice, (const lft_real *)w->phi, S, (lft_real *)w->dS);
        }
    }
    for (i = 0; i < reals; ++i) w->pi[i] -= (lft_real)(h * last) * w->dS[i];
    LFT_P(hmc_kinetic)(w->pi, reals, K);
    for (l = 0; l < LFT_P_LANES; ++l) H1[l] = S[l] + K[l];
}

/* The group's configurations and new momenta into w. */
static inline void LFT_P(hmc_begin)(const LFT_P(hmc_job) *job, int group, LFT_P(hmc_work) *w)
{
    const LFT_(hmc) *hmc    = job->hmc;
    const lft_draw   d =
        lft_draw_of(hmc->desc.seed, LFT_DRAW_MOMENTA, (uint64_t)group * LFT_P_LANES, job->trajectory);
    lft_p_copy(w->phi, LFT_P(group)(&hmc->x, group), LFT_P(group_reals)(&hmc->x) * sizeof(lft_real));
    LFT_P(group_normals)(d, hmc->x.lattice.volume * LFT_P_FORCES, w->pi, w->normal);
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
    lft_v                *to  = LFT_P(view)(LFT_P(group)(&hmc->x, group));
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
        if (!lft_finite(dH) || (dH > 0 && lft_uniform(d, 0) >= lft_p_f64_p_exp(-dH))) continue;
        moves[l] = 1;
        w->accepted += 1;
    }
    mask = LFT_P(lt)(lft_splat(0), LFT_P(from_wide)(moves));
    for (x = 0; x < hmc->x.lattice.volume * LFT_P_LINKS; ++x) LFT_P(unit)(w->phi + x * LFT_P_LINK);
    for (x = 0; x < hmc->x.lattice.volume * LFT_P_SITE; ++x) to[x] = lft_sel(mask, w->phi[x], to[x]);
}

/* There and back: w->phi returns to the configuration, and H with it. */
static inline void LFT_P(hmc_return_task)(void *context, int group, int thread)
{
    const LFT_P(hmc_job) *job  = (const LFT_P(hmc_job) *)context;
    const LFT_(batch)    *x    = &job->hmc->x;
    LFT_P(hmc_work)      *w    = LFT_P(hmc_state_of)(job->hmc)->work + thread;
    const lft_real       *was  = LFT_P(group)(x, group), *is = (const lft_real *)w->phi;
    const int             left = x->n - group * LFT_P_LANES, used = left < LFT_P_LANES ? left : LFT_P_LANES;
    double                H0[LFT_P_LANES], H1[LFT_P_LANES], H2[LFT_P_LANES];
    int                   l, i;
    LFT_P(hmc_begin)(job, group, w);
    LFT_P(hmc_integrate)(job, w, H0, H1);
    for (i = 0; i < x->lattice.volume * LFT_P_FORCES; ++i) w->pi[i] = -w->pi[i];
    LFT_P(hmc_integrate)(job, w, H1, H2);
    for (l = 0; l < used; ++l) {
        double d = H2[l] - H0[l];
        if (!lft_finite(d)) LFT_P(hmc_note)(w, group * LFT_P_LANES + l);
        d     = d < 0 ? -d : d;
        w->dH = d > w->dH ? d : w->dH;
        for (i = 0; i < x->lattice.volume * LFT_P_SITE; ++i) {
            d       = (double)is[i * LFT_P_LANES + l] - (double)was[i * LFT_P_LANES + l];
            d       = d < 0 ? -d : d;
            w->dphi = d > w->dphi ? d : w->dphi;
        }
    }
}

/* ---- all chains ----------------------------------------------------------------------------------------------------- */

/* Runs the next trajectory with this step, but for jitter. LFT_ERR_NONFINITE and its text if a chain failed. */
static inline lft_status LFT_P(hmc_run)(LFT_(hmc) *hmc, double step, int steps, lft_task task)
{
    LFT_P(hmc_state) *s = LFT_P(hmc_state_of)(hmc);
    LFT_P(hmc_job)    job;
    double            u;
    int               i, failed = 0;
    job.hmc        = hmc;
    job.trajectory = (uint32_t)hmc->drawn + 1;
    job.steps      = steps;
    /* the number of a chain that there never is */
    u        = lft_uniform(lft_draw_of(hmc->desc.seed, LFT_DRAW_MOMENTA, ((uint64_t)1 << 56) - 1, job.trajectory), 0);
    job.step = step * (1 + hmc->desc.jitter * (2 * u - 1));
    for (i = 0; i < s->threads; ++i) {
        s->work[i].failed = s->work[i].accepted = 0;
        s->work[i].dphi = s->work[i].dH = 0;
    }
    lft_p_pool_run(&hmc->desc.pool, hmc->x.groups, task, &job);
    for (i = 0; i < s->threads; ++i) {
        const int f = s->work[i].failed;
        if (f && (!failed || f < failed)) failed = f;
    }
    if (!failed) return LFT_OK;
    return lft_p_fail_got(&hmc->error, LFT_ERR_NONFINITE, "hmc", "first chain whose energy is not finite", "none",
                          failed - 1);
}

/* One trajectory of every chain; the mean of min(1, exp(-dH)). */
static inline lft_status LFT_P(hmc_step)(LFT_(hmc) *hmc, double step, int steps, double *probability)
{
    LFT_P(hmc_state) *s      = LFT_P(hmc_state_of)(hmc);
    lft_status        status = LFT_P(hmc_run)(hmc, step, steps, LFT_P(hmc_task));
    double            sum = 0;
    int               i;
    for (i = 0; i < s->threads; ++i) hmc->accepted += (uint64_t)s->work[i].accepted;
    for (i = 0; i < hmc->x.n; ++i) {
        const double e = lft_finite(hmc->dH[i]) ? lft_p_f64_p_exp(-hmc->dH[i]) : 0;
        if (!lft_finite(hmc->dH[i])) hmc->nonfinite += 1;
        hmc->exp_dH += e;
        sum += e < 1 ? e : 1;
    }
    hmc->drawn += 1;
    hmc->trajectories += 1;
    *probability = sum / hmc->x.n;
    return status;
}

LFT_API lft_status LFT_(hmc_next)(LFT_(hmc) *hmc)
{
    double probability;
    return LFT_P(hmc_step)(hmc, hmc->desc.length / hmc->steps, hmc->steps, &probability);
}

LFT_API lft_status LFT_(hmc_reversibility)(LFT_(hmc) *hmc, double *dphi, double *dH)
{
    LFT_P(hmc_state) *s = LFT_P(hmc_state_of)(hmc);
    lft_status        status =
        LFT_P(hmc_run)(hmc, hmc->desc.length / hmc->steps, hmc->steps, LFT_P(hmc_return_task));
    int i;
    for (*dphi = *dH = 0, i = 0; i < s->threads; ++i) {
        if (s->work[i].dphi > *dphi) *dphi = s->work[i].dphi;
        if (s->work[i].dH > *dH) *dH = s->work[i].dH;
    }
    return status;
}

/* ---- tuning --------------------------------------------------------------------------------------------------------- */

#define LFT_P_HMC_MOST_STEPS 10000

/* Steps of this size that a trajectory of the chosen length takes, rounded after adding `up`. */
static inline int LFT_P(hmc_steps_of)(const LFT_(hmc) *hmc, double step, double up)
{
    const double steps = hmc->desc.length / step + up;
    return steps < 1 ? 1 : steps < LFT_P_HMC_MOST_STEPS ? (int)steps : LFT_P_HMC_MOST_STEPS;
}

/* The step size varies continuously and the number of steps follows: with the length held fixed, an acceptance between
 * those of two numbers of steps would never be seen. */
static inline lft_status LFT_P(hmc_tune)(LFT_(hmc) *hmc, int i, int n)
{
    const int    half = n / 2;
    const double gain = i < half ? 1 : lft_p_f64_p_exp(-0.6 * lft_p_f64_p_log(1.0 + i - half));
    double      *log_step = hmc->tuning, *sum = hmc->tuning + 1, step, a;
    lft_status   status;
    if (i == 0) *log_step = lft_p_f64_p_log(hmc->desc.length / hmc->steps), *sum = 0;
    step   = lft_p_f64_p_exp(*log_step);
    status = LFT_P(hmc_step)(hmc, step, LFT_P(hmc_steps_of)(hmc, step, 0.5), &a);
    if (i >= half) *sum += *log_step;
    *log_step += gain * (a - hmc->desc.acceptance);
    if (status || i + 1 < n) return status;
    step       = lft_p_f64_p_exp(*sum / (n - half));
    hmc->steps = LFT_P(hmc_steps_of)(hmc, step, 0.999999);
    if (hmc->steps < LFT_P_HMC_MOST_STEPS) return LFT_OK;
    return lft_p_fail_got(&hmc->error, LFT_ERR_NOCONV, "hmc", "tuning of the acceptance, steps per trajectory",
                          "at most 10000", hmc->desc.length / step);
}

LFT_API lft_status LFT_(hmc_thermalise_next)(LFT_(hmc) *hmc, int i, int n)
{
    const lft_status status = hmc->desc.steps ? LFT_(hmc_next)(hmc) : LFT_P(hmc_tune)(hmc, i, n);
    hmc->trajectories = hmc->accepted = hmc->nonfinite = 0;
    hmc->exp_dH       = 0;
    return status;
}

LFT_API lft_status LFT_(hmc_thermalise)(LFT_(hmc) *hmc, int n)
{
    lft_status status = LFT_OK;
    int        i;
    hmc->trajectories = hmc->accepted = hmc->nonfinite = 0;
    hmc->exp_dH       = 0;
    for (i = 0; i < n && !status; ++i) status = LFT_(hmc_thermalise_next)(hmc, i, n);
    return status;
}

#endif /* LFT_P_CODE */
