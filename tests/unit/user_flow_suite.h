/* user_flow_suite.h: the machinery of flows for one gauge instance, driven by the layer of ../kick.h. Include it after
 * kick_instance.h with SUITE (the instance's name), SUITE_COLOURS and SUITE_DIM. */
#define SUITE_PASTE2(a, b) a##_##b
#define SUITE_PASTE(a, b)  SUITE_PASTE2(a, b)
#define S_(name)           SUITE_PASTE(SUITE, name)

static const double S_(rounding) = sizeof(S_(real)) == 4 ? 2e-5 : 1e-12;

static void S_(need)(const char *name, lft_status status, const lft_error *e)
{
    check_true(name, status == LFT_OK);
    if (status) {
        printf("    %s\n", e->text);
        exit(1);
    }
}

/* ---- setting up ---- */

static void S_(test_desc)(const int *extent)
{
    lft_arena     arena = suite_arena(), exact;
    S_(flow_desc) d;
    S_(flow)      flow;
    S_(kick_desc) axis = {1};
    S_(layer_desc) list;
    lft_error     e;
    size_t        bytes;
    int           mu;
    list.ops = &S_(kick), list.desc = &axis;
    memset(&d, 0, sizeof d);
    for (mu = 0; mu < SUITE_DIM; ++mu) d.extent[mu] = extent[mu];
    d.layer = &list, d.layers = 1;
    d.prior.kind = LFT_PRIOR_FREE;
    check_true("desc: a free prior is refused", S_(flow_init)(&flow, &d, &arena, &e) == LFT_ERR_ARG && strstr(e.text, "Haar"));
    d.prior.kind = LFT_PRIOR_NORMAL;
    check_true("desc: a normal prior is refused", S_(flow_init)(&flow, &d, &arena, &e) == LFT_ERR_ARG && !S_(flow_bytes)(&d));
    d.prior.kind = LFT_PRIOR_HAAR;
    list.ops = NULL;
    check_true("desc: a layer without a table", S_(flow_init)(&flow, &d, &arena, &e) == LFT_ERR_ARG && strstr(e.text, "table"));
    list.ops = &S_(kick);
    bytes = S_(flow_bytes)(&d);
    exact = lft_arena_of(more_memory, bytes / 2);
    check_true("desc: half of flow_bytes", S_(flow_init)(&flow, &d, &exact, &e) == LFT_ERR_NOMEM);
    exact = lft_arena_of(more_memory, bytes);
    check_true("desc: flow_bytes", S_(flow_init)(&flow, &d, &exact, &e) == LFT_OK);
    check_true("desc: parameters", flow.params.count == SUITE_DIM + 1 && !strcmp(flow.params.list[0].name, "layer0.kick"));
}

/* ---- samples ---- */

/* Samples are those of hot chains at the start, moved: the links of the invariant measure by their addresses. */
static void S_(test_samples)(const int *extent)
{
    static double logq[60], part[60];
    static S_(real) a[2000], b[2000];
    lft_arena    arena = suite_arena(), mark;
    S_(flow)     flow;
    S_(batch)    x, y;
    lft_error    e;
    lft_draw     draw = lft_draw_of(9, LFT_DRAW_PRIOR, 40, 0);
    int          n, i, k, threads, same = 1, equal = 1;
    double       worst = 0, largest = 0, normal[8], link[18];
    memset(&x, 0, sizeof x), memset(&y, 0, sizeof y);
    S_(need)("samples: an identity", S_(make)(&flow, extent, 1, 0, 0, suite_pool(1), &arena, &e), &e);
    S_(need)("samples: batch", S_(batch_init)(&x, &flow.lattice, 1, &arena, &e), &e);
    S_(need)("samples: drawn", S_(flow_sample)(&flow, 9, 40, &x, logq), &flow.error);
    n = flow.lattice.volume * x.reals;
    S_(batch_get)(&x, 0, a);
    check_below("samples: log q of the prior", logq[0], 0);
    for (i = 0; i < flow.lattice.volume * SUITE_DIM; ++i, ++draw.draw) { /* by the public numbers */
        double square = 0;
        lft_normals(draw, normal, SUITE_COLOURS == 1 ? 2 : 4);
        for (k = 0; k < 4; ++k) square += normal[k] * normal[k];
        for (k = 0; k < kick_numbers; ++k) {
            link[k] = SUITE_COLOURS == 1 ? atan2(normal[0], normal[1]) : normal[k % 4] / sqrt(square);
            if (SUITE_COLOURS < 3) worst = fmax(worst, fabs(link[k] - (double)a[i * kick_numbers + k]));
        }
        for (k = 0; k < kick_numbers; ++k) link[k] = (double)a[i * kick_numbers + k];
        worst = fmax(worst, matrix_defect(matrix_of_link(link)));
    }
    check_below("samples: the prior's links", worst, S_(rounding));
    arena = suite_arena();
    S_(need)("samples: two layers", S_(make)(&flow, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e), &e);
    S_(need)("samples: batch", S_(batch_init)(&x, &flow.lattice, 20, &arena, &e), &e);
    S_(need)("samples: drawn", S_(flow_sample)(&flow, 9, 40, &x, logq), &flow.error);
    for (i = 0; i < 20; ++i) largest = fmax(largest, fabs(logq[i]));
    check_true("samples: log q is not that of the prior", largest > 0.1);
    mark = arena;
    for (threads = 1; threads <= 3; ++threads) { /* part of the batch, other groups, other threads */
        arena = mark;
        S_(need)("samples: again", S_(make)(&flow, extent, 2, 0.3, 0.4, suite_pool(threads), &arena, &e), &e);
        S_(need)("samples: batch", S_(batch_init)(&y, &flow.lattice, 13, &arena, &e), &e);
        S_(need)("samples: drawn", S_(flow_sample)(&flow, 9, 45, &y, part), &flow.error);
        for (i = 0; i < 13; ++i) {
            S_(batch_get)(&x, i + 5, a);
            S_(batch_get)(&y, i, b);
            same = same && part[i] == logq[i + 5] && !memcmp(a, b, (size_t)n * sizeof *a);
        }
        equal = equal && same;
    }
    check_true("samples: the same in any batch, for any threads", equal);
}

/* ---- the map ---- */

static void S_(moved)(S_(batch) *x, int i, int link, int a, double by)
{
    static S_(real) u[2000];
    double          z[8], from[18] = {0}, to[18];
    int             k;
    S_(batch_get)(x, i, u);
    memset(z, 0, sizeof z);
    z[a] = by;
    for (k = 0; k < kick_numbers; ++k) from[k] = (double)u[link * kick_numbers + k];
    kick_move(z, from, to);
    for (k = 0; k < kick_numbers; ++k) u[link * kick_numbers + k] = (S_(real))to[k];
    S_(batch_set)(x, i, u);
}

/* v of exp(v) = link of `plus` times that of `minus` inverse, small */
static void S_(apart)(const S_(batch) *x, int plus, int minus, int link, double *v)
{
    static S_(real) u[2000];
    double          one[18] = {0}, two[18] = {0};
    int             k;
    matrix          m;
    S_(batch_get)(x, plus, u);
    for (k = 0; k < kick_numbers; ++k) one[k] = (double)u[link * kick_numbers + k];
    S_(batch_get)(x, minus, u);
    for (k = 0; k < kick_numbers; ++k) two[k] = (double)u[link * kick_numbers + k];
    m = matrix_times(matrix_of_link(one), matrix_dagger(matrix_of_link(two)));
    kick_components(&m, v);
}

static double S_(dense_log_det)(double *a, int n)
{
    double sum = 0;
    int    i, j, k;
    for (k = 0; k < n; ++k) {
        int pivot = k;
        for (i = k; i < n; ++i) pivot = fabs(a[i * n + k]) > fabs(a[pivot * n + k]) ? i : pivot;
        for (j = 0; j < n; ++j) {
            const double swap = a[k * n + j];
            a[k * n + j] = a[pivot * n + j], a[pivot * n + j] = swap;
        }
        sum += log(fabs(a[k * n + k]));
        for (i = k + 1; i < n; ++i) {
            const double f = a[i * n + k] / a[k * n + k];
            for (j = k; j < n; ++j) a[i * n + j] -= f * a[k * n + j];
        }
    }
    return sum;
}

/* The log-det is that of the map between links that move as exp(w^a T^a) U, by differences of the map alone. */
static void S_(test_jacobian)(const int *extent)
{
    static double matrix_[128 * 128], logdet[257];
    lft_arena     arena = suite_arena();
    S_(flow)      flow;
    S_(batch)     z, x;
    lft_error     e;
    const double  step = sizeof(S_(real)) == 4 ? 2e-3 : 2e-5;
    int           n, i, l, a, links;
    double        v[8];
    static S_(real) u[2000];
    memset(&z, 0, sizeof z), memset(&x, 0, sizeof x);
    S_(need)("jacobian: a flow", S_(make)(&flow, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e), &e);
    links = flow.lattice.volume * SUITE_DIM, n = links * kick_algebra;
    check_true("jacobian: a small lattice", n <= 128);
    S_(need)("jacobian: batches", S_(batch_init)(&z, &flow.lattice, 2 * n + 1, &arena, &e), &e);
    S_(need)("jacobian: batches", S_(batch_init)(&x, &flow.lattice, 2 * n + 1, &arena, &e), &e);
    {
        S_(batch) one;
        lft_arena scratch = lft_arena_of(more_memory, sizeof more_memory);
        S_(need)("jacobian: batches", S_(batch_init)(&one, &flow.lattice, 1, &scratch, &e), &e);
        (void)S_(flow_sample)(&flow, 3, 3, &one, logdet);
        S_(batch_get)(&one, 0, u);
    }
    for (i = 0; i <= 2 * n; ++i) {
        S_(batch_set)(&z, i, u);
        if (i < 2 * n) S_(moved)(&z, i, i / 2 / kick_algebra, i / 2 % kick_algebra, i % 2 ? -step : step);
    }
    S_(need)("jacobian: mapped", S_(flow_map)(&flow, &z, &x, logdet), &flow.error);
    for (i = 0; i < n; ++i) {
        for (l = 0; l < links; ++l) {
            S_(apart)(&x, 2 * i, 2 * i + 1, l, v);
            for (a = 0; a < kick_algebra; ++a) matrix_[(l * kick_algebra + a) * n + i] = v[a] / (2 * step);
        }
    }
    check_true("jacobian: there is something to see", fabs(logdet[2 * n]) > 0.1);
    check_near("jacobian: log-det", logdet[2 * n], S_(dense_log_det)(matrix_, n), sizeof(S_(real)) == 4 ? 1e-2 : 1e-7);
}

static void S_(test_inverse)(const int *extent)
{
    static double logq[11], back[11], forth[11], again[11];
    static S_(real) a[2000], b[2000];
    lft_arena      arena = suite_arena();
    S_(flow)       flow;
    S_(batch)      x, z, y;
    lft_logq_error error;
    lft_error      e;
    int            i, k;
    double         apart = 0, det = 0, q = 0;
    memset(&x, 0, sizeof x), memset(&z, 0, sizeof z), memset(&y, 0, sizeof y);
    S_(need)("inverse: a flow", S_(make)(&flow, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e), &e);
    S_(need)("inverse: batches", S_(batch_init)(&x, &flow.lattice, 11, &arena, &e), &e);
    S_(need)("inverse: batches", S_(batch_init)(&y, &flow.lattice, 11, &arena, &e), &e);
    S_(need)("inverse: batches", S_(batch_init)(&z, &flow.lattice, 11, &arena, &e), &e);
    S_(need)("inverse: sampled", S_(flow_sample)(&flow, 1, 0, &x, logq), &flow.error);
    S_(need)("inverse: logq", S_(flow_logq)(&flow, &x, again), &flow.error);
    S_(need)("inverse: back", S_(flow_inverse)(&flow, &x, &z, back), &flow.error);
    S_(need)("inverse: forth", S_(flow_map)(&flow, &z, &y, forth), &flow.error);
    for (i = 0; i < 11; ++i) {
        S_(batch_get)(&x, i, a);
        S_(batch_get)(&y, i, b);
        for (k = 0; k < flow.lattice.volume * x.reals; ++k) {
            double d = (double)a[k] - (double)b[k];
            if (SUITE_COLOURS == 1) d = sin(d);
            apart = fmax(apart, fabs(d));
        }
        det = fmax(det, fabs(back[i] + forth[i]));
        q   = fmax(q, fmax(fabs(logq[i] - again[i]), fabs(logq[i] - back[i])));
    }
    check_below("inverse: round trip", apart, S_(rounding));
    check_below("inverse: log-dets cancel", det, 10 * S_(rounding));
    check_below("inverse: log q of a sample", q, 10 * S_(rounding));
    arena = lft_arena_of(more_memory, S_(flow_logq_error_bytes)(&flow));
    S_(need)("logq_error: measured", S_(flow_logq_error)(&flow, 1, 0, 5, &error, arena), &flow.error);
    check_below("logq_error: std", error.std, 10 * S_(rounding));
    check_below("logq_error: mean", error.mean, 10 * S_(rounding));
    arena = lft_arena_of(more_memory, S_(flow_logq_error_bytes)(&flow) / 2);
    check_true("logq_error: too little memory", S_(flow_logq_error)(&flow, 1, 0, 5, &error, arena) == LFT_ERR_NOMEM);
}

/* ---- training ---- */

static void S_(trainer_of)(S_(trainer) *t, S_(flow) *flow, const S_(theory) *theory, lft_estimator estimator, int batch,
                           lft_arena *arena)
{
    lft_train_desc d;
    memset(&d, 0, sizeof d);
    d.batch = batch, d.estimator = estimator, d.seed = 4, d.steps = 12, d.guard_every = -1, d.slots = 3, d.rate = 0.02;
    S_(need)("training: a trainer", S_(trainer_init)(t, flow, theory, &d, arena), &flow->error);
}

/* The derivative of the loss of given draws by every parameter, against differences. */
static void S_(test_gradient)(const int *extent, int batch)
{
    lft_arena   arena = suite_arena();
    S_(flow)    flow;
    S_(trainer) t;
    S_(theory)  theory;
    lft_error   e;
    double      gradient[16], loss, plus, minus, worst = 0, largest = 0;
    const double step = sizeof(S_(real)) == 4 ? 2e-2 : 1e-3;
    size_t      k;
    S_(need)("gradient: a flow", S_(make)(&flow, extent, 2, 0.3, 0.4, suite_pool(2), &arena, &e), &e);
    S_(need)("gradient: a theory", S_(wilson_init)(&theory, 1.5, -0.1, &e), &e);
    S_(trainer_of)(&t, &flow, &theory, LFT_TOTAL_GRADIENT, batch, &arena);
    S_(need)("gradient: computed", S_(train_gradient)(&t, 7, &loss), &flow.error);
    memcpy(gradient, t.gradient, flow.params.count * sizeof(double));
    for (k = 0; k < flow.params.count; ++k) {
        const double value = flow.params.value[k];
        double       slope;
        flow.params.value[k] = value + step;
        S_(flow_prepare)(&flow);
        (void)S_(train_gradient)(&t, 7, &plus);
        flow.params.value[k] = value - step;
        S_(flow_prepare)(&flow);
        (void)S_(train_gradient)(&t, 7, &minus);
        flow.params.value[k] = value;
        slope   = (plus - minus) / (2 * step);
        worst   = fmax(worst, fabs(slope - gradient[k]));
        largest = fmax(largest, fabs(slope));
    }
    check_true("gradient: there is one", largest > 0.1);
    check_below("gradient: of the loss, by differences", worst, sizeof(S_(real)) == 4 ? 1e-2 : 1e-4 * largest);
}

/* At a flow that samples the theory exactly the path gradient vanishes sample by sample, and log w = 0; the total does not. */
static void S_(test_path)(const int *extent)
{
    lft_arena   arena = suite_arena(), mark;
    S_(flow)    flow;
    S_(trainer) t;
    S_(theory)  theory = S_(theory_of)(1, 0.35);
    lft_error   e;
    double      loss, path = 0, total = 0, logw = 0;
    size_t      k;
    int         i, mu;
    S_(need)("path: a flow", S_(make)(&flow, extent, 1, 0, 0, suite_pool(1), &arena, &e), &e);
    for (mu = 0; mu < SUITE_DIM; ++mu) flow.params.value[mu] = 0.35;
    S_(flow_prepare)(&flow);
    mark = arena;
    S_(trainer_of)(&t, &flow, &theory, LFT_PATH_GRADIENT, 3, &arena);
    S_(need)("path: computed", S_(train_gradient)(&t, 0, &loss), &flow.error);
    for (k = 0; k < flow.params.count; ++k) path = fmax(path, fabs(t.gradient[k]));
    for (i = 0; i < 3; ++i) logw = fmax(logw, fabs(t.logw[i]));
    arena = mark;
    S_(trainer_of)(&t, &flow, &theory, LFT_TOTAL_GRADIENT, 3, &arena);
    S_(need)("path: total", S_(train_gradient)(&t, 0, &loss), &flow.error);
    for (k = 0; k < flow.params.count; ++k) total = fmax(total, fabs(t.gradient[k]));
    check_below("path: log-weights of an exact flow", logw, 10 * S_(rounding));
    check_below("path: no variance at the optimum", path, 20 * S_(rounding));
    check_true("path: the total gradient has some", total > 1e-3);
    flow.params.value[0] = 0.2;
    S_(flow_prepare)(&flow);
    arena = mark;
    S_(trainer_of)(&t, &flow, &theory, LFT_PATH_GRADIENT, 3, &arena);
    S_(need)("path: off the optimum", S_(train_gradient)(&t, 0, &loss), &flow.error);
    check_true("path: points back to it", t.gradient[0] < -1e-3);
}

/* ---- models ---- */

static size_t S_(save)(S_(flow) *flow, const S_(trainer) *t, unsigned char *to, size_t size)
{
    lft_arena       scratch = lft_arena_of(more_memory, t ? S_(trainer_save_bytes)(t) : S_(model_bytes)(flow));
    S_(model_info)  info;
    S_(theory)      theory;
    lft_memory      m;
    lft_error       e;
    (void)S_(wilson_init)(&theory, 2.25, -0.125, NULL);
    S_(model_info_of)(&info, &theory);
    S_(need)("model: saved", t ? S_(trainer_save)(t, &info, lft_memory_writer(&m, to, size), scratch, &e)
                               : S_(model_save)(flow, &info, lft_memory_writer(&m, to, size), scratch, &e), &e);
    return m.at;
}

static lft_status S_(load)(const unsigned char *data, size_t size, S_(flow) *flow, S_(model_info) *info, lft_safetensors *doc,
                           lft_arena *arena, lft_error *e)
{
    const S_(layer_ops) *own[2] = {&S_(kick), NULL};
    S_(flow_desc)        d;
    lft_memory           m;
    lft_status           status = lft_safetensors_load(lft_memory_reader(&m, data, size), arena, doc, e);
    if (!status) status = S_(model_desc)(doc, own, &d, info, arena, e);
    if (!status) status = S_(flow_init)(flow, &d, arena, e);
    if (!status) status = S_(model_restore)(flow, doc, e);
    return status;
}

static void S_(test_model)(const int *extent)
{
    static double    before[9], after[9];
    lft_arena        arena = suite_arena(), mark;
    lft_safetensors  doc;
    S_(flow)         flow;
    S_(flow_desc)    d;
    S_(model_info)   info;
    S_(batch)        x;
    lft_error        e;
    size_t           size;
    double          *spec;
    memset(&x, 0, sizeof x);
    S_(need)("model: a flow", S_(make)(&flow, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e), &e);
    S_(need)("model: a batch", S_(batch_init)(&x, &flow.lattice, 9, &arena, &e), &e);
    S_(need)("model: samples", S_(flow_sample)(&flow, 2, 0, &x, before), &flow.error);
    size  = S_(save)(&flow, NULL, file, sizeof file);
    arena = mark = suite_arena();
    memset(memory, 0xa5, sizeof memory);
    S_(need)("model: loaded", S_(load)(file, size, &flow, &info, &doc, &arena, &e), &e);
    S_(need)("model: a batch", S_(batch_init)(&x, &flow.lattice, 9, &arena, &e), &e);
    S_(need)("model: samples", S_(flow_sample)(&flow, 2, 0, &x, after), &flow.error);
    check_true("model: log q, bit for bit", !memcmp(before, after, sizeof before));
    check_true("model: theory", !strcmp(info.theory, "wilson") && info.couplings == 2 &&
                                    !strcmp(info.coupling_name[0], "beta") && !strcmp(info.coupling_name[1], "c1"));
    check_true("model: couplings", info.coupling[0] == 2.25 && info.coupling[1] == -0.125);
    check_true("model: prior", !strcmp(lft_safetensors_meta(&doc, "prior"), "haar"));
    spec    = (double *)(uintptr_t)lft_safetensors_find(&doc, "prior.spec")->data;
    check_true("model: prior.spec", spec[0] == 3 && spec[1] == 0);
    spec[0] = 1;
    check_true("model: another prior is refused", S_(model_desc)(&doc, NULL, &d, NULL, &arena, &e) == LFT_ERR_FORMAT &&
                                                      strstr(e.text, "'prior.spec': expected 3 (Haar) or 4 (heat bath)"));
    check_true("model: and by restore", S_(model_restore)(&flow, &doc, &e) == LFT_ERR_FORMAT && strstr(e.text, "3 (Haar)"));
    spec[0] = 3;
    check_true("model: an unknown layer is refused", S_(model_desc)(&doc, NULL, &d, NULL, &arena, &e) == LFT_ERR_MISMATCH &&
                                                         strstr(e.text, "'kick'"));
}

/* Training that stops after a save and goes on is training that did not stop. */
static void S_(test_resume)(const int *extent)
{
    static double   straight[16];
    lft_arena       arena = suite_arena();
    lft_safetensors doc;
    S_(model_info)  info;
    S_(flow)        flow;
    S_(trainer)     t;
    S_(theory)      theory = S_(theory_of)(0, 0.7);
    lft_train_desc  d;
    lft_error       e;
    lft_status      status = LFT_OK;
    size_t          size = 0, count;
    double          moved;
    S_(need)("resume: a flow", S_(make)(&flow, extent, 1, 0, 0, suite_pool(2), &arena, &e), &e);
    S_(trainer_of)(&t, &flow, &theory, LFT_PATH_GRADIENT, 5, &arena);
    while (t.step < 12 && !status) {
        if (t.step == 5) size = S_(save)(&flow, &t, file, sizeof file);
        status = S_(train_step)(&t);
    }
    S_(need)("resume: straight", status, &flow.error);
    count = flow.params.count;
    memcpy(straight, flow.params.value, count * sizeof(double));
    moved = fabs(straight[0]);
    arena = suite_arena();
    memset(memory, 0xa5, sizeof memory);
    S_(need)("resume: loaded", S_(load)(file, size, &flow, &info, &doc, &arena, &e), &e);
    S_(need)("resume: desc", S_(trainer_desc)(&doc, &d, &e), &e);
    S_(need)("resume: trainer", S_(trainer_init)(&t, &flow, &theory, &d, &arena), &flow.error);
    S_(need)("resume: resumed", S_(trainer_resume)(&t, &doc), &flow.error);
    check_true("resume: at step 5, elsewhere", t.step == 5 && flow.params.value[0] != straight[0]);
    S_(need)("resume: to the end", S_(train_rest)(&t), &flow.error);
    check_true("resume: bit for bit", t.step == 12 && moved > 0.01 && !memcmp(straight, flow.params.value, count * sizeof(double)));
}

/* ---- other extents, other couplings ---- */

static void S_(test_transfer)(const int *extent)
{
    lft_arena arena = suite_arena(), scratch = lft_arena_of(more_memory, sizeof more_memory);
    S_(flow)  from, to;
    lft_error e;
    int       other[4] = {2, 2, 1, 1};
    S_(need)("transfer: a flow", S_(make)(&from, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e), &e);
    S_(need)("transfer: another", S_(make)(&to, other, 2, 0, 0, suite_pool(1), &scratch, &e), &e);
    S_(need)("transfer", S_(flow_transfer)(&to, &from), &to.error);
    check_true("transfer: the parameters", from.params.count == to.params.count &&
                                               !memcmp(from.params.value, to.params.value, to.params.count * sizeof(double)));
    S_(need)("transfer: a shorter one", S_(make)(&to, other, 1, 0, 0, suite_pool(1), &scratch, &e), &e);
    check_true("transfer: refused", S_(flow_transfer)(&to, &from) == LFT_ERR_MISMATCH);
}

/* ---- the theory of a pullback ---- */

static void S_(test_pullback)(const int *extent)
{
    lft_arena    arena = suite_arena(), small;
    S_(flow)     flow;
    S_(theory)   theory;
    S_(pullback) p;
    S_(batch)    z, moved, x, force;
    lft_error    e;
    static double S[300], base[300], logdet[300];
    static S_(real) u[2000], f[2000];
    const double step = sizeof(S_(real)) == 4 ? 1e-2 : 1e-4;
    int          n, i;
    double       worst = 0, largest = 0;
    memset(&z, 0, sizeof z), memset(&moved, 0, sizeof z), memset(&x, 0, sizeof z), memset(&force, 0, sizeof z);
    S_(need)("pullback: a flow", S_(make)(&flow, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e), &e);
    S_(need)("pullback: a theory", S_(wilson_init)(&theory, 1.5, 0, &e), &e);
    small = lft_arena_of(more_memory, S_(pullback_bytes)(&flow) / 2);
    check_true("pullback: half of pullback_bytes", S_(pullback_init)(&p, &flow, &theory, &small) == LFT_ERR_NOMEM);
    S_(need)("pullback", S_(pullback_init)(&p, &flow, &theory, &arena), &flow.error);
    n = flow.lattice.volume * SUITE_DIM * kick_algebra;
    S_(need)("pullback: batches", S_(batch_init)(&z, &flow.lattice, 1, &arena, &e), &e);
    S_(need)("pullback: batches", S_(batch_init)(&moved, &flow.lattice, 2 * n, &arena, &e), &e);
    S_(need)("pullback: batches", S_(batch_init)(&x, &flow.lattice, 2 * n, &arena, &e), &e);
    S_(need)("pullback: batches", S_(momenta_init)(&force, &flow.lattice, 1, &arena, &e), &e);
    (void)S_(flow_sample)(&flow, 8, 0, &z, S);
    S_(batch_get)(&z, 0, u);
    for (i = 0; i < 2 * n; ++i) {
        S_(batch_set)(&moved, i, u);
        S_(moved)(&moved, i, i / 2 / kick_algebra, i / 2 % kick_algebra, i % 2 ? -step : step);
    }
    S_(action)(&p.theory, &moved, S);
    S_(force)(&p.theory, &z, &force);
    S_(batch_get)(&force, 0, f);
    for (i = 0; i < n; ++i) {
        const double slope = (S[2 * i] - S[2 * i + 1]) / (2 * step);
        worst   = fmax(worst, fabs(slope + (double)f[i]));
        largest = fmax(largest, fabs(slope));
    }
    check_true("pullback: there is a force", largest > 0.1);
    check_below("pullback: the force, by differences", worst, sizeof(S_(real)) == 4 ? 1e-2 : 1e-6);
    S_(need)("pullback: mapped", S_(pullback_map)(&p, &moved, &x), &flow.error);
    S_(action)(&theory, &x, base);
    S_(need)("pullback: by flow_map", S_(flow_map)(&flow, &moved, &moved, logdet), &flow.error);
    for (worst = 0, i = 0; i < 2 * n; ++i) worst = fmax(worst, fabs(S[i] - (base[i] - logdet[i])));
    check_below("pullback: S' = S - log det", worst, 10 * S_(rounding));
}

static void S_(suite)(const int *extent, int batch)
{
    printf("---- %s\n", SUITE_NAME);
    kick_use(SUITE_COLOURS);
    S_(test_desc)(extent);
    S_(test_samples)(extent);
    S_(test_jacobian)(extent);
    S_(test_inverse)(extent);
    S_(test_gradient)(extent, batch);
    S_(test_path)(extent);
    S_(test_model)(extent);
    S_(test_resume)(extent);
    S_(test_transfer)(extent);
    S_(test_pullback)(extent);
}

#undef S_
#undef SUITE
#undef SUITE_NAME
#undef SUITE_COLOURS
#undef SUITE_DIM
