/* static_arena.c: a sampler with a memory budget that is fixed when it is compiled, as on a microcontroller: no malloc,
 * no files, no training code. If the budget is too small, the error says by how much.
 * SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -I. examples/static_arena.c -o build/examples/static_arena */
#include <stdio.h>

#define LFT_IMPLEMENTATION
#define LFT_NAME  phi4
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F32
#define LFT_UPTO  LFT_SAMPLE /* no gradients */
#define LFT_LANES 1          /* one configuration at a time */
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

enum { BUDGET = 12 << 10 };
static LFT_ARENA(memory, BUDGET);

int main(void)
{
    lft_arena       arena = lft_arena_of(memory, sizeof memory);
    lft_error       error = {LFT_OK, ""};
    phi4_flow_desc  desc  = {.extent = {4, 4}, .continuous = {.sines = 4, .gates = -1, .steps = 4, .most_steps = 4}};
    phi4_chain_desc start = {.chains = 1, .seed = 1};
    phi4_theory     theory;
    phi4_flow       flow;
    phi4_chain      chain;
    double          S, mean = 0;
    int             i, n = 20000;

    phi4_phi4_init(&theory, 1, 0.5, &error);
    if (phi4_flow_init(&flow, &desc, &arena, &error) ||
        phi4_chain_init(&chain, &flow, &theory, &start, &arena, &error)) {
        printf("%s\n", error.text); /* e.g. flow: arena: needs 29823 bytes, has 16384 */
        return 1;
    }
    for (i = 0; i < n; ++i) { /* at this small coupling the free field that an untrained flow is will do */
        if (phi4_chain_next(&chain)) return 1;
        phi4_action(&theory, &chain.x, &S);
        mean += S / n;
    }
    printf("flow and chain take %lu of %d bytes; acceptance %.2f, <S>/V = %.3f\n", (unsigned long)arena.need, (int)BUDGET,
           (double)chain.accepted / n, mean / 16);
    return 0;
}
