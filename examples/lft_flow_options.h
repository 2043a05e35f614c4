/* lft_flow_options.h: options of flows of scalar fields. SPDX-License-Identifier: MIT-0 */

/* 8,8: up to `most` numbers, the rest of the list stays 0; 0 alone: none, which is -1. */
static void cli_list(cli *c, const char *key, int *list, int most)
{
    const char *text = cli_text(c, key), *at = text;
    int         n    = 0;
    long        v    = 0;
    char       *end;
    if (!text) return;
    do {
        v = strtol(at, &end, 10);
        if (end == at || (*end && *end != ',') || v < 0 || v > 1000 || n == most || (v == 0 && (n || *end))) {
            (void)cli_fail(c, LFT_ERR_ARG,
                           "--%s: expected up to %d integers from 1 to 1000 with a comma in between, or 0, got '%.40s'", key, most,
                           text);
            return;
        }
        list[n++] = v ? (int)v : -1;
        at        = end + 1;
    } while (*end);
}

enum { CLI_FLOW_CONTINUOUS = 1, CLI_FLOW_COUPLING, CLI_FLOW_MULTISCALE };
static const char *const cli_flow_kind[] = {"continuous", "coupling", "multiscale", NULL};

static int cli_flow(cli *c) { return cli_word(c, "flow", cli_flow_kind, CLI_FLOW_CONTINUOUS); }

static int cli_is_coupling(cli *c) { return cli_flow(c) == CLI_FLOW_COUPLING; }

/* A gradient of couplings is cheap, and early in training many steps are worth more than good ones. */
static int cli_batch(cli *c, uint64_t most)
{
    return (int)cli_count(c, "batch", cli_is_coupling(c) ? 64 : 256, 1, most);
}

static lft_status cli_flow_options(cli *c, int kind)
{
    const char *is = cli_flow_kind[kind - 1];
    if (kind != CLI_FLOW_MULTISCALE) (void)cli_other_options(c, CLI_SCALES, "flow", "multiscale", is);
    if (kind == CLI_FLOW_COUPLING) return cli_other_options(c, CLI_CONTINUOUS, "flow", "continuous", is);
    return cli_other_options(c, CLI_COUPLING, "flow", "coupling", is);
}

/* What depends on the kind of flow. */
static void cli_train_options(cli *c, lft_train_desc *d)
{
    d->batch = cli_batch(c, 1 << 24);
    d->rate  = cli_positive(c, "rate", cli_is_coupling(c) ? 0.003 : 0);
}

/* The model to start from; NULL: the start is that of the flow. */
static const char *cli_init_file(const cli *c) { return cli_text(c, "init"); }

/* Samples of epsilon, if nothing else is said. */
static int cli_logq_samples(size_t dimension)
{
    (void)dimension;
    return 32;
}
