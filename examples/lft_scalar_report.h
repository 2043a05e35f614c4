/* lft_scalar_report.h: what families of flows and curves in the couplings have to say. SPDX-License-Identifier: MIT-0 */

/* One point of a family; of another flow nothing, its results stand elsewhere. */
static void cli_note_point(cli *c, const lft_family *f, const double *coupling, const lft_weights *w, const lft_logq_error *e)
{
    cli_result *r = c->result;
    cli_point  *p = r->point + r->points;
    if (!f->degree || r->points == (int)(sizeof r->point / sizeof *r->point)) return;
    r->family     = *f;
    p->m2         = coupling[0];
    p->lambda     = coupling[1];
    p->logq_error = e->n ? e->std : CLI_NAN;
    p->w          = *w;
    r->points += 1;
}

static void json_family(const cli_result *r)
{
    int i;
    json_key("family");
    printf("{\"degree\":%d,\"m2\":[", r->family.degree);
    for (i = 0; i < 4; ++i) {
        json_number(i % 2 ? r->family.high[i / 2] : r->family.low[i / 2]);
        printf("%s", i == 0 || i == 2 ? "," : i == 1 ? "],\"lambda\":[" : "]");
    }
    printf(",\"points\":[");
    for (i = 0; i < r->points; ++i) {
        printf("%s{\"m2\":", i ? "," : "");
        json_number(r->point[i].m2);
        printf(",\"lambda\":");
        json_number(r->point[i].lambda);
        printf(",\"ess\":");
        json_number(r->point[i].w.ess);
        printf(",\"logq_error\":");
        json_number(r->point[i].logq_error);
        putchar('}');
    }
    printf("]}");
}

/* Below, the weights of a few samples decide, and errors come out too small. */
static int cli_curve_reliable(const cli_curve_point *p)
{
    return p->w.ess >= 0.1 && p->w.ess * (double)p->w.n >= 500;
}

static void json_curve(const cli_curve *curve)
{
    int i, k;
    json_key("curve");
    for (i = 0; i < curve->points; ++i) {
        const cli_curve_point *p = curve->point + i;
        printf("%s{\"m2\":", i ? "," : "[");
        json_number(p->m2);
        json_key("lambda"), json_number(p->lambda);
        json_key("ess"), json_number(p->w.ess);
        json_key("logz"), json_number(p->w.logz);
        json_key("logz_error"), json_number(p->w.logz_error);
        json_key("reliable");
        printf("%s", cli_curve_reliable(p) ? "true" : "false");
        json_key("observables");
        for (k = 0; k < LFT_OBSERVABLES; ++k) {
            printf("%c", k ? ',' : '{');
            json_text(curve->name[k]);
            printf(":{\"value\":");
            json_number(p->value[k]);
            printf(",\"error\":");
            json_number(p->error[k]);
            putchar('}');
        }
        printf("}}");
    }
    putchar(']');
}

static void json_more(const cli_result *r)
{
    if (r->curve.points) json_curve(&r->curve);
    if (r->family.degree) json_family(r);
}

/* ---- for people ---- */

static void cli_print_curve(const cli_result *r, int family)
{
    static const int shown[] = {LFT_CHI2, LFT_MASS_L, LFT_BINDER, LFT_ABS_M, LFT_PHI2, LFT_IDENTITY};
    const int        n       = (int)(sizeof shown / sizeof *shown);
    char             text[64];
    int              i, k;
    cli_print_lattice(r);
    printf("  %llu independent samples %s; errors by jackknife\n", (unsigned long long)r->n,
           family ? "of the family at each point" : "of one flow, reweighted to each point");
    printf("%9s %9s %7s", "m2", "lambda", "ESS");
    for (k = 0; k < n; ++k) printf("  %-14s", r->curve.name[shown[k]]);
    for (i = 0; i < r->curve.points; ++i) {
        const cli_curve_point *p = r->curve.point + i;
        printf("\n%9.5g %9.5g %7.4f", p->m2, p->lambda, p->w.ess);
        for (k = 0; k < n; ++k) printf("  %-14s", cli_value(p->value[shown[k]], p->error[shown[k]], text));
        if (!cli_curve_reliable(p)) printf("  not reliable");
    }
    printf("\n");
}

static void cli_print_family(const cli_result *r)
{
    int i;
    if (!r->family.degree) return;
    printf("  family     m2 %.10g to %.10g, lambda %.10g to %.10g, degree %d\n", r->family.low[0], r->family.high[0],
           r->family.low[1], r->family.high[1], r->family.degree);
    for (i = 0; i < r->points; ++i) {
        printf("    at m2 = %-8.6g lambda = %-8.6g ESS %.4f, std of epsilon %.2g\n", r->point[i].m2, r->point[i].lambda,
               r->point[i].w.ess, r->point[i].logq_error);
    }
}

/* Do extents change on the way? */
static int cli_is_scaled(const f64_flow *flow)
{
    return flow->layer[0].in.volume != flow->lattice.volume;
}

static void info_print_layer(const f64_flow *flow, int i)
{
    const f64_layer *layer = flow->layer + i;
    int              k;
    printf("  layer %-4d ", i);
    for (k = 0; k < LFT_CLI_DIM && cli_is_scaled(flow); ++k) {
        printf("%s%d%s", k ? "x" : "on ", layer->out.extent[k], k + 1 < LFT_CLI_DIM ? "" : ": ");
    }
    printf("%s", layer->ops->kind);
    if (layer->ops == f64_doubling()) {
        const f64_doubling_desc *d = (const f64_doubling_desc *)layer->desc;
        printf(" of axis %d, drawn given the coarse field, %d sines", d->axis, d->sines > 0 ? d->sines : 0);
    }
    if (layer->steps) printf(", %d integration steps", layer->steps);
    if (layer->ops == f64_coupling()) { /* the file has every value */
        const f64_coupling_desc *d = (const f64_coupling_desc *)layer->desc;
        printf(", parity %d, hidden ", d->parity);
        for (k = 0; k < 8 && d->hidden[k]; ++k) printf("%s%d", k ? "," : "", d->hidden[k] > 0 ? d->hidden[k] : 0);
        printf(", kernel %d, bound %g%s", d->kernel, d->bound > 0 ? d->bound : 0, d->z2 ? ", z2" : "");
    }
    printf("\n");
}

static void info_desc(cli_result *r, const f64_flow_desc *d)
{
    r->family = d->family;
    r->prior  = d->prior.kind == LFT_PRIOR_NORMAL ? "normal" : "free";
}
