/* embed.c: lftflow inside an existing program that keeps its configurations in plain row-major arrays.
 * SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -I. examples/embed.c -o build/examples/embed -lm
 *
 * The program has a field of its own, updated by its own Metropolis algorithm. After each sweep it asks for the action
 * of that field and for its log q under a flow, and offers it a sample of the flow in exchange: a hybrid chain. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LFT_STATIC /* everything private to this file */
#define LFT_NAME  phi4
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#include "lftflow.h"

enum { L = 4, V = L * L };
static const double m2 = 1.0, lambda = 1.0;

/* ---- the existing program --------------------------------------------------------------------------------------- */

static double phi[L][L]; /* its field */

static double local_action(int x, int y, double p)
{
    double n = phi[(x + 1) % L][y] + phi[(x + L - 1) % L][y] + phi[x][(y + 1) % L] + phi[x][(y + L - 1) % L];
    return p * ((4 + m2) * p + lambda * p * p * p - 2 * n);
}

static double uniform(void)
{
    return (rand() + 0.5) / ((double)RAND_MAX + 1);
}

static void sweep(void)
{
    int x, y;
    for (x = 0; x < L; ++x) {
        for (y = 0; y < L; ++y) {
            double p = phi[x][y] + 2 * (uniform() - 0.5);
            if (uniform() < exp(local_action(x, y, phi[x][y]) - local_action(x, y, p))) phi[x][y] = p;
        }
    }
}

static double mean_square(void)
{
    double sum = 0;
    int    x, y;
    for (x = 0; x < L; ++x) {
        for (y = 0; y < L; ++y) sum += phi[x][y] * phi[x][y] / V;
    }
    return sum;
}

/* ---- what lftflow adds ------------------------------------------------------------------------------------------ */

static void check(lft_status status, const lft_error *e)
{
    if (!status) return;
    fprintf(stderr, "%s: %s\n", lft_status_str(status), e->text);
    exit(1);
}

int main(void)
{
    static LFT_ARENA(memory, 8 << 20);
    lft_arena      arena = lft_arena_of(memory, sizeof memory);
    lft_error      error = {LFT_OK, ""};
    phi4_theory    theory;
    phi4_flow      flow;
    phi4_flow_desc desc  = {.extent = {L, L}};
    lft_train_desc train = {.steps = 150, .seed = 1};
    phi4_batch     mine, theirs; /* batches of one configuration */
    double         S, logq, S_new, logq_new, sum = 0;
    uint64_t       draw;
    int            exchanged = 0;

    check(phi4_phi4_init(&theory, m2, lambda, &error), &error);
    check(phi4_flow_init(&flow, &desc, &arena, &error), &error);
    check(phi4_train(&flow, &theory, &train, arena), &flow.error);
    check(phi4_batch_init(&mine, &flow.lattice, 1, &arena, &error), &error);
    check(phi4_batch_init(&theirs, &flow.lattice, 1, &arena, &error), &error);

    for (draw = 0; draw < 2000; ++draw) {
        sweep();
        phi4_batch_set(&mine, 0, &phi[0][0]); /* configurations go in ... */
        phi4_action(&theory, &mine, &S);
        check(phi4_flow_logq(&flow, &mine, &logq), &flow.error);
        check(phi4_flow_sample(&flow, 1, draw, &theirs, &logq_new), &flow.error);
        phi4_action(&theory, &theirs, &S_new);
        if (log(uniform()) < (-S_new - logq_new) - (-S - logq)) {
            phi4_batch_get(&theirs, 0, &phi[0][0]); /* ... and out as plain arrays */
            ++exchanged;
        }
        sum += mean_square();
    }
    printf("hybrid chain: <phi^2> = %.4f, %d of %d exchanges with the flow accepted\n", sum / (double)draw, exchanged,
           (int)draw);
    return 0;
}
