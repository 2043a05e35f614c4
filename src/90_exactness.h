/* 90_exactness.h: how far log q is from the log-density of the map that the code really computes.
 * Offers: LFT_(flow_logq_error)(), LFT_(flow_logq_error_bytes)(); LFT_(flow_finer_weights)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Measures epsilon on samples number first ... first + n - 1 of the seed: the Jacobian of Phi_h from its exact
 * vector-Jacobian products, its determinant by an LU decomposition. O(n (D/lanes backward passes + D^3)) with D numbers that
 * move a configuration: the sites, or the links times 1, 3 or 8. Layers that draw have no such error: the maps between them are
 * measured one after the other. Maps have to keep their extents; LFT_ERR_MISMATCH otherwise, LFT_ERR_ARG for n < 1. */
LFT_API lft_status LFT_(flow_logq_error)(LFT_(flow) *flow, uint64_t seed, uint64_t first, int n, lft_logq_error *out,
                                         lft_arena scratch);

/* Bytes of scratch of flow_logq_error. O(D^2): 8 MiB at D = 1024. */
LFT_API size_t LFT_(flow_logq_error_bytes)(const LFT_(flow) *flow);

/* For lattices too large for that: logw[x->n], the log-weights -S - log q of samples number first ... of the seed, and finer[x->n],
 * those of the same draws with twice the integration steps in every layer. lft_weigh_pair() of the two says how far log Z is off,
 * but for 2^-p of it at order p; their std is of the size of that of epsilon, without being it. Afterwards the flow has its own
 * steps, and x holds the samples of twice as many. Costs three times the samples, O(1) more memory: 8 x->n bytes of scratch.
 * LFT_ERR_ARG beyond a layer's most_steps. */
LFT_API lft_status LFT_(flow_finer_weights)(LFT_(flow) *flow, const LFT_(theory) *theory, uint64_t seed, uint64_t first,
                                            LFT_(batch) *x, double *logw, double *finer, lft_arena scratch);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* log |det a| of a[n][n], which is overwritten; -infinity does not arise: a singular matrix gives a non-finite number. */
LFT_P_STATIC double LFT_P(log_det)(double *a, int n)
{
    double sum = 0;
    int    i, j, k;
    for (k = 0; k < n; ++k) {
        double *row = a + (size_t)k * (size_t)n, best = row[k] < 0 ? -row[k] : row[k];
        int     pivot = k;
        for (i = k + 1; i < n; ++i) {
            double v = a[(size_t)i * (size_t)n + (size_t)k];
            if ((v < 0 ? -v : v) > best) best = v < 0 ? -v : v, pivot = i;
        }
        sum += lft_p_f64_p_log(best);
        for (j = k; pivot != k && j < n; ++j) {
            double *other = a + (size_t)pivot * (size_t)n + j, swap = *other;
            *other = row[j];
            row[j] = swap;
        }
        for (i = k + 1; i < n; ++i) {
            double *LFT_P_RESTRICT to = a + (size_t)i * (size_t)n, factor = to[k] / row[k];
            for (j = k + 1; j < n; ++j) to[j] -= factor * row[j];
        }
    }
    return sum;
}

/* The tapes of the layers from `first` on, one behind the other. */
LFT_P_STATIC size_t LFT_P(flow_tape_bytes)(const LFT_(flow) *flow, int first)
{
    size_t bytes = 0;
    int    i;
    for (i = first; i < flow->layers; ++i) bytes += flow->layer[i].tape_bytes;
    return bytes;
}

/* dx at the samples becomes that before layer `first`; tape and gradient: of the layers from there on, gradient their own forms one
 * behind the other, or NULL. */
LFT_P_STATIC lft_status LFT_P(flow_backward)(const LFT_(flow) *flow, int first, LFT_P(flow_work) *w, const unsigned char *tape,
                                             lft_v *dx, const double *dlogdet, double *gradient)
{
    lft_status status = LFT_OK;
    size_t     count  = 0;
    int        i;
    tape += LFT_P(flow_tape_bytes)(flow, first);
    for (i = first; i < flow->layers; ++i) count += flow->layer[i].gradient_count;
    for (i = flow->layers - 1; i >= first && !status; --i) {
        const LFT_(layer) *layer = flow->layer + i;
        tape -= layer->tape_bytes;
        count -= layer->gradient_count;
        status = layer->ops->backward(layer, tape, (lft_real *)dx, dlogdet, gradient ? gradient + count : NULL, w->scratch,
                                      &w->error);
    }
    return status;
}

/* Rows of the Jacobian of one sample: task i does rows i lanes ... of them, one per lane. */
typedef struct LFT_P(jacobian_job) {
    LFT_(flow)          *flow;
    const unsigned char *tape;
    double              *matrix;
} LFT_P(jacobian_job);

LFT_P_STATIC void LFT_P(jacobian_task)(void *context, int block, int thread)
{
    const LFT_P(jacobian_job) *job    = (const LFT_P(jacobian_job) *)context;
    LFT_P(flow_work)          *w      = LFT_P(flow_state_of)(job->flow)->work + thread;
    const int                  n      = (int)LFT_P(force_vectors)(&job->flow->lattice);
    lft_real                  *dx     = (lft_real *)w->score;
    double                     zero[LFT_P_LANES];
    int                        l, x, row = block * LFT_P_LANES;
    for (l = 0; l < LFT_P_LANES; ++l) zero[l] = 0;
    LFT_P(set_zero)(w->score, n);
    for (l = 0; l < LFT_P_LANES && row + l < n; ++l) dx[(size_t)(row + l) * LFT_P_LANES + (size_t)l] = 1;
    LFT_P(flow_note)(w, block, LFT_P(flow_backward)(job->flow, 0, w, job->tape, w->score, zero, NULL));
    for (l = 0; l < LFT_P_LANES && row + l < n; ++l) {
        double *to = job->matrix + (size_t)(row + l) * (size_t)n;
        for (x = 0; x < n; ++x) to[x] = (double)dx[(size_t)x * LFT_P_LANES + (size_t)l];
    }
}

/* The same configuration in every lane: each lane will do another row. */
LFT_P_STATIC void LFT_P(spread_first)(lft_v *x, const LFT_(lattice) *lattice)
{
    const int reals = (int)LFT_P(field_vectors)(lattice);
    int       i;
    for (i = 0; i < reals; ++i) {
        lft_real first = ((lft_real *)x)[(size_t)i * LFT_P_LANES];
        x[i]           = lft_splat(first);
    }
}

/* *epsilon += that of a flow of maps from w->x, which it moves on. */
LFT_P_STATIC lft_status LFT_P(map_epsilon)(LFT_(flow) *flow, LFT_P(flow_work) *w, unsigned char *tape, double *matrix,
                                           double *epsilon)
{
    const int           n = (int)LFT_P(force_vectors)(&flow->lattice);
    LFT_P(jacobian_job) job;
    double              logdet[LFT_P_LANES];
    lft_status          status = LFT_P(flow_fits)(flow, &flow->lattice, &flow->layer[0].in);
    int                 l;
    if (status) return status;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    status = LFT_P(flow_push)(flow, w, NULL, logdet, NULL, tape, 0);
    if (status) {
        flow->error = w->error;
        return status;
    }
    job.flow = flow, job.tape = tape, job.matrix = matrix;
    status   = LFT_P(flow_run)(flow, (n + LFT_P_LANES - 1) / LFT_P_LANES, LFT_P(jacobian_task), &job);
    if (!status) *epsilon += LFT_P(log_det)(matrix, n) - logdet[0];
    return status;
}

/* epsilon of the sample with the given address. */
LFT_P_STATIC lft_status LFT_P(flow_epsilon)(LFT_(flow) *flow, lft_draw d, unsigned char *tape, double *matrix,
                                            double *epsilon)
{
    LFT_P(flow_state) *s = LFT_P(flow_state_of)(flow);
    LFT_P(flow_work)  *w = s->work;
    double             unused[LFT_P_LANES];
    lft_status         status = LFT_OK;
    int                i, end;
    *epsilon = 0;
    LFT_P(prior_draw)(&s->prior, d, w->x, unused, w->scratch);
    LFT_P(spread_first)(w->x, &flow->layer[0].in);
    for (i = 0; i < flow->layers && !status; i = end) {
        LFT_(flow) part = *flow;
        for (end = i; end < flow->layers && !flow->layer[end].ops->draw; ++end) {}
        part.layer += i, part.layers = end - i;
        if (end > i) {
            part.lattice = flow->layer[end - 1].out;
            status       = LFT_P(map_epsilon)(&part, w, tape, matrix, epsilon);
            if (status) flow->error = part.error;
            continue;
        }
        status = LFT_P(flow_layer)(flow, i, &d, w->x, w->other, unused, NULL, NULL, w->scratch, &flow->error);
        LFT_P(copy_field)(w->x, w->other, &flow->layer[i].out);
        LFT_P(spread_first)(w->x, &flow->layer[i].out);
        end = i + 1;
    }
    return status;
}

LFT_API lft_status LFT_(flow_logq_error)(LFT_(flow) *flow, uint64_t seed, uint64_t first, int n, lft_logq_error *out,
                                         lft_arena scratch)
{
    const size_t   rows   = LFT_P(flow_state_of)(flow)->volume * LFT_P_FORCES;
    unsigned char *tape   = (unsigned char *)lft_arena_take(&scratch, LFT_P(flow_tape_bytes)(flow, 0), 1);
    double        *matrix = (double *)lft_arena_take(&scratch, rows * rows, sizeof(double));
    double         sum = 0, square = 0, epsilon = 0;
    lft_status     status = lft_arena_check(&scratch, &flow->error, "flow_logq_error");
    int            i;
    if (status) return status;
    if (n < 1) return lft_p_fail_got(&flow->error, LFT_ERR_ARG, "flow_logq_error", "n", "at least 1", n);
    for (i = 0; i < n && !status; ++i) {
        status = LFT_P(flow_epsilon)(flow, lft_draw_of(seed, LFT_DRAW_PRIOR, first + (uint64_t)i, 0), tape, matrix,
                                     &epsilon);
        sum += epsilon;
        square += epsilon * epsilon;
    }
    if (status) return status;
    out->n    = n;
    out->mean = sum / n;
    square    = n > 1 ? (square - n * out->mean * out->mean) / (n - 1) : 0;
    out->std  = lft_p_f64_p_sqrt(square > 0 ? square : 0);
    out->mean_error = out->std / lft_p_f64_p_sqrt(n);
    out->std_error  = n > 1 ? out->std / lft_p_f64_p_sqrt(2.0 * (n - 1)) : 0;
    if (!lft_finite(out->mean + out->std)) {
        return lft_p_fail(&flow->error, LFT_ERR_NONFINITE, "flow_logq_error", "the Jacobian is singular or not finite");
    }
    return LFT_OK;
}

LFT_API size_t LFT_(flow_logq_error_bytes)(const LFT_(flow) *flow)
{
    lft_arena measure = lft_arena_measure();
    size_t    rows    = LFT_P(flow_state_of)(flow)->volume * LFT_P_FORCES;
    (void)lft_arena_take(&measure, LFT_P(flow_tape_bytes)(flow, 0), 1);
    (void)lft_arena_take(&measure, rows * rows, sizeof(double));
    return measure.need;
}

/* -S - log q of samples number first ... of the seed, which x holds then; S[x->n] is scratch. */
LFT_P_STATIC lft_status LFT_P(flow_weights)(LFT_(flow) *flow, const LFT_(theory) *theory, uint64_t seed, uint64_t first,
                                            LFT_(batch) *x, double *logw, double *S)
{
    const lft_status status = LFT_(flow_sample)(flow, seed, first, x, logw);
    int              i;
    if (status) return status;
    LFT_(action)(theory, x, S);
    for (i = 0; i < x->n; ++i) logw[i] = -S[i] - logw[i];
    return LFT_OK;
}

LFT_API lft_status LFT_(flow_finer_weights)(LFT_(flow) *flow, const LFT_(theory) *theory, uint64_t seed, uint64_t first,
                                            LFT_(batch) *x, double *logw, double *finer, lft_arena scratch)
{
    double    *S      = (double *)lft_arena_alloc(&scratch, (size_t)x->n, sizeof *S);
    lft_status status = lft_arena_check(&scratch, &flow->error, "flow_finer_weights");
    int        i;
    if (!status) status = LFT_P(flow_weights)(flow, theory, seed, first, x, logw, S);
    if (status) return status;
    for (i = 0; i < flow->layers && !status; ++i) {
        LFT_(layer) *layer = flow->layer + i;
        if (layer->steps) status = layer->ops->refine(layer, 2 * layer->steps, &flow->error);
    }
    if (status) i -= 1; /* the one that refused has its own steps */
    else {
        LFT_(flow_prepare)(flow);
        status = LFT_P(flow_weights)(flow, theory, seed, first, x, finer, S);
    }
    while (i-- > 0) {
        LFT_(layer) *layer = flow->layer + i;
        if (layer->steps) (void)layer->ops->refine(layer, layer->steps / 2, NULL);
    }
    LFT_(flow_prepare)(flow);
    return status;
}

#endif /* LFT_P_CODE */
