/* test_net.c: the net of plaquettes in the continuous flow of gauge fields. */
#include "../matrices.h"
#define SUITE_MORE  "net_suite.h"
#define SUITE_NAME  su3
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u1
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2_3d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#include "gauge_flow_suite.h"
#define SUITE_NAME  u1_4d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   4
#include "gauge_flow_suite.h"
#endif

int main(void)
{
    su3_nets("SU(3) 2D");
#ifndef LFT_TEST_FEW
    u1_nets("U(1) 2D");
    su2_nets("SU(2) 2D");
    su2_3d_nets("SU(2) 3D");
    u1_4d_nets("U(1) 4D");
#endif
    return test_end();
}
