/* 11_elementary.h: exp, log, sine and cosine, square root and arctangent of all lanes at once. No libm, no per-lane if.
 * Offers (private), largest error in units of the last place, the same with and without fused multiply-add:
 *
 *   exp           1.1   every argument: overflow gives inf, underflow denormals and then 0, NaN gives NaN
 *   log           1.1   every argument: 0 gives -inf, below 0 NaN
 *   sincos        1.6   |x| <= 8192 (float), 1e5 (double), the neighbours of the zeros included; beyond it the absolute
 *                       error grows slowly with |x| but the results stay in [-1, 1]; inf and NaN give NaN
 *   sincos_fast   float: the largest absolute error is 1.2e-7 for |x| <= 8192, a quarter fewer operations than sincos
 *                 and half of what is left where only one result is used. Meaningless, even infinite, for |x| > 1e7;
 *                 inf and NaN give NaN or inf. double: sincos
 *   sqrt          1.1   0, inf and all normals; a denormal loses accuracy; below 0 and NaN give NaN
 *   atan          1.6   every argument
 *
 * Under -ffast-math: 2 ulp in all of these where arguments and results are normal; inf and NaN, given or due, become
 * arbitrary values, and denormals 0. */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- the bits of a real ------------------------------------------------------------------------------------------- */

#if LFT_P_REAL_BYTES == 4
enum { LFT_P(width) = 32, LFT_P(mantissa) = 23 };
static const lft_int  LFT_P(sign_bit)      = INT32_MIN;
static const lft_int  LFT_P(root_seed)     = 0x5f5ff5a0;
static const lft_real LFT_P(round)         = 12582912.0F; /* 1.5 * 2^23: what is added to it is rounded to an integer */
static const lft_real LFT_P(sqrt_half)     = 0.707106781F;
static const lft_real LFT_P(least_normal)  = FLT_MIN;
static const lft_real LFT_P(normal_by)     = 16777216.0F; /* 2^(mantissa + 1) */
#else
enum { LFT_P(width) = 64, LFT_P(mantissa) = 52 };
static const lft_int  LFT_P(sign_bit)      = INT64_MIN;
static const lft_int  LFT_P(root_seed)     = 0x5febfeb400000000;
static const lft_real LFT_P(round)         = 6755399441055744.0; /* 1.5 * 2^52 */
static const lft_real LFT_P(sqrt_half)     = 0.70710678118654752;
static const lft_real LFT_P(least_normal)  = DBL_MIN;
static const lft_real LFT_P(normal_by)     = 9007199254740992.0;
#endif
