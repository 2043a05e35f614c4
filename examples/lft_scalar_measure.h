/* lft_scalar_measure.h: the command measure for scalar fields (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

/* The header of the file: (n, extents), or the extents of one configuration. */
static lft_status LFT(measure_header)(cli *c, FILE *file, lft_npy *npy, uint64_t *n, LFT(lattice) *lattice)
{
    int extent[LFT_CLI_DIM], mu, first;
    if (c->error.code) return c->error.code;
    if (cli_check(c, lft_npy_read_header(lft_file_reader(file), npy, &c->error), &c->error)) return c->error.code;
    first = npy->rank - LFT_CLI_DIM;
    if (first != 0 && first != 1) {
        return cli_fail(c, LFT_ERR_MISMATCH, "npy: shape: expected (n, %d extents), got %d numbers", LFT_CLI_DIM, npy->rank);
    }
    if (npy->dtype == LFT_DTYPE_C64 || npy->dtype == LFT_DTYPE_C128) {
        return cli_fail(c, LFT_ERR_MISMATCH, "npy: expected real numbers, got complex ones");
    }
    *n = first ? npy->shape[0] : 1;
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) extent[mu] = npy->shape[first + mu] < 1 << 24 ? (int)npy->shape[first + mu] : 1 << 25;
    if (*n < 1) return cli_fail(c, LFT_ERR_MISMATCH, "npy: expected at least one configuration, got none");
    return cli_check(c, LFT(lattice_init)(lattice, extent, &c->error), &c->error);
}

/* The file in batches. */
static lft_status LFT(measure_file)(cli *c, FILE *file, const lft_npy *npy, LFT(recorder) *r, LFT(coverage) *v)
{
    const size_t volume = (size_t)r->lattice.volume;
    lft_arena    arena  = cli_arena(c, LFT(batch_bytes)(&r->lattice, r->block));
    double      *wide   = (double *)cli_alloc(c, volume * sizeof(double));
    LFT(batch)   x;
    size_t       k;
    int          i, n;
    if (c->error.code || cli_check(c, LFT(batch_init)(&x, &r->lattice, r->block, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    while (r->done < r->n) {
        n = r->n - r->done < (uint64_t)r->block ? (int)(r->n - r->done) : r->block;
        for (i = 0; i < n; ++i) {
            if (cli_check(c, lft_npy_read(lft_file_reader(file), npy, wide, volume, &c->error), &c->error)) return c->error.code;
            for (k = 0; k < volume; ++k) r->phi[k] = (LFT(real))wide[k];
            LFT(batch_set)(&x, i, r->phi);
        }
        if (cli_check(c, LFT(recorder_round)(r, &x, &c->error), &c->error)) return c->error.code;
        if (cli_check(c, LFT(coverage_add)(v, r->theory, &x, n, &c->error), &c->error)) return c->error.code;
        cli_progress(c, r->done, r->n, "measure %llu/%llu", (unsigned long long)r->done, (unsigned long long)r->n);
        if (cli_signal) return LFT(interrupted)(r, &c->error);
    }
    cli_progress_end(c);
    return LFT_OK;
}

/* The theory of the model, of the options, or none: then S is not known and the identity is left out. */
static lft_status LFT(measure_theory)(cli *c, LFT(model) *m, LFT(coverage) *v, int *known)
{
    const lft_pool pool = cli_pool(c);
    *known              = 1;
    if (cli_given(c, "model")) {
        if (cli_given(c, "m2") || cli_given(c, "lambda")) {
            return cli_fail(c, LFT_ERR_ARG, "expected --model or --m2 and --lambda, got both");
        }
        v->flow = &m->flow;
        return LFT(load_model)(c, cli_text(c, "model"), pool, m);
    }
    if (cli_given(c, "m2") || cli_given(c, "lambda")) return LFT(read_theory)(c, &m->theory);
    *known = 0;
    return LFT(phi4_init)(&m->theory, 1, 1, NULL);
}

static void LFT(measure_print)(const cli_result *r)
{
    cli_print_lattice(r);
    printf("  %llu configurations of %llu chains\n", (unsigned long long)r->n, (unsigned long long)r->chains);
    cli_print_coverage(r);
    cli_print_observables(r);
    printf("  verdict    %s\n", r->verdict);
}

static lft_status LFT(measure_open)(cli *c, FILE *file)
{
    static LFT(recorder) r;
    LFT(model)           m;
    LFT(coverage)        v;
    LFT(lattice)         lattice;
    lft_npy              npy;
    uint64_t             n = 0;
    int                  known = 0, chains = (int)cli_count(c, "chains", 1, 1, 100000), block;
    memset(&m, 0, sizeof m);
    memset(&v, 0, sizeof v);
    (void)LFT(measure_theory)(c, &m, &v, &known);
    if (LFT(measure_header)(c, file, &npy, &n, &lattice)) return c->error.code;
    if ((uint64_t)chains > n) {
        return cli_fail(c, LFT_ERR_ARG, "--chains: expected at most %d, as in the file, got %d", (int)n, chains);
    }
    block = (256 + chains - 1) / chains * chains;
    LFT(coverage_room)(c, &v, n, block);
    if (LFT(recorder_init)(&r, c, &m.theory, &lattice, chains, block, n)) return c->error.code;
    if (LFT(measure_file)(c, file, &npy, &r, &v)) return c->error.code;
    LFT(recorder_finish)(&r, known ? &m.theory : NULL);
    c->result->forward_ess  = LFT(coverage_of)(&v);
    c->result->memory_bytes = c->bytes;
    if (!c->json) LFT(measure_print)(c->result);
    return LFT_OK;
}

static lft_status LFT(measure_command)(cli *c)
{
    const char *path = cli_argument(c, 0);
    FILE       *file;
    if (!path) return cli_fail(c, LFT_ERR_ARG, "expected a file of configurations (npy), got none");
    file = fopen(path, "rb");
    if (!file) return cli_fail(c, LFT_ERR_IO, "%.80s: expected a file that can be read, got: %s", path, strerror(errno));
    (void)LFT(measure_open)(c, file);
    (void)fclose(file);
    return c->error.code;
}
