/* lft_flow.h: flow and model of a command (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

/* Of lft_scalar_flow.h or lft_gauge_flow.h: the theory that a model is of, and the dimension of a configuration. */
static lft_status LFT(model_theory)(cli *c, const LFT(model_info) *info, LFT(theory) *theory);
static size_t     LFT(dimension)(const LFT(flow) *flow);

/* There too: a flow like that of a model that draws, on the lattice of the options. d: that of the model, with the extents of the
 * options. */
typedef struct LFT(model) LFT(model);
static lft_status LFT(scales_of)(cli *c, const LFT(model) *m, LFT(flow_desc) *d);

/* And finer scales behind a model that is frozen; a net beside the loops of a model; and the theory that the first so many layers
 * of a flow are trained for. */
static lft_status LFT(scales_behind)(cli *c, const LFT(model) *m, const LFT(flow_desc) *asked, LFT(flow_desc) *d);
static lft_status LFT(model_with_net)(cli *c, const LFT(model) *m, const LFT(flow_desc) *asked, LFT(flow_desc) *d);
static void       LFT(show_loops)(cli *c, const LFT(flow) *flow); /* of a flow of one layer */
static int        LFT(exact_layers)(const LFT(flow) *flow); /* at its beginning: they draw, and have nothing to train */
static void       LFT(coarse_theory)(cli *c, const LFT(flow) *flow, int layers, const LFT(theory) *theory, LFT(theory) *coarse);

/* The most of any layer; 0 where none integrates. */
static int LFT(integration_steps)(const LFT(flow) *flow)
{
    int i, most = 0;
    for (i = 0; i < flow->layers; ++i) most = flow->layer[i].steps > most ? flow->layer[i].steps : most;
    return most;
}

/* Layers that draw; where all do, log q is that of the draws. */
static int LFT(draws)(const LFT(flow) *flow)
{
    int i, n = 0;
    for (i = 0; i < flow->layers; ++i) n += flow->layer[i].ops->draw != NULL;
    return n;
}

/* What the flow is, for the report. */
static void LFT(show_flow)(cli *c, const LFT(flow) *flow)
{
    cli_result *r        = c->result;
    const int   draws    = LFT(draws)(flow);
    r->flow              = draws == flow->layers ? "exact" : draws ? "multiscale" : flow->layer[0].ops->kind;
    r->layers            = (uint64_t)flow->layers;
    r->parameters        = flow->params.count;
    r->integration_steps = (uint64_t)LFT(integration_steps)(flow);
    LFT(show_loops)(c, flow);
}

/* Says where loops close around the lattice; on a larger one their classes are others. */
static void LFT(note_torus)(cli *c, const LFT(flow) *flow)
{
    int i, mu;
    for (i = 0; i < flow->layers; ++i) {
        for (mu = 0; mu < LFT_CLI_DIM; ++mu) {
            if (!flow->layer[i].period[mu]) continue;
            cli_note(c, "loops close around the lattice along axes of %d sites: their classes are those of this lattice",
                     flow->layer[i].period[mu]);
            return;
        }
    }
}

/* Lays a flow out in memory of its own. */
static lft_status LFT(make_flow)(cli *c, LFT(flow) *flow, const LFT(flow_desc) *d)
{
    lft_arena  measure = lft_arena_measure(), arena;
    lft_error  e;
    lft_status status;
    memset(&e, 0, sizeof e);
    if (c->error.code) return c->error.code;
    status = LFT(flow_init)(flow, d, &measure, &e); /* the byte query, with its error text */
    if (!status) arena = cli_arena(c, measure.need);
    if (c->error.code) return c->error.code;
    if (!status) status = LFT(flow_init)(flow, d, &arena, &e);
    if (!status) LFT(note_torus)(c, flow);
    return cli_check(c, status, &e);
}

/* ---- models ---- */

struct LFT(model) {
    LFT(theory)     theory;
    LFT(flow_desc)  desc;
    LFT(flow)       flow;
    LFT(model_info) info;
    lft_safetensors doc;
};

/* Room for twice the steps in every layer that has them. */
static void LFT(room_for_twice)(cli *c, LFT(flow_desc) *d)
{
    const size_t          n    = (size_t)d->layers;
    LFT(layer_desc)      *list = (LFT(layer_desc) *)cli_alloc(c, n * sizeof *list);
    LFT(continuous_desc) *of   = (LFT(continuous_desc) *)cli_alloc(c, n * sizeof *of);
    size_t                i;
    if (c->error.code) return;
    for (i = 0; i < n; ++i) {
        list[i] = d->layer[i];
        if (list[i].ops != LFT(continuous)()) continue;
        of[i] = *(const LFT(continuous_desc) *)list[i].desc;
        if (of[i].most_steps < 2 * of[i].steps) of[i].most_steps = 2 * of[i].steps;
        list[i].desc = of + i;
    }
    d->layer = list;
}

/* The flow of a document, with its parameters; with room for twice its integration steps, if asked. */
static lft_status LFT(model_of)(cli *c, LFT(model) *m, lft_pool pool, int twice, lft_arena *arena)
{
    lft_error  e;
    lft_status status;
    memset(&e, 0, sizeof e);
    if (c->error.code) return c->error.code;
    status       = LFT(model_desc)(&m->doc, NULL, &m->desc, &m->info, arena, &e);
    m->desc.pool = pool;
    if (cli_check(c, status, &e)) return status;
    if (twice) LFT(room_for_twice)(c, &m->desc);
    if (LFT(model_theory)(c, &m->info, &m->theory)) return c->error.code;
    if (LFT(make_flow)(c, &m->flow, &m->desc)) return c->error.code;
    return cli_check(c, LFT(model_restore)(&m->flow, &m->doc, &e), &e);
}

#define CLI_DESC_BYTES 65536 /* for the descs of CLI_LAYERS layers */

static lft_status LFT(load_model)(cli *c, const char *path, lft_pool pool, LFT(model) *m)
{
    lft_arena arena;
    if (!path || c->error.code || cli_load(c, path, &m->doc, &arena, CLI_DESC_BYTES)) return c->error.code;
    return LFT(model_of)(c, m, pool, 0, &arena);
}

static size_t LFT(count_bytes)(void *user, const void *data, size_t n)
{
    (void)data;
    *(size_t *)user += n;
    return n;
}

static size_t LFT(hash_bytes)(void *user, const void *data, size_t n)
{
    uint64_t            hash = *(uint64_t *)user;
    const unsigned char *p   = (const unsigned char *)data;
    size_t               i;
    for (i = 0; i < n; ++i) hash = (hash ^ p[i]) * 1099511628211u;
    *(uint64_t *)user = hash;
    return n;
}

/* A number that other models do not have, FNV-1a of the file that it would be: a checkpoint tells them apart by it. */
static uint64_t LFT(model_number)(cli *c, const LFT(flow) *flow, const LFT(model_info) *info)
{
    const int    blocks  = c->blocks;
    const size_t bytes   = c->bytes;
    uint64_t     hash    = 14695981039346656037u;
    lft_arena    scratch = cli_arena(c, LFT(model_bytes)(flow));
    lft_writer   to;
    to.write = LFT(hash_bytes);
    to.user  = &hash;
    if (!c->error.code) (void)cli_check(c, LFT(model_save)(flow, info, to, scratch, &c->error), &c->error);
    while (c->blocks > blocks) free(c->block[--c->blocks]);
    c->bytes = bytes;
    return hash;
}

/* The flow as a document in memory, for an instance of the other type. */
static lft_status LFT(document_of)(cli *c, const LFT(flow) *flow, const LFT(model_info) *info, lft_safetensors *doc)
{
    lft_arena  scratch = cli_arena(c, LFT(model_bytes)(flow)), measure = lft_arena_measure(), arena;
    size_t     size    = 0;
    void      *file;
    lft_writer counter;
    lft_memory memory;
    lft_error  e;
    memset(&e, 0, sizeof e);
    counter.write = LFT(count_bytes);
    counter.user  = &size;
    if (c->error.code || cli_check(c, LFT(model_save)(flow, info, counter, scratch, &e), &e)) return c->error.code;
    file = cli_alloc(c, size);
    if (!file) return c->error.code;
    (void)cli_check(c, LFT(model_save)(flow, info, lft_memory_writer(&memory, file, size), scratch, &e), &e);
    (void)cli_check(c, lft_safetensors_load(lft_memory_reader(&memory, file, size), &measure, doc, &e), &e);
    arena = cli_arena(c, measure.need);
    if (c->error.code) return c->error.code;
    return cli_check(c, lft_safetensors_load(lft_memory_reader(&memory, file, size), &arena, doc, &e), &e);
}

/* ---- epsilon, always in double precision ---- */

#ifdef CLI_WIDE
typedef struct cli_wide {
    f64_model model;
    lft_arena      scratch;
} cli_wide;

static lft_status cli_wide_open(cli *c, cli_wide *w, const lft_safetensors *doc, lft_pool pool, int twice)
{
    static int said;
    lft_arena  arena = cli_arena(c, CLI_DESC_BYTES);
    size_t     n;
    w->model.doc     = *doc;
    if (f64_model_of(c, &w->model, pool, twice, &arena)) return c->error.code;
    n = f64_dimension(&w->model.flow);
    if (twice) return c->error.code;
    if (n > CLI_JACOBIAN && !said++) {
        cli_note(c, "epsilon: a Jacobian of %lu rows, %.0f MB and minutes for each sample; --measure-logq N: that many, 0: none",
                 (unsigned long)n, 8e-6 * (double)n * (double)n);
    }
    w->scratch = cli_arena(c, f64_flow_logq_error_bytes(&w->model.flow));
    return c->error.code;
}

/* A family at the couplings of a theory. */
static lft_status cli_wide_at(cli *c, cli_wide *w, const double *coupling)
{
    f64_flow *flow = &w->model.flow;
    if (c->error.code || !flow->family.degree) return c->error.code;
    memcpy(w->model.theory.coupling, coupling, (size_t)flow->family.couplings * sizeof *coupling);
    return cli_check(c, f64_flow_at(flow, coupling, flow->family.couplings), &flow->error);
}

/* Sample by sample, so that it can be watched and stopped. Their numbers are far from those that training has seen. n = 0, and no
 * error, where it is not finite. */
static lft_status cli_measure_logq(cli *c, cli_wide *w, uint64_t seed, int n, lft_logq_error *out)
{
    const uint64_t first = (uint64_t)1 << 40;
    f64_flow      *flow  = &w->model.flow;
    double         mean = 0, squares = 0;
    lft_logq_error one;
    lft_status     status = c->error.code;
    int            i;
    memset(out, 0, sizeof *out);
    for (i = 0; i < n && !status && !cli_signal; ++i) {
        double d;
        status = f64_flow_logq_error(flow, seed, first + (uint64_t)i, 1, &one, w->scratch);
        if (status) break;
        d = one.mean - mean;
        mean += d / (i + 1);
        squares += d * (one.mean - mean);
        cli_progress(c, (uint64_t)i + 1, (uint64_t)n, "epsilon: sample %d/%d, in double precision", i + 1, n);
    }
    cli_progress_end(c);
    if (status && status != LFT_ERR_NONFINITE) return cli_check(c, status, &flow->error);
    if (cli_signal) return LFT_STOPPED;
    if (status || !lft_finite(squares)) {
        cli_unmeasured(c, "epsilon", status ? flow->error.text : "its std is not finite");
        return LFT_OK;
    }
    out->n          = n;
    out->mean       = mean;
    out->std        = n > 1 ? sqrt(squares / (n - 1)) : 0;
    out->mean_error = out->std / sqrt(n);
    out->std_error  = n > 1 ? out->std / sqrt(2.0 * (n - 1)) : 0;
    return LFT_OK;
}

/* What twice the integration steps do to the log-weights of n samples: at any size in three times the time of samples. */
static lft_status cli_measure_finer(cli *c, cli_wide *w, uint64_t seed, int n, lft_weight_shift *out)
{
    const uint64_t first = (uint64_t)1 << 40;
    f64_flow      *flow  = &w->model.flow;
    const int      group = 4 * f64_lanes(), block = n < group ? n : group;
    double        *logw  = (double *)cli_alloc(c, 2 * (size_t)(n + block) * sizeof(double)), *finer = logw + n + block;
    lft_arena      arena = cli_arena(c, f64_batch_bytes(&flow->lattice, block) + (size_t)block * sizeof(double) + 64);
    f64_batch      x;
    lft_status     status = c->error.code;
    int            i;
    memset(out, 0, sizeof *out);
    if (status || cli_check(c, f64_batch_init(&x, &flow->lattice, block, &arena, &c->error), &c->error)) return c->error.code;
    for (i = 0; i < n && !status && !cli_signal; i += block) {
        cli_progress(c, (uint64_t)i, (uint64_t)n, "twice the steps: sample %d/%d, in double precision", i, n);
        status = f64_flow_finer_weights(flow, &w->model.theory, seed, first + (uint64_t)i, &x, logw + i, finer + i, arena);
    }
    cli_progress_end(c);
    if (cli_signal) return LFT_STOPPED;
    if (!status) *out = lft_weigh_pair(logw, finer, (size_t)n), status = out->status;
    if (status != LFT_ERR_NONFINITE) return cli_check(c, status, &flow->error);
    memset(out, 0, sizeof *out); /* of a poor flow: no reason to lose it */
    cli_unmeasured(c, "twice the steps", "a log-weight is not finite");
    return LFT_OK;
}

/* Samples of twice the steps: 0 is none, and one alone has no std. */
static int cli_double_steps(cli *c, int otherwise)
{
    const int most = 1 << 20, n = (int)cli_count(c, "double-steps", (uint64_t)otherwise, 0, (uint64_t)most);
    if (n == 1) (void)cli_fail(c, LFT_ERR_ARG, "--double-steps: expected 0 or an integer from 2 to %d, got 1", most);
    return n;
}

/* The samples of epsilon where it is not `known`, and those of twice the steps in its place: beyond some size, or as asked for. */
static lft_status cli_exactness_samples(cli *c, size_t size, int steps, int known, int *logq, int *finer)
{
    const int doubled = cli_double_steps(c, 0) > 0;
    const int few     = !known && !doubled && steps && !cli_given(c, "measure-logq") && size > CLI_JACOBIAN;
    *logq  = (int)cli_count(c, "measure-logq", known || doubled || few ? 0 : (uint64_t)cli_logq_samples(size), 0, 1 << 20);
    *finer = cli_double_steps(c, few ? CLI_FINER : 0);
    if (doubled && !steps) return cli_fail(c, LFT_ERR_ARG, "--double-steps: expected a flow with integration steps, got none");
    if (*logq && *finer) return cli_fail(c, LFT_ERR_ARG, "--double-steps: expected no --measure-logq beside it, got %d", *logq);
    return c->error.code;
}

static int cli_is_exact(const lft_logq_error *e)
{
    return e->n == 0 || (e->std <= 1e-3 && fabs(e->mean) <= 1e-2);
}
#endif
