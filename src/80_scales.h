/* 80_scales.h: the way from a coarse lattice to a fine one by doubling axes.
 * Offers (private): LFT_P(scale_axes)(), LFT_P(scale_layer)(), LFT_P(most_doublings). */
#if LFT_P_PHASE == LFT_P_CODE

enum { LFT_P(most_doublings) = 32 }; /* in all: a lattice has less than 2^31 sites */

/* axis[doublings] that lead from the extents `from` to `extent`: the axes in turn, those first that have farthest to go. Room for
 * most_doublings + 1. LFT_ERR_ARG if no powers of two lead there. */
LFT_P_STATIC lft_status LFT_P(scale_axes)(const int *from, const int *extent, int *axis, int *doublings, lft_error *error)
{
    int        at[LFT_DIM], mu, nu;
    lft_p_text t;
    for (mu = 0; mu < LFT_DIM; ++mu) at[mu] = from[mu];
    for (*doublings = 0;; ++*doublings) {
        for (nu = 0, mu = 1; mu < LFT_DIM; ++mu) {
            if ((int64_t)extent[mu] * at[nu] > (int64_t)extent[nu] * at[mu]) nu = mu;
        }
        if (at[nu] >= extent[nu] || *doublings == LFT_P(most_doublings)) break;
        axis[*doublings] = nu;
        at[nu] *= 2;
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (at[mu] == extent[mu]) continue;
        t = lft_p_error_text(error, LFT_ERR_ARG, "multiscale", "extent: expected ");
        lft_p_put_u64(&t, (uint64_t)from[mu]);
        lft_p_put(&t, ", where it begins, times a power of two, got ");
        lft_p_put_u64(&t, (uint64_t)extent[mu]);
        return LFT_ERR_ARG;
    }
    return LFT_OK;
}

/* One layer more behind a list of them. */
LFT_P_STATIC void LFT_P(scale_layer)(LFT_(layer_desc) *list, int *layers, const LFT_(layer_ops) *ops, const void *desc)
{
    list[*layers].ops  = ops;
    list[*layers].desc = desc;
    ++*layers;
}

#endif /* LFT_P_CODE */
