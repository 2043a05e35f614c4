/* test_doubling.c: lattices doubled with Haar links, in two to four dimensions. */
#define SUITE      "unit/doubling_suite.h"
#define SUITE_OF   SU3_3D
#define SUITE_REST (U1_2D | SU2_2D | SU3_2D | U1_3D | SU2_3D | U1_4D | SU2_4D | SU3_4D)
#include "../gauge_instances.h"

int main(void)
{
#define SUITE_RUN doublings
#include "../gauge_instances.h"
    return test_end();
}
