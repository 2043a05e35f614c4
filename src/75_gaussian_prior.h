/* 75_gaussian_prior.h: the Gaussian that a flow of scalar fields starts from. Offers what 64_prior.h says.
 * The field of 64_gaussian.h, sigma learnable and at first the free field's, or 1. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(prior) {
    lft_prior_kind  kind;
    double          mass2; /* of the free field at the start */
    int             target[LFT_DIM]; /* of which the lattice is a part */
    LFT_P(gaussian) field;
    size_t          params; /* offset of log sigma [orbits] */
} LFT_P(prior);

LFT_P_STATIC lft_status LFT_P(prior_check)(double kind, lft_status code, const char *where, const char *what, lft_error *error)
{
    if (kind == (double)(int)LFT_PRIOR_FREE || kind == (double)(int)LFT_PRIOR_NORMAL) return LFT_OK;
    return lft_p_fail_got(error, code, where, what, "1 (free) or 2 (normal)", kind);
}

LFT_P_STATIC lft_status LFT_P(prior_init)(LFT_P(prior) *p, const LFT_(prior_desc) *desc, const LFT_(lattice) *lattice,
                                          lft_parameters *set, lft_arena *arena, lft_error *error)
{
    lft_status status;
    p->kind = desc->kind ? desc->kind : LFT_PRIOR_FREE;
    if (LFT_P(prior_check)((double)(int)p->kind, LFT_ERR_ARG, "flow", "prior", error)) return LFT_ERR_ARG;
    status   = LFT_P(free_target)(p->target, desc->target, lattice->extent, "flow", error);
    p->mass2 = LFT_P(free_mass2)(desc->mass2, p->target);
    if (status) return status;
    LFT_P(gaussian_init)(&p->field, lattice, -1, p->kind == LFT_PRIOR_NORMAL, arena);
    p->params = set->count;
    if (p->kind == LFT_PRIOR_FREE) lft_declare(set, "prior", "log_sigma", 1, p->field.spectrum.orbits, 0, 0, 0);
    return LFT_OK;
}

/* kind, mass2 */
LFT_P_STATIC int LFT_P(prior_spec)(const LFT_P(prior) *p, double *number)
{
    number[0] = (double)(int)p->kind, number[1] = p->mass2;
    return 2;
}

LFT_P_STATIC lft_status LFT_P(prior_read)(LFT_(prior_desc) *d, const double *number, int n, lft_status code, const char *where,
                                          const char *what, lft_error *error)
{
    (void)n;
    lft_p_zero(d, sizeof *d);
    if (LFT_P(prior_check)(number[0], code, where, what, error)) return code;
    d->kind = (lft_prior_kind)(int)number[0], d->mass2 = number[1];
    return LFT_OK;
}

LFT_P_STATIC int LFT_P(prior_is)(const LFT_P(prior) *p, const LFT_(prior_desc) *d) { return p->kind == d->kind; }

LFT_P_STATIC int LFT_P(prior_normalised)(const LFT_P(prior) *p)
{
    (void)p;
    return 1;
}

LFT_P_STATIC void LFT_P(prior_start)(const LFT_P(prior) *p, double *theta)
{
    const LFT_P(spectrum) *s = &p->field.spectrum;
    double                 k[LFT_DIM];
    int                    i;
    for (i = 0; !p->field.white && i < s->count; ++i) {
        LFT_P(gaussian_momentum)(s, i, k);
        theta[p->params + (size_t)s->orbit[i]] =
            0.5 * lft_p_f64_p_log(LFT_P(free_variance)(s->lattice.extent, p->target, p->mass2, k));
    }
}

LFT_P_STATIC void LFT_P(prior_transfer)(const LFT_P(prior) *p, double *theta, const LFT_P(prior) *from, const double *source)
{
    LFT_P(gaussian_transfer)(&p->field, theta + p->params, &from->field, source + from->params);
}

LFT_P_STATIC void LFT_P(prior_prepare)(LFT_P(prior) *p, const double *theta)
{
    LFT_P(gaussian_prepare)(&p->field, theta + p->params);
}

LFT_P_STATIC size_t LFT_P(prior_scratch)(const LFT_P(prior) *p) { return LFT_P(gaussian_scratch)(&p->field); }

LFT_P_STATIC void LFT_P(prior_scale)(const LFT_P(prior) *p, lft_v *x, int transposed, lft_arena scratch)
{
    LFT_P(gaussian_scale)(&p->field, x, transposed, scratch);
}

LFT_P_STATIC void LFT_P(prior_draw)(const LFT_P(prior) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    LFT_P(gaussian_draw)(&p->field, d, z, logq, scratch);
}

LFT_P_STATIC void LFT_P(prior_logq)(const LFT_P(prior) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    LFT_P(gaussian_logq)(&p->field, z, logq, score, scratch);
}

LFT_P_STATIC size_t LFT_P(prior_gradient_count)(const LFT_P(prior) *p)
{
    return p->field.white ? 0 : (size_t)p->field.spectrum.orbits;
}

LFT_P_STATIC void LFT_P(prior_backward)(const LFT_P(prior) *p, const lft_v *z, const lft_v *dz, const double *dlogq,
                                        double *gradient, lft_arena scratch)
{
    LFT_P(gaussian_backward)(&p->field, z, dz, dlogq, gradient + p->params, scratch);
}

#endif /* LFT_P_CODE */
