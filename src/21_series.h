/* 21_series.h: log-weights and series of measurements.
 * Offers: lft_weigh(), lft_weigh_pair(), lft_series. */
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

/* How other log-weights of the same draws differ: what both have in common cancels.
 *   std         of other - logw, over the draws
 *   logz_shift  log (<w'> / <w>)
 *   logz_error  of that: sqrt(sum (w'/<w'> - w/<w>)^2 / (n (n - 1))), first order in the fluctuations, for independent draws
 *   status      LFT_OK; LFT_ERR_ARG for fewer than 2 draws; LFT_ERR_NONFINITE where a log-weight is not finite: all NaN */
typedef struct lft_weight_shift {
    size_t     n;
    double     std, logz_shift, logz_error;
    lft_status status;
} lft_weight_shift;

LFT_P_STATIC lft_weight_shift lft_weigh_pair(const double *logw, const double *other, size_t n);

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

LFT_P_STATIC lft_weight_shift lft_weigh_pair(const double *logw, const double *other, size_t n)
{
    lft_weight_shift r;
    double           from, to, mean = 0, squares = 0, sum = 0;
    size_t           i;
    r.n = n;
    lft_p_set_nan(&r.std);
    lft_p_set_nan(&r.logz_shift);
    lft_p_set_nan(&r.logz_error);
    r.status = n < 2 ? LFT_ERR_ARG : LFT_OK;
    for (i = 0; i < n && !r.status; ++i) {
        if (!lft_finite(logw[i]) || !lft_finite(other[i])) r.status = LFT_ERR_NONFINITE;
    }
    if (r.status) return r;
    from = lft_weigh(logw, n).logz;
    to   = lft_weigh(other, n).logz;
    for (i = 0; i < n; ++i) {
        const double change = other[i] - logw[i], d = change - mean;
        const double u = lft_p_f64_p_exp(other[i] - to) - lft_p_f64_p_exp(logw[i] - from); /* both of mean 1 */
        mean += d / (double)(i + 1);
        squares += d * (change - mean);
        sum += u * u;
    }
    r.std        = lft_p_f64_p_sqrt(squares / (double)(n - 1));
    r.logz_shift = to - from;
    r.logz_error = lft_p_f64_p_sqrt(sum / ((double)n * (double)(n - 1)));
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

#endif /* LFT_P_CODE */
