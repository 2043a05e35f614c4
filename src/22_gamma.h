/* 22_gamma.h: honest errors of correlated measurements, by the Gamma method.
 * Offers: lft_estimate, lft_doubt_str(), lft_gamma(), lft_gamma_of(), lft_ratio(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Reasons not to trust an estimate, as bits. */
#define LFT_P_DOUBT_LIST(X)                                                           \
    X(LFT_DOUBT_NONFINITE, 1, "not a finite number")                                  \
    X(LFT_DOUBT_FEW, 2, "fewer than 5 samples")                                       \
    X(LFT_DOUBT_CONSTANT, 4, "constant samples carry no error")                       \
    X(LFT_DOUBT_WINDOW, 8, "the window reached half of the samples")                  \
    X(LFT_DOUBT_LENGTH, 16, "fewer samples than 50 tau_int")                          \
    X(LFT_DOUBT_REPLICA, 32, "replicas too short for their own means")                \
    X(LFT_DOUBT_SPREAD, 64, "replicas disagree")                                      \
    X(LFT_DOUBT_WEIGHTS, 128, "the weights of a few samples decide")

#define LFT_P_DOUBT_ENUM(name, bit, text) name = bit,
enum lft_doubt { LFT_DOUBT_NONE = 0, LFT_P_DOUBT_LIST(LFT_P_DOUBT_ENUM) LFT_P_DOUBT_END = 256 };
#undef LFT_P_DOUBT_ENUM

/* The first reason in words; "reliable" for none. Never NULL. */
LFT_P_STATIC const char *lft_doubt_str(int doubts);

/* value +- error, both in the observable's own units; tau_int in samples, 1/2 if they are independent.
 *   error_error, tau_int_error   statistical errors of error and tau_int
 *   spread     chi^2 per degree of freedom of the replicas' means about the common one; about 1, and 0 for one replica
 *   n          samples in all replicas
 *   window     the W up to which the autocorrelation was summed
 *   doubts     lft_doubt bits; reliable is doubts == 0. The numbers are given all the same
 * Doubts: a number that is not finite (then value or error is NaN); n < 5; a constant series (error 0, tau_int 1/2); a
 * window so long that fewer than half of the samples have a partner at W + 1; n < 50 tau_int; more than one replica and
 * (2W + 1) replicas > n / 10, for each replica's mean takes the fraction (2W + 1) replicas / n out of error^2; replica
 * means whose chi^2 is 4 sigma too large, for chains that sit in different modes look precise, each by itself.
 * LFT_DOUBT_WEIGHTS is for those who reweight to set: the series do not know which column is a weight. */
typedef struct lft_estimate {
    double value, error, error_error, tau_int, tau_int_error, spread;
    size_t n;
    int    window, reliable, doubts;
} lft_estimate;

/* The mean of one column and its error from the autocorrelation function, with N samples in R replicas:
 *   Gamma(t) = sum_r sum_i d_i d_(i+t) / sum_r max(N_r - t, 0), d about the replica's own mean
 *   tau(W)   = 1/2 + sum_(t=1..W) Gamma(t) / Gamma(0), not below 1/2
 *   W        the first with exp(-W / T) < T / sqrt(W N), T = S / ln[(2 tau + 1) / (2 tau - 1)]
 *   tau_int  = tau (1 + (2W + 1) / N) / (1 + 1/N);  error^2 = 2 tau_int Gamma(0) (1 + 1/N) / N
 *   error_error = error sqrt((W + 1/2) / N);  tau_int_error = 2 tau sqrt(|W + 1/2 - tau| / N)
 * If all replicas are constant but differ, e.g. with one sample each, the error is that of the mean of R numbers, and
 * tau_int stays 1/2. No such column, or no sample: n = 0 and NaN. O(N W).
 * Source: U. Wolff, hep-lat/0306017: window section 3.3, tau_int_error eq. 42, bias eq. 49; d as in pyerrors. */
LFT_P_STATIC lft_estimate lft_gamma(const lft_series *s, int column);

/* A function of the means of all columns; ctx is the caller's. */
typedef double (*lft_derived)(const double *mean, void *ctx);

/* f(means) with the error of d_i = sum_c (df/dmean_c)(a_ic - mean_c), otherwise as lft_gamma. For masses, cumulants,
 * correlation lengths. The gradient is by central differences with a quarter of the column's naive error as the step
 * (Wolff's choice), so f is called 1 + 2 columns times; it must be smooth on that scale.
 *
 * Reweighted observables: with columns w and w O (w = exp(logw - a constant of the size of the largest logw) for every
 * sample) lft_ratio gives <w O>/<w>, and the weight's own fluctuation is in the error.
 *
 * Scratch: lft_gamma_bytes(). Status through e (may be NULL): LFT_ERR_ARG without samples, LFT_ERR_NOMEM,
 * LFT_ERR_NONFINITE; the estimate then holds NaN and is not reliable. A value whose gradient alone is not finite
 * stands, with error NaN.
 * O(N (W + columns)). Source: as lft_gamma. */
LFT_P_STATIC lft_estimate lft_gamma_of(const lft_series *s, lft_derived f, void *ctx, lft_arena scratch, lft_error *e);

/* The scratch that lft_gamma_of needs for this series however full, the alignment of the arena's base included. */
LFT_P_STATIC size_t lft_gamma_bytes(const lft_series *s);

/* mean[1] / mean[0]; with ctx an int[2], mean[ctx[0]] / mean[ctx[1]]. */
LFT_P_STATIC double lft_ratio(const double *mean, void *ctx);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- a line: one number per sample, a column or the projection of all columns ------------------------------------ */

#define LFT_P_LAGS 8

typedef struct lft_p_line {
    const double *data; /* [replica][stride] */
    const size_t *length;
    size_t        stride, n;
    int           replicas, filled; /* filled: those with samples */
} lft_p_line;

LFT_P_STATIC lft_p_line lft_p_line_of(const lft_series *s, const double *data)
{
    lft_p_line l;
    int        r;
    l.data     = data;
    l.length   = s->length;
    l.stride   = s->capacity;
    l.replicas = data ? s->replicas : 0;
    l.n        = 0;
    l.filled   = 0;
    for (r = 0; r < l.replicas; ++r) {
        l.n += l.length[r];
        l.filled += l.length[r] > 0;
    }
    return l;
}

/* Sums differences from the first number: then a constant series has exactly that mean. Eight partial sums become
 * vectors without a licence to reorder, and round less. */
LFT_P_STATIC double lft_p_mean(const double *x, size_t n)
{
    const double first = x[0];
    const size_t whole = n - n % 8;
    double       part[8] = {0, 0, 0, 0, 0, 0, 0, 0}, sum = 0;
    size_t       i, k;
    for (i = 0; i < whole; i += 8) {
        for (k = 0; k < 8; ++k) part[k] += x[i + k] - first;
    }
    for (; i < n; ++i) sum += x[i] - first;
    for (k = 0; k < 8; ++k) sum += part[k];
    return first + sum / (double)n;
}

LFT_P_STATIC double lft_p_line_replica_mean(const lft_p_line *l, int replica)
{
    return lft_p_mean(l->data + (size_t)replica * l->stride, l->length[replica]);
}

/* The mean over all samples, and sum_r N_r (m_r - mean)^2. */
LFT_P_STATIC double lft_p_line_mean(const lft_p_line *l, double *scatter)
{
    double first = 0, sum = 0, squares = 0;
    int    r, found = 0;
    for (r = 0; r < l->replicas; ++r) {
        double d;
        if (!l->length[r]) continue;
        d = lft_p_line_replica_mean(l, r);
        if (!found) first = d;
        found = 1;
        d -= first;
        sum += (double)l->length[r] * d;
        squares += (double)l->length[r] * d * d;
    }
    squares -= sum * sum / (double)l->n;
    *scatter = squares > 0 ? squares : 0;
    return first + sum / (double)l->n;
}

/* How many pairs of samples are t apart: N - R t, or more if there are replicas shorter than t. */
LFT_P_STATIC size_t lft_p_line_pairs(const lft_p_line *l, size_t t)
{
    size_t pairs = 0;
    int    r;
    for (r = 0; r < l->replicas; ++r) pairs += l->length[r] > t ? l->length[r] - t : 0;
    return pairs;
}

/* sum_i (x_i - mean)(y_i - mean) */
LFT_P_STATIC double lft_p_lagged_product(const double *x, const double *y, size_t n, double mean)
{
    const size_t whole   = n - n % 8;
    double       part[8] = {0, 0, 0, 0, 0, 0, 0, 0}, sum = 0;
    size_t       i, k;
    for (i = 0; i < whole; i += 8) {
        for (k = 0; k < 8; ++k) part[k] += (x[i + k] - mean) * (y[i + k] - mean);
    }
    for (; i < n; ++i) sum += (x[i] - mean) * (y[i] - mean);
    for (k = 0; k < 8; ++k) sum += part[k];
    return sum;
}

/* gamma[k] = Gamma(lag + k), or 0 if no replica is that long. Several lags at once, while a replica is in cache. */
LFT_P_STATIC void lft_p_line_gamma(const lft_p_line *l, size_t lag, double gamma[LFT_P_LAGS])
{
    size_t k;
    int    r;
    for (k = 0; k < LFT_P_LAGS; ++k) gamma[k] = 0;
    for (r = 0; r < l->replicas; ++r) {
        const double *x    = l->data + (size_t)r * l->stride;
        const size_t  n    = l->length[r];
        const double  mean = n > lag ? lft_p_line_replica_mean(l, r) : 0;
        for (k = lag; k < lag + LFT_P_LAGS && k < n; ++k) gamma[k - lag] += lft_p_lagged_product(x, x + k, n - k, mean);
    }
    for (k = 0; k < LFT_P_LAGS; ++k) {
        const size_t pairs = lft_p_line_pairs(l, lag + k);
        if (pairs) gamma[k] /= (double)pairs;
    }
}


LFT_P_STATIC const char *lft_doubt_str(int doubts)
{
#define LFT_P_DOUBT_TEXT(name, bit, text) text,
    static const char *const text[] = {LFT_P_DOUBT_LIST(LFT_P_DOUBT_TEXT) "reliable"};
#undef LFT_P_DOUBT_TEXT
    int i = 0;
    while (1 << i < LFT_P_DOUBT_END && !(doubts >> i & 1)) ++i;
    return text[i];
}

LFT_P_STATIC lft_estimate lft_p_estimate_doubt(lft_estimate r, int doubt)
{
    r.doubts |= doubt;
    r.reliable = r.doubts == 0;
    return r;
}

LFT_P_STATIC lft_estimate lft_p_estimate_nothing(size_t n)
{
    lft_estimate r;
    lft_p_zero(&r, sizeof r);
    lft_p_set_nan(&r.value);
    lft_p_set_nan(&r.error);
    lft_p_set_nan(&r.error_error);
    lft_p_set_nan(&r.tau_int);
    lft_p_set_nan(&r.tau_int_error);
    r.n = n;
    return lft_p_estimate_doubt(r, n ? LFT_DOUBT_NONFINITE : LFT_DOUBT_FEW);
}

/* Has the truncation error exp(-W/T) fallen below the statistical one? */
LFT_P_STATIC int lft_p_window_ends(double w, double tau, double n, double factor)
{
    double t, x;
    if (tau <= 0.5 + DBL_EPSILON) return 1; /* T = 0 */
    t = factor / lft_p_f64_p_log((2 * tau + 1) / (2 * tau - 1));
    x = -w / t;
    return (x > -700 ? lft_p_f64_p_exp(x) : 0) < t / lft_p_f64_p_sqrt(w * n);
}

/* Sums the autocorrelation up to the window: tau before the bias correction. */
LFT_P_STATIC double lft_p_line_window(const lft_p_line *l, double factor, double *gamma0, size_t *window, int *doubts)
{
    double gamma[LFT_P_LAGS], tau = 0.5;
    size_t w;
    lft_p_line_gamma(l, 0, gamma);
    *gamma0 = gamma[0];
    *window = 0;
    if (!(*gamma0 > 0) || !lft_finite(*gamma0)) return tau;
    for (w = 1;; ++w) {
        if (w % LFT_P_LAGS == 0) lft_p_line_gamma(l, w, gamma);
        tau += gamma[w % LFT_P_LAGS] / *gamma0;
        *window = w;
        if (lft_p_line_pairs(l, w + 1) < l->n - l->n / 2) {
            *doubts |= LFT_DOUBT_WINDOW;
            break;
        }
        if (lft_p_window_ends((double)w, tau, (double)l->n, factor)) break;
    }
    return tau > 0.5 ? tau : 0.5;
}

/* chi^2 with k degrees of freedom is more than 4 sigma too large. By its cube root, which is nearly normal (Wilson and
 * Hilferty). */
LFT_P_STATIC int lft_p_chi2_large(double chi2, double k)
{
    const double a = 2 / (9 * k);
    return chi2 > k && lft_p_f64_p_exp(lft_p_f64_p_log(chi2 / k) / 3) - (1 - a) > 4 * lft_p_f64_p_sqrt(a);
}

/* All replicas are constant: what error there is shows between them. */
LFT_P_STATIC lft_estimate lft_p_estimate_constant(lft_estimate r, double scatter, int filled)
{
    r.tau_int       = 0.5;
    r.tau_int_error = r.error = r.error_error = 0;
    if (scatter > 0 && filled > 1) {
        r.error       = lft_p_f64_p_sqrt(scatter / ((double)r.n * (filled - 1)));
        r.error_error = r.error / lft_p_f64_p_sqrt(2.0 * (filled - 1));
        r.spread      = 1;
    } else if (r.n == 1) {
        lft_p_set_nan(&r.error);
        lft_p_set_nan(&r.error_error);
    }
    return lft_p_estimate_doubt(r, LFT_DOUBT_CONSTANT);
}

/* value +- the error of the line's mean */
LFT_P_STATIC lft_estimate lft_p_line_estimate(const lft_p_line *l, double value, double factor)
{
    const double n = (double)l->n;
    lft_estimate r = lft_p_estimate_nothing(l->n);
    double       scatter, gamma0, tau, biased;
    size_t       window;
    if (!l->n || !lft_finite(value)) return r;
    r.value  = value;
    r.doubts = l->n < 5 ? LFT_DOUBT_FEW : 0;
    (void)lft_p_line_mean(l, &scatter);
    tau = lft_p_line_window(l, factor, &gamma0, &window, &r.doubts);
    if (!lft_finite(scatter) || !lft_finite(gamma0) || !lft_finite(tau)) {
        return lft_p_estimate_doubt(r, LFT_DOUBT_NONFINITE);
    }
    if (!(gamma0 > 0)) return lft_p_estimate_constant(r, scatter, l->filled);
    r.window        = (int)window;
    biased          = 2 * (double)window + 1;
    r.tau_int       = tau * (1 + biased / n) / (1 + 1 / n);
    r.tau_int_error = 2 * tau * lft_p_f64_p_sqrt((biased / 2 > tau ? biased / 2 - tau : tau - biased / 2) / n);
    r.error         = lft_p_f64_p_sqrt(2 * r.tau_int * gamma0 * (1 + 1 / n) / n);
    r.error_error   = r.error * lft_p_f64_p_sqrt(biased / (2 * n));
    if (n < 50 * r.tau_int) r.doubts |= LFT_DOUBT_LENGTH;
    if (l->filled > 1) {
        const double k = l->filled - 1, corrected = r.error * r.error * (1 + k * biased / n);
        r.spread = scatter / (n * corrected * k);
        if (biased * l->filled > n / 10) r.doubts |= LFT_DOUBT_REPLICA;
        if (lft_p_chi2_large(r.spread * k, k)) r.doubts |= LFT_DOUBT_SPREAD;
    }
    return lft_p_estimate_doubt(r, 0);
}

LFT_P_STATIC lft_estimate lft_gamma(const lft_series *s, int column)
{
    lft_p_line l;
    double     scatter;
    if (column < 0 || column >= s->columns || !s->data) return lft_p_estimate_nothing(0);
    l = lft_p_line_of(s, lft_series_samples(s, column, 0));
    return l.n ? lft_p_line_estimate(&l, lft_p_line_mean(&l, &scatter), s->window_factor) : lft_p_estimate_nothing(0);
}

typedef struct lft_p_derived_work {
    double *mean, *slope; /* [column] */
    double *line;         /* [replica][capacity] */
} lft_p_derived_work;

LFT_P_STATIC lft_p_derived_work lft_p_derived_layout(const lft_series *s, lft_arena *a)
{
    lft_p_derived_work w;
    w.mean  = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.slope = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.line  = (double *)lft_arena_alloc(a, (size_t)s->replicas, s->capacity * sizeof(double));
    return w;
}

LFT_P_STATIC size_t lft_gamma_bytes(const lft_series *s)
{
    lft_arena a = lft_arena_measure();
    (void)lft_p_derived_layout(s, &a);
    return a.need;
}

LFT_P_STATIC void lft_p_series_means(const lft_series *s, double *mean)
{
    double scatter;
    int    c;
    for (c = 0; c < s->columns; ++c) {
        const lft_p_line l = lft_p_line_of(s, lft_series_samples(s, c, 0));
        mean[c]            = lft_p_line_mean(&l, &scatter);
    }
}

/* sqrt(variance / N) of a column */
LFT_P_STATIC double lft_p_naive_error(const lft_series *s, int column, double mean)
{
    const lft_p_line l   = lft_p_line_of(s, lft_series_samples(s, column, 0));
    double           sum = 0;
    size_t           i;
    int              r;
    for (r = 0; r < l.replicas; ++r) {
        for (i = 0; i < l.length[r]; ++i) {
            const double d = l.data[(size_t)r * l.stride + i] - mean;
            sum += d * d;
        }
    }
    return lft_p_f64_p_sqrt(sum) / (double)l.n;
}

/* slope = df/dmean; a column that does not fluctuate needs none */
LFT_P_STATIC void lft_p_slopes(const lft_series *s, lft_derived f, void *ctx, double *mean, double *slope)
{
    int c;
    for (c = 0; c < s->columns; ++c) {
        const double here = mean[c], h = lft_p_naive_error(s, c, here) / 4, up = here + h, down = here - h;
        double       rise;
        slope[c] = 0;
        if (!(up > down)) continue;
        mean[c]  = up;
        rise     = f(mean, ctx);
        mean[c]  = down;
        rise    -= f(mean, ctx);
        mean[c]  = here;
        slope[c] = rise / (up - down);
    }
}

/* line_i = sum_c slope_c (a_ic - mean_c) */
LFT_P_STATIC void lft_p_project(const lft_series *s, const lft_p_derived_work *w)
{
    size_t i;
    int    c, r;
    for (c = 0; c < s->columns; ++c) {
        for (r = 0; r < s->replicas; ++r) {
            const double *a    = lft_series_samples(s, c, r);
            double       *line = w->line + (size_t)r * s->capacity;
            for (i = 0; i < s->length[r]; ++i) line[i] += w->slope[c] * (a[i] - w->mean[c]);
        }
    }
}

LFT_P_STATIC lft_estimate lft_gamma_of(const lft_series *s, lft_derived f, void *ctx, lft_arena scratch, lft_error *e)
{
    const size_t       n = lft_p_line_of(s, s->data).n;
    lft_p_derived_work w;
    lft_p_line         l;
    lft_estimate       r;
    double             value;
    if (!n) {
        (void)lft_p_fail(e, LFT_ERR_ARG, "lft_gamma_of", "no samples");
        return lft_p_estimate_nothing(0);
    }
    w = lft_p_derived_layout(s, &scratch);
    if (!w.line) {
        (void)lft_arena_check(&scratch, e, "lft_gamma_of");
        return lft_p_estimate_nothing(n);
    }
    lft_p_series_means(s, w.mean);
    value = f(w.mean, ctx);
    lft_p_slopes(s, f, ctx, w.mean, w.slope);
    lft_p_project(s, &w);
    l = lft_p_line_of(s, w.line);
    r = lft_p_line_estimate(&l, value, s->window_factor);
    if (r.doubts & LFT_DOUBT_NONFINITE) {
        (void)lft_p_fail(e, LFT_ERR_NONFINITE, "lft_gamma_of",
                         lft_finite(value) ? "the gradient or a sample is not finite" : "the function is not finite");
    }
    return r;
}

LFT_P_STATIC double lft_ratio(const double *mean, void *ctx)
{
    const int *columns = (const int *)ctx;
    return columns ? mean[columns[0]] / mean[columns[1]] : mean[1] / mean[0];
}

#endif /* LFT_P_CODE */
