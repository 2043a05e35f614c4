/* 67_loop_program.h: how classes of Wilson loops are computed at a site, with their derivatives of first and second order.
 * Offers (private): LFT_P(program) and its parts, LFT_P(program_fields), LFT_P(program_sums), LFT_P(program_links)(), _runs,
 * _moves, _at, _weigh, _visit.
 *
 * A program is a list that is gone through at every site: paths from the links nearby, each a product of two, links or earlier
 * paths, either adjoint, so that loops share what they have in common; traces of products of two paths; products of traces.
 * Most traces stand alone: these are summed and differentiated at once, those with a factor in common one after the other.
 * Paths of a site are computed, used and differentiated before the next site: they stay in the nearest caches, and only links and
 * their cotangents go through memory. The cotangent A' of A is defined by df = Re tr A'^+ dA. Of a product C = A B, with dots for
 * the derivative along a direction:
 *   C. = A. B + A B.     A' += C' B^+,  B' += A^+ C'     A'. += C'. B^+ + C' B.^+,  B'. += A^+ C'. + A.^+ C' */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_SITES 512 /* of a program, at most */
#define LFT_P_PATHS (LFT_DIM < 4 && LFT_P_CLASSES < 512 ? 2048 : 8192)
#define LFT_P_LOOPS (LFT_P_CLASSES < 512 ? LFT_P_PATHS : 16384) /* and traces */

/* A link at one of the program's sites, where path < 0; otherwise an earlier path. fresh: of all that is added to that path's
 * cotangent, what comes from here is the first. */
typedef struct LFT_P(factor) {
    int path, site, axis, adjoint, fresh;
} LFT_P(factor);

typedef struct LFT_P(longer_path) {
    LFT_P(factor) a, b;
} LFT_P(longer_path);

/* tr X Y or, with y.adjoint, tr X Y^+. The first of a program are terms, weight times the real part, of a class each; run: so many
 * have X and y.adjoint in common, from the first of them on. The others are in monomials, and have an imaginary part if it is
 * multiplied with another. */
typedef struct LFT_P(loop) {
    LFT_P(factor) x, y;
    int           two_parts, number, run;
    double        weight;
} LFT_P(loop);

/* weight Re prod tr, with some of the traces conjugate; trace 0 is that of the first loop behind the terms. */
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
    int              sites, paths, loops, terms, monomials, classes;
    LFT_P(program_step)     *site; /* site 0 is the one that the program is at */
    LFT_P(longer_path)  *path;
    LFT_P(loop)     *loop;
    LFT_P(monomial) *monomial;
} LFT_P(program);

/* ---- paths and their derivatives ------------------------------------------------------------------------------------------ */

/* Four fields of links with the paths of a site: values, cotangents and, or NULL, derivatives of both; and of the traces. */
typedef struct LFT_P(program_fields) {
    lft_w    *value, *path, *bar, *path_bar, *dot, *path_dot, *dot_bar, *path_dot_bar;
    lft_v    *trace, *trace_dot, *trace_bar, *trace_dot_bar; /* [loops][2] at most, real and imaginary */
    lft_real *e, *d; /* of terms: weights times those of their classes */
    int      *site;  /* where the program's sites are */
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

/* What is added to the cotangent of a factor goes here. */
LFT_P_INLINE lft_w *LFT_P(program_bar)(const LFT_P(program_fields) *f, const LFT_P(factor) *factor, lft_w *link, lft_w *path)
{
    lft_w *bar = LFT_P(program_factor)(f, factor, link, path);
    if (factor->fresh) LFT_P(sum_none)(bar);
    return bar;
}

/* All paths; where f->dot is not NULL, also their derivatives from those of the links. */
LFT_P_STATIC void LFT_P(program_forward)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    int i;
    for (i = 0; i < g->paths; ++i) {
        const LFT_P(longer_path) *t = g->path + i;
        const lft_w          *a = LFT_P(program_factor)(f, &t->a, f->value, f->path), *b;
        b = LFT_P(program_factor)(f, &t->b, f->value, f->path);
        LFT_P(sum_product)(f->path + i, a, t->a.adjoint, b, t->b.adjoint);
        if (!f->dot) continue;
        LFT_P(sum_product)(f->path_dot + i, LFT_P(program_factor)(f, &t->a, f->dot, f->path_dot), t->a.adjoint, b, t->b.adjoint);
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
        lft_w                *to_a = LFT_P(program_bar)(f, &t->a, f->bar, f->path_bar);
        lft_w                *to_b = LFT_P(program_bar)(f, &t->b, f->bar, f->path_bar);
        LFT_P(path_back)(t, a, b, f->path_bar + i, to_a, to_b);
        if (!f->dot) continue;
        to_a = LFT_P(program_bar)(f, &t->a, f->dot_bar, f->path_dot_bar);
        to_b = LFT_P(program_bar)(f, &t->b, f->dot_bar, f->path_dot_bar);
        LFT_P(path_back)(t, a, b, f->path_dot_bar + i, to_a, to_b);
        a = LFT_P(program_factor)(f, &t->a, f->dot, f->path_dot);
        b = LFT_P(program_factor)(f, &t->b, f->dot, f->path_dot);
        LFT_P(path_back)(t, a, b, f->path_bar + i, to_a, to_b);
    }
}

/* ---- terms ------------------------------------------------------------------------------------------------------------------ */

/* f->e and f->d from numbers of all classes. */
LFT_P_STATIC void LFT_P(program_weigh)(const LFT_P(program) *g, const LFT_P(program_fields) *f, const double *e, const double *d)
{
    int i;
    for (i = 0; i < g->terms; ++i) {
        const LFT_P(loop) *t = g->loop + i;
        f->e[i] = (lft_real)(t->weight * e[t->number]), f->d[i] = (lft_real)(t->weight * d[t->number]);
    }
}

/* What is wanted of terms and monomials. */
typedef struct LFT_P(program_sums) {
    lft_v *value, *rate; /* [class] += those at the site; both or the second may be NULL */
    lft_v *sum;          /* += sum_i d_i W_i, or NULL */
    int    back;         /* cotangents of sum_i e_i W_i; with derivatives also theirs, and x[lane] times those of sum_i d_i W_i */
    lft_v  x;
} LFT_P(program_sums);

/* A run. With <A, B> = Re tr A B^+ the real part of tr X Y^+ is <Y, X>, that of tr X Y is <Y, X^+>. */
LFT_P_INLINE void LFT_P(program_run)(const LFT_P(loop) *run, const lft_real *e, const lft_real *d, const LFT_P(program_fields) *f,
                                     const LFT_P(program_sums) *s)
{
    const int   adjoint = !run->y.adjoint, second = f->dot != NULL;
    const lft_v one = lft_splat(1);
    lft_w       x, x_dot, to_x, to_x_dot;
    int         i;
    LFT_P(sum_none)(&x);
    LFT_P(sum_none)(&to_x);
    LFT_P(sum_none)(&x_dot);
    LFT_P(sum_none)(&to_x_dot);
    LFT_P(sum_scaled)(&x, one, LFT_P(program_factor)(f, &run->x, f->value, f->path), adjoint);
    if (second) LFT_P(sum_scaled)(&x_dot, one, LFT_P(program_factor)(f, &run->x, f->dot, f->path_dot), adjoint);
    for (i = 0; i < run->run; ++i) {
        const LFT_P(loop) *t = run + i;
        const lft_w       *y = LFT_P(program_factor)(f, &t->y, f->value, f->path), *y_dot = NULL;
        lft_w             *to_y;
        lft_v              re, more;
        if (second) y_dot = LFT_P(program_factor)(f, &t->y, f->dot, f->path_dot);
        if (s->sum || s->value) LFT_P(sum_inner)(y, &x, 1, &re, NULL);
        if (s->sum) *s->sum += d[i] * re;
        if (s->value) s->value[t->number] += (lft_real)t->weight * re;
        if (s->rate) {
            LFT_P(sum_inner)(y_dot, &x, 1, &re, NULL);
            LFT_P(sum_inner)(y, &x_dot, 1, &more, NULL);
            s->rate[t->number] += (lft_real)t->weight * (re + more);
        }
        if (!s->back) continue;
        to_y = LFT_P(program_bar)(f, &t->y, f->bar, f->path_bar);
        LFT_P(sum_scaled)(&to_x, lft_splat(e[i]), y, 0);
        LFT_P(sum_scaled)(to_y, lft_splat(e[i]), &x, 0);
        if (!second) continue;
        to_y = LFT_P(program_bar)(f, &t->y, f->dot_bar, f->path_dot_bar);
        LFT_P(sum_scaled)(&to_x_dot, lft_splat(e[i]), y_dot, 0);
        LFT_P(sum_scaled)(to_y, lft_splat(e[i]), &x_dot, 0);
        LFT_P(sum_scaled)(&to_x_dot, d[i] * s->x, y, 0);
        LFT_P(sum_scaled)(to_y, d[i] * s->x, &x, 0);
    }
    if (!s->back) return;
    LFT_P(sum_scaled)(LFT_P(program_bar)(f, &run->x, f->bar, f->path_bar), one, &to_x, adjoint);
    if (second) LFT_P(sum_scaled)(LFT_P(program_bar)(f, &run->x, f->dot_bar, f->path_dot_bar), one, &to_x_dot, adjoint);
}

/* ---- traces and their products --------------------------------------------------------------------------------------------- */

/* The traces in monomials, with their derivatives as above. */
LFT_P_STATIC void LFT_P(program_traces)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    lft_v re, im;
    int   i;
    for (i = 0; i < g->loops - g->terms; ++i) {
        const LFT_P(loop) *t = g->loop + g->terms + i;
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

/* A complex number and its derivative, which counts only where `second` is not 0. */
typedef struct LFT_P(number) {
    lft_v re, im, re_dot, im_dot;
} LFT_P(number);

LFT_P_INLINE LFT_P(number) LFT_P(number_times)(LFT_P(number) a, LFT_P(number) b, int second)
{
    LFT_P(number) c = a;
    c.re = a.re * b.re - a.im * b.im;
    c.im = a.re * b.im + a.im * b.re;
    if (second) c.re_dot = a.re_dot * b.re - a.im_dot * b.im + a.re * b.re_dot - a.im * b.im_dot;
    if (second) c.im_dot = a.re_dot * b.im + a.im_dot * b.re + a.re * b.im_dot + a.im * b.re_dot;
    return c;
}

/* Trace t of a monomial. */
LFT_P_INLINE LFT_P(number) LFT_P(monomial_trace)(const LFT_P(monomial) *m, int t, const LFT_P(program_fields) *f, int second)
{
    const lft_v   *a = f->trace + 2 * m->trace[t], *a_dot = f->trace_dot + 2 * m->trace[t];
    const lft_real sign = m->conjugate[t] ? -1 : 1;
    LFT_P(number)  c;
    c.re = a[0], c.im = sign * a[1], c.re_dot = c.im_dot = lft_splat(0);
    if (second) c.re_dot = a_dot[0], c.im_dot = sign * a_dot[1];
    return c;
}

/* Of every trace of a monomial the product of all others; the product of all is returned. */
LFT_P_INLINE LFT_P(number) LFT_P(monomial_others)(const LFT_P(monomial) *m, const LFT_P(program_fields) *f, int second,
                                                  LFT_P(number) *others)
{
    LFT_P(number) all = LFT_P(monomial_trace)(m, 0, f, second), next;
    int           t, k;
    others[0].re = lft_splat(1), others[0].im = others[0].re_dot = others[0].im_dot = lft_splat(0);
    for (t = 1; t < m->traces; ++t) {
        next      = LFT_P(monomial_trace)(m, t, f, second);
        others[t] = all;
        others[0] = t > 1 ? LFT_P(number_times)(others[0], next, second) : next;
        for (k = 1; k < t; ++k) others[k] = LFT_P(number_times)(others[k], next, second);
        all = LFT_P(number_times)(all, next, second);
    }
    return all;
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
    lft_w       *to_x = LFT_P(program_bar)(f, &t->x, f->bar, f->path_bar);
    lft_w       *to_y = LFT_P(program_bar)(f, &t->y, f->bar, f->path_bar);
    LFT_P(loop_back)(t, bar, x, y, to_x, to_y);
    if (!f->dot) return;
    to_x = LFT_P(program_bar)(f, &t->x, f->dot_bar, f->path_dot_bar);
    to_y = LFT_P(program_bar)(f, &t->y, f->dot_bar, f->path_dot_bar);
    LFT_P(loop_back)(t, dot_bar, x, y, to_x, to_y);
    x = LFT_P(program_factor)(f, &t->x, f->dot, f->path_dot);
    y = LFT_P(program_factor)(f, &t->y, f->dot, f->path_dot);
    LFT_P(loop_back)(t, bar, x, y, to_x, to_y);
}

/* All monomials, after their traces; d, e of all classes. Re t R has the gradient (Re R, -Im R) by t, Re t^* R (Re R, Im R). */
LFT_P_INLINE void LFT_P(program_monomials)(const LFT_P(program) *g, const LFT_P(program_fields) *f, const double *e,
                                           const double *d, const LFT_P(program_sums) *s)
{
    const int     second = f->dot != NULL, traces = g->loops - g->terms;
    LFT_P(number) others[LFT_P_TRACES], all;
    int           i, t;
    LFT_P(set_zero)(f->trace_bar, s->back ? 2 * traces : 0);
    LFT_P(set_zero)(f->trace_dot_bar, s->back && second ? 2 * traces : 0);
    for (i = 0; i < g->monomials; ++i) {
        const LFT_P(monomial) *m = g->monomial + i;
        const lft_real         weight = (lft_real)m->weight;
        lft_v                  also = s->x;
        all = LFT_P(monomial_others)(m, f, second, others);
        if (s->sum) *s->sum += (lft_real)d[m->number] * weight * all.re;
        if (s->value) s->value[m->number] += weight * all.re;
        if (s->rate) s->rate[m->number] += weight * all.re_dot;
        if (second && s->back) also *= (lft_real)d[m->number] * weight;
        for (t = 0; t < m->traces && s->back; ++t) {
            const LFT_P(number) *R = others + t;
            const lft_real       by = (lft_real)e[m->number] * weight, sign = m->conjugate[t] ? 1 : -1;
            lft_v               *bar = f->trace_bar + 2 * m->trace[t], *dot_bar = f->trace_dot_bar + 2 * m->trace[t];
            bar[0] += by * R->re, bar[1] += sign * by * R->im;
            if (!second) continue;
            dot_bar[0] += by * R->re_dot + also * R->re;
            dot_bar[1] += sign * (by * R->im_dot + also * R->im);
        }
    }
    for (i = 0; i < traces && s->back; ++i) {
        LFT_P(program_loop_back)(g->loop + g->terms + i, f, f->trace_bar + 2 * i, f->trace_dot_bar + 2 * i);
    }
}

/* All that is wanted at the site where the program is; e and d of all classes, weighed before. */
LFT_P_INLINE void LFT_P(program_visit)(const LFT_P(program) *g, const LFT_P(program_fields) *f, const double *e, const double *d,
                                       const LFT_P(program_sums) *s)
{
    int i;
    LFT_P(program_forward)(g, f);
    for (i = 0; i < g->terms; i += g->loop[i].run) LFT_P(program_run)(g->loop + i, f->e + i, f->d + i, f, s);
    LFT_P(program_traces)(g, f);
    LFT_P(program_monomials)(g, f, e, d, s);
    if (s->back) LFT_P(program_backward)(g, f);
}

#endif /* LFT_P_CODE */
