/* lft_demo.h: the command demo. SPDX-License-Identifier: MIT-0 */

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
    json_observables("flow", demo_flow.observable, demo_flow.observables);
    json_observables("hmc", demo_hmc.observable, demo_hmc.observables);
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
    cli_exactness             e;
    memset(&j, 0, sizeof j);
    demo_theory(c);
    j.c          = c;
    j.seconds    = 30;
    j.stop_after = UINT64_MAX;
    j.logq_n     = -1;
    j.ess_n      = 10000;
    cli_note(c, "training a flow: step, loss, ESS of a batch");
    if (f32_train_begin(&j) || f32_train_run(&j)) return c->error.code;
    if (!strcmp(r->status, "stopped")) return cli_fail(c, LFT_STOPPED, "stopped while training");
    train = *r;
    cli_note(c, "sampling: %llu configurations by independence Metropolis, then as many by HMC", (unsigned long long)n);
    memset(&e, 0, sizeof e);
    e.epsilon = j.info.logq_error;
    if (f32_sample_run(c, &j.flow, &j.info, &j.theory, &e, n, j.train.seed + 1)) return c->error.code;
    demo_flow = *r;
    r->observables = 0;
    if (f64_hmc_of_options(c, n, j.train.seed + 2, j.desc.pool, NULL)) return c->error.code;
    demo_hmc          = *r;
    *r                = demo_flow;
    r->observables    = 0;
    r->train_seconds  = train.train_seconds;
    (void)snprintf(r->seed, sizeof r->seed, "%llu", (unsigned long long)j.train.seed);
    (void)snprintf(verdict, sizeof verdict, "%s (largest difference %.1f sigma); as a sampler the flow is %s",
                   demo_worst() <= 3 ? "flow and HMC agree" : "flow and HMC DISAGREE", demo_worst(),
                   cli_flow_verdict(r->ess, r->ess_n));
    r->verdict = verdict;
    if (!c->json) {
        cli_print_lattice(r);
        demo_print(r);
    }
    return LFT_OK;
}
