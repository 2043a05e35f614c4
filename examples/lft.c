/* lft.c: lftflow on the command line: train a flow, sample it exactly, compare with HMC. SPDX-License-Identifier: MIT-0
 * cc -O3 -march=native -ffp-contract=fast -fopenmp -DLFT_CLI_DIM=2 examples/lft.c -o build/lft-phi4-2d -lm
 * (LFT_CLI_DIM: 1 to 4; -fopenmp may be left out). The program holds an f32 and an f64 instance; commands are a template,
 * lft_commands.h, that is included once for each. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#ifndef LFT_CLI_DIM
#define LFT_CLI_DIM 2
#endif
#ifndef LFT_CLI_GROUP
#define LFT_CLI_GROUP LFT_SCALAR
#endif
#define LFT_STATIC
#define LFT_STDIO
#define LFT_NAME  f64
#define LFT_GROUP LFT_CLI_GROUP
#define LFT_DIM   LFT_CLI_DIM
#define LFT_REAL  LFT_F64
#include "../lftflow.h"
#define LFT_NAME  f32
#define LFT_GROUP LFT_CLI_GROUP
#define LFT_DIM   LFT_CLI_DIM
#define LFT_REAL  LFT_F32
#include "../lftflow.h"

/* What follows runs seldom, the kernels are above. gcc 12 -O3: 384 kB of code instead of 452. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("Os")
#endif
#if LFT_CLI_GROUP == LFT_SCALAR
#define CLI_SCALAR
#define CLI_THEORY      "phi4"
#define CLI_THEORY_TEXT "phi^4 theory"
#define CLI_SHAPE_TEXT  "shape (n, extents)"
#elif LFT_CLI_GROUP == LFT_U1
#define CLI_THEORY      "u1"
#define CLI_THEORY_TEXT "U(1) gauge theory"
#elif LFT_CLI_GROUP == LFT_SU2
#define CLI_THEORY      "su2"
#define CLI_THEORY_TEXT "SU(2) gauge theory"
#else
#define CLI_THEORY      "su3"
#define CLI_THEORY_TEXT "SU(3) gauge theory"
#endif
#ifndef CLI_SCALAR
#define CLI_SHAPE_TEXT "one file each, or npy of shape (n, extents, directions, numbers)"
#endif
#include "lft_cli.h"
#include "lft_options.h"
#include "lft_report.h"
#include "lft_checkpoint.h"
#include "lft_flow_report.h"
#ifdef CLI_SCALAR
#include "lft_flow_options.h"
#include "lft_scalar_report.h"
#else
#include "lft_gauge_format.h"
#include "lft_gauge_flow_options.h"
#endif

#define CLI f64
#define CLI_WIDE
#include "lft_commands.h"
#define CLI f32
#include "lft_commands.h"

/* f32 unless the command or the user says otherwise. */
static int is_wide(cli *c, int otherwise)
{
    static const char *const words[] = {"f32", "f64", NULL};
    return cli_word(c, "real", words, otherwise ? 2 : 1) == 2;
}

static void selftest_both(cli *c)
{
    if (!c->json) printf("double precision\n");
    (void)f64_selftest_command(c);
    if (!c->json) printf("single precision\n");
    (void)f32_selftest_command(c);
    selftest_end(c);
}

#include "lft_info.h"
#include "lft_export.h"
#ifdef CLI_SCALAR
#include "lft_demo.h"
#include "lft_scalar_run.h"
#else
#include "lft_gauge_files.h"
#include "lft_gauge_run.h"
#endif

/* The first words: which command, or help. */
static const cli_command *choose(cli *c, int argc, char **argv)
{
    const cli_command *command;
    char               nearest[80];
    if (argc < 2) {
        cli_help(c);
        (void)cli_fail(c, LFT_ERR_ARG, "expected a command, got none");
        return NULL;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        command = argc > 2 ? cli_command_of(argv[2]) : NULL;
        if (command) cli_help_command(c, command);
        else cli_help(c);
        return NULL;
    }
    command = cli_command_of(argv[1]);
    if (command) {
        c->command = command->name;
        return command;
    }
    cli_nearest(nearest, sizeof nearest, argv[1], strlen(argv[1]), 0);
    (void)cli_fail(c, LFT_ERR_ARG, "unknown command '%.40s';%s%s", argv[1], nearest,
                   nearest[0] ? "" : CLI_EXPECTED);
    return NULL;
}

static int finish(cli *c, const cli_command *command)
{
    int status = c->error.code == LFT_OK ? 0 : c->error.code == LFT_ERR_ARG ? 1 : 2;
    cli_progress_end(c);
    if (c->error.code) {
        fprintf(stderr, "%s%s%s: error: %s\n", c->program, c->command ? " " : "", c->command ? c->command : "", c->error.text);
    }
    if (cli_signal && (!c->error.code || c->error.code == LFT_STOPPED)) status = 128 + (int)cli_signal;
    if (c->json && (command || c->error.code)) {
        json_result(c, command ? command->bit : 0);
        run_json(c, command);
        json_end();
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && !status) {
        fprintf(stderr, "%s: error: stdout: %s\n", c->program, strerror(errno));
        status = 2;
    }
    return status;
}

int main(int argc, char **argv)
{
    static cli         c;
    static cli_result  result;
    const cli_command *command;
    int                i, status;
    c.program = strrchr(argv[0] ? argv[0] : "lft", '/');
    c.program = c.program ? c.program + 1 : argv[0];
    c.begin = c.shown = cli_seconds();
    c.result  = &result;
    cli_result_clear(&result);
    for (i = 1; i < argc; ++i) c.json |= !strcmp(argv[i], "--json"); /* errors on the way to it are JSON as well */
    command = choose(&c, argc, argv);
    if (command && !cli_parse(&c, command, argc, argv)) {
        if (cli_given(&c, "help")) {
            cli_help_command(&c, command);
            return 0;
        }
        c.quiet = cli_given(&c, "quiet");
        cli_catch_signals();
        run(&c, command);
        result.seconds = cli_seconds() - c.begin;
    }
    status = finish(&c, command);
    cli_release(&c);
    return status;
}
