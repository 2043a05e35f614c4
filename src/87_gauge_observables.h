/* 87_gauge_observables.h: what is measured on gauge fields, and what is derived from it.
 * Offers: LFT_(observables), LFT_(observables_check)(), LFT_(observables_count)(), LFT_(measure)(), LFT_(measure_into)(),
 *         LFT_(measure_bytes)(); LFT_(observable_name)(), LFT_(observable_find)(), LFT_(observe)(), LFT_(derived)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_GAUGE_OBSERVABLES
#define LFT_P_GAUGE_OBSERVABLES
#define LFT_OBSERVABLE_TEXT 32 /* bytes of a name, at most */
#endif

/* What is measured: beyond the lattice zero means nothing, or the default. One desc belongs to all functions below.
 *
 * A measurement of a configuration is a row of numbers, one per observable in this order, and at its end one per step of
 * the flow. V sites, N colours (U(1): 1), axis 0 is time; <...> is the mean over sites, and over planes where there are more
 *   action            S / V of the theory
 *   plaquette         <Re tr P> / N over all planes: 1 at U = 1
 *   plaquette_space   the same over the planes without axis 0; not in two dimensions, which have none
 *   plaquette_time    over those with axis 0
 *   polyakov_re       <Re tr L> / N, L the product of the links along axis 0 around the lattice, mean over the other axes
 *   polyakov_im       <Im tr L> / N; not for SU(2), whose traces are real
 *   polyakov_abs      |<tr L> / N|, of the mean over the volume
 *   q, q2             Q and Q^2, the topological charge:
 *                     U(1), two dimensions: (1 / 2 pi) sum of the plaquettes' angles in (-pi, pi], an integer; P_01 goes along
 *                     axis 0 first; never flowed
 *                     four dimensions: (1 / 32 pi^2) sum eps_mnrs Re tr F_mn F_rs, eps_0123 = 1, with the clover F below; after
 *                     flow_time if there is one. Next to an integer on smooth fields only
 *                     not defined elsewhere, and left out
 *   wilson_RxT        <Re tr W> / N of the loops of R x T links, 1 <= R <= max_R, 1 <= T <= max_T. All axes are alike: every
 *                     plane counts in both orientations, and only R <= T is listed. With static_only T runs along axis 0, R along
 *                     the other axes, and all R and T are listed. A side must be shorter than its axis; planes with
 *                     a shorter axis do not count
 * With a flow time, of the configuration after the Wilson flow (see wilson_flow) to t = flow_time:
 *   energy_flow       E(t) = (1/V) sum_x F^a_mn F^a_mn / 4, summed over m, n and a (U(1): F_mn F_mn / 4), with the clover
 *                     F = (1/8i) [C - C^+] without its trace, C the sum of the four plaquettes that begin and end at x
 *   t2_energy_flow    t^2 E(t)
 *   t0                the flow time at which t^2 E(t) = 0.3, E the mean of the ensemble
 *   w0                the square root of that at which t d/dt [t^2 E(t)] = 0.3; both in units of a
 * For them a row holds t^2 E at every step of the flow; t0 and w0 are found between steps, by cubic polynomials through the four
 * nearest and derivatives from five. They are no numbers where 0.3 is not reached, w0 up to two steps before the flow
 * ends. Sources: M. Luescher, arXiv:1006.4518; S. Borsanyi et al., arXiv:1203.4469. */
typedef struct LFT_(observables) {
    LFT_(lattice) lattice;
    int           max_R, max_T; /* Wilson loops up to R x T */
    int           static_only;  /* 1: those of the static potential */
    double        flow_time;
    double        flow_step; /* 0.05; made smaller so that it divides flow_time. Larger ones than 0.15 are not stable */
} LFT_(observables);

/* LFT_ERR_ARG, with text in *error (may be NULL), for loops that do not fit into any plane, max_R > max_T without static_only, one
 * of both alone, or a flow that is not finite, negative, or longer than 100000 steps. */
LFT_API lft_status LFT_(observables_check)(const LFT_(observables) *o, lft_error *error);

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

/* Numbers in a row; 0 if the desc is not legal. */
LFT_API int LFT_(observables_count)(const LFT_(observables) *o);

/* rows[n][count] of the configurations of a batch, summed in double and in a fixed order: the same whatever else is in the
 * batch, which stays as it is. Scratch: measure_bytes(). LFT_ERR_ARG as observables_check; LFT_ERR_MISMATCH for other extents;
 * LFT_ERR_NOMEM; text in *error (may be NULL). O(n V (dim^2 (1 + max_R max_T) + steps of the flow)). */
LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x, double *rows,
                                 lft_arena scratch, lft_error *error);

/* Appends the row of configuration i to replica i of a series of observables_count() columns: chains are replicas. Status as
 * measure, and LFT_ERR_MISMATCH if numbers of columns, or replicas and configurations differ; LFT_ERR_NOMEM if a replica was full,
 * which is left as it is; LFT_ERR_NONFINITE if a number is not finite (stored all the same, see lft_series_add). */
LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x,
                                      lft_series *series, lft_arena scratch, lft_error *error);

/* Scratch of both, the alignment of the arena's base included; 0 if the desc is not legal. */
LFT_API size_t LFT_(measure_bytes)(const LFT_(observables) *o);

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

/* "action", ... for 0 <= observable, NULL beyond the last one. text[LFT_OBSERVABLE_TEXT] is used for names that have to be made. */
LFT_API const char *LFT_(observable_name)(const LFT_(observables) *o, int observable, char *text);

/* The observable of that name, -1 if there is none. */
LFT_API int LFT_(observable_find)(const LFT_(observables) *o, const char *name);

/* An observable of a series that measure_into filled, with the error of the Gamma method and analytic slopes. Not a number, and not
 * reliable, where it is not defined: t0 and w0 that were not reached. theory is not used (NULL): calls look alike for all groups.
 * Scratch: lft_gamma_bytes(). Status through error (may be NULL) as lft_gamma_of; LFT_ERR_MISMATCH for other columns. */
LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(observables) *o,
                                   int observable, lft_arena scratch, lft_error *error);

/* The same function of the means of the columns as an lft_derived, e.g. for lft_jackknife; ctx: an LFT_(derived_of). */
typedef struct LFT_(derived_of) {
    const LFT_(observables) *observables;
    int                      observable;
} LFT_(derived_of);
LFT_API double LFT_(derived)(const double *mean, void *ctx);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- what a row holds ----------------------------------------------------------------------------------------------- */

enum {
    LFT_P(row_action),
    LFT_P(row_plaquette),
    LFT_P(row_space),
    LFT_P(row_time),
    LFT_P(row_re),
    LFT_P(row_im),
    LFT_P(row_abs),
    LFT_P(row_q),
    LFT_P(row_q2),
    LFT_P(row_kinds)
};
enum { LFT_P(row_energy), LFT_P(row_t2_energy), LFT_P(row_t0), LFT_P(row_w0), LFT_P(row_derived) };

/* Is there such a column? */
LFT_P_STATIC int LFT_P(row_has)(int kind)
{
    switch (kind) {
    case LFT_P(row_space): return LFT_DIM > 2;
    case LFT_P(row_im): return LFT_P_COLOURS != 2;
    case LFT_P(row_q):
    case LFT_P(row_q2): return LFT_DIM == 4 || (LFT_DIM == 2 && LFT_P_COLOURS == 1);
    default: return 1;
    }
}

typedef struct LFT_P(row_form) {
    LFT_P(loops) loops;
    int          kinds, wilson, steps, count; /* columns of each sort, in this order, and of all */
    double       step;
} LFT_P(row_form);

LFT_P_STATIC LFT_P(row_form) LFT_P(row_form_of)(const LFT_(observables) *o)
{
    const double     step = o->flow_step > 0 ? o->flow_step : 0.05;
    LFT_P(row_form) f;
    int              kind;
    f.loops.max_R = o->max_R, f.loops.max_T = o->max_T, f.loops.static_only = o->static_only;
    for (f.kinds = 0, kind = 0; kind < LFT_P(row_kinds); ++kind) f.kinds += LFT_P(row_has)(kind);
    f.wilson = LFT_P(loops_count)(&f.loops);
    f.steps  = o->flow_time > 0 ? (int)(o->flow_time / step + (1 - 1e-9)) : 0;
    if (o->flow_time > 0 && f.steps < 1) f.steps = 1;
    f.step  = f.steps ? o->flow_time / f.steps : 0;
    f.count = f.kinds + f.wilson + f.steps;
    return f;
}

LFT_API lft_status LFT_(observables_check)(const LFT_(observables) *o, lft_error *error)
{
    static const char where[] = "observables";
    const double      step    = o->flow_step > 0 ? o->flow_step : 0.05;
    int               mu, nu, fits = 0;
    if (o->max_R < 0 || (o->max_R == 0 && o->max_T)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "max_R", "both of max_R and max_T, or none", o->max_R);
    }
    if (o->max_R && (o->max_T < 1 || (o->max_R > o->max_T && !o->static_only))) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "max_T", "at least max_R; 1 with static_only", o->max_T);
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) {
            if (mu == nu || (o->static_only && nu > 0)) continue;
            fits |= o->max_R < o->lattice.extent[mu] && o->max_T < o->lattice.extent[nu];
        }
    }
    if (o->max_R && !fits) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "max_T", "loops shorter than the axes of some plane", o->max_T);
    }
    if (!lft_finite(o->flow_time) || o->flow_time < 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "flow_time", "a number >= 0", o->flow_time);
    }
    if (!lft_finite(o->flow_step) || o->flow_step < 0 || !(o->flow_time / step < 1e5)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "flow_step", "a number >= 0, and at most 100000 steps", o->flow_step);
    }
    return LFT_OK;
}

LFT_API int LFT_(observables_count)(const LFT_(observables) *o)
{
    return LFT_(observables_check)(o, NULL) ? 0 : LFT_P(row_form_of)(o).count;
}

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

typedef struct LFT_P(gauge_job) {
    const LFT_(theory) *theory;
    LFT_P(row_form)     form;
    double             *rows;  /* [lane][count] */
    double             *loops; /* [loop][lane] */
    double             *grid;  /* [step of the flow][lane] t^2 E */
    lft_v              *lines; /* for Wilson loops */
    lft_v              *links; /* what flows */
    lft_v              *field; /* what drives it, or the field strength */
} LFT_P(gauge_job);

LFT_P_STATIC LFT_P(gauge_job) LFT_P(gauge_layout)(const LFT_(theory) *theory, const LFT_(observables) *o, lft_arena *arena)
{
    const size_t     line = LFT_P_LANES * sizeof(double), volume = (size_t)o->lattice.volume;
    const size_t     planes = LFT_P_PLANES * LFT_P_ALGEBRA, forces = LFT_P_FORCES;
    LFT_P(gauge_job) job;
    job.theory = theory;
    job.form   = LFT_P(row_form_of)(o);
    job.rows   = (double *)lft_arena_take(arena, (size_t)job.form.count, line);
    job.loops  = (double *)lft_arena_take(arena, (size_t)job.form.wilson, line);
    job.grid   = (double *)lft_arena_take(arena, (size_t)job.form.steps, line);
    job.lines  = LFT_P(loops_work)(&o->lattice, &job.form.loops, arena);
    job.links = job.field = NULL;
    if (job.form.steps) job.links = LFT_P(vectors)(arena, volume * LFT_P_SITE);
    if (job.form.steps || LFT_DIM == 4) job.field = LFT_P(vectors)(arena, volume * (planes > forces ? planes : forces));
    return job;
}

LFT_API size_t LFT_(measure_bytes)(const LFT_(observables) *o)
{
    lft_arena measure = lft_arena_measure();
    if (LFT_(observables_check)(o, NULL)) return 0;
    (void)LFT_P(gauge_layout)(NULL, o, &measure);
    return measure.need;
}

/* The angle of a phase: of the plaquette in the plane 01 at p, for U(1). */
LFT_P_STATIC lft_v LFT_P(plaquette_angle)(const LFT_P(walk) *walk, const lft_v *links, LFT_P(place) p)
{
    int   there[2], back[2];
    lft_u u, v, loop;
    LFT_P(way)(walk, p, 0, 1, 1, 1, there);
    LFT_P(way)(walk, p, 1, 1, 0, 1, back);
    LFT_P(path)(links, there, 2, &u);
    LFT_P(path)(links, back, 2, &v);
    LFT_P(mul_adj)(&loop, &u, &v);
    return LFT_P(atan2)(LFT_P(trace_im)(&loop), LFT_P(trace)(&loop, NULL));
}

/* The plaquettes' means; and of U(1) in two dimensions Q, for the angles of all plaquettes add up to a multiple of 2 pi. */
LFT_P_STATIC void LFT_P(measure_plaquettes)(const LFT_(lattice) *lattice, const lft_v *links, double (*sums)[LFT_P_LANES])
{
    const LFT_P(walk) walk   = LFT_P(walk_of)(lattice);
    const int         charge = LFT_DIM == 2 && LFT_P_COLOURS == 1;
    const double      norm = (double)lattice->volume * LFT_P_COLOURS, times = LFT_DIM - 1, spaces = LFT_P_PLANES - times;
    double           *space = sums[LFT_P(row_space)], *time = sums[LFT_P(row_time)], *q = sums[LFT_P(row_q)];
    LFT_P(place)      p = LFT_P(first_place)();
    int               x, mu, nu, l;
    for (l = 0; l < LFT_P_LANES; ++l) space[l] = time[l] = q[l] = 0;
    for (x = 0; x < lattice->volume; ++x, LFT_P(next_place)(lattice, &p)) {
        lft_v across = lft_splat(0), along = across;
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu) {
                const lft_v trace = LFT_P(rectangle)(&walk, links, p, mu, 1, nu, 1, 0, NULL);
                if (mu == 0) along += trace;
                else across += trace;
            }
        }
        LFT_P(add_wide)(space, across);
        LFT_P(add_wide)(time, along);
        if (charge) LFT_P(add_wide)(q, LFT_P(plaquette_angle)(&walk, links, p));
    }
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double turns = q[l] / 6.283185307179586476925;
        sums[LFT_P(row_plaquette)][l] = (space[l] + time[l]) / (norm * LFT_P_PLANES);
        space[l] /= norm * (spaces > 0 ? spaces : 1);
        time[l] /= norm * times;
        q[l] = lft_finite(turns) ? (double)(int64_t)(turns < 0 ? turns - 0.5 : turns + 0.5) : turns;
    }
}

/* t^2 E at every step of the flow, and Q at its end; of the configuration itself where there is no flow. */
LFT_P_STATIC void LFT_P(measure_flow)(const LFT_P(gauge_job) *job, const LFT_(lattice) *lattice, const lft_v *links, double *Q)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(lattice);
    int               i, l;
    if (job->form.steps) {
        lft_p_copy(job->links, links, (size_t)lattice->volume * LFT_P_SITE * sizeof(lft_v));
        links = job->links;
    }
    for (i = 0; i < job->form.steps; ++i) {
        const double t = job->form.step * (i + 1);
        double      *E = job->grid + i * LFT_P_LANES;
        LFT_P(flow_step)(&walk, job->links, job->form.step, job->field);
        LFT_P(field_strength)(&walk, links, job->field);
        LFT_P(field_energy)(lattice, job->field, E);
        for (l = 0; l < LFT_P_LANES; ++l) E[l] *= t * t;
    }
    if (LFT_DIM != 4) return;
    if (!job->form.steps) LFT_P(field_strength)(&walk, links, job->field);
    LFT_P(field_charge)(lattice, job->field, Q);
}

/* The rows of one group. */
LFT_P_STATIC void LFT_P(gauge_group)(const void *context, const LFT_(batch) *x, int group)
{
    const LFT_P(gauge_job) *job   = (const LFT_P(gauge_job) *)context;
    const lft_real         *data  = LFT_P(group)(x, group);
    const lft_v            *links = LFT_P(const_view)(data);
    double                  sums[LFT_P(row_kinds)][LFT_P_LANES];
    int                     kind, i, l;
    job->theory->action(job->theory, &x->lattice, data, sums[LFT_P(row_action)], NULL);
    LFT_P(measure_plaquettes)(&x->lattice, links, sums);
    LFT_P(polyakov)(&x->lattice, links, sums[LFT_P(row_re)], sums[LFT_P(row_im)]);
    LFT_P(wilson_loops)(&x->lattice, links, &job->form.loops, job->lines, job->loops);
    LFT_P(measure_flow)(job, &x->lattice, links, sums[LFT_P(row_q)]);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double re = sums[LFT_P(row_re)][l], im = sums[LFT_P(row_im)][l], q = sums[LFT_P(row_q)][l];
        double      *to = job->rows + l * job->form.count;
        sums[LFT_P(row_action)][l] /= x->lattice.volume;
        sums[LFT_P(row_abs)][l] = lft_p_f64_p_sqrt(re * re + im * im);
        sums[LFT_P(row_q2)][l]  = q * q;
        for (kind = 0; kind < LFT_P(row_kinds); ++kind) {
            if (LFT_P(row_has)(kind)) *to++ = sums[kind][l];
        }
        for (i = 0; i < job->form.wilson; ++i) *to++ = job->loops[i * LFT_P_LANES + l];
        for (i = 0; i < job->form.steps; ++i) *to++ = job->grid[i * LFT_P_LANES + l];
    }
}

LFT_P_STATIC lft_status LFT_P(gauge_check)(const LFT_(observables) *o, const LFT_(batch) *x, lft_error *error)
{
    const lft_status status = LFT_(observables_check)(o, error);
    if (status || LFT_P(same_lattice)(&x->lattice, &o->lattice)) return status;
    return lft_p_fail(error, LFT_ERR_MISMATCH, "measure", "the batch has other extents than the observables");
}

LFT_P_STATIC LFT_P(measured) LFT_P(measured_of)(const LFT_(theory) *theory, const LFT_(observables) *o, LFT_P(gauge_job) *job,
                                                lft_arena *scratch)
{
    LFT_P(measured) m;
    *job      = LFT_P(gauge_layout)(theory, o, scratch);
    m.count   = job->form.count;
    m.rows    = job->rows;
    m.context = job;
    m.group   = LFT_P(gauge_group);
    return m;
}

LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x, double *rows,
                                 lft_arena scratch, lft_error *error)
{
    lft_status       status = LFT_P(gauge_check)(o, x, error);
    LFT_P(gauge_job) job;
    LFT_P(measured)  m;
    if (status) return status;
    m      = LFT_P(measured_of)(theory, o, &job, &scratch);
    status = lft_arena_check(&scratch, error, "measure");
    if (!status) LFT_P(measure_rows_of)(&m, x, rows);
    return status;
}

LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x,
                                      lft_series *series, lft_arena scratch, lft_error *error)
{
    lft_status       status = LFT_P(gauge_check)(o, x, error);
    LFT_P(gauge_job) job;
    LFT_P(measured)  m;
    if (status) return status;
    m      = LFT_P(measured_of)(theory, o, &job, &scratch);
    status = lft_arena_check(&scratch, error, "measure");
    return status ? status : LFT_P(measure_append)(&m, x, series, error);
}

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

LFT_API const char *LFT_(observable_name)(const LFT_(observables) *o, int observable, char *text)
{
    static const char *const kinds[]   = {"action",      "plaquette",   "plaquette_space", "plaquette_time", "polyakov_re",
                                          "polyakov_im", "polyakov_abs", "q",              "q2"};
    static const char *const derived[] = {"energy_flow", "t2_energy_flow", "t0", "w0"};
    LFT_P(row_form)          f;
    lft_p_text               t;
    int                      kind, R, T, i = observable;
    if (i < 0 || LFT_(observables_check)(o, NULL)) return NULL;
    f = LFT_P(row_form_of)(o);
    for (kind = 0; kind < LFT_P(row_kinds); ++kind) {
        if (LFT_P(row_has)(kind) && i-- == 0) return kinds[kind];
    }
    if (i >= f.wilson) {
        i -= f.wilson;
        return f.steps && i < LFT_P(row_derived) ? derived[i] : NULL;
    }
    t = lft_p_text_over(text, LFT_OBSERVABLE_TEXT);
    for (R = 1; R <= f.loops.max_R; ++R) {
        for (T = 1; T <= f.loops.max_T; ++T) {
            if (LFT_P(loop_column)(&f.loops, R, T) != i) continue;
            lft_p_put(&t, "wilson_");
            lft_p_put_u64(&t, (uint64_t)R);
            lft_p_put(&t, "x");
            lft_p_put_u64(&t, (uint64_t)T);
            return text;
        }
    }
    return NULL;
}

LFT_API int LFT_(observable_find)(const LFT_(observables) *o, const char *name)
{
    char        text[LFT_OBSERVABLE_TEXT];
    const char *other;
    int         i, k;
    for (i = 0; (other = LFT_(observable_name)(o, i, text)) != NULL; ++i) {
        for (k = 0; other[k] && other[k] == name[k]; ++k) continue;
        if (other[k] == name[k]) return i;
    }
    return -1;
}

/* t0, or w0 = the root of a time */
LFT_P_STATIC double LFT_P(observe_scale)(const LFT_P(row_form) *f, int derivative, const double *y, double *slope)
{
    LFT_P(curve) c;
    double       t, root;
    int          i;
    c.y          = y;
    c.derivative = derivative;
    c.first      = derivative ? 2 : 0;
    c.last       = derivative ? f->steps - 2 : f->steps;
    t            = f->step * LFT_P(curve_solve)(&c, 0.3, slope);
    root         = derivative && lft_finite(t) ? lft_p_f64_p_sqrt(t) : t;
    for (i = 0; i < f->steps && slope; ++i) slope[i] *= derivative ? f->step / (2 * root) : f->step;
    return root;
}

LFT_P_STATIC double LFT_P(observe_value)(const void *context, const double *mean, double *slope)
{
    const LFT_(derived_of) *of    = (const LFT_(derived_of) *)context;
    const LFT_P(row_form)   f     = LFT_P(row_form_of)(of->observables);
    const int               means = f.kinds + f.wilson, last = f.count - 1;
    const double            t     = f.step * f.steps;
    double                  value = 1;
    if (of->observable < means) {
        if (slope) slope[of->observable] = 1;
        return mean[of->observable];
    }
    switch (of->observable - means) {
    case LFT_P(row_energy): value = 1 / (t * t); break;
    case LFT_P(row_t2_energy): break;
    case LFT_P(row_t0): return LFT_P(observe_scale)(&f, 0, mean + means, slope ? slope + means : NULL);
    case LFT_P(row_w0): return LFT_P(observe_scale)(&f, 1, mean + means, slope ? slope + means : NULL);
    default: lft_p_set_nan(&value); return value;
    }
    if (slope) slope[last] = value;
    return value * mean[last];
}

LFT_API double LFT_(derived)(const double *mean, void *ctx)
{
    return LFT_P(observe_value)(ctx, mean, NULL);
}

LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(observables) *o,
                                   int observable, lft_arena scratch, lft_error *error)
{
    char             text[LFT_OBSERVABLE_TEXT];
    LFT_(derived_of) of;
    LFT_P(observed)  observed;
    (void)theory;
    of.observables   = o;
    of.observable    = observable;
    observed.count   = LFT_(observables_count)(o);
    observed.name    = LFT_(observable_name)(o, observable, text);
    observed.context = &of;
    observed.value   = LFT_P(observe_value);
    if (observed.name) return LFT_P(observe_series)(&observed, series, scratch, error);
    (void)lft_p_fail_got(error, LFT_ERR_ARG, "observe", "observable", "one that has a name", observable);
    return lft_p_estimate_nothing(0);
}

#endif /* LFT_P_CODE */
