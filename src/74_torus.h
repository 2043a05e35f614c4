/* 74_torus.h: the torus of one site: where an exact flow of two dimensions begins, whose doublings make all others of it.
 * Offers: LFT_(torus_desc), LFT_(torus)() (the layer's table).
 * Source: the exact weights of two dimensions, Migdal 1975. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

typedef struct LFT_(torus_desc) {
    double beta;            /* 0 to 100 */
    int    target[LFT_DIM]; /* extents at which the action lives: 1 for 0 */
} LFT_(torus_desc);

/* The layer's table. Where the exact doubling begins: a lattice of one site in two dimensions, the links U_0, U_1 of which are
 * drawn anew with the density kappa_V(U_0 U_1 U_0^+ U_1^+) / sum_r u_r^V, V the volume of the targets, by rejection. U(1): 1.
 * Its inverse gives the links themselves, of which the Haar prior knows nothing. LFT_ERR_ARG: not two dimensions,
 * not one site, beta, target, rounding of kappa; LFT_ERR_NONFINITE: as of the doubling. */
LFT_API const LFT_(layer_ops) *LFT_(torus)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(torus) {
    LFT_(torus_desc)  desc; /* defaults filled in */
    LFT_P(characters) characters;
    LFT_P(kernel)    *kernel;
    double            constant; /* -log sum_r u_r^V */
    char              name[24];
} LFT_P(torus);

LFT_P_STATIC lft_status LFT_P(torus_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                          lft_error *error)
{
    LFT_P(torus) *s = (LFT_P(torus) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    lft_p_text    t;
    lft_status    status;
    int           mu, area = 1, none = 0;
    (void)set;
    layer->state = s;
    layer->out   = layer->in;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    t = lft_p_text_over(s->name, sizeof s->name);
    lft_p_put(&t, name);
    if (layer->desc) s->desc = *(const LFT_(torus_desc) *)layer->desc;
    status = LFT_P(exact_check)(s->desc.beta, s->name, error);
    if (!status && layer->in.volume != 1) {
        status = lft_p_fail_got(error, LFT_ERR_ARG, s->name, "sites of a lattice to begin with", "1", layer->in.volume);
    }
    for (mu = 0; mu < LFT_DIM && !status; ++mu) {
        int *L = s->desc.target + mu;
        if (!*L) *L = 1;
        if (*L < 1 || *L > (1 << 24) / area) {
            status = lft_p_fail_got(error, LFT_ERR_ARG, s->name, "target", "1 or more, 2^24 sites at most", *L);
        } else area *= *L;
    }
    if (status) return status;
    LFT_P(characters_init)(&s->characters, s->desc.beta, arena);
    s->kernel = LFT_P(kernels_of)(&s->characters, &area, &none, 1, arena);
    if (s->characters.u) s->constant = -lft_p_f64_p_log(LFT_P(characters_sum)(&s->characters, area));
    return LFT_P(kernels_check)(s->kernel, 1, s->desc.beta, s->name, error);
}

/* The plaquette U_0 U_1 U_0^+ U_1^+ */
LFT_P_STATIC void LFT_P(torus_loop)(const lft_v *links, lft_u *loop)
{
    const lft_u *a = LFT_P(link)(links, 0), *b = LFT_P(link)(links, 1);
    lft_u        there, back;
    LFT_P(mul)(&there, a, b);
    LFT_P(mul)(&back, b, a);
    LFT_P(mul_adj)(loop, &there, &back);
}

LFT_P_STATIC lft_status LFT_P(torus_logq)(const LFT_P(torus) *s, const lft_v *links, double sign, double *sum, int failed,
                                          lft_error *error)
{
    lft_u loop;
    int   l;
    LFT_P(torus_loop)(links, &loop);
    LFT_P(kernel_log)(s->kernel, &loop, sign, sum);
    for (l = 0; l < LFT_P_LANES; ++l) {
        sum[l] += sign * s->constant;
        failed |= !lft_finite(sum[l]);
    }
    if (!failed) return LFT_OK;
    return lft_p_fail(error, LFT_ERR_NONFINITE, s->name, "a link that is not finite, or that could not be drawn");
}

LFT_P_STATIC lft_status LFT_P(torus_draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out,
                                          double *logdet, lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(torus) *s     = (const LFT_P(torus) *)layer->state;
    lft_v              *links = LFT_P(view)(x_out), next[LFT_DIM * LFT_P_LINK];
    LFT_P(crew)         crew;
    lft_u               loop;
    double              re[LFT_P_LANES], im[LFT_P_LANES], value[LFT_P_LANES], u[2 * LFT_P_PAIRS][LFT_P_LANES];
    int                 k, l;
    (void)x_in, (void)tape, (void)scratch;
    if (score) return lft_p_fail(error, LFT_ERR_ARG, s->name, "a draw by rejection has no derivatives");
    LFT_P(crew_start)(&crew, LFT_P(int_splat)(0));
    while (LFT_P(crew_assign)(&crew)) {
        for (k = 0; k < LFT_DIM; ++k) {
            LFT_P(crew_uniforms)(&crew, &d, (uint32_t)k * LFT_P_PAIRS, LFT_P_HAAR / 2, u);
            LFT_P(haar_from)(u, next + k * LFT_P_LINK);
        }
        LFT_P(crew_uniforms)(&crew, &d, LFT_DIM * LFT_P_PAIRS, 1, u);
        LFT_P(torus_loop)(next, &loop);
        LFT_P(wide_trace)(&loop, re, im);
        LFT_P(kernel_value)(s->kernel, re, im, value);
        for (l = 0; l < LFT_P_LANES; ++l) u[0][l] *= s->kernel->most;
        LFT_P(crew_settle)(&crew, u[0], value);
        for (k = 0; k < LFT_DIM * LFT_P_LINK; ++k) LFT_P(crew_move)(&crew, links + k, next[k]);
    }
    return LFT_P(torus_logq)(s, links, -1, logdet, crew.open > 0, error);
}

LFT_P_STATIC lft_status LFT_P(torus_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                             lft_arena scratch, lft_error *error)
{
    (void)scratch;
    if (x_in != x_out) lft_p_copy(x_in, x_out, LFT_P(field_vectors)(&layer->in) * sizeof(lft_v));
    return LFT_P(torus_logq)((const LFT_P(torus) *)layer->state, LFT_P(const_view)(x_out), 1, logdet, 0, error);
}

/* beta (2), targets */
LFT_P_STATIC int LFT_P(torus_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(torus_desc) *d = &((const LFT_P(torus) *)layer->state)->desc;
    int                     mu;
    LFT_P(put_beta)(d->beta, number);
    for (mu = 0; mu < LFT_DIM; ++mu) number[2 + mu] = d->target[mu];
    return 2 + LFT_DIM;
}

LFT_P_STATIC lft_status LFT_P(torus_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(torus_desc) *d = (LFT_(torus_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int               mu;
    *desc = d;
    if (LFT_P(read_count)(n, 2 + LFT_DIM, "numbers of a torus layer", error)) return LFT_ERR_FORMAT;
    if (!d) return lft_arena_check(arena, error, "model");
    d->beta = LFT_P(get_beta)(number);
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (number[2 + mu] < 1 || number[2 + mu] > 1 << 24) {
            return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a target of a torus layer", "1 to 2^24", (double)number[2 + mu]);
        }
        d->target[mu] = (int)number[2 + mu];
    }
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(torus)(void)
{
    static const LFT_(layer_ops) ops = {
        "torus",
        LFT_P(torus_init),
        LFT_P(nothing_to_start),
        LFT_P(nothing_to_prepare),
        NULL,
        LFT_P(torus_inverse),
        NULL,
        LFT_P(collect_parameters),
        NULL,
        NULL,
        LFT_P(torus_spec),
        LFT_P(torus_read),
        LFT_P(torus_draw),
    };
    return &ops;
}

#endif /* LFT_P_CODE */
