/* 48_su2_kernel.h: SU(2): lambda_n = 2 I_n(beta) / beta for the dimension n = 1, 2, ..., U = cos psi + i sin psi (m sigma),
 * kappa_k = sum_n n u_n^k sin(n psi) / sin(psi). Offers what 47_characters.h says. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_CELLS 128

/* u[n - 1] = I_n / I_1 */
LFT_P_STATIC void LFT_P(characters_init)(LFT_P(characters) *c, double beta, lft_arena *arena)
{
    int n;
    c->beta  = beta;
    c->count = 20 + (int)(7 * lft_p_f64_p_sqrt(beta));
    c->u     = (double *)lft_arena_alloc(arena, (size_t)c->count + 1, sizeof(double));
    if (!c->u) return;
    if (beta < 1e-8) { /* I_n / I_1 = (beta / 2)^(n - 1) / n! */
        c->log_first = 0;
        for (n = 0; n < c->count; ++n) c->u[n] = n ? n == 1 ? 0.25 * beta : 0 : 1;
        return;
    }
    lft_p_bessel(beta, c->count + 1, c->u);
    c->log_first = beta + lft_p_f64_p_log(2 * c->u[1] / beta);
    for (n = 0; n < c->count; ++n) c->u[n] = c->u[n + 1];
    for (n = c->count - 1; n >= 0; --n) c->u[n] /= c->u[0];
}

LFT_P_STATIC double LFT_P(characters_sum)(const LFT_P(characters) *c, int k)
{
    double sum = 0;
    int    n;
    for (n = c->count - 1; n >= 0; --n) sum += lft_p_power(c->u[n], k);
    return sum;
}

/* Clenshaw's rule for Chebyshev polynomials of the second kind in cos psi, half of the trace. */
LFT_P_STATIC void LFT_P(kernel_value)(const LFT_P(kernel) *k, const double *re, const double *im, double *value)
{
    double x[LFT_P_LANES], y[LFT_P_LANES];
    int    n, l;
    (void)im;
    if (k->area == 1) {
        LFT_P(kernel_one)(k, re, value);
        return;
    }
    for (l = 0; l < LFT_P_LANES; ++l) x[l] = y[l] = 0;
    for (n = k->terms - 1; n >= 0; --n) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double next = re[l] * x[l] - y[l] + k->c[n];
            y[l] = x[l], x[l] = next;
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = x[l];
}

LFT_P_STATIC double LFT_P(kernel_at_one)(const LFT_P(kernel) *k, double psi)
{
    double re[LFT_P_LANES], value[LFT_P_LANES], s, c;
    int    l;
    lft_p_f64_p_sincos(psi, &s, &c);
    for (l = 0; l < LFT_P_LANES; ++l) re[l] = 2 * c;
    LFT_P(kernel_value)(k, re, re, value);
    return value[0];
}

/* The density of psi is (2 / pi) sin^2 psi kappa; kappa falls from 0 to pi: bounded by its value at the lower end of a cell, and
 * sin^2 by that at the end nearer to pi/2. */
LFT_P_STATIC void LFT_P(kernel_init)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area, int draws, lft_arena *arena)
{
    const double pi = 3.14159265358979323846;
    int          n;
    LFT_P(kernel_start)(k, c, area);
    k->c = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (draws) lft_p_alias_layout(&k->table, LFT_P_CELLS, arena);
    if (!c->u || !k->c || (draws && !k->table.work)) return;
    for (n = 0; n < c->count; ++n) {
        k->c[n] = (n + 1) * lft_p_power(c->u[n], area);
        if ((n + 1) * k->c[n] > 1e-19) k->terms = n + 1;
    }
    k->most  = LFT_P(kernel_at_one)(k, 0);
    k->least = LFT_P(kernel_at_one)(k, pi);
    for (n = 0; draws && n < LFT_P_CELLS; ++n) {
        const double low = pi / LFT_P_CELLS * n, high = pi / LFT_P_CELLS * (n + 1);
        double       s, cosine;
        lft_p_f64_p_sincos(n < LFT_P_CELLS / 2 ? high : low, &s, &cosine);
        k->table.weight[n] = (1 + 1e-6) * s * s * LFT_P(kernel_at_one)(k, low);
    }
    if (draws) lft_p_alias_build(&k->table);
}

/* w out of kappa_small by cells of psi and a direction; the value of kappa_small there, times sin^2, beside the bound. */
LFT_P_STATIC void LFT_P(kernel_draw)(const LFT_P(kernel) *k, double (*u)[LFT_P_LANES], double (*w)[LFT_P_LANES], double *value,
                                     double *bound)
{
    double re[LFT_P_LANES], s[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int cell = lft_p_alias_pick(&k->table, u[0][l]);
        re[l]    = 3.14159265358979323846 / LFT_P_CELLS * (cell + u[1][l]);
        bound[l] = k->table.weight[cell];
    }
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(re[l], s + l, w[0] + l);
    for (l = 0; l < LFT_P_LANES; ++l) {
        double z = 2 * u[2][l] - 1, r = s[l] * lft_p_f64_p_sqrt(1 - z * z), sine, cosine;
        lft_p_f64_p_sincos(6.283185307179586477 * u[3][l], &sine, &cosine);
        w[1][l] = r * cosine, w[2][l] = r * sine, w[3][l] = s[l] * z;
        re[l]   = 2 * w[0][l];
    }
    LFT_P(kernel_value)(k, re, re, value);
    for (l = 0; l < LFT_P_LANES; ++l) value[l] *= s[l] * s[l];
}

/* Two single plaquettes: one staple, as of the heat bath. Else w from kappa_small, accepted with kappa_large(w^+ p) over
 * kappa_large(1). */
LFT_P_STATIC int LFT_P(split)(const LFT_P(kernel) *small, const LFT_P(kernel) *large, lft_draw d, uint32_t pair, const lft_u *p,
                              lft_u *w)
{
    const lft_m bad = LFT_P(nonfinite)(p->c[0] + p->c[1] + p->c[2] + p->c[3]);
    LFT_P(crew) crew;
    lft_u       x;
    double      u[6][LFT_P_LANES], loop[4][LFT_P_LANES], number[4][LFT_P_LANES], re[LFT_P_LANES];
    double      value[LFT_P_LANES], bound[LFT_P_LANES], other[LFT_P_LANES];
    int         i, l;
    LFT_P(one)(w->c);
    if (large->area == 1) {
        LFT_P(adjoint)(&x, p);
        x.c[0] += 1;
        return LFT_P(any)(LFT_P(heat)(w->c, &x, (lft_real)small->slope, d, pair / 2));
    }
    for (i = 0; i < 4; ++i) LFT_P(to_wide)(loop[i], p->c[i]);
    LFT_P(crew_start)(&crew, bad);
    while (LFT_P(crew_assign)(&crew)) {
        LFT_P(crew_uniforms)(&crew, &d, pair, 3, u);
        LFT_P(kernel_draw)(small, u, number, value, bound);
        for (l = 0; l < LFT_P_LANES; ++l) { /* tr w^+ p */
            const int at = crew.of[l];
            re[l] = 2 * (number[0][l] * loop[0][at] + number[1][l] * loop[1][at] + number[2][l] * loop[2][at] +
                         number[3][l] * loop[3][at]);
            bound[l] *= u[4][l] * large->most;
        }
        LFT_P(kernel_value)(large, re, re, other);
        for (l = 0; l < LFT_P_LANES; ++l) value[l] *= other[l];
        LFT_P(crew_settle)(&crew, bound, value);
        for (i = 0; i < 4; ++i) LFT_P(crew_move_wide)(&crew, w->c + i, number[i]);
    }
    return crew.open > 0 || LFT_P(any)(bad);
}

#endif /* LFT_P_CODE */
