/* test_exact_physics.c: the exact flow of two dimensions against what is known there: weights, log Z, plaquette, Wilson loops, the
 * distribution of the topological charge. */
#include "../bessel.h"
#define SUITE    "physics/exact_case.h"
#define SUITE_OF (U1_2D | SU2_2D | SU3_2D)
#include "../gauge_instances.h"

static void weights(lft_weights w, double logz)
{
    check_near("    ESS", w.ess, 1, 1e-6);
    check_near("    log Z, exact", w.logz, logz, 1e-6);
    check_below("    its error", w.logz_error, 1e-9);
}

/* U(1): W of area A on the torus is sum_n I_n^(V-A) I_n+1^A / sum_n I_n^V. */
static double wilson_u1(double beta, int V, int A)
{
    double above = 0, below = 0;
    int    n;
    for (n = -12; n <= 12; ++n) {
        const double i = bessel(abs(n), beta) / bessel(0, beta), k = bessel(abs(n + 1), beta) / bessel(0, beta);
        above += pow(i, V - A) * pow(k, A), below += pow(i, V);
    }
    return above / below;
}

/* U(1): P(Q) is the integral over nu of phi(nu)^V cos(2 pi nu Q), phi(nu) = <cos(nu theta)> of a single plaquette. */
static void charges_u1(double beta, int V, double P[9])
{
    const double pi = 3.14159265358979323846, step = 0.005;
    double       one = 0, sum = 0;
    int          i, k, Q;
    for (Q = 0; Q < 9; ++Q) P[Q] = 0;
    for (k = -600; k <= 600; ++k) {
        double phi = 0;
        for (i = 0; i <= 800; ++i) { /* Simpson */
            const double theta = pi * i / 800, share = i == 0 || i == 800 ? 1 : i % 2 ? 4 : 2;
            phi += share * exp(beta * (cos(theta) - 1)) * cos(k * step * theta);
            if (k == -600) one += share * exp(beta * (cos(theta) - 1));
        }
        for (Q = -4; Q <= 4; ++Q) P[Q + 4] += pow(phi / one, V) * cos(2 * pi * k * step * Q);
    }
    for (Q = 0; Q < 9; ++Q) sum += P[Q];
    for (Q = 0; Q < 9; ++Q) P[Q] /= sum; /* |Q| > 4: below 1e-4 */
}

static void u1_case(void)
{
    enum { N = 32768 };
    run_means   m;
    double      P[9], chi2 = 0;
    lft_weights w = u1_measured(16, 7, N, 4, &m);
    int         R, T, Q;
    printf("---- U(1), 16^2, beta 7, %d samples\n", N);
    weights(w, 1312.6381862662);
    check_sigma("    <Q^2>, exact", m.mean[m.q2], 1.0064141579, m.error[m.q2]);
    charges_u1(7, 256, P);
    for (Q = 0; Q < 9; ++Q) {
        char name[40];
        snprintf(name, sizeof name, "    P(Q = %d), exact", Q - 4);
        check_sigma(name, m.charge[Q], P[Q], sqrt(P[Q] / N));
        chi2 += (m.charge[Q] - P[Q]) * (m.charge[Q] - P[Q]) / P[Q] * N;
    }
    check_below("    chi^2 of 8 degrees of freedom", chi2, 21.9); /* 0.5 % are above */
    check_sigma("    plaquette, exact", m.mean[m.plaquette], wilson_u1(7, 256, 1), m.error[m.plaquette]);
    for (R = 1; R <= 4; ++R) {
        for (T = R; T <= 4; ++T) {
            char      name[40];
            const int c = m.wilson[R][T];
            snprintf(name, sizeof name, "    Wilson loop %d x %d, exact", R, T);
            check_sigma(name, m.mean[c], wilson_u1(7, 256, R * T), m.error[c]);
        }
    }
    w = u1_measured(8, 2, N, 0, &m);
    printf("---- U(1), 8^2, beta 2, %d samples\n", N);
    weights(w, 52.7355866551);
    check_sigma("    plaquette, exact", m.mean[m.plaquette], 0.697774658011, m.error[m.plaquette]);
    check_sigma("    <Q^2>, exact", m.mean[m.q2], 1.2392989107, m.error[m.q2]);
}

/* SU(N) where the volume is large: u^A. */
static void area_law(const run_means *m, double u)
{
    static const int size[4][2] = {{1, 1}, {1, 2}, {2, 2}, {2, 3}};
    int              i;
    for (i = 0; i < 4; ++i) {
        char      name[40];
        const int c = m->wilson[size[i][0]][size[i][1]];
        snprintf(name, sizeof name, "    Wilson loop %d x %d, area law", size[i][0], size[i][1]);
        check_sigma(name, m->mean[c], pow(u, size[i][0] * size[i][1]), m->error[c]);
    }
}

int main(void)
{
    run_means   m;
    lft_weights w;
    u1_case();
    w = su2_measured(16, 2.7, 16384, 3, &m);
    printf("---- SU(2), 16^2, beta 2.7, 16384 samples\n");
    weights(w, 205.78881647);
    area_law(&m, 0.5329707336);
    w = su3_measured(8, 5, 4096, 3, &m);
    printf("---- SU(3), 8^2, beta 5, 4096 samples\n");
    weights(w, 54.21163555);
    area_law(&m, 0.3539544367);
    w = su3_measured(16, 6, 2048, 3, &m);
    printf("---- SU(3), 16^2, beta 6, 2048 samples\n");
    weights(w, 316.38786345);
    area_law(&m, 0.4225317396);
    return test_end();
}
