/* phi4.c: times the kernels of the scalar flow and says what fraction of the machine's peak they reach.
 * cc -O3 -march=native -ffp-contract=fast -I. bench/phi4.c -o build/bench/phi4 -lm
 *   build/bench/phi4                  the whole table, one thread
 *   build/bench/phi4 --case NAME      one case: one JSON line {"case": ..., "ours_ms": ...}
 * Every case checks its result before it is timed. Times are medians over batches of runs, of the CPU clock. */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LFT_IMPLEMENTATION
#define LFT_NAME  phi4
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_REAL  LFT_F32
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

#define LANES (phi4_lanes())
typedef phi4_p_v vector;

#define BENCH(name) phi4_##name
#include "bench.h"

/* ---- cases -------------------------------------------------------------------------------------------------------------- */

typedef struct bench {
    const char      *name;
    phi4_flow        flow;
    phi4_trainer     trainer;
    phi4_theory      theory;
    phi4_lattice     lattice;
    phi4_batch       x;
    phi4_p_hartley   hartley;
    vector          *field, *panel;
    double          *out;
} bench;

static double coupling(int extent)
{
    return extent <= 6 ? 6.975 : extent <= 8 ? 6.008 : extent <= 12 ? 5.276 : extent <= 20 ? 4.807 : 4.572;
}

static void run_hartley(void *arg)
{
    bench *b = (bench *)arg;
    phi4_p_hartley_apply(&b->hartley, b->field, b->panel);
}

/* Floating-point operations of one transform of one lane. */
static double flops_transform(const phi4_lattice *lattice)
{
    double flops = 0;
    int    mu, period;
    for (mu = 0; mu < 2; ++mu) {
        int    extent = lattice->extent[mu];
        double line   = 2.0 * (double)phi4_p_hartley_coefficients(extent, NULL) + 2.0 * extent; /* first, last butterfly */
        for (period = extent; phi4_p_hartley_splits(period); period /= 2) line += period;
        if (extent > 1) flops += line * lattice->volume / extent;
    }
    return flops;
}

static double flops_hartley(const bench *b)
{
    return flops_transform(&b->lattice) * LANES;
}

static void setup_lattice(bench *b, int extent)
{
    int e[2];
    e[0] = e[1] = extent;
    if (phi4_lattice_init(&b->lattice, e, NULL) || phi4_phi4_init(&b->theory, -4, coupling(extent), NULL)) exit(1);
}

static void setup_hartley(bench *b, int extent, lft_arena *arena)
{
    double error = 0;
    float *f;
    int    i;
    setup_lattice(b, extent);
    phi4_p_hartley_init(&b->hartley, &b->lattice, arena);
    b->field = phi4_p_vectors(arena, (size_t)b->lattice.volume);
    b->panel = phi4_p_vectors(arena, phi4_p_hartley_panel(&b->lattice));
    f        = (float *)b->field;
    for (i = 0; i < b->lattice.volume * LANES; ++i) f[i] = (float)(i % 17) - 8;
    run_hartley(b);
    run_hartley(b);
    for (i = 0; i < b->lattice.volume * LANES; ++i) error = fmax(error, fabs((double)f[i] - (i % 17 - 8)));
    if (!(error < 1e-4)) die(b->name, "the transform is not its own inverse");
}

/* paper: the model of 2110.02673 (9 frequencies, 10 hats, RK4 with 50 steps, N(0,1)); otherwise the library's default. */
static void setup_flow(bench *b, int extent, int paper, lft_arena *arena)
{
    phi4_flow_desc d;
    lft_train_desc t;
    size_t         i;
    memset(&d, 0, sizeof d);
    memset(&t, 0, sizeof t);
    setup_lattice(b, extent);
    d.extent[0] = d.extent[1] = extent;
    if (paper) {
        d.prior.kind            = LFT_PRIOR_NORMAL;
        d.continuous.basis = LFT_TIME_HAT;
        d.continuous.nodes = 10, d.continuous.steps = d.continuous.most_steps = 50;
        d.continuous.linear = d.continuous.gates = d.continuous.zeros = -1;
        t.estimator = LFT_TOTAL_GRADIENT, t.batch = 100, t.rate = 1e-3;
    }
    t.guard_every = -1;
    t.steps       = 1000000;
    if (phi4_flow_init(&b->flow, &d, arena, NULL)) die(b->name, "flow_init");
    for (i = 0; i < b->flow.params.count; ++i) b->flow.params.value[i] += 1e-3 * cos((double)i);
    phi4_flow_prepare(&b->flow);
    if (phi4_trainer_init(&b->trainer, &b->flow, &b->theory, &t, arena)) die(b->name, b->flow.error.text);
}

static void run_train(void *arg)
{
    bench *b = (bench *)arg;
    if (phi4_train_step(&b->trainer)) die(b->name, b->flow.error.text);
}

/* Operations of one training step: per site, feature and stage, a sine and a cosine count 24. */
static double flops_train(const bench *b)
{
    const phi4_p_continuous *s = (const phi4_p_continuous *)b->flow.layer[0].state;
    const double sines = s->u.sines, features = s->u.features, gates = s->u.gates, sets = 1 + gates;
    const double volume = s->u.volume, hartley = flops_transform(&b->lattice), sine = 24;
    const double forward = (features + sets) * hartley + volume * (sines * sine + features * (2 * sets + 2 * gates));
    const double score   = (features + sets) * hartley + volume * (sines * sine + features * (2 * sets + 6));
    const double anew    = (features + gates) * hartley + volume * features * (2 * sets + 2 * gates);
    const int    path = b->trainer.desc.estimator == LFT_PATH_GRADIENT;
    const double all  = score + anew + volume * features * (path ? -1 : 2 * gates + 6); /* path: nothing by the divergence */
    const double stages = 4.0 * b->flow.layer[0].steps, groups = (b->trainer.desc.batch + LANES - 1) / LANES;
    return groups * LANES * stages * (forward + (path ? score : 0) + all);
}

static void setup_sample(bench *b, int extent, lft_arena *arena)
{
    setup_flow(b, extent, 1, arena);
    if (phi4_batch_init(&b->x, &b->lattice, 1000, arena, NULL)) die(b->name, "batch_init");
    b->out = (double *)lft_arena_alloc(arena, 1000, sizeof(double));
}

static void run_sample(void *arg)
{
    bench *b = (bench *)arg;
    if (phi4_flow_sample(&b->flow, 1, 0, &b->x, b->out)) die(b->name, b->flow.error.text);
    phi4_action(&b->theory, &b->x, b->out);
}

/* The tutorial's flow (2101.08176): 16 affine couplings, two hidden fields of 8 channels, 3 x 3 taps, N(0,1). */
static void setup_coupling(bench *b, int extent, lft_arena *arena)
{
    enum { LAYERS = 16, SAMPLES = 1024 };
    static phi4_coupling_desc each[LAYERS];
    static phi4_layer_desc    list[LAYERS];
    static double             back[SAMPLES];
    phi4_flow_desc            d;
    lft_train_desc            t;
    size_t                    k;
    double                    error = 0;
    int                       i;
    memset(&d, 0, sizeof d);
    memset(&t, 0, sizeof t);
    setup_lattice(b, extent);
    if (phi4_phi4_init(&b->theory, -4, 8, NULL)) exit(1);
    for (i = 0; i < LAYERS; ++i) {
        each[i].parity = i % 2;
        list[i].ops    = phi4_coupling();
        list[i].desc   = each + i;
    }
    d.extent[0] = d.extent[1] = extent;
    d.prior.kind = LFT_PRIOR_NORMAL, d.layer = list, d.layers = LAYERS;
    t.estimator = LFT_TOTAL_GRADIENT, t.batch = 64, t.rate = 1e-3, t.guard_every = -1, t.steps = 1000000;
    if (phi4_flow_init(&b->flow, &d, arena, NULL)) die(b->name, "flow_init");
    for (k = 0; k < b->flow.params.count; ++k) b->flow.params.value[k] += 0.02 * cos((double)k);
    phi4_flow_prepare(&b->flow);
    if (phi4_trainer_init(&b->trainer, &b->flow, &b->theory, &t, arena)) die(b->name, b->flow.error.text);
    if (phi4_batch_init(&b->x, &b->lattice, SAMPLES, arena, NULL)) die(b->name, "batch_init");
    b->out = (double *)lft_arena_alloc(arena, SAMPLES, sizeof(double));
    if (phi4_flow_sample(&b->flow, 1, 0, &b->x, b->out) || phi4_flow_logq(&b->flow, &b->x, back)) {
        die(b->name, b->flow.error.text);
    }
    for (i = 0; i < SAMPLES; ++i) error = fmax(error, fabs(back[i] - b->out[i]) / (1 + fabs(back[i])));
    if (!(error < 1e-4)) die(b->name, "log q of the samples is not that of the inverse");
}

/* Operations of the convolutions, at all sites; the functions between them are left out. Training has three as large. */
static double flops_coupling(const bench *b, int samples)
{
    double sum = 0;
    int    i, l;
    for (i = 0; i < b->flow.layers; ++i) {
        const phi4_p_convnet *net = &((const phi4_p_coupling *)b->flow.layer[i].state)->net;
        for (l = 0; l < net->layers; ++l) sum += 2.0 * net->grid.taps * net->channels[l] * net->channels[l + 1];
    }
    return sum * b->lattice.volume * ((samples + LANES - 1) / LANES * LANES);
}

/* bench.h says what it does. */
static double bench_run_case(const char *name, double *flops)
{
    static bench b;
    lft_arena    arena = lft_arena_of(memory, memory_bytes);
    const char  *dash  = strrchr(name, 'L');
    int          extent = dash ? atoi(dash + 1) : 0;
    memset(&b, 0, sizeof b);
    b.name = name;
    *flops = 0;
    if (extent < 1 || extent > 64) return -1;
    if (!strncmp(name, "hartley-L", 9)) {
        setup_hartley(&b, extent, &arena);
        *flops = flops_hartley(&b);
        return 1e3 * time_of(run_hartley, &b);
    }
    if (!strncmp(name, "cnf-train-L", 11) || !strncmp(name, "train-L", 7)) {
        setup_flow(&b, extent, name[0] == 'c', &arena);
        *flops = flops_train(&b);
        return 1e3 * time_of(run_train, &b);
    }
    if (!strncmp(name, "cnf-sample-L", 12)) {
        setup_sample(&b, extent, &arena);
        return 1e3 * time_of(run_sample, &b);
    }
    if (!strncmp(name, "coupling-train-L", 16)) {
        setup_coupling(&b, extent, &arena);
        *flops = 3 * flops_coupling(&b, b.trainer.desc.batch);
        return 1e3 * time_of(run_train, &b);
    }
    if (!strncmp(name, "coupling-sample-L", 17)) {
        setup_coupling(&b, extent, &arena);
        *flops = flops_coupling(&b, b.x.n);
        return 1e3 * time_of(run_sample, &b);
    }
    return -1;
}

int main(int argc, char **argv)
{
    static const bench_kind kind[] = {{"hartley-L", {6, 8, 12, 16, 20, 32, 64, 0}},
                                      {"cnf-train-L", {6, 8, 12, 16, 20, 32, 0, 0}},
                                      {"cnf-sample-L", {6, 8, 12, 16, 20, 32, 0, 0}},
                                      {"train-L", {6, 8, 12, 16, 20, 32, 0, 0}},
                                      {"coupling-train-L", {6, 8, 12, 16, 20, 32, 0, 0}},
                                      {"coupling-sample-L", {6, 8, 12, 16, 20, 32, 0, 0}}};
    return bench_main(argc, argv,
                      "f32, one thread. train: the default model, batch 256; cnf: the model of 2110.02673, batch 100;\n"
                      "coupling: the model of 2101.08176, batch 64",
                      kind, (int)(sizeof kind / sizeof *kind));
}
