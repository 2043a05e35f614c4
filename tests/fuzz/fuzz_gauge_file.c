/* fuzz_gauge_file.c: whatever the bytes, reading ends with a status; what was accepted can be written and read back.
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_gauge_file.c -o fuzz && ./fuzz -max_total_time=60
 * Without libFuzzer, with any compiler, the same mutations for the same seed (files, seed):
 *   cc -g -O1 -fsanitize=address,undefined -DLFT_FUZZ_MAIN -I. tests/fuzz/fuzz_gauge_file.c -o fuzz && ./fuzz 1000000 1 */
#include "lftflow.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS = 128, NUMBERS = 2 * 8 * 8 }; /* of fields that are written again */

static void require(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "fuzz_gauge_file: %s\n", what);
    abort();
}

typedef struct field {
    const lft_gauge_file *file;
    uint64_t              links;
    double                u[LINKS][NUMBERS];
} field;

static size_t place(const lft_gauge_file *f, const int *x, int mu)
{
    size_t at = 0;
    int    k;
    require(mu >= 0 && mu < f->dim, "a direction that is none");
    for (k = 0; k < f->dim; ++k) {
        require(x[k] >= 0 && x[k] < f->extent[k], "a site outside");
        at = at * (size_t)f->extent[k] + (size_t)x[k];
    }
    return at * (size_t)f->dim + (size_t)mu;
}

static int put(void *user, const int x[LFT_MAX_DIM], int mu, const double *u)
{
    field       *f  = (field *)user;
    const size_t at = place(f->file, x, mu), n = (size_t)(2 * f->file->colours * f->file->colours);
    size_t       i;
    for (i = 0; i < n; ++i) require(lft_finite(u[i]), "a link that is not finite");
    if (at < LINKS) memcpy(f->u[at], u, n * sizeof *u);
    f->links += 1;
    return 0;
}

static int get(void *user, const int x[LFT_MAX_DIM], int mu, double *u)
{
    const field *f = (const field *)user;
    memcpy(u, f->u[place(f->file, x, mu)], (size_t)(2 * f->file->colours * f->file->colours) * sizeof *u);
    return 0;
}

/* As ILDG if it has four dimensions, else as NERSC; all rows, in double, so that nothing is lost. */
static void again(const lft_gauge_file *was, field *a, field *b)
{
    static unsigned char bytes[LINKS * NUMBERS * 8 + 4096];
    lft_gauge_file       d = *was, e;
    lft_memory           m;
    lft_status           status;
    d.format = was->dim == 4 ? LFT_ILDG : LFT_NERSC;
    d.dtype  = LFT_DTYPE_F64;
    d.rows   = 0;
    status   = lft_gauge_write(lft_memory_writer(&m, bytes, sizeof bytes), &d, get, a, NULL);
    if (status == LFT_ERR_NONFINITE && d.format == LFT_NERSC) return; /* a plaquette beyond all bounds */
    require(!status, "cannot be written again");
    require(!lft_gauge_read_header(lft_memory_reader(&m, bytes, m.at), NULL, &e, NULL), "the header cannot be read again");
    b->file = &e;
    require(!lft_gauge_read_links(&e, put, b, NULL), "the links cannot be read again");
    require(e.dim == d.dim && e.colours == d.colours && !memcmp(e.extent, d.extent, sizeof e.extent), "the sizes changed");
    require(!memcmp(a->u, b->u, sizeof a->u), "the links changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static field         a, b;
    const lft_gauge_hint hint = {{2, 1, 2, 1}, 0, LFT_DTYPE_NONE};
    lft_gauge_file       file, zero;
    lft_memory           m;
    lft_error            e;
    lft_status           status;
    uint64_t             links;
    memset(&e, 0, sizeof e);
    memset(&zero, 0, sizeof zero);
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    status = lft_gauge_read_header(lft_memory_reader(&m, data, size), size % 2 ? &hint : NULL, &file, &e);
    require(e.code == status && strlen(e.text) < sizeof e.text, "status and error differ");
    if (status) {
        require(status == LFT_ERR_FORMAT || status == LFT_ERR_IO, "an unexpected status of the header");
        require(!memcmp(&file, &zero, sizeof zero), "something left after a failure");
        return 0;
    }
    links = lft_p_links_sites(file.dim, file.extent) * (uint64_t)file.dim;
    require(file.dim >= 2 && file.dim <= 4 && links >= 2 && links <= 4u << 24, "extents that cannot be");
    require(file.colours >= 1 && file.colours <= 8 && file.rows >= 1 && file.rows <= file.colours, "matrices that cannot be");
    require(file.dtype == LFT_DTYPE_F32 || file.dtype == LFT_DTYPE_F64, "numbers that cannot be");
    a.file = &file;
    status = lft_gauge_read_links(&file, put, &a, &e);
    require(e.code == status && strlen(e.text) < sizeof e.text, "status and error of the links differ");
    if (status) {
        require(status == LFT_ERR_FORMAT || status == LFT_ERR_IO || status == LFT_ERR_NONFINITE,
                "an unexpected status of the links");
        return 0;
    }
    require(a.links == links, "not all links have been put");
    require(m.at == size, "something left in the file");
    if (links <= LINKS) again(&file, &a, &b);
    return 0;
}

#ifdef LFT_FUZZ_MAIN
#include "fuzz.h"

/* Unit links. */
static int unity(void *user, const int x[LFT_MAX_DIM], int mu, double *u)
{
    const int n = *(const int *)user;
    int       i;
    (void)x, (void)mu;
    for (i = 0; i < 2 * n * n; ++i) u[i] = i % (2 * n + 2) == 0;
    return 0;
}

/* A good file. */
static size_t make(unsigned char *to, size_t room)
{
    static const unsigned char extent[] = {2, 1, 2, 1};
    lft_gauge_file             d;
    lft_memory                 m;
    int                        k, n;
    memset(&d, 0, sizeof d);
    d.format  = below(2) ? LFT_NERSC : LFT_ILDG;
    d.dim     = d.format == LFT_ILDG ? 4 : 2 + (int)below(3);
    d.colours = n = 1 + (int)below(3);
    d.rows        = d.format == LFT_NERSC && n == 3 && below(2) ? 2 : n;
    d.dtype       = below(2) ? LFT_DTYPE_F32 : LFT_DTYPE_F64;
    for (k = 0; k < d.dim; ++k) d.extent[k] = extent[k];
    if (below(5) == 0) { /* openQCD */
        memset(to, 0, 24 + 8 * 8 * 144);
        for (k = 0; k < 4; ++k) to[4 * k] = 2;
        to[22] = 8, to[23] = 0x40; /* 3 */
        for (k = 0; k < 8 * 8 * 9; k += k % 9 == 8 ? 1 : 4) to[24 + 16 * k + 6] = 0xf0, to[24 + 16 * k + 7] = 0x3f;
        return 24 + 8 * 8 * 144;
    }
    require(!lft_gauge_write(lft_memory_writer(&m, to, room), &d, unity, &n, NULL), "a seed cannot be written");
    return m.at;
}

/* clang-format off */
static const char *const token[] = {
    " = ", "\n", "4D_SU3_GAUGE", "2D_U1_GAUGE", "_3x3", "DIMENSION_1 = 2\n", "IEEE64", "IEEE32LITTLE", "BIG", "0", "1",
    "18446744073709551615", "16777216", "-1", "1e999", "nan", "END_HEADER\n", "<lx>", "</lx>", "<!--", "-->", "<?", "/>", "'",
    "su2gauge", "ildg-binary-data", "scidac-checksum", "ildg-format", "\x45\x67\x89\xab", "\x7f\xf0", "\x80", "\x40", "\xff"};
/* clang-format on */

static size_t mutate(unsigned char *text, size_t n, size_t room)
{
    const char  *word = token[below(sizeof token / sizeof *token)];
    const size_t head = n > 1000 && below(4) ? 700 : n; /* mostly in front, where the headers are */
    const size_t at = below(head + 1), cut = below(n - at + 1) % 9, kind = below(6), length = strlen(word);
    if (kind != 4) return change(kind, text, n, room, at, cut, word);
    if (at + length <= n) memcpy(text + at, word, length);
    return n;
}

static int one_file(void)
{
    static unsigned char text[20000];
    size_t               n = make(text, sizeof text), k;
    unsigned char       *file;
    for (k = below(6); k > 0; --k) n = mutate(text, n, sizeof text);
    if (below(8) == 0) n = below(n + 1);
    file = (unsigned char *)malloc(n ? n : 1);
    if (!file) return 1;
    memcpy(file, text, n);
    LLVMFuzzerTestOneInput(file, n);
    free(file);
    return 0;
}

int main(int argc, char **argv)
{
    return damage(argc, argv, "fuzz_gauge_file", one_file);
}

#endif
