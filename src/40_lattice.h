/* 40_lattice.h: a periodic hypercubic lattice in LFT_DIM dimensions with run-time extents.
 * Offers: LFT_(lattice), LFT_(lattice_init)(), LFT_(lanes)().
 * Sites are numbered in row-major order: the last axis runs fastest. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

typedef struct LFT_(lattice) {
    int extent[LFT_DIM];
    int volume; /* number of sites, the product of the extents */
} LFT_(lattice);

/* Sets up a lattice. Any extent >= 1 is legal (an axis of extent 1 or 2 bonds a site to itself or twice to the same
 * neighbour, as the periodic sums say). LFT_ERR_ARG for an extent < 1 or more than 2^24 sites. */
static inline lft_status LFT_(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error);

/* Lanes of the implementation: how many configurations one group of a batch holds. Known at run time only, because the
 * implementation may have been compiled for another machine than its caller. */
LFT_API int LFT_(lanes)(void);

LFT_API lft_status LFT_P_SIGNED(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error);

static inline lft_status LFT_(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error)
{
    return LFT_P_SIGNED(lattice_init)(lattice, extent, error);
}

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_API int LFT_(lanes)(void)
{
    return LFT_P_LANES;
}

LFT_API lft_status LFT_P_SIGNED(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error)
{
    const int most = 1 << 24;
    int       mu, volume = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (extent[mu] < 1) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "lattice", "extent", "an integer >= 1", extent[mu]);
        }
        if (extent[mu] > most / volume) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "lattice", "volume", "at most 2^24 sites",
                                  (double)volume * extent[mu]);
        }
        volume *= extent[mu];
        lattice->extent[mu] = extent[mu];
    }
    lattice->volume = volume;
    return LFT_OK;
}

/* Length of a row, the run of sites along the last axis. */
LFT_P_INLINE int LFT_P(row_length)(const LFT_(lattice) *lattice)
{
    return lattice->extent[LFT_DIM - 1];
}

/* First sites of the rows above and below a row along each axis but the last. O(LFT_DIM), once per row. */
static inline void LFT_P(neighbour_rows)(const LFT_(lattice) *lattice, int row, int *up, int *down)
{
    int stride = LFT_P(row_length)(lattice), rest = row, mu;
    int site   = row * stride;
    for (mu = LFT_DIM - 2; mu >= 0; --mu) {
        int extent = lattice->extent[mu], x = rest % extent;
        up[mu]     = site + (x + 1 < extent ? stride : stride * (1 - extent));
        down[mu]   = site - (x > 0 ? stride : stride * (1 - extent));
        rest /= extent;
        stride *= extent;
    }
    (void)rest;
}

/* A site and its coordinates; one step along the axes. */
typedef struct LFT_P(place) {
    int site, x[LFT_DIM];
} LFT_P(place);

/* Distance in sites of neighbours along each axis. */
LFT_P_INLINE void LFT_P(strides)(const LFT_(lattice) *lattice, int *stride)
{
    int mu, n = 1;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        stride[mu] = n;
        n *= lattice->extent[mu];
    }
}

LFT_P_INLINE void LFT_P(up)(const LFT_(lattice) *lattice, const int *stride, LFT_P(place) *p, int mu)
{
    if (++p->x[mu] < lattice->extent[mu]) p->site += stride[mu];
    else {
        p->x[mu] = 0;
        p->site -= stride[mu] * (lattice->extent[mu] - 1);
    }
}

LFT_P_INLINE void LFT_P(down)(const LFT_(lattice) *lattice, const int *stride, LFT_P(place) *p, int mu)
{
    if (--p->x[mu] >= 0) p->site -= stride[mu];
    else {
        p->x[mu] = lattice->extent[mu] - 1;
        p->site += stride[mu] * (lattice->extent[mu] - 1);
    }
}

/* The next site in the order of memory; after the last one the first again. */
LFT_P_INLINE void LFT_P(next_place)(const LFT_(lattice) *lattice, LFT_P(place) *p)
{
    int mu;
    ++p->site;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        if (++p->x[mu] < lattice->extent[mu]) return;
        p->x[mu] = 0;
    }
    p->site = 0;
}

LFT_P_INLINE LFT_P(place) LFT_P(first_place)(void)
{
    LFT_P(place) p;
    int          mu;
    p.site = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) p.x[mu] = 0;
    return p;
}

static inline int LFT_P(same_lattice)(const LFT_(lattice) *a, const LFT_(lattice) *b)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (a->extent[mu] != b->extent[mu]) return 0;
    }
    return 1;
}

#endif /* LFT_P_CODE */
