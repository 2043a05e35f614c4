/* 67_potential.h: potentials made of Wilson loops, with force and divergence.
 * Offers (private): LFT_P(potential), LFT_P(potential_init)(), _scratch, _force, _backward, _start; LFT_P_CLASSES.
 *
 *   S~(U) = sum_i c_i W_i(U),   force Z_l^a = -d_l^a S~,   divergence -sum d_l^a d_l^a S~ = sum_i c_i L W_i
 * The classes W_i are gauge invariant, translation invariant and hypercubic sums of loops. With P the plaquettes, over both
 * orientations, and A, B all unordered pairs of distinct plaquettes through a link l, both beginning with U_l:
 *   0  tr P         1  tr A B^+ + c.c.     2  tr A B + c.c.         3  tr A (tr B)^* + c.c.
 *   4  tr A tr B + c.c.                    5  tr P^2     6  (tr P)^2    7  |tr P|^2, over one orientation
 * of which 1 ... 7 appear in the next to leading order of the trivializing map (2212.08469). They are a closed set under the
 * Laplacian L = -sum d^a d^a, because sum_a T^a X T^a = -(tr X - X / N) / 2 only cuts and joins traces:
 *   L W_i = sum_j D_ij W_j + const,   so that the divergence costs nothing beside the W_j.
 * Some depend on others: SU(3) tr P^2 = (tr P)^2 - 2 tr P^+; SU(2) tr A tr B = tr A B + tr A B^+ and real traces; U(1). A basis
 * has independent ones alone. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_CLASSES 8

/* Functions of a matrix N that classes are sums of; once for N = the sum of all A of a link, once for N = P. */
enum {
    LFT_P(re_trace),     /* Re tr N */
    LFT_P(re_square),    /* Re tr N^2 */
    LFT_P(norm),         /* tr N N^+ */
    LFT_P(trace_square), /* Re (tr N)^2 */
    LFT_P(trace_norm),   /* |tr N|^2 */
    LFT_P(functions)
};
#define LFT_P_FEATURES (2 * LFT_P(functions))

typedef struct LFT_P(potential) {
    LFT_P(graph) graph;
    int          classes;                                  /* of the basis */
    int          number[LFT_P_CLASSES];                    /* of class i, in the list above */
    double       weight[LFT_P_CLASSES][LFT_P_FEATURES];    /* W_i = sum weight F + constant */
    double       constant[LFT_P_CLASSES];
    double       closure[LFT_P_CLASSES][LFT_P_CLASSES + 1]; /* D_ij, last the constant */
    int          sums, plaquettes;                          /* the first node of either kind that the functions are of */
} LFT_P(potential);

/* Each staple is two products. One of each plane's is kept apart for P; the others go into the sum V of a link's at once. The last
 * nodes are what the functions are of: U V, the sum of the plaquettes A of each link, then the P. For class 0 the P alone. */
LFT_P_STATIC void LFT_P(potential_graph)(LFT_P(potential) *s, const LFT_(lattice) *lattice, int pairs)
{
    LFT_P(graph) *g    = &s->graph;
    const int     unit = -1;
    int           up[LFT_DIM][LFT_DIM], down[LFT_DIM][LFT_DIM], apart[LFT_DIM][LFT_DIM], sum[LFT_DIM], mu, nu;
    LFT_P(graph_init)(g, lattice);
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) {
            if (mu == nu || (mu > nu && !pairs)) continue;
            up[mu][nu]   = LFT_DIM + LFT_P(graph_add)(g, 1, LFT_P(factor_of)(nu, 0, mu + 1, 0), LFT_P(factor_of)(mu, 1, nu + 1, 0));
            if (pairs) {
                down[mu][nu] = LFT_DIM + LFT_P(graph_add)(g, 1, LFT_P(factor_of)(nu, 1, mu + 1, -(nu + 1)),
                                                          LFT_P(factor_of)(mu, 1, -(nu + 1), 0));
            }
            if (mu > nu) continue;
            apart[mu][nu] = LFT_DIM + LFT_P(graph_add)(g, 1, LFT_P(factor_of)(up[mu][nu], 0, 0, 0), LFT_P(factor_of)(nu, 1, 0, 0));
        }
    }
    for (mu = 0; mu < LFT_DIM && pairs; ++mu) {
        int begin = 1;
        for (nu = 0; nu < LFT_DIM; ++nu) {
            if (mu == nu) continue;
            if (mu < nu) {
                sum[mu] = LFT_P(graph_add)(g, begin, LFT_P(factor_of)(apart[mu][nu], 0, 0, 0), LFT_P(factor_of)(unit, 0, 0, 0));
            } else {
                sum[mu] = LFT_P(graph_add)(g, begin, LFT_P(factor_of)(up[mu][nu], 0, 0, 0), LFT_P(factor_of)(nu, 1, 0, 0));
            }
            begin = 0;
            (void)LFT_P(graph_add)(g, 0, LFT_P(factor_of)(down[mu][nu], 0, 0, 0), LFT_P(factor_of)(nu, 0, -(nu + 1), 0));
        }
    }
    s->sums = g->nodes;
    for (mu = 0; mu < LFT_DIM && pairs; ++mu) {
        (void)LFT_P(graph_add)(g, 1, LFT_P(factor_of)(mu, 0, 0, 0), LFT_P(factor_of)(LFT_DIM + sum[mu], 0, 0, 0));
    }
    s->plaquettes = g->nodes;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = mu + 1; nu < LFT_DIM; ++nu) {
            (void)LFT_P(graph_add)(g, 1, LFT_P(factor_of)(mu, 0, 0, 0), LFT_P(factor_of)(apart[mu][nu], 0, 0, 0));
        }
    }
}

/* The whole list, for one site, then the basis of the group. */
LFT_P_STATIC void LFT_P(potential_init)(LFT_P(potential) *s, const LFT_(lattice) *lattice, int classes)
{
    static const int basis[3][LFT_P_CLASSES] = {{0, 1, 2, 5}, {0, 1, 2, 6}, {0, 1, 2, 3, 4, 6, 7}}, count[3] = {4, 4, 7};
    const double     N = LFT_P_COLOURS, casimir = LFT_P_COLOURS == 1 ? 1 : (N * N - 1) / (2 * N), most = 8 * casimir;
    const double     planes = 0.5 * LFT_DIM * (LFT_DIM - 1), volume = lattice->volume;
    double           D[LFT_P_CLASSES][LFT_P_CLASSES + 1], W[LFT_P_CLASSES][LFT_P_FEATURES];
    const int        P = LFT_P(functions);
    int              i, j;
    lft_p_zero(s, sizeof *s);
    lft_p_zero(D, sizeof D);
    lft_p_zero(W, sizeof W);
    LFT_P(potential_graph)(s, lattice, classes > 1);
    W[0][P + LFT_P(re_trace)]     = 2;
    W[1][LFT_P(norm)]             = 1; /* less tr A A^+ = N */
    W[2][LFT_P(re_square)]        = 1, W[2][P + LFT_P(re_square)] = -4; /* less the pairs A A: each P from 4 links */
    W[3][LFT_P(trace_norm)]       = 1, W[3][P + LFT_P(trace_norm)] = -4;
    W[4][LFT_P(trace_square)]     = 1, W[4][P + LFT_P(trace_square)] = -4;
    W[5][P + LFT_P(re_square)]    = 2;
    W[6][P + LFT_P(trace_square)] = 2;
    W[7][P + LFT_P(trace_norm)]   = 1;
    D[0][0] = 4 * casimir, D[1][1] = 6 * casimir;
    if (LFT_P_COLOURS == 1) {
        D[2][2] = 10, D[5][5] = 16;
    } else {
        D[2][2] = D[4][4] = most - 1 / N, D[2][4] = D[4][2] = 1;
        D[3][3] = most + 1 / N, D[3][1] = -1;
        D[5][5] = D[6][6] = most - 4 / N, D[5][6] = D[6][5] = 4;
        D[7][7] = most + 4 / N, D[7][LFT_P_CLASSES] = -4 * N * planes;
    }
    if (LFT_P_COLOURS == 2) {
        D[2][2] += D[2][4], D[2][1] += D[2][4];                            /* W4 = W1 + W2 */
        D[6][6] += D[6][5], D[6][LFT_P_CLASSES] -= 4 * planes * D[6][5];   /* W5 = W6 - 2 . 2 planes */
    }
    if (LFT_P_COLOURS == 3) D[6][6] += D[6][5], D[6][0] -= 2 * D[6][5];    /* W5 = W6 - 2 W0 */
    s->classes = classes < count[LFT_P_COLOURS - 1] ? classes : count[LFT_P_COLOURS - 1];
    for (i = 0; i < s->classes; ++i) {
        const int n = s->number[i] = basis[LFT_P_COLOURS - 1][i];
        s->constant[i] = n == 1 ? -4 * planes * N * volume : 0;
        for (j = 0; j < LFT_P_FEATURES; ++j) s->weight[i][j] = W[n][j];
        for (j = 0; j < s->classes; ++j) s->closure[i][j] = D[n][basis[LFT_P_COLOURS - 1][j]];
        s->closure[i][LFT_P_CLASSES] = volume * D[n][LFT_P_CLASSES];
    }
}

/* Coefficients of the potential: of the leading order (2212.08469), S / (4 C_F) at all times, and of what the next order adds,
 * times t. */
LFT_P_STATIC void LFT_P(potential_start)(const LFT_P(potential) *s, double beta, double *leading, double *next)
{
    const double N = LFT_P_COLOURS, casimir = LFT_P_COLOURS == 1 ? 1 : (N * N - 1) / (2 * N), M = 4 * N * N;
    double       c[LFT_P_CLASSES], scale;
    int          i;
    lft_p_zero(c, sizeof c);
    if (LFT_P_COLOURS == 1) {
        scale = -0.125 * beta * beta;
        c[1] = 1.0 / 6, c[2] = -0.1, c[5] = -0.125;
    } else {
        const double D = (M - 5) * (M - 5) - N * N;
        scale = beta * beta / (8 * N * (N * N - 1));
        c[1] = -4 * N / (3 * (M - 3)), c[2] = 4 * N * (N * N - 1) / D, c[3] = 1 / (M - 3), c[4] = -5 * (N * N - 1) / D;
        if (LFT_P_COLOURS > 2) c[5] = N / (2 * (N * N - 4)), c[6] = -1 / (N * N - 4), c[7] = 1 / (N * N);
        else c[6] = 0.25;
    }
    if (LFT_P_COLOURS == 2) c[1] += c[3] + c[4], c[2] += c[3] + c[4];
    if (LFT_P_COLOURS == 3) c[6] += c[5], c[0] -= 2 * c[5];
    for (i = 0; i < s->classes; ++i) {
        leading[i] = s->number[i] ? 0 : -beta / (8 * N * casimir);
        next[i]    = scale * c[s->number[i]];
    }
}

/* ---- the functions of a matrix ----------------------------------------------------------------------------------------- */

/* part[feature] += the functions of the nodes at a site; with dot: their derivatives instead. */
LFT_P_STATIC void LFT_P(potential_features)(const LFT_P(potential) *s, const lft_w *node, const lft_w *dot, lft_v *part)
{
    lft_v re, im, dre, dim;
    int   i;
    for (i = s->sums; i < s->graph.nodes; ++i) {
        lft_v *f = part + (i < s->plaquettes ? 0 : LFT_P(functions));
        LFT_P(sum_traces)(node + i, &re, &im);
        if (!dot) {
            f[LFT_P(re_trace)] += re;
            f[LFT_P(re_square)] += LFT_P(sum_dot)(node + i, 0, node + i);
            f[LFT_P(norm)] += LFT_P(sum_dot)(node + i, 1, node + i);
            f[LFT_P(trace_square)] += re * re - im * im;
            f[LFT_P(trace_norm)] += re * re + im * im;
        } else {
            LFT_P(sum_traces)(dot + i, &dre, &dim);
            f[LFT_P(re_trace)] += dre;
            f[LFT_P(re_square)] += 2 * LFT_P(sum_dot)(node + i, 0, dot + i);
            f[LFT_P(norm)] += 2 * LFT_P(sum_dot)(node + i, 1, dot + i);
            f[LFT_P(trace_square)] += 2 * (re * dre - im * dim);
            f[LFT_P(trace_norm)] += 2 * (re * dre + im * dim);
        }
    }
}

/* bar += x times, lane by lane, the cotangents of sum_i e_i F_i at the nodes of a site. With at_dot those at the derivatives of
 * the nodes: functions of degree 2 have linear cotangents, the others none there. */
LFT_P_STATIC void LFT_P(potential_cotangents)(const LFT_P(potential) *s, const double *e, lft_v x, const lft_w *at, int at_dot,
                                              lft_w *bar)
{
    int i;
    for (i = s->sums; i < s->graph.nodes; ++i) {
        const double  *w      = e + (i < s->plaquettes ? 0 : LFT_P(functions));
        const lft_real square = (lft_real)(2 * w[LFT_P(trace_square)]), norm = (lft_real)(2 * w[LFT_P(trace_norm)]);
        const lft_real one = at_dot ? 0 : (lft_real)w[LFT_P(re_trace)];
        const lft_real adjoint = (lft_real)(2 * w[LFT_P(re_square)]), same = (lft_real)(2 * w[LFT_P(norm)]);
        lft_v          re, im;
        LFT_P(sum_traces)(at + i, &re, &im);
        LFT_P(sum_unit)(bar + i, x * (one + (norm + square) * re), x * ((norm - square) * im));
        if (adjoint > 0 || adjoint < 0) LFT_P(sum_scaled)(bar + i, adjoint * x, at + i, 1);
        if (same > 0 || same < 0) LFT_P(sum_scaled)(bar + i, same * x, at + i, 0);
    }
}

/* e_i = sum_j c_j weight_ji */
LFT_P_STATIC void LFT_P(potential_mix)(const LFT_P(potential) *s, const double *c, double sign, double *e)
{
    int i, j;
    for (i = 0; i < LFT_P_FEATURES; ++i) {
        e[i] = 0;
        for (j = 0; j < s->classes; ++j) e[i] += sign * c[j] * s->weight[j][i];
    }
}

/* d_j = sum_i c_i D_ij: the divergence is sum_j d_j W_j + the constant that is returned. */
LFT_P_STATIC double LFT_P(potential_laplacian)(const LFT_P(potential) *s, const double *c, double *d)
{
    double constant = 0;
    int    i, j;
    for (j = 0; j < s->classes; ++j) {
        d[j] = 0;
        for (i = 0; i < s->classes; ++i) d[j] += c[i] * s->closure[i][j];
    }
    for (i = 0; i < s->classes; ++i) constant += c[i] * s->closure[i][LFT_P_CLASSES];
    return constant;
}

/* ---- force and divergence ---------------------------------------------------------------------------------------------- */

/* What a sweep works in. */
LFT_P_STATIC LFT_P(graph_fields) LFT_P(potential_scratch)(const LFT_P(potential) *s, int backward, lft_arena *arena)
{
    const size_t        links = (size_t)s->graph.lattice.volume * LFT_DIM, nodes = (size_t)s->graph.nodes;
    LFT_P(graph_fields) f;
    f.value        = (lft_w *)lft_arena_take(arena, links, sizeof(lft_w));
    f.bar          = (lft_w *)lft_arena_take(arena, links, sizeof(lft_w));
    f.node         = (lft_w *)lft_arena_take(arena, nodes, sizeof(lft_w));
    f.node_bar     = (lft_w *)lft_arena_take(arena, nodes, sizeof(lft_w));
    f.dot          = (lft_w *)lft_arena_take(arena, backward ? links : 0, sizeof(lft_w));
    f.dot_bar      = (lft_w *)lft_arena_take(arena, backward ? links : 0, sizeof(lft_w));
    f.node_dot     = (lft_w *)lft_arena_take(arena, backward ? nodes : 0, sizeof(lft_w));
    f.node_dot_bar = (lft_w *)lft_arena_take(arena, backward ? nodes : 0, sizeof(lft_w));
    return f;
}

LFT_P_STATIC void LFT_P(potential_values)(const LFT_P(potential) *s, const double F[LFT_P_FEATURES][LFT_P_LANES], int derivative,
                                          double W[LFT_P_CLASSES][LFT_P_LANES])
{
    int i, j, l;
    for (i = 0; i < s->classes; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            W[i][l] = derivative ? 0 : s->constant[i];
            for (j = 0; j < LFT_P_FEATURES; ++j) W[i][l] += s->weight[i][j] * F[j][l];
        }
    }
}

LFT_P_STATIC void LFT_P(potential_sum)(const lft_v *part, double F[LFT_P_FEATURES][LFT_P_LANES])
{
    int i;
    for (i = 0; i < LFT_P_FEATURES; ++i) LFT_P(add_wide)(F[i], part[i]);
}

/* Z of every link, and div[lane]. */
LFT_P_STATIC void LFT_P(potential_force)(const LFT_P(potential) *s, const double *c, const lft_v *links, lft_v *Z, double *div,
                                         LFT_P(graph_fields) f)
{
    const LFT_P(graph) *g = &s->graph;
    const int           volume = g->lattice.volume;
    lft_w               u;
    double              F[LFT_P_FEATURES][LFT_P_LANES], W[LFT_P_CLASSES][LFT_P_LANES];
    double              e[LFT_P_FEATURES], d[LFT_P_CLASSES], constant;
    LFT_P(place)        p = LFT_P(first_place)();
    int                 x, i, l;
    f.dot = NULL;
    LFT_P(graph_links)(g, links, f.value);
    LFT_P(potential_mix)(s, c, -1, e);
    LFT_P(set_zero)((lft_v *)f.bar, volume * LFT_DIM * LFT_P_SUM);
    lft_p_zero(F, sizeof F);
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&g->lattice, &p)) {
        lft_v part[LFT_P_FEATURES];
        LFT_P(set_zero)(part, LFT_P_FEATURES);
        LFT_P(set_zero)((lft_v *)f.node_bar, g->nodes * LFT_P_SUM);
        LFT_P(graph_forward)(g, p, f.value, f.node, NULL, NULL);
        LFT_P(potential_features)(s, f.node, NULL, part);
        LFT_P(potential_sum)(part, F);
        LFT_P(potential_cotangents)(s, e, lft_splat(1), f.node, 0, f.node_bar);
        LFT_P(graph_backward)(g, p, &f);
    }
    for (i = 0; i < volume * LFT_DIM; ++i) {
        LFT_P(sum_none)(&u);
        LFT_P(sum_mul)(&u, f.value + i, 0, f.bar + i, 1);
        LFT_P(sum_gradient)(&u, (lft_z *)(Z + i * LFT_P_ALGEBRA));
    }
    LFT_P(potential_values)(s, (const double (*)[LFT_P_LANES])F, 0, W);
    constant = LFT_P(potential_laplacian)(s, c, d);
    for (l = 0; l < LFT_P_LANES; ++l) {
        div[l] = constant;
        for (i = 0; i < s->classes; ++i) div[l] += d[i] * W[i][l];
    }
}

/* dc[class][lane] += the derivative by the coefficients of Phi below. */
LFT_P_STATIC void LFT_P(potential_by_coefficients)(const LFT_P(potential) *s, const double F[LFT_P_FEATURES][LFT_P_LANES],
                                                   const double F_dot[LFT_P_FEATURES][LFT_P_LANES], const double *kappa, double *dc)
{
    double W[LFT_P_CLASSES][LFT_P_LANES], dot[LFT_P_CLASSES][LFT_P_LANES];
    int    i, j, l;
    LFT_P(potential_values)(s, F, 0, W);
    LFT_P(potential_values)(s, F_dot, 1, dot);
    for (i = 0; i < s->classes; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            double laplacian = s->closure[i][LFT_P_CLASSES];
            for (j = 0; j < s->classes; ++j) laplacian += s->closure[i][j] * W[j][l];
            dc[i * LFT_P_LANES + l] += kappa[l] * laplacian - dot[i][l];
        }
    }
}

/* Of Phi = sum y Z + kappa[lane] div: to = its gradient by the links, dc[class][lane] += that by the coefficients, not NULL. With
 * U. = y U: sum y Z = -S~., and the gradient of a derivative along U. = y U by U is
 *   Re tr T^a (U U'.^+ + U. U'^+) + [g, y]^a,   g^a = Re tr T^a U U'^+ */
LFT_P_STATIC void LFT_P(potential_backward)(const LFT_P(potential) *s, const double *c, const lft_v *links, const lft_v *y,
                                            const double *kappa, lft_v *to, double *dc, LFT_P(graph_fields) f)
{
    const LFT_P(graph)       *g = &s->graph;
    const int                 volume = g->lattice.volume, links_n = volume * LFT_DIM;
    const lft_v               weight = LFT_P(from_wide)(kappa), one = lft_splat(1);
    lft_w                     u, v;
    double                    F[LFT_P_FEATURES][LFT_P_LANES], F_dot[LFT_P_FEATURES][LFT_P_LANES];
    double                    e[LFT_P_FEATURES], e_div[LFT_P_FEATURES], d[LFT_P_CLASSES];
    lft_z                     gradient, turn;
    LFT_P(place)              p = LFT_P(first_place)();
    int                       x, i, k;
    LFT_P(graph_links)(g, links, f.value);
    for (i = 0; i < links_n; ++i) LFT_P(sum_turned)(f.dot + i, (const lft_z *)(y + i * LFT_P_ALGEBRA), f.value + i);
    LFT_P(potential_mix)(s, c, -1, e);
    (void)LFT_P(potential_laplacian)(s, c, d);
    LFT_P(potential_mix)(s, d, 1, e_div);
    LFT_P(set_zero)((lft_v *)f.bar, links_n * LFT_P_SUM);
    LFT_P(set_zero)((lft_v *)f.dot_bar, links_n * LFT_P_SUM);
    lft_p_zero(F, sizeof F);
    lft_p_zero(F_dot, sizeof F_dot);
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&g->lattice, &p)) {
        lft_v part[LFT_P_FEATURES], part_dot[LFT_P_FEATURES];
        LFT_P(set_zero)((lft_v *)f.node_bar, g->nodes * LFT_P_SUM);
        LFT_P(set_zero)((lft_v *)f.node_dot_bar, g->nodes * LFT_P_SUM);
        LFT_P(graph_forward)(g, p, f.value, f.node, f.dot, f.node_dot);
        if (dc) {
            LFT_P(set_zero)(part, LFT_P_FEATURES);
            LFT_P(set_zero)(part_dot, LFT_P_FEATURES);
            LFT_P(potential_features)(s, f.node, NULL, part);
            LFT_P(potential_features)(s, f.node, f.node_dot, part_dot);
            LFT_P(potential_sum)(part, F);
            LFT_P(potential_sum)(part_dot, F_dot);
        }
        LFT_P(potential_cotangents)(s, e, one, f.node, 0, f.node_bar);
        LFT_P(potential_cotangents)(s, e, one, f.node_dot, 1, f.node_dot_bar);
        LFT_P(potential_cotangents)(s, e_div, weight, f.node, 0, f.node_dot_bar);
        LFT_P(graph_backward)(g, p, &f);
    }
    for (i = 0; i < links_n; ++i) {
        lft_z *out = (lft_z *)(to + i * LFT_P_ALGEBRA);
        LFT_P(sum_none)(&u);
        LFT_P(sum_none)(&v);
        LFT_P(sum_mul)(&u, f.value + i, 0, f.bar + i, 1);
        LFT_P(sum_mul)(&v, f.value + i, 0, f.dot_bar + i, 1);
        LFT_P(sum_mul)(&v, f.dot + i, 0, f.bar + i, 1);
        LFT_P(sum_gradient)(&u, &gradient);
        LFT_P(sum_gradient)(&v, out);
        LFT_P(bracket)(&turn, &gradient, (const lft_z *)(y + i * LFT_P_ALGEBRA));
        for (k = 0; k < LFT_P_ALGEBRA; ++k) out->c[k] += turn.c[k];
    }
    if (dc) LFT_P(potential_by_coefficients)(s, (const double (*)[LFT_P_LANES])F, (const double (*)[LFT_P_LANES])F_dot, kappa, dc);
}

#endif /* LFT_P_CODE */
