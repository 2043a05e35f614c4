/* 05_text.h: text and numbers in files: what the rooms of the formats share. Nothing in it trusts its input.
 * Offers (private): lft_p_source, a text being parsed; lft_p_sink, one being written; JSON strings; numbers as bytes. */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- reading: a failure sticks, and the text is then at its end, so that parsers need not ask after each step ---- */

/* The small steps are kept out of line: inlined, they made 64 instead of 37 kB of the format rooms (gcc 12 -O2). */

/* A text of known length in a file, looked at one character ahead: a window that is refilled from the reader, or, with
 * left = 0, all of it in memory. Nothing beyond the text is read. */
typedef struct lft_p_source {
    lft_reader     from;
    const char    *where; /* for messages */
    lft_error     *error;
    lft_status     status; /* the first failure */
    unsigned char *data;
    size_t         size, held, used; /* of the window; bytes in it; those consumed */
    uint64_t       at, left;         /* place in the file of the next byte; bytes of the text beyond the window */
    int            decode;           /* all of the text is in data, and strings are decoded where they stand */
} lft_p_source;

LFT_P_STATIC void lft_p_source_open(lft_p_source *s, lft_reader from, const char *where, lft_error *error)
{
    lft_p_zero(s, sizeof *s);
    s->from  = from;
    s->where = where;
    s->error = error;
}

/* 'text' for a message: cut, and without the control characters that would confuse a terminal. */
LFT_P_NOINLINE void lft_p_put_quoted(lft_p_text *t, const char *s)
{
    char c[2] = {0, 0};
    int  n;
    lft_p_put(t, "'");
    for (n = 0; s[n] && n < 40; ++n) {
        c[0] = s[n] >= 32 && s[n] < 127 ? s[n] : '?';
        lft_p_put(t, c);
    }
    lft_p_put(t, s[n] ? "...'" : "'");
}

/* "where: byte 12: what", to be continued; nothing if something has failed before. */
LFT_P_NOINLINE lft_p_text lft_p_bad(lft_p_source *s, lft_status code, uint64_t at, const char *what)
{
    lft_p_text t = {0, 0, 0};
    if (s->status) return t;
    s->status = code;
    t         = lft_p_error_text(s->error, code, s->where, "byte ");
    lft_p_put_u64(&t, at);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return t;
}

/* Exactly n bytes from the reader; 0 if it has fewer. */
LFT_P_NOINLINE int lft_p_fetch(lft_p_source *s, void *data, size_t n)
{
    size_t     got = n && !s->status ? s->from.read(s->from.user, data, n) : 0;
    lft_p_text t;
    if (s->status || got == n) return !s->status;
    t = lft_p_bad(s, LFT_ERR_IO, s->at, "the data end early: expected ");
    lft_p_put_u64(&t, n);
    lft_p_put(&t, " more bytes, got ");
    lft_p_put_u64(&t, got);
    return 0;
}

/* The same, past the bytes: for what is no text. */
LFT_P_STATIC int lft_p_take(lft_p_source *s, void *data, size_t n)
{
    int ok = lft_p_fetch(s, data, n);
    if (ok) s->at += n;
    return ok;
}

/* The next character, or -1 at the end of the text. */
LFT_P_NOINLINE int lft_p_peek(lft_p_source *s)
{
    if (s->status) return -1;
    if (s->used == s->held) {
        size_t n = s->left < s->size ? (size_t)s->left : s->size;
        if (!n || !lft_p_fetch(s, s->data, n)) return -1;
        s->held = n;
        s->used = 0;
        s->left -= n;
    }
    return s->data[s->used];
}

/* Past the character that lft_p_peek() has shown. */
LFT_P_STATIC void lft_p_skip(lft_p_source *s)
{
    s->used += 1;
    s->at += 1;
}

/* "where: byte 12: expected ..., got ..." about the next character. */
LFT_P_NOINLINE void lft_p_unexpected(lft_p_source *s, const char *expected)
{
    int        c = lft_p_peek(s);
    lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected ");
    char       text[2];
    text[0] = (char)(c < 0 ? 0 : c);
    text[1] = 0;
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    if (c < 0) lft_p_put(&t, "the end of the header");
    else if (c >= 32 && c < 127) lft_p_put_quoted(&t, text);
    else {
        lft_p_put(&t, "byte ");
        lft_p_put_u64(&t, (uint64_t)c);
    }
}

LFT_P_NOINLINE void lft_p_skip_space(lft_p_source *s)
{
    int c;
    for (c = lft_p_peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = lft_p_peek(s)) lft_p_skip(s);
}

/* Where the next thing begins. */
LFT_P_STATIC uint64_t lft_p_place(lft_p_source *s)
{
    lft_p_skip_space(s);
    return s->at;
}

/* 1, and past it, if c is the next character after white space. */
LFT_P_STATIC int lft_p_accept(lft_p_source *s, int c)
{
    lft_p_skip_space(s);
    if (lft_p_peek(s) != c) return 0;
    lft_p_skip(s);
    return 1;
}

LFT_P_STATIC int lft_p_want(lft_p_source *s, int c, const char *expected)
{
    int ok = lft_p_accept(s, c);
    if (!ok) lft_p_unexpected(s, expected);
    return ok;
}

/* The end of the text but for white space. */
LFT_P_STATIC void lft_p_want_end(lft_p_source *s)
{
    lft_p_skip_space(s);
    if (lft_p_peek(s) >= 0) lft_p_unexpected(s, "nothing but padding");
}

/* Appends a decimal digit; 0 if c is none or the number leaves 64 bits. */
LFT_P_STATIC int lft_p_digit(uint64_t *v, int c)
{
    uint64_t d = (uint64_t)(c - '0');
    if (c < '0' || c > '9' || *v > (UINT64_MAX - d) / 10) return 0;
    *v = *v * 10 + d;
    return 1;
}

/* 1 if all of text is a decimal integer below 2^64, as lft_p_put_u64() writes it. */
LFT_P_STATIC int lft_p_parse_u64(const char *text, uint64_t *v)
{
    *v = 0;
    if (!*text) return 0;
    for (; *text; ++text) {
        if (!lft_p_digit(v, *text)) return 0;
    }
    return 1;
}

/* An integer >= 0 without sign, fraction, exponent or leading zeros: all that JSON and Python agree on. */
LFT_P_STATIC uint64_t lft_p_integer(lft_p_source *s)
{
    uint64_t v = 0;
    int      first, c;
    lft_p_skip_space(s);
    first = c = lft_p_peek(s);
    if (!lft_p_digit(&v, c)) lft_p_unexpected(s, "an integer >= 0");
    while (c >= '0' && c <= '9') {
        lft_p_skip(s);
        c = lft_p_peek(s);
        if (c < '0' || c > '9') break;
        if (first == '0') lft_p_unexpected(s, "no digit after a leading 0");
        else if (!lft_p_digit(&v, c)) lft_p_unexpected(s, "an integer below 2^64");
        if (s->status) break;
    }
    return v;
}

/* Follows a text byte by byte: left is the number of bytes that the present character still needs, the next of them
 * from lo to hi. Overlong forms, surrogates and code points beyond 10ffff are refused. */
typedef struct lft_p_utf8 {
    int left, lo, hi;
} lft_p_utf8;

/* 1 if c may come next. */
LFT_P_STATIC int lft_p_utf8_next(lft_p_utf8 *u, int c)
{
    int ok = u->left ? c >= u->lo && c <= u->hi : c < 0x80 || (c >= 0xc2 && c <= 0xf4);
    u->lo  = 0x80;
    u->hi  = 0xbf;
    if (u->left) u->left -= 1;
    else {
        u->left = (c >= 0xc2) + (c >= 0xe0) + (c >= 0xf0);
        if (c == 0xe0) u->lo = 0xa0;
        if (c == 0xed) u->hi = 0x9f;
        if (c == 0xf0) u->lo = 0x90;
        if (c == 0xf4) u->hi = 0x8f;
    }
    return ok;
}

LFT_P_STATIC int lft_p_utf8_valid(const char *s)
{
    lft_p_utf8 u = {0, 0, 0};
    for (; *s; ++s) {
        if (!lft_p_utf8_next(&u, (unsigned char)*s)) return 0;
    }
    return u.left == 0;
}

/* The code point as UTF-8; returns its length. */
LFT_P_STATIC size_t lft_p_utf8_put(uint32_t code, char out[4])
{
    const size_t n = (size_t)1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    size_t       i;
    for (i = n - 1; i > 0; --i) {
        out[i] = (char)(unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(unsigned char)(n == 1 ? code : code | (0xf00u >> n & 0xf0));
    return n;
}

/* u and the four hexadecimal digits of a code unit. */
LFT_P_STATIC uint32_t lft_p_unit(lft_p_source *s)
{
    uint32_t v = 0;
    int      i;
    if (lft_p_peek(s) != 'u') lft_p_unexpected(s, "'u' of an escape");
    else lft_p_skip(s);
    for (i = 0; i < 4 && !s->status; ++i) {
        const int c = lft_p_peek(s), letter = c | 32;
        if (c >= '0' && c <= '9') v = v * 16 + (uint32_t)(c - '0');
        else if (c > 0 && letter >= 'a' && letter <= 'f') v = v * 16 + (uint32_t)(letter - 'a') + 10;
        else lft_p_unexpected(s, "four hexadecimal digits");
        if (!s->status) lft_p_skip(s);
    }
    return v;
}

/* What follows a backslash. A zero byte would end the text early, half a surrogate pair is no character. */
LFT_P_STATIC uint32_t lft_p_escape(lft_p_source *s)
{
    static const char letter[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
    const uint64_t    at = s->at;
    uint32_t          code, low = 0xdc00;
    int               i;
    for (i = 0; i < 8; ++i) {
        if (lft_p_peek(s) == letter[i]) {
            lft_p_skip(s);
            return (uint32_t)meaning[i];
        }
    }
    code = lft_p_unit(s);
    if (code >= 0xd800 && code < 0xdc00) {
        if (lft_p_peek(s) != '\\') lft_p_unexpected(s, "the second half of a surrogate pair");
        else lft_p_skip(s);
        low  = lft_p_unit(s);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) low = 0;
    if (code == 0 || low < 0xdc00 || low > 0xdfff) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, at, "expected a character, got \\u0000 or half a surrogate pair");
    }
    return code;
}

/* A string between double quotes (JSON) or also the other kind (Python). With s->decode it is decoded where it stands,
 * which it never outgrows; else into brief and cut to its size, which no word that matters reaches. A failure gives
 * "". */
LFT_P_STATIC const char *lft_p_string(lft_p_source *s, int other_quote, char brief[48])
{
    lft_p_utf8 u    = {0, 0, 0};
    size_t     used = 0, i, n;
    char      *out  = brief, text[4];
    int        quote, c;
    lft_p_skip_space(s);
    quote = lft_p_peek(s);
    if (quote != '"' && quote != other_quote) lft_p_unexpected(s, "a string");
    else lft_p_skip(s);
    if (s->decode) out = (char *)s->data + s->used;
    while (!s->status) {
        c = lft_p_peek(s);
        if (c < 32) lft_p_unexpected(s, "a character of a string");
        else if (!lft_p_utf8_next(&u, c)) lft_p_unexpected(s, "UTF-8");
        if (s->status) break;
        lft_p_skip(s);
        if (c == quote) {
            out[used] = 0;
            return out;
        }
        text[0] = (char)(unsigned char)c;
        n       = c == '\\' ? lft_p_utf8_put(lft_p_escape(s), text) : 1;
        for (i = 0; i < n && (s->decode || used < 47); ++i) out[used++] = text[i];
    }
    return "";
}

/* The text from p to end, which may be written to, without the white space around it. */
LFT_P_NOINLINE const char *lft_p_trim(char *p, char *end)
{
    while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n' || end[-1] == '\r')) --end;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) ++p;
    *end = 0;
    return p;
}

/* < 0, 0, > 0 as a sorts before b, is b, sorts after b. */
LFT_P_STATIC int lft_p_order(const char *a, const char *b)
{
    while (*a && *a == *b) ++a, ++b;
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

/* One of three keys, each to be seen once, and the colon after it; 3 after a failure. */
LFT_P_STATIC int lft_p_key(lft_p_source *s, int other_quote, const char *const key[3], unsigned *seen)
{
    const uint64_t at = lft_p_place(s);
    char           brief[48];
    const char    *word = lft_p_string(s, other_quote, brief);
    lft_p_text     t;
    int            k;
    for (k = 0; k < 3 && lft_p_order(word, key[k]); ++k) {}
    if (k < 3 && !(*seen >> k & 1)) {
        *seen |= 1u << k;
        return lft_p_want(s, ':', "':'") ? k : 3;
    }
    t = lft_p_bad(s, LFT_ERR_FORMAT, at, "expected the keys");
    for (k = 0; k < 3; ++k) {
        lft_p_put(&t, k ? ", " : " ");
        lft_p_put(&t, key[k]);
    }
    lft_p_put(&t, " once each, got ");
    lft_p_put_quoted(&t, word);
    return 3;
}

/* ---- writing ---- */

/* Small pieces gathered into larger writes. With to.write == NULL it only counts. A failure sticks. */
typedef struct lft_p_sink {
    lft_writer    to;
    uint64_t      at; /* bytes put so far */
    size_t        used;
    int           failed;
    unsigned char buffer[512];
} lft_p_sink;

LFT_P_STATIC void lft_p_sink_open(lft_p_sink *s, lft_writer to)
{
    s->to     = to;
    s->at     = 0;
    s->used   = 0;
    s->failed = 0;
}

LFT_P_STATIC void lft_p_sink_flush(lft_p_sink *s)
{
    if (s->used && s->to.write && !s->failed) s->failed = s->to.write(s->to.user, s->buffer, s->used) != s->used;
    s->used = 0;
}

LFT_P_NOINLINE void lft_p_sink_put(lft_p_sink *s, const void *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;
    size_t               i;
    s->at += n;
    for (i = 0; i < n; ++i) {
        if (s->used == sizeof s->buffer) lft_p_sink_flush(s);
        s->buffer[s->used++] = p[i];
    }
}

LFT_P_NOINLINE void lft_p_sink_text(lft_p_sink *s, const char *text)
{
    size_t n = 0;
    while (text[n]) ++n;
    lft_p_sink_put(s, text, n);
}

LFT_P_STATIC void lft_p_sink_u64(lft_p_sink *s, uint64_t v)
{
    char       digits[21];
    lft_p_text t = lft_p_text_over(digits, sizeof digits);
    lft_p_put_u64(&t, v);
    lft_p_sink_text(s, digits);
}

/* As a JSON string. */
LFT_P_STATIC void lft_p_sink_string(lft_p_sink *s, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    lft_p_sink_put(s, "\"", 1);
    for (; *text; ++text) {
        const unsigned c = (unsigned char)*text;
        if (c < 32) {
            lft_p_sink_put(s, "\\u00", 4);
            lft_p_sink_put(s, hex + (c >> 4), 1);
            lft_p_sink_put(s, hex + (c & 15), 1);
        } else {
            if (c == '"' || c == '\\') lft_p_sink_put(s, "\\", 1);
            lft_p_sink_put(s, text, 1);
        }
    }
    lft_p_sink_put(s, "\"", 1);
}

LFT_P_STATIC lft_status lft_p_sink_close(lft_p_sink *s, const char *where, lft_error *e)
{
    lft_p_sink_flush(s);
    return s->failed ? lft_p_fail(e, LFT_ERR_IO, where, "a write failed: is the disk full?") : LFT_OK;
}

#endif /* LFT_P_CODE */
