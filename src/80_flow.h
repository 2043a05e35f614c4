/* 80_flow.h: a flow is a prior and layers, with the exact log-density of what they really compute.
 * Offers: LFT_(flow_desc), LFT_(flow), LFT_(flow_init)(), _bytes, _prepare, _at, _refine, _sample, _logq, _map, _inverse;
 *         lft_logq_error. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_LOGQ_ERROR
#define LFT_P_LOGQ_ERROR
/* epsilon = log q - log q_exact over n samples of the flow, where q_exact is the density of the discrete map Phi_h.
 *   std        the bias of an observable O from a chain with weights exp(-S)/q is at most sigma_O std, to first order
 *   mean       the shift of log Z: log Z = log mean w + mean, to first order
 *   mean_error std / sqrt n, and std_error = std / sqrt(2 (n - 1)); all zero for coupling flows, up to rounding */
typedef struct lft_logq_error {
    double std, mean, std_error, mean_error;
    int    n;
} lft_logq_error;
#endif

/* One layer of a flow: a table such as LFT_(continuous)() and the desc that it reads. */
typedef struct LFT_(layer_desc) {
    const LFT_(layer_ops) *ops;
    const void            *desc;
} LFT_(layer_desc);

/* Zero means the default. */
typedef struct LFT_(flow_desc) {
    int                      extent[LFT_DIM];
    lft_prior_kind           prior;       /* scalars: free field; gauge groups: Haar */
    double                   prior_mass2; /* m2 at which the free field starts: (4 / largest extent of the target)^2 */
    int                      prior_target[LFT_DIM]; /* extents of the lattice of which the free field at first has every
                                              (target / extent)-th site: the extents */
    LFT_(continuous_desc)    continuous;  /* the one layer of a flow without a list of layers */
    const LFT_(layer_desc)  *layer;       /* [layers], from the prior to the samples */
    int                      layers;
    lft_family               family; /* of couplings, each with parameters of its own; none */
    lft_pool                 pool; /* serial; threads are part of the byte query */
} LFT_(flow_desc);

typedef struct LFT_(flow) {
    LFT_(lattice)  lattice; /* of the samples */
    LFT_(layer)   *layer;
    int            layers;
    lft_parameters params; /* params.value may be changed; flow_prepare must follow. Of a family these are the coefficients:
                              those of T_0 under the parameters' names, those of T_b with "termb." in front */
    lft_family     family;
    double         coupling[LFT_MAX_COUPLINGS]; /* of a family: those that it is at; at first the middle */
    lft_pool       pool;
    lft_error      error; /* of the last call that failed */
    void          *state;
} LFT_(flow);

/* Lays a flow out in the arena, with the parameters of its start: every layer the identity or near it. LFT_ERR_ARG,
 * LFT_ERR_NOMEM; text in *error (may be NULL). After it, nothing allocates. */
LFT_P_STATIC lft_status LFT_(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena, lft_error *error);

/* Bytes that flow_init takes from an arena of any alignment; 0 if the desc is not legal. */
LFT_API size_t LFT_(flow_bytes)(const LFT_(flow_desc) *desc);

/* Derives all tables from flow->params.value, of a family at flow->coupling. */
LFT_API void LFT_(flow_prepare)(LFT_(flow) *flow);

/* Brings a family to these couplings, those of a theory, and prepares. LFT_ERR_ARG beyond its bounds; LFT_ERR_MISMATCH for
 * another number of couplings, or for a flow that is no family. */
LFT_API lft_status LFT_(flow_at)(LFT_(flow) *flow, const double *coupling, int couplings);

/* Integration steps of every layer that has them; prepares. LFT_ERR_ARG beyond most_steps. */
LFT_API lft_status LFT_(flow_refine)(LFT_(flow) *flow, int steps);

/* Fills a batch with samples number first ... first + n - 1 of the seed, and logq[n] with their log-densities. The same
 * number is the same sample in any batch, for any number of threads. LFT_ERR_NONFINITE, LFT_ERR_MISMATCH (extents). */
LFT_API lft_status LFT_(flow_sample)(LFT_(flow) *flow, uint64_t seed, uint64_t first, LFT_(batch) *x, double *logq);

/* logq[n] of given configurations, by the inverse of the same discrete map. LFT_ERR_NOCONV if that cannot be computed. */
LFT_API lft_status LFT_(flow_logq)(LFT_(flow) *flow, const LFT_(batch) *x, double *logq);

/* x = f(z) with logdet[n] = log |det df/dz|, and back: z = f^-1(x) with logdet[n] = log |det df^-1/dx|. x may be z where the
 * extents agree. The prior is left out. LFT_ERR_ARG for a flow with layers that draw; flow_inverse knows what they were given. */
LFT_API lft_status LFT_(flow_map)(LFT_(flow) *flow, const LFT_(batch) *z, LFT_(batch) *x, double *logdet);
LFT_API lft_status LFT_(flow_inverse)(LFT_(flow) *flow, const LFT_(batch) *x, LFT_(batch) *z, double *logdet);

LFT_API lft_status LFT_P_SIGNED(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena,
                                           lft_error *error);

LFT_P_STATIC lft_status LFT_(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena, lft_error *error)
{
    return LFT_P_SIGNED(flow_init)(flow, desc, arena, error);
}

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* What one thread works in. */
typedef struct LFT_P(flow_work) {
    lft_v    *x, *other, *score; /* one group at the largest extents: field, second buffer where extents change, derivative */
    lft_arena scratch;
    int       failed; /* 1 + the first group that failed, 0 for none */
    lft_error error, first; /* of the group at work; of the first that failed */
} LFT_P(flow_work);

typedef struct LFT_P(flow_state) {
    LFT_P(prior)      prior;
    LFT_P(flow_work) *work; /* [threads] */
    int               threads;
    size_t            volume; /* the largest of any layer */
    size_t            parameters; /* of the layers and the prior: params.count is that times terms */
    int               terms;      /* 1 for a flow that is no family */
    double           *theta;      /* [parameters] at the present couplings; params.value if there is one term */
} LFT_P(flow_state);

LFT_P_STATIC LFT_P(flow_state) *LFT_P(flow_state_of)(const LFT_(flow) *flow)
{
    return (LFT_P(flow_state) *)flow->state;
}

/* The coefficients of the terms 1, 2, ... of a family, like those that have been declared. */
LFT_P_STATIC void LFT_P(flow_declare_terms)(lft_parameters *set, int terms)
{
    const int    tensors = set->tensors;
    const size_t count   = set->count;
    int          b, i;
    if (!set->list) {
        set->tensors = tensors * terms;
        set->count   = count * (size_t)terms;
        return;
    }
    for (b = 1; b < terms; ++b) {
        char       owner[16];
        lft_p_text text = {0, 0, 0};
        text.data = owner, text.size = sizeof owner;
        lft_p_put(&text, "term");
        lft_p_put_u64(&text, (uint64_t)b);
        for (i = 0; i < tensors; ++i) {
            const lft_parameter *p = set->list + i;
            lft_declare(set, owner, p->name, p->rank, p->shape[0], p->shape[1], p->shape[2], p->shape[3]);
        }
    }
}

/* Sets up the prior and the layers; declares all parameters. *scratch: the bytes that any of them needs at most. */
LFT_P_STATIC lft_status LFT_P(flow_layout)(LFT_(flow) *flow, LFT_P(flow_state) *s, const LFT_(flow_desc) *desc,
                                           const LFT_(layer_desc) *list, size_t *scratch, lft_arena *arena, lft_error *error)
{
    LFT_(lattice) at;
    lft_status    status;
    int           i;
    lft_p_zero(&at, sizeof at); /* gcc 12 -O2 sees a path without it */
    status = LFT_(lattice_init)(&at, desc->extent, error);
    if (status) return status;
    s->volume              = (size_t)at.volume;
    *scratch               = 0;
    flow->params.tensors   = 0;
    flow->params.count     = 0;
    status = LFT_P(prior_init)(&s->prior, desc->prior, desc->prior_mass2, desc->prior_target, &at, &flow->params, arena, error);
    if (status) return status;
    for (i = 0; i < flow->layers; ++i) {
        LFT_(layer)  local, *layer = flow->layer ? flow->layer + i : &local;
        char         name[24];
        lft_p_text   text = {0, 0, 0};
        text.data = name, text.size = sizeof name;
        lft_p_put(&text, "layer");
        lft_p_put_u64(&text, (uint64_t)i);
        lft_p_zero(layer, sizeof *layer);
        layer->ops  = list[i].ops;
        layer->desc = list[i].desc;
        layer->in   = at;
        layer->params = flow->params.count; /* also of a layer that has none */
        if (!layer->ops) {
            return lft_p_fail(error, LFT_ERR_ARG, "flow", "expected a list of layers with a table of functions each, got none");
        }
        status      = layer->ops->init(layer, name, &flow->params, arena, error);
        if (status) return status;
        at = layer->out;
        if ((size_t)at.volume > s->volume) s->volume = (size_t)at.volume;
        if (layer->scratch_bytes > *scratch) *scratch = layer->scratch_bytes;
    }
    if (LFT_P(prior_scratch)(&s->prior) > *scratch) *scratch = LFT_P(prior_scratch)(&s->prior);
    flow->lattice = at;
    s->parameters = flow->params.count;
    LFT_P(flow_declare_terms)(&flow->params, s->terms);
    return LFT_OK;
}

/* Everything, over a measuring or a real arena. The number of tensors is known after a first layout that only counts them. */
LFT_P_STATIC lft_status LFT_P(flow_build)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena,
                                          lft_error *error)
{
    LFT_P(flow_state)     counted, *s = (LFT_P(flow_state) *)lft_arena_alloc(arena, 1, sizeof *s);
    LFT_(layer_desc)      single;
    const LFT_(layer_desc) *list = desc->layers ? desc->layer : &single;
    lft_arena             measure = lft_arena_measure();
    lft_status            status;
    size_t                scratch;
    int                   i;
    lft_p_zero(&counted, sizeof counted);
    single.ops   = LFT_(continuous)();
    single.desc  = &desc->continuous;
    status       = lft_p_family_check(&desc->family, error);
    if (status) return status;
    counted.terms = lft_p_family_terms(&desc->family);
    flow->layers = desc->layers ? desc->layers : 1;
    flow->layer  = NULL;
    flow->params.list     = NULL;
    flow->params.counting = 1;
    status = LFT_P(flow_layout)(flow, &counted, desc, list, &scratch, &measure, error);
    if (status) return status;

    flow->state        = s;
    flow->pool         = desc->pool;
    flow->layer        = (LFT_(layer) *)lft_arena_alloc(arena, (size_t)flow->layers, sizeof(LFT_(layer)));
    flow->params.list  = (lft_parameter *)lft_arena_alloc(arena, (size_t)flow->params.tensors, sizeof(lft_parameter));
    flow->params.value = (double *)lft_arena_alloc(arena, flow->params.count, sizeof(double));
    flow->params.pace  = (double *)lft_arena_alloc(arena, flow->params.count, sizeof(double));
    flow->params.counting = 0;

    if (!s) s = &counted;
    s->terms   = counted.terms;
    s->theta   = flow->params.value;
    if (s->terms > 1) s->theta = (double *)lft_arena_alloc(arena, counted.parameters, sizeof(double));
    status = LFT_P(flow_layout)(flow, s, desc, list, &scratch, arena, error);
    if (status) return status;
    s->threads = lft_p_pool_threads(&flow->pool);
    s->work    = (LFT_P(flow_work) *)lft_arena_alloc(arena, (size_t)s->threads, sizeof *s->work);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(flow_work) local, *w = s->work ? s->work + i : &local;
        w->x       = LFT_P(vectors)(arena, s->volume * LFT_P_SITE);
        w->other   = LFT_P(vectors)(arena, s->volume * LFT_P_SITE);
        w->score   = LFT_P(vectors)(arena, LFT_UPTO >= LFT_TRAIN ? s->volume * LFT_P_FORCES : 0);
        w->scratch = lft_arena_of(lft_arena_take(arena, scratch, 1), scratch);
    }
    return lft_arena_check(arena, error, "flow");
}

LFT_API lft_status LFT_P_SIGNED(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena,
                                           lft_error *error)
{
    LFT_P(flow_state) *s;
    double             pace[LFT_P_FAMILY_MOST];
    lft_status         status;
    size_t             k;
    int                i;
    lft_p_zero(flow, sizeof *flow);
    status = LFT_P(flow_build)(flow, desc, arena, error);
    if (status || lft_arena_measuring(arena)) return status;
    s = LFT_P(flow_state_of)(flow);
    LFT_P(prior_start)(&s->prior, flow->params.value);
    for (k = 0; k < s->parameters; ++k) flow->params.pace[k] = 1;
    for (i = 0; i < flow->layers; ++i) flow->layer[i].ops->start(flow->layer + i, flow->params.value, flow->params.pace);
    lft_p_family_pace(&desc->family, pace);
    for (k = s->parameters; k < flow->params.count; ++k) {
        flow->params.pace[k] = flow->params.pace[k % s->parameters] * pace[k / s->parameters];
    }
    flow->family = desc->family;
    for (i = 0; i < LFT_MAX_COUPLINGS; ++i) flow->coupling[i] = 0.5 * (flow->family.low[i] + flow->family.high[i]);
    LFT_(flow_prepare)(flow);
    return LFT_OK;
}

LFT_API size_t LFT_(flow_bytes)(const LFT_(flow_desc) *desc)
{
    LFT_(flow) flow;
    lft_arena  measure = lft_arena_measure();
    return LFT_P_SIGNED(flow_init)(&flow, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

LFT_API void LFT_(flow_prepare)(LFT_(flow) *flow)
{
    LFT_P(flow_state) *s = LFT_P(flow_state_of)(flow);
    double             weight[LFT_P_FAMILY_MOST];
    size_t             k;
    int                i;
    if (s->terms > 1) {
        lft_p_family_weights(&flow->family, flow->coupling, weight);
        for (k = 0; k < s->parameters; ++k) {
            double sum = flow->params.value[k];
            for (i = 1; i < s->terms; ++i) sum += weight[i] * flow->params.value[(size_t)i * s->parameters + k];
            s->theta[k] = sum;
        }
    }
    LFT_P(prior_prepare)(&s->prior, s->theta);
    for (i = 0; i < flow->layers; ++i) flow->layer[i].ops->prepare(flow->layer + i, s->theta);
}

LFT_API lft_status LFT_(flow_at)(LFT_(flow) *flow, const double *coupling, int couplings)
{
    const lft_family *f = &flow->family;
    int               i;
    if (!f->degree) return lft_p_fail(&flow->error, LFT_ERR_MISMATCH, "flow_at", "the flow is of one set of couplings, no family");
    if (couplings != f->couplings) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "flow_at", "couplings", "as many as the family has", couplings);
    }
    for (i = 0; i < couplings; ++i) {
        lft_p_text t;
        if (coupling[i] >= f->low[i] && coupling[i] <= f->high[i]) continue;
        t = lft_p_error_text(&flow->error, LFT_ERR_ARG, "flow_at", "coupling ");
        lft_p_put_u64(&t, (uint64_t)i);
        lft_p_put(&t, ": expected ");
        lft_p_put_f64(&t, f->low[i]);
        lft_p_put(&t, " to ");
        lft_p_put_f64(&t, f->high[i]);
        lft_p_put(&t, ", the bounds of the family, got ");
        lft_p_put_f64(&t, coupling[i]);
        return LFT_ERR_ARG;
    }
    lft_p_copy(flow->coupling, coupling, (size_t)couplings * sizeof(double));
    LFT_(flow_prepare)(flow);
    return LFT_OK;
}

LFT_API lft_status LFT_(flow_refine)(LFT_(flow) *flow, int steps)
{
    lft_status status = LFT_OK;
    int        i;
    for (i = 0; i < flow->layers && !status; ++i) {
        if (flow->layer[i].steps) status = flow->layer[i].ops->refine(flow->layer + i, steps, &flow->error);
    }
    if (!status) LFT_(flow_prepare)(flow);
    return status;
}

/* Brings a flow down to its first layers, a flow of their lattice, and returns what it was; and back to that. The parameters of
 * these are its first ones, of a family those of each term. */
LFT_P_STATIC LFT_(flow) LFT_P(flow_cut)(LFT_(flow) *flow, int layers)
{
    const LFT_(flow) whole = *flow;
    if (layers == flow->layers) return whole;
    flow->layers  = layers;
    flow->lattice = flow->layer[layers - 1].out;
    if (LFT_P(flow_state_of)(flow)->terms == 1) flow->params.count = flow->layer[layers].params;
    return whole;
}

LFT_P_STATIC void LFT_P(flow_uncut)(LFT_(flow) *flow, const LFT_(flow) *whole)
{
    flow->layers       = whole->layers;
    flow->lattice      = whole->lattice;
    flow->params.count = whole->params.count;
}

LFT_P_STATIC void LFT_P(copy_field)(lft_v *to, const lft_v *from, const LFT_(lattice) *lattice)
{
    if (to != from) lft_p_copy(to, from, LFT_P(field_vectors)(lattice) * sizeof(lft_v));
}

LFT_P_STATIC lft_status LFT_P(flow_no_map)(const LFT_(layer) *layer, lft_error *error)
{
    return lft_p_fail_text(error, LFT_ERR_ARG, "flow", "layer", "one that maps, not draws", layer->ops->kind);
}

/* Layer i, which maps or draws. */
LFT_P_STATIC lft_status LFT_P(flow_layer)(const LFT_(flow) *flow, int i, const lft_draw *d, lft_v *from, lft_v *to, double *logdet,
                                          lft_v *score, unsigned char *tape, lft_arena scratch, lft_error *error)
{
    const LFT_(layer) *layer = flow->layer + i;
    lft_draw           own;
    if (!layer->ops->draw) {
        return layer->ops->forward(layer, (lft_real *)from, (lft_real *)to, logdet, (lft_real *)score, tape, scratch, error);
    }
    if (!d) return LFT_P(flow_no_map)(layer, error);
    own = lft_draw_of(d->seed, LFT_DRAW_LAYER, d->sample, (d->purpose & 0xff) << 16 | (uint32_t)i);
    return layer->ops->draw(layer, own, (lft_real *)from, (lft_real *)to, logdet, (lft_real *)score, tape, scratch, error);
}

/* The group in w->x through all layers, also where a lane is not finite: the others may be wanted. d: the address of the
 * sample; NULL if none of them may draw. tape: of the layers from number `taped` on one behind the other, or NULL. */
LFT_P_STATIC lft_status LFT_P(flow_push)(const LFT_(flow) *flow, LFT_P(flow_work) *w, const lft_draw *d, double *logdet,
                                         lft_v *score, unsigned char *tape, int taped)
{
    lft_status status = LFT_OK, one;
    int        i;
    for (i = 0; i < flow->layers && (!status || status == LFT_ERR_NONFINITE); ++i) {
        unsigned char     *own   = i < taped ? NULL : tape;
        const LFT_(layer) *layer = flow->layer + i;
        lft_v             *to    = layer->in.volume == layer->out.volume ? w->x : w->other;
        one = LFT_P(flow_layer)(flow, i, d, w->x, to, logdet, score, own, w->scratch, status ? NULL : &w->error);
        if (!status || one != LFT_ERR_NONFINITE) status = one ? one : status;
        LFT_P(copy_field)(w->x, to, &layer->out);
        if (own) tape += layer->tape_bytes;
    }
    return status;
}

LFT_P_STATIC lft_status LFT_P(flow_pull)(const LFT_(flow) *flow, LFT_P(flow_work) *w, double *logdet)
{
    lft_status status = LFT_OK;
    int        i;
    for (i = flow->layers - 1; i >= 0 && !status; --i) {
        const LFT_(layer) *layer = flow->layer + i;
        status = layer->ops->inverse(layer, (lft_real *)w->x, (lft_real *)w->other, logdet, w->scratch, &w->error);
        LFT_P(copy_field)(w->x, w->other, &layer->in);
    }
    return status;
}

/* What the tasks of one call share. */
typedef struct LFT_P(flow_job) {
    LFT_(flow)        *flow;
    const LFT_(batch) *from;
    LFT_(batch)       *to;
    double            *out; /* [n] */
    lft_draw           draw;
} LFT_P(flow_job);

LFT_P_STATIC void LFT_P(flow_note)(LFT_P(flow_work) *w, int group, lft_status status)
{
    if (status && (!w->failed || group + 1 < w->failed)) {
        w->failed     = group + 1;
        w->first      = w->error;
        w->first.code = status;
    }
}

/* Runs one task per group; the error of the first group that failed becomes the flow's, whatever the threads. */
LFT_P_STATIC lft_status LFT_P(flow_run)(LFT_(flow) *flow, int groups, lft_task task, void *job)
{
    LFT_P(flow_state) *s = LFT_P(flow_state_of)(flow);
    LFT_P(flow_work)  *worst = NULL;
    int                i;
    for (i = 0; i < s->threads; ++i) s->work[i].failed = 0;
    lft_p_pool_run(&flow->pool, groups, task, job);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(flow_work) *w = s->work + i;
        if (w->failed && (!worst || w->failed < worst->failed)) worst = w;
    }
    if (!worst) return LFT_OK;
    flow->error = worst->first;
    return worst->first.code;
}

LFT_P_STATIC void LFT_P(flow_store)(double *out, int n, int group, const double *value)
{
    int l;
    for (l = 0; l < LFT_P_LANES && group * LFT_P_LANES + l < n; ++l) out[group * LFT_P_LANES + l] = value[l];
}

LFT_P_STATIC void LFT_P(flow_sample_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_state)     *s = LFT_P(flow_state_of)(job->flow);
    LFT_P(flow_work)      *w = s->work + thread;
    lft_draw               d = job->draw;
    double                 logq[LFT_P_LANES], logdet[LFT_P_LANES];
    int                    l;
    d.sample += (uint64_t)group * LFT_P_LANES;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(prior_draw)(&s->prior, d, w->x, logq, w->scratch);
    LFT_P(flow_note)(w, group, LFT_P(flow_push)(job->flow, w, &d, logdet, NULL, NULL, 0));
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] -= logdet[l];
    LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    LFT_P(flow_store)(job->out, job->to->n, group, logq);
}

LFT_P_STATIC void LFT_P(flow_map_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_work)      *w = LFT_P(flow_state_of)(job->flow)->work + thread;
    double                 logdet[LFT_P_LANES];
    int                    l;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(copy_field)(w->x, LFT_P(view)(LFT_P(group)(job->from, group)), &job->from->lattice);
    LFT_P(flow_note)(w, group, LFT_P(flow_push)(job->flow, w, NULL, logdet, NULL, NULL, 0));
    LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    LFT_P(flow_store)(job->out, job->to->n, group, logdet);
}

/* The inverse; with job->to == NULL the log-density is stored instead of the log-det. */
LFT_P_STATIC void LFT_P(flow_inverse_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_state)     *s = LFT_P(flow_state_of)(job->flow);
    LFT_P(flow_work)      *w = s->work + thread;
    double                 logdet[LFT_P_LANES], logq[LFT_P_LANES];
    int                    l;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(copy_field)(w->x, LFT_P(view)(LFT_P(group)(job->from, group)), &job->from->lattice);
    LFT_P(flow_note)(w, group, LFT_P(flow_pull)(job->flow, w, logdet));
    if (job->to) {
        LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    } else {
        LFT_P(prior_logq)(&s->prior, w->x, logq, NULL, w->scratch);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] += logq[l];
    }
    LFT_P(flow_store)(job->out, job->from->n, group, logdet);
}

LFT_P_STATIC lft_status LFT_P(flow_fits)(LFT_(flow) *flow, const LFT_(lattice) *a, const LFT_(lattice) *b)
{
    if (LFT_P(same_lattice)(a, b)) return LFT_OK;
    return lft_p_fail(&flow->error, LFT_ERR_MISMATCH, "flow", "the batch has other extents than the flow");
}

LFT_P_STATIC lft_status LFT_P(flow_start_job)(LFT_(flow) *flow, const LFT_(batch) *from, LFT_(batch) *to, double *out,
                                              lft_draw draw, lft_task task)
{
    LFT_P(flow_job) job;
    int             groups = from ? from->groups : to->groups;
    job.flow = flow, job.from = from, job.to = to, job.out = out, job.draw = draw;
    if (from && to && from->n != to->n) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "flow", "n", "batches of the same size", to->n);
    }
    return LFT_P(flow_run)(flow, groups, task, &job);
}

LFT_API lft_status LFT_(flow_sample)(LFT_(flow) *flow, uint64_t seed, uint64_t first, LFT_(batch) *x, double *logq)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, NULL, x, logq, lft_draw_of(seed, LFT_DRAW_PRIOR, first, 0),
                                 LFT_P(flow_sample_task));
}

LFT_API lft_status LFT_(flow_logq)(LFT_(flow) *flow, const LFT_(batch) *x, double *logq)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, x, NULL, logq, lft_draw_of(0, 0, 0, 0), LFT_P(flow_inverse_task));
}

LFT_API lft_status LFT_(flow_map)(LFT_(flow) *flow, const LFT_(batch) *z, LFT_(batch) *x, double *logdet)
{
    lft_status status = LFT_P(flow_fits)(flow, &z->lattice, &flow->layer[0].in);
    int        i;
    if (!status) status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    for (i = 0; i < flow->layers && !status; ++i) {
        if (flow->layer[i].ops->draw) status = LFT_P(flow_no_map)(flow->layer + i, &flow->error);
    }
    if (status) return status;
    return LFT_P(flow_start_job)(flow, z, x, logdet, lft_draw_of(0, 0, 0, 0), LFT_P(flow_map_task));
}

LFT_API lft_status LFT_(flow_inverse)(LFT_(flow) *flow, const LFT_(batch) *x, LFT_(batch) *z, double *logdet)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (!status) status = LFT_P(flow_fits)(flow, &z->lattice, &flow->layer[0].in);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, x, z, logdet, lft_draw_of(0, 0, 0, 0), LFT_P(flow_inverse_task));
}

#endif /* LFT_P_CODE */
