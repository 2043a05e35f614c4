/* lft_export.h: the command export. SPDX-License-Identifier: MIT-0 */

typedef struct export_job {
    cli                 *c;
    f64_model       m;
    lft_arena            scratch;
    const unsigned char *data; /* of the file that the array holds */
    size_t               size;
    char                 name[64];
} export_job;

static int export_fill(lft_writer to, void *context, lft_error *e)
{
    export_job *j = (export_job *)context;
    return (int)f64_model_save(&j->m.flow, &j->m.info, to, j->scratch, e);
}

static lft_status export_text(lft_writer to, const char *text, lft_error *e)
{
    const size_t n = strlen(text);
    if (to.write(to.user, text, n) == n) return LFT_OK;
    (void)snprintf(e->text, sizeof e->text, "write: expected room");
    return e->code = LFT_ERR_IO;
}

/* The bytes as decimal numbers: C99 and C++ without warnings. */
static int export_array(lft_writer to, void *context, lft_error *e)
{
    const export_job *j = (const export_job *)context;
    char              line[512];
    lft_status        status;
    size_t            i, used;
    (void)snprintf(line, sizeof line, "/* A model of lftflow %s: lft_memory_reader(&memory, %s, sizeof %s) reads it. */\n"
                                      "static const unsigned char %s[%lu] = {", LFT_VERSION, j->name, j->name, j->name,
                   (unsigned long)j->size);
    status = export_text(to, line, e);
    for (i = 0; i < j->size && !status;) {
        const size_t end = i + 32 < j->size ? i + 32 : j->size;
        for (used = 0; i < end; ++i) {
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%u%s", used ? "" : "\n", j->data[i],
                                     i + 1 < j->size ? "," : "");
        }
        status = export_text(to, line, e);
    }
    return status ? (int)status : (int)export_text(to, "\n};\n", e);
}

/* The model as a file in memory. */
static lft_status export_bytes(export_job *j)
{
    cli       *c    = j->c;
    size_t     size = 0;
    void      *file;
    lft_writer counter;
    lft_memory memory;
    lft_error  e;
    counter.write = f64_count_bytes;
    counter.user  = &size;
    memset(&e, 0, sizeof e);
    if (cli_check(c, (lft_status)export_fill(counter, j, &e), &e)) return c->error.code;
    file = cli_alloc(c, size);
    if (!file || cli_check(c, (lft_status)export_fill(lft_memory_writer(&memory, file, size), j, &e), &e)) return c->error.code;
    j->data = (const unsigned char *)file;
    j->size = size;
    return LFT_OK;
}

/* A C identifier: that of --name, or made of the file's name. */
static lft_status export_name(export_job *j, const char *out)
{
    const char *given = cli_text(j->c, "name"), *from = given ? given : strrchr(out, '/') ? strrchr(out, '/') + 1 : out;
    size_t      n     = given ? strlen(given) : strcspn(from, "."), i;
    for (i = 0; i < n && i + 1 < sizeof j->name; ++i) {
        const char b     = from[i];
        const int  legal = b == '_' || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (i && b >= '0' && b <= '9');
        if (given && !legal) break;
        j->name[i] = legal ? b : '_';
    }
    if (i == n && n) return LFT_OK;
    return cli_fail(j->c, LFT_ERR_ARG, "--name: expected a C name of at most 63 letters, digits and _, got '%.40s'", from);
}

static lft_status export_command(cli *c)
{
    static const char *const words[] = {"f64", "f32", NULL};
    export_job               j;
    const char              *path = cli_argument(c, 0), *out = cli_required(c, "out"), *end;
    memset(&j, 0, sizeof j);
    if (!path && !c->error.code) return cli_fail(c, LFT_ERR_ARG, "expected a model, got none");
    j.c = c;
    if (c->error.code || export_name(&j, out)) return c->error.code;
    (void)cli_try_path(c, out);
    if (f64_load_model(c, path, lft_pool_openmp(1), &j.m)) return c->error.code;
    j.m.info.f32 = cli_word(c, "params", words, 2) == 2;
    j.scratch    = cli_arena(c, f64_model_bytes(&j.m.flow));
    end          = strrchr(out, '.');
    if (end && !strcmp(end, ".h")) {
        if (c->error.code || export_bytes(&j)) return c->error.code;
        (void)cli_write(c, out, export_array, &j);
    } else {
        (void)cli_write(c, out, export_fill, &j);
    }
    if (c->error.code) return c->error.code;
    f64_show_lattice(c, &j.m.flow.lattice, &j.m.theory, j.m.desc.pool);
    c->result->parameters = j.m.flow.params.count;
    c->result->out        = out;
    if (!c->json) {
        cli_print_lattice(c->result);
        printf("  %llu parameters in %s\n", (unsigned long long)c->result->parameters, out);
    }
    return LFT_OK;
}
