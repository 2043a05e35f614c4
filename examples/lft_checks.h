/* lft_checks.h: what the commands selftest and bench stand on, for all groups (a part of lft_commands.h).
 * SPDX-License-Identifier: MIT-0 */

/* ---- selftest: a few seconds on this very build ---- */

#ifdef CLI_WIDE
static void check(cli *c, const char *name, double value, double expected, double bound)
{
    const int ok = fabs(value - expected) <= bound;
    if (ok) c->result->passed += 1;
    else c->result->failed += 1;
    if (!c->json) printf("  %-6s %-46s %.10g (expected %.10g, bound %.1g)\n", ok ? "ok" : "FAILED", name, value, expected, bound);
}

static void check_status(cli *c, const char *name, lft_status status, const lft_error *e)
{
    if (status && !c->json) printf("         %s\n", e->text);
    check(c, name, (double)(int)status, 0, 0);
}

static void selftest_end(cli *c)
{
    cli_result *r = c->result;
    if (!c->json) {
        printf("%llu passed, %llu failed, 0 skipped\n", (unsigned long long)r->passed, (unsigned long long)r->failed);
    }
    if (r->failed) {
        (void)cli_fail(c, LFT_ERR_MISMATCH, "selftest: expected no check to fail, got %llu of %llu",
                       (unsigned long long)r->failed, (unsigned long long)(r->failed + r->passed));
    }
}

/* The known answers of Random123. */
static void selftest_random(cli *c)
{
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    uint32_t out[4];
    double   x[1000], sum = 0;
    int      i, wrong = 0;
    for (i = 0; i < 3; ++i) {
        lft_philox(known[i], known[i] + 4, out);
        wrong += memcmp(out, known[i] + 6, sizeof out) != 0;
    }
    check(c, "Philox4x32-10: known answers that are wrong", wrong, 0, 0);
    lft_normals(lft_draw_of(1, LFT_DRAW_USER, 0, 0), x, 1000);
    for (i = 0; i < 1000; ++i) sum += x[i] * x[i] / 1000;
    check(c, "normal numbers: variance", sum, 1, 0.15);
}

/* Seconds of a call, the best of several runs of at least 50 ms; kept as `name` in the unit of which a second is `scale`. */
static double bench_time(cli *c, const char *name, const char *unit, double scale, void (*run)(void *), void *arg)
{
    cli_result *r    = c->result;
    double      best = 1e300;
    int         i, k, n = 1;
    if (c->error.code || cli_signal) return CLI_NAN;
    run(arg);
    for (i = 0; i < 5; ++i) {
        double begin = cli_seconds(), spent;
        for (k = 0; k < n; ++k) run(arg);
        spent = (cli_seconds() - begin) / n;
        best  = spent < best ? spent : best;
        if (i == 0 && spent < 0.05) n = 1 + (int)(0.05 / (spent + 1e-9));
        if (spent > 1) break;
    }
    r->timing[r->timings].name  = name;
    r->timing[r->timings].unit  = unit;
    r->timing[r->timings].value = best * scale;
    r->timings += 1;
    if (!c->json) printf("  %-26s %12.4g %s\n", name, best * scale, unit);
    return best;
}
#endif

static lft_status LFT(check_batch)(cli *c, LFT(batch) *x, const LFT(lattice) *lattice, int n)
{
    lft_arena arena = cli_arena(c, LFT(batch_bytes)(lattice, n));
    if (c->error.code) return c->error.code;
    return cli_check(c, LFT(batch_init)(x, lattice, n, &arena, &c->error), &c->error);
}
