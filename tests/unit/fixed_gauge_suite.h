/* fixed_gauge_suite.h: doublings with V = 1 against those with V by Haar, for one group and dimension: the same flow in another
 * gauge. A suite (suite.h): SUITE_(fixed_gauge)(name). */
#include "../suite.h"
#ifndef FIXED_GAUGE_COMMON
#define FIXED_GAUGE_COMMON

static unsigned char gauge_memory[160 << 20];
#endif

/* From 2 sites along each axis to 4 along the first two, with flows of all links behind the doublings, away from their start. */
static int SUITE_(two_doublings)(SUITE_(flow) *flow, int fixed, lft_arena *arena)
{
    SUITE_(multiscale_desc) of;
    SUITE_(flow_desc)       desc;
    lft_arena               list = lft_arena_of(lft_arena_alloc(arena, 1 << 20, 1), 1 << 20);
    lft_error               error = {LFT_OK, ""};
    double                  noise[2000];
    size_t                  i;
    int                     mu;
    memset(&of, 0, sizeof of);
    for (mu = 0; mu < SUITE_DIM; ++mu) of.from[mu] = 2, of.extent[mu] = mu < 2 ? 4 : 2;
    of.refine = 1, of.fixed_gauge = fixed;
    of.flow.order = 1, of.flow.beta = 1, of.flow.steps = 3, of.flow.nodes = 2;
    if (SUITE_(multiscale)(&desc, &of, &list, &error) || SUITE_(flow_init)(flow, &desc, arena, &error)) {
        check_true(error.text, 0);
        return 1;
    }
    lft_normals(lft_draw_of(1, LFT_DRAW_USER, 0, 0), noise, (int)flow->params.count);
    for (i = 0; i < flow->params.count; ++i) flow->params.value[i] += 0.02 * noise[i];
    SUITE_(flow_prepare)(flow);
    return 0;
}

static double SUITE_(gauge_distance)(const SUITE_(p_v) *a, const SUITE_(p_v) *b, size_t n)
{
    const SUITE_(real) *x = (const SUITE_(real) *)a, *y = (const SUITE_(real) *)b;
    double              worst = 0;
    size_t              i;
    for (i = 0; i < n * sizeof *a / sizeof *x; ++i) {
        const double difference = x[i] - y[i];
        test_worst(&worst, SUITE_GROUP == LFT_U1 ? sin(difference / 2) : difference);
    }
    return worst;
}

/* One doubling of a group of samples, by Haar from in[0], with V = 1 from in[1], the transform of in[0] by g; g becomes that from
 * out[0] to out[1], of which the new links are replaced by those of out[0] in its own gauge. How far the others are from it. */
static double SUITE_(double_both)(const SUITE_(layer) *haar, const SUITE_(layer) *one, lft_draw d, SUITE_(p_v) *const *in,
                                  SUITE_(p_v) *const *out, SUITE_(p_v) *g, SUITE_(p_v) *const *score, void *const *tape,
                                  lft_arena scratch, int *bad)
{
    static SUITE_(p_v)    was[(1 << 8) * 18], own[(1 << 10) * 18];
    const SUITE_(lattice) *to   = &haar->out;
    const int              axis = ((const SUITE_(doubling_desc) *)haar->desc)->axis;
    const SUITE_(p_walk)   walk = SUITE_(p_walk_of)(to);
    SUITE_(p_place)        p = SUITE_(p_first_place)();
    double                 logdet[16] = {0}, off = 0;
    int                    y, mu;
    for (y = 0; y < 2; ++y) {
        const SUITE_(layer) *layer = y ? one : haar;
        *bad |= layer->ops->draw(layer, d, (SUITE_(real) *)in[y], (SUITE_(real) *)out[y], logdet, (SUITE_(real) *)score[y], tape[y],
                                 scratch, NULL);
    }
    for (y = 0; y < 16; ++y) *bad |= fabs(logdet[y]) > 0;
    memcpy(was, g, (size_t)haar->in.volume * SUITE_(reals) * sizeof *g);
    for (y = 0; y < to->volume; ++y, SUITE_(p_next_place)(to, &p)) { /* g V at a new site */
        const SUITE_(p_origin) o = SUITE_(p_origin_of)(haar, axis, &p);
        const SUITE_(p_u)     *from = SUITE_(p_link)(was, o.site);
        SUITE_(p_v)           *at = g + y * SUITE_(reals);
        if (o.second) SUITE_(p_mul)((SUITE_(p_u) *)at, from, SUITE_(p_link)(out[0], (y - walk.stride[axis]) * SUITE_DIM + axis));
        else SUITE_(p_put)(at, from);
    }
    memcpy(own, out[0], (size_t)to->volume * SUITE_DIM * SUITE_(reals) * sizeof *own);
    SUITE_(p_transform_group)(&walk, g, own);
    p = SUITE_(p_first_place)();
    for (y = 0; y < to->volume; ++y, SUITE_(p_next_place)(to, &p)) {
        const SUITE_(p_origin) o = SUITE_(p_origin_of)(haar, axis, &p);
        for (mu = 0; mu < SUITE_DIM; ++mu) {
            const int    i = y * SUITE_DIM + mu;
            SUITE_(p_v) *link = out[1] + i * SUITE_(reals), unit[18];
            SUITE_(p_one)(unit);
            if (mu != axis && o.second) SUITE_(p_put)(link, SUITE_(p_link)(own, i));
            else test_worst(&off, SUITE_(gauge_distance)(link, own + i * SUITE_(reals), SUITE_(reals)));
            if (mu == axis && !o.second) test_worst(&off, SUITE_(gauge_distance)(link, unit, SUITE_(reals)));
        }
    }
    return off;
}

/* A group of samples through all layers in both gauges: log q, actions, and the gradients that a training takes: its own form, of
 * the path, the total and the natural gradient. */
static void SUITE_(both_gauges)(SUITE_(flow) *const *flow, const SUITE_(theory) *theory, lft_arena arena)
{
    enum { SAMPLES = 16 };
    static const char *const estimator[3] = {"    gradients of a training in both gauges: path", "    total", "    natural"};
    static const double   weight[3][3] = {{1, 1, 0}, {1, 0, -1}, {0, -1, -1}}; /* of dS, the score, log det */
    const SUITE_(lattice) *fine = &flow[0]->lattice;
    const size_t           n = SUITE_(p_force_vectors)(fine);
    SUITE_(p_v)           *x[2], *y[2], *score[2], *dS[2], *dx, *g;
    void                  *tape[2][16];
    lft_arena              scratch = lft_arena_of(lft_arena_alloc(&arena, 32 << 20, 1), 32 << 20);
    double                 logdet[2][SAMPLES], S[2][SAMPLES], off = 0, apart = 0, most, worst;
    size_t                 k;
    int                    i, j, e, l, bad = 0;
    for (j = 0; j < 2; ++j) {
        x[j]     = SUITE_(p_vectors)(&arena, SUITE_(p_field_vectors)(fine));
        y[j]     = SUITE_(p_vectors)(&arena, SUITE_(p_field_vectors)(fine));
        score[j] = SUITE_(p_vectors)(&arena, n);
        dS[j]    = SUITE_(p_vectors)(&arena, n);
        for (i = 0; i < flow[j]->layers; ++i) tape[j][i] = lft_arena_take(&arena, flow[j]->layer[i].tape_bytes + 1, 1);
        memset(score[j], 0, n * sizeof(SUITE_(p_v)));
        for (l = 0; l < SAMPLES; ++l) logdet[j][l] = 0;
    }
    dx = SUITE_(p_vectors)(&arena, n);
    g  = SUITE_(p_vectors)(&arena, (size_t)fine->volume * SUITE_(reals));
    SUITE_(p_group_haar)(lft_draw_of(3, LFT_DRAW_USER, 0, 0), &flow[0]->layer[0].in, x[0]);
    memcpy(x[1], x[0], SUITE_(p_field_vectors)(&flow[0]->layer[0].in) * sizeof *g);
    for (i = 0; i < flow[0]->layer[0].in.volume; ++i) SUITE_(p_one)(g + i * SUITE_(reals));
    for (i = 0; i < flow[0]->layers; ++i) {
        const SUITE_(layer) *haar = flow[0]->layer + i, *one = flow[1]->layer + i;
        void                *of[2];
        of[0] = tape[0][i], of[1] = tape[1][i];
        if (haar->ops->draw) {
            const lft_draw d = lft_draw_of(4, LFT_DRAW_USER, 0, (uint32_t)i);
            test_worst(&off, SUITE_(double_both)(haar, one, d, x, y, g, score, of, scratch, &bad));
        } else {
            for (j = 0; j < 2; ++j) {
                bad |= flow[j]->layer[i].ops->forward(flow[j]->layer + i, (SUITE_(real) *)x[j], (SUITE_(real) *)y[j], logdet[j],
                                                      (SUITE_(real) *)score[j], of[j], scratch, NULL);
            }
        }
        for (j = 0; j < 2; ++j) memcpy(x[j], y[j], SUITE_(p_field_vectors)(&haar->out) * sizeof *g);
    }
    for (j = 0; j < 2; ++j) theory->action(theory, fine, (SUITE_(real) *)x[j], S[j], (SUITE_(real) *)dS[j]);
    check_true("    no errors, and draws of density 1", !bad);
    check_below("    V = 1: a gauge transform of V by Haar, the links 1 and U", off, 1e-13);
    for (l = 0, worst = most = off = 0; l < SUITE_(lanes)(); ++l) {
        test_worst(&worst, logdet[0][l] - logdet[1][l]), test_worst(&most, logdet[0][l]);
        test_worst(&off, S[0][l] - S[1][l]);
    }
    check_below("    log q in both gauges", worst, 1e-11);
    check_true("    which is not 0", most > 0.1);
    check_below("    the action in both gauges", off, 1e-11);
    for (e = 0; e < 3; ++e) {
        for (i = flow[0]->layers, most = apart = 0; i-- > 0;) { /* of each layer anew: backward goes through those behind it */
            double own[2][4096];
            if (flow[0]->layer[i].gradient_count == 0) continue;
            for (j = 0; j < 2; ++j) {
                double minus[SAMPLES];
                int    b;
                for (l = 0; l < SAMPLES; ++l) minus[l] = weight[e][2];
                for (k = 0; k < n; ++k) {
                    dx[k] = SUITE_(p_splat)(weight[e][0]) * dS[j][k] + SUITE_(p_splat)(weight[e][1]) * score[j][k];
                }
                memset(own[j], 0, sizeof own[j]);
                bad |= flow[j]->layer[i].gradient_count > 4096;
                for (b = flow[j]->layers - 1; b >= i && !bad; --b) {
                    const SUITE_(layer) *layer = flow[j]->layer + b;
                    double              *gradient = b == i ? own[j] : NULL;
                    bad |= layer->ops->backward(layer, tape[j][b], (SUITE_(real) *)dx, minus, gradient, scratch, NULL);
                }
            }
            for (k = 0; k < flow[0]->layer[i].gradient_count; ++k) {
                test_worst(&apart, own[0][k] - own[1][k]), test_worst(&most, own[0][k]);
            }
        }
        check_below(estimator[e], apart / most, 1e-9);
        check_true("    which are not 0", most > 1e-3);
    }
    check_true("    no errors", !bad);
}

/* Samples of the flow with V = 1, and of that with V by Haar. */
static void SUITE_(samples_of_one_gauge)(SUITE_(flow) *const *flow, const SUITE_(theory) *theory, lft_arena arena)
{
    enum { N = 11 };
    SUITE_(batch)        x;
    const SUITE_(layer) *last = flow[1]->layer + flow[1]->layers - 1;
    lft_error            error = {LFT_OK, ""};
    double               logq[N], again[N], other[N], moved[N], S[N], T[N], off = 0, apart = 0, far = 0, least = 1e9;
    int                  i, bad = 0;
    memset(&x, 0, sizeof x);
    bad |= SUITE_(batch_init)(&x, &last->out, N, &arena, &error) || SUITE_(flow_sample)(flow[1], 3, 0, &x, logq);
    bad |= SUITE_(flow_logq)(flow[1], &x, again) || SUITE_(flow_logq)(flow[0], &x, other);
    SUITE_(action)(theory, &x, S);
    bad |= SUITE_(gauge_transform)(&x, lft_draw_of(9, LFT_DRAW_USER, 0, 0), arena, &error) != LFT_OK;
    bad |= SUITE_(flow_logq)(flow[1], &x, moved) != LFT_OK;
    SUITE_(action)(theory, &x, T);
    for (i = 0; i < N; ++i) {
        test_worst(&off, logq[i] - again[i]), test_worst(&apart, other[i] - again[i]);
        test_worst(&far, moved[i] - again[i]), test_worst(&far, S[i] - T[i]);
        least = fabs(logq[i]) < least ? fabs(logq[i]) : least;
    }
    check_true("    samples: no errors", !bad);
    check_below("    log q of a sample, by the inverse", off, 1e-9);
    check_true("    which is not 0", least > 1e-4);
    check_below("    by the flow with V by Haar", apart, 1e-9);
    check_below("    of its random gauge transform, and its action", far, 1e-9);
}

static void SUITE_(fixed_gauge)(const char *name)
{
    SUITE_(flow)   haar, one, *both[2];
    SUITE_(theory) theory;
    lft_arena      arena = lft_arena_of(gauge_memory, sizeof gauge_memory);
    both[0] = &haar, both[1] = &one;
    printf("%s\n", name);
    if (SUITE_(two_doublings)(&haar, 0, &arena) || SUITE_(two_doublings)(&one, 1, &arena)) return;
    SUITE_(wilson_init)(&theory, 1.5, 0, NULL);
    SUITE_(both_gauges)(both, &theory, arena);
    SUITE_(samples_of_one_gauge)(both, &theory, arena);
}

#include "../suite_end.h"
