/* test_layers_2d.c: the property suite of layers and priors in two dimensions. */
#define SUITE_NAME d2
#define SUITE_DIM  2
#define SUITE_REAL LFT_F64
#include "layer_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  d2one
#define SUITE_DIM   2
#define SUITE_REAL  LFT_F64
#define SUITE_LANES 1
#include "layer_suite.h"
#define SUITE_NAME d2f
#define SUITE_DIM  2
#define SUITE_REAL LFT_F32
#include "layer_suite.h"
#endif

int main(void)
{
    d2_suite();
#ifndef LFT_TEST_FEW
    d2one_suite();
    d2f_suite();
#endif
    return test_end();
}
