/* 20_random.h: random numbers that depend on nothing but their address.
 * Offers: lft_philox(), lft_draw, lft_draw_of(), lft_uniform(), lft_uniforms(), lft_normals().
 *
 * There is no generator state. Every number is a function of (seed, purpose, sample, draw, index), so the same seed
 * gives the same numbers whatever the number of threads, lanes or MPI ranks, and a run resumes from integers. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Philox4x32-10: out = 128 random bits from a counter and a key. A bijection of the counter for each key.
 * out may be ctr. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11 (Random123). */
static inline void lft_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4]);

/* What a draw is for: draws with different purposes are independent. The values are part of what a seed means. */
enum lft_purpose {
    LFT_DRAW_PRIOR      = 1,  /* configurations that a flow transforms into proposals */
    LFT_DRAW_ACCEPT     = 2,  /* accept or reject */
    LFT_DRAW_MOMENTA    = 3,  /* HMC */
    LFT_DRAW_INIT       = 4,  /* parameters and first configurations */
    LFT_DRAW_TRAIN      = 5,  /* configurations that a flow is trained on */
    LFT_DRAW_NOISE      = 6,  /* stochastic estimators, pseudofermions */
    LFT_DRAW_FAMILY     = 7,  /* couplings at which a family is trained */
    LFT_DRAW_HEATBATH   = 8,  /* links */
    LFT_DRAW_LAYER      = 9,  /* what layers draw */
    LFT_DRAW_THERMALISE = 10, /* links of a prior's heat bath */
    LFT_DRAW_USER       = 128 /* 128 to 255 are the user's */
};

/* The address of the random numbers of one configuration. Philox key = seed; counter = {index / 2, draw, low 32 bits of
 * sample, purpose | bits 32..55 of sample << 8}.
 *   sample   which configuration or chain, below 2^56 (the rest is ignored)
 *   draw     how often this sample has asked before: the trajectory, the attempt
 *   purpose  an lft_purpose, 0 to 255 (the rest is ignored) */
typedef struct lft_draw {
    uint64_t seed, sample;
    uint32_t draw, purpose;
} lft_draw;

static inline lft_draw lft_draw_of(uint64_t seed, uint32_t purpose, uint64_t sample, uint32_t draw);

/* Number `index` of the draw, uniform in (0, 1): (v + 1/2) 2^-53 with 53 random bits v, rounded to nearest, at most
 * 1 - 2^-53. Bits: the high 53 of the 64-bit number of which words 0, 1 (even index) or 2, 3 (odd) of Philox are the
 * low and the high half. */
static inline double lft_uniform(lft_draw d, uint32_t index);

/* out[i] = lft_uniform(d, i), 0 <= i < n; the same bits. O(n), one Philox call per two numbers. */
static inline void lft_uniforms(lft_draw d, double *out, int n);

/* n independent normal numbers, mean 0, variance 1, by Box and Muller from the uniforms u of the same draw:
 *   out[2i] = sqrt(-2 ln u_2i) cos(2 pi u_2i+1), out[2i+1] = the same with sin; |out| < 8.7.
 * Fixed consumption: out[i] does not depend on n, and an odd n uses up the pair of its last number. Uniforms and
 * normals of one draw are not independent of each other. O(n). */
static inline void lft_normals(lft_draw d, double *out, int n);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* Counters that are encrypted side by side. The loops over a block have a fixed length and no branches, so that
 * compilers turn them into vector code (gcc and clang at -O3), and no number depends on where a loop would have had its
 * remainder. 8 pairs fill the widest register; 16 are up to 10 % faster for long draws, and a quarter slower for the 36
 * sites of a 6^2 lattice. Measured with gcc 12 and AVX-512: 8 ns per normal, 4 of them for Philox and the uniforms. */
#define LFT_P_DRAW_BLOCK 8

#define LFT_P_UNIFORM_MOST (1.0 - 0.5 * DBL_EPSILON)

LFT_P_INLINE void lft_p_philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    int round;
    for (round = 0; round < 10; ++round) {
        const uint64_t p0 = (uint64_t)c[0] * 0xD2511F53u, p1 = (uint64_t)c[2] * 0xCD9E8D57u;
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
}

static inline void lft_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4];
    lft_p_copy(c, ctr, sizeof c);
    lft_p_philox(c, key[0], key[1]);
    lft_p_copy(out, c, sizeof c);
}

static inline lft_draw lft_draw_of(uint64_t seed, uint32_t purpose, uint64_t sample, uint32_t draw)
{
    lft_draw d;
    d.seed    = seed;
    d.sample  = sample;
    d.draw    = draw;
    d.purpose = purpose;
    return d;
}

LFT_P_INLINE void lft_p_draw_words(const lft_draw *d, uint32_t pair, uint32_t c[4])
{
    c[0] = pair;
    c[1] = d->draw;
    c[2] = (uint32_t)d->sample;
    c[3] = (d->purpose & 0xff) | (uint32_t)(d->sample >> 32) << 8;
    lft_p_philox(c, (uint32_t)d->seed, (uint32_t)(d->seed >> 32));
}

/* 53 bits as 31 and 22: int32_t to double is a vector instruction everywhere, uint64_t only from AVX-512 on; and a sum
 * of positive terms survives whatever order -ffast-math gives it. Rounding would take the largest v to 1. */
LFT_P_INLINE double lft_p_draw_uniform(uint32_t low, uint32_t high)
{
    const int32_t a = (int32_t)(high >> 1), b = (int32_t)((high & 1) << 21 | low >> 11);
    const double  u = ((double)a * 4194304.0 + ((double)b + 0.5)) * (0.5 * DBL_EPSILON);
    return u < LFT_P_UNIFORM_MOST ? u : LFT_P_UNIFORM_MOST;
}

static inline double lft_uniform(lft_draw d, uint32_t index)
{
    uint32_t c[4];
    lft_p_draw_words(&d, index / 2, c);
    return index % 2 ? lft_p_draw_uniform(c[2], c[3]) : lft_p_draw_uniform(c[0], c[1]);
}

LFT_P_INLINE void lft_p_uniform_block(const lft_draw *d, uint32_t pair, double u[2][LFT_P_DRAW_BLOCK])
{
    int i;
    for (i = 0; i < LFT_P_DRAW_BLOCK; ++i) {
        uint32_t c[4];
        lft_p_draw_words(d, pair + (uint32_t)i, c);
        u[0][i] = lft_p_draw_uniform(c[0], c[1]);
        u[1][i] = lft_p_draw_uniform(c[2], c[3]);
    }
}

LFT_P_INLINE void lft_p_normal_block(double u[2][LFT_P_DRAW_BLOCK])
{
    int i;
    for (i = 0; i < LFT_P_DRAW_BLOCK; ++i) {
        const double r = lft_p_f64_p_sqrt(-2.0 * lft_p_f64_p_log(u[0][i]));
        double       s, c;
        lft_p_f64_p_sincos(6.283185307179586477 * u[1][i], &s, &c);
        u[0][i] = r * c;
        u[1][i] = r * s;
    }
}

/* Whole blocks, then what is left of the last one. */
LFT_P_INLINE void lft_p_draw_bulk(const lft_draw *d, double *out, int n, int normal)
{
    double u[2][LFT_P_DRAW_BLOCK];
    int    at, i;
    for (at = 0; at < n; at += 2 * LFT_P_DRAW_BLOCK) {
        lft_p_uniform_block(d, (uint32_t)at / 2, u);
        if (normal) lft_p_normal_block(u);
        if (n - at < 2 * LFT_P_DRAW_BLOCK) break;
        for (i = 0; i < LFT_P_DRAW_BLOCK; ++i) {
            out[at + 2 * i]     = u[0][i];
            out[at + 2 * i + 1] = u[1][i];
        }
    }
    for (i = 0; i < n - at; ++i) out[at + i] = u[i % 2][i / 2];
}

static inline void lft_uniforms(lft_draw d, double *out, int n)
{
    lft_p_draw_bulk(&d, out, n, 0);
}

static inline void lft_normals(lft_draw d, double *out, int n)
{
    lft_p_draw_bulk(&d, out, n, 1);
}

#endif /* LFT_P_CODE */
