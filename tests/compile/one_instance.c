/* one_instance.c: an instance and its implementation in one file; also freestanding, and without vectors. */
#define LFT_IMPLEMENTATION
#include "phi4_2d.h"

#define USE phi4_2d
#include "use.h"

static int link_of(void *user, const int x[LFT_MAX_DIM], int mu, double *u)
{
    u[0] = x[0] == *(const int *)user;
    u[1] = mu;
    return 0;
}

static int count(void *user, const int x[LFT_MAX_DIM], int mu, const double *u)
{
    *(int *)user += x[0] + (int)u[1] - mu + 1;
    return 0;
}

/* Gauge files, of which no instance knows. */
static int use_gauge_files(void)
{
    static unsigned char  bytes[4096];
    static lft_gauge_file file;
    lft_memory            memory;
    lft_writer            to = lft_memory_writer(&memory, bytes, sizeof bytes);
    int                   format, n = 1;
    for (format = LFT_NERSC; format <= LFT_ILDG; ++format) {
        file.format    = (lft_gauge_format)format;
        file.dim       = 4;
        file.colours   = 1;
        file.extent[0] = 2;
        file.extent[1] = file.extent[2] = file.extent[3] = 1;
        to = lft_memory_writer(&memory, bytes, sizeof bytes);
        if (lft_gauge_write(to, &file, link_of, &n, NULL) != LFT_OK) return 5;
        n = 0;
        if (lft_gauge_read_header(lft_memory_reader(&memory, bytes, memory.at), NULL, &file, NULL) != LFT_OK) return 6;
        if (lft_gauge_read_links(&file, count, &n, NULL) != LFT_OK || n != 12) return 7;
    }
    return 0;
}

int main(void)
{
    const int status = phi4_2d_use();
    return status ? status : use_gauge_files();
}
