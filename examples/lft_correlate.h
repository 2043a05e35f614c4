/* lft_correlate.h: the command correlate: how observables change from one coupling to another, by configurations of a heat bath and
 * what the trivializing map between the couplings makes of them (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(correlate_job) {
    cli          *c;
    LFT(heatbath) bath;
    LFT(flow)     flow;
    LFT(theory)   from, to;
    LFT(watch)    watch;
    LFT(batch)    y;
    lft_series    series; /* w of y, w of x, the columns of x, of y times w, of x times w */
    lft_arena     scratch, gamma;
    double       *rows[2], *row, *mean; /* of x, of y; of the series; of the columns */
    double       *S;                    /* [chains]: of x at the second coupling */
    double       *logw[2];              /* [n]: of y, of x */
    double        scale[2];             /* logarithms that all weights are divided by */
    int           columns;
    uint64_t      n, done;
} LFT(correlate_job);

/* The change of an observable from the first coupling to the second one: by the flow, or by the weights of x alone. */
typedef struct LFT(correlated) {
    LFT(derived_of) of;
    double         *mean;
    int             columns, plain;
} LFT(correlated);

static double LFT(correlated_value)(const double *mean, void *context)
{
    LFT(correlated) *r = (LFT(correlated) *)context;
    int              i;
    for (i = 0; i < r->columns; ++i) r->mean[i] = mean[2 + (1 + r->plain) * r->columns + i] / mean[r->plain];
    return LFT(derived)(r->mean, &r->of) - LFT(derived)(mean + 2, &r->of);
}

/* A configuration per chain: measured, carried, measured. */
static lft_status LFT(correlate_round)(LFT(correlate_job) *j, lft_error *e)
{
    const LFT(batch) *x      = &j->bath.x;
    double           *logw   = j->logw[0] + j->done, *plain = j->logw[1] + j->done;
    lft_status        status = LFT(flow_carry)(&j->flow, &j->from, &j->to, x, &j->y, logw);
    const int         action = LFT(observable_find)(&j->watch, "action");
    int               i, k;
    if (status) *e = j->flow.error;
    if (!status) status = LFT(watch_measure)(&j->from, &j->watch, x, j->rows[0], j->scratch, e);
    if (!status) status = LFT(watch_measure)(&j->to, &j->watch, &j->y, j->rows[1], j->scratch, e);
    if (status) return status;
    LFT(action)(&j->from, x, plain);
    LFT(action)(&j->to, x, j->S);
    for (i = 0; i < x->n; ++i) plain[i] -= j->S[i];
    for (k = 0; k < 2 && !j->done; ++k) j->scale[k] = j->logw[k][0];
    for (i = 0; i < x->n && j->done < j->n; ++i, ++j->done) {
        const double *before = j->rows[0] + i * j->columns, *after = j->rows[1] + i * j->columns;
        j->row[0] = exp(logw[i] - j->scale[0]), j->row[1] = exp(plain[i] - j->scale[1]);
        for (k = 0; k < j->columns; ++k) {
            j->row[2 + k]                  = before[k];
            j->row[2 + j->columns + k]     = j->row[0] * after[k];
            j->row[2 + 2 * j->columns + k] = j->row[1] * (k == action ? j->S[i] / x->lattice.volume : before[k]);
        }
        (void)lft_series_add(&j->series, i, j->row);
    }
    return LFT_OK;
}

static lft_status LFT(correlate_read)(LFT(correlate_job) *j, LFT(heatbath_desc) *d)
{
    static const char *const flow[] = {"lo", "nlo", "n2lo", "n3lo", NULL}, *const start[] = {"cold", "hot", NULL};
    cli                     *c      = j->c;
    LFT(flow_desc)           desc;
    const int                word   = cli_word(c, "flow", flow, 0);
    j->n = cli_count(c, "n", 100000, 1, (uint64_t)1 << 40);
    memset(d, 0, sizeof *d);
    (void)LFT(read_continuous)(c, &desc);
    memcpy(d->extent, desc.extent, sizeof d->extent);
    d->chains    = cli_chains(c, j->n);
    d->overrelax = cli_none(c, "overrelax", 1000);
    d->start     = (lft_start)cli_word(c, "start", start, 0);
    d->seed      = cli_count(c, "seed", 1, 0, UINT64_MAX);
    d->pool      = cli_pool(c);
    desc.pool             = d->pool;
    desc.continuous.order = word ? word : 2;
    desc.continuous.nodes = desc.continuous.cut_off ? 8 : desc.continuous.order;
    desc.continuous.from  = cli_real(c, "from-beta", 0);
    desc.continuous.loops = LFT(loops_of)(c, desc.extent, desc.continuous.order);
    (void)cli_required(c, "from-beta");
    if (c->error.code || LFT(read_theory)(c, &j->to)) return c->error.code;
    if (cli_check(c, LFT(wilson_init)(&j->from, desc.continuous.from, 0, &c->error), &c->error)) return c->error.code;
    return LFT(make_flow)(c, &j->flow, &desc);
}

static lft_status LFT(correlate_set_up)(LFT(correlate_job) *j, const LFT(heatbath_desc) *d)
{
    cli         *c = j->c;
    const size_t rounds = (size_t)((j->n + (uint64_t)d->chains - 1) / (uint64_t)d->chains), chains = (size_t)d->chains;
    lft_arena    measure = lft_arena_measure(), arena;
    int          columns, k;
    if (LFT(read_watch)(c, &j->flow.lattice, &j->watch)) return c->error.code;
    j->columns = LFT(watch_count)(&j->watch);
    columns    = 2 + 3 * j->columns;
    if (cli_check(c, LFT(heatbath_init)(&j->bath, &j->from, d, &measure, &c->error), &c->error)) return c->error.code;
    (void)LFT(batch_init)(&j->y, &j->flow.lattice, d->chains, &measure, NULL);
    if (cli_check(c, lft_series_init(&j->series, columns, d->chains, rounds, &measure, &c->error), &c->error)) return c->error.code;
    arena = cli_arena(c, measure.need);
    if (c->error.code || cli_check(c, LFT(heatbath_init)(&j->bath, &j->from, d, &arena, &c->error), &c->error) ||
        cli_check(c, LFT(batch_init)(&j->y, &j->flow.lattice, d->chains, &arena, &c->error), &c->error) ||
        cli_check(c, lft_series_init(&j->series, columns, d->chains, rounds, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    j->scratch = cli_arena(c, LFT(watch_bytes)(&j->watch));
    j->gamma   = cli_arena(c, lft_gamma_bytes(&j->series));
    j->mean    = (double *)cli_alloc(c, (size_t)j->columns * sizeof(double));
    j->row     = (double *)cli_alloc(c, (size_t)columns * sizeof(double));
    j->S       = (double *)cli_alloc(c, chains * sizeof(double));
    for (k = 0; k < 2; ++k) {
        j->rows[k] = (double *)cli_alloc(c, (size_t)j->columns * chains * sizeof(double));
        j->logw[k] = (double *)cli_alloc(c, rounds * chains * sizeof(double));
    }
    return c->error.code;
}

static lft_status LFT(correlate_run)(LFT(correlate_job) *j)
{
    cli           *c = j->c;
    const uint64_t therm = cli_count(c, "therm", 200, 0, 1 << 30), every = cli_count(c, "every", 1, 1, 1u << 30);
    uint64_t       i;
    lft_status     status = c->error.code;
    for (i = 0; i < therm && !status && !cli_signal; ++i) status = LFT(heatbath_next)(&j->bath);
    while (j->done < j->n && !status && !cli_signal) {
        for (i = 0; i < every && !status; ++i) status = LFT(heatbath_next)(&j->bath);
        if (status) break;
        if (LFT(correlate_round)(j, &c->error)) return c->error.code;
        cli_progress(c, j->done, j->n, "correlate %llu/%llu", (unsigned long long)j->done, (unsigned long long)j->n);
    }
    cli_progress_end(c);
    if (cli_signal) return cli_fail(c, LFT_STOPPED, "stopped after %llu configurations", (unsigned long long)j->done);
    return cli_check(c, status, &j->bath.error);
}

/* Errors to first order in the weights' fluctuations say nothing where a hundred samples or fewer carry all of the weight. */
static void LFT(correlate_doubt)(LFT(correlate_job) *j, cli_observable *list, int n, double ess)
{
    int i;
    for (i = 0; i < n && !(ess * (double)j->n > 100); ++i) list[i].e.doubts |= LFT_DOUBT_WEIGHTS, list[i].e.reliable = 0;
}

/* Changes by the flow, and by the weights alone. */
static void LFT(correlate_finish)(LFT(correlate_job) *j)
{
    static char     name[CLI_OBSERVABLES][CLI_NAME];
    cli_result     *r = j->c->result;
    LFT(correlated) of;
    lft_weights     w;
    lft_estimate    Z;
    int             i, k;
    memset(&of, 0, sizeof of);
    of.mean           = j->mean;
    of.columns        = j->columns;
    of.of.observables = &j->watch;
    for (i = 0; i < CLI_OBSERVABLES && LFT(watch_name)(&j->watch, i, name[i]); ++i) {
        of.of.observable = i;
        for (k = 0; k < 2; ++k) {
            cli_observable *to = (k ? r->reweighted : r->observable) + i;
            lft_error       e;
            of.plain = k;
            to->name = name[i];
            to->e    = lft_gamma_of(&j->series, LFT(correlated_value), &of, j->gamma, &e);
        }
        r->observables = i + 1;
    }
    w                 = lft_weigh(j->logw[0], (size_t)j->n);
    r->logz           = w.logz;
    r->ess            = w.ess;
    Z                 = lft_gamma(&j->series, 0); /* of w, which is correlated */
    r->logz_error     = Z.error / Z.value;
    w                 = lft_weigh(j->logw[1], (size_t)j->n);
    r->ess_reweighted = w.ess;
    r->n              = j->n;
    r->chains         = (uint64_t)j->bath.x.n;
    r->from_beta      = j->from.coupling[0];
    LFT(correlate_doubt)(j, r->observable, r->observables, r->ess);
    LFT(correlate_doubt)(j, r->reweighted, r->observables, r->ess_reweighted);
    LFT(show_lattice)(j->c, &j->flow.lattice, &j->to, j->flow.pool);
    cli_judge(r);
}

static lft_status LFT(correlate_command)(cli *c)
{
    static LFT(correlate_job) job;
    LFT(correlate_job)       *j = &job;
    LFT(heatbath_desc)        d;
    memset(j, 0, sizeof *j);
    j->c = c;
    if (LFT(correlate_read)(j, &d) || LFT(correlate_set_up)(j, &d) || LFT(correlate_run)(j)) return c->error.code;
    LFT(correlate_finish)(j);
    (void)snprintf(c->result->seed, sizeof c->result->seed, "%llu", (unsigned long long)d.seed);
    c->result->memory_bytes = c->bytes;
    if (!c->json) cli_print_changes(c->result);
    return c->error.code;
}
