/* lft_hmc.h: the command hmc (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(hmc_job) {
    LFT(hmc)      hmc;
    LFT(flow)    *flow; /* HMC through a flow; NULL: in the fields themselves */
    uint64_t      number; /* of its model */
    LFT(pullback) pullback;
    LFT(batch)    x; /* the fields, then */
    LFT(markov)   run;
    lft_series    exp_dh; /* mean over the chains of each trajectory */
} LFT(hmc_job);

static lft_status LFT(hmc_update)(void *job, uint64_t number, lft_error *e)
{
    LFT(hmc_job)  *j    = (LFT(hmc_job) *)job;
    const int      heat = number < j->run.therm;
    lft_status     status;
    double         sum = 0;
    int            i;
    status = heat ? LFT(hmc_thermalise_next)(&j->hmc, (int)number, (int)j->run.therm) : LFT(hmc_next)(&j->hmc);
    for (i = 0; i < j->hmc.x.n && !status; ++i) {
        if (lft_finite(j->hmc.dH[i])) sum += exp(-j->hmc.dH[i]); /* else the trajectory overflowed: exp(-infinity) */
    }
    sum /= j->hmc.x.n;
    if (status) *e = j->hmc.error;
    else if (!heat) (void)lft_series_add(&j->exp_dh, 0, &sum);
    return status;
}

/* The fields that belong to the variables of the flow. */
static const LFT(batch) *LFT(hmc_fields)(void *job, lft_status *status, lft_error *e)
{
    LFT(hmc_job) *j = (LFT(hmc_job) *)job;
    if (!*status) {
        *status = LFT(pullback_map)(&j->pullback, &j->hmc.x, &j->x);
        if (*status) *e = j->flow->error;
    }
    return &j->x;
}

static lft_status LFT(hmc_read_desc)(cli *c, LFT(hmc_desc) *d, const int *extent, uint64_t n, uint64_t seed, lft_pool pool)
{
    static const char *const integrator[] = {"leapfrog", "omelyan", "fourth", NULL}, *const start[] = {"cold", "hot", NULL};
    memset(d, 0, sizeof *d);
    memcpy(d->extent, extent, sizeof d->extent);
    d->chains     = cli_chains(c, n);
    d->integrator = (lft_integrator)cli_word(c, "integrator", integrator, 0);
    d->start      = (lft_start)cli_word(c, "start", start, 0);
    d->length     = cli_positive(c, "length", 0);
    d->jitter     = cli_real(c, "jitter", 0);
    d->steps      = (int)cli_count(c, "md-steps", 0, 1, 10000);
    d->acceptance = cli_positive(c, "acceptance", 0);
    d->seed       = seed;
    d->pool       = pool;
    if (cli_given(c, "jitter") && !(d->jitter > 0)) d->jitter = -1;
    return c->error.code;
}

/* The theory in the variables of the flow. */
static lft_status LFT(hmc_through_flow)(cli *c, LFT(hmc_job) *j, const LFT(theory) *theory, int chains)
{
    lft_arena  arena = cli_arena(c, LFT(pullback_bytes)(j->flow) + LFT(batch_bytes)(&j->flow->lattice, chains));
    lft_status status;
    if (c->error.code) return c->error.code;
    status = LFT(pullback_init)(&j->pullback, j->flow, theory, &arena);
    if (cli_check(c, status, &j->flow->error)) return status;
    return cli_check(c, LFT(batch_init)(&j->x, &j->flow->lattice, chains, &arena, &c->error), &c->error);
}

/* What of HMC changes from one trajectory to the next, beside the fields. */
static void LFT(hmc_state)(cli_checkpoint *k, LFT(hmc) *hmc)
{
    checkpoint_state(k, "hmc.trajectories", LFT_DTYPE_U64, &hmc->trajectories, 1);
    checkpoint_state(k, "hmc.accepted", LFT_DTYPE_U64, &hmc->accepted, 1);
    checkpoint_state(k, "hmc.nonfinite", LFT_DTYPE_U64, &hmc->nonfinite, 1);
    checkpoint_state(k, "hmc.exp_dh", LFT_DTYPE_F64, &hmc->exp_dH, 1);
    checkpoint_state(k, "hmc.tuning", LFT_DTYPE_F64, hmc->tuning, 2);
    checkpoint_state(k, "hmc.steps", LFT_DTYPE_I32, &hmc->steps, 1);
}

/* What a checkpoint says of HMC. */
static void LFT(hmc_facts)(LFT(hmc_job) *j)
{
    cli_checkpoint       *k = &j->run.keep;
    const LFT(hmc_desc)  *d = &j->hmc.desc;
    if (!checkpoint_wanted(k)) return;
    checkpoint_count(k, "integrator", (uint64_t)d->integrator);
    checkpoint_count(k, "start", (uint64_t)d->start);
    checkpoint_count(k, "md-steps", (uint64_t)d->steps);
    checkpoint_real(k, "length", d->length);
    checkpoint_real(k, "jitter", d->jitter);
    checkpoint_real(k, "acceptance", d->acceptance);
    checkpoint_count(k, "model", j->number);
    LFT(hmc_state)(k, &j->hmc);
    checkpoint_series(k, "hmc.series", &j->exp_dh);
}

static lft_status LFT(hmc_resume)(LFT(hmc_job) *j)
{
    const LFT(hmc) *hmc = &j->hmc;
    cli            *c   = j->run.record.c;
    uint64_t        updates;
    if (LFT(markov_resume)(&j->run)) return c->error.code;
    updates = j->run.record.done / (uint64_t)hmc->x.n * j->run.every;
    if (j->run.keep.resume && (hmc->steps < 1 || hmc->steps > 10000 || hmc->trajectories != updates ||
                               j->exp_dh.length[0] != updates)) {
        return cli_fail(c, LFT_ERR_FORMAT, "%.40s: expected %llu trajectories of 1 to 10000 steps, got %llu of %d",
                        j->run.keep.resume, (unsigned long long)updates, (unsigned long long)hmc->trajectories, hmc->steps);
    }
    return LFT_OK;
}

static lft_status LFT(hmc_set_up)(cli *c, LFT(hmc_job) *j, const LFT(theory) *base, const LFT(hmc_desc) *d, uint64_t n)
{
    const LFT(theory) *theory = base;
    const size_t       rounds = (size_t)((n + (uint64_t)d->chains - 1) / (uint64_t)d->chains);
    const size_t       trajectories = rounds * (size_t)cli_count(c, "every", 1, 1, 1u << 30);
    lft_arena          measure = lft_arena_measure(), arena;
    LFT(watch)         watch;
    if (c->error.code) return c->error.code;
    if (j->flow) {
        if (LFT(hmc_through_flow)(c, j, base, d->chains)) return c->error.code;
        theory        = &j->pullback.theory;
        j->run.fields = LFT(hmc_fields);
    }
    if (cli_check(c, LFT(hmc_init)(&j->hmc, theory, d, &measure, &c->error), &c->error)) return c->error.code;
    (void)lft_series_init(&j->exp_dh, 1, 1, trajectories, &measure, NULL);
    arena = cli_arena(c, measure.need);
    if (c->error.code || cli_check(c, LFT(hmc_init)(&j->hmc, theory, d, &arena, &c->error), &c->error)) return c->error.code;
    (void)cli_check(c, lft_series_init(&j->exp_dh, 1, 1, trajectories, &arena, &c->error), &c->error);
    if (LFT(read_watch)(c, &j->hmc.x.lattice, &watch)) return c->error.code;
#ifndef CLI_SCALAR
    if (cli_given(c, "from") && !cli_given(c, "resume")) {
        LFT(batch) x;
        if (LFT(start_from)(c, &j->hmc.x.lattice, &x, d->chains)) return c->error.code;
        if (cli_check(c, LFT(hmc_start)(&j->hmc, &x), &j->hmc.error)) return c->error.code;
    }
#endif
    j->run.job      = j;
    j->run.update   = LFT(hmc_update);
    j->run.accepted = &j->hmc.accepted;
    j->run.of       = &j->hmc.trajectories;
    if (LFT(markov_init)(&j->run, c, base, &watch, n, d->seed, &j->hmc.x, &j->hmc.drawn, 200)) return c->error.code;
    LFT(hmc_facts)(j);
    return LFT(hmc_resume)(j);
}

static LFT(hmc_job) LFT(the_hmc_job);

static lft_status LFT(hmc_run)(cli *c, const LFT(theory) *theory, const int *extent, uint64_t n, uint64_t seed, lft_pool pool,
                               const char *out)
{
    LFT(hmc_job) *j = &LFT(the_hmc_job);
    cli_result   *r = c->result;
    LFT(hmc_desc) d;
    lft_estimate  e;
    if (out) (void)cli_try_path(c, out);
    (void)LFT(hmc_read_desc)(c, &d, extent, n, seed, pool);
    if (LFT(hmc_set_up)(c, j, theory, &d, n) || LFT(markov_run)(&j->run)) return c->error.code;
    LFT(markov_finish)(&j->run, theory, seed, pool);
    e               = lft_gamma(&j->exp_dh, 0);
    r->exp_dh       = e.value;
    r->exp_dh_error = e.error;
    r->acceptance   = (double)j->hmc.accepted / ((double)j->hmc.trajectories * j->hmc.x.n);
    r->nonfinite    = j->hmc.nonfinite;
    r->md_steps     = (uint64_t)j->hmc.steps;
    return c->error.code;
}

static void LFT(hmc_print)(const cli_result *r)
{
    char         text[64];
    const double pull = fabs(r->exp_dh - 1) / r->exp_dh_error;
    cli_print_lattice(r);
    printf("  %llu configurations of %llu chains, %.2f s, %.0f per second; %llu integration steps per trajectory\n",
           (unsigned long long)r->n, (unsigned long long)r->chains, r->seconds, r->samples_per_second,
           (unsigned long long)r->md_steps);
    printf("  acceptance %.4f, <exp(-dH)> %s: %s\n", r->acceptance, cli_value(r->exp_dh, r->exp_dh_error, text),
           pull <= 3 ? "1 within its error, as it must be" : "NOT 1: not in equilibrium, or steps too coarse");
    if (r->nonfinite) printf("  %llu trajectories overflowed and were rejected\n", (unsigned long long)r->nonfinite);
    cli_print_observables(r);
    printf("  verdict    %s\n", r->verdict);
    cli_print_out(r);
}

/* On the lattice of the options. */
static lft_status LFT(hmc_of_options)(cli *c, uint64_t n, uint64_t seed, lft_pool pool, const char *out)
{
    static LFT(theory) theory;
    int                extent[LFT_CLI_DIM];
    memset(extent, 0, sizeof extent);
    cli_extent(c, "extent", cli_required(c, "extent"), extent);
    if (LFT(read_theory)(c, &theory)) return c->error.code;
    return LFT(hmc_run)(c, &theory, extent, n, seed, pool, out);
}

/* On that of a model, in the variables of its flow, by one thread. */
static lft_status LFT(hmc_of_model)(cli *c, uint64_t n, uint64_t seed, const char *out)
{
    static LFT(model) m;
    const lft_pool    serial = lft_pool_openmp(1);
    if (cli_given(c, "extent")) return cli_fail(c, LFT_ERR_ARG, "expected --model or --extent, got both");
    memset(&m, 0, sizeof m);
    if (LFT(load_model)(c, cli_text(c, "model"), serial, &m) || LFT(choose_couplings)(c, &m)) return c->error.code;
    LFT(the_hmc_job).flow   = &m.flow;
    LFT(the_hmc_job).number = LFT(model_number)(c, &m.flow, &m.info);
    return LFT(hmc_run)(c, &m.theory, m.flow.lattice.extent, n, seed, serial, out);
}

static lft_status LFT(hmc_command)(cli *c)
{
    const uint64_t n = cli_count(c, "n", 100000, 1, (uint64_t)1 << 40), seed = cli_count(c, "seed", 1, 0, UINT64_MAX);
    const lft_pool pool = cli_pool(c);
    if (c->error.code) return c->error.code;
    memset(&LFT(the_hmc_job), 0, sizeof LFT(the_hmc_job));
    if (cli_given(c, "model")) (void)LFT(hmc_of_model)(c, n, seed, cli_text(c, "out"));
    else (void)LFT(hmc_of_options)(c, n, seed, pool, cli_text(c, "out"));
    if (!c->error.code && !c->json) LFT(hmc_print)(c->result);
    return c->error.code;
}
