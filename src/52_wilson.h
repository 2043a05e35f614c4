/* 52_wilson.h: gauge fields with plaquettes and rectangles: Wilson's action and its improvements.
 * Offers: LFT_(wilson_init)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* S = -(beta / N) sum_x sum_{mu < nu} { c0 Re tr P_mu,nu(x) + c1 Re tr [ R_2mu,nu(x) + R_mu,2nu(x) ] },   c0 = 1 - 8 c1,
 * with plaquettes P and 1 x 2 rectangles R; N = 1 and Re tr P = cos of the plaquette's angle for U(1). S = 0 at beta = 0;
 * beta is 2N / g^2 for SU(N), 1 / g^2 for U(1).
 *   c1 = 0       Wilson
 *   c1 = -1/12   Symanzik, tree level (Luescher and Weisz, Commun. Math. Phys. 97 (1985) 59)
 *   c1 = -0.331  Iwasaki (UTHEP-118)
 * Couplings: beta, c1. LFT_ERR_ARG if one is not finite. */
LFT_API lft_status LFT_(wilson_init)(LFT_(theory) *theory, double beta, double c1, lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* Each plaquette and rectangle is multiplied once and pushes all of its links. */
LFT_P_STATIC void LFT_P(wilson_action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *links_,
                                       double *S, lft_real *dS_)
{
    const lft_v      *links = LFT_P(const_view)(links_);
    lft_v            *dS    = dS_ ? LFT_P(view)(dS_) : NULL;
    const LFT_P(walk) walk  = LFT_P(walk_of)(lattice);
    const double      beta = theory->coupling[0] / LFT_P_COLOURS, c1 = theory->coupling[1];
    const lft_real    one = (lft_real)(-beta * (1 - 8 * c1)), two = (lft_real)(-beta * c1);
    const int         improved = c1 < 0 || c1 > 0;
    LFT_P(place)      p        = LFT_P(first_place)();
    int               x, l, mu, nu;
    for (l = 0; l < LFT_P_LANES; ++l) S[l] = 0;
    if (dS) LFT_P(set_zero)(dS, lattice->volume * LFT_P_FORCES);
    for (x = 0; x < lattice->volume; ++x, LFT_P(next_place)(lattice, &p)) {
        lft_v sum = lft_splat(0);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu) {
                sum += one * LFT_P(rectangle)(&walk, links, p, mu, 1, nu, 1, one, dS);
                if (!improved) continue;
                sum += two * LFT_P(rectangle)(&walk, links, p, mu, 2, nu, 1, two, dS);
                sum += two * LFT_P(rectangle)(&walk, links, p, mu, 1, nu, 2, two, dS);
            }
        }
        LFT_P(add_wide)(S, sum);
    }
}

LFT_API lft_status LFT_(wilson_init)(LFT_(theory) *theory, double beta, double c1, lft_error *error)
{
    static const char *const names[] = {"beta", "c1"};
    if (!lft_finite(beta)) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson", "beta", "a finite number", beta);
    if (!lft_finite(c1)) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson", "c1", "a finite number", c1);
    lft_p_zero(theory, sizeof *theory);
    theory->name          = "wilson";
    theory->couplings     = 2;
    theory->coupling_name = names;
    theory->coupling[0]   = beta;
    theory->coupling[1]   = c1;
    theory->action        = LFT_P(wilson_action);
    return LFT_OK;
}

#endif /* LFT_P_CODE */
