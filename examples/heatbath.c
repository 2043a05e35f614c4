/* heatbath.c: SU(2) gauge theory on 6^4 by heat bath and overrelaxation, its observables, and one configuration as a NERSC file.
 * SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -I. examples/heatbath.c -o build/examples/heatbath -lm */
#include <stdio.h>
#include <stdlib.h>

#define LFT_IMPLEMENTATION
#define LFT_STDIO
#define LFT_NAME  su2
#define LFT_GROUP LFT_SU2
#define LFT_DIM   4
#define LFT_UPTO  LFT_SAMPLE
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

static void check(lft_status status, const lft_error *e)
{
    if (!status) return;
    fprintf(stderr, "%s: %s\n", lft_status_str(status), e->text);
    exit(1);
}

int main(void)
{
    enum { CHAINS = 16, UPDATES = 200 };
    static LFT_ARENA(memory, 32 << 20);
    lft_arena         arena = lft_arena_of(memory, sizeof memory);
    lft_error         error = {LFT_OK, ""};
    su2_heatbath_desc desc  = {.extent = {6, 6, 6, 6}, .chains = CHAINS, .seed = 1};
    su2_observables   watch = {.max_R = 2, .max_T = 2};
    lft_gauge_file    file  = {.format = LFT_NERSC};
    su2_theory        theory;
    su2_heatbath      bath;
    lft_series        series;
    FILE             *to;
    int               i;

    check(su2_wilson_init(&theory, 1.8, 0, &error), &error);
    check(su2_heatbath_init(&bath, &theory, &desc, &arena, &error), &error);
    check(su2_heatbath_thermalise(&bath, 50), &bath.error);
    watch.lattice = bath.x.lattice;
    check(lft_series_init(&series, su2_observables_count(&watch), CHAINS, UPDATES, &arena, &error), &error);
    for (i = 0; i < UPDATES; ++i) {
        check(su2_heatbath_next(&bath), &bath.error);
        check(su2_measure_into(&theory, &watch, &bath.x, &series, arena, &error), &error);
    }
    printf("SU(2), 6x6x6x6, beta = 1.8: %d updates of %d chains\n", UPDATES, CHAINS);
    for (i = 0; i < su2_observables_count(&watch); ++i) {
        char         text[LFT_OBSERVABLE_TEXT];
        lft_estimate e = su2_observe(&series, &theory, &watch, i, arena, &error);
        printf("%-16s %10.6f +- %.6f   tau_int %.2f%s\n", su2_observable_name(&watch, i, text), e.value, e.error, e.tau_int,
               e.reliable ? "" : "   unreliable");
    }
    to = tmpfile(); /* or a file of yours */
    if (!to) return 1;
    check(su2_configuration_write(&bath.x, 0, lft_file_writer(to), &file, &error), &error);
    printf("chain 0 as %s: %ld bytes\n", lft_gauge_format_str(file.format), ftell(to));
    return fclose(to) != 0;
}
