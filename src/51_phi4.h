/* 51_phi4.h: the scalar phi^4 theory.
 * Offers: LFT_(phi4_init)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* S = sum_x [ sum_mu (phi(x+mu) - phi(x))^2 + m2 phi(x)^2 + lambda phi(x)^4 ]      (2110.02673 eq. 2; no factors 1/2)
 * From other conventions: 1/2 (d phi)^2 + 1/2 M^2 phi^2 + g/24 phi^4 is phi = phi_other/sqrt 2, m2 = M^2, lambda = g/6.
 * Couplings: m2, lambda. LFT_ERR_ARG if one is not finite or if the action has no lower bound: lambda < 0, or lambda = 0
 * with m2 <= 0. */
LFT_API lft_status LFT_(phi4_init)(LFT_(theory) *theory, double m2, double lambda, lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* With n(x) the sum of the 2d neighbours: S = sum phi [(2d + m2) phi + lambda phi^3 - n],
 * dS/dphi = 2 [(2d + m2) phi + 2 lambda phi^3 - n]. Each link enters S twice, once from either end. */
static inline void LFT_P(phi4_action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *phi_,
                                      double *S, lft_real *dS_)
{
    const lft_v   *phi    = LFT_P(const_view)(phi_);
    lft_v         *dS     = dS_ ? LFT_P(view)(dS_) : NULL;
    const int      length = LFT_P(row_length)(lattice), rows = lattice->volume / length;
    const lft_real mass   = (lft_real)(2 * LFT_DIM + theory->coupling[0]), lambda = (lft_real)theory->coupling[1];
    int            up[LFT_DIM], down[LFT_DIM], row, x, mu;
    for (x = 0; x < LFT_P_LANES; ++x) S[x] = 0;
    for (row = 0; row < rows; ++row) {
        const lft_v *here = phi + row * length;
        lft_v        sum  = lft_splat(0);
        LFT_P(neighbour_rows)(lattice, row, up, down);
        for (x = 0; x < length; ++x) {
            lft_v p = here[x], n = here[x + 1 < length ? x + 1 : 0] + here[x > 0 ? x - 1 : length - 1];
            lft_v linear, cubic;
            for (mu = 0; mu < LFT_DIM - 1; ++mu) n += phi[up[mu] + x] + phi[down[mu] + x];
            linear = mass * p - n;
            cubic  = lambda * p * p * p;
            sum += p * (linear + cubic);
            if (dS) dS[row * length + x] = 2 * (linear + 2 * cubic);
        }
        LFT_P(add_wide)(S, sum);
    }
}

LFT_API lft_status LFT_(phi4_init)(LFT_(theory) *theory, double m2, double lambda, lft_error *error)
{
    static const char *const names[] = {"m2", "lambda"};
    if (!lft_finite(m2)) return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "m2", "a finite number", m2);
    if (!lft_finite(lambda)) return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "lambda", "a finite number", lambda);
    if (lambda < 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "lambda (the action has no lower bound)", ">= 0", lambda);
    }
    if (lambda <= 0 && m2 <= 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "m2 (no lower bound at lambda = 0)", "> 0", m2);
    }
    lft_p_zero(theory, sizeof *theory);
    theory->name          = "phi4";
    theory->couplings     = 2;
    theory->coupling_name = names;
    theory->coupling[0]   = m2;
    theory->coupling[1]   = lambda;
    theory->action        = LFT_P(phi4_action);
    return LFT_OK;
}

#endif /* LFT_P_CODE */
