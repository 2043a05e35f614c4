/* 69_circle_density.h: U(1) in two dimensions: the density of a new link on its circle, and the map from a uniform angle to it.
 * Offers: LFT_(circle_desc); (private) circle, circle_work, of one link: circle_density, _solve, _map, _at, _slopes; the formulas
 * stand in 74_circle.h. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default. */
typedef struct LFT_(circle_desc) {
    int    doubled;   /* axis + 1: only new links of a doubled axis move, those across it at odd coordinates; required */
    int    harmonics; /* K: 12, up to 64 */
    double beta;      /* c_1 at the start, all others 0 */
} LFT_(circle_desc);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_POINTS    512
#define LFT_P_HARMONICS 64

typedef struct LFT_P(circle) {
    LFT_(circle_desc) desc; /* defaults filled in */
    double           *c;    /* [harmonics] */
    double           *wave; /* [points]: cos of point number i; room for 512 */
    int               points; /* 0: 512 would not be enough */
} LFT_P(circle);

/* One new link: where it is and the density that it has there, lane by lane. */
typedef struct LFT_P(circle_work) {
    int     link, side[6];      /* side: the others of its plaquettes, three of a and three of b */
    double *even, *odd, *gamma; /* [harmonics][lanes]: 2 cos k h, its derivative by h, and the former times c_k; h = P/2 */
    double *point;              /* [points / 2 + 1][lanes]: exp at the points */
    double *a;                  /* [points / 2 + harmonics][lanes]: a_n, a_0 = 1, 0 from points / 2 on */
    double  phase[LFT_P_LANES], h[LFT_P_LANES], x[LFT_P_LANES]; /* phase: a */
    double  logf[LFT_P_LANES], logf_x[LFT_P_LANES], logf_h[LFT_P_LANES], F_h[LFT_P_LANES], logz[LFT_P_LANES];
} LFT_P(circle_work);

static const int LFT_P(circle_sign)[6] = {1, -1, -1, 1, 1, -1};

LFT_P_STATIC LFT_P(circle_work) LFT_P(circle_scratch)(const LFT_P(circle) *s, lft_arena *arena)
{
    const size_t         harmonics = (size_t)s->desc.harmonics * LFT_P_LANES;
    LFT_P(circle_work)   w;
    lft_p_zero(&w, sizeof w);
    w.even  = (double *)lft_arena_alloc(arena, harmonics, sizeof(double));
    w.odd   = (double *)lft_arena_alloc(arena, harmonics, sizeof(double));
    w.gamma = (double *)lft_arena_alloc(arena, harmonics, sizeof(double));
    w.point = (double *)lft_arena_alloc(arena, (LFT_P_POINTS / 2 + 1) * LFT_P_LANES, sizeof(double));
    w.a     = (double *)lft_arena_alloc(arena, LFT_P_POINTS / 2 * LFT_P_LANES + harmonics, sizeof(double));
    return w;
}

/* ---- points of the circle --------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(circle_waves)(LFT_P(circle) *s, int points)
{
    double sine;
    int    i;
    s->points = points;
    for (i = 0; i < points; ++i) lft_p_f64_p_sincos(2 * 3.14159265358979323846 * i / points, &sine, s->wave + i);
}

/* Whether f of a coarse plaquette, P = 2 h, has no harmonics from points / 2 on. */
LFT_P_STATIC int LFT_P(circle_resolved)(const LFT_P(circle) *s, double h)
{
    const int half = s->points / 2, K = s->desc.harmonics;
    double    point[LFT_P_POINTS / 2 + 1], gamma[LFT_P_HARMONICS], sine, cosine, most = 0, mean = 0;
    int       j, k, n;
    for (k = 0; k < K; ++k) {
        lft_p_f64_p_sincos((k + 1) * h, &sine, &cosine);
        gamma[k] = 2 * s->c[k] * cosine;
    }
    for (j = 0; j <= half; ++j) {
        for (point[j] = 0, k = 0; k < K; ++k) point[j] += gamma[k] * s->wave[(k + 1) * j % s->points];
        if (!j || point[j] > most) most = point[j];
    }
    for (j = 0; j <= half; ++j) {
        point[j] = lft_p_f64_p_exp(point[j] - most) * (j % half ? 2 : 1);
        mean += point[j];
    }
    if (!lft_finite(mean)) return 0;
    for (n = half - 4; n < half; ++n) {
        double a = 0;
        for (j = 0; j <= half; ++j) a += point[j] * s->wave[n * j % s->points];
        if (!(a * a < 1e-26 * mean * mean)) return 0;
    }
    return 1;
}

/* ---- the density of a link --------------------------------------------------------------------------------------------- */

/* number[lane] of a field */
LFT_P_INLINE double LFT_P(lane_of)(const lft_v *field, int i, int l)
{
    return (double)((const lft_real *)(const void *)(field + i * LFT_P_LINK))[l];
}

/* x in [-pi, pi] but for a multiple of 2 pi */
LFT_P_INLINE double LFT_P(wrap_wide)(double x)
{
    const double turns = x / (2 * 3.14159265358979323846);
    if (!(turns < 1e9 && -turns < 1e9)) return x;
    return x - 2 * 3.14159265358979323846 * (double)(int64_t)(turns < 0 ? turns - 0.5 : turns + 0.5);
}

/* The link across the axis at p: its plaquettes and their density. */
LFT_P_STATIC void LFT_P(circle_density)(const LFT_P(circle) *s, const LFT_P(walk) *walk, const LFT_P(place) *p, const lft_v *links,
                                        LFT_P(circle_work) *w)
{
    const int    mu = s->desc.doubled - 1, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0, half = s->points / 2, K = s->desc.harmonics;
    LFT_P(place) before = *p, behind = *p, above = *p, corner;
    double       most[LFT_P_LANES], sum[LFT_P_LANES];
    int          i, j, k, n, l;
    LFT_P(down)(walk->lattice, walk->stride, &before, mu);
    LFT_P(up)(walk->lattice, walk->stride, &behind, mu);
    LFT_P(up)(walk->lattice, walk->stride, &above, nu);
    corner = above;
    LFT_P(down)(walk->lattice, walk->stride, &corner, mu);
    w->link    = p->site * LFT_DIM + nu;
    w->side[0] = before.site * LFT_DIM + mu, w->side[1] = before.site * LFT_DIM + nu, w->side[2] = corner.site * LFT_DIM + mu;
    w->side[3] = p->site * LFT_DIM + mu, w->side[4] = behind.site * LFT_DIM + nu, w->side[5] = above.site * LFT_DIM + mu;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double phase[2] = {0, 0}, sine, cosine, s0 = 0, c0 = 1;
        for (i = 0; i < 6; ++i) phase[i / 3] += LFT_P(circle_sign)[i] * LFT_P(lane_of)(links, w->side[i], l);
        w->phase[l] = phase[0];
        w->h[l]     = 0.5 * LFT_P(wrap_wide)(phase[0] + phase[1]);
        lft_p_f64_p_sincos(w->h[l], &sine, &cosine);
        for (k = 0; k < K; ++k) {
            const double turned = c0 * cosine - s0 * sine;
            s0 = s0 * cosine + c0 * sine, c0 = turned;
            w->even[k * LFT_P_LANES + l]  = 2 * c0;
            w->odd[k * LFT_P_LANES + l]   = -2 * (k + 1) * s0;
            w->gamma[k * LFT_P_LANES + l] = 2 * c0 * s->c[k];
        }
        most[l] = -1e300, sum[l] = 0;
    }
    for (j = 0; j <= half; ++j) {
        double *LFT_P_RESTRICT to = w->point + j * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) to[l] = 0;
        for (k = 0; k < K; ++k) {
            const double  wave = s->wave[(k + 1) * j % s->points];
            const double *from = w->gamma + k * LFT_P_LANES;
            for (l = 0; l < LFT_P_LANES; ++l) to[l] += wave * from[l];
        }
        for (l = 0; l < LFT_P_LANES; ++l) most[l] = to[l] > most[l] ? to[l] : most[l];
    }
    for (j = 0; j <= half; ++j) {
        double *to = w->point + j * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) {
            to[l] = lft_p_f64_p_exp(to[l] - most[l]) * (j % half ? 2 : 1);
            sum[l] += to[l];
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) w->a[l] = 1, w->logz[l] = most[l] + lft_p_f64_p_log(sum[l] / s->points);
    for (n = 1; n < half; ++n) {
        double *LFT_P_RESTRICT to = w->a + n * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) to[l] = 0;
        for (j = 0; j <= half; ++j) {
            const double  wave = s->wave[n * j % s->points];
            const double *from = w->point + j * LFT_P_LANES;
            for (l = 0; l < LFT_P_LANES; ++l) to[l] += wave * from[l];
        }
        for (l = 0; l < LFT_P_LANES; ++l) to[l] /= sum[l];
    }
    for (n = half * LFT_P_LANES; n < (half + s->desc.harmonics) * LFT_P_LANES; ++n) w->a[n] = 0;
}

/* F = x + sum (2/n) a_n sin n x and its derivative f. */
LFT_P_STATIC void LFT_P(circle_map)(const LFT_P(circle) *s, const LFT_P(circle_work) *w, const double *x, double *F, double *f)
{
    double sine[LFT_P_LANES], cosine[LFT_P_LANES], sn[LFT_P_LANES], cn[LFT_P_LANES];
    int    n, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        lft_p_f64_p_sincos(x[l], sine + l, cosine + l);
        sn[l] = 0, cn[l] = 1, F[l] = x[l], f[l] = 1;
    }
    for (n = 1; n < s->points / 2; ++n) {
        const double *a = w->a + n * LFT_P_LANES, share = 2.0 / n;
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double turned = cn[l] * cosine[l] - sn[l] * sine[l];
            sn[l] = sn[l] * cosine[l] + cn[l] * sine[l], cn[l] = turned;
            F[l] += share * a[l] * sn[l];
            f[l] += 2 * a[l] * turned;
        }
    }
}

/* w->x with F(x) = v, both odd: Newton's method between bounds that close. */
LFT_P_STATIC void LFT_P(circle_solve)(const LFT_P(circle) *s, LFT_P(circle_work) *w, const double *v)
{
    const double pi = 3.14159265358979323846;
    double       low[LFT_P_LANES], high[LFT_P_LANES], F[LFT_P_LANES], f[LFT_P_LANES], goal[LFT_P_LANES];
    int          i, l, done[LFT_P_LANES], open = 1;
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double to = LFT_P(wrap_wide)(v[l]);
        low[l] = 0, high[l] = pi, w->x[l] = goal[l] = to < 0 ? -to : to, done[l] = 0;
    }
    for (i = 0; i < 60 && open; ++i) {
        LFT_P(circle_map)(s, w, w->x, F, f);
        for (open = 0, l = 0; l < LFT_P_LANES; ++l) {
            const double x = w->x[l], newton = x - (F[l] - goal[l]) / f[l];
            double       next;
            low[l]  = F[l] < goal[l] ? x : low[l];
            high[l] = F[l] < goal[l] ? high[l] : x;
            next    = newton >= low[l] && newton <= high[l] ? newton : 0.5 * (low[l] + high[l]);
            w->x[l] = done[l] ? x : next;
            done[l] |= next - x < 1e-9 && x - next < 1e-9; /* the step after that would be of 1e-16 */
            open |= !done[l];
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) w->x[l] = LFT_P(wrap_wide)(v[l]) < 0 ? -w->x[l] : w->x[l];
}

/* x of the link as it is in a field, and log f there. */
LFT_P_STATIC void LFT_P(circle_at)(const LFT_P(circle) *s, const lft_v *links, LFT_P(circle_work) *w)
{
    int k, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double sine, cosine, sn = 0, cn = 1, turned;
        w->x[l] = LFT_P(wrap_wide)(LFT_P(lane_of)(links, w->link, l) + w->phase[l] - w->h[l]);
        lft_p_f64_p_sincos(w->x[l], &sine, &cosine);
        w->logf[l] = -w->logz[l], w->logf_x[l] = w->logf_h[l] = 0;
        for (k = 0; k < s->desc.harmonics; ++k) {
            const int at = k * LFT_P_LANES + l;
            turned = cn * cosine - sn * sine;
            sn = sn * cosine + cn * sine, cn = turned;
            w->logf[l] += w->gamma[at] * cn;
            w->logf_x[l] -= (k + 1) * w->gamma[at] * sn;
            w->logf_h[l] += s->c[k] * w->odd[at] * (cn - w->a[at + LFT_P_LANES]);
        }
    }
}

/* D[lane] = the integral of f (cos k x - a_k) from 0 to x: F changes by it with gamma_k. */
LFT_P_STATIC void LFT_P(circle_integral)(const LFT_P(circle) *s, const LFT_P(circle_work) *w, const double *sines, int k, double *D)
{
    const double *ak = w->a + k * LFT_P_LANES;
    int           n, l;
    for (l = 0; l < LFT_P_LANES; ++l) D[l] = 0;
    for (n = 1; n < s->points / 2; ++n) {
        const int     away = (n - k) * (n > k) + (k - n) * (n < k); /* no branch: gcc 12 -O3 splits such a loop wrongly */
        const double *an = w->a + n * LFT_P_LANES, *sine = sines + n * LFT_P_LANES;
        const double *less = w->a + away * LFT_P_LANES, *more = an + k * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) D[l] += sine[l] * (0.5 * (less[l] + more[l]) - ak[l] * an[l]);
    }
}

/* F_h, and where cot_v is not NULL gradient[k][lane] -= cot_v F_c + kappa d log f / d c_k. The points are lost. */
LFT_P_STATIC void LFT_P(circle_slopes)(const LFT_P(circle) *s, LFT_P(circle_work) *w, const double *cot_v, const double *kappa,
                                       double *gradient)
{
    double D[LFT_P_LANES], *sines = w->point;
    int    k, n, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double sine, cosine, sn = 0, cn = 1, turned;
        lft_p_f64_p_sincos(w->x[l], &sine, &cosine);
        for (n = 1; n < s->points / 2; ++n) {
            turned = cn * cosine - sn * sine;
            sn = sn * cosine + cn * sine, cn = turned;
            sines[n * LFT_P_LANES + l] = 2.0 / n * sn;
        }
        w->F_h[l] = 0;
    }
    for (k = 1; k <= s->desc.harmonics; ++k) {
        const double *even = w->even + (k - 1) * LFT_P_LANES, *odd = w->odd + (k - 1) * LFT_P_LANES;
        LFT_P(circle_integral)(s, w, sines, k, D);
        for (l = 0; l < LFT_P_LANES; ++l) w->F_h[l] += s->c[k - 1] * odd[l] * D[l];
        for (l = 0; cot_v && l < LFT_P_LANES; ++l) {
            double sine, cosine;
            lft_p_f64_p_sincos(k * w->x[l], &sine, &cosine);
            gradient[(k - 1) * LFT_P_LANES + l] -=
                even[l] * (cot_v[l] * D[l] + kappa[l] * (cosine - w->a[k * LFT_P_LANES + l]));
        }
    }
}

#endif /* LFT_P_CODE */
