/* lft_chains.h: the command sample, and the forward ESS (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(sample_job) {
    LFT(chain)  chain;
    LFT(hmc)    hmc; /* between the steps of the flow */
    int         trajectories;
    LFT(markov) run;
    lft_series  logw; /* of all proposals, in their order */
    uint64_t    seed;
    lft_arena   gauge;
} LFT(sample_job);

/* Keeps the log-weights of a round of proposals; one without a finite number has weight 0. */
static void LFT(sample_keep)(LFT(sample_job) *j)
{
    int i;
    for (i = 0; i < j->chain.chains; ++i) {
        const double w = j->chain.proposal_logw[i];
        j->logw.data[j->logw.length[0]++] = lft_finite(w) ? w : -CLI_INFINITY;
    }
}

static lft_status LFT(sample_update)(void *job, uint64_t number, lft_error *e)
{
    LFT(sample_job) *j      = (LFT(sample_job) *)job;
    lft_status       status = LFT(chain_next)(&j->chain);
    int              i;
    (void)number; /* all are alike */
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

static const LFT(batch) *LFT(sample_fields)(void *job, lft_status *status, lft_error *e)
{
    LFT(sample_job) *j = (LFT(sample_job) *)job;
    if (!*status) *status = LFT(any_gauge)(j->chain.flow, j->seed, j->run.record.done, &j->chain.x, j->gauge, e);
    return &j->chain.x;
}

/* HMC for the steps in between, tuned on chains that start from the flow's; the checkpoint knows how. */
static lft_status LFT(sample_hmc)(cli *c, LFT(sample_job) *j)
{
    LFT(hmc_desc) d;
    lft_arena     arena;
    memset(&d, 0, sizeof d);
    memcpy(d.extent, j->chain.x.lattice.extent, sizeof d.extent);
    d.chains = j->chain.chains;
    d.length = cli_positive(c, "length", 0);
    d.seed   = j->seed;
    d.pool   = j->chain.flow->pool;
    if (!j->trajectories || c->error.code) return c->error.code;
    arena = cli_arena(c, LFT(hmc_bytes)(&d));
    if (c->error.code || cli_check(c, LFT(hmc_init)(&j->hmc, j->chain.theory, &d, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    if (cli_given(c, "resume")) return LFT_OK;
    if (cli_check(c, LFT(hmc_start)(&j->hmc, &j->chain.x), &j->hmc.error)) return c->error.code;
    return cli_check(c, LFT(hmc_thermalise)(&j->hmc, 100), &j->hmc.error);
}

/* What a checkpoint says of the chains beside their configurations. */
static void LFT(sample_facts)(LFT(sample_job) *j, uint64_t number)
{
    cli_checkpoint *k     = &j->run.keep;
    LFT(chain)     *chain = &j->chain;
    if (!checkpoint_wanted(k)) return;
    checkpoint_count(k, "model", number);
    checkpoint_count(k, "trajectories", (uint64_t)j->trajectories);
    checkpoint_real(k, "length", j->hmc.desc.length);
    checkpoint_state(k, "sample.logw", LFT_DTYPE_F64, chain->logw, (size_t)chain->chains);
    checkpoint_state(k, "sample.run", LFT_DTYPE_U64, chain->run, (size_t)chain->chains);
    checkpoint_state(k, "sample.rounds", LFT_DTYPE_U64, &chain->rounds, 1);
    checkpoint_state(k, "sample.accepted", LFT_DTYPE_U64, &chain->accepted, 1);
    checkpoint_state(k, "sample.nonfinite", LFT_DTYPE_U64, &chain->nonfinite, 1);
    checkpoint_state(k, "sample.longest", LFT_DTYPE_U64, &chain->longest, 1);
    checkpoint_series(k, "sample.series", &j->logw);
    if (!j->trajectories) return;
    checkpoint_state(k, "hmc.drawn", LFT_DTYPE_U64, &j->hmc.drawn, 1);
    LFT(hmc_state)(k, &j->hmc);
}

static lft_status LFT(sample_resume)(LFT(sample_job) *j)
{
    const LFT(chain) *chain = &j->chain;
    cli              *c     = j->run.record.c;
    uint64_t          rounds;
    if (LFT(markov_resume)(&j->run)) return c->error.code;
    rounds = chain->steps + 1; /* with that of the start, which may have taken several */
    if (j->logw.length[0] != rounds * (uint64_t)chain->chains || chain->rounds < rounds ||
        (j->trajectories && (j->hmc.steps < 1 || j->hmc.steps > 10000))) {
        return cli_fail(c, LFT_ERR_FORMAT, "%.40s: expected log-weights of %llu rounds, got %llu numbers, %llu rounds, %d steps",
                        j->run.keep.resume, (unsigned long long)rounds, (unsigned long long)j->logw.length[0],
                        (unsigned long long)chain->rounds, j->hmc.steps);
    }
    return LFT_OK;
}

static lft_status LFT(sample_set_up)(cli *c, LFT(sample_job) *j, LFT(flow) *flow, const LFT(model_info) *info,
                                     const LFT(theory) *theory, uint64_t n)
{
    LFT(chain_desc) d;
    LFT(watch)      watch;
    lft_arena       measure = lft_arena_measure(), arena;
    size_t          weights;
    memset(&d, 0, sizeof d);
    d.chains = cli_chains(c, n);
    d.seed   = j->seed;
    j->trajectories = (int)cli_count(c, "trajectories", 0, 0, 1000000);
    if (cli_given(c, "length") && !j->trajectories) {
        return cli_fail(c, LFT_ERR_ARG, "--length: expected --trajectories beside it, got none");
    }
    if (cli_text(c, "out")) (void)cli_try_path(c, cli_text(c, "out"));
    if (c->error.code || LFT(read_watch)(c, &flow->lattice, &watch)) return c->error.code;
    j->gauge = LFT(gauge_arena)(c, flow);
    arena    = cli_arena(c, LFT(chain_bytes)(&flow->lattice, &d));
    if (c->error.code || cli_check(c, LFT(chain_init)(&j->chain, flow, theory, &d, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    if (LFT(sample_hmc)(c, j)) return c->error.code;
    j->run.job      = j;
    j->run.update   = LFT(sample_update);
    j->run.fields   = LFT(sample_fields);
    j->run.accepted = &j->chain.accepted;
    j->run.of       = &j->chain.steps;
    j->run.partial  = 1;
    if (LFT(markov_init)(&j->run, c, theory, &watch, n, j->seed, &j->chain.x, &j->chain.steps, 20)) return c->error.code;
    weights = (size_t)(1 + j->run.therm + j->run.record.series.capacity * j->run.every) * (size_t)d.chains;
    (void)lft_series_init(&j->logw, 1, 1, weights, &measure, NULL);
    arena = cli_arena(c, measure.need);
    if (c->error.code || cli_check(c, lft_series_init(&j->logw, 1, 1, weights, &arena, &c->error), &c->error)) return c->error.code;
    LFT(sample_keep)(j); /* the round from which the chains were started */
    LFT(sample_facts)(j, checkpoint_wanted(&j->run.keep) ? LFT(model_number)(c, flow, info) : 0);
    return LFT(sample_resume)(j);
}

/* n configurations of the flow's chains, written as --out says; results into c->result. */
static lft_status LFT(sample_run)(cli *c, LFT(flow) *flow, const LFT(model_info) *info, const LFT(theory) *theory,
                                  const cli_exactness *exactness, uint64_t n, uint64_t seed)
{
    static LFT(sample_job) job;
    LFT(sample_job)       *j = &job;
    cli_result            *r = c->result;
    lft_weights            w;
    memset(j, 0, sizeof *j);
    j->seed = seed;
    if (LFT(sample_set_up)(c, j, flow, info, theory, n) || LFT(markov_run)(&j->run)) return c->error.code;
    w = lft_weigh(j->logw.data, j->logw.length[0]);
    LFT(markov_finish)(&j->run, theory, seed, flow->pool);
    cli_set_logq(r, &exactness->epsilon);
    cli_set_finer(r, &exactness->finer);
    cli_set_weights(r, &w, LFT(flow_normalised)(flow));
    cli_qualify(r);
    r->acceptance        = (double)j->chain.accepted / ((double)j->chain.steps * (double)j->chain.chains);
    r->longest_rejection = j->chain.longest;
    r->nonfinite         = j->chain.nonfinite;
    LFT(show_flow)(c, flow);
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
    printf("  verdict    flow %s; %s\n", cli_flow_verdict(r->ess, r->ess_n), r->verdict);
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

/* A model with other integration steps than those that its epsilon is of. */
static lft_status LFT(sample_steps)(cli *c, LFT(model) *m)
{
    const int steps = (int)cli_count(c, "int-steps", 0, 1, 100000);
    if (!steps || c->error.code || !cli_given(c, "model")) return c->error.code;
    if (!LFT(integration_steps)(&m->flow)) {
        return cli_fail(c, LFT_ERR_ARG, "--int-steps: expected a flow that integrates, got none");
    }
    if (cli_check(c, LFT(flow_refine)(&m->flow, steps), &m->flow.error)) return c->error.code;
    memset(&m->info.logq_error, 0, sizeof m->info.logq_error);
    return LFT(document_of)(c, &m->flow, &m->info, &m->doc);
}

static lft_status LFT(sample_command)(cli *c)
{
    LFT(model)     m;
    cli_exactness  e;
    const uint64_t n = cli_count(c, "n", 100000, 1, (uint64_t)1 << 40), seed = cli_count(c, "seed", 1, 0, UINT64_MAX);
    memset(&m, 0, sizeof m);
    (void)cli_chains(c, n), (void)cli_double_steps(c, 0); /* before anything takes time */
    if (cli_given(c, "out")) (void)cli_try_path(c, cli_text(c, "out"));
    if (LFT(sample_model)(c, cli_pool(c), &m) || LFT(sample_steps)(c, &m)) return c->error.code;
    if (LFT(sample_exactness)(c, &m, seed, &e)) return c->error.code;
    (void)LFT(sample_run)(c, &m.flow, &m.info, &m.theory, &e, n, seed);
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
