/* 44_wilson_flow.h: the Wilson flow, which smooths gauge fields.
 * Offers: LFT_(wilson_flow)(), LFT_(wilson_flow_bytes)(); private: LFT_P(flow_step)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Flows every configuration of the batch, in place, by the time step * steps:
 *   dV/dt = Z(V) V,  Z = -g0^2 T^a d^a S_W
 * with S_W the plain plaquette action of coupling g0, whatever the theory is: of links, Z^a = 2 sum over the plaquettes P through the
 * link of d^a Re tr P for SU(N), and the sum of d cos(theta_P)/d theta for U(1). For smooth fields both are dA/dt = D_nu F_nu,mu:
 * time is in units of a^2, and the smoothing radius is sqrt(2 LFT_DIM t).
 * Each step is a Runge-Kutta step of third order on the group, W1 = exp(Z0/4) V, W2 = exp(8/9 Z1 - 17/36 Z0) W1,
 * V' = exp(3/4 Z2 - 8/9 Z1 + 17/36 Z0) W2, the Z times step. Stable up to a step of about 0.15 in four dimensions.
 * A negative step flows back, which magnifies rounding errors.
 * Scratch: wilson_flow_bytes(). LFT_ERR_ARG: steps < 0, or a step that is not finite; LFT_ERR_NOMEM; LFT_ERR_NONFINITE: a link is not
 * finite at the end. Text in *error (may be NULL). O(n steps volume). Source: M. Luescher, arXiv:1006.4518, appendix C. */
LFT_API lft_status LFT_(wilson_flow)(LFT_(batch) *x, double step, int steps, lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(wilson_flow_bytes)(const LFT_(lattice) *lattice);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* Z = b Z + x times the gradient of the sum of Re tr P over all plaquettes */
LFT_P_STATIC void LFT_P(flow_force)(const LFT_P(walk) *walk, const lft_v *links, lft_real b, lft_real x, lft_v *Z)
{
    const int    n = walk->lattice->volume * LFT_P_FORCES;
    LFT_P(place) p = LFT_P(first_place)();
    int          i, mu, nu;
    for (i = 0; i < n; ++i) Z[i] *= b;
    for (i = 0; i < walk->lattice->volume; ++i, LFT_P(next_place)(walk->lattice, &p)) {
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu) (void)LFT_P(rectangle)(walk, links, p, mu, 1, nu, 1, x, Z);
        }
    }
}

/* One step of one group. With Y the exponent of a stage that of the next is
 *   Z0 / 4,   8/9 Z1 - 17/9 Y,   3/4 Z2 - Y
 * so that one set of algebra elements, scratch, holds all of it. */
LFT_P_STATIC void LFT_P(flow_step)(const LFT_P(walk) *walk, lft_v *links, double step, lft_v *Y)
{
    static const double a[3] = {1.0 / 4, 8.0 / 9, 3.0 / 4}, b[3] = {0, -17.0 / 9, -1};
    const int           n = walk->lattice->volume * LFT_DIM;
    int                 stage, i;
    LFT_P(set_zero)(Y, walk->lattice->volume * LFT_P_FORCES);
    for (stage = 0; stage < 3; ++stage) {
        LFT_P(flow_force)(walk, links, (lft_real)b[stage], (lft_real)(LFT_P_METRIC * step * a[stage]), Y);
        for (i = 0; i < n; ++i) LFT_P(move)(links + i * LFT_P_LINK, Y + i * LFT_P_ALGEBRA, 1);
    }
    for (i = 0; i < n; ++i) LFT_P(unit)(links + i * LFT_P_LINK);
}

LFT_API size_t LFT_(wilson_flow_bytes)(const LFT_(lattice) *lattice)
{
    lft_arena measure = lft_arena_measure();
    (void)LFT_P(vectors)(&measure, (size_t)lattice->volume * LFT_P_FORCES);
    return measure.need;
}

LFT_API lft_status LFT_(wilson_flow)(LFT_(batch) *x, double step, int steps, lft_arena scratch, lft_error *error)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(&x->lattice);
    lft_v            *Y    = LFT_P(vectors)(&scratch, (size_t)x->lattice.volume * LFT_P_FORCES);
    lft_status        status;
    int               group, i;
    if (!lft_finite(step)) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson_flow", "step", "a finite number", step);
    if (steps < 0) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson_flow", "steps", "an integer >= 0", steps);
    status = lft_arena_check(&scratch, error, "wilson_flow");
    if (status) return status;
    for (group = 0; group < x->groups; ++group) {
        lft_v *links = LFT_P(view)(LFT_P(group)(x, group));
        for (i = 0; i < steps; ++i) LFT_P(flow_step)(&walk, links, step, Y);
        if (!status && LFT_P(any_nonfinite)(links, x->lattice.volume * LFT_P_SITE)) {
            status = lft_p_fail_got(error, LFT_ERR_NONFINITE, "wilson_flow", "links of the group of configuration",
                                    "finite numbers", group * LFT_P_LANES);
        }
    }
    return status;
}

#endif /* LFT_P_CODE */
