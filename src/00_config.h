/* 00_config.h: version, compiler and C library facts, the paste macros.
 * Offers: LFT_VERSION, the values of the instance parameters, LFT_P_* helpers that every room uses. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#include <float.h>
#include <stddef.h>
#include <stdint.h>

#define LFT_VERSION_MAJOR 0
#define LFT_VERSION_MINOR 1
#define LFT_VERSION_PATCH 0
#define LFT_VERSION       "0.1.0"

/* Values of the instance parameters. All are nonzero, so that an undefined name in an #if is never a legal value. */
#define LFT_SCALAR 1 /* LFT_GROUP: one real number per site */
#define LFT_U1     2 /*            an angle per link */
#define LFT_SU2    3 /*            a unit quaternion per link */
#define LFT_SU3    4 /*            a 3 x 3 matrix per link */
#define LFT_F32    1 /* LFT_REAL */
#define LFT_F64    2
#define LFT_FIELDS 1 /* LFT_UPTO: lattice, fields, theory */
#define LFT_SAMPLE 2 /*           + flows, independence Metropolis, HMC, observables */
#define LFT_TRAIN  3 /*           + gradients and training (the default) */

#define LFT_MAX_DIM 4

/* May be defined before the first inclusion, the same in every file. */
#ifndef LFT_MAX_COUPLINGS
#define LFT_MAX_COUPLINGS 8 /* of a theory */
#endif

#define LFT_P_GROUP_1 scalar /* their names in symbols */
#define LFT_P_GROUP_2 u1
#define LFT_P_GROUP_3 su2
#define LFT_P_GROUP_4 su3

/* Two levels, so that LFT_NAME is expanded before it is pasted. */
#define LFT_P_PASTE2(a, b) a##_##b
#define LFT_P_PASTE(a, b)  LFT_P_PASTE2(a, b)
#define LFT_P_STRING2(a)   #a
#define LFT_P_STRING(a)    LFT_P_STRING2(a)

#if defined(__GNUC__) || defined(__clang__)
#define LFT_P_GNUC     1
#define LFT_P_INLINE   static inline __attribute__((always_inline))
#define LFT_P_NOINLINE static __attribute__((noinline, unused))
#define LFT_P_STATIC   static __attribute__((unused)) /* in every file that includes this; inlined as the compiler sees fit */
#define LFT_P_RESTRICT __restrict__
#else
#define LFT_P_GNUC     0
#define LFT_P_INLINE   static inline
#define LFT_P_NOINLINE static inline
#define LFT_P_STATIC   static inline
#define LFT_P_RESTRICT
#endif

/* Unroll the next loop fully; its bounds are constants after inlining. */
#if defined(__clang__)
#define LFT_P_UNROLL _Pragma("unroll")
#elif LFT_P_GNUC
#define LFT_P_UNROLL _Pragma("GCC unroll 64")
#else
#define LFT_P_UNROLL
#endif

/* Copies and clears go through the compiler's builtin where there is one: it may become a call of memcpy or memset,
 * which every freestanding environment has to supply, and needs no header. */
#if LFT_P_GNUC
#define lft_p_copy(to, from, bytes) ((void)__builtin_memcpy((to), (from), (bytes)))
#define lft_p_zero(to, bytes)       ((void)__builtin_memset((to), 0, (bytes)))
#else
#include <string.h>
#define lft_p_copy(to, from, bytes) ((void)memcpy((to), (from), (bytes)))
#define lft_p_zero(to, bytes)       ((void)memset((to), 0, (bytes)))
#endif

/* 1 if x is neither infinite nor NaN. A test of the exponent bits: isfinite() is removed by -ffast-math. */
static inline int lft_finite(double x);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

static inline int lft_finite(double x)
{
    uint64_t bits;
    lft_p_copy(&bits, &x, sizeof bits);
    return (bits >> 52 & 0x7ff) != 0x7ff;
}

#endif /* LFT_P_CODE */
