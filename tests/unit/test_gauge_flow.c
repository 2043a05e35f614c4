/* test_gauge_flow.c: the gauge-equivariant continuous flow in two and three dimensions. */
#define SUITE_NAME  su3
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u1
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2_3d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#include "gauge_flow_suite.h"
#endif

int main(void)
{
    su3_suite("SU(3) 2D");
#ifndef LFT_TEST_FEW
    u1_suite("U(1) 2D");
    su2_suite("SU(2) 2D");
    su2_3d_suite("SU(2) 3D");
#endif
    return test_end();
}
