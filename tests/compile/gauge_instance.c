/* gauge_instance.c: an instance of a gauge group and its implementation in one file: HMC, heat bath, observables, files. Tests
 * change it by CASE_*. It prints nothing and calls no library, so that it also runs where there is none. */
#ifndef CASE_GROUP
#define CASE_GROUP LFT_SU3
#endif
#ifndef CASE_DIM
#define CASE_DIM 4
#endif
#ifndef CASE_REAL
#define CASE_REAL LFT_F32
#endif
#define LFT_IMPLEMENTATION
#define LFT_NAME  gauge
#define LFT_GROUP CASE_GROUP
#define LFT_DIM   CASE_DIM
#define LFT_REAL  CASE_REAL
#ifdef CASE_LANES
#define LFT_LANES CASE_LANES
#endif
#include "lftflow.h"

static LFT_ARENA(memory, 16 << 20);
static unsigned char file_memory[1 << 16];

static int samplers(lft_arena *arena, const gauge_theory *theory, gauge_hmc *hmc, lft_error *error)
{
    static gauge_hmc_desc      desc;
    static gauge_heatbath_desc bath_desc;
    gauge_heatbath             bath;
    int                        mu;
    for (mu = 0; mu < CASE_DIM; ++mu) desc.extent[mu] = bath_desc.extent[mu] = 2;
    desc.chains = bath_desc.chains = 3;
    if (gauge_hmc_init(hmc, theory, &desc, arena, error) || gauge_hmc_next(hmc)) return 1;
    if (gauge_heatbath_init(&bath, theory, &bath_desc, arena, error) || gauge_heatbath_next(&bath)) return 2;
    return 0;
}

static int files(lft_arena *arena, gauge_hmc *hmc, lft_error *error)
{
    static gauge_observables o;
    static lft_gauge_file    file;
    static double            rows[3 * 20];
    lft_memory               to, from;
    o.lattice = hmc->x.lattice;
    if (gauge_observables_count(&o) > 20 || gauge_measure(hmc->theory, &o, &hmc->x, rows, *arena, error)) return 4;
    file.format = LFT_NERSC;
    if (gauge_configuration_write(&hmc->x, 1, lft_memory_writer(&to, file_memory, sizeof file_memory), &file, error)) return 5;
    if (lft_gauge_read_header(lft_memory_reader(&from, file_memory, to.at), NULL, &file, error)) return 6;
    return gauge_configuration_read(&hmc->x, 2, &file, error) ? 7 : 0;
}

int main(void)
{
    static lft_error error;
    gauge_theory     theory;
    gauge_hmc        hmc;
    lft_arena        arena = lft_arena_of(memory, sizeof memory);
    int              status;
    if (gauge_wilson_init(&theory, 1.5, 0, &error)) return 8;
    status = samplers(&arena, &theory, &hmc, &error);
    return status ? status : files(&arena, &hmc, &error);
}
