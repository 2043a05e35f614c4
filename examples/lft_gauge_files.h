/* lft_gauge_files.h: the commands check and convert. SPDX-License-Identifier: MIT-0 */

/* What became of the file: a part of the JSON. */
static lft_gauge_file cli_file;
static double         cli_file_plaquette = CLI_NAN;
static const char    *cli_file_name;

/* The first configuration of a file, in memory of its own, and its plaquette. */
static lft_status files_load(cli *c, const char *path, f64_batch *x)
{
    f64_theory      theory;
    f64_lattice     lattice;
    f64_observables o;
    lft_arena       arena, scratch;
    double         *row;
    FILE           *from = cli_gauge_open(c, path, &cli_file);
    if (!from) return c->error.code;
    cli_file_name = path;
    (void)f64_wilson_init(&theory, 0, 0, NULL);
    if (cli_file.dim != LFT_CLI_DIM) {
        (void)cli_fail(c, LFT_ERR_MISMATCH, "%.60s: expected %d dimensions (there is a program for each), got %d", path,
                       LFT_CLI_DIM, cli_file.dim);
    } else if (!cli_check(c, f64_lattice_init(&lattice, cli_file.extent, &c->error), &c->error)) {
        f64_show_lattice(c, &lattice, NULL, lft_pool_openmp(1));
        arena = cli_arena(c, f64_batch_bytes(&lattice, 1));
        memset(&o, 0, sizeof o);
        o.lattice = lattice;
        scratch   = cli_arena(c, f64_measure_bytes(&o));
        row       = (double *)cli_alloc(c, (size_t)f64_observables_count(&o) * sizeof(double));
        if (!c->error.code) (void)cli_check(c, f64_batch_init(x, &lattice, 1, &arena, &c->error), &c->error);
        if (!c->error.code) (void)f64_read_configuration(c, from, path, &cli_file, x, 0);
        if (!c->error.code) (void)cli_check(c, f64_measure(&theory, &o, x, row, scratch, &c->error), &c->error);
        if (!c->error.code) cli_file_plaquette = row[f64_observable_find(&o, "plaquette")];
    }
    (void)fclose(from);
    return c->error.code;
}

/* 1 right, 0 wrong, -1 none */
static int files_checksum(void)
{
    const lft_gauge_facts *s = &cli_file.stated, *f = &cli_file.found;
    if (!s->has_checksum || !f->has_checksum) return -1;
    return s->checksum[0] == f->checksum[0] && s->checksum[1] == f->checksum[1];
}

static lft_status check_command(cli *c)
{
    static const char *const verdict[] = {"no checksum in the file", "checksum WRONG", "checksum right"};
    const lft_gauge_facts   *s         = &cli_file.stated;
    f64_batch                x;
    if (c->positionals < 1) return cli_fail(c, LFT_ERR_ARG, "expected a file, got none");
    if (files_load(c, cli_argument(c, 0), &x)) return c->error.code;
    c->result->verdict = verdict[files_checksum() + 1];
    if (s->has_plaquette && fabs(s->plaquette - cli_file_plaquette) > 1e-6) {
        c->result->verdict = "NOT the plaquette that the file states";
    } else if (!(cli_file.unitarity < 1e-5)) c->result->verdict = "NOT unitary";
    if (c->json) return LFT_OK;
    printf("%s: %s, %s, %d of %d rows\n", cli_file_name, lft_gauge_format_str(cli_file.format), lft_dtype_str(cli_file.dtype),
           cli_file.rows, cli_file.colours);
    cli_print_lattice(c->result);
    printf("  plaquette  %.15g", cli_file_plaquette);
    if (s->has_plaquette) printf(", stated %.15g", s->plaquette);
    printf("\n  link trace %.15g", cli_file.found.link_trace);
    if (s->has_link_trace) printf(", stated %.15g", s->link_trace);
    printf("\n  unitarity  %.2g, the largest entry of |U U^+ - 1|\n", cli_file.unitarity);
    if (cli_file.found.has_checksum) printf("  checksum   %08x %08x", cli_file.found.checksum[0], cli_file.found.checksum[1]);
    if (s->has_checksum) printf(", stated %08x %08x", s->checksum[0], s->checksum[1]);
    printf("\n  verdict    %s\n", c->result->verdict);
    return LFT_OK;
}

/* ---- convert ---- */

static int files_write_npy(lft_writer to, void *context, lft_error *e)
{
    const f64_written *w = (const f64_written *)context;
    const size_t       reals = (size_t)w->x->lattice.volume * (size_t)f64_watch_reals;
    uint64_t           shape[3 + LFT_CLI_DIM];
    double            *links = (double *)malloc(reals * sizeof(double));
    lft_status         status;
    int                mu;
    if (!links) return (int)(e->code = LFT_ERR_NOMEM);
    shape[0] = 1, shape[1 + LFT_CLI_DIM] = LFT_CLI_DIM, shape[2 + LFT_CLI_DIM] = CLI_LINK;
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) shape[1 + mu] = (uint64_t)w->x->lattice.extent[mu];
    f64_batch_get(w->x, 0, links);
    status = lft_npy_write_header(to, w->file.dtype, 3 + LFT_CLI_DIM, shape, e);
    if (!status) status = lft_npy_write(to, w->file.dtype, links, reals, e);
    free(links);
    return (int)status;
}

static lft_status convert_command(cli *c)
{
    static const char *const words[] = {"f32", "f64", NULL};
    f64_written              w;
    f64_batch                x;
    const char              *out = c->positionals > 1 ? cli_argument(c, 1) : NULL;
    memset(&w, 0, sizeof w);
    if (!out) return cli_fail(c, LFT_ERR_ARG, "expected two files, IN and OUT, got %d", c->positionals);
    w.file.dtype  = cli_word(c, "real", words, 2) == 2 ? LFT_DTYPE_F64 : LFT_DTYPE_F32;
    w.file.rows   = (int)cli_count(c, "rows", 0, 2, 3);
    w.file.format = cli_format_of(out) == CLI_ILDG ? LFT_ILDG : LFT_NERSC;
    if (cli_given(c, "rows") && (CLI_LINK != 18 || cli_format_of(out) != CLI_NERSC)) {
        return cli_fail(c, LFT_ERR_ARG, "--rows: expected a NERSC file of SU(3), got '%.60s'", out);
    }
    (void)cli_try_path(c, out);
    if (c->error.code || files_load(c, cli_argument(c, 0), &x)) return c->error.code;
    w.x              = &x;
    c->result->out   = out;
    c->result->verdict = "written";
    if (cli_write(c, out, cli_format_of(out) == CLI_NPY ? files_write_npy : f64_write_configuration, &w)) return c->error.code;
    if (!c->json) printf("%s: %s\n", out, cli_format_of(out) == CLI_NPY ? "npy" : lft_gauge_format_str(w.file.format));
    return LFT_OK;
}
