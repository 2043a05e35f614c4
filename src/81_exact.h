/* 81_exact.h: Wilson's plaquette action in two dimensions, sampled without approximation.
 * Offers: LFT_(exact_desc)(), LFT_(exact_bytes)(), LFT_(exact_logz)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* A desc of the flow whose samples have the density exp(-S) / Z, S = -(beta / N) sum Re tr P (U(1): -beta sum cos), in two
 * dimensions: the Haar prior of one site, the torus layer, and exact doublings of the axes in turn until the extents are
 * reached, any extents (74_doubling.h). Its log q is -S - log Z to rounding, of samples and of given configurations: all
 * weights are equal, the ESS is 1 and samples are independent. The layers are laid out in the arena and have to last until
 * flow_init returns; desc->pool may be set. LFT_ERR_ARG: extents, dimensions other than 2, beta below 0 or above 100 (flow_init
 * refuses more, see LFT_(doubling)()); LFT_ERR_NOMEM; text in *error (may be NULL). exact_bytes: what it takes from an arena. */
LFT_API lft_status LFT_(exact_desc)(LFT_(flow_desc) *desc, const int *extent, double beta, lft_arena *arena, lft_error *error);
LFT_API size_t LFT_(exact_bytes)(void);

/* *logz = log int dU exp(-S) = V log lambda_0 + log sum_r (lambda_r / lambda_0)^V on the torus of V plaquettes, to rounding; Haar
 * measures normalised to 1: 0 at beta = 0. Status as above; scratch: 64 kB are enough. */
LFT_API lft_status LFT_(exact_logz)(const int *extent, double beta, double *logz, lft_arena scratch, lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_HALVINGS (24 * LFT_DIM) /* an axis has at most 2^24 sites */

typedef struct LFT_P(exact_list) {
    LFT_(layer_desc)    layer[LFT_P_HALVINGS + 1];
    LFT_(doubling_desc) doubling[LFT_P_HALVINGS];
    LFT_(torus_desc)    torus;
} LFT_P(exact_list);

LFT_API size_t LFT_(exact_bytes)(void)
{
    return lft_p_arena_bytes(sizeof(LFT_P(exact_list)));
}

LFT_API lft_status LFT_(exact_desc)(LFT_(flow_desc) *desc, const int *extent, double beta, lft_arena *arena, lft_error *error)
{
    LFT_P(exact_list) *list = (LFT_P(exact_list) *)lft_arena_alloc(arena, 1, sizeof *list);
    LFT_(lattice)      lattice;
    lft_status         status = LFT_P(exact_check)(beta, "exact", error);
    int                at[LFT_DIM], mu, layers = 0;
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(&lattice, sizeof lattice);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, extent, error);
    if (status || !list) return status ? status : lft_arena_check(arena, error, "exact");
    list->torus.beta    = beta;
    list->layer[0].ops  = LFT_(torus)();
    list->layer[0].desc = &list->torus;
    for (mu = 0; mu < LFT_DIM; ++mu) at[mu] = desc->extent[mu] = 1, list->torus.target[mu] = extent[mu];
    for (;;) {
        LFT_(doubling_desc) *d = list->doubling + layers;
        int                  nu = 0;
        for (mu = 1; mu < LFT_DIM; ++mu) { /* the axis whose sites stand for most */
            if ((int64_t)extent[mu] * at[nu] > (int64_t)extent[nu] * at[mu]) nu = mu;
        }
        if (at[nu] == extent[nu]) break;
        at[nu] = 2 * at[nu] < extent[nu] ? 2 * at[nu] : extent[nu];
        d->axis = nu, d->extent = at[nu], d->conditional = LFT_CONDITIONAL_EXACT, d->beta = beta;
        for (mu = 0; mu < LFT_DIM; ++mu) d->target[mu] = extent[mu];
        layers += 1;
        list->layer[layers].ops  = LFT_(doubling)();
        list->layer[layers].desc = d;
    }
    desc->layer  = list->layer;
    desc->layers = layers + 1;
    return LFT_OK;
}

LFT_API lft_status LFT_(exact_logz)(const int *extent, double beta, double *logz, lft_arena scratch, lft_error *error)
{
    LFT_P(characters) c;
    LFT_(lattice)     lattice;
    lft_status        status = LFT_P(exact_check)(beta, "exact", error);
    lft_p_zero(&lattice, sizeof lattice);
    lft_p_zero(&c, sizeof c);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, extent, error);
    if (status) return status;
    LFT_P(characters_init)(&c, beta, &scratch);
    status = lft_arena_check(&scratch, error, "exact");
    if (!status) *logz = LFT_P(torus_logz)(&c, lattice.volume);
    return status;
}

#undef LFT_P_HALVINGS

#endif /* LFT_P_CODE */
