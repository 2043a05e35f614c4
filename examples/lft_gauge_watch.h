/* lft_gauge_watch.h: what lft_record.h measures of gauge fields, and configurations as files (a part of lft_commands.h).
 * SPDX-License-Identifier: MIT-0 */

typedef LFT(observables) LFT(watch);
enum { LFT(watch_reals) = LFT_CLI_DIM * CLI_LINK }; /* of a site */

static const LFT(lattice) *LFT(watch_lattice)(const LFT(watch) *w) { return &w->lattice; }

static int    LFT(watch_count)(const LFT(watch) *w) { return LFT(observables_count)(w); }
static size_t LFT(watch_bytes)(const LFT(watch) *w) { return LFT(measure_bytes)(w); }

static lft_status LFT(watch_measure)(const LFT(theory) *theory, const LFT(watch) *w, const LFT(batch) *x, double *rows,
                                     lft_arena scratch, lft_error *e)
{
    return LFT(measure)(theory, w, x, rows, scratch, e);
}

/* From the options. */
static lft_status LFT(read_watch)(cli *c, const LFT(lattice) *lattice, LFT(watch) *w)
{
    const char *wilson = cli_text(c, "wilson");
    char       *end;
    lft_error   e;
    memset(&e, 0, sizeof e);
    memset(w, 0, sizeof *w);
    w->lattice = *lattice;
    if (wilson) {
        const long r = strtol(wilson, &end, 10), t = *end == 'x' ? strtol(end + 1, &end, 10) : 0;
        if (*end || r < 1 || t < 1 || r > 100 || t > 100) {
            return cli_fail(c, LFT_ERR_ARG, "--wilson: expected RxT with numbers from 1 to 100, got '%.40s'", wilson);
        }
        w->max_R = (int)(r < t ? r : t);
        w->max_T = (int)(r < t ? t : r);
    }
    w->flow_time = cli_real(c, "flow-time", 0);
    w->flow_step = cli_positive(c, "flow-step", 0);
    if (c->error.code) return c->error.code;
    return cli_check(c, LFT(observables_check)(w, &e), &e);
}

/* What a checkpoint was told to measure. */
static void LFT(watch_facts)(const LFT(watch) *w, cli_checkpoint *k)
{
    checkpoint_count(k, "wilson_R", (uint64_t)w->max_R);
    checkpoint_count(k, "wilson_T", (uint64_t)w->max_T);
    checkpoint_real(k, "flow_time", w->flow_time);
    checkpoint_real(k, "flow_step", w->flow_step);
}

/* 0 beyond the last one */
static int LFT(watch_name)(const LFT(watch) *w, int i, char *text)
{
    char        build[LFT_OBSERVABLE_TEXT];
    const char *name = LFT(observable_name)(w, i, build);
    if (name) (void)snprintf(text, CLI_NAME, "%s", name);
    return name != NULL;
}

/* The first one is S / V. */
static int LFT(watch_needs_theory)(const LFT(watch) *w, int i)
{
    return i == LFT(observable_find)(w, "action");
}

static lft_estimate LFT(watch_observe)(const lft_series *series, const LFT(theory) *theory, const LFT(watch) *w, int i,
                                       lft_arena scratch, lft_error *e)
{
    return LFT(observe)(series, theory, w, i, scratch, e);
}

/* ---- files ---- */

static int LFT(watch_separate)(const char *path) { return cli_format_of(path) != CLI_NPY; }

typedef struct LFT(written) {
    const LFT(batch) *x;
    int               i;
    lft_gauge_file    file;
} LFT(written);

static int LFT(write_configuration)(lft_writer to, void *context, lft_error *e)
{
    LFT(written) *w = (LFT(written) *)context;
    return (int)LFT(configuration_write)(w->x, w->i, to, &w->file, e);
}

/* x.nersc: x-000000.nersc and so on */
static lft_status LFT(watch_write)(cli *c, const char *path, uint64_t number, const LFT(batch) *x, int i, lft_error *e)
{
    const char  *dot = strrchr(path, '.');
    char         name[4096];
    LFT(written) w;
    memset(&w, 0, sizeof w);
    w.x           = x;
    w.i           = i;
    w.file.format = cli_format_of(path) == CLI_ILDG ? LFT_ILDG : LFT_NERSC;
    w.file.dtype  = sizeof(LFT(real)) == 8 ? LFT_DTYPE_F64 : LFT_DTYPE_F32;
    if (!dot || strlen(path) > 4000) return cli_fail(c, LFT_ERR_ARG, "--out: expected a shorter name with an ending");
    (void)snprintf(name, sizeof name, "%.*s-%06llu%s", (int)(dot - path), path, (unsigned long long)number, dot);
    if (cli_write(c, name, LFT(write_configuration), &w)) *e = c->error;
    return c->error.code;
}

/* A configuration of a file: its header, and its links into configuration i of a batch. */
static lft_status LFT(read_configuration)(cli *c, FILE *from, const char *path, lft_gauge_file *file, LFT(batch) *x, int i)
{
    lft_error e;
    memset(&e, 0, sizeof e);
    if (!LFT(configuration_read)(x, i, file, &e)) return LFT_OK;
    (void)from;
    return cli_fail(c, e.code, "%.60s: %.95s", path, e.text);
}

/* Every chain of a batch begins with the configuration of a file. */
static lft_status LFT(start_from)(cli *c, const LFT(lattice) *lattice, LFT(batch) *x, int chains)
{
    const char    *path = cli_text(c, "from");
    lft_arena      arena;
    lft_gauge_file file;
    FILE          *from;
    LFT(real)     *links;
    int            i;
    arena = cli_arena(c, LFT(batch_bytes)(lattice, chains));
    links = (LFT(real) *)cli_alloc(c, (size_t)lattice->volume * (size_t)LFT(watch_reals) * sizeof(LFT(real)));
    if (c->error.code || cli_check(c, LFT(batch_init)(x, lattice, chains, &arena, &c->error), &c->error)) return c->error.code;
    from = cli_gauge_open(c, path, &file);
    if (!from) return c->error.code;
    if (!LFT(read_configuration)(c, from, path, &file, x, 0)) {
        LFT(batch_get)(x, 0, links);
        for (i = 1; i < chains; ++i) LFT(batch_set)(x, i, links);
    }
    (void)fclose(from);
    return c->error.code;
}
