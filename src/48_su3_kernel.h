/* 48_su3_kernel.h: SU(3): representations (p, q) of dimension d = (p + 1)(q + 1)(p + q + 2) / 2. A class is that of
 * diag(exp i alpha), alpha_1 + alpha_2 + alpha_3 = 0, and the density of (alpha_1, alpha_2) is H / (2 pi)^2,
 * H = prod_i<j |e^i alpha_i - e^i alpha_j|^2 / 6. Offers what 47_characters.h says.
 *
 * With the complete symmetric polynomials h_n = t h_n-1 - t^* h_n-2 + h_n-3 of the trace t, at most (n + 1)(n + 2) / 2,
 *   chi_pq = h_p+q h_q - h_p+q+1 h_q-1  (Jacobi and Trudi):
 * no denominator vanishes where eigenvalues coincide. chi_pq and chi_qp are conjugate and have the same u; those with p >= q are
 * numbered by m = p + q and n = q <= m / 2. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_CELLS 48 /* of an angle */
#define LFT_P_FINE  (2 * LFT_P_CELLS)
#define LFT_P_RUNGS 16 /* of the ladder, above 0 */
#define LFT_P_TOP   48 /* rows of a sum, at most */

/* The place of (m, n); of (m, 0): how many there are below m. */
LFT_P_INLINE int LFT_P(pair_of)(int m, int n) { return m + (m - 1) * (m - 1) / 4 + n; }
LFT_P_INLINE double LFT_P(dimension)(int m, int n) { return 0.5 * (m - n + 1) * (n + 1) * (m + 2); }

/* Values of m; u^2 d^2 is below 1e-19 beyond, for the betas that rounding leaves. */
LFT_P_INLINE int LFT_P(rows_of)(double beta)
{
    const double m = 5 + 6 * lft_p_f64_p_sqrt(beta);
    return m < LFT_P_TOP - 2 ? (int)m : LFT_P_TOP - 2;
}

/* h[n][lane], n < rows */
LFT_P_STATIC void LFT_P(symmetric)(int rows, const double *re, const double *im, double (*hr)[LFT_P_LANES],
                                   double (*hi)[LFT_P_LANES])
{
    int n, l;
    for (n = 0; n < rows; ++n) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            double x = n ? 0 : 1, y = 0;
            if (n > 0) x += re[l] * hr[n - 1][l] - im[l] * hi[n - 1][l], y += re[l] * hi[n - 1][l] + im[l] * hr[n - 1][l];
            if (n > 1) x -= re[l] * hr[n - 2][l] + im[l] * hi[n - 2][l], y -= re[l] * hi[n - 2][l] - im[l] * hr[n - 2][l];
            if (n > 2) x += hr[n - 3][l], y += hi[n - 3][l];
            hr[n][l] = x, hi[n][l] = y;
        }
    }
}

/* prod_i<j |e^i alpha_i - e^i alpha_j|^2 / 6 */
LFT_P_INLINE double LFT_P(class_density)(const double c[3], const double s[3])
{
    return (2 - 2 * (c[0] * c[1] + s[0] * s[1])) * (2 - 2 * (c[1] * c[2] + s[1] * s[2])) *
           (2 - 2 * (c[2] * c[0] + s[2] * s[0])) / 6;
}

/* Cosines and sines of the third angle. */
LFT_P_INLINE void LFT_P(third_angle)(double c[3], double s[3])
{
    c[2] = c[0] * c[1] - s[0] * s[1];
    s[2] = -(s[0] * c[1] + c[0] * s[1]);
}

/* d_r lambda_r = int dU exp(beta / 3 Re tr U) chi_r(U), by equal steps in both angles, which converges exponentially. */
LFT_P_STATIC void LFT_P(characters_init)(LFT_P(characters) *c, double beta, lft_arena *arena)
{
    const int    rows = LFT_P(rows_of)(beta), steps = 2 * (rows + 10 + (int)(beta / 6));
    const double step = 6.283185307179586477 / steps;
    double       re[LFT_P_LANES], im[LFT_P_LANES], hr[LFT_P_TOP][LFT_P_LANES], hi[LFT_P_TOP][LFT_P_LANES];
    int          i, j, l, m, n;
    c->beta  = beta;
    c->count = LFT_P(pair_of)(rows, 0);
    c->u     = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (!c->u) return;
    for (i = 0; i < steps; ++i) {
        for (j = 0; j < steps; ++j) {
            double x[3], y[3], weight;
            lft_p_f64_p_sincos(step * i, y, x);
            lft_p_f64_p_sincos(step * j, y + 1, x + 1);
            LFT_P(third_angle)(x, y);
            for (l = 0; l < LFT_P_LANES; ++l) re[l] = x[0] + x[1] + x[2], im[l] = y[0] + y[1] + y[2];
            weight = LFT_P(class_density)(x, y) * lft_p_f64_p_exp(beta / 3 * (re[0] - 3)) / ((double)steps * steps);
            LFT_P(symmetric)(rows + 1, re, im, hr, hi);
            for (m = 0; m < rows; ++m) {
                for (n = 0; n <= m / 2; ++n) {
                    double chi = hr[m][0] * hr[n][0] - hi[m][0] * hi[n][0];
                    if (n) chi -= hr[m + 1][0] * hr[n - 1][0] - hi[m + 1][0] * hi[n - 1][0];
                    c->u[LFT_P(pair_of)(m, n)] += weight * chi;
                }
            }
        }
    }
    c->log_first = beta + lft_p_f64_p_log(c->u[0]);
    for (m = rows - 1; m >= 0; --m) {
        for (n = m / 2; n >= 0; --n) c->u[LFT_P(pair_of)(m, n)] /= LFT_P(dimension)(m, n) * c->u[0];
    }
}

LFT_P_STATIC double LFT_P(characters_sum)(const LFT_P(characters) *c, int k)
{
    double sum = 0;
    int    m, n;
    for (m = LFT_P(rows_of)(c->beta) - 1; m >= 0; --m) {
        for (n = m / 2; n >= 0; --n) sum += (m == 2 * n ? 1 : 2) * lft_p_power(c->u[LFT_P(pair_of)(m, n)], k);
    }
    return sum;
}

/* Re sum_mn c_mn h_m h_n */
LFT_P_STATIC void LFT_P(kernel_value)(const LFT_P(kernel) *k, const double *re, const double *im, double *value)
{
    double        hr[LFT_P_TOP][LFT_P_LANES], hi[LFT_P_TOP][LFT_P_LANES], x[LFT_P_LANES], y[LFT_P_LANES];
    const double *c = k->c;
    int           m, n, l;
    if (k->area == 1) {
        LFT_P(kernel_one)(k, re, value);
        return;
    }
    LFT_P(symmetric)(k->terms, re, im, hr, hi);
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = 0;
    for (m = 0; m < k->terms; ++m) {
        for (l = 0; l < LFT_P_LANES; ++l) x[l] = y[l] = 0;
        for (n = 0; n <= m / 2; ++n, ++c) {
            for (l = 0; l < LFT_P_LANES; ++l) x[l] += *c * hr[n][l], y[l] += *c * hi[n][l];
        }
        for (l = 0; l < LFT_P_LANES; ++l) value[l] += x[l] * hr[m][l] - y[l] * hi[m][l];
    }
}

/* ---- cells ---------------------------------------------------------------------------------------------------------- */

/* Row i of LFT_P_FINE points: the density by the angles, of a kernel or, without one, of exp(x (Re tr - 3)). */
LFT_P_STATIC void LFT_P(density_row)(const LFT_P(kernel) *k, double x, int i, double *row)
{
    const double step = 6.283185307179586477 / LFT_P_FINE;
    double       re[LFT_P_LANES], im[LFT_P_LANES], density[LFT_P_LANES], value[LFT_P_LANES];
    int          j, l;
    for (j = 0; j < LFT_P_FINE; j += LFT_P_LANES) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            double c[3], s[3];
            lft_p_f64_p_sincos(step * i, s, c);
            lft_p_f64_p_sincos(step * (j + l), s + 1, c + 1);
            LFT_P(third_angle)(c, s);
            re[l] = c[0] + c[1] + c[2], im[l] = s[0] + s[1] + s[2];
            density[l] = LFT_P(class_density)(c, s);
            value[l]   = lft_p_f64_p_exp(x * (re[l] - 3));
        }
        if (k) LFT_P(kernel_value)(k, re, im, value);
        for (l = 0; l < LFT_P_LANES; ++l) row[j + l] = density[l] * value[l];
    }
}

/* A bound of the density on each cell of two steps by two: its largest value at the corners of the steps, and twice the error of
 * the bilinear interpolation between them, an eighth of the second differences. */
LFT_P_STATIC void LFT_P(bound_cells)(const LFT_P(kernel) *k, double x, lft_p_alias *table)
{
    double row[5][LFT_P_FINE];
    int    i, j, a, b;
    for (a = 0; a < 3; ++a) LFT_P(density_row)(k, x, a - 1, row[a + 2]);
    for (i = 0; i < LFT_P_CELLS; ++i) {
        for (a = 0; a < 3; ++a) lft_p_copy(row[a], row[a + 2], sizeof row[a]);
        for (a = 3; a < 5; ++a) LFT_P(density_row)(k, x, 2 * i + a - 1, row[a]);
        for (j = 0; j < LFT_P_CELLS; ++j) {
            double most = 0, along = 0, across = 0;
            for (a = 1; a < 4; ++a) {
                for (b = 2 * j + LFT_P_FINE; b < 2 * j + LFT_P_FINE + 3; ++b) {
                    const int    at = b % LFT_P_FINE, before = (b - 1) % LFT_P_FINE, after = (b + 1) % LFT_P_FINE;
                    const double f = row[a][at];
                    double       d = row[a + 1][at] - 2 * f + row[a - 1][at], e = row[a][after] - 2 * f + row[a][before];
                    d = d < 0 ? -d : d, e = e < 0 ? -e : e;
                    most   = f > most ? f : most;
                    along  = d > along ? d : along;
                    across = e > across ? e : across;
                }
            }
            table->weight[i * LFT_P_CELLS + j] = most + 0.25 * (along + across);
        }
    }
    lft_p_alias_build(table);
}

/* The smallest value on a coarse grid of classes, which has the centre of the group. */
LFT_P_STATIC double LFT_P(kernel_least)(const LFT_P(kernel) *k)
{
    const int    steps = 24;
    const double step  = 6.283185307179586477 / steps;
    double       re[LFT_P_LANES], im[LFT_P_LANES], value[LFT_P_LANES], least = k->most;
    int          i, j, l;
    for (i = 0; i < steps; ++i) {
        for (j = 0; j < steps; ++j) {
            double c[3], s[3];
            lft_p_f64_p_sincos(step * i, s, c);
            lft_p_f64_p_sincos(step * j, s + 1, c + 1);
            LFT_P(third_angle)(c, s);
            for (l = 0; l < LFT_P_LANES; ++l) re[l] = c[0] + c[1] + c[2], im[l] = s[0] + s[1] + s[2];
            LFT_P(kernel_value)(k, re, im, value);
            least = value[0] < least ? value[0] : least;
        }
    }
    return least;
}

LFT_P_STATIC void LFT_P(kernel_sum)(LFT_P(kernel) *k, const LFT_P(characters) *c)
{
    const int rows = LFT_P(rows_of)(c->beta);
    int       m, n;
    for (m = 0; m < rows; ++m) {
        for (n = 0; n <= m / 2; ++n) {
            const double d = LFT_P(dimension)(m, n);
            const double x = (m == 2 * n ? 1 : 2) * d * lft_p_power(c->u[LFT_P(pair_of)(m, n)], k->area);
            if (!(x * d > 1e-19)) continue;
            k->c[LFT_P(pair_of)(m, n)] += x;
            if (n) k->c[LFT_P(pair_of)(m + 1, n - 1)] -= x;
            k->terms = n ? m + 2 : k->terms > m + 1 ? k->terms : m + 1;
        }
    }
}

LFT_P_STATIC void LFT_P(kernel_init)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area, int draws, lft_arena *arena)
{
    double three[LFT_P_LANES], zero[LFT_P_LANES], value[LFT_P_LANES];
    int    i, l, laid = 1;
    LFT_P(kernel_start)(k, c, area);
    k->c = (double *)lft_arena_alloc(arena, (size_t)LFT_P(pair_of)(LFT_P(rows_of)(c->beta) + 1, 0), sizeof(double));
    if (draws) lft_p_alias_layout(&k->table, LFT_P_CELLS * LFT_P_CELLS, arena);
    if (draws && area == 1) {
        lft_p_alias none;
        k->ladder = (lft_p_alias *)lft_arena_alloc(arena, LFT_P_RUNGS + 1, sizeof(lft_p_alias));
        for (i = 0; i <= LFT_P_RUNGS; ++i) {
            lft_p_alias *rung = k->ladder ? k->ladder + i : &none;
            lft_p_alias_layout(rung, LFT_P_CELLS * LFT_P_CELLS, arena);
            laid = laid && rung->work != NULL;
        }
    }
    if (!c->u || !k->c || (draws && !k->table.work) || !laid) return;
    for (l = 0; l < LFT_P_LANES; ++l) three[l] = 3, zero[l] = 0;
    LFT_P(kernel_sum)(k, c);
    LFT_P(kernel_value)(k, three, zero, value);
    k->most  = value[0];
    k->least = LFT_P(kernel_least)(k);
    if (draws) LFT_P(bound_cells)(k, 0, &k->table);
    for (i = 0; k->ladder && i <= LFT_P_RUNGS; ++i) LFT_P(bound_cells)(NULL, k->slope * 2 * i / LFT_P_RUNGS, k->ladder + i);
}

/* ---- drawing --------------------------------------------------------------------------------------------------------- */

/* An attempt: w = z diag(e^i alpha) z^+ with z from the invariant measure. */
typedef struct LFT_P(attempt) {
    lft_u  z;
    double re[3][LFT_P_LANES], im[3][LFT_P_LANES]; /* e^i alpha */
    double tr[LFT_P_LANES], ti[LFT_P_LANES];
    double density[LFT_P_LANES], bound[LFT_P_LANES];
    double dr[3][LFT_P_LANES], di[3][LFT_P_LANES]; /* the diagonal of w */
} LFT_P(attempt);

/* alpha from the cells of table[lane], numbers 12 to 14 of u, and z from those before. */
LFT_P_STATIC void LFT_P(attempt_of)(LFT_P(attempt) *a, const lft_p_alias *const *table, double (*u)[LFT_P_LANES])
{
    const double step = 6.283185307179586477 / LFT_P_CELLS;
    double       share[LFT_P_LANES];
    int          i, j, l;
    LFT_P(haar_from)(u, a->z.c);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int cell = lft_p_alias_pick(table[l], u[12][l]);
        a->re[2][l]    = step * (cell / LFT_P_CELLS + u[13][l]);
        a->im[2][l]    = step * (cell % LFT_P_CELLS + u[14][l]);
        a->bound[l]    = table[l]->weight[cell];
    }
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(a->re[2][l], a->im[0] + l, a->re[0] + l);
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(a->im[2][l], a->im[1] + l, a->re[1] + l);
    for (l = 0; l < LFT_P_LANES; ++l) {
        double c[3], s[3];
        c[0] = a->re[0][l], c[1] = a->re[1][l], s[0] = a->im[0][l], s[1] = a->im[1][l];
        LFT_P(third_angle)(c, s);
        a->re[2][l] = c[2], a->im[2][l] = s[2];
        a->tr[l] = c[0] + c[1] + c[2], a->ti[l] = s[0] + s[1] + s[2];
        a->density[l] = LFT_P(class_density)(c, s);
    }
    for (j = 0; j < 3; ++j) {
        for (l = 0; l < LFT_P_LANES; ++l) a->dr[j][l] = a->di[j][l] = 0;
        for (i = 0; i < 3; ++i) {
            const lft_v re = a->z.c[LFT_P_RE(j, i)], im = a->z.c[LFT_P_IM(j, i)];
            LFT_P(to_wide)(share, re * re + im * im);
            for (l = 0; l < LFT_P_LANES; ++l) a->dr[j][l] += share[l] * a->re[i][l], a->di[j][l] += share[l] * a->im[i][l];
        }
    }
}

/* e^i phase, the half of it, and for two single plaquettes the rung of each lane: Re tr w (1 + p^+) = Re tr y D with
 * w = y p^1/2 and D = diag(2 cos(phase / 2)); phases add up to 0, so that p^1/2 is of the group. */
typedef struct LFT_P(halves) {
    double             re[3][LFT_P_LANES], im[3][LFT_P_LANES], d[3][LFT_P_LANES], half_im[3][LFT_P_LANES];
    double             least[LFT_P_LANES], most[LFT_P_LANES]; /* c, and sum |D - c| */
    const lft_p_alias *table[LFT_P_LANES];
} LFT_P(halves);

LFT_P_STATIC void LFT_P(halves_of)(LFT_P(halves) *h, const LFT_P(kernel) *k, const lft_v *phase)
{
    const double pi = 3.14159265358979323846;
    double       angle[3][LFT_P_LANES];
    int          i, l;
    for (i = 0; i < 3; ++i) LFT_P(to_wide)(angle[i], phase[i]);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double sum = angle[0][l] + angle[1][l] + angle[2][l], turn = sum > pi ? -2 * pi : sum < -pi ? 2 * pi : 0;
        double       least = 2;
        int          far = 0, rung;
        for (i = 1; i < 3; ++i) far = turn * angle[i][l] < turn * angle[far][l] ? i : far;
        angle[far][l] += turn;
        for (i = 0; i < 3; ++i) {
            double s, c;
            lft_p_f64_p_sincos(0.5 * angle[i][l], &s, &c);
            h->re[i][l] = c * c - s * s, h->im[i][l] = 2 * s * c;
            h->d[i][l] = 2 * c, h->half_im[i][l] = s;
            least = 2 * c < least ? 2 * c : least;
        }
        rung        = least > 0 ? (int)(least * (0.5 * LFT_P_RUNGS)) : 0;
        h->least[l] = rung * (2.0 / LFT_P_RUNGS);
        h->most[l]  = 0;
        for (i = 0; i < 3; ++i) {
            const double more = h->d[i][l] - h->least[l];
            h->most[l] += more < 0 ? -more : more;
        }
        h->table[l] = k->ladder ? k->ladder + rung : &k->table;
    }
}

/* tr w^+ p of an attempt w, where p has the eigenvalues h.re + i h.im. */
LFT_P_STATIC void LFT_P(rest_trace)(const LFT_P(attempt) *a, const LFT_P(halves) *h, const int *of, double *re, double *im)
{
    int j, l;
    for (l = 0; l < LFT_P_LANES; ++l) re[l] = im[l] = 0;
    for (j = 0; j < 3; ++j) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double hr = h->re[j][of[l]], hi = h->im[j][of[l]];
            re[l] += a->dr[j][l] * hr + a->di[j][l] * hi;
            im[l] += a->dr[j][l] * hi - a->di[j][l] * hr;
        }
    }
}

/* w from kappa_small, accepted with kappa_large(w^+ p) / kappa_large(1), in the basis in which p is diagonal. Two single
 * plaquettes: y from the rung c Re tr y below, accepted with exp(slope [Re tr y (D - c) - sum |D - c|]). */
LFT_P_STATIC int LFT_P(split)(const LFT_P(kernel) *small, const LFT_P(kernel) *large, lft_draw d, uint32_t pair, const lft_u *p,
                              lft_u *w)
{
    const int          ones = large->area == 1 && small->ladder;
    const lft_m        bad  = LFT_P(nonfinite)(LFT_P(trace)(p, NULL));
    const lft_p_alias *table[LFT_P_LANES];
    LFT_P(crew)        crew;
    LFT_P(attempt)     a;
    LFT_P(halves)      h;
    lft_v              phase[3], kept_re[3], kept_im[3];
    lft_u              basis, z, x;
    double             u[16][LFT_P_LANES], value[LFT_P_LANES], other[LFT_P_LANES], re[LFT_P_LANES], im[LFT_P_LANES];
    int                j, l;
    LFT_P(eigen)(p, &basis, phase);
    LFT_P(halves_of)(&h, small, phase);
    LFT_P(one)(z.c);
    for (j = 0; j < 3; ++j) kept_re[j] = lft_splat(1), kept_im[j] = lft_splat(0);
    LFT_P(crew_start)(&crew, bad);
    while (LFT_P(crew_assign)(&crew)) {
        const int *of = crew.of;
        LFT_P(crew_uniforms)(&crew, &d, pair, 8, u);
        for (l = 0; l < LFT_P_LANES; ++l) table[l] = ones ? h.table[of[l]] : &small->table;
        LFT_P(attempt_of)(&a, table, u);
        if (ones) {
            for (l = 0; l < LFT_P_LANES; ++l) {
                re[l] = a.dr[0][l] * h.d[0][of[l]] + a.dr[1][l] * h.d[1][of[l]] + a.dr[2][l] * h.d[2][of[l]];
                re[l] = small->slope * (re[l] - 3 * h.least[of[l]] - h.most[of[l]]);
            }
            for (l = 0; l < LFT_P_LANES; ++l) value[l] = lft_p_f64_p_exp(re[l]);
            for (l = 0; l < LFT_P_LANES; ++l) other[l] = u[15][l] * a.bound[l];
        } else {
            LFT_P(rest_trace)(&a, &h, of, re, im);
            LFT_P(kernel_value)(large, re, im, value);
            LFT_P(kernel_value)(small, a.tr, a.ti, other);
            for (l = 0; l < LFT_P_LANES; ++l) {
                value[l] *= other[l];
                other[l] = u[15][l] * a.bound[l] * large->most;
            }
        }
        for (l = 0; l < LFT_P_LANES; ++l) value[l] *= a.density[l];
        LFT_P(crew_settle)(&crew, other, value);
        for (j = 0; j < 18; ++j) LFT_P(crew_move)(&crew, z.c + j, a.z.c[j]);
        for (j = 0; j < 3; ++j) {
            LFT_P(crew_move_wide)(&crew, kept_re + j, a.re[j]);
            LFT_P(crew_move_wide)(&crew, kept_im + j, a.im[j]);
        }
    }
    x = z;
    for (j = 0; j < 9; ++j) { /* columns times e^i alpha */
        const lft_v c = x.c[2 * j], s = x.c[2 * j + 1];
        x.c[2 * j]     = c * kept_re[j % 3] - s * kept_im[j % 3];
        x.c[2 * j + 1] = c * kept_im[j % 3] + s * kept_re[j % 3];
    }
    LFT_P(mul_adj)(w, &x, &z);
    for (j = 0; j < 9 && ones; ++j) { /* and y times p^1/2 */
        const lft_v c = w->c[2 * j], s = w->c[2 * j + 1];
        double      half[LFT_P_LANES];
        lft_v       hr, hi;
        for (l = 0; l < LFT_P_LANES; ++l) half[l] = 0.5 * h.d[j % 3][l];
        hr = LFT_P(from_wide)(half), hi = LFT_P(from_wide)(h.half_im[j % 3]);
        w->c[2 * j]     = c * hr - s * hi;
        w->c[2 * j + 1] = c * hi + s * hr;
    }
    LFT_P(mul)(&x, &basis, w);
    LFT_P(mul_adj)(w, &x, &basis);
    return crew.open > 0 || LFT_P(any)(bad);
}

#endif /* LFT_P_CODE */
