/* 65_layer.h: what a layer of a flow is: a table of functions over one group of configurations.
 * Offers: LFT_(layer), LFT_(layer_ops); (private) nothing_to_start, nothing_to_prepare: of tables without parameters;
 * collect_parameters; check_steps: of an integration; put_beta, get_beta, read_count: of a spec. The layers are the rooms 70 and
 * on; a user's own is such a table. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

typedef struct LFT_(layer) LFT_(layer);
#define LFT_P_SPEC_MOST 32

/* A layer is an invertible map x_out = f(x_in) of the LFT_(lanes)() configurations of one group, in the order of a batch:
 *   scalar   field [site][lane], derivatives the same; densities by the Lebesgue measure
 *   gauge    field [site][mu][number][lane], derivatives [site][mu][a][lane], a = 1 for U(1), to 3 for SU(2), to 8 for SU(3):
 *            d^a f(U) = d/ds f(exp(s T^a) U), as of an action; densities by the invariant measure, normalised to 1. If x_in
 *            moves as exp(s w^a T^a) U and x_out then as exp(s v^a T^a) f(U), the Jacobian is the matrix of v by w
 * x_in and x_out are fields, score and dx derivatives.
 * All functions return LFT_OK or an error with its text; `scratch` is memory of scratch_bytes. Nothing allocates after init.
 * The gradient of the parameters is collected in a layer's own form (gradient_count doubles, e.g. of tables that are
 * derived from the parameters) and converted by `collect`, so that lanes, groups and threads only ever add up. */
typedef struct LFT_(layer_ops) {
    const char *kind; /* e.g. "continuous": names the layer in model files */

    /* Reads layer->desc, sets the extents of layer->out and the sizes, lays its state out in the arena, and declares its
     * parameters. Runs twice, first over a measuring arena with set->list == NULL and set->counting: then nothing counts but
     * the declarations and the extents. An arena that is too small is the flow's to report. */
    lft_status (*init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena, lft_error *error);

    /* Sets the initial parameters, zero before: the layer is the identity or near it. And their pace, 1 before. */
    void (*start)(const LFT_(layer) *layer, double *theta, double *pace);

    /* Derives the tables from the parameters (and the couplings, for conditional layers). Once per step, not per group. */
    void (*prepare)(LFT_(layer) *layer, const double *theta);

    /* logdet[lane] += log |det d x_out / d x_in|. Where score is not NULL it holds grad log q at x_in and is replaced by
     * grad log q at x_out. Where tape is not NULL, what backward needs goes there. x_out may be x_in. LFT_ERR_NONFINITE if
     * a lane is not finite; the other lanes are right all the same. */
    lft_status (*forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out, double *logdet, lft_real *score,
                          void *tape, lft_arena scratch, lft_error *error);

    /* The inverse of the same discrete map; logdet[lane] += log |det d x_in / d x_out|, minus what forward adds. */
    lft_status (*inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                          lft_arena scratch, lft_error *error);

    /* Vector-Jacobian product, exact for the map that forward computed: dx holds the derivative by x_out and is replaced
     * by that by x_in; dlogdet[lane]; where gradient is not NULL it is added to. NULL in an instance without training. */
    lft_status (*backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx, const double *dlogdet,
                           double *gradient, lft_arena scratch, lft_error *error);

    /* dtheta += the gradient of the parameters from the layer's own form. */
    void (*collect)(const LFT_(layer) *layer, double *gradient, double *dtheta);

    /* Sets the number of integration steps; prepare must follow. LFT_ERR_ARG beyond what init provided for. NULL for layers
     * without steps. */
    lft_status (*refine)(LFT_(layer) *layer, int steps, lft_error *error);

    /* Parameters that do on this layer's extents what `source` does on those of `from`, a layer of the same spec, at least
     * about: the start of a training. NULL where the same parameters do. */
    void (*transfer)(const LFT_(layer) *layer, double *theta, const LFT_(layer) *from, const double *source);

    /* For model files. spec: the integers that build this layer again, at most 32; returns how many. Of a layer with
     * steps the last two are its steps at present and the most that it provides for; those before say what the parameters
     * mean. read: a desc in the arena out of n such integers; LFT_ERR_FORMAT if there are too few of them, LFT_ERR_NOMEM. NULL
     * for layers that are never stored. */
    int (*spec)(const LFT_(layer) *layer, int64_t *number);
    lft_status (*read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error);

    /* Instead of forward (NULL then), for a layer that draws a part of x_out, the rest of which is x_in or a map of it:
     * logdet[lane] -= log q(x_out | x_in), so that q(x_out) = q(x_in) q(x_out | x_in). Lane l takes the random numbers of sample
     * d.sample + l, attempts those of samples a multiple of 2^32 further; d.draw differs from layer to layer. `inverse` gives
     * the x_in of x_out and logdet += log q(x_out | x_in); backward is by x_in for fixed random numbers, and NULL where that has
     * no meaning (draws that are rejected). NULL for maps. */
    lft_status (*draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out, double *logdet,
                       lft_real *score, void *tape, lft_arena scratch, lft_error *error);
} LFT_(layer_ops);

struct LFT_(layer) {
    const LFT_(layer_ops) *ops;
    const void            *desc;
    LFT_(lattice)          in, out;
    size_t                 params; /* offset of the layer's parameters in theta */
    size_t                 scratch_bytes, tape_bytes, gradient_count;
    int                    per_lane; /* 1: the own form of the gradient is [gradient_count / lanes][lanes], not summed over lanes */
    int                    period[LFT_DIM]; /* parameters are transferred to layers with the same alone; 0: none */
    int                    steps; /* integration steps at present, 0 for layers without */
    void                  *state; /* the layer's own */
};

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC void LFT_P(nothing_to_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    (void)layer, (void)theta, (void)pace;
}

LFT_P_STATIC void LFT_P(nothing_to_prepare)(LFT_(layer) *layer, const double *theta)
{
    (void)layer, (void)theta;
}

/* collect, where the own form is the parameters' own, or that per lane. */
LFT_P_STATIC void LFT_P(collect_parameters)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    const size_t each = layer->per_lane ? LFT_P_LANES : 1;
    size_t       i;
    for (i = 0; i < layer->gradient_count; ++i) dtheta[layer->params + i / each] += gradient[i];
}

LFT_P_STATIC lft_status LFT_P(check_steps)(int steps, int most, lft_error *error)
{
    lft_p_text t;
    if (steps >= 1 && steps <= most) return LFT_OK;
    t = lft_p_error_text(error, LFT_ERR_ARG, "continuous", "steps: expected 1 to ");
    lft_p_put_u64(&t, (uint64_t)most);
    lft_p_put(&t, " (most_steps), got ");
    lft_p_put_f64(&t, steps);
    return LFT_ERR_ARG;
}

/* A double as two integers, and back. */
LFT_P_STATIC void LFT_P(put_beta)(double beta, int64_t *number)
{
    uint64_t bits;
    lft_p_copy(&bits, &beta, sizeof bits);
    number[0] = (int64_t)(bits >> 32), number[1] = (int64_t)(bits & 0xffffffffu);
}

LFT_P_STATIC double LFT_P(get_beta)(const int64_t *number)
{
    const uint64_t bits = (uint64_t)number[0] << 32 | ((uint64_t)number[1] & 0xffffffffu);
    double         beta;
    lft_p_copy(&beta, &bits, sizeof beta);
    return beta;
}

LFT_P_STATIC lft_status LFT_P(read_count)(int n, int expected, const char *what, lft_error *error)
{
    return n >= expected ? LFT_OK : lft_p_fail_got(error, LFT_ERR_FORMAT, "model", what, "more of them", n);
}

#endif /* LFT_P_CODE */
