/* 87_flow_curve.h: where a curve over the steps of the Wilson flow reaches a level.
 * Offers (private): LFT_P(curve), LFT_P(curve_solve)(). */
#if LFT_P_PHASE == LFT_P_CODE

/* A curve over the steps of the flow, known at the nodes first ... last: y = t^2 E, or t dy/dt by five points, which leaves out two
 * nodes at either end. y[i - 1] is that of node i, and 0 at node 0. */
typedef struct LFT_P(curve) {
    const double *y;
    int           first, last, derivative;
} LFT_P(curve);

static const double LFT_P(five_points)[5] = {1.0 / 12, -8.0 / 12, 0, 8.0 / 12, -1.0 / 12};

LFT_P_STATIC double LFT_P(curve_at)(const LFT_P(curve) *c, int node)
{
    double sum = 0;
    int    k;
    if (!c->derivative) return node ? c->y[node - 1] : 0;
    for (k = 0; k < 5; ++k) {
        const int other = node + k - 2;
        sum += node * LFT_P(five_points)[k] * (other ? c->y[other - 1] : 0);
    }
    return sum;
}

/* slope += x d(value at the node) / dy */
LFT_P_STATIC void LFT_P(curve_slope)(const LFT_P(curve) *c, int node, double x, double *slope)
{
    int k;
    if (!c->derivative) {
        if (node) slope[node - 1] += x;
        return;
    }
    for (k = 0; k < 5; ++k) {
        const int other = node + k - 2;
        if (other) slope[other - 1] += x * node * LFT_P(five_points)[k];
    }
}

/* The polynomials that are 1 at one of the nodes from ... from + n - 1 and 0 at the others, at s; d: their derivatives. */
LFT_P_STATIC void LFT_P(lagrange)(int from, int n, double s, double *value, double *d)
{
    int i, j, k;
    for (i = 0; i < n; ++i) {
        value[i] = 1, d[i] = 0;
        for (j = 0; j < n; ++j) {
            double term = 1.0 / (i - j + (i == j));
            if (i == j) continue;
            value[i] *= term * (s - from - j);
            for (k = 0; k < n; ++k) {
                if (k != i && k != j) term *= (s - from - k) / (i - k);
            }
            d[i] += term;
        }
    }
}

/* The first node after which the curve rises to the level, -1 if there is none. */
LFT_P_STATIC int LFT_P(curve_reaches)(const LFT_P(curve) *c, double level)
{
    int i;
    for (i = c->first; i < c->last; ++i) {
        if (LFT_P(curve_at)(c, i) < level && LFT_P(curve_at)(c, i + 1) >= level) return i;
    }
    return -1;
}

/* Where, in steps, the curve first rises to the level, NaN if it does not; its slopes are added where slope is not NULL. */
LFT_P_STATIC double LFT_P(curve_solve)(const LFT_P(curve) *c, double level, double *slope)
{
    const int n = c->last - c->first < 3 ? c->last - c->first + 1 : 4, at = LFT_P(curve_reaches)(c, level);
    double    value[4], d[4], low = at, high = at + 1, rise, s;
    int       from = at - 1, i, k;
    lft_p_set_nan(&s);
    if (at < 0) return s;
    if (from > c->last - n + 1) from = c->last - n + 1;
    if (from < c->first) from = c->first;
    for (k = 0; k < 60; ++k) { /* the polynomial is the curve at the nodes, so that it crosses the level between them */
        double sum = 0;
        s = 0.5 * (low + high);
        LFT_P(lagrange)(from, n, s, value, d);
        for (i = 0; i < n; ++i) sum += value[i] * LFT_P(curve_at)(c, from + i);
        if (sum < level) low = s;
        else high = s;
    }
    for (rise = 0, i = 0; i < n; ++i) rise += d[i] * LFT_P(curve_at)(c, from + i);
    for (i = 0; i < n && slope; ++i) LFT_P(curve_slope)(c, from + i, -value[i] / rise, slope);
    return s;
}

#endif /* LFT_P_CODE */
