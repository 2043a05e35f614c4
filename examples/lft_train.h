/* lft_train.h: the command train (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(train_job) {
    cli            *c;
    LFT(theory)     theory, *theories; /* theories: for the trainer */
    LFT(flow_desc)  desc;
    LFT(flow)       flow;
    LFT(trainer)    trainer;
    LFT(model_info) info;
    lft_train_desc  train;
    lft_arena       save; /* scratch for writing */
    const char     *out, *checkpoint;
    FILE           *history;
    int             fit_only; /* --fit and no steps */
    int             history_failed, checkpoint_failed, timed;
    int             logq_n, finer_n; /* samples of the measurements at the end, as ess_n; logq_n -1: not yet known */
    lft_weight_shift finer;
    uint64_t        stop_after, first_step, ess_n;
    double          seconds, began, earlier, saved, checkpoint_every; /* began: of the loop; earlier: before a resume, of a fit */
} LFT(train_job);

/* ---- beginning ---- */

static lft_status LFT(read_train_desc)(cli *c, lft_train_desc *d)
{
    static const char *const schedule[]  = {"cosine", "exponential", "linear", "constant", NULL};
    static const char *const estimator[] = {"path", "total", "natural", NULL};
    memset(d, 0, sizeof *d);
    d->steps         = cli_count(c, "steps", 0, cli_given(c, "fit") ? 0 : 1, (uint64_t)1 << 50);
    d->scale_steps   = cli_count(c, "scale-steps", 0, 1, (uint64_t)1 << 50);
    cli_train_options(c, d);
    d->accumulate    = (int)cli_count(c, "accumulate", 0, 1, 1 << 20);
    d->estimator     = (lft_estimator)cli_word(c, "estimator", estimator, 0);
    d->last_rate     = cli_positive(c, "last-rate", 0);
    d->schedule      = (lft_schedule_kind)(cli_word(c, "schedule", schedule, 1) - 1);
    d->warmup        = cli_count(c, "warmup", 0, 0, (uint64_t)1 << 50);
    d->clip          = cli_real(c, "clip", 0);
    if (cli_given(c, "guard-every")) d->guard_every = cli_none(c, "guard-every", 1 << 30);
    d->guard_samples = (int)cli_count(c, "guard-samples", 0, 1, 1 << 20);
    d->guard_std     = cli_positive(c, "guard-std", 0);
    d->guard_mean    = cli_positive(c, "guard-mean", 0);
    d->seed          = cli_count(c, "seed", 1, 0, UINT64_MAX);
    if (cli_given(c, "clip") && !(d->clip > 0)) d->clip = -1;
    return c->error.code;
}

/* The trainer in memory of its own; once more in the same memory if `again`. */
static lft_status LFT(train_lay_out)(LFT(train_job) *j, lft_arena arena)
{
    if (j->c->error.code) return j->c->error.code;
    if (j->logq_n < 0 && cli_exactness_samples(j->c, LFT(dimension)(&j->flow), LFT(integration_steps)(&j->flow), 0, &j->logq_n,
                                               &j->finer_n)) {
        return j->c->error.code;
    }
    return cli_check(j->c, LFT(trainer_init)(&j->trainer, &j->flow, j->theories, &j->train, &arena), &j->flow.error);
}

static lft_arena LFT(train_arena)(LFT(train_job) *j)
{
    lft_arena measure = lft_arena_measure();
    if (j->c->error.code) return measure;
    (void)cli_check(j->c, LFT(trainer_init)(&j->trainer, &j->flow, j->theories, &j->train, &measure), &j->flow.error);
    return cli_arena(j->c, measure.need);
}

/* Where one sample of epsilon may take minutes: as many as a fifth of the budget is for, if the user did not say on how many; `one`
 * is about the time of one. A single one has no std. */
static void LFT(train_few_logq)(LFT(train_job) *j, double one)
{
    const double n = 0.2 * j->seconds / one;
    if (cli_given(j->c, "measure-logq") || j->logq_n >= 32 || n >= j->logq_n) return;
    j->logq_n = n < 2 ? 0 : (int)n;
    if (j->logq_n) return;
    j->finer_n = LFT(integration_steps)(&j->flow) ? cli_double_steps(j->c, CLI_FINER) : 0;
    cli_note(j->c, "epsilon will not be measured: about %.2g s for a sample are too long; --measure-logq N does it on N", one);
}

/* Seconds of all that comes after the last step: epsilon, and the ESS. For that at most a tenth of the budget is spent if
 * the user did not say on how many samples. */
static double LFT(time_of_end)(LFT(train_job) *j)
{
    cli            *c = j->c;
    cli_wide        wide;
    lft_safetensors doc;
    lft_logq_error  e;
    LFT(batch)      x;
    lft_arena       arena;
    double          logq[256], begin, spent = 0, sample = 0;
    const int       blocks = c->blocks;
    if (j->logq_n && !LFT(document_of)(c, &j->flow, &j->info, &doc) && !cli_wide_open(c, &wide, &doc, j->desc.pool, 0)) {
        begin = cli_seconds();
        (void)f64_flow_logq_error(&wide.model.flow, 1, 0, 1, &e, wide.scratch);
        spent = (cli_seconds() - begin) * j->logq_n;
    }
    arena = cli_arena(c, LFT(batch_bytes)(&j->flow.lattice, 256));
    if (!c->error.code && !LFT(batch_init)(&x, &j->flow.lattice, 256, &arena, NULL)) {
        begin = cli_seconds();
        (void)LFT(flow_sample)(&j->flow, 1, 0, &x, logq);
        sample = (cli_seconds() - begin) / 256;
    }
    if (!cli_given(c, "ess-n") && sample * (double)j->ess_n > 0.1 * j->seconds) {
        j->ess_n = (uint64_t)(0.1 * j->seconds / sample);
        j->ess_n = j->ess_n < 256 ? 256 : j->ess_n;
    }
    while (c->blocks > blocks) free(c->block[--c->blocks]); /* the end takes its own */
    return spent + sample * ((double)j->ess_n + 6 * j->finer_n); /* a half and a whole more, in double precision */
}

/* Seconds for epsilon of a sample, by measurement; where the determinant alone is beyond `most`, those of the determinant. */
static double LFT(train_time_of_epsilon)(LFT(train_job) *j, double most)
{
    cli           *c      = j->c;
    const double   rows   = (double)LFT(dimension)(&j->flow), lu = rows * rows * rows / 3e9;
    const int      blocks = c->blocks;
    double         start;
    lft_logq_error e;
    lft_arena      scratch;
    if (lu > most) return lu;
    scratch = cli_arena(c, LFT(flow_logq_error_bytes)(&j->flow));
    start   = cli_seconds();
    if (!c->error.code) (void)LFT(flow_logq_error)(&j->flow, 1, 0, 1, &e, scratch);
    while (c->blocks > blocks) free(c->block[--c->blocks]);
    return cli_seconds() - start;
}

/* The steps of all scales, as so many of all together: a lattice of half as many sites takes about half the time. */
static double LFT(train_scale_share)(const LFT(train_job) *j, uint64_t scale_steps)
{
    const LFT(flow) *flow = &j->flow;
    double           share = 0;
    int              layers;
    for (layers = j->train.frozen; scale_steps && layers < flow->layers;) {
        layers = LFT(train_scale_end)(flow, layers);
        share += (double)flow->layer[layers - 1].out.volume / flow->lattice.volume;
    }
    return share * (double)scale_steps;
}

/* Turns a time budget into steps of all layers: times gradients, one measurement of the guard, and the end, and keeps nothing of
 * it. For Gauss and Newton also into a batch, unless the user chose one: twenty steps are worth more than large ones. */
static lft_status LFT(train_calibrate)(LFT(train_job) *j, lft_arena arena)
{
    cli             *c     = j->c;
    const double     begin = cli_seconds(), most = 0.02 * j->seconds;
    lft_train_desc  *d     = &j->train;
    double           loss, step = 0, guard = 0, end, start, rest;
    uint64_t         count = 0;
    lft_status       status = LFT_OK;
    const int        every = j->trainer.desc.guard_every, samples = j->trainer.desc.guard_samples;
    const int        newton = d->optimizer == LFT_GAUSS_NEWTON, batch = j->trainer.desc.batch;
    const int        few = j->flow.params.count > 128 ? 2 * (int)j->flow.params.count : 256;
    const int        shrinks = newton && batch > few && !cli_given(c, "batch");
    const double     rows = (double)LFT(dimension)(&j->flow);
    const uint64_t   scale_steps = d->scale_steps;
    const double     share = LFT(train_scale_share)(j, scale_steps);
    d->scale_steps = 0;
    if (shrinks) d->batch = few;
    if ((shrinks || scale_steps) && LFT(train_lay_out)(j, arena)) return c->error.code;
    for (start = begin; !status && (count < 2 || cli_seconds() - begin < most); ++count) {
        int part;
        if (count == 1) start = cli_seconds(); /* the first warms up */
        for (part = 0; part < j->trainer.desc.accumulate && !status; ++part) {
            status = LFT(train_gradient)(&j->trainer, 0, &loss);
        }
        LFT(flow_prepare)(&j->flow);
        step = (cli_seconds() - start) / (double)(count > 1 ? count : 1);
        if (newton && step > 5 * most) break;
    }
    if (cli_check(c, status, &j->flow.error)) return status;
    /* one pass backward for as many rows of the Jacobian as there are lanes, and its determinant */
    LFT(train_few_logq)(j, step / j->trainer.desc.batch * LFT(lanes)() / f64_lanes() * rows + rows * rows * rows / 3e9);
    end = LFT(time_of_end)(j);
    if (every > 0 && LFT(integration_steps)(&j->flow) > 0) {
        guard = samples * LFT(train_time_of_epsilon)(j, 0.1 * j->seconds / samples);
    }
    if (guard > 0.1 * j->seconds && !cli_given(c, "guard-every")) {
        cli_note(c, "no guard: epsilon of %d samples takes at least %.2g s; --guard-every N measures it all the same", samples,
                 guard);
        d->guard_every = -1, guard = 0;
    }
    end += guard; /* once more behind the last step */
    guard /= every > 0 ? every : 1;
    rest     = j->seconds - (cli_seconds() - c->begin) - 1.2 * end;
    rest     = rest > 0.2 * j->seconds ? rest : 0.2 * j->seconds;
    for (; shrinks && d->batch < batch && 0.95 * rest / (2 * step + guard) >= 20 + share; d->batch *= 2) step *= 2;
    rest           = 0.95 * rest / (step + guard) - share;
    d->scale_steps = scale_steps;
    d->steps       = newton ? 8 : 10;
    if (rest > (double)d->steps) d->steps = (uint64_t)rest;
    cli_note(c, "calibration: %.3g ms per step, %.2g s for the measurements at the end: %llu steps in %.3g s", 1e3 * (step + guard),
             end, (unsigned long long)d->steps, j->seconds);
    return c->error.code;
}

/* What both ways to begin have in common. */
static lft_status LFT(train_open)(LFT(train_job) *j)
{
    cli *c = j->c;
    j->logq_n           = -1;
    (void)cli_double_steps(c, 0);
    j->ess_n            = cli_count(c, "ess-n", 10000, 1, (uint64_t)1 << 32);
    j->stop_after       = cli_count(c, "stop-after", UINT64_MAX, 1, UINT64_MAX - 1);
    j->checkpoint       = cli_text(c, "checkpoint");
    j->checkpoint_every = cli_positive(c, "checkpoint-every", 60);
    if (j->out) (void)cli_try_path(c, j->out);
    if (j->checkpoint) (void)cli_try_path(c, j->checkpoint);
    else if (j->out && !cli_is_special(j->out)) j->checkpoint = j->out;
    if (cli_given(c, "history") && !c->error.code) {
        j->history = fopen(cli_text(c, "history"), cli_given(c, "resume") ? "ab" : "wb");
        if (!j->history) {
            return cli_fail(c, LFT_ERR_IO, "%.80s: expected a file that can be written, got: %s", cli_text(c, "history"),
                            strerror(errno));
        }
    }
    return c->error.code;
}

/* The parameters and integration steps of a flow as those of the first layers of another, or its first parameters. */
static void LFT(train_first_layers)(cli *c, LFT(flow) *to, const LFT(flow) *from)
{
    int i;
    memcpy(to->params.value, from->params.value, from->params.count * sizeof(double));
    for (i = 0; i < from->layers && !c->error.code; ++i) {
        LFT(layer) *layer = to->layer + i;
        if (layer->steps) (void)cli_check(c, layer->ops->refine(layer, from->layer[i].steps, &to->error), &to->error);
    }
    LFT(flow_prepare)(to);
}

/* The flow of --init, frozen, and finer scales behind it. */
static lft_status LFT(train_behind)(LFT(train_job) *j, const char *path, const LFT(flow_desc) *asked)
{
    cli       *c = j->c;
    LFT(model) m;
    memset(&m, 0, sizeof m);
    if (LFT(load_model)(c, path, lft_pool_openmp(1), &m)) return c->error.code;
    if (LFT(scales_behind)(c, &m, asked, &j->desc)) return c->error.code;
    j->desc.pool = asked->pool;
    if (LFT(make_flow)(c, &j->flow, &j->desc)) return c->error.code;
    LFT(train_first_layers)(c, &j->flow, &m.flow);
    j->train.frozen = m.flow.layers;
    return c->error.code;
}

/* The theory, and behind it those of the scales that are trained one after the other. */
static lft_status LFT(train_theories)(LFT(train_job) *j)
{
    const LFT(flow) *flow = &j->flow;
    int              layers, n = 1;
    if (j->c->error.code) return j->c->error.code;
    j->theories = (LFT(theory) *)cli_alloc(j->c, (size_t)(1 + flow->layers) * sizeof *j->theories);
    if (!j->theories) return j->c->error.code;
    j->theories[0] = j->theory;
    for (layers = j->train.frozen; j->train.scale_steps && layers < flow->layers; ++n) {
        layers = LFT(train_scale_end)(flow, layers);
        LFT(coarse_theory)(j->c, flow, layers, &j->theory, j->theories + n);
    }
    return j->c->error.code;
}

/* The flow of --init on the extents and with the integration steps asked for. */
static lft_status LFT(train_transfer)(LFT(train_job) *j, const char *path, const LFT(flow_desc) *asked)
{
    cli       *c   = j->c;
    const int  net = cli_given(c, "units") || cli_given(c, "reach");
    LFT(model) m;
    memset(&m, 0, sizeof m);
    if (cli_given(c, "freeze")) return LFT(train_behind)(j, path, asked);
    if (cli_no_options(c, CLI_SHAPE, "model", "--init")) return c->error.code;
    if (LFT(load_model)(c, path, lft_pool_openmp(1), &m)) return c->error.code;
    j->desc = m.desc;
    memcpy(j->desc.extent, asked->extent, sizeof asked->extent);
    if (net) (void)LFT(model_with_net)(c, &m, asked, &j->desc);
    else if (LFT(draws)(&m.flow)) (void)LFT(scales_of)(c, &m, &j->desc);
    if (c->error.code) return c->error.code;
    j->desc.pool   = asked->pool;
    j->desc.family = asked->family;
    if (LFT(make_flow)(c, &j->flow, &j->desc)) return c->error.code;
    if (net) LFT(train_first_layers)(c, &j->flow, &m.flow); /* the net's parameters stand behind those of the loops */
    else (void)cli_check(c, LFT(flow_transfer)(&j->flow, &m.flow), &j->flow.error);
    if (c->error.code) return c->error.code;
    LFT(rescale)(&j->flow, &m, &j->theory);
    if (!cli_given(c, "int-steps")) return c->error.code;
    return cli_check(c, LFT(flow_refine)(&j->flow, asked->continuous.steps), &j->flow.error);
}

static lft_status LFT(train_begin)(LFT(train_job) *j)
{
    cli      *c    = j->c;
    lft_pool  pool = cli_pool(c);
    double    begin;
    lft_arena arena;
    int       exact;
    (void)LFT(read_flow_desc)(c, &j->desc);
    (void)LFT(read_box)(c, &j->theory, &j->desc.family);
    (void)LFT(read_train_desc)(c, &j->train);
    j->seconds   = cli_positive(c, "seconds", j->seconds > 0 ? j->seconds : 60);
    j->timed     = !cli_given(c, "steps");
    j->desc.pool = pool;
    if (cli_given(c, "steps") && cli_given(c, "seconds")) {
        return cli_fail(c, LFT_ERR_ARG, "expected --steps or --seconds, got both");
    }
    if (j->train.scale_steps && cli_given(c, "fit")) return cli_fail(c, LFT_ERR_ARG, "expected --scale-steps or --fit, got both");
    if (j->train.scale_steps && cli_init_file(c) && !cli_given(c, "freeze")) {
        return cli_fail(c, LFT_ERR_ARG, "--scale-steps: expected a start without a model, or --freeze beside it, got %.60s",
                        cli_init_file(c));
    }
    if (c->error.code) return c->error.code;
    if (cli_init_file(c)) {
        const LFT(flow_desc) asked = j->desc;
        (void)LFT(train_transfer)(j, cli_init_file(c), &asked);
    } else {
        (void)LFT(make_flow)(c, &j->flow, &j->desc);
    }
    exact = c->error.code ? 0 : LFT(exact_layers)(&j->flow);
    if (exact > j->train.frozen) j->train.frozen = exact;
    if (exact && !j->train.estimator) j->train.estimator = LFT_TOTAL_GRADIENT; /* what they draw has no derivatives */
    if (LFT(train_theories)(j)) return c->error.code;
    begin = cli_seconds();
    if (LFT(fit)(c, &j->flow, &j->theory, &j->train)) return c->error.code;
    j->earlier  = cli_seconds() - begin;
    j->fit_only = !j->timed && !j->train.steps;
    if (j->fit_only) j->train.steps = 1, j->train.optimizer = LFT_ADAM, j->train.estimator = LFT_TOTAL_GRADIENT;
    LFT(model_info_of)(&j->info, &j->theory);
    arena = LFT(train_arena)(j);
    if (j->timed && !LFT(train_lay_out)(j, arena)) (void)LFT(train_calibrate)(j, arena);
    return LFT(train_lay_out)(j, arena);
}

/* Options that would make it another training are refused. */
static lft_status LFT(train_resume)(LFT(train_job) *j, const char *path)
{
    cli       *c = j->c;
    LFT(model) m;
    char       lanes[16];
    const char *was;
    int        i;
    for (i = 0; i < CLI_OPTIONS; ++i) {
        if (!c->value[i] || (cli_option_table[i].commands & CLI_RESUME)) continue;
        return cli_fail(c, LFT_ERR_ARG, "--%s is part of the checkpoint: expected --resume without it",
                        cli_option_table[i].key);
    }
    memset(&m, 0, sizeof m);
    if (LFT(load_model)(c, path, cli_pool(c), &m)) return c->error.code;
    if (cli_check(c, LFT(trainer_desc)(&m.doc, &j->train, &c->error), &c->error)) return c->error.code;
    j->theory = m.theory, j->flow = m.flow, j->desc = m.desc, j->info = m.info;
    j->train.steps = cli_count(c, "steps", j->train.steps, 1, (uint64_t)1 << 50);
    j->earlier     = j->info.seconds;
    j->timed       = j->info.seconds > 0;
    (void)LFT(train_theories)(j);
    if (LFT(train_lay_out)(j, LFT(train_arena)(j))) return c->error.code;
    was = lft_safetensors_meta(&m.doc, "lanes");
    (void)snprintf(lanes, sizeof lanes, "%d", LFT(lanes)());
    if (was && strcmp(was, lanes)) {
        cli_note(c, "the checkpoint was written with %s lanes, here are %s: training goes on, but not bit for bit", was, lanes);
    }
    return cli_check(c, LFT(trainer_resume)(&j->trainer, &m.doc), &j->flow.error);
}

/* ---- the loop ---- */

static int LFT(fill_checkpoint)(lft_writer to, void *context, lft_error *e)
{
    LFT(train_job) *j = (LFT(train_job) *)context;
    return (int)LFT(trainer_save)(&j->trainer, &j->info, to, j->save, e);
}

static int LFT(fill_model)(lft_writer to, void *context, lft_error *e)
{
    LFT(train_job) *j = (LFT(train_job) *)context;
    return (int)LFT(model_save)(&j->flow, &j->info, to, j->save, e);
}

/* Durations are stored only where the user asked for one: files of the same training are then the same. */
static void LFT(train_note_time)(LFT(train_job) *j)
{
    j->info.seconds = j->timed ? j->earlier + cli_seconds() - j->began : 0;
}

static void LFT(history_number)(FILE *f, const char *key, double v)
{
    if (lft_finite(v)) fprintf(f, ",\"%s\":%.10g", key, v);
    else fprintf(f, ",\"%s\":null", key);
}

static void LFT(train_history)(LFT(train_job) *j)
{
    const lft_train_report *r = &j->trainer.report;
    FILE                   *f = j->history;
    fprintf(f, "{\"step\":%llu", (unsigned long long)r->step);
    if (r->scale < r->scales) fprintf(f, ",\"scale\":%d", r->scale + 1);
    LFT(history_number)(f, "loss", r->loss);
    LFT(history_number)(f, "ess", r->ess);
    LFT(history_number)(f, "rate", r->rate);
    LFT(history_number)(f, "norm", r->norm);
    fprintf(f, ",\"integration_steps\":%d,\"refined\":%d,\"rolled_back\":%d", r->integration_steps, r->refined, r->rolled_back);
    LFT(history_number)(f, "guard_std", r->guard.n ? r->guard.std : CLI_NAN);
    LFT(history_number)(f, "guard_mean", r->guard.n ? r->guard.mean : CLI_NAN);
    LFT(history_number)(f, "seconds", j->earlier + cli_seconds() - j->began);
    fprintf(f, "}\n");
    if ((fflush(f) != 0 || ferror(f)) && !j->history_failed) {
        j->history_failed = 1;
        cli_note(j->c, "warning: %s: %s; training goes on without a history", cli_text(j->c, "history"), strerror(errno));
    }
}

static void LFT(train_progress)(LFT(train_job) *j)
{
    const lft_train_report *r     = &j->trainer.report;
    const double            spent = cli_seconds() - j->began, done = (double)(r->step - j->first_step);
    const double            left  = done > 0 ? spent / done * (double)(r->steps - r->step) : 0;
    char                    guard[48] = "", steps[32] = "", scale[32] = "";
    if (r->scale < r->scales) (void)snprintf(scale, sizeof scale, "scale %d/%d  ", r->scale + 1, r->scales);
    if (r->guard.n) (void)snprintf(guard, sizeof guard, "  epsilon %.1e", r->guard.std);
    if (r->integration_steps) (void)snprintf(steps, sizeof steps, "  %d int. steps", r->integration_steps);
    cli_progress(j->c, r->step, r->steps, "%sstep %llu/%llu  loss %.4f  ESS %.3f (batch)  rate %.1e%s%s  %.0f s left", scale,
                 (unsigned long long)r->step, (unsigned long long)r->steps, r->loss, r->ess, r->rate, guard, steps, left);
}

/* A scale has been trained. */
static void LFT(train_note_scale)(const LFT(train_job) *j)
{
    const lft_train_report *r      = &j->trainer.report;
    const LFT(theory)      *theory = j->theories + 1 + r->scale;
    int                     first = 0, end = j->train.frozen, i;
    for (i = 0; i <= r->scale; ++i) first = end, end = LFT(train_scale_end)(&j->flow, first);
    cli_progress_end(j->c);
    cli_note(j->c, "scale %d: layers %d to %d, %d sites at %s = %.6g: ESS %.3f (batch)", r->scale + 1, first, end - 1,
             j->flow.layer[end - 1].out.volume, theory->coupling_name[0], theory->coupling[0], r->ess);
}

/* Room may come back: the next one is tried again. */
static void LFT(train_checkpoint)(LFT(train_job) *j)
{
    cli      *c      = j->c;
    const int failed = cli_write(c, j->checkpoint, LFT(fill_checkpoint), j) != LFT_OK;
    if (failed && !j->checkpoint_failed) cli_note(c, "warning: %s; training goes on without this checkpoint", c->error.text);
    j->checkpoint_failed = failed;
    memset(&c->error, 0, sizeof c->error);
}

static void LFT(train_after_step)(LFT(train_job) *j)
{
    const lft_train_report *r = &j->trainer.report;
    if (j->history && !j->history_failed) LFT(train_history)(j);
    LFT(train_progress)(j);
    if (r->scale < r->scales && r->step == ((uint64_t)r->scale + 1) * j->train.scale_steps) LFT(train_note_scale)(j);
    if (j->checkpoint && cli_seconds() - j->saved > j->checkpoint_every) {
        LFT(train_note_time)(j);
        LFT(train_checkpoint)(j);
        j->saved = cli_seconds();
    }
}

/* What is there already goes to --out, whatever happened and whatever comes; a file that cannot be written is said. */
static lft_status LFT(train_keep)(LFT(train_job) *j)
{
    cli            *c     = j->c;
    const lft_error error = c->error;
    lft_status      status;
    memset(&c->error, 0, sizeof c->error);
    status = cli_write(c, j->out, j->fit_only ? LFT(fill_model) : LFT(fill_checkpoint), j);
    if (status) cli_note(c, "warning: %s", c->error.text);
    c->error = error;
    return status;
}

/* Steps until the end, a signal, or --stop-after. A training that has failed leaves its last good state. */
static lft_status LFT(train_loop)(LFT(train_job) *j)
{
    cli          *c      = j->c;
    LFT(trainer) *t      = &j->trainer;
    lft_status    status = LFT_OK;
    j->save              = cli_arena(c, LFT(trainer_save_bytes)(t));
    j->began = j->saved = cli_seconds();
    j->first_step       = t->step;
    while (!status && !c->error.code && !cli_signal && !j->fit_only && t->step < t->report.steps && t->step < j->stop_after) {
        status = LFT(train_step)(t);
        if (!status) LFT(train_after_step)(j);
    }
    LFT(train_note_time)(j);
    cli_progress_end(c);
    if (j->history && fclose(j->history) != 0) j->history_failed = 1;
    j->history = NULL;
    if (!status) return c->error.code;
    if (j->out && !LFT(train_keep)(j)) {
        cli_note(c, "the last good state, of step %llu, is in %s", (unsigned long long)t->step, j->out);
    }
    return cli_check(c, status, &j->flow.error);
}

/* ---- the end ---- */

/* Memory of a measurement that is over; there may be many, and the blocks are counted. */
static void LFT(train_free)(cli *c, int blocks)
{
    while (c->blocks > blocks) free(c->block[--c->blocks]);
}

/* Epsilon in double precision; beyond the bounds the integration steps, if there are any, grow by half until it is within. */
static lft_status LFT(train_measure)(LFT(train_job) *j)
{
    cli            *c = j->c;
    lft_safetensors doc;
    cli_wide        wide;
    lft_status      status;
    if (LFT(document_of)(c, &j->flow, &j->info, &doc) || cli_wide_open(c, &wide, &doc, j->desc.pool, 0)) return c->error.code;
    for (;;) {
        int steps = f64_integration_steps(&wide.model.flow);
        status    = cli_measure_logq(c, &wide, j->train.seed, j->logq_n, &j->info.logq_error);
        if (status || c->result->unmeasured || !steps || cli_is_exact(&j->info.logq_error)) return status;
        steps += (steps + 1) / 2;
        if (LFT(flow_refine)(&j->flow, steps) || f64_flow_refine(&wide.model.flow, steps)) return LFT_OK;
        cli_note(c, "epsilon has std %.2g, mean %.2g: integration steps refined to %d", j->info.logq_error.std,
                 j->info.logq_error.mean, steps);
    }
}

/* In place of epsilon; the steps grow in the same way. */
static lft_status LFT(train_finer)(LFT(train_job) *j)
{
    lft_weight_shift *e    = &j->finer;
    const double     *at   = j->theory.coupling;
    cli              *c    = j->c;
    lft_pool          pool = j->desc.pool;
    const int         blocks = c->blocks;
    for (;; LFT(train_free)(c, blocks)) {
        lft_safetensors doc;
        cli_wide        wide;
        lft_status      status = LFT(document_of)(c, &j->flow, &j->info, &doc);
        int             steps  = LFT(integration_steps)(&j->flow);
        if (status || cli_wide_open(c, &wide, &doc, pool, 1) || cli_wide_at(c, &wide, at)) return c->error.code;
        status = cli_measure_finer(c, &wide, j->train.seed, j->finer_n, e);
        if (status || !e->n || (e->std <= 1e-2 && fabs(e->logz_shift) <= 1e-2 + 2 * e->logz_error)) return status;
        steps += (steps + 1) / 2;
        if (LFT(flow_refine)(&j->flow, steps)) return LFT_OK;
        cli_note(c, "twice the steps change log w by %.2g (std), log Z by %.2g: integration steps refined to %d", e->std,
                 e->logz_shift, steps);
    }
}

/* Either, or neither. What fails here is said, and the flow is as good as before. */
static lft_status LFT(train_exactness)(LFT(train_job) *j)
{
    cli       *c      = j->c;
    const int  blocks = c->blocks;
    lft_status status = LFT_OK;
    if (j->logq_n) status = LFT(train_measure)(j);
    if (!status && j->finer_n) status = LFT(train_finer)(j);
    LFT(train_free)(c, blocks);
    if (c->error.code) {
        cli_unmeasured(c, j->logq_n ? "epsilon" : "twice the steps", c->error.text);
        memset(&c->error, 0, sizeof c->error);
        return cli_signal ? LFT_STOPPED : LFT_OK;
    }
    return status;
}

/* Log-weights of n independent samples. */
static lft_status LFT(train_ess)(LFT(train_job) *j, lft_weights *w)
{
    cli           *c     = j->c;
    const int      blocks = c->blocks;
    const uint64_t n     = j->ess_n;
    const int      batch = n < 1024 ? (int)n : 1024;
    const uint64_t first = (uint64_t)1 << 41;
    lft_arena      arena = cli_arena(c, LFT(batch_bytes)(&j->flow.lattice, batch));
    double        *logw  = (double *)cli_alloc(c, (size_t)(n + 1024) * sizeof(double)), S[1024];
    LFT(batch)     x;
    uint64_t       at;
    int            i;
    if (c->error.code || cli_check(c, LFT(batch_init)(&x, &j->flow.lattice, batch, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    for (at = 0; at < n && !cli_signal; at += (uint64_t)batch) {
        const lft_status status = LFT(flow_sample)(&j->flow, j->train.seed, first + at, &x, logw + at);
        if (status && status != LFT_ERR_NONFINITE) return cli_check(c, status, &j->flow.error);
        LFT(action)(&j->theory, &x, S);
        for (i = 0; i < batch; ++i) {
            logw[at + (uint64_t)i] = -S[i] - logw[at + (uint64_t)i];
            if (!lft_finite(logw[at + (uint64_t)i])) logw[at + (uint64_t)i] = -CLI_INFINITY;
        }
        cli_progress(c, at, n, "ESS: sample %llu/%llu", (unsigned long long)at, (unsigned long long)n);
    }
    cli_progress_end(c);
    *w = lft_weigh(logw, (size_t)n);
    LFT(train_free)(c, blocks);
    return LFT_OK;
}

static void LFT(train_result)(LFT(train_job) *j, uint64_t steps)
{
    cli_result   *r     = j->c->result;
    const double  spent = j->c->result->train_seconds;
    LFT(show_lattice)(j->c, &j->flow.lattice, &j->theory, j->desc.pool);
    (void)snprintf(r->seed, sizeof r->seed, "%llu", (unsigned long long)j->train.seed);
    LFT(show_flow)(j->c, &j->flow);
    r->steps             = j->trainer.step;
    r->batch             = (uint64_t)j->trainer.desc.batch;
    r->loss              = j->fit_only ? CLI_NAN : j->trainer.report.loss;
    r->refined           = (uint64_t)j->trainer.report.refined;
    r->rolled_back       = (uint64_t)j->trainer.report.rolled_back;
    r->ms_per_step       = steps ? 1e3 * spent / (double)steps : CLI_NAN;
    r->memory_bytes      = j->c->bytes;
    r->out               = j->out;
}

static void LFT(train_stop)(LFT(train_job) *j)
{
    cli *c = j->c;
    memset(&j->info.logq_error, 0, sizeof j->info.logq_error);
    if (j->out && !cli_write(c, j->out, LFT(fill_checkpoint), j)) {
        cli_note(c, "stopped at step %llu of %llu; %s holds a checkpoint, which is a model too: train --resume %s goes on",
                 (unsigned long long)j->trainer.step, (unsigned long long)j->trainer.report.steps, j->out, j->out);
    }
    c->result->status = "stopped";
}

/* At each point of a family; the least of them count. */
static lft_status LFT(train_points)(LFT(train_job) *j, lft_weights *w)
{
    cli *c = j->c;
    int  i;
    for (i = 0; LFT(family_point)(c, &j->flow, &j->theory, i); ++i) {
        const lft_logq_error worst = j->info.logq_error;
        lft_weights          here;
        if (LFT(train_exactness)(j)) return LFT_STOPPED;
        if (LFT(train_ess)(j, &here)) return c->error.code;
        if (cli_signal) return LFT_STOPPED;
        cli_note_point(c, &j->flow.family, j->theory.coupling, &here, &j->info.logq_error);
        if (i && worst.std > j->info.logq_error.std) j->info.logq_error = worst;
        if (!i || !(here.ess >= w->ess)) *w = here;
    }
    (void)LFT(family_point)(c, &j->flow, &j->theory, 0);
    if (!c->result->unmeasured) return c->error.code;
    memset(&j->info.logq_error, 0, sizeof j->info.logq_error); /* at one point is not at all of them */
    memset(&j->finer, 0, sizeof j->finer);
    return c->error.code;
}

/* The measurements take minutes or more, and memory: what was trained is safe before they begin. */
static lft_status LFT(train_end)(LFT(train_job) *j)
{
    cli        *c       = j->c;
    const int   special = j->out && cli_is_special(j->out); /* is written once */
    int         kept    = 0;
    lft_weights w;
    lft_status  status;
    j->info.seed  = j->train.seed;
    j->info.steps = j->trainer.step;
    j->info.batch = (uint64_t)j->trainer.desc.batch;
    j->info.loss  = j->trainer.report.loss;
    if (j->out && !special) kept = !LFT(train_keep)(j);
    status = LFT(train_points)(j, &w);
    if (special && c->error.code) kept = !LFT(train_keep)(j);
    if (kept && c->error.code) cli_note(c, "%s holds what was trained, without the measurements of its end", j->out);
    if (status) return status;
    j->info.ess   = lft_finite(w.ess) ? w.ess : 0;
    j->info.ess_n = w.n;
    cli_set_logq(c->result, &j->info.logq_error);
    cli_set_finer(c->result, &j->finer);
    cli_set_weights(c->result, &w, LFT(flow_normalised)(&j->flow));
    c->result->verdict = cli_flow_verdict(w.ess, w.n);
    cli_qualify(c->result);
    return j->out ? cli_write(c, j->out, LFT(fill_model), j) : LFT_OK;
}

/* From a job that has begun to one whose flow is trained and measured. */
static lft_status LFT(train_run)(LFT(train_job) *j)
{
    cli       *c = j->c;
    lft_status status;
    if (c->error.code || LFT(train_loop)(j)) return c->error.code;
    c->result->train_seconds = j->earlier + cli_seconds() - j->began;
    status = j->trainer.step < j->trainer.report.steps && !j->fit_only ? LFT_STOPPED : LFT(train_end)(j);
    if (status == LFT_STOPPED && !c->error.code) LFT(train_stop)(j);
    LFT(train_result)(j, j->trainer.step - j->first_step);
    if (j->history_failed && !c->error.code) {
        return cli_fail(c, LFT_ERR_IO, "%.80s: expected room for the history, got none; the model was written",
                        cli_text(c, "history"));
    }
    if (j->checkpoint_failed && j->checkpoint != j->out && !c->error.code) {
        return cli_fail(c, LFT_ERR_IO, "%.80s: expected room for the last checkpoint, got none; the model was written",
                        j->checkpoint);
    }
    return c->error.code;
}

static void LFT(train_print)(const LFT(train_job) *j)
{
    const cli_result *r = j->c->result;
    cli_print_lattice(r);
    if (j->fit_only) printf("  fit        %.1f s, no steps of training\n", r->train_seconds);
    else {
        printf("  training   %llu steps of %llu samples, %.1f s, %.3g ms per step; loss %.4f (KL - log Z, may be negative)\n",
               (unsigned long long)r->steps, (unsigned long long)r->batch, r->train_seconds, r->ms_per_step, r->loss);
    }
    printf("  flow       %llu %s layer%s, %llu parameters", (unsigned long long)r->layers, r->flow, r->layers > 1 ? "s" : "",
           (unsigned long long)r->parameters);
    if (r->integration_steps) {
        printf(", %llu integration steps, refined %llu times", (unsigned long long)r->integration_steps,
               (unsigned long long)r->refined);
    }
    printf("; training rolled back %llu times\n", (unsigned long long)r->rolled_back);
    if (!strcmp(r->status, "stopped")) {
        printf("  stopped    checkpoint in %s\n", r->out);
        return;
    }
    cli_print_family(r);
    cli_print_logq(r);
    cli_print_weights(r);
    printf("  verdict    %s\n  model in %s\n", r->verdict, r->out);
}

static lft_status LFT(train_command)(cli *c)
{
    static LFT(train_job) j;
    memset(&j, 0, sizeof j);
    j.c = c;
    j.out = cli_required(c, "out");
    if (!LFT(train_open)(&j)) {
        if (cli_given(c, "resume")) (void)LFT(train_resume)(&j, cli_text(c, "resume"));
        else (void)LFT(train_begin)(&j);
    }
    (void)LFT(train_run)(&j);
    if (j.history) (void)fclose(j.history);
    if (!c->error.code && !c->json) LFT(train_print)(&j);
    return c->error.code;
}
