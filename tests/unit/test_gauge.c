/* Wilson's action with rectangles, its force, and HMC: U(1), SU(2), SU(3) in two to four dimensions. */
#define SUITE      "unit/gauge_suite.h"
#define SUITE_OF   (U1_2D | SU2_3D | SU3_4D)
#define SUITE_REST (SU2_2D | SU3_2D | U1_3D | SU3_3D | U1_4D | SU2_4D)
#include "../gauge_instances.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u1_f32
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
#define SUITE_RUN suite
#include "../gauge_instances.h"
#ifndef LFT_TEST_FEW
    u1_f32_suite("U(1) 2D");
    su2_3d_f32_suite("SU(2) 3D");
    su3_4d_f32_suite("SU(3) 4D");
#endif
    return test_end();
}
