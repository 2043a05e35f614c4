/* 69_velocity_times.h: the velocity of a continuous flow in time: kernels and zero modes as combinations of functions of time.
 * Offers: lft_time_basis, LFT_(continuous_desc); (private) continuous, its defaults, tables and start; continuous_gradient,
 * _spread, _collect, _transfer. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_TIME_BASIS
#define LFT_P_TIME_BASIS
/* Functions of time K_a(t), a = 0 ... nodes - 1, that the kernels are combinations of. */
typedef enum lft_time_basis {
    LFT_TIME_COSINE = 1, /* cos(pi a t) / (1 + a^2): smooth, weights that decay; the default */
    LFT_TIME_HAT         /* piecewise linear on equidistant knots (2110.02673): let the knots fall on steps */
} lft_time_basis;
#endif

/* Zero means the default, -1 none. Defaults: 9 sines, linear feature, 2 gates, 2 zero-mode terms, cosine basis of 6 nodes,
 * 12 steps, at most 4 times as many after refinement. */
typedef struct LFT_(continuous_desc) {
    int            sines;  /* features sin(omega_f phi), omega learnable */
    int            linear; /* the feature phi: -1 leaves it out */
    int            gates;  /* even gates cos(eta_j phi) */
    int            zeros;  /* odd terms sin(kappa_q M) in the mean field M */
    lft_time_basis basis;
    int            nodes;
    int            steps, most_steps;
} LFT_(continuous_desc);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(continuous) {
    LFT_(continuous_desc) desc; /* defaults filled in, no negative numbers */
    LFT_P(velocity)       u;
    double               *basis; /* [times][nodes] at t = i/(2 steps) */
    double               *node;  /* [nodes] spectra of one kernel and work: prepare's scratch */
    size_t                kernel, frequency, gate_frequency, zero_amplitude, zero_frequency; /* offsets in theta */
} LFT_P(continuous);

LFT_P_STATIC int LFT_P(default_to)(int value, int otherwise)
{
    return value == 0 ? otherwise : value < 0 ? 0 : value;
}

LFT_P_STATIC lft_status LFT_P(continuous_defaults)(LFT_(continuous_desc) *d, lft_error *error)
{
    d->sines  = LFT_P(default_to)(d->sines, 9);
    d->linear = LFT_P(default_to)(d->linear, 1) != 0;
    d->gates  = LFT_P(default_to)(d->gates, 2);
    d->zeros  = LFT_P(default_to)(d->zeros, 2);
    d->nodes  = LFT_P(default_to)(d->nodes, 6);
    d->steps  = LFT_P(default_to)(d->steps, 12);
    if (!d->basis) d->basis = LFT_TIME_COSINE;
    d->most_steps = LFT_P(default_to)(d->most_steps, 4 * d->steps);
    if (d->sines > 1000) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "sines", "at most 1000", d->sines);
    if (d->gates > 100) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "gates", "at most 100", d->gates);
    if (d->zeros > 100) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "zeros", "at most 100", d->zeros);
    if (d->sines + d->linear < 1) return lft_p_fail(error, LFT_ERR_ARG, "continuous", "neither sines nor linear feature");
    if (d->nodes < 1 || d->nodes > 1000 || (d->basis == LFT_TIME_HAT && d->nodes < 2)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "nodes", "1 (hats: 2) to 1000", d->nodes);
    }
    if (d->basis != LFT_TIME_COSINE && d->basis != LFT_TIME_HAT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "basis", "1 (cosine) or 2 (hat)", (int)d->basis);
    }
    if (d->steps < 1 || d->most_steps < d->steps || d->most_steps > 100000) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "most_steps", "steps to 100000", d->most_steps);
    }
    return LFT_OK;
}

/* K_a(t) at all the times of the present number of steps. */
LFT_P_STATIC void LFT_P(continuous_basis)(LFT_P(continuous) *s, int steps)
{
    int i, a;
    for (i = 0; i <= 2 * steps; ++i) {
        double t = (double)i / (2 * steps), *k = s->basis + i * s->desc.nodes;
        for (a = 0; a < s->desc.nodes; ++a) {
            double sine, hat;
            if (s->desc.basis == LFT_TIME_HAT) {
                hat  = t * (s->desc.nodes - 1) - a;
                hat  = 1 - (hat < 0 ? -hat : hat);
                k[a] = hat > 0 ? hat : 0;
            } else {
                lft_p_f64_p_sincos(3.14159265358979323846 * a * t, &sine, k + a);
                k[a] /= 1 + (double)a * a;
            }
        }
    }
    s->u.times = 2 * steps + 1;
}

/* The layer's own form of the gradient: [nodes] blocks of (lambda, origin, zeta), then omega, eta, kappa. */
LFT_P_STATIC size_t LFT_P(continuous_block)(const LFT_P(continuous) *s)
{
    return (size_t)(1 + s->u.gates) * (size_t)s->u.features * (size_t)(s->u.spectrum.orbits + 1) + (size_t)s->u.zeros;
}

LFT_P_STATIC size_t LFT_P(continuous_gradient_count)(const LFT_P(continuous) *s)
{
    return (size_t)s->desc.nodes * LFT_P(continuous_block)(s) + (size_t)(s->u.sines + s->u.gates + s->u.zeros);
}

typedef struct LFT_P(continuous_parts) {
    double *lambda, *origin, *zeta, *omega, *eta, *kappa;
} LFT_P(continuous_parts);

LFT_P_STATIC LFT_P(continuous_parts) LFT_P(continuous_gradient)(const LFT_P(continuous) *s, double *gradient, int node)
{
    LFT_P(continuous_parts) d;
    const size_t kernels = (size_t)(1 + s->u.gates) * (size_t)s->u.features, block = LFT_P(continuous_block)(s);
    d.lambda     = gradient + block * (size_t)node;
    d.origin     = d.lambda + kernels * (size_t)s->u.spectrum.orbits;
    d.zeta       = d.origin + kernels;
    d.omega      = gradient + block * (size_t)s->desc.nodes;
    d.eta        = d.omega + s->u.sines;
    d.kappa      = d.eta + s->u.gates;
    return d;
}

/* Kernels zero: the identity. Frequencies cover the scales of a field of variance 0.1 to 1. All sites of an orbit move
 * together and all orbits do, so far ones are paced down: else a step of the optimiser would grow with the volume. */
LFT_P_STATIC void LFT_P(continuous_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const LFT_P(spectrum)   *sp = &s->u.spectrum;
    const int                kernels = (1 + s->u.gates) * s->u.features * s->desc.nodes;
    int                      i, k;
    for (i = 0; i < s->u.sines; ++i) theta[s->frequency + (size_t)i] = 0.5 + 0.5 * i;
    for (i = 0; i < s->u.gates; ++i) theta[s->gate_frequency + (size_t)i] = 1 + i;
    for (i = 0; i < s->u.zeros; ++i) theta[s->zero_frequency + (size_t)i] = 2 * (1 + i);
    for (i = 0; i < sp->count; ++i) {
        const double far = 1 + LFT_P(spectrum_distance2)(sp, i);
        for (k = 0; k < kernels; ++k) pace[s->kernel + (size_t)(k * sp->orbits + sp->orbit[i])] = 1 / far;
    }
}

LFT_P_STATIC void LFT_P(continuous_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)layer->state;
    LFT_P(velocity)   *u = &s->u;
    const int          count = u->spectrum.count, orbits = u->spectrum.orbits, nodes = s->desc.nodes;
    const int          kernels = (1 + u->gates) * u->features;
    double            *sum = s->node + nodes * count, *work = sum + count;
    int                j, f, a, t, i;
    for (i = 0; i < u->sines; ++i) u->omega[i] = (lft_real)theta[s->frequency + (size_t)i];
    for (i = 0; i < u->gates; ++i) u->eta[i] = (lft_real)theta[s->gate_frequency + (size_t)i];
    for (i = 0; i < u->zeros; ++i) u->kappa[i] = (lft_real)theta[s->zero_frequency + (size_t)i];
    for (j = 0; j <= u->gates; ++j) {
        for (f = 0; f < u->features; ++f) {
            const double *kernel = theta + s->kernel + (size_t)((j * u->features + f) * nodes) * (size_t)orbits;
            for (a = 0; a < nodes; ++a) {
                LFT_P(spectrum_of_kernel)(&u->spectrum, kernel + a * orbits, s->node + a * count, work);
            }
            for (t = 0; t < u->times; ++t) {
                const double *k = s->basis + t * nodes;
                lft_real     *to = u->lambda + LFT_P(velocity_lambda)(u, t, j, f);
                double        origin = 0;
                for (i = 0; i < count; ++i) sum[i] = 0;
                for (a = 0; a < nodes; ++a) {
                    const double *from = s->node + a * count;
                    origin += k[a] * kernel[a * orbits];
                    for (i = 0; k[a] != 0 && i < count; ++i) sum[i] += k[a] * from[i];
                }
                for (i = 0; i < count; ++i) to[u->spectrum.orbit[i] * kernels] = (lft_real)sum[i];
                u->origin[LFT_P(velocity_kernel)(u, t, j, f)] = (lft_real)origin;
            }
        }
    }
    for (t = 0; t < u->times; ++t) {
        for (i = 0; i < u->zeros; ++i) {
            double zeta = 0;
            for (a = 0; a < nodes; ++a) {
                zeta += s->basis[t * nodes + a] * theta[s->zero_amplitude + (size_t)(i * nodes + a)];
            }
            u->zeta[t * u->zeros + i] = (lft_real)zeta;
        }
    }
}

/* Adds the gradient at one time to those of the nodes that the kernel at that time is made of. */
static inline void LFT_P(continuous_spread)(const LFT_P(continuous) *s, int t, lft_v *lambda, double *now,
                                            double *gradient)
{
    const size_t block = LFT_P(continuous_block)(s);
    const size_t spectra = (size_t)(1 + s->u.gates) * (size_t)s->u.features * (size_t)s->u.spectrum.orbits;
    size_t       i;
    int          a;
    LFT_P(sum_lanes_of)(lambda, spectra, now);
    for (a = 0; a < s->desc.nodes; ++a) {
        const double k  = s->basis[t * s->desc.nodes + a];
        double      *to = gradient + block * (size_t)a;
        for (i = 0; k != 0 && i < block; ++i) to[i] += k * now[i];
    }
    lft_p_zero(lambda, spectra * sizeof(lft_v));
    lft_p_zero(now, block * sizeof(double));
}

LFT_P_STATIC void LFT_P(continuous_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const LFT_P(velocity)   *u = &s->u;
    const int                nodes = s->desc.nodes, orbits = u->spectrum.orbits, count = u->spectrum.count;
    const int                kernels = (1 + u->gates) * u->features;
    int                      a, j, f, i, first;
    for (a = 0; a < nodes; ++a) {
        LFT_P(continuous_parts) d = LFT_P(continuous_gradient)(s, gradient, a);
        for (j = 0; j <= u->gates; ++j) {
            for (f = 0; f < u->features; ++f) {
                const int entry   = j * u->features + f;
                double   *dkernel = dtheta + s->kernel + (size_t)(entry * nodes + a) * (size_t)orbits;
                for (first = 0, i = 0; i < count; ++i) { /* one momentum may stand for its orbit: kernels are tied alike */
                    s->node[i] = u->spectrum.orbit[i] == first ? d.lambda[first++ * kernels + entry] : 0;
                }
                LFT_P(spectrum_of_kernel_backward)(&u->spectrum, s->node, dkernel, s->node + count);
                dkernel[0] += d.origin[entry];
            }
        }
        for (i = 0; i < u->zeros; ++i) dtheta[s->zero_amplitude + (size_t)(i * nodes + a)] += d.zeta[i];
        if (a) continue;
        for (i = 0; i < u->sines; ++i) dtheta[s->frequency + (size_t)i] += d.omega[i];
        for (i = 0; i < u->gates; ++i) dtheta[s->gate_frequency + (size_t)i] += d.eta[i];
        for (i = 0; i < u->zeros; ++i) dtheta[s->zero_frequency + (size_t)i] += d.kappa[i];
    }
}

/* Kernels are padded with zeros (or folded), the rest does not know the extents. */
LFT_P_STATIC void LFT_P(continuous_transfer)(const LFT_(layer) *layer, double *theta, const LFT_(layer) *from,
                                             const double *source)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state, *other = (const LFT_P(continuous) *)from->state;
    const size_t             orbits = (size_t)s->u.spectrum.orbits, others = (size_t)other->u.spectrum.orbits;
    const size_t             kernels = (size_t)((1 + s->u.gates) * s->u.features * s->desc.nodes);
    const size_t             rest = (size_t)(s->u.sines + s->u.gates + s->u.zeros * (1 + s->desc.nodes));
    size_t                   k;
    for (k = 0; k < kernels; ++k) {
        LFT_P(spectrum_transfer)(&s->u.spectrum, theta + s->kernel + k * orbits, &other->u.spectrum,
                                 source + other->kernel + k * others);
    }
    lft_p_copy(theta + s->frequency, source + other->frequency, rest * sizeof(double));
}

#endif /* LFT_P_CODE */
