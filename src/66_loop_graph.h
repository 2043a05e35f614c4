/* 66_loop_graph.h: sums of products of links as a list of products, with their derivatives.
 * Offers (private): LFT_P(factor), LFT_P(factor_of)(), LFT_P(term), LFT_P(graph), LFT_P(graph_fields), LFT_P(graph_init)(), _add,
 * _links, _forward, _backward.
 *
 * A graph is a straight-line program that is run at every site: from links nearby it makes nodes, each a sum of products of two
 * factors, links or earlier nodes, either adjoint,
 *   C = sum A^(+) B^(+)
 * so that staples are summed before they are multiplied. The nodes of a site are computed, used and differentiated before the
 * next site: they stay in the nearest cache, and only links and their cotangents go through memory. The cotangent A' of A is
 * defined by df = Re tr A'^+ dA. Of a product C = A B, with dots for the derivative along a direction:
 *   C. = A. B + A B.     A' += C' B^+,  B' += A^+ C'     A'. += C'. B^+ + C' B.^+,  B'. += A^+ C'. + A.^+ C' */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_TERMS 80

/* Of a link: its direction, from the site that the steps lead to: mu + 1 up, -(mu + 1) down, 0 none. Of a node: LFT_DIM + its
 * number, no steps. -1: the unit matrix, as the second factor. */
typedef struct LFT_P(factor) {
    int field, adjoint, step[2];
} LFT_P(factor);

typedef struct LFT_P(term) { /* node += a b */
    int           node;
    LFT_P(factor) a, b;
} LFT_P(term);

typedef struct LFT_P(graph) {
    LFT_(lattice) lattice;
    int           stride[LFT_DIM];
    int           nodes, terms;
    LFT_P(term)   term[LFT_P_TERMS]; /* those of a node one after the other, after those of its factors */
} LFT_P(graph);

LFT_P_STATIC void LFT_P(graph_init)(LFT_P(graph) *g, const LFT_(lattice) *lattice)
{
    lft_p_zero(g, sizeof *g);
    g->lattice = *lattice;
    LFT_P(strides)(lattice, g->stride);
}

LFT_P_STATIC LFT_P(factor) LFT_P(factor_of)(int field, int adjoint, int step0, int step1)
{
    LFT_P(factor) f;
    f.field = field, f.adjoint = adjoint;
    f.step[0] = step0, f.step[1] = step1;
    return f;
}

/* To the last node, or where a new one begins to that. */
LFT_P_STATIC int LFT_P(graph_add)(LFT_P(graph) *g, int begin, LFT_P(factor) a, LFT_P(factor) b)
{
    LFT_P(term) *t = g->term + g->terms++;
    g->nodes += begin;
    t->node = g->nodes - 1, t->a = a, t->b = b;
    return t->node;
}

/* Fields of links: [site][direction]. */
LFT_P_STATIC void LFT_P(graph_links)(const LFT_P(graph) *g, const lft_v *links, lft_w *value)
{
    int i;
    for (i = 0; i < g->lattice.volume * LFT_DIM; ++i) LFT_P(sum_of)(links + i * LFT_P_LINK, value + i);
}

/* A factor among links and nodes of one kind. */
LFT_P_INLINE lft_w *LFT_P(graph_at)(const LFT_P(graph) *g, LFT_P(place) p, const LFT_P(factor) *f, lft_w *link, lft_w *node)
{
    int i;
    if (f->field >= LFT_DIM) return node + (f->field - LFT_DIM);
    for (i = 0; i < 2; ++i) {
        if (f->step[i] > 0) LFT_P(up)(&g->lattice, g->stride, &p, f->step[i] - 1);
        if (f->step[i] < 0) LFT_P(down)(&g->lattice, g->stride, &p, -f->step[i] - 1);
    }
    return link + p.site * LFT_DIM + f->field;
}

/* All nodes at p; where dot is not NULL, also their derivatives node_dot from those of the links. */
LFT_P_STATIC void LFT_P(graph_forward)(const LFT_P(graph) *g, LFT_P(place) p, lft_w *link, lft_w *node, lft_w *dot, lft_w *node_dot)
{
    int i, last = -1;
    for (i = 0; i < g->terms; ++i) {
        const LFT_P(term) *t = g->term + i;
        const lft_w       *a = LFT_P(graph_at)(g, p, &t->a, link, node), *b = NULL;
        lft_w             *c = node + t->node, *d = dot ? node_dot + t->node : NULL;
        if (t->node != last) LFT_P(sum_none)(c);
        if (t->node != last && dot) LFT_P(sum_none)(d);
        last = t->node;
        if (t->b.field < 0) {
            LFT_P(sum_scaled)(c, lft_splat(1), a, t->a.adjoint);
            if (dot) LFT_P(sum_scaled)(d, lft_splat(1), LFT_P(graph_at)(g, p, &t->a, dot, node_dot), t->a.adjoint);
            continue;
        }
        b = LFT_P(graph_at)(g, p, &t->b, link, node);
        LFT_P(sum_mul)(c, a, t->a.adjoint, b, t->b.adjoint);
        if (!dot) continue;
        LFT_P(sum_mul)(d, LFT_P(graph_at)(g, p, &t->a, dot, node_dot), t->a.adjoint, b, t->b.adjoint);
        LFT_P(sum_mul)(d, a, t->a.adjoint, LFT_P(graph_at)(g, p, &t->b, dot, node_dot), t->b.adjoint);
    }
}

/* a' and b' of c = a b, where a may be the adjoint of a field: its cotangent is c' b^+, that of the field b c'^+. */
LFT_P_STATIC void LFT_P(graph_back)(const LFT_P(term) *t, const lft_w *a, const lft_w *b, const lft_w *bar, lft_w *bar_a,
                                    lft_w *bar_b)
{
    if (t->a.adjoint) LFT_P(sum_mul)(bar_a, b, t->b.adjoint, bar, 1);
    else LFT_P(sum_mul)(bar_a, bar, 0, b, !t->b.adjoint);
    if (t->b.adjoint) LFT_P(sum_mul)(bar_b, bar, 1, a, t->a.adjoint);
    else LFT_P(sum_mul)(bar_b, a, !t->a.adjoint, bar, 0);
}

/* Four fields of links with the nodes of a site: values, cotangents and, or NULL, derivatives of both. */
typedef struct LFT_P(graph_fields) {
    lft_w *value, *node, *bar, *node_bar, *dot, *node_dot, *dot_bar, *node_dot_bar;
} LFT_P(graph_fields);

/* What the cotangents of the nodes at p add to those of the links; with derivatives also those of that. */
LFT_P_STATIC void LFT_P(graph_backward)(const LFT_P(graph) *g, LFT_P(place) p, const LFT_P(graph_fields) *f)
{
    int i;
    for (i = g->terms - 1; i >= 0; --i) {
        const LFT_P(term) *t = g->term + i;
        const lft_w       *c = f->node_bar + t->node, *a, *b;
        lft_w             *to_a = LFT_P(graph_at)(g, p, &t->a, f->bar, f->node_bar), *to_b;
        if (t->b.field < 0) {
            LFT_P(sum_scaled)(to_a, lft_splat(1), c, t->a.adjoint);
            if (!f->dot) continue;
            LFT_P(sum_scaled)(LFT_P(graph_at)(g, p, &t->a, f->dot_bar, f->node_dot_bar), lft_splat(1), f->node_dot_bar + t->node,
                              t->a.adjoint);
            continue;
        }
        a    = LFT_P(graph_at)(g, p, &t->a, f->value, f->node);
        b    = LFT_P(graph_at)(g, p, &t->b, f->value, f->node);
        to_b = LFT_P(graph_at)(g, p, &t->b, f->bar, f->node_bar);
        LFT_P(graph_back)(t, a, b, c, to_a, to_b);
        if (!f->dot) continue;
        to_a = LFT_P(graph_at)(g, p, &t->a, f->dot_bar, f->node_dot_bar);
        to_b = LFT_P(graph_at)(g, p, &t->b, f->dot_bar, f->node_dot_bar);
        LFT_P(graph_back)(t, a, b, f->node_dot_bar + t->node, to_a, to_b);
        a = LFT_P(graph_at)(g, p, &t->a, f->dot, f->node_dot);
        b = LFT_P(graph_at)(g, p, &t->b, f->dot, f->node_dot);
        LFT_P(graph_back)(t, a, b, c, to_a, to_b);
    }
}

#endif /* LFT_P_CODE */
