/* 63_convnet.h: a convolutional net on the periodic lattice.
 * Offers (private): LFT_P(convnet), LFT_P(convnet_init)(), _start, _prepare, _scratch, _output, _forward, _backward.
 *
 *   y_o(x) = b_o + sum_i sum_r w_oi(r) phi_i(x + r),  r in {-k/2 ... k/2}^LFT_DIM, sites modulo the extents
 * (cross-correlation, as PyTorch's Conv2d with circular padding). Between the convolutions stands LeakyReLU with slope 0.01,
 * at the end bound * tanh(y) or nothing. Fields are [channel][site]; those between the convolutions stand in a halo, so that
 * the next one reads them where they are. A block of a few channels times a few sites of a row is computed in registers. The
 * derivative by the input is a convolution too, with the taps reversed and the channels exchanged. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_CONV_MOST 9 /* convolutions of a net */

/* A block: accumulators, and one row of operands, have to fit into 32 registers (AVX-512) or 16. */
#if LFT_P_VECTOR_BYTES == 64
enum { LFT_P(conv_outs) = 4, LFT_P(conv_sites) = 4, LFT_P(conv_taps) = 3 };
#else
enum { LFT_P(conv_outs) = 4, LFT_P(conv_sites) = 2, LFT_P(conv_taps) = 3 };
#endif

typedef struct LFT_P(convnet) {
    LFT_(lattice) lattice;
    int           layers;                        /* convolutions */
    int           channels[LFT_P_CONV_MOST + 1]; /* of the input, what is between, and the output */
    int           kernel, taps, tap_rows;        /* extent per axis; kernel^LFT_DIM, kernel^(LFT_DIM - 1) */
    int           rows, padded_rows, padded;     /* rows of the lattice; rows and sites with the halo */
    int           centre;                        /* from the padded site of the first tap to that of the middle one */
    double        bound;                         /* 0: linear at the end */
    int           even;     /* every extent is: neighbours of a site then have the other parity, across the boundary too */
    int          *tap_row;  /* [tap_rows] padded sites from the first tap to the first of each row of taps */
    unsigned char *tap_odd; /* [tap_rows] 1 where the first tap of a row meets a site of the other parity */
    int          *row_at;   /* [rows] the padded site that the first tap meets at the first site of a row */
    int          *row_from; /* [padded_rows] the padded site where the row begins of which a copy stands there */
    const unsigned char *first; /* [rows] NULL, or the first of every other site of a row where the output is wanted, and the
                                   input zero: it is computed there, 0 elsewhere, and the derivative by the input elsewhere */
    lft_real     *weight[LFT_P_CONV_MOST];     /* [in][taps][out], out rounded up to an even number */
    lft_real     *transposed[LFT_P_CONV_MOST]; /* [out][taps, reversed][in], in rounded up */
    lft_real     *bias[LFT_P_CONV_MOST];       /* [out] rounded up */
    size_t        weight_at[LFT_P_CONV_MOST], bias_at[LFT_P_CONV_MOST]; /* in theta; the parameters begin at weight_at[0] */
    size_t        field_at[LFT_P_CONV_MOST + 1], tape; /* in the tape: the input and what each convolution makes of it, of
                                                          which all but the last stand in their halo */
    size_t        parameters;
} LFT_P(convnet);

/* Memory to work in; the last four for backward, the last two for its gradient. */
typedef struct LFT_P(convnet_work) {
    lft_v  *panel; /* the input, or the cotangent of the output, with their halo */
    lft_v  *d[2];  /* cotangents of one convolution's output and input */
    lft_v  *table; /* the gradient of its weights, lane by lane ... */
    double *sum;   /* ... and summed */
} LFT_P(convnet_work);

LFT_P_INLINE int LFT_P(conv_even)(int channels) { return (channels + 1) / 2 * 2; }

/* The most channels of any field, rounded up. */
LFT_P_STATIC size_t LFT_P(convnet_widest)(const LFT_P(convnet) *net)
{
    int l, most = 2;
    for (l = 0; l <= net->layers; ++l) {
        if (LFT_P(conv_even)(net->channels[l]) > most) most = LFT_P(conv_even)(net->channels[l]);
    }
    return (size_t)most;
}

/* The tables of the halo. */
LFT_P_STATIC void LFT_P(convnet_rows)(LFT_P(convnet) *net)
{
    const int *extent = net->lattice.extent, halo = net->kernel - 1;
    int        i, mu, rest, at, from, stride, site, odd;
    for (i = 0; i < net->tap_rows; ++i) {
        odd = LFT_DIM * (halo / 2);
        for (at = 0, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            at += rest % net->kernel * stride;
            odd += rest % net->kernel;
            rest /= net->kernel;
            stride *= extent[mu] + halo;
        }
        net->tap_row[i] = at;
        net->tap_odd[i] = (unsigned char)(odd % 2);
    }
    for (i = 0; i < net->rows; ++i) {
        for (at = 0, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            at += rest % extent[mu] * stride;
            rest /= extent[mu];
            stride *= extent[mu] + halo;
        }
        net->row_at[i] = at;
    }
    for (i = 0; i < net->padded_rows; ++i) {
        for (from = halo / 2, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            site = (rest % (extent[mu] + halo) - halo / 2) % extent[mu];
            from += ((site < 0 ? site + extent[mu] : site) + halo / 2) * stride;
            rest /= extent[mu] + halo;
            stride *= extent[mu] + halo;
        }
        net->row_from[i] = from;
    }
    net->centre = net->tap_row[net->tap_rows / 2] + halo / 2;
}

/* Sizes, tables and parameters of a net with channels[layers + 1]; "weight0" [out][in][taps], "bias0" [out], ... Runs over a
 * measuring arena too. LFT_ERR_ARG for an even kernel or one beyond 15, for no channel or too many, for too wide a halo. */
LFT_P_STATIC lft_status LFT_P(convnet_init)(LFT_P(convnet) *net, const LFT_(lattice) *lattice, const int *channels, int layers,
                                            int kernel, double bound, const char *name, lft_parameters *set,
                                            lft_arena *arena, lft_error *error)
{
    const int most   = 1 << 28;
    double    padded = 1;
    int       l, mu;
    if (kernel < 1 || kernel > 15 || kernel % 2 == 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "kernel", "an odd number from 1 to 15", kernel);
    }
    if (layers < 1 || layers > LFT_P_CONV_MOST) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "layers",
                              "1 to " LFT_P_STRING(LFT_P_CONV_MOST), layers);
    }
    for (l = 0; l <= layers; ++l) {
        if (channels[l] >= 1 && channels[l] <= 1000) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "channels", "1 to 1000", channels[l]);
    }
    for (net->even = 1, mu = 0; mu < LFT_DIM; ++mu) {
        padded *= lattice->extent[mu] + kernel - 1;
        if (lattice->extent[mu] % 2) net->even = 0;
    }
    if (padded > most) return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "sites with halo", "at most 2^28", padded);
    net->lattice  = *lattice;
    net->layers   = layers;
    net->kernel   = kernel;
    net->bound    = bound;
    net->tap_rows = 1;
    for (mu = 1; mu < LFT_DIM; ++mu) net->tap_rows *= kernel;
    net->taps        = net->tap_rows * kernel;
    net->padded      = (int)padded;
    net->padded_rows = net->padded / (LFT_P(row_length)(lattice) + kernel - 1);
    net->rows        = lattice->volume / LFT_P(row_length)(lattice);
    net->tap_row     = (int *)lft_arena_alloc(arena, (size_t)net->tap_rows, sizeof(int));
    net->tap_odd     = (unsigned char *)lft_arena_alloc(arena, (size_t)net->tap_rows, 1);
    net->row_at      = (int *)lft_arena_alloc(arena, (size_t)net->rows, sizeof(int));
    net->row_from    = (int *)lft_arena_alloc(arena, (size_t)net->padded_rows, sizeof(int));
    net->first       = NULL;
    net->centre      = 0;
    net->parameters  = set->count;
    net->channels[0] = channels[0];
    net->field_at[0] = 0;
    net->tape        = (size_t)channels[0] * (size_t)lattice->volume;
    for (l = 0; l < layers; ++l) {
        const int    in = channels[l], out = channels[l + 1];
        const size_t taps = (size_t)net->taps, wide_in = (size_t)LFT_P(conv_even)(in), wide_out = (size_t)LFT_P(conv_even)(out);
        char         weight[8] = "weight0", bias[8] = "bias0";
        weight[6] = bias[4] = (char)('0' + l);
        net->channels[l + 1] = out;
        net->field_at[l + 1] = net->tape;
        net->tape += wide_out * (size_t)(l < layers - 1 ? net->padded : lattice->volume);
        net->weight[l]     = (lft_real *)lft_arena_alloc(arena, (size_t)in * taps * wide_out, sizeof(lft_real));
        net->transposed[l] = (lft_real *)lft_arena_alloc(arena, (size_t)out * taps * wide_in, sizeof(lft_real));
        net->bias[l]       = (lft_real *)lft_arena_alloc(arena, wide_out, sizeof(lft_real));
        net->weight_at[l]  = lft_declare(set, name, weight, 3, out, in, net->taps, 0);
        net->bias_at[l]    = lft_declare(set, name, bias, 1, out, 0, 0, 0);
    }
    net->parameters = set->count - net->parameters;
    if (net->tap_row && net->tap_odd && net->row_at && net->row_from) LFT_P(convnet_rows)(net);
    return LFT_OK;
}

/* Uniform in +-1/sqrt(in taps), weights and biases, as PyTorch starts them; the last convolution is zero. Numbers of
 * `sample`. */
LFT_P_STATIC void LFT_P(convnet_start)(const LFT_P(convnet) *net, double *theta, uint64_t sample)
{
    int l;
    for (l = 0; l < net->layers - 1; ++l) {
        const size_t   weights = (size_t)(net->channels[l] * net->taps), n = (weights + 1) * (size_t)net->channels[l + 1];
        const double   size = 1 / lft_p_f64_p_sqrt((double)weights);
        const lft_draw d    = lft_draw_of(0, LFT_DRAW_INIT, sample, (uint32_t)l);
        size_t         i;
        for (i = 0; i < n; ++i) theta[net->weight_at[l] + i] = size * (2 * lft_uniform(d, (uint32_t)i) - 1);
    }
}

LFT_P_STATIC void LFT_P(convnet_prepare)(LFT_P(convnet) *net, const double *theta)
{
    int l, o, i, t;
    for (l = 0; l < net->layers; ++l) {
        const int     in = net->channels[l], out = net->channels[l + 1], taps = net->taps;
        const int     wide_in = LFT_P(conv_even)(in), wide_out = LFT_P(conv_even)(out);
        const double *from = theta + net->weight_at[l];
        for (o = 0; o < out; ++o) {
            net->bias[l][o] = (lft_real)theta[net->bias_at[l] + (size_t)o];
            for (i = 0; i < in; ++i) {
                for (t = 0; t < taps; ++t, ++from) {
                    net->weight[l][(size_t)(i * taps + t) * (size_t)wide_out + (size_t)o]                = (lft_real)*from;
                    net->transposed[l][(size_t)(o * taps + taps - 1 - t) * (size_t)wide_in + (size_t)i] = (lft_real)*from;
                }
            }
        }
    }
}

/* Scratch for forward; with backward > 0 for backward too, and with backward > 1 for its gradient. */
LFT_P_STATIC LFT_P(convnet_work) LFT_P(convnet_scratch)(const LFT_P(convnet) *net, int backward, lft_arena *arena)
{
    const size_t         padded = (size_t)net->padded, field = LFT_P(convnet_widest)(net) * padded;
    const int            ends = net->channels[0] > net->channels[net->layers] ? net->channels[0] : net->channels[net->layers];
    LFT_P(convnet_work)  w;
    size_t               most = 0, n;
    int                  l;
    for (l = 0; l < net->layers && backward > 1; ++l) {
        n    = (size_t)LFT_P(conv_even)(net->channels[l + 1]) * ((size_t)net->channels[l] * (size_t)net->taps + 1);
        most = n > most ? n : most;
    }
    w.panel = LFT_P(vectors)(arena, (size_t)ends * padded);
    w.d[0]  = LFT_P(vectors)(arena, backward ? field : 0);
    w.d[1]  = LFT_P(vectors)(arena, backward ? field : 0);
    w.table = LFT_P(vectors)(arena, most);
    w.sum   = (double *)lft_arena_take(arena, most, sizeof(double));
    return w;
}

/* Of fields with a halo or without: from channel to channel, and from a channel's begin to that of a row. */
LFT_P_INLINE size_t LFT_P(conv_apart)(const LFT_P(convnet) *net, int halo)
{
    return (size_t)(halo ? net->padded : net->lattice.volume);
}

LFT_P_INLINE int LFT_P(conv_begin)(const LFT_P(convnet) *net, int halo, int row)
{
    return halo ? net->row_at[row] + net->centre : row * LFT_P(row_length)(&net->lattice);
}

/* The halo of fields that stand in one: every padded row is a copy of a row, continued periodically, however short it is. */
LFT_P_STATIC void LFT_P(conv_halo)(const LFT_P(convnet) *net, lft_v *to, int channels)
{
    const int length = LFT_P(row_length)(&net->lattice), halo = net->kernel / 2;
    int       c, row, x;
    for (c = 0; c < channels; ++c) {
        const lft_v *field = to;
        for (row = 0; row < net->padded_rows; ++row, to += length + 2 * halo) {
            const lft_v *source = field + net->row_from[row];
            if (source != to + halo) {
                for (x = 0; x < length; ++x) to[halo + x] = source[x];
            }
            for (x = halo - 1; x >= 0; --x) to[x] = to[x + length];
            for (x = halo + length; x < length + 2 * halo; ++x) to[x] = to[x - length];
        }
    }
}

/* Fields without one, with a halo */
LFT_P_STATIC void LFT_P(conv_pad)(const LFT_P(convnet) *net, const lft_v *from, int channels, lft_v *to)
{
    const int length = LFT_P(row_length)(&net->lattice);
    int       c, row, x;
    for (c = 0; c < channels; ++c) {
        for (row = 0; row < net->rows; ++row, from += length) {
            lft_v *at = to + (size_t)c * (size_t)net->padded + LFT_P(conv_begin)(net, 1, row);
            for (x = 0; x < length; ++x) at[x] = from[x];
        }
    }
    LFT_P(conv_halo)(net, to, channels);
}

/* What a convolution reads: fields with halo, weights of `stride` outputs, biases or NULL; and where it computes. */
typedef enum LFT_P(conv_where) {
    LFT_P(conv_everywhere),
    LFT_P(conv_firsts),       /* at the sites net->first and every other one after it */
    LFT_P(conv_others),       /* at those between them */
    LFT_P(conv_firsts_zero),  /* everywhere, where the fields are zero at the first ones: half of the taps */
    LFT_P(conv_others_zero)
} LFT_P(conv_where);

typedef struct LFT_P(conv) {
    const lft_v      *from;
    const lft_real   *weight, *bias;
    LFT_P(conv_where) where;
    int               ins, stride, leaky, halo; /* halo: what it writes stands in one */
} LFT_P(conv);

/* Half of the taps, if the lattice allows for it; worth its code for 3 taps. */
LFT_P_INLINE LFT_P(conv_where) LFT_P(conv_thin)(const LFT_P(convnet) *net, LFT_P(conv_where) where)
{
    return net->first && net->even && net->kernel == 3 ? where : LFT_P(conv_everywhere);
}

LFT_P_INLINE lft_v LFT_P(leaky)(lft_v x)
{
    return lft_sel(LFT_P(lt)(x, lft_splat(0)), x * (lft_real)0.01, x);
}

LFT_P_INLINE void LFT_P(conv_tap)(const lft_real *w, const lft_v *a, int outs, int sites, int step,
                                  lft_v sum[LFT_P(conv_outs)][LFT_P(conv_sites)])
{
    int p, x;
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (x = 0; x < sites; ++x) sum[p][x] += w[p] * a[x * step];
    }
}

/* Constants after inlining: channels and sites of a block, so that the sums stay in registers; distance of the sites; the
 * kernel where it is 3, so that taps share what they read; thin: every other tap. */
typedef struct LFT_P(conv_shape) {
    int outs, sites, step, kernel, thin;
} LFT_P(conv_shape);

/* Channels o ... of `to`, which lie `apart`, at sites of a row whose first tap meets the padded site `at`. thin: taps whose sum
 * of coordinates is odd if `odd`. */
LFT_P_INLINE void LFT_P(conv_block)(const LFT_P(convnet) *net, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int o, int at,
                                    size_t apart, lft_v *to)
{
    const int       tap_rows = net->tap_rows, stride = c->stride, leaky = c->leaky;
    const lft_real *w    = c->weight + o;
    const lft_v    *from = c->from + at;
    lft_v           sum[LFT_P(conv_outs)][LFT_P(conv_sites)];
    int             i, r, k, p, x;
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p)
    {
        LFT_P_UNROLL for (x = 0; x < f.sites; ++x) sum[p][x] = lft_splat(c->bias ? c->bias[o + p] : 0);
    }
    for (i = 0; i < c->ins; ++i, from += net->padded) {
        for (r = 0; r < tap_rows; ++r, w += f.kernel * stride) {
            const lft_v *a = from + net->tap_row[r];
            if (f.thin) {
                for (k = (odd + net->tap_odd[r]) % 2; k < f.kernel; k += 2) {
                    LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
                }
            } else if (f.kernel == 3) {
                LFT_P_UNROLL for (k = 0; k < 3; ++k) LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
            } else {
                for (k = 0; k < f.kernel; ++k) LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
            }
        }
    }
    to += (size_t)o * apart;
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p, to += apart)
    {
        LFT_P_UNROLL for (x = 0; x < f.sites; ++x) to[x * f.step] = leaky ? LFT_P(leaky)(sum[p][x]) : sum[p][x];
    }
}

/* The sites of row `row` from `begin` on; the last block overlaps the one before where their number asks for it. */
LFT_P_INLINE void LFT_P(conv_row)(const LFT_P(convnet) *net, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int o, int begin,
                                  int row, lft_v *to)
{
    const int    count = (LFT_P(row_length)(&net->lattice) - begin + f.step - 1) / f.step, at = net->row_at[row];
    const size_t apart = LFT_P(conv_apart)(net, c->halo);
    int          j, x;
    to += LFT_P(conv_begin)(net, c->halo, row);
    if (count < f.sites) {
        for (f.sites = 1, f.kernel = net->kernel, x = begin, j = 0; j < count; ++j, x += f.step) {
            LFT_P(conv_block)(net, c, f, odd, o, at + x, apart, to + x);
        }
        return;
    }
    for (j = 0; j < count; j += f.sites) {
        if (j > count - f.sites) j = count - f.sites;
        x = begin + j * f.step;
        LFT_P(conv_block)(net, c, f, odd, o, at + x, apart, to + x);
    }
}

/* All channels, c->stride of them, of a row */
LFT_P_INLINE void LFT_P(conv_outs_of)(const LFT_P(convnet) *net, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int begin,
                                      int row, lft_v *to)
{
    int o;
    f.outs = LFT_P(conv_outs);
    for (o = 0; o + f.outs <= c->stride; o += f.outs) LFT_P(conv_row)(net, c, f, odd, o, begin, row, to);
    f.outs = 2;
    for (; o < c->stride; o += 2) LFT_P(conv_row)(net, c, f, odd, o, begin, row, to);
}

LFT_P_INLINE void LFT_P(conv_all)(const LFT_P(convnet) *net, const LFT_P(conv) *c, int kernel, lft_v *to)
{
    LFT_P(conv_shape) f;
    int               row, zeros, i, o;
    f.sites = LFT_P(conv_sites), f.kernel = kernel, f.outs = 2;
    for (row = 0; row < net->rows; ++row) {
        const int first = net->first ? net->first[row] : 0;
        if (c->where == LFT_P(conv_everywhere)) {
            f.step = 1, f.thin = 0;
            LFT_P(conv_outs_of)(net, c, f, 0, 0, row, to);
        } else if (c->where == LFT_P(conv_firsts) || c->where == LFT_P(conv_others)) { /* of one or two channels */
            f.step = 2, f.thin = 0;
            i      = c->where == LFT_P(conv_firsts) ? first : 1 - first;
            for (o = 0; o < c->stride; o += 2) LFT_P(conv_row)(net, c, f, 0, o, i, row, to);
        } else if (kernel == 3) {
            f.step = 2, f.thin = 1;
            zeros  = c->where == LFT_P(conv_others_zero);
            for (i = 0; i < 2; ++i) LFT_P(conv_outs_of)(net, c, f, i == zeros, i ? 1 - first : first, row, to);
        }
    }
}

LFT_P_NOINLINE void LFT_P(conv_apply)(const LFT_P(convnet) *net, const LFT_P(conv) *c, lft_v *to)
{
    if (net->kernel == 3) LFT_P(conv_all)(net, c, 3, to);
    else LFT_P(conv_all)(net, c, net->kernel, to);
}

/* The field of channels[layers] that forward left on its tape. */
LFT_P_INLINE const lft_v *LFT_P(convnet_output)(const LFT_P(convnet) *net, const lft_v *tape)
{
    return tape + net->field_at[net->layers];
}

/* out = bound tanh(out), where it is wanted */
LFT_P_STATIC void LFT_P(conv_end)(const LFT_P(convnet) *net, lft_v *out)
{
    const lft_real bound  = (lft_real)net->bound;
    const int      length = LFT_P(row_length)(&net->lattice), step = net->first ? 2 : 1;
    int            c, row, x;
    for (c = 0; c < net->channels[net->layers]; ++c) {
        for (row = 0; row < net->rows; ++row, out += length) {
            for (x = net->first ? net->first[row] : 0; x < length; x += step) out[x] = bound * LFT_P(tanh)(out[x]);
        }
    }
}

/* The net of the input at the head of tape[net->tape], [channels[0]][volume]; all that it makes of it follows there. */
LFT_P_STATIC void LFT_P(convnet_forward)(const LFT_P(convnet) *net, lft_v *tape, const LFT_P(convnet_work) *w)
{
    const int   last = net->layers - 1;
    LFT_P(conv) c;
    lft_v      *to;
    int         l;
    LFT_P(conv_pad)(net, tape, net->channels[0], w->panel);
    for (c.from = w->panel, l = 0; l <= last; ++l, c.from = to) {
        to       = tape + net->field_at[l + 1];
        c.weight = net->weight[l], c.bias = net->bias[l];
        c.ins = net->channels[l], c.stride = LFT_P(conv_even)(net->channels[l + 1]), c.leaky = c.halo = l < last;
        c.where = l || l == last ? LFT_P(conv_everywhere) : LFT_P(conv_thin)(net, LFT_P(conv_firsts_zero));
        if (l == last && net->first) {
            c.where = LFT_P(conv_firsts);
            LFT_P(set_zero)(to, c.stride * net->lattice.volume);
        }
        LFT_P(conv_apply)(net, &c, to);
        if (c.halo) LFT_P(conv_halo)(net, to, c.stride);
    }
    if (net->bound > 0) LFT_P(conv_end)(net, tape + net->field_at[last + 1]);
}

/* dw[p][t], outs times taps of them, = sum over sites of dy_p(x) a(x + t); a: with halo, at the first of the taps. Channels of
 * dw are `apart`. last: dy is of the last convolution, whose fields have no halo and may be wanted at every other site. */
LFT_P_INLINE void LFT_P(conv_weights_block)(const LFT_P(convnet) *net, const lft_v *a, const lft_v *dy, int last, int outs,
                                            int taps, size_t apart, lft_v *dw)
{
    const unsigned char *first  = last ? net->first : NULL;
    const size_t         dy_apart = LFT_P(conv_apart)(net, !last);
    const int            length = LFT_P(row_length)(&net->lattice), step = first ? 2 : 1;
    lft_v     sum[LFT_P(conv_outs)][LFT_P(conv_taps)];
    int       row, x, p, t;
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (t = 0; t < taps; ++t) sum[p][t] = lft_splat(0);
    }
    for (row = 0; row < net->rows; ++row) {
        const lft_v *b = a + net->row_at[row], *from = dy + LFT_P(conv_begin)(net, !last, row);
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
LFT_P_INLINE void LFT_P(conv_weights_of)(const LFT_P(convnet) *net, int outs, int in, const lft_v *padded,
                                         const lft_v *dy, int last, lft_v *dw)
{
    const int    kernel = net->kernel;
    const size_t apart  = (size_t)in * (size_t)net->taps;
    int          i, r, k;
    for (i = 0; i < in; ++i, padded += net->padded) {
        for (r = 0; r < net->tap_rows; ++r) {
            const lft_v *a = padded + net->tap_row[r];
            for (k = 0; k + LFT_P(conv_taps) <= kernel; k += LFT_P(conv_taps), dw += LFT_P(conv_taps)) {
                LFT_P(conv_weights_block)(net, a + k, dy, last, outs, LFT_P(conv_taps), apart, dw);
            }
            for (; k < kernel; ++k, ++dw) LFT_P(conv_weights_block)(net, a + k, dy, last, outs, 1, apart, dw);
        }
    }
}

/* gradient += of the weights and biases of convolution l, given its input with halo and the cotangent dy of its output. */
LFT_P_NOINLINE void LFT_P(conv_weights)(const LFT_P(convnet) *net, int l, const lft_v *padded, const lft_v *dy,
                                        const LFT_P(convnet_work) *w, double *gradient)
{
    const int    in = net->channels[l], out = net->channels[l + 1], last = l == net->layers - 1;
    const int    length = LFT_P(row_length)(&net->lattice);
    const size_t apart = (size_t)in * (size_t)net->taps, weights = apart * (size_t)out, dy_apart = LFT_P(conv_apart)(net, !last);
    lft_v       *dw = w->table, *dbias = w->table + weights;
    size_t       j;
    int          o, outs, row, x;
    for (o = 0; o < out; o += outs, dw += (size_t)outs * apart) {
        const lft_v *d = dy + (size_t)o * dy_apart;
        outs           = out - o >= LFT_P(conv_outs) ? LFT_P(conv_outs) : out - o >= 2 ? 2 : 1;
        if (outs == LFT_P(conv_outs)) LFT_P(conv_weights_of)(net, LFT_P(conv_outs), in, padded, d, last, dw);
        else if (outs == 2) LFT_P(conv_weights_of)(net, 2, in, padded, d, last, dw);
        else LFT_P(conv_weights_of)(net, 1, in, padded, d, last, dw);
    }
    for (o = 0; o < out; ++o) {
        dbias[o] = lft_splat(0);
        for (row = 0; row < net->rows; ++row) {
            const lft_v *d = dy + (size_t)o * dy_apart + LFT_P(conv_begin)(net, !last, row);
            for (x = 0; x < length; ++x) dbias[o] += d[x];
        }
    }
    LFT_P(sum_lanes_of)(w->table, weights + (size_t)out, w->sum);
    gradient += net->weight_at[l] - net->weight_at[0]; /* the biases follow */
    for (j = 0; j < weights + (size_t)out; ++j) gradient[j] += w->sum[j];
}

/* dy of the output becomes that of what the last step of convolution l was applied to: tanh, LeakyReLU or nothing. */
LFT_P_STATIC void LFT_P(conv_slope)(const LFT_P(convnet) *net, int l, const lft_v *y, lft_v *dy)
{
    const int      length = LFT_P(row_length)(&net->lattice), last = l == net->layers - 1;
    const lft_real bound = (lft_real)net->bound, inverse = bound > 0 ? 1 / bound : 0;
    int            c, row, x;
    for (c = 0; c < net->channels[l + 1]; ++c) {
        for (row = 0; row < net->rows; ++row) {
            const size_t at = (size_t)c * LFT_P(conv_apart)(net, !last) + (size_t)LFT_P(conv_begin)(net, !last, row);
            const lft_v *from = y + at;
            lft_v       *d    = dy + at;
            for (x = 0; !last && x < length; ++x) {
                d[x] = lft_sel(LFT_P(lt)(lft_splat(0), from[x]), d[x], d[x] * (lft_real)0.01);
            }
            for (x = 0; last && bound > 0 && x < length; ++x) d[x] *= bound - from[x] * from[x] * inverse;
        }
    }
}

/* Vector-Jacobian product at the tape of a forward call: dout [channels[layers]][volume], which is lost, becomes the
 * derivative by the input, which stands in w until the next call. Where gradient is not NULL, the derivatives by the
 * parameters, summed over lanes, are added to its net->parameters numbers, in their order. */
LFT_P_STATIC const lft_v *LFT_P(convnet_backward)(const LFT_P(convnet) *net, const lft_v *tape, lft_v *dout, double *gradient,
                                                  const LFT_P(convnet_work) *w)
{
    lft_v      *dy = dout;
    LFT_P(conv) c;
    int         l;
    for (l = net->layers - 1; l >= 0; --l) {
        LFT_P(conv_slope)(net, l, tape + net->field_at[l + 1], dy);
        if (gradient) {
            if (l == 0) LFT_P(conv_pad)(net, tape, net->channels[0], w->panel);
            LFT_P(conv_weights)(net, l, l ? tape + net->field_at[l] : w->panel, dy, w, gradient);
        }
        c.from = dy;
        if (dy != dout) LFT_P(conv_halo)(net, dy, net->channels[l + 1]);
        else {
            LFT_P(conv_pad)(net, dy, net->channels[l + 1], w->panel);
            c.from = w->panel;
        }
        c.weight = net->transposed[l], c.bias = NULL, c.leaky = 0, c.halo = l > 0;
        c.ins = net->channels[l + 1], c.stride = LFT_P(conv_even)(net->channels[l]);
        c.where = dy == dout ? LFT_P(conv_thin)(net, LFT_P(conv_others_zero)) : LFT_P(conv_everywhere);
        if (l == 0 && net->first) c.where = LFT_P(conv_others);
        dy = w->d[l % 2];
        LFT_P(conv_apply)(net, &c, dy);
    }
    return dy;
}

#endif /* LFT_P_CODE */
