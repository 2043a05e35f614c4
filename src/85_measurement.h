/* 85_measurement.h: rows of numbers from batches, and estimates from rows: what the observables of all groups share.
 * Offers (private): LFT_P(measured), LFT_P(measure_rows_of)(), LFT_P(measure_append)(); LFT_P(observed),
 *                   LFT_P(observe_series)(). */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

typedef struct LFT_P(measured) {
    int         count; /* numbers in a row */
    double     *rows;  /* [lane][count] of one group */
    const void *context;
    void (*group)(const void *context, const LFT_(batch) *x, int group); /* fills the rows */
} LFT_P(measured);

/* rows[n][count] of a batch. */
LFT_P_STATIC void LFT_P(measure_rows_of)(const LFT_P(measured) *m, const LFT_(batch) *x, double *rows)
{
    const size_t count = (size_t)m->count;
    int          g;
    for (g = 0; g < x->groups; ++g) {
        const int left = x->n - g * LFT_P_LANES;
        m->group(m->context, x, g);
        lft_p_copy(rows + (size_t)(g * LFT_P_LANES) * count, m->rows,
                   (size_t)(left < LFT_P_LANES ? left : LFT_P_LANES) * count * sizeof(double));
    }
}

/* The row of configuration i to replica i of the series. */
LFT_P_STATIC lft_status LFT_P(measure_append)(const LFT_P(measured) *m, const LFT_(batch) *x, lft_series *series,
                                              lft_error *error)
{
    lft_status status = LFT_OK;
    int        i;
    if (series->columns != m->count) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, "measure", "columns of the series", "observables_count()",
                              series->columns);
    }
    if (series->replicas != x->n) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, "measure", "replicas of the series", "one per configuration",
                              series->replicas);
    }
    for (i = 0; i < x->n; ++i) {
        const int  lane = i % LFT_P_LANES;
        lft_status added;
        if (lane == 0) m->group(m->context, x, i / LFT_P_LANES);
        added = lft_series_add(series, i, m->rows + lane * m->count);
        if (!added || status) continue;
        status = lft_p_fail_got(error, added, "measure", added == LFT_ERR_NOMEM ? "capacity" : "observables",
                                added == LFT_ERR_NOMEM ? "room for a sample, replica" : "finite numbers, configuration", i);
    }
    return status;
}

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

/* A function of the means of the columns, which adds its slopes d value / d mean where slope is not NULL. */
typedef struct LFT_P(observed) {
    int         count; /* columns */
    const char *name;
    const void *context;
    double (*value)(const void *context, const double *mean, double *slope);
} LFT_P(observed);

/* As lft_gamma_of, with the function's own slopes. */
LFT_P_STATIC lft_estimate LFT_P(observe_series)(const LFT_P(observed) *of, const lft_series *series, lft_arena scratch,
                                                lft_error *error)
{
    const size_t       n = series->data ? lft_p_line_of(series, series->data).n : 0;
    lft_p_derived_work w;
    lft_p_line         line;
    lft_estimate       r;
    double             value;
    if (series->columns != of->count) {
        (void)lft_p_fail_got(error, LFT_ERR_MISMATCH, "observe", "columns of the series", "observables_count()",
                             series->columns);
        return lft_p_estimate_nothing(0);
    }
    if (!n) {
        (void)lft_p_fail(error, LFT_ERR_ARG, "observe", "no samples");
        return lft_p_estimate_nothing(0);
    }
    w = lft_p_derived_layout(series, &scratch);
    if (lft_arena_check(&scratch, error, "observe")) return lft_p_estimate_nothing(n);
    lft_p_series_means(series, w.mean);
    value = of->value(of->context, w.mean, w.slope);
    lft_p_project(series, &w);
    line = lft_p_line_of(series, w.line);
    r    = lft_p_line_estimate(&line, value, series->window_factor);
    if (r.doubts & LFT_DOUBT_NONFINITE) {
        (void)lft_p_fail_text(error, LFT_ERR_NONFINITE, "observe", of->name, "a finite number",
                              lft_finite(value) ? "a sample that is none" : "a function that is not defined here");
    }
    return r;
}

#endif /* LFT_P_CODE */
