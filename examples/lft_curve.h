/* lft_curve.h: the command curve: observables along a line of couplings, from independent samples with weights (a part of
 * lft_commands.h). A family is sampled anew at each point; another model once, and reweighted: S is linear in m2 and lambda.
 * SPDX-License-Identifier: MIT-0 */

enum { LFT(curve_bins) = 200, LFT(curve_batch) = 256 };

typedef struct LFT(curve_job) {
    cli         *c;
    LFT(model)   m;
    LFT(theory)  theory; /* of the point */
    double       low[2], high[2];
    uint64_t     n, seed;
    int          points, columns;
    double      *rows, *logw; /* [n][columns], [n]: of the samples, for the couplings of the flow */
    lft_series   series;      /* 1, and the columns, times the weight */
    lft_arena    scratch, jackknife;
} LFT(curve_job);

/* Observables of weighted samples: the means of w and of w times each column. */
typedef struct LFT(curve_ratio) {
    LFT(derived_of) of;
    double         *mean; /* [columns] */
    int             columns;
} LFT(curve_ratio);

static double LFT(curve_value)(const double *mean, void *context)
{
    LFT(curve_ratio) *r = (LFT(curve_ratio) *)context;
    int               i;
    for (i = 0; i < r->columns; ++i) r->mean[i] = mean[1 + i] / mean[0];
    return LFT(derived)(r->mean, &r->of);
}

/* n samples at the couplings of the flow. */
static lft_status LFT(curve_sample)(LFT(curve_job) *j)
{
    cli       *c = j->c;
    LFT(flow) *flow = &j->m.flow;
    lft_arena  arena = cli_arena(c, LFT(batch_bytes)(&flow->lattice, LFT(curve_batch)));
    LFT(batch) x;
    uint64_t   at;
    double     S[LFT(curve_batch)], logq[LFT(curve_batch)];
    int        i, left;
    if (c->error.code || cli_check(c, LFT(batch_init)(&x, &flow->lattice, LFT(curve_batch), &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    for (at = 0; at < j->n && !cli_signal; at += LFT(curve_batch)) {
        left = j->n - at < LFT(curve_batch) ? (int)(j->n - at) : LFT(curve_batch);
        if (cli_check(c, LFT(flow_sample)(flow, j->seed, at, &x, logq), &flow->error)) return c->error.code;
        LFT(action)(&j->theory, &x, S);
        if (cli_check(c, LFT(measure)(&j->theory, &x, j->rows + at * (uint64_t)j->columns, j->scratch, &c->error), &c->error)) {
            return c->error.code;
        }
        for (i = 0; i < left; ++i) j->logw[at + (uint64_t)i] = -S[i] - logq[i];
        cli_progress(c, at, j->n, "sample %llu/%llu", (unsigned long long)at, (unsigned long long)j->n);
    }
    if (cli_signal) return cli_fail(c, LFT_STOPPED, "stopped after %llu samples; nothing was written", (unsigned long long)at);
    return LFT_OK;
}

/* The weighted rows of all samples, from those of the flow's couplings to those of the point. */
static lft_weights LFT(curve_weigh)(LFT(curve_job) *j, const LFT(theory) *from, double *row, double *logw)
{
    const double volume = j->m.flow.lattice.volume;
    const double dm2 = j->theory.coupling[0] - from->coupling[0], dlambda = j->theory.coupling[1] - from->coupling[1];
    double       most = -CLI_INFINITY;
    uint64_t     i;
    int          k;
    for (i = 0; i < j->n; ++i) {
        const double *of = j->rows + i * (uint64_t)j->columns;
        logw[i]          = j->logw[i] - volume * (dm2 * of[LFT_COLUMN_PHI2] + dlambda * of[LFT_COLUMN_PHI4]);
        most             = logw[i] > most ? logw[i] : most;
    }
    j->series.length[0] = 0;
    for (i = 0; i < j->n; ++i) {
        const double *of = j->rows + i * (uint64_t)j->columns, w = exp(logw[i] - most);
        row[0]           = w;
        for (k = 0; k < j->columns; ++k) row[1 + k] = w * of[k];
        row[1 + LFT_COLUMN_ACTION] += w * (dm2 * of[LFT_COLUMN_PHI2] + dlambda * of[LFT_COLUMN_PHI4]);
        (void)lft_series_add(&j->series, 0, row);
    }
    return lft_weigh(logw, (size_t)j->n);
}

static lft_status LFT(curve_point)(LFT(curve_job) *j, cli_curve_point *p, const LFT(theory) *from)
{
    cli             *c = j->c;
    double          *row = (double *)cli_alloc(c, (size_t)(2 * j->columns + 1) * sizeof(double));
    double          *logw = (double *)cli_alloc(c, (size_t)j->n * sizeof(double));
    LFT(curve_ratio) r;
    int              i;
    if (c->error.code) return c->error.code;
    r.of.theory = &j->theory, r.of.lattice = &j->m.flow.lattice;
    r.mean    = row + j->columns + 1;
    r.columns = j->columns;
    p->m2     = j->theory.coupling[0];
    p->lambda = j->theory.coupling[1];
    p->w      = LFT(curve_weigh)(j, from, row, logw);
    for (i = 0; i < LFT_OBSERVABLES; ++i) {
        lft_error      e;
        lft_jackknifed v;
        r.of.observable = i;
        v               = lft_jackknife(&j->series, LFT(curve_value), &r, LFT(curve_bins), j->jackknife, &e);
        p->value[i]     = v.value;
        p->error[i]     = v.error;
    }
    return LFT_OK;
}

static lft_status LFT(curve_open)(LFT(curve_job) *j)
{
    cli      *c = j->c;
    lft_arena measure = lft_arena_measure(), arena;
    uint64_t  n;
    cli_interval(c, "m2", j->low, j->high);
    cli_interval(c, "lambda", j->low + 1, j->high + 1);
    j->n      = cli_count(c, "n", 20000, 2 * LFT(curve_bins), (uint64_t)1 << 40);
    j->seed   = cli_count(c, "seed", 1, 0, UINT64_MAX);
    j->points = (int)cli_count(c, "points", 11, 1, CLI_CURVE_MOST);
    if (LFT(load_model)(c, cli_required(c, "model"), cli_pool(c), &j->m)) return c->error.code;
    n          = (j->n + LFT(curve_batch) - 1) / LFT(curve_batch) * LFT(curve_batch);
    j->columns = LFT(observables_count)(&j->m.flow.lattice);
    j->rows    = (double *)cli_alloc(c, (size_t)n * (size_t)j->columns * sizeof(double));
    j->logw    = (double *)cli_alloc(c, (size_t)n * sizeof(double));
    j->scratch = cli_arena(c, LFT(measure_bytes)(&j->m.flow.lattice));
    if (cli_check(c, lft_series_init(&j->series, j->columns + 1, 1, (size_t)j->n, &measure, &c->error), &c->error)) {
        return c->error.code;
    }
    arena = cli_arena(c, measure.need);
    if (cli_check(c, lft_series_init(&j->series, j->columns + 1, 1, (size_t)j->n, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    j->jackknife = cli_arena(c, lft_jackknife_bytes(&j->series, LFT(curve_bins)));
    return c->error.code;
}

static lft_status LFT(curve_command)(cli *c)
{
    static LFT(curve_job) job;
    LFT(curve_job)       *j = &job;
    cli_curve            *curve = &c->result->curve;
    LFT(theory)           from;
    int                   i, k, family;
    memset(j, 0, sizeof *j);
    j->c = c;
    if (LFT(curve_open)(j)) return c->error.code;
    family    = j->m.desc.family.degree > 0;
    j->theory = from = j->m.theory;
    if (!family && LFT(curve_sample)(j)) return c->error.code;
    for (i = 0; i < j->points; ++i) {
        const double share  = j->points > 1 ? (double)i / (j->points - 1) : 0;
        const int    blocks = c->blocks;
        for (k = 0; k < 2; ++k) {
            j->theory.coupling[k] = i && i + 1 == j->points ? j->high[k] : j->low[k] + share * (j->high[k] - j->low[k]);
        }
        if (cli_check(c, LFT(phi4_init)(&j->theory, j->theory.coupling[0], j->theory.coupling[1], &c->error), &c->error)) break;
        if (family) {
            if (cli_check(c, LFT(flow_at)(&j->m.flow, j->theory.coupling, 2), &j->m.flow.error)) break;
            from = j->theory;
            if (LFT(curve_sample)(j)) break;
        }
        if (LFT(curve_point)(j, curve->point + curve->points, &from)) break;
        curve->points += 1;
        while (c->blocks > blocks) free(c->block[--c->blocks]);
    }
    cli_progress_end(c);
    if (c->error.code) return c->error.code;
    LFT(show_lattice)(c, &j->m.flow.lattice, NULL, j->m.desc.pool);
    (void)snprintf(c->result->seed, sizeof c->result->seed, "%llu", (unsigned long long)j->seed);
    c->result->n = j->n;
    for (k = 0; k < LFT_OBSERVABLES; ++k) curve->name[k] = LFT(observable_name)(k);
    if (!c->json) cli_print_curve(c->result, family);
    return LFT_OK;
}
