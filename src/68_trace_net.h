/* 68_trace_net.h: a potential that is a net of plaquettes, with force and divergence.
 * Offers (private): LFT_P(trace_net), LFT_P(net_init)(), _start, _prepare, _fields_of, _force, _backward.
 *
 *   S~ = sum_p sum_h a_h sigma(b_h + x_ph),   x_ph = sum_q K_h(p, q) w_q,   w_q = Re tr U_q / N,   sigma = tanh
 * over plaquettes p and units h, q those that p sees, and K depends on nothing but the orbit of the pair (68_plaquette_orbits.h):
 * S~ is invariant. With the derivatives F_q^a = d_l^a w_q and C of sum_a T^a T^a = -C
 *   force       Z_l^a = -d_l^a S~ = -sum_q g_q F_q^a,   g_q = sum_p sum_h a_h sigma'_ph K_h(p, q)
 *   divergence  -sum d_l^a d_l^a S~ = -sum_p sum_h a_h (sigma''_ph Q_ph - 4 C sigma'_ph x_ph),
 *               Q_ph = sum_qq' K_h(p, q) K_h(p, q') sum_l F_q F_q'
 * where l runs over the links that q and q' share. The parts that know nothing of the units come first: what a site has, its
 * features, are w, sum_l F_q F_q of its plaquettes, 2 F_q F_q' for the pairs of plaquettes of its links and, last, w. along a
 * direction; and of these the sums about p by orbits, of which x and Q are products with numbers. Several p of a plane go together:
 * the sums are as many independent ones, and what is the same for all p is read once. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_BLOCK 4 /* sites whose plaquettes go together */

typedef struct LFT_P(trace_net) {
    LFT_(lattice) lattice;
    int           stride[LFT_DIM];
    int           units;
    LFT_P(orbits) about;
    int          *side;   /* [site][plane][4] the links of a plaquette */
    int          *around; /* [link][AROUND] the plaquettes of a link: 4 times their number plus that of the side */
    lft_real     *b;      /* [units] */
    lft_real     *kernel; /* [units][sums]: K, and its products by pairs of orbits */
} LFT_P(trace_net);

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
    const size_t sites = (size_t)lattice->volume, n = (size_t)units;
    lft_p_zero(s, sizeof *s);
    s->lattice = *lattice, s->units = units;
    LFT_P(strides)(lattice, s->stride);
    LFT_P(orbits_init)(&s->about, lattice, reach, arena);
    s->side   = (int *)lft_arena_alloc(arena, sites * 4 * LFT_P_PLANES, sizeof(int));
    s->around = (int *)lft_arena_alloc(arena, sites * LFT_DIM * LFT_P_AROUND, sizeof(int));
    s->b      = (lft_real *)lft_arena_alloc(arena, n, sizeof(lft_real));
    s->kernel = (lft_real *)lft_arena_alloc(arena, n * (size_t)s->about.sums, sizeof(lft_real));
    if (s->side && s->around) LFT_P(net_neighbours)(s);
}

/* b uniform in +-1, and K so that x is of the size of fluctuations of w; a stays 0: no potential. theta: b, K. */
LFT_P_STATIC void LFT_P(net_start)(const LFT_P(trace_net) *s, double *theta)
{
    const lft_draw d = lft_draw_of(0, LFT_DRAW_INIT, 0, 0);
    int            i;
    for (i = 0; i < s->units * (s->about.orbits + 1); ++i) {
        const int    members = i < s->units ? 1 : s->about.members[(i - s->units) % s->about.orbits];
        const double size = i < s->units ? 1 : 2 / lft_p_f64_p_sqrt((double)(s->about.orbits * members));
        theta[i] = size * (2 * lft_uniform(d, (uint32_t)i) - 1);
    }
}

/* From theta: b, K. */
LFT_P_STATIC void LFT_P(net_prepare)(LFT_P(trace_net) *s, const double *theta)
{
    const LFT_P(orbits) *about = &s->about;
    const double        *K = theta + s->units;
    lft_real            *kernel = s->kernel;
    int                  h, o;
    for (h = 0; h < s->units; ++h, K += about->orbits, kernel += about->sums) {
        const int *pair = about->product;
        s->b[h] = (lft_real)theta[h];
        for (o = 0; o < about->orbits; ++o) kernel[o] = (lft_real)K[o];
        for (; o < about->sums; ++o, pair += 2) kernel[o] = (lft_real)(K[pair[0]] * K[pair[1]]);
    }
}

/* ---- fields ------------------------------------------------------------------------------------------------------------- */

/* What a sweep works in. Behind the last site there is one more, where all features are 0. */
typedef struct LFT_P(net_fields) {
    lft_u  *loop;          /* [site][plane], backward */
    lft_z  *push;          /* [site][plane][side] F of the plaquette's links */
    lft_v  *feature, *bar; /* [site][feature], and derivatives by them */
    lft_v  *sum;           /* [sums + orbits][block], last those of w. */
    lft_v  *unit;          /* [3][units][block] derivatives by x, Q and x. */
    lft_v  *grad;          /* [units][sums + 2]: by a, b, and by the numbers of kernel */
    double *wide;          /* the same with lanes */
    int    *cell;          /* [cells][block] where the sites about those of a block have their features */
} LFT_P(net_fields);

LFT_P_STATIC LFT_P(net_fields) LFT_P(net_fields_of)(const LFT_P(trace_net) *s, int backward, lft_arena *arena)
{
    const size_t      sites = (size_t)s->lattice.volume, sums = (size_t)s->about.sums, units = (size_t)s->units;
    LFT_P(net_fields) f;
    f.loop    = (lft_u *)lft_arena_take(arena, backward ? sites * LFT_P_PLANES : 0, sizeof(lft_u));
    f.push    = (lft_z *)lft_arena_take(arena, sites * LFT_P_PLANES * 4, sizeof(lft_z));
    f.feature = LFT_P(vectors)(arena, (sites + 1) * LFT_P_FEATURES);
    f.bar     = LFT_P(vectors)(arena, (sites + 1) * LFT_P_FEATURES);
    f.sum     = LFT_P(vectors)(arena, (sums + (size_t)s->about.orbits) * LFT_P_BLOCK);
    f.unit    = LFT_P(vectors)(arena, 3 * units * LFT_P_BLOCK);
    f.grad    = LFT_P(vectors)(arena, backward ? units * (sums + 2) : 0);
    f.wide    = (double *)lft_arena_alloc(arena, backward ? units * (sums + 2) * LFT_P_LANES : 0, sizeof(double));
    f.cell    = (int *)lft_arena_alloc(arena, (size_t)s->about.cells * LFT_P_BLOCK, sizeof(int));
    return f;
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
    LFT_P(set_zero)(f->feature + s->lattice.volume * LFT_P_FEATURES, LFT_P_FEATURES);
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

/* Of the sites from x on, which p is brought behind, those about them: the cells of one after the other. */
LFT_P_STATIC void LFT_P(net_at)(const LFT_P(trace_net) *s, LFT_P(place) *p, int x, int *cell)
{
    const int width = 2 * s->about.reach + 1;
    int       part[2 * LFT_P_REACH + 1], b, mu, i, n;
    for (b = 0; b < LFT_P_BLOCK; ++b, ++x) {
        const int none = x >= s->lattice.volume;
        cell[b] = none ? s->lattice.volume * LFT_P_FEATURES : 0;
        for (mu = 0, n = 1; mu < LFT_DIM; ++mu, n *= width) {
            const int extent = s->lattice.extent[mu];
            for (i = 0; i < width; ++i) {
                part[i] = none ? 0 : (p->x[mu] + i + s->about.reach * (extent - 1)) % extent * s->stride[mu] * LFT_P_FEATURES;
            }
            for (i = n * width - 1; i >= 0; --i) cell[i * LFT_P_BLOCK + b] = cell[i / width * LFT_P_BLOCK + b] + part[i % width];
        }
        LFT_P(next_place)(&s->lattice, p);
    }
}

/* to[i][block] = sum i about plaquettes number `plane`, i < n, of features `more` behind theirs. */
LFT_P_STATIC void LFT_P(net_gather)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f, int plane, int n, int more, lft_v *to)
{
    const int *first = s->about.first + plane * (s->about.sums + 1);
    int        i, b;
    for (i = 0; i < n; ++i, to += LFT_P_BLOCK) {
        const LFT_P(orbit_term) *t = s->about.term + first[i], *end = s->about.term + first[i + 1];
        lft_v                    total[LFT_P_BLOCK];
        LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) total[b] = lft_splat(0);
        for (; t < end; ++t) {
            const int   *cell    = f->cell + t->cell * LFT_P_BLOCK;
            const lft_v *feature = f->feature + t->feature + more;
            LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) total[b] += feature[cell[b]];
        }
        LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) to[b] = total[b];
    }
}

/* to[block] = sum_i k[i step] x[i][block] */
LFT_P_INLINE void LFT_P(net_dot)(const lft_real *k, int step, const lft_v *x, int n, lft_v *to)
{
    int i, b;
    LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) to[b] = lft_splat(0);
    for (i = 0; i < n; ++i, k += step, x += LFT_P_BLOCK) {
        LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) to[b] += *k * x[b];
    }
}

/* The other way: from the derivatives by x of the units, or by Q or x., those by sums i < n, and what they add to those by the
 * features. */
LFT_P_STATIC void LFT_P(net_spread)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f, int plane, int i, int n, int more,
                                    const lft_v *unit)
{
    const int *first = s->about.first + plane * (s->about.sums + 1);
    int        b;
    for (; i < n; ++i) {
        const LFT_P(orbit_term) *t = s->about.term + first[i], *end = s->about.term + first[i + 1];
        lft_v                    value[LFT_P_BLOCK], total[LFT_P_BLOCK];
        LFT_P(net_dot)(s->kernel + i, s->about.sums, unit, s->units, value);
        for (; t < end; ++t) {
            const int *cell = f->cell + t->cell * LFT_P_BLOCK; /* no two the same, but for the empty one: read, then written */
            lft_v     *bar  = f->bar + t->feature + more;
            LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) total[b] = bar[cell[b]] + value[b];
            LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) bar[cell[b]] = total[b];
        }
    }
}

/* x and Q of unit h from the sums. */
LFT_P_INLINE void LFT_P(net_unit)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f, int h, lft_v *x, lft_v *Q)
{
    const lft_real *K = s->kernel + h * s->about.sums;
    LFT_P(net_dot)(K, 1, f->sum, s->about.orbits, x);
    LFT_P(net_dot)(K + s->about.orbits, 1, f->sum + s->about.orbits * LFT_P_BLOCK, s->about.products, Q);
}

/* Z += the force on every link, div[lane] += the divergence. */
LFT_P_STATIC void LFT_P(net_force)(const LFT_P(trace_net) *s, const double *a, const lft_v *links, lft_v *Z, double *div,
                                   LFT_P(net_fields) f)
{
    const int      volume = s->lattice.volume;
    const lft_real c = (lft_real)(4 * LFT_P(casimir)());
    LFT_P(place)   p = LFT_P(first_place)();
    int            x, k, l, h, b;
    LFT_P(net_features)(s, links, NULL, &f);
    for (x = 0; x <= volume; ++x) LFT_P(set_zero)(f.bar + x * LFT_P_FEATURES, LFT_P_PLANES);
    for (x = 0; x < volume; x += LFT_P_BLOCK) {
        LFT_P(net_at)(s, &p, x, f.cell);
        for (k = 0; k < LFT_P_PLANES; ++k) {
            lft_v rate = lft_splat(0), y[LFT_P_BLOCK], Q[LFT_P_BLOCK];
            LFT_P(net_gather)(s, &f, k, s->about.sums, 0, f.sum);
            for (h = 0; h < s->units; ++h) {
                LFT_P(net_unit)(s, &f, h, y, Q);
                for (b = 0; b < LFT_P_BLOCK; ++b) {
                    const lft_v sigma = LFT_P(tanh)(y[b] + s->b[h]), first = (lft_real)a[h] * (1 - sigma * sigma);
                    rate -= first * (2 * sigma * Q[b] + c * y[b]);
                    f.unit[h * LFT_P_BLOCK + b] = first;
                }
            }
            LFT_P(add_wide)(div, -rate);
            LFT_P(net_spread)(s, &f, k, 0, s->about.orbits, 0, f.unit);
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

/* Of Psi = sum_h a_h (-sigma' x. - kappa (sigma'' Q - 4 C sigma' x)) at plaquettes: f->unit = the derivatives by x, Q and x.; by
 * the parameters, where that is asked for, added to f->grad. */
LFT_P_STATIC void LFT_P(net_unit_back)(const LFT_P(trace_net) *s, const double *a, lft_v kappa, int gradient,
                                       const LFT_P(net_fields) *f)
{
    const int      orbits = s->about.orbits, sums = s->about.sums, part = s->units * LFT_P_BLOCK;
    const lft_real c = (lft_real)(4 * LFT_P(casimir)());
    const lft_v   *rate = f->sum + sums * LFT_P_BLOCK;
    int            h, o, b;
    for (h = 0; h < s->units; ++h) {
        const lft_real a_h = (lft_real)a[h];
        lft_v         *x_bar = f->unit + h * LFT_P_BLOCK, *Q_bar = x_bar + part, *rate_bar = Q_bar + part;
        lft_v         *grad = f->grad + h * (sums + 2), x[LFT_P_BLOCK], Q[LFT_P_BLOCK], x_dot[LFT_P_BLOCK];
        LFT_P(net_unit)(s, f, h, x, Q);
        LFT_P(net_dot)(s->kernel + h * sums, 1, rate, orbits, x_dot);
        for (b = 0; b < LFT_P_BLOCK; ++b) {
            const lft_v sigma = LFT_P(tanh)(x[b] + s->b[h]), first = 1 - sigma * sigma, second = -2 * sigma * first;
            const lft_v third = first * (6 * sigma * sigma - 2);
            const lft_v b_bar = -a_h * (second * x_dot[b] + kappa * (third * Q[b] - c * second * x[b]));
            x_bar[b]    = b_bar + a_h * c * kappa * first;
            Q_bar[b]    = -a_h * kappa * second;
            rate_bar[b] = -a_h * first;
            if (!gradient) continue;
            grad[0] -= first * x_dot[b] + kappa * (second * Q[b] - c * first * x[b]);
            grad[1] += b_bar;
        }
        for (o = 0; gradient && o < sums; ++o) {
            const lft_v *sum = f->sum + o * LFT_P_BLOCK, *dot = rate + o * LFT_P_BLOCK;
            lft_v        total = grad[2 + o];
            if (o < orbits) {
                LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) total += x_bar[b] * sum[b] + rate_bar[b] * dot[b];
            } else {
                LFT_P_UNROLL for (b = 0; b < LFT_P_BLOCK; ++b) total += Q_bar[b] * sum[b];
            }
            grad[2 + o] = total;
        }
    }
}

/* What was added up in lanes is added up in double. */
LFT_P_STATIC void LFT_P(net_widen)(const LFT_P(trace_net) *s, const LFT_P(net_fields) *f)
{
    const int n = s->units * (s->about.sums + 2);
    int       i;
    for (i = 0; i < n; ++i) LFT_P(add_wide)(f->wide + i * LFT_P_LANES, f->grad[i]);
    LFT_P(set_zero)(f->grad, n);
}

/* From the derivatives by the numbers of the kernel to those by a and by theta: b, K. */
LFT_P_STATIC void LFT_P(net_collect)(const LFT_P(trace_net) *s, const double *wide, double *a, double *theta)
{
    const int orbits = s->about.orbits;
    int       h, o, l;
    for (h = 0; h < s->units; ++h) {
        const lft_real *K = s->kernel + h * s->about.sums;
        double         *to = theta + (s->units + h * orbits) * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) a[h * LFT_P_LANES + l] += wide[l], theta[h * LFT_P_LANES + l] += wide[LFT_P_LANES + l];
        wide += 2 * LFT_P_LANES;
        for (o = 0; o < orbits * LFT_P_LANES; ++o) to[o] += wide[o];
        wide += orbits * LFT_P_LANES;
        for (o = 0; o < s->about.products; ++o, wide += LFT_P_LANES) {
            const int i = s->about.product[2 * o], k = s->about.product[2 * o + 1];
            for (l = 0; l < LFT_P_LANES; ++l) {
                to[i * LFT_P_LANES + l] += (double)K[k] * wide[l];
                to[k * LFT_P_LANES + l] += (double)K[i] * wide[l];
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

/* Of Phi = sum y Z + kappa[lane] div: to += its gradient by the links; da[h][lane] and d[...][lane], not NULL, += those by a and by
 * theta: b, K. */
LFT_P_STATIC void LFT_P(net_backward)(const LFT_P(trace_net) *s, const double *a, const lft_v *links, const lft_v *y,
                                      const double *kappa, lft_v *to, double *da, double *d, LFT_P(net_fields) f)
{
    const int    volume = s->lattice.volume, orbits = s->about.orbits, sums = s->about.sums, part = s->units * LFT_P_BLOCK;
    const int    gradient = da != NULL, n = s->units * (sums + 2), rates = LFT_P_FEATURES - LFT_P_PLANES;
    const lft_v  weight = LFT_P(from_wide)(kappa);
    LFT_P(place) p = LFT_P(first_place)();
    int          x, k, q, done = 0;
    LFT_P(net_features)(s, links, y, &f);
    LFT_P(set_zero)(f.bar, (volume + 1) * LFT_P_FEATURES);
    if (gradient) {
        LFT_P(set_zero)(f.grad, n);
        lft_p_zero(f.wide, (size_t)(n * LFT_P_LANES) * sizeof(double));
    }
    for (x = 0; x < volume; x += LFT_P_BLOCK) {
        LFT_P(net_at)(s, &p, x, f.cell);
        for (k = 0; k < LFT_P_PLANES; ++k) {
            LFT_P(net_gather)(s, &f, k, sums, 0, f.sum);
            LFT_P(net_gather)(s, &f, k, orbits, rates, f.sum + sums * LFT_P_BLOCK);
            LFT_P(net_unit_back)(s, a, weight, gradient, &f);
            LFT_P(net_spread)(s, &f, k, 0, orbits, 0, f.unit);
            LFT_P(net_spread)(s, &f, k, orbits, sums, 0, f.unit + part);
            LFT_P(net_spread)(s, &f, k, 0, orbits, rates, f.unit + 2 * part);
            if (gradient && ++done % (LFT_P_CHUNK / LFT_P_BLOCK) == 0) LFT_P(net_widen)(s, &f);
        }
    }
    if (gradient) {
        LFT_P(net_widen)(s, &f);
        LFT_P(net_collect)(s, f.wide, da, d);
    }
    for (q = 0; q < volume * LFT_P_PLANES; ++q) LFT_P(net_plaquette_back)(s, &f, links, y, q, to);
}

#endif /* LFT_P_CODE */
