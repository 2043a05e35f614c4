/* kick.h: a layer for flows of links with an exact log-det, made of plain matrices, and a theory that it can sample exactly.
 * At each site, with g^a(U) = d^a Re tr U:
 *   U_0  becomes exp(c g(U_axis)) U_0, axis > 0         log-det 0
 *   U_mu becomes exp(h_mu g(U_mu)) U_mu                 for U(1): theta - h sin theta; one to one for small h
 * The first part is for the numbers that are not there. kick_instance.h makes a table of it for an instance. */
#ifndef LFT_TEST_KICK_H
#define LFT_TEST_KICK_H
#include "matrices.h"

static int    kick_algebra, kick_numbers; /* of the group in use, matrix_colours */
static matrix kick_t[8];

static void kick_use(int colours)
{
    int a, b;
    if (matrix_colours == colours && kick_algebra) return;
    matrix_colours = colours;
    kick_algebra   = colours == 1 ? 1 : colours == 2 ? 3 : 8;
    kick_numbers   = colours == 1 ? 1 : colours == 2 ? 4 : 18;
    for (a = 0; a < kick_algebra; ++a) {
        double e[8];
        for (b = 0; b < 8; ++b) e[b] = b == a;
        kick_t[a] = matrix_of_algebra(e);
    }
}

static double kick_trace(const matrix *a, const matrix *b) /* Re tr a b */
{
    real_number sum = 0;
    int         i, j;
    for (i = 0; i < matrix_colours; ++i) {
        for (j = 0; j < matrix_colours; ++j) sum += a->re[i][j] * b->re[j][i] - a->im[i][j] * b->im[j][i];
    }
    return (double)sum;
}

/* The components of an antihermitian matrix, or of the antihermitian part of any. */
static void kick_components(const matrix *x, double *z)
{
    int a;
    for (a = 0; a < kick_algebra; ++a) z[a] = -(matrix_colours == 1 ? 1 : 2) * kick_trace(kick_t + a, x);
}

/* exp(z^a T^a) link */
static void kick_move(const double *z, const double *link, double *to)
{
    if (matrix_colours == 1) to[0] = link[0] + z[0];
    else matrix_to_link(matrix_times(matrix_exp(matrix_of_algebra(z)), matrix_of_link(link)), to);
}

/* log |det a| and, where b is not NULL, b = a^-1 b; transposed: of the transpose. */
static double kick_solve(const double a_[8][8], double *b, int transposed)
{
    double a[8][8], sum = 0;
    int    n = kick_algebra, i, j, k;
    for (i = 0; i < n; ++i) {
        for (j = 0; j < n; ++j) a[i][j] = transposed ? a_[j][i] : a_[i][j];
    }
    for (k = 0; k < n; ++k) {
        int pivot = k;
        for (i = k; i < n; ++i) pivot = fabs(a[i][k]) > fabs(a[pivot][k]) ? i : pivot;
        for (j = 0; j < n; ++j) {
            const double swap = a[k][j];
            a[k][j] = a[pivot][j], a[pivot][j] = swap;
        }
        if (b) {
            const double swap = b[k];
            b[k] = b[pivot], b[pivot] = swap;
        }
        sum += log(fabs(a[k][k]));
        for (i = 0; i < n; ++i) {
            const double x = a[i][k] / a[k][k];
            for (j = k; j < n && i != k; ++j) a[i][j] -= x * a[k][j];
            if (b && i != k) b[i] -= x * b[k];
        }
    }
    for (k = 0; b && k < n; ++k) b[k] /= a[k][k];
    return sum;
}

/* U' = exp(z) U, z = h g(F): adjoint = Ad exp z; if F moves by w, U' moves by (mixed w), and by h1 for a change of h. */
typedef struct kick_map {
    double out[18], adjoint[8][8], mixed[8][8], h1[8];
    double jacobian[8][8], logdet; /* of F = U */
} kick_map;

static void kick_of(double h, const double *f, const double *u, kick_map *k)
{
    double       g[8], z[8] = {0}, m[8][8], ad[8][8], power[8][8], e1[8][8], next[8][8] = {{0}};
    matrix       F, Z;
    int          n = kick_algebra, a, b, c, i;
    if (matrix_colours == 1) { /* in closed form: fast */
        k->out[0]        = u[0] - h * sin(f[0]);
        k->adjoint[0][0] = 1, k->mixed[0][0] = -h * cos(f[0]), k->h1[0] = -sin(f[0]);
        k->jacobian[0][0] = 1 + k->mixed[0][0];
        k->logdet         = log(fabs(k->jacobian[0][0]));
        return;
    }
    F = matrix_of_link(f);
    for (a = 0; a < n; ++a) {
        const matrix ft = matrix_times(F, kick_t[a]); /* F moves on its left: m^ab = h Re tr T^a T^b F */
        g[a] = kick_trace(kick_t + a, &F);
        z[a] = h * g[a];
        for (b = 0; b < n; ++b) m[a][b] = h * kick_trace(&ft, kick_t + b);
    }
    Z = matrix_of_algebra(z);
    for (b = 0; b < n; ++b) {
        const matrix x = matrix_sum(matrix_times(Z, kick_t[b]), -1, matrix_times(kick_t[b], Z));
        double       column[8];
        kick_components(&x, column);
        for (a = 0; a < n; ++a) ad[a][b] = column[a], power[a][b] = e1[a][b] = a == b;
    }
    for (i = 1; i < 20; ++i) { /* e1 = sum ad^i / (i + 1)!: d exp(z) = e1 dz exp(z) */
        for (a = 0; a < n; ++a) {
            for (b = 0; b < n; ++b) {
                for (next[a][b] = 0, c = 0; c < n; ++c) next[a][b] += ad[a][c] * power[c][b] / (i + 1);
            }
        }
        memcpy(power, next, sizeof power);
        for (a = 0; a < n; ++a) {
            for (b = 0; b < n; ++b) e1[a][b] += power[a][b];
        }
    }
    for (a = 0; a < n; ++a) {
        for (k->h1[a] = 0, b = 0; b < n; ++b) {
            k->h1[a] += e1[a][b] * g[b];
            k->adjoint[a][b] = a == b, k->mixed[a][b] = 0;
            for (c = 0; c < n; ++c) k->adjoint[a][b] += ad[a][c] * e1[c][b], k->mixed[a][b] += e1[a][c] * m[c][b];
            k->jacobian[a][b] = k->adjoint[a][b] + k->mixed[a][b];
        }
    }
    kick_move(z, u, k->out);
    k->logdet = kick_solve((const double (*)[8])k->jacobian, NULL, 0);
}

/* The derivatives of the log-det of U' = exp(h g(U)) U by U and by h: differences of fourth order. */
static void kick_slope(double h, const double *u, double *slope, double *by_h)
{
    static const double at[4] = {-2, -1, 1, 2}, weight[4] = {1, -8, 8, -1};
    const double        step = 2e-3;
    double              z[8], moved[18];
    kick_map            k;
    int                 a, i;
    for (*by_h = 0, i = 0; i < 4; ++i) {
        kick_of(h + at[i] * step, u, u, &k);
        *by_h += weight[i] * k.logdet / (12 * step);
    }
    for (a = 0; a < kick_algebra; ++a) {
        for (slope[a] = 0, i = 0; i < 4; ++i) {
            memset(z, 0, sizeof z);
            z[a] = at[i] * step;
            kick_move(z, u, moved);
            kick_of(h, moved, moved, &k);
            slope[a] += weight[i] * k.logdet / (12 * step);
        }
    }
}

/* The U with exp(h g(U)) U = u, by Newton's method; 0 if that fails. */
static int kick_back(double h, const double *u, double *from, kick_map *k)
{
    double z[8];
    int    i, a;
    memcpy(from, u, (size_t)kick_numbers * sizeof *u);
    for (i = 0; i < 50; ++i) {
        double size = 0;
        kick_of(h, from, from, k);
        if (matrix_colours == 1) z[0] = u[0] - k->out[0];
        else {
            const matrix e = matrix_times(matrix_of_link(u), matrix_dagger(matrix_of_link(k->out)));
            kick_components(&e, z);
        }
        kick_solve((const double (*)[8])k->jacobian, z, 0);
        for (a = 0; a < kick_algebra; ++a) size += fabs(z[a]);
        if (!(size < 1e6)) return 0;
        kick_move(z, from, from);
        if (size < 1e-14) break;
    }
    kick_of(h, from, from, k);
    return i < 50;
}

/* The links of a site; theta: h_mu for each, then c. */
typedef struct kick_site {
    double u[4][18], d[4][8];
} kick_site;

/* d: where `score`, grad log q. */
static double kick_site_forward(const double *theta, int links, int axis, kick_site *s, int score)
{
    double   logdet = 0, slope[8], by_h, moved[8] = {0};
    kick_map k;
    int      mu, a, b;
    kick_of(theta[links], s->u[axis], s->u[0], &k);
    memcpy(s->u[0], k.out, sizeof k.out);
    if (score) {
        for (a = 0; a < kick_algebra; ++a) {
            for (moved[a] = 0, b = 0; b < kick_algebra; ++b) moved[a] += k.adjoint[a][b] * s->d[0][b];
        }
        memcpy(s->d[0], moved, sizeof moved);
        for (a = 0; a < kick_algebra; ++a) {
            for (b = 0; b < kick_algebra; ++b) s->d[axis][a] -= k.mixed[b][a] * moved[b];
        }
    }
    for (mu = 0; mu < links; ++mu) {
        kick_of(theta[mu], s->u[mu], s->u[mu], &k);
        logdet += k.logdet;
        if (score) {
            kick_slope(theta[mu], s->u[mu], slope, &by_h);
            for (a = 0; a < kick_algebra; ++a) s->d[mu][a] -= slope[a];
            kick_solve((const double (*)[8])k.jacobian, s->d[mu], 1);
        }
        memcpy(s->u[mu], k.out, sizeof k.out);
    }
    return logdet;
}

/* 0 where Newton's method fails. */
static int kick_site_inverse(const double *theta, int links, int axis, kick_site *s, double *logdet)
{
    double   from[18];
    kick_map k;
    int      mu, good = 1;
    for (*logdet = 0, mu = 0; mu < links; ++mu) {
        good &= kick_back(theta[mu], s->u[mu], from, &k);
        memcpy(s->u[mu], from, sizeof from);
        *logdet -= k.logdet;
    }
    kick_of(-theta[links], s->u[axis], s->u[0], &k);
    memcpy(s->u[0], k.out, sizeof k.out);
    return good;
}

/* s->u: the links before; d the derivative by those after, and then before. */
static void kick_site_backward(const double *theta, int links, int axis, kick_site *s, double dlogdet, double *gradient)
{
    double   slope[8], by_h = 0, d[8];
    kick_map first, k;
    int      mu, a, b;
    kick_of(theta[links], s->u[axis], s->u[0], &first);
    for (mu = 0; mu < links; ++mu) {
        const double *u = mu ? s->u[mu] : first.out;
        kick_of(theta[mu], u, u, &k);
        memset(slope, 0, sizeof slope);
        if (dlogdet < 0 || dlogdet > 0) kick_slope(theta[mu], u, slope, &by_h);
        if (gradient) gradient[mu] += dlogdet * by_h;
        for (a = 0; a < kick_algebra; ++a) {
            if (gradient) gradient[mu] += s->d[mu][a] * k.h1[a];
            for (d[a] = dlogdet * slope[a], b = 0; b < kick_algebra; ++b) d[a] += k.jacobian[b][a] * s->d[mu][b];
        }
        memcpy(s->d[mu], d, sizeof d);
    }
    for (a = 0; a < kick_algebra; ++a) {
        if (gradient) gradient[links] += s->d[0][a] * first.h1[a];
        for (d[a] = 0, b = 0; b < kick_algebra; ++b) {
            s->d[axis][a] += first.mixed[b][a] * s->d[0][b];
            d[a] += first.adjoint[b][a] * s->d[0][b];
        }
    }
    memcpy(s->d[0], d, sizeof d);
}

#endif
