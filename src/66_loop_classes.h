/* 66_loop_classes.h: products of traces of closed paths, their classes, and what derivatives make of them. Symbols, no fields.
 * Offers (private): LFT_P(traces), LFT_P(classes), LFT_P(classes_find)(), _laplacian, _times_plaquettes, LFT_P(traces_member)(),
 * _moving, _moved, _reversed, _home, _normal, LFT_P(letter_moves)(), LFT_P(path_walk)(); LFT_P_CLASSES, _ORDERS,
 * _SYMMETRIES.
 *
 * A path is a list of links, each as it is or adjoint; the trace of a closed one is a Wilson loop. A class is the sum of all
 * images of one product of traces under translations, the hypercubic group and reversal of all paths at once (complex
 * conjugation), each image once: real and invariant. With
 *   sum_a T^a X T^a = -(tr X - X / N) / 2,   sum_a tr T^a X tr T^a Y = -(tr X Y - tr X tr Y / N) / 2;   U(1): T = i
 * derivatives only cut and join traces, so that of two kinds of expressions nothing but the coefficients has to be worked out:
 *   L W_i = -sum_l d_l^a d_l^a W_i = sum_j D_ij W_j + constant
 *   sum_l d_l^a W_0 d_l^a W_i      = sum_j G_ij W_j + constant,   W_0 the plaquettes
 * The classes of order n are those that appear in the n-th order of the trivializing map (0907.5491): W_0 is that of order 1, the
 * others are found by G from those of the order before, and by D. Paths that go back on themselves are cut off; and so that
 * classes are independent: in U(1) only the number of times that each link is passed counts. In SU(2) all traces are real and
 * tr A tr B = tr A B + tr A B^+. In SU(3) tr X X Y = tr X tr X Y - (tr X)^* tr Y + tr X^+ Y.
 *
 * Along axes with a period, those of a lattice that is too small, sites are the same modulo it: links of a path may be the same
 * that are not on a large lattice, paths may close around, and classes that differ there may be one. The images are those under
 * what leaves the lattice as it is: only axes of the same period change places. As a class may have images that are their own
 * translations, it is the sum over all translations of each image that is not another's. Not beside a doubled axis.
 *
 * Of a doubled axis only the new links move, those across it at odd coordinates: l runs over them, and the images are those under
 * what leaves them where they are: translations along the axis by two, the axis turned round, all that the others have. Then
 * there are two classes of plaquettes, along the axis and, from three dimensions on, across it where links are new; the others,
 * and all other products of links that stay, are constants of both expressions. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_ORDERS  (LFT_DIM == 2 && LFT_P_COLOURS < 3 ? 8 : 4) /* beyond there is no room for the classes */
#define LFT_P_CLASSES (LFT_DIM == 2 ? 128 : LFT_P_COLOURS == 3 ? 160 : LFT_DIM == 3 && LFT_P_COLOURS == 1 ? 512 : 128)
#define LFT_P_LETTERS (4 * (LFT_P_ORDERS + 1)) /* of a class of the last order times a plaquette */
#define LFT_P_TRACES  (LFT_P_COLOURS == 1 ? 2 : LFT_P_ORDERS + 2)
#define LFT_P_SYMMETRIES ((1 << LFT_DIM) * (LFT_DIM == 4 ? 24 : LFT_DIM == 3 ? 6 : LFT_DIM)) /* of the hypercubic group */

/* A letter is a link on a path: its site, its direction, and whether it is adjoint. */
typedef struct LFT_P(traces) {
    int doubled; /* axis + 1, 0: none */
    int period[LFT_DIM]; /* 0: none; otherwise sites are from 0 to below it */
    int traces, length[LFT_P_TRACES], letter[LFT_P_TRACES][LFT_P_LETTERS];
} LFT_P(traces);

typedef struct LFT_P(classes) {
    int           count, full; /* full: more were found than there is room for */
    int           moving; /* of them, the first: those with links that move */
    LFT_P(traces)  one[LFT_P_CLASSES]; /* a member of each */
    uint64_t      mark[LFT_P_CLASSES]; /* of all its images */
    int           size[LFT_P_CLASSES]; /* members, translations apart */
    int           upto[LFT_P_ORDERS + 1]; /* moving classes of orders up to this */
} LFT_P(classes);

/* What an expression is in classes: the coefficients, last the constant. */
typedef struct LFT_P(in_classes) {
    double c[LFT_P_CLASSES + 1];
} LFT_P(in_classes);

/* The site of the same links within the periods. */
LFT_P_INLINE void LFT_P(wrapped)(const int *period, int *x)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        while (x[mu] < 0 && period[mu]) x[mu] += period[mu];
        while (x[mu] >= period[mu] && period[mu]) x[mu] -= period[mu];
    }
}

/* ---- letters --------------------------------------------------------------------------------------------------------- */

LFT_P_STATIC int LFT_P(letter_of)(const int *x, int mu, int adjoint)
{
    int i, site = 0;
    for (i = 0; i < LFT_DIM; ++i) site = site * 32 + x[i] + 16;
    return (site * 4 + mu) * 2 + adjoint;
}

LFT_P_INLINE int LFT_P(letter_adjoint)(int letter) { return letter & 1; }
LFT_P_INLINE int LFT_P(letter_axis)(int letter) { return letter >> 1 & 3; }
LFT_P_INLINE int LFT_P(letter_link)(int letter) { return letter >> 1; }

LFT_P_STATIC void LFT_P(letter_site)(int letter, int *x)
{
    int i, site = letter >> 3;
    for (i = LFT_DIM - 1; i >= 0; --i) {
        x[i] = site % 32 - 16;
        site /= 32;
    }
}

/* Whether it is a link that moves. */
LFT_P_STATIC int LFT_P(letter_moves)(int letter, int doubled)
{
    int x[LFT_DIM];
    LFT_P(letter_site)(letter, x);
    return !doubled || (LFT_P(letter_axis)(letter) != doubled - 1 && (x[doubled - 1] & 1));
}

/* The site that a path is at before this link. */
LFT_P_STATIC void LFT_P(letter_begin)(int letter, const int *period, int *x)
{
    LFT_P(letter_site)(letter, x);
    x[LFT_P(letter_axis)(letter)] += LFT_P(letter_adjoint)(letter);
    LFT_P(wrapped)(period, x);
}

/* ---- paths ----------------------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(path_reversed)(int *to, const int *from, int n)
{
    int i;
    for (i = 0; i < n; ++i) to[i] = from[n - 1 - i] ^ 1;
}

/* to = n letters of a closed path of `length` from number `begin` on. */
LFT_P_STATIC void LFT_P(path_part)(int *to, const int *path, int length, int begin, int n)
{
    int i;
    for (i = 0; i < n; ++i) to[i] = path[(begin + i) % length];
}

LFT_P_STATIC int LFT_P(path_compare)(const int *a, const int *b, int n)
{
    int i;
    for (i = 0; i < n && a[i] == b[i]; ++i) {}
    return i == n ? 0 : a[i] < b[i] ? -1 : 1;
}

LFT_P_STATIC void LFT_P(path_sort)(int *path, int n)
{
    int i, k;
    for (i = 1; i < n; ++i) {
        const int letter = path[i];
        for (k = i; k > 0 && path[k - 1] > letter; --k) path[k] = path[k - 1];
        path[k] = letter;
    }
}

/* Links that are passed back and forth are cut off: neighbours on the path; of U(1) wherever they are. */
LFT_P_STATIC int LFT_P(path_trimmed)(int *path, int n)
{
    int i, k, m;
    for (i = 0; i < n; ++i) {
        for (k = i + 1; k < n; ++k) {
            const int neighbours = k == i + 1 || (i == 0 && k == n - 1);
            if (path[i] != (path[k] ^ 1) || (LFT_P_COLOURS > 1 && !neighbours)) continue;
            for (m = i + 1; m < n; ++m) {
                if (m != k) path[m - (m < k ? 1 : 2)] = path[m];
            }
            n -= 2, i = -1;
            break;
        }
    }
    return n;
}

/* Whether a letter begins where the other one ends. */
LFT_P_STATIC int LFT_P(letter_follows)(int letter, int before, const int *period)
{
    int x[LFT_DIM], y[LFT_DIM];
    LFT_P(letter_begin)(letter, period, x);
    LFT_P(letter_begin)(before ^ 1, period, y);
    return LFT_P(path_compare)(x, y, LFT_DIM) == 0;
}

/* The links of U(1) in an order in which they can be walked along: circles, each begun where one before it passes. */
LFT_P_STATIC void LFT_P(path_walk)(int *path, int n, const int *period)
{
    int left[LFT_P_LETTERS], done, at = 0, i, k;
    lft_p_copy(left, path, (size_t)n * sizeof(int));
    for (done = 0; done < n; ++done) {
        for (i = 0; i < n - done && at > 0 && !LFT_P(letter_follows)(left[i], path[at - 1], period); ++i) {}
        for (k = done; k > 0 && i == n - done; --k) {
            for (i = 0; i < n - done && !LFT_P(letter_follows)(left[i], path[k - 1], period); ++i) {}
            at = k;
        }
        if (i == n - done) i = 0, at = done;
        for (k = done; k > at; --k) path[k] = path[k - 1];
        path[at++] = left[i];
        for (k = i + 1; k < n - done; ++k) left[k - 1] = left[k];
    }
}

/* The first letter is chosen; of U(1), all of their order; of SU(2), the direction. */
LFT_P_STATIC void LFT_P(path_normal)(int *path, int n)
{
    int best[LFT_P_LETTERS], turned[LFT_P_LETTERS], other[LFT_P_LETTERS], i, reversed;
    if (LFT_P_COLOURS == 1) {
        LFT_P(path_sort)(path, n);
        return;
    }
    lft_p_copy(best, path, (size_t)n * sizeof(int));
    for (reversed = 0; reversed < (LFT_P_COLOURS == 2 ? 2 : 1); ++reversed) {
        if (reversed) LFT_P(path_reversed)(other, path, n);
        for (i = 0; i < n; ++i) {
            if ((reversed ? other : path)[i] > best[0]) continue;
            LFT_P(path_part)(turned, reversed ? other : path, n, i, n);
            if (LFT_P(path_compare)(turned, best, n) < 0) lft_p_copy(best, turned, (size_t)n * sizeof(int));
        }
    }
    lft_p_copy(path, best, (size_t)n * sizeof(int));
}

/* ---- products of traces ---------------------------------------------------------------------------------------------- */

/* How many links of it move. */
LFT_P_STATIC int LFT_P(traces_moving)(const LFT_P(traces) *p)
{
    int t, i, n = 0;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) n += LFT_P(letter_moves)(p->letter[t][i], p->doubled);
    }
    return n;
}

LFT_P_STATIC void LFT_P(traces_add)(LFT_P(traces) *p, const int *path, int n)
{
    lft_p_copy(p->letter[p->traces], path, (size_t)n * sizeof(int));
    p->length[p->traces++] = n;
}

LFT_P_STATIC void LFT_P(traces_remove)(LFT_P(traces) *p, int t)
{
    for (--p->traces; t < p->traces && t + 1 < LFT_P_TRACES; ++t) { /* the bound is for compilers */
        p->length[t] = p->length[t + 1];
        lft_p_copy(p->letter[t], p->letter[t + 1], sizeof p->letter[t]);
    }
}

LFT_P_STATIC void LFT_P(traces_reversed)(LFT_P(traces) *to, const LFT_P(traces) *from)
{
    int t;
    *to = *from;
    for (t = 0; t < from->traces; ++t) LFT_P(path_reversed)(to->letter[t], from->letter[t], from->length[t]);
}

/* -1, 0, 1; of products with the same lengths. */
LFT_P_STATIC int LFT_P(traces_compare)(const LFT_P(traces) *a, const LFT_P(traces) *b)
{
    int t, order = 0;
    for (t = 0; t < a->traces && !order; ++t) order = LFT_P(path_compare)(a->letter[t], b->letter[t], a->length[t]);
    return order;
}

LFT_P_STATIC int LFT_P(traces_same)(const LFT_P(traces) *a, const LFT_P(traces) *b)
{
    int t;
    if (a->traces != b->traces) return 0;
    for (t = 0; t < a->traces; ++t) {
        if (a->length[t] != b->length[t]) return 0;
    }
    return LFT_P(traces_compare)(a, b) == 0;
}

/* All sites less `by`. */
LFT_P_STATIC void LFT_P(traces_moved)(LFT_P(traces) *p, const int *by)
{
    int x[LFT_DIM], t, i, mu, periods = 0, move = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) move = move * 32 + by[mu], periods += p->period[mu] > 0;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) {
            int *letter = p->letter[t] + i;
            if (!periods) {
                *letter -= 8 * move;
                continue;
            }
            LFT_P(letter_site)(*letter, x);
            for (mu = 0; mu < LFT_DIM; ++mu) x[mu] -= by[mu];
            LFT_P(wrapped)(p->period, x);
            *letter = LFT_P(letter_of)(x, LFT_P(letter_axis)(*letter), LFT_P(letter_adjoint)(*letter));
        }
    }
}

/* Moved to where the least coordinate of its links along each axis is 0; of a doubled axis 0 or 1; of one with a period, where the
 * first link is at 0. */
LFT_P_STATIC void LFT_P(traces_home)(LFT_P(traces) *p)
{
    int x[LFT_DIM], least[LFT_DIM], t, i, mu;
    for (mu = 0; mu < LFT_DIM; ++mu) least[mu] = 1000;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) {
            LFT_P(letter_site)(p->letter[t][i], x);
            for (mu = 0; mu < LFT_DIM; ++mu) least[mu] = x[mu] < least[mu] ? x[mu] : least[mu];
        }
    }
    if (p->doubled) least[p->doubled - 1] &= ~1;
    LFT_P(letter_site)(p->letter[0][0], x);
    for (mu = 0; mu < LFT_DIM; ++mu) least[mu] = p->period[mu] ? x[mu] : least[mu];
    LFT_P(traces_moved)(p, least);
}

/* One form of all ways to write it. */
LFT_P_STATIC void LFT_P(traces_ordered)(LFT_P(traces) *p)
{
    int t, k;
    for (t = 0; t < p->traces; ++t) LFT_P(path_normal)(p->letter[t], p->length[t]);
    for (t = 1; t < p->traces; ++t) { /* sorted by length and letters */
        const LFT_P(traces) q = *p;
        for (k = t; k > 0; --k) {
            const int n = q.length[t];
            if (p->length[k - 1] < n) break;
            if (p->length[k - 1] == n && LFT_P(path_compare)(p->letter[k - 1], q.letter[t], n) <= 0) break;
            p->length[k] = p->length[k - 1];
            lft_p_copy(p->letter[k], p->letter[k - 1], sizeof p->letter[k]);
        }
        p->length[k] = q.length[t];
        lft_p_copy(p->letter[k], q.letter[t], sizeof p->letter[k]);
    }
}

/* One form of all translated ones and of all ways to write them. With periods the least of those that have one of its links at 0:
 * not any, but one of the first kind among the shortest paths. */
LFT_P_STATIC void LFT_P(traces_normal)(LFT_P(traces) *p)
{
    const int    kind = LFT_P_COLOURS == 2 ? 6 : 7; /* axis and, where it has a meaning, direction */
    int          x[LFT_DIM], t, i, mu, periods = 0, shortest = p->length[0], least = 7;
    LFT_P(traces) best, q;
    LFT_P(traces_home)(p);
    for (mu = 0; mu < LFT_DIM; ++mu) periods += p->period[mu] > 0;
    if (!periods) {
        LFT_P(traces_ordered)(p);
        return;
    }
    for (t = 1; t < p->traces; ++t) shortest = p->length[t] < shortest ? p->length[t] : shortest;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t] && p->length[t] == shortest; ++i) {
            least = (p->letter[t][i] & kind) < least ? p->letter[t][i] & kind : least;
        }
    }
    best.traces = 0;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t] && p->length[t] == shortest; ++i) {
            if ((p->letter[t][i] & kind) != least) continue;
            LFT_P(letter_site)(p->letter[t][i], x);
            for (mu = 0; mu < LFT_DIM; ++mu) x[mu] = p->period[mu] ? x[mu] : 0;
            q = *p;
            LFT_P(traces_moved)(&q, x);
            LFT_P(traces_ordered)(&q);
            if (!best.traces || LFT_P(traces_compare)(&q, &best) < 0) best = q;
        }
    }
    *p = best;
}

/* The hypercubic group: axis i becomes axis to[i], and is turned round where turn[i] is 1. Element g < 2^d d!. */
LFT_P_STATIC void LFT_P(symmetry)(int g, int *to, int *turn)
{
    int i, k, code = g >> LFT_DIM;
    for (i = 0; i < LFT_DIM; ++i) turn[i] = g >> i & 1;
    for (i = 0; i < LFT_DIM; ++i) { /* axis i goes to place code % (i + 1) of those before it */
        const int at = code % (i + 1);
        code /= i + 1;
        for (k = 0; k < i; ++k) to[k] += to[k] >= at;
        to[i] = at;
    }
}

/* The image of p under element g, in normal form; 0 where that does not leave a doubled axis and periods as they are. */
LFT_P_STATIC int LFT_P(traces_member)(LFT_P(traces) *to, const LFT_P(traces) *p, int g)
{
    int axis[LFT_DIM], turn[LFT_DIM], x[LFT_DIM], y[LFT_DIM], t, i, mu;
    LFT_P(symmetry)(g, axis, turn);
    if (p->doubled && axis[p->doubled - 1] != p->doubled - 1) return 0;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (p->period[axis[mu]] != p->period[mu]) return 0;
    }
    *to = *p;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) {
            const int letter = p->letter[t][i], along = LFT_P(letter_axis)(letter);
            LFT_P(letter_site)(letter, x);
            for (mu = 0; mu < LFT_DIM; ++mu) y[axis[mu]] = turn[mu] ? -x[mu] : x[mu];
            y[axis[along]] -= turn[along];
            LFT_P(wrapped)(p->period, y);
            to->letter[t][i] = LFT_P(letter_of)(y, axis[along], LFT_P(letter_adjoint)(letter) ^ turn[along]);
        }
    }
    LFT_P(traces_normal)(to);
    return 1;
}

/* A number that all images of p share: of the distances of its links, and which of an axis have the same direction. */
LFT_P_STATIC uint64_t LFT_P(traces_mark)(const LFT_P(traces) *p)
{
    int      at[LFT_P_TRACES * LFT_P_LETTERS][LFT_DIM], letter[LFT_P_TRACES * LFT_P_LETTERS], d[LFT_DIM], n = 0, t, i, k, mu, nu;
    uint64_t sum = 0;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i, ++n) {
            letter[n] = p->letter[t][i];
            LFT_P(letter_site)(letter[n], at[n]);
            for (mu = 0; mu < LFT_DIM; ++mu) at[n][mu] = 2 * at[n][mu] + (mu == LFT_P(letter_axis)(letter[n]));
        }
    }
    for (i = 0; i < n; ++i) {
        for (k = 0; k < i; ++k) {
            uint64_t key = 1;
            if (LFT_P(letter_axis)(letter[i]) == LFT_P(letter_axis)(letter[k])) {
                key = LFT_P_COLOURS == 2 ? 2 : 2 + (uint64_t)LFT_P(letter_adjoint)(letter[i] ^ letter[k]);
            }
            for (mu = 0; mu < LFT_DIM; ++mu) {
                int far = at[i][mu] - at[k][mu];
                far = far < 0 ? -far : far;
                if (p->period[mu] && far > p->period[mu]) far = 2 * p->period[mu] - far;
                for (nu = mu; nu > 0 && d[nu - 1] > far; --nu) d[nu] = d[nu - 1];
                d[nu] = far;
            }
            for (mu = 0; mu < LFT_DIM; ++mu) key = key * 64 + (uint64_t)d[mu];
            key *= 0x9e3779b97f4a7c15u;
            key ^= key >> 29;
            sum += key * 0xbf58476d1ce4e5b9u;
        }
    }
    return sum;
}

/* The class of p; a new one where it is none yet. -1 where there is no more room. */
LFT_P_STATIC int LFT_P(class_of)(LFT_P(classes) *s, const LFT_P(traces) *p)
{
    const uint64_t mark = LFT_P(traces_mark)(p);
    LFT_P(traces)  best = *p, q, r;
    int            g, i, reversed, elements = 0, same = 0;
    for (i = 0; i < s->count && s->mark[i] != mark; ++i) {}
    if (i == s->count && s->count == LFT_P_CLASSES) {
        s->full = 1;
        return -1;
    }
    LFT_P(traces_normal)(&best);
    for (i = 0; i < s->count; ++i) {
        if (LFT_P(traces_same)(s->one + i, &best)) return i;
    }
    for (g = 0; g < LFT_P_SYMMETRIES; ++g) {
        if (!LFT_P(traces_member)(&q, p, g)) continue;
        for (reversed = 0; reversed < 2; ++reversed, ++elements) {
            int order;
            if (reversed) {
                LFT_P(traces_reversed)(&r, &q);
                q = r;
                LFT_P(traces_normal)(&q);
            }
            order = LFT_P(traces_compare)(&q, &best);
            if (order < 0) best = q, same = 0;
            same += order <= 0;
        }
    }
    for (i = 0; i < s->count; ++i) {
        if (LFT_P(traces_same)(s->one + i, &best)) return i;
    }
    if (s->count == LFT_P_CLASSES) {
        s->full = 1;
        return -1;
    }
    s->one[s->count]  = best;
    s->mark[s->count] = mark;
    s->size[s->count] = elements / same;
    return s->count++;
}

/* ---- expressions in classes -------------------------------------------------------------------------------------------- */

/* SU(2): tr A tr B of two traces through one site, q and r the two that it becomes; 0 where there are none. */
LFT_P_STATIC int LFT_P(traces_joined)(const LFT_P(traces) *p, LFT_P(traces) *q, LFT_P(traces) *r)
{
    int x[LFT_DIM], y[LFT_DIM], t, u, i, k, n, m;
    for (t = 1; t < p->traces; ++t) {
        for (u = 0; u < t; ++u) {
            for (i = 0; i < p->length[t]; ++i) {
                for (k = 0; k < p->length[u]; ++k) {
                    LFT_P(letter_begin)(p->letter[t][i], p->period, x);
                    LFT_P(letter_begin)(p->letter[u][k], p->period, y);
                    if (LFT_P(path_compare)(x, y, LFT_DIM)) continue;
                    n = p->length[t], m = p->length[u];
                    *q = *p;
                    LFT_P(path_part)(q->letter[t], p->letter[t], n, i, n);
                    *r = *q;
                    LFT_P(path_part)(q->letter[t] + n, p->letter[u], m, k, m);
                    LFT_P(path_reversed)(r->letter[t] + n, q->letter[t] + n, m);
                    q->length[t] = r->length[t] = n + m;
                    LFT_P(traces_remove)(q, u);
                    LFT_P(traces_remove)(r, u);
                    return 1;
                }
            }
        }
    }
    return 0;
}

/* SU(3): a path that is passed twice in a row, n letters in trace t, which is turned to begin with it; n = 0: none. */
LFT_P_STATIC int LFT_P(traces_square)(LFT_P(traces) *p, int *trace)
{
    int path[LFT_P_LETTERS], t, i, n;
    for (t = 0; t < p->traces; ++t) {
        for (n = 1; 2 * n <= p->length[t]; ++n) {
            for (i = 0; i < p->length[t]; ++i) {
                LFT_P(path_part)(path, p->letter[t], p->length[t], i, p->length[t]);
                if (LFT_P(path_compare)(path, path + n, n)) continue;
                lft_p_copy(p->letter[t], path, sizeof path);
                *trace = t;
                return n;
            }
        }
    }
    return 0;
}

/* row += x p */
LFT_P_STATIC void LFT_P(collect)(LFT_P(classes) *s, const LFT_P(traces) *from, double x, LFT_P(in_classes) *row)
{
    LFT_P(traces) p = *from, q, r;
    int          path[LFT_P_LETTERS], back[LFT_P_LETTERS], t, n, m, i;
    for (t = p.traces - 1; t >= 0; --t) {
        if (LFT_P_COLOURS == 1 && t > 0) {
            lft_p_copy(p.letter[0] + p.length[0], p.letter[t], (size_t)p.length[t] * sizeof(int));
            p.length[0] += p.length[t], p.length[t] = 0;
        }
        p.length[t] = LFT_P(path_trimmed)(p.letter[t], p.length[t]);
        if (p.length[t]) continue;
        x *= LFT_P_COLOURS;
        LFT_P(traces_remove)(&p, t);
    }
    if (!p.traces) {
        row->c[LFT_P_CLASSES] += x;
    } else if (LFT_P_COLOURS == 2 && LFT_P(traces_joined)(&p, &q, &r)) {
        LFT_P(collect)(s, &q, x, row);
        LFT_P(collect)(s, &r, x, row);
    } else if (LFT_P_COLOURS == 3 && (n = LFT_P(traces_square)(&p, &t)) > 0) {
        m = p.length[t] - 2 * n; /* X X Y: X of n letters, Y of m */
        lft_p_copy(path, p.letter[t], sizeof path);
        LFT_P(path_reversed)(back, path, n);
        LFT_P(traces_remove)(&p, t);
        q = p;
        LFT_P(traces_add)(&q, path, n);
        LFT_P(traces_add)(&q, path + n, n + m);
        LFT_P(collect)(s, &q, x, row);
        q = p;
        LFT_P(traces_add)(&q, back, n);
        LFT_P(traces_add)(&q, path + 2 * n, m);
        LFT_P(collect)(s, &q, -x, row);
        lft_p_copy(back + n, path + 2 * n, (size_t)m * sizeof(int));
        LFT_P(traces_add)(&p, back, n + m);
        LFT_P(collect)(s, &p, x, row);
    } else {
        i = LFT_P(class_of)(s, &p);
        if (i >= 0) row->c[i] += x;
    }
}

/* row += x sum_a of p with T^a in front of the links at letter i of trace t and letter k of trace u, as a derivative puts it. */
LFT_P_STATIC void LFT_P(contract)(LFT_P(classes) *s, const LFT_P(traces) *p, int t, int i, int u, int k, double x,
                                  LFT_P(in_classes) *row)
{
    const int    one = LFT_P(letter_adjoint)(p->letter[t][i]), two = LFT_P(letter_adjoint)(p->letter[u][k]);
    const int    n = p->length[t], m = p->length[u];
    int          from = i + one, to = k + two; /* -U^+ T: behind an adjoint link */
    LFT_P(traces) q = *p;
    if (one != two) x = -x;
    if (LFT_P_COLOURS == 1) {
        LFT_P(collect)(s, p, -x, row);
        return;
    }
    if (t == u) {
        if (from > to) from = k + two, to = i + one;
        LFT_P(path_part)(q.letter[q.traces], p->letter[t], n, from, to - from);
        q.length[q.traces++] = to - from;
        LFT_P(path_part)(q.letter[t], p->letter[t], n, to, n - (to - from));
        q.length[t] = n - (to - from);
    } else {
        LFT_P(path_part)(q.letter[t], p->letter[t], n, from, n);
        LFT_P(path_part)(q.letter[t] + n, p->letter[u], m, to, m);
        q.length[t] = n + m;
        LFT_P(traces_remove)(&q, u);
    }
    LFT_P(collect)(s, &q, -0.5 * x, row);
    LFT_P(collect)(s, p, 0.5 * x / LFT_P_COLOURS, row);
}

/* From what one member gives to what the class gives: each class is all of its members. */
LFT_P_STATIC void LFT_P(of_class)(const LFT_P(classes) *s, int i, LFT_P(in_classes) *row)
{
    int j;
    for (j = 0; j < s->count; ++j) row->c[j] *= (double)s->size[i] / s->size[j];
    row->c[LFT_P_CLASSES] *= s->size[i];
}

/* C of sum_a T^a T^a = -C. */
LFT_P_INLINE double LFT_P(casimir)(void)
{
    const double N = LFT_P_COLOURS;
    return LFT_P_COLOURS == 1 ? 1 : (N * N - 1) / (2 * N);
}

/* L W_i; the constant is that of one site. New classes are added. */
LFT_P_STATIC void LFT_P(classes_laplacian)(LFT_P(classes) *s, int i, LFT_P(in_classes) *row)
{
    const LFT_P(traces) p = s->one[i];
    int                 t, u, k, m;
    lft_p_zero(row, sizeof *row);
    row->c[i] = LFT_P(casimir)() * LFT_P(traces_moving)(&p);
    for (t = 0; t < p.traces; ++t) {
        for (k = 0; k < p.length[t]; ++k) {
            for (u = 0; u <= t && LFT_P(letter_moves)(p.letter[t][k], p.doubled); ++u) {
                for (m = 0; m < (u == t ? k : p.length[u]); ++m) {
                    if (LFT_P(letter_link)(p.letter[t][k]) != LFT_P(letter_link)(p.letter[u][m])) continue;
                    LFT_P(contract)(s, &p, t, k, u, m, -2, row);
                }
            }
        }
    }
    LFT_P(of_class)(s, i, row);
}

/* The path around the plaquette at x. */
LFT_P_STATIC void LFT_P(path_plaquette)(const int *x, int mu, int nu, const int *period, int *path)
{
    int y[LFT_DIM], z[LFT_DIM];
    lft_p_copy(y, x, sizeof y);
    lft_p_copy(z, x, sizeof z);
    y[mu] += 1, z[nu] += 1;
    LFT_P(wrapped)(period, y);
    LFT_P(wrapped)(period, z);
    path[0] = LFT_P(letter_of)(x, mu, 0), path[1] = LFT_P(letter_of)(y, nu, 0);
    path[2] = LFT_P(letter_of)(z, mu, 1), path[3] = LFT_P(letter_of)(x, nu, 1);
}

/* sum_l d_l^a W_0 d_l^a W_i, likewise. */
LFT_P_STATIC void LFT_P(classes_times_plaquettes)(LFT_P(classes) *s, int i, LFT_P(in_classes) *row)
{
    LFT_P(traces) p = s->one[i];
    const int    last = p.traces++;
    int          path[4], x[LFT_DIM], t, k, m, nu, below, reversed;
    lft_p_zero(row, sizeof *row);
    p.length[last] = 4;
    for (t = 0; t < last; ++t) {
        for (k = 0; k < p.length[t]; ++k) {
            const int letter = p.letter[t][k], mu = LFT_P(letter_axis)(letter);
            for (nu = 0; nu < LFT_DIM && LFT_P(letter_moves)(letter, p.doubled); ++nu) {
                for (below = 0; nu != mu && below < 2; ++below) {
                    LFT_P(letter_site)(letter, x);
                    x[nu] -= below;
                    LFT_P(wrapped)(p.period, x);
                    LFT_P(path_plaquette)(x, mu, nu, p.period, path);
                    for (reversed = 0; reversed < 2; ++reversed) {
                        if (reversed) LFT_P(path_reversed)(p.letter[last], path, 4);
                        else lft_p_copy(p.letter[last], path, sizeof path);
                        for (m = 0; LFT_P(letter_link)(p.letter[last][m]) != LFT_P(letter_link)(letter); ++m) {}
                        LFT_P(contract)(s, &p, t, k, last, m, 1, row);
                    }
                }
            }
        }
    }
    LFT_P(of_class)(s, i, row);
}

/* Classes without links that move go behind the others, which keep their order. */
LFT_P_STATIC void LFT_P(classes_sort)(LFT_P(classes) *s)
{
    int i, k;
    for (i = s->moving; i < s->count; ++i) {
        const LFT_P(traces) one = s->one[i];
        const uint64_t      mark = s->mark[i];
        const int           size = s->size[i];
        if (!LFT_P(traces_moving)(&one)) continue;
        for (k = i; k > s->moving; --k) s->one[k] = s->one[k - 1], s->mark[k] = s->mark[k - 1], s->size[k] = s->size[k - 1];
        s->one[k] = one, s->mark[k] = mark, s->size[k] = size;
        ++s->moving;
    }
}

/* All classes, order by order, until there are `wanted` that move, or all of the last order. upto of an order that there is no room
 * for is 0. period[mu]: 0 along axes that are long enough. */
LFT_P_STATIC void LFT_P(classes_find)(LFT_P(classes) *s, int doubled, const int *period, int last, int wanted)
{
    const int         along = doubled ? doubled - 1 : 0, across = (along + 1) % LFT_DIM;
    LFT_P(in_classes) row;
    LFT_P(traces)      plaquette;
    int               x[LFT_DIM], order, i, mu, nu, closed = 0;
    lft_p_zero(s, sizeof *s);
    lft_p_zero(&plaquette, sizeof plaquette);
    lft_p_zero(x, sizeof x);
    plaquette.traces = 1, plaquette.length[0] = 4, plaquette.doubled = doubled;
    lft_p_copy(plaquette.period, period, sizeof plaquette.period);
    LFT_P(path_plaquette)(x, along, across, period, plaquette.letter[0]);
    (void)LFT_P(class_of)(s, &plaquette);
    for (mu = 0; mu < LFT_DIM && !doubled; ++mu) { /* of unequal periods there are more */
        for (nu = mu + 1; nu < LFT_DIM; ++nu) {
            LFT_P(path_plaquette)(x, mu, nu, period, plaquette.letter[0]);
            (void)LFT_P(class_of)(s, &plaquette);
        }
    }
    x[along] = 1;
    if (doubled && LFT_DIM > 2) {
        LFT_P(path_plaquette)(x, across, (along + 2) % LFT_DIM, period, plaquette.letter[0]);
        (void)LFT_P(class_of)(s, &plaquette);
    }
    for (order = 1; order <= last; ++order) {
        for (i = order > 2 ? s->upto[order - 2] : 0; order > 1 && i < s->upto[order - 1]; ++i) {
            LFT_P(classes_times_plaquettes)(s, i, &row);
        }
        for (; closed < s->count && !s->full; ++closed) LFT_P(classes_laplacian)(s, closed, &row);
        LFT_P(classes_sort)(s);
        if (s->full) return;
        s->upto[order] = s->moving;
        if (s->moving >= wanted) return;
    }
}

#endif /* LFT_P_CODE */
