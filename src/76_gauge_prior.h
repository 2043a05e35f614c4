/* 76_gauge_prior.h: what a flow of links starts from: the invariant measure, or a heat bath. Offers what 64_prior.h says.
 * Densities of links are by the invariant measure, normalised to 1: the log q of Haar links is 0, and so is its gradient. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(prior) {
    lft_prior_kind kind;
    LFT_(lattice)  lattice;
    LFT_(theory)   theory; /* of the heat bath */
    int            updates;
    double         logz; /* that log q has: 0 beyond two dimensions */
} LFT_P(prior);

LFT_P_STATIC lft_status LFT_P(prior_check)(const LFT_(prior_desc) *d, lft_status code, const char *where, const char *what,
                                           lft_error *error)
{
    if (d->kind == LFT_PRIOR_HAAR) return LFT_OK;
    if (d->kind != LFT_PRIOR_HEATBATH) {
        return lft_p_fail_got(error, code, where, what, "3 (Haar) or 4 (heat bath), a prior of gauge groups", (int)d->kind);
    }
    if (!lft_finite(d->beta) || d->beta < 0 || d->beta > 100) {
        return lft_p_fail_got(error, code, where, what, "beta of the heat bath from 0 to 100", d->beta);
    }
    if (d->updates < 1 || d->updates > 65535) {
        return lft_p_fail_got(error, code, where, what, "1 to 65535 updates of the heat bath", d->updates);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(prior_init)(LFT_P(prior) *p, const LFT_(prior_desc) *desc, const LFT_(lattice) *lattice,
                                          lft_parameters *set, lft_arena *arena, lft_error *error)
{
    LFT_(prior_desc)  d = *desc;
    LFT_P(characters) c;
    lft_status        status;
    int               mu;
    (void)set;
    if (!d.kind) d.kind = LFT_PRIOR_HAAR;
    if (!d.updates) d.updates = 50;
    p->kind    = d.kind;
    p->lattice = *lattice;
    p->updates = d.updates;
    p->logz    = 0;
    status     = LFT_P(prior_check)(&d, LFT_ERR_ARG, "flow", "prior", error);
    if (status || d.kind != LFT_PRIOR_HEATBATH) return status;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (lattice->extent[mu] > 1) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, "flow", "prior", "extents of at least 2 for a heat bath", lattice->extent[mu]);
    }
    if (LFT_DIM == 2) {
        lft_p_zero(&c, sizeof c);
        LFT_P(characters_init)(&c, d.beta, arena);
        if (c.u) p->logz = LFT_P(torus_logz)(&c, lattice->volume);
    }
    return LFT_(wilson_init)(&p->theory, d.beta, 0, error);
}

/* kind, 0; or kind, beta, updates */
LFT_P_STATIC int LFT_P(prior_spec)(const LFT_P(prior) *p, double *number)
{
    const int bath = p->kind == LFT_PRIOR_HEATBATH;
    number[0] = (double)(int)p->kind, number[1] = bath ? p->theory.coupling[0] : 0, number[2] = p->updates;
    return bath ? 3 : 2;
}

LFT_P_STATIC lft_status LFT_P(prior_read)(LFT_(prior_desc) *d, const double *number, int n, lft_status code, const char *where,
                                          const char *what, lft_error *error)
{
    int i, whole[3] = {0, 0, 0};
    for (i = 0; i < n; i += 2) whole[i] = number[i] >= 1 && number[i] < 65536 ? (int)number[i] : 0;
    lft_p_zero(d, sizeof *d);
    d->kind = (lft_prior_kind)whole[0], d->beta = number[1], d->updates = whole[2];
    return LFT_P(prior_check)(d, code, where, what, error);
}

LFT_P_STATIC int LFT_P(prior_is)(const LFT_P(prior) *p, const LFT_(prior_desc) *d)
{
    if (p->kind != d->kind || p->kind == LFT_PRIOR_HAAR) return p->kind == d->kind;
    return !(p->theory.coupling[0] < d->beta || p->theory.coupling[0] > d->beta) && p->updates == d->updates;
}

LFT_P_STATIC int LFT_P(prior_normalised)(const LFT_P(prior) *p)
{
    return p->kind == LFT_PRIOR_HAAR || LFT_DIM == 2;
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

LFT_P_STATIC void LFT_P(prior_logq)(const LFT_P(prior) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    const int n = p->lattice.volume * LFT_P_FORCES;
    int       i, l;
    (void)scratch;
    if (p->kind == LFT_PRIOR_HAAR) {
        for (l = 0; l < LFT_P_LANES; ++l) logq[l] = 0;
        if (score) LFT_P(set_zero)(score, n);
        return;
    }
    p->theory.action(&p->theory, &p->lattice, (const lft_real *)z, logq, (lft_real *)score);
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = -logq[l] - p->logz;
    for (i = 0; score && i < n; ++i) score[i] = -score[i];
}

/* Link i of a sample has the draw number d.draw + i. */
LFT_P_STATIC void LFT_P(prior_draw)(const LFT_P(prior) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(&p->lattice);
    int               i;
    LFT_P(group_haar)(d, &p->lattice, z);
    for (i = 0; i < p->updates && p->kind == LFT_PRIOR_HEATBATH; ++i) {
        const lft_draw own = lft_draw_of(d.seed, LFT_DRAW_THERMALISE, d.sample, (d.purpose & 0xff) << 16 | (uint32_t)i);
        (void)LFT_P(heat_update)(&walk, z, (lft_real)(p->theory.coupling[0] / LFT_P_COLOURS), 2, &own); /* all is finite here */
    }
    LFT_P(prior_logq)(p, z, logq, NULL, scratch);
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
