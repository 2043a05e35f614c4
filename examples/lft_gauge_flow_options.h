/* lft_gauge_flow_options.h: options of flows of gauge fields, and what such flows have to say. SPDX-License-Identifier: MIT-0 */

static const char *const cli_integrator[] = {"rk3", "cg2", "cg3", "cf4", NULL};

/* Place of --init among its words, which is the order in beta of the coefficients at the start; -1: it is not given, or another
 * word, which is a file. */
static int cli_init_word(const cli *c)
{
    static const char *const word[] = {"none", "lo", "nlo", "n2lo", "n3lo", "n4lo", "n5lo", "n6lo", "n7lo", NULL};
    const char              *text   = cli_text(c, "init");
    int                      i;
    for (i = 0; text && word[i]; ++i) {
        if (!strcmp(text, word[i])) return i;
    }
    return -1;
}

/* The model to start from; NULL: the start is that of the flow. */
static const char *cli_init_file(const cli *c) { return cli_init_word(c) < 0 ? cli_text(c, "init") : NULL; }

enum { CLI_PRIOR_HAAR = 1, CLI_PRIOR_HEATBATH, CLI_PRIOR_EXACT };

static int cli_prior(cli *c)
{
    static const char *const prior[] = {"haar", "heatbath", "exact", NULL};
    return cli_word(c, "prior", prior, CLI_PRIOR_HAAR);
}

static int cli_is_newton(cli *c)
{
    static const char *const optimizer[] = {"newton", "adam", NULL};
    return cli_word(c, "optimizer", optimizer, 1) == 1;
}

/* A training of few steps has its guard in the measurement at its end. */
static void cli_train_options(cli *c, lft_train_desc *d)
{
    const int newton = cli_is_newton(c);
    d->optimizer     = newton ? LFT_GAUSS_NEWTON : LFT_ADAM;
    d->batch         = (int)cli_count(c, "batch", newton ? 1024 : 256, 1, 1 << 24);
    d->rate          = cli_positive(c, "rate", 0);
    d->ridge         = cli_positive(c, "ridge", 0);
    if (newton) d->guard_every = -1;
    if (newton) (void)cli_other_options(c, CLI_ADAM, "optimizer", "adam", "newton");
    else (void)cli_other_options(c, CLI_NEWTON, "optimizer", "newton", "adam");
}

/* Samples of epsilon, if nothing else is said: each costs the third power of the dimension. */
static int cli_logq_samples(size_t dimension)
{
    const double n = 32 * pow(512.0 / (double)dimension, 3);
    return n > 32 ? 32 : n < 2 ? 2 : (int)n;
}

/* ---- report ---- */

/* The tensors of a net, behind those of the loops: a unit a line. */
static void info_print_net(const double *value, const lft_parameter *p, int reach)
{
    int h, k, i;
    printf("    net of plaquettes, %d units, reach %d; of each K by distance, b, and a as the coefficients:\n", p->shape[0], reach);
    for (h = 0; h < p->shape[0]; ++h) {
        printf("    %2d", h + 1);
        for (i = 2; i >= 0; --i) {
            const int n = i == 1 ? 1 : p[i].shape[1];
            for (k = 0; k < n; ++k) printf(" %10.4g", value[p[i].offset + (size_t)(h * n + k)]);
            if (i) printf("  |");
        }
        printf("\n");
    }
}

static void info_print_layer(const f64_flow *flow, int i)
{
    const f64_layer           *layer = flow->layer + i;
    const f64_continuous_desc *d     = (const f64_continuous_desc *)layer->desc; /* the file has every value */
    const f64_circle_desc     *d_circle = (const f64_circle_desc *)layer->desc;
    const lft_parameter       *p     = flow->params.list;
    int                        k, a;
    printf("  layer %-4d on ", i);
    for (k = 0; k < LFT_CLI_DIM; ++k) printf("%s%d", k ? "x" : "", layer->out.extent[k]);
    if (layer->ops->draw) {
        const int fixed = layer->ops == f64_doubling() && ((const f64_doubling_desc *)layer->desc)->fixed_gauge;
        printf(": %s, drawn%s\n", layer->ops->kind, fixed ? ", V = 1" : "");
        return;
    }
    while (p->offset != layer->params) ++p; /* the plaquette's coefficients; behind them those of the other classes */
    if (layer->ops == f64_circle()) {
        printf(": circle maps of the new links of axis %d; harmonics of log f:\n   ", d_circle->doubled - 1);
        for (k = 0; k < p->shape[0]; ++k) printf(" %.6g", flow->params.value[p->offset + (size_t)k]);
        printf("\n");
        return;
    }
    printf(": %s", layer->ops->kind);
    if (d->doubled) printf(" through the new links of axis %d", d->doubled - 1);
    for (k = a = 0; k < LFT_CLI_DIM; ++k) a += layer->period[k] > 0;
    printf(", %d classes%s, %d nodes, %d integration steps of %s; coefficients of Legendre polynomials in time:\n", d->loops,
           a ? " of loops that close around it" : "", d->nodes, layer->steps, cli_integrator[d->integrator - 1]);
    for (k = 0; k < d->loops; ++k) {
        const double *c = flow->params.value + (k ? p[1].offset + (size_t)((k - 1) * d->nodes) : p->offset);
        char          text[80];
        printf("    %2d %-36s", k + 1, f64_continuous_loop(layer, k, text, sizeof text) ? "?" : text);
        for (a = 0; a < (k ? d->nodes : p->shape[0]); ++a) printf(" %13.6g", c[a]);
        printf("\n");
    }
    if (d->units) info_print_net(flow->params.value, p + 2, d->reach);
}

static void info_desc(cli_result *r, const f64_flow_desc *desc)
{
    r->prior = desc->prior.kind == LFT_PRIOR_HEATBATH ? "heatbath" : "haar";
}

/* There are no families of gauge flows. */
static void cli_note_point(cli *c, const lft_family *f, const double *coupling, const lft_weights *w, const lft_logq_error *e)
{
    (void)c, (void)f, (void)coupling, (void)w, (void)e;
}

static void cli_print_family(const cli_result *r) { (void)r; }

static void cli_print_changes(const cli_result *r)
{
    char text[2][64];
    int  i;
    cli_print_lattice(r);
    printf("  %llu configurations of %llu chains at beta = %.10g; ESS %.4f with the map to beta = %.10g, %.4f by reweighting\n",
           (unsigned long long)r->n, (unsigned long long)r->chains, r->from_beta, r->ess, r->coupling[0], r->ess_reweighted);
    printf("  log Z changes by %s\n", cli_value(r->logz, r->logz_error, text[0]));
    printf("  %-14s %-24s %-24s ratio of the errors\n", "changes of", "with the map", "by reweighting");
    for (i = 0; i < r->observables; ++i) {
        const lft_estimate *a = &r->observable[i].e, *b = &r->reweighted[i].e;
        char                ratio[32] = "-";
        if (b->error > 0 && lft_finite(a->error / b->error)) (void)snprintf(ratio, sizeof ratio, "%.3f", a->error / b->error);
        printf("  %-14s %-24s %-24s %s", r->observable[i].name, cli_value(a->value, a->error, text[0]),
               cli_value(b->value, b->error, text[1]), ratio);
        if (!a->reliable) printf("  not reliable: %s", lft_doubt_str(a->doubts));
        else if (!b->reliable) printf("  reweighting not reliable: %s", lft_doubt_str(b->doubts));
        printf("\n");
    }
    printf("  verdict    %s\n", r->verdict);
}
