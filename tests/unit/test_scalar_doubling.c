/* test_scalar_doubling.c: doublings of scalar fields, and untrained flows from coarse lattices to fine ones, in two dimensions;
 * test_scalar_scales.c has the others. */
#define SUITE_NAME d2
#define SUITE_DIM  2
#define SUITE_REAL LFT_F64
#include "scalar_doubling_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  d2one
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F64
#define SUITE_LANES 1
#include "scalar_doubling_suite.h"
#define SUITE_NAME d2f
#define SUITE_DIM  2
#define SUITE_REAL LFT_F32
#include "scalar_doubling_suite.h"
#endif

int main(void)
{
    d2_doublings(1);
#ifndef LFT_TEST_FEW
    d2one_doublings(0);
    d2f_doublings(0);
#endif
    return test_end();
}
