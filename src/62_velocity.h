/* 62_velocity.h: the velocity of the equivariant continuous flow, its divergence, and the gradient of both.
 * Offers (private): LFT_P(velocity), LFT_P(velocity_init)(), LFT_P(velocity_fields), LFT_P(velocity_forward)(),
 *                   LFT_P(velocity_backward)().
 *
 *   v_x(phi, t) = sum_j g_j(phi_x) u_j(x) + z(M),     u_j(x) = sum_f sum_y W_jf(x - y; t) s_f(phi_y)
 *   features  s_f(phi) = sin(omega_f phi), and phi itself as the last one if `linear`
 *   gates     g_0 = 1, g_j(phi) = cos(eta_j phi): even, so that v stays odd in phi
 *   zero mode z(M) = sum_q zeta_q(t) sin(kappa_q M),  M the mean of phi
 *   div v     = sum_x sum_j [ g_j(phi_x) a_j(x) + g_j'(phi_x) u_j(x) ] + z'(M),  a_j(x) = sum_f W_jf(0; t) s_f'(phi_x)
 * (2110.02673 eq. 8 and 2207.00283 without gates and zero mode.) The kernels act in momentum space, where they are
 * diagonal: one transform for each feature and one for each gate. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(velocity) {
    LFT_P(spectrum) spectrum;
    LFT_P(hartley)  hartley;
    int             volume, sines, features, gates, zeros; /* features = sines + linear */
    int             times; /* at which the time-dependent tables are given */
    lft_real       *omega, *eta, *kappa; /* [sines], [gates], [zeros] */
    lft_real       *lambda; /* [times][1 + gates][features][spectrum.count] */
    lft_real       *origin; /* [times][1 + gates][features]: W_jf(0) */
    lft_real       *zeta;   /* [times][zeros] */
} LFT_P(velocity);

/* Derivatives at one time, summed over the lanes but for lambda's, whose sum can wait until a time is done with. */
typedef struct LFT_P(velocity_gradient) {
    lft_v  *lambda; /* shapes as above, without the times */
    double *origin, *zeta;
    double *omega, *eta, *kappa;
} LFT_P(velocity_gradient);

/* Fields to work in. u, a, gate and gsine outlive an evaluation. */
typedef struct LFT_P(velocity_fields) {
    lft_v *hat, *sine, *cosine;  /* [volume], one feature at a time; hat = Hartley transform of the feature */
    lft_v *u, *a, *gate, *gsine; /* [gates][volume]: u_j, a_j, cos and sin of eta_j phi */
    lft_v *du, *ds;              /* [1 + gates][volume], [volume]: cotangents, for backward */
} LFT_P(velocity_fields);

LFT_P_STATIC void LFT_P(velocity_init)(LFT_P(velocity) *u, const LFT_(lattice) *lattice, int sines, int linear, int gates,
                                       int zeros, int times, lft_arena *arena)
{
    size_t kernels = (size_t)times * (size_t)(1 + gates) * (size_t)(sines + linear);
    LFT_P(spectrum_init)(&u->spectrum, lattice, -1, arena);
    LFT_P(hartley_init)(&u->hartley, lattice, arena);
    u->volume   = lattice->volume;
    u->sines    = sines;
    u->features = sines + linear;
    u->gates    = gates;
    u->zeros    = zeros;
    u->times    = times;
    u->omega    = (lft_real *)lft_arena_alloc(arena, (size_t)sines, sizeof(lft_real));
    u->eta      = (lft_real *)lft_arena_alloc(arena, (size_t)gates, sizeof(lft_real));
    u->kappa    = (lft_real *)lft_arena_alloc(arena, (size_t)zeros, sizeof(lft_real));
    u->lambda   = (lft_real *)lft_arena_alloc(arena, kernels * (size_t)u->spectrum.count, sizeof(lft_real));
    u->origin   = (lft_real *)lft_arena_alloc(arena, kernels, sizeof(lft_real));
    u->zeta     = (lft_real *)lft_arena_alloc(arena, (size_t)(times * zeros), sizeof(lft_real));
}

LFT_P_STATIC LFT_P(velocity_fields) LFT_P(velocity_scratch)(const LFT_P(velocity) *u, int backward, lft_arena *arena)
{
    LFT_P(velocity_fields) w;
    const size_t volume = (size_t)u->volume, gated = volume * (size_t)u->gates;
    w.hat    = LFT_P(vectors)(arena, volume);
    w.cosine = backward || gated ? LFT_P(vectors)(arena, volume) : NULL;
    w.u      = LFT_P(vectors)(arena, gated);
    w.a      = LFT_P(vectors)(arena, gated);
    w.gate   = LFT_P(vectors)(arena, gated);
    w.gsine  = LFT_P(vectors)(arena, gated);
    w.sine   = backward ? LFT_P(vectors)(arena, volume) : NULL;
    w.du     = backward ? LFT_P(vectors)(arena, volume + gated) : NULL;
    w.ds     = backward ? LFT_P(vectors)(arena, volume) : NULL;
    return w;
}

/* The kernel table entry of gate j and feature f at time t. */
LFT_P_INLINE size_t LFT_P(velocity_kernel)(const LFT_P(velocity) *u, int t, int j, int f)
{
    return ((size_t)t * (size_t)(1 + u->gates) + (size_t)j) * (size_t)u->features + (size_t)f;
}

/* Sines, twice where wanted, and cosines where wanted; cosines are summed over the sites. */
LFT_P_INLINE void LFT_P(velocity_sines)(lft_real omega, const lft_v *phi, int volume, lft_v *hat, lft_v *sine,
                                        lft_v *cosine, double *sum)
{
    int x, end;
    for (x = 0; x < volume;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) {
            lft_v s, c;
            LFT_P(sincos_fast)(omega, phi[x], &s, &c);
            if (hat) hat[x] = s;
            if (sine) sine[x] = s;
            if (cosine) cosine[x] = c;
            if (sum) part += c;
        }
        if (sum) LFT_P(add_wide)(sum, part);
    }
}

/* The mean of the field, summed in double. */
static inline lft_v LFT_P(velocity_mean)(const lft_v *phi, int volume)
{
    double sum[LFT_P_LANES];
    int    l, x, end;
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] = 0;
    for (x = 0; x < volume;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) part += phi[x];
        LFT_P(add_wide)(sum, part);
    }
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] /= volume;
    return LFT_P(from_wide)(sum);
}

/* cos and sin of eta_j phi */
static inline void LFT_P(velocity_gates)(const LFT_P(velocity) *u, const lft_v *phi, const LFT_P(velocity_fields) *w)
{
    const int volume = u->volume;
    int       j;
    for (j = 0; j < u->gates; ++j) {
        LFT_P(velocity_sines)(u->eta[j], phi, volume, w->gsine + j * volume, NULL, w->gate + j * volume, NULL);
    }
}

/* Adds the gates' part: v += sum_j g_j u_j, div += sum_x sum_j (g_j a_j + g_j' u_j). */
static inline void LFT_P(velocity_gates_add)(const LFT_P(velocity) *u, const LFT_P(velocity_fields) *w, lft_v *v,
                                             double *div)
{
    const int volume = u->volume;
    int       j, x, end;
    for (j = 0; j < u->gates; ++j) {
        const lft_v   *a = w->a + j * volume, *uj = w->u + j * volume;
        const lft_v   *gate = w->gate + j * volume, *gsine = w->gsine + j * volume;
        const lft_real eta = u->eta[j];
        for (x = 0; x < volume;) {
            lft_v part = lft_splat(0);
            for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) {
                part += gate[x] * a[x] - eta * gsine[x] * uj[x];
                v[x] += gate[x] * uj[x];
            }
            LFT_P(add_wide)(div, part);
        }
    }
}

/* One feature's share of the u_j and the a_j, given hat and cosine. */
LFT_P_INLINE void LFT_P(velocity_gates_feature)(const LFT_P(velocity) *u, int t, int f, const LFT_P(velocity_fields) *w)
{
    const int volume = u->volume;
    int       j, x;
    for (j = 0; j < u->gates; ++j) {
        const size_t   kernel = LFT_P(velocity_kernel)(u, t, 1 + j, f);
        const lft_real slope  = u->origin[kernel] * (f < u->sines ? u->omega[f] : 1);
        lft_v         *a      = w->a + j * volume;
        LFT_P(spectrum_add_product)(&u->spectrum, u->lambda + kernel * (size_t)u->spectrum.count, w->hat,
                                    w->u + j * volume);
        if (f < u->sines) {
            for (x = 0; x < volume; ++x) a[x] += slope * w->cosine[x];
        } else {
            for (x = 0; x < volume; ++x) a[x] += lft_splat(slope);
        }
    }
}

static inline void LFT_P(velocity_zero_mode)(const LFT_P(velocity) *u, int t, const lft_v *phi, lft_v *v, double *div)
{
    const lft_v mean = LFT_P(velocity_mean)(phi, u->volume);
    lft_v       z = lft_splat(0), dz = lft_splat(0);
    int         q, x;
    for (q = 0; q < u->zeros; ++q) {
        lft_real zeta = u->zeta[t * u->zeros + q];
        lft_v    s, c;
        LFT_P(sincos)(u->kappa[q] * mean, &s, &c);
        z += zeta * s;
        dz += zeta * u->kappa[q] * c;
    }
    LFT_P(add_wide)(div, dz);
    for (x = 0; x < u->volume; ++x) v[x] += z;
}

/* v[volume] and div[lane] at phi and time t. panel: hartley_panel vectors. */
LFT_P_NOINLINE void LFT_P(velocity_forward)(const LFT_P(velocity) *u, int t, const lft_v *phi,
                                            const LFT_P(velocity_fields) *w, lft_v *v, double *div, lft_v *panel)
{
    const int volume = u->volume;
    double    cosines[LFT_P_LANES];
    int       f, j, l;
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
    LFT_P(set_zero)(v, volume);
    LFT_P(set_zero)(w->u, u->gates * volume);
    LFT_P(set_zero)(w->a, u->gates * volume);
    for (f = 0; f < u->features; ++f) {
        const size_t    kernel = LFT_P(velocity_kernel)(u, t, 0, f);
        const lft_real *lambda = u->lambda + kernel * (size_t)u->spectrum.count;
        const lft_real  omega  = f < u->sines ? u->omega[f] : 1;
        for (l = 0; l < LFT_P_LANES; ++l) cosines[l] = f < u->sines ? 0 : volume;
        if (f >= u->sines) lft_p_copy(w->hat, phi, (size_t)volume * sizeof(lft_v));
        else if (u->gates) LFT_P(velocity_sines)(omega, phi, volume, w->hat, NULL, w->cosine, cosines);
        else LFT_P(velocity_sines)(omega, phi, volume, w->hat, NULL, NULL, cosines);
        for (l = 0; l < LFT_P_LANES; ++l) div[l] += (double)(u->origin[kernel] * omega) * cosines[l];
        LFT_P(hartley_apply)(&u->hartley, w->hat, panel);
        LFT_P(spectrum_add_product)(&u->spectrum, lambda, w->hat, v);
        LFT_P(velocity_gates_feature)(u, t, f, w);
    }
    LFT_P(hartley_apply)(&u->hartley, v, panel);
    for (j = 0; j < u->gates; ++j) LFT_P(hartley_apply)(&u->hartley, w->u + j * volume, panel);
    LFT_P(velocity_gates)(u, phi, w);
    LFT_P(velocity_gates_add)(u, w, v, div);
    if (u->zeros) LFT_P(velocity_zero_mode)(u, t, phi, v, div);
}

/* The cotangents of the u_j, transformed. */
static inline void LFT_P(velocity_gates_cotangents)(const LFT_P(velocity) *u, const LFT_P(velocity_fields) *w,
                                                    const lft_v *dv, lft_v ddiv, lft_v *panel)
{
    const int volume = u->volume;
    int       j, x;
    lft_p_copy(w->du, dv, (size_t)volume * sizeof(lft_v));
    for (j = 0; j < u->gates; ++j) {
        const lft_v *gate = w->gate + j * volume, *gsine = w->gsine + j * volume, slope = u->eta[j] * ddiv;
        lft_v       *duj = w->du + (1 + j) * volume;
        for (x = 0; x < volume; ++x) duj[x] = gate[x] * dv[x] - slope * gsine[x];
    }
    for (j = 0; j <= u->gates; ++j) LFT_P(hartley_apply)(&u->hartley, w->du + j * volume, panel);
}

/* The gates' own part of the gradient. */
static inline void LFT_P(velocity_gates_backward)(const LFT_P(velocity) *u, const lft_v *phi,
                                                  const LFT_P(velocity_fields) *w, const lft_v *dv, lft_v ddiv,
                                                  lft_v *dphi, const LFT_P(velocity_gradient) *d)
{
    const int volume = u->volume;
    int       j, x;
    for (j = 0; j < u->gates; ++j) {
        const lft_v   *a = w->a + j * volume, *uj = w->u + j * volume;
        const lft_v   *gate = w->gate + j * volume, *gsine = w->gsine + j * volume;
        const lft_real eta  = u->eta[j];
        lft_v          deta = lft_splat(0);
        for (x = 0; x < volume; ++x) {
            const lft_v dg = uj[x] * dv[x] + ddiv * a[x], dslope = ddiv * uj[x]; /* cotangents of g and of g' */
            dphi[x] -= eta * (gsine[x] * dg + eta * gate[x] * dslope);
            if (d) deta -= phi[x] * gsine[x] * dg + (gsine[x] + eta * phi[x] * gate[x]) * dslope;
        }
        if (d) d->eta[j] += LFT_P(sum_lanes)(deta);
    }
}

static inline void LFT_P(velocity_zero_backward)(const LFT_P(velocity) *u, int t, const lft_v *phi, const lft_v *dv,
                                                 lft_v ddiv, lft_v *dphi, const LFT_P(velocity_gradient) *d)
{
    const lft_v    mean   = LFT_P(velocity_mean)(phi, u->volume);
    const lft_real volume = (lft_real)u->volume;
    lft_v          dz = LFT_P(velocity_mean)(dv, u->volume) * volume, dmean = lft_splat(0);
    int            q, x;
    for (q = 0; q < u->zeros; ++q) {
        const lft_real zeta = u->zeta[t * u->zeros + q], kappa = u->kappa[q];
        lft_v          s, c;
        LFT_P(sincos)(kappa * mean, &s, &c);
        dmean += zeta * kappa * (c * dz - kappa * s * ddiv);
        if (d) {
            d->zeta[q] += LFT_P(sum_lanes)(s * dz + kappa * c * ddiv);
            d->kappa[q] += (double)zeta * LFT_P(sum_lanes)(mean * c * dz + (c - kappa * mean * s) * ddiv);
        }
    }
    dmean = dmean / volume;
    for (x = 0; x < u->volume; ++x) dphi[x] += dmean;
}

/* dphi += of one sine feature, given ds, the cotangent of s_f(phi_x). `gates` is 0 or u->gates: a constant where it is 0,
 * so that the common case has no inner loop. */
LFT_P_INLINE void LFT_P(velocity_sine_backward)(const LFT_P(velocity) *u, int t, int f, int gates, int want,
                                                const lft_v *phi, const LFT_P(velocity_fields) *w, lft_v ddiv,
                                                lft_v *dphi, const LFT_P(velocity_gradient) *d)
{
    const int      volume = u->volume;
    const lft_real omega = u->omega[f], *origin = u->origin + LFT_P(velocity_kernel)(u, t, 0, f);
    const lft_v    scale  = ddiv * omega;
    lft_v          domega = lft_splat(0), dorigin = lft_splat(0);
    int            j, x;
    for (x = 0; x < volume; ++x) {
        const lft_v s = w->sine[x], c = w->cosine[x], slope = c * w->ds[x];
        lft_v       weight = lft_splat(origin[0]);
        for (j = 0; j < gates; ++j) weight += origin[(1 + j) * u->features] * w->gate[j * volume + x];
        dphi[x] += omega * (slope - scale * weight * s);
        if (want) {
            domega += phi[x] * slope + ddiv * weight * (c - omega * phi[x] * s);
            dorigin += c;
        }
    }
    if (!want) return;
    d->omega[f] += LFT_P(sum_lanes)(domega);
    d->origin[f] += LFT_P(sum_lanes)(dorigin * scale);
    for (j = 0; j < gates; ++j) {
        dorigin = lft_splat(0);
        for (x = 0; x < volume; ++x) dorigin += w->gate[j * volume + x] * w->cosine[x];
        d->origin[(1 + j) * u->features + f] += LFT_P(sum_lanes)(dorigin * scale);
    }
}

/* The linear feature: its slope is 1, so the divergence depends on phi through the gates only. */
LFT_P_INLINE void LFT_P(velocity_linear_backward)(const LFT_P(velocity) *u, const LFT_P(velocity_fields) *w, lft_v ddiv,
                                                  lft_v *dphi, const LFT_P(velocity_gradient) *d)
{
    const int volume = u->volume, f = u->sines;
    int       j, x;
    for (x = 0; x < volume; ++x) dphi[x] += w->ds[x];
    if (!d) return;
    d->origin[f] += volume * LFT_P(sum_lanes)(ddiv);
    for (j = 0; j < u->gates; ++j) {
        lft_v sum = lft_splat(0);
        for (x = 0; x < volume; ++x) sum += w->gate[j * volume + x];
        d->origin[(1 + j) * u->features + f] += LFT_P(sum_lanes)(sum * ddiv);
    }
}

/* dphi = dv . (d v/d phi) + ddiv (d div/d phi) at phi and time t, and, where d is not NULL, the same for all parameters
 * added to d. `follows`: w is as velocity_forward left it at the same phi and t. dphi and dv do not overlap. Every feature
 * is computed anew, and transformed anew where its transform matters: to keep them all costs more than that. */
LFT_P_NOINLINE void LFT_P(velocity_backward)(const LFT_P(velocity) *u, int t, const lft_v *phi, int follows,
                                             const LFT_P(velocity_fields) *w, const lft_v *dv, lft_v ddiv, lft_v *dphi,
                                             const LFT_P(velocity_gradient) *d, lft_v *panel)
{
    const int    volume = u->volume, anew = !follows && u->gates > 0;
    const size_t count = (size_t)u->spectrum.count;
    int          f, j;
    LFT_P(set_zero)(dphi, volume);
    if (anew) {
        LFT_P(set_zero)(w->u, u->gates * volume);
        LFT_P(set_zero)(w->a, u->gates * volume);
        LFT_P(velocity_gates)(u, phi, w);
    }
    LFT_P(velocity_gates_cotangents)(u, w, dv, ddiv, panel);
    for (f = 0; f < u->features; ++f) {
        lft_v *hat = d || anew ? w->hat : NULL;
        if (f < u->sines) LFT_P(velocity_sines)(u->omega[f], phi, volume, hat, w->sine, w->cosine, NULL);
        else if (hat) lft_p_copy(hat, phi, (size_t)volume * sizeof(lft_v));
        if (hat) LFT_P(hartley_apply)(&u->hartley, hat, panel);
        if (anew) LFT_P(velocity_gates_feature)(u, t, f, w);
        for (j = 0; j <= u->gates; ++j) {
            const lft_real *lambda = u->lambda + LFT_P(velocity_kernel)(u, t, j, f) * count;
            const lft_v    *duj    = w->du + j * volume;
            if (j == 0) LFT_P(spectrum_product)(&u->spectrum, lambda, duj, w->ds);
            else LFT_P(spectrum_add_product)(&u->spectrum, lambda, duj, w->ds);
            if (d) LFT_P(spectrum_dot)(&u->spectrum, hat, duj, d->lambda + (size_t)(j * u->features + f) * count);
        }
        LFT_P(hartley_apply)(&u->hartley, w->ds, panel);
        if (f >= u->sines) LFT_P(velocity_linear_backward)(u, w, ddiv, dphi, d);
        else if (u->gates) LFT_P(velocity_sine_backward)(u, t, f, u->gates, d != NULL, phi, w, ddiv, dphi, d);
        else if (d) LFT_P(velocity_sine_backward)(u, t, f, 0, 1, phi, w, ddiv, dphi, d);
        else LFT_P(velocity_sine_backward)(u, t, f, 0, 0, phi, w, ddiv, dphi, d);
    }
    for (j = 0; anew && j < u->gates; ++j) LFT_P(hartley_apply)(&u->hartley, w->u + j * volume, panel);
    LFT_P(velocity_gates_backward)(u, phi, w, dv, ddiv, dphi, d);
    if (u->zeros) LFT_P(velocity_zero_backward)(u, t, phi, dv, ddiv, dphi, d);
}

#endif /* LFT_P_CODE */
