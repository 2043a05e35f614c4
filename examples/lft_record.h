/* lft_record.h: what becomes of the configurations of a round, one per chain: measured, written (a part of lft_commands.h).
 * LFT(watch) is what is measured, and LFT(watch_...) how: of lft_scalar_watch.h or lft_gauge_watch.h.
 * SPDX-License-Identifier: MIT-0 */

typedef struct LFT(recorder) {
    cli               *c;
    const LFT(theory) *theory; /* of which S is measured */
    LFT(lattice)       lattice;
    LFT(watch)         watch;
    lft_series         series;
    lft_arena          scratch, gamma;
    double            *rows;
    LFT(real)         *phi;
    int                chains, block; /* block: configurations in a batch, a multiple of chains */
    uint64_t           n, done;
    lft_writer         to;   /* write == NULL: nothing is written, ... */
    const char        *path; /* ... or each configuration to a file of its own */
    const char        *checkpoint; /* where there is one, after an interruption */
    double             seconds;
} LFT(recorder);

static lft_status LFT(recorder_init)(LFT(recorder) *r, cli *c, const LFT(theory) *theory, const LFT(watch) *watch,
                                     int chains, int block, uint64_t n)
{
    const int    columns  = LFT(watch_count)(watch);
    const size_t capacity = (size_t)((n + (uint64_t)chains - 1) / (uint64_t)chains);
    lft_arena    measure  = lft_arena_measure(), arena;
    memset(r, 0, sizeof *r);
    r->c       = c;
    r->theory  = theory;
    r->watch   = *watch;
    r->lattice = *LFT(watch_lattice)(watch);
    r->chains  = chains;
    r->block   = block;
    r->n       = n;
    if (c->error.code || cli_check(c, lft_series_init(&r->series, columns, chains, capacity, &measure, &c->error), &c->error)) {
        return c->error.code;
    }
    arena = cli_arena(c, measure.need);
    if (c->error.code || cli_check(c, lft_series_init(&r->series, columns, chains, capacity, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    r->gamma   = cli_arena(c, lft_gamma_bytes(&r->series));
    r->scratch = cli_arena(c, LFT(watch_bytes)(watch));
    r->rows    = (double *)cli_alloc(c, (size_t)columns * (size_t)block * sizeof(double));
    r->phi     = (LFT(real) *)cli_alloc(c, (size_t)r->lattice.volume * (size_t)LFT(watch_reals) * sizeof(LFT(real)));
    return c->error.code;
}

static lft_status LFT(recorder_header)(LFT(recorder) *r, lft_error *e)
{
    uint64_t shape[3 + LFT_CLI_DIM];
    int      mu, rank = 1 + LFT_CLI_DIM;
    if (!r->to.write) return LFT_OK;
    shape[0] = r->n;
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) shape[1 + mu] = (uint64_t)r->lattice.extent[mu];
#ifndef CLI_SCALAR
    shape[rank++] = LFT_CLI_DIM;
    shape[rank++] = LFT(watch_reals) / LFT_CLI_DIM;
#endif
    return lft_npy_write_header(r->to, sizeof(LFT(real)) == 8 ? LFT_DTYPE_F64 : LFT_DTYPE_F32, rank, shape, e);
}

static lft_status LFT(recorder_write)(LFT(recorder) *r, const LFT(batch) *x, int i, lft_error *e)
{
    const size_t n = (size_t)r->lattice.volume * (size_t)LFT(watch_reals);
    LFT(batch_get)(x, i, r->phi);
    if (sizeof(LFT(real)) == 8) return lft_npy_write(r->to, LFT_DTYPE_F64, (const double *)(const void *)r->phi, n, e);
    return lft_npy_write_f32(r->to, LFT_DTYPE_F32, (const float *)(const void *)r->phi, n, e);
}

/* Measures and writes configurations i of chains i mod chains; of the last batch only as many as are wanted. */
static lft_status LFT(recorder_round)(LFT(recorder) *r, const LFT(batch) *x, lft_error *e)
{
    lft_status status = LFT(watch_measure)(r->theory, &r->watch, x, r->rows, r->scratch, e);
    int        i;
    for (i = 0; i < r->block && r->done < r->n && !status; ++i, ++r->done) {
        if (lft_series_add(&r->series, i % r->chains, r->rows + (size_t)i * (size_t)r->series.columns)) {
            (void)snprintf(e->text, sizeof e->text, "measure: configuration %llu: expected finite numbers, got NaN or infinity",
                           (unsigned long long)r->done);
            return e->code = LFT_ERR_NONFINITE;
        }
        if (r->to.write) status = LFT(recorder_write)(r, x, i, e);
        else if (r->path) status = LFT(watch_write)(r->c, r->path, r->done, x, i, e);
    }
    return status;
}

/* The estimates into c->result. mass_l and others may not be defined: that is no error. */
static void LFT(recorder_finish)(LFT(recorder) *r, const LFT(theory) *theory)
{
    static char name[CLI_OBSERVABLES][CLI_NAME];
    cli_result *to = r->c->result;
    int         i;
    for (i = 0; to->observables < CLI_OBSERVABLES && LFT(watch_name)(&r->watch, i, name[i]); ++i) {
        lft_error e;
        if (!theory && LFT(watch_needs_theory)(&r->watch, i)) continue;
        to->observable[to->observables].name = name[i];
        to->observable[to->observables].e    = LFT(watch_observe)(&r->series, r->theory, &r->watch, i, r->gamma, &e);
        to->observables += 1;
    }
    to->n       = r->n;
    to->chains  = (uint64_t)r->chains;
    to->seconds = r->seconds;
    if (r->seconds > 0) to->samples_per_second = (double)r->n / r->seconds;
    LFT(show_lattice)(r->c, &r->lattice, theory, lft_pool_openmp((int)to->threads));
    cli_judge(to);
}

static lft_status LFT(interrupted)(const LFT(recorder) *r, lft_error *e)
{
    const char *none = r->path ? "the files of these are complete" : "nothing was written";
    (void)snprintf(e->text, sizeof e->text, "stopped after %llu of %llu configurations; %s%.60s", (unsigned long long)r->done,
                   (unsigned long long)r->n, r->checkpoint ? "--resume goes on from " : none, r->checkpoint ? r->checkpoint : "");
    return e->code = LFT_STOPPED;
}

/* Runs fill with the npy file, with a file for each configuration, or without. */
static lft_status LFT(recorder_run)(LFT(recorder) *r, const char *out, cli_fill fill, void *job)
{
    cli       *c = r->c;
    lft_writer nowhere;
    if (c->error.code) return c->error.code;
    if (out && !LFT(watch_separate)(out)) return cli_write(c, out, fill, job);
    r->path       = out;
    nowhere.write = NULL;
    nowhere.user  = NULL;
    return cli_check(c, (lft_status)fill(nowhere, job, &c->error), &c->error);
}
