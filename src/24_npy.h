/* 24_npy.h: arrays for and from NumPy. Source: numpy.lib.format (NEP 1), format versions 1.0, 2.0 and 3.0.
 * Offers: lft_npy, lft_npy_write_header(), lft_npy_write(), lft_npy_write_f32(), lft_npy_read_header(), lft_npy_read().
 *
 * A file is a header with element type and shape, then the elements in C order (last index fastest). Values pass
 * through a small buffer on the stack: an array may be larger than the memory, and be written and read in pieces. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* What a header says. Fill it with lft_npy_read_header(). */
typedef struct lft_npy {
    lft_dtype dtype;
    int       big_endian, rank;
    uint64_t  shape[8]; /* [rank] */
    uint64_t  count;    /* numbers in all: a complex element counts as two, real part first; rank 0 has one element */
} lft_npy;

/* Writes a header of version 1.0, little-endian and padded to a multiple of 64 bytes. 0 <= rank <= 8.
 * LFT_ERR_ARG: no such dtype or rank, or more than 2^64 bytes of data; LFT_ERR_IO. O(1). */
LFT_P_STATIC lft_status lft_npy_write_header(lft_writer to, lft_dtype dtype, int rank, const uint64_t *shape,
                                             lft_error *error);

/* Writes the next n numbers, converted to the dtype. Calls may follow each other; together they must write what the
 * header announced, which the caller sees to. Infinity and NaN pass in the real and complex types.
 * LFT_ERR_ARG: a value that an integer type or a float cannot hold (those before it may have been written); LFT_ERR_IO.
 * O(n). */
LFT_P_STATIC lft_status lft_npy_write(lft_writer to, lft_dtype dtype, const double *value, size_t n, lft_error *error);
LFT_P_STATIC lft_status lft_npy_write_f32(lft_writer to, lft_dtype dtype, const float *value, size_t n,
                                          lft_error *error);

/* Reads a header and leaves the reader at the first element. Keys come in any order, both byte orders are read.
 * LFT_ERR_FORMAT: no npy file, Fortran order, another element type, rank above 8, or more than 2^64 bytes of data;
 * LFT_ERR_IO: the data end early. After a failure *npy is all zero. O(length of the header), no memory. */
LFT_P_STATIC lft_status lft_npy_read_header(lft_reader from, lft_npy *npy, lft_error *error);

/* Reads the next n numbers as doubles (integers beyond 2^53 are rounded). n <= npy->count; the caller adds up pieces.
 * What follows the array is left alone: a file may hold several.
 * LFT_ERR_ARG: n too large; LFT_ERR_IO: the data end early, byte offsets count from the start of this piece. O(n). */
LFT_P_STATIC lft_status lft_npy_read(lft_reader from, const lft_npy *npy, double *out, size_t n, lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- writing ---- */

LFT_P_STATIC lft_status lft_npy_write_header(lft_writer to, lft_dtype dtype, int rank, const uint64_t *shape,
                                             lft_error *error)
{
    static const char  magic[] = "\x93NUMPY\x01";
    const lft_p_dtype *d       = lft_p_dtype_of(dtype);
    char               text[384], kind[2] = {0, 0}; /* 8 dimensions of 20 digits make 234 characters */
    unsigned char      length[2];
    lft_p_text         t = lft_p_text_over(text, sizeof text);
    lft_p_sink         s;
    uint64_t           bytes;
    int                i;
    if (!d->bytes) return lft_p_fail(error, LFT_ERR_ARG, "npy", "no such dtype");
    if (rank < 0 || rank > 8) return lft_p_fail_got(error, LFT_ERR_ARG, "npy", "rank", "0 to 8", (double)rank);
    if (!lft_p_product(rank, shape, d->bytes, &bytes)) {
        return lft_p_fail(error, LFT_ERR_ARG, "npy", "the shape has more than 2^64 bytes");
    }
    kind[0] = d->kind;
    lft_p_put(&t, d->bytes == 1 ? "{'descr': '|" : "{'descr': '<");
    lft_p_put(&t, kind);
    lft_p_put_u64(&t, d->bytes);
    lft_p_put(&t, "', 'fortran_order': False, 'shape': (");
    for (i = 0; i < rank; ++i) {
        if (i) lft_p_put(&t, ", ");
        lft_p_put_u64(&t, shape[i]);
    }
    lft_p_put(&t, rank == 1 ? ",), }" : "), }");
    while ((10 + t.used + 1) % 64) lft_p_put(&t, " ");
    lft_p_put(&t, "\n");
    lft_p_file_put(length, 2, t.used);
    lft_p_sink_open(&s, to);
    lft_p_sink_put(&s, magic, 8); /* with the terminating 0 as minor version */
    lft_p_sink_put(&s, length, 2);
    lft_p_sink_put(&s, text, t.used);
    return lft_p_sink_close(&s, "npy", error);
}

/* Numbers first, first + 1, ... of the array. */
LFT_P_STATIC lft_status lft_p_npy_put(lft_p_sink *s, lft_dtype dtype, const double *value, size_t first, size_t n,
                                      lft_error *error)
{
    const size_t  part = lft_p_dtype_of(dtype)->part;
    unsigned char bytes[8];
    uint64_t      bits = 0;
    size_t        i;
    if (!part) return lft_p_fail(error, LFT_ERR_ARG, "npy", "no such dtype");
    for (i = 0; i < n; ++i) {
        if (!lft_p_number_bits(dtype, value[i], &bits)) {
            lft_p_text t = lft_p_error_text(error, LFT_ERR_ARG, "npy", "value ");
            lft_p_put_u64(&t, first + i);
            lft_p_put(&t, ": expected a number that fits ");
            lft_p_put(&t, lft_dtype_str(dtype));
            lft_p_put(&t, ", got ");
            lft_p_put_f64(&t, value[i]);
            return LFT_ERR_ARG;
        }
        lft_p_file_put(bytes, part, bits);
        lft_p_sink_put(s, bytes, part);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status lft_npy_write(lft_writer to, lft_dtype dtype, const double *value, size_t n, lft_error *error)
{
    lft_p_sink s;
    lft_status status;
    lft_p_sink_open(&s, to);
    status = lft_p_npy_put(&s, dtype, value, 0, n, error);
    return status ? status : lft_p_sink_close(&s, "npy", error);
}

LFT_P_STATIC lft_status lft_npy_write_f32(lft_writer to, lft_dtype dtype, const float *value, size_t n,
                                          lft_error *error)
{
    lft_p_sink s;
    lft_status status = LFT_OK;
    double     wide[64];
    size_t     i, at, now;
    lft_p_sink_open(&s, to);
    for (at = 0; at < n && !status; at += now) {
        now = n - at < 64 ? n - at : 64;
        for (i = 0; i < now; ++i) wide[i] = (double)value[at + i];
        status = lft_p_npy_put(&s, dtype, wide, at, now, error);
    }
    return status ? status : lft_p_sink_close(&s, "npy", error);
}

/* ---- reading ---- */

/* '<f8' and the like. */
LFT_P_STATIC void lft_p_npy_descr(lft_p_source *s, lft_npy *npy)
{
    const uint64_t at = lft_p_place(s);
    char           brief[48];
    const char    *text  = lft_p_string(s, '\'', brief);
    uint64_t       bytes = 0;
    unsigned       i;
    npy->big_endian = text[0] == '>';
    if ((text[0] == '<' || text[0] == '>' || text[0] == '|') && text[1] && lft_p_parse_u64(text + 2, &bytes)) {
        for (i = 1; i < LFT_P_DTYPE_COUNT; ++i) {
            const lft_p_dtype *d = lft_p_dtype_of((lft_dtype)i);
            if (d->kind == text[1] && d->bytes == bytes && (text[0] != '|' || bytes == 1)) npy->dtype = (lft_dtype)i;
        }
    }
    if (!npy->dtype) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, at, "descr: expected < or > and f4 f8 c8 c16 u8 i8 u4 i4 u1, got ");
        lft_p_put_quoted(&t, text);
    }
}

LFT_P_STATIC void lft_p_npy_fortran(lft_p_source *s)
{
    const uint64_t at      = lft_p_place(s);
    const int      fortran = lft_p_peek(s) == 'T';
    const char    *word;
    for (word = fortran ? "True" : "False"; *word && !s->status; ++word) {
        if (lft_p_peek(s) != *word) lft_p_unexpected(s, "True or False");
        else lft_p_skip(s);
    }
    if (fortran) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, at,
                        "fortran_order: expected False, got True: save numpy.ascontiguousarray(a)");
    }
}

/* A tuple: (), (3,), (3, 4) or (3, 4,); Python 2 wrote 3L for a long. */
LFT_P_STATIC void lft_p_npy_shape(lft_p_source *s, lft_npy *npy)
{
    int comma = 1;
    (void)lft_p_want(s, '(', "'(' of the shape");
    while (!s->status && !lft_p_accept(s, ')')) {
        if (!comma) lft_p_unexpected(s, "',' or ')' in the shape");
        else if (npy->rank == 8) lft_p_unexpected(s, "at most 8 dimensions");
        else npy->shape[npy->rank++] = lft_p_integer(s);
        if (lft_p_peek(s) == 'L') lft_p_skip(s);
        comma = lft_p_accept(s, ',');
    }
    if (npy->rank == 1 && !comma) lft_p_unexpected(s, "a comma in a shape of rank 1: (n,)");
}

LFT_P_STATIC void lft_p_npy_dict(lft_p_source *s, lft_npy *npy)
{
    static const char *const key[] = {"descr", "fortran_order", "shape"};
    unsigned                 seen  = 0;
    int                      comma = 1;
    (void)lft_p_want(s, '{', "'{'");
    while (!s->status && !lft_p_accept(s, '}')) {
        if (!comma) lft_p_unexpected(s, "',' or '}'");
        switch (lft_p_key(s, '\'', key, &seen)) {
        case 0: lft_p_npy_descr(s, npy); break;
        case 1: lft_p_npy_fortran(s); break;
        case 2: lft_p_npy_shape(s, npy); break;
        default: break;
        }
        comma = lft_p_accept(s, ',');
    }
    if (seen != 7) (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected descr, fortran_order and shape before the end");
    lft_p_want_end(s);
}

/* Magic, version and length: after them the source is at the text. */
LFT_P_STATIC void lft_p_npy_magic(lft_p_source *s)
{
    static const char magic[] = "\x93NUMPY";
    unsigned char     b[8]    = {0, 0, 0, 0, 0, 0, 0, 0};
    size_t            i, bytes;
    (void)lft_p_take(s, b, 8);
    for (i = 0; i < 6; ++i) {
        if (b[i] != (unsigned char)magic[i]) (void)lft_p_bad(s, LFT_ERR_FORMAT, 0, "expected \\x93NUMPY: no npy file");
    }
    if (b[6] < 1 || b[6] > 3 || b[7]) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, 6, "version: expected 1.0, 2.0 or 3.0, got ");
        lft_p_put_u64(&t, b[6]);
        lft_p_put(&t, ".");
        lft_p_put_u64(&t, b[7]);
    }
    bytes = b[6] == 1 ? 2 : 4;
    if (!lft_p_take(s, b, bytes)) return;
    s->left = lft_p_file_get(b, bytes, 0);
    if (s->left > 1u << 20) { /* far beyond any header of rank 8 */
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, 8, "length of the header: expected at most 1048576, got ");
        lft_p_put_u64(&t, s->left);
    }
}

LFT_P_STATIC lft_status lft_npy_read_header(lft_reader from, lft_npy *npy, lft_error *error)
{
    unsigned char      window[128];
    const lft_p_dtype *d;
    lft_p_source       s;
    uint64_t           bytes = 0;
    lft_p_zero(npy, sizeof *npy);
    lft_p_source_open(&s, from, "npy", error);
    s.data = window;
    s.size = sizeof window;
    lft_p_npy_magic(&s);
    lft_p_npy_dict(&s, npy);
    d = lft_p_dtype_of(npy->dtype);
    if (!lft_p_product(npy->rank, npy->shape, d->bytes, &bytes)) {
        (void)lft_p_bad(&s, LFT_ERR_FORMAT, s.at, "the shape has more than 2^64 bytes");
    }
    if (s.status) lft_p_zero(npy, sizeof *npy);
    else npy->count = bytes / d->part;
    return s.status;
}

LFT_P_STATIC lft_status lft_npy_read(lft_reader from, const lft_npy *npy, double *out, size_t n, lft_error *error)
{
    const size_t  part = lft_p_dtype_of(npy->dtype)->part, most = 512 / (part ? part : 1);
    unsigned char buffer[512];
    lft_p_source  s;
    size_t        at, now, i;
    if (!part) return lft_p_fail(error, LFT_ERR_ARG, "npy", "no header has been read");
    if (n > npy->count) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "npy", "numbers to read", "no more than the file has", (double)n);
    }
    lft_p_source_open(&s, from, "npy data", error);
    for (at = 0; at < n; at += now) {
        now = n - at < most ? n - at : most;
        if (!lft_p_take(&s, buffer, now * part)) break;
        for (i = 0; i < now; ++i) {
            out[at + i] = lft_p_number_of(npy->dtype, lft_p_file_get(buffer + i * part, part, npy->big_endian));
        }
    }
    return s.status;
}

#endif /* LFT_P_CODE */
