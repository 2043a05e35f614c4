/* gauge_flow_suite.h: the properties of the continuous flow of gauge fields, for one group and dimension. A suite
 * (suite.h) in double precision: SUITE_(suite)(name). SUITE_MORE: a file with more for it. */
#include "../suite.h"
#ifndef GAUGE_FLOW_SUITE_COMMON
#define GAUGE_FLOW_SUITE_COMMON

static unsigned char flow_memory[160 << 20];
static int           flow_loops; /* 0: those of the second order */
static int           flow_extent = 3;
static int           flow_doubled; /* axis + 1, 0: none */
static int           flow_along;   /* extent of that axis, 0: about that of the others */
static int           flow_units, flow_reach; /* of a net in the continuous flow, 0: none */
static int           flow_equal; /* 1: all extents are the same */
static int           flow_circle;  /* harmonics of a circle map instead of the continuous flow, 0: none */

/* Errors at h and h / 2 of a quantity of the given order, or better. */
static void flow_order(const char *what, double coarse, double fine, double order)
{
    const double found = log2(coarse / fine);
    test_count(found > order - 0.7 || coarse < 1e-11);
    printf("%-58s %.2f  (order %g: %.1e, %.1e) %s\n", suite_name(what), found, order, coarse, fine,
           found > order - 0.7 || coarse < 1e-11 ? "ok" : "FAILED");
}

/* x = a^-1 b, a[n][n] and b are overwritten. */
static void flow_solve(double *a, double *b, int n)
{
    int i, j, k;
    for (k = 0; k < n; ++k) {
        int    pivot = k;
        double swap;
        for (i = k + 1; i < n; ++i) pivot = fabs(a[i * n + k]) > fabs(a[pivot * n + k]) ? i : pivot;
        for (j = 0; j < n; ++j) swap = a[k * n + j], a[k * n + j] = a[pivot * n + j], a[pivot * n + j] = swap;
        swap = b[k], b[k] = b[pivot], b[pivot] = swap;
        for (i = k + 1; i < n; ++i) {
            const double f = a[i * n + k] / a[k * n + k];
            for (j = k; j < n; ++j) a[i * n + j] -= f * a[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (k = n; k-- > 0;) {
        for (j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
        b[k] /= a[k * n + k];
    }
}
#endif

/* Extents 3, 4, 3 ... and coefficients of either sign: a flow far from the identity. */
static lft_arena SUITE_(make)(SUITE_(flow) *flow, int integrator, int steps, int order, int unequal, const lft_pool *pool)
{
    lft_arena           arena = lft_arena_of(flow_memory, sizeof flow_memory);
    SUITE_(flow_desc)   desc;
    SUITE_(circle_desc) circle;
    SUITE_(layer_desc)  layer;
    lft_error           error;
    double              noise[1500];
    size_t              i;
    int                 mu;
    memset(&desc, 0, sizeof desc);
    memset(&circle, 0, sizeof circle);
    circle.doubled = flow_doubled, circle.harmonics = flow_circle, circle.beta = order ? 1 : 0;
    layer.ops = SUITE_(circle)(), layer.desc = &circle;
    if (flow_circle) desc.layer = &layer, desc.layers = 1;
    for (mu = 0; mu < SUITE_DIM; ++mu) {
        desc.extent[mu] = flow_extent + (mu == 1 && unequal && !flow_equal);
        if (mu == flow_doubled - 1) desc.extent[mu] = flow_along ? flow_along : (flow_extent + 1) / 2 * 2;
    }
    if (pool) desc.pool = *pool;
    desc.continuous.integrator = (lft_group_integrator)integrator, desc.continuous.doubled = flow_doubled;
    desc.continuous.loops = flow_loops, desc.continuous.units = flow_units, desc.continuous.reach = flow_reach;
    order = flow_loops && flow_loops < SUITE_(continuous_loops)(flow_doubled, 2) && order ? 1 : order;
    desc.continuous.nodes = 3, desc.continuous.steps = steps, desc.continuous.order = order;
    desc.continuous.beta = flow_loops == 1 ? 3 : 1;
    if (SUITE_(flow_init)(flow, &desc, &arena, &error)) check_true(error.text, 0);
    lft_normals(lft_draw_of(3, LFT_DRAW_USER, 0, 0), noise, (int)flow->params.count);
    for (i = 0; i < flow->params.count && order; ++i) {
        flow->params.value[i] += (flow_circle ? 0.2 : flow_loops > 1 ? 0.001 : 0.01) / (SUITE_DIM - 1) * noise[i];
    }
    for (i = 0; i < (size_t)flow->params.tensors && order; ++i) { /* of a net, which is nothing at the start */
        const lft_parameter *t = flow->params.list + i;
        size_t               k;
        if (!strstr(t->name, "net_output")) continue;
        for (k = t->offset; k < t->offset + t->count; ++k) flow->params.value[k] += 0.05 / (SUITE_DIM - 1) * noise[k];
    }
    SUITE_(flow_prepare)(flow);
    return arena;
}

/* n random configurations, the flow's draws from its prior. */
static void SUITE_(draw)(SUITE_(batch) *z, const SUITE_(flow) *flow, int n, lft_arena *arena)
{
    SUITE_(flow)      none;
    SUITE_(flow_desc) desc;
    double           *logq = (double *)lft_arena_alloc(arena, (size_t)n, sizeof(double));
    int               mu;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = flow->lattice.extent[mu];
    desc.continuous.loops = 1, desc.continuous.doubled = flow_doubled;
    if (SUITE_(batch_init)(z, &flow->lattice, n, arena, NULL)) check_true("memory", 0);
    if (SUITE_(flow_init)(&none, &desc, arena, NULL)) check_true("memory", 0);
    if (SUITE_(flow_sample)(&none, 5, 0, z, logq)) check_true("sample", 0); /* the identity */
}

/* Largest difference of the numbers of all links; angles modulo 2 pi. */
static double SUITE_(distance)(const SUITE_(batch) *a, const SUITE_(batch) *b)
{
    const int    n = a->lattice.volume * a->reals;
    SUITE_(real) *x = (SUITE_(real) *)malloc(2 * (size_t)n * sizeof *x), *y = x + n;
    double        worst = 0;
    int           i, k;
    for (i = 0; i < a->n; ++i) {
        SUITE_(batch_get)(a, i, x);
        SUITE_(batch_get)(b, i, y);
        for (k = 0; k < n; ++k) test_worst(&worst, SUITE_GROUP == LFT_U1 ? remainder(x[k] - y[k], 2 * acos(-1)) : x[k] - y[k]);
    }
    free(x);
    return worst;
}

/* Link k of every configuration times exp(h T^a) from the left: HMC's drift with one momentum would do it too, but that is the
 * library's. Here by matrices. */
static void SUITE_(nudge)(const SUITE_(batch) *from, SUITE_(batch) *to, int link, int a, double h)
{
    const int     n = from->lattice.volume * from->reals;
    SUITE_(real) *x = (SUITE_(real) *)malloc((size_t)n * sizeof *x);
    int           i;
    for (i = 0; i < from->n; ++i) {
        SUITE_(real) *u = x + link * SUITE_(reals);
        SUITE_(batch_get)(from, i, x);
#if SUITE_GROUP == LFT_U1
        (void)a;
        u[0] += h;
#elif SUITE_GROUP == LFT_SU2
        {
            const double s = sin(h / 2), c = cos(h / 2), q[3] = {a == 0 ? s : 0, a == 1 ? s : 0, a == 2 ? s : 0};
            const double v[4] = {u[0], u[1], u[2], u[3]};
            u[0] = c * v[0] - q[0] * v[1] - q[1] * v[2] - q[2] * v[3];
            u[1] = c * v[1] + q[0] * v[0] - (q[1] * v[3] - q[2] * v[2]);
            u[2] = c * v[2] + q[1] * v[0] - (q[2] * v[1] - q[0] * v[3]);
            u[3] = c * v[3] + q[2] * v[0] - (q[0] * v[2] - q[1] * v[1]);
        }
#else
        {
            /* exp(i h lambda^a / 2): rows p and q are turned, or phases */
            static const int at[8][2] = {{0, 1}, {0, 1}, {0, 1}, {0, 2}, {0, 2}, {1, 2}, {1, 2}, {0, 0}};
            const int        p = at[a][0], q = at[a][1];
            int              j;
            for (j = 0; j < 3; ++j) {
                if (a == 2 || a == 7) {
                    int row;
                    for (row = 0; row < 3; ++row) {
                        const double w = a == 2 ? (row == 0 ? 0.5 : row == 1 ? -0.5 : 0) : (row == 2 ? -1 : 0.5) / sqrt(3.0);
                        const double re = u[6 * row + 2 * j], im = u[6 * row + 2 * j + 1];
                        u[6 * row + 2 * j]     = cos(w * h) * re - sin(w * h) * im;
                        u[6 * row + 2 * j + 1] = cos(w * h) * im + sin(w * h) * re;
                    }
                } else {
                    const double s = sin(h / 2), c = cos(h / 2);
                    const int    real = a == 0 || a == 3 || a == 5; /* i s: lambda_1, _4, _6; else s with a sign */
                    const double pr = u[6 * p + 2 * j], pi = u[6 * p + 2 * j + 1], qr = u[6 * q + 2 * j], qi = u[6 * q + 2 * j + 1];
                    u[6 * p + 2 * j]     = c * pr + (real ? -s * qi : s * qr);
                    u[6 * p + 2 * j + 1] = c * pi + (real ? s * qr : s * qi);
                    u[6 * q + 2 * j]     = c * qr + (real ? -s * pi : -s * pr);
                    u[6 * q + 2 * j + 1] = c * qi + (real ? s * pr : -s * pi);
                }
            }
        }
#endif
        SUITE_(batch_set)(to, i, x);
    }
    free(x);
}

/* ---- maps, inverses, symmetries ---------------------------------------------------------------------------------------- */

static void SUITE_(inverse)(void)
{
    int kind;
    for (kind = LFT_LUESCHER_RK3; kind <= LFT_COMMUTATOR_FREE_4; ++kind) {
        SUITE_(flow)  flow;
        SUITE_(batch) z, x, back;
        lft_arena     arena = SUITE_(make)(&flow, kind, 6, 2, 1, NULL);
        double        forth[20], home[20], sum = 0;
        int           i, bad = 0;
        SUITE_(draw)(&z, &flow, 19, &arena);
        bad += SUITE_(batch_init)(&x, &flow.lattice, 19, &arena, NULL) + SUITE_(batch_init)(&back, &flow.lattice, 19, &arena, NULL);
        bad += SUITE_(flow_map)(&flow, &z, &x, forth) != LFT_OK;
        bad += SUITE_(flow_inverse)(&flow, &x, &back, home) != LFT_OK;
        for (i = 0; i < 19; ++i) test_worst(&sum, forth[i] + home[i]);
        check_true(suite_name("maps"), !bad);
        check_true(suite_name("it moves"), SUITE_(distance)(&z, &x) > 0.03);
        check_below(suite_name("inverse"), SUITE_(distance)(&z, &back), 1e-12);
        check_below(suite_name("log-det of the inverse"), sum, 1e-11);
    }
}

static void SUITE_(identity)(void)
{
    SUITE_(flow)  flow;
    SUITE_(batch) z, x;
    lft_arena     arena = SUITE_(make)(&flow, 0, 3, 0, 1, NULL);
    double        logdet[5], worst = 0;
    int           i;
    SUITE_(draw)(&z, &flow, 5, &arena);
    if (SUITE_(batch_init)(&x, &flow.lattice, 5, &arena, NULL) || SUITE_(flow_map)(&flow, &z, &x, logdet)) check_true("map", 0);
    for (i = 0; i < 5; ++i) test_worst(&worst, logdet[i]);
    check_below(suite_name("identity at the start"), SUITE_(distance)(&z, &x), 1e-14);
    check_below(suite_name("    and its log-det"), worst, 0);
}

/* The site with the coordinates of site x moved by `shift` along mu. */
static int SUITE_(moved)(const SUITE_(lattice) *l, int x, int mu, int shift)
{
    int stride = 1, nu, c;
    for (nu = SUITE_DIM - 1; nu > mu; --nu) stride *= l->extent[nu];
    c = x / stride % l->extent[mu];
    return x + stride * ((c + shift + l->extent[mu]) % l->extent[mu] - c);
}

/* 0: translation by one along the first axis, by two if it is doubled; 5: along the last one; 1: exchange of the first two axes; 2:
 * reflection of the first axis; 3: charge conjugation. */
static void SUITE_(symmetry)(int what, const SUITE_(batch) *from, SUITE_(batch) *to)
{
    const SUITE_(lattice) *lattice = &from->lattice;
    const int     n = lattice->volume * from->reals, per = SUITE_(reals);
    SUITE_(real) *x = (SUITE_(real) *)malloc(2 * (size_t)n * sizeof *x), *y = x + n;
    int           i, site, mu, k, c[SUITE_DIM], rest, nu;
    for (i = 0; i < from->n; ++i) {
        SUITE_(batch_get)(from, i, x);
        for (site = 0; site < lattice->volume; ++site) {
            for (mu = 0; mu < SUITE_DIM; ++mu) {
                int    target = site, direction = mu, conjugate = what == 3, transpose = 0;
                double u[18], *v;
                for (rest = site, nu = SUITE_DIM - 1; nu >= 0; rest /= lattice->extent[nu--]) c[nu] = rest % lattice->extent[nu];
                if (what == 0) target = SUITE_(moved)(lattice, site, 0, flow_doubled == 1 ? 2 : 1);
                if (what == 5) target = SUITE_(moved)(lattice, site, SUITE_DIM - 1, flow_doubled == SUITE_DIM ? 2 : 1);
                if (what == 1) {
                    nu = c[0], c[0] = c[1], c[1] = nu;
                    for (target = 0, nu = 0; nu < SUITE_DIM; ++nu) target = target * lattice->extent[nu] + c[nu];
                    direction = mu == 0 ? 1 : mu == 1 ? 0 : mu;
                }
                if (what == 2) { /* x0 -> -x0; a link along it runs the other way, from where it ended */
                    c[0] = (lattice->extent[0] - c[0]) % lattice->extent[0];
                    for (target = 0, nu = 0; nu < SUITE_DIM; ++nu) target = target * lattice->extent[nu] + c[nu];
                    if (mu == 0) target = SUITE_(moved)(lattice, target, 0, -1), conjugate = transpose = 1;
                }
                for (k = 0; k < per; ++k) u[k] = x[(site * SUITE_DIM + mu) * per + k];
                v = y + (target * SUITE_DIM + direction) * per;
                for (k = 0; k < per; ++k) {
#if SUITE_GROUP == LFT_U1
                    v[k] = conjugate ? -u[k] : u[k];
                    (void)transpose;
#elif SUITE_GROUP == LFT_SU2
                    /* adjoint: -c1, -c2, -c3; conjugate alone: -c1, -c3 */
                    v[k] = transpose ? (k ? -u[k] : u[k]) : conjugate && (k == 1 || k == 3) ? -u[k] : u[k];
#else
                    const int row = k / 6, column = k % 6 / 2, part = k % 2, at = transpose ? 6 * column + 2 * row + part : k;
                    v[k] = conjugate && part ? -u[at] : u[at];
#endif
                }
            }
        }
        SUITE_(batch_set)(to, i, y);
    }
    free(x);
}

/* A link that runs the other way is multiplied from the other side, and the stages of an integrator do not see that: exact in
 * the limit, to its order before. U(1) has no sides. */
static void SUITE_(reflection)(void)
{
    enum { N = 3 };
    SUITE_(flow)  flow;
    SUITE_(batch) z, x, z2, x2;
    lft_arena     arena = SUITE_(make)(&flow, LFT_CROUCH_GROSSMAN_3, 5, 2, 0, NULL);
    double        logdet[N], other[N], map[2], density[2] = {0, 0};
    int           i, k, bad = 0;
    SUITE_(draw)(&z, &flow, N, &arena);
    bad += SUITE_(batch_init)(&x, &flow.lattice, N, &arena, NULL) + SUITE_(batch_init)(&z2, &flow.lattice, N, &arena, NULL);
    bad += SUITE_(batch_init)(&x2, &flow.lattice, N, &arena, NULL);
    for (k = 0; k < 2; ++k) {
        bad += SUITE_(flow_refine)(&flow, k ? 10 : 5) + SUITE_(flow_map)(&flow, &z, &x, logdet);
        SUITE_(symmetry)(2, &z, &z2);
        SUITE_(symmetry)(2, &x, &x2);
        bad += SUITE_(flow_map)(&flow, &z2, &z2, other);
        map[k] = SUITE_(distance)(&z2, &x2);
        for (i = 0; i < N; ++i) test_worst(density + k, other[i] - logdet[i]);
    }
    check_true(suite_name("reflected maps"), !bad);
    flow_order("reflection", map[0], map[1], 3);
    flow_order("    its log-det", density[0], density[1], 3);
}

static void SUITE_(symmetries)(void)
{
    static const char *const name[] = {"translation", "exchange of axes", "", "charge conjugation", "gauge transformation",
                                       "translation along the last axis"};
    enum { N = 3 };
    SUITE_(flow)  flow;
    SUITE_(batch) z, x, z2, x2;
    lft_arena     arena = SUITE_(make)(&flow, LFT_CROUCH_GROSSMAN_3, 5, 2, 0, NULL);
    double        logdet[N], other[N], worst;
    int           what, i, bad = 0;
    SUITE_(draw)(&z, &flow, N, &arena);
    bad += SUITE_(batch_init)(&x, &flow.lattice, N, &arena, NULL) + SUITE_(batch_init)(&z2, &flow.lattice, N, &arena, NULL);
    bad += SUITE_(batch_init)(&x2, &flow.lattice, N, &arena, NULL);
    bad += SUITE_(flow_map)(&flow, &z, &x, logdet) != LFT_OK;
    for (what = 0; what < 6; ++what) {
        if (what == 2 || (what == 1 && (flow_doubled == 1 || flow_doubled == 2))) continue;
        if (what != 4) {
            SUITE_(symmetry)(what, &z, &z2);
            SUITE_(symmetry)(what, &x, &x2);
        } else {
            const lft_draw d = lft_draw_of(9, LFT_DRAW_USER, 0, 0);
            lft_arena      scratch = arena;
            for (i = 0; i < N; ++i) { /* copies */
                SUITE_(real) u[5000];
                SUITE_(batch_get)(&z, i, u);
                SUITE_(batch_set)(&z2, i, u);
                SUITE_(batch_get)(&x, i, u);
                SUITE_(batch_set)(&x2, i, u);
            }
            bad += SUITE_(gauge_transform)(&z2, d, scratch, NULL) + SUITE_(gauge_transform)(&x2, d, scratch, NULL);
        }
        bad += SUITE_(flow_map)(&flow, &z2, &z2, other) != LFT_OK;
        for (worst = 0, i = 0; i < N; ++i) test_worst(&worst, other[i] - logdet[i]);
        check_below(suite_name(name[what]), SUITE_(distance)(&z2, &x2), 1e-12);
        check_below(suite_name("    its log-det"), worst, 1e-10);
    }
    check_true(suite_name("all maps"), !bad);
}

/* The same samples in batches of any size, with any number of threads. */
static void SUITE_(batches)(void)
{
    const lft_pool pool = suite_pool();
    SUITE_(flow)   flow;
    SUITE_(batch)  all, few;
    lft_arena      arena;
    double         logq[21], part[4], worst = 0;
    SUITE_(real)  *u, *v;
    int            i, k, bad = 0;
    arena = SUITE_(make)(&flow, 0, 4, 2, 1, &pool);
    bad += SUITE_(batch_init)(&all, &flow.lattice, 21, &arena, NULL) + SUITE_(batch_init)(&few, &flow.lattice, 4, &arena, NULL);
    bad += SUITE_(flow_sample)(&flow, 8, 100, &all, logq) + SUITE_(flow_sample)(&flow, 8, 113, &few, part);
    u = (SUITE_(real) *)malloc(2 * (size_t)(flow.lattice.volume * all.reals) * sizeof *u), v = u + flow.lattice.volume * all.reals;
    for (i = 0; i < 4; ++i) {
        SUITE_(batch_get)(&all, 13 + i, u);
        SUITE_(batch_get)(&few, i, v);
        for (k = 0; k < flow.lattice.volume * all.reals; ++k) test_worst(&worst, u[k] - v[k]);
        test_worst(&worst, logq[13 + i] - part[i]);
    }
    free(u);
    check_true(suite_name("samples"), !bad);
    check_below(suite_name("a sample is the same in any batch and lane"), worst, 0);
}

/* ---- derivatives ------------------------------------------------------------------------------------------------------ */

/* Of f = sum_i weight_i (numbers of x) + sum_l kappa_l logdet_l: by the links of the prior and by the parameters. */
typedef struct SUITE_(probe) {
    SUITE_(flow)  flow;
    SUITE_(batch) z, x, moved;
    double       *weight; /* [reals] */
    lft_arena     arena;
} SUITE_(probe);

/* The functional as a function of the end: traces of fixed matrices with the links, so that its left derivatives are simple. */
static double SUITE_(functional)(const SUITE_(probe) *p, const SUITE_(batch) *x, const double *logdet, int i, double kappa)
{
    const int     n = x->lattice.volume * x->reals;
    SUITE_(real) *u = (SUITE_(real) *)malloc((size_t)n * sizeof *u);
    double        sum = kappa * logdet[i];
    int           k;
    SUITE_(batch_get)(x, i, u);
    for (k = 0; k < n; ++k) sum += p->weight[k] * (SUITE_GROUP == LFT_U1 ? sin(u[k] + 0.3) : u[k]);
    free(u);
    return sum;
}

static void SUITE_(derivatives)(int kind)
{
    enum { N = 2 };
    static const double stencil[4] = {-2, -1, 1, 2}, share[4] = {1, -8, 8, -1};
    const double        h = 1e-3, kappa = 0.7;
    SUITE_(probe)       p;
    const SUITE_(layer) *layer;
    double              logdet[N], worst = 0, most = 0, by_links, *gradient, *dtheta, *start;
    double              dlogdet[64];
    SUITE_(real)       *dx, *group;
    unsigned char      *tape, *scratch;
    lft_error           error;
    int                 link, a, i, k, s, lanes = SUITE_(lanes)(), links, reals;
    p.arena = SUITE_(make)(&p.flow, kind, 3, 2, 1, NULL);
    layer   = p.flow.layer;
    SUITE_(draw)(&p.z, &p.flow, N, &p.arena);
    links = p.flow.lattice.volume * SUITE_DIM, reals = p.flow.lattice.volume * p.z.reals;
    if (SUITE_(batch_init)(&p.x, &p.flow.lattice, N, &p.arena, NULL)) check_true("memory", 0);
    if (SUITE_(batch_init)(&p.moved, &p.flow.lattice, N, &p.arena, NULL)) check_true("memory", 0);
    p.weight = (double *)lft_arena_alloc(&p.arena, (size_t)reals, sizeof(double));
    lft_normals(lft_draw_of(4, LFT_DRAW_USER, 0, 0), p.weight, reals);
    dx       = (SUITE_(real) *)lft_arena_take(&p.arena, (size_t)(links * SUITE_(algebra) * lanes), sizeof *dx);
    group    = (SUITE_(real) *)lft_arena_take(&p.arena, (size_t)(reals * lanes), sizeof *group);
    tape     = (unsigned char *)lft_arena_take(&p.arena, layer->tape_bytes, 1);
    scratch  = (unsigned char *)lft_arena_take(&p.arena, layer->scratch_bytes, 1);
    gradient = (double *)lft_arena_alloc(&p.arena, layer->gradient_count, sizeof(double));
    dtheta   = (double *)lft_arena_alloc(&p.arena, p.flow.params.count, sizeof(double));
    start    = (double *)lft_arena_alloc(&p.arena, p.flow.params.count, sizeof(double));
    /* one group, every lane the first configuration */
    {
        SUITE_(real) *u = (SUITE_(real) *)malloc((size_t)reals * sizeof *u);
        SUITE_(batch_get)(&p.z, 0, u);
        for (k = 0; k < reals; ++k) {
            for (i = 0; i < lanes; ++i) group[k * lanes + i] = u[k];
        }
        free(u);
    }
    for (i = 0; i < 64; ++i) dlogdet[i] = 0;
    check_true(suite_name("forward with a tape"),
               layer->ops->forward(layer, group, group, dlogdet, NULL, tape, lft_arena_of(scratch, layer->scratch_bytes),
                                   &error) == LFT_OK);
    /* the derivative by the links at the end: finite differences of the functional alone */
    if (SUITE_(flow_map)(&p.flow, &p.z, &p.x, logdet)) check_true("map", 0);
    for (link = 0; link < links; ++link) {
        for (a = 0; a < SUITE_(algebra); ++a) {
            double d = 0;
            for (s = 0; s < 4; ++s) {
                SUITE_(nudge)(&p.x, &p.moved, link, a, stencil[s] * h);
                d += share[s] * SUITE_(functional)(&p, &p.moved, logdet, 0, 0) / (12 * h);
            }
            for (i = 0; i < lanes; ++i) dx[(link * SUITE_(algebra) + a) * lanes + i] = d;
        }
    }
    for (i = 0; i < 64; ++i) dlogdet[i] = kappa;
    check_true(suite_name("backward"), layer->ops->backward(layer, tape, dx, dlogdet, gradient,
                                                           lft_arena_of(scratch, layer->scratch_bytes), &error) == LFT_OK);
    for (link = 0; link < links; link += links > 60 ? 7 : 1) {
        for (a = 0; a < SUITE_(algebra); ++a) {
            double d = 0;
            for (s = 0; s < 4; ++s) {
                SUITE_(nudge)(&p.z, &p.moved, link, a, stencil[s] * h);
                if (SUITE_(flow_map)(&p.flow, &p.moved, &p.x, logdet)) check_true("map", 0);
                d += share[s] * SUITE_(functional)(&p, &p.x, logdet, 0, kappa) / (12 * h);
            }
            by_links = dx[(link * SUITE_(algebra) + a) * lanes + lanes - 1];
            test_worst(&worst, by_links - d);
            test_worst(&most, d);
        }
    }
    check_below(suite_name("backward by the links"), worst / most, 1e-7);
    memcpy(start, p.flow.params.value, p.flow.params.count * sizeof(double));
    layer->ops->collect(layer, gradient, dtheta);
    for (i = 0; i < p.flow.params.tensors; ++i) {
        const lft_parameter *t = p.flow.params.list + i;
        size_t               j;
        if (!t->count) continue;
        for (worst = most = 0, j = t->offset; j < t->offset + t->count; ++j) {
            double d = 0;
            for (s = 0; s < 4; ++s) {
                p.flow.params.value[j] = start[j] + 0.1 * stencil[s] * h;
                SUITE_(flow_prepare)(&p.flow);
                if (SUITE_(flow_map)(&p.flow, &p.z, &p.x, logdet)) check_true("map", 0);
                d += share[s] * SUITE_(functional)(&p, &p.x, logdet, 0, kappa) / (1.2 * h);
            }
            p.flow.params.value[j] = start[j];
            test_worst(&worst, dtheta[j] / lanes - d);
            test_worst(&most, d);
        }
        check_below(suite_name(t->name), worst / most, 1e-7);
    }
    SUITE_(flow_prepare)(&p.flow);
}

/* The discrete map's own log-det against the integrated divergence, and the score against J^-T grad(-logdet), both of the order
 * of the integrator. */
static void SUITE_(orders)(int kind, int order)
{
    const int     steps[2] = {6, 12};
    double        epsilon[2], score_error[2], *J, *b, logdet[64];
    SUITE_(flow)  flow;
    SUITE_(batch) z;
    lft_arena     arena = SUITE_(make)(&flow, kind, 3, 2, 0, NULL);
    const int     links = flow.lattice.volume * SUITE_DIM, n = links * SUITE_(algebra), lanes = SUITE_(lanes)();
    const SUITE_(layer) *layer = flow.layer;
    unsigned char *tape, *scratch;
    SUITE_(real)  *group, *score, *dx, *u;
    lft_error      error;
    int            try, i, l, row, reals;
    SUITE_(draw)(&z, &flow, 1, &arena);
    reals   = flow.lattice.volume * z.reals;
    tape    = (unsigned char *)lft_arena_take(&arena, layer->tape_bytes, 1);
    scratch = (unsigned char *)lft_arena_take(&arena, layer->scratch_bytes, 1);
    group   = (SUITE_(real) *)lft_arena_take(&arena, (size_t)(reals * lanes), sizeof *group);
    u       = (SUITE_(real) *)lft_arena_take(&arena, (size_t)reals, sizeof *group);
    score   = (SUITE_(real) *)lft_arena_take(&arena, (size_t)(n * lanes), sizeof *group);
    dx      = (SUITE_(real) *)lft_arena_take(&arena, (size_t)(n * lanes), sizeof *group);
    J       = (double *)lft_arena_alloc(&arena, (size_t)(n * n), sizeof(double));
    b       = (double *)lft_arena_alloc(&arena, (size_t)n, sizeof(double));
    check_true("memory", lft_arena_check(&arena, NULL, "") == LFT_OK);
    for (try = 0; try < 2; ++try) {
        lft_logq_error e;
        memset(&e, 0, sizeof e);
        check_true(suite_name("steps"), SUITE_(flow_refine)(&flow, steps[try]) == LFT_OK);
        check_true(suite_name("epsilon is measured"), SUITE_(flow_logq_error)(&flow, 5, 0, 3, &e, arena) == LFT_OK);
        epsilon[try] = sqrt(e.mean * e.mean + e.std * e.std); /* of one sample it may pass through 0 */
        SUITE_(batch_get)(&z, 0, u);
        for (i = 0; i < reals; ++i) {
            for (l = 0; l < lanes; ++l) group[i * lanes + l] = u[i];
        }
        memset(score, 0, (size_t)(n * lanes) * sizeof *score);
        for (l = 0; l < 64; ++l) logdet[l] = 0;
        if (layer->ops->forward(layer, group, group, logdet, score, tape, lft_arena_of(scratch, layer->scratch_bytes), &error)) {
            check_true(error.text, 0);
        }
        for (row = 0; row <= n; ++row) { /* rows of J, last the gradient of -logdet by the prior's links */
            memset(dx, 0, (size_t)(n * lanes) * sizeof *dx);
            for (l = 0; l < lanes && row < n; ++l) dx[row * lanes + l] = 1;
            for (l = 0; l < 64; ++l) logdet[l] = row < n ? 0 : -1;
            if (layer->ops->backward(layer, tape, dx, logdet, NULL, lft_arena_of(scratch, layer->scratch_bytes), &error)) {
                check_true("backward", 0);
            }
            for (i = 0; i < n; ++i) *(row < n ? J + i * n + row : b + i) = dx[i * lanes]; /* transposed */
        }
        flow_solve(J, b, n);
        score_error[try] = 0;
        for (i = 0; i < n; ++i) test_worst(score_error + try, b[i] - score[i * lanes + lanes - 1]);
    }
    flow_order("epsilon", epsilon[0], epsilon[1], order);
    flow_order("score", score_error[0], score_error[1], order);
}

/* ---- cold starts, bad input ------------------------------------------------------------------------------------------- */

static void SUITE_(cold)(void)
{
    SUITE_(flow)  flow;
    SUITE_(batch) z, x, back;
    lft_arena     arena = SUITE_(make)(&flow, 0, 4, 2, 1, NULL);
    double        logdet[3], home[3];
    int           bad = 0;
    bad += SUITE_(batch_init)(&z, &flow.lattice, 3, &arena, NULL) + SUITE_(batch_init)(&x, &flow.lattice, 3, &arena, NULL);
    bad += SUITE_(batch_init)(&back, &flow.lattice, 3, &arena, NULL);
    bad += SUITE_(flow_map)(&flow, &z, &x, logdet) + SUITE_(flow_inverse)(&flow, &x, &back, home);
    check_true(suite_name("cold start"), !bad);
    check_below(suite_name("the cold configuration stays"), SUITE_(distance)(&z, &x), 1e-14);
    check_below(suite_name("    and back"), SUITE_(distance)(&z, &back), 1e-14);
    check_below(suite_name("    log-det"), logdet[0] + home[0], 1e-11);
}

static void SUITE_(refused)(const char *what, int extent, int loops, int order, int nodes, int integrator, const char *word)
{
    SUITE_(flow)      flow;
    SUITE_(flow_desc) desc;
    lft_arena         arena = lft_arena_of(flow_memory, sizeof flow_memory);
    lft_error         error;
    int               mu;
    memset(&desc, 0, sizeof desc);
    memset(&error, 0, sizeof error);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = extent;
    desc.continuous.loops = loops, desc.continuous.order = order, desc.continuous.nodes = nodes;
    desc.continuous.integrator = (lft_group_integrator)integrator;
    check_true(suite_name(what), SUITE_(flow_init)(&flow, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, word));
}

static void SUITE_(loop_names)(void)
{
    SUITE_(flow) flow;
    char         text[80], four[4];
    (void)SUITE_(make)(&flow, 0, 4, 2, 1, NULL);
    check_true(suite_name("the first class"),
               SUITE_(continuous_loop)(flow.layer, 0, text, sizeof text) == LFT_OK && !strcmp(text, "tr xyXY"));
    check_true(suite_name("the second order begins"),
               SUITE_(continuous_loop)(flow.layer, 1, text, sizeof text) == LFT_OK && strlen(text) > 8);
    check_true(suite_name("cut"), SUITE_(continuous_loop)(flow.layer, 1, four, sizeof four) == LFT_OK && strlen(four) == 3);
    check_true(suite_name("no such class"), SUITE_(continuous_loop)(flow.layer, 1000, text, sizeof text) == LFT_ERR_ARG);
    check_true(suite_name("no such class"), SUITE_(continuous_loop)(flow.layer, -1, text, sizeof text) == LFT_ERR_ARG);
    check_true(suite_name("classes of orders 1 and 2"), SUITE_(continuous_loops)(0, 1) == 1 && SUITE_(continuous_loops)(0, 2) ==
               (SUITE_GROUP == LFT_SU3 ? (SUITE_DIM == 2 ? 7 : 11) : (SUITE_DIM == 2 ? 4 : 6)));
    check_true(suite_name("no such order"), SUITE_(continuous_loops)(0, 0) == 0 && SUITE_(continuous_loops)(0, 5) == 0);
}

static void SUITE_(suite)(const char *name)
{
    int kind;
    static const int order[] = {3, 2, 3, 4};
    suite_case = name;
    printf("---- %s\n", name);
    SUITE_(identity)();
    SUITE_(inverse)();
    SUITE_(symmetries)();
    SUITE_(reflection)();
    SUITE_(batches)();
    SUITE_(cold)();
    for (kind = LFT_LUESCHER_RK3; kind <= LFT_COMMUTATOR_FREE_4; ++kind) {
        SUITE_(derivatives)(kind);
        if (SUITE_DIM == 2) SUITE_(orders)(kind, order[kind - 1]);
    }
    flow_loops = 1;
    printf("the plaquette alone\n");
    SUITE_(inverse)();
    SUITE_(derivatives)(LFT_COMMUTATOR_FREE_4);
    if (SUITE_DIM == 2) {
        const int more = SUITE_GROUP == LFT_U1 ? 4 : 3;
        printf("loops of order %d\n", more);
        flow_loops = SUITE_(continuous_loops)(0, more), flow_extent = more + 1;
        SUITE_(cold)();
#ifndef LFT_TEST_FEW
        SUITE_(inverse)();
        SUITE_(symmetries)();
        SUITE_(derivatives)(LFT_COMMUTATOR_FREE_4);
#endif
    }
    flow_loops = 0, flow_extent = 3;
    SUITE_(loop_names)();
    SUITE_(refused)("more loops than there are", 8, 1000, 0, 0, 0, "loops");
    SUITE_(refused)("extent 1", 1, 1, 0, 0, 0, "extent");
    SUITE_(refused)("no loops", 4, -1, 0, 0, 0, "loops");
    SUITE_(refused)("order 5", 6, 0, 5, 0, 0, "order");
    SUITE_(refused)("order 3 with the loops of order 2", 6, 0, 3, 0, 0, "loops");
    SUITE_(refused)("order 2 with one node", 4, 0, 2, 1, 0, "nodes");
    SUITE_(refused)("order 2 with the plaquette alone", 4, 1, 2, 0, 0, "loops");
    SUITE_(refused)("integrator", 4, 0, 0, 0, 9, "integrator");
}

#ifdef SUITE_MORE
#include SUITE_MORE
#endif

#include "../suite_end.h"
