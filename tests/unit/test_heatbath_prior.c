/* test_heatbath_prior.c: flows whose prior is a heat bath: densities, draws, gradients, models, errors, scales. */
#define SUITE      "unit/heatbath_prior_suite.h"
#define SUITE_OF   (U1_2D | SU3_3D)
#define SUITE_REST (SU2_2D | SU3_2D | U1_3D | SU2_4D)
#include "../gauge_instances.h"

int main(void)
{
#define SUITE_RUN tests
#include "../gauge_instances.h"
    return test_end();
}
