/* elementary_root.h: the rooms up to 11_elementary.h and no others, and one function through which test_elementary.c
 * calls them. Include it once per instance, with LFT_NAME, LFT_REAL and, optionally, LFT_LANES. */
#ifndef LFT_P_COMMON
#define LFT_P_COMMON

#define LFT_P_DECLARATIONS 1
#define LFT_P_CODE         2

#define LFT_P_PHASE LFT_P_DECLARATIONS
#include "../../src/00_config.h"
#undef LFT_P_PHASE
#define LFT_P_PHASE LFT_P_CODE
#include "../../src/00_config.h"
#undef LFT_P_PHASE

enum { TEST_EXP, TEST_LOG, TEST_SIN, TEST_COS, TEST_SIN_FAST, TEST_COS_FAST, TEST_SQRT, TEST_ATAN, TEST_TANH };

#endif

#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   1
#define LFT_P_PHASE LFT_P_DECLARATIONS
#include "../../src/09_instance.h"
#undef LFT_P_PHASE
#define LFT_P_PHASE LFT_P_CODE
#include "../../src/10_lanes.h"
#include "../../src/11_elementary.h"

static int LFT_(lanes)(void) { return LFT_P_LANES; }

static lft_v LFT_P(evaluate)(int function, lft_v x)
{
    lft_v s, c;
    if (function == TEST_EXP) return LFT_P(exp)(x);
    if (function == TEST_LOG) return LFT_P(log)(x);
    if (function == TEST_SQRT) return LFT_P(sqrt)(x);
    if (function == TEST_ATAN) return LFT_P(atan)(x);
    if (function == TEST_TANH) return LFT_P(tanh)(x);
    if (function == TEST_SIN || function == TEST_COS) LFT_P(sincos)(x, &s, &c);
    else LFT_P(sincos_fast)(1, x, &s, &c);
    return function == TEST_SIN || function == TEST_SIN_FAST ? s : c;
}

/* y[i] = function(x[i]); any n: the last vector is filled up with x[n - 1] */
static void LFT_(apply)(int function, int n, const double *x, double *y)
{
    double   wide[LFT_P_LANES];
    lft_real narrow[LFT_P_LANES];
    lft_v    v;
    int      i, l;
    for (i = 0; i < n; i += LFT_P_LANES) {
        for (l = 0; l < LFT_P_LANES; ++l) wide[l] = x[i + l < n ? i + l : n - 1];
        v = LFT_P(evaluate)(function, LFT_P(from_wide)(wide));
        lft_p_copy(narrow, &v, sizeof narrow);
        for (l = 0; l < LFT_P_LANES && i + l < n; ++l) y[i + l] = (double)narrow[l];
    }
}

/* The same for n <= 4096 in one loop for each function, which compilers may make vectors of. */
static void LFT_(loop)(int function, int n, const double *x, double *y)
{
    static lft_v v[4096];
    lft_real     first;
    lft_v        other;
    int          i;
    for (i = 0; i < n; ++i) v[i] = lft_splat((lft_real)x[i]);
    if (function == TEST_EXP) {
        for (i = 0; i < n; ++i) v[i] = LFT_P(exp)(v[i]);
    } else if (function == TEST_LOG) {
        for (i = 0; i < n; ++i) v[i] = LFT_P(log)(v[i]);
    } else if (function == TEST_SQRT) {
        for (i = 0; i < n; ++i) v[i] = LFT_P(sqrt)(v[i]);
    } else if (function == TEST_ATAN) {
        for (i = 0; i < n; ++i) v[i] = LFT_P(atan)(v[i]);
    } else if (function == TEST_TANH) {
        for (i = 0; i < n; ++i) v[i] = LFT_P(tanh)(v[i]);
    } else if (function == TEST_SIN) {
        for (i = 0; i < n; ++i) LFT_P(sincos)(v[i], v + i, &other);
    } else if (function == TEST_COS) {
        for (i = 0; i < n; ++i) LFT_P(sincos)(v[i], &other, v + i);
    } else if (function == TEST_SIN_FAST) {
        for (i = 0; i < n; ++i) LFT_P(sincos_fast)(1, v[i], v + i, &other);
    } else {
        for (i = 0; i < n; ++i) LFT_P(sincos_fast)(1, v[i], &other, v + i);
    }
    for (i = 0; i < n; ++i) {
        lft_p_copy(&first, v + i, sizeof first);
        y[i] = (double)first;
    }
}

#include "../../src/99_close.h"
#undef LFT_P_PHASE
