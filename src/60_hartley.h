/* 60_hartley.h: the separable Hartley transform of a field, for any extents.
 * Offers (private): LFT_P(hartley), LFT_P(hartley_init)(), LFT_P(hartley_apply)(), _rows() and _columns(), its two parts.
 *
 *   (H f)(k) = prod_mu L_mu^{-1/2} sum_x f(x) prod_mu cas(2 pi k_mu x_mu / L_mu),   cas = cos + sin
 *
 * Real, orthogonal and its own inverse. A convolution with a kernel that is even along every axis is diagonal in it.
 *
 * One axis of extent L: with e_j = f_j + f_{L-j} and o_j = f_j - f_{L-j}, (Hf)_k = c_k + s_k and (Hf)_{L-k} = c_k - s_k,
 * where c_k = sum_j e_j cos(2 pi jk/L) and s_k = sum_j o_j sin(2 pi jk/L). While the period P is even, cos and sin are
 * even or odd under j -> P/2 - j according to the parity of k: one butterfly splits off the odd k and leaves the same
 * problem of period P/2. What remains are small dense products, which run near the peak of the machine. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_HARTLEY_FIXED 32 /* the largest extent with unrolled code */
#define LFT_P_HARTLEY_DENSE 4  /* periods up to this one are not split */
#if LFT_P_VECTOR_BYTES == 64
#define LFT_P_HARTLEY_LINES 4 /* lines at a time: 2 momenta x (cos, sin) x 4 lines fill half of 32 registers */
#else
#define LFT_P_HARTLEY_LINES 2
#endif

typedef struct LFT_P(hartley_axis) {
    int             extent;
    const lft_real *coefficient; /* of all classes, in the order in which they are used */
} LFT_P(hartley_axis);

typedef struct LFT_P(hartley) {
    LFT_(lattice)       lattice;
    LFT_P(hartley_axis) axis[LFT_DIM]; /* equal extents share their coefficients */
} LFT_P(hartley);

/* One class: the momenta first + step*i, and the rows of a line that they are sums over. Row j of a line holds e_j, row
 * L - j holds o_j; a split leaves the half problem at small j and puts the rows of the odd momenta at P/2 - j, so that
 * everything happens in place. */
typedef struct LFT_P(hartley_class) {
    int first, step, count;
    int e_at, e_n, o_at, o_n;
} LFT_P(hartley_class);

LFT_P_INLINE int LFT_P(hartley_splits)(int period)
{
    return period % 2 == 0 && period > LFT_P_HARTLEY_DENSE;
}

/* The odd momenta of level 0, 1, ... while the period extent >> level splits; all the momenta of the first that does not. */
LFT_P_INLINE LFT_P(hartley_class) LFT_P(hartley_class_of)(int extent, int level)
{
    LFT_P(hartley_class) c;
    int                  period = extent >> level, half = period / 2;
    if (LFT_P(hartley_splits)(period)) {
        c.first = 1 << level, c.step = 2 << level, c.count = (half + 1) / 2;
        c.e_at = half / 2 + 1, c.e_n = half - half / 2;
        c.o_at = extent - half + 1, c.o_n = half / 2;
    } else {
        c.first = 0, c.step = 1 << level, c.count = half + 1;
        c.e_at = 0, c.e_n = half + 1;
        c.o_n = (period - 1) / 2, c.o_at = extent - c.o_n;
    }
    return c;
}

/* Coefficients of an extent in the order of use; returns how many there are; to == NULL only counts. */
LFT_P_STATIC size_t LFT_P(hartley_coefficients)(int extent, lft_real *to)
{
    const double scale = 1 / lft_p_f64_p_sqrt((double)extent);
    size_t       n     = 0;
    int          level, i, r, more;
    for (level = 0, more = 1; more; ++level) {
        LFT_P(hartley_class) c = LFT_P(hartley_class_of)(extent, level);
        int half               = (extent >> level) / 2;
        more                   = LFT_P(hartley_splits)(extent >> level);
        if (!to) n += (size_t)c.count * (size_t)(c.e_n + c.o_n);
        for (i = 0; to && i < c.count; ++i) {
            for (r = 0; r < c.e_n + c.o_n; ++r, ++n) {
                int     row = r < c.e_n ? c.e_at + r : extent - (c.o_at + r - c.e_n);
                int64_t jk  = (int64_t)(more ? half - row : row) * (c.first + c.step * i);
                double  s, co;
                lft_p_f64_p_sincos(6.283185307179586476925 * (double)(jk % extent) / extent, &s, &co);
                to[n] = (lft_real)(scale * (r < c.e_n ? co : s));
            }
        }
    }
    return n;
}

LFT_P_STATIC void LFT_P(hartley_init)(LFT_P(hartley) *h, const LFT_(lattice) *lattice, lft_arena *arena)
{
    int mu, nu;
    h->lattice = *lattice;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        const int extent = lattice->extent[mu];
        for (nu = 0; lattice->extent[nu] != extent; ++nu) {}
        h->axis[mu].extent = extent;
        if (nu < mu) {
            h->axis[mu] = h->axis[nu];
        } else {
            size_t    n               = LFT_P(hartley_coefficients)(extent, NULL);
            lft_real *w               = (lft_real *)lft_arena_alloc(arena, n, sizeof(lft_real));
            h->axis[mu].coefficient = w;
            if (w) LFT_P(hartley_coefficients)(extent, w);
        }
    }
}

/* Vectors of scratch that hartley_apply needs. */
static inline size_t LFT_P(hartley_panel)(const LFT_(lattice) *lattice)
{
    int mu, most = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) most = lattice->extent[mu] > most ? lattice->extent[mu] : most;
    return (size_t)most * LFT_P_HARTLEY_LINES;
}

/* One line of an extent that is a constant at the call: all loops unroll, and the line lives in registers. */
LFT_P_INLINE void LFT_P(hartley_fixed)(const int extent, const lft_real *w, lft_v *x, int element)
{
    lft_v p[LFT_P_HARTLEY_FIXED];
    int   i, j, r, level;
    p[0] = x[0];
    LFT_P_UNROLL for (j = 1; j < (extent + 1) / 2; ++j)
    {
        lft_v a = x[j * element], b = x[(extent - j) * element];
        p[j]          = a + b;
        p[extent - j] = a - b;
    }
    if (extent % 2 == 0) p[extent / 2] = x[extent / 2 * element];
    LFT_P_UNROLL for (level = 0; level < 5; ++level)
    {
        const LFT_P(hartley_class) c = LFT_P(hartley_class_of)(extent, level);
        const int split = LFT_P(hartley_splits)(extent >> level), half = (extent >> level) / 2;
        if (split) {
            LFT_P_UNROLL for (j = 0; j < (half + 1) / 2; ++j)
            {
                lft_v a = p[j], b = p[half - j];
                p[j]        = a + b;
                p[half - j] = a - b;
            }
            LFT_P_UNROLL for (j = 1; j < (half + 1) / 2; ++j)
            {
                lft_v a = p[extent - j], b = p[extent - half + j];
                p[extent - j]        = a - b;
                p[extent - half + j] = a + b;
            }
        }
        LFT_P_UNROLL for (i = 0; i < c.count; ++i)
        {
            const int k    = c.first + c.step * i;
            lft_v     even = lft_splat(0), odd = lft_splat(0);
            LFT_P_UNROLL for (r = 0; r < c.e_n; ++r) even += w[r] * p[c.e_at + r];
            w += c.e_n;
            LFT_P_UNROLL for (r = 0; r < c.o_n; ++r) odd += w[r] * p[c.o_at + r];
            w += c.o_n;
            x[(k ? extent - k : 0) * element] = even - odd;
            x[k * element]                    = even + odd; /* odd is 0 where k is its own mirror */
        }
        if (!split) break;
    }
}

/* Reads `lines` lines into the panel, with all butterflies. */
LFT_P_INLINE void LFT_P(hartley_fold)(int extent, const lft_v *x, int element, int line, int lines, lft_v *panel)
{
    int j, l, period = extent;
    for (l = 0; l < lines; ++l) panel[l] = x[l * line];
    for (j = 1; 2 * j < extent; ++j) {
        for (l = 0; l < lines; ++l) {
            lft_v a = x[j * element + l * line], b = x[(extent - j) * element + l * line];
            panel[j * lines + l]            = a + b;
            panel[(extent - j) * lines + l] = a - b;
        }
    }
    if (2 * j == extent) {
        for (l = 0; l < lines; ++l) panel[j * lines + l] = x[j * element + l * line];
    }
    for (; LFT_P(hartley_splits)(period); period /= 2) {
        int half = period / 2;
        for (j = 0; 2 * j < half; ++j) {
            lft_v *p = panel + j * lines, *q = panel + (half - j) * lines;
            for (l = 0; l < lines; ++l) {
                lft_v a = p[l], b = q[l];
                p[l] = a + b;
                q[l] = a - b;
            }
        }
        for (j = 1; 2 * j < half; ++j) {
            lft_v *p = panel + (extent - j) * lines, *q = panel + (extent - half + j) * lines;
            for (l = 0; l < lines; ++l) {
                lft_v a = p[l], b = q[l];
                p[l] = a - b;
                q[l] = a + b;
            }
        }
    }
}

/* Momenta i and, if `two`, i + 1 of a class, from the panel to their places and their mirrors. `two` and `lines` are
 * constants after inlining, so that the sums live in registers. */
LFT_P_INLINE void LFT_P(hartley_tile)(LFT_P(hartley_class) c, int i, int two, const lft_real *w, const lft_v *panel,
                                      int extent, lft_v *x, int element, int line, int lines)
{
    const int    row = c.e_n + c.o_n, momenta = 1 + two;
    const lft_v *e = panel + c.e_at * lines, *o = panel + c.o_at * lines;
    lft_v        even[2][LFT_P_HARTLEY_LINES], odd[2][LFT_P_HARTLEY_LINES];
    int          r, m, l;
    w += i * row;
    for (m = 0; m < momenta; ++m) {
        for (l = 0; l < lines; ++l) even[m][l] = odd[m][l] = lft_splat(0);
    }
    for (r = 0; r < c.e_n; ++r) {
        for (m = 0; m < momenta; ++m) {
            for (l = 0; l < lines; ++l) even[m][l] += w[m * row + r] * e[r * lines + l];
        }
    }
    w += c.e_n;
    for (r = 0; r < c.o_n; ++r) {
        for (m = 0; m < momenta; ++m) {
            for (l = 0; l < lines; ++l) odd[m][l] += w[m * row + r] * o[r * lines + l];
        }
    }
    for (m = 0; m < momenta; ++m) {
        int k = c.first + c.step * (i + m), mirror = k ? extent - k : 0;
        for (l = 0; l < lines; ++l) {
            x[mirror * element + l * line] = even[m][l] - odd[m][l];
            x[k * element + l * line]      = even[m][l] + odd[m][l];
        }
    }
}

LFT_P_INLINE void LFT_P(hartley_general)(const LFT_P(hartley_axis) *axis, lft_v *x, int element, int line, int lines,
                                         lft_v *panel)
{
    const lft_real *w = axis->coefficient;
    int             extent = axis->extent, level, i, more;
    LFT_P(hartley_fold)(extent, x, element, line, lines, panel);
    for (level = 0, more = 1; more; ++level) {
        const LFT_P(hartley_class) c = LFT_P(hartley_class_of)(extent, level);
        for (i = 0; i + 2 <= c.count; i += 2) {
            LFT_P(hartley_tile)(c, i, 1, w, panel, extent, x, element, line, lines);
        }
        if (i < c.count) LFT_P(hartley_tile)(c, i, 0, w, panel, extent, x, element, line, lines);
        w += c.count * (c.e_n + c.o_n);
        more = LFT_P(hartley_splits)(extent >> level);
    }
}

/* n lines that start `line` vectors apart. The extents with unrolled code are those of the usual lattices; it is three
 * times as fast at L = 6 and 12 as the general code, whose short loops mispredict their ends. */
LFT_P_NOINLINE void LFT_P(hartley_lines)(const LFT_P(hartley_axis) *axis, lft_v *x, int element, int line, int n,
                                         lft_v *panel)
{
    const lft_real *w = axis->coefficient;
    int             i = 0;
    switch (axis->extent) {
    case 2: for (; i < n; ++i) LFT_P(hartley_fixed)(2, w, x + i * line, element); return;
    case 3: for (; i < n; ++i) LFT_P(hartley_fixed)(3, w, x + i * line, element); return;
    case 4: for (; i < n; ++i) LFT_P(hartley_fixed)(4, w, x + i * line, element); return;
    case 5: for (; i < n; ++i) LFT_P(hartley_fixed)(5, w, x + i * line, element); return;
    case 6: for (; i < n; ++i) LFT_P(hartley_fixed)(6, w, x + i * line, element); return;
    case 8: for (; i < n; ++i) LFT_P(hartley_fixed)(8, w, x + i * line, element); return;
    case 10: for (; i < n; ++i) LFT_P(hartley_fixed)(10, w, x + i * line, element); return;
    case 12: for (; i < n; ++i) LFT_P(hartley_fixed)(12, w, x + i * line, element); return;
    case 16: for (; i < n; ++i) LFT_P(hartley_fixed)(16, w, x + i * line, element); return;
    case 20: for (; i < n; ++i) LFT_P(hartley_fixed)(20, w, x + i * line, element); return;
    case LFT_P_HARTLEY_FIXED:
        for (; i < n; ++i) LFT_P(hartley_fixed)(LFT_P_HARTLEY_FIXED, w, x + i * line, element);
        return;
    default: break;
    }
    for (; i + LFT_P_HARTLEY_LINES <= n; i += LFT_P_HARTLEY_LINES) {
        LFT_P(hartley_general)(axis, x + i * line, element, line, LFT_P_HARTLEY_LINES, panel);
    }
    for (; i < n; ++i) LFT_P(hartley_general)(axis, x + i * line, element, line, 1, panel);
}

/* One part of the transform: along the last axis, of `rows` rows from x on that start `row` vectors apart. panel:
 * hartley_panel() vectors of scratch. */
static inline void LFT_P(hartley_rows)(const LFT_P(hartley) *h, lft_v *x, int rows, int row, lft_v *panel)
{
    const LFT_P(hartley_axis) *axis = h->axis + LFT_DIM - 1;
    if (axis->extent > 1) LFT_P(hartley_lines)(axis, x, 1, row, rows, panel);
}

/* The other part: along all other axes, of the whole field. The two may come in either order. What stands between the rows is
 * lost. */
static inline void LFT_P(hartley_columns)(const LFT_P(hartley) *h, lft_v *x, int row, lft_v *panel)
{
    const int length = h->axis[LFT_DIM - 1].extent, size = h->lattice.volume / length * row;
    int       mu, at, inner = row;
    for (mu = LFT_DIM - 2; mu >= 0; --mu) {
        const int extent = h->axis[mu].extent;
        for (at = 0; extent > 1 && at < size; at += extent * inner) {
            LFT_P(hartley_lines)(h->axis + mu, x + at, inner, 1, mu == LFT_DIM - 2 ? length : inner, panel);
        }
        inner *= extent;
    }
}

/* x[site] <- (H x)[momentum], in place, both in row-major order. */
static inline void LFT_P(hartley_apply)(const LFT_P(hartley) *h, lft_v *x, lft_v *panel)
{
    const int length = h->axis[LFT_DIM - 1].extent;
    LFT_P(hartley_rows)(h, x, h->lattice.volume / length, length, panel);
    LFT_P(hartley_columns)(h, x, length, panel);
}

#endif /* LFT_P_CODE */
