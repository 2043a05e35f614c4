/* 80_flow_run.h: batches through a flow: samples, log-densities, the map and its inverse.
 * Offers: LFT_(flow_sample)(), _logq, _map, _inverse; (private) flow_layer, flow_push, flow_pull: of one group; flow_run. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Fills a batch with samples number first ... first + n - 1 of the seed, and logq[n] with their log-densities. The same
 * number is the same sample in any batch, for any number of threads. LFT_ERR_NONFINITE, LFT_ERR_MISMATCH (extents). */
LFT_API lft_status LFT_(flow_sample)(LFT_(flow) *flow, uint64_t seed, uint64_t first, LFT_(batch) *x, double *logq);

/* logq[n] of given configurations, by the inverse of the same discrete map. LFT_ERR_NOCONV if that cannot be computed. */
LFT_API lft_status LFT_(flow_logq)(LFT_(flow) *flow, const LFT_(batch) *x, double *logq);

/* x = f(z) with logdet[n] = log |det df/dz|, and back: z = f^-1(x) with logdet[n] = log |det df^-1/dx|. x may be z where the
 * extents agree. The prior is left out. LFT_ERR_ARG for a flow with layers that draw; flow_inverse knows what they were given. */
LFT_API lft_status LFT_(flow_map)(LFT_(flow) *flow, const LFT_(batch) *z, LFT_(batch) *x, double *logdet);
LFT_API lft_status LFT_(flow_inverse)(LFT_(flow) *flow, const LFT_(batch) *x, LFT_(batch) *z, double *logdet);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC void LFT_P(copy_field)(lft_v *to, const lft_v *from, const LFT_(lattice) *lattice)
{
    if (to != from) lft_p_copy(to, from, LFT_P(field_vectors)(lattice) * sizeof(lft_v));
}

LFT_P_STATIC lft_status LFT_P(flow_no_map)(const LFT_(layer) *layer, lft_error *error)
{
    return lft_p_fail_text(error, LFT_ERR_ARG, "flow", "layer", "one that maps, not draws", layer->ops->kind);
}

/* Layer i, which maps or draws. */
LFT_P_STATIC lft_status LFT_P(flow_layer)(const LFT_(flow) *flow, int i, const lft_draw *d, lft_v *from, lft_v *to, double *logdet,
                                          lft_v *score, unsigned char *tape, lft_arena scratch, lft_error *error)
{
    const LFT_(layer) *layer = flow->layer + i;
    lft_draw           own;
    if (!layer->ops->draw) {
        return layer->ops->forward(layer, (lft_real *)from, (lft_real *)to, logdet, (lft_real *)score, tape, scratch, error);
    }
    if (!d) return LFT_P(flow_no_map)(layer, error);
    own = lft_draw_of(d->seed, LFT_DRAW_LAYER, d->sample, (d->purpose & 0xff) << 16 | (uint32_t)i);
    return layer->ops->draw(layer, own, (lft_real *)from, (lft_real *)to, logdet, (lft_real *)score, tape, scratch, error);
}

/* The group in w->x through all layers, also where a lane is not finite: the others may be wanted. d: the address of the
 * sample; NULL if none of them may draw. tape: of the layers from number `taped` on one behind the other, or NULL. */
LFT_P_STATIC lft_status LFT_P(flow_push)(const LFT_(flow) *flow, LFT_P(flow_work) *w, const lft_draw *d, double *logdet,
                                         lft_v *score, unsigned char *tape, int taped)
{
    lft_status status = LFT_OK, one;
    int        i;
    for (i = 0; i < flow->layers && (!status || status == LFT_ERR_NONFINITE); ++i) {
        unsigned char     *own   = i < taped ? NULL : tape;
        const LFT_(layer) *layer = flow->layer + i;
        lft_v             *to    = layer->in.volume == layer->out.volume ? w->x : w->other;
        one = LFT_P(flow_layer)(flow, i, d, w->x, to, logdet, score, own, w->scratch, status ? NULL : &w->error);
        if (!status || one != LFT_ERR_NONFINITE) status = one ? one : status;
        LFT_P(copy_field)(w->x, to, &layer->out);
        if (own) tape += layer->tape_bytes;
    }
    return status;
}

LFT_P_STATIC lft_status LFT_P(flow_pull)(const LFT_(flow) *flow, LFT_P(flow_work) *w, double *logdet)
{
    lft_status status = LFT_OK;
    int        i;
    for (i = flow->layers - 1; i >= 0 && !status; --i) {
        const LFT_(layer) *layer = flow->layer + i;
        status = layer->ops->inverse(layer, (lft_real *)w->x, (lft_real *)w->other, logdet, w->scratch, &w->error);
        LFT_P(copy_field)(w->x, w->other, &layer->in);
    }
    return status;
}

/* What the tasks of one call share. */
typedef struct LFT_P(flow_job) {
    LFT_(flow)        *flow;
    const LFT_(batch) *from;
    LFT_(batch)       *to;
    double            *out; /* [n] */
    lft_draw           draw;
} LFT_P(flow_job);

LFT_P_STATIC void LFT_P(flow_note)(LFT_P(flow_work) *w, int group, lft_status status)
{
    if (status && (!w->failed || group + 1 < w->failed)) {
        w->failed     = group + 1;
        w->first      = w->error;
        w->first.code = status;
    }
}

/* Runs one task per group; the error of the first group that failed becomes the flow's, whatever the threads. */
LFT_P_STATIC lft_status LFT_P(flow_run)(LFT_(flow) *flow, int groups, lft_task task, void *job)
{
    LFT_P(flow_state) *s = LFT_P(flow_state_of)(flow);
    LFT_P(flow_work)  *worst = NULL;
    int                i;
    for (i = 0; i < s->threads; ++i) s->work[i].failed = 0;
    lft_p_pool_run(&flow->pool, groups, task, job);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(flow_work) *w = s->work + i;
        if (w->failed && (!worst || w->failed < worst->failed)) worst = w;
    }
    if (!worst) return LFT_OK;
    flow->error = worst->first;
    return worst->first.code;
}

LFT_P_STATIC void LFT_P(flow_store)(double *out, int n, int group, const double *value)
{
    int l;
    for (l = 0; l < LFT_P_LANES && group * LFT_P_LANES + l < n; ++l) out[group * LFT_P_LANES + l] = value[l];
}

LFT_P_STATIC void LFT_P(flow_sample_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_state)     *s = LFT_P(flow_state_of)(job->flow);
    LFT_P(flow_work)      *w = s->work + thread;
    lft_draw               d = job->draw;
    double                 logq[LFT_P_LANES], logdet[LFT_P_LANES];
    int                    l;
    d.sample += (uint64_t)group * LFT_P_LANES;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(prior_draw)(&s->prior, d, w->x, logq, w->scratch);
    LFT_P(flow_note)(w, group, LFT_P(flow_push)(job->flow, w, &d, logdet, NULL, NULL, 0));
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] -= logdet[l];
    LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    LFT_P(flow_store)(job->out, job->to->n, group, logq);
}

LFT_P_STATIC void LFT_P(flow_map_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_work)      *w = LFT_P(flow_state_of)(job->flow)->work + thread;
    double                 logdet[LFT_P_LANES];
    int                    l;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(copy_field)(w->x, LFT_P(view)(LFT_P(group)(job->from, group)), &job->from->lattice);
    LFT_P(flow_note)(w, group, LFT_P(flow_push)(job->flow, w, NULL, logdet, NULL, NULL, 0));
    LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    LFT_P(flow_store)(job->out, job->to->n, group, logdet);
}

/* The inverse; with job->to == NULL the log-density is stored instead of the log-det. */
LFT_P_STATIC void LFT_P(flow_inverse_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_state)     *s = LFT_P(flow_state_of)(job->flow);
    LFT_P(flow_work)      *w = s->work + thread;
    double                 logdet[LFT_P_LANES], logq[LFT_P_LANES];
    int                    l;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(copy_field)(w->x, LFT_P(view)(LFT_P(group)(job->from, group)), &job->from->lattice);
    LFT_P(flow_note)(w, group, LFT_P(flow_pull)(job->flow, w, logdet));
    if (job->to) {
        LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    } else {
        LFT_P(prior_logq)(&s->prior, w->x, logq, NULL, w->scratch);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] += logq[l];
    }
    LFT_P(flow_store)(job->out, job->from->n, group, logdet);
}

LFT_P_STATIC lft_status LFT_P(flow_fits)(LFT_(flow) *flow, const LFT_(lattice) *a, const LFT_(lattice) *b)
{
    if (LFT_P(same_lattice)(a, b)) return LFT_OK;
    return lft_p_fail(&flow->error, LFT_ERR_MISMATCH, "flow", "the batch has other extents than the flow");
}

LFT_P_STATIC lft_status LFT_P(flow_start_job)(LFT_(flow) *flow, const LFT_(batch) *from, LFT_(batch) *to, double *out,
                                              lft_draw draw, lft_task task)
{
    LFT_P(flow_job) job;
    int             groups = from ? from->groups : to->groups;
    job.flow = flow, job.from = from, job.to = to, job.out = out, job.draw = draw;
    if (from && to && from->n != to->n) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "flow", "n", "batches of the same size", to->n);
    }
    return LFT_P(flow_run)(flow, groups, task, &job);
}

LFT_API lft_status LFT_(flow_sample)(LFT_(flow) *flow, uint64_t seed, uint64_t first, LFT_(batch) *x, double *logq)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, NULL, x, logq, lft_draw_of(seed, LFT_DRAW_PRIOR, first, 0),
                                 LFT_P(flow_sample_task));
}

LFT_API lft_status LFT_(flow_logq)(LFT_(flow) *flow, const LFT_(batch) *x, double *logq)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, x, NULL, logq, lft_draw_of(0, 0, 0, 0), LFT_P(flow_inverse_task));
}

LFT_API lft_status LFT_(flow_map)(LFT_(flow) *flow, const LFT_(batch) *z, LFT_(batch) *x, double *logdet)
{
    lft_status status = LFT_P(flow_fits)(flow, &z->lattice, &flow->layer[0].in);
    int        i;
    if (!status) status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    for (i = 0; i < flow->layers && !status; ++i) {
        if (flow->layer[i].ops->draw) status = LFT_P(flow_no_map)(flow->layer + i, &flow->error);
    }
    if (status) return status;
    return LFT_P(flow_start_job)(flow, z, x, logdet, lft_draw_of(0, 0, 0, 0), LFT_P(flow_map_task));
}

LFT_API lft_status LFT_(flow_inverse)(LFT_(flow) *flow, const LFT_(batch) *x, LFT_(batch) *z, double *logdet)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (!status) status = LFT_P(flow_fits)(flow, &z->lattice, &flow->layer[0].in);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, x, z, logdet, lft_draw_of(0, 0, 0, 0), LFT_P(flow_inverse_task));
}

#endif /* LFT_P_CODE */
