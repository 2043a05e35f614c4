/* test_torus_loops.c: the continuous flow of gauge fields on lattices that its loops close around, in two to four dimensions. */
#define SUITE_MORE  "torus_suite.h"
#define SUITE_NAME  u1
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#define SUITE_NAME  su3
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#include "gauge_flow_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u1_3d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   3
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2_3d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#include "gauge_flow_suite.h"
#define SUITE_NAME  su3_3d
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   3
#include "gauge_flow_suite.h"
#define SUITE_NAME  u1_4d
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   4
#include "gauge_flow_suite.h"
#define SUITE_NAME  su2_4d
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   4
#include "gauge_flow_suite.h"
#define SUITE_NAME  su3_4d
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   4
#include "gauge_flow_suite.h"
#endif

int main(void)
{
    static const int all[4] = {1, 1, 1, 1}, none[4] = {0, 0, 0, 0};
    const int e2[4]={2,2,2,2}, e3[4]={3,3,3,3}, e4[4]={4,4,4,4};
    int o;
    flow_case = "U(1) 2D";
    for (o=1;o<5;++o) u1_small(e2,o,o>1?all:none), u1_small(e3,o,o>2?all:none),u1_small(e4,o,o>3?all:none);
    flow_case = "SU(2) 2D";
    for (o=1;o<4;++o) su2_small(e2,o,o>1?all:none), su2_small(e3,o,o>2?all:none);
    flow_case = "SU(3) 2D";
    for (o=1;o<4;++o) su3_small(e2,o,o>1?all:none), su3_small(e3,o,o>2?all:none);
    return test_end();
}
