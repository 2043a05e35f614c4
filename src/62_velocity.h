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
 * diagonal: one transform for each feature and one for each gate. A few features at a time are in work, so that they are
 * read once where they are mixed; and a stretch of whole rows at a time, so that what is done with one feature after the
 * other, the transform along the rows included, finds it in the first cache. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(velocity) {
    LFT_P(spectrum) spectrum;
    LFT_P(hartley)  hartley;
    int             volume, sines, features, gates, zeros; /* features = sines + linear */
    int             stretch;    /* sites: as many rows as make LFT_P_CHUNK, at least one */
    int             row, apart; /* of the fields in work, from row to row and from field to field: no large powers of 2, as
                                   columns, and a site of all fields, would meet in the same lines of the cache */
    int             times; /* at which the time-dependent tables are given */
    lft_real       *omega, *eta, *kappa; /* [sines], [gates], [zeros] */
    lft_real       *lambda; /* [times][spectrum.orbits][1 + gates][features] */
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
    lft_v *hat;               /* [spectrum_fields][apart]: transforms of features, or of their cotangents */
    lft_v *u;                 /* [1 + gates][apart]: u_j */
    lft_v *a, *gate, *gsine;  /* [gates][apart]: a_j, cos and sin of eta_j phi */
    lft_v *du;                /* [1 + gates][apart]: cotangents of the u_j, for backward */
    lft_v *part;              /* [spectrum_fields][2 + gates]: lanes of sums of the gradient: by omega, by W_jf(0) */
} LFT_P(velocity_fields);

LFT_P_STATIC void LFT_P(velocity_init)(LFT_P(velocity) *u, const LFT_(lattice) *lattice, int sines, int linear, int gates,
                                       int zeros, int times, lft_arena *arena)
{
    size_t    kernels = (size_t)times * (size_t)(1 + gates) * (size_t)(sines + linear);
    const int length  = LFT_P(row_length)(lattice);
    LFT_P(spectrum_init)(&u->spectrum, lattice, -1, arena);
    LFT_P(hartley_init)(&u->hartley, lattice, arena);
    u->volume   = lattice->volume;
    u->sines    = sines;
    u->features = sines + linear;
    u->gates    = gates;
    u->zeros    = zeros;
    u->times    = times;
    u->row      = length;
    u->stretch  = length < LFT_P_CHUNK ? LFT_P_CHUNK / length * length : length;
    if (LFT_DIM > 1 && length % (LFT_P_CHUNK / 2) == 0) { /* then a stretch is one row: only these are apart */
        u->row     = length + 1;
        u->stretch = length;
    }
    u->apart = u->volume / length * u->row;
    if (u->apart % LFT_P_CHUNK == 0) u->apart += LFT_P_CHUNK / 16;
    u->omega    = (lft_real *)lft_arena_alloc(arena, (size_t)sines, sizeof(lft_real));
    u->eta      = (lft_real *)lft_arena_alloc(arena, (size_t)gates, sizeof(lft_real));
    u->kappa    = (lft_real *)lft_arena_alloc(arena, (size_t)zeros, sizeof(lft_real));
    u->lambda   = (lft_real *)lft_arena_alloc(arena, kernels * (size_t)u->spectrum.orbits, sizeof(lft_real));
    u->origin   = (lft_real *)lft_arena_alloc(arena, kernels, sizeof(lft_real));
    u->zeta     = (lft_real *)lft_arena_alloc(arena, (size_t)(times * zeros), sizeof(lft_real));
}

LFT_P_STATIC LFT_P(velocity_fields) LFT_P(velocity_scratch)(const LFT_P(velocity) *u, int backward, lft_arena *arena)
{
    LFT_P(velocity_fields) w;
    const size_t field = (size_t)u->apart, gated = field * (size_t)u->gates;
    const int    most   = LFT_P(spectrum_fields);
    w.hat   = LFT_P(vectors)(arena, field * (size_t)(u->features < most ? u->features : most));
    w.u     = LFT_P(vectors)(arena, field + gated);
    w.a     = LFT_P(vectors)(arena, gated);
    w.gate  = LFT_P(vectors)(arena, gated);
    w.gsine = LFT_P(vectors)(arena, gated);
    w.du    = LFT_P(vectors)(arena, backward ? field + gated : 0);
    w.part  = LFT_P(vectors)(arena, backward ? (size_t)(most * (2 + u->gates)) : 0);
    return w;
}

/* Of gate j and feature f at time t: the entry of `origin`, and that of `lambda` at momentum 0. */
LFT_P_INLINE size_t LFT_P(velocity_kernel)(const LFT_P(velocity) *u, int t, int j, int f)
{
    return ((size_t)t * (size_t)(1 + u->gates) + (size_t)j) * (size_t)u->features + (size_t)f;
}

LFT_P_INLINE size_t LFT_P(velocity_lambda)(const LFT_P(velocity) *u, int t, int j, int f)
{
    return (size_t)t * (size_t)u->spectrum.orbits * (size_t)((1 + u->gates) * u->features) + (size_t)(j * u->features + f);
}

LFT_P_INLINE LFT_P(spectrum_mixing) LFT_P(velocity_mixing)(const LFT_P(velocity) *u)
{
    LFT_P(spectrum_mixing) m;
    m.spectrum = &u->spectrum;
    m.sets     = 1 + u->gates;
    m.features = u->features;
    m.apart    = u->apart;
    m.row      = u->row;
    return m;
}

/* Where the site `begin` of phi, the first of a row, is in the fields in work. */
LFT_P_INLINE int LFT_P(velocity_at)(const LFT_P(velocity) *u, int begin)
{
    return begin / LFT_P(row_length)(&u->spectrum.lattice) * u->row;
}

/* The transform along the rows from site `begin` to `end` of a field in work */
LFT_P_INLINE void LFT_P(velocity_rows)(const LFT_P(velocity) *u, lft_v *x, int begin, int end, lft_v *panel)
{
    const int rows = (end - begin) / LFT_P(row_length)(&u->spectrum.lattice);
    LFT_P(hartley_rows)(&u->hartley, x + LFT_P(velocity_at)(u, begin), rows, u->row, panel);
}

/* Ends of pieces: of the stretch that begins at a site, of the chunk. */
LFT_P_INLINE int LFT_P(velocity_end)(int begin, int length, int end)
{
    return begin + length < end ? begin + length : end;
}

/* Sines and cosines at n sites, where wanted; the sum of the cosines. */
LFT_P_INLINE lft_v LFT_P(velocity_sines)(lft_real omega, const lft_v *phi, int n, lft_v *sine, lft_v *cosine)
{
    lft_v sum = lft_splat(0);
    int   x;
    for (x = 0; x < n; ++x) {
        lft_v s, c;
        LFT_P(sincos_fast)(omega, phi[x], &s, &c);
        sine[x] = s;
        if (cosine) {
            cosine[x] = c;
            sum += c;
        }
    }
    return sum;
}

/* The mean of the field, summed in double. */
static inline lft_v LFT_P(velocity_mean)(const lft_v *phi, int volume)
{
    double sum[LFT_P_LANES];
    int    l;
    LFT_P(sum_wide)(phi, NULL, volume, sum);
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] /= volume;
    return LFT_P(from_wide)(sum);
}

/* cos and sin of eta_j phi */
static inline void LFT_P(velocity_gates)(const LFT_P(velocity) *u, const lft_v *phi, const LFT_P(velocity_fields) *w)
{
    const int volume = u->volume;
    int       j;
    for (j = 0; j < u->gates; ++j) {
        (void)LFT_P(velocity_sines)(u->eta[j], phi, volume, w->gsine + j * u->apart, w->gate + j * u->apart);
    }
}

/* v = sum_j g_j u_j, div += sum_x sum_j (g_j a_j + g_j' u_j), j > 0, of the u_j that are back but along the rows. */
static inline void LFT_P(velocity_sum)(const LFT_P(velocity) *u, const LFT_P(velocity_fields) *w, lft_v *v, double *div,
                                       lft_v *panel)
{
    const int volume = u->volume;
    int       j, x, begin, stretch, end;
    for (begin = 0; begin < volume; begin = stretch) {
        const int at = LFT_P(velocity_at)(u, begin);
        stretch      = LFT_P(velocity_end)(begin, u->stretch, volume);
        for (j = 0; j <= u->gates; ++j) LFT_P(velocity_rows)(u, w->u + j * u->apart, begin, stretch, panel);
        lft_p_copy(v + begin, w->u + at, (size_t)(stretch - begin) * sizeof(lft_v));
        for (j = 0; j < u->gates; ++j) {
            const lft_v   *a = w->a + j * u->apart, *uj = w->u + (1 + j) * u->apart + at - begin;
            const lft_v   *gate = w->gate + j * u->apart, *gsine = w->gsine + j * u->apart;
            const lft_real eta = u->eta[j];
            for (x = begin; x < stretch;) {
                lft_v part = lft_splat(0);
                for (end = LFT_P(velocity_end)(x, LFT_P_CHUNK, stretch); x < end; ++x) {
                    part += gate[x] * a[x] - eta * gsine[x] * uj[x];
                    v[x] += gate[x] * uj[x];
                }
                LFT_P(add_wide)(div, part);
            }
        }
    }
}

/* Features f ... f + n - 1, transformed. Where `slopes` is wanted their shares of the a_j too, and, unless div is NULL, of
 * div. */
static inline void LFT_P(velocity_features)(const LFT_P(velocity) *u, int t, int f, int n, int slopes, const lft_v *phi,
                                            const LFT_P(velocity_fields) *w, double *div, lft_v *panel)
{
    const int       volume = u->volume;
    const lft_real *origin = u->origin + LFT_P(velocity_kernel)(u, t, 0, f);
    lft_v           cosine[LFT_P_CHUNK];
    int             i, j, x, begin, stretch, at, m;
    for (begin = 0; begin < volume; begin = stretch) {
        stretch = LFT_P(velocity_end)(begin, u->stretch, volume);
        for (at = begin; at < stretch; at += m) {
            lft_v part = lft_splat(0);
            m          = LFT_P(velocity_end)(at, LFT_P_CHUNK, stretch) - at;
            for (j = 0; j < u->gates && slopes && f == 0; ++j) LFT_P(set_zero)(w->a + j * u->apart + at, m);
            for (i = 0; i < n; ++i) {
                lft_v   *hat   = w->hat + i * u->apart + LFT_P(velocity_at)(u, begin) + at - begin;
                lft_real omega = 1;
                lft_v    sum   = lft_splat((lft_real)m);
                if (f + i >= u->sines) {
                    lft_p_copy(hat, phi + at, (size_t)m * sizeof(lft_v));
                    for (x = 0; x < m; ++x) cosine[x] = lft_splat(1);
                } else {
                    omega = u->omega[f + i];
                    if (slopes) sum = LFT_P(velocity_sines)(omega, phi + at, m, hat, cosine);
                    else (void)LFT_P(velocity_sines)(omega, phi + at, m, hat, NULL);
                }
                part += origin[i] * omega * sum;
                for (j = 0; j < u->gates && slopes; ++j) {
                    const lft_real slope = origin[(1 + j) * u->features + i] * omega;
                    lft_v         *a     = w->a + j * u->apart + at;
                    for (x = 0; x < m; ++x) a[x] += slope * cosine[x];
                }
            }
            if (div) LFT_P(add_wide)(div, part);
        }
        for (i = 0; i < n; ++i) LFT_P(velocity_rows)(u, w->hat + i * u->apart, begin, stretch, panel);
    }
    for (i = 0; i < n; ++i) LFT_P(hartley_columns)(&u->hartley, w->hat + i * u->apart, u->row, panel);
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
    const LFT_P(spectrum_mixing) m = LFT_P(velocity_mixing)(u);
    int                          f, j, l, n;
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
    LFT_P(velocity_gates)(u, phi, w);
    for (f = 0; f < u->features; f += n) {
        n = LFT_P(spectrum_at_once)(f, u->features);
        LFT_P(velocity_features)(u, t, f, n, 1, phi, w, div, panel);
        LFT_P(spectrum_mix)(&m, n, f > 0, u->lambda + LFT_P(velocity_lambda)(u, t, 0, f), w->hat, w->u);
    }
    for (j = 0; j <= u->gates; ++j) LFT_P(hartley_columns)(&u->hartley, w->u + j * u->apart, u->row, panel);
    LFT_P(velocity_sum)(u, w, v, div, panel);
    if (u->zeros) LFT_P(velocity_zero_mode)(u, t, phi, v, div);
}

/* The cotangents of the u_j, transformed. */
static inline void LFT_P(velocity_cotangents)(const LFT_P(velocity) *u, const LFT_P(velocity_fields) *w, const lft_v *dv,
                                              lft_v ddiv, lft_v *panel)
{
    const int volume = u->volume;
    int       j, x, begin, end;
    for (j = 0; j <= u->gates; ++j) {
        lft_v *duj = w->du + j * u->apart, *to;
        for (begin = 0; begin < volume; begin = end) {
            end = LFT_P(velocity_end)(begin, u->stretch, volume);
            to  = duj + LFT_P(velocity_at)(u, begin) - begin;
            if (j) {
                const lft_v *gate = w->gate + (j - 1) * u->apart, *gsine = w->gsine + (j - 1) * u->apart;
                const lft_v  slope = u->eta[j - 1] * ddiv;
                for (x = begin; x < end; ++x) to[x] = gate[x] * dv[x] - slope * gsine[x];
            } else {
                lft_p_copy(to + begin, dv + begin, (size_t)(end - begin) * sizeof(lft_v));
            }
            LFT_P(velocity_rows)(u, duj, begin, end, panel);
        }
        LFT_P(hartley_columns)(&u->hartley, duj, u->row, panel);
    }
}

/* The gates' own part of the gradient at sites from `begin` to `end`. spread: ddiv is not 0; else the a_j may be anything. */
LFT_P_INLINE void LFT_P(velocity_gates_backward)(const LFT_P(velocity) *u, int spread, const lft_v *phi,
                                                 const LFT_P(velocity_fields) *w, const lft_v *dv, lft_v ddiv, int begin, int end,
                                                 lft_v *dphi, const LFT_P(velocity_gradient) *d)
{
    const int at = LFT_P(velocity_at)(u, begin) - begin;
    int       j, x;
    for (j = 0; j < u->gates; ++j) {
        const lft_v   *a = w->a + j * u->apart, *uj = w->u + (1 + j) * u->apart + at;
        const lft_v   *gate = w->gate + j * u->apart, *gsine = w->gsine + j * u->apart;
        const lft_real eta  = u->eta[j];
        lft_v          deta = lft_splat(0);
        for (x = begin; x < end; ++x) {
            lft_v dg = uj[x] * dv[x]; /* cotangent of g */
            if (spread) {
                const lft_v dslope = ddiv * uj[x]; /* of g' */
                dg += ddiv * a[x];
                dphi[x] -= eta * eta * gate[x] * dslope;
                deta -= (gsine[x] + eta * phi[x] * gate[x]) * dslope;
            }
            dphi[x] -= eta * gsine[x] * dg;
            deta -= phi[x] * gsine[x] * dg;
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

/* dphi += of sine feature f at n <= LFT_P_CHUNK sites, given ds, the cotangent of s_f(phi_x). weight: sum_j g_j W_jf(0).
 * Constants after inlining: want, whether part[0] += the derivative by omega and part[1 + j] += sum_x g_j cos(omega phi);
 * spread, whether ddiv is not 0: else weight and these sums are not wanted. gate: from the first of these sites on. */
LFT_P_INLINE void LFT_P(velocity_sine_backward)(const LFT_P(velocity) *u, int f, int want, int spread, const lft_v *phi, int n,
                                                const lft_v *weight, const lft_v *ds, const lft_v *gate, lft_v ddiv, lft_v *dphi,
                                                lft_v *part)
{
    const lft_real omega  = u->omega[f];
    const lft_v    scale  = ddiv * omega;
    lft_v          domega = lft_splat(0), sum = lft_splat(0), cosine[LFT_P_CHUNK];
    int            j, x;
    for (x = 0; x < n; ++x) {
        lft_v s, c, slope;
        LFT_P(sincos_fast)(omega, phi[x], &s, &c);
        slope = c * ds[x];
        if (spread) slope -= scale * weight[x] * s;
        if (want) domega += phi[x] * slope;
        if (want && spread) {
            domega += ddiv * weight[x] * c;
            sum += c;
            cosine[x] = c;
        }
        dphi[x] += omega * slope;
    }
    if (want) part[0] += domega;
    if (!want || !spread) return;
    part[1] += sum;
    for (j = 0; j < u->gates; ++j, gate += u->apart) {
        for (sum = lft_splat(0), x = 0; x < n; ++x) sum += gate[x] * cosine[x];
        part[2 + j] += sum;
    }
}

/* The linear feature: its slope is 1, so the divergence depends on phi through the gates only. */
LFT_P_INLINE void LFT_P(velocity_linear_backward)(const LFT_P(velocity) *u, int n, const lft_v *ds, const lft_v *gate, lft_v *dphi,
                                                  lft_v *part)
{
    int j, x;
    for (x = 0; x < n; ++x) dphi[x] += ds[x];
    part[1] += lft_splat((lft_real)n);
    for (j = 0; j < u->gates; ++j, gate += u->apart) {
        lft_v sum = lft_splat(0);
        for (x = 0; x < n; ++x) sum += gate[x];
        part[2 + j] += sum;
    }
}

/* dphi, at sites from `begin` to `end`, += of the features f ... f + n - 1, whose cotangents stand transformed in w->hat. */
LFT_P_INLINE void LFT_P(velocity_features_backward)(const LFT_P(velocity) *u, int t, int f, int n, int want, int spread,
                                                    const lft_v *phi, const LFT_P(velocity_fields) *w, lft_v ddiv, int begin,
                                                    int end, lft_v *dphi)
{
    const int shift = LFT_P(velocity_at)(u, begin) - begin;
    lft_v     weight[LFT_P_CHUNK];
    int       i, j, x, at, m;
    for (at = begin; at < end; at += m) {
        m = LFT_P(velocity_end)(at, LFT_P_CHUNK, end) - at;
        for (i = 0; i < n; ++i) {
            const lft_real *origin = u->origin + LFT_P(velocity_kernel)(u, t, 0, f + i);
            const lft_v    *ds = w->hat + i * u->apart + shift + at, *gate = w->gate + at;
            lft_v          *part = w->part + i * (2 + u->gates);
            if (f + i >= u->sines) {
                LFT_P(velocity_linear_backward)(u, m, ds, gate, dphi + at, part);
                continue;
            }
            for (x = 0; spread && x < m; ++x) weight[x] = lft_splat(origin[0]);
            for (j = 0; spread && j < u->gates; ++j) {
                const lft_real share = origin[(1 + j) * u->features];
                for (x = 0; x < m; ++x) weight[x] += share * gate[j * u->apart + x];
            }
            LFT_P(velocity_sine_backward)(u, f + i, want, spread, phi + at, m, weight, ds, gate, ddiv, dphi + at, part);
        }
    }
}

/* The sums of the features f ... f + n - 1 into the gradient. */
static inline void LFT_P(velocity_collect)(const LFT_P(velocity) *u, int f, int n, const LFT_P(velocity_fields) *w, lft_v ddiv,
                                           const LFT_P(velocity_gradient) *d)
{
    const lft_v *part = w->part;
    int          i, j;
    for (i = f; i < f + n; ++i, part += 2 + u->gates) {
        const lft_v scale = ddiv * (i < u->sines ? u->omega[i] : 1);
        if (i < u->sines) d->omega[i] += LFT_P(sum_lanes)(part[0]);
        for (j = 0; j <= u->gates; ++j) d->origin[j * u->features + i] += LFT_P(sum_lanes)(part[1 + j] * scale);
    }
}

/* dphi = dv . (d v/d phi) + ddiv (d div/d phi) at phi and time t, and, where d is not NULL, the same for all parameters
 * added to d. `follows`: w is as velocity_forward left it at the same phi and t. dphi and dv do not overlap. Every feature
 * is computed anew, and transformed anew where its transform matters: to keep them all costs more than that. */
LFT_P_NOINLINE void LFT_P(velocity_backward)(const LFT_P(velocity) *u, int t, const lft_v *phi, int follows,
                                             const LFT_P(velocity_fields) *w, const lft_v *dv, lft_v ddiv, lft_v *dphi,
                                             const LFT_P(velocity_gradient) *d, lft_v *panel)
{
    const LFT_P(spectrum_mixing) m = LFT_P(velocity_mixing)(u);
    const LFT_P(hartley)        *h = &u->hartley;
    const int                    volume = u->volume;
    const int                    anew = !follows && u->gates > 0;
    const int                    spread = LFT_P(any)(~LFT_P(eq)(ddiv, lft_splat(0)));
    LFT_P(spectrum_wanted)       wanted;
    int                          f, i, j, n, begin, end;
    LFT_P(set_zero)(dphi, volume);
    if (anew) LFT_P(velocity_gates)(u, phi, w);
    LFT_P(velocity_cotangents)(u, w, dv, ddiv, panel);
    for (f = 0; f < u->features; f += n) {
        n = LFT_P(spectrum_at_once)(f, u->features);
        if (d || anew) LFT_P(velocity_features)(u, t, f, n, anew && spread, phi, w, NULL, panel);
        wanted.y       = anew ? w->u : NULL;
        wanted.dlambda = d ? d->lambda + LFT_P(velocity_lambda)(u, 0, 0, f) : NULL;
        wanted.add     = f > 0;
        LFT_P(spectrum_unmix)(&m, n, u->lambda + LFT_P(velocity_lambda)(u, t, 0, f), w->hat, w->du, &wanted);
        LFT_P(set_zero)(w->part, n * (2 + u->gates));
        for (i = 0; i < n; ++i) LFT_P(hartley_columns)(h, w->hat + i * u->apart, u->row, panel);
        for (begin = 0; begin < volume; begin = end) {
            end = LFT_P(velocity_end)(begin, u->stretch, volume);
            for (i = 0; i < n; ++i) LFT_P(velocity_rows)(u, w->hat + i * u->apart, begin, end, panel);
            if (!spread) LFT_P(velocity_features_backward)(u, t, f, n, 1, 0, phi, w, ddiv, begin, end, dphi);
            else if (d) LFT_P(velocity_features_backward)(u, t, f, n, 1, 1, phi, w, ddiv, begin, end, dphi);
            else LFT_P(velocity_features_backward)(u, t, f, n, 0, 1, phi, w, ddiv, begin, end, dphi);
        }
        if (d) LFT_P(velocity_collect)(u, f, n, w, ddiv, d);
    }
    for (j = 1; anew && j <= u->gates; ++j) LFT_P(hartley_columns)(h, w->u + j * u->apart, u->row, panel);
    for (begin = 0; begin < volume && u->gates; begin = end) {
        end = LFT_P(velocity_end)(begin, u->stretch, volume);
        for (j = 1; anew && j <= u->gates; ++j) LFT_P(velocity_rows)(u, w->u + j * u->apart, begin, end, panel);
        if (spread) LFT_P(velocity_gates_backward)(u, 1, phi, w, dv, ddiv, begin, end, dphi, d);
        else LFT_P(velocity_gates_backward)(u, 0, phi, w, dv, ddiv, begin, end, dphi, d);
    }
    if (u->zeros) LFT_P(velocity_zero_backward)(u, t, phi, dv, ddiv, dphi, d);
}

#endif /* LFT_P_CODE */
