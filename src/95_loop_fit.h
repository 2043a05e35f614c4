/* 95_loop_fit.h: coefficients of a flow of loops by least squares of its equation: a training that does not go through the flow.
 * Offers: lft_fit_desc, lft_fit_report, LFT_(loop_fit)(), LFT_(loop_fit_bytes)().
 *
 * Of Wilson's action beta(t) S, beta(t) from that of the flow's beginning (a heat bath's, else desc.from) at t = 0 to the theory's
 * at 1, p_t = exp(-beta(t) S) / Z_t is what dU/dt = Z U makes of p_0 if and only if
 *   R_t(U) = div Z - beta(t) sum_l Z_l^a d_l^a S - beta'(t) S
 * does not depend on U. R dt is what log w grows by on the way, and R is linear in the coefficients:
 *   R = sum_i c_i(t) f_i - beta'(t) S,   f_i = L W_i + beta(t) sum_l d_l^a S d_l^a W_i
 * The mean of f_i in p_t is 0, by parts. Minimised is the variance of R in p_t, integrated over t: a bound of that of log w, of
 * paths that are distributed as p_t. The same equation as that of the trivializing map (0907.5491), but in the mean over
 * configurations of the theory, where an expansion in beta need not converge; compare the residuals of 2301.07388. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_FIT_DESC
#define LFT_P_FIT_DESC
/* Zero means the default, in brackets. */
typedef struct lft_fit_desc {
    int      n;          /* configurations at each of eight times, in whole rounds of all chains [512] */
    int      chains;     /* of the heat bath [64] */
    int      thermalise; /* its updates before the first configurations of a time; it begins where the time before ended [50] */
    int      apart;      /* updates between two configurations of a chain [4] */
    double   ridge;      /* relative to the diagonal of the normal equations [1e-4] */
    uint64_t seed;
    int (*report)(void *user, int done, int of); /* rounds; nonzero stops */
    void    *user;
} lft_fit_desc;

/* integral of var R_t over t, of the configurations of the fit: before, and after by the normal equations, which is too little
 * where there are not many more configurations than parameters. */
typedef struct lft_fit_report {
    double before, after;
    int    n; /* configurations in all */
} lft_fit_report;
#endif

/* Moves the coefficients of the flow to the least squares for the theory, from where they are: the ridge draws towards that.
 * The flow has one layer of LFT_(continuous)(), of all axes, without a net; the theory is what LFT_(heatbath_init)() takes.
 * It costs a sweep of values and derivatives for each configuration, where a step of training goes through all stages of all
 * integration steps of each sample and back. LFT_ERR_ARG, LFT_ERR_NOMEM, LFT_ERR_NONFINITE, LFT_STOPPED as the report says: the
 * flow is as it was, text in flow->error. */
LFT_API lft_status LFT_(loop_fit)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_fit_desc *desc, lft_fit_report *report,
                                  lft_arena scratch);
LFT_API size_t LFT_(loop_fit_bytes)(const LFT_(flow) *flow, const lft_fit_desc *desc);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(fit) {
    LFT_(flow)             *flow;
    const LFT_P(continuous) *layer;
    lft_fit_desc            desc; /* defaults filled in */
    LFT_(heatbath)          bath;
    LFT_(theory)            theory, unit; /* at the present time; of beta = 1 */
    double                  from, way, c[LFT_P_CLASSES];
    double                 *slot; /* [groups][normal_size]: R and f of the configurations of a time */
    double                 *sum;  /* normal equations of all parameters, all times together */
    double                 *gradient, *step;
    size_t                  classes, count; /* normal_size of the classes; parameters */
    lft_fit_report          report;
} LFT_P(fit);

LFT_P_STATIC lft_status LFT_P(fit_check)(const LFT_(flow) *flow, const lft_fit_desc *d, lft_error *error)
{
    const LFT_(continuous_desc) *of;
    if (flow->layers != 1 || flow->layer->ops != LFT_(continuous)()) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "loop fit", "layers", "one flow of loops", flow->layers);
    }
    of = &((const LFT_P(continuous) *)flow->layer->state)->desc;
    if (of->doubled) return lft_p_fail(error, LFT_ERR_ARG, "loop fit", "expected loops of all axes, got those of a doubled one");
    if (of->units) return lft_p_fail_got(error, LFT_ERR_ARG, "loop fit", "units", "loops without a net", of->units);
    if (d->n < 2) return lft_p_fail_got(error, LFT_ERR_ARG, "loop fit", "n", "at least 2", d->n);
    if (d->thermalise < 0) return lft_p_fail_got(error, LFT_ERR_ARG, "loop fit", "thermalise", "at least 0", d->thermalise);
    if (d->apart < 1) return lft_p_fail_got(error, LFT_ERR_ARG, "loop fit", "apart", "at least 1", d->apart);
    if (!lft_finite(d->ridge) || d->ridge < 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "loop fit", "ridge", "a finite number, at least 0", d->ridge);
    }
    return LFT_OK;
}

/* Runs over a measuring arena too. */
LFT_P_STATIC lft_status LFT_P(fit_init)(LFT_P(fit) *s, LFT_(flow) *flow, const LFT_(theory) *theory, const lft_fit_desc *desc,
                                        lft_arena *arena, lft_error *error)
{
    const LFT_P(prior) *prior = &LFT_P(flow_state_of)(flow)->prior; /* files do not have desc.from */
    LFT_(heatbath_desc) bath;
    lft_status          status;
    lft_p_zero(s, sizeof *s);
    s->flow = flow, s->desc = *desc;
    s->theory = s->unit = *theory;
    if (!s->desc.n) s->desc.n = 512;
    if (!s->desc.chains) s->desc.chains = 64;
    if (!s->desc.thermalise) s->desc.thermalise = 50;
    if (!s->desc.apart) s->desc.apart = 4;
    if (lft_finite(s->desc.ridge) && !(s->desc.ridge > 0) && !(s->desc.ridge < 0)) s->desc.ridge = 1e-4; /* in this order */
    status = LFT_P(fit_check)(flow, &s->desc, error);
    if (status) return status;
    s->layer = (const LFT_P(continuous) *)flow->layer->state;
    s->unit.coupling[0] = 1;
    s->from             = prior->kind == LFT_PRIOR_HEATBATH ? prior->theory.coupling[0] : s->layer->desc.from;
    s->way              = theory->coupling[0] - s->from;
    lft_p_zero(&bath, sizeof bath);
    lft_p_copy(bath.extent, flow->lattice.extent, sizeof bath.extent);
    bath.chains = s->desc.chains, bath.start = LFT_START_HOT, bath.seed = s->desc.seed, bath.pool = flow->pool;
    status = LFT_P_SIGNED(heatbath_init)(&s->bath, &s->theory, &bath, arena, error);
    if (status && status != LFT_ERR_NOMEM) return status;
    s->classes  = lft_p_normal_size((size_t)s->layer->desc.loops);
    s->count    = (size_t)s->layer->count;
    s->slot     = (double *)lft_arena_alloc(arena, s->classes * (size_t)s->bath.x.groups, sizeof(double));
    s->sum      = (double *)lft_arena_alloc(arena, lft_p_normal_size(s->count), sizeof(double));
    s->gradient = (double *)lft_arena_alloc(arena, s->count, sizeof(double));
    s->step     = (double *)lft_arena_alloc(arena, s->count, sizeof(double));
    return lft_arena_check(arena, error, "loop fit");
}

/* R and f of a group of configurations. */
LFT_P_STATIC void LFT_P(fit_task)(void *context, int group, int thread)
{
    LFT_P(fit)             *s       = (LFT_P(fit) *)context;
    LFT_P(flow_work)       *memory  = LFT_P(flow_state_of)(s->flow)->work + thread;
    lft_arena               scratch = memory->scratch;
    LFT_P(continuous_work)  w       = LFT_P(continuous_scratch)(s->layer, 1, &scratch);
    const lft_real         *links   = LFT_P(group)(&s->bath.x, group);
    lft_v                  *force   = memory->score;
    const int               loops   = s->layer->desc.loops;
    const lft_real          beta    = (lft_real)-s->theory.coupling[0];
    double                  S[LFT_P_LANES], one[LFT_P_LANES], f[LFT_P_CLASSES], R;
    int                     i, l;
    s->unit.action(&s->unit, &s->bath.x.lattice, links, S, (lft_real *)force);
    for (i = 0; i < s->layer->links * LFT_P_ALGEBRA; ++i) force[i] *= beta;
    for (l = 0; l < LFT_P_LANES; ++l) one[l] = 1;
    lft_p_zero(w.dc, (size_t)loops * LFT_P_LANES * sizeof(double));
    LFT_P(potential_backward)(&s->layer->potential, NULL, LFT_P(const_view)(links), force, one, NULL, w.dc, w.potential);
    for (l = 0; l < LFT_P_LANES && group * LFT_P_LANES + l < s->bath.x.n; ++l) {
        R = -s->way * S[l];
        for (i = 0; i < loops; ++i) {
            f[i] = w.dc[i * LFT_P_LANES + l];
            R += s->c[i] * f[i];
        }
        lft_p_normal_add(s->slot + (size_t)group * s->classes, (size_t)loops, f, R);
    }
}

/* What the configurations at t add to the equations of all parameters: those of the classes, times their polynomials. f are taken
 * about their means, too, small as those are: R may be any constant. */
LFT_P_STATIC void LFT_P(fit_collect)(LFT_P(fit) *s, double t, double weight)
{
    const LFT_P(continuous) *layer = s->layer;
    const int                loops = layer->desc.loops;
    double                  *all = s->slot, *total = s->sum + 3 + 2 * s->count, gradient[LFT_P_CLASSES], p[100 + LFT_P_SHAPE];
    const double            *mean = all + 3, *product = mean + 2 * loops;
    size_t                   k;
    int                      g, i, j, a, b;
    for (g = 1; g < s->bath.x.groups; ++g) {
        for (k = 0; k < s->classes; ++k) all[k] += all[(size_t)g * s->classes + k];
    }
    lft_p_normal_about(all, (size_t)loops, all[1] / all[0], gradient);
    s->report.before += weight * all[2];
    LFT_P(legendre)(t, layer->desc.nodes + LFT_P_SHAPE, p);
    for (i = 0; i < loops; ++i) {
        for (a = 0; a < LFT_P(continuous_nodes)(layer, i); ++a) {
            const size_t row = (size_t)(LFT_P(continuous_first)(layer, i) + a);
            s->gradient[row] += weight * p[a] * gradient[i];
            for (j = 0; j <= i; ++j) {
                const double about = product[i * loops + j] - mean[i] / all[0] * (mean[j] / all[0]);
                double      *to = total + row * s->count + LFT_P(continuous_first)(layer, j);
                for (b = 0; b < LFT_P(continuous_nodes)(layer, j); ++b) to[b] += weight * p[a] * p[b] * about;
            }
        }
    }
}

/* The configurations at one of the times. */
LFT_P_STATIC lft_status LFT_P(fit_time)(LFT_P(fit) *s, int k)
{
    const int    rounds = (s->desc.n + s->bath.x.n - 1) / s->bath.x.n;
    double       t;
    const double weight = LFT_P(gauss_point)(k, &t);
    lft_status   status;
    int          i;
    s->theory.coupling[0] = s->from + s->way * t;
    LFT_P(continuous_at)(s->layer, t, s->c);
    lft_p_zero(s->slot, s->classes * (size_t)s->bath.x.groups * sizeof(double));
    status = LFT_(heatbath_thermalise)(&s->bath, s->desc.thermalise);
    for (i = 0; i < rounds && !status; ++i) {
        status = LFT_(heatbath_thermalise)(&s->bath, s->desc.apart);
        if (status) break;
        lft_p_pool_run(&s->flow->pool, s->bath.x.groups, LFT_P(fit_task), s);
        s->report.n += s->bath.x.n;
        if (s->desc.report && s->desc.report(s->desc.user, k * rounds + i + 1, LFT_P_GAUSS * rounds)) return LFT_STOPPED;
    }
    if (status) s->flow->error = s->bath.error;
    else LFT_P(fit_collect)(s, t, weight);
    return status;
}

LFT_API lft_status LFT_(loop_fit)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_fit_desc *desc, lft_fit_report *report,
                                  lft_arena scratch)
{
    LFT_P(fit) s;
    lft_status status = LFT_P(fit_init)(&s, flow, theory, desc, &scratch, &flow->error);
    double    *value  = flow->params.value + flow->layer->params;
    size_t     k;
    int        i;
    for (i = 0; i < LFT_P_GAUSS && !status; ++i) status = LFT_P(fit_time)(&s, i);
    if (status) return status;
    if (!lft_finite(lft_p_normal_step(s.sum, s.count, s.desc.ridge, s.gradient, s.step))) {
        return lft_p_fail_got(&flow->error, LFT_ERR_NONFINITE, "loop fit", "normal equations",
                              "enough configurations for the parameters, or a ridge", (double)s.report.n);
    }
    s.report.after = s.report.before;
    for (k = 0; k < s.count; ++k) {
        value[k] += s.step[k];
        s.report.after += s.gradient[k] * s.step[k];
    }
    LFT_(flow_prepare)(flow);
    if (report) *report = s.report;
    return LFT_OK;
}

LFT_API size_t LFT_(loop_fit_bytes)(const LFT_(flow) *flow, const lft_fit_desc *desc)
{
    LFT_(flow)   copy = *flow;
    LFT_(theory) theory;
    LFT_P(fit)   s;
    lft_arena    measure = lft_arena_measure();
    (void)LFT_(wilson_init)(&theory, 1, 0, NULL);
    return LFT_P(fit_init)(&s, &copy, &theory, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

#endif /* LFT_P_CODE */
