/* lft_family.h: families of couplings: intervals on the command line, and the couplings at which a model is used (a part of
 * lft_commands.h). SPDX-License-Identifier: MIT-0 */

#ifdef CLI_WIDE
/* X, or A:B with A < B. */
static void cli_interval(cli *c, const char *key, double *low, double *high)
{
    const char *text = cli_required(c, key), *second = text;
    char       *end;
    int         legal;
    *low = *high = 0;
    if (!text) return;
    *low = *high = strtod(text, &end);
    legal        = end != text;
    if (*end == ':') {
        second = end + 1;
        *high  = strtod(second, &end);
        legal  = legal && end != second && *low < *high;
    }
    if (!legal || *end) {
        (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected a number, or an interval A:B with A < B, got '%.40s'", key, text);
    }
}
#endif

/* The theory of --m2 and --lambda, of intervals in the middle, and the family; its degree is 0 where no interval is given. */
static lft_status LFT(read_box)(cli *c, LFT(theory) *theory, lft_family *f)
{
    const int degree = (int)cli_count(c, "degree", 4, 1, 20);
    lft_error e;
    int       i;
    memset(&e, 0, sizeof e);
    memset(f, 0, sizeof *f);
    f->couplings = 2;
    cli_interval(c, "m2", f->low, f->high);
    cli_interval(c, "lambda", f->low + 1, f->high + 1);
    for (i = 0; i < 2; ++i) {
        if (f->low[i] < f->high[i]) f->degree = degree;
    }
    if (cli_given(c, "degree") && !f->degree && !c->error.code) {
        return cli_fail(c, LFT_ERR_ARG, "--degree: expected an interval A:B for --lambda or --m2 beside it, got none");
    }
    if (c->error.code) return c->error.code;
    if (cli_check(c, LFT(phi4_init)(theory, f->low[0], f->low[1], &e), &e)) return c->error.code; /* the least bounded corner */
    return cli_check(c, LFT(phi4_init)(theory, 0.5 * (f->low[0] + f->high[0]), 0.5 * (f->low[1] + f->high[1]), &e), &e);
}

/* The flow and its theory at point i of a family, the middle and then the corners of the box; 0 beyond the last. */
static int LFT(family_point)(cli *c, LFT(flow) *flow, LFT(theory) *theory, int i)
{
    const lft_family *f = &flow->family;
    double            at[2];
    int               j, bit = i - 1;
    if (!f->degree) return i == 0;
    for (j = 0; j < 2; ++j) {
        at[j] = 0.5 * (f->low[j] + f->high[j]);
        if (!i || !(f->low[j] < f->high[j])) continue;
        at[j] = bit & 1 ? f->high[j] : f->low[j];
        bit >>= 1;
    }
    if (i && bit) return 0;
    (void)cli_check(c, LFT(flow_at)(flow, at, 2), &flow->error);
    theory->coupling[0] = at[0], theory->coupling[1] = at[1];
    return !c->error.code;
}

/* A loaded family at the couplings of --m2 and --lambda, where they are given; epsilon is not known there. */
static lft_status LFT(choose_couplings)(cli *c, LFT(model) *m)
{
    double at[2];
    at[0] = cli_real(c, "m2", m->theory.coupling[0]);
    at[1] = cli_real(c, "lambda", m->theory.coupling[1]);
    if (c->error.code || (!cli_given(c, "m2") && !cli_given(c, "lambda"))) return c->error.code;
    if (!m->desc.family.degree) {
        return cli_fail(c, LFT_ERR_ARG, "the model is of m2 = %.10g, lambda = %.10g alone: expected neither --m2 nor --lambda",
                        m->theory.coupling[0], m->theory.coupling[1]);
    }
    if (cli_check(c, LFT(flow_at)(&m->flow, at, 2), &m->flow.error)) return c->error.code;
    m->theory.coupling[0] = m->info.coupling[0] = at[0];
    m->theory.coupling[1] = m->info.coupling[1] = at[1];
    memset(&m->info.logq_error, 0, sizeof m->info.logq_error);
    return LFT_OK;
}

/* What sample samples from. */
static lft_status LFT(sample_model)(cli *c, lft_pool pool, LFT(model) *m)
{
    if (LFT(load_model)(c, cli_required(c, "model"), pool, m)) return c->error.code;
    return LFT(choose_couplings)(c, m);
}
