/* 28_ildg.h: gauge files of the International Lattice Data Grid: records of LIME. Source: ILDG binary file format 1.2, the
 * c-lime library's reader, and files of other codes.
 * Offers (private): lft_p_ildg_header(), lft_p_ildg_rest(), lft_p_ildg_write().
 *
 * A record is a header of 144 bytes (magic, version, flags, length of the data, type), the data, and padding to a multiple of
 * 8. Records of interest are ildg-format (XML), ildg-binary-data (the links) and, behind it as a rule, scidac-checksum (XML);
 * all others are skipped. There is no standard for fewer than four dimensions. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_LIME_HEADER   144
#define LFT_P_LIME_XML_MOST ((uint64_t)1 << 20)

/* ---- records ---- */

typedef struct lft_p_lime {
    uint64_t length;
    int      ends; /* the record is the last of its message */
    char     type[129];
} lft_p_lime;

/* The next header, of which `have` bytes are in raw already. 0 at the end of the file, or after a failure. */
LFT_P_STATIC int lft_p_lime_next(lft_p_source *s, lft_p_lime *r, unsigned char raw[LFT_P_LIME_HEADER], size_t have)
{
    const uint64_t at = s->at - have;
    size_t         got;
    lft_p_text     t;
    s->where = "LIME record";
    got      = s->status ? 0 : s->from.read(s->from.user, raw + have, LFT_P_LIME_HEADER - have);
    if (s->status || (got == 0 && have == 0)) return 0;
    if (got != LFT_P_LIME_HEADER - have) {
        t = lft_p_bad(s, LFT_ERR_IO, at, "the data end early: expected a header of 144 bytes, got ");
        lft_p_put_u64(&t, got + have);
        return 0;
    }
    s->at = at + LFT_P_LIME_HEADER;
    if (lft_p_file_get(raw, 4, 1) != 0x456789abu) {
        t = lft_p_bad(s, LFT_ERR_FORMAT, at, "magic: expected 456789ab, got ");
        lft_p_put_hex(&t, (uint32_t)lft_p_file_get(raw, 4, 1));
    } else if (lft_p_file_get(raw + 4, 2, 1) != 1) {
        t = lft_p_bad(s, LFT_ERR_FORMAT, at + 4, "version: expected 1, got ");
        lft_p_put_u64(&t, lft_p_file_get(raw + 4, 2, 1));
    } else if ((raw[6] >> 7) != (unsigned)r->ends) { /* the reference library stops at this, too */
        (void)lft_p_bad(s, LFT_ERR_FORMAT, at + 6,
                        r->ends ? "flags: expected the begin of a message" : "flags: expected no begin within a message");
    }
    r->ends   = raw[6] >> 6 & 1;
    r->length = lft_p_file_get(raw + 8, 8, 1);
    lft_p_copy(r->type, raw + 16, 128);
    r->type[128] = 0;
    if (r->length >> 62) {
        t = lft_p_bad(s, LFT_ERR_FORMAT, at + 8, "length of ");
        lft_p_put_quoted(&t, r->type);
        lft_p_put(&t, ": expected less than 2^62 bytes, got ");
        lft_p_put_u64(&t, r->length);
    }
    return !s->status;
}

/* Past n bytes. */
LFT_P_STATIC void lft_p_lime_skip(lft_p_source *s, uint64_t n)
{
    unsigned char some[256];
    for (; n && !s->status; n -= n < sizeof some ? n : sizeof some) {
        (void)lft_p_take(s, some, n < sizeof some ? (size_t)n : sizeof some);
    }
}

LFT_P_STATIC uint64_t lft_p_lime_padding(uint64_t length)
{
    return (8 - length % 8) % 8;
}

/* ---- XML: elements with text, wherever they stand. Attributes, prefixes and what is no element are passed over ---- */

/* Past the rest of a tag, of which '<' and what the caller has looked at are gone; 1 if it ended with "/>". */
LFT_P_STATIC int lft_p_xml_tag_end(lft_p_source *s)
{
    int c, before = 0, quote = 0;
    while ((c = lft_p_peek(s)) >= 0) {
        lft_p_skip(s);
        if (quote) quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'') quote = c;
        else if (c == '>') return before == '/';
        before = c;
    }
    lft_p_unexpected(s, "'>' of a tag");
    return 0;
}

/* Past a comment, a declaration or a processing instruction, after its "<!" or "<?". */
LFT_P_STATIC void lft_p_xml_aside(lft_p_source *s)
{
    int c, dashes = 0, comment = 0, n;
    for (n = 0; (c = lft_p_peek(s)) >= 0; ++n) {
        lft_p_skip(s);
        if (n == 1 && c == '-' && dashes == 1) {
            comment = 1;
            dashes  = 0;
            continue;
        }
        if (c == '>' && (!comment || dashes >= 2)) return;
        dashes = c == '-' ? (dashes < 2 ? dashes + 1 : 2) : 0;
    }
    lft_p_unexpected(s, "'>'");
}

/* An element: its name without prefix, and its text without white space around it; both cut, which no name and no value
 * that matters is long enough for. */
typedef struct lft_p_xml {
    uint64_t    at;
    char        name[24], text[48];
    const char *value;
} lft_p_xml;

/* The next element; 0 after the last, or after a failure. An element that has others in it comes with the text before
 * them. */
LFT_P_STATIC int lft_p_xml_next(lft_p_source *s, lft_p_xml *e)
{
    size_t n = 0;
    int    c, empty;
    for (;;) {
        while ((c = lft_p_peek(s)) >= 0 && c != '<') lft_p_skip(s);
        if (c < 0) return 0;
        e->at = s->at;
        lft_p_skip(s);
        c = lft_p_peek(s);
        if (c == '!' || c == '?') {
            lft_p_skip(s);
            lft_p_xml_aside(s);
        } else if (c == '/') (void)lft_p_xml_tag_end(s);
        else break;
    }
    for (; (c = lft_p_peek(s)) > ' ' && c != '>' && c != '/'; lft_p_skip(s)) {
        if (c == ':') n = 0;
        else if (n + 1 < sizeof e->name) e->name[n++] = (char)(unsigned char)c;
    }
    e->name[n] = 0;
    empty      = lft_p_xml_tag_end(s);
    for (n = 0; !empty && (c = lft_p_peek(s)) >= 0 && c != '<'; lft_p_skip(s)) {
        if (n + 1 < sizeof e->text) e->text[n++] = (char)(unsigned char)c;
    }
    e->value = lft_p_trim(e->text, e->text + n);
    return !s->status;
}

/* "ILDG ildg-format: byte 123: lx: expected ..., got '...'" */
LFT_P_STATIC void lft_p_xml_bad(lft_p_source *s, const lft_p_xml *e, const char *expected)
{
    lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, e->at, e->name);
    lft_p_put(&t, ": expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_quoted(&t, e->value);
}

/* All of a record of XML, with its padding: value(s, e, ctx) for each element. */
LFT_P_STATIC void lft_p_xml_read(lft_p_source *s, const lft_p_lime *r, const char *where,
                                 void (*value)(lft_p_source *s, const lft_p_xml *e, void *ctx), void *ctx)
{
    unsigned char window[128];
    lft_p_xml     e;
    s->where = where;
    if (r->length > LFT_P_LIME_XML_MOST) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER + 8, "length: expected at most 1048576, got ");
        lft_p_put_u64(&t, r->length);
        return;
    }
    s->data = window;
    s->size = sizeof window;
    s->left = r->length;
    s->held = s->used = 0;
    while (lft_p_xml_next(s, &e)) value(s, &e, ctx);
    s->data = NULL;
    s->size = s->held = s->used = 0;
    lft_p_lime_skip(s, lft_p_lime_padding(r->length));
}

/* ---- reading ---- */

/* "su3gauge" and the like: N, or 0 */
LFT_P_STATIC int lft_p_ildg_colours(const char *field)
{
    int n = 0;
    if (lft_p_order(field, "u1gauge") == 0) return 1;
    if (field[0] == 's' && field[1] == 'u' && field[2] >= '2' && field[2] <= '0' + LFT_P_LINKS_COLOURS) n = field[2] - '0';
    return n && lft_p_order(field + 3, "gauge") == 0 ? n : 0;
}

typedef struct lft_p_ildg {
    lft_gauge_file *file;
    unsigned        seen; /* bits of the elements */
} lft_p_ildg;

/* An element of ildg-format. */
LFT_P_STATIC void lft_p_ildg_format(lft_p_source *s, const lft_p_xml *e, void *ctx)
{
    static const char *const name[] = {"lt", "lz", "ly", "lx", "field", "precision"};
    lft_p_ildg              *r      = (lft_p_ildg *)ctx;
    uint64_t                 n      = 0;
    int                      k;
    for (k = 0; k < 6 && lft_p_order(e->name, name[k]); ++k) {}
    if (k == 6) return;
    if (r->seen >> k & 1) lft_p_xml_bad(s, e, "this element only once");
    r->seen |= 1u << k;
    if (k == 4) {
        r->file->colours = lft_p_ildg_colours(e->value);
        if (!r->file->colours) lft_p_xml_bad(s, e, "su3gauge, su2gauge, u1gauge or the like");
        return;
    }
    if (!lft_p_parse_u64(e->value, &n)) n = 0;
    if (k == 5) {
        r->file->dtype = n == 64 ? LFT_DTYPE_F64 : LFT_DTYPE_F32;
        if (n != 32 && n != 64) lft_p_xml_bad(s, e, "32 or 64");
        return;
    }
    if (n < 1 || n > LFT_P_LINKS_SITES) lft_p_xml_bad(s, e, "an integer from 1 to 2^24");
    r->file->extent[k] = lft_p_links_extent(n);
}

/* An element of scidac-checksum. */
LFT_P_STATIC void lft_p_ildg_sums(lft_p_source *s, const lft_p_xml *e, void *ctx)
{
    lft_p_ildg *r = (lft_p_ildg *)ctx;
    const int   k = lft_p_order(e->name, "suma") == 0 ? 0 : 1;
    if (k && lft_p_order(e->name, "sumb")) return;
    if (r->seen >> k & 1) lft_p_xml_bad(s, e, "this element only once");
    r->seen |= 1u << k;
    if (!lft_p_parse_hex(e->value, &r->file->stated.checksum[k])) lft_p_xml_bad(s, e, "a hexadecimal number below 2^32");
}

LFT_P_STATIC void lft_p_ildg_read_format(lft_p_source *s, const lft_p_lime *r, lft_gauge_file *f)
{
    lft_p_ildg p;
    p.file = f;
    p.seen = 0;
    if (f->dim) (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER, "expected ildg-format only once");
    lft_p_xml_read(s, r, "ILDG ildg-format", lft_p_ildg_format, &p);
    if (p.seen != 63) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected field, precision, lx, ly, lz and lt before the end of the record");
    }
    f->dim = 4;
}

LFT_P_STATIC void lft_p_ildg_read_sums(lft_p_source *s, const lft_p_lime *r, lft_gauge_file *f)
{
    lft_p_ildg p;
    p.file = f;
    p.seen = 0;
    if (f->stated.has_checksum) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER, "expected scidac-checksum only once");
    }
    lft_p_xml_read(s, r, "ILDG scidac-checksum", lft_p_ildg_sums, &p);
    if (p.seen != 3) (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected suma and sumb before the end of the record");
    f->stated.has_checksum = 1;
}

/* 1 if links of this size and type have that length in all; 0 as well if there can be none. */
LFT_P_STATIC int lft_p_ildg_fits(const lft_gauge_file *f, uint64_t length)
{
    const uint64_t sites = lft_p_links_sites(f->dim, f->extent);
    return sites && length == sites * (uint64_t)f->dim * lft_p_links_bytes(f);
}

/* What no record says is what the caller says; colours and dtype may be read off the length, which fits one pair only. */
LFT_P_STATIC void lft_p_ildg_hint(lft_p_source *s, const lft_p_lime *r, const lft_gauge_hint *hint, lft_gauge_file *f)
{
    lft_gauge_file one = *f;
    int            n, wide;
    if (!hint || lft_p_links_sites(4, hint->extent) == 0) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "no ildg-format record before the links: expected extents from the caller");
        return;
    }
    lft_p_copy(one.extent, hint->extent, sizeof one.extent);
    one.dim = 4;
    for (n = 1; n <= LFT_P_LINKS_COLOURS; ++n) {
        for (wide = 0; wide < 2; ++wide) {
            one.colours = one.rows = n;
            one.dtype              = wide ? LFT_DTYPE_F64 : LFT_DTYPE_F32;
            if ((hint->colours && hint->colours != n) || (hint->dtype && hint->dtype != one.dtype)) continue;
            if (lft_p_ildg_fits(&one, r->length)) *f = one;
        }
    }
    if (!f->dim) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected a length that fits what the caller says, got ");
        lft_p_put_u64(&t, r->length);
    }
}

/* The records up to the links, after the first four bytes. */
LFT_P_STATIC void lft_p_ildg_header(lft_p_source *s, const unsigned char first[4], const lft_gauge_hint *hint,
                                    lft_gauge_file *f)
{
    unsigned char raw[LFT_P_LIME_HEADER];
    size_t        have = 4;
    lft_p_lime    r;
    lft_p_zero(&r, sizeof r);
    lft_p_copy(raw, first, have);
    r.ends = 1;
    for (; lft_p_lime_next(s, &r, raw, have); have = 0) {
        if (lft_p_order(r.type, "ildg-format") == 0) lft_p_ildg_read_format(s, &r, f);
        else if (lft_p_order(r.type, "scidac-checksum") == 0) lft_p_ildg_read_sums(s, &r, f);
        else if (lft_p_order(r.type, "ildg-binary-data") == 0) break;
        else {
            lft_p_lime_skip(s, r.length);
            lft_p_lime_skip(s, lft_p_lime_padding(r.length));
        }
    }
    if (s->status) return;
    if (lft_p_order(r.type, "ildg-binary-data")) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected a record ildg-binary-data, got the end of the file");
        return;
    }
    s->where      = "ILDG ildg-binary-data";
    f->big_endian = 1;
    f->ready      = 1 + r.ends; /* for the records that follow */
    if (!f->dim) lft_p_ildg_hint(s, &r, hint, f);
    f->rows = f->colours;
    if (s->status) return;
    if (!lft_p_links_sites(4, f->extent)) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "lx, ly, lz, lt: expected at most 2^24 sites in all, got more");
    } else if (!lft_p_ildg_fits(f, r.length)) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "length: expected ");
        lft_p_put_u64(&t, lft_p_links_sites(4, f->extent) * 4 * lft_p_links_bytes(f));
        lft_p_put(&t, " for this field, precision and extents, got ");
        lft_p_put_u64(&t, r.length);
    }
}

/* What stands behind the links, to the end of the file. */
LFT_P_STATIC void lft_p_ildg_rest(lft_p_source *s, lft_gauge_file *f)
{
    const uint64_t sites = lft_p_links_sites(f->dim, f->extent);
    unsigned char  raw[LFT_P_LIME_HEADER];
    lft_p_lime     r;
    r.ends = f->ready - 1;
    lft_p_lime_skip(s, lft_p_lime_padding(sites * (uint64_t)f->dim * lft_p_links_bytes(f)));
    while (lft_p_lime_next(s, &r, raw, 0)) {
        if (lft_p_order(r.type, "scidac-checksum") == 0) lft_p_ildg_read_sums(s, &r, f);
        else if (lft_p_order(r.type, "ildg-binary-data") == 0) {
            (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER, "expected one configuration in the file, got another");
        } else {
            lft_p_lime_skip(s, r.length);
            lft_p_lime_skip(s, lft_p_lime_padding(r.length));
        }
    }
    s->where = "ILDG scidac-checksum";
}

/* ---- writing ---- */

LFT_P_STATIC void lft_p_lime_put(lft_p_sink *to, const char *type, uint64_t length, int begins, int ends)
{
    unsigned char raw[LFT_P_LIME_HEADER] = {0x45, 0x67, 0x89, 0xab, 0, 1};
    int           i;
    raw[6] = (unsigned char)(begins << 7 | ends << 6);
    for (i = 0; i < 8; ++i) raw[8 + i] = (unsigned char)(length >> 8 * (7 - i) & 0xff);
    for (i = 0; type[i]; ++i) raw[16 + i] = (unsigned char)type[i];
    lft_p_sink_put(to, raw, sizeof raw);
}

LFT_P_STATIC void lft_p_lime_pad(lft_p_sink *to, uint64_t length)
{
    static const unsigned char zero[8] = {0};
    lft_p_sink_put(to, zero, (size_t)lft_p_lime_padding(length));
}

/* A record of XML. */
LFT_P_STATIC void lft_p_lime_put_xml(lft_p_sink *to, const char *type, const lft_p_text *xml, int begins, int ends)
{
    lft_p_lime_put(to, type, xml->used, begins, ends);
    lft_p_sink_put(to, xml->data, xml->used);
    lft_p_lime_pad(to, xml->used);
}

/* "  <name>" and "</name>\n" around what is put between them. */
LFT_P_STATIC void lft_p_xml_open(lft_p_text *t, const char *name)
{
    lft_p_put(t, "  <");
    lft_p_put(t, name);
    lft_p_put(t, ">");
}

LFT_P_STATIC void lft_p_xml_close(lft_p_text *t, const char *name)
{
    lft_p_put(t, "</");
    lft_p_put(t, name);
    lft_p_put(t, ">\n");
}

LFT_P_STATIC void lft_p_ildg_put_format(lft_p_sink *to, const lft_gauge_file *f)
{
    static const char *const name[] = {"lx", "ly", "lz", "lt"};
    char                     xml[640]; /* it takes at most 430 */
    lft_p_text               t = lft_p_text_over(xml, sizeof xml);
    int                      k;
    lft_p_put(&t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<ildgFormat xmlns=\"http://www.lqcd.org/ildg\"\n"
                  "            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
                  "            xsi:schemaLocation=\"http://www.lqcd.org/ildg filefmt.xsd\">\n"
                  "  <version>1.0</version>\n");
    lft_p_xml_open(&t, "field");
    lft_p_put(&t, f->colours > 1 ? "su" : "u");
    lft_p_put_u64(&t, (uint64_t)f->colours);
    lft_p_put(&t, "gauge");
    lft_p_xml_close(&t, "field");
    lft_p_xml_open(&t, "precision");
    lft_p_put_u64(&t, 8 * lft_dtype_bytes(f->dtype));
    lft_p_xml_close(&t, "precision");
    for (k = 0; k < 4; ++k) {
        lft_p_xml_open(&t, name[k]);
        lft_p_put_u64(&t, (uint64_t)f->extent[3 - k]);
        lft_p_xml_close(&t, name[k]);
    }
    lft_p_put(&t, "</ildgFormat>\n");
    lft_p_lime_put_xml(to, "ildg-format", &t, 1, 0);
}

LFT_P_STATIC void lft_p_ildg_put_sums(lft_p_sink *to, const uint32_t *crc)
{
    static const char *const name[] = {"suma", "sumb"};
    char                     xml[256];
    lft_p_text               t = lft_p_text_over(xml, sizeof xml);
    int                      k;
    lft_p_put(&t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scidacChecksum>\n  <version>1.0</version>\n");
    for (k = 0; k < 2; ++k) {
        lft_p_xml_open(&t, name[k]);
        lft_p_put_hex(&t, crc[k]);
        lft_p_xml_close(&t, name[k]);
    }
    lft_p_put(&t, "</scidacChecksum>\n");
    lft_p_lime_put_xml(to, "scidac-checksum", &t, 0, 1);
}

/* Three records, one message. The checksum comes last: each link is asked for once. */
LFT_P_STATIC lft_status lft_p_ildg_write(lft_p_links *p, lft_p_sink *to, lft_gauge_get get, void *user, lft_error *e)
{
    const lft_gauge_file *f      = p->file;
    const uint64_t        length = lft_p_links_sites(f->dim, f->extent) * 4 * lft_p_links_bytes(f);
    lft_status            status;
    lft_p_ildg_put_format(to, f);
    lft_p_lime_put(to, "ildg-binary-data", length, 0, 0);
    status = lft_p_links_write(p, to, get, user, e);
    if (status) return status;
    lft_p_lime_pad(to, length);
    lft_p_ildg_put_sums(to, p->crc);
    return LFT_OK;
}

#undef LFT_P_LIME_HEADER
#undef LFT_P_LIME_XML_MOST

#endif /* LFT_P_CODE */
