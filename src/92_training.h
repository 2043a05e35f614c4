/* 92_training.h: training by reverse Kullback-Leibler divergence with Adam, and a guard against the integrator's error.
 * Offers: lft_train_desc, lft_train_report, LFT_(trainer), LFT_(trainer_init)(), _bytes, LFT_(train_step)(), LFT_(train)().
 *
 * loss = mean of log q(x) + S(x) over samples of the flow = KL(q || p) - log Z: it may be negative. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_TRAIN_DESC
#define LFT_P_TRAIN_DESC
typedef enum lft_estimator {
    LFT_PATH_GRADIENT = 1, /* through the samples alone, with grad log q carried along the flow: no variance at the
                              optimum (2206.09016; 2207.08219); the default */
    LFT_TOTAL_GRADIENT     /* the derivative of the loss of the same draws from the prior */
} lft_estimator;

typedef enum lft_optimizer {
    LFT_ADAM = 1,    /* on the loss; the default */
    LFT_GAUSS_NEWTON /* on the variance of the log-weights of fixed draws from the prior, by the normal equations of a batch: few
                        steps, each as long as the log-weights stay where they are known. For layers of few parameters that
                        keep their gradients apart lane by lane; needs batch well above the number of parameters */
} lft_optimizer;

/* What happened in a step, for the caller's progress line. */
typedef struct lft_train_report {
    uint64_t       step, steps;      /* steps done, steps in all */
    double         loss, ess;        /* of the step's batch: its ess overestimates, see LFT_(flow_sample) with a large n */
    double         rate, norm;       /* learning rate, norm of the gradient before clipping */
    int            integration_steps;
    lft_logq_error guard;            /* of the last check, n = 0 before */
    int            refined, rolled_back; /* so far */
} lft_train_report;

/* Zero means the default, in brackets. */
typedef struct lft_train_desc {
    uint64_t          steps;      /* [1000] */
    int               batch;      /* samples per gradient [256] */
    int               accumulate; /* gradients per step, of new samples each [1] */
    lft_optimizer     optimizer;
    lft_estimator     estimator; /* of Adam */
    double            rate, last_rate; /* learning rate [0.01; Gauss-Newton 1: the whole step], at the end [rate / 50] */
    lft_schedule_kind schedule;        /* [cosine] */
    uint64_t          warmup;          /* steps [steps / 50] */
    double            clip;            /* norm of the gradient [10]; Gauss-Newton: standard deviation of the change of the
                                          log-weights [1]; -1: never */
    double            ridge;           /* of Gauss-Newton, relative, at the end [1e-4]; it starts at .1 */
    double            beta1, beta2;    /* [.9, .99] */
    uint64_t          seed;
    int               slots;         /* partial sums of the gradient: at most this many threads work [8] */
    int               guard_every;   /* steps between checks [100]; -1: no guard */
    int               guard_samples; /* [4; 2 above 256 sites, or numbers of algebra elements] */
    double            guard_std, guard_mean; /* the largest epsilon that is tolerated [1e-3, 1e-2] */
    int (*report)(void *user, const lft_train_report *r); /* called after every step; nonzero stops */
    void *user;
} lft_train_desc;
#endif

/* The guard. Every guard_every steps, and at the end, epsilon is measured as by LFT_(flow_logq_error)(). Within the bounds
 * the state is saved as good. Beyond them the integration steps grow by half, twice at most; if that does not mend it (the
 * optimiser has gone after the integrator's error), training returns to the last good state and goes on at half the
 * learning rate. So does a step whose loss or gradient is not finite. Where no layer integrates there is no such error:
 * nothing is measured, and every guard_every steps the state whose loss was finite is saved as good.
 * A family is trained at couplings that are drawn for each gradient from its box (the theory's own are not used); loss and
 * ess of a step, and epsilon of a check, are those at the last of them. */
typedef struct LFT_(trainer) {
    LFT_(flow)          *flow;
    const LFT_(theory)  *theory;
    lft_train_desc       desc; /* defaults filled in */
    lft_adam             adam;
    uint64_t             step; /* done */
    double               rate_scale; /* halved by every roll-back */
    lft_train_report     report;
    double              *logw; /* [batch] -S - log q of the last gradient */
    double              *gradient, *sum; /* of one part, and of all parts where they are accumulated */
    struct {
        double  *value, *m, *v;
        uint64_t step, adam_step;
    } good; /* the last state that passed the guard */
    void *state;
} LFT_(trainer);

/* Lays a trainer for the flow out in the arena. The flow keeps its parameters: training goes on from them. LFT_ERR_ARG,
 * LFT_ERR_NOMEM; text in flow->error. */
LFT_API lft_status LFT_(trainer_init)(LFT_(trainer) *trainer, LFT_(flow) *flow, const LFT_(theory) *theory,
                                      const lft_train_desc *desc, lft_arena *arena);
LFT_API size_t LFT_(trainer_bytes)(LFT_(flow) *flow, const lft_train_desc *desc);

/* One step of Adam, and the guard when it is due. trainer->report tells about it. Errors in flow->error: LFT_ERR_NONFINITE
 * or LFT_ERR_NOCONV when ten roll-backs have not helped; the flow then holds the last good parameters. */
LFT_API lft_status LFT_(train_step)(LFT_(trainer) *trainer);

/* All steps that are left; LFT_STOPPED when the report callback says so. */
LFT_API lft_status LFT_(train_rest)(LFT_(trainer) *trainer);

/* The whole of it in one call, with the trainer in scratch memory. */
LFT_API lft_status LFT_(train)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_train_desc *desc,
                               lft_arena scratch);

/* Loss and its gradient by all parameters (trainer->gradient, trainer->logw) on samples first ... first + batch - 1, for
 * tests and other optimisers. */
LFT_API lft_status LFT_(train_gradient)(LFT_(trainer) *trainer, uint64_t first, double *loss);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* What one thread needs beside the flow's own. */
typedef struct LFT_P(train_work) {
    lft_v         *z, *dx;
    unsigned char *tape;
    double        *own, *lane, *row; /* Gauss-Newton: gradients of a group, of one lane of it, and that by the parameters */
} LFT_P(train_work);

typedef struct LFT_P(train_state) {
    LFT_P(train_work) *work; /* [threads] */
    double            *slot; /* [slots][gradient counts of the prior and the layers] */
    size_t             slot_size;
    double            *normal; /* Gauss-Newton: [slots][normal_size] */
    size_t             normal_size;
    int                groups;
    uint64_t           first;
    LFT_(theory)       theory; /* at the present couplings of a family */
    unsigned char     *guard; /* scratch of the guard */
    size_t             guard_bytes;
} LFT_P(train_state);

LFT_P_STATIC lft_train_desc LFT_P(train_defaults)(const lft_train_desc *desc, size_t dimension)
{
    lft_train_desc d = *desc;
    if (!d.steps) d.steps = 1000;
    if (!d.batch) d.batch = 256;
    if (!d.accumulate) d.accumulate = 1;
    if (!d.estimator) d.estimator = LFT_PATH_GRADIENT;
    if (!d.optimizer) d.optimizer = LFT_ADAM;
    if (!(d.rate > 0)) d.rate = d.optimizer == LFT_GAUSS_NEWTON ? 1 : 0.01;
    if (!(d.ridge > 0)) d.ridge = 1e-4;
    if (!(d.last_rate > 0)) d.last_rate = d.rate / 50;
    if (!d.warmup) d.warmup = d.steps / 50;
    if (!(d.clip > 0) && !(d.clip < 0)) d.clip = d.optimizer == LFT_GAUSS_NEWTON ? 1 : 10;
    if (!(d.beta2 > 0)) d.beta2 = 0.99;
    if (!d.slots) d.slots = 8;
    if (!d.guard_every) d.guard_every = 100;
    if (!d.guard_samples) d.guard_samples = dimension > 256 ? 2 : 4;
    if (!(d.guard_std > 0)) d.guard_std = 1e-3;
    if (!(d.guard_mean > 0)) d.guard_mean = 1e-2;
    return d;
}

LFT_P_STATIC lft_status LFT_P(train_check)(const lft_train_desc *d, lft_error *e)
{
    if (d->batch < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "batch", "at least 1", d->batch);
    if (d->accumulate < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "accumulate", "at least 1", d->accumulate);
    if (d->slots < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "slots", "at least 1", d->slots);
    if (!lft_finite(d->rate)) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "rate", "a finite number", d->rate);
    if (d->guard_samples < 1) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "guard_samples", "at least 1", d->guard_samples);
    }
    return LFT_OK;
}

/* The integration steps that layers have at present, the most of any. */
LFT_P_STATIC int LFT_P(train_integration_steps)(const LFT_(flow) *flow)
{
    int i, most = 0;
    for (i = 0; i < flow->layers; ++i) most = flow->layer[i].steps > most ? flow->layer[i].steps : most;
    return most;
}

LFT_API lft_status LFT_(trainer_init)(LFT_(trainer) *trainer, LFT_(flow) *flow, const LFT_(theory) *theory,
                                      const lft_train_desc *desc, lft_arena *arena)
{
    LFT_P(flow_state)  *f = LFT_P(flow_state_of)(flow);
    LFT_P(train_state)  local, *s = (LFT_P(train_state) *)lft_arena_alloc(arena, 1, sizeof *s);
    const size_t        n = flow->params.count, tape = LFT_P(flow_tape_bytes)(flow);
    lft_status          status;
    int                 measured, newton, i;
    lft_p_zero(trainer, sizeof *trainer);
    trainer->flow       = flow;
    trainer->theory     = theory;
    trainer->desc       = LFT_P(train_defaults)(desc, LFT_P(force_vectors)(&flow->lattice));
    trainer->rate_scale = 1;
    trainer->state      = s;
    status              = LFT_P(train_check)(&trainer->desc, &flow->error);
    if (status) return status;
    if (theory && flow->family.degree && flow->family.couplings != theory->couplings) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "train", "couplings of the family", "those of the theory",
                              flow->family.couplings);
    }
    newton = trainer->desc.optimizer == LFT_GAUSS_NEWTON;
    for (i = 0; newton && i < flow->layers; ++i) {
        if (flow->layer[i].per_lane || !flow->layer[i].gradient_count) continue;
        return lft_p_fail_got(&flow->error, LFT_ERR_ARG, "train", "layers for Gauss-Newton", "gradients lane by lane; not so layer",
                              i);
    }
    if (newton && (flow->family.degree || LFT_P(prior_gradient_count)(&f->prior))) {
        return lft_p_fail(&flow->error, LFT_ERR_ARG, "train",
                          "Gauss-Newton is for one set of couplings and a prior without parameters");
    }
    if (!s) s = &local;
    s->groups    = (trainer->desc.batch - 1) / LFT_P_LANES + 1;
    s->slot_size = LFT_P(prior_gradient_count)(&f->prior);
    for (i = 0; i < flow->layers; ++i) s->slot_size += flow->layer[i].gradient_count;
    s->slot        = (double *)lft_arena_alloc(arena, s->slot_size * (size_t)trainer->desc.slots, sizeof(double));
    s->normal_size = newton ? lft_p_normal_size(n) : 0;
    s->normal      = (double *)lft_arena_alloc(arena, s->normal_size * (size_t)trainer->desc.slots, sizeof(double));
    measured       = trainer->desc.guard_every > 0 && LFT_P(train_integration_steps)(flow) > 0;
    s->guard_bytes = measured ? LFT_(flow_logq_error_bytes)(flow) : 0;
    s->guard       = (unsigned char *)lft_arena_take(arena, s->guard_bytes, 1);
    s->work        = (LFT_P(train_work) *)lft_arena_alloc(arena, (size_t)f->threads, sizeof *s->work);
    for (i = 0; i < f->threads; ++i) {
        LFT_P(train_work) w;
        w.z    = LFT_P(vectors)(arena, f->volume * LFT_P_SITE);
        w.dx   = LFT_P(vectors)(arena, f->volume * LFT_P_FORCES);
        w.tape = (unsigned char *)lft_arena_take(arena, tape, 1);
        w.own  = (double *)lft_arena_alloc(arena, newton ? s->slot_size : 0, sizeof(double));
        w.lane = (double *)lft_arena_alloc(arena, newton ? s->slot_size : 0, sizeof(double));
        w.row  = (double *)lft_arena_alloc(arena, newton ? n : 0, sizeof(double));
        if (s->work) s->work[i] = w;
    }
    trainer->gradient   = (double *)lft_arena_alloc(arena, n, sizeof(double));
    trainer->sum        = (double *)lft_arena_alloc(arena, trainer->desc.accumulate > 1 ? n : 0, sizeof(double));
    trainer->logw       = (double *)lft_arena_alloc(arena, (size_t)trainer->desc.batch, sizeof(double));
    trainer->good.value = (double *)lft_arena_alloc(arena, n, sizeof(double));
    trainer->good.m     = (double *)lft_arena_alloc(arena, n, sizeof(double));
    trainer->good.v     = (double *)lft_arena_alloc(arena, n, sizeof(double));
    status = lft_adam_init(&trainer->adam, n, trainer->desc.beta1, trainer->desc.beta2, 0, arena, &flow->error);
    if (status || lft_arena_measuring(arena)) return status;
    lft_p_copy(trainer->good.value, flow->params.value, n * sizeof(double));
    trainer->report.steps = trainer->desc.steps;
    return LFT_OK;
}

LFT_API size_t LFT_(trainer_bytes)(LFT_(flow) *flow, const lft_train_desc *desc)
{
    LFT_(trainer) trainer;
    lft_arena     measure = lft_arena_measure();
    return LFT_(trainer_init)(&trainer, flow, NULL, desc, &measure) == LFT_OK ? measure.need : 0;
}

/* One group of samples: log-weights, and the gradient of sum_lane weight[lane] (log q + S) added to the slot. */
LFT_P_STATIC lft_status LFT_P(train_group)(LFT_(trainer) *t, LFT_P(flow_work) *w, LFT_P(train_work) *tw, int group,
                                           double *slot)
{
    const LFT_(flow)        *flow   = t->flow;
    const LFT_P(flow_state) *f      = LFT_P(flow_state_of)(flow);
    LFT_P(train_state)      *s      = (LFT_P(train_state) *)t->state;
    const int                newton = t->desc.optimizer == LFT_GAUSS_NEWTON;
    const int                path   = !newton && t->desc.estimator == LFT_PATH_GRADIENT;
    const size_t             n      = LFT_P(force_vectors)(&flow->lattice);
    double                   logq[LFT_P_LANES], logdet[LFT_P_LANES], S[LFT_P_LANES], weight[LFT_P_LANES];
    lft_draw                 d = lft_draw_of(t->desc.seed, LFT_DRAW_TRAIN, s->first + (uint64_t)group * LFT_P_LANES, 0);
    lft_status               status;
    lft_v                    share;
    size_t                   x;
    int                      l;
    LFT_P(prior_draw)(&f->prior, d, w->x, logq, w->scratch);
    LFT_P(copy_field)(tw->z, w->x, &flow->layer[0].in);
    if (path) LFT_P(prior_logq)(&f->prior, tw->z, logq, w->score, w->scratch);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    status = LFT_P(flow_push)(flow, w, logdet, path ? w->score : NULL, tw->tape);
    if (status) return status;
    s->theory.action(&s->theory, &flow->lattice, (lft_real *)w->x, S, (lft_real *)tw->dx);
    for (l = 0; l < LFT_P_LANES; ++l) {
        int i = group * LFT_P_LANES + l;
        weight[l] = i >= t->desc.batch ? 0 : newton ? 1 : 1.0 / t->desc.batch;
        if (i < t->desc.batch) t->logw[i] = logdet[l] - logq[l] - S[l];
    }
    share = LFT_P(from_wide)(weight);
    for (x = 0; path && x < n; ++x) tw->dx[x] += w->score[x];
    for (x = 0; x < n; ++x) tw->dx[x] *= share;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = path ? 0 : -weight[l], logq[l] = path ? 0 : weight[l];
    status = LFT_P(flow_backward)(flow, w, tw->tape, tw->dx, logdet, slot + LFT_P(prior_gradient_count)(&f->prior));
    LFT_P(prior_backward)(&f->prior, tw->z, tw->dx, logq, slot, w->scratch);
    return status;
}

/* The gradients of log q + S of a group, one sample after the other, into the normal equations. */
LFT_P_STATIC lft_status LFT_P(train_newton_group)(LFT_(trainer) *t, LFT_P(flow_work) *w, LFT_P(train_work) *tw, int group,
                                                  double *normal)
{
    const LFT_(flow)          *flow = t->flow;
    const LFT_P(train_state)  *s    = (const LFT_P(train_state) *)t->state;
    const size_t               n    = flow->params.count;
    lft_status                 status;
    size_t                     k;
    int                        i, l;
    lft_p_zero(tw->own, s->slot_size * sizeof(double));
    status = LFT_P(train_group)(t, w, tw, group, tw->own);
    for (l = 0; l < LFT_P_LANES && group * LFT_P_LANES + l < t->desc.batch && !status; ++l) {
        double *at = tw->lane;
        lft_p_zero(tw->row, n * sizeof(double));
        for (k = 0; k < s->slot_size; ++k) tw->lane[k] = k % LFT_P_LANES == (size_t)l ? tw->own[k] : 0;
        for (i = 0; i < flow->layers; ++i) {
            if (flow->layer[i].gradient_count) flow->layer[i].ops->collect(flow->layer + i, at, tw->row);
            at += flow->layer[i].gradient_count;
        }
        for (k = 0; k < n; ++k) tw->row[k] = flow->params.pace[k] > 0 ? tw->row[k] : 0; /* one that does not move */
        lft_p_normal_add(normal, n, tw->row, -t->logw[group * LFT_P_LANES + l]);
    }
    return status;
}

/* Slot i sums the groups i, i + slots, ... in this order, whoever runs it. */
LFT_P_STATIC void LFT_P(train_task)(void *context, int i, int thread)
{
    LFT_(trainer)      *t = (LFT_(trainer) *)context;
    LFT_P(train_state) *s = (LFT_P(train_state) *)t->state;
    LFT_P(flow_work)   *w = LFT_P(flow_state_of)(t->flow)->work + thread;
    int                 group;
    for (group = i; group < s->groups; group += t->desc.slots) {
        if (t->desc.optimizer == LFT_GAUSS_NEWTON) {
            double *normal = s->normal + s->normal_size * (size_t)i;
            LFT_P(flow_note)(w, group, LFT_P(train_newton_group)(t, w, s->work + thread, group, normal));
            continue;
        }
        LFT_P(flow_note)(w, group, LFT_P(train_group)(t, w, s->work + thread, group, s->slot + s->slot_size * (size_t)i));
    }
}

/* The gradient by theta becomes that by the coefficients of a family. */
LFT_P_STATIC void LFT_P(train_terms)(LFT_(trainer) *t)
{
    const LFT_P(flow_state) *f = LFT_P(flow_state_of)(t->flow);
    double                   weight[LFT_P_FAMILY_MOST];
    size_t                   k;
    int                      b;
    lft_p_family_weights(&t->flow->family, t->flow->coupling, weight);
    for (b = f->terms - 1; b > 0; --b) {
        double *to = t->gradient + (size_t)b * f->parameters;
        for (k = 0; k < f->parameters; ++k) to[k] = weight[b] * t->gradient[k];
    }
}

LFT_API lft_status LFT_(train_gradient)(LFT_(trainer) *t, uint64_t first, double *loss)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    const size_t        of_prior = LFT_P(prior_gradient_count)(&LFT_P(flow_state_of)(flow)->prior);
    double             *sum = s->slot, *at;
    lft_status          status;
    size_t              k;
    int                 i;
    s->first  = first;
    s->theory = *t->theory;
    if (flow->family.degree) lft_p_copy(s->theory.coupling, flow->coupling, (size_t)s->theory.couplings * sizeof(double));
    lft_p_zero(sum, s->slot_size * (size_t)t->desc.slots * sizeof(double));
    lft_p_zero(t->gradient, flow->params.count * sizeof(double));
    status = LFT_P(flow_run)(flow, t->desc.slots < s->groups ? t->desc.slots : s->groups, LFT_P(train_task), t);
    if (status) return status;
    for (i = 1; i < t->desc.slots; ++i) {
        for (k = 0; k < s->slot_size; ++k) sum[k] += sum[s->slot_size * (size_t)i + k];
    }
    for (k = 0; k < of_prior; ++k) t->gradient[k] += sum[k];
    at = sum + of_prior;
    for (i = 0; i < flow->layers; ++i) {
        flow->layer[i].ops->collect(flow->layer + i, at, t->gradient);
        at += flow->layer[i].gradient_count;
    }
    LFT_P(train_terms)(t);
    for (*loss = 0, i = 0; i < t->desc.batch; ++i) *loss -= t->logw[i] / t->desc.batch;
    return LFT_OK;
}

/* A step of Gauss and Newton at `rate`, from new samples; the covariances in t->gradient, its change of the log-weights in norm.
 * The ridge is that of Levenberg and Marquardt: a step after which the variance of the log-weights is more than twice of what it
 * was is taken back, and the ridge grows tenfold; otherwise it shrinks to a third, to the desc's at least. adam.v holds the two
 * numbers of this optimiser, the variance at the last good parameters and the ridge, so that checkpoints do. */
LFT_P_STATIC lft_status LFT_P(train_newton)(LFT_(trainer) *t, uint64_t first, double rate, double *loss, double *norm)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    double             *sum = s->normal, *step = s->work->row, *best = t->adam.v, *ridge = t->adam.v + 1, variance;
    lft_status          status;
    size_t              k;
    int                 i;
    s->first  = first;
    s->theory = *t->theory;
    lft_p_zero(sum, s->normal_size * (size_t)t->desc.slots * sizeof(double));
    status = LFT_P(flow_run)(flow, t->desc.slots < s->groups ? t->desc.slots : s->groups, LFT_P(train_task), t);
    if (status && status != LFT_ERR_NONFINITE) return status;
    for (i = 1; i < t->desc.slots; ++i) {
        for (k = 0; k < s->normal_size; ++k) sum[k] += sum[s->normal_size * (size_t)i + k];
    }
    *loss    = sum[1] / sum[0];
    variance = sum[2] / sum[0] - *loss * *loss;
    if (t->adam.step > 0 && (status || !(variance <= 2 * *best))) {
        lft_p_copy(flow->params.value, t->good.value, t->adam.n * sizeof(double));
        *ridge *= 10;
        *norm = 0;
        if (status) *loss = 0;
        return *ridge < 1e12 ? LFT_OK : LFT_ERR_NONFINITE;
    }
    if (status) return status;
    *ridge = t->adam.step > 0 && *ridge / 3 > t->desc.ridge ? *ridge / 3 : t->adam.step > 0 ? t->desc.ridge : 0.1;
    *best  = variance;
    t->adam.step += 1;
    lft_p_copy(t->good.value, flow->params.value, t->adam.n * sizeof(double));
    *norm = lft_p_normal_step(sum, flow->params.count, *ridge, t->gradient, step);
    if (!lft_finite(*loss) || !lft_finite(*norm)) return LFT_ERR_NONFINITE;
    if (t->desc.clip > 0 && *norm > t->desc.clip) rate *= t->desc.clip / *norm;
    for (k = 0; k < flow->params.count; ++k) flow->params.value[k] += rate * step[k];
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(train_mark_good)(LFT_(trainer) *t)
{
    const size_t bytes = t->adam.n * sizeof(double);
    lft_p_copy(t->good.value, t->flow->params.value, bytes);
    lft_p_copy(t->good.m, t->adam.m, bytes);
    lft_p_copy(t->good.v, t->adam.v, bytes);
    t->good.step      = t->step;
    t->good.adam_step = t->adam.step;
}

/* Back to the last good state, with half the learning rate. LFT_ERR_NOCONV after ten times: `why` says what keeps
 * happening. */
LFT_P_STATIC lft_status LFT_P(train_roll_back)(LFT_(trainer) *t, const char *why)
{
    const size_t bytes = t->adam.n * sizeof(double);
    lft_p_copy(t->flow->params.value, t->good.value, bytes);
    lft_p_copy(t->adam.m, t->good.m, bytes);
    lft_p_copy(t->adam.v, t->good.v, bytes);
    t->step      = t->good.step;
    t->adam.step = t->good.adam_step;
    t->rate_scale *= 0.5;
    LFT_(flow_prepare)(t->flow);
    if (++t->report.rolled_back < 10) return LFT_OK;
    return lft_p_fail_got(&t->flow->error, LFT_ERR_NOCONV, "train", why, "at most 9 roll-backs", t->report.rolled_back);
}

LFT_P_STATIC int LFT_P(train_within)(const LFT_(trainer) *t)
{
    const lft_logq_error *g = &t->report.guard;
    return g->std <= t->desc.guard_std && g->mean <= t->desc.guard_mean && -g->mean <= t->desc.guard_mean;
}

LFT_P_STATIC lft_status LFT_P(train_measure)(LFT_(trainer) *t)
{
    LFT_P(train_state) *s = (LFT_P(train_state) *)t->state;
    const uint64_t      first = t->step * (uint64_t)t->desc.guard_samples;
    return LFT_(flow_logq_error)(t->flow, t->desc.seed, first, t->desc.guard_samples, &t->report.guard,
                                 lft_arena_of(s->guard, s->guard_bytes));
}

/* Up to two refinements by half before the state is given up: one that is sound on a finer grid is worth its steps. */
LFT_P_STATIC lft_status LFT_P(train_guard)(LFT_(trainer) *t)
{
    int tries;
    for (tries = 0;; ++tries) {
        const int  steps  = LFT_P(train_integration_steps)(t->flow);
        lft_status status = LFT_P(train_measure)(t);
        if (!status && LFT_P(train_within)(t)) {
            LFT_P(train_mark_good)(t);
            return LFT_OK;
        }
        if (tries == 2 || LFT_(flow_refine)(t->flow, steps + (steps + 1) / 2)) break;
        t->report.refined += 1;
    }
    return LFT_P(train_roll_back)(t, "epsilon stays beyond the guard's bounds");
}

/* A family is trained at couplings from all over its box, more at its bounds, where polynomials need it. */
LFT_P_STATIC void LFT_P(train_draw_couplings)(LFT_(trainer) *t, uint64_t number)
{
    const lft_family *f = &t->flow->family;
    const lft_draw    d = lft_draw_of(t->desc.seed, LFT_DRAW_FAMILY, number, 0);
    double           *to = t->flow->coupling, sine, cosine;
    int               j;
    for (j = 0; j < f->couplings; ++j) {
        lft_p_f64_p_sincos(3.14159265358979323846 * lft_uniform(d, (uint32_t)j), &sine, &cosine);
        to[j] = 0.5 * (f->high[j] + f->low[j] + (f->high[j] - f->low[j]) * cosine);
    }
    LFT_(flow_prepare)(t->flow);
}

/* The accumulated gradient in t->gradient; the loss and ess of its last part in the report. */
LFT_P_STATIC lft_status LFT_P(train_accumulate)(LFT_(trainer) *t, double *sum)
{
    const uint64_t batch = (uint64_t)t->desc.batch, parts = (uint64_t)t->desc.accumulate;
    lft_status     status = LFT_OK;
    uint64_t       part;
    size_t         k;
    double         loss = 0;
    for (part = 0; part < parts && !status; ++part) {
        if (t->flow->family.degree) LFT_P(train_draw_couplings)(t, t->step * parts + part);
        status = LFT_(train_gradient)(t, (t->step * parts + part) * batch, &loss);
        if (parts == 1) continue;
        for (k = 0; k < t->adam.n; ++k) sum[k] = (part ? sum[k] : 0) + t->gradient[k] / (double)parts;
    }
    for (k = 0; parts > 1 && k < t->adam.n; ++k) t->gradient[k] = sum[k];
    t->report.loss = loss;
    t->report.ess  = lft_weigh(t->logw, (size_t)t->desc.batch).ess;
    return status;
}

LFT_API lft_status LFT_(train_step)(LFT_(trainer) *t)
{
    const lft_train_desc *d = &t->desc;
    const int             integrates = LFT_P(train_integration_steps)(t->flow) > 0;
    lft_train_report     *r = &t->report;
    lft_schedule          schedule;
    lft_status            status;
    schedule.kind = d->schedule, schedule.from = d->rate, schedule.to = d->last_rate;
    schedule.warmup = d->warmup, schedule.steps = d->steps;
    r->rate         = t->rate_scale * lft_rate(&schedule, t->step);
    if (d->optimizer == LFT_GAUSS_NEWTON) {
        status = LFT_P(train_newton)(t, t->step * (uint64_t)d->batch, r->rate, &r->loss, &r->norm);
        r->ess = lft_weigh(t->logw, (size_t)d->batch).ess;
    } else {
        status  = LFT_P(train_accumulate)(t, t->sum);
        r->norm = lft_clip_norm(t->gradient, t->adam.n, d->clip);
    }
    if (status && status != LFT_ERR_NONFINITE) return status;
    if (status || !lft_finite(r->loss) || !lft_finite(r->norm)) {
        status = LFT_P(train_roll_back)(t, "loss or gradient not finite");
    } else {
        if (!integrates && d->guard_every > 0 && t->step % (uint64_t)d->guard_every == 0) LFT_P(train_mark_good)(t);
        if (d->optimizer == LFT_ADAM) {
            lft_adam_step(&t->adam, t->flow->params.value, t->gradient, r->rate, t->flow->params.pace);
        }
        t->step += 1;
        LFT_(flow_prepare)(t->flow);
        if (integrates && d->guard_every > 0 && (t->step % (uint64_t)d->guard_every == 0 || t->step == d->steps)) {
            status = LFT_P(train_guard)(t);
        }
    }
    r->step              = t->step;
    r->integration_steps = LFT_P(train_integration_steps)(t->flow);
    return status;
}

LFT_API lft_status LFT_(train_rest)(LFT_(trainer) *t)
{
    lft_status status = LFT_OK;
    while (!status && t->step < t->desc.steps) {
        status = LFT_(train_step)(t);
        if (!status && t->desc.report && t->desc.report(t->desc.user, &t->report)) status = LFT_STOPPED;
    }
    return status;
}

LFT_API lft_status LFT_(train)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_train_desc *desc, lft_arena scratch)
{
    LFT_(trainer) trainer;
    lft_status    status = LFT_(trainer_init)(&trainer, flow, theory, desc, &scratch);
    return status ? status : LFT_(train_rest)(&trainer);
}

#endif /* LFT_P_CODE */
