/* 49_areas.h: a coarse lattice whose sites stand for several of a fine one, and its plaquettes for as many: their areas, and kappa
 * of each (47_characters.h).
 * Offers (private): site_from, site_length; note_area, kernels_of, kernel_of: a kernel for each area that occurs, and the one of
 * an area; exact_check, kernels_check: what refuses a beta; kernel_log; torus_logz. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_PAIRS 8 /* of uniform numbers for a link and attempt, at most */
#define LFT_P_AREAS 4 /* distinct areas: two lengths along each axis, at most */

/* The first of L sites that site i of n stands for. */
LFT_P_INLINE int LFT_P(site_from)(int i, int n, int L) { return (int)((int64_t)i * L / n); }
LFT_P_INLINE int LFT_P(site_length)(int i, int n, int L)
{
    return LFT_P(site_from)(i + 1, n, L) - LFT_P(site_from)(i, n, L);
}

/* log Z = V log lambda_0 + log sum_r u_r^V of Wilson's plaquette action on a torus of V plaquettes in two dimensions. */
LFT_P_STATIC double LFT_P(torus_logz)(const LFT_P(characters) *c, int volume)
{
    return volume * c->log_first + lft_p_f64_p_log(LFT_P(characters_sum)(c, volume));
}

LFT_P_STATIC const LFT_P(kernel) *LFT_P(kernel_of)(const LFT_P(kernel) *k, int n, int area)
{
    int i;
    for (i = 0; i + 1 < n && k[i].area != area; ++i) {}
    return k + i;
}

/* Notes an area that occurs, and whether it is drawn from. */
LFT_P_STATIC void LFT_P(note_area)(int *area, int *draws, int *n, int one, int drawn)
{
    int i;
    for (i = 0; i < *n && area[i] != one; ++i) {}
    if (i == LFT_P_AREAS) return; /* lengths of an axis differ by one */
    if (i == *n) area[i] = one, draws[i] = 0, *n += 1;
    draws[i] = draws[i] || drawn;
}

LFT_P_STATIC lft_status LFT_P(kernels_check)(const LFT_P(kernel) *k, int n, double beta, const char *where, lft_error *error)
{
    int i;
    for (i = 0; k && i < n; ++i) {
        if (k[i].area == 1 || !k[i].terms || k[i].least * 4e9 > k[i].most) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "beta", "one at which kappa keeps 1e-6 of its smallest value", beta);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(exact_check)(double beta, const char *where, lft_error *error)
{
    if (LFT_DIM != 2) return lft_p_fail_got(error, LFT_ERR_ARG, where, "dimensions of exact weights", "2", LFT_DIM);
    if (!lft_finite(beta) || beta < 0 || beta > 100) return lft_p_fail_got(error, LFT_ERR_ARG, where, "beta", "0 to 100", beta);
    return LFT_OK;
}

/* Kernels of all areas; over a measuring arena, their memory. */
LFT_P_STATIC LFT_P(kernel) *LFT_P(kernels_of)(const LFT_P(characters) *c, const int *area, const int *draws, int n,
                                              lft_arena *arena)
{
    LFT_P(kernel) *list = (LFT_P(kernel) *)lft_arena_alloc(arena, LFT_P_AREAS, sizeof *list), none;
    int            i;
    for (i = 0; i < n; ++i) LFT_P(kernel_init)(list ? list + i : &none, c, area[i], draws[i], arena);
    return list;
}

/* log kappa of a matrix, times sign, onto sum[lane]. */
LFT_P_STATIC void LFT_P(kernel_log)(const LFT_P(kernel) *k, const lft_u *u, double sign, double *sum)
{
    double re[LFT_P_LANES], im[LFT_P_LANES], value[LFT_P_LANES];
    int    l;
    LFT_P(wide_trace)(u, re, im);
    if (k->area == 1) {
        for (l = 0; l < LFT_P_LANES; ++l) sum[l] += sign * (k->slope * re[l] + k->constant);
        return;
    }
    LFT_P(kernel_value)(k, re, im, value);
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] += sign * lft_p_f64_p_log(value[l]);
}

#endif /* LFT_P_CODE */
