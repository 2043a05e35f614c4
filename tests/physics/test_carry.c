/* test_carry.c: ensembles of two couplings, correlated by the trivializing map from one to the other, against exact differences. */
#define SUITE    "physics/carry_case.h"
#define SUITE_OF (U1_2D | SU2_2D | SU3_2D)
#include "../gauge_instances.h"

/* gain: how much smaller the error is than by reweighting, at least */
static void compare(carried r, double gain)
{
    check_sigma("    log Z, exact difference", r.flow.logz, r.logz, r.flow.logz_error);
    check_sigma("    plaquette, exact difference", r.by_flow.value, r.exact, r.by_flow.error);
    check_sigma("    by reweighting", r.by_none.value, r.exact, r.by_none.error);
    check_below("    error, of that by reweighting", r.by_flow.error / r.by_none.error, 1 / gain);
    check_below("    1 - ESS, of that by reweighting", (1 - r.flow.ess) / (1 - r.none.ess), 1 / (gain * gain));
}

int main(void)
{
    printf("---- U(1)\n");
    u1_composes(1, 1.3, 0.4);
    u1_scales(3, 0.8, 1.3);
    u1_composes(2, 0.6, 0.9);
    u1_composes(3, 0.6, 1.1);
    compare(u1_carry(8, 2, 1, 1.1, 4096), 2);
    compare(u1_carry(8, 3, 1, 0.7, 4096), 3);
    printf("---- SU(2)\n");
    su2_scales(3, 0.8, 1.3);
    su2_composes(2, 1.2, 1.9);
    su2_composes(3, 0.9, 0.3);
    compare(su2_carry(8, 2, 1.8, 2, 4096), 2);
    compare(su2_carry(8, 3, 1.8, 2, 4096), 3);
    compare(su2_carry(8, -3, 2.7, 2.8, 2048), 5);
    printf("---- SU(3)\n");
    su3_scales(3, 0.8, 1.3);
    su3_composes(2, 1.5, 2.5);
    compare(su3_carry(8, 2, 3, 3.5, 1024), 2);
    return test_end();
}
