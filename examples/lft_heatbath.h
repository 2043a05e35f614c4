/* lft_heatbath.h: the command heatbath (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(bath_job) {
    cli          *c;
    LFT(heatbath) bath;
    LFT(recorder) record;
    uint64_t      every;
    int           therm;
} LFT(bath_job);

static int LFT(bath_fill)(lft_writer to, void *context, lft_error *e)
{
    LFT(bath_job) *j = (LFT(bath_job) *)context;
    LFT(recorder) *r = &j->record;
    double         begin;
    lft_status     status;
    uint64_t       i;
    r->to  = to;
    status = LFT(recorder_header)(r, e);
    for (i = 0; i < (uint64_t)j->therm && !status && !cli_signal; ++i) status = LFT(heatbath_next)(&j->bath);
    begin = cli_seconds();
    while (!status && r->done < r->n) {
        if (cli_signal) return (int)LFT(interrupted)(r, e);
        for (i = 0; i < j->every && !status; ++i) status = LFT(heatbath_next)(&j->bath);
        if (status) break;
        status = LFT(recorder_round)(r, &j->bath.x, e);
        cli_progress(j->c, r->done, r->n, "heatbath %llu/%llu", (unsigned long long)r->done, (unsigned long long)r->n);
    }
    cli_progress_end(j->c);
    if (status && !e->code) *e = j->bath.error;
    r->seconds = cli_seconds() - begin;
    return (int)status;
}

static void LFT(bath_print)(const cli_result *r, int overrelax)
{
    cli_print_lattice(r);
    printf("  %llu configurations of %llu chains, %.2f s, %.0f per second; 1 sweep of the heat bath, %d of overrelaxation\n",
           (unsigned long long)r->n, (unsigned long long)r->chains, r->seconds, r->samples_per_second, overrelax);
    cli_print_observables(r);
    printf("  verdict    %s\n", r->verdict);
    cli_print_out(r);
}

static lft_status LFT(bath_set_up)(LFT(bath_job) *j, const LFT(theory) *theory, uint64_t n, uint64_t seed)
{
    static const char *const start[] = {"cold", "hot", NULL};
    cli                     *c = j->c;
    LFT(heatbath_desc)       d;
    LFT(watch)               watch;
    LFT(batch)               x;
    lft_arena                measure = lft_arena_measure(), arena;
    memset(&d, 0, sizeof d);
    cli_extent(c, cli_required(c, "extent"), d.extent);
    d.chains    = cli_chains(c, n);
    d.overrelax = cli_none(c, "overrelax", 1000);
    d.start     = (lft_start)cli_word(c, "start", start, 0);
    d.seed      = seed;
    d.pool      = cli_pool(c);
    if (c->error.code) return c->error.code;
    if (cli_check(c, LFT(heatbath_init)(&j->bath, theory, &d, &measure, &c->error), &c->error)) return c->error.code;
    arena = cli_arena(c, measure.need);
    if (c->error.code || cli_check(c, LFT(heatbath_init)(&j->bath, theory, &d, &arena, &c->error), &c->error)) return c->error.code;
    if (LFT(read_watch)(c, &j->bath.x.lattice, &watch)) return c->error.code;
    if (cli_given(c, "from")) {
        if (LFT(start_from)(c, &j->bath.x.lattice, &x, d.chains)) return c->error.code;
        if (cli_check(c, LFT(heatbath_start)(&j->bath, &x), &j->bath.error)) return c->error.code;
    }
    c->result->threads = (uint64_t)(d.pool.threads > 1 ? d.pool.threads : 1);
    return LFT(recorder_init)(&j->record, c, theory, &watch, d.chains, d.chains, n);
}

static lft_status LFT(heatbath_command)(cli *c)
{
    static LFT(bath_job) job;
    static LFT(theory)   theory;
    LFT(bath_job)       *j = &job;
    const uint64_t       n = cli_count(c, "n", 100000, 1, (uint64_t)1 << 40), seed = cli_count(c, "seed", 1, 0, UINT64_MAX);
    const char          *out = cli_text(c, "out");
    j->c     = c;
    j->every = cli_count(c, "every", 1, 1, 1u << 30);
    j->therm = (int)cli_count(c, "therm", 200, 0, 1 << 30);
    if (out) (void)cli_try_path(c, out);
    if (LFT(read_theory)(c, &theory) || LFT(bath_set_up)(j, &theory, n, seed)) return c->error.code;
    if (LFT(recorder_run)(&j->record, out, LFT(bath_fill), j)) return c->error.code;
    LFT(recorder_finish)(&j->record, &theory);
    (void)snprintf(c->result->seed, sizeof c->result->seed, "%llu", (unsigned long long)seed);
    c->result->memory_bytes = c->bytes;
    c->result->out          = out;
    if (!c->json) LFT(bath_print)(c->result, j->bath.desc.overrelax > 0 ? j->bath.desc.overrelax : 0);
    return c->error.code;
}
