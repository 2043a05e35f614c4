/* gauge_instances.h: a suite (suite.h) for several gauge groups: SUITE is its header, a path from here, SUITE_OF the instances,
 * e.g. (U1_2D | SU3_4D), SUITE_REST those that LFT_TEST_FEW leaves out. They are called u1, su2, su3 and, in more than two
 * dimensions, u1_3d and so on. Included once more in a function, after #define SUITE_RUN tests, it calls u1_tests("U(1) 2D") and so
 * on. */
#ifndef SUITE_HAS
#define U1_2D  1
#define SU2_2D 2
#define SU3_2D 4
#define U1_3D  8
#define SU2_3D 16
#define SU3_3D 32
#define U1_4D  64
#define SU2_4D 128
#define SU3_4D 256
#if defined(LFT_TEST_FEW) || !defined(SUITE_REST)
#define SUITE_HAS(instance) ((SUITE_OF) & (instance))
#else
#define SUITE_HAS(instance) (((SUITE_OF) | (SUITE_REST)) & (instance))
#endif
#endif
#undef SUITE_NEXT
#ifdef SUITE_RUN
#define SUITE_NEXT "suite_run.h"
#else
#define SUITE_NEXT SUITE
#endif

#if SUITE_HAS(U1_2D)
#define SUITE_NAME  u1
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#define SUITE_TEXT  "U(1) 2D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(SU2_2D)
#define SUITE_NAME  su2
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#define SUITE_TEXT  "SU(2) 2D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(SU3_2D)
#define SUITE_NAME  su3
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#define SUITE_TEXT  "SU(3) 2D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(U1_3D)
#define SUITE_NAME  u1_3d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   3
#define SUITE_TEXT  "U(1) 3D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(SU2_3D)
#define SUITE_NAME  su2_3d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#define SUITE_TEXT  "SU(2) 3D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(SU3_3D)
#define SUITE_NAME  su3_3d
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   3
#define SUITE_TEXT  "SU(3) 3D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(U1_4D)
#define SUITE_NAME  u1_4d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   4
#define SUITE_TEXT  "U(1) 4D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(SU2_4D)
#define SUITE_NAME  su2_4d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   4
#define SUITE_TEXT  "SU(2) 4D"
#include SUITE_NEXT
#endif
#if SUITE_HAS(SU3_4D)
#define SUITE_NAME  su3_4d
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   4
#define SUITE_TEXT  "SU(3) 4D"
#include SUITE_NEXT
#endif
