/* 64_convnet.h: a convolutional net on the periodic lattice.
 * Offers (private): LFT_P(convnet), LFT_P(convnet_init)(), _start, _prepare, _scratch, _output, _forward, _backward.
 *
 * Between the convolutions (63_convolution.h) stands LeakyReLU with slope 0.01, at the end bound * tanh(y) or nothing. The fields
 * between them stand in a halo, so that the next one reads them where they are. The derivative by the input is a convolution too,
 * with the taps reversed and the channels exchanged. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_CONV_MOST 9 /* convolutions of a net */

typedef struct LFT_P(convnet) {
    LFT_P(conv_grid) grid; /* where its `first` is set the output is there, and the derivative by the input elsewhere */
    int              layers;                        /* convolutions */
    int              channels[LFT_P_CONV_MOST + 1]; /* of the input, what is between, and the output */
    double           bound;                         /* 0: linear at the end */
    lft_real        *weight[LFT_P_CONV_MOST];     /* [in][taps][out], out rounded up to an even number */
    lft_real        *transposed[LFT_P_CONV_MOST]; /* [out][taps, reversed][in], in rounded up */
    lft_real        *winograd[2][LFT_P_CONV_MOST]; /* of both, where 63_winograd.h is for them; else NULL */
    lft_real        *bias[LFT_P_CONV_MOST];       /* [out] rounded up */
    size_t           weight_at[LFT_P_CONV_MOST], bias_at[LFT_P_CONV_MOST]; /* in theta; the parameters begin at weight_at[0] */
    size_t           field_at[LFT_P_CONV_MOST + 1], tape; /* in the tape: the input and what each convolution makes of it, of
                                                             which all but the last stand in their halo */
    size_t           parameters;
} LFT_P(convnet);

/* Memory to work in; the last four for backward, the last two for its gradient. */
typedef struct LFT_P(convnet_work) {
    lft_v  *panel; /* the input, or the cotangent of the output, with their halo */
    lft_v  *ring;  /* of 63_winograd.h */
    lft_v  *d[2];  /* cotangents of one convolution's output and input */
    lft_v  *table; /* the gradient of its weights, lane by lane ... */
    double *sum;   /* ... and summed */
} LFT_P(convnet_work);

/* The most channels of any field, rounded up. */
LFT_P_STATIC size_t LFT_P(convnet_widest)(const LFT_P(convnet) *net)
{
    int l, most = 2;
    for (l = 0; l <= net->layers; ++l) {
        if (LFT_P(conv_even)(net->channels[l]) > most) most = LFT_P(conv_even)(net->channels[l]);
    }
    return (size_t)most;
}

/* Room for transformed weights, or NULL where there are none. */
LFT_P_STATIC lft_real *LFT_P(convnet_winograd)(const LFT_P(convnet) *net, int ins, int stride, lft_arena *arena)
{
    const size_t numbers = LFT_P(winograd_numbers)(&net->grid, ins, stride);
    return numbers ? (lft_real *)lft_arena_alloc(arena, numbers, sizeof(lft_real)) : NULL;
}

/* Sizes, tables and parameters of a net with channels[layers + 1]; "weight0" [out][in][taps], "bias0" [out], ... Runs over a
 * measuring arena too. LFT_ERR_ARG as of the grid, and for no channel or too many. */
LFT_P_STATIC lft_status LFT_P(convnet_init)(LFT_P(convnet) *net, const LFT_(lattice) *lattice, const int *channels, int layers,
                                            int kernel, double bound, const char *name, lft_parameters *set,
                                            lft_arena *arena, lft_error *error)
{
    lft_status status;
    int        l, most = 1;
    if (layers < 1 || layers > LFT_P_CONV_MOST) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "layers",
                              "1 to " LFT_P_STRING(LFT_P_CONV_MOST), layers);
    }
    for (l = 0; l <= layers; ++l) {
        if (channels[l] < 1 || channels[l] > 1000) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "channels", "1 to 1000", channels[l]);
        }
        if (channels[l] > most) most = channels[l];
    }
    status = LFT_P(conv_grid_init)(&net->grid, lattice, kernel, most, arena, error);
    if (status) return status;
    net->layers      = layers;
    net->bound       = bound;
    net->parameters  = set->count;
    net->channels[0] = channels[0];
    net->field_at[0] = 0;
    net->tape        = (size_t)channels[0] * (size_t)lattice->volume;
    for (l = 0; l < layers; ++l) {
        const int    in = channels[l], out = channels[l + 1];
        const size_t taps = (size_t)net->grid.taps;
        const size_t wide_in = (size_t)LFT_P(conv_even)(in), wide_out = (size_t)LFT_P(conv_even)(out);
        char         weight[8] = "weight0", bias[8] = "bias0";
        weight[6] = bias[4] = (char)('0' + l);
        net->channels[l + 1] = out;
        net->field_at[l + 1] = net->tape;
        net->tape += wide_out * (size_t)(l < layers - 1 ? net->grid.padded : lattice->volume);
        net->weight[l]     = (lft_real *)lft_arena_alloc(arena, (size_t)in * taps * wide_out, sizeof(lft_real));
        net->transposed[l] = (lft_real *)lft_arena_alloc(arena, (size_t)out * taps * wide_in, sizeof(lft_real));
        net->winograd[0][l] = LFT_P(convnet_winograd)(net, in, (int)wide_out, arena);
        net->winograd[1][l] = LFT_P(convnet_winograd)(net, out, (int)wide_in, arena);
        net->bias[l]       = (lft_real *)lft_arena_alloc(arena, wide_out, sizeof(lft_real));
        net->weight_at[l]  = lft_declare(set, name, weight, 3, out, in, net->grid.taps, 0);
        net->bias_at[l]    = lft_declare(set, name, bias, 1, out, 0, 0, 0);
    }
    net->parameters = set->count - net->parameters;
    return LFT_OK;
}

/* Uniform in +-1/sqrt(in taps), weights and biases, as PyTorch starts them; the last convolution is zero. Numbers of
 * `sample`. */
LFT_P_STATIC void LFT_P(convnet_start)(const LFT_P(convnet) *net, double *theta, uint64_t sample)
{
    int l;
    for (l = 0; l < net->layers - 1; ++l) {
        const size_t   weights = (size_t)(net->channels[l] * net->grid.taps), n = (weights + 1) * (size_t)net->channels[l + 1];
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
        const int     in = net->channels[l], out = net->channels[l + 1], taps = net->grid.taps;
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
        if (net->winograd[0][l]) LFT_P(winograd_weights)(&net->grid, in, wide_out, net->weight[l], net->winograd[0][l]);
        if (net->winograd[1][l]) LFT_P(winograd_weights)(&net->grid, out, wide_in, net->transposed[l], net->winograd[1][l]);
    }
}

/* Scratch for forward; with backward > 0 for backward too, and with backward > 1 for its gradient. */
LFT_P_STATIC LFT_P(convnet_work) LFT_P(convnet_scratch)(const LFT_P(convnet) *net, int backward, lft_arena *arena)
{
    const size_t         padded = (size_t)net->grid.padded, field = LFT_P(convnet_widest)(net) * padded;
    const int            ends = net->channels[0] > net->channels[net->layers] ? net->channels[0] : net->channels[net->layers];
    LFT_P(convnet_work)  w;
    size_t               most = 0, n;
    int                  l;
    for (l = 0; l < net->layers && backward > 1; ++l) {
        n    = (size_t)LFT_P(conv_even)(net->channels[l + 1]) * ((size_t)net->channels[l] * (size_t)net->grid.taps + 1);
        most = n > most ? n : most;
    }
    w.panel = LFT_P(vectors)(arena, (size_t)ends * padded);
    w.ring  = LFT_P(vectors)(arena, LFT_P(winograd_ring)(&net->grid, (int)LFT_P(convnet_widest)(net)));
    w.d[0]  = LFT_P(vectors)(arena, backward ? field : 0);
    w.d[1]  = LFT_P(vectors)(arena, backward ? field : 0);
    w.table = LFT_P(vectors)(arena, most);
    w.sum   = (double *)lft_arena_take(arena, most, sizeof(double));
    return w;
}

LFT_P_STATIC void LFT_P(convnet_apply)(const LFT_P(convnet) *net, const LFT_P(conv) *c, const LFT_P(convnet_work) *w, lft_v *to)
{
    if (c->winograd && c->where == LFT_P(conv_everywhere)) LFT_P(winograd)(&net->grid, c, w->ring, to);
    else LFT_P(conv_apply)(&net->grid, c, to);
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
    const int      length = LFT_P(row_length)(&net->grid.lattice), step = net->grid.first ? 2 : 1;
    int            c, row, x;
    for (c = 0; c < net->channels[net->layers]; ++c) {
        for (row = 0; row < net->grid.rows; ++row, out += length) {
            for (x = net->grid.first ? net->grid.first[row] : 0; x < length; x += step) out[x] = bound * LFT_P(tanh)(out[x]);
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
    LFT_P(conv_pad)(&net->grid, tape, net->channels[0], w->panel);
    for (c.from = w->panel, l = 0; l <= last; ++l, c.from = to) {
        to       = tape + net->field_at[l + 1];
        c.weight = net->weight[l], c.winograd = net->winograd[0][l], c.bias = net->bias[l];
        c.ins = net->channels[l], c.stride = LFT_P(conv_even)(net->channels[l + 1]), c.halo = l < last;
        c.slope = (lft_real)(l < last ? 0.01 : 1);
        c.where = l || l == last ? LFT_P(conv_everywhere) : LFT_P(conv_thin)(&net->grid, LFT_P(conv_firsts_zero));
        if (l == last && net->grid.first) c.where = LFT_P(conv_firsts);
        LFT_P(convnet_apply)(net, &c, w, to);
        if (c.halo) LFT_P(conv_halo)(&net->grid, to, c.stride);
    }
    if (net->bound > 0) LFT_P(conv_end)(net, tape + net->field_at[last + 1]);
}

/* gradient += of the weights and biases of convolution l, given its input with halo and the cotangent dy of its output. */
LFT_P_NOINLINE void LFT_P(conv_weights)(const LFT_P(convnet) *net, int l, const lft_v *padded, const lft_v *dy,
                                        const LFT_P(convnet_work) *w, double *gradient)
{
    const int    in = net->channels[l], out = net->channels[l + 1], last = l == net->layers - 1;
    const int    length = LFT_P(row_length)(&net->grid.lattice);
    const size_t apart = (size_t)in * (size_t)net->grid.taps, weights = apart * (size_t)out;
    const size_t dy_apart = LFT_P(conv_apart)(&net->grid, !last);
    lft_v       *dw = w->table, *dbias = w->table + weights;
    size_t       j;
    int          o, outs, row, x;
    for (o = 0; o < out; o += outs, dw += (size_t)outs * apart) {
        const lft_v *d = dy + (size_t)o * dy_apart;
        outs           = out - o >= LFT_P(conv_outs) ? LFT_P(conv_outs) : out - o >= 2 ? 2 : 1;
        if (outs == LFT_P(conv_outs)) LFT_P(conv_weights_of)(&net->grid, LFT_P(conv_outs), in, padded, d, last, dw);
        else if (outs == 2) LFT_P(conv_weights_of)(&net->grid, 2, in, padded, d, last, dw);
        else LFT_P(conv_weights_of)(&net->grid, 1, in, padded, d, last, dw);
    }
    for (o = 0; o < out; ++o) {
        dbias[o] = lft_splat(0);
        for (row = 0; row < net->grid.rows; ++row) {
            const lft_v *d = dy + (size_t)o * dy_apart + LFT_P(conv_begin)(&net->grid, !last, row);
            for (x = 0; x < length; ++x) dbias[o] += d[x];
        }
    }
    LFT_P(sum_lanes_of)(w->table, weights + (size_t)out, w->sum);
    gradient += net->weight_at[l] - net->weight_at[0]; /* the biases follow */
    for (j = 0; j < weights + (size_t)out; ++j) gradient[j] += w->sum[j];
}

/* dy of the output becomes that of what the last step of convolution l was applied to: tanh, where there is an output,
 * LeakyReLU or nothing. */
LFT_P_STATIC void LFT_P(conv_slope)(const LFT_P(convnet) *net, int l, const lft_v *y, lft_v *dy)
{
    const int      length = LFT_P(row_length)(&net->grid.lattice), last = l == net->layers - 1, step = net->grid.first ? 2 : 1;
    const lft_real bound = (lft_real)net->bound, inverse = bound > 0 ? 1 / bound : 0;
    int            c, row, x;
    for (c = 0; c < net->channels[l + 1]; ++c) {
        for (row = 0; row < net->grid.rows; ++row) {
            const size_t at = (size_t)c * LFT_P(conv_apart)(&net->grid, !last) + (size_t)LFT_P(conv_begin)(&net->grid, !last, row);
            const lft_v *from = y + at;
            lft_v       *d    = dy + at;
            for (x = 0; !last && x < length; ++x) {
                d[x] = lft_sel(LFT_P(lt)(lft_splat(0), from[x]), d[x], d[x] * (lft_real)0.01);
            }
            x = net->grid.first ? net->grid.first[row] : 0;
            for (; last && bound > 0 && x < length; x += step) d[x] *= bound - from[x] * from[x] * inverse;
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
            if (l == 0) LFT_P(conv_pad)(&net->grid, tape, net->channels[0], w->panel);
            LFT_P(conv_weights)(net, l, l ? tape + net->field_at[l] : w->panel, dy, w, gradient);
        }
        c.from = dy;
        if (dy != dout) LFT_P(conv_halo)(&net->grid, dy, net->channels[l + 1]);
        else {
            LFT_P(conv_pad)(&net->grid, dy, net->channels[l + 1], w->panel);
            c.from = w->panel;
        }
        c.weight = net->transposed[l], c.winograd = net->winograd[1][l], c.bias = NULL, c.slope = 1, c.halo = l > 0;
        c.ins = net->channels[l + 1], c.stride = LFT_P(conv_even)(net->channels[l]);
        c.where = dy == dout ? LFT_P(conv_thin)(&net->grid, LFT_P(conv_others_zero)) : LFT_P(conv_everywhere);
        if (l == 0 && net->grid.first) c.where = LFT_P(conv_others);
        dy = w->d[l % 2];
        LFT_P(convnet_apply)(net, &c, w, dy);
    }
    return dy;
}

#endif /* LFT_P_CODE */
