/* 81_transfer.h: a trained flow as the start of another lattice's.
 * Offers: LFT_(flow_transfer)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Sets the parameters of `flow` to what does on its extents about what those of `from` do on theirs, and prepares it: kernels
 * are padded with zeros, or folded, the prior's spectrum is interpolated, nets are copied. On fields with the period of both
 * lattices the two flows do the same, but for the prior (and unless axes become equal that were not). The flows have the same
 * prior and layers, of which the integration steps may differ and stay as they are; LFT_ERR_MISMATCH otherwise, with nothing
 * changed: also where loops close around one of the lattices, and are other ones than on the other. A flow that draws on its
 * way to finer lattices may have more layers than `from`, whose are then the last ones: the same scales, seen from the
 * samples. Text in flow->error. Of a family, the flow at its present couplings is taken; a family gets it for all couplings
 * alike. */
LFT_API lft_status LFT_(flow_transfer)(LFT_(flow) *flow, const LFT_(flow) *from);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* Parameters of layer i. */
LFT_P_STATIC size_t LFT_P(transfer_count)(const LFT_(flow) *flow, int i)
{
    const size_t end = LFT_P(flow_state_of)(flow)->parameters;
    return (i + 1 < flow->layers ? flow->layer[i + 1].params : end) - flow->layer[i].params;
}

/* Layer i of `from` against the same one, seen from the last. */
LFT_P_STATIC lft_status LFT_P(transfer_check)(LFT_(flow) *flow, const LFT_(flow) *from, int i)
{
    const int          at = flow->layers - from->layers + i;
    const LFT_(layer) *layer = flow->layer + at, *other = from->layer + i;
    int64_t            own[LFT_P_SPEC_MOST], others[LFT_P_SPEC_MOST];
    int                n, k;
    if (layer->ops != other->ops) {
        return lft_p_fail_text(&flow->error, LFT_ERR_MISMATCH, "transfer", "layer", layer->ops->kind, other->ops->kind);
    }
    n = layer->ops->spec && LFT_P(transfer_count)(flow, at) ? layer->ops->spec(layer, own) : 0;
    if (n && other->ops->spec(other, others) != n) own[0] = others[0] + 1;
    if (layer->steps) n -= 2;
    for (k = 0; k < n && own[k] == others[k];) ++k;
    if (k < n) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "transfer", "layer",
                              "the same shape in both flows; they differ in number of the specification", k);
    }
    for (k = 0; k < LFT_DIM; ++k) {
        if (layer->period[k] == other->period[k]) continue;
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "transfer", "layer",
                              "the same loops on both lattices; they close around one of them, in layer", at);
    }
    if (layer->ops->transfer || LFT_P(transfer_count)(flow, at) == LFT_P(transfer_count)(from, i)) return LFT_OK;
    return lft_p_fail_text(&flow->error, LFT_ERR_MISMATCH, "transfer", "layer", "one that transfers to other extents",
                           layer->ops->kind);
}

LFT_API lft_status LFT_(flow_transfer)(LFT_(flow) *flow, const LFT_(flow) *from)
{
    const LFT_P(prior) *prior = &LFT_P(flow_state_of)(flow)->prior, *other = &LFT_P(flow_state_of)(from)->prior;
    const double       *source = LFT_P(flow_state_of)(from)->theta;
    double             *theta  = flow->params.value;
    const size_t        count  = LFT_P(flow_state_of)(flow)->parameters;
    int                 i, more = flow->layers - from->layers, draws = 0;
    for (i = 0; i < flow->layers; ++i) draws += flow->layer[i].ops->draw != NULL;
    if (more < 0 || (more && !draws)) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "transfer", "layers", "the same number in both flows", from->layers);
    }
    if (prior->kind != other->kind) {
        return lft_p_fail(&flow->error, LFT_ERR_MISMATCH, "transfer", "the flows have different kinds of prior");
    }
    for (i = 0; i < from->layers; ++i) {
        if (LFT_P(transfer_check)(flow, from, i)) return LFT_ERR_MISMATCH;
    }
    LFT_P(prior_transfer)(prior, theta, other, source);
    for (i = 0; i < from->layers; ++i) {
        const LFT_(layer) *layer = flow->layer + more + i, *theirs = from->layer + i;
        if (layer->ops->transfer) layer->ops->transfer(layer, theta, theirs, source);
        else {
            lft_p_copy(theta + layer->params, source + theirs->params, LFT_P(transfer_count)(from, i) * sizeof(double));
        }
    }
    lft_p_zero(theta + count, (flow->params.count - count) * sizeof(double));
    LFT_(flow_prepare)(flow);
    return LFT_OK;
}

#endif /* LFT_P_CODE */
