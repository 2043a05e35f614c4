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

/* The scales of the options up to the extents of *d, from those `from` unless it is NULL. */
static lft_status LFT(lay_out_scales)(cli *c, const int *from, LFT(flow_desc) *d)
{
    LFT(multiscale_desc) of;
    lft_arena            arena = cli_arena(c, LFT(multiscale_bytes)());
    memset(&of, 0, sizeof of);
    if (from) memcpy(of.from, from, sizeof of.from);
    else cli_extent(c, "from", cli_text(c, "from"), of.from);
    of.refine = cli_given(c, "refine");
    of.sines  = cli_none(c, "doubling-sines", 100);
    of.mass2  = d->prior.mass2;
    of.flow   = d->continuous;
    memcpy(of.extent, d->extent, sizeof of.extent);
    if (c->error.code) return c->error.code;
    return cli_check(c, LFT(multiscale)(d, &of, &arena, &c->error), &c->error);
}

/* From a coarse lattice to that of the options, with the prior and the continuous flow that *d has. */
static lft_status LFT(read_scales)(cli *c, LFT(flow_desc) *d)
{
    const lft_prior_kind       prior = d->prior.kind;
    const LFT(continuous_desc) flow  = d->continuous;
    if (LFT(lay_out_scales)(c, NULL, d)) return c->error.code;
    d->prior.kind = prior;
    d->continuous = flow;
    return LFT_OK;
}

/* A desc from the options; zero is the library's default. */
static lft_status LFT(read_flow_desc)(cli *c, LFT(flow_desc) *d)
{
    static const char *const prior[] = {"free", "normal", NULL};
    const int                kind    = cli_flow(c);
    memset(d, 0, sizeof *d);
    if (c->error.code || cli_flow_options(c, kind)) return c->error.code;
    cli_extent(c, "extent", cli_required(c, "extent"), d->extent);
    d->prior.kind  = (lft_prior_kind)cli_word(c, "prior", prior, LFT_PRIOR_FREE);
    d->prior.mass2 = cli_positive(c, "prior-mass2", 0);
    if (cli_given(c, "prior-mass2") && d->prior.kind == LFT_PRIOR_NORMAL) {
        return cli_fail(c, LFT_ERR_ARG, "--prior-mass2: expected --prior free beside it, got the prior normal");
    }
    if (kind == CLI_FLOW_COUPLING) LFT(read_couplings)(c, d);
    else LFT(read_continuous)(c, &d->continuous);
    if (kind == CLI_FLOW_MULTISCALE && cli_given(c, "freeze")) { /* the scales behind a model are read with it */
        return cli_init_file(c) ? c->error.code : cli_fail(c, LFT_ERR_ARG, "--freeze: expected --init FILE beside it, got none");
    }
    if (kind == CLI_FLOW_MULTISCALE) return LFT(read_scales)(c, d);
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

static void LFT(show_loops)(cli *c, const LFT(flow) *flow) { (void)c, (void)flow; }

static int LFT(exact_layers)(const LFT(flow) *flow)
{
    (void)flow;
    return 0;
}

/* Of a configuration: epsilon takes a determinant of as many rows. */
static size_t LFT(dimension)(const LFT(flow) *flow) { return (size_t)flow->lattice.volume; }

/* The prior and the flow of a model on a coarse lattice, and behind it scales of the options up to their lattice. */
static lft_status LFT(scales_behind)(cli *c, const LFT(model) *m, const LFT(flow_desc) *asked, LFT(flow_desc) *d)
{
    const int        n = m->flow.layers, same = !memcmp(asked->extent, m->flow.lattice.extent, sizeof asked->extent);
    LFT(flow_desc)   finer = *asked;
    LFT(layer_desc) *list;
    int              i;
    if (cli_given(c, "from")) return cli_fail(c, LFT_ERR_ARG, "--from: expected --freeze without it");
    if (cli_given(c, "prior")) return cli_fail(c, LFT_ERR_ARG, "--prior: expected --freeze without it");
    if (same) return cli_fail(c, LFT_ERR_ARG, "--extent: expected a finer lattice than that of --init, got the same");
    if (m->flow.family.degree || asked->family.degree) {
        return cli_fail(c, LFT_ERR_ARG, "--freeze: expected a model of one set of couplings, and no family behind it");
    }
    if (LFT(lay_out_scales)(c, m->flow.lattice.extent, &finer)) return c->error.code;
    list = (LFT(layer_desc) *)cli_alloc(c, (size_t)(n + finer.layers) * sizeof *list);
    for (i = 0; i < n && list; ++i) list[i].ops = m->flow.layer[i].ops, list[i].desc = m->flow.layer[i].desc;
    for (i = 1; i < finer.layers && list; ++i) list[n + i - 1] = finer.layer[i]; /* the first one is the model's */
    *d = m->desc;
    d->layers = n + finer.layers - 1;
    d->layer  = list;
    return c->error.code;
}

/* Nets of plaquettes are for links. */
static lft_status LFT(model_with_net)(cli *c, const LFT(model) *m, const LFT(flow_desc) *asked, LFT(flow_desc) *d)
{
    (void)m, (void)asked, (void)d;
    return c->error.code;
}

/* The same couplings: what a coarse field has of the fine one's action is not known. */
static void LFT(coarse_theory)(cli *c, const LFT(flow) *flow, int layers, const LFT(theory) *theory, LFT(theory) *coarse)
{
    (void)c, (void)flow, (void)layers;
    *coarse = *theory;
}

/* Fields have no gauge. */
static lft_arena LFT(gauge_arena)(cli *c, const LFT(flow) *flow)
{
    (void)flow;
    return cli_arena(c, 0);
}

static lft_status LFT(any_gauge)(const LFT(flow) *flow, uint64_t seed, uint64_t i, LFT(batch) *x, lft_arena scratch, lft_error *e)
{
    (void)flow, (void)seed, (void)i, (void)x, (void)scratch, (void)e;
    return LFT_OK;
}

/* Their flows are not linear in their parameters. */
static lft_status LFT(fit)(cli *c, LFT(flow) *flow, const LFT(theory) *theory, const lft_train_desc *d)
{
    (void)flow, (void)theory, (void)d;
    return c->error.code;
}

/* Parameters do not scale with the couplings. */
static void LFT(rescale)(LFT(flow) *flow, const LFT(model) *m, const LFT(theory) *to)
{
    (void)flow, (void)m, (void)to;
}

/* The same doublings on the way to the extents of the options, from a lattice as much larger as those are. */
static lft_status LFT(scales_of)(cli *c, const LFT(model) *m, LFT(flow_desc) *d)
{
    int mu, fine;
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) {
        fine = m->flow.lattice.extent[mu] / m->desc.extent[mu];
        if (d->extent[mu] > 0 && d->extent[mu] % fine) {
            return cli_fail(c, LFT_ERR_ARG, "--extent: expected a multiple of %d, as axis %d is doubled in --init, got %d", fine,
                            mu, d->extent[mu]);
        }
        d->extent[mu] /= fine;
    }
    return c->error.code;
}
