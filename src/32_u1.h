/* 32_u1.h: U(1), stored as the angle of a phase. Offers what 30_group.h says. A product is a sum of angles, so that a path
 * costs no multiplication; what needs the phase itself takes one sine and cosine. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_LINKS   LFT_DIM
#define LFT_P_COLOURS 1
#define LFT_P_LINK    1
#define LFT_P_ALGEBRA 1
#define LFT_P_HAAR    2
#define LFT_P_METRIC  1
#define LFT_P_SUM     2

#define lft_u LFT_P(u)
#define lft_z LFT_P(z)
#define lft_w LFT_P(w)
typedef struct lft_u { lft_v c[1]; } lft_u;
typedef struct lft_z { lft_v c[1]; } lft_z;
typedef struct lft_w { lft_v c[2]; } lft_w; /* real and imaginary part */

LFT_P_INLINE void LFT_P(get)(const lft_v *link, lft_u *u) { u->c[0] = *link; }
LFT_P_INLINE void LFT_P(put)(lft_v *link, const lft_u *u) { *link = u->c[0]; }
LFT_P_INLINE void LFT_P(mul)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = a->c[0] + b->c[0]; }
LFT_P_INLINE void LFT_P(mul_adj)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = a->c[0] - b->c[0]; }
LFT_P_INLINE void LFT_P(adj_mul)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = b->c[0] - a->c[0]; }
LFT_P_INLINE void LFT_P(adjoint)(lft_u *c, const lft_u *a) { c->c[0] = -a->c[0]; }

LFT_P_INLINE void LFT_P(exp_of)(lft_u *u, const lft_z *z) { u->c[0] = z->c[0]; }

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

LFT_P_INLINE void LFT_P(sum_none)(lft_w *w) { w->c[0] = w->c[1] = lft_splat(0); }
LFT_P_INLINE void LFT_P(sum_add)(lft_w *w, lft_real x, const lft_u *u)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    w->c[0] += x * c;
    w->c[1] += x * s;
}

LFT_P_INLINE void LFT_P(sum_of)(const lft_v *link, lft_w *w) { LFT_P(sincos)(*link, w->c + 1, w->c); }
LFT_P_INLINE void LFT_P(sum_product)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    const lft_v ai = adjoint_a ? -a->c[1] : a->c[1], bi = adjoint_b ? -b->c[1] : b->c[1];
    c->c[0] = a->c[0] * b->c[0] - ai * bi;
    c->c[1] = a->c[0] * bi + ai * b->c[0];
}
LFT_P_INLINE void LFT_P(sum_mul)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    lft_w r;
    LFT_P(sum_product)(&r, a, adjoint_a, b, adjoint_b);
    c->c[0] += r.c[0], c->c[1] += r.c[1];
}
LFT_P_INLINE void LFT_P(sum_times)(lft_w *w, lft_v re, lft_v im, const lft_w *a, int adjoint)
{
    const lft_v ai = adjoint ? -a->c[1] : a->c[1];
    w->c[0] += re * a->c[0] - im * ai;
    w->c[1] += re * ai + im * a->c[0];
}
LFT_P_INLINE void LFT_P(sum_scaled)(lft_w *w, lft_v x, const lft_w *a, int adjoint)
{
    LFT_P(sum_times)(w, x, lft_splat(0), a, adjoint);
}
LFT_P_INLINE void LFT_P(sum_traces)(const lft_w *w, lft_v *re, lft_v *im) { *re = w->c[0], *im = w->c[1]; }
LFT_P_INLINE void LFT_P(sum_inner)(const lft_w *a, const lft_w *b, int adjoint, lft_v *re, lft_v *im)
{
    const lft_v bi = adjoint ? -b->c[1] : b->c[1];
    *re = a->c[0] * b->c[0] - a->c[1] * bi;
    if (im) *im = a->c[1] * b->c[0] + a->c[0] * bi;
}
LFT_P_INLINE void LFT_P(sum_gradient)(const lft_w *w, lft_z *g) { g->c[0] = -w->c[1]; }
LFT_P_INLINE void LFT_P(sum_turned)(lft_w *w, const lft_z *z, const lft_w *a)
{
    w->c[0] = -z->c[0] * a->c[1];
    w->c[1] = z->c[0] * a->c[0];
}
LFT_P_INLINE void LFT_P(bracket)(lft_z *c, const lft_z *a, const lft_z *b)
{
    (void)a, (void)b;
    c->c[0] = lft_splat(0);
}

LFT_P_INLINE void LFT_P(move)(lft_v *link, const lft_v *z, lft_real h) { *link += h * *z; }
LFT_P_INLINE void LFT_P(unit)(lft_v *link) { *link = LFT_P(wrap)(*link); }
LFT_P_INLINE void LFT_P(one)(lft_v *link) { *link = lft_splat(0); }
LFT_P_INLINE void LFT_P(haar)(lft_v *link, const lft_v *normal) { *link = LFT_P(atan2)(normal[0], normal[1]); }

LFT_P_STATIC void LFT_P(matrix_of)(const double *c, double *u) { lft_p_f64_p_sincos(c[0], u + 1, u); }
LFT_P_STATIC void LFT_P(numbers_of)(const double *u, double *c) { c[0] = lft_p_f64_p_atan2(u[1], u[0]); }

/* theta = phi - arg w, phi with density exp(kappa cos phi), kappa = k |w|. Best and Fisher (Appl. Statist. 28 (1979) 152)
 * draw tan(phi / 2) from a Cauchy distribution, here written so that kappa = 0 is no exception: with S, C the sine and cosine of a
 * uniform angle, tan(phi / 2) = S / (C sqrt(1 + b)); y = sin^2(phi / 2) = S^2 / (1 + b C^2) is accepted with probability
 *   (1 + b y) exp(-2 kappa y) q exp(1 - q),   q = 2 kappa / b = 1 / (1 + 2 kappa / (1 + sqrt(1 + 4 kappa^2))),
 * 1 at kappa = 0 and 0.66 for large kappa. Two attempts at a time. */
LFT_P_STATIC lft_m LFT_P(heat)(lft_v *link, const lft_w *w, lft_real k, lft_draw d, uint32_t place)
{
    const lft_real pi   = (lft_real)3.141592653589793;
    const lft_v    re = k * w->c[0], im = k * w->c[1], kappa = LFT_P(sqrt)(re * re + im * im);
    const lft_m    bad  = LFT_P(nonfinite)(kappa);
    const lft_v    grow = 1 + 2 * kappa / (1 + LFT_P(sqrt)(1 + 4 * kappa * kappa)), b = 2 * kappa * grow, q = 1 / grow;
    const lft_v    most = q * LFT_P(exp)(1 - q);
    lft_m          open = ~bad, take;
    lft_v          u[5], s, c, y, sine = lft_splat(0), cosine = lft_splat(1);
    int            i;
    for (; LFT_P(any)(open); d.sample += (uint64_t)1 << 32) {
        LFT_P(uniforms)(&d, 2 * place, u);
        LFT_P_UNROLL for (i = 0; i < 4; i += 2)
        {
            LFT_P(sincos_fast)(pi, u[i] - (lft_real)0.5, &s, &c);
            y      = s * s / (1 + b * c * c);
            take   = open & LFT_P(lt)(u[i + 1], (1 + b * y) * LFT_P(exp)(-2 * kappa * y) * most);
            sine   = lft_sel(take, s, sine);
            cosine = lft_sel(take, c, cosine);
            open &= ~take;
        }
    }
    *link = 2 * LFT_P(atan2)(sine, cosine * LFT_P(sqrt)(1 + b)) - LFT_P(atan2)(im, re);
    return bad;
}

LFT_P_STATIC void LFT_P(reflect)(lft_v *link, const lft_w *w)
{
    *link = LFT_P(wrap)(-2 * LFT_P(atan2)(w->c[1], w->c[0]) - *link);
}

#endif /* LFT_P_CODE */
