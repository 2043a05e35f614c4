/* lft_demo.h: the commands info and demo. SPDX-License-Identifier: MIT-0 */

/* ---- info ---- */

static void info_print_layer(const f64_flow *flow, int i)
{
    const f64_layer *layer = flow->layer + i;
    printf("  layer %-4d %s", i, layer->ops->kind);
    if (layer->steps) printf(", %d integration steps", layer->steps);
    if (layer->ops == f64_coupling()) { /* the file has every value */
        const f64_coupling_desc *d = (const f64_coupling_desc *)layer->desc;
        int                           k;
        printf(", parity %d, hidden ", d->parity);
        for (k = 0; k < 8 && d->hidden[k]; ++k) printf("%s%d", k ? "," : "", d->hidden[k] > 0 ? d->hidden[k] : 0);
        printf(", kernel %d, bound %g%s", d->kernel, d->bound > 0 ? d->bound : 0, d->z2 ? ", z2" : "");
    }
    printf("\n");
}

static void info_print(const cli *c, const f64_model *m, const char *path)
{
    const cli_result *r = c->result;
    const char       *checkpoint = lft_safetensors_meta(&m->doc, "real");
    int               i;
    printf("%s: written by lftflow %s\n", path, m->info.version);
    cli_print_lattice(r);
    printf("  flow       prior %s, %llu parameters\n", r->prior, (unsigned long long)r->parameters);
    cli_print_family(r);
    for (i = 0; i < m->flow.layers; ++i) {
        info_print_layer(&m->flow, i);
    }
    printf("  training   %llu steps of %llu samples, seed %s, loss %.4f", (unsigned long long)r->steps,
           (unsigned long long)r->batch, r->seed, r->loss);
    if (r->train_seconds > 0) printf(", %.1f s", r->train_seconds);
    printf("\n");
    if (r->ess_n) printf("  ESS        %.4f (N = %llu)\n", r->ess, (unsigned long long)r->ess_n);
    cli_print_logq(r);
    if (checkpoint) printf("  checkpoint train --resume %s goes on, in %s\n", path, checkpoint);
    for (i = 0; i < m->flow.params.tensors; ++i) {
        const lft_parameter *p = m->flow.params.list + i;
        int                  k;
        printf("  %-22s ", p->name);
        for (k = 0; k < p->rank; ++k) printf("%s%d", k ? "x" : "", p->shape[k]);
        printf("\n");
    }
}

static lft_status info_command(cli *c)
{
    const char    *path = cli_argument(c, 0) ? cli_argument(c, 0) : cli_text(c, "model");
    cli_result    *r    = c->result;
    f64_model m;
    memset(&m, 0, sizeof m);
    if (cli_given(c, "memory")) {
        if (!c->json) printf("bytes of the arena that each of these takes, on one thread:\n");
        (void)f32_info_memory(c);
        return f64_info_memory(c);
    }
    if (!path) return cli_fail(c, LFT_ERR_ARG, "expected a model, or --memory, got none");
    if (f64_load_model(c, path, lft_pool_openmp(1), &m)) return c->error.code;
    f64_show_lattice(c, &m.flow.lattice, &m.theory, m.desc.pool);
    cli_set_logq(r, &m.info.logq_error);
    (void)snprintf(r->seed, sizeof r->seed, "%llu", (unsigned long long)m.info.seed);
    r->family            = m.desc.family;
    r->prior             = m.desc.prior == LFT_PRIOR_NORMAL ? "normal" : "free";
    f64_show_flow(c, &m.flow);
    r->steps             = m.info.steps;
    r->batch             = m.info.batch;
    r->loss              = m.info.loss;
    r->train_seconds     = m.info.seconds;
    r->ess               = m.info.ess_n ? m.info.ess : CLI_NAN;
    r->ess_n             = m.info.ess_n;
    if (!c->json) info_print(c, &m, path);
    return LFT_OK;
}

/* ---- demo ---- */

static cli_result demo_flow, demo_hmc;

/* (flow - HMC) / error; the largest over all observables. */
static double demo_sigma(int i)
{
    const lft_estimate *a = &demo_flow.observable[i].e, *b = &demo_hmc.observable[i].e;
    return (a->value - b->value) / hypot(a->error, b->error);
}

static double demo_worst(void)
{
    double worst = 0;
    int    i;
    for (i = 0; i < demo_flow.observables; ++i) {
        if (lft_finite(demo_sigma(i)) && fabs(demo_sigma(i)) > worst) worst = fabs(demo_sigma(i));
    }
    return worst;
}

static void demo_json(void)
{
    json_observables("flow", &demo_flow);
    json_observables("hmc", &demo_hmc);
    json_key("worst_sigma");
    json_number(demo_worst());
}

static void demo_print(const cli_result *r)
{
    char text[64];
    int  i;
    printf("\n%-12s %-20s %-20s %s\n", "", "flow", "HMC", "difference");
    for (i = 0; i < demo_flow.observables; ++i) {
        const lft_estimate *a = &demo_flow.observable[i].e, *b = &demo_hmc.observable[i].e;
        printf("%-12s %-20s ", demo_flow.observable[i].name, cli_value(a->value, a->error, text));
        printf("%-20s %+.1f sigma\n", cli_value(b->value, b->error, text), demo_sigma(i));
    }
    printf("%-12s %-20.4f %-20.4f\n", "acceptance", demo_flow.acceptance, demo_hmc.acceptance);
    printf("%-12s %-20.2f %-20.2f\n", "tau_int", demo_flow.tau_int, demo_hmc.tau_int);
    printf("%-12s %-20.0f %-20.0f (%llu threads)\n", "per second", demo_flow.samples_per_second, demo_hmc.samples_per_second,
           (unsigned long long)r->threads);
    printf("%-12s %s\n", "log Z", cli_value(r->logz, r->logz_error, text));
    printf("%-12s %.4f (N = %llu), after %.0f s of training\n", "ESS", r->ess, (unsigned long long)r->ess_n, r->train_seconds);
    cli_print_logq(r);
    printf("\nverdict: %s\n", r->verdict);
}

/* Trains for 30 seconds, then 100000 configurations of the flow and as many of HMC. */
static lft_status demo_command(cli *c)
{
    static f32_train_job j;
    static char               verdict[200];
    const uint64_t            n = 100000;
    cli_result               *r = c->result, train;
    memset(&j, 0, sizeof j);
    demo_theory(c);
    j.c          = c;
    j.seconds    = 30;
    j.stop_after = UINT64_MAX;
    j.logq_n     = 32;
    j.ess_n      = 10000;
    cli_note(c, "training a flow: step, loss, ESS of a batch");
    if (f32_train_begin(&j) || f32_train_run(&j)) return c->error.code;
    if (!strcmp(r->status, "stopped")) return cli_fail(c, LFT_STOPPED, "stopped while training");
    train = *r;
    cli_note(c, "sampling: %llu configurations by independence Metropolis, then as many by HMC", (unsigned long long)n);
    if (f32_sample_run(c, &j.flow, &j.theory, &j.info.logq_error, n, j.train.seed + 1, NULL)) return c->error.code;
    demo_flow = *r;
    r->observables = 0;
    if (f64_hmc_of_options(c, n, j.train.seed + 2, j.desc.pool, NULL)) return c->error.code;
    demo_hmc          = *r;
    *r                = demo_flow;
    r->observables    = 0;
    r->train_seconds  = train.train_seconds;
    (void)snprintf(r->seed, sizeof r->seed, "%llu", (unsigned long long)j.train.seed);
    (void)snprintf(verdict, sizeof verdict, "%s (largest difference %.1f sigma); as a sampler the flow is %s",
                   demo_worst() <= 3 ? "flow and HMC agree" : "flow and HMC DISAGREE", demo_worst(), cli_flow_verdict(r->ess));
    r->verdict = verdict;
    if (!c->json) {
        cli_print_lattice(r);
        demo_print(r);
    }
    return LFT_OK;
}
