/* 46_configuration.h: gauge configurations of a batch from and to files of the community (29_gauge_file.h).
 * Offers: LFT_(configuration_read)(), LFT_(configuration_write)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* The links of a file, whose header lft_gauge_read_header() has read, become configuration i of the batch; then all that
 * lft_gauge_read_links() says of them is in *file. They are taken as they are: file->unitarity says how far from unitary; LFT_F32
 * rounds them; SU(2) keeps the quaternion part, U(1) the angle.
 * LFT_ERR_MISMATCH: other dimensions, extents or colours than those of the batch; LFT_ERR_ARG: i; else as
 * lft_gauge_read_links(): the configuration is then partly new. O(volume). */
LFT_API lft_status LFT_(configuration_read)(LFT_(batch) *x, int i, lft_gauge_file *file, lft_error *error);

/* Configuration i as a file. Of *file its format counts, and dtype and rows where they are not 0; dim, extents and colours are
 * set. Status as lft_gauge_write(). O(volume). */
LFT_API lft_status LFT_(configuration_write)(const LFT_(batch) *x, int i, lft_writer to, lft_gauge_file *file,
                                             lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* One configuration of a batch. */
typedef struct LFT_P(one_of) {
    const LFT_(lattice) *lattice;
    lft_real            *data; /* number k: data[k LFT_P_LANES] */
} LFT_P(one_of);

LFT_P_STATIC LFT_P(one_of) LFT_P(one_of_batch)(const LFT_(batch) *x, int i)
{
    LFT_P(one_of) one;
    one.lattice = &x->lattice;
    one.data    = LFT_P(group)(x, i / LFT_P_LANES) + i % LFT_P_LANES;
    return one;
}

LFT_P_STATIC lft_real *LFT_P(one_link)(const LFT_P(one_of) *one, const int x[LFT_MAX_DIM], int mu)
{
    size_t site = 0;
    int    nu;
    for (nu = 0; nu < LFT_DIM; ++nu) site = site * (size_t)one->lattice->extent[nu] + (size_t)x[nu];
    return one->data + (site * LFT_DIM + (size_t)mu) * LFT_P_LINK * LFT_P_LANES;
}

LFT_P_STATIC int LFT_P(configuration_put)(void *user, const int x[LFT_MAX_DIM], int mu, const double *u)
{
    lft_real *to = LFT_P(one_link)((const LFT_P(one_of) *)user, x, mu);
    double    c[LFT_P_LINK];
    int       k;
    LFT_P(numbers_of)(u, c);
    for (k = 0; k < LFT_P_LINK; ++k) to[k * LFT_P_LANES] = (lft_real)c[k];
    return 0;
}

LFT_P_STATIC int LFT_P(configuration_get)(void *user, const int x[LFT_MAX_DIM], int mu, double *u)
{
    const lft_real *from = LFT_P(one_link)((const LFT_P(one_of) *)user, x, mu);
    double          c[LFT_P_LINK];
    int             k;
    for (k = 0; k < LFT_P_LINK; ++k) c[k] = (double)from[k * LFT_P_LANES];
    LFT_P(matrix_of)(c, u);
    return 0;
}

LFT_API lft_status LFT_(configuration_read)(LFT_(batch) *x, int i, lft_gauge_file *file, lft_error *error)
{
    static const char where[] = "configuration";
    LFT_P(one_of)     one;
    int               mu;
    if (i < 0 || i >= x->n) return lft_p_fail_got(error, LFT_ERR_ARG, where, "number", "one of the batch", i);
    if (file->dim != LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "dimensions", LFT_P_STRING(LFT_DIM), file->dim);
    }
    if (file->colours != LFT_P_COLOURS) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "colours", LFT_P_STRING(LFT_P_COLOURS), file->colours);
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (file->extent[mu] == x->lattice.extent[mu]) continue;
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "extent", "that of the batch", file->extent[mu]);
    }
    one = LFT_P(one_of_batch)(x, i);
    return lft_gauge_read_links(file, LFT_P(configuration_put), &one, error);
}

LFT_API lft_status LFT_(configuration_write)(const LFT_(batch) *x, int i, lft_writer to, lft_gauge_file *file,
                                             lft_error *error)
{
    LFT_P(one_of) one;
    int           mu;
    if (i < 0 || i >= x->n) return lft_p_fail_got(error, LFT_ERR_ARG, "configuration", "number", "one of the batch", i);
    one           = LFT_P(one_of_batch)(x, i);
    file->dim     = LFT_DIM;
    file->colours = LFT_P_COLOURS;
    for (mu = 0; mu < LFT_DIM; ++mu) file->extent[mu] = x->lattice.extent[mu];
    return lft_gauge_write(to, file, LFT_P(configuration_get), &one, error);
}

#endif /* LFT_P_CODE */
