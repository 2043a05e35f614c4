/* 32_u1.h: U(1), stored as the angle of a phase. Offers what 30_group.h says. A product is a sum of angles, so that a path
 * costs no multiplication; what needs the phase itself takes one sine and cosine. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_LINKS   LFT_DIM
#define LFT_P_COLOURS 1
#define LFT_P_LINK    1
#define LFT_P_ALGEBRA 1
#define LFT_P_HAAR    2
#define LFT_P_METRIC  1

#define lft_u LFT_P(u)
#define lft_z LFT_P(z)
#define lft_w LFT_P(w)
typedef struct lft_u { lft_v c[1]; } lft_u;
typedef struct lft_z { lft_v c[1]; } lft_z;
typedef struct lft_w { lft_v re, im; } lft_w;

LFT_P_INLINE void LFT_P(get)(const lft_v *link, lft_u *u) { u->c[0] = *link; }
LFT_P_INLINE void LFT_P(put)(lft_v *link, const lft_u *u) { *link = u->c[0]; }
LFT_P_INLINE void LFT_P(mul)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = a->c[0] + b->c[0]; }
LFT_P_INLINE void LFT_P(mul_adj)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = a->c[0] - b->c[0]; }
LFT_P_INLINE void LFT_P(adj_mul)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = b->c[0] - a->c[0]; }
LFT_P_INLINE void LFT_P(adjoint)(lft_u *c, const lft_u *a) { c->c[0] = -a->c[0]; }

LFT_P_INLINE void LFT_P(exp_of)(lft_u *u, const lft_z *z) { u->c[0] = z->c[0]; }
LFT_P_INLINE void LFT_P(log_of)(lft_z *z, const lft_u *u) { z->c[0] = LFT_P(wrap)(u->c[0]); }
LFT_P_INLINE void LFT_P(eigen)(const lft_u *u, lft_u *x, lft_v *phase)
{
    x->c[0]  = lft_splat(0);
    phase[0] = LFT_P(wrap)(u->c[0]);
}

LFT_P_INLINE lft_v LFT_P(trace)(const lft_u *u, lft_z *gradient)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    if (gradient) gradient->c[0] = -s;
    return c;
}

LFT_P_INLINE lft_v LFT_P(trace_im)(const lft_u *u)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    return s;
}

LFT_P_INLINE void LFT_P(carry)(const lft_u *u, lft_z *z)
{
    (void)u;
    (void)z;
}

LFT_P_INLINE void LFT_P(sum_none)(lft_w *w) { w->re = w->im = lft_splat(0); }
LFT_P_INLINE void LFT_P(sum_add)(lft_w *w, lft_real x, const lft_u *u)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    w->re += x * c;
    w->im += x * s;
}
LFT_P_INLINE lft_v LFT_P(sum_trace)(const lft_u *u, const lft_w *w)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    return c * w->re - s * w->im;
}

LFT_P_INLINE void LFT_P(move)(lft_v *link, const lft_v *z, lft_real h) { *link += h * *z; }
LFT_P_INLINE void LFT_P(unit)(lft_v *link) { *link = LFT_P(wrap)(*link); }
LFT_P_INLINE void LFT_P(one)(lft_v *link) { *link = lft_splat(0); }
LFT_P_INLINE void LFT_P(haar)(lft_v *link, const lft_v *normal) { *link = LFT_P(atan2)(normal[0], normal[1]); }

LFT_P_STATIC void LFT_P(matrix_of)(const double *c, double *u) { lft_p_f64_p_sincos(c[0], u + 1, u); }
LFT_P_STATIC void LFT_P(numbers_of)(const double *u, double *c) { c[0] = lft_p_f64_p_atan2(u[1], u[0]); }

#endif /* LFT_P_CODE */
