/* test_layers_1d.c: the property suite of layers and priors in one dimension. */
#define SUITE_NAME d1
#define SUITE_DIM  1
#define SUITE_REAL LFT_F64
#include "layer_suite.h"

#define SUITE_NAME d1f
#define SUITE_DIM  1
#define SUITE_REAL LFT_F32
#include "layer_suite.h"

int main(void)
{
    d1_suite();
    d1f_suite();
    return test_end();
}
