/* 66_loop_graph.h: sums of products of links as a list of products, with their derivatives.
 * Offers (private): LFT_P(factor), LFT_P(term), LFT_P(graph), LFT_P(graph_init)(), _add, _matrices, _field, _links, _forward, _tangent,
 * _backward, and LFT_P(factor_of)().
 *
 * A graph is a straight-line program over fields of matrices: fields 0 ... LFT_DIM - 1 are the links, the others nodes. Each
 * node is a sum of products of two fields at sites nearby, either adjoint,
 *   C(x) = sum A(x + a)^(+) B(x + b)^(+)
 * so that a path is multiplied once for all loops that go along it, and staples are summed before they are multiplied. The
 * cotangent A' of A is defined by df = Re tr A'^+ dA. Of a product C = A B, with dots for the derivative along a direction:
 *   C. = A. B + A B.     A' += C' B^+,  B' += A^+ C'     A'. += C'. B^+ + C' B.^+,  B'. += A^+ C'. + A.^+ C'
 * The links and the first nodes are stored, [site][field]; the last nodes are local: they serve at their own site alone, where
 * they are computed, used and differentiated while they are in the nearest cache. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_TERMS  64
#define LFT_P_STEPS  2
#define LFT_P_LOCALS 16

/* Field `field` at the site that the steps lead to: mu + 1 up, -(mu + 1) down, 0 none. */
typedef struct LFT_P(factor) {
    int field, adjoint, step[LFT_P_STEPS];
} LFT_P(factor);

typedef struct LFT_P(term) { /* node += a b */
    int           node;
    LFT_P(factor) a, b;
} LFT_P(term);

/* A term of a stored node uses links and, at its own site, nodes before it; one of a local node also stored nodes anywhere. */
typedef struct LFT_P(graph) {
    LFT_(lattice) lattice;
    int           stride[LFT_DIM];
    int           fields, locals;         /* stored ones, links and nodes; nodes fields ... fields + locals - 1 are local */
    int           stored, terms;          /* the first `stored` terms are those of stored nodes */
    LFT_P(term)   term[LFT_P_TERMS];
} LFT_P(graph);

LFT_P_STATIC void LFT_P(graph_init)(LFT_P(graph) *g, const LFT_(lattice) *lattice, int fields, int locals)
{
    lft_p_zero(g, sizeof *g);
    g->lattice = *lattice;
    g->fields = fields, g->locals = locals;
    LFT_P(strides)(lattice, g->stride);
}

LFT_P_STATIC LFT_P(factor) LFT_P(factor_of)(int field, int adjoint, int step0, int step1)
{
    LFT_P(factor) f;
    f.field = field, f.adjoint = adjoint;
    f.step[0] = step0, f.step[1] = step1;
    return f;
}

LFT_P_STATIC void LFT_P(graph_add)(LFT_P(graph) *g, int node, LFT_P(factor) a, LFT_P(factor) b)
{
    LFT_P(term) *t = g->term + g->terms++;
    t->node = node, t->a = a, t->b = b;
    if (node < g->fields) g->stored = g->terms;
}

LFT_P_STATIC size_t LFT_P(graph_matrices)(const LFT_P(graph) *g)
{
    return (size_t)g->fields * (size_t)g->lattice.volume;
}

LFT_P_STATIC lft_w *LFT_P(graph_field)(const LFT_P(graph) *g, lft_arena *arena)
{
    return (lft_w *)lft_arena_take(arena, LFT_P(graph_matrices)(g), sizeof(lft_w));
}

/* Where a factor is: the number of a stored matrix, or -1 - i for local number i. */
LFT_P_INLINE int LFT_P(graph_at)(const LFT_P(graph) *g, LFT_P(place) p, const LFT_P(factor) *f)
{
    int i;
    if (f->field >= g->fields) return g->fields - f->field - 1;
    for (i = 0; i < LFT_P_STEPS; ++i) {
        if (f->step[i] > 0) LFT_P(up)(&g->lattice, g->stride, &p, f->step[i] - 1);
        if (f->step[i] < 0) LFT_P(down)(&g->lattice, g->stride, &p, -f->step[i] - 1);
    }
    return p.site * g->fields + f->field;
}

LFT_P_INLINE lft_w *LFT_P(graph_matrix)(lft_w *stored, lft_w *local, int at)
{
    return at < 0 ? local - at - 1 : stored + at;
}

LFT_P_STATIC void LFT_P(graph_links)(const LFT_P(graph) *g, const lft_v *links, lft_w *value)
{
    int x, mu;
    for (x = 0; x < g->lattice.volume; ++x) {
        for (mu = 0; mu < LFT_DIM; ++mu) LFT_P(sum_of)(links + (x * LFT_DIM + mu) * LFT_P_LINK, value + x * g->fields + mu);
    }
}

/* The stored (local NULL) or the local nodes at p and, where dot is not NULL, their derivatives. */
LFT_P_STATIC void LFT_P(graph_forward)(const LFT_P(graph) *g, LFT_P(place) p, lft_w *value, lft_w *local, lft_w *dot, lft_w *local_dot)
{
    const int end = local ? g->terms : g->stored, base = p.site * g->fields;
    int       i, last = -1;
    for (i = local ? g->stored : 0; i < end; ++i) {
        const LFT_P(term) *t = g->term + i;
        const int          at = LFT_P(graph_at)(g, p, &t->a), bt = LFT_P(graph_at)(g, p, &t->b);
        const int          ct = t->node < g->fields ? base + t->node : g->fields - t->node - 1;
        const lft_w       *a = LFT_P(graph_matrix)(value, local, at), *b = LFT_P(graph_matrix)(value, local, bt);
        lft_w             *c = LFT_P(graph_matrix)(value, local, ct);
        if (t->node != last) LFT_P(sum_none)(c);
        LFT_P(sum_mul)(c, a, t->a.adjoint, b, t->b.adjoint);
        if (dot) {
            lft_w *d = LFT_P(graph_matrix)(dot, local_dot, ct);
            if (t->node != last) LFT_P(sum_none)(d);
            LFT_P(sum_mul)(d, LFT_P(graph_matrix)(dot, local_dot, at), t->a.adjoint, b, t->b.adjoint);
            LFT_P(sum_mul)(d, a, t->a.adjoint, LFT_P(graph_matrix)(dot, local_dot, bt), t->b.adjoint);
        }
        last = t->node;
    }
}

/* a' and b' of c = a b, where a may be the adjoint of a field: its cotangent is c' b^+, that of the field b c'^+. */
LFT_P_STATIC void LFT_P(graph_back)(const LFT_P(term) *t, const lft_w *a, const lft_w *b, const lft_w *bar, lft_w *bar_a, lft_w *bar_b)
{
    if (t->a.adjoint) LFT_P(sum_mul)(bar_a, b, t->b.adjoint, bar, 1);
    else LFT_P(sum_mul)(bar_a, bar, 0, b, !t->b.adjoint);
    if (t->b.adjoint) LFT_P(sum_mul)(bar_b, bar, 1, a, t->a.adjoint);
    else LFT_P(sum_mul)(bar_b, a, !t->a.adjoint, bar, 0);
}

/* What the cotangents of the stored (local NULL) or the local nodes at p add to those of their factors; where dot is not NULL,
 * also the derivatives of that. Fields come in pairs of stored and local ones. */
LFT_P_STATIC void LFT_P(graph_backward)(const LFT_P(graph) *g, LFT_P(place) p, lft_w *value, lft_w *local, lft_w *bar, lft_w *local_bar,
                                        lft_w *dot, lft_w *local_dot, lft_w *dot_bar, lft_w *local_dot_bar)
{
    const int begin = local ? g->stored : 0, base = p.site * g->fields;
    int       i;
    for (i = (local ? g->terms : g->stored) - 1; i >= begin; --i) {
        const LFT_P(term) *t = g->term + i;
        const int          at = LFT_P(graph_at)(g, p, &t->a), bt = LFT_P(graph_at)(g, p, &t->b);
        const int          ct = t->node < g->fields ? base + t->node : g->fields - t->node - 1;
        const lft_w       *a = LFT_P(graph_matrix)(value, local, at), *b = LFT_P(graph_matrix)(value, local, bt);
        const lft_w       *c = LFT_P(graph_matrix)(bar, local_bar, ct);
        LFT_P(graph_back)(t, a, b, c, LFT_P(graph_matrix)(bar, local_bar, at), LFT_P(graph_matrix)(bar, local_bar, bt));
        if (dot) {
            lft_w *to_a = LFT_P(graph_matrix)(dot_bar, local_dot_bar, at), *to_b = LFT_P(graph_matrix)(dot_bar, local_dot_bar, bt);
            LFT_P(graph_back)(t, a, b, LFT_P(graph_matrix)(dot_bar, local_dot_bar, ct), to_a, to_b);
            LFT_P(graph_back)(t, LFT_P(graph_matrix)(dot, local_dot, at), LFT_P(graph_matrix)(dot, local_dot, bt), c, to_a, to_b);
        }
    }
}

#endif /* LFT_P_CODE */
