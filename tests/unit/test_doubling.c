/* test_doubling.c: lattices doubled with Haar links, in two to four dimensions. */
#define SUITE_NAME  su3
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   3
#include "doubling_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u1
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#include "doubling_suite.h"
#define SUITE_NAME  su2
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   4
#include "doubling_suite.h"
#endif

int main(void)
{
    su3_doublings("SU(3) 3D");
#ifndef LFT_TEST_FEW
    u1_doublings("U(1) 2D");
    su2_doublings("SU(2) 4D");
#endif
    return test_end();
}
