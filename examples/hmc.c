/* hmc.c: Hybrid Monte Carlo alone, for a lattice in three dimensions; no flow is compiled into the program.
 * SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -I. examples/hmc.c -o build/examples/hmc -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LFT_IMPLEMENTATION
#define LFT_NAME  phi4
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   3
#define LFT_UPTO  LFT_SAMPLE
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

static void check(lft_status status, const lft_error *e)
{
    if (!status) return;
    fprintf(stderr, "%s: %s\n", lft_status_str(status), e->text);
    exit(1);
}

int main(void)
{
    const int     chains = 64, trajectories = 500;
    lft_error     error  = {LFT_OK, ""};
    phi4_hmc_desc desc   = {.extent = {6, 6, 6}, .chains = chains, .seed = 1};
    size_t        bytes  = phi4_hmc_bytes(&desc) + ((size_t)16 << 20); /* and room for the measurements */
    void         *memory = malloc(bytes);
    lft_arena     arena  = lft_arena_of(memory, bytes);
    phi4_theory   theory;
    phi4_hmc      hmc;
    lft_series    series;
    double        count = (double)chains * trajectories;
    int           i;

    if (!memory) return 1;
    check(phi4_phi4_init(&theory, 1.0, 1.0, &error), &error);
    check(phi4_hmc_init(&hmc, &theory, &desc, &arena, &error), &error);
    check(phi4_hmc_thermalise(&hmc, 200), &hmc.error); /* tunes the step size, too */
    check(lft_series_init(&series, phi4_observables_count(&hmc.x.lattice), chains, (size_t)trajectories, &arena,
                          &error), &error);
    for (i = 0; i < trajectories; ++i) {
        check(phi4_hmc_next(&hmc), &hmc.error);
        check(phi4_measure_into(&theory, &hmc.x, &series, arena, &error), &error);
    }
    printf("6x6x6, m2 = 1, lambda = 1: %d trajectories of %d chains, %d steps each\n", trajectories, chains, hmc.steps);
    printf("acceptance %.3f, <exp(-dH)> %.4f (exactly 1)\n", (double)hmc.accepted / count, hmc.exp_dH / count);
    for (i = 0; i < LFT_OBSERVABLES; ++i) {
        lft_estimate e = phi4_observe(&series, &theory, &hmc.x.lattice, i, arena, &error);
        printf("%-9s %10.6f +- %.6f   tau_int %.2f%s\n", phi4_observable_name(i), e.value, e.error, e.tau_int,
               e.reliable ? "" : "   unreliable");
    }
    free(memory);
    return 0;
}
