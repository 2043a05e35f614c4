/* heatbath_prior_suite.h: flows that start from a heat bath, for one group. A suite (suite.h). */
#include "../suite.h"
#ifndef HEATBATH_PRIOR_COMMON
#define HEATBATH_PRIOR_COMMON
static unsigned char bath_memory[48 << 20], bath_more[8 << 20];
#endif

/* A flow that is the identity, of L sites along each axis. */
static lft_status SUITE_(make)(SUITE_(flow) *flow, int L, double beta, int updates, const lft_pool *pool, lft_arena *arena,
                               lft_error *error)
{
    SUITE_(flow_desc) d;
    int               mu;
    memset(&d, 0, sizeof d);
    for (mu = 0; mu < SUITE_DIM; ++mu) d.extent[mu] = L;
    d.prior.kind = LFT_PRIOR_HEATBATH, d.prior.beta = beta, d.prior.updates = updates;
    d.continuous.loops = 1, d.continuous.nodes = 4, d.continuous.steps = 2;
    if (pool) d.pool = *pool;
    *arena = lft_arena_of(bath_memory, sizeof bath_memory);
    return SUITE_(flow_init)(flow, &d, arena, error);
}

/* log Z of the prior where it is known, 0 where log q leaves it out. */
static double SUITE_(logz)(int L, double beta)
{
    double value = 0;
#if SUITE_DIM == 2
    const int extent[2] = {L, L};
    if (SUITE_(exact_logz)(extent, beta, &value, lft_arena_of(bath_more, sizeof bath_more), NULL)) check_true("log Z", 0);
#else
    (void)L, (void)beta;
#endif
    return value;
}

/* The mean plaquette that there has to be, and its error: from log Z, or of chains of the heat bath. */
static double SUITE_(plaquette)(int L, double beta, double *error)
{
    const double plaquettes = pow(L, SUITE_DIM) * SUITE_DIM * (SUITE_DIM - 1) / 2;
    double       value = 0;
    *error = 0;
    if (SUITE_DIM == 2) {
        const double h = 1e-4;
        value = (SUITE_(logz)(L, beta + h) - SUITE_(logz)(L, beta - h)) / (2 * h);
    } else {
        enum { CHAINS = 64, EACH = 40 };
        SUITE_(heatbath_desc) d;
        SUITE_(heatbath)      bath;
        SUITE_(theory)        theory;
        lft_arena             arena = lft_arena_of(bath_more, sizeof bath_more);
        double                S[CHAINS], sum[CHAINS] = {0}, square = 0;
        int                   i, k, mu;
        memset(&d, 0, sizeof d);
        for (mu = 0; mu < SUITE_DIM; ++mu) d.extent[mu] = L;
        d.chains = CHAINS, d.seed = 77;
        if (SUITE_(wilson_init)(&theory, beta, 0, NULL) || SUITE_(heatbath_init)(&bath, &theory, &d, &arena, NULL)) return 0;
        if (SUITE_(heatbath_thermalise)(&bath, 100)) return 0;
        for (k = 0; k < EACH; ++k) {
            if (SUITE_(heatbath_next)(&bath)) return 0;
            SUITE_(action)(&theory, &bath.x, S);
            for (i = 0; i < CHAINS; ++i) sum[i] -= S[i] / beta / EACH;
        }
        for (i = 0; i < CHAINS; ++i) value += sum[i] / CHAINS, square += sum[i] * sum[i] / CHAINS;
        *error = sqrt((square - value * value) / (CHAINS - 1)) / plaquettes;
    }
    return value / plaquettes;
}

/* Log-densities, and whether the samples have them. */
static void SUITE_(density)(int L, double beta, int n)
{
    const double    plaquettes = pow(L, SUITE_DIM) * SUITE_DIM * (SUITE_DIM - 1) / 2, logz = SUITE_(logz)(L, beta);
    SUITE_(flow)    flow;
    SUITE_(theory)  theory;
    SUITE_(batch)   x, few;
    lft_arena       arena;
    lft_error       error;
    double         *logq, *given, *S, again[5], was[5], off = 0, apart = 0, sum, square, exact, exact_error;
    int             i, k, bad = 0;
    for (k = 0; k < 2; ++k) {
        bad |= SUITE_(make)(&flow, L, beta, k ? 0 : 1, NULL, &arena, &error) != LFT_OK;
        bad |= SUITE_(batch_init)(&x, &flow.lattice, n, &arena, &error) || SUITE_(wilson_init)(&theory, beta, 0, &error);
        logq  = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
        given = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
        S     = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
        bad |= SUITE_(flow_sample)(&flow, 5, 0, &x, logq) != LFT_OK || SUITE_(flow_logq)(&flow, &x, given) != LFT_OK;
        check_true(suite_name("no errors"), !bad);
        if (bad) return;
        SUITE_(action)(&theory, &x, S);
        for (sum = square = 0, i = 0; i < n; ++i) {
            test_worst(&off, -S[i] - logq[i] - logz);
            test_worst(&apart, given[i] - logq[i]);
            sum -= S[i] / beta / plaquettes / n, square += S[i] * S[i] / (beta * plaquettes * beta * plaquettes) / n;
        }
        exact  = SUITE_(plaquette)(L, beta, &exact_error);
        square = sqrt((square - sum * sum) / n + exact_error * exact_error);
        if (k) check_sigma(suite_name("plaquette of 50 updates"), sum, exact, square);
        else check_true(suite_name("one update is not enough"), fabs(sum - exact) > 5 * square);
    }
    check_below(suite_name("log weight - log Z"), off, 1e-10);
    check_below(suite_name("log q of the same configurations, given"), apart, 1e-10);
    check_true(suite_name("log q is normalised in two dimensions"), SUITE_(flow_normalised)(&flow) == (SUITE_DIM == 2));
    {
        const lft_pool pool = suite_pool();
        memcpy(was, logq + 3, sizeof was); /* the arena is used anew */
        bad |= SUITE_(make)(&flow, L, beta, 0, &pool, &arena, &error) != LFT_OK;
        bad |= SUITE_(batch_init)(&few, &flow.lattice, 5, &arena, &error) != LFT_OK;
        bad |= SUITE_(flow_sample)(&flow, 5, 3, &few, again) != LFT_OK;
        check_true(suite_name("numbers of samples, not of batches or threads"), !bad);
        for (off = 0, i = 0; i < 5; ++i) test_worst(&off, was[i] - again[i]);
        check_below(suite_name("    the same log q"), off, 1e-10);
    }
}

/* Where the flow is already right no sample has a path gradient, which grad log q of the prior has to cancel. */
static void SUITE_(gradient)(int L, double beta)
{
    SUITE_(flow)    flow;
    SUITE_(theory)  theory;
    SUITE_(trainer) trainer;
    lft_train_desc  d;
    lft_arena       arena, after;
    lft_error       error;
    double          loss, size[2] = {0, 0};
    int             k, bad = SUITE_(make)(&flow, L, beta, 3, NULL, &arena, &error) != LFT_OK;
    size_t          i;
    bad |= SUITE_(wilson_init)(&theory, beta, 0, &error) != LFT_OK;
    for (k = 0; k < 2 && !bad; ++k) {
        memset(&d, 0, sizeof d);
        d.batch = 12, d.guard_every = -1, d.estimator = k ? LFT_TOTAL_GRADIENT : LFT_PATH_GRADIENT;
        after = arena;
        bad |= SUITE_(trainer_init)(&trainer, &flow, &theory, &d, &after) || SUITE_(train_gradient)(&trainer, 0, &loss);
        for (i = 0; i < flow.params.count && !bad; ++i) test_worst(size + k, trainer.gradient[i]);
    }
    check_true(suite_name("gradients: no errors"), !bad);
    check_below(suite_name("path gradient of a flow that is right"), size[0], 1e-10);
    check_true(suite_name("the total gradient does not vanish"), size[1] > 1e-3);
}

/* Written and read: the same samples; a flow of another prior is another flow. */
static void SUITE_(model)(int L, double beta)
{
    static unsigned char file[1 << 16];
    SUITE_(flow)         flow, other;
    SUITE_(flow_desc)    d;
    SUITE_(model_info)   info;
    SUITE_(theory)       theory;
    SUITE_(batch)        x;
    lft_safetensors      doc;
    lft_memory           text;
    lft_arena            arena, after;
    lft_error            error;
    double               was[4], is[4], *spec;
    size_t               size;
    int                  bad = SUITE_(make)(&flow, L, beta, 7, NULL, &arena, &error) != LFT_OK;
    bad |= SUITE_(wilson_init)(&theory, 2 * beta, 0, NULL) || SUITE_(batch_init)(&x, &flow.lattice, 4, &arena, &error);
    bad |= SUITE_(flow_sample)(&flow, 9, 0, &x, was) != LFT_OK;
    SUITE_(model_info_of)(&info, &theory);
    bad |= SUITE_(model_save)(&flow, &info, lft_memory_writer(&text, file, sizeof file), arena, &error) != LFT_OK;
    size  = text.at;
    after = lft_arena_of(bath_more, sizeof bath_more);
    bad |= lft_safetensors_load(lft_memory_reader(&text, file, size), &after, &doc, &error) != LFT_OK;
    bad |= SUITE_(model_desc)(&doc, NULL, &d, &info, &after, &error) != LFT_OK;
    check_true(suite_name("model: written and read"), !bad);
    if (bad) return;
    check_true(suite_name("model: desc of the prior"), d.prior.kind == LFT_PRIOR_HEATBATH && !(d.prior.beta < beta) &&
                                                           !(d.prior.beta > beta) && d.prior.updates == 7);
    bad |= SUITE_(flow_init)(&other, &d, &after, &error) || SUITE_(model_restore)(&other, &doc, &error);
    bad |= SUITE_(flow_sample)(&other, 9, 0, &x, is) != LFT_OK;
    check_true(suite_name("model: the same samples"), !bad && !memcmp(was, is, sizeof was));
    check_true(suite_name("model: other updates are another prior"),
               !SUITE_(make)(&flow, L, beta, 8, NULL, &arena, &error) &&
                   SUITE_(model_restore)(&flow, &doc, &error) == LFT_ERR_MISMATCH && strstr(error.text, "'prior.spec'"));
    check_true(suite_name("model: another coupling is another prior"),
               !SUITE_(make)(&flow, L, beta + 1e-3, 7, NULL, &arena, &error) &&
                   SUITE_(model_restore)(&flow, &doc, &error) == LFT_ERR_MISMATCH);
    spec    = (double *)(uintptr_t)lft_safetensors_find(&doc, "prior.spec")->data;
    spec[2] = 0;
    check_true(suite_name("model: no updates are an error"), SUITE_(model_desc)(&doc, NULL, &d, NULL, &after, &error) ==
                                                                 LFT_ERR_FORMAT && strstr(error.text, "updates"));
    spec[2] = 7, spec[1] = 101;
    check_true(suite_name("model: a coupling beyond the bounds"), SUITE_(model_desc)(&doc, NULL, &d, NULL, &after, &error) ==
                                                                      LFT_ERR_FORMAT && strstr(error.text, "0 to 100"));
}

static void SUITE_(errors)(void)
{
    SUITE_(flow) flow;
    lft_arena    arena;
    lft_error    error;
    check_true(suite_name("an extent of 1"), SUITE_(make)(&flow, 1, 1, 0, NULL, &arena, &error) == LFT_ERR_ARG &&
                                                 strstr(error.text, "at least 2"));
    check_true(suite_name("beta below 0"), SUITE_(make)(&flow, 2, -1, 0, NULL, &arena, &error) == LFT_ERR_ARG);
    check_true(suite_name("beta that is no number"), SUITE_(make)(&flow, 2, strtod("nan", NULL), 0, NULL, &arena,
                                                                   &error) == LFT_ERR_ARG);
    check_true(suite_name("updates below 1"), SUITE_(make)(&flow, 2, 1, -1, NULL, &arena, &error) == LFT_ERR_ARG &&
                                                  strstr(error.text, "updates"));
    check_true(suite_name("too many updates"), SUITE_(make)(&flow, 2, 1, 65536, NULL, &arena, &error) == LFT_ERR_ARG);
}

/* From coarse lattices to fine ones: the heat bath in place of the first flow. */
static void SUITE_(scales)(void)
{
    SUITE_(multiscale_desc) of;
    SUITE_(flow_desc)       d;
    SUITE_(flow)            flow;
    SUITE_(batch)           x;
    lft_arena               list = lft_arena_of(bath_more, sizeof bath_more), arena = lft_arena_of(bath_memory, sizeof bath_memory);
    lft_error               error;
    double                  logq[6], given[6], off = 0, coarse;
    int                     mu, i, bad;
    memset(&of, 0, sizeof of);
    for (mu = 0; mu < SUITE_DIM; ++mu) of.extent[mu] = mu ? 2 : 4;
    of.prior.kind = LFT_PRIOR_HEATBATH, of.flow.beta = 1.5, of.flow.order = 1, of.flow.steps = 3;
    bad = SUITE_(multiscale)(&d, &of, &list, &error) || SUITE_(flow_init)(&flow, &d, &arena, &error);
    check_true(suite_name("scales: no errors"), !bad);
    if (bad) return;
    coarse = SUITE_(multiscale_beta)(&flow, 0, 1.5, list);
    check_true(suite_name("scales: from a lattice of two sites along each axis"), d.extent[0] == 2 && d.extent[SUITE_DIM - 1] == 2);
    check_true(suite_name("scales: two layers, the first doubles"), d.layers == 2 && d.layer->ops == SUITE_(doubling)());
    check_near(suite_name("scales: the coupling of that lattice"), d.prior.beta, coarse, 1e-12);
    check_true(suite_name("scales: is another"), coarse > 0 && fabs(coarse - 1.5) > 1e-3);
    bad |= SUITE_(batch_init)(&x, &flow.lattice, 6, &arena, &error) || SUITE_(flow_sample)(&flow, 3, 0, &x, logq);
    bad |= SUITE_(flow_logq)(&flow, &x, given) != LFT_OK;
    for (i = 0; i < 6; ++i) test_worst(&off, given[i] - logq[i]);
    check_below(suite_name("scales: log q of the same configurations, given"), bad ? 1 : off, 1e-9);
    of.prior.beta = 0.75;
    bad |= SUITE_(multiscale)(&d, &of, &list, &error) != LFT_OK;
    check_near(suite_name("scales: a coupling of its own"), d.prior.beta, 0.75, 0);
}

static void SUITE_(tests)(const char *name)
{
    const double beta = SUITE_GROUP == LFT_U1 ? 1.1 : SUITE_GROUP == LFT_SU2 ? 2.2 : 4;
    suite_case = name;
    printf("%s\n", name);
    SUITE_(density)(SUITE_DIM == 2 ? 4 : 2, SUITE_DIM == 2 ? 2.5 * beta : beta, SUITE_DIM == 2 ? 2000 : 600);
    SUITE_(gradient)(SUITE_DIM == 2 ? 3 : 2, beta);
    SUITE_(model)(2, beta);
    SUITE_(errors)();
    SUITE_(scales)();
}

#include "../suite_end.h"
