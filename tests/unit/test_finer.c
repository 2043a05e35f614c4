/* test_finer.c: what twice the integration steps say about log Z: against epsilon, and against steps so many that nothing is left;
 * the flow is as before; what is refused. The second half of this file is compiled once per instance. */
#ifndef T
#include "../test.h"

#define LFT_STATIC
enum { N = 4096, MEASURED = 512 };
static unsigned char memory[64 << 20];

#define T       s2
#define T_TEXT  "scalar 2D"
#define T_GROUP LFT_SCALAR
#include "test_finer.c"
#define T       u2
#define T_TEXT  "U(1) 2D"
#define T_GROUP LFT_U1
#include "test_finer.c"

int main(void)
{
    s2_flow_desc scalar;
    u2_flow_desc gauge;
    s2_theory    phi4;
    u2_theory    wilson;
    memset(&scalar, 0, sizeof scalar);
    memset(&gauge, 0, sizeof gauge);
    scalar.continuous.steps = 1;
    check_true("phi4", s2_phi4_init(&phi4, -2.0, 4.0, NULL) == LFT_OK);
    s2_suite(&scalar, &phi4, 100);
    gauge.continuous.steps = 2, gauge.continuous.order = 2, gauge.continuous.beta = 2;
    check_true("Wilson", u2_wilson_init(&wilson, 2.0, 0, NULL) == LFT_OK);
    u2_suite(&gauge, &wilson, 0);
    return test_end();
}

#else
#define LFT_NAME  T
#define LFT_GROUP T_GROUP
#define LFT_DIM   2
#include "../instance.h"

#define T_PASTE_(a, b) a##_##b
#define T_PASTE(a, b)  T_PASTE_(a, b)
#define T_(name)       T_PASTE(T, name)

/* -S - log q of samples 0 ... N - 1 as the flow is. */
static void T_(weights)(T_(flow) *flow, const T_(theory) *theory, T_(batch) *x, double *logw)
{
    static double S[N];
    int           i;
    check_true(T_TEXT ": sample", T_(flow_sample)(flow, 3, 0, x, logw) == LFT_OK);
    T_(action)(theory, x, S);
    for (i = 0; i < N; ++i) logw[i] = -S[i] - logw[i];
}

/* 4 x 4, after `trained` steps of training with 16 integration steps. */
static void T_(suite)(T_(flow_desc) *d, const T_(theory) *theory, int trained)
{
    static double    logw[N], finer[N], own[N], twice[N], many[N], exact[MEASURED];
    const int        steps = d->continuous.steps;
    lft_arena        arena = lft_arena_of(memory, sizeof memory);
    lft_weight_shift shift, rest, epsilon;
    T_(flow)         flow;
    T_(batch)        x;
    size_t           i;
    d->extent[0] = d->extent[1] = 4;
    d->continuous.most_steps    = 32;
    check_true(T_TEXT ": flow", T_(flow_init)(&flow, d, &arena, NULL) == LFT_OK);
    check_true(T_TEXT ": batch", T_(batch_init)(&x, &flow.lattice, N, &arena, NULL) == LFT_OK);
    if (trained) {
        lft_train_desc train;
        memset(&train, 0, sizeof train);
        train.steps = (uint64_t)trained, train.batch = 64, train.seed = 1, train.guard_every = -1;
        check_true(T_TEXT ": enough steps", T_(flow_refine)(&flow, 16) == LFT_OK);
        check_true(T_TEXT ": training", T_(train)(&flow, theory, &train, arena) == LFT_OK);
        check_true(T_TEXT ": too few", T_(flow_refine)(&flow, steps) == LFT_OK);
    }
    T_(weights)(&flow, theory, &x, own);
    check_true(T_TEXT ": twice the steps", T_(flow_refine)(&flow, 2 * steps) == LFT_OK);
    T_(weights)(&flow, theory, &x, twice);
    check_true(T_TEXT ": many steps", T_(flow_refine)(&flow, 32) == LFT_OK);
    T_(weights)(&flow, theory, &x, many);
    check_true(T_TEXT ": its steps", T_(flow_refine)(&flow, steps) == LFT_OK);

    check_true(T_TEXT ": finer", T_(flow_finer_weights)(&flow, theory, 3, 0, &x, logw, finer, arena) == LFT_OK);
    check_true(T_TEXT ": log-weights of its own steps", memcmp(logw, own, sizeof own) == 0);
    check_true(T_TEXT ": log-weights of twice as many", memcmp(finer, twice, sizeof twice) == 0);
    check_true(T_TEXT ": its own steps again", flow.layer[0].steps == steps);
    T_(weights)(&flow, theory, &x, logw);
    check_true(T_TEXT ": the same samples again", memcmp(logw, own, sizeof own) == 0);

    shift = lft_weigh_pair(own, twice, N);
    rest  = lft_weigh_pair(twice, many, N);
    check_true(T_TEXT ": steps that are too long shift log Z", fabs(shift.logz_shift) > 5 * shift.logz_error);
    check_true(T_TEXT ": twice as many leave less than a fifth", fabs(rest.logz_shift) < 0.2 * fabs(shift.logz_shift));
    for (i = 0; i < MEASURED; ++i) { /* w exp(epsilon) is the weight by the density of the discrete map */
        lft_logq_error e;
        memset(&e, 0, sizeof e);
        check_true(T_TEXT ": epsilon", T_(flow_logq_error)(&flow, 3, i, 1, &e, arena) == LFT_OK);
        exact[i] = own[i] + e.mean;
    }
    epsilon = lft_weigh_pair(own, exact, MEASURED);
    check_near(T_TEXT ": the shift is that of epsilon", shift.logz_shift, epsilon.logz_shift,
               4 * hypot(epsilon.logz_error, shift.logz_error) + 0.1 * fabs(epsilon.logz_shift));
    check_true(T_TEXT ": std is of its size", shift.std > epsilon.std / 4 && shift.std < 4 * epsilon.std);

    arena = lft_arena_of(memory, sizeof memory);
    d->continuous.most_steps = 2 * steps - 1;
    check_true(T_TEXT ": flow of few steps", T_(flow_init)(&flow, d, &arena, NULL) == LFT_OK);
    check_true(T_TEXT ": batch", T_(batch_init)(&x, &flow.lattice, N, &arena, NULL) == LFT_OK);
    check_true(T_TEXT ": beyond most_steps",
               T_(flow_finer_weights)(&flow, theory, 3, 0, &x, logw, finer, arena) == LFT_ERR_ARG && flow.error.text[0]);
    check_true(T_TEXT ": steps as before", flow.layer[0].steps == steps);
    arena = lft_arena_of(memory, 8 * N - 1);
    check_true(T_TEXT ": too little memory", T_(flow_finer_weights)(&flow, theory, 3, 0, &x, logw, finer, arena) == LFT_ERR_NOMEM);
}

#undef T
#undef T_TEXT
#undef T_GROUP
#undef T_PASTE_
#undef T_PASTE
#undef T_
#endif
