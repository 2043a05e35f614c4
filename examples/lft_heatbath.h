/* lft_heatbath.h: the command heatbath (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(bath_job) {
    LFT(heatbath) bath;
    LFT(markov)   run;
} LFT(bath_job);

static lft_status LFT(bath_update)(void *job, uint64_t number, lft_error *e)
{
    LFT(heatbath)   *bath   = &((LFT(bath_job) *)job)->bath;
    const lft_status status = LFT(heatbath_next)(bath);
    (void)number; /* all are alike */
    if (status) *e = bath->error;
    return status;
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

static lft_status LFT(bath_set_up)(cli *c, LFT(bath_job) *j, const LFT(theory) *theory, uint64_t n, uint64_t seed, lft_pool pool)
{
    static const char *const start[] = {"cold", "hot", NULL};
    LFT(heatbath_desc)       d;
    LFT(watch)               watch;
    LFT(batch)               x;
    lft_arena                measure = lft_arena_measure(), arena;
    memset(&d, 0, sizeof d);
    cli_extent(c, "extent", cli_required(c, "extent"), d.extent);
    d.chains    = cli_chains(c, n);
    d.overrelax = cli_none(c, "overrelax", 1000);
    d.start     = (lft_start)cli_word(c, "start", start, 0);
    d.seed      = seed;
    d.pool      = pool;
    if (c->error.code) return c->error.code;
    if (cli_check(c, LFT(heatbath_init)(&j->bath, theory, &d, &measure, &c->error), &c->error)) return c->error.code;
    arena = cli_arena(c, measure.need);
    if (c->error.code || cli_check(c, LFT(heatbath_init)(&j->bath, theory, &d, &arena, &c->error), &c->error)) return c->error.code;
    if (LFT(read_watch)(c, &j->bath.x.lattice, &watch)) return c->error.code;
    if (cli_given(c, "from") && !cli_given(c, "resume")) {
        if (LFT(start_from)(c, &j->bath.x.lattice, &x, d.chains)) return c->error.code;
        if (cli_check(c, LFT(heatbath_start)(&j->bath, &x), &j->bath.error)) return c->error.code;
    }
    j->run.job    = j;
    j->run.update = LFT(bath_update);
    if (LFT(markov_init)(&j->run, c, theory, &watch, n, seed, &j->bath.x, &j->bath.drawn, 200)) return c->error.code;
    if (checkpoint_wanted(&j->run.keep)) {
        checkpoint_count(&j->run.keep, "overrelax", (uint64_t)(d.overrelax < 0 ? 0 : j->bath.desc.overrelax));
        checkpoint_count(&j->run.keep, "start", (uint64_t)j->bath.desc.start);
    }
    return LFT(markov_resume)(&j->run);
}

static lft_status LFT(heatbath_command)(cli *c)
{
    static LFT(bath_job) job;
    static LFT(theory)   theory;
    LFT(bath_job)       *j = &job;
    const uint64_t       n = cli_count(c, "n", 100000, 1, (uint64_t)1 << 40), seed = cli_count(c, "seed", 1, 0, UINT64_MAX);
    const char          *out  = cli_text(c, "out");
    const lft_pool       pool = cli_pool(c);
    if (out) (void)cli_try_path(c, out);
    if (LFT(read_theory)(c, &theory) || LFT(bath_set_up)(c, j, &theory, n, seed, pool)) return c->error.code;
    if (LFT(markov_run)(&j->run)) return c->error.code;
    LFT(markov_finish)(&j->run, &theory, seed, pool);
    if (!c->json) LFT(bath_print)(c->result, j->bath.desc.overrelax > 0 ? j->bath.desc.overrelax : 0);
    return c->error.code;
}
