/* 26_links.h: what the rooms of the gauge file formats share: what a file says, and its links one by one.
 * Offers: lft_gauge_format, lft_gauge_format_str(), lft_gauge_facts, lft_gauge_file, lft_gauge_hint, lft_gauge_put,
 *         lft_gauge_get; private: lft_p_links, a payload on its way between its bytes and the caller.
 *
 * Axes and directions are in this library's order, t, z, y, x: axis 0 is time and the last is x. Files count x first, and
 * let x run fastest: so a file's direction k is our dim - 1 - k, and its sites come in row-major order of our coordinates.
 * Matrices are row-major, each entry two numbers, real part first: u[2 * (N * row + column) + part]. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* value, name */
#define LFT_P_GAUGE_FORMAT_LIST(X)                                           \
    X(LFT_NERSC, "NERSC")     /* a text header, then the links */            \
    X(LFT_ILDG, "ILDG")       /* records of LIME; four dimensions only */    \
    X(LFT_OPENQCD, "openQCD") /* its export format, SU(3); only to be read */

#define LFT_P_GAUGE_FORMAT_ENUM(code, name) code,
typedef enum lft_gauge_format {
    LFT_GAUGE_NONE,
    LFT_P_GAUGE_FORMAT_LIST(LFT_P_GAUGE_FORMAT_ENUM) LFT_P_GAUGE_FORMAT_COUNT
} lft_gauge_format;
#undef LFT_P_GAUGE_FORMAT_ENUM

/* "NERSC" and so on; "none" for a value that is none of the enum's. Never NULL. */
LFT_P_STATIC const char *lft_gauge_format_str(lft_gauge_format format);

/* Numbers by which a configuration is recognised. Re tr P / N over all plaquettes and Re tr U / N over all links are 1 at
 * unity. checksum: NERSC has one (the second is 0), ILDG the two of its scidac-checksum record, openQCD none. */
typedef struct lft_gauge_facts {
    int      has_plaquette, has_link_trace, has_checksum; /* 1: the number is there */
    double   plaquette, link_trace;
    uint32_t checksum[2];
} lft_gauge_facts;

/* A file of one configuration. lft_gauge_read_header() fills it, lft_gauge_read_links() adds what was found in the links.
 * For lft_gauge_write() clear it and set format, dim, extent, colours, and dtype and rows if the defaults do not suit. */
typedef struct lft_gauge_file {
    lft_gauge_format format;
    int              dim, extent[LFT_MAX_DIM]; /* 2 to 4; at most 2^24 sites in all */
    int              colours;                  /* N, the size of the matrices: 1 is U(1); at most 8 */
    int              rows;                     /* of each matrix in the file: N, or 2 of 3; 0 when writing: N */
    lft_dtype        dtype;                    /* of the numbers in the file: F64 or F32; none when writing: F64 */
    int              big_endian;               /* -1: the header does not say, the first links will show it. Written is 1 */
    lft_gauge_facts  stated;                   /* what the file says */
    lft_gauge_facts  found;                    /* what its links gave (but no plaquette), when all have been read */
    double           unitarity;                /* and the largest entry of |U U^+ - 1| */
    lft_reader       from;                     /* private, as are the next two: where the links begin */
    uint64_t         at;
    int              ready;
} lft_gauge_file;

/* What the caller knows about a file that may not say it: an ILDG file without its ildg-format record. 0 is not known. The
 * extents are needed then; colours and dtype follow from the length of the data. */
typedef struct lft_gauge_hint {
    int       extent[LFT_MAX_DIM]; /* t, z, y, x */
    int       colours;
    lft_dtype dtype;
} lft_gauge_hint;

/* Called with each link of a file: u[2 N N] is the matrix at x (beyond dim: 0) in direction mu. Any value but 0 ends the
 * reading, which then returns this value. */
typedef int (*lft_gauge_put)(void *user, const int x[LFT_MAX_DIM], int mu, const double *u);

/* Asked for a link: sets u[2 N N] and returns 0; any other value ends the writing, which then returns this value. */
typedef int (*lft_gauge_get)(void *user, const int x[LFT_MAX_DIM], int mu, double *u);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_LINKS_COLOURS 8
#define LFT_P_LINKS_SITES   ((uint64_t)1 << 24)
#define LFT_P_LINKS_NUMBERS (2 * LFT_P_LINKS_COLOURS * LFT_P_LINKS_COLOURS)
#define LFT_P_LINKS_BYTES   (8 * LFT_MAX_DIM * LFT_P_LINKS_NUMBERS) /* of a site; openQCD's 8 links of SU(3) are less */

LFT_P_STATIC const char *lft_gauge_format_str(lft_gauge_format format)
{
#define LFT_P_GAUGE_FORMAT_TEXT(code, name) name,
    static const char *const text[] = {"none", LFT_P_GAUGE_FORMAT_LIST(LFT_P_GAUGE_FORMAT_TEXT)};
#undef LFT_P_GAUGE_FORMAT_TEXT
    return text[(unsigned)format < LFT_P_GAUGE_FORMAT_COUNT ? (unsigned)format : 0u];
}

/* ---- sizes ---- */

/* dim extents, each 1 or more, with few enough sites that no product of sizes overflows; 0 if they are not. */
LFT_P_STATIC uint64_t lft_p_links_sites(int dim, const int *extent)
{
    uint64_t sites = 1;
    int      mu;
    for (mu = 0; mu < dim; ++mu) {
        if (extent[mu] < 1 || (uint64_t)extent[mu] > LFT_P_LINKS_SITES / sites) return 0;
        sites *= (uint64_t)extent[mu];
    }
    return sites;
}

LFT_P_STATIC size_t lft_p_links_bytes(const lft_gauge_file *f) /* of one link in the file */
{
    return (size_t)(2 * f->rows * f->colours) * lft_dtype_bytes(f->dtype);
}

/* A number of a header as an extent; what does not fit becomes -1, which lft_p_links_sites() refuses. */
LFT_P_STATIC int lft_p_links_extent(uint64_t v)
{
    return v <= LFT_P_LINKS_SITES ? (int)v : -1;
}

/* To the site after x in the file's order; after the last comes the first. */
LFT_P_STATIC void lft_p_links_next(const lft_gauge_file *f, int *x)
{
    int mu;
    for (mu = f->dim - 1; mu >= 0 && ++x[mu] == f->extent[mu]; --mu) x[mu] = 0;
}

LFT_P_STATIC void lft_p_put_hex(lft_p_text *t, uint32_t v)
{
    char digits[9];
    int  i;
    for (i = 7; i >= 0; --i) {
        digits[i] = "0123456789abcdef"[v & 15];
        v >>= 4;
    }
    digits[8] = 0;
    lft_p_put(t, digits);
}

/* All of text as a hexadecimal number below 2^32, with or without 0x. */
LFT_P_STATIC int lft_p_parse_hex(const char *text, uint32_t *v)
{
    *v = 0;
    if (text[0] == '0' && (text[1] | 32) == 'x') text += 2;
    if (!*text) return 0;
    for (; *text; ++text) {
        const int letter = *text | 32;
        if (*v >> 28) return 0;
        if (*text >= '0' && *text <= '9') *v = *v << 4 | (uint32_t)(*text - '0');
        else if (letter >= 'a' && letter <= 'f') *v = *v << 4 | (uint32_t)(letter - 'a' + 10);
        else return 0;
    }
    return 1;
}

/* "site (0, 1, 2, 3), direction 0" */
LFT_P_STATIC void lft_p_put_link(lft_p_text *t, const lft_gauge_file *f, const int *x, int mu)
{
    int k;
    for (k = 0; k < f->dim; ++k) {
        lft_p_put(t, k ? ", " : "site (");
        lft_p_put_u64(t, (uint64_t)x[k]);
    }
    lft_p_put(t, "), direction ");
    lft_p_put_u64(t, (uint64_t)mu);
}

/* ---- matrices ---- */

/* The third row of an SU(3) matrix: the conjugate of the cross product of the first two. */
LFT_P_STATIC void lft_p_links_third_row(double *u)
{
    const double *a = u, *b = u + 6;
    int           c;
    for (c = 0; c < 3; ++c) {
        const int i = 2 * ((c + 1) % 3), k = 2 * ((c + 2) % 3);
        u[12 + 2 * c] = (a[i] * b[k] - a[i + 1] * b[k + 1]) - (a[k] * b[i] - a[k + 1] * b[i + 1]);
        u[13 + 2 * c] = (a[k] * b[i + 1] + a[k + 1] * b[i]) - (a[i] * b[k + 1] + a[i + 1] * b[k]);
    }
}

/* The largest entry of |rows of u u^+ - 1| in its first `rows` rows; what overflows is DBL_MAX. */
LFT_P_STATIC double lft_p_links_unitarity(const double *u, int colours, int rows)
{
    double most = 0;
    int    i, k, c;
    for (i = 0; i < rows; ++i) {
        for (k = 0; k <= i; ++k) {
            const double *a = u + 2 * colours * i, *b = u + 2 * colours * k;
            double        re = i == k ? -1 : 0, im = 0;
            for (c = 0; c < 2 * colours; c += 2) {
                re += a[c] * b[c] + a[c + 1] * b[c + 1];
                im += a[c + 1] * b[c] - a[c] * b[c + 1];
            }
            if (!lft_finite(re) || !lft_finite(im)) return DBL_MAX;
            re = re < 0 ? -re : re;
            im = im < 0 ? -im : im;
            if (re > most) most = re;
            if (im > most) most = im;
        }
    }
    return most;
}

/* Re tr u / N */
LFT_P_STATIC double lft_p_links_trace(const double *u, int colours)
{
    double sum = 0;
    int    i;
    for (i = 0; i < colours; ++i) sum += u[2 * (colours + 1) * i];
    return sum / colours;
}

/* c = a b */
LFT_P_STATIC void lft_p_links_product(double *c, const double *a, const double *b, int colours)
{
    int i, k, j;
    for (i = 0; i < colours; ++i) {
        for (k = 0; k < colours; ++k) {
            double re = 0, im = 0;
            for (j = 0; j < colours; ++j) {
                const double *x = a + 2 * (colours * i + j), *y = b + 2 * (colours * j + k);
                re += x[0] * y[0] - x[1] * y[1];
                im += x[0] * y[1] + x[1] * y[0];
            }
            c[2 * (colours * i + k)]     = re;
            c[2 * (colours * i + k) + 1] = im;
        }
    }
}

/* ---- checksums ---- */

/* CRC-32 with the polynomial of zlib, four bits at a time. */
LFT_P_STATIC uint32_t lft_p_crc32(const unsigned char *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
                                       0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
                                       0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
    uint32_t              crc       = 0xffffffffu;
    size_t                i;
    for (i = 0; i < n; ++i) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* A shift by 32 is no operation of C: a rotation by 0 needs care. */
LFT_P_STATIC uint32_t lft_p_rotate(uint32_t v, unsigned by)
{
    return by ? v << by | v >> (32 - by) : v;
}

/* A payload on its way. The sums are taken of what is in the file, whichever of them the format has. */
typedef struct lft_p_links {
    const lft_gauge_file *file;
    int                   big_endian;
    uint32_t              words, crc[2]; /* of NERSC; of scidac-checksum */
    double                trace, unitarity;
    uint64_t              links;
    double                u[LFT_P_LINKS_NUMBERS];
    unsigned char         bytes[LFT_P_LINKS_BYTES];
} lft_p_links;

/* Takes the bytes of a site, the `rank`-th, into the checksum. */
LFT_P_STATIC void lft_p_links_crc(lft_p_links *p, size_t n, uint64_t rank)
{
    const uint32_t crc = lft_p_crc32(p->bytes, n);
    p->crc[0] ^= lft_p_rotate(crc, (unsigned)(rank % 29));
    p->crc[1] ^= lft_p_rotate(crc, (unsigned)(rank % 31));
}

/* What the links gave. */
LFT_P_STATIC void lft_p_links_found(const lft_p_links *p, lft_gauge_facts *found)
{
    lft_p_zero(found, sizeof *found);
    found->has_link_trace = p->links > 0 && lft_finite(p->trace);
    if (found->has_link_trace) found->link_trace = p->trace / (double)p->links;
    found->has_checksum = p->file->format != LFT_OPENQCD;
    if (p->file->format == LFT_NERSC) found->checksum[0] = p->words;
    if (p->file->format == LFT_ILDG) lft_p_copy(found->checksum, p->crc, sizeof p->crc);
}

/* ---- reading ---- */

/* The numbers of the file's rows; returns the sum of their 32-bit words. */
LFT_P_STATIC uint32_t lft_p_links_unpack(const lft_gauge_file *f, const unsigned char *bytes, int big_endian, double *u)
{
    const size_t part = lft_dtype_bytes(f->dtype);
    uint32_t     sum  = 0;
    int          i;
    for (i = 0; i < 2 * f->rows * f->colours; ++i) {
        const uint64_t bits = lft_p_file_get(bytes + (size_t)i * part, part, big_endian);
        sum += (uint32_t)(bits & 0xffffffffu) + (uint32_t)(bits >> 32);
        u[i] = lft_p_number_of(f->dtype, bits);
    }
    return sum;
}

/* Hands over the link at `bytes`, which is at that place of the file. */
LFT_P_STATIC void lft_p_links_put(lft_p_links *p, lft_p_source *s, const unsigned char *bytes, uint64_t at, const int *x,
                                  int mu, lft_gauge_put put, void *user)
{
    const lft_gauge_file *f = p->file;
    double                d;
    int                   i;
    p->words += lft_p_links_unpack(f, bytes, p->big_endian, p->u);
    if (f->rows < f->colours) lft_p_links_third_row(p->u);
    for (i = 0; i < 2 * f->colours * f->colours && !s->status; ++i) {
        if (!lft_finite(p->u[i])) {
            lft_p_text t = lft_p_bad(s, LFT_ERR_NONFINITE, at, "");
            lft_p_put_link(&t, f, x, mu);
            lft_p_put(&t, ": not a finite number");
        }
    }
    if (s->status) return;
    d = lft_p_links_unitarity(p->u, f->colours, f->colours);
    if (d > p->unitarity) p->unitarity = d;
    p->trace += lft_p_links_trace(p->u, f->colours);
    p->links += 1;
    s->status = (lft_status)put(user, x, mu, p->u);
}

/* A header that names no byte order: the links of the first site are unitary in one of the two, and noise in the other. */
LFT_P_STATIC void lft_p_links_guess(lft_p_links *p, lft_p_source *s, uint64_t at)
{
    const lft_gauge_file *f     = p->file;
    double                d[2] = {0, 0};
    int                   big, mu, i;
    for (big = 0; big < 2; ++big) {
        for (mu = 0; mu < f->dim; ++mu) {
            double here;
            (void)lft_p_links_unpack(f, p->bytes + (size_t)mu * lft_p_links_bytes(f), big, p->u);
            here = lft_p_links_unitarity(p->u, f->colours, f->rows);
            for (i = 0; i < 2 * f->rows * f->colours; ++i) {
                if (!lft_finite(p->u[i])) here = DBL_MAX;
            }
            if (here > d[big]) d[big] = here;
        }
    }
    p->big_endian = d[1] < d[0];
    if (d[p->big_endian] > 0.01) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, at, "byte order: expected unitary links in one of the two, got |UU^+ - 1| = ");
        lft_p_put_f64(&t, d[1]);
        lft_p_put(&t, " and ");
        lft_p_put_f64(&t, d[0]);
    }
}

/* All sites of a payload in the order that NERSC and ILDG share: x fastest, then direction (x first), row, column. */
LFT_P_STATIC void lft_p_links_read(lft_p_links *p, lft_p_source *s, lft_gauge_put put, void *user)
{
    const lft_gauge_file *f     = p->file;
    const uint64_t        sites = lft_p_links_sites(f->dim, f->extent);
    const size_t          link = lft_p_links_bytes(f), site = (size_t)f->dim * link;
    int                   x[LFT_MAX_DIM] = {0}, k;
    uint64_t              rank;
    for (rank = 0; rank < sites; ++rank) {
        const uint64_t at = s->at;
        if (!lft_p_take(s, p->bytes, site)) return;
        if (p->big_endian < 0) lft_p_links_guess(p, s, at);
        if (f->format == LFT_ILDG) lft_p_links_crc(p, site, rank);
        for (k = 0; k < f->dim && !s->status; ++k) {
            const size_t skip = (size_t)k * link;
            lft_p_links_put(p, s, p->bytes + skip, at + skip, x, f->dim - 1 - k, put, user);
        }
        if (s->status) return;
        lft_p_links_next(f, x);
    }
}

/* Nothing may follow the links: more would mean that extents or numbers are not what the header says. */
LFT_P_STATIC void lft_p_links_end(lft_p_source *s)
{
    unsigned char more;
    if (!s->status && s->from.read(s->from.user, &more, 1) != 0) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected the end of the file after the links, got more data");
    }
}

/* The checksums that are stated against those that were found. */
LFT_P_STATIC void lft_p_links_compare(lft_p_source *s, const lft_gauge_facts *stated, const lft_gauge_facts *found, int n)
{
    lft_p_text t;
    int        i, same = 1;
    for (i = 0; i < n; ++i) same &= stated->checksum[i] == found->checksum[i];
    if (s->status || !stated->has_checksum || same) return;
    t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "checksum of the links: expected");
    for (i = 0; i < 2 * n; ++i) {
        lft_p_put(&t, i == n ? ", got " : " ");
        lft_p_put_hex(&t, i < n ? stated->checksum[i] : found->checksum[i - n]);
    }
}

/* ---- writing: numbers are big-endian ---- */

/* "NERSC: site (0, 1, 2, 3), direction 0: what" */
LFT_P_STATIC lft_status lft_p_links_fail(const lft_gauge_file *f, lft_error *e, lft_status code, const int *x, int mu,
                                         const char *what)
{
    lft_p_text t = lft_p_error_text(e, code, lft_gauge_format_str(f->format), "");
    lft_p_put_link(&t, f, x, mu);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return code;
}

/* Asks for a link, which has to be finite. */
LFT_P_STATIC lft_status lft_p_links_get(const lft_gauge_file *f, const int *x, int mu, lft_gauge_get get, void *user,
                                        double *u, lft_error *e)
{
    lft_status status;
    int        i;
    lft_p_zero(u, (size_t)(2 * f->colours * f->colours) * sizeof *u); /* nothing old, whatever get does */
    status = (lft_status)get(user, x, mu, u);
    for (i = 0; i < 2 * f->colours * f->colours && !status; ++i) {
        if (!lft_finite(u[i])) return lft_p_links_fail(f, e, LFT_ERR_NONFINITE, x, mu, "not a finite number");
    }
    return status;
}

/* A third row that the first two would not give back must not get lost. */
LFT_P_STATIC int lft_p_links_two_rows_suffice(const double *u)
{
    double v[18];
    int    i;
    lft_p_copy(v, u, sizeof v);
    lft_p_links_third_row(v);
    for (i = 12; i < 18; ++i) {
        const double d = v[i] - u[i];
        if (!lft_finite(d) || d > 1e-4 || d < -1e-4) return 0;
    }
    return 1;
}

/* The file's rows of a link as bytes, and their sum. */
LFT_P_STATIC lft_status lft_p_links_pack(lft_p_links *p, unsigned char *bytes, const int *x, int mu, lft_error *e)
{
    const lft_gauge_file *f    = p->file;
    const size_t          part = lft_dtype_bytes(f->dtype);
    uint64_t              bits = 0;
    size_t                k;
    int                   i;
    if (f->rows < f->colours && !lft_p_links_two_rows_suffice(p->u)) {
        return lft_p_links_fail(f, e, LFT_ERR_ARG, x, mu, "expected a matrix of SU(3), got one that needs all rows");
    }
    for (i = 0; i < 2 * f->rows * f->colours; ++i) {
        if (!lft_p_number_bits(f->dtype, p->u[i], &bits)) {
            return lft_p_links_fail(f, e, LFT_ERR_ARG, x, mu, "expected numbers that fit F32, got a larger one");
        }
        for (k = 0; k < part; ++k) *bytes++ = (unsigned char)(bits >> 8 * (part - 1 - k) & 0xff);
        p->words += (uint32_t)(bits & 0xffffffffu) + (uint32_t)(bits >> 32);
    }
    p->trace += lft_p_links_trace(p->u, f->colours);
    p->links += 1;
    return LFT_OK;
}

/* All sites; with a sink that only counts, it only takes the sums. */
LFT_P_STATIC lft_status lft_p_links_write(lft_p_links *p, lft_p_sink *to, lft_gauge_get get, void *user, lft_error *e)
{
    const lft_gauge_file *f     = p->file;
    const uint64_t        sites = lft_p_links_sites(f->dim, f->extent);
    const size_t          link = lft_p_links_bytes(f), site = (size_t)f->dim * link;
    int                   x[LFT_MAX_DIM] = {0}, k;
    uint64_t              rank;
    for (rank = 0; rank < sites && !to->failed; ++rank) {
        for (k = 0; k < f->dim; ++k) {
            const int  mu     = f->dim - 1 - k;
            lft_status status = lft_p_links_get(f, x, mu, get, user, p->u, e);
            if (!status) status = lft_p_links_pack(p, p->bytes + (size_t)k * link, x, mu, e);
            if (status) return status;
        }
        if (f->format == LFT_ILDG) lft_p_links_crc(p, site, rank);
        lft_p_sink_put(to, p->bytes, site);
        lft_p_links_next(f, x);
    }
    return LFT_OK;
}

#endif /* LFT_P_CODE */
