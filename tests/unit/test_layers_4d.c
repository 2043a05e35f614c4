/* test_layers_4d.c: the property suite of layers and priors in four dimensions. */
#define SUITE_NAME d4
#define SUITE_DIM  4
#define SUITE_REAL LFT_F64
#include "layer_suite.h"

#define SUITE_NAME d4f
#define SUITE_DIM  4
#define SUITE_REAL LFT_F32
#include "layer_suite.h"

int main(void)
{
    d4_suite();
    d4f_suite();
    return test_end();
}
