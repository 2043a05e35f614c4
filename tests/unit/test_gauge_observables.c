/* test_gauge_observables.c: all that is measured on gauge fields, against plain products of complex matrices along every path, in
 * two, three and four dimensions, with unequal extents, in every lane; gauge invariance; fields whose charge is known; the
 * Wilson flow, step by step, its order and its direction; and what is derived from a series.
 * The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "lftflow.h"
#include "../matrices.h"
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

enum { SITES = 400, ROW = 200, CONFIGURATIONS = 19 }; /* 19: spare lanes in the last group of any lane count but 1 */
static unsigned char memory[64 << 20], scratch_memory[64 << 20];

static lft_arena scratch_of(size_t bytes)
{
    return lft_arena_of(scratch_memory, bytes);
}

/* ---- plain matrices -------------------------------------------------------------------------------------------------- */

/* One configuration, and what it lives on. */
static struct {
    int    dim, volume, extent[4];
    matrix link[SITES * 4];
} plain;

/* (a - a^+) / 2, for N > 1 without its trace */
static matrix antihermitian(matrix a)
{
    matrix            r = matrix_sum(a, -1, matrix_dagger(a));
    const real_number t = matrix_colours > 1 ? (r.im[0][0] + r.im[1][1] + r.im[2][2]) / matrix_colours : 0;
    int               i;
    for (i = 0; i < matrix_colours; ++i) r.im[i][i] -= t;
    return matrix_sum(matrix_of(0), 0.5L, r);
}

static int coordinate(int site, int mu)
{
    int nu;
    for (nu = plain.dim - 1; nu > mu; --nu) site /= plain.extent[nu];
    return site % plain.extent[mu];
}

static int neighbour(int site, int mu, int forward)
{
    int nu, stride = 1, x = coordinate(site, mu), to;
    for (nu = plain.dim - 1; nu > mu; --nu) stride *= plain.extent[nu];
    to = (x + (forward ? 1 : plain.extent[mu] - 1)) % plain.extent[mu];
    return site + (to - x) * stride;
}

/* The product along a path: 1 + mu is a step forward along mu, -(1 + mu) one back; steps are repeated. */
typedef struct leg {
    int direction, steps;
} leg;

static matrix path(int site, const leg *legs, int n)
{
    matrix u = matrix_of(1);
    int    i, k;
    for (i = 0; i < n; ++i) {
        const int mu = abs(legs[i].direction) - 1;
        for (k = 0; k < legs[i].steps; ++k) {
            if (legs[i].direction > 0) u = matrix_times(u, plain.link[site * plain.dim + mu]);
            site = neighbour(site, mu, legs[i].direction > 0);
            if (legs[i].direction < 0) u = matrix_times(u, matrix_dagger(plain.link[site * plain.dim + mu]));
        }
    }
    return u;
}

static matrix rectangle(int site, int first, int a, int second, int b) /* directions as above */
{
    leg legs[4];
    legs[0].direction = first, legs[1].direction = second, legs[2].direction = -first, legs[3].direction = -second;
    legs[0].steps = legs[2].steps = a, legs[1].steps = legs[3].steps = b;
    return path(site, legs, 4);
}

/* Mean of Re tr / N over sites and over the planes that `which` selects: 0 all, 1 without axis 0, 2 with it. */
static double plain_plaquette(int which)
{
    double sum = 0;
    int    x, mu, nu, n = 0;
    for (x = 0; x < plain.volume; ++x) {
        for (mu = 0; mu < plain.dim; ++mu) {
            for (nu = mu + 1; nu < plain.dim; ++nu) {
                if ((which == 1 && mu == 0) || (which == 2 && mu > 0)) continue;
                sum += matrix_trace(rectangle(x, mu + 1, 1, nu + 1, 1));
                ++n;
            }
        }
    }
    return sum / (n * matrix_colours);
}

static void plain_polyakov(double *re, double *im)
{
    int x, n = 0;
    *re = *im = 0;
    for (x = 0; x < plain.volume; ++x) {
        leg l = {1, 0};
        l.steps = plain.extent[0];
        if (coordinate(x, 0)) continue;
        *re += matrix_trace(path(x, &l, 1));
        *im += matrix_trace_im(path(x, &l, 1));
        ++n;
    }
    *re /= n * matrix_colours, *im /= n * matrix_colours;
}

static double plain_wilson(int R, int T, int static_only)
{
    double sum = 0;
    int    x, mu, nu, n = 0;
    for (mu = 0; mu < plain.dim; ++mu) {
        for (nu = 0; nu < plain.dim; ++nu) {
            if (mu == nu || R >= plain.extent[mu] || T >= plain.extent[nu] || (static_only && nu > 0)) continue;
            for (x = 0; x < plain.volume; ++x, ++n) sum += matrix_trace(rectangle(x, mu + 1, R, nu + 1, T));
        }
    }
    return sum / (n * matrix_colours);
}

/* G = (C - C^+) / 8 without its trace */
static matrix plain_field(int x, int mu, int nu)
{
    matrix c = rectangle(x, mu + 1, 1, nu + 1, 1);
    c = matrix_sum(c, 1, rectangle(x, nu + 1, 1, -mu - 1, 1));
    c = matrix_sum(c, 1, rectangle(x, -mu - 1, 1, -nu - 1, 1));
    c = matrix_sum(c, 1, rectangle(x, -nu - 1, 1, mu + 1, 1));
    return matrix_sum(matrix_of(0), 0.25, antihermitian(c));
}

/* F^a F^a / 4 = -tr F F / 2, of U(1) -F F / 4, over all mu and nu */
static double plain_energy(void)
{
    double sum = 0;
    int    x, mu, nu;
    for (x = 0; x < plain.volume; ++x) {
        for (mu = 0; mu < plain.dim; ++mu) {
            for (nu = 0; nu < plain.dim; ++nu) {
                const matrix f = plain_field(x, mu, nu);
                if (mu != nu) sum -= matrix_trace(matrix_times(f, f)) / (matrix_colours > 1 ? 2 : 4);
            }
        }
    }
    return sum / plain.volume;
}

static double plain_charge(void)
{
    double sum = 0;
    int    x, m, n, r, s;
    if (plain.dim == 2) {
        for (x = 0; x < plain.volume; ++x) {
            const matrix u = rectangle(x, 1, 1, 2, 1);
            sum += atan2(matrix_trace_im(u), matrix_trace(u));
        }
        return sum / (2 * pi);
    }
    for (x = 0; x < plain.volume; ++x) {
        for (m = 0; m < 4; ++m) {
            for (n = 0; n < 4; ++n) {
                for (r = 0; r < 4; ++r) {
                    const int sign = (n - m) * (r - m) * (r - n);
                    s = 6 - m - n - r;
                    if (!sign || s < 0 || s > 3 || s == m || s == n || s == r) continue;
                    sum -= matrix_trace(matrix_times(plain_field(x, m, n), plain_field(x, r, s))) *
                           (sign * (s - m) * (s - n) * (s - r) > 0 ? 1 : -1);
                }
            }
        }
    }
    return sum / (32 * pi * pi);
}

/* Z = -[U times the sum of its staples], antihermitian, times h: both for SU(N), d^a Re tr T^a = -antihermitian / 2, and U(1) */
static void plain_force(double h, matrix *z)
{
    int x, mu, nu;
    for (x = 0; x < plain.volume; ++x) {
        for (mu = 0; mu < plain.dim; ++mu) {
            matrix sum = matrix_of(0);
            for (nu = 0; nu < plain.dim; ++nu) {
                if (nu == mu) continue;
                sum = matrix_sum(sum, 1, rectangle(x, mu + 1, 1, nu + 1, 1));
                sum = matrix_sum(sum, 1, rectangle(x, mu + 1, 1, -nu - 1, 1));
            }
            z[x * plain.dim + mu] = matrix_sum(matrix_of(0), -h, antihermitian(sum));
        }
    }
}

static void plain_flow_step(double h)
{
    static matrix z0[SITES * 4], z1[SITES * 4], z2[SITES * 4];
    const int     n = plain.volume * plain.dim;
    int           i;
    plain_force(h, z0);
    for (i = 0; i < n; ++i) {
        plain.link[i] = matrix_times(matrix_exp(matrix_sum(matrix_of(0), 0.25, z0[i])), plain.link[i]);
    }
    plain_force(h, z1);
    for (i = 0; i < n; ++i) {
        const matrix z = matrix_sum(matrix_sum(matrix_of(0), 8.0 / 9, z1[i]), -17.0 / 36, z0[i]);
        plain.link[i]  = matrix_times(matrix_exp(z), plain.link[i]);
    }
    plain_force(h, z2);
    for (i = 0; i < n; ++i) {
        const matrix z = matrix_sum(matrix_sum(matrix_sum(matrix_of(0), 0.75, z2[i]), -8.0 / 9, z1[i]), 17.0 / 36, z0[i]);
        plain.link[i]  = matrix_times(matrix_exp(z), plain.link[i]);
    }
}

/* A diagonal link with phases angle, -angle, 0; U(1): angle. */
static void diagonal(double angle, double *c)
{
    memset(c, 0, 18 * sizeof *c);
    if (matrix_colours == 1) c[0] = angle;
    if (matrix_colours == 2) c[0] = cos(angle), c[3] = sin(angle);
    if (matrix_colours == 3) c[0] = c[8] = cos(angle), c[1] = sin(angle), c[9] = -sin(angle), c[16] = 1;
}

/* ---- the tests, per instance -------------------------------------------------------------------------------------------- */

#define T     u2
#define T_DIM 2
#define T_N   1
#include "test_gauge_observables.c"
#define T     a3
#define T_DIM 3
#define T_N   2
#include "test_gauge_observables.c"
#define T     a4f
#define T_DIM 4
#define T_N   2
#define T_REAL LFT_F32
#include "test_gauge_observables.c"
#define T     b4
#define T_DIM 4
#define T_N   3
#include "test_gauge_observables.c"
#ifndef LFT_TEST_FEW
#define T     u2f
#define T_DIM 2
#define T_N   1
#define T_REAL LFT_F32
#include "test_gauge_observables.c"
#define T     u3
#define T_DIM 3
#define T_N   1
#include "test_gauge_observables.c"
#define T     u4
#define T_DIM 4
#define T_N   1
#include "test_gauge_observables.c"
#define T     a2
#define T_DIM 2
#define T_N   2
#include "test_gauge_observables.c"
#define T     a4
#define T_DIM 4
#define T_N   2
#include "test_gauge_observables.c"
#define T     b2
#define T_DIM 2
#define T_N   3
#include "test_gauge_observables.c"
#define T     b3
#define T_DIM 3
#define T_N   3
#include "test_gauge_observables.c"
#define T     b3f
#define T_DIM 3
#define T_N   3
#define T_REAL LFT_F32
#include "test_gauge_observables.c"
#endif

/* ---- deriving: on made-up rows ------------------------------------------------------------------------------------------- */

enum { SAMPLES = 400, CHAINS = 3 };

/* t^2 E = 0.3 (t / tau)^p (1 + noise), with the noise of neighbouring times correlated. */
static lft_series made_up(const u2_observables *o, lft_arena *arena, double tau, double p, double noise)
{
    const int  count = u2_observables_count(o), flow = u2_observable_find(o, "energy_flow"), steps = count - flow;
    double     u[ROW], row[ROW];
    lft_series s;
    int        i, r, k;
    if (lft_series_init(&s, count, CHAINS, SAMPLES, arena, NULL) != LFT_OK) check_true("memory", 0);
    for (r = 0; r < CHAINS; ++r) {
        for (i = 0; i < SAMPLES; ++i) {
            lft_normals(lft_draw_of(5, LFT_DRAW_USER, (uint64_t)r, (uint32_t)i), u, count);
            for (k = 0; k < flow; ++k) row[k] = 0.5 + 0.1 * u[k];
            for (k = 1; k <= steps; ++k) {
                const double t = o->flow_time * k / steps;
                row[flow + k - 1] = 0.3 * pow(t / tau, p) * (1 + noise * (u[0] + t * u[1] + 0.01 * u[flow + k - 1]));
            }
            (void)lft_series_add(&s, r, row);
        }
    }
    return s;
}

static void scale(const u2_observables *o, const char *name, double expected, double tolerance)
{
    lft_arena     arena = lft_arena_of(memory, sizeof memory);
    lft_series    s     = made_up(o, &arena, 1.234, 1.3, 0);
    const int     i     = u2_observable_find(o, name);
    lft_arena     scratch = scratch_of(lft_gamma_bytes(&s));
    lft_estimate  e, numerical;
    u2_derived_of of;
    char          text[80];
    of.observables = o, of.observable = i;
    e = u2_observe(&s, NULL, o, i, scratch, NULL);
    snprintf(text, sizeof text, "%s of a power of t, step %.3g", name, o->flow_step);
    check_near(text, e.value, expected, tolerance);
    arena     = lft_arena_of(memory, sizeof memory);
    s         = made_up(o, &arena, 1.234, 1.3, 0.02);
    e         = u2_observe(&s, NULL, o, i, scratch, NULL);
    numerical = lft_gamma_of(&s, u2_derived, &of, scratch, NULL);
    /* a difference may reach over a node, where the polynomial changes */
    check_near("    its slopes: error against central differences", e.error / numerical.error, 1, 0.02);
    check_true("    reliable", e.reliable && e.error > 0);
}

static void deriving(void)
{
    static const char *const names[] = {"action", "plaquette", "plaquette_time", "polyakov_re", "polyakov_im", "polyakov_abs",
                                        "q",      "q2",        "wilson_1x1",     "wilson_1x2",  "wilson_1x3",  "wilson_2x2",
                                        "wilson_2x3", "energy_flow", "t2_energy_flow", "t0", "w0"};
    static const int         extent[2] = {8, 8};
    char                     text[LFT_OBSERVABLE_TEXT];
    lft_arena                arena = lft_arena_of(memory, sizeof memory);
    lft_error                error;
    lft_estimate             e;
    lft_series               s;
    u2_observables           o, bad;
    int                      i, ok = 1;
    memset(&o, 0, sizeof o);
    (void)u2_lattice_init(&o.lattice, extent, NULL);
    o.max_R = 2, o.max_T = 3, o.flow_time = 2;
    printf("---- names, deriving\n");
    for (i = 0; i < 17; ++i) {
        const char *name = u2_observable_name(&o, i, text);
        ok = ok && name && !strcmp(name, names[i]) && u2_observable_find(&o, names[i]) == i;
    }
    check_true("names, in their order", ok && !u2_observable_name(&o, 17, text) && !u2_observable_name(&o, -1, text));
    check_true("a name that there is not", u2_observable_find(&o, "plaquette_") == -1 && u2_observable_find(&o, "plaq") == -1);
    check_true("columns: 8, 5 loops, 40 steps of the flow", u2_observables_count(&o) == 53);
    scale(&o, "t0", 1.234, 1e-6);
    scale(&o, "w0", sqrt(1.234 * pow(1 / 1.3, 1 / 1.3)), 1e-5);
    o.flow_step = 0.4;
    scale(&o, "t0", 1.234, 1e-2);
    scale(&o, "w0", sqrt(1.234 * pow(1 / 1.3, 1 / 1.3)), 1e-2);
    o.flow_step = 1;
    scale(&o, "t0", 1.234, 1e-1);
    o.flow_step = 0;

    s = made_up(&o, &arena, 2.1, 1.3, 0);
    memset(&error, 0, sizeof error);
    e = u2_observe(&s, NULL, &o, 15, scratch_of(sizeof scratch_memory), &error);
    check_true("t0 that is not reached", !lft_finite(e.value) && !e.reliable && error.code == LFT_ERR_NONFINITE && error.text[0]);
    e = u2_observe(&s, NULL, &o, 16, scratch_of(sizeof scratch_memory), &error);
    check_near("    but w0 is", e.value, sqrt(2.1 * pow(1 / 1.3, 1 / 1.3)), 1e-5);
    e = u2_observe(&s, NULL, &o, 14, scratch_of(sizeof scratch_memory), &error);
    check_near("t^2 E at the end", e.value, 0.3 * pow(2 / 2.1, 1.3), 1e-12);
    e = u2_observe(&s, NULL, &o, 13, scratch_of(sizeof scratch_memory), &error);
    check_near("E at the end", e.value, 0.3 * pow(2 / 2.1, 1.3) / 4, 1e-12);
    e = u2_observe(&s, NULL, &o, 1, scratch_of(sizeof scratch_memory), &error);
    check_near("a mean", e.error, lft_gamma(&s, 1).error, 1e-12 * e.error);
    (void)u2_observe(&s, NULL, &o, 17, scratch_of(sizeof scratch_memory), &error);
    check_true("no such observable: argument", error.code == LFT_ERR_ARG);
    bad = o, bad.max_T = 4;
    (void)u2_observe(&s, NULL, &bad, 1, scratch_of(sizeof scratch_memory), &error);
    check_true("other columns: mismatch", error.code == LFT_ERR_MISMATCH);
    for (ok = 1, i = 0; i < 8; ++i) {
        bad = o, memset(&error, 0, sizeof error);
        if (i == 0) bad.max_R = 0;
        if (i == 1) bad.max_T = 0;
        if (i == 2) bad.max_R = -1;
        if (i == 3) bad.max_R = 4; /* > max_T */
        if (i == 4) bad.max_T = 8;
        if (i == 5) bad.flow_time = -1;
        if (i == 6) bad.flow_step = -0.1;
        if (i == 7) bad.flow_step = 1e-6;
        ok = ok && u2_observables_check(&bad, &error) == LFT_ERR_ARG && error.text[0] && !u2_observables_count(&bad) &&
             !u2_measure_bytes(&bad) && !u2_observable_name(&bad, 0, text);
    }
    check_true("each bad field of a desc is an argument error", ok);
}

int main(void)
{
    u2_suite();
    a3_suite();
    a4f_suite();
    b4_suite();
#ifndef LFT_TEST_FEW
    u2f_suite();
    u3_suite();
    u4_suite();
    a2_suite();
    a4_suite();
    b2_suite();
    b3_suite();
    b3f_suite();
#endif
    deriving();
    return test_end();
}

#else /* ---- one instance --------------------------------------------------------------------------------------------- */

#define LFT_STATIC
#ifdef T_REAL
#define LFT_REAL  T_REAL
#endif
#define LFT_NAME  T
#if T_N == 1
#define LFT_GROUP LFT_U1
#elif T_N == 2
#define LFT_GROUP LFT_SU2
#else
#define LFT_GROUP LFT_SU3
#endif
#define LFT_DIM   T_DIM
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#undef LFT_STATIC

#define T_PASTE2(a, b) a##_##b
#define T_PASTE(a, b)  T_PASTE2(a, b)
#define T_(name)       T_PASTE(T, name)

/* Rounding, in units of that of double. */
static double T_(eps)(void) { return sizeof(T_(real)) == 4 ? 2e8 : 1; }

/* Random links, flowed a little where steps > 0. */
static T_(batch) T_(links)(const T_(lattice) *lattice, int n, int steps, lft_arena *arena)
{
    T_(hmc_desc) desc;
    T_(theory)   theory;
    T_(hmc)      hmc;
    int          mu;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < T_DIM; ++mu) desc.extent[mu] = lattice->extent[mu];
    desc.chains = n;
    desc.start  = LFT_START_HOT;
    (void)T_(wilson_init)(&theory, 1, 0, NULL);
    if (T_(hmc_init)(&hmc, &theory, &desc, arena, NULL)) check_true("memory", 0);
    if (T_(wilson_flow)(&hmc.x, 0.05, steps, scratch_of(T_(wilson_flow_bytes)(lattice)), NULL)) check_true("flow", 0);
    return hmc.x;
}

static T_(observables) T_(all_of)(const int *extent)
{
    T_(observables) o;
    memset(&o, 0, sizeof o);
    (void)T_(lattice_init)(&o.lattice, extent, NULL);
    return o;
}

/* Configuration i of the batch as plain matrices. */
static void T_(plain_of)(const T_(batch) *x, int i)
{
    static T_(real) data[SITES * 4 * 18];
    double          c[18];
    const int       reals = x->reals / T_DIM;
    int             k, l;
    plain.dim = T_DIM, matrix_colours = T_N, plain.volume = x->lattice.volume;
    for (k = 0; k < T_DIM; ++k) plain.extent[k] = x->lattice.extent[k];
    T_(batch_get)(x, i, data);
    for (k = 0; k < plain.volume * T_DIM; ++k) {
        for (l = 0; l < reals; ++l) c[l] = (double)data[k * reals + l];
        plain.link[k] = matrix_of_link(c);
    }
}

/* All columns of the present plain configuration. */
static int T_(plain_row)(const T_(observables) *o, double action, double *row)
{
    const int steps = T_(observables_count)(o) - T_(observable_find)(o, "energy_flow");
    double    re, im;
    int       R, t, n = 0;
    plain_polyakov(&re, &im);
    row[n++] = action;
    row[n++] = plain_plaquette(0);
    if (T_DIM > 2) row[n++] = plain_plaquette(1);
    row[n++] = plain_plaquette(2);
    row[n++] = re;
    if (T_N != 2) row[n++] = im;
    row[n++] = hypot(re, im);
    if (T_DIM == 4 || (T_DIM == 2 && T_N == 1)) {
        row[n] = T_DIM == 2 || o->flow_time <= 0 ? plain_charge() : 0;
        n += 2;
    }
    for (R = 1; R <= o->max_R; ++R) {
        for (t = o->static_only ? 1 : R; t <= o->max_T; ++t) row[n++] = plain_wilson(R, t, o->static_only);
    }
    for (t = 1; o->flow_time > 0 && t <= steps; ++t) {
        const double time = o->flow_time * t / steps;
        plain_flow_step(o->flow_time / steps);
        row[n++] = time * time * plain_energy();
    }
    R = T_(observable_find)(o, "q");
    if (R >= 0) {
        if (T_DIM == 4 && o->flow_time > 0) row[R] = plain_charge();
        row[R + 1] = row[R] * row[R];
    }
    return n;
}

static void T_(compare)(const char *what, T_(observables) o, int flowed)
{
    static double    rows[CONFIGURATIONS * ROW], row[ROW];
    lft_arena        arena = lft_arena_of(memory, sizeof memory);
    T_(theory)       theory;
    T_(batch)        x     = T_(links)(&o.lattice, CONFIGURATIONS, flowed, &arena);
    const int        count = T_(observables_count)(&o);
    double           worst = 0, S[CONFIGURATIONS];
    int              i, k, same = 1; /* the number of columns too */
    (void)T_(wilson_init)(&theory, 0.7, -0.1, NULL);
    T_(action)(&theory, &x, S);
    same = same && T_(measure)(&theory, &o, &x, rows, scratch_of(T_(measure_bytes)(&o)), NULL) == LFT_OK;
    for (i = 0; i < CONFIGURATIONS; i += i < 2 ? 1 : 8) {
        T_(plain_of)(&x, i);
        same = same && T_(plain_row)(&o, S[i] / x.lattice.volume, row) == count;
        for (k = 0; k < count; ++k) {
            const double d = fabs(rows[i * count + k] - row[k]) / (1 + fabs(row[k]));
            if (!(d <= worst)) worst = d;
        }
    }
    check_below(what, same ? worst : 1, 1e-14 * T_(eps)());
}

/* U = 1: every number is known exactly, but for rounding of sums. */
static void T_(cold)(T_(observables) o)
{
    double     row[ROW], worst = 0;
    lft_arena  arena = lft_arena_of(memory, sizeof memory);
    T_(theory) theory;
    T_(batch)  x;
    char       text[LFT_OBSERVABLE_TEXT];
    int        i, count = T_(observables_count)(&o), flow = T_(observable_find)(&o, "energy_flow");
    (void)T_(wilson_init)(&theory, 1.5, 0, NULL);
    (void)T_(batch_init)(&x, &o.lattice, 1, &arena, NULL);
    (void)T_(measure)(&theory, &o, &x, row, scratch_of(T_(measure_bytes)(&o)), NULL);
    for (i = 0; i < count; ++i) {
        const char *name     = T_(observable_name)(&o, i, text);
        double      expected = 1;
        if (flow >= 0 && i >= flow) expected = 0;
        else if (!strcmp(name, "action")) expected = -1.5 * T_DIM * (T_DIM - 1) / 2;
        else if (name[0] == 'q' || !strcmp(name, "polyakov_im")) expected = 0;
        if (!(fabs(row[i] - expected) <= worst)) worst = fabs(row[i] - expected);
    }
    check_below("cold: 1, 0 and -beta planes", worst, 1e-14 * T_(eps)());
}

/* Every column before and after; and the action is that of the plaquette. */
static void T_(invariance)(T_(observables) o)
{
    static double rows[2][CONFIGURATIONS * ROW];
    lft_arena     arena = lft_arena_of(memory, sizeof memory);
    T_(theory)    theory;
    T_(batch)     x     = T_(links)(&o.lattice, CONFIGURATIONS, 1, &arena);
    const int     count = T_(observables_count)(&o);
    double        worst = 0, relation = 0, moved = 0;
    lft_arena     scratch = scratch_of(T_(measure_bytes)(&o));
    T_(real)      before[18 * SITES * 4], after[18 * SITES * 4];
    int           i;
    (void)T_(wilson_init)(&theory, 2.5, 0, NULL);
    T_(batch_get)(&x, 3, before);
    (void)T_(measure)(&theory, &o, &x, rows[0], scratch, NULL);
    T_(batch_get)(&x, 3, after);
    check_true("measuring changes nothing",
               !memcmp(before, after, (size_t)(x.lattice.volume * x.reals) * sizeof *before));
    check_true("gauge transformation", T_(gauge_transform)(&x, lft_draw_of(11, LFT_DRAW_USER, 0, 0),
                                                           scratch_of(T_(gauge_transform_bytes)(&o.lattice)), NULL) == LFT_OK);
    T_(batch_get)(&x, 3, after);
    (void)T_(measure)(&theory, &o, &x, rows[1], scratch, NULL);
    for (i = 0; i < CONFIGURATIONS * count; ++i) {
        const double d = fabs(rows[0][i] - rows[1][i]) / (1 + fabs(rows[0][i]));
        if (!(d <= worst)) worst = d;
    }
    for (i = 0; i < x.lattice.volume * x.reals; ++i) moved = fmax(moved, fabs((double)after[i] - (double)before[i]));
    for (i = 0; i < CONFIGURATIONS; ++i) { /* S / V = -beta planes P */
        const double d = fabs(rows[1][i * count] + 2.5 * T_DIM * (T_DIM - 1) / 2 * rows[1][i * count + 1]);
        if (!(d <= relation)) relation = d;
    }
    check_true("    it changes links", moved > 0.5);
    check_below("    but no observable", worst, 2e-14 * T_(eps)());
    check_below("action and plaquette", relation, 2e-14 * T_(eps)());
}

/* The largest element of the difference of two configurations of a batch. */
static double T_(distance)(const T_(batch) *a, const T_(batch) *b, int i)
{
    static matrix kept[SITES * 4];
    double        worst = 0;
    int           k;
    T_(plain_of)(a, i);
    memcpy(kept, plain.link, sizeof kept);
    T_(plain_of)(b, i);
    for (k = 0; k < plain.volume * T_DIM; ++k) worst = fmax(worst, matrix_apart(kept[k], plain.link[k]));
    return worst;
}

static T_(batch) T_(flowed)(const T_(lattice) *lattice, double time, int steps, lft_arena *arena)
{
    T_(batch) x = T_(links)(lattice, 3, 2, arena);
    (void)T_(wilson_flow)(&x, time / steps, steps, scratch_of(sizeof scratch_memory), NULL);
    return x;
}

/* Third order; S = -METRIC sum Re tr P falls at the rate |Z|^2 with Z = -dS. */
static void T_(flowing)(const T_(lattice) *lattice)
{
    const int  single = sizeof(T_(real)) == 4;
    lft_arena  arena = lft_arena_of(memory, sizeof memory), here;
    T_(theory) theory;
    T_(batch)  fine = T_(flowed)(lattice, 0.16, 256, &arena), coarse, x, force;
    double     S[CONFIGURATIONS], was[CONFIGURATIONS] = {1e9, 1e9, 1e9}, error[2], norm[3] = {0, 0, 0};
    T_(real)   f[SITES * 4 * 8];
    int        i, k, falls = 1;
    (void)T_(wilson_init)(&theory, T_N == 1 ? 1 : 2 * T_N, 0, NULL);
    for (i = 0; i < 2 && !single; ++i) {
        here     = arena;
        coarse   = T_(flowed)(lattice, 0.16, i ? 16 : 8, &here);
        error[i] = T_(distance)(&fine, &coarse, 1);
    }
    if (!single) check_near("flow: error of the step over that of half of it", error[0] / error[1], 8, 0.8);
    here = arena;
    x    = T_(links)(lattice, 3, 0, &here);
    for (k = 0; k < 20; ++k) {
        T_(action)(&theory, &x, S);
        for (i = 0; i < 3; ++i) falls = falls && S[i] < was[i];
        memcpy(was, S, sizeof S);
        (void)T_(wilson_flow)(&x, 0.1, 1, scratch_of(sizeof scratch_memory), NULL);
    }
    check_true("    the action falls, step by step", falls);
    here = arena;
    x    = T_(links)(lattice, 3, 2, &here);
    (void)T_(momenta_init)(&force, lattice, 3, &here, NULL);
    T_(force)(&theory, &x, &force);
    for (i = 0; i < 3; ++i) {
        T_(batch_get)(&force, i, f);
        for (k = 0; k < lattice->volume * force.reals; ++k) norm[i] += (double)f[k] * (double)f[k];
    }
    if (!single) {
        const double h = 1.0 / 4096;
        (void)T_(wilson_flow)(&x, -h, 1, scratch_of(sizeof scratch_memory), NULL);
        T_(action)(&theory, &x, was);
        (void)T_(wilson_flow)(&x, h, 2, scratch_of(sizeof scratch_memory), NULL);
        T_(action)(&theory, &x, S);
        for (i = 0; i < 3; ++i) {
            check_near("    dS/dt over -|force|^2", (was[i] - S[i]) / (2 * h) / norm[i], 1, 2e-6 * T_DIM * T_DIM);
        }
    }
    check_true("    refusals", T_(wilson_flow)(&x, 0.1, -1, scratch_of(sizeof scratch_memory), NULL) == LFT_ERR_ARG &&
                                   T_(wilson_flow)(&x, 0.1, 1, scratch_of(0), NULL) == LFT_ERR_NOMEM);
}

/* Constant flux: n quanta in the plane a, b and m in c, d. */
static T_(batch) T_(flux)(const T_(lattice) *lattice, int a, int b, int n, int c, int d, int m, lft_arena *arena)
{
    static T_(real) data[SITES * 4 * 18];
    double          link[18];
    T_(batch)       x;
    int             i, k, mu, reals;
    (void)T_(batch_init)(&x, lattice, 2, arena, NULL);
    T_(plain_of)(&x, 0); /* for the coordinates */
    reals = x.reals / T_DIM;
    for (i = 0; i < lattice->volume; ++i) {
        for (mu = 0; mu < T_DIM; ++mu) {
            const int first = mu == a || mu == b, p = first ? a : c, q = first ? b : d;
            double    angle = 0;
            if (first || mu == c || mu == d) {
                angle = 2 * pi * (first ? n : m) / (lattice->extent[p] * lattice->extent[q]);
                if (mu == q) angle *= coordinate(i, p);
                else angle *= coordinate(i, p) == lattice->extent[p] - 1 ? -lattice->extent[p] * coordinate(i, q) : 0;
            }
            diagonal(angle, link);
            for (k = 0; k < reals; ++k) data[(i * T_DIM + mu) * reals + k] = (T_(real))link[k];
        }
    }
    T_(batch_set)(&x, 1, data);
    return x;
}

static void T_(charges)(void)
{
    static const int extent[4] = {4, 4, 4, 4}, oblong[4] = {8, 6, 4, 4};
    static const int planes[3][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}};
    static double    rows[2 * ROW];
    lft_arena        arena = lft_arena_of(memory, sizeof memory), here;
    T_(observables)  o     = T_(all_of)(T_DIM == 4 ? extent : oblong);
    T_(theory)       theory;
    T_(batch)        x;
    const int        q = T_(observable_find)(&o, "q"), count = T_(observables_count)(&o);
    int              i, n;
    (void)T_(wilson_init)(&theory, 1, 0, NULL);
    for (i = 0; i < 3 && T_DIM == 4; ++i) {
        const int   *p      = planes[i];
        const double charge = (T_N == 1 ? 1 : 2) * pow(16 * sin(2 * pi / 16) / (2 * pi), 2), sign = i == 1 ? -1 : 1;
        for (n = -1; n <= 2; n += 2) {
            char name[60];
            here = arena;
            x    = T_(flux)(&o.lattice, p[0], p[1], 1, p[2], p[3], n, &here);
            (void)T_(measure)(&theory, &o, &x, rows, scratch_of(sizeof scratch_memory), NULL);
            snprintf(name, sizeof name, "charge of flux in the planes %d%d and %d%d: %+d", p[0], p[1], p[2], p[3], n);
            check_near(name, rows[count + q], n * sign * charge, 1e-13 * T_(eps)());
        }
    }
    for (n = -2; n <= 3 && T_DIM == 2 && T_N == 1; ++n) {
        const double angle = 2 * pi * n / 48;
        here = arena;
        x    = T_(flux)(&o.lattice, 0, 1, n, 0, 1, 0, &here);
        (void)T_(measure)(&theory, &o, &x, rows, scratch_of(sizeof scratch_memory), NULL);
        check_near("flux in two dimensions: Q", rows[count + q], n, 0);
        o.flow_time = 0.05; /* on which the flow leaves what is constant alone */
        (void)T_(measure)(&theory, &o, &x, rows, scratch_of(sizeof scratch_memory), NULL);
        check_near("    t^2 E", rows[2 * count + 1], 0.05 * 0.05 * sin(angle) * sin(angle) / 2, 1e-15 * T_(eps)());
        o.flow_time = 0;
    }
}

/* Appended rows are the measured ones; exact scratch; what does not fit. */
static void T_(appending)(T_(observables) o)
{
    static double rows[CONFIGURATIONS * ROW];
    lft_arena     arena = lft_arena_of(memory, sizeof memory);
    T_(theory)    theory;
    T_(batch)     x     = T_(links)(&o.lattice, CONFIGURATIONS, 0, &arena);
    const int     count = T_(observables_count)(&o);
    const size_t  bytes = T_(measure_bytes)(&o);
    lft_series    series;
    lft_error     e;
    int           i, k, same = 1;
    (void)T_(wilson_init)(&theory, 1, 0, NULL);
    (void)lft_series_init(&series, count, CONFIGURATIONS, 1, &arena, NULL);
    check_true("measure in exactly its bytes",
               T_(measure)(&theory, &o, &x, rows, lft_arena_of(scratch_memory + 1, bytes), &e) == LFT_OK);
    check_true("    not in 63 fewer",
               T_(measure)(&theory, &o, &x, rows, lft_arena_of(scratch_memory + 1, bytes - 63), &e) == LFT_ERR_NOMEM);
    check_true("    appended", T_(measure_into)(&theory, &o, &x, &series, scratch_of(bytes), &e) == LFT_OK);
    for (i = 0; i < CONFIGURATIONS; ++i) {
        for (k = 0; k < count; ++k) same = same && !memcmp(lft_series_samples(&series, k, i), rows + i * count + k, sizeof *rows);
    }
    check_true("    the same numbers", same);
    check_true("    full: memory", T_(measure_into)(&theory, &o, &x, &series, scratch_of(bytes), &e) == LFT_ERR_NOMEM);
    series.columns -= 1;
    check_true("    other columns: mismatch",
               T_(measure_into)(&theory, &o, &x, &series, scratch_of(bytes), &e) == LFT_ERR_MISMATCH);
    o.lattice.extent[0] += 1;
    check_true("    other extents: mismatch",
               T_(measure)(&theory, &o, &x, rows, scratch_of(sizeof scratch_memory), &e) == LFT_ERR_MISMATCH && e.text[0]);
}

static void T_(suite)(void)
{
    static const int odd[4] = {T_DIM == 2 ? 5 : 4, 3, 2, 5}, small[4] = {2, 1, 3, 2}, even[4] = {4, 4, 3, 2};
    T_(observables)  o = T_(all_of)(odd);
    printf("---- %d colours, %d dimensions, %d bytes, %d lanes\n", T_N, T_DIM, (int)sizeof(T_(real)), T_(lanes)());
    T_(compare)("plain products: random links", o, 0);
    o.max_R = 2, o.max_T = 3;
    T_(compare)("    loops", o, 3);
    T_(cold)(o);
    o.static_only = 1, o.max_T = 2;
    T_(compare)("    loops of the static potential", o, 3);
    o.flow_time = 0.1, o.flow_step = 0.04; /* three steps */
    T_(cold)(o);
    T_(compare)("    after the flow", o, 0);
    T_(invariance)(o);
    T_(appending)(o);
    o = T_(all_of)(small);
    o.flow_time = 0.06;
    T_(compare)("    extents of 1 and 2", o, 1);
    o = T_(all_of)(even);
    T_(flowing)(&o.lattice);
    T_(charges)();
}

#undef T_
#undef T_PASTE
#undef T_PASTE2
#undef T
#undef T_DIM
#undef T_N
#undef T_REAL
#endif
