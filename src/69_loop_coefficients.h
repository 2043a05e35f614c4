/* 69_loop_coefficients.h: the potential of a flow of loops in time: classes and a net, with polynomials of t as coefficients.
 * Offers: LFT_(continuous_desc), _loops, _loops_on, _loop, _scale; (private) continuous, its checks, its start. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Zero means the default. */
typedef struct LFT_(continuous_desc) {
    int                  loops; /* classes of loops: 1 the plaquettes, then those of the trivializing map order by order, up to
                                   as many as there are room for; by default those of its second order (below) */
    int                  nodes; /* Legendre polynomials of time that each coefficient is a sum of: 4. That of the plaquette keeps
                                   its shape, a polynomial of degree order - 1: another pace along the same way is the same map */
    lft_group_integrator integrator;
    int                  steps, most_steps; /* 12; 4 steps */
    int                  order; /* coefficients at the start: 0 none, the identity; 1 to 4, of a doubled axis to 8: the trivializing
                                   map to leading, next to leading order in beta, and so on; needs all classes of that order, and
                                   nodes >= order but for a doubled axis */
    int                  cut_off; /* 1: the start is not expanded in beta: its equation is solved in the classes up to that order */
    double               beta;  /* of the Wilson action that the order is for */
    double               from;  /* beta of what the map begins with, as LFT_(flow_carry)() does; 0: Haar */
    int                  doubled; /* axis + 1: only new links of a doubled axis move, those across it at odd coordinates */
    int                  units;   /* of a net of plaquettes that adds to the potential, up to 256; 0: none */
    int                  reach;   /* of the net: how far plaquettes see each other along any axis: 1; at most 4, 3, 2 in 2, 3, 4
                                     dimensions */
} LFT_(continuous_desc);

/* How many classes of loops there are to an order, 1 to 8, on large lattices; 0 where there is no room for all of them. doubled: as
 * in the desc. */
LFT_API int LFT_(continuous_loops)(int doubled, int order);

/* The same on a lattice of these extents, without a doubled axis: others where loops close around it. */
LFT_API int LFT_(continuous_loops_on)(const int *extent, int order);

/* text = a member of class `number`, from 0, of a layer of this table, cut to size: "tr xyXY" is the loop of steps along x, y, back
 * along x, back along y, where loops close around the lattice modulo its extents; z and t are the other axes; where there are more
 * traces the steps between their beginnings stand in brackets, and those of the first from an even slice of a doubled axis. Of
 * U(1) one loop that has all links. LFT_ERR_ARG where there is no such class. */
LFT_API lft_status LFT_(continuous_loop)(const LFT_(layer) *layer, int number, char *text, size_t size);

/* Multiplies the coefficients of a layer of this table, in flow->params.value, by ratio to the power of their classes' order, which
 * is what those of the trivializing map do to leading order when beta becomes ratio beta: the start at another coupling, from a
 * model. The a of a net are multiplied by ratio: what it adds to the plaquettes is of that order. flow_prepare must follow. */
LFT_API void LFT_(continuous_scale)(const LFT_(layer) *layer, double *value, double ratio);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_API int LFT_(continuous_loops)(int doubled, int order)
{
    if (order < 1 || order > LFT_P_ORDERS || doubled < 0 || doubled > LFT_DIM) return 0;
    return LFT_P(potential_classes)(NULL, doubled, order);
}

LFT_API int LFT_(continuous_loops_on)(const int *extent, int order)
{
    return order < 1 || order > LFT_P_ORDERS ? 0 : LFT_P(potential_classes)(extent, 0, order);
}

LFT_P_STATIC void LFT_P(put_steps)(lft_p_text *t, int axis, int steps)
{
    static const char *const name[2] = {"x\0y\0z\0t", "X\0Y\0Z\0T"};
    for (; steps > 0; --steps) lft_p_put(t, name[0] + 2 * axis);
    for (; steps < 0; ++steps) lft_p_put(t, name[1] + 2 * axis);
}

LFT_P_STATIC void LFT_P(put_loop)(LFT_P(traces) p, lft_p_text *to)
{
    int x[LFT_DIM], y[LFT_DIM], t, i, mu;
    if (LFT_P_COLOURS == 1) LFT_P(path_walk)(p.letter[0], p.length[0], p.period);
    for (t = 0; t < p.traces; ++t) {
        LFT_P(letter_begin)(p.letter[t][0], p.period, x);
        LFT_P(letter_begin)(p.letter[0][0], p.period, y);
        if (p.doubled && !t) y[p.doubled - 1] &= ~1;
        lft_p_put(to, t ? " " : "");
        if (LFT_P(path_compare)(x, y, LFT_DIM)) lft_p_put(to, "(");
        for (mu = 0; mu < LFT_DIM; ++mu) LFT_P(put_steps)(to, mu, x[mu] - y[mu]);
        lft_p_put(to, LFT_P(path_compare)(x, y, LFT_DIM) ? ") tr " : "tr ");
        for (i = 0; i < p.length[t]; ++i) {
            LFT_P(put_steps)(to, LFT_P(letter_axis)(p.letter[t][i]), LFT_P(letter_adjoint)(p.letter[t][i]) ? -1 : 1);
        }
    }
}

#define LFT_P_SHAPE  4 /* coefficients of the plaquette */

typedef struct LFT_P(continuous) {
    LFT_(continuous_desc) desc; /* defaults filled in */
    LFT_P(potential)      potential;
    double               *matrices; /* for the start */
    LFT_P(trace_net)      net;
    double               *coefficient; /* [count]: 4 for the plaquette, nodes for each of the others; of a net [units][nodes] for a,
                                          then its b and K */
    size_t                params;
    int                   count;
    int                   links; /* of a configuration */
} LFT_P(continuous);

LFT_API lft_status LFT_(continuous_loop)(const LFT_(layer) *layer, int number, char *text, size_t size)
{
    const LFT_P(potential) *s = &((const LFT_P(continuous) *)layer->state)->potential;
    lft_p_text              to = lft_p_text_over(text, size);
    if (number < 0 || number >= s->classes) return LFT_ERR_ARG;
    LFT_P(put_loop)(s->one[number], &to);
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(continuous_check_desc)(const LFT_(continuous_desc) *d, lft_error *error)
{
    if (d->doubled < 0 || d->doubled > LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "doubled", "0, or an axis + 1", d->doubled);
    }
    if (d->loops < 1) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "at least 1", d->loops);
    if (d->nodes < 1 || d->nodes > 100) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "nodes", "1 to 100", d->nodes);
    if (d->integrator < LFT_LUESCHER_RK3 || d->integrator > LFT_COMMUTATOR_FREE_4) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "integrator", "one of lft_group_integrator", (int)d->integrator);
    }
    if (d->steps < 1 || d->most_steps < d->steps || d->most_steps > 100000) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "most_steps", "steps to 100000", d->most_steps);
    }
    if (d->order < 0 || d->order > (d->doubled ? LFT_P_ORDERS : LFT_P_SHAPE)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "order",
                              LFT_DIM == 2 ? "0 to 4, of a doubled axis 8" : "0, 1, 2, 3 or 4", d->order);
    }
    if (d->order > d->nodes && !d->doubled && !d->cut_off) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "nodes", "at least the order", d->nodes);
    }
    if (d->units < 0 || d->units > 256) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "units", "0 to 256", d->units);
    }
    if (d->units && d->doubled) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "units", "0 for the new links of a doubled axis", d->units);
    }
    if (d->reach < 0 || d->reach > LFT_P_REACH || (d->reach && !d->units)) {
        static const char *const most[] = {"1 to 4, with units", "1 to 3, with units", "1 or 2, with units"};
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "reach", most[LFT_DIM - 2], d->reach);
    }
    if (!lft_finite(d->beta)) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "beta", "a finite number", d->beta);
    if (!lft_finite(d->from)) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "from", "a finite number", d->from);
    return LFT_OK;
}

/* The classes against what is asked of them. */
LFT_P_STATIC lft_status LFT_P(continuous_check_loops)(const LFT_P(continuous) *s, lft_error *error)
{
    const LFT_P(potential) *p = &s->potential;
    lft_p_text              t;
    int                     mu;
    if (p->classes < s->desc.loops) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "fewer: so many classes are not known", s->desc.loops);
    }
    if (p->orders < s->desc.order) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "at least all of the order at the start", s->desc.loops);
    }
    if (s->desc.doubled && p->program.lattice.extent[s->desc.doubled - 1] % 2) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "extent", "an even one of the doubled axis",
                              p->program.lattice.extent[s->desc.doubled - 1]);
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (p->program.lattice.extent[mu] >= p->extent[mu]) continue;
        t = lft_p_error_text(error, LFT_ERR_ARG, "continuous", "extent: expected at least ");
        lft_p_put_u64(&t, (uint64_t)p->extent[mu]);
        lft_p_put(&t, " for these loops, which close around smaller lattices, got ");
        lft_p_put_u64(&t, (uint64_t)p->program.lattice.extent[mu]);
        return LFT_ERR_ARG;
    }
    return LFT_OK;
}

/* Where class i has its coefficients, and how many: of the plaquettes those of a polynomial of the highest order. */
LFT_P_INLINE int LFT_P(continuous_first)(const LFT_P(continuous) *s, int i)
{
    return i ? LFT_P_SHAPE + (i - 1) * s->desc.nodes : 0;
}
LFT_P_INLINE int LFT_P(continuous_nodes)(const LFT_P(continuous) *s, int i) { return i ? s->desc.nodes : LFT_P_SHAPE; }

/* Where the net has its b, behind its a: its K follows. */
LFT_P_INLINE int LFT_P(continuous_bias)(const LFT_P(continuous) *s)
{
    return LFT_P(continuous_first)(s, s->desc.loops) + s->desc.units * s->desc.nodes;
}

LFT_P_STATIC void LFT_P(continuous_declare)(const LFT_P(continuous) *s, const char *name, lft_parameters *set)
{
    const LFT_(continuous_desc) *d = &s->desc;
    (void)lft_declare(set, name, "plaquette", 1, LFT_P_SHAPE, 0, 0, 0);
    (void)lft_declare(set, name, "loop", 2, d->loops - 1, d->nodes, 0, 0);
    if (d->units) { /* without a net not even as tensors of no numbers: models of before have none */
        (void)lft_declare(set, name, "net_output", 2, d->units, d->nodes, 0, 0);
        (void)lft_declare(set, name, "net_bias", 1, d->units, 0, 0, 0);
        (void)lft_declare(set, name, "net_kernel", 2, d->units, s->net.about.orbits, 0, 0);
    }
}

/* Legendre polynomials of 2t - 1. */
LFT_P_STATIC void LFT_P(legendre)(double t, int n, double *p)
{
    const double x = 2 * t - 1;
    int          a;
    for (a = 0; a < n; ++a) p[a] = a < 2 ? (a ? x : 1) : ((2 * a - 1) * x * p[a - 1] - (a - 1) * p[a - 2]) / a;
}

#define LFT_P_GAUSS 8 /* points */

/* Times t from 0 to 1 and weights of Gauss's quadrature. */
LFT_P_STATIC double LFT_P(gauss_point)(int k, double *t)
{
    static const double x[4] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
    static const double w[4] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};
    *t = 0.5 + (k < 4 ? -0.5 * x[3 - k] : 0.5 * x[k - 4]);
    return 0.5 * w[k < 4 ? 3 - k : k - 4];
}

/* The nearest polynomials to the trivializing map in the classes of an order. */
LFT_P_STATIC void LFT_P(continuous_start_solved)(const LFT_P(continuous) *s, double *to)
{
    const double way = s->desc.beta - s->desc.from;
    double       c[LFT_P_GAUSS][LFT_P_CLASSES], t, beta[LFT_P_GAUSS], p[LFT_P_GAUSS], weight;
    int          k, i, a;
    for (k = 0; k < LFT_P_GAUSS; ++k) {
        (void)LFT_P(gauss_point)(k, &t);
        beta[k] = s->desc.from + way * t;
    }
    LFT_P(potential_solve)(&s->potential, s->desc.order, LFT_P_GAUSS, beta, c, s->matrices);
    for (k = 0; k < LFT_P_GAUSS; ++k) {
        weight = LFT_P(gauss_point)(k, &t);
        LFT_P(legendre)(t, LFT_P_GAUSS, p);
        for (i = 0; i < s->desc.loops; ++i) {
            for (a = 0; a < LFT_P(continuous_nodes)(s, i) && a < LFT_P_GAUSS; ++a) {
                to[LFT_P(continuous_first)(s, i) + a] += way * weight * (2 * a + 1) * p[a] * c[k][i];
            }
        }
    }
}

LFT_P_STATIC void LFT_P(continuous_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    /* t^k in Legendre polynomials of 2 t - 1 */
    static const double      power[LFT_P_SHAPE][LFT_P_SHAPE] = {
        {1}, {1.0 / 2, 1.0 / 2}, {1.0 / 3, 1.0 / 2, 1.0 / 6}, {1.0 / 4, 9.0 / 20, 1.0 / 4, 1.0 / 20}};
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const int                order = s->desc.order;
    const double             way = s->desc.beta - s->desc.from;
    double                   c[LFT_P_SHAPE][LFT_P_CLASSES], share;
    int                      i, a, k, m;
    for (a = 1; a < LFT_P_SHAPE; ++a) pace[s->params + (size_t)a] = 0;
    if (s->desc.units) LFT_P(net_start)(&s->net, theta + s->params + LFT_P(continuous_bias)(s));
    if ((s->desc.doubled || s->desc.cut_off) && order) {
        LFT_P(continuous_start_solved)(s, theta + s->params);
        return;
    }
    LFT_P(potential_start)(&s->potential, order, c, s->matrices);
    for (i = 0; i < s->desc.loops; ++i) {
        double *to = theta + s->params + LFT_P(continuous_first)(s, i);
        for (k = 0; k < order; ++k) { /* way (from + way t)^k, term by term */
            for (m = k, share = way; m >= 0; --m, share *= s->desc.from * (m + 1) / (k - m)) {
                for (a = 0; a <= m; ++a) to[a] += power[m][a] * c[k][i] * share * lft_p_power(way, m);
            }
        }
    }
}

LFT_API void LFT_(continuous_scale)(const LFT_(layer) *layer, double *value, double ratio)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const int               *upto = s->potential.upto;
    int                      i, a, order = 1;
    for (i = 0; i < s->desc.loops; ++i) {
        double *c = value + s->params + LFT_P(continuous_first)(s, i);
        while (order < LFT_P_ORDERS && upto[order] > 0 && i >= upto[order]) ++order;
        for (a = 0; a < LFT_P(continuous_nodes)(s, i); ++a) c[a] *= lft_p_power(ratio, order);
    }
    for (i = LFT_P(continuous_first)(s, s->desc.loops); i < LFT_P(continuous_bias)(s); ++i) value[s->params + (size_t)i] *= ratio;
}

LFT_P_STATIC void LFT_P(continuous_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)layer->state;
    lft_p_copy(s->coefficient, theta + s->params, (size_t)s->count * sizeof(double));
    if (s->desc.units) LFT_P(net_prepare)(&s->net, s->coefficient + LFT_P(continuous_bias)(s));
}

LFT_P_STATIC void LFT_P(continuous_at)(const LFT_P(continuous) *s, double t, double *c)
{
    double p[100 + LFT_P_SHAPE];
    int    i, a;
    LFT_P(legendre)(t, s->desc.nodes + LFT_P_SHAPE, p);
    for (i = 0; i < s->desc.loops; ++i) {
        const double *from = s->coefficient + LFT_P(continuous_first)(s, i);
        for (c[i] = 0, a = 0; a < LFT_P(continuous_nodes)(s, i); ++a) c[i] += p[a] * from[a];
    }
}

/* The a of the net at a time. */
LFT_P_STATIC void LFT_P(continuous_net_at)(const LFT_P(continuous) *s, double t, double *a)
{
    const double *from = s->coefficient + LFT_P(continuous_first)(s, s->desc.loops);
    double        p[100 + LFT_P_SHAPE];
    int           h, k;
    LFT_P(legendre)(t, s->desc.nodes, p);
    for (h = 0; h < s->desc.units; ++h) {
        for (a[h] = 0, k = 0; k < s->desc.nodes; ++k) a[h] += p[k] * *from++;
    }
}

#endif /* LFT_P_CODE */
