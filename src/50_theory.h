/* 50_theory.h: what a theory is: an action, its gradient and its couplings.
 * Offers: LFT_(theory), LFT_(action)(), LFT_(force)(). The theories themselves are the rooms 51 and on; a user's own is
 * the same table. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

typedef struct LFT_(theory) LFT_(theory);
struct LFT_(theory) {
    const char        *name; /* e.g. "phi4" */
    int                couplings;
    const char *const *coupling_name; /* [couplings] */
    double             coupling[LFT_MAX_COUPLINGS];
    void              *user; /* for a user's own action */
    /* S[lane] of the LFT_(lanes)() configurations of one group, in the order of a batch, summed in double in a fixed order; and
     * the gradient where dS is not NULL: dS/dphi[site][lane], of links d^a S[site][mu][a][lane], d^a f(U) =
     * d/ds f(exp(s T^a) U) with tr T^a T^b = -1/2 delta^ab (U(1): d/d angle). phi and dS do not overlap. */
    void (*action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *phi, double *S, lft_real *dS);
};

/* S[i] of every configuration of a batch. O(n volume). */
LFT_API void LFT_(action)(const LFT_(theory) *theory, const LFT_(batch) *phi, double *S);

/* The molecular-dynamics force -dS of every configuration; force: as many momenta of the same lattice. */
LFT_API void LFT_(force)(const LFT_(theory) *theory, const LFT_(batch) *phi, LFT_(batch) *force);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_API void LFT_(action)(const LFT_(theory) *theory, const LFT_(batch) *phi, double *S)
{
    double s[LFT_P_LANES];
    int    g, l;
    for (g = 0; g < phi->groups; ++g) {
        theory->action(theory, &phi->lattice, LFT_P(group)(phi, g), s, NULL);
        for (l = 0; l < LFT_P_LANES && g * LFT_P_LANES + l < phi->n; ++l) S[g * LFT_P_LANES + l] = s[l];
    }
}

LFT_API void LFT_(force)(const LFT_(theory) *theory, const LFT_(batch) *phi, LFT_(batch) *force)
{
    double s[LFT_P_LANES];
    size_t i, n = LFT_P(group_reals)(force);
    int    g;
    for (g = 0; g < phi->groups; ++g) {
        lft_real *f = LFT_P(group)(force, g);
        theory->action(theory, &phi->lattice, LFT_P(group)(phi, g), s, f);
        for (i = 0; i < n; ++i) f[i] = -f[i];
    }
}

#endif /* LFT_P_CODE */
