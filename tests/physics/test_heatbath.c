/* test_heatbath.c: heat bath and overrelaxation: one link among fixed staples against quadrature, plaquettes against character
 * expansions and Monte Carlo results of a program that shares no code with this one; and what the chains promise: the same
 * bits for any threads and chains, resuming, refusals. The second half of this file is compiled once per instance. */
#ifndef T
#include "../test.h"
#include "../bessel.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  u2
#define LFT_GROUP LFT_U1
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  s2
#define LFT_GROUP LFT_SU2
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  t2
#define LFT_GROUP LFT_SU3
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  u4f
#define LFT_GROUP LFT_U1
#define LFT_DIM   4
#define LFT_REAL  LFT_F32
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  s4f
#define LFT_GROUP LFT_SU2
#define LFT_DIM   4
#define LFT_REAL  LFT_F32
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  t4f
#define LFT_GROUP LFT_SU3
#define LFT_DIM   4
#define LFT_REAL  LFT_F32
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#include "../pool.h"
#include "comparison.h"

static unsigned char chains_memory[64 << 20], series_memory[16 << 20];

/* ---- what is known exactly -------------------------------------------------------------------------------------------- */

static const double pi = 3.14159265358979323846;

/* log Z of a torus of V plaquettes: the sum of the V-th powers of the coefficients of the characters, over d_r. */
static double log_z(int colours, double beta, int V)
{
    double I[64], sum = 0;
    int    i, p, q, m;
    for (i = 0; i < 64; ++i) I[i] = bessel(i, beta / (colours == 3 ? 3 : 1));
    if (colours == 1) {
        for (i = -20; i <= 20; ++i) sum += pow(I[abs(i)] / I[0], V);
        return V * log(I[0]) + log(sum);
    }
    if (colours == 2) {
        for (i = 1; i < 20; ++i) sum += pow(I[i] / I[1], V);
        return V * log(2 * I[1] / beta) + log(sum);
    }
    for (p = 0; p < 10; ++p) {
        for (q = 0; q < 10; ++q) {
            const int l[3] = {p + q, q, 0};
            double    lambda = 0;
            for (m = -20; m <= 20; ++m) {
                double a[3][3];
                int    j;
                for (i = 0; i < 3; ++i) {
                    for (j = 0; j < 3; ++j) a[i][j] = I[abs(l[j] - j + i + m)];
                }
                lambda += a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                          a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
            }
            sum += pow(lambda * 2 / ((p + 1) * (q + 1) * (p + q + 2)), V);
        }
    }
    return log(sum);
}

static double torus(int colours, double beta, int V)
{
    const double h = 1e-4;
    return (log_z(colours, beta + h, V) - log_z(colours, beta - h, V)) / (2 * h * V);
}

/* <r^power> of r = Re tr U / N with density exp(x N r): over the angle, or Weyl's measure. */
static double one_link(int colours, double x, int power)
{
    const int n   = 240;
    double    sum = 0, all = 0;
    int       i, j;
    for (i = 0; i < n; ++i) {
        for (j = 0; j < (colours == 3 ? n : 1); ++j) {
            const double a = 2 * pi * i / n, b = 2 * pi * j / n;
            const double r = colours == 3 ? (cos(a) + cos(b) + cos(a + b)) / 3 : cos(a);
            double       w = exp(x * colours * (r - 1));
            if (colours == 2) w *= sin(a) * sin(a);
            if (colours == 3) w *= (1 - cos(a - b)) * (1 - cos(2 * a + b)) * (1 - cos(a + 2 * b));
            all += w;
            sum += w * pow(r, power);
        }
    }
    return sum / all;
}

/* ---- the tests, per instance ---------------------------------------------------------------------------------------- */

#define T         u2
#define T_DIM     2
#define T_COLOURS 1
#include "test_heatbath.c"
#define T         s2
#define T_DIM     2
#define T_COLOURS 2
#include "test_heatbath.c"
#define T         t2
#define T_DIM     2
#define T_COLOURS 3
#include "test_heatbath.c"
#define T         u4f
#define T_DIM     4
#define T_COLOURS 1
#include "test_heatbath.c"
#define T         s4f
#define T_DIM     4
#define T_COLOURS 2
#include "test_heatbath.c"
#define T         t4f
#define T_DIM     4
#define T_COLOURS 3
#include "test_heatbath.c"

int main(void)
{
    static const int L2[] = {2, 2}, L46[] = {4, 6}, L8[] = {8, 8}, L4[] = {4, 4, 4, 4};
    check_near("exact: U(1), 8 x 8, beta = 2", torus(1, 2, 64), .697774658011, 1e-8);
    check_near("exact: SU(2), large volume, beta = 2.2", torus(2, 2.2, 400), .4644790253, 1e-8);
    check_near("exact: SU(3), large volume, beta = 5", torus(3, 5, 200), .3539544367, 1e-8);
    u2_form();
    s2_form();
    t2_form();
    u4f_form();
    s4f_form();
    t4f_form();
    printf("---- plaquettes\n");
    u2_plaquette("U(1), 8 x 8, beta = 1", L8, 1, .446389965897, 0, 800);
    u2_plaquette("U(1), 8 x 8, beta = 2", L8, 2, .697774658011, 0, 400);
    u2_plaquette("U(1), 8 x 8, beta = 4", L8, 4, .863530042512, 0, 400);
    u2_plaquette("U(1), 2 x 2, beta = 1.5", L2, 1.5, torus(1, 1.5, 4), 0, 4000);
    s2_plaquette("SU(2), 2 x 2, beta = 2.2", L2, 2.2, torus(2, 2.2, 4), 0, 4000);
    s2_plaquette("SU(2), 4 x 6, beta = 2.7", L46, 2.7, torus(2, 2.7, 24), 0, 1000);
    t2_plaquette("SU(3), 2 x 2, beta = 4", L2, 4, torus(3, 4, 4), 0, 3000);
    t2_plaquette("SU(3), 4 x 6, beta = 6", L46, 6, torus(3, 6, 24), 0, 400);
    u4f_plaquette("U(1), 4^4, beta = 0.5", L4, .5, .24551, .00011, 400);
    s4f_plaquette("SU(2), 4^4, beta = 1", L4, 1, .24317, .00013, 400);
    t4f_plaquette("SU(3), 4^4, beta = 1", L4, 1, .06004, .00005, 400);
    t4f_plaquette("SU(3), 4^4, beta = 2", L4, 2, .12878, .00009, 300);
    t4f_plaquette("SU(3), 4^4, beta = 6", L4, 6, .5971, .0002, 250);
    check_chi2();
    return test_end();
}

#else /* ---- one instance --------------------------------------------------------------------------------------------- */

#define T_PASTE2(a, b) a##_##b
#define T_PASTE(a, b)  T_PASTE2(a, b)
#define T_(name)       T_PASTE(T, name)
#if T_COLOURS == 1
#define T_SUM T_(p_w) /* of links */
#else
#define T_SUM T_(p_u)
#endif

static T_(theory) T_(wilson)(double beta)
{
    T_(theory) theory;
    lft_error  e;
    if (T_(wilson_init)(&theory, beta, 0, &e) != LFT_OK) check_true(e.text, 0);
    return theory;
}

/* Extents 3, 2, 5, 4: unequal, even and odd. */
static T_(heatbath_desc) T_(some)(void)
{
    static const int    extent[4] = {3, 2, 5, 4};
    T_(heatbath_desc)   desc;
    memset(&desc, 0, sizeof desc);
    memcpy(desc.extent, extent, sizeof desc.extent);
    desc.chains = 21; /* the last group is not full */
    desc.seed   = 7;
    desc.start  = LFT_START_HOT;
    return desc;
}

static T_(heatbath) T_(started)(const T_(theory) *theory, const T_(heatbath_desc) *desc, lft_arena *arena)
{
    T_(heatbath) bath;
    lft_error    e;
    if (T_(heatbath_init)(&bath, theory, desc, arena, &e) != LFT_OK) check_true(e.text, 0);
    return bath;
}

static int T_(plaquettes)(const T_(batch) *x)
{
    return x->lattice.volume * (T_DIM * (T_DIM - 1) / 2);
}

/* The first chains of two batches, bit for bit. */
static int T_(equal)(const T_(batch) *a, const T_(batch) *b, int chains)
{
    static T_(real) p[16384], q[16384];
    const size_t    n    = (size_t)a->lattice.volume * (size_t)a->reals;
    int             same = n <= 16384, i;
    for (i = 0; i < chains && same; ++i) {
        T_(batch_get)(a, i, p);
        T_(batch_get)(b, i, q);
        same = !memcmp(p, q, n * sizeof *p);
    }
    return same;
}

static void T_(same)(void)
{
    const T_(theory)  theory = T_(wilson)(1.7);
    T_(heatbath_desc) desc   = T_(some)();
    lft_arena         arena  = lft_arena_of(chains_memory, sizeof chains_memory);
    T_(heatbath)      first  = T_(started)(&theory, &desc, &arena), bath;
    T_(batch)         middle;
    int               threads, real;
    check_true("five updates", T_(heatbath_thermalise)(&first, 5) == LFT_OK && first.drawn == 5 && first.sweeps == 0);
    for (real = 0; real < 2; ++real) {
        for (threads = 1; threads <= 3; ++threads) {
            lft_arena here = arena;
            char      name[80];
            desc.pool = real ? lft_pool_openmp(threads) : test_pool(&threads); /* serial without -fopenmp */
            bath      = T_(started)(&theory, &desc, &here);
            (void)T_(heatbath_thermalise)(&bath, 5);
            snprintf(name, sizeof name, "same bits with %d threads, %s", threads, real ? "OpenMP's" : "backwards");
            check_true(name, T_(equal)(&first.x, &bath.x, 21));
        }
    }
    desc.chains = 11;
    bath        = T_(started)(&theory, &desc, &arena);
    (void)T_(heatbath_thermalise)(&bath, 5);
    check_true("same bits for 11 chains, alone or among 21", T_(equal)(&bath.x, &first.x, 11));
    (void)T_(heatbath_next)(&bath);
    check_true("    but not after another update", !T_(equal)(&bath.x, &first.x, 1) && bath.sweeps == 3);
    desc.chains = 21;
    bath        = T_(started)(&theory, &desc, &arena);
    (void)T_(heatbath_thermalise)(&bath, 3);
    memset(&middle, 0, sizeof middle);
    middle     = bath.x;
    desc.start = LFT_START_COLD;
    bath       = T_(started)(&theory, &desc, &arena);
    bath.drawn = 3;
    check_true("start", T_(heatbath_start)(&bath, &middle) == LFT_OK);
    (void)T_(heatbath_thermalise)(&bath, 2);
    check_true("resumed after three updates: same bits", T_(equal)(&bath.x, &first.x, 21));
}

/* The same sweep of the heat bath with and without overrelaxation after it. */
static void T_(microcanonical)(void)
{
    const T_(theory)  theory = T_(wilson)(2.3);
    T_(heatbath_desc) desc   = T_(some)();
    lft_arena         arena  = lft_arena_of(chains_memory, sizeof chains_memory);
    T_(heatbath)      with, without;
    T_(p_v)           link[18];
    T_SUM             none;
    double            a[21], b[21], worst = 0, S = 0;
    T_(real)         *number = (T_(real) *)(void *)link;
    int               i;
    desc.overrelax = 4, with = T_(started)(&theory, &desc, &arena);
    desc.overrelax = -1, without = T_(started)(&theory, &desc, &arena);
    (void)T_(heatbath_next)(&with);
    (void)T_(heatbath_next)(&without);
    check_true("sweeps", with.sweeps == 5 && without.sweeps == 1);
    T_(action)(&theory, &with.x, a);
    T_(action)(&theory, &without.x, b);
    for (i = 0; i < 21; ++i) worst = fmax(worst, fabs(a[i] - b[i])), S = fmax(S, fabs(b[i]));
    check_below("overrelaxation: change of S / (beta plaquettes)", worst / (2.3 * T_(plaquettes)(&with.x)),
                sizeof(T_(real)) == 4 ? 1e-6 : 1e-14);
    check_true("    but the links have moved", S > 0 && !T_(equal)(&with.x, &without.x, 1));
    memset(link, 0, sizeof link);
    memset(&none, 0, sizeof none);
    T_(p_one)(link);
    T_(p_reflect)(link, &none);
    for (worst = 0, i = 0; i < with.x.reals / T_DIM * T_(lanes)(); ++i) worst += fabs((double)number[i]);
    check_below("without staples a link is still a link", worst / T_(lanes)(), 3.2);
}

/* Links g(x) g(x + mu)^+ on an extent of 2: the staples of every link add up to a unitary matrix, 2 (d - 1) times. */
static void T_(gauged)(const T_(batch) *random, T_(batch) *to)
{
    const int link = random->reals / T_DIM;
    int       g, x, mu;
    for (g = 0; g < random->groups; ++g) {
        const size_t   at = (size_t)g * (size_t)(random->lattice.volume * random->reals);
        const T_(p_v) *from = (const T_(p_v) *)(const void *)random->data + at;
        T_(p_v)       *here = (T_(p_v) *)(void *)to->data + at;
        for (x = 0; x < random->lattice.volume; ++x) {
            for (mu = 0; mu < T_DIM; ++mu) {
                T_(p_u) a, b, c;
                T_(p_get)(from + x * random->reals, &a);
                T_(p_get)(from + (x ^ 1 << (T_DIM - 1 - mu)) * random->reals, &b);
                T_(p_mul_adj)(&c, &a, &b);
                T_(p_put)(here + x * random->reals + mu * link, &c);
            }
        }
    }
}

/* The first link is drawn before any other: given the staples that the chains started from. All others are put back, so that
 * it stays with those staples; SU(3) takes a few updates to forget its start. */
static int T_(single)(double x, int updates, uint64_t seed, int final)
{
    const int         through = 2 * (T_DIM - 1), chains = 64;
    const T_(theory)  theory = T_(wilson)(x * T_COLOURS / through), plain = T_(wilson)(1);
    lft_arena         arena = lft_arena_of(chains_memory, sizeof chains_memory);
    lft_arena         memory = lft_arena_of(series_memory, sizeof series_memory);
    T_(heatbath_desc) desc   = T_(some)();
    T_(heatbath)      bath;
    T_(batch)         fixed;
    lft_series        series;
    comparison        c[3];
    size_t            first, group;
    int               i, g, power, bad = 0;
    memset(&fixed, 0, sizeof fixed);
    for (i = 0; i < T_DIM; ++i) desc.extent[i] = 2;
    desc.chains    = chains;
    desc.overrelax = -1;
    desc.seed      = seed;
    bath           = T_(started)(&theory, &desc, &arena);
    bad += T_(batch_init)(&fixed, &bath.x.lattice, chains, &arena, NULL) != LFT_OK;
    bad += lft_series_init(&series, 3, chains, (size_t)updates, &memory, NULL) != LFT_OK;
    T_(gauged)(&bath.x, &fixed);
    bad += T_(heatbath_start)(&bath, &fixed) != LFT_OK;
    first = (size_t)(bath.x.reals / T_DIM) * (size_t)bath.x.lanes;
    group = (size_t)bath.x.lattice.volume * (size_t)bath.x.reals * (size_t)bath.x.lanes;
    for (i = -10; i < updates && !bad; ++i) {
        double S[64], row[3];
        bad += T_(heatbath_next)(&bath) != LFT_OK;
        for (g = 0; g < bath.x.groups; ++g) {
            memcpy(bath.x.data + group * (size_t)g + first, fixed.data + group * (size_t)g + first,
                   (group - first) * sizeof *fixed.data);
        }
        if (i < 0) continue;
        T_(action)(&plain, &bath.x, S);
        for (g = 0; g < chains; ++g) {
            row[0] = (-S[g] - (T_(plaquettes)(&bath.x) - through)) / through; /* Re tr U W / (N |W|) */
            row[1] = row[0] * row[0];
            row[2] = row[0] * row[1];
            bad += lft_series_add(&series, g, row) != LFT_OK;
        }
    }
    check_true("    updates and measurements", !bad);
    if (bad) return 1;
    for (power = 1; power <= 3; ++power) {
        comparison *p = c + power - 1;
        snprintf(p->name, sizeof p->name, "    one link, k |W| = %g: <(Re tr U W / N |W|)^%d>", x, power);
        p->e        = lft_gamma(&series, power - 1);
        p->expected = one_link(T_COLOURS, x, power);
        p->error    = sizeof(T_(real)) == 4 ? 2e-7 : 0; /* of the action */
    }
    return conclude(c, 3, final);
}

static void T_(refusals)(void)
{
    const T_(theory)  theory = T_(wilson)(2), improved = {"wilson", 2, NULL, {2, -1.0 / 12}, NULL, theory.action};
    T_(theory)        other  = theory;
    T_(heatbath_desc) desc = T_(some)(), wrong;
    size_t            bytes = T_(heatbath_bytes)(&desc);
    lft_arena         arena;
    lft_error         e;
    T_(heatbath)      bath;
    T_(batch)         few;
    T_(real)          link[1];
    int               i, ok = 1;
    memset(&few, 0, sizeof few);
    arena = lft_arena_of(chains_memory + 1, bytes);
    check_true("init in exactly heatbath_bytes", T_(heatbath_init)(&bath, &theory, &desc, &arena, &e) == LFT_OK);
    arena = lft_arena_of(chains_memory + 1, bytes - 63);
    check_true("not in 63 fewer", T_(heatbath_init)(&bath, &theory, &desc, &arena, &e) == LFT_ERR_NOMEM && e.text[0]);
    for (i = 0; i < T_DIM + 4; ++i) {
        wrong = desc;
        if (i < T_DIM) wrong.extent[i] = 1;
        if (i == T_DIM) wrong.extent[0] = 0;
        if (i == T_DIM + 1) wrong.chains = -1;
        if (i == T_DIM + 2) wrong.overrelax = -2;
        if (i == T_DIM + 3) wrong.start = (lft_start)3;
        arena     = lft_arena_of(chains_memory, sizeof chains_memory);
        e.text[0] = 0;
        ok = ok && T_(heatbath_init)(&bath, &theory, &wrong, &arena, &e) == LFT_ERR_ARG && e.text[0];
        ok = ok && !T_(heatbath_bytes)(&wrong);
        if (i == 0) check_true(e.text, strstr(e.text, "extent") != NULL);
    }
    check_true("each bad field of a desc is an argument error", ok);
    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    check_true("rectangles: refused", T_(heatbath_init)(&bath, &improved, &desc, &arena, &e) == LFT_ERR_ARG);
    check_true(e.text, strstr(e.text, "c1") != NULL);
    other.name = "my own";
    arena      = lft_arena_of(chains_memory, sizeof chains_memory);
    check_true("another theory: refused", T_(heatbath_init)(&bath, &other, &desc, &arena, &e) == LFT_ERR_ARG);
    other = theory;
    arena = lft_arena_of(chains_memory, sizeof chains_memory);
    bath  = T_(started)(&other, &desc, &arena);
    if (T_(batch_init)(&few, &bath.x.lattice, 5, &arena, NULL) != LFT_OK) check_true("memory", 0);
    check_true("start from too few: mismatch", T_(heatbath_start)(&bath, &few) == LFT_ERR_MISMATCH && bath.error.text[0]);
    other.coupling[1] = -1;
    check_true("rectangles later: refused", T_(heatbath_next)(&bath) == LFT_ERR_ARG && bath.drawn == 0);
    other.coupling[1] = 0;
    check_true("    and without them it goes on", T_(heatbath_next)(&bath) == LFT_OK);
    memset(link, 0xff, sizeof link); /* not a number */
    i = (bath.x.lattice.volume * bath.x.reals - 1) * bath.x.lanes; /* the last link: the first would be drawn anew unseen */
    i += bath.x.lanes > 1 ? 1 : bath.x.lattice.volume * bath.x.reals;
    bath.x.data[i] = link[0];
    check_true("a link that is not a number is found", T_(heatbath_next)(&bath) == LFT_ERR_NONFINITE);
    check_true(bath.error.text, strstr(bath.error.text, "got 1") != NULL);
}

/* All but the lattices. */
static void T_(form)(void)
{
    static const double x[] = {0, 0.1, 1, 4, 30};
    int                 i;
    printf("---- N = %d, %d dimensions, %d bytes\n", T_COLOURS, T_DIM, (int)sizeof(T_(real)));
    T_(same)();
    T_(microcanonical)();
    T_(refusals)();
    for (i = 0; i < 5; ++i) {
        const int n = T_DIM == 2 ? 1000 : 250;
        if (!T_(single)(x[i], n, 100, 0)) (void)T_(single)(x[i], 4 * n, 101, 1);
    }
}

/* n updates of 64 chains (four dimensions: 16). */
static int T_(lattice_run)(const char *name, const int *extent, double beta, double expected, double error, int n,
                           uint64_t seed, int final)
{
    const T_(theory)  theory = T_(wilson)(beta);
    lft_arena         arena  = lft_arena_of(chains_memory, sizeof chains_memory);
    lft_arena         memory = lft_arena_of(series_memory, sizeof series_memory);
    T_(heatbath_desc) desc   = T_(some)();
    T_(heatbath)      bath;
    lft_series        series;
    comparison        c;
    int               i, k, bad = 0;
    memcpy(desc.extent, extent, sizeof desc.extent);
    desc.chains = T_DIM == 2 ? 64 : 16;
    desc.seed   = seed;
    bath        = T_(started)(&theory, &desc, &arena);
    bad += lft_series_init(&series, 1, desc.chains, (size_t)n, &memory, NULL) != LFT_OK;
    bad += T_(heatbath_thermalise)(&bath, 30) != LFT_OK;
    for (i = 0; i < n && !bad; ++i) {
        double S[64];
        bad += T_(heatbath_next)(&bath) != LFT_OK;
        T_(action)(&theory, &bath.x, S);
        for (k = 0; k < desc.chains; ++k) {
            const double p = -S[k] / (beta * T_(plaquettes)(&bath.x));
            bad += lft_series_add(&series, k, &p) != LFT_OK;
        }
    }
    check_true("    updates and measurements", !bad);
    if (bad) return 1;
    snprintf(c.name, sizeof c.name, "    %s", name);
    c.e        = lft_gamma(&series, 0);
    c.expected = expected;
    c.error    = error;
    printf("    relative error %.5f, tau_int %.2f\n", c.e.error / c.e.value, c.e.tau_int);
    return conclude(&c, 1, final);
}

static void T_(plaquette)(const char *name, const int *extent, double beta, double expected, double error, int n)
{
    if (!T_(lattice_run)(name, extent, beta, expected, error, n, 2024, 0)) {
        (void)T_(lattice_run)(name, extent, beta, expected, error, 4 * n, 2025, 1);
    }
}

#undef T
#undef T_DIM
#undef T_COLOURS
#undef T_SUM
#undef T_
#undef T_PASTE
#undef T_PASTE2
#endif
