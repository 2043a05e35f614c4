/* 81_scalar_multiscale.h: flows of scalar fields from coarse lattices to fine ones.
 * Offers: LFT_(multiscale_desc), LFT_(multiscale)(), LFT_(multiscale_bytes)(). Source: 2404.10819, which has gauge fields. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default. */
typedef struct LFT_(multiscale_desc) {
    int                   from[LFT_DIM];   /* extents of the prior: the samples', halved while they are even and above 4 */
    int                   extent[LFT_DIM]; /* of the samples: those times powers of two */
    int                   refine;          /* 1: a continuous flow behind every doubling; else where no axis has farther to go than
                                              another, and at the end */
    int                   sines;           /* of the doublings: 2; -1 none */
    double                mass2;           /* of the free field at the start: (4 / largest extent)^2 */
    LFT_(continuous_desc) flow;            /* of all scales */
} LFT_(multiscale_desc);

/* A desc of a flow from a Gaussian prior on the extents `from`: there a continuous flow; then the axes in turn, those first that
 * have farthest to go, by doublings (73_scalar_doubling.h) and continuous flows of all sites (70_continuous.h). The prior is at
 * first the free field of the finest lattice on the sites that stay, the doublings continue it and the flows are the identity, so
 * that all of it is the free field at the start: to rounding if every axis is doubled as often as the others or has an extent of
 * its own, otherwise as near as the tied spectrum of the prior comes. The layers are laid out in the arena and have to last until
 * flow_init returns; desc->pool and desc->prior may be set. LFT_ERR_ARG: extents (flow_init refuses more); LFT_ERR_NOMEM; text in
 * *error (may be NULL). multiscale_bytes: what it takes from an arena. */
LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error);
LFT_API size_t LFT_(multiscale_bytes)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(scales) {
    LFT_(layer_desc)      layer[2 * LFT_P(most_doublings) + 1];
    LFT_(doubling_desc)   doubling[LFT_P(most_doublings)];
    LFT_(continuous_desc) flow; /* of all of them */
    int                   layers;
} LFT_P(scales);

LFT_API size_t LFT_(multiscale_bytes)(void)
{
    return lft_p_arena_bytes(sizeof(LFT_P(scales)));
}

/* Has every axis as far to go as the others? */
LFT_P_STATIC int LFT_P(scale_is_even)(const int *at, const int *extent)
{
    int mu, even = 1;
    for (mu = 1; mu < LFT_DIM; ++mu) even = even && (int64_t)extent[mu] * at[0] == (int64_t)extent[0] * at[mu];
    return even;
}

LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error)
{
    LFT_P(scales) *s = (LFT_P(scales) *)lft_arena_alloc(arena, 1, sizeof *s);
    LFT_(lattice)  lattice;
    lft_status     status;
    int            axis[LFT_P(most_doublings) + 1], at[LFT_DIM] = {0}, doublings = 0, i, mu; /* gcc 12 sees a path without */
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(&lattice, sizeof lattice);
    status = LFT_P_SIGNED(lattice_init)(&lattice, of->extent, error);
    for (mu = 0; mu < LFT_DIM && !status; ++mu) {
        at[mu] = of->from[mu] ? of->from[mu] : of->extent[mu];
        while (!of->from[mu] && at[mu] % 2 == 0 && at[mu] > 4) at[mu] /= 2;
        if (at[mu] < 1) status = lft_p_fail_got(error, LFT_ERR_ARG, "multiscale", "from", "integers >= 1", at[mu]);
    }
    if (!status) status = LFT_P(scale_axes)(at, of->extent, axis, &doublings, error);
    if (status || !s) return status ? status : lft_arena_check(arena, error, "multiscale");
    if (!doublings) return lft_p_fail(error, LFT_ERR_ARG, "multiscale", "expected extents to double, got none");
    s->flow = of->flow;
    for (mu = 0; mu < LFT_DIM; ++mu) desc->extent[mu] = at[mu], desc->prior.target[mu] = of->extent[mu];
    desc->prior.mass2 = of->mass2;
    LFT_P(scale_layer)(s->layer, &s->layers, LFT_(continuous)(), &s->flow);
    for (i = 0; i < doublings; ++i) {
        LFT_(doubling_desc) *d = s->doubling + i;
        d->axis = axis[i], d->sines = of->sines, d->mass2 = of->mass2;
        for (mu = 0; mu < LFT_DIM; ++mu) d->target[mu] = of->extent[mu];
        at[axis[i]] *= 2;
        LFT_P(scale_layer)(s->layer, &s->layers, LFT_(doubling)(), d);
        if (of->refine || i + 1 == doublings || LFT_P(scale_is_even)(at, of->extent)) {
            LFT_P(scale_layer)(s->layer, &s->layers, LFT_(continuous)(), &s->flow);
        }
    }
    desc->layer  = s->layer;
    desc->layers = s->layers;
    return LFT_OK;
}

#endif /* LFT_P_CODE */
