/* su3.c: times the kernels of SU(3) in four dimensions and says what fraction of the machine's peak they reach; and the
 * same update of one configuration in scalar code, as a program without lanes would have it.
 * cc -O3 -march=native -ffp-contract=fast -I. bench/su3.c -o build/bench/su3 -lm
 *   build/bench/su3                  the whole table, one thread
 *   build/bench/su3 --case NAME      one case: one JSON line {"case": ..., "ours_ms": ...}
 * A case of 16 lanes works on 16 configurations at once. Each checks its result before it is timed. Times are medians, of the
 * CPU clock. Operations: a product 198, the others what the library does per plaquette or link. */
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
#define LFT_NAME  one /* the same without lanes: a conventional program, for one configuration at a time */
#define LFT_GROUP LFT_SU3
#define LFT_DIM   4
#define LFT_REAL  LFT_F32
#define LFT_LANES 1
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

#define BENCH(name) su3_##name
#include "bench.h"

enum { CARRY = 250, PRODUCT = 198 }; /* operations */

typedef struct bench {
    const char  *name;
    su3_theory   theory;
    su3_hmc      hmc;
    su3_heatbath bath;
    one_theory   one_theory;
    one_heatbath one;
    su3_batch    force;
    su3_lattice *lattice;
    su3_p_v     *links, *other;
    double       S[16];
} bench;

static void setup(bench *b, int extent, lft_arena *arena)
{
    su3_hmc_desc d;
    int          i;
    memset(&d, 0, sizeof d);
    for (i = 0; i < 4; ++i) d.extent[i] = extent;
    d.chains = su3_lanes(), d.start = LFT_START_HOT, d.steps = 10, d.seed = 1;
    if (su3_wilson_init(&b->theory, 6, 0, NULL) || su3_hmc_init(&b->hmc, &b->theory, &d, arena, NULL)) die(b->name, "init");
    if (su3_momenta_init(&b->force, &b->hmc.x.lattice, d.chains, arena, NULL)) die(b->name, "init");
    b->lattice = &b->hmc.x.lattice;
    b->links   = (su3_p_v *)(void *)b->hmc.x.data;
    b->other   = su3_p_vectors(arena, (size_t)b->lattice->volume * 4 * 18);
}

/* Every link times the link of the next direction. */
static void run_product(void *arg)
{
    bench *b = (bench *)arg;
    int    i, n = 4 * b->lattice->volume;
    for (i = 0; i < n; ++i) su3_p_product(b->other + 18 * i, b->links + 18 * i, 0, b->links + 18 * (i ^ 1), 0);
}

static void run_staples(void *arg)
{
    bench           *b    = (bench *)arg;
    const su3_p_walk walk = su3_p_walk_of(b->lattice);
    su3_p_place      p    = su3_p_first_place();
    int              x, mu;
    for (x = 0; x < b->lattice->volume; ++x, su3_p_next_place(b->lattice, &p)) {
        for (mu = 0; mu < 4; ++mu) su3_p_staples(&walk, b->links, p, mu, (su3_p_u *)(void *)(b->other + 18 * (4 * x + mu)));
    }
}

static void run_force(void *arg)
{
    bench *b = (bench *)arg;
    b->theory.action(&b->theory, b->lattice, (const float *)b->links, b->S, b->force.data);
}

static void run_trajectory(void *arg)
{
    bench *b = (bench *)arg;
    if (su3_hmc_next(&b->hmc)) die(b->name, b->hmc.error.text);
}

static void run_heatbath(void *arg)
{
    bench *b = (bench *)arg;
    if (su3_heatbath_next(&b->bath)) die(b->name, b->bath.error.text);
}

static void run_one_heatbath(void *arg)
{
    bench *b = (bench *)arg;
    if (one_heatbath_next(&b->one)) die(b->name, b->one.error.text);
}

/* One sweep of the heat bath, no overrelaxation: all lanes, and one chain without them. */
static void setup_heatbath(bench *b, int extent, lft_arena *arena)
{
    su3_heatbath_desc d;
    one_heatbath_desc o;
    int               i;
    memset(&d, 0, sizeof d);
    memset(&o, 0, sizeof o);
    for (i = 0; i < 4; ++i) d.extent[i] = o.extent[i] = extent;
    d.chains = su3_lanes(), o.chains = 1, d.overrelax = o.overrelax = -1;
    if (one_wilson_init(&b->one_theory, 6, 0, NULL)) die(b->name, "init");
    if (su3_heatbath_init(&b->bath, &b->theory, &d, arena, NULL)) die(b->name, "init");
    if (one_heatbath_init(&b->one, &b->one_theory, &o, arena, NULL)) die(b->name, "init");
    if (su3_heatbath_thermalise(&b->bath, 10) || one_heatbath_thermalise(&b->one, 10)) die(b->name, "thermalise");
}

/* The staples give the action too: 1/4 of the sum over links of Re tr U W. */
static void check_staples(bench *b)
{
    double  sum[16], worst = 0;
    su3_p_v re;
    int     i, l;
    run_staples(b);
    run_force(b);
    memset(sum, 0, sizeof sum);
    for (i = 0; i < 4 * b->lattice->volume; ++i) {
        su3_p_sum_inner((su3_p_u *)(void *)(b->links + 18 * i), (su3_p_u *)(void *)(b->other + 18 * i), 0, &re, NULL);
        su3_p_add_wide(sum, re);
    }
    for (l = 0; l < su3_lanes(); ++l) worst = fmax(worst, fabs(-2 * sum[l] / 4 - b->S[l]) / (6.0 * b->lattice->volume));
    if (!(worst < 1e-5)) die(b->name, "staples and action do not agree");
}

static void check_product(bench *b)
{
    su3_p_u c;
    float   x[18 * 16], y[18 * 16];
    int     i;
    run_product(b);
    su3_p_mul(&c, (su3_p_u *)(void *)b->links, (su3_p_u *)(void *)(b->links + 18));
    memcpy(x, b->other, sizeof(su3_p_u));
    memcpy(y, &c, sizeof(su3_p_u));
    for (i = 0; i < 18 * su3_lanes(); ++i) {
        if (!(fabs((double)x[i] - (double)y[i]) < 1e-5)) die(b->name, "products do not agree");
    }
}

/* bench.h says what it does. */
static double bench_run_case(const char *name, double *flops)
{
    static bench b;
    lft_arena    arena = lft_arena_of(memory, memory_bytes);
    const char  *dash  = strrchr(name, 'L');
    int          extent = dash ? atoi(dash + 1) : 0;
    double       links, plaquettes;
    memset(&b, 0, sizeof b);
    b.name = name;
    *flops = 0;
    if (extent < 2 || extent > 8) return -1;
    links      = 4.0 * pow(extent, 4) * su3_lanes();
    plaquettes = 1.5 * links;
    setup(&b, extent, &arena);
    if (!strncmp(name, "product-L", 9)) {
        check_product(&b);
        *flops = PRODUCT * links;
        return 1e3 * time_of(run_product, &b);
    }
    if (!strncmp(name, "staples-L", 9)) {
        check_staples(&b);
        *flops = (12 * PRODUCT + 6 * 18) * links;
        return 1e3 * time_of(run_staples, &b);
    }
    if (!strncmp(name, "force-L", 7)) {
        check_staples(&b);
        *flops = (3 * PRODUCT + 2 * CARRY + 4 * 16 + 20) * plaquettes;
        return 1e3 * time_of(run_force, &b);
    }
    if (!strncmp(name, "heatbath-L", 10) || !strncmp(name, "heatbath-one-L", 14)) {
        setup_heatbath(&b, extent, &arena);
        return 1e3 * time_of(name[9] == 'o' ? run_one_heatbath : run_heatbath, &b);
    }
    if (!strncmp(name, "trajectory-L", 12)) return 1e3 * time_of(run_trajectory, &b);
    return -1;
}

int main(int argc, char **argv)
{
    static const bench_kind kind[] = {{"product-L", {4, 8, 0}}, {"staples-L", {4, 8, 0}}, {"force-L", {4, 8, 0}},
                                      {"trajectory-L", {4, 8, 0}}, {"heatbath-L", {4, 8, 0}},
                                      {"heatbath-one-L", {4, 8, 0}}};
    return bench_main(argc, argv, "SU(3), d = 4, f32, all lanes, one thread; trajectory: 10 steps of Omelyan, 21 forces;\n"
                      "heatbath: a sweep of as many chains as lanes; heatbath-one: of one chain, scalar code", kind,
                      (int)(sizeof kind / sizeof *kind));
}
