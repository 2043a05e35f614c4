/* test_layers_4d.c: the property suite of layers and priors in four dimensions. */
#define SUITE_NAME d4
#define SUITE_DIM  4
#define SUITE_REAL LFT_F64
#include "layer_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME d4f
#define SUITE_DIM  4
#define SUITE_REAL LFT_F32
#include "layer_suite.h"
#endif

int main(void)
{
    d4_suite();
#ifndef LFT_TEST_FEW
    d4f_suite();
#endif
    return test_end();
}
