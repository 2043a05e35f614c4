/* lft_options.h: commands and options: parsing, values, help. Their tables stand in lft_scalar_options.h or
 * lft_gauge_options.h.
 * SPDX-License-Identifier: MIT-0 */

enum {
    CLI_TRAIN    = 1,
    CLI_SAMPLE   = 2,
    CLI_HMC      = 4,
    CLI_MEASURE  = 8,
    CLI_INFO     = 16,
    CLI_SELFTEST = 32,
    CLI_BENCH    = 64,
    CLI_DEMO     = 128,
    CLI_CORRELATE = 4096,
    CLI_CURVE    = 8192,
    CLI_EXPORT   = 16384,
    CLI_HEATBATH = 1 << 15,
    CLI_CONVERT  = 1 << 16,
    CLI_CHECK    = 1 << 17,
    CLI_ALL      = 255 | CLI_CURVE | CLI_EXPORT | CLI_HEATBATH | CLI_CONVERT | CLI_CHECK | CLI_CORRELATE,
    CLI_RESUME   = 256, /* may stand beside --resume */
    CLI_SHAPE      = 512,  /* part of a model: not beside --init */
    CLI_CONTINUOUS = 1024, /* only with flows that integrate: not with --flow coupling */
    CLI_COUPLING   = 2048, /* only with --flow coupling */
    CLI_SCALES     = 1 << 18, /* only with --flow multiscale */
    CLI_CHAINS   = CLI_SAMPLE | CLI_HMC | CLI_HEATBATH,
    CLI_FLOW     = CLI_TRAIN | CLI_INFO | CLI_BENCH, /* those that build a flow */
    CLI_MODEL    = CLI_FLOW | CLI_SHAPE,
    CLI_ODE      = CLI_MODEL | CLI_CONTINUOUS,
    CLI_AFFINE   = CLI_MODEL | CLI_COUPLING
};

typedef struct cli_command {
    const char *name;
    int         bit;
    const char *arguments, *what;
} cli_command;

/* A flag has no `argument`. `otherwise` is the default in words; NULL: it must be given, or there is nothing to say. */
typedef struct cli_option {
    const char *key, *argument, *otherwise, *what;
    int         commands;
} cli_option;

#ifdef CLI_SCALAR
#include "lft_scalar_options.h"
#else
#include "lft_gauge_options.h"
#endif

#define CLI_COMMANDS ((int)(sizeof cli_command_table / sizeof *cli_command_table))
#define CLI_OPTIONS ((int)(sizeof cli_option_table / sizeof *cli_option_table))

static int cli_option_of(const char *key, size_t length)
{
    int i;
    for (i = 0; i < CLI_OPTIONS; ++i) {
        if (strlen(cli_option_table[i].key) == length && !strncmp(cli_option_table[i].key, key, length)) return i;
    }
    return -1;
}

static const char *cli_text(const cli *c, const char *key)
{
    int i = cli_option_of(key, strlen(key));
    return i < 0 ? NULL : c->value[i];
}

static const cli_command *cli_command_of(const char *name)
{
    int i;
    for (i = 0; i < CLI_COMMANDS; ++i) {
        if (!strcmp(cli_command_table[i].name, name)) return cli_command_table + i;
    }
    return NULL;
}

/* ---- did you mean ---- */

/* Insertions, deletions and replacements that lead from a to b (of at most 31 characters). */
static int cli_distance(const char *a, size_t na, const char *b)
{
    int    row[32], nb = (int)strlen(b), j;
    size_t i;
    if (nb > 31) return 100;
    for (j = 0; j <= nb; ++j) row[j] = j;
    for (i = 0; i < na; ++i) {
        int before = row[0];
        row[0]     = (int)i + 1;
        for (j = 1; j <= nb; ++j) {
            int best = before + (a[i] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            before = row[j];
            row[j] = best;
        }
    }
    return row[nb];
}

/* Appends the nearest of the names: those that begin alike, or differ in few letters. */
static void cli_nearest(char *text, size_t size, const char *word, size_t length, int commands)
{
    const int n     = commands ? CLI_OPTIONS : CLI_COMMANDS;
    int       found = 0, most = length < 4 ? 1 : 2, i;
    text[0]         = 0;
    for (i = 0; i < n && found < 4; ++i) {
        const char *name = commands ? cli_option_table[i].key : cli_command_table[i].name;
        size_t      used = strlen(text);
        if (commands && !(cli_option_table[i].commands & commands)) continue;
        if (cli_distance(word, length, name) > most && !(length > 1 && !strncmp(name, word, length))) continue;
        (void)snprintf(text + used, size - used, "%s%s%s", found++ ? ", " : " did you mean ", commands ? "--" : "", name);
    }
    if (found) (void)strncat(text, "?", size - strlen(text) - 1);
}

/* ---- parsing ---- */

static lft_status cli_parse_option(cli *c, const cli_command *command, int argc, char **argv, int *i)
{
    const char *word = argv[*i] + 2, *equals = strchr(word, '=');
    size_t      length = equals ? (size_t)(equals - word) : strlen(word);
    int         o      = cli_option_of(word, length);
    char        nearest[80];
    if (o < 0 || !(cli_option_table[o].commands & command->bit)) {
        cli_nearest(nearest, sizeof nearest, word, length, command->bit);
        return cli_fail(c, LFT_ERR_ARG, "unknown option --%.*s;%s%s", length > 40 ? 40 : (int)length,
                        word, nearest, nearest[0] ? "" : " see --help for the legal ones");
    }
    if (!cli_option_table[o].argument) {
        if (equals) return cli_fail(c, LFT_ERR_ARG, "--%s: expected no value, got '%.40s'", cli_option_table[o].key, equals + 1);
        c->value[o] = "1";
        return LFT_OK;
    }
    if (equals) c->value[o] = equals + 1;
    else if (*i + 1 < argc && strncmp(argv[*i + 1], "--", 2)) c->value[o] = argv[++*i];
    else {
        return cli_fail(c, LFT_ERR_ARG, "--%s: expected a value, got %.40s", cli_option_table[o].key,
                        *i + 1 < argc ? argv[*i + 1] : "the end of the line");
    }
    return LFT_OK;
}

/* "FILE": one, "IN OUT": two, "FILE ...": as many as there are. */
static int cli_most_arguments(const cli_command *command)
{
    const char *at = command->arguments;
    int         n  = at[0] != 0;
    if (strstr(at, "...")) return 1 << 30;
    for (; *at; ++at) n += *at == ' ';
    return n;
}

static lft_status cli_parse(cli *c, const cli_command *command, int argc, char **argv)
{
    int i;
    c->positional = argv + 2; /* they are moved to the front */
    for (i = 2; i < argc; ++i) {
        if (!strcmp(argv[i], "-h")) c->value[cli_option_of("help", 4)] = "1";
        else if (!strncmp(argv[i], "--", 2) && argv[i][2]) {
            if (cli_parse_option(c, command, argc, argv, &i)) return c->error.code;
        } else if (c->positionals < cli_most_arguments(command)) c->positional[c->positionals++] = argv[i];
        else return cli_fail(c, LFT_ERR_ARG, "expected options --key value, got '%.60s'", argv[i]);
    }
    return LFT_OK;
}

/* ---- values ---- */

/* Argument i that is no option; NULL: there are not as many. */
static const char *cli_argument(const cli *c, int i)
{
    return i < c->positionals ? c->positional[i] : NULL;
}

static int cli_given(const cli *c, const char *key)
{
    return cli_text(c, key) != NULL;
}

static const char *cli_required(cli *c, const char *key)
{
    const char *text = cli_text(c, key);
    if (!text) (void)cli_fail(c, LFT_ERR_ARG, "expected --%s, got none", key);
    return text;
}

/* Any number; the library says what it thinks of NaN and infinity. */
static double cli_real(cli *c, const char *key, double otherwise)
{
    const char *text = cli_text(c, key);
    char       *end;
    double      v;
    if (!text) return otherwise;
    v = strtod(text, &end);
    if (end == text || *end) (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected a number, got '%.40s'", key, text);
    return v;
}

static double cli_positive(cli *c, const char *key, double otherwise)
{
    double v = cli_real(c, key, otherwise);
    if (cli_given(c, key) && !(v > 0 && v < 1e300)) {
        (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected a number > 0, got '%.40s'", key, cli_text(c, key));
    }
    return v;
}

/* An integer; 1e5 is one. */
static uint64_t cli_count(cli *c, const char *key, uint64_t otherwise, uint64_t least, uint64_t most)
{
    const char *text = cli_text(c, key);
    char       *end;
    uint64_t    v;
    double      real;
    if (!text) return otherwise;
    errno = 0;
    v     = strtoull(text, &end, 10);
    real  = strtod(text, NULL);
    if (*end && real >= 0 && real <= 9007199254740992.0 && (double)(uint64_t)real == real) {
        v = (uint64_t)real;
        (void)strtod(text, &end);
    }
    if (end == text || *end || errno || text[strspn(text, " ")] == '-' || v < least || v > most) {
        (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected an integer from %llu to %llu, got '%.40s'", key,
                       (unsigned long long)least, (unsigned long long)most, text);
        return otherwise;
    }
    return v;
}

/* For the descs of the library, where 0 is the default and -1 is none. */
static int cli_none(cli *c, const char *key, uint64_t most)
{
    const int v = (int)cli_count(c, key, 0, 0, most);
    return v ? v : cli_given(c, key) ? -1 : 0;
}

/* The place of the word in a list that ends with NULL, from 1; `otherwise` if it is not given. */
static int cli_word(cli *c, const char *key, const char *const *words, int otherwise)
{
    const char *text = cli_text(c, key);
    char        list[80] = "";
    int         i;
    if (!text) return otherwise;
    for (i = 0; words[i]; ++i) {
        size_t used = strlen(list);
        if (!strcmp(words[i], text)) return i + 1;
        (void)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", words[i]);
    }
    (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected %s, got '%.40s'", key, list, text);
    return otherwise;
}

/* Options that belong to another word of --key, which is `is` and not `other`, would have no effect. */
static lft_status cli_other_options(cli *c, int bit, const char *key, const char *other, const char *is)
{
    int i;
    for (i = 0; i < CLI_OPTIONS; ++i) {
        if (!c->value[i] || !(cli_option_table[i].commands & bit)) continue;
        return cli_fail(c, LFT_ERR_ARG, "--%s is an option of --%s %s: expected --%s %s without it", cli_option_table[i].key, key,
                        other, key, is);
    }
    return c->error.code;
}

/* Those of a kind are part of what `beside` brings. */
static lft_status cli_no_options(cli *c, int bit, const char *of, const char *beside)
{
    int i;
    for (i = 0; i < CLI_OPTIONS; ++i) {
        if (!c->value[i] || !(cli_option_table[i].commands & bit)) continue;
        return cli_fail(c, LFT_ERR_ARG, "--%s is part of the %s: expected %s without it", cli_option_table[i].key, of, beside);
    }
    return c->error.code;
}

/* 6x6 or, on a line, 6. Values below 1 are left to the library to refuse. */
static void cli_extent(cli *c, const char *key, const char *text, int *extent)
{
    int  n = 0;
    long v;
    if (!text) return;
    for (;; ++text) {
        char *end;
        errno = 0;
        v     = strtol(text, &end, 10);
        if (end == text || errno || v > 1 << 24 || v < -(1 << 24) || (*end && *end != 'x')) {
            (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected integers with an x in between, got '%.40s'", key, text);
            return;
        }
        if (n < LFT_CLI_DIM) extent[n] = (int)v;
        n += 1;
        text = end;
        if (!*text) break;
    }
    if (n != LFT_CLI_DIM) {
        (void)cli_fail(c, LFT_ERR_ARG, "--%s: expected %d numbers (this program is for %d dimensions), got %d", key, LFT_CLI_DIM,
                       LFT_CLI_DIM, n);
    }
}

/* ---- help ---- */

static void cli_help_command(const cli *c, const cli_command *command)
{
    int i;
    printf("usage: %s %s %s[--key value ...]\n%s\n\n", c->program, command->name, command->arguments, command->what);
    for (i = 0; i < CLI_OPTIONS; ++i) {
        const cli_option *o = cli_option_table + i;
        char              left[40];
        if (!(o->commands & command->bit)) continue;
        (void)snprintf(left, sizeof left, "--%s %s", o->key, o->argument ? o->argument : "");
        printf("  %-24s %s%s", left, o->commands & CLI_CONTINUOUS ? "continuous: " : o->commands & CLI_COUPLING ? "coupling: " :
               o->commands & CLI_SCALES ? "multiscale: " : "",
               o->what);
        if (o->otherwise) printf(" [%s]", o->otherwise);
        printf("\n");
    }
    if (command->bit == CLI_TRAIN) {
        printf("\nCtrl-C or SIGTERM leaves a checkpoint in --out, which is a model too, and exits with 130 or 143;\n"
               "--resume goes on from there. With --steps the model file is the same, byte for byte, on every run and\n"
               "for any number of threads; no time is stored in it.\n");
    }
    if (command->bit & CLI_CHAINS) {
        printf("\nRow i of the npy file belongs to chain i mod chains: measure it with the same --chains.\n");
    }
    if (command->bit == CLI_SAMPLE) {
        printf("\nCtrl-C or SIGTERM ends with the numbers of the configurations so far, exit status 130 or 143; of an npy\n"
               "file nothing is left.\n");
    }
    if (command->bit & (CLI_HMC | CLI_HEATBATH)) {
        printf("\nWith --checkpoint, Ctrl-C or SIGTERM leaves one and exits with 130 or 143; the same command with --resume FILE\n"
               "then ends with the configurations and numbers of an uninterrupted run, bit for bit. --n may grow meanwhile.\n"
               "Until all of its configurations are there, an npy file is called x.npy.part.\n");
    }
}

static void cli_help(const cli *c)
{
    int i;
    printf("usage: %s COMMAND [--key value ...]\n%s in %d dimension%s, lftflow %s\n\n", c->program, CLI_THEORY_TEXT, LFT_CLI_DIM,
           LFT_CLI_DIM == 1 ? "" : "s", LFT_VERSION);
    for (i = 0; i < CLI_COMMANDS; ++i) printf("  %-10s %s\n", cli_command_table[i].name, cli_command_table[i].what);
    printf("\n%s COMMAND --help lists the options. Exit status: 0, 1 for a bad command line, 2 for other errors,\n"
           "130 or 143 when stopped by Ctrl-C or SIGTERM.\n", c->program);
}

/* ---- what several commands read the same way ---- */

static lft_pool cli_pool(cli *c)
{
    int threads = 1;
#ifdef _OPENMP
    threads = omp_get_max_threads();
#endif
    threads = (int)cli_count(c, "threads", (uint64_t)threads, 1, 1024);
#ifdef _OPENMP
    (void)cli_note;
#else
    if (threads > 1) cli_note(c, "this program was built without OpenMP (-fopenmp): one thread");
    threads = 1;
#endif
    return lft_pool_openmp(threads);
}

/* Chains that advance together. Few for few configurations: each replica costs a part of the error. */
static int cli_chains(cli *c, uint64_t n)
{
    int chains = 64;
    while (chains > 16 && (uint64_t)chains * 1000 > n) chains /= 2;
    if ((uint64_t)chains > n) chains = (int)n;
    return (int)cli_count(c, "chains", (uint64_t)chains, 1, n < 100000 ? n : 100000);
}

#ifdef CLI_SCALAR
/* The lattice that demo and bench take if nothing else is said, and its couplings. */
static const char *demo_extent(void)
{
    static const char *const text[] = {"16", "6x6", "4x4x4", "3x3x3x3"};
    return text[LFT_CLI_DIM - 1];
}

static void demo_theory(cli *c)
{
    if (!cli_given(c, "extent")) c->value[cli_option_of("extent", 6)] = demo_extent();
    if (!cli_given(c, "m2")) c->value[cli_option_of("m2", 2)] = LFT_CLI_DIM == 2 ? "-4" : LFT_CLI_DIM == 1 ? "-2" : "1";
    if (!cli_given(c, "lambda")) c->value[cli_option_of("lambda", 6)] = LFT_CLI_DIM == 2 ? "6.975" : "4";
}
#endif
