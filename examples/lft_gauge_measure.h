/* lft_gauge_measure.h: the command measure for gauge fields (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

/* Files of one configuration each, or an npy file of several. */
typedef struct LFT(gauge_source) {
    cli           *c;
    FILE          *npy_file;
    lft_npy        npy;
    lft_gauge_file first;
    uint64_t       n;
    double        *wide;
} LFT(gauge_source);

/* Number and extents from the first file. */
static lft_status LFT(source_open)(LFT(gauge_source) *s, LFT(lattice) *lattice)
{
    cli  *c = s->c;
    FILE *file;
    int   extent[LFT_CLI_DIM], mu;
    if (!c->positionals) return cli_fail(c, LFT_ERR_ARG, "expected files of configurations, got none");
    if (cli_format_of(cli_argument(c, 0)) == CLI_NPY) {
        if (c->positionals > 1) return cli_fail(c, LFT_ERR_ARG, "expected one npy file, got %d files", c->positionals);
        s->npy_file = fopen(cli_argument(c, 0), "rb");
        if (!s->npy_file) {
            return cli_fail(c, LFT_ERR_IO, "%.80s: expected a file that can be read, got: %s", cli_argument(c, 0),
                            strerror(errno));
        }
        if (cli_check(c, lft_npy_read_header(lft_file_reader(s->npy_file), &s->npy, &c->error), &c->error)) return c->error.code;
        if (s->npy.rank != LFT_CLI_DIM + 3 || s->npy.shape[LFT_CLI_DIM + 1] != LFT_CLI_DIM ||
            s->npy.shape[LFT_CLI_DIM + 2] != CLI_LINK || s->npy.shape[0] < 1) {
            return cli_fail(c, LFT_ERR_MISMATCH, "npy: shape: expected (n, %d extents, %d, %d), got %d numbers", LFT_CLI_DIM,
                            LFT_CLI_DIM, CLI_LINK, s->npy.rank);
        }
        s->n = s->npy.shape[0];
        for (mu = 0; mu < LFT_CLI_DIM; ++mu) extent[mu] = s->npy.shape[1 + mu] < 1 << 24 ? (int)s->npy.shape[1 + mu] : 1 << 25;
    } else {
        file = cli_gauge_open(c, cli_argument(c, 0), &s->first);
        if (!file) return c->error.code;
        (void)fclose(file);
        s->n = (uint64_t)c->positionals;
        for (mu = 0; mu < LFT_CLI_DIM; ++mu) extent[mu] = s->first.extent[mu];
        if (s->first.dim != LFT_CLI_DIM) {
            return cli_fail(c, LFT_ERR_MISMATCH, "%.60s: expected %d dimensions, got %d", cli_argument(c, 0), LFT_CLI_DIM,
                            s->first.dim);
        }
    }
    return cli_check(c, LFT(lattice_init)(lattice, extent, &c->error), &c->error);
}

/* Configuration `number` into place i of a batch. */
static lft_status LFT(source_next)(LFT(gauge_source) *s, uint64_t number, LFT(batch) *x, int i, LFT(real) *links)
{
    cli           *c = s->c;
    const char    *path = s->npy_file ? cli_argument(c, 0) : cli_argument(c, (int)number);
    const size_t   reals = (size_t)x->lattice.volume * (size_t)LFT(watch_reals);
    lft_gauge_file file;
    FILE          *from;
    size_t         k;
    if (s->npy_file) {
        if (cli_check(c, lft_npy_read(lft_file_reader(s->npy_file), &s->npy, s->wide, reals, &c->error), &c->error)) {
            return c->error.code;
        }
        for (k = 0; k < reals; ++k) links[k] = (LFT(real))s->wide[k];
        LFT(batch_set)(x, i, links);
        return LFT_OK;
    }
    from = cli_gauge_open(c, path, &file);
    if (!from) return c->error.code;
    (void)LFT(read_configuration)(c, from, path, &file, x, i);
    (void)fclose(from);
    return c->error.code;
}

static lft_status LFT(measure_all)(LFT(gauge_source) *s, LFT(recorder) *r, LFT(coverage) *v)
{
    cli       *c = s->c;
    lft_arena  arena = cli_arena(c, LFT(batch_bytes)(&r->lattice, r->block));
    LFT(batch) x;
    int        i, n;
    if (c->error.code || cli_check(c, LFT(batch_init)(&x, &r->lattice, r->block, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    s->wide = (double *)cli_alloc(c, (size_t)r->lattice.volume * (size_t)LFT(watch_reals) * sizeof(double));
    while (r->done < r->n && !c->error.code) {
        n = r->n - r->done < (uint64_t)r->block ? (int)(r->n - r->done) : r->block;
        for (i = 0; i < n; ++i) {
            if (LFT(source_next)(s, r->done + (uint64_t)i, &x, i, r->phi)) return c->error.code;
        }
        if (cli_check(c, LFT(recorder_round)(r, &x, &c->error), &c->error)) return c->error.code;
        if (cli_check(c, LFT(coverage_add)(v, r->theory, &x, n, &c->error), &c->error)) return c->error.code;
        cli_progress(c, r->done, r->n, "measure %llu/%llu", (unsigned long long)r->done, (unsigned long long)r->n);
        if (cli_signal) return LFT(interrupted)(r, &c->error);
    }
    cli_progress_end(c);
    return c->error.code;
}

static void LFT(gauge_measure_print)(const cli_result *r)
{
    cli_print_lattice(r);
    printf("  %llu configurations of %llu chains\n", (unsigned long long)r->n, (unsigned long long)r->chains);
    cli_print_coverage(r);
    cli_print_observables(r);
    printf("  verdict    %s\n", r->verdict);
}

static lft_status LFT(measure_command)(cli *c)
{
    static LFT(recorder) r;
    static LFT(theory)   theory;
    LFT(gauge_source)    s;
    LFT(lattice)         lattice;
    LFT(watch)           watch;
    LFT(model)           m;
    LFT(coverage)        v;
    const int            known = cli_given(c, "beta") || cli_given(c, "model");
    int                  chains = (int)cli_count(c, "chains", 1, 1, 100000), block;
    memset(&s, 0, sizeof s);
    memset(&m, 0, sizeof m);
    memset(&v, 0, sizeof v);
    s.c = c;
    if (cli_given(c, "model")) {
        if (cli_given(c, "beta")) return cli_fail(c, LFT_ERR_ARG, "expected --model or --beta, got both");
        v.flow = &m.flow;
        if (LFT(load_model)(c, cli_text(c, "model"), cli_pool(c), &m)) return c->error.code;
        theory = m.theory;
    } else if (known) (void)LFT(read_theory)(c, &theory);
    else (void)LFT(wilson_init)(&theory, 0, 0, NULL);
    if (c->error.code || LFT(source_open)(&s, &lattice) || LFT(read_watch)(c, &lattice, &watch)) return c->error.code;
    if ((uint64_t)chains > s.n) {
        return cli_fail(c, LFT_ERR_ARG, "--chains: expected at most %d, as in the files, got %d", (int)s.n, chains);
    }
    block = LFT(lanes)() > chains ? (LFT(lanes)() / chains) * chains : chains;
    LFT(coverage_room)(c, &v, s.n, block);
    if (LFT(recorder_init)(&r, c, &theory, &watch, chains, block, s.n) || LFT(measure_all)(&s, &r, &v)) return c->error.code;
    LFT(recorder_finish)(&r, known ? &theory : NULL);
    c->result->forward_ess  = LFT(coverage_of)(&v);
    c->result->memory_bytes = c->bytes;
    if (s.npy_file) (void)fclose(s.npy_file);
    if (!c->json) LFT(gauge_measure_print)(c->result);
    return LFT_OK;
}
