/* lft_gauge_format.h: files of gauge configurations by name and content. SPDX-License-Identifier: MIT-0 */

/* numbers of a link and of a force; the header's type of a sum of links */
#if LFT_CLI_GROUP == LFT_U1
#define CLI_COLOURS 1
#define CLI_LINK    1
#define CLI_SUM     p_w
#else
#if LFT_CLI_GROUP == LFT_SU2
#define CLI_COLOURS 2
#define CLI_LINK    4
#else
#define CLI_COLOURS 3
#define CLI_LINK    18
#endif
#define CLI_SUM p_u
#endif
#define CLI_ALGEBRA (CLI_COLOURS == 1 ? 1 : CLI_COLOURS * CLI_COLOURS - 1)

enum { CLI_NERSC, CLI_ILDG, CLI_NPY };

/* By its ending; NERSC unless it is another's. */
static int cli_format_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot && !strcmp(dot, ".npy")) return CLI_NPY;
    return dot && (!strcmp(dot, ".ildg") || !strcmp(dot, ".lime")) ? CLI_ILDG : CLI_NERSC;
}

/* The file behind its header; NULL after an error. --extent helps where the header does not say it. */
static FILE *cli_gauge_open(cli *c, const char *path, lft_gauge_file *file)
{
    lft_gauge_hint hint;
    lft_error      e;
    FILE          *from;
    memset(&hint, 0, sizeof hint);
    memset(&e, 0, sizeof e);
    cli_extent(c, "extent", cli_text(c, "extent"), hint.extent);
    if (c->error.code) return NULL;
    from = fopen(path, "rb");
    if (!from) {
        (void)cli_fail(c, LFT_ERR_IO, "%.80s: expected a file that can be read, got: %s", path, strerror(errno));
        return NULL;
    }
    if (!lft_gauge_read_header(lft_file_reader(from), &hint, file, &e)) return from;
    (void)fclose(from);
    (void)cli_fail(c, e.code, "%.60s: %.95s", path, e.text);
    return NULL;
}
