/* group_root.h: the rooms up to those of the groups, and what test_group.c calls. Include it after
 * lftflow.h, which gives the common room, once per instance, with LFT_NAME, LFT_GROUP, LFT_REAL and, optionally, LFT_LANES. */
#ifndef TEST_GROUP_ROOT
#define TEST_GROUP_ROOT
enum { TEST_MUL, TEST_MUL_ADJ, TEST_ADJ_MUL, TEST_ADJOINT, TEST_EXP, TEST_EIGEN, TEST_TRACE, TEST_CARRY, TEST_UNIT,
       TEST_ONE, TEST_HAAR, TEST_MOVE, TEST_SUM };

/* What a word of a group did with the reals of each lane: links a, b, numbers z, into links u, numbers v. */
typedef struct test_words {
    double a[18], b[18], z[12], u[18], v[10];
} test_words;

#endif

#define LFT_DIM 2
#define LFT_P_PHASE LFT_P_DECLARATIONS
#include "../../src/09_instance.h"
#undef LFT_P_PHASE
#define LFT_P_PHASE LFT_P_CODE
#include "../../src/10_lanes.h"
#include "../../src/11_elementary.h"
#include "../../src/29_lane_draws.h"
#include "../../src/30_group.h"
#if LFT_GROUP == LFT_U1
#include "../../src/32_u1.h"
#elif LFT_GROUP == LFT_SU2
#include "../../src/33_su2.h"
#else
#include "../../src/34_su3.h"
#include "../../src/47_su3_eigen.h"
#endif

static int LFT_(lanes)(void) { return LFT_P_LANES; }

/* Number k of a field of all lanes' words. */
static lft_v LFT_(in)(const double *first, int k)
{
    double   wide[LFT_P_LANES];
    int      l;
    for (l = 0; l < LFT_P_LANES; ++l) wide[l] = first[(size_t)l * (sizeof(test_words) / sizeof(double)) + (size_t)k];
    return LFT_P(from_wide)(wide);
}

static void LFT_(out)(lft_v v, double *first, int k)
{
    lft_real x[LFT_P_LANES];
    int      l;
    lft_p_copy(x, &v, sizeof x);
    for (l = 0; l < LFT_P_LANES; ++l) first[(size_t)l * (sizeof(test_words) / sizeof(double)) + (size_t)k] = (double)x[l];
}

/* w[lane]. TEST_MOVE: n times link u = exp(z) u, then made unitary. TEST_SUM: v = Re tr of a (0.5 b - 2 adjoint(b)). */
static void LFT_(word)(int what, test_words *w, int n)
{
    lft_u a, b, u;
    lft_z z, g;
    lft_w sum, factor;
    lft_v link[LFT_P_LINK], normal[LFT_P_HAAR], phase[3];
    int   k;
    lft_p_zero(&u, sizeof u);
    lft_p_zero(&g, sizeof g);
    lft_p_zero(phase, sizeof phase);
    for (k = 0; k < LFT_P_LINK; ++k) a.c[k] = link[k] = LFT_(in)(w->a, k), b.c[k] = LFT_(in)(w->b, k);
    for (k = 0; k < LFT_P_ALGEBRA; ++k) z.c[k] = LFT_(in)(w->z, k);
    for (k = 0; k < LFT_P_HAAR; ++k) normal[k] = LFT_(in)(w->z, k);
    switch (what) {
    case TEST_MUL: LFT_P(mul)(&u, &a, &b); break;
    case TEST_MUL_ADJ: LFT_P(mul_adj)(&u, &a, &b); break;
    case TEST_ADJ_MUL: LFT_P(adj_mul)(&u, &a, &b); break;
    case TEST_ADJOINT: LFT_P(adjoint)(&u, &a); break;
    case TEST_EXP: LFT_P(exp_of)(&u, &z); break;
#if LFT_GROUP == LFT_SU3
    case TEST_EIGEN: LFT_P(eigen)(&a, &u, phase); break;
#endif
    case TEST_TRACE:
        phase[0] = LFT_P(trace)(&a, &g);
        phase[1] = LFT_P(trace_im)(&a);
        break;
    case TEST_CARRY:
        g = z;
        LFT_P(carry)(&a, &g);
        break;
    case TEST_UNIT: LFT_P(unit)(link); break;
    case TEST_ONE: LFT_P(one)(link); break;
    case TEST_HAAR: LFT_P(haar)(link, normal); break;
    case TEST_MOVE:
        for (; n > 0; --n) {
            LFT_P(move)(link, z.c, 1);
            LFT_P(unit)(link);
        }
        break;
    default:
        LFT_P(sum_none)(&sum);
        LFT_P(sum_add)(&sum, (lft_real)0.5, &b);
        LFT_P(adjoint)(&u, &b);
        LFT_P(sum_add)(&sum, -2, &u);
        LFT_P(sum_of)(link, &factor);
        LFT_P(sum_inner)(&factor, &sum, 0, phase, NULL);
    }
    if (what >= TEST_UNIT && what <= TEST_MOVE) LFT_P(get)(link, &u);
    for (k = 0; k < LFT_P_LINK; ++k) LFT_(out)(u.c[k], w->u, k);
    if (what == TEST_CARRY) {
        for (k = 0; k < LFT_P_ALGEBRA; ++k) LFT_(out)(g.c[k], w->v, k);
        return;
    }
    if (what == TEST_TRACE) {
        for (k = 0; k < LFT_P_ALGEBRA; ++k) LFT_(out)(g.c[k], w->v, 2 + k);
    }
    for (k = 0; k < (what == TEST_EIGEN ? LFT_P_COLOURS : 2); ++k) LFT_(out)(phase[k], w->v, k);
}

/* The matrix of the numbers of a link, and the numbers of that. */
static void LFT_(files)(const double *c, double *u, double *back)
{
    LFT_P(matrix_of)(c, u);
    LFT_P(numbers_of)(u, back);
}

#include "../../src/99_close.h"
#undef LFT_P_PHASE
