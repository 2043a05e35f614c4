/* test_arena.c: every init in every arena that is too small: an error that says how much is missing, never a crash,
 * nothing written behind the end; and in the bytes of the query, from any alignment, success.
 * The second half of this file is compiled once per instance: it includes itself. */
#ifndef T
#include "../test.h"
#include "lftflow.h"
#include <stdlib.h>

/* An init under test. It runs over the arena and may be repeated; query: the bytes that it needs from any alignment. */
typedef struct arena_case {
    const char *name;
    lft_status (*init)(lft_arena *arena, lft_error *error);
    size_t (*query)(void);
} arena_case;

enum { STRIP = 4096, BOUNDARIES = 120 };

static const char *present;
static int         says_less; /* errors whose text asks for less than the init needs */

static const char *name_of(const char *what)
{
    static char text[160];
    snprintf(text, sizeof text, "%s: %s", present, what);
    return text;
}

/* One init in exactly `size` bytes at `base`. 1 if it did what it must: need <= size and success, or LFT_ERR_NOMEM with
 * the need and the capacity; and nothing was written to the strip behind. */
static int survives(const arena_case *c, unsigned char *base, size_t size, size_t need)
{
    lft_arena  arena = lft_arena_of(base, size);
    lft_error  error;
    lft_status status;
    char       text[80];
    int        i;
    memset(&error, 0, sizeof error);
    memset(base + size, 0xa5, STRIP);
    status = c->init(&arena, &error);
    for (i = 0; i < STRIP; ++i) {
        if (base[size + (size_t)i] != 0xa5) return 0;
    }
    if (size >= need) return status == LFT_OK && arena.need == need && arena.base == base && arena.size == size;
    if (status != LFT_ERR_NOMEM || error.code != LFT_ERR_NOMEM) return 0;
    snprintf(text, sizeof text, "has %lu", (unsigned long)size);
    if (!strstr(error.text, text)) return 0;
    snprintf(text, sizeof text, "needs %lu bytes", (unsigned long)need);
    if (!strstr(error.text, text)) ++says_less;
    return 1;
}

/* need of the init at this base */
static size_t need_at(const arena_case *c, unsigned char *base, size_t size)
{
    lft_arena arena = lft_arena_of(base, size);
    return c->init(&arena, NULL) == LFT_OK ? arena.need : 0;
}

static void test_case(const arena_case *c)
{
    static const size_t offsets[] = {0, 1, 8, 33, 63};
    size_t              query, need, first = 0, i, k, step, boundaries, bad = 0, tried = 0;
    unsigned char      *block, *base;
    lft_arena           measure = lft_arena_measure();
    present   = c->name;
    says_less = 0;
    query     = c->query();
    check_true(name_of("the query"), query > 0);
    if (!query) return;
    check_true(name_of("measuring"), c->init(&measure, NULL) == LFT_OK);
    check_near(name_of("bytes of the init over a measuring arena"), (double)measure.need, (double)query, 0);
    block = (unsigned char *)malloc(query + STRIP + 256);
    base  = block + (64 - (uintptr_t)block % 64) % 64;
    for (i = 0; i < sizeof offsets / sizeof *offsets; ++i) {
        need = need_at(c, base + offsets[i], query + 64);
        if (i == 0) first = need;
        bad += need == 0 || need != first + (64 - offsets[i]) % 64;
        bad += !survives(c, base + offsets[i], query, need);
        bad += !survives(c, base + offsets[i], need, need);
        bad += !survives(c, base + offsets[i], need - 1, need);
        bad += !survives(c, base + offsets[i], need + 1, need);
    }
    check_near(name_of("alignments at which something is wrong"), (double)bad, 0, 0);
    check_near(name_of("query: the worst alignment"), (double)query, (double)(first + 63), 0);
    /* every block begins and ends at a multiple of 64 bytes from an aligned base; no init takes more than a few dozen,
     * so beyond BOUNDARIES only every step-th and all near both ends are tried */
    boundaries = first / 64;
    step       = boundaries / BOUNDARIES + 1;
    for (bad = 0, i = 0; i <= boundaries; i += i < 20 || i + 20 > boundaries ? 1 : step) {
        for (k = 0; k < 3; ++k) {
            const size_t size = 64 * i + k - 1;
            if (i == 0 && k == 0) continue;
            bad += !survives(c, base, size, first);
            ++tried;
        }
    }
    free(block);
    printf("%-58s %lu sizes below %lu bytes\n", name_of("tried"), (unsigned long)tried, (unsigned long)first);
    check_near(name_of("sizes at which something is wrong"), (double)bad, 0, 0);
    check_near(name_of("errors that ask for less than is needed"), says_less, 0, 0);
}

/* ---- what is common to all instances ----------------------------------------------------------------------------- */

static lft_status adam_init(lft_arena *arena, lft_error *error)
{
    static lft_adam adam;
    return lft_adam_init(&adam, 37, 0, 0, 0, arena, error);
}
static size_t adam_bytes(void)
{
    return 2 * ((37 * sizeof(double) + 63) / 64 * 64) + 63;
}

static lft_status series_init(lft_arena *arena, lft_error *error)
{
    static lft_series series;
    return lft_series_init(&series, 3, 2, 11, arena, error);
}
static size_t series_bytes(void)
{
    lft_arena arena = lft_arena_measure();
    return series_init(&arena, NULL) == LFT_OK ? arena.need : 0;
}

static void test_arithmetic(void)
{
    static unsigned char memory[512];
    unsigned char       *p, *q;
    lft_arena            arena = lft_arena_of(memory + (64 - (uintptr_t)memory % 64) % 64, 256), mark;
    memset(memory, 0xff, sizeof memory);
    mark = arena;
    p    = (unsigned char *)lft_arena_alloc(&arena, 3, 20);
    q    = (unsigned char *)lft_arena_take(&arena, 64, 1);
    check_true("arena: blocks are aligned", p && q && (uintptr_t)p % 64 == 0 && q == p + 64 && arena.need == 128);
    check_true("arena: alloc clears its block", p && p[0] == 0 && p[59] == 0);
    check_true("arena: and no more", p && p[60] == 0xff && q[0] == 0xff);
    check_true("arena: no bytes", lft_arena_alloc(&arena, 0, 8) != NULL && arena.need == 128);
    check_true("arena: the last bytes", lft_arena_take(&arena, 16, 8) != NULL && arena.need == 256);
    check_true("arena: nothing is left", lft_arena_take(&arena, 1, 1) == NULL && arena.need == 320);
    check_true("arena: nor is for less", lft_arena_take(&arena, 0, 1) == NULL);
    arena = mark;
    check_true("arena: a mark releases", lft_arena_take(&arena, 1, 1) == p);
    p     = (unsigned char *)lft_arena_take(&arena, SIZE_MAX / 8, 16);
    check_true("arena: a product that wraps", p == NULL && arena.need > arena.size);
    p = (unsigned char *)lft_arena_take(&arena, SIZE_MAX / 16, 8);
    check_true("arena: need stays there", p == NULL && arena.need > SIZE_MAX / 8);
    arena = lft_arena_measure();
    check_true("arena: measuring returns NULL", lft_arena_take(&arena, 5, 8) == NULL && arena.need == 64 + 63);
    check_true("arena: measuring is no failure", lft_arena_check(&arena, NULL, "test") == LFT_OK);
}

/* A pool of two threads that takes turns. */
static void two_run(void *user, int tasks, lft_task task, void *context)
{
    int i;
    (void)user;
    for (i = 0; i < tasks; ++i) task(context, i, i % 2);
}
static lft_pool two(void)
{
    lft_pool pool;
    pool.run     = two_run;
    pool.user    = NULL;
    pool.threads = 2;
    return pool;
}

#define LFT_STATIC
#define T      a2
#define T_DIM  2
#define T_REAL LFT_F64
#ifdef LFT_TEST_LANES
#define LFT_LANES LFT_TEST_LANES
#endif
#include "test_arena.c"
#define T         a1
#define T_DIM     1
#define T_REAL    LFT_F32
#define LFT_LANES 1
#include "test_arena.c"

int main(void)
{
    const arena_case common[] = {{"adam", adam_init, adam_bytes}, {"series", series_init, series_bytes}};
    test_arithmetic();
    test_case(&common[0]);
    test_case(&common[1]);
    a2_test();
    a1_test();
    return test_end();
}

#else /* one instance */

#define LFT_NAME  T
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   T_DIM
#define LFT_REAL  T_REAL
#include "lftflow.h"
#define T_(name)  LFT_P_PASTE(T, name)
#define T_P(name) LFT_P_PASTE(T, LFT_P_PASTE2(p, name))
#define T_TEXT    LFT_P_STRING(T)

#if T_DIM == 1
static const int T_(extent)[] = {3};
#else
static const int T_(extent)[] = {3, 2};
#endif

/* ---- batches and flows ------------------------------------------------------------------------------------------- */

static lft_status T_(batch_in)(lft_arena *arena, lft_error *error)
{
    static T_(batch) batch;
    T_(lattice)      lattice;
    const lft_status status = T_(lattice_init)(&lattice, T_(extent), error);
    return status ? status : T_(batch_init)(&batch, &lattice, T_(lanes)() + 1, arena, error);
}
static size_t T_(batch_size)(void)
{
    T_(lattice) lattice;
    return T_(lattice_init)(&lattice, T_(extent), NULL) ? 0 : T_(batch_bytes)(&lattice, T_(lanes)() + 1);
}

/* The desc of flow number `which`: the defaults on a small lattice; no terms but the linear one, the smallest flow that
 * there is; two layers, threads. */
static T_(flow_desc) T_(desc)(int which)
{
    static T_(continuous_desc) first, second;
    static T_(layer_desc)      list[2];
    T_(flow_desc)              desc;
    int                        mu;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < T_DIM; ++mu) desc.extent[mu] = T_(extent)[mu];
    if (which == 1) {
        for (mu = 0; mu < T_DIM; ++mu) desc.extent[mu] = 1;
        desc.prior.kind            = LFT_PRIOR_NORMAL;
        desc.continuous.sines = desc.continuous.gates = desc.continuous.zeros = -1;
        desc.continuous.nodes = desc.continuous.steps = desc.continuous.most_steps = 1;
    }
    if (which == 2) {
        first.steps = second.steps = 2;
        first.sines                = 3;
        second.zeros               = -1;
        list[0].ops = list[1].ops = T_(continuous)();
        list[0].desc              = &first;
        list[1].desc              = &second;
        desc.layer                = list;
        desc.layers               = 2;
        desc.pool                 = two();
    }
    return desc;
}

static T_(flow) T_(flows)[3], T_(scratch_flow);
static T_(theory) T_(theories)[1];

static lft_status T_(flow_in)(int which, lft_arena *arena, lft_error *error)
{
    const T_(flow_desc) desc = T_(desc)(which);
    return T_(flow_init)(&T_(scratch_flow), &desc, arena, error);
}
static size_t T_(flow_size)(int which)
{
    const T_(flow_desc) desc = T_(desc)(which);
    return T_(flow_bytes)(&desc);
}
static lft_status T_(flow0)(lft_arena *a, lft_error *e) { return T_(flow_in)(0, a, e); }
static lft_status T_(flow1)(lft_arena *a, lft_error *e) { return T_(flow_in)(1, a, e); }
static lft_status T_(flow2)(lft_arena *a, lft_error *e) { return T_(flow_in)(2, a, e); }
static size_t     T_(flow0_size)(void) { return T_(flow_size)(0); }
static size_t     T_(flow1_size)(void) { return T_(flow_size)(1); }
static size_t     T_(flow2_size)(void) { return T_(flow_size)(2); }

/* ---- trainers: text goes into the flow's error ------------------------------------------------------------------- */

static lft_train_desc T_(train_desc)(int which)
{
    lft_train_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.batch       = 5;
    desc.guard_every = which == 1 ? -1 : 0;
    desc.accumulate  = which == 2 ? 2 : 0;
    return desc;
}
static lft_status T_(trainer_in)(int which, lft_arena *arena, lft_error *error)
{
    static T_(trainer)   trainer;
    const lft_train_desc desc   = T_(train_desc)(which);
    const lft_status     status = T_(trainer_init)(&trainer, &T_(flows)[which], T_(theories), &desc, arena);
    if (error) *error = T_(flows)[which].error;
    return status;
}
static size_t T_(trainer_size)(int which)
{
    const lft_train_desc desc = T_(train_desc)(which);
    return T_(trainer_bytes)(&T_(flows)[which], &desc);
}
static lft_status T_(trainer0)(lft_arena *a, lft_error *e) { return T_(trainer_in)(0, a, e); }
static lft_status T_(trainer1)(lft_arena *a, lft_error *e) { return T_(trainer_in)(1, a, e); }
static lft_status T_(trainer2)(lft_arena *a, lft_error *e) { return T_(trainer_in)(2, a, e); }
static size_t     T_(trainer0_size)(void) { return T_(trainer_size)(0); }
static size_t     T_(trainer1_size)(void) { return T_(trainer_size)(1); }
static size_t     T_(trainer2_size)(void) { return T_(trainer_size)(2); }

/* ---- Markov chains ----------------------------------------------------------------------------------------------- */

static T_(chain_desc) T_(chains)(void)
{
    T_(chain_desc) desc;
    memset(&desc, 0, sizeof desc);
    desc.chains = T_(lanes)() + 2;
    return desc;
}
static lft_status T_(chain_in)(lft_arena *arena, lft_error *error)
{
    static T_(chain)     chain;
    const T_(chain_desc) desc = T_(chains)();
    return T_(chain_init)(&chain, &T_(flows)[1], T_(theories), &desc, arena, error);
}
static size_t T_(chain_size)(void)
{
    const T_(chain_desc) desc = T_(chains)();
    return T_(chain_bytes)(&T_(flows)[1].lattice, &desc);
}

static T_(hmc_desc) T_(hmcs)(void)
{
    T_(hmc_desc) desc;
    int          mu;
    memset(&desc, 0, sizeof desc);
    for (mu = 0; mu < T_DIM; ++mu) desc.extent[mu] = 3;
    desc.chains = T_(lanes)() + 2;
    desc.start  = LFT_START_HOT;
    desc.pool   = two();
    return desc;
}
static lft_status T_(hmc_in)(lft_arena *arena, lft_error *error)
{
    static T_(hmc)     hmc;
    const T_(hmc_desc) desc = T_(hmcs)();
    return T_(hmc_init)(&hmc, T_(theories), &desc, arena, error);
}
static size_t T_(hmc_size)(void)
{
    const T_(hmc_desc) desc = T_(hmcs)();
    return T_(hmc_bytes)(&desc);
}

/* ---- sizes that no machine has, and what is not legal ------------------------------------------------------------ */

static void T_(test_sizes)(void)
{
    T_(lattice)    lattice;
    T_(batch)      batch;
    T_(flow_desc)  desc = T_(desc)(0);
    T_(flow)       flow;
    lft_train_desc train;
    T_(trainer)    trainer;
    lft_arena      arena = lft_arena_measure();
    lft_error      error;
    size_t         bytes;
    int            extent[T_DIM], mu;
    for (mu = 0; mu < T_DIM; ++mu) extent[mu] = T_DIM == 1 ? 1 << 24 : 4096;
    present = T_TEXT;
    check_true(name_of("2^24 sites"), T_(lattice_init)(&lattice, extent, NULL) == LFT_OK && lattice.volume == 1 << 24);
    check_true(name_of("2^31 - 1 of them"), T_(batch_init)(&batch, &lattice, 2147483647, &arena, NULL) == LFT_OK);
    check_true(name_of("its groups"), batch.groups == 2147483647 / T_(lanes)() + (T_(lanes)() > 1));
    bytes = T_(batch_bytes)(&lattice, 2147483647);
    check_near(name_of("its bytes"), (double)bytes, 16777216.0 * 2147483648.0 * (double)sizeof(T_(real)),
               16777216.0 * 16 * sizeof(T_(real)));
    extent[0] += 1;
    check_true(name_of("more sites"),
               T_(lattice_init)(&lattice, extent, &error) == LFT_ERR_ARG && strstr(error.text, "2^24"));
    for (mu = 0; mu < T_DIM; ++mu) desc.extent[mu] = T_DIM == 1 ? 1 << 24 : 4096;
    bytes = T_(flow_bytes)(&desc);
    printf("%-58s %.3e\n", name_of("bytes of a flow with 2^24 sites"), (double)bytes);
    check_true(name_of("a flow with 2^24 sites: its bytes"), bytes > (size_t)1 << 32 && (double)bytes < 4e16);
    arena = lft_arena_of(&error, sizeof error);
    check_true(name_of("a flow with 2^24 sites: init"), T_(flow_init)(&flow, &desc, &arena, NULL) == LFT_ERR_NOMEM);
    desc.extent[0] = 0;
    check_true(name_of("query of no legal desc"), T_(flow_bytes)(&desc) == 0);
    memset(&train, 0, sizeof train);
    train.batch = -1;
    check_true(name_of("query of no legal training"), T_(trainer_bytes)(&T_(flows)[0], &train) == 0);
    train.batch = 2147483647;
    arena       = lft_arena_of(&error, sizeof error);
    check_true(name_of("a batch for no machine"),
               T_(trainer_init)(&trainer, &T_(flows)[0], T_(theories), &train, &arena) == LFT_ERR_NOMEM);
}

static void T_(test)(void)
{
    const arena_case cases[] = {
        {T_TEXT " batch", T_(batch_in), T_(batch_size)},
        {T_TEXT " flow", T_(flow0), T_(flow0_size)},
        {T_TEXT " smallest flow", T_(flow1), T_(flow1_size)},
        {T_TEXT " flow of two layers and threads", T_(flow2), T_(flow2_size)},
        {T_TEXT " trainer", T_(trainer0), T_(trainer0_size)},
        {T_TEXT " trainer without guard", T_(trainer1), T_(trainer1_size)},
        {T_TEXT " accumulating trainer, threads", T_(trainer2), T_(trainer2_size)},
        {T_TEXT " chain", T_(chain_in), T_(chain_size)},
        {T_TEXT " hmc", T_(hmc_in), T_(hmc_size)},
    };
    size_t i, bytes;
    int    k;
    T_(phi4_init)(T_(theories), 1, 1, NULL);
    for (k = 0; k < 3; ++k) { /* the flows that the others belong to */
        const T_(flow_desc) desc = T_(desc)(k);
        lft_arena           arena;
        bytes = T_(flow_bytes)(&desc);
        arena = lft_arena_of(malloc(bytes), bytes);
        if (T_(flow_init)(&T_(flows)[k], &desc, &arena, NULL)) {
            check_true(T_TEXT ": a flow", 0);
            return;
        }
    }
    for (i = 0; i < sizeof cases / sizeof *cases; ++i) test_case(&cases[i]);
    T_(test_sizes)();
}

#undef T
#undef T_
#undef T_P
#undef T_TEXT
#undef T_DIM
#undef T_REAL
#endif
