/* fuzz_safetensors.c: whatever the bytes, loading ends with a status, asks for exactly the memory that it then takes,
 * and what was accepted can be saved and loaded again. If the first byte of an input is odd, its length field is set so
 * that the JSON ends at the first "\n\n": mutations then reach the parser.
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_safetensors.c -o fuzz
 *   ./fuzz -max_total_time=60
 * Without libFuzzer, with any compiler, the same mutations for the same seed (files, seed):
 *   cc -g -O1 -fsanitize=address,undefined -DLFT_FUZZ_MAIN -I. tests/fuzz/fuzz_safetensors.c -o fuzz
 *   ./fuzz 1000000 1 */
#include "lftflow.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST ((size_t)1 << 16) /* bytes of memory that a file may ask for */

static void require(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "fuzz_safetensors: %s\n", what);
    abort();
}

static lft_status load(const void *file, size_t size, lft_arena *a, lft_safetensors *doc)
{
    lft_memory m;
    lft_error  e;
    lft_status status;
    memset(&e, 0, sizeof e);
    status = lft_safetensors_load(lft_memory_reader(&m, file, size), a, doc, &e);
    require(e.code == status && strlen(e.text) < sizeof e.text, "status and error differ");
    require(!status == !e.text[0], "a failure without words");
    if (status) require(!doc->tensors && !doc->metas && !doc->tensor && !doc->meta, "something left after a failure");
    return status;
}

/* Touches every byte that the doc refers to, so that a sanitizer sees it. */
static void inspect(const lft_safetensors *doc)
{
    volatile double sum = 0;
    size_t          j;
    int             i;
    for (i = 0; i < doc->tensors; ++i) {
        const lft_tensor *t = doc->tensor + i;
        for (j = 0; j < lft_tensor_count(t); ++j) sum = sum + lft_tensor_get(t, j);
        require(t->rank >= 0 && t->rank <= 8 && lft_dtype_bytes(t->dtype) > 0, "a tensor that cannot be");
        require(doc->tensors > 1000 || lft_safetensors_find(doc, t->name) == t, "a name is there twice");
        require(i == 0 || (const char *)t->data == (const char *)t[-1].data + t[-1].bytes, "a hole or an overlap");
    }
    for (i = 0; i < doc->metas; ++i) {
        require(doc->metas > 1000 || lft_safetensors_meta(doc, doc->meta[i].key) == doc->meta[i].value,
                "a key is there twice");
        sum = sum + (double)strlen(doc->meta[i].value);
    }
}

static void compare(const lft_safetensors *a, const lft_safetensors *b)
{
    int i;
    require(a->tensors == b->tensors && a->metas == b->metas, "other numbers of entries");
    for (i = 0; i < a->tensors; ++i) {
        const lft_tensor *s = a->tensor + i, *t = lft_safetensors_find(b, s->name);
        require(t && s->dtype == t->dtype && s->rank == t->rank && s->bytes == t->bytes, "another tensor");
        require(!memcmp(s->shape, t->shape, sizeof s->shape), "another shape");
        require(!s->bytes || !memcmp(s->data, t->data, s->bytes), "other data");
    }
    for (i = 0; i < a->metas; ++i) require(!strcmp(a->meta[i].value, b->meta[i].value), "other metadata");
}

static void check(const unsigned char *file, size_t size)
{
    static unsigned char again[8 * MOST], memory[8 * MOST];
    lft_arena            a = lft_arena_measure(), small;
    lft_safetensors      doc, back;
    lft_memory           m;
    lft_status           status = load(file, size, &a, &doc);
    const size_t         need   = a.need;
    unsigned char       *block;
    if (status) { /* the same file with its header in memory instead of streaming by */
        small = lft_arena_of(memory, sizeof memory);
        require(load(file, size, &small, &doc) != LFT_OK, "refused only when measured");
        require(small.need == lft_arena_of(memory, sizeof memory).need || small.need > sizeof memory,
                "the arena is not as it was");
        return;
    }
    if (need > MOST) return;
    block = (unsigned char *)malloc(need); /* of its own, so that a sanitizer sees its end */
    require(block != NULL, "no memory");
    a      = lft_arena_of(block, need);
    status = load(file, size, &a, &doc);
    require(status == LFT_OK || status == LFT_ERR_FORMAT || status == LFT_ERR_IO, "an unexpected status");
    if (!status) {
        require(a.need <= need && a.need + LFT_P_ALIGN > need, "the measure is wrong");
        inspect(&doc);
        require(doc.tensors > 1000 || doc.metas > 1000 ||
                    !lft_safetensors_save(lft_memory_writer(&m, again, sizeof again), doc.tensor, doc.tensors, doc.meta,
                                          doc.metas, NULL),
                "cannot be saved again");
        if (doc.tensors <= 1000 && doc.metas <= 1000) {
            small = lft_arena_of(memory, sizeof memory);
            require(load(again, m.at, &small, &back) == LFT_OK, "cannot be loaded again");
            compare(&doc, &back);
        }
        small      = lft_arena_of(memory, a.need - 1);
        small.need = lft_arena_of(block, need).need;
        require(load(file, size, &small, &back) == LFT_ERR_NOMEM && small.need == a.need,
                "too small an arena was enough");
    }
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *copy = (unsigned char *)malloc(size ? size : 1);
    size_t         n;
    require(copy != NULL, "no memory");
    if (size) memcpy(copy, data, size);
    if (size > 8 && copy[0] & 1) {
        for (n = 10; n < size && (copy[n - 2] != '\n' || copy[n - 1] != '\n'); ++n) {}
        lft_p_file_put(copy, 8, n - 8);
    }
    check(copy, size);
    free(copy);
    return 0;
}

#ifdef LFT_FUZZ_MAIN
#include "fuzz.h"

#define INFO(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const char *const seed_text[] = {
    "{\"__metadata__\":{\"theory\":\"phi4\",\"seed\":\"1\"},\"a\":" INFO("F64", "[1,2]", "[0,16]") ",\"b\":" INFO(
        "U64", "[]", "[16,24]") "}",
    "{\"b\":" INFO("F32", "[3]", "[3,15]") ",\"a\":{\"shape\":[3],\"data_offsets\":[0,3],\"dtype\":\"U8\"},\"z\":" INFO(
        "I64", "[0,9]", "[3,3]") "}    ",
    "{\"\\u00e9\\ud83d\\ude00\\n\\\"\":" INFO("C64", "[1,1,1,1,1,1,1,1]", "[0,8]") "}", "{}",
    "{\"a\":" INFO("I32", "[1]", "[0,4]") ",\"b\":" INFO("I32", "[1]", "[4,8]") ",\"c\":" INFO("U32", "[1]",
                                                                                               "[8,12]") "}"};
static const size_t seed_bytes[] = {24, 15, 8, 0, 12};
/* clang-format off */
static const char *const token[] = {
    "\"", "[", "]", ",", ":", "{", "}", "\"a\"", "\"b\"", "\"__metadata__\":{}", "0", "1", "8", "16",
    "18446744073709551615", "4294967296", "\\u0061", "\\ud83d\\ude00", "\\", " ", "\xc3\xa9", "\xf0\x9f",
    "\"dtype\":\"F64\"", "\"shape\":[]", "\"data_offsets\":[0,0]", ",\"x\":" INFO("U8", "[0]", "[0,0]")};
/* clang-format on */

static size_t mutate(unsigned char *text, size_t n, size_t room)
{
    const char  *word = token[below(sizeof token / sizeof *token)];
    const size_t at = below(n + 1), cut = below(n - at + 1) % 17, kind = below(6);
    if (kind != 4) return change(kind, text, n, room, at, cut, word);
    if (at < n && text[at] >= '0' && text[at] <= '9') text[at] = (unsigned char)('0' + below(10)); /* another digit */
    return n;
}

static int one_file(void)
{
    static unsigned char text[2000], *file;
    const size_t         which = below(sizeof seed_text / sizeof *seed_text);
    size_t               n = strlen(seed_text[which]), k, bytes = below(4) ? seed_bytes[which] : below(40), size;
    memcpy(text, seed_text[which], n);
    for (k = below(6); k > 0; --k) n = mutate(text, n, sizeof text);
    size = 8 + n + bytes;
    file = (unsigned char *)malloc(size);
    if (!file) return 1;
    lft_p_file_put(file, 8, n);
    memcpy(file + 8, text, n);
    for (k = 0; k < bytes; ++k) file[8 + n + k] = (unsigned char)below(256);
    if (below(16) == 0) file[below(8)] = (unsigned char)below(256);
    check(file, below(16) ? size : below(size));
    free(file);
    return 0;
}

int main(int argc, char **argv)
{
    return damage(argc, argv, "fuzz_safetensors", one_file);
}

#endif
