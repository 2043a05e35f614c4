/* 33_su2.h: SU(2) as unit quaternions u = c0 + i (c1 sigma1 + c2 sigma2 + c3 sigma3). Offers what 30_group.h says. Sums of
 * links are quaternions too. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_LINKS   LFT_DIM
#define LFT_P_COLOURS 2
#define LFT_P_LINK    4
#define LFT_P_ALGEBRA 3
#define LFT_P_HAAR    4
#define LFT_P_METRIC  2
#define LFT_P_SUM     4

#define lft_u LFT_P(u)
#define lft_z LFT_P(z)
#define lft_w LFT_P(u)
typedef struct lft_u { lft_v c[4]; } lft_u;
typedef struct lft_z { lft_v c[3]; } lft_z;

LFT_P_INLINE void LFT_P(get)(const lft_v *link, lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) u->c[i] = link[i];
}

LFT_P_INLINE void LFT_P(put)(lft_v *link, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) link[i] = u->c[i];
}

LFT_P_INLINE void LFT_P(adjoint)(lft_u *c, const lft_u *a)
{
    c->c[0] = a->c[0];
    c->c[1] = -a->c[1], c->c[2] = -a->c[2], c->c[3] = -a->c[3];
}

/* (a0 + i a sigma)(b0 + i b sigma) = a0 b0 - a b + i (a0 b + b0 a - a x b) sigma */
LFT_P_INLINE void LFT_P(mul)(lft_u *c, const lft_u *a_, const lft_u *b_)
{
    const lft_v *a = a_->c, *b = b_->c;
    lft_u        r;
    r.c[0] = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3];
    r.c[1] = a[0] * b[1] + a[1] * b[0] - a[2] * b[3] + a[3] * b[2];
    r.c[2] = a[0] * b[2] + a[2] * b[0] - a[3] * b[1] + a[1] * b[3];
    r.c[3] = a[0] * b[3] + a[3] * b[0] - a[1] * b[2] + a[2] * b[1];
    *c     = r;
}

LFT_P_INLINE void LFT_P(mul_adj)(lft_u *c, const lft_u *a, const lft_u *b)
{
    lft_u t;
    LFT_P(adjoint)(&t, b);
    LFT_P(mul)(c, a, &t);
}

LFT_P_INLINE void LFT_P(adj_mul)(lft_u *c, const lft_u *a, const lft_u *b)
{
    lft_u t;
    LFT_P(adjoint)(&t, a);
    LFT_P(mul)(c, &t, b);
}

/* exp(i z sigma / 2) = cos(r/2) + i sigma z sin(r/2) / r, r = |z|; below 1e-15 (f32: 1e-8) the second factor is 1/2 */
LFT_P_INLINE void LFT_P(exp_of)(lft_u *u, const lft_z *z)
{
    const lft_v r2 = z->c[0] * z->c[0] + z->c[1] * z->c[1] + z->c[2] * z->c[2], least = lft_splat((lft_real)1e-30);
    const lft_m small = LFT_P(lt)(r2, least);
    const lft_v half = (lft_real)0.5 * LFT_P(sqrt)(lft_sel(small, least, r2));
    lft_v       s, c;
    LFT_P(sincos)(half, &s, &c);
    s       = lft_sel(small, lft_splat((lft_real)0.5), (lft_real)0.5 * s / half);
    u->c[0] = c;
    u->c[1] = s * z->c[0], u->c[2] = s * z->c[1], u->c[3] = s * z->c[2];
}

/* Re tr u = 2 c0, d^a Re tr u = Re tr (i sigma^a / 2) u = -c_a */
LFT_P_INLINE lft_v LFT_P(trace)(const lft_u *u, lft_z *gradient)
{
    if (gradient) gradient->c[0] = -u->c[1], gradient->c[1] = -u->c[2], gradient->c[2] = -u->c[3];
    return u->c[0] + u->c[0];
}

LFT_P_INLINE lft_v LFT_P(trace_im)(const lft_u *u)
{
    (void)u;
    return lft_splat(0);
}

/* The rotation z - 2 c0 (c x z)' + ...: u^+ z u with z as the quaternion without real part. */
LFT_P_INLINE void LFT_P(carry)(const lft_u *u, lft_z *z)
{
    const lft_v *c = u->c;
    lft_v        x, y, w;
    x = 2 * (c[2] * z->c[2] - c[3] * z->c[1]);
    y = 2 * (c[3] * z->c[0] - c[1] * z->c[2]);
    w = 2 * (c[1] * z->c[1] - c[2] * z->c[0]);
    z->c[0] += c[0] * x + (c[2] * w - c[3] * y);
    z->c[1] += c[0] * y + (c[3] * x - c[1] * w);
    z->c[2] += c[0] * w + (c[1] * y - c[2] * x);
}

LFT_P_INLINE void LFT_P(sum_none)(lft_w *w) { w->c[0] = w->c[1] = w->c[2] = w->c[3] = lft_splat(0); }
LFT_P_INLINE void LFT_P(sum_add)(lft_w *w, lft_real x, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) w->c[i] += x * u->c[i];
}

LFT_P_INLINE void LFT_P(sum_of)(const lft_v *link, lft_w *w) { LFT_P(get)(link, w); }
LFT_P_INLINE void LFT_P(sum_product)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    lft_u x = *a, y = *b;
    if (adjoint_a) LFT_P(adjoint)(&x, a);
    if (adjoint_b) LFT_P(adjoint)(&y, b);
    LFT_P(mul)(c, &x, &y);
}
LFT_P_INLINE void LFT_P(sum_mul)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    lft_u r;
    LFT_P(sum_product)(&r, a, adjoint_a, b, adjoint_b);
    LFT_P(sum_add)(c, 1, &r);
}
LFT_P_INLINE void LFT_P(sum_scaled)(lft_w *w, lft_v x, const lft_w *a, int adjoint)
{
    const lft_v y = adjoint ? -x : x;
    w->c[0] += x * a->c[0];
    w->c[1] += y * a->c[1], w->c[2] += y * a->c[2], w->c[3] += y * a->c[3];
}
LFT_P_INLINE void LFT_P(sum_times)(lft_w *w, lft_v re, lft_v im, const lft_w *a, int adjoint)
{
    (void)im; /* has no part in Re tr w^+ dw */
    LFT_P(sum_scaled)(w, re, a, adjoint);
}
LFT_P_INLINE void LFT_P(sum_traces)(const lft_w *w, lft_v *re, lft_v *im) { *re = 2 * w->c[0], *im = lft_splat(0); }
LFT_P_INLINE void LFT_P(sum_inner)(const lft_w *a, const lft_w *b, int adjoint, lft_v *re, lft_v *im)
{
    const lft_v x = a->c[1] * b->c[1] + a->c[2] * b->c[2] + a->c[3] * b->c[3];
    *re = 2 * (adjoint ? a->c[0] * b->c[0] + x : a->c[0] * b->c[0] - x);
    if (im) *im = lft_splat(0);
}
LFT_P_INLINE void LFT_P(sum_gradient)(const lft_w *w, lft_z *g) { (void)LFT_P(trace)(w, g); }
LFT_P_INLINE void LFT_P(sum_turned)(lft_w *w, const lft_z *z, const lft_w *a)
{
    lft_u x;
    x.c[0] = lft_splat(0);
    x.c[1] = (lft_real)0.5 * z->c[0], x.c[2] = (lft_real)0.5 * z->c[1], x.c[3] = (lft_real)0.5 * z->c[2];
    LFT_P(mul)(w, &x, a);
}
/* [T^a, T^b] = -epsilon^abc T^c */
LFT_P_INLINE void LFT_P(bracket)(lft_z *c, const lft_z *a, const lft_z *b)
{
    lft_z r;
    r.c[0] = a->c[2] * b->c[1] - a->c[1] * b->c[2];
    r.c[1] = a->c[0] * b->c[2] - a->c[2] * b->c[0];
    r.c[2] = a->c[1] * b->c[0] - a->c[0] * b->c[1];
    *c     = r;
}

LFT_P_INLINE void LFT_P(move)(lft_v *link, const lft_v *z_, lft_real h)
{
    lft_z z;
    lft_u u, e;
    z.c[0] = h * z_[0], z.c[1] = h * z_[1], z.c[2] = h * z_[2];
    LFT_P(exp_of)(&e, &z);
    LFT_P(get)(link, &u);
    LFT_P(mul)((lft_u *)link, &e, &u);
}

LFT_P_INLINE void LFT_P(unit)(lft_v *link)
{
    const lft_v x = 1 / LFT_P(sqrt)(link[0] * link[0] + link[1] * link[1] + link[2] * link[2] + link[3] * link[3]);
    int         i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) link[i] *= x;
}

LFT_P_INLINE void LFT_P(one)(lft_v *link)
{
    link[0] = lft_splat(1);
    link[1] = link[2] = link[3] = lft_splat(0);
}

/* A direction in four dimensions. */
LFT_P_INLINE void LFT_P(haar)(lft_v *link, const lft_v *normal)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) link[i] = normal[i];
    LFT_P(unit)(link);
}

/* c0 + i c3, c2 + i c1; -c2 + i c1, c0 - i c3 */
LFT_P_STATIC void LFT_P(matrix_of)(const double *c, double *u)
{
    u[0] = u[6] = c[0], u[1] = c[3], u[7] = -c[3];
    u[2] = c[2], u[4] = -c[2], u[3] = u[5] = c[1];
}

LFT_P_STATIC void LFT_P(numbers_of)(const double *u, double *c)
{
    c[0] = 0.5 * (u[0] + u[6]), c[3] = 0.5 * (u[1] - u[7]);
    c[2] = 0.5 * (u[2] - u[4]), c[1] = 0.5 * (u[3] + u[5]);
}

/* U = X V^+ with V = w / |w|: k Re tr U w = 2 k |w| x0 */
LFT_P_STATIC lft_m LFT_P(heat)(lft_v *link, const lft_w *w, lft_real k, lft_draw d, uint32_t place)
{
    lft_u v, x, u;
    lft_m bad;
    int   i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) v.c[i] = k * w->c[i];
    bad = LFT_P(quaternion)(d, 2 * place, 2 * LFT_P(direction)(v.c, v.c), x.c);
    LFT_P(mul_adj)(&u, &x, &v);
    LFT_P(put)(link, &u);
    return bad;
}

/* V^+ U^+ V^+ */
LFT_P_STATIC void LFT_P(reflect)(lft_v *link, const lft_w *w)
{
    lft_u u, v, x;
    (void)LFT_P(direction)(w->c, v.c);
    LFT_P(get)(link, &u);
    LFT_P(mul)(&x, &u, &v); /* V^+ U^+ V^+ = (V U V)^+ */
    LFT_P(mul)(&u, &v, &x);
    LFT_P(adjoint)(&x, &u);
    LFT_P(put)(link, &x);
}

#endif /* LFT_P_CODE */
