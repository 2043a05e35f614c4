/* carry_case.h: ensembles of an instance of test_carry.c at two couplings. A suite (suite.h). */
#include "../suite.h"
#ifndef CARRY_CASE_COMMON
#define CARRY_CASE_COMMON
#define C(name) SUITE_(name)

typedef struct shift {
    double value, error;
} shift;

typedef struct carried {
    lft_weights flow, none;
    shift       by_flow, by_none;
    double      logz, exact; /* differences */
} carried;

static unsigned char memory[64 << 20];
static double        one[4096], other[4096];

/* <a> - <w b> / <w> of independent samples, to first order. */
static shift shift_of(const double *a, const double *logw, const double *b, int n)
{
    double sum = 0, mean = 0, ratio = 0, square = 0;
    shift  r;
    int    i;
    for (i = 0; i < n; ++i) sum += exp(logw[i] - logw[0]), ratio += exp(logw[i] - logw[0]) * b[i], mean += a[i] / n;
    ratio /= sum;
    for (i = 0; i < n; ++i) {
        const double d = a[i] - mean - exp(logw[i] - logw[0]) * n / sum * (b[i] - ratio);
        square += d * d / n;
    }
    r.value = mean - ratio, r.error = sqrt(square / n);
    return r;
}
#endif

/* The trivializing map of an order from one coupling to another; order < 0: cut off instead of expanded. */
static void C(map)(C(flow) *flow, int L, int order, double from, double to, int steps, lft_arena *arena)
{
    C(flow_desc) desc;
    lft_error    error;
    memset(&desc, 0, sizeof desc);
    desc.extent[0] = desc.extent[1] = L;
    desc.continuous.cut_off = order < 0;
    desc.continuous.order   = abs(order);
    desc.continuous.loops   = C(continuous_loops)(0, abs(order));
    desc.continuous.nodes   = order < 0 ? 8 : order;
    desc.continuous.steps = steps;
    desc.continuous.from  = from;
    desc.continuous.beta  = to;
    if (C(flow_init)(flow, &desc, arena, &error)) check_true(error.text, 0);
}

/* From Haar to the first coupling and on to the second one is the way from Haar to the second one. */
static void C(composes)(int order, double from, double to)
{
    enum { L = 4, N = 4 };
    C(flow)   flow[3];
    C(batch)  x, y, z, direct;
    lft_arena arena = lft_arena_of(memory, sizeof memory);
    double    a[N], b[N], c[N], worst = 0, apart = 0;
    int       i;
    size_t    k, reals;
    C(map)(flow, L, order, 0, from, 60, &arena);
    C(map)(flow + 1, L, order, from, to, 60, &arena);
    C(map)(flow + 2, L, order, 0, to, 60, &arena);
    (void)C(batch_init)(&x, &flow->lattice, N, &arena, NULL), (void)C(batch_init)(&y, &flow->lattice, N, &arena, NULL);
    (void)C(batch_init)(&z, &flow->lattice, N, &arena, NULL), (void)C(batch_init)(&direct, &flow->lattice, N, &arena, NULL);
    if (C(flow_sample)(flow, 3, 0, &z, a) || C(flow_inverse)(flow, &z, &x, a) || /* x of the Haar measure */
        C(flow_map)(flow, &x, &y, a) || C(flow_map)(flow + 1, &y, &z, b) || C(flow_map)(flow + 2, &x, &direct, c)) {
        check_true("maps", 0);
    }
    reals = (size_t)z.lattice.volume * (size_t)z.reals;
    for (i = 0; i < N; ++i) {
        C(batch_get)(&z, i, one), C(batch_get)(&direct, i, other);
        for (k = 0; k < reals; ++k) worst = fmax(worst, fabs(one[k] - other[k]));
        apart = fmax(apart, fabs(a[i] + b[i] - c[i]));
    }
    check_below("two maps, one after the other, are the map of both", worst, 1e-6);
    check_below("    log det", apart, 1e-5);
}

/* A map from Haar, scaled from one coupling to another: exact to leading order, beyond that by the order of each class. */
static void C(scales)(int order, double from, double to)
{
    C(flow)   flow[3];
    lft_arena arena = lft_arena_of(memory, sizeof memory);
    double    worst = 0;
    size_t    k, at = 4; /* behind the plaquette's */
    int       i;
    C(map)(flow, 6, 1, 0, from, 4, &arena);
    C(map)(flow + 1, 6, 1, 0, to, 4, &arena);
    C(continuous_scale)(flow->layer, flow->params.value, to / from);
    for (k = 0; k < flow->params.count; ++k) worst = fmax(worst, fabs(flow[0].params.value[k] - flow[1].params.value[k]));
    check_below("leading order, scaled to another coupling", worst, 1e-15);
    C(map)(flow + 2, 6, order, 0, from, 4, &arena);
    for (k = 0; k < flow[2].params.count; ++k) flow[2].params.value[k] = 1;
    C(continuous_scale)(flow[2].layer, flow[2].params.value, to / from);
    for (i = 1, worst = 0; i < C(continuous_loops)(0, order); ++i) {
        int n = 1, a;
        while (i >= C(continuous_loops)(0, n)) ++n;
        for (a = 0; a < order; ++a) worst = fmax(worst, fabs(flow[2].params.value[at++] - pow(to / from, n)));
    }
    check_below("    higher orders", worst, 1e-14);
    check_true("    all of them", at == flow[2].params.count);
}

/* n exact samples of the first coupling carried to the second one: log-weights with the flow and without, plaquettes. */
static carried C(carry)(int L, int order, double from, double to, int n)
{
    enum { BATCH = 128 };
    const int      extent[2] = {L, L};
    C(flow)        exact, flow;
    C(flow_desc)   desc;
    C(theory)      first, second;
    C(batch)       x, y;
    C(observables) what;
    lft_arena      arena = lft_arena_of(memory, sizeof memory);
    lft_error      error;
    carried        r;
    double         logw[BATCH], S[2][BATCH], *rows, *w[2], *P[2], logz[2][2], h = 1e-4;
    int            i, k, count;
    memset(&what, 0, sizeof what);
    if (C(exact_desc)(&desc, extent, from, &arena, &error) || C(flow_init)(&exact, &desc, &arena, &error) ||
        C(wilson_init)(&first, from, 0, &error) || C(wilson_init)(&second, to, 0, &error) ||
        C(batch_init)(&x, &exact.lattice, BATCH, &arena, &error) || C(batch_init)(&y, &exact.lattice, BATCH, &arena, &error)) {
        check_true(error.text, 0);
    }
    C(map)(&flow, L, order, from, to, 8, &arena);
    what.lattice = exact.lattice;
    count        = C(observables_count)(&what);
    rows         = (double *)lft_arena_alloc(&arena, (size_t)(BATCH * count), sizeof(double));
    for (k = 0; k < 2; ++k) {
        w[k] = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
        P[k] = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
    }
    check_true("one batch alone is refused", C(flow_carry)(&flow, &first, &second, &x, &x, logw) == LFT_ERR_ARG);
    for (i = 0; i < n; i += BATCH) {
        if (C(flow_sample)(&exact, 21, (uint64_t)i, &x, logw)) check_true(exact.error.text, 0);
        if (C(flow_carry)(&flow, &first, &second, &x, &y, logw)) check_true(flow.error.text, 0);
        C(action)(&first, &x, S[0]), C(action)(&second, &x, S[1]);
        for (k = 0; k < BATCH; ++k) w[0][i + k] = logw[k], w[1][i + k] = S[0][k] - S[1][k];
        if (C(measure)(&first, &what, &x, rows, arena, &error)) check_true(error.text, 0);
        for (k = 0; k < BATCH; ++k) P[0][i + k] = rows[k * count + C(observable_find)(&what, "plaquette")];
        if (C(measure)(&second, &what, &y, rows, arena, &error)) check_true(error.text, 0);
        for (k = 0; k < BATCH; ++k) P[1][i + k] = rows[k * count + C(observable_find)(&what, "plaquette")];
    }
    r.flow    = lft_weigh(w[0], (size_t)n);
    r.none    = lft_weigh(w[1], (size_t)n);
    r.by_flow = shift_of(P[0], w[0], P[1], n);
    r.by_none = shift_of(P[0], w[1], P[0], n);
    for (k = 0; k < 2; ++k) {
        for (i = 0; i < 2; ++i) (void)C(exact_logz)(extent, (k ? to : from) + (i ? h : -h), logz[k] + i, arena, NULL);
    }
    (void)C(exact_logz)(extent, to, S[0], arena, NULL), (void)C(exact_logz)(extent, from, S[1], arena, NULL);
    r.logz  = S[0][0] - S[1][0];
    r.exact = (logz[0][1] - logz[0][0] - logz[1][1] + logz[1][0]) / (2 * h) / (L * L); /* P = d log Z / d beta / V */
    return r;
}

#include "../suite_end.h"
