/* 41_field.h: batches of field configurations.
 * Offers: LFT_(batch), LFT_(batch_init)(), LFT_(batch_bytes)(), LFT_(batch_get)(), LFT_(batch_set)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* n configurations, stored [group][site][lane] with configuration i in lane i % lanes of group i / lanes. The lanes that
 * the last group has to spare hold valid (zero) configurations that nothing reads. */
typedef struct LFT_(batch) {
    LFT_(lattice) lattice;
    lft_real     *data;
    int           n, groups, lanes;
} LFT_(batch);

/* Lays a batch of n zero configurations out in the arena. LFT_ERR_ARG for n < 1, LFT_ERR_NOMEM. */
LFT_API lft_status LFT_(batch_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                    lft_error *error);

/* Bytes that batch_init takes from an arena of any alignment. */
LFT_API size_t LFT_(batch_bytes)(const LFT_(lattice) *lattice, int n);

/* Configuration i as a plain row-major array of `volume` reals, out of and into the batch. 0 <= i < n. */
LFT_API void LFT_(batch_get)(const LFT_(batch) *batch, int i, lft_real *phi);
LFT_API void LFT_(batch_set)(LFT_(batch) *batch, int i, const lft_real *phi);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_INLINE size_t LFT_P(group_reals)(const LFT_(lattice) *lattice)
{
    return (size_t)lattice->volume * LFT_P_LANES;
}

LFT_P_INLINE lft_real *LFT_P(group)(const LFT_(batch) *batch, int group)
{
    return batch->data + LFT_P(group_reals)(&batch->lattice) * (size_t)group;
}

/* Vectors of scratch. */
LFT_P_STATIC lft_v *LFT_P(vectors)(lft_arena *arena, size_t n)
{
    return (lft_v *)lft_arena_take(arena, n, sizeof(lft_v));
}

/* Normal numbers for one group: lane l gets those of sample d.sample + l. work: volume doubles. */
LFT_P_STATIC void LFT_P(group_normals)(lft_draw d, int volume, lft_v *to_, double *work)
{
    lft_real *to = (lft_real *)to_;
    int       l, x;
    for (l = 0; l < LFT_P_LANES; ++l, ++d.sample) {
        lft_normals(d, work, volume);
        for (x = 0; x < volume; ++x) to[x * LFT_P_LANES + l] = (lft_real)work[x];
    }
}

LFT_API lft_status LFT_(batch_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                    lft_error *error)
{
    if (n < 1) return lft_p_fail_got(error, LFT_ERR_ARG, "batch", "n", "at least 1", n);
    batch->lattice = *lattice;
    batch->n       = n;
    batch->lanes   = LFT_P_LANES;
    batch->groups  = n / LFT_P_LANES + (n % LFT_P_LANES != 0);
    batch->data =
        (lft_real *)lft_arena_alloc(arena, LFT_P(group_reals)(lattice) * (size_t)batch->groups, sizeof(lft_real));
    return lft_arena_check(arena, error, "batch");
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
    int             x;
    for (x = 0; x < batch->lattice.volume; ++x) phi[x] = from[(size_t)x * LFT_P_LANES];
}

LFT_API void LFT_(batch_set)(LFT_(batch) *batch, int i, const lft_real *phi)
{
    lft_real *to = LFT_P(group)(batch, i / LFT_P_LANES) + i % LFT_P_LANES;
    int       x;
    for (x = 0; x < batch->lattice.volume; ++x) to[(size_t)x * LFT_P_LANES] = phi[x];
}

#endif /* LFT_P_CODE */
