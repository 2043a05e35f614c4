/* 72_coupling.h: affine coupling with a convolutional net as a layer.
 * Offers: LFT_(coupling_desc), LFT_(coupling)() (the layer's table).
 * Source: RealNVP 1605.08803; for lattice fields 1904.12072 and the tutorial 2101.08176. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default. Layers that follow each other take turns with the parity. */
typedef struct LFT_(coupling_desc) {
    int    parity;    /* 0 or 1: sites with (x_0 + x_1 + ...) mod 2 == parity are active, the others frozen */
    int    hidden[8]; /* channels between the convolutions, up to a 0: {8, 8}; hidden[0] = -1: a single convolution */
    int    kernel;    /* taps per axis, odd: 3 */
    double bound;     /* s and t are bound tanh(...): 1; -1: what the last convolution gives */
    int    z2;        /* 1: s even and t odd in phi, so that x' is odd; twice the work */
} LFT_(coupling_desc);

/* The layer's table.
 *   active sites  x' = e^s x + t,  log det = sum of s;   frozen sites  x' = x;   (s, t) = net of the frozen field, 0 elsewhere
 *   z2            s = [s(phi) + s(-phi)] / 2,  t = [t(phi) - t(-phi)] / 2
 * The net (64_convnet.h): 1 -> hidden -> 2 channels, LeakyReLU 0.01 between them. Parameters weight<i> [out][in][kernel^d] and
 * bias<i> [out] in PyTorch's order. Inverse, log-det and score are exact to rounding. It commutes with translations by an even
 * number of sites. An odd extent puts two sites of one parity side by side, at the boundary: the map is as exact as any, but
 * has no such symmetry along that axis. At the start the last convolution is zero, which is the identity; those before have
 * small random weights, always the same. LFT_ERR_NONFINITE names the layer.
 * O(kernel^d sum of in * out) per site, forward; three times that backward. */
LFT_API const LFT_(layer_ops) *LFT_(coupling)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_HIDDEN_MOST 8

typedef struct LFT_P(coupling) {
    LFT_(coupling_desc) desc; /* defaults filled in; bound 0: none; hidden[0] = 0: none */
    LFT_P(convnet)      net;
    int                 nets;  /* 1, or 2 with z2: of phi and of -phi */
    unsigned char      *first; /* [rows] the first active site of each row: then every other one */
    char                name[24];
} LFT_P(coupling);

typedef enum LFT_P(coupling_use) { LFT_P(coupling_value), LFT_P(coupling_score), LFT_P(coupling_backward) } LFT_P(coupling_use);

typedef struct LFT_P(coupling_work) {
    lft_v               *tape; /* where the caller has none */
    LFT_P(convnet_work)  net;
    lft_v               *d, *dout; /* [2][volume] cotangents of s and t; of a net's outputs */
} LFT_P(coupling_work);

LFT_P_STATIC LFT_P(coupling_work) LFT_P(coupling_scratch)(const LFT_P(coupling) *s, LFT_P(coupling_use) use, lft_arena *arena)
{
    const size_t          pair = use == LFT_P(coupling_value) ? 0 : 2 * (size_t)s->net.grid.lattice.volume;
    LFT_P(coupling_work)  w;
    w.tape = LFT_P(vectors)(arena, use == LFT_P(coupling_backward) ? 0 : (size_t)s->nets * s->net.tape);
    w.net  = LFT_P(convnet_scratch)(&s->net, (int)use, arena);
    w.d    = LFT_P(vectors)(arena, pair);
    w.dout = LFT_P(vectors)(arena, pair);
    return w;
}

/* Defaults; the number of hidden fields, or -1 and an error. */
LFT_P_STATIC int LFT_P(coupling_defaults)(LFT_(coupling_desc) *d, lft_error *error)
{
    int i, n = 0;
    if (d->parity < 0 || d->parity > 1) {
        (void)lft_p_fail_got(error, LFT_ERR_ARG, "coupling", "parity", "0 or 1", d->parity);
        return -1;
    }
    if (!lft_finite(d->bound)) {
        (void)lft_p_fail_got(error, LFT_ERR_ARG, "coupling", "bound", "a finite number", d->bound);
        return -1;
    }
    if (d->hidden[0] == 0) d->hidden[0] = d->hidden[1] = 8, d->hidden[2] = 0;
    if (d->hidden[0] == -1) d->hidden[0] = 0;
    while (n < LFT_P_HIDDEN_MOST && d->hidden[n]) ++n;
    for (i = n; i < LFT_P_HIDDEN_MOST; ++i) d->hidden[i] = 0;
    if (!d->kernel) d->kernel = 3;
    d->bound = d->bound > 0 ? d->bound : d->bound < 0 ? 0 : 1;
    d->z2    = d->z2 != 0;
    return n;
}

/* The first active site of each row. */
LFT_P_STATIC void LFT_P(coupling_rows)(LFT_P(coupling) *s)
{
    int row, rest, mu, sum;
    for (row = 0; row < s->net.grid.rows; ++row) {
        for (sum = s->desc.parity, rest = row, mu = LFT_DIM - 2; mu >= 0; --mu) {
            sum += rest % s->net.grid.lattice.extent[mu];
            rest /= s->net.grid.lattice.extent[mu];
        }
        s->first[row] = (unsigned char)(sum % 2);
    }
}

LFT_P_STATIC lft_status LFT_P(coupling_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                             lft_error *error)
{
    LFT_P(coupling) *s = (LFT_P(coupling) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    int              channels[LFT_P_HIDDEN_MOST + 2], hidden, i, use;
    lft_p_text       text;
    lft_status       status;
    layer->state = s;
    if (!s) s = &local; /* measuring, or full: the flow reports the need of all */
    lft_p_copy(&s->desc, layer->desc, sizeof s->desc);
    hidden = LFT_P(coupling_defaults)(&s->desc, error);
    if (hidden < 0) return LFT_ERR_ARG;
    channels[0] = 1;
    for (i = 0; i < hidden; ++i) channels[1 + i] = s->desc.hidden[i];
    channels[1 + hidden] = 2;
    text = lft_p_text_over(s->name, sizeof s->name);
    lft_p_put(&text, name);
    layer->out    = layer->in;
    layer->params = set->count;
    s->nets       = s->desc.z2 ? 2 : 1;
    status        = LFT_P(convnet_init)(&s->net, &layer->in, channels, hidden + 1, s->desc.kernel, s->desc.bound, name, set,
                                        arena, error);
    if (status) return status;
    s->first = (unsigned char *)lft_arena_alloc(arena, (size_t)s->net.grid.rows, 1);
    if (s->first) LFT_P(coupling_rows)(s);
    s->net.grid.first = s->first;
    layer->gradient_count = s->net.parameters;
    layer->tape_bytes     = ((size_t)s->nets * s->net.tape + (size_t)layer->in.volume) * sizeof(lft_v);
    for (use = 0; use <= (LFT_UPTO >= LFT_TRAIN ? 2 : 0); ++use) {
        lft_arena measure = lft_arena_measure();
        (void)LFT_P(coupling_scratch)(s, (LFT_P(coupling_use))use, &measure);
        if (measure.need > layer->scratch_bytes) layer->scratch_bytes = measure.need;
    }
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(coupling_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    (void)pace;
    LFT_P(convnet_start)(&((const LFT_P(coupling) *)layer->state)->net, theta, layer->params);
}

LFT_P_STATIC void LFT_P(coupling_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(convnet_prepare)(&((LFT_P(coupling) *)layer->state)->net, theta);
}

/* The nets of the frozen part of x and, with z2, of its negative. */
LFT_P_STATIC void LFT_P(coupling_nets)(const LFT_P(coupling) *s, const lft_v *x, lft_v *tape, const LFT_P(coupling_work) *w)
{
    const int length = LFT_P(row_length)(&s->net.grid.lattice);
    lft_v    *mirror = s->nets > 1 ? tape + s->net.tape : NULL;
    int       row, i, at;
    for (at = 0, row = 0; row < s->net.grid.rows; ++row) {
        for (i = 0; i < length; ++i, ++at) {
            tape[at] = (i + s->first[row]) % 2 ? x[at] : lft_splat(0);
            if (mirror) mirror[at] = -tape[at];
        }
    }
    LFT_P(convnet_forward)(&s->net, tape, &w->net);
    if (mirror) LFT_P(convnet_forward)(&s->net, mirror, &w->net);
}

/* s and t, at sites from the head of a row */
typedef struct LFT_P(coupling_outputs) {
    const lft_v *s, *t, *s_mirror, *t_mirror;
} LFT_P(coupling_outputs);

LFT_P_STATIC LFT_P(coupling_outputs) LFT_P(coupling_outputs_of)(const LFT_P(coupling) *s, const lft_v *tape)
{
    LFT_P(coupling_outputs) o;
    o.s        = LFT_P(convnet_output)(&s->net, tape);
    o.t        = o.s + s->net.grid.lattice.volume;
    o.s_mirror = s->nets > 1 ? o.s + s->net.tape : NULL;
    o.t_mirror = s->nets > 1 ? o.t + s->net.tape : NULL;
    return o;
}

LFT_P_INLINE void LFT_P(coupling_at)(const LFT_P(coupling_outputs) *o, int x, lft_v *s, lft_v *t)
{
    *s = o->s[x], *t = o->t[x];
    if (o->s_mirror) {
        *s = (*s + o->s_mirror[x]) * (lft_real)0.5;
        *t = (*t - o->t_mirror[x]) * (lft_real)0.5;
    }
}

/* The derivative of s and t in w->d through the nets: added, times sign, to dx at the frozen sites. */
LFT_P_STATIC void LFT_P(coupling_nets_backward)(const LFT_P(coupling) *s, const lft_v *tape, const LFT_P(coupling_work) *w,
                                                lft_real sign, lft_v *dx, double *gradient)
{
    const int length = LFT_P(row_length)(&s->net.grid.lattice), volume = s->net.grid.lattice.volume;
    int       n, row, x, at;
    for (n = 0; n < s->nets; ++n, tape += s->net.tape) {
        const lft_real share = s->nets > 1 ? (lft_real)0.5 : 1, t_share = n ? -share : share, x_share = n ? -sign : sign;
        const lft_v   *din;
        for (x = 0; x < volume; ++x) {
            w->dout[x]          = share * w->d[x];
            w->dout[volume + x] = t_share * w->d[volume + x];
        }
        din = LFT_P(convnet_backward)(&s->net, tape, w->dout, gradient, &w->net);
        for (at = 0, row = 0; row < s->net.grid.rows; ++row, at += length) {
            for (x = 1 - s->first[row]; x < length; x += 2) dx[at + x] += x_share * din[at + x];
        }
    }
}

/* An error that says in which layer. */
LFT_P_STATIC lft_status LFT_P(coupling_check)(const LFT_P(coupling) *s, const lft_v *x, const double *logdet, lft_error *error)
{
    const char *what = LFT_P(any_nonfinite)(x, s->net.grid.lattice.volume) ? "field" : NULL;
    lft_p_text  t;
    int         l;
    for (l = 0; l < LFT_P_LANES; ++l) what = lft_finite(logdet[l]) ? what : "log-det";
    if (!what) return LFT_OK;
    t = lft_p_error_text(error, LFT_ERR_NONFINITE, "coupling", what);
    lft_p_put(&t, ": expected finite numbers after ");
    lft_p_put(&t, s->name);
    return LFT_ERR_NONFINITE;
}

/* grad log q of x' = J^-T (grad log q - grad log det): e^-s times it at active sites, where the nets' outputs get the
 * derivatives 1 + score x of s and e^-s score of t. x: before the layer. */
LFT_P_STATIC void LFT_P(coupling_move_score)(const LFT_P(coupling) *s, const lft_v *x, const lft_v *tape, lft_v *score,
                                             const LFT_P(coupling_work) *w)
{
    const LFT_P(coupling_outputs) o = LFT_P(coupling_outputs_of)(s, tape);
    const int                     length = LFT_P(row_length)(&s->net.grid.lattice), volume = s->net.grid.lattice.volume;
    int                           row, i, at;
    LFT_P(set_zero)(w->d, 2 * volume);
    for (at = 0, row = 0; row < s->net.grid.rows; ++row, at += length) {
        for (i = at + s->first[row]; i < at + length; i += 2) {
            lft_v scale, shift;
            LFT_P(coupling_at)(&o, i, &scale, &shift);
            w->d[i]          = score[i] * x[i] + 1;
            score[i]         = score[i] * LFT_P(exp)(-scale);
            w->d[volume + i] = score[i];
        }
    }
    LFT_P(coupling_nets_backward)(s, tape, w, -1, score, NULL);
}

/* The active sites there (x' = e^s x + t) or back, and their s added to logdet or taken from it. */
LFT_P_INLINE void LFT_P(coupling_apply)(const LFT_P(coupling) *s, const lft_v *tape, int back, lft_v *x, double *logdet)
{
    const LFT_P(coupling_outputs) o = LFT_P(coupling_outputs_of)(s, tape);
    const int                     length = LFT_P(row_length)(&s->net.grid.lattice);
    int                           row, i, end, at;
    for (at = 0, row = 0; row < s->net.grid.rows; ++row, at += length) {
        for (i = s->first[row]; i < length;) {
            lft_v part = lft_splat(0);
            for (end = i + LFT_P_CHUNK < length ? i + LFT_P_CHUNK : length; i < end; i += 2) {
                lft_v scale, shift;
                LFT_P(coupling_at)(&o, at + i, &scale, &shift);
                if (back) {
                    x[at + i] = (x[at + i] - shift) * LFT_P(exp)(-scale);
                    part -= scale;
                } else {
                    x[at + i] = x[at + i] * LFT_P(exp)(scale) + shift;
                    part += scale;
                }
            }
            LFT_P(add_wide)(logdet, part);
        }
    }
}

LFT_P_STATIC lft_status LFT_P(coupling_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out,
                                                double *logdet, lft_real *score, void *tape, lft_arena scratch,
                                                lft_error *error)
{
    const LFT_P(coupling)     *s = (const LFT_P(coupling) *)layer->state;
    const LFT_P(coupling_work) w =
        LFT_P(coupling_scratch)(s, score ? LFT_P(coupling_score) : LFT_P(coupling_value), &scratch);
    const size_t bytes = (size_t)s->net.grid.lattice.volume * sizeof(lft_v);
    lft_v       *at = tape ? (lft_v *)tape : w.tape, *x = LFT_P(view)(x_out);
    if (x_out != x_in) lft_p_copy(x, x_in, bytes);
    if (tape) lft_p_copy(at + (size_t)s->nets * s->net.tape, x, bytes);
    LFT_P(coupling_nets)(s, x, at, &w);
    if (LFT_UPTO >= LFT_TRAIN && score) LFT_P(coupling_move_score)(s, x, at, LFT_P(view)(score), &w);
    LFT_P(coupling_apply)(s, at, 0, x, logdet);
    return LFT_P(coupling_check)(s, x, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(coupling_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in,
                                                double *logdet, lft_arena scratch, lft_error *error)
{
    const LFT_P(coupling)     *s = (const LFT_P(coupling) *)layer->state;
    const LFT_P(coupling_work) w = LFT_P(coupling_scratch)(s, LFT_P(coupling_value), &scratch);
    lft_v                     *x = LFT_P(view)(x_in);
    if (x_in != x_out) lft_p_copy(x, x_out, (size_t)s->net.grid.lattice.volume * sizeof(lft_v));
    LFT_P(coupling_nets)(s, x, w.tape, &w);
    LFT_P(coupling_apply)(s, w.tape, 1, x, logdet);
    return LFT_P(coupling_check)(s, x, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(coupling_pull)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                             double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(coupling)        *s = (const LFT_P(coupling) *)layer->state;
    const LFT_P(coupling_work)    w = LFT_P(coupling_scratch)(s, LFT_P(coupling_backward), &scratch);
    const lft_v                  *at = (const lft_v *)tape, *x = at + (size_t)s->nets * s->net.tape;
    const LFT_P(coupling_outputs) o  = LFT_P(coupling_outputs_of)(s, at);
    const lft_v                   dl = LFT_P(from_wide)(dlogdet);
    const int                     length = LFT_P(row_length)(&s->net.grid.lattice), volume = s->net.grid.lattice.volume;
    lft_v                        *dx = LFT_P(view)(dx_);
    int                           row, i, begin;
    (void)error;
    LFT_P(set_zero)(w.d, 2 * volume);
    for (begin = 0, row = 0; row < s->net.grid.rows; ++row, begin += length) {
        for (i = begin + s->first[row]; i < begin + length; i += 2) {
            lft_v scale, shift;
            LFT_P(coupling_at)(&o, i, &scale, &shift);
            w.d[volume + i] = dx[i];
            dx[i]           = dx[i] * LFT_P(exp)(scale);
            w.d[i]          = dx[i] * x[i] + dl;
        }
    }
    LFT_P(coupling_nets_backward)(s, at, &w, 1, dx, gradient);
    return LFT_OK;
}

/* parity, kernel, z2, the bits of bound (0: none), hidden[8] (a 0 ends them) */
LFT_P_STATIC int LFT_P(coupling_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(coupling_desc) *d = &((const LFT_P(coupling) *)layer->state)->desc;
    int                        i;
    number[0] = d->parity;
    number[1] = d->kernel;
    number[2] = d->z2;
    lft_p_copy(number + 3, &d->bound, sizeof d->bound);
    for (i = 0; i < LFT_P_HIDDEN_MOST; ++i) number[4 + i] = d->hidden[i];
    return 4 + LFT_P_HIDDEN_MOST;
}

/* Values beyond an int become one that init refuses. */
static inline int LFT_P(coupling_number)(int64_t number)
{
    return number >= 0 && number <= 1000000 ? (int)number : 1000001;
}

LFT_P_STATIC lft_status LFT_P(coupling_read)(const int64_t *number, int n, lft_arena *arena, const void **desc,
                                             lft_error *error)
{
    LFT_(coupling_desc) *d = (LFT_(coupling_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int                  i;
    *desc = d;
    if (n < 4 + LFT_P_HIDDEN_MOST) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "coupling", "numbers of the specification", "12", n);
    }
    if (!d) return lft_arena_check(arena, error, "coupling");
    d->parity = LFT_P(coupling_number)(number[0]);
    d->kernel = LFT_P(coupling_number)(number[1]);
    d->z2     = number[2] != 0;
    lft_p_copy(&d->bound, number + 3, sizeof d->bound);
    if (!lft_finite(d->bound) || d->bound < 0) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "coupling", "bound", "a number >= 0", d->bound);
    }
    if (!(d->bound > 0)) d->bound = -1;
    for (i = 0; i < LFT_P_HIDDEN_MOST; ++i) d->hidden[i] = LFT_P(coupling_number)(number[4 + i]);
    if (d->hidden[0] == 0) d->hidden[0] = -1;
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(coupling)(void)
{
    static const LFT_(layer_ops) ops = {"coupling",
                                        LFT_P(coupling_init),
                                        LFT_P(coupling_start),
                                        LFT_P(coupling_prepare),
                                        LFT_P(coupling_forward),
                                        LFT_P(coupling_inverse),
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(coupling_pull) : NULL,
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(collect_parameters) : NULL,
                                        NULL,
                                        NULL,
                                        LFT_P(coupling_spec),
                                        LFT_P(coupling_read),
                                        NULL};
    return &ops;
}

#endif /* LFT_P_CODE */
