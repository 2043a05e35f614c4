/* loops.c: times the sweep of a potential of Wilson loops, SU(3), the eleven classes of the second order: force and divergence,
 * and their derivatives; and says what fraction of the machine's peak they reach.
 * cc -O3 -march=native -ffp-contract=fast -I. bench/loops.c -o build/bench/loops -lm
 *   build/bench/loops                the whole table, one thread
 *   build/bench/loops --case NAME    one case: one JSON line {"case": ..., "ours_ms": ...}
 * A case works on 16 configurations at once, one per lane. Each checks its result before it is timed. Times are medians, of the
 * CPU clock. Operations: the products of matrices, 216 each, and the sums and traces of those, 36 each. */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LFT_IMPLEMENTATION
#define LFT_NAME  su3
#define LFT_GROUP LFT_SU3
#define LFT_DIM   4
#define LFT_REAL  LFT_F32
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

#define BENCH(name) su3_##name
#define LOOPS       11
#include "bench.h"

typedef struct bench {
    su3_lattice          lattice;
    su3_theory           theory;
    su3_p_potential      potential;
    su3_p_program_fields work;
    su3_p_v             *links, *force, *y, *to;
    double               c[LOOPS], div[16], kappa[16], dc[LOOPS * 16];
} bench;

static void run_force(void *arg)
{
    bench *b = (bench *)arg;
    su3_p_potential_force(&b->potential, b->c, b->links, b->force, b->div, b->work);
}

static void run_backward(void *arg)
{
    bench *b = (bench *)arg;
    su3_p_potential_backward(&b->potential, b->c, b->links, b->y, b->kappa, b->to, b->dc, b->work);
}

/* Random links, and next to leading order at beta 1. To leading order the divergence is the action: that is checked. */
static void setup(bench *b, const char *name, int extent, lft_arena *arena)
{
    const int    extents[4] = {extent, extent, extent, extent};
    const size_t algebra    = (size_t)(4 * 8) * (size_t)(extent * extent * extent * extent);
    double       order[2][160], matrix[LOOPS * LOOPS], S[16];
    lft_error    error;
    int          i;
    if (su3_lattice_init(&b->lattice, extents, NULL) || su3_wilson_init(&b->theory, 1, 0, NULL)) die(name, "init");
    if (su3_p_potential_init(&b->potential, &b->lattice, 0, LOOPS, arena, &error)) die(name, error.text);
    b->work  = su3_p_potential_fields(&b->potential, 1, arena);
    b->links = su3_p_vectors(arena, algebra / 8 * 18);
    b->force = su3_p_vectors(arena, algebra);
    b->y     = su3_p_vectors(arena, algebra);
    b->to    = su3_p_vectors(arena, algebra);
    su3_p_group_haar(lft_draw_of(1, 0, 0, 0), &b->lattice, b->links);
    su3_p_potential_start(&b->potential, 2, order, matrix);
    memcpy(b->c, order[0], sizeof b->c);
    run_force(b);
    b->theory.action(&b->theory, &b->lattice, (const float *)b->links, S, NULL);
    for (i = 0; i < su3_lanes(); ++i) {
        if (!(fabs(S[i] - b->div[i]) < 1e-3)) die(name, "divergence and action do not agree");
        b->kappa[i] = 1;
    }
    memcpy(b->y, b->force, algebra * sizeof(su3_p_v));
    for (i = 0; i < LOOPS; ++i) b->c[i] += order[1][i];
}

/* bench.h says what it does. */
static double bench_run_case(const char *name, double *flops)
{
    static bench b;
    lft_arena    arena = lft_arena_of(memory, memory_bytes);
    const char  *dash  = strrchr(name, 'L');
    const int    extent = dash ? atoi(dash + 1) : 0, backward = !strncmp(name, "backward-L", 10);
    double       products, sums;
    *flops = 0;
    if (extent < 3 || extent > 8 || (!backward && strncmp(name, "force-L", 7))) return -1;
    setup(&b, name, extent, &arena);
    products = backward ? 9.0 * b.potential.program.paths + 3 * 4 : 3.0 * b.potential.program.paths + 4;
    sums     = backward ? 12.0 * b.potential.program.loops : 3.0 * b.potential.program.loops;
    *flops   = (216 * products + 36 * sums) * b.lattice.volume * su3_lanes();
    return 1e3 * time_of(backward ? run_backward : run_force, &b);
}

int main(int argc, char **argv)
{
    static const bench_kind kind[] = {{"force-L", {4, 8, 0}}, {"backward-L", {4, 8, 0}}};
    return bench_main(argc, argv, "SU(3), d = 4, eleven classes of loops, f32, all lanes, one thread", kind,
                      (int)(sizeof kind / sizeof *kind));
}
