/* 74_circle.h: U(1) in two dimensions: the new links of a doubled axis, each on its circle, by a map with a known density.
 * Offers: LFT_(circle)() (the layer's table), _scale. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* The layer's table, for U(1) in two dimensions, behind an LFT_(doubling)() by two with Haar links. A new link of angle theta has
 * two plaquettes beside it, of angles w = theta + a and P - w, where P, their sum, is the coarse one. Given the other links it gets
 *   f(w) = exp(u(w) + u(P - w)) / (its mean over the circle),   u(w) = sum_k c_k cos k w, k = 1 ... K,
 * the density that Wilson's action has on all scales, with u = log kappa of 47_characters.h. With x = w - P/2 it is even in x,
 *   log f + constant = sum_k 2 c_k cos(k P/2) cos k x,   f = 1 + 2 sum_n a_n cos n x,
 * and x + sum_n (2/n) a_n sin n x = w_in - P/2 is the map from a uniform w_in: solved by Newton's method, differentiated as an
 * implicit function. The mean and a_n are sums over as many points of the circle, up to 512, as leave 1e-13 of them out. log
 * det = -log f: no integration, no epsilon but rounding. Equivariant under gauge transformations, charge conjugation, reflections
 * and translations of the coarse lattice. Source: the conditional densities of 2404.10819, here as series.
 * LFT_ERR_ARG: another group or dimension, doubled, an odd extent of the axis, harmonics, beta. LFT_ERR_NONFINITE: a link was not
 * finite, or the densities are too narrow for 512 points. O(points (points + attempts + K)) per new link. */
LFT_API const LFT_(layer_ops) *LFT_(circle)(void);

/* Multiplies c_k of a layer of this table, in flow->params.value, by ratio: the start at another coupling, from a model, and exact
 * on the finest lattice. flow_prepare must follow. */
LFT_API void LFT_(circle_scale)(const LFT_(layer) *layer, double *value, double ratio);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC lft_status LFT_P(circle_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                           lft_error *error)
{
    LFT_P(circle)     *s = (LFT_P(circle) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(circle_desc) *d;
    lft_arena          measure = lft_arena_measure();
    layer->state = s;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    d = &s->desc;
    if (layer->desc) lft_p_copy(d, layer->desc, sizeof *d);
    if (!d->harmonics) d->harmonics = 12;
    if (LFT_DIM != 2 || LFT_P_COLOURS != 1) return lft_p_fail(error, LFT_ERR_ARG, "circle", "expected U(1) in two dimensions");
    if (d->doubled < 1 || d->doubled > LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "doubled", "an axis + 1", d->doubled);
    }
    if (layer->in.extent[d->doubled - 1] % 2) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "extent", "an even one of the doubled axis",
                              layer->in.extent[d->doubled - 1]);
    }
    if (d->harmonics < 1 || d->harmonics > LFT_P_HARMONICS) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "harmonics", "1 to 64", d->harmonics);
    }
    if (!lft_finite(d->beta)) return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "beta", "a finite number", d->beta);
    s->c                  = (double *)lft_arena_alloc(arena, (size_t)d->harmonics, sizeof(double));
    s->wave               = (double *)lft_arena_alloc(arena, LFT_P_POINTS, sizeof(double));
    layer->out            = layer->in;
    layer->params         = lft_declare(set, name, "harmonics", 1, d->harmonics, 0, 0, 0);
    layer->tape_bytes     = LFT_P(field_vectors)(&layer->in) * sizeof(lft_v);
    layer->gradient_count = (size_t)d->harmonics * LFT_P_LANES;
    layer->per_lane       = 1;
    (void)LFT_P(circle_scratch)(s, &measure);
    layer->scratch_bytes = measure.need;
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(circle_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    const LFT_P(circle) *s = (const LFT_P(circle) *)layer->state;
    (void)pace;
    theta[layer->params] = s->desc.beta;
}

LFT_API void LFT_(circle_scale)(const LFT_(layer) *layer, double *value, double ratio)
{
    const LFT_P(circle) *s = (const LFT_P(circle) *)layer->state;
    int                  k;
    for (k = 0; k < s->desc.harmonics; ++k) value[layer->params + (size_t)k] *= ratio;
}

LFT_P_STATIC void LFT_P(circle_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(circle) *s = (LFT_P(circle) *)layer->state;
    int            points, i;
    lft_p_copy(s->c, theta + layer->params, (size_t)s->desc.harmonics * sizeof(double));
    for (points = 32; points <= LFT_P_POINTS; points += points / 2 > 64 ? 64 : points / 2) {
        LFT_P(circle_waves)(s, points);
        for (i = 0; i <= 8 && LFT_P(circle_resolved)(s, i * 3.14159265358979323846 / 16); ++i) {}
        if (i > 8) return;
    }
    s->points = 0;
}

LFT_P_INLINE int LFT_P(circle_moves)(const LFT_P(circle) *s, const LFT_P(place) *p) { return p->x[s->desc.doubled - 1] % 2; }

/* number of an algebra element += share[lane] */
LFT_P_INLINE void LFT_P(circle_add)(lft_v *force, int link, double sign, const double *share)
{
    double sum[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] = sign * share[l];
    force[link * LFT_P_ALGEBRA] += LFT_P(from_wide)(sum);
}

LFT_P_STATIC lft_status LFT_P(circle_check)(const LFT_P(circle) *s, const double *logdet, lft_error *error)
{
    int l, bad = 0;
    for (l = 0; l < LFT_P_LANES; ++l) bad |= !lft_finite(logdet[l]);
    if (!s->points) return lft_p_fail(error, LFT_ERR_NONFINITE, "circle", "expected densities that 512 points of a circle resolve");
    return bad ? lft_p_fail(error, LFT_ERR_NONFINITE, "circle", "a link that is not finite") : LFT_OK;
}

/* The score of a link's density: score_in times d theta_in, and d log f, by all links. */
LFT_P_STATIC void LFT_P(circle_score)(const LFT_P(circle) *s, LFT_P(circle_work) *w, lft_v *score)
{
    double own[LFT_P_LANES], before[LFT_P_LANES], behind[LFT_P_LANES];
    int    i, l;
    LFT_P(circle_slopes)(s, w, NULL, NULL, NULL);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double in = (double)((const lft_real *)(const void *)(score + w->link * LFT_P_ALGEBRA))[l];
        const double f = lft_p_f64_p_exp(w->logf[l]), turn = 0.5 * (in * (w->F_h[l] + 1) + w->logf_h[l]);
        own[l]    = in * (f - 1) + w->logf_x[l];
        before[l] = turn - in + 0.5 * (in * f + w->logf_x[l]);
        behind[l] = turn - 0.5 * (in * f + w->logf_x[l]);
    }
    LFT_P(circle_add)(score, w->link, 1, own);
    for (i = 0; i < 6; ++i) LFT_P(circle_add)(score, w->side[i], LFT_P(circle_sign)[i], i < 3 ? before : behind);
}

LFT_P_STATIC lft_status LFT_P(circle_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out, double *logdet,
                                              lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(circle) *s     = (const LFT_P(circle) *)layer->state;
    const LFT_P(walk)    walk  = LFT_P(walk_of)(&layer->in);
    const size_t         bytes = LFT_P(field_vectors)(&layer->in) * sizeof(lft_v);
    LFT_P(circle_work)   w     = LFT_P(circle_scratch)(s, &scratch);
    LFT_P(place)         p     = LFT_P(first_place)();
    lft_v               *links = LFT_P(view)(x_out);
    double               v[LFT_P_LANES];
    int                  y, l;
    if (x_out != x_in) lft_p_copy(x_out, x_in, bytes);
    for (y = 0; y < layer->in.volume && s->points; ++y, LFT_P(next_place)(&layer->in, &p)) {
        if (!LFT_P(circle_moves)(s, &p)) continue;
        LFT_P(circle_density)(s, &walk, &p, links, &w);
        for (l = 0; l < LFT_P_LANES; ++l) v[l] = LFT_P(lane_of)(links, w.link, l) + w.phase[l] - w.h[l];
        LFT_P(circle_solve)(s, &w, v);
        for (l = 0; l < LFT_P_LANES; ++l) v[l] = LFT_P(wrap_wide)(w.x[l] + w.h[l] - w.phase[l]);
        links[w.link * LFT_P_LINK] = LFT_P(from_wide)(v);
        LFT_P(circle_at)(s, links, &w);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= w.logf[l];
        if (score) LFT_P(circle_score)(s, &w, LFT_P(view)(score));
    }
    if (tape) lft_p_copy(tape, x_out, bytes);
    return LFT_P(circle_check)(s, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(circle_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                              lft_arena scratch, lft_error *error)
{
    const LFT_P(circle) *s     = (const LFT_P(circle) *)layer->state;
    const LFT_P(walk)    walk  = LFT_P(walk_of)(&layer->in);
    LFT_P(circle_work)   w     = LFT_P(circle_scratch)(s, &scratch);
    LFT_P(place)         p     = LFT_P(first_place)();
    lft_v               *links = LFT_P(view)(x_in);
    double               F[LFT_P_LANES], f[LFT_P_LANES];
    int                  y, l;
    if (x_in != x_out) lft_p_copy(x_in, x_out, LFT_P(field_vectors)(&layer->in) * sizeof(lft_v));
    for (y = 0; y < layer->in.volume && s->points; ++y, LFT_P(next_place)(&layer->in, &p)) {
        if (!LFT_P(circle_moves)(s, &p)) continue;
        LFT_P(circle_density)(s, &walk, &p, links, &w);
        LFT_P(circle_at)(s, links, &w);
        LFT_P(circle_map)(s, &w, w.x, F, f);
        for (l = 0; l < LFT_P_LANES; ++l) {
            logdet[l] += w.logf[l];
            F[l] = LFT_P(wrap_wide)(F[l] + w.h[l] - w.phase[l]);
        }
        links[w.link * LFT_P_LINK] = LFT_P(from_wide)(F);
    }
    return LFT_P(circle_check)(s, logdet, error);
}

/* From x(v, h, c) with v = w_in - h: dx = (dv - F_h dh - F_c dc) / f. */
LFT_P_STATIC lft_status LFT_P(circle_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                               double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(circle) *s     = (const LFT_P(circle) *)layer->state;
    const LFT_P(walk)    walk  = LFT_P(walk_of)(&layer->in);
    const lft_v         *links = (const lft_v *)tape;
    LFT_P(circle_work)   w     = LFT_P(circle_scratch)(s, &scratch);
    LFT_P(place)         p     = LFT_P(first_place)();
    lft_v               *dx    = LFT_P(view)(dx_);
    double               cot_v[LFT_P_LANES], own[LFT_P_LANES], before[LFT_P_LANES], behind[LFT_P_LANES];
    int                  y, i, l;
    (void)error;
    for (y = 0; y < layer->in.volume; ++y, LFT_P(next_place)(&layer->in, &p)) {
        if (!LFT_P(circle_moves)(s, &p)) continue;
        LFT_P(circle_density)(s, &walk, &p, links, &w);
        LFT_P(circle_at)(s, links, &w);
        for (l = 0; l < LFT_P_LANES; ++l) {
            own[l]   = (double)((const lft_real *)(const void *)(dx + w.link * LFT_P_ALGEBRA))[l];
            cot_v[l] = (own[l] - dlogdet[l] * w.logf_x[l]) * lft_p_f64_p_exp(-w.logf[l]);
        }
        LFT_P(circle_slopes)(s, &w, gradient ? cot_v : NULL, dlogdet, gradient);
        for (l = 0; l < LFT_P_LANES; ++l) {
            behind[l] = 0.5 * (own[l] - dlogdet[l] * w.logf_h[l] - cot_v[l] * (w.F_h[l] + 1));
            before[l] = behind[l] + cot_v[l] - own[l];
            own[l]    = cot_v[l] - own[l];
        }
        LFT_P(circle_add)(dx, w.link, 1, own);
        for (i = 0; i < 6; ++i) LFT_P(circle_add)(dx, w.side[i], LFT_P(circle_sign)[i], i < 3 ? before : behind);
    }
    return LFT_OK;
}

/* doubled, harmonics */
LFT_P_STATIC int LFT_P(circle_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(circle_desc) *d = &((const LFT_P(circle) *)layer->state)->desc;
    number[0] = d->doubled, number[1] = d->harmonics;
    return 2;
}

LFT_P_STATIC lft_status LFT_P(circle_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(circle_desc) *d = (LFT_(circle_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int                i;
    if (n < 2) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "numbers of a circle layer", "2", n);
    *desc = d;
    if (!d) return lft_arena_check(arena, error, "model");
    lft_p_zero(d, sizeof *d);
    for (i = 0; i < 2; ++i) {
        if (number[i] >= 1 && number[i] <= LFT_P_HARMONICS) continue;
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a number of a circle layer", "1 to 64", (double)number[i]);
    }
    d->doubled = (int)number[0], d->harmonics = (int)number[1];
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(circle)(void)
{
    static const LFT_(layer_ops) ops = {
        "circle",
        LFT_P(circle_init),
        LFT_P(circle_start),
        LFT_P(circle_prepare),
        LFT_P(circle_forward),
        LFT_P(circle_inverse),
        LFT_UPTO >= LFT_TRAIN ? LFT_P(circle_backward) : NULL,
        LFT_P(collect_parameters),
        NULL,
        NULL,
        LFT_P(circle_spec),
        LFT_P(circle_read),
        NULL,
    };
    return &ops;
}

#undef LFT_P_POINTS
#undef LFT_P_HARMONICS

#endif /* LFT_P_CODE */
