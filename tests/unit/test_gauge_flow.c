/* test_gauge_flow.c: the gauge-equivariant continuous flow in two and three dimensions. */
#define SUITE      "unit/gauge_flow_suite.h"
#define SUITE_OF   SU3_2D
#define SUITE_REST (U1_2D | SU2_2D | SU2_3D)
#include "../gauge_instances.h"

int main(void)
{
#define SUITE_RUN suite
#include "../gauge_instances.h"
    return test_end();
}
