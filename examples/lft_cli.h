/* lft_cli.h: what every command of the program stands on: errors, memory, time, signals, progress, files.
 * SPDX-License-Identifier: MIT-0 */

#define CLI_NAN      ((double)NAN)
#define CLI_INFINITY ((double)INFINITY)
#define CLI_LAYERS   400  /* the most layers of a flow */
#define CLI_JACOBIAN 3000 /* rows, beyond which that of epsilon takes minutes */
#define CLI_FINER    64   /* samples of twice the integration steps in its place */

/* ---- errors: the first one counts ---- */

typedef struct cli_result cli_result;

typedef struct cli {
    const char *program, *command;
    const char *value[80];      /* of the options, in the order of their table; NULL: not given */
    char      **positional;     /* arguments that are no options */
    int         positionals;
    int         json, quiet;
    lft_error   error;
    void       *block[64]; /* of malloc, released when the command ends */
    int         blocks;
    size_t      bytes;
    double      begin; /* of the command */
    int         live;  /* a progress line stands in the terminal */
    double      shown; /* when progress was shown last */
    uint64_t    next;  /* without a terminal: when to show it again */
    cli_result *result;
} cli;

static lft_status cli_fail(cli *c, lft_status code, const char *format, ...)
{
    va_list list;
    if (c->error.code) return c->error.code;
    c->error.code = code;
    va_start(list, format);
    (void)vsnprintf(c->error.text, sizeof c->error.text, format, list);
    va_end(list);
    return code;
}

/* Keeps the library's text. */
static lft_status cli_check(cli *c, lft_status status, const lft_error *e)
{
    if (status && !c->error.code) {
        if (e != &c->error) c->error = *e;
        c->error.code = status;
        if (!c->error.text[0]) (void)snprintf(c->error.text, sizeof c->error.text, "%s", lft_status_str(status));
    }
    return status;
}

/* ---- memory: blocks of the size that a byte query gave ---- */

static void *cli_alloc(cli *c, size_t bytes)
{
    void *p = NULL;
    if (c->error.code) return NULL;
    if (c->blocks < (int)(sizeof c->block / sizeof *c->block)) p = malloc(bytes ? bytes : 1);
    if (!p) {
        (void)cli_fail(c, LFT_ERR_NOMEM, "memory: expected %.1f MiB, got none", (double)bytes / 1048576);
        return NULL;
    }
    c->block[c->blocks++] = p;
    c->bytes += bytes;
    return p;
}

/* An arena of its own; one that fits nothing after a failure. 0 bytes: the query found that the desc is not legal. */
static lft_arena cli_arena(cli *c, size_t bytes)
{
    static unsigned char nothing[1];
    void                *p = cli_alloc(c, bytes);
    return p ? lft_arena_of(p, bytes) : lft_arena_of(nothing, 0);
}

static void cli_release(cli *c)
{
    while (c->blocks) free(c->block[--c->blocks]);
    c->bytes = 0;
}

/* ---- time, signals, progress ---- */

static double cli_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static volatile sig_atomic_t cli_signal;

static void cli_on_signal(int number)
{
    cli_signal = number;
}

/* The first Ctrl-C or SIGTERM is a request, the second kills. */
static void cli_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = cli_on_signal;
    action.sa_flags   = SA_RESTART | (int)SA_RESETHAND;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* One line that is overwritten in a terminal; else a line for every twentieth of the work, and at most one a second. */
static void cli_progress(cli *c, uint64_t done, uint64_t total, const char *format, ...)
{
    const int    terminal = isatty(2);
    const double now      = cli_seconds();
    va_list      list;
    if (c->quiet || (terminal ? now - c->shown < 0.1 && done < total : done < c->next || now - c->shown < 1)) return;
    c->shown = now;
    c->next  = done + (total + 19) / 20;
    c->live  = terminal;
    if (terminal) fputs("\r\033[K", stderr);
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    if (terminal) (void)fflush(stderr);
    else fputc('\n', stderr);
}

/* Ends the live line, so that other text may follow. */
static void cli_progress_end(cli *c)
{
    if (c->live) fputs("\r\033[K", stderr);
    c->live = 0;
    c->next = 0;
}

static void cli_note(cli *c, const char *format, ...)
{
    va_list list;
    cli_progress_end(c);
    if (c->quiet) return;
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

/* ---- files ---- */

typedef int (*cli_fill)(lft_writer to, void *context, lft_error *error);

/* Devices and pipes cannot be replaced, they are written to. */
static int cli_is_special(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

static lft_status cli_write_special(const char *path, cli_fill fill, void *context, lft_error *e)
{
    FILE      *file = fopen(path, "wb");
    lft_status status;
    if (!file) {
        (void)snprintf(e->text, sizeof e->text, "expected a file that can be written");
        return e->code = LFT_ERR_IO;
    }
    status = (lft_status)fill(lft_file_writer(file), context, e);
    if ((fflush(file) != 0 || ferror(file)) && !status) {
        (void)snprintf(e->text, sizeof e->text, "write: expected room");
        status = e->code = LFT_ERR_IO;
    }
    if (fclose(file) != 0 && !status) {
        (void)snprintf(e->text, sizeof e->text, "close: expected room");
        status = e->code = LFT_ERR_IO;
    }
    return status;
}

/* Writes a file as a whole or not at all. */
static lft_status cli_write(cli *c, const char *path, cli_fill fill, void *context)
{
    lft_error  e;
    lft_status status;
    if (c->error.code) return c->error.code;
    memset(&e, 0, sizeof e);
    errno  = 0;
    status = cli_is_special(path) ? cli_write_special(path, fill, context, &e) : lft_file_replace(path, fill, context, &e);
    if (!status) return LFT_OK;
    if (status != LFT_ERR_IO) return cli_check(c, status, &e);
    return cli_fail(c, status, "%.60s: %.80s%s%.40s", path, e.text, errno ? ", got: " : "", errno ? strerror(errno) : "");
}

/* Before the work: can the file be written where it shall end up? Leaves no trace. */
static lft_status cli_try_path(cli *c, const char *path)
{
    char   temporary[4096];
    size_t n = strlen(path);
    FILE  *file;
    if (c->error.code) return c->error.code;
    if (cli_is_special(path)) {
        struct stat s;
        if (stat(path, &s) == 0 && S_ISDIR(s.st_mode)) {
            return cli_fail(c, LFT_ERR_IO, "%.80s: expected a file, got a directory", path);
        }
        return LFT_OK;
    }
    if (n > 4000) return cli_fail(c, LFT_ERR_ARG, "file: path: expected at most 4000 bytes, got %lu", (unsigned long)n);
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
    file = fopen(temporary, "wb");
    if (!file) {
        return cli_fail(c, LFT_ERR_IO, "%.80s: expected a file that can be written, got: %s", temporary, strerror(errno));
    }
    (void)fclose(file);
    (void)remove(temporary);
    return LFT_OK;
}
