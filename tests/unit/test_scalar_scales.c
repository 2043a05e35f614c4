/* test_scalar_scales.c: doublings of scalar fields, and untrained flows from coarse lattices to fine ones, in one, three and four
 * dimensions. */
#define SUITE_NAME d3
#define SUITE_DIM  3
#define SUITE_REAL LFT_F64
#include "scalar_doubling_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME d1
#define SUITE_DIM  1
#define SUITE_REAL LFT_F64
#include "scalar_doubling_suite.h"
#define SUITE_NAME d4
#define SUITE_DIM  4
#define SUITE_REAL LFT_F64
#include "scalar_doubling_suite.h"
#endif

int main(void)
{
    d3_doublings(1);
#ifndef LFT_TEST_FEW
    d1_doublings(1);
    d4_doublings(1);
#endif
    return test_end();
}
