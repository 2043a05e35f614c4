/* 42_gauge.h: what every action and observable of a gauge field is made of: rectangles of links, and what they push.
 * Offers: LFT_(gauge_transform)(); private: LFT_P(walk), LFT_P(walk_of)(), LFT_P(way)(), LFT_P(rectangle)(), LFT_P(staples)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* A random gauge transformation of every configuration: U_mu(x) -> g(x) U_mu(x) g(x + mu)^+ with g(x) from the invariant measure.
 * What it changes is no observable. Configuration i takes the random numbers of sample draw.sample + i, site x those of the
 * draw number draw.draw + x. Scratch: gauge_transform_bytes(). LFT_ERR_NOMEM; text in *error (may be NULL). O(n volume). */
LFT_API lft_status LFT_(gauge_transform)(LFT_(batch) *x, lft_draw draw, lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(gauge_transform_bytes)(const LFT_(lattice) *lattice);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_WAY 3 /* links from a corner of a rectangle to the opposite one */

typedef struct LFT_P(walk) {
    const LFT_(lattice) *lattice;
    int                  stride[LFT_DIM];
} LFT_P(walk);

LFT_P_INLINE LFT_P(walk) LFT_P(walk_of)(const LFT_(lattice) *lattice)
{
    LFT_P(walk) w;
    w.lattice = lattice;
    LFT_P(strides)(lattice, w.stride);
    return w;
}

/* From p a steps along mu, then b along nu: the numbers of the a + b links. */
LFT_P_INLINE void LFT_P(way)(const LFT_P(walk) *w, LFT_P(place) p, int mu, int a, int nu, int b, int *link)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < a + b; ++i)
    {
        const int axis = i < a ? mu : nu;
        link[i] = p.site * LFT_DIM + axis;
        if (i + 1 < a + b) LFT_P(up)(w->lattice, w->stride, &p, axis);
    }
}

LFT_P_INLINE const lft_u *LFT_P(link)(const lft_v *links, int i)
{
    return (const lft_u *)(links + i * LFT_P_LINK);
}

/* u = the product of n links, 2 or 3 */
LFT_P_INLINE void LFT_P(path)(const lft_v *links, const int *link, int n, lft_u *u)
{
    lft_u two;
    LFT_P(mul)(n > 2 ? &two : u, LFT_P(link)(links, link[0]), LFT_P(link)(links, link[1]));
    if (n > 2) LFT_P(mul)(u, &two, LFT_P(link)(links, link[2]));
}

/* Adds sign z, carried along the path, to the forces on its links. */
LFT_P_INLINE void LFT_P(push)(const lft_v *links, const int *link, int n, lft_z z, lft_real sign, lft_v *force)
{
    int i, k;
    LFT_P_UNROLL for (i = 0; i < n; ++i)
    {
        lft_v *to = force + link[i] * LFT_P_ALGEBRA;
        LFT_P_UNROLL for (k = 0; k < LFT_P_ALGEBRA; ++k) to[k] += sign * z.c[k];
        if (i + 1 == n) break;
        LFT_P(carry)(LFT_P(link)(links, link[i]), &z);
    }
}

/* Re tr of the a x b rectangle with a corner at p, a and b constant after inlining, a + b <= LFT_P_WAY; where force is not
 * NULL, x times its gradient by every link is added there. The loop U is the way by mu and nu, and back the way by nu and mu. Seen
 * from p its gradient g is that of the first link; that of a later link on the way there is g carried along the way, that of
 * a link on the way back minus g carried along it. Every occurrence of a link counts, so that extents of 1 are right too. */
LFT_P_INLINE lft_v LFT_P(rectangle)(const LFT_P(walk) *w, const lft_v *links, LFT_P(place) p, int mu, int a, int nu, int b,
                                    lft_real x, lft_v *force)
{
    int   there[LFT_P_WAY], back[LFT_P_WAY];
    lft_u u, v, loop;
    lft_z g;
    lft_v trace;
    LFT_P(way)(w, p, mu, a, nu, b, there);
    LFT_P(way)(w, p, nu, b, mu, a, back);
    LFT_P(path)(links, there, a + b, &u);
    LFT_P(path)(links, back, a + b, &v);
    LFT_P(mul_adj)(&loop, &u, &v);
    trace = LFT_P(trace)(&loop, force ? &g : NULL);
    if (force) {
        LFT_P(push)(links, there, a + b, g, x, force);
        LFT_P(push)(links, back, a + b, g, -x, force);
    }
    return trace;
}

/* w = the sum of the staples of link mu at p: Re tr (U w) is the sum of Re tr over the plaquettes through the link. */
LFT_P_STATIC void LFT_P(staples)(const LFT_P(walk) *walk, const lft_v *links, LFT_P(place) p, int mu, lft_w *w)
{
    LFT_P(place) q = p, r;
    lft_u        two, three;
    int          nu;
    LFT_P(up)(walk->lattice, walk->stride, &q, mu);
    LFT_P(sum_none)(w);
    for (nu = 0; nu < LFT_DIM; ++nu) {
        int along, across, end;
        if (nu == mu) continue;
        r = p; /* U_nu(x + mu) U_mu(x + nu)^+ U_nu(x)^+ */
        LFT_P(up)(walk->lattice, walk->stride, &r, nu);
        LFT_P(mul_adj)(&two, LFT_P(link)(links, q.site * LFT_DIM + nu), LFT_P(link)(links, r.site * LFT_DIM + mu));
        LFT_P(mul_adj)(&three, &two, LFT_P(link)(links, p.site * LFT_DIM + nu));
        LFT_P(sum_add)(w, 1, &three);
        r = p; /* U_nu(x + mu - nu)^+ U_mu(x - nu)^+ U_nu(x - nu) */
        LFT_P(down)(walk->lattice, walk->stride, &r, nu);
        along = r.site * LFT_DIM + mu, across = r.site * LFT_DIM + nu;
        LFT_P(up)(walk->lattice, walk->stride, &r, mu);
        end = r.site * LFT_DIM + nu;
        LFT_P(mul)(&two, LFT_P(link)(links, along), LFT_P(link)(links, end));
        LFT_P(adj_mul)(&three, &two, LFT_P(link)(links, across));
        LFT_P(sum_add)(w, 1, &three);
    }
}

/* ---- gauge transformations ------------------------------------------------------------------------------------------- */

LFT_API size_t LFT_(gauge_transform_bytes)(const LFT_(lattice) *lattice)
{
    lft_arena measure = lft_arena_measure();
    (void)LFT_P(vectors)(&measure, (size_t)lattice->volume * LFT_P_LINK);
    return measure.need;
}

LFT_P_STATIC void LFT_P(transform_group)(const LFT_P(walk) *walk, const lft_v *g, lft_v *links)
{
    LFT_P(place) p = LFT_P(first_place)(), q;
    lft_u        u;
    int          x, mu;
    for (x = 0; x < walk->lattice->volume; ++x, LFT_P(next_place)(walk->lattice, &p)) {
        for (mu = 0; mu < LFT_DIM; ++mu, links += LFT_P_LINK) {
            q = p;
            LFT_P(up)(walk->lattice, walk->stride, &q, mu);
            LFT_P(mul)(&u, LFT_P(link)(g, x), LFT_P(link)(links, 0));
            LFT_P(mul_adj)((lft_u *)links, &u, LFT_P(link)(g, q.site));
            LFT_P(unit)(links);
        }
    }
}

LFT_API lft_status LFT_(gauge_transform)(LFT_(batch) *x, lft_draw draw, lft_arena scratch, lft_error *error)
{
    const LFT_P(walk) walk   = LFT_P(walk_of)(&x->lattice);
    lft_v            *g      = LFT_P(vectors)(&scratch, (size_t)x->lattice.volume * LFT_P_LINK);
    const lft_status  status = lft_arena_check(&scratch, error, "gauge_transform");
    int               group;
    for (group = 0; group < x->groups && !status; ++group, draw.sample += LFT_P_LANES) {
        LFT_P(haar_of)(draw, x->lattice.volume, g);
        LFT_P(transform_group)(&walk, g, LFT_P(view)(LFT_P(group)(x, group)));
    }
    return status;
}

#endif /* LFT_P_CODE */
