/* 27_nersc.h: gauge files of the NERSC archive: text up to END_HEADER, then the links. Source: the Gauge Connection's
 * description of its format, and files of other codes.
 * Offers (private): lft_p_nersc_header(), lft_p_nersc_write().
 *
 * DATATYPE tells what is there. The standard's are 4D_SU3_GAUGE (two rows of each matrix, the third is the conjugate of
 * their cross product) and 4D_SU3_GAUGE_3x3 (all rows). In the same manner, but this library's own:
 *   4D_SU2_GAUGE_2x2, 4D_SU4_GAUGE_4x4, ...   all rows of N x N; 4D_SU2_GAUGE has them too, as the second of two is needed
 *   4D_U1_GAUGE                               one complex number of modulus 1 per link
 *   2D_..., 3D_...                            fewer dimensions: only DIMENSION_1 and _2 (and _3), x and y (and z) */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_NERSC_HEADER_MOST 65536u

/* ---- decimal numbers ---- */

LFT_P_STATIC double lft_p_ten_to(int e) /* exactly, for 0 <= e <= 22 */
{
    double v = 1;
    while (e-- > 0) v *= 10;
    return v;
}

/* As "%.15g" prints a finite number, but that the last digit may be off by one. */
LFT_P_STATIC void lft_p_put_g15(lft_p_text *t, double v)
{
    char     digits[17];
    double   w;
    uint64_t n = 0;
    int      e = 0, i, used;
    if (v < 0) {
        lft_p_put(t, "-");
        v = -v;
    }
    if (!(v > 0)) {
        lft_p_put(t, "0");
        return;
    }
    for (w = v; w >= 10; w /= 10) ++e;
    for (; w < 1; w *= 10) --e;
    /* One rounding where a power of ten is exact. */
    w = e < 14 && e >= -8 ? v * lft_p_ten_to(14 - e) : w * 1e14;
    n = (uint64_t)(w + 0.5);
    if (n > 999999999999999u) { /* 9.9... rounds up to 10 */
        n /= 10;
        ++e;
    }
    for (i = 14; i >= 0; --i) {
        digits[i] = (char)('0' + (int)(n % 10));
        n /= 10;
    }
    for (used = 15; used > 1 && digits[used - 1] == '0';) --used;
    digits[used] = 0;
    if (e >= -4 && e < 15) {
        char one[2] = {0, 0};
        if (e < 0) lft_p_put(t, "0.");
        for (i = e + 1; i < 0; ++i) lft_p_put(t, "0");
        for (i = 0; i < used || i <= e; ++i) {
            if (e >= 0 && i == e + 1) lft_p_put(t, ".");
            one[0] = i < used ? digits[i] : '0';
            lft_p_put(t, one);
        }
        return;
    }
    {
        char first[3] = {0, 0, 0};
        first[0]      = digits[0];
        first[1]      = used > 1 ? '.' : 0;
        lft_p_put(t, first);
    }
    lft_p_put(t, digits + 1);
    lft_p_put(t, e < 0 ? "e-" : "e+");
    if (e > -10 && e < 10) lft_p_put(t, "0");
    lft_p_put_u64(t, (uint64_t)(e < 0 ? -e : e));
}

/* All of text as a finite decimal number, correct to about 1e-15; 0 if it is none. */
LFT_P_STATIC int lft_p_parse_f64(const char *text, double *v)
{
    const int minus = *text == '-';
    uint64_t  n     = 0;
    int       e = 0, x = 0, digits = 0, point = 0, minus_x;
    if (*text == '-' || *text == '+') ++text;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); ++text) {
        if (*text == '.') point = 1;
        else {
            const int kept = n < 100000000000000000u; /* eighteen digits */
            if (kept) n = 10 * n + (uint64_t)(*text - '0');
            digits = 1;
            e += !kept - point;
        }
    }
    if (!digits) return 0;
    if (*text == 'e' || *text == 'E') {
        ++text;
        minus_x = *text == '-';
        if (*text == '-' || *text == '+') ++text;
        if (!*text) return 0;
        for (; *text >= '0' && *text <= '9'; ++text) {
            if (x < 10000) x = 10 * x + (*text - '0');
        }
        e += minus_x ? -x : x;
    }
    if (*text) return 0;
    *v = minus ? -(double)n : (double)n;
    if (n == 0) return 1;
    if (e > 400) return 0;
    if (e < -400) e = -400;
    for (; e >= 22; e -= 22) *v *= lft_p_ten_to(22);
    for (; e <= -22; e += 22) *v /= lft_p_ten_to(22);
    if (e > 0) *v *= lft_p_ten_to(e);
    if (e < 0) *v /= lft_p_ten_to(-e);
    return lft_finite(*v);
}

/* ---- reading ---- */

enum { LFT_P_NERSC_DATATYPE, LFT_P_NERSC_CHECKSUM, LFT_P_NERSC_TRACE, LFT_P_NERSC_PLAQUETTE, LFT_P_NERSC_FLOATING,
       LFT_P_NERSC_DIMENSION, LFT_P_NERSC_KEYS = LFT_P_NERSC_DIMENSION + LFT_MAX_DIM };

LFT_P_STATIC const char *lft_p_nersc_key(int key)
{
    static const char *const name[] = {"DATATYPE",       "CHECKSUM",    "LINK_TRACE",  "PLAQUETTE",  "FLOATING_POINT",
                                       "DIMENSION_1",    "DIMENSION_2", "DIMENSION_3", "DIMENSION_4"};
    return name[key];
}

/* A line of the header: "KEY = value", cut into its two words. */
typedef struct lft_p_nersc {
    lft_p_source *s;
    uint64_t      line, at; /* its number, from 1, and its place */
    unsigned      seen;     /* the keys, as bits */
    int           extent[LFT_MAX_DIM]; /* x first */
    char          text[256];
    const char   *key, *value;
} lft_p_nersc;

/* "NERSC header: byte 57: line 3: KEY: expected ..., got '...'" */
LFT_P_STATIC void lft_p_nersc_bad(lft_p_nersc *h, const char *expected)
{
    lft_p_text t = lft_p_bad(h->s, LFT_ERR_FORMAT, h->at, "line ");
    lft_p_put_u64(&t, h->line);
    lft_p_put(&t, ": ");
    if (*h->key) {
        lft_p_put(&t, h->key);
        lft_p_put(&t, ": ");
    }
    lft_p_put(&t, "expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_quoted(&t, h->value);
}

/* The next line, of which used characters are there already; byte by byte, since nothing beyond the header may be read.
 * What is longer than the buffer is cut: only free text is. A line without = is a key without a value. */
LFT_P_STATIC void lft_p_nersc_line(lft_p_nersc *h, size_t used)
{
    unsigned char c = 0;
    char         *end, *equals;
    h->at  = h->s->at - used;
    h->key = h->value = "";
    h->line += 1;
    while (lft_p_take(h->s, &c, 1) && c != '\n') {
        if (h->s->at > LFT_P_NERSC_HEADER_MOST) lft_p_nersc_bad(h, "END_HEADER within 65536 bytes");
        else if (c < 32 && c != '\t' && c != '\r') {
            lft_p_text t = lft_p_bad(h->s, LFT_ERR_FORMAT, h->s->at - 1, "expected text, got byte ");
            lft_p_put_u64(&t, c);
        } else if (used + 1 < sizeof h->text) h->text[used++] = (char)c;
    }
    end = h->text + used;
    for (equals = h->text; equals < end && *equals != '=';) ++equals;
    if (equals < end) h->value = lft_p_trim(equals + 1, end);
    h->key = lft_p_trim(h->text, equals);
}

/* 1, and past it, if the text begins with the word. */
LFT_P_STATIC int lft_p_nersc_past(const char **text, const char *word)
{
    const char *p = *text;
    for (; *word; ++word, ++p) {
        if (*p != *word) return 0;
    }
    *text = p;
    return 1;
}

/* 4D_SU3_GAUGE_3x3 and its like; see the top. */
LFT_P_STATIC int lft_p_nersc_datatype(const char *p, lft_gauge_file *f)
{
    if (*p < '2' || *p > '0' + LFT_MAX_DIM) return 0;
    f->dim = *p++ - '0';
    if (lft_p_nersc_past(&p, "D_U1_GAUGE")) {
        f->colours = f->rows = 1;
        return !*p;
    }
    if (!lft_p_nersc_past(&p, "D_SU") || *p < '2' || *p > '0' + LFT_P_LINKS_COLOURS) return 0;
    f->colours = *p++ - '0';
    f->rows    = f->colours == 3 ? 2 : f->colours;
    if (!lft_p_nersc_past(&p, "_GAUGE")) return 0;
    if (!*p) return f->colours <= 3;
    f->rows = f->colours;
    if (!lft_p_nersc_past(&p, "_")) return 0;
    return p[0] == '0' + f->colours && (p[1] | 32) == 'x' && p[2] == '0' + f->colours && !p[3];
}

LFT_P_STATIC int lft_p_nersc_floating(const char *p, lft_gauge_file *f)
{
    if (lft_p_nersc_past(&p, "IEEE32")) f->dtype = LFT_DTYPE_F32;
    else if (lft_p_nersc_past(&p, "IEEE64")) f->dtype = LFT_DTYPE_F64;
    else return 0;
    f->big_endian = lft_p_nersc_past(&p, "BIG") ? 1 : lft_p_nersc_past(&p, "LITTLE") ? 0 : -1;
    return !*p;
}

/* A line whose key is one of ours. */
LFT_P_STATIC void lft_p_nersc_value(lft_p_nersc *h, int key, lft_gauge_file *f)
{
    uint64_t n = 0;
    if (h->seen >> key & 1) lft_p_nersc_bad(h, "this key only once");
    h->seen |= 1u << key;
    switch (key) {
    case LFT_P_NERSC_DATATYPE:
        if (!lft_p_nersc_datatype(h->value, f)) lft_p_nersc_bad(h, "4D_SU3_GAUGE, 4D_SU3_GAUGE_3x3, 2D_U1_GAUGE or the like");
        break;
    case LFT_P_NERSC_CHECKSUM:
        f->stated.has_checksum = lft_p_parse_hex(h->value, &f->stated.checksum[0]);
        if (!f->stated.has_checksum) lft_p_nersc_bad(h, "a hexadecimal number below 2^32");
        break;
    case LFT_P_NERSC_TRACE:
        f->stated.has_link_trace = lft_p_parse_f64(h->value, &f->stated.link_trace);
        if (!f->stated.has_link_trace) lft_p_nersc_bad(h, "a finite number");
        break;
    case LFT_P_NERSC_PLAQUETTE:
        f->stated.has_plaquette = lft_p_parse_f64(h->value, &f->stated.plaquette);
        if (!f->stated.has_plaquette) lft_p_nersc_bad(h, "a finite number");
        break;
    case LFT_P_NERSC_FLOATING:
        if (!lft_p_nersc_floating(h->value, f)) lft_p_nersc_bad(h, "IEEE32 or IEEE64, and BIG, LITTLE or nothing");
        break;
    default:
        if (!lft_p_parse_u64(h->value, &n) || n < 1 || n > LFT_P_LINKS_SITES) lft_p_nersc_bad(h, "an integer from 1 to 2^24");
        h->extent[key - LFT_P_NERSC_DIMENSION] = lft_p_links_extent(n);
    }
}

/* Is everything there that the links need, and does it fit together? */
LFT_P_STATIC void lft_p_nersc_check(lft_p_nersc *h, lft_gauge_file *f)
{
    int key, k;
    for (key = 0; key < LFT_P_NERSC_KEYS && !h->s->status; ++key) {
        const int seen = (int)(h->seen >> key & 1), direction = key - LFT_P_NERSC_DIMENSION;
        if (key > LFT_P_NERSC_DATATYPE && key < LFT_P_NERSC_FLOATING) continue;
        if (seen != (direction < f->dim)) {
            lft_p_text t = lft_p_bad(h->s, LFT_ERR_FORMAT, h->at, seen ? "expected no " : "expected ");
            lft_p_put(&t, lft_p_nersc_key(key));
            lft_p_put(&t, seen ? " with this DATATYPE" : " before END_HEADER");
        }
    }
    for (k = 0; k < f->dim; ++k) f->extent[k] = h->extent[f->dim - 1 - k];
    if (!h->s->status && !lft_p_links_sites(f->dim, f->extent)) {
        (void)lft_p_bad(h->s, LFT_ERR_FORMAT, h->at, "DIMENSION_1, ...: expected at most 2^24 sites in all, got more");
    }
}

/* The rest of the header after the first four bytes, which are "BEGI". */
LFT_P_STATIC void lft_p_nersc_header(lft_p_source *s, lft_gauge_file *f)
{
    lft_p_nersc h;
    int         key;
    lft_p_zero(&h, sizeof h);
    h.s      = s;
    s->where = "NERSC header";
    lft_p_copy(h.text, "BEGI", 4);
    lft_p_nersc_line(&h, 4);
    if (lft_p_order(h.key, "BEGIN_HEADER")) {
        h.value = h.key;
        h.key   = "";
        lft_p_nersc_bad(&h, "BEGIN_HEADER");
    }
    for (;;) {
        lft_p_nersc_line(&h, 0);
        if (s->status || lft_p_order(h.key, "END_HEADER") == 0) break;
        for (key = 0; key < LFT_P_NERSC_KEYS && lft_p_order(h.key, lft_p_nersc_key(key)); ++key) {}
        if (key < LFT_P_NERSC_KEYS) lft_p_nersc_value(&h, key, f);
        if (s->status) break;
    }
    lft_p_nersc_check(&h, f);
}

/* ---- writing ---- */

/* Re tr P / N of all plaquettes. Four links each, asked for again: nothing is stored. */
LFT_P_STATIC lft_status lft_p_nersc_plaquette(const lft_gauge_file *f, lft_gauge_get get, void *user, double *plaquette,
                                              lft_error *e)
{
    double         a[LFT_P_LINKS_NUMBERS], b[LFT_P_LINKS_NUMBERS], ab[2][LFT_P_LINKS_NUMBERS], sum = 0;
    const uint64_t sites           = lft_p_links_sites(f->dim, f->extent);
    int            x[LFT_MAX_DIM] = {0}, y[LFT_MAX_DIM], mu, nu, side, i;
    uint64_t       rank;
    for (rank = 0; rank < sites; ++rank) {
        for (mu = 1; mu < f->dim; ++mu) {
            for (nu = 0; nu < mu; ++nu) {
                for (side = 0; side < 2; ++side) { /* two ways round: the trace of one times the other's adjoint */
                    const int  first = side ? nu : mu, second = side ? mu : nu;
                    lft_status status = lft_p_links_get(f, x, first, get, user, a, e);
                    lft_p_copy(y, x, sizeof y);
                    y[first] = x[first] + 1 < f->extent[first] ? x[first] + 1 : 0;
                    if (!status) status = lft_p_links_get(f, y, second, get, user, b, e);
                    if (status) return status;
                    lft_p_links_product(ab[side], a, b, f->colours);
                }
                for (i = 0; i < 2 * f->colours * f->colours; ++i) sum += ab[0][i] * ab[1][i];
            }
        }
        lft_p_links_next(f, x);
    }
    *plaquette = sum / ((double)sites * f->colours * (f->dim * (f->dim - 1) / 2));
    return LFT_OK;
}

LFT_P_STATIC void lft_p_nersc_put(lft_p_sink *to, const char *key, int number, const char *value)
{
    lft_p_sink_text(to, key);
    if (number) lft_p_sink_u64(to, (uint64_t)number);
    lft_p_sink_text(to, " = ");
    lft_p_sink_text(to, value);
    lft_p_sink_text(to, "\n");
}

LFT_P_STATIC void lft_p_nersc_put_header(lft_p_sink *to, const lft_gauge_file *f, const lft_gauge_facts *facts)
{
    char       word[48];
    lft_p_text t = lft_p_text_over(word, sizeof word);
    int        k;
    lft_p_sink_text(to, "BEGIN_HEADER\n");
    lft_p_nersc_put(to, "HDR_VERSION", 0, "1.0");
    lft_p_put_u64(&t, (uint64_t)f->dim);
    lft_p_put(&t, f->colours > 1 ? "D_SU" : "D_U");
    lft_p_put_u64(&t, (uint64_t)f->colours);
    lft_p_put(&t, "_GAUGE");
    if (f->colours > 1 && f->rows == f->colours) {
        lft_p_put(&t, "_");
        lft_p_put_u64(&t, (uint64_t)f->colours);
        lft_p_put(&t, "x");
        lft_p_put_u64(&t, (uint64_t)f->colours);
    }
    lft_p_nersc_put(to, "DATATYPE", 0, word);
    lft_p_nersc_put(to, "STORAGE_FORMAT", 0, "1.0");
    for (k = 1; k <= f->dim; ++k) {
        t.used = 0;
        lft_p_put_u64(&t, (uint64_t)f->extent[f->dim - k]);
        lft_p_nersc_put(to, "DIMENSION_", k, word);
    }
    t.used = 0;
    lft_p_put_g15(&t, facts->link_trace);
    lft_p_nersc_put(to, "LINK_TRACE", 0, word);
    t.used = 0;
    lft_p_put_g15(&t, facts->plaquette);
    lft_p_nersc_put(to, "PLAQUETTE", 0, word);
    for (k = 1; k <= f->dim; ++k) lft_p_nersc_put(to, "BOUNDARY_", k, "PERIODIC");
    t.used = 0;
    lft_p_put_hex(&t, facts->checksum[0]);
    lft_p_nersc_put(to, "CHECKSUM", 0, word);
    lft_p_nersc_put(to, "ENSEMBLE_ID", 0, "lftflow");
    lft_p_nersc_put(to, "ENSEMBLE_LABEL", 0, "lftflow");
    lft_p_nersc_put(to, "SEQUENCE_NUMBER", 0, "0");
    lft_p_nersc_put(to, "CREATOR", 0, "lftflow " LFT_VERSION);
    lft_p_nersc_put(to, "FLOATING_POINT", 0, f->dtype == LFT_DTYPE_F32 ? "IEEE32BIG" : "IEEE64BIG");
    lft_p_sink_text(to, "END_HEADER\n");
}

/* The header states what the links have to give: so they are asked for once to learn it, and again to be written. */
LFT_P_STATIC lft_status lft_p_nersc_write(lft_p_links *p, lft_p_sink *to, lft_gauge_get get, void *user, lft_error *e)
{
    const lft_writer nowhere = {NULL, NULL};
    lft_p_sink       count;
    lft_gauge_facts  facts;
    lft_status       status;
    lft_p_sink_open(&count, nowhere);
    status = lft_p_links_write(p, &count, get, user, e);
    lft_p_links_found(p, &facts);
    if (!status) status = lft_p_nersc_plaquette(p->file, get, user, &facts.plaquette, e);
    if (status) return status;
    if (!facts.has_link_trace || !lft_finite(facts.plaquette)) {
        return lft_p_fail(e, LFT_ERR_NONFINITE, "NERSC", "link trace or plaquette is not a finite number");
    }
    lft_p_nersc_put_header(to, p->file, &facts);
    p->words = 0;
    status   = lft_p_links_write(p, to, get, user, e);
    if (!status && !to->failed && p->words != facts.checksum[0]) {
        status = lft_p_fail(e, LFT_ERR_ARG, "NERSC", "get: expected the same links when asked for them again");
    }
    return status;
}

#undef LFT_P_NERSC_HEADER_MOST

#endif /* LFT_P_CODE */
