/* 45_loops.h: traces of long loops of a gauge field: Polyakov and Wilson loops, each line of links multiplied once.
 * Offers (private): LFT_P(polyakov)(); LFT_P(loops), LFT_P(loops_count)(), LFT_P(loop_column)(), LFT_P(loop_fits)(),
 *                   LFT_P(loops_work)(), LFT_P(wilson_loops)(). */
#if LFT_P_PHASE == LFT_P_CODE

/* re[lane] + i im[lane] = the mean of tr / N of the closed lines along axis 0. */
LFT_P_STATIC void LFT_P(polyakov)(const LFT_(lattice) *lattice, const lft_v *links, double *re, double *im)
{
    const int    lines = lattice->volume / lattice->extent[0], step = lines * LFT_DIM * LFT_P_LINK;
    const double scale = 1.0 / ((double)lines * LFT_P_COLOURS);
    lft_u        line[2]; /* in turns */
    int          x, t, l;
    for (l = 0; l < LFT_P_LANES; ++l) re[l] = im[l] = 0;
    for (x = 0; x < lines; ++x) {
        const lft_v *link = links + x * LFT_DIM * LFT_P_LINK;
        LFT_P(get)(link, line);
        for (t = 1; t < lattice->extent[0]; ++t) {
            LFT_P(mul)(line + t % 2, line + (t + 1) % 2, (const lft_u *)(link + t * step));
        }
        LFT_P(add_wide)(re, LFT_P(trace)(line + (t + 1) % 2, NULL));
        LFT_P(add_wide)(im, LFT_P(trace_im)(line + (t + 1) % 2));
    }
    for (l = 0; l < LFT_P_LANES; ++l) re[l] *= scale, im[l] *= scale;
}

/* ---- Wilson loops ----------------------------------------------------------------------------------------------------- */

/* Loops of R x T links, R <= max_r, T <= max_t. static_only: T along axis 0, R along another one. Else the two sides are alike,
 * only R <= T is listed, and both orientations of every plane count. An axis must be longer than the side along it. */
typedef struct LFT_P(loops) {
    int max_r, max_t, static_only;
} LFT_P(loops);

/* Their place in the order R = 1: T = ..., R = 2: T = ...; -1 for those that are not listed. */
LFT_P_STATIC int LFT_P(loop_column)(const LFT_P(loops) *loops, int R, int T)
{
    if (loops->static_only) return (R - 1) * loops->max_t + T - 1;
    return R > T ? -1 : (R - 1) * loops->max_t - (R - 1) * (R - 2) / 2 + T - R;
}

LFT_P_STATIC int LFT_P(loops_count)(const LFT_P(loops) *loops)
{
    return loops->max_r > 0 ? LFT_P(loop_column)(loops, loops->max_r, loops->max_t) + 1 : 0;
}

/* Does the loop with R links along mu and T along nu count? A square one is the same with mu and nu exchanged. */
LFT_P_STATIC int LFT_P(loop_fits)(const LFT_(lattice) *lattice, const LFT_P(loops) *loops, int mu, int R, int nu, int T)
{
    if (mu == nu || R >= lattice->extent[mu] || T >= lattice->extent[nu]) return 0;
    return loops->static_only ? nu == 0 : R < T || (R == T && mu < nu);
}

/* Lines within one plane, a along mu and b along nu. */
typedef struct LFT_P(plane) {
    const LFT_(lattice) *lattice;
    int                  mu, nu, a, b; /* axes and their extents */
    int                  step[2];      /* in vectors of the links */
    lft_v               *across;       /* [a][b] R links along mu */
    lft_v               *along;        /* [T - 1][a][b] T links along nu */
} LFT_P(plane);

/* For the largest plane: across, and along behind it. */
LFT_P_STATIC lft_v *LFT_P(loops_work)(const LFT_(lattice) *lattice, const LFT_P(loops) *loops, lft_arena *arena)
{
    size_t most = 0;
    int    mu, nu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < mu; ++nu) {
            const size_t sites = (size_t)lattice->extent[mu] * (size_t)lattice->extent[nu];
            if (sites > most) most = sites;
        }
    }
    return loops->max_r > 0 ? LFT_P(vectors)(arena, most * (size_t)(loops->max_t + 1) * LFT_P_LINK) : NULL;
}

/* line(a, b) = before(a, b) times the link `from` steps further along the axis; the link itself for from = 0 */
LFT_P_STATIC void LFT_P(lengthen)(const LFT_P(plane) *p, const lft_v *links, int axis, int from, const lft_v *before,
                                  lft_v *line)
{
    lft_u u;
    int   a, b;
    for (a = 0; a < p->a; ++a) {
        for (b = 0; b < p->b; ++b, before += LFT_P_LINK, line += LFT_P_LINK) {
            const int i = axis == p->mu ? (a + from) % p->a : a, j = axis == p->nu ? (b + from) % p->b : b;
            const lft_v *next = links + i * p->step[0] + j * p->step[1] + axis * LFT_P_LINK;
            if (from) LFT_P(mul)(&u, (const lft_u *)before, (const lft_u *)next); /* before may be the line */
            else LFT_P(get)(next, &u);
            LFT_P(put)(line, &u);
        }
    }
}

/* sum[lane] += Re tr of the loops R x T with a corner at each site of the plane */
LFT_P_STATIC void LFT_P(plane_loops)(const LFT_P(plane) *p, int R, int T, double *sum)
{
    const lft_v *along = p->along + (T - 1) * p->a * p->b * LFT_P_LINK;
    lft_u        u, v, loop;
    int          a, b;
    for (a = 0; a < p->a; ++a) {
        lft_v row = lft_splat(0);
        for (b = 0; b < p->b; ++b) {
            LFT_P(mul)(&u, LFT_P(link)(p->across, a * p->b + b), LFT_P(link)(along, (a + R) % p->a * p->b + b));
            LFT_P(mul)(&v, LFT_P(link)(along, a * p->b + b), LFT_P(link)(p->across, a * p->b + (b + T) % p->b));
            LFT_P(mul_adj)(&loop, &u, &v);
            row += LFT_P(trace)(&loop, NULL);
        }
        LFT_P(add_wide)(sum, row);
    }
}

/* All loops of one plane; links: those of its first site. */
LFT_P_STATIC void LFT_P(one_plane)(const LFT_P(plane) *p, const lft_v *links, const LFT_P(loops) *loops, double *sum)
{
    const int size = p->a * p->b * LFT_P_LINK;
    int       R, T;
    for (T = 1; T <= loops->max_t && T < p->b; ++T) {
        LFT_P(lengthen)(p, links, p->nu, T - 1, p->along + (T > 1 ? T - 2 : 0) * size, p->along + (T - 1) * size);
    }
    for (R = 1; R <= loops->max_r && R < p->a; ++R) {
        LFT_P(lengthen)(p, links, p->mu, R - 1, p->across, p->across);
        for (T = 1; T <= loops->max_t; ++T) {
            if (!LFT_P(loop_fits)(p->lattice, loops, p->mu, R, p->nu, T)) continue;
            LFT_P(plane_loops)(p, R, T, sum + LFT_P(loop_column)(loops, R, T) * LFT_P_LANES);
        }
    }
}

/* Planes that count in the mean of a loop. */
LFT_P_STATIC int LFT_P(loop_planes)(const LFT_(lattice) *lattice, const LFT_P(loops) *loops, int R, int T)
{
    int mu, nu, n = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) n += LFT_P(loop_fits)(lattice, loops, mu, R, nu, T);
    }
    return n;
}

/* W[loop][lane] = the means of Re tr / N. In a plane lines grow by one link at a time, so that a loop costs three products at a
 * site, whatever its size. work: loops_work(). O(V dim^2 (max_r max_t)). */
LFT_P_STATIC void LFT_P(wilson_loops)(const LFT_(lattice) *lattice, const lft_v *links, const LFT_P(loops) *loops,
                                      lft_v *work, double *W)
{
    int stride[LFT_DIM], mu, nu, x, R, T, l;
    for (l = 0; l < LFT_P(loops_count)(loops) * LFT_P_LANES; ++l) W[l] = 0;
    LFT_P(strides)(lattice, stride);
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) {
            LFT_P(plane) p;
            if (mu == nu || (loops->static_only && nu > 0)) continue;
            p.lattice = lattice;
            p.mu = mu, p.nu = nu, p.a = lattice->extent[mu], p.b = lattice->extent[nu];
            p.step[0] = stride[mu] * LFT_DIM * LFT_P_LINK, p.step[1] = stride[nu] * LFT_DIM * LFT_P_LINK;
            p.across = work;
            p.along  = work + p.a * p.b * LFT_P_LINK;
            for (x = 0; x < lattice->volume; ++x) {
                if (x / stride[mu] % p.a || x / stride[nu] % p.b) continue;
                LFT_P(one_plane)(&p, links + x * LFT_DIM * LFT_P_LINK, loops, W);
            }
        }
    }
    for (R = 1; R <= loops->max_r; ++R) {
        for (T = loops->static_only ? 1 : R; T <= loops->max_t; ++T) {
            double      *w     = W + LFT_P(loop_column)(loops, R, T) * LFT_P_LANES;
            const double terms = (double)LFT_P(loop_planes)(lattice, loops, R, T) * lattice->volume;
            for (l = 0; l < LFT_P_LANES; ++l) w[l] /= terms * LFT_P_COLOURS;
        }
    }
}

#endif /* LFT_P_CODE */
