/* 29_lane_draws.h: random numbers of all lanes at once, for what is drawn link by link and rejected lane by lane.
 * Offers (private): uniforms(), quaternion(), direction(), nonfinite(); crew, crew_start(), crew_assign(), crew_uniforms(),
 *                   crew_settle(), crew_move(), crew_move_wide(). */
#if LFT_P_PHASE == LFT_P_CODE

#if LFT_P_REAL_BYTES == 4
static const lft_real LFT_P(half_place) = FLT_EPSILON / 2; /* half of the last place of numbers from 1 to 2 */
#else
static const lft_real LFT_P(half_place) = DBL_EPSILON / 2;
#endif

/* u[0..3], u[4]: independent uniform numbers in (0, 1) for lane l from sample d->sample + l, as many bits as the real has:
 * 4 words of Philox (double: of two calls, at `pair` and pair + 1) fill the mantissas of u[0..3] with their high bits, and what is
 * left of them makes u[4] (double: 48 bits). The loop over lanes has a fixed length and no branches: compilers make vectors
 * of it. */
LFT_P_INLINE void LFT_P(uniforms)(const lft_draw *d, uint32_t pair, lft_v u[5])
{
    lft_int m[5][LFT_P_LANES];
    int     i, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        uint32_t c[2][4];
        for (i = 0; i < LFT_P_REAL_BYTES / 4; ++i) {
            c[i][0] = pair + (uint32_t)i;
            c[i][1] = d->draw;
            c[i][2] = (uint32_t)d->sample + (uint32_t)l;
            c[i][3] = (d->purpose & 0xff) | (uint32_t)(d->sample >> 32) << 8;
            lft_p_philox(c[i], (uint32_t)d->seed, (uint32_t)(d->seed >> 32));
        }
#if LFT_P_REAL_BYTES == 4
        for (i = 0; i < 4; ++i) m[i][l] = (int32_t)(c[0][i] >> 9);
        m[4][l] = (int32_t)((c[0][0] & 0x1ff) << 14 | (c[0][1] & 0x1ff) << 5 | (c[0][2] & 0x1ff) >> 4);
#else
        for (i = 0; i < 4; ++i) m[i][l] = (int64_t)((uint64_t)c[i / 2][2 * (i % 2) + 1] << 20 | c[i / 2][2 * (i % 2)] >> 12);
        m[4][l] = (int64_t)((uint64_t)(c[0][0] & 0xfff) << 40 | (uint64_t)(c[0][2] & 0xfff) << 28 |
                            (c[1][0] & 0xfff) << 16 | (c[1][2] & 0xfff) << 4);
#endif
    }
    for (i = 0; i < 5; ++i) { /* 1.m - 1, and half of the last place: exact */
        lft_m bits;
        lft_p_copy(&bits, m[i], sizeof bits);
        u[i] = LFT_P(unbits)(bits | LFT_P(bits)(lft_splat(1))) - (1 - LFT_P(half_place));
    }
}

/* The mask of lanes that are infinite or NaN, by the bits of the exponent. */
LFT_P_INLINE lft_m LFT_P(nonfinite)(lft_v x)
{
    const lft_m top = LFT_P(int_splat)(LFT_P(infinity));
    return LFT_P(int_eq)(LFT_P(bits)(x) & top, top);
}

/* A unit quaternion with density proportional to exp(alpha x0), alpha >= 0, on the sphere. The mask of lanes where alpha is
 * not finite: x is 1 there. Lane l has the random numbers of sample d.sample + l, attempt a those of a 2^32 further.
 *
 * delta = 1 - x0 has the density sqrt(delta) sqrt(1 - delta / 2) exp(-alpha delta). Kennedy and Pendleton (Phys. Lett.
 * 156B (1985) 393) draw from sqrt(delta) exp(-alpha delta), half the square of a normal vector n over alpha, and accept with
 * probability sqrt(1 - delta / 2), which fails as alpha goes to 0. Here the concave log sqrt(1 - delta / 2) is bounded by a
 * tangent of slope -c instead of the constant 0, any c >= 1/4: n^2 / 2 over alpha + c, and accepted with the square root of
 *   p = (1 - delta / 2) 4c exp(2 c delta - 4c + 1) <= 1.
 * With c below, close to the best, that is 0.56 at alpha = 0, 0.81 at 1, 0.94 at 2 and 1 - 0.3 / alpha^2 for large alpha.
 * The direction of n is that of the other components. */
LFT_P_STATIC lft_m LFT_P(quaternion)(lft_draw d, uint32_t pair, lft_v alpha, lft_v x[4])
{
    const lft_real turn = (lft_real)6.283185307179586;
    const lft_m    bad  = LFT_P(nonfinite)(alpha);
    const lft_v    zero = lft_splat(0), c = (lft_real)0.25 + (lft_real)0.75 / (1 + 2 * alpha), rate = 1 / (alpha + c);
    lft_m          open = ~bad, take;
    lft_v          u[5], n[3], r, s, delta, left;
    int            i;
    x[0] = lft_splat(1), x[1] = x[2] = x[3] = zero;
    for (; LFT_P(any)(open); d.sample += (uint64_t)1 << 32) {
        LFT_P(uniforms)(&d, pair, u);
        r = LFT_P(sqrt)(-2 * LFT_P(log_positive)(u[0]));
        LFT_P(sincos_fast)(turn, u[1], &s, n);
        n[0] *= r, n[1] = r * s;
        r = LFT_P(sqrt)(-2 * LFT_P(log_positive)(u[2]));
        LFT_P(sincos_fast)(turn, u[3], &s, n + 2);
        n[2] *= r;
        delta = (lft_real)0.5 * (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) * rate;
        left  = 1 - (lft_real)0.5 * delta;
        take  = open & LFT_P(lt)(u[4] * u[4], 4 * left * c * LFT_P(exp)(2 * c * (delta - 2) + 1));
        s     = LFT_P(sqrt)(lft_sel(LFT_P(lt)(zero, left), left, zero) * rate); /* |n| s = sqrt(1 - (1 - delta)^2) */
        x[0]  = lft_sel(take, 1 - delta, x[0]);
        LFT_P_UNROLL for (i = 0; i < 3; ++i) x[i + 1] = lft_sel(take, n[i] * s, x[i + 1]);
        open &= ~take;
    }
    return bad;
}

/* The quaternion w as its length and its direction; 1 where the length is negligible, and not finite where w is not. */
LFT_P_INLINE lft_v LFT_P(direction)(const lft_v w[4], lft_v v[4])
{
    const lft_v square = w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + w[3] * w[3];
    const lft_m small  = LFT_P(lt)(square, lft_splat((lft_real)1e-30)) & ~LFT_P(nonfinite)(square); /* NaN with -ffast-math */
    const lft_v length = LFT_P(sqrt)(lft_sel(small, lft_splat(1), square)), x = 1 / length;
    int         i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) v[i] = lft_sel(small, lft_splat(i ? 0 : 1), w[i] * x);
    return lft_sel(small, lft_splat(0), length);
}

/* ---- long rejections ---------------------------------------------------------------------------------------------------
 * Where many attempts fail, lanes that have accepted would wait for the last one. A crew lets them make its next attempts: the
 * attempts of a sample have numbers, and the first that is accepted counts, whichever lane made it. */

#define LFT_P_ATTEMPTS 1048576 /* of a sample, at most */

typedef struct LFT_P(crew) {
    int      open, list[LFT_P_LANES];             /* lanes that have not accepted yet */
    int      of[LFT_P_LANES];                     /* whose attempt each lane makes */
    uint32_t number[LFT_P_LANES];                 /* and which */
    uint32_t next[LFT_P_LANES];                   /* the attempts of each lane so far */
    int      from[LFT_P_LANES];                   /* the lane that has just accepted for this one, or -1 */
} LFT_P(crew);

/* bad: lanes that make no attempt. */
LFT_P_STATIC void LFT_P(crew_start)(LFT_P(crew) *c, lft_m bad)
{
    lft_int not_open[LFT_P_LANES];
    int     l;
    lft_p_copy(not_open, &bad, sizeof not_open);
    for (l = 0, c->open = 0; l < LFT_P_LANES; ++l) {
        c->next[l] = 0;
        if (!not_open[l]) c->list[c->open++] = l;
    }
}

/* The work of the next round; 0 if there is none, or too many attempts have failed. */
LFT_P_STATIC int LFT_P(crew_assign)(LFT_P(crew) *c)
{
    int l;
    if (!c->open || c->next[c->list[0]] >= LFT_P_ATTEMPTS) return 0;
    for (l = 0; l < LFT_P_LANES; ++l) {
        c->of[l]     = c->list[l % c->open];
        c->number[l] = c->next[c->of[l]]++;
    }
    return 1;
}

/* u[2 pairs][lane]: the numbers 2 pair ... of d for sample and attempt of each lane: of the sample d->sample + of + 2^32 number. */
LFT_P_STATIC void LFT_P(crew_uniforms)(const LFT_P(crew) *crew, const lft_draw *d, uint32_t pair, int pairs,
                                       double (*u)[LFT_P_LANES])
{
    uint32_t low[LFT_P_LANES], high[LFT_P_LANES];
    int      i, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        const uint64_t sample = d->sample + (uint64_t)crew->of[l] + ((uint64_t)crew->number[l] << 32);
        low[l]  = (uint32_t)sample;
        high[l] = (d->purpose & 0xff) | (uint32_t)(sample >> 32) << 8;
    }
    for (i = 0; i < pairs; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            uint32_t c[4];
            c[0] = pair + (uint32_t)i, c[1] = d->draw, c[2] = low[l], c[3] = high[l];
            lft_p_philox(c, (uint32_t)d->seed, (uint32_t)(d->seed >> 32));
            u[2 * i][l]     = lft_p_draw_uniform(c[0], c[1]);
            u[2 * i + 1][l] = lft_p_draw_uniform(c[2], c[3]);
        }
    }
}

/* Attempts with bound < value are accepted. */
LFT_P_STATIC void LFT_P(crew_settle)(LFT_P(crew) *c, const double *bound, const double *value)
{
    int i, l, open = 0;
    for (l = 0; l < LFT_P_LANES; ++l) c->from[l] = -1;
    for (l = LFT_P_LANES - 1; l >= 0; --l) {
        if (bound[l] < value[l]) c->from[c->of[l]] = l;
    }
    for (i = 0; i < c->open; ++i) {
        if (c->from[c->list[i]] < 0) c->list[open++] = c->list[i];
    }
    c->open = open;
}

/* What has been accepted, x of the lane that made it, to the lane that it is for. */
LFT_P_INLINE void LFT_P(crew_move)(const LFT_P(crew) *c, lft_v *to, lft_v x)
{
    lft_real a[LFT_P_LANES], b[LFT_P_LANES];
    int      l;
    lft_p_copy(a, to, sizeof a);
    lft_p_copy(b, &x, sizeof b);
    for (l = 0; l < LFT_P_LANES; ++l) a[l] = c->from[l] < 0 ? a[l] : b[c->from[l]];
    lft_p_copy(to, a, sizeof a);
}

LFT_P_INLINE void LFT_P(crew_move_wide)(const LFT_P(crew) *c, lft_v *to, const double *x)
{
    LFT_P(crew_move)(c, to, LFT_P(from_wide)(x));
}

#endif /* LFT_P_CODE */
