/* 68_loop_draft.h: from classes of Wilson loops to a program that computes them.
 * Offers (private): LFT_P(program_build)().
 *
 * Loop by loop, a loop is moved to the place and cut in two where that costs least; and so are the paths that are new. A product of
 * matrices costs the less the more loops have that path somewhere, so that staples come first. */
#if LFT_P_PHASE == LFT_P_CODE

/* What is looked up while a program is built: paths by a number that their letters make. And how many loops a path is a part of,
 * somewhere on the lattice and in either direction, at a number that few other paths share: what such a path costs is shared. */
typedef struct LFT_P(draft) {
    LFT_P(program) *program;
    int             full, counting, counters, code[LFT_P_SITES]; /* counters: of uses */
    uint64_t        key[LFT_P_PATHS];
    int             table[2 * LFT_P_PATHS]; /* 1 + number, negative where the key is that of the other direction; 0: none */
    int             x[LFT_P_LOOPS], y[LFT_P_LOOPS];
    unsigned short  uses[4 * LFT_P_LOOPS];
    unsigned short  shared[LFT_P_TRACES + 1][LFT_P_LETTERS][LFT_P_LETTERS]; /* those of loops at hand; last of an open path */
    double          price[LFT_P_LETTERS][LFT_P_LETTERS]; /* of the product that makes n letters from number i on: [n][i] */
    double          cost[LFT_P_LETTERS][2 * LFT_P_LETTERS]; /* of all that is not there yet for these letters: [n][i] */
    unsigned short  origin[LFT_P_LOOPS]; /* the letter that the first pass moved there, of each product */
} LFT_P(draft);

/* Where a path is in the table, or where it would be: the same in either direction. *turned: that is not the one that counts. */
LFT_P_STATIC int *LFT_P(draft_slot)(LFT_P(draft) *d, const int *path, int n, uint64_t *key, int *turned)
{
    unsigned at;
    int      i, k;
    for (i = 0; i < n && path[i] == (path[n - 1 - i] ^ 1); ++i) {}
    *turned = i < n && path[i] > (path[n - 1 - i] ^ 1);
    for (*key = LFT_P_KEY, i = 0, k = n - 1; i < n; ++i, --k) *key = LFT_P(key_add)(*key, *turned ? path[k] ^ 1 : path[i]);
    *key = LFT_P(key_end)(*key);
    at   = (unsigned)(*key % (2 * LFT_P_PATHS));
    while (d->table[at] && d->key[(d->table[at] < 0 ? -d->table[at] : d->table[at]) - 1] != *key) at = (at + 1) % (2 * LFT_P_PATHS);
    return d->table + at;
}

/* The number of a path as it is or, *reversed, the other way, -1 if it is none yet. */
LFT_P_STATIC int LFT_P(draft_find)(LFT_P(draft) *d, const int *path, int n, int *reversed)
{
    uint64_t  key;
    const int at = *LFT_P(draft_slot)(d, path, n, &key, reversed);
    *reversed ^= at < 0;
    return (at < 0 ? -at : at) - 1;
}

/* Where the uses of the parts of a loop are counted, n letters from number i on: at[i][n], the same in either direction. */
LFT_P_STATIC void LFT_P(draft_parts)(LFT_P(draft) *d, const int *loop, int length, unsigned short *at[][LFT_P_LETTERS])
{
    const LFT_P(program) *g = d->program;
    uint64_t             key[LFT_P_LETTERS][LFT_P_LETTERS], forth, back;
    LFT_P(traces)        here, other;
    int                  i, n, mu, periods = 0, x[LFT_DIM];
    here.traces = 1, here.doubled = g->doubled;
    lft_p_copy(here.period, g->period, sizeof here.period);
    for (mu = 0; mu < LFT_DIM; ++mu) periods += g->period[mu] > 0;
    lft_p_zero(key, sizeof key);
    for (i = 0; i < length; ++i) {
        for (n = 2; n < length && !periods; ++n) {
            here.length[0] = n;
            LFT_P(path_part)(here.letter[0], loop, length, i, n);
            LFT_P(traces_home)(&here);
            LFT_P(traces_reversed)(&other, &here);
            key[i][n] = LFT_P(path_key)(here.letter[0], n) ^ LFT_P(path_key)(other.letter[0], n);
        }
        if (!periods) continue;
        here.length[0] = length; /* forth and back from letter i, which is at 0 */
        lft_p_copy(here.letter[0], loop, (size_t)length * sizeof(int));
        LFT_P(letter_site)(loop[i], x);
        LFT_P(traces_moved)(&here, x);
        for (forth = back = LFT_P_KEY, n = 1; n < length; ++n) {
            const int last = i + n - 1, first = i - n + 1;
            forth = LFT_P(key_add)(forth, here.letter[0][last - (last < length ? 0 : length)]);
            back  = LFT_P(key_add)(back, here.letter[0][first + (first < 0 ? length : 0)] ^ 1);
            key[i][n] ^= LFT_P(key_end)(forth);
            key[first + (first < 0 ? length : 0)][n] ^= LFT_P(key_end)(back);
        }
    }
    for (i = 0; i < length; ++i) {
        for (n = 2; n < length; ++n) at[i][n] = d->uses + key[i][n] % (uint64_t)d->counters;
    }
}

/* d->shared[t] of a loop, wherever it is. */
LFT_P_STATIC void LFT_P(draft_shares)(LFT_P(draft) *d, const int *loop, int length, int t)
{
    unsigned short *at[LFT_P_LETTERS][LFT_P_LETTERS];
    int             i, n;
    LFT_P(draft_parts)(d, loop, length, at);
    for (i = 0; i < length; ++i) {
        for (n = 2; n < length; ++n) d->shared[t][i][n] = *at[i][n];
    }
}

/* Prices of the products that make the parts of a loop, number t of those at hand. */
LFT_P_STATIC void LFT_P(draft_prices)(LFT_P(draft) *d, int length, int t)
{
    int i, n;
    for (n = 2; n < length; ++n) {
        for (i = 0; i < length; ++i) d->price[n][i] = 1.0 / (1 + d->shared[t][i][n]);
    }
}

/* What all parts of a loop still cost, where it is, and the least for the loop as a product of two. */
LFT_P_STATIC double LFT_P(draft_costs)(LFT_P(draft) *d, const int *loop, int length)
{
    double least[LFT_P_LETTERS], best = 1000;
    int    path[2 * LFT_P_LETTERS], i, n, m, reversed;
    LFT_P(path_part)(path, loop, length, 0, 2 * length);
    for (i = 0; i < 2 * length; ++i) d->cost[1][i] = 0;
    for (n = 2; n <= length; ++n) {
        for (i = 0; i < length; ++i) least[i] = 1000;
        for (m = 1; m < n; ++m) {
            const double *first = d->cost[m], *then = d->cost[n - m] + m;
            for (i = 0; i < length; ++i) least[i] = first[i] + then[i] < least[i] ? first[i] + then[i] : least[i];
        }
        for (i = 0; i < length && n < length; ++i) { /* a path is there only if the two are of which it is a product */
            const int there = !(least[i] > 0) && LFT_P(draft_find)(d, path + i, n, &reversed) >= 0;
            d->cost[n][i] = d->cost[n][i + length] = there ? 0 : least[i] + d->price[n][i];
        }
    }
    for (i = 0; i < length; ++i) best = least[i] < best ? least[i] : best;
    return best;
}

/* Where a loop is to be cut at this cost: the first part has *n letters from number *begin on. */
LFT_P_STATIC void LFT_P(draft_cut)(const LFT_P(draft) *d, int length, double best, int *begin, int *n)
{
    int i, k;
    for (i = 0; i < length; ++i) {
        for (k = 1; k < length; ++k) {
            if (d->cost[k][i] + d->cost[length - k][i + k] > best) continue;
            *begin = i, *n = k;
            return;
        }
    }
}

/* The number of a site, given by the letter of any of its links. */
LFT_P_STATIC int LFT_P(draft_site)(LFT_P(draft) *d, int letter)
{
    LFT_P(program) *g = d->program;
    int             x[LFT_DIM], i, mu, from = 0, step = 0;
    LFT_P(letter_site)(letter, x);
    for (i = 0; i < g->sites; ++i) {
        if (d->code[i] == letter >> 3) return i;
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (x[mu]) step = x[mu] > 0 ? mu + 1 : -(mu + 1);
    }
    if (step) {
        x[(step > 0 ? step : -step) - 1] -= step > 0 ? 1 : -1;
        from = LFT_P(draft_site)(d, LFT_P(letter_of)(x, 0, 0));
    }
    if (g->sites == LFT_P_SITES) {
        d->full = 1;
        return 0;
    }
    d->code[g->sites] = letter >> 3;
    if (g->site) g->site[g->sites].from = from, g->site[g->sites].step = step;
    return g->sites++;
}

/* A path as a factor: a link, or a path that is there already, as it is or reversed, or a new one, cut where that costs least. */
LFT_P_STATIC LFT_P(factor) LFT_P(draft_factor)(LFT_P(draft) *d, const int *path, int n)
{
    LFT_P(program)     *g = d->program;
    LFT_P(longer_path)  p;
    LFT_P(factor)       f;
    int                *slot, turned, i, cut = 1, closed[LFT_P_LETTERS];
    double              best = 1000;
    lft_p_zero(&f, sizeof f);
    f.path = -1;
    if (n == 1) {
        f.site = LFT_P(draft_site)(d, path[0]);
        f.axis = LFT_P(letter_axis)(path[0]), f.adjoint = LFT_P(letter_adjoint)(path[0]);
        return f;
    }
    f.path = LFT_P(draft_find)(d, path, n, &f.adjoint);
    if (f.path >= 0) return f;
    lft_p_copy(closed, path, (size_t)n * sizeof(int));
    closed[n] = 0; /* no letter: no path has it */
    LFT_P(draft_shares)(d, closed, n + 1, LFT_P_TRACES);
    LFT_P(draft_prices)(d, n + 1, LFT_P_TRACES);
    (void)LFT_P(draft_costs)(d, closed, n + 1);
    for (i = 1; i < n; ++i) {
        const double cost = d->cost[i][0] + d->cost[n - i][i];
        if (cost < best) best = cost, cut = i;
    }
    p.a = LFT_P(draft_factor)(d, path, cut), p.b = LFT_P(draft_factor)(d, path + cut, n - cut);
    f.path = g->paths, f.adjoint = 0;
    if (g->paths == LFT_P_PATHS) {
        d->full = 1;
        f.path  = 0;
        return f;
    }
    if (g->path) g->path[g->paths] = p;
    slot    = LFT_P(draft_slot)(d, path, n, d->key + g->paths, &turned);
    *slot   = turned ? -1 - g->paths : 1 + g->paths;
    ++g->paths;
    return f;
}

/* The number of the trace of a loop, number t of those at hand; *conjugate: of its complex conjugate. */
LFT_P_STATIC int LFT_P(draft_loop)(LFT_P(draft) *d, const int *loop, int length, int t, int two_parts, int *conjugate)
{
    LFT_P(program) *g = d->program;
    LFT_P(factor)   x, y;
    int             path[LFT_P_LETTERS], begin = 0, n = 2, i, one, two;
    LFT_P(draft_prices)(d, length, t);
    LFT_P(draft_cut)(d, length, LFT_P(draft_costs)(d, loop, length), &begin, &n);
    LFT_P(path_part)(path, loop, length, begin, length);
    x = LFT_P(draft_factor)(d, path, n);
    y = LFT_P(draft_factor)(d, path + n, length - n);
    *conjugate = x.adjoint; /* tr X^+ Y = (tr X Y^+)^* */
    y.adjoint ^= x.adjoint, x.adjoint = 0;
    one = x.path < 0 ? -1 - x.site * LFT_DIM - x.axis : x.path;
    two = 2 * (y.path < 0 ? -1 - y.site * LFT_DIM - y.axis : y.path) + y.adjoint;
    for (i = 0; i < g->loops && !(d->x[i] == one && d->y[i] == two); ++i) {}
    if (i == LFT_P_LOOPS) {
        d->full = 1;
        return 0;
    }
    if (i == g->loops) d->x[i] = one, d->y[i] = two, ++g->loops;
    if (g->loop) g->loop[i].x = x, g->loop[i].y = y, g->loop[i].two_parts |= two_parts;
    return i;
}

/* x = the beginning of letter `number` of p, counted through all traces, or the site beside it along a doubled axis. */
LFT_P_STATIC void LFT_P(draft_place)(const LFT_P(traces) *p, int number, int *x)
{
    int t = 0;
    while (number >= p->length[t]) number -= p->length[t++];
    LFT_P(letter_begin)(p->letter[t][number], p->period, x);
    if (p->doubled) x[p->doubled - 1] &= ~1;
}

/* The number of a letter: with its place for the origin the product takes the fewest new paths. */
LFT_P_STATIC int LFT_P(draft_origin)(LFT_P(draft) *d, const LFT_P(traces) *p)
{
    LFT_P(traces) one;
    int           tried[LFT_P_TRACES * LFT_P_LETTERS], x[LFT_DIM], letters = 0, i, k, t, first = 0;
    double        best = 1000, cost;
    one.traces = 1;
    lft_p_copy(one.period, p->period, sizeof one.period);
    for (t = 0; t < p->traces; ++t) letters += p->length[t];
    for (i = 0; i < letters && best > 0; ++i) {
        LFT_P(draft_place)(p, i, x);
        tried[i] = LFT_P(letter_of)(x, 0, 0);
        for (k = 0; tried[k] != tried[i]; ++k) {}
        if (k < i) continue;
        for (cost = 0, t = 0; t < p->traces && cost < best; ++t) {
            if (!i || p->traces > 1) LFT_P(draft_prices)(d, p->length[t], t);
            one.length[0] = p->length[t];
            lft_p_copy(one.letter[0], p->letter[t], (size_t)p->length[t] * sizeof(int));
            LFT_P(traces_moved)(&one, x);
            cost += LFT_P(draft_costs)(d, one.letter[0], p->length[t]);
        }
        if (cost < best) best = cost, first = i;
    }
    return first;
}

/* A product of traces, moved to where it takes the fewest new paths. */
LFT_P_STATIC void LFT_P(draft_product)(LFT_P(draft) *d, const LFT_P(traces) *p, int number, double weight)
{
    LFT_P(program) *g = d->program;
    LFT_P(monomial) m;
    LFT_P(traces)   q = *p;
    const int       known = g->monomial && g->monomials < LFT_P_LOOPS; /* by the first pass */
    int             origin, x[LFT_DIM], t;
    for (t = 0; t < p->traces; ++t) LFT_P(draft_shares)(d, p->letter[t], p->length[t], t);
    origin = known ? d->origin[g->monomials] : LFT_P(draft_origin)(d, p);
    if (g->monomials < LFT_P_LOOPS) d->origin[g->monomials] = (unsigned short)origin;
    LFT_P(draft_place)(p, origin, x);
    LFT_P(traces_moved)(&q, x);
    lft_p_zero(&m, sizeof m);
    m.number = number, m.traces = p->traces, m.weight = weight;
    for (t = 0; t < p->traces; ++t) {
        m.trace[t] = LFT_P(draft_loop)(d, q.letter[t], p->length[t], t, p->traces > 1, m.conjugate + t);
    }
    if (g->monomial) g->monomial[g->monomials] = m;
    ++g->monomials;
}

/* Counts the parts of all loops. */
LFT_P_STATIC void LFT_P(draft_count)(LFT_P(draft) *d, const LFT_P(traces) *p)
{
    unsigned short *at[LFT_P_LETTERS][LFT_P_LETTERS];
    int             t, i, n;
    for (t = 0; t < p->traces; ++t) {
        LFT_P(draft_parts)(d, p->letter[t], p->length[t], at);
        for (i = 0; i < p->length[t]; ++i) {
            for (n = 2; n < p->length[t]; ++n) ++*at[i][n];
        }
    }
}

/* All members of a class, complex conjugates once. 0 if they are not as many as it has. */
LFT_P_STATIC int LFT_P(draft_class)(LFT_P(draft) *d, const LFT_P(classes) *classes, int number)
{
    uint64_t     seen[LFT_P_SYMMETRIES];
    LFT_P(traces) p, q;
    int          g, i, n = 0, members = 0;
    for (g = 0; g < LFT_P_SYMMETRIES; ++g) {
        const LFT_P(traces) *first = &p;
        uint64_t             key;
        int                  order;
        if (!LFT_P(traces_member)(&p, classes->one + number, g)) continue;
        LFT_P(traces_reversed)(&q, &p);
        LFT_P(traces_normal)(&q);
        order = LFT_P(traces_compare)(&p, &q);
        if (order > 0) first = &q;
        key = LFT_P(traces_key)(first);
        for (i = 0; i < n && seen[i] != key; ++i) {}
        if (i < n) continue;
        seen[n++] = key;
        members += order ? 2 : 1;
        if (LFT_P_COLOURS == 1) LFT_P(path_walk)(p.letter[0], p.length[0], p.period);
        if (d->counting) LFT_P(draft_count)(d, &p);
        else LFT_P(draft_product)(d, &p, number, order ? 2 : 1);
    }
    return members == classes->size[number];
}

/* The program of the first `count` classes. Runs over a measuring arena, too. LFT_ERR_ARG where it would be too long. */
LFT_P_STATIC lft_status LFT_P(program_build)(LFT_P(program) *g, const LFT_(lattice) *lattice, const LFT_P(classes) *classes,
                                             int count, lft_arena *arena, lft_error *error)
{
    LFT_P(draft) d;
    const int    here[LFT_DIM] = {0};
    int          pass, i, right = 1;
    lft_p_zero(g, sizeof *g);
    lft_p_zero(&d, sizeof d);
    g->lattice = *lattice, g->classes = count, g->doubled = classes->one[0].doubled;
    lft_p_copy(g->period, classes->one[0].period, sizeof g->period);
    LFT_P(strides)(lattice, g->stride);
    d.program  = g;
    d.counters = count <= (LFT_DIM < 4 ? 128 : 16) ? 8192 : 4 * LFT_P_LOOPS; /* more make short ones longer */
    d.counting = 1;
    for (i = 0; i < count; ++i) right = LFT_P(draft_class)(&d, classes, i) && right;
    d.counting = 0;
    for (pass = 0; pass < 2; ++pass) { /* the first to know how long it is */
        lft_p_zero(d.table, sizeof d.table);
        g->sites = g->paths = g->loops = g->monomials = 0;
        (void)LFT_P(draft_site)(&d, LFT_P(letter_of)(here, 0, 0));
        for (i = 0; i < count; ++i) right = LFT_P(draft_class)(&d, classes, i) && right;
        if (d.full || !right) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "fewer: their paths are too many", count);
        }
        if (pass) break;
        g->site     = (LFT_P(program_step) *)lft_arena_alloc(arena, (size_t)g->sites, sizeof *g->site);
        g->path     = (LFT_P(longer_path) *)lft_arena_alloc(arena, (size_t)g->paths, sizeof *g->path);
        g->loop     = (LFT_P(loop) *)lft_arena_alloc(arena, (size_t)g->loops, sizeof *g->loop);
        g->monomial = (LFT_P(monomial) *)lft_arena_alloc(arena, (size_t)g->monomials, sizeof *g->monomial);
        if (!g->monomial || !g->site || !g->path || !g->loop) return LFT_OK;
    }
    return LFT_OK;
}

#endif /* LFT_P_CODE */
