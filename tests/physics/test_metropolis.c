/* test_metropolis.c: independence Metropolis with an untrained flow: against the exact 2 x 2 lattice, against a plain loop
 * over single samples, for any number of threads, resumed, and with proposals that overflow. */
#include <stdlib.h>
#include "../test.h"

#define LFT_STATIC
#define LFT_NAME  c2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#include "../pool.h"

static unsigned char memory[16 << 20], series_memory[96 << 20];
static double        logw[64 * 8000];

static double special(uint64_t bits) /* INFINITY and NAN do not survive -ffast-math */
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static c2_theory phi4(double m2, double lambda)
{
    c2_theory theory;
    lft_error e;
    if (c2_phi4_init(&theory, m2, lambda, &e) != LFT_OK) check_true(e.text, 0);
    return theory;
}

/* The free prior with a mass that suits the couplings; layers that are the identity. */
static c2_flow flow_of(int a, int b, double mass2, lft_prior_kind kind, const c2_layer_desc *layer, lft_pool pool,
                       lft_arena *arena)
{
    c2_flow_desc desc;
    c2_flow      flow;
    lft_error    e;
    memset(&desc, 0, sizeof desc);
    desc.extent[0] = a, desc.extent[1] = b;
    desc.prior.kind       = kind;
    desc.prior.mass2 = mass2;
    desc.layer       = layer;
    desc.layers      = layer != NULL;
    desc.pool        = pool;
    desc.continuous.sines = desc.continuous.steps = 1; /* the identity at any price is the identity */
    desc.continuous.gates = desc.continuous.zeros = -1;
    if (c2_flow_init(&flow, &desc, arena, &e) != LFT_OK) check_true(e.text, 0);
    return flow;
}

static lft_pool serial(void)
{
    lft_pool pool = {0, 0, 0};
    return pool;
}

static c2_chain chain_of(c2_flow *flow, const c2_theory *theory, int chains, uint64_t seed, lft_arena *arena)
{
    c2_chain_desc desc;
    c2_chain      chain;
    lft_error     e;
    memset(&desc, 0, sizeof desc);
    desc.chains = chains, desc.seed = seed;
    if (c2_chain_init(&chain, flow, theory, &desc, arena, &e) != LFT_OK) check_true(e.text, 0);
    return chain;
}

/* The acceptance that the weights of the proposals imply: sum_ij min(w_i, w_j) / (n sum_i w_i). Sorts the weights. */
static double implied_acceptance(double *w, size_t n)
{
    double sum = 0, least = 0;
    size_t i;
    qsort(w, n, sizeof *w, by_size);
    for (i = 0; i < n; ++i) {
        sum += exp(w[i]);
        least += exp(w[i]) * (2.0 * (double)(n - 1 - i) + 1);
    }
    return least / ((double)n * sum);
}

static void exact(const char *name, int extent, double m2, double lambda, double mass2, lft_prior_kind kind,
                  const double *expected)
{
    static const int which[] = {LFT_CHI2, LFT_BINDER, LFT_PHI2, LFT_PHI4};
    const c2_theory  theory  = phi4(m2, lambda);
    lft_arena        arena   = lft_arena_of(memory, sizeof memory);
    lft_arena        series_arena = lft_arena_of(series_memory, sizeof series_memory);
    c2_flow          flow    = flow_of(extent, extent, mass2, kind, NULL, serial(), &arena);
    c2_chain         chain   = chain_of(&flow, &theory, 0, 11, &arena);
    lft_series       series;
    lft_weights      w;
    double           acceptance;
    size_t           n = 0;
    int              i, k, bad = 0;
    bad += lft_series_init(&series, c2_observables_count(&flow.lattice), 64, 8000, &series_arena, NULL) != LFT_OK;
    for (i = 0; i < 8000; ++i) {
        bad += c2_chain_next(&chain) != LFT_OK;
        for (k = 0; k < 64; ++k) logw[n++] = chain.proposal_logw[k];
        bad += c2_measure_into(&theory, &chain.x, &series, arena, NULL) != LFT_OK;
    }
    w          = lft_weigh(logw, n);
    acceptance = (double)chain.accepted / ((double)chain.steps * chain.chains);
    printf("---- %s: ESS %.3f, acceptance %.3f, longest run %d\n", name, w.ess, acceptance, (int)chain.longest);
    check_true("all steps", !bad);
    check_sigma("log Z", w.logz, expected[0], w.logz_error);
    for (i = 0; i < 4; ++i) {
        const lft_estimate e = c2_observe(&series, &theory, &flow.lattice, which[i], series_arena, NULL);
        check_sigma(c2_observable_name(which[i]), e.value, expected[1 + i], e.error);
        if (!e.reliable) check_true(lft_doubt_str(e.doubts), 0);
    }
    check_near("acceptance that the weights imply", acceptance, implied_acceptance(logw, n), 0.004);
}

/* The same chains by a plain loop: one sample at a time, and every rule spelled out. */
static void plain(int chains)
{
    enum { STEPS = 30 };
    const c2_theory theory = phi4(-2, 3);
    lft_arena       arena  = lft_arena_of(memory, sizeof memory);
    c2_flow         flow   = flow_of(3, 4, 1, LFT_PRIOR_FREE, NULL, serial(), &arena);
    c2_chain        chain  = chain_of(&flow, &theory, chains, 5, &arena);
    c2_batch        one;
    double          x[12], proposal[12], accepted = 0;
    int             c, step, same = 1, longest = 0;
    for (step = 0; step < STEPS; ++step) same = same && c2_chain_next(&chain) == LFT_OK;
    memset(&one, 0, sizeof one);
    (void)c2_batch_init(&one, &flow.lattice, 1, &arena, NULL);
    for (c = 0; c < chains; ++c) {
        double w = 0, logq, S;
        int    run = 0;
        for (step = 0; step <= STEPS; ++step) {
            const uint64_t number = (uint64_t)(step * chains + c);
            same = same && c2_flow_sample(&flow, 5, number, &one, &logq) == LFT_OK;
            c2_action(&theory, &one, &S);
            c2_batch_get(&one, 0, proposal);
            if (step == 0 || log(lft_uniform(lft_draw_of(5, LFT_DRAW_ACCEPT, number, 0), 0)) < -S - logq - w) {
                memcpy(x, proposal, sizeof x);
                w   = -S - logq;
                run = 0;
                accepted += step > 0;
            } else longest = ++run > longest ? run : longest;
        }
        c2_batch_get(&chain.x, c, proposal);
        same = same && !memcmp(x, proposal, sizeof x) && w == chain.logw[c] && (uint64_t)run == chain.run[c] &&
               chain.proposal_logw[c] == -S - logq;
    }
    printf("---- rules, %d chains\n", chains);
    check_true("the same bits as a plain loop over single samples", same);
    check_true("accepted and longest run", accepted == (double)chain.accepted && longest == (int)chain.longest);
    check_true("counters", chain.steps == STEPS && chain.rounds == STEPS + 1 && chain.nonfinite == 0);
}

static uint64_t bits_of(const c2_chain *chain) /* of all configurations and their log-weights, summed with weights */
{
    double   x[13];
    uint64_t bits[13], sum = 0;
    int      i, s;
    for (i = 0; i < chain->chains; ++i) {
        c2_batch_get(&chain->x, i, x);
        x[12] = chain->logw[i];
        memcpy(bits, x, sizeof bits);
        for (s = 0; s < 13; ++s) sum += bits[s] * (uint64_t)(2 * (13 * i + s) + 1);
    }
    return sum;
}

/* What a chain is, copied into another, or put back when other rounds have been drawn, goes on in the same way. */
static void resuming(int chains)
{
    const c2_theory theory = phi4(-2, 3);
    lft_arena       arena  = lft_arena_of(memory, sizeof memory);
    c2_flow         flow   = flow_of(3, 4, 1, LFT_PRIOR_FREE, NULL, serial(), &arena);
    c2_chain        a = chain_of(&flow, &theory, chains, 5, &arena), b = chain_of(&flow, &theory, chains, 5, &arena), was;
    double          x[21][12], w[21];
    uint64_t        run[21], sum;
    int             i, step, turn;
    for (step = 0; step < 8; ++step) (void)c2_chain_next(&a);
    was = b;
    was.rounds = a.rounds, was.steps = a.steps, was.accepted = a.accepted, was.longest = a.longest;
    for (i = 0; i < chains; ++i) {
        c2_batch_get(&a.x, i, x[i]);
        w[i] = a.logw[i], run[i] = a.run[i];
    }
    for (step = 8; step < 40; ++step) (void)c2_chain_next(&a);
    sum = bits_of(&a);
    for (turn = 0; turn < 3; ++turn) {
        b = was;
        for (i = 0; i < chains; ++i) {
            c2_batch_set(&b.x, i, x[i]);
            b.logw[i] = w[i], b.run[i] = run[i];
        }
        b.seed = turn == 1 ? 6 : 5;
        for (step = 8; step < 40; ++step) (void)c2_chain_next(&b);
        check_true(turn == 1 ? "another seed, other chains" : "resumed from its members",
                   turn == 1 ? bits_of(&b) != sum : bits_of(&b) == sum && b.accepted == a.accepted);
    }
}

static void threads_and_resuming(void)
{
    const c2_theory theory = phi4(-2, 3);
    uint64_t        sum    = 0;
    int             threads, real, step;
    for (real = 0; real < 2; ++real) {
        for (threads = 1; threads <= 3; ++threads) {
            lft_arena arena = lft_arena_of(memory, sizeof memory);
            lft_pool  pool  = lft_pool_openmp(threads); /* serial without -fopenmp */
            c2_flow   flow;
            c2_chain  chain;
            char      name[60];
            if (!real) pool = test_pool(&threads);
            flow  = flow_of(3, 4, 1, LFT_PRIOR_FREE, NULL, pool, &arena);
            chain = chain_of(&flow, &theory, 21, 5, &arena);
            for (step = 0; step < 20; ++step) (void)c2_chain_next(&chain);
            if (!sum) sum = bits_of(&chain);
            snprintf(name, sizeof name, "same bits with %d threads, %s", threads, real ? "OpenMP's" : "backwards");
            check_true(name, bits_of(&chain) == sum);
        }
    }
    resuming(21);
    resuming(3);
    resuming(1);
}

/* ---- overflow ------------------------------------------------------------------------------------------------------------ */

/* S = phi^2, but `user` points to what it is where phi(0) > 0. */
static void broken_action(const c2_theory *theory, const c2_lattice *lattice, const c2_real *phi, double *S, c2_real *dS)
{
    const int lanes = c2_lanes();
    int       l, x;
    (void)dS;
    for (l = 0; l < lanes; ++l) {
        for (S[l] = 0, x = 0; x < lattice->volume; ++x) S[l] += phi[x * lanes + l] * phi[x * lanes + l];
        if (phi[l] > 0) memcpy(S + l, theory->user, sizeof *S);
    }
}

static c2_theory broken(double *value)
{
    c2_theory theory = phi4(1, 1);
    theory.name      = "broken";
    theory.action    = broken_action;
    theory.user      = value;
    return theory;
}

/* A layer that is the identity, but its log-det is `value` where phi(0) > 0, and then its status is `status`. */
static double     layer_value;
static lft_status layer_status;

static lft_status layer_init(c2_layer *layer, const char *name, lft_parameters *set, lft_arena *arena, lft_error *error)
{
    (void)name, (void)set, (void)arena, (void)error;
    layer->out = layer->in;
    return LFT_OK;
}

static void layer_start(const c2_layer *layer, double *theta, double *pace)
{
    (void)layer, (void)theta, (void)pace;
}

static void layer_prepare(c2_layer *layer, const double *theta)
{
    (void)layer, (void)theta;
}

static lft_status layer_forward(const c2_layer *layer, const c2_real *in, c2_real *out, double *logdet, c2_real *score,
                                void *tape, lft_arena scratch, lft_error *error)
{
    const int  lanes  = c2_lanes();
    lft_status status = LFT_OK;
    int        l;
    (void)score, (void)tape, (void)scratch;
    if (out != in) memcpy(out, in, (size_t)(layer->in.volume * lanes) * sizeof *out);
    for (l = 0; l < lanes; ++l) {
        if (!(in[l] > 0)) continue;
        memcpy(logdet + l, &layer_value, sizeof layer_value);
        status = layer_status;
        if (status) snprintf(error->text, sizeof error->text, "test: broken on purpose");
    }
    return status;
}

static c2_layer_ops        broken_ops;
static const c2_layer_desc broken_layer = {&broken_ops, &layer_value};

/* No chain is ever where phi(0) > 0; about half of the proposals are. */
static void avoids(const char *name, const c2_theory *theory, const c2_layer_desc *layer)
{
    lft_arena arena = lft_arena_of(memory, sizeof memory);
    c2_flow   flow  = flow_of(3, 4, 1, LFT_PRIOR_FREE, layer, serial(), &arena);
    c2_chain  chain = chain_of(&flow, theory, 21, 5, &arena);
    double    x[12];
    int       i, step, ok = chain.rounds > 1;
    for (step = 0; step < 50; ++step) {
        ok = ok && c2_chain_next(&chain) == LFT_OK;
        for (i = 0; i < 21; ++i) {
            c2_batch_get(&chain.x, i, x);
            ok = ok && !(x[0] > 0) && lft_finite(chain.logw[i]);
        }
    }
    check_true(name, ok && chain.accepted > 100);
    check_near("    counted", (double)chain.nonfinite / (21.0 * (double)chain.rounds), 0.5, 0.05);
}

static void overflows(void)
{
    const uint64_t  value[] = {0x7ff8000000000000u, 0x7ff0000000000000u, 0xfff0000000000000u};
    const char     *what[]  = {"NaN", "infinity", "minus infinity"};
    const c2_theory theory  = phi4(-2, 3);
    c2_chain        chain;
    c2_flow         flow;
    lft_arena       arena;
    double          bad;
    uint64_t        sum;
    char            name[60];
    int             i;
    broken_ops.kind    = "broken";
    broken_ops.init    = layer_init;
    broken_ops.start   = layer_start;
    broken_ops.prepare = layer_prepare;
    broken_ops.forward = layer_forward;
    for (i = 0; i < 3; ++i) {
        c2_theory b;
        bad = special(value[i]);
        b   = broken(&bad);
        snprintf(name, sizeof name, "never where the action is %s", what[i]);
        avoids(name, &b, NULL);
        layer_value  = special(value[i]);
        layer_status = LFT_OK;
        snprintf(name, sizeof name, "never where the flow's log-det is %s", what[i]);
        avoids(name, &theory, &broken_layer);
    }
    layer_status = LFT_ERR_NONFINITE;
    layer_value  = special(value[0]);
    avoids("never where it says so", &theory, &broken_layer);

    /* Another failure stops the chains where they are. */
    layer_status = LFT_OK, layer_value = 0;
    arena = lft_arena_of(memory, sizeof memory);
    flow  = flow_of(3, 4, 1, LFT_PRIOR_FREE, &broken_layer, serial(), &arena);
    chain = chain_of(&flow, &theory, 21, 5, &arena);
    (void)c2_chain_next(&chain);
    sum          = bits_of(&chain);
    layer_status = LFT_ERR_NOCONV;
    check_true("other errors of the flow are passed on", c2_chain_next(&chain) == LFT_ERR_NOCONV && chain.error.text[0]);
    check_true("    and nothing has moved", bits_of(&chain) == sum && chain.steps == 1 && chain.rounds == 2);
}

static void all_broken_action(const c2_theory *theory, const c2_lattice *lattice, const c2_real *phi, double *S, c2_real *dS)
{
    int l;
    (void)lattice, (void)phi, (void)dS;
    for (l = 0; l < c2_lanes(); ++l) memcpy(S + l, theory->user, sizeof *S);
}

static void refusals(void)
{
    double        bad    = special(0x7ff8000000000000u);
    c2_theory     theory = phi4(1, 1);
    lft_arena     arena  = lft_arena_of(memory, sizeof memory), here;
    c2_flow       flow   = flow_of(3, 4, 1, LFT_PRIOR_FREE, NULL, serial(), &arena);
    c2_chain_desc desc;
    c2_chain      chain;
    lft_error     e;
    size_t        bytes;
    memset(&desc, 0, sizeof desc);
    bytes = c2_chain_bytes(&flow.lattice, &desc);
    here  = lft_arena_of(series_memory + 1, bytes);
    check_true("init in exactly chain_bytes", c2_chain_init(&chain, &flow, &theory, &desc, &here, &e) == LFT_OK);
    check_true("    64 chains", chain.chains == 64 && chain.x.n == 64);
    here = lft_arena_of(series_memory + 1, bytes - 63);
    check_true("not in 63 fewer", c2_chain_init(&chain, &flow, &theory, &desc, &here, &e) == LFT_ERR_NOMEM && e.text[0]);
    theory.action = all_broken_action;
    theory.user   = &bad;
    e.text[0]     = 0;
    check_true("no start: says so", c2_chain_init(&chain, &flow, &theory, &desc, &arena, &e) == LFT_ERR_NONFINITE);
    printf("    %s\n", e.text);
    check_true("    with a text", e.text[0] && chain.rounds == 1000);
    desc.chains = -1;
    check_true("chains < 0", c2_chain_init(&chain, &flow, &theory, &desc, &arena, &e) == LFT_ERR_ARG &&
                                 !c2_chain_bytes(&flow.lattice, &desc));
}

int main(void)
{
    int chains;
    static const double one_site[]     = {.733748687322, .223366242394, .418138, .223366242394, .087091560598};
    static const double broken_phase[] = {.914433978425, .450481641481, .363764244432, .171434423240, .056169583896};
    static const double symmetric[]    = {-.680230025670, .294085021261, .099900191472, .130146127154, .045955444337};
    exact("one site, m2 = -4, lambda = 8, normal prior", 1, -4, 8, 1, LFT_PRIOR_NORMAL, one_site);
    exact("2 x 2, m2 = -4, lambda = 8, free prior", 2, -4, 8, 1, LFT_PRIOR_FREE, broken_phase);
    exact("2 x 2, m2 = 1, lambda = 1, free prior", 2, 1, 1, 1.5, LFT_PRIOR_FREE, symmetric);
    plain(21);
    for (chains = 1; chains <= c2_lanes() + 1; ++chains) plain(chains); /* fewer than lanes, and one more */
    threads_and_resuming();
    overflows();
    refusals();
    return test_end();
}
