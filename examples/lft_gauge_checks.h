/* lft_gauge_checks.h: the commands selftest and bench for gauge fields (a part of lft_commands.h).
 * SPDX-License-Identifier: MIT-0 */

/* ---- selftest ---- */

/* link = exp(h T) link with T = i for U(1), else the third generator diag(i, -i) / 2. */
static void LFT(turn_link)(LFT(real) *link, double h)
{
    const double c = cos(h / 2), s = sin(h / 2);
    LFT(real)    was[CLI_LINK];
    int          i;
    memcpy(was, link, sizeof was);
    if (CLI_LINK == 1) link[0] = (LFT(real))((double)was[0] + h);
    for (i = 0; CLI_LINK == 4 && i < 4; ++i) { /* quaternions: 0 with 3, 1 with 2 */
        link[i] = (LFT(real))(c * (double)was[i] + (i == 0 || i == 2 ? -s : s) * (double)was[3 - i]);
    }
    for (i = 0; CLI_LINK == 18 && i < 12; ++i) { /* two rows of pairs, re and im */
        link[i] = (LFT(real))(c * (double)was[i] + ((i % 2 != 0) == (i < 6) ? s : -s) * (double)was[i ^ 1]);
    }
}

/* Hot chains on an asymmetric lattice, which every check starts from. */
static lft_status LFT(check_chains)(cli *c, LFT(hmc) *hmc, const LFT(theory) *theory, int chains)
{
    LFT(hmc_desc) d;
    lft_arena     arena;
    int           mu;
    memset(&d, 0, sizeof d);
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) d.extent[mu] = mu ? 2 : 3;
    d.chains = chains, d.start = LFT_START_HOT, d.seed = 5;
    arena = cli_arena(c, LFT(hmc_bytes)(&d));
    if (c->error.code) return c->error.code;
    return cli_check(c, LFT(hmc_init)(hmc, theory, &d, &arena, &c->error), &c->error);
}

/* d^a S of every link against a difference of the action, each in a batch of two. */
static void LFT(check_force)(cli *c, double bound)
{
    const double h = sizeof(LFT(real)) == 8 ? 1e-4 : 0.03125;
    const int    a = CLI_LINK == 1 ? 0 : 2;
    LFT(theory)  theory;
    LFT(hmc)     hmc;
    LFT(batch)   x, f;
    LFT(real)   *links, *force;
    lft_arena    arena;
    double       S[2], worst = 0;
    int          i, n;
    (void)LFT(wilson_init)(&theory, 2, -0.1, NULL);
    if (LFT(check_chains)(c, &hmc, &theory, 1) || LFT(check_batch)(c, &x, &hmc.x.lattice, 2)) return;
    arena = cli_arena(c, LFT(batch_bytes)(&hmc.x.lattice, 1));
    if (c->error.code || cli_check(c, LFT(momenta_init)(&f, &hmc.x.lattice, 1, &arena, &c->error), &c->error)) return;
    n     = hmc.x.lattice.volume * LFT_CLI_DIM;
    links = (LFT(real) *)cli_alloc(c, (size_t)n * CLI_LINK * sizeof *links);
    force = (LFT(real) *)cli_alloc(c, (size_t)n * CLI_ALGEBRA * sizeof *force);
    if (c->error.code) return;
    LFT(force)(&theory, &hmc.x, &f);
    LFT(batch_get)(&f, 0, force);
    for (i = 0; i < n; ++i) {
        int side;
        for (side = 0; side < 2; ++side) {
            LFT(batch_get)(&hmc.x, 0, links);
            LFT(turn_link)(links + i * CLI_LINK, side ? -h : h);
            LFT(batch_set)(&x, side, links);
        }
        LFT(action)(&theory, &x, S);
        worst = fmax(worst, fabs((S[0] - S[1]) / (2 * h) + (double)force[i * CLI_ALGEBRA + a]));
    }
    check(c, "force against differences of the action, worst", worst, 0, bound);
}

/* Gauge transformations change no action; trajectories run backwards; <exp(-dH)> = 1; threads change no bit. */
static void LFT(check_identities)(cli *c, double bound)
{
    LFT(theory) theory;
    LFT(hmc)    hmc;
    lft_arena   arena;
    lft_series  series;
    double      before[64], after[64], worst = 0, dphi, dH;
    int         i, k;
    (void)LFT(wilson_init)(&theory, 2, 0, NULL);
    if (LFT(check_chains)(c, &hmc, &theory, 64)) return;
    arena = cli_arena(c, LFT(gauge_transform_bytes)(&hmc.x.lattice) + 64 * 1024);
    if (c->error.code) return;
    LFT(action)(&theory, &hmc.x, before);
    check_status(c, "a random gauge transformation",
                 LFT(gauge_transform)(&hmc.x, lft_draw_of(7, LFT_DRAW_USER, 0, 0), arena, &c->error), &c->error);
    LFT(action)(&theory, &hmc.x, after);
    for (i = 0; i < 64; ++i) worst = fmax(worst, fabs(before[i] - after[i]));
    check(c, "change of the action by it", worst / hmc.x.lattice.volume, 0, bound);
    check_status(c, "HMC thermalises", LFT(hmc_thermalise)(&hmc, 50), &hmc.error);
    check_status(c, "a trajectory and back", LFT(hmc_reversibility)(&hmc, &dphi, &dH), &hmc.error);
    check(c, "largest change of the energy", dH / hmc.x.lattice.volume, 0, 10 * bound);
    check_status(c, "room for a series", lft_series_init(&series, 1, 1, 200, &arena, &c->error), &c->error);
    for (k = 0; k < 200 && !LFT(hmc_next)(&hmc); ++k) {
        double sum = 0;
        for (i = 0; i < 64; ++i) sum += exp(-hmc.dH[i]) / 64;
        (void)lft_series_add(&series, 0, &sum);
    }
    check(c, "HMC: <exp(-dH)>, in 4 sigma", lft_gamma(&series, 0).value, 1, 4 * lft_gamma(&series, 0).error);
}

/* The plaquette by HMC and by the heat bath; the latter gives the same bits for any number of threads. */
static void LFT(check_samplers)(cli *c)
{
    LFT(theory)        theory;
    LFT(hmc)           hmc;
    LFT(heatbath_desc) d;
    LFT(heatbath)      bath[2];
    lft_arena          arena;
    lft_series         series[2];
    lft_estimate       e[2];
    double             S[64], again[64], beta = CLI_LINK == 1 ? 1 : CLI_LINK == 4 ? 1.8 : 4;
    int                i, k, m;
    (void)LFT(wilson_init)(&theory, beta, 0, NULL);
    if (LFT(check_chains)(c, &hmc, &theory, 64)) return;
    memset(&d, 0, sizeof d);
    memcpy(d.extent, hmc.desc.extent, sizeof d.extent);
    d.seed = 6;
    arena  = cli_arena(c, 2 * LFT(heatbath_bytes)(&d) + (1 << 20));
    for (i = 0; i < 2 && !c->error.code; ++i) {
        d.pool = lft_pool_openmp(1 + 2 * i);
        (void)cli_check(c, LFT(heatbath_init)(bath + i, &theory, &d, &arena, &c->error), &c->error);
        (void)cli_check(c, lft_series_init(series + i, 1, 64, 300, &arena, &c->error), &c->error);
    }
    if (c->error.code) return;
    check_status(c, "HMC thermalises", LFT(hmc_thermalise)(&hmc, 50), &hmc.error);
    check_status(c, "the heat bath thermalises", LFT(heatbath_thermalise)(bath, 20), &bath[0].error);
    check_status(c, "with three threads", LFT(heatbath_thermalise)(bath + 1, 20), &bath[1].error);
    LFT(action)(&theory, &bath[0].x, S);
    LFT(action)(&theory, &bath[1].x, again);
    check(c, "three threads: actions that differ", memcmp(S, again, sizeof S) != 0, 0, 0);
    for (k = 0; k < 300 && !LFT(hmc_next)(&hmc) && !LFT(heatbath_next)(bath); ++k) {
        for (m = 0; m < 2; ++m) {
            LFT(action)(&theory, m ? &bath[0].x : &hmc.x, S);
            for (i = 0; i < 64; ++i) {
                const double p = -S[i] / (beta * hmc.x.lattice.volume * (LFT_CLI_DIM * (LFT_CLI_DIM - 1) / 2));
                (void)lft_series_add(series + m, i, &p);
            }
        }
    }
    for (m = 0; m < 2; ++m) e[m] = lft_gamma(series + m, 0);
    check(c, "plaquette: heat bath against HMC, in 4 sigma", e[1].value, e[0].value, 4 * hypot(e[0].error, e[1].error));
}

static lft_status LFT(selftest_command)(cli *c)
{
    const int wide = sizeof(LFT(real)) == 8;
    if (c->error.code) return c->error.code;
#ifdef CLI_WIDE
    selftest_random(c);
#endif
    LFT(check_force)(c, wide ? 1e-6 : 2e-2);
    LFT(check_identities)(c, wide ? 1e-13 : 1e-5);
    cli_release(c);
    LFT(check_samplers)(c);
    cli_release(c);
    return c->error.code;
}

/* ---- bench ---- */

typedef struct LFT(bench) {
    LFT(theory)   theory;
    LFT(hmc)      hmc;
    LFT(heatbath) bath;
    LFT(batch)    other, force; /* products, staples; forces */
} LFT(bench);

/* Every link of the first group times its neighbour in memory. */
static void LFT(bench_product)(void *arg)
{
    LFT(bench)      *b    = (LFT(bench) *)arg;
    const LFT(p_v)  *from = (const LFT(p_v) *)(const void *)b->hmc.x.data;
    LFT(p_v)        *to   = (LFT(p_v) *)(void *)b->other.data;
    const int        n    = b->hmc.x.lattice.volume * LFT_CLI_DIM;
    int              i;
    for (i = 0; i < n; ++i) {
        LFT(p_mul)((LFT(p_u) *)(to + i * CLI_LINK), (const LFT(p_u) *)(from + i * CLI_LINK),
                   (const LFT(p_u) *)(from + (i ? i - 1 : n - 1) * CLI_LINK));
    }
}

static void LFT(bench_staples)(void *arg)
{
    LFT(bench)          *b       = (LFT(bench) *)arg;
    const LFT(lattice)  *lattice = &b->hmc.x.lattice;
    const LFT(p_walk)    walk    = LFT(p_walk_of)(lattice);
    const LFT(p_v)      *from    = (const LFT(p_v) *)(const void *)b->hmc.x.data;
    LFT(p_place)         p       = LFT(p_first_place)();
    int                  x, mu;
    for (x = 0; x < lattice->volume; ++x, LFT(p_next_place)(lattice, &p)) {
        for (mu = 0; mu < LFT_CLI_DIM; ++mu) {
            LFT(CLI_SUM) w;
            LFT(p_staples)(&walk, from, p, mu, &w);
            memcpy((LFT(p_v) *)(void *)b->other.data + (x * LFT_CLI_DIM + mu) * CLI_LINK, &w, CLI_LINK * sizeof(LFT(p_v)));
        }
    }
}

static void LFT(bench_force)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    LFT(force)(&b->theory, &b->hmc.x, &b->force);
}

static void LFT(bench_hmc)(void *arg)
{
    (void)LFT(hmc_next)(&((LFT(bench) *)arg)->hmc);
}

static void LFT(bench_heatbath)(void *arg)
{
    (void)LFT(heatbath_next)(&((LFT(bench) *)arg)->bath);
}

/* Independent fused multiply-adds in registers: the ceiling of this machine with this build, and with the kernels' optimisation. */
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("O3")))
#endif
static void LFT(bench_peak)(void *arg)
{
    LFT(p_v) *x = (LFT(p_v) *)arg, a[16], m = x[0], d = x[1];
    int       i, k;
    for (i = 0; i < 16; ++i) a[i] = x[i];
    for (k = 0; k < 10000; ++k) {
        for (i = 0; i < 16; ++i) a[i] = a[i] * m + d;
    }
    for (i = 0; i < 16; ++i) x[2 + i] = a[i];
}

/* One kernel beside the peak, of which the time is measured next to it because the clock drifts. flops of a link; 0: not counted,
 * as those of sines and rejections. */
static void LFT(bench_kernel)(cli *c, LFT(bench) *b, const char *const *name, double links, double flops, void (*run)(void *))
{
    static LFT(p_v) x[18];
    cli_result     *r       = c->result;
    const double    seconds = bench_time(c, name[0], "ns per link, one thread", 1e9 / links, run, b);
    const int       before  = r->timings, json = c->json;
    double          peak;
    if (!(flops > 0) || !(seconds > 0)) return;
    c->json    = 1; /* the time of the peak is no result */
    peak       = 320000.0 * LFT(lanes)() / bench_time(c, "", "", 1, LFT(bench_peak), x);
    c->json    = json;
    r->timings = before;
    r->timing[r->timings].name    = name[1];
    r->timing[r->timings++].value = 1e-9 * flops * links / seconds;
    r->timing[r->timings].name    = name[2];
    r->timing[r->timings++].value = flops * links / seconds / peak;
    if (!c->json) {
        printf("  %-26s %12.4g GFLOP/s, %.0f%% of %.4g\n", "", 1e-9 * flops * links / seconds,
               100 * flops * links / seconds / peak, 1e-9 * peak);
    }
}

static lft_status LFT(bench_set_up)(cli *c, LFT(bench) *b)
{
    static const char *const extent[] = {"16x16", "8x8x8", "4x4x4x4"};
    LFT(heatbath_desc)       d;
    LFT(hmc_desc)            h;
    lft_arena                arena;
    memset(&d, 0, sizeof d);
    memset(&h, 0, sizeof h);
    cli_extent(c, "extent", cli_given(c, "extent") ? cli_text(c, "extent") : extent[LFT_CLI_DIM - 2], d.extent);
    memcpy(h.extent, d.extent, sizeof h.extent);
    d.chains = h.chains = (int)cli_count(c, "chains", (uint64_t)LFT(lanes)(), 1, 100000);
    d.overrelax = -1, h.steps = 10;
    d.start = h.start = LFT_START_HOT;
    (void)LFT(wilson_init)(&b->theory, 2.0 * CLI_COLOURS, 0, NULL);
    arena = cli_arena(c, LFT(hmc_bytes)(&h) + LFT(heatbath_bytes)(&d));
    if (c->error.code || cli_check(c, LFT(hmc_init)(&b->hmc, &b->theory, &h, &arena, &c->error), &c->error) ||
        cli_check(c, LFT(heatbath_init)(&b->bath, &b->theory, &d, &arena, &c->error), &c->error)) {
        return c->error.code;
    }
    arena = cli_arena(c, LFT(batch_bytes)(&b->hmc.x.lattice, h.chains));
    (void)LFT(check_batch)(c, &b->other, &b->hmc.x.lattice, h.chains);
    if (c->error.code) return c->error.code;
    return cli_check(c, LFT(momenta_init)(&b->force, &b->hmc.x.lattice, h.chains, &arena, &c->error), &c->error);
}

static lft_status LFT(bench_command)(cli *c)
{
    static const char *const name[5][3] = {{"product_ns", "product_gflops", "product_fraction"},
                                           {"staples_ns", "staples_gflops", "staples_fraction"},
                                           {"force_ns", "force_gflops", "force_fraction"},
                                           {"trajectory_ns", NULL, NULL},
                                           {"heatbath_ns", NULL, NULL}};
    /* a product; one carried along a link, pushes and trace; a sum of links */
    const double product = CLI_LINK == 18 ? 198 : CLI_LINK == 4 ? 28 : 0, push = CLI_LINK == 18 ? 584 : 88;
    const double through = 2 * (LFT_CLI_DIM - 1), plaquettes = 0.5 * (LFT_CLI_DIM - 1);
    static LFT(bench) b;
    double            links, one;
    if (LFT(bench_set_up)(c, &b)) return c->error.code;
    LFT(show_lattice)(c, &b.hmc.x.lattice, &b.theory, lft_pool_openmp(1));
    one   = (double)b.hmc.x.lattice.volume * LFT_CLI_DIM * LFT(lanes)();
    links = (double)b.hmc.x.lattice.volume * LFT_CLI_DIM * b.hmc.x.n;
    if (!c->json) {
        cli_print_lattice(c->result);
        printf("  %s, %d lanes, %d chains; product and staples: as many as lanes\n", c->result->real, LFT(lanes)(), b.hmc.x.n);
    }
    LFT(bench_kernel)(c, &b, name[0], one, product, LFT(bench_product));
    LFT(bench_kernel)(c, &b, name[1], one, product > 0 ? through * (2 * product + CLI_LINK) : 0, LFT(bench_staples));
    LFT(bench_kernel)(c, &b, name[2], links, product > 0 ? plaquettes * (3 * product + push) : 0, LFT(bench_force));
    LFT(bench_kernel)(c, &b, name[3], links, 0, LFT(bench_hmc));
    LFT(bench_kernel)(c, &b, name[4], links, 0, LFT(bench_heatbath));
    return c->error.code;
}
