/* 23_jackknife.h: errors by leaving out bins.
 * Offers: lft_jackknifed, lft_jackknife(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

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
