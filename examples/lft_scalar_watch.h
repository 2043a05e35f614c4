/* lft_scalar_watch.h: what lft_record.h measures of scalar fields (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef LFT(lattice) LFT(watch);
enum { LFT(watch_reals) = 1 }; /* of a site */

static const LFT(lattice) *LFT(watch_lattice)(const LFT(watch) *w) { return w; }

static int    LFT(watch_count)(const LFT(watch) *w) { return LFT(observables_count)(w); }
static size_t LFT(watch_bytes)(const LFT(watch) *w) { return LFT(measure_bytes)(w); }

static lft_status LFT(watch_measure)(const LFT(theory) *theory, const LFT(watch) *w, const LFT(batch) *x, double *rows,
                                     lft_arena scratch, lft_error *e)
{
    (void)w;
    return LFT(measure)(theory, x, rows, scratch, e);
}

static lft_status LFT(read_watch)(cli *c, const LFT(lattice) *lattice, LFT(watch) *w)
{
    *w = *lattice;
    return c->error.code;
}

/* All that there is. */
static void LFT(watch_facts)(const LFT(watch) *w, cli_checkpoint *k) { (void)w, (void)k; }

/* 0 beyond the last one */
static int LFT(watch_name)(const LFT(watch) *w, int i, char *text)
{
    (void)w;
    if (i < LFT_OBSERVABLES) (void)snprintf(text, CLI_NAME, "%s", LFT(observable_name)(i));
    return i < LFT_OBSERVABLES;
}

static int LFT(watch_needs_theory)(const LFT(watch) *w, int i)
{
    (void)w;
    return i == LFT_IDENTITY;
}

static lft_estimate LFT(watch_observe)(const lft_series *series, const LFT(theory) *theory, const LFT(watch) *w, int i,
                                       lft_arena scratch, lft_error *e)
{
    return LFT(observe)(series, theory, w, i, scratch, e);
}

/* All configurations are one npy file. */
static int LFT(watch_separate)(const char *path)
{
    (void)path;
    return 0;
}

static lft_status LFT(watch_write)(cli *c, const char *path, uint64_t number, const LFT(batch) *x, int i, lft_error *e)
{
    (void)c, (void)path, (void)number, (void)x, (void)i, (void)e;
    return LFT_OK;
}
