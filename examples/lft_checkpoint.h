/* lft_checkpoint.h: documents from files, and runs of Markov chains as such: what they are and where they stand.
 * SPDX-License-Identifier: MIT-0
 *
 * A checkpoint is a safetensors document. Metadata: format "lftflow-chains", format_version "1", command, theory, dim and real,
 * which have to be those of the command line, and version (of the library) and lanes for people. Tensors:
 *   run.<name>        U64 or F64 [1], e.g. run.seed, run.beta: have to be those of the command line
 *   chains.done       U64 [1] configurations so far
 *   chains.seconds    F64 [1] that they took
 *   chains.drawn      U64 [1] updates of each chain, those of thermalisation too
 *   chains.x          F64 or F32 [] the present configurations, chain by chain, as in an npy file
 *   chains.last       the same of the configuration that was written last; only where they go to an npy file
 *   chains.series     F64 [columns, chains, samples] what was measured
 *   hmc.*, sample.*   what the sampler counts besides; sample.series: the log-weights of all proposals */

/* A whole document, in memory of its own with `more` bytes to spare in *arena. */
static lft_status cli_load(cli *c, const char *path, lft_safetensors *doc, lft_arena *arena, size_t more)
{
    lft_arena  measure = lft_arena_measure();
    FILE      *file    = fopen(path, "rb");
    lft_error  e;
    lft_status status;
    memset(&e, 0, sizeof e);
    if (!file) return cli_fail(c, LFT_ERR_IO, "%.80s: expected a file that can be read, got: %s", path, strerror(errno));
    status = lft_safetensors_load(lft_file_reader(file), &measure, doc, &e);
    if (!status) *arena = cli_arena(c, measure.need + more);
    if (!status && c->error.code) status = c->error.code;
    if (!status && fseek(file, 0, SEEK_SET) != 0) {
        status = cli_fail(c, LFT_ERR_IO, "%.80s: expected a file that can be read twice, got a pipe", path);
    }
    if (!status) status = lft_safetensors_load(lft_file_reader(file), arena, doc, &e);
    (void)fclose(file);
    if (status && !c->error.code) (void)cli_fail(c, status, "%.60s: %.90s", path, e.text);
    return status;
}

#define CLI_ENTRIES 48

typedef struct cli_checkpoint {
    cli          *c;
    const char   *path, *resume; /* of --checkpoint and --resume; NULL: not given */
    double        every, saved;  /* seconds */
    lft_text_pair meta[8];
    int           metas;
    char          lanes[16];
    lft_tensor    tensor[CLI_ENTRIES];
    char          name[CLI_ENTRIES][24];
    uint64_t      fact[CLI_ENTRIES]; /* the bits of a number that has to agree */
    void         *state[CLI_ENTRIES]; /* where a number that is restored belongs; NULL for a fact */
    lft_series   *series[CLI_ENTRIES]; /* tensors of samples: they are packed in memory of their own */
    int           tensors;
} cli_checkpoint;

/* Whether there is anything to do. */
static int checkpoint_wanted(const cli_checkpoint *k)
{
    return k->path || k->resume;
}

static void checkpoint_say(cli_checkpoint *k, const char *key, const char *value)
{
    k->meta[k->metas].key   = key;
    k->meta[k->metas].value = value;
    k->metas += 1;
}

static void checkpoint_open(cli_checkpoint *k, cli *c, const char *real, int lanes)
{
    static const char dim[] = {'0' + LFT_CLI_DIM, 0};
    memset(k, 0, sizeof *k);
    k->c      = c;
    k->path   = cli_text(c, "checkpoint");
    k->resume = cli_text(c, "resume");
    k->every  = cli_positive(c, "checkpoint-every", 60);
    k->saved  = cli_seconds();
    (void)snprintf(k->lanes, sizeof k->lanes, "%d", lanes);
    checkpoint_say(k, "format", "lftflow-chains");
    checkpoint_say(k, "format_version", "1");
    checkpoint_say(k, "theory", CLI_THEORY);
    checkpoint_say(k, "dim", dim);
    checkpoint_say(k, "command", c->command);
    checkpoint_say(k, "real", real);
    checkpoint_say(k, "lanes", k->lanes); /* the last two are not compared */
    checkpoint_say(k, "version", LFT_VERSION);
    if (k->path) (void)cli_try_path(c, k->path);
}

/* A tensor of n numbers that lie where `data` says, or will once they are known. */
static lft_tensor *checkpoint_add(cli_checkpoint *k, const char *prefix, const char *name, lft_dtype dtype, void *data, size_t n)
{
    const int   i = k->tensors;
    lft_tensor *t = k->tensor + i;
    if (i == CLI_ENTRIES) {
        (void)cli_fail(k->c, LFT_ERR_ARG, "checkpoint: expected at most %d tensors, got more", CLI_ENTRIES);
        return t - 1;
    }
    (void)snprintf(k->name[i], sizeof k->name[i], "%s%s", prefix, name);
    t->name     = k->name[i];
    t->dtype    = dtype;
    t->rank     = 1;
    t->shape[0] = n;
    t->data     = data;
    t->bytes    = n * lft_dtype_bytes(dtype);
    k->tensors += 1;
    return t;
}

static void checkpoint_fact(cli_checkpoint *k, const char *name, lft_dtype dtype, const void *number)
{
    lft_tensor *t = checkpoint_add(k, "run.", name, dtype, NULL, 1);
    t->data       = memcpy(k->fact + (t - k->tensor), number, 8);
}

static void checkpoint_count(cli_checkpoint *k, const char *name, uint64_t v) { checkpoint_fact(k, name, LFT_DTYPE_U64, &v); }
static void checkpoint_real(cli_checkpoint *k, const char *name, double v) { checkpoint_fact(k, name, LFT_DTYPE_F64, &v); }

static void checkpoint_state(cli_checkpoint *k, const char *name, lft_dtype dtype, void *data, size_t n)
{
    lft_tensor *t              = checkpoint_add(k, "", name, dtype, data, n);
    k->state[t - k->tensor] = data;
}

/* All replicas of the series have as many samples, whenever it is written. */
static void checkpoint_series(cli_checkpoint *k, const char *name, lft_series *s)
{
    const size_t rows = (size_t)s->columns * (size_t)s->replicas;
    lft_tensor  *t    = checkpoint_add(k, "", name, LFT_DTYPE_F64, cli_alloc(k->c, rows * s->capacity * sizeof(double)), 0);
    k->series[t - k->tensor] = s;
    t->rank     = 3;
    t->shape[0] = (uint64_t)s->columns;
    t->shape[1] = (uint64_t)s->replicas;
}

/* ---- writing ---- */

static void checkpoint_pack(lft_tensor *t, const lft_series *s)
{
    const size_t n  = s->length[0];
    double      *to = (double *)(uintptr_t)t->data; /* our own memory, of checkpoint_series */
    int          i;
    for (i = 0; i < s->columns * s->replicas; ++i) {
        memcpy(to + (size_t)i * n, s->data + (size_t)i * s->capacity, n * sizeof(double));
    }
    t->shape[2] = n;
    t->bytes    = n * (size_t)s->columns * (size_t)s->replicas * sizeof(double);
}

static int checkpoint_fill(lft_writer to, void *context, lft_error *e)
{
    const cli_checkpoint *k = (const cli_checkpoint *)context;
    return (int)lft_safetensors_save(to, k->tensor, k->tensors, k->meta, k->metas, e);
}

static lft_status checkpoint_write(cli_checkpoint *k)
{
    int        i;
    lft_status status;
    for (i = 0; i < k->tensors; ++i) {
        if (k->series[i]) checkpoint_pack(k->tensor + i, k->series[i]);
    }
    status   = cli_write(k->c, k->path, checkpoint_fill, k);
    k->saved = cli_seconds();
    return status;
}

/* ---- reading ---- */

static lft_status checkpoint_bad(cli_checkpoint *k, lft_status code, const char *name, const char *expected, const char *got)
{
    return cli_fail(k->c, code, "%.40s: %.30s: expected %.40s, got %.40s", k->resume, name, expected, got);
}

static void checkpoint_number(const lft_tensor *t, char text[32])
{
    if (t->dtype == LFT_DTYPE_U64) (void)snprintf(text, 32, "%llu", (unsigned long long)lft_tensor_get_u64(t, 0));
    else (void)cli_shortest(lft_tensor_get(t, 0), text);
}

/* What the file says it is. */
static lft_status checkpoint_check_meta(cli_checkpoint *k, const lft_safetensors *doc)
{
    int i;
    for (i = 0; i < k->metas - 1; ++i) {
        const char *got = lft_safetensors_meta(doc, k->meta[i].key);
        if (got && !strcmp(got, k->meta[i].value)) continue;
        if (!got || i < k->metas - 2) {
            return checkpoint_bad(k, LFT_ERR_MISMATCH, k->meta[i].key, k->meta[i].value, got ? got : "none");
        }
        cli_note(k->c, "the checkpoint was written with %.10s lanes, here are %s: the run goes on, but not bit for bit", got,
                 k->lanes);
    }
    return LFT_OK;
}

/* Tensor i of the file: type and size are right, and of a fact the number. */
static lft_status checkpoint_check(cli_checkpoint *k, int i, const lft_tensor *t, uint64_t rounds)
{
    const lft_tensor *own  = k->tensor + i;
    const size_t      rows = k->series[i] ? (size_t)k->series[i]->columns * (size_t)k->series[i]->replicas : 0;
    const size_t      n    = rows ? rows * (size_t)rounds : (size_t)own->shape[0];
    char              expected[64], got[64];
    if (!t) return checkpoint_bad(k, LFT_ERR_FORMAT, own->name, "a tensor of that name", "none");
    if (t->dtype != own->dtype || lft_tensor_count(t) != n) {
        (void)snprintf(expected, sizeof expected, "%lu numbers %s%s", (unsigned long)n, lft_dtype_str(own->dtype),
                       rows && rounds == k->series[i]->capacity ? " at this --n" : "");
        (void)snprintf(got, sizeof got, "%lu numbers %s", (unsigned long)lft_tensor_count(t), lft_dtype_str(t->dtype));
        return checkpoint_bad(k, LFT_ERR_MISMATCH, own->name, expected, got);
    }
    if (k->state[i] || k->series[i] || !memcmp(t->data, own->data, own->bytes)) return LFT_OK;
    checkpoint_number(own, expected);
    checkpoint_number(t, got);
    (void)strncat(expected, " as in the command", sizeof expected - strlen(expected) - 1);
    return checkpoint_bad(k, LFT_ERR_MISMATCH, own->name + 4, expected, got);
}

static void checkpoint_unpack(const lft_tensor *t, lft_series *s, uint64_t rounds)
{
    const char  *from  = (const char *)t->data;
    const size_t bytes = (size_t)rounds * sizeof(double);
    int          i;
    for (i = 0; i < s->columns * s->replicas; ++i) memcpy(s->data + (size_t)i * s->capacity, from + (size_t)i * bytes, bytes);
    for (i = 0; i < s->replicas; ++i) s->length[i] = (size_t)rounds;
}

/* The samples that each replica of series i has in the file; their number says nothing else. */
static uint64_t checkpoint_rounds(const cli_checkpoint *k, int i, const lft_tensor *t)
{
    const lft_series *s    = k->series[i];
    const size_t      rows = s ? (size_t)s->columns * (size_t)s->replicas : 1, n = t ? lft_tensor_count(t) / rows : 0;
    return s && n > s->capacity ? s->capacity : n;
}

/* Restores every state, or none. */
static lft_status checkpoint_read(cli_checkpoint *k)
{
    cli            *c      = k->c;
    const int       blocks = c->blocks;
    const size_t    bytes  = c->bytes;
    lft_safetensors doc;
    lft_arena       arena;
    int             i;
    if (c->error.code || cli_load(c, k->resume, &doc, &arena, 0) || checkpoint_check_meta(k, &doc)) return c->error.code;
    for (i = 0; i < k->tensors; ++i) {
        const lft_tensor *t = lft_safetensors_find(&doc, k->tensor[i].name);
        if (checkpoint_check(k, i, t, checkpoint_rounds(k, i, t))) return c->error.code;
    }
    for (i = 0; i < k->tensors; ++i) {
        const lft_tensor *t = lft_safetensors_find(&doc, k->tensor[i].name);
        if (k->series[i]) checkpoint_unpack(t, k->series[i], checkpoint_rounds(k, i, t));
        else if (k->state[i]) memcpy(k->state[i], t->data, t->bytes);
    }
    while (c->blocks > blocks) free(c->block[--c->blocks]);
    c->bytes = bytes;
    return LFT_OK;
}
