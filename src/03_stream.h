/* 03_stream.h: where bytes come from and go to. The header itself opens no file.
 * Offers: lft_reader, lft_writer. */
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

#endif /* LFT_P_DECLARATIONS */
