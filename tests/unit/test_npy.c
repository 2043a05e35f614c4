/* test_npy.c: npy files written and read back, headers of other writers, and files that lie.
 * With LFT_TEST_OUT=<directory> it also writes test_*.npy there, each with the line that tests/vectors/check_npy.py has
 * to print about it in test_*.npy.expected. */
#include "lftflow.h"
#include "../test.h"
#include <stdlib.h>

#define MAGIC "\x93NUMPY"

/* A file made of a header text, as version major, with the given data behind it. */
static size_t make(unsigned char *file, int major, const char *text, const void *data, size_t bytes)
{
    const size_t n = strlen(text), start = major == 1 ? 10 : 12;
    memcpy(file, MAGIC, 6);
    file[6]  = (unsigned char)major;
    file[7]  = 0;
    file[8]  = (unsigned char)(n & 255);
    file[9]  = (unsigned char)(n >> 8);
    file[10] = file[11] = 0;
    memcpy(file + start, text, n);
    if (bytes) memcpy(file + start + n, data, bytes);
    return start + n + bytes;
}

static lft_status read_header(const void *file, size_t size, lft_npy *npy, lft_error *e)
{
    lft_memory m;
    return lft_npy_read_header(lft_memory_reader(&m, file, size), npy, e);
}

static int error_says(const lft_error *e, lft_status code, const char *words)
{
    int ok = e->code == code && strstr(e->text, words) && strlen(e->text) < sizeof e->text - 1;
    if (!ok) printf("    status %d, text \"%s\", expected \"%s\"\n", (int)e->code, e->text, words);
    return ok;
}

/* ---- what we write ---- */

static void test_known_bytes(void)
{
    /* what numpy.save(f, numpy.array([[1, 2, -0.5]])) writes */
    static const char          text[]   = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }";
    static const unsigned char data[24] = {0, 0, 0, 0,    0, 0, 0xf0, 0x3f, 0, 0, 0,    0,
                                           0, 0, 0, 0x40, 0, 0, 0,    0,    0, 0, 0xe0, 0xbf};
    const uint64_t             shape[2] = {1, 3};
    const double               x[3]     = {1, 2, -0.5};
    unsigned char              file[256], expected[152];
    lft_memory                 m;
    lft_writer                 w = lft_memory_writer(&m, file, sizeof file);
    memset(expected, ' ', 128);
    memcpy(expected, MAGIC "\x01\x00\x76\x00", 10);
    memcpy(expected + 10, text, sizeof text - 1);
    expected[127] = '\n';
    memcpy(expected + 128, data, 24);
    check_true("npy: status of writing",
               !lft_npy_write_header(w, LFT_DTYPE_F64, 2, shape, NULL) && !lft_npy_write(w, LFT_DTYPE_F64, x, 3, NULL));
    check_true("npy: the bytes that numpy writes", m.at == sizeof expected && !memcmp(file, expected, sizeof expected));
}

/* Values that every type can hold, so that they must come back exactly; small, so that sums of squares are exact. */
static double value_of(lft_dtype d, size_t i)
{
    const int k = (int)(i * 7 % 31);
    return d >= LFT_DTYPE_F32 && d <= LFT_DTYPE_C128  ? k - 13.25
           : d == LFT_DTYPE_I64 || d == LFT_DTYPE_I32 ? k - 11
                                                      : k;
}

/* The file of one array beside the line that an independent reader must print. */
static void leave_for_python(const char *name, const void *file, size_t size, const char *descr, int rank,
                             const uint64_t *shape, const double *x, size_t n)
{
    const char *directory = getenv("LFT_TEST_OUT");
    char        path[4096];
    FILE       *f;
    double      sum = 0, squares = 0;
    size_t      i;
    int         k;
    if (!directory) return;
    snprintf(path, sizeof path, "%s/test_%s.npy", directory, name);
    f = fopen(path, "wb");
    check_true("npy: file for Python", f && fwrite(file, 1, size, f) == size && fclose(f) == 0);
    snprintf(path, sizeof path, "%s/test_%s.npy.expected", directory, name);
    f = fopen(path, "w");
    if (!f) return;
    for (i = 0; i < n; ++i) sum += x[i], squares += x[i] * x[i];
    fprintf(f, "1.0 %s [", descr);
    for (k = 0; k < rank; ++k) fprintf(f, "%s%llu", k ? "," : "", (unsigned long long)shape[k]);
    fprintf(f, "] %lu %.17g %.17g\n", (unsigned long)n, sum, squares);
    fclose(f);
}

static void test_round_trips(void)
{
    static const char *const descr[]  = {"", "<f4", "<f8", "<c8", "<c16", "<u8", "<i8", "<u4", "<i4", "|u1"};
    const uint64_t           shape[8] = {2, 3, 1, 5, 1, 2, 2, 1};
    static unsigned char     file[4096];
    double                   x[256], y[256];
    float                    f[256];
    int                      d, rank, same = 1, aligned = 1;
    for (d = 1; d < LFT_P_DTYPE_COUNT; ++d) {
        for (rank = 0; rank <= 8; ++rank) {
            const lft_dtype dtype = (lft_dtype)d;
            const int       two   = dtype == LFT_DTYPE_C64 || dtype == LFT_DTYPE_C128;
            size_t          n     = two ? 2 : 1, i, half;
            lft_memory      m;
            lft_writer      w = lft_memory_writer(&m, file, sizeof file);
            lft_reader      r;
            lft_npy         npy;
            for (i = 0; i < (size_t)rank; ++i) n *= shape[i];
            for (i = 0; i < n; ++i) x[i] = value_of(dtype, i), f[i] = (float)x[i];
            half = n / 2;
            same &= !lft_npy_write_header(w, dtype, rank, shape, NULL);
            aligned &= m.at % 64 == 0;
            same &= !lft_npy_write(w, dtype, x, half, NULL);
            same &= !lft_npy_write_f32(w, dtype, f + half, n - half, NULL);
            r = lft_memory_reader(&m, file, m.at);
            same &= !lft_npy_read_header(r, &npy, NULL) && npy.dtype == dtype && npy.rank == rank && npy.count == n;
            same &= !npy.big_endian && !memcmp(npy.shape, shape, sizeof *shape * (size_t)rank);
            same &= !lft_npy_read(r, &npy, y, half, NULL) && !lft_npy_read(r, &npy, y + half, n - half, NULL);
            same &= m.at == m.size && !memcmp(x, y, n * sizeof *x);
            if (rank == 3) leave_for_python(lft_dtype_str(dtype), file, m.size, descr[d], rank, shape, x, n);
            if (rank == 0 && d == 2) leave_for_python("scalar", file, m.size, descr[d], rank, shape, x, n);
            if (rank == 1 && d == 2) leave_for_python("vector", file, m.size, descr[d], rank, shape, x, n);
        }
    }
    check_true("npy: round trips of all types and ranks", same);
    check_true("npy: data at a multiple of 64 bytes", aligned);
}

static lft_status write_one(lft_dtype d, double x, lft_error *e)
{
    unsigned char b[8];
    lft_memory    m;
    return lft_npy_write(lft_memory_writer(&m, b, sizeof b), d, &x, 1, e);
}

static double through(lft_dtype d, double x)
{
    unsigned char b[8];
    double        y = 0;
    lft_memory    m;
    lft_npy       npy;
    memset(&npy, 0, sizeof npy);
    npy.dtype = d;
    npy.count = 1;
    if (lft_npy_write(lft_memory_writer(&m, b, sizeof b), d, &x, 1, NULL)) return -777;
    if (lft_npy_read(lft_memory_reader(&m, b, m.at), &npy, &y, 1, NULL)) return -778;
    return y;
}

static void test_conversions(void)
{
    static const struct {
        lft_dtype d;
        double    x;
        int       fits;
    } test[]           = {{LFT_DTYPE_U64, 18446744073709549568.0, 1},
                          {LFT_DTYPE_U64, 18446744073709551616.0, 0},
                          {LFT_DTYPE_U64, -1, 0},
                          {LFT_DTYPE_U64, 0.5, 0},
                          {LFT_DTYPE_I64, -9223372036854775808.0, 1},
                          {LFT_DTYPE_I64, 9223372036854775808.0, 0},
                          {LFT_DTYPE_I64, 9223372036854774784.0, 1},
                          {LFT_DTYPE_I64, -9223372036854777856.0, 0},
                          {LFT_DTYPE_I32, -2147483648.0, 1},
                          {LFT_DTYPE_I32, -2147483649.0, 0},
                          {LFT_DTYPE_I32, 2147483647.0, 1},
                          {LFT_DTYPE_I32, 2147483648.0, 0},
                          {LFT_DTYPE_U32, 4294967295.0, 1},
                          {LFT_DTYPE_U32, 4294967296.0, 0},
                          {LFT_DTYPE_U8, 255, 1},
                          {LFT_DTYPE_U8, 256, 0},
                          {LFT_DTYPE_F32, 3.4028234663852886e38, 1},
                          {LFT_DTYPE_F32, 3.5e38, 0},
                          {LFT_DTYPE_C64, -3.5e38, 0},
                          {LFT_DTYPE_F64, -1.7e308, 1}};
    double    infinite = 1e308;
    lft_error e;
    size_t    i;
    int       ok = 1;
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        const int fits = write_one(test[i].d, test[i].x, NULL) == LFT_OK;
        ok &= fits == test[i].fits && (!fits || through(test[i].d, test[i].x) == test[i].x);
        if (!ok) printf("    %s %g\n", lft_dtype_str(test[i].d), test[i].x);
    }
    check_true("npy: limits of the types", ok);
    infinite *= 1e10;
    check_true("npy: infinity in F32", !lft_finite(through(LFT_DTYPE_F32, infinite)));
    check_true("npy: infinity in F64", !lft_finite(through(LFT_DTYPE_F64, infinite)));
    write_one(LFT_DTYPE_U64, infinite, &e);
    check_true("npy: infinity in U64", error_says(&e, LFT_ERR_ARG, "fits U64, got a non-finite"));
    write_one(LFT_DTYPE_U8, -3, &e);
    check_true("npy: -3 in U8", error_says(&e, LFT_ERR_ARG, "npy: value 0: expected a number that fits U8, got -3"));
}

static void test_arguments(void)
{
    const uint64_t big[2] = {(uint64_t)1 << 32, (uint64_t)1 << 32};
    const double   x      = 1;
    unsigned char  file[128];
    double         y[2];
    lft_memory     m;
    lft_writer     w = lft_memory_writer(&m, file, sizeof file);
    lft_npy        npy;
    lft_error      e;
    lft_npy_write_header(w, LFT_DTYPE_F64, 2, big, &e);
    check_true("npy: 2^64 elements", error_says(&e, LFT_ERR_ARG, "more than 2^64 bytes"));
    lft_npy_write_header(w, LFT_DTYPE_F64, 9, big, &e);
    check_true("npy: rank 9", error_says(&e, LFT_ERR_ARG, "expected 0 to 8, got 9"));
    lft_npy_write_header(w, (lft_dtype)99, 0, NULL, &e);
    check_true("npy: no such dtype", error_says(&e, LFT_ERR_ARG, "no such dtype"));
    lft_npy_write(w, LFT_DTYPE_NONE, &x, 1, &e);
    check_true("npy: no such dtype for values", error_says(&e, LFT_ERR_ARG, "no such dtype"));
    check_true("npy: nothing written by these", m.at == 0);
    check_true("npy: scalar", !lft_npy_write_header(w, LFT_DTYPE_F64, 0, NULL, NULL));
    read_header(file, m.at, &npy, NULL);
    lft_npy_read(lft_memory_reader(&m, file, 0), &npy, y, 2, &e);
    check_true("npy: more than there is", error_says(&e, LFT_ERR_ARG, "no more than the file has, got 2"));
    memset(&npy, 0, sizeof npy);
    lft_npy_read(lft_memory_reader(&m, file, 0), &npy, y, 1, &e);
    check_true("npy: read without a header", error_says(&e, LFT_ERR_ARG, "no header"));
}

static void test_full_disk(void)
{
    const uint64_t shape[2] = {10, 10};
    double         x[100];
    unsigned char  file[1024];
    size_t         room;
    int            ok = 1;
    memset(x, 0, sizeof x);
    for (room = 0; room < 928; ++room) {
        lft_memory m;
        lft_error  e;
        lft_writer w = lft_memory_writer(&m, file, room);
        e.code       = LFT_OK;
        if (!lft_npy_write_header(w, LFT_DTYPE_F64, 2, shape, &e)) lft_npy_write(w, LFT_DTYPE_F64, x, 100, &e);
        ok &= e.code == LFT_ERR_IO;
    }
    check_true("npy: a writer of any insufficient size gives LFT_ERR_IO", ok);
}

/* ---- what others write ---- */

static void test_foreign_headers(void)
{
    static const struct {
        int         major, rank;
        const char *text;
    } test[] = {{1, 2, "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f8', }  \n"},
                {1, 2, "{\"descr\":\"<f8\",\"fortran_order\":False,\"shape\":(2,3)}"},
                {2, 2, "  { 'descr' : '<f8' , 'fortran_order' :\tFalse,\n 'shape' : ( 2 , 3 , ) } \n\n"},
                {3, 2, "{'fortran_order': False, 'descr': '<f8', 'shape': (2L, 3L)}\n"},
                {1, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (6,)}"},
                {1, 3, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 6, 1)}"}};
    unsigned char data[48], file[512];
    double        x[6];
    size_t        i, k, n;
    lft_memory    m;
    lft_npy       npy;
    for (i = 0; i < 6; ++i) {
        double v = 1.5 * (double)i - 2;
        lft_p_file_put(data + 8 * i, 8, lft_p_host_get(&v, 8));
    }
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        lft_reader r;
        lft_error  e;
        int        ok;
        memset(&e, 0, sizeof e);
        n  = make(file, test[i].major, test[i].text, data, sizeof data);
        r  = lft_memory_reader(&m, file, n);
        ok = !lft_npy_read_header(r, &npy, &e) && npy.rank == test[i].rank && npy.count == 6;
        ok = ok && !lft_npy_read(r, &npy, x, 6, &e) && m.at == n;
        for (k = 0; k < 6 && ok; ++k) ok = x[k] == 1.5 * (double)k - 2;
        if (!ok) printf("    %s\n", e.text);
        check_true("npy: a header of another writer", ok);
    }
}

static void test_big_endian(void)
{
    static const unsigned char data[16] = {0xc0, 0x08, 0,    0,    0,    0,    0,    0,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
    unsigned char              file[256];
    double                     x[4];
    lft_memory                 m;
    lft_npy                    npy;
    lft_reader                 r =
        lft_memory_reader(&m, file, make(file, 1, "{'descr':'>f8','fortran_order':False,'shape':(1,)}", data, 8));
    check_true("npy: big-endian double", !lft_npy_read_header(r, &npy, NULL) && npy.big_endian &&
                                             !lft_npy_read(r, &npy, x, 1, NULL) && x[0] == -3);
    r = lft_memory_reader(&m, file, make(file, 1, "{'descr':'>i8','fortran_order':False,'shape':(1,)}", data + 8, 8));
    check_true("npy: big-endian integer",
               !lft_npy_read_header(r, &npy, NULL) && !lft_npy_read(r, &npy, x, 1, NULL) && x[0] == -2);
    r = lft_memory_reader(&m, file, make(file, 1, "{'descr':'>c8','fortran_order':False,'shape':(2,)}", data, 16));
    check_true("npy: big-endian complex", !lft_npy_read_header(r, &npy, NULL) && npy.count == 4 &&
                                              !lft_npy_read(r, &npy, x, 2, NULL) && x[0] == -2.125 && x[1] == 0);
}

/* ---- files that lie ---- */

static void test_refusals(void)
{
    static const struct {
        const char *text, *words;
    } test[] = {
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (2,)}", "byte 44: fortran_order: expected False, got True"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}", "c16 u8 i8 u4 i4 u1, got '<f2'"},
        {"{'descr': '=f8', 'fortran_order': False, 'shape': (2,)}", "got '=f8'"},
        {"{'descr': '|f8', 'fortran_order': False, 'shape': (2,)}", "got '|f8'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "got '|O'"},
        {"{'descr': '<', 'fortran_order': False, 'shape': (2,)}", "got '<'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", "got ''"},
        {"{'descr': '<f18446744073709551624', 'fortran_order': False, 'shape': (2,)}", "got '<f18446744073709551624'"},
        {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,)}", "expected a string, got '['"},
        {"{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}", "expected True or False, got '0'"},
        {"{'descr': '<f8', 'fortran_order': Falsy, 'shape': (2,)}", "expected True or False, got 'y'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2)}", "a comma in a shape of rank 1"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': 2}", "expected '(' of the shape, got '2'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2 3)}", "expected ',' or ')' in the shape, got '3'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", "expected an integer >= 0, got '-'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (,)}", "expected an integer >= 0, got ','"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (02,)}", "no digit after a leading 0"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "at most 8 dimensions"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551616,)}", "an integer below 2^64"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952,)}", "more than 2^64 bytes"},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (4294967296,4294967296)}", "more than 2^64 bytes"},
        {"{'descr': '<f8', 'fortran_order': False}", "expected descr, fortran_order and shape before the end"},
        {"{}", "expected descr, fortran_order and shape before the end"},
        {"{'descr': '<f8', 'descr': '<f8', 'shape': (2,)}", "shape once each, got 'descr'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}", "shape once each, got 'x'"},
        {"{'descr' '<f8'}", "expected ':', got '''"},
        {"{'descr': '<f8' 'shape': (2,)}", "expected ',' or '}', got '''"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} x", "nothing but padding, got 'x'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)", "got the end of the header"},
        {"{'descr': '<f8", "a character of a string, got the end of the header"},
        {"{'descr': '<f8\x80'}", "expected UTF-8, got byte 128"},
        {"", "expected '{', got the end of the header"},
        {"['descr']", "expected '{', got '['"},
    };
    unsigned char file[512];
    lft_npy       npy, zero;
    lft_error     e;
    size_t        i;
    int           ok = 1;
    memset(&zero, 0, sizeof zero);
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        memset(&e, 0, sizeof e);
        read_header(file, make(file, 1, test[i].text, NULL, 0), &npy, &e);
        ok &= error_says(&e, LFT_ERR_FORMAT, test[i].words) && !memcmp(&npy, &zero, sizeof npy);
    }
    check_true("npy: headers to refuse, with the right words", ok);
    make(file, 1, "{}", NULL, 0);
    file[6] = 4;
    read_header(file, 64, &npy, &e);
    check_true("npy: version 4.0",
               error_says(&e, LFT_ERR_FORMAT, "byte 6: version: expected 1.0, 2.0 or 3.0, got 4.0"));
    file[6] = 2;
    memset(file + 8, 255, 4);
    read_header(file, 64, &npy, &e);
    check_true("npy: a header of 4 GB", error_says(&e, LFT_ERR_FORMAT, "at most 1048576, got 4294967295"));
    file[0] = 'x';
    read_header(file, 64, &npy, &e);
    check_true("npy: no npy file", error_says(&e, LFT_ERR_FORMAT, "byte 0: expected \\x93NUMPY"));
    read_header(file, 3, &npy, &e);
    check_true("npy: three bytes",
               error_says(&e, LFT_ERR_IO, "byte 0: the data end early: expected 8 more bytes, got 3"));
}

static void test_truncation(void)
{
    const uint64_t shape[2] = {3, 5};
    unsigned char  file[512], *cut;
    double         x[15], y[15];
    lft_memory     m;
    lft_writer     w = lft_memory_writer(&m, file, sizeof file);
    size_t         n, size;
    int            ok = 1;
    memset(x, 0, sizeof x);
    lft_npy_write_header(w, LFT_DTYPE_F64, 2, shape, NULL);
    lft_npy_write(w, LFT_DTYPE_F64, x, 15, NULL);
    size = m.at;
    for (n = 0; n < size; ++n) {
        lft_reader r;
        lft_npy    npy;
        lft_error  e;
        memset(&e, 0, sizeof e);
        cut = (unsigned char *)malloc(n ? n : 1); /* of its own, so that the sanitizer sees its end */
        if (!cut) break;
        memcpy(cut, file, n);
        r = lft_memory_reader(&m, cut, n);
        if (!lft_npy_read_header(r, &npy, &e)) lft_npy_read(r, &npy, y, 15, &e);
        ok &= e.code == LFT_ERR_IO && strstr(e.text, "the data end early") != NULL;
        free(cut);
    }
    check_true("npy: cut at every byte of header and data", ok && n == size);
}

/* A changed header is refused, or describes an array that can be read or ends early. */
static void test_corruption(void)
{
    const uint64_t shape[2] = {3, 5};
    unsigned char  file[512];
    double         x[15], y[15];
    lft_memory     m;
    lft_writer     w = lft_memory_writer(&m, file, sizeof file);
    size_t         at, size;
    int            c, ok = 1, accepted = 0;
    memset(x, 0, sizeof x);
    lft_npy_write_header(w, LFT_DTYPE_F64, 2, shape, NULL);
    lft_npy_write(w, LFT_DTYPE_F64, x, 15, NULL);
    size = m.at;
    for (at = 0; at < 128; ++at) {
        const unsigned char was = file[at];
        for (c = 0; c < 256; ++c) {
            lft_reader r = lft_memory_reader(&m, file, size);
            lft_npy    npy;
            lft_error  e;
            lft_status status;
            memset(&e, 0, sizeof e);
            file[at] = (unsigned char)c;
            status   = lft_npy_read_header(r, &npy, &e);
            if (status) ok &= e.code == status && (status == LFT_ERR_FORMAT || status == LFT_ERR_IO) && e.text[0];
            else {
                ++accepted;
                ok &= npy.rank <= 8 && npy.dtype != LFT_DTYPE_NONE && m.at <= size;
                status = lft_npy_read(r, &npy, y, npy.count < 15 ? (size_t)npy.count : 15, &e);
                ok &= status == LFT_OK || status == LFT_ERR_IO;
            }
        }
        file[at] = was;
    }
    check_true("npy: every change of one byte of the header", ok);
    printf("    %d of %d changed headers were still headers\n", accepted, 128 * 256);
}

int main(void)
{
    test_known_bytes();
    test_round_trips();
    test_conversions();
    test_arguments();
    test_full_disk();
    test_foreign_headers();
    test_big_endian();
    test_refusals();
    test_truncation();
    test_corruption();
    return test_end();
}
