/* test_hmc.c: Hybrid Monte Carlo against exact lattices in one to four dimensions, free fields and one published point;
 * and what the integrators promise: forces, reversibility, the order of dH, the same bits for any threads and chains.
 * The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"

#define LFT_STATIC
#define LFT_NAME  h1
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   1
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  h2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  h2f
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F32
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  h3
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   3
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  h4
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   4
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#include "../pool.h"
#include "comparison.h"

static unsigned char chains_memory[16 << 20], series_memory[192 << 20], scratch_memory[8 << 20];

/* ---- what is known exactly -------------------------------------------------------------------------------------------- */

#define UNKNOWN (-99.0)

/* Exact values, from quadrature and transfer matrices by an independent program; error: of the published point. */
typedef struct point {
    const char *name;
    int         extent[4];
    double      m2, lambda;
    double      value[LFT_OBSERVABLES]; /* in the order of lft_observable */
    double      error[LFT_OBSERVABLES];
    double      G[5]; /* G[0] is phi2 in one dimension */
} point;

static point known(const char *name, int a, int b, int c, int d, double m2, double lambda)
{
    point p;
    int   i;
    memset(&p, 0, sizeof p);
    p.name      = name;
    p.extent[0] = a, p.extent[1] = b, p.extent[2] = c, p.extent[3] = d;
    p.m2 = m2, p.lambda = lambda;
    for (i = 0; i < LFT_OBSERVABLES; ++i) p.value[i] = UNKNOWN;
    for (i = 0; i < 5; ++i) p.G[i] = UNKNOWN;
    p.value[LFT_IDENTITY] = 0.5;
    return p;
}

/* One site: the links vanish. */
static point one_site(const char *name, double m2)
{
    point p             = known(name, 1, 1, 1, 1, m2, m2 < 0 ? 8 : 1);
    p.value[LFT_PHI2]   = m2 < 0 ? .223366242394 : .233959958487;
    p.value[LFT_PHI4]   = m2 < 0 ? .087091560598 : .133020020757;
    p.value[LFT_CHI2]   = p.value[LFT_PHI2];
    p.value[LFT_BINDER] = 1 - p.value[LFT_PHI4] / (3 * p.value[LFT_PHI2] * p.value[LFT_PHI2]);
    return p;
}

/* 2 x 2, in any dimension: axes of extent 1 have no links. */
static point two_by_two(const char *name, int a, int b, int c, int d, double m2)
{
    point p             = known(name, a, b, c, d, m2, m2 < 0 ? 8 : 1);
    p.value[LFT_PHI2]   = m2 < 0 ? .171434423240 : .130146127154;
    p.value[LFT_PHI4]   = m2 < 0 ? .056169583896 : .045955444337;
    p.value[LFT_CHI2]   = m2 < 0 ? .450481641481 : .294085021261;
    p.value[LFT_BINDER] = m2 < 0 ? .363764244432 : .099900191472;
    return p;
}

static point ring4(void)
{
    point p           = known("ring of 4, m2 = -2, lambda = 4", 4, 1, 1, 1, -2, 4);
    p.value[LFT_PHI2] = p.G[0] = .198341928314;
    p.G[1] = .0759779501, p.G[2] = .0471427922;
    p.value[LFT_CHI2] = p.G[0] + 2 * p.G[1] + p.G[2];
    return p;
}

static point ring8(const char *name, int a, int b, int c, int d, double m2)
{
    point p = known(name, a, b, c, d, m2, m2 < 0 ? 4 : 1);
    if (m2 > 0) {
        p.value[LFT_PHI2] = .153867644164;
        p.value[LFT_CHI2] = .275561574157;
    } else {
        double sum = 0;
        int    t;
        p.value[LFT_PHI2] = p.G[0] = .195439021941;
        p.G[1] = .0683046775, p.G[2] = .0241574751, p.G[3] = .0093239326, p.G[4] = .0058033502;
        for (t = 1; t < 8; ++t) {
            const int before = t - 1 < 9 - t ? t - 1 : 9 - t, here = t < 8 - t ? t : 8 - t, after = t < 4 ? t + 1 : 7 - t;
            sum += acosh((p.G[before] + p.G[after]) / (2 * p.G[here]));
        }
        if (a == 8) p.value[LFT_MASS_L] = 8 * sum / 7;
        p.value[LFT_CHI2] = p.G[0] + 2 * (p.G[1] + p.G[2] + p.G[3]) + p.G[4];
        if (a != 8) p.G[1] = p.G[2] = p.G[3] = p.G[4] = UNKNOWN;
    }
    return p;
}

/* Gaussian: all modes independent, <|phi_k|^2> = 1 / (2 (khat^2 + m2)). */
static point free_field(const char *name, int L, double m2, double phi2)
{
    point        p     = known(name, L, L, 1, 1, m2, 0);
    const double khat2 = 4 * sin(3.14159265358979323846 / L) * sin(3.14159265358979323846 / L);
    p.value[LFT_PHI2]   = phi2;
    p.value[LFT_PHI4]   = 3 * phi2 * phi2;
    p.value[LFT_CHI2]   = 1 / (2 * m2);
    p.value[LFT_BINDER] = 0;
    p.value[LFT_MASS_L] = L * acosh(1 + m2 / 2);
    p.value[LFT_XI_2ND] = sqrt(((khat2 + m2) / m2 - 1) / khat2);
    p.value[LFT_ABS_M]  = sqrt(2 / 3.14159265358979323846 * p.value[LFT_CHI2]) / L;
    return p;
}

/* L = 6 on the line of 2110.02673: a Monte Carlo of our own that shares no code with this one. */
static point published(void)
{
    static const double value[] = {1.0624, 3.975, 1.4835, .1923, UNKNOWN, .16136, .05256, .5};
    static const double error[] = {.0010, .003, .0012, .0006, 0, .00003, .00002, 0};
    point               p       = known("6 x 6, m2 = -4, lambda = 6.975", 6, 6, 1, 1, -4, 6.975);
    memcpy(p.value, value, sizeof value);
    memcpy(p.error, error, sizeof error);
    return p;
}

/* All comparisons of one run. */
typedef struct comparisons {
    comparison c[20];
    int        n;
} comparisons;

static void compare(comparisons *all, const char *what, lft_estimate e, double expected, double error)
{
    comparison *c = all->c + all->n++;
    snprintf(c->name, sizeof c->name, "    %s", what);
    c->e        = e;
    c->expected = expected;
    c->error    = error;
}

/* ---- the tests, per instance ---------------------------------------------------------------------------------------- */

#define T h1
#define T_DIM 1
#include "test_hmc.c"
#undef T
#undef T_DIM
#define T h2
#define T_DIM 2
#include "test_hmc.c"
#undef T
#undef T_DIM
#define T h2f
#define T_DIM 2
#include "test_hmc.c"
#undef T
#undef T_DIM
#define T h3
#define T_DIM 3
#include "test_hmc.c"
#undef T
#undef T_DIM
#define T h4
#define T_DIM 4
#include "test_hmc.c"
#undef T
#undef T_DIM

int main(void)
{
    point p;
    h1_form();
    h2_form();
    h2f_form();
    h3_form();
    h4_form();

    p = one_site("1D one site, m2 = -4", -4), h1_against(&p, LFT_LEAPFROG, 1, 7500, 1);
    p = one_site("2D one site, m2 = 1", 1), h2_against(&p, LFT_OMELYAN, 1, 7500, 1);
    p = two_by_two("2 x 2, m2 = -4, Omelyan", 2, 2, 1, 1, -4), h2_against(&p, LFT_OMELYAN, 1, 7500, 2);
    p = two_by_two("2 x 2, m2 = -4, leapfrog", 2, 2, 1, 1, -4), h2_against(&p, LFT_LEAPFROG, 1, 7500, 2);
    p = two_by_two("2 x 2, m2 = 1, f32", 2, 2, 1, 1, 1), h2f_against(&p, LFT_OMELYAN, 1, 7500, 2);
    p = two_by_two("(1, 2, 2), m2 = -4", 1, 2, 2, 1, -4), h3_against(&p, LFT_OMELYAN, 1, 7500, 2);
    p = two_by_two("(1, 1, 2, 2), m2 = 1", 1, 1, 2, 2, 1), h4_against(&p, LFT_LEAPFROG, 1, 7500, 2);
    p = ring4(), h1_against(&p, LFT_OMELYAN, 1, 7500, 2);
    p = ring8("ring of 8, m2 = -2", 8, 1, 1, 1, -2), h1_against(&p, LFT_OMELYAN, 1, 5000, 2);
    p = ring8("ring of 8, m2 = 1, leapfrog", 8, 1, 1, 1, 1), h1_against(&p, LFT_LEAPFROG, 1, 5000, 2);
    p = ring8("(1, 1, 8), m2 = 1", 1, 1, 8, 1, 1), h3_against(&p, LFT_OMELYAN, 1, 5000, 2);
    p = ring8("(8, 1, 1), m2 = -2", 8, 1, 1, 1, -2), h3_against(&p, LFT_OMELYAN, 1, 5000, 2);
    p = free_field("free 8 x 8, m2 = 1", 8, 1, .127086998845), h2_against(&p, LFT_OMELYAN, 1, 2500, 2);
    p = free_field("free 6 x 6, m2 = 1/4", 6, .25, .203282350084), h2_against(&p, LFT_LEAPFROG, 2, 2500, 2);
    p = free_field("free 16 x 16, m2 = 1/16", 16, .0625, .250839023701), h2_against(&p, LFT_OMELYAN, 3, 2000, 1);
    p = published(), h2_against(&p, LFT_OMELYAN, 1, 4000, 2);
    check_chi2();
    return test_end();
}

#else /* ---- one instance --------------------------------------------------------------------------------------------- */

#define T_PASTE2(a, b) a##_##b
#define T_PASTE(a, b)  T_PASTE2(a, b)
#define T_(name)       T_PASTE(T, name)

static T_(theory) T_(phi4)(double m2, double lambda)
{
    T_(theory) theory;
    lft_error  e;
    if (T_(phi4_init)(&theory, m2, lambda, &e) != LFT_OK) check_true(e.text, 0);
    return theory;
}

/* Extents 3, 2, 5, 4: unequal, even and odd. */
static T_(hmc_desc) T_(some)(void)
{
    static const int extent[4] = {3, 2, 5, 4};
    T_(hmc_desc)     desc;
    memset(&desc, 0, sizeof desc);
    memcpy(desc.extent, extent, sizeof desc.extent);
    desc.chains = 21; /* the last group is not full */
    desc.seed   = 7;
    return desc;
}

static T_(hmc) T_(started)(const T_(theory) *theory, const T_(hmc_desc) *desc, lft_arena *arena)
{
    T_(hmc)   hmc;
    lft_error e;
    if (T_(hmc_init)(&hmc, theory, desc, arena, &e) != LFT_OK) check_true(e.text, 0);
    return hmc;
}

static uint64_t T_(bits_of)(const T_(batch) *x) /* of all that the chains are, summed with weights */
{
    static T_(real) phi[256];
    uint64_t        sum = 0, factor = 1;
    int             i, s;
    for (i = 0; i < x->n; ++i) {
        T_(batch_get)(x, i, phi);
        for (s = 0; s < x->lattice.volume; ++s, factor += 2) {
            uint64_t bits = 0;
            memcpy(&bits, phi + s, sizeof *phi);
            sum += bits * factor;
        }
    }
    return sum;
}

/* The force against central differences of the action, at every site. */
static void T_(forces)(const T_(theory) *theory)
{
    const double h     = sizeof(T_(real)) == 4 ? 1.0 / 64 : 1.0 / 4096;
    T_(hmc_desc) desc  = T_(some)();
    lft_arena    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    T_(hmc)      hmc;
    T_(batch)    force;
    T_(real)     phi[256], f[256], was;
    double       worst = 0, up[21], down[21];
    int          i, s;
    memset(&force, 0, sizeof force);
    desc.start = LFT_START_HOT;
    hmc        = T_(started)(theory, &desc, &arena);
    if (T_(batch_init)(&force, &hmc.x.lattice, desc.chains, &arena, NULL) != LFT_OK) check_true("memory", 0);
    T_(force)(theory, &hmc.x, &force);
    for (i = 0; i < desc.chains; i += 5) {
        T_(batch_get)(&hmc.x, i, phi);
        T_(batch_get)(&force, i, f);
        for (s = 0; s < hmc.x.lattice.volume; ++s) {
            double d;
            was    = phi[s];
            phi[s] = (T_(real))(was + (T_(real))h), T_(batch_set)(&hmc.x, i, phi), T_(action)(theory, &hmc.x, up);
            phi[s] = (T_(real))(was - (T_(real))h), T_(batch_set)(&hmc.x, i, phi), T_(action)(theory, &hmc.x, down);
            phi[s] = was, T_(batch_set)(&hmc.x, i, phi);
            d = fabs((double)f[s] + (up[i] - down[i]) / (2 * h)); /* S''' = 24 lambda phi, times h^2 / 6 */
            d -= 4 * theory->coupling[1] * fabs((double)was) * h * h;
            if (d > worst) worst = d;
        }
    }
    check_below(sizeof(T_(real)) == 4 ? "force, f32: central differences" : "force: central differences", worst,
                sizeof(T_(real)) == 4 ? 2e-2 : 1e-8);
}

/* rms dH of the same trajectories: with one integrator and number of steps over that with another. */
static double T_(dH_ratio)(const T_(theory) *theory, lft_integrator above, int steps, lft_integrator below, int other_steps)
{
    T_(hmc_desc) desc  = T_(some)();
    lft_arena    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    T_(hmc)      a, b;
    double       sum[2] = {0, 0};
    int          i, k;
    desc.chains = 256, desc.jitter = -1;
    desc.steps = steps, desc.integrator = above;
    a          = T_(started)(theory, &desc, &arena);
    desc.steps = other_steps, desc.integrator = below;
    b          = T_(started)(theory, &desc, &arena);
    for (k = 0; k < 30; ++k) {
        (void)T_(hmc_next)(&a);
        (void)T_(hmc_next)(&b);
        for (i = 0; i < desc.chains && k > 10; ++i) {
            sum[0] += a.dH[i] * a.dH[i];
            sum[1] += b.dH[i] * b.dH[i];
        }
        (void)T_(hmc_start)(&a, &b.x);
    }
    return sqrt(sum[0] / sum[1]);
}

/* The trajectories of one chain by a plain loop: every P and Q of the definition, and the rule of acceptance. */
static double T_(plain)(const T_(theory) *theory, T_(batch) *x, T_(batch) *f, const T_(hmc) *hmc, int c, uint32_t t)
{
    const int    V = x->lattice.volume, omelyan = hmc->desc.integrator == LFT_OMELYAN;
    const double z = 0.1931833275037836;
    double       pi[256], S, H, u, h;
    T_(real)     phi[256], was[256], force[256];
    int          step, stage, s;
    T_(batch_get)(x, 0, phi);
    memcpy(was, phi, sizeof was);
    lft_normals(lft_draw_of(hmc->desc.seed, LFT_DRAW_MOMENTA, (uint64_t)c, t), pi, V);
    u = lft_uniform(lft_draw_of(hmc->desc.seed, LFT_DRAW_MOMENTA, 0xffffffffffffff, t), 0);
    h = hmc->desc.length * (1 + hmc->desc.jitter * (2 * u - 1)) / hmc->steps;
    T_(action)(theory, x, &S);
    for (H = -S, s = 0; s < V; ++s) H -= pi[s] * pi[s] / 2;
    for (step = 0; step < hmc->steps; ++step) {
        for (stage = 0; stage < (omelyan ? 3 : 2); ++stage) {
            const double kick = omelyan ? (stage == 1 ? 1 - 2 * z : z) : 0.5, move = omelyan ? 0.5 : 1;
            T_(force)(theory, x, f);
            T_(batch_get)(f, 0, force);
            for (s = 0; s < V; ++s) pi[s] += kick * h * (double)force[s];
            if (stage == (omelyan ? 2 : 1)) continue;
            for (s = 0; s < V; ++s) phi[s] = (T_(real))((double)phi[s] + move * h * pi[s]);
            T_(batch_set)(x, 0, phi);
        }
    }
    T_(action)(theory, x, &S);
    for (H += S, s = 0; s < V; ++s) H += pi[s] * pi[s] / 2;
    u = lft_uniform(lft_draw_of(hmc->desc.seed, LFT_DRAW_ACCEPT, (uint64_t)c, t), 0);
    if (u >= exp(-H)) T_(batch_set)(x, 0, was);
    return H;
}

static void T_(rules)(const T_(theory) *theory, lft_integrator integrator)
{
    enum { START = 40, TRAJECTORIES = 12 };
    T_(hmc_desc) desc  = T_(some)();
    lft_arena    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    T_(batch)    x[21], force;
    T_(hmc)      hmc;
    T_(real)     a[256], b[256];
    double       worst = 0, worst_dH = 0;
    uint32_t     t;
    int          c, s;
    memset(x, 0, sizeof x), memset(&force, 0, sizeof force);
    desc.integrator = integrator;
    desc.acceptance = 0.6;
    hmc             = T_(started)(theory, &desc, &arena);
    (void)T_(hmc_thermalise)(&hmc, START);
    (void)T_(batch_init)(&force, &hmc.x.lattice, 1, &arena, NULL);
    for (c = 0; c < 21; ++c) {
        (void)T_(batch_init)(x + c, &hmc.x.lattice, 1, &arena, NULL);
        T_(batch_get)(&hmc.x, c, a);
        T_(batch_set)(x + c, 0, a);
    }
    for (t = START + 1; t <= START + TRAJECTORIES; ++t) {
        (void)T_(hmc_next)(&hmc);
        for (c = 0; c < 21; c += 4) {
            const double dH = T_(plain)(theory, x + c, &force, &hmc, c, t), d = fabs(dH - hmc.dH[c]) / (1 + fabs(dH));
            if (!(d <= worst_dH)) worst_dH = d;
            T_(batch_get)(&hmc.x, c, a);
            T_(batch_get)(x + c, 0, b);
            for (s = 0; s < hmc.x.lattice.volume; ++s) worst = fmax(worst, fabs((double)a[s] - (double)b[s]));
        }
    }
    check_true("accepts and rejects", hmc.accepted > 21 && hmc.accepted < 21 * (TRAJECTORIES - 1));
    check_below(integrator == LFT_OMELYAN ? "    Omelyan against a plain loop" : "    leapfrog against a plain loop", worst,
                sizeof(T_(real)) == 4 ? 2e-5 : 1e-12);
    check_below("    dH", worst_dH, sizeof(T_(real)) == 4 ? 1e-4 : 1e-11);
}

static void T_(reversible)(const T_(theory) *theory, lft_integrator integrator)
{
    const double bound = sizeof(T_(real)) == 4 ? 2e-5 : 4e-14;
    T_(hmc_desc) desc  = T_(some)();
    lft_arena    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    T_(hmc)      hmc;
    double       dphi, dH;
    uint64_t     before;
    desc.integrator = integrator;
    hmc             = T_(started)(theory, &desc, &arena);
    check_true("thermalise", T_(hmc_thermalise)(&hmc, 20) == LFT_OK);
    before = T_(bits_of)(&hmc.x);
    check_true("reversibility", T_(hmc_reversibility)(&hmc, &dphi, &dH) == LFT_OK);
    check_below("    largest |change of phi|", dphi, bound);
    check_below("    largest |change of H|", dH, bound * 20 * sqrt((double)hmc.x.lattice.volume));
    check_true("    not zero, and the chains are as they were", dphi > 0 && T_(bits_of)(&hmc.x) == before && hmc.drawn == 20);
}

/* Same bits for 1, 2, 3 threads, tasks in any order, and for chain c whatever the number of chains. */
static void T_(same)(const T_(theory) *theory)
{
    T_(hmc_desc) desc  = T_(some)();
    lft_arena    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    T_(hmc)      hmc;
    T_(real)     a[256], b[256];
    uint64_t     sum = 0;
    int          threads, real, k, same;
    desc.start = LFT_START_HOT;
    for (real = 0; real < 2; ++real) {
        for (threads = 1; threads <= 3; ++threads) {
            lft_arena here = arena;
            char      name[80];
            desc.pool = real ? lft_pool_openmp(threads) : test_pool(&threads); /* serial without -fopenmp */
            hmc       = T_(started)(theory, &desc, &here);
            (void)T_(hmc_thermalise)(&hmc, 30);
            if (!sum) sum = T_(bits_of)(&hmc.x);
            snprintf(name, sizeof name, "same bits with %d threads, %s", threads, real ? "OpenMP's" : "backwards");
            check_true(name, T_(bits_of)(&hmc.x) == sum);
        }
    }
    for (k = 0; k < 3; ++k) { /* stopped in the first half, between the halves, and in the second half of thermalisation */
        lft_arena here = arena;
        T_(hmc)   late;
        int       i;
        const int steps = hmc.steps;
        desc.pool       = lft_pool_openmp(threads);
        late            = T_(started)(theory, &desc, &here);
        for (i = 0; i < 10 * k + 5; ++i) (void)T_(hmc_thermalise_next)(&late, i, 30);
        hmc = T_(started)(theory, &desc, &here);
        (void)T_(hmc_start)(&hmc, &late.x);
        hmc.steps = late.steps, hmc.drawn = late.drawn, memcpy(hmc.tuning, late.tuning, sizeof hmc.tuning);
        for (; i < 30; ++i) (void)T_(hmc_thermalise_next)(&hmc, i, 30);
        check_true("same bits and steps for a thermalisation that goes on", T_(bits_of)(&hmc.x) == sum && hmc.steps == steps &&
                   hmc.trajectories == 0 && hmc.accepted == 0);
    }
    desc.steps = hmc.steps;
    desc.pool  = lft_pool_openmp(threads);
    hmc        = T_(started)(theory, &desc, &arena);
    for (k = 0; k < 5; ++k) (void)T_(hmc_next)(&hmc);
    T_(batch_get)(&hmc.x, 10, a);
    desc.chains = 11;
    hmc         = T_(started)(theory, &desc, &arena);
    for (k = 0; k < 5; ++k) (void)T_(hmc_next)(&hmc);
    T_(batch_get)(&hmc.x, 10, b);
    same = !memcmp(a, b, (size_t)hmc.x.lattice.volume * sizeof(T_(real)));
    check_true("same bits for a chain among 11 or 21", same);
}

static void T_(refusals)(const T_(theory) *theory)
{
    T_(hmc_desc) desc = T_(some)(), bad;
    size_t       bytes = T_(hmc_bytes)(&desc);
    lft_arena    arena;
    lft_error    e;
    T_(hmc)      hmc;
    T_(batch)    other;
    int          i, ok = 1;
    volatile double huge = sizeof(T_(real)) == 4 ? 1e30 : 1e100;
    memset(&other, 0, sizeof other);
    arena = lft_arena_of(chains_memory + 1, bytes);
    check_true("init in exactly hmc_bytes", T_(hmc_init)(&hmc, theory, &desc, &arena, &e) == LFT_OK);
    arena = lft_arena_of(chains_memory + 1, bytes - 63);
    check_true("not in 63 fewer", T_(hmc_init)(&hmc, theory, &desc, &arena, &e) == LFT_ERR_NOMEM && e.text[0]);
    for (i = 0; i < 8; ++i) {
        bad = desc;
        if (i == 0) bad.extent[T_DIM - 1] = 0;
        if (i == 1) bad.chains = -1;
        if (i == 2) bad.integrator = (lft_integrator)4;
        if (i == 3) bad.length = -1;
        if (i == 4) bad.jitter = 1;
        if (i == 5) bad.steps = -1;
        if (i == 6) bad.acceptance = 1;
        if (i == 7) bad.start = (lft_start)3;
        arena = lft_arena_of(chains_memory, sizeof chains_memory);
        e.text[0] = 0;
        ok = ok && T_(hmc_init)(&hmc, theory, &bad, &arena, &e) == LFT_ERR_ARG && e.text[0] && !T_(hmc_bytes)(&bad);
    }
    check_true("each bad field of a desc is an argument error", ok);
    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    hmc   = T_(started)(theory, &desc, &arena);
    if (T_(batch_init)(&other, &hmc.x.lattice, 5, &arena, NULL) != LFT_OK) check_true("memory", 0);
    check_true("start from too few: mismatch", T_(hmc_start)(&hmc, &other) == LFT_ERR_MISMATCH && hmc.error.text[0]);
    hmc.x.data[0] = (T_(real))huge; /* its fourth power is infinite */
    check_true("a broken configuration is found", T_(hmc_next)(&hmc) == LFT_ERR_NONFINITE && hmc.error.text[0]);
    check_true("    and its trajectory rejected", hmc.nonfinite == 1 && hmc.accepted < 21);
}

/* All but the physics. */
static void T_(form)(void)
{
    const T_(theory) theory = T_(phi4)(-2.5, 4);
    printf("---- %d dimensions, %d bytes\n", T_DIM, (int)sizeof(T_(real)));
    T_(forces)(&theory);
    if (sizeof(T_(real)) == 8) {
        check_near("leapfrog: rms dH with 20 over 40 steps", T_(dH_ratio)(&theory, LFT_LEAPFROG, 20, LFT_LEAPFROG, 40), 4, 0.3);
        check_near("Omelyan: rms dH with 20 over 40 steps", T_(dH_ratio)(&theory, LFT_OMELYAN, 20, LFT_OMELYAN, 40), 4, 0.3);
        check_near("leapfrog over Omelyan at as many forces", T_(dH_ratio)(&theory, LFT_LEAPFROG, 40, LFT_OMELYAN, 20), 2.3,
                   0.3);
    }
    T_(rules)(&theory, LFT_OMELYAN);
    T_(rules)(&theory, LFT_LEAPFROG);
    T_(reversible)(&theory, LFT_OMELYAN);
    T_(reversible)(&theory, LFT_LEAPFROG);
    T_(same)(&theory);
    T_(refusals)(&theory);
}

/* n samples of each of 64 chains, `skip` trajectories apart, against what is known. */
static int T_(run)(const point *p, lft_integrator integrator, double length, int n, int skip, uint64_t seed, int final)
{
    const T_(theory) theory = T_(phi4)(p->m2, p->lambda);
    lft_arena        arena   = lft_arena_of(chains_memory, sizeof chains_memory);
    lft_arena        memory  = lft_arena_of(series_memory, sizeof series_memory);
    lft_arena        scratch = lft_arena_of(scratch_memory, sizeof scratch_memory);
    comparisons      all;
    lft_series       series, balance;
    T_(hmc_desc)     desc;
    T_(hmc)          hmc;
    double           one;
    int              i, k, bad = 0;
    memset(&desc, 0, sizeof desc);
    memcpy(desc.extent, p->extent, sizeof desc.extent);
    desc.integrator = integrator;
    desc.length     = length;
    desc.acceptance = p->extent[0] * p->extent[1] > 1 ? 0.95 : 0.99; /* with coarser steps rare states carry <exp(-dH)> */
    desc.seed       = seed;
    hmc             = T_(started)(&theory, &desc, &arena);
    bad += T_(hmc_thermalise)(&hmc, 200) != LFT_OK;
    bad += lft_series_init(&series, T_(observables_count)(&hmc.x.lattice), 64, (size_t)n, &memory, NULL) != LFT_OK;
    bad += lft_series_init(&balance, 1, 1, (size_t)(n * skip), &memory, NULL) != LFT_OK;
    for (i = 0; i < n && !bad; ++i) {
        for (k = 0; k < skip; ++k) {
            const double before = hmc.exp_dH;
            bad += T_(hmc_next)(&hmc) != LFT_OK;
            one = (hmc.exp_dH - before) / 64;
            bad += lft_series_add(&balance, 0, &one) != LFT_OK;
        }
        bad += T_(measure_into)(&theory, &hmc.x, &series, scratch, NULL) != LFT_OK;
    }
    check_true("all trajectories and measurements", !bad);
    if (bad) return 1;
    one = (double)hmc.accepted / (64.0 * (double)hmc.trajectories);
    printf("---- %s: %d steps, acceptance %.3f, tau_int of m^2 %.2f\n", p->name, hmc.steps, one,
           lft_gamma(&series, LFT_COLUMN_M2).tau_int);
    check_true("    acceptance not below its aim", one > 0.94);
    all.n = 0;
    compare(&all, "exp(-dH)", lft_gamma(&balance, 0), 1, 0);
    for (i = 0; i < LFT_OBSERVABLES; ++i) {
        if (p->value[i] == UNKNOWN) continue;
        compare(&all, T_(observable_name)(i), T_(observe)(&series, &theory, &hmc.x.lattice, i, memory, NULL), p->value[i],
                p->error[i]);
    }
    for (i = 0; i < 5; ++i) {
        char name[8] = "G(0)";
        name[2]      = (char)('0' + i);
        if (p->G[i] != UNKNOWN) compare(&all, name, lft_gamma(&series, LFT_COLUMN_C + i), p->G[i], 0);
    }
    return conclude(all.c, all.n, final);
}

static void T_(against)(const point *p, lft_integrator integrator, double length, int n, int skip)
{
    if (!T_(run)(p, integrator, length, n, skip, 2024, 0)) (void)T_(run)(p, integrator, length, 4 * n, skip, 2025, 1);
}

#undef T_
#undef T_PASTE
#undef T_PASTE2
#endif
