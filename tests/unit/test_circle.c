/* test_circle.c: circle maps of the new links of U(1), and Gauss-Newton at fixed samples. */
#include "../bessel.h"
#define SUITE      "unit/gauge_flow_suite.h"
#define SUITE_MORE "circle_suite.h"
#define SUITE_OF   U1_2D
#define SUITE_REST (SU2_2D | U1_3D)
#include "../gauge_instances.h"

int main(void)
{
    u1_circles("circles");
#ifndef LFT_TEST_FEW
    suite_case = "SU(2)";
    su2_circle_refused("another group", 4, 1, 0, 1, "U(1) in two dimensions");
    suite_case = "U(1) 3D";
    u1_3d_circle_refused("three dimensions", 4, 1, 0, 1, "U(1) in two dimensions");
#endif
    return test_end();
}
