/* fuzz_npy.c: whatever the bytes, reading ends with a status; what was accepted can be written and read back.
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_npy.c -o fuzz && ./fuzz -max_total_time=60
 * Without libFuzzer, with any compiler, the same mutations for the same seed (files, seed):
 *   cc -g -O1 -fsanitize=address,undefined -DLFT_FUZZ_MAIN -I. tests/fuzz/fuzz_npy.c -o fuzz && ./fuzz 1000000 1 */
#include "lftflow.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4096 /* numbers that are read */

static void require(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "fuzz_npy: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static double        x[MOST], y[MOST];
    static unsigned char file[16 * MOST];
    lft_memory           m, out;
    lft_reader           r = lft_memory_reader(&m, data, size);
    lft_writer           w = lft_memory_writer(&out, file, sizeof file);
    lft_npy              npy, again;
    lft_error            e;
    lft_status           status, written;
    size_t               n;
    memset(&e, 0, sizeof e);
    status = lft_npy_read_header(r, &npy, &e);
    require(e.code == status && strlen(e.text) < sizeof e.text, "status and error differ");
    if (status) {
        require(status == LFT_ERR_FORMAT || status == LFT_ERR_IO, "an unexpected status of the header");
        require(npy.dtype == LFT_DTYPE_NONE && npy.rank == 0 && npy.count == 0, "something left after a failure");
        return 0;
    }
    require(npy.rank >= 0 && npy.rank <= 8 && lft_dtype_bytes(npy.dtype) > 0, "a header that cannot be");
    n      = npy.count < MOST ? (size_t)npy.count : MOST;
    status = lft_npy_read(r, &npy, x, n, &e);
    if (status) {
        require(status == LFT_ERR_IO, "an unexpected status of the data");
        return 0;
    }
    require(!lft_npy_write_header(w, npy.dtype, npy.rank, npy.shape, NULL), "a header cannot be written again");
    written = lft_npy_write(w, npy.dtype, x, n, NULL);
    if (written) { /* integers that were rounded up to 2^63 or 2^64 */
        require(npy.dtype == LFT_DTYPE_U64 || npy.dtype == LFT_DTYPE_I64, "data cannot be written again");
        return 0;
    }
    r = lft_memory_reader(&m, file, out.at);
    require(!lft_npy_read_header(r, &again, NULL) && !lft_npy_read(r, &again, y, n, NULL), "cannot be read again");
    npy.big_endian = 0;
    require(!memcmp(&npy, &again, sizeof npy), "the header changed");
    require(npy.dtype == LFT_DTYPE_F32 || npy.dtype == LFT_DTYPE_C64 /* signalling NaNs become quiet */ ||
                !memcmp(x, y, n * sizeof *x) || !n,
            "the data changed");
    return 0;
}

#ifdef LFT_FUZZ_MAIN
#include "fuzz.h"

static const char *const seed_text[] = {
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }      \n",
    "{'shape': (), 'fortran_order': False, 'descr': '>c16'}",
    "{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": (7L,)}\n",
    "{'descr': '<i8', 'fortran_order': True, 'shape': (1, 2, 3, 4, 5, 6, 7, 18446744073709551615)}"};
/* clang-format off */
static const char *const token[] = {
    "'", "\"", "(", ")", ",", ":", "{", "}", "True", "False", "<f8", ">c8", "|u1", "0", "1",
    "18446744073709551615", "4294967296", "'shape'", "'descr'", "L", "\n", " ", "\\"};
/* clang-format on */

static size_t mutate(unsigned char *text, size_t n, size_t room)
{
    const char  *word = token[below(sizeof token / sizeof *token)];
    const size_t at = below(n + 1), cut = below(n - at + 1) % 9;
    return change(below(5), text, n, room, at, cut, word);
}

static int one_file(void)
{
    static unsigned char text[600], *file;
    const char          *s = seed_text[below(sizeof seed_text / sizeof *seed_text)];
    size_t               n = strlen(s), k, major = 1 + below(3), start = major == 1 ? 10 : 12, bytes = below(200);
    memcpy(text, s, n);
    for (k = below(6); k > 0; --k) n = mutate(text, n, sizeof text);
    file = (unsigned char *)malloc(start + n + bytes);
    if (!file) return 1;
    memcpy(file, "\x93NUMPY\0\0\0\0\0\0", 12 < start ? 12 : start);
    file[6] = (unsigned char)major;
    file[8] = (unsigned char)(n & 255);
    file[9] = (unsigned char)(n >> 8);
    memcpy(file + start, text, n);
    for (k = 0; k < bytes; ++k) file[start + n + k] = (unsigned char)below(256);
    if (below(10) == 0) file[below(start)] = (unsigned char)below(256);
    LLVMFuzzerTestOneInput(file, below(8) ? start + n + bytes : below(start + n + bytes));
    free(file);
    return 0;
}

int main(int argc, char **argv)
{
    return damage(argc, argv, "fuzz_npy", one_file);
}

#endif
