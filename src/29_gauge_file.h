/* 29_gauge_file.h: gauge configurations from and to the files of other codes: NERSC archive, ILDG, and from openQCD's export.
 * Offers: lft_gauge_read_header(), lft_gauge_read_links(), lft_gauge_write(). The types are in 26_links.h.
 *
 * Links are handed over and asked for one by one, in double, through a callback: these functions need no memory but the
 * stack (12 kB at most), and know nothing of how the caller stores a field. Headers are believed only as far as the data
 * bear them out: checksums are compared, links have to be finite, and nothing may be missing or left over. Whether the
 * plaquette that a file states is that of its links, the caller finds out. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* Reads a header and leaves the reader at the first link; the format is recognised by the first bytes. The reader must
 * stay valid until lft_gauge_read_links() is done. hint may be NULL; what the file says has precedence.
 * LFT_ERR_FORMAT: none of the formats, or a header that breaks its own, or announces what this library cannot hold (see
 * lft_gauge_file); LFT_ERR_IO: the data end early. After a failure *file is all zero. O(what stands before the links). */
LFT_P_STATIC lft_status lft_gauge_read_header(lft_reader from, const lft_gauge_hint *hint, lft_gauge_file *file,
                                              lft_error *error);

/* Reads the links, and whatever follows them, to the end of the file, once after each lft_gauge_read_header(). Each link is
 * put once. A row that the file leaves out is put, too. Then file->found and file->unitarity are set, and file->stated if
 * the checksum comes behind the links. A checksum that is not stated is no error: see file->stated.has_checksum.
 * LFT_ERR_FORMAT: the checksum is not that of the links (all of them have been put by then), or the file is longer than it
 * should be; LFT_ERR_NONFINITE: infinity or NaN, with site and direction; LFT_ERR_IO: the data end early; LFT_ERR_ARG: no
 * header has been read; or what put returned. O(links). */
LFT_P_STATIC lft_status lft_gauge_read_links(lft_gauge_file *file, lft_gauge_put put, void *user, lft_error *error);

/* Writes a file: the format, dim, extent, colours, dtype and rows of *file, and no more of it: checksum, link trace and
 * plaquette are those of the links. A NERSC header states them before the links, so get is asked for every link twice, in
 * the file's order, and in between for the four of each plaquette; it has to give the same numbers each time. For ILDG, each
 * link is asked for once, in the file's order. Numbers are big-endian.
 * rows = 2 (NERSC, colours 3) saves a third, and is refused for links that their first two rows do not determine to 1e-4.
 * LFT_ERR_ARG: openQCD, which is only read; sizes beyond those of lft_gauge_file; ILDG and dim < 4, for which there is no
 * standard; a number too large for F32; LFT_ERR_NONFINITE; LFT_ERR_IO; or what get returned. O(links). */
LFT_P_STATIC lft_status lft_gauge_write(lft_writer to, const lft_gauge_file *file, lft_gauge_get get, void *user,
                                        lft_error *error);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

/* ---- openQCD: extents t, x, y, z (int32) and the average plaquette's trace (double), little-endian; then, for every odd
 *      site, z fastest and t slowest, the eight links that touch it: forward and backward, in t, x, y, z ---- */

/* Recognised by nothing but numbers that make sense. */
LFT_P_STATIC void lft_p_openqcd_header(lft_p_source *s, const unsigned char first[4], lft_gauge_file *f)
{
    static const int axis[] = {0, 3, 2, 1}; /* of the file's t, x, y, z */
    unsigned char    raw[24];
    double           plaquette;
    int              k, even = 1;
    lft_p_copy(raw, first, 4);
    s->where = "gauge file";
    if (!lft_p_take(s, raw + 4, 20)) return;
    for (k = 0; k < 4; ++k) {
        f->extent[axis[k]] = lft_p_links_extent(lft_p_file_get(raw + 4 * k, 4, 0));
        even &= f->extent[axis[k]] % 2 == 0;
    }
    plaquette = lft_p_number_of(LFT_DTYPE_F64, lft_p_file_get(raw + 16, 8, 0));
    if (!even || !lft_p_links_sites(4, f->extent) || !lft_finite(plaquette) || plaquette > 3.001 || plaquette < -3.001) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, 0,
                                 "expected BEGIN_HEADER of NERSC, 456789ab of LIME, or four even extents of openQCD, got ");
        lft_p_put_hex(&t, (uint32_t)lft_p_file_get(raw, 4, 1));
        return;
    }
    f->dim                  = 4;
    f->colours              = 3;
    f->rows                 = 3;
    f->dtype                = LFT_DTYPE_F64;
    f->stated.has_plaquette = 1;
    f->stated.plaquette     = plaquette / 3;
}

LFT_P_STATIC void lft_p_openqcd_read(lft_p_links *p, lft_p_source *s, lft_gauge_put put, void *user)
{
    static const int      axis[]         = {0, 3, 2, 1};
    const lft_gauge_file *f              = p->file;
    const uint64_t        sites          = lft_p_links_sites(4, f->extent);
    const size_t          link           = lft_p_links_bytes(f);
    int                   x[LFT_MAX_DIM] = {0}, k;
    uint64_t              rank;
    for (rank = 0; rank < sites; ++rank) {
        const uint64_t at = s->at;
        if ((x[0] + x[1] + x[2] + x[3]) % 2) {
            if (!lft_p_take(s, p->bytes, 8 * link)) return;
            for (k = 0; k < 8 && !s->status; ++k) {
                const size_t skip = (size_t)k * link;
                const int    mu   = axis[k / 2];
                int          y[LFT_MAX_DIM];
                lft_p_copy(y, x, sizeof y);
                if (k % 2) y[mu] = x[mu] > 0 ? x[mu] - 1 : f->extent[mu] - 1;
                lft_p_links_put(p, s, p->bytes + skip, at + skip, y, mu, put, user);
            }
            if (s->status) return;
        }
        for (k = 3; k >= 0 && ++x[axis[k]] == f->extent[axis[k]]; --k) x[axis[k]] = 0;
    }
}

/* ---- all formats ---- */

LFT_P_STATIC lft_status lft_gauge_read_header(lft_reader from, const lft_gauge_hint *hint, lft_gauge_file *file,
                                              lft_error *error)
{
    unsigned char  first[4] = {0, 0, 0, 0};
    lft_gauge_file f;
    lft_p_source   s;
    lft_p_zero(&f, sizeof f);
    lft_p_source_open(&s, from, "gauge file", error);
    f.ready = 1;
    if (lft_p_take(&s, first, 4)) {
        const uint64_t magic = lft_p_file_get(first, 4, 1);
        f.format             = magic == 0x42454749u /* BEGI */ ? LFT_NERSC : magic == 0x456789abu ? LFT_ILDG : LFT_OPENQCD;
        if (f.format == LFT_NERSC) lft_p_nersc_header(&s, &f);
        else if (f.format == LFT_ILDG) lft_p_ildg_header(&s, first, hint, &f);
        else lft_p_openqcd_header(&s, first, &f);
    }
    f.from = from;
    f.at   = s.at;
    if (s.status) lft_p_zero(&f, sizeof f);
    *file = f;
    return s.status;
}

LFT_P_STATIC lft_status lft_gauge_read_links(lft_gauge_file *file, lft_gauge_put put, void *user, lft_error *error)
{
    static const char *const where[] = {"gauge file", "NERSC links", "ILDG ildg-binary-data", "openQCD links"}; /* by format */
    lft_p_source             s;
    lft_p_links              p;
    if (!file->ready) return lft_p_fail(error, LFT_ERR_ARG, "gauge file", "no header has been read");
    lft_p_source_open(&s, file->from, where[file->format], error);
    lft_p_zero(&p, sizeof p);
    p.file       = file;
    p.big_endian = file->big_endian;
    s.at         = file->at;
    if (file->format == LFT_OPENQCD) lft_p_openqcd_read(&p, &s, put, user);
    else lft_p_links_read(&p, &s, put, user);
    if (!s.status && file->format == LFT_ILDG) lft_p_ildg_rest(&s, file);
    else lft_p_links_end(&s);
    file->ready = 0;
    if (s.status) return s.status;
    file->big_endian = p.big_endian;
    file->unitarity  = p.unitarity;
    lft_p_links_found(&p, &file->found);
    lft_p_links_compare(&s, &file->stated, &file->found, file->format == LFT_ILDG ? 2 : 1);
    return s.status;
}

/* What can be written, with the defaults filled in. */
LFT_P_STATIC lft_status lft_p_gauge_check(lft_gauge_file *f, lft_error *e)
{
    const char *where = lft_gauge_format_str(f->format);
    if (f->format != LFT_NERSC && f->format != LFT_ILDG) {
        return lft_p_fail_text(e, LFT_ERR_ARG, "gauge file", "format to write", "LFT_NERSC or LFT_ILDG", where);
    }
    if (f->format == LFT_ILDG && f->dim != 4) {
        return lft_p_fail_got(e, LFT_ERR_ARG, where, "dim", "4 (NERSC also has 2 and 3)", f->dim);
    }
    if (f->dim < 2 || f->dim > LFT_MAX_DIM) return lft_p_fail_got(e, LFT_ERR_ARG, where, "dim", "2, 3 or 4", f->dim);
    if (f->colours < 1 || f->colours > LFT_P_LINKS_COLOURS) {
        return lft_p_fail_got(e, LFT_ERR_ARG, where, "colours", "1 to 8", f->colours);
    }
    if (!f->dtype) f->dtype = LFT_DTYPE_F64;
    if (f->dtype != LFT_DTYPE_F32 && f->dtype != LFT_DTYPE_F64) {
        return lft_p_fail_text(e, LFT_ERR_ARG, where, "dtype", "F32 or F64", lft_dtype_str(f->dtype));
    }
    if (!f->rows) f->rows = f->colours;
    if (f->rows != f->colours && (f->rows != 2 || f->colours != 3 || f->format != LFT_NERSC)) {
        return lft_p_fail_got(e, LFT_ERR_ARG, where, "rows", "as many as colours, or 2 of 3 (NERSC)", f->rows);
    }
    if (!lft_p_links_sites(f->dim, f->extent)) {
        return lft_p_fail(e, LFT_ERR_ARG, where, "extents: expected 1 or more, and at most 2^24 sites in all");
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status lft_gauge_write(lft_writer to, const lft_gauge_file *file, lft_gauge_get get, void *user,
                                        lft_error *error)
{
    lft_gauge_file f      = *file;
    lft_status     status = lft_p_gauge_check(&f, error);
    lft_p_sink     s;
    lft_p_links    p;
    if (status) return status;
    lft_p_zero(&p, sizeof p);
    p.file = &f;
    lft_p_sink_open(&s, to);
    status = f.format == LFT_NERSC ? lft_p_nersc_write(&p, &s, get, user, error) : lft_p_ildg_write(&p, &s, get, user, error);
    return status ? status : lft_p_sink_close(&s, lft_gauge_format_str(f.format), error);
}

#endif /* LFT_P_CODE */
