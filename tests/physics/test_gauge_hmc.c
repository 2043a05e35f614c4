/* test_gauge_hmc.c: gauge theories in two dimensions by HMC against their exact solutions: the charge and the plaquette of
 * U(1), and the area law of Wilson loops of SU(2). */
#include "../test.h"

#define LFT_STATIC
#define LFT_NAME  u1
#define LFT_GROUP LFT_U1
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  su2
#define LFT_GROUP LFT_SU2
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"

static unsigned char memory[64 << 20], scratch_memory[16 << 20];

static lft_arena scratch(void)
{
    return lft_arena_of(scratch_memory, sizeof scratch_memory);
}

/* U(1) on a torus of 8 x 8 plaquettes: Z = sum_n I_n(beta)^64 and its derivative by theta. */
static void charge(double beta, double plaquette, double q2)
{
    static const char *const names[]  = {"plaquette", "action", "wilson_1x1", "q2", "q"};
    const double             expected[] = {plaquette, -beta * plaquette, plaquette, q2, 0};
    lft_arena                arena      = lft_arena_of(memory, sizeof memory);
    u1_hmc_desc              desc;
    u1_theory                theory;
    u1_observables           o;
    u1_hmc                   hmc;
    lft_series               series;
    lft_error                error;
    int                      i, bad = 0;
    memset(&desc, 0, sizeof desc), memset(&o, 0, sizeof o);
    desc.extent[0] = desc.extent[1] = 8;
    desc.chains                     = 64;
    desc.start                      = LFT_START_HOT;
    desc.seed                       = 31;
    bad += u1_wilson_init(&theory, beta, 0, &error) != LFT_OK;
    bad += u1_hmc_init(&hmc, &theory, &desc, &arena, &error) != LFT_OK;
    bad += u1_hmc_thermalise(&hmc, 200) != LFT_OK;
    o.lattice = hmc.x.lattice;
    o.max_R = o.max_T = 1;
    bad += lft_series_init(&series, u1_observables_count(&o), 64, 1500, &arena, &error) != LFT_OK;
    for (i = 0; i < 1500 && !bad; ++i) {
        bad += u1_hmc_next(&hmc) != LFT_OK;
        bad += u1_measure_into(&theory, &o, &hmc.x, &series, scratch(), &error) != LFT_OK;
    }
    printf("---- U(1), 8 x 8, beta = %g: acceptance %.3f\n", beta, (double)hmc.accepted / (64.0 * (double)hmc.trajectories));
    check_true("trajectories and measurements", !bad);
    for (i = 0; i < 5; ++i) {
        const lft_estimate e = u1_observe(&series, &theory, &o, u1_observable_find(&o, names[i]), scratch(), &error);
        check_sigma(names[i], e.value, expected[i], e.error);
        check_true("    reliable", e.reliable);
        if (i < 3) check_below("    relative error", e.error / expected[i], 2e-3);
    }
}

/* SU(2), beta = 1.8: W = u^area but for finite volume, u = I_2 / I_1; the next representation's u_1^256 is nothing. */
static void area_law(void)
{
    static const struct {
        const char *name;
        int         area;
    } loops[] = {{"plaquette", 1}, {"wilson_1x1", 1}, {"wilson_1x2", 2}, {"wilson_1x3", 3}, {"wilson_2x2", 4}, {"wilson_2x3", 6}};
    const double   u     = .3993723801;
    lft_arena      arena = lft_arena_of(memory, sizeof memory);
    su2_hmc_desc   desc;
    su2_theory     theory;
    su2_observables o;
    su2_hmc        hmc;
    lft_series     series;
    lft_error      error;
    int            i, bad = 0;
    memset(&desc, 0, sizeof desc), memset(&o, 0, sizeof o);
    desc.extent[0] = desc.extent[1] = 16;
    desc.chains                     = 32;
    desc.start                      = LFT_START_HOT;
    desc.seed                       = 32;
    bad += su2_wilson_init(&theory, 1.8, 0, &error) != LFT_OK;
    bad += su2_hmc_init(&hmc, &theory, &desc, &arena, &error) != LFT_OK;
    bad += su2_hmc_thermalise(&hmc, 100) != LFT_OK;
    o.lattice = hmc.x.lattice;
    o.max_R = 2, o.max_T = 3;
    bad += lft_series_init(&series, su2_observables_count(&o), 32, 600, &arena, &error) != LFT_OK;
    for (i = 0; i < 600 && !bad; ++i) {
        bad += su2_hmc_next(&hmc) != LFT_OK;
        bad += su2_measure_into(&theory, &o, &hmc.x, &series, scratch(), &error) != LFT_OK;
    }
    printf("---- SU(2), 16 x 16, beta = 1.8: acceptance %.3f\n", (double)hmc.accepted / (32.0 * (double)hmc.trajectories));
    check_true("trajectories and measurements", !bad);
    for (i = 0; i < 6; ++i) {
        const lft_estimate e = su2_observe(&series, &theory, &o, su2_observable_find(&o, loops[i].name), scratch(), &error);
        check_sigma(loops[i].name, e.value, pow(u, loops[i].area), e.error);
        check_true("    reliable", e.reliable);
    }
}

int main(void)
{
    charge(1, .446389965897, 2.6007191107);
    charge(2, .697774658011, 1.2392989107);
    area_law();
    return test_end();
}
