/* lft_report.h: results for people and as JSON.
 * SPDX-License-Identifier: MIT-0 */

typedef struct cli_observable {
    const char  *name;
    lft_estimate e;
} cli_observable;

#define CLI_OBSERVABLES 200
#define CLI_NAME        32 /* bytes of a name */

#ifdef CLI_SCALAR

/* A flow at one set of couplings. */
typedef struct cli_point {
    double      m2, lambda, logq_error;
    lft_weights w;
} cli_point;

#define CLI_CURVE_MOST 1000
typedef struct cli_curve_point {
    double      m2, lambda, value[LFT_OBSERVABLES], error[LFT_OBSERVABLES];
    lft_weights w;
} cli_curve_point;

typedef struct cli_curve {
    const char     *name[LFT_OBSERVABLES];
    cli_curve_point point[CLI_CURVE_MOST];
    int             points;
} cli_curve;

#endif

typedef struct cli_timing {
    const char *name, *unit;
    double      value;
} cli_timing;

/* Everything that any command has to say. Which of it a command says stands in the table below. */
struct cli_result {
    const char    *status; /* "ok", "stopped" */
    int            extent[4], has_lattice, couplings; /* couplings: 0 where none are known */
    const char    *coupling_name[LFT_MAX_COUPLINGS];
    double         coupling[LFT_MAX_COUPLINGS];
    char           seed[24]; /* as text: JSON numbers end at 2^53 */
    const char    *real, *out, *prior, *flow, *integrator, *verdict, *unmeasured; /* unmeasured: why epsilon is not; NULL */
    char           why[200], judgement[200]; /* their texts, where they are made here */
    uint64_t       lanes, threads, chains, n, ess_n, longest_rejection, nonfinite, logq_n, parameters, steps, batch;
    uint64_t       md_steps, finer_n, layers, loops, nodes, units, reach, integration_steps, refined, rolled_back, memory_bytes;
    uint64_t       passed, failed;
    double         ess, forward_ess, acceptance, tau_int, logz, logz_error, logq_error, logz_shift, logz_shift_error;
    double         logz_over_prior, logz_over_prior_error; /* in place of log Z where log q is not normalised */
    double         finer_std, seconds, samples_per_second, loss, train_seconds, ms_per_step, exp_dh, exp_dh_error;
    cli_observable observable[CLI_OBSERVABLES];
    int            observables;
#ifndef CLI_SCALAR
    cli_observable reweighted[CLI_OBSERVABLES]; /* as many: without a flow */
    double         from_beta, ess_reweighted;
#endif
    cli_timing     timing[40];
    int            timings;
#ifdef CLI_SCALAR
    lft_family     family;
    cli_point      point[5]; /* of a family: the middle and the corners of its box */
    int            points;
    cli_curve      curve;
#endif
};

#define CLI_FLOWS (CLI_TRAIN | CLI_SAMPLE)

/* kind: d number, u integer, s text, c characters */
typedef struct cli_field {
    const char *key;
    char        kind;
    size_t      at;
    int         commands;
} cli_field;

#define CLI_FIELD(name, kind, commands) {#name, kind, offsetof(cli_result, name), commands}
static const cli_field cli_field_table[] = {
    CLI_FIELD(seed, 'c', CLI_CORRELATE | CLI_CURVE | CLI_FLOWS | CLI_CHAINS | CLI_DEMO | CLI_INFO),
    CLI_FIELD(real, 's', CLI_CORRELATE | CLI_FLOWS | CLI_CHAINS | CLI_MEASURE | CLI_BENCH),
    CLI_FIELD(lanes, 'u', CLI_CORRELATE | CLI_FLOWS | CLI_CHAINS | CLI_MEASURE | CLI_BENCH),
    CLI_FIELD(threads, 'u', CLI_CORRELATE | CLI_FLOWS | CLI_CHAINS | CLI_MEASURE | CLI_BENCH | CLI_DEMO),
    CLI_FIELD(chains, 'u', CLI_CORRELATE | CLI_CHAINS | CLI_MEASURE),
    CLI_FIELD(n, 'u', CLI_CORRELATE | CLI_CURVE | CLI_CHAINS | CLI_MEASURE | CLI_DEMO),
    CLI_FIELD(ess, 'd', CLI_CORRELATE | CLI_FLOWS | CLI_INFO | CLI_DEMO),
    CLI_FIELD(ess_n, 'u', CLI_FLOWS | CLI_INFO | CLI_DEMO),
    CLI_FIELD(forward_ess, 'd', CLI_MEASURE),
    CLI_FIELD(acceptance, 'd', CLI_SAMPLE | CLI_HMC | CLI_DEMO),
    CLI_FIELD(tau_int, 'd', CLI_CHAINS | CLI_MEASURE | CLI_DEMO),
    CLI_FIELD(longest_rejection, 'u', CLI_SAMPLE),
    CLI_FIELD(nonfinite, 'u', CLI_SAMPLE | CLI_HMC),
    CLI_FIELD(exp_dh, 'd', CLI_HMC),
    CLI_FIELD(exp_dh_error, 'd', CLI_HMC),
    CLI_FIELD(md_steps, 'u', CLI_HMC),
    CLI_FIELD(logz, 'd', CLI_CORRELATE | CLI_FLOWS | CLI_DEMO),
    CLI_FIELD(logz_error, 'd', CLI_CORRELATE | CLI_FLOWS | CLI_DEMO),
#ifndef CLI_SCALAR
    CLI_FIELD(logz_over_prior, 'd', CLI_FLOWS),
    CLI_FIELD(logz_over_prior_error, 'd', CLI_FLOWS),
#endif
    CLI_FIELD(logq_error, 'd', CLI_FLOWS | CLI_INFO | CLI_DEMO),
    CLI_FIELD(logz_shift, 'd', CLI_FLOWS | CLI_INFO | CLI_DEMO),
    CLI_FIELD(logz_shift_error, 'd', CLI_FLOWS | CLI_INFO),
    CLI_FIELD(logq_n, 'u', CLI_FLOWS | CLI_INFO),
    CLI_FIELD(finer_std, 'd', CLI_FLOWS),
    CLI_FIELD(finer_n, 'u', CLI_FLOWS),
    CLI_FIELD(unmeasured, 's', CLI_FLOWS),
    CLI_FIELD(prior, 's', CLI_INFO),
    CLI_FIELD(flow, 's', CLI_FLOWS | CLI_INFO),
    CLI_FIELD(layers, 'u', CLI_FLOWS | CLI_INFO),
    CLI_FIELD(parameters, 'u', CLI_EXPORT | CLI_FLOWS | CLI_INFO),
#ifndef CLI_SCALAR
    CLI_FIELD(from_beta, 'd', CLI_CORRELATE),
    CLI_FIELD(ess_reweighted, 'd', CLI_CORRELATE),
    CLI_FIELD(loops, 'u', CLI_INFO),
    CLI_FIELD(nodes, 'u', CLI_INFO),
    CLI_FIELD(integrator, 's', CLI_INFO),
    CLI_FIELD(units, 'u', CLI_INFO),
    CLI_FIELD(reach, 'u', CLI_INFO),
#endif
    CLI_FIELD(integration_steps, 'u', CLI_FLOWS | CLI_INFO),
    CLI_FIELD(steps, 'u', CLI_TRAIN | CLI_INFO),
    CLI_FIELD(batch, 'u', CLI_TRAIN | CLI_INFO),
    CLI_FIELD(loss, 'd', CLI_TRAIN | CLI_INFO),
    CLI_FIELD(train_seconds, 'd', CLI_TRAIN | CLI_INFO | CLI_DEMO),
    CLI_FIELD(ms_per_step, 'd', CLI_TRAIN),
    CLI_FIELD(refined, 'u', CLI_TRAIN),
    CLI_FIELD(rolled_back, 'u', CLI_TRAIN),
    CLI_FIELD(passed, 'u', CLI_SELFTEST),
    CLI_FIELD(failed, 'u', CLI_SELFTEST),
    CLI_FIELD(memory_bytes, 'u', CLI_CORRELATE | CLI_FLOWS | CLI_CHAINS | CLI_MEASURE),
    CLI_FIELD(seconds, 'd', CLI_ALL),
    CLI_FIELD(samples_per_second, 'd', CLI_CHAINS),
    CLI_FIELD(out, 's', CLI_EXPORT | CLI_FLOWS | CLI_CHAINS | CLI_CONVERT),
    CLI_FIELD(verdict, 's', CLI_CORRELATE | CLI_FLOWS | CLI_CHAINS | CLI_MEASURE | CLI_DEMO | CLI_CHECK),
};

/* What has not been measured is not a number. */
static void cli_result_clear(cli_result *r)
{
    size_t i;
    memset(r, 0, sizeof *r);
    r->status = "ok";
    for (i = 0; i < sizeof cli_field_table / sizeof *cli_field_table; ++i) {
        if (cli_field_table[i].kind == 'd') *(double *)(void *)((char *)r + cli_field_table[i].at) = CLI_NAN;
    }
}

/* ---- JSON ---- */

static void json_text(const char *s)
{
    putchar('"');
    for (; *s; ++s) {
        const unsigned char b = (unsigned char)*s;
        if (b == '"' || b == '\\') printf("\\%c", b);
        else if (b < 32 || b > 126) putchar('?'); /* a message may be cut within a character */
        else putchar(b);
    }
    putchar('"');
}

/* With the fewest digits that give the same number back. */
static const char *cli_shortest(double v, char text[32])
{
    int digits;
    for (digits = 15; digits <= 17; ++digits) {
        (void)snprintf(text, 32, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    return text;
}

static void json_number(double v)
{
    char text[32];
    printf("%s", lft_finite(v) ? cli_shortest(v, text) : "null");
}

static void json_key(const char *key)
{
    putchar(',');
    json_text(key);
    putchar(':');
}

static void json_field(const cli_result *r, const cli_field *f)
{
    const void *at = (const char *)r + f->at;
    const char *text;
    json_key(f->key);
    switch (f->kind) {
    case 'd': json_number(*(const double *)at); break;
    case 'u': printf("%llu", (unsigned long long)*(const uint64_t *)at); break;
    case 'c': json_text((const char *)at); break;
    default:
        text = *(const char *const *)at;
        if (text) json_text(text);
        else printf("null");
    }
}

static void json_observables(const char *key, const cli_observable *list, int n)
{
    int i;
    json_key(key);
    putchar('{');
    for (i = 0; i < n; ++i) {
        const lft_estimate *e = &list[i].e;
        if (i) putchar(',');
        json_text(list[i].name);
        printf(":{\"value\":");
        json_number(e->value);
        printf(",\"error\":");
        json_number(e->error);
        printf(",\"tau_int\":");
        json_number(e->tau_int);
        printf(",\"reliable\":%s}", e->reliable ? "true" : "false");
    }
    putchar('}');
}

/* What only some programs have to say. */
static void json_more(const cli_result *r);

/* One line. */
static void json_result(const cli *c, int command)
{
    const cli_result *r = c->result;
    size_t            i;
    int               k;
    printf("{\"format\":1,\"version\":\"%s\",\"command\":", LFT_VERSION);
    json_text(c->command ? c->command : "");
    json_key("status");
    json_text(c->error.code ? "error" : r->status);
    if (c->error.code) {
        json_key("error");
        json_text(c->error.text);
    }
    json_key("theory");
    printf("\"%s\",\"dim\":%d", CLI_THEORY, LFT_CLI_DIM);
    if (r->has_lattice) {
        json_key("extent");
        for (k = 0; k < LFT_CLI_DIM; ++k) printf("%c%d", k ? ',' : '[', r->extent[k]);
        putchar(']');
    }
    if (r->couplings) json_key("couplings");
    for (k = 0; k < r->couplings; ++k) {
        putchar(k ? ',' : '{');
        json_text(r->coupling_name[k]);
        putchar(':');
        json_number(r->coupling[k]);
        if (k == r->couplings - 1) putchar('}');
    }
    for (i = 0; i < sizeof cli_field_table / sizeof *cli_field_table && !c->error.code; ++i) {
        if (cli_field_table[i].commands & command) json_field(r, cli_field_table + i);
    }
    if (!c->error.code) json_more(r);
    if (r->observables && !c->error.code) json_observables("observables", r->observable, r->observables);
    for (k = 0; k < r->timings && !c->error.code; ++k) {
        json_key(r->timing[k].name);
        json_number(r->timing[k].value);
    }
}

static void json_end(void)
{
    printf("}\n");
}

/* ---- for people ---- */

/* 1.0624(10): two digits of the error. */
static const char *cli_value(double value, double error, char text[64])
{
    int digits, whole;
    if (!lft_finite(value)) (void)snprintf(text, 64, "not defined");
    else if (!lft_finite(error) || !(error > 0)) (void)snprintf(text, 64, "%.10g", value);
    else {
        digits = 1 - (int)floor(log10(error) + 1e-9);
        whole  = (int)(error * pow(10, digits) + 0.5);
        if (whole >= 100) whole /= 10, --digits;
        if (digits < 0 || digits > 15) (void)snprintf(text, 64, "%.8g +- %.2g", value, error);
        else (void)snprintf(text, 64, "%.*f(%d)", digits, value, whole);
    }
    return text;
}

static void cli_print_observables(const cli_result *r)
{
    char text[64];
    int  i;
    for (i = 0; i < r->observables; ++i) {
        const lft_estimate *e = &r->observable[i].e;
        printf("  %-10s %-20s tau_int %6.2f   ", r->observable[i].name, cli_value(e->value, e->error, text), e->tau_int);
        if (!e->reliable) printf("not reliable: %s\n", lft_doubt_str(e->doubts));
        else printf("%s\n", e->tau_int < 0.6 ? "reliable, no autocorrelation" : "reliable");
    }
}

static void cli_print_lattice(const cli_result *r)
{
    int mu;
    printf("%s on ", CLI_THEORY_TEXT);
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) printf("%s%d", mu ? "x" : "", r->extent[mu]);
    printf(" sites");
    for (mu = 0; mu < r->couplings; ++mu) printf(", %s = %.10g", r->coupling_name[mu], r->coupling[mu]);
    printf("\n");
}

static void cli_print_out(const cli_result *r)
{
    if (r->out) printf("  configurations in %s, %s\n", r->out, CLI_SHAPE_TEXT);
}

/* The longest autocorrelation time, and whether every observable can be relied on. */
static void cli_judge(cli_result *r)
{
    int i, doubts = 0, finite = 0;
    r->tau_int = CLI_NAN;
    for (i = 0; i < r->observables; ++i) {
        const lft_estimate *e = &r->observable[i].e;
        if (lft_finite(e->tau_int) && !(e->tau_int <= r->tau_int)) r->tau_int = e->tau_int;
        if (!e->reliable && lft_finite(e->value)) doubts = 1;
        finite += lft_finite(e->value) != 0;
    }
    r->verdict = doubts || !finite ? "errors not reliable: more configurations are needed" : "errors reliable";
}
