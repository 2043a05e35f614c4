/* 11_elementary.h: exp, log, sine and cosine, square root, arctangent and tanh of all lanes at once. No libm, no per-lane if.
 * Offers (private), with the largest error of either type in ulp (float: of all floats), fused multiply-adds or not:
 *
 *   exp           1.02   every argument: overflow gives inf, underflow denormals and then 0, NaN gives NaN
 *   log           0.85   every argument: 0 gives -inf, below 0 NaN
 *   sincos        1.99   |x| <= 8192 (float), 1e5 (double), beside the zeros too; further out the absolute error grows
 *                        to an ulp of x and more, and the results stay in [-1, 1]; inf and NaN give NaN
 *   sincos_fast          float: of omega x with omega / pi rounded; absolute error 2e-7 at most, 4e-8 on average, where
 *                        the product is fused or short; not bounded for |x| > 1e7; inf and NaN give inf or NaN; half
 *                        of the time of sincos. double: sincos
 *   sqrt          1.25   0, inf and every normal number (a denormal loses accuracy); below 0 NaN
 *   atan          1.43   every argument
 *   tanh          1.43   every argument
 *   atan2(y, x)          finite numbers; 4 ulp of the angle
 *   wrap                 an angle in [-pi, pi], for |x| <= 1000; absolute error of an ulp of pi
 *
 * The sign of a zero is kept by sqrt, atan and tanh only. A real must be evaluated in its own type (FLT_EVAL_METHOD 0).
 * Under -ffast-math: 2 ulp, atan, sqrt and tanh 3, where arguments and results are normal numbers, for sqrt from 4 times the
 * smallest one; denormals may become 0; inf and NaN, given or due, become any value. */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- constants of the two real types -------------------------------------------------------------------------------
 * Polynomials stand lowest power first and minimise the largest relative error of their function (our own fits: Remez
 * exchange in 60 digits). The parts of a constant sum up to it; all but the last are so short that n times the part is
 * exact, fused or not, for every n that occurs. */

#if LFT_P_REAL_BYTES == 4

static const int      LFT_P(width) = 32, LFT_P(mantissa) = 23;
static const lft_int  LFT_P(sign_bit)       = INT32_MIN;
static const lft_int  LFT_P(infinity)       = 0x7f800000;
static const lft_int  LFT_P(root_seed)      = 0x5f5ff5a0;
static const lft_real LFT_P(round)          = 12582912.0F; /* 1.5 * 2^23: what is added to it is rounded to an integer */
static const lft_real LFT_P(scale_up)       = 16777216.0F; /* 2^(mantissa + 1): makes a denormal a normal number */
static const lft_real LFT_P(smallest)       = FLT_MIN;
static const lft_real LFT_P(sqrt_half)      = 0.707106781F;
static const lft_real LFT_P(per_ln2)        = 1.44269504F;
static const lft_real LFT_P(ln2)[]          = {0.693145752F, 1.42860677e-6F};
static const lft_real LFT_P(exp_end)[]      = {-104.0F, 89.0F}; /* beyond: 0 and infinity */
static const lft_real LFT_P(per_quarter)    = 0.636619772F;     /* quarter turns per radian, 2/pi */
static const lft_real LFT_P(quarter_turn)[] = {1.57080078F, -4.47034836e-6F, 1.58906914e-8F, 2.56334407e-12F};
static const lft_real LFT_P(pi_2)[]         = {1.57079637F, -4.371139e-8F}; /* rounded, and what is missing */
static const lft_real LFT_P(pi_4)[]         = {0.785398185F, -2.1855695e-8F};

/* (e^x - 1 - x) / x^2, |x| <= ln(2)/2 */
static const lft_real LFT_P(exp_terms)[] = {0.49999994F, 0.166665211F, 0.0416683853F, 0.00836869515F, 0.00138147001F};
/* (2 artanh(s) / s - 2) / s^2 in s^2, |s| <= (sqrt(2) - 1) / (sqrt(2) + 1) */
static const lft_real LFT_P(log_terms)[] = {0.666667759F, 0.399775863F, 0.298706949F};
/* (sin(x) / x - 1) / x^2 and (cos(x) - 1) / x^2 in x^2, |x| <= pi/4 */
static const lft_real LFT_P(sin_terms)[] = {-0.166666552F, 0.00833218917F, -0.000195182904F};
static const lft_real LFT_P(cos_terms)[] = {-0.499998838F, 0.0416557156F, -0.00135910173F};
/* (atan(x) / x - 1) / x^2 in x^2, |x| <= 1/2 */
static const lft_real LFT_P(atan_terms)[] = {-0.33333233F, 0.19994168F, -0.141742125F, 0.101558283F, -0.0512516573F};
/* (tanh(x) / x - 1) / x^2 in x^2, |x| <= 0.55 */
static const lft_real LFT_P(tanh_terms)[] = {-0.333333176F, 0.133325861F, -0.0538523107F, 0.0210716842F, -0.00627424852F};
static const lft_real LFT_P(tanh_end)     = 10.0F; /* beyond: 1 */

#else

static const int      LFT_P(width) = 64, LFT_P(mantissa) = 52;
static const lft_int  LFT_P(sign_bit)       = INT64_MIN;
static const lft_int  LFT_P(infinity)       = 0x7ff0000000000000;
static const lft_int  LFT_P(root_seed)      = 0x5febfeb400000000;
static const lft_real LFT_P(round)          = 6755399441055744.0; /* 1.5 * 2^52 */
static const lft_real LFT_P(scale_up)       = 9007199254740992.0;
static const lft_real LFT_P(smallest)       = DBL_MIN;
static const lft_real LFT_P(sqrt_half)      = 0.70710678118654752;
static const lft_real LFT_P(per_ln2)        = 1.4426950408889634;
static const lft_real LFT_P(ln2)[]          = {0.6931471805598903, 5.497923018708371e-14};
static const lft_real LFT_P(exp_end)[]      = {-746.0, 710.0};
static const lft_real LFT_P(per_quarter)    = 0.6366197723675814;
static const lft_real LFT_P(quarter_turn)[] = {1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23};
static const lft_real LFT_P(pi_2)[]         = {1.5707963267948966, 6.123233995736766e-17};
static const lft_real LFT_P(pi_4)[]         = {0.7853981633974483, 3.061616997868383e-17};

static const lft_real LFT_P(exp_terms)[] = {
    0.500000000000001,      0.16666666666666413,   0.04166666666653153,   0.008333333333494026,  0.0013888888943311055,
    0.00019841269506780412, 2.480149340023693e-05, 2.7557586685276638e-6, 2.763014866212492e-07, 2.4999841946524254e-8};
static const lft_real LFT_P(log_terms)[] = {0.6666666666666734, 0.3999999999941703,  0.2857142874189895,
                                            0.2222219862074822, 0.18183561961982203, 0.15314108705785295,
                                            0.14795388193691245};
static const lft_real LFT_P(sin_terms)[] = {-0.1666666666666663,   0.00833333333332184,     -0.00019841269829358495,
                                            2.755731353849423e-06, -2.5050734385218036e-08, 1.58954330214103e-10};
static const lft_real LFT_P(cos_terms)[] = {-0.5, 0.041666666666666595, -0.0013888888888873342, 2.4801587289001988e-05,
                                            -2.755731421697817e-07, 2.0875705382978004e-09, -1.1358748325596217e-11};
static const lft_real LFT_P(atan_terms)[] = {-0.3333333333333298,   0.19999999999903104,   -0.1428571427638555,
                                             0.11111110659652419,   -0.09090896246345488,  0.07692073957732717,
                                             -0.06663811207757753,  0.058583027143420396,  -0.05122015358505425,
                                             0.041864908119724986,  -0.027433773844326655, 0.01011515581539795};
static const lft_real LFT_P(tanh_terms)[] = {-0.33333333333332316,  0.13333333333168707,    -0.053968253876078509,
                                             0.021869485974787186,  -0.008863194503882595,  0.0035917196956794227,
                                             -0.0014532167469035371, 0.00057913698427163778, -0.00021030234479730507,
                                             5.1021438658298926e-05};
static const lft_real LFT_P(tanh_end)     = 20.0;

#endif

#define LFT_P_COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* ---- steps that the functions share ------------------------------------------------------------------------------ */

/* a << k. In C99 an int may not lose its sign bit in a shift, so one lane goes through the unsigned type. */
#if LFT_P_LANES == 1
LFT_P_INLINE lft_m LFT_P(shl)(lft_m a, int k) { return (lft_m)((uint64_t)a << k); }
#else
LFT_P_INLINE lft_m LFT_P(shl)(lft_m a, int k) { return a << k; }
#endif

/* a, of which the compiler forgets how it was made: under -ffast-math it would else cancel (a + round) - round, and join
 * the parts of pi. Everywhere else it keeps to the order that is written. gcc 12.2 loses its own barrier in loops over one lane
 * that it makes vectors of (exp: wrong in the first digit): there asm, which keeps them scalar: 20 ns a normal, not 8. */
#if !LFT_P_GNUC || !defined(__FAST_MATH__)
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a) { return a; }
#elif __GNUC__ >= 12 && !defined(__clang__) && LFT_P_LANES > 1
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a) { return __builtin_assoc_barrier(a); }
#else
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a)
{
#if defined(__SSE2__)
    __asm__("" : "+v"(a));
#elif defined(__aarch64__)
    __asm__("" : "+w"(a));
#else
    __asm__("" : "+m"(a));
#endif
    return a;
}
#endif

/* a with the bits of `sign` flipped */
LFT_P_INLINE lft_v LFT_P(flip)(lft_v a, lft_m sign) { return LFT_P(unbits)(LFT_P(bits)(a) ^ sign); }

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1) */
LFT_P_INLINE lft_v LFT_P(horner)(const lft_real *c, int n, lft_v x)
{
    lft_v p = lft_splat(c[n - 1]);
    while (--n > 0) p = p * x + c[n - 1];
    return p;
}

/* n + round of the integer n = nearest(x per_period); the lowest bits of n are those of the sum. */
LFT_P_INLINE lft_v LFT_P(nearest)(lft_v x, lft_real per_period)
{
    return LFT_P(opaque)(x * per_period + LFT_P(round));
}

/* x - n (period[0] + ... + period[parts - 1]) */
LFT_P_INLINE lft_v LFT_P(reduce)(lft_v x, lft_v n, const lft_real *period, int parts)
{
    int i;
    for (i = 0; i < parts; ++i) x = LFT_P(opaque)(x - n * period[i]);
    return x;
}

/* 2^n from q = n + round, for every n whose 2^n is a normal number */
LFT_P_INLINE lft_v LFT_P(exp2_int)(lft_v q)
{
    return LFT_P(unbits)(LFT_P(shl)(LFT_P(bits)(q), LFT_P(mantissa)) + LFT_P(bits)(lft_splat(1)));
}

/* 1 if a lane of x is infinite or NaN: a test of the exponent bits, which -ffast-math leaves alone. */
LFT_P_INLINE int LFT_P(any_nonfinite)(const lft_v *x, int n)
{
    const lft_m top = LFT_P(int_splat)(LFT_P(infinity));
    lft_m       bad = LFT_P(int_splat)(0);
    int         i;
    for (i = 0; i < n; ++i) bad |= LFT_P(int_eq)(LFT_P(bits)(x[i]) & top, top);
    return LFT_P(any)(bad);
}

/* ---- exp and log ------------------------------------------------------------------------------------------------- */

/* e^x = r 2^n, |x| below what makes n leave its type; *n + round is what exp2_int takes. */
LFT_P_INLINE lft_v LFT_P(exp_parts)(lft_v x, lft_v *n)
{
    lft_v r;
    *n = LFT_P(nearest)(x, LFT_P(per_ln2)) - LFT_P(round);
    r  = LFT_P(reduce)(x, *n, LFT_P(ln2), LFT_P_COUNT(LFT_P(ln2)));
    return (r * r * LFT_P(horner)(LFT_P(exp_terms), LFT_P_COUNT(LFT_P(exp_terms)), r) + r) + 1;
}

LFT_P_INLINE lft_v LFT_P(exp)(lft_v x)
{
    const lft_v low = lft_splat(LFT_P(exp_end)[0]), high = lft_splat(LFT_P(exp_end)[1]);
    lft_v       r, n, half;
    x    = lft_sel(LFT_P(lt)(high, x), high, x); /* in this order NaN stays */
    x    = lft_sel(LFT_P(lt)(x, low), low, x);
    r    = LFT_P(exp_parts)(x, &n);
    half = LFT_P(opaque)(n * (lft_real)0.5 + LFT_P(round)); /* 2^n in two factors: it may be inf or denormal */
    n    = LFT_P(opaque)(n - (half - LFT_P(round)));
    return LFT_P(opaque)(r * LFT_P(exp2_int)(half)) * LFT_P(exp2_int)(n + LFT_P(round));
}

/* log x for 0 < x < inf: x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f), h = f^2 / 2
 * log(1 + f) = 2 artanh(s) = f - h + s (h + s^2 terms(s^2)), in which the large term f is exact. */
LFT_P_INLINE lft_v LFT_P(log_positive)(lft_v x)
{
    const lft_m small = LFT_P(lt)(x, lft_splat(LFT_P(smallest)));
    const lft_m i     = LFT_P(bits)(lft_sel(small, x * LFT_P(scale_up), x)) & ~LFT_P(sign_bit);
    const lft_m above = i - LFT_P(bits)(lft_splat(LFT_P(sqrt_half)));
    lft_v       e, f, h, s, y;
    e = LFT_P(unbits)(LFT_P(bits)(lft_splat(LFT_P(round))) + (above >> LFT_P(mantissa))) - LFT_P(round);
    e = e - LFT_P(unbits)(small & LFT_P(bits)(lft_splat((lft_real)(LFT_P(mantissa) + 1))));
    f = LFT_P(unbits)(i - (above & (LFT_P(infinity) | LFT_P(sign_bit)))) - 1;
    s = f / (f + 2);
    h = f * f * (lft_real)0.5;
    y = s * s;
    y = y * LFT_P(horner)(LFT_P(log_terms), LFT_P_COUNT(LFT_P(log_terms)), y) + h;
    y = s * y + e * LFT_P(ln2)[1];
    return e * LFT_P(ln2)[0] - (LFT_P(opaque)(h - y) - f);
}

LFT_P_INLINE lft_v LFT_P(log)(lft_v x)
{
    const lft_v zero = lft_splat(0), inf = LFT_P(unbits)(LFT_P(int_splat)(LFT_P(infinity)));
    const lft_v nan     = LFT_P(unbits)(LFT_P(int_splat)(~LFT_P(sign_bit)));
    const lft_v special = lft_sel(LFT_P(eq)(x, zero), -inf, lft_sel(LFT_P(lt)(x, zero), nan, x));
    return lft_sel(LFT_P(lt)(zero, x) & LFT_P(lt)(x, inf), LFT_P(log_positive)(x), special);
}

/* ---- sine and cosine --------------------------------------------------------------------------------------------- */

/* n quarter turns and r: sin(x) = sin(r), cos(r), -sin(r), -cos(r) and cos(x) = cos(r), -sin(r), -cos(r), sin(r) for
 * n mod 4 = 0, 1, 2, 3. So bit 0 of n swaps and changes the sign of the cosine, then bit 1 changes both signs.
 * Where x is too large to be reduced, n is cut to its lowest bits and r to |r| < 2. The last part of pi/2 comes last:
 * in r it would round twice what is already larger than its sine. */
LFT_P_INLINE void LFT_P(sincos)(lft_v x, lft_v *s, lft_v *c)
{
    const int   last         = LFT_P_COUNT(LFT_P(quarter_turn)) - 1;
    const lft_m exponent_top = LFT_P(int_splat)(LFT_P(infinity) & ~(LFT_P(infinity) >> 1));
    const lft_m fraction     = LFT_P(int_splat)(~(LFT_P(infinity) | LFT_P(sign_bit)));
    const lft_m top          = LFT_P(int_splat)(LFT_P(infinity));
    lft_v       n, r, z, sine, cosine;
    lft_m       q, odd, both;
    q      = LFT_P(bits)(LFT_P(nearest)(x, LFT_P(per_quarter)));
    q      = (q & fraction) ^ LFT_P(bits)(lft_splat(LFT_P(scale_up) / 2));
    n      = LFT_P(opaque)(LFT_P(unbits)(q)) - LFT_P(round);
    r      = LFT_P(reduce)(x, n, LFT_P(quarter_turn), last);
    r      = LFT_P(unbits)((LFT_P(bits)(r) & ~exponent_top) | LFT_P(int_eq)(LFT_P(bits)(x) & top, top)); /* NaN for inf */
    z      = r * r;
    sine   = r * z * LFT_P(horner)(LFT_P(sin_terms), LFT_P_COUNT(LFT_P(sin_terms)), z) + r;
    sine   = LFT_P(opaque)(sine) - n * LFT_P(quarter_turn)[last];
    cosine = z * LFT_P(horner)(LFT_P(cos_terms), LFT_P_COUNT(LFT_P(cos_terms)), z) + 1;
    odd    = LFT_P(shl)(q, LFT_P(width) - 1);
    both   = LFT_P(shl)(q, LFT_P(width) - 2) & LFT_P(sign_bit);
    both   = both ^ ((LFT_P(bits)(sine) ^ LFT_P(bits)(cosine)) & (odd >> (LFT_P(width) - 1)));
    *s     = LFT_P(flip)(sine, both);
    *c     = LFT_P(flip)(cosine, both ^ odd);
}

/* sin and cos of omega x. In half turns the reduction is one exact subtraction, and nothing is swapped; but cos(pi r) near
 * its zeros is a difference of numbers near 1. */
#if LFT_P_REAL_BYTES == 4

static const lft_real LFT_P(per_half) = 0.318309886F; /* half turns per radian, 1/pi */
/* sin(pi r) / r and cos(pi r) in r^2, |r| <= 1/2: least absolute error */
static const lft_real LFT_P(sin_fast)[] = {3.1415925F, -5.1677022F, 2.54995775F, -0.597625315F, 0.0764334053F};
static const lft_real LFT_P(cos_fast)[] = {1.0F, -4.93479538F, 4.05844736F, -1.33206236F, 0.220006943F};

LFT_P_INLINE void LFT_P(sincos_fast)(lft_real omega, lft_v x, lft_v *s, lft_v *c)
{
    const lft_real scale = omega * LFT_P(per_half);
    const lft_v    q = LFT_P(nearest)(x, scale), r = x * scale - LFT_P(opaque)(q - LFT_P(round)), z = r * r;
    const lft_m    odd = LFT_P(shl)(LFT_P(bits)(q), LFT_P(width) - 1);
    *s = LFT_P(flip)(r * LFT_P(horner)(LFT_P(sin_fast), LFT_P_COUNT(LFT_P(sin_fast)), z), odd);
    *c = LFT_P(flip)(LFT_P(horner)(LFT_P(cos_fast), LFT_P_COUNT(LFT_P(cos_fast)), z), odd);
}

#else

LFT_P_INLINE void LFT_P(sincos_fast)(lft_real omega, lft_v x, lft_v *s, lft_v *c) { LFT_P(sincos)(omega * x, s, c); }

#endif

/* ---- square root, arctangent and tanh ----------------------------------------------------------------------------- */

/* 1/sqrt(x) from the bits of x and one step of y (a - b x y^2); seed, a and b fitted together leave 6.5e-4. Each further
 * step is of third order: 7e-10, then rounding. At last a step of Newton for the root itself. */
LFT_P_INLINE lft_v LFT_P(sqrt)(lft_v x)
{
    const lft_v zero = lft_splat(0), inf = LFT_P(unbits)(LFT_P(int_splat)(LFT_P(infinity)));
    const lft_v nan  = LFT_P(unbits)(LFT_P(int_splat)(~LFT_P(sign_bit)));
    lft_v       y, h;
    int         i;
    y = LFT_P(unbits)(LFT_P(root_seed) - ((LFT_P(bits)(x) & ~LFT_P(sign_bit)) >> 1));
    y = y * ((lft_real)1.18954213 - LFT_P(opaque)(x * y) * y * (lft_real)0.249041257); /* y * y may underflow */
    for (i = 0; i < LFT_P_REAL_BYTES / 4; ++i) {
        h = 1 - LFT_P(opaque)(x * y) * y;
        y = y + y * h * (h * (lft_real)0.375 + (lft_real)0.5);
    }
    h = x * y;
    y = y * (x * (lft_real)0.5 - LFT_P(opaque)(h * (lft_real)0.5) * h) + h; /* h * h may overflow */
    y = lft_sel(LFT_P(lt)(x, inf), y, x);
    return lft_sel(LFT_P(lt)(x, zero), nan, y);
}

/* atan(a) = atan(t), pi/4 + atan(t), pi/2 + atan(t) with t = a, (a - 1) / (a + 1), -1 / a for a up to 1/2, 2, inf */
LFT_P_INLINE lft_v LFT_P(atan)(lft_v x)
{
    const lft_v one  = lft_splat(1);
    const lft_m sign = LFT_P(bits)(x) & LFT_P(sign_bit);
    const lft_v a    = LFT_P(flip)(x, sign);
    const lft_m mid = LFT_P(lt)(lft_splat((lft_real)0.5), a), big = LFT_P(lt)(lft_splat(2), a);
    lft_v       t, z, y;
    t = lft_sel(big, -one, lft_sel(mid, a - one, a)) / lft_sel(big, a, lft_sel(mid, a + one, one));
    z = t * t;
    y = t * z * LFT_P(horner)(LFT_P(atan_terms), LFT_P_COUNT(LFT_P(atan_terms)), z);
    y = y + LFT_P(unbits)(mid & LFT_P(bits)(lft_sel(big, lft_splat(LFT_P(pi_2)[1]), lft_splat(LFT_P(pi_4)[1]))));
    y = LFT_P(opaque)(y + t);
    y = y + LFT_P(unbits)(mid & LFT_P(bits)(lft_sel(big, lft_splat(LFT_P(pi_2)[0]), lft_splat(LFT_P(pi_4)[0]))));
    return LFT_P(flip)(y, sign);
}

/* The angle of the point (x, y), in [-pi, pi]: the arctangent of the smaller coordinate over the larger. (0, 0): 0 */
LFT_P_INLINE lft_v LFT_P(atan2)(lft_v y, lft_v x)
{
    const lft_v zero = lft_splat(0);
    const lft_m sign = LFT_P(bits)(y) & LFT_P(sign_bit), left = LFT_P(lt)(x, zero);
    const lft_v a = LFT_P(flip)(x, LFT_P(bits)(x) & LFT_P(sign_bit)), b = LFT_P(flip)(y, sign);
    const lft_m steep = LFT_P(lt)(a, b);
    const lft_v most = lft_sel(steep, b, a), least = lft_sel(steep, a, b);
    lft_v       t    = LFT_P(atan)(least / lft_sel(LFT_P(eq)(most, zero), lft_splat(1), most));
    t = lft_sel(steep, LFT_P(pi_2)[0] - (t - LFT_P(pi_2)[1]), t);
    t = lft_sel(left, 2 * LFT_P(pi_2)[0] - (t - 2 * LFT_P(pi_2)[1]), t);
    return LFT_P(flip)(t, sign);
}

/* x less the nearest multiple of 2 pi, for |x| <= 1000 */
LFT_P_INLINE lft_v LFT_P(wrap)(lft_v x)
{
    const lft_v n = LFT_P(nearest)(x, (lft_real)0.25 * LFT_P(per_quarter)) - LFT_P(round);
    return LFT_P(reduce)(x, 4 * n, LFT_P(quarter_turn), LFT_P_COUNT(LFT_P(quarter_turn)));
}

/* tanh(a) = 1 - 2 / (e^2a + 1), and for small a, where that is a difference of numbers near 1, its series */
LFT_P_INLINE lft_v LFT_P(tanh)(lft_v x)
{
    const lft_v end  = lft_splat(LFT_P(tanh_end));
    const lft_m sign = LFT_P(bits)(x) & LFT_P(sign_bit);
    lft_v       a    = LFT_P(flip)(x, sign), z, small, large, n;
    a     = lft_sel(LFT_P(lt)(end, a), end, a); /* in this order NaN stays */
    z     = a * a;
    small = a * z * LFT_P(horner)(LFT_P(tanh_terms), LFT_P_COUNT(LFT_P(tanh_terms)), z) + a;
    large = LFT_P(exp_parts)(a + a, &n);
    large = 1 - 2 / (large * LFT_P(exp2_int)(LFT_P(opaque)(n + LFT_P(round))) + 1);
    return LFT_P(flip)(lft_sel(LFT_P(lt)(a, lft_splat((lft_real)0.55)), small, large), sign);
}

#undef LFT_P_COUNT

#endif /* LFT_P_CODE */
