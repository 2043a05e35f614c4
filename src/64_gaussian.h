/* 64_gaussian.h: a Gaussian field whose spectrum is tied over the lattice's symmetries, and that of the free field.
 * Offers (private): LFT_P(gaussian), LFT_P(gaussian_init)(), _prepare, _draw, _logq, _backward, _scale, _scratch, _transfer;
 *                   LFT_P(free_mass2)(), LFT_P(free_variance)(), LFT_P(free_target)().
 *
 *   z = H (sigma eta), eta ~ N(0, 1):  log q(z) = -sum_k [ (H z)(k)^2 / 2 sigma(k)^2 + log sigma(k) ] - V/2 log 2 pi
 * with sigma even along every axis; H is the Hartley transform. Its user keeps log sigma [orbits] among his parameters. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(gaussian) {
    int             white; /* 1: sigma = 1, without parameters */
    LFT_P(spectrum) spectrum;
    LFT_P(hartley)  hartley;
    lft_real       *sigma, *inverse; /* [count] sigma, 1/sigma */
    double          constant; /* -sum log sigma - V/2 log 2 pi */
} LFT_P(gaussian);

/* ---- the free field S = sum (d phi)^2 + m2 phi^2 ---------------------------------------------------------------------- */

/* m2 where none is given: a correlation length of a quarter of the largest extent. */
LFT_P_STATIC double LFT_P(free_mass2)(double mass2, const int *extent)
{
    int mu, largest = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) largest = extent[mu] > largest ? extent[mu] : largest;
    return mass2 > 0 ? mass2 : 16.0 / ((double)largest * largest);
}

/* The lattice that the free field lives on, `extent` where nothing is given: of its sites every (target / extent)-th is taken. */
LFT_P_STATIC lft_status LFT_P(free_target)(int *target, const int *given, const int *extent, const char *where, lft_error *error)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        target[mu] = given[mu] ? given[mu] : extent[mu];
        if (target[mu] > 0 && target[mu] <= 1 << 24 && target[mu] % extent[mu] == 0) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "target", "a multiple of the extent", target[mu]);
    }
    return LFT_OK;
}

/* <|phi(k)|^2> on every (target / extent)-th site: the mean of 1 / 2 (khat^2 + m2) over the momenta of the target that are
 * 2 pi k_mu / extent_mu there; khat^2 = sum_mu 4 sin^2 of half of a momentum. O(volume of the target / that of the extents). */
LFT_P_STATIC double LFT_P(free_variance)(const int *extent, const int *target, double mass2, const double *k)
{
    double sum = 0;
    int    mu, i, n = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) n *= target[mu] / extent[mu];
    for (i = 0; i < n; ++i) {
        double khat2 = 0, sine, cosine;
        int    rest = i;
        for (mu = 0; mu < LFT_DIM; ++mu) {
            const int times = target[mu] / extent[mu];
            lft_p_f64_p_sincos(6.283185307179586476925 * (k[mu] + rest % times * extent[mu]) / target[mu], &sine, &cosine);
            khat2 += 2 - 2 * cosine;
            rest /= times;
        }
        sum += 0.5 / (khat2 + mass2);
    }
    return sum / n;
}

/* The momentum of a compact index. */
LFT_P_STATIC void LFT_P(gaussian_momentum)(const LFT_P(spectrum) *s, int compact, double *k)
{
    int mu;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        k[mu] = compact % s->half[mu];
        compact /= s->half[mu];
    }
}

/* ---- the field -------------------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(gaussian_init)(LFT_P(gaussian) *p, const LFT_(lattice) *lattice, int apart, int white, lft_arena *arena)
{
    size_t count;
    p->white = white;
    LFT_P(spectrum_init)(&p->spectrum, lattice, apart, arena);
    LFT_P(hartley_init)(&p->hartley, lattice, arena);
    count      = (size_t)p->spectrum.count;
    p->sigma   = (lft_real *)lft_arena_alloc(arena, count, sizeof(lft_real));
    p->inverse = (lft_real *)lft_arena_alloc(arena, count, sizeof(lft_real));
}

/* 1/sigma^2 of another lattice between its momenta, linear in each khat_mu^2, as the free field's is. */
LFT_P_STATIC void LFT_P(gaussian_transfer)(const LFT_P(gaussian) *p, double *log_sigma, const LFT_P(gaussian) *from,
                                           const double *source)
{
    const LFT_P(spectrum) *s = &p->spectrum, *other = &from->spectrum;
    int                    i, corner, mu;
    for (i = 0; !p->white && i < s->count; ++i) {
        double sum = 0;
        for (corner = 0; corner < 1 << LFT_DIM; ++corner) {
            double weight = 1;
            int    rest = i, at = 0, stride = 1;
            for (mu = LFT_DIM - 1; mu >= 0; --mu) {
                const int    extent = other->lattice.extent[mu], last = other->half[mu] - 1;
                const double k = (double)(rest % s->half[mu]) * extent / s->lattice.extent[mu], two_pi = 6.283185307179586476925;
                const int    low = (int)k < last ? (int)k : last, high = low < last ? low + 1 : last;
                double       sine, here, below, above;
                lft_p_f64_p_sincos(two_pi * k / extent, &sine, &here);
                lft_p_f64_p_sincos(two_pi * low / extent, &sine, &below);
                lft_p_f64_p_sincos(two_pi * high / extent, &sine, &above);
                here = low < high ? (below - here) / (below - above) : 0;
                weight *= corner >> mu & 1 ? here : 1 - here;
                at += stride * (corner >> mu & 1 ? high : low);
                rest /= s->half[mu];
                stride *= other->half[mu];
            }
            sum += weight * lft_p_f64_p_exp(-2 * source[other->orbit[at]]);
        }
        log_sigma[s->orbit[i]] = -0.5 * lft_p_f64_p_log(sum);
    }
}

LFT_P_STATIC void LFT_P(gaussian_prepare)(LFT_P(gaussian) *p, const double *log_sigma)
{
    const double half_log_2pi = 0.918938533204672741780;
    int          i;
    p->constant = -half_log_2pi * p->spectrum.lattice.volume;
    for (i = 0; i < p->spectrum.count; ++i) {
        const double value = p->white ? 0 : log_sigma[p->spectrum.orbit[i]];
        p->sigma[i]   = (lft_real)lft_p_f64_p_exp(value);
        p->inverse[i] = (lft_real)lft_p_f64_p_exp(-value);
        p->constant -= value * LFT_P(spectrum_multiplicity)(&p->spectrum, i);
    }
}

/* logq[lane] = constant - sum eta^2 / 2 */
LFT_P_STATIC void LFT_P(gaussian_density)(const LFT_P(gaussian) *p, const lft_v *eta, double *logq)
{
    int l;
    LFT_P(sum_wide)(eta, eta, p->spectrum.lattice.volume, logq);
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = p->constant - 0.5 * logq[l];
}

LFT_P_STATIC size_t LFT_P(gaussian_scratch)(const LFT_P(gaussian) *p)
{
    lft_arena measure = lft_arena_measure();
    size_t    volume  = (size_t)p->spectrum.lattice.volume;
    (void)LFT_P(vectors)(&measure, LFT_P(hartley_panel)(&p->spectrum.lattice));
    (void)LFT_P(vectors)(&measure, volume);
    (void)LFT_P(vectors)(&measure, volume);
    (void)lft_arena_take(&measure, volume, sizeof(double));
    (void)LFT_P(vectors)(&measure, LFT_UPTO >= LFT_TRAIN ? (size_t)p->spectrum.count : 0);
    return measure.need;
}

/* x = H(sigma x), or its transpose x = sigma H x. */
LFT_P_STATIC void LFT_P(gaussian_scale)(const LFT_P(gaussian) *p, lft_v *x, int transposed, lft_arena scratch)
{
    lft_v *panel = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    if (p->white) return;
    if (transposed) LFT_P(hartley_apply)(&p->hartley, x, panel);
    LFT_P(spectrum_product)(&p->spectrum, p->sigma, x, x);
    if (!transposed) LFT_P(hartley_apply)(&p->hartley, x, panel);
}

LFT_P_STATIC void LFT_P(gaussian_draw)(const LFT_P(gaussian) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    const int volume = p->spectrum.lattice.volume;
    lft_v    *eta    = LFT_P(vectors)(&scratch, (size_t)volume);
    double   *work   = (double *)lft_arena_take(&scratch, (size_t)volume, sizeof(double));
    int       x;
    LFT_P(group_normals)(d, volume, eta, work);
    LFT_P(gaussian_density)(p, eta, logq);
    for (x = 0; x < volume; ++x) z[x] = eta[x];
    LFT_P(gaussian_scale)(p, z, 0, scratch);
}

/* grad log q = -H (H z / sigma^2) */
LFT_P_STATIC void LFT_P(gaussian_logq)(const LFT_P(gaussian) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    const int volume = p->spectrum.lattice.volume;
    lft_v    *panel  = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    lft_v    *eta    = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *zhat   = LFT_P(vectors)(&scratch, (size_t)volume);
    int       x;
    for (x = 0; x < volume; ++x) zhat[x] = z[x];
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    LFT_P(spectrum_product)(&p->spectrum, p->inverse, zhat, eta);
    LFT_P(gaussian_density)(p, eta, logq);
    if (!score) return;
    LFT_P(spectrum_product)(&p->spectrum, p->inverse, eta, zhat);
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    for (x = 0; x < volume; ++x) score[x] = -zhat[x];
}

/* By log sigma at fixed eta: z = H (sigma eta), log q(z(eta)) = const - sum log sigma. */
LFT_P_STATIC void LFT_P(gaussian_backward)(const LFT_P(gaussian) *p, const lft_v *z, const lft_v *dz, const double *dlogq,
                                           double *gradient, lft_arena scratch)
{
    const int volume  = p->spectrum.lattice.volume;
    lft_v    *panel   = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    lft_v    *zhat    = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *dzhat   = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *dlambda = LFT_P(vectors)(&scratch, (size_t)p->spectrum.count);
    double    sum     = 0;
    int       x, l;
    if (p->white) return;
    for (l = 0; l < LFT_P_LANES; ++l) sum += dlogq[l];
    for (x = 0; x < volume; ++x) zhat[x] = z[x], dzhat[x] = dz[x];
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    LFT_P(hartley_apply)(&p->hartley, dzhat, panel);
    LFT_P(set_zero)(dlambda, p->spectrum.count);
    LFT_P(spectrum_dot)(&p->spectrum, zhat, dzhat, dlambda);
    for (x = 0; x < p->spectrum.count; ++x) {
        gradient[p->spectrum.orbit[x]] +=
            LFT_P(sum_lanes)(dlambda[x]) - sum * LFT_P(spectrum_multiplicity)(&p->spectrum, x);
    }
}

#endif /* LFT_P_CODE */
