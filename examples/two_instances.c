/* two_instances.c: two theories in one file, side by side: phi^4 on a ring in double precision, and in two dimensions
 * in single precision. The second has a trivial axis, so both are the same theory and must agree.
 * SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -I. examples/two_instances.c -o build/examples/two_instances -lm */
#include <math.h>
#include <stdio.h>

#define LFT_IMPLEMENTATION
#define LFT_NAME  ring
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   1
#define LFT_UPTO  LFT_SAMPLE
#include "lftflow.h" /* undefines the parameters, so the next instance starts clean */

#define LFT_NAME  plane
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F32
#define LFT_UPTO  LFT_SAMPLE
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

static LFT_ARENA(memory, 8 << 20);

int main(void)
{
    lft_arena      arena = lft_arena_of(memory, sizeof memory);
    ring_hmc_desc  d1    = {.extent = {8}, .seed = 1};
    plane_hmc_desc d2    = {.extent = {1, 8}, .seed = 2};
    ring_theory    s1;
    plane_theory   s2;
    ring_hmc       h1;
    plane_hmc      h2;
    double         sum1 = 0, sum2 = 0, S[64];
    int            i, c, n = 1000;

    if (ring_phi4_init(&s1, -2, 4, NULL) || plane_phi4_init(&s2, -2, 4, NULL)) return 1;
    if (ring_hmc_init(&h1, &s1, &d1, &arena, NULL) || plane_hmc_init(&h2, &s2, &d2, &arena, NULL)) return 1;
    if (ring_hmc_thermalise(&h1, 100) || plane_hmc_thermalise(&h2, 100)) return 1;
    for (i = 0; i < n; ++i) {
        if (ring_hmc_next(&h1) || plane_hmc_next(&h2)) return 1;
        ring_action(&s1, &h1.x, S);
        for (c = 0; c < 64; ++c) sum1 += S[c] / 64;
        plane_action(&s2, &h2.x, S);
        for (c = 0; c < 64; ++c) sum2 += S[c] / 64;
    }
    printf("<S>/V  ring, double, %d lanes: %.4f   plane, single, %d lanes: %.4f\n", ring_lanes(), sum1 / n / 8,
           plane_lanes(), sum2 / n / 8);
    return fabs(sum1 - sum2) / n / 8 > 0.01;
}
