/* 88_model.h: flows as files: safetensors documents that hold all that rebuilds a flow bit for bit.
 * Offers: LFT_(model_info), LFT_(model_info_of)(), LFT_(model_save)(), LFT_(model_bytes)(). 89_model_read.h reads them.
 *
 * Format 1. Metadata (strings, for people and for finding one's way): format "lftflow-model", format_version "1", version (of
 * the library), theory, group "scalar", "u1", "su2" or "su3", dim "2", extent "6x6", couplings "m2 lambda", prior "free",
 * "normal" or "haar", layers "1", layer0 "continuous", seed. Tensors (the numbers themselves; later versions may append numbers
 * and tensors):
 *   couplings        F64 [couplings] in the order of the metadata
 *   extent           U64 [dim] of the prior
 *   prior.spec       F64 [2] lft_prior_kind, mass2 of the start (Haar: 0); of a heat bath [3] kind, beta, updates
 *   layer0.spec ...  I64 [] see LFT_(layer_ops)
 *   <parameters>     F64 (or F32, rounded) under their own names, e.g. layer0.kernel
 *   family           F64 [1 + 2 couplings] degree, lower and upper bounds; only of a family, whose couplings are those at present
 *   logq_error       F64 [5] std, mean, std_error, mean_error, n; left out if it has not been measured
 *   training         U64 [3] seed, steps, batch
 *   training.result  F64 [4] seconds, loss, ess, number of samples of that ess
 * A checkpoint (93_checkpoint.h) is a model with more tensors. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* What a model file says beside the flow. Zero where nothing is known. */
typedef struct LFT_(model_info) {
    char           theory[32]; /* theory->name */
    int            couplings;
    char           coupling_name[LFT_MAX_COUPLINGS][16];
    double         coupling[LFT_MAX_COUPLINGS];
    lft_logq_error logq_error;         /* n = 0: not measured */
    uint64_t       seed, steps, batch; /* of the training */
    double         seconds, loss;      /* of the training */
    double         ess;                /* of ess_n independent samples */
    uint64_t       ess_n;
    char           version[16]; /* of the library that wrote the file; model_save writes its own */
    int            f32; /* for model_save: parameters rounded to single precision, in files of half the size */
} LFT_(model_info);

/* An info with the name and the couplings of the theory, the rest zero. */
LFT_API void LFT_(model_info_of)(LFT_(model_info) *info, const LFT_(theory) *theory);

/* Writes the model: the flow with its parameters and its present integration steps. An f32 and an f64 instance write the same
 * file. Scratch: model_bytes(), enough for parameters of either type. LFT_ERR_ARG for a layer that cannot be stored,
 * LFT_ERR_NOMEM, LFT_ERR_IO. O(parameters). */
LFT_API lft_status LFT_(model_save)(const LFT_(flow) *flow, const LFT_(model_info) *info, lft_writer to,
                                    lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(model_bytes)(const LFT_(flow) *flow);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_MODEL_FORMAT 1

/* ---- texts --------------------------------------------------------------------------------------------------------- */

/* "layer3.spec" */
LFT_P_STATIC void LFT_P(model_layer_name)(char *data, size_t size, int i, const char *end)
{
    lft_p_text t = lft_p_text_over(data, size);
    lft_p_put(&t, "layer");
    lft_p_put_u64(&t, (uint64_t)i);
    lft_p_put(&t, end);
}

/* "model: 'name': expected ", to be continued. */
LFT_P_STATIC lft_p_text LFT_P(model_bad)(lft_error *error, lft_status code, const char *name)
{
    lft_p_text t = lft_p_error_text(error, code, "model", "");
    lft_p_put_quoted(&t, name);
    lft_p_put(&t, ": expected ");
    return t;
}

/* "model: 'name': expected ..., got 'value'" */
LFT_P_STATIC lft_status LFT_P(model_unlike)(lft_error *error, lft_status code, const char *name, const char *expected,
                                            const char *value)
{
    lft_p_text t = LFT_P(model_bad)(error, code, name);
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_quoted(&t, value);
    return code;
}

LFT_P_STATIC void LFT_P(model_put_extent)(lft_p_text *t, const int *extent)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (mu) lft_p_put(t, "x");
        lft_p_put_u64(t, (uint64_t)extent[mu]);
    }
}

LFT_API void LFT_(model_info_of)(LFT_(model_info) *info, const LFT_(theory) *theory)
{
    lft_p_text t;
    int        i;
    lft_p_zero(info, sizeof *info);
    t = lft_p_text_over(info->theory, sizeof info->theory);
    lft_p_put(&t, theory->name);
    info->couplings = theory->couplings;
    for (i = 0; i < theory->couplings; ++i) {
        t = lft_p_text_over(info->coupling_name[i], sizeof info->coupling_name[i]);
        lft_p_put(&t, theory->coupling_name[i]);
        info->coupling[i] = theory->coupling[i];
    }
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/* A document under construction, in scratch memory. Over a measuring arena it only counts. */
typedef struct LFT_P(model_list) {
    lft_tensor    *tensor;
    lft_text_pair *meta;
    int            tensors, metas, most_tensors, most_metas, lost; /* lost: entries beyond the most */
    lft_arena     *arena;
} LFT_P(model_list);

/* Room for a model of this flow and, of a checkpoint, `more` tensors and two values of metadata. */
LFT_P_STATIC LFT_P(model_list) LFT_P(model_list_of)(const LFT_(flow) *flow, int more, lft_arena *arena)
{
    LFT_P(model_list) list;
    list.most_tensors = flow->params.tensors + flow->layers + 7 + more;
    list.most_metas   = flow->layers + 11 + (more ? 2 : 0);
    list.tensors = list.metas = list.lost = 0;
    list.arena  = arena;
    list.tensor = (lft_tensor *)lft_arena_alloc(arena, (size_t)list.most_tensors, sizeof(lft_tensor));
    list.meta   = (lft_text_pair *)lft_arena_alloc(arena, (size_t)list.most_metas, sizeof(lft_text_pair));
    return list;
}

/* A tensor that lies elsewhere, of 8-byte numbers or F32. */
LFT_P_STATIC void LFT_P(model_refer)(LFT_P(model_list) *list, const char *name, lft_dtype dtype, const void *data, int rank,
                                     const int *shape)
{
    lft_tensor *t = list->tensor + list->tensors;
    int         i;
    if (list->tensors == list->most_tensors) list->lost += 1;
    if (!list->tensor || list->tensors == list->most_tensors) return;
    list->tensors += 1;
    t->name  = name;
    t->dtype = dtype;
    t->rank  = rank;
    t->bytes = dtype == LFT_DTYPE_F32 ? 4 : 8;
    t->data  = data;
    for (i = 0; i < rank; ++i) {
        t->shape[i] = (uint64_t)shape[i];
        t->bytes *= (size_t)shape[i];
    }
}

/* A tensor of n 8-byte numbers that are copied. */
LFT_P_STATIC void LFT_P(model_add)(LFT_P(model_list) *list, const char *name, lft_dtype dtype, const void *data, int n)
{
    void *copy = lft_arena_take(list->arena, (size_t)n, 8);
    if (!copy) return;
    lft_p_copy(copy, data, (size_t)n * 8);
    LFT_P(model_refer)(list, name, dtype, copy, 1, &n);
}

/* A parameter tensor, copied as F32. */
LFT_P_STATIC void LFT_P(model_add_f32)(LFT_P(model_list) *list, const lft_parameter *p, const double *value)
{
    float *copy = (float *)lft_arena_take(list->arena, p->count, sizeof(float));
    size_t k;
    if (!copy) return;
    for (k = 0; k < p->count; ++k) copy[k] = (float)value[k];
    LFT_P(model_refer)(list, p->name, LFT_DTYPE_F32, copy, p->rank, p->shape);
}

/* Room for a name or value of so many characters and a zero. */
LFT_P_STATIC lft_p_text LFT_P(model_new_text)(LFT_P(model_list) *list, size_t size)
{
    char *data = (char *)lft_arena_alloc(list->arena, size, 1);
    return lft_p_text_over(data, data ? size : 0);
}

LFT_P_STATIC void LFT_P(model_say)(LFT_P(model_list) *list, const char *key, const char *value)
{
    if (list->metas == list->most_metas) list->lost += 1;
    if (!list->meta || !key || !value || list->metas == list->most_metas) return;
    list->meta[list->metas].key   = key;
    list->meta[list->metas].value = value;
    list->metas += 1;
}

LFT_P_STATIC void LFT_P(model_say_number)(LFT_P(model_list) *list, const char *key, uint64_t value)
{
    lft_p_text t = LFT_P(model_new_text)(list, 64);
    lft_p_put_u64(&t, value);
    LFT_P(model_say)(list, key, t.data);
}

LFT_P_STATIC void LFT_P(model_metadata)(LFT_P(model_list) *list, const LFT_(flow) *flow, const LFT_(model_info) *info)
{
    lft_p_text t;
    int        i;
    LFT_P(model_say)(list, "format", "lftflow-model");
    LFT_P(model_say_number)(list, "format_version", LFT_P_MODEL_FORMAT);
    LFT_P(model_say)(list, "version", LFT_VERSION);
    LFT_P(model_say)(list, "theory", info->theory);
    LFT_P(model_say)(list, "group", LFT_P_STRING(LFT_P_GROUP_NAME));
    LFT_P(model_say_number)(list, "dim", LFT_DIM);
    t = LFT_P(model_new_text)(list, 64);
    LFT_P(model_put_extent)(&t, flow->layer[0].in.extent);
    LFT_P(model_say)(list, "extent", t.data);
    t = LFT_P(model_new_text)(list, LFT_MAX_COUPLINGS * sizeof info->coupling_name[0]);
    for (i = 0; i < info->couplings; ++i) {
        if (i) lft_p_put(&t, " ");
        lft_p_put(&t, info->coupling_name[i]);
    }
    LFT_P(model_say)(list, "couplings", t.data);
    LFT_P(model_say)(list, "prior", LFT_P(prior_name)[LFT_P(flow_state_of)(flow)->prior.kind]);
    LFT_P(model_say_number)(list, "seed", info->seed);
    LFT_P(model_say_number)(list, "layers", (uint64_t)flow->layers);
    for (i = 0; i < flow->layers; ++i) {
        t = LFT_P(model_new_text)(list, 64);
        LFT_P(model_layer_name)(t.data, t.size, i, "");
        LFT_P(model_say)(list, t.data, flow->layer[i].ops->kind);
    }
}

LFT_P_STATIC lft_status LFT_P(model_layers)(LFT_P(model_list) *list, const LFT_(flow) *flow, int f32, lft_error *error)
{
    int64_t    number[LFT_P_SPEC_MOST];
    lft_p_text t;
    int        i;
    for (i = 0; i < flow->layers; ++i) {
        const LFT_(layer) *layer = flow->layer + i;
        if (!layer->ops->spec || !layer->ops->read) {
            return lft_p_fail_text(error, LFT_ERR_ARG, "model", "layer", "one that can be stored", layer->ops->kind);
        }
        t = LFT_P(model_new_text)(list, 64);
        LFT_P(model_layer_name)(t.data, t.size, i, ".spec");
        LFT_P(model_add)(list, t.data, LFT_DTYPE_I64, number, layer->ops->spec(layer, number));
    }
    for (i = 0; i < flow->params.tensors; ++i) {
        const lft_parameter *p = flow->params.list + i;
        if (f32) LFT_P(model_add_f32)(list, p, flow->params.value + p->offset);
        else LFT_P(model_refer)(list, p->name, LFT_DTYPE_F64, flow->params.value + p->offset, p->rank, p->shape);
    }
    return LFT_OK;
}

/* All that is in a model. */
LFT_P_STATIC lft_status LFT_P(model_collect)(LFT_P(model_list) *list, const LFT_(flow) *flow, const LFT_(model_info) *info,
                                             lft_error *error)
{
    const lft_logq_error *e     = &info->logq_error;
    const lft_family     *family = &flow->family;
    uint64_t              whole[LFT_DIM + 3];
    double                real[1 + 2 * LFT_MAX_COUPLINGS + 4];
    int                   mu;
    LFT_P(model_metadata)(list, flow, info);
    LFT_P(model_add)(list, "couplings", LFT_DTYPE_F64, family->degree ? flow->coupling : info->coupling,
                     info->couplings);
    for (mu = 0; mu < LFT_DIM; ++mu) whole[mu] = (uint64_t)flow->layer[0].in.extent[mu];
    LFT_P(model_add)(list, "extent", LFT_DTYPE_U64, whole, LFT_DIM);
    LFT_P(model_add)(list, "prior.spec", LFT_DTYPE_F64, real, LFT_P(prior_spec)(&LFT_P(flow_state_of)(flow)->prior, real));
    real[0] = family->degree;
    for (mu = 0; mu < family->couplings; ++mu) real[1 + mu] = family->low[mu], real[1 + family->couplings + mu] = family->high[mu];
    if (family->degree) LFT_P(model_add)(list, "family", LFT_DTYPE_F64, real, 1 + 2 * family->couplings);
    real[0] = e->std, real[1] = e->mean, real[2] = e->std_error, real[3] = e->mean_error, real[4] = e->n;
    if (e->n) LFT_P(model_add)(list, "logq_error", LFT_DTYPE_F64, real, 5);
    whole[0] = info->seed, whole[1] = info->steps, whole[2] = info->batch;
    LFT_P(model_add)(list, "training", LFT_DTYPE_U64, whole, 3);
    real[0] = info->seconds, real[1] = info->loss, real[2] = info->ess, real[3] = (double)info->ess_n;
    LFT_P(model_add)(list, "training.result", LFT_DTYPE_F64, real, 4);
    return LFT_P(model_layers)(list, flow, info->f32, error);
}

LFT_P_STATIC lft_status LFT_P(model_write)(const LFT_P(model_list) *list, lft_writer to, lft_error *error)
{
    lft_status status = lft_arena_check(list->arena, error, "model");
    if (status) return status;
    if (list->lost) return lft_p_fail_got(error, LFT_ERR_ARG, "model", "entries beyond the room for them", "0", list->lost);
    return lft_safetensors_save(to, list->tensor, list->tensors, list->meta, list->metas, error);
}

LFT_API lft_status LFT_(model_save)(const LFT_(flow) *flow, const LFT_(model_info) *info, lft_writer to,
                                    lft_arena scratch, lft_error *error)
{
    LFT_P(model_list) list   = LFT_P(model_list_of)(flow, 0, &scratch);
    lft_status        status = LFT_P(model_collect)(&list, flow, info, error);
    return status ? status : LFT_P(model_write)(&list, to, error);
}

/* An info of the largest size, for byte queries. */
LFT_P_STATIC void LFT_P(model_info_most)(LFT_(model_info) *info)
{
    lft_p_zero(info, sizeof *info);
    info->couplings    = LFT_MAX_COUPLINGS;
    info->logq_error.n = 1;
    info->f32          = 1;
}

LFT_API size_t LFT_(model_bytes)(const LFT_(flow) *flow)
{
    lft_arena         measure = lft_arena_measure();
    LFT_P(model_list) list    = LFT_P(model_list_of)(flow, 0, &measure);
    LFT_(model_info)  info;
    LFT_P(model_info_most)(&info);
    return LFT_P(model_collect)(&list, flow, &info, NULL) == LFT_OK ? measure.need : 0;
}

#endif /* LFT_P_CODE */
