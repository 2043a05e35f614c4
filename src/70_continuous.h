/* 70_continuous.h: the equivariant continuous flow as a layer: d phi/dt = v(phi, t) from t = 0 to 1 by Runge-Kutta 4.
 * Offers: LFT_(continuous)() (the layer's table). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* The layer's table. v and its divergence are those of 62_velocity.h, integrated together by the classical Runge-Kutta
 * method. log q is that of the integrated divergence; it differs from the log-density of the discrete map by the epsilon
 * that LFT_(flow_logq_error)() measures. Equivariant under translations, the hypercubic group (permutations of equal axes
 * only) and phi -> -phi. The inverse solves each step by relaxed iteration to rounding: LFT_ERR_NOCONV if the step is
 * too long for that. LFT_ERR_NONFINITE names the step. */
LFT_API const LFT_(layer_ops) *LFT_(continuous)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* Everything that one evaluation or one backward step works in. */
typedef enum LFT_P(continuous_use) {
    LFT_P(for_value),
    LFT_P(for_inverse),
    LFT_P(for_score),
    LFT_P(for_backward)
} LFT_P(continuous_use);
typedef struct LFT_P(continuous_work) {
    LFT_P(velocity_fields) fields;
    lft_v  *stage, *k, *sum, *panel; /* field and velocity of a stage, weighted sum of the stages, scratch */
    lft_v  *next, *old;              /* inverse: the end of a step, the iterate before */
    lft_v  *dv, *dphi, *dsum;        /* with a score or backward: cotangents of a stage, and their sum */
    lft_v  *lambda;                  /* backward: gradient at one time, by the spectra in lanes ... */
    double *now;                     /* ... and by the other tables, with room for the spectra */
} LFT_P(continuous_work);

LFT_P_STATIC LFT_P(continuous_work) LFT_P(continuous_scratch)(const LFT_P(continuous) *s, LFT_P(continuous_use) use,
                                                              lft_arena *arena)
{
    LFT_P(continuous_work) w;
    const size_t volume = (size_t)s->u.volume, gradients = use >= LFT_P(for_score) ? volume : 0;
    const size_t iterates = use == LFT_P(for_inverse) ? volume : 0;
    const size_t block = use == LFT_P(for_backward) ? LFT_P(continuous_block)(s) : 0;
    w.fields = LFT_P(velocity_scratch)(&s->u, use >= LFT_P(for_score), arena);
    w.stage  = LFT_P(vectors)(arena, volume);
    w.k      = LFT_P(vectors)(arena, volume);
    w.sum    = LFT_P(vectors)(arena, volume);
    w.panel  = LFT_P(vectors)(arena, LFT_P(hartley_panel)(&s->u.spectrum.lattice));
    w.next   = LFT_P(vectors)(arena, iterates);
    w.old    = LFT_P(vectors)(arena, iterates);
    w.dv     = LFT_P(vectors)(arena, gradients);
    w.dphi   = LFT_P(vectors)(arena, gradients);
    w.dsum   = LFT_P(vectors)(arena, gradients);
    w.lambda = (lft_v *)lft_arena_alloc(arena, block, sizeof(lft_v));
    w.now    = (double *)lft_arena_alloc(arena, block, sizeof(double));
    return w;
}

LFT_P_STATIC lft_status LFT_P(continuous_init)(LFT_(layer) *layer, const char *name, lft_parameters *set,
                                               lft_arena *arena, lft_error *error)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    int                use;
    lft_status         status;
    size_t             nodes;
    layer->state = s;
    if (!s) s = &local; /* measuring, or full: lft_arena_check below tells */
    lft_p_copy(&s->desc, layer->desc, sizeof s->desc);
    status = LFT_P(continuous_defaults)(&s->desc, error);
    if (status) return status;
    layer->out   = layer->in;
    layer->steps = s->desc.steps;
    LFT_P(velocity_init)(&s->u, &layer->in, s->desc.sines, s->desc.linear, s->desc.gates, s->desc.zeros,
                         2 * s->desc.most_steps + 1, arena);
    nodes    = (size_t)s->desc.nodes;
    s->basis = (double *)lft_arena_alloc(arena, (size_t)(2 * s->desc.most_steps + 1) * nodes, sizeof(double));
    s->node  = (double *)lft_arena_alloc(arena, (nodes + 3) * (size_t)s->u.spectrum.count, sizeof(double));
    layer->params     = set->count;
    s->kernel         = lft_declare(set, name, "kernel", 4, 1 + s->u.gates, s->u.features, s->desc.nodes,
                                    s->u.spectrum.orbits);
    s->frequency      = lft_declare(set, name, "frequency", 1, s->u.sines, 0, 0, 0);
    s->gate_frequency = lft_declare(set, name, "gate_frequency", 1, s->u.gates, 0, 0, 0);
    s->zero_amplitude = lft_declare(set, name, "zero_amplitude", 2, s->u.zeros, s->desc.nodes, 0, 0);
    s->zero_frequency = lft_declare(set, name, "zero_frequency", 1, s->u.zeros, 0, 0, 0);
    layer->tape_bytes     = 4 * (size_t)s->desc.most_steps * (size_t)s->u.volume * sizeof(lft_v);
    layer->gradient_count = LFT_P(continuous_gradient_count)(s);
    for (use = LFT_P(for_value); use <= (LFT_UPTO >= LFT_TRAIN ? LFT_P(for_backward) : LFT_P(for_inverse)); ++use) {
        lft_arena measure = lft_arena_measure();
        (void)LFT_P(continuous_scratch)(s, (LFT_P(continuous_use))use, &measure);
        if (measure.need > layer->scratch_bytes) layer->scratch_bytes = measure.need;
    }
    if (lft_arena_measuring(arena) || lft_arena_check(arena, NULL, "")) return LFT_OK; /* the flow reports the need of all */
    LFT_P(continuous_basis)(s, layer->steps);
    return LFT_OK;
}

/* The classical Runge-Kutta method: stage i is evaluated at phi + h to[i] k_{i-1}, weight[i] is its share. */
static const double LFT_P(rk4_to)[4]     = {0, 0.5, 0.5, 1};
static const double LFT_P(rk4_weight)[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};

LFT_P_INLINE int LFT_P(rk4_time)(int step, int stage)
{
    return 2 * step + (stage + 1) / 2;
}

LFT_P_INLINE void LFT_P(add_line)(lft_v *y, double b, const lft_v *x, int n)
{
    LFT_P(line)(y, y, b, x, n);
}

/* One step from phi, forth (sign = 1) or back in time (-1): w->sum = sum_i h weight_i k_i, div[lane] += the same sum of the
 * divergences. The fields of the stages go to tape[4][volume] where it is not NULL. With a score s = grad log q, which obeys
 * ds/dt = -(dv/dphi)^T s - grad div v, w->dsum = the increment of s. */
static inline void LFT_P(continuous_step)(const LFT_P(continuous) *s, int steps, int step, int sign, const lft_v *phi,
                                          const lft_v *score, double *div, lft_v *tape, LFT_P(continuous_work) *w)
{
    const int    volume = s->u.volume;
    const double h      = (double)sign / steps;
    double       rate[LFT_P_LANES];
    int          i, l;
    LFT_P(set_zero)(w->sum, volume);
    if (score) LFT_P(set_zero)(w->dsum, volume);
    for (i = 0; i < 4; ++i) {
        const double to = h * LFT_P(rk4_to)[i], weight = h * LFT_P(rk4_weight)[i];
        const int    t  = LFT_P(rk4_time)(step, sign > 0 ? i : 3 - i);
        lft_v       *at = tape ? tape + (size_t)i * (size_t)volume : w->stage;
        LFT_P(line)(at, phi, to, i ? w->k : phi, volume);
        LFT_P(velocity_forward)(&s->u, t, at, &w->fields, w->k, rate, w->panel);
        LFT_P(add_line)(w->sum, weight, w->k, volume);
        for (l = 0; l < LFT_P_LANES; ++l) div[l] += weight * rate[l];
        if (LFT_UPTO < LFT_TRAIN || !score) continue;
        LFT_P(line)(w->dv, score, -to, i ? w->dphi : score, volume);
        LFT_P(velocity_backward)(&s->u, t, at, 1, &w->fields, w->dv, lft_splat(1), w->dphi, NULL, w->panel);
        LFT_P(add_line)(w->dsum, -weight, w->dphi, volume);
    }
}

/* NaN and infinity stop here, with the step in which they arose. */
static inline lft_status LFT_P(continuous_check)(const lft_v *phi, int volume, const double *logdet, int step,
                                                 lft_error *error)
{
    const char *what = LFT_P(any_nonfinite)(phi, volume) ? "field" : NULL;
    int         l;
    for (l = 0; l < LFT_P_LANES; ++l) what = lft_finite(logdet[l]) ? what : "log-det";
    if (!what) return LFT_OK;
    return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous", what, "finite numbers after step", step);
}

LFT_P_STATIC lft_status LFT_P(continuous_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out,
                                                  double *logdet, lft_real *score, void *tape, lft_arena scratch,
                                                  lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, score ? LFT_P(for_score) : LFT_P(for_value), &scratch);
    const int                volume = s->u.volume, steps = layer->steps;
    lft_v                   *phi = LFT_P(view)(x_out), *saved = (lft_v *)tape;
    lft_v                   *s_now  = score ? LFT_P(view)(score) : NULL;
    lft_status               status = LFT_OK;
    int                      i;
    if (x_out != x_in) lft_p_copy(x_out, x_in, (size_t)volume * sizeof(lft_v));
    for (i = 0; i < steps; ++i) { /* to the end for the lanes that are finite */
        LFT_P(continuous_step)(s, steps, i, 1, phi, s_now, logdet, saved ? saved + 4 * (size_t)i * (size_t)volume : NULL, &w);
        LFT_P(add_line)(phi, 1, w.sum, volume);
        if (score) LFT_P(add_line)(s_now, 1, w.dsum, volume);
        if (!status) status = LFT_P(continuous_check)(phi, volume, logdet, i, error);
    }
    return status;
}

/* Solves phi + (increment of the step from phi) = w->next. A step back in time is where it begins, O(h^5) away. At rounding
 * level the residual stops to fall. */
static inline lft_status LFT_P(continuous_step_back)(const LFT_P(continuous) *s, int steps, int step, lft_v *phi,
                                                     double *div, LFT_P(continuous_work) *w, lft_error *error)
{
    const double epsilon = LFT_P_REAL_BYTES == 4 ? 1.1920929e-07 : 2.220446049250313e-16;
    const int    most = 200, volume = s->u.volume;
    double       size, distance, before = 1e300;
    lft_v        weight = lft_splat(1);
    int          i, l, x;
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
    LFT_P(continuous_step)(s, steps, step, -1, w->next, NULL, div, NULL, w);
    LFT_P(line)(phi, w->next, 1, w->sum, volume);
    for (i = 0; i < most; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
        LFT_P(continuous_step)(s, steps, step, 1, phi, NULL, div, NULL, w);
        for (x = 0; x < volume; ++x) w->sum[x] = w->next[x] - phi[x] - w->sum[x];
        if (LFT_P(any_nonfinite)(w->sum, volume)) {
            return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous inverse", "field", "finite numbers before step", step);
        }
        size     = LFT_P(largest)(w->next, volume);
        distance = LFT_P(largest)(w->sum, volume);
        if (distance <= 2 * epsilon * size || (distance >= before && distance < 100 * epsilon * size)) return LFT_OK;
        if (i) weight = LFT_P(relaxation)(w->sum, w->old, volume, weight);
        for (x = 0; x < volume; ++x) {
            phi[x] += weight * w->sum[x];
            w->old[x] = w->sum[x];
        }
        before = distance;
    }
    return lft_p_fail_got(error, LFT_ERR_NOCONV, "continuous inverse", "fixed point, number of integration steps too small",
                          "convergence", distance);
}

LFT_P_STATIC lft_status LFT_P(continuous_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in,
                                                  double *logdet, lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, LFT_P(for_inverse), &scratch);
    const int                volume = s->u.volume, steps = layer->steps;
    lft_v                   *phi    = LFT_P(view)(x_in);
    lft_status               status = LFT_OK;
    double                   div[LFT_P_LANES];
    int                      i, l;
    if (x_in != x_out) lft_p_copy(x_in, x_out, (size_t)volume * sizeof(lft_v));
    for (i = steps - 1; i >= 0 && !status; --i) {
        lft_p_copy(w.next, phi, (size_t)volume * sizeof(lft_v));
        status = LFT_P(continuous_step_back)(s, steps, i, phi, div, &w, error);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= div[l];
    }
    return status;
}

/* The stages of each step are differentiated, the last one first: dv_i = h weight_i dx + h to_{i+1} dphi_{i+1},
 * dx += sum of all dphi_i. Stages 1 and 2 are at one time, and so are stage 3 and stage 0 of the next step. */
LFT_P_STATIC lft_status LFT_P(continuous_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx,
                                                   const double *dlogdet, double *gradient, lft_arena scratch,
                                                   lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, LFT_P(for_backward), &scratch);
    const int                volume = s->u.volume, steps = layer->steps;
    const double             h      = 1.0 / steps;
    LFT_P(velocity_gradient) now;
    lft_v                   *d = LFT_P(view)(dx);
    double                   weighted[LFT_P_LANES];
    int                      step, i, l, x;
    (void)error;
    if (gradient) { /* tables of the present time, frequencies of all times */
        LFT_P(continuous_parts) all = LFT_P(continuous_gradient)(s, gradient, 0);
        LFT_P(continuous_parts) one = LFT_P(continuous_gradient)(s, w.now, 0);
        now.lambda = w.lambda, now.origin = one.origin, now.zeta = one.zeta;
        now.omega = all.omega, now.eta = all.eta, now.kappa = all.kappa;
    }
    for (step = steps - 1; step >= 0; --step) {
        LFT_P(set_zero)(w.dsum, volume);
        for (i = 3; i >= 0; --i) {
            const lft_v   *phi = (const lft_v *)tape + (size_t)(4 * step + i) * (size_t)volume;
            const int      t = LFT_P(rk4_time)(step, i);
            const lft_real share = (lft_real)(h * LFT_P(rk4_weight)[i]);
            const lft_real next  = i < 3 ? (lft_real)(h * LFT_P(rk4_to)[i + 1]) : 0;
            for (l = 0; l < LFT_P_LANES; ++l) weighted[l] = h * LFT_P(rk4_weight)[i] * dlogdet[l];
            if (i < 3) {
                for (x = 0; x < volume; ++x) w.dv[x] = share * d[x] + next * w.dphi[x];
            } else {
                for (x = 0; x < volume; ++x) w.dv[x] = share * d[x];
            }
            LFT_P(velocity_backward)(&s->u, t, phi, 0, &w.fields, w.dv, LFT_P(from_wide)(weighted), w.dphi,
                                     gradient ? &now : NULL, w.panel);
            LFT_P(add_line)(w.dsum, 1, w.dphi, volume);
            if (gradient && (i % 2 == 1 || step + i == 0)) LFT_P(continuous_spread)(s, t, w.lambda, w.now, gradient);
        }
        LFT_P(add_line)(d, 1, w.dsum, volume);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(continuous_refine)(LFT_(layer) *layer, int steps, lft_error *error)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)layer->state;
    if (LFT_P(check_steps)(steps, s->desc.most_steps, error)) return LFT_ERR_ARG;
    layer->steps = steps;
    LFT_P(continuous_basis)(s, steps);
    return LFT_OK;
}

LFT_P_STATIC int LFT_P(continuous_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(continuous_desc) *d = &((const LFT_P(continuous) *)layer->state)->desc;
    number[0] = d->sines;
    number[1] = d->linear;
    number[2] = d->gates;
    number[3] = d->zeros;
    number[4] = (int64_t)d->basis;
    number[5] = d->nodes;
    number[6] = layer->steps;
    number[7] = d->most_steps;
    return 8;
}

/* A count that is 0 was asked for as -1. Values beyond an int become one that init refuses. */
static inline int LFT_P(continuous_count)(int64_t number)
{
    return number == 0 ? -1 : number > 0 && number <= 1000000 ? (int)number : 1000001;
}

LFT_P_STATIC lft_status LFT_P(continuous_read)(const int64_t *number, int n, lft_arena *arena, const void **desc,
                                               lft_error *error)
{
    LFT_(continuous_desc) *d = (LFT_(continuous_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    *desc = d;
    if (n < 8) return lft_p_fail_got(error, LFT_ERR_FORMAT, "continuous", "numbers of the specification", "8", n);
    if (!d) return lft_arena_check(arena, error, "continuous");
    d->sines      = LFT_P(continuous_count)(number[0]);
    d->linear     = LFT_P(continuous_count)(number[1]);
    d->gates      = LFT_P(continuous_count)(number[2]);
    d->zeros      = LFT_P(continuous_count)(number[3]);
    d->basis      = number[4] == LFT_TIME_HAT ? LFT_TIME_HAT : LFT_TIME_COSINE;
    d->nodes      = LFT_P(continuous_count)(number[5]);
    d->steps      = LFT_P(continuous_count)(number[6]);
    d->most_steps = LFT_P(continuous_count)(number[7]);
    if (number[4] != (int64_t)d->basis) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "continuous", "basis", "1 (cosine) or 2 (hat)", (double)number[4]);
    }
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(continuous)(void)
{
    static const LFT_(layer_ops) ops = {"continuous",
                                        LFT_P(continuous_init),
                                        LFT_P(continuous_start),
                                        LFT_P(continuous_prepare),
                                        LFT_P(continuous_forward),
                                        LFT_P(continuous_inverse),
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(continuous_backward) : NULL,
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(continuous_collect) : NULL,
                                        LFT_P(continuous_refine),
                                        LFT_P(continuous_transfer),
                                        LFT_P(continuous_spec),
                                        LFT_P(continuous_read),
                                        NULL};
    return &ops;
}

#endif /* LFT_P_CODE */
