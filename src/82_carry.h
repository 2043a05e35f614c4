/* 82_carry.h: configurations of one theory carried to another by a flow: correlated ensembles.
 * Offers: LFT_(flow_carry)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* y = f(x), and logw[n] = S_from(x) - S_to(y) + log |det df/dx|. If the x are an ensemble of `from`, then for any flow
 *   <O>_to = <w O(y)> / <w>,   <w> = Z_to / Z_from,   w = exp(logw)
 * and O(x) - w O(y) / <w> fluctuates as little as y is near x: <O>_from - <O>_to has a smaller error than two runs, and, where f is
 * nearer to what leads from one theory to the other than the identity, than reweighting. A flow of gauge fields begins as such a
 * map with continuous.from and .beta. LFT_ERR_ARG where x is y; otherwise errors as of LFT_(flow_map)(). Source: 2401.10874. */
LFT_API lft_status LFT_(flow_carry)(LFT_(flow) *flow, const LFT_(theory) *from, const LFT_(theory) *to, const LFT_(batch) *x,
                                    LFT_(batch) *y, double *logw);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_API lft_status LFT_(flow_carry)(LFT_(flow) *flow, const LFT_(theory) *from, const LFT_(theory) *to, const LFT_(batch) *x,
                                    LFT_(batch) *y, double *logw)
{
    double     before[LFT_P_LANES], after[LFT_P_LANES];
    lft_status status;
    int        g, l;
    if (x->data == y->data) return lft_p_fail(&flow->error, LFT_ERR_ARG, "flow_carry", "expected two batches, got one: x is kept");
    status = LFT_(flow_map)(flow, x, y, logw);
    for (g = 0; g < x->groups && !status; ++g) {
        from->action(from, &x->lattice, LFT_P(group)(x, g), before, NULL);
        to->action(to, &y->lattice, LFT_P(group)(y, g), after, NULL);
        for (l = 0; l < LFT_P_LANES && g * LFT_P_LANES + l < x->n; ++l) logw[g * LFT_P_LANES + l] += before[l] - after[l];
    }
    return status;
}

#endif /* LFT_P_CODE */
