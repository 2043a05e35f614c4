/* 80_flow.h: a flow is a prior and layers, with the exact log-density of what they really compute.
 * Offers: LFT_(flow_desc), LFT_(flow), LFT_(flow_init)(), _bytes, _prepare, _at, _refine; lft_logq_error. */
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
    LFT_(prior_desc)         prior;
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

/* 1: log q is normalised, and the mean of exp(-S) / q is Z. 0: log q leaves out the log Z of the prior, a heat bath in more than
 * two dimensions, so that the mean is Z / Z_prior; the ESS, Metropolis and gradients do not depend on it. */
LFT_API int LFT_(flow_normalised)(const LFT_(flow) *flow);

/* Integration steps of every layer that has them; prepares. LFT_ERR_ARG beyond most_steps. */
LFT_API lft_status LFT_(flow_refine)(LFT_(flow) *flow, int steps);

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
        lft_p_text text = lft_p_text_over(owner, sizeof owner);
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
    status = LFT_P(prior_init)(&s->prior, &desc->prior, &at, &flow->params, arena, error);
    if (status) return status;
    for (i = 0; i < flow->layers; ++i) {
        LFT_(layer)  local, *layer = flow->layer ? flow->layer + i : &local;
        char         name[24];
        lft_p_text   text = lft_p_text_over(name, sizeof name);
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

LFT_API int LFT_(flow_normalised)(const LFT_(flow) *flow) { return LFT_P(prior_normalised)(&LFT_P(flow_state_of)(flow)->prior); }

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

#endif /* LFT_P_CODE */
