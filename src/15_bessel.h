/* 15_bessel.h: modified Bessel functions and whole powers, for the characters of exp(beta Re tr U).
 * Offers (private): lft_p_bessel(), lft_p_power(). */
#if LFT_P_PHASE == LFT_P_CODE

/* out[k] = exp(-x) I_k(x), 0 <= k < n, to rounding of the largest, x >= 0: Miller's recurrence I_k-1 = I_k+1 + (2k / x) I_k from
 * far above, normalised by e^x = I_0 + 2 sum I_k. All terms are positive. Far above: where I_k / I_0 ~ exp(-k^2 / 2x) is no
 * longer seen. */
LFT_P_STATIC void lft_p_bessel(double x, int n, double *out)
{
    const double large = 1e150;
    double       above = 0, here = 1, sum = 0;
    int          k, i;
    if (x < 1e-100) {
        for (k = 0; k < n; ++k) out[k] = k ? 0 : 1;
        return;
    }
    for (k = n + 30 + (int)(9 * lft_p_f64_p_sqrt(x)); k >= 0; --k) {
        const double below = above + 2 * k / x * here;
        if (k < n) out[k] = here;
        sum += k ? 2 * here : here;
        above = here, here = below;
        if (here < large) continue;
        for (i = k; i < n; ++i) out[i] /= large;
        sum /= large, above /= large, here /= large;
    }
    for (k = 0; k < n; ++k) out[k] /= sum;
}

/* x^n, n >= 0 */
LFT_P_STATIC double lft_p_power(double x, int n)
{
    double y = 1;
    for (; n > 0; n /= 2, x *= x) {
        if (n % 2) y *= x;
    }
    return y;
}

#endif /* LFT_P_CODE */
