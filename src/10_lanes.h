/* 10_lanes.h: one vector, one configuration per lane. The only room that knows what a vector is.
 * Offers (private): lft_v, lft_m, lft_splat(); lt, eq, sel, any, bits, unbits; load/store of doubles.
 *
 * On GCC and Clang lft_v is a vector-extension type, so kernels are plain infix C; with one lane it is the real type
 * itself and the same source is portable C99. Masks are all-ones or all-zeros per lane. */
#if LFT_P_PHASE == LFT_P_CODE

#define lft_v     LFT_P(v)
#define lft_m     LFT_P(m)
#define lft_int   LFT_P(int)
#define lft_splat LFT_P(splat)
#define lft_sel   LFT_P(sel)

#if LFT_P_REAL_BYTES == 4
typedef int32_t lft_int; /* the integer as wide as a real */
#else
typedef int64_t lft_int;
#endif

#if LFT_P_LANES == 1

typedef lft_real lft_v;
typedef lft_int  lft_m;

LFT_P_INLINE lft_v lft_splat(lft_real x) { return x; }
LFT_P_INLINE lft_m LFT_P(lt)(lft_v a, lft_v b) { return -(lft_int)(a < b); }
LFT_P_INLINE lft_m LFT_P(eq)(lft_v a, lft_v b) { return -(lft_int)(a == b); }
LFT_P_INLINE lft_m LFT_P(int_splat)(lft_int x) { return x; }
LFT_P_INLINE lft_m LFT_P(int_eq)(lft_m a, lft_m b) { return -(lft_int)(a == b); }
LFT_P_INLINE lft_m LFT_P(bits)(lft_v a)
{
    lft_m m;
    lft_p_copy(&m, &a, sizeof m);
    return m;
}
LFT_P_INLINE lft_v LFT_P(unbits)(lft_m m)
{
    lft_v a;
    lft_p_copy(&a, &m, sizeof a);
    return a;
}
LFT_P_INLINE int   LFT_P(any)(lft_m m) { return m != 0; }

#else

typedef lft_real lft_v __attribute__((vector_size(LFT_P_LANES * LFT_P_REAL_BYTES), may_alias));
typedef lft_int  lft_m __attribute__((vector_size(LFT_P_LANES * LFT_P_REAL_BYTES), may_alias));

LFT_P_INLINE lft_v lft_splat(lft_real x)
{
    const lft_v zero = {0};
    return x - zero;
}
LFT_P_INLINE lft_m LFT_P(lt)(lft_v a, lft_v b) { return (lft_m)(a < b); }
LFT_P_INLINE lft_m LFT_P(eq)(lft_v a, lft_v b) { return (lft_m)(a == b); }
LFT_P_INLINE lft_m LFT_P(int_splat)(lft_int x)
{
    const lft_m zero = {0};
    return x - zero;
}
LFT_P_INLINE lft_m LFT_P(int_eq)(lft_m a, lft_m b) { return (lft_m)(a == b); }
LFT_P_INLINE lft_m LFT_P(bits)(lft_v a) { return (lft_m)a; }
LFT_P_INLINE lft_v LFT_P(unbits)(lft_m m) { return (lft_v)m; }
LFT_P_INLINE int   LFT_P(any)(lft_m m)
{
    lft_int bits = 0;
    int     l;
    for (l = 0; l < LFT_P_LANES; ++l) bits |= m[l];
    return bits != 0;
}

#endif

#define LFT_P_CHUNK 64 /* sites that are summed in the real type before the sum is widened to double */

/* Public arrays of reals as vectors: all of them come from arenas, which align to the widest register. */
LFT_P_INLINE lft_v *LFT_P(view)(lft_real *x) { return (lft_v *)(void *)x; }
LFT_P_INLINE const lft_v *LFT_P(const_view)(const lft_real *x) { return (const lft_v *)(const void *)x; }

LFT_P_INLINE void LFT_P(set_zero)(lft_v *x, int n)
{
    int i;
    for (i = 0; i < n; ++i) x[i] = lft_splat(0);
}

/* m ? a : b per lane. With the comparison in sight compilers make one masked instruction of it, and of what makes a. */
LFT_P_INLINE lft_v lft_sel(lft_m m, lft_v a, lft_v b)
{
#if LFT_P_LANES > 1
    m = m != LFT_P(int_splat)(0);
#endif
    return LFT_P(unbits)((m & LFT_P(bits)(a)) | (~m & LFT_P(bits)(b)));
}

/* sum[lane] += v[lane], in double. Passing a double vector of 16 lanes by value is no legal ABI: hence the pointer. */
LFT_P_INLINE void LFT_P(add_wide)(double *sum, lft_v v)
{
    lft_real x[LFT_P_LANES];
    int      l;
    lft_p_copy(x, &v, sizeof x);
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] += (double)x[l];
}

/* sum[lane] = the sum of x y, or of x where y is NULL, a constant after inlining. */
LFT_P_INLINE void LFT_P(sum_wide)(const lft_v *x, const lft_v *y, int n, double *sum)
{
    int i, l, end;
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] = 0;
    for (i = 0; i < n;) {
        lft_v part = lft_splat(0);
        for (end = i + LFT_P_CHUNK < n ? i + LFT_P_CHUNK : n; i < end; ++i) {
            if (y) part += x[i] * y[i];
            else part += x[i];
        }
        LFT_P(add_wide)(sum, part);
    }
}

/* The sum over lanes, in a fixed order. */
LFT_P_INLINE double LFT_P(sum_lanes)(lft_v v)
{
    lft_real x[LFT_P_LANES];
    int      l, half;
    lft_p_copy(x, &v, sizeof x);
    LFT_P_UNROLL for (half = LFT_P_LANES / 2; half > 0; half /= 2)
    {
        LFT_P_UNROLL for (l = 0; l < half; ++l) x[l] += x[l + half];
    }
    return (double)x[0];
}

/* sum[i] = sum_lanes(x[i]), which x is lost in. Level by level: the halves of one vector alone would wait for each other; and as
 * many at a time as stay in the cache. */
static inline void LFT_P(sum_lanes_of)(lft_v *x, size_t n, double *sum)
{
    lft_real *a = (lft_real *)(void *)x;
    size_t    i, begin, end;
    int       l, half;
    for (begin = 0; begin < n; begin = end) {
        end = begin + LFT_P_CHUNK < n ? begin + LFT_P_CHUNK : n;
        LFT_P_UNROLL for (half = LFT_P_LANES / 2; half > 0; half /= 2)
        {
            for (i = begin; i < end; ++i) {
                lft_real *b = a + i * LFT_P_LANES;
                for (l = 0; l < half; ++l) b[l] += b[l + half];
            }
        }
        for (i = begin; i < end; ++i) sum[i] = (double)a[i * LFT_P_LANES];
    }
}

/* y = a + b x */
LFT_P_INLINE void LFT_P(line)(lft_v *y, const lft_v *a, double b, const lft_v *x, int n)
{
    const lft_real factor = (lft_real)b;
    int            i;
    for (i = 0; i < n; ++i) y[i] = a[i] + factor * x[i];
}

/* A vector from one double per lane. */
LFT_P_INLINE lft_v LFT_P(from_wide)(const double *w)
{
    lft_real x[LFT_P_LANES];
    lft_v    v;
    int      l;
    for (l = 0; l < LFT_P_LANES; ++l) x[l] = (lft_real)w[l];
    lft_p_copy(&v, x, sizeof v);
    return v;
}

#endif /* LFT_P_CODE */
