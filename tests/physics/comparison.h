/* comparison.h: numbers of Markov chains against those that are known, with errors. Hundreds of numbers have one beyond 3 sigma by
 * chance, and which one changes with the compiler: so a first run that has one is repeated with another seed and four times the
 * samples, and that one counts. */
typedef struct comparison {
    char         name[80];
    lft_estimate e;
    double       expected, error; /* error: of what is expected */
} comparison;

static double chi2_sum; /* of first runs */
static int    chi2_terms, repeats;

static double sigma_of(const comparison *c)
{
    return sqrt(c->e.error * c->e.error + c->error * c->error);
}

static double pull_of(const comparison *c)
{
    return (c->e.value - c->expected) / sigma_of(c);
}

/* Of one run; 0: it has to be repeated. */
static int conclude(const comparison *c, int n, int final)
{
    int i, far = 0;
    for (i = 0; i < n; ++i) far += !(fabs(pull_of(c + i)) <= 3);
    for (i = 0; i < n; ++i, ++c) {
        if (!final) chi2_sum += pull_of(c) * pull_of(c), ++chi2_terms;
        if (far && !final) {
            printf("%-58s %+.2f sigma: once more, with more samples\n", c->name, pull_of(c));
            continue;
        }
        check_sigma(c->name, c->e.value, c->expected, sigma_of(c));
        if (!c->e.reliable) check_true(lft_doubt_str(c->e.doubts), 0);
    }
    repeats += far && !final;
    return !far;
}

/* Of all runs, in the end. */
static void check_chi2(void)
{
    printf("global chi^2 of the first runs: %.1f for %d numbers; %d runs repeated\n", chi2_sum, chi2_terms, repeats);
    check_below("chi^2 per number", chi2_sum / chi2_terms, 1.5);
}
