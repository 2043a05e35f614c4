/* lft_flow_report.h: what a flow has to say of itself. SPDX-License-Identifier: MIT-0 */

/* How far log q may be off: epsilon, stored or measured, or what twice the integration steps change. n = 0: not known. */
typedef struct cli_exactness {
    lft_logq_error   epsilon;
    lft_weight_shift finer;
} cli_exactness;

static void cli_set_logq(cli_result *r, const lft_logq_error *e)
{
    r->logq_n = (uint64_t)e->n;
    if (!e->n) return;
    r->logq_error       = e->std;
    r->logz_shift       = e->mean;
    r->logz_shift_error = e->mean_error;
}

static void cli_set_finer(cli_result *r, const lft_weight_shift *finer)
{
    r->finer_n = (uint64_t)finer->n;
    if (!finer->n) return;
    r->finer_std        = finer->std;
    r->logz_shift       = finer->logz_shift;
    r->logz_shift_error = finer->logz_error;
}

/* log Z is log <w> and the shift that was measured; both errors count. Of a log q that is not normalised, log (Z / Z_prior). */
static void cli_set_weights(cli_result *r, const lft_weights *w, int normalised)
{
    const int    corrected = r->logq_n > 0 || r->finer_n > 0;
    const double logz      = w->logz + (corrected ? r->logz_shift : 0);
    const double error     = hypot(w->logz_error, corrected ? r->logz_shift_error : 0);
    r->ess                 = w->ess;
    r->ess_n               = w->n;
    if (normalised) r->logz = logz, r->logz_error = error;
    else r->logz_over_prior = logz, r->logz_over_prior_error = error;
}

/* A measurement of epsilon that fails is no reason to lose a flow: what is wrong is said, here and in the result. */
static void cli_unmeasured(cli *c, const char *what, const char *why)
{
    (void)snprintf(c->result->why, sizeof c->result->why, "%s: %s", what, why);
    c->result->unmeasured = c->result->why;
    cli_note(c, "not measured: %s", c->result->why);
}

/* Has log q been measured, and found too far off? */
static int cli_logq_is_off(const cli_result *r)
{
    if (r->finer_n) return !(r->finer_std <= 1e-2);
    return r->logq_n && !(r->logq_error <= 1e-3 && fabs(r->logz_shift) <= 1e-2);
}

/* The verdict on a flow or its samples says it too. */
static void cli_qualify(cli_result *r)
{
    const char *but = "log q is NOT exact enough: more integration steps";
    if (r->unmeasured) but = "log q may be off: epsilon could not be measured";
    else if (!cli_logq_is_off(r)) return;
    (void)snprintf(r->judgement, sizeof r->judgement, "%s; %s", r->verdict, but);
    r->verdict = r->judgement;
}

/* ---- for people ---- */

static void cli_print_logq(const cli_result *r)
{
    if (r->flow && !strcmp(r->flow, "exact")) {
        printf("  epsilon    none: log q is that of the draws, to rounding\n");
        return;
    }
    if (r->unmeasured) {
        printf("  epsilon    not measured: log q may be off: %s\n", r->unmeasured);
        return;
    }
    if (r->finer_n) {
        printf("  epsilon    not measured: twice the steps change log w by %.2g (std), log Z by %.2g, on %llu samples%s\n",
               r->finer_std, r->logz_shift, (unsigned long long)r->finer_n, cli_logq_is_off(r) ? ": too few steps" : "");
        return;
    }
    if (!r->logq_n) {
        printf("  epsilon    not measured: log q may be off\n");
        return;
    }
    printf("  epsilon    std %.2g, mean %.2g on %llu samples: log q is %s\n", r->logq_error, r->logz_shift,
           (unsigned long long)r->logq_n,
           cli_logq_is_off(r) ? "NOT exact enough (std <= 1e-3, |mean| <= 1e-2)" : "exact enough (std <= 1e-3, |mean| <= 1e-2)");
}

static void cli_print_weights(const cli_result *r)
{
    const int over = lft_finite(r->logz_over_prior);
    char      text[64];
    printf("  ESS        %.4f (N = %llu)\n", r->ess, (unsigned long long)r->ess_n);
    printf("  log %s %s%s\n", over ? "Z/Z of the prior:" : "Z     ",
           over ? cli_value(r->logz_over_prior, r->logz_over_prior_error, text) : cli_value(r->logz, r->logz_error, text),
           r->finer_n  ? ", corrected by that of twice the integration steps"
           : r->logq_n ? ", corrected by the mean of epsilon"
           : r->flow && !strcmp(r->flow, "exact") ? "" : ", not corrected");
}

static const char *cli_flow_verdict(double ess, uint64_t n)
{
    if (!(ess > 0.1)) return "poor: train longer, or on a smaller lattice";
    if (n < 100) return "not known from so few samples";
    if (ess < 0.5) return "usable: some configurations repeat many times";
    return ess < 0.9 ? "good" : "very good: almost every proposal is accepted";
}

static void cli_print_coverage(const cli_result *r)
{
    if (!lft_finite(r->forward_ess)) return;
    printf("  forward ESS of the flow on them %.4f%s\n", r->forward_ess,
           r->forward_ess < 0.1 ? ": the flow leaves out a part of these configurations" : "");
}
