/* test_net.c: the net of plaquettes in the continuous flow of gauge fields. */
#include "../matrices.h"
#define SUITE      "unit/gauge_flow_suite.h"
#define SUITE_MORE "net_suite.h"
#define SUITE_OF   SU3_2D
#define SUITE_REST (U1_2D | SU2_2D | SU2_3D | U1_4D)
#include "../gauge_instances.h"

int main(void)
{
#define SUITE_RUN nets
#include "../gauge_instances.h"
    return test_end();
}
