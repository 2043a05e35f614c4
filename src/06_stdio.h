/* 06_stdio.h: optional adaptor from the streams of this header to the files of C; only if LFT_STDIO is defined.
 * Offers: lft_file_reader(), lft_file_writer(), lft_file_replace(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#include <stdio.h>

/* A reader of a file that the caller opened in binary mode ("rb") and closes. */
LFT_P_STATIC lft_reader lft_file_reader(FILE *file);

/* A writer to a file that the caller opened in binary mode ("wb") and closes. What stdio still buffers is written by
 * fclose(), whose result the caller must check; lft_file_replace() does. */
LFT_P_STATIC lft_writer lft_file_writer(FILE *file);

/* Replaces a file as a whole or not at all: fill(to, ctx, error) writes the new content to path.tmp, which becomes path
 * by rename() after everything has been written and closed. So a kill or a full disk leaves the old file as it was. On
 * any failure the temporary file is removed. (Where rename() does not replace, as on Windows, remove the old one first.
 * Nothing is forced to the disk: a power failure may undo more than the last write.)
 * LFT_ERR_IO: open, write, close or rename failed; LFT_ERR_ARG: path longer than 4000 bytes; else what fill returns if
 * it is not LFT_OK. */
LFT_P_STATIC lft_status lft_file_replace(const char *path, int (*fill)(lft_writer to, void *ctx, lft_error *error),
                                         void *ctx, lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC size_t lft_p_file_read(void *user, void *data, size_t n)
{
    return fread(data, 1, n, (FILE *)user);
}

LFT_P_STATIC size_t lft_p_file_write(void *user, const void *data, size_t n)
{
    return fwrite(data, 1, n, (FILE *)user);
}

LFT_P_STATIC lft_reader lft_file_reader(FILE *file)
{
    lft_reader r;
    r.read = lft_p_file_read;
    r.user = file;
    return r;
}

LFT_P_STATIC lft_writer lft_file_writer(FILE *file)
{
    lft_writer w;
    w.write = lft_p_file_write;
    w.user  = file;
    return w;
}

LFT_P_STATIC lft_status lft_file_replace(const char *path, int (*fill)(lft_writer to, void *ctx, lft_error *error),
                                         void *ctx, lft_error *error)
{
    char       temporary[4096];
    lft_p_text t = lft_p_text_over(temporary, sizeof temporary);
    FILE      *file;
    lft_status status;
    lft_p_put(&t, path);
    if (t.used > 4000) return lft_p_fail(error, LFT_ERR_ARG, "file", "path: expected at most 4000 bytes");
    lft_p_put(&t, ".tmp");
    file = fopen(temporary, "wb");
    if (!file) return lft_p_fail_text(error, LFT_ERR_IO, "file", "open", "a file that can be written", temporary);
    status = (lft_status)fill(lft_file_writer(file), ctx, error);
    if (!status && (fflush(file) != 0 || ferror(file))) {
        status = lft_p_fail_text(error, LFT_ERR_IO, "file", "write", "room on the disk", temporary);
    }
    if (fclose(file) != 0 && !status) {
        status = lft_p_fail_text(error, LFT_ERR_IO, "file", "close", "room on the disk", temporary);
    }
    if (!status && rename(temporary, path) != 0) {
        status = lft_p_fail_text(error, LFT_ERR_IO, "file", "rename", "a path that can be replaced", path);
    }
    if (status) (void)remove(temporary);
    return status;
}

#endif /* LFT_P_CODE */
