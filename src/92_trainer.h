/* 92_trainer.h: what a training consists of: its desc, the trainer, and gradients of the reverse Kullback-Leibler divergence.
 * Offers: lft_train_desc, lft_train_report, LFT_(trainer), LFT_(trainer_init)(), _bytes, LFT_(train_gradient)(),
 * LFT_(train_scale_end)(). The steps are in 94_training.h.
 *
 * loss = mean of log q(x) + S(x) over samples of the flow = KL(q || p) - log Z: it may be negative. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_TRAIN_DESC
#define LFT_P_TRAIN_DESC
typedef enum lft_estimator {
    LFT_PATH_GRADIENT = 1, /* through the samples alone, with grad log q carried along the flow: no variance at the
                              optimum (2206.09016; 2207.08219); the default */
    LFT_TOTAL_GRADIENT,    /* the derivative of the loss, or of log w, of the same draws from the prior */
    LFT_NATURAL_GRADIENT   /* Gauss-Newton: of log q at the same samples. The step is then the natural gradient of the reverse
                              Kullback-Leibler divergence, the inverse of Fisher's matrix times its gradient */
} lft_estimator;

typedef enum lft_optimizer {
    LFT_ADAM = 1,    /* on the loss; the default */
    LFT_GAUSS_NEWTON /* on the mean of (log w - log Z)^2, with log Z as the batches so far have it, by the normal equations of a
                        batch: few steps, each as long as the log-weights stay where they are known. For layers of few
                        parameters, 4 at least, that keep their gradients apart lane by lane; needs batch well above the number
                        of parameters. With the total gradient the mean also falls where samples leave what is not yet
                        right, so that a flow may end without a part of the configurations, weights all alike and log Z too
                        low; the natural gradient compares densities where they are, at half as much time again per step */
} lft_optimizer;

/* What happened in a step, for the caller's progress line. */
typedef struct lft_train_report {
    uint64_t       step, steps;      /* steps done, steps in all */
    double         loss, ess;        /* of the step's batch: its ess overestimates, see LFT_(flow_sample) with a large n */
    double         rate, norm;       /* learning rate, norm of the gradient before clipping */
    int            integration_steps;
    lft_logq_error guard;            /* of the last check, n = 0 before */
    int            refined, rolled_back; /* so far */
    int            scale, scales;    /* that was trained, of so many; scale == scales: all of them together */
} lft_train_report;

/* Zero means the default, in brackets. */
typedef struct lft_train_desc {
    uint64_t          steps;      /* [1000] */
    uint64_t          scale_steps; /* before these, for each scale behind the frozen layers, coarsest first, those before it frozen:
                                      a training of its own, with rates and warmup in proportion, in which the first layers are a
                                      flow of their lattice (LFT_(train_scale_end)) [0: none] */
    int               batch;      /* samples per gradient [256] */
    int               accumulate; /* gradients per step, of new samples each [1] */
    lft_optimizer     optimizer;
    lft_estimator     estimator; /* [path; Gauss-Newton: natural for flows with layers that draw, otherwise total] */
    int               frozen;    /* the first so many layers keep their parameters, and with any of them the prior [0]; nothing goes
                                    back through them. The guard refines their integration, too */
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

typedef struct LFT_(trainer) {
    LFT_(flow)          *flow;
    const LFT_(theory)  *theory;
    lft_train_desc       desc; /* defaults filled in */
    lft_adam             adam;
    uint64_t             step; /* done, those of the scales too */
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

/* Lays a trainer for the flow out in the arena. The flow keeps its parameters: training goes on from them. With scale_steps
 * theory[1] and the following are those of the lattices of the scales, coarsest first; all have to last. LFT_ERR_ARG,
 * LFT_ERR_NOMEM; text in flow->error. */
LFT_API lft_status LFT_(trainer_init)(LFT_(trainer) *trainer, LFT_(flow) *flow, const LFT_(theory) *theory,
                                      const lft_train_desc *desc, lft_arena *arena);
LFT_API size_t LFT_(trainer_bytes)(LFT_(flow) *flow, const lft_train_desc *desc);

/* Loss and its gradient by all parameters (trainer->gradient, trainer->logw) on samples first ... first + batch - 1, for
 * tests and other optimisers; 0 of those that are frozen. Of Gauss-Newton the gradient is that of half its mean of squares, for
 * fixed log Z, at fixed draws or at fixed samples. */
LFT_API lft_status LFT_(train_gradient)(LFT_(trainer) *trainer, uint64_t first, double *loss);

/* Where the scale ends that begins with this layer: between one that does not draw and one that does, where there are parameters on
 * both sides, or with the flow. */
LFT_API int LFT_(train_scale_end)(const LFT_(flow) *flow, int layer);

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
    int                scale, frozen, layers; /* of the next step, and its layers: as many before them, and those with them */
    size_t             still; /* parameters of the frozen layers and of the prior with them, the first of each term */
    int                groups;
    uint64_t           first;
    LFT_(theory)       theory; /* at the present couplings of a family */
    unsigned char     *guard; /* scratch of the guard */
    size_t             guard_bytes;
} LFT_P(train_state);

LFT_P_STATIC lft_train_desc LFT_P(train_defaults)(const lft_train_desc *desc, size_t dimension, int draws)
{
    lft_train_desc d = *desc;
    if (!d.steps) d.steps = 1000;
    if (!d.batch) d.batch = 256;
    if (!d.accumulate) d.accumulate = 1;
    if (!d.optimizer) d.optimizer = LFT_ADAM;
    if (!d.estimator) d.estimator = d.optimizer == LFT_ADAM ? LFT_PATH_GRADIENT : draws ? LFT_NATURAL_GRADIENT : LFT_TOTAL_GRADIENT;
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
    if (d->estimator == (d->optimizer == LFT_ADAM ? LFT_NATURAL_GRADIENT : LFT_PATH_GRADIENT)) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "estimator", "for Adam path or total, for Gauss-Newton total or natural",
                              (int)d->estimator);
    }
    if (!lft_finite(d->rate)) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "rate", "a finite number", d->rate);
    if (d->guard_samples < 1) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "guard_samples", "at least 1", d->guard_samples);
    }
    return LFT_OK;
}

/* Are there layers to train, with the gradients that it takes? */
LFT_P_STATIC lft_status LFT_P(train_moving)(const LFT_(flow) *flow, const lft_train_desc *d, lft_error *e)
{
    const int    newton = d->optimizer == LFT_GAUSS_NEWTON;
    const size_t all    = LFT_P(flow_state_of)(flow)->parameters;
    int          i;
    if (d->frozen < 0 || d->frozen >= flow->layers || (d->frozen && flow->layer[d->frozen].params == all)) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "frozen", "layers with others behind them that have parameters", d->frozen);
    }
    for (i = d->frozen; newton && i < flow->layers; ++i) {
        if (flow->layer[i].per_lane || !flow->layer[i].gradient_count) continue;
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "layers for Gauss-Newton", "gradients lane by lane; not so layer", i);
    }
    for (i = d->estimator == LFT_TOTAL_GRADIENT ? d->frozen : 0; i < flow->layers; ++i) { /* the others carry grad log q */
        if (flow->layer[i].ops->backward) continue;
        return lft_p_fail_text(e, LFT_ERR_ARG, "train", "layer", "one with a gradient", flow->layer[i].ops->kind);
    }
    return LFT_OK;
}

LFT_API int LFT_(train_scale_end)(const LFT_(flow) *flow, int layer)
{
    int i;
    for (i = layer + 1; i < flow->layers; ++i) {
        const LFT_(layer) *next = flow->layer + i;
        if (!next->ops->draw || next[-1].ops->draw) continue;
        if (next->params > flow->layer[layer].params && next->params < LFT_P(flow_state_of)(flow)->parameters) break;
    }
    return i;
}

/* Gradients of the prior that are wanted. */
LFT_P_STATIC size_t LFT_P(train_prior)(const LFT_(flow) *flow, int frozen)
{
    return frozen ? 0 : LFT_P(prior_gradient_count)(&LFT_P(flow_state_of)(flow)->prior);
}

/* Gradients of the layers from `frozen` to before `layers`, and of the prior. */
LFT_P_STATIC size_t LFT_P(train_slot_size)(const LFT_(flow) *flow, int frozen, int layers)
{
    size_t n = LFT_P(train_prior)(flow, frozen);
    int    i;
    for (i = frozen; i < layers; ++i) n += flow->layer[i].gradient_count;
    return n;
}

/* The layers that the next step is for. */
LFT_P_STATIC void LFT_P(train_choose)(LFT_(trainer) *t)
{
    const LFT_(flow)   *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    const int           scales = t->report.scales;
    const uint64_t      done = t->desc.scale_steps ? t->step / t->desc.scale_steps : 0;
    size_t              n    = flow->params.count;
    int                 i;
    s->scale  = done < (uint64_t)scales ? (int)done : scales;
    s->frozen = t->desc.frozen;
    s->layers = s->scale < scales ? LFT_(train_scale_end)(flow, s->frozen) : flow->layers;
    for (i = 0; i < s->scale && s->scale < scales; ++i) {
        s->frozen = s->layers;
        s->layers = LFT_(train_scale_end)(flow, s->frozen);
    }
    if (s->layers < flow->layers) n = flow->layer[s->layers].params;
    s->still       = s->frozen ? flow->layer[s->frozen].params : 0;
    s->slot_size   = LFT_P(train_slot_size)(flow, s->frozen, s->layers);
    s->normal_size = t->desc.optimizer == LFT_GAUSS_NEWTON ? lft_p_normal_size(n - s->still) : 0;
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
    const size_t        n = flow->params.count;
    size_t              tape, still;
    lft_status          status;
    int                 measured, newton, draws = 0, i;
    lft_p_zero(trainer, sizeof *trainer);
    for (i = 0; i < flow->layers; ++i) draws |= flow->layer[i].ops->draw != NULL;
    trainer->flow       = flow;
    trainer->theory     = theory;
    trainer->desc       = LFT_P(train_defaults)(desc, LFT_P(force_vectors)(&flow->lattice), draws);
    trainer->rate_scale = 1;
    trainer->state      = s;
    status              = LFT_P(train_check)(&trainer->desc, &flow->error);
    if (!status) status = LFT_P(train_moving)(flow, &trainer->desc, &flow->error);
    if (status) return status;
    tape  = LFT_P(flow_tape_bytes)(flow, trainer->desc.frozen);
    still = trainer->desc.frozen ? flow->layer[trainer->desc.frozen].params : 0;
    if (theory && flow->family.degree && flow->family.couplings != theory->couplings) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "train", "couplings of the family", "those of the theory",
                              flow->family.couplings);
    }
    newton = trainer->desc.optimizer == LFT_GAUSS_NEWTON;
    if (newton && n < 4) { /* its state takes the place of four of Adam's numbers */
        return lft_p_fail_got(&flow->error, LFT_ERR_ARG, "train", "parameters for Gauss-Newton", "at least 4", (double)n);
    }
    if (newton && (size_t)trainer->desc.batch < n - still) { /* the equations would have a solution for any samples */
        return lft_p_fail_got(&flow->error, LFT_ERR_ARG, "train", "batch", "for Gauss-Newton at least as many as parameters",
                              trainer->desc.batch);
    }
    if (newton && (flow->family.degree || LFT_P(train_prior)(flow, trainer->desc.frozen))) {
        return lft_p_fail(&flow->error, LFT_ERR_ARG, "train",
                          "Gauss-Newton is for one set of couplings and a prior without parameters");
    }
    if (!s) s = &local;
    s->groups      = (trainer->desc.batch - 1) / LFT_P_LANES + 1;
    s->slot_size   = LFT_P(train_slot_size)(flow, trainer->desc.frozen, flow->layers); /* no scale has more */
    s->slot        = (double *)lft_arena_alloc(arena, s->slot_size * (size_t)trainer->desc.slots, sizeof(double));
    s->normal_size = newton ? lft_p_normal_size(n - still) : 0;
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
    for (i = trainer->desc.frozen; trainer->desc.scale_steps && i < flow->layers; ++trainer->report.scales) {
        i = LFT_(train_scale_end)(flow, i);
    }
    trainer->report.steps = (uint64_t)trainer->report.scales * trainer->desc.scale_steps + trainer->desc.steps;
    LFT_P(train_choose)(trainer);
    return LFT_OK;
}

LFT_API size_t LFT_(trainer_bytes)(LFT_(flow) *flow, const lft_train_desc *desc)
{
    LFT_(trainer) trainer;
    lft_arena     measure = lft_arena_measure();
    return LFT_(trainer_init)(&trainer, flow, NULL, desc, &measure) == LFT_OK ? measure.need : 0;
}

/* One group of samples: log-weights, and the gradient of sum_lane weight[lane] (log q + S) added to the slot; natural: at fixed
 * samples, of log q alone. */
LFT_P_STATIC lft_status LFT_P(train_group)(LFT_(trainer) *t, LFT_P(flow_work) *w, LFT_P(train_work) *tw, int group,
                                           double *slot)
{
    const LFT_(flow)        *flow   = t->flow;
    const LFT_P(flow_state) *f      = LFT_P(flow_state_of)(flow);
    LFT_P(train_state)      *s      = (LFT_P(train_state) *)t->state;
    const int                newton = t->desc.optimizer == LFT_GAUSS_NEWTON, path = t->desc.estimator == LFT_PATH_GRADIENT;
    const int                natural = t->desc.estimator == LFT_NATURAL_GRADIENT;
    const size_t             n      = LFT_P(force_vectors)(&flow->lattice);
    double                   logq[LFT_P_LANES], logdet[LFT_P_LANES], S[LFT_P_LANES], weight[LFT_P_LANES];
    lft_draw                 d = lft_draw_of(t->desc.seed, LFT_DRAW_TRAIN, s->first + (uint64_t)group * LFT_P_LANES, 0);
    lft_status               status;
    lft_v                    share;
    size_t                   x;
    int                      l;
    LFT_P(prior_draw)(&f->prior, d, w->x, logq, w->scratch);
    LFT_P(copy_field)(tw->z, w->x, &flow->layer[0].in);
    if (path || natural) LFT_P(prior_logq)(&f->prior, tw->z, logq, w->score, w->scratch);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    status = LFT_P(flow_push)(flow, w, &d, logdet, path || natural ? w->score : NULL, tw->tape, s->frozen);
    if (status) return status;
    s->theory.action(&s->theory, &flow->lattice, (lft_real *)w->x, S, (lft_real *)tw->dx);
    for (l = 0; l < LFT_P_LANES; ++l) {
        int i = group * LFT_P_LANES + l;
        weight[l] = i >= t->desc.batch ? 0 : newton ? 1 : 1.0 / t->desc.batch;
        if (i < t->desc.batch) t->logw[i] = logdet[l] - logq[l] - S[l];
    }
    share = LFT_P(from_wide)(weight);
    for (x = 0; path && x < n; ++x) tw->dx[x] += w->score[x];
    for (x = 0; natural && x < n; ++x) tw->dx[x] = -w->score[x]; /* takes the way of the samples off that of log q */
    for (x = 0; x < n; ++x) tw->dx[x] *= share;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = path ? 0 : -weight[l], logq[l] = path ? 0 : weight[l];
    status = LFT_P(flow_backward)(flow, s->frozen, w, tw->tape, tw->dx, logdet, slot + LFT_P(train_prior)(flow, s->frozen));
    if (!s->frozen) LFT_P(prior_backward)(&f->prior, tw->z, tw->dx, logq, slot, w->scratch);
    return status;
}

/* Those gradients of a group, one sample after the other, into the normal equations. */
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
        for (i = s->frozen; i < flow->layers; ++i) {
            if (flow->layer[i].gradient_count) flow->layer[i].ops->collect(flow->layer + i, at, tw->row);
            at += flow->layer[i].gradient_count;
        }
        for (k = 0; k < n; ++k) tw->row[k] = flow->params.pace[k] > 0 ? tw->row[k] : 0; /* one that does not move */
        lft_p_normal_add(normal, n - s->still, tw->row + s->still, -t->logw[group * LFT_P_LANES + l]);
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

/* All groups of the samples from number `first` on; the sums of the slots into the first of them. */
LFT_P_STATIC lft_status LFT_P(train_sums)(LFT_(trainer) *t, uint64_t first, double *slot, size_t size)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    lft_status          status;
    size_t              k;
    int                 i;
    s->first  = first;
    s->theory = t->theory[s->scale < t->report.scales ? 1 + s->scale : 0];
    if (flow->family.degree) lft_p_copy(s->theory.coupling, flow->coupling, (size_t)s->theory.couplings * sizeof(double));
    lft_p_zero(slot, size * (size_t)t->desc.slots * sizeof(double));
    status = LFT_P(flow_run)(flow, t->desc.slots < s->groups ? t->desc.slots : s->groups, LFT_P(train_task), t);
    for (i = 1; i < t->desc.slots; ++i) {
        for (k = 0; k < size; ++k) slot[k] += slot[size * (size_t)i + k];
    }
    return status;
}

/* log Z as the batch has it, and how much it counts: as many samples as it is worth. */
LFT_P_STATIC void LFT_P(train_logz)(const LFT_(trainer) *t, double *logz, double *weight)
{
    const lft_weights w = lft_weigh(t->logw, (size_t)t->desc.batch);
    *logz   = w.logz;
    *weight = w.ess * t->desc.batch;
}

/* Of the layers in training, which are the flow's last ones. */
LFT_P_STATIC lft_status LFT_P(train_gradient)(LFT_(trainer) *t, uint64_t first, double *loss)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    const int           newton = t->desc.optimizer == LFT_GAUSS_NEWTON;
    const size_t        of_prior = LFT_P(train_prior)(flow, s->frozen);
    double             *sum = newton ? s->normal : s->slot, *at;
    const lft_status    status = LFT_P(train_sums)(t, first, sum, newton ? s->normal_size : s->slot_size);
    double              of_batch, weight;
    size_t              k;
    int                 i;
    if (status) return status;
    for (*loss = 0, i = 0; i < t->desc.batch; ++i) *loss -= t->logw[i] / t->desc.batch;
    lft_p_zero(t->gradient, t->adam.n * sizeof(double));
    if (newton) {
        LFT_P(train_logz)(t, &of_batch, &weight);
        lft_p_normal_about(sum, flow->params.count - s->still, -(t->adam.v[2] + weight * of_batch) / (t->adam.v[3] + weight),
                           t->gradient + s->still);
        return LFT_OK;
    }
    for (k = 0; k < of_prior; ++k) t->gradient[k] += sum[k];
    at = sum + of_prior;
    for (i = s->frozen; i < flow->layers; ++i) {
        flow->layer[i].ops->collect(flow->layer + i, at, t->gradient);
        at += flow->layer[i].gradient_count;
    }
    LFT_P(train_terms)(t);
    return LFT_OK;
}

LFT_API lft_status LFT_(train_gradient)(LFT_(trainer) *t, uint64_t first, double *loss)
{
    const LFT_(flow) whole  = LFT_P(flow_cut)(t->flow, ((const LFT_P(train_state) *)t->state)->layers);
    const lft_status status = LFT_P(train_gradient)(t, first, loss);
    LFT_P(flow_uncut)(t->flow, &whole);
    return status;
}

#endif /* LFT_P_CODE */
