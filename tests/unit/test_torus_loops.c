/* test_torus_loops.c: the continuous flow of gauge fields on lattices that its loops close around, in two to four dimensions. */
#include "../bessel.h"
#define SUITE      "unit/gauge_flow_suite.h"
#define SUITE_MORE "torus_suite.h"
#define SUITE_OF   (U1_2D | SU2_2D | SU3_2D)
#define SUITE_REST (U1_3D | SU2_3D | SU3_3D | U1_4D | SU2_4D | SU3_4D)
#include "../gauge_instances.h"

/* Extents, an order, and which extents its loops close around. */
#define LATTICES(n) static const struct { int extent[4], order, period[4]; } lattice[n]

static void two_dimensions(void)
{
    LATTICES(16) = {{{2, 2}, 1, {0, 0}}, {{2, 2}, 2, {1, 1}}, {{2, 2}, 3, {1, 1}}, {{2, 2}, 4, {1, 1}}, {{3, 3}, 2, {0, 0}},
                    {{3, 3}, 3, {1, 1}}, {{3, 3}, 4, {1, 1}}, {{4, 4}, 3, {0, 0}}, {{4, 4}, 4, {1, 1}}, {{2, 3}, 2, {1, 0}},
                    {{2, 3}, 3, {1, 1}}, {{6, 2}, 3, {0, 1}}, {{3, 5}, 4, {1, 0}}, {{3, 4}, 4, {1, 1}}, {{5, 5}, 4, {0, 0}},
                    {{2, 7}, 3, {1, 0}}};
    int i;
    for (i = 0; i < 16; ++i) {
        const int *extent = lattice[i].extent, order = lattice[i].order;
        suite_case = "U(1) 2D";
        u1_small(extent, order, lattice[i].period);
        u1_small_scaling(extent, order, 0.3);
        if (order < 4) u1_small_scaling(extent, -order, 0.3);
        suite_case = "SU(2) 2D";
        if (order < 4) su2_small(extent, order, lattice[i].period);
        if (order < 4) su2_small_scaling(extent, order, 0.5);
        if (order < 3) su2_small_scaling(extent, -order, 0.5);
        suite_case = "SU(3) 2D";
        if (order < 4) su3_small(extent, order, lattice[i].period);
        if (order < 3) su3_small_scaling(extent, order, 1);
    }
}
#ifndef LFT_TEST_FEW

static void more_dimensions(void)
{
    LATTICES(6) = {{{2, 2, 2}, 2, {1, 1, 1}}, {{2, 3, 3}, 2, {1, 0, 0}}, {{3, 2, 4}, 2, {0, 1, 0}}, {{2, 2, 2}, 3, {1, 1, 1}},
                   {{3, 3, 3}, 3, {1, 1, 1}}, {{4, 4, 4}, 4, {1, 1, 1}}};
    static const int four[2][4] = {{2, 2, 2, 2}, {3, 2, 3, 2}}, periods[2][4] = {{1, 1, 1, 1}, {0, 1, 0, 1}};
    int i;
    for (i = 0; i < 6; ++i) {
        const int *extent = lattice[i].extent, order = lattice[i].order;
        suite_case = "U(1) 3D";
        u1_3d_small(extent, order, lattice[i].period);
        if (order < 4) u1_3d_small_scaling(extent, order, 0.2);
        suite_case = "SU(2) 3D";
        if (order < 4) su2_3d_small(extent, order, lattice[i].period);
        if (order < 3) su2_3d_small_scaling(extent, order, 0.3);
        suite_case = "SU(3) 3D";
        if (order < 3) su3_3d_small(extent, order, lattice[i].period);
    }
    for (i = 0; i < 2; ++i) {
        suite_case = "U(1) 4D";
        u1_4d_small(four[i], 2, periods[i]);
        u1_4d_small_scaling(four[i], 2, 0.15);
        suite_case = "SU(2) 4D";
        su2_4d_small(four[i], 2, periods[i]);
        suite_case = "SU(3) 4D";
        if (i == 0) su3_4d_small(four[i], 2, periods[i]);
    }
}
#endif

/* Classes of large lattices, of small ones with equal and with unequal extents, of doubled axes. */
static void known(void)
{
    static const int period[3][4] = {{0, 0, 0, 0}, {3, 3, 3, 3}, {2, 0, 2, 3}};
    int i;
    for (i = 0; i < 5; ++i) {
        const int *p = period[i < 3 ? i : 0], doubled = i < 3 ? 0 : i - 2;
        suite_case = "U(1) 2D", u1_images(doubled, p, 4);
        suite_case = "SU(2) 2D", su2_images(doubled, p, 3);
        suite_case = "SU(3) 2D", su3_images(doubled, p, 3);
#ifndef LFT_TEST_FEW
        suite_case = "U(1) 3D", u1_3d_images(doubled, p, 3);
        suite_case = "SU(2) 3D", su2_3d_images(doubled, p, 2);
        suite_case = "SU(3) 3D", su3_3d_images(doubled, p, 2);
        suite_case = "U(1) 4D", u1_4d_images(doubled, p, 2);
        suite_case = "SU(2) 4D", su2_4d_images(doubled, p, 2);
        suite_case = "SU(3) 4D", su3_4d_images(doubled, p, 2);
#endif
    }
}

/* log Z of U(1) and SU(2) on a torus of V plaquettes. */
static void exact(void)
{
    static const int four[2] = {4, 4}, three[2] = {3, 3}, two[2] = {2, 2};
    lft_weights      w = u1_small_weights(four, 4, 1, 4096);
    double           sum = 0, of_three = 0, of_two = 0;
    int              n;
    for (n = -20; n <= 20; ++n) sum += pow(bessel(n, 1), 16), of_three += pow(bessel(n, 1), 9);
    check_sigma("U(1) 4^2, beta 1, order 4: log Z, exact", w.logz, log(sum), w.logz_error);
    check_true("    ESS", w.ess > 0.97);
    w = u1_small_weights(four, -4, 1, 4096);
    check_sigma("    cut off: log Z, exact", w.logz, log(sum), w.logz_error);
    check_true("    ESS", w.ess > 0.995);
    w = u1_small_weights(three, -4, 1, 4096);
    check_sigma("U(1) 3^2, beta 1, order 4, cut off: log Z, exact", w.logz, log(of_three), w.logz_error);
    check_true("    ESS", w.ess > 0.995);
    for (n = 1; n < 20; ++n) of_two += pow(2 * bessel(n, 2) / 2, 4);
    w = su2_small_weights(two, -3, 2, 4096);
    check_sigma("SU(2) 2^2, beta 2, order 3, cut off: log Z, exact", w.logz, log(of_two), w.logz_error);
    check_true("    ESS", w.ess > 0.98);
}

int main(void)
{
    suite_case = "U(1) 2D", u1_small_transfer(2), u1_small_flow(2, 4), u1_small_flow(3, 3);
    suite_case = "SU(2) 2D", su2_small_transfer(2), su2_small_flow(2, 3);
    suite_case = "SU(3) 2D", su3_small_transfer(2), su3_small_flow(2, 2);
    known();
    two_dimensions();
    exact();
#ifndef LFT_TEST_FEW
    suite_case = "U(1) 3D", u1_3d_small_transfer(2), u1_3d_small_flow(2, 3);
    suite_case = "SU(2) 3D", su2_3d_small_transfer(2), su2_3d_small_flow(2, 2);
    suite_case = "SU(3) 3D", su3_3d_small_flow(2, 1);
    suite_case = "U(1) 4D", u1_4d_small_flow(2, 2);
    suite_case = "SU(2) 4D", su2_4d_small_flow(2, 2);
    more_dimensions();
#endif
    return test_end();
}
