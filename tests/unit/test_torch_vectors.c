/* test_torch_vectors.c: flows against an independent program: field, log q, loss and gradients as PyTorch computes them
 * (bench/peers/cnf_torch.py and coupling_torch.py --dump; the files say what stands in them). */
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  v2
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#include "../instance.h"

enum { MOST = 4096, LANES = 16, SITES = 36 };

static unsigned char memory[8 << 20];
static char         *text; /* the file */

/* The numbers that stand behind "key":, brackets and commas left out; how many, at most MOST. */
static int numbers(const char *key, double *value)
{
    char        name[40], *at;
    const char *p;
    int         n = 0, depth = 0;
    snprintf(name, sizeof name, "\"%s\":", key);
    p = strstr(text, name);
    if (!p) {
        check_true(name, 0);
        return 0;
    }
    for (p += strlen(name); *p && n < MOST; ++p) {
        if (*p == '[') ++depth;
        else if (*p == ']') --depth;
        else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            value[n++] = strtod(p, &at);
            p          = at - 1;
        }
        if (depth == 0 && n > 0) break;
    }
    return n;
}

static double number(const char *key)
{
    double value[MOST];
    return numbers(key, value) == 1 ? value[0] : 0;
}

static char *read_file(const char *path)
{
    FILE  *f = fopen(path, "rb");
    char  *data;
    size_t n;
    if (!f) return NULL;
    data = (char *)malloc(1 << 20);
    n    = fread(data, 1, (1 << 20) - 1, f);
    data[n] = 0;
    fclose(f);
    return data;
}

/* The largest difference, in units of the largest expected number. */
static void compare(const char *file, const char *key, const double *value, int n, double bound)
{
    static double expected[MOST];
    double        worst = 0, size = 0;
    char          name[100];
    int           i, count = numbers(key, expected);
    for (i = 0; i < n; ++i) {
        if (!(fabs(value[i] - expected[i]) <= worst)) worst = fabs(value[i] - expected[i]);
        if (fabs(expected[i]) > size) size = fabs(expected[i]);
    }
    snprintf(name, sizeof name, "%s: %s, of %.2g", file, key, size);
    check_below(name, count == n ? worst / size : HUGE_VAL, bound);
}

/* log |det| of rows that backward makes of unit vectors, one row per lane */
static double log_det(const v2_layer *layer, const void *tape, int V, lft_arena scratch)
{
    static double   a[SITES * SITES];
    static v2_p_v   dx_[SITES];
    v2_real        *dx    = (v2_real *)dx_;
    const int       lanes = v2_lanes();
    double          zero[LANES] = {0};
    int             row, l, i;
    for (row = 0; row < V; row += lanes) {
        memset(dx_, 0, sizeof dx_);
        for (l = 0; l < lanes && row + l < V; ++l) dx[(row + l) * lanes + l] = 1;
        layer->ops->backward(layer, tape, dx, zero, NULL, scratch, NULL);
        for (l = 0; l < lanes && row + l < V; ++l) {
            for (i = 0; i < V; ++i) a[(row + l) * V + i] = dx[i * lanes + l];
        }
    }
    return v2_p_log_det(a, V);
}

static void test_file(const char *path)
{
    static double      W[MOST], z[MOST], phi[MOST], gradient[MOST], other[MOST], orbits[MOST];
    static v2_p_v      x_[SITES], dx_[SITES], one_[SITES];
    v2_real           *x = (v2_real *)x_, *dx = (v2_real *)dx_, *one = (v2_real *)one_;
    const char        *file = strrchr(path, '/') + 1;
    v2_flow            flow;
    v2_flow_desc       desc;
    v2_theory          theory;
    v2_layer          *layer;
    lft_arena          arena = lft_arena_of(memory, sizeof memory), scratch, work;
    unsigned char     *tape;
    double             logdet[LANES] = {0}, logq[LANES], S[LANES], div[LANES], dlogdet[LANES], loss = 0, *own, *dtheta;
    double            *kernel, *dkernel;
    v2_p_continuous   *state;
    v2_p_velocity_fields fields;
    v2_p_v            *v;
    int                L, V, F, A, O, n, i, l, o, a, f, lanes = v2_lanes();
    text = read_file(path);
    if (!text) {
        check_skipped(path, "no such file");
        return;
    }
    L = (int)number("L"), F = (int)number("frequencies"), A = (int)number("nodes"), n = (int)number("samples");
    V = L * L;
    memset(&desc, 0, sizeof desc);
    desc.extent[0] = desc.extent[1] = L;
    desc.prior.kind                      = LFT_PRIOR_NORMAL;
    desc.continuous.sines           = F;
    desc.continuous.linear = desc.continuous.gates = desc.continuous.zeros = -1;
    desc.continuous.basis                                                  = LFT_TIME_HAT;
    desc.continuous.nodes                                                  = A;
    desc.continuous.steps                                                  = (int)number("steps");
    if (V > SITES || v2_flow_init(&flow, &desc, &arena, NULL) ||
        v2_phi4_init(&theory, number("m2"), number("lambda"), NULL)) {
        check_true(path, 0);
        return;
    }
    layer = flow.layer;
    O     = numbers("orbits", orbits) / 2;
    check_near("number of orbits", O, flow.params.list[0].shape[3], 0);
    if (numbers("W", W) != O * A * F || numbers("z", z) != n * V) {
        check_true("shapes", 0);
        return;
    }
    kernel = flow.params.value + flow.params.list[0].offset;
    /* W[orbit][node][frequency] is our kernel[gate 0][frequency][node][orbit] */
    for (o = 0; o < O; ++o) {
        for (a = 0; a < A; ++a) {
            for (f = 0; f < F; ++f) kernel[(f * A + a) * O + o] = W[(o * A + a) * F + f];
        }
    }
    numbers("omega", flow.params.value + flow.params.list[1].offset);
    v2_flow_prepare(&flow);

    tape    = (unsigned char *)lft_arena_take(&arena, layer->tape_bytes, 1);
    own     = (double *)lft_arena_alloc(&arena, layer->gradient_count, sizeof(double));
    dtheta  = (double *)lft_arena_alloc(&arena, flow.params.count, sizeof(double));
    scratch = lft_arena_of(lft_arena_take(&arena, layer->scratch_bytes, 1), layer->scratch_bytes);

    for (i = 0; i < n; ++i) { /* one sample at a time, in all lanes; gradients of lane 0, which add up */
        for (l = 0; l < lanes; ++l) logdet[l] = dlogdet[l] = 0;
        for (o = 0; o < V * lanes; ++o) x[o] = z[i * V + o / lanes];
        memcpy(one, x, sizeof x_);

        /* the velocity at t = 0 */
        state  = (v2_p_continuous *)layer->state;
        work   = arena;
        fields = v2_p_velocity_scratch(&state->u, 0, &work);
        v      = v2_p_vectors(&work, (size_t)V);
        v2_p_velocity_forward(&state->u, 0, (const v2_p_v *)x_, &fields, v, div,
                              v2_p_vectors(&work, v2_p_hartley_panel(&flow.lattice)));
        for (o = 0; o < V; ++o) other[i * V + o] = ((v2_real *)v)[o * lanes];
        orbits[i] = div[0]; /* no longer needed: divergences */

        v2_p_prior_logq(&v2_p_flow_state_of(&flow)->prior, one_, logq, NULL, arena);
        W[i] = logq[0];
        if (layer->ops->forward(layer, x, x, logdet, NULL, tape, scratch, NULL)) check_true("forward", 0);
        W[100 + i] = logq[0] - logdet[0];
        theory.action(&theory, &flow.lattice, x, S, dx);
        W[200 + i] = S[0];
        loss += (W[100 + i] + S[0]) / n;
        for (o = 0; o < V; ++o) phi[i * V + o] = x[o * lanes];
        for (o = 0; o < V * lanes; ++o) dx[o] = o % lanes ? 0 : dx[o] / n;
        dlogdet[0] = -1.0 / n;
        layer->ops->backward(layer, tape, dx, dlogdet, own, scratch, NULL);
        for (o = 0; o < V; ++o) gradient[i * V + o] = dx[o * lanes] - z[i * V + o] / n; /* log_prior included */
        W[300 + i] = log_det(layer, tape, V, scratch);
    }
    compare(file, "velocity_0", other, n * V, 1e-13);
    compare(file, "divergence_0", orbits, n, 1e-13);
    compare(file, "log_prior", W, n, 1e-14);
    compare(file, "phi", phi, n * V, 1e-13);
    compare(file, "log_q", W + 100, n, 1e-13);
    compare(file, "log_det", W + 300, n, 1e-12);
    compare(file, "action", W + 200, n, 1e-13);
    compare(file, "loss", &loss, 1, 1e-13);
    compare(file, "grad_z", gradient, n * V, 1e-12);
    layer->ops->collect(layer, own, dtheta);
    dkernel = dtheta + flow.params.list[0].offset;
    for (o = 0; o < O; ++o) {
        for (a = 0; a < A; ++a) {
            for (f = 0; f < F; ++f) gradient[(o * A + a) * F + f] = dkernel[(f * A + a) * O + o];
        }
    }
    compare(file, "grad_W", gradient, O * A * F, 1e-12);
    compare(file, "grad_omega", dtheta + flow.params.list[1].offset, F, 1e-12);
    free(text);
}

/* Of one sample in all lanes: field, log-det, gradients of lane 0. gradient has the layers' one behind the other. */
typedef struct pass {
    v2_p_v   x[SITES], dx[SITES];
    double   logdet[LANES], gradient[MOST];
    v2_flow *flow;
} pass;

static void couplings_forward(pass *p, unsigned char *tape, lft_arena scratch)
{
    int i;
    for (i = 0; i < p->flow->layers; ++i) {
        const v2_layer *layer = p->flow->layer + i;
        if (layer->ops->forward(layer, (v2_real *)p->x, (v2_real *)p->x, p->logdet, NULL, tape, scratch, NULL)) {
            check_true("forward", 0);
        }
        tape += layer->tape_bytes;
    }
}

static void couplings_backward(pass *p, unsigned char *tape, double by_logdet, lft_arena scratch)
{
    double dlogdet[LANES] = {0}, *gradient = p->gradient;
    int    i;
    dlogdet[0] = by_logdet;
    for (i = 0; i < p->flow->layers; ++i) tape += p->flow->layer[i].tape_bytes, gradient += p->flow->layer[i].gradient_count;
    for (i = p->flow->layers - 1; i >= 0; --i) {
        const v2_layer *layer = p->flow->layer + i;
        tape -= layer->tape_bytes, gradient -= layer->gradient_count;
        layer->ops->backward(layer, tape, (v2_real *)p->dx, dlogdet, gradient, scratch, NULL);
    }
}

static int couplings_of(v2_flow *flow, int L, lft_arena *arena)
{
    static v2_coupling_desc each[8];
    static v2_layer_desc    list[8];
    v2_flow_desc            desc;
    double                  hidden[MOST];
    int                     i, k, n = numbers("hidden", hidden);
    memset(&desc, 0, sizeof desc);
    memset(each, 0, sizeof each);
    desc.extent[0] = desc.extent[1] = L;
    desc.prior.kind = LFT_PRIOR_NORMAL, desc.layer = list, desc.layers = (int)number("layers");
    if (desc.layers < 1 || desc.layers > 8 || n < 1 || n > 8 || L * L > SITES) return 0;
    for (i = 0; i < desc.layers; ++i) {
        each[i].parity = i % 2;
        for (k = 0; k < n; ++k) each[i].hidden[k] = (int)hidden[k];
        list[i].ops = v2_coupling(), list[i].desc = each + i;
    }
    return v2_flow_init(flow, &desc, arena, NULL) == LFT_OK;
}

static void test_couplings(const char *path)
{
    static pass    p;
    static double  z[MOST], phi[MOST], gradient[MOST], prior[LANES], logq[LANES], action[LANES];
    const char    *file = strrchr(path, '/') + 1;
    const int      lanes = v2_lanes();
    v2_real       *x = (v2_real *)p.x, *dx = (v2_real *)p.dx;
    v2_flow        flow;
    v2_theory      theory;
    lft_arena      arena = lft_arena_of(memory, sizeof memory), scratch;
    unsigned char *tape;
    double         S[LANES], lq[LANES], loss = 0;
    size_t         scratch_bytes = 0, tape_bytes = 0;
    int            V, n, i, o;
    text = read_file(path);
    if (!text) {
        check_skipped(path, "no such file");
        return;
    }
    V = (int)number("L") * (int)number("L"), n = (int)number("samples");
    if (!couplings_of(&flow, (int)number("L"), &arena) || v2_phi4_init(&theory, number("m2"), number("lambda"), NULL) ||
        flow.params.count > MOST || numbers("parameters", flow.params.value) != (int)flow.params.count ||
        numbers("z", z) != n * V) {
        check_true(path, 0);
        return;
    }
    v2_flow_prepare(&flow);
    for (i = 0; i < flow.layers; ++i) {
        tape_bytes += flow.layer[i].tape_bytes;
        if (flow.layer[i].scratch_bytes > scratch_bytes) scratch_bytes = flow.layer[i].scratch_bytes;
    }
    tape    = (unsigned char *)lft_arena_take(&arena, tape_bytes, 1);
    scratch = lft_arena_of(lft_arena_take(&arena, scratch_bytes, 1), scratch_bytes);
    memset(&p, 0, sizeof p);
    p.flow = &flow;
    for (i = 0; i < n; ++i) {
        memset(p.logdet, 0, sizeof p.logdet);
        for (o = 0; o < V * lanes; ++o) x[o] = z[i * V + o / lanes];
        v2_p_prior_logq(&v2_p_flow_state_of(&flow)->prior, p.x, lq, NULL, arena);
        couplings_forward(&p, tape, scratch);
        theory.action(&theory, &flow.lattice, x, S, dx);
        prior[i] = lq[0], logq[i] = lq[0] - p.logdet[0], action[i] = S[0];
        loss += (logq[i] + action[i]) / n;
        for (o = 0; o < V; ++o) phi[i * V + o] = x[o * lanes];
        for (o = 0; o < V * lanes; ++o) dx[o] = o % lanes ? 0 : dx[o] / n;
        couplings_backward(&p, tape, -1.0 / n, scratch);
        for (o = 0; o < V; ++o) gradient[i * V + o] = dx[o * lanes] - z[i * V + o] / n; /* log_prior included */
    }
    compare(file, "log_prior", prior, n, 1e-14);
    compare(file, "phi", phi, n * V, 1e-13);
    compare(file, "log_q", logq, n, 1e-13);
    for (i = 0; i < n; ++i) lq[i] = prior[i] - logq[i];
    compare(file, "jacobian_log_det", lq, n, 1e-11);
    compare(file, "action", action, n, 1e-13);
    compare(file, "loss", &loss, 1, 1e-13);
    compare(file, "grad_z", gradient, n * V, 1e-12);
    compare(file, "grad_parameters", p.gradient, (int)flow.params.count, 1e-12);
    free(text);
}

int main(void)
{
    test_couplings("tests/vectors/coupling_torch_L4.json");
    test_couplings("tests/vectors/coupling_torch_L6.json");
    test_file("tests/vectors/cnf_torch_L4.json");
    test_file("tests/vectors/cnf_torch_L6.json");
    return test_end();
}
