/* manton.c: an action of one's own for gauge fields: Manton's for U(1) in two dimensions, S = beta / 2 sum of theta^2 over the
 * plaquettes, theta in [-pi, pi] their angle (Phys. Lett. B 96 (1980) 328). Its force is checked by differences of S, and
 * Hybrid Monte Carlo with it against the exact <theta^2> of the torus. SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -I. examples/manton.c -o build/examples/manton -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LFT_IMPLEMENTATION
#define LFT_NAME  u1
#define LFT_GROUP LFT_U1
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

enum { T = 4, L = 6, V = T * L, CHAINS = 64, TRAJECTORIES = 400 };
static const double pi = 3.14159265358979323846;

/* links[site][mu][lane] are angles; S[lane]; dS, unless NULL, as links. Sites are row-major, the lane is the configuration. */
static void manton_action(const u1_theory *theory, const u1_lattice *lattice, const u1_real *links, double *S, u1_real *dS)
{
    const double beta  = theory->coupling[0];
    const int    lanes = u1_lanes(), *extent = lattice->extent;
    int          x, y, l, i;
    for (l = 0; l < lanes; ++l) S[l] = 0;
    for (i = 0; dS && i < lattice->volume * 2 * lanes; ++i) dS[i] = 0;
    for (x = 0; x < extent[0]; ++x) {
        for (y = 0; y < extent[1]; ++y) {
            const int here = x * extent[1] + y, up = (x + 1) % extent[0] * extent[1] + y;
            const int right = x * extent[1] + (y + 1) % extent[1];
            const int a = (2 * here) * lanes, b = (2 * up + 1) * lanes; /* there: U_0(x) U_1(x + 0) ... */
            const int c = (2 * right) * lanes, d = (2 * here + 1) * lanes; /* ... and back: U_0(x + 1)^+ U_1(x)^+ */
            for (l = 0; l < lanes; ++l) {
                const double theta = remainder(links[a + l] + links[b + l] - links[c + l] - links[d + l], 2 * pi);
                S[l] += 0.5 * beta * theta * theta;
                if (!dS) continue;
                dS[a + l] += beta * theta, dS[b + l] += beta * theta;
                dS[c + l] -= beta * theta, dS[d + l] -= beta * theta;
            }
        }
    }
}

static u1_theory manton(double beta)
{
    static const char *const name[] = {"beta"};
    u1_theory theory = {.name = "manton", .couplings = 1, .coupling_name = name, .action = manton_action};
    theory.coupling[0] = beta;
    return theory;
}

/* The characters exp(i n theta) of a plaquette have the weights c_n; on a torus Z = sum_n c_n^V. */
static double exact(double beta, int volume)
{
    enum { POINTS = 20000, MOST = 40 };
    double c[MOST], d[MOST], Z = 0, sum = 0;
    int    n, i;
    for (n = 0; n < MOST; ++n) {
        for (c[n] = d[n] = 0, i = 0; i < POINTS; ++i) {
            const double theta = pi * (2 * i + 1 - POINTS) / POINTS, w = exp(-0.5 * beta * theta * theta) * cos(n * theta);
            c[n] += w, d[n] += w * theta * theta;
        }
        Z += (n ? 2 : 1) * pow(c[n] / c[0], volume);
        sum += (n ? 2 : 1) * pow(c[n] / c[0], volume - 1) * d[n] / c[0];
    }
    return sum / Z;
}

static void check(lft_status status, const lft_error *e)
{
    if (!status) return;
    fprintf(stderr, "%s: %s\n", lft_status_str(status), e->text);
    exit(1);
}

/* The largest difference between the force on a link of chain 0 and that from differences of S. */
static double force_error(const u1_theory *theory, u1_batch *x, u1_batch *force, double *S)
{
    const double h = 1e-5;
    u1_real      links[2 * V], f[2 * V];
    double       worst = 0, above;
    int          i;
    u1_force(theory, x, force);
    u1_batch_get(force, 0, f);
    for (i = 0; i < 2 * V; ++i) {
        u1_batch_get(x, 0, links);
        links[i] += h, u1_batch_set(x, 0, links), u1_action(theory, x, S), above = S[0];
        links[i] -= 2 * h, u1_batch_set(x, 0, links), u1_action(theory, x, S);
        links[i] += h, u1_batch_set(x, 0, links);
        worst = fmax(worst, fabs((above - S[0]) / (2 * h) + f[i]));
    }
    return worst;
}

int main(void)
{
    static LFT_ARENA(memory, 8 << 20);
    lft_arena    arena  = lft_arena_of(memory, sizeof memory);
    lft_error    error  = {LFT_OK, ""};
    u1_hmc_desc  desc   = {.extent = {T, L}, .chains = CHAINS, .start = LFT_START_HOT, .seed = 1};
    u1_theory    theory = manton(1.5);
    u1_hmc       hmc;
    u1_batch     force;
    lft_series   series;
    lft_estimate e;
    double       S[CHAINS], wrong, expected;
    int          i, k;
    check(u1_hmc_init(&hmc, &theory, &desc, &arena, &error), &error);
    check(u1_momenta_init(&force, &hmc.x.lattice, CHAINS, &arena, &error), &error);
    check(lft_series_init(&series, 1, CHAINS, TRAJECTORIES, &arena, &error), &error);
    wrong = force_error(&theory, &hmc.x, &force, S);
    printf("force against differences of S: %.1e\n", wrong);
    if (!(wrong < 1e-6)) return 1;
    check(u1_hmc_thermalise(&hmc, 100), &hmc.error);
    for (k = 0; k < TRAJECTORIES; ++k) {
        check(u1_hmc_next(&hmc), &hmc.error);
        u1_action(&theory, &hmc.x, S);
        for (i = 0; i < CHAINS; ++i) {
            const double theta2 = 2 * S[i] / (theory.coupling[0] * V);
            (void)lft_series_add(&series, i, &theta2);
        }
    }
    e        = lft_gamma(&series, 0);
    expected = exact(theory.coupling[0], V);
    printf("%dx%d, beta = %g: <theta^2> = %.5f +- %.5f, exactly %.5f; acceptance %.2f\n", T, L, theory.coupling[0], e.value,
           e.error, expected, (double)hmc.accepted / ((double)CHAINS * TRAJECTORIES));
    return !(fabs(e.value - expected) < 4 * e.error);
}
