/* 73_scalar_doubling.h: from a coarse lattice of a scalar field to a finer one: between any two slices along an axis a new one.
 * Offers: LFT_(doubling_desc), LFT_(doubling)() (the layer's table).
 * Source: multiscale flows for gauge theories, 2404.10819; the Gaussian, by integrating sites of the free field out. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default. */
typedef struct LFT_(doubling_desc) {
    int    axis;            /* along which there will be twice as many slices */
    int    sines;           /* features of the coarse field beside the field itself: 2; -1 none */
    double mass2;           /* of the free field that the layer at first continues to the new sites: (4 / largest extent of the
                               target)^2 */
    int    target[LFT_DIM]; /* extents of the lattice on which that lives, multiples of those after this layer, whose sites are
                               every (target / extent)-th of it: those after this layer */
} LFT_(doubling_desc);

/* The layer's table. Slices 2j of the new lattice are the coarse ones, phi_j; those in between are drawn, on slice 2j + 1
 *   m + exp(w) z,   z = H (sigma eta), eta ~ N(0, 1), H the Hartley transform over all new sites,
 *   m = K_0 * s + sum_f K_f * sin(omega_f s),   w = sum_f W_f * (cos(omega_f s) - 1),   s = (phi_j + phi_{j+1}) / 2,
 * with kernels and sigma that are even along every axis and tied over the permutations of the axes across the doubled one, so
 *   log q(new | coarse) = sum_k [-eta(k)^2 / 2 - log sigma(k)] - V/2 log 2 pi - sum_x w(x).
 * Parameters: log_sigma [orbits], kernel [1 + 2 sines][orbits] (K_0, K_f, W_f), frequency [sines]. At the start K_f = W_f = 0, and
 * K_0, sigma are the free field's: with C the variance of its mode of momentum p on the lattice after the layer, C' that of p +
 * pi along the axis, and k = 2 p that of the coarse lattice,
 *   K_0(k) = (C - C') / (C + C') / cos p,   sigma(k)^2 = 2 C C' / (C + C'),
 * which from a coarse field with the variances (C + C') / 2 makes the free field exactly.
 * Commutes with phi -> -phi, in distribution with translations by 2 along the axis, by 1 along others, with reflections and
 * the permutations of equal axes across. The inverse leaves the new sites out; its logdet has their density.
 * LFT_ERR_ARG: axis, sines, target; LFT_ERR_NONFINITE. O(volume log volume). */
LFT_API const LFT_(layer_ops) *LFT_(doubling)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(doubling) {
    LFT_(doubling_desc) desc; /* defaults filled in, no negative numbers */
    LFT_P(gaussian)     noise; /* z, on a lattice like the coarse one */
    int                 features; /* 1 + 2 sines */
    size_t              log_sigma, kernel, frequency; /* offsets in theta */
    lft_real           *omega;  /* [sines] */
    lft_real           *lambda; /* [features][count] of K and W */
    double             *node;   /* [3][count] prepare's and collect's scratch */
} LFT_P(doubling);

/* What a call works in, [volume of the coarse lattice] each. */
typedef struct LFT_P(doubling_work) {
    lft_v    *s, *m, *w, *z, *field, *hat, *panel;
    lft_v    *dlambda; /* [count] */
    lft_arena rest;    /* for the noise */
} LFT_P(doubling_work);

LFT_P_STATIC LFT_P(doubling_work) LFT_P(doubling_scratch)(const LFT_P(doubling) *s, lft_arena *arena)
{
    const size_t         n = (size_t)s->noise.spectrum.lattice.volume, bytes = LFT_P(gaussian_scratch)(&s->noise);
    LFT_P(doubling_work) w;
    w.s       = LFT_P(vectors)(arena, n);
    w.m       = LFT_P(vectors)(arena, n);
    w.w       = LFT_P(vectors)(arena, n);
    w.z       = LFT_P(vectors)(arena, n);
    w.field   = LFT_P(vectors)(arena, n);
    w.hat     = LFT_P(vectors)(arena, n);
    w.panel   = LFT_P(vectors)(arena, LFT_P(hartley_panel)(&s->noise.spectrum.lattice));
    w.dlambda = LFT_P(vectors)(arena, LFT_UPTO >= LFT_TRAIN ? (size_t)s->noise.spectrum.count : 0);
    w.rest    = lft_arena_of(lft_arena_take(arena, bytes, 1), bytes);
    return w;
}

LFT_P_STATIC lft_status LFT_P(doubling_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                             lft_error *error)
{
    LFT_P(doubling)     *s = (LFT_P(doubling) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(doubling_desc) *d;
    lft_arena            measure = lft_arena_measure();
    lft_status           status;
    int                  count, orbits;
    layer->state = s;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    d = &s->desc;
    if (layer->desc) *d = *(const LFT_(doubling_desc) *)layer->desc;
    d->sines = d->sines == 0 ? 2 : d->sines < 0 ? 0 : d->sines;
    if (d->sines > 100) return lft_p_fail_got(error, LFT_ERR_ARG, name, "sines", "at most 100", d->sines);
    if (d->axis < 0 || d->axis >= LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, name, "axis", "0 to the dimensions - 1", d->axis);
    }
    layer->out = layer->in;
    layer->out.extent[d->axis] *= 2;
    status = LFT_P_SIGNED(lattice_init)(&layer->out, layer->out.extent, error);
    if (!status) status = LFT_P(free_target)(d->target, d->target, layer->out.extent, name, error);
    if (status) return status;
    d->mass2 = LFT_P(free_mass2)(d->mass2, d->target);
    LFT_P(gaussian_init)(&s->noise, &layer->in, d->axis, 0, arena);
    count        = s->noise.spectrum.count;
    orbits       = s->noise.spectrum.orbits;
    s->features  = 1 + 2 * d->sines;
    s->omega     = (lft_real *)lft_arena_alloc(arena, (size_t)d->sines, sizeof(lft_real));
    s->lambda    = (lft_real *)lft_arena_alloc(arena, (size_t)s->features * (size_t)count, sizeof(lft_real));
    s->node      = (double *)lft_arena_alloc(arena, 3 * (size_t)count, sizeof(double));
    s->log_sigma = lft_declare(set, name, "log_sigma", 1, orbits, 0, 0, 0);
    s->kernel    = lft_declare(set, name, "kernel", 2, s->features, orbits, 0, 0);
    s->frequency = lft_declare(set, name, "frequency", 1, d->sines, 0, 0, 0);
    (void)LFT_P(doubling_scratch)(s, &measure);
    layer->scratch_bytes  = measure.need;
    layer->tape_bytes     = 2 * (size_t)layer->in.volume * sizeof(lft_v); /* the coarse field and z */
    layer->gradient_count = (size_t)orbits + (size_t)s->features * (size_t)count + (size_t)d->sines;
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(doubling_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    const LFT_P(doubling)     *s  = (const LFT_P(doubling) *)layer->state;
    const LFT_(doubling_desc) *d  = &s->desc;
    const LFT_P(spectrum)     *sp = &s->noise.spectrum;
    const int                 *L = layer->out.extent, n = layer->in.extent[d->axis];
    double                    *filter = s->node, k[LFT_DIM], sine, cosine, one, other;
    int                        i, f;
    for (i = 0; i < d->sines; ++i) theta[s->frequency + (size_t)i] = 1 + i;
    for (i = 0; i < sp->count; ++i) {
        LFT_P(gaussian_momentum)(sp, i, k);
        one = LFT_P(free_variance)(L, d->target, d->mass2, k);
        k[d->axis] += n;
        other = LFT_P(free_variance)(L, d->target, d->mass2, k);
        theta[s->log_sigma + (size_t)sp->orbit[i]] = 0.5 * lft_p_f64_p_log(2 * one * other / (one + other));
        k[d->axis] -= n;
        if (2 * (int)k[d->axis] == n) { /* K_0 is a limit there, which s, being zero, does not see: near it */
            k[d->axis] -= 1e-4 * n;
            one = LFT_P(free_variance)(L, d->target, d->mass2, k);
            k[d->axis] += n;
            other = LFT_P(free_variance)(L, d->target, d->mass2, k);
            k[d->axis] -= n;
        }
        lft_p_f64_p_sincos(3.14159265358979323846 * k[d->axis] / n, &sine, &cosine);
        filter[sp->orbit[i]] = (one - other) / (one + other) / cosine;
    }
    LFT_P(spectrum_of_kernel)(sp, filter, filter, filter + sp->count); /* its own inverse, but for the volume */
    for (i = 0; i < sp->count; ++i) {
        const double far = 1 + LFT_P(spectrum_distance2)(sp, i);
        theta[s->kernel + (size_t)sp->orbit[i]] = filter[i] / layer->in.volume;
        for (f = 0; f < s->features; ++f) pace[s->kernel + (size_t)(f * sp->orbits + sp->orbit[i])] = 1 / far;
    }
}

LFT_P_STATIC void LFT_P(doubling_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(doubling)       *s  = (LFT_P(doubling) *)layer->state;
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    int                    f, i;
    LFT_P(gaussian_prepare)(&s->noise, theta + s->log_sigma);
    for (i = 0; i < s->desc.sines; ++i) s->omega[i] = (lft_real)theta[s->frequency + (size_t)i];
    for (f = 0; f < s->features; ++f) {
        LFT_P(spectrum_of_kernel)(sp, theta + s->kernel + (size_t)(f * sp->orbits), s->node, s->node + sp->count);
        for (i = 0; i < sp->count; ++i) s->lambda[f * sp->count + i] = (lft_real)s->node[i];
    }
}

/* ---- slices ------------------------------------------------------------------------------------------------------------ */

/* Sites of a slice that lie together in memory, and how many of such blocks the coarse lattice has; block b is of slice b mod n. */
typedef struct LFT_P(blocks) {
    int size, count, slices;
} LFT_P(blocks);

LFT_P_STATIC LFT_P(blocks) LFT_P(blocks_of)(const LFT_(layer) *layer)
{
    const int     axis = ((const LFT_P(doubling) *)layer->state)->desc.axis;
    LFT_P(blocks) b;
    int           mu;
    b.size   = 1;
    b.slices = layer->in.extent[axis];
    for (mu = axis + 1; mu < LFT_DIM; ++mu) b.size *= layer->in.extent[mu];
    b.count = layer->in.volume / b.size;
    return b;
}

/* The coarse field or the new one (odd = 1) of the lattice after the layer, and back. */
LFT_P_STATIC void LFT_P(doubling_take)(LFT_P(blocks) b, int odd, const lft_v *out, lft_v *part)
{
    int i;
    for (i = 0; i < b.count; ++i) {
        lft_p_copy(part + i * b.size, out + (2 * i + odd) * b.size, (size_t)b.size * sizeof(lft_v));
    }
}

LFT_P_STATIC void LFT_P(doubling_put)(LFT_P(blocks) b, int odd, const lft_v *part, lft_v *out)
{
    int i;
    for (i = 0; i < b.count; ++i) {
        lft_p_copy(out + (2 * i + odd) * b.size, part + i * b.size, (size_t)b.size * sizeof(lft_v));
    }
}

/* s = (phi_j + phi_{j+1}) / 2, and phi += its transpose of s. */
LFT_P_INLINE int LFT_P(next_block)(LFT_P(blocks) b, int i) { return (i + 1) % b.slices ? i + 1 : i + 1 - b.slices; }

LFT_P_STATIC void LFT_P(doubling_between)(LFT_P(blocks) b, const lft_v *phi, lft_v *s)
{
    const lft_real half = (lft_real)0.5;
    int            i, x;
    for (i = 0; i < b.count; ++i) {
        const lft_v *here = phi + i * b.size, *next = phi + LFT_P(next_block)(b, i) * b.size;
        for (x = 0; x < b.size; ++x) s[i * b.size + x] = half * (here[x] + next[x]);
    }
}

LFT_P_STATIC void LFT_P(doubling_between_back)(LFT_P(blocks) b, const lft_v *s, lft_v *phi)
{
    const lft_real half = (lft_real)0.5;
    int            i, x;
    for (i = 0; i < b.count; ++i) {
        lft_v *here = phi + i * b.size, *next = phi + LFT_P(next_block)(b, i) * b.size;
        for (x = 0; x < b.size; ++x) {
            const lft_v part = half * s[i * b.size + x];
            here[x] += part;
            next[x] += part;
        }
    }
}

/* ---- the conditional --------------------------------------------------------------------------------------------------- */

/* Feature f of s: itself, sines, cosines less 1. */
LFT_P_STATIC void LFT_P(doubling_feature)(const LFT_P(doubling) *p, int f, const lft_v *s, lft_v *to)
{
    const int volume = p->noise.spectrum.lattice.volume, sines = p->desc.sines;
    int       x;
    if (!f) {
        lft_p_copy(to, s, (size_t)volume * sizeof(lft_v));
        return;
    }
    for (x = 0; x < volume; ++x) {
        lft_v sine, cosine;
        LFT_P(sincos)(p->omega[(f - 1) % sines] * s[x], &sine, &cosine);
        if (f <= sines) to[x] = sine;
        else to[x] = cosine - 1;
    }
}

/* From the derivative by feature f that by s, onto ds; returns that by omega. */
LFT_P_STATIC double LFT_P(doubling_feature_back)(const LFT_P(doubling) *p, int f, const lft_v *s, const lft_v *d, lft_v *ds)
{
    const int volume = p->noise.spectrum.lattice.volume, sines = p->desc.sines;
    lft_real  omega;
    lft_v     sum = lft_splat(0);
    int       x;
    if (!f) {
        for (x = 0; x < volume; ++x) ds[x] += d[x];
        return 0;
    }
    omega = p->omega[(f - 1) % sines];
    for (x = 0; x < volume; ++x) {
        lft_v sine, cosine, slope = d[x];
        LFT_P(sincos)(omega * s[x], &sine, &cosine);
        if (f <= sines) slope *= cosine;
        else slope *= -sine;
        ds[x] += omega * slope;
        sum += s[x] * slope;
    }
    return LFT_P(sum_lanes)(sum);
}

/* m and w of w->s */
LFT_P_STATIC void LFT_P(doubling_conditional)(const LFT_P(doubling) *s, LFT_P(doubling_work) *w)
{
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    const int              volume = sp->lattice.volume;
    int                    f;
    LFT_P(set_zero)(w->m, volume);
    LFT_P(set_zero)(w->w, volume);
    for (f = 0; f < s->features; ++f) {
        LFT_P(doubling_feature)(s, f, w->s, w->hat);
        LFT_P(hartley_apply)(&s->noise.hartley, w->hat, w->panel);
        LFT_P(spectrum_add_product)(sp, s->lambda + f * sp->count, w->hat, f <= s->desc.sines ? w->m : w->w);
    }
    LFT_P(hartley_apply)(&s->noise.hartley, w->m, w->panel);
    if (s->desc.sines) LFT_P(hartley_apply)(&s->noise.hartley, w->w, w->panel);
}

/* From the derivatives dm, dw by m and w, which are lost, that by s of w->s; gradient of kernels and frequencies where not NULL. */
LFT_P_STATIC void LFT_P(doubling_conditional_back)(const LFT_P(doubling) *s, LFT_P(doubling_work) *w, lft_v *dm, lft_v *dw,
                                                   lft_v *ds, double *gradient)
{
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    const int              volume = sp->lattice.volume, sines = s->desc.sines, count = sp->count;
    int                    f, x;
    LFT_P(hartley_apply)(&s->noise.hartley, dm, w->panel);
    if (sines) LFT_P(hartley_apply)(&s->noise.hartley, dw, w->panel);
    LFT_P(set_zero)(ds, volume);
    for (f = 0; f < s->features; ++f) {
        const lft_v *d = f <= sines ? dm : dw;
        double       domega;
        if (gradient) {
            LFT_P(doubling_feature)(s, f, w->s, w->hat);
            LFT_P(hartley_apply)(&s->noise.hartley, w->hat, w->panel);
            LFT_P(set_zero)(w->dlambda, count);
            LFT_P(spectrum_dot)(sp, w->hat, d, w->dlambda);
            for (x = 0; x < count; ++x) gradient[sp->orbits + f * count + x] += LFT_P(sum_lanes)(w->dlambda[x]);
        }
        LFT_P(spectrum_product)(sp, s->lambda + f * count, d, w->hat);
        LFT_P(hartley_apply)(&s->noise.hartley, w->hat, w->panel);
        domega = LFT_P(doubling_feature_back)(s, f, w->s, w->hat, ds);
        if (gradient && f) gradient[sp->orbits + s->features * count + (f - 1) % sines] += domega;
    }
}

/* sum[lane] += sign sum_x w(x) */
LFT_P_STATIC void LFT_P(doubling_widths)(const lft_v *w, int volume, double sign, double *sum)
{
    double own[LFT_P_LANES];
    int    l;
    LFT_P(sum_wide)(w, NULL, volume, own);
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] += sign * own[l];
}

/* ---- the table --------------------------------------------------------------------------------------------------------- */

/* The lattice after the layer out of the coarse field and w->z: logdet[lane] += sum w. s, m and w of *w are set. */
LFT_P_STATIC void LFT_P(doubling_place)(const LFT_(layer) *layer, LFT_P(doubling_work) *w, const lft_v *in, lft_v *out,
                                        double *logdet)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b = LFT_P(blocks_of)(layer);
    int                    x;
    LFT_P(doubling_between)(b, in, w->s);
    LFT_P(doubling_conditional)(s, w);
    LFT_P(doubling_widths)(w->w, layer->in.volume, 1, logdet);
    LFT_P(doubling_put)(b, 0, in, out);
    for (x = 0; x < layer->in.volume; ++x) w->field[x] = w->m[x] + LFT_P(exp)(w->w[x]) * w->z[x];
    LFT_P(doubling_put)(b, 1, w->field, out);
}

/* grad log q(x_in) becomes grad log q(x_out). With r = grad log q(z), z = exp(-w) (new - m): by new exp(-w) r, by m minus that,
 * by w -(r z + 1). */
LFT_P_STATIC void LFT_P(doubling_score)(const LFT_(layer) *layer, LFT_P(doubling_work) *w, lft_v *score)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b = LFT_P(blocks_of)(layer);
    const int              volume = layer->in.volume;
    double                 unused[LFT_P_LANES];
    int                    x;
    LFT_P(gaussian_logq)(&s->noise, w->z, unused, w->field, w->rest);
    for (x = 0; x < volume; ++x) {
        const lft_v r = w->field[x];
        w->m[x]     = -(LFT_P(exp)(-w->w[x]) * r);
        w->w[x]     = -(r * w->z[x]) - 1;
        w->field[x] = score[x]; /* of the coarse field, which will be spread out */
    }
    for (x = 0; x < volume; ++x) w->z[x] = -w->m[x];
    LFT_P(doubling_put)(b, 1, w->z, score);
    LFT_P(doubling_conditional_back)(s, w, w->m, w->w, w->z, NULL);
    LFT_P(doubling_between_back)(b, w->z, w->field);
    LFT_P(doubling_put)(b, 0, w->field, score);
}

LFT_P_STATIC lft_status LFT_P(doubling_check)(const lft_v *x, int volume, const double *logdet, lft_error *error)
{
    int failed = LFT_P(any_nonfinite)(x, volume), l;
    for (l = 0; l < LFT_P_LANES; ++l) failed |= !lft_finite(logdet[l]);
    if (!failed) return LFT_OK;
    return lft_p_fail(error, LFT_ERR_NONFINITE, "doubling", "field: expected finite numbers, got others");
}

LFT_P_STATIC lft_status LFT_P(doubling_draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out,
                                             double *logdet, lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    LFT_P(doubling_work)   w    = LFT_P(doubling_scratch)(s, &scratch);
    const size_t           part = (size_t)layer->in.volume;
    lft_v                 *kept = (lft_v *)tape;
    double                 logq[LFT_P_LANES];
    int                    l;
    LFT_P(gaussian_draw)(&s->noise, d, w.z, logq, w.rest);
    if (kept) lft_p_copy(kept, x_in, part * sizeof(lft_v));
    if (kept) lft_p_copy(kept + part, w.z, part * sizeof(lft_v));
    LFT_P(doubling_place)(layer, &w, LFT_P(const_view)(x_in), LFT_P(view)(x_out), logdet);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= logq[l];
    if (score) LFT_P(doubling_score)(layer, &w, LFT_P(view)(score));
    return LFT_P(doubling_check)(LFT_P(const_view)(x_out), layer->out.volume, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(doubling_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                                lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b = LFT_P(blocks_of)(layer);
    LFT_P(doubling_work)   w = LFT_P(doubling_scratch)(s, &scratch);
    double                 logq[LFT_P_LANES];
    int                    x, l;
    LFT_P(doubling_take)(b, 1, LFT_P(const_view)(x_out), w.z);
    LFT_P(doubling_take)(b, 0, LFT_P(const_view)(x_out), w.field);
    lft_p_copy(x_in, w.field, (size_t)layer->in.volume * sizeof(lft_v));
    LFT_P(doubling_between)(b, w.field, w.s);
    LFT_P(doubling_conditional)(s, &w);
    for (x = 0; x < layer->in.volume; ++x) w.z[x] = LFT_P(exp)(-w.w[x]) * (w.z[x] - w.m[x]);
    LFT_P(gaussian_logq)(&s->noise, w.z, logq, NULL, w.rest);
    LFT_P(doubling_widths)(w.w, layer->in.volume, -1, logdet);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] += logq[l];
    return LFT_P(doubling_check)(w.z, layer->in.volume, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(doubling_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                                 double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s  = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b  = LFT_P(blocks_of)(layer);
    LFT_P(doubling_work)   w  = LFT_P(doubling_scratch)(s, &scratch);
    const lft_v           *in = (const lft_v *)tape, *z = in + layer->in.volume;
    lft_v                 *dx = LFT_P(view)(dx_);
    const lft_v            dwidth = LFT_P(from_wide)(dlogdet);
    double                 dlogq[LFT_P_LANES];
    int                    x, l;
    (void)error;
    LFT_P(doubling_between)(b, in, w.s);
    LFT_P(doubling_conditional)(s, &w);
    LFT_P(doubling_take)(b, 1, dx, w.m); /* by new, and by m */
    LFT_P(doubling_take)(b, 0, dx, w.field);
    lft_p_copy(dx, w.field, (size_t)layer->in.volume * sizeof(lft_v));
    for (x = 0; x < layer->in.volume; ++x) {
        w.field[x] = LFT_P(exp)(w.w[x]) * w.m[x]; /* by z */
        w.w[x]     = w.field[x] * z[x] + dwidth;
    }
    for (l = 0; l < LFT_P_LANES; ++l) dlogq[l] = -dlogdet[l];
    if (gradient) LFT_P(gaussian_backward)(&s->noise, z, w.field, dlogq, gradient, w.rest);
    LFT_P(doubling_conditional_back)(s, &w, w.m, w.w, w.z, gradient);
    LFT_P(doubling_between_back)(b, w.z, dx);
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(doubling_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    const LFT_P(doubling) *s  = (const LFT_P(doubling) *)layer->state;
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    const double          *lambda = gradient + sp->orbits, *omega = lambda + s->features * sp->count;
    int                    i, f;
    for (i = 0; i < sp->orbits; ++i) dtheta[s->log_sigma + (size_t)i] += gradient[i];
    for (f = 0; f < s->features; ++f) {
        LFT_P(spectrum_of_kernel_backward)(sp, lambda + f * sp->count, dtheta + s->kernel + (size_t)(f * sp->orbits), s->node);
    }
    for (i = 0; i < s->desc.sines; ++i) dtheta[s->frequency + (size_t)i] += omega[i];
}

/* Kernels are padded with zeros (or folded), sigma is interpolated between momenta. */
LFT_P_STATIC void LFT_P(doubling_transfer)(const LFT_(layer) *layer, double *theta, const LFT_(layer) *from, const double *source)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state, *other = (const LFT_P(doubling) *)from->state;
    const size_t           orbits = (size_t)s->noise.spectrum.orbits, others = (size_t)other->noise.spectrum.orbits;
    size_t                 f;
    LFT_P(gaussian_transfer)(&s->noise, theta + s->log_sigma, &other->noise, source + other->log_sigma);
    for (f = 0; f < (size_t)s->features; ++f) {
        LFT_P(spectrum_transfer)(&s->noise.spectrum, theta + s->kernel + f * orbits, &other->noise.spectrum,
                                 source + other->kernel + f * others);
    }
    lft_p_copy(theta + s->frequency, source + other->frequency, (size_t)s->desc.sines * sizeof(double));
}

/* axis, sines: the free field is but the start. */
LFT_P_STATIC int LFT_P(doubling_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(doubling_desc) *d = &((const LFT_P(doubling) *)layer->state)->desc;
    number[0] = d->axis, number[1] = d->sines;
    return 2;
}

LFT_P_STATIC lft_status LFT_P(doubling_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(doubling_desc) *d = (LFT_(doubling_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    *desc = d;
    if (n < 2) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "numbers of a doubling layer", "2", n);
    if (!d) return lft_arena_check(arena, error, "model");
    if (number[0] < 0 || number[0] >= LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "axis of a doubling layer", "0 to the dimensions - 1",
                              (double)number[0]);
    }
    if (number[1] < 0 || number[1] > 100) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "sines of a doubling layer", "0 to 100", (double)number[1]);
    }
    d->axis  = (int)number[0];
    d->sines = number[1] ? (int)number[1] : -1;
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(doubling)(void)
{
    static const LFT_(layer_ops) ops = {"doubling",
                                        LFT_P(doubling_init),
                                        LFT_P(doubling_start),
                                        LFT_P(doubling_prepare),
                                        NULL,
                                        LFT_P(doubling_inverse),
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(doubling_backward) : NULL,
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(doubling_collect) : NULL,
                                        NULL,
                                        LFT_P(doubling_transfer),
                                        LFT_P(doubling_spec),
                                        LFT_P(doubling_read),
                                        LFT_P(doubling_draw)};
    return &ops;
}

#endif /* LFT_P_CODE */
