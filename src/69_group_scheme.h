/* 69_group_scheme.h: Runge-Kutta methods on a group: states are moved by exponentials of what the stages give.
 * Offers: lft_group_integrator. Private: LFT_P(group_scheme), LFT_P(group_scheme_of)(), LFT_P(group_exponent)(),
 * LFT_P(exp_transposed)(); LFT_P_STAGES, LFT_P_MOVES. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_GROUP_INTEGRATOR
#define LFT_P_GROUP_INTEGRATOR
typedef enum lft_group_integrator {
    LFT_LUESCHER_RK3 = 1,  /* third order, 3 stages, 3 exponentials (1006.4518, appendix C) */
    LFT_CROUCH_GROSSMAN_2, /* second order, 2 stages: the midpoint */
    LFT_CROUCH_GROSSMAN_3, /* third order, 3 stages, 6 exponentials (J. Nonlinear Sci. 3 (1993) 1) */
    LFT_COMMUTATOR_FREE_4  /* fourth order, 4 stages, 5 exponentials (Celledoni, Marthinsen and Owren,
                              Future Gener. Comput. Syst. 19 (2003) 341); the default */
} lft_group_integrator;
#endif

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_STAGES 4
#define LFT_P_MOVES  6

/* State 0 is the start of a step, state m = exp(h sum_k a[m - 1][k] K_k) state from[m - 1], K_k = Z(state at[k], t + c[k] h); the
 * last state is the end, and the integral of a function gets h sum_k b[k] times its values at the stages. */
typedef struct LFT_P(group_scheme) {
    int    moves, stages, from[LFT_P_MOVES], at[LFT_P_STAGES];
    double a[LFT_P_MOVES][LFT_P_STAGES], b[LFT_P_STAGES], c[LFT_P_STAGES];
} LFT_P(group_scheme);

LFT_P_STATIC const LFT_P(group_scheme) *LFT_P(group_scheme_of)(lft_group_integrator integrator)
{
    static const LFT_P(group_scheme) table[4] = {
        {3, 3, {0, 1, 2}, {0, 1, 2},
         {{1.0 / 4}, {-17.0 / 36, 8.0 / 9}, {17.0 / 36, -8.0 / 9, 3.0 / 4}}, {1.0 / 4, 0, 3.0 / 4}, {0, 1.0 / 4, 2.0 / 3}},
        {2, 2, {0, 0}, {0, 1}, {{1.0 / 2}, {0, 1}}, {0, 1}, {0, 1.0 / 2}},
        {6, 3, {0, 0, 2, 0, 4, 5}, {0, 1, 3},
         {{3.0 / 4}, {119.0 / 216}, {0, 17.0 / 108}, {13.0 / 51}, {0, -2.0 / 3}, {0, 0, 24.0 / 17}},
         {13.0 / 51, -2.0 / 3, 24.0 / 17}, {0, 3.0 / 4, 17.0 / 24}},
        {5, 4, {0, 0, 1, 0, 4}, {0, 1, 2, 3},
         {{1.0 / 2}, {0, 1.0 / 2}, {-1.0 / 2, 0, 1}, {1.0 / 4, 1.0 / 6, 1.0 / 6, -1.0 / 12},
          {-1.0 / 12, 1.0 / 6, 1.0 / 6, 1.0 / 4}},
         {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, {0, 1.0 / 2, 1.0 / 2, 1}}};
    return table + (integrator - LFT_LUESCHER_RK3);
}

/* X = h sum_k a_k K_k of one link. */
LFT_P_INLINE void LFT_P(group_exponent)(const double *a, int stages, double h, lft_v *const *K, int link, lft_z *X)
{
    int k, i;
    for (i = 0; i < LFT_P_ALGEBRA; ++i) X->c[i] = lft_splat(0);
    for (k = 0; k < stages; ++k) {
        const lft_real x = (lft_real)(h * a[k]);
        if (!(a[k] < 0 || a[k] > 0)) continue;
        for (i = 0; i < LFT_P_ALGEBRA; ++i) X->c[i] += x * K[k][link * LFT_P_ALGEBRA + i];
    }
}

/* v becomes the transposed differential of the exponential, sum_n (-ad X)^n v / (n + 1)!: of state = exp(X) from at fixed from,
 * from the derivative by the state that by X. */
LFT_P_STATIC void LFT_P(exp_transposed)(const lft_z *X, lft_z *v)
{
    lft_z term = *v;
    lft_m left;
    int   n, i;
    for (n = 2; n < 60; ++n) {
        LFT_P(bracket)(&term, &term, X); /* -[X, term] */
        left = LFT_P(int_splat)(0);
        for (i = 0; i < LFT_P_ALGEBRA; ++i) {
            const lft_v before = v->c[i];
            term.c[i] *= 1 / (lft_real)n;
            v->c[i] += term.c[i];
            left |= ~LFT_P(eq)(v->c[i], before);
        }
        if (!LFT_P(any)(left)) return;
    }
}

#endif /* LFT_P_CODE */
