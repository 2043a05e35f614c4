/* 61_spectrum.h: kernels that are even along every axis and tied over the hypercubic group, in position and in momentum.
 * Offers (private): LFT_P(spectrum), LFT_P(spectrum_init)(), LFT_P(spectrum_of_kernel)() and its transpose,
 *                   LFT_P(spectrum_product)(), _add_product, _dot, _mix, _unmix, _transfer.
 *
 * The compact index of a displacement (or a momentum) folds every component to min(r, L - r): prod (L_mu/2 + 1) entries,
 * row-major. The orbits are those of the permutations of axes of equal extent, one axis left alone if it is `apart`, in order of
 * their smallest compact index.
 * The eigenvalue of the convolution with a kernel w is  lambda(k) = sum_r w(r) prod_mu cos(2 pi k_mu r_mu / L_mu). */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(spectrum) {
    LFT_(lattice) lattice;
    int           half[LFT_DIM];   /* L/2 + 1 */
    int           apart;           /* an axis unlike those of equal extent, or -1 */
    int           count, orbits;   /* compact entries, orbits */
    int          *orbit;           /* [count] */
    int          *compact;         /* [volume] the compact index of each momentum */
    double       *cosine[LFT_DIM]; /* [half][half]: times the number of displacements that fold to r */
} LFT_P(spectrum);

/* Number of sites that fold to a compact index. */
static inline int LFT_P(spectrum_multiplicity)(const LFT_P(spectrum) *s, int compact)
{
    int mu, times = 1;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        int r = compact % s->half[mu];
        times *= r > 0 && 2 * r < s->lattice.extent[mu] ? 2 : 1;
        compact /= s->half[mu];
    }
    return times;
}

/* The smallest compact index of the orbit: components of equal axes in ascending order. */
LFT_P_STATIC int LFT_P(spectrum_representative)(const LFT_P(spectrum) *s, int compact)
{
    int r[LFT_DIM], mu, nu, index = 0;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        r[mu] = compact % s->half[mu];
        compact /= s->half[mu];
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = mu + 1; nu < LFT_DIM; ++nu) {
            if (s->lattice.extent[mu] == s->lattice.extent[nu] && mu != s->apart && nu != s->apart && r[nu] < r[mu]) {
                int swap = r[mu];
                r[mu]    = r[nu];
                r[nu]    = swap;
            }
        }
    }
    for (mu = 0; mu < LFT_DIM; ++mu) index = index * s->half[mu] + r[mu];
    return index;
}

LFT_P_STATIC void LFT_P(spectrum_init)(LFT_P(spectrum) *s, const LFT_(lattice) *lattice, int apart, lft_arena *arena)
{
    int mu, i, j;
    s->lattice = *lattice;
    s->apart   = apart;
    s->count   = 1;
    s->orbits  = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        s->half[mu] = lattice->extent[mu] / 2 + 1;
        s->count *= s->half[mu];
    }
    for (i = 0; i < s->count; ++i) s->orbits += LFT_P(spectrum_representative)(s, i) == i;
    s->orbit   = (int *)lft_arena_alloc(arena, (size_t)s->count, sizeof(int));
    s->compact = (int *)lft_arena_alloc(arena, (size_t)lattice->volume, sizeof(int));
    for (mu = 0; mu < LFT_DIM; ++mu) {
        const int h      = s->half[mu], extent = lattice->extent[mu];
        double   *cosine = (double *)lft_arena_alloc(arena, (size_t)h * (size_t)h, sizeof(double)), sine;
        s->cosine[mu]    = cosine;
        for (i = 0; cosine && i < h; ++i) {
            for (j = 0; j < h; ++j) {
                lft_p_f64_p_sincos(6.283185307179586476925 * (double)((int64_t)i * j % extent) / extent, &sine,
                                   cosine + i * h + j);
                if (j > 0 && 2 * j < extent) cosine[i * h + j] *= 2;
            }
        }
    }
    if (!s->orbit || !s->compact) return;
    for (i = 0, j = 0; i < s->count; ++i) {
        int r       = LFT_P(spectrum_representative)(s, i);
        s->orbit[i] = r == i ? j++ : s->orbit[r];
    }
    for (i = 0; i < lattice->volume; ++i) {
        int rest = i, stride = 1;
        for (s->compact[i] = 0, mu = LFT_DIM - 1; mu >= 0; --mu) {
            int extent = lattice->extent[mu], k = rest % extent;
            s->compact[i] += stride * (2 * k < extent ? k : (extent - k) % extent);
            rest /= extent;
            stride *= s->half[mu];
        }
    }
}

/* r^2 of a compact index: the squared length of the displacement. */
static inline int LFT_P(spectrum_distance2)(const LFT_P(spectrum) *s, int compact)
{
    int mu, sum = 0;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        int r = compact % s->half[mu];
        sum += r * r;
        compact /= s->half[mu];
    }
    return sum;
}

/* One axis of the separable sum: out(k) = sum_r C[k][r] in(r), or with C transposed. */
static inline void LFT_P(spectrum_axis)(const LFT_P(spectrum) *s, int mu, int transposed, const double *in, double *out)
{
    const int     h = s->half[mu];
    const double *c = s->cosine[mu];
    int           inner = 1, nu, o, i, k, r;
    for (nu = mu + 1; nu < LFT_DIM; ++nu) inner *= s->half[nu];
    for (o = 0; o < s->count / (h * inner); ++o) {
        for (k = 0; k < h; ++k) {
            for (i = 0; i < inner; ++i) {
                double sum = 0;
                for (r = 0; r < h; ++r) {
                    sum += (transposed ? c[r * h + k] : c[k * h + r]) * in[(o * h + r) * inner + i];
                }
                out[(o * h + k) * inner + i] = sum;
            }
        }
    }
}

/* lambda[count] from a kernel[orbits]. work: 2 count doubles. O(count sum half). */
static inline void LFT_P(spectrum_of_kernel)(const LFT_P(spectrum) *s, const double *kernel, double *lambda, double *work)
{
    int mu, i;
    for (i = 0; i < s->count; ++i) work[i] = kernel[s->orbit[i]];
    for (mu = 0; mu < LFT_DIM; ++mu) {
        double *to = mu == LFT_DIM - 1 ? lambda : work + (mu % 2 == 0 ? s->count : 0);
        LFT_P(spectrum_axis)(s, mu, 0, work + (mu % 2 == 0 ? 0 : s->count), to);
    }
}

/* dkernel += C^T dlambda, the transpose of spectrum_of_kernel. */
static inline void LFT_P(spectrum_of_kernel_backward)(const LFT_P(spectrum) *s, const double *dlambda, double *dkernel,
                                                      double *work)
{
    const double *from = dlambda;
    int           mu, i;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        double *to = work + (mu % 2 == 0 ? 0 : s->count);
        LFT_P(spectrum_axis)(s, mu, 1, from, to);
        from = to;
    }
    for (i = 0; i < s->count; ++i) dkernel[s->orbit[i]] += from[i];
}

/* y(k) = lambda(k) x(k) */
LFT_P_INLINE void LFT_P(spectrum_product)(const LFT_P(spectrum) *s, const lft_real *lambda, const lft_v *x, lft_v *y)
{
    const int *compact = s->compact, volume = s->lattice.volume;
    int        k;
    for (k = 0; k < volume; ++k) y[k] = lambda[compact[k]] * x[k];
}

/* y(k) += lambda(k) x(k) */
LFT_P_INLINE void LFT_P(spectrum_add_product)(const LFT_P(spectrum) *s, const lft_real *lambda, const lft_v *x, lft_v *y)
{
    const int *compact = s->compact, volume = s->lattice.volume;
    int        k;
    for (k = 0; k < volume; ++k) y[k] += lambda[compact[k]] * x[k];
}

/* dlambda[compact(k)] += x(k) y(k), lane by lane: the derivative of y . (lambda x). */
LFT_P_INLINE void LFT_P(spectrum_dot)(const LFT_P(spectrum) *s, const lft_v *x, const lft_v *y, lft_v *dlambda)
{
    const int *compact = s->compact, volume = s->lattice.volume;
    int        k;
    for (k = 0; k < volume; ++k) dlambda[compact[k]] += x[k] * y[k];
}

/* Kernels from many fields x_f to many fields y_j: lambda[orbits][sets][features], the fields `apart` from each other, and their
 * rows `row`. A few features at a time, whose loops are unrolled so that they live in registers; and a momentum with its mirror
 * image along the last axis, which has the same kernels. */
enum { LFT_P(spectrum_fields) = 5 };

typedef struct LFT_P(spectrum_mixing) {
    const LFT_P(spectrum) *spectrum;
    int                    sets, features, apart, row;
} LFT_P(spectrum_mixing);

/* So many of the features from f on at once as there is unrolled code for. */
LFT_P_INLINE int LFT_P(spectrum_at_once)(int f, int features)
{
    const int most = LFT_P(spectrum_fields), rest = features - f;
    return rest >= most ? most : rest == most - 1 ? rest : 1;
}

/* At one momentum and, if `momenta` is 2, at its mirror image: y_j = sum_f lambda_jf x_f, or that added. */
LFT_P_INLINE void LFT_P(spectrum_mix_at)(const LFT_P(spectrum_mixing) *m, int n, int momenta, int mirror, int add,
                                         const lft_real *lambda, const lft_v *x, lft_v *y)
{
    const lft_v zero = lft_splat(0);
    lft_v       here[LFT_P(spectrum_fields)], there[LFT_P(spectrum_fields)];
    int         f, j;
    LFT_P_UNROLL for (f = 0; f < n; ++f, x += m->apart)
    {
        here[f]  = x[0];
        there[f] = x[mirror];
    }
    for (j = 0; j < m->sets; ++j, y += m->apart, lambda += m->features) {
        lft_v sum = add ? y[0] : zero, other = add ? y[mirror] : zero;
        LFT_P_UNROLL for (f = 0; f < n; ++f)
        {
            sum += lambda[f] * here[f];
            if (momenta > 1) other += lambda[f] * there[f];
        }
        y[0] = sum;
        if (momenta > 1) y[mirror] = other;
    }
}

LFT_P_INLINE void LFT_P(spectrum_mix_of)(const LFT_P(spectrum_mixing) *m, int n, int add, const lft_real *lambda, const lft_v *x,
                                         lft_v *y)
{
    const LFT_P(spectrum) *s = m->spectrum;
    const int              length = LFT_P(row_length)(&s->lattice), step = m->sets * m->features;
    int                    row, k;
    for (row = 0; row < s->lattice.volume / length; ++row, x += m->row, y += m->row) {
        const int *orbit = s->orbit + s->compact[row * length];
        for (k = 0; 2 * k <= length && k < length; ++k) {
            const lft_real *at     = lambda + orbit[k] * step;
            const int       mirror = length - 2 * k;
            if (k && mirror) LFT_P(spectrum_mix_at)(m, n, 2, mirror, add, at, x + k, y + k);
            else LFT_P(spectrum_mix_at)(m, n, 1, 0, add, at, x + k, y + k);
        }
    }
}

/* y_j(k) = sum_f lambda_jf(k) x_f(k), f < n, or that added; n from spectrum_at_once, lambda from the first of these on. */
LFT_P_NOINLINE void LFT_P(spectrum_mix)(const LFT_P(spectrum_mixing) *m, int n, int add, const lft_real *lambda, const lft_v *x,
                                        lft_v *y)
{
    const int most = LFT_P(spectrum_fields);
    if (n == most) LFT_P(spectrum_mix_of)(m, LFT_P(spectrum_fields), add, lambda, x, y);
    else if (n == most - 1) LFT_P(spectrum_mix_of)(m, LFT_P(spectrum_fields) - 1, add, lambda, x, y);
    else LFT_P(spectrum_mix_of)(m, 1, add, lambda, x, y);
}

/* What is wanted of a transpose: y_j as above but not y_0, added or not, if y is not NULL; dlambda, if it is not NULL. */
typedef struct LFT_P(spectrum_wanted) {
    lft_v *y, *dlambda;
    int    add;
} LFT_P(spectrum_wanted);

LFT_P_INLINE void LFT_P(spectrum_unmix_at)(const LFT_P(spectrum_mixing) *m, int n, int want, int momenta, int mirror, int add,
                                           const lft_real *lambda, lft_v *x, const lft_v *dy, lft_v *y, lft_v *dlambda)
{
    const lft_v zero = lft_splat(0);
    lft_v       here[LFT_P(spectrum_fields)], there[LFT_P(spectrum_fields)];
    lft_v       dhere[LFT_P(spectrum_fields)], dthere[LFT_P(spectrum_fields)];
    int         f, j;
    LFT_P_UNROLL for (f = 0; f < n; ++f)
    {
        here[f]  = x[f * m->apart];
        there[f] = x[f * m->apart + mirror];
        dhere[f] = dthere[f] = zero;
    }
    for (j = 0; j < m->sets; ++j, dy += m->apart, lambda += m->features) {
        const lft_v d = dy[0], e = dy[mirror];
        LFT_P_UNROLL for (f = 0; f < n; ++f)
        {
            dhere[f] += lambda[f] * d;
            if (momenta > 1) dthere[f] += lambda[f] * e;
            if (want) dlambda[f] += momenta > 1 ? here[f] * d + there[f] * e : here[f] * d;
        }
        if (want) dlambda += m->features;
        if (y && j) {
            lft_v sum, other;
            y += m->apart;
            sum = add ? y[0] : zero, other = add ? y[mirror] : zero;
            LFT_P_UNROLL for (f = 0; f < n; ++f)
            {
                sum += lambda[f] * here[f];
                if (momenta > 1) other += lambda[f] * there[f];
            }
            y[0] = sum;
            if (momenta > 1) y[mirror] = other;
        }
    }
    LFT_P_UNROLL for (f = 0; f < n; ++f)
    {
        x[f * m->apart] = dhere[f];
        if (momenta > 1) x[f * m->apart + mirror] = dthere[f];
    }
}

LFT_P_INLINE void LFT_P(spectrum_unmix_of)(const LFT_P(spectrum_mixing) *m, int n, int want, const lft_real *lambda, lft_v *x,
                                           const lft_v *dy, const LFT_P(spectrum_wanted) *w)
{
    const LFT_P(spectrum) *s = m->spectrum;
    const int              length = LFT_P(row_length)(&s->lattice), step = m->sets * m->features;
    int                    row, k;
    for (row = 0; row < s->lattice.volume / length; ++row) {
        const int *orbit = s->orbit + s->compact[row * length];
        for (k = 0; 2 * k <= length && k < length; ++k) {
            const lft_real *at     = lambda + orbit[k] * step;
            lft_v          *d      = want ? w->dlambda + orbit[k] * step : NULL, *y = w->y ? w->y + row * m->row + k : NULL;
            const int       mirror = length - 2 * k, i = row * m->row + k;
            if (k && mirror) LFT_P(spectrum_unmix_at)(m, n, want, 2, mirror, w->add, at, x + i, dy + i, y, d);
            else LFT_P(spectrum_unmix_at)(m, n, want, 1, 0, w->add, at, x + i, dy + i, y, d);
        }
    }
}

/* The transpose of spectrum_mix: x_f(k) = sum_j lambda_jf(k) dy_j(k), in the place of the features x_f. These are read before
 * where something is wanted of them: the y_j; dlambda_jf[orbit(k)] += x_f(k) dy_j(k), lane by lane, which is the derivative of
 * sum_j dy_j . y_j. */
LFT_P_NOINLINE void LFT_P(spectrum_unmix)(const LFT_P(spectrum_mixing) *m, int n, const lft_real *lambda, lft_v *x,
                                          const lft_v *dy, const LFT_P(spectrum_wanted) *w)
{
    const int most = LFT_P(spectrum_fields);
    if (n == most && w->dlambda) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields), 1, lambda, x, dy, w);
    else if (n == most) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields), 0, lambda, x, dy, w);
    else if (n == most - 1 && w->dlambda) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields) - 1, 1, lambda, x, dy, w);
    else if (n == most - 1) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields) - 1, 0, lambda, x, dy, w);
    else if (w->dlambda) LFT_P(spectrum_unmix_of)(m, 1, 1, lambda, x, dy, w);
    else LFT_P(spectrum_unmix_of)(m, 1, 0, lambda, x, dy, w);
}

/* A kernel of another lattice on this one: every displacement keeps its weight, shared where it has two images (+-L/2), summed
 * where the new extents make one of several. On fields with the period of both lattices the two kernels do the same, if
 * axes of equal extent were so before: the value of an orbit is that at its first displacement. */
LFT_P_STATIC void LFT_P(spectrum_transfer)(const LFT_P(spectrum) *s, double *kernel, const LFT_P(spectrum) *from,
                                           const double *source)
{
    int i, mu;
    for (i = 0; i < s->orbits; ++i) kernel[i] = 0;
    for (i = 0; i < from->count; ++i) {
        int rest = i, stride = 1, to = 0;
        for (mu = LFT_DIM - 1; mu >= 0; --mu) {
            const int extent = s->lattice.extent[mu], r = rest % from->half[mu] % extent;
            to += stride * (2 * r < extent ? r : extent - r);
            rest /= from->half[mu];
            stride *= s->half[mu];
        }
        if (LFT_P(spectrum_representative)(s, to) != to) continue;
        kernel[s->orbit[to]] += source[from->orbit[i]] * LFT_P(spectrum_multiplicity)(from, i) /
                                LFT_P(spectrum_multiplicity)(s, to);
    }
}

#endif /* LFT_P_CODE */
