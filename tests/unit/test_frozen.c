/* test_frozen.c: trainings in which the first layers keep their parameters: gradients, steps of both optimisers, checkpoints,
 * memory; gauge fields and scalar ones, flows from coarse lattices to fine ones and their first scales. */
#include "../test.h"
#include "../bessel.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  u2
#define LFT_GROUP LFT_U1
#define LFT_DIM   2
#include "../instance.h"
#define LFT_NAME  u3
#define LFT_GROUP LFT_U1
#define LFT_DIM   3
#include "../instance.h"
#define LFT_NAME  s2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#include "../instance.h"

enum { BATCH = 40, PARAMETERS = 4000 };
static unsigned char memory[64 << 20], more[32 << 20];

static lft_train_desc training(lft_optimizer optimizer, lft_estimator estimator, int frozen)
{
    lft_train_desc d;
    memset(&d, 0, sizeof d);
    d.batch = BATCH, d.steps = 4, d.seed = 3, d.guard_every = -1, d.clip = -1, d.slots = 2;
    d.optimizer = optimizer, d.estimator = estimator, d.frozen = frozen;
    return d;
}

/* ---- U(1): circles and loops from 2 x 2 to 4 x 4 ------------------------------------------------------------------------- */

static u2_flow   flow;
static u2_theory theory;
static lft_arena arena; /* behind the flow */

static u2_multiscale_desc gauge_scales(int circles)
{
    u2_multiscale_desc of;
    memset(&of, 0, sizeof of);
    of.from[0] = of.from[1] = 2, of.extent[0] = of.extent[1] = 4;
    of.harmonics  = circles ? 3 : 0;
    of.flow.loops = circles ? 1 : 0;
    of.flow.order = 1, of.flow.beta = 1.5, of.flow.steps = 3, of.flow.nodes = 2;
    return of;
}

static void make_gauge(int circles)
{
    const u2_multiscale_desc of = gauge_scales(circles);
    u2_flow_desc             desc;
    lft_arena                list = lft_arena_of(more, sizeof more);
    double                   noise[PARAMETERS];
    size_t                   i;
    arena = lft_arena_of(memory, sizeof memory);
    if (u2_multiscale(&desc, &of, &list, NULL) || u2_flow_init(&flow, &desc, &arena, NULL)) exit(1);
    lft_normals(lft_draw_of(1, LFT_DRAW_USER, 0, 0), noise, (int)flow.params.count);
    for (i = 0; i < flow.params.count; ++i) flow.params.value[i] += 0.03 * noise[i];
    u2_flow_prepare(&flow);
    u2_wilson_init(&theory, 1.5, 0, NULL);
}

static u2_trainer make_trainer(const lft_train_desc *d, lft_arena after)
{
    u2_trainer t;
    if (u2_trainer_init(&t, &flow, &theory, d, &after)) {
        printf("no trainer: %s\n", flow.error.text);
        exit(1);
    }
    return t;
}

static void test_gauge(int circles, lft_optimizer optimizer, lft_estimator estimator, const char *name)
{
    static double  full[PARAMETERS], start[PARAMETERS], end[PARAMETERS], still[PARAMETERS];
    lft_train_desc d = training(optimizer, estimator, 0);
    double         loss[2] = {0, 0};
    size_t         n, first, all, i;
    int            frozen, bad = 0;
    u2_trainer     t;
    make_gauge(circles);
    frozen = 3, n = flow.params.count, first = flow.layer[frozen].params;
    printf("%s: %d of %d layers, %d of %d parameters\n", name, frozen, flow.layers, (int)first, (int)n);
    memcpy(start, flow.params.value, n * sizeof *start);
    t   = make_trainer(&d, arena);
    all = u2_trainer_bytes(&flow, &d);
    bad |= u2_train_gradient(&t, 100, &loss[0]) != LFT_OK;
    memcpy(full, t.gradient, n * sizeof *full);
    d.frozen = frozen;
    t        = make_trainer(&d, arena);
    bad |= u2_train_gradient(&t, 100, &loss[1]) != LFT_OK;
    check_true("    there are parameters in both parts, with gradients",
               !bad && first > 0 && first < n && test_largest(full, first) > 1e-6);
    check_below("    gradient - that of all layers",
                test_apart(t.gradient + first, full + first, n - first) / test_largest(full, n), 1e-13);
    check_below("    gradient of what is frozen", test_largest(t.gradient, first), 0);
    check_below("    loss", loss[0] - loss[1], 0);
    check_true("    takes less memory", u2_trainer_bytes(&flow, &d) + 1000 < all);

    bad |= u2_train_rest(&t) != LFT_OK;
    memcpy(end, flow.params.value, n * sizeof *end);
    check_true("    after training what is frozen has the same bits", !bad && !memcmp(start, end, first * sizeof *end));
    for (i = first, bad = 0; i < n; ++i) bad |= !(fabs(end[i] - start[i]) > 0) && flow.params.pace[i] > 0;
    check_true("    the others have moved, all of them", !bad);

    make_gauge(circles); /* the same by parameters that do not move */
    for (i = 0; i < first; ++i) flow.params.pace[i] = 0;
    d.frozen = 0;
    t        = make_trainer(&d, arena);
    bad |= u2_train_rest(&t) != LFT_OK;
    memcpy(still, flow.params.value, n * sizeof *still);
    check_below("    the same as with a pace of 0", bad ? 1 : test_apart(end, still, n), 1e-10);
}

/* Stopped after two of four steps, saved, loaded, resumed. */
static void test_resume(lft_optimizer optimizer)
{
    static unsigned char file[1 << 20];
    static double        end[PARAMETERS], noise[PARAMETERS];
    lft_train_desc       d = training(optimizer, (lft_estimator)0, 3), loaded;
    lft_memory           text;
    lft_safetensors      doc;
    lft_error            error = {LFT_OK, ""};
    lft_arena            after;
    size_t               n, i, bytes;
    int                  bad = 0;
    u2_trainer           t;
    make_gauge(1);
    n = flow.params.count;
    t = make_trainer(&d, arena);
    bad |= u2_train_step(&t) || u2_train_step(&t);
    after = lft_arena_of(more, sizeof more);
    bad |= u2_trainer_save(&t, NULL, lft_memory_writer(&text, file, sizeof file), after, &error) != LFT_OK;
    bytes = text.at;
    bad |= u2_train_rest(&t) != LFT_OK;
    memcpy(end, flow.params.value, n * sizeof *end);
    make_gauge(1);
    bad |= lft_safetensors_load(lft_memory_reader(&text, file, bytes), &arena, &doc, &error) != LFT_OK;
    bad |= u2_trainer_desc(&doc, &loaded, &error) != LFT_OK;
    check_true("resume: the number of frozen layers", !bad && loaded.frozen == 3);
    t = make_trainer(&loaded, arena);
    bad |= u2_trainer_resume(&t, &doc) || u2_train_rest(&t);
    check_true("resume: the bits of an uninterrupted training",
               !bad && t.step == 4 && !memcmp(end, flow.params.value, n * sizeof *end));

    d.frozen = 0; /* of a training of all layers */
    make_gauge(1);
    t = make_trainer(&d, arena);
    bad |= u2_train_step(&t) || u2_train_step(&t);
    bad |= u2_trainer_save(&t, NULL, lft_memory_writer(&text, file, sizeof file), after, &error) != LFT_OK;
    memcpy(noise, flow.params.value, n * sizeof *noise);
    bytes = text.at;
    make_gauge(1);
    bad |= lft_safetensors_load(lft_memory_reader(&text, file, bytes), &arena, &doc, &error) != LFT_OK;
    d.frozen = 3;
    t        = make_trainer(&d, arena);
    bad |= u2_trainer_resume(&t, &doc) || u2_train_rest(&t);
    for (i = 0; i < flow.layer[3].params; ++i) bad |= noise[i] < flow.params.value[i] || noise[i] > flow.params.value[i];
    check_true("resume: what is frozen now stays, moments or not", !bad);
}

/* Scale by scale, of three: each step against one of the flow of the first scales alone, and stopped anywhere. */
/* The plaquette couplings of two in one. */
static double mean_of(double beta) { return bessel(1, beta) / bessel(0, beta); }

static double pair(double beta)
{
    double low = 0, high = beta;
    int    i;
    for (i = 0; i < 60; ++i) {
        const double half = 0.5 * (low + high);
        if (mean_of(half) < mean_of(beta) * mean_of(beta)) low = half;
        else high = half;
    }
    return low;
}

static void test_scales(int circles, lft_optimizer optimizer)
{
    enum { SCALES = 3, EACH = 2, STEPS = SCALES * EACH + 2 };
    static unsigned char     file[STEPS][1 << 16];
    static double            before[PARAMETERS], end[PARAMETERS];
    const u2_multiscale_desc of = gauge_scales(circles);
    lft_train_desc           d = training(optimizer, (lft_estimator)0, 0), one, loaded;
    u2_theory                theories[1 + SCALES], coarse;
    u2_flow_desc             desc;
    u2_flow                  part;
    u2_trainer               t, alone;
    lft_memory               text;
    lft_safetensors          doc;
    lft_error                error = {LFT_OK, ""};
    lft_arena                list, rest, after;
    double                   beta = 0, off = 0, scatter = 0, loss[2] = {0, 0};
    size_t                   bytes[STEPS], n, first = 0, last = 0, i;
    int                      layers = 0, k, l, scale, bad = 0;
    make_gauge(circles);
    n = flow.params.count, theories[0] = theory, d.steps = STEPS - SCALES * EACH, d.scale_steps = EACH, d.guard_every = 1;
    list = lft_arena_of(more, sizeof more);
    for (scale = 0; scale < SCALES; ++scale) {
        layers = u2_train_scale_end(&flow, layers);
        bad |= flow.layer[layers - 1].out.volume != 4 << scale;
        theories[1 + scale] = theory;
        theories[1 + scale].coupling[0] = u2_multiscale_beta(&flow, layers, 1.5, list);
        for (beta = 1.5, k = scale + 1; k < SCALES; ++k) beta = pair(beta);
        off = fmax(off, fabs(theories[1 + scale].coupling[0] - beta));
    }
    check_true("scales: where they end", !bad && layers == flow.layers);
    check_below("scales: their couplings", off, 1e-5);
    rest = arena, off = 0;
    bad |= u2_trainer_init(&t, &flow, theories, &d, &rest) || t.report.scales != SCALES || t.report.steps != STEPS;
    for (k = 0; k < STEPS && !bad; ++k) {
        bad |= u2_trainer_save(&t, NULL, lft_memory_writer(&text, file[k], sizeof file[k]), list, &error) != LFT_OK;
        bytes[k] = text.at;
        memcpy(before, flow.params.value, n * sizeof *before);
        if (k % EACH == 0 && k < SCALES * EACH) {
            after = list, one = d, one.frozen = layers = k ? u2_train_scale_end(&flow, layers) : 0, one.scale_steps = 0;
            bad |= u2_multiscale(&desc, &of, &after, &error) != LFT_OK;
            desc.layers = u2_train_scale_end(&flow, layers);
            bad |= u2_flow_init(&part, &desc, &after, &error) != LFT_OK;
            coarse = theories[1 + k / EACH], last = part.params.count, first = flow.layer[one.frozen].params;
            memcpy(part.params.value, flow.params.value, last * sizeof *before);
            for (l = 0; l < part.layers; ++l) { /* the guard may have refined them */
                if (part.layer[l].steps) bad |= part.layer[l].ops->refine(part.layer + l, flow.layer[l].steps, &error) != LFT_OK;
            }
            u2_flow_prepare(&part);
            one.estimator = t.desc.estimator;
            bad |= u2_trainer_init(&alone, &part, &coarse, &one, &after) || u2_train_gradient(&alone, 7, &loss[0]);
            bad |= u2_train_gradient(&t, 7, &loss[1]) != LFT_OK;
            off     = fmax(off, test_apart(alone.gradient, t.gradient, last) / test_largest(alone.gradient, last));
            off     = fmax(off, fabs(loss[0] - loss[1]));
            scatter = fmax(scatter, test_largest(t.gradient + last, n - last));
        } else if (k >= SCALES * EACH) first = 0, last = n;
        bad |= u2_train_step(&t) || t.report.scale != k / EACH || flow.params.count != n || flow.lattice.volume != 16;
        for (i = 0; i < n; ++i) bad |= (fabs(flow.params.value[i] - before[i]) > 0) > (i >= first && i < last);
        bad |= !memcmp(before + first, flow.params.value + first, (last - first) * sizeof *before);
    }
    check_true("scales: their parameters move, and only these", !bad && t.step == STEPS);
    check_below("scales: gradient - that of the first layers alone", off, 1e-12);
    check_below("scales: gradient of what follows", scatter, 0);
    memcpy(end, flow.params.value, n * sizeof *end);
    for (k = 0; k < STEPS && !bad; ++k) {
        make_gauge(circles);
        after = lft_arena_of(more, sizeof more);
        bad |= lft_safetensors_load(lft_memory_reader(&text, file[k], bytes[k]), &after, &doc, &error) != LFT_OK;
        bad |= u2_trainer_desc(&doc, &loaded, &error) || loaded.scale_steps != EACH;
        bad |= u2_trainer_init(&t, &flow, theories, &loaded, &arena) || u2_trainer_resume(&t, &doc) || u2_train_rest(&t);
        bad |= t.step != STEPS || memcmp(end, flow.params.value, n * sizeof *end) != 0;
    }
    check_true("scales: the bits of an uninterrupted training, wherever it was stopped", !bad);
}

static void test_refused(void)
{
    static const int       bad_number[3] = {-1, 1000, 0};
    static const int       extent[2] = {2, 2};
    lft_train_desc         d = training(LFT_ADAM, LFT_TOTAL_GRADIENT, 0);
    u2_flow_desc           desc;
    u2_layer_desc          list[16];
    u2_doubling_desc       twice;
    u2_circle_desc         circle;
    lft_arena              exact = lft_arena_of(more, sizeof more), after;
    double                 start[64], loss = 0;
    u2_trainer             t;
    int                    i, layers;
    make_gauge(1);
    for (i = 0; i < 3; ++i) {
        d.frozen = i < 2 ? bad_number[i] : flow.layers;
        after    = arena;
        check_true("a number of layers that cannot be frozen", u2_trainer_init(&t, &flow, &theory, &d, &after) == LFT_ERR_ARG &&
                                                                    strstr(flow.error.text, "frozen") != NULL);
    }
    /* the exact flow of 2 x 2, which has no gradients, and a doubling behind it that is trained */
    memset(&twice, 0, sizeof twice), memset(&circle, 0, sizeof circle);
    if (u2_exact_desc(&desc, extent, 0.7, &exact, NULL)) exit(1);
    layers = desc.layers;
    for (i = 0; i < layers; ++i) list[i] = desc.layer[i];
    circle.doubled = 1, circle.harmonics = 4, circle.beta = 1.5;
    list[i].ops = u2_doubling(), list[i++].desc = &twice;
    list[i].ops = u2_circle(), list[i++].desc = &circle;
    desc.layer = list, desc.layers = i;
    arena = lft_arena_of(memory, sizeof memory);
    if (u2_flow_init(&flow, &desc, &arena, NULL)) exit(1);
    memcpy(start, flow.params.value, flow.params.count * sizeof *start);
    d.frozen = 0, after = arena;
    check_true("exact draws cannot be trained", u2_trainer_init(&t, &flow, &theory, &d, &after) == LFT_ERR_ARG);
    d.frozen = layers, after = arena;
    d.estimator = LFT_PATH_GRADIENT;
    check_true("nor carry grad log q", u2_trainer_init(&t, &flow, &theory, &d, &after) == LFT_ERR_ARG);
    d.estimator = LFT_TOTAL_GRADIENT;
    t = make_trainer(&d, arena);
    check_true("but be frozen", u2_train_rest(&t) == LFT_OK && u2_train_gradient(&t, 0, &loss) == LFT_OK && lft_finite(loss));
    check_true("before what moves", test_apart(start, flow.params.value, flow.params.count) > 1e-4);
}

/* ---- couplings of coarse lattices ------------------------------------------------------------------------------------------- */

static void test_couplings(void)
{
    u2_multiscale_desc of;
    u3_multiscale_desc cube;
    u2_flow_desc       desc;
    u3_flow_desc       desc3;
    u2_flow            plane;
    u3_flow            space;
    lft_arena          list = lft_arena_of(more, sizeof more), rest = lft_arena_of(memory, sizeof memory);
    double             expected = 3, off = 0, across[3] = {1, 1, 1}; /* the axis */
    int                i, k, bad;
    memset(&of, 0, sizeof of), memset(&cube, 0, sizeof cube);
    of.extent[0] = 4, of.extent[1] = 2, of.harmonics = 4, of.flow.beta = 3, of.flow.order = 1;
    bad = u2_multiscale(&desc, &of, &list, NULL) || u2_flow_init(&plane, &desc, &rest, NULL) || plane.layers != 6;
    for (i = 3; i > 0 && !bad; --i, expected = pair(expected)) {
        off = fmax(off, fabs(u2_multiscale_beta(&plane, 2 * i, 3, list) - expected));
    }
    check_below("couplings of coarse lattices in two dimensions", bad ? 1 : off, 1e-5);
    cube.extent[0] = cube.extent[1] = cube.extent[2] = 4, cube.flow.beta = 1, cube.flow.order = 1;
    list = lft_arena_of(more, sizeof more), rest = lft_arena_of(memory, sizeof memory);
    bad  = u3_multiscale(&desc3, &cube, &list, NULL) || u3_flow_init(&space, &desc3, &rest, NULL) || space.layers != 7;
    for (i = 3, off = 0; i >= 0 && !bad; --i) { /* axes 0, 1, 2 are doubled in turn */
        off = fmax(off, fabs(u3_multiscale_beta(&space, 1 + 2 * i, 1, list) - (across[0] + across[1] + across[2]) / 3));
        for (k = 0; k < 3; ++k) across[k] = k == i - 1 ? 2 * across[k] : pair(across[k]);
    }
    check_below("couplings of coarse lattices in three", bad ? 1 : off, 1e-5);
}

/* ---- phi^4: prior, doublings and flows ------------------------------------------------------------------------------------ */

static void test_scalar(lft_estimator estimator)
{
    static double      full[PARAMETERS], start[PARAMETERS];
    s2_flow            field;
    s2_theory          phi4;
    s2_trainer         t;
    s2_multiscale_desc of;
    s2_flow_desc       desc;
    lft_train_desc     d = training(LFT_ADAM, estimator, 0);
    lft_arena          list = lft_arena_of(more, sizeof more), rest, after;
    double             loss = 0;
    size_t             n, first, i;
    int                bad = 0, frozen = 2;
    memset(&of, 0, sizeof of);
    of.extent[0] = of.extent[1] = 4, of.from[0] = of.from[1] = 2;
    of.flow.sines = 2, of.flow.nodes = 2, of.flow.steps = 3, of.refine = 1;
    rest = lft_arena_of(memory, sizeof memory);
    if (s2_multiscale(&desc, &of, &list, NULL) || s2_flow_init(&field, &desc, &rest, NULL)) exit(1);
    s2_phi4_init(&phi4, -1, 1.5, NULL);
    n = field.params.count, first = field.layer[frozen].params;
    lft_normals(lft_draw_of(1, LFT_DRAW_USER, 0, 0), start, (int)n);
    for (i = 0; i < n; ++i) field.params.value[i] += 0.03 * start[i];
    s2_flow_prepare(&field);
    memcpy(start, field.params.value, n * sizeof *start);
    after = rest;
    bad |= s2_trainer_init(&t, &field, &phi4, &d, &after) || s2_train_gradient(&t, 100, &loss);
    memcpy(full, t.gradient, n * sizeof *full);
    d.frozen = frozen, after = rest;
    bad |= s2_trainer_init(&t, &field, &phi4, &d, &after) || s2_train_gradient(&t, 100, &loss);
    check_true("phi^4: no errors; the prior has a gradient", !bad && test_largest(full, field.layer[0].params) > 1e-6);
    check_below("phi^4: gradient - that of all layers",
                test_apart(t.gradient + first, full + first, n - first) / test_largest(full, n),
                1e-13);
    check_below("phi^4: gradient of what is frozen, the prior too", test_largest(t.gradient, first), 0);
    bad |= s2_train_rest(&t) != LFT_OK;
    check_true("phi^4: the same bits", !bad && !memcmp(start, field.params.value, first * sizeof *start));
    check_true("phi^4: the others have moved", test_apart(start + first, field.params.value + first, n - first) > 1e-4);
}

/* Of a family, in every term. */
static void test_family(void)
{
    static double       start[PARAMETERS];
    s2_flow             field;
    s2_theory           phi4;
    s2_trainer          t;
    s2_flow_desc        desc;
    s2_continuous_desc  one;
    s2_layer_desc       list[2];
    lft_train_desc      d = training(LFT_ADAM, LFT_PATH_GRADIENT, 1);
    lft_arena           rest = lft_arena_of(memory, sizeof memory);
    size_t              n, of_term, still, i;
    int                 bad = 0, moved = 0;
    memset(&desc, 0, sizeof desc), memset(&one, 0, sizeof one);
    one.sines = 2, one.nodes = 2, one.steps = 3;
    list[0].ops = list[1].ops = s2_continuous(), list[0].desc = list[1].desc = &one;
    desc.layer = list, desc.layers = 2, desc.extent[0] = desc.extent[1] = 2;
    desc.family.degree = 2, desc.family.couplings = 2;
    desc.family.low[0] = -2, desc.family.high[0] = -1, desc.family.low[1] = 1, desc.family.high[1] = 2;
    if (s2_flow_init(&field, &desc, &rest, NULL)) exit(1);
    s2_phi4_init(&phi4, -1, 1.5, NULL);
    n = field.params.count;
    for (i = of_term = 0; i < (size_t)field.params.tensors; ++i) {
        if (strncmp(field.params.list[i].name, "term", 4)) of_term += field.params.list[i].count;
    }
    still = field.layer[1].params;
    memcpy(start, field.params.value, n * sizeof *start);
    bad |= s2_trainer_init(&t, &field, &phi4, &d, &rest) || s2_train_rest(&t);
    for (i = 0; i < n; ++i) {
        const int differs = start[i] < field.params.value[i] || start[i] > field.params.value[i];
        if (i % of_term < still) bad |= differs;
        else moved += differs && i >= of_term;
    }
    check_true("a family: what is frozen stays, in all of several terms", !bad && n > 2 * of_term && still > 0);
    check_true("a family: the others move, of the later terms too", moved > 10);
}

int main(void)
{
    test_gauge(1, LFT_ADAM, LFT_PATH_GRADIENT, "circles, Adam, path");
    test_gauge(1, LFT_ADAM, LFT_TOTAL_GRADIENT, "circles, Adam, total");
    test_gauge(1, LFT_GAUSS_NEWTON, LFT_NATURAL_GRADIENT, "circles, Gauss-Newton, natural");
    test_gauge(1, LFT_GAUSS_NEWTON, LFT_TOTAL_GRADIENT, "circles, Gauss-Newton, total");
    test_gauge(0, LFT_ADAM, LFT_PATH_GRADIENT, "loops, Adam, path");
    test_gauge(0, LFT_GAUSS_NEWTON, LFT_NATURAL_GRADIENT, "loops, Gauss-Newton, natural");
    test_resume(LFT_ADAM);
    test_resume(LFT_GAUSS_NEWTON);
    test_scales(1, LFT_ADAM);
    test_scales(1, LFT_GAUSS_NEWTON);
    test_scales(0, LFT_ADAM);
    test_refused();
    test_couplings();
    test_family();
    test_scalar(LFT_PATH_GRADIENT);
    test_scalar(LFT_TOTAL_GRADIENT);
    return test_end();
}
