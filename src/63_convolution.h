/* 63_convolution.h: convolutions of fields on the periodic lattice.
 * Offers (private): LFT_P(conv_grid), LFT_P(conv_grid_init)(), LFT_P(conv), LFT_P(conv_apply)(), _pad, _halo, _apart, _begin,
 * _thin, _even, _weights_of; LFT_P(leaky)().
 *
 *   y_o(x) = b_o + sum_i sum_r w_oi(r) phi_i(x + r),  r in {-k/2 ... k/2}^LFT_DIM, sites modulo the extents
 * (cross-correlation, as PyTorch's Conv2d with circular padding). Fields are [channel][site]; what a convolution reads stands in a
 * halo. A block of a few channels times a few sites of a row is computed in registers. */
#if LFT_P_PHASE == LFT_P_CODE

/* A block: accumulators, and one row of operands, have to fit into 32 registers (AVX-512) or 16. */
#if LFT_P_VECTOR_BYTES == 64
enum { LFT_P(conv_outs) = 4, LFT_P(conv_sites) = 4, LFT_P(conv_taps) = 3 };
#else
enum { LFT_P(conv_outs) = 4, LFT_P(conv_sites) = 2, LFT_P(conv_taps) = 3 };
#endif

typedef struct LFT_P(conv_grid) {
    LFT_(lattice)  lattice;
    int            kernel, taps, tap_rows;    /* extent per axis; kernel^LFT_DIM, kernel^(LFT_DIM - 1) */
    int            rows, padded_rows, padded; /* rows of the lattice; rows and sites with the halo */
    int            centre;                    /* from the padded site of the first tap to that of the middle one */
    int            even;     /* every extent is: neighbours of a site then have the other parity, across the boundary too */
    size_t        *tap_row;  /* [channels][tap_rows] padded sites from the first tap to the first of each row of taps */
    unsigned char *tap_odd;  /* [channels][tap_rows] 1 where the first tap of a row meets a site of the other parity */
    int           *row_at;   /* [rows] the padded site that the first tap meets at the first site of a row */
    int           *row_from; /* [padded_rows] the padded site where the row begins of which a copy stands there */
    const unsigned char *first; /* [rows] NULL, or the first of every other site of a row where an output is wanted, and the input
                                   zero */
} LFT_P(conv_grid);

LFT_P_INLINE int LFT_P(conv_even)(int channels) { return (channels + 1) / 2 * 2; }

/* The tables of the halo, and of the taps of so many channels. */
LFT_P_STATIC void LFT_P(conv_tables)(LFT_P(conv_grid) *g, int channels)
{
    const int *extent = g->lattice.extent, halo = g->kernel - 1;
    int        i, mu, rest, at, from, stride, site, odd;
    for (i = 0; i < g->tap_rows; ++i) {
        odd = LFT_DIM * (halo / 2);
        for (at = 0, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            at += rest % g->kernel * stride;
            odd += rest % g->kernel;
            rest /= g->kernel;
            stride *= extent[mu] + halo;
        }
        g->tap_row[i] = (size_t)at;
        g->tap_odd[i] = (unsigned char)(odd % 2);
    }
    for (i = g->tap_rows; i < channels * g->tap_rows; ++i) {
        g->tap_row[i] = g->tap_row[i - g->tap_rows] + (size_t)g->padded;
        g->tap_odd[i] = g->tap_odd[i - g->tap_rows];
    }
    for (i = 0; i < g->rows; ++i) {
        for (at = 0, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            at += rest % extent[mu] * stride;
            rest /= extent[mu];
            stride *= extent[mu] + halo;
        }
        g->row_at[i] = at;
    }
    for (i = 0; i < g->padded_rows; ++i) {
        for (from = halo / 2, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            site = (rest % (extent[mu] + halo) - halo / 2) % extent[mu];
            from += ((site < 0 ? site + extent[mu] : site) + halo / 2) * stride;
            rest /= extent[mu] + halo;
            stride *= extent[mu] + halo;
        }
        g->row_from[i] = from;
    }
    g->centre = (int)g->tap_row[g->tap_rows / 2] + halo / 2;
}

/* Sizes and tables; runs over a measuring arena too. LFT_ERR_ARG for an even kernel or one beyond 15, or too wide a halo. */
LFT_P_STATIC lft_status LFT_P(conv_grid_init)(LFT_P(conv_grid) *g, const LFT_(lattice) *lattice, int kernel, int channels,
                                              lft_arena *arena, lft_error *error)
{
    const int most   = 1 << 28;
    double    padded = 1;
    int       mu;
    if (kernel < 1 || kernel > 15 || kernel % 2 == 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "kernel", "an odd number from 1 to 15", kernel);
    }
    for (g->even = 1, mu = 0; mu < LFT_DIM; ++mu) {
        padded *= lattice->extent[mu] + kernel - 1;
        if (lattice->extent[mu] % 2) g->even = 0;
    }
    if (padded > most) return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "sites with halo", "at most 2^28", padded);
    g->lattice  = *lattice;
    g->kernel   = kernel;
    g->tap_rows = 1;
    for (mu = 1; mu < LFT_DIM; ++mu) g->tap_rows *= kernel;
    g->taps        = g->tap_rows * kernel;
    g->padded      = (int)padded;
    g->padded_rows = g->padded / (LFT_P(row_length)(lattice) + kernel - 1);
    g->rows        = lattice->volume / LFT_P(row_length)(lattice);
    g->tap_row     = (size_t *)lft_arena_alloc(arena, (size_t)channels * (size_t)g->tap_rows, sizeof(size_t));
    g->tap_odd     = (unsigned char *)lft_arena_alloc(arena, (size_t)channels * (size_t)g->tap_rows, 1);
    g->row_at      = (int *)lft_arena_alloc(arena, (size_t)g->rows, sizeof(int));
    g->row_from    = (int *)lft_arena_alloc(arena, (size_t)g->padded_rows, sizeof(int));
    g->first       = NULL;
    g->centre      = 0;
    if (g->tap_row && g->tap_odd && g->row_at && g->row_from) LFT_P(conv_tables)(g, channels);
    return LFT_OK;
}

/* Of fields with a halo or without: from channel to channel, and from a channel's begin to that of a row. */
LFT_P_INLINE size_t LFT_P(conv_apart)(const LFT_P(conv_grid) *g, int halo)
{
    return (size_t)(halo ? g->padded : g->lattice.volume);
}

LFT_P_INLINE int LFT_P(conv_begin)(const LFT_P(conv_grid) *g, int halo, int row)
{
    return halo ? g->row_at[row] + g->centre : row * LFT_P(row_length)(&g->lattice);
}

/* The halo of fields that stand in one: every padded row is a copy of a row, continued periodically, however short it is. */
LFT_P_STATIC void LFT_P(conv_halo)(const LFT_P(conv_grid) *g, lft_v *to, int channels)
{
    const int length = LFT_P(row_length)(&g->lattice), halo = g->kernel / 2;
    int       c, row, x;
    for (c = 0; c < channels; ++c) {
        const lft_v *field = to;
        for (row = 0; row < g->padded_rows; ++row, to += length + 2 * halo) {
            const lft_v *source = field + g->row_from[row];
            if (source != to + halo) {
                for (x = 0; x < length; ++x) to[halo + x] = source[x];
            }
            for (x = halo - 1; x >= 0; --x) to[x] = to[x + length];
            for (x = halo + length; x < length + 2 * halo; ++x) to[x] = to[x - length];
        }
    }
}

/* Fields without one, with a halo */
LFT_P_STATIC void LFT_P(conv_pad)(const LFT_P(conv_grid) *g, const lft_v *from, int channels, lft_v *to)
{
    const int length = LFT_P(row_length)(&g->lattice);
    int       c, row, x;
    for (c = 0; c < channels; ++c) {
        for (row = 0; row < g->rows; ++row, from += length) {
            lft_v *at = to + (size_t)c * (size_t)g->padded + LFT_P(conv_begin)(g, 1, row);
            for (x = 0; x < length; ++x) at[x] = from[x];
        }
    }
    LFT_P(conv_halo)(g, to, channels);
}

/* What a convolution reads: fields with halo, weights of `stride` outputs, biases or NULL; and where it computes. */
typedef enum LFT_P(conv_where) {
    LFT_P(conv_everywhere),
    LFT_P(conv_firsts),       /* at the sites g->first and every other one after it */
    LFT_P(conv_others),       /* at those between them */
    LFT_P(conv_firsts_zero),  /* everywhere, where the fields are zero at the first ones: half of the taps */
    LFT_P(conv_others_zero)
} LFT_P(conv_where);

typedef struct LFT_P(conv) {
    const lft_v      *from;
    const lft_real   *weight, *bias;
    const lft_real   *winograd; /* NULL, or the weights as 63_winograd.h wants them */
    lft_real          slope;    /* of LeakyReLU, which is applied to what it makes; 1: nothing is */
    LFT_P(conv_where) where;
    int               ins, stride, halo; /* halo: what it writes stands in one */
} LFT_P(conv);

/* Half of the taps, if the lattice allows for it; worth its code for 3 taps. */
LFT_P_INLINE LFT_P(conv_where) LFT_P(conv_thin)(const LFT_P(conv_grid) *g, LFT_P(conv_where) where)
{
    return g->first && g->even && g->kernel == 3 ? where : LFT_P(conv_everywhere);
}

LFT_P_INLINE lft_v LFT_P(leaky)(lft_v x, lft_real slope)
{
    return lft_sel(LFT_P(lt)(x, lft_splat(0)), x * slope, x);
}

LFT_P_INLINE void LFT_P(conv_tap)(const lft_real *w, const lft_v *a, int outs, int sites, int step,
                                  lft_v sum[LFT_P(conv_outs) * LFT_P(conv_sites)])
{
    int p, x;
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (x = 0; x < sites; ++x) sum[p * sites + x] += w[p] * a[x * step];
    }
}

/* Constants after inlining: channels and sites of a block, so that the sums stay in registers; distance of the sites; the
 * kernel where it is 3, so that taps share what they read; thin: every other tap. */
typedef struct LFT_P(conv_shape) {
    int outs, sites, step, kernel, thin;
} LFT_P(conv_shape);

/* Channels o ... of `to`, which lie `apart`, at sites of a row whose first tap meets the padded site `at`. thin: taps whose sum
 * of coordinates is odd if `odd`. */
LFT_P_INLINE void LFT_P(conv_block)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int o, int at,
                                    size_t apart, lft_v *to)
{
    const int       rows = c->ins * g->tap_rows, stride = c->stride;
    const lft_real *w    = c->weight + o;
    const lft_v    *from = c->from + at;
    lft_v           sum[LFT_P(conv_outs) * LFT_P(conv_sites)];
    int             r, k, p, x;
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p)
    {
        LFT_P_UNROLL for (x = 0; x < f.sites; ++x) sum[p * f.sites + x] = lft_splat(c->bias ? c->bias[o + p] : 0);
    }
    for (r = 0; r < rows; ++r, w += f.kernel * stride) {
        const lft_v *a = from + g->tap_row[r];
        if (f.thin) {
            if ((odd + g->tap_odd[r]) % 2) LFT_P(conv_tap)(w + stride, a + 1, f.outs, f.sites, f.step, sum);
            else {
                LFT_P(conv_tap)(w, a, f.outs, f.sites, f.step, sum);
                LFT_P(conv_tap)(w + 2 * stride, a + 2, f.outs, f.sites, f.step, sum);
            }
        } else if (f.kernel == 3) {
            LFT_P_UNROLL for (k = 0; k < 3; ++k) LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
        } else {
            for (k = 0; k < f.kernel; ++k) LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
        }
    }
    to += (size_t)o * apart;
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p, to += apart)
    {
        const lft_v *y = sum + p * f.sites;
        LFT_P_UNROLL for (x = 0; x < f.sites; ++x) to[x * f.step] = LFT_P(leaky)(y[x], c->slope);
    }
}

/* The sites of row `row` from `begin` on; the last block overlaps the one before where their number asks for it. thin: those of
 * the other parity too, which are as many. */
LFT_P_INLINE void LFT_P(conv_row)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int o, int begin,
                                  int row, lft_v *to)
{
    const int    count = (LFT_P(row_length)(&g->lattice) - begin + f.step - 1) / f.step, at = g->row_at[row];
    const size_t apart = LFT_P(conv_apart)(g, c->halo);
    int          i, j, x;
    to += LFT_P(conv_begin)(g, c->halo, row);
    if (count < f.sites) {
        for (f.sites = 1, f.kernel = g->kernel, i = 0; i <= f.thin; ++i) {
            for (x = begin ^ i, j = 0; j < count; ++j, x += f.step) LFT_P(conv_block)(g, c, f, odd ^ i, o, at + x, apart, to + x);
        }
        return;
    }
    for (j = 0; j < count; j += f.sites) {
        if (j > count - f.sites) j = count - f.sites;
        for (i = 0; i <= f.thin; ++i) {
            x = (begin ^ i) + j * f.step;
            LFT_P(conv_block)(g, c, f, odd ^ i, o, at + x, apart, to + x);
        }
    }
}

/* All channels, c->stride of them, of a row */
LFT_P_INLINE void LFT_P(conv_outs_of)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int begin,
                                      int row, lft_v *to)
{
    int o;
    f.outs = LFT_P(conv_outs);
    for (o = 0; o + f.outs <= c->stride; o += f.outs) LFT_P(conv_row)(g, c, f, odd, o, begin, row, to);
    f.outs = 2;
    for (; o < c->stride; o += 2) LFT_P(conv_row)(g, c, f, odd, o, begin, row, to);
}

LFT_P_INLINE void LFT_P(conv_all)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, int kernel, lft_v *to)
{
    const int         length = LFT_P(row_length)(&g->lattice);
    LFT_P(conv_shape) f, wide;
    int               row, i, o;
    f.sites = LFT_P(conv_sites), f.kernel = kernel, f.outs = 2;
    wide = f, wide.sites = 2 * LFT_P(conv_sites), wide.step = 2, wide.thin = 0; /* as many accumulators as of four channels */
    for (row = 0; row < g->rows; ++row) {
        const int first = g->first ? g->first[row] : 0;
        if (c->where == LFT_P(conv_everywhere)) {
            f.step = 1, f.thin = 0;
            LFT_P(conv_outs_of)(g, c, f, 0, 0, row, to);
        } else if (c->where == LFT_P(conv_firsts) || c->where == LFT_P(conv_others)) { /* of one or two channels */
            f.step = 2, f.thin = 0;
            i      = c->where == LFT_P(conv_firsts) ? first : 1 - first;
            for (o = 0; o < c->stride; o += 2) {
                if (length < 4 * LFT_P(conv_sites)) LFT_P(conv_row)(g, c, f, 0, o, i, row, to);
                else LFT_P(conv_row)(g, c, wide, 0, o, i, row, to);
            }
        } else if (kernel == 3) {
            f.step = 2, f.thin = 1;
            LFT_P(conv_outs_of)(g, c, f, c->where == LFT_P(conv_firsts_zero), first, row, to);
        }
    }
}

LFT_P_NOINLINE void LFT_P(conv_apply)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, lft_v *to)
{
    if (g->kernel == 3) LFT_P(conv_all)(g, c, 3, to);
    else LFT_P(conv_all)(g, c, g->kernel, to);
}

/* dw[p][t], outs times taps of them, = sum over sites of dy_p(x) a(x + t); a: with halo, at the first of the taps. Channels of
 * dw are `apart`. last: dy is of the last convolution, whose fields have no halo and may be wanted at every other site. */
LFT_P_INLINE void LFT_P(conv_weights_block)(const LFT_P(conv_grid) *g, const lft_v *a, const lft_v *dy, int last, int outs,
                                            int taps, size_t apart, lft_v *dw)
{
    const unsigned char *first  = last ? g->first : NULL;
    const size_t         dy_apart = LFT_P(conv_apart)(g, !last);
    const int            length = LFT_P(row_length)(&g->lattice), step = first ? 2 : 1;
    lft_v     sum[LFT_P(conv_outs)][LFT_P(conv_taps)];
    int       row, x, p, t;
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (t = 0; t < taps; ++t) sum[p][t] = lft_splat(0);
    }
    for (row = 0; row < g->rows; ++row) {
        const lft_v *b = a + g->row_at[row], *from = dy + LFT_P(conv_begin)(g, !last, row);
        for (x = first ? first[row] : 0; x < length; x += step) {
            LFT_P_UNROLL for (p = 0; p < outs; ++p)
            {
                const lft_v d = from[(size_t)p * dy_apart + (size_t)x];
                LFT_P_UNROLL for (t = 0; t < taps; ++t) sum[p][t] += d * b[x + t];
            }
        }
    }
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (t = 0; t < taps; ++t) dw[(size_t)p * apart + (size_t)t] = sum[p][t];
    }
}

/* All taps of `outs` channels, constant after inlining, from their first: dw as above, [outs][in][taps]. */
LFT_P_INLINE void LFT_P(conv_weights_of)(const LFT_P(conv_grid) *g, int outs, int in, const lft_v *padded,
                                         const lft_v *dy, int last, lft_v *dw)
{
    const int    kernel = g->kernel;
    const size_t apart  = (size_t)in * (size_t)g->taps;
    int          i, r, k;
    for (i = 0; i < in; ++i, padded += g->padded) {
        for (r = 0; r < g->tap_rows; ++r) {
            const lft_v *a = padded + g->tap_row[r];
            for (k = 0; k + LFT_P(conv_taps) <= kernel; k += LFT_P(conv_taps), dw += LFT_P(conv_taps)) {
                LFT_P(conv_weights_block)(g, a + k, dy, last, outs, LFT_P(conv_taps), apart, dw);
            }
            for (; k < kernel; ++k, ++dw) LFT_P(conv_weights_block)(g, a + k, dy, last, outs, 1, apart, dw);
        }
    }
}

#endif /* LFT_P_CODE */
