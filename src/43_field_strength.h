/* 43_field_strength.h: the field strength of a gauge field, its energy and its topological charge, by clover leaves.
 * Offers (private): LFT_P_PLANES, LFT_P(field_strength)(), LFT_P(field_energy)(), LFT_P(field_charge)(). */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_PLANES (LFT_DIM * (LFT_DIM - 1) / 2) /* mu < nu: 01, 02, 03, 12, 13, 23 */

/* F += z */
LFT_P_INLINE void LFT_P(leaf_add)(lft_v *F, const lft_z *z)
{
    int k;
    LFT_P_UNROLL for (k = 0; k < LFT_P_ALGEBRA; ++k) F[k] += z->c[k];
}

/* The plaquette with its lowest corner at p, as a leaf of the clovers at all of its corners: from the next corner it is
 * U_mu^+ P U_mu. Three products and three carries make four leaves, and repeated links count as often as they occur. */
LFT_P_INLINE void LFT_P(leaves)(const LFT_P(walk) *w, const lft_v *links, LFT_P(place) p, int mu, int nu, lft_v *F)
{
    const size_t site = (size_t)(LFT_P_PLANES * LFT_P_ALGEBRA);
    LFT_P(place) q = p, r, s = p;
    const lft_u *a, *b, *c, *d;
    lft_u        u, v, loop;
    lft_z        z, far;
    LFT_P(up)(w->lattice, w->stride, &q, mu);
    LFT_P(up)(w->lattice, w->stride, &s, nu);
    r = q;
    LFT_P(up)(w->lattice, w->stride, &r, nu);
    a = LFT_P(link)(links, p.site * LFT_DIM + mu), b = LFT_P(link)(links, q.site * LFT_DIM + nu);
    c = LFT_P(link)(links, s.site * LFT_DIM + mu), d = LFT_P(link)(links, p.site * LFT_DIM + nu);
    LFT_P(mul)(&u, a, b);
    LFT_P(mul)(&v, d, c);
    LFT_P(mul_adj)(&loop, &u, &v);
    (void)LFT_P(trace)(&loop, &z);
    LFT_P(leaf_add)(F + site * (size_t)p.site, &z);
    far = z;
    LFT_P(carry)(d, &far);
    LFT_P(leaf_add)(F + site * (size_t)s.site, &far);
    LFT_P(carry)(a, &z);
    LFT_P(leaf_add)(F + site * (size_t)q.site, &z);
    LFT_P(carry)(b, &z);
    LFT_P(leaf_add)(F + site * (size_t)r.site, &z);
}

/* F[site][plane][a] = sum of d^a Re tr over the four leaves. With C the sum of the leaves themselves, the field strength is
 * G_mu,nu = [C - C^+] / 8 without its trace = G^a T^a, G^a = -(LFT_P_METRIC / 4) F^a. */
LFT_P_STATIC void LFT_P(field_strength)(const LFT_P(walk) *walk, const lft_v *links, lft_v *F)
{
    LFT_P(place) p = LFT_P(first_place)();
    int          x, mu, nu;
    LFT_P(set_zero)(F, walk->lattice->volume * LFT_P_PLANES * LFT_P_ALGEBRA);
    for (x = 0; x < walk->lattice->volume; ++x, LFT_P(next_place)(walk->lattice, &p)) {
        lft_v *plane = F;
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu, plane += LFT_P_ALGEBRA) {
                LFT_P(leaves)(walk, links, p, mu, nu, plane);
            }
        }
    }
}

/* E[lane] = (1/V) sum_x G^a_mu,nu G^a_mu,nu / 4, summed over mu, nu and a */
LFT_P_STATIC void LFT_P(field_energy)(const LFT_(lattice) *lattice, const lft_v *F, double *E)
{
    const int    site  = LFT_P_PLANES * LFT_P_ALGEBRA;
    const double scale = LFT_P_METRIC * LFT_P_METRIC / (32.0 * lattice->volume);
    int          x, k, l;
    for (l = 0; l < LFT_P_LANES; ++l) E[l] = 0;
    for (x = 0; x < lattice->volume; ++x, F += site) {
        lft_v sum = lft_splat(0);
        for (k = 0; k < site; ++k) sum += F[k] * F[k];
        LFT_P(add_wide)(E, sum);
    }
    for (l = 0; l < LFT_P_LANES; ++l) E[l] *= scale;
}

/* Q[lane] = -(1 / 32 pi^2) sum_x eps_mnrs tr G_mn G_rs = (1 / 4 pi^2 METRIC) sum_x (G_01 G_23 - G_02 G_13 + G_03 G_12), in
 * four dimensions. */
LFT_P_STATIC void LFT_P(field_charge)(const LFT_(lattice) *lattice, const lft_v *F, double *Q)
{
    const double scale = LFT_P_METRIC / (64 * 9.86960440108935861883);
    int          x, k, l;
    for (l = 0; l < LFT_P_LANES; ++l) Q[l] = 0;
    for (x = 0; x < lattice->volume; ++x, F += LFT_P_PLANES * LFT_P_ALGEBRA) {
        lft_v sum = lft_splat(0);
        for (k = 0; k < LFT_P_ALGEBRA; ++k) {
            const lft_v *f = F + k;
            sum += f[0] * f[5 * LFT_P_ALGEBRA] - f[LFT_P_ALGEBRA] * f[4 * LFT_P_ALGEBRA] +
                   f[2 * LFT_P_ALGEBRA] * f[3 * LFT_P_ALGEBRA];
        }
        LFT_P(add_wide)(Q, sum);
    }
    for (l = 0; l < LFT_P_LANES; ++l) Q[l] *= scale;
}

#endif /* LFT_P_CODE */
