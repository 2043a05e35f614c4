/* test_training.c: gradients of the loss, Adam and the schedules, what a training does when numbers are not finite, the
 * same bits from the same seed; and the guard against the integrator's error, which bites. */
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  t2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#include "../instance.h"
#define LFT_NAME  t1
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   1
#include "../instance.h"

enum { ARENA = 16 << 20, PARAMETERS = 2000 };

static unsigned char memory[ARENA], more[ARENA];

/* A flow in two dimensions with every kind of parameter, away from its start. */
static t2_flow   flow;
static t2_theory theory;
static lft_arena arena; /* behind the flow */

static void make_flow(int layers, int extent, int steps, lft_pool pool)
{
    static const t2_continuous_desc first  = {2, 1, 1, 1, LFT_TIME_COSINE, 2, 4, 16};
    static const t2_continuous_desc second = {2, -1, 2, -1, LFT_TIME_HAT, 3, 4, 16};
    static t2_layer_desc            list[2];
    t2_flow_desc                    desc;
    lft_error                       error;
    double                          noise[PARAMETERS];
    size_t                          i;
    memset(&desc, 0, sizeof desc);
    list[0].ops = list[1].ops = t2_continuous();
    list[0].desc              = &first;
    list[1].desc              = &second;
    desc.layer                = list;
    desc.layers               = layers;
    desc.extent[0] = desc.extent[1] = extent;
    desc.pool                       = pool;
    arena                           = lft_arena_of(memory, sizeof memory);
    if (t2_flow_init(&flow, &desc, &arena, &error) || flow.params.count > PARAMETERS) {
        printf("no flow: %s\n", error.text);
        exit(1);
    }
    lft_normals(lft_draw_of(1, LFT_DRAW_USER, 0, 0), noise, (int)flow.params.count);
    for (i = 0; i < flow.params.count; ++i) flow.params.value[i] += 0.1 * noise[i];
    t2_flow_refine(&flow, steps);
    t2_phi4_init(&theory, -1, 1.5, NULL);
}

static lft_pool serial(void)
{
    lft_pool pool = {0, 0, 0};
    return pool;
}

static lft_train_desc training(int batch, lft_estimator estimator)
{
    lft_train_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.batch       = batch;
    desc.estimator   = estimator;
    desc.guard_every = -1;
    desc.seed        = 3;
    desc.steps       = 20;
    return desc;
}

/* A trainer of the flow, behind it. */
static t2_trainer make_trainer(const lft_train_desc *desc)
{
    t2_trainer trainer;
    lft_arena  after = arena;
    if (t2_trainer_init(&trainer, &flow, &theory, desc, &after)) {
        printf("no trainer: %s\n", flow.error.text);
        exit(1);
    }
    return trainer;
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* d loss / d parameter i of the same draws, by central differences of fourth order */
static double slope(t2_trainer *t, size_t i)
{
    const double keep = flow.params.value[i], step = 2.5e-4, at[4] = {-2, -1, 1, 2};
    double       f[4];
    int          k;
    for (k = 0; k < 4; ++k) {
        flow.params.value[i] = keep + step * at[k];
        t2_flow_prepare(&flow);
        t2_train_gradient(t, 100, &f[k]);
    }
    flow.params.value[i] = keep;
    t2_flow_prepare(&flow);
    return (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * step);
}

static void test_total_gradient(int layers)
{
    lft_train_desc desc = training(t2_lanes() + 3, LFT_TOTAL_GRADIENT);
    double         g[PARAMETERS], loss = 0, sum = 0;
    char           name[100];
    t2_trainer     t;
    int            k, i;
    make_flow(layers, 3, 4, serial());
    t = make_trainer(&desc);
    check_true("train_gradient", t2_train_gradient(&t, 100, &loss) == LFT_OK);
    for (i = 0; i < desc.batch; ++i) sum -= t.logw[i] / desc.batch;
    check_below("loss - mean of log q + S", loss - sum, 1e-13);
    memcpy(g, t.gradient, flow.params.count * sizeof(double));
    for (k = 0; k < flow.params.tensors; ++k) {
        const lft_parameter *p = flow.params.list + k;
        double               size = test_largest(g + p->offset, p->count), worst = 0;
        size_t               n = p->count < 12 ? p->count : 12, j;
        for (j = 0; j < n; ++j) {
            const size_t at = p->offset + (n == 1 ? 0 : j * (p->count - 1) / (n - 1));
            worst           = fmax(worst, fabs(slope(&t, at) - g[at]));
        }
        if (!p->count) continue;
        snprintf(name, sizeof name, "%d layer(s), total gradient of %s - numerical (of %.1e)", layers, p->name, size);
        check_below(name, worst / (size + 1e-3), 5e-8);
    }
}

/* The two estimators differ by a mean of zero: the expectation of the score, and O(h^4). */
static void test_path_gradient(void)
{
    enum { BLOCKS = 150 };
    lft_train_desc desc = training(64, LFT_PATH_GRADIENT), other = training(64, LFT_TOTAL_GRADIENT);
    static double  mean[PARAMETERS], square[PARAMETERS], path[PARAMETERS];
    double         loss[2] = {0, 0}, worst = 0, chi2 = 0, same = 0, difference;
    t2_trainer     t;
    size_t         i, n;
    int            block;
    make_flow(1, 2, 16, serial());
    n = flow.params.count;
    for (block = 0; block < BLOCKS; ++block) {
        t = make_trainer(&desc);
        t2_train_gradient(&t, (uint64_t)(30000 + 64 * block), &loss[0]);
        memcpy(path, t.gradient, n * sizeof(double));
        t = make_trainer(&other);
        t2_train_gradient(&t, (uint64_t)(30000 + 64 * block), &loss[1]);
        same = fmax(same, fabs(loss[0] - loss[1]));
        for (i = 0; i < n; ++i) {
            difference = path[i] - t.gradient[i];
            mean[i] += difference / BLOCKS;
            square[i] += difference * difference / BLOCKS;
        }
    }
    for (i = 0; i < n; ++i) {
        const double variance = (square[i] - mean[i] * mean[i]) / (BLOCKS - 1), pull = mean[i] / sqrt(variance);
        worst                 = fmax(worst, fabs(pull));
        chi2 += pull * pull / (double)n;
    }
    check_below("loss of both estimators", same, 1e-12);
    check_below("path - total gradient: the largest pull of its mean", worst, 4);
    check_below("path - total gradient: mean of pull^2 (they are correlated)", chi2, 3);
}

static void test_accumulation(void)
{
    lft_train_desc desc = training(16, LFT_TOTAL_GRADIENT);
    static double  parts[PARAMETERS];
    t2_trainer     t;
    size_t         n;
    double         norm;
    desc.accumulate = 4;
    desc.clip       = -1;
    make_flow(1, 2, 4, serial());
    n = flow.params.count;
    t = make_trainer(&desc);
    t2_train_step(&t);
    memcpy(parts, t.gradient, n * sizeof(double));
    norm            = t.report.norm;
    desc.batch      = 64;
    desc.accumulate = 1;
    make_flow(1, 2, 4, serial());
    t = make_trainer(&desc);
    t2_train_step(&t);
    check_below("4 x 16 samples - 64 samples", test_apart(parts, t.gradient, n) / test_largest(t.gradient, n), 1e-13);
    check_near("norm", norm, t.report.norm, 1e-12 * norm);
    desc.clip = norm / 3;
    make_flow(1, 2, 4, serial());
    t = make_trainer(&desc);
    t2_train_step(&t);
    check_near("norm before clipping", t.report.norm, norm, 1e-12 * norm);
    check_near("norm after clipping", lft_clip_norm(t.gradient, n, 0), norm / 3, 1e-12 * norm);
    for (n = 0; n < flow.params.count; ++n) parts[n] -= 3 * t.gradient[n];
    check_below("clipping keeps the direction", test_largest(parts, flow.params.count), 1e-12 * norm);
}

/* ---- the optimiser ----------------------------------------------------------------------------------------------- */

static void test_adam(void)
{
    enum { N = 5, STEPS = 40 };
    const double rate[2] = {0.02, 0.005}, pace[N] = {1, 0.5, 0.1, 2, 0}, beta1 = 0.8, beta2 = 0.95;
    double       value[N] = {1, -2, 3, 0.5, 7}, expected[N], m[N] = {0}, v[N] = {0}, g[N], worst = 0;
    lft_arena    a = lft_arena_of(more, sizeof more);
    lft_adam     adam;
    int          i, k;
    memcpy(expected, value, sizeof value);
    check_true("adam: init", lft_adam_init(&adam, N, beta1, beta2, 0, &a, NULL) == LFT_OK);
    for (k = 1; k <= STEPS; ++k) {
        for (i = 0; i < N; ++i) g[i] = i == 3 ? 0 : sin(k * (i + 1)) * pow(10, 2 * i - 4) + value[i];
        lft_adam_step(&adam, value, g, rate[k % 2], pace);
        for (i = 0; i < N; ++i) {
            m[i] = beta1 * m[i] + (1 - beta1) * g[i];
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
            expected[i] -= rate[k % 2] * pace[i] * m[i] / (1 - pow(beta1, k)) /
                           (sqrt(v[i] / (1 - pow(beta2, k))) + 1e-8);
        }
        worst = fmax(worst, test_apart(value, expected, N));
    }
    check_below("adam - the formulas of the paper, 40 steps", worst, 1e-13);
    check_true("adam: counts its steps", adam.step == STEPS);
    check_near("adam: without a gradient nothing moves", value[3], 0.5, 0);
    check_near("adam: nor without a pace", value[4], 7, 0);
    lft_adam_init(&adam, N, 0, 0, 0, &a, NULL);
    check_true("adam: defaults", fabs(adam.beta1 - 0.9) + fabs(adam.beta2 - 0.999) + fabs(adam.epsilon - 1e-8) < 1e-17);
    g[0] = 1e-3, value[0] = 0;
    lft_adam_step(&adam, value, g, 0.5, NULL);
    check_near("adam: the first step has the length of the rate", value[0], -0.5, 1e-5);
}

static void test_schedules(void)
{
    lft_schedule s;
    s.from = 0.1, s.to = 0.001, s.warmup = 0, s.steps = 101;
    s.kind = LFT_SCHEDULE_COSINE;
    check_near("cosine: first", lft_rate(&s, 0), 0.1, 1e-16);
    check_near("cosine: middle", lft_rate(&s, 50), 0.0505, 1e-15);
    check_near("cosine: a quarter", lft_rate(&s, 25), 0.001 + 0.099 * 0.5 * (1 + sqrt(0.5)), 1e-15);
    check_near("cosine: last", lft_rate(&s, 100), 0.001, 1e-16);
    check_near("cosine: beyond", lft_rate(&s, 1000), 0.001, 1e-16);
    s.kind = LFT_SCHEDULE_EXPONENTIAL;
    check_near("exponential: first", lft_rate(&s, 0), 0.1, 1e-16);
    check_near("exponential: middle", lft_rate(&s, 50), 0.01, 1e-16);
    check_near("exponential: last", lft_rate(&s, 100), 0.001, 1e-16);
    s.kind = LFT_SCHEDULE_LINEAR;
    check_near("linear: first", lft_rate(&s, 0), 0.1, 1e-16);
    check_near("linear: a quarter", lft_rate(&s, 25), 0.07525, 1e-16);
    check_near("linear: last", lft_rate(&s, 100), 0.001, 1e-16);
    s.kind   = LFT_SCHEDULE_CONSTANT;
    s.warmup = 10;
    check_near("warm-up: first", lft_rate(&s, 0), 0.01, 1e-16);
    check_near("warm-up: half", lft_rate(&s, 4), 0.05, 1e-16);
    check_near("warm-up: its last", lft_rate(&s, 9), 0.1, 1e-16);
    check_near("constant: last", lft_rate(&s, 100), 0.1, 1e-16);
    s.steps = 1, s.warmup = 0;
    check_near("one step", lft_rate(&s, 0), 0.1, 1e-16);
}

/* ---- trainings --------------------------------------------------------------------------------------------------- */

typedef struct watch {
    double            value[PARAMETERS], m[PARAMETERS], v[PARAMETERS]; /* parameters and their moments at step `keep` */
    double            rate[64];                                        /* the rates that were reported */
    uint64_t          keep, stop, calls;
    const t2_trainer *trainer; /* for the moments, or NULL */
} watch;

static int report(void *user, const lft_train_report *r)
{
    watch *w = (watch *)user;
    if (r->step == w->keep) {
        memcpy(w->value, flow.params.value, flow.params.count * sizeof(double));
        if (w->trainer) memcpy(w->m, w->trainer->adam.m, flow.params.count * sizeof(double));
        if (w->trainer) memcpy(w->v, w->trainer->adam.v, flow.params.count * sizeof(double));
    }
    if (w->calls < 64) w->rate[w->calls] = r->rate;
    w->calls += 1;
    return w->stop && w->calls == w->stop;
}

static void test_report(void)
{
    lft_train_desc desc = training(16, LFT_PATH_GRADIENT);
    lft_schedule   s;
    static watch   w;
    double         worst = 0;
    uint64_t       i;
    t2_trainer     t;
    memset(&w, 0, sizeof w);
    memset(&s, 0, sizeof s);
    desc.report = report, desc.user = &w;
    desc.rate   = 0.01, desc.last_rate = 0.002, desc.warmup = 5;
    w.keep      = w.stop = 7;
    make_flow(1, 2, 4, serial());
    t = make_trainer(&desc);
    check_true("the callback stops", t2_train_rest(&t) == LFT_STOPPED && w.calls == 7 && t.step == 7);
    check_true("after the step that it was told about", test_apart(w.value, flow.params.value, flow.params.count) <= 0);
    w.stop = 0;
    check_true("and it goes on", t2_train_rest(&t) == LFT_OK && w.calls == 20 && t.step == 20);
    s.from = 0.01, s.to = 0.002, s.steps = 20, s.warmup = 5;
    for (i = 0; i < 20; ++i) worst = fmax(worst, fabs(w.rate[i] - lft_rate(&s, i)));
    check_below("rates - those of the schedule", worst, 1e-17);
    check_true("there is nothing left to do", t2_train_rest(&t) == LFT_OK && w.calls == 20);
}

/* An action that is NaN for the calls number `from` ... `to` - 1. */
typedef struct poison {
    t2_theory inner;
    long      calls, from, to;
    int       gradient; /* poisons dS instead of S */
} poison;

static void poisoned(const t2_theory *th, const t2_lattice *lattice, const t2_real *phi, double *S, t2_real *dS)
{
    poison        *p    = (poison *)th->user;
    const uint64_t bits = p->gradient ? 0x7ff8000000000000u : 0x7ff0000000000000u; /* NaN, infinity: not to be folded */
    double         bad;
    memcpy(&bad, &bits, sizeof bad);
    p->inner.action(&p->inner, lattice, phi, S, dS);
    if (p->calls >= p->from && p->calls < p->to) {
        if (p->gradient) dS[0] = bad;
        else S[0] = bad;
    }
    p->calls += 1;
}

/* Steps of one group each, so that calls are steps; the guard marks the state at 5 and 10 as good. */
static void test_roll_back(int gradient)
{
    lft_train_desc desc = training(t2_lanes(), LFT_PATH_GRADIENT);
    static watch   w;
    poison         p;
    t2_trainer     t;
    memset(&w, 0, sizeof w);
    memset(&p, 0, sizeof p);
    make_flow(1, 2, 8, serial());
    p.inner          = theory;
    p.from           = 12;
    p.to             = 13;
    p.gradient       = gradient;
    theory.action    = poisoned;
    theory.user      = &p;
    desc.guard_every = 5;
    desc.guard_mean = desc.guard_std = 1e3;
    desc.report = report, desc.user = &w;
    desc.schedule = LFT_SCHEDULE_CONSTANT;
    desc.rate = desc.last_rate = 1e-3;
    desc.warmup = 1;
    w.keep = 10, w.stop = 12;
    w.trainer = &t;
    t         = make_trainer(&desc);
    check_true("twelve steps", t2_train_rest(&t) == LFT_STOPPED);
    w.keep = w.trainer->step + 100, w.stop = 13; /* the state of step 10 is kept */
    check_true("not finite in step 13: no error", t2_train_rest(&t) == LFT_STOPPED);
    check_true("back at step 10, once", t.step == 10 && t.report.rolled_back == 1 && t.adam.step == 10);
    check_true("with the parameters of step 10", test_apart(w.value, flow.params.value, flow.params.count) <= 0);
    check_below("and its first moments", test_apart(w.m, t.adam.m, flow.params.count), 0);
    check_below("and its second moments", test_apart(w.v, t.adam.v, flow.params.count), 0);
    w.stop = 0;
    check_true("and on to the end", t2_train_rest(&t) == LFT_OK && t.step == 20 && t.report.rolled_back == 1);
    check_near("at half the rate", w.rate[14], 0.5e-3, 1e-18);
    check_true("with numbers", lft_finite(test_largest(flow.params.value, flow.params.count)));

    make_flow(1, 2, 8, serial());
    memset(&w, 0, sizeof w);
    theory.action = poisoned, theory.user = &p;
    p.calls       = 0;
    p.to          = 1000000;
    w.keep        = 10;
    t             = make_trainer(&desc);
    check_true("never finite again: an error", t2_train_rest(&t) == LFT_ERR_NOCONV);
    check_true("that says so", strstr(flow.error.text, "not finite") != NULL);
    check_true("and leaves the last good parameters",
               t.step == 10 && test_apart(w.value, flow.params.value, flow.params.count) <= 0);
}

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

static void turns(void *user, int tasks, lft_task task, void *context)
{
    const int threads = *(int *)user;
    int       i;
    for (i = tasks - 1; i >= 0; --i) task(context, i, (tasks - i) % threads);
}

static void test_same_bits(void)
{
    static double  value[PARAMETERS], logw[64];
    lft_train_desc desc = training(3 * t2_lanes() + 1 < 64 ? 3 * t2_lanes() + 1 : 64, LFT_PATH_GRADIENT);
    lft_arena      scratch;
    t2_trainer     t, second;
    lft_pool       pool;
    size_t         n, bytes, i;
    double         worst = 0;
    int            k, threads;
    desc.guard_every = 5;
    desc.steps       = 12;
    desc.slots       = 3;
    make_flow(2, 3, 4, serial());
    n = flow.params.count;
    t = make_trainer(&desc);
    check_true("a training", t2_train_rest(&t) == LFT_OK && t.step == 12);
    memcpy(value, flow.params.value, n * sizeof(double));
    memcpy(logw, t.logw, (size_t)desc.batch * sizeof(double));

    make_flow(2, 3, 4, serial());
    check_true("train", t2_train(&flow, &theory, &desc, arena) == LFT_OK);
    check_below("train - trainer", test_apart(value, flow.params.value, n), 0);

    for (threads = 1; threads <= 4; ++threads) { /* the last one is OpenMP */
        pool.run = turns, pool.user = &threads, pool.threads = threads;
        make_flow(2, 3, 4, threads < 4 ? pool : lft_pool_openmp(2));
        t = make_trainer(&desc);
        if (t2_train_rest(&t)) worst = 1e300;
        worst = fmax(worst, test_apart(value, flow.params.value, n) + test_apart(logw, t.logw, (size_t)desc.batch));
    }
    check_below("1, 2, 3 threads", worst, 0);

    /* stopped after 7 steps, and its state moved into another trainer */
    make_flow(2, 3, 4, serial());
    scratch = arena;
    t2_trainer_init(&t, &flow, &theory, &desc, &scratch);
    for (k = 0; k < 7; ++k) t2_train_step(&t);
    t2_trainer_init(&second, &flow, &theory, &desc, &scratch);
    memcpy(second.adam.m, t.adam.m, n * sizeof(double));
    memcpy(second.adam.v, t.adam.v, n * sizeof(double));
    second.adam.step = t.adam.step;
    second.step      = t.step;
    memset(t.adam.m, 0xff, n * sizeof(double));
    memset(t.gradient, 0xff, n * sizeof(double));
    check_true("a training that goes on", t2_train_rest(&second) == LFT_OK);
    check_below("goes on as if nothing had been", test_apart(value, flow.params.value, n), 0);

    /* in exactly its bytes, and nothing behind */
    make_flow(2, 3, 4, serial());
    bytes = t2_trainer_bytes(&flow, &desc);
    memset(more, 0xa5, bytes + 4096);
    scratch = lft_arena_of(more, bytes);
    check_true("in the bytes of the query", t2_trainer_init(&t, &flow, &theory, &desc, &scratch) == LFT_OK);
    for (i = 0; i < 4096; ++i) more[bytes + i] = 0xa5;
    n = arena.need;
    for (i = 0; i < 4096; ++i) memory[n + i] = 0xa5;
    check_true("a training there", t2_train_rest(&t) == LFT_OK);
    for (k = 0, i = 0; i < 4096; ++i) k += (more[bytes + i] != 0xa5) + (memory[n + i] != 0xa5);
    check_near("bytes that it wrote outside", k, 0, 0);
    desc.seed += 1;
    make_flow(2, 3, 4, serial());
    t2_train(&flow, &theory, &desc, arena);
    check_true("another seed, other parameters", test_apart(value, flow.params.value, flow.params.count) > 1e-6);
}

static void test_arguments(void)
{
    lft_train_desc desc = training(16, LFT_PATH_GRADIENT), bad;
    t2_trainer     t;
    lft_arena      a;
    int            k, refused = 0;
    make_flow(1, 2, 4, serial());
    for (k = 0; k < 5; ++k) {
        bad = desc;
        if (k == 0) bad.batch = -1;
        if (k == 1) bad.accumulate = -1;
        if (k == 2) bad.slots = -1;
        if (k == 3) bad.guard_samples = -1;
        if (k == 4) bad.rate = HUGE_VAL;
        a = arena;
        memset(&flow.error, 0, sizeof flow.error);
        refused += t2_trainer_init(&t, &flow, &theory, &bad, &a) == LFT_ERR_ARG && flow.error.code == LFT_ERR_ARG &&
                   strstr(flow.error.text, "train") != NULL;
    }
    check_near("descs that are refused", refused, 5, 0);
}

/* ---- the guard bites --------------------------------------------------------------------------------------------- */

/* log Z of the ring of 8 sites, m2 = -2, lambda = 4: exact by transfer matrix (physics.md) */
#define RING 2.485955968116

typedef struct outcome {
    lft_status     status;
    lft_weights    w;
    lft_logq_error epsilon;
    t1_trainer     trainer;
} outcome;

static double corrected_error(const outcome *r)
{
    return sqrt(r->w.logz_error * r->w.logz_error + r->epsilon.mean_error * r->epsilon.mean_error);
}

static outcome train_ring(int steps, double rate, int guard_every)
{
    enum { N = 40000, BATCH = 1000 };
    static double   logw[N], S[BATCH];
    static t1_flow  ring;
    t1_flow_desc    desc;
    t1_theory       phi4;
    t1_batch        x;
    lft_train_desc  train = training(128, LFT_TOTAL_GRADIENT);
    lft_arena       a = lft_arena_of(memory, sizeof memory);
    outcome         r;
    int             i, k;
    memset(&desc, 0, sizeof desc);
    memset(&r, 0, sizeof r);
    desc.extent[0]             = 8;
    desc.continuous.gates      = -1;
    desc.continuous.zeros      = -1;
    desc.continuous.steps      = steps;
    desc.continuous.most_steps = 64;
    t1_phi4_init(&phi4, -2, 4, NULL);
    train.steps       = 600;
    train.rate        = rate;
    train.last_rate   = rate / 100;
    train.guard_every = guard_every;
    train.clip        = -1;
    r.status          = t1_flow_init(&ring, &desc, &a, NULL);
    if (!r.status) r.status = t1_trainer_init(&r.trainer, &ring, &phi4, &train, &a);
    if (!r.status) r.status = t1_train_rest(&r.trainer);
    if (!r.status) r.status = t1_batch_init(&x, &ring.lattice, BATCH, &a, NULL);
    for (i = 0; i < N && !r.status; i += BATCH) {
        r.status = t1_flow_sample(&ring, 77, (uint64_t)i, &x, logw + i);
        t1_action(&phi4, &x, S);
        for (k = 0; k < BATCH; ++k) logw[i + k] = -S[k] - logw[i + k];
    }
    r.w = lft_weigh(logw, N);
    if (!r.status) r.status = t1_flow_logq_error(&ring, 78, 0, 64, &r.epsilon, a);
    printf("%d steps, rate %g, guard %d: ESS %.4f, log Z %.4f(%.4f), epsilon %.1e +- %.1e; %d steps, %d roll-backs\n",
           steps, rate, guard_every, r.w.ess, r.w.logz, r.w.logz_error, r.epsilon.mean, r.epsilon.std,
           ring.layer[0].steps, r.trainer.report.rolled_back);
    return r;
}

static void test_guard(void)
{
    outcome r = train_ring(4, 0.003, -1);
    check_true("no guard: the training ends", r.status == LFT_OK);
    check_true("no guard: its ESS looks good", r.w.ess > 0.95);
    check_true("no guard: log Z is wrong by more than 50 sigma", (r.w.logz - RING) / r.w.logz_error > 50);
    check_true("no guard: epsilon says so", r.epsilon.mean < -0.05);
    check_sigma("no guard: log Z, corrected", r.w.logz + r.epsilon.mean, RING, corrected_error(&r));
    r = train_ring(4, 0.003, 50);
    check_true("guard: the training ends", r.status == LFT_OK);
    check_true("guard: ESS", r.w.ess > 0.95);
    check_true("guard: it refined the steps", r.trainer.report.refined > 0);
    check_below("guard: mean of epsilon", r.epsilon.mean, 1e-2);
    check_below("guard: std of epsilon", r.epsilon.std, 1e-3);
    check_near("guard: log Z within the bound on epsilon", r.w.logz, RING, 1e-2);
    check_sigma("guard: log Z, corrected", r.w.logz + r.epsilon.mean, RING, corrected_error(&r));
    r = train_ring(2, 0.05, 20); /* a rate at which a few steps are enough to leave */
    check_true("guard, far too fast: the training ends", r.status == LFT_OK);
    check_true("guard, far too fast: ESS", r.w.ess > 0.95);
    check_below("guard, far too fast: mean of epsilon", r.epsilon.mean, 1e-2);
    check_sigma("guard, far too fast: log Z, corrected", r.w.logz + r.epsilon.mean, RING, corrected_error(&r));
}

int main(void)
{
    test_total_gradient(1);
    test_total_gradient(2);
    test_path_gradient();
    test_accumulation();
    test_adam();
    test_schedules();
    test_report();
    test_roll_back(0);
    test_roll_back(1);
    test_same_bits();
    test_arguments();
    test_guard();
    return test_end();
}
