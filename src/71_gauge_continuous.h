/* 71_gauge_continuous.h: the gauge-equivariant continuous flow as a layer: dU/dt = Z(U, t) U from t = 0 to 1, on the group.
 * Offers: LFT_(continuous)(), the layer's table; its desc and its loops are those of 69_loop_coefficients.h. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* The layer's table. Z = -T^a d^a S~ with S~ = sum_i c_i(t) W_i(U), the classes of Wilson loops W_i of 66_loop_classes.h; log det
 * is the integral of -d^a d^a S~. Equivariant under gauge transformations, translations, charge conjugation and permutations of
 * equal axes; under reflections to the order of the integrator, which multiplies links from one side. With order > 0 it is the
 * trivializing map of 0907.5491 to that order, without training. Classes of loops to each order:
 *   d = 2   U(1) 1, 4, 13, 66   SU(2) 1, 4, 15, 125   SU(3) 1, 7, 37
 *   d = 3   U(1) 1, 6, 39, 492  SU(2) 1, 6, 47        SU(3) 1, 11, 132
 *   d = 4   U(1) 1, 6, 47       SU(2) 1, 6, 57        SU(3) 1, 11, 159 beyond that there is no room for all of an order
 * With cut_off the map's equation is solved in the classes to the order, and right to that order, too: for U(1) and SU(2) in two
 * dimensions that is the better start, for SU(3) the worse one.
 * Of a doubled axis S~ is a sum over loops through new links, d^a runs over them, and all others are what the flow is conditioned
 * on: the layer behind an LFT_(doubling)() by two. Equivariant under gauge transformations, charge conjugation, translations along
 * the axis by two and whatever the other axes have. With order > 0 it is the trivializing map of the new links given the others,
 * always cut off. There are more classes, a link's sides being told apart:
 *   d = 2   U(1) 1, 3, 6, 10    SU(2) 1, 3, 6, 14     SU(3) 1, 6, 15, 43
 *   d = 3   U(1) 2, 9, 51, 427  SU(2) 2, 9, 60        SU(3) 2, 17
 *   d = 4   U(1) 2, 11, 88      SU(2) 2, 11, 106      SU(3) 2, 21
 * With units, S~ also has the net of 68_trace_net.h, at any extents, not of a doubled axis: sum_p sum_h a_h(t) tanh(b_h + sum_q
 * K_h(p, q) w_q) over plaquettes, with the same symmetries. Its a are 0 at the start, b and K small fixed numbers.
 * With extents below 3 beyond the plaquettes, below 4 beyond order 2, and so on, loops close around the lattice, and there are
 * other classes, found modulo these extents and with permutations of such axes only if they are equal. LFT_ERR_ARG for extents < 2.
 * Of a doubled axis it is LFT_ERR_ARG for extents < 2 with the plaquettes alone, < 3 with those of order 2, and so on, where only
 * links that move count, so that in two dimensions any extents will do, but for that of the axis, which is even. LFT_ERR_NONFINITE
 * names the step. The inverse solves each step by relaxed iteration: LFT_ERR_NOCONV if the steps are too long. flow_init takes up
 * to 750 kB of stack (SU(3) beyond two dimensions and U(1) in three; else 600). */
LFT_API const LFT_(layer_ops) *LFT_(continuous)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* What a step works in. Backward: cotangents of the states and of the stages, too. */
typedef struct LFT_P(continuous_work) {
    lft_v               *state[LFT_P_MOVES + 1], *K[LFT_P_STAGES];
    lft_v               *bar[LFT_P_MOVES + 1], *K_bar[LFT_P_STAGES]; /* forward with a score: those of the scores */
    lft_v               *more, *old;
    double              *dc; /* [classes][lanes] */
    double              *a, *da; /* of the net: [units], [units][lanes] */
    LFT_P(program_fields) potential;
    LFT_P(net_fields)     net;
} LFT_P(continuous_work);

LFT_P_STATIC LFT_P(continuous_work) LFT_P(continuous_scratch)(const LFT_P(continuous) *s, int backward, lft_arena *arena)
{
    const LFT_P(group_scheme) *scheme = LFT_P(group_scheme_of)(s->desc.integrator);
    const size_t               reals = (size_t)s->links * LFT_P_LINK, forces = (size_t)s->links * LFT_P_ALGEBRA;
    LFT_P(continuous_work)     w;
    int                        i;
    lft_p_zero(&w, sizeof w);
    for (i = 0; i <= scheme->moves; ++i) {
        w.state[i] = LFT_P(vectors)(arena, reals);
        if (backward) w.bar[i] = LFT_P(vectors)(arena, forces);
    }
    for (i = 0; i < scheme->stages; ++i) {
        w.K[i] = LFT_P(vectors)(arena, forces);
        if (backward) w.K_bar[i] = LFT_P(vectors)(arena, forces);
    }
    w.more = LFT_P(vectors)(arena, forces);
    w.old  = LFT_P(vectors)(arena, forces);
    w.dc   = (double *)lft_arena_alloc(arena, (size_t)s->potential.classes * LFT_P_LANES, sizeof(double));
    w.potential = LFT_P(potential_fields)(&s->potential, backward, arena);
    if (!s->desc.units) return w;
    w.a   = (double *)lft_arena_alloc(arena, (size_t)s->desc.units, sizeof(double));
    w.da  = (double *)lft_arena_alloc(arena, (size_t)s->desc.units * LFT_P_LANES, sizeof(double));
    w.net = LFT_P(net_fields_of)(&s->net, backward, arena);
    return w;
}

LFT_P_STATIC lft_status LFT_P(continuous_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                               lft_error *error)
{
    LFT_P(continuous)     *s = (LFT_P(continuous) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(continuous_desc) *d;
    lft_arena              measure = lft_arena_measure();
    lft_status             status;
    layer->state = s;
    if (!s) s = &local;
    d = &s->desc;
    lft_p_copy(d, layer->desc, sizeof *d);
    if (!d->loops && d->doubled) d->loops = LFT_(continuous_loops)(d->doubled, 2);
    else if (!d->loops) d->loops = LFT_(continuous_loops_on)(layer->in.extent, 2);
    if (!d->nodes) d->nodes = 4;
    if (!d->integrator) d->integrator = LFT_COMMUTATOR_FREE_4;
    if (!d->steps) d->steps = 12;
    if (!d->most_steps) d->most_steps = 4 * d->steps;
    if (!d->reach && d->units) d->reach = 1;
    status = LFT_P(continuous_check_desc)(d, error);
    if (status) return status;
    layer->out           = layer->in;
    s->params            = set->count;
    if (d->units) LFT_P(net_init)(&s->net, &layer->in, d->units, d->reach, arena);
    LFT_P(continuous_declare)(s, name, set);
    if (set->counting) return LFT_OK; /* the classes take long */
    status = LFT_P(potential_init)(&s->potential, &layer->in, d->doubled, d->loops, arena, error);
    if (!status) status = LFT_P(continuous_check_loops)(s, error);
    if (status) return status;
    if (d->order) {
        const size_t n = LFT_P(potential_room)(&s->potential, d->order);
        s->matrices = (double *)lft_arena_take(arena, (d->doubled || d->cut_off ? 3 : 1) * n, sizeof(double));
    }
    s->links             = layer->in.volume * LFT_DIM;
    s->count             = LFT_P(continuous_bias)(s);
    if (d->units) s->count += d->units * (1 + s->net.about.orbits);
    s->coefficient       = (double *)lft_arena_alloc(arena, (size_t)s->count, sizeof(double));
    lft_p_copy(layer->period, s->potential.program.period, sizeof layer->period);
    layer->steps         = d->steps;
    layer->params        = s->params;
    layer->tape_bytes    = (size_t)d->most_steps * (size_t)s->links * LFT_P_LINK * sizeof(lft_v);
    layer->gradient_count = (size_t)s->count * LFT_P_LANES;
    layer->per_lane      = 1;
    (void)LFT_P(continuous_scratch)(s, LFT_UPTO >= LFT_TRAIN, &measure);
    layer->scratch_bytes = measure.need;
    return LFT_OK;
}

/* Z and div at a time. */
LFT_P_STATIC void LFT_P(continuous_force)(const LFT_P(continuous) *s, double t, const lft_v *links, lft_v *Z, double *div,
                                          LFT_P(continuous_work) *w)
{
    double c[LFT_P_CLASSES];
    LFT_P(continuous_at)(s, t, c);
    LFT_P(potential_force)(&s->potential, c, links, Z, div, w->potential);
    if (!s->desc.units) return;
    LFT_P(continuous_net_at)(s, t, w->a);
    LFT_P(net_force)(&s->net, w->a, links, Z, div, w->net);
}

/* Of sum y Z + kappa[lane] div: to = its gradient by the links; that by the parameters is added to gradient, not NULL. */
LFT_P_STATIC void LFT_P(continuous_force_back)(const LFT_P(continuous) *s, double t, const lft_v *links, const lft_v *y,
                                               const double *kappa, lft_v *to, double *gradient, LFT_P(continuous_work) *w)
{
    const int         nodes = s->desc.nodes, outputs = LFT_P(continuous_first)(s, s->desc.loops);
    double            c[LFT_P_CLASSES], p[100 + LFT_P_SHAPE];
    int               i, a, l;
    LFT_P(continuous_at)(s, t, c);
    LFT_P(legendre)(t, nodes + LFT_P_SHAPE, p);
    if (gradient) lft_p_zero(w->dc, (size_t)s->desc.loops * LFT_P_LANES * sizeof(double));
    LFT_P(potential_backward)(&s->potential, c, links, y, kappa, to, gradient ? w->dc : NULL, w->potential);
    for (i = 0; gradient && i < s->desc.loops; ++i) {
        for (a = 0; a < LFT_P(continuous_nodes)(s, i); ++a) {
            double *add = gradient + (size_t)(LFT_P(continuous_first)(s, i) + a) * LFT_P_LANES;
            for (l = 0; l < LFT_P_LANES; ++l) add[l] += p[a] * w->dc[i * LFT_P_LANES + l];
        }
    }
    if (!s->desc.units) return;
    lft_p_zero(w->da, (size_t)s->desc.units * LFT_P_LANES * sizeof(double));
    LFT_P(continuous_net_at)(s, t, w->a);
    LFT_P(net_backward)(&s->net, w->a, links, y, kappa, to, gradient ? w->da : NULL,
                        gradient ? gradient + LFT_P(continuous_bias)(s) * LFT_P_LANES : NULL, w->net);
    for (i = 0; gradient && i < s->desc.units * nodes; ++i) {
        double *add = gradient + (size_t)(outputs + i) * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) add[l] += p[i % nodes] * w->da[i / nodes * LFT_P_LANES + l];
    }
}

/* A step of length h from w->state[0], at time t: all stages and states; div[lane] += what log det grows by. A score at
 * w->bar[0], not NULL, is transported along: with the left derivatives of log q
 *   ds/dt = -grad_U (s Z) - grad div Z - [s, Z] */
LFT_P_STATIC void LFT_P(continuous_step)(const LFT_P(continuous) *s, double t, double h, int score, double *div,
                                         LFT_P(continuous_work) *w)
{
    const LFT_P(group_scheme) *scheme = LFT_P(group_scheme_of)(s->desc.integrator);
    double                     rate[LFT_P_LANES], one[LFT_P_LANES];
    lft_z                      X;
    int                        m, k, i, j, l;
    for (l = 0; l < LFT_P_LANES; ++l) one[l] = 1;
    for (m = 0;; ++m) {
        for (k = 0; k < scheme->stages; ++k) {
            if (scheme->at[k] != m) continue;
            LFT_P(continuous_force)(s, t + scheme->c[k] * h, w->state[m], w->K[k], rate, w);
            for (l = 0; l < LFT_P_LANES; ++l) div[l] += h * scheme->b[k] * rate[l];
            if (LFT_UPTO < LFT_TRAIN || !score) continue;
            LFT_P(continuous_force_back)(s, t + scheme->c[k] * h, w->state[m], w->bar[m], one, w->K_bar[k], NULL, w);
            for (i = 0; i < s->links; ++i) {
                lft_v *to = w->K_bar[k] + i * LFT_P_ALGEBRA;
                LFT_P(bracket)(&X, (const lft_z *)(w->bar[m] + i * LFT_P_ALGEBRA), (const lft_z *)(w->K[k] + i * LFT_P_ALGEBRA));
                for (j = 0; j < LFT_P_ALGEBRA; ++j) to[j] = -to[j] - X.c[j];
            }
        }
        if (m == scheme->moves) break;
        lft_p_copy(w->state[m + 1], w->state[scheme->from[m]], (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v));
        for (i = 0; i < s->links; ++i) {
            if (LFT_P(program_moves)(&s->potential.program, i)) {
                LFT_P(group_exponent)(scheme->a[m], scheme->stages, h, w->K, i, &X);
                LFT_P(move)(w->state[m + 1] + i * LFT_P_LINK, X.c, 1);
            }
            if (!score) continue;
            LFT_P(group_exponent)(scheme->a[m], scheme->stages, h, w->K_bar, i, &X);
            for (j = 0; j < LFT_P_ALGEBRA; ++j) {
                const int at = i * LFT_P_ALGEBRA + j;
                w->bar[m + 1][at] = w->bar[scheme->from[m]][at] + X.c[j];
            }
        }
    }
    for (i = 0; i < s->links; ++i) {
        if (LFT_P(program_moves)(&s->potential.program, i)) LFT_P(unit)(w->state[scheme->moves] + i * LFT_P_LINK);
    }
}

LFT_P_STATIC lft_status LFT_P(continuous_check)(const lft_v *links, int n, const double *logdet, int step, lft_error *error)
{
    const char *what = LFT_P(any_nonfinite)(links, n) ? "links" : NULL;
    int         l;
    for (l = 0; l < LFT_P_LANES; ++l) what = lft_finite(logdet[l]) ? what : "log-det";
    if (!what) return LFT_OK;
    return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous", what, "finite numbers after step", step);
}

LFT_P_STATIC lft_status LFT_P(continuous_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out, double *logdet,
                                                  lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, score != NULL, &scratch);
    const int                last   = LFT_P(group_scheme_of)(s->desc.integrator)->moves, n = s->links * LFT_P_LINK;
    const size_t             bytes  = (size_t)n * sizeof(lft_v), forces = (size_t)(s->links * LFT_P_ALGEBRA) * sizeof(lft_v);
    const double             h      = 1.0 / layer->steps;
    unsigned char           *saved  = (unsigned char *)tape;
    lft_status               status = LFT_OK;
    int                      i;
    lft_p_copy(w.state[0], x_in, bytes);
    if (score) lft_p_copy(w.bar[0], score, forces);
    for (i = 0; i < layer->steps; ++i) {
        if (saved) lft_p_copy(saved + (size_t)i * bytes, w.state[0], bytes);
        LFT_P(continuous_step)(s, i * h, h, score != NULL, logdet, &w);
        lft_p_copy(w.state[0], w.state[last], bytes);
        if (score) lft_p_copy(w.bar[0], w.bar[last], forces);
        if (!status) status = LFT_P(continuous_check)(w.state[0], n, logdet, i, error);
    }
    lft_p_copy(x_out, w.state[0], bytes);
    if (score) lft_p_copy(score, w.bar[0], forces);
    return status;
}

/* Solves (step from V) = next by V <- exp(weight z) V, exp z = next (step from V)^+ to first order, from a step back in time. At
 * rounding level z stops to fall. */
LFT_P_STATIC lft_status LFT_P(continuous_step_back)(const LFT_P(continuous) *s, int step, double h, const lft_v *next, double *div,
                                                    LFT_P(continuous_work) *w, lft_error *error)
{
    const double epsilon = LFT_P_REAL_BYTES == 4 ? 1.1920929e-07 : 2.220446049250313e-16;
    const int    last = LFT_P(group_scheme_of)(s->desc.integrator)->moves, most = 200, forces = s->links * LFT_P_ALGEBRA;
    const size_t bytes = (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v);
    lft_v        weight = lft_splat(1);
    double       distance = 0, before = 1e300;
    int          i, x, k, l;
    lft_p_copy(w->state[0], next, bytes);
    LFT_P(set_zero)(w->more, forces);
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
    LFT_P(continuous_step)(s, (step + 1) * h, -h, 0, div, w);
    lft_p_copy(w->state[0], w->state[last], bytes);
    for (i = 0; i < most; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
        LFT_P(continuous_step)(s, step * h, h, 0, div, w);
        if (LFT_P(any_nonfinite)(w->state[last], s->links * LFT_P_LINK)) {
            return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous inverse", "links", "finite numbers before step", step);
        }
        for (x = 0; x < s->links; ++x) {
            lft_z *z = (lft_z *)(w->more + x * LFT_P_ALGEBRA);
            lft_u  r;
            if (!LFT_P(program_moves)(&s->potential.program, x)) continue;
            LFT_P(mul_adj)(&r, (const lft_u *)(next + x * LFT_P_LINK), (const lft_u *)(w->state[last] + x * LFT_P_LINK));
            (void)LFT_P(trace)(&r, z);
            for (k = 0; k < LFT_P_ALGEBRA; ++k) z->c[k] *= -LFT_P_METRIC;
        }
        distance = LFT_P(largest)(w->more, forces);
        if (distance <= 2 * epsilon || (distance >= before && distance < 100 * epsilon)) return LFT_OK;
        if (i) weight = LFT_P(relaxation)(w->more, w->old, forces, weight);
        lft_p_copy(w->old, w->more, (size_t)forces * sizeof(lft_v));
        for (x = 0; x < s->links; ++x) {
            if (!LFT_P(program_moves)(&s->potential.program, x)) continue;
            for (k = 0; k < LFT_P_ALGEBRA; ++k) w->more[x * LFT_P_ALGEBRA + k] *= weight;
            LFT_P(move)(w->state[0] + x * LFT_P_LINK, w->more + x * LFT_P_ALGEBRA, 1);
            LFT_P(unit)(w->state[0] + x * LFT_P_LINK);
        }
        before = distance;
    }
    return lft_p_fail_got(error, LFT_ERR_NOCONV, "continuous inverse", "fixed point, number of integration steps too small",
                          "convergence", distance);
}

LFT_P_STATIC lft_status LFT_P(continuous_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                                  lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, 0, &scratch);
    const size_t             bytes  = (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v);
    lft_v                   *x      = LFT_P(view)(x_in);
    lft_status               status = LFT_OK;
    double                   div[LFT_P_LANES];
    int                      i, l;
    if (x_in != x_out) lft_p_copy(x_in, x_out, bytes);
    for (i = layer->steps - 1; i >= 0 && !status; --i) {
        status = LFT_P(continuous_step_back)(s, i, 1.0 / layer->steps, x, div, &w, error);
        lft_p_copy(x, w.state[0], bytes);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= div[l];
    }
    return status;
}

LFT_P_STATIC lft_status LFT_P(continuous_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                                   double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous)   *s      = (const LFT_P(continuous) *)layer->state;
    const LFT_P(group_scheme) *scheme = LFT_P(group_scheme_of)(s->desc.integrator);
    LFT_P(continuous_work)     w      = LFT_P(continuous_scratch)(s, 1, &scratch);
    const size_t               bytes  = (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v);
    const int                  forces = s->links * LFT_P_ALGEBRA;
    const double               h      = 1.0 / layer->steps;
    lft_v                     *dx     = LFT_P(view)(dx_);
    double                     kappa[LFT_P_LANES], unused[LFT_P_LANES];
    int                        step, m, k, i, j, l;
    (void)error;
    for (step = layer->steps - 1; step >= 0; --step) {
        lft_p_copy(w.state[0], (const unsigned char *)tape + (size_t)step * bytes, bytes);
        for (l = 0; l < LFT_P_LANES; ++l) unused[l] = 0;
        LFT_P(continuous_step)(s, step * h, h, 0, unused, &w);
        for (m = 0; m < scheme->moves; ++m) LFT_P(set_zero)(w.bar[m], forces);
        for (k = 0; k < scheme->stages; ++k) LFT_P(set_zero)(w.K_bar[k], forces);
        lft_p_copy(w.bar[scheme->moves], dx, (size_t)forces * sizeof(lft_v));
        for (m = scheme->moves; m >= 0; --m) {
            for (k = scheme->stages - 1; k >= 0; --k) {
                if (scheme->at[k] != m) continue;
                for (l = 0; l < LFT_P_LANES; ++l) kappa[l] = h * scheme->b[k] * dlogdet[l];
                LFT_P(continuous_force_back)(s, (step + scheme->c[k]) * h, w.state[m], w.K_bar[k], kappa, w.more, gradient, &w);
                for (i = 0; i < forces; ++i) w.bar[m][i] += w.more[i];
            }
            if (!m) break;
            for (i = 0; i < s->links; ++i) {
                lft_v *from = w.bar[scheme->from[m - 1]] + i * LFT_P_ALGEBRA;
                lft_z  X, v, turned;
                lft_u  e;
                LFT_P(group_exponent)(scheme->a[m - 1], scheme->stages, h, w.K, i, &X);
                for (j = 0; j < LFT_P_ALGEBRA; ++j) v.c[j] = turned.c[j] = w.bar[m][i * LFT_P_ALGEBRA + j];
                LFT_P(exp_of)(&e, &X);
                LFT_P(carry)(&e, &turned);
                LFT_P(exp_transposed)(&X, &v);
                for (j = 0; j < LFT_P_ALGEBRA; ++j) from[j] += turned.c[j];
                for (k = 0; k < scheme->stages; ++k) {
                    const lft_real x = (lft_real)(h * scheme->a[m - 1][k]);
                    for (j = 0; j < LFT_P_ALGEBRA; ++j) w.K_bar[k][i * LFT_P_ALGEBRA + j] += x * v.c[j];
                }
            }
        }
        lft_p_copy(dx, w.bar[0], (size_t)forces * sizeof(lft_v));
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(continuous_refine)(LFT_(layer) *layer, int steps, lft_error *error)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    if (LFT_P(check_steps)(steps, s->desc.most_steps, error)) return LFT_ERR_ARG;
    layer->steps = steps;
    return LFT_OK;
}

/* loops, nodes, integrator, doubled (left out if 0), steps, most_steps; of a net 0, units, reach in place of doubled: versions
 * without it refuse that */
LFT_P_STATIC int LFT_P(continuous_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(continuous_desc) *d = &((const LFT_P(continuous) *)layer->state)->desc;
    int                          n = 3;
    number[0] = d->loops, number[1] = d->nodes, number[2] = (int64_t)d->integrator;
    if (d->doubled) number[n++] = d->doubled;
    if (d->units) number[n++] = 0, number[n++] = d->units, number[n++] = d->reach;
    number[n++] = layer->steps;
    number[n++] = d->most_steps;
    return n;
}

LFT_P_STATIC lft_status LFT_P(continuous_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(continuous_desc) *d = (LFT_(continuous_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    const int              steps = n > 7 ? 6 : n > 5 ? 4 : 3;
    int                    i;
    if (n < 5) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "numbers of a continuous layer", "5", n);
    *desc = d;
    if (!d) return lft_arena_check(arena, error, "model");
    for (i = 0; i < steps + 2; ++i) {
        if (number[i] < (steps < 6 || i != 3) || number[i] > 1000000) {
            return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a number of a continuous layer", "1 to 1000000",
                                  (double)number[i]);
        }
    }
    d->loops = (int)number[0], d->nodes = (int)number[1], d->integrator = (lft_group_integrator)number[2];
    d->doubled = steps > 3 ? (int)number[3] : 0;
    if (steps == 6) d->units = (int)number[4], d->reach = (int)number[5];
    d->steps = (int)number[steps], d->most_steps = (int)number[steps + 1];
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(continuous)(void)
{
    static const LFT_(layer_ops) ops = {
        "loops",
        LFT_P(continuous_init),
        LFT_P(continuous_start),
        LFT_P(continuous_prepare),
        LFT_P(continuous_forward),
        LFT_P(continuous_inverse),
        LFT_UPTO >= LFT_TRAIN ? LFT_P(continuous_backward) : NULL,
        LFT_P(collect_parameters),
        LFT_P(continuous_refine),
        NULL,
        LFT_P(continuous_spec),
        LFT_P(continuous_read),
        NULL,
    };
    return &ops;
}

#endif /* LFT_P_CODE */
