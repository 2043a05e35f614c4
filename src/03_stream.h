/* 03_stream.h: where bytes come from and go to, and how numbers lie in them. The header itself opens no file.
 * Offers: lft_reader, lft_writer, lft_memory_reader(), lft_memory_writer(), lft_dtype, lft_dtype_bytes(),
 *         lft_dtype_str(); for the format rooms: bytes of numbers, lft_p_source (text being parsed), lft_p_sink. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* read(user, data, n) fills data with exactly n bytes or returns fewer: the end of the data or a failure. */
typedef struct lft_reader {
    size_t (*read)(void *user, void *data, size_t n);
    void *user;
} lft_reader;

/* write(user, data, n) stores n bytes and returns n; fewer is a failure. */
typedef struct lft_writer {
    size_t (*write)(void *user, const void *data, size_t n);
    void *user;
} lft_writer;

/* A block of memory as a stream; `at` is the number of bytes read or written so far. It must outlive the stream. */
typedef struct lft_memory {
    const unsigned char *in;
    unsigned char       *out;
    size_t               size, at;
} lft_memory;

/* A reader of `size` bytes, e.g. of a model that is linked into the program. */
LFT_P_STATIC lft_reader lft_memory_reader(lft_memory *memory, const void *data, size_t size);

/* A writer into at most `size` bytes. A write that does not fit stores nothing and fails. */
LFT_P_STATIC lft_writer lft_memory_writer(lft_memory *memory, void *data, size_t size);

/* value, name, kind, bytes of an element, bytes of one number in it */
#define LFT_P_DTYPE_LIST(X)               \
    X(LFT_DTYPE_F32, "F32", 'f', 4, 4)    \
    X(LFT_DTYPE_F64, "F64", 'f', 8, 8)    \
    X(LFT_DTYPE_C64, "C64", 'c', 8, 4)    \
    X(LFT_DTYPE_C128, "C128", 'c', 16, 8) \
    X(LFT_DTYPE_U64, "U64", 'u', 8, 8)    \
    X(LFT_DTYPE_I64, "I64", 'i', 8, 8)    \
    X(LFT_DTYPE_U32, "U32", 'u', 4, 4)    \
    X(LFT_DTYPE_I32, "I32", 'i', 4, 4)    \
    X(LFT_DTYPE_U8, "U8", 'u', 1, 1)

/* Element types of stored arrays; 0 is none. A complex element is two numbers, real part first. */
#define LFT_P_DTYPE_ENUM(code, name, kind, bytes, part) code,
typedef enum lft_dtype { LFT_DTYPE_NONE, LFT_P_DTYPE_LIST(LFT_P_DTYPE_ENUM) LFT_P_DTYPE_COUNT } lft_dtype;
#undef LFT_P_DTYPE_ENUM

/* Bytes of one element, e.g. 16 for LFT_DTYPE_C128; 0 for a value that is none of the enum's. */
LFT_P_STATIC size_t lft_dtype_bytes(lft_dtype dtype);

/* "F64" and so on, the names that safetensors uses; "none" for a value that is none of the enum's. Never NULL. */
LFT_P_STATIC const char *lft_dtype_str(lft_dtype dtype);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC size_t lft_p_memory_read(void *user, void *data, size_t n)
{
    lft_memory *m    = (lft_memory *)user;
    size_t      left = m->size - m->at;
    if (n > left) n = left;
    if (n) lft_p_copy(data, m->in + m->at, n);
    m->at += n;
    return n;
}

LFT_P_STATIC size_t lft_p_memory_write(void *user, const void *data, size_t n)
{
    lft_memory *m = (lft_memory *)user;
    if (n > m->size - m->at) return 0;
    if (n) lft_p_copy(m->out + m->at, data, n);
    m->at += n;
    return n;
}

LFT_P_STATIC lft_reader lft_memory_reader(lft_memory *memory, const void *data, size_t size)
{
    lft_reader r;
    memory->in   = (const unsigned char *)data;
    memory->out  = NULL;
    memory->size = size;
    memory->at   = 0;
    r.read       = lft_p_memory_read;
    r.user       = memory;
    return r;
}

LFT_P_STATIC lft_writer lft_memory_writer(lft_memory *memory, void *data, size_t size)
{
    lft_writer w;
    memory->in   = NULL;
    memory->out  = (unsigned char *)data;
    memory->size = size;
    memory->at   = 0;
    w.write      = lft_p_memory_write;
    w.user       = memory;
    return w;
}

/* ---- element types and the bytes of numbers ---- */

typedef struct lft_p_dtype {
    char          name[5], kind; /* kind: f, c, u, i as in npy */
    unsigned char bytes, part;
} lft_p_dtype;

LFT_P_STATIC const lft_p_dtype *lft_p_dtype_of(lft_dtype dtype)
{
#define LFT_P_DTYPE_ROW(code, name, kind, bytes, part) {name, kind, bytes, part},
    static const lft_p_dtype row[] = {{"none", '?', 0, 0}, LFT_P_DTYPE_LIST(LFT_P_DTYPE_ROW)};
#undef LFT_P_DTYPE_ROW
    return row + ((unsigned)dtype < LFT_P_DTYPE_COUNT ? (unsigned)dtype : 0u);
}

LFT_P_STATIC size_t lft_dtype_bytes(lft_dtype dtype)
{
    return lft_p_dtype_of(dtype)->bytes;
}

LFT_P_STATIC const char *lft_dtype_str(lft_dtype dtype)
{
    return lft_p_dtype_of(dtype)->name;
}

/* *product = factor * shape[0] * ... in 64 bits; 0 if that overflows. */
LFT_P_STATIC int lft_p_product(int rank, const uint64_t *shape, uint64_t factor, uint64_t *product)
{
    int i;
    for (i = 0; i < rank; ++i) {
        if (shape[i] && factor > UINT64_MAX / shape[i]) return 0;
        factor *= shape[i];
    }
    *product = factor;
    return 1;
}

/* n <= 8 bytes of a file, whatever the byte order of the machine. (gcc 12 -O3 does not see that n is never more, and
 * warns of an overflow: hence the second bound.) */
LFT_P_STATIC uint64_t lft_p_file_get(const unsigned char *p, size_t n, int big_endian)
{
    uint64_t v = 0;
    size_t   i;
    for (i = 0; i < n; ++i) v |= (uint64_t)p[i] << 8 * (big_endian ? n - 1 - i : i);
    return v;
}

LFT_P_STATIC void lft_p_file_put(unsigned char *p, size_t n, uint64_t v)
{
    size_t i;
    for (i = 0; i < n && i < 8; ++i) p[i] = (unsigned char)(v >> 8 * i & 0xff);
}

/* The same for a number of 1, 4 or 8 bytes as the machine holds it; p needs no alignment. */
LFT_P_STATIC uint64_t lft_p_host_get(const void *p, size_t n)
{
    uint64_t      v8;
    uint32_t      v4;
    unsigned char v1;
    if (n == 8) {
        lft_p_copy(&v8, p, 8);
        return v8;
    }
    if (n == 4) {
        lft_p_copy(&v4, p, 4);
        return v4;
    }
    lft_p_copy(&v1, p, 1);
    return v1;
}

LFT_P_STATIC void lft_p_host_put(void *p, size_t n, uint64_t v)
{
    const uint32_t      v4 = (uint32_t)(v & 0xffffffffu);
    const unsigned char v1 = (unsigned char)(v & 0xff);
    if (n == 8) lft_p_copy(p, &v, 8);
    else if (n == 4) lft_p_copy(p, &v4, 4);
    else lft_p_copy(p, &v1, 1);
}

/* The number whose bits these are; integers beyond 2^53 are rounded. */
LFT_P_STATIC double lft_p_number_of(lft_dtype dtype, uint64_t bits)
{
    const lft_p_dtype *d = lft_p_dtype_of(dtype);
    double             x;
    float              f;
    uint32_t           half = (uint32_t)(bits & 0xffffffffu);
    if (d->kind == 'u') return (double)bits;
    if (d->kind == 'i') {
        if (d->part == 4 && half >> 31) bits |= (uint64_t)0xffffffffu << 32;
        return bits >> 63 ? -(double)(0 - bits) : (double)bits;
    }
    if (d->part == 4) {
        lft_p_copy(&f, &half, 4);
        return (double)f;
    }
    lft_p_copy(&x, &bits, 8);
    return x;
}

/* The bits of x as that type; 0 if it cannot hold x: a fraction in an integer, or beyond the range. */
LFT_P_STATIC int lft_p_number_bits(lft_dtype dtype, double x, uint64_t *bits)
{
    const lft_p_dtype *d    = lft_p_dtype_of(dtype);
    const double       most = 3.4028234663852886e38, size = x < 0 ? -x : x;
    if (d->kind == 'u' || d->kind == 'i') {
        uint64_t u, limit = (uint64_t)1 << (8 * d->part - 1);
        if (!lft_finite(x) || size >= 18446744073709551616.0) return 0;
        u     = (uint64_t)size;
        *bits = x < 0 ? 0 - u : u;
        if ((double)u != size) return 0;
        if (d->kind == 'u') return (x >= 0 || u == 0) && u / 2 < limit;
        return x < 0 ? u <= limit : u < limit;
    }
    if (d->part == 4) {
        float    f;
        uint32_t half;
        if (lft_finite(x) && size > most) return 0;
        f = (float)x;
        lft_p_copy(&half, &f, 4);
        *bits = half;
        return 1;
    }
    lft_p_copy(bits, &x, 8);
    return 1;
}

#endif /* LFT_P_CODE */
