/* 63_winograd.h: convolutions of three taps per axis with half the products.
 * Offers (private): LFT_P(winograd_numbers)(), LFT_P(winograd_ring)(), LFT_P(winograd_weights)(), LFT_P(winograd)().
 * Source: minimal filtering, S. Winograd, Arithmetic Complexity of Computations (SIAM 1980); for nets, 1509.09308.
 *
 * Along the rows, four outputs of three taps w take six products instead of twelve: F(4, 3) with the points 0, 1, -1, 2, -2 and
 * infinity,  y = A^T [(G w) * (B^T d)]  of the six inputs d, summed over channels and rows of taps before A^T. B^T d of two tiles
 * of four sites and of those rows that the taps of one row meet are kept; of the next row one along each axis but the last two is
 * new. Rounding: a few times that of the plain sum. */
#if LFT_P_PHASE == LFT_P_CODE

enum { LFT_P(tile_sites) = 4, LFT_P(tile_inputs) = 6, LFT_P(tiles) = 2, LFT_P(tile_half) = 3 };

/* Accumulators of a block are outs times tiles times half of the products of a tile. */
#if LFT_P_VECTOR_BYTES == 64
enum { LFT_P(tile_outs) = 4 };
#else
enum { LFT_P(tile_outs) = 2 };
#endif

/* Rows of taps along the last axis but one, which take turns in what is kept. */
LFT_P_INLINE int LFT_P(tile_turns)(const LFT_P(conv_grid) *g) { return g->tap_rows < 3 ? 1 : 3; }

/* Rows of weights: each such set is continued periodically, so that it can be read from any row on. */
LFT_P_INLINE int LFT_P(tile_rows)(const LFT_P(conv_grid) *g)
{
    return g->tap_rows / LFT_P(tile_turns)(g) * (2 * LFT_P(tile_turns)(g) - 1);
}

/* How many numbers the transformed weights [half][tile_rows][in][3][out] of blocks of outputs take; 0: not for these. */
LFT_P_STATIC size_t LFT_P(winograd_numbers)(const LFT_P(conv_grid) *g, int ins, int stride)
{
    if (g->kernel != 3 || stride < 4 || LFT_P(row_length)(&g->lattice) < LFT_P(tile_sites)) return 0;
    return (size_t)LFT_P(tile_inputs) * (size_t)LFT_P(tile_rows)(g) * (size_t)ins * (size_t)stride;
}

/* Vectors that what is kept of `ins` channels takes. */
LFT_P_STATIC size_t LFT_P(winograd_ring)(const LFT_P(conv_grid) *g, int ins)
{
    return g->kernel == 3 ? (size_t)g->tap_rows * (size_t)ins * LFT_P(tiles) * LFT_P(tile_inputs) : 0;
}

LFT_P_INLINE int LFT_P(tile_block)(int o, int stride) { return o + LFT_P(tile_outs) <= stride ? LFT_P(tile_outs) : 2; }

/* G w of weights [in][taps][stride]. */
LFT_P_STATIC void LFT_P(winograd_weights)(const LFT_P(conv_grid) *g, int ins, int stride, const lft_real *from, lft_real *to)
{
    const double sixth = -1.0 / 6, part = 1.0 / 24;
    const int    turns = LFT_P(tile_turns)(g), rows = 2 * turns - 1;
    int          o, outs, half, r, i, k, p;
    for (o = 0; o < stride; o += outs) {
        outs = LFT_P(tile_block)(o, stride);
        for (half = 0; half < 2; ++half) {
            for (r = 0; r < LFT_P(tile_rows)(g); ++r) {
                const int    row = r / rows * turns + r % rows;
                const size_t set = (size_t)(ins * LFT_P(tile_half) * outs);
                if (r % rows >= turns) {
                    lft_p_copy(to, to - (size_t)turns * set, set * sizeof *to);
                    to += set;
                    continue;
                }
                for (i = 0; i < ins; ++i, to += LFT_P(tile_half) * outs) {
                    const lft_real *w = from + (i * g->taps + row * 3) * stride + o;
                    for (p = 0; p < outs; ++p) {
                        const double a = (double)w[p], b = (double)w[stride + p], c = (double)w[2 * stride + p];
                        const double whole[2][LFT_P(tile_half)] = {{a / 4, (a + b + c) * sixth, (a - b + c) * sixth},
                                                                   {(a + 2 * b + 4 * c) * part, (a - 2 * b + 4 * c) * part, c}};
                        for (k = 0; k < LFT_P(tile_half); ++k) to[k * outs + p] = (lft_real)whole[half][k];
                    }
                }
            }
        }
    }
}

/* Where tile t of a row begins: the last one overlaps the one before where the row's length asks for it. */
LFT_P_INLINE int LFT_P(tile_begin)(const LFT_P(conv_grid) *g, int t)
{
    const int begin = LFT_P(tile_sites) * t, last = LFT_P(row_length)(&g->lattice) - LFT_P(tile_sites);
    return begin < last ? begin : last;
}

/* B^T d of `tiles` tiles, from the one at t: to[ins][tiles][6], from the padded row that begins at `row`. */
LFT_P_INLINE void LFT_P(winograd_inputs)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, int row, int t, int tiles, lft_v *to)
{
    const lft_v *from = c->from + row;
    int          i, j;
    for (i = 0; i < c->ins; ++i, from += g->padded) {
        for (j = 0; j < tiles; ++j, to += LFT_P(tile_inputs)) {
            const lft_v *d = from + LFT_P(tile_begin)(g, t + j);
            const lft_v  a = d[0], b = d[1], e = d[2], f = d[3], h = d[4], k = d[5];
            const lft_v  p = h - (lft_real)4 * e, q = f - (lft_real)4 * b;
            const lft_v  r = h - e, s = (lft_real)2 * (f - b);
            to[0] = (lft_real)4 * a - (lft_real)5 * e + h;
            to[1] = p + q;
            to[2] = p - q;
            to[3] = r + s;
            to[4] = r - s;
            to[5] = (lft_real)4 * b - (lft_real)5 * f + k;
        }
    }
}

/* A block, constant after inlining. */
typedef struct LFT_P(tile_shape) {
    int outs, tiles;
} LFT_P(tile_shape);

/* Half of the products, summed over channels and rows of taps, of ring[tap_rows][in][tiles][6], in which the rows of taps along
 * the last axis but one begin with `turn`; w: the weights; the bias is added to the product at point 1, which is in all four
 * outputs. One loop over rows and channels: a short one inside of another costs more than its products. */
LFT_P_INLINE void LFT_P(winograd_half)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, LFT_P(tile_shape) f, int turn,
                                       const lft_v *ring, const lft_real *w, const lft_real *bias,
                                       lft_v sum[LFT_P(tile_half)][LFT_P(tile_outs)][LFT_P(tiles)])
{
    const int turns = LFT_P(tile_turns)(g), row = LFT_P(tile_half) * f.outs * c->ins;
    int       r, i, k, p, t;
    LFT_P_UNROLL for (k = 0; k < LFT_P(tile_half); ++k)
    {
        LFT_P_UNROLL for (p = 0; p < f.outs; ++p)
        {
            LFT_P_UNROLL for (t = 0; t < f.tiles; ++t) sum[k][p][t] = lft_splat(bias && k == 1 ? bias[p] : 0);
        }
    }
    for (w += (turns - turn) % turns * row, r = 0; r < g->tap_rows; r += turns, w += (turns - 1) * row) {
        for (i = 0; i < turns * c->ins; ++i, w += LFT_P(tile_half) * f.outs, ring += f.tiles * LFT_P(tile_inputs)) {
            LFT_P_UNROLL for (k = 0; k < LFT_P(tile_half); ++k)
            {
                LFT_P_UNROLL for (p = 0; p < f.outs; ++p)
                {
                    LFT_P_UNROLL for (t = 0; t < f.tiles; ++t)
                    {
                        sum[k][p][t] += w[k * f.outs + p] * ring[t * LFT_P(tile_inputs) + k];
                    }
                }
            }
        }
    }
}

/* Channels o ... of tiles t ... of a row that begins at `to`. */
LFT_P_INLINE void LFT_P(winograd_block)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, LFT_P(tile_shape) f, int turn,
                                        const lft_v *ring, int o, int t, lft_v *to)
{
    const size_t    apart = LFT_P(conv_apart)(g, c->halo);
    const size_t    half  = (size_t)(LFT_P(tile_half) * LFT_P(tile_rows)(g) * c->ins);
    const lft_real *w     = c->winograd + (size_t)o * 2 * half;
    lft_v           sum[LFT_P(tile_half)][LFT_P(tile_outs)][LFT_P(tiles)], y[LFT_P(tile_outs)][LFT_P(tiles)][3];
    int             p, j, x;
    LFT_P(winograd_half)(g, c, f, turn, ring, w, c->bias ? c->bias + o : NULL, sum);
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p)
    {
        LFT_P_UNROLL for (j = 0; j < f.tiles; ++j)
        {
            y[p][j][2] = sum[1][p][j] + sum[2][p][j];
            y[p][j][1] = sum[1][p][j] - sum[2][p][j];
            y[p][j][0] = sum[0][p][j] + y[p][j][2];
        }
    }
    LFT_P(winograd_half)(g, c, f, turn, ring + LFT_P(tile_half), w + (size_t)f.outs * half, NULL, sum);
    to += (size_t)o * apart;
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p, to += apart)
    {
        LFT_P_UNROLL for (j = 0; j < f.tiles; ++j)
        {
            const lft_v even = sum[0][p][j] + sum[1][p][j], odd = sum[0][p][j] - sum[1][p][j];
            lft_v      *out = to + LFT_P(tile_begin)(g, t + j), four[LFT_P(tile_sites)];
            four[0] = y[p][j][0] + even;
            four[1] = y[p][j][1] + (lft_real)2 * odd;
            four[2] = y[p][j][2] + (lft_real)4 * even;
            four[3] = y[p][j][1] + (lft_real)8 * odd + sum[2][p][j];
            LFT_P_UNROLL for (x = 0; x < LFT_P(tile_sites); ++x) out[x] = LFT_P(leaky)(four[x], c->slope);
        }
    }
}

/* `tiles` tiles of all rows, from t on. */
LFT_P_INLINE void LFT_P(winograd_column)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, int t, int tiles, lft_v *ring, lft_v *to)
{
    const int         width = LFT_P(row_length)(&g->lattice) + 2, turns = LFT_P(tile_turns)(g);
    const int         high = LFT_DIM > 1 ? g->lattice.extent[LFT_DIM > 1 ? LFT_DIM - 2 : 0] : 1;
    LFT_P(tile_shape) f;
    int               row, y, n, r, o;
    f.tiles = tiles;
    for (row = 0; row < g->rows; ++row) {
        y = row % high;
        for (r = 0; r < g->tap_rows; r += turns) {
            for (n = y ? turns - 1 : 0; n < turns; ++n) {
                lft_v *kept = ring + (r + (y + n) % turns) * c->ins * tiles * LFT_P(tile_inputs);
                LFT_P(winograd_inputs)(g, c, g->row_at[row] + (int)g->tap_row[r] + n * width, t, tiles, kept);
            }
        }
        f.outs = LFT_P(tile_outs);
        for (o = 0; o + f.outs <= c->stride; o += f.outs) {
            LFT_P(winograd_block)(g, c, f, y % turns, ring, o, t, to + LFT_P(conv_begin)(g, c->halo, row));
        }
        f.outs = 2;
        for (; o < c->stride; o += f.outs) {
            LFT_P(winograd_block)(g, c, f, y % turns, ring, o, t, to + LFT_P(conv_begin)(g, c->halo, row));
        }
    }
}

/* The convolution everywhere, with the weights c->winograd and ring[winograd_ring()] to work in. */
LFT_P_NOINLINE void LFT_P(winograd)(const LFT_P(conv_grid) *g, const LFT_P(conv) *c, lft_v *ring, lft_v *to)
{
    const int tiles = (LFT_P(row_length)(&g->lattice) + LFT_P(tile_sites) - 1) / LFT_P(tile_sites);
    int       t;
    for (t = 0; t + LFT_P(tiles) <= tiles; t += LFT_P(tiles)) LFT_P(winograd_column)(g, c, t, LFT_P(tiles), ring, to);
    if (t < tiles) LFT_P(winograd_column)(g, c, t, 1, ring, to);
}

#endif /* LFT_P_CODE */
