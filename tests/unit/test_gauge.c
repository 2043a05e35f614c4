/* Wilson's action with rectangles, its force, and HMC: U(1), SU(2), SU(3) in two to four dimensions. */
#define SUITE_NAME  u1_2d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  su2_3d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  su3_4d
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   4
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u1_3d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   3
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  u1_4d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   4
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  su2_2d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  su2_4d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   4
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  su3_2d
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  su3_3d
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   3
#define SUITE_REAL  LFT_F64
#include "gauge_suite.h"
#define SUITE_NAME  u1_2d_f32
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F32
#include "gauge_suite.h"
#define SUITE_NAME  su2_3d_f32
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#define SUITE_REAL  LFT_F32
#include "gauge_suite.h"
#define SUITE_NAME  su3_4d_f32
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   4
#define SUITE_REAL  LFT_F32
#include "gauge_suite.h"
#endif

int main(void)
{
    u1_2d_suite();
    su2_3d_suite();
    su3_4d_suite();
#ifndef LFT_TEST_FEW
    u1_3d_suite();
    u1_4d_suite();
    su2_2d_suite();
    su2_4d_suite();
    su3_2d_suite();
    su3_3d_suite();
    u1_2d_f32_suite();
    su2_3d_f32_suite();
    su3_4d_f32_suite();
#endif
    return test_end();
}
