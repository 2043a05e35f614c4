/* lft_markov.h: a run of Markov chains: thermalisation, configurations in rounds of one per chain, checkpoints (a part of
 * lft_commands.h). SPDX-License-Identifier: MIT-0 */

typedef struct LFT(markov) {
    LFT(recorder)   record;
    cli_checkpoint  keep;
    LFT(batch)     *x;        /* the state of the chains */
    LFT(real)      *links;    /* and as plain arrays, for the checkpoint */
    uint64_t       *drawn;    /* updates of each chain */
    const uint64_t *accepted, *of; /* of all chains, in so many updates of each; NULL: nothing is ever rejected */
    uint64_t        therm, every;
    int             partial; /* stopped without a file, the numbers are of what there is */
    FILE           *npy; /* the file that configurations go to and that a checkpoint counts on */
    void           *job; /* the sampler: */
    lft_status (*update)(void *job, uint64_t i, lft_error *e); /* number i < therm is one of thermalisation */
    const LFT(batch) *(*fields)(void *job, lft_status *status, lft_error *e); /* of which is measured; NULL: x */
} LFT(markov);

/* The options of a run, updates of thermalisation if nothing else is said, and what its checkpoint holds whatever the sampler; that
 * adds its own, then markov_resume follows. */
static lft_status LFT(markov_init)(LFT(markov) *m, cli *c, const LFT(theory) *theory, const LFT(watch) *watch, uint64_t n,
                                   uint64_t seed, LFT(batch) *x, uint64_t *drawn, uint64_t therm)
{
    const char     *out   = cli_text(c, "out");
    const int       wide  = sizeof(LFT(real)) == 8;
    cli_checkpoint *k     = &m->keep;
    const size_t    reals = (size_t)x->n * (size_t)x->lattice.volume * (size_t)x->reals;
    char            name[16];
    int             mu;
    m->x     = x;
    m->drawn = drawn;
    m->every = cli_count(c, "every", 1, 1, 1u << 30);
    m->therm = cli_count(c, "therm", therm, 0, 1 << 30);
    checkpoint_open(k, c, wide ? "f64" : "f32", LFT(lanes)());
    if (c->error.code || LFT(recorder_init)(&m->record, c, theory, watch, x->n, x->n, n) || !checkpoint_wanted(k)) {
        return c->error.code;
    }
    m->record.checkpoint = k->path;
    m->links             = (LFT(real) *)cli_alloc(c, reals * sizeof(LFT(real)));
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) {
        (void)snprintf(name, sizeof name, "extent%d", mu);
        checkpoint_count(k, name, (uint64_t)x->lattice.extent[mu]);
    }
    for (mu = 0; mu < theory->couplings; ++mu) checkpoint_real(k, theory->coupling_name[mu], theory->coupling[mu]);
    checkpoint_count(k, "seed", seed);
    checkpoint_count(k, "chains", (uint64_t)x->n);
    checkpoint_count(k, "therm", m->therm);
    checkpoint_count(k, "every", m->every);
    checkpoint_count(k, "out_npy", out && !LFT(watch_separate)(out));
    checkpoint_count(k, "out_files", out && LFT(watch_separate)(out));
    LFT(watch_facts)(watch, k);
    checkpoint_state(k, "chains.done", LFT_DTYPE_U64, &m->record.done, 1);
    checkpoint_state(k, "chains.seconds", LFT_DTYPE_F64, &m->record.seconds, 1);
    checkpoint_state(k, "chains.drawn", LFT_DTYPE_U64, drawn, 1);
    checkpoint_series(k, "chains.series", &m->record.series);
    checkpoint_state(k, "chains.x", wide ? LFT_DTYPE_F64 : LFT_DTYPE_F32, m->links, reals);
    if (out && !LFT(watch_separate)(out)) {
        checkpoint_state(k, "chains.last", wide ? LFT_DTYPE_F64 : LFT_DTYPE_F32, m->record.phi,
                         (size_t)x->lattice.volume * (size_t)LFT(watch_reals));
    }
    return c->error.code;
}

/* The numbers of the file belong together: rounds are whole, and updates and samples as many as they need. */
static lft_status LFT(markov_resume)(LFT(markov) *m)
{
    const LFT(recorder) *r = &m->record;
    const uint64_t       chains = (uint64_t)r->chains;
    cli                 *c = r->c;
    uint64_t             rounds;
    int                  i;
    if (c->error.code || !m->keep.resume || checkpoint_read(&m->keep)) return c->error.code;
    rounds = r->done / chains;
    if (r->done > r->n || r->done % chains || r->series.length[0] != rounds ||
        (r->done ? *m->drawn != m->therm + rounds * m->every : *m->drawn > m->therm)) {
        return cli_fail(c, LFT_ERR_FORMAT, "%.40s: expected up to %llu configurations in whole rounds, got %llu after %llu updates",
                        m->keep.resume, (unsigned long long)r->n, (unsigned long long)r->done, (unsigned long long)*m->drawn);
    }
    for (i = 0; i < m->x->n; ++i) {
        LFT(batch_set)(m->x, i, m->links + (size_t)i * (size_t)m->x->lattice.volume * (size_t)m->x->reals);
    }
    return LFT_OK;
}

/* If there is a place for it. */
static lft_status LFT(markov_save)(LFT(markov) *m, lft_error *e)
{
    int i;
    if (!m->keep.path) return LFT_OK;
    for (i = 0; i < m->x->n; ++i) {
        LFT(batch_get)(m->x, i, m->links + (size_t)i * (size_t)m->x->lattice.volume * (size_t)m->x->reals);
    }
    if (m->npy && fflush(m->npy) != 0) (void)cli_fail(m->keep.c, LFT_ERR_IO, "--out: expected room, got: %s", strerror(errno));
    else (void)checkpoint_write(&m->keep);
    if (m->keep.c->error.code) *e = m->keep.c->error;
    return m->keep.c->error.code;
}

static lft_status LFT(markov_maybe_save)(LFT(markov) *m, lft_error *e)
{
    return cli_seconds() - m->keep.saved > m->keep.every ? LFT(markov_save)(m, e) : LFT_OK;
}

/* Thermalisation, from wherever it stands. */
static lft_status LFT(markov_thermalise)(LFT(markov) *m, lft_error *e)
{
    cli       *c      = m->keep.c;
    lft_status status = LFT_OK;
    while (*m->drawn < m->therm && !status && !cli_signal) {
        status = m->update(m->job, *m->drawn, e);
        if (!status) status = LFT(markov_maybe_save)(m, e);
        cli_progress(c, *m->drawn, m->therm, "%s: thermalisation %llu/%llu", c->command, (unsigned long long)*m->drawn,
                     (unsigned long long)m->therm);
    }
    cli_progress_end(c);
    return status;
}

static void LFT(markov_progress)(const LFT(markov) *m)
{
    const LFT(recorder) *r = &m->record;
    char                 text[32] = "";
    if (m->accepted) {
        (void)snprintf(text, sizeof text, "  acceptance %.3f", (double)*m->accepted / ((double)*m->of * r->chains));
    }
    cli_progress(r->c, r->done, r->n, "%s %llu/%llu%s", r->c->command, (unsigned long long)r->done, (unsigned long long)r->n, text);
}

/* After a signal: of a file whose header says how many follow nothing is left, else there may be the estimates of what there is. */
static lft_status LFT(markov_stop)(LFT(markov) *m, lft_error *e)
{
    LFT(recorder) *r = &m->record;
    if (!m->partial || r->to.write || !r->done) return LFT(interrupted)(r, e);
    cli_note(r->c, "stopped after %llu of %llu configurations; the numbers are of these%s%s", (unsigned long long)r->done,
             (unsigned long long)r->n, r->checkpoint ? ", --resume goes on from " : "", r->checkpoint ? r->checkpoint : "");
    r->n                 = r->done;
    r->c->result->status = "stopped";
    return LFT_OK;
}

/* Checkpoints are of whole rounds: that of the last one is kept, for a larger --n, too. */
static int LFT(markov_fill)(lft_writer to, void *context, lft_error *e)
{
    LFT(markov)      *m = (LFT(markov) *)context;
    LFT(recorder)    *r = &m->record;
    const uint64_t    chains = (uint64_t)r->chains;
    const LFT(batch) *x = m->x;
    lft_status        status = LFT_OK;
    double            begin;
    uint64_t          i;
    int               last;
    r->to = to;
    if (!r->done) status = LFT(recorder_header)(r, e);
    if (!status) status = LFT(markov_thermalise)(m, e);
    begin = cli_seconds() - r->seconds;
    while (!status && r->done < r->n && !cli_signal) {
        for (i = 0; i < m->every && !status; ++i) status = m->update(m->job, *m->drawn, e);
        if (m->fields) x = m->fields(m->job, &status, e);
        if (!status) status = LFT(recorder_round)(r, x, e);
        r->seconds = cli_seconds() - begin;
        last = r->n - r->done < chains;
        if (!status && r->done % chains == 0) status = last ? LFT(markov_save)(m, e) : LFT(markov_maybe_save)(m, e);
        LFT(markov_progress)(m);
    }
    cli_progress_end(r->c);
    if (!status && r->done < r->n && r->done % chains == 0) status = LFT(markov_save)(m, e);
    return (int)(status || r->done == r->n ? status : LFT(markov_stop)(m, e));
}

/* The file of a run that goes on: what was written last is what the checkpoint says. */
static lft_status LFT(markov_reopen)(LFT(markov) *m, const char *part)
{
    LFT(recorder) *r      = &m->record;
    cli           *c      = r->c;
    const size_t   bytes  = (size_t)r->lattice.volume * (size_t)LFT(watch_reals) * sizeof(LFT(real));
    void          *last   = cli_alloc(c, bytes);
    off_t          header = 0;
    unsigned char  memory[1024];
    lft_memory     text;
    r->to = lft_memory_writer(&text, memory, sizeof memory);
    if (c->error.code || cli_check(c, LFT(recorder_header)(r, &c->error), &c->error)) return c->error.code;
    header = (off_t)text.at;
    if (fseeko(m->npy, header + (off_t)(r->done - 1) * (off_t)bytes, SEEK_SET) != 0 || fread(last, 1, bytes, m->npy) != bytes ||
        memcmp(last, r->phi, bytes) != 0) {
        return cli_fail(c, LFT_ERR_MISMATCH, "%.60s: expected the %llu configurations of %.40s, got others", part,
                        (unsigned long long)r->done, m->keep.resume);
    }
    rewind(m->npy); /* n may have changed */
    if (fwrite(memory, 1, text.at, m->npy) != text.at || fflush(m->npy) != 0 ||
        ftruncate(fileno(m->npy), header + (off_t)r->done * (off_t)bytes) != 0 || fseeko(m->npy, 0, SEEK_END) != 0) {
        return cli_fail(c, LFT_ERR_IO, "%.60s: expected a file that can be written, got: %s", part, strerror(errno));
    }
    return LFT_OK;
}

/* A run that can go on: the npy file grows as out.part, which stays until all configurations are in it. */
static lft_status LFT(markov_npy)(LFT(markov) *m, const char *out)
{
    cli *c = m->record.c;
    char part[4096];
    if (cli_is_special(out) || strlen(out) > 4000) {
        return cli_fail(c, LFT_ERR_ARG, "--out: expected a file of its own beside --checkpoint and --resume, got %.60s", out);
    }
    (void)snprintf(part, sizeof part, "%s.part", out);
    m->npy = fopen(part, m->record.done ? "r+b" : "wb");
    if (!m->npy) {
        return cli_fail(c, LFT_ERR_IO, "%.60s: expected the file of the configurations so far, got: %s", part, strerror(errno));
    }
    if (!m->record.done || !LFT(markov_reopen)(m, part)) {
        (void)cli_check(c, (lft_status)LFT(markov_fill)(lft_file_writer(m->npy), m, &c->error), &c->error);
    }
    if (fclose(m->npy) != 0) (void)cli_fail(c, LFT_ERR_IO, "%.80s: expected room, got: %s", part, strerror(errno));
    m->npy = NULL;
    if (!c->error.code && rename(part, out) != 0) {
        (void)cli_fail(c, LFT_ERR_IO, "%.80s: expected a path that can be replaced, got: %s", out, strerror(errno));
    }
    return c->error.code;
}

static lft_status LFT(markov_run)(LFT(markov) *m)
{
    const char *out = cli_text(m->record.c, "out");
    if (m->record.c->error.code) return m->record.c->error.code;
    if (out && !LFT(watch_separate)(out) && checkpoint_wanted(&m->keep)) return LFT(markov_npy)(m, out);
    return LFT(recorder_run)(&m->record, out, LFT(markov_fill), m);
}

/* What all of them report alike. */
static void LFT(markov_finish)(LFT(markov) *m, const LFT(theory) *theory, uint64_t seed, lft_pool pool)
{
    cli_result *r = m->record.c->result;
    r->threads    = (uint64_t)(pool.threads > 1 ? pool.threads : 1);
    LFT(recorder_finish)(&m->record, theory);
    (void)snprintf(r->seed, sizeof r->seed, "%llu", (unsigned long long)seed);
    r->memory_bytes = m->record.c->bytes;
    r->out          = cli_text(m->record.c, "out");
}
