/* test_layers_3d.c: the property suite of layers and priors in three dimensions. */
#define SUITE_NAME d3
#define SUITE_DIM  3
#define SUITE_REAL LFT_F64
#include "layer_suite.h"

#define SUITE_NAME d3f
#define SUITE_DIM  3
#define SUITE_REAL LFT_F32
#include "layer_suite.h"

int main(void)
{
    d3_suite();
    d3f_suite();
    return test_end();
}
