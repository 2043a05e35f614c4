/* 66_loop_classes.h: classes of products of traces, and what derivatives make of them. Symbols, no fields.
 * Offers (private): LFT_P(classes), LFT_P(classes_find)(), _laplacian, _times_plaquettes; LFT_P_CLASSES.
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

#define LFT_P_CLASSES (LFT_DIM == 2 ? 128 : LFT_P_COLOURS == 3 ? 160 : LFT_DIM == 3 && LFT_P_COLOURS == 1 ? 512 : 128)

#define LFT_P_IMAGES  (2 * LFT_P_CLASSES * LFT_P_PERMUTATIONS)
#define LFT_P_NAME    1023u /* of a class among the bits of a key: 1 + its place in the order of discovery */

typedef struct LFT_P(classes) {
    int           count, full; /* full: more were found than there is room for */
    int           moving; /* of them, the first: those with links that move */
    LFT_P(traces)  one[LFT_P_CLASSES]; /* a member of each */
    uint64_t      mark[LFT_P_CLASSES]; /* of all its images */
    int           size[LFT_P_CLASSES]; /* members, translations apart */
    int           upto[LFT_P_ORDERS + 1]; /* moving classes of orders up to this */
    int           number[LFT_P_CLASSES]; /* of the classes in the order of discovery */
    uint64_t      image[LFT_P_IMAGES]; /* keys of members that differ by a permutation of axes, with names; 0: none */
} LFT_P(classes);

/* What an expression is in classes: the coefficients, last the constant. */
typedef struct LFT_P(in_classes) {
    double c[LFT_P_CLASSES + 1];
} LFT_P(in_classes);

/* Where the image with a key is, or where it would be. */
LFT_P_STATIC uint64_t *LFT_P(class_slot)(LFT_P(classes) *s, uint64_t key)
{
    unsigned at = (unsigned)(key % LFT_P_IMAGES);
    while (s->image[at] && (s->image[at] ^ key) > LFT_P_NAME) at = (at + 1) % LFT_P_IMAGES;
    return s->image + at;
}

/* The class of p among those that are known, -1 if it is none. Any element of the group is a permutation and then a turn: of one
 * member all permuted images are in the table, and one of them is among the turned images of p. */
LFT_P_STATIC int LFT_P(class_known)(LFT_P(classes) *s, const LFT_P(traces) *p, uint64_t mark)
{
    LFT_P(traces) q, r;
    int           g, i, reversed;
    for (i = 0; i < s->count && s->mark[i] != mark; ++i) {}
    for (g = LFT_P_SYMMETRIES - (1 << LFT_DIM); g < LFT_P_SYMMETRIES && i < s->count; ++g) {
        (void)LFT_P(traces_member)(&q, p, g);
        for (reversed = 0; reversed < 2; ++reversed) {
            int name;
            if (reversed) {
                LFT_P(traces_reversed)(&r, &q);
                q = r;
                LFT_P(traces_normal)(&q);
            }
            name = (int)(*LFT_P(class_slot)(s, LFT_P(traces_key)(&q)) & LFT_P_NAME);
            if (name && s->mark[s->number[name - 1]] == mark) return s->number[name - 1];
        }
    }
    return -1;
}

/* The class of p; a new one where it is none yet. -1 where there is no more room. */
LFT_P_STATIC int LFT_P(class_of)(LFT_P(classes) *s, const LFT_P(traces) *p)
{
    const uint64_t mark = LFT_P(traces_mark)(p);
    const int      known = LFT_P(class_known)(s, p, mark);
    LFT_P(traces)  best = *p, q, r;
    int            g, reversed, elements = 0, same = 0;
    if (known >= 0) return known;
    if (s->count == LFT_P_CLASSES) {
        s->full = 1;
        return -1;
    }
    LFT_P(traces_normal)(&best);
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
    s->one[s->count]    = best;
    s->mark[s->count]   = mark;
    s->size[s->count]   = elements / same;
    s->number[s->count] = s->count;
    for (g = 0; g < LFT_P_SYMMETRIES; g += 1 << LFT_DIM) {
        uint64_t key;
        if (!LFT_P(traces_member)(&q, &best, g)) continue;
        key = LFT_P(traces_key)(&q);
        *LFT_P(class_slot)(s, key) = (key & ~(uint64_t)LFT_P_NAME) | (uint64_t)(s->count + 1);
    }
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
    int i, k, m;
    for (i = s->moving; i < s->count; ++i) {
        const LFT_P(traces) one = s->one[i];
        const uint64_t      mark = s->mark[i];
        const int           size = s->size[i];
        if (!LFT_P(traces_moving)(&one)) continue;
        for (k = i; k > s->moving; --k) s->one[k] = s->one[k - 1], s->mark[k] = s->mark[k - 1], s->size[k] = s->size[k - 1];
        s->one[k] = one, s->mark[k] = mark, s->size[k] = size;
        for (m = 0; m < s->count; ++m) {
            const int old = s->number[m];
            s->number[m] = old == i ? k : old >= k && old < i ? old + 1 : old;
        }
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
