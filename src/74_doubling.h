/* 74_doubling.h: from a coarse lattice to a finer one: every slice along an axis becomes two.
 * Offers: lft_conditional, LFT_(doubling_desc), LFT_(doubling)() (the layer's table).
 * Source: multiscale flows for gauge theories, 2404.10819; the exact weights of two dimensions, Migdal 1975. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_CONDITIONAL
#define LFT_P_CONDITIONAL
typedef enum lft_conditional {
    LFT_CONDITIONAL_HAAR = 1, /* new links independent with the invariant measure, a start for the layers that follow */
    LFT_CONDITIONAL_EXACT     /* two dimensions: given the coarse links, those of Wilson's plaquette action */
} lft_conditional;
#endif

/* Zero means the default. */
typedef struct LFT_(doubling_desc) {
    int             axis;        /* of which slices become two */
    int             extent;      /* of it, afterwards: twice what it was; or less, and slice i of n becomes those from floor(i
                                    extent / n) to below floor((i + 1) extent / n), one or two */
    lft_conditional conditional; /* Haar */
    double          beta;        /* exact: of the action, 0 to 100 */
    int             target[LFT_DIM]; /* exact: extents at which the action lives: those after this layer. Site i of n along an axis
                                    of L stands for those from floor(i L / n) to below floor((i + 1) L / n), so a plaquette for k of
                                    them, with the density kappa_k of their sum over links in between */
    int             fixed_gauge; /* 1: V = 1 (below); 0: V from the invariant measure */
} LFT_(doubling_desc);

/* The layer's table. A link U along the axis at a slice that becomes two: V at the first and V^+ U at the second, V from the
 * invariant measure. The other links of the coarse slice are those of the first one, those of the second are drawn: by Haar, or
 * exactly: U between its plaquettes of a and b with the density
 *   kappa_a(A U) kappa_b(U^+ B) / kappa_a+b(A B),   kappa_k = sum_r d_r u_r^k chi_r (47_characters.h says more).
 * No parameters. The inverse multiplies the links along the axis and forgets the others; its logdet has the density of what
 * was drawn. It commutes with gauge transformations, in distribution, and with those translations of the coarse lattice that
 * keep what the slices become. The exact conditional has no backward: it draws by rejection.
 * With fixed_gauge V is 1, a draw less: the links are 1 and U. That is a gauge transform of what V would have made, by V at the
 * second slices, so that behind layers that commute with gauge transformations, as all of the library do, its gauge-invariant
 * observables and log q are what they would have been: log q is still the density of all links by the invariant measure, the same
 * for all of a gauge orbit, the inverse forgets V as before, and the gradients of a training are the same. But samples are now of
 * one gauge at the new sites: what depends on the gauge means nothing, until a random gauge transformation of them,
 * LFT_(gauge_transform)(), gives them the density q in all links. Not for layers of one's own that depend on the gauge.
 * Samples below 2^32. LFT_ERR_ARG: axis, extent; exact: not two dimensions, beta, targets in which the slices do not nest, or a
 * beta so large that rounding of kappa, which is of kappa(1), leaves less than 1e-6 of its smallest value; fixed_gauge.
 * LFT_ERR_NONFINITE: a link was not finite, or none was accepted in 2^20 attempts. O(volume), mean attempts of an exact link
 * kappa_b(1), b >= a; two single plaquettes: U(1) and SU(2) as of the heat bath, SU(3) a few. */
LFT_API const LFT_(layer_ops) *LFT_(doubling)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(doubling) {
    LFT_(doubling_desc)  desc; /* defaults filled in */
    LFT_P(characters)    characters;
    LFT_P(kernel)       *fine, *coarse; /* [LFT_P_AREAS] */
    int                  fines, coarses;
    char                 name[24];
} LFT_P(doubling);

/* ---- init ------------------------------------------------------------------------------------------------------------ */

/* All weights that a doubling needs, which are of the plaquettes beside the links that are drawn. */
LFT_P_STATIC lft_status LFT_P(doubling_weights)(LFT_P(doubling) *s, const LFT_(layer) *layer, lft_arena *arena, lft_error *error)
{
    const LFT_(doubling_desc) *d = &s->desc;
    const int mu = d->axis, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0, n = layer->in.extent[mu], L = d->target[mu];
    int       fine[LFT_P_AREAS], coarse[LFT_P_AREAS], draws[LFT_P_AREAS], none[LFT_P_AREAS], i, j;
    for (i = 0; i < n; ++i) {
        const int first = LFT_P(site_from)(i, n, d->extent);
        if (LFT_P(site_from)(first, d->extent, L) != LFT_P(site_from)(i, n, L)) {
            return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "extent", "twice what it was, or the target's", d->extent);
        }
        if (LFT_P(site_length)(i, n, d->extent) == 1) continue;
        for (j = 0; j < layer->in.extent[nu]; ++j) {
            const int across = LFT_P(site_length)(j, layer->in.extent[nu], d->target[nu]);
            const int a = LFT_P(site_length)(first, d->extent, L) * across;
            const int b = LFT_P(site_length)(first + 1, d->extent, L) * across;
            LFT_P(note_area)(fine, draws, &s->fines, a, a <= b);
            LFT_P(note_area)(fine, draws, &s->fines, b, b < a);
            LFT_P(note_area)(coarse, none, &s->coarses, a + b, 0);
        }
    }
    LFT_P(characters_init)(&s->characters, d->beta, arena);
    s->fine   = LFT_P(kernels_of)(&s->characters, fine, draws, s->fines, arena);
    s->coarse = LFT_P(kernels_of)(&s->characters, coarse, none, s->coarses, arena);
    if (LFT_P(kernels_check)(s->fine, s->fines, d->beta, s->name, error)) return LFT_ERR_ARG;
    return LFT_P(kernels_check)(s->coarse, s->coarses, d->beta, s->name, error);
}

LFT_P_STATIC lft_status LFT_P(doubling_defaults)(LFT_P(doubling) *s, LFT_(layer) *layer, lft_error *error)
{
    LFT_(doubling_desc) *d = &s->desc;
    int                  mu, n;
    if (d->axis < 0 || d->axis >= LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "axis", "0 to the dimensions - 1", d->axis);
    }
    n = layer->in.extent[d->axis];
    if (!d->extent) d->extent = 2 * n;
    if (d->extent <= n || d->extent > 2 * n) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "extent", "more than before and at most twice that", d->extent);
    }
    if (!d->conditional) d->conditional = LFT_CONDITIONAL_HAAR;
    if (d->conditional != LFT_CONDITIONAL_HAAR && d->conditional != LFT_CONDITIONAL_EXACT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "conditional", "1 (Haar) or 2 (exact)", (int)d->conditional);
    }
    if (d->fixed_gauge != 0 && d->fixed_gauge != 1) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "fixed_gauge", "0 or 1", d->fixed_gauge);
    }
    layer->out = layer->in;
    layer->out.extent[d->axis] = d->extent;
    if (LFT_P_SIGNED(lattice_init)(&layer->out, layer->out.extent, error)) return LFT_ERR_ARG;
    if (d->conditional == LFT_CONDITIONAL_HAAR) return LFT_OK;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (!d->target[mu]) d->target[mu] = layer->out.extent[mu];
        if (d->target[mu] >= layer->out.extent[mu] && d->target[mu] <= 1 << 24) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "target", "at least the extent after the layer", d->target[mu]);
    }
    return LFT_P(exact_check)(d->beta, s->name, error);
}

LFT_P_STATIC lft_status LFT_P(doubling_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                             lft_error *error)
{
    LFT_P(doubling) *s = (LFT_P(doubling) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    lft_p_text       t;
    lft_arena        measure = lft_arena_measure();
    lft_status       status;
    (void)set;
    layer->state = s;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    t = lft_p_text_over(s->name, sizeof s->name);
    lft_p_put(&t, name);
    if (layer->desc) s->desc = *(const LFT_(doubling_desc) *)layer->desc;
    status = LFT_P(doubling_defaults)(s, layer, error);
    if (!status && s->desc.conditional == LFT_CONDITIONAL_EXACT) status = LFT_P(doubling_weights)(s, layer, arena, error);
    (void)LFT_P(vectors)(&measure, LFT_P(force_vectors)(&layer->in)); /* of a score, or a derivative */
    layer->scratch_bytes = measure.need;
    layer->tape_bytes    = s->desc.fixed_gauge ? 0 : (size_t)layer->in.volume * LFT_P_LINK * sizeof(lft_v); /* V */
    return status;
}

/* ---- links ----------------------------------------------------------------------------------------------------------- */

/* The slice of n that slice j of extent comes from. */
LFT_P_INLINE int LFT_P(slice_of)(int j, int n, int extent) { return (int)((((int64_t)j + 1) * n - 1) / extent); }

/* Where a site of the fine lattice comes from. */
typedef struct LFT_P(origin) {
    int site;   /* of the coarse lattice */
    int second; /* 1: of the second of two slices */
    int two;    /* 1: of two slices */
} LFT_P(origin);

LFT_P_STATIC LFT_P(origin) LFT_P(origin_of)(const LFT_(layer) *layer, int axis, const LFT_P(place) *p)
{
    const int      n = layer->in.extent[axis], extent = layer->out.extent[axis], i = LFT_P(slice_of)(p->x[axis], n, extent);
    LFT_P(origin)  o;
    int            mu;
    o.second = p->x[axis] - LFT_P(site_from)(i, n, extent);
    o.two    = LFT_P(site_length)(i, n, extent) == 2;
    for (mu = 0, o.site = 0; mu < LFT_DIM; ++mu) o.site = o.site * layer->in.extent[mu] + (mu == axis ? i : p->x[mu]);
    return o;
}

/* Link number i of a drawing layer, with the invariant measure. */
LFT_P_STATIC void LFT_P(haar_link)(const lft_draw *d, int i, lft_v *link)
{
    double      u[2 * LFT_P_PAIRS][LFT_P_LANES];
    LFT_P(crew) all;
    LFT_P(crew_start)(&all, LFT_P(int_splat)(0));
    (void)LFT_P(crew_assign)(&all);
    LFT_P(crew_uniforms)(&all, d, (uint32_t)i * LFT_P_PAIRS, LFT_P_HAAR / 2, u);
    LFT_P(haar_from)(u, link);
}

/* All links but those that the exact conditional draws. */
LFT_P_STATIC void LFT_P(doubling_links)(const LFT_(layer) *layer, const LFT_(doubling_desc) *desc, const lft_draw *d,
                                        const lft_v *in, lft_v *out)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(&layer->out);
    LFT_P(place)      p = LFT_P(first_place)();
    int               y, mu;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, desc->axis, &p);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            const int    i    = y * LFT_DIM + mu;
            lft_v       *to   = out + i * LFT_P_LINK;
            const lft_u *from = LFT_P(link)(in, o.site * LFT_DIM + mu);
            if (mu == desc->axis ? !o.two || (desc->fixed_gauge && o.second) : !o.second) {
                LFT_P(put)(to, from);
            } else if (mu == desc->axis && desc->fixed_gauge) {
                LFT_P(one)(to);
            } else if (mu == desc->axis && o.second) {
                LFT_P(adj_mul)((lft_u *)to, LFT_P(link)(out, i - walk.stride[mu] * LFT_DIM), from);
                LFT_P(unit)(to);
            } else if (mu == desc->axis || desc->conditional == LFT_CONDITIONAL_HAAR) {
                LFT_P(haar_link)(d, i, to);
            }
        }
    }
}

/* ---- the exact conditional --------------------------------------------------------------------------------------------- */

/* The plaquettes beside the link across the axis at p, of a second slice: A U before it and U^+ B behind, of the areas a and b. */
typedef struct LFT_P(between) {
    lft_u                A, B;
    const LFT_P(kernel) *before, *behind, *both;
} LFT_P(between);

LFT_P_STATIC void LFT_P(between_of)(const LFT_P(doubling) *s, const LFT_(layer) *layer, const LFT_P(walk) *walk,
                                    const LFT_P(place) *p, const lft_v *links, LFT_P(between) *w)
{
    const int    mu = s->desc.axis, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0, extent = layer->out.extent[mu];
    const int    across = LFT_P(site_length)(p->x[nu], layer->out.extent[nu], s->desc.target[nu]);
    const int    a = across * LFT_P(site_length)(p->x[mu] - 1, extent, s->desc.target[mu]);
    const int    b = across * LFT_P(site_length)(p->x[mu], extent, s->desc.target[mu]);
    LFT_P(place) q = *p, above = *p, before;
    lft_u        two;
    LFT_P(up)(walk->lattice, walk->stride, &q, mu);
    LFT_P(up)(walk->lattice, walk->stride, &above, nu);
    LFT_P(mul)(&two, LFT_P(link)(links, p->site * LFT_DIM + mu), LFT_P(link)(links, q.site * LFT_DIM + nu));
    LFT_P(mul_adj)(&w->B, &two, LFT_P(link)(links, above.site * LFT_DIM + mu));
    before = *p;
    LFT_P(down)(walk->lattice, walk->stride, &before, mu);
    LFT_P(down)(walk->lattice, walk->stride, &above, mu);
    LFT_P(mul)(&two, LFT_P(link)(links, before.site * LFT_DIM + nu), LFT_P(link)(links, above.site * LFT_DIM + mu));
    LFT_P(adj_mul)(&w->A, &two, LFT_P(link)(links, before.site * LFT_DIM + mu));
    w->before = LFT_P(kernel_of)(s->fine, s->fines, a);
    w->behind = LFT_P(kernel_of)(s->fine, s->fines, b);
    w->both   = LFT_P(kernel_of)(s->coarse, s->coarses, a + b);
}

/* U out of A B = P: A U = w from the smaller area, or U^+ B. */
LFT_P_STATIC int LFT_P(between_draw)(const LFT_P(between) *b, lft_draw d, int i, lft_v *link)
{
    const int swap = b->behind->area < b->before->area;
    lft_u     loop, w;
    int       failed;
    LFT_P(mul)(&loop, &b->A, &b->B);
    failed = LFT_P(split)(swap ? b->behind : b->before, swap ? b->before : b->behind, d, (uint32_t)i * LFT_P_PAIRS, &loop, &w);
    if (swap) LFT_P(mul_adj)((lft_u *)link, &b->B, &w);
    else LFT_P(adj_mul)((lft_u *)link, &b->A, &w);
    LFT_P(unit)(link);
    return failed;
}

/* sum[lane] += sign log q of the conditional links, which are drawn before where drawn, the same links, is not NULL. */
LFT_P_STATIC lft_status LFT_P(doubling_exact)(const LFT_(layer) *layer, const lft_draw *d, lft_v *drawn, const lft_v *links,
                                              double sign, double *sum, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    const LFT_P(walk)      walk = LFT_P(walk_of)(&layer->out);
    const int              mu = s->desc.axis, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0;
    LFT_P(place)           p = LFT_P(first_place)();
    int                    y, l, failed = 0;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const int      i = y * LFT_DIM + nu;
        LFT_P(between) w;
        lft_u          loop;
        if (!LFT_P(origin_of)(layer, mu, &p).second) continue;
        LFT_P(between_of)(s, layer, &walk, &p, links, &w);
        if (drawn) failed |= LFT_P(between_draw)(&w, *d, i, drawn + i * LFT_P_LINK);
        LFT_P(mul)(&loop, &w.A, LFT_P(link)(links, i));
        LFT_P(kernel_log)(w.before, &loop, sign, sum);
        LFT_P(adj_mul)(&loop, LFT_P(link)(links, i), &w.B);
        LFT_P(kernel_log)(w.behind, &loop, sign, sum);
        LFT_P(mul)(&loop, &w.A, &w.B);
        LFT_P(kernel_log)(w.both, &loop, -sign, sum);
    }
    for (l = 0; l < LFT_P_LANES; ++l) failed |= !lft_finite(sum[l]);
    if (!failed) return LFT_OK;
    return lft_p_fail(error, LFT_ERR_NONFINITE, s->name, "a link that is not finite, or that could not be drawn");
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

/* V of the coarse link at in-site o.site, where a slice becomes two. */
LFT_P_STATIC void LFT_P(doubling_keep)(const LFT_(layer) *layer, int axis, const lft_v *out, lft_v *tape)
{
    LFT_P(place) p = LFT_P(first_place)();
    int          y;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, axis, &p);
        if (!o.second) LFT_P(put)(tape + o.site * LFT_P_LINK, LFT_P(link)(out, y * LFT_DIM + axis));
    }
}

/* grad log q: V and V^+ U take that of U, the latter carried along V; what was drawn by Haar has none. */
LFT_P_STATIC void LFT_P(doubling_score)(const LFT_(layer) *layer, int axis, const lft_v *out, lft_v *score, lft_arena scratch)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(&layer->out);
    const size_t      n    = LFT_P(force_vectors)(&layer->in);
    lft_v            *from = LFT_P(vectors)(&scratch, n);
    LFT_P(place)      p = LFT_P(first_place)();
    int               y, mu, k;
    lft_p_copy(from, score, n * sizeof(lft_v));
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, axis, &p);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            lft_v       *to = score + (y * LFT_DIM + mu) * LFT_P_ALGEBRA;
            const lft_v *s  = from + (o.site * LFT_DIM + mu) * LFT_P_ALGEBRA;
            lft_z        z;
            for (k = 0; k < LFT_P_ALGEBRA; ++k) z.c[k] = mu != axis && o.second ? lft_splat(0) : s[k];
            if (mu == axis && o.second) LFT_P(carry)(LFT_P(link)(out, (y - walk.stride[mu]) * LFT_DIM + mu), &z);
            for (k = 0; k < LFT_P_ALGEBRA; ++k) to[k] = z.c[k];
        }
    }
}

LFT_P_STATIC lft_status LFT_P(doubling_draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out,
                                             double *logdet, lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s   = (const LFT_P(doubling) *)layer->state;
    lft_v                 *out = LFT_P(view)(x_out);
    lft_status             status = LFT_OK;
    LFT_P(doubling_links)(layer, &s->desc, &d, LFT_P(const_view)(x_in), out);
    if (s->desc.conditional == LFT_CONDITIONAL_EXACT) {
        if (score) return lft_p_fail(error, LFT_ERR_ARG, s->name, "the exact conditional has no derivatives");
        status = LFT_P(doubling_exact)(layer, &d, out, out, -1, logdet, error);
    }
    if (tape && !s->desc.fixed_gauge) LFT_P(doubling_keep)(layer, s->desc.axis, out, (lft_v *)tape);
    if (score) LFT_P(doubling_score)(layer, s->desc.axis, out, LFT_P(view)(score), scratch);
    return status;
}

LFT_P_STATIC lft_status LFT_P(doubling_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                                lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    const LFT_P(walk)      walk = LFT_P(walk_of)(&layer->out);
    const lft_v           *out  = LFT_P(const_view)(x_out);
    lft_v                 *in   = LFT_P(view)(x_in);
    LFT_P(place)           p = LFT_P(first_place)();
    int                    y, mu;
    (void)scratch;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, s->desc.axis, &p);
        for (mu = 0; mu < LFT_DIM && !o.second; ++mu) {
            const int i = y * LFT_DIM + mu;
            lft_v    *to = in + (o.site * LFT_DIM + mu) * LFT_P_LINK;
            if (mu != s->desc.axis || !o.two) {
                LFT_P(put)(to, LFT_P(link)(out, i));
                continue;
            }
            LFT_P(mul)((lft_u *)to, LFT_P(link)(out, i), LFT_P(link)(out, i + walk.stride[mu] * LFT_DIM));
            LFT_P(unit)(to);
        }
    }
    if (s->desc.conditional == LFT_CONDITIONAL_HAAR) return LFT_OK;
    return LFT_P(doubling_exact)(layer, NULL, NULL, out, 1, logdet, error);
}

/* Of V^+ U carried back along V; that of V is lost, V does not depend on x_in. */
LFT_P_STATIC lft_status LFT_P(doubling_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                                 double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    const lft_v           *kept = (const lft_v *)tape;
    const size_t           n    = LFT_P(force_vectors)(&layer->in);
    lft_v                 *dx = LFT_P(view)(dx_), *to = LFT_P(vectors)(&scratch, n);
    LFT_P(place)           p = LFT_P(first_place)();
    int                    y, mu, k;
    (void)dlogdet, (void)gradient;
    if (s->desc.conditional != LFT_CONDITIONAL_HAAR) {
        return lft_p_fail(error, LFT_ERR_ARG, s->name, "the exact conditional has no derivatives");
    }
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, s->desc.axis, &p);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            lft_u adjoint;
            lft_z z;
            if (mu == s->desc.axis ? o.two && !o.second : o.second) continue;
            for (k = 0; k < LFT_P_ALGEBRA; ++k) z.c[k] = dx[(y * LFT_DIM + mu) * LFT_P_ALGEBRA + k];
            if (mu == s->desc.axis && o.two && !s->desc.fixed_gauge) {
                LFT_P(adjoint)(&adjoint, LFT_P(link)(kept, o.site));
                LFT_P(carry)(&adjoint, &z);
            }
            for (k = 0; k < LFT_P_ALGEBRA; ++k) to[(o.site * LFT_DIM + mu) * LFT_P_ALGEBRA + k] = z.c[k];
        }
    }
    lft_p_copy(dx, to, n * sizeof(lft_v));
    return LFT_OK;
}

#define LFT_P_FIXED_GAUGE 256 /* a bit beside the conditional */

/* axis, extent, conditional, beta (2), targets */
LFT_P_STATIC int LFT_P(doubling_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(doubling_desc) *d = &((const LFT_P(doubling) *)layer->state)->desc;
    int                        mu;
    number[0] = d->axis, number[1] = d->extent, number[2] = (int64_t)d->conditional | (d->fixed_gauge ? LFT_P_FIXED_GAUGE : 0);
    LFT_P(put_beta)(d->beta, number + 3);
    for (mu = 0; mu < LFT_DIM; ++mu) number[5 + mu] = d->target[mu];
    return 5 + LFT_DIM;
}

LFT_P_STATIC lft_status LFT_P(doubling_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(doubling_desc) *d = (LFT_(doubling_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int                  i;
    *desc = d;
    if (LFT_P(read_count)(n, 5 + LFT_DIM, "numbers of a doubling layer", error)) return LFT_ERR_FORMAT;
    if (!d) return lft_arena_check(arena, error, "model");
    for (i = 0; i < 5 + LFT_DIM; ++i) {
        if (i == 3 || i == 4 || (number[i] >= 0 && number[i] <= 1 << 24)) continue;
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a number of a doubling layer", "0 to 2^24", (double)number[i]);
    }
    d->axis = (int)number[0], d->extent = (int)number[1], d->fixed_gauge = (number[2] & LFT_P_FIXED_GAUGE) != 0;
    d->conditional = (lft_conditional)(number[2] & ~(int64_t)LFT_P_FIXED_GAUGE);
    d->beta = LFT_P(get_beta)(number + 3);
    for (i = 0; i < LFT_DIM; ++i) d->target[i] = (int)number[5 + i];
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(doubling)(void)
{
    static const LFT_(layer_ops) ops = {
        "doubling",
        LFT_P(doubling_init),
        LFT_P(nothing_to_start),
        LFT_P(nothing_to_prepare),
        NULL,
        LFT_P(doubling_inverse),
        LFT_UPTO >= LFT_TRAIN ? LFT_P(doubling_backward) : NULL,
        LFT_P(collect_parameters),
        NULL,
        NULL,
        LFT_P(doubling_spec),
        LFT_P(doubling_read),
        LFT_P(doubling_draw),
    };
    return &ops;
}

#undef LFT_P_FIXED_GAUGE

#endif /* LFT_P_CODE */
