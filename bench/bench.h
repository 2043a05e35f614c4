/* bench.h: clock, medians, the machine's peak, and the main program of a benchmark: a table of cases, or one of them.
 * Include it after the instance, with BENCH(name) its prefix: the peak is measured in its real type and lanes; then define
 * bench_run_case(), bench_kinds and bench_extents, and call bench_main(). */

static unsigned char *memory;
static const size_t   memory_bytes = (size_t)1 << 30;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *name, const char *why)
{
    fprintf(stderr, "%s: %s\n", name, why);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of one call, the median of up to 15 measurements of at least 20 ms each; 3 seconds at most. */
static double time_of(void (*run)(void *), void *arg)
{
    double t[15], start = seconds(), begin = start;
    int    n, i, count = 0;
    run(arg);
    begin = seconds();
    run(arg);
    n = 1 + (int)(0.02 / (seconds() - begin + 1e-9));
    do {
        begin = seconds();
        for (i = 0; i < n; ++i) run(arg);
        t[count++] = (seconds() - begin) / n;
    } while (count < 15 && (count < 3 || seconds() - start < 3));
    qsort(t, (size_t)count, sizeof *t, by_value);
    return t[count / 2];
}

/* ---- the ceiling ------------------------------------------------------------------------------------------------------ */

static void run_peak(void *arg)
{
    BENCH(p_v) *x = (BENCH(p_v) *)arg, a[16], m = x[0], c = x[1];
    int         i, k;
    for (i = 0; i < 16; ++i) a[i] = x[i];
    for (k = 0; k < 10000; ++k) {
        for (i = 0; i < 16; ++i) a[i] = a[i] * m + c;
    }
    for (i = 0; i < 16; ++i) x[2 + i] = a[i];
}

/* GFLOP/s of independent fused multiply-adds in registers, measured beside each case because the clock drifts. */
static double peak(void)
{
    BENCH(p_v) *x = (BENCH(p_v) *)memory;
    int     i;
    for (i = 0; i < 18; ++i) x[i] = BENCH(p_splat)(0.5F);
    return 16.0 * 10000 * 2 * BENCH(lanes)() / time_of(run_peak, x) * 1e-9;
}

/* ---- the table -------------------------------------------------------------------------------------------------------- */

/* Sets a case up, checks it and runs it; returns milliseconds, or -1 for a name that is none. *flops: operations of one run, 0
 * if not counted. */
static double bench_run_case(const char *name, double *flops);

/* kind and the extents at which the table has it: 0 ends them */
typedef struct bench_kind {
    const char *name;
    int         extent[8];
} bench_kind;

static void bench_table(const bench_kind *kind, int kinds)
{
    int k, e;
    printf("%-20s %12s %10s %10s %8s\n", "case", "ms", "GFLOP/s", "peak", "fraction");
    for (k = 0; k < kinds; ++k) {
        for (e = 0; e < 8 && kind[k].extent[e]; ++e) {
            char   name[32];
            double flops, ms, top;
            sprintf(name, "%s%d", kind[k].name, kind[k].extent[e]);
            ms  = bench_run_case(name, &flops);
            top = peak();
            printf("%-20s %12.5g", name, ms);
            if (flops > 0) printf(" %10.1f %10.1f %7.0f%%", flops / ms * 1e-6, top, flops / ms * 1e-4 / top);
            printf("\n");
            fflush(stdout);
        }
    }
}

/* --case NAME, a line of JSON; or the whole table below `title`. */
static int bench_main(int argc, char **argv, const char *title, const bench_kind *kind, int kinds)
{
    double flops, ms;
    int    k;
    memory = (unsigned char *)malloc(memory_bytes);
    if (!memory) die("bench", "no memory");
    memory += 64 - (size_t)((uintptr_t)memory % 64);
    if (argc > 2 && !strcmp(argv[1], "--case")) {
        ms = bench_run_case(argv[2], &flops);
        if (ms < 0) {
            fprintf(stderr, "%s: unknown case; expected an extent after", argv[2]);
            for (k = 0; k < kinds; ++k) fprintf(stderr, " %s", kind[k].name);
            fprintf(stderr, "\n");
            return 1;
        }
        printf("{\"case\": \"%s\", \"ours_ms\": %.6g", argv[2], ms);
        if (flops > 0) printf(", \"gflops\": %.4g, \"peak\": %.4g", flops / ms * 1e-6, peak());
        printf("}\n");
        return 0;
    }
    if (argc > 1) die(argv[1], "unknown option; expected --case NAME or nothing");
    printf("%s\n", title);
    bench_table(kind, kinds);
    return 0;
}
