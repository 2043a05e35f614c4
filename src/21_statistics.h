/* 21_statistics.h: honest errors. Log-weights, series of measurements, the Gamma method, the jackknife.
 * Offers: lft_weigh(), lft_series, lft_estimate, lft_gamma(), lft_gamma_of(), lft_jackknife(), lft_ratio(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* ---- log-weights ------------------------------------------------------------------------------------------------- */

/* What a sample of log-weights says about the flow that made it, with w = exp(logw) and means over the sample.
 *   ess         effective sample size as a fraction, <w>^2 / <w^2>, in (0, 1]. Small n overestimates it badly: quote n
 *   logz        log <w>; with logw = -S - log q the log of the partition function
 *   logz_error  sqrt((1/ess - 1) / n), first order in the fluctuation of <w>, for independent weights
 *   status      LFT_OK; LFT_ERR_ARG without weights; LFT_ERR_NONFINITE if a log-weight is NaN or +infinity (all three
 *               numbers are NaN), or if all are -infinity (logz is -infinity, the others NaN). Single log-weights of
 *               -infinity are legal: zero weights, which count in n */
typedef struct lft_weights {
    size_t     n;
    double     ess, logz, logz_error;
    lft_status status;
} lft_weights;

/* Any size of log-weight is safe: the largest is taken out first. Two passes, O(n). */
LFT_P_STATIC lft_weights lft_weigh(const double *logw, size_t n);

/* ---- series ------------------------------------------------------------------------------------------------------ */

/* Measurements: columns (observables) of samples in Markov time, from several replicas (independent chains of the same
 * ensemble), whose lengths may differ. Memory [column][replica][capacity]. */
typedef struct lft_series {
    int     columns, replicas;
    size_t  capacity;  /* samples per replica */
    size_t *length;    /* [replica] samples so far */
    double *data;
    double  window_factor; /* S of the automatic window, the assumed ratio of exponential and integrated autocorrelation
                              time; init sets 1.5 */
} lft_series;

/* Takes 8 columns replicas capacity bytes and a little from the arena. LFT_ERR_ARG, LFT_ERR_NOMEM. */
LFT_P_STATIC lft_status lft_series_init(lft_series *s, int columns, int replicas, size_t capacity, lft_arena *arena,
                                        lft_error *e);

/* Appends row[column] to a replica. LFT_ERR_ARG: no such replica; LFT_ERR_NOMEM: it is full, nothing was stored;
 * LFT_ERR_NONFINITE: a number of the row is NaN or infinite. That row is stored all the same, so that estimates say NaN
 * instead of silently leaving a sample out. O(columns). */
LFT_P_STATIC lft_status lft_series_add(lft_series *s, int replica, const double *row);

/* The samples of one column in one replica, s->length[replica] numbers. */
LFT_P_STATIC const double *lft_series_samples(const lft_series *s, int column, int replica);

/* Forgets all samples. */
LFT_P_STATIC void lft_series_clear(lft_series *s);

/* ---- the Gamma method -------------------------------------------------------------------------------------------- */

/* Reasons not to trust an estimate, as bits. */
#define LFT_P_DOUBT_LIST(X)                                                           \
    X(LFT_DOUBT_NONFINITE, 1, "not a finite number")                                  \
    X(LFT_DOUBT_FEW, 2, "fewer than 5 samples")                                       \
    X(LFT_DOUBT_CONSTANT, 4, "constant samples carry no error")                       \
    X(LFT_DOUBT_WINDOW, 8, "the window reached half of the samples")                  \
    X(LFT_DOUBT_LENGTH, 16, "fewer samples than 50 tau_int")                          \
    X(LFT_DOUBT_REPLICA, 32, "replicas too short for their own means")                \
    X(LFT_DOUBT_SPREAD, 64, "replicas disagree")

#define LFT_P_DOUBT_ENUM(name, bit, text) name = bit,
enum lft_doubt { LFT_DOUBT_NONE = 0, LFT_P_DOUBT_LIST(LFT_P_DOUBT_ENUM) LFT_P_DOUBT_END = 128 };
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
 * means whose chi^2 is 4 sigma too large, for chains that sit in different modes look precise, each by itself. */
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

/* ---- the jackknife ----------------------------------------------------------------------------------------------- */

/* value = f(means); bias is the estimate of its O(1/N) bias, so value - bias is the corrected one; bins as used. */
typedef struct lft_jackknifed {
    double value, error, bias;
    size_t n;
    int    bins;
} lft_jackknifed;

/* f(means) with the error from leaving out one bin of consecutive samples at a time. About `bins` bins in all, of about
 * equal length, shared out over the replicas (at least one in each replica that has samples). No autocorrelation is
 * estimated: a bin must be much longer than tau_int, or the error is too small. For bins of equal length
 *   error^2 = (1 - 1/bins) sum_j (f_j - <f>)^2,  bias = (bins - 1)(<f> - f)
 * and unequal ones are weighted as in Busing, Meijer and van der Leeden, Stat. Comput. 9 (1999) 3.
 * Scratch: lft_jackknife_bytes(). Status through e: LFT_ERR_ARG (no samples, bins < 2, or fewer than 2 bins possible),
 * LFT_ERR_NOMEM, LFT_ERR_NONFINITE; what could not be computed is NaN. O(N columns). */
LFT_P_STATIC lft_jackknifed lft_jackknife(const lft_series *s, lft_derived f, void *ctx, int bins, lft_arena scratch,
                                          lft_error *e);
LFT_P_STATIC size_t lft_jackknife_bytes(const lft_series *s, int bins);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* Stored as bits: -ffast-math assumes that arithmetic gives no NaN, and may drop what would. */
LFT_P_STATIC void lft_p_set_nan(double *x)
{
    const uint64_t bits = 0x7ff8000000000000u;
    lft_p_copy(x, &bits, sizeof bits);
}

LFT_P_STATIC int lft_p_is_minus_infinity(double x)
{
    uint64_t bits;
    lft_p_copy(&bits, &x, sizeof bits);
    return bits == 0xfff0000000000000u;
}

/* ---- log-weights ------------------------------------------------------------------------------------------------- */

/* The largest log-weight. LFT_ERR_NONFINITE for NaN and +infinity, and if there is nothing but -infinity. */
LFT_P_STATIC lft_status lft_p_weigh_most(const double *logw, size_t n, double *most)
{
    size_t i;
    int    found = 0;
    *most        = 0;
    for (i = 0; i < n; ++i) {
        if (lft_p_is_minus_infinity(logw[i])) continue;
        if (!lft_finite(logw[i])) {
            lft_p_set_nan(most);
            return LFT_ERR_NONFINITE;
        }
        if (!found || logw[i] > *most) *most = logw[i];
        found = 1;
    }
    if (found) return LFT_OK;
    {
        const uint64_t bits = 0xfff0000000000000u;
        lft_p_copy(most, &bits, sizeof bits);
    }
    return LFT_ERR_NONFINITE;
}

LFT_P_STATIC lft_weights lft_weigh(const double *logw, size_t n)
{
    lft_weights r;
    double      most, mean = 0, squares = 0;
    size_t      i;
    r.n = n;
    lft_p_set_nan(&r.ess);
    lft_p_set_nan(&r.logz);
    lft_p_set_nan(&r.logz_error);
    r.status = n ? lft_p_weigh_most(logw, n, &most) : LFT_ERR_ARG;
    if (!n) return r;
    if (r.status != LFT_OK) {
        lft_p_copy(&r.logz, &most, sizeof most);
        return r;
    }
    /* Welford's updates: near ess = 1 the difference <w^2> - <w>^2 would be rounding. */
    for (i = 0; i < n; ++i) {
        const double x = lft_p_is_minus_infinity(logw[i]) ? -1000 : logw[i] - most;
        const double w = x > -700 ? lft_p_f64_p_exp(x) : 0; /* below: under the smallest normal double */
        const double d = w - mean;
        mean += d / (double)(i + 1);
        squares += d * (w - mean);
    }
    squares /= (double)n * mean * mean; /* relative variance = 1/ess - 1 */
    r.ess        = 1 / (1 + squares);
    r.logz       = most + lft_p_f64_p_log(mean);
    r.logz_error = lft_p_f64_p_sqrt(squares / (double)n);
    return r;
}

/* ---- series ------------------------------------------------------------------------------------------------------ */

LFT_P_STATIC lft_status lft_series_init(lft_series *s, int columns, int replicas, size_t capacity, lft_arena *arena,
                                        lft_error *e)
{
    const size_t rows = (size_t)columns * (size_t)replicas;
    lft_status   status;
    lft_p_zero(s, sizeof *s);
    if (columns < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "columns", "at least 1", columns);
    if (replicas < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "replicas", "at least 1", replicas);
    if (capacity < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "capacity", "at least 1", 0);
    if (capacity > SIZE_MAX / sizeof(double) || rows / (size_t)replicas != (size_t)columns) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "capacity", "what memory can hold", (double)capacity);
    }
    s->length = (size_t *)lft_arena_alloc(arena, (size_t)replicas, sizeof(size_t));
    s->data   = (double *)lft_arena_alloc(arena, rows, capacity * sizeof(double));
    status    = lft_arena_check(arena, e, "lft_series_init");
    if (status != LFT_OK) {
        lft_p_zero(s, sizeof *s);
        return status;
    }
    s->columns       = columns;
    s->replicas      = replicas;
    s->capacity      = capacity;
    s->window_factor = 1.5;
    return LFT_OK;
}

LFT_P_STATIC size_t lft_p_series_at(const lft_series *s, int column, int replica)
{
    return ((size_t)column * (size_t)s->replicas + (size_t)replica) * s->capacity;
}

LFT_P_STATIC lft_status lft_series_add(lft_series *s, int replica, const double *row)
{
    lft_status status = LFT_OK;
    size_t     at;
    int        c;
    if (replica < 0 || replica >= s->replicas) return LFT_ERR_ARG;
    if (!s->data || s->length[replica] >= s->capacity) return LFT_ERR_NOMEM;
    at = s->length[replica]++;
    for (c = 0; c < s->columns; ++c) {
        s->data[lft_p_series_at(s, c, replica) + at] = row[c];
        if (!lft_finite(row[c])) status = LFT_ERR_NONFINITE;
    }
    return status;
}

LFT_P_STATIC const double *lft_series_samples(const lft_series *s, int column, int replica)
{
    return s->data + lft_p_series_at(s, column, replica);
}

LFT_P_STATIC void lft_series_clear(lft_series *s)
{
    if (s->length) lft_p_zero(s->length, (size_t)s->replicas * sizeof(size_t));
}

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

/* ---- the Gamma method -------------------------------------------------------------------------------------------- */

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

/* ---- the jackknife ----------------------------------------------------------------------------------------------- */

typedef struct lft_p_jackknife_work {
    double *mean, *left;   /* [column] of all samples, of all but one bin */
    double *change, *odds; /* [bin] f_j - f, N / m_j - 1 */
} lft_p_jackknife_work;

LFT_P_STATIC lft_p_jackknife_work lft_p_jackknife_layout(const lft_series *s, int bins, lft_arena *a)
{
    const size_t         most = (size_t)(bins > 0 ? bins : 0) + (size_t)s->replicas; /* a replica rounds up by 1 */
    lft_p_jackknife_work w;
    w.mean   = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.left   = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.change = (double *)lft_arena_alloc(a, most, sizeof(double));
    w.odds   = (double *)lft_arena_alloc(a, most, sizeof(double));
    return w;
}

LFT_P_STATIC size_t lft_jackknife_bytes(const lft_series *s, int bins)
{
    lft_arena a = lft_arena_measure();
    (void)lft_p_jackknife_layout(s, bins, &a);
    return a.need;
}

/* The share of a replica in the bins: in proportion, at least 1, at most one per sample. */
LFT_P_STATIC size_t lft_p_share(size_t length, size_t n, int bins)
{
    const size_t share = (size_t)((double)bins * ((double)length / (double)n) + 0.5);
    if (!share) return length > 0;
    return share < length ? share : length;
}

/* left = the means without samples from..from+m of a replica */
LFT_P_STATIC void lft_p_leave_out(const lft_series *s, int replica, size_t from, size_t m, size_t n,
                                  const lft_p_jackknife_work *w)
{
    size_t i;
    int    c;
    for (c = 0; c < s->columns; ++c) {
        const double *a   = lft_series_samples(s, c, replica) + from;
        double        sum = 0;
        for (i = 0; i < m; ++i) sum += a[i] - w->mean[c];
        w->left[c] = w->mean[c] - sum / (double)(n - m);
    }
}

/* Fills change[] and odds[]; the number of bins. */
LFT_P_STATIC int lft_p_jackknife_bins(const lft_series *s, lft_derived f, void *ctx, int bins, size_t n, double value,
                                      const lft_p_jackknife_work *w)
{
    int r, used = 0;
    for (r = 0; r < s->replicas; ++r) {
        const size_t share = lft_p_share(s->length[r], n, bins);
        size_t       k, from = 0;
        for (k = 0; k < share; ++k, ++used) {
            const size_t m = s->length[r] / share + (k < s->length[r] % share); /* the first bins take the remainder */
            if (m == n) return 1;
            lft_p_leave_out(s, r, from, m, n, w);
            w->change[used] = f(w->left, ctx) - value;
            w->odds[used]   = (double)(n - m) / (double)m;
            from += m;
        }
    }
    return used;
}

/* bias and error from change[] and odds[]; 0 if they are not finite */
LFT_P_STATIC int lft_p_jackknife_error(lft_jackknifed *r, const lft_p_jackknife_work *w)
{
    double bias = 0, squares = 0;
    int    j;
    for (j = 0; j < r->bins; ++j) bias += w->change[j] * (w->odds[j] / (1 + w->odds[j]));
    for (j = 0; j < r->bins; ++j) {
        const double d = bias - w->odds[j] * w->change[j]; /* pseudo-value minus corrected value */
        squares += d * d / w->odds[j];
    }
    if (!lft_finite(squares)) return 0;
    r->bias  = bias;
    r->error = lft_p_f64_p_sqrt(squares / r->bins);
    return 1;
}

LFT_P_STATIC lft_status lft_p_jackknife(const lft_series *s, lft_derived f, void *ctx, int bins, lft_jackknifed *r,
                                        lft_arena scratch, lft_error *e)
{
    static const char    where[] = "lft_jackknife";
    lft_p_jackknife_work w;
    double               value;
    if (!r->n) return lft_p_fail(e, LFT_ERR_ARG, where, "no samples");
    if (bins < 2) return lft_p_fail_got(e, LFT_ERR_ARG, where, "bins", "at least 2", bins);
    w = lft_p_jackknife_layout(s, bins, &scratch);
    if (!w.odds) return lft_arena_check(&scratch, e, where);
    lft_p_series_means(s, w.mean);
    value = f(w.mean, ctx);
    if (!lft_finite(value)) return lft_p_fail(e, LFT_ERR_NONFINITE, where, "the function is not finite");
    r->value = value;
    r->bins  = lft_p_jackknife_bins(s, f, ctx, bins, r->n, value, &w);
    if (r->bins < 2) return lft_p_fail_got(e, LFT_ERR_ARG, where, "bins that the samples allow", "at least 2", r->bins);
    if (lft_p_jackknife_error(r, &w)) return LFT_OK;
    return lft_p_fail(e, LFT_ERR_NONFINITE, where, "the function without one bin is not finite");
}

LFT_P_STATIC lft_jackknifed lft_jackknife(const lft_series *s, lft_derived f, void *ctx, int bins, lft_arena scratch,
                                          lft_error *e)
{
    lft_jackknifed r;
    lft_p_set_nan(&r.value);
    lft_p_set_nan(&r.error);
    lft_p_set_nan(&r.bias);
    r.bins = 0;
    r.n    = lft_p_line_of(s, s->data).n;
    (void)lft_p_jackknife(s, f, ctx, bins, &r, scratch, e);
    return r;
}

#endif /* LFT_P_CODE */
