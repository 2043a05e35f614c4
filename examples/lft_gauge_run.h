/* lft_gauge_run.h: which function a command of the programs for gauge fields is. SPDX-License-Identifier: MIT-0 */

#define CLI_EXPECTED " expected train, sample, hmc, heatbath, correlate, measure, info, export, convert, check, selftest or bench"

static void run(cli *c, const cli_command *command)
{
    int wide = 1;
    if (command->bit == CLI_TRAIN) wide = train_is_wide(c);
    else if (command->bit & (CLI_LOOKING | CLI_CORRELATE | CLI_BENCH)) wide = is_wide(c, command->bit != CLI_SAMPLE);
    if (c->error.code) return;
    switch (command->bit) {
    case CLI_TRAIN: (void)(wide ? f64_train_command(c) : f32_train_command(c)); break;
    case CLI_SAMPLE: (void)(wide ? f64_sample_command(c) : f32_sample_command(c)); break;
    case CLI_INFO: (void)info_command(c); break;
    case CLI_EXPORT: (void)export_command(c); break;
    case CLI_HMC: (void)(wide ? f64_hmc_command(c) : f32_hmc_command(c)); break;
    case CLI_HEATBATH: (void)(wide ? f64_heatbath_command(c) : f32_heatbath_command(c)); break;
    case CLI_CORRELATE: (void)(wide ? f64_correlate_command(c) : f32_correlate_command(c)); break;
    case CLI_MEASURE: (void)(wide ? f64_measure_command(c) : f32_measure_command(c)); break;
    case CLI_BENCH: (void)(wide ? f64_bench_command(c) : f32_bench_command(c)); break;
    case CLI_SELFTEST: selftest_both(c); break;
    case CLI_CONVERT: (void)convert_command(c); break;
    default: (void)check_command(c);
    }
}

static void json_more(const cli_result *r)
{
    const int checksum = files_checksum();
    if (r->ess_reweighted > 0) json_observables("reweighted", r->reweighted, r->observables);
    if (!cli_file_name) return;
    json_key("file_format"), json_text(lft_gauge_format_str(cli_file.format));
    json_key("dtype"), json_text(lft_dtype_str(cli_file.dtype));
    json_key("rows"), printf("%d", cli_file.rows);
    json_key("checksum_ok"), printf("%s", checksum < 0 ? "null" : checksum ? "true" : "false");
    json_key("unitarity"), json_number(cli_file.unitarity);
    json_key("plaquette"), json_number(cli_file_plaquette);
    json_key("plaquette_stated"), json_number(cli_file.stated.has_plaquette ? cli_file.stated.plaquette : CLI_NAN);
    json_key("link_trace"), json_number(cli_file.found.link_trace);
    json_key("link_trace_stated"), json_number(cli_file.stated.has_link_trace ? cli_file.stated.link_trace : CLI_NAN);
}

static void run_json(const cli *c, const cli_command *command)
{
    (void)c, (void)command;
}
