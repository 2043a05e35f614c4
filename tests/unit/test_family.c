/* test_family.c: families of flows: what they are at given couplings, their gradient, training over a box of couplings against
 * exact partition functions, files. */
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  w1
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   1
#define LFT_REAL  LFT_F64
#include "../instance.h"
#define LFT_NAME  w2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F64
#include "../instance.h"

static unsigned char memory[48 << 20], more[32 << 20], file[4 << 20];

static void shake(lft_parameters *set, double size)
{
    double *noise = (double *)malloc(set->count * sizeof(double));
    size_t  i;
    lft_normals(lft_draw_of(9, LFT_DRAW_USER, 0, 0), noise, (int)set->count);
    for (i = 0; i < set->count; ++i) set->value[i] += size * noise[i] * set->pace[i];
    free(noise);
}

/* m2 and lambda vary, with degree 2: 1, c0, c0^2, c1, c0 c1, c1^2 in some order. */
static w2_flow_desc box(int extent, int degree)
{
    w2_flow_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.extent[0] = desc.extent[1] = extent;
    desc.continuous.sines = 3, desc.continuous.gates = 1, desc.continuous.nodes = 2, desc.continuous.zeros = 1;
    desc.continuous.steps = 4;
    desc.family.degree    = degree;
    desc.family.couplings = 2;
    desc.family.low[0] = -2, desc.family.high[0] = 0;
    desc.family.low[1] = 3, desc.family.high[1] = 7;
    return desc;
}

static double chebyshev(int n, double c)
{
    return cos(n * acos(c));
}

/* The degrees of the six terms, found by their values: sums over the terms tell them from any other six. */
static void test_terms(void)
{
    const lft_family f = box(4, 2).family;
    const double     at[2] = {-0.3, 6.1}, c0 = 0.7, c1 = 0.55;
    double           weight[6], sum = 0, squares = 0, all = 0, all_squares = 0, w;
    lft_family       line = f, none = f;
    int              i, j;
    lft_p_family_weights(&f, at, weight);
    for (i = 0; i <= 2; ++i) {
        for (j = 0; i + j <= 2; ++j) {
            w = chebyshev(i, c0) * chebyshev(j, c1);
            all += w;
            all_squares += w * w;
        }
    }
    for (i = 0; i < 6; ++i) sum += weight[i], squares += weight[i] * weight[i];
    check_true("two couplings of degree 2: six terms", lft_p_family_terms(&f) == 6);
    check_near("the first is 1", weight[0], 1, 0);
    check_near("Chebyshev products, sum", sum, all, 1e-14);
    check_near("Chebyshev products, sum of squares", squares, all_squares, 1e-14);
    line.high[0] = line.low[0];
    line.degree  = 5;
    check_true("one coupling of degree 5: six terms", lft_p_family_terms(&line) == 6);
    lft_p_family_weights(&line, at, weight);
    for (w = 0, i = 0; i < 6; ++i) w = fmax(w, fabs(weight[i] - chebyshev(i, c1)));
    check_below("Chebyshev polynomials", w, 1e-14);
    none.degree = 0;
    check_true("degree 0: one term", lft_p_family_terms(&none) == 1);
}

/* At fixed couplings a family is a flow with theta = sum_b T_b coefficient_b. */
static void test_at(void)
{
    w2_flow_desc desc = box(4, 2), plain_desc = box(4, 0);
    const double at[2] = {-0.3, 6.1}, beyond[2] = {-0.3, 7.5};
    w2_flow      family, plain;
    w2_batch     x, y;
    lft_arena    arena = lft_arena_of(memory, sizeof memory);
    double       logq[2][20], weight[6], worst = 0;
    double       a[16], b[16];
    size_t       k, P;
    int          i, j;
    check_true("init", w2_flow_init(&family, &desc, &arena, NULL) == LFT_OK &&
               w2_flow_init(&plain, &plain_desc, &arena, NULL) == LFT_OK);
    P = plain.params.count;
    check_true("six times the parameters", family.params.count == 6 * P);
    check_true("and tensors, with names of their own", family.params.tensors == 6 * plain.params.tensors &&
               !strcmp(family.params.list[family.params.tensors - 1].name, "term5.layer0.zero_frequency"));
    check_near("a family begins in the middle", family.coupling[1], 5, 0);
    shake(&family.params, 0.05);
    check_true("at", w2_flow_at(&family, at, 2) == LFT_OK);
    lft_p_family_weights(&desc.family, at, weight);
    for (k = 0; k < P; ++k) {
        for (plain.params.value[k] = 0, i = 0; i < 6; ++i) {
            plain.params.value[k] += weight[i] * family.params.value[(size_t)i * P + k];
        }
    }
    w2_flow_prepare(&plain);
    check_true("batches", w2_batch_init(&x, &family.lattice, 20, &arena, NULL) == LFT_OK &&
               w2_batch_init(&y, &family.lattice, 20, &arena, NULL) == LFT_OK);
    check_true("samples", w2_flow_sample(&family, 3, 0, &x, logq[0]) == LFT_OK &&
               w2_flow_sample(&plain, 3, 0, &y, logq[1]) == LFT_OK);
    for (i = 0; i < 20; ++i) {
        worst = fmax(worst, fabs(logq[0][i] - logq[1][i]));
        w2_batch_get(&x, i, a);
        w2_batch_get(&y, i, b);
        for (j = 0; j < 16; ++j) worst = fmax(worst, fabs(a[j] - b[j]));
    }
    check_below("a family at its couplings is the flow of the combined parameters", worst, 1e-12);
    check_true("couplings beyond the bounds are refused", w2_flow_at(&family, beyond, 2) == LFT_ERR_ARG);
    check_true("with a text", strstr(family.error.text, "expected 3 to 7") != NULL);
    check_true("another number of couplings is refused", w2_flow_at(&family, at, 1) == LFT_ERR_MISMATCH);
    check_true("a flow that is no family is refused", w2_flow_at(&plain, at, 2) == LFT_ERR_MISMATCH);
    check_true("transfer to a family", w2_flow_transfer(&family, &plain) == LFT_OK);
    for (worst = 0, k = 0; k < P; ++k) worst = fmax(worst, fabs(family.params.value[k] - plain.params.value[k]));
    for (k = P; k < 6 * P; ++k) worst = fmax(worst, fabs(family.params.value[k]));
    check_below("it has the flow for all couplings", worst, 1e-14);
    desc.family.low[0] = 1;
    check_true("bounds in the wrong order are refused", w2_flow_bytes(&desc) == 0);
}

/* d loss / d coefficient against central differences, at couplings away from the middle. */
static void test_gradient(void)
{
    static const double at[2] = {-0.2, 3.7};
    w2_flow_desc   desc = box(3, 2);
    w2_flow        flow;
    w2_theory      theory;
    w2_trainer     trainer;
    lft_train_desc train;
    lft_arena      arena = lft_arena_of(memory, sizeof memory);
    double        *gradient, loss, worst = 0, largest = 0;
    size_t         k;
    int            i;
    memset(&train, 0, sizeof train);
    train.batch = 16, train.estimator = LFT_TOTAL_GRADIENT, train.guard_every = -1;
    w2_phi4_init(&theory, -1, 5, NULL);
    check_true("init", w2_flow_init(&flow, &desc, &arena, NULL) == LFT_OK);
    shake(&flow.params, 0.05);
    check_true("trainer", w2_trainer_init(&trainer, &flow, &theory, &train, &arena) == LFT_OK &&
               w2_flow_at(&flow, at, 2) == LFT_OK);
    check_true("gradient", w2_train_gradient(&trainer, 7, &loss) == LFT_OK);
    gradient = (double *)malloc(flow.params.count * sizeof(double));
    memcpy(gradient, trainer.gradient, flow.params.count * sizeof(double));
    for (k = 0; k < flow.params.count; k += 7) {
        const double keep = flow.params.value[k], step = 1e-3, where[4] = {-2, -1, 1, 2};
        double       f[4], slope;
        for (i = 0; i < 4; ++i) {
            flow.params.value[k] = keep + step * where[i];
            w2_flow_prepare(&flow);
            w2_train_gradient(&trainer, 7, &f[i]);
        }
        flow.params.value[k] = keep;
        slope   = (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * step);
        worst   = fmax(worst, fabs(slope - gradient[k]));
        largest = fmax(largest, fabs(gradient[k]));
    }
    w2_flow_prepare(&flow);
    check_below("gradient of the coefficients, relative to the largest", worst / largest, 1e-7);
    free(gradient);
}

/* One site: Z by the trapezoidal rule, which is exact to rounding for such a function. */
static double exact_logz(double m2, double lambda)
{
    double sum = 0;
    int    i;
    for (i = -4000; i <= 4000; ++i) {
        const double phi = i * 1e-3;
        sum += 1e-3 * exp(-m2 * phi * phi - lambda * phi * phi * phi * phi);
    }
    return log(sum);
}

/* Trained over the whole box, tried at its corners and in the middle. */
static void test_training(void)
{
    static const double at[5][2] = {{1, 0.5}, {1, 6}, {3, 0.5}, {3, 6}, {2, 3.25}};
    static double       logq[4096], S[4096], logw[4096];
    w1_flow_desc        desc;
    w1_flow             flow;
    w1_theory           theory;
    w1_batch            x;
    lft_train_desc      train;
    lft_weights         w;
    lft_logq_error      e;
    lft_arena           arena = lft_arena_of(memory, sizeof memory);
    char                name[80];
    int                 i, k;
    memset(&desc, 0, sizeof desc);
    memset(&train, 0, sizeof train);
    desc.extent[0]        = 1;
    desc.prior.mass2      = 2;
    desc.family.degree    = 4;
    desc.family.couplings = 2;
    desc.family.low[0] = 1, desc.family.high[0] = 3;
    desc.family.low[1] = 0.5, desc.family.high[1] = 6;
    train.steps = 1000, train.batch = 128, train.accumulate = 2;
    w1_phi4_init(&theory, 2, 3, NULL);
    check_true("init", w1_flow_init(&flow, &desc, &arena, NULL) == LFT_OK &&
               w1_batch_init(&x, &flow.lattice, 4096, &arena, NULL) == LFT_OK);
    check_true("training of a family", w1_train(&flow, &theory, &train, lft_arena_of(more, sizeof more)) == LFT_OK);
    if (flow.error.code) printf("%s\n", flow.error.text);
    for (k = 0; k < 5; ++k) {
        w1_phi4_init(&theory, at[k][0], at[k][1], NULL);
        check_true("at", w1_flow_at(&flow, theory.coupling, theory.couplings) == LFT_OK &&
                   w1_flow_sample(&flow, 5, 0, &x, logq) == LFT_OK);
        w1_action(&theory, &x, S);
        for (i = 0; i < 4096; ++i) logw[i] = -S[i] - logq[i];
        w = lft_weigh(logw, 4096);
        check_true("epsilon", w1_flow_logq_error(&flow, 5, 4096, 32, &e, lft_arena_of(more, sizeof more)) == LFT_OK);
        (void)snprintf(name, sizeof name, "m2 = %g, lambda = %g: log Z, ESS %.4f", at[k][0], at[k][1], w.ess);
        check_sigma(name, w.logz + e.mean, exact_logz(at[k][0], at[k][1]), hypot(w.logz_error, e.mean_error));
        check_true("ESS above 0.99", w.ess > 0.99);
    }
}

/* Saved half-way, loaded, resumed: the same bits as in one go. */
static void test_files(void)
{
    w2_flow_desc    desc = box(3, 1), read;
    w2_flow         flow, again;
    w2_theory       theory;
    w2_trainer      straight, resumed;
    w2_model_info   info;
    lft_train_desc  train;
    lft_safetensors doc;
    lft_memory      buffer;
    lft_error       e;
    lft_arena       arena = lft_arena_of(memory, sizeof memory), other = lft_arena_of(more, sizeof more), room;
    int             i;
    memset(&train, 0, sizeof train);
    train.steps = 12, train.batch = 16, train.guard_every = 5, train.guard_samples = 2, train.guard_std = 1, train.guard_mean = 1;
    w2_phi4_init(&theory, -1, 5, NULL);
    check_true("init", w2_flow_init(&flow, &desc, &arena, &e) == LFT_OK &&
               w2_trainer_init(&straight, &flow, &theory, &train, &arena) == LFT_OK);
    for (i = 0; i < 7; ++i) check_true("step", w2_train_step(&straight) == LFT_OK);
    room = lft_arena_of(lft_arena_alloc(&arena, w2_trainer_save_bytes(&straight), 1), w2_trainer_save_bytes(&straight));
    check_true("save", w2_trainer_save(&straight, NULL, lft_memory_writer(&buffer, file, sizeof file), room, &e) == LFT_OK);
    check_true("rest", w2_train_rest(&straight) == LFT_OK);
    check_true("load", lft_safetensors_load(lft_memory_reader(&buffer, file, buffer.at), &other, &doc, &e) == LFT_OK);
    check_true("desc", w2_model_desc(&doc, NULL, &read, &info, &other, &e) == LFT_OK);
    check_true("the bounds are in the file", read.family.degree == 1 && read.family.couplings == 2 && read.family.low[1] == 3 &&
               read.family.high[0] == 0);
    check_true("flow", w2_flow_init(&again, &read, &other, &e) == LFT_OK);
    check_true("trainer", w2_trainer_desc(&doc, &train, &e) == LFT_OK &&
               w2_trainer_init(&resumed, &again, &theory, &train, &other) == LFT_OK);
    check_true("resume", w2_trainer_resume(&resumed, &doc) == LFT_OK && resumed.step == 7);
    check_true("rest", w2_train_rest(&resumed) == LFT_OK);
    check_true("bit for bit", !memcmp(flow.params.value, again.params.value, flow.params.count * sizeof(double)) &&
               !memcmp(flow.coupling, again.coupling, 2 * sizeof(double)));
    read.family.high[1] = 8;
    other               = lft_arena_of(memory + sizeof memory / 2, sizeof memory / 2);
    check_true("another box", w2_flow_init(&again, &read, &other, &e) == LFT_OK &&
               w2_model_restore(&again, &doc, &e) == LFT_ERR_MISMATCH);
    check_true("with a text", strstr(e.text, "family") != NULL);
}

int main(void)
{
    test_terms();
    test_at();
    test_gradient();
    test_training();
    test_files();
    return test_end();
}
