/* model_case.h: what test_model.c asks of one instance. Include it after lftflow.h with CASE (the instance's name). */

#define CASE_PASTE2(a, b) a##_##b
#define CASE_PASTE(a, b)  CASE_PASTE2(a, b)
#define C(name)           CASE_PASTE(CASE, name)

static void C(desc)(C(flow_desc) *d, lft_pool pool)
{
    memset(d, 0, sizeof *d);
    d->extent[0] = 4, d->extent[1] = 3;
    d->continuous.sines = 3, d->continuous.nodes = 3, d->continuous.steps = 2, d->continuous.most_steps = 30;
    d->continuous.gates = 1;
    d->pool = pool;
}

static lft_arena C(arena)(void)
{
    return lft_arena_of(memory, sizeof memory);
}

/* A flow away from its start. */
static void C(make)(C(flow) *flow, const C(flow_desc) *d, lft_arena *arena)
{
    lft_error e;
    size_t    i;
    check_true("a flow", C(flow_init)(flow, d, arena, &e) == LFT_OK);
    for (i = 0; i < flow->params.count; ++i) {
        flow->params.value[i] += 0.2 * (lft_uniform(lft_draw_of(7, LFT_DRAW_USER, 0, 0), (uint32_t)i) - 0.5);
    }
    C(flow_prepare)(flow);
}

/* log q of 40 samples of a flow, and the sum of the fields. */
static void C(fingerprint)(C(flow) *flow, double *logq)
{
    lft_arena arena = lft_arena_of(more_memory, sizeof more_memory);
    C(batch)  x;
    check_true("samples", C(batch_init)(&x, &flow->lattice, 40, &arena, NULL) == LFT_OK &&
                              C(flow_sample)(flow, 5, 0, &x, logq) == LFT_OK);
}

static size_t C(save)(C(flow) *flow, const C(model_info) *info, unsigned char *to, size_t size)
{
    lft_arena  scratch = lft_arena_of(more_memory, C(model_bytes)(flow));
    lft_memory m;
    lft_error  e;
    lft_status status = C(model_save)(flow, info, lft_memory_writer(&m, to, size), scratch, &e);
    if (status) printf("    %s\n", e.text);
    return status ? 0 : m.at;
}

/* The whole of loading into memory of its own. */
static lft_status C(load)(const unsigned char *data, size_t size, C(flow) *flow, C(model_info) *info, lft_arena *arena,
                          lft_error *e)
{
    lft_safetensors doc;
    C(flow_desc)    d;
    lft_memory      m;
    lft_status      status = lft_safetensors_load(lft_memory_reader(&m, data, size), arena, &doc, e);
    if (!status) status = C(model_desc)(&doc, NULL, &d, info, arena, e);
    if (!status) status = C(flow_init)(flow, &d, arena, e);
    if (!status) status = C(model_restore)(flow, &doc, e);
    return status;
}

static void C(info)(C(model_info) *info)
{
    C(theory) S;
    (void)C(phi4_init)(&S, -4, 6.975, NULL);
    C(model_info_of)(info, &S);
    info->logq_error.std = 1e-4, info->logq_error.mean = -2e-3, info->logq_error.mean_error = 3e-5;
    info->logq_error.n = 32, info->seed = 18446744073709551615u, info->steps = 1000, info->ess_n = 10000;
    info->seconds = 1.5, info->loss = -3.25, info->ess = 0.75;
}

static void C(test_round_trip)(void)
{
    static double before[40], after[40];
    lft_arena        arena = C(arena)(), mark;
    C(flow_desc)     d;
    C(model_info)    info, back;
    C(flow)          flow, other;
    lft_error        e;
    size_t           size, again;
    C(desc)(&d, lft_pool_openmp(1));
    C(make)(&flow, &d, &arena);
    (void)C(flow_refine)(&flow, 5);
    C(fingerprint)(&flow, before);
    C(info)(&info);
    size = C(save)(&flow, &info, file, sizeof file);
    check_true("model: saved within model_bytes", size > 0);
    mark = arena;
    check_loaded("model: loaded", &e, C(load)(file, size, &other, &back, &arena, &e));
    check_true("model: integration steps", other.layer[0].steps == 5);
    C(fingerprint)(&other, after);
    check_true("model: log q bit for bit", memcmp(before, after, sizeof before) == 0);
    check_true("model: info", back.seed == info.seed && back.steps == 1000 && back.couplings == 2 &&
                                  !strcmp(back.theory, "phi4") && !strcmp(back.coupling_name[1], "lambda") &&
                                  !memcmp(back.coupling, info.coupling, sizeof back.coupling) &&
                                  !memcmp(&back.logq_error, &info.logq_error, sizeof back.logq_error) &&
                                  !strcmp(back.version, LFT_VERSION) && back.ess_n == 10000 && back.loss == -3.25);
    again = C(save)(&other, &back, file2, sizeof file2);
    check_true("model: saved again, the same bytes", again == size && !memcmp(file, file2, size));
    arena    = mark;
    info.f32 = 1;
    again    = C(save)(&flow, &info, file2, sizeof file2);
    check_true("model: rounded to F32, less than it was by four bytes a parameter", size - again >= 4 * flow.params.count);
    check_loaded("model: F32 loaded", &e, C(load)(file2, again, &other, &back, &arena, &e));
    for (again = 0; again < flow.params.count; ++again) {
        const double rounded = (double)(float)flow.params.value[again];
        if (fabs(other.params.value[again] - rounded) > 0) break;
    }
    check_true("model: F32 parameters are the rounded ones", again == flow.params.count);
    arena = mark;
}

static void C(test_list_of_layers)(void)
{
    static double         before[40], after[40];
    lft_arena             arena = C(arena)();
    C(flow_desc)          d;
    C(layer_desc)         list[3];
    C(continuous_desc)    first, second;
    C(coupling_desc)      third;
    C(model_info)         info;
    C(flow)               flow, other;
    lft_error             e;
    size_t                size;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    memset(&third, 0, sizeof third);
    first.sines = -1, first.gates = -1, first.zeros = -1, first.steps = 3, first.basis = LFT_TIME_HAT, first.nodes = 4;
    second.linear = -1, second.sines = 2, second.steps = 1;
    third.parity = third.z2 = 1, third.hidden[0] = 5, third.hidden[1] = 3, third.kernel = 5, third.bound = 0.3;
    list[0].ops = list[1].ops = C(continuous)();
    list[2].ops  = C(coupling)();
    list[0].desc = &first, list[1].desc = &second, list[2].desc = &third;
    C(desc)(&d, lft_pool_openmp(1));
    d.layer = list, d.layers = 3, d.prior.kind = LFT_PRIOR_NORMAL;
    C(make)(&flow, &d, &arena);
    C(fingerprint)(&flow, before);
    C(info)(&info);
    size = C(save)(&flow, &info, file, sizeof file);
    check_loaded("three layers: loaded", &e, C(load)(file, size, &other, &info, &arena, &e));
    C(fingerprint)(&other, after);
    check_true("three layers: log q bit for bit", memcmp(before, after, sizeof before) == 0);
    check_true("three layers: steps of each", other.layer[0].steps == 3 && other.layer[1].steps == 1);
}

/* ---- training that stops and goes on ---- */

typedef struct C(run) {
    C(theory)  S;
    C(flow)    flow;
    C(trainer) trainer;
} C(run);

static void C(train_desc)(lft_train_desc *d)
{
    memset(d, 0, sizeof *d);
    d->steps = 20, d->batch = 40, d->seed = 3, d->guard_every = 4, d->rate = 0.05, d->warmup = 1, d->accumulate = 2;
    d->guard_std = 2e-4, d->guard_mean = 2e-3; /* so narrow that the integrator has to be refined */
}

static void C(begin)(C(run) *r, lft_pool pool, lft_arena *arena)
{
    C(flow_desc)   d;
    lft_train_desc t;
    lft_error      e;
    C(desc)(&d, pool);
    C(train_desc)(&t);
    (void)C(phi4_init)(&r->S, -4, 6.975, NULL);
    check_true("training: begun", C(flow_init)(&r->flow, &d, arena, &e) == LFT_OK &&
                                      C(trainer_init)(&r->trainer, &r->flow, &r->S, &t, arena) == LFT_OK);
}

static void C(steps)(C(run) *r, uint64_t to)
{
    lft_status status = LFT_OK;
    while (!status && r->trainer.step < to) status = C(train_step)(&r->trainer);
    if (status) printf("    %s\n", r->flow.error.text);
    check_true("training: steps", status == LFT_OK);
}

static size_t C(checkpoint)(const C(run) *r, unsigned char *to, size_t size)
{
    lft_arena  scratch = lft_arena_of(more_memory, C(trainer_save_bytes)(&r->trainer));
    lft_memory m;
    lft_error  e;
    lft_status status = C(trainer_save)(&r->trainer, NULL, lft_memory_writer(&m, to, size), scratch, &e);
    if (status) printf("    %s\n", e.text);
    return status ? 0 : m.at;
}

static lft_status C(go_on)(C(run) *r, const unsigned char *data, size_t size, lft_pool pool, lft_arena *arena, lft_error *e)
{
    lft_safetensors doc;
    C(flow_desc)    d;
    lft_train_desc  t;
    lft_memory      m;
    lft_status      status = lft_safetensors_load(lft_memory_reader(&m, data, size), arena, &doc, e);
    (void)C(phi4_init)(&r->S, -4, 6.975, NULL);
    if (!status) status = C(model_desc)(&doc, NULL, &d, NULL, arena, e);
    d.pool = pool;
    if (!status) status = C(flow_init)(&r->flow, &d, arena, e);
    if (!status) status = C(trainer_desc)(&doc, &t, e);
    if (!status) status = C(trainer_init)(&r->trainer, &r->flow, &r->S, &t, arena);
    if (!status) status = C(trainer_resume)(&r->trainer, &doc);
    if (status && r->flow.error.code) *e = r->flow.error;
    return status;
}

static void C(test_resume)(void)
{
    static const uint64_t stop[] = {1, 7, 10, 13};
    lft_arena             arena  = C(arena)(), mark;
    size_t                straight, size, k;
    C(run)                r;
    C(model_info)         info;
    lft_error             e;
    int                   before = 0, after = 0, threads;
    C(begin)(&r, lft_pool_openmp(1), &arena);
    C(steps)(&r, 20);
    straight = C(checkpoint)(&r, file, sizeof file);
    check_true("resume: the guard has refined", r.trainer.report.refined > 0);
    check_true("resume: a checkpoint is a model", straight && C(load)(file, straight, &r.flow, &info, &arena, &e) == LFT_OK &&
                                                      info.steps == 20 && info.batch == 40 && info.seed == 3);
    for (k = 0; k < 4; ++k) {
        arena = C(arena)();
        C(begin)(&r, lft_pool_openmp(1), &arena);
        C(steps)(&r, stop[k]);
        size = C(checkpoint)(&r, file2, sizeof file2);
        if (r.trainer.report.refined) before = 1;
        else after = 1;
        mark = arena = lft_arena_of(memory2, sizeof memory2);
        memset(memory2, 0xa5, sizeof memory2);
        check_true("resume: gone on", C(go_on)(&r, file2, size, lft_pool_openmp(1), &arena, &e) == LFT_OK);
        C(steps)(&r, 20);
        size = C(checkpoint)(&r, file2, sizeof file2);
        check_true("resume: 20 steps, the same bytes", size == straight && !memcmp(file, file2, size));
        arena = mark;
    }
    check_true("resume: stopped before and after a refinement", before && after);
    for (threads = 2; threads <= 3; ++threads) {
        arena = C(arena)();
        C(begin)(&r, pool_of(threads), &arena);
        C(steps)(&r, 20);
        size = C(checkpoint)(&r, file2, sizeof file2);
        check_true("threads 2 and 3: the same bytes", size == straight && !memcmp(file, file2, size));
    }
}

/* ---- files that do not fit, or are damaged ---- */

static void C(expect)(const char *name, const unsigned char *data, size_t size, lft_status code, const char *words)
{
    lft_arena     arena = C(arena)();
    C(model_info) info;
    C(flow)       flow;
    lft_error     e;
    lft_status    status;
    memset(&e, 0, sizeof e);
    status = C(load)(data, size, &flow, &info, &arena, &e);
    check_true(name, status == code && e.code == code && strstr(e.text, words));
    if (status != code || !strstr(e.text, words)) printf("    status %d, '%s', expected '%s'\n", (int)status, e.text, words);
}

/* The file with a piece of its header replaced by one of the same length. */
static void C(expect_changed)(const char *from, const char *to, lft_status code, const char *words)
{
    const size_t n = strlen(from);
    size_t       i;
    char         name[100];
    memcpy(file2, file, sizeof file);
    for (i = 8; i < 4000 && memcmp(file2 + i, from, n); ++i) {}
    memcpy(file2 + i, to, n);
    snprintf(name, sizeof name, "damaged: %.60s", to);
    C(expect)(name, file2, file_size, code, words);
}

static void C(test_damaged)(void)
{
    lft_arena     arena = lft_arena_of(memory2, sizeof memory2);
    C(flow_desc)  d;
    C(model_info) info;
    C(flow)       flow;
    C(desc)(&d, lft_pool_openmp(1));
    C(make)(&flow, &d, &arena);
    C(info)(&info);
    file_size = C(save)(&flow, &info, file, sizeof file);
    C(expect)("damaged: not at all", file, file_size, LFT_OK, "");
    C(expect)("damaged: cut", file, file_size - 1, LFT_ERR_IO, "data end early");
    C(expect_changed)("lftflow-model", "lftflow-mode1", LFT_ERR_FORMAT, "'format': expected 'lftflow-model'");
    C(expect_changed)("\"format_version\":\"1\"", "\"format_version\":\"2\"", LFT_ERR_FORMAT, "got '2'");
    C(expect_changed)("\"group\":\"scalar\"", "\"group\":\"scalat\"", LFT_ERR_MISMATCH, "'group': expected scalar");
    C(expect_changed)("\"dim\":\"2\"", "\"dim\":\"3\"", LFT_ERR_MISMATCH, "'dim': expected 2, got '3'");
    C(expect_changed)("\"layers\":\"1\"", "\"layers\":\"2\"", LFT_ERR_FORMAT, "'layer1'");
    C(expect_changed)("\"layers\":\"1\"", "\"layers\":\"0\"", LFT_ERR_FORMAT, "'layers'");
    C(expect_changed)("\"continuous\"", "\"continuoos\"", LFT_ERR_MISMATCH, "'continuoos'");
    C(expect_changed)("\"layer0.spec\"", "\"layer0.spek\"", LFT_ERR_FORMAT, "'layer0.spec': expected a tensor");
    C(expect_changed)("\"layer0.frequency\"", "\"layer0.frequenzy\"", LFT_ERR_FORMAT, "'layer0.frequency'");
    C(expect_changed)("\"extent\":{\"dtype\":\"U64\"", "\"extent\":{\"dtype\":\"F64\"", LFT_ERR_FORMAT, "'extent'");
    C(expect_changed)("\"prior.spec\"", "\"prior.spek\"", LFT_ERR_FORMAT, "'prior.spec'");
    C(expect_changed)("\"couplings\":{", "\"couplingz\":{", LFT_ERR_FORMAT, "'couplings'");
    C(expect_changed)("\"theory\":", "\"theorz\":", LFT_ERR_FORMAT, "'theory'");
    flow.params.value[flow.params.count - 1] = NAN;
    file_size = C(save)(&flow, &info, file, sizeof file);
    C(expect)("damaged: NaN", file, file_size, LFT_ERR_NONFINITE, "'layer0.zero_frequency': expected finite");
}

/* A model into a flow that was built by hand. */
static void C(restore_into)(const char *name, const C(flow_desc) *d, lft_status code, const char *words)
{
    lft_arena       arena = C(arena)();
    lft_memory      m;
    lft_safetensors doc;
    C(flow)         flow;
    lft_error       e;
    lft_status      status;
    double          first;
    memset(&e, 0, sizeof e);
    (void)lft_safetensors_load(lft_memory_reader(&m, file, file_size), &arena, &doc, &e);
    check_true("restore: a flow", C(flow_init)(&flow, d, &arena, &e) == LFT_OK);
    first  = flow.params.value[0];
    status = C(model_restore)(&flow, &doc, &e);
    check_true(name, status == code && strstr(e.text, words) && (!status || flow.params.value[0] == first));
    if (status != code || !strstr(e.text, words)) printf("    status %d, '%s', expected '%s'\n", (int)status, e.text, words);
}

static void C(test_restore)(void)
{
    lft_arena     arena = C(arena)();
    C(flow_desc)  d;
    C(model_info) info;
    C(flow)       flow;
    C(desc)(&d, lft_pool_openmp(1));
    C(make)(&flow, &d, &arena);
    (void)C(flow_refine)(&flow, 20);
    C(info)(&info);
    file_size = C(save)(&flow, &info, file, sizeof file);
    C(restore_into)("restore: the same desc", &d, LFT_OK, "");
    d.continuous.most_steps = 20;
    C(restore_into)("restore: other most_steps", &d, LFT_OK, "");
    d.continuous.most_steps = 19;
    C(restore_into)("restore: too few most_steps", &d, LFT_ERR_ARG, "1 to 19 (most_steps), got 20");
    C(desc)(&d, lft_pool_openmp(1));
    d.continuous.basis = LFT_TIME_HAT;
    C(restore_into)("restore: another time basis", &d, LFT_ERR_MISMATCH, "expected 2 (of this flow) as number 4, got 1");
    C(desc)(&d, lft_pool_openmp(1));
    d.extent[1] = 4;
    C(restore_into)("restore: another extent", &d, LFT_ERR_MISMATCH, "'extent': expected 4x4 (of this flow), got 4x3");
    C(desc)(&d, lft_pool_openmp(1));
    d.prior.kind = LFT_PRIOR_NORMAL;
    C(restore_into)("restore: another prior", &d, LFT_ERR_MISMATCH, "'prior.spec'");
}

static void C(test_arena)(void)
{
    lft_arena     arena = C(arena)();
    C(flow_desc)  d;
    C(model_info) info;
    C(flow)       flow;
    lft_memory    m;
    lft_error     e;
    size_t        need, i, refused = 0;
    C(desc)(&d, lft_pool_openmp(1));
    C(make)(&flow, &d, &arena);
    C(info)(&info);
    info.f32 = 1; /* takes the most */
    need     = C(model_bytes)(&flow);
    for (i = 1; i < 60; ++i) {
        const size_t bytes = need * i / 60;
        refused += C(model_save)(&flow, &info, lft_memory_writer(&m, file, sizeof file), lft_arena_of(more_memory, bytes), &e) ==
                   LFT_ERR_NOMEM;
    }
    check_true("arena too small: refused", refused >= 58); /* the query allows for the most couplings */
    info.f32 = 0;
    for (i = 0, refused = 0; i < 100; ++i) {
        refused += C(model_save)(&flow, &info, lft_memory_writer(&m, file, i * file_size / 101),
                                 lft_arena_of(more_memory, need), &e) == LFT_ERR_IO;
    }
    check_true("a disk that is full at any place: LFT_ERR_IO", refused == 100);
}

static void C(test_all)(void)
{
    C(test_round_trip)();
    C(test_list_of_layers)();
    C(test_resume)();
    C(test_damaged)();
    C(test_restore)();
    C(test_arena)();
}

#undef C
#undef CASE
#undef CASE_PASTE
#undef CASE_PASTE2
