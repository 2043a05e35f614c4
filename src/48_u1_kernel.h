/* 48_u1_kernel.h: U(1): lambda_n = I_n(beta), kappa_k(theta) = 1 + 2 sum_n>0 u_n^k cos n theta. Offers what 47_characters.h
 * says. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_CELLS 256

LFT_P_STATIC void LFT_P(characters_init)(LFT_P(characters) *c, double beta, lft_arena *arena)
{
    int n;
    c->beta  = beta;
    c->count = 20 + (int)(7 * lft_p_f64_p_sqrt(beta));
    c->u     = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (!c->u) return;
    lft_p_bessel(beta, c->count, c->u);
    c->log_first = beta + lft_p_f64_p_log(c->u[0]);
    for (n = c->count - 1; n >= 0; --n) c->u[n] /= c->u[0];
}

LFT_P_STATIC double LFT_P(characters_sum)(const LFT_P(characters) *c, int k)
{
    double sum = 0;
    int    n;
    for (n = c->count - 1; n >= 0; --n) sum += (n ? 2 : 1) * lft_p_power(c->u[n], k);
    return sum;
}

/* The sum by Horner's rule in e^i theta, whose powers do not grow. */
LFT_P_STATIC void LFT_P(kernel_value)(const LFT_P(kernel) *k, const double *re, const double *im, double *value)
{
    double x[LFT_P_LANES], y[LFT_P_LANES];
    int    n, l;
    if (k->area == 1) {
        LFT_P(kernel_one)(k, re, value);
        return;
    }
    for (l = 0; l < LFT_P_LANES; ++l) x[l] = y[l] = 0;
    for (n = k->terms - 1; n >= 0; --n) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double next = x[l] * re[l] - y[l] * im[l] + k->c[n];
            y[l] = x[l] * im[l] + y[l] * re[l];
            x[l] = next;
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = x[l];
}

/* At angles, one per lane. */
LFT_P_STATIC void LFT_P(kernel_at)(const LFT_P(kernel) *k, const double *angle, double *value)
{
    double re[LFT_P_LANES], im[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(angle[l], im + l, re + l);
    LFT_P(kernel_value)(k, re, im, value);
}

LFT_P_STATIC double LFT_P(kernel_at_one)(const LFT_P(kernel) *k, double angle)
{
    double at[LFT_P_LANES], value[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) at[l] = angle;
    LFT_P(kernel_at)(k, at, value);
    return value[0];
}

/* kappa falls from 0 to pi: its bound on a cell of [-pi, pi] is the value at the end nearer to 0. */
LFT_P_STATIC void LFT_P(kernel_init)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area, int draws, lft_arena *arena)
{
    const double pi = 3.14159265358979323846;
    int          n;
    LFT_P(kernel_start)(k, c, area);
    k->c = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (draws) lft_p_alias_layout(&k->table, LFT_P_CELLS, arena);
    if (!c->u || !k->c || (draws && !k->table.work)) return;
    for (n = 0; n < c->count; ++n) {
        k->c[n] = (n ? 2 : 1) * lft_p_power(c->u[n], area);
        if (k->c[n] > 1e-19) k->terms = n + 1;
    }
    k->most  = LFT_P(kernel_at_one)(k, 0);
    k->least = LFT_P(kernel_at_one)(k, pi);
    for (n = 0; draws && n < LFT_P_CELLS; ++n) {
        const int end = n < LFT_P_CELLS / 2 ? LFT_P_CELLS / 2 - n - 1 : n - LFT_P_CELLS / 2;
        k->table.weight[n] = (1 + 1e-6) * LFT_P(kernel_at_one)(k, 2 * pi / LFT_P_CELLS * end);
    }
    if (draws) lft_p_alias_build(&k->table);
}

/* Two single plaquettes: exp(beta cos) of both is one cosine, as of the heat bath. Else w from kappa_small by cells, accepted
 * with kappa_large(p - w) / kappa_large(0). */
LFT_P_STATIC int LFT_P(split)(const LFT_P(kernel) *small, const LFT_P(kernel) *large, lft_draw d, uint32_t pair, const lft_u *p,
                              lft_u *w)
{
    const double width = 6.283185307179586477 / LFT_P_CELLS;
    const lft_m  bad   = LFT_P(nonfinite)(p->c[0]);
    LFT_P(crew)  crew;
    double       u[4][LFT_P_LANES], loop[LFT_P_LANES], rest[LFT_P_LANES], value[LFT_P_LANES], other[LFT_P_LANES];
    int          l;
    LFT_P(to_wide)(loop, p->c[0]);
    w->c[0] = lft_splat(0);
    if (large->area == 1) {
        lft_w staple;
        LFT_P(sum_of)(p->c, &staple);
        staple.c[0] += 1, staple.c[1] = -staple.c[1];
        return LFT_P(any)(LFT_P(heat)(w->c, &staple, (lft_real)small->slope, d, pair / 2));
    }
    LFT_P(crew_start)(&crew, bad);
    while (LFT_P(crew_assign)(&crew)) {
        LFT_P(crew_uniforms)(&crew, &d, pair, 2, u);
        for (l = 0; l < LFT_P_LANES; ++l) {
            const int cell = lft_p_alias_pick(&small->table, u[0][l]);
            u[3][l] = ((double)(cell - LFT_P_CELLS / 2) + u[1][l]) * width;
            u[2][l] *= small->table.weight[cell] * large->most;
            rest[l] = loop[crew.of[l]] - u[3][l];
        }
        LFT_P(kernel_at)(small, u[3], value);
        LFT_P(kernel_at)(large, rest, other);
        for (l = 0; l < LFT_P_LANES; ++l) value[l] *= other[l];
        LFT_P(crew_settle)(&crew, u[2], value);
        LFT_P(crew_move_wide)(&crew, w->c, u[3]);
    }
    return crew.open > 0 || LFT_P(any)(bad);
}

#endif /* LFT_P_CODE */
