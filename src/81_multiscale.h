/* 81_multiscale.h: flows of gauge fields from coarse lattices to fine ones.
 * Offers: LFT_(multiscale_desc), LFT_(multiscale)(), LFT_(multiscale_beta)(), LFT_(multiscale_bytes)().
 * Source: 2404.10819; couplings of coarse lattices as of A. A. Migdal and L. P. Kadanoff (Ann. Phys. 100 (1976) 359). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default. */
typedef struct LFT_(multiscale_desc) {
    int                   from[LFT_DIM];   /* extents of the prior: 1 in two dimensions, otherwise, and of a heat bath, the least
                                              from 2 on */
    int                   extent[LFT_DIM]; /* of the samples: those times powers of two */
    int                   refine;          /* 1: behind each doubling also a flow of all links, at first the identity */
    int                   fixed_gauge;     /* 1: of all doublings (74_doubling.h): the same log q, samples of one gauge */
    LFT_(prior_desc)      prior;           /* Haar; of a heat bath beta: that of its lattice, see below */
    int                   harmonics;       /* U(1) in two dimensions, > 0: of circle maps (74_circle.h) in place of flows */
    LFT_(continuous_desc) flow;            /* of each flow, `doubled` apart: beta is that of the finest lattice; loops, by default
                                              those of order max(1, order), are fewer where a lattice is too small for them */
} LFT_(multiscale_desc);

/* A desc of a flow from a prior on the extents `from`: Haar, and there a flow of all links, if no extent is 1; then the axes in
 * turn, those first that have farthest to go, each doubling with Haar links (74_doubling.h) followed by the flow of the new links
 * given the others (71_gauge_continuous.h, doubled). With order > 0 that is at first the trivializing map for Wilson's action at
 * the coupling of its lattice: of a plaquette, going back over a doubling, u(beta') = u(beta)^2 if it lies along the axis, and
 * beta' = 2 beta otherwise, with u = lambda_f / lambda_0 of 47_characters.h; of a flow the mean over the plaquettes along its axis.
 * In two dimensions the coarse action is a plaquette action to leading order in u, and the conditionals are of one link each: any
 * order is possible on any lattice. In more dimensions a flow of order n takes extents across the axis of n + 1, and takes a
 * lower order on smaller lattices; across extents of 1, the plaquettes along the axis alone and the identity to begin with.
 * Circle maps begin with c_1 = that coupling, with order > 0, or as the identity.
 * A heat bath takes the place of the flow on the extents `from`, with the coupling of that lattice unless it has one.
 * The layers are laid out in the arena and have to last until flow_init returns; desc->pool may be set. LFT_ERR_ARG: extents,
 * beta below 0 or above 100, loops (flow_init refuses more); LFT_ERR_NOMEM; text in *error (may be NULL). multiscale_bytes:
 * what it takes from an arena. */
LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error);
LFT_API size_t LFT_(multiscale_bytes)(void);

/* The first layers of such a flow are a flow of a coarser lattice, of which this is the mean coupling of all plaquettes, as above,
 * where the whole flow is for `beta`; with these doublings or others. desc->layers may be cut down to them: the parameters are the
 * first ones of the whole flow's. Scratch: multiscale_bytes(); 0 without it. */
LFT_API double LFT_(multiscale_beta)(const LFT_(flow) *flow, int layers, double beta, lft_arena scratch);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(scales) {
    LFT_(layer_desc)      layer[3 * LFT_P(most_doublings) + 1];
    LFT_(doubling_desc)   doubling[LFT_P(most_doublings)];
    LFT_(continuous_desc) flow[2 * LFT_P(most_doublings) + 1];
    LFT_(circle_desc)     circle[LFT_P(most_doublings)];
    double                work[4096]; /* for characters */
    int                   layers, flows, doublings;
} LFT_P(scales);

LFT_API size_t LFT_(multiscale_bytes)(void)
{
    return lft_p_arena_bytes(sizeof(LFT_P(scales)));
}

/* u of the fundamental representation, the mean of Re tr U / N of a plaquette of its own. */
LFT_P_STATIC double LFT_P(scale_mean)(LFT_P(scales) *s, double beta)
{
    LFT_P(characters) c;
    lft_arena         arena = lft_arena_of(s->work, sizeof s->work);
    LFT_P(characters_init)(&c, beta, &arena);
    return c.u ? c.u[1] : 0;
}

/* The coupling of two plaquettes in one, u(beta') = u(beta)^2, to six digits. */
LFT_P_STATIC double LFT_P(scale_pair)(LFT_P(scales) *s, double beta)
{
    const double u = LFT_P(scale_mean)(s, beta);
    double       low = 0, high = beta;
    int          i;
    for (i = 0; i < 20; ++i) {
        const double half = 0.5 * (low + high);
        if (LFT_P(scale_mean)(s, half) < u * u) low = half;
        else high = half;
    }
    return 0.5 * (low + high);
}

/* A flow of the new links of an axis, doubled = axis + 1, or of all. 0 where loops are not known. */
LFT_P_STATIC int LFT_P(scale_flow)(LFT_P(scales) *s, const LFT_(continuous_desc) *of, const int *at, int doubled, double beta,
                                   int order)
{
    LFT_(continuous_desc) *d = s->flow + s->flows;
    const int              any = doubled && LFT_DIM == 2; /* the plaquettes beside a link have it alone in common */
    int                    highest = of->order > 1 ? of->order : 1, least = 1 << 24, mu, room;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (mu != doubled - 1 && at[mu] < least) least = at[mu];
    }
    if (!doubled && least < 2) return 1;
    *d         = *of;
    d->doubled = doubled, d->beta = beta, d->order = order;
    while (!any && highest > 1 && highest >= least) --highest;
    if (d->order > highest) d->order = highest;
    room = any || !d->loops ? 0 : LFT_(continuous_loops)(doubled, least - 1);
    if (!d->loops) d->loops = LFT_(continuous_loops)(doubled, highest);
    if (room && d->loops > room) d->loops = room;
    if (!any && least == 1) d->loops = 1, d->order = 0;
    LFT_P(scale_layer)(s->layer, &s->layers, LFT_(continuous)(), d);
    ++s->flows;
    return d->loops > 0;
}

/* The prior's extents. */
LFT_P_STATIC void LFT_P(scale_from)(const LFT_(multiscale_desc) *of, int *from)
{
    const int bath = of->prior.kind == LFT_PRIOR_HEATBATH;
    int       mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        from[mu] = of->from[mu] ? of->from[mu] : LFT_DIM == 2 && !bath ? 1 : of->extent[mu];
        while (!of->from[mu] && (LFT_DIM > 2 || bath) && from[mu] % 2 == 0 && from[mu] > 2) from[mu] /= 2;
    }
}

/* The mean coupling of the plaquettes along an axis, or of all (axis < 0); and what they are on the lattice before. */
LFT_P_STATIC double LFT_P(scale_coupling)(double (*beta)[LFT_DIM], int axis)
{
    double sum = 0;
    int    mu, nu, n = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < mu; ++nu) {
            if (axis < 0 || mu == axis || nu == axis) sum += beta[mu][nu], ++n;
        }
    }
    return sum / n;
}

LFT_P_STATIC void LFT_P(scale_back)(LFT_P(scales) *s, double (*beta)[LFT_DIM], int axis)
{
    double was = -1, is = 0;
    int    mu, nu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < mu; ++nu) {
            double *b = beta[mu] + nu;
            if (mu != axis && nu != axis) {
                *b *= 2;
                continue;
            }
            if (*b < was || *b > was) was = *b, is = LFT_P(scale_pair)(s, was);
            *b = is;
        }
    }
}

LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error)
{
    LFT_P(scales) *s = (LFT_P(scales) *)lft_arena_alloc(arena, 1, sizeof *s);
    LFT_(lattice)  lattice;
    double         beta[LFT_DIM][LFT_DIM], of_scale[LFT_P(most_doublings) + 1];
    lft_status     status;
    int            axis[LFT_P(most_doublings) + 1], at[LFT_DIM], doublings, i, mu, nu, known;
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(&lattice, sizeof lattice);
    status = LFT_P_SIGNED(lattice_init)(&lattice, of->extent, error);
    LFT_P(scale_from)(of, at);
    if (!status) status = LFT_P(scale_axes)(at, of->extent, axis, &doublings, error);
    if (!status && (!lft_finite(of->flow.beta) || of->flow.beta < 0 || of->flow.beta > 100)) {
        status = lft_p_fail_got(error, LFT_ERR_ARG, "multiscale", "beta", "0 to 100", of->flow.beta);
    }
    if (status || !s) return status ? status : lft_arena_check(arena, error, "multiscale");
    for (mu = 0; mu < LFT_DIM; ++mu) {
        desc->extent[mu] = at[mu];
        for (nu = 0; nu < LFT_DIM; ++nu) beta[mu][nu] = of->flow.beta;
    }
    for (i = doublings; i-- > 0; LFT_P(scale_back)(s, beta, axis[i])) of_scale[i] = LFT_P(scale_coupling)(beta, axis[i]);
    desc->prior = of->prior;
    known       = 1;
    if (of->prior.kind != LFT_PRIOR_HEATBATH) {
        known = LFT_P(scale_flow)(s, &of->flow, at, 0, LFT_P(scale_coupling)(beta, -1), of->flow.order);
    } else if (!(of->prior.beta > 0)) desc->prior.beta = LFT_P(scale_coupling)(beta, -1);
    for (i = 0; i < doublings; ++i) {
        LFT_(doubling_desc) *d = s->doubling + i;
        d->axis = axis[i], d->extent = at[axis[i]] *= 2, d->fixed_gauge = of->fixed_gauge;
        LFT_P(scale_layer)(s->layer, &s->layers, LFT_(doubling)(), d);
        if (of->harmonics) {
            LFT_(circle_desc) *c = s->circle + i;
            c->doubled = axis[i] + 1, c->harmonics = of->harmonics, c->beta = of->flow.order ? of_scale[i] : 0;
            LFT_P(scale_layer)(s->layer, &s->layers, LFT_(circle)(), c);
        } else known = LFT_P(scale_flow)(s, &of->flow, at, axis[i] + 1, of_scale[i], of->flow.order) && known;
        if (of->refine) known = LFT_P(scale_flow)(s, &of->flow, at, 0, 0, 0) && known;
    }
    if (!known) return lft_p_fail(error, LFT_ERR_ARG, "multiscale", "expected an order whose loops there is room for");
    if (!s->layers) return lft_p_fail(error, LFT_ERR_ARG, "multiscale", "expected extents to double, got none");
    desc->layer  = s->layer;
    desc->layers = s->layers;
    return LFT_OK;
}

LFT_API double LFT_(multiscale_beta)(const LFT_(flow) *flow, int layers, double beta, lft_arena scratch)
{
    LFT_P(scales) *s = (LFT_P(scales) *)lft_arena_alloc(&scratch, 1, sizeof *s);
    double         each[LFT_DIM][LFT_DIM];
    int            i, mu, nu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) each[mu][nu] = beta;
    }
    for (i = flow->layers; s && i-- > layers;) {
        const LFT_(layer) *layer = flow->layer + i;
        for (mu = 0; mu < LFT_DIM; ++mu) {
            if (layer->out.extent[mu] != layer->in.extent[mu]) LFT_P(scale_back)(s, each, mu);
        }
    }
    return s ? LFT_P(scale_coupling)(each, -1) : 0;
}

#endif /* LFT_P_CODE */
