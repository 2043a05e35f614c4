/* lft_scalar_flow.h: flows of scalar fields from the options (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

static void LFT(read_continuous)(cli *c, LFT(continuous_desc) *d)
{
    static const char *const basis[] = {"cosine", "hat", NULL};
    d->sines      = cli_none(c, "sines", 1000);
    d->linear     = cli_none(c, "linear", 1);
    d->gates      = cli_none(c, "gates", 100);
    d->zeros      = cli_none(c, "zeros", 100);
    d->basis      = (lft_time_basis)cli_word(c, "basis", basis, 0);
    d->nodes      = (int)cli_count(c, "nodes", 0, 1, 1000);
    d->steps      = (int)cli_count(c, "int-steps", 0, 1, 100000);
    d->most_steps = (int)cli_count(c, "most-int-steps", 0, 1, 100000);
}

/* Couplings that differ by their parity. */
static void LFT(read_couplings)(cli *c, LFT(flow_desc) *d)
{
    const int          layers = (int)cli_count(c, "layers", 16, 1, CLI_LAYERS);
    LFT(coupling_desc) one, *each = (LFT(coupling_desc) *)cli_alloc(c, (size_t)layers * sizeof *each);
    LFT(layer_desc)   *list       = (LFT(layer_desc) *)cli_alloc(c, (size_t)layers * sizeof *list);
    int                i;
    memset(&one, 0, sizeof one);
    cli_list(c, "hidden", one.hidden, (int)(sizeof one.hidden / sizeof *one.hidden));
    one.kernel = (int)cli_count(c, "kernel", 0, 1, 1000);
    one.bound  = cli_real(c, "bound", 0);
    one.z2     = (int)cli_count(c, "z2", 0, 0, 1);
    if (one.bound < 0) (void)cli_fail(c, LFT_ERR_ARG, "--bound: expected a number >= 0, got '%.40s'", cli_text(c, "bound"));
    if (cli_given(c, "bound") && one.bound <= 0) one.bound = -1; /* NaN is the library's to refuse */
    for (i = 0; i < layers && !c->error.code; ++i) {
        each[i]        = one;
        each[i].parity = i % 2;
        list[i].ops    = LFT(coupling)();
        list[i].desc   = each + i;
    }
    d->layer  = list;
    d->layers = layers;
}

/* A desc from the options; zero is the library's default. */
static lft_status LFT(read_flow_desc)(cli *c, LFT(flow_desc) *d)
{
    static const char *const prior[] = {"free", "normal", NULL};
    const int                coupling = cli_is_coupling(c);
    memset(d, 0, sizeof *d);
    if (cli_flow_options(c, coupling)) return c->error.code;
    cli_extent(c, "extent", cli_required(c, "extent"), d->extent);
    d->prior       = (lft_prior_kind)cli_word(c, "prior", prior, LFT_PRIOR_FREE);
    d->prior_mass2 = cli_positive(c, "prior-mass2", 0);
    if (cli_given(c, "prior-mass2") && d->prior == LFT_PRIOR_NORMAL) {
        return cli_fail(c, LFT_ERR_ARG, "--prior-mass2: expected --prior free beside it, got the prior normal");
    }
    if (coupling) LFT(read_couplings)(c, d);
    else LFT(read_continuous)(c, &d->continuous);
    return c->error.code;
}

static lft_status LFT(model_theory)(cli *c, const LFT(model_info) *info, LFT(theory) *theory)
{
    lft_error e;
    memset(&e, 0, sizeof e);
    if (strcmp(info->theory, "phi4") || info->couplings != 2) {
        return cli_fail(c, LFT_ERR_MISMATCH, "model: theory: expected phi4 with 2 couplings, got '%.20s' with %d", info->theory,
                        info->couplings);
    }
    return cli_check(c, LFT(phi4_init)(theory, info->coupling[0], info->coupling[1], &e), &e);
}

/* Of a configuration: epsilon takes a determinant of as many rows. */
static size_t LFT(dimension)(const LFT(flow) *flow) { return (size_t)flow->lattice.volume; }

/* Parameters do not scale with the couplings. */
static void LFT(rescale)(LFT(flow) *flow, const LFT(model) *m, const LFT(theory) *to)
{
    (void)flow, (void)m, (void)to;
}

/* No layer of scalar fields draws. */
static lft_status LFT(scales_of)(cli *c, const LFT(model) *m, LFT(flow_desc) *d)
{
    (void)m, (void)d;
    return cli_fail(c, LFT_ERR_ARG, "--init: expected a model without draws");
}
