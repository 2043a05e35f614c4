/* test_conditional.c: the flow of the new links of a doubled axis, in two to four dimensions. */
#include "../bessel.h"
#define SUITE      "unit/gauge_flow_suite.h"
#define SUITE_MORE "conditional_suite.h"
#define SUITE_OF   SU3_2D
#define SUITE_REST (U1_2D | SU2_2D | U1_3D | SU2_3D | SU3_3D | U1_4D | SU2_4D | SU3_4D)
#include "../gauge_instances.h"

#ifndef LFT_TEST_FEW
/* beta' of u(beta') = u(beta)^2, u = I_n+1 / I_n, n = 0 of U(1), 1 of SU(2), by halving. */
static double pair(int n, double beta)
{
    const double u = bessel(n + 1, beta) / bessel(n, beta);
    double       low = 0, high = beta;
    int          i;
    for (i = 0; i < 60; ++i) {
        const double half = 0.5 * (low + high);
        if (bessel(n + 1, half) / bessel(n, half) < u * u) low = half;
        else high = half;
    }
    return low;
}

/* The couplings of the scales: in two dimensions a plaquette of k has u^k; in three, along the axis u^2, across it 2 beta. */
static void couplings(void)
{
    u1_multiscale_desc     plane;
    su2_3d_multiscale_desc space;
    u1_flow_desc           flow;
    su2_3d_flow_desc       flow3;
    lft_arena              arena = lft_arena_of(flow_memory, sizeof flow_memory);
    double                 beta = 2, off = 0, b01 = 1.5, b02 = 1.5, b12 = 1.5, found[4];
    int                    i;
    memset(&plane, 0, sizeof plane);
    memset(&space, 0, sizeof space);
    plane.extent[0] = plane.extent[1] = 4, plane.flow.beta = 2, plane.flow.order = 4;
    check_true("U(1) 4^2 from one site", u1_multiscale(&flow, &plane, &arena, NULL) == LFT_OK && flow.layers == 8);
    for (i = flow.layers - 1; i > 0; i -= 2, beta = pair(0, beta)) {
        off = fmax(off, fabs(((const u1_continuous_desc *)flow.layer[i].desc)->beta - beta));
    }
    check_below("    beta of plaquettes of 1, 2, 4, 8", off, 1e-5);
    for (i = 0; i < 3; ++i) space.extent[i] = 4;
    space.flow.beta = 1.5, space.flow.order = 1;
    check_true("SU(2) 4^3 from 2^3", su2_3d_multiscale(&flow3, &space, &arena, NULL) == LFT_OK && flow3.layers == 7);
    for (i = 0; i < 4; ++i) found[i] = ((const su2_3d_continuous_desc *)flow3.layer[2 * i].desc)->beta;
    off = fabs(found[3] - 1.5); /* axis 2 is the last one */
    b01 *= 2, b02 = pair(1, b02), b12 = pair(1, b12);
    off = fmax(off, fabs(found[2] - 0.5 * (b01 + b12)));
    b02 *= 2, b01 = pair(1, b01), b12 = pair(1, b12);
    off = fmax(off, fabs(found[1] - 0.5 * (b01 + b02)));
    b12 *= 2, b01 = pair(1, b01), b02 = pair(1, b02);
    off = fmax(off, fabs(found[0] - (b01 + b02 + b12) / 3));
    check_below("    beta of three doublings and before them", off, 1e-5);
}
#endif

int main(void)
{
#ifndef LFT_TEST_FEW
    couplings();
#endif
#define SUITE_RUN conditional
#include "../gauge_instances.h"
    return test_end();
}
