/* test_random.c: Philox known answers, the meaning of a draw's address, uniforms and normals. */
#include "lftflow.h"
#include "../test.h"

static void test_philox(void)
{
    /* Random123, kat_vectors */
    static const uint32_t ctr[3][4] = {
        {0, 0, 0, 0}, {~0u, ~0u, ~0u, ~0u}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
    static const uint32_t key[3][2]    = {{0, 0}, {~0u, ~0u}, {0xa4093822, 0x299f31d0}};
    static const uint32_t answer[3][4] = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                          {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                          {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    int                   i;
    for (i = 0; i < 3; ++i) {
        uint32_t out[4], same[4];
        lft_philox(ctr[i], key[i], out);
        memcpy(same, ctr[i], sizeof same);
        lft_philox(same, key[i], same);
        check_true("philox known answer", memcmp(out, answer[i], sizeof out) == 0);
        check_true("philox in place", memcmp(same, answer[i], sizeof same) == 0);
    }
}

/* Numbers of one draw from an independent program (Python integers, 50-digit decimals). They fix the meaning of every
 * part of the address: a seed must give the same configurations in all versions. */
static void test_known_numbers(void)
{
    static const double uniform[6] = {0.072001004302443328, 0.12782463230485569, 0.59646452719383963,
                                      0.50619560323219243,  0.28140204539776398, 0.62340084526334277};
    static const double normal[6]  = {1.5930172052211789,    1.6505897754154236,  -1.0158275863240302,
                                      -0.039564248651953210, -1.1372993226965495, -1.1146712438889589};
    const lft_draw      d          = lft_draw_of(0x0123456789abcdefu, 3, 0x00fedcba98765432u, 7);
    double              u[6], x[6], worst_u = 0, worst_x = 0;
    int                 i;
    lft_uniforms(d, u, 6);
    lft_normals(d, x, 6);
    for (i = 0; i < 6; ++i) {
        worst_u = fmax(worst_u, fabs(u[i] - uniform[i]));
        worst_x = fmax(worst_x, fabs(x[i] - normal[i]));
    }
    check_below("uniforms, 50-digit reference", worst_u, 1.2e-16);
    check_below("normals, 50-digit reference", worst_x, 4e-15);
}

static void test_uniform_range(void)
{
    double low = 1, high = 0;
    int    i;
    for (i = 0; i < 1000000; ++i) {
        const double u = lft_uniform(lft_draw_of(5, LFT_DRAW_USER, 0, 0), (uint32_t)i);
        low            = fmin(low, u);
        high           = fmax(high, u);
    }
    check_true("0 < uniform < 1", low > 0 && high < 1);
    check_true("uniforms reach both ends", low < 1e-5 && high > 1 - 1e-5);
    check_near("smallest uniform is 2^-54", lft_p_draw_uniform(0, 0) * 18014398509481984.0, 1, 0);
    check_near("1 - largest uniform is 2^-53", (1 - lft_p_draw_uniform(~0u, ~0u)) * 9007199254740992.0, 1, 0);
}

/* The first k of n numbers are the k numbers, bit for bit, and nothing else is written. */
static void test_prefix(void)
{
    enum { MOST = 203 };
    const lft_draw d = lft_draw_of(11, LFT_DRAW_PRIOR, 1, 2);
    double         all[2][MOST], some[MOST + 1];
    int            n, i, kind, same = 1, guard = 1, single = 1;
    lft_uniforms(d, all[0], MOST);
    lft_normals(d, all[1], MOST);
    for (kind = 0; kind < 2; ++kind) {
        for (n = 0; n <= MOST; ++n) {
            for (i = 0; i <= MOST; ++i) some[i] = -77;
            if (kind) lft_normals(d, some, n);
            else lft_uniforms(d, some, n);
            same &= n == 0 || memcmp(some, all[kind], (size_t)n * sizeof *some) == 0;
            for (i = n; i <= MOST; ++i) guard &= some[i] == -77;
        }
    }
    for (i = 0; i < MOST; ++i) single &= lft_uniform(d, (uint32_t)i) == all[0][i];
    check_true("prefix property, uniforms and normals", same);
    check_true("nothing written past n", guard);
    check_true("lft_uniform is lft_uniforms", single);
}

static void test_box_muller(void)
{
    enum { N = 20000 };
    static double  u[N], x[N];
    const lft_draw d     = lft_draw_of(12, LFT_DRAW_PRIOR, 0, 0);
    double         worst = 0;
    int            i;
    lft_uniforms(d, u, N);
    lft_normals(d, x, N);
    for (i = 0; i < N; i += 2) {
        const double r = sqrt(-2 * log(u[i])), phi = 2 * 3.14159265358979323846 * u[i + 1];
        worst = fmax(worst, fmax(fabs(x[i] - r * cos(phi)), fabs(x[i + 1] - r * sin(phi))));
    }
    check_below("normals against libm", worst, 1e-14);
}

/* Each part of the address matters and gives numbers that are independent of the others. */
static void test_addresses(void)
{
    enum { N = 100000 };
    static double x[7][N];
    static char   name[] = "correlation of draws . and .";
    lft_draw      d[7];
    int           a, b, i;
    d[0] = lft_draw_of(1, 1, 1, 1);
    d[1] = lft_draw_of(2, 1, 1, 1);
    d[2] = lft_draw_of(1 + ((uint64_t)1 << 32), 1, 1, 1);
    d[3] = lft_draw_of(1, 2, 1, 1);
    d[4] = lft_draw_of(1, 1, 2, 1);
    d[5] = lft_draw_of(1, 1, 1 + ((uint64_t)1 << 55), 1);
    d[6] = lft_draw_of(1, 1, 1, 2);
    for (a = 0; a < 7; ++a) lft_normals(d[a], x[a], N);
    for (a = 0; a < 7; ++a) {
        for (b = 0; b < a; ++b) {
            double sum = 0;
            for (i = 0; i < N; ++i) sum += x[a][i] * x[b][i];
            name[21] = (char)('0' + a);
            name[27] = (char)('0' + b);
            check_sigma(name, sum / (double)N, 0, 1 / sqrt((double)N));
        }
    }
}

static void test_uniform_bins(void)
{
    enum { BINS = 256, N = 1 << 20 };
    static double u[N];
    static int    count[BINS];
    double        chi2 = 0, lag = 0;
    int           i;
    lft_uniforms(lft_draw_of(13, LFT_DRAW_USER, 0, 0), u, N);
    for (i = 0; i < N; ++i) ++count[(int)(u[i] * (double)BINS)];
    for (i = 0; i < BINS; ++i) {
        const double d = count[i] - (double)(N / BINS);
        chi2 += d * d / (double)(N / BINS);
    }
    for (i = 0; i + 1 < N; ++i) lag += (u[i] - 0.5) * (u[i + 1] - 0.5);
    check_sigma("uniforms: chi^2 of 256 bins", chi2, BINS - 1, sqrt(2.0 * (BINS - 1)));
    check_sigma("uniforms: neighbours", 12 * lag / (double)N, 0, 1 / sqrt((double)N));
}

/* 64 samples of 65536 sites, as a field would be drawn. */
static void test_normal_moments(void)
{
    enum { SITES = 65536, SAMPLES = 64 };
    static double x[SITES];
    const double  n     = (double)SITES * (double)SAMPLES;
    double        m[5]  = {0, 0, 0, 0, 0}, pair = 0, square = 0, most = 0;
    double        out[6] = {0, 0, 0, 0, 0, 0};
    int           s, i, k;
    for (s = 0; s < SAMPLES; ++s) {
        lft_normals(lft_draw_of(2024, LFT_DRAW_PRIOR, (uint64_t)s, 0), x, SITES);
        for (i = 0; i < SITES; ++i) {
            const double y = x[i];
            m[1] += y;
            m[2] += y * y;
            m[3] += y * y * y;
            m[4] += y * y * y * y;
            for (k = 1; k < 6; ++k) out[k] += fabs(y) > k;
            most = fmax(most, fabs(y));
        }
        for (i = 0; i < SITES; i += 2) {
            pair += x[i] * x[i + 1];
            square += (x[i] * x[i] - 1) * (x[i + 1] * x[i + 1] - 1);
        }
    }
    check_sigma("normals: mean", m[1] / n, 0, sqrt(1 / n));
    check_sigma("normals: variance", m[2] / n, 1, sqrt(2 / n));
    check_sigma("normals: third moment", m[3] / n, 0, sqrt(15 / n));
    check_sigma("normals: fourth moment", m[4] / n, 3, sqrt(96 / n));
    check_sigma("normals: the two of a pair", pair / (n / 2), 0, sqrt(2 / n));
    check_sigma("normals: squares of a pair", square / (n / 2), 0, 2 * sqrt(2 / n));
    for (k = 1; k < 6; ++k) {
        static char  name[] = "normals: fraction beyond . sigma";
        const double p      = erfc(k / sqrt(2.0));
        name[25]            = (char)('0' + k);
        check_sigma(name, out[k] / n, p, sqrt(p * (1 - p) / n));
    }
    check_true("normals: largest of 4e6 is plausible", most > 4.7 && most < 6.3);
}

int main(void)
{
    test_philox();
    test_known_numbers();
    test_uniform_range();
    test_prefix();
    test_box_muller();
    test_addresses();
    test_uniform_bins();
    test_normal_moments();
    return test_end();
}
