/* 86_scalar_observables.h: what is measured on scalar fields, and what is derived from it.
 * Offers: lft_column, LFT_(observables_count)(), LFT_(measure)(), LFT_(measure_into)(), LFT_(measure_bytes)();
 *         lft_observable, LFT_(observable_name)(), LFT_(observe)(), LFT_(derived)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* A measurement of a configuration is a row of these numbers, with V sites, <phi> = (1/V) sum_x phi(x), and the time axes:
 * axis 0 and those of the same extent L. Along one of them s(t) is the sum of phi over the sites of slice t. */
#ifndef LFT_P_OBSERVABLES
#define LFT_P_OBSERVABLES
typedef enum lft_column {
    LFT_COLUMN_M,      /* m = <phi>, the mean field */
    LFT_COLUMN_ABS_M,  /* |m| */
    LFT_COLUMN_M2,     /* m^2 */
    LFT_COLUMN_M4,     /* m^4 */
    LFT_COLUMN_PHI2,   /* <phi^2>, the mean over the sites */
    LFT_COLUMN_PHI4,   /* <phi^4> */
    LFT_COLUMN_ACTION, /* S / V */
    LFT_COLUMN_KMIN,   /* |sum_t s(t) e^(2 pi i t / L)|^2 / V, mean over the time axes: the smallest momentum, normalised so
                          that a free field gives 1 / (2 (khat^2 + m2)) */
    LFT_COLUMN_C       /* the first of L/2 + 1 columns C(t) = (1/V) sum_t' s(t') s(t' + t), t = 0 ... L/2, mean over the time
                          axes: the correlator of slices at zero momentum. C(L - t) = C(t), and sum_t C(t) = V m^2 */
} lft_column;

/* name, what it is: with expectation values of the columns in brackets, and G(t) = <C(t)> for all t */
#define LFT_P_OBSERVABLE_LIST(X)                                                                               \
    X(LFT_CHI2, "chi2")         /* V <m^2>: the connected susceptibility, because <m> = 0 by phi -> -phi */    \
    X(LFT_MASS_L, "mass_l")     /* m_p L, m_p = mean over t = 1 ... L-1 of arcosh[(G(t-1)+G(t+1)) / 2 G(t)] */ \
    X(LFT_XI_2ND, "xi_2nd")     /* sqrt(chi2 / F - 1) / (2 sin(pi / L)), F = <KMIN> */                         \
    X(LFT_BINDER, "binder")     /* U = 1 - <m^4> / 3 <m^2>^2 */                                                \
    X(LFT_ABS_M, "abs_m")       /* <|m|> */                                                                    \
    X(LFT_PHI2, "phi2")         /* <phi^2> */                                                                  \
    X(LFT_PHI4, "phi4")         /* <phi^4> */                                                                  \
    X(LFT_IDENTITY, "identity") /* <S> / V + lambda <phi^4>: exactly 1/2 in phi^4 theory, for all couplings */

#define LFT_P_OBSERVABLE_ENUM(code, name) code,
typedef enum lft_observable { LFT_P_OBSERVABLE_LIST(LFT_P_OBSERVABLE_ENUM) LFT_OBSERVABLES } lft_observable;
#undef LFT_P_OBSERVABLE_ENUM
#endif

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

/* Numbers in a row: LFT_COLUMN_C + L/2 + 1. */
LFT_API int LFT_(observables_count)(const LFT_(lattice) *lattice);

/* rows[n][count] of the configurations of a batch, summed in double and in a fixed order: the same whatever else is in the
 * batch. Scratch: measure_bytes(). LFT_ERR_NOMEM; text in *error (may be NULL). O(n (V + L^2)). */
LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(batch) *x, double *rows, lft_arena scratch,
                                 lft_error *error);

/* Appends the row of configuration i to replica i of a series of observables_count() columns: chains are replicas.
 * LFT_ERR_MISMATCH if numbers of columns, or replicas and configurations differ; LFT_ERR_NOMEM if a replica was full, which
 * is left as it is; LFT_ERR_NONFINITE if a number is not finite (stored all the same, see lft_series_add). */
LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(batch) *x, lft_series *series,
                                      lft_arena scratch, lft_error *error);

/* Scratch of both, the alignment of the arena's base included. */
LFT_API size_t LFT_(measure_bytes)(const LFT_(lattice) *lattice);

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

/* "chi2", ... for 0 <= observable < LFT_OBSERVABLES, else NULL. */
LFT_API const char *LFT_(observable_name)(int observable);

/* An observable (an lft_observable) of a series that measure_into filled, with the error of the Gamma method. Not a number, and
 * not reliable, where it is not defined: mass_l at L = 1 or if noise takes a ratio below 1; xi_2nd at L = 1 or if it takes F
 * above chi2; identity in other theories than phi4. Slopes are analytic, for at small masses a fraction of a naive error of
 * one G(t), the others fixed, would take a ratio below 1.
 * Scratch: lft_gamma_bytes(). Status through error (may be NULL) as lft_gamma_of; LFT_ERR_MISMATCH for other columns. */
LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(lattice) *lattice,
                                   int observable, lft_arena scratch, lft_error *error);

/* The same function of the means of the columns as an lft_derived, e.g. for lft_jackknife; ctx: an LFT_(derived_of). */
typedef struct LFT_(derived_of) {
    const LFT_(theory)  *theory;
    const LFT_(lattice) *lattice;
    int                  observable;
} LFT_(derived_of);
LFT_API double LFT_(derived)(const double *mean, void *ctx);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_API int LFT_(observables_count)(const LFT_(lattice) *lattice)
{
    return LFT_COLUMN_C + lattice->extent[0] / 2 + 1;
}

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

typedef struct LFT_P(measure_work) {
    double *slice; /* [time axis][L][lane] s(t) */
    double *c;     /* [L/2 + 1][lane] C(t) */
    double *rows;  /* [lane][count] */
    lft_v  *panel; /* [length of a row] sums over rows */
} LFT_P(measure_work);

/* One group's sums over the sites. */
typedef struct LFT_P(measure_sums) {
    double phi2[LFT_P_LANES], phi4[LFT_P_LANES], action[LFT_P_LANES];
} LFT_P(measure_sums);

/* Which of the time axes an axis is, -1 for none; their number. */
LFT_P_STATIC int LFT_P(time_axes)(const LFT_(lattice) *lattice, int which[LFT_DIM])
{
    int mu, n = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) which[mu] = lattice->extent[mu] == lattice->extent[0] ? n++ : -1;
    return n;
}

LFT_P_STATIC LFT_P(measure_work) LFT_P(measure_layout)(const LFT_(lattice) *lattice, lft_arena *arena)
{
    const size_t        L = (size_t)lattice->extent[0], line = LFT_P_LANES * sizeof(double);
    int                 which[LFT_DIM], axes = LFT_P(time_axes)(lattice, which);
    LFT_P(measure_work) w;
    w.slice = (double *)lft_arena_take(arena, (size_t)axes * L, line);
    w.c     = (double *)lft_arena_take(arena, L / 2 + 1, line);
    w.rows  = (double *)lft_arena_take(arena, (size_t)LFT_(observables_count)(lattice), line);
    w.panel = LFT_P(vectors)(arena, (size_t)LFT_P(row_length)(lattice));
    return w;
}

LFT_API size_t LFT_(measure_bytes)(const LFT_(lattice) *lattice)
{
    lft_arena measure = lft_arena_measure();
    (void)LFT_P(measure_layout)(lattice, &measure);
    return measure.need;
}

/* Adds the panel to the slices across the last axis, where that is a time axis, and clears it. */
LFT_P_STATIC void LFT_P(measure_flush)(lft_v *panel, int length, double *slice)
{
    int x;
    for (x = 0; x < length; ++x) {
        if (slice) LFT_P(add_wide)(slice + x * LFT_P_LANES, panel[x]);
        panel[x] = lft_splat(0);
    }
}

/* All sums over the sites, in one sweep: sums of at most LFT_P_CHUNK numbers in the real type, those of them in double. */
LFT_P_STATIC void LFT_P(measure_sweep)(const LFT_(lattice) *lattice, const lft_v *phi, const LFT_P(measure_work) *w,
                                       LFT_P(measure_sums) *sums)
{
    const int length = LFT_P(row_length)(lattice), rows = lattice->volume / length, L = lattice->extent[0];
    int       which[LFT_DIM], row, x, end, mu, rest;
    double   *across;
    lft_p_zero(w->slice, (size_t)(LFT_P(time_axes)(lattice, which) * L) * LFT_P_LANES * sizeof(double));
    across = which[LFT_DIM - 1] < 0 ? NULL : w->slice + which[LFT_DIM - 1] * L * LFT_P_LANES;
    for (x = 0; x < LFT_P_LANES; ++x) sums->phi2[x] = sums->phi4[x] = 0;
    LFT_P(measure_flush)(w->panel, length, NULL);
    for (row = 0; row < rows; ++row) {
        for (x = 0; x < length;) {
            lft_v one = lft_splat(0), two = one, four = one;
            for (end = length - x < LFT_P_CHUNK ? length : x + LFT_P_CHUNK; x < end; ++x) {
                const lft_v p = phi[row * length + x], q = p * p;
                w->panel[x] += p;
                one += p;
                two += q;
                four += q * q;
            }
            LFT_P(add_wide)(sums->phi2, two);
            LFT_P(add_wide)(sums->phi4, four);
            for (mu = LFT_DIM - 2, rest = row; mu >= 0; --mu) {
                const int t = rest % lattice->extent[mu];
                rest /= lattice->extent[mu];
                if (which[mu] >= 0) LFT_P(add_wide)(w->slice + (which[mu] * L + t) * LFT_P_LANES, one);
            }
        }
        if (row % LFT_P_CHUNK == LFT_P_CHUNK - 1 || row == rows - 1) LFT_P(measure_flush)(w->panel, length, across);
    }
}

/* C(t) from the slices: sum_t' s(t') s(t' + t) over all time axes. */
LFT_P_STATIC void LFT_P(measure_correlator)(const LFT_(lattice) *lattice, const LFT_P(measure_work) *w)
{
    const int    L = lattice->extent[0];
    int          which[LFT_DIM], axes = LFT_P(time_axes)(lattice, which), t, i, a, l;
    const double scale = 1 / ((double)axes * lattice->volume);
    for (t = 0; t <= L / 2; ++t) {
        double sum[LFT_P_LANES];
        for (l = 0; l < LFT_P_LANES; ++l) sum[l] = 0;
        for (a = 0; a < axes; ++a) {
            const double *s = w->slice + a * L * LFT_P_LANES;
            for (i = 0; i < L; ++i) {
                const double *here = s + i * LFT_P_LANES, *there = s + (i + t < L ? i + t : i + t - L) * LFT_P_LANES;
                for (l = 0; l < LFT_P_LANES; ++l) sum[l] += here[l] * there[l];
            }
        }
        for (l = 0; l < LFT_P_LANES; ++l) w->c[t * LFT_P_LANES + l] = scale * sum[l];
    }
}

/* KMIN is sum_t C(t) cos(2 pi t / L) over all L times, configuration by configuration. */
LFT_P_STATIC void LFT_P(measure_rows)(const LFT_(lattice) *lattice, const LFT_P(measure_work) *w,
                                      const LFT_P(measure_sums) *sums)
{
    const int    L = lattice->extent[0], count = LFT_(observables_count)(lattice);
    const double scale = 1 / (double)lattice->volume;
    int          t, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double *row = w->rows + l * count, m = 0;
        for (t = 0; t < L; ++t) m += w->slice[t * LFT_P_LANES + l];
        m *= scale;
        row[LFT_COLUMN_M]      = m;
        row[LFT_COLUMN_ABS_M]  = m < 0 ? -m : m;
        row[LFT_COLUMN_M2]     = m * m;
        row[LFT_COLUMN_M4]     = m * m * m * m;
        row[LFT_COLUMN_PHI2]   = scale * sums->phi2[l];
        row[LFT_COLUMN_PHI4]   = scale * sums->phi4[l];
        row[LFT_COLUMN_ACTION] = scale * sums->action[l];
        row[LFT_COLUMN_KMIN]   = 0;
    }
    for (t = 0; t <= L / 2; ++t) {
        const int times = t == 0 || 2 * t == L ? 1 : 2;
        double    sine, cosine;
        lft_p_f64_p_sincos(6.283185307179586476925 * t / L, &sine, &cosine);
        for (l = 0; l < LFT_P_LANES; ++l) {
            double *row = w->rows + l * count;
            row[LFT_COLUMN_KMIN] += times * cosine * w->c[t * LFT_P_LANES + l];
            row[LFT_COLUMN_C + t] = w->c[t * LFT_P_LANES + l];
        }
    }
}

typedef struct LFT_P(measure_job) {
    const LFT_(theory) *theory;
    LFT_P(measure_work) work;
} LFT_P(measure_job);

/* The rows of one group. */
LFT_P_STATIC void LFT_P(measure_group)(const void *context, const LFT_(batch) *x, int group)
{
    const LFT_P(measure_job) *job = (const LFT_P(measure_job) *)context;
    const lft_real           *phi = LFT_P(group)(x, group);
    LFT_P(measure_sums)       sums;
    job->theory->action(job->theory, &x->lattice, phi, sums.action, NULL);
    LFT_P(measure_sweep)(&x->lattice, LFT_P(const_view)(phi), &job->work, &sums);
    LFT_P(measure_correlator)(&x->lattice, &job->work);
    LFT_P(measure_rows)(&x->lattice, &job->work, &sums);
}

LFT_P_STATIC LFT_P(measured) LFT_P(measured_of)(const LFT_(theory) *theory, const LFT_(lattice) *lattice,
                                                LFT_P(measure_job) *job, lft_arena *scratch)
{
    LFT_P(measured) m;
    job->theory = theory;
    job->work   = LFT_P(measure_layout)(lattice, scratch);
    m.count     = LFT_(observables_count)(lattice);
    m.rows      = job->work.rows;
    m.context   = job;
    m.group     = LFT_P(measure_group);
    return m;
}

LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(batch) *x, double *rows, lft_arena scratch,
                                 lft_error *error)
{
    LFT_P(measure_job)    job;
    const LFT_P(measured) m      = LFT_P(measured_of)(theory, &x->lattice, &job, &scratch);
    const lft_status      status = lft_arena_check(&scratch, error, "measure");
    if (!status) LFT_P(measure_rows_of)(&m, x, rows);
    return status;
}

LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(batch) *x, lft_series *series,
                                      lft_arena scratch, lft_error *error)
{
    LFT_P(measure_job)    job;
    const LFT_P(measured) m      = LFT_P(measured_of)(theory, &x->lattice, &job, &scratch);
    const lft_status      status = lft_arena_check(&scratch, error, "measure");
    return status ? status : LFT_P(measure_append)(&m, x, series, error);
}

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

LFT_API const char *LFT_(observable_name)(int observable)
{
#define LFT_P_OBSERVABLE_TEXT(code, name) name,
    static const char *const text[] = {LFT_P_OBSERVABLE_LIST(LFT_P_OBSERVABLE_TEXT)};
#undef LFT_P_OBSERVABLE_TEXT
    return observable >= 0 && observable < LFT_OBSERVABLES ? text[observable] : NULL;
}

/* Each of these returns the value and, where slope is not NULL, adds d value / d mean to it. */

/* <column> times a factor */
LFT_P_STATIC double LFT_P(observe_mean)(int column, double factor, const double *mean, double *slope)
{
    if (slope) slope[column] += factor;
    return factor * mean[column];
}

LFT_P_STATIC double LFT_P(observe_mass)(int L, const double *mean, double *slope)
{
    const double *G = mean + LFT_COLUMN_C;
    double        sum = 0, r, root;
    int           t;
    if (L < 2) lft_p_set_nan(&sum);
    for (t = 1; t < L; ++t) {
        const int before = t - 1 < L - t + 1 ? t - 1 : L - t + 1, here = t < L - t ? t : L - t;
        const int after  = t + 1 < L - t - 1 ? t + 1 : L - t - 1;
        r = (G[before] + G[after]) / (2 * G[here]);
        if (!(r >= 1)) {
            lft_p_set_nan(&sum);
            return sum;
        }
        root = lft_p_f64_p_sqrt((r - 1) * (r + 1));
        sum += lft_p_f64_p_log(r + root);
        if (!slope) continue;
        root *= 2 * G[here] * (L - 1) / L;
        slope[LFT_COLUMN_C + before] += 1 / root;
        slope[LFT_COLUMN_C + after] += 1 / root;
        slope[LFT_COLUMN_C + here] -= 2 * r / root;
    }
    return L < 2 ? sum : sum * L / (L - 1);
}

LFT_P_STATIC double LFT_P(observe_xi)(const LFT_(lattice) *lattice, const double *mean, double *slope)
{
    const double chi2 = lattice->volume * mean[LFT_COLUMN_M2], F = mean[LFT_COLUMN_KMIN], x = chi2 / F - 1;
    double       sine, cosine, xi;
    lft_p_f64_p_sincos(3.14159265358979323846 / lattice->extent[0], &sine, &cosine);
    if (lattice->extent[0] < 2 || !(x >= 0)) {
        lft_p_set_nan(&xi);
        return xi;
    }
    xi = lft_p_f64_p_sqrt(x) / (2 * sine);
    if (slope) {
        const double dx = 1 / (8 * sine * sine * xi); /* d xi / dx */
        slope[LFT_COLUMN_M2] += dx * lattice->volume / F;
        slope[LFT_COLUMN_KMIN] -= dx * chi2 / (F * F);
    }
    return xi;
}

LFT_P_STATIC double LFT_P(observe_binder)(const double *mean, double *slope)
{
    const double m2 = mean[LFT_COLUMN_M2], m4 = mean[LFT_COLUMN_M4];
    if (slope) {
        slope[LFT_COLUMN_M4] -= 1 / (3 * m2 * m2);
        slope[LFT_COLUMN_M2] += 2 * m4 / (3 * m2 * m2 * m2);
    }
    return 1 - m4 / (3 * m2 * m2);
}

LFT_P_STATIC double LFT_P(observe_identity)(const LFT_(theory) *theory, const double *mean, double *slope)
{
    static const char phi4[] = "phi4";
    double            value;
    int               i;
    for (i = 0; i < 5; ++i) {
        if (theory->name[i] == phi4[i]) continue;
        lft_p_set_nan(&value);
        return value;
    }
    value = LFT_P(observe_mean)(LFT_COLUMN_ACTION, 1, mean, slope);
    return value + LFT_P(observe_mean)(LFT_COLUMN_PHI4, theory->coupling[1], mean, slope);
}

LFT_P_STATIC double LFT_P(observe_value)(const void *context, const double *mean, double *slope)
{
    const LFT_(derived_of) *of = (const LFT_(derived_of) *)context;
    double                  nothing;
    switch (of->observable) {
    case LFT_CHI2: return LFT_P(observe_mean)(LFT_COLUMN_M2, of->lattice->volume, mean, slope);
    case LFT_MASS_L: return LFT_P(observe_mass)(of->lattice->extent[0], mean, slope);
    case LFT_XI_2ND: return LFT_P(observe_xi)(of->lattice, mean, slope);
    case LFT_BINDER: return LFT_P(observe_binder)(mean, slope);
    case LFT_ABS_M: return LFT_P(observe_mean)(LFT_COLUMN_ABS_M, 1, mean, slope);
    case LFT_PHI2: return LFT_P(observe_mean)(LFT_COLUMN_PHI2, 1, mean, slope);
    case LFT_PHI4: return LFT_P(observe_mean)(LFT_COLUMN_PHI4, 1, mean, slope);
    case LFT_IDENTITY: return LFT_P(observe_identity)(of->theory, mean, slope);
    default: lft_p_set_nan(&nothing); return nothing;
    }
}

LFT_API double LFT_(derived)(const double *mean, void *ctx)
{
    return LFT_P(observe_value)(ctx, mean, NULL);
}

LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(lattice) *lattice,
                                   int observable, lft_arena scratch, lft_error *error)
{
    LFT_(derived_of) of;
    LFT_P(observed)  observed;
    of.theory        = theory;
    of.lattice       = lattice;
    of.observable    = observable;
    observed.count   = LFT_(observables_count)(lattice);
    observed.name    = LFT_(observable_name)(observable);
    observed.context = &of;
    observed.value   = LFT_P(observe_value);
    if (observed.name) return LFT_P(observe_series)(&observed, series, scratch, error);
    (void)lft_p_fail_got(error, LFT_ERR_ARG, "observe", "observable", "0 to LFT_OBSERVABLES - 1", observable);
    return lft_p_estimate_nothing(0);
}

#endif /* LFT_P_CODE */
