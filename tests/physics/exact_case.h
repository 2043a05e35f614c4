/* exact_case.h: the exact flow of an instance of test_exact_physics.c: sums over its samples. A suite (suite.h). */
#include "../suite.h"
#ifndef EXACT_CASE_COMMON
#define EXACT_CASE_COMMON
#define C(name) SUITE_(name)

enum { COLUMNS = 32 };

typedef struct run_means {
    double mean[COLUMNS], square[COLUMNS], error[COLUMNS], charge[9]; /* Q = -4 ... 4 */
    int    plaquette, q2, wilson[5][5];
} run_means;

static unsigned char memory[64 << 20];
#endif

/* n samples on L^2: mean and error of the first `columns` observables with Wilson loops up to 4 x 4 (most: 0, none), their weights,
 * and for U(1) how often each charge occurs. */
static lft_weights C(measured)(int L, double beta, int n, int most, run_means *to)
{
    enum { BATCH = 128 };
    const int         extent[2] = {L, L};
    C(flow)           flow;
    C(flow_desc)      desc;
    C(theory)         theory;
    C(batch)          x;
    C(observables)    what;
    lft_arena         arena = lft_arena_of(memory, sizeof memory);
    lft_weights       w;
    lft_error         error;
    double            logq[BATCH], S[BATCH], *logw = (double *)malloc((size_t)n * sizeof *logw), *rows;
    int               i, k, c, count, q;
    memset(to, 0, sizeof *to);
    memset(&what, 0, sizeof what);
    if (C(exact_desc)(&desc, extent, beta, &arena, &error) || C(flow_init)(&flow, &desc, &arena, &error) ||
        C(wilson_init)(&theory, beta, 0, &error) || C(batch_init)(&x, &flow.lattice, BATCH, &arena, &error)) {
        check_true(error.text, 0);
    }
    what.lattice = flow.lattice, what.max_R = what.max_T = most;
    count = C(observables_count)(&what);
    rows  = (double *)lft_arena_alloc(&arena, (size_t)(BATCH * count), sizeof(double));
    q     = C(observable_find)(&what, "q");
    for (i = 0; i < n; i += BATCH) {
        if (C(flow_sample)(&flow, 21, (uint64_t)i, &x, logq)) check_true(flow.error.text, 0);
        if (C(measure)(&theory, &what, &x, rows, arena, &error)) check_true(error.text, 0);
        C(action)(&theory, &x, S);
        for (k = 0; k < BATCH; ++k) {
            const double *row = rows + k * count;
            logw[i + k] = -S[k] - logq[k];
            for (c = 0; c < count && c < COLUMNS; ++c) to->mean[c] += row[c] / n, to->square[c] += row[c] * row[c] / n;
            if (q >= 0 && fabs(row[q]) < 4.5) to->charge[(int)(row[q] + 4.5)] += 1.0 / n;
        }
    }
    for (c = 0; c < COLUMNS; ++c) to->error[c] = sqrt((to->square[c] - to->mean[c] * to->mean[c]) / n);
    for (k = 1; k <= most; ++k) {
        for (c = k; c <= most; ++c) {
            char name[32];
            snprintf(name, sizeof name, "wilson_%dx%d", k, c);
            to->wilson[k][c] = C(observable_find)(&what, name);
        }
    }
    to->plaquette = C(observable_find)(&what, "plaquette");
    to->q2        = C(observable_find)(&what, "q2");
    w             = lft_weigh(logw, (size_t)n);
    free(logw);
    return w;
}

#include "../suite_end.h"
