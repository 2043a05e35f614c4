/* 41_field.h: batches of field configurations.
 * Offers: LFT_(batch), LFT_(batch_init)(), LFT_(momenta_init)(), LFT_(batch_bytes)(), LFT_(batch_get)(), LFT_(batch_set)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* n configurations, stored [group][site][link][number][lane] with configuration i in lane i % lanes of group i / lanes.
 *   scalar   one number per site, phi
 *   U(1)     an angle per link; link mu of a site, 0 <= mu < LFT_DIM, leads to the next site along axis mu
 *   SU(2)    4 numbers per link: c0 + i (c1 sigma1 + c2 sigma2 + c3 sigma3)
 *   SU(3)    18 per link: the matrix row by row, real parts before imaginary ones
 * The lanes that the last group has to spare hold valid configurations that nothing reads. */
typedef struct LFT_(batch) {
    LFT_(lattice) lattice;
    lft_real     *data;
    int           n, groups, lanes;
    int           reals; /* of a site */
} LFT_(batch);

/* Lays a batch of n cold configurations out in the arena: fields 0, links 1. LFT_ERR_ARG for n < 1, LFT_ERR_NOMEM. */
LFT_API lft_status LFT_(batch_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                    lft_error *error);

/* The same for forces and momenta, n times 0: one algebra element per link, in the place of its numbers (scalar, U(1): 1,
 * SU(2): 3, SU(3): 8). */
LFT_API lft_status LFT_(momenta_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                      lft_error *error);

/* Bytes that batch_init takes from an arena of any alignment. */
LFT_API size_t LFT_(batch_bytes)(const LFT_(lattice) *lattice, int n);

/* Configuration i as a plain array of volume x reals numbers, in the order of the batch (sites row-major), out of and into
 * the batch. 0 <= i < n. */
LFT_API void LFT_(batch_get)(const LFT_(batch) *batch, int i, lft_real *phi);
LFT_API void LFT_(batch_set)(LFT_(batch) *batch, int i, const lft_real *phi);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* of one configuration of each lane */
LFT_P_INLINE size_t LFT_P(group_reals)(const LFT_(batch) *batch)
{
    return (size_t)batch->lattice.volume * (size_t)batch->reals * LFT_P_LANES;
}

LFT_P_INLINE lft_real *LFT_P(group)(const LFT_(batch) *batch, int group)
{
    return batch->data + LFT_P(group_reals)(batch) * (size_t)group;
}

/* Vectors of one group: of its configurations, and of an algebra element for each link (derivatives, scores, momenta). */
LFT_P_INLINE size_t LFT_P(field_vectors)(const LFT_(lattice) *lattice)
{
    return (size_t)lattice->volume * LFT_P_SITE;
}

LFT_P_INLINE size_t LFT_P(force_vectors)(const LFT_(lattice) *lattice)
{
    return (size_t)lattice->volume * LFT_P_FORCES;
}

/* Vectors of scratch. */
LFT_P_STATIC lft_v *LFT_P(vectors)(lft_arena *arena, size_t n)
{
    return (lft_v *)lft_arena_take(arena, n, sizeof(lft_v));
}

/* n normal numbers for each configuration of one group: lane l gets those of sample d.sample + l. work: n doubles. */
LFT_P_STATIC void LFT_P(group_normals)(lft_draw d, int n, lft_v *to_, double *work)
{
    lft_real *to = (lft_real *)to_;
    int       l, x;
    for (l = 0; l < LFT_P_LANES; ++l, ++d.sample) {
        lft_normals(d, work, n);
        for (x = 0; x < n; ++x) to[x * LFT_P_LANES + l] = (lft_real)work[x];
    }
}

/* n links with the invariant measure (numbers: N(0, 1)) for one group. Those of link i have the draw number d.draw + i. */
LFT_P_STATIC void LFT_P(haar_of)(lft_draw d, int n, lft_v *to)
{
    lft_v  normal[LFT_P_HAAR];
    double work[LFT_P_HAAR];
    int    i;
    for (i = 0; i < n; ++i, ++d.draw, to += LFT_P_LINK) {
        LFT_P(group_normals)(d, LFT_P_HAAR, normal, work);
        LFT_P(haar)(to, normal);
    }
}

/* All links of one group. */
LFT_P_STATIC void LFT_P(group_haar)(lft_draw d, const LFT_(lattice) *lattice, lft_v *to)
{
    LFT_P(haar_of)(d, lattice->volume * LFT_P_LINKS, to);
}

LFT_P_STATIC lft_status LFT_P(batch_layout)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, int reals,
                                            lft_arena *arena, lft_error *error)
{
    if (n < 1) return lft_p_fail_got(error, LFT_ERR_ARG, "batch", "n", "at least 1", n);
    batch->lattice = *lattice;
    batch->n       = n;
    batch->lanes   = LFT_P_LANES;
    batch->groups  = n / LFT_P_LANES + (n % LFT_P_LANES != 0);
    batch->reals   = reals;
    batch->data    = (lft_real *)lft_arena_alloc(arena, LFT_P(group_reals)(batch) * (size_t)batch->groups, sizeof(lft_real));
    return lft_arena_check(arena, error, "batch");
}

LFT_API lft_status LFT_(batch_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                    lft_error *error)
{
    lft_status status = LFT_P(batch_layout)(batch, lattice, n, LFT_P_SITE, arena, error);
    size_t     i, links = (size_t)lattice->volume * LFT_P_LINKS;
    lft_v     *link;
    if (status || lft_arena_measuring(arena)) return status;
    link = LFT_P(view)(batch->data);
    for (i = 0; i < links * (size_t)batch->groups; ++i) LFT_P(one)(link + i * LFT_P_LINK);
    return LFT_OK;
}

LFT_API lft_status LFT_(momenta_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                      lft_error *error)
{
    return LFT_P(batch_layout)(batch, lattice, n, LFT_P_FORCES, arena, error);
}

/* Chains start from the configurations of a batch, which has to be of their shape. */
LFT_P_STATIC lft_status LFT_P(batch_start)(LFT_(batch) *chains, const LFT_(batch) *from, const char *where, lft_error *error)
{
    if (!LFT_P(same_lattice)(&from->lattice, &chains->lattice)) {
        return lft_p_fail(error, LFT_ERR_MISMATCH, where, "the batch has other extents than the chains");
    }
    if (from->n != chains->n) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "configurations to start from", "one per chain", from->n);
    }
    lft_p_copy(chains->data, from->data, LFT_P(group_reals)(from) * (size_t)from->groups * sizeof(lft_real));
    return LFT_OK;
}

LFT_API size_t LFT_(batch_bytes)(const LFT_(lattice) *lattice, int n)
{
    lft_arena    arena = lft_arena_measure();
    LFT_(batch)  batch;
    return LFT_(batch_init)(&batch, lattice, n, &arena, NULL) == LFT_OK ? arena.need : 0;
}

LFT_API void LFT_(batch_get)(const LFT_(batch) *batch, int i, lft_real *phi)
{
    const lft_real *from = LFT_P(group)(batch, i / LFT_P_LANES) + i % LFT_P_LANES;
    const int       n = batch->lattice.volume * batch->reals;
    int             x;
    for (x = 0; x < n; ++x) phi[x] = from[(size_t)x * LFT_P_LANES];
}

LFT_API void LFT_(batch_set)(LFT_(batch) *batch, int i, const lft_real *phi)
{
    lft_real *to = LFT_P(group)(batch, i / LFT_P_LANES) + i % LFT_P_LANES;
    int       x;
    for (x = 0; x < batch->lattice.volume * batch->reals; ++x) to[(size_t)x * LFT_P_LANES] = phi[x];
}

#endif /* LFT_P_CODE */
