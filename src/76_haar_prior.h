/* 76_haar_prior.h: the invariant measure that a flow of links starts from. Offers what 64_prior.h says.
 * Densities of links are by the invariant measure, normalised to 1: log q(z) = 0, and so is its gradient. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(prior) {
    lft_prior_kind kind;
    LFT_(lattice)  lattice;
} LFT_P(prior);

LFT_P_STATIC lft_status LFT_P(prior_check)(double kind, lft_status code, const char *where, const char *what, lft_error *error)
{
    if (kind == (double)(int)LFT_PRIOR_HAAR) return LFT_OK;
    return lft_p_fail_got(error, code, where, what, "3 (Haar), the prior of gauge groups", kind);
}

LFT_P_STATIC lft_status LFT_P(prior_init)(LFT_P(prior) *p, lft_prior_kind kind, double mass2, const int *target,
                                          const LFT_(lattice) *lattice, lft_parameters *set, lft_arena *arena, lft_error *error)
{
    (void)mass2, (void)target, (void)set, (void)arena;
    p->kind    = kind ? kind : LFT_PRIOR_HAAR;
    p->lattice = *lattice;
    return LFT_P(prior_check)((double)(int)p->kind, LFT_ERR_ARG, "flow", "prior", error);
}

LFT_P_STATIC void LFT_P(prior_spec)(const LFT_P(prior) *p, double *number)
{
    number[0] = (double)(int)p->kind, number[1] = 0;
}

LFT_P_STATIC void LFT_P(prior_start)(const LFT_P(prior) *p, double *theta)
{
    (void)p, (void)theta;
}

LFT_P_STATIC void LFT_P(prior_transfer)(const LFT_P(prior) *p, double *theta, const LFT_P(prior) *from, const double *source)
{
    (void)p, (void)theta, (void)from, (void)source;
}

LFT_P_STATIC void LFT_P(prior_prepare)(LFT_P(prior) *p, const double *theta)
{
    (void)p, (void)theta;
}

LFT_P_STATIC size_t LFT_P(prior_scratch)(const LFT_P(prior) *p)
{
    (void)p;
    return 0;
}

/* Link i of a sample has the draw number d.draw + i. */
LFT_P_STATIC void LFT_P(prior_draw)(const LFT_P(prior) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    int l;
    (void)scratch;
    LFT_P(group_haar)(d, &p->lattice, z);
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = 0;
}

LFT_P_STATIC void LFT_P(prior_logq)(const LFT_P(prior) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    int l;
    (void)z, (void)scratch;
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = 0;
    if (score) LFT_P(set_zero)(score, p->lattice.volume * LFT_P_FORCES);
}

LFT_P_STATIC size_t LFT_P(prior_gradient_count)(const LFT_P(prior) *p)
{
    (void)p;
    return 0;
}

LFT_P_STATIC void LFT_P(prior_backward)(const LFT_P(prior) *p, const lft_v *z, const lft_v *dz, const double *dlogq,
                                        double *gradient, lft_arena scratch)
{
    (void)p, (void)z, (void)dz, (void)dlogq, (void)gradient, (void)scratch;
}

LFT_P_STATIC void LFT_P(prior_scale)(const LFT_P(prior) *p, lft_v *x, int transposed, lft_arena scratch)
{
    (void)p, (void)x, (void)transposed, (void)scratch;
}

#endif /* LFT_P_CODE */
