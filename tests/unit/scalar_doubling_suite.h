/* scalar_doubling_suite.h: the doubling of scalar fields and flows made of it, for one instance. A suite (suite.h):
 * SUITE_(doublings)(first). The first instance of a dimension is f64, is compared with finite differences, and what it computes is
 * kept for the others. */
#include "scalar_suite.h"
#ifndef DOUBLING_SUITE_COMMON
#define DOUBLING_SUITE_COMMON

enum { SITES = 48, LANES = 16, STRIPS = 8, KEPT = 8192 };

static unsigned char doubling_memory[64 << 20];
static double        doubling_kept[KEPT], doubling_rounding; /* of the instance, in units of that of double */
static int           doubling_first, doubling_cursor;

/* Keeps n numbers of the first instance, or compares. */
static void doubling_keep(const char *what, const double *value, int n, double bound)
{
    double worst = 0;
    int    i;
    if (doubling_cursor + n > KEPT) check_true("KEPT is too small", 0);
    for (i = 0; i < n && doubling_cursor < KEPT; ++i, ++doubling_cursor) {
        if (doubling_first) doubling_kept[doubling_cursor] = value[i];
        test_worst(&worst, value[i] - doubling_kept[doubling_cursor]);
    }
    if (!doubling_first) check_below(suite_name(what), worst, bound * doubling_rounding);
}
#endif

/* One doubling, of what its parameters are away from their start; memory with strips that nobody may write to. */
typedef struct SUITE_(subject) {
    SUITE_(flow)          flow;
    SUITE_(flow_desc)     desc;
    SUITE_(layer_desc)    list;
    SUITE_(doubling_desc) doubling;
    SUITE_(layer)        *layer;
    lft_arena             left;
    SUITE_(real)         *in, *out, *score;
    unsigned char        *scratch, *tape, *strip[STRIPS];
    double               *gradient, *dtheta;
    int                   lanes, small, large, strips; /* sites before and after */
} SUITE_(subject);

static SUITE_(subject) SUITE_(now);

static void *SUITE_(take)(SUITE_(subject) *s, size_t bytes)
{
    unsigned char *at = (unsigned char *)lft_arena_alloc(&s->left, bytes + 64, 1);
    memset(at + bytes, 0xa5, 64);
    s->strip[s->strips++] = at + bytes;
    return at;
}

static void SUITE_(untouched)(const SUITE_(subject) *s)
{
    int i, j, touched = 0;
    for (i = 0; i < s->strips; ++i) {
        for (j = 0; j < 64; ++j) touched += s->strip[i][j] != 0xa5;
    }
    check_below(suite_name("bytes written outside of its memory"), touched, 0);
}

static void SUITE_(disturb)(SUITE_(flow) *flow, double size)
{
    double *noise = (double *)malloc((flow->params.count + 1) * sizeof *noise);
    size_t  i;
    suite_normals(1000, noise, (int)flow->params.count);
    for (i = 0; i < flow->params.count; ++i) flow->params.value[i] += size * noise[i];
    free(noise);
    SUITE_(flow_prepare)(flow);
}

static int SUITE_(begin)(const int *extent, int axis, int sines)
{
    SUITE_(subject) *s = &SUITE_(now);
    lft_error        error = {LFT_OK, ""};
    int              mu;
    memset(s, 0, sizeof *s);
    s->left = lft_arena_of(doubling_memory, sizeof doubling_memory);
    for (mu = 0; mu < SUITE_DIM; ++mu) s->desc.extent[mu] = extent[mu];
    s->desc.prior.kind     = LFT_PRIOR_NORMAL;
    s->doubling.axis  = axis;
    s->doubling.sines = sines;
    s->list.ops = SUITE_(doubling)(), s->list.desc = &s->doubling;
    s->desc.layer = &s->list, s->desc.layers = 1;
    if (SUITE_(flow_init)(&s->flow, &s->desc, &s->left, &error)) {
        check_true(error.text, 0);
        return 0;
    }
    s->layer    = s->flow.layer;
    s->lanes    = SUITE_(lanes)();
    s->small    = s->layer->in.volume;
    s->large    = s->layer->out.volume;
    s->in       = (SUITE_(real) *)SUITE_(take)(s, (size_t)(s->small * s->lanes) * sizeof *s->in);
    s->out      = (SUITE_(real) *)SUITE_(take)(s, (size_t)(s->large * s->lanes) * sizeof *s->out);
    s->score    = (SUITE_(real) *)SUITE_(take)(s, (size_t)(s->large * s->lanes) * sizeof *s->score);
    s->scratch  = (unsigned char *)SUITE_(take)(s, s->layer->scratch_bytes);
    s->tape     = (unsigned char *)SUITE_(take)(s, s->layer->tape_bytes);
    s->gradient = (double *)SUITE_(take)(s, s->layer->gradient_count * sizeof(double));
    s->dtheta   = (double *)SUITE_(take)(s, s->flow.params.count * sizeof(double));
    check_true(suite_name("twice as many sites"), s->large == 2 * s->small && s->large <= SITES && s->lanes <= LANES);
    SUITE_(disturb)(&s->flow, 0.3);
    return 1;
}

static lft_arena SUITE_(scratch)(const SUITE_(subject) *s) { return lft_arena_of(s->scratch, s->layer->scratch_bytes); }

/* Normal numbers in every lane: [site][lane] */
static void SUITE_(fill)(const SUITE_(subject) *s, uint64_t stream, int n, SUITE_(real) *to)
{
    double x[SITES];
    int    i, l;
    for (l = 0; l < s->lanes; ++l) {
        suite_normals(stream + (uint64_t)l, x, n);
        for (i = 0; i < n; ++i) to[i * s->lanes + l] = (SUITE_(real))x[i];
    }
}

/* The layer's draw with the random numbers of the tests; x_in from s->in. */
static lft_status SUITE_(draw)(SUITE_(subject) *s, double *logdet, SUITE_(real) *score, int taped)
{
    lft_error error;
    int       l;
    for (l = 0; l < s->lanes; ++l) logdet[l] = 0;
    return s->layer->ops->draw(s->layer, lft_draw_of(1, LFT_DRAW_LAYER, 0, 0), s->in, s->out, logdet, score,
                               taped ? s->tape : NULL, SUITE_(scratch)(s), &error);
}

static void SUITE_(test_inverse)(SUITE_(subject) *s)
{
    double        there[LANES], home[LANES], off = 0, apart = 0, away = 0, kept[SITES];
    SUITE_(real) *in = s->in, *back = s->score;
    lft_error     error = {LFT_OK, ""};
    int           i, l;
    SUITE_(fill)(s, 40, s->small, in);
    check_true(suite_name("draw"), SUITE_(draw)(s, there, NULL, 0) == LFT_OK);
    for (l = 0; l < s->lanes; ++l) home[l] = 0;
    check_true(suite_name("inverse"),
               s->layer->ops->inverse(s->layer, s->out, back, home, SUITE_(scratch)(s), &error) == LFT_OK);
    for (i = 0; i < s->small * s->lanes; ++i) test_worst(&off, (double)(back[i] - in[i]));
    for (l = 0; l < s->lanes; ++l) test_worst(&apart, there[l] + home[l]);
    for (i = 0; i < s->large; ++i) kept[i] = (double)s->out[i * s->lanes];
    for (i = 0; i < s->large; ++i) away += kept[i] * kept[i];
    check_below(suite_name("the coarse field out of the inverse"), off, 0);
    check_below(suite_name("log-dets are opposite"), apart, 2e-14 * s->large * doubling_rounding);
    check_true(suite_name("new sites have been drawn"), away > 0.01);
    doubling_keep("the field as in f64", kept, s->large, 1e-14);
    doubling_keep("log-det as in f64", there, 1, 1e-14 * s->large);
}

/* (x_in, eta) to x_out, of the first lane: its Jacobian by differences, against the density of the draws. */
static void SUITE_(test_determinant)(SUITE_(subject) *s)
{
    static double         jacobian[SITES * SITES], x[4][SITES];
    SUITE_(p_doubling)   *state = (SUITE_(p_doubling) *)s->layer->state;
    double                variable[SITES], logdet[LANES], f[4], gauss = 0;
    lft_error             error;
    int                   i, j, k, l;
    const int             n = s->large;
    suite_normals(70, variable, n);
    for (j = -1; j < n; ++j) {
        for (k = 0; k < 4; ++k) {
            lft_arena               arena = SUITE_(scratch)(s);
            SUITE_(p_doubling_work) w = SUITE_(p_doubling_scratch)(state, &arena);
            const double            keep = j < 0 ? 0 : variable[j];
            if (j >= 0) variable[j] += SUITE_STEP * suite_stencil[k];
            for (i = 0; i < s->small; ++i) {
                for (l = 0; l < s->lanes; ++l) {
                    s->in[i * s->lanes + l] = (SUITE_(real))variable[i];
                    ((SUITE_(real) *)w.z)[i * s->lanes + l] = (SUITE_(real))variable[s->small + i];
                }
            }
            if (j >= 0) variable[j] = keep;
            SUITE_(p_gaussian_scale)(&state->noise, w.z, 0, w.rest);
            for (l = 0; l < s->lanes; ++l) logdet[l] = 0;
            SUITE_(p_doubling_place)(s->layer, &w, SUITE_(p_const_view)(s->in), SUITE_(p_view)(s->out), logdet);
            for (i = 0; i < n; ++i) x[k][i] = (double)s->out[i * s->lanes];
        }
        if (j < 0) {
            for (l = 0; l < s->lanes; ++l) logdet[l] = 0;
            (void)s->layer->ops->inverse(s->layer, s->out, s->in, logdet, SUITE_(scratch)(s), &error);
            gauss = logdet[0];
            continue;
        }
        for (i = 0; i < n; ++i) {
            for (k = 0; k < 4; ++k) f[k] = x[k][i];
            jacobian[i * n + j] = suite_derivative(f, SUITE_STEP);
        }
    }
    for (i = s->small; i < n; ++i) gauss += 0.5 * variable[i] * variable[i] + 0.918938533204672741780;
    check_below(suite_name("log |det| of the whole doubling - numerical"), suite_logdet(jacobian, n) + gauss, 1e-9);
}

/* F = sum_lane c . x_out + b logdet */
static double SUITE_(objective)(SUITE_(subject) *s, const double *c, const double *b)
{
    double logdet[LANES], F = 0;
    int    i, l;
    (void)SUITE_(draw)(s, logdet, NULL, 0);
    for (l = 0; l < s->lanes; ++l) F += b[l] * logdet[l];
    for (i = 0; i < s->large * s->lanes; ++i) F += c[i] * (double)s->out[i];
    return F;
}

static void SUITE_(test_backward)(SUITE_(subject) *s)
{
    static double c[SITES * LANES];
    double        b[LANES], f[4], logdet[LANES], worst = 0, most = 0, kept[SITES];
    SUITE_(real) *dx = s->score;
    lft_error     error;
    int           i, k, l, t;
    for (l = 0; l < s->lanes; ++l) {
        double own[SITES + 1];
        suite_normals(300 + (uint64_t)l, own, s->large + 1);
        b[l] = own[s->large];
        for (i = 0; i < s->large; ++i) c[i * s->lanes + l] = own[i];
    }
    SUITE_(fill)(s, 40, s->small, s->in);
    check_true(suite_name("draw, taped"), SUITE_(draw)(s, logdet, NULL, 1) == LFT_OK);
    for (i = 0; i < s->large * s->lanes; ++i) dx[i] = (SUITE_(real))c[i];
    memset(s->gradient, 0, s->layer->gradient_count * sizeof(double));
    memset(s->dtheta, 0, s->flow.params.count * sizeof(double));
    check_true(suite_name("backward"), s->layer->ops->backward(s->layer, s->tape, dx, b, s->gradient, SUITE_(scratch)(s),
                                                                 &error) == LFT_OK);
    s->layer->ops->collect(s->layer, s->gradient, s->dtheta);
    for (i = 0; i < s->small; ++i) kept[i] = (double)dx[i * s->lanes];
    doubling_keep("derivative by the coarse field as in f64", kept, s->small, 4e-14);
    for (i = 0; doubling_first && i < s->small * s->lanes; i += 1 + s->small * s->lanes / 40) {
        const SUITE_(real) keep = s->in[i];
        for (k = 0; k < 4; ++k) {
            s->in[i] = (SUITE_(real))((double)keep + SUITE_STEP * suite_stencil[k]);
            f[k]     = SUITE_(objective)(s, c, b);
        }
        s->in[i] = keep;
        test_worst(&worst, suite_derivative(f, SUITE_STEP) - (double)dx[i]);
        test_worst(&most, (double)dx[i]);
    }
    if (doubling_first) check_below(suite_name("derivative by the coarse field - numerical"), worst / most, 1e-9);
    for (t = 0; doubling_first && t < s->flow.params.tensors; ++t) {
        const lft_parameter *p = s->flow.params.list + t;
        for (worst = 0, most = 1e-3, i = 0; i < (int)p->count; ++i) {
            double *theta = s->flow.params.value + p->offset + i, keep = *theta;
            for (k = 0; k < 4; ++k) {
                *theta = keep + SUITE_STEP * suite_stencil[k];
                SUITE_(flow_prepare)(&s->flow);
                f[k] = SUITE_(objective)(s, c, b);
            }
            *theta = keep;
            test_worst(&worst, suite_derivative(f, SUITE_STEP) - s->dtheta[p->offset + (size_t)i]);
            test_worst(&most, s->dtheta[p->offset + (size_t)i]);
        }
        snprintf(suite_text, sizeof suite_text, "%s: gradient of %s - numerical", suite_at, p->name);
        if (p->count) check_below(suite_text, worst / most, 1e-8);
    }
    SUITE_(flow_prepare)(&s->flow);
}

/* A configuration of the samples' lattice into lane 0 of configuration i. */
static double SUITE_(logq_of)(SUITE_(subject) *s, const double *x)
{
    lft_arena     arena = s->left;
    SUITE_(batch) batch;
    SUITE_(real)  phi[SITES];
    double        logq = 0;
    int           i;
    memset(&batch, 0, sizeof batch);
    for (i = 0; i < s->large; ++i) phi[i] = (SUITE_(real))x[i];
    if (SUITE_(batch_init)(&batch, &s->flow.lattice, 1, &arena, NULL)) return 1e300;
    SUITE_(batch_set)(&batch, 0, phi);
    return SUITE_(flow_logq)(&s->flow, &batch, &logq) ? 1e300 : logq;
}

/* The prior is normal: grad log q before the layer is minus the field. */
static void SUITE_(test_score)(SUITE_(subject) *s)
{
    double x[SITES], kept[SITES], logdet[LANES], plain[LANES], f[4], worst = 0, most = 0;
    int    i, k;
    SUITE_(fill)(s, 40, s->small, s->in);
    for (i = 0; i < s->small * s->lanes; ++i) s->score[i] = -s->in[i];
    check_true(suite_name("draw with a score"), SUITE_(draw)(s, logdet, s->score, 1) == LFT_OK);
    for (i = 0; i < s->large; ++i) x[i] = (double)s->out[i * s->lanes], kept[i] = (double)s->score[i * s->lanes];
    for (i = 0; doubling_first && i < s->large; ++i) {
        const double keep = x[i];
        for (k = 0; k < 4; ++k) {
            x[i] = keep + SUITE_STEP * suite_stencil[k];
            f[k] = SUITE_(logq_of)(s, x);
        }
        x[i] = keep;
        test_worst(&worst, suite_derivative(f, SUITE_STEP) - kept[i]);
        test_worst(&most, kept[i]);
    }
    if (doubling_first) check_below(suite_name("score - numerical"), worst / most, 1e-9);
    doubling_keep("score as in f64", kept, s->large, 4e-14);
    (void)SUITE_(draw)(s, plain, NULL, 0);
    for (worst = 0, i = 0; i < s->lanes; ++i) test_worst(&worst, plain[i] - logdet[i]);
    check_below(suite_name("log-det with a score"), worst, 0);
}

/* log q of x_mu -> sign_mu x_axis(mu) + shift_mu against that of the configuration itself */
static void SUITE_(test_symmetry)(SUITE_(subject) *s, const char *what, const int *axis, const int *sign, const int *shift,
                                  double factor)
{
    const int *L = s->layer->out.extent;
    double     x[SITES], y[SITES], logq;
    int        at[SUITE_DIM], site, rest, image, mu, to;
    suite_normals(80, x, s->large);
    for (site = 0; site < s->large; ++site) {
        for (rest = site, mu = SUITE_DIM - 1; mu >= 0; --mu) at[mu] = rest % L[mu], rest /= L[mu];
        for (image = 0, mu = 0; mu < SUITE_DIM; ++mu) {
            to    = (sign[mu] * at[axis[mu]] + shift[mu]) % L[mu];
            image = image * L[mu] + (to + L[mu]) % L[mu];
        }
        y[image] = factor * x[site];
    }
    logq = SUITE_(logq_of)(s, x);
    check_below(suite_name(what), (SUITE_(logq_of)(s, y) - logq) / (1 + fabs(logq)), 2e-14 * doubling_rounding);
}

static void SUITE_(test_symmetries)(SUITE_(subject) *s)
{
    const int *L = s->layer->out.extent, along = s->doubling.axis;
    int        axis[SUITE_DIM], sign[SUITE_DIM], shift[SUITE_DIM], mu, nu;
    char       what[60];
    for (mu = 0; mu < SUITE_DIM; ++mu) axis[mu] = mu, sign[mu] = 1, shift[mu] = 0;
    SUITE_(test_symmetry)(s, "phi -> -phi", axis, sign, shift, -1);
    for (mu = 0; mu < SUITE_DIM; ++mu) {
        shift[mu] = mu == along ? 2 : 1;
        snprintf(what, sizeof what, "translation by %d along axis %d", shift[mu], mu);
        SUITE_(test_symmetry)(s, what, axis, sign, shift, 1);
        shift[mu] = 0, sign[mu] = -1;
        snprintf(what, sizeof what, "reflection of axis %d", mu);
        SUITE_(test_symmetry)(s, what, axis, sign, shift, 1);
        sign[mu] = 1;
        for (nu = mu + 1; nu < SUITE_DIM; ++nu) {
            if (L[mu] != L[nu] || mu == along || nu == along) continue;
            axis[mu] = nu, axis[nu] = mu;
            snprintf(what, sizeof what, "exchange of axes %d and %d", mu, nu);
            SUITE_(test_symmetry)(s, what, axis, sign, shift, 1);
            axis[mu] = mu, axis[nu] = nu;
        }
    }
    if (s->layer->in.extent[along] > 1 && doubling_first) { /* one that there is not: the test can see */
        double x[SITES], y[SITES];
        int    i, inner = 1;
        for (mu = along + 1; mu < SUITE_DIM; ++mu) inner *= L[mu];
        suite_normals(80, x, s->large);
        for (i = 0; i < s->large; ++i) {
            const int row = i / inner % L[along];
            y[i + (row + 1 < L[along] ? 1 : 1 - L[along]) * inner] = x[i];
        }
        check_true(suite_name("coarse and new sites are not alike"), fabs(SUITE_(logq_of)(s, x) - SUITE_(logq_of)(s, y)) > 1e-3);
    }
}

/* The same sample in any batch, for any threads: those of another pool and of the end of a batch. */
static void SUITE_(test_batches)(SUITE_(subject) *s)
{
    enum { N = 2 * LANES + 1 };
    static double logq[N], part[N], again[N];
    SUITE_(real)  phi[2][SITES];
    SUITE_(batch) x, y;
    SUITE_(flow)  other;
    lft_arena     arena = s->left;
    double        worst = 0, apart = 0;
    int           i, j, n, bad = 0;
    memset(&x, 0, sizeof x), memset(&y, 0, sizeof y);
    s->desc.pool = suite_pool();
    bad |= SUITE_(flow_init)(&other, &s->desc, &arena, NULL) != LFT_OK;
    memset(&s->desc.pool, 0, sizeof s->desc.pool);
    if (!bad) memcpy(other.params.value, s->flow.params.value, s->flow.params.count * sizeof(double));
    if (!bad) SUITE_(flow_prepare)(&other);
    bad |= SUITE_(batch_init)(&x, &s->flow.lattice, N, &arena, NULL) != LFT_OK;
    bad |= SUITE_(flow_sample)(&s->flow, 7, 0, &x, logq) || SUITE_(flow_logq)(&s->flow, &x, again);
    for (i = 0; i < N; ++i) test_worst(&apart, again[i] - logq[i]);
    for (n = 1; n <= N && !bad; n += 5) {
        lft_arena local = arena;
        bad |= SUITE_(batch_init)(&y, &s->flow.lattice, n, &local, NULL) != LFT_OK;
        bad |= SUITE_(flow_sample)(n % 2 ? &other : &s->flow, 7, (uint64_t)(N - n), &y, part) != LFT_OK;
        for (i = 0; i < n; ++i) {
            SUITE_(batch_get)(&x, N - n + i, phi[0]), SUITE_(batch_get)(&y, i, phi[1]);
            for (j = 0; j < s->large; ++j) test_worst(&worst, (double)(phi[0][j] - phi[1][j]));
            test_worst(&worst, part[i] - logq[N - n + i]);
        }
    }
    check_true(suite_name("no errors"), !bad);
    check_below(suite_name("batches and threads: samples and log q"), worst, 0);
    check_below(suite_name("log q of samples by the inverse"), apart, 4e-14 * s->large * doubling_rounding);
}

/* Parameters for twice the extents: the same m and w on fields that repeat, the same sigma at momenta of both. */
static void SUITE_(test_transfer)(SUITE_(subject) *s)
{
    SUITE_(flow_desc)  desc = s->desc;
    SUITE_(flow)       flow;
    SUITE_(p_doubling) *own = (SUITE_(p_doubling) *)s->layer->state, *other;
    SUITE_(real)      *in, *out;
    lft_arena          arena = s->left, small, large;
    double             logdet[LANES], kept[LANES], worst = 0, apart = 0, sigma = 0;
    int                i, mu, l;
    for (mu = 0; mu < SUITE_DIM; ++mu) desc.extent[mu] *= 2;
    if (SUITE_(flow_init)(&flow, &desc, &arena, NULL) || SUITE_(flow_transfer)(&flow, &s->flow)) {
        check_true(suite_name("transfer"), 0);
        return;
    }
    other = (SUITE_(p_doubling) *)flow.layer->state;
    in    = (SUITE_(real) *)lft_arena_alloc(&arena, (size_t)(flow.layer->in.volume * s->lanes), sizeof *in);
    out   = (SUITE_(real) *)lft_arena_alloc(&arena, (size_t)(flow.layer->out.volume * s->lanes), sizeof *out);
    SUITE_(fill)(s, 40, s->small, s->in);
    for (l = 0; l < s->lanes; ++l) logdet[l] = kept[l] = 0;
    small = SUITE_(scratch)(s), large = arena;
    {
        SUITE_(p_doubling_work) a = SUITE_(p_doubling_scratch)(own, &small), b = SUITE_(p_doubling_scratch)(other, &large);
        for (i = 0; i < flow.layer->in.volume * s->lanes; ++i) {
            int rest = i / s->lanes, from = 0, stride = 1;
            for (mu = SUITE_DIM - 1; mu >= 0; --mu) {
                from += stride * (rest % desc.extent[mu] % s->desc.extent[mu]);
                stride *= s->desc.extent[mu];
                rest /= desc.extent[mu];
            }
            in[i] = s->in[from * s->lanes + i % s->lanes];
        }
        memset(a.z, 0, (size_t)(s->small * s->lanes) * sizeof *in);
        memset(b.z, 0, (size_t)(flow.layer->in.volume * s->lanes) * sizeof *in);
        SUITE_(p_doubling_place)(s->layer, &a, SUITE_(p_const_view)(s->in), SUITE_(p_view)(s->out), kept);
        SUITE_(p_doubling_place)(flow.layer, &b, SUITE_(p_const_view)(in), SUITE_(p_view)(out), logdet);
    }
    for (i = 0; i < flow.layer->out.volume * s->lanes; ++i) {
        int rest = i / s->lanes, from = 0, stride = 1;
        for (mu = SUITE_DIM - 1; mu >= 0; --mu) {
            from += stride * (rest % flow.lattice.extent[mu] % s->flow.lattice.extent[mu]);
            stride *= s->flow.lattice.extent[mu];
            rest /= flow.lattice.extent[mu];
        }
        test_worst(&worst, (double)(out[i] - s->out[from * s->lanes + i % s->lanes]));
    }
    for (l = 0; l < s->lanes; ++l) test_worst(&apart, logdet[l] - kept[l] * (1 << SUITE_DIM));
    for (i = 0; i < own->noise.spectrum.count; ++i) {
        int rest = i, at = 0, stride = 1;
        for (mu = SUITE_DIM - 1; mu >= 0; --mu) {
            at += stride * 2 * (rest % own->noise.spectrum.half[mu]);
            rest /= own->noise.spectrum.half[mu];
            stride *= other->noise.spectrum.half[mu];
        }
        test_worst(&sigma, (double)(other->noise.sigma[at] / own->noise.sigma[i]) - 1);
    }
    check_below(suite_name("transfer: fields that repeat"), worst, 2e-14 * doubling_rounding);
    check_below(suite_name("transfer: their widths"), apart, 4e-14 * flow.lattice.volume * doubling_rounding);
    check_below(suite_name("transfer: sigma of common momenta"), sigma, 1e-14 * doubling_rounding);
}

/* Every arena that is too small says so; bad descs; numbers that are not finite. */
static void SUITE_(test_failures)(SUITE_(subject) *s)
{
    const size_t          need = SUITE_(flow_bytes)(&s->desc);
    SUITE_(flow)          flow;
    SUITE_(doubling_desc) good = s->doubling;
    lft_arena             arena;
    lft_error             error = {LFT_OK, ""};
    double                logdet[LANES];
    size_t                bytes;
    int                   wrong = 0, k;
    for (bytes = 0; bytes < need - 63; bytes += bytes + 256 < need - 64 ? 256 : 64) {
        arena = lft_arena_of(s->left.base + (s->left.need + 63) / 64 * 64, bytes);
        wrong += SUITE_(flow_init)(&flow, &s->desc, &arena, &error) != LFT_ERR_NOMEM;
    }
    arena = lft_arena_of(s->left.base + s->left.need + 1, need);
    wrong += SUITE_(flow_init)(&flow, &s->desc, &arena, &error) != LFT_OK;
    check_below(suite_name("arenas that are too small, and one that is not"), wrong, 0);
    for (k = 0; k < 4; ++k) {
        static const char *const word[] = {"axis", "axis", "sines", "target"};
        s->doubling = good;
        if (k < 2) s->doubling.axis = k ? SUITE_DIM : -1;
        if (k == 2) s->doubling.sines = 101;
        if (k == 3) s->doubling.target[s->doubling.axis] = 3 * s->layer->out.extent[s->doubling.axis] - 1;
        arena = s->left;
        check_true(suite_name("a desc that is not legal"),
                   SUITE_(flow_init)(&flow, &s->desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, word[k]));
    }
    s->doubling = good;
    SUITE_(fill)(s, 40, s->small, s->in);
    s->in[0] = (SUITE_(real))(doubling_memory[0] * 0.0) / (SUITE_(real))0;
    check_true(suite_name("a field that is not finite"), SUITE_(draw)(s, logdet, NULL, 0) == LFT_ERR_NONFINITE);
    check_true(suite_name("in one lane: the others are right"), s->lanes == 1 || lft_finite(logdet[s->lanes - 1]));
}

/* From `from` to `extent` untrained: the free field of the finest lattice. */
static void SUITE_(test_free)(const int *from, const int *extent, int refine)
{
    enum { N = 5 };
    SUITE_(multiscale_desc) of;
    SUITE_(flow_desc)       desc, flat;
    SUITE_(flow)            flow, plain;
    SUITE_(theory)          theory;
    SUITE_(batch)           x;
    lft_arena               arena = lft_arena_of(doubling_memory, sizeof doubling_memory);
    lft_error               error = {LFT_OK, ""};
    double                  logq[N], same[N], again[N], S[N], worst = 0, logw[2] = {1e300, -1e300}, apart = 0;
    int                     i, mu, bad = 0;
    memset(&of, 0, sizeof of), memset(&flat, 0, sizeof flat), memset(&x, 0, sizeof x);
    memset(&flow, 0, sizeof flow), memset(&plain, 0, sizeof plain), memset(&theory, 0, sizeof theory);
    for (mu = 0; mu < SUITE_DIM; ++mu) of.from[mu] = from[mu], of.extent[mu] = flat.extent[mu] = extent[mu];
    of.mass2 = flat.prior.mass2 = 0.3;
    of.refine     = refine;
    of.flow.sines = of.flow.nodes = of.flow.gates = of.flow.zeros = 1, of.flow.steps = 2;
    flat.continuous = of.flow;
    bad |= SUITE_(multiscale)(&desc, &of, &arena, &error) || SUITE_(flow_init)(&flow, &desc, &arena, &error);
    if (bad) check_true(error.text, 0);
    if (bad) return;
    bad |= SUITE_(flow_init)(&plain, &flat, &arena, &error) || SUITE_(phi4_init)(&theory, 0.3, 0, &error);
    bad |= SUITE_(batch_init)(&x, &flow.lattice, N, &arena, &error) != LFT_OK;
    bad |= SUITE_(flow_sample)(&flow, 3, 0, &x, logq) || SUITE_(flow_logq)(&plain, &x, same);
    bad |= SUITE_(flow_logq)(&flow, &x, again) != LFT_OK;
    SUITE_(action)(&theory, &x, S);
    for (i = 0; i < N && !bad; ++i) {
        test_worst(&worst, logq[i] - same[i]);
        test_worst(&apart, logq[i] - again[i]);
        logw[0] = fmin(logw[0], -S[i] - logq[i]), logw[1] = fmax(logw[1], -S[i] - logq[i]);
    }
    check_true(suite_name("no errors"), !bad);
    check_below(suite_name("untrained: log q - that of the flat prior"), worst, 4e-14 * flow.lattice.volume * doubling_rounding);
    check_below(suite_name("untrained: all weights of the free field are equal"), logw[1] - logw[0],
                8e-14 * flow.lattice.volume * doubling_rounding);
    check_below(suite_name("untrained: log q by the inverse"), apart, 4e-14 * flow.lattice.volume * doubling_rounding);
    check_true(suite_name("a flow at every scale"), flow.layers >= 3 && !flow.layer[0].ops->draw && flow.layer[1].ops->draw);

    /* disturbed and stored, built again and read: the same bits */
    {
        unsigned char    *file = (unsigned char *)malloc(1 << 20);
        lft_memory        memory;
        lft_safetensors   doc;
        SUITE_(model_info) info;
        SUITE_(flow_desc) read;
        lft_writer        to = lft_memory_writer(&memory, file, 1 << 20);
        size_t            size;
        SUITE_(disturb)(&flow, 0.05);
        bad |= SUITE_(flow_sample)(&flow, 3, 0, &x, logq) != LFT_OK;
        SUITE_(model_info_of)(&info, &theory);
        bad |= SUITE_(model_save)(&flow, &info, to, arena, &error) != LFT_OK;
        size = memory.at;
        bad |= lft_safetensors_load(lft_memory_reader(&memory, file, size), &arena, &doc, &error) != LFT_OK;
        bad |= SUITE_(model_desc)(&doc, NULL, &read, NULL, &arena, &error) != LFT_OK;
        bad = bad || SUITE_(flow_init)(&plain, &read, &arena, &error) || SUITE_(model_restore)(&plain, &doc, &error);
        bad = bad || SUITE_(flow_sample)(&plain, 3, 0, &x, again);
        for (worst = 0, i = 0; i < N && !bad; ++i) test_worst(&worst, logq[i] - again[i]);
        check_true(bad ? error.text : suite_name("stored and read again"), !bad);
        check_below(suite_name("log q of samples: the same bits"), worst, 0);
        /* an axis that there is not */
        for (i = 0; i < (int)doc.tensors; ++i) {
            if (!strcmp(doc.tensor[i].name, "layer1.spec")) memset((void *)(uintptr_t)doc.tensor[i].data, 0x11, 8);
        }
        check_true(suite_name("a damaged axis"), SUITE_(model_desc)(&doc, NULL, &read, NULL, &arena, &error) == LFT_ERR_FORMAT &&
                                                        strstr(error.text, "axis of a doubling layer"));
        free(file);
    }
}

static void SUITE_(at)(const char *name, const int *extent, int axis)
{
    int mu, k = snprintf(suite_at, sizeof suite_at, "%s f%d ", name, (int)sizeof(SUITE_(real)) * 8);
    suite_case = suite_at;
    for (mu = 0; mu < SUITE_DIM; ++mu) {
        k += snprintf(suite_at + k, sizeof suite_at - (size_t)k, "%s%d%s", mu ? "x" : "", extent[mu], mu == axis ? "*2" : "");
    }
}

static void SUITE_(doublings)(int first)
{
    static const int extents[][SUITE_DIM] = {
#if SUITE_DIM == 1
        {1}, {2}, {3}, {8}
#elif SUITE_DIM == 2
        {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 2}, {1, 4}
#elif SUITE_DIM == 3
        {2, 2, 2}, {3, 2, 3}, {1, 4, 2}
#else
        {2, 2, 2, 2}, {1, 3, 2, 1}
#endif
    };
    size_t e;
    int    axis, mu, from[SUITE_DIM], extent[SUITE_DIM], k;
    doubling_rounding = sizeof(SUITE_(real)) == 4 ? 2 * 536870912.0 : 1;
    doubling_first    = first;
    doubling_cursor   = 0;
    for (e = 0; e < sizeof extents / sizeof extents[0]; ++e) {
        for (axis = 0; axis < SUITE_DIM; ++axis) {
            SUITE_(at)("doubling", extents[e], axis);
            if (!SUITE_(begin)(extents[e], axis, axis % 2 ? -1 : 2)) continue;
            SUITE_(test_inverse)(&SUITE_(now));
            if (doubling_first) SUITE_(test_determinant)(&SUITE_(now));
            SUITE_(test_backward)(&SUITE_(now));
            SUITE_(test_score)(&SUITE_(now));
            SUITE_(test_symmetries)(&SUITE_(now));
            SUITE_(test_batches)(&SUITE_(now));
            SUITE_(test_transfer)(&SUITE_(now));
            SUITE_(test_failures)(&SUITE_(now));
            SUITE_(untouched)(&SUITE_(now));
        }
    }
    for (k = 0; k < 4; ++k) { /* from 1, 2, 3 and 2 sites to twice (1: four times) that, the last with a flow behind each */
        for (mu = 0; mu < SUITE_DIM; ++mu) {
            from[mu]   = k == 0 ? 1 : k == 2 ? 3 : 2;
            extent[mu] = (k == 0 ? 4 : 2) * from[mu];
        }
        if (SUITE_DIM == 4 && (k == 0 || k == 2)) continue;
        SUITE_(at)("scales from", from, -1);
        SUITE_(test_free)(from, extent, k == 3);
    }
}

#include "../suite_end.h"
