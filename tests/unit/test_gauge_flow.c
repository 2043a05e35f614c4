/* test_gauge_flow.c: the gauge-equivariant continuous flow in two and three dimensions. */
#define SUITE_NAME  u1
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su3
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2_3d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#include "gauge_flow_suite.h"

int main(void)
{
    u1_suite("U(1) 2D");
    su2_suite("SU(2) 2D");
    su3_suite("SU(3) 2D");
    su2_3d_suite("SU(2) 3D");
    return test_end();
}
