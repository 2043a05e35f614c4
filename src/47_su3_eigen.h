/* 47_su3_eigen.h: eigenvalues and eigenvectors of links of SU(3).
 * Offers (private): eigen(u, x, phase): u = x diag(exp(i phase)) x^+, x in the group, phases in [-pi, pi], their sum a multiple
 * of 2 pi; to rounding for every matrix, coinciding eigenvalues or not. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_SWEEPS 7 /* convergence is quadratic */

static const lft_real LFT_P(negligible) = LFT_P_REAL_BYTES == 4 ? (lft_real)1e-15 : (lft_real)1e-33; /* squares of rounding */

/* The 2 x 2 block (p, q) of a normal matrix m is a + (v + i w) sigma with real v and w; where the whole matrix is nearly
 * diagonal they are nearly parallel. The rotation turns the axis n along which (n v)^2 + (n w)^2 is largest to the third one
 * (Cardoso and Souloumiac, SIAM J. Matrix Anal. Appl. 17 (1996) 161, for one matrix): m = r m' r^+, x = x r. */
LFT_P_INLINE void LFT_P(rotate)(lft_v *m, lft_v *x, int p, int q)
{
    const lft_real half = (lft_real)0.5;
    const int      pp = LFT_P_RE(p, p), pq = LFT_P_RE(p, q), qp = LFT_P_RE(q, p), qq = LFT_P_RE(q, q);
    const lft_v    one = lft_splat(1), zero = lft_splat(0);
    /* m_pq = v1 - i v2 + i (w1 - i w2), m_qp = v1 + i v2 + i (w1 + i w2) */
    lft_v v[3] = {half * (m[pq] + m[qp]), half * (m[qp + 1] - m[pq + 1]), half * (m[pp] - m[qq])};
    lft_v w[3] = {half * (m[pq + 1] + m[qp + 1]), half * (m[pq] - m[qp]), half * (m[pp + 1] - m[qq + 1])};
    lft_v vv = v[0] * v[0] + v[1] * v[1] + v[2] * v[2], ww = w[0] * w[0] + w[1] * w[1] + w[2] * w[2];
    lft_v vw = v[0] * w[0] + v[1] * w[1] + v[2] * w[2], size = vv + ww, scale, d, root, a, b, n[3], c, s_re, s_im, sign;
    lft_m same, first; /* a multiple of 1 to rounding: left alone */
    int   i;
    same  = LFT_P(lt)(size, lft_splat(LFT_P(negligible)));
    scale = 1 / lft_sel(same, one, size);
    vv *= scale, ww *= scale, vw *= scale;
    d     = half * (vv - ww);
    root  = LFT_P(sqrt)(d * d + vw * vw);
    first = LFT_P(lt)(zero, d);
    a     = lft_sel(first, d + root, vw), b = lft_sel(first, vw, root - d);
    a     = lft_sel(LFT_P(lt)(root, lft_splat(LFT_P(negligible))), one, a); /* every axis in their plane is as good */
    scale = LFT_P(sqrt)(scale);
    LFT_P_UNROLL for (i = 0; i < 3; ++i) n[i] = scale * (a * v[i] + b * w[i]);
    scale = 1 / LFT_P(sqrt)(lft_sel(same, one, n[0] * n[0] + n[1] * n[1] + n[2] * n[2]));
    sign  = lft_sel(LFT_P(lt)(n[2], zero), -scale, scale); /* to the nearer end of the axis: the smaller rotation */
    c     = lft_sel(same, one, LFT_P(sqrt)(half * (1 + sign * n[2])));
    s_re  = lft_sel(same, zero, half * sign * n[0] / c), s_im = lft_sel(same, zero, half * sign * n[1] / c);
    LFT_P_UNROLL for (i = 0; i < 3; ++i) /* columns: p' = c p + s q, q' = c q - conj(s) p */
    {
        lft_v *const to[2] = {m, x};
        int          k;
        LFT_P_UNROLL for (k = 0; k < 2; ++k)
        {
            lft_v *at = to[k] + LFT_P_RE(i, p), *bt = to[k] + LFT_P_RE(i, q);
            const lft_v ar = at[0], ai = at[1], br = bt[0], bi = bt[1];
            at[0] = c * ar + s_re * br - s_im * bi, at[1] = c * ai + s_re * bi + s_im * br;
            bt[0] = c * br - s_re * ar - s_im * ai, bt[1] = c * bi - s_re * ai + s_im * ar;
        }
    }
    LFT_P_UNROLL for (i = 0; i < 3; ++i) /* rows: p' = c p + conj(s) q, q' = c q - s p */
    {
        lft_v      *at = m + LFT_P_RE(p, i), *bt = m + LFT_P_RE(q, i);
        const lft_v ar = at[0], ai = at[1], br = bt[0], bi = bt[1];
        at[0] = c * ar + s_re * br + s_im * bi, at[1] = c * ai + s_re * bi - s_im * br;
        bt[0] = c * br - s_re * ar + s_im * ai, bt[1] = c * bi - s_re * ai - s_im * ar;
    }
}

/* Jacobi's rotations, a fixed number. */
LFT_P_STATIC void LFT_P(eigen)(const lft_u *u, lft_u *x, lft_v *phase)
{
    lft_u m = *u;
    int   i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) x->c[i] = lft_splat(i % 8 ? 0 : 1);
    for (i = 0; i < LFT_P_SWEEPS; ++i) {
        LFT_P(rotate)(m.c, x->c, 0, 1);
        LFT_P(rotate)(m.c, x->c, 0, 2);
        LFT_P(rotate)(m.c, x->c, 1, 2);
    }
    LFT_P_UNROLL for (i = 0; i < 3; ++i) phase[i] = LFT_P(atan2)(m.c[LFT_P_IM(i, i)], m.c[LFT_P_RE(i, i)]);
}

#undef LFT_P_SWEEPS

#endif /* LFT_P_CODE */
