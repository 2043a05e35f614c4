/* test_gauge_file.c: gauge files written and read back, files put together here byte by byte, and files that lie. Also real
 * files of other codes, if ../shared or LFT_SHARED=<directory> has configs/. With LFT_TEST_OUT=<directory> it leaves
 * test_*.nersc and .lime there, each with what tests/vectors/check_gauge.py has to print about it in .expected. */
#define LFT_STDIO
#include "lftflow.h"
#include "../test.h"
#include <stdlib.h>

enum { SITES = 512, MOST = 2 * 8 * 8 };

/* A field: links at u[(site * 4 + direction) * MOST], and how often each has been put. */
typedef struct links {
    int    dim, extent[4], n, asked;
    double u[SITES * 4 * MOST];
    int    times[SITES * 4];
} links;

static links         in, out;
static unsigned char file[2000000], other[2000000];

static int volume(const links *f)
{
    int v = 1, mu;
    for (mu = 0; mu < f->dim; ++mu) v *= f->extent[mu];
    return v;
}

/* Row-major, as a sum of products: no loop that the reader has, too. */
static int site_of(const links *f, const int *x)
{
    if (f->dim == 2) return x[0] * f->extent[1] + x[1];
    if (f->dim == 3) return x[0] * f->extent[1] * f->extent[2] + x[1] * f->extent[2] + x[2];
    return x[0] * f->extent[1] * f->extent[2] * f->extent[3] + x[1] * f->extent[2] * f->extent[3] + x[2] * f->extent[3] + x[3];
}

static void site_at(const links *f, int site, int *x)
{
    int mu;
    memset(x, 0, 4 * sizeof *x);
    for (mu = f->dim - 1; mu >= 0; --mu) x[mu] = site % f->extent[mu], site /= f->extent[mu];
}

static double *link_of(links *f, int site, int mu)
{
    return f->u + (site * 4 + mu) * MOST;
}

static int get(void *user, const int x[4], int mu, double *u)
{
    links *f = (links *)user;
    f->asked += 1;
    memcpy(u, link_of(f, site_of(f, x), mu), (size_t)(2 * f->n * f->n) * sizeof *u);
    return 0;
}

static int put(void *user, const int x[4], int mu, const double *u)
{
    links *f = (links *)user;
    memcpy(link_of(f, site_of(f, x), mu), u, (size_t)(2 * f->n * f->n) * sizeof *u);
    f->times[site_of(f, x) * 4 + mu] += 1;
    return 0;
}

static int error_says(const lft_error *e, lft_status code, const char *words)
{
    int ok = e->code == code && strstr(e->text, words) && strlen(e->text) < sizeof e->text - 1;
    if (!ok) printf("    status %d, text \"%s\", expected \"%s\"\n", (int)e->code, e->text, words);
    return ok;
}

/* ---- fields ---- */

static double noise(int site, int mu, int k)
{
    uint32_t ctr[4], key[2] = {3, 0}, bits[4];
    ctr[0] = (uint32_t)site, ctr[1] = (uint32_t)mu, ctr[2] = (uint32_t)k, ctr[3] = 0;
    lft_philox(ctr, key, bits);
    return bits[0] / 2147483648.0 - 1;
}

/* Unitary matrices by Gram and Schmidt, of determinant 1 for N = 2 and 3; all entries of all links differ. With single,
 * rounded to float. */
static void make_field(links *f, int dim, const int *extent, int n, int single)
{
    int site, mu, i, k, c;
    memset(f, 0, sizeof *f);
    f->dim = dim, f->n = n;
    memcpy(f->extent, extent, sizeof(int) * (size_t)dim);
    for (site = 0; site < volume(f); ++site) {
        for (mu = 0; mu < dim; ++mu) {
            double *u = link_of(f, site, mu), norm;
            for (i = 0; i < n; ++i) {
                double *a = u + 2 * n * i;
                for (c = 0; c < 2 * n; ++c) a[c] = noise(site, mu, 2 * n * i + c);
                for (k = 0; k < i; ++k) { /* a -= b (b, a) */
                    const double *b = u + 2 * n * k;
                    double        re = 0, im = 0;
                    for (c = 0; c < 2 * n; c += 2) {
                        re += b[c] * a[c] + b[c + 1] * a[c + 1];
                        im += b[c] * a[c + 1] - b[c + 1] * a[c];
                    }
                    for (c = 0; c < 2 * n; c += 2) {
                        a[c] -= b[c] * re - b[c + 1] * im;
                        a[c + 1] -= b[c] * im + b[c + 1] * re;
                    }
                }
                for (norm = 0, c = 0; c < 2 * n; ++c) norm += a[c] * a[c];
                for (c = 0; c < 2 * n; ++c) a[c] /= sqrt(norm);
            }
            if (n == 2) u[4] = -u[2], u[5] = u[3], u[6] = u[0], u[7] = -u[1];
            if (n == 3) {
                for (c = 0; c < 3; ++c) { /* conj(a x b) */
                    const double *a = u + 2 * ((c + 1) % 3), *b = u + 6 + 2 * ((c + 2) % 3);
                    const double *d = u + 2 * ((c + 2) % 3), *e = u + 6 + 2 * ((c + 1) % 3);
                    u[12 + 2 * c] = a[0] * b[0] - a[1] * b[1] - (d[0] * e[0] - d[1] * e[1]);
                    u[13 + 2 * c] = -(a[0] * b[1] + a[1] * b[0] - (d[0] * e[1] + d[1] * e[0]));
                }
            }
            if (single) {
                for (i = 0; i < 2 * n * n; ++i) u[i] = (double)(float)u[i];
            }
        }
    }
}

/* Re tr P / N, plaquette by plaquette, of whatever the field holds. */
static double plaquette(links *f)
{
    double sum = 0;
    int    site, mu, nu, i, j, k, l, x[4], y[4], z[4];
    for (site = 0; site < volume(f); ++site) {
        for (mu = 0; mu < f->dim; ++mu) {
            for (nu = mu + 1; nu < f->dim; ++nu) {
                const int     n = f->n;
                const double *a, *b, *c, *d;
                double        ab[MOST], re = 0;
                site_at(f, site, x);
                memcpy(y, x, sizeof y), memcpy(z, x, sizeof z);
                y[mu] = (x[mu] + 1) % f->extent[mu], z[nu] = (x[nu] + 1) % f->extent[nu];
                a = link_of(f, site, mu), b = link_of(f, site_of(f, y), nu);
                c = link_of(f, site_of(f, z), mu), d = link_of(f, site, nu);
                memset(ab, 0, sizeof ab);
                for (i = 0; i < n; ++i) {
                    for (j = 0; j < n; ++j) {
                        for (k = 0; k < n; ++k) {
                            const double *s = a + 2 * (n * i + k), *t = b + 2 * (n * k + j);
                            ab[2 * (n * i + j)] += s[0] * t[0] - s[1] * t[1];
                            ab[2 * (n * i + j) + 1] += s[0] * t[1] + s[1] * t[0];
                        }
                    }
                }
                for (i = 0; i < n; ++i) { /* tr a b c^+ d^+: indices i j, k j, i k */
                    for (j = 0; j < n; ++j) {
                        for (k = 0; k < n; ++k) {
                            const double *s = ab + 2 * (n * i + j), *t = c + 2 * (n * k + j), *v = d + 2 * (n * i + k);
                            const double  tr = t[0] * v[0] - t[1] * v[1], ti = -t[0] * v[1] - t[1] * v[0];
                            re += s[0] * tr - s[1] * ti;
                        }
                    }
                }
                sum += re / n;
            }
        }
    }
    l = f->dim * (f->dim - 1) / 2;
    return sum / volume(f) / l;
}

static double link_trace(links *f)
{
    double sum = 0;
    int    site, mu, i;
    for (site = 0; site < volume(f); ++site) {
        for (mu = 0; mu < f->dim; ++mu) {
            for (i = 0; i < f->n; ++i) sum += link_of(f, site, mu)[2 * (f->n * i + i)] / f->n;
        }
    }
    return sum / volume(f) / f->dim;
}

/* ---- reading and writing in memory ---- */

static lft_gauge_file desc_of(const links *f, lft_gauge_format format, lft_dtype dtype, int rows)
{
    lft_gauge_file d;
    memset(&d, 0, sizeof d);
    d.format = format, d.dim = f->dim, d.colours = f->n, d.dtype = dtype, d.rows = rows;
    memcpy(d.extent, f->extent, sizeof d.extent);
    return d;
}

static size_t write_field(links *f, lft_gauge_format format, lft_dtype dtype, int rows, unsigned char *to)
{
    lft_gauge_file d = desc_of(f, format, dtype, rows);
    lft_memory     m;
    lft_error      e;
    if (!lft_gauge_write(lft_memory_writer(&m, to, sizeof file), &d, get, f, &e)) return m.at;
    printf("    %s\n", e.text);
    return 0;
}

/* Reads a file into `out`. */
static lft_status read_field(const void *data, size_t size, const lft_gauge_hint *hint, lft_gauge_file *d, lft_error *e)
{
    lft_memory m;
    lft_status status;
    int        i;
    e->code = LFT_OK, e->text[0] = 0;
    status  = lft_gauge_read_header(lft_memory_reader(&m, data, size), hint, d, e);
    if (status) return status;
    for (i = 0; i < 4 * SITES; ++i) out.times[i] = 0;
    out.dim = d->dim, out.n = d->colours;
    memcpy(out.extent, d->extent, sizeof out.extent);
    if (volume(&out) > SITES) return LFT_ERR_NOMEM;
    return lft_gauge_read_links(d, put, &out, e);
}

/* Each link once, and the same but for `tolerance`; rows below `rows` exactly. */
static int same_field(links *a, links *b, int rows, double tolerance)
{
    int site, mu, i;
    if (a->dim != b->dim || a->n != b->n || memcmp(a->extent, b->extent, sizeof a->extent)) return 0;
    for (site = 0; site < volume(a); ++site) {
        for (mu = 0; mu < a->dim; ++mu) {
            const double *u = link_of(a, site, mu), *v = link_of(b, site, mu);
            if (b->times[4 * site + mu] != 1 || memcmp(u, v, (size_t)(2 * rows * a->n) * sizeof *u)) return 0;
            for (i = 0; i < 2 * a->n * a->n; ++i) {
                if (!(fabs(u[i] - v[i]) <= tolerance)) return 0;
            }
        }
    }
    return 1;
}

static uint64_t big(const unsigned char *p, int n)
{
    uint64_t v = 0;
    int      i;
    for (i = 0; i < n; ++i) v = v << 8 | p[i];
    return v;
}

static double number(const unsigned char *p, int bytes)
{
    const uint64_t v = big(p, bytes);
    const uint32_t w = (uint32_t)(v & 0xffffffffu);
    double         x;
    float          s;
    memcpy(&x, &v, 8), memcpy(&s, &w, 4);
    return bytes == 8 ? x : (double)s;
}

/* Where the words end for the first time. */
static size_t after(const unsigned char *data, size_t size, const char *words)
{
    const size_t n = strlen(words);
    size_t       i;
    for (i = 0; i + n <= size; ++i) {
        if (!memcmp(data + i, words, n)) return i + n;
    }
    printf("    no \"%s\" in the file\n", words);
    return 0;
}

static size_t payload_of(lft_gauge_format format, const unsigned char *data, size_t size)
{
    if (format == LFT_NERSC) return after(data, size, "\nEND_HEADER\n");
    return size ? after(data, size, "ildg-binary-data") - 16 + 128 : 0;
}

/* ---- round trips, with sizes that differ in all directions ---- */

static void leave_for_python(const char *name, links *f, lft_gauge_format format, lft_dtype dtype, int rows, size_t size)
{
    static const char *const word[] = {"none", "nersc", "lime"};
    const char              *directory = getenv("LFT_TEST_OUT");
    char                     path[4096];
    FILE                    *p;
    int                      mu, i, x[4];
    if (!directory) return;
    snprintf(path, sizeof path, "%s/test_%s.%s", directory, name, word[format]);
    p = fopen(path, "wb");
    check_true("gauge: file for Python", p && fwrite(file, 1, size, p) == size && fclose(p) == 0);
    snprintf(path, sizeof path, "%s/test_%s.%s.expected", directory, name, word[format]);
    p = fopen(path, "w");
    if (!p) return;
    fprintf(p, "%s x y z t", lft_gauge_format_str(format));
    for (mu = f->dim - 1; mu >= 0; --mu) fprintf(p, " %d", f->extent[mu]);
    fprintf(p, " N %d rows %d bits %d\n", f->n, rows, dtype == LFT_DTYPE_F32 ? 32 : 64);
    fprintf(p, "plaquette %.9f trace %.9f\n", plaquette(f), link_trace(f));
    for (i = 0; i < volume(f); i += 37) { /* in the first row, which no float rounds and no third row touches */
        site_at(f, i, x);
        fprintf(p, "(x y z t)");
        for (mu = f->dim - 1; mu >= 0; --mu) fprintf(p, " %d", x[mu]);
        for (mu = f->dim - 1; mu >= 0; --mu) fprintf(p, " %.17g", link_of(f, i, mu)[2 * f->n - 1]);
        fprintf(p, "\n");
    }
    fclose(p);
}

/* Every entry at its place, by the formula and not by a loop; and the checksums. */
static int layout_is_right(links *f, lft_gauge_format format, int bytes, int rows, const unsigned char *data, size_t size)
{
    const unsigned char *p    = data + payload_of(format, data, size);
    const int            link = 2 * rows * f->n * bytes;
    uint32_t             sum = 0, a = 0, b = 0;
    int                  site, mu, i, j, k;
    for (site = 0; site < volume(f); ++site) {
        int x[4], at;
        site_at(f, site, x);
        if (f->dim == 2) at = x[1] + f->extent[1] * x[0];
        else if (f->dim == 3) at = x[2] + f->extent[2] * (x[1] + f->extent[1] * x[0]);
        else at = x[3] + f->extent[3] * (x[2] + f->extent[2] * (x[1] + f->extent[1] * x[0]));
        for (mu = 0; mu < f->dim; ++mu) {
            const int direction = f->dim == 2 ? 1 - mu : f->dim == 3 ? 2 - mu : 3 - mu;
            for (i = 0; i < rows; ++i) {
                for (j = 0; j < f->n; ++j) {
                    for (k = 0; k < 2; ++k) {
                        const int            entry = (at * f->dim + direction) * link + ((i * f->n + j) * 2 + k) * bytes;
                        const unsigned char *q     = p + entry;
                        if (q + bytes > data + size) return 0;
                        if (number(q, bytes) != link_of(f, site, mu)[2 * (f->n * i + j) + k]) return 0;
                        sum += (uint32_t)big(q, 4) + (bytes == 8 ? (uint32_t)big(q + 4, 4) : 0);
                    }
                }
            }
        }
    }
    if (format == LFT_NERSC) {
        return p + volume(f) * f->dim * link == data + size &&
               strtoul((const char *)data + after(data, size, "CHECKSUM = "), NULL, 16) == sum;
    }
    for (site = 0; site < volume(f); ++site) { /* bit by bit */
        uint32_t  crc = 0xffffffffu;
        const int n29 = site % 29, n31 = site % 31;
        for (i = 0; i < 4 * link; ++i) {
            crc ^= p[site * 4 * link + i];
            for (j = 0; j < 8; ++j) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
        crc = ~crc;
        a ^= (uint32_t)(((uint64_t)crc << n29 | (uint64_t)crc << n29 >> 32) & 0xffffffffu);
        b ^= (uint32_t)(((uint64_t)crc << n31 | (uint64_t)crc << n31 >> 32) & 0xffffffffu);
    }
    return strtoul((const char *)data + after(data, size, "<suma>"), NULL, 16) == a &&
           strtoul((const char *)data + after(data, size, "<sumb>"), NULL, 16) == b;
}

static void round_trip(const char *name, lft_gauge_format format, lft_dtype dtype, int rows)
{
    const int      single = dtype == LFT_DTYPE_F32;
    const size_t   size   = write_field(&in, format, dtype, rows, file);
    char           line[96];
    lft_gauge_file d;
    lft_error      e;
    const int      status = read_field(file, size, NULL, &d, &e);
    int            ok     = !status && size && same_field(&in, &out, rows, rows < in.n ? (single ? 1e-6 : 1e-15) : 0);
    if (status) printf("    %s\n", e.text);
    ok &= d.format == format && d.dtype == dtype && d.rows == rows && d.big_endian == 1 && d.stated.has_checksum == 1;
    ok &= d.found.has_checksum == 1 && !memcmp(d.stated.checksum, d.found.checksum, sizeof d.found.checksum);
    ok &= d.stated.has_plaquette == (format == LFT_NERSC) && d.stated.has_link_trace == (format == LFT_NERSC);
    snprintf(line, sizeof line, "%s: read back%s", name, rows < in.n ? " but for the third row" : ", bit by bit");
    check_true(line, ok);
    snprintf(line, sizeof line, "%s: every entry at its place, checksums", name);
    check_true(line, size && layout_is_right(&in, format, single ? 4 : 8, rows, file, size));
    snprintf(line, sizeof line, "%s: link trace found", name);
    check_below(line, d.found.link_trace - link_trace(&out), 1e-13);
    snprintf(line, sizeof line, "%s: unitarity found", name);
    check_below(line, d.unitarity, single ? 1e-6 : 1e-13);
    if (format == LFT_NERSC) {
        snprintf(line, sizeof line, "%s: link trace stated", name);
        check_below(line, d.stated.link_trace - link_trace(&in), 1e-13);
        snprintf(line, sizeof line, "%s: plaquette stated", name);
        check_below(line, d.stated.plaquette - plaquette(&in), 1e-13);
    }
    leave_for_python(name, &in, format, dtype, rows, size);
}

static const int odd[4] = {3, 4, 5, 6};

static void test_round_trips(void)
{
    make_field(&in, 4, odd, 3, 0);
    round_trip("su3_f64", LFT_NERSC, LFT_DTYPE_F64, 3);
    round_trip("su3_f64_two_rows", LFT_NERSC, LFT_DTYPE_F64, 2);
    round_trip("su3_f64_ildg", LFT_ILDG, LFT_DTYPE_F64, 3);
    make_field(&in, 4, odd, 3, 1);
    round_trip("su3_f32", LFT_NERSC, LFT_DTYPE_F32, 3);
    round_trip("su3_f32_two_rows", LFT_NERSC, LFT_DTYPE_F32, 2);
    round_trip("su3_f32_ildg", LFT_ILDG, LFT_DTYPE_F32, 3);
    make_field(&in, 4, odd, 2, 0);
    round_trip("su2_f64", LFT_NERSC, LFT_DTYPE_F64, 2);
    round_trip("su2_f64_ildg", LFT_ILDG, LFT_DTYPE_F64, 2);
    make_field(&in, 4, odd, 1, 1);
    round_trip("u1_f32", LFT_NERSC, LFT_DTYPE_F32, 1);
    round_trip("u1_f32_ildg", LFT_ILDG, LFT_DTYPE_F32, 1);
    make_field(&in, 4, odd, 8, 0);
    round_trip("su8_f64", LFT_NERSC, LFT_DTYPE_F64, 8);
    round_trip("su8_f64_ildg", LFT_ILDG, LFT_DTYPE_F64, 8);
    make_field(&in, 2, odd, 1, 0);
    round_trip("u1_2d_f64", LFT_NERSC, LFT_DTYPE_F64, 1);
    make_field(&in, 2, odd, 3, 0);
    round_trip("su3_2d_f64_two_rows", LFT_NERSC, LFT_DTYPE_F64, 2);
    make_field(&in, 3, odd, 2, 1);
    round_trip("su2_3d_f32", LFT_NERSC, LFT_DTYPE_F32, 2);
}

/* Zero means the default, and what the desc states is not what is written. */
static void test_defaults(void)
{
    lft_gauge_file d, r;
    lft_memory     m;
    lft_error      e;
    make_field(&in, 4, odd, 3, 0);
    d = desc_of(&in, LFT_NERSC, LFT_DTYPE_NONE, 0);
    d.stated.has_plaquette = d.stated.has_checksum = 1;
    d.stated.plaquette = 7, d.stated.checksum[0] = 7, d.big_endian = 0;
    check_true("defaults: written", !lft_gauge_write(lft_memory_writer(&m, file, sizeof file), &d, get, &in, NULL));
    check_true("defaults: all rows, F64, nothing stale",
               !read_field(file, m.at, NULL, &r, &e) && r.rows == 3 && r.dtype == LFT_DTYPE_F64 && r.stated.plaquette < 1 &&
                   same_field(&in, &out, 3, 0));
}

/* ---- known bytes ---- */

static void test_known_header(void)
{
    static const char text[] = "BEGIN_HEADER\nHDR_VERSION = 1.0\nDATATYPE = 2D_U1_GAUGE\nSTORAGE_FORMAT = 1.0\n"
                               "DIMENSION_1 = 3\nDIMENSION_2 = 2\nLINK_TRACE = 0.916666666666667\nPLAQUETTE = 0.666666666666667\n"
                               "BOUNDARY_1 = PERIODIC\nBOUNDARY_2 = PERIODIC\nCHECKSUM = ff400000\n"
                               "ENSEMBLE_ID = lftflow\nENSEMBLE_LABEL = lftflow\nSEQUENCE_NUMBER = 0\n"
                               "CREATOR = lftflow " LFT_VERSION "\nFLOATING_POINT = IEEE64BIG\nEND_HEADER\n";
    const int         extent[2] = {2, 3};
    size_t            size;
    int               i, zero = 1;
    memset(&in, 0, sizeof in);
    in.dim = 2, in.n = 1;
    memcpy(in.extent, extent, sizeof extent);
    for (i = 0; i < 12; ++i) link_of(&in, i / 2, i % 2)[0] = 1;
    link_of(&in, 1, 0)[0] = 0, link_of(&in, 1, 0)[1] = 1; /* i at t = 0, x = 1 in direction t: twelve links, two plaquettes */
    size = write_field(&in, LFT_NERSC, LFT_DTYPE_F64, 1, file);
    check_true("known NERSC header", size == sizeof text - 1 + 192 && !memcmp(file, text, sizeof text - 1));
    for (i = 0; i < 192; ++i) { /* 1, 0 but for x = 1 in file's direction 1: 0, 1 */
        const unsigned char *p   = file + sizeof text - 1;
        const int            one = i / 16 == 3 ? 8 : 0;
        zero &= p[i] == (i % 16 == one ? 0x3f : i % 16 == one + 1 ? 0xf0 : 0);
    }
    check_true("known NERSC links", zero);
}

static void test_known_records(void)
{
    static const char text[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                               "<ildgFormat xmlns=\"http://www.lqcd.org/ildg\"\n"
                               "            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
                               "            xsi:schemaLocation=\"http://www.lqcd.org/ildg filefmt.xsd\">\n"
                               "  <version>1.0</version>\n  <field>su2gauge</field>\n  <precision>32</precision>\n"
                               "  <lx>4</lx>\n  <ly>3</ly>\n  <lz>2</lz>\n  <lt>1</lt>\n</ildgFormat>\n";
    static const struct {
        const char *type;
        int         flags;
    } record[]          = {{"ildg-format", 0x80}, {"ildg-binary-data", 0}, {"scidac-checksum", 0x40}};
    const int extent[4] = {1, 2, 3, 4};
    size_t    size, at = 0, k, i;
    int       ok = 1;
    make_field(&in, 4, extent, 2, 1);
    size = write_field(&in, LFT_ILDG, LFT_DTYPE_F32, 2, file);
    for (k = 0; k < 3; ++k) {
        const size_t length = (size_t)big(file + at + 8, 8);
        ok &= big(file + at, 4) == 0x456789abu && big(file + at + 4, 2) == 1 && file[at + 6] == record[k].flags;
        ok &= file[at + 7] == 0 && !strcmp((char *)file + at + 16, record[k].type);
        for (i = strlen(record[k].type); i < 128; ++i) ok &= file[at + 16 + i] == 0;
        if (k == 0) ok &= length == sizeof text - 1 && !memcmp(file + at + 144, text, length);
        if (k == 1) ok &= length == 24 * 4 * 8 * 4;
        at += 144 + length;
        for (; at % 8; ++at) ok &= file[at] == 0;
    }
    check_true("known LIME records", ok && at == size);
    check_true("crc32 of 123456789", lft_p_crc32((const unsigned char *)"123456789", 9) == 0xcbf43926u);
    check_true("rotation by 0, 1, 30", lft_p_rotate(0x80000001u, 0) == 0x80000001u && lft_p_rotate(0x80000001u, 1) == 3 &&
                                           lft_p_rotate(0x80000001u, 30) == 0x60000000u);
}

static void test_numbers(void)
{
    static const double number[] = {0,      1,     -1,        0.59854555908264,    -0.00077418463760719, 1.0 / 3,  2.0 / 3e4,
                                    1e-5,   9e-6,  1e-12,     0.99999999999999994, 123456789.25,         5e14,     1e15,
                                    3e22,   1e100, -2.5e-300, 9.9999999999999995,  0.1,                  1.0 / 7e7};
    static const char *const bad[] = {"", "-", ".", "e5", "1e", "1e+", "1x", "nan", "inf", "1 2", "1e999", "0x1", "--1", "1.2.3"};
    char                     text[64], expected[64];
    double                   worst = 0, v = 0;
    size_t                   i;
    int                      same = 1, refused = 1;
    for (i = 0; i < sizeof number / sizeof *number; ++i) {
        lft_p_text t = {0, 0, 0};
        t.data = text, t.size = sizeof text;
        lft_p_put_g15(&t, number[i]);
        snprintf(expected, sizeof expected, "%.15g", number[i]);
        if (fabs(strtod(text, NULL) - number[i]) > 1.1e-14 * fabs(number[i])) same = 0;
        if (fabs(number[i]) < 1e14 && fabs(number[i]) > 1e-8 && strcmp(text, expected)) same = 0;
        if (!same) printf("    %s, expected %s\n", text, expected);
        if (!lft_p_parse_f64(expected, &v)) worst = 1;
        if (number[i] != 0) worst = fmax(worst, fabs(v / strtod(expected, NULL) - 1));
    }
    check_true("numbers: as %.15g prints them", same);
    check_below("numbers: read, relative error", worst, 1e-14);
    check_true("numbers: many digits",
               lft_p_parse_f64("+0012345678901234567890123.5e-23", &v) && fabs(v - 0.123456789012345678) < 1e-16);
    check_true("numbers: tiny", lft_p_parse_f64("-1e-400", &v) && v == 0 && lft_p_parse_f64("0e999999999999", &v) && v == 0);
    for (i = 0; i < sizeof bad / sizeof *bad; ++i) refused &= !lft_p_parse_f64(bad[i], &v);
    check_true("numbers: what is none", refused);
}

/* ---- what others write ---- */

/* A file, `other`, made of `from` by replacing the first `old` by `with`. */
static size_t replace(const unsigned char *from, size_t size, const char *old, const char *with)
{
    const size_t end = after(from, size, old), n = strlen(old), m = strlen(with);
    if (!end) return 0;
    memcpy(other, from, end - n);
    memcpy(other + end - n, with, m);
    memcpy(other + end - n + m, from + end, size - end);
    return size - n + m;
}

static void swap_bytes(unsigned char *p, size_t n, size_t part)
{
    size_t i, k;
    for (i = 0; i < n; i += part) {
        for (k = 0; k < part / 2; ++k) {
            const unsigned char c = p[i + k];
            p[i + k]              = p[i + part - 1 - k];
            p[i + part - 1 - k]   = c;
        }
    }
}

static void test_nersc_byte_orders(void)
{
    int wide, little, bare, rows;
    for (wide = 0; wide < 2; ++wide) {
        make_field(&in, 4, odd, 3, !wide);
        for (rows = 2; rows < 4; ++rows) {
            const size_t size = write_field(&in, LFT_NERSC, wide ? LFT_DTYPE_F64 : LFT_DTYPE_F32, rows, file);
            for (little = 0; little < 2; ++little) {
                for (bare = 0; bare < 2; ++bare) {
                    char           word[32], line[96];
                    size_t         n, start;
                    lft_gauge_file d;
                    lft_error      e;
                    lft_status     status;
                    snprintf(word, sizeof word, "IEEE%s%s", wide ? "64" : "32", bare ? "" : little ? "LITTLE" : "BIG");
                    n     = replace(file, size, wide ? "IEEE64BIG" : "IEEE32BIG", word);
                    start = payload_of(LFT_NERSC, other, n);
                    if (little) swap_bytes(other + start, n - start, wide ? 8 : 4);
                    status = read_field(other, n, NULL, &d, &e);
                    if (status) printf("    %s\n", e.text);
                    snprintf(line, sizeof line, "NERSC %s, %s-endian, %d rows", word, little ? "little" : "big", rows);
                    check_true(line, !status && d.big_endian == !little && same_field(&in, &out, rows, wide ? 1e-15 : 1e-6));
                    other[n > 3 ? n - 3 : 0] ^= 1; /* of the right order, but not the same */
                    check_true("  damaged",
                               read_field(other, n, NULL, &d, &e) && error_says(&e, LFT_ERR_FORMAT, "checksum of the links"));
                }
            }
        }
    }
}

static void test_bare_noise(void)
{
    size_t         n, start, i;
    lft_gauge_file d;
    lft_error      e;
    make_field(&in, 4, odd, 3, 0);
    n     = replace(file, write_field(&in, LFT_NERSC, LFT_DTYPE_F64, 3, file), "IEEE64BIG", "IEEE64");
    start = payload_of(LFT_NERSC, other, n);
    for (i = start; i < n; ++i) other[i] = (unsigned char)(i * 37 >> 2);
    read_field(other, n, NULL, &d, &e);
    check_true("NERSC bare IEEE64, noise", error_says(&e, LFT_ERR_FORMAT, "byte order: expected unitary links"));
    memset(other + start, 0xff, n - start);
    read_field(other, n, NULL, &d, &e);
    check_true("NERSC bare IEEE64, NaN", error_says(&e, LFT_ERR_FORMAT, "byte order: expected unitary links"));
}

static void test_nersc_tolerance(void)
{
    static const struct {
        const char *old, *with;
    } test[] = {{"BEGIN_HEADER\n", "BEGIN_HEADER\r\n"},
                {"END_HEADER\n", "END_HEADER  \r\n"},
                {"CREATOR = ", "CREATOR = a = b\n\n  \nwithout equals\nLABEL = \xc3\xa9\t\n UNKNOWN="},
                {"DIMENSION_1 = 6", "  DIMENSION_1=6  "},
                {"DIMENSION_2 = 5", "DIMENSION_2\t=\t0005"},
                {"_3x3", "_3X3"},
                {"CHECKSUM = ", "CHECKSUM = 0x"},
                {"PLAQUETTE = ", "PLAQUETTE   =\t"},
                {"ENSEMBLE_LABEL = ", "ENSEMBLE_LABEL = 01234567890123456789012345678901234567890123456789"
                                      "89012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
                                      "89012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
                                      "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"}};
    size_t         size, i;
    int            ok = 1;
    lft_gauge_file d;
    lft_error      e;
    make_field(&in, 4, odd, 3, 0);
    size = write_field(&in, LFT_NERSC, LFT_DTYPE_F64, 3, file);
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        const int status = read_field(other, replace(file, size, test[i].old, test[i].with), NULL, &d, &e);
        if (status) printf("    %s\n", e.text);
        ok &= !status && d.stated.has_checksum && fabs(d.stated.plaquette - plaquette(&in)) < 1e-13 && same_field(&in, &out, 3, 0);
    }
    check_true("NERSC: headers of other writers", ok);
    for (i = 0; i < 3; ++i) {
        static const char *const key[] = {"CHECKSUM", "LINK_TRACE", "PLAQUETTE"};
        ok &= !read_field(other, replace(file, size, key[i], "NOTHING"), NULL, &d, &e);
        ok &= d.stated.has_checksum == (i != 0) && d.stated.has_link_trace == (i != 1) && d.stated.has_plaquette == (i != 2);
        ok &= d.found.has_checksum == 1 && same_field(&in, &out, 3, 0);
    }
    check_true("NERSC: no CHECKSUM, LINK_TRACE or PLAQUETTE, and that is said", ok);
    make_field(&in, 4, odd, 2, 0);
    size = replace(file, write_field(&in, LFT_NERSC, LFT_DTYPE_F64, 2, file), "4D_SU2_GAUGE_2x2", "4D_SU2_GAUGE");
    check_true("NERSC: 4D_SU2_GAUGE has all rows",
               !read_field(other, size, NULL, &d, &e) && d.rows == 2 && same_field(&in, &out, 2, 0));
}

/* A record at the end of a file. */
static size_t record(unsigned char *to, size_t at, const char *type, int flags, const void *data, size_t n)
{
    int i;
    memset(to + at, 0, 144 + n + 8);
    to[at] = 0x45, to[at + 1] = 0x67, to[at + 2] = 0x89, to[at + 3] = 0xab, to[at + 5] = 1;
    to[at + 6] = (unsigned char)flags;
    for (i = 0; i < 8; ++i) to[at + 8 + i] = (unsigned char)(n >> 8 * (7 - i) & 255);
    memcpy(to + at + 16, type, strlen(type));
    if (n) memcpy(to + at + 144, data, n);
    return (at + 144 + n + 7) / 8 * 8;
}

#define FORMAT_BEGIN "<ildgFormat><version>1.0</version><field>su3gauge</field><precision>64</precision>"
#define SIZES        "<lx>6</lx><ly>5</ly><lz>4</lz><lt>3</lt>"
static const char format_text[] = FORMAT_BEGIN SIZES "</ildgFormat>";

/* The links of `in` as ILDG: where they are in `file`, and how many bytes. */
static const unsigned char *ildg_links(size_t *bytes, char sums[256])
{
    const size_t size = write_field(&in, LFT_ILDG, LFT_DTYPE_F64, in.n, file), start = payload_of(LFT_ILDG, file, size);
    const size_t end = after(file, size, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scidac");
    *bytes           = (size_t)(volume(&in) * 4 * 2 * in.n * in.n) * 8;
    strcpy(sums, (char *)file + end - 46);
    return file + start;
}

static void test_ildg_tolerance(void)
{
    static const char *const format[] = {
        format_text,
        "<?xml version=\"1.0\"?><!DOCTYPE x><!-- <lx>7</lx> > -- - --><a:ildgFormat xmlns:a='x>y' b=\"/\" ><a:field\n>\tsu3gauge "
        "</a:field ><a:precision x='1'> 64\r\n</a:precision>"
        "<a:lt>3</a:lt> <a:lz>0004</a:lz><other/><a:ly>5</a:ly><empty a='>'/><a:lx>6</a:lx></a:ildgFormat>\n\n",
        "<!----><ildgFormat>" SIZES "<precision>64</precision><field>su3gauge</field></ildgFormat>"};
    static const unsigned char junk[1000] = {0};
    char                       sums[256];
    size_t                     bytes, n, k;
    const unsigned char       *data;
    lft_gauge_file             d;
    lft_error                  e;
    int                        status, ok = 1;
    make_field(&in, 4, odd, 3, 0);
    data = ildg_links(&bytes, sums);
    for (k = 0; k < 3; ++k) {
        n = record(other, 0, "xlf-info", 0xc0, junk, 333);
        n = record(other, n, "ildg-format", 0x80, format[k], strlen(format[k]) + (k == 2)); /* tmLQCD writes its final 0 */
        n = record(other, n, "empty", 0, junk, 0);
        n = record(other, n, "ildg-binary-data", 0x40, data, bytes);
        n = record(other, n, "ildg-data-lfn", 0x80, "lfn://x", 7);
        n = record(other, n, "scidac-checksum", 0x40, sums, strlen(sums));
        n = record(other, n, "afterwards", 0xc0, junk, 1000);
        status = read_field(other, n, NULL, &d, &e);
        if (status) printf("    %s\n", e.text);
        ok &= !status && d.stated.has_checksum && d.format == LFT_ILDG && same_field(&in, &out, 3, 0);
    }
    check_true("ILDG: other XML, other records", ok);
    n = record(other, 0, "ildg-format", 0x80, format_text, strlen(format_text));
    n = record(other, n, "ildg-binary-data", 0x40, data, bytes);
    status = read_field(other, n, NULL, &d, &e);
    check_true("ILDG: no checksum, and that is said",
               !status && !d.stated.has_checksum && d.found.has_checksum && same_field(&in, &out, 3, 0));
    n = record(other, 0, "scidac-checksum", 0x80, sums, strlen(sums));
    n = record(other, n, "ildg-format", 0, format_text, strlen(format_text));
    n = record(other, n, "ildg-binary-data", 0x40, data, bytes);
    check_true("ILDG: checksum before the links", !read_field(other, n, NULL, &d, &e) && d.stated.has_checksum);
    other[n - 1] ^= 1;
    check_true("  damaged",
               read_field(other, n, NULL, &d, &e) && error_says(&e, LFT_ERR_FORMAT, "checksum of the links: expected"));
}

static void test_ildg_hint(void)
{
    lft_gauge_hint       hint;
    char                 sums[256];
    size_t               bytes, n;
    const unsigned char *data;
    lft_gauge_file       d;
    lft_error            e;
    int                  colours, ok = 1;
    for (colours = 1; colours <= 8; ++colours) {
        int single;
        for (single = 0; single < 2; ++single) {
            memset(&hint, 0, sizeof hint);
            memcpy(hint.extent, odd, sizeof odd);
            make_field(&in, 4, odd, colours, single);
            n    = write_field(&in, LFT_ILDG, single ? LFT_DTYPE_F32 : LFT_DTYPE_F64, colours, file);
            data = file + payload_of(LFT_ILDG, file, n);
            n    = record(other, 0, "ildg-binary-data", 0xc0, data, (size_t)(360 * 4 * 2 * colours * colours) * (single ? 4 : 8));
            ok &= !read_field(other, n, &hint, &d, &e) && d.colours == colours && same_field(&in, &out, colours, 0);
            ok &= d.dtype == (single ? LFT_DTYPE_F32 : LFT_DTYPE_F64) && !d.stated.has_checksum;
            hint.colours = colours, hint.dtype = d.dtype;
            ok &= !read_field(other, n, &hint, &d, &e);
            hint.colours = colours % 8 + 1;
            ok &= read_field(other, n, &hint, &d, &e) &&
                  error_says(&e, LFT_ERR_FORMAT, "a length that fits what the caller says, got");
        }
    }
    check_true("ILDG without ildg-format: all groups, both types", ok);
    make_field(&in, 4, odd, 3, 0);
    data = ildg_links(&bytes, sums);
    n    = record(other, 0, "ildg-binary-data", 0xc0, data, bytes);
    read_field(other, n, NULL, &d, &e);
    check_true("  and without a hint",
               error_says(&e, LFT_ERR_FORMAT,
                          "ILDG ildg-binary-data: byte 144: no ildg-format record before the links: expected extents"));
    memset(&hint, 0, sizeof hint);
    hint.extent[0] = hint.extent[1] = hint.extent[2] = hint.extent[3] = 1 << 30;
    read_field(other, n, &hint, &d, &e);
    check_true("  with huge extents", error_says(&e, LFT_ERR_FORMAT, "expected extents from the caller"));
    hint.extent[0] = hint.extent[1] = hint.extent[2] = 3, hint.extent[3] = 5, hint.colours = -1;
    n = write_field(&in, LFT_ILDG, LFT_DTYPE_F64, 3, file);
    check_true("  a hint that the file overrules", !read_field(file, n, &hint, &d, &e) && same_field(&in, &out, 3, 0));
}

/* openQCD's export of `f`, by the formula: odd sites in the order of z + Z (y + Y (x + X t)). */
static size_t openqcd(links *f, unsigned char *to, double p)
{
    const int T = f->extent[0], Z = f->extent[1], Y = f->extent[2], X = f->extent[3], size[4] = {T, X, Y, Z};
    int       i, k, rank, odds = 0;
    double   *value;
    for (k = 0; k < 4; ++k) {
        for (i = 0; i < 4; ++i) to[4 * k + i] = (unsigned char)(size[k] >> 8 * i & 255);
    }
    lft_p_file_put(to + 16, 8, lft_p_host_get(&p, 8));
    for (rank = 0; rank < T * X * Y * Z; ++rank) {
        const int z = rank % Z, y = rank / Z % Y, x = rank / Z / Y % X, t = rank / Z / Y / X;
        if ((x + y + z + t) % 2 == 0) continue;
        for (k = 0; k < 8; ++k) {
            const int axis[4] = {0, 3, 2, 1};
            int       at[4];
            at[0] = t, at[1] = z, at[2] = y, at[3] = x;
            if (k & 1) at[axis[k / 2]] = (at[axis[k / 2]] + f->extent[axis[k / 2]] - 1) % f->extent[axis[k / 2]];
            value = link_of(f, site_of(f, at), axis[k / 2]);
            for (i = 0; i < 18; ++i) lft_p_file_put(to + 24 + ((odds * 8 + k) * 18 + i) * 8, 8, lft_p_host_get(value + i, 8));
        }
        ++odds;
    }
    return (size_t)(24 + odds * 8 * 144);
}

static void test_openqcd(void)
{
    const int      even[4] = {2, 4, 6, 8}, two[4] = {2, 2, 2, 2};
    double         p, bad = 1e308;
    size_t         n;
    lft_gauge_file d;
    lft_error      e;
    int            status;
    make_field(&in, 4, even, 3, 0);
    p      = plaquette(&in);
    n      = openqcd(&in, file, 3 * p);
    status = read_field(file, n, NULL, &d, &e);
    if (status) printf("    %s\n", e.text);
    check_true("openQCD: read, bit by bit", !status && d.format == LFT_OPENQCD && d.rows == 3 && same_field(&in, &out, 3, 0));
    check_below("openQCD: plaquette stated", d.stated.plaquette - plaquette(&out), 1e-14);
    check_below("openQCD: link trace found", d.found.link_trace - link_trace(&in), 1e-14);
    check_true("openQCD: has no checksum", !d.stated.has_checksum && !d.found.has_checksum && !d.stated.has_link_trace);
    make_field(&in, 4, two, 3, 0);
    n = openqcd(&in, file, 3 * plaquette(&in));
    check_true("openQCD: extents of 2", !read_field(file, n, NULL, &d, &e) && same_field(&in, &out, 3, 0));
    file[n] = 0;
    read_field(file, n + 1, NULL, &d, &e);
    check_true("openQCD: too long",
               error_says(&e, LFT_ERR_FORMAT, "openQCD links: byte 9240: expected the end of the file after the links"));
    read_field(file, n - 1, NULL, &d, &e);
    check_true("openQCD: too short", error_says(&e, LFT_ERR_IO, "openQCD links: byte 8088: the data end early"));
    read_field(file, 23, NULL, &d, &e);
    check_true("openQCD: cut in its header", error_says(&e, LFT_ERR_IO, "gauge file: byte 4: the data end early"));
    file[8] = 3;
    read_field(file, n, NULL, &d, &e);
    check_true("openQCD: an odd extent", error_says(&e, LFT_ERR_FORMAT, "or four even extents of openQCD, got 02000000"));
    file[8] = 0;
    read_field(file, n, NULL, &d, &e);
    check_true("openQCD: extent 0", error_says(&e, LFT_ERR_FORMAT, "four even extents"));
    file[8] = 2, file[11] = 0x7f;
    read_field(file, n, NULL, &d, &e);
    check_true("openQCD: a huge extent", error_says(&e, LFT_ERR_FORMAT, "four even extents"));
    bad *= 1e10;
    openqcd(&in, file, bad);
    read_field(file, n, NULL, &d, &e);
    check_true("openQCD: a plaquette that is infinite", error_says(&e, LFT_ERR_FORMAT, "four even extents"));
    link_of(&in, 5, 2)[7] = bad;
    openqcd(&in, file, 0);
    read_field(file, n, NULL, &d, &e);
    check_true("openQCD: a link that is infinite",
               error_says(&e, LFT_ERR_NONFINITE, "site (0, 1, 0, 1), direction 2: not a finite number"));
}

/* ---- files that lie ---- */

static void test_nersc_refusals(void)
{
    static const struct {
        const char *old, *with, *words;
    } test[] = {
        {"BEGIN_HEADER", "BEGIN_HEADERS", "NERSC header: byte 0: line 1: expected BEGIN_HEADER, got 'BEGIN_HEADERS'"},
        {"4D_SU3_GAUGE_3x3", "4D_SU9_GAUGE_9x9",
         "byte 31: line 3: DATATYPE: expected 4D_SU3_GAUGE, 4D_SU3_GAUGE_3x3, 2D_U1_GAUGE or the like, got '4D_SU9"},
        {"4D_SU3_GAUGE_3x3", "4D_SU4_GAUGE", "DATATYPE: expected"},
        {"4D_SU3_GAUGE_3x3", "4D_SU3_GAUGE_3x2", "DATATYPE: expected"},
        {"4D_SU3_GAUGE_3x3", "4D_SU3_GAUGE_3x33", "DATATYPE: expected"},
        {"4D_SU3_GAUGE_3x3", "5D_SU3_GAUGE", "DATATYPE: expected"},
        {"4D_SU3_GAUGE_3x3", "4D_SU1_GAUGE", "DATATYPE: expected"},
        {"4D_SU3_GAUGE_3x3", "", "DATATYPE: expected"},
        {"4D_SU3_GAUGE_3x3", "4D_SU3_GAUGE\nDATATYPE = 4D_SU3_GAUGE", "line 4: DATATYPE: expected this key only once"},
        {"4D_SU3_GAUGE_3x3", "3D_SU3_GAUGE", "expected no DIMENSION_4 with this DATATYPE"},
        {"4D_SU3_GAUGE_3x3", "4D_SU3_GAUGE", "expected the end of the file after the links"},
        {"4D_SU3_GAUGE_3x3", "4D_SU4_GAUGE_4x4", "the data end early"},
        {"DATATYPE", "DATATYP", "expected DATATYPE before END_HEADER"},
        {"DIMENSION_3", "DIMENSION_5", "expected DIMENSION_3 before END_HEADER"},
        {"FLOATING_POINT", "FLOATING", "expected FLOATING_POINT before END_HEADER"},
        {"DIMENSION_1 = 6", "DIMENSION_1 = 0", "line 5: DIMENSION_1: expected an integer from 1 to 2^24, got '0'"},
        {"DIMENSION_1 = 6", "DIMENSION_1 = -6", "expected an integer from 1 to 2^24, got '-6'"},
        {"DIMENSION_1 = 6", "DIMENSION_1 = 6.0", "expected an integer from 1 to 2^24, got '6.0'"},
        {"DIMENSION_1 = 6", "DIMENSION_1 =", "expected an integer from 1 to 2^24, got ''"},
        {"DIMENSION_1 = 6", "DIMENSION_1", "expected an integer from 1 to 2^24, got ''"},
        {"DIMENSION_1 = 6", "DIMENSION_1 = 18446744073709551622", "expected an integer from 1 to 2^24"},
        {"DIMENSION_1 = 6", "DIMENSION_1 = 16777216", "DIMENSION_1, ...: expected at most 2^24 sites in all, got more"},
        {"DIMENSION_1 = 6\nDIMENSION_2 = 5", "DIMENSION_1 = 5\nDIMENSION_2 = 5", "expected the end of the file after the links"},
        {"DIMENSION_1 = 6", "DIMENSION_1 = 7", "the data end early: expected 576 more bytes, got 0"},
        {"CHECKSUM = ", "CHECKSUM = 1", "CHECKSUM: expected a hexadecimal number below 2^32, got '1"},
        {"CHECKSUM = ", "CHECKSUM = x", "CHECKSUM: expected a hexadecimal number below 2^32, got 'x"},
        {"PLAQUETTE = ", "PLAQUETTE = nan", "PLAQUETTE: expected a finite number, got 'nan"},
        {"LINK_TRACE = ", "LINK_TRACE = 1e999 ", "LINK_TRACE: expected a finite number, got '1e999"},
        {"IEEE64BIG", "IEEE80BIG", "FLOATING_POINT: expected IEEE32 or IEEE64, and BIG, LITTLE or nothing, got 'IEEE80BIG'"},
        {"IEEE64BIG", "IEEE64BIGGER", "FLOATING_POINT: expected"},
        {"IEEE64BIG", "IEEE32BIG", "not a finite number|the end of the file"},
        {"IEEE64BIG", "IEEE64LITTLE", "not a finite number|checksum"},
        {"CREATOR = ", "CREATOR = \x01", "expected text, got byte 1"},
        {"END_HEADER", "END_HEADERS", "expected text, got byte"},
    };
    size_t         size, i;
    int            ok = 1;
    lft_gauge_file d, zero;
    lft_error      e;
    lft_memory     m;
    memset(&zero, 0, sizeof zero);
    make_field(&in, 4, odd, 3, 0);
    size = write_field(&in, LFT_NERSC, LFT_DTYPE_F64, 3, file);
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        const size_t     n      = replace(file, size, test[i].old, test[i].with);
        const lft_status status = read_field(other, n, NULL, &d, &e);
        if (strchr(test[i].words, '|')) {
            ok &= status == LFT_ERR_NONFINITE || status == LFT_ERR_FORMAT;
            continue;
        }
        ok &= status && error_says(&e, status, test[i].words) && (status == LFT_ERR_FORMAT || status == LFT_ERR_IO);
        if (lft_gauge_read_header(lft_memory_reader(&m, other, n), NULL, &d, NULL)) ok &= !memcmp(&d, &zero, sizeof d);
    }
    check_true("NERSC: headers to refuse, with the right words", ok);
    memcpy(other, "BEGIN_HEADER\n", 13);
    memset(other + 13, 'x', 70000);
    read_field(other, 70000, NULL, &d, &e);
    check_true("NERSC: a header without an end", error_says(&e, LFT_ERR_FORMAT, "line 2: expected END_HEADER within 65536 bytes"));
    read_field("BEGI", 4, NULL, &d, &e);
    check_true("NERSC: four bytes",
               error_says(&e, LFT_ERR_IO, "NERSC header: byte 4: the data end early: expected 1 more bytes, got 0"));
    read_field("abc", 3, NULL, &d, &e);
    check_true("three bytes", error_says(&e, LFT_ERR_IO, "gauge file: byte 0: the data end early: expected 4 more bytes, got 3"));
    read_field("\x93NUMPY\1\0 and so on, more than 24 bytes", 36, NULL, &d, &e);
    check_true("none of the formats",
               error_says(&e, LFT_ERR_FORMAT, "gauge file: byte 0: expected BEGIN_HEADER of NERSC, 456789ab of LIME, or "
                                                                     "four even extents of openQCD, got 934e554d"));
}

static void test_ildg_refusals(void)
{
    static const struct {
        const char *text, *words;
    } test[] = {
        {"<ildgFormat>" SIZES "<field>su3gauge</field></ildgFormat>",
         "ILDG ildg-format: byte 232: expected field, precision, lx, ly, lz and lt"},
        {FORMAT_BEGIN "<lx>6</lx><lx>6</lx>", "byte 236: lx: expected this element only once, got '6'"},
        {FORMAT_BEGIN SIZES "<field>su3gauge</field>", "field: expected this element only once"},
        {FORMAT_BEGIN "<lx>0</lx>", "lx: expected an integer from 1 to 2^24, got '0'"},
        {FORMAT_BEGIN "<lx>-1</lx>", "lx: expected an integer from 1 to 2^24, got '-1'"},
        {FORMAT_BEGIN "<lx/>", "lx: expected an integer from 1 to 2^24, got ''"},
        {FORMAT_BEGIN "<lx>16777217</lx>", "lx: expected an integer from 1 to 2^24, got '16777217'"},
        {FORMAT_BEGIN "<lx>4096</lx><ly>4096</ly><lz>1</lz><lt>2</lt>", "lx, ly, lz, lt: expected at most 2^24 sites in all"},
        {FORMAT_BEGIN "<lx>99999999999999999999999999</lx>", "lx: expected an integer"},
        {FORMAT_BEGIN "<lx>111111111111111111111111111111111111111111111111111111111111111111111</lx>", "lx: expected an integer"},
        {FORMAT_BEGIN "<lx>6</lx><ly>5</ly><lz>4</lz><lt>4</lt>",
         "length: expected 276480 for this field, precision and extents, got 207360"},
        {"<field>su9gauge</field>", "byte 144: field: expected su3gauge, su2gauge, u1gauge or the like, got 'su9gauge'"},
        {"<field>su3gaug</field>", "field: expected su3gauge"},
        {"<field>su1gauge</field>", "field: expected su3gauge"},
        {"<field></field>", "field: expected su3gauge"},
        {"<precision>16</precision>", "precision: expected 32 or 64, got '16'"},
        {"<ildgFormat", "expected '>' of a tag, got the end of the header"},
        {"<ildgFormat a='></ildgFormat>", "expected '>' of a tag, got the end of the header"},
        {"<!-- " FORMAT_BEGIN SIZES "->", "expected '>', got the end of the header"},
        {"", "expected field, precision"},
        {"<", "expected '>' of a tag, got the end"},
    };
    static unsigned char raw[2000];
    char                 sums[256];
    size_t               bytes, n, i;
    const unsigned char *data;
    int                  ok = 1;
    lft_gauge_file       d, zero;
    lft_error            e;
    memset(&zero, 0, sizeof zero);
    make_field(&in, 4, odd, 3, 0);
    data = ildg_links(&bytes, sums);
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        n = record(other, 0, "ildg-format", 0x80, test[i].text, strlen(test[i].text));
        n = record(other, n, "ildg-binary-data", 0x40, data, bytes);
        read_field(other, n, NULL, &d, &e);
        ok &= error_says(&e, LFT_ERR_FORMAT, test[i].words) && !memcmp(&d, &zero, sizeof d);
    }
    check_true("ILDG: formats to refuse, with the right words", ok);

    record(raw, 0, "ildg-format", 0x40, format_text, 10);
    read_field(raw, 160, NULL, &d, &e);
    check_true("LIME: no begin of a message",
               error_says(&e, LFT_ERR_FORMAT, "LIME record: byte 6: flags: expected the begin of a message"));
    n = record(raw, 0, "ildg-format", 0x80, format_text, strlen(format_text));
    record(raw, n, "other", 0x80, "", 0);
    read_field(raw, n + 144, NULL, &d, &e);
    check_true("LIME: a message within another", error_says(&e, LFT_ERR_FORMAT, "flags: expected no begin within a message"));
    record(raw, n, "ildg-format", 0, format_text, strlen(format_text));
    read_field(raw, 2 * n, NULL, &d, &e);
    check_true("ILDG: two formats", error_says(&e, LFT_ERR_FORMAT, "expected ildg-format only once"));
    read_field(raw, n, NULL, &d, &e);
    check_true("ILDG: no links", error_says(&e, LFT_ERR_FORMAT, "expected a record ildg-binary-data, got the end of the file"));
    raw[8] = 0x40;
    read_field(raw, n, NULL, &d, &e);
    check_true("LIME: a length of 2^62",
               error_says(&e, LFT_ERR_FORMAT, "LIME record: byte 8: length of 'ildg-format': expected less than 2^62"));
    raw[8] = 0x3f;
    read_field(raw, n, NULL, &d, &e);
    check_true("ILDG: a huge format",
               error_says(&e, LFT_ERR_FORMAT,
                          "ILDG ildg-format: byte 8: length: expected at most 1048576, got 4539628424389460"));
    memcpy(raw + 16, "something-els\x1b", 14);
    read_field(raw, n, NULL, &d, &e);
    check_true("LIME: a huge record", error_says(&e, LFT_ERR_IO, "LIME record: byte 144: the data end early"));
    raw[8] = 0x7f;
    read_field(raw, n, NULL, &d, &e);
    check_true("LIME: no escape codes in messages", error_says(&e, LFT_ERR_FORMAT, "length of 'something-els?': expected"));
    memset(raw + 16, 'x', 128);
    raw[8] = 0;
    read_field(raw, n, NULL, &d, &e);
    check_true("LIME: a type without an end", error_says(&e, LFT_ERR_FORMAT, "expected a record ildg-binary-data"));
    raw[5] = 2;
    read_field(raw, n, NULL, &d, &e);
    check_true("LIME: version 2", error_says(&e, LFT_ERR_FORMAT, "LIME record: byte 4: version: expected 1, got 2"));
    read_field(raw, 100, NULL, &d, &e);
    check_true("LIME: a short header",
               error_says(&e, LFT_ERR_IO, "byte 0: the data end early: expected a header of 144 bytes, got 100"));

    n = record(other, 0, "ildg-format", 0x80, format_text, strlen(format_text));
    n = record(other, n, "ildg-binary-data", 0, data, bytes);
    i = record(other, n, "scidac-checksum", 0x40, "<suma>1</suma>", 14);
    read_field(other, i, NULL, &d, &e);
    check_true("ILDG: half a checksum", error_says(&e, LFT_ERR_FORMAT, "expected suma and sumb before the end of the record"));
    i = record(other, n, "scidac-checksum", 0x40, "<suma>1</suma><sumb>123456789</sumb>", 36);
    read_field(other, i, NULL, &d, &e);
    check_true("ILDG: a checksum of 36 bits",
               error_says(&e, LFT_ERR_FORMAT, "sumb: expected a hexadecimal number below 2^32, got '123456789'"));
    i = record(other, n, "scidac-checksum", 0x40, "<suma>1</suma><sumb>2</sumb>", 28);
    read_field(other, i, NULL, &d, &e);
    check_true("ILDG: another checksum", error_says(&e, LFT_ERR_FORMAT, "checksum of the links: expected 00000001 00000002, got "));
    i = record(other, n, "scidac-checksum", 0, sums, strlen(sums));
    i = record(other, i, "scidac-checksum", 0x40, sums, strlen(sums));
    read_field(other, i, NULL, &d, &e);
    check_true("ILDG: two checksums", error_says(&e, LFT_ERR_FORMAT, "expected scidac-checksum only once"));
    i = record(other, n, "ildg-binary-data", 0x40, data, 8);
    read_field(other, i, NULL, &d, &e);
    check_true("ILDG: two configurations", error_says(&e, LFT_ERR_FORMAT, "expected one configuration in the file, got another"));
    memset(other + n, 'x', 200);
    read_field(other, n + 200, NULL, &d, &e);
    check_true("LIME: something else behind the links", error_says(&e, LFT_ERR_FORMAT, "magic: expected 456789ab, got 78787878"));
    read_field(other, n + 20, NULL, &d, &e);
    check_true("LIME: a little of it", error_says(&e, LFT_ERR_IO, "expected a header of 144 bytes, got 20"));
}

/* Cut anywhere, a file is refused; but behind the links, ILDG may end with any record. */
static void test_truncation(void)
{
    static const lft_gauge_format format[] = {LFT_NERSC, LFT_ILDG, LFT_OPENQCD};
    const int                     extent[4] = {2, 2, 2, 2};
    size_t                        k, n, size;
    for (k = 0; k < 3; ++k) {
        int ok = 1, whole = 0;
        make_field(&in, 4, extent, 3, 0);
        size = format[k] == LFT_OPENQCD ? openqcd(&in, file, 1) : write_field(&in, format[k], LFT_DTYPE_F64, 3, file);
        for (n = 0; n < size; n += n < 1200 || n + 1200 > size ? 1 : 97) {
            unsigned char *cut = (unsigned char *)malloc(n ? n : 1); /* of its own, so that the sanitizer sees its end */
            lft_gauge_file d;
            lft_error      e;
            lft_status     status;
            if (!cut) break;
            memcpy(cut, file, n);
            status = read_field(cut, n, NULL, &d, &e);
            if (!status) ++whole;
            else ok &= (status == LFT_ERR_IO && strstr(e.text, "end early")) || strstr(e.text, "the end of the file");
            free(cut);
        }
        check_true(k == 0 ? "NERSC: cut anywhere" : k == 1 ? "ILDG: cut anywhere" : "openQCD: cut anywhere",
                   ok && whole == (k == 1));
    }
}

/* A byte of the links that changes is found; one of the header gives a status, and no harm. */
static void test_corruption(void)
{
    static const lft_gauge_format format[] = {LFT_NERSC, LFT_ILDG};
    const int                     extent[4] = {1, 2, 1, 3};
    size_t                        k, at, size, start, bytes = 6 * 4 * 144;
    int                           c;
    for (k = 0; k < 2; ++k) {
        int ok = 1, accepted = 0;
        make_field(&in, 4, extent, 3, 0);
        size  = write_field(&in, format[k], LFT_DTYPE_F64, 3, file);
        start = payload_of(format[k], file, size);
        for (at = 0; at < size; ++at) {
            const unsigned char was = file[at];
            for (c = 0; c < 256; c += at >= start && at < start + bytes ? 51 : 5) {
                lft_gauge_file d;
                lft_error      e;
                lft_status     status;
                if (c == was) continue;
                file[at] = (unsigned char)c;
                status   = read_field(file, size, NULL, &d, &e);
                if (status) ok &= e.code == status || status == LFT_ERR_NOMEM;
                else if (at >= start && at < start + bytes) ok = 0;
                else accepted += 1;
            }
            file[at] = was;
        }
        ok &= accepted > 200; /* free text, padding */
        check_true(k ? "ILDG: any byte changed" : "NERSC: any byte changed", ok);
    }
}

/* ---- arguments, callbacks, full disks ---- */

static int get_fails(void *user, const int x[4], int mu, double *u)
{
    return in.asked >= 30 ? LFT_STOPPED : get(user, x, mu, u);
}

static int get_drifts(void *user, const int x[4], int mu, double *u)
{
    const int status = get(user, x, mu, u);
    u[3] += 1e-9 * in.asked;
    return status;
}

static int put_stops(void *user, const int x[4], int mu, const double *u)
{
    (void)x, (void)mu, (void)u;
    return ++*(int *)user == 5 ? LFT_ERR_MISMATCH : 0;
}

static void test_arguments(void)
{
    static const struct {
        lft_gauge_format format;
        lft_dtype        dtype;
        int              dim, colours, rows, x;
        const char      *words;
    } test[]           = {{LFT_GAUGE_NONE, LFT_DTYPE_F64, 4, 3, 3, 3, "format to write: expected LFT_NERSC or LFT_ILDG, got none"},
                          {LFT_OPENQCD, LFT_DTYPE_F64, 4, 3, 3, 3, "format to write: expected LFT_NERSC or LFT_ILDG, got openQCD"},
                          {LFT_ILDG, LFT_DTYPE_F64, 3, 3, 3, 3, "ILDG: dim: expected 4 (NERSC also has 2 and 3), got 3"},
                          {LFT_NERSC, LFT_DTYPE_F64, 1, 3, 3, 3, "NERSC: dim: expected 2, 3 or 4, got 1"},
                          {LFT_NERSC, LFT_DTYPE_F64, 5, 3, 3, 3, "NERSC: dim: expected 2, 3 or 4, got 5"},
                          {LFT_NERSC, LFT_DTYPE_F64, 4, 0, 3, 3, "colours: expected 1 to 8, got 0"},
                          {LFT_NERSC, LFT_DTYPE_F64, 4, 9, 9, 3, "colours: expected 1 to 8, got 9"},
                          {LFT_NERSC, LFT_DTYPE_C64, 4, 3, 3, 3, "dtype: expected F32 or F64, got C64"},
                          {LFT_NERSC, LFT_DTYPE_F64, 4, 4, 3, 3, "rows: expected as many as colours, or 2 of 3 (NERSC), got 3"},
                          {LFT_ILDG, LFT_DTYPE_F64, 4, 3, 2, 3, "ILDG: rows: expected as many as colours"},
                          {LFT_NERSC, LFT_DTYPE_F64, 4, 3, -1, 3, "rows: expected as many as colours"},
                          {LFT_NERSC, LFT_DTYPE_F64, 4, 3, 3, 0, "extents: expected 1 or more, and at most 2^24"},
                          {LFT_NERSC, LFT_DTYPE_F64, 4, 3, 3, -3, "extents: expected 1 or more, and at most 2^24"},
                          {LFT_ILDG, LFT_DTYPE_F64, 4, 3, 3, 1 << 30, "extents: expected 1 or more, and at most 2^24"}};
    lft_gauge_file d;
    lft_memory     m;
    lft_error      e;
    size_t         i, size;
    int            ok = 1, count = 0;
    make_field(&in, 4, odd, 3, 0);
    m.at = 0;
    for (i = 0; i < sizeof test / sizeof *test; ++i) {
        d           = desc_of(&in, test[i].format, test[i].dtype, test[i].rows);
        d.dim       = test[i].dim;
        d.colours   = test[i].colours;
        d.extent[3] = test[i].x;
        lft_gauge_write(lft_memory_writer(&m, file, sizeof file), &d, get, &in, &e);
        ok &= error_says(&e, LFT_ERR_ARG, test[i].words) && m.at == 0;
    }
    check_true("arguments that cannot be written", ok);
    d = desc_of(&in, LFT_ILDG, LFT_DTYPE_F64, 3);
    in.asked = 0;
    check_true("get fails", lft_gauge_write(lft_memory_writer(&m, file, sizeof file), &d, get_fails, &in, NULL) == LFT_STOPPED);
    d = desc_of(&in, LFT_NERSC, LFT_DTYPE_F64, 3);
    lft_gauge_write(lft_memory_writer(&m, file, sizeof file), &d, get_drifts, &in, &e);
    check_true("get does not repeat itself", error_says(&e, LFT_ERR_ARG, "get: expected the same links when asked for them again"));
    in.asked = 0;
    size     = write_field(&in, LFT_ILDG, LFT_DTYPE_F64, 3, file);
    check_true("ILDG asks for each link once", in.asked == 360 * 4);
    lft_gauge_read_header(lft_memory_reader(&m, file, size), NULL, &d, NULL);
    check_true("put stops the reading", lft_gauge_read_links(&d, put_stops, &count, NULL) == LFT_ERR_MISMATCH && count == 5);
    lft_gauge_read_links(&d, put_stops, &count, &e);
    check_true("links a second time", error_says(&e, LFT_ERR_ARG, "gauge file: no header has been read"));
    check_true("names of formats",
               !strcmp(lft_gauge_format_str(LFT_NERSC), "NERSC") && !strcmp(lft_gauge_format_str((lft_gauge_format)77), "none"));
}

static void test_bad_links(void)
{
    double         huge = 1e308;
    lft_gauge_file d;
    lft_memory     m;
    lft_error      e;
    size_t         size, start;
    int            i;
    make_field(&in, 4, odd, 3, 0);
    size  = write_field(&in, LFT_ILDG, LFT_DTYPE_F64, 3, file);
    start = payload_of(LFT_ILDG, file, size);
    memset(file + start + 8 * (18 * 4 + 18 + 3), 0xff, 8); /* x = 1, direction y */
    read_field(file, size, NULL, &d, &e);
    check_true("ILDG: NaN", error_says(&e, LFT_ERR_NONFINITE, "site (0, 0, 0, 1), direction 2: not a finite number") &&
                                strstr(e.text, "ILDG ildg-binary-data: byte ") != NULL);
    make_field(&in, 4, odd, 3, 0);
    for (i = 0; i < 360; ++i) link_of(&in, i, 0)[0] = link_of(&in, i, 1)[0] = 1e300; /* finite, but not their products */
    size = write_field(&in, LFT_NERSC, LFT_DTYPE_F64, 3, file);
    check_true("NERSC: a plaquette beyond all bounds", size == 0);
    make_field(&in, 4, odd, 3, 0);
    size  = write_field(&in, LFT_NERSC, LFT_DTYPE_F64, 2, file);
    start = payload_of(LFT_NERSC, file, size);
    lft_p_file_put(file + start, 8, (uint64_t)0xffffffffffffcf7eu); /* big-endian: 1e300 or so */
    lft_p_file_put(file + start + 64, 8, (uint64_t)0xffffffffffffcf7eu);
    read_field(file, size, NULL, &d, &e);
    check_true("NERSC: a third row that overflows",
               error_says(&e, LFT_ERR_NONFINITE, "site (0, 0, 0, 0), direction 3: not a finite number"));
    huge *= 1e10;
    link_of(&in, 17, 1)[5] = huge;
    d = desc_of(&in, LFT_NERSC, LFT_DTYPE_F64, 3);
    lft_gauge_write(lft_memory_writer(&m, file, sizeof file), &d, get, &in, &e);
    check_true("infinity is not written",
               error_says(&e, LFT_ERR_NONFINITE, "NERSC: site (0, 0, 2, 5), direction 1: not a finite number"));
    link_of(&in, 17, 1)[5] = 1e39;
    d.dtype                = LFT_DTYPE_F32;
    lft_gauge_write(lft_memory_writer(&m, file, sizeof file), &d, get, &in, &e);
    check_true("1e39 is no float", error_says(&e, LFT_ERR_ARG, "site (0, 0, 2, 5), direction 1: expected numbers that fit F32"));
    make_field(&in, 4, odd, 3, 0);
    link_of(&in, 17, 1)[17] += 0.001;
    d = desc_of(&in, LFT_NERSC, LFT_DTYPE_F64, 2);
    lft_gauge_write(lft_memory_writer(&m, file, sizeof file), &d, get, &in, &e);
    check_true("two rows of what is not SU(3)", error_says(&e, LFT_ERR_ARG, "direction 1: expected a matrix of SU(3)"));
}

static void test_full_disk(void)
{
    static const lft_gauge_format format[] = {LFT_NERSC, LFT_ILDG};
    const int                     extent[4] = {1, 2, 1, 3};
    size_t                        k, room, size;
    int                           ok = 1;
    make_field(&in, 4, extent, 3, 0);
    for (k = 0; k < 2; ++k) {
        size = write_field(&in, format[k], LFT_DTYPE_F64, 3, file);
        for (room = 0; room < size; ++room) {
            lft_gauge_file d = desc_of(&in, format[k], LFT_DTYPE_F64, 3);
            lft_memory     m;
            lft_error      e;
            e.code = LFT_OK;
            ok &= lft_gauge_write(lft_memory_writer(&m, file, room), &d, get, &in, &e) == LFT_ERR_IO && e.code == LFT_ERR_IO;
        }
    }
    check_true("a writer of any insufficient size gives LFT_ERR_IO", ok);
}

/* ---- real files ---- */

static int open_shared(const char *name, lft_gauge_file *d, const lft_gauge_hint *hint)
{
    const char *shared = getenv("LFT_SHARED");
    char        path[4096];
    FILE       *f;
    lft_error   e;
    lft_status  status;
    int         i;
    snprintf(path, sizeof path, "%s/configs/%s", shared ? shared : "../shared", name);
    f = fopen(path, "rb");
    if (!f) {
        check_skipped(name, "not found; LFT_SHARED or ../shared has no configs");
        return 0;
    }
    for (i = 0; i < 4 * SITES; ++i) out.times[i] = 0;
    e.text[0] = 0;
    status    = lft_gauge_read_header(lft_file_reader(f), hint, d, &e);
    out.dim = d->dim, out.n = d->colours;
    memcpy(out.extent, d->extent, sizeof out.extent);
    if (!status && volume(&out) <= SITES) status = lft_gauge_read_links(d, put, &out, &e);
    fclose(f);
    if (status) printf("    %s\n", e.text);
    check_true(name, !status);
    return !status;
}

static void test_shared(void)
{
    const int      long_t[4] = {8, 4, 4, 4}, four[4] = {4, 4, 4, 4};
    lft_gauge_hint hint;
    lft_gauge_file d;
    if (open_shared("lat_4x4x4x8.nersc", &d, NULL)) {
        check_true("  header", d.format == LFT_NERSC && d.dim == 4 && !memcmp(d.extent, long_t, sizeof long_t) && d.colours == 3 &&
                                   d.rows == 2 && d.dtype == LFT_DTYPE_F64 && d.big_endian == 0);
        check_true("  checksum", d.stated.has_checksum && d.found.checksum[0] == 0xf2ee7c36u);
        check_near("  plaquette stated", d.stated.plaquette, 0.59854555908264, 1e-10);
        check_near("  plaquette", plaquette(&out), 0.59854555908264, 1e-14);
        check_near("  link trace stated", d.stated.link_trace, -0.00077418463760719, 1e-13);
        check_near("  link trace found", d.found.link_trace, -0.00077418463760719, 1e-16);
        check_below("  unitarity", d.unitarity, 1e-12);
    }
    if (open_shared("unity.lime", &d, NULL)) {
        check_true("  header",
                   d.format == LFT_ILDG && !memcmp(d.extent, four, sizeof four) && d.colours == 3 && d.dtype == LFT_DTYPE_F64);
        check_true("  checksums",
                   d.stated.has_checksum && d.found.checksum[0] == 0x35b49a1bu && d.found.checksum[1] == 0xb49a1b35u);
        check_near("  plaquette", plaquette(&out), 1, 0);
        check_below("  unitarity", d.unitarity, 0);
    }
    memset(&hint, 0, sizeof hint);
    memcpy(hint.extent, four, sizeof four);
    if (open_shared("su2_4x4x4x4.ildg", &d, &hint)) {
        check_true("  header", d.format == LFT_ILDG && d.colours == 2 && d.dtype == LFT_DTYPE_F64 && !d.stated.has_checksum);
        check_near("  plaquette in our order of directions", plaquette(&out), 0.6684748868359883, 1e-14);
        check_below("  unitarity", d.unitarity, 1e-15);
    }
}

int main(void)
{
    test_round_trips();
    test_defaults();
    test_known_header();
    test_known_records();
    test_numbers();
    test_nersc_byte_orders();
    test_bare_noise();
    test_nersc_tolerance();
    test_ildg_tolerance();
    test_ildg_hint();
    test_openqcd();
    test_nersc_refusals();
    test_ildg_refusals();
    test_truncation();
    test_corruption();
    test_arguments();
    test_bad_links();
    test_full_disk();
    test_shared();
    return test_end();
}
