/* 47_characters.h: what is known exactly of exp(beta / N Re tr U), and how to draw from it. An instance of a gauge group has one
 * of the rooms 48; all of them offer (private) the same words:
 *
 *   exp(beta / N Re tr U) = sum_r d_r lambda_r chi_r(U),   u_r = lambda_r / lambda_0,
 *   kappa_k(U) = sum_r d_r u_r^k chi_r(U),   int dU kappa_k(U) = 1,   int dU kappa_a(A U) kappa_b(U^+ B) = kappa_a+b(A B):
 * the weight of k plaquettes of two dimensions in one (A. A. Migdal, Sov. Phys. JETP 42 (1975) 413), as a density.
 *
 *   characters_init(c, beta, arena)           the u_r, to rounding of the largest; nothing of it is used after kernel_init
 *   characters_sum(c, k)                      sum_r u_r^k
 *   kernel_init(k, c, area, draws, arena)     kappa of that area; with what drawing from it takes, if it will be drawn from
 *   kernel_value(k, re, im, value)            value[lane] = kappa of a matrix with the trace re + i im (SU(2): re alone)
 *   split(small, large, d, pair, p, w)        w with the density kappa_small(w) kappa_large(w^+ p) / kappa_sum(p); the areas
 *                                             do not decrease. Random numbers: pair ... pair + 7 of d. 1: p is not finite, or
 *                                             2^20 attempts failed
 *
 * kappa_1 is an exponential, the others are sums: their rounding error is one of kappa(1), so that of log kappa(U) grows to
 * kappa(1) / kappa(U) roundings: rarely, as kappa is the density. `least` is about the smallest kappa there is. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(characters) {
    double  beta;
    double  log_first; /* log lambda_0 */
    int     count;     /* of u, as the room numbers them */
    double *u;
} LFT_P(characters);

typedef struct LFT_P(kernel) {
    int         area, terms;
    double     *c;               /* the coefficients of the sum */
    double      slope, constant; /* log kappa_1 = slope Re tr + constant */
    double      most, least;     /* kappa(1), and the smallest value met */
    lft_p_alias table;           /* cells of the classes with a bound of the density on each */
    lft_p_alias *ladder;         /* SU(3): those of exp(x Re tr) for a ladder of x; NULL for other groups */
} LFT_P(kernel);

/* A link with the invariant measure from LFT_P_HAAR uniform numbers. */
LFT_P_STATIC void LFT_P(haar_from)(double (*u)[LFT_P_LANES], lft_v *link)
{
    lft_v normal[LFT_P_HAAR];
    int   i, l;
    for (i = 0; i < LFT_P_HAAR; i += 2) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double r = lft_p_f64_p_sqrt(-2.0 * lft_p_f64_p_log(u[i][l]));
            double       s, c;
            lft_p_f64_p_sincos(6.283185307179586477 * u[i + 1][l], &s, &c);
            u[i][l] = r * c, u[i + 1][l] = r * s;
        }
        normal[i] = LFT_P(from_wide)(u[i]), normal[i + 1] = LFT_P(from_wide)(u[i + 1]);
    }
    LFT_P(haar)(link, normal);
}

LFT_P_INLINE void LFT_P(to_wide)(double *to, lft_v x)
{
    int l;
    for (l = 0; l < LFT_P_LANES; ++l) to[l] = 0;
    LFT_P(add_wide)(to, x);
}

/* The trace of a product of links, in double. */
LFT_P_STATIC void LFT_P(wide_trace)(const lft_u *u, double *re, double *im)
{
    lft_w w;
    lft_v x, y;
    LFT_P(sum_of)(u->c, &w);
    LFT_P(sum_traces)(&w, &x, &y);
    LFT_P(to_wide)(re, x);
    LFT_P(to_wide)(im, y);
}

/* exp(slope Re tr + constant) */
LFT_P_STATIC void LFT_P(kernel_one)(const LFT_P(kernel) *k, const double *re, double *value)
{
    int l;
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = lft_p_f64_p_exp(k->slope * re[l] + k->constant);
}

LFT_P_STATIC void LFT_P(kernel_start)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area)
{
    lft_p_zero(k, sizeof *k);
    k->area     = area;
    k->slope    = c->beta / LFT_P_COLOURS;
    k->constant = -c->log_first;
}

#endif /* LFT_P_CODE */
