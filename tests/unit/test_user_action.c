/* test_user_action.c: the example with an action of the user's own: the force of every link, in every lane, by differences, and
 * the example itself, which compares HMC with an exact number. */
#define main example
#include "../../examples/manton.c"
#undef main
#include "../test.h"

int main(void)
{
    static LFT_ARENA(fields, 1 << 20);
    lft_arena       arena  = lft_arena_of(fields, sizeof fields);
    const u1_theory theory = manton(2.3);
    const int       extent[2] = {T, L};
    u1_lattice      lattice;
    u1_batch        x, force;
    u1_real         links[2 * V];
    double          S[1];
    int             i;
    check_true("memory", !u1_lattice_init(&lattice, extent, NULL) && !u1_batch_init(&x, &lattice, 1, &arena, NULL) &&
               !u1_momenta_init(&force, &lattice, 1, &arena, NULL));
    for (i = 0; i < 2 * V; ++i) links[i] = 0.7 * sin(1.3 * i);
    u1_batch_set(&x, 0, links);
    check_below("force of Manton's action by differences", force_error(&theory, &x, &force, S), 1e-8);
    check_near("<theta^2> of a Gaussian, large beta and volume", exact(50, 10000) * 50, 1, 2e-4);
    check_true("the example: HMC gives the exact <theta^2>", example() == 0);
    return test_end();
}
