/* 25_safetensors.h: models, as named tensors with metadata. Source: github.com/huggingface/safetensors, README.
 * Offers: lft_tensor, lft_text_pair, lft_safetensors, lft_safetensors_save(), lft_safetensors_find(), lft_safetensors_meta(),
 *         lft_tensor_count(), lft_tensor_get(), lft_tensor_get_u64().
 *
 * A file is a length N (8 bytes, little-endian), N bytes of JSON, and a buffer that the tensors fill without a hole. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Text that belongs to a key; both in UTF-8. */
typedef struct lft_text_pair {
    const char *key, *value;
} lft_text_pair;

/* A tensor in C order. The data are numbers as this machine holds them, but those of a loaded tensor may lie at any
 * address (the format does not align them): read them with lft_tensor_get(), or copy them as bytes. */
typedef struct lft_tensor {
    const char *name;
    lft_dtype   dtype;
    int         rank;     /* 0 (one element) to 8 */
    uint64_t    shape[8]; /* [rank] */
    const void *data;
    size_t      bytes;
} lft_tensor;

/* A loaded file. Everything lies in the arena. */
typedef struct lft_safetensors {
    const lft_tensor    *tensor; /* [tensors] in the order of their data */
    const lft_text_pair *meta;   /* [metas] in the order of their keys */
    int                  tensors, metas;
} lft_safetensors;

/* Writes n tensors, in this order, and nmeta pairs of metadata; meta may be NULL if nmeta is 0. Needs no memory. To
 * keep the data of every tensor aligned for other readers, put those with the larger elements first.
 * LFT_ERR_ARG: a name, key or value that is no UTF-8, a name or key that is there twice, a dtype that the format does
 * not have (C128), a rank above 8, bytes that are not those of the shape, a header above 100 MB; LFT_ERR_IO.
 * O(bytes + n^2 + nmeta^2); the squares are comparisons of names. */
LFT_P_STATIC lft_status lft_safetensors_save(lft_writer to, const lft_tensor *tensor, int n, const lft_text_pair *meta,
                                             int nmeta, lft_error *error);

/* The tensor of that name, or NULL. O(tensors). */
LFT_P_STATIC const lft_tensor *lft_safetensors_find(const lft_safetensors *doc, const char *name);

/* The value of that key of the metadata, or NULL. O(metas). */
LFT_P_STATIC const char *lft_safetensors_meta(const lft_safetensors *doc, const char *key);

/* How many numbers the tensor holds; a complex element counts as two. O(1). */
LFT_P_STATIC size_t lft_tensor_count(const lft_tensor *tensor);

/* Number i; integers beyond 2^53 are rounded. NaN if there is no number i. O(1). */
LFT_P_STATIC double lft_tensor_get(const lft_tensor *tensor, size_t i);

/* Integer i exactly: seeds and counters. 0 if it is negative, not there, or the dtype is no integer type. O(1). */
LFT_P_STATIC uint64_t lft_tensor_get_u64(const lft_tensor *tensor, size_t i);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_ST_HEADER_MOST 100000000u /* the limit of the reference implementation */

LFT_P_STATIC const lft_tensor *lft_safetensors_find(const lft_safetensors *doc, const char *name)
{
    int i;
    for (i = 0; i < doc->tensors; ++i) {
        if (lft_p_order(doc->tensor[i].name, name) == 0) return doc->tensor + i;
    }
    return NULL;
}

LFT_P_STATIC const char *lft_safetensors_meta(const lft_safetensors *doc, const char *key)
{
    int i;
    for (i = 0; i < doc->metas; ++i) {
        if (lft_p_order(doc->meta[i].key, key) == 0) return doc->meta[i].value;
    }
    return NULL;
}

LFT_P_STATIC size_t lft_tensor_count(const lft_tensor *t)
{
    const size_t part = lft_p_dtype_of(t->dtype)->part;
    return part ? t->bytes / part : 0;
}

LFT_P_STATIC double lft_tensor_get(const lft_tensor *t, size_t i)
{
    const size_t   part = lft_p_dtype_of(t->dtype)->part;
    const uint64_t nan  = (uint64_t)0x7ff8u << 48;
    if (i >= lft_tensor_count(t)) return lft_p_number_of(LFT_DTYPE_F64, nan);
    return lft_p_number_of(t->dtype, lft_p_host_get((const unsigned char *)t->data + i * part, part));
}

LFT_P_STATIC uint64_t lft_tensor_get_u64(const lft_tensor *t, size_t i)
{
    const lft_p_dtype *d = lft_p_dtype_of(t->dtype);
    uint64_t           v;
    if (i >= lft_tensor_count(t) || (d->kind != 'u' && d->kind != 'i')) return 0;
    v = lft_p_host_get((const unsigned char *)t->data + i * d->part, d->part);
    return d->kind == 'i' && v >> (8 * d->part - 1) ? 0 : v;
}

/* ---- writing ---- */

/* "safetensors: tensor 'name': what" */
LFT_P_STATIC lft_status lft_p_st_fail(lft_error *e, lft_status code, const char *name, const char *what)
{
    lft_p_text t = lft_p_error_text(e, code, "safetensors", "tensor ");
    lft_p_put_quoted(&t, name);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return code;
}

LFT_P_STATIC void lft_p_st_put_header(lft_p_sink *s, const lft_tensor *t, int n, const lft_text_pair *meta, int nmeta)
{
    uint64_t at = 0;
    int      i, k;
    for (i = 0; i < nmeta; ++i) {
        lft_p_sink_text(s, i ? "," : "{\"__metadata__\":{");
        lft_p_sink_string(s, meta[i].key);
        lft_p_sink_text(s, ":");
        lft_p_sink_string(s, meta[i].value);
    }
    if (nmeta) lft_p_sink_text(s, "}");
    for (i = 0; i < n; ++i, ++t) {
        lft_p_sink_text(s, i || nmeta ? "," : "{");
        lft_p_sink_string(s, t->name);
        lft_p_sink_text(s, ":{\"dtype\":\"");
        lft_p_sink_text(s, lft_dtype_str(t->dtype));
        lft_p_sink_text(s, "\",\"shape\":[");
        for (k = 0; k < t->rank; ++k) {
            if (k) lft_p_sink_text(s, ",");
            lft_p_sink_u64(s, t->shape[k]);
        }
        lft_p_sink_text(s, "],\"data_offsets\":[");
        lft_p_sink_u64(s, at);
        at += t->bytes;
        lft_p_sink_text(s, ",");
        lft_p_sink_u64(s, at);
        lft_p_sink_text(s, "]}");
    }
    lft_p_sink_text(s, n || nmeta ? "}" : "{}");
}

LFT_P_STATIC lft_status lft_p_st_check_tensor(const lft_tensor *t, lft_error *e)
{
    const size_t element = t->dtype == LFT_DTYPE_C128 ? 0 : lft_dtype_bytes(t->dtype);
    uint64_t     bytes   = 0;
    if (!t->name) return lft_p_fail(e, LFT_ERR_ARG, "safetensors", "a tensor without a name");
    if (!lft_p_utf8_valid(t->name)) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "the name is no UTF-8");
    if (lft_p_order(t->name, "__metadata__") == 0) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "a reserved name");
    if (!element) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "the format has no such dtype");
    if (t->rank < 0 || t->rank > 8) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "expected a rank from 0 to 8");
    if (!lft_p_product(t->rank, t->shape, element, &bytes) || bytes != t->bytes) {
        return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "bytes are not those of the shape");
    }
    return bytes && !t->data ? lft_p_st_fail(e, LFT_ERR_ARG, t->name, "no data") : LFT_OK;
}

LFT_P_STATIC lft_status lft_p_st_check(const lft_tensor *t, int n, const lft_text_pair *meta, int nmeta, lft_error *e)
{
    int i, k;
    if (n < 0 || nmeta < 0) return lft_p_fail(e, LFT_ERR_ARG, "safetensors", "a negative number of entries");
    for (i = 0; i < n; ++i) {
        lft_status status = lft_p_st_check_tensor(t + i, e);
        for (k = 0; k < i && !status; ++k) {
            if (lft_p_order(t[i].name, t[k].name) == 0) {
                status = lft_p_st_fail(e, LFT_ERR_ARG, t[i].name, "expected each name once");
            }
        }
        if (status) return status;
    }
    for (i = 0; i < nmeta; ++i) {
        if (!meta[i].key || !meta[i].value || !lft_p_utf8_valid(meta[i].key) || !lft_p_utf8_valid(meta[i].value)) {
            return lft_p_fail_got(e, LFT_ERR_ARG, "safetensors", "metadata", "key and value in UTF-8", (double)i);
        }
        for (k = 0; k < i; ++k) {
            if (lft_p_order(meta[i].key, meta[k].key) == 0) {
                return lft_p_fail_text(e, LFT_ERR_ARG, "safetensors", "metadata", "each key once", meta[i].key);
            }
        }
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status lft_safetensors_save(lft_writer to, const lft_tensor *tensor, int n, const lft_text_pair *meta,
                                             int nmeta, lft_error *error)
{
    const lft_writer nowhere = {NULL, NULL};
    unsigned char    bytes[8];
    lft_p_sink       s;
    lft_status       status = lft_p_st_check(tensor, n, meta, nmeta, error);
    uint64_t         length;
    int              i;
    size_t           k;
    if (status) return status;
    lft_p_sink_open(&s, nowhere);
    lft_p_st_put_header(&s, tensor, n, meta, nmeta);
    length = (s.at + 7) / 8 * 8;
    if (length > LFT_P_ST_HEADER_MOST) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "safetensors", "bytes of header", "at most 100000000",
                              (double)length);
    }
    lft_p_sink_open(&s, to);
    lft_p_file_put(bytes, 8, length);
    lft_p_sink_put(&s, bytes, 8);
    lft_p_st_put_header(&s, tensor, n, meta, nmeta);
    while (s.at < 8 + length) lft_p_sink_put(&s, " ", 1);
    for (i = 0; i < n && !s.failed; ++i) {
        const unsigned char *data = (const unsigned char *)tensor[i].data;
        const size_t         part = lft_p_dtype_of(tensor[i].dtype)->part;
        for (k = 0; k < tensor[i].bytes; k += part) {
            lft_p_file_put(bytes, part, lft_p_host_get(data + k, part));
            lft_p_sink_put(&s, bytes, part);
        }
    }
    return lft_p_sink_close(&s, "safetensors", error);
}

#endif /* LFT_P_CODE */
