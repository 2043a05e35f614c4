/* 75_gaussian_prior.h: the Gaussian that a flow of scalar fields starts from. Offers what 64_prior.h says.
 *
 *   z = H (sigma eta), eta ~ N(0, 1):  log q(z) = -sum_k [ (H z)(k)^2 / 2 sigma(k)^2 + log sigma(k) ] - V/2 log 2 pi
 * with sigma tied over the hypercubic group; H is the Hartley transform. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(prior) {
    lft_prior_kind  kind;
    double          mass2; /* of the free field at the start */
    LFT_P(spectrum) spectrum;
    LFT_P(hartley)  hartley;
    size_t          params; /* offset of log sigma [orbits] */
    lft_real       *sigma, *inverse; /* [count] sigma, 1/sigma */
    double          constant; /* -sum log sigma - V/2 log 2 pi */
} LFT_P(prior);

LFT_P_STATIC lft_status LFT_P(prior_check)(double kind, lft_status code, const char *where, const char *what, lft_error *error)
{
    if (kind == (double)(int)LFT_PRIOR_FREE || kind == (double)(int)LFT_PRIOR_NORMAL) return LFT_OK;
    return lft_p_fail_got(error, code, where, what, "1 (free) or 2 (normal)", kind);
}

LFT_P_STATIC lft_status LFT_P(prior_init)(LFT_P(prior) *p, lft_prior_kind kind, double mass2, const LFT_(lattice) *lattice,
                                          lft_parameters *set, lft_arena *arena, lft_error *error)
{
    size_t count;
    int    mu, largest = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) largest = lattice->extent[mu] > largest ? lattice->extent[mu] : largest;
    p->kind  = kind ? kind : LFT_PRIOR_FREE;
    p->mass2 = mass2 > 0 ? mass2 : 16.0 / ((double)largest * largest);
    if (LFT_P(prior_check)((double)(int)p->kind, LFT_ERR_ARG, "flow", "prior", error)) return LFT_ERR_ARG;
    LFT_P(spectrum_init)(&p->spectrum, lattice, arena);
    LFT_P(hartley_init)(&p->hartley, lattice, arena);
    count      = (size_t)p->spectrum.count;
    p->sigma   = (lft_real *)lft_arena_alloc(arena, count, sizeof(lft_real));
    p->inverse = (lft_real *)lft_arena_alloc(arena, count, sizeof(lft_real));
    p->params  = set->count;
    if (p->kind == LFT_PRIOR_FREE) lft_declare(set, "prior", "log_sigma", 1, p->spectrum.orbits, 0, 0, 0);
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(prior_spec)(const LFT_P(prior) *p, double *number)
{
    number[0] = (double)(int)p->kind, number[1] = p->mass2;
}

/* khat^2 = sum_mu 4 sin^2(pi k_mu / L_mu) of a compact index. */
LFT_P_STATIC double LFT_P(prior_khat2)(const LFT_P(spectrum) *s, int compact)
{
    double sum = 0, sine, cosine;
    int    mu;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        lft_p_f64_p_sincos(6.283185307179586476925 * (compact % s->half[mu]) / s->lattice.extent[mu], &sine, &cosine);
        sum += 2 - 2 * cosine;
        compact /= s->half[mu];
    }
    return sum;
}

LFT_P_STATIC void LFT_P(prior_start)(const LFT_P(prior) *p, double *theta)
{
    int i;
    for (i = 0; p->kind == LFT_PRIOR_FREE && i < p->spectrum.count; ++i) {
        theta[p->params + (size_t)p->spectrum.orbit[i]] =
            -0.5 * lft_p_f64_p_log(2 * (LFT_P(prior_khat2)(&p->spectrum, i) + p->mass2));
    }
}

/* 1/sigma^2 of another lattice between its momenta, linear in each khat_mu^2, as the free field's is. */
LFT_P_STATIC void LFT_P(prior_transfer)(const LFT_P(prior) *p, double *theta, const LFT_P(prior) *from,
                                        const double *source)
{
    const LFT_P(spectrum) *s = &p->spectrum, *other = &from->spectrum;
    int                    i, corner, mu;
    for (i = 0; p->kind == LFT_PRIOR_FREE && i < s->count; ++i) {
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
            sum += weight * lft_p_f64_p_exp(-2 * source[from->params + (size_t)other->orbit[at]]);
        }
        theta[p->params + (size_t)s->orbit[i]] = -0.5 * lft_p_f64_p_log(sum);
    }
}

LFT_P_STATIC void LFT_P(prior_prepare)(LFT_P(prior) *p, const double *theta)
{
    const double half_log_2pi = 0.918938533204672741780;
    int          i;
    p->constant = -half_log_2pi * p->spectrum.lattice.volume;
    for (i = 0; i < p->spectrum.count; ++i) {
        double log_sigma = p->kind == LFT_PRIOR_FREE ? theta[p->params + (size_t)p->spectrum.orbit[i]] : 0;
        p->sigma[i]      = (lft_real)lft_p_f64_p_exp(log_sigma);
        p->inverse[i]    = (lft_real)lft_p_f64_p_exp(-log_sigma);
        p->constant -= log_sigma * LFT_P(spectrum_multiplicity)(&p->spectrum, i);
    }
}

/* logq[lane] = constant - sum eta^2 / 2 */
LFT_P_STATIC void LFT_P(prior_density)(const LFT_P(prior) *p, const lft_v *eta, double *logq)
{
    int x, l, end, volume = p->spectrum.lattice.volume;
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = 0;
    for (x = 0; x < volume;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) part += eta[x] * eta[x];
        LFT_P(add_wide)(logq, part);
    }
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = p->constant - 0.5 * logq[l];
}

LFT_P_STATIC size_t LFT_P(prior_scratch)(const LFT_P(prior) *p)
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
LFT_P_STATIC void LFT_P(prior_scale)(const LFT_P(prior) *p, lft_v *x, int transposed, lft_arena scratch)
{
    lft_v *panel = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    if (p->kind == LFT_PRIOR_NORMAL) return;
    if (transposed) LFT_P(hartley_apply)(&p->hartley, x, panel);
    LFT_P(spectrum_product)(&p->spectrum, p->sigma, x, x);
    if (!transposed) LFT_P(hartley_apply)(&p->hartley, x, panel);
}

LFT_P_STATIC void LFT_P(prior_draw)(const LFT_P(prior) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    const int volume = p->spectrum.lattice.volume;
    lft_v    *eta    = LFT_P(vectors)(&scratch, (size_t)volume);
    double   *work   = (double *)lft_arena_take(&scratch, (size_t)volume, sizeof(double));
    int       x;
    LFT_P(group_normals)(d, volume, eta, work);
    LFT_P(prior_density)(p, eta, logq);
    for (x = 0; x < volume; ++x) z[x] = eta[x];
    LFT_P(prior_scale)(p, z, 0, scratch);
}

/* grad log q = -H (H z / sigma^2) */
LFT_P_STATIC void LFT_P(prior_logq)(const LFT_P(prior) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    const int volume = p->spectrum.lattice.volume;
    lft_v    *panel  = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    lft_v    *eta    = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *zhat   = LFT_P(vectors)(&scratch, (size_t)volume);
    int       x;
    for (x = 0; x < volume; ++x) zhat[x] = z[x];
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    LFT_P(spectrum_product)(&p->spectrum, p->inverse, zhat, eta);
    LFT_P(prior_density)(p, eta, logq);
    if (!score) return;
    LFT_P(spectrum_product)(&p->spectrum, p->inverse, eta, zhat);
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    for (x = 0; x < volume; ++x) score[x] = -zhat[x];
}

LFT_P_STATIC size_t LFT_P(prior_gradient_count)(const LFT_P(prior) *p)
{
    return p->kind == LFT_PRIOR_FREE ? (size_t)p->spectrum.orbits : 0;
}

/* By log sigma at fixed eta: z = H (sigma eta), log q(z(eta)) = const - sum log sigma. */
LFT_P_STATIC void LFT_P(prior_backward)(const LFT_P(prior) *p, const lft_v *z, const lft_v *dz, const double *dlogq,
                                        double *gradient, lft_arena scratch)
{
    const int volume  = p->spectrum.lattice.volume;
    lft_v    *panel   = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    lft_v    *zhat    = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *dzhat   = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *dlambda = LFT_P(vectors)(&scratch, (size_t)p->spectrum.count);
    double    sum     = 0;
    int       x, l;
    if (p->kind == LFT_PRIOR_NORMAL) return;
    for (l = 0; l < LFT_P_LANES; ++l) sum += dlogq[l];
    for (x = 0; x < volume; ++x) zhat[x] = z[x], dzhat[x] = dz[x];
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    LFT_P(hartley_apply)(&p->hartley, dzhat, panel);
    LFT_P(set_zero)(dlambda, p->spectrum.count);
    LFT_P(spectrum_dot)(&p->spectrum, zhat, dzhat, dlambda);
    for (x = 0; x < p->spectrum.count; ++x) {
        gradient[p->params + (size_t)p->spectrum.orbit[x]] +=
            LFT_P(sum_lanes)(dlambda[x]) - sum * LFT_P(spectrum_multiplicity)(&p->spectrum, x);
    }
}

#endif /* LFT_P_CODE */
