/* test_transfer.c: parameters of one lattice on another: on fields with the period of both, the two flows do the same. The
 * second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#ifndef LFT_TEST_FEW
#define T      t1
#define T_DIM  1
#define T_REAL LFT_F64
#include "test_transfer.c"
#endif
#define T      t2
#define T_DIM  2
#define T_REAL LFT_F64
#include "test_transfer.c"
#ifndef LFT_TEST_FEW
#define T      t2f
#define T_DIM  2
#define T_REAL LFT_F32
#include "test_transfer.c"
#define T      t3
#define T_DIM  3
#define T_REAL LFT_F64
#include "test_transfer.c"
#define T      t4
#define T_DIM  4
#define T_REAL LFT_F64
#include "test_transfer.c"
#endif

int main(void)
{
    static const int d2[][2] = {{4, 4}, {8, 8}, {3, 5}, {6, 15}, {6, 4}, {6, 12}, {2, 2}, {8, 8}, {1, 1}, {4, 4}};
#ifndef LFT_TEST_FEW
    static const int d1[][1] = {{6}, {12}, {5}, {15}, {1}, {4}, {8}, {2}};
    static const int d3[][3] = {{2, 2, 2}, {4, 4, 4}, {3, 2, 4}, {3, 4, 8}};
    static const int d4[][4] = {{2, 2, 2, 2}, {4, 4, 4, 4}, {1, 2, 3, 2}, {1, 2, 3, 4}};
#endif
    int              i;
    for (i = 0; i < 5; ++i) t2_tiles(d2[2 * i], d2[2 * i + 1]);
    t2_whole();
#ifndef LFT_TEST_FEW
    for (i = 0; i < 3; ++i) t1_tiles(d1[2 * i], d1[2 * i + 1]);
    t1_tiles(d1[7], d1[6]);
    t2f_tiles(d2[0], d2[1]);
    for (i = 0; i < 2; ++i) t3_tiles(d3[2 * i], d3[2 * i + 1]);
    for (i = 0; i < 2; ++i) t4_tiles(d4[2 * i], d4[2 * i + 1]);
    t1_whole(), t2f_whole(), t3_whole(), t4_whole();
#endif
    return test_end();
}

#else
#define LFT_NAME  T
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   T_DIM
#define LFT_REAL  T_REAL
#include "../instance.h"

#define T_PASTE_(a, b) a##_##b
#define T_PASTE(a, b)  T_PASTE_(a, b)
#define T_(name)       T_PASTE(T, name)

typedef struct T_(pair) {
    T_(flow) small, large;
    void *memory[2];
} T_(pair);

static void T_(make)(T_(flow) *flow, T_(flow_desc) *desc, const int *extent, void **memory)
{
    lft_arena arena;
    size_t    bytes;
    memcpy(desc->extent, extent, T_DIM * sizeof(int));
    bytes   = T_(flow_bytes)(desc);
    *memory = malloc(bytes);
    arena   = lft_arena_of(*memory, bytes);
    check_true("init", bytes && T_(flow_init)(flow, desc, &arena, NULL) == LFT_OK);
}

/* Random parameters, small enough for a map that is neither the identity nor far from it. */
static void T_(shake)(T_(flow) *flow)
{
    double *noise = (double *)malloc(flow->params.count * sizeof(double));
    size_t  i;
    lft_normals(lft_draw_of(5, LFT_DRAW_USER, 0, 0), noise, (int)flow->params.count);
    for (i = 0; i < flow->params.count; ++i) flow->params.value[i] += 0.1 * noise[i] * flow->params.pace[i];
    free(noise);
    T_(flow_prepare)(flow);
}

/* A field of the small lattice, tiled. */
static void T_(tile)(const int *small, const int *large, const T_(real) *from, T_(real) *to)
{
    int volume = 1, i, mu;
    for (mu = 0; mu < T_DIM; ++mu) volume *= large[mu];
    for (i = 0; i < volume; ++i) {
        int rest = i, at = 0, stride = 1;
        for (mu = T_DIM - 1; mu >= 0; --mu) {
            at += rest % large[mu] % small[mu] * stride;
            rest /= large[mu];
            stride *= small[mu];
        }
        to[i] = from[at];
    }
}

/* x of one configuration and its log-det */
static double T_(image)(T_(flow) *flow, const T_(real) *z, T_(real) *x)
{
    T_(batch) batch;
    size_t    bytes  = T_(batch_bytes)(&flow->lattice, 1);
    void     *memory = malloc(bytes);
    lft_arena arena  = lft_arena_of(memory, bytes);
    double    logdet = 0;
    check_true("batch", T_(batch_init)(&batch, &flow->lattice, 1, &arena, NULL) == LFT_OK);
    T_(batch_set)(&batch, 0, z);
    check_true("map", T_(flow_map)(flow, &batch, &batch, &logdet) == LFT_OK);
    T_(batch_get)(&batch, 0, x);
    free(memory);
    return logdet;
}

static void T_(compare)(const char *what, T_(flow) *from, T_(flow) *to, int shrinks)
{
    static T_(real) z[2048], x[2048], tiled[2048], there[2048], expected[2048];
    static double   noise[2048];
    T_(flow)     *small = shrinks ? to : from, *large = shrinks ? from : to;
    const int     n = small->lattice.volume, m = large->lattice.volume;
    double        a, b, worst = 0;
    char          name[60];
    int           i;
    check_true("transfer", T_(flow_transfer)(to, from) == LFT_OK);
    lft_normals(lft_draw_of(6, LFT_DRAW_USER, 0, 0), noise, n);
    for (i = 0; i < n; ++i) z[i] = (T_(real))noise[i];
    T_(tile)(small->lattice.extent, large->lattice.extent, z, tiled);
    a = T_(image)(small, z, x);
    b = T_(image)(large, tiled, there);
    T_(tile)(small->lattice.extent, large->lattice.extent, x, expected);
    for (i = 0; i < m; ++i) worst = fmax(worst, fabs(there[i] - expected[i]));
    (void)snprintf(name, sizeof name, "%s, %d to %d sites: fields", what, from->lattice.volume, to->lattice.volume);
    check_below(name, worst, sizeof(T_(real)) == 8 ? 1e-12 : 1e-5);
    for (worst = 0, i = 0; i < n; ++i) worst = fmax(worst, fabs(x[i] - z[i]));
    check_true("the map is not the identity", worst > 0.01);
    if (shrinks) return; /* the images of displacement 0 join, and the divergence with them */
    (void)snprintf(name, sizeof name, "%s, %d to %d sites: log-det per site", what, n, m);
    check_below(name, b / m - a / n, sizeof(T_(real)) == 8 ? 1e-12 : 1e-5);
}

static void T_(tiles)(const int *from, const int *to)
{
    T_(flow_desc)     desc;
    T_(coupling_desc) couple[2];
    T_(layer_desc)    list[3];
    T_(pair)          p;
    int               kind, mu, odd = 0;
    for (mu = 0; mu < T_DIM; ++mu) odd = odd || from[mu] % 2 || to[mu] % 2;
    for (kind = 0; kind < (odd ? 1 : 2); ++kind) {
        memset(&desc, 0, sizeof desc);
        memset(couple, 0, sizeof couple);
        couple[1].parity = 1;
        list[0].ops = list[2].ops = T_(coupling)();
        list[1].ops               = T_(continuous)();
        list[0].desc              = couple;
        list[1].desc              = &desc.continuous;
        list[2].desc              = couple + 1;
        desc.continuous.zeros     = -1; /* one zero mode for any volume: its log-det is not one per site */
        if (kind) desc.layer = list, desc.layers = 3;
        T_(make)(&p.small, &desc, from, p.memory);
        desc.continuous.steps = 12;
        T_(make)(&p.large, &desc, to, p.memory + 1);
        T_(shake)(&p.small);
        T_(compare)(kind ? "coupling" : "continuous", &p.small, &p.large, from[0] > to[0]);
        free(p.memory[0]);
        free(p.memory[1]);
    }
}

static void T_(same)(void)
{
    const int     extent[4] = {4, 4, 4, 4};
    T_(flow_desc) desc;
    T_(pair)      p;
    double        worst = 0;
    size_t        i;
    memset(&desc, 0, sizeof desc);
    T_(make)(&p.small, &desc, extent, p.memory);
    desc.continuous.steps = 20;
    T_(make)(&p.large, &desc, extent, p.memory + 1);
    T_(shake)(&p.small);
    check_true("same extents", T_(flow_transfer)(&p.large, &p.small) == LFT_OK);
    for (i = 0; i < p.small.params.count; ++i) worst = fmax(worst, fabs(p.small.params.value[i] - p.large.params.value[i]));
    check_below("same extents, same parameters", worst, 1e-14);
    check_true("integration steps stay", p.large.layer[0].steps == 20);
    free(p.memory[0]);
    free(p.memory[1]);
}

static void T_(free_field)(void)
{
    const int     small[4] = {4, 6, 2, 2}, large[4] = {10, 18, 6, 4};
    T_(flow_desc) desc;
    T_(pair)      p;
    double       *start, worst = 0;
    size_t        i, n;
    memset(&desc, 0, sizeof desc);
    desc.prior.mass2 = 0.7;
    T_(make)(&p.small, &desc, small, p.memory);
    T_(make)(&p.large, &desc, large, p.memory + 1);
    n     = p.large.params.list[0].count;
    start = (double *)malloc(n * sizeof(double));
    memcpy(start, p.large.params.value, n * sizeof(double));
    memset(p.large.params.value, 0, n * sizeof(double));
    check_true("free field", T_(flow_transfer)(&p.large, &p.small) == LFT_OK);
    for (i = 0; i < n; ++i) worst = fmax(worst, fabs(p.large.params.value[i] - start[i]));
    check_below("a free field's spectrum becomes that of the other lattice", worst, 1e-13);
    free(start);
    free(p.memory[0]);
    free(p.memory[1]);
}

static void T_(mismatch)(void)
{
    const int     extent[4] = {4, 4, 2, 2};
    T_(flow_desc) desc;
    T_(pair)      p;
    double        before;
    memset(&desc, 0, sizeof desc);
    T_(make)(&p.small, &desc, extent, p.memory);
    desc.continuous.sines = 5;
    T_(make)(&p.large, &desc, extent, p.memory + 1);
    T_(shake)(&p.small);
    before = p.large.params.value[0];
    check_true("another number of sines is refused", T_(flow_transfer)(&p.large, &p.small) == LFT_ERR_MISMATCH);
    check_true("with a text", strstr(p.large.error.text, "transfer") != NULL);
    check_below("nothing is changed", p.large.params.value[0] - before, 0);
    free(p.memory[1]);
    desc.continuous.sines = 0;
    desc.prior.kind            = LFT_PRIOR_NORMAL;
    T_(make)(&p.large, &desc, extent, p.memory + 1);
    check_true("another prior is refused", T_(flow_transfer)(&p.large, &p.small) == LFT_ERR_MISMATCH);
    free(p.memory[0]);
    free(p.memory[1]);
}

static void T_(whole)(void)
{
    T_(same)();
    T_(free_field)();
    T_(mismatch)();
}

#undef T_PASTE_
#undef T_PASTE
#undef T_
#undef T
#undef T_DIM
#undef T_REAL
#endif
