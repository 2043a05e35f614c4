/* test_safetensors.c: safetensors files written and read back, the files of others, files that lie, arenas that are too
 * small, and the stdio adaptor.
 * LFT_SHARED=<directory> has weights/tutorial_*.safetensors, which somebody else wrote. With LFT_TEST_OUT=<directory> a
 * file is left there beside what tests/vectors/check_safetensors.py has to print about it (.expected). */
#define LFT_STDIO
#include "lftflow.h"
#include "../test.h"
#include <stdlib.h>

/* A file made of a header text and the given number of data bytes 0, 1, 2, ... */
static size_t make(unsigned char *file, const char *text, size_t bytes)
{
    const size_t n = strlen(text);
    size_t       i;
    lft_p_file_put(file, 8, n);
    memcpy(file + 8, text, n);
    for (i = 0; i < bytes; ++i) file[8 + n + i] = (unsigned char)i;
    return 8 + n + bytes;
}

static LFT_ARENA(memory, 1 << 20);

static lft_status load(const void *file, size_t size, lft_safetensors *doc, lft_error *e)
{
    lft_memory m;
    lft_arena  a = lft_arena_of(memory, sizeof memory);
    return lft_safetensors_load(lft_memory_reader(&m, file, size), &a, doc, e);
}

static int error_says(const lft_error *e, lft_status code, const char *words)
{
    int ok = e->code == code && strstr(e->text, words) && strlen(e->text) < sizeof e->text - 1;
    if (!ok) printf("    status %d, text \"%s\", expected \"%s\"\n", (int)e->code, e->text, words);
    return ok;
}

static lft_tensor tensor_of(const char *name, lft_dtype d, int rank, uint64_t n0, uint64_t n1, uint64_t n2,
                            const void *x)
{
    lft_tensor t;
    uint64_t   bytes = 0;
    memset(&t, 0, sizeof t);
    t.name     = name;
    t.dtype    = d;
    t.rank     = rank;
    t.shape[0] = n0, t.shape[1] = n1, t.shape[2] = n2;
    t.data = x;
    if (lft_p_product(rank, t.shape, lft_dtype_bytes(d), &bytes)) t.bytes = (size_t)bytes;
    return t;
}

/* ---- the model that most tests use: all types, odd names, a double at an odd address ---- */

static const double        model_f64[6] = {1, -2.5, 3, 0.125, 1e6, -7};
static const float         model_f32[3] = {0.5f, -0.25f, 8};
static const float         model_c64[4] = {1, -1, 0.5f, 2};
static const uint64_t      model_u64[2] = {18446744073709551615u, 9007199254740993u};
static const int64_t       model_i64[2] = {-9007199254740993, 42};
static const uint32_t      model_u32[1] = {4294967295u};
static const int32_t       model_i32[2] = {-2147483647 - 1, 7};
static const unsigned char model_u8[3]  = {0, 128, 255};

static const lft_text_pair model_meta[4] = {{"theory", "phi4"},
                                            {"seed", "18446744073709551615"},
                                            {"quote \" and \\", "line\nend\ttab\x01"},
                                            {"\xc3\xa9", "\xe2\x82\xac \xf0\x9f\x98\x80"}};

#define TENSORS 11
static void model(lft_tensor t[TENSORS])
{
    t[0]  = tensor_of("a.weight", LFT_DTYPE_F64, 2, 2, 3, 0, model_f64);
    t[1]  = tensor_of("bytes", LFT_DTYPE_U8, 1, 3, 0, 0, model_u8);
    t[2]  = tensor_of("odd address", LFT_DTYPE_F64, 3, 1, 6, 1, model_f64);
    t[3]  = tensor_of("f32", LFT_DTYPE_F32, 1, 3, 0, 0, model_f32);
    t[4]  = tensor_of("", LFT_DTYPE_F32, 2, 0, 5, 0, NULL);
    t[5]  = tensor_of("scalar \"quoted\" \\ / \x1f\x7f", LFT_DTYPE_U32, 0, 0, 0, 0, model_u32);
    t[6]  = tensor_of("\xf0\x9f\x98\x80\xc3\xa9", LFT_DTYPE_C64, 1, 2, 0, 0, model_c64);
    t[7]  = tensor_of("counters", LFT_DTYPE_U64, 1, 2, 0, 0, model_u64);
    t[8]  = tensor_of("signed", LFT_DTYPE_I64, 1, 2, 0, 0, model_i64);
    t[9]  = tensor_of("i32", LFT_DTYPE_I32, 1, 2, 0, 0, model_i32);
    t[10] = tensor_of("dtype", LFT_DTYPE_F32, 2, 5, 0, 0, NULL);
}

static size_t model_file(unsigned char *file, size_t size)
{
    lft_tensor t[TENSORS];
    lft_memory m;
    model(t);
    return lft_safetensors_save(lft_memory_writer(&m, file, size), t, TENSORS, model_meta, 4, NULL) ? 0 : m.at;
}

/* Whatever a load accepts is consistent: the sum touches every byte. */
static int consistent(const lft_safetensors *doc)
{
    double sum = 0;
    int    i, k;
    size_t j;
    for (i = 0; i < doc->tensors; ++i) {
        const lft_tensor *t = doc->tensor + i;
        uint64_t          bytes;
        if (t->rank < 0 || t->rank > 8 || !lft_p_product(t->rank, t->shape, lft_dtype_bytes(t->dtype), &bytes))
            return 0;
        if (bytes != t->bytes || lft_safetensors_find(doc, t->name) != t || !lft_p_utf8_valid(t->name)) return 0;
        if (i && (const char *)t->data != (const char *)t[-1].data + t[-1].bytes) return 0;
        for (j = 0; j < lft_tensor_count(t); ++j) {
            const double x = lft_tensor_get(t, j);
            if (lft_finite(x)) sum += x * 1e-300;
        }
    }
    for (k = 0; k < doc->metas; ++k) {
        if (lft_safetensors_meta(doc, doc->meta[k].key) != doc->meta[k].value) return 0;
        sum += (double)strlen(doc->meta[k].value);
    }
    return lft_finite(sum);
}

static void test_known_bytes(void)
{
    static const char          text[]   = "{\"__metadata__\":{\"k\":\"v\\\"\\u000a\"},"
                                          "\"x\":{\"dtype\":\"F64\",\"shape\":[1,2],\"data_offsets\":[0,16]},"
                                          "\"n\":{\"dtype\":\"U64\",\"shape\":[],\"data_offsets\":[16,24]}}";
    static const unsigned char data[24] = {0, 0, 0, 0,    0, 0, 0xf0, 0x3f, 0, 0, 0, 0,
                                           0, 0, 0, 0xc0, 8, 7, 6,    5,    4, 3, 2, 1};
    const double               x[2]     = {1, -2};
    const uint64_t             n        = 0x0102030405060708u;
    const lft_text_pair        meta     = {"k", "v\"\n"};
    const size_t               length   = (sizeof text - 1 + 7) / 8 * 8;
    unsigned char              file[512], expected[512];
    lft_tensor                 t[2];
    lft_memory                 m;
    t[0] = tensor_of("x", LFT_DTYPE_F64, 2, 1, 2, 0, x);
    t[1] = tensor_of("n", LFT_DTYPE_U64, 0, 0, 0, 0, &n);
    memset(expected, ' ', sizeof expected);
    memset(expected, 0, 8);
    expected[0] = (unsigned char)length;
    memcpy(expected + 8, text, sizeof text - 1);
    memcpy(expected + 8 + length, data, sizeof data);
    check_true("safetensors: status of writing",
               !lft_safetensors_save(lft_memory_writer(&m, file, sizeof file), t, 2, &meta, 1, NULL));
    check_true("safetensors: known bytes", m.at == 8 + length + 24 && !memcmp(file, expected, m.at));
    check_true("safetensors: the smallest file",
               !lft_safetensors_save(lft_memory_writer(&m, file, sizeof file), NULL, 0, NULL, 0, NULL) && m.at == 16 &&
                   !memcmp(file + 8, "{}      ", 8));
}

static void test_round_trip(void)
{
    static unsigned char file[4096], again[4096];
    lft_tensor           t[TENSORS];
    lft_safetensors      doc;
    lft_memory           m;
    const size_t         size = model_file(file, sizeof file);
    const lft_tensor    *found;
    int                  i, ok = 1;
    model(t);
    check_true("safetensors: load", size && !load(file, size, &doc, NULL) && doc.tensors == TENSORS && doc.metas == 4);
    for (i = 0; i < TENSORS; ++i) {
        found = lft_safetensors_find(&doc, t[i].name);
        ok &= found && found->dtype == t[i].dtype && found->rank == t[i].rank && found->bytes == t[i].bytes;
        ok &= found && !memcmp(found->shape, t[i].shape, sizeof t[i].shape);
        ok &= found && (!t[i].bytes || !memcmp(found->data, t[i].data, t[i].bytes));
    }
    check_true("safetensors: tensors come back", ok && consistent(&doc));
    for (i = 0, ok = 1; i < 4; ++i) {
        const char *v = lft_safetensors_meta(&doc, model_meta[i].key);
        ok &= v && !strcmp(v, model_meta[i].value);
    }
    check_true("safetensors: metadata come back", ok);
    check_true("safetensors: what is not there is NULL",
               !lft_safetensors_find(&doc, "a.weigh") && !lft_safetensors_meta(&doc, "k"));
    found = lft_safetensors_find(&doc, "counters");
    check_true("safetensors: U64 exactly",
               lft_tensor_get_u64(found, 0) == model_u64[0] && lft_tensor_get_u64(found, 1) == model_u64[1]);
    check_true("safetensors: beyond the end",
               lft_tensor_get_u64(found, 2) == 0 && !lft_finite(lft_tensor_get(found, 2)));
    found = lft_safetensors_find(&doc, "signed");
    check_true("safetensors: I64", lft_tensor_get_u64(found, 0) == 0 && lft_tensor_get_u64(found, 1) == 42 &&
                                       lft_tensor_get(found, 0) == -9007199254740992.0);
    found = lft_safetensors_find(&doc, "odd address");
    check_true("safetensors: F64 at any address",
               lft_tensor_get(found, 1) == -2.5 && lft_tensor_get(found, 5) == -7 && lft_tensor_get_u64(found, 0) == 0);
    found = lft_safetensors_find(&doc, "\xf0\x9f\x98\x80\xc3\xa9");
    check_true("safetensors: complex numbers", lft_tensor_count(found) == 4 && lft_tensor_get(found, 3) == 2);
    found = lft_safetensors_find(&doc, "i32");
    check_true("safetensors: I32", lft_tensor_get(found, 0) == -2147483648.0 && lft_tensor_get(found, 1) == 7);
    check_true("safetensors: save what was loaded",
               !lft_safetensors_save(lft_memory_writer(&m, again, sizeof again), doc.tensor, doc.tensors, model_meta, 4,
                                     NULL));
    check_true("safetensors: the same length again", m.at == size);
}

/* A file for check_safetensors.py with sums that are exact in double. */
static void leave_for_python(void)
{
    const char          *directory = getenv("LFT_TEST_OUT");
    static unsigned char file[4096];
    lft_tensor           t[TENSORS - 1];
    lft_tensor           all[TENSORS];
    char                 path[4096];
    lft_memory           m;
    FILE                *f;
    if (!directory) return;
    model(all);
    memcpy(t, all, 7 * sizeof *t); /* without the integers beyond 2^53 and the negative ones' squares */
    lft_safetensors_save(lft_memory_writer(&m, file, sizeof file), t, 7, model_meta, 4, NULL);
    snprintf(path, sizeof path, "%s/test.safetensors", directory);
    f = fopen(path, "wb");
    check_true("safetensors: file for Python", f && fwrite(file, 1, m.at, f) == m.at && fclose(f) == 0);
    snprintf(path, sizeof path, "%s/test.safetensors.expected", directory);
    f = fopen(path, "w");
    if (!f) return;
    fputs("\"a.weight\" F64 [2,3] 999994.625 1000000000065.2656\n"
          "\"bytes\" U8 [3] 383 81409\n"
          "\"odd address\" F64 [1,6,1] 999994.625 1000000000065.2656\n"
          "\"f32\" F32 [3] 8.25 64.3125\n"
          "\"\" F32 [0,5] 0 0\n"
          "\"scalar \\\"quoted\\\" \\\\ / \\u001f\\u007f\" U32 [] 4294967295 1.8446744065119617e+19\n"
          "\"\\ud83d\\ude00\\u00e9\" C64 [2] 2.5 6.25\n"
          "\"quote \\\" and \\\\\" = \"line\\nend\\ttab\\u0001\"\n"
          "\"seed\" = \"18446744073709551615\"\n"
          "\"theory\" = \"phi4\"\n"
          "\"\\u00e9\" = \"\\u20ac \\ud83d\\ude00\"\n"
          "7 tensors, 23 numbers, sum 4296967678\n",
          f);
    fclose(f);
}

static void test_save_arguments(void)
{
    static unsigned char file[4096];
    const size_t         size    = model_file(file, sizeof file);
    lft_text_pair        meta[2] = {{"k", "v"}, {"k", "w"}};
    lft_tensor           t[2];
    lft_memory           m;
    lft_writer           w = lft_memory_writer(&m, file, sizeof file);
    lft_error            e;
    size_t               room;
    int                  ok = 1;
    t[0] = t[1] = tensor_of("x", LFT_DTYPE_F64, 1, 6, 0, 0, model_f64);
    lft_safetensors_save(w, t, 2, NULL, 0, &e);
    check_true("safetensors: save a name twice", error_says(&e, LFT_ERR_ARG, "'x': expected each name once"));
    t[0].bytes = 47;
    lft_safetensors_save(w, t, 1, NULL, 0, &e);
    check_true("safetensors: save other bytes", error_says(&e, LFT_ERR_ARG, "bytes are not those of the shape"));
    t[0] = tensor_of("x", LFT_DTYPE_C128, 1, 3, 0, 0, model_f64);
    lft_safetensors_save(w, t, 1, NULL, 0, &e);
    check_true("safetensors: save C128", error_says(&e, LFT_ERR_ARG, "no such dtype"));
    t[0] = tensor_of("__metadata__", LFT_DTYPE_F64, 1, 3, 0, 0, model_f64);
    lft_safetensors_save(w, t, 1, NULL, 0, &e);
    check_true("safetensors: save the reserved name", error_says(&e, LFT_ERR_ARG, "reserved"));
    t[0].name = "\xff";
    lft_safetensors_save(w, t, 1, NULL, 0, &e);
    check_true("safetensors: save a name that is no UTF-8",
               error_says(&e, LFT_ERR_ARG, "tensor '?': the name is no UTF-8"));
    t[0].name = NULL;
    lft_safetensors_save(w, t, 1, NULL, 0, &e);
    check_true("safetensors: save without a name", error_says(&e, LFT_ERR_ARG, "without a name"));
    t[0] = tensor_of("x", LFT_DTYPE_F64, 1, 3, 0, 0, NULL);
    lft_safetensors_save(w, t, 1, NULL, 0, &e);
    check_true("safetensors: save without data", error_says(&e, LFT_ERR_ARG, "no data"));
    t[1].rank = 9;
    lft_safetensors_save(w, t + 1, 1, NULL, 0, &e);
    check_true("safetensors: save rank 9", error_says(&e, LFT_ERR_ARG, "rank from 0 to 8"));
    lft_safetensors_save(w, t, -1, NULL, 0, &e);
    check_true("safetensors: save -1 tensors", error_says(&e, LFT_ERR_ARG, "negative"));
    lft_safetensors_save(w, NULL, 0, meta, 2, &e);
    check_true("safetensors: save a key twice", error_says(&e, LFT_ERR_ARG, "expected each key once, got k"));
    meta[1].value = NULL;
    lft_safetensors_save(w, NULL, 0, meta, 2, &e);
    check_true("safetensors: save a key without value", error_says(&e, LFT_ERR_ARG, "key and value in UTF-8, got 1"));
    check_true("safetensors: nothing written by these", m.at == 0);
    for (room = 0; room < size; ++room) {
        lft_tensor all[TENSORS];
        model(all);
        ok &= lft_safetensors_save(lft_memory_writer(&m, file, room), all, TENSORS, model_meta, 4, &e) == LFT_ERR_IO;
    }
    check_true("safetensors: a writer of any insufficient size gives LFT_ERR_IO", ok);
}

/* ---- what others write, and files that lie ---- */

#define INFO(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE INFO("U8", "[2]", "[0,2]")
#define TWO INFO("U8", "[2]", "[2,4]")

static void test_foreign_headers(void)
{
    static const struct {
        const char *text;
        size_t      bytes;
        int         tensors, metas;
        const char *name; /* of the first tensor or key */
    } test[] = {
        {"{}", 0, 0, 0, NULL},
        {"{ } \n ", 0, 0, 0, NULL},
        {"{\"__metadata__\":{}}", 0, 0, 0, NULL},
        {"{\"__metadata__\":{\"b\":\"\",\"a\":\"\"}}", 0, 0, 2, "a"},
        {"{\"a\":" ONE "}", 2, 1, 0, "a"},
        {"{\"b\":" TWO ",\"__metadata__\":{},\"a\":" ONE "}", 4, 2, 0, "a"},
        {"{ \"a\" : { \"shape\" :\t[ 2 ] ,\n\"data_offsets\":[ 0 , 2 ] , \"dtype\" : \"U8\" } }\r\n", 2, 1, 0, "a"},
        {"{\"\\u00e9\\ud83d\\uDE00\\\"\\\\\\/\\b\\f\\n\\r\\t\":" ONE "}", 2, 1, 0,
         "\xc3\xa9\xf0\x9f\x98\x80\"\\/\b\f\n\r\t"},
        {"{\"\\u007f\\u0080\\u07ff\\u0800\\uffff\":" ONE "}", 2, 1, 0, "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
        {"{\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\":" ONE "}", 2, 1, 0, "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"},
        {"{\"a\":{\"\\u0064type\":\"\\u00558\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, 1, 0, "a"},
        {"{\"a\":" INFO("F64", "[3,0,7]", "[0,0]") ",\"b\":" ONE ",\"c\":" INFO("F64", "[0]", "[2,2]") "}", 2, 3, 0,
         "a"},
        {"{\"b\":" ONE ",\"a\":" INFO("F64", "[0]", "[0,0]") ",\"c\":" INFO("F64", "[0]", "[0,0]") "}", 2, 3, 0, "a"},
        {"{\"a\":" INFO("F32", "[1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, 1, 0, "a"},
    };
    unsigned char   file[1024];
    lft_safetensors doc;
    size_t          i;
    int             ok = 1;
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        lft_error e;
        int       good;
        memset(&e, 0, sizeof e);
        good = !load(file, make(file, test[i].text, test[i].bytes), &doc, &e) && doc.tensors == test[i].tensors &&
               doc.metas == test[i].metas && consistent(&doc);
        if (good && test[i].name) good = !strcmp(doc.tensors ? doc.tensor[0].name : doc.meta[0].key, test[i].name);
        if (!good) printf("    %s\n    %s\n", test[i].text, e.text);
        ok &= good;
    }
    check_true("safetensors: headers of other writers", ok);
}

static void test_refusals(void)
{
    static const struct {
        const char *text;
        size_t      bytes;
        const char *words;
    } test[] = {
        {" {}", 0, "byte 8: expected '{' as the first character, got ' '"},
        {"[]", 0, "expected '{' as the first character, got '['"},
        {"{}x", 0, "byte 10: expected nothing but padding, got 'x'"},
        {"{} {}", 0, "nothing but padding"},
        {"{,}", 0, "expected a string, got ','"},
        {"{\"a\":" ONE ",}", 2, "expected a string, got '}'"},
        {"{\"a\":" ONE, 2, "expected ',' or '}', got the end of the header"},
        {"{\"a\"" ONE "}", 2, "expected ':', got '{'"},
        {"{\"a\":[]}", 0, "expected '{' of a tensor, got '['"},
        {"{\"a\":{}}", 0, "expected a string, got '}'"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2]}}", 2, "dtype, shape and two data_offsets before this"},
        {"{\"a\":" INFO("BF16", "[1]", "[0,2]") "}", 2, "byte 22: dtype: expected F64"},
        {"{\"a\":" INFO("BF16", "[1]", "[0,2]") "}", 2, "got 'BF16'"},
        {"{\"a\":" INFO("C128", "[1]", "[0,16]") "}", 16, "got 'C128'"},
        {"{\"a\":" INFO("none", "[]", "[0,0]") "}", 0, "got 'none'"},
        {"{\"a\":" INFO("\\u001b[2J", "[]", "[0,0]") "}", 0, "got '?[2J'"},
        {"{\"a\":{\"dtype\":8,\"shape\":[2],\"data_offsets\":[0,2]}}", 2, "expected a string, got '8'"},
        {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2,
         "once each, got 'dtype'"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2],\"x\":{\"y\":[]}}}", 2, "once each, got 'x'"},
        {"{\"a\":" INFO("U8", "2", "[0,2]") "}", 2, "expected '[', got '2'"},
        {"{\"a\":" INFO("U8", "[2,]", "[0,2]") "}", 2, "an integer >= 0, got ']'"},
        {"{\"a\":" INFO("U8", "[-2]", "[0,2]") "}", 2, "an integer >= 0, got '-'"},
        {"{\"a\":" INFO("U8", "[2.0]", "[0,2]") "}", 2, "expected ',' or ']', got '.'"},
        {"{\"a\":" INFO("U8", "[2e0]", "[0,2]") "}", 2, "expected ',' or ']', got 'e'"},
        {"{\"a\":" INFO("U8", "[02]", "[0,2]") "}", 2, "leading 0"},
        {"{\"a\":" INFO("U8", "[18446744073709551616]", "[0,2]") "}", 2, "integer below 2^64"},
        {"{\"a\":" INFO("U8", "[1,1,1,1,1,1,1,1,2]", "[0,2]") "}", 2, "at most 8 dimensions"},
        {"{\"a\":" INFO("U8", "[[2]]", "[0,2]") "}", 2, "an integer >= 0, got '['"},
        {"{\"a\":" INFO("F64", "[2305843009213693952]", "[0,0]") "}", 0, "more than 2^64 bytes"},
        {"{\"a\":" INFO("U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "more than 2^64 bytes"},
        {"{\"a\":" INFO("U8", "[18446744073709551615]", "[0,18446744073709551615]") ",\"b\":" INFO("U8", "[1]",
                                                                                                   "[0,1]") "}",
         0, "more than 2^64 bytes with tensor 'b'"},
        {"{\"a\":" INFO("U8", "[3]", "[0,2]") "}", 2,
         "data_offsets: expected the 3 bytes of the shape, got 0 to 2 in tensor 'a'"},
        {"{\"a\":" INFO("U8", "[2]", "[2,0]") "}", 2, "got 2 to 0 in tensor 'a'"},
        {"{\"a\":" INFO("U8", "[18446744073709551615]", "[1,0]") "}", 2, "got 1 to 0 in tensor 'a'"},
        {"{\"a\":" INFO("U8", "[2]", "[0]") "}", 2, "two data_offsets"},
        {"{\"a\":" INFO("U8", "[2]", "[0,2,4]") "}", 2, "expected two offsets"},
        {"{\"a\":" TWO "}", 4, "overlap or leave holes: expected an end at 2, got 4"},
        {"{\"a\":" ONE ",\"b\":" ONE "}", 2, "overlap or leave holes: expected an end at 4, got 2"},
        {"{\"a\":" INFO("U8", "[2]", "[1,3]") ",\"b\":" INFO("U8", "[2]", "[2,4]") "}", 4,
         "byte 10: data_offsets: a hole or an overlap before tensor 'a'"},
        {"{\"a\":" ONE ",\"b\":" INFO("U8", "[2]", "[1,3]") ",\"c\":" INFO("U8", "[2]", "[4,6]") "}", 6,
         "before tensor 'b'"},
        {"{\"a\":" ONE ",\"c\":" INFO("U8", "[0]", "[1,1]") "}", 2, "before tensor 'c'"},
        {"{\"a\":" ONE ",\"a\":" TWO "}", 4, "expected each name once, got again 'a'"},
        {"{\"a\":" ONE ",\"\\u0061\":" TWO "}", 4, "expected each name once, got again 'a'"},
        {"{\"__metadata__\":{\"k\":\"v\",\"k\":\"v\"}}", 0, "expected each name once, got again 'k'"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ only once"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "expected a string, got '1'"},
        {"{\"__metadata__\":null}", 0, "expected '{' of the metadata, got 'n'"},
        {"{\"__metadata__\":{\"k\":{\"k\":{}}}}", 0, "expected a string, got '{'"},
        {"{\"a\\u0000\":" ONE "}", 2, "got \\u0000"},
        {"{\"\\ud83d\":" ONE "}", 2, "second half of a surrogate pair"},
        {"{\"\\ud83d\\u0041\":" ONE "}", 2, "half a surrogate pair"},
        {"{\"\\ude00\":" ONE "}", 2, "half a surrogate pair"},
        {"{\"\\u12g4\":" ONE "}", 2, "four hexadecimal digits, got 'g'"},
        {"{\"\\x41\":" ONE "}", 2, "'u' of an escape, got 'x'"},
        {"{\"a\nb\":" ONE "}", 2, "a character of a string, got byte 10"},
        {"{\"\xff\":" ONE "}", 2, "expected UTF-8, got byte 255"},
        {"{\"\xc0\x80\":" ONE "}", 2, "expected UTF-8, got byte 192"},
        {"{\"\xe0\x80\x80\":" ONE "}", 2, "expected UTF-8, got byte 128"},
        {"{\"\xf0\x8f\xbf\xbf\":" ONE "}", 2, "expected UTF-8, got byte 143"},
        {"{\"\xed\xa0\x80\":" ONE "}", 2, "expected UTF-8, got byte 160"},
        {"{\"\xe2\x82\":" ONE "}", 2, "expected UTF-8, got '\"'"},
        {"{\"\xf4\x90\x80\x80\":" ONE "}", 2, "expected UTF-8, got byte 144"},
        {"{\"a\":" ONE "}", 3, "expected the end of the file, got more data"},
    };
    unsigned char   file[1024];
    lft_safetensors doc;
    lft_error       e;
    size_t          i;
    int             ok = 1;
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        memset(&e, 0, sizeof e);
        load(file, make(file, test[i].text, test[i].bytes), &doc, &e);
        ok &= error_says(&e, LFT_ERR_FORMAT, test[i].words) && doc.tensors == 0 && doc.metas == 0;
    }
    check_true("safetensors: headers to refuse, with the right words", ok);
    load(file, make(file, "{\"a\":" ONE "}", 1), &doc, &e);
    check_true("safetensors: data too short",
               error_says(&e, LFT_ERR_IO, "byte 61: the data end early: expected 2 more"));
}

static void test_absurd_sizes(void)
{
    static const char    deep[] = "{\"a\":{\"dtype\":";
    static char          text[20000];
    static unsigned char file[24000];
    lft_safetensors      doc;
    lft_error            e;
    make(file, "{}", 0);
    lft_p_file_put(file, 8, UINT64_MAX);
    load(file, 10, &doc, &e);
    check_true("safetensors: N = 2^64 - 1", error_says(&e, LFT_ERR_FORMAT, "2 to 100000000, got 18446744073709551615"));
    lft_p_file_put(file, 8, 100000001);
    load(file, 10, &doc, &e);
    check_true("safetensors: N = 100 MB + 1", error_says(&e, LFT_ERR_FORMAT, "got 100000001"));
    lft_p_file_put(file, 8, 1);
    load(file, 10, &doc, &e);
    check_true("safetensors: N = 1", error_says(&e, LFT_ERR_FORMAT, "got 1"));
    lft_p_file_put(file, 8, 100000000);
    load(file, 10, &doc, &e);
    check_true("safetensors: N of more than file and arena", error_says(&e, LFT_ERR_IO, "byte 8: the data end early"));
    lft_p_file_put(file, 8, 100000);
    load(file, 10, &doc, &e);
    check_true("safetensors: N of more than the file", error_says(&e, LFT_ERR_IO, "expected 100000 more bytes, got 2"));
    load(file, make(file, "{\"a\":" INFO("U8", "[4611686018427387904]", "[0,4611686018427387904]") "}", 0), &doc, &e);
    check_true("safetensors: 2^62 bytes of data", error_says(&e, LFT_ERR_NOMEM, "arena: needs "));
    load(file, make(file, "{\"a\":" INFO("U8", "[18446744073709551615]", "[0,18446744073709551615]") "}", 0), &doc, &e);
    check_true("safetensors: 2^64 - 1 bytes of data", error_says(&e, LFT_ERR_NOMEM, "arena: needs "));
    memset(text, '[', sizeof text - 1);
    memcpy(text, deep, sizeof deep - 1);
    load(file, make(file, text, 0), &doc, &e);
    check_true("safetensors: a deep header", error_says(&e, LFT_ERR_FORMAT, "expected a string, got '['"));
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "{\"", 2);
    load(file, make(file, text, 0), &doc, &e);
    check_true("safetensors: a long name without an end", error_says(&e, LFT_ERR_FORMAT, "got the end of the header"));
}

/* Many tensors in a wild order of header and data; the same with one name twice. */
static void test_many(void)
{
    enum { MANY = 1000 };
    static char          text[100 * MANY];
    static unsigned char file[100 * MANY + 4 * MANY];
    lft_safetensors      doc;
    lft_error            e;
    int                  twice, i, ok = 1;
    for (twice = 0; twice < 2; ++twice) {
        size_t at = 1;
        text[0]   = '{';
        for (i = 0; i < MANY; ++i) {
            const int k = i * 379 % MANY; /* 379 and 1000 have no common factor */
            at += (size_t)sprintf(text + at, "%s\"t%d\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
                                  i ? "," : "", twice && k == 500 ? 123 : MANY - k, 4 * k, 4 * k + 4);
        }
        strcpy(text + at, "}");
        load(file, make(file, text, 4 * MANY), &doc, &e);
        if (twice) break;
        ok = doc.tensors == MANY && consistent(&doc);
        for (i = 0; i < MANY && ok; ++i) ok = atoi(doc.tensor[i].name + 1) == MANY - i;
    }
    check_true("safetensors: 1000 tensors in a wild order", ok);
    check_true("safetensors: 1000 tensors, one name twice", error_says(&e, LFT_ERR_FORMAT, "got again 't123'"));
}

static void test_truncation(void)
{
    static unsigned char file[4096];
    const size_t         size = model_file(file, sizeof file);
    lft_safetensors      doc;
    lft_error            e;
    size_t               n;
    int                  ok = 1;
    for (n = 0; n < size; ++n) {
        unsigned char *cut = (unsigned char *)malloc(n ? n : 1); /* of its own, so that the sanitizer sees its end */
        if (!cut) break;
        memcpy(cut, file, n);
        memset(&e, 0, sizeof e);
        ok &= load(cut, n, &doc, &e) == LFT_ERR_IO && strstr(e.text, "the data end early") && !doc.tensors;
        free(cut);
    }
    check_true("safetensors: cut at every byte of header and data", ok && n == size);
}

static void test_corruption(void)
{
    static unsigned char file[4096];
    const size_t         size = model_file(file, sizeof file), end = 8 + (size_t)lft_p_file_get(file, 8, 0);
    lft_safetensors      doc;
    lft_error            e;
    size_t               at;
    int                  c, ok = 1, accepted = 0;
    for (at = 0; at < end; ++at) {
        const unsigned char was = file[at];
        for (c = 0; c < 256; ++c) {
            lft_status status;
            memset(&e, 0, sizeof e);
            file[at] = (unsigned char)c;
            status   = load(file, size, &doc, &e);
            if (status) {
                ok &= e.code == status && e.text[0] && !doc.tensors && !doc.metas;
                ok &= status == LFT_ERR_FORMAT || status == LFT_ERR_IO || status == LFT_ERR_NOMEM;
            } else ++accepted, ok &= consistent(&doc);
        }
        file[at] = was;
    }
    check_true("safetensors: every change of one byte of the header", ok);
    printf("    %d of %d changed headers were still headers\n", accepted, (int)end * 256);
}

/* Each arena of too few bytes is refused and says how many are needed; that many are enough. */
static void test_arenas(void)
{
    static unsigned char file[4096];
    const size_t         size = model_file(file, sizeof file);
    lft_arena            a    = lft_arena_measure(), marked;
    lft_safetensors      doc;
    lft_memory           m;
    lft_error            e;
    size_t               n, most;
    int                  ok;
    ok   = !lft_safetensors_load(lft_memory_reader(&m, file, size), &a, &doc, NULL) && !doc.tensors && !doc.metas;
    most = a.need;
    check_true("safetensors: measure", ok && most > size && most < 2 * size + 63 + TENSORS * sizeof(lft_tensor) + 512);
    for (n = 0; n <= most; ++n) {
        unsigned char *block = (unsigned char *)malloc(n ? n : 1);
        size_t         need;
        lft_status     status;
        if (!block) break;
        a      = lft_arena_of(block, n);
        need   = a.need + most - (LFT_P_ALIGN - 1);
        status = lft_safetensors_load(lft_memory_reader(&m, file, size), &a, &doc, &e);
        ok &= a.need == need;
        if (n < need) ok &= status == LFT_ERR_NOMEM && error_says(&e, LFT_ERR_NOMEM, "arena: needs ") && !doc.tensors;
        else ok &= !status && consistent(&doc) && doc.tensors == TENSORS;
        free(block);
    }
    check_true("safetensors: arenas of every size up to the one measured", ok && n == most + 1);
    a        = lft_arena_of(memory, sizeof memory);
    marked   = a;
    file[20] = 1;
    lft_safetensors_load(lft_memory_reader(&m, file, size), &a, &doc, &e);
    check_true("safetensors: a bad file leaves the arena as it was", e.code == LFT_ERR_FORMAT && a.need == marked.need);
}

/* ---- files ---- */

static int fill_model(lft_writer to, void *ctx, lft_error *e)
{
    lft_tensor t[TENSORS];
    model(t);
    *(int *)ctx += 1;
    return (int)lft_safetensors_save(to, t, TENSORS, model_meta, 4, e);
}

static int fill_and_stop(lft_writer to, void *ctx, lft_error *e)
{
    (void)ctx;
    (void)e;
    to.write(to.user, "half", 4);
    return LFT_STOPPED;
}

static int exists(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f) fclose(f);
    return f != NULL;
}

static lft_status load_path(const char *path, lft_safetensors *doc, lft_error *e)
{
    lft_arena  a = lft_arena_of(memory, sizeof memory);
    FILE      *f = fopen(path, "rb");
    lft_status status;
    if (!f) return LFT_ERR_IO;
    status = lft_safetensors_load(lft_file_reader(f), &a, doc, e);
    fclose(f);
    return status;
}

static void test_stdio(const char *program)
{
    char            path[1000], temporary[1010], longest[4200];
    lft_safetensors doc;
    lft_error       e;
    FILE           *full;
    int             calls = 0;
    snprintf(path, sizeof path, "%.900s.file", program);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    check_true("stdio: write a new file", !lft_file_replace(path, fill_model, &calls, NULL) && calls == 1);
    check_true("stdio: read it", !load_path(path, &doc, NULL) && doc.tensors == TENSORS && consistent(&doc));
    check_true("stdio: replace it", !lft_file_replace(path, fill_model, &calls, NULL) && !exists(temporary));
    check_true("stdio: stop", lft_file_replace(path, fill_and_stop, NULL, NULL) == LFT_STOPPED && !exists(temporary));
    check_true("stdio: a stop leaves the file as it was", !load_path(path, &doc, NULL) && doc.tensors == TENSORS);
    lft_file_replace("/no/such/directory/x", fill_model, &calls, &e);
    check_true("stdio: no directory", error_says(&e, LFT_ERR_IO, "got /no/such/directory/x.tmp"));
    lft_file_replace("/", fill_model, &calls, &e);
    check_true("stdio: a directory", e.code == LFT_ERR_IO);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    lft_file_replace(longest, fill_model, &calls, &e);
    check_true("stdio: a path that is too long", error_says(&e, LFT_ERR_ARG, "at most 4000 bytes"));
    remove(path);
    full = fopen("/dev/full", "wb");
    if (!full) {
        check_skipped("stdio: full disk", "no /dev/full");
        return;
    }
    setvbuf(full, NULL, _IONBF, 0);
    calls = fill_model(lft_file_writer(full), &calls, &e);
    check_true("stdio: full disk, writing at once",
               calls == (int)LFT_ERR_IO && error_says(&e, LFT_ERR_IO, "is the disk full"));
    fclose(full);
}

#if defined(__unix__)
extern int  symlink(const char *to, const char *from); /* POSIX, which -std=c99 hides */
static void test_full_disk(
    const char *program) /* the temporary file is a link to the device: it fails when stdio empties its buffer */
{
    char      path[1000], temporary[1010];
    lft_error e;
    int       calls = 0;
    snprintf(path, sizeof path, "%.900s.file", program);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    memset(&e, 0, sizeof e);
    if (!exists("/dev/full") || symlink("/dev/full", temporary)) {
        check_skipped("stdio: full disk when flushing", "no /dev/full");
        return;
    }
    check_true("stdio: full disk when flushing", lft_file_replace(path, fill_model, &calls, &e) == LFT_ERR_IO &&
                                                     error_says(&e, LFT_ERR_IO, "room on the disk"));
    check_true("stdio: full disk leaves nothing behind", !exists(path) && !exists(temporary));
}
#else
static void test_full_disk(const char *program)
{
    (void)program;
    check_skipped("stdio: full disk when flushing", "no symbolic links");
}
#endif

/* Numbers from tests/vectors/check_safetensors.py on the same file. */
static void test_shared(const char *file, int numbers, const char *name, uint64_t n1, double part, double sum)
{
    const char       *directory = getenv("LFT_SHARED");
    char              path[4096];
    lft_safetensors   doc;
    const lft_tensor *t;
    lft_error         e;
    double            total = 0, one = 0;
    size_t            k, n           = 0;
    int               i;
    snprintf(path, sizeof path, "%s/weights/%s", directory ? directory : "", file);
    if (!directory || !exists(path)) {
        check_skipped(file, directory ? "not found" : "LFT_SHARED is not set");
        return;
    }
    memset(&e, 0, sizeof e);
    if (load_path(path, &doc, &e)) printf("    %s\n", e.text);
    check_true(file, doc.tensors == 96 && doc.metas == 2 && lft_safetensors_meta(&doc, "source"));
    for (i = 0; i < doc.tensors; ++i) {
        for (k = 0; k < lft_tensor_count(doc.tensor + i); ++k, ++n) total += lft_tensor_get(doc.tensor + i, k);
    }
    t = lft_safetensors_find(&doc, name);
    check_true("    shape", t && t->dtype == LFT_DTYPE_F32 && t->rank == 4 && t->shape[1] == n1 && t->shape[3] == 3);
    for (k = 0; t && k < lft_tensor_count(t); ++k) one += lft_tensor_get(t, k);
    check_near("    numbers", (double)n, numbers, 0);
    check_near("    sum of the first tensor", one, part, 1e-13);
    check_near("    sum of all tensors", total, sum, 1e-11);
}

int main(int argc, char **argv)
{
    (void)argc;
    test_known_bytes();
    test_round_trip();
    leave_for_python();
    test_save_arguments();
    test_foreign_headers();
    test_refusals();
    test_absurd_sizes();
    test_many();
    test_truncation();
    test_corruption();
    test_arenas();
    test_stdio(argv[0]); /* files beside the program: variants of it may run at the same time */
    test_full_disk(argv[0]);
    test_shared("tutorial_phi4.safetensors", 12960, "layers.0.net.0.weight", 1, -0.36237494624219835,
                -2.0759646621869479);
    test_shared("tutorial_u1.safetensors", 15280, "layers.0.net.0.weight", 2, -3.5799167726072483, 13.779258492312238);
    return test_end();
}
