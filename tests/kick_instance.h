/* kick_instance.h: the layer of kick.h as a table of the instance KICK, and its theory. Include it after lftflow.h with
 * KICK (the instance's name), KICK_COLOURS and KICK_DIM; undefines them. */
#include "kick.h"
#define KICK_PASTE2(a, b) a##_##b
#define KICK_PASTE(a, b)  KICK_PASTE2(a, b)
#define K(name)           KICK_PASTE(KICK, name)

typedef struct K(kick_desc) { int axis; } K(kick_desc);
typedef struct K(kick_state) {
    int    axis;
    double theta[KICK_DIM + 1];
} K(kick_state);

/* The links of a site of a lane, and an algebra element each, out of and into what the library stores. */
static void K(kick_get)(const K(real) *u, const K(real) *d, int x, int lane, kick_site *s)
{
    const int lanes = K(lanes)();
    int       mu, i;
    for (mu = 0; mu < KICK_DIM; ++mu) {
        const int link = x * KICK_DIM + mu;
        for (i = 0; u && i < kick_numbers; ++i) s->u[mu][i] = (double)u[(link * kick_numbers + i) * lanes + lane];
        for (i = 0; d && i < kick_algebra; ++i) s->d[mu][i] = (double)d[(link * kick_algebra + i) * lanes + lane];
    }
}

static void K(kick_put)(K(real) *u, K(real) *d, int x, int lane, const kick_site *s)
{
    const int lanes = K(lanes)();
    int       mu, i;
    for (mu = 0; mu < KICK_DIM; ++mu) {
        const int link = x * KICK_DIM + mu;
        for (i = 0; u && i < kick_numbers; ++i) u[(link * kick_numbers + i) * lanes + lane] = (K(real))s->u[mu][i];
        for (i = 0; d && i < kick_algebra; ++i) d[(link * kick_algebra + i) * lanes + lane] = (K(real))s->d[mu][i];
    }
}

static lft_status K(kick_init)(K(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena, lft_error *error)
{
    K(kick_state) *s = (K(kick_state) *)lft_arena_alloc(arena, 1, sizeof *s);
    (void)error;
    kick_use(KICK_COLOURS);
    layer->state = s;
    if (s) s->axis = ((const K(kick_desc) *)layer->desc)->axis;
    layer->out            = layer->in;
    layer->params         = lft_declare(set, name, "kick", 1, KICK_DIM, 0, 0, 0);
    layer->tape_bytes     = (size_t)(layer->in.volume * KICK_DIM * kick_numbers * K(lanes)()) * sizeof(K(real));
    layer->gradient_count = KICK_DIM + 1;
    (void)lft_declare(set, name, "turn", 0, 0, 0, 0, 0);
    return LFT_OK;
}

static void K(kick_start)(const K(layer) *layer, double *theta, double *pace)
{
    (void)layer, (void)theta, (void)pace;
}

static void K(kick_prepare)(K(layer) *layer, const double *theta)
{
    memcpy(((K(kick_state) *)layer->state)->theta, theta + layer->params, (KICK_DIM + 1) * sizeof(double));
}

static lft_status K(kick_forward)(const K(layer) *layer, const K(real) *in, K(real) *out, double *logdet, K(real) *score,
                                  void *tape, lft_arena scratch, lft_error *error)
{
    const K(kick_state) *s = (const K(kick_state) *)layer->state;
    int                  x, l, bad = 0;
    kick_site            site;
    (void)scratch;
    kick_use(KICK_COLOURS);
    if (tape) memcpy(tape, in, layer->tape_bytes);
    for (l = 0; l < K(lanes)(); ++l) {
        for (x = 0; x < layer->in.volume; ++x) {
            K(kick_get)(in, score, x, l, &site);
            logdet[l] += kick_site_forward(s->theta, KICK_DIM, s->axis, &site, score != NULL);
            K(kick_put)(out, score, x, l, &site);
        }
        bad |= !lft_finite(logdet[l]);
    }
    if (bad && error) {
        error->code = LFT_ERR_NONFINITE;
        snprintf(error->text, sizeof error->text, "kick: log-det");
    }
    return bad ? LFT_ERR_NONFINITE : LFT_OK;
}

static lft_status K(kick_inverse)(const K(layer) *layer, const K(real) *out, K(real) *in, double *logdet, lft_arena scratch,
                                  lft_error *error)
{
    const K(kick_state) *s = (const K(kick_state) *)layer->state;
    int                  x, l;
    kick_site            site;
    (void)scratch;
    kick_use(KICK_COLOURS);
    for (l = 0; l < K(lanes)(); ++l) {
        for (x = 0; x < layer->in.volume; ++x) {
            double part;
            K(kick_get)(out, NULL, x, l, &site);
            if (!kick_site_inverse(s->theta, KICK_DIM, s->axis, &site, &part)) {
                error->code = LFT_ERR_NOCONV;
                snprintf(error->text, sizeof error->text, "kick: inverse");
                return LFT_ERR_NOCONV;
            }
            logdet[l] += part;
            K(kick_put)(in, NULL, x, l, &site);
        }
    }
    return LFT_OK;
}

static lft_status K(kick_backward)(const K(layer) *layer, const void *tape, K(real) *dx, const double *dlogdet, double *gradient,
                                   lft_arena scratch, lft_error *error)
{
    const K(kick_state) *s = (const K(kick_state) *)layer->state;
    int                  x, l;
    kick_site            site;
    (void)scratch, (void)error;
    kick_use(KICK_COLOURS);
    for (l = 0; l < K(lanes)(); ++l) {
        for (x = 0; x < layer->in.volume; ++x) {
            K(kick_get)((const K(real) *)tape, dx, x, l, &site);
            kick_site_backward(s->theta, KICK_DIM, s->axis, &site, dlogdet[l], gradient);
            K(kick_put)(NULL, dx, x, l, &site);
        }
    }
    return LFT_OK;
}

static void K(kick_collect)(const K(layer) *layer, double *gradient, double *dtheta)
{
    int i;
    for (i = 0; i <= KICK_DIM; ++i) dtheta[layer->params + (size_t)i] += gradient[i];
}

static int K(kick_spec)(const K(layer) *layer, int64_t *number)
{
    number[0] = ((const K(kick_state) *)layer->state)->axis;
    return 1;
}

static lft_status K(kick_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    K(kick_desc) *d = (K(kick_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    *desc = d;
    if (n < 1 || number[0] < 1 || number[0] >= KICK_DIM) {
        error->code = LFT_ERR_FORMAT;
        snprintf(error->text, sizeof error->text, "kick: axis");
        return LFT_ERR_FORMAT;
    }
    if (d) d->axis = (int)number[0];
    return LFT_OK;
}

static const K(layer_ops) K(kick) = {"kick",           K(kick_init),    K(kick_start),   K(kick_prepare),
                                     K(kick_forward),  K(kick_inverse), K(kick_backward), K(kick_collect),
                                     NULL,             NULL,            K(kick_spec),    K(kick_read),   NULL};

/* S = -log q of the layer with the parameters coupling[0] (all h) and c = 0, for links from the invariant measure: log Z = 0. */
static void K(kick_action)(const K(theory) *theory, const K(lattice) *lattice, const K(real) *x, double *S, K(real) *dS)
{
    double    theta[KICK_DIM + 1];
    int       site, l, i;
    kick_site s;
    kick_use(KICK_COLOURS);
    for (i = 0; i <= KICK_DIM; ++i) theta[i] = i < KICK_DIM ? theory->coupling[0] : 0;
    for (l = 0; l < K(lanes)(); ++l) {
        for (S[l] = 0, site = 0; site < lattice->volume; ++site) {
            double part;
            K(kick_get)(x, NULL, site, l, &s);
            if (!kick_site_inverse(theta, KICK_DIM, 1, &s, &part)) part = NAN;
            S[l] -= part;
            if (!dS) continue;
            memset(s.d, 0, sizeof s.d);
            (void)kick_site_forward(theta, KICK_DIM, 1, &s, 1);
            for (i = 0; i < 32; ++i) s.d[i / 8][i % 8] *= -1;
            K(kick_put)(NULL, dS, site, l, &s);
        }
    }
}

/* S = -kappa sum Re tr U */
static void K(single_action)(const K(theory) *theory, const K(lattice) *lattice, const K(real) *x, double *S, K(real) *dS)
{
    int       site, l, mu, a;
    kick_site s;
    kick_use(KICK_COLOURS);
    for (l = 0; l < K(lanes)(); ++l) {
        for (S[l] = 0, site = 0; site < lattice->volume; ++site) {
            K(kick_get)(x, NULL, site, l, &s);
            for (mu = 0; mu < KICK_DIM; ++mu) {
                const matrix u = matrix_of_link(s.u[mu]);
                S[l] -= theory->coupling[0] * matrix_trace(u);
                for (a = 0; a < kick_algebra; ++a) s.d[mu][a] = -theory->coupling[0] * kick_trace(kick_t + a, &u);
            }
            if (dS) K(kick_put)(NULL, dS, site, l, &s);
        }
    }
}

/* exact 1: the theory that the layer samples exactly at h = coupling; 0: single links. */
static K(theory) K(theory_of)(int exact, double coupling)
{
    static const char *const name[] = {"coupling"};
    K(theory)                t;
    memset(&t, 0, sizeof t);
    t.name = exact ? "kick" : "single", t.couplings = 1, t.coupling_name = name, t.coupling[0] = coupling;
    t.action = exact ? K(kick_action) : K(single_action);
    return t;
}

/* A flow of `layers` <= 2 such layers with these parameters each; 0 leaves those of the start. */
static lft_status K(make)(K(flow) *flow, const int *extent, int layers, double h, double c, lft_pool pool, lft_arena *arena,
                          lft_error *error)
{
    static K(kick_desc)  desc[2];
    static K(layer_desc) list[2];
    K(flow_desc)         d;
    lft_status           status;
    int                  i, mu;
    memset(&d, 0, sizeof d);
    for (mu = 0; mu < KICK_DIM; ++mu) d.extent[mu] = extent[mu];
    for (i = 0; i < 2; ++i) desc[i].axis = KICK_DIM - 1, list[i].ops = &K(kick), list[i].desc = desc + i;
    desc[1].axis = 1;
    d.layer = list, d.layers = layers, d.pool = pool;
    status = K(flow_init)(flow, &d, arena, error);
    for (i = 0; i < layers && !status; ++i) {
        double *value = flow->params.value + flow->layer[i].params;
        for (mu = 0; mu < KICK_DIM; ++mu) value[mu] = h * (1 - 0.25 * mu - 0.5 * i);
        value[KICK_DIM] = c * (1 - 0.5 * i);
    }
    if (!status) K(flow_prepare)(flow);
    return status;
}

#undef K
#undef KICK
#undef KICK_COLOURS
#undef KICK_DIM
