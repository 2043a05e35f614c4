/* test_convnet.c: the convolutional net of 64_convnet.h against sums over all sites and taps, and against finite differences;
 * its conventions by hand. The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define T      n1
#define T_DIM  1
#define T_REAL LFT_F64
#include "test_convnet.c"
#define T      n2
#define T_DIM  2
#define T_REAL LFT_F64
#include "test_convnet.c"
#define T       n2one
#define T_DIM   2
#define T_REAL  LFT_F64
#define T_LANES 1
#include "test_convnet.c"
#define T      n2f
#define T_DIM  2
#define T_REAL LFT_F32
#include "test_convnet.c"
#define T      n3
#define T_DIM  3
#define T_REAL LFT_F64
#include "test_convnet.c"
#define T      n4f
#define T_DIM  4
#define T_REAL LFT_F32
#include "test_convnet.c"
#define T      n4
#define T_DIM  4
#define T_REAL LFT_F64
#include "test_convnet.c"

/* y(x) = w0 phi(x - 1) + w1 phi(x) + w2 phi(x + 1), and in two dimensions the second axis runs fastest */
static void test_by_hand(void)
{
    const double line[3] = {1, 10, 100}, ring[4] = {1, 2, 3, 4}, expected[4] = {214, 321, 432, 143};
    double       plane[9] = {0, 0, 1, 0, 0, 0, 0, 0, 0}, field[12], out[12], worst = 0;
    const int    extent[2] = {3, 4};
    int          i, length = 4;
    n1_one_convolution(&length, line, 0.5, ring, out);
    for (i = 0; i < 4; ++i) worst = fmax(worst, fabs(out[i] - expected[i] - 0.5));
    check_below("cross-correlation on a ring", worst, 0);
    for (i = 0; i < 12; ++i) field[i] = 1 + i;
    n2_one_convolution(extent, plane, 0, field, out);
    for (worst = 0, i = 0; i < 12; ++i) worst = fmax(worst, fabs(out[i] - field[(i / 4 + 2) % 3 * 4 + (i + 1) % 4]));
    check_below("the tap (0, 2) reads phi(x - 1, y + 1)", worst, 0);
}

int main(void)
{
    static const int d1[][1] = {{1}, {2}, {3}, {4}, {5}, {9}};
    static const int d2[][2] = {{1, 1}, {2, 1}, {1, 4}, {2, 2}, {3, 5}, {6, 6}, {5, 9}, {9, 3}};
    static const int d3[][3] = {{1, 1, 1}, {2, 3, 4}, {3, 1, 6}, {4, 4, 2}};
    static const int d4[][4] = {{1, 1, 1, 2}, {2, 2, 2, 2}, {2, 1, 3, 4}};
    int              i;
    test_by_hand();
    for (i = 0; i < 6; ++i) n1_all(d1[i]);
    for (i = 0; i < 8; ++i) n2_all(d2[i]);
    for (i = 0; i < 8; ++i) n2one_all(d2[i]);
    for (i = 0; i < 8; ++i) n2f_all(d2[i]);
    for (i = 0; i < 4; ++i) n3_all(d3[i]);
    for (i = 0; i < 3; ++i) n4_all(d4[i]);
    for (i = 0; i < 3; ++i) n4f_all(d4[i]);
    n2_test_errors(d2[5]);
    return test_end();
}

#else /* ---- one instance ---- */

#define LFT_NAME  T
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   T_DIM
#define LFT_REAL  T_REAL
#ifdef T_LANES
#define LFT_LANES T_LANES
#elif defined(LFT_TEST_LANES)
#define LFT_LANES LFT_TEST_LANES
#endif
#include "lftflow.h"
#define T_(name) LFT_P_PASTE(T, name)
#define P(name)  LFT_P_PASTE(T, LFT_P_PASTE2(p, name))

/* A net and its memory. Fields of the reference are [channel][site] of one lane. */
typedef struct T_(subject) {
    P(convnet)      net;
    P(convnet_work) work;
    lft_parameters  set;
    double         *theta;
    T_(real)       *tape, *dout;
    void           *memory[3];
} T_(subject);

static lft_status T_(declare)(T_(subject) *s, const T_(lattice) *lattice, const int *channels, int layers, int kernel,
                              double bound, lft_arena *arena, lft_error *e)
{
    s->set.tensors = 0, s->set.count = 0, s->set.list = NULL;
    return P(convnet_init)(&s->net, lattice, channels, layers, kernel, bound, "net", &s->set, arena, e);
}

/* Memory of exactly the bytes that were asked for, so that sanitizers see what goes beyond. */
static lft_arena T_(exactly)(void **memory, size_t need)
{
    *memory = malloc(need);
    return lft_arena_of(*memory, need);
}

static int T_(begin)(T_(subject) *s, const int *extent, const int *channels, int layers, int kernel, double bound)
{
    lft_arena   measure = lft_arena_measure(), arena;
    T_(lattice) lattice;
    size_t      i;
    int         turn;
    memset(s, 0, sizeof *s);
    if (T_(lattice_init)(&lattice, extent, NULL)) return 0;
    if (T_(declare)(s, &lattice, channels, layers, kernel, bound, &measure, NULL)) return 0;
    arena = T_(exactly)(s->memory, measure.need);
    if (T_(declare)(s, &lattice, channels, layers, kernel, bound, &arena, NULL)) return 0;
    for (turn = 0; turn < 2; ++turn) {
        arena   = turn ? T_(exactly)(s->memory + 1, measure.need) : lft_arena_measure();
        s->work = P(convnet_scratch)(&s->net, 2, &arena);
        s->tape = (T_(real) *)P(vectors)(&arena, s->net.tape);
        s->dout = (T_(real) *)P(vectors)(&arena, (size_t)(channels[layers] * lattice.volume));
        measure = arena;
    }
    s->theta = (double *)malloc(s->set.count * sizeof(double));
    P(convnet_start)(&s->net, s->theta, 3);
    for (i = s->net.weight_at[layers - 1]; i < s->set.count; ++i) {
        s->theta[i] = 0.6 * (lft_uniform(lft_draw_of(3, LFT_DRAW_USER, 5, 0), (uint32_t)i) - 0.5);
    }
    P(convnet_prepare)(&s->net, s->theta);
    return lft_arena_check(&arena, NULL, "") == LFT_OK;
}

static void T_(end)(T_(subject) *s)
{
    free(s->memory[0]);
    free(s->memory[1]);
    free(s->theta);
}

/* ---- the sums -------------------------------------------------------------------------------------------------------- */

/* The site x + tap, taps in row-major order */
static int T_(meets)(const P(convnet) *net, int x, int tap)
{
    int mu, site = 0, stride = 1;
    for (mu = T_DIM - 1; mu >= 0; --mu) {
        const int L = net->grid.lattice.extent[mu], r = tap % net->grid.kernel - net->grid.kernel / 2;
        site += ((x % L + r) % L + L) % L * stride;
        x /= L, tap /= net->grid.kernel, stride *= L;
    }
    return site;
}

static double T_(slope)(const P(convnet) *net, int l, double y)
{
    if (l < net->layers - 1) return y > 0 ? 1 : 0.01;
    return net->bound > 0 ? net->bound * (1 - y / net->bound * y / net->bound) : 1;
}

/* y[l + 1] of y[l] for all l; then, given dy of the last, dy of all and the gradient. [channel][site] */
static void T_(reference)(const T_(subject) *s, double **y, double **dy, double *gradient)
{
    const P(convnet) *net = &s->net;
    const int         V = net->grid.lattice.volume, taps = net->grid.taps;
    int               l, o, i, t, x;
    for (l = 0; l < net->layers; ++l) {
        const int     in = net->channels[l], out = net->channels[l + 1];
        const double *w = s->theta + net->weight_at[l], *b = s->theta + net->bias_at[l];
        for (o = 0; o < out; ++o) {
            for (x = 0; x < V; ++x) {
                double sum = b[o];
                for (i = 0; i < in; ++i) {
                    for (t = 0; t < taps; ++t) sum += w[(o * in + i) * taps + t] * y[l][i * V + T_(meets)(net, x, t)];
                }
                if (l < net->layers - 1) sum = sum > 0 ? sum : 0.01 * sum;
                else if (net->bound > 0) sum = net->bound * tanh(sum);
                y[l + 1][o * V + x] = sum;
            }
        }
    }
    for (l = net->layers - 1; l >= 0; --l) {
        const int     in = net->channels[l], out = net->channels[l + 1];
        const double *w  = s->theta + net->weight_at[l];
        double       *dw = gradient + (net->weight_at[l] - net->weight_at[0]);
        double       *db = gradient + (net->bias_at[l] - net->weight_at[0]);
        for (x = 0; x < in * V; ++x) dy[l][x] = 0;
        for (o = 0; o < out; ++o) {
            for (x = 0; x < V; ++x) {
                const double d = dy[l + 1][o * V + x] * T_(slope)(net, l, y[l + 1][o * V + x]);
                db[o] += d;
                for (i = 0; i < in; ++i) {
                    for (t = 0; t < taps; ++t) {
                        const int at = i * V + T_(meets)(net, x, t), k = (o * in + i) * taps + t;
                        dw[k] += d * y[l][at];
                        dy[l][at] += d * w[k];
                    }
                }
            }
        }
    }
}

static void T_(fill)(T_(real) *to, int n, uint64_t stream)
{
    double *noise = (double *)malloc((size_t)n * sizeof(double));
    int     i;
    lft_normals(lft_draw_of(4, LFT_DRAW_USER, stream, 0), noise, n);
    for (i = 0; i < n; ++i) to[i] = (T_(real))noise[i];
    free(noise);
}

static void T_(compare)(const char *what, double worst, double size, double bound)
{
    check_below(what, worst / fmax(size, 1), bound);
}

/* Everything of one net: outputs, derivative by the input, gradient. */
static void T_(test_net)(const char *name, const int *extent, const int *channels, int layers, int kernel, double bound)
{
    const int     lanes = T_(lanes)();
    const double  rounding = sizeof(T_(real)) == 4 ? 1.2e-7 : 2.3e-16;
    T_(subject)   s;
    double       *y[LFT_P_CONV_MOST + 1], *dy[LFT_P_CONV_MOST + 1], *expected, *gradient, worst[3] = {0}, size[3] = {0};
    const T_(real) *out, *din;
    char          what[100];
    int           l, c, x, V;
    size_t        k;
    if (!T_(begin)(&s, extent, channels, layers, kernel, bound)) {
        check_true("init", 0);
        return;
    }
    V = s.net.grid.lattice.volume;
    for (l = 0; l <= layers; ++l) {
        y[l]  = (double *)calloc((size_t)(channels[l] * V), sizeof(double));
        dy[l] = (double *)calloc((size_t)(channels[l] * V), sizeof(double));
    }
    expected = (double *)calloc(s.set.count, sizeof(double));
    gradient = (double *)calloc(s.set.count, sizeof(double));
    T_(fill)(s.tape, channels[0] * V * lanes, 1);
    T_(fill)(s.dout, channels[layers] * V * lanes, 2);
    P(convnet_forward)(&s.net, (P(v) *)(void *)s.tape, &s.work);
    for (l = 0; l < lanes; ++l) {
        for (x = 0; x < channels[0] * V; ++x) y[0][x] = (double)s.tape[x * lanes + l];
        for (x = 0; x < channels[layers] * V; ++x) dy[layers][x] = (double)s.dout[x * lanes + l];
        T_(reference)(&s, y, dy, expected);
        out = (const T_(real) *)P(convnet_output)(&s.net, (P(v) *)(void *)s.tape);
        for (x = 0; x < channels[layers] * V; ++x) {
            worst[0] = fmax(worst[0], fabs((double)out[x * lanes + l] - y[layers][x]));
            size[0]  = fmax(size[0], fabs(y[layers][x]));
        }
    }
    din = (const T_(real) *)P(convnet_backward)(&s.net, (P(v) *)(void *)s.tape, (P(v) *)(void *)s.dout, gradient, &s.work);
    for (x = 0; x < channels[0] * V; ++x) { /* of the last lane, which the reference did last */
        worst[1] = fmax(worst[1], fabs((double)din[x * lanes + lanes - 1] - dy[0][x]));
        size[1]  = fmax(size[1], fabs(dy[0][x]));
    }
    for (k = 0; k < s.set.count; ++k) {
        worst[2] = fmax(worst[2], fabs(gradient[k] - expected[k]));
        size[2]  = fmax(size[2], fabs(expected[k]));
    }
    c = snprintf(what, sizeof what, "f%d x%d ", (int)sizeof(T_(real)) * 8, lanes);
    for (x = 0; x < T_DIM; ++x) c += snprintf(what + c, sizeof what - (size_t)c, "%s%d", x ? "x" : "", extent[x]);
    snprintf(what + c, sizeof what - (size_t)c, " %s: output", name);
    T_(compare)(what, worst[0], size[0], 80 * rounding);
    snprintf(what + c, sizeof what - (size_t)c, " %s: derivative by the input", name);
    T_(compare)(what, worst[1], size[1], 80 * rounding);
    snprintf(what + c, sizeof what - (size_t)c, " %s: gradient", name);
    T_(compare)(what, worst[2], size[2], 80 * rounding);
    for (l = 0; l <= layers; ++l) free(y[l]), free(dy[l]);
    free(expected);
    free(gradient);
    T_(end)(&s);
}

/* ---- finite differences ------------------------------------------------------------------------------------------------ */

/* sum of dout * output; 1 in *same as long as no hidden number has changed its sign since `before` was filled */
static double T_(objective)(T_(subject) *s, const T_(real) *dout, char *before, int fill, int *same)
{
    const int       lanes = T_(lanes)(), V = s->net.grid.lattice.volume, n = s->net.channels[s->net.layers] * V * lanes;
    const T_(real) *out;
    double          sum = 0;
    size_t          hidden = (s->net.field_at[s->net.layers] - s->net.field_at[1]) * (size_t)lanes, k;
    int             i;
    P(convnet_prepare)(&s->net, s->theta);
    P(convnet_forward)(&s->net, (P(v) *)(void *)s->tape, &s->work);
    out = (const T_(real) *)P(convnet_output)(&s->net, (P(v) *)(void *)s->tape);
    for (i = 0; i < n; ++i) sum += (double)dout[i] * (double)out[i];
    for (k = 0; k < hidden; ++k) {
        const char positive = s->tape[s->net.field_at[1] * (size_t)lanes + k] > 0;
        if (fill) before[k] = positive;
        else if (before[k] != positive) *same = 0;
    }
    return sum;
}

/* Every 7th parameter and every 5th number of the input, where LeakyReLU is smooth. */
static void T_(test_differences)(const int *extent)
{
    static const double at[4]       = {-2, -1, 1, 2}, step = 1e-4;
    static const int    channels[4] = {2, 5, 4, 3};
    const int           lanes       = T_(lanes)();
    T_(subject)         s;
    T_(real)           *dout;
    double             *gradient, worst = 0, size = 0, f[4];
    const T_(real)     *din;
    char               *before;
    int                 V, i, n, done = 0, tried = 0, same;
    if (!T_(begin)(&s, extent, channels, 3, 3, 0.8)) {
        check_true("init", 0);
        return;
    }
    V        = s.net.grid.lattice.volume;
    n        = channels[0] * V * lanes;
    dout     = (T_(real) *)malloc((size_t)(channels[3] * V * lanes) * sizeof(T_(real)));
    before   = (char *)malloc(s.net.tape * (size_t)lanes);
    gradient = (double *)calloc(s.set.count + (size_t)n, sizeof(double));
    T_(fill)(s.tape, n, 7);
    T_(fill)(dout, channels[3] * V * lanes, 8);
    memcpy(s.dout, dout, (size_t)(channels[3] * V * lanes) * sizeof(T_(real)));
    (void)T_(objective)(&s, dout, before, 1, &same);
    din = (const T_(real) *)P(convnet_backward)(&s.net, (P(v) *)(void *)s.tape, (P(v) *)(void *)s.dout, gradient, &s.work);
    for (i = 0; i < n; ++i) gradient[s.set.count + (size_t)i] = (double)din[i];
    for (i = 0; i < (int)s.set.count + n; i += i < (int)s.set.count ? 7 : 5) {
        const int    j    = i - (int)s.set.count;
        const double keep = j < 0 ? s.theta[i] : (double)s.tape[j];
        int          k;
        for (same = 1, k = 0; k < 4; ++k) {
            if (j < 0) s.theta[i] = keep + step * at[k];
            else s.tape[j] = (T_(real))(keep + step * at[k]);
            f[k] = T_(objective)(&s, dout, before, 0, &same);
        }
        if (j < 0) s.theta[i] = keep;
        else s.tape[j] = (T_(real))keep;
        ++tried;
        if (!same) continue;
        ++done;
        worst = fmax(worst, fabs((8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * step) - gradient[i]));
        size  = fmax(size, fabs(gradient[i]));
    }
    check_below("finite differences", worst / size, 1e-9);
    check_true("finite differences: LeakyReLU left most of them alone", done * 2 > tried);
    free(dout);
    free(before);
    free(gradient);
    T_(end)(&s);
}

static void T_(all)(const int *extent)
{
    static const int one[] = {1, 2}, odd[] = {3, 1}, two[] = {1, 3, 2}, tutorial[] = {1, 8, 8, 2}, wide[] = {5, 6, 7, 9, 3};
    T_(test_net)("1-2, 3 taps", extent, one, 1, 3, 0);
    T_(test_net)("3-1, 1 tap, tanh", extent, odd, 1, 1, 1);
    T_(test_net)("1-3-2, 5 taps, tanh", extent, two, 2, 5, 0.5);
    T_(test_net)("1-8-8-2, 3 taps, tanh", extent, tutorial, 3, 3, 1);
    T_(test_net)("5-6-7-9-3, 3 taps", extent, wide, 4, 3, 0);
    if (T_DIM == 1) T_(test_net)("1-3-2, 15 taps", extent, two, 2, 15, 2);
    if (T_DIM == 2) T_(test_net)("1-3-2, 7 taps", extent, two, 2, 7, 2);
    if (sizeof(T_(real)) == 8) T_(test_differences)(extent);
}

/* One channel to one, in the first lane. */
static void T_(one_convolution)(const int *extent, const double *weight, double bias, const double *field, double *out)
{
    const int   channels[2] = {1, 1}, lanes = T_(lanes)();
    T_(subject) s;
    int         x;
    if (!T_(begin)(&s, extent, channels, 1, 3, 0)) {
        check_true("init", 0);
        return;
    }
    memcpy(s.theta, weight, (size_t)s.net.grid.taps * sizeof(double));
    s.theta[s.net.bias_at[0]] = bias;
    P(convnet_prepare)(&s.net, s.theta);
    for (x = 0; x < s.net.grid.lattice.volume * lanes; ++x) s.tape[x] = (T_(real))field[x / lanes];
    P(convnet_forward)(&s.net, (P(v) *)(void *)s.tape, &s.work);
    for (x = 0; x < s.net.grid.lattice.volume; ++x) {
        out[x] = (double)s.tape[s.net.field_at[1] * (size_t)lanes + (size_t)(x * lanes)];
    }
    T_(end)(&s);
}

static void T_(test_errors)(const int *extent)
{
    static const int  good[3] = {1, 4, 2}, none[3] = {1, 0, 2}, many[3] = {1, 1001, 2};
    static const char *const word[] = {"kernel", "kernel", "kernel", "channels", "channels", "layers", "halo"};
    const int         kernel[] = {4, -1, 17, 3, 3, 3, 15};
    int               line[T_DIM], i, mu;
    T_(lattice)       lattice;
    T_(subject)       s;
    lft_error         e;
    for (i = 0; i < 7; ++i) {
        const int *channels = i == 3 ? none : i == 4 ? many : good;
        lft_arena  measure  = lft_arena_measure();
        char       what[60];
        for (mu = 0; mu < T_DIM; ++mu) line[mu] = i < 6 ? extent[mu] : mu ? 1 : 1 << 24;
        memset(&e, 0, sizeof e);
        if (T_(lattice_init)(&lattice, line, &e)) check_true("a lattice", 0);
        snprintf(what, sizeof what, "LFT_ERR_ARG for the %s of case %d", word[i], i);
        if (i == 6 && T_DIM < 3) { /* 2^24 times 15 is legal */
            check_true(what, T_(declare)(&s, &lattice, channels, 2, 15, 0, &measure, &e) == LFT_OK);
            continue;
        }
        check_true(what, T_(declare)(&s, &lattice, channels, i == 5 ? 0 : 2, kernel[i], 0, &measure, &e) == LFT_ERR_ARG &&
                             strstr(e.text, word[i]) != NULL);
    }
}

#undef T_
#undef P
#undef T
#undef T_DIM
#undef T_REAL
#ifdef T_LANES
#undef T_LANES
#endif

#endif
