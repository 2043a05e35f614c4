/* gauge_suite.h: the properties of Wilson's action, of its force and of HMC with it, for one group and dimension. A suite
 * (suite.h): SUITE_(suite)(name). */
#include "../suite.h"
#ifndef GAUGE_SUITE_COMMON
#define GAUGE_SUITE_COMMON
#include "../matrices.h"

enum { GAUGE_MEMORY = 1 << 24, GAUGE_REALS = 50000 };
static unsigned char gauge_memory[GAUGE_MEMORY];
#endif

/* ---- the action by plain matrices ----------------------------------------------------------------------------------- */

static int SUITE_(step)(const SUITE_(lattice) *lattice, int site, int mu)
{
    int nu, stride = 1;
    for (nu = SUITE_DIM - 1; nu > mu; --nu) stride *= lattice->extent[nu];
    return site / stride % lattice->extent[mu] == lattice->extent[mu] - 1 ? site - stride * (lattice->extent[mu] - 1)
                                                                          : site + stride;
}

/* Configuration i in double: differences of an action need it. */
static void SUITE_(get)(const SUITE_(batch) *x, int i, double *c)
{
    static SUITE_(real) narrow[GAUGE_REALS];
    int                 k;
    SUITE_(batch_get)(x, i, narrow);
    for (k = 0; k < x->lattice.volume * x->reals; ++k) c[k] = (double)narrow[k];
}

static void SUITE_(set)(SUITE_(batch) *x, int i, const double *c)
{
    static SUITE_(real) narrow[GAUGE_REALS];
    int                 k;
    for (k = 0; k < x->lattice.volume * x->reals; ++k) narrow[k] = (SUITE_(real))c[k];
    SUITE_(batch_set)(x, i, narrow);
}

static matrix SUITE_(link)(const SUITE_(batch) *x, const double *c, int site, int mu)
{
    return matrix_of_link(c + (site * SUITE_DIM + mu) * (x->reals / SUITE_DIM));
}

static void SUITE_(set_link)(const SUITE_(batch) *x, double *c, int site, int mu, matrix m)
{
    matrix_to_link(m, c + (site * SUITE_DIM + mu) * (x->reals / SUITE_DIM));
}

/* The way of a steps along mu and b along nu. */
static matrix SUITE_(way)(const SUITE_(batch) *x, const double *c, int site, int mu, int a, int nu, int b)
{
    matrix m = matrix_of(1);
    for (; a + b > 0; a > 0 ? --a : --b) {
        m    = matrix_times(m, SUITE_(link)(x, c, site, a > 0 ? mu : nu));
        site = SUITE_(step)(&x->lattice, site, a > 0 ? mu : nu);
    }
    return m;
}

static double SUITE_(naive)(const SUITE_(batch) *x, const double *c, double beta, double c1)
{
    double S = 0;
    int    site, mu, nu, k;
    for (site = 0; site < x->lattice.volume; ++site) {
        for (mu = 0; mu < SUITE_DIM; ++mu) {
            for (nu = mu + 1; nu < SUITE_DIM; ++nu) {
                for (k = 0; k < 3; ++k) {
                    const int    a = k == 1 ? 2 : 1, b = k == 2 ? 2 : 1;
                    const matrix there = SUITE_(way)(x, c, site, mu, a, nu, b), back = SUITE_(way)(x, c, site, nu, b, mu, a);
                    S += (k ? c1 : 1 - 8 * c1) * matrix_trace(matrix_times(there, matrix_dagger(back)));
                }
            }
        }
    }
    return -beta / matrix_colours * S;
}

/* ---- action and force ------------------------------------------------------------------------------------------------- */

static SUITE_(hmc) SUITE_(hot)(const SUITE_(theory) *theory, SUITE_(hmc_desc) desc, const int *extent, lft_arena *arena)
{
    SUITE_(hmc) hmc;
    lft_error   e;
    memcpy(desc.extent, extent, sizeof desc.extent);
    if (!desc.start) desc.start = LFT_START_HOT;
    if (!desc.seed) desc.seed = 5;
    memset(&e, 0, sizeof e);
    if (SUITE_(hmc_init)(&hmc, theory, &desc, arena, &e)) printf("%s\n", e.text), exit(1);
    return hmc;
}

/* S by plain matrices, dS by differences, both under a gauge transformation, for some chains of a batch. */
static void SUITE_(action_of)(const int *extent, double beta, double c1, double eps)
{
    SUITE_(hmc_desc) desc;
    SUITE_(theory)   theory;
    SUITE_(hmc)      hmc;
    SUITE_(batch)    force, turned;
    static double    c[GAUGE_REALS], d[GAUGE_REALS], f[GAUGE_REALS], t[GAUGE_REALS];
    lft_arena        arena = lft_arena_of(gauge_memory, sizeof gauge_memory);
    double           S[19], G[19], worst_S = 0, worst_f = 0, worst_gauge = 0, worst_turn = 0, scale;
    matrix          *omega;
    int              chain, i, k, site, mu, volume, algebra;
    memset(&desc, 0, sizeof desc);
    desc.chains = 19;
    (void)SUITE_(wilson_init)(&theory, beta, c1, NULL);
    hmc    = SUITE_(hot)(&theory, desc, extent, &arena);
    volume = hmc.x.lattice.volume;
    omega  = (matrix *)calloc((size_t)volume, sizeof *omega);
    memset(&force, 0, sizeof force), memset(&turned, 0, sizeof turned);
    (void)SUITE_(momenta_init)(&force, &hmc.x.lattice, 19, &arena, NULL);
    (void)SUITE_(batch_init)(&turned, &hmc.x.lattice, 19, &arena, NULL);
    algebra = force.reals / SUITE_DIM;
    SUITE_(action)(&theory, &hmc.x, S);
    SUITE_(force)(&theory, &hmc.x, &force);
    scale = volume * SUITE_DIM * fabs(beta);
    for (chain = 0; chain < 19; chain += 6) {
        SUITE_(get)(&hmc.x, chain, c);
        SUITE_(get)(&force, chain, f);
        test_worst(&worst_S, fabs(S[chain] - SUITE_(naive)(&hmc.x, c, beta, c1)) / scale);
        for (i = 0; i < 5; ++i) { /* derivatives by some links */
            site = (7 * i + chain) % volume, mu = i % SUITE_DIM;
            for (k = 0; k < algebra; ++k) {
                double z[8] = {0, 0, 0, 0, 0, 0, 0, 0}, up, down;
                matrix u = SUITE_(link)(&hmc.x, c, site, mu);
                memcpy(d, c, sizeof d);
                z[k] = eps;
                SUITE_(set_link)(&hmc.x, d, site, mu, matrix_times(matrix_exp(matrix_of_algebra(z)), u));
                up   = SUITE_(naive)(&hmc.x, d, beta, c1);
                z[k] = -eps;
                SUITE_(set_link)(&hmc.x, d, site, mu, matrix_times(matrix_exp(matrix_of_algebra(z)), u));
                down = SUITE_(naive)(&hmc.x, d, beta, c1);
                test_worst(&worst_f,
                            fabs((up - down) / (2 * eps) + f[(site * SUITE_DIM + mu) * algebra + k]) / fabs(beta));
            }
        }
    }
    for (site = 0; site < volume; ++site) { /* the transformation: the links of another chain */
        SUITE_(get)(&hmc.x, 1, c);
        omega[site] = SUITE_(link)(&hmc.x, c, site, 0);
    }
    for (chain = 0; chain < 19; ++chain) {
        SUITE_(get)(&hmc.x, chain, c);
        for (site = 0; site < volume; ++site) {
            for (mu = 0; mu < SUITE_DIM; ++mu) {
                const matrix end = matrix_dagger(omega[SUITE_(step)(&hmc.x.lattice, site, mu)]);
                const matrix u   = matrix_times(omega[site], SUITE_(link)(&hmc.x, c, site, mu));
                SUITE_(set_link)(&hmc.x, c, site, mu, matrix_times(u, end));
            }
        }
        SUITE_(set)(&turned, chain, c);
    }
    SUITE_(action)(&theory, &turned, G);
    for (chain = 0; chain < 19; ++chain) test_worst(&worst_gauge, fabs(G[chain] - S[chain]) / scale);
    SUITE_(get)(&force, 18, f);
    SUITE_(force)(&theory, &turned, &force);
    SUITE_(get)(&force, 18, t);
    for (i = 0; i < volume * SUITE_DIM; ++i) { /* omega f omega^+ */
        double was[8] = {0, 0, 0, 0, 0, 0, 0, 0}, is[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        for (k = 0; k < algebra; ++k) was[k] = f[i * algebra + k], is[k] = t[i * algebra + k];
        test_worst(&worst_turn,
                    matrix_apart(matrix_times(matrix_times(omega[i / SUITE_DIM], matrix_of_algebra(was)),
                                              matrix_dagger(omega[i / SUITE_DIM])), matrix_of_algebra(is)) / fabs(beta));
    }
    {
        const double rounding = sizeof(SUITE_(real)) == 4 ? 1.2e-7 : 2.2e-16;
        check_below(suite_name("action against plain matrices"), worst_S, 10 * rounding);
        check_below(suite_name("force against differences"), worst_f, 300 * rounding + 3e-7);
        check_below(suite_name("gauge invariance of S"), worst_gauge, 20 * rounding);
        check_below(suite_name("gauge covariance of the force"), worst_turn, 400 * rounding);
    }
    free(omega);
}

/* ---- Hybrid Monte Carlo ----------------------------------------------------------------------------------------------- */

static double SUITE_(rms_dH)(const SUITE_(theory) *theory, SUITE_(hmc_desc) desc, const int *extent, lft_integrator integrator,
                             int steps)
{
    lft_arena   arena = lft_arena_of(gauge_memory, sizeof gauge_memory);
    SUITE_(hmc) hmc;
    double      sum = 0;
    int         c;
    desc.integrator = integrator;
    desc.steps      = 20;
    hmc             = SUITE_(hot)(theory, desc, extent, &arena);
    (void)SUITE_(hmc_thermalise)(&hmc, 12);
    hmc.steps = steps;
    (void)SUITE_(hmc_next)(&hmc);
    for (c = 0; c < hmc.x.n; ++c) sum += hmc.dH[c] * hmc.dH[c];
    return sqrt(sum / hmc.x.n);
}

static void SUITE_(hmc_of)(const int *extent, double beta)
{
    const int        is_float = sizeof(SUITE_(real)) == 4;
    SUITE_(hmc_desc) desc;
    SUITE_(theory)   theory;
    SUITE_(hmc)      one, two;
    lft_arena        arena = lft_arena_of(gauge_memory, sizeof gauge_memory);
    double           dphi = 0, dH = 0, mean = 0, square = 0, ratio;
    int              i, c, n = 0, same = 1;
    size_t           bytes;
    memset(&desc, 0, sizeof desc);
    desc.chains = 19;
    desc.steps  = 6;
    (void)SUITE_(wilson_init)(&theory, beta, 0, NULL);
    one = SUITE_(hot)(&theory, desc, extent, &arena);
    desc.pool   = suite_pool();
    desc.chains = 35;
    two = SUITE_(hot)(&theory, desc, extent, &arena);
    memset(&desc.pool, 0, sizeof desc.pool);
    for (i = 0; i < 3; ++i) (void)SUITE_(hmc_next)(&one), (void)SUITE_(hmc_next)(&two);
    bytes = (size_t)one.x.reals * (size_t)one.x.lattice.volume * sizeof(SUITE_(real));
    for (c = 0; c < 19; ++c) {
        static SUITE_(real) a[GAUGE_REALS], b[GAUGE_REALS];
        SUITE_(batch_get)(&one.x, c, a);
        SUITE_(batch_get)(&two.x, c, b);
        if (memcmp(a, b, bytes)) same = 0;
    }
    check_true(suite_name("the same bits for other chains, threads, order of tasks"), same);
    (void)SUITE_(hmc_thermalise)(&two, 10);
    check_true(suite_name("no error in reversibility"), SUITE_(hmc_reversibility)(&two, &dphi, &dH) == LFT_OK);
    check_below(suite_name("reversibility, links"), dphi, is_float ? 1e-4 : 1e-12);
    check_below(suite_name("reversibility, H"), dH, is_float ? 0.05 : 1e-10);
    for (i = 0; i < 60; ++i) {
        (void)SUITE_(hmc_next)(&two);
        for (c = 0; c < two.x.n; ++c, ++n) {
            const double e = exp(-two.dH[c]);
            mean += e, square += e * e;
        }
    }
    mean /= n;
    check_sigma(suite_name("<exp(-dH)>"), mean, 1, sqrt((square / n - mean * mean) / n));
    if (is_float) return;
    desc.chains = 48, desc.jitter = -1;
    ratio = SUITE_(rms_dH)(&theory, desc, extent, LFT_LEAPFROG, 16) / SUITE_(rms_dH)(&theory, desc, extent, LFT_LEAPFROG, 32);
    check_near(suite_name("leapfrog: dH with half the step, 2^-2"), ratio, 4, 0.4);
    ratio = SUITE_(rms_dH)(&theory, desc, extent, LFT_OMELYAN, 8) / SUITE_(rms_dH)(&theory, desc, extent, LFT_OMELYAN, 16);
    check_near(suite_name("Omelyan: 2^-2"), ratio, 4, 0.6);
    ratio = SUITE_(rms_dH)(&theory, desc, extent, LFT_FOURTH, 8) / SUITE_(rms_dH)(&theory, desc, extent, LFT_FOURTH, 16);
    check_near(suite_name("fourth order: 2^-4"), ratio, 16, 4);
}

static void SUITE_(suite)(const char *where)
{
    static const int uneven[4] = {3, 2, 4, 2}, small[4] = {2, 1, 3, 2}, even[4] = {4, 4, 2, 2};
    char             name[40];
    snprintf(name, sizeof name, "%s f%d x%d", where, (int)sizeof(SUITE_(real)) * 8, SUITE_(lanes)());
    suite_case     = name;
    matrix_colours = SUITE_GROUP - 1;
    SUITE_(action_of)(uneven, 1.7, 0, 1e-4);
    SUITE_(action_of)(uneven, -2.3, -0.331, 1e-4);
    SUITE_(action_of)(small, 1.7, -1.0 / 12, 1e-4); /* links that occur twice in a loop */
    SUITE_(hmc_of)(even, 1.5);
}

#include "../suite_end.h"
