/* 89_model_read.h: flows from files (88_model.h says what is in them).
 * Offers: LFT_(model_desc)(), LFT_(model_restore)(). In order: lft_safetensors_load(), model_desc, flow_init, model_restore. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* A desc for LFT_(flow_init)() out of a loaded document: extents, prior and layers; the pool is left to the caller. The descs
 * of the layers are laid out in the arena, a few hundred bytes each, and have to last until flow_init returns. own: tables of
 * layers that this library does not have, up to a NULL; or NULL. info may be NULL.
 * LFT_ERR_MISMATCH: a model of another group or dimension, or with a layer of unknown kind (f32 and f64 instances load the
 * same models); LFT_ERR_FORMAT: no model, of a newer format, or a tensor is missing or is not as above; LFT_ERR_NOMEM. */
LFT_API lft_status LFT_(model_desc)(const lft_safetensors *doc, const LFT_(layer_ops) *const *own, LFT_(flow_desc) *desc,
                                    LFT_(model_info) *info, lft_arena *arena, lft_error *error);

/* Copies all parameters and the present integration steps into a flow of the same shape, and prepares it: its log q is then
 * that of the flow that was saved, bit for bit on the same machine and lanes. The flow may have been built by hand, e.g. with
 * other most_steps. LFT_ERR_MISMATCH: another extent, prior, layer or shape; LFT_ERR_FORMAT: a tensor is missing;
 * LFT_ERR_NONFINITE: a parameter is NaN or infinite; LFT_ERR_ARG: more integration steps than the flow provides for. After an
 * error the parameters are as they were. */
LFT_API lft_status LFT_(model_restore)(LFT_(flow) *flow, const lft_safetensors *doc, lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* The tensor of that name with at least `least` numbers; NULL and an error otherwise. */
LFT_P_STATIC const lft_tensor *LFT_P(model_find)(const lft_safetensors *doc, const char *name, size_t least,
                                                 lft_error *error)
{
    const lft_tensor *t = lft_safetensors_find(doc, name);
    lft_p_text        text;
    if (t && lft_tensor_count(t) >= least) return t;
    text = LFT_P(model_bad)(error, LFT_ERR_FORMAT, name);
    lft_p_put(&text, "a tensor of at least ");
    lft_p_put_u64(&text, least);
    lft_p_put(&text, " numbers, got ");
    if (t) lft_p_put_u64(&text, lft_tensor_count(t));
    else lft_p_put(&text, "none");
    return NULL;
}

/* A value of the metadata; NULL and an error if it is not there. */
LFT_P_STATIC const char *LFT_P(model_meta)(const lft_safetensors *doc, const char *key, lft_error *error)
{
    const char *value = lft_safetensors_meta(doc, key);
    lft_p_text  t;
    if (value) return value;
    t = LFT_P(model_bad)(error, LFT_ERR_FORMAT, key);
    lft_p_put(&t, "a value in the metadata of a model, got none");
    return NULL;
}

/* Number i of a tensor of integers; those beyond -10^15 are all one. */
LFT_P_STATIC int64_t LFT_P(model_integer)(const lft_tensor *t, size_t i)
{
    const uint64_t u = lft_tensor_get_u64(t, i);
    const double   x = lft_tensor_get(t, i);
    return u ? (int64_t)(u & INT64_MAX) : x > -1e15 && x < 1e15 ? (int64_t)x : (int64_t)-1e15;
}

/* 1 if x is an integer from 0 to most. */
LFT_P_STATIC int LFT_P(model_is_whole)(double x, double most)
{
    return x >= 0 && x <= most && (double)(int64_t)x == x;
}

/* A model, of a format that this version knows, for this group and dimension. */
LFT_P_STATIC lft_status LFT_P(model_check)(const lft_safetensors *doc, lft_error *error)
{
    static const char *const key[] = {"group", "dim"}, *const own[] = {LFT_P_STRING(LFT_P_GROUP_NAME),
                                                                      LFT_P_STRING(LFT_DIM)};
    const char *value = lft_safetensors_meta(doc, "format");
    uint64_t    version;
    int         i;
    if (!value || lft_p_order(value, "lftflow-model")) {
        return LFT_P(model_unlike)(error, LFT_ERR_FORMAT, "format", "'lftflow-model' in the metadata",
                                   value ? value : "");
    }
    value = LFT_P(model_meta)(doc, "format_version", error);
    if (!value) return LFT_ERR_FORMAT;
    if (!lft_p_parse_u64(value, &version) || version < 1 || version > LFT_P_MODEL_FORMAT) {
        return LFT_P(model_unlike)(error, LFT_ERR_FORMAT, "format_version", "1 (a newer one needs a newer lftflow.h)",
                                   value);
    }
    for (i = 0; i < 2; ++i) {
        value = LFT_P(model_meta)(doc, key[i], error);
        if (!value) return LFT_ERR_FORMAT;
        if (lft_p_order(value, own[i]) == 0) continue;
        return LFT_P(model_unlike)(error, LFT_ERR_MISMATCH, key[i], own[i], value);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(model_read_extent)(const lft_safetensors *doc, int *extent, lft_error *error)
{
    const lft_tensor *t = LFT_P(model_find)(doc, "extent", LFT_DIM, error);
    int               mu;
    for (mu = 0; t && mu < LFT_DIM; ++mu) {
        const uint64_t e = lft_tensor_get_u64(t, (size_t)mu);
        if (e < 1 || e > 1u << 24) {
            return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'extent'", "integers from 1 to 2^24",
                                  lft_tensor_get(t, (size_t)mu));
        }
        extent[mu] = (int)e;
    }
    return t ? LFT_OK : LFT_ERR_FORMAT;
}

LFT_P_STATIC lft_status LFT_P(model_read_prior)(const lft_safetensors *doc, LFT_(prior_desc) *prior, lft_error *error)
{
    const lft_tensor *t = LFT_P(model_find)(doc, "prior.spec", 2, error);
    double            number[LFT_P(prior_numbers)] = {0};
    int               n;
    if (!t) return LFT_ERR_FORMAT;
    for (n = 0; n < LFT_P(prior_numbers) && (uint64_t)n < lft_tensor_count(t); ++n) number[n] = lft_tensor_get(t, (size_t)n);
    return LFT_P(prior_read)(prior, number, n, LFT_ERR_FORMAT, "model", "'prior.spec'", error);
}

/* The bounds of a family; a model without them is none. */
LFT_P_STATIC lft_status LFT_P(model_read_family)(const lft_safetensors *doc, lft_family *f, lft_error *error)
{
    const lft_tensor *t = lft_safetensors_find(doc, "family");
    size_t            n = t ? lft_tensor_count(t) : 0;
    int               i;
    lft_p_zero(f, sizeof *f);
    if (!t) return LFT_OK;
    if (n % 2 == 0 || n > 1 + 2 * LFT_MAX_COUPLINGS || !LFT_P(model_is_whole)(lft_tensor_get(t, 0), 20)) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'family'", "a degree up to 20 and two bounds per coupling, numbers",
                              (double)n);
    }
    f->degree    = (int)lft_tensor_get(t, 0);
    f->couplings = (int)(n / 2);
    for (i = 0; i < f->couplings; ++i) {
        f->low[i]  = lft_tensor_get(t, 1 + (size_t)i);
        f->high[i] = lft_tensor_get(t, 1 + (size_t)(f->couplings + i));
    }
    return lft_p_family_check(f, error) ? LFT_ERR_FORMAT : LFT_OK;
}

/* The table of that kind: this library's, or the caller's own. */
LFT_P_STATIC const LFT_(layer_ops) *LFT_P(model_ops)(const char *kind, const LFT_(layer_ops) *const *own)
{
    const LFT_(layer_ops) *ops;
    int                    i;
    for (; own && *own; ++own) {
        if (lft_p_order(kind, (*own)->kind) == 0) return *own;
    }
    for (i = 0; (ops = LFT_P(layer_kind)(i)) != NULL && lft_p_order(kind, ops->kind) != 0;) ++i;
    return ops;
}

/* The integers of "layer<i>.spec"; how many, or -1 and an error. */
LFT_P_STATIC int LFT_P(model_read_spec)(const lft_safetensors *doc, int i, int64_t *number, lft_error *error)
{
    char              name[32];
    const lft_tensor *t;
    size_t            n, k;
    LFT_P(model_layer_name)(name, sizeof name, i, ".spec");
    t = LFT_P(model_find)(doc, name, 1, error);
    if (t && t->dtype != LFT_DTYPE_I64) {
        (void)LFT_P(model_unlike)(error, LFT_ERR_FORMAT, name, "dtype I64", lft_dtype_str(t->dtype));
        t = NULL;
    }
    if (!t) return -1;
    n = lft_tensor_count(t) < LFT_P_SPEC_MOST ? lft_tensor_count(t) : LFT_P_SPEC_MOST;
    for (k = 0; k < n; ++k) number[k] = LFT_P(model_integer)(t, k);
    return (int)n;
}

LFT_P_STATIC lft_status LFT_P(model_read_layer)(const lft_safetensors *doc, int i, const LFT_(layer_ops) *const *own,
                                                LFT_(layer_desc) *to, lft_arena *arena, lft_error *error)
{
    int64_t     number[LFT_P_SPEC_MOST];
    char        name[32];
    const char *kind;
    int         n;
    LFT_P(model_layer_name)(name, sizeof name, i, "");
    kind = LFT_P(model_meta)(doc, name, error);
    if (!kind) return LFT_ERR_FORMAT;
    to->ops = LFT_P(model_ops)(kind, own);
    if (!to->ops || !to->ops->read) {
        return LFT_P(model_unlike)(error, LFT_ERR_MISMATCH, name, "a kind of layer that this instance has", kind);
    }
    n = LFT_P(model_read_spec)(doc, i, number, error);
    return n < 0 ? LFT_ERR_FORMAT : to->ops->read(number, n, arena, &to->desc, error);
}

LFT_P_STATIC lft_status LFT_P(model_read_layers)(const lft_safetensors *doc, const LFT_(layer_ops) *const *own,
                                                 LFT_(flow_desc) *desc, lft_arena *arena, lft_error *error)
{
    const char       *value = LFT_P(model_meta)(doc, "layers", error);
    LFT_(layer_desc) *list, single;
    lft_status        status = LFT_OK;
    uint64_t          layers;
    int               i;
    if (!value) return LFT_ERR_FORMAT;
    if (!lft_p_parse_u64(value, &layers) || layers < 1 || layers > 10000) {
        return LFT_P(model_unlike)(error, LFT_ERR_FORMAT, "layers", "1 to 10000", value);
    }
    desc->layers = (int)layers;
    desc->layer = list = (LFT_(layer_desc) *)lft_arena_alloc(arena, (size_t)layers, sizeof(LFT_(layer_desc)));
    for (i = 0; i < desc->layers && !status; ++i) {
        status = LFT_P(model_read_layer)(doc, i, own, list ? list + i : &single, arena, error);
    }
    return status ? status : lft_arena_check(arena, error, "model");
}

/* Word number `which` of a text. */
LFT_P_STATIC void LFT_P(model_word)(const char *text, int which, char *to, size_t size)
{
    lft_p_text t    = lft_p_text_over(to, size);
    char       c[2] = {0, 0};
    for (; *text; ++text) {
        if (*text == ' ') --which;
        else if (which == 0) {
            c[0] = *text;
            lft_p_put(&t, c);
        }
    }
}

LFT_P_STATIC lft_status LFT_P(model_read_couplings)(const lft_safetensors *doc, LFT_(model_info) *info, lft_error *error)
{
    const lft_tensor *couplings = LFT_P(model_find)(doc, "couplings", 0, error);
    const char       *theory = LFT_P(model_meta)(doc, "theory", error), *names = LFT_P(model_meta)(doc, "couplings", error);
    lft_p_text        t;
    int               i;
    if (!couplings || !theory || !names) return LFT_ERR_FORMAT;
    if (lft_tensor_count(couplings) > LFT_MAX_COUPLINGS) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'couplings'",
                              "at most LFT_MAX_COUPLINGS = " LFT_P_STRING(LFT_MAX_COUPLINGS),
                              (double)lft_tensor_count(couplings));
    }
    t = lft_p_text_over(info->theory, sizeof info->theory);
    lft_p_put(&t, theory);
    info->couplings = (int)lft_tensor_count(couplings);
    for (i = 0; i < info->couplings; ++i) {
        info->coupling[i] = lft_tensor_get(couplings, (size_t)i);
        LFT_P(model_word)(names, i, info->coupling_name[i], sizeof info->coupling_name[i]);
    }
    return LFT_OK;
}

/* What may be missing: it is then 0. */
LFT_P_STATIC void LFT_P(model_read_results)(const lft_safetensors *doc, LFT_(model_info) *info)
{
    const lft_tensor *e = lft_safetensors_find(doc, "logq_error"), *whole = lft_safetensors_find(doc, "training");
    const lft_tensor *real = lft_safetensors_find(doc, "training.result");
    const char       *version = lft_safetensors_meta(doc, "version");
    lft_p_text        t       = lft_p_text_over(info->version, sizeof info->version);
    if (version) lft_p_put(&t, version);
    if (e && lft_tensor_count(e) >= 5 && LFT_P(model_is_whole)(lft_tensor_get(e, 4), 1e9)) {
        info->logq_error.std        = lft_tensor_get(e, 0);
        info->logq_error.mean       = lft_tensor_get(e, 1);
        info->logq_error.std_error  = lft_tensor_get(e, 2);
        info->logq_error.mean_error = lft_tensor_get(e, 3);
        info->logq_error.n          = (int)lft_tensor_get(e, 4);
    }
    if (whole && lft_tensor_count(whole) >= 3) {
        info->seed  = lft_tensor_get_u64(whole, 0);
        info->steps = lft_tensor_get_u64(whole, 1);
        info->batch = lft_tensor_get_u64(whole, 2);
    }
    if (real && lft_tensor_count(real) >= 4) {
        info->seconds = lft_tensor_get(real, 0);
        info->loss    = lft_tensor_get(real, 1);
        info->ess     = lft_tensor_get(real, 2);
        if (LFT_P(model_is_whole)(lft_tensor_get(real, 3), 1e15)) info->ess_n = (uint64_t)lft_tensor_get(real, 3);
    }
}

LFT_API lft_status LFT_(model_desc)(const lft_safetensors *doc, const LFT_(layer_ops) *const *own, LFT_(flow_desc) *desc,
                                    LFT_(model_info) *info, lft_arena *arena, lft_error *error)
{
    LFT_(model_info) local;
    lft_status       status = LFT_P(model_check)(doc, error);
    if (!info) info = &local;
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(info, sizeof *info);
    if (!status) status = LFT_P(model_read_extent)(doc, desc->extent, error);
    if (!status) status = LFT_P(model_read_prior)(doc, &desc->prior, error);
    if (!status) status = LFT_P(model_read_couplings)(doc, info, error);
    if (!status) status = LFT_P(model_read_family)(doc, &desc->family, error);
    if (!status) status = LFT_P(model_read_layers)(doc, own, desc, arena, error);
    if (!status) LFT_P(model_read_results)(doc, info);
    return status;
}

/* ---- restoring ----------------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(model_put_shape)(lft_p_text *t, int rank, const uint64_t *shape)
{
    int i;
    for (i = 0; i < rank; ++i) {
        if (i) lft_p_put(t, "x");
        lft_p_put_u64(t, shape[i]);
    }
    if (!rank) lft_p_put(t, "one number");
}

/* The tensor of a parameter: the same shape, nothing but numbers. */
LFT_P_STATIC lft_status LFT_P(model_check_parameter)(const lft_safetensors *doc, const lft_parameter *p, lft_error *error)
{
    const lft_tensor *t = LFT_P(model_find)(doc, p->name, p->count, error);
    uint64_t          shape[4];
    lft_p_text        text;
    size_t            k;
    int               i, same;
    if (!t) return LFT_ERR_FORMAT;
    for (i = 0, same = t->rank == p->rank; i < p->rank; ++i) {
        shape[i] = (uint64_t)p->shape[i];
        same     = same && t->shape[i] == shape[i];
    }
    if (!same || (t->dtype != LFT_DTYPE_F64 && t->dtype != LFT_DTYPE_F32)) {
        text = LFT_P(model_bad)(error, LFT_ERR_MISMATCH, p->name);
        lft_p_put(&text, "F64 ");
        LFT_P(model_put_shape)(&text, p->rank, shape);
        lft_p_put(&text, ", got ");
        lft_p_put(&text, lft_dtype_str(t->dtype));
        lft_p_put(&text, " ");
        LFT_P(model_put_shape)(&text, t->rank, t->shape);
        return LFT_ERR_MISMATCH;
    }
    for (k = 0; k < p->count; ++k) {
        if (lft_finite(lft_tensor_get(t, k))) continue;
        text = LFT_P(model_bad)(error, LFT_ERR_NONFINITE, p->name);
        lft_p_put(&text, "finite numbers, got another as number ");
        lft_p_put_u64(&text, k);
        return LFT_ERR_NONFINITE;
    }
    return LFT_OK;
}

/* Do the numbers mean the same to layer i? The steps of a layer that integrates are free. */
LFT_P_STATIC lft_status LFT_P(model_check_layer)(const LFT_(flow) *flow, const lft_safetensors *doc, int i, int *steps,
                                                 lft_error *error)
{
    const LFT_(layer) *layer = flow->layer + i;
    int64_t            own[LFT_P_SPEC_MOST], number[LFT_P_SPEC_MOST];
    const int          count = layer->ops->spec ? layer->ops->spec(layer, own) : 0;
    const int          n = LFT_P(model_read_spec)(doc, i, number, error), fixed = layer->steps ? count - 2 : count;
    char               name[32];
    int                k;
    LFT_P(model_layer_name)(name, sizeof name, i, ".spec");
    if (n < 0) return LFT_ERR_FORMAT;
    if (n < count) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", name, "more numbers", n);
    for (k = 0; k < fixed; ++k) {
        lft_p_text t;
        if (own[k] == number[k]) continue;
        t = LFT_P(model_bad)(error, LFT_ERR_MISMATCH, name);
        lft_p_put_f64(&t, (double)own[k]);
        lft_p_put(&t, " (of this flow) as number ");
        lft_p_put_u64(&t, (uint64_t)k);
        lft_p_put(&t, ", got ");
        lft_p_put_f64(&t, (double)number[k]);
        return LFT_ERR_MISMATCH;
    }
    *steps = layer->steps && number[fixed] > 0 && number[fixed] < 1000000 ? (int)number[fixed] : 0;
    return LFT_OK;
}

/* The same family, and couplings within it. */
LFT_P_STATIC lft_status LFT_P(model_check_family)(const lft_family *own, const lft_safetensors *doc, lft_error *error)
{
    const lft_tensor *couplings = LFT_P(model_find)(doc, "couplings", (size_t)own->couplings, error);
    lft_family        f;
    lft_status        status = couplings ? LFT_P(model_read_family)(doc, &f, error) : LFT_ERR_FORMAT;
    int               i, same;
    if (status) return status;
    same = f.degree == own->degree && (!f.degree || f.couplings == own->couplings);
    for (i = 0; same && f.degree && i < f.couplings; ++i) {
        same = !(f.low[i] < own->low[i] || f.low[i] > own->low[i] || f.high[i] < own->high[i] || f.high[i] > own->high[i]);
    }
    if (!same) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, "model", "'family'", "the flow's bounds and degree, others of degree",
                              f.degree);
    }
    for (i = 0; f.degree && i < f.couplings; ++i) {
        const double g = lft_tensor_get(couplings, (size_t)i);
        if (g >= f.low[i] && g <= f.high[i]) continue;
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'couplings'", "numbers within the bounds of the family", g);
    }
    return LFT_OK;
}

/* All that can be wrong, before anything is changed. */
LFT_P_STATIC lft_status LFT_P(model_fits)(const LFT_(flow) *flow, const lft_safetensors *doc, lft_error *error)
{
    const LFT_P(prior) *prior  = &LFT_P(flow_state_of)(flow)->prior;
    lft_status          status = LFT_P(model_check)(doc, error);
    int                 extent[LFT_DIM] = {0}, mu, i, steps; /* gcc 12 -O3 sees a path without the zeros */
    lft_p_text          t;
    LFT_(prior_desc)    theirs;
    if (!status) status = LFT_P(model_read_extent)(doc, extent, error);
    for (mu = 0; mu < LFT_DIM && !status; ++mu) {
        if (extent[mu] == flow->layer[0].in.extent[mu]) continue;
        t = LFT_P(model_bad)(error, LFT_ERR_MISMATCH, "extent");
        LFT_P(model_put_extent)(&t, flow->layer[0].in.extent);
        lft_p_put(&t, " (of this flow), got ");
        LFT_P(model_put_extent)(&t, extent);
        return LFT_ERR_MISMATCH;
    }
    if (!status) status = LFT_P(model_read_prior)(doc, &theirs, error);
    if (!status && !LFT_P(prior_is)(prior, &theirs)) {
        status = lft_p_fail_got(error, LFT_ERR_MISMATCH, "model", "'prior.spec'", "the flow's prior, got another, of kind",
                                (int)theirs.kind);
    }
    if (!status) status = LFT_P(model_check_family)(&flow->family, doc, error);
    for (i = 0; i < flow->layers && !status; ++i) status = LFT_P(model_check_layer)(flow, doc, i, &steps, error);
    for (i = 0; i < flow->params.tensors && !status; ++i) {
        status = LFT_P(model_check_parameter)(doc, flow->params.list + i, error);
    }
    return status;
}

LFT_API lft_status LFT_(model_restore)(LFT_(flow) *flow, const lft_safetensors *doc, lft_error *error)
{
    lft_status status = LFT_P(model_fits)(flow, doc, error);
    size_t     k;
    int        i, steps = 0;
    for (i = 0; i < flow->layers && !status; ++i) {
        LFT_(layer) *layer = flow->layer + i;
        status             = LFT_P(model_check_layer)(flow, doc, i, &steps, error);
        if (!status && layer->steps) status = layer->ops->refine(layer, steps, error);
    }
    for (i = 0; i < flow->params.tensors && !status; ++i) {
        const lft_parameter *p = flow->params.list + i;
        const lft_tensor    *t = lft_safetensors_find(doc, p->name);
        for (k = 0; k < p->count; ++k) flow->params.value[p->offset + k] = lft_tensor_get(t, k);
    }
    for (i = 0; i < flow->family.couplings && flow->family.degree && !status; ++i) {
        flow->coupling[i] = lft_tensor_get(lft_safetensors_find(doc, "couplings"), (size_t)i);
    }
    LFT_(flow_prepare)(flow);
    return status;
}

#endif /* LFT_P_CODE */
