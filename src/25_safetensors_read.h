/* 25_safetensors_read.h: models from files that strangers may have written.
 * Offers: lft_safetensors_load(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Reads a file to its end. Refused is whatever the format forbids (duplicate names, holes, overlaps, data that do not
 * fit the shape, bytes after the data), and also what this library cannot hold: other dtypes, rank above 8, texts with
 * a zero byte, and in the header of a tensor any key but dtype, shape and data_offsets.
 * With an arena that measures, or is too small, arena->need becomes exactly what the file takes; the data are then not
 * read, and the measuring call returns LFT_OK with an empty doc. Other failures leave the arena as it was.
 * LFT_ERR_FORMAT: see above; LFT_ERR_IO: the file ends early; LFT_ERR_NOMEM. Time O(bytes + n log n); memory: header
 * and data as they are in the file, and sizeof(lft_tensor) or (lft_text_pair) per entry. */
LFT_P_STATIC lft_status lft_safetensors_load(lft_reader from, lft_arena *arena, lft_safetensors *doc,
                                             lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- the header: parsed twice, first to count, then to fill what was allocated ---- */

typedef struct lft_p_st {
    lft_p_source         in;
    int                  has_meta;
    size_t               tensors, metas;
    uint64_t             sum, end; /* of the bytes of all tensors; of the buffer */
    lft_tensor          *tensor;   /* these are filled if in.decode */
    lft_text_pair       *meta;
    const unsigned char *base;
} lft_p_st;

/* [1,2,...] of at most `most` integers; returns how many. */
LFT_P_STATIC int lft_p_st_list(lft_p_source *s, uint64_t *v, int most)
{
    int n = 0;
    (void)lft_p_want(s, '[', "'['");
    if (lft_p_accept(s, ']')) return 0;
    do {
        if (n == most) lft_p_unexpected(s, most == 2 ? "two offsets" : "at most 8 dimensions");
        else v[n++] = lft_p_integer(s);
    } while (lft_p_accept(s, ','));
    (void)lft_p_want(s, ']', "',' or ']'");
    return n;
}

LFT_P_STATIC lft_dtype lft_p_st_dtype(lft_p_source *s)
{
    const uint64_t at = lft_p_place(s);
    char           brief[48];
    const char    *word = lft_p_string(s, '"', brief);
    lft_p_text     t;
    unsigned       i;
    for (i = 1; i < LFT_P_DTYPE_COUNT; ++i) {
        const lft_dtype d = (lft_dtype)i;
        if (d != LFT_DTYPE_C128 && lft_p_order(word, lft_dtype_str(d)) == 0) return d;
    }
    t = lft_p_bad(s, LFT_ERR_FORMAT, at, "dtype: expected F64, F32, C64, U64, I64, U32, I32 or U8, got ");
    lft_p_put_quoted(&t, word);
    return LFT_DTYPE_NONE;
}

/* {"dtype":...,"shape":...,"data_offsets":...} in any order */
LFT_P_STATIC void lft_p_st_info(lft_p_source *s, lft_tensor *t, uint64_t offset[2])
{
    static const char *const key[] = {"dtype", "shape", "data_offsets"};
    unsigned                 seen  = 0;
    int                      two   = 0;
    (void)lft_p_want(s, '{', "'{' of a tensor");
    do {
        switch (lft_p_key(s, '"', key, &seen)) {
        case 0: t->dtype = lft_p_st_dtype(s); break;
        case 1: t->rank = lft_p_st_list(s, t->shape, 8); break;
        case 2: two = lft_p_st_list(s, offset, 2); break;
        default: break;
        }
    } while (lft_p_accept(s, ','));
    if (seen != 7 || two != 2) lft_p_unexpected(s, "dtype, shape and two data_offsets before this");
    (void)lft_p_want(s, '}', "',' or '}' of a tensor");
}

LFT_P_STATIC void lft_p_st_tensor(lft_p_st *p, const char *name)
{
    const uint64_t at        = lft_p_place(&p->in);
    uint64_t       offset[2] = {0, 0}, bytes = 0;
    lft_tensor     t;
    lft_p_zero(&t, sizeof t);
    lft_p_st_info(&p->in, &t, offset);
    if (p->in.status) return;
    if (!lft_p_product(t.rank, t.shape, lft_dtype_bytes(t.dtype), &bytes) || bytes > UINT64_MAX - p->sum) {
        lft_p_text text = lft_p_bad(&p->in, LFT_ERR_FORMAT, at, "more than 2^64 bytes with tensor ");
        lft_p_put_quoted(&text, name);
    } else if (offset[1] < offset[0] || offset[1] - offset[0] != bytes) {
        lft_p_text text = lft_p_bad(&p->in, LFT_ERR_FORMAT, at, "data_offsets: expected the ");
        lft_p_put_u64(&text, bytes);
        lft_p_put(&text, " bytes of the shape, got ");
        lft_p_put_u64(&text, offset[0]);
        lft_p_put(&text, " to ");
        lft_p_put_u64(&text, offset[1]);
        lft_p_put(&text, " in tensor ");
        lft_p_put_quoted(&text, name);
    } else if (p->in.decode) {
        t.name                = name;
        t.data                = p->base + offset[0];
        t.bytes               = (size_t)bytes;
        p->tensor[p->tensors] = t;
    }
    if (offset[1] > p->end) p->end = offset[1];
    p->sum += bytes;
    p->tensors += 1;
}

LFT_P_STATIC void lft_p_st_metadata(lft_p_st *p)
{
    lft_p_source *s = &p->in;
    char          brief[48];
    lft_text_pair pair;
    if (p->has_meta) lft_p_unexpected(s, "__metadata__ only once");
    p->has_meta = 1;
    (void)lft_p_want(s, '{', "'{' of the metadata");
    if (lft_p_accept(s, '}')) return;
    do {
        pair.key = lft_p_string(s, '"', brief);
        (void)lft_p_want(s, ':', "':'");
        pair.value = lft_p_string(s, '"', brief);
        if (s->decode && !s->status) p->meta[p->metas] = pair;
        p->metas += 1;
    } while (lft_p_accept(s, ','));
    (void)lft_p_want(s, '}', "',' or '}' of the metadata");
}

/* The whole header. There is no recursion, since the format has no depth. */
LFT_P_STATIC lft_status lft_p_st_header(lft_p_st *p)
{
    lft_p_source *s = &p->in;
    char          brief[48];
    p->has_meta = 0;
    p->tensors = p->metas = 0;
    p->sum = p->end = 0;
    s->at           = 8;
    if (lft_p_peek(s) != '{') lft_p_unexpected(s, "'{' as the first character");
    (void)lft_p_accept(s, '{');
    if (!lft_p_accept(s, '}')) {
        do {
            const char *name = lft_p_string(s, '"', brief);
            (void)lft_p_want(s, ':', "':'");
            if (lft_p_order(name, "__metadata__") == 0) lft_p_st_metadata(p);
            else lft_p_st_tensor(p, name);
        } while (lft_p_accept(s, ','));
        (void)lft_p_want(s, '}', "',' or '}'");
    }
    lft_p_want_end(s);
    if (p->sum != p->end) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "data_offsets overlap or leave holes: expected an end at ");
        lft_p_put_u64(&t, p->sum);
        lft_p_put(&t, ", got ");
        lft_p_put_u64(&t, p->end);
    }
    return s->status;
}

/* ---- order and uniqueness. Both kinds of entries begin with a pointer to their name in the header ---- */

LFT_P_STATIC int lft_p_st_name_before(const void *a, const void *b)
{
    return lft_p_order(*(const char *const *)a, *(const char *const *)b) < 0;
}

LFT_P_STATIC int lft_p_st_data_before(const void *a, const void *b)
{
    const lft_tensor    *s = (const lft_tensor *)a, *t = (const lft_tensor *)b;
    const unsigned char *x = (const unsigned char *)s->data, *y = (const unsigned char *)t->data;
    if (x != y) return x < y;
    if (s->bytes != t->bytes) return s->bytes < t->bytes; /* empty tensors first */
    return s->name < t->name;
}

LFT_P_STATIC void lft_p_st_swap(unsigned char *a, unsigned char *b, size_t size)
{
    unsigned char c[sizeof(lft_tensor)];
    lft_p_copy(c, a, size);
    lft_p_copy(a, b, size);
    lft_p_copy(b, c, size);
}

/* Heapsort: neither a stranger's file nor its order may make it slow or deep. */
LFT_P_STATIC void lft_p_st_sort(void *entries, size_t n, size_t size, int (*before)(const void *, const void *))
{
    unsigned char *x    = (unsigned char *)entries;
    size_t         heap = n / 2, end = n, root, child;
    while (end > 1) {
        if (heap) --heap;
        else lft_p_st_swap(x, x + --end * size, size);
        for (root = heap; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && before(x + child * size, x + (child + 1) * size)) ++child;
            if (!before(x + root * size, x + child * size)) break;
            lft_p_st_swap(x + root * size, x + child * size, size);
        }
    }
}

/* Sorts by name and refuses duplicates. */
LFT_P_STATIC void lft_p_st_unique(lft_p_source *s, void *entries, size_t n, size_t size)
{
    const unsigned char *x = (const unsigned char *)entries;
    size_t               i;
    lft_p_st_sort(entries, n, size, lft_p_st_name_before);
    for (i = 1; i < n && !s->status; ++i) {
        const char *name;
        lft_p_text  t;
        if (lft_p_st_name_before(x + (i - 1) * size, x + i * size)) continue;
        lft_p_copy(&name, x + i * size, sizeof name);
        t = lft_p_bad(s, LFT_ERR_FORMAT, 8 + (uint64_t)(name - (const char *)s->data),
                      "expected each name once, got again ");
        lft_p_put_quoted(&t, name);
    }
}

/* Names once each; then the tensors in the order of their data, end to end. */
LFT_P_STATIC lft_status lft_p_st_arrange(lft_p_st *p)
{
    const unsigned char *end = p->base;
    size_t               i;
    lft_p_st_unique(&p->in, p->tensor, p->tensors, sizeof *p->tensor);
    lft_p_st_unique(&p->in, p->meta, p->metas, sizeof *p->meta);
    lft_p_st_sort(p->tensor, p->tensors, sizeof *p->tensor, lft_p_st_data_before);
    for (i = 0; i < p->tensors && !p->in.status; ++i) {
        const lft_tensor *t = p->tensor + i;
        if ((const unsigned char *)t->data != end) {
            lft_p_text text = lft_p_bad(&p->in, LFT_ERR_FORMAT, 8 + (uint64_t)(t->name - (const char *)p->in.data),
                                        "data_offsets: a hole or an overlap before tensor ");
            lft_p_put_quoted(&text, t->name);
        }
        end += t->bytes;
    }
    return p->in.status;
}

/* ---- loading ---- */

/* The buffer up to the end of the file, then each number from the file's byte order to the machine's. */
LFT_P_STATIC lft_status lft_p_st_data(lft_p_st *p, unsigned char *data)
{
    lft_p_source *s = &p->in;
    unsigned char more;
    size_t        i, k;
    if (!lft_p_take(s, data, (size_t)p->end)) return s->status;
    if (s->from.read(s->from.user, &more, 1) != 0) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected the end of the file, got more data");
    }
    for (i = 0; i < p->tensors; ++i) {
        const size_t part = lft_p_dtype_of(p->tensor[i].dtype)->part, bytes = p->tensor[i].bytes;
        for (k = 0; k < bytes; k += part, data += part) lft_p_host_put(data, part, lft_p_file_get(data, part, 0));
    }
    return s->status;
}

/* After the length. Without memory for the header it streams by, so that all that the file needs is counted. */
LFT_P_STATIC lft_status lft_p_st_load(lft_p_st *p, lft_arena *arena, size_t length)
{
    unsigned char  window[128];
    unsigned char *text = (unsigned char *)lft_arena_alloc(arena, length, 1), *data;
    lft_status     status;
    p->in.data = text ? text : window;
    p->in.size = text ? length : sizeof window;
    p->in.left = length;
    status     = lft_p_st_header(p);
    if (status) return status;
    p->tensor = (lft_tensor *)lft_arena_alloc(arena, p->tensors, sizeof *p->tensor);
    p->meta   = (lft_text_pair *)lft_arena_alloc(arena, p->metas, sizeof *p->meta);
    data      = (unsigned char *)lft_arena_alloc(arena, p->end < SIZE_MAX / 2 ? (size_t)p->end : SIZE_MAX / 2, 1);
    status    = lft_arena_check(arena, p->in.error, p->in.where);
    if (status || lft_arena_measuring(arena)) {
        p->tensors = p->metas = 0;
        return status;
    }
    p->in.decode = 1;
    p->in.used   = 0;
    p->base      = data;
    status       = lft_p_st_header(p);
    if (!status) status = lft_p_st_arrange(p);
    return status ? status : lft_p_st_data(p, data);
}

LFT_P_STATIC lft_status lft_safetensors_load(lft_reader from, lft_arena *arena, lft_safetensors *doc, lft_error *error)
{
    const lft_arena mark = *arena;
    unsigned char   b[8];
    uint64_t        length;
    lft_p_st        p;
    lft_status      status;
    lft_p_zero(doc, sizeof *doc);
    lft_p_zero(&p, sizeof p);
    lft_p_source_open(&p.in, from, "safetensors", error);
    if (!lft_p_take(&p.in, b, 8)) return p.in.status;
    length = lft_p_file_get(b, 8, 0);
    if (length < 2 || length > LFT_P_ST_HEADER_MOST) {
        lft_p_text t = lft_p_bad(&p.in, LFT_ERR_FORMAT, 0, "length of the header: expected 2 to 100000000, got ");
        lft_p_put_u64(&t, length);
        return p.in.status;
    }
    status = lft_p_st_load(&p, arena, (size_t)length);
    if (status && status != LFT_ERR_NOMEM) *arena = mark;
    if (status) return status;
    doc->tensor  = p.tensor;
    doc->meta    = p.meta;
    doc->tensors = (int)p.tensors;
    doc->metas   = (int)p.metas;
    return LFT_OK;
}

#undef LFT_P_ST_HEADER_MOST

#endif /* LFT_P_CODE */
