/* lft_scalar_checks.h: the commands selftest and bench for scalar fields (a part of lft_commands.h).
 * SPDX-License-Identifier: MIT-0 */

/* ---- selftest ---- */

/* A small flow away from its start, in memory of its own. */
static lft_status LFT(check_flow)(cli *c, LFT(flow) *flow, int extent, int steps, double size, lft_pool pool)
{
    LFT(flow_desc) d;
    size_t         i;
    int            mu;
    memset(&d, 0, sizeof d);
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) d.extent[mu] = extent;
    d.continuous.sines = 3, d.continuous.nodes = 3, d.continuous.steps = steps;
    d.pool             = pool;
    if (LFT(make_flow)(c, flow, &d)) return c->error.code;
    for (i = 0; i < flow->params.count; ++i) {
        flow->params.value[i] += size * (lft_uniform(lft_draw_of(2, LFT_DRAW_USER, 0, 0), (uint32_t)i) - 0.5);
    }
    LFT(flow_prepare)(flow);
    return LFT_OK;
}

/* dS/dphi(0) against a difference of S, at a random configuration. */
static void LFT(check_force)(cli *c, double bound)
{
    LFT(theory)  theory;
    LFT(lattice) lattice;
    LFT(batch)   x, f;
    LFT(real)    phi[81], force[81];
    double       start[81], S[2];
    int          extent[LFT_CLI_DIM], mu, k;
    const double h = sizeof(LFT(real)) == 8 ? 1e-4 : 0.03125;
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) extent[mu] = 3;
    (void)LFT(phi4_init)(&theory, -1.5, 2, NULL);
    (void)LFT(lattice_init)(&lattice, extent, NULL);
    if (LFT(check_batch)(c, &x, &lattice, 2) || LFT(check_batch)(c, &f, &lattice, 2)) return;
    lft_normals(lft_draw_of(3, LFT_DRAW_USER, 0, 0), start, lattice.volume);
    for (k = 0; k < lattice.volume; ++k) phi[k] = (LFT(real))start[k];
    LFT(batch_set)(&x, 0, phi);
    LFT(force)(&theory, &x, &f);
    LFT(batch_get)(&f, 0, force);
    phi[0] = (LFT(real))((double)phi[0] + h);
    LFT(batch_set)(&x, 0, phi);
    phi[0] = (LFT(real))((double)phi[0] - 2 * h);
    LFT(batch_set)(&x, 1, phi);
    LFT(action)(&theory, &x, S);
    check(c, "force against a difference of the action", -(double)force[0], (S[0] - S[1]) / (2 * h), bound);
}

/* z to x and back, and the log-det of the map against that of a numerical Jacobian (4 integration steps would do for the
 * first; the second needs many, for its error of integration). */
static void LFT(check_inverse)(cli *c, double bound)
{
    LFT(flow)  flow;
    LFT(batch) z, x, back;
    LFT(real)  a[16], b[16];
    double     forward[16], inverse[16], logq[16], again[16], most = 0, sum = 0, wrong = 0;
    int        i, k;
    if (LFT(check_flow)(c, &flow, 2, 8, 0.2, lft_pool_openmp(1))) return;
    if (LFT(check_batch)(c, &z, &flow.lattice, 16) || LFT(check_batch)(c, &x, &flow.lattice, 16) ||
        LFT(check_batch)(c, &back, &flow.lattice, 16)) {
        return;
    }
    check_status(c, "a flow samples", LFT(flow_sample)(&flow, 1, 0, &z, logq), &flow.error);
    check_status(c, "a flow maps", LFT(flow_map)(&flow, &z, &x, forward), &flow.error);
    check_status(c, "a flow is inverted", LFT(flow_inverse)(&flow, &x, &back, inverse), &flow.error);
    for (i = 0; i < 16; ++i) {
        LFT(batch_get)(&z, i, a);
        LFT(batch_get)(&back, i, b);
        for (k = 0; k < flow.lattice.volume; ++k) most = fmax(most, fabs((double)a[k] - (double)b[k]));
        sum = fmax(sum, fabs(forward[i] + inverse[i]));
    }
    check(c, "inverse(forward(z)) - z", most, 0, bound);
    check(c, "log-det forward + inverse", sum, 0, bound);
    (void)LFT(flow_logq)(&flow, &z, again);
    for (i = 0; i < 16; ++i) wrong = fmax(wrong, fabs(logq[i] - again[i]));
    check(c, "log q of a sample, by the inverse", wrong, 0, 10 * bound);
}

#ifdef CLI_WIDE
/* log |det| of a[n][n] by elimination. */
static double log_det(double *a, int n)
{
    double sum = 0;
    int    i, j, k, best;
    for (k = 0; k < n; ++k) {
        for (best = k, i = k; i < n; ++i) best = fabs(a[i * n + k]) > fabs(a[best * n + k]) ? i : best;
        for (j = 0; j < n; ++j) {
            const double swap = a[k * n + j];
            a[k * n + j]    = a[best * n + j];
            a[best * n + j] = swap;
        }
        sum += log(fabs(a[k * n + k]));
        for (i = k + 1; i < n; ++i) {
            const double f = a[i * n + k] / a[k * n + k];
            for (j = k; j < n; ++j) a[i * n + j] -= f * a[k * n + j];
        }
    }
    return sum;
}

/* log |det dx/dz| against that of a Jacobian of central differences; many steps, for the error of integration. */
static void selftest_jacobian(cli *c)
{
    f64_flow  flow;
    f64_batch z, x;
    double         phi[16], out[16], matrix[256], logdet[33], logq[1];
    const double   h = 1e-5;
    int            i, k, V;
    if (f64_check_flow(c, &flow, 2, 64, 0.2, lft_pool_openmp(1))) return;
    V = flow.lattice.volume;
    if (f64_check_batch(c, &z, &flow.lattice, 2 * V + 1) || f64_check_batch(c, &x, &flow.lattice, 2 * V + 1)) return;
    (void)f64_check_batch(c, &z, &flow.lattice, 1);
    (void)f64_flow_sample(&flow, 1, 0, &z, logq);
    f64_batch_get(&z, 0, phi);
    (void)f64_check_batch(c, &z, &flow.lattice, 2 * V + 1);
    for (i = 0; i <= 2 * V; ++i) {
        if (i) phi[(i - 1) / 2] += i % 2 ? h : -h;
        f64_batch_set(&z, i, phi);
        if (i) phi[(i - 1) / 2] -= i % 2 ? h : -h;
    }
    check_status(c, "a flow maps a stencil", f64_flow_map(&flow, &z, &x, logdet), &flow.error);
    for (i = 0; i < 2 * V; ++i) {
        f64_batch_get(&x, i + 1, out);
        for (k = 0; k < V; ++k) matrix[i / 2 * V + k] = i % 2 ? (matrix[i / 2 * V + k] - out[k]) / (2 * h) : out[k];
    }
    check(c, "log-det against a numerical Jacobian", logdet[0], log_det(matrix, V), 1e-6);
}

/* The gradient of the loss by one parameter against a difference of losses on the same draws. */
static void selftest_gradient(cli *c)
{
    f64_theory  theory;
    f64_flow    flow;
    f64_trainer trainer;
    lft_train_desc   d;
    lft_arena        arena;
    double           loss[2], exact;
    const double     h = 1e-5;
    const size_t     at = 7;
    memset(&d, 0, sizeof d);
    d.batch = 32, d.estimator = LFT_TOTAL_GRADIENT;
    (void)f64_phi4_init(&theory, -1.5, 2, NULL);
    if (f64_check_flow(c, &flow, 3, 4, 0.1, lft_pool_openmp(1))) return;
    arena = cli_arena(c, f64_trainer_bytes(&flow, &d));
    if (c->error.code || cli_check(c, f64_trainer_init(&trainer, &flow, &theory, &d, &arena), &flow.error)) return;
    (void)f64_train_gradient(&trainer, 0, loss);
    exact = trainer.gradient[at];
    flow.params.value[at] += h;
    f64_flow_prepare(&flow);
    (void)f64_train_gradient(&trainer, 0, loss);
    flow.params.value[at] -= 2 * h;
    f64_flow_prepare(&flow);
    (void)f64_train_gradient(&trainer, 0, loss + 1);
    check(c, "gradient of the loss against a difference", exact, (loss[0] - loss[1]) / (2 * h), 1e-6 * (1 + fabs(exact)));
}
#endif

/* A free field is what the prior starts as: every weight is Z = prod_k sqrt(pi / (khat^2 + m2)). */
static void LFT(check_free_field)(cli *c, double bound)
{
    LFT(flow_desc) d;
    LFT(theory)    theory;
    LFT(flow)      flow;
    LFT(batch)     x;
    double         logw[64], S[64], exact = 0, khat2;
    lft_weights    w;
    int            mu, i, k, rest;
    memset(&d, 0, sizeof d);
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) d.extent[mu] = 4;
    d.prior.mass2 = 0.5;
    (void)LFT(phi4_init)(&theory, 0.5, 0, NULL);
    if (LFT(make_flow)(c, &flow, &d) || LFT(check_batch)(c, &x, &flow.lattice, 64)) return;
    check_status(c, "a free field is sampled", LFT(flow_sample)(&flow, 1, 0, &x, logw), &flow.error);
    LFT(action)(&theory, &x, S);
    for (i = 0; i < 64; ++i) logw[i] = -S[i] - logw[i];
    for (k = 0; k < flow.lattice.volume; ++k) {
        for (khat2 = 0, rest = k, mu = 0; mu < LFT_CLI_DIM; ++mu, rest /= 4) khat2 += 2 - 2 * cos(acos(-1.0) * (rest % 4) / 2);
        exact += 0.5 * log(acos(-1.0) / (khat2 + 0.5));
    }
    w = lft_weigh(logw, 64);
    check(c, "free field: log Z", w.logz, exact, bound);
    check(c, "free field: ESS", w.ess, 1, bound);
}

/* HMC on the ring of 4 sites, or on 2x2: <phi^2> is known exactly. In more dimensions trivial axes lead to the same. */
static void LFT(check_hmc)(cli *c)
{
    const double   exact = LFT_CLI_DIM == 1 ? .198341928314 : .171434423240;
    LFT(hmc_desc)  d;
    LFT(theory)    theory;
    LFT(hmc)       hmc;
    LFT(recorder)  r;
    lft_estimate   e;
    lft_arena      arena;
    int            mu, i;
    memset(&d, 0, sizeof d);
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) d.extent[mu] = LFT_CLI_DIM == 1 ? 4 : mu + 2 < LFT_CLI_DIM ? 1 : 2;
    d.seed = 5;
    (void)LFT(phi4_init)(&theory, LFT_CLI_DIM == 1 ? -2 : -4, LFT_CLI_DIM == 1 ? 4 : 8, NULL);
    arena = cli_arena(c, LFT(hmc_bytes)(&d));
    if (c->error.code || cli_check(c, LFT(hmc_init)(&hmc, &theory, &d, &arena, &c->error), &c->error)) return;
    if (LFT(recorder_init)(&r, c, &theory, &hmc.x.lattice, 64, 64, 64 * 1000)) return;
    check_status(c, "HMC thermalises", LFT(hmc_thermalise)(&hmc, 100), &hmc.error);
    for (i = 0; i < 1000 && !LFT(hmc_next)(&hmc); ++i) (void)LFT(recorder_round)(&r, &hmc.x, &c->error);
    e = LFT(observe)(&r.series, &theory, &r.lattice, LFT_PHI2, r.gamma, &c->error);
    check(c, "HMC: <phi^2> of a known lattice, in 4 sigma", e.value, exact, 4 * e.error);
    e = LFT(observe)(&r.series, &theory, &r.lattice, LFT_IDENTITY, r.gamma, &c->error);
    check(c, "HMC: <S>/V + lambda <phi^4>, in 4 sigma", e.value, 0.5, 4 * e.error);
}

/* The same bits for one thread and for several; and from a model that was written and read. */
static void LFT(check_same_bits)(cli *c)
{
    LFT(flow)       one, many;
    LFT(model)      read;
    LFT(theory)     theory;
    LFT(model_info) info;
    LFT(batch)      x;
    lft_arena       arena;
    double          a[64], b[64];
    memset(a, 0, sizeof a);
    memset(b, 1, sizeof b);
    memset(&read, 0, sizeof read);
    (void)LFT(phi4_init)(&theory, -1.5, 2, NULL);
    LFT(model_info_of)(&info, &theory);
    if (LFT(check_flow)(c, &one, 3, 4, 0.2, lft_pool_openmp(1)) || LFT(check_flow)(c, &many, 3, 4, 0.2, lft_pool_openmp(3)) ||
        LFT(check_batch)(c, &x, &one.lattice, 64)) {
        return;
    }
    (void)LFT(flow_sample)(&one, 1, 0, &x, a);
    (void)LFT(flow_sample)(&many, 1, 0, &x, b);
    check(c, "three threads: log q that differ", memcmp(a, b, sizeof a) != 0, 0, 0);
    memset(b, 1, sizeof b);
    arena = cli_arena(c, CLI_DESC_BYTES);
    if (LFT(document_of)(c, &one, &info, &read.doc) || LFT(model_of)(c, &read, lft_pool_openmp(1), 0, &arena)) return;
    (void)LFT(flow_sample)(&read.flow, 1, 0, &x, b);
    check(c, "model written and read: log q that differ", memcmp(a, b, sizeof a) != 0, 0, 0);
}

static lft_status LFT(selftest_command)(cli *c)
{
    const int wide = sizeof(LFT(real)) == 8;
    if (c->error.code) return c->error.code;
#ifdef CLI_WIDE
    selftest_random(c);
    selftest_jacobian(c);
    selftest_gradient(c);
#endif
    LFT(check_force)(c, wide ? 1e-6 : 2e-2);
    LFT(check_inverse)(c, wide ? 1e-11 : 1e-4);
    LFT(check_free_field)(c, wide ? 1e-11 : 1e-4);
    LFT(check_same_bits)(c);
    cli_release(c);
    LFT(check_hmc)(c);
    cli_release(c);
    return c->error.code;
}

/* ---- bench ---- */

typedef struct LFT(bench) {
    cli         *c;
    LFT(theory)  theory;
    LFT(flow)    flow;
    LFT(trainer) trainer;
    LFT(hmc)     hmc;
    LFT(batch)   x, force;
    lft_arena    scratch;
    double      *logq, *rows;
} LFT(bench);

static void LFT(bench_action)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    LFT(action)(&b->theory, &b->x, b->logq);
}
static void LFT(bench_force)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    LFT(force)(&b->theory, &b->x, &b->force);
}
static void LFT(bench_sample)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    (void)LFT(flow_sample)(&b->flow, 1, 0, &b->x, b->logq);
}
static void LFT(bench_logq)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    (void)LFT(flow_logq)(&b->flow, &b->x, b->logq);
}
static void LFT(bench_hmc)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    (void)LFT(hmc_next)(&b->hmc);
}
static void LFT(bench_measure)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    (void)LFT(measure)(&b->theory, &b->x, b->rows, b->scratch, NULL);
}
static void LFT(bench_step)(void *arg)
{
    LFT(bench) *b = (LFT(bench) *)arg;
    double      loss;
    (void)LFT(train_gradient)(&b->trainer, 0, &loss);
    LFT(flow_prepare)(&b->flow);
}

static lft_status LFT(bench_set_up)(LFT(bench) *b, const LFT(flow_desc) *d, const lft_train_desc *t)
{
    cli          *c     = b->c;
    const int     batch = t->batch;
    LFT(hmc_desc) h;
    lft_arena     arena;
    memset(&h, 0, sizeof h);
    memcpy(h.extent, d->extent, sizeof h.extent);
    h.pool = d->pool, h.steps = 10, h.chains = batch;
    if (LFT(make_flow)(c, &b->flow, d)) return c->error.code;
    arena = cli_arena(c, LFT(trainer_bytes)(&b->flow, t));
    if (c->error.code || cli_check(c, LFT(trainer_init)(&b->trainer, &b->flow, &b->theory, t, &arena), &b->flow.error)) {
        return c->error.code;
    }
    arena = cli_arena(c, LFT(hmc_bytes)(&h));
    if (c->error.code || cli_check(c, LFT(hmc_init)(&b->hmc, &b->theory, &h, &arena, &c->error), &c->error)) return c->error.code;
    b->scratch = cli_arena(c, LFT(measure_bytes)(&b->flow.lattice));
    b->rows    = (double *)cli_alloc(c, (size_t)LFT(observables_count)(&b->flow.lattice) * (size_t)batch * sizeof(double));
    b->logq    = (double *)cli_alloc(c, (size_t)batch * sizeof(double));
    if (LFT(check_batch)(c, &b->x, &b->flow.lattice, batch)) return c->error.code;
    return LFT(check_batch)(c, &b->force, &b->flow.lattice, batch);
}

static lft_status LFT(bench_command)(cli *c)
{
    static LFT(bench) b;
    LFT(flow_desc)    d;
    lft_train_desc    t;
    double            sites;
    int               mu;
    memset(&b, 0, sizeof b);
    memset(&t, 0, sizeof t);
    b.c     = c;
    t.batch = cli_batch(c, 1 << 20);
    t.seed  = cli_count(c, "seed", 1, 0, UINT64_MAX);
    demo_theory(c);
    (void)LFT(read_theory)(c, &b.theory);
    (void)LFT(read_flow_desc)(c, &d);
    d.pool = cli_pool(c);
    if (c->error.code || LFT(bench_set_up)(&b, &d, &t)) return c->error.code;
    LFT(show_lattice)(c, &b.flow.lattice, &b.theory, d.pool);
    for (sites = t.batch, mu = 0; mu < LFT_CLI_DIM; ++mu) sites *= d.extent[mu];
    if (!c->json) {
        cli_print_lattice(c->result);
        printf("  %s, %d lanes, %d threads, batches of %d\n", c->result->real, LFT(lanes)(), (int)c->result->threads, t.batch);
    }
    (void)bench_time(c, "action_ns_per_site", "ns, one thread", 1e9 / sites, LFT(bench_action), &b);
    (void)bench_time(c, "force_ns_per_site", "ns, one thread", 1e9 / sites, LFT(bench_force), &b);
    (void)bench_time(c, "measure_us", "us per configuration, one thread", 1e6 / t.batch, LFT(bench_measure), &b);
    (void)bench_time(c, "sample_us", "us per sample with log q", 1e6 / t.batch, LFT(bench_sample), &b);
    (void)bench_time(c, "logq_us", "us per log q of a given configuration", 1e6 / t.batch, LFT(bench_logq), &b);
    (void)bench_time(c, "train_step_ms", "ms per step of training", 1e3, LFT(bench_step), &b);
    (void)bench_time(c, "trajectory_us", "us per trajectory of 10 Omelyan steps", 1e6 / t.batch, LFT(bench_hmc), &b);
    return c->error.code;
}
