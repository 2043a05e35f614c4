/* 19_family.h: one set of coefficients for a whole box of couplings.
 * Offers: lft_family; private: lft_p_family_check(), lft_p_family_terms(), lft_p_family_weights(),
 *         lft_p_family_pace().
 *
 *   theta(g) = sum_b T_b(c) coefficient_b,   c_j = (2 g_j - high_j - low_j) / (high_j - low_j) in [-1, 1]
 * with T_b the products of Chebyshev polynomials of total degree up to `degree` in the couplings that vary; T_0 = 1. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Couplings with low = high are fixed. degree 0: no family. */
typedef struct lft_family {
    int    degree, couplings;
    double low[LFT_MAX_COUPLINGS], high[LFT_MAX_COUPLINGS];
} lft_family;

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_FAMILY_MOST 100 /* terms */

/* The degrees of each coupling's polynomial in the term after this one; 0 after the last. Term 0 has all zero. */
LFT_P_STATIC int lft_p_family_next(const lft_family *f, int *degree)
{
    int j, k, sum;
    for (j = 0; j < f->couplings; ++j) { /* as in counting */
        if (!(f->low[j] < f->high[j])) continue;
        degree[j] += 1;
        for (sum = 0, k = 0; k < f->couplings; ++k) sum += degree[k];
        if (sum <= f->degree) return 1;
        degree[j] = 0;
    }
    return 0;
}

LFT_P_STATIC int lft_p_family_terms(const lft_family *f)
{
    int degree[LFT_MAX_COUPLINGS] = {0}, terms = 1;
    while (f->degree > 0 && terms <= LFT_P_FAMILY_MOST && lft_p_family_next(f, degree)) ++terms;
    return terms;
}

LFT_P_STATIC lft_status lft_p_family_check(const lft_family *f, lft_error *error)
{
    int j;
    if (f->degree < 0 || f->degree > 20) return lft_p_fail_got(error, LFT_ERR_ARG, "family", "degree", "0 to 20", f->degree);
    if (f->couplings < 0 || f->couplings > LFT_MAX_COUPLINGS) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "family", "couplings", "at most LFT_MAX_COUPLINGS", f->couplings);
    }
    for (j = 0; f->degree && j < f->couplings; ++j) {
        if (lft_finite(f->low[j]) && lft_finite(f->high[j]) && f->low[j] <= f->high[j]) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, "family", "bounds", "finite numbers, low <= high, of coupling", j);
    }
    if (lft_p_family_terms(f) <= LFT_P_FAMILY_MOST) return LFT_OK;
    return lft_p_fail_got(error, LFT_ERR_ARG, "family", "terms", "at most " LFT_P_STRING(LFT_P_FAMILY_MOST) " for degree",
                          f->degree);
}

/* weight[terms] = T_b at the couplings. */
LFT_P_STATIC void lft_p_family_weights(const lft_family *f, const double *coupling, double *weight)
{
    int degree[LFT_MAX_COUPLINGS] = {0}, j, k;
    do {
        *weight = 1;
        for (j = 0; j < f->couplings; ++j) {
            const double c = degree[j] ? (2 * coupling[j] - f->high[j] - f->low[j]) / (f->high[j] - f->low[j]) : 0;
            double       before = 1, here = c;
            for (k = 1; k < degree[j]; ++k) {
                const double next = 2 * c * here - before;
                before            = here;
                here              = next;
            }
            if (degree[j]) *weight *= here;
        }
        ++weight;
    } while (f->degree > 0 && lft_p_family_next(f, degree));
}

/* pace[terms]: 1 / (1 + total degree)^2. At fixed couplings all terms move together: so theta goes not much further in a step of
 * the optimiser than without a family. */
LFT_P_STATIC void lft_p_family_pace(const lft_family *f, double *pace)
{
    int degree[LFT_MAX_COUPLINGS] = {0}, j, sum;
    do {
        for (sum = 0, j = 0; j < f->couplings; ++j) sum += degree[j];
        *pace++ = 1.0 / ((1 + sum) * (1 + sum));
    } while (f->degree > 0 && lft_p_family_next(f, degree));
}

#endif /* LFT_P_CODE */
