/* doubling_suite.h: the doubling of a lattice with Haar links, for one group and dimension. A suite (suite.h):
 * SUITE_(doublings)(name). */
#include "../suite.h"
#ifndef DOUBLING_SUITE_COMMON
#define DOUBLING_SUITE_COMMON

static unsigned char doubling_memory[48 << 20];
#endif

/* Link i of lane 0 moves by exp(s T^a). */
static void SUITE_(nudge)(SUITE_(batch) *x, int i, int a, double s)
{
    SUITE_(p_v) z[SUITE_(algebra)];
    double      w[16];
    int         k, l;
    for (l = 0; l < 16; ++l) w[l] = l ? 0 : s;
    for (k = 0; k < SUITE_(algebra); ++k) z[k] = k == a ? SUITE_(p_from_wide)(w) : SUITE_(p_splat)(0);
    SUITE_(p_move)(SUITE_(p_view)(x->data) + i * SUITE_(reals), z, 1);
}

/* One doubling of an axis from `from` sites to `to`, with V = 1 if fixed; the others have 2. */
static void SUITE_(doubling_case)(const char *name, int axis, int from, int to, int fixed)
{
    enum { N = 19, LANES = 16 };
    SUITE_(flow)          flow;
    SUITE_(flow_desc)     desc;
    SUITE_(layer_desc)    one;
    SUITE_(doubling_desc) d;
    const SUITE_(layer)  *layer;
    SUITE_(theory)        theory;
    SUITE_(batch)         x, z, moved, other, dS, score;
    const lft_draw        draw = lft_draw_of(1, LFT_DRAW_LAYER, 0, 0);
    lft_arena             arena = lft_arena_of(doubling_memory, sizeof doubling_memory), scratch;
    lft_error             error = {LFT_OK, ""};
    double                logq[N], again[N], logdet[N], S[N], T[N], lanes[LANES], off = 0, apart = 0, most = 0, zero = 0;
    void                 *tape;
    int                   bad = 0, i, a, mu, sign, links;
    memset(&desc, 0, sizeof desc);
    memset(&d, 0, sizeof d);
    memset(&x, 0, sizeof x), memset(&z, 0, sizeof z), memset(&moved, 0, sizeof moved);
    memset(&other, 0, sizeof other), memset(&dS, 0, sizeof dS), memset(&score, 0, sizeof score);
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] = mu == axis ? from : 2;
    d.axis = axis, d.extent = to, d.fixed_gauge = fixed;
    one.ops = SUITE_(doubling)(), one.desc = &d;
    desc.layer = &one, desc.layers = 1;
    bad |= SUITE_(flow_init)(&flow, &desc, &arena, &error) || SUITE_(wilson_init)(&theory, 1.5, 0, &error);
    if (bad) check_true(error.text, 0);
    if (bad) return;
    layer = flow.layer;
    bad |= SUITE_(batch_init)(&x, &layer->out, N, &arena, &error) || SUITE_(batch_init)(&moved, &layer->out, N, &arena, &error);
    bad |= SUITE_(batch_init)(&z, &layer->in, N, &arena, &error) || SUITE_(batch_init)(&other, &layer->in, N, &arena, &error);
    bad |= SUITE_(momenta_init)(&dS, &layer->out, N, &arena, &error) != LFT_OK;
    bad |= SUITE_(momenta_init)(&score, &layer->out, N, &arena, &error) != LFT_OK;
    tape    = lft_arena_alloc(&arena, layer->tape_bytes, 1);
    scratch = lft_arena_of(lft_arena_alloc(&arena, layer->scratch_bytes, 1), layer->scratch_bytes);
    printf("%s: axis %d, %d to %d%s\n", name, axis, from, to, fixed ? ", V = 1" : "");

    bad |= SUITE_(flow_sample)(&flow, 3, 0, &x, logq) || SUITE_(flow_logq)(&flow, &x, again);
    bad |= SUITE_(flow_inverse)(&flow, &x, &z, logdet);
    for (i = 0; i < x.groups; ++i) { /* the prior's draws */
        SUITE_(p_group_haar)(lft_draw_of(3, LFT_DRAW_PRIOR, (uint64_t)(i * x.lanes), 0), &layer->in,
                             SUITE_(p_view)(SUITE_(p_group)(&other, i)));
    }
    for (i = 0; i < (int)SUITE_(p_group_reals)(&z) * z.groups; ++i) {
        const double difference = z.data[i] - other.data[i];
        test_worst(&off, SUITE_GROUP == LFT_U1 ? sin(difference / 2) : difference);
    }
    for (i = 0; i < N; ++i) test_worst(&zero, logq[i]), test_worst(&zero, again[i]), test_worst(&zero, logdet[i]);
    check_true("    no errors", !bad);
    check_below("    the inverse of samples, what the prior drew", off, 1e-13);
    check_below("    log q, of both ways", zero, 0);

    SUITE_(action)(&theory, &z, S);
    bad |= SUITE_(gauge_transform)(&x, lft_draw_of(9, LFT_DRAW_USER, 0, 0), arena, &error);
    bad |= SUITE_(flow_inverse)(&flow, &x, &z, logdet);
    SUITE_(action)(&theory, &z, T);
    for (i = 0, off = 0; i < N; ++i) test_worst(&off, S[i] - T[i]);
    check_below("    the inverse of a gauge transform: the same action", off, 1e-12);

    /* backward: of the action after the layer, by the links before it, lane 0 */
    bad |= layer->ops->draw(layer, draw, other.data, x.data, lanes, NULL, tape, scratch, &error);
    theory.action(&theory, &layer->out, x.data, lanes, dS.data);
    bad |= layer->ops->backward(layer, tape, dS.data, lanes, NULL, scratch, &error);
    links = layer->in.volume * SUITE_DIM;
    for (i = 0, off = most = 0; i < links; i += 1 + links / 24) {
        for (a = 0; a < SUITE_(algebra); ++a) {
            double difference = 0;
            for (sign = -1; sign <= 1; sign += 2) {
                memcpy(z.data, other.data, SUITE_(p_group_reals)(&z) * sizeof *z.data);
                SUITE_(nudge)(&z, i, a, sign * 1e-4);
                bad |= layer->ops->draw(layer, draw, z.data, moved.data, lanes, NULL, NULL, scratch, &error);
                theory.action(&theory, &layer->out, moved.data, lanes, NULL);
                difference += sign * lanes[0] / 2e-4;
            }
            test_worst(&off, difference - dS.data[(size_t)(i * SUITE_(algebra) + a) * (size_t)x.lanes]);
            test_worst(&most, difference);
        }
    }
    check_below("    backward, by differences", off / most, 1e-7);

    /* score: of exp(-S) before the layer, by the links after it */
    theory.action(&theory, &layer->in, other.data, lanes, score.data);
    for (i = 0; i < (int)SUITE_(p_force_vectors)(&layer->in) * x.lanes; ++i) score.data[i] = -score.data[i];
    bad |= layer->ops->draw(layer, draw, other.data, x.data, lanes, score.data, tape, scratch, &error);
    links = layer->out.volume * SUITE_DIM;
    for (i = 0, apart = most = 0; i < links; i += 1 + links / 40) {
        for (a = 0; a < SUITE_(algebra); ++a) {
            double difference = 0;
            for (sign = -1; sign <= 1; sign += 2) {
                memcpy(moved.data, x.data, SUITE_(p_group_reals)(&x) * sizeof *x.data);
                SUITE_(nudge)(&moved, i, a, sign * 1e-4);
                bad |= layer->ops->inverse(layer, moved.data, z.data, lanes, scratch, &error);
                theory.action(&theory, &layer->in, z.data, lanes, NULL);
                difference -= sign * lanes[0] / 2e-4;
            }
            test_worst(&apart, difference - score.data[(size_t)(i * SUITE_(algebra) + a) * (size_t)x.lanes]);
            test_worst(&most, difference);
        }
    }
    check_below("    score, by differences", apart / most, 1e-7);
    check_true("    no errors", !bad);
}

static void SUITE_(doublings)(const char *name)
{
    int axis;
    for (axis = 0; axis < SUITE_DIM; ++axis) SUITE_(doubling_case)(name, axis, 2, 4, axis == 1);
    SUITE_(doubling_case)(name, 1, 2, 4, 0);
    SUITE_(doubling_case)(name, SUITE_DIM - 1, 3, 5, 0);
    SUITE_(doubling_case)(name, SUITE_DIM - 1, 3, 5, 1);
    SUITE_(doubling_case)(name, 0, 1, 2, 0);
}

#include "../suite_end.h"
