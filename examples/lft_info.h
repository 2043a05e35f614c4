/* lft_info.h: what files of models say: the command info, and the type that a training is of. SPDX-License-Identifier: MIT-0 */

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
    info_desc(r, &m.desc);
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

/* A checkpoint goes on in the type in which it was begun. */
static int train_is_wide(cli *c)
{
    lft_safetensors doc;
    lft_arena       arena;
    const char     *path = cli_text(c, "resume"), *real;
    int             wide = 0;
    if (!path) return is_wide(c, 0);
    if (cli_load(c, path, &doc, &arena, 0)) return 0;
    real = lft_safetensors_meta(&doc, "real");
    if (real) wide = !strcmp(real, "f64");
    cli_release(c);
    return wide;
}
