/* test_conditional.c: the flow of the new links of a doubled axis, in two to four dimensions. */
#define SUITE_MORE  "conditional_suite.h"
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
    su3_conditional("SU(3) 2D");
#ifndef LFT_TEST_FEW
    u1_conditional("U(1) 2D");
    su2_conditional("SU(2) 2D");
    u1_3d_conditional("U(1) 3D");
    su2_3d_conditional("SU(2) 3D");
    su3_3d_conditional("SU(3) 3D");
    u1_4d_conditional("U(1) 4D");
    su2_4d_conditional("SU(2) 4D");
    su3_4d_conditional("SU(3) 4D");
#endif
    return test_end();
}
