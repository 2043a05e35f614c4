/* 65_traces.h: products of traces of closed paths: how they are written, and their images. Symbols, no fields.
 * Offers (private): LFT_P(traces) and what is done to them, LFT_P(traces_member)(), _moving, _moved, _reversed, _home, _normal,
 * _mark, _key; LFT_P(letter_of)() and others; LFT_P(path_walk)() and others; LFT_P_ORDERS, _LETTERS, _TRACES, _SYMMETRIES.
 *
 * A path is a list of links, each as it is or adjoint. The images of a product of traces are those under translations, the
 * hypercubic group and reversal of all paths at once; of a doubled axis those that leave the new links where they are, along axes
 * with a period modulo that. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_ORDERS  (LFT_DIM == 2 && LFT_P_COLOURS < 3 ? 8 : 4) /* beyond there is no room for the classes */
#define LFT_P_LETTERS (4 * (LFT_P_ORDERS + 1)) /* of a class of the last order times a plaquette */
#define LFT_P_TRACES  (LFT_P_COLOURS == 1 ? 2 : LFT_P_ORDERS + 2)
#define LFT_P_PERMUTATIONS (LFT_DIM == 4 ? 24 : LFT_DIM == 3 ? 6 : LFT_DIM)
#define LFT_P_SYMMETRIES (LFT_P_PERMUTATIONS << LFT_DIM) /* of the hypercubic group */

/* A letter is a link on a path: its site, its direction, and whether it is adjoint. */
typedef struct LFT_P(traces) {
    int doubled; /* axis + 1, 0: none */
    int period[LFT_DIM]; /* 0: none; otherwise sites are from 0 to below it */
    int traces, length[LFT_P_TRACES], letter[LFT_P_TRACES][LFT_P_LETTERS];
} LFT_P(traces);

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

LFT_P_INLINE void LFT_P(letter_site)(int letter, int *x)
{
    int i;
    for (i = 0; i < LFT_DIM; ++i) x[i] = (letter >> (3 + 5 * (LFT_DIM - 1 - i)) & 31) - 16;
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

/* The links of U(1) in an order in which they can be walked along: circles, each begun where one before it passes. */
LFT_P_STATIC void LFT_P(path_walk)(int *path, int n, const int *period)
{
    int left[LFT_P_LETTERS], from[LFT_P_LETTERS], to[LFT_P_LETTERS], x[LFT_DIM], done, at = 0, i, k, end;
    lft_p_copy(left, path, (size_t)n * sizeof(int));
    for (i = 0; i < n; ++i) { /* where those that are left begin */
        LFT_P(letter_begin)(left[i], period, x);
        from[i] = LFT_P(letter_of)(x, 0, 0);
    }
    for (done = 0; done < n; ++done) { /* to: where those of the path end */
        for (i = 0; i < n - done && at > 0 && from[i] != to[at - 1]; ++i) {}
        for (k = done; k > 0 && i == n - done; --k) {
            for (i = 0; i < n - done && from[i] != to[k - 1]; ++i) {}
            at = k;
        }
        if (i == n - done) i = 0, at = done;
        for (k = done; k > at; --k) path[k] = path[k - 1], to[k] = to[k - 1];
        LFT_P(letter_begin)(left[i] ^ 1, period, x);
        end = LFT_P(letter_of)(x, 0, 0);
        path[at] = left[i], to[at++] = end;
        for (k = i + 1; k < n - done; ++k) left[k - 1] = left[k], from[k - 1] = from[k];
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

/* The number of a path, letter by letter, and its last step. */
#define LFT_P_KEY 1469598103934665603u
LFT_P_INLINE uint64_t LFT_P(key_add)(uint64_t key, int letter) { return (key ^ (uint64_t)letter) * 1099511628211u; }
LFT_P_INLINE uint64_t LFT_P(key_end)(uint64_t key) { return key ^ key >> 29; }

LFT_P_STATIC uint64_t LFT_P(path_key)(const int *path, int n)
{
    uint64_t key = LFT_P_KEY;
    int      i;
    for (i = 0; i < n; ++i) key = LFT_P(key_add)(key, path[i]);
    return LFT_P(key_end)(key);
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

/* A number that other products hardly share. */
LFT_P_STATIC uint64_t LFT_P(traces_key)(const LFT_P(traces) *p)
{
    uint64_t key = 0;
    int      t;
    for (t = 0; t < p->traces; ++t) key = key * 1099511628211u + LFT_P(path_key)(p->letter[t], p->length[t]);
    return key;
}

/* All sites less `by`, which along axes with a period is from 0 to below it, like the sites. */
LFT_P_STATIC void LFT_P(traces_moved)(LFT_P(traces) *p, const int *by)
{
    int x[LFT_DIM], around[LFT_DIM], t, i, mu, move = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) { /* of sites below that one the period comes back */
        move       = move * 32 + by[mu];
        around[mu] = 8 * p->period[mu] << 5 * (LFT_DIM - 1 - mu);
    }
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) {
            int letter = p->letter[t][i] - 8 * move;
            LFT_P(letter_site)(p->letter[t][i], x);
            for (mu = 0; mu < LFT_DIM; ++mu) letter += x[mu] < by[mu] ? around[mu] : 0;
            p->letter[t][i] = letter;
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

/* The hypercubic group: axis i becomes axis to[i], and is turned round where turn[i] is 1. Element g < 2^d d!: the last 2^d permute
 * nothing, multiples of 2^d turn nothing. */
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

#endif /* LFT_P_CODE */
