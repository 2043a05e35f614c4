/* weigh_case.h: flows of an instance of test_trivializing.c, and their ESS and log Z. A suite (suite.h). */
#include "../suite.h"
#ifndef WEIGH_CASE_COMMON
#define WEIGH_CASE_COMMON
#define C(name) SUITE_(name)

static unsigned char memory[200 << 20];
#endif

/* Of N samples, a multiple of 128. */
static lft_weights C(weigh)(C(flow) *flow, const C(theory) *theory, int N, lft_arena arena)
{
    enum { BATCH = 128 };
    C(batch)    x;
    double     *logw = (double *)malloc((size_t)N * sizeof *logw), logq[BATCH], S[BATCH];
    lft_weights w;
    int         i, k;
    if (C(batch_init)(&x, &flow->lattice, BATCH, &arena, NULL)) check_true("memory", 0);
    for (i = 0; i < N; i += BATCH) {
        if (C(flow_sample)(flow, 11, (uint64_t)i, &x, logq)) check_true(flow->error.text, 0);
        C(action)(theory, &x, S);
        for (k = 0; k < BATCH; ++k) logw[i + k] = -S[k] - logq[k];
    }
    w = lft_weigh(logw, (size_t)N);
    free(logw);
    return w;
}

/* Extents L in every direction; the arena is what is left. order < 0: of that order, cut off instead of expanded. */
static lft_arena C(make)(C(flow) *flow, C(theory) *theory, int L, int order, double beta, int steps)
{
    lft_arena    arena = lft_arena_of(memory, sizeof memory);
    C(flow_desc) desc;
    lft_error    error;
    int          mu;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < (int)(sizeof desc.extent / sizeof(int)); ++mu) desc.extent[mu] = L;
    desc.continuous.cut_off = order < 0;
    if (order < 0) order = -order, desc.continuous.nodes = 8;
    desc.continuous.order = order, desc.continuous.beta = beta, desc.continuous.steps = steps;
    desc.continuous.loops = order ? C(continuous_loops)(0, order) : 0;
    if (C(flow_init)(flow, &desc, &arena, &error)) check_true(error.text, 0);
    if (C(wilson_init)(theory, beta, 0, &error)) check_true(error.text, 0);
    return arena;
}

/* What an order of the trivializing map leaves is of the next one: the variance of the log-weights goes with beta^(2 order + 2). */
static void C(scaling)(const char *name, int order, double beta, int N)
{
    C(flow)   flow;
    C(theory) theory;
    double    variance[2], found;
    const int power = 2 * abs(order) + 2;
    int       i;
    for (i = 0; i < 2; ++i) {
        lft_arena arena = C(make)(&flow, &theory, abs(order) + 1, order, beta / (1 + i), 4);
        variance[i]     = 1 / C(weigh)(&flow, &theory, N, arena).ess - 1;
    }
    found = log2(variance[0] / variance[1]);
    test_count(fabs(found - power) < 0.4);
    printf("%s, order %d: variance %.2e, %.2e: power of beta %.2f %s\n", name, order, variance[0], variance[1], found,
           fabs(found - power) < 0.4 ? "ok" : "FAILED");
}

#include "../suite_end.h"
