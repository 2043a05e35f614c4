/* test_observables.c: batches and measurements against plain loops over one configuration, in one to four dimensions, with
 * equal and unequal extents, in every lane; and what is derived from them against plain formulas and numerical slopes.
 * The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"

#define LFT_STATIC
#define LFT_NAME  o1
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   1
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  o2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  o2f
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F32
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  o3
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   3
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  o4
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   4
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"

enum { SITES = 5000, COLUMNS = 80, CONFIGURATIONS = 21 }; /* 21: the last group of any lane count but 1 has lanes to spare */
static unsigned char memory[16 << 20], scratch_memory[16 << 20];
static double        field[CONFIGURATIONS][SITES];

static lft_arena scratch_of(size_t bytes)
{
    return lft_arena_of(scratch_memory, bytes);
}

/* ---- plain loops, for any number of dimensions -------------------------------------------------------------------------- */

static int coordinate(const int *extent, int dim, int site, int mu)
{
    int nu;
    for (nu = dim - 1; nu > mu; --nu) site /= extent[nu];
    return site % extent[mu];
}

static int up(const int *extent, int dim, int site, int mu)
{
    int nu, stride = 1;
    for (nu = dim - 1; nu > mu; --nu) stride *= extent[nu];
    return coordinate(extent, dim, site, mu) + 1 < extent[mu] ? site + stride : site - stride * (extent[mu] - 1);
}

/* The row of one configuration, straight from the definitions. */
static int plain_row(const int *extent, int dim, const double *phi, double m2, double lambda, double *row)
{
    static double s[SITES];
    const int     L = extent[0];
    int           volume = 1, axes = 0, mu, x, t, u;
    double        m = 0, p2 = 0, p4 = 0, S = 0;
    for (mu = 0; mu < dim; ++mu) volume *= extent[mu];
    for (x = 0; x < volume; ++x) {
        const double p = phi[x];
        m += p, p2 += p * p, p4 += p * p * p * p;
        S += m2 * p * p + lambda * p * p * p * p;
        for (mu = 0; mu < dim; ++mu) {
            const double d = phi[up(extent, dim, x, mu)] - p;
            S += d * d;
        }
    }
    m /= volume;
    row[LFT_COLUMN_M] = m, row[LFT_COLUMN_ABS_M] = fabs(m), row[LFT_COLUMN_M2] = m * m, row[LFT_COLUMN_M4] = m * m * m * m;
    row[LFT_COLUMN_PHI2] = p2 / volume, row[LFT_COLUMN_PHI4] = p4 / volume, row[LFT_COLUMN_ACTION] = S / volume;
    for (t = 0; t <= L / 2; ++t) row[LFT_COLUMN_C + t] = 0;
    row[LFT_COLUMN_KMIN] = 0;
    for (mu = 0; mu < dim; ++mu) {
        double re = 0, im = 0;
        if (extent[mu] != L) continue;
        axes += 1;
        for (t = 0; t < L; ++t) s[t] = 0;
        for (x = 0; x < volume; ++x) {
            const int k = coordinate(extent, dim, x, mu);
            s[k] += phi[x];
            re += phi[x] * cos(2 * 3.14159265358979323846 * k / L);
            im += phi[x] * sin(2 * 3.14159265358979323846 * k / L);
        }
        row[LFT_COLUMN_KMIN] += (re * re + im * im) / volume;
        for (t = 0; t <= L / 2; ++t) {
            for (u = 0; u < L; ++u) row[LFT_COLUMN_C + t] += s[u] * s[(u + t) % L] / volume;
        }
    }
    row[LFT_COLUMN_KMIN] /= axes;
    for (t = 0; t <= L / 2; ++t) row[LFT_COLUMN_C + t] /= axes;
    return LFT_COLUMN_C + L / 2 + 1;
}

/* A field with a mean, for which the columns have different sizes. */
static void fill(int volume, int as_float)
{
    int i, x;
    for (i = 0; i < CONFIGURATIONS; ++i) {
        lft_normals(lft_draw_of(3, LFT_DRAW_USER, (uint64_t)i, 0), field[i], volume);
        for (x = 0; x < volume; ++x) {
            field[i][x] = 0.3 * (i % 3 - 1) + 0.5 * field[i][x];
            if (as_float) field[i][x] = (double)(float)field[i][x];
        }
    }
}

/* ---- the tests, per instance -------------------------------------------------------------------------------------------- */

#define T o1
#define T_DIM 1
#include "test_observables.c"
#undef T
#undef T_DIM
#define T o2
#define T_DIM 2
#include "test_observables.c"
#undef T
#undef T_DIM
#define T o2f
#define T_DIM 2
#include "test_observables.c"
#undef T
#undef T_DIM
#define T o3
#define T_DIM 3
#include "test_observables.c"
#undef T
#undef T_DIM
#define T o4
#define T_DIM 4
#include "test_observables.c"
#undef T
#undef T_DIM

/* ---- deriving: on made-up rows, whose C(t) is near a cosh -------------------------------------------------------------- */

enum { SAMPLES = 400, CHAINS = 3 };

static lft_series made_up(const o2_lattice *lattice, lft_arena *arena, double mass, double noise)
{
    const int  L = lattice->extent[0], count = o2_observables_count(lattice);
    lft_series s;
    double     u[COLUMNS], row[COLUMNS], m2 = 0.04, F = 0.2;
    int        i, r, t;
    if (lft_series_init(&s, count, CHAINS, SAMPLES, arena, NULL) != LFT_OK) check_true("memory", 0);
    for (r = 0; r < CHAINS; ++r) {
        for (i = 0; i < SAMPLES; ++i) {
            lft_normals(lft_draw_of(5, LFT_DRAW_USER, (uint64_t)r, (uint32_t)i), u, count);
            row[LFT_COLUMN_M] = 0.2 * u[0], row[LFT_COLUMN_ABS_M] = 0.15 + 0.05 * u[1];
            row[LFT_COLUMN_M2] = m2 * (1 + 0.3 * u[2]), row[LFT_COLUMN_M4] = 0.004 * (1 + 0.3 * u[3] + 0.3 * u[2]);
            row[LFT_COLUMN_PHI2] = 0.2 + 0.02 * u[4], row[LFT_COLUMN_PHI4] = 0.1 + 0.01 * u[5];
            row[LFT_COLUMN_ACTION] = -0.2 + 0.02 * u[6], row[LFT_COLUMN_KMIN] = F * (1 + 0.3 * u[7]);
            for (t = 0; t <= L / 2; ++t) {
                row[LFT_COLUMN_C + t] = cosh(mass * (t - 0.5 * L)) * (1 + noise * u[8 + t] + 0.1 * u[0]);
            }
            (void)lft_series_add(&s, r, row);
        }
    }
    return s;
}

static double mean_of(const lft_series *s, int column)
{
    return lft_gamma(s, column).value;
}

static double plain_observable(const lft_series *s, const o2_lattice *lattice, double lambda, int observable)
{
    const double m2 = mean_of(s, LFT_COLUMN_M2), m4 = mean_of(s, LFT_COLUMN_M4), F = mean_of(s, LFT_COLUMN_KMIN);
    const int    L = lattice->extent[0];
    double       G[COLUMNS], sum = 0;
    int          t;
    if (observable == LFT_CHI2) return lattice->volume * m2;
    if (observable == LFT_XI_2ND) {
        return sqrt(lattice->volume * m2 / F - 1) / (2 * sin(3.14159265358979323846 / L));
    }
    if (observable == LFT_BINDER) return 1 - m4 / (3 * m2 * m2);
    if (observable == LFT_ABS_M) return mean_of(s, LFT_COLUMN_ABS_M);
    if (observable == LFT_PHI2) return mean_of(s, LFT_COLUMN_PHI2);
    if (observable == LFT_PHI4) return mean_of(s, LFT_COLUMN_PHI4);
    if (observable == LFT_IDENTITY) return mean_of(s, LFT_COLUMN_ACTION) + lambda * mean_of(s, LFT_COLUMN_PHI4);
    for (t = 0; t <= L; ++t) G[t] = mean_of(s, LFT_COLUMN_C + (t < L - t ? t : L - t));
    for (t = 1; t < L; ++t) sum += acosh((G[t - 1] + G[t + 1]) / (2 * G[t]));
    return L * sum / (L - 1);
}

static void deriving(const int *extent)
{
    lft_arena     arena = lft_arena_of(memory, sizeof memory);
    o2_lattice    lattice;
    o2_theory     theory;
    o2_derived_of of;
    lft_series    s;
    int           i;
    memset(&lattice, 0, sizeof lattice);
    (void)o2_lattice_init(&lattice, extent, NULL);
    (void)o2_phi4_init(&theory, -1, 3, NULL);
    s = made_up(&lattice, &arena, 0.5, 0.02);
    printf("---- derived from %d x %d\n", extent[0], extent[1]);
    for (i = 0; i < LFT_OBSERVABLES; ++i) {
        const lft_arena    scratch = scratch_of(lft_gamma_bytes(&s));
        const double       plain   = plain_observable(&s, &lattice, 3, i);
        const lft_estimate e       = o2_observe(&s, &theory, &lattice, i, scratch, NULL);
        lft_estimate       numerical;
        lft_jackknifed     j;
        char               name[60];
        of.theory = &theory, of.lattice = &lattice, of.observable = i;
        numerical = lft_gamma_of(&s, o2_derived, &of, scratch, NULL);
        j         = lft_jackknife(&s, o2_derived, &of, 300, scratch_of(sizeof scratch_memory), NULL);
        snprintf(name, sizeof name, "%s: value", o2_observable_name(i));
        check_near(name, e.value, plain, 1e-12 * (1 + fabs(plain)));
        snprintf(name, sizeof name, "    its slopes: error against central differences");
        check_near(name, e.error / numerical.error, 1, 0.01);
        snprintf(name, sizeof name, "    the jackknife's error");
        check_near(name, e.error / j.error, 1, 0.2);
        check_true("    reliable", e.reliable && e.n == SAMPLES * CHAINS);
    }
}

/* What is not defined is no number, is not reliable, and says so. */
static int undefined(const lft_series *s, const o2_theory *theory, const o2_lattice *lattice, int observable)
{
    lft_error          e = {LFT_OK, ""};
    const lft_estimate r = o2_observe(s, theory, lattice, observable, scratch_of(lft_gamma_bytes(s)), &e);
    return !lft_finite(r.value) && !r.reliable && (r.doubts & LFT_DOUBT_NONFINITE) && e.code == LFT_ERR_NONFINITE && e.text[0];
}

static void not_defined(void)
{
    static const int extents[3][2] = {{1, 5}, {2, 2}, {8, 8}};
    o2_lattice       lattice[3];
    o2_theory        theory, other;
    lft_series       s;
    lft_arena        arena;
    lft_error        e;
    int              i;
    memset(lattice, 0, sizeof lattice);
    for (i = 0; i < 3; ++i) (void)o2_lattice_init(lattice + i, extents[i], NULL);
    (void)o2_phi4_init(&theory, -1, 3, NULL);
    printf("---- not defined\n");
    arena = lft_arena_of(memory, sizeof memory);
    s     = made_up(lattice, &arena, 0.5, 0.02);
    check_true("mass_l of one slice", undefined(&s, &theory, lattice, LFT_MASS_L));
    check_true("xi_2nd of one slice", undefined(&s, &theory, lattice, LFT_XI_2ND));
    arena = lft_arena_of(memory, sizeof memory);
    s     = made_up(lattice + 1, &arena, 0.5, 0.02);
    check_true("xi_2nd where F > chi2", undefined(&s, &theory, lattice + 1, LFT_XI_2ND)); /* 0.2 > 4 x 0.04 */
    check_near("mass_l of two slices",
               o2_observe(&s, &theory, lattice + 1, LFT_MASS_L, scratch_of(sizeof scratch_memory), NULL).value,
               2 * acosh(mean_of(&s, LFT_COLUMN_C) / mean_of(&s, LFT_COLUMN_C + 1)), 1e-12);
    arena = lft_arena_of(memory, sizeof memory);
    s     = made_up(lattice + 2, &arena, 0.001, 0.5);
    check_true("mass_l of noise", undefined(&s, &theory, lattice + 2, LFT_MASS_L));
    other      = theory;
    other.name = "phi4_and_more";
    check_true("identity of another theory", undefined(&s, &other, lattice + 2, LFT_IDENTITY));
    check_true("xi_2nd where F < chi2 is defined", !undefined(&s, &theory, lattice + 2, LFT_XI_2ND));

    (void)o2_observe(&s, &theory, lattice, 0, scratch_of(sizeof scratch_memory), &e);
    check_true("other columns: mismatch", e.code == LFT_ERR_MISMATCH);
    (void)o2_observe(&s, &theory, lattice + 2, LFT_OBSERVABLES, scratch_of(sizeof scratch_memory), &e);
    check_true("no such observable: argument", e.code == LFT_ERR_ARG && !o2_observable_name(LFT_OBSERVABLES));
    (void)o2_observe(&s, &theory, lattice + 2, 0, scratch_of(lft_gamma_bytes(&s) - 64), &e);
    check_true("little scratch: memory", e.code == LFT_ERR_NOMEM);
    lft_series_clear(&s);
    check_true("no samples: argument", !o2_observe(&s, &theory, lattice + 2, 0, scratch_of(64), &e).n && e.code == LFT_ERR_ARG);
    check_true("names", !strcmp(o2_observable_name(LFT_CHI2), "chi2") && !strcmp(o2_observable_name(7), "identity") &&
                            !o2_observable_name(-1));
}

/* A mass so small that a fraction of the naive error of one G(t) would hide it: slopes must not come from differences. */
static void small_mass(void)
{
    static const int extent[2] = {64, 64};
    lft_arena        arena     = lft_arena_of(memory, sizeof memory);
    o2_lattice       lattice;
    o2_theory        theory;
    lft_series       s;
    lft_estimate     e;
    memset(&lattice, 0, sizeof lattice);
    (void)o2_lattice_init(&lattice, extent, NULL);
    (void)o2_phi4_init(&theory, -1, 3, NULL);
    s = made_up(&lattice, &arena, 0.02, 0.0);
    e = o2_observe(&s, &theory, &lattice, LFT_MASS_L, scratch_of(sizeof scratch_memory), NULL);
    check_near("mass_l of correlated slices, m = 0.02", e.value, 64 * 0.02, 1e-9);
    check_below("    error of what does not fluctuate", e.error, 1e-9);
}

int main(void)
{
    static const int a[2] = {8, 8}, b[2] = {7, 4}, c[2] = {2, 10};
    o1_measuring();
    o2_measuring();
    o2f_measuring();
    o3_measuring();
    o4_measuring();
    deriving(a);
    deriving(b);
    deriving(c);
    not_defined();
    small_mass();
    return test_end();
}

#else /* ---- one instance --------------------------------------------------------------------------------------------- */

#define T_PASTE2(a, b) a##_##b
#define T_PASTE(a, b)  T_PASTE2(a, b)
#define T_(name)       T_PASTE(T, name)

static T_(batch) T_(filled)(const int *extent, int n, lft_arena *arena)
{
    T_(lattice) lattice;
    T_(batch)   x;
    T_(real)    phi[SITES];
    lft_error   e;
    int         i, site;
    memset(&lattice, 0, sizeof lattice);
    memset(&x, 0, sizeof x);
    if (T_(lattice_init)(&lattice, extent, &e) != LFT_OK || T_(batch_init)(&x, &lattice, n, arena, &e) != LFT_OK) {
        check_true(e.text, 0);
    }
    fill(lattice.volume, sizeof(T_(real)) == 4);
    for (i = 0; i < n; ++i) {
        for (site = 0; site < lattice.volume; ++site) phi[site] = (T_(real))field[i][site];
        T_(batch_set)(&x, i, phi);
    }
    return x;
}

/* [group][site][lane], and what was set comes back. */
static int T_(layout)(const T_(batch) *x)
{
    T_(real) phi[SITES];
    int      i, site, ok = x->lanes == T_(lanes)() && x->groups == (x->n + x->lanes - 1) / x->lanes;
    for (i = 0; i < x->n; ++i) {
        T_(batch_get)(x, i, phi);
        for (site = 0; site < x->lattice.volume; ++site) {
            const T_(real) raw = x->data[(i / x->lanes * x->lattice.volume + site) * x->lanes + i % x->lanes];
            const T_(real) set = (T_(real))field[i][site];
            ok = ok && !memcmp(&raw, &set, sizeof set) && !memcmp(phi + site, &set, sizeof set);
        }
    }
    return ok;
}

static void T_(measured)(const int *extent)
{
    const double tolerance = sizeof(T_(real)) == 4 ? 4e-6 : 4e-14;
    lft_arena    arena     = lft_arena_of(memory, sizeof memory);
    T_(batch)    x         = T_(filled)(extent, CONFIGURATIONS, &arena), one;
    T_(theory)   theory;
    double       rows[CONFIGURATIONS * COLUMNS], alone[COLUMNS], plain[COLUMNS], worst = 0;
    const int    count = T_(observables_count)(&x.lattice);
    int          i, c, same;
    char         name[80];
    T_(real)     phi[SITES];
    lft_error    e;
    (void)T_(phi4_init)(&theory, -1.5, 2.5, NULL);
    same = T_(measure)(&theory, &x, rows, scratch_of(T_(measure_bytes)(&x.lattice)), &e) == LFT_OK;
    for (i = 0; i < CONFIGURATIONS; ++i) {
        same = same && plain_row(extent, T_DIM, field[i], -1.5, 2.5, plain) == count;
        for (c = 0; c < count; ++c) {
            /* sums may cancel: relative to what is summed */
            const double size = c == LFT_COLUMN_M ? 1 : c >= LFT_COLUMN_KMIN ? plain[LFT_COLUMN_C] : fabs(plain[c]) + 0.01;
            const double d    = fabs(rows[i * count + c] - plain[c]) / size;
            if (!(d <= worst)) worst = d;
        }
    }
    snprintf(name, sizeof name, "rows, extents %d %d %d %d", extent[0], T_DIM > 1 ? extent[1] : 0, T_DIM > 2 ? extent[2] : 0,
             T_DIM > 3 ? extent[3] : 0);
    check_below(name, worst, tolerance);
    one = T_(filled)(extent, 1, &arena);
    T_(batch_get)(&x, 13, phi);
    T_(batch_set)(&one, 0, phi);
    same = same && T_(measure)(&theory, &one, alone, scratch_of(T_(measure_bytes)(&x.lattice)), &e) == LFT_OK;
    same = same && !memcmp(alone, rows + 13 * count, (size_t)count * sizeof *alone);
    check_true("    number of columns; the same bits for a batch of one", same);
    check_true("    layout of the batch", T_(layout)(&x));
    check_true("    little scratch", T_(measure)(&theory, &x, rows, scratch_of(T_(measure_bytes)(&x.lattice) - 64), &e) ==
                                         LFT_ERR_NOMEM);
}

/* Configuration i goes to replica i. */
static void T_(appending)(const int *extent)
{
    lft_arena       arena = lft_arena_of(memory, sizeof memory);
    T_(batch)       x     = T_(filled)(extent, CONFIGURATIONS, &arena);
    const int       count = T_(observables_count)(&x.lattice);
    const lft_arena scratch = scratch_of(T_(measure_bytes)(&x.lattice));
    double          rows[CONFIGURATIONS * COLUMNS];
    T_(theory)      theory;
    lft_series      s, wrong;
    lft_error       e;
    volatile double huge = sizeof(T_(real)) == 4 ? 1e30 : 1e100;
    int             i, c, ok = 1;
    (void)T_(phi4_init)(&theory, -1.5, 2.5, NULL);
    (void)lft_series_init(&s, count, CONFIGURATIONS, 3, &arena, NULL);
    (void)T_(measure)(&theory, &x, rows, scratch, NULL);
    ok = T_(measure_into)(&theory, &x, &s, scratch, &e) == LFT_OK && T_(measure_into)(&theory, &x, &s, scratch, &e) == LFT_OK;
    for (i = 0; i < CONFIGURATIONS; ++i) {
        for (c = 0; c < count; ++c) {
            ok = ok && s.length[i] == 2 && !memcmp(lft_series_samples(&s, c, i) + 1, rows + i * count + c, sizeof(double));
        }
    }
    check_true("measure_into: configuration i is the next sample of replica i", ok);
    x.data[0] = (T_(real))huge; /* its fourth power is infinite */
    ok = T_(measure_into)(&theory, &x, &s, scratch, &e) == LFT_ERR_NONFINITE && s.length[CONFIGURATIONS - 1] == 3 && e.text[0];
    check_true("    a broken configuration is reported and stored", ok);
    check_true("    a full series", T_(measure_into)(&theory, &x, &s, scratch, &e) == LFT_ERR_NOMEM && s.length[0] == 3);
    (void)lft_series_init(&wrong, count + 1, CONFIGURATIONS, 3, &arena, NULL);
    check_true("    other columns", T_(measure_into)(&theory, &x, &wrong, scratch, &e) == LFT_ERR_MISMATCH);
    (void)lft_series_init(&wrong, count, CONFIGURATIONS + 1, 3, &arena, NULL);
    check_true("    other replicas", T_(measure_into)(&theory, &x, &wrong, scratch, &e) == LFT_ERR_MISMATCH);
}

/* Odd, even and equal extents, 1 and 2, rows longer than what is summed in the real type, and more rows than that. */
static void T_(measuring)(void)
{
#if T_DIM == 1
    static const int extent[][1] = {{1}, {2}, {3}, {8}, {130}};
#elif T_DIM == 2
    static const int extent[][2] = {{1, 1}, {2, 2}, {1, 7}, {7, 1}, {5, 5}, {4, 6}, {8, 8}, {2, 150}, {67, 67}};
#elif T_DIM == 3
    static const int extent[][3] = {{4, 3, 4}, {2, 5, 2}, {3, 3, 3}, {6, 2, 1}, {1, 2, 2}, {9, 9, 9}};
#else
    static const int extent[][4] = {{3, 4, 3, 3}, {2, 3, 2, 4}, {4, 4, 4, 4}, {1, 1, 2, 2}, {5, 1, 5, 2}};
#endif
    size_t i;
    printf("---- %d dimensions, %d bytes, %d lanes\n", T_DIM, (int)sizeof(T_(real)), T_(lanes)());
    for (i = 0; i < sizeof extent / sizeof *extent; ++i) T_(measured)(extent[i]);
    T_(appending)(extent[1]);
}

#undef T_
#undef T_PASTE
#undef T_PASTE2
#endif
