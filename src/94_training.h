/* 94_training.h: training by Adam or Gauss-Newton steps, and a guard against the integrator's error.
 * Offers: LFT_(train_step)(), LFT_(train_rest)(), LFT_(train)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* The guard. Every guard_every steps, and at the end, epsilon is measured as by LFT_(flow_logq_error)(). Within the bounds
 * the state is saved as good. Beyond them the integration steps grow by half, twice at most; if that does not mend it (the
 * optimiser has gone after the integrator's error), training returns to the last good state and goes on at half the
 * learning rate. So does a step whose loss or gradient is not finite. Where no layer integrates there is no such error:
 * nothing is measured, and every guard_every steps the state whose loss was finite is saved as good.
 * A family is trained at couplings that are drawn for each gradient from its box (the theory's own are not used); loss and
 * ess of a step, and epsilon of a check, are those at the last of them. */

/* One step of the optimizer, and the guard when it is due. trainer->report tells about it. Errors in flow->error: LFT_ERR_NONFINITE
 * or LFT_ERR_NOCONV when ten roll-backs have not helped; the flow then holds the last good parameters. */
LFT_API lft_status LFT_(train_step)(LFT_(trainer) *trainer);

/* All steps that are left; LFT_STOPPED when the report callback says so. */
LFT_API lft_status LFT_(train_rest)(LFT_(trainer) *trainer);

/* The whole of it in one call, with the trainer in scratch memory. */
LFT_API lft_status LFT_(train)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_train_desc *desc,
                               lft_arena scratch);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* A step of Gauss and Newton at `rate`, from new samples; norm: its change of the log-weights, 0 of one that is taken back. The
 * ridge is that of Levenberg and Marquardt: a step after which the mean of (log w - log Z)^2 is more than twice of what
 * it was is taken back, and the ridge grows tenfold; otherwise it shrinks to a third, to the desc's at least. It is log Z, from all
 * batches, and not the mean of the log-weights: an error of the integrator that is the same everywhere would cost nothing
 * otherwise, and the optimiser finds it. Its state is in that of Adam, so that checkpoints hold it: the parameters before the
 * step in m; that mean, the ridge, and log Z with what it counts in v. */
LFT_P_STATIC lft_status LFT_P(train_newton)(LFT_(trainer) *t, uint64_t first, double rate, double *loss, double *norm)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    const size_t        n = flow->params.count;
    double             *step = s->work->row, *before = t->adam.m, *variance = t->adam.v, *ridge = t->adam.v + 1, mean = 0;
    double              logz, weight;
    const lft_status    status = LFT_P(train_gradient)(t, first, &mean);
    const int           begun  = t->adam.step > 0;
    size_t              k;
    if (status && status != LFT_ERR_NONFINITE) return status;
    if (begun && (status || !(s->normal[2] <= 2 * *variance))) {
        lft_p_copy(flow->params.value, before, n * sizeof(double));
        *ridge *= 10;
        *norm = 0;
        return *ridge < 1e12 ? LFT_OK : LFT_ERR_NONFINITE;
    }
    if (status) return status;
    LFT_P(train_logz)(t, &logz, &weight);
    t->adam.v[2] += weight * logz, t->adam.v[3] += weight;
    *loss     = mean;
    *variance = s->normal[2];
    *ridge    = !begun ? 0.1 : *ridge / 3 > t->desc.ridge ? *ridge / 3 : t->desc.ridge;
    t->adam.step += 1;
    lft_p_copy(before, flow->params.value, n * sizeof(double));
    *norm = lft_p_normal_step(s->normal, n - s->still, *ridge, t->gradient + s->still, step);
    if (!lft_finite(*norm)) return LFT_ERR_NONFINITE;
    if (t->desc.clip > 0 && *norm > t->desc.clip) rate *= t->desc.clip / *norm;
    for (k = s->still; k < n; ++k) flow->params.value[k] += rate * step[k - s->still];
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(train_mark_good)(LFT_(trainer) *t)
{
    const size_t bytes = t->adam.n * sizeof(double);
    lft_p_copy(t->good.value, t->flow->params.value, bytes);
    lft_p_copy(t->good.m, t->adam.m, bytes);
    lft_p_copy(t->good.v, t->adam.v, bytes);
    t->good.step      = t->step;
    t->good.adam_step = t->adam.step;
}

/* Back to the last good state, with half the learning rate. LFT_ERR_NOCONV after ten times: `why` says what keeps
 * happening. */
LFT_P_STATIC lft_status LFT_P(train_roll_back)(LFT_(trainer) *t, const char *why)
{
    const size_t bytes = t->adam.n * sizeof(double);
    lft_p_copy(t->flow->params.value, t->good.value, bytes);
    lft_p_copy(t->adam.m, t->good.m, bytes);
    lft_p_copy(t->adam.v, t->good.v, bytes);
    t->step      = t->good.step;
    t->adam.step = t->good.adam_step;
    t->rate_scale *= 0.5;
    LFT_(flow_prepare)(t->flow);
    if (++t->report.rolled_back < 10) return LFT_OK;
    return lft_p_fail_got(&t->flow->error, LFT_ERR_NOCONV, "train", why, "at most 9 roll-backs", t->report.rolled_back);
}

LFT_P_STATIC int LFT_P(train_within)(const LFT_(trainer) *t)
{
    const lft_logq_error *g = &t->report.guard;
    return g->std <= t->desc.guard_std && g->mean <= t->desc.guard_mean && -g->mean <= t->desc.guard_mean;
}

LFT_P_STATIC lft_status LFT_P(train_measure)(LFT_(trainer) *t)
{
    LFT_P(train_state) *s = (LFT_P(train_state) *)t->state;
    const uint64_t      first = t->step * (uint64_t)t->desc.guard_samples;
    return LFT_(flow_logq_error)(t->flow, t->desc.seed, first, t->desc.guard_samples, &t->report.guard,
                                 lft_arena_of(s->guard, s->guard_bytes));
}

/* Up to two refinements by half before the state is given up: one that is sound on a finer grid is worth its steps. */
LFT_P_STATIC lft_status LFT_P(train_guard)(LFT_(trainer) *t)
{
    int tries;
    for (tries = 0;; ++tries) {
        const int  steps  = LFT_P(train_integration_steps)(t->flow);
        lft_status status = LFT_P(train_measure)(t);
        if (!status && LFT_P(train_within)(t)) {
            LFT_P(train_mark_good)(t);
            return LFT_OK;
        }
        if (tries == 2 || LFT_(flow_refine)(t->flow, steps + (steps + 1) / 2)) break;
        t->report.refined += 1;
    }
    return LFT_P(train_roll_back)(t, "epsilon stays beyond the guard's bounds");
}

/* A family is trained at couplings from all over its box, more at its bounds, where polynomials need it. The flow's become the
 * couplings of this number; whether they were others. */
LFT_P_STATIC int LFT_P(train_draw_couplings)(LFT_(trainer) *t, uint64_t number)
{
    const lft_family *f = &t->flow->family;
    const lft_draw    d = lft_draw_of(t->desc.seed, LFT_DRAW_FAMILY, number, 0);
    double           *to = t->flow->coupling, sine, cosine;
    int               j, others = 0;
    for (j = 0; j < f->couplings; ++j) {
        const double before = to[j];
        lft_p_f64_p_sincos(3.14159265358979323846 * lft_uniform(d, (uint32_t)j), &sine, &cosine);
        to[j]  = 0.5 * (f->high[j] + f->low[j] + (f->high[j] - f->low[j]) * cosine);
        others = others || to[j] < before || to[j] > before;
    }
    return others;
}

/* The accumulated gradient in t->gradient; the loss and ess of its last part in the report. */
LFT_P_STATIC lft_status LFT_P(train_accumulate)(LFT_(trainer) *t, double *sum)
{
    const uint64_t batch = (uint64_t)t->desc.batch, parts = (uint64_t)t->desc.accumulate;
    lft_status     status = LFT_OK;
    uint64_t       part;
    size_t         k;
    double         loss = 0;
    for (part = 0; part < parts && !status; ++part) {
        if (t->flow->family.degree && LFT_P(train_draw_couplings)(t, t->step * parts + part)) LFT_(flow_prepare)(t->flow);
        status = LFT_P(train_gradient)(t, (t->step * parts + part) * batch, &loss);
        if (parts == 1) continue;
        for (k = 0; k < t->adam.n; ++k) sum[k] = (part ? sum[k] : 0) + t->gradient[k] / (double)parts;
    }
    for (k = 0; parts > 1 && k < t->adam.n; ++k) t->gradient[k] = sum[k];
    t->report.loss = loss;
    t->report.ess  = lft_weigh(t->logw, (size_t)t->desc.batch).ess;
    return status;
}

/* A step of the layers in training, which are the flow's last ones, where they have the steps from `first` to before `end`. */
LFT_P_STATIC lft_status LFT_P(train_layers)(LFT_(trainer) *t, uint64_t first, uint64_t end)
{
    const lft_train_desc *d = &t->desc;
    const int             integrates = LFT_P(train_integration_steps)(t->flow) > 0;
    lft_train_report     *r = &t->report;
    lft_schedule          schedule;
    lft_status            status;
    schedule.kind = d->schedule, schedule.from = d->rate, schedule.to = d->last_rate, schedule.steps = end - first;
    schedule.warmup = d->warmup;
    if (r->scale < r->scales) schedule.warmup = (uint64_t)((double)d->warmup / (double)d->steps * (double)d->scale_steps);
    r->rate         = t->rate_scale * lft_rate(&schedule, t->step - first);
    if (d->optimizer == LFT_GAUSS_NEWTON) {
        status = LFT_P(train_newton)(t, t->step * (uint64_t)d->batch, r->rate, &r->loss, &r->norm);
        r->ess = lft_weigh(t->logw, (size_t)d->batch).ess;
    } else {
        status  = LFT_P(train_accumulate)(t, t->sum);
        r->norm = lft_clip_norm(t->gradient, t->adam.n, d->clip);
    }
    if (status && status != LFT_ERR_NONFINITE) return status;
    if (status || !lft_finite(r->loss) || !lft_finite(r->norm)) {
        status = LFT_P(train_roll_back)(t, "loss or gradient not finite");
    } else {
        if (!integrates && d->guard_every > 0 && t->step % (uint64_t)d->guard_every == 0) LFT_P(train_mark_good)(t);
        if (d->optimizer == LFT_ADAM) {
            lft_adam_step(&t->adam, t->flow->params.value, t->gradient, r->rate, t->flow->params.pace);
        }
        t->step += 1;
        if (t->flow->family.degree) { /* where the next step begins: so it need not prepare again */
            (void)LFT_P(train_draw_couplings)(t, t->step * (uint64_t)d->accumulate);
        }
        LFT_(flow_prepare)(t->flow);
        if (integrates && d->guard_every > 0 && (t->step % (uint64_t)d->guard_every == 0 || t->step == end)) {
            status = LFT_P(train_guard)(t);
        }
    }
    r->step              = t->step;
    r->integration_steps = LFT_P(train_integration_steps)(t->flow);
    return status;
}

/* The next scale, or all of them: a training that begins. */
LFT_P_STATIC void LFT_P(train_next_scale)(LFT_(trainer) *t)
{
    LFT_P(train_choose)(t);
    lft_p_zero(t->adam.m, t->adam.n * sizeof(double));
    lft_p_zero(t->adam.v, t->adam.n * sizeof(double));
    lft_p_zero(&t->report.guard, sizeof t->report.guard);
    t->adam.step  = 0;
    t->rate_scale = 1;
    LFT_P(train_mark_good)(t);
    LFT_(flow_prepare)(t->flow);
}

LFT_API lft_status LFT_(train_step)(LFT_(trainer) *t)
{
    const LFT_P(train_state) *s      = (const LFT_P(train_state) *)t->state;
    lft_train_report         *r      = &t->report;
    const uint64_t            first  = (uint64_t)s->scale * t->desc.scale_steps;
    const uint64_t            end    = s->scale < r->scales ? first + t->desc.scale_steps : r->steps;
    const LFT_(flow)          whole  = LFT_P(flow_cut)(t->flow, s->layers);
    lft_status                status;
    r->scale = s->scale;
    status   = LFT_P(train_layers)(t, first, end);
    LFT_P(flow_uncut)(t->flow, &whole);
    if (!status && r->scale < r->scales && t->step == end) LFT_P(train_next_scale)(t);
    return status;
}

LFT_API lft_status LFT_(train_rest)(LFT_(trainer) *t)
{
    lft_status status = LFT_OK;
    while (!status && t->step < t->report.steps) {
        status = LFT_(train_step)(t);
        if (!status && t->desc.report && t->desc.report(t->desc.user, &t->report)) status = LFT_STOPPED;
    }
    return status;
}

LFT_API lft_status LFT_(train)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_train_desc *desc, lft_arena scratch)
{
    LFT_(trainer) trainer;
    lft_status    status = LFT_(trainer_init)(&trainer, flow, theory, desc, &scratch);
    return status ? status : LFT_(train_rest)(&trainer);
}

#endif /* LFT_P_CODE */
