/* lft_gauge_options.h: the commands and options of the programs for gauge fields. SPDX-License-Identifier: MIT-0 */

static const cli_command cli_command_table[] = {
    {"hmc", CLI_HMC, "", "Hybrid Monte Carlo"},
    {"heatbath", CLI_HEATBATH, "", "heat bath and overrelaxation"},
    {"measure", CLI_MEASURE, "FILE ...", "observables of configurations in files: NERSC, ILDG, openQCD (each one), or npy"},
    {"convert", CLI_CONVERT, "IN OUT", "a configuration as another file: OUT ends with .nersc, .ildg, .lime or .npy"},
    {"selftest", CLI_SELFTEST, "", "check this build against known answers, a few seconds"},
    {"bench", CLI_BENCH, "", "time the parts on this machine, beside its peak"},
    {"check", CLI_CHECK, "FILE", "format, extents, checksum, unitarity and plaquette of a configuration"},
};

#define CLI_HOPPING (CLI_HMC | CLI_HEATBATH)
#define CLI_LOOKING (CLI_HOPPING | CLI_MEASURE)

static const cli_option cli_option_table[] = {
    {"extent", "LxL", NULL, "sites along each axis, time first; files: needed where they do not say it",
     CLI_LOOKING | CLI_CONVERT | CLI_CHECK | CLI_BENCH},
    {"beta", "X", NULL, "S = -beta/N sum over plaquettes of Re tr P; U(1): cos of their angles", CLI_LOOKING},
    {"c1", "X", "0", "of the 1x2 rectangles, 1 - 8 c1 of the plaquettes: -1/12 Symanzik, -0.331 Iwasaki", CLI_HMC | CLI_MEASURE},
    {"n", "N", "100000", "configurations in all", CLI_HOPPING},
    {"out", "FILE", NULL, "x.nersc or x.ildg: one file each, x-000000.nersc, ...; x.npy: all of them", CLI_HOPPING},
    {"seed", "N", "1", "of all random numbers", CLI_HOPPING},
    {"chains", "N", "n / 1000 within 16 to 64", "independent chains; measure: of the files, number i is chain i mod N (1)",
     CLI_LOOKING | CLI_BENCH},
    {"therm", "N", "200", "steps of every chain before the first measurement", CLI_HOPPING},
    {"every", "N", "1", "steps of every chain from one configuration to the next", CLI_HOPPING},
    {"checkpoint", "FILE", NULL, "write a checkpoint here now and then, and when interrupted", CLI_HOPPING},
    {"checkpoint-every", "X", "60", "seconds between checkpoints", CLI_HOPPING},
    {"resume", "FILE", NULL, "go on from a checkpoint, bit for bit: the same command again, with this", CLI_HOPPING},
    {"from", "FILE", NULL, "start every chain from this configuration", CLI_HOPPING},
    {"start", "WORD", "cold", "cold, hot", CLI_HOPPING},
    {"overrelax", "N", "2", "sweeps of overrelaxation after each of the heat bath, 0: none", CLI_HEATBATH},
    {"length", "X", "1", "of a trajectory", CLI_HMC},
    {"jitter", "X", "0.2", "of the length, 0: none", CLI_HMC},
    {"md-steps", "N", "chosen while thermalising", "integration steps of a trajectory", CLI_HMC},
    {"integrator", "WORD", "omelyan", "omelyan, leapfrog, fourth (order)", CLI_HMC},
    {"acceptance", "X", "0.8", "that the choice of md-steps aims at", CLI_HMC},
    {"wilson", "RxT", "none", "Wilson loops up to this size", CLI_LOOKING},
    {"flow-time", "X", "0", "of the Wilson flow, at which energy and (in 4 dimensions) charge are measured", CLI_LOOKING},
    {"flow-step", "X", "0.05", "of its integration", CLI_LOOKING},
    {"rows", "N", "3", "NERSC, SU(3): 2 or 3 rows of each matrix", CLI_CONVERT},
    {"real", "WORD", "f64", "f32 or f64; convert: of the numbers in the file", CLI_LOOKING | CLI_CONVERT | CLI_BENCH},
    {"threads", "N", "all cores, with OpenMP", "threads; results do not depend on them", CLI_HOPPING},
    {"json", NULL, NULL, "one JSON object as the last line of stdout, errors too", CLI_ALL},
    {"quiet", NULL, NULL, "no progress on stderr", CLI_ALL},
    {"help", NULL, NULL, "this", CLI_ALL},
};
