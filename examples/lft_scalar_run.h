/* lft_scalar_run.h: which function a command of the programs for scalar fields is. SPDX-License-Identifier: MIT-0 */

#define CLI_EXPECTED " expected train, sample, curve, hmc, measure, info, export, selftest, bench or demo"

static void run(cli *c, const cli_command *command)
{
    int wide;
    switch (command->bit) {
    case CLI_TRAIN:
        wide = train_is_wide(c);
        if (!c->error.code) (void)(wide ? f64_train_command(c) : f32_train_command(c));
        break;
    case CLI_SAMPLE:
        wide = is_wide(c, 0);
        if (!c->error.code) (void)(wide ? f64_sample_command(c) : f32_sample_command(c));
        break;
    case CLI_CURVE:
        wide = is_wide(c, 0);
        if (!c->error.code) (void)(wide ? f64_curve_command(c) : f32_curve_command(c));
        break;
    case CLI_HMC:
        wide = is_wide(c, 1);
        if (!c->error.code) (void)(wide ? f64_hmc_command(c) : f32_hmc_command(c));
        break;
    case CLI_MEASURE:
        wide = is_wide(c, 1);
        if (!c->error.code) (void)(wide ? f64_measure_command(c) : f32_measure_command(c));
        break;
    case CLI_BENCH:
        wide = is_wide(c, 0);
        if (!c->error.code) (void)(wide ? f64_bench_command(c) : f32_bench_command(c));
        break;
    case CLI_INFO: (void)info_command(c); break;
    case CLI_EXPORT: (void)export_command(c); break;
    case CLI_SELFTEST: selftest_both(c); break;
    default: (void)demo_command(c);
    }
}

/* What a command adds to its JSON. */
static void run_json(const cli *c, const cli_command *command)
{
    if (command && command->bit == CLI_DEMO && !c->error.code) demo_json();
}
