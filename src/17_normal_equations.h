/* 17_normal_equations.h: least squares by normal equations: the step of Gauss and Newton.
 * Offers (private): lft_p_normal_size(), lft_p_normal_add(), lft_p_normal_about(), lft_p_normal_step(). */
#if LFT_P_PHASE == LFT_P_CODE

/* Numbers that n parameters take: count, sum u, sum u^2, sum g[n], sum g u [n], sum g g^T [n][n] (j <= i). They only add up. */
LFT_P_STATIC size_t lft_p_normal_size(size_t n)
{
    return 3 + n * (n + 2);
}

/* A residual u with its gradient g[n]. */
LFT_P_STATIC void lft_p_normal_add(double *sum, size_t n, const double *g, double u)
{
    double *LFT_P_RESTRICT mean = sum + 3, *LFT_P_RESTRICT row = mean + 2 * n;
    size_t                 i, j;
    sum[0] += 1, sum[1] += u, sum[2] += u * u;
    for (i = 0; i < n; ++i, row += n) {
        const double x = g[i];
        mean[i] += x;
        mean[n + i] += x * u;
        for (j = 0; j <= i; ++j) row[j] += x * g[j];
    }
}

/* The sums become means: of u (sum[1]), of (u - centre)^2 (sum[2]) and A of g g^T; gradient[n] = those of g (u - centre): the
 * derivative of half of sum[2] along g. */
LFT_P_STATIC void lft_p_normal_about(double *sum, size_t n, double centre, double *gradient)
{
    double *mean = sum + 3, *a = mean + 2 * n;
    size_t  i, j;
    sum[1] /= sum[0];
    sum[2] = sum[2] / sum[0] + centre * (centre - 2 * sum[1]);
    for (i = 0; i < n; ++i) {
        gradient[i] = (mean[n + i] - mean[i] * centre) / sum[0];
        for (j = 0; j <= i; ++j) a[i * n + j] /= sum[0];
    }
}

/* After that: step[n] = -(A + ridge D)^-1 gradient, the least mean of (u + g step - centre)^2 but for the ridge, D = diag A + its
 * largest number / 10^6. Without that a parameter that does next to nothing, which may be nothing but rounding, would go anywhere:
 * so it is with the time dependence of a flow that is still the identity. 0 where g is 0. Returns the root mean square of g
 * step, not finite if A is singular. A is lost. */
LFT_P_STATIC double lft_p_normal_step(double *sum, size_t n, double ridge, const double *gradient, double *step)
{
    double *a = sum + 3 + 2 * n, change = 0, most = 0;
    size_t  i, j, k;
    for (i = 0; i < n; ++i) most = a[i * n + i] > most ? a[i * n + i] : most;
    for (i = 0; i < n; ++i) a[i * n + i] += ridge * (a[i * n + i] + 1e-6 * most) + (most > 0 ? 0 : 1);
    for (i = 0; i < n; ++i) { /* Cholesky: a = l l^T */
        for (j = 0; j <= i; ++j) {
            double x = a[i * n + j];
            for (k = 0; k < j; ++k) x -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = j < i ? x / a[j * n + j] : lft_p_f64_p_sqrt(x);
        }
    }
    for (i = 0; i < n; ++i) {
        double x = -gradient[i];
        for (k = 0; k < i; ++k) x -= a[i * n + k] * step[k];
        step[i] = x / a[i * n + i];
        change += step[i] * step[i];
    }
    for (i = n; i-- > 0;) {
        for (k = i + 1; k < n; ++k) step[i] -= a[k * n + i] * step[k];
        step[i] /= a[i * n + i];
    }
    return lft_p_f64_p_sqrt(change);
}

#endif /* LFT_P_CODE */
