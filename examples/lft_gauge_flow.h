/* lft_gauge_flow.h: flows of gauge fields from the options (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

/* Of a configuration: epsilon takes a determinant of as many rows. */
static size_t LFT(dimension)(const LFT(flow) *flow)
{
    return (size_t)flow->lattice.volume * (size_t)(LFT_CLI_DIM * CLI_ALGEBRA);
}

/* What samples and trained flows have in common. */
static lft_status LFT(read_continuous)(cli *c, LFT(flow_desc) *d)
{
    memset(d, 0, sizeof *d);
    cli_extent(c, "extent", cli_required(c, "extent"), d->extent);
    d->continuous.integrator = (lft_group_integrator)cli_word(c, "integrator", cli_integrator, 0);
    d->continuous.steps      = (int)cli_count(c, "int-steps", 0, 1, 100000);
    d->continuous.beta       = cli_real(c, "beta", 0);
    d->continuous.cut_off    = cli_given(c, "cut-off");
    return c->error.code;
}

/* All classes of loops of an order on a lattice, 0 an error. */
static int LFT(loops_of)(cli *c, const int *extent, int order)
{
    const int loops = c->error.code ? 0 : LFT(continuous_loops_on)(extent, order);
    if (loops || c->error.code) return loops;
    return (void)cli_fail(c, LFT_ERR_ARG, "expected an order whose loops there is room for, got n%dlo", order - 1), 0;
}

/* With a heat bath a continuous flow goes from its coupling to that of the theory. */
static lft_status LFT(read_prior)(cli *c, int scales, LFT(flow_desc) *d)
{
    static const char *const of_bath[] = {"prior-beta", "prior-updates"};
    const int                word = cli_prior(c);
    int                      i;
    for (i = 0; i < 2 && word != CLI_PRIOR_HEATBATH && !cli_init_file(c); ++i) {
        if (!cli_given(c, of_bath[i])) continue;
        return cli_fail(c, LFT_ERR_ARG, "--%s: expected --prior heatbath beside it, got %s", of_bath[i],
                        word == CLI_PRIOR_EXACT ? "exact" : "haar");
    }
    if (word == CLI_PRIOR_EXACT && (!scales || LFT_CLI_DIM != 2)) {
        return cli_fail(c, LFT_ERR_ARG, "--prior exact: expected --flow multiscale in two dimensions, got %s in %d",
                        scales ? "it" : "continuous", LFT_CLI_DIM);
    }
    if (word != CLI_PRIOR_HEATBATH) return c->error.code;
    d->prior.kind    = LFT_PRIOR_HEATBATH;
    d->prior.beta    = cli_positive(c, "prior-beta", 0);
    d->prior.updates = (int)cli_count(c, "prior-updates", 0, 1, 65535);
    if (!scales) d->continuous.from = d->prior.beta;
    if (scales || cli_given(c, "prior-beta")) return c->error.code;
    return cli_fail(c, LFT_ERR_ARG, "--prior heatbath: expected --prior-beta, from which the flow goes to --beta, got none");
}

/* By its numbers in model files, where the defaults are filled in. */
static void LFT(show_loops)(cli *c, const LFT(flow) *flow)
{
    const LFT(layer) *layer = flow->layer;
    int64_t           number[32];
    int               n;
    if (layer->ops != LFT(continuous)() || flow->layers > 1) return;
    n = layer->ops->spec(layer, number);
    c->result->loops      = (uint64_t)number[0];
    c->result->nodes      = (uint64_t)number[1];
    c->result->integrator = cli_integrator[number[2] - 1];
    if (n > 7) c->result->units = (uint64_t)number[4], c->result->reach = (uint64_t)number[5];
}

static int LFT(exact_layers)(const LFT(flow) *flow)
{
    int i = 0;
    while (i < flow->layers) {
        const LFT(layer) *layer = flow->layer + i;
        const int         exact = layer->ops == LFT(doubling)() &&
                          ((const LFT(doubling_desc) *)layer->desc)->conditional == LFT_CONDITIONAL_EXACT;
        if (!exact && layer->ops != LFT(torus)()) break;
        ++i;
    }
    return i;
}

/* From a coarse lattice to that of the options, each flow as in *flow. */
static lft_status LFT(read_multiscale)(cli *c, const LFT(continuous_desc) *flow, LFT(multiscale_desc) *of)
{
    static const char *const conditional[] = {"loops", "circle", NULL};
    memset(of, 0, sizeof *of);
    cli_extent(c, "from", cli_text(c, "from"), of->from);
    cli_extent(c, "extent", cli_text(c, "extent"), of->extent);
    of->flow = *flow;
    if (of->flow.order < 0) of->flow.order = LFT_CLI_DIM == 2 ? 4 : 2;
    of->refine      = cli_given(c, "refine");
    of->fixed_gauge = cli_given(c, "fixed-gauge");
    if (cli_word(c, "conditional", conditional, 1) == 2) of->harmonics = (int)cli_count(c, "harmonics", 12, 1, 64);
    else if (cli_given(c, "harmonics")) (void)cli_fail(c, LFT_ERR_ARG, "--harmonics: expected --conditional circle with it");
    return c->error.code;
}

/* Small lattices have no room for long loops. */
static void LFT(note_room)(cli *c, const LFT(flow_desc) *d, const LFT(continuous_desc) *asked)
{
    int i, fewer = 0;
    for (i = 0; i < d->layers && (cli_given(c, "loops") || cli_init_word(c) > 0); ++i) {
        const LFT(continuous_desc) *of = (const LFT(continuous_desc) *)d->layer[i].desc;
        if (d->layer[i].ops != LFT(continuous)()) continue;
        fewer += of->loops < asked->loops || (of->doubled && of->order < asked->order);
    }
    if (fewer) cli_note(c, "lattices too small for all the loops asked for: %d flows have those that there is room for", fewer);
}

/* Layers of *d from number `first` on, behind n others. */
static void LFT(join_layers)(cli *c, const LFT(layer_desc) *other, int n, int first, LFT(flow_desc) *d)
{
    LFT(layer_desc) *list = (LFT(layer_desc) *)cli_alloc(c, (size_t)(n + d->layers) * sizeof *list);
    if (!list) return;
    memcpy(list, other, (size_t)n * sizeof *list);
    memcpy(list + n, d->layer + first, (size_t)(d->layers - first) * sizeof *list);
    d->layer = list;
    d->layers += n - first;
}

/* The exact flow of the fine lattice up to the extents where the doublings of *d begin, in place of the flow there. */
static lft_status LFT(exact_prior)(cli *c, const LFT(multiscale_desc) *of, LFT(flow_desc) *d)
{
    LFT(flow_desc) exact;
    lft_arena      arena = cli_arena(c, LFT(exact_bytes)());
    int            at[LFT_CLI_DIM], n, mu;
    if (c->error.code || cli_check(c, LFT(exact_desc)(&exact, of->extent, of->flow.beta, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) at[mu] = 1;
    for (n = 1; n < exact.layers && memcmp(at, d->extent, sizeof at); ++n) {
        const LFT(doubling_desc) *of_axis = (const LFT(doubling_desc) *)exact.layer[n].desc;
        at[of_axis->axis] = of_axis->extent;
    }
    if (memcmp(at, d->extent, sizeof at)) {
        return cli_fail(c, LFT_ERR_ARG, "--from: expected extents that exact doublings from 1x1 pass on their way, got %.20s",
                        cli_text(c, "from") ? cli_text(c, "from") : "none");
    }
    LFT(join_layers)(c, exact.layer, n, d->layer->ops != LFT(doubling)(), d);
    memcpy(d->extent, exact.extent, sizeof d->extent);
    return c->error.code;
}

static lft_status LFT(read_scales)(cli *c, LFT(flow_desc) *d)
{
    LFT(multiscale_desc) of;
    lft_arena            arena = cli_arena(c, LFT(multiscale_bytes)());
    if (LFT(read_multiscale)(c, &d->continuous, &of)) return c->error.code;
    of.prior = d->prior;
    if (cli_check(c, LFT(multiscale)(d, &of, &arena, &c->error), &c->error)) return c->error.code;
    LFT(note_room)(c, d, &of.flow);
    d->continuous = of.flow;
    return cli_prior(c) == CLI_PRIOR_EXACT ? LFT(exact_prior)(c, &of, d) : LFT_OK;
}

/* Wilson's action with the mean coupling of that lattice. */
static void LFT(coarse_theory)(cli *c, const LFT(flow) *flow, int layers, const LFT(theory) *theory, LFT(theory) *coarse)
{
    const int blocks = c->blocks;
    *coarse = *theory;
    coarse->coupling[0] = LFT(multiscale_beta)(flow, layers, theory->coupling[0], cli_arena(c, LFT(multiscale_bytes)()));
    while (c->blocks > blocks) free(c->block[--c->blocks]);
}

/* Are samples of one gauge where links are doubled? */
static int LFT(is_fixed)(const LFT(flow) *flow)
{
    int i, fixed = 0;
    for (i = 0; i < flow->layers; ++i) {
        const LFT(layer) *layer = flow->layer + i;
        if (layer->ops == LFT(doubling)()) fixed |= ((const LFT(doubling_desc) *)layer->desc)->fixed_gauge;
    }
    return fixed;
}

/* Samples of such a flow in any gauge, configuration number i and the following. */
static lft_arena LFT(gauge_arena)(cli *c, const LFT(flow) *flow)
{
    return cli_arena(c, LFT(is_fixed)(flow) ? LFT(gauge_transform_bytes)(&flow->lattice) : 0);
}

static lft_status LFT(any_gauge)(const LFT(flow) *flow, uint64_t seed, uint64_t i, LFT(batch) *x, lft_arena scratch, lft_error *e)
{
    if (!LFT(is_fixed)(flow)) return LFT_OK;
    return LFT(gauge_transform)(x, lft_draw_of(seed, LFT_DRAW_USER, i, 0), scratch, e);
}

/* The flow of a model on a coarse lattice, and behind it scales of the options up to their lattice. */
static lft_status LFT(scales_behind)(cli *c, const LFT(model) *m, const LFT(flow_desc) *asked, LFT(flow_desc) *d)
{
    static const char *const of_model[] = {"from", "prior", "prior-beta", "prior-updates"};
    LFT(multiscale_desc) of;
    LFT(layer_desc)     *list;
    lft_arena            arena = cli_arena(c, LFT(multiscale_bytes)());
    int                  first, i;
    for (i = 0; i < 4; ++i) {
        if (cli_given(c, of_model[i])) return cli_fail(c, LFT_ERR_ARG, "--%s: expected --freeze without it", of_model[i]);
    }
    if (LFT(read_multiscale)(c, &asked->continuous, &of)) return c->error.code;
    memcpy(of.from, m->flow.lattice.extent, sizeof of.from);
    if (cli_check(c, LFT(multiscale)(d, &of, &arena, &c->error), &c->error)) return c->error.code;
    LFT(note_room)(c, d, &of.flow);
    first = d->layer->ops != LFT(doubling)(); /* the flow on the coarse lattice is the model's */
    if (first == d->layers) return cli_fail(c, LFT_ERR_ARG, "--extent: expected a finer lattice than that of --init, got the same");
    list = (LFT(layer_desc) *)cli_alloc(c, (size_t)m->flow.layers * sizeof *list);
    for (i = 0; i < m->flow.layers && list; ++i) list[i].ops = m->flow.layer[i].ops, list[i].desc = m->flow.layer[i].desc;
    if (list) LFT(join_layers)(c, list, m->flow.layers, first, d);
    memcpy(d->extent, m->desc.extent, sizeof d->extent);
    d->prior = m->desc.prior;
    return c->error.code;
}

/* The flow of a model, its loops and a net of the options. */
static lft_status LFT(model_with_net)(cli *c, const LFT(model) *m, const LFT(flow_desc) *asked, LFT(flow_desc) *d)
{
    const LFT(layer)           *layer = m->flow.layer;
    const LFT(continuous_desc) *loops = (const LFT(continuous_desc) *)layer->desc;
    if (m->flow.layers != 1 || layer->ops != LFT(continuous)() || loops->units) {
        const int has = layer->ops == LFT(continuous)() && loops->units;
        return cli_fail(c, LFT_ERR_ARG, "--units: expected a model of one flow of loops without a net, got %d, the first %s%s",
                        m->flow.layers, layer->ops->kind, has ? " with a net" : "");
    }
    d->layer = NULL, d->layers = 0;
    d->continuous       = *loops;
    d->continuous.steps = layer->steps;
    d->continuous.units = asked->continuous.units, d->continuous.reach = asked->continuous.reach;
    return c->error.code;
}

/* From a coarser lattice than a model's, with flows like its last one: the start of scales that the model does not have. */
static lft_status LFT(scales_of)(cli *c, const LFT(model) *m, LFT(flow_desc) *d)
{
    const LFT(flow)     *flow = &m->flow;
    const LFT(layer)    *last = flow->layer + flow->layers - 1;
    const double         beta = m->theory.coupling[0], to = cli_real(c, "beta", 0);
    LFT(multiscale_desc) of;
    lft_arena            arena = cli_arena(c, LFT(multiscale_bytes)());
    int                  same;
    memset(&of, 0, sizeof of);
    if (last->ops->draw) return cli_fail(c, LFT_ERR_ARG, "--init: expected a model that ends with a flow, got %s", last->ops->kind);
    cli_extent(c, "extent", cli_text(c, "extent"), of.extent);
    cli_extent(c, "from", cli_text(c, "from"), of.from);
    same = !cli_given(c, "from") && !memcmp(of.extent, flow->lattice.extent, sizeof of.extent);
    if (c->error.code) return c->error.code;
    if (LFT(exact_layers)(flow) && (!same || to < beta || to > beta)) {
        return cli_fail(c, LFT_ERR_ARG, "--init: expected the extents and beta = %.10g of its exact prior, or --freeze with "
                        "scales behind it, got others", beta);
    }
    if (same) {
        *d = m->desc;
        if (d->prior.kind == LFT_PRIOR_HEATBATH) d->prior.beta = LFT(multiscale_beta)(flow, 0, to, arena);
        return LFT_OK;
    }
    of.prior      = m->desc.prior;
    of.prior.beta = 0;
    if (last->ops == LFT(circle)()) {
        of.harmonics  = ((const LFT(circle_desc) *)last->desc)->harmonics;
        of.flow.order = 1;
    } else {
        of.refine = !((const LFT(continuous_desc) *)last->desc)->doubled;
        of.flow   = *(const LFT(continuous_desc) *)flow->layer[flow->layers - 1 - of.refine].desc;
    }
    if (of.flow.doubled && LFT_CLI_DIM == 2) {
        while (of.flow.order < 8 && LFT(continuous_loops)(of.flow.doubled, of.flow.order + 1) > 0 &&
               LFT(continuous_loops)(of.flow.doubled, of.flow.order + 1) <= of.flow.loops) ++of.flow.order;
    } else of.flow.order = 1;
    of.flow.doubled = 0;
    of.flow.beta    = to;
    of.fixed_gauge  = LFT(is_fixed)(flow);
    return cli_check(c, LFT(multiscale)(d, &of, &arena, &c->error), &c->error);
}

/* A desc from the options; zero is the library's default. */
static lft_status LFT(read_flow_desc)(cli *c, LFT(flow_desc) *d)
{
    static const char *const flow[] = {"continuous", "multiscale", NULL};
    static const char *const of_scales[] = {"from", "refine", "conditional", "harmonics", "fixed-gauge", "scale-steps", "freeze"};
    LFT(continuous_desc)    *of     = &d->continuous;
    const int                scales = cli_word(c, "flow", flow, 1) == 2;
    int                      i;
    (void)LFT(read_continuous)(c, d);
    if (cli_given(c, "loops") && !strpbrk(cli_text(c, "loops"), "0123456789")) {
        return cli_fail(c, LFT_ERR_ARG, "--loops: expected how many classes, those that info lists, got '%.40s'",
                        cli_text(c, "loops"));
    }
    of->loops      = (int)cli_count(c, "loops", 0, 1, 1000);
    of->nodes      = (int)cli_count(c, "nodes", 0, 1, 100);
    of->units      = (int)cli_count(c, "units", 0, 0, 256);
    of->reach      = (int)cli_count(c, "reach", 0, 1, 4);
    of->most_steps = (int)cli_count(c, "most-int-steps", 0, 1, 100000);
    of->order      = cli_init_word(c);
    if (LFT(read_prior)(c, scales, d)) return c->error.code;
    if (scales && cli_given(c, "freeze")) { /* the scales behind a model are read with it */
        return cli_init_file(c) ? c->error.code : cli_fail(c, LFT_ERR_ARG, "--freeze: expected --init FILE beside it, got none");
    }
    if (scales) return LFT(read_scales)(c, d);
    if (of->order > 2 && !of->loops) of->loops = LFT(loops_of)(c, d->extent, of->order);
    if (c->error.code) return c->error.code;
    if (of->order < 0) of->order = of->nodes == 1 || (of->loops && of->loops < LFT(loops_of)(c, d->extent, 2)) ? 1 : 2;
    for (i = 0; i < 7; ++i) {
        if (!cli_given(c, of_scales[i])) continue;
        return cli_fail(c, LFT_ERR_ARG, "--%s is one of the options of --flow multiscale: expected it, got %s", of_scales[i],
                        flow[0]);
    }
    return c->error.code;
}

static lft_status LFT(model_theory)(cli *c, const LFT(model_info) *info, LFT(theory) *theory)
{
    lft_error e;
    memset(&e, 0, sizeof e);
    if (strcmp(info->theory, "wilson") || info->couplings != 2) {
        return cli_fail(c, LFT_ERR_MISMATCH, "model: theory: expected wilson with 2 couplings, got '%.20s' with %d", info->theory,
                        info->couplings);
    }
    return cli_check(c, LFT(wilson_init)(theory, info->coupling[0], info->coupling[1], &e), &e);
}

static lft_status LFT(read_box)(cli *c, LFT(theory) *theory, lft_family *f)
{
    (void)f;
    return LFT(read_theory)(c, theory);
}

static int LFT(fit_progress)(void *user, int done, int of)
{
    cli_progress((cli *)user, (uint64_t)done, (uint64_t)of, "fit: round %d/%d", done, of);
    return cli_signal;
}

/* The least squares of --fit, from where the flow is. */
static lft_status LFT(fit)(cli *c, LFT(flow) *flow, const LFT(theory) *theory, const lft_train_desc *d)
{
    const int      blocks = c->blocks;
    const double   begin  = cli_seconds();
    lft_fit_desc   fit;
    lft_fit_report r;
    lft_status     status;
    size_t         bytes;
    memset(&fit, 0, sizeof fit);
    fit.n = (int)cli_count(c, "fit", 0, 2, 1 << 24);
    if (!cli_given(c, "fit") || c->error.code) return c->error.code;
    fit.ridge = d->ridge, fit.seed = d->seed, fit.report = LFT(fit_progress), fit.user = c;
    bytes     = LFT(loop_fit_bytes)(flow, &fit);
    status    = LFT(loop_fit)(flow, theory, &fit, &r, cli_arena(c, bytes));
    cli_progress_end(c);
    while (c->blocks > blocks) free(c->block[--c->blocks]);
    if (status == LFT_STOPPED) return cli_fail(c, status, "stopped in the fit; nothing was written");
    if (cli_check(c, status, &flow->error)) return status;
    cli_note(c, "fit: %d configurations, %.3g s; variance of log w, from the equation: %.4g, then %.4g", r.n, cli_seconds() - begin,
             r.before, r.after);
    return LFT_OK;
}

/* The layers of a model, the last ones of the flow, as the start for another coupling. */
static void LFT(rescale)(LFT(flow) *flow, const LFT(model) *m, const LFT(theory) *to)
{
    const int    between = m->desc.prior.kind == LFT_PRIOR_HEATBATH && !LFT(draws)(&m->flow); /* the velocity is in proportion */
    const double from = between ? m->desc.prior.beta : 0, way = m->theory.coupling[0] - from;
    const double ratio = way < 0 || way > 0 ? (to->coupling[0] - from) / way : 1;
    size_t       k;
    int          i;
    for (k = 0; between && k < flow->params.count; ++k) flow->params.value[k] *= ratio;
    for (i = flow->layers - m->flow.layers; i < flow->layers && !between; ++i) {
        const LFT(layer) *layer = flow->layer + i;
        if (layer->ops == LFT(continuous)()) LFT(continuous_scale)(layer, flow->params.value, ratio);
        if (layer->ops == LFT(circle)()) LFT(circle_scale)(layer, flow->params.value, ratio);
    }
    LFT(flow_prepare)(flow);
}

static int LFT(family_point)(cli *c, LFT(flow) *flow, LFT(theory) *theory, int i)
{
    (void)c, (void)flow, (void)theory;
    return i == 0;
}

/* hmc --model: a model is of its own couplings, and HMC runs in other variables than those of files. */
static lft_status LFT(choose_couplings)(cli *c, LFT(model) *m)
{
    static const char *const key[] = {"beta", "c1", "from"};
    int                      i;
    (void)m;
    for (i = 0; i < 3; ++i) {
        if (cli_given(c, key[i])) (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected --model without it", key[i]);
    }
    return c->error.code;
}

/* The flow of two dimensions whose density is that of the theory. */
static lft_status LFT(exact_model)(cli *c, lft_pool pool, LFT(model) *m)
{
    static const char *const none[] = {"integrator", "int-steps", "measure-logq", "cut-off"};
    lft_arena                arena  = cli_arena(c, LFT(exact_bytes)());
    int                      extent[LFT_CLI_DIM], i;
    for (i = 0; i < 4; ++i) {
        if (cli_given(c, none[i])) return cli_fail(c, LFT_ERR_ARG, "--%s: expected a flow that integrates, got exact", none[i]);
    }
    cli_extent(c, "extent", cli_required(c, "extent"), extent);
    if (c->error.code || LFT(read_theory)(c, &m->theory)) return c->error.code;
    if (cli_check(c, LFT(exact_desc)(&m->desc, extent, m->theory.coupling[0], &arena, &c->error), &c->error)) return c->error.code;
    m->desc.pool = pool;
    return LFT(make_flow)(c, &m->flow, &m->desc);
}

/* What sample samples from: a model, the trivializing map as it is known without training, or the exact flow. */
static lft_status LFT(sample_model)(cli *c, lft_pool pool, LFT(model) *m)
{
    static const char *const flow[] = {"lo", "nlo", "n2lo", "n3lo", "exact", NULL};
    const int                order  = cli_word(c, "flow", flow, 0);
    if (cli_given(c, "model")) {
        if (cli_no_options(c, CLI_UNTRAINED, "model", "--model")) return c->error.code;
        return LFT(load_model)(c, cli_text(c, "model"), pool, m);
    }
    if (!order) return cli_fail(c, LFT_ERR_ARG, "expected --model FILE, or --flow lo, nlo, n2lo, n3lo or exact, got none");
    if (order == 5) return LFT(exact_model)(c, pool, m);
    if (LFT(read_theory)(c, &m->theory) || LFT(read_continuous)(c, &m->desc)) return c->error.code;
    m->desc.pool             = pool;
    m->desc.continuous.order = order;
    m->desc.continuous.nodes = m->desc.continuous.cut_off ? 8 : order;
    m->desc.continuous.loops = LFT(loops_of)(c, m->desc.extent, order);
    if (c->error.code) return c->error.code;
    if (LFT(make_flow)(c, &m->flow, &m->desc)) return c->error.code;
    LFT(model_info_of)(&m->info, &m->theory);
    return LFT(document_of)(c, &m->flow, &m->info, &m->doc);
}
