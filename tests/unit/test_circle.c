/* test_circle.c: circle maps of the new links of U(1), and Gauss-Newton at fixed samples. */
#include "../bessel.h"
#define SUITE_MORE  "circle_suite.h"
#define SUITE_NAME  u1
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  su2
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  u1_3d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   3
#include "gauge_flow_suite.h"
#endif

int main(void)
{
    u1_circles("circles");
#ifndef LFT_TEST_FEW
    flow_case = "SU(2)";
    su2_circle_refused("another group", 4, 1, 0, 1, "U(1) in two dimensions");
    flow_case = "U(1) 3D";
    u1_3d_circle_refused("three dimensions", 4, 1, 0, 1, "U(1) in two dimensions");
#endif
    return test_end();
}
