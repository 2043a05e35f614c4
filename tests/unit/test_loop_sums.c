/* test_loop_sums.c: force, divergence and the derivatives by the coefficients of loops in single precision on a lattice of 65536
 * sites, beside double precision: sums over sites do not lose digits. */
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  single
#define LFT_GROUP LFT_U1
#define LFT_DIM   2
#define LFT_REAL  LFT_F32
#include "../instance.h"
#define LFT_NAME  twice
#define LFT_GROUP LFT_U1
#define LFT_DIM   2
#define LFT_REAL  LFT_F64
#include "../instance.h"

enum { L = 256, LINKS = 2 * L * L, LOOPS = 4 };

/* Links near 1, so that all loops add up; in all lanes the same, and in both precisions. */
static float angle(int i, int draw) { return (float)((i * 7919 + draw * 104729) % 10007) / (draw ? 10007.0F : 30021.0F); }

int main(void)
{
    const int            extent[2] = {L, L};
    const size_t         bytes = (size_t)256 << 20;
    void                *memory = malloc(bytes);
    lft_arena            arena = lft_arena_of(memory, bytes);
    lft_error            error;
    single_lattice       ours;
    twice_lattice        theirs;
    single_p_potential   s;
    twice_p_potential    t;
    single_p_program_fields f;
    twice_p_program_fields  g;
    single_p_v          *x, *y, *force;
    twice_p_v           *u, *v, *other;
    static double        c[LOOPS] = {0.3, -0.2, 0.1, 0.05}, one[64], div[2][64], dc[2][LOOPS * 64];
    double               worst = 0;
    int                  i, k;
    check_true("memory", memory != NULL);
    check_true("lattices", !single_lattice_init(&ours, extent, &error) && !twice_lattice_init(&theirs, extent, &error));
    check_true("loops", !single_p_potential_init(&s, &ours, 0, LOOPS, &arena, &error) &&
                            !twice_p_potential_init(&t, &theirs, 0, LOOPS, &arena, &error));
    f     = single_p_potential_fields(&s, 1, &arena);
    g     = twice_p_potential_fields(&t, 1, &arena);
    x     = single_p_vectors(&arena, LINKS), y = single_p_vectors(&arena, LINKS), force = single_p_vectors(&arena, LINKS);
    u     = twice_p_vectors(&arena, LINKS), v = twice_p_vectors(&arena, LINKS), other = twice_p_vectors(&arena, LINKS);
    check_true("room", lft_arena_check(&arena, &error, "test") == LFT_OK);
    for (i = 0; i < 64; ++i) one[i] = 1;
    for (i = 0; i < LINKS; ++i) {
        for (k = 0; k < single_lanes(); ++k) ((float *)(x + i))[k] = angle(i, 0), ((float *)(y + i))[k] = angle(i, 1);
        for (k = 0; k < twice_lanes(); ++k) ((double *)(u + i))[k] = angle(i, 0), ((double *)(v + i))[k] = angle(i, 1);
    }
    single_p_potential_force(&s, c, x, force, div[0], f);
    twice_p_potential_force(&t, c, u, other, div[1], g);
    for (i = 0; i < LINKS; ++i) test_worst(&worst, ((float *)(force + i))[0] - ((double *)(other + i))[0]);
    check_below("force", worst, 1e-5);
    check_below("divergence", div[0][0] / div[1][0] - 1, 2e-6);
    single_p_potential_backward(&s, NULL, x, y, one, NULL, dc[0], f);
    twice_p_potential_backward(&t, NULL, u, v, one, NULL, dc[1], g);
    for (i = 0; i < LOOPS; ++i) {
        check_below("derivative by a coefficient", dc[0][i * single_lanes()] / dc[1][i * twice_lanes()] - 1, 2e-6);
    }
    free(memory);
    return test_end();
}
