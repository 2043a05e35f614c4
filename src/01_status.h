/* 01_status.h: status values, and the text that says what, where, expected, got.
 * Offers: lft_status, lft_status_str(), lft_error. The library never prints, exits or aborts. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#define LFT_P_STATUS_LIST(X)                                             \
    X(LFT_OK, "ok")                                                      \
    X(LFT_STOPPED, "stopped by the caller")                              \
    X(LFT_ERR_ARG, "bad argument")                                       \
    X(LFT_ERR_NOMEM, "arena too small")                                  \
    X(LFT_ERR_NONFINITE, "not a finite number")                          \
    X(LFT_ERR_NOCONV, "no convergence")                                  \
    X(LFT_ERR_FORMAT, "bad file content")                                \
    X(LFT_ERR_IO, "read or write failed")                                \
    X(LFT_ERR_MISMATCH, "does not fit this instance")

#define LFT_P_STATUS_ENUM(code, text) code,
typedef enum lft_status { LFT_P_STATUS_LIST(LFT_P_STATUS_ENUM) LFT_P_STATUS_COUNT } lft_status;
#undef LFT_P_STATUS_ENUM

/* A status in words, e.g. "arena too small". Never NULL. */
LFT_P_STATIC const char *lft_status_str(lft_status s);

/* What went wrong: "where: what: expected ..., got ...". Objects carry one; functions without an object take a pointer,
 * which may be NULL. The text is always terminated. Success leaves it alone. */
typedef struct lft_error {
    lft_status code;
    char       text[160];
} lft_error;

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC const char *lft_status_str(lft_status s)
{
#define LFT_P_STATUS_TEXT(code, text) text,
    static const char *const text[] = {LFT_P_STATUS_LIST(LFT_P_STATUS_TEXT) "unknown status"};
#undef LFT_P_STATUS_TEXT
    return text[(unsigned)s < LFT_P_STATUS_COUNT ? (unsigned)s : (unsigned)LFT_P_STATUS_COUNT];
}

/* Text grows in a fixed buffer and is cut at its end: a message must never fail. */
typedef struct lft_p_text {
    char  *data;
    size_t used, size;
} lft_p_text;

LFT_P_NOINLINE void lft_p_put(lft_p_text *t, const char *s)
{
    for (; *s && t->used + 1 < t->size; ++s) t->data[t->used++] = *s;
    if (t->size) t->data[t->used] = 0;
}

LFT_P_NOINLINE void lft_p_put_u64(lft_p_text *t, uint64_t v)
{
    char  digits[21];
    char *p = digits + 20;
    *p      = 0;
    do {
        *--p = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v);
    lft_p_put(t, p);
}

/* Integers up to 2^53 exactly, the rest with six digits and an exponent: for messages, not for data. */
LFT_P_NOINLINE void lft_p_put_f64(lft_p_text *t, double v)
{
    int e = 0;
    if (!lft_finite(v)) {
        lft_p_put(t, "a non-finite number");
        return;
    }
    if (v < 0) {
        lft_p_put(t, "-");
        v = -v;
    }
    if (v < 9007199254740992.0 && (double)(uint64_t)v == v) {
        lft_p_put_u64(t, (uint64_t)v);
        return;
    }
    while (v >= 10) v /= 10, ++e;
    while (v < 1) v *= 10, --e;
    {
        uint64_t six = (uint64_t)(v * 1e6 + 0.5);
        char     digits[9];
        int      i;
        for (i = 7; i >= 0; --i) {
            if (i == 1) digits[i] = '.';
            else {
                digits[i] = (char)('0' + (int)(six % 10));
                six /= 10;
            }
        }
        if (six) e += 1, digits[0] = '1'; /* 9.999999 rounds up to 10.0000 */
        for (i = 7; i > 2 && digits[i - 1] == '0'; --i) digits[i - 1] = 0;
        digits[7] = 0;
        lft_p_put(t, digits);
    }
    if (e) {
        lft_p_put(t, e < 0 ? "e-" : "e+");
        lft_p_put_u64(t, (uint64_t)(e < 0 ? -e : e));
    }
}

/* An empty text over a buffer. */
LFT_P_NOINLINE lft_p_text lft_p_text_over(char *data, size_t size)
{
    lft_p_text t;
    t.data = data, t.used = 0, t.size = size;
    lft_p_put(&t, "");
    return t;
}

LFT_P_NOINLINE lft_p_text lft_p_error_text(lft_error *e, lft_status code, const char *where, const char *what)
{
    lft_p_text t = {0, 0, 0};
    if (!e) return t;
    e->code = code;
    t       = lft_p_text_over(e->text, sizeof e->text);
    lft_p_put(&t, where);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return t;
}

/* "where: what" */
LFT_P_NOINLINE lft_status lft_p_fail(lft_error *e, lft_status code, const char *where, const char *what)
{
    (void)lft_p_error_text(e, code, where, what);
    return code;
}

/* "where: what: expected ..., got <number>" */
LFT_P_NOINLINE lft_status lft_p_fail_got(lft_error *e, lft_status code, const char *where, const char *what,
                                        const char *expected, double got)
{
    lft_p_text t = lft_p_error_text(e, code, where, what);
    lft_p_put(&t, ": expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_f64(&t, got);
    return code;
}

/* "where: what: expected ..., got <text>" */
LFT_P_NOINLINE lft_status lft_p_fail_text(lft_error *e, lft_status code, const char *where, const char *what,
                                         const char *expected, const char *got)
{
    lft_p_text t = lft_p_error_text(e, code, where, what);
    lft_p_put(&t, ": expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put(&t, got);
    return code;
}

#endif /* LFT_P_CODE */
