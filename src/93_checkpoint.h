/* 93_checkpoint.h: training that stops and goes on bit for bit.
 * Offers: LFT_(trainer_save)(), LFT_(trainer_save_bytes)(), LFT_(trainer_desc)(), LFT_(trainer_resume)().
 *
 * A checkpoint is a model (88_model.h) with real ("f32", "f64") and lanes in the metadata, on which the bits of what follows
 * depend, and with these tensors beside:
 *   trainer.counters   U64 [6] step, step of Adam, step and step of Adam of the last good state, refined, rolled_back
 *   trainer.numbers    F64 [5] rate_scale, and of the last step loss, ess, rate, norm
 *   trainer.guard      F64 [5] of its last check: std, mean, std_error, mean_error, n
 *   trainer.adam_m, _v, trainer.good_value, _m, _v   F64 [parameters]
 *   trainer.whole      U64 [13] seed, steps, warmup, batch, accumulate, estimator, schedule, slots, guard_every (0: no guard),
 *                      guard_samples, optimizer, frozen, scale_steps
 *   trainer.real       F64 [8] rate, last_rate, clip, beta1, beta2, guard_std, guard_mean, ridge
 * To go on: lft_safetensors_load, model_desc, flow_init, trainer_desc, trainer_init, trainer_resume. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Writes a checkpoint. Of *info, which may be NULL, what the trainer does not know itself is taken: seconds, logq_error, ess.
 * Scratch: trainer_save_bytes(). LFT_ERR_ARG for a layer that cannot be stored, LFT_ERR_NOMEM, LFT_ERR_IO; text in *error. */
LFT_API lft_status LFT_(trainer_save)(const LFT_(trainer) *trainer, const LFT_(model_info) *info, lft_writer to,
                                      lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(trainer_save_bytes)(const LFT_(trainer) *trainer);

/* The desc of the training that a checkpoint is of, for trainer_init; report and user are NULL. LFT_ERR_FORMAT if the document is
 * no checkpoint, e.g. a model whose training has ended. */
LFT_API lft_status LFT_(trainer_desc)(const lft_safetensors *doc, lft_train_desc *desc, lft_error *error);

/* Puts a trainer, and its flow by model_restore, into the state of the checkpoint. With the same desc, machine and lanes what
 * follows is bit for bit what would have followed; other numbers of threads are the same. A desc with other steps or rates, or
 * other layers frozen, is legal: training then goes on under these. Errors as model_restore, in the flow's error too;
 * LFT_ERR_FORMAT for missing tensors, LFT_ERR_MISMATCH for those of another size. After an error start anew: trainer_init. */
LFT_API lft_status LFT_(trainer_resume)(LFT_(trainer) *trainer, const lft_safetensors *doc);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_TRAINER_TENSORS 10

/* The vectors of a trainer, and their names. */
static const char *const LFT_P(trainer_vector_name)[5] = {"trainer.adam_m", "trainer.adam_v", "trainer.good_value",
                                                          "trainer.good_m", "trainer.good_v"};

LFT_P_STATIC double *LFT_P(trainer_vector)(const LFT_(trainer) *t, int i)
{
    switch (i) {
    case 0: return t->adam.m;
    case 1: return t->adam.v;
    case 2: return t->good.value;
    case 3: return t->good.m;
    default: return t->good.v;
    }
}

LFT_P_STATIC void LFT_P(trainer_collect_desc)(LFT_P(model_list) *list, const lft_train_desc *d)
{
    uint64_t whole[13];
    double   real[8];
    whole[0] = d->seed, whole[1] = d->steps, whole[2] = d->warmup;
    whole[3] = (uint64_t)d->batch, whole[4] = (uint64_t)d->accumulate;
    whole[5] = (uint64_t)d->estimator, whole[6] = (uint64_t)d->schedule, whole[7] = (uint64_t)d->slots;
    whole[8] = d->guard_every > 0 ? (uint64_t)d->guard_every : 0, whole[9] = (uint64_t)d->guard_samples;
    whole[10] = (uint64_t)d->optimizer, whole[11] = (uint64_t)d->frozen, whole[12] = d->scale_steps;
    real[0] = d->rate, real[1] = d->last_rate, real[2] = d->clip, real[3] = d->beta1, real[4] = d->beta2;
    real[5] = d->guard_std, real[6] = d->guard_mean, real[7] = d->ridge;
    LFT_P(model_add)(list, "trainer.whole", LFT_DTYPE_U64, whole, 13);
    LFT_P(model_add)(list, "trainer.real", LFT_DTYPE_F64, real, 8);
}

LFT_P_STATIC lft_status LFT_P(trainer_collect)(LFT_P(model_list) *list, const LFT_(trainer) *t, const LFT_(model_info) *info,
                                               lft_error *error)
{
    const lft_train_report *r      = &t->report;
    const int               n      = (int)t->adam.n;
    lft_status              status = LFT_P(model_collect)(list, t->flow, info, error);
    uint64_t                whole[6];
    double                  real[5];
    int                     i;
    whole[0] = t->step, whole[1] = t->adam.step, whole[2] = t->good.step, whole[3] = t->good.adam_step;
    whole[4] = (uint64_t)r->refined, whole[5] = (uint64_t)r->rolled_back;
    LFT_P(model_add)(list, "trainer.counters", LFT_DTYPE_U64, whole, 6);
    real[0] = t->rate_scale, real[1] = r->loss, real[2] = r->ess, real[3] = r->rate, real[4] = r->norm;
    LFT_P(model_add)(list, "trainer.numbers", LFT_DTYPE_F64, real, 5);
    real[0] = r->guard.std, real[1] = r->guard.mean, real[2] = r->guard.std_error, real[3] = r->guard.mean_error;
    real[4] = r->guard.n;
    LFT_P(model_add)(list, "trainer.guard", LFT_DTYPE_F64, real, 5);
    for (i = 0; i < 5; ++i) {
        LFT_P(model_refer)(list, LFT_P(trainer_vector_name)[i], LFT_DTYPE_F64, LFT_P(trainer_vector)(t, i), 1, &n);
    }
    LFT_P(trainer_collect_desc)(list, &t->desc);
    LFT_P(model_say)(list, "real", LFT_P_STRING(LFT_P_REAL_NAME));
    LFT_P(model_say_number)(list, "lanes", LFT_P_LANES);
    return status;
}

LFT_API lft_status LFT_(trainer_save)(const LFT_(trainer) *trainer, const LFT_(model_info) *info, lft_writer to,
                                      lft_arena scratch, lft_error *error)
{
    LFT_P(model_list) list = LFT_P(model_list_of)(trainer->flow, LFT_P_TRAINER_TENSORS, &scratch);
    LFT_(model_info)  whole;
    lft_status        status;
    LFT_(model_info_of)(&whole, trainer->theory);
    if (info) {
        whole.logq_error = info->logq_error;
        whole.seconds    = info->seconds;
        whole.ess        = info->ess;
        whole.ess_n      = info->ess_n;
    }
    whole.seed  = trainer->desc.seed;
    whole.steps = trainer->step;
    whole.batch = (uint64_t)trainer->desc.batch;
    whole.loss  = trainer->report.loss;
    status      = LFT_P(trainer_collect)(&list, trainer, &whole, error);
    return status ? status : LFT_P(model_write)(&list, to, error);
}

LFT_API size_t LFT_(trainer_save_bytes)(const LFT_(trainer) *trainer)
{
    lft_arena         measure = lft_arena_measure();
    LFT_P(model_list) list    = LFT_P(model_list_of)(trainer->flow, LFT_P_TRAINER_TENSORS, &measure);
    LFT_(model_info)  info;
    LFT_P(model_info_most)(&info);
    return LFT_P(trainer_collect)(&list, trainer, &info, NULL) == LFT_OK ? measure.need : 0;
}

/* A counter that has to fit an int; a larger one becomes the largest, which trainer_init refuses or cannot hold. */
LFT_P_STATIC int LFT_P(trainer_int)(const lft_tensor *t, size_t i)
{
    const uint64_t v = lft_tensor_get_u64(t, i);
    return v < INT32_MAX ? (int)v : INT32_MAX;
}

LFT_API lft_status LFT_(trainer_desc)(const lft_safetensors *doc, lft_train_desc *desc, lft_error *error)
{
    const lft_tensor *whole, *real;
    lft_p_zero(desc, sizeof *desc);
    if (!lft_safetensors_find(doc, "trainer.counters")) {
        return lft_p_fail(error, LFT_ERR_FORMAT, "checkpoint",
                          "expected the state of a training, got a model alone (its training has ended)");
    }
    whole = LFT_P(model_find)(doc, "trainer.whole", 10, error);
    real  = whole ? LFT_P(model_find)(doc, "trainer.real", 7, error) : NULL;
    if (!real) return LFT_ERR_FORMAT;
    desc->seed          = lft_tensor_get_u64(whole, 0);
    desc->steps         = lft_tensor_get_u64(whole, 1);
    desc->warmup        = lft_tensor_get_u64(whole, 2);
    desc->batch         = LFT_P(trainer_int)(whole, 3);
    desc->accumulate    = LFT_P(trainer_int)(whole, 4);
    desc->estimator     = (lft_estimator)(LFT_P(trainer_int)(whole, 5) & 3);
    desc->schedule      = (lft_schedule_kind)(LFT_P(trainer_int)(whole, 6) & 3);
    desc->slots         = LFT_P(trainer_int)(whole, 7);
    desc->guard_every   = LFT_P(trainer_int)(whole, 8) ? LFT_P(trainer_int)(whole, 8) : -1;
    desc->guard_samples = LFT_P(trainer_int)(whole, 9);
    desc->rate          = lft_tensor_get(real, 0);
    desc->last_rate     = lft_tensor_get(real, 1);
    desc->clip          = lft_tensor_get(real, 2);
    desc->beta1         = lft_tensor_get(real, 3);
    desc->beta2         = lft_tensor_get(real, 4);
    desc->guard_std     = lft_tensor_get(real, 5);
    desc->guard_mean    = lft_tensor_get(real, 6);
    if (lft_tensor_count(whole) < 11 || lft_tensor_count(real) < 8) return LFT_OK; /* of Adam, by an older version */
    if (LFT_P(trainer_int)(whole, 10) == LFT_GAUSS_NEWTON) {
        desc->optimizer = LFT_GAUSS_NEWTON;
        if (desc->estimator == LFT_PATH_GRADIENT) desc->estimator = LFT_TOTAL_GRADIENT; /* of an older version */
    }
    desc->ridge = lft_tensor_get(real, 7);
    if (lft_tensor_count(whole) >= 12) desc->frozen = LFT_P(trainer_int)(whole, 11);
    if (lft_tensor_count(whole) >= 13) desc->scale_steps = lft_tensor_get_u64(whole, 12);
    return LFT_OK;
}

/* Everything that resume reads is there and has the right size. */
LFT_P_STATIC lft_status LFT_P(trainer_fits)(const LFT_(trainer) *t, const lft_safetensors *doc, lft_error *error)
{
    int i;
    if (!LFT_P(model_find)(doc, "trainer.counters", 6, error) || !LFT_P(model_find)(doc, "trainer.numbers", 5, error) ||
        !LFT_P(model_find)(doc, "trainer.guard", 5, error)) {
        return LFT_ERR_FORMAT;
    }
    for (i = 0; i < 5; ++i) {
        const lft_tensor *v = LFT_P(model_find)(doc, LFT_P(trainer_vector_name)[i], t->adam.n, error);
        if (!v) return LFT_ERR_FORMAT;
        if (lft_tensor_count(v) != t->adam.n) {
            return lft_p_fail_got(error, LFT_ERR_MISMATCH, LFT_P(trainer_vector_name)[i], "numbers",
                                  "one per parameter of the flow", (double)lft_tensor_count(v));
        }
    }
    return LFT_OK;
}

LFT_API lft_status LFT_(trainer_resume)(LFT_(trainer) *t, const lft_safetensors *doc)
{
    lft_error        *error   = &t->flow->error;
    lft_status        status  = LFT_P(trainer_fits)(t, doc, error);
    const lft_tensor *whole   = lft_safetensors_find(doc, "trainer.counters");
    const lft_tensor *numbers = lft_safetensors_find(doc, "trainer.numbers");
    const lft_tensor *guard   = lft_safetensors_find(doc, "trainer.guard");
    lft_train_report *r       = &t->report;
    const size_t      parameters = LFT_P(flow_state_of)(t->flow)->parameters;
    size_t            k;
    int               i;
    if (!status) status = LFT_(model_restore)(t->flow, doc, error);
    if (status) return status;
    t->step = lft_tensor_get_u64(whole, 0);
    LFT_P(train_choose)(t);
    for (i = 0; i < 5; ++i) {
        const size_t      still = ((const LFT_P(train_state) *)t->state)->still;
        const lft_tensor *v = lft_safetensors_find(doc, LFT_P(trainer_vector_name)[i]);
        double           *to = LFT_P(trainer_vector)(t, i);
        for (k = 0; k < t->adam.n; ++k) to[k] = lft_tensor_get(v, k);
        for (k = 0; i != 2 && t->desc.optimizer == LFT_ADAM && k < t->adam.n; ++k) { /* 2: parameters */
            if (k % parameters < still) to[k] = 0;
        }
    }
    t->adam.step         = lft_tensor_get_u64(whole, 1);
    t->good.step         = lft_tensor_get_u64(whole, 2);
    t->good.adam_step    = lft_tensor_get_u64(whole, 3);
    t->rate_scale        = lft_tensor_get(numbers, 0);
    r->refined           = LFT_P(trainer_int)(whole, 4);
    r->rolled_back       = LFT_P(trainer_int)(whole, 5);
    r->step              = t->step;
    r->loss              = lft_tensor_get(numbers, 1);
    r->ess               = lft_tensor_get(numbers, 2);
    r->rate              = lft_tensor_get(numbers, 3);
    r->norm              = lft_tensor_get(numbers, 4);
    r->guard.std         = lft_tensor_get(guard, 0);
    r->guard.mean        = lft_tensor_get(guard, 1);
    r->guard.std_error   = lft_tensor_get(guard, 2);
    r->guard.mean_error  = lft_tensor_get(guard, 3);
    r->guard.n           = LFT_P(model_is_whole)(lft_tensor_get(guard, 4), 1e9) ? (int)lft_tensor_get(guard, 4) : 0;
    r->integration_steps = LFT_P(train_integration_steps)(t->flow);
    return LFT_OK;
}

#endif /* LFT_P_CODE */
