/* test_hartley.c: the Hartley transform against its double sum; the spectra of tied kernels against convolutions; their
 * orbits against the group. The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define T         h1
#define T_DIM     1
#define T_REAL    LFT_F64
#include "test_hartley.c"
#define T         h1f
#define T_DIM     1
#define T_REAL    LFT_F32
#include "test_hartley.c"
#define T         h2
#define T_DIM     2
#define T_REAL    LFT_F64
#include "test_hartley.c"
#define T         h2f
#define T_DIM     2
#define T_REAL    LFT_F32
#include "test_hartley.c"
#define T         h3
#define T_DIM     3
#define T_REAL    LFT_F64
#include "test_hartley.c"
#define T         h4
#define T_DIM     4
#define T_REAL    LFT_F64
#include "test_hartley.c"

int main(void)
{
    static const int d2[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2},  {3, 3},   {4, 4},  {6, 6},   {5, 8},  {8, 5},
                                {9, 9}, {7, 3}, {3, 7}, {10, 6}, {12, 14}, {16, 2}, {20, 11}, {32, 3}, {3, 32}};
    static const int d3[][3] = {{1, 1, 1}, {2, 2, 2}, {3, 3, 3}, {4, 4, 3},
                                {4, 3, 4}, {5, 1, 2}, {6, 7, 2}, {2, 10, 9}};
    static const int d4[][4] = {{1, 1, 2, 2}, {2, 2, 2, 2}, {3, 3, 3, 3}, {4, 3, 4, 3}, {2, 3, 4, 5}, {5, 1, 6, 2}};
    size_t           i;
    int              L;
    for (L = 1; L <= 100; L += L < 40 ? 1 : L < 60 ? 24 : 36) { /* 1 ... 40, 64, 100 */
        h1_test(&L);
        h1f_test(&L);
    }
    for (i = 0; i < sizeof d2 / sizeof *d2; ++i) h2_test(d2[i]), h2f_test(d2[i]);
    for (i = 0; i < sizeof d3 / sizeof *d3; ++i) h3_test(d3[i]);
    for (i = 0; i < sizeof d4 / sizeof *d4; ++i) h4_test(d4[i]);
    return test_end();
}

#else /* one instance */

#define LFT_NAME  T
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   T_DIM
#define LFT_REAL  T_REAL
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define T_(name)  LFT_P_PASTE(T, name)
#define T_P(name) LFT_P_PASTE(T, LFT_P_PASTE2(p, name))

/* ---- sites ------------------------------------------------------------------------------------------------------- */

static void T_(components)(const int *extent, int site, int *x)
{
    int mu;
    for (mu = T_DIM - 1; mu >= 0; --mu) {
        x[mu] = site % extent[mu];
        site /= extent[mu];
    }
}

static int T_(site)(const int *extent, const int *x) /* any integers */
{
    int mu, site = 0;
    for (mu = 0; mu < T_DIM; ++mu) site = site * extent[mu] + ((x[mu] % extent[mu]) + extent[mu]) % extent[mu];
    return site;
}

/* prod (L/2 + 1) entries, row-major */
static int T_(compact)(const int *extent, int site)
{
    int x[T_DIM], mu, index = 0;
    T_(components)(extent, site, x);
    for (mu = 0; mu < T_DIM; ++mu) {
        index = index * (extent[mu] / 2 + 1) + (x[mu] < extent[mu] - x[mu] ? x[mu] : (extent[mu] - x[mu]) % extent[mu]);
    }
    return index;
}

/* ---- values: double [lane][site], and the vectors of the library ------------------------------------------------- */

typedef struct T_(space) {
    T_(lattice)     lattice;
    T_P(hartley)    hartley;
    T_P(spectrum)   spectrum;
    int             V, lanes;
    double          rounding; /* bound for sums over a line */
    T_P(v)         *vector, *other, *panel;
    unsigned char  *strip; /* behind the panel */
    char            name[40];
    lft_arena       arena;
} T_(space);

static double *T_(doubles)(T_(space) *s, int n)
{
    return (double *)lft_arena_alloc(&s->arena, (size_t)n, sizeof(double));
}

/* A field of every lane, rounded to the real type. */
static double *T_(field)(T_(space) *s, uint64_t seed)
{
    double *f = T_(doubles)(s, s->V * s->lanes);
    int     i;
    lft_normals(lft_draw_of(seed, LFT_DRAW_USER, 0, 0), f, s->V * s->lanes);
    for (i = 0; i < s->V * s->lanes; ++i) f[i] = (double)(T_(real))f[i];
    return f;
}

static T_P(v) *T_(pack)(const T_(space) *s, const double *f, T_P(v) *to)
{
    T_(real) *real = (T_(real) *)to;
    int       l, x;
    for (l = 0; l < s->lanes; ++l) {
        for (x = 0; x < s->V; ++x) real[x * s->lanes + l] = (T_(real))f[l * s->V + x];
    }
    return to;
}

/* The largest difference, in units of the bound. */
static double T_(apart)(const T_(space) *s, const T_P(v) *vector, const double *f)
{
    const T_(real) *real  = (const T_(real) *)vector;
    double          worst = 0;
    int             l, x;
    for (l = 0; l < s->lanes; ++l) {
        for (x = 0; x < s->V; ++x) {
            const double d = fabs((double)real[x * s->lanes + l] - f[l * s->V + x]);
            if (!(d <= worst)) worst = d;
        }
    }
    return worst;
}

static void T_(check)(const T_(space) *s, const char *what, double value, double bound)
{
    char name[100];
    snprintf(name, sizeof name, "%s %s", s->name, what);
    check_below(name, value, bound);
}

/* ---- the transform ----------------------------------------------------------------------------------------------- */

/* to = (H f)(k) of one lane, by the sum over all sites */
static void T_(double_sum)(const T_(space) *s, const double *f, double *to)
{
    const int *extent = s->lattice.extent;
    double     table[T_DIM][101 * 2]; /* cas of one axis, jk mod L */
    int        k[T_DIM], x[T_DIM], i, j, mu;
    for (mu = 0; mu < T_DIM; ++mu) {
        for (j = 0; j < extent[mu]; ++j) {
            const double angle = 6.283185307179586476925 * j / extent[mu];
            table[mu][j]       = (cos(angle) + sin(angle)) / sqrt(extent[mu]);
        }
    }
    for (i = 0; i < s->V; ++i) {
        double sum = 0;
        T_(components)(extent, i, k);
        for (j = 0; j < s->V; ++j) {
            double factor = f[j];
            T_(components)(extent, j, x);
            for (mu = 0; mu < T_DIM; ++mu) factor *= table[mu][x[mu] * k[mu] % extent[mu]];
            sum += factor;
        }
        to[i] = sum;
    }
}

static void T_(apply)(T_(space) *s, T_P(v) *x)
{
    T_P(hartley_apply)(&s->hartley, x, s->panel);
}

static double T_(dot)(const T_(space) *s, const T_P(v) *a, const T_P(v) *b)
{
    double sum = 0;
    int    i;
    for (i = 0; i < s->V * s->lanes; ++i) sum += (double)((const T_(real) *)a)[i] * (double)((const T_(real) *)b)[i];
    return sum;
}

static void T_(test_transform)(T_(space) *s)
{
    double *f = T_(field)(s, 1), *g = T_(field)(s, 2), *sum = T_(doubles)(s, s->V * s->lanes), before;
    int     l, touched = 0;
    size_t  i;
    for (l = 0; l < s->lanes; ++l) T_(double_sum)(s, f + l * s->V, sum + l * s->V);
    T_(pack)(s, f, s->vector);
    T_(apply)(s, s->vector);
    T_(check)(s, "Hartley transform - double sum", T_(apart)(s, s->vector, sum), s->rounding);
    T_(apply)(s, s->vector);
    T_(check)(s, "is its own inverse", T_(apart)(s, s->vector, f), s->rounding);
    T_(pack)(s, g, s->other);
    before = T_(dot)(s, s->vector, s->other);
    T_(apply)(s, s->vector);
    T_(apply)(s, s->other);
    T_(check)(s, "is orthogonal", (T_(dot)(s, s->vector, s->other) - before) / sqrt(s->V * s->lanes), 4 * s->rounding);
    for (i = 0; i < 256; ++i) touched += s->strip[i] != 0xa5;
    T_(check)(s, "bytes written behind the panel", touched, 0);
}

/* ---- spectra ----------------------------------------------------------------------------------------------------- */

/* Every image of every site under signs and exchanges of equal axes is in the same orbit, and orbits that no element
 * connects have different numbers, which rise with the smallest compact index. */
static void T_(test_orbits)(T_(space) *s)
{
    const int *extent = s->lattice.extent;
    int       *mark = (int *)malloc((size_t)s->V * sizeof(int));
    int       *sites = (int *)calloc((size_t)s->spectrum.count, sizeof(int));
    int        i, j, mu, nu, changed = 1, wrong = 0, orbits = 0, last = -1, x[T_DIM];
    for (i = 0; i < s->V; ++i) mark[i] = i;
    while (changed) { /* the smallest site that generators lead to */
        for (changed = 0, i = 0; i < s->V; ++i) {
            for (mu = 0; mu < T_DIM; ++mu) {
                T_(components)(extent, i, x);
                x[mu] = -x[mu];
                j     = T_(site)(extent, x);
                if (mark[j] < mark[i]) mark[i] = mark[j], changed = 1;
                for (nu = 0; nu < mu; ++nu) {
                    int swap;
                    if (extent[mu] != extent[nu]) continue;
                    T_(components)(extent, i, x);
                    swap = x[mu], x[mu] = x[nu], x[nu] = swap;
                    j = T_(site)(extent, x);
                    if (mark[j] < mark[i]) mark[i] = mark[j], changed = 1;
                }
            }
        }
    }
    for (i = 0; i < s->V; ++i) {
        const int orbit = s->spectrum.orbit[T_(compact)(extent, i)];
        sites[T_(compact)(extent, i)] += 1;
        if (mark[i] == i) { /* a new orbit; sites in ascending order are compact indices in ascending order */
            wrong += orbit != last + 1;
            last = orbit;
            ++orbits;
        }
        wrong += orbit != s->spectrum.orbit[T_(compact)(extent, mark[i])];
    }
    T_(check)(s, "orbits - those of the group", s->spectrum.orbits - orbits, 0);
    T_(check)(s, "sites in a wrong orbit", wrong, 0);
    for (wrong = 0, i = 0; i < s->spectrum.count; ++i) {
        wrong += sites[i] != T_P(spectrum_multiplicity)(&s->spectrum, i);
    }
    T_(check)(s, "wrong multiplicities", wrong, 0);
    free(mark);
    free(sites);
}

/* sum_y W(x - y) f(y) of one lane */
static void T_(convolve)(const T_(space) *s, const double *kernel, const double *f, double *to)
{
    const int *extent = s->lattice.extent;
    int        x[T_DIM], y[T_DIM], r[T_DIM], i, j, mu;
    for (i = 0; i < s->V; ++i) {
        T_(components)(extent, i, x);
        for (to[i] = 0, j = 0; j < s->V; ++j) {
            T_(components)(extent, j, y);
            for (mu = 0; mu < T_DIM; ++mu) r[mu] = x[mu] - y[mu];
            to[i] += kernel[s->spectrum.orbit[T_(compact)(extent, T_(site)(extent, r))]] * f[j];
        }
    }
}

static void T_(test_spectrum)(T_(space) *s)
{
    const int *extent = s->lattice.extent;
    const int  count = s->spectrum.count, orbits = s->spectrum.orbits, n = s->V * s->lanes;
    double    *f = T_(field)(s, 3), *g = T_(field)(s, 4), *to = T_(doubles)(s, n), *kernel = T_(doubles)(s, orbits);
    double    *lambda = T_(doubles)(s, count), *back = T_(doubles)(s, orbits), *work = T_(doubles)(s, 2 * count);
    double    *other = T_(doubles)(s, count), *dlambda = T_(doubles)(s, count), a, b, worst = 0;
    T_P(v)    *sums;
    T_(real)  *narrow = (T_(real) *)lft_arena_alloc(&s->arena, (size_t)count, sizeof(T_(real)));
    T_(real)  *tied   = (T_(real) *)lft_arena_alloc(&s->arena, (size_t)orbits, sizeof(T_(real)));
    T_P(spectrum_mixing) mixing;
    int        i, j, l, mu, k[T_DIM], r[T_DIM];
    mixing.spectrum = &s->spectrum, mixing.sets = mixing.features = 1;
    mixing.apart = s->V, mixing.row = s->lattice.extent[T_DIM - 1];
    lft_normals(lft_draw_of(5, LFT_DRAW_USER, 0, 0), kernel, orbits);
    for (i = 0; i < orbits; ++i) kernel[i] /= sqrt(s->V);

    /* eigenvalues: sum_r W(r) cos(2 pi k r / L) */
    T_P(spectrum_of_kernel)(&s->spectrum, kernel, lambda, work);
    for (i = 0; i < s->V; ++i) {
        double sum = 0;
        T_(components)(extent, i, k);
        for (j = 0; j < s->V; ++j) {
            double phase = 0;
            T_(components)(extent, j, r);
            for (mu = 0; mu < T_DIM; ++mu) phase += (double)(k[mu] * r[mu] % extent[mu]) / extent[mu];
            sum += kernel[s->spectrum.orbit[T_(compact)(extent, j)]] * cos(6.283185307179586476925 * phase);
        }
        worst = fmax(worst, fabs(sum - lambda[T_(compact)(extent, i)]));
    }
    T_(check)(s, "eigenvalues - cosine sums", worst, 1e-13);

    /* H lambda H is the convolution */
    for (i = 0; i < count; ++i) narrow[i] = (T_(real))lambda[i];
    for (l = 0; l < s->lanes; ++l) T_(convolve)(s, kernel, f + l * s->V, to + l * s->V);
    T_(pack)(s, f, s->vector);
    T_(apply)(s, s->vector);
    T_P(spectrum_product)(&s->spectrum, narrow, s->vector, s->other);
    T_(apply)(s, s->other);
    T_(check)(s, "convolution in momentum space - in position", T_(apart)(s, s->other, to), 20 * s->rounding);
    T_(pack)(s, g, s->other);
    T_(apply)(s, s->other);
    for (i = 0; i < count; ++i) tied[s->spectrum.orbit[i]] = narrow[i];
    T_P(spectrum_mix)(&mixing, 1, 1, tied, s->vector, s->other);
    T_(apply)(s, s->other);
    for (i = 0; i < n; ++i) to[i] += g[i];
    T_(check)(s, "convolution, added", T_(apart)(s, s->other, to), 20 * s->rounding);

    /* transposes */
    lft_normals(lft_draw_of(6, LFT_DRAW_USER, 0, 0), dlambda, count);
    for (i = 0; i < orbits; ++i) back[i] = 1;
    T_P(spectrum_of_kernel_backward)(&s->spectrum, dlambda, back, work);
    for (a = b = 0, i = 0; i < count; ++i) a += dlambda[i] * lambda[i];
    for (i = 0; i < orbits; ++i) b += (back[i] - 1) * kernel[i]; /* it adds */
    T_(check)(s, "spectrum_of_kernel and its transpose", (a - b) / sqrt(s->V), 1e-12);
    sums = (T_P(v) *)lft_arena_alloc(&s->arena, (size_t)count, sizeof *sums);
    for (i = 0; i < count; ++i) {
        for (l = 0; l < s->lanes; ++l) ((T_(real) *)sums)[i * s->lanes + l] = 1; /* it adds */
        other[i] = s->lanes;
    }
    T_(pack)(s, f, s->vector);
    T_(pack)(s, g, s->other);
    T_P(spectrum_dot)(&s->spectrum, s->vector, s->other, sums);
    for (l = 0; l < s->lanes; ++l) {
        for (i = 0; i < s->V; ++i) other[T_(compact)(extent, i)] += f[l * s->V + i] * g[l * s->V + i];
    }
    for (worst = 0, i = 0; i < count; ++i) worst = fmax(worst, fabs(T_P(sum_lanes)(sums[i]) - other[i]));
    T_(check)(s, "spectrum_dot - sum", worst, 20 * s->rounding);
}

/* Several fields at a time against one kernel, one field and one momentum after the other. */
static void T_(test_mixing)(T_(space) *s, int n)
{
    enum { SETS = 2, MORE = 1 }; /* MORE: features that do not take part */
    const int            V = s->V, length = s->lattice.extent[T_DIM - 1], row = length + 2, apart = V / length * row + 3;
    const int            all = n + MORE, size = s->spectrum.orbits * SETS * all;
    const int           *compact = s->spectrum.compact, *orbit = s->spectrum.orbit;
    lft_arena            arena = s->arena;
    T_P(spectrum_mixing) m;
    T_P(spectrum_wanted) wanted;
    T_(real) *lambda = (T_(real) *)lft_arena_alloc(&arena, (size_t)size, sizeof(T_(real)));
    double   *random = (double *)lft_arena_alloc(&arena, (size_t)(size + (n + 2 * SETS) * apart), sizeof(double)), *at;
    T_P(v)   *x = T_P(vectors)(&arena, (size_t)(n * apart)), *was = T_P(vectors)(&arena, (size_t)(n * apart));
    T_P(v)   *y = T_P(vectors)(&arena, (size_t)(SETS * apart)), *dy = T_P(vectors)(&arena, (size_t)(SETS * apart));
    T_P(v)   *start = T_P(vectors)(&arena, (size_t)(SETS * apart)), *d = T_P(vectors)(&arena, (size_t)size);
    T_P(v)   *sum = T_P(vectors)(&arena, (size_t)size);
    double    worst[4] = {0, 0, 0, 0};
    int       i, j, f, k, q, add;
    m.spectrum = &s->spectrum, m.sets = SETS, m.features = all, m.apart = apart, m.row = row;
    lft_normals(lft_draw_of(7, LFT_DRAW_USER, 0, 0), random, size + (n + 2 * SETS) * apart);
    for (at = random, i = 0; i < size; ++i) lambda[i] = (T_(real))*at++;
    for (i = 0; i < n * apart; ++i) was[i] = T_P(splat)((T_(real))*at++);
    for (i = 0; i < SETS * apart; ++i) start[i] = T_P(splat)((T_(real))*at++), dy[i] = T_P(splat)((T_(real))*at++);
    for (add = 0; add < 2; ++add) {
        for (i = 0; i < n * apart; ++i) x[i] = was[i];
        for (i = 0; i < SETS * apart; ++i) y[i] = start[i];
        T_P(spectrum_mix)(&m, n, add, lambda, x, y);
        for (j = 0; j < SETS; ++j) {
            for (k = 0; k < V; ++k) {
                T_P(v) want;
                q    = k / length * row + k % length;
                want = add ? start[j * apart + q] : T_P(splat)(0);
                for (f = 0; f < n; ++f) want += lambda[(orbit[compact[k]] * SETS + j) * all + f] * was[f * apart + q];
                worst[0] = fmax(worst[0], fabs(T_P(sum_lanes)(y[j * apart + q] - want)));
            }
        }
        for (i = 0; i < SETS * apart; ++i) y[i] = start[i];
        for (i = 0; i < size; ++i) d[i] = sum[i] = T_P(splat)((T_(real))(i % 3));
        wanted.y = y, wanted.dlambda = d, wanted.add = add;
        T_P(spectrum_unmix)(&m, n, lambda, x, dy, &wanted);
        for (k = 0; k < V; ++k) {
            q = k / length * row + k % length;
            for (f = 0; f < n; ++f) {
                T_P(v) want = T_P(splat)(0);
                for (j = 0; j < SETS; ++j) {
                    const int entry = (orbit[compact[k]] * SETS + j) * all + f;
                    want += lambda[entry] * dy[j * apart + q];
                    sum[entry] += was[f * apart + q] * dy[j * apart + q];
                }
                worst[1] = fmax(worst[1], fabs(T_P(sum_lanes)(x[f * apart + q] - want)));
            }
            for (j = 0; j < SETS; ++j) {
                T_P(v) want = !j || add ? start[j * apart + q] : T_P(splat)(0); /* y_0 stays */
                for (f = 0; j && f < n; ++f) want += lambda[(orbit[compact[k]] * SETS + j) * all + f] * was[f * apart + q];
                worst[2] = fmax(worst[2], fabs(T_P(sum_lanes)(y[j * apart + q] - want)));
            }
        }
        for (i = 0; i < size; ++i) worst[3] = fmax(worst[3], fabs(T_P(sum_lanes)(d[i] - sum[i])));
        for (i = 0; i < n * apart; ++i) x[i] = was[i];
        wanted.y = NULL, wanted.dlambda = NULL;
        T_P(spectrum_unmix)(&m, n, lambda, x, dy, &wanted);
        for (k = 0; k < V; ++k) {
            q = k / length * row + k % length;
            for (f = 0; f < n; ++f) {
                T_P(v) want = T_P(splat)(0);
                for (j = 0; j < SETS; ++j) want += lambda[(orbit[compact[k]] * SETS + j) * all + f] * dy[j * apart + q];
                worst[1] = fmax(worst[1], fabs(T_P(sum_lanes)(x[f * apart + q] - want)));
            }
        }
    }
    T_(check)(s, "many fields mixed - one by one", worst[0] / s->lanes, 40 * s->rounding);
    T_(check)(s, "transposed - one by one", worst[1] / s->lanes, 40 * s->rounding);
    T_(check)(s, "mixed beside it - one by one", worst[2] / s->lanes, 40 * s->rounding);
    T_(check)(s, "by the kernels - one by one", worst[3] / s->lanes, 400 * s->rounding);
}

static void T_(test)(const int *extent)
{
    static unsigned char *memory;
    const size_t          bytes = (size_t)8 << 20;
    T_(space)             s;
    int                   mu, n;
    size_t                panel;
    if (!memory) memory = (unsigned char *)malloc(bytes);
    memset(&s, 0, sizeof s);
    s.arena = lft_arena_of(memory, bytes);
    n       = snprintf(s.name, sizeof s.name, "f%d", (int)sizeof(T_(real)) * 8);
    for (mu = 0; mu < T_DIM; ++mu) {
        n += snprintf(s.name + n, sizeof s.name - (size_t)n, "%s%d", mu ? "x" : " ", extent[mu]);
        if (extent[mu] > s.rounding) s.rounding = extent[mu];
    }
    s.rounding = (4 + sqrt(s.rounding)) * (sizeof(T_(real)) == 4 ? 4e-7 : 1e-15);
    if (T_(lattice_init)(&s.lattice, extent, NULL)) {
        T_(check)(&s, "lattice", 1, 0);
        return;
    }
    T_P(hartley_init)(&s.hartley, &s.lattice, &s.arena);
    T_P(spectrum_init)(&s.spectrum, &s.lattice, -1, &s.arena);
    s.V      = s.lattice.volume;
    s.lanes  = T_(lanes)();
    s.vector = (T_P(v) *)lft_arena_take(&s.arena, (size_t)s.V, sizeof(T_P(v)));
    s.other  = (T_P(v) *)lft_arena_take(&s.arena, (size_t)s.V, sizeof(T_P(v)));
    panel    = T_P(hartley_panel)(&s.lattice) * sizeof(T_P(v));
    s.panel  = (T_P(v) *)lft_arena_take(&s.arena, panel + 256, 1);
    s.strip  = (unsigned char *)s.panel + panel;
    memset(s.strip, 0xa5, 256);
    T_(test_transform)(&s);
    T_(test_orbits)(&s);
    T_(test_spectrum)(&s);
    T_(test_mixing)(&s, 1);
    T_(test_mixing)(&s, 4);
    T_(test_mixing)(&s, 5);
}

#undef T
#undef T_
#undef T_P
#undef T_DIM
#undef T_REAL
#endif
