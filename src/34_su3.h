/* 34_su3.h: SU(3) as 3 x 3 complex matrices, row by row, real parts before imaginary ones. Offers what 30_group.h says. Sums
 * of links are matrices too. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_LINKS   LFT_DIM
#define LFT_P_COLOURS 3
#define LFT_P_LINK    18
#define LFT_P_ALGEBRA 8
#define LFT_P_HAAR    12
#define LFT_P_METRIC  2
#define LFT_P_SUM     18

#define lft_u LFT_P(u)
#define lft_z LFT_P(z)
#define lft_w LFT_P(u)
typedef struct lft_u { lft_v c[18]; } lft_u;
typedef struct lft_z { lft_v c[8]; } lft_z;

static const lft_real LFT_P(sqrt3) = (lft_real)1.7320508075688773;

/* places of the real parts */
#define LFT_P_RE(i, j) (6 * (i) + 2 * (j))
#define LFT_P_IM(i, j) (6 * (i) + 2 * (j) + 1)

LFT_P_INLINE void LFT_P(get)(const lft_v *link, lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) u->c[i] = link[i];
}

LFT_P_INLINE void LFT_P(put)(lft_v *link, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) link[i] = u->c[i];
}

LFT_P_INLINE void LFT_P(adjoint)(lft_u *c, const lft_u *a)
{
    lft_u r;
    int   i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            r.c[LFT_P_RE(i, j)] = a->c[LFT_P_RE(j, i)];
            r.c[LFT_P_IM(i, j)] = -a->c[LFT_P_IM(j, i)];
        }
    }
    *c = r;
}

/* c = a b or, with add, c += a b, either of them adjoint: constants after inlining. c is neither a nor b. 27 complex products:
 * 108 multiplications, of which 90 are fused with an addition. */
LFT_P_INLINE void LFT_P(multiply)(lft_v *LFT_P_RESTRICT c, int add, const lft_v *a, int adjoint_a, const lft_v *b, int adjoint_b)
{
    int i, j, k;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            lft_v re = lft_splat(0), im = re;
            LFT_P_UNROLL for (k = 0; k < 3; ++k)
            {
                const int   at = adjoint_a ? LFT_P_RE(k, i) : LFT_P_RE(i, k), bt = adjoint_b ? LFT_P_RE(j, k) : LFT_P_RE(k, j);
                const lft_v ar = a[at], ai = a[at + 1], br = b[bt], bi = b[bt + 1];
                re = k ? re + ar * br : ar * br;
                re = adjoint_a == adjoint_b ? re - ai * bi : re + ai * bi;
                im = k ? (adjoint_b ? im - ar * bi : im + ar * bi) : adjoint_b ? -(ar * bi) : ar * bi;
                im = adjoint_a ? im - ai * br : im + ai * br;
            }
            if (add) re += c[LFT_P_RE(i, j)], im += c[LFT_P_IM(i, j)];
            c[LFT_P_RE(i, j)] = re;
            c[LFT_P_IM(i, j)] = im;
        }
    }
}

LFT_P_INLINE void LFT_P(product)(lft_v *c, const lft_v *a, int adjoint_a, const lft_v *b, int adjoint_b)
{
    LFT_P(multiply)(c, 0, a, adjoint_a, b, adjoint_b);
}

LFT_P_STATIC void LFT_P(mul)(lft_u *c, const lft_u *a, const lft_u *b) { LFT_P(product)(c->c, a->c, 0, b->c, 0); }
LFT_P_STATIC void LFT_P(mul_adj)(lft_u *c, const lft_u *a, const lft_u *b) { LFT_P(product)(c->c, a->c, 0, b->c, 1); }
LFT_P_STATIC void LFT_P(adj_mul)(lft_u *c, const lft_u *a, const lft_u *b) { LFT_P(product)(c->c, a->c, 1, b->c, 0); }

/* The hermitian H = z^a lambda^a / 2: diagonal h[0..2], H12 = h[3] + i h[4], H13 = h[5] + i h[6], H23 = h[7] + i h[8] */
LFT_P_INLINE void LFT_P(hermitian)(const lft_z *z, lft_v h[9])
{
    const lft_real half   = (lft_real)0.5;
    const lft_v    eighth = z->c[7] * (1 / LFT_P(sqrt3));
    h[0] = half * (eighth + z->c[2]), h[1] = half * (eighth - z->c[2]), h[2] = -eighth;
    h[3] = half * z->c[0], h[4] = -half * z->c[1];
    h[5] = half * z->c[3], h[6] = -half * z->c[4];
    h[7] = half * z->c[5], h[8] = -half * z->c[6];
}

/* s = h^2 in the same places. */
LFT_P_INLINE void LFT_P(hermitian_square)(const lft_v h[9], lft_v s[9])
{
    const lft_v n12 = h[3] * h[3] + h[4] * h[4], n13 = h[5] * h[5] + h[6] * h[6], n23 = h[7] * h[7] + h[8] * h[8];
    s[0] = h[0] * h[0] + n12 + n13, s[1] = h[1] * h[1] + n12 + n23, s[2] = h[2] * h[2] + n13 + n23;
    s[3] = h[3] * (h[0] + h[1]) + (h[5] * h[7] + h[6] * h[8]); /* H13 conj(H23) */
    s[4] = h[4] * (h[0] + h[1]) + (h[6] * h[7] - h[5] * h[8]);
    s[5] = h[5] * (h[0] + h[2]) + (h[3] * h[7] - h[4] * h[8]); /* H12 H23 */
    s[6] = h[6] * (h[0] + h[2]) + (h[3] * h[8] + h[4] * h[7]);
    s[7] = h[7] * (h[1] + h[2]) + (h[3] * h[5] + h[4] * h[6]); /* conj(H12) H13 */
    s[8] = h[8] * (h[1] + h[2]) + (h[3] * h[6] - h[4] * h[5]);
}

/* 1 / n! */
static const lft_real LFT_P(exp_series_terms)[] = {
    (lft_real)1.0,                    (lft_real)1.0,                    (lft_real)0.5,
    (lft_real)0.16666666666666667,    (lft_real)0.041666666666666667,   (lft_real)0.0083333333333333333,
    (lft_real)0.0013888888888888889,  (lft_real)0.00019841269841269841, (lft_real)2.4801587301587302e-5,
    (lft_real)2.7557319223985891e-6,  (lft_real)2.7557319223985891e-7,  (lft_real)2.5052108385441719e-8,
    (lft_real)2.0876756987868099e-9,  (lft_real)1.6059043836821615e-10, (lft_real)1.1470745597729725e-11,
    (lft_real)7.6471637318198165e-13, (lft_real)4.7794773323873853e-14, (lft_real)2.8114572543455208e-15,
    (lft_real)1.5619206968586226e-16};
#if LFT_P_REAL_BYTES == 4
enum { LFT_P(exp_series_last) = 11 };
#else
enum { LFT_P(exp_series_last) = 18 };
#endif

/* exp(iH) = f0 + f1 H + f2 H^2 by the theorem of Cayley and Hamilton, H^3 = p H + q with p = tr H^2 / 2, q = det H. The
 * coefficients are summed as the power series (every power of H is such a polynomial), which knows no exceptions where
 * eigenvalues coincide; above |eigenvalue| = 1, of H / 2^k, and squared k times. f[0..5]: f0, f1, f2, real and imaginary. */
LFT_P_STATIC void LFT_P(exp_series)(lft_v p, lft_v q, lft_v f[6])
{
    const lft_v most = lft_splat((lft_real)0.75); /* no eigenvalue exceeds sqrt(4 p / 3) */
    lft_v       g[6], a, b;
    int         n, k;
    for (k = 0; k < 60 && LFT_P(any)(LFT_P(lt)(most, p)); ++k) p *= (lft_real)0.25, q *= (lft_real)0.125;
    for (n = 0; n < 6; ++n) f[n] = lft_splat(0);
    for (n = LFT_P(exp_series_last); n >= 0; --n) { /* f H + i^n / n! */
        const lft_real x = n & 2 ? -LFT_P(exp_series_terms)[n] : LFT_P(exp_series_terms)[n];
        a = q * f[4], b = q * f[5];
        if (n & 1) b += x;
        else a += x;
        g[2] = f[0] + p * f[4], g[3] = f[1] + p * f[5];
        f[4] = f[2], f[5] = f[3];
        f[0] = a, f[1] = b, f[2] = g[2], f[3] = g[3];
    }
    for (; k > 0; --k) { /* the square, in powers of 2 H */
        const lft_v re = 2 * (f[2] * f[4] - f[3] * f[5]), im = 2 * (f[2] * f[5] + f[3] * f[4]); /* 2 f1 f2 */
        a    = f[4] * f[4] - f[5] * f[5]; /* f2^2 */
        b    = 2 * f[4] * f[5];
        g[0] = f[0] * f[0] - f[1] * f[1] + q * re, g[1] = 2 * f[0] * f[1] + q * im;
        g[2] = f[0] * f[2] - f[1] * f[3] + (lft_real)0.5 * (p * re + q * a);
        g[3] = f[0] * f[3] + f[1] * f[2] + (lft_real)0.5 * (p * im + q * b);
        g[4] = (lft_real)0.25 * (f[2] * f[2] - f[3] * f[3] + 2 * (f[0] * f[4] - f[1] * f[5]) + p * a);
        g[5] = (lft_real)0.25 * (2 * (f[2] * f[3] + f[0] * f[5] + f[1] * f[4]) + p * b);
        for (n = 0; n < 6; ++n) f[n] = g[n];
        p *= 4, q *= 8;
    }
}

LFT_P_STATIC void LFT_P(exp_of)(lft_u *u, const lft_z *z)
{
    static const int at[3] = {LFT_P_RE(0, 1), LFT_P_RE(0, 2), LFT_P_RE(1, 2)};
    static const int to[3] = {LFT_P_RE(1, 0), LFT_P_RE(2, 0), LFT_P_RE(2, 1)};
    lft_v h[9], s[9], f[6], p, q;
    int   i;
    LFT_P(hermitian)(z, h);
    LFT_P(hermitian_square)(h, s);
    p = (lft_real)0.5 * (s[0] + s[1] + s[2]);
    q = h[0] * (h[1] * h[2] - h[7] * h[7] - h[8] * h[8]) - h[1] * (h[5] * h[5] + h[6] * h[6]) -
        h[2] * (h[3] * h[3] + h[4] * h[4]) + 2 * (h[5] * (h[3] * h[7] - h[4] * h[8]) + h[6] * (h[3] * h[8] + h[4] * h[7]));
    LFT_P(exp_series)(p, q, f);
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        const lft_v *a = h + 3 + 2 * i, *b = s + 3 + 2 * i; /* the element above the diagonal; below stand their conjugates */
        u->c[LFT_P_RE(i, i)] = f[0] + f[2] * h[i] + f[4] * s[i];
        u->c[LFT_P_IM(i, i)] = f[1] + f[3] * h[i] + f[5] * s[i];
        u->c[at[i]]     = f[2] * a[0] - f[3] * a[1] + f[4] * b[0] - f[5] * b[1];
        u->c[at[i] + 1] = f[2] * a[1] + f[3] * a[0] + f[4] * b[1] + f[5] * b[0];
        u->c[to[i]]     = f[2] * a[0] + f[3] * a[1] + f[4] * b[0] + f[5] * b[1];
        u->c[to[i] + 1] = f[3] * a[0] - f[2] * a[1] + f[5] * b[0] - f[4] * b[1];
    }
}

/* d^a Re tr u = Re tr (i lambda^a / 2) u = -Im tr lambda^a u / 2 */
LFT_P_INLINE lft_v LFT_P(trace)(const lft_u *u, lft_z *gradient)
{
    const lft_v   *c    = u->c;
    const lft_real half = (lft_real)0.5;
    if (gradient) {
        lft_v *g = gradient->c;
        g[0] = -half * (c[LFT_P_IM(0, 1)] + c[LFT_P_IM(1, 0)]), g[1] = half * (c[LFT_P_RE(1, 0)] - c[LFT_P_RE(0, 1)]);
        g[3] = -half * (c[LFT_P_IM(0, 2)] + c[LFT_P_IM(2, 0)]), g[4] = half * (c[LFT_P_RE(2, 0)] - c[LFT_P_RE(0, 2)]);
        g[5] = -half * (c[LFT_P_IM(1, 2)] + c[LFT_P_IM(2, 1)]), g[6] = half * (c[LFT_P_RE(2, 1)] - c[LFT_P_RE(1, 2)]);
        g[2] = half * (c[LFT_P_IM(1, 1)] - c[LFT_P_IM(0, 0)]);
        g[7] = (2 * c[LFT_P_IM(2, 2)] - c[LFT_P_IM(0, 0)] - c[LFT_P_IM(1, 1)]) * (half / LFT_P(sqrt3));
    }
    return c[LFT_P_RE(0, 0)] + c[LFT_P_RE(1, 1)] + c[LFT_P_RE(2, 2)];
}

LFT_P_INLINE lft_v LFT_P(trace_im)(const lft_u *u)
{
    return u->c[LFT_P_IM(0, 0)] + u->c[LFT_P_IM(1, 1)] + u->c[LFT_P_IM(2, 2)];
}

/* R = u^+ H u with z = (H), H hermitian: only what is above the diagonal of R, and two elements of it. */
LFT_P_STATIC void LFT_P(carry)(const lft_u *u, lft_z *z)
{
    static const int pair[3][2] = {{0, 1}, {0, 2}, {1, 2}}, to[3] = {0, 3, 5};
    lft_v            h[9], m[18], diagonal[2]; /* m = H u */
    int              i, j, k;
    LFT_P(hermitian)(z, h);
    LFT_P_UNROLL for (j = 0; j < 3; ++j)
    {
        const lft_v *c0 = u->c + LFT_P_RE(0, j), *c1 = u->c + LFT_P_RE(1, j), *c2 = u->c + LFT_P_RE(2, j);
        m[LFT_P_RE(0, j)] = h[0] * c0[0] + h[3] * c1[0] - h[4] * c1[1] + h[5] * c2[0] - h[6] * c2[1];
        m[LFT_P_IM(0, j)] = h[0] * c0[1] + h[3] * c1[1] + h[4] * c1[0] + h[5] * c2[1] + h[6] * c2[0];
        m[LFT_P_RE(1, j)] = h[3] * c0[0] + h[4] * c0[1] + h[1] * c1[0] + h[7] * c2[0] - h[8] * c2[1];
        m[LFT_P_IM(1, j)] = h[3] * c0[1] - h[4] * c0[0] + h[1] * c1[1] + h[7] * c2[1] + h[8] * c2[0];
        m[LFT_P_RE(2, j)] = h[5] * c0[0] + h[6] * c0[1] + h[7] * c1[0] + h[8] * c1[1] + h[2] * c2[0];
        m[LFT_P_IM(2, j)] = h[5] * c0[1] - h[6] * c0[0] + h[7] * c1[1] - h[8] * c1[0] + h[2] * c2[1];
    }
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        lft_v re = lft_splat(0), im = re;
        LFT_P_UNROLL for (k = 0; k < 3; ++k)
        {
            const lft_v *a = u->c + LFT_P_RE(k, pair[i][0]), *b = m + LFT_P_RE(k, pair[i][1]);
            re += a[0] * b[0] + a[1] * b[1];
            im += a[0] * b[1] - a[1] * b[0];
        }
        z->c[to[i]]     = 2 * re;
        z->c[to[i] + 1] = -2 * im;
    }
    LFT_P_UNROLL for (i = 0; i < 2; ++i)
    {
        diagonal[i] = lft_splat(0);
        LFT_P_UNROLL for (k = 0; k < 3; ++k)
        {
            diagonal[i] += u->c[LFT_P_RE(k, i)] * m[LFT_P_RE(k, i)] + u->c[LFT_P_IM(k, i)] * m[LFT_P_IM(k, i)];
        }
    }
    z->c[2] = diagonal[0] - diagonal[1];
    z->c[7] = LFT_P(sqrt3) * (diagonal[0] + diagonal[1]);
}

/* ---- sums, and links in memory --------------------------------------------------------------------------------------- */

LFT_P_INLINE void LFT_P(sum_none)(lft_w *w)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) w->c[i] = lft_splat(0);
}

LFT_P_INLINE void LFT_P(sum_add)(lft_w *w, lft_real x, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) w->c[i] += x * u->c[i];
}

LFT_P_INLINE void LFT_P(sum_of)(const lft_v *link, lft_w *w) { LFT_P(get)(link, w); }
LFT_P_STATIC void LFT_P(sum_product)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    if (adjoint_a && adjoint_b) LFT_P(product)(c->c, a->c, 1, b->c, 1);
    else if (adjoint_a) LFT_P(product)(c->c, a->c, 1, b->c, 0);
    else if (adjoint_b) LFT_P(product)(c->c, a->c, 0, b->c, 1);
    else LFT_P(product)(c->c, a->c, 0, b->c, 0);
}
LFT_P_STATIC void LFT_P(sum_mul)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    if (adjoint_a && adjoint_b) LFT_P(multiply)(c->c, 1, a->c, 1, b->c, 1);
    else if (adjoint_a) LFT_P(multiply)(c->c, 1, a->c, 1, b->c, 0);
    else if (adjoint_b) LFT_P(multiply)(c->c, 1, a->c, 0, b->c, 1);
    else LFT_P(multiply)(c->c, 1, a->c, 0, b->c, 0);
}
LFT_P_INLINE void LFT_P(sum_scaled)(lft_w *w, lft_v x, const lft_w *a, int adjoint)
{
    int i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            const int at = adjoint ? LFT_P_RE(j, i) : LFT_P_RE(i, j);
            w->c[LFT_P_RE(i, j)] += x * a->c[at];
            w->c[LFT_P_IM(i, j)] += (adjoint ? -x : x) * a->c[at + 1];
        }
    }
}
LFT_P_INLINE void LFT_P(sum_times)(lft_w *w, lft_v re, lft_v im, const lft_w *a, int adjoint)
{
    const lft_v sign = adjoint ? -re : re, cross = adjoint ? -im : im;
    int         i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            const int at = adjoint ? LFT_P_RE(j, i) : LFT_P_RE(i, j);
            w->c[LFT_P_RE(i, j)] += re * a->c[at] - cross * a->c[at + 1];
            w->c[LFT_P_IM(i, j)] += sign * a->c[at + 1] + im * a->c[at];
        }
    }
}
LFT_P_INLINE void LFT_P(sum_traces)(const lft_w *w, lft_v *re, lft_v *im)
{
    *re = LFT_P(trace)(w, NULL);
    *im = LFT_P(trace_im)(w);
}
LFT_P_INLINE void LFT_P(sum_inner)(const lft_w *a, const lft_w *b, int adjoint, lft_v *re, lft_v *im)
{
    lft_v one = lft_splat(0), other = one, third = one, last = one; /* which do not wait for each other */
    int   i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            const int   k = LFT_P_RE(i, j), at = adjoint ? k : LFT_P_RE(j, i);
            const lft_v bi = adjoint ? -b->c[at + 1] : b->c[at + 1];
            one += a->c[k] * b->c[at], other -= a->c[k + 1] * bi;
            if (im) third += a->c[k] * bi, last += a->c[k + 1] * b->c[at];
        }
    }
    *re = one + other;
    if (im) *im = third + last;
}
LFT_P_INLINE void LFT_P(sum_gradient)(const lft_w *w, lft_z *g) { (void)LFT_P(trace)(w, g); }
/* i H a with the hermitian H of z */
LFT_P_STATIC void LFT_P(sum_turned)(lft_w *w, const lft_z *z, const lft_w *a)
{
    lft_v h[9];
    lft_u m;
    int   i;
    LFT_P(hermitian)(z, h);
    LFT_P_UNROLL for (i = 0; i < 3; ++i) m.c[LFT_P_RE(i, i)] = lft_splat(0), m.c[LFT_P_IM(i, i)] = h[i];
    m.c[LFT_P_RE(0, 1)] = -h[4], m.c[LFT_P_IM(0, 1)] = h[3], m.c[LFT_P_RE(1, 0)] = h[4], m.c[LFT_P_IM(1, 0)] = h[3];
    m.c[LFT_P_RE(0, 2)] = -h[6], m.c[LFT_P_IM(0, 2)] = h[5], m.c[LFT_P_RE(2, 0)] = h[6], m.c[LFT_P_IM(2, 0)] = h[5];
    m.c[LFT_P_RE(1, 2)] = -h[8], m.c[LFT_P_IM(1, 2)] = h[7], m.c[LFT_P_RE(2, 1)] = h[8], m.c[LFT_P_IM(2, 1)] = h[7];
    LFT_P(product)(w->c, m.c, 0, a->c, 0);
}
/* [T^a, T^b] = -f^abc T^c */
LFT_P_STATIC void LFT_P(bracket)(lft_z *c, const lft_z *a_, const lft_z *b_)
{
    static const int      at[9][3] = {{0, 1, 2}, {0, 3, 6}, {1, 3, 5}, {1, 4, 6}, {2, 3, 4},
                                      {0, 4, 5}, {2, 5, 6}, {3, 4, 7}, {5, 6, 7}};
    static const lft_real f[9] = {1, (lft_real)0.5, (lft_real)0.5, (lft_real)0.5, (lft_real)0.5, (lft_real)-0.5, (lft_real)-0.5,
                                  (lft_real)0.8660254037844386, (lft_real)0.8660254037844386};
    const lft_v          *a = a_->c, *b = b_->c;
    lft_z                 r;
    int                   n;
    LFT_P_UNROLL for (n = 0; n < 8; ++n) r.c[n] = lft_splat(0);
    LFT_P_UNROLL for (n = 0; n < 9; ++n)
    {
        const int i = at[n][0], j = at[n][1], k = at[n][2];
        r.c[k] -= f[n] * (a[i] * b[j] - a[j] * b[i]);
        r.c[i] -= f[n] * (a[j] * b[k] - a[k] * b[j]);
        r.c[j] -= f[n] * (a[k] * b[i] - a[i] * b[k]);
    }
    *c = r;
}

LFT_P_STATIC void LFT_P(move)(lft_v *link, const lft_v *z_, lft_real h)
{
    lft_z z;
    lft_u u, e;
    int   i;
    LFT_P_UNROLL for (i = 0; i < 8; ++i) z.c[i] = h * z_[i];
    LFT_P(exp_of)(&e, &z);
    LFT_P(get)(link, &u);
    LFT_P(product)(link, e.c, 0, u.c, 0);
}

/* v / |v| of a row */
LFT_P_INLINE void LFT_P(row_unit)(lft_v *v)
{
    const lft_v x = 1 / LFT_P(sqrt)(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + v[3] * v[3] + v[4] * v[4] + v[5] * v[5]);
    int         i;
    LFT_P_UNROLL for (i = 0; i < 6; ++i) v[i] *= x;
}

/* Gram and Schmidt for two rows; the third is the conjugate of their cross product. */
LFT_P_STATIC void LFT_P(unit)(lft_v *link)
{
    lft_v *a = link, *b = link + 6, *c = link + 12, re = lft_splat(0), im = re;
    int    i;
    LFT_P(row_unit)(a);
    LFT_P_UNROLL for (i = 0; i < 6; i += 2)
    {
        re += a[i] * b[i] + a[i + 1] * b[i + 1];
        im += a[i] * b[i + 1] - a[i + 1] * b[i];
    }
    LFT_P_UNROLL for (i = 0; i < 6; i += 2)
    {
        b[i] -= re * a[i] - im * a[i + 1];
        b[i + 1] -= re * a[i + 1] + im * a[i];
    }
    LFT_P(row_unit)(b);
    LFT_P_UNROLL for (i = 0; i < 6; i += 2)
    {
        const int j = (i + 2) % 6, k = (i + 4) % 6;
        c[i]     = a[j] * b[k] - a[j + 1] * b[k + 1] - (a[k] * b[j] - a[k + 1] * b[j + 1]);
        c[i + 1] = a[k] * b[j + 1] + a[k + 1] * b[j] - (a[j] * b[k + 1] + a[j + 1] * b[k]);
    }
}

LFT_P_INLINE void LFT_P(one)(lft_v *link)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) link[i] = lft_splat(i % 8 ? 0 : 1);
}

/* Two random rows, made orthonormal. */
LFT_P_STATIC void LFT_P(haar)(lft_v *link, const lft_v *normal)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 12; ++i) link[i] = normal[i];
    LFT_P(unit)(link);
}

LFT_P_STATIC void LFT_P(matrix_of)(const double *c, double *u) { lft_p_copy(u, c, 18 * sizeof *u); }
LFT_P_STATIC void LFT_P(numbers_of)(const double *u, double *c) { lft_p_copy(c, u, 18 * sizeof *c); }

/* Rows i and j of m times the quaternion a from the left: (a0 + i a3, a2 + i a1; -a2 + i a1, a0 - i a3). */
LFT_P_INLINE void LFT_P(turn_rows)(lft_v *m, int i, int j, const lft_v a[4])
{
    lft_v *p = m + LFT_P_RE(i, 0), *q = m + LFT_P_RE(j, 0);
    int    n;
    LFT_P_UNROLL for (n = 0; n < 6; n += 2)
    {
        const lft_v pr = p[n], pi = p[n + 1], qr = q[n], qi = q[n + 1];
        p[n]     = a[0] * pr - a[3] * pi + a[2] * qr - a[1] * qi;
        p[n + 1] = a[0] * pi + a[3] * pr + a[2] * qi + a[1] * qr;
        q[n]     = a[0] * qr + a[3] * qi - a[2] * pr - a[1] * pi;
        q[n + 1] = a[0] * qi - a[3] * qr - a[2] * pi + a[1] * pr;
    }
}

/* v with Re tr a m = 2 (a0 v0 - a v) + what does not depend on a, a quaternion in rows and columns i and j */
LFT_P_INLINE void LFT_P(subgroup)(const lft_v *m, int i, int j, lft_real half, lft_v v[4])
{
    v[0] = half * (m[LFT_P_RE(i, i)] + m[LFT_P_RE(j, j)]);
    v[1] = half * (m[LFT_P_IM(i, j)] + m[LFT_P_IM(j, i)]);
    v[2] = half * (m[LFT_P_RE(i, j)] - m[LFT_P_RE(j, i)]);
    v[3] = half * (m[LFT_P_IM(i, i)] - m[LFT_P_IM(j, j)]);
}

/* Cabibbo and Marinari (Phys. Lett. 119B (1982) 387): U becomes a U with a in one SU(2) after the other, m = U w follows. */
LFT_P_STATIC lft_m LFT_P(heat)(lft_v *link, const lft_w *w, lft_real k, lft_draw d, uint32_t place)
{
    static const int pair[3][2] = {{0, 1}, {0, 2}, {1, 2}};
    lft_m            bad        = LFT_P(int_splat)(0);
    lft_u            u, m;
    lft_v            v[4], x[4], a[4], alpha;
    int              n;
    LFT_P(get)(link, &u);
    LFT_P(product)(m.c, u.c, 0, w->c, 0);
    LFT_P_UNROLL for (n = 0; n < 3; ++n)
    {
        const int i = pair[n][0], j = pair[n][1];
        LFT_P(subgroup)(m.c, i, j, (lft_real)0.5 * k, v);
        alpha = 2 * LFT_P(direction)(v, v);
        bad |= LFT_P(quaternion)(d, 2 * (4 * place + (uint32_t)n), alpha, x);
        a[0] = x[0] * v[0] + x[1] * v[1] + x[2] * v[2] + x[3] * v[3]; /* x v^+ */
        a[1] = x[1] * v[0] - x[0] * v[1] + x[2] * v[3] - x[3] * v[2];
        a[2] = x[2] * v[0] - x[0] * v[2] + x[3] * v[1] - x[1] * v[3];
        a[3] = x[3] * v[0] - x[0] * v[3] + x[1] * v[2] - x[2] * v[1];
        LFT_P(turn_rows)(u.c, i, j, a);
        if (n < 2) LFT_P(turn_rows)(m.c, i, j, a);
    }
    LFT_P(put)(link, &u);
    return bad;
}

/* In each subgroup 1 becomes V^+ 1 V^+. */
LFT_P_STATIC void LFT_P(reflect)(lft_v *link, const lft_w *w)
{
    static const int pair[3][2] = {{0, 1}, {0, 2}, {1, 2}};
    lft_u            u, m;
    lft_v            v[4], a[4];
    int              n;
    LFT_P(get)(link, &u);
    LFT_P(product)(m.c, u.c, 0, w->c, 0);
    LFT_P_UNROLL for (n = 0; n < 3; ++n)
    {
        const int i = pair[n][0], j = pair[n][1];
        LFT_P(subgroup)(m.c, i, j, (lft_real)0.5, v);
        (void)LFT_P(direction)(v, v);
        a[0] = 2 * v[0] * v[0] - 1;
        a[1] = -2 * v[0] * v[1], a[2] = -2 * v[0] * v[2], a[3] = -2 * v[0] * v[3];
        LFT_P(turn_rows)(u.c, i, j, a);
        if (n < 2) LFT_P(turn_rows)(m.c, i, j, a);
    }
    LFT_P(put)(link, &u);
}

#endif /* LFT_P_CODE */
