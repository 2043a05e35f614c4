/* 69_trace_net.h: a potential that is a net of plaquettes, with force and divergence.
 * Offers (private): LFT_P(trace_net), LFT_P(net_init)(), _start, _fields_of, _force, _backward; LFT_P_REACH.
 *
 *   S~ = sum_p sum_h a_h sigma(b_h + x_ph),   x_ph = sum_q K_h(p, q) w_q,   w_q = Re tr U_q / N,   sigma = tanh
 * over plaquettes p and units h. q runs over plaquettes whose centres are no farther from that of p than `reach` along any axis,
 * and K depends on nothing but the orbit of the pair under translations and the hypercubic group: S~ is invariant. With the
 * derivatives F_q^a = d_l^a w_q and C of sum_a T^a T^a = -C
 *   force       Z_l^a = -d_l^a S~ = -sum_q g_q F_q^a,   g_q = sum_p sum_h a_h sigma'_ph K_h(p, q)
 *   divergence  -sum d_l^a d_l^a S~ = -sum_p sum_h a_h (sigma''_ph Q_ph - 4 C sigma'_ph x_ph),
 *               Q_ph = sum_qq' K_h(p, q) K_h(p, q') sum_l F_q F_q'
 * where l runs over the links that q and q' share. The parts that know nothing of the units come first: what a site has are w,
 * sum_l F_q F_q of its plaquettes, and 2 F_q F_q' for the pairs of plaquettes of its links; and of these the sums about p, w by
 * orbits and the products F F by pairs of orbits. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_REACH    (6 - LFT_DIM) /* at most */
#define LFT_P_ORBITS   96
#define LFT_P_PLANES   (LFT_DIM * (LFT_DIM - 1) / 2)
#define LFT_P_AROUND   (2 * LFT_DIM - 2) /* plaquettes of a link */
#define LFT_P_COUPLES  (LFT_P_AROUND * (LFT_P_AROUND - 1) / 2)
#define LFT_P_FEATURES (3 * LFT_P_PLANES + LFT_DIM * LFT_P_COUPLES) /* w, F_q F_q, of links 2 F_q F_q', w. */

typedef struct LFT_P(net_term) {
    int site, feature;
} LFT_P(net_term);

/* A sum is over the w of an orbit or, behind these, over the products of a pair of orbits. */
typedef struct LFT_P(trace_net) {
    LFT_(lattice)    lattice;
    int              stride[LFT_DIM];
    int              units, reach, orbits, products, sites;
    int              members[LFT_P_ORBITS]; /* plaquettes of an orbit about one */
    int             *side;    /* [site][plane][4] the links of a plaquette */
    int             *around;  /* [link][AROUND] the plaquettes of a link: 4 times their number plus that of the side */
    int             *offset;  /* [sites][axis] of the sites about one, plus reach */
    int             *first;   /* [planes][sums + 1] */
    int             *product; /* [products][2] */
    LFT_P(net_term) *term;
} LFT_P(trace_net);

/* Values of a, b and K at a time, or derivatives by them with lanes: [units], [units], [units][orbits]. */
typedef struct LFT_P(net_values) {
    double *a, *b, *K;
} LFT_P(net_values);

/* ---- pairs of plaquettes ------------------------------------------------------------------------------------------------ */

#define LFT_P_ENTRIES 2500 /* plaquettes about one, at most */

/* A plaquette, by its corner relative to that of another. */
typedef struct LFT_P(net_entry) {
    int      d[LFT_DIM], plane, orbit;
    uint64_t key;
} LFT_P(net_entry);

/* What the lists are made with: first they are counted, then filled. */
typedef struct LFT_P(net_draft) {
    LFT_P(trace_net) *net;
    LFT_P(net_entry)  entry[LFT_P_ENTRIES];
    int               entries, filling, place[2000];
    short             product[LFT_P_ORBITS][LFT_P_ORBITS];
    int               count[LFT_P_PLANES * (LFT_P_ORBITS * (LFT_P_ORBITS + 3) / 2 + 1)];
    uint64_t          key[LFT_P_ORBITS];
} LFT_P(net_draft);

LFT_P_STATIC void LFT_P(plane_axes)(int plane, int *mu, int *nu)
{
    for (*mu = 0; plane >= LFT_DIM - 1 - *mu; ++*mu) plane -= LFT_DIM - 1 - *mu;
    *nu = *mu + 1 + plane;
}

/* The number of the plane of two axes, mu < nu. */
LFT_P_INLINE int LFT_P(plane_of)(int mu, int nu) { return mu * (2 * LFT_DIM - mu - 1) / 2 + nu - mu - 1; }

/* The links of the plaquette of axes mu < nu at x: 0 mu at x, 1 nu at x + mu, 2 mu at x + nu, 3 nu at x: as U_0 U_1 U_2^+ U_3^+. Of
 * link i the axis, the axis that its site is shifted along or -1, and the number of the plaquette among those of the link. */
LFT_P_INLINE int LFT_P(side_axis)(int i, int mu, int nu) { return i == 0 || i == 2 ? mu : nu; }
LFT_P_INLINE int LFT_P(side_shift)(int i, int mu, int nu) { return i == 1 ? mu : i == 2 ? nu : -1; }
LFT_P_INLINE int LFT_P(side_around)(int i, int mu, int nu)
{
    const int axis = LFT_P(side_axis)(i, mu, nu), other = axis == mu ? nu : mu;
    return 2 * (other < axis ? other : other - 1) + (i == 1 || i == 2);
}

/* The number of a pair of plaquettes of a link. */
LFT_P_INLINE int LFT_P(couple)(int i, int k)
{
    const int a = i < k ? i : k, b = i < k ? k : i;
    return a * (2 * LFT_P_AROUND - a - 1) / 2 + b - a - 1;
}

/* Two pairs are of one orbit if the axes of one can be matched with those of the other so that each is of the same plaquettes
 * and the distances of the centres along it are equal. In order of their distance. */
LFT_P_STATIC uint64_t LFT_P(net_key)(int p, const LFT_P(net_entry) *q, int reach)
{
    int      axis[4], code[LFT_DIM], mu, k;
    uint64_t key = 0, size = 0;
    LFT_P(plane_axes)(p, axis, axis + 1);
    LFT_P(plane_axes)(q->plane, axis + 2, axis + 3);
    for (mu = 0; mu < LFT_DIM; ++mu) {
        const int in_p = axis[0] == mu || axis[1] == mu, in_q = axis[2] == mu || axis[3] == mu;
        int       far = 2 * q->d[mu] + in_q - in_p, c;
        far = far < 0 ? -far : far;
        if (far > 2 * reach) return 0;
        size += (uint64_t)(far * far);
        c = 1 + in_p + 2 * in_q + 4 * far;
        for (k = mu; k > 0 && code[k - 1] > c; --k) code[k] = code[k - 1];
        code[k] = c;
    }
    for (mu = 0; mu < LFT_DIM; ++mu) key = 64 * key + (uint64_t)code[mu];
    return (size << 24) + key;
}

/* All plaquettes about the one of plane p at the origin. */
LFT_P_STATIC void LFT_P(net_entries)(LFT_P(net_draft) *d, int p)
{
    const int        reach = d->net->reach, width = 2 * reach + 1;
    LFT_P(net_entry) q;
    int              box = 1, mu, i, rest;
    for (mu = 0; mu < LFT_DIM; ++mu) box *= width;
    d->entries = 0;
    q.orbit    = 0;
    for (i = 0; i < box; ++i) {
        for (mu = LFT_DIM - 1, rest = i; mu >= 0; --mu, rest /= width) q.d[mu] = rest % width - reach;
        for (q.plane = 0; q.plane < LFT_P_PLANES; ++q.plane) {
            q.key = LFT_P(net_key)(p, &q, reach);
            if (q.key) d->entry[d->entries++] = q;
        }
    }
}

/* The orbits, of pairs with a first plaquette of plane 0: the other planes have the same. */
LFT_P_STATIC void LFT_P(net_orbits)(LFT_P(net_draft) *d)
{
    LFT_P(trace_net) *s = d->net;
    int               i, k, o;
    LFT_P(net_entries)(d, 0);
    for (i = 0; i < d->entries; ++i) {
        const uint64_t key = d->entry[i].key;
        for (k = 0; k < s->orbits && d->key[k] < key; ++k) {}
        if (k == s->orbits || d->key[k] != key) {
            for (o = s->orbits++; o > k; --o) d->key[o] = d->key[o - 1];
            d->key[k] = key;
        }
    }
    for (i = 0; i < d->entries; ++i) {
        for (k = 0; d->key[k] != d->entry[i].key; ++k) {}
        ++s->members[k];
    }
}

/* The number of the site `at` among those about one. */
LFT_P_STATIC int LFT_P(net_site)(LFT_P(net_draft) *d, const int *at)
{
    const int reach = d->net->reach;
    int       code = 0, mu;
    for (mu = 0; mu < LFT_DIM; ++mu) code = code * (2 * reach + 2) + at[mu] + reach;
    if (!d->place[code]) {
        d->place[code] = ++d->net->sites;
        if (d->net->offset) {
            for (mu = 0; mu < LFT_DIM; ++mu) d->net->offset[(d->net->sites - 1) * LFT_DIM + mu] = at[mu] + reach;
        }
    }
    return d->place[code] - 1;
}

LFT_P_STATIC void LFT_P(net_term_add)(LFT_P(net_draft) *d, int plane, int sum, const int *at, int feature)
{
    LFT_P(trace_net) *s  = d->net;
    int              *to = d->count + plane * (LFT_P_ORBITS * (LFT_P_ORBITS + 3) / 2 + 1) + sum;
    LFT_P(net_term)   t;
    t.site = LFT_P(net_site)(d, at), t.feature = feature;
    if (d->filling && s->term) s->term[*to] = t;
    ++*to;
}

/* The number of the sum of products of two orbits. */
LFT_P_STATIC int LFT_P(net_product)(LFT_P(net_draft) *d, int a, int b)
{
    const int i = a < b ? a : b, k = a < b ? b : a;
    if (!d->product[i][k]) d->product[i][k] = (short)++d->net->products;
    if (d->net->product) {
        d->net->product[2 * (d->product[i][k] - 1)]     = i;
        d->net->product[2 * (d->product[i][k] - 1) + 1] = k;
    }
    return d->net->orbits + d->product[i][k] - 1;
}

LFT_P_STATIC int LFT_P(net_same_site)(const LFT_(lattice) *lattice, const int *a, const int *b)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if ((a[mu] - b[mu]) % lattice->extent[mu]) return 0;
    }
    return 1;
}

/* The products of two plaquettes about one: of all links that both have, around a small lattice, too. */
LFT_P_STATIC void LFT_P(net_pair)(LFT_P(net_draft) *d, int p, const LFT_P(net_entry) *a, const LFT_P(net_entry) *b)
{
    const LFT_(lattice) *lattice = &d->net->lattice;
    int                  axis[4], at[LFT_DIM], other[LFT_DIM], i, k;
    if (a->plane == b->plane && LFT_P(net_same_site)(lattice, a->d, b->d)) {
        LFT_P(net_term_add)(d, p, LFT_P(net_product)(d, a->orbit, b->orbit), a->d, LFT_P_PLANES + a->plane);
        if (a != b) LFT_P(net_term_add)(d, p, LFT_P(net_product)(d, a->orbit, b->orbit), a->d, LFT_P_PLANES + a->plane);
        return;
    }
    LFT_P(plane_axes)(a->plane, axis, axis + 1);
    LFT_P(plane_axes)(b->plane, axis + 2, axis + 3);
    for (i = 0; i < 4; ++i) {
        const int mu = LFT_P(side_axis)(i, axis[0], axis[1]), shift = LFT_P(side_shift)(i, axis[0], axis[1]);
        lft_p_copy(at, a->d, sizeof at);
        if (shift >= 0) ++at[shift];
        for (k = 0; k < 4; ++k) {
            const int move = LFT_P(side_shift)(k, axis[2], axis[3]);
            if (LFT_P(side_axis)(k, axis[2], axis[3]) != mu) continue;
            lft_p_copy(other, b->d, sizeof other);
            if (move >= 0) ++other[move];
            if (!LFT_P(net_same_site)(lattice, at, other)) continue;
            LFT_P(net_term_add)(d, p, LFT_P(net_product)(d, a->orbit, b->orbit), at,
                                2 * LFT_P_PLANES + mu * LFT_P_COUPLES + LFT_P(couple)(LFT_P(side_around)(i, axis[0], axis[1]),
                                                                                      LFT_P(side_around)(k, axis[2], axis[3])));
        }
    }
}

/* All terms of all planes, counted or filled in. */
LFT_P_STATIC void LFT_P(net_list)(LFT_P(net_draft) *d)
{
    int p, i, k;
    for (p = 0; p < LFT_P_PLANES; ++p) {
        LFT_P(net_entries)(d, p);
        for (i = 0; i < d->entries; ++i) {
            LFT_P(net_entry) *q = d->entry + i;
            while (d->key[q->orbit] != q->key) ++q->orbit;
            LFT_P(net_term_add)(d, p, q->orbit, q->d, q->plane);
        }
        for (i = 0; i < d->entries; ++i) {
            for (k = i; k < d->entries; ++k) LFT_P(net_pair)(d, p, d->entry + i, d->entry + k);
        }
    }
}

/* The links of every plaquette, and the plaquettes of every link. */
LFT_P_STATIC void LFT_P(net_neighbours)(LFT_P(trace_net) *s)
{
    LFT_P(place) p = LFT_P(first_place)();
    int          x, mu, nu, i;
    for (x = 0; x < s->lattice.volume; ++x, LFT_P(next_place)(&s->lattice, &p)) {
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu) {
                const int q = x * LFT_P_PLANES + LFT_P(plane_of)(mu, nu);
                for (i = 0; i < 4; ++i) {
                    LFT_P(place) at = p;
                    int          link;
                    if (LFT_P(side_shift)(i, mu, nu) >= 0) LFT_P(up)(&s->lattice, s->stride, &at, LFT_P(side_shift)(i, mu, nu));
                    link = at.site * LFT_DIM + LFT_P(side_axis)(i, mu, nu);
                    s->side[4 * q + i] = link;
                    s->around[link * LFT_P_AROUND + LFT_P(side_around)(i, mu, nu)] = 4 * q + i;
                }
            }
        }
    }
}

/* Runs over a measuring arena, too. */
LFT_P_STATIC void LFT_P(net_init)(LFT_P(trace_net) *s, const LFT_(lattice) *lattice, int units, int reach, lft_arena *arena)
{
    const int        width = LFT_P_ORBITS * (LFT_P_ORBITS + 3) / 2 + 1;
    LFT_P(net_draft) d;
    int              p, i, sums, at = 0;
    lft_p_zero(s, sizeof *s);
    lft_p_zero(&d, sizeof d);
    s->lattice = *lattice, s->units = units, s->reach = reach;
    LFT_P(strides)(lattice, s->stride);
    d.net = s;
    LFT_P(net_orbits)(&d);
    LFT_P(net_list)(&d);
    sums       = s->orbits + s->products;
    s->first   = (int *)lft_arena_alloc(arena, (size_t)(LFT_P_PLANES * (sums + 1)), sizeof(int));
    s->product = (int *)lft_arena_alloc(arena, (size_t)(2 * s->products), sizeof(int));
    s->offset  = (int *)lft_arena_alloc(arena, (size_t)(s->sites * LFT_DIM), sizeof(int));
    s->side    = (int *)lft_arena_alloc(arena, (size_t)lattice->volume * 4 * LFT_P_PLANES, sizeof(int));
    s->around  = (int *)lft_arena_alloc(arena, (size_t)lattice->volume * LFT_DIM * LFT_P_AROUND, sizeof(int));
    for (p = 0; p < LFT_P_PLANES; ++p) {
        for (i = 0; i <= sums; ++i) {
            const int n = d.count[p * width + i];
            if (s->first) s->first[p * (sums + 1) + i] = at;
            d.count[p * width + i] = at;
            at += n;
        }
    }
    s->term   = (LFT_P(net_term) *)lft_arena_alloc(arena, (size_t)at, sizeof *s->term);
    d.filling = 1;
    if (!s->term || !s->first || !s->product || !s->offset) return;
    s->sites = 0;
    lft_p_zero(d.place, sizeof d.place);
    LFT_P(net_list)(&d);
    if (s->side && s->around) LFT_P(net_neighbours)(s);
}

/* b uniform in +-1, and K so that x is of the size of fluctuations of w; a stays 0: no potential. theta: b, K. */
LFT_P_STATIC void LFT_P(net_start)(const LFT_P(trace_net) *s, double *theta)
{
    const lft_draw d = lft_draw_of(0, LFT_DRAW_INIT, 0, 0);
    int            i;
    for (i = 0; i < s->units * (s->orbits + 1); ++i) {
        const int    members = i < s->units ? 1 : s->members[(i - s->units) % s->orbits];
        const double size = i < s->units ? 1 : 2 / lft_p_f64_p_sqrt((double)(s->orbits * members));
        theta[i] = size * (2 * lft_uniform(d, (uint32_t)i) - 1);
    }
}

/* ---- fields ------------------------------------------------------------------------------------------------------------- */

/* What a sweep works in. */
typedef struct LFT_P(net_fields) {
    lft_u    *loop;          /* [site][plane], backward */
    lft_z    *push;          /* [site][plane][side] F of the plaquette's links */
    lft_v    *feature, *bar; /* [site][feature] */
    lft_v    *sum, *sum_bar; /* [sums + orbits], last those of w. */
    lft_real *kernel;        /* [units][sums]: K and its products */
    lft_v    *grad;          /* [units][sums + 2]: by a, b, and by the numbers of kernel */
    double   *wide;          /* the same with lanes */
    int      *site;          /* where the sites about one have their features */
} LFT_P(net_fields);

LFT_P_STATIC LFT_P(net_fields) LFT_P(net_fields_of)(const LFT_P(trace_net) *s, int backward, lft_arena *arena)
{
    const size_t      sites = (size_t)s->lattice.volume, sums = (size_t)(s->orbits + s->products), units = (size_t)s->units;
    LFT_P(net_fields) f;
    f.loop    = (lft_u *)lft_arena_take(arena, backward ? sites * LFT_P_PLANES : 0, sizeof(lft_u));
    f.push    = (lft_z *)lft_arena_take(arena, sites * LFT_P_PLANES * 4, sizeof(lft_z));
    f.feature = LFT_P(vectors)(arena, sites * LFT_P_FEATURES);
    f.bar     = LFT_P(vectors)(arena, sites * LFT_P_FEATURES);
    f.sum     = LFT_P(vectors)(arena, sums + (size_t)s->orbits);
    f.sum_bar = LFT_P(vectors)(arena, sums + (size_t)s->orbits);
    f.kernel  = (lft_real *)lft_arena_take(arena, units * sums, sizeof(lft_real));
    f.grad    = LFT_P(vectors)(arena, backward ? units * (sums + 2) : 0);
    f.wide    = (double *)lft_arena_alloc(arena, backward ? units * (sums + 2) * LFT_P_LANES : 0, sizeof(double));
    f.site    = (int *)lft_arena_alloc(arena, (size_t)s->sites, sizeof(int));
    return f;
}

LFT_P_STATIC void LFT_P(net_kernel)(const LFT_P(trace_net) *s, const double *K, lft_real *kernel)
{
    const int sums = s->orbits + s->products;
    int       h, o;
    for (h = 0; h < s->units; ++h, K += s->orbits, kernel += sums) {
        for (o = 0; o < s->orbits; ++o) kernel[o] = (lft_real)K[o];
        for (o = 0; o < s->products; ++o) kernel[s->orbits + o] = (lft_real)(K[s->product[2 * o]] * K[s->product[2 * o + 1]]);
    }
}

LFT_P_INLINE lft_v LFT_P(net_inner)(const lft_z *a, const lft_z *b)
{
    lft_v sum = a->c[0] * b->c[0];
    int   k;
    LFT_P_UNROLL for (k = 1; k < LFT_P_ALGEBRA; ++k) sum += a->c[k] * b->c[k];
    return sum;
}

/* to += x z */
LFT_P_INLINE void LFT_P(net_add)(lft_z *to, lft_v x, const lft_z *z)
{
    int k;
    LFT_P_UNROLL for (k = 0; k < LFT_P_ALGEBRA; ++k) to->c[k] += x * z->c[k];
}

/* F of all plaquettes and their links, and all features; w. from y, not NULL. */
LFT_P_STATIC void LFT_P(net_features)(const LFT_P(trace_net) *s, const lft_v *links, const lft_v *y, LFT_P(net_fields) *f)
{
    const lft_real share = (lft_real)(1.0 / LFT_P_COLOURS);
    int            q, l, k, i, j;
    for (q = 0; q < s->lattice.volume * LFT_P_PLANES; ++q) {
        const int *link    = s->side + 4 * q;
        lft_v     *feature = f->feature + q / LFT_P_PLANES * LFT_P_FEATURES + q % LFT_P_PLANES;
        lft_z     *F       = f->push + 4 * q;
        lft_u      u, v, loop;
        LFT_P(mul)(&u, LFT_P(link)(links, link[0]), LFT_P(link)(links, link[1]));
        LFT_P(mul)(&v, LFT_P(link)(links, link[3]), LFT_P(link)(links, link[2]));
        LFT_P(mul_adj)(&loop, &u, &v);
        feature[0] = share * LFT_P(trace)(&loop, F);
        for (i = 0; i < LFT_P_ALGEBRA; ++i) F[0].c[i] *= share;
        F[1] = F[2] = F[0];
        LFT_P(carry)(LFT_P(link)(links, link[0]), F + 1);
        LFT_P(carry)(LFT_P(link)(links, link[3]), F + 2);
        for (i = 0; i < LFT_P_ALGEBRA; ++i) F[2].c[i] = -F[2].c[i], F[3].c[i] = -F[0].c[i];
        feature[LFT_P_PLANES] = 4 * LFT_P(net_inner)(F, F);
        if (!y) continue;
        f->loop[q] = loop;
        feature += LFT_P_FEATURES - LFT_P_PLANES;
        *feature = lft_splat(0);
        for (i = 0; i < 4; ++i) *feature += LFT_P(net_inner)(F + i, (const lft_z *)(y + link[i] * LFT_P_ALGEBRA));
    }
    for (l = 0; l < s->lattice.volume * LFT_DIM; ++l) {
        const int *side = s->around + l * LFT_P_AROUND;
        lft_v     *to   = f->feature + l / LFT_DIM * LFT_P_FEATURES + 2 * LFT_P_PLANES + l % LFT_DIM * LFT_P_COUPLES;
        for (i = 0, k = 0; i < LFT_P_AROUND; ++i) {
            for (j = i + 1; j < LFT_P_AROUND; ++j, ++k) to[k] = 2 * LFT_P(net_inner)(f->push + side[i], f->push + side[j]);
        }
    }
}

/* Brings the list of sites to p. */
LFT_P_STATIC void LFT_P(net_at)(const LFT_P(trace_net) *s, const LFT_P(place) *p, int *site)
{
    int part[LFT_DIM][2 * LFT_P_REACH + 2], mu, i;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        const int extent = s->lattice.extent[mu];
        for (i = 0; i < 2 * s->reach + 2; ++i) {
            part[mu][i] = (p->x[mu] + i - s->reach + s->reach * extent) % extent * s->stride[mu] * LFT_P_FEATURES;
        }
    }
    for (i = 0; i < s->sites; ++i) {
        for (site[i] = 0, mu = 0; mu < LFT_DIM; ++mu) site[i] += part[mu][s->offset[i * LFT_DIM + mu]];
    }
}

/* sum[i] of the first n sums about a plaquette, or of features `more` behind theirs. */
LFT_P_INLINE void LFT_P(net_sums)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f, int plane, int n, int more, lft_v *sum)
{
    const int *first = s->first + plane * (s->orbits + s->products + 1);
    int        i, t;
    for (i = 0; i < n; ++i) {
        lft_v total = lft_splat(0);
        for (t = first[i]; t < first[i + 1]; ++t) total += f->feature[f->site[s->term[t].site] + s->term[t].feature + more];
        sum[i] = total;
    }
}

/* The other way: what the derivatives by the sums add to those by the features. */
LFT_P_INLINE void LFT_P(net_spread)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f, int plane, int n, int more,
                                    const lft_v *sum)
{
    const int *first = s->first + plane * (s->orbits + s->products + 1);
    int        i, t;
    for (i = 0; i < n; ++i) {
        for (t = first[i]; t < first[i + 1]; ++t) f->bar[f->site[s->term[t].site] + s->term[t].feature + more] += sum[i];
    }
}

LFT_P_INLINE lft_v LFT_P(net_dot)(const lft_real *a, const lft_v *x, int n)
{
    lft_v sum = lft_splat(0);
    int   i;
    for (i = 0; i < n; ++i) sum += a[i] * x[i];
    return sum;
}

/* Of plaquette number `plane` at the site of the list: sum_bar of the orbits = sum_h a_h sigma' K; minus the divergence is
 * returned. */
LFT_P_STATIC lft_v LFT_P(net_unit_sum)(const LFT_P(trace_net) *s, LFT_P(net_values) v, const LFT_P(net_fields) *f)
{
    const int      sums = s->orbits + s->products;
    const lft_real c = (lft_real)(4 * LFT_P(casimir)());
    lft_v          rate = lft_splat(0);
    int            h, o;
    LFT_P(set_zero)(f->sum_bar, s->orbits);
    for (h = 0; h < s->units; ++h) {
        const lft_real *K = f->kernel + h * sums, a = (lft_real)v.a[h];
        const lft_v     x = LFT_P(net_dot)(K, f->sum, s->orbits);
        const lft_v     Q = LFT_P(net_dot)(K + s->orbits, f->sum + s->orbits, s->products);
        const lft_v     sigma = LFT_P(tanh)(x + (lft_real)v.b[h]), first = a * (1 - sigma * sigma), second = -2 * sigma * first;
        rate += second * Q - c * first * x;
        for (o = 0; o < s->orbits; ++o) f->sum_bar[o] += first * K[o];
    }
    return rate;
}

/* Z += the force on every link, div[lane] += the divergence. */
LFT_P_STATIC void LFT_P(net_force)(const LFT_P(trace_net) *s, LFT_P(net_values) v, const lft_v *links, lft_v *Z, double *div,
                                   LFT_P(net_fields) f)
{
    const int    volume = s->lattice.volume, sums = s->orbits + s->products;
    LFT_P(place) p = LFT_P(first_place)();
    int          x, k, l;
    LFT_P(net_features)(s, links, NULL, &f);
    LFT_P(net_kernel)(s, v.K, f.kernel);
    LFT_P(set_zero)(f.bar, volume * LFT_P_FEATURES);
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&s->lattice, &p)) {
        LFT_P(net_at)(s, &p, f.site);
        for (k = 0; k < LFT_P_PLANES; ++k) {
            LFT_P(net_sums)(s, &f, k, sums, 0, f.sum);
            LFT_P(add_wide)(div, -LFT_P(net_unit_sum)(s, v, &f));
            LFT_P(net_spread)(s, &f, k, s->orbits, 0, f.sum_bar);
        }
    }
    for (l = 0; l < volume * LFT_DIM; ++l) {
        const int *side = s->around + l * LFT_P_AROUND;
        for (k = 0; k < LFT_P_AROUND; ++k) {
            const int q = side[k] / 4;
            LFT_P(net_add)((lft_z *)(Z + l * LFT_P_ALGEBRA), -f.bar[q / LFT_P_PLANES * LFT_P_FEATURES + q % LFT_P_PLANES],
                           f.push + side[k]);
        }
    }
}

/* ---- the adjoint -------------------------------------------------------------------------------------------------------- */

/* Of Psi = sum_h a_h (-sigma' x. - kappa (sigma'' Q - 4 C sigma' x)) of a plaquette: f->sum_bar = the derivatives by its sums; by
 * the parameters, where that is asked for, added to f->grad. */
LFT_P_STATIC void LFT_P(net_unit_back)(const LFT_P(trace_net) *s, LFT_P(net_values) v, lft_v kappa, int gradient,
                                       const LFT_P(net_fields) *f)
{
    const int      orbits = s->orbits, products = s->products, sums = orbits + products;
    const lft_real c = (lft_real)(4 * LFT_P(casimir)());
    const lft_v   *rate = f->sum + sums;
    int            h, o;
    LFT_P(set_zero)(f->sum_bar, sums + orbits);
    for (h = 0; h < s->units; ++h) {
        const lft_real *K = f->kernel + h * sums, a = (lft_real)v.a[h];
        const lft_v     x = LFT_P(net_dot)(K, f->sum, orbits), x_dot = LFT_P(net_dot)(K, rate, orbits);
        const lft_v     Q = LFT_P(net_dot)(K + orbits, f->sum + orbits, products);
        const lft_v     sigma = LFT_P(tanh)(x + (lft_real)v.b[h]), first = 1 - sigma * sigma, second = -2 * sigma * first;
        const lft_v     third = first * (6 * sigma * sigma - 2);
        const lft_v     b_bar = -a * (second * x_dot + kappa * (third * Q - c * second * x));
        const lft_v     x_bar = b_bar + a * c * kappa * first, rate_bar = -a * first, Q_bar = -a * kappa * second;
        lft_v          *grad = f->grad + h * (sums + 2);
        for (o = 0; o < orbits; ++o) f->sum_bar[o] += x_bar * K[o], f->sum_bar[sums + o] += rate_bar * K[o];
        for (o = orbits; o < sums; ++o) f->sum_bar[o] += Q_bar * K[o];
        if (!gradient) continue;
        grad[0] -= first * x_dot + kappa * (second * Q - c * first * x);
        grad[1] += b_bar;
        grad += 2;
        for (o = 0; o < orbits; ++o) grad[o] += x_bar * f->sum[o] + rate_bar * rate[o];
        for (o = orbits; o < sums; ++o) grad[o] += Q_bar * f->sum[o];
    }
}

/* What was added up in lanes is added up in double. */
LFT_P_STATIC void LFT_P(net_widen)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f)
{
    const int n = s->units * (s->orbits + s->products + 2);
    int       i;
    for (i = 0; i < n; ++i) LFT_P(add_wide)(f->wide + i * LFT_P_LANES, f->grad[i]);
    LFT_P(set_zero)(f->grad, n);
}

/* From the derivatives by the numbers of the kernel to d. */
LFT_P_STATIC void LFT_P(net_collect)(const LFT_P(trace_net) *s, LFT_P(net_values) v, const double *wide, LFT_P(net_values) d)
{
    int h, o, l;
    for (h = 0; h < s->units; ++h) {
        const double *K = v.K + h * s->orbits;
        double       *to = d.K + h * s->orbits * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) d.a[h * LFT_P_LANES + l] += wide[l], d.b[h * LFT_P_LANES + l] += wide[LFT_P_LANES + l];
        wide += 2 * LFT_P_LANES;
        for (o = 0; o < s->orbits * LFT_P_LANES; ++o) to[o] += wide[o];
        wide += s->orbits * LFT_P_LANES;
        for (o = 0; o < s->products; ++o, wide += LFT_P_LANES) {
            const int i = s->product[2 * o], k = s->product[2 * o + 1];
            for (l = 0; l < LFT_P_LANES; ++l) {
                to[i * LFT_P_LANES + l] += K[k] * wide[l];
                to[k * LFT_P_LANES + l] += K[i] * wide[l];
            }
        }
    }
}

/* e = w.' y + sum_q' 2 (2 F F')' F': the derivative by U of the features of plaquette q is that of Re tr e U at fixed e for side i
 * of it, and what w and F F of the plaquette itself add. */
LFT_P_INLINE void LFT_P(net_pull)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f, int link, int own, lft_v rate_bar,
                                  const lft_v *y, lft_z *e)
{
    const lft_v *couple = f->bar + link / LFT_DIM * LFT_P_FEATURES + 2 * LFT_P_PLANES + link % LFT_DIM * LFT_P_COUPLES;
    const lft_z *along  = (const lft_z *)(y + link * LFT_P_ALGEBRA);
    const int   *side   = s->around + link * LFT_P_AROUND;
    int          k;
    LFT_P_UNROLL for (k = 0; k < LFT_P_ALGEBRA; ++k) e->c[k] = rate_bar * along->c[k];
    for (k = 0; k < LFT_P_AROUND; ++k) {
        if (k != own) LFT_P(net_add)(e, 2 * couple[LFT_P(couple)(own, k)], f->push + side[k]);
    }
}

/* u z u^+ */
LFT_P_INLINE void LFT_P(net_home)(const lft_u *u, lft_z *z)
{
    lft_u back;
    LFT_P(adjoint)(&back, u);
    LFT_P(carry)(&back, z);
}

/* What a plaquette adds to the gradient by its links. Seen from its corner, with e_i carried there and e = e_0 + e_1 - e_2 - e_3,
 * it is B + [g, e] on the way there and -B on the way back, with B^a = Re tr T^a e U / N + w' g^a; and [g, e_1] less of side 0,
 * [g, e_2] more of side 3: e_1 stands on the other side of what moves U_0 than that formula has it, e_2 of what moves U_3. */
LFT_P_STATIC void LFT_P(net_plaquette_back)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f, const lft_v *links,
                                            const lft_v *y, int q, lft_v *to)
{
    const int     *link = s->side + 4 * q;
    const lft_v   *bar = f->bar + q / LFT_P_PLANES * LFT_P_FEATURES + q % LFT_P_PLANES;
    const lft_z   *g = f->push + 4 * q;
    const lft_real share = (lft_real)(1.0 / LFT_P_COLOURS);
    lft_z          e[4], all, there, back, turn;
    lft_w          u, turned;
    int            i, k, mu, nu;
    LFT_P(plane_axes)(q % LFT_P_PLANES, &mu, &nu);
    for (i = 0; i < 4; ++i) {
        LFT_P(net_pull)(s, f, link[i], LFT_P(side_around)(i, mu, nu), bar[LFT_P_FEATURES - LFT_P_PLANES], y, e + i);
    }
    LFT_P(net_home)(LFT_P(link)(links, link[0]), e + 1);
    LFT_P(net_home)(LFT_P(link)(links, link[3]), e + 2);
    for (k = 0; k < LFT_P_ALGEBRA; ++k) {
        all.c[k] = e[0].c[k] + e[1].c[k] - e[2].c[k] - e[3].c[k] + 8 * bar[LFT_P_PLANES] * g->c[k];
    }
    LFT_P(sum_of)(f->loop[q].c, &u);
    LFT_P(sum_turned)(&turned, &all, &u);
    LFT_P(sum_gradient)(&turned, &back);
    LFT_P(bracket)(&there, g, &all);
    for (k = 0; k < LFT_P_ALGEBRA; ++k) {
        back.c[k] = share * back.c[k] + bar[0] * g->c[k];
        there.c[k] += back.c[k];
    }
    LFT_P(bracket)(&turn, g, e + 1);
    for (k = 0; k < LFT_P_ALGEBRA; ++k) to[link[0] * LFT_P_ALGEBRA + k] += there.c[k] - turn.c[k];
    LFT_P(bracket)(&turn, g, e + 2);
    for (k = 0; k < LFT_P_ALGEBRA; ++k) to[link[3] * LFT_P_ALGEBRA + k] -= back.c[k] - turn.c[k];
    LFT_P(carry)(LFT_P(link)(links, link[0]), &there);
    LFT_P(carry)(LFT_P(link)(links, link[3]), &back);
    for (k = 0; k < LFT_P_ALGEBRA; ++k) {
        to[link[1] * LFT_P_ALGEBRA + k] += there.c[k];
        to[link[2] * LFT_P_ALGEBRA + k] -= back.c[k];
    }
}

/* Of Phi = sum y Z + kappa[lane] div: to += its gradient by the links, d[...][lane] += that by the values, d.a not NULL. */
LFT_P_STATIC void LFT_P(net_backward)(const LFT_P(trace_net) *s, LFT_P(net_values) v, const lft_v *links, const lft_v *y,
                                      const double *kappa, lft_v *to, LFT_P(net_values) d, LFT_P(net_fields) f)
{
    const int    volume = s->lattice.volume, sums = s->orbits + s->products, rates = LFT_P_FEATURES - LFT_P_PLANES;
    const int    gradient = d.a != NULL, n = s->units * (sums + 2);
    const lft_v  weight = LFT_P(from_wide)(kappa);
    LFT_P(place) p = LFT_P(first_place)();
    int          x, k, q, done = 0;
    LFT_P(net_features)(s, links, y, &f);
    LFT_P(net_kernel)(s, v.K, f.kernel);
    LFT_P(set_zero)(f.bar, volume * LFT_P_FEATURES);
    if (gradient) {
        LFT_P(set_zero)(f.grad, n);
        lft_p_zero(f.wide, (size_t)(n * LFT_P_LANES) * sizeof(double));
    }
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&s->lattice, &p)) {
        LFT_P(net_at)(s, &p, f.site);
        for (k = 0; k < LFT_P_PLANES; ++k) {
            LFT_P(net_sums)(s, &f, k, sums, 0, f.sum);
            LFT_P(net_sums)(s, &f, k, s->orbits, rates, f.sum + sums);
            LFT_P(net_unit_back)(s, v, weight, gradient, &f);
            LFT_P(net_spread)(s, &f, k, sums, 0, f.sum_bar);
            LFT_P(net_spread)(s, &f, k, s->orbits, rates, f.sum_bar + sums);
            if (gradient && ++done % LFT_P_CHUNK == 0) LFT_P(net_widen)(s, &f);
        }
    }
    if (gradient) {
        LFT_P(net_widen)(s, &f);
        LFT_P(net_collect)(s, v, f.wide, d);
    }
    for (q = 0; q < volume * LFT_P_PLANES; ++q) LFT_P(net_plaquette_back)(s, &f, links, y, q, to);
}

#undef LFT_P_ENTRIES

#endif /* LFT_P_CODE */
