/* 67_loop_program.h: how classes of Wilson loops are computed at a site, with their derivatives of first and second order.
 * Offers (private): LFT_P(program) and its parts, LFT_P(program_fields), LFT_P(program_links)(), _runs, _moves, _at, _forward,
 * _traces, _values, _cotangents, _backward.
 *
 * A program is a list that is gone through at every site: paths from the links nearby, each a product of two, links or earlier
 * paths, either adjoint, so that loops share what they have in common; traces of products of two paths; products of traces.
 * Paths of a site are computed, used and differentiated before the next site: they stay in the nearest cache, and only links and
 * their cotangents go through memory. The cotangent A' of A is defined by df = Re tr A'^+ dA. Of a product C = A B, with dots for
 * the derivative along a direction:
 *   C. = A. B + A B.     A' += C' B^+,  B' += A^+ C'     A'. += C'. B^+ + C' B.^+,  B'. += A^+ C'. + A.^+ C' */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_SITES 512 /* of a program, at most */

/* A link at one of the program's sites, where path < 0; otherwise an earlier path. */
typedef struct LFT_P(factor) {
    int path, site, axis, adjoint;
} LFT_P(factor);

typedef struct LFT_P(longer_path) {
    LFT_P(factor) a, b;
} LFT_P(longer_path);

/* tr X Y or, with y.adjoint, tr X Y^+. The imaginary part is needed where it is multiplied with another. */
typedef struct LFT_P(loop) {
    LFT_P(factor) x, y;
    int           two_parts;
} LFT_P(loop);

/* weight Re prod tr, with some of the traces conjugate. */
typedef struct LFT_P(monomial) {
    int    number; /* of the class that it belongs to */
    int    traces, trace[LFT_P_TRACES], conjugate[LFT_P_TRACES];
    double weight;
} LFT_P(monomial);

typedef struct LFT_P(program_step) { /* from one of the sites before: axis + 1 up, -(axis + 1) down */
    int from, step;
} LFT_P(program_step);

typedef struct LFT_P(program) {
    LFT_(lattice)    lattice;
    int              stride[LFT_DIM];
    int              doubled; /* axis + 1: it runs at even slices, and only new links move; 0: none */
    int              period[LFT_DIM]; /* of its classes, 0: none */
    int              sites, paths, loops, monomials, classes;
    LFT_P(program_step)     *site; /* site 0 is the one that the program is at */
    LFT_P(longer_path)  *path;
    LFT_P(loop)     *loop;
    LFT_P(monomial) *monomial;
} LFT_P(program);

/* ---- paths and their derivatives ------------------------------------------------------------------------------------------ */

/* Four fields of links with the paths of a site: values, cotangents and, or NULL, derivatives of both; and of the traces. */
typedef struct LFT_P(program_fields) {
    lft_w *value, *path, *bar, *path_bar, *dot, *path_dot, *dot_bar, *path_dot_bar;
    lft_v *trace, *trace_dot, *trace_bar, *trace_dot_bar; /* [loops][2], real and imaginary */
    int   *site; /* where the program's sites are */
} LFT_P(program_fields);

/* Fields of links: [site][direction]. */
LFT_P_STATIC void LFT_P(program_links)(const LFT_P(program) *g, const lft_v *links, lft_w *value)
{
    int i;
    for (i = 0; i < g->lattice.volume * LFT_DIM; ++i) LFT_P(sum_of)(links + i * LFT_P_LINK, value + i);
}

/* Whether the program runs at p, and whether link i moves. */
LFT_P_INLINE int LFT_P(program_runs)(const LFT_P(program) *g, const LFT_P(place) *p)
{
    return !g->doubled || !(p->x[g->doubled - 1] & 1);
}
LFT_P_INLINE int LFT_P(program_moves)(const LFT_P(program) *g, int i)
{
    const int mu = g->doubled - 1;
    return mu < 0 || (i % LFT_DIM != mu && (i / LFT_DIM / g->stride[mu] % g->lattice.extent[mu] & 1));
}

/* Brings the program to the site p. */
LFT_P_STATIC void LFT_P(program_at)(const LFT_P(program) *g, LFT_P(place) p, const LFT_P(program_fields) *f)
{
    LFT_P(place) at[LFT_P_SITES];
    int          i;
    at[0]      = p;
    f->site[0] = p.site;
    for (i = 1; i < g->sites; ++i) {
        const int step = g->site[i].step;
        at[i] = at[g->site[i].from];
        if (step > 0) LFT_P(up)(&g->lattice, g->stride, at + i, step - 1);
        else LFT_P(down)(&g->lattice, g->stride, at + i, -step - 1);
        f->site[i] = at[i].site;
    }
}

/* A factor among links and paths of one kind. */
LFT_P_INLINE lft_w *LFT_P(program_factor)(const LFT_P(program_fields) *f, const LFT_P(factor) *factor, lft_w *link, lft_w *path)
{
    return factor->path < 0 ? link + f->site[factor->site] * LFT_DIM + factor->axis : path + factor->path;
}

/* All paths; where f->dot is not NULL, also their derivatives from those of the links. */
LFT_P_STATIC void LFT_P(program_forward)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    int i;
    for (i = 0; i < g->paths; ++i) {
        const LFT_P(longer_path) *t = g->path + i;
        const lft_w          *a = LFT_P(program_factor)(f, &t->a, f->value, f->path), *b;
        b = LFT_P(program_factor)(f, &t->b, f->value, f->path);
        LFT_P(sum_none)(f->path + i);
        LFT_P(sum_mul)(f->path + i, a, t->a.adjoint, b, t->b.adjoint);
        if (!f->dot) continue;
        LFT_P(sum_none)(f->path_dot + i);
        LFT_P(sum_mul)(f->path_dot + i, LFT_P(program_factor)(f, &t->a, f->dot, f->path_dot), t->a.adjoint, b, t->b.adjoint);
        LFT_P(sum_mul)(f->path_dot + i, a, t->a.adjoint, LFT_P(program_factor)(f, &t->b, f->dot, f->path_dot), t->b.adjoint);
    }
}

/* a' and b' of c = a b, where a may be the adjoint of a field: its cotangent is c' b^+, that of the field b c'^+. */
LFT_P_STATIC void LFT_P(path_back)(const LFT_P(longer_path) *t, const lft_w *a, const lft_w *b, const lft_w *bar, lft_w *bar_a,
                                      lft_w *bar_b)
{
    if (t->a.adjoint) LFT_P(sum_mul)(bar_a, b, t->b.adjoint, bar, 1);
    else LFT_P(sum_mul)(bar_a, bar, 0, b, !t->b.adjoint);
    if (t->b.adjoint) LFT_P(sum_mul)(bar_b, bar, 1, a, t->a.adjoint);
    else LFT_P(sum_mul)(bar_b, a, !t->a.adjoint, bar, 0);
}

/* What the cotangents of the paths add to those of the links; with derivatives also those of that. */
LFT_P_STATIC void LFT_P(program_backward)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    int i;
    for (i = g->paths - 1; i >= 0; --i) {
        const LFT_P(longer_path) *t = g->path + i;
        const lft_w          *a = LFT_P(program_factor)(f, &t->a, f->value, f->path);
        const lft_w          *b = LFT_P(program_factor)(f, &t->b, f->value, f->path);
        lft_w                *to_a = LFT_P(program_factor)(f, &t->a, f->bar, f->path_bar);
        lft_w                *to_b = LFT_P(program_factor)(f, &t->b, f->bar, f->path_bar);
        LFT_P(path_back)(t, a, b, f->path_bar + i, to_a, to_b);
        if (!f->dot) continue;
        to_a = LFT_P(program_factor)(f, &t->a, f->dot_bar, f->path_dot_bar);
        to_b = LFT_P(program_factor)(f, &t->b, f->dot_bar, f->path_dot_bar);
        LFT_P(path_back)(t, a, b, f->path_dot_bar + i, to_a, to_b);
        a = LFT_P(program_factor)(f, &t->a, f->dot, f->path_dot);
        b = LFT_P(program_factor)(f, &t->b, f->dot, f->path_dot);
        LFT_P(path_back)(t, a, b, f->path_bar + i, to_a, to_b);
    }
}

/* ---- traces and their products --------------------------------------------------------------------------------------------- */

/* All traces, with their derivatives as above. */
LFT_P_STATIC void LFT_P(program_traces)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    lft_v re, im;
    int   i;
    for (i = 0; i < g->loops; ++i) {
        const LFT_P(loop) *t = g->loop + i;
        const lft_w       *x = LFT_P(program_factor)(f, &t->x, f->value, f->path), *y;
        lft_v             *to = f->trace + 2 * i, *dot = f->trace_dot + 2 * i;
        y = LFT_P(program_factor)(f, &t->y, f->value, f->path);
        LFT_P(sum_inner)(x, y, t->y.adjoint, to, t->two_parts ? to + 1 : NULL);
        if (!t->two_parts) to[1] = lft_splat(0);
        if (!f->dot) continue;
        LFT_P(sum_inner)(LFT_P(program_factor)(f, &t->x, f->dot, f->path_dot), y, t->y.adjoint, dot, t->two_parts ? dot + 1 : NULL);
        LFT_P(sum_inner)(x, LFT_P(program_factor)(f, &t->y, f->dot, f->path_dot), t->y.adjoint, &re, t->two_parts ? &im : NULL);
        dot[0] += re;
        if (t->two_parts) dot[1] += im;
        else dot[1] = lft_splat(0);
    }
}

/* The product of the traces of a monomial but number `without`, and its derivative where there are derivatives. */
LFT_P_INLINE void LFT_P(monomial_product)(const LFT_P(monomial) *m, int without, const LFT_P(program_fields) *f, int derivative,
                                          lft_v *p, lft_v *dot)
{
    int t, factors = 0;
    p[0] = lft_splat(1), p[1] = dot[0] = dot[1] = lft_splat(0);
    for (t = 0; t < m->traces; ++t) {
        const lft_v   *a = f->trace + 2 * m->trace[t], *b = f->trace_dot + 2 * m->trace[t];
        const lft_real sign = m->conjugate[t] ? -1 : 1;
        const lft_v    re = a[0], im = sign * a[1], old_re = p[0], old_im = p[1];
        if (t == without) continue;
        if (!factors++) {
            p[0] = re, p[1] = im;
            if (derivative) dot[0] = b[0], dot[1] = sign * b[1];
            continue;
        }
        if (derivative) {
            const lft_v more_re = b[0], more_im = sign * b[1], dot_re = dot[0], dot_im = dot[1];
            dot[0] = dot_re * re - dot_im * im + old_re * more_re - old_im * more_im;
            dot[1] = dot_re * im + dot_im * re + old_re * more_im + old_im * more_re;
        }
        p[0] = old_re * re - old_im * im;
        p[1] = old_re * im + old_im * re;
    }
}

/* value[class] += those at the site and, not NULL, rate[class] += their derivatives. */
LFT_P_STATIC void LFT_P(program_values)(const LFT_P(program) *g, const LFT_P(program_fields) *f, lft_v *value, lft_v *rate)
{
    lft_v p[2], dot[2];
    int   i;
    for (i = 0; i < g->monomials; ++i) {
        const LFT_P(monomial) *m = g->monomial + i;
        const lft_real         weight = (lft_real)m->weight;
        LFT_P(monomial_product)(m, -1, f, rate != NULL, p, dot);
        value[m->number] += weight * p[0];
        if (rate) rate[m->number] += weight * dot[0];
    }
}

/* x' and y' from the gradient t' of tr X Y: X' += t' Y^+, Y' += t' X^+; of tr X Y^+: X' += t' Y, Y' += t'^* X. */
LFT_P_STATIC void LFT_P(loop_back)(const LFT_P(loop) *t, const lft_v *bar, const lft_w *x, const lft_w *y, lft_w *to_x, lft_w *to_y)
{
    if (t->two_parts) {
        LFT_P(sum_times)(to_x, bar[0], bar[1], y, !t->y.adjoint);
        LFT_P(sum_times)(to_y, bar[0], t->y.adjoint ? -bar[1] : bar[1], x, !t->y.adjoint);
    } else {
        LFT_P(sum_scaled)(to_x, bar[0], y, !t->y.adjoint);
        LFT_P(sum_scaled)(to_y, bar[0], x, !t->y.adjoint);
    }
}

/* From the gradient of a trace, and its derivative, to the cotangents of its factors. */
LFT_P_STATIC void LFT_P(program_loop_back)(const LFT_P(loop) *t, const LFT_P(program_fields) *f, const lft_v *bar,
                                           const lft_v *dot_bar)
{
    const lft_w *x = LFT_P(program_factor)(f, &t->x, f->value, f->path), *y = LFT_P(program_factor)(f, &t->y, f->value, f->path);
    lft_w       *to_x = LFT_P(program_factor)(f, &t->x, f->bar, f->path_bar);
    lft_w       *to_y = LFT_P(program_factor)(f, &t->y, f->bar, f->path_bar);
    LFT_P(loop_back)(t, bar, x, y, to_x, to_y);
    if (!f->dot) return;
    to_x = LFT_P(program_factor)(f, &t->x, f->dot_bar, f->path_dot_bar);
    to_y = LFT_P(program_factor)(f, &t->y, f->dot_bar, f->path_dot_bar);
    LFT_P(loop_back)(t, dot_bar, x, y, to_x, to_y);
    x = LFT_P(program_factor)(f, &t->x, f->dot, f->path_dot);
    y = LFT_P(program_factor)(f, &t->y, f->dot, f->path_dot);
    LFT_P(loop_back)(t, bar, x, y, to_x, to_y);
}

/* path_bar = cotangents of sum_i e_i W_i at the site; with derivatives path_dot_bar = those of them, and x[lane] times the
 * cotangents of sum_i e2_i W_i. */
LFT_P_STATIC void LFT_P(program_cotangents)(const LFT_P(program) *g, const LFT_P(program_fields) *f, const double *e,
                                            const double *e2, lft_v x)
{
    const int second = f->dot != NULL;
    lft_v     p[2], dot[2];
    int       i, t;
    LFT_P(set_zero)(f->trace_bar, 2 * g->loops);
    LFT_P(set_zero)((lft_v *)f->path_bar, g->paths * LFT_P_SUM);
    if (second) LFT_P(set_zero)(f->trace_dot_bar, 2 * g->loops);
    if (second) LFT_P(set_zero)((lft_v *)f->path_dot_bar, g->paths * LFT_P_SUM);
    for (i = 0; i < g->monomials; ++i) { /* Re t R has the gradient (Re R, -Im R), Re t^* R (Re R, Im R) */
        const LFT_P(monomial) *m = g->monomial + i;
        const lft_real         weight = (lft_real)(e[m->number] * m->weight);
        if (m->traces == 1) {
            f->trace_bar[2 * m->trace[0]] += weight;
            if (second) f->trace_dot_bar[2 * m->trace[0]] += (lft_real)(e2[m->number] * m->weight) * x;
            continue;
        }
        for (t = 0; t < m->traces; ++t) {
            const lft_real sign = m->conjugate[t] ? 1 : -1;
            lft_v         *bar = f->trace_bar + 2 * m->trace[t], *dot_bar = f->trace_dot_bar + 2 * m->trace[t];
            LFT_P(monomial_product)(m, t, f, second, p, dot);
            bar[0] += weight * p[0];
            bar[1] += sign * weight * p[1];
            if (second) {
                const lft_v also = (lft_real)(e2[m->number] * m->weight) * x;
                dot_bar[0] += weight * dot[0] + also * p[0];
                dot_bar[1] += sign * (weight * dot[1] + also * p[1]);
            }
        }
    }
    for (i = 0; i < g->loops; ++i) LFT_P(program_loop_back)(g->loop + i, f, f->trace_bar + 2 * i, f->trace_dot_bar + 2 * i);
}

#endif /* LFT_P_CODE */
