/* lft_chains.h: the command sample, and the forward ESS (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(sample_job) {
    cli          *c;
    LFT(chain)    chain;
    LFT(hmc)      hmc; /* between the steps of the flow */
    int           trajectories;
    LFT(recorder) record;
    double       *logw; /* of all proposals */
    size_t        weights;
    uint64_t      therm, every, seed;
    lft_arena     gauge;
} LFT(sample_job);

/* Keeps the log-weights of a round of proposals; one without a finite number has weight 0. */
static void LFT(sample_keep)(LFT(sample_job) *j)
{
    int i;
    for (i = 0; i < j->chain.chains; ++i) {
        const double w       = j->chain.proposal_logw[i];
        j->logw[j->weights++] = lft_finite(w) ? w : -CLI_INFINITY;
    }
}

static lft_status LFT(sample_step)(LFT(sample_job) *j, lft_error *e)
{
    lft_status status = LFT(chain_next)(&j->chain);
    int        i;
    if (!status) LFT(sample_keep)(j);
    if (!status && j->trajectories) {
        status = LFT(hmc_start)(&j->hmc, &j->chain.x);
        for (i = 0; i < j->trajectories && !status; ++i) status = LFT(hmc_next)(&j->hmc);
        if (status) {
            *e = j->hmc.error;
            return status;
        }
        status = LFT(chain_start)(&j->chain, &j->hmc.x);
    }
    if (status) *e = j->chain.error;
    return status;
}

/* HMC for the steps in between, tuned on chains that start from the flow's. */
static lft_status LFT(sample_hmc)(LFT(sample_job) *j, LFT(flow) *flow, const LFT(theory) *theory, uint64_t seed)
{
    cli          *c = j->c;
    LFT(hmc_desc) d;
    lft_arena     arena;
    memset(&d, 0, sizeof d);
    memcpy(d.extent, flow->lattice.extent, sizeof d.extent);
    d.chains = j->chain.chains;
    d.length = cli_positive(c, "length", 0);
    d.seed   = seed;
    d.pool   = flow->pool;
    if (!j->trajectories || c->error.code) return c->error.code;
    arena = cli_arena(c, LFT(hmc_bytes)(&d));
    if (c->error.code || cli_check(c, LFT(hmc_init)(&j->hmc, theory, &d, &arena, &c->error), &c->error)) return c->error.code;
    if (cli_check(c, LFT(hmc_start)(&j->hmc, &j->chain.x), &j->hmc.error)) return c->error.code;
    return cli_check(c, LFT(hmc_thermalise)(&j->hmc, 100), &j->hmc.error);
}

/* After a signal: of a file whose header says how many follow nothing is left, else the estimates of what there is. */
static lft_status LFT(sample_stop)(LFT(sample_job) *j, lft_error *e)
{
    LFT(recorder) *r = &j->record;
    if (r->to.write) return LFT(interrupted)(r, e);
    if (r->done == r->n) return LFT_OK;
    cli_note(j->c, "stopped after %llu of %llu configurations; the numbers are of these", (unsigned long long)r->done,
             (unsigned long long)r->n);
    r->n                 = r->done;
    j->c->result->status = "stopped";
    return LFT_OK;
}

static int LFT(sample_fill)(lft_writer to, void *context, lft_error *e)
{
    LFT(sample_job) *j = (LFT(sample_job) *)context;
    LFT(recorder)   *r = &j->record;
    const double     begin = cli_seconds();
    lft_status       status;
    uint64_t         i;
    r->to  = to;
    status = LFT(recorder_header)(r, e);
    LFT(sample_keep)(j); /* the round from which the chains were started */
    for (i = 0; i < j->therm && !status; ++i) status = LFT(sample_step)(j, e);
    while (!status && r->done < r->n) {
        for (i = 0; i < j->every && !status; ++i) status = LFT(sample_step)(j, e);
        if (!status) status = LFT(any_gauge)(j->chain.flow, j->seed, r->done, &j->chain.x, j->gauge, e);
        if (!status) status = LFT(recorder_round)(r, &j->chain.x, e);
        cli_progress(j->c, r->done, r->n, "sample %llu/%llu  acceptance %.3f", (unsigned long long)r->done,
                     (unsigned long long)r->n,
                     (double)j->chain.accepted / ((double)j->chain.steps * (double)j->chain.chains));
        if (cli_signal && !status) status = LFT(sample_stop)(j, e);
    }
    cli_progress_end(j->c);
    r->seconds = cli_seconds() - begin;
    return (int)status;
}

/* n configurations of the flow's chains, written to `out` unless it is NULL; results into c->result. */
static lft_status LFT(sample_run)(cli *c, LFT(flow) *flow, const LFT(theory) *theory, const cli_exactness *exactness, uint64_t n,
                                  uint64_t seed, const char *out)
{
    static LFT(sample_job) job;
    LFT(sample_job)       *j = &job;
    cli_result            *r = c->result;
    LFT(chain_desc)        d;
    LFT(watch)             watch;
    lft_weights            w;
    lft_arena              arena;
    uint64_t               rounds;
    memset(j, 0, sizeof *j);
    memset(&d, 0, sizeof d);
    j->c     = c;
    j->seed  = seed;
    j->gauge = LFT(gauge_arena)(c, flow);
    j->therm = cli_count(c, "therm", 20, 0, 1u << 30);
    j->every = cli_count(c, "every", 1, 1, 1u << 30);
    j->trajectories = (int)cli_count(c, "trajectories", 0, 0, 1000000);
    if (cli_given(c, "length") && !j->trajectories) {
        return cli_fail(c, LFT_ERR_ARG, "--length: expected --trajectories beside it, got none");
    }
    d.chains = cli_chains(c, n);
    d.seed   = seed;
    if (out) (void)cli_try_path(c, out);
    arena = cli_arena(c, LFT(chain_bytes)(&flow->lattice, &d));
    if (c->error.code || LFT(read_watch)(c, &flow->lattice, &watch)) return c->error.code;
    if (LFT(recorder_init)(&j->record, c, theory, &watch, d.chains, d.chains, n)) return c->error.code;
    rounds  = 1 + j->therm + (n + (uint64_t)d.chains - 1) / (uint64_t)d.chains * j->every;
    j->logw = (double *)cli_alloc(c, (size_t)rounds * (size_t)d.chains * sizeof(double));
    if (c->error.code) return c->error.code;
    if (cli_check(c, LFT(chain_init)(&j->chain, flow, theory, &d, &arena, &c->error), &c->error)) return c->error.code;
    if (LFT(sample_hmc)(j, flow, theory, seed)) return c->error.code;
    if (LFT(recorder_run)(&j->record, out, LFT(sample_fill), j)) return c->error.code;
    w                    = lft_weigh(j->logw, j->weights);
    r->threads           = (uint64_t)(flow->pool.threads > 1 ? flow->pool.threads : 1);
    LFT(recorder_finish)(&j->record, theory);
    cli_set_logq(r, &exactness->epsilon);
    cli_set_finer(r, &exactness->finer);
    cli_set_weights(r, &w);
    cli_qualify(r);
    (void)snprintf(r->seed, sizeof r->seed, "%llu", (unsigned long long)seed);
    r->acceptance        = (double)j->chain.accepted / ((double)j->chain.steps * (double)j->chain.chains);
    r->longest_rejection = j->chain.longest;
    r->nonfinite         = j->chain.nonfinite;
    LFT(show_flow)(c, flow);
    r->memory_bytes      = c->bytes;
    r->out               = out;
    return c->error.code;
}

static void LFT(sample_print)(const cli_result *r)
{
    cli_print_lattice(r);
    printf("  %llu configurations of %llu chains, %.2f s, %.0f per second\n", (unsigned long long)r->n,
           (unsigned long long)r->chains, r->seconds, r->samples_per_second);
    printf("  acceptance %.4f, longest rejection run %llu%s\n", r->acceptance, (unsigned long long)r->longest_rejection,
           r->longest_rejection > 100 ? ": the flow leaves out a part of the configurations" : "");
    if (r->nonfinite) printf("  %llu proposals were not finite\n", (unsigned long long)r->nonfinite);
    cli_print_weights(r);
    cli_print_logq(r);
    cli_print_observables(r);
    printf("  verdict    flow %s; %s\n", cli_flow_verdict(r->ess), r->verdict);
    cli_print_out(r);
}

static lft_status LFT(sample_exactness)(cli *c, const LFT(model) *m, uint64_t seed, cli_exactness *e)
{
    const int  stored = m->info.logq_error.n, steps = LFT(integration_steps)(&m->flow);
    int        n, finer;
    cli_wide   wide;
    lft_status status;
    memset(e, 0, sizeof *e);
    if (LFT(draws)(&m->flow) == m->flow.layers) return c->error.code; /* draws know their density */
    if (cli_exactness_samples(c, LFT(dimension)(&m->flow), steps, stored, &n, &finer)) return c->error.code;
    if (!finer) e->epsilon = m->info.logq_error;
    if (!(n || finer)) return LFT_OK;
    if (cli_wide_open(c, &wide, &m->doc, m->desc.pool, finer) || cli_wide_at(c, &wide, m->theory.coupling)) return c->error.code;
    status = finer ? cli_measure_finer(c, &wide, seed, finer, &e->finer) : cli_measure_logq(c, &wide, seed, n, &e->epsilon);
    if (status == LFT_STOPPED) (void)cli_fail(c, LFT_STOPPED, "stopped while epsilon was measured; nothing was written");
    return status;
}

static lft_status LFT(sample_command)(cli *c)
{
    LFT(model)     m;
    cli_exactness  e;
    const uint64_t n = cli_count(c, "n", 100000, 1, (uint64_t)1 << 40), seed = cli_count(c, "seed", 1, 0, UINT64_MAX);
    memset(&m, 0, sizeof m);
    (void)cli_chains(c, n), (void)cli_double_steps(c, 0); /* before anything takes time */
    if (cli_given(c, "out")) (void)cli_try_path(c, cli_text(c, "out"));
    if (LFT(sample_model)(c, cli_pool(c), &m) || LFT(sample_exactness)(c, &m, seed, &e)) return c->error.code;
    (void)LFT(sample_run)(c, &m.flow, &m.theory, &e, n, seed, cli_text(c, "out"));
    if (!c->error.code && !c->json) LFT(sample_print)(c->result);
    return c->error.code;
}

/* ---- how well a flow covers configurations ---- */

/* The forward ESS: 1 / (<w> <1/w>) over configurations of the target, which shows modes that the flow never visits. */
typedef struct LFT(coverage) {
    LFT(flow) *flow; /* NULL: not asked for */
    double    *logw, *S;
    size_t     n;
} LFT(coverage);

static void LFT(coverage_room)(cli *c, LFT(coverage) *v, uint64_t n, int block)
{
    if (!v->flow) return;
    v->logw = (double *)cli_alloc(c, (size_t)(n + (uint64_t)block) * sizeof(double));
    v->S    = (double *)cli_alloc(c, (size_t)block * sizeof(double));
}

static lft_status LFT(coverage_add)(LFT(coverage) *v, const LFT(theory) *theory, const LFT(batch) *x, int n, lft_error *e)
{
    lft_status status;
    int        i;
    if (!v->flow) return LFT_OK;
    status = LFT(flow_logq)(v->flow, x, v->logw + v->n);
    if (status) {
        *e = v->flow->error;
        return status;
    }
    LFT(action)(theory, x, v->S);
    for (i = 0; i < n; ++i) v->logw[v->n + (size_t)i] = -v->S[i] - v->logw[v->n + (size_t)i];
    v->n += (size_t)n;
    return LFT_OK;
}

static double LFT(coverage_of)(LFT(coverage) *v)
{
    double w, inverse;
    size_t i;
    if (!v->flow) return CLI_NAN;
    w = lft_weigh(v->logw, v->n).logz;
    for (i = 0; i < v->n; ++i) v->logw[i] = -v->logw[i];
    inverse = lft_weigh(v->logw, v->n).logz;
    return exp(-w - inverse);
}
