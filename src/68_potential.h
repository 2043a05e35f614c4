/* 68_potential.h: potentials made of Wilson loops, with force and divergence.
 * Offers (private): LFT_P(potential), LFT_P(potential_classes)(), _find, _init, _room, _start, _solve, _fields, _force, _backward.
 *
 *   S~(U) = sum_i c_i W_i(U),   force Z_l^a = -d_l^a S~,   divergence -sum d_l^a d_l^a S~ = sum_i c_i L W_i
 * with the classes W_i of 66_loop_classes.h: L W_i = sum_j D_ij W_j + const, the divergence costs nothing beside the W_j. Of a
 * doubled axis l are the new links, the others have no force.
 *
 * On a lattice where links of these loops coincide that are not the same on a large one, the classes are found anew modulo its
 * extents, along all axes that are too short. Beside a doubled axis such lattices are refused. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(potential) {
    LFT_P(program) program;
    int            classes;    /* with coefficients: the first of those that the program computes */
    int            orders;     /* of the trivializing map that all classes are there for */
    int            upto[LFT_P_ORDERS + 1]; /* classes of orders up to this; 0 where not all were looked for */
    int            extent[LFT_DIM]; /* the least that there may be */
    LFT_P(traces) *one;        /* [classes]: a member of each */
    double        *closure;    /* [classes][all of the program's + 1]: D_ij, last the constant */
} LFT_P(potential);

/* The extents that keep the links of p apart that move: they are the same for all axes that images of p exchange. */
LFT_P_STATIC void LFT_P(potential_extent)(const LFT_P(traces) *p, int *least_extent)
{
    int x[LFT_DIM], least[LFT_DIM], most[LFT_DIM], t, k, mu, nu;
    for (mu = 0; mu < LFT_DIM; ++mu) least[mu] = 1000, most[mu] = -1000;
    for (t = 0; t < p->traces; ++t) {
        for (k = 0; k < p->length[t]; ++k) {
            if (!LFT_P(letter_moves)(p->letter[t][k], p->doubled)) continue;
            LFT_P(letter_site)(p->letter[t][k], x);
            for (mu = 0; mu < LFT_DIM; ++mu) {
                least[mu] = x[mu] < least[mu] ? x[mu] : least[mu];
                most[mu]  = x[mu] > most[mu] ? x[mu] : most[mu];
            }
        }
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) {
            const int extent = most[nu] - least[nu] + 1;
            if ((mu == p->doubled - 1) != (nu == p->doubled - 1) || p->period[mu] || p->period[nu]) continue;
            if (extent > least_extent[mu]) least_extent[mu] = extent;
        }
    }
}

/* The first `wanted` classes or as many as there are, and all that their divergence takes: the number of all is returned, 0 where
 * there is no room for them. */
LFT_P_STATIC int LFT_P(potential_closed)(LFT_P(classes) *classes, int wanted)
{
    const int         n = wanted < classes->moving ? wanted : classes->moving;
    LFT_P(in_classes) row;
    int               all = n, i, j;
    classes->full = 0;
    for (i = 0; i < n; ++i) {
        LFT_P(classes_laplacian)(classes, i, &row);
        if (classes->full) return 0;
        for (j = all; j < classes->count; ++j) all = row.c[j] < 0 || row.c[j] > 0 ? j + 1 : all;
    }
    return all;
}

/* The classes of a lattice, all of the last order or the first `wanted`, with all that their divergence takes as above; least: the
 * extents that they need. Those of large lattices where they will do. */
LFT_P_STATIC int LFT_P(potential_find)(LFT_P(classes) *classes, const int *extent, int doubled, int last, int wanted, int *least)
{
    int period[LFT_DIM] = {0}, all, i, mu, shortest;
    do { /* the shortest axes first: then the others may be long enough */
        LFT_P(classes_find)(classes, doubled, period, last, wanted);
        all = LFT_P(potential_closed)(classes, wanted);
        lft_p_zero(least, sizeof period);
        for (i = 0; i < (all ? all : classes->moving); ++i) LFT_P(potential_extent)(classes->one + i, least);
        for (shortest = mu = 0; mu < LFT_DIM && !doubled; ++mu) {
            if (extent[mu] > 1 && extent[mu] < least[mu] && (!shortest || extent[mu] < shortest)) shortest = extent[mu];
        }
        for (mu = 0; mu < LFT_DIM && shortest; ++mu) period[mu] = extent[mu] == shortest ? shortest : period[mu];
    } while (shortest);
    return all;
}

/* How many classes there are to an order, on a large lattice or, not NULL, one of these extents; 0 where there is no room. */
LFT_P_STATIC int LFT_P(potential_classes)(const int *extent, int doubled, int order)
{
    const int      none[LFT_DIM] = {0};
    int            least[LFT_DIM];
    LFT_P(classes) classes;
    if (extent) (void)LFT_P(potential_find)(&classes, extent, doubled, order, LFT_P_CLASSES, least);
    else LFT_P(classes_find)(&classes, doubled, none, order, LFT_P_CLASSES + 1);
    return classes.upto[order];
}

/* With `wanted` classes or as many as there are. Runs over a measuring arena, too. */
LFT_P_STATIC lft_status LFT_P(potential_init)(LFT_P(potential) *s, const LFT_(lattice) *lattice, int doubled, int wanted,
                                              lft_arena *arena, lft_error *error)
{
    LFT_P(classes)    classes;
    LFT_P(in_classes) row;
    int               all, i;
    lft_status        status;
    lft_p_zero(s, sizeof *s);
    all = LFT_P(potential_find)(&classes, lattice->extent, doubled, LFT_P_ORDERS, wanted, s->extent);
    if (!all) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "fewer: their divergence takes too many classes", wanted);
    }
    s->classes = wanted < classes.moving ? wanted : classes.moving;
    lft_p_copy(s->upto, classes.upto, sizeof s->upto);
    while (s->orders < LFT_P_ORDERS && classes.upto[s->orders + 1] > 0 && classes.upto[s->orders + 1] <= s->classes) ++s->orders;
    status = LFT_P(program_build)(&s->program, lattice, &classes, all, arena, error);
    if (status) return status;
    LFT_P(program_order)(&s->program);
    for (i = 0; i < LFT_DIM && !doubled; ++i) s->extent[i] = 2;
    s->one     = (LFT_P(traces) *)lft_arena_take(arena, (size_t)s->classes, sizeof *s->one);
    if (s->one) lft_p_copy(s->one, classes.one, (size_t)s->classes * sizeof *s->one);
    s->closure = (double *)lft_arena_alloc(arena, (size_t)s->classes * (size_t)(all + 1), sizeof(double));
    for (i = 0; s->closure && i < s->classes; ++i) {
        LFT_P(classes_laplacian)(&classes, i, &row);
        lft_p_copy(s->closure + i * (all + 1), row.c, (size_t)all * sizeof(double));
        s->closure[i * (all + 1) + all] = lattice->volume / (doubled ? 2 : 1) * row.c[LFT_P_CLASSES];
    }
    return LFT_OK;
}

/* x = a^-1 b, a[n][n] and b are overwritten: Gauss with pivots. */
LFT_P_STATIC void LFT_P(potential_gauss)(double *a, double *b, int n)
{
    int i, j, k;
    for (k = 0; k < n; ++k) {
        int    pivot = k;
        double most = 0, swap;
        for (i = k; i < n; ++i) {
            const double size = a[i * n + k] < 0 ? -a[i * n + k] : a[i * n + k];
            if (size > most) most = size, pivot = i;
        }
        for (j = k; j < n; ++j) swap = a[k * n + j], a[k * n + j] = a[pivot * n + j], a[pivot * n + j] = swap;
        swap = b[k], b[k] = b[pivot], b[pivot] = swap;
        for (i = k + 1; i < n; ++i) {
            const double factor = a[i * n + k] / a[k * n + k];
            if (!(factor < 0 || factor > 0)) continue;
            for (j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
            b[i] -= factor * b[k];
        }
    }
    for (k = n - 1; k >= 0; --k) {
        for (j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
        b[k] /= a[k * n + k];
    }
}

/* a[j][i] = D_ij and, not NULL, g[j][i] = G_ij / (2 N) of the first n classes, all others cut off: from the coefficients of W those
 * of L W and, with S of beta 1, of -sum d_l^a S d_l^a W. */
LFT_P_STATIC void LFT_P(potential_matrices)(LFT_P(classes) *classes, int n, double *a, double *g)
{
    LFT_P(in_classes) row;
    int               i, j;
    for (i = 0; i < n; ++i) {
        LFT_P(classes_laplacian)(classes, i, &row);
        for (j = 0; j < n; ++j) a[j * n + i] = row.c[j];
        if (!g) continue;
        LFT_P(classes_times_plaquettes)(classes, i, &row);
        for (j = 0; j < n; ++j) g[j * n + i] = row.c[j] / (2 * LFT_P_COLOURS);
    }
}

/* The coefficients of S at beta = 1: -1/N times the sum of one trace per plaquette, of which classes have both directions but for
 * SU(2). */
LFT_P_STATIC void LFT_P(potential_action)(const LFT_P(classes) *classes, double *c, int n)
{
    int i;
    for (i = 0; i < n; ++i) c[i] = i < classes->upto[1] ? -1.0 / LFT_P_COLOURS * (LFT_P_COLOURS == 2 ? 1 : 0.5) : 0;
}

/* Numbers of a square matrix of the classes to an order. */
LFT_P_STATIC size_t LFT_P(potential_room)(const LFT_P(potential) *s, int order)
{
    return (size_t)s->upto[order] * (size_t)s->upto[order];
}

/* The trivializing map of the Wilson action S to an order in beta, S~ = sum_k t^k S~_k with
 *   L S~_0 = S,   L S~_k = -sum d_l^a S d_l^a S~_{k-1}, constants apart (0907.5491)
 * at beta = 1. c[k][class], k < order; a: _room of one matrix. */
LFT_P_STATIC void LFT_P(potential_start)(const LFT_P(potential) *s, int order, double (*c)[LFT_P_CLASSES], double *a)
{
    LFT_P(classes)    classes;
    LFT_P(in_classes) row;
    int               all, i, j, k;
    LFT_P(classes_find)(&classes, s->program.doubled, s->program.period, LFT_P_ORDERS, s->classes);
    for (k = 0; k < order; ++k) {
        lft_p_zero(c[k], sizeof c[k]);
        all = classes.upto[k + 1];
        if (k == 0) LFT_P(potential_action)(&classes, c[k], all);
        for (i = 0; k > 0 && i < classes.upto[k]; ++i) {
            LFT_P(classes_times_plaquettes)(&classes, i, &row);
            for (j = 0; j < all; ++j) c[k][j] += c[k - 1][i] * row.c[j] / (2 * LFT_P_COLOURS);
        }
        LFT_P(potential_matrices)(&classes, all, a, NULL);
        LFT_P(potential_gauss)(a, c[k], all);
    }
}

/* The same where the map has come to each of `points` beta, for beta to grow by 1, not expanded in beta but in the classes to that
 * order, all others cut off: with S of beta 1,
 *   L S~ + beta sum d_l^a S d_l^a S~ = S, constants apart
 * Of a doubled axis it is the trivializing map of the new links for any others, what these alone make up is a constant, too; there
 * the cut is one of harmonics of a link, and converges where the expansion in beta does not. c[point][class]; a: room of three
 * matrices */
LFT_P_STATIC void LFT_P(potential_solve)(const LFT_P(potential) *s, int order, int points, const double *beta,
                                         double (*c)[LFT_P_CLASSES], double *a)
{
    const int      all = s->upto[order];
    double        *g = a + LFT_P(potential_room)(s, order), *both = g + LFT_P(potential_room)(s, order);
    LFT_P(classes) classes;
    int            i, k;
    LFT_P(classes_find)(&classes, s->program.doubled, s->program.period, LFT_P_ORDERS, s->classes);
    LFT_P(potential_matrices)(&classes, all, a, g);
    for (k = 0; k < points; ++k) {
        lft_p_zero(c[k], sizeof c[k]);
        LFT_P(potential_action)(&classes, c[k], all);
        for (i = 0; i < all * all; ++i) both[i] = a[i] - beta[k] * g[i];
        LFT_P(potential_gauss)(both, c[k], all);
    }
}

/* ---- force and divergence ---------------------------------------------------------------------------------------------- */

/* What a sweep works in. */
LFT_P_STATIC LFT_P(program_fields) LFT_P(potential_fields)(const LFT_P(potential) *s, int backward, lft_arena *arena)
{
    const LFT_P(program) *g = &s->program;
    const size_t          links = (size_t)g->lattice.volume * LFT_DIM, paths = (size_t)g->paths, loops = 2 * (size_t)g->loops;
    LFT_P(program_fields) f;
    f.site          = (int *)lft_arena_alloc(arena, (size_t)g->sites, sizeof(int));
    f.value         = (lft_w *)lft_arena_take(arena, links, sizeof(lft_w));
    f.bar           = (lft_w *)lft_arena_take(arena, links, sizeof(lft_w));
    f.path          = (lft_w *)lft_arena_take(arena, paths, sizeof(lft_w));
    f.path_bar      = (lft_w *)lft_arena_take(arena, paths, sizeof(lft_w));
    f.dot           = (lft_w *)lft_arena_take(arena, backward ? links : 0, sizeof(lft_w));
    f.dot_bar       = (lft_w *)lft_arena_take(arena, backward ? links : 0, sizeof(lft_w));
    f.path_dot      = (lft_w *)lft_arena_take(arena, backward ? paths : 0, sizeof(lft_w));
    f.path_dot_bar  = (lft_w *)lft_arena_take(arena, backward ? paths : 0, sizeof(lft_w));
    f.trace         = LFT_P(vectors)(arena, loops);
    f.trace_bar     = LFT_P(vectors)(arena, loops);
    f.trace_dot     = LFT_P(vectors)(arena, backward ? loops : 0);
    f.trace_dot_bar = LFT_P(vectors)(arena, backward ? loops : 0);
    f.e             = (lft_real *)lft_arena_take(arena, (size_t)g->loops, sizeof(lft_real));
    f.d             = (lft_real *)lft_arena_take(arena, (size_t)g->loops, sizeof(lft_real));
    return f;
}

/* The weights of the classes of the program, 0 of what is no class: e_i = -c_i of S~, d_j = sum_i c_i D_ij of the divergence, which
 * is sum_j d_j W_j + the constant that is returned. */
LFT_P_STATIC double LFT_P(potential_weights)(const LFT_P(potential) *s, const double *c, double *e, double *d)
{
    const int all = s->program.classes;
    double    constant = 0;
    int       i, j;
    for (i = 0; i < LFT_P_CLASSES; ++i) e[i] = i < s->classes ? -c[i] : 0, d[i] = 0;
    for (i = 0; i < s->classes; ++i) {
        const double *row = s->closure + i * (all + 1);
        for (j = 0; j < all; ++j) d[j] += c[i] * row[j];
        constant += c[i] * row[all];
    }
    return constant;
}

/* Z of every link, 0 of one that does not move, and div[lane]. */
LFT_P_STATIC void LFT_P(potential_force)(const LFT_P(potential) *s, const double *c, const lft_v *links, lft_v *Z, double *div,
                                         LFT_P(program_fields) f)
{
    const LFT_P(program) *g = &s->program;
    const int             volume = g->lattice.volume;
    lft_w                 u;
    double                e[LFT_P_CLASSES], d[LFT_P_CLASSES], constant;
    LFT_P(place)          p = LFT_P(first_place)();
    int                   x, i, l;
    f.dot = NULL;
    LFT_P(program_links)(g, links, f.value);
    constant = LFT_P(potential_weights)(s, c, e, d);
    LFT_P(program_weigh)(g, &f, e, d);
    LFT_P(set_zero)((lft_v *)f.bar, volume * LFT_DIM * LFT_P_SUM);
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = constant;
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&g->lattice, &p)) {
        LFT_P(program_sums) wanted;
        lft_v               sum = lft_splat(0);
        if (!LFT_P(program_runs)(g, &p)) continue;
        wanted.value = wanted.rate = NULL, wanted.sum = &sum, wanted.back = 1, wanted.x = sum;
        LFT_P(program_at)(g, p, &f);
        LFT_P(program_visit)(g, &f, e, d, &wanted);
        LFT_P(add_wide)(div, sum);
    }
    LFT_P(set_zero)(Z, volume * LFT_DIM * LFT_P_ALGEBRA);
    for (i = 0; i < volume * LFT_DIM; ++i) {
        if (!LFT_P(program_moves)(g, i)) continue;
        LFT_P(sum_product)(&u, f.value + i, 0, f.bar + i, 1);
        LFT_P(sum_gradient)(&u, (lft_z *)(Z + i * LFT_P_ALGEBRA));
    }
}

/* wide[class][lane] += W, dc[class][lane] -= W_dot: of a chunk of sites, which begins anew. */
LFT_P_STATIC void LFT_P(potential_widen)(const LFT_P(potential) *s, lft_v *W, lft_v *W_dot, double (*wide)[LFT_P_LANES], double *dc)
{
    const int all = s->program.classes;
    int       i;
    for (i = 0; i < all; ++i) LFT_P(add_wide)(wide[i], W[i]);
    for (i = 0; i < s->classes; ++i) LFT_P(add_wide)(dc + i * LFT_P_LANES, -W_dot[i]);
    LFT_P(set_zero)(W, all);
    LFT_P(set_zero)(W_dot, all);
}

/* Of Phi = sum y Z + kappa[lane] div: to = its gradient by the links, dc[class][lane] += that by the coefficients; either may be
 * NULL, and without `to` c has no part in it. With U. = y U: sum y Z = -S~., and the gradient by U of a derivative along U. is
 *   Re tr T^a (U U'.^+ + U. U'^+) + [g, y]^a,   g^a = Re tr T^a U U'^+
 * where y counts as 0 of a link that does not move. */
LFT_P_STATIC void LFT_P(potential_backward)(const LFT_P(potential) *s, const double *c, const lft_v *links, const lft_v *y,
                                            const double *kappa, lft_v *to, double *dc, LFT_P(program_fields) f)
{
    const LFT_P(program) *g = &s->program;
    const int             all = g->classes, volume = g->lattice.volume, links_n = volume * LFT_DIM;
    const lft_v           weight = LFT_P(from_wide)(kappa);
    lft_w                 u, v;
    lft_v                 W[LFT_P_CLASSES], W_dot[LFT_P_CLASSES];
    double                e[LFT_P_CLASSES], d[LFT_P_CLASSES], wide[LFT_P_CLASSES][LFT_P_LANES];
    LFT_P(program_sums)   wanted;
    lft_z                 gradient, turn;
    LFT_P(place)          p = LFT_P(first_place)();
    int                   x, i, j, k, l;
    LFT_P(program_links)(g, links, f.value);
    LFT_P(set_zero)((lft_v *)f.dot, links_n * LFT_P_SUM);
    for (i = 0; i < links_n; ++i) {
        if (LFT_P(program_moves)(g, i)) LFT_P(sum_turned)(f.dot + i, (const lft_z *)(y + i * LFT_P_ALGEBRA), f.value + i);
    }
    if (to) {
        (void)LFT_P(potential_weights)(s, c, e, d);
        LFT_P(program_weigh)(g, &f, e, d);
        LFT_P(set_zero)((lft_v *)f.bar, links_n * LFT_P_SUM);
        LFT_P(set_zero)((lft_v *)f.dot_bar, links_n * LFT_P_SUM);
    }
    LFT_P(set_zero)(W, all);
    LFT_P(set_zero)(W_dot, all);
    lft_p_zero(wide, (size_t)all * sizeof wide[0]);
    wanted.value = dc ? W : NULL, wanted.rate = dc ? W_dot : NULL, wanted.sum = NULL, wanted.back = to != NULL, wanted.x = weight;
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&g->lattice, &p)) {
        if (LFT_P(program_runs)(g, &p)) {
            LFT_P(program_at)(g, p, &f);
            LFT_P(program_visit)(g, &f, e, d, &wanted);
        }
        if (dc && ((x + 1) % LFT_P_CHUNK == 0 || x + 1 == volume)) LFT_P(potential_widen)(s, W, W_dot, wide, dc);
    }
    for (i = 0; to && i < links_n; ++i) {
        lft_z *out = (lft_z *)(to + i * LFT_P_ALGEBRA);
        LFT_P(sum_product)(&u, f.value + i, 0, f.bar + i, 1);
        LFT_P(sum_product)(&v, f.value + i, 0, f.dot_bar + i, 1);
        LFT_P(sum_mul)(&v, f.dot + i, 0, f.bar + i, 1);
        LFT_P(sum_gradient)(&u, &gradient);
        LFT_P(sum_gradient)(&v, out);
        if (!LFT_P(program_moves)(g, i)) continue;
        LFT_P(bracket)(&turn, &gradient, (const lft_z *)(y + i * LFT_P_ALGEBRA));
        for (k = 0; k < LFT_P_ALGEBRA; ++k) out->c[k] += turn.c[k];
    }
    for (i = 0; dc && i < s->classes; ++i) {
        const double *row = s->closure + i * (all + 1);
        for (l = 0; l < LFT_P_LANES; ++l) {
            double laplacian = row[all];
            for (j = 0; j < all; ++j) laplacian += row[j] * wide[j][l];
            dc[i * LFT_P_LANES + l] += kappa[l] * laplacian;
        }
    }
}

#endif /* LFT_P_CODE */
