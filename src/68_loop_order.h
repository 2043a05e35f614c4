/* 68_loop_order.h: in what order a program of loops works.
 * Offers (private): LFT_P(program_order)().
 *
 * Traces that nothing is multiplied with come first, as terms of their classes; of their two factors the one that more of them have
 * is X, and those with X in common are a run: it is read and its cotangent written once. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct LFT_P(order) {
    LFT_P(program) *program;
    unsigned char   loop_uses[LFT_P_LOOPS];                    /* of a loop: 1 for a term, 2 for one that is in monomials */
    int             to[LFT_P_LOOPS];                           /* where it goes */
    int             uses[LFT_P_PATHS + LFT_P_SITES * LFT_DIM]; /* of a path or link */
} LFT_P(order);

/* The number of a factor among all paths and links. */
LFT_P_STATIC int LFT_P(order_number)(const LFT_P(factor) *f)
{
    return f->path < 0 ? LFT_P_PATHS + f->site * LFT_DIM + f->axis : f->path;
}

/* Terms are told from the others, and their X is the factor that more of them have. */
LFT_P_STATIC void LFT_P(order_terms)(LFT_P(order) *s)
{
    LFT_P(program) *g = s->program;
    int             i, t, kept = 0;
    for (i = 0; i < g->monomials; ++i) {
        const LFT_P(monomial) *m = g->monomial + i;
        for (t = 0; t < m->traces; ++t) {
            s->loop_uses[m->trace[t]] = (unsigned char)(m->traces > 1 || s->loop_uses[m->trace[t]] ? 2 : 1);
            g->loop[m->trace[t]].number = m->number, g->loop[m->trace[t]].weight = m->weight;
        }
    }
    for (i = 0; i < g->monomials; ++i) {
        if (s->loop_uses[g->monomial[i].trace[0]] > 1) g->monomial[kept++] = g->monomial[i];
    }
    g->monomials = kept;
    for (i = 0; i < g->loops; ++i) {
        if (s->loop_uses[i] > 1) continue;
        ++g->terms;
        ++s->uses[LFT_P(order_number)(&g->loop[i].x)];
        ++s->uses[LFT_P(order_number)(&g->loop[i].y)];
    }
    for (i = 0; i < g->loops; ++i) { /* Re tr X Y^+ = Re tr Y X^+ */
        LFT_P(loop)        *l = g->loop + i;
        const LFT_P(factor) x = l->x;
        const int           adjoint = l->y.adjoint;
        if (s->loop_uses[i] > 1 || s->uses[LFT_P(order_number)(&l->y)] <= s->uses[LFT_P(order_number)(&x)]) continue;
        l->x = l->y, l->y = x;
        l->x.adjoint = 0, l->y.adjoint = adjoint;
    }
}

/* Terms come first, those of a run together. */
LFT_P_STATIC void LFT_P(order_runs)(LFT_P(order) *s)
{
    LFT_P(program) *g = s->program;
    int             i, k, next = 0, others = g->terms;
    for (i = 0; i < g->loops; ++i) s->to[i] = -1;
    for (i = 0; i < g->loops; ++i) {
        const LFT_P(loop) *l = g->loop + i;
        if (s->loop_uses[i] > 1) s->to[i] = others++;
        for (k = s->to[i] < 0 ? i : g->loops; k < g->loops; ++k) {
            if (s->loop_uses[k] > 1 || g->loop[k].y.adjoint != l->y.adjoint) continue;
            if (LFT_P(order_number)(&g->loop[k].x) == LFT_P(order_number)(&l->x)) s->to[k] = next++, ++g->loop[i].run;
        }
    }
    for (i = 0; i < g->monomials; ++i) {
        LFT_P(monomial) *m = g->monomial + i;
        for (k = 0; k < m->traces; ++k) m->trace[k] = s->to[m->trace[k]] - g->terms;
    }
    for (i = 0; i < g->loops; ++i) { /* each exchange brings one where it belongs */
        while (s->to[i] != i) {
            const int         to = s->to[i];
            const LFT_P(loop) l = g->loop[to];
            g->loop[to] = g->loop[i], g->loop[i] = l;
            s->to[i] = s->to[to], s->to[to] = to;
        }
    }
}

/* Something is added to the cotangent of a factor. */
LFT_P_STATIC void LFT_P(order_touch)(LFT_P(order) *s, LFT_P(factor) *f)
{
    f->fresh = f->path >= 0 && !s->uses[f->path];
    if (f->path >= 0) ++s->uses[f->path];
}

/* What is the first to be added to each cotangent. */
LFT_P_STATIC void LFT_P(order_cotangents)(LFT_P(order) *s)
{
    LFT_P(program) *g = s->program;
    int             i, k;
    lft_p_zero(s->uses, sizeof s->uses);
    for (i = 0; i < g->terms; i += g->loop[i].run) {
        for (k = 0; k < g->loop[i].run; ++k) LFT_P(order_touch)(s, &g->loop[i + k].y);
        LFT_P(order_touch)(s, &g->loop[i].x);
    }
    for (; i < g->loops; ++i) LFT_P(order_touch)(s, &g->loop[i].x), LFT_P(order_touch)(s, &g->loop[i].y);
    for (i = g->paths - 1; i >= 0; --i) LFT_P(order_touch)(s, &g->path[i].a), LFT_P(order_touch)(s, &g->path[i].b);
}

/* Of a program that is written down: nothing is done where there was no room for it. */
LFT_P_STATIC void LFT_P(program_order)(LFT_P(program) *g)
{
    LFT_P(order) s;
    if (!g->path || !g->loop || !g->monomial) return;
    lft_p_zero(&s, sizeof s);
    s.program = g;
    LFT_P(order_terms)(&s);
    LFT_P(order_runs)(&s);
    LFT_P(order_cotangents)(&s);
}

#endif /* LFT_P_CODE */
