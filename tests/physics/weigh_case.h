/* weigh_case.h: flows of an instance of test_trivializing.c, and their ESS and log Z. Include it with CASE, the instance's name. */
#define CASE_PASTE2(a, b) a##_##b
#define CASE_PASTE(a, b)  CASE_PASTE2(a, b)
#define C(name)           CASE_PASTE(CASE, name)

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

/* Extents L in every direction; the arena is what is left. */
static lft_arena C(make)(C(flow) *flow, C(theory) *theory, int L, int order, double beta, int steps)
{
    lft_arena    arena = lft_arena_of(memory, sizeof memory);
    C(flow_desc) desc;
    lft_error    error;
    int          mu;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < (int)(sizeof desc.extent / sizeof(int)); ++mu) desc.extent[mu] = L;
    desc.continuous.order = order, desc.continuous.beta = beta, desc.continuous.steps = steps;
    if (order == 1) desc.continuous.loops = 1;
    if (C(flow_init)(flow, &desc, &arena, &error)) check_true(error.text, 0);
    if (C(wilson_init)(theory, beta, 0, &error)) check_true(error.text, 0);
    return arena;
}

#undef C
#undef CASE_PASTE
#undef CASE_PASTE2
#undef CASE
