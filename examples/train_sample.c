/* train_sample.c: train a flow for phi^4 on 6x6 sites, then sample exactly with independence Metropolis.
 * SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -I. examples/train_sample.c -o build/examples/train_sample -lm */
#include <stdio.h>
#include <stdlib.h>

#define LFT_IMPLEMENTATION
#define LFT_NAME  phi4
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F32
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

static LFT_ARENA(memory, 8 << 20); /* all the memory there is */

static int progress(void *user, const lft_train_report *r)
{
    (void)user;
    if (r->step % 50 == 0) {
        fprintf(stderr, "step %4lu  loss %8.4f (KL - log Z, may be negative)  ESS of the batch %.3f\n",
                (unsigned long)r->step, r->loss, r->ess);
    }
    return 0; /* anything else stops the training */
}

static void check(lft_status status, const lft_error *e)
{
    if (!status) return;
    fprintf(stderr, "%s: %s\n", lft_status_str(status), e->text);
    exit(1);
}

int main(void)
{
    const int       chains = 64, rounds = 400;
    lft_arena       arena = lft_arena_of(memory, sizeof memory);
    lft_error       error = {LFT_OK, ""};
    phi4_theory     theory;
    phi4_flow       flow;
    phi4_chain      chain;
    phi4_flow_desc  desc  = {.extent = {6, 6}};
    lft_train_desc  train = {.steps = 300, .seed = 1, .report = progress};
    phi4_chain_desc start = {.chains = chains, .seed = 2};
    lft_series      series;
    static double   logw[64 * 400];
    int             i, c;

    check(phi4_phi4_init(&theory, -4, 6.975, &error), &error);
    check(phi4_flow_init(&flow, &desc, &arena, &error), &error);
    check(phi4_train(&flow, &theory, &train, arena), &flow.error); /* a copy of the arena: scratch */

    check(phi4_chain_init(&chain, &flow, &theory, &start, &arena, &error), &error);
    check(lft_series_init(&series, phi4_observables_count(&flow.lattice), chains, (size_t)rounds, &arena, &error),
          &error);
    for (i = 0; i < rounds; ++i) {
        check(phi4_chain_next(&chain), &chain.error);
        check(phi4_measure_into(&theory, &chain.x, &series, arena, &error), &error);
        for (c = 0; c < chains; ++c) logw[i * chains + c] = chain.proposal_logw[c];
    }

    lft_weights w = lft_weigh(logw, sizeof logw / sizeof *logw);
    printf("ESS %.4f (N = %zu)  acceptance %.3f  log Z %.4f(%.4f)\n", w.ess, w.n,
           (double)chain.accepted / (double)(chain.steps * (uint64_t)chains), w.logz, w.logz_error);
    for (i = 0; i < LFT_OBSERVABLES; ++i) {
        lft_estimate e = phi4_observe(&series, &theory, &flow.lattice, i, arena, &error);
        printf("%-9s %10.6f +- %.6f   tau_int %.2f%s\n", phi4_observable_name(i), e.value, e.error, e.tau_int,
               e.reliable ? "" : "   unreliable");
    }
    return 0;
}
