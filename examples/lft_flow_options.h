/* lft_flow_options.h: options of flows. SPDX-License-Identifier: MIT-0 */

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

static int cli_is_coupling(cli *c)
{
    static const char *const flow[] = {"continuous", "coupling", NULL};
    return cli_word(c, "flow", flow, 1) == 2;
}

/* A gradient of couplings is cheap, and early in training many steps are worth more than good ones. */
static int cli_batch(cli *c, uint64_t most)
{
    return (int)cli_count(c, "batch", cli_is_coupling(c) ? 64 : 256, 1, most);
}

/* Options of the other kind of flow would have no effect. */
static lft_status cli_flow_options(cli *c, int coupling)
{
    const int other = coupling ? CLI_CONTINUOUS : CLI_COUPLING;
    int       i;
    for (i = 0; i < CLI_OPTIONS; ++i) {
        if (!c->value[i] || !(cli_option_table[i].commands & other)) continue;
        return cli_fail(c, LFT_ERR_ARG, "--%s is an option of --flow %s: expected --flow %s without it", cli_option_table[i].key,
                        coupling ? "continuous" : "coupling", coupling ? "coupling" : "continuous");
    }
    return c->error.code;
}
