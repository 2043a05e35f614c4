/* 68_plaquette_orbits.h: the plaquettes about one, and the pairs of them that share links, sorted by orbits.
 * Offers (private): LFT_P(orbits), LFT_P(orbits_init)(); LFT_P(plane_axes)(), _plane_of, _side_axis, _side_shift, _side_around,
 * _couple; LFT_P_REACH.
 *
 * A plaquette p sees plaquettes q whose centres are no farther from its own than `reach` along any axis. The orbit of (p, q) is
 * that under translations and the hypercubic group. Sites have features, numbers of lanes: number k and number PLANES + k belong
 * to the plaquette of plane k, those behind to the pairs of plaquettes of a link. About p there is a sum for each orbit, of feature
 * k of its q, and behind these one for each pair of orbits o <= o' with q of o and q' of o' that share links: of the features of
 * their pair, link by link, or of PLANES + k, once, where q' = q. Around a small lattice p sees q more than once, each time as
 * another plaquette. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_REACH    (6 - LFT_DIM) /* at most */
#define LFT_P_ORBITS   96
#define LFT_P_PLANES   (LFT_DIM * (LFT_DIM - 1) / 2)
#define LFT_P_AROUND   (2 * LFT_DIM - 2) /* plaquettes of a link */
#define LFT_P_COUPLES  (LFT_P_AROUND * (LFT_P_AROUND - 1) / 2)
#define LFT_P_FEATURES (3 * LFT_P_PLANES + LFT_DIM * LFT_P_COUPLES)

/* Cells are the sites about that of p, no farther than reach along any axis, counted as sites are. */
typedef struct LFT_P(orbit_term) {
    int cell, feature;
} LFT_P(orbit_term);

typedef struct LFT_P(orbits) {
    int                reach, cells, orbits, products, sums; /* sums = orbits + products */
    int                members[LFT_P_ORBITS];                /* plaquettes of an orbit about one */
    int               *first;                                /* [planes][sums + 1], of the sums' terms */
    int               *product;                              /* [products][2] orbits */
    LFT_P(orbit_term) *term;
} LFT_P(orbits);

/* ---- plaquettes and their links ------------------------------------------------------------------------------------------ */

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

/* ---- orbits -------------------------------------------------------------------------------------------------------------- */

/* What the lists are made with: terms are counted first, then filled in. */
typedef struct LFT_P(orbits_draft) {
    LFT_P(orbits) *to;
    const int     *extent;
    int            filling;
    uint64_t       key[LFT_P_ORBITS]; /* ascending */
    short          product[LFT_P_ORBITS][LFT_P_ORBITS];
    int            count[LFT_P_PLANES][LFT_P_ORBITS * (LFT_P_ORBITS + 3) / 2 + 1]; /* by sums; then where the next goes */
} LFT_P(orbits_draft);

/* The orbit of a plaquette at `at` about that of plane p at 0: two are of one orbit if the axes of one can be matched with those of
 * the other so that each is of the same plaquettes and the distances of the centres along it are equal. Ordered by distance; 0: out
 * of reach. */
LFT_P_STATIC uint64_t LFT_P(orbit_key)(int p, int plane, const int *at, int reach)
{
    int      axis[4], code[LFT_DIM], mu, k;
    uint64_t key = 0, size = 0;
    LFT_P(plane_axes)(p, axis, axis + 1);
    LFT_P(plane_axes)(plane, axis + 2, axis + 3);
    for (mu = 0; mu < LFT_DIM; ++mu) {
        const int in_p = axis[0] == mu || axis[1] == mu, in_q = axis[2] == mu || axis[3] == mu;
        int       far = 2 * at[mu] + in_q - in_p, c;
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

/* Its number, -1 out of reach. */
LFT_P_STATIC int LFT_P(orbit_of)(const LFT_P(orbits_draft) *d, int p, int plane, const int *at)
{
    const uint64_t key = LFT_P(orbit_key)(p, plane, at, d->to->reach);
    int            k = 0;
    while (key && d->key[k] != key) ++k;
    return key ? k : -1;
}

LFT_P_STATIC void LFT_P(cell_place)(int reach, int cell, int *at)
{
    int mu;
    for (mu = LFT_DIM - 1; mu >= 0; --mu, cell /= 2 * reach + 1) at[mu] = cell % (2 * reach + 1) - reach;
}

/* All orbits: those about a plaquette of plane 0, the others have the same. */
LFT_P_STATIC void LFT_P(orbits_find)(LFT_P(orbits_draft) *d)
{
    LFT_P(orbits) *s = d->to;
    int            at[LFT_DIM], i, k, o;
    for (i = 0; i < s->cells * LFT_P_PLANES; ++i) {
        uint64_t key;
        LFT_P(cell_place)(s->reach, i / LFT_P_PLANES, at);
        key = LFT_P(orbit_key)(0, i % LFT_P_PLANES, at, s->reach);
        if (!key) continue;
        for (k = 0; k < s->orbits && d->key[k] < key; ++k) {}
        if (k == s->orbits || d->key[k] != key) {
            for (o = s->orbits++; o > k; --o) d->key[o] = d->key[o - 1], s->members[o] = s->members[o - 1];
            d->key[k] = key, s->members[k] = 0;
        }
        ++s->members[k];
    }
}

/* ---- terms --------------------------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(orbits_add)(LFT_P(orbits_draft) *d, int p, int sum, const int *at, int feature)
{
    LFT_P(orbit_term) t;
    int               mu;
    t.cell = 0, t.feature = feature;
    for (mu = 0; mu < LFT_DIM; ++mu) t.cell = t.cell * (2 * d->to->reach + 1) + (at[mu] + d->to->reach) % d->extent[mu];
    if (d->filling) d->to->term[d->count[p][sum]] = t;
    ++d->count[p][sum];
}

/* Products of a plaquette of orbit o with one at `at`, wherever around the lattice that is seen. */
LFT_P_STATIC void LFT_P(orbits_multiply)(LFT_P(orbits_draft) *d, int p, int o, int plane, const int *at, const int *site,
                                         int feature)
{
    const int reach = d->to->reach;
    int       image[LFT_DIM], mu;
    for (mu = 0; mu < LFT_DIM; ++mu) image[mu] = (at[mu] + reach + d->extent[mu]) % d->extent[mu] - reach;
    do {
        const int other = LFT_P(orbit_of)(d, p, plane, image), a = o < other ? o : other, b = o < other ? other : o;
        if (other >= 0) {
            short *product = &d->product[a][b];
            if (!*product) *product = (short)++d->to->products;
            LFT_P(orbits_add)(d, p, d->to->orbits + *product - 1, site, feature);
        }
        for (mu = 0; mu < LFT_DIM && (image[mu] += d->extent[mu]) > reach; ++mu) {
            image[mu] = (image[mu] + reach) % d->extent[mu] - reach;
        }
    } while (mu < LFT_DIM);
}

/* All terms of plane p: of each plaquette, of it with itself, and with those that follow it about each of its links. */
LFT_P_STATIC void LFT_P(orbits_list)(LFT_P(orbits_draft) *d, int p)
{
    int q[LFT_DIM], site[LFT_DIM], other[LFT_DIM], n, i, k, mu, nu;
    for (n = 0; n < d->to->cells * LFT_P_PLANES; ++n) {
        const int plane = n % LFT_P_PLANES;
        int       o;
        LFT_P(cell_place)(d->to->reach, n / LFT_P_PLANES, q);
        o = LFT_P(orbit_of)(d, p, plane, q);
        if (o < 0) continue;
        LFT_P(orbits_add)(d, p, o, q, plane);
        LFT_P(orbits_multiply)(d, p, o, plane, q, q, LFT_P_PLANES + plane);
        LFT_P(plane_axes)(plane, &mu, &nu);
        for (i = 0; i < 4; ++i) {
            const int axis = LFT_P(side_axis)(i, mu, nu), shift = LFT_P(side_shift)(i, mu, nu), own = LFT_P(side_around)(i, mu, nu);
            lft_p_copy(site, q, sizeof site);
            if (shift >= 0) ++site[shift];
            for (k = own + 1; k < LFT_P_AROUND; ++k) {
                const int across = k / 2 < axis ? k / 2 : k / 2 + 1;
                lft_p_copy(other, site, sizeof other);
                other[across] -= k % 2;
                LFT_P(orbits_multiply)(d, p, o, LFT_P(plane_of)(across < axis ? across : axis, across < axis ? axis : across),
                                       other, site, 2 * LFT_P_PLANES + axis * LFT_P_COUPLES + LFT_P(couple)(own, k));
            }
        }
    }
}

/* Runs over a measuring arena, too. */
LFT_P_STATIC void LFT_P(orbits_init)(LFT_P(orbits) *s, const LFT_(lattice) *lattice, int reach, lft_arena *arena)
{
    LFT_P(orbits_draft) d;
    int                 p, i, k, at = 0;
    lft_p_zero(s, sizeof *s);
    lft_p_zero(&d, sizeof d);
    d.to = s, d.extent = lattice->extent;
    for (s->reach = reach, s->cells = 1, i = 0; i < LFT_DIM; ++i) s->cells *= 2 * reach + 1;
    LFT_P(orbits_find)(&d);
    for (p = 0; p < LFT_P_PLANES; ++p) LFT_P(orbits_list)(&d, p);
    s->sums    = s->orbits + s->products;
    s->first   = (int *)lft_arena_alloc(arena, (size_t)(LFT_P_PLANES * (s->sums + 1)), sizeof(int));
    s->product = (int *)lft_arena_alloc(arena, (size_t)(2 * s->products), sizeof(int));
    for (p = 0; p < LFT_P_PLANES; ++p) {
        for (i = 0; i <= s->sums; ++i) {
            const int n = d.count[p][i];
            if (s->first) s->first[p * (s->sums + 1) + i] = at;
            d.count[p][i] = at;
            at += n;
        }
    }
    s->term = (LFT_P(orbit_term) *)lft_arena_alloc(arena, (size_t)at, sizeof *s->term);
    if (!s->first || !s->product || !s->term) return;
    for (i = 0; i < s->orbits; ++i) {
        for (k = i; k < s->orbits; ++k) {
            const int n = 2 * (d.product[i][k] - 1);
            if (n >= 0) s->product[n] = i, s->product[n + 1] = k;
        }
    }
    d.filling = 1;
    for (p = 0; p < LFT_P_PLANES; ++p) LFT_P(orbits_list)(&d, p);
}

#endif /* LFT_P_CODE */
