/* layer_suite.h: the properties that every layer of the library has, over a table of cases; and those of the priors.
 * A suite (suite.h): SUITE_(suite)(), e.g. d2_suite(). A new layer is a line of the table SUITE_(cases) and what it claims.
 *
 * The first instance is f64: it is compared with finite differences, and what it computes is written down. The others
 * (other lanes, f32) have to give the same numbers. Which f64 and f32 can do alone is checked in every instance. */
#include "scalar_suite.h"
#ifndef LAYER_SUITE_COMMON
#define LAYER_SUITE_COMMON
#define SUITE_P(name) SUITE_(SUITE_PASTE(p, name))

enum {
    SUITE_IDENTITY     = 1, /* what a layer may claim: it starts as the identity */
    SUITE_TRANSLATIONS = 2, /* and it is equivariant under these */
    SUITE_REFLECTIONS  = 4,
    SUITE_PERMUTATIONS = 8, /* of equal axes */
    SUITE_ODD          = 16,
    SUITE_ORDER4       = 32, /* log-det and score have the error O(h^4) of an integrator; without it, rounding */
    SUITE_EVEN         = 64, /* equivariant under translations by an even number of sites, where extents are even */
    SUITE_KINKS        = 128, /* LeakyReLU in one hidden field: finite differences must not meet it */
    SUITE_SITES        = 40, /* most sites, lanes and numbers of a group in these tests */
    SUITE_LANES_MOST   = 16,
    SUITE_BATCH        = SUITE_SITES * SUITE_LANES_MOST,
    SUITE_STRIPS       = 16
};

static double suite_rounding = 1; /* of the present instance, in units of that of double: multiplies bounds */
static int    suite_float;

/* ---- what the first instance computed ---------------------------------------------------------------------------- */

static double *suite_record;
static size_t  suite_recorded, suite_room, suite_cursor;
static int     suite_first = 1;

/* Writes n numbers down, or compares them with what stands there: the largest difference in units of the largest. */
static void suite_keep(const char *what, const double *value, int n, double tolerance)
{
    double size = 0, worst = 0;
    int    i;
    if (suite_first) {
        if (suite_recorded + (size_t)n > suite_room) {
            suite_room   = 2 * suite_room + (size_t)n + 1000;
            suite_record = (double *)realloc(suite_record, suite_room * sizeof(double));
        }
        for (i = 0; i < n; ++i) suite_record[suite_recorded++] = value[i];
        return;
    }
    for (i = 0; i < n; ++i) {
        const double kept = suite_record[suite_cursor++];
        test_worst(&size, kept), test_worst(&worst, value[i] - kept);
    }
    check_below(suite_name(what), worst / (size > 0 ? size : 1), tolerance);
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

/* Errors at two steps, the second half of the first: of fourth order, or better where that happens to cancel. */
static void suite_order(const char *what, double coarse, double fine)
{
    const double order = log2(coarse / fine);
    const int    ok    = order >= 3.3;
    test_count(ok);
    printf("%-58s %.2f  (at least 3.3: %.1e, %.1e) %s\n", suite_name(what), order, coarse, fine, ok ? "ok" : "FAILED");
}

/* ---- memory: blocks with strips between them that nobody may write to -------------------------------------------- */

static unsigned char *suite_memory;
static size_t         suite_size = (size_t)48 << 20;
static struct {
    unsigned char *at;
    size_t         n;
} suite_strip[SUITE_STRIPS];
static int suite_strips;

static lft_arena suite_arena(void)
{
    if (!suite_memory) suite_memory = (unsigned char *)malloc(suite_size);
    suite_strips = 0;
    return lft_arena_of(suite_memory, suite_size);
}

/* A strip from `end`, the first byte behind a block. */
static void suite_guard(lft_arena *arena, void *end)
{
    unsigned char *last = (unsigned char *)lft_arena_take(arena, 1, 64) + 64;
    suite_strip[suite_strips].at = (unsigned char *)end;
    suite_strip[suite_strips].n  = (size_t)(last - (unsigned char *)end);
    memset(end, 0xa5, suite_strip[suite_strips].n);
    suite_strips += 1;
}

static void *suite_take(lft_arena *arena, size_t n, size_t element)
{
    unsigned char *p = (unsigned char *)lft_arena_take(arena, n, element);
    if (!p) {
        printf("layer_suite.h: suite_size is too small\n");
        exit(1);
    }
    suite_guard(arena, p + n * element);
    return p;
}

static int suite_strips_untouched(void)
{
    size_t j;
    int    i;
    for (i = 0; i < suite_strips; ++i) {
        for (j = 0; j < suite_strip[i].n; ++j) {
            if (suite_strip[i].at[j] != 0xa5) return 0;
        }
    }
    return 1;
}

#endif

/* ---- the table --------------------------------------------------------------------------------------------------- */

typedef struct SUITE_(test_case) {
    const char *name;
    int         claims, layers;
    struct {
        const SUITE_(layer_ops) *(*ops)(void);
        const void *desc;
    } layer[2];
} SUITE_(test_case);

/* sines, linear, gates, zeros, basis, nodes, steps, most steps: all knots lie on steps */
static const SUITE_(continuous_desc) SUITE_(full)   = {3, 1, 2, 2, LFT_TIME_COSINE, 3, 8, 32};
static const SUITE_(continuous_desc) SUITE_(paper)  = {2, -1, -1, -1, LFT_TIME_HAT, 5, 8, 32};
static const SUITE_(continuous_desc) SUITE_(linear) = {-1, 1, 1, 1, LFT_TIME_HAT, 2, 8, 32};
static const SUITE_(continuous_desc) SUITE_(alone)  = {-1, 1, -1, -1, LFT_TIME_COSINE, 2, 8, 32};
static const SUITE_(continuous_desc) SUITE_(gates)  = {2, -1, 1, -1, LFT_TIME_COSINE, 2, 8, 32};
static const SUITE_(continuous_desc) SUITE_(zeros)  = {1, 1, -1, 2, LFT_TIME_COSINE, 1, 8, 32};

/* parity, hidden, kernel, bound, z2 */
static const SUITE_(coupling_desc) SUITE_(even)        = {0, {3}, 0, 0, 0};
static const SUITE_(coupling_desc) SUITE_(odd)         = {1, {2}, 0, 0.7, 0};
static const SUITE_(coupling_desc) SUITE_(linear_even) = {0, {-1}, 0, -1, 0};
static const SUITE_(coupling_desc) SUITE_(linear_odd)  = {1, {4}, 3, -1, 1};
static const SUITE_(coupling_desc) SUITE_(z2_even)     = {0, {-1}, 5, 0.7, 1};
static const SUITE_(coupling_desc) SUITE_(z2_odd)      = {1, {3}, 0, 0, 1};

#define SUITE_ALL \
    (SUITE_IDENTITY | SUITE_TRANSLATIONS | SUITE_REFLECTIONS | SUITE_PERMUTATIONS | SUITE_ODD | SUITE_ORDER4)
#define SUITE_COUPLING (SUITE_IDENTITY | SUITE_EVEN | SUITE_KINKS)
static const SUITE_(test_case) SUITE_(cases)[] = {
    {"continuous, all terms", SUITE_ALL, 1, {{SUITE_(continuous), &SUITE_(full)}}},
    {"continuous, sines and hats", SUITE_ALL, 1, {{SUITE_(continuous), &SUITE_(paper)}}},
    {"continuous, linear", SUITE_ALL, 1, {{SUITE_(continuous), &SUITE_(linear)}}},
    {"continuous, linear alone", SUITE_ALL, 1, {{SUITE_(continuous), &SUITE_(alone)}}},
    {"continuous, one gate", SUITE_ALL, 1, {{SUITE_(continuous), &SUITE_(gates)}}},
    {"continuous, zero mode", SUITE_ALL, 1, {{SUITE_(continuous), &SUITE_(zeros)}}},
    {"two continuous", SUITE_ALL, 2, {{SUITE_(continuous), &SUITE_(gates)}, {SUITE_(continuous), &SUITE_(zeros)}}},
    {"coupling", SUITE_COUPLING, 2, {{SUITE_(coupling), &SUITE_(even)}, {SUITE_(coupling), &SUITE_(odd)}}},
    {"coupling, no tanh", SUITE_COUPLING, 2,
     {{SUITE_(coupling), &SUITE_(linear_odd)}, {SUITE_(coupling), &SUITE_(linear_even)}}},
    {"coupling, Z2", SUITE_COUPLING | SUITE_ODD, 2,
     {{SUITE_(coupling), &SUITE_(z2_even)}, {SUITE_(coupling), &SUITE_(z2_odd)}}},
};
#undef SUITE_ALL
#undef SUITE_COUPLING

static const int SUITE_(extents)[][SUITE_DIM] = {
#if SUITE_DIM == 1
    {1}, {2}, {3}, {8}, {13}
#elif SUITE_DIM == 2
    {1, 1}, {2, 2}, {1, 4}, {3, 3}, {4, 4}, {5, 3}
#elif SUITE_DIM == 3
    {1, 1, 4}, {2, 2, 2}, {3, 2, 3}, {2, 4, 1}
#else
    {1, 1, 2, 2}, {2, 2, 2, 2}, {1, 3, 2, 3}
#endif
};

/* ---- a flow and the memory that its layers are called with ------------------------------------------------------- */

typedef struct SUITE_(subject) {
    SUITE_(flow)    flow;
    SUITE_(real)   *x, *y, *score; /* one group each */
    unsigned char  *scratch, *tape;
    size_t          scratch_bytes;
    double         *gradient, *dtheta, *start;
    int             lanes, volume;
    lft_error       error;
} SUITE_(subject);

static SUITE_(subject) SUITE_(now);
static lft_arena SUITE_(left); /* memory behind the subject */

/* The flow of a case in memory of its own, and pool threads if there are any. */
static lft_status SUITE_(make_flow)(SUITE_(flow) *flow, const SUITE_(test_case) *c, const int *extent, lft_pool *pool,
                                    lft_arena *arena)
{
    static lft_error    error;
    SUITE_(layer_desc)  list[2];
    SUITE_(flow_desc)   desc;
    lft_status          status;
    int                 i, mu;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = extent[mu];
    for (i = 0; i < c->layers; ++i) {
        list[i].ops  = c->layer[i].ops();
        list[i].desc = c->layer[i].desc;
    }
    desc.prior.kind  = LFT_PRIOR_NORMAL;
    desc.layer  = list;
    desc.layers = c->layers;
    if (pool) desc.pool = *pool;
    status = SUITE_(flow_init)(flow, &desc, arena, &error);
    if (status) printf("%s\n", error.text);
    return status;
}

/* Sets up SUITE_(now). 0 if that failed. */
static int SUITE_(begin)(const SUITE_(test_case) *c, const int *extent)
{
    SUITE_(subject) *s     = &SUITE_(now);
    lft_arena        arena = suite_arena();
    size_t           reals, tape = 0, gradient = 0;
    int              i;
    memset(s, 0, sizeof *s);
    if (SUITE_(make_flow)(&s->flow, c, extent, NULL, &arena)) return 0;
    suite_guard(&arena, arena.base + arena.need);
    s->lanes  = SUITE_(lanes)();
    s->volume = s->flow.lattice.volume;
    for (i = 0; i < s->flow.layers; ++i) {
        const SUITE_(layer) *layer = s->flow.layer + i;
        tape += layer->tape_bytes;
        gradient += layer->gradient_count;
        if (layer->scratch_bytes > s->scratch_bytes) s->scratch_bytes = layer->scratch_bytes;
    }
    reals       = (size_t)(s->lanes * s->volume);
    s->x        = (SUITE_(real) *)suite_take(&arena, reals, sizeof(SUITE_(real)));
    s->y        = (SUITE_(real) *)suite_take(&arena, reals, sizeof(SUITE_(real)));
    s->score    = (SUITE_(real) *)suite_take(&arena, reals, sizeof(SUITE_(real)));
    s->scratch  = (unsigned char *)suite_take(&arena, s->scratch_bytes, 1);
    s->tape     = (unsigned char *)suite_take(&arena, tape, 1);
    s->gradient = (double *)suite_take(&arena, gradient, sizeof(double));
    s->dtheta   = (double *)suite_take(&arena, s->flow.params.count, sizeof(double));
    s->start    = (double *)suite_take(&arena, s->flow.params.count, sizeof(double));
    memcpy(s->start, s->flow.params.value, s->flow.params.count * sizeof(double));
    SUITE_(left) = arena;
    return s->flow.lattice.volume <= SUITE_SITES && s->lanes <= SUITE_LANES_MOST;
}

/* Every parameter away from its start, so that nothing vanishes. */
static void SUITE_(disturb)(SUITE_(flow) *flow, double size)
{
    double *noise = (double *)malloc((flow->params.count + 1) * sizeof(double));
    size_t  i;
    suite_normals(1000, noise, (int)flow->params.count);
    for (i = 0; i < flow->params.count; ++i) flow->params.value[i] += size * noise[i];
    SUITE_(flow_prepare)(flow);
    free(noise);
}

/* Biases so large that LeakyReLU keeps to one side, another one for each channel; weights behind them that undo it. And
 * weights whose sum does not grow with the number of taps. */
static void SUITE_(settle)(SUITE_(flow) *flow)
{
    int    t;
    size_t i;
    for (t = 0; t < flow->params.tensors; ++t) {
        const lft_parameter *weight = flow->params.list + t;
        const double         taps = weight->rank == 3 ? weight->shape[2] : 1, factor = taps > 9 ? 3 / sqrt(taps) : 1;
        for (i = 0; i < weight->count; ++i) flow->params.value[weight->offset + i] *= factor;
    }
    for (t = 0; t + 2 < flow->params.tensors; ++t) {
        const lft_parameter *bias = flow->params.list + t, *weight = bias + 1;
        if (!strstr(bias->name, ".bias0") || !strstr(weight->name, ".weight1")) continue;
        for (i = 0; i < bias->count; ++i) flow->params.value[bias->offset + i] += i % 2 ? -10 : 10;
        for (i = 0; i < weight->count; ++i) flow->params.value[weight->offset + i] *= 0.1;
    }
    SUITE_(flow_prepare)(flow);
}

/* z[lane][site]: the normal numbers of samples first ... of seed 7, as the normal prior draws them */
static void SUITE_(draws)(const SUITE_(subject) *s, int first, double *z)
{
    int l, i;
    for (l = 0; l < s->lanes; ++l) {
        lft_normals(lft_draw_of(7, LFT_DRAW_PRIOR, (uint64_t)(first + l), 0), z + l * s->volume, s->volume);
        for (i = 0; i < s->volume; ++i) z[l * s->volume + i] = (double)(SUITE_(real))z[l * s->volume + i];
    }
}

static void SUITE_(pack)(const SUITE_(subject) *s, const double *from, SUITE_(real) *to)
{
    int l, i;
    for (l = 0; l < s->lanes; ++l) {
        for (i = 0; i < s->volume; ++i) to[i * s->lanes + l] = (SUITE_(real))from[l * s->volume + i];
    }
}

static void SUITE_(unpack)(const SUITE_(subject) *s, const SUITE_(real) *from, double *to)
{
    int l, i;
    for (l = 0; l < s->lanes; ++l) {
        for (i = 0; i < s->volume; ++i) to[l * s->volume + i] = (double)from[i * s->lanes + l];
    }
}

/* One group through all layers; score in and out where not NULL. */
static lft_status SUITE_(push)(SUITE_(subject) *s, const double *z, double *x, double *logdet, double *score, int taped)
{
    unsigned char *tape   = s->tape;
    lft_status     status = LFT_OK, one;
    int            i, l;
    SUITE_(pack)(s, z, s->x);
    if (score) SUITE_(pack)(s, score, s->score);
    for (l = 0; l < s->lanes; ++l) logdet[l] = 0;
    for (i = 0; i < s->flow.layers; ++i) { /* on after LFT_ERR_NONFINITE: that is one lane's */
        const SUITE_(layer) *layer = s->flow.layer + i;
        one = layer->ops->forward(layer, s->x, s->x, logdet, score ? s->score : NULL, taped ? tape : NULL,
                                  lft_arena_of(s->scratch, layer->scratch_bytes), status ? NULL : &s->error);
        status = status ? status : one;
        tape += layer->tape_bytes;
    }
    SUITE_(unpack)(s, s->x, x);
    if (score) SUITE_(unpack)(s, s->score, score);
    return status;
}

static lft_status SUITE_(pull)(SUITE_(subject) *s, const double *x, double *z, double *logdet)
{
    lft_status status = LFT_OK;
    int        i, l;
    SUITE_(pack)(s, x, s->x);
    for (l = 0; l < s->lanes; ++l) logdet[l] = 0;
    for (i = s->flow.layers - 1; i >= 0 && !status; --i) {
        const SUITE_(layer) *layer = s->flow.layer + i;
        status = layer->ops->inverse(layer, s->x, s->y, logdet, lft_arena_of(s->scratch, layer->scratch_bytes),
                                     &s->error);
        memcpy(s->x, s->y, (size_t)(s->lanes * s->volume) * sizeof(SUITE_(real)));
    }
    SUITE_(unpack)(s, s->x, z);
    return status;
}

/* F[lane] = c . x + b logdet, x and logdet of z */
static void SUITE_(objective)(SUITE_(subject) *s, const double *z, const double *c, const double *b, double *F)
{
    double x[SUITE_BATCH], logdet[SUITE_LANES_MOST];
    int    l, i;
    SUITE_(push)(s, z, x, logdet, NULL, 0);
    for (l = 0; l < s->lanes; ++l) {
        F[l] = b[l] * logdet[l];
        for (i = 0; i < s->volume; ++i) F[l] += c[l * s->volume + i] * x[l * s->volume + i];
    }
}

/* The gradient of sum_lane F: dz, and s->dtheta. */
static void SUITE_(pull_gradient)(SUITE_(subject) *s, const double *z, const double *c, const double *b, double *dz)
{
    double         x[SUITE_BATCH], logdet[SUITE_LANES_MOST];
    unsigned char *tape = s->tape;
    double        *gradient = s->gradient;
    lft_status     status   = SUITE_(push)(s, z, x, logdet, NULL, 1);
    int            i;
    for (i = 0; i < s->flow.layers; ++i) {
        tape += s->flow.layer[i].tape_bytes;
        memset(gradient, 0, s->flow.layer[i].gradient_count * sizeof(double));
        gradient += s->flow.layer[i].gradient_count;
    }
    memset(s->dtheta, 0, s->flow.params.count * sizeof(double));
    SUITE_(pack)(s, c, s->x);
    for (i = s->flow.layers - 1; i >= 0; --i) {
        const SUITE_(layer) *layer = s->flow.layer + i;
        tape -= layer->tape_bytes;
        gradient -= layer->gradient_count;
        if (!status) {
            const lft_arena scratch = lft_arena_of(s->scratch, layer->scratch_bytes);
            status = layer->ops->backward(layer, tape, s->x, b, gradient, scratch, &s->error);
        }
        layer->ops->collect(layer, gradient, s->dtheta);
    }
    SUITE_(unpack)(s, s->x, dz);
    if (status) check_true(suite_name("forward and backward succeed"), 0);
}

/* ---- properties -------------------------------------------------------------------------------------------------- */

static void SUITE_(test_start)(SUITE_(subject) *s, const SUITE_(test_case) *c)
{
    double z[SUITE_BATCH], x[SUITE_BATCH], logdet[SUITE_LANES_MOST];
    SUITE_(draws)(s, 0, z);
    SUITE_(push)(s, z, x, logdet, NULL, 0);
    if (!(c->claims & SUITE_IDENTITY)) return;
    check_below(suite_name("the identity at its start"), test_apart(x, z, s->lanes * s->volume),
                4e-16 * suite_rounding);
    check_below(suite_name("its log-det"), test_largest(logdet, s->lanes), 4e-16 * suite_rounding);
}

static void SUITE_(test_inverse)(SUITE_(subject) *s)
{
    const int n = s->lanes * s->volume;
    double    z[SUITE_BATCH], x[SUITE_BATCH], back[SUITE_BATCH], there[SUITE_LANES_MOST], home[SUITE_LANES_MOST], kept[2];
    int       l;
    SUITE_(draws)(s, 0, z);
    check_true(suite_name("forward"), SUITE_(push)(s, z, x, there, NULL, 0) == LFT_OK);
    check_true(suite_name("inverse"), SUITE_(pull)(s, x, back, home) == LFT_OK);
    check_true(suite_name("the map is not the identity"), test_apart(x, z, n) > 0.05);
    check_below(suite_name("inverse of forward"), test_apart(back, z, n), 2e-14 * suite_rounding);
    for (l = 0; l < s->lanes; ++l) home[l] = -home[l];
    check_below(suite_name("log-dets are opposite"), test_apart(there, home, s->lanes),
                2e-14 * s->volume * suite_rounding);
    suite_keep("x as in f64", x, s->volume, 4e-15 * suite_rounding);
    kept[0] = there[0], kept[1] = 1; /* in units of itself or 1 */
    suite_keep("log-det as in f64", kept, 2, 1e-14 * suite_rounding);
    /* into other memory, with a tape */
    SUITE_(pack)(s, z, s->y);
    if (s->flow.layers == 1) {
        const SUITE_(layer) *layer = s->flow.layer;
        for (l = 0; l < s->lanes; ++l) home[l] = 1;
        layer->ops->forward(layer, s->y, s->x, home, NULL, s->tape, lft_arena_of(s->scratch, layer->scratch_bytes),
                            NULL);
        SUITE_(unpack)(s, s->x, back);
        check_below(suite_name("x_out apart from x_in, taped"), test_apart(back, x, n), 0);
        for (l = 0; l < s->lanes; ++l) home[l] -= 1;
        check_below(suite_name("log-det is added"), test_apart(home, there, s->lanes), 1e-13);
        SUITE_(unpack)(s, s->y, back);
        check_below(suite_name("x_in is only read"), test_apart(back, z, n), 0);
    }
}

/* exact[lane]: log |det| of the Jacobian by central differences */
static void SUITE_(numerical)(SUITE_(subject) *s, const double *z, double *exact)
{
    static double jacobian[SUITE_LANES_MOST][SUITE_SITES * SUITE_SITES], x[4][SUITE_BATCH];
    double        moved[SUITE_BATCH], logdet[SUITE_LANES_MOST], f[4];
    const int     V = s->volume;
    int           i, j, k, l;
    for (j = 0; j < V; ++j) {
        for (k = 0; k < 4; ++k) {
            memcpy(moved, z, sizeof moved);
            for (l = 0; l < s->lanes; ++l) moved[l * V + j] += SUITE_STEP * suite_stencil[k];
            SUITE_(push)(s, moved, x[k], logdet, NULL, 0);
        }
        for (l = 0; l < s->lanes; ++l) {
            for (i = 0; i < V; ++i) {
                for (k = 0; k < 4; ++k) f[k] = x[k][l * V + i];
                jacobian[l][i * V + j] = suite_derivative(f, SUITE_STEP);
            }
        }
    }
    for (l = 0; l < s->lanes; ++l) exact[l] = suite_logdet(jacobian[l], V);
}

/* epsilon of samples 0 ... n - 1 by central differences: root mean square; and as flow_logq_error measures it */
static double SUITE_(epsilon)(SUITE_(subject) *s, int n, double *epsilon)
{
    double    z[SUITE_BATCH], x[SUITE_BATCH], logdet[SUITE_LANES_MOST], exact[SUITE_LANES_MOST], square = 0;
    lft_arena arena = SUITE_(left);
    size_t    bytes = SUITE_(flow_logq_error_bytes)(&s->flow);
    lft_arena scratch = lft_arena_of(lft_arena_take(&arena, bytes, 1), bytes);
    double    sum = 0, worst = 0;
    int       first, l;
    lft_logq_error one, all;
    memset(&all, 0, sizeof all);
    memset(&one, 0, sizeof one);
    for (first = 0; first < n; first += s->lanes) {
        SUITE_(draws)(s, first, z);
        SUITE_(push)(s, z, x, logdet, NULL, 0);
        SUITE_(numerical)(s, z, exact);
        for (l = 0; l < s->lanes && first + l < n; ++l) {
            const double e = exact[l] - logdet[l];
            epsilon[first + l] = e;
            sum += e;
            square += e * e;
            check_true(suite_name("flow_logq_error"),
                       SUITE_(flow_logq_error)(&s->flow, 7, (uint64_t)(first + l), 1, &one, scratch) == LFT_OK);
            test_worst(&worst, one.mean - e);
        }
    }
    check_below(suite_name("epsilon: its own - numerical"), worst, 2e-10);
    SUITE_(flow_logq_error)(&s->flow, 7, 0, n, &all, scratch);
    check_below(suite_name("mean of epsilon"), all.mean - sum / n, 2e-10);
    check_below(suite_name("std of epsilon"), all.std - sqrt((square - sum * sum / n) / (n - 1)), 2e-10);
    return sqrt(square / n);
}

/* The errors of integrators are compared at 2 and 4 times the steps of the case: at its own, higher orders show. */
static void SUITE_(test_determinant)(SUITE_(subject) *s, const SUITE_(test_case) *c)
{
    double         epsilon[SUITE_LANES_MOST], coarse, fine;
    const int      n = 4, steps = s->flow.layer[0].steps, order4 = (c->claims & SUITE_ORDER4) != 0;
    lft_logq_error one;
    int            i;
    memset(&one, 0, sizeof one);
    if (order4) SUITE_(flow_refine)(&s->flow, 2 * steps);
    if (suite_first) {
        coarse = SUITE_(epsilon)(s, n, epsilon);
        suite_keep("", epsilon, n, 0);
        if (order4) {
            SUITE_(flow_refine)(&s->flow, 4 * steps);
            fine = SUITE_(epsilon)(s, n, epsilon);
            check_below(suite_name("log-det - numerical"), coarse, 1e-3);
            suite_order("order of the log-det in h", coarse, fine);
        } else {
            check_below(suite_name("log-det - numerical"), coarse, 1e-9);
        }
    }
    for (i = 0; i < n && !suite_first; ++i) {
        SUITE_(flow_logq_error)(&s->flow, 7, (uint64_t)i, 1, &one, SUITE_(left));
        check_below(suite_name("epsilon as in f64"), one.mean - suite_record[suite_cursor++],
                    suite_float ? 3e-6 * s->volume : 2e-10);
    }
    if (order4) SUITE_(flow_refine)(&s->flow, steps);
}

/* One derivative of the parameters: (1 / step) d/da F(theta + a direction) with direction [count] of a tensor. */
static double SUITE_(slope)(SUITE_(subject) *s, const lft_parameter *p, const double *direction, const double *z,
                            const double *c, const double *b)
{
    double *theta = s->flow.params.value + p->offset, *keep = (double *)malloc(p->count * sizeof(double));
    double  F[SUITE_LANES_MOST], sum[4];
    size_t  i;
    int     k, l;
    memcpy(keep, theta, p->count * sizeof(double));
    for (k = 0; k < 4; ++k) {
        for (i = 0; i < p->count; ++i) theta[i] = keep[i] + SUITE_STEP * suite_stencil[k] * direction[i];
        SUITE_(flow_prepare)(&s->flow);
        SUITE_(objective)(s, z, c, b, F);
        for (sum[k] = 0, l = 0; l < s->lanes; ++l) sum[k] += F[l];
    }
    memcpy(theta, keep, p->count * sizeof(double));
    SUITE_(flow_prepare)(&s->flow);
    free(keep);
    return suite_derivative(sum, SUITE_STEP);
}

/* Random directions in the tensor, and single components spread over it. */
static void SUITE_(test_tensor)(SUITE_(subject) *s, const lft_parameter *p, const double *z, const double *c,
                                const double *b)
{
    const double *g = s->dtheta + p->offset;
    double       *direction = (double *)malloc(p->count * sizeof(double)), worst = 0, norm = 0, length, expected;
    char          what[80];
    size_t        i, k, components = p->count < 5 ? p->count : 5;
    for (i = 0; i < p->count; ++i) norm += g[i] * g[i];
    for (k = 0; k < 2 + components; ++k) {
        memset(direction, 0, p->count * sizeof(double));
        if (k < 2) suite_normals(2000 + p->offset + k, direction, (int)p->count);
        else direction[components == 1 ? 0 : (k - 2) * (p->count - 1) / (components - 1)] = 1;
        for (length = 0, i = 0; i < p->count; ++i) length += direction[i] * direction[i];
        for (expected = 0, i = 0; i < p->count; ++i) {
            direction[i] /= sqrt(length);
            expected += direction[i] * g[i];
        }
        expected -= SUITE_(slope)(s, p, direction, z, c, b);
        test_worst(&worst, expected);
    }
    snprintf(what, sizeof what, "gradient of %s - numerical (of %.1e)", p->name, sqrt(norm));
    check_below(suite_name(what), worst / (sqrt(norm) + 1e-3), 5e-8);
    free(direction);
}

static void SUITE_(test_backward)(SUITE_(subject) *s)
{
    const int V = s->volume, n = s->lanes * V;
    double    z[SUITE_BATCH], c[SUITE_BATCH], b[SUITE_LANES_MOST], dz[SUITE_BATCH], numerical[SUITE_BATCH];
    double    moved[SUITE_BATCH], F[4][SUITE_LANES_MOST], f[4];
    int       i, k, l, t;
    SUITE_(draws)(s, 0, z);
    suite_normals(30, b, s->lanes);
    for (l = 0; l < s->lanes; ++l) suite_normals(31 + (uint64_t)l, c + l * V, V);
    SUITE_(pull_gradient)(s, z, c, b, dz);
    suite_keep("gradient of x as in f64", dz, V, 1e-14 * suite_rounding);
    if (suite_first) {
        for (i = 0; i < V; ++i) {
            for (k = 0; k < 4; ++k) {
                memcpy(moved, z, sizeof moved);
                for (l = 0; l < s->lanes; ++l) moved[l * V + i] += SUITE_STEP * suite_stencil[k];
                SUITE_(objective)(s, moved, c, b, F[k]);
            }
            for (l = 0; l < s->lanes; ++l) {
                for (k = 0; k < 4; ++k) f[k] = F[k][l];
                numerical[l * V + i] = suite_derivative(f, SUITE_STEP);
            }
        }
        check_below(suite_name("gradient of x - numerical"), test_apart(dz, numerical, n) / test_largest(dz, n),
                    5e-8);
        for (t = 0; t < s->flow.params.tensors; ++t) {
            if (s->flow.params.list[t].count) SUITE_(test_tensor)(s, s->flow.params.list + t, z, c, b);
        }
    }
    /* the gradients of the parameters are sums over lanes: one configuration at a time is the same for any lanes */
    for (l = 1; l < s->lanes; ++l) b[l] = 0;
    for (i = V; i < n; ++i) c[i] = 0;
    SUITE_(pull_gradient)(s, z, c, b, dz);
    for (t = 0; t < s->flow.params.tensors; ++t) {
        char what[80];
        snprintf(what, sizeof what, "gradient of %s as in f64", s->flow.params.list[t].name);
        if (s->flow.params.list[t].count) {
            suite_keep(what, s->dtheta + s->flow.params.list[t].offset, (int)s->flow.params.list[t].count,
                       suite_float ? 3e-4 : 2e-14);
        }
    }
}

/* Root mean square of the transported score minus the numerical gradient of log q; score: of sample 0. */
static double SUITE_(score_error)(SUITE_(subject) *s, double *score)
{
    const int     V = s->volume, samples = V <= 4 ? 4 : 1;
    double        z[SUITE_BATCH], x[SUITE_BATCH], logdet[SUITE_LANES_MOST], logq[4 * SUITE_SITES], square = 0;
    SUITE_(real)  moved[SUITE_SITES];
    SUITE_(batch) batch;
    lft_arena     arena = SUITE_(left);
    int           i, j, k, sample;
    if (SUITE_(batch_init)(&batch, &s->flow.lattice, 4 * V, &arena, NULL)) return 1e300;
    for (sample = samples - 1; sample >= 0; --sample) {
        SUITE_(draws)(s, sample, z);
        for (i = 0; i < s->lanes * V; ++i) score[i] = -z[i];
        SUITE_(push)(s, z, x, logdet, score, 0);
        for (j = 0; j < V; ++j) {
            for (k = 0; k < 4; ++k) {
                for (i = 0; i < V; ++i) moved[i] = (SUITE_(real))(x[i] + (i == j ? SUITE_STEP * suite_stencil[k] : 0));
                SUITE_(batch_set)(&batch, 4 * j + k, moved);
            }
        }
        if (SUITE_(flow_logq)(&s->flow, &batch, logq)) return 1e300;
        for (j = 0; j < V; ++j) {
            const double e = score[j] - suite_derivative(logq + 4 * j, SUITE_STEP);
            square += e * e;
        }
    }
    return sqrt(square / (V * samples));
}

static void SUITE_(test_score)(SUITE_(subject) *s, const SUITE_(test_case) *c)
{
    double    score[SUITE_BATCH], x[2][SUITE_BATCH] = {{0}}, logdet[2][SUITE_LANES_MOST], coarse, fine;
    const int steps = s->flow.layer[0].steps, n = s->lanes * s->volume;
    int       i;
    if (suite_first) {
        if (c->claims & SUITE_ORDER4) SUITE_(flow_refine)(&s->flow, 2 * steps);
        coarse = SUITE_(score_error)(s, score);
        if (c->claims & SUITE_ORDER4) {
            SUITE_(flow_refine)(&s->flow, 4 * steps);
            fine = SUITE_(score_error)(s, score);
            SUITE_(flow_refine)(&s->flow, steps);
            check_below(suite_name("score - numerical"), coarse, 1e-3);
            check_below(suite_name("score - numerical, half the step"), fine, 1e-4);
            suite_order("order of the score in h", coarse, fine);
        } else {
            check_below(suite_name("score - numerical"), coarse, 1e-9);
        }
    }
    SUITE_(draws)(s, 0, x[0]);
    for (i = 0; i < n; ++i) score[i] = -x[0][i];
    SUITE_(push)(s, x[0], x[1], logdet[1], score, 1);
    suite_keep("score as in f64", score, s->volume, 2e-14 * suite_rounding);
    SUITE_(draws)(s, 0, x[0]);
    SUITE_(push)(s, x[0], x[0], logdet[0], NULL, 0);
    check_below(suite_name("x with a score"), test_apart(x[0], x[1], n), 1e-14 * suite_rounding);
    check_below(suite_name("log-det with a score"), test_apart(logdet[0], logdet[1], s->lanes),
                1e-14 * s->volume * suite_rounding);
}

/* ---- symmetries -------------------------------------------------------------------------------------------------- */

/* to[site] of the lattice symmetry: x_mu -> sign_mu x_axis(mu) + shift_mu */
static void SUITE_(site_map)(const int *extent, const int *axis, const int *sign, const int *shift, int *to)
{
    int x[SUITE_DIM], site, volume = 1, mu, rest, y, image;
    for (mu = 0; mu < SUITE_DIM; ++mu) volume *= extent[mu];
    for (site = 0; site < volume; ++site) {
        for (rest = site, mu = SUITE_DIM - 1; mu >= 0; --mu) {
            x[mu] = rest % extent[mu];
            rest /= extent[mu];
        }
        for (image = 0, mu = 0; mu < SUITE_DIM; ++mu) {
            y     = (sign[mu] * x[axis[mu]] + shift[mu]) % extent[mu];
            image = image * extent[mu] + (y + extent[mu]) % extent[mu];
        }
        to[site] = image;
    }
}

/* f(g z) = g f(z), for x, log-det and score */
static void SUITE_(test_symmetry)(SUITE_(subject) *s, const char *what, const int *to, double sign)
{
    const int V = s->volume, n = s->lanes * V;
    double    z[SUITE_BATCH], x[SUITE_BATCH], score[SUITE_BATCH], logdet[SUITE_LANES_MOST];
    double    gz[SUITE_BATCH], gx[SUITE_BATCH], gscore[SUITE_BATCH], glogdet[SUITE_LANES_MOST];
    double    there[SUITE_BATCH] = {0}, worst;
    int       l, i;
    SUITE_(draws)(s, 0, z);
    for (i = 0; i < n; ++i) score[i] = -z[i];
    SUITE_(push)(s, z, x, logdet, score, 0);
    for (l = 0; l < s->lanes; ++l) {
        for (i = 0; i < V; ++i) gz[l * V + to[i]] = sign * z[l * V + i];
    }
    for (i = 0; i < n; ++i) gscore[i] = -gz[i];
    SUITE_(push)(s, gz, gx, glogdet, gscore, 0);
    for (l = 0; l < s->lanes; ++l) {
        for (i = 0; i < V; ++i) there[l * V + to[i]] = sign * x[l * V + i];
    }
    worst = test_apart(gx, there, n) / test_largest(x, n);
    worst = fmax(worst, test_apart(glogdet, logdet, s->lanes) / V);
    for (l = 0; l < s->lanes; ++l) {
        for (i = 0; i < V; ++i) there[l * V + to[i]] = sign * score[l * V + i];
    }
    worst = fmax(worst, test_apart(gscore, there, n) / test_largest(score, n));
    check_below(suite_name(what), worst, 2e-14 * suite_rounding);
}

static void SUITE_(test_symmetries)(SUITE_(subject) *s, const SUITE_(test_case) *c)
{
    const int *extent = s->flow.lattice.extent;
    int        axis[SUITE_DIM], sign[SUITE_DIM], shift[SUITE_DIM], to[SUITE_SITES], mu, nu;
    char       what[60];
    for (mu = 0; mu < SUITE_DIM; ++mu) axis[mu] = mu, sign[mu] = 1, shift[mu] = 0;
    SUITE_(site_map)(extent, axis, sign, shift, to);
    if (c->claims & SUITE_ODD) SUITE_(test_symmetry)(s, "phi -> -phi", to, -1);
    for (mu = 0; mu < SUITE_DIM; ++mu) {
        if (extent[mu] > 1 && c->claims & SUITE_TRANSLATIONS) {
            shift[mu] = 1;
            SUITE_(site_map)(extent, axis, sign, shift, to);
            snprintf(what, sizeof what, "translation along axis %d", mu);
            SUITE_(test_symmetry)(s, what, to, 1);
            shift[mu] = 0;
        }
        if (extent[mu] > 2 && extent[mu] % 2 == 0 && c->claims & SUITE_EVEN) {
            shift[mu] = 2;
            SUITE_(site_map)(extent, axis, sign, shift, to);
            snprintf(what, sizeof what, "translation by 2 along axis %d", mu);
            SUITE_(test_symmetry)(s, what, to, 1);
            shift[mu] = 0;
        }
        for (nu = mu + 1; nu < SUITE_DIM && c->claims & SUITE_EVEN; ++nu) {
            if (extent[mu] % 2 || extent[nu] % 2) continue;
            shift[mu] = shift[nu] = 1;
            SUITE_(site_map)(extent, axis, sign, shift, to);
            snprintf(what, sizeof what, "translation along axes %d and %d", mu, nu);
            SUITE_(test_symmetry)(s, what, to, 1);
            shift[mu] = shift[nu] = 0;
        }
        if (extent[mu] > 2 && c->claims & SUITE_REFLECTIONS) {
            sign[mu] = -1;
            SUITE_(site_map)(extent, axis, sign, shift, to);
            snprintf(what, sizeof what, "reflection of axis %d", mu);
            SUITE_(test_symmetry)(s, what, to, 1);
            sign[mu] = 1;
        }
        for (nu = mu + 1; nu < SUITE_DIM; ++nu) {
            if (extent[mu] != extent[nu] || extent[mu] < 2 || !(c->claims & SUITE_PERMUTATIONS)) continue;
            axis[mu] = nu, axis[nu] = mu;
            SUITE_(site_map)(extent, axis, sign, shift, to);
            snprintf(what, sizeof what, "exchange of axes %d and %d", mu, nu);
            SUITE_(test_symmetry)(s, what, to, 1);
            axis[mu] = mu, axis[nu] = nu;
        }
    }
}

/* ---- lanes, batches, threads ------------------------------------------------------------------------------------- */

/* The result for a configuration has the same bits in every lane. */
static void SUITE_(test_lanes)(SUITE_(subject) *s)
{
    const int V = s->volume;
    double    z[SUITE_BATCH], x[SUITE_BATCH], score[SUITE_BATCH], logdet[SUITE_LANES_MOST], back[SUITE_BATCH];
    double    sz[SUITE_BATCH], sx[SUITE_BATCH], sscore[SUITE_BATCH], slogdet[SUITE_LANES_MOST], sback[SUITE_BATCH];
    double    worst = 0, far = 0;
    int       l, k;
    if (s->lanes == 1) return;
    SUITE_(draws)(s, 0, z);
    for (l = 0; l < s->lanes * V; ++l) score[l] = -z[l];
    SUITE_(push)(s, z, x, logdet, score, 0);
    SUITE_(pull)(s, x, back, sback);
    for (k = 1; k < s->lanes; k += 2) {
        for (l = 0; l < s->lanes; ++l) memcpy(sz + l * V, z + (l + k) % s->lanes * V, (size_t)V * sizeof(double));
        for (l = 0; l < s->lanes * V; ++l) sscore[l] = -sz[l];
        SUITE_(push)(s, sz, sx, slogdet, sscore, 0);
        for (l = 0; l < s->lanes; ++l) {
            const int from = (l + k) % s->lanes;
            worst          = fmax(worst, test_apart(sx + l * V, x + from * V, V));
            worst          = fmax(worst, test_apart(sscore + l * V, score + from * V, V));
            worst          = fmax(worst, fabs(slogdet[l] - logdet[from]));
        }
        SUITE_(pull)(s, sx, sback, slogdet);
        for (l = 0; l < s->lanes; ++l) far = fmax(far, test_apart(sback + l * V, back + (l + k) % s->lanes * V, V));
    }
    check_below(suite_name("other lanes: x, log-det, score"), worst, 0);
    check_below(suite_name("other lanes: inverse"), far, 4e-15 * suite_rounding);
}

/* What the flow of a case does with n samples: x, log q, and both directions. [n][volume + 3] */
static lft_status SUITE_(run)(SUITE_(flow) *flow, int first, int n, double *out, lft_arena arena)
{
    const int     V = flow->lattice.volume, row = 2 * V + 3;
    SUITE_(batch) x, z;
    SUITE_(real)  phi[SUITE_SITES];
    double        logq[3][3 * SUITE_LANES_MOST];
    lft_status    status = SUITE_(batch_init)(&x, &flow->lattice, n, &arena, NULL);
    int           i, j;
    if (!status) status = SUITE_(batch_init)(&z, &flow->lattice, n, &arena, NULL);
    if (!status) status = SUITE_(flow_sample)(flow, 7, (uint64_t)first, &x, logq[0]);
    if (!status) status = SUITE_(flow_logq)(flow, &x, logq[1]);
    for (i = 0; i < n && !status; ++i) {
        double draw[SUITE_SITES];
        lft_normals(lft_draw_of(7, LFT_DRAW_PRIOR, (uint64_t)(first + i), 0), draw, V);
        for (j = 0; j < V; ++j) phi[j] = (SUITE_(real))draw[j];
        SUITE_(batch_set)(&z, i, phi);
        SUITE_(batch_get)(&x, i, phi);
        for (j = 0; j < V; ++j) out[i * row + j] = (double)phi[j];
    }
    if (!status) status = SUITE_(flow_map)(flow, &z, &z, logq[2]);
    for (i = 0; i < n && !status; ++i) {
        SUITE_(batch_get)(&z, i, phi);
        for (j = 0; j < V; ++j) out[i * row + V + j] = (double)phi[j];
        for (j = 0; j < 3; ++j) out[i * row + 2 * V + j] = logq[j][i];
    }
    return status;
}

static void SUITE_(test_batches)(SUITE_(subject) *s, const SUITE_(test_case) *c)
{
    static double all[3 * SUITE_LANES_MOST * (2 * SUITE_SITES + 3)], part[3 * SUITE_LANES_MOST * (2 * SUITE_SITES + 3)];
    const int     V = s->volume, row = 2 * V + 3, most = 2 * s->lanes + 1, step = s->lanes > 4 ? 3 : 1;
    double        worst = 0, far = 0, apart = 0;
    int           n, i, threads;
    SUITE_(flow)  flow;
    check_true(suite_name("a batch of samples"), SUITE_(run)(&s->flow, 0, most, all, SUITE_(left)) == LFT_OK);
    for (i = 0; i < most; ++i) {
        const double *at = all + i * row;
        apart            = fmax(apart, test_apart(at, at + V, V));
        far              = fmax(far, fabs(at[2 * V] - at[2 * V + 1]));
    }
    check_below(suite_name("flow_sample = flow_map of the prior's draws"), apart, 0);
    check_below(suite_name("log q of samples by the inverse"), far, 2e-14 * V * suite_rounding);
    for (far = 0, n = 1; n <= most; n += step) { /* ones that end, and ones that begin, anywhere in a group */
        SUITE_(run)(&s->flow, most - n, n, part, SUITE_(left));
        for (i = 0; i < n; ++i) {
            const double *a = part + i * row, *b = all + (most - n + i) * row;
            worst           = fmax(worst, test_apart(a, b, 2 * V + 1));
            worst           = fmax(worst, fabs(a[2 * V + 2] - b[2 * V + 2]));
            far             = fmax(far, fabs(a[2 * V + 1] - b[2 * V + 1])); /* iterates until all lanes have arrived */
        }
    }
    check_below(suite_name("batches of any size: samples"), worst, 0);
    check_below(suite_name("batches of any size: log q by the inverse"), far, 2e-14 * V * suite_rounding);
    for (worst = 0, threads = 1; threads <= 4; ++threads) {
        lft_arena arena = SUITE_(left);
        lft_pool  pool  = threads < 4 ? test_pool(&threads) : lft_pool_openmp(2);
        size_t    i_;
        if (SUITE_(make_flow)(&flow, c, s->flow.lattice.extent, &pool, &arena)) {
            check_true(suite_name("a flow with threads"), 0);
            continue;
        }
        for (i_ = 0; i_ < flow.params.count; ++i_) flow.params.value[i_] = s->flow.params.value[i_];
        SUITE_(flow_prepare)(&flow);
        if (SUITE_(run)(&flow, 0, most, part, arena)) worst = 1e300;
        worst = fmax(worst, test_apart(part, all, most * row));
    }
    check_below(suite_name("1, 2, 3 threads"), worst, 0);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static int SUITE_(says)(const SUITE_(subject) *s, const char *word)
{
    return strstr(s->error.text, word) != NULL;
}

/* A number that is not finite is found in any lane, and so is a map without an inverse. */
static void SUITE_(test_failures)(SUITE_(subject) *s, const SUITE_(test_case) *c)
{
    const int n = s->lanes * s->volume, at[4] = {n - 1, n - s->volume, 0, s->volume - 1};
    double    z[SUITE_BATCH], x[SUITE_BATCH] = {0}, sound[SUITE_BATCH], logdet[SUITE_LANES_MOST], worst = 0, others = 0;
    double    its[SUITE_LANES_MOST];
    int       k, l, found = 0, lost = 0;
    size_t    i;
    SUITE_(draws)(s, 0, z);
    SUITE_(push)(s, z, sound, its, NULL, 0);
    for (k = 0; k < 4; ++k) {
        SUITE_(draws)(s, 0, z);
        z[at[k]] = k % 2 ? -HUGE_VAL : HUGE_VAL;
        memset(&s->error, 0, sizeof s->error);
        found += SUITE_(push)(s, z, x, logdet, NULL, 0) == LFT_ERR_NONFINITE && s->error.code == LFT_ERR_NONFINITE;
        if (k == 0 && c->claims & SUITE_ORDER4) {
            check_true(suite_name("the text names the step"), SUITE_(says)(s, "step") && SUITE_(says)(s, "got 0"));
        }
        for (l = 0; l < s->lanes; ++l) {
            if (at[k] / s->volume == l) continue;
            others = fmax(others, test_apart(x + l * s->volume, sound + l * s->volume, s->volume));
            others = fmax(others, fabs(logdet[l] - its[l]));
        }
        memset(&s->error, 0, sizeof s->error);
        lost += SUITE_(pull)(s, z, x, logdet) != LFT_OK && s->error.code != LFT_OK;
    }
    check_near(suite_name("forward: LFT_ERR_NONFINITE for infinity in any lane"), found, 4, 0);
    check_below(suite_name("forward: the other lanes are what they were"), others, 0);
    check_near(suite_name("inverse: an error for infinity in any lane"), lost, 4, 0);
    if (!(c->claims & SUITE_ORDER4)) return;
    check_true(suite_name("no more steps than most_steps"), SUITE_(flow_refine)(&s->flow, 33) == LFT_ERR_ARG);
    check_true(suite_name("at least one step"), SUITE_(flow_refine)(&s->flow, 0) == LFT_ERR_ARG);
    SUITE_(flow_refine)(&s->flow, 1);
    for (found = 0, k = 1; k <= 100; k *= 10) { /* steps that become too long for an inverse */
        for (i = 0; i < s->flow.params.count; ++i) s->flow.params.value[i] *= k > 1 ? 10 : 1;
        SUITE_(flow_prepare)(&s->flow);
        SUITE_(draws)(s, 0, z);
        memset(&s->error, 0, sizeof s->error);
        if (SUITE_(pull)(s, z, x, logdet) != LFT_OK) {
            found += s->error.code == LFT_ERR_NOCONV || s->error.code == LFT_ERR_NONFINITE;
        } else if (SUITE_(push)(s, x, x, logdet, NULL, 0) != LFT_OK) {
            worst = HUGE_VAL;
        } else {
            for (l = 0; l < n; ++l) worst = fmax(worst, fabs(x[l] - z[l]));
        }
    }
    check_true(suite_name("far too few steps: an error"), found > 0);
    check_below(suite_name("far too few steps: or else the inverse"), worst, 1e-9 * suite_rounding);
    SUITE_(flow_refine)(&s->flow, 8);
}

/* Two groups that overflow in different steps: the error is that of the first group, for any number of threads. */
static void SUITE_(test_error_text)(const int *extent)
{
    static const SUITE_(continuous_desc) grows = {-1, 1, -1, -1, LFT_TIME_COSINE, 1, 8, 8};
    static const SUITE_(test_case)       c     = {"", 0, 1, {{SUITE_(continuous), &grows}}};
    const double                         most = suite_float ? 3.4e38 : 1.79e308;
    char                                 text[sizeof(((lft_error *)0)->text)] = "";
    double                               logdet[3 * SUITE_LANES_MOST];
    SUITE_(real)                         phi[SUITE_SITES];
    SUITE_(flow)                         flow;
    SUITE_(batch)                        x;
    int                                  threads, same = 0, i;
    for (threads = 1; threads <= 3; ++threads) {
        lft_arena arena = suite_arena();
        lft_pool  pool  = test_pool(&threads);
        if (SUITE_(make_flow)(&flow, &c, extent, &pool, &arena)) break;
        flow.params.value[0] = 5; /* d phi / dt = 5 phi */
        SUITE_(flow_prepare)(&flow);
        if (SUITE_(batch_init)(&x, &flow.lattice, 3 * SUITE_(lanes)(), &arena, NULL)) break;
        for (i = 0; i < flow.lattice.volume; ++i) phi[i] = 0;
        phi[0] = (SUITE_(real))(0.05 * most);
        SUITE_(batch_set)(&x, SUITE_(lanes)(), phi);
        phi[0] = (SUITE_(real))(0.8 * most);
        SUITE_(batch_set)(&x, 2 * SUITE_(lanes)(), phi);
        if (SUITE_(flow_map)(&flow, &x, &x, logdet) != LFT_ERR_NONFINITE) break;
        if (threads == 1) memcpy(text, flow.error.text, sizeof text);
        same += !strcmp(text, flow.error.text) && !strstr(text, "got 0");
    }
    check_near(suite_name("threads with which the first group's error is told"), same, 3, 0);
}

/* spec and read give the same layer. */
static void SUITE_(test_spec)(SUITE_(subject) *s, const SUITE_(test_case) *c)
{
    SUITE_(layer_desc) list[2];
    SUITE_(flow_desc)  desc;
    SUITE_(flow)       flow;
    int64_t            number[32], again[32];
    lft_arena          arena = SUITE_(left);
    int                i, mu, n = 0, ok = 1;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = s->flow.lattice.extent[mu];
    for (i = 0; i < c->layers; ++i) {
        const SUITE_(layer) *layer = s->flow.layer + i;
        if (!layer->ops->spec) return;
        n           = layer->ops->spec(layer, number);
        list[i].ops = layer->ops;
        ok          = ok && layer->ops->read(number, n, &arena, &list[i].desc, &s->error) == LFT_OK;
        ok          = ok && layer->ops->read(number, n - 1, &arena, &list[i].desc, NULL) == LFT_ERR_FORMAT;
        ok          = ok && layer->ops->read(number, n, &arena, &list[i].desc, NULL) == LFT_OK;
    }
    desc.layer = list, desc.layers = c->layers, desc.prior.kind = LFT_PRIOR_NORMAL;
    ok = ok && SUITE_(flow_init)(&flow, &desc, &arena, &s->error) == LFT_OK;
    ok = ok && flow.params.count == s->flow.params.count && flow.params.tensors == s->flow.params.tensors;
    for (i = 0; ok && i < c->layers; ++i) {
        ok = ok && flow.layer[i].ops->spec(flow.layer + i, again) == n;
        ok = ok && s->flow.layer[i].ops->spec(s->flow.layer + i, number) == n;
        ok = ok && memcmp(again, number, (size_t)n * sizeof *number) == 0;
    }
    check_true(suite_name("spec and read give the same layer"), ok);
}

/* ---- priors ------------------------------------------------------------------------------------------------------ */

/* Orbit of a momentum, numbered as they appear first in row-major order of the folded components, of which those of
 * equal axes are sorted. */
static int SUITE_(orbit)(const int *extent, int site)
{
    int k[SUITE_DIM], r[SUITE_DIM], mu, nu, i, count = 1, number = 0, rest;
    for (rest = site, mu = SUITE_DIM - 1; mu >= 0; --mu) {
        k[mu] = rest % extent[mu];
        if (k[mu] > extent[mu] - k[mu]) k[mu] = extent[mu] - k[mu];
        rest /= extent[mu];
        count *= extent[mu] / 2 + 1;
    }
    for (mu = 0; mu < SUITE_DIM; ++mu) { /* ascending over axes of the same extent */
        for (nu = mu + 1; nu < SUITE_DIM; ++nu) {
            if (extent[mu] == extent[nu] && k[nu] < k[mu]) rest = k[mu], k[mu] = k[nu], k[nu] = rest;
        }
    }
    for (i = 0; i < count; ++i) {
        int ascending = 1, same = 1;
        for (rest = i, mu = SUITE_DIM - 1; mu >= 0; --mu) {
            r[mu] = rest % (extent[mu] / 2 + 1);
            rest /= extent[mu] / 2 + 1;
            same = same && r[mu] == k[mu];
        }
        if (same) return number;
        for (mu = 0; mu < SUITE_DIM; ++mu) {
            for (nu = mu + 1; nu < SUITE_DIM; ++nu) {
                if (extent[mu] == extent[nu] && r[nu] < r[mu]) ascending = 0;
            }
        }
        number += ascending;
    }
    return -1;
}

/* a[V][V] with log q = -z.a z / 2 + log det a / 2 - V/2 log 2 pi, by a sum over all momenta; log_sigma[orbits] */
static void SUITE_(prior_matrix)(const int *extent, int V, const double *log_sigma, double *a)
{
    int k, x, y, mu, rk, rx, ry, kk, dx;
    for (x = 0; x < V * V; ++x) a[x] = 0;
    for (k = 0; k < V; ++k) {
        const double weight = exp(-2 * log_sigma[SUITE_(orbit)(extent, k)]) / V;
        for (x = 0; x < V; ++x) {
            for (y = 0; y < V; ++y) {
                double phase = 0;
                for (rk = k, rx = x, ry = y, mu = SUITE_DIM - 1; mu >= 0; --mu) {
                    kk = rk % extent[mu];
                    dx = rx % extent[mu] - ry % extent[mu];
                    phase += (double)kk * dx / extent[mu];
                    rk /= extent[mu], rx /= extent[mu], ry /= extent[mu];
                }
                a[x * V + y] += weight * cos(6.283185307179586476925 * phase);
            }
        }
    }
}

/* The matrix of the free action, S = z.(a/2) z, from its definition. */
static void SUITE_(free_matrix)(const int *extent, int V, double m2, double *a)
{
    int to[SUITE_SITES], axis[SUITE_DIM], sign[SUITE_DIM], shift[SUITE_DIM], x, mu;
    for (x = 0; x < V * V; ++x) a[x] = 0;
    for (x = 0; x < V; ++x) a[x * V + x] = 2 * m2;
    for (mu = 0; mu < SUITE_DIM; ++mu) axis[mu] = mu, sign[mu] = 1, shift[mu] = 0;
    for (mu = 0; mu < SUITE_DIM; ++mu) {
        shift[mu] = 1;
        SUITE_(site_map)(extent, axis, sign, shift, to);
        shift[mu] = 0;
        for (x = 0; x < V; ++x) { /* (phi(x+mu) - phi(x))^2 */
            a[x * V + x] += 2;
            a[to[x] * V + to[x]] += 2;
            a[x * V + to[x]] -= 2;
            a[to[x] * V + x] -= 2;
        }
    }
}

static double SUITE_(gauss)(const double *a, const double *z, int V, double *score)
{
    static double lu[SUITE_SITES * SUITE_SITES];
    double        sum = 0;
    int           x, y;
    for (x = 0; x < V; ++x) {
        for (score[x] = 0, y = 0; y < V; ++y) score[x] -= a[x * V + y] * z[y];
        sum += score[x] * z[x];
    }
    memcpy(lu, a, (size_t)(V * V) * sizeof(double));
    return 0.5 * (sum + suite_logdet(lu, V) - V * log(6.283185307179586476925));
}

/* F = c.z + b log q of a draw, summed over lanes */
static double SUITE_(prior_objective)(const SUITE_P(prior) *p, SUITE_P(v) *z, const SUITE_(real) *c, const double *b,
                                      lft_arena scratch)
{
    double    logq[SUITE_LANES_MOST], F = 0;
    const int lanes = SUITE_(lanes)(), V = p->field.spectrum.lattice.volume;
    int       i;
    SUITE_P(prior_draw)(p, lft_draw_of(8, LFT_DRAW_PRIOR, 0, 0), z, logq, scratch);
    for (i = 0; i < lanes; ++i) F += b[i] * logq[i];
    for (i = 0; i < lanes * V; ++i) F += (double)c[i] * (double)((SUITE_(real) *)z)[i];
    return F;
}

static void SUITE_(test_prior)(const int *extent)
{
    static double     a[SUITE_SITES * SUITE_SITES];
    SUITE_(flow_desc) desc;
    SUITE_(flow)      flow;
    SUITE_(batch)     batch;
    SUITE_(real)      phi[SUITE_SITES];
    lft_arena         arena = suite_arena(), scratch;
    SUITE_P(prior)   *p;
    SUITE_P(v)       *z, *c, *score;
    double            logq[2 * SUITE_LANES_MOST], given[2 * SUITE_LANES_MOST], b[SUITE_LANES_MOST], row[SUITE_SITES];
    double            dense[SUITE_SITES], *theta, *dtheta, worst = 0, apart = 0, far = 0, size = 0, f[4];
    const int         lanes = SUITE_(lanes)(), n = lanes + 1;
    int               i, k, l, mu, V, orbits;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = extent[mu];
    desc.prior.mass2 = 0.7;
    desc.continuous.sines = desc.continuous.steps = desc.continuous.nodes = 1;
    if (SUITE_(flow_init)(&flow, &desc, &arena, NULL)) {
        check_true(suite_name("prior: init"), 0);
        return;
    }
    V = flow.lattice.volume, theta = flow.params.value, orbits = flow.params.list[0].shape[0];
    p = &SUITE_P(flow_state_of)(&flow)->prior;
    check_true(suite_name("prior: its tensor comes first"), strcmp(flow.params.list[0].name, "prior.log_sigma") == 0);

    /* the start is the free field of the action's definition */
    SUITE_(batch_init)(&batch, &flow.lattice, n, &arena, NULL);
    for (k = 0; k < 2; ++k) {
        if (k == 0) {
            SUITE_(free_matrix)(extent, V, 0.7, a);
        } else {
            suite_normals(60, row, orbits);
            for (i = 0; i < orbits; ++i) theta[i] += 0.2 * row[i];
            SUITE_(flow_prepare)(&flow);
            SUITE_(prior_matrix)(extent, V, theta, a);
        }
        worst = apart = 0;
        check_true(suite_name("prior: samples"), SUITE_(flow_sample)(&flow, 9, 3, &batch, logq) == LFT_OK &&
                                                     SUITE_(flow_logq)(&flow, &batch, given) == LFT_OK);
        for (i = 0; i < n; ++i) {
            double x[SUITE_SITES];
            SUITE_(batch_get)(&batch, i, phi);
            for (l = 0; l < V; ++l) x[l] = (double)phi[l];
            worst = fmax(worst, fabs(logq[i] - SUITE_(gauss)(a, x, V, dense)));
            apart = fmax(apart, fabs(given[i] - logq[i]));
        }
        check_below(suite_name(k ? "prior: log q of samples - dense" : "prior: log q of samples - free field"), worst,
                    2e-14 * V * suite_rounding);
        check_below(suite_name("prior: log q of given ones - of samples"), apart, 2e-14 * V * suite_rounding);
    }
    suite_keep("prior: log q as in f64", logq, 1, 4e-15 * suite_rounding);

    /* score and gradient */
    z       = (SUITE_P(v) *)suite_take(&arena, (size_t)V, sizeof *z);
    c       = (SUITE_P(v) *)suite_take(&arena, (size_t)V, sizeof *c);
    score   = (SUITE_P(v) *)suite_take(&arena, (size_t)V, sizeof *score);
    dtheta  = (double *)suite_take(&arena, flow.params.count, sizeof *dtheta);
    scratch = lft_arena_of(suite_take(&arena, SUITE_P(prior_scratch)(p), 1), SUITE_P(prior_scratch)(p));
    SUITE_P(prior_draw)(p, lft_draw_of(8, LFT_DRAW_PRIOR, 0, 0), z, logq, scratch);
    SUITE_P(prior_logq)(p, z, given, score, scratch);
    for (worst = 0, l = 0; l < lanes; ++l) {
        for (i = 0; i < V; ++i) row[i] = (double)((SUITE_(real) *)z)[i * lanes + l];
        worst = fmax(worst, fabs(SUITE_(gauss)(a, row, V, dense) - given[l]) / V);
        for (i = 0; i < V; ++i) {
            far  = fmax(far, fabs((double)((SUITE_(real) *)score)[i * lanes + l] - dense[i]));
            size = fmax(size, fabs(dense[i]));
        }
    }
    check_below(suite_name("prior: log q - dense"), worst, 2e-14 * suite_rounding);
    check_below(suite_name("prior: score - dense"), far / size, 4e-15 * suite_rounding);
    suite_normals(61, b, lanes);
    for (l = 0; l < lanes; ++l) {
        suite_normals(62 + (uint64_t)l, row, V);
        for (i = 0; i < V; ++i) ((SUITE_(real) *)c)[i * lanes + l] = (SUITE_(real))row[i];
    }
    memset(dtheta, 0, flow.params.count * sizeof *dtheta);
    SUITE_P(prior_backward)(p, z, c, b, dtheta, scratch);
    for (worst = 0, size = 1e-3, i = 0; suite_first && i < orbits; ++i) {
        const double keep = theta[i];
        for (k = 0; k < 4; ++k) {
            theta[i] = keep + SUITE_STEP * suite_stencil[k];
            SUITE_(flow_prepare)(&flow);
            f[k] = SUITE_(prior_objective)(p, z, (SUITE_(real) *)c, b, scratch);
        }
        theta[i] = keep;
        worst    = fmax(worst, fabs(suite_derivative(f, SUITE_STEP) - dtheta[i]));
        size     = fmax(size, fabs(dtheta[i]));
    }
    if (suite_first) check_below(suite_name("prior: gradient of log_sigma - numerical"), worst / size, 1e-9);
    for (l = 1; l < lanes; ++l) b[l] = 0;
    for (i = 0; i < V; ++i) {
        for (l = 1; l < lanes; ++l) ((SUITE_(real) *)c)[i * lanes + l] = 0;
    }
    SUITE_(flow_prepare)(&flow);
    SUITE_P(prior_draw)(p, lft_draw_of(8, LFT_DRAW_PRIOR, 0, 0), z, logq, scratch);
    memset(dtheta, 0, flow.params.count * sizeof *dtheta);
    SUITE_P(prior_backward)(p, z, c, b, dtheta, scratch);
    suite_keep("prior: gradient as in f64", dtheta, orbits, 1e-14 * suite_rounding);
    check_true(suite_name("prior: writes nowhere else"), suite_strips_untouched());
}

/* ---- the Gaussian flow ------------------------------------------------------------------------------------------- */

/* The largest component of the gradient of one sample, over the samples 0 ... 3; and of log w - log Z. */
static double SUITE_(one_by_one)(SUITE_(trainer) *t, double logz, double *logw)
{
    double   most = 0, loss;
    uint64_t i;
    for (*logw = 0, i = 0; i < 4; ++i) {
        if (SUITE_(train_gradient)(t, i, &loss)) return 1e300;
        most  = fmax(most, test_largest(t->gradient, (int)t->flow->params.count));
        *logw = fmax(*logw, fabs(t->logw[0] - logz));
    }
    return most;
}

/* A free field of m2 = 0.3 from one of m2 = 1.5: the linear feature alone, with eigenvalues that make the prior's sigma
 * the target's. Their time dependence is 1 + 0.8 cos(pi t) / 2, with integral 1. Or the identity, from the same m2. */
static void SUITE_(test_gaussian)(const int *extent, int identity)
{
    const double       m2 = 0.3, from = identity ? m2 : 1.5;
    SUITE_(flow_desc)  desc;
    SUITE_(flow)       flow;
    SUITE_(theory)     theory;
    SUITE_(trainer)    trainer;
    lft_train_desc     train;
    lft_arena          arena = suite_arena(), after;
    double             logz = 0, error[2], logw[2], *theta;
    int                mu, V, k, r, rk, rr, e, orbits, done[SUITE_SITES];
    memset(&desc, 0, sizeof desc);
    memset(&train, 0, sizeof train);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = extent[mu];
    desc.prior.mass2 = from;
    if (!identity) desc.continuous.sines = desc.continuous.gates = desc.continuous.zeros = -1;
    desc.continuous.nodes      = 2;
    desc.continuous.steps      = 8;
    desc.continuous.most_steps = 64;
    train.batch                = 1;
    train.guard_every          = -1;
    if (SUITE_(flow_init)(&flow, &desc, &arena, NULL)) {
        check_true(suite_name("Gaussian flow: init"), 0);
        return;
    }
    SUITE_(phi4_init)(&theory, m2, 0, NULL);
    V = flow.lattice.volume;
    for (k = 0; k < SUITE_SITES; ++k) done[k] = 0;
    theta  = flow.params.value + flow.params.list[1].offset; /* [1 gate][1 feature][2 nodes][orbits] */
    orbits = flow.params.list[1].shape[3];
    for (k = 0; k < V; ++k) {
        double khat2 = 0, eigenvalue;
        for (rk = k, mu = SUITE_DIM - 1; mu >= 0; --mu) {
            khat2 += 4 * pow(sin(3.14159265358979323846 * (rk % extent[mu]) / extent[mu]), 2);
            rk /= extent[mu];
        }
        logz += 0.5 * log(3.14159265358979323846) - 0.5 * log(khat2 + m2);
        eigenvalue = 0.5 * log((khat2 + from) / (khat2 + m2));
        for (r = 0; r < V && !identity; ++r) { /* one displacement of each orbit: all have the same weight */
            double phase = 0;
            int    o     = SUITE_(orbit)(extent, r);
            if (k == 0 && done[o]) continue;
            if (k == 0) done[o] = r + 1;
            if (done[o] != r + 1) continue;
            for (rk = k, rr = r, mu = SUITE_DIM - 1; mu >= 0; --mu) {
                phase += (double)(rk % extent[mu]) * (rr % extent[mu]) / extent[mu];
                rk /= extent[mu], rr /= extent[mu];
            }
            theta[o] += eigenvalue * cos(6.283185307179586476925 * phase) / V;
            theta[orbits + o] = 0.8 * theta[o];
        }
    }
    SUITE_(flow_prepare)(&flow);

    for (e = 0; e < 2; ++e) {
        after           = arena;
        train.estimator = e ? LFT_TOTAL_GRADIENT : LFT_PATH_GRADIENT;
        train.seed      = 11;
        if (SUITE_(trainer_init)(&trainer, &flow, &theory, &train, &after)) {
            check_true(suite_name("Gaussian flow: trainer"), 0);
            return;
        }
        error[0] = SUITE_(one_by_one)(&trainer, logz, logw);
        if (e == 1) {
            check_true(suite_name("Gaussian flow: the total gradient does not vanish"), error[0] > 0.05);
        } else if (identity) {
            check_below(suite_name("free prior, identity: path gradient of each sample"), error[0],
                        5e-15 * (V + 4) * suite_rounding);
            check_below(suite_name("free prior, identity: log w - log Z of each sample"), logw[0],
                        2e-14 * V * suite_rounding);
        } else {
            SUITE_(flow_refine)(&flow, 16);
            error[1] = SUITE_(one_by_one)(&trainer, logz, logw + 1);
            if (!suite_float) {
                suite_order("Gaussian flow: order of the path gradient in h", error[0], error[1]);
                suite_order("Gaussian flow: order of log w - log Z in h", logw[0], logw[1]);
            }
            SUITE_(flow_refine)(&flow, 64);
            error[1] = SUITE_(one_by_one)(&trainer, logz, logw + 1);
            check_below(suite_name("Gaussian flow: path gradient of each sample, 64 steps"), error[1],
                        suite_float ? 1e-4 : 1e-7);
            check_below(suite_name("Gaussian flow: log w - log Z of each sample"), logw[1], suite_float ? 2e-4 : 1e-7);
            SUITE_(flow_refine)(&flow, 8);
        }
    }
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void SUITE_(suite)(void)
{
    SUITE_(subject) *s = &SUITE_(now);
    char             at[40];
    size_t           c, e;
    int              mu, k;
    suite_case     = suite_at;
    suite_cursor   = 0;
    suite_float    = sizeof(SUITE_(real)) == 4;
    suite_rounding = suite_float ? 4 * 536870912.0 : 4;
    for (e = 0; e < sizeof SUITE_(extents) / sizeof SUITE_(extents)[0]; ++e) {
        const int *extent = SUITE_(extents)[e];
        for (k = 0, mu = 0; mu < SUITE_DIM; ++mu) {
            k += snprintf(at + k, sizeof at - (size_t)k, "%s%d", mu ? "x" : "", extent[mu]);
        }
        for (c = 0; c < sizeof SUITE_(cases) / sizeof SUITE_(cases)[0]; ++c) {
            const SUITE_(test_case) *which = SUITE_(cases) + c;
            snprintf(suite_at, sizeof suite_at, "f%dx%d %s %s", (int)sizeof(SUITE_(real)) * 8, SUITE_(lanes)(), at,
                     which->name);
            if (!SUITE_(begin)(which, extent)) {
                check_true(suite_name("init"), 0);
                continue;
            }
            SUITE_(test_start)(s, which);
            SUITE_(disturb)(&s->flow, 0.35 / sqrt((double)s->volume));
            if (which->claims & SUITE_KINKS) SUITE_(settle)(&s->flow);
            SUITE_(test_inverse)(s);
            SUITE_(test_determinant)(s, which);
            SUITE_(test_backward)(s);
            SUITE_(test_score)(s, which);
            SUITE_(test_symmetries)(s, which);
            SUITE_(test_lanes)(s);
            SUITE_(test_batches)(s, which);
            SUITE_(test_spec)(s, which);
            SUITE_(test_failures)(s, which);
            check_true(suite_name("nothing is written outside of its memory"), suite_strips_untouched());
        }
        snprintf(suite_at, sizeof suite_at, "f%dx%d %s", (int)sizeof(SUITE_(real)) * 8, SUITE_(lanes)(), at);
        SUITE_(test_error_text)(extent);
        SUITE_(test_prior)(extent);
        SUITE_(test_gaussian)(extent, 0);
        SUITE_(test_gaussian)(extent, 1);
    }
    suite_first = 0;
}

#include "../suite_end.h"
