/* lftflow.h: lattice field theory sampled exactly with normalizing flows. SPDX-License-Identifier: MIT-0
 * Generated from src/ by tools/amalgamate.sh: do not edit, change the parts and run it again. */

/* ---- common room: once per file ---------------------------------------------------------------------------------- */
#ifndef LFT_P_COMMON
#define LFT_P_COMMON

/* ---- 00_config.h, declarations ----------------------------------------------------------------------------------- */
/* 00_config.h: version, compiler and C library facts, the paste macros.
 * Offers: LFT_VERSION, the values of the instance parameters, LFT_P_* helpers that every room uses. */

#include <float.h>
#include <stddef.h>
#include <stdint.h>

#define LFT_VERSION_MAJOR 0
#define LFT_VERSION_MINOR 1
#define LFT_VERSION_PATCH 0
#define LFT_VERSION       "0.1.0"

/* Values of the instance parameters. All are nonzero, so that an undefined name in an #if is never a legal value. */
#define LFT_SCALAR 1 /* LFT_GROUP: one real number per site */
#define LFT_U1     2 /*            an angle per link */
#define LFT_SU2    3 /*            a unit quaternion per link */
#define LFT_SU3    4 /*            a 3 x 3 matrix per link */
#define LFT_F32    1 /* LFT_REAL */
#define LFT_F64    2
#define LFT_FIELDS 1 /* LFT_UPTO: lattice, fields, theory */
#define LFT_SAMPLE 2 /*           + flows, independence Metropolis, HMC, observables */
#define LFT_TRAIN  3 /*           + gradients and training (the default) */

#define LFT_MAX_DIM 4

/* May be defined before the first inclusion, the same in every file. */
#ifndef LFT_MAX_COUPLINGS
#define LFT_MAX_COUPLINGS 8 /* of a theory */
#endif

#define LFT_P_GROUP_1 scalar /* their names in symbols */
#define LFT_P_GROUP_2 u1
#define LFT_P_GROUP_3 su2
#define LFT_P_GROUP_4 su3

/* Two levels, so that LFT_NAME is expanded before it is pasted. */
#define LFT_P_PASTE2(a, b) a##_##b
#define LFT_P_PASTE(a, b)  LFT_P_PASTE2(a, b)
#define LFT_P_STRING2(a)   #a
#define LFT_P_STRING(a)    LFT_P_STRING2(a)

#if defined(__GNUC__) || defined(__clang__)
#define LFT_P_GNUC     1
#define LFT_P_INLINE   static inline __attribute__((always_inline))
#define LFT_P_NOINLINE static __attribute__((noinline, unused))
#define LFT_P_STATIC   static __attribute__((unused)) /* in every file that includes this; inlined as the compiler sees fit */
#define LFT_P_RESTRICT __restrict__
#else
#define LFT_P_GNUC     0
#define LFT_P_INLINE   static inline
#define LFT_P_NOINLINE static inline
#define LFT_P_STATIC   static inline
#define LFT_P_RESTRICT
#endif

/* Unroll the next loop fully; its bounds are constants after inlining. */
#if defined(__clang__)
#define LFT_P_UNROLL _Pragma("unroll")
#elif LFT_P_GNUC
#define LFT_P_UNROLL _Pragma("GCC unroll 64")
#else
#define LFT_P_UNROLL
#endif

/* Copies and clears go through the compiler's builtin where there is one: it may become a call of memcpy or memset,
 * which every freestanding environment has to supply, and needs no header. */
#if LFT_P_GNUC
#define lft_p_copy(to, from, bytes) ((void)__builtin_memcpy((to), (from), (bytes)))
#define lft_p_zero(to, bytes)       ((void)__builtin_memset((to), 0, (bytes)))
#else
#include <string.h>
#define lft_p_copy(to, from, bytes) ((void)memcpy((to), (from), (bytes)))
#define lft_p_zero(to, bytes)       ((void)memset((to), 0, (bytes)))
#endif

/* 1 if x is neither infinite nor NaN. A test of the exponent bits: isfinite() is removed by -ffast-math. */
static inline int lft_finite(double x);

/* ---- 01_status.h, declarations ----------------------------------------------------------------------------------- */
/* 01_status.h: status values, and the text that says what, where, expected, got.
 * Offers: lft_status, lft_status_str(), lft_error. The library never prints, exits or aborts. */

#define LFT_P_STATUS_LIST(X)                                             \
    X(LFT_OK, "ok")                                                      \
    X(LFT_STOPPED, "stopped by the caller")                              \
    X(LFT_ERR_ARG, "bad argument")                                       \
    X(LFT_ERR_NOMEM, "arena too small")                                  \
    X(LFT_ERR_NONFINITE, "not a finite number")                          \
    X(LFT_ERR_NOCONV, "no convergence")                                  \
    X(LFT_ERR_FORMAT, "bad file content")                                \
    X(LFT_ERR_IO, "read or write failed")                                \
    X(LFT_ERR_MISMATCH, "does not fit this instance")

#define LFT_P_STATUS_ENUM(code, text) code,
typedef enum lft_status { LFT_P_STATUS_LIST(LFT_P_STATUS_ENUM) LFT_P_STATUS_COUNT } lft_status;
#undef LFT_P_STATUS_ENUM

/* A status in words, e.g. "arena too small". Never NULL. */
LFT_P_STATIC const char *lft_status_str(lft_status s);

/* What went wrong: "where: what: expected ..., got ...". Objects carry one; functions without an object take a pointer,
 * which may be NULL. The text is always terminated. Success leaves it alone. */
typedef struct lft_error {
    lft_status code;
    char       text[160];
} lft_error;

/* ---- 02_arena.h, declarations ------------------------------------------------------------------------------------ */
/* 02_arena.h: all memory comes from one block that the caller hands over.
 * Offers: lft_arena, lft_arena_of(), lft_arena_measure(), lft_arena_alloc(), lft_arena_take(), LFT_ARENA(). */

#define LFT_P_ALIGN ((size_t)64) /* one AVX-512 register, one cache line */

/* A stack of memory. Copy the struct to mark a position; assign the copy back to release everything above it; pass a
 * copy by value for scratch. `need` is what the allocations so far would have taken, the alignment of the base included,
 * and goes on counting past the end: so one failing run, or one run over lft_arena_measure(), says how much to provide.
 *   base == NULL   nothing is stored, every allocation succeeds in counting and returns NULL
 *   need > size    an allocation did not fit and returned NULL; the object's init returns LFT_ERR_NOMEM */
typedef struct lft_arena {
    unsigned char *base;
    size_t         size, need;
} lft_arena;

/* A static block and its size, for lft_arena_of(name, sizeof name). */
#define LFT_ARENA(name, bytes) unsigned char name[(bytes)]

/* An arena over memory of any alignment. */
LFT_P_STATIC lft_arena lft_arena_of(void *memory, size_t bytes);

/* An arena that only counts: run an init over it to learn what the same init needs. */
LFT_P_STATIC lft_arena lft_arena_measure(void);

/* n elements of the given size, aligned to 64 bytes; NULL when measuring or when they do not fit. The first clears them,
 * O(bytes); the second leaves them as they are, for scratch. */
LFT_P_STATIC void *lft_arena_alloc(lft_arena *a, size_t n, size_t element);
LFT_P_STATIC void *lft_arena_take(lft_arena *a, size_t n, size_t element);

/* What one allocation of `bytes` takes from an arena of any alignment. */
LFT_P_STATIC size_t lft_p_arena_bytes(size_t bytes);

/* LFT_OK while everything asked for was there (or is only being counted), else LFT_ERR_NOMEM with need and capacity. */
LFT_P_STATIC lft_status lft_arena_check(const lft_arena *a, lft_error *e, const char *where);

/* 1 if the arena only counts: an init returns after its layout. */
LFT_P_STATIC int lft_arena_measuring(const lft_arena *a);

/* ---- 03_stream.h, declarations ----------------------------------------------------------------------------------- */
/* 03_stream.h: where bytes come from and go to, and how numbers lie in them. The header itself opens no file.
 * Offers: lft_reader, lft_writer, lft_memory_reader(), lft_memory_writer(), lft_dtype, lft_dtype_bytes(),
 *         lft_dtype_str(); for the format rooms: bytes of numbers, lft_p_source (text being parsed), lft_p_sink. */

/* read(user, data, n) fills data with exactly n bytes or returns fewer: the end of the data or a failure. */
typedef struct lft_reader {
    size_t (*read)(void *user, void *data, size_t n);
    void *user;
} lft_reader;

/* write(user, data, n) stores n bytes and returns n; fewer is a failure. */
typedef struct lft_writer {
    size_t (*write)(void *user, const void *data, size_t n);
    void *user;
} lft_writer;

/* A block of memory as a stream; `at` is the number of bytes read or written so far. It must outlive the stream. */
typedef struct lft_memory {
    const unsigned char *in;
    unsigned char       *out;
    size_t               size, at;
} lft_memory;

/* A reader of `size` bytes, e.g. of a model that is linked into the program. */
LFT_P_STATIC lft_reader lft_memory_reader(lft_memory *memory, const void *data, size_t size);

/* A writer into at most `size` bytes. A write that does not fit stores nothing and fails. */
LFT_P_STATIC lft_writer lft_memory_writer(lft_memory *memory, void *data, size_t size);

/* value, name, kind, bytes of an element, bytes of one number in it */
#define LFT_P_DTYPE_LIST(X)               \
    X(LFT_DTYPE_F32, "F32", 'f', 4, 4)    \
    X(LFT_DTYPE_F64, "F64", 'f', 8, 8)    \
    X(LFT_DTYPE_C64, "C64", 'c', 8, 4)    \
    X(LFT_DTYPE_C128, "C128", 'c', 16, 8) \
    X(LFT_DTYPE_U64, "U64", 'u', 8, 8)    \
    X(LFT_DTYPE_I64, "I64", 'i', 8, 8)    \
    X(LFT_DTYPE_U32, "U32", 'u', 4, 4)    \
    X(LFT_DTYPE_I32, "I32", 'i', 4, 4)    \
    X(LFT_DTYPE_U8, "U8", 'u', 1, 1)

/* Element types of stored arrays; 0 is none. A complex element is two numbers, real part first. */
#define LFT_P_DTYPE_ENUM(code, name, kind, bytes, part) code,
typedef enum lft_dtype { LFT_DTYPE_NONE, LFT_P_DTYPE_LIST(LFT_P_DTYPE_ENUM) LFT_P_DTYPE_COUNT } lft_dtype;
#undef LFT_P_DTYPE_ENUM

/* Bytes of one element, e.g. 16 for LFT_DTYPE_C128; 0 for a value that is none of the enum's. */
LFT_P_STATIC size_t lft_dtype_bytes(lft_dtype dtype);

/* "F64" and so on, the names that safetensors uses; "none" for a value that is none of the enum's. Never NULL. */
LFT_P_STATIC const char *lft_dtype_str(lft_dtype dtype);

/* ---- 04_pool.h, declarations ------------------------------------------------------------------------------------- */
/* 04_pool.h: the one hook for threads.
 * Offers: lft_pool, lft_pool_openmp(). */

/* run(user, tasks, task, context) calls task(context, i, thread) once for every 0 <= i < tasks, in any order, on at most
 * `threads` threads, and returns when all are done. `thread` < threads tells the running threads apart: it selects scratch
 * memory. Results do not depend on the number of threads, nor on who runs what. A zeroed lft_pool is serial. */
typedef void (*lft_task)(void *context, int i, int thread);
typedef struct lft_pool {
    void (*run)(void *user, int tasks, lft_task task, void *context);
    void *user;
    int   threads;
} lft_pool;

/* An OpenMP team of the given size (compile with -fopenmp; without it, and for threads < 2, serial). */
LFT_P_STATIC lft_pool lft_pool_openmp(int threads);

#ifdef LFT_STDIO

/* ---- 06_stdio.h, declarations ------------------------------------------------------------------------------------ */
/* 06_stdio.h: optional adaptor from the streams of this header to the files of C; only if LFT_STDIO is defined.
 * Offers: lft_file_reader(), lft_file_writer(), lft_file_replace(). */

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

#endif

/* ---- 18_parameters.h, declarations ------------------------------------------------------------------------------- */
/* 18_parameters.h: named parameter tensors and the optimiser. Parameters, gradients and moments are double and common
 * types, so that an f32 and an f64 instance share one model.
 * Offers: lft_parameters, lft_declare(); lft_adam, lft_adam_init(), lft_adam_step(); lft_schedule, lft_rate();
 *         lft_clip_norm(). */

/* One tensor: row-major, its values at value[offset .. offset + count) of the set. */
typedef struct lft_parameter {
    char   name[40]; /* "layer0.kernel" */
    int    rank, shape[4];
    size_t offset, count;
} lft_parameter;

/* The set. The owner runs its declarations twice: first with list == NULL, which only counts, then with memory. */
typedef struct lft_parameters {
    lft_parameter *list; /* [tensors] */
    double        *value; /* [count] */
    double        *pace;  /* [count] learning rate of each parameter relative to that of the training */
    int            tensors;
    size_t         count;
} lft_parameters;

/* Appends the tensor "owner.name" and returns its offset. Dimensions beyond rank are ignored. */
LFT_P_STATIC size_t lft_declare(lft_parameters *set, const char *owner, const char *name, int rank, int n0, int n1,
                                int n2, int n3);

/* Adam (1412.6980, algorithm 1). */
typedef struct lft_adam {
    double  *m, *v; /* [n] first and second moments */
    size_t   n;
    uint64_t step; /* steps taken */
    double   beta1, beta2, epsilon;
} lft_adam;

/* Moments in the arena, zero. beta1, beta2 or epsilon 0 mean .9, .999 and 1e-8. */
LFT_P_STATIC lft_status lft_adam_init(lft_adam *adam, size_t n, double beta1, double beta2, double epsilon,
                                      lft_arena *arena, lft_error *error);

/* value -= rate * pace * mhat / (sqrt(vhat) + epsilon); pace [n], or NULL for 1. O(n). */
LFT_P_STATIC void lft_adam_step(lft_adam *adam, double *value, const double *gradient, double rate, const double *pace);

/* Learning rates over a training of known length. */
typedef enum lft_schedule_kind {
    LFT_SCHEDULE_COSINE, /* from `from` to `to` along half a cosine: the default */
    LFT_SCHEDULE_EXPONENTIAL,
    LFT_SCHEDULE_LINEAR,
    LFT_SCHEDULE_CONSTANT /* `from` */
} lft_schedule_kind;

typedef struct lft_schedule {
    lft_schedule_kind kind;
    double            from, to;
    uint64_t          warmup, steps; /* the rate first rises linearly over `warmup` of the `steps` */
} lft_schedule;

/* The rate of step 0 <= i < steps; the last rate beyond. */
LFT_P_STATIC double lft_rate(const lft_schedule *schedule, uint64_t i);

/* Scales a gradient down to the given 2-norm if it is longer (most <= 0: never); returns the norm before. */
LFT_P_STATIC double lft_clip_norm(double *gradient, size_t n, double most);

/* ---- 19_family.h, declarations ----------------------------------------------------------------------------------- */
/* 19_family.h: one set of coefficients for a whole box of couplings.
 * Offers: lft_family; private: lft_p_family_check(), lft_p_family_terms(), lft_p_family_weights(),
 *         lft_p_family_pace().
 *
 *   theta(g) = sum_b T_b(c) coefficient_b,   c_j = (2 g_j - high_j - low_j) / (high_j - low_j) in [-1, 1]
 * with T_b the products of Chebyshev polynomials of total degree up to `degree` in the couplings that vary; T_0 = 1. */

/* Couplings with low = high are fixed. degree 0: no family. */
typedef struct lft_family {
    int    degree, couplings;
    double low[LFT_MAX_COUPLINGS], high[LFT_MAX_COUPLINGS];
} lft_family;

/* ---- 20_random.h, declarations ----------------------------------------------------------------------------------- */
/* 20_random.h: random numbers that depend on nothing but their address.
 * Offers: lft_philox(), lft_draw, lft_draw_of(), lft_uniform(), lft_uniforms(), lft_normals().
 *
 * There is no generator state. Every number is a function of (seed, purpose, sample, draw, index), so the same seed
 * gives the same numbers whatever the number of threads, lanes or MPI ranks, and a run resumes from integers. */

/* Philox4x32-10: out = 128 random bits from a counter and a key. A bijection of the counter for each key.
 * out may be ctr. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11 (Random123). */
static inline void lft_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4]);

/* What a draw is for: draws with different purposes are independent. The values are part of what a seed means. */
enum lft_purpose {
    LFT_DRAW_PRIOR    = 1,  /* configurations that a flow transforms into proposals */
    LFT_DRAW_ACCEPT   = 2,  /* accept or reject */
    LFT_DRAW_MOMENTA  = 3,  /* HMC */
    LFT_DRAW_INIT     = 4,  /* parameters and first configurations */
    LFT_DRAW_TRAIN    = 5,  /* configurations that a flow is trained on */
    LFT_DRAW_NOISE    = 6,  /* stochastic estimators, pseudofermions */
    LFT_DRAW_FAMILY   = 7,  /* couplings at which a family is trained */
    LFT_DRAW_HEATBATH = 8,  /* links */
    LFT_DRAW_LAYER    = 9,  /* what layers draw */
    LFT_DRAW_USER     = 128 /* 128 to 255 are the user's */
};

/* The address of the random numbers of one configuration. Philox key = seed; counter = {index / 2, draw, low 32 bits of
 * sample, purpose | bits 32..55 of sample << 8}.
 *   sample   which configuration or chain, below 2^56 (the rest is ignored)
 *   draw     how often this sample has asked before: the trajectory, the attempt
 *   purpose  an lft_purpose, 0 to 255 (the rest is ignored) */
typedef struct lft_draw {
    uint64_t seed, sample;
    uint32_t draw, purpose;
} lft_draw;

static inline lft_draw lft_draw_of(uint64_t seed, uint32_t purpose, uint64_t sample, uint32_t draw);

/* Number `index` of the draw, uniform in (0, 1): (v + 1/2) 2^-53 with 53 random bits v, rounded to nearest, at most
 * 1 - 2^-53. Bits: the high 53 of the 64-bit number of which words 0, 1 (even index) or 2, 3 (odd) of Philox are the
 * low and the high half. */
static inline double lft_uniform(lft_draw d, uint32_t index);

/* out[i] = lft_uniform(d, i), 0 <= i < n; the same bits. O(n), one Philox call per two numbers. */
static inline void lft_uniforms(lft_draw d, double *out, int n);

/* n independent normal numbers, mean 0, variance 1, by Box and Muller from the uniforms u of the same draw:
 *   out[2i] = sqrt(-2 ln u_2i) cos(2 pi u_2i+1), out[2i+1] = the same with sin; |out| < 8.7.
 * Fixed consumption: out[i] does not depend on n, and an odd n uses up the pair of its last number. Uniforms and
 * normals of one draw are not independent of each other. O(n). */
static inline void lft_normals(lft_draw d, double *out, int n);

/* ---- 21_series.h, declarations ----------------------------------------------------------------------------------- */
/* 21_series.h: log-weights and series of measurements.
 * Offers: lft_weigh(), lft_series. */

/* ---- log-weights ------------------------------------------------------------------------------------------------- */

/* What a sample of log-weights says about the flow that made it, with w = exp(logw) and means over the sample.
 *   ess         effective sample size as a fraction, <w>^2 / <w^2>, in (0, 1]. Small n overestimates it badly: quote n
 *   logz        log <w>; with logw = -S - log q the log of the partition function
 *   logz_error  sqrt((1/ess - 1) / n), first order in the fluctuation of <w>, for independent weights
 *   status      LFT_OK; LFT_ERR_ARG without weights; LFT_ERR_NONFINITE if a log-weight is NaN or +infinity (all three
 *               numbers are NaN), or if all are -infinity (logz is -infinity, the others NaN). Single log-weights of
 *               -infinity are legal: zero weights, which count in n */
typedef struct lft_weights {
    size_t     n;
    double     ess, logz, logz_error;
    lft_status status;
} lft_weights;

/* Any size of log-weight is safe: the largest is taken out first. Two passes, O(n). */
LFT_P_STATIC lft_weights lft_weigh(const double *logw, size_t n);

/* ---- series ------------------------------------------------------------------------------------------------------ */

/* Measurements: columns (observables) of samples in Markov time, from several replicas (independent chains of the same
 * ensemble), whose lengths may differ. Memory [column][replica][capacity]. */
typedef struct lft_series {
    int     columns, replicas;
    size_t  capacity;  /* samples per replica */
    size_t *length;    /* [replica] samples so far */
    double *data;
    double  window_factor; /* S of the automatic window, the assumed ratio of exponential and integrated autocorrelation
                              time; init sets 1.5 */
} lft_series;

/* Takes 8 columns replicas capacity bytes and a little from the arena. LFT_ERR_ARG, LFT_ERR_NOMEM. */
LFT_P_STATIC lft_status lft_series_init(lft_series *s, int columns, int replicas, size_t capacity, lft_arena *arena,
                                        lft_error *e);

/* Appends row[column] to a replica. LFT_ERR_ARG: no such replica; LFT_ERR_NOMEM: it is full, nothing was stored;
 * LFT_ERR_NONFINITE: a number of the row is NaN or infinite. That row is stored all the same, so that estimates say NaN
 * instead of silently leaving a sample out. O(columns). */
LFT_P_STATIC lft_status lft_series_add(lft_series *s, int replica, const double *row);

/* The samples of one column in one replica, s->length[replica] numbers. */
LFT_P_STATIC const double *lft_series_samples(const lft_series *s, int column, int replica);

/* Forgets all samples. */
LFT_P_STATIC void lft_series_clear(lft_series *s);

/* ---- 22_gamma.h, declarations ------------------------------------------------------------------------------------ */
/* 22_gamma.h: honest errors of correlated measurements, by the Gamma method.
 * Offers: lft_estimate, lft_doubt_str(), lft_gamma(), lft_gamma_of(), lft_ratio(). */

/* Reasons not to trust an estimate, as bits. */
#define LFT_P_DOUBT_LIST(X)                                                           \
    X(LFT_DOUBT_NONFINITE, 1, "not a finite number")                                  \
    X(LFT_DOUBT_FEW, 2, "fewer than 5 samples")                                       \
    X(LFT_DOUBT_CONSTANT, 4, "constant samples carry no error")                       \
    X(LFT_DOUBT_WINDOW, 8, "the window reached half of the samples")                  \
    X(LFT_DOUBT_LENGTH, 16, "fewer samples than 50 tau_int")                          \
    X(LFT_DOUBT_REPLICA, 32, "replicas too short for their own means")                \
    X(LFT_DOUBT_SPREAD, 64, "replicas disagree")

#define LFT_P_DOUBT_ENUM(name, bit, text) name = bit,
enum lft_doubt { LFT_DOUBT_NONE = 0, LFT_P_DOUBT_LIST(LFT_P_DOUBT_ENUM) LFT_P_DOUBT_END = 128 };
#undef LFT_P_DOUBT_ENUM

/* The first reason in words; "reliable" for none. Never NULL. */
LFT_P_STATIC const char *lft_doubt_str(int doubts);

/* value +- error, both in the observable's own units; tau_int in samples, 1/2 if they are independent.
 *   error_error, tau_int_error   statistical errors of error and tau_int
 *   spread     chi^2 per degree of freedom of the replicas' means about the common one; about 1, and 0 for one replica
 *   n          samples in all replicas
 *   window     the W up to which the autocorrelation was summed
 *   doubts     lft_doubt bits; reliable is doubts == 0. The numbers are given all the same
 * Doubts: a number that is not finite (then value or error is NaN); n < 5; a constant series (error 0, tau_int 1/2); a
 * window so long that fewer than half of the samples have a partner at W + 1; n < 50 tau_int; more than one replica and
 * (2W + 1) replicas > n / 10, for each replica's mean takes the fraction (2W + 1) replicas / n out of error^2; replica
 * means whose chi^2 is 4 sigma too large, for chains that sit in different modes look precise, each by itself. */
typedef struct lft_estimate {
    double value, error, error_error, tau_int, tau_int_error, spread;
    size_t n;
    int    window, reliable, doubts;
} lft_estimate;

/* The mean of one column and its error from the autocorrelation function, with N samples in R replicas:
 *   Gamma(t) = sum_r sum_i d_i d_(i+t) / sum_r max(N_r - t, 0), d about the replica's own mean
 *   tau(W)   = 1/2 + sum_(t=1..W) Gamma(t) / Gamma(0), not below 1/2
 *   W        the first with exp(-W / T) < T / sqrt(W N), T = S / ln[(2 tau + 1) / (2 tau - 1)]
 *   tau_int  = tau (1 + (2W + 1) / N) / (1 + 1/N);  error^2 = 2 tau_int Gamma(0) (1 + 1/N) / N
 *   error_error = error sqrt((W + 1/2) / N);  tau_int_error = 2 tau sqrt(|W + 1/2 - tau| / N)
 * If all replicas are constant but differ, e.g. with one sample each, the error is that of the mean of R numbers, and
 * tau_int stays 1/2. No such column, or no sample: n = 0 and NaN. O(N W).
 * Source: U. Wolff, hep-lat/0306017: window section 3.3, tau_int_error eq. 42, bias eq. 49; d as in pyerrors. */
LFT_P_STATIC lft_estimate lft_gamma(const lft_series *s, int column);

/* A function of the means of all columns; ctx is the caller's. */
typedef double (*lft_derived)(const double *mean, void *ctx);

/* f(means) with the error of d_i = sum_c (df/dmean_c)(a_ic - mean_c), otherwise as lft_gamma. For masses, cumulants,
 * correlation lengths. The gradient is by central differences with a quarter of the column's naive error as the step
 * (Wolff's choice), so f is called 1 + 2 columns times; it must be smooth on that scale.
 *
 * Reweighted observables: with columns w and w O (w = exp(logw - a constant of the size of the largest logw) for every
 * sample) lft_ratio gives <w O>/<w>, and the weight's own fluctuation is in the error.
 *
 * Scratch: lft_gamma_bytes(). Status through e (may be NULL): LFT_ERR_ARG without samples, LFT_ERR_NOMEM,
 * LFT_ERR_NONFINITE; the estimate then holds NaN and is not reliable. A value whose gradient alone is not finite
 * stands, with error NaN.
 * O(N (W + columns)). Source: as lft_gamma. */
LFT_P_STATIC lft_estimate lft_gamma_of(const lft_series *s, lft_derived f, void *ctx, lft_arena scratch, lft_error *e);

/* The scratch that lft_gamma_of needs for this series however full, the alignment of the arena's base included. */
LFT_P_STATIC size_t lft_gamma_bytes(const lft_series *s);

/* mean[1] / mean[0]; with ctx an int[2], mean[ctx[0]] / mean[ctx[1]]. */
LFT_P_STATIC double lft_ratio(const double *mean, void *ctx);

/* ---- 23_jackknife.h, declarations -------------------------------------------------------------------------------- */
/* 23_jackknife.h: errors by leaving out bins.
 * Offers: lft_jackknifed, lft_jackknife(). */

/* value = f(means); bias is the estimate of its O(1/N) bias, so value - bias is the corrected one; bins as used. */
typedef struct lft_jackknifed {
    double value, error, bias;
    size_t n;
    int    bins;
} lft_jackknifed;

/* f(means) with the error from leaving out one bin of consecutive samples at a time. About `bins` bins in all, of about
 * equal length, shared out over the replicas (at least one in each replica that has samples). No autocorrelation is
 * estimated: a bin must be much longer than tau_int, or the error is too small. For bins of equal length
 *   error^2 = (1 - 1/bins) sum_j (f_j - <f>)^2,  bias = (bins - 1)(<f> - f)
 * and unequal ones are weighted as in Busing, Meijer and van der Leeden, Stat. Comput. 9 (1999) 3.
 * Scratch: lft_jackknife_bytes(). Status through e: LFT_ERR_ARG (no samples, bins < 2, or fewer than 2 bins possible),
 * LFT_ERR_NOMEM, LFT_ERR_NONFINITE; what could not be computed is NaN. O(N columns). */
LFT_P_STATIC lft_jackknifed lft_jackknife(const lft_series *s, lft_derived f, void *ctx, int bins, lft_arena scratch,
                                          lft_error *e);
LFT_P_STATIC size_t lft_jackknife_bytes(const lft_series *s, int bins);

/* ---- 24_npy.h, declarations -------------------------------------------------------------------------------------- */
/* 24_npy.h: arrays for and from NumPy. Source: numpy.lib.format (NEP 1), format versions 1.0, 2.0 and 3.0.
 * Offers: lft_npy, lft_npy_write_header(), lft_npy_write(), lft_npy_write_f32(), lft_npy_read_header(), lft_npy_read().
 *
 * A file is a header with element type and shape, then the elements in C order (last index fastest). Values pass
 * through a small buffer on the stack: an array may be larger than the memory, and be written and read in pieces. */

/* What a header says. Fill it with lft_npy_read_header(). */
typedef struct lft_npy {
    lft_dtype dtype;
    int       big_endian, rank;
    uint64_t  shape[8]; /* [rank] */
    uint64_t  count;    /* numbers in all: a complex element counts as two, real part first; rank 0 has one element */
} lft_npy;

/* Writes a header of version 1.0, little-endian and padded to a multiple of 64 bytes. 0 <= rank <= 8.
 * LFT_ERR_ARG: no such dtype or rank, or more than 2^64 bytes of data; LFT_ERR_IO. O(1). */
LFT_P_STATIC lft_status lft_npy_write_header(lft_writer to, lft_dtype dtype, int rank, const uint64_t *shape,
                                             lft_error *error);

/* Writes the next n numbers, converted to the dtype. Calls may follow each other; together they must write what the
 * header announced, which the caller sees to. Infinity and NaN pass in the real and complex types.
 * LFT_ERR_ARG: a value that an integer type or a float cannot hold (those before it may have been written); LFT_ERR_IO.
 * O(n). */
LFT_P_STATIC lft_status lft_npy_write(lft_writer to, lft_dtype dtype, const double *value, size_t n, lft_error *error);
LFT_P_STATIC lft_status lft_npy_write_f32(lft_writer to, lft_dtype dtype, const float *value, size_t n,
                                          lft_error *error);

/* Reads a header and leaves the reader at the first element. Keys come in any order, both byte orders are read.
 * LFT_ERR_FORMAT: no npy file, Fortran order, another element type, rank above 8, or more than 2^64 bytes of data;
 * LFT_ERR_IO: the data end early. After a failure *npy is all zero. O(length of the header), no memory. */
LFT_P_STATIC lft_status lft_npy_read_header(lft_reader from, lft_npy *npy, lft_error *error);

/* Reads the next n numbers as doubles (integers beyond 2^53 are rounded). n <= npy->count; the caller adds up pieces.
 * What follows the array is left alone: a file may hold several.
 * LFT_ERR_ARG: n too large; LFT_ERR_IO: the data end early, byte offsets count from the start of this piece. O(n). */
LFT_P_STATIC lft_status lft_npy_read(lft_reader from, const lft_npy *npy, double *out, size_t n, lft_error *error);

/* ---- 25_safetensors.h, declarations ------------------------------------------------------------------------------ */
/* 25_safetensors.h: models, as named tensors with metadata. Source: github.com/huggingface/safetensors, README.
 * Offers: lft_tensor, lft_text_pair, lft_safetensors, lft_safetensors_save(), lft_safetensors_load(),
 *         lft_safetensors_find(), lft_safetensors_meta(), lft_tensor_count(), lft_tensor_get(), lft_tensor_get_u64().
 *
 * A file is a length N (8 bytes, little-endian), N bytes of JSON, and a buffer that the tensors fill without a hole. */

/* Text that belongs to a key; both in UTF-8. */
typedef struct lft_text_pair {
    const char *key, *value;
} lft_text_pair;

/* A tensor in C order. The data are numbers as this machine holds them, but those of a loaded tensor may lie at any
 * address (the format does not align them): read them with lft_tensor_get(), or copy them as bytes. */
typedef struct lft_tensor {
    const char *name;
    lft_dtype   dtype;
    int         rank;     /* 0 (one element) to 8 */
    uint64_t    shape[8]; /* [rank] */
    const void *data;
    size_t      bytes;
} lft_tensor;

/* A loaded file. Everything lies in the arena. */
typedef struct lft_safetensors {
    const lft_tensor    *tensor; /* [tensors] in the order of their data */
    const lft_text_pair *meta;   /* [metas] in the order of their keys */
    int                  tensors, metas;
} lft_safetensors;

/* Writes n tensors, in this order, and nmeta pairs of metadata; meta may be NULL if nmeta is 0. Needs no memory. To
 * keep the data of every tensor aligned for other readers, put those with the larger elements first.
 * LFT_ERR_ARG: a name, key or value that is no UTF-8, a name or key that is there twice, a dtype that the format does
 * not have (C128), a rank above 8, bytes that are not those of the shape, a header above 100 MB; LFT_ERR_IO.
 * O(bytes + n^2 + nmeta^2); the squares are comparisons of names. */
LFT_P_STATIC lft_status lft_safetensors_save(lft_writer to, const lft_tensor *tensor, int n, const lft_text_pair *meta,
                                             int nmeta, lft_error *error);

/* Reads a file to its end. Refused is whatever the format forbids (duplicate names, holes, overlaps, data that do not
 * fit the shape, bytes after the data), and also what this library cannot hold: other dtypes, rank above 8, texts with
 * a zero byte, and in the header of a tensor any key but dtype, shape and data_offsets.
 * With an arena that measures, or is too small, arena->need becomes exactly what the file takes; the data are then not
 * read, and the measuring call returns LFT_OK with an empty doc. Other failures leave the arena as it was.
 * LFT_ERR_FORMAT: see above; LFT_ERR_IO: the file ends early; LFT_ERR_NOMEM. Time O(bytes + n log n); memory: header
 * and data as they are in the file, and sizeof(lft_tensor) or (lft_text_pair) per entry. */
LFT_P_STATIC lft_status lft_safetensors_load(lft_reader from, lft_arena *arena, lft_safetensors *doc,
                                             lft_error *error);

/* The tensor of that name, or NULL. O(tensors). */
LFT_P_STATIC const lft_tensor *lft_safetensors_find(const lft_safetensors *doc, const char *name);

/* The value of that key of the metadata, or NULL. O(metas). */
LFT_P_STATIC const char *lft_safetensors_meta(const lft_safetensors *doc, const char *key);

/* How many numbers the tensor holds; a complex element counts as two. O(1). */
LFT_P_STATIC size_t lft_tensor_count(const lft_tensor *tensor);

/* Number i; integers beyond 2^53 are rounded. NaN if there is no number i. O(1). */
LFT_P_STATIC double lft_tensor_get(const lft_tensor *tensor, size_t i);

/* Integer i exactly: seeds and counters. 0 if it is negative, not there, or the dtype is no integer type. O(1). */
LFT_P_STATIC uint64_t lft_tensor_get_u64(const lft_tensor *tensor, size_t i);

/* ---- 26_links.h, declarations ------------------------------------------------------------------------------------ */
/* 26_links.h: what the rooms of the gauge file formats share: what a file says, and its links one by one.
 * Offers: lft_gauge_format, lft_gauge_format_str(), lft_gauge_facts, lft_gauge_file, lft_gauge_hint, lft_gauge_put,
 *         lft_gauge_get; private: lft_p_links, a payload on its way between its bytes and the caller.
 *
 * Axes and directions are in this library's order, t, z, y, x: axis 0 is time and the last is x. Files count x first, and
 * let x run fastest: so a file's direction k is our dim - 1 - k, and its sites come in row-major order of our coordinates.
 * Matrices are row-major, each entry two numbers, real part first: u[2 * (N * row + column) + part]. */

/* value, name */
#define LFT_P_GAUGE_FORMAT_LIST(X)                                           \
    X(LFT_NERSC, "NERSC")     /* a text header, then the links */            \
    X(LFT_ILDG, "ILDG")       /* records of LIME; four dimensions only */    \
    X(LFT_OPENQCD, "openQCD") /* its export format, SU(3); only to be read */

#define LFT_P_GAUGE_FORMAT_ENUM(code, name) code,
typedef enum lft_gauge_format {
    LFT_GAUGE_NONE,
    LFT_P_GAUGE_FORMAT_LIST(LFT_P_GAUGE_FORMAT_ENUM) LFT_P_GAUGE_FORMAT_COUNT
} lft_gauge_format;
#undef LFT_P_GAUGE_FORMAT_ENUM

/* "NERSC" and so on; "none" for a value that is none of the enum's. Never NULL. */
LFT_P_STATIC const char *lft_gauge_format_str(lft_gauge_format format);

/* Numbers by which a configuration is recognised. Re tr P / N over all plaquettes and Re tr U / N over all links are 1 at
 * unity. checksum: NERSC has one (the second is 0), ILDG the two of its scidac-checksum record, openQCD none. */
typedef struct lft_gauge_facts {
    int      has_plaquette, has_link_trace, has_checksum; /* 1: the number is there */
    double   plaquette, link_trace;
    uint32_t checksum[2];
} lft_gauge_facts;

/* A file of one configuration. lft_gauge_read_header() fills it, lft_gauge_read_links() adds what was found in the links.
 * For lft_gauge_write() clear it and set format, dim, extent, colours, and dtype and rows if the defaults do not suit. */
typedef struct lft_gauge_file {
    lft_gauge_format format;
    int              dim, extent[LFT_MAX_DIM]; /* 2 to 4; at most 2^24 sites in all */
    int              colours;                  /* N, the size of the matrices: 1 is U(1); at most 8 */
    int              rows;                     /* of each matrix in the file: N, or 2 of 3; 0 when writing: N */
    lft_dtype        dtype;                    /* of the numbers in the file: F64 or F32; none when writing: F64 */
    int              big_endian;               /* -1: the header does not say, the first links will show it. Written is 1 */
    lft_gauge_facts  stated;                   /* what the file says */
    lft_gauge_facts  found;                    /* what its links gave (but no plaquette), when all have been read */
    double           unitarity;                /* and the largest entry of |U U^+ - 1| */
    lft_reader       from;                     /* private, as are the next two: where the links begin */
    uint64_t         at;
    int              ready;
} lft_gauge_file;

/* What the caller knows about a file that may not say it: an ILDG file without its ildg-format record. 0 is not known. The
 * extents are needed then; colours and dtype follow from the length of the data. */
typedef struct lft_gauge_hint {
    int       extent[LFT_MAX_DIM]; /* t, z, y, x */
    int       colours;
    lft_dtype dtype;
} lft_gauge_hint;

/* Called with each link of a file: u[2 N N] is the matrix at x (beyond dim: 0) in direction mu. Any value but 0 ends the
 * reading, which then returns this value. */
typedef int (*lft_gauge_put)(void *user, const int x[LFT_MAX_DIM], int mu, const double *u);

/* Asked for a link: sets u[2 N N] and returns 0; any other value ends the writing, which then returns this value. */
typedef int (*lft_gauge_get)(void *user, const int x[LFT_MAX_DIM], int mu, double *u);

/* ---- 29_gauge_file.h, declarations ------------------------------------------------------------------------------- */
/* 29_gauge_file.h: gauge configurations from and to the files of other codes: NERSC archive, ILDG, and from openQCD's export.
 * Offers: lft_gauge_read_header(), lft_gauge_read_links(), lft_gauge_write(). The types are in 26_links.h.
 *
 * Links are handed over and asked for one by one, in double, through a callback: these functions need no memory but the
 * stack (12 kB at most), and know nothing of how the caller stores a field. Headers are believed only as far as the data
 * bear them out: checksums are compared, links have to be finite, and nothing may be missing or left over. Whether the
 * plaquette that a file states is that of its links, the caller finds out. */

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

/* ---- 00_config.h, code ------------------------------------------------------------------------------------------- */

static inline int lft_finite(double x)
{
    uint64_t bits;
    lft_p_copy(&bits, &x, sizeof bits);
    return (bits >> 52 & 0x7ff) != 0x7ff;
}

/* ---- 01_status.h, code ------------------------------------------------------------------------------------------- */

LFT_P_STATIC const char *lft_status_str(lft_status s)
{
#define LFT_P_STATUS_TEXT(code, text) text,
    static const char *const text[] = {LFT_P_STATUS_LIST(LFT_P_STATUS_TEXT) "unknown status"};
#undef LFT_P_STATUS_TEXT
    return text[(unsigned)s < LFT_P_STATUS_COUNT ? (unsigned)s : (unsigned)LFT_P_STATUS_COUNT];
}

/* Text grows in a fixed buffer and is cut at its end: a message must never fail. */
typedef struct lft_p_text {
    char  *data;
    size_t used, size;
} lft_p_text;

LFT_P_NOINLINE void lft_p_put(lft_p_text *t, const char *s)
{
    for (; *s && t->used + 1 < t->size; ++s) t->data[t->used++] = *s;
    if (t->size) t->data[t->used] = 0;
}

LFT_P_NOINLINE void lft_p_put_u64(lft_p_text *t, uint64_t v)
{
    char  digits[21];
    char *p = digits + 20;
    *p      = 0;
    do {
        *--p = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v);
    lft_p_put(t, p);
}

/* Integers up to 2^53 exactly, the rest with six digits and an exponent: for messages, not for data. */
LFT_P_NOINLINE void lft_p_put_f64(lft_p_text *t, double v)
{
    int e = 0;
    if (!lft_finite(v)) {
        lft_p_put(t, "a non-finite number");
        return;
    }
    if (v < 0) {
        lft_p_put(t, "-");
        v = -v;
    }
    if (v < 9007199254740992.0 && (double)(uint64_t)v == v) {
        lft_p_put_u64(t, (uint64_t)v);
        return;
    }
    while (v >= 10) v /= 10, ++e;
    while (v < 1) v *= 10, --e;
    {
        uint64_t six = (uint64_t)(v * 1e6 + 0.5);
        char     digits[9];
        int      i;
        for (i = 7; i >= 0; --i) {
            if (i == 1) digits[i] = '.';
            else {
                digits[i] = (char)('0' + (int)(six % 10));
                six /= 10;
            }
        }
        if (six) e += 1, digits[0] = '1'; /* 9.999999 rounds up to 10.0000 */
        for (i = 7; i > 2 && digits[i - 1] == '0'; --i) digits[i - 1] = 0;
        digits[7] = 0;
        lft_p_put(t, digits);
    }
    if (e) {
        lft_p_put(t, e < 0 ? "e-" : "e+");
        lft_p_put_u64(t, (uint64_t)(e < 0 ? -e : e));
    }
}

LFT_P_NOINLINE lft_p_text lft_p_error_text(lft_error *e, lft_status code, const char *where, const char *what)
{
    lft_p_text t = {0, 0, 0};
    if (!e) return t;
    e->code = code;
    t.data  = e->text;
    t.size  = sizeof e->text;
    lft_p_put(&t, where);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return t;
}

/* "where: what" */
LFT_P_NOINLINE lft_status lft_p_fail(lft_error *e, lft_status code, const char *where, const char *what)
{
    (void)lft_p_error_text(e, code, where, what);
    return code;
}

/* "where: what: expected ..., got <number>" */
LFT_P_NOINLINE lft_status lft_p_fail_got(lft_error *e, lft_status code, const char *where, const char *what,
                                        const char *expected, double got)
{
    lft_p_text t = lft_p_error_text(e, code, where, what);
    lft_p_put(&t, ": expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_f64(&t, got);
    return code;
}

/* "where: what: expected ..., got <text>" */
LFT_P_NOINLINE lft_status lft_p_fail_text(lft_error *e, lft_status code, const char *where, const char *what,
                                         const char *expected, const char *got)
{
    lft_p_text t = lft_p_error_text(e, code, where, what);
    lft_p_put(&t, ": expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put(&t, got);
    return code;
}

/* ---- 02_arena.h, code -------------------------------------------------------------------------------------------- */

LFT_P_STATIC lft_arena lft_arena_of(void *memory, size_t bytes)
{
    lft_arena a;
    a.base = (unsigned char *)memory;
    a.size = bytes;
    a.need = memory ? (size_t)(0 - (uintptr_t)memory) % LFT_P_ALIGN : LFT_P_ALIGN - 1;
    return a;
}

LFT_P_STATIC lft_arena lft_arena_measure(void)
{
    return lft_arena_of(NULL, 0);
}

LFT_P_STATIC int lft_arena_measuring(const lft_arena *a)
{
    return a->base == NULL;
}

LFT_P_STATIC void *lft_arena_take(lft_arena *a, size_t n, size_t element)
{
    const size_t most = SIZE_MAX / 4;
    size_t       at   = a->need;
    if (n > most / element || at > most) { /* saturate: a need that no machine has, instead of a wrapped sum */
        a->need = most;
        return NULL;
    }
    a->need = at + (n * element + LFT_P_ALIGN - 1) / LFT_P_ALIGN * LFT_P_ALIGN;
    return a->base && a->need <= a->size ? a->base + at : NULL;
}

LFT_P_STATIC void *lft_arena_alloc(lft_arena *a, size_t n, size_t element)
{
    void *p = lft_arena_take(a, n, element);
    if (p) lft_p_zero(p, n * element);
    return p;
}

LFT_P_STATIC size_t lft_p_arena_bytes(size_t bytes)
{
    lft_arena measure = lft_arena_measure();
    (void)lft_arena_take(&measure, 1, bytes);
    return measure.need;
}

LFT_P_STATIC lft_status lft_arena_check(const lft_arena *a, lft_error *e, const char *where)
{
    lft_p_text t;
    if (!a->base || a->need <= a->size) return LFT_OK;
    t = lft_p_error_text(e, LFT_ERR_NOMEM, where, "arena: needs ");
    lft_p_put_u64(&t, a->need);
    lft_p_put(&t, " bytes, has ");
    lft_p_put_u64(&t, a->size);
    return LFT_ERR_NOMEM;
}

/* ---- 03_stream.h, code ------------------------------------------------------------------------------------------- */

LFT_P_STATIC size_t lft_p_memory_read(void *user, void *data, size_t n)
{
    lft_memory *m    = (lft_memory *)user;
    size_t      left = m->size - m->at;
    if (n > left) n = left;
    if (n) lft_p_copy(data, m->in + m->at, n);
    m->at += n;
    return n;
}

LFT_P_STATIC size_t lft_p_memory_write(void *user, const void *data, size_t n)
{
    lft_memory *m = (lft_memory *)user;
    if (n > m->size - m->at) return 0;
    if (n) lft_p_copy(m->out + m->at, data, n);
    m->at += n;
    return n;
}

LFT_P_STATIC lft_reader lft_memory_reader(lft_memory *memory, const void *data, size_t size)
{
    lft_reader r;
    memory->in   = (const unsigned char *)data;
    memory->out  = NULL;
    memory->size = size;
    memory->at   = 0;
    r.read       = lft_p_memory_read;
    r.user       = memory;
    return r;
}

LFT_P_STATIC lft_writer lft_memory_writer(lft_memory *memory, void *data, size_t size)
{
    lft_writer w;
    memory->in   = NULL;
    memory->out  = (unsigned char *)data;
    memory->size = size;
    memory->at   = 0;
    w.write      = lft_p_memory_write;
    w.user       = memory;
    return w;
}

/* ---- element types and the bytes of numbers ---- */

typedef struct lft_p_dtype {
    char          name[5], kind; /* kind: f, c, u, i as in npy */
    unsigned char bytes, part;
} lft_p_dtype;

LFT_P_STATIC const lft_p_dtype *lft_p_dtype_of(lft_dtype dtype)
{
#define LFT_P_DTYPE_ROW(code, name, kind, bytes, part) {name, kind, bytes, part},
    static const lft_p_dtype row[] = {{"none", '?', 0, 0}, LFT_P_DTYPE_LIST(LFT_P_DTYPE_ROW)};
#undef LFT_P_DTYPE_ROW
    return row + ((unsigned)dtype < LFT_P_DTYPE_COUNT ? (unsigned)dtype : 0u);
}

LFT_P_STATIC size_t lft_dtype_bytes(lft_dtype dtype)
{
    return lft_p_dtype_of(dtype)->bytes;
}

LFT_P_STATIC const char *lft_dtype_str(lft_dtype dtype)
{
    return lft_p_dtype_of(dtype)->name;
}

/* *product = factor * shape[0] * ... in 64 bits; 0 if that overflows. */
LFT_P_STATIC int lft_p_product(int rank, const uint64_t *shape, uint64_t factor, uint64_t *product)
{
    int i;
    for (i = 0; i < rank; ++i) {
        if (shape[i] && factor > UINT64_MAX / shape[i]) return 0;
        factor *= shape[i];
    }
    *product = factor;
    return 1;
}

/* n <= 8 bytes of a file, whatever the byte order of the machine. (gcc 12 -O3 does not see that n is never more, and
 * warns of an overflow: hence the second bound.) */
LFT_P_STATIC uint64_t lft_p_file_get(const unsigned char *p, size_t n, int big_endian)
{
    uint64_t v = 0;
    size_t   i;
    for (i = 0; i < n; ++i) v |= (uint64_t)p[i] << 8 * (big_endian ? n - 1 - i : i);
    return v;
}

LFT_P_STATIC void lft_p_file_put(unsigned char *p, size_t n, uint64_t v)
{
    size_t i;
    for (i = 0; i < n && i < 8; ++i) p[i] = (unsigned char)(v >> 8 * i & 0xff);
}

/* The same for a number of 1, 4 or 8 bytes as the machine holds it; p needs no alignment. */
LFT_P_STATIC uint64_t lft_p_host_get(const void *p, size_t n)
{
    uint64_t      v8;
    uint32_t      v4;
    unsigned char v1;
    if (n == 8) {
        lft_p_copy(&v8, p, 8);
        return v8;
    }
    if (n == 4) {
        lft_p_copy(&v4, p, 4);
        return v4;
    }
    lft_p_copy(&v1, p, 1);
    return v1;
}

LFT_P_STATIC void lft_p_host_put(void *p, size_t n, uint64_t v)
{
    const uint32_t      v4 = (uint32_t)(v & 0xffffffffu);
    const unsigned char v1 = (unsigned char)(v & 0xff);
    if (n == 8) lft_p_copy(p, &v, 8);
    else if (n == 4) lft_p_copy(p, &v4, 4);
    else lft_p_copy(p, &v1, 1);
}

/* The number whose bits these are; integers beyond 2^53 are rounded. */
LFT_P_STATIC double lft_p_number_of(lft_dtype dtype, uint64_t bits)
{
    const lft_p_dtype *d = lft_p_dtype_of(dtype);
    double             x;
    float              f;
    uint32_t           half = (uint32_t)(bits & 0xffffffffu);
    if (d->kind == 'u') return (double)bits;
    if (d->kind == 'i') {
        if (d->part == 4 && half >> 31) bits |= (uint64_t)0xffffffffu << 32;
        return bits >> 63 ? -(double)(0 - bits) : (double)bits;
    }
    if (d->part == 4) {
        lft_p_copy(&f, &half, 4);
        return (double)f;
    }
    lft_p_copy(&x, &bits, 8);
    return x;
}

/* The bits of x as that type; 0 if it cannot hold x: a fraction in an integer, or beyond the range. */
LFT_P_STATIC int lft_p_number_bits(lft_dtype dtype, double x, uint64_t *bits)
{
    const lft_p_dtype *d    = lft_p_dtype_of(dtype);
    const double       most = 3.4028234663852886e38, size = x < 0 ? -x : x;
    if (d->kind == 'u' || d->kind == 'i') {
        uint64_t u, limit = (uint64_t)1 << (8 * d->part - 1);
        if (!lft_finite(x) || size >= 18446744073709551616.0) return 0;
        u     = (uint64_t)size;
        *bits = x < 0 ? 0 - u : u;
        if ((double)u != size) return 0;
        if (d->kind == 'u') return (x >= 0 || u == 0) && u / 2 < limit;
        return x < 0 ? u <= limit : u < limit;
    }
    if (d->part == 4) {
        float    f;
        uint32_t half;
        if (lft_finite(x) && size > most) return 0;
        f = (float)x;
        lft_p_copy(&half, &f, 4);
        *bits = half;
        return 1;
    }
    lft_p_copy(bits, &x, 8);
    return 1;
}

/* ---- 04_pool.h, code --------------------------------------------------------------------------------------------- */

LFT_P_STATIC int lft_p_pool_threads(const lft_pool *pool)
{
    return pool->run && pool->threads > 1 ? pool->threads : 1;
}

LFT_P_STATIC void lft_p_pool_run(const lft_pool *pool, int tasks, lft_task task, void *context)
{
    int i;
    if (lft_p_pool_threads(pool) > 1) {
        pool->run(pool->user, tasks, task, context);
        return;
    }
    for (i = 0; i < tasks; ++i) task(context, i, 0);
}

#ifdef _OPENMP
#include <omp.h>
LFT_P_STATIC void lft_p_openmp_run(void *user, int tasks, lft_task task, void *context)
{
    int i, threads = (int)(intptr_t)user;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (i = 0; i < tasks; ++i) task(context, i, omp_get_thread_num());
}
#endif

LFT_P_STATIC lft_pool lft_pool_openmp(int threads)
{
    lft_pool pool = {0, 0, 0};
#ifdef _OPENMP
    pool.run     = lft_p_openmp_run;
    pool.user    = (void *)(intptr_t)threads;
    pool.threads = threads;
#else
    (void)threads;
#endif
    return pool;
}

/* ---- 05_text.h, code --------------------------------------------------------------------------------------------- */
/* 05_text.h: text and numbers in files: what the rooms of the formats share. Nothing in it trusts its input.
 * Offers (private): lft_p_source, a text being parsed; lft_p_sink, one being written; JSON strings; numbers as bytes. */

/* ---- reading: a failure sticks, and the text is then at its end, so that parsers need not ask after each step ---- */

/* The small steps are kept out of line: inlined, they made 64 instead of 37 kB of the format rooms (gcc 12 -O2). */

/* A text of known length in a file, looked at one character ahead: a window that is refilled from the reader, or, with
 * left = 0, all of it in memory. Nothing beyond the text is read. */
typedef struct lft_p_source {
    lft_reader     from;
    const char    *where; /* for messages */
    lft_error     *error;
    lft_status     status; /* the first failure */
    unsigned char *data;
    size_t         size, held, used; /* of the window; bytes in it; those consumed */
    uint64_t       at, left;         /* place in the file of the next byte; bytes of the text beyond the window */
    int            decode;           /* all of the text is in data, and strings are decoded where they stand */
} lft_p_source;

LFT_P_STATIC void lft_p_source_open(lft_p_source *s, lft_reader from, const char *where, lft_error *error)
{
    lft_p_zero(s, sizeof *s);
    s->from  = from;
    s->where = where;
    s->error = error;
}

/* 'text' for a message: cut, and without the control characters that would confuse a terminal. */
LFT_P_NOINLINE void lft_p_put_quoted(lft_p_text *t, const char *s)
{
    char c[2] = {0, 0};
    int  n;
    lft_p_put(t, "'");
    for (n = 0; s[n] && n < 40; ++n) {
        c[0] = s[n] >= 32 && s[n] < 127 ? s[n] : '?';
        lft_p_put(t, c);
    }
    lft_p_put(t, s[n] ? "...'" : "'");
}

/* "where: byte 12: what", to be continued; nothing if something has failed before. */
LFT_P_NOINLINE lft_p_text lft_p_bad(lft_p_source *s, lft_status code, uint64_t at, const char *what)
{
    lft_p_text t = {0, 0, 0};
    if (s->status) return t;
    s->status = code;
    t         = lft_p_error_text(s->error, code, s->where, "byte ");
    lft_p_put_u64(&t, at);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return t;
}

/* Exactly n bytes from the reader; 0 if it has fewer. */
LFT_P_NOINLINE int lft_p_fetch(lft_p_source *s, void *data, size_t n)
{
    size_t     got = n && !s->status ? s->from.read(s->from.user, data, n) : 0;
    lft_p_text t;
    if (s->status || got == n) return !s->status;
    t = lft_p_bad(s, LFT_ERR_IO, s->at, "the data end early: expected ");
    lft_p_put_u64(&t, n);
    lft_p_put(&t, " more bytes, got ");
    lft_p_put_u64(&t, got);
    return 0;
}

/* The same, past the bytes: for what is no text. */
LFT_P_STATIC int lft_p_take(lft_p_source *s, void *data, size_t n)
{
    int ok = lft_p_fetch(s, data, n);
    if (ok) s->at += n;
    return ok;
}

/* The next character, or -1 at the end of the text. */
LFT_P_NOINLINE int lft_p_peek(lft_p_source *s)
{
    if (s->status) return -1;
    if (s->used == s->held) {
        size_t n = s->left < s->size ? (size_t)s->left : s->size;
        if (!n || !lft_p_fetch(s, s->data, n)) return -1;
        s->held = n;
        s->used = 0;
        s->left -= n;
    }
    return s->data[s->used];
}

/* Past the character that lft_p_peek() has shown. */
LFT_P_STATIC void lft_p_skip(lft_p_source *s)
{
    s->used += 1;
    s->at += 1;
}

/* "where: byte 12: expected ..., got ..." about the next character. */
LFT_P_NOINLINE void lft_p_unexpected(lft_p_source *s, const char *expected)
{
    int        c = lft_p_peek(s);
    lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected ");
    char       text[2];
    text[0] = (char)(c < 0 ? 0 : c);
    text[1] = 0;
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    if (c < 0) lft_p_put(&t, "the end of the header");
    else if (c >= 32 && c < 127) lft_p_put_quoted(&t, text);
    else {
        lft_p_put(&t, "byte ");
        lft_p_put_u64(&t, (uint64_t)c);
    }
}

LFT_P_NOINLINE void lft_p_skip_space(lft_p_source *s)
{
    int c;
    for (c = lft_p_peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = lft_p_peek(s)) lft_p_skip(s);
}

/* Where the next thing begins. */
LFT_P_STATIC uint64_t lft_p_place(lft_p_source *s)
{
    lft_p_skip_space(s);
    return s->at;
}

/* 1, and past it, if c is the next character after white space. */
LFT_P_STATIC int lft_p_accept(lft_p_source *s, int c)
{
    lft_p_skip_space(s);
    if (lft_p_peek(s) != c) return 0;
    lft_p_skip(s);
    return 1;
}

LFT_P_STATIC int lft_p_want(lft_p_source *s, int c, const char *expected)
{
    int ok = lft_p_accept(s, c);
    if (!ok) lft_p_unexpected(s, expected);
    return ok;
}

/* The end of the text but for white space. */
LFT_P_STATIC void lft_p_want_end(lft_p_source *s)
{
    lft_p_skip_space(s);
    if (lft_p_peek(s) >= 0) lft_p_unexpected(s, "nothing but padding");
}

/* Appends a decimal digit; 0 if c is none or the number leaves 64 bits. */
LFT_P_STATIC int lft_p_digit(uint64_t *v, int c)
{
    uint64_t d = (uint64_t)(c - '0');
    if (c < '0' || c > '9' || *v > (UINT64_MAX - d) / 10) return 0;
    *v = *v * 10 + d;
    return 1;
}

/* 1 if all of text is a decimal integer below 2^64, as lft_p_put_u64() writes it. */
LFT_P_STATIC int lft_p_parse_u64(const char *text, uint64_t *v)
{
    *v = 0;
    if (!*text) return 0;
    for (; *text; ++text) {
        if (!lft_p_digit(v, *text)) return 0;
    }
    return 1;
}

/* An integer >= 0 without sign, fraction, exponent or leading zeros: all that JSON and Python agree on. */
LFT_P_STATIC uint64_t lft_p_integer(lft_p_source *s)
{
    uint64_t v = 0;
    int      first, c;
    lft_p_skip_space(s);
    first = c = lft_p_peek(s);
    if (!lft_p_digit(&v, c)) lft_p_unexpected(s, "an integer >= 0");
    while (c >= '0' && c <= '9') {
        lft_p_skip(s);
        c = lft_p_peek(s);
        if (c < '0' || c > '9') break;
        if (first == '0') lft_p_unexpected(s, "no digit after a leading 0");
        else if (!lft_p_digit(&v, c)) lft_p_unexpected(s, "an integer below 2^64");
        if (s->status) break;
    }
    return v;
}

/* Follows a text byte by byte: left is the number of bytes that the present character still needs, the next of them
 * from lo to hi. Overlong forms, surrogates and code points beyond 10ffff are refused. */
typedef struct lft_p_utf8 {
    int left, lo, hi;
} lft_p_utf8;

/* 1 if c may come next. */
LFT_P_STATIC int lft_p_utf8_next(lft_p_utf8 *u, int c)
{
    int ok = u->left ? c >= u->lo && c <= u->hi : c < 0x80 || (c >= 0xc2 && c <= 0xf4);
    u->lo  = 0x80;
    u->hi  = 0xbf;
    if (u->left) u->left -= 1;
    else {
        u->left = (c >= 0xc2) + (c >= 0xe0) + (c >= 0xf0);
        if (c == 0xe0) u->lo = 0xa0;
        if (c == 0xed) u->hi = 0x9f;
        if (c == 0xf0) u->lo = 0x90;
        if (c == 0xf4) u->hi = 0x8f;
    }
    return ok;
}

LFT_P_STATIC int lft_p_utf8_valid(const char *s)
{
    lft_p_utf8 u = {0, 0, 0};
    for (; *s; ++s) {
        if (!lft_p_utf8_next(&u, (unsigned char)*s)) return 0;
    }
    return u.left == 0;
}

/* The code point as UTF-8; returns its length. */
LFT_P_STATIC size_t lft_p_utf8_put(uint32_t code, char out[4])
{
    const size_t n = (size_t)1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    size_t       i;
    for (i = n - 1; i > 0; --i) {
        out[i] = (char)(unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(unsigned char)(n == 1 ? code : code | (0xf00u >> n & 0xf0));
    return n;
}

/* u and the four hexadecimal digits of a code unit. */
LFT_P_STATIC uint32_t lft_p_unit(lft_p_source *s)
{
    uint32_t v = 0;
    int      i;
    if (lft_p_peek(s) != 'u') lft_p_unexpected(s, "'u' of an escape");
    else lft_p_skip(s);
    for (i = 0; i < 4 && !s->status; ++i) {
        const int c = lft_p_peek(s), letter = c | 32;
        if (c >= '0' && c <= '9') v = v * 16 + (uint32_t)(c - '0');
        else if (c > 0 && letter >= 'a' && letter <= 'f') v = v * 16 + (uint32_t)(letter - 'a') + 10;
        else lft_p_unexpected(s, "four hexadecimal digits");
        if (!s->status) lft_p_skip(s);
    }
    return v;
}

/* What follows a backslash. A zero byte would end the text early, half a surrogate pair is no character. */
LFT_P_STATIC uint32_t lft_p_escape(lft_p_source *s)
{
    static const char letter[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
    const uint64_t    at = s->at;
    uint32_t          code, low = 0xdc00;
    int               i;
    for (i = 0; i < 8; ++i) {
        if (lft_p_peek(s) == letter[i]) {
            lft_p_skip(s);
            return (uint32_t)meaning[i];
        }
    }
    code = lft_p_unit(s);
    if (code >= 0xd800 && code < 0xdc00) {
        if (lft_p_peek(s) != '\\') lft_p_unexpected(s, "the second half of a surrogate pair");
        else lft_p_skip(s);
        low  = lft_p_unit(s);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) low = 0;
    if (code == 0 || low < 0xdc00 || low > 0xdfff) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, at, "expected a character, got \\u0000 or half a surrogate pair");
    }
    return code;
}

/* A string between double quotes (JSON) or also the other kind (Python). With s->decode it is decoded where it stands,
 * which it never outgrows; else into brief and cut to its size, which no word that matters reaches. A failure gives
 * "". */
LFT_P_STATIC const char *lft_p_string(lft_p_source *s, int other_quote, char brief[48])
{
    lft_p_utf8 u    = {0, 0, 0};
    size_t     used = 0, i, n;
    char      *out  = brief, text[4];
    int        quote, c;
    lft_p_skip_space(s);
    quote = lft_p_peek(s);
    if (quote != '"' && quote != other_quote) lft_p_unexpected(s, "a string");
    else lft_p_skip(s);
    if (s->decode) out = (char *)s->data + s->used;
    while (!s->status) {
        c = lft_p_peek(s);
        if (c < 32) lft_p_unexpected(s, "a character of a string");
        else if (!lft_p_utf8_next(&u, c)) lft_p_unexpected(s, "UTF-8");
        if (s->status) break;
        lft_p_skip(s);
        if (c == quote) {
            out[used] = 0;
            return out;
        }
        text[0] = (char)(unsigned char)c;
        n       = c == '\\' ? lft_p_utf8_put(lft_p_escape(s), text) : 1;
        for (i = 0; i < n && (s->decode || used < 47); ++i) out[used++] = text[i];
    }
    return "";
}

/* The text from p to end, which may be written to, without the white space around it. */
LFT_P_NOINLINE const char *lft_p_trim(char *p, char *end)
{
    while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n' || end[-1] == '\r')) --end;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) ++p;
    *end = 0;
    return p;
}

/* < 0, 0, > 0 as a sorts before b, is b, sorts after b. */
LFT_P_STATIC int lft_p_order(const char *a, const char *b)
{
    while (*a && *a == *b) ++a, ++b;
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

/* One of three keys, each to be seen once, and the colon after it; 3 after a failure. */
LFT_P_STATIC int lft_p_key(lft_p_source *s, int other_quote, const char *const key[3], unsigned *seen)
{
    const uint64_t at = lft_p_place(s);
    char           brief[48];
    const char    *word = lft_p_string(s, other_quote, brief);
    lft_p_text     t;
    int            k;
    for (k = 0; k < 3 && lft_p_order(word, key[k]); ++k) {}
    if (k < 3 && !(*seen >> k & 1)) {
        *seen |= 1u << k;
        return lft_p_want(s, ':', "':'") ? k : 3;
    }
    t = lft_p_bad(s, LFT_ERR_FORMAT, at, "expected the keys");
    for (k = 0; k < 3; ++k) {
        lft_p_put(&t, k ? ", " : " ");
        lft_p_put(&t, key[k]);
    }
    lft_p_put(&t, " once each, got ");
    lft_p_put_quoted(&t, word);
    return 3;
}

/* ---- writing ---- */

/* Small pieces gathered into larger writes. With to.write == NULL it only counts. A failure sticks. */
typedef struct lft_p_sink {
    lft_writer    to;
    uint64_t      at; /* bytes put so far */
    size_t        used;
    int           failed;
    unsigned char buffer[512];
} lft_p_sink;

LFT_P_STATIC void lft_p_sink_open(lft_p_sink *s, lft_writer to)
{
    s->to     = to;
    s->at     = 0;
    s->used   = 0;
    s->failed = 0;
}

LFT_P_STATIC void lft_p_sink_flush(lft_p_sink *s)
{
    if (s->used && s->to.write && !s->failed) s->failed = s->to.write(s->to.user, s->buffer, s->used) != s->used;
    s->used = 0;
}

LFT_P_NOINLINE void lft_p_sink_put(lft_p_sink *s, const void *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;
    size_t               i;
    s->at += n;
    for (i = 0; i < n; ++i) {
        if (s->used == sizeof s->buffer) lft_p_sink_flush(s);
        s->buffer[s->used++] = p[i];
    }
}

LFT_P_NOINLINE void lft_p_sink_text(lft_p_sink *s, const char *text)
{
    size_t n = 0;
    while (text[n]) ++n;
    lft_p_sink_put(s, text, n);
}

LFT_P_STATIC void lft_p_sink_u64(lft_p_sink *s, uint64_t v)
{
    char       digits[21];
    lft_p_text t = {0, 0, 0};
    t.data       = digits;
    t.size       = sizeof digits;
    lft_p_put_u64(&t, v);
    lft_p_sink_text(s, digits);
}

/* As a JSON string. */
LFT_P_STATIC void lft_p_sink_string(lft_p_sink *s, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    lft_p_sink_put(s, "\"", 1);
    for (; *text; ++text) {
        const unsigned c = (unsigned char)*text;
        if (c < 32) {
            lft_p_sink_put(s, "\\u00", 4);
            lft_p_sink_put(s, hex + (c >> 4), 1);
            lft_p_sink_put(s, hex + (c & 15), 1);
        } else {
            if (c == '"' || c == '\\') lft_p_sink_put(s, "\\", 1);
            lft_p_sink_put(s, text, 1);
        }
    }
    lft_p_sink_put(s, "\"", 1);
}

LFT_P_STATIC lft_status lft_p_sink_close(lft_p_sink *s, const char *where, lft_error *e)
{
    lft_p_sink_flush(s);
    return s->failed ? lft_p_fail(e, LFT_ERR_IO, where, "a write failed: is the disk full?") : LFT_OK;
}

#ifdef LFT_STDIO

/* ---- 06_stdio.h, code -------------------------------------------------------------------------------------------- */

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
    lft_p_text t = {0, 0, 0};
    FILE      *file;
    lft_status status;
    t.data = temporary;
    t.size = sizeof temporary;
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

#endif

/* ---- 08_private.h, code ------------------------------------------------------------------------------------------ */
/* 08_private.h: opens the instance that the common room uses for itself: double, one lane, names lft_p_f64_p_exp.
 * It sets what 09_instance.h derives from the user's parameters, and leaves those untouched. */

#define LFT_P_PRIVATE
#define LFT_P(name)      LFT_P_PASTE2(lft_p_f64_p, name)
#define LFT_P_LANES      1
#define LFT_P_REAL_BYTES 8
typedef double lft_p_f64_p_real;
#define lft_real lft_p_f64_p_real

/* ---- 10_lanes.h, code -------------------------------------------------------------------------------------------- */
/* 10_lanes.h: one vector, one configuration per lane. The only room that knows what a vector is.
 * Offers (private): lft_v, lft_m, lft_splat(); lt, eq, sel, any, bits, unbits, to_int, to_real; load/store of doubles.
 *
 * On GCC and Clang lft_v is a vector-extension type, so kernels are plain infix C; with one lane it is the real type
 * itself and the same source is portable C99. Masks are all-ones or all-zeros per lane. */

#define lft_v     LFT_P(v)
#define lft_m     LFT_P(m)
#define lft_int   LFT_P(int)
#define lft_splat LFT_P(splat)
#define lft_sel   LFT_P(sel)

#if LFT_P_REAL_BYTES == 4
typedef int32_t lft_int; /* the integer as wide as a real */
#else
typedef int64_t lft_int;
#endif

#if LFT_P_LANES == 1

typedef lft_real lft_v;
typedef lft_int  lft_m;

LFT_P_INLINE lft_v lft_splat(lft_real x) { return x; }
LFT_P_INLINE lft_m LFT_P(lt)(lft_v a, lft_v b) { return -(lft_int)(a < b); }
LFT_P_INLINE lft_m LFT_P(eq)(lft_v a, lft_v b) { return -(lft_int)(a == b); }
LFT_P_INLINE lft_m LFT_P(int_splat)(lft_int x) { return x; }
LFT_P_INLINE lft_m LFT_P(int_eq)(lft_m a, lft_m b) { return -(lft_int)(a == b); }
LFT_P_INLINE lft_m LFT_P(bits)(lft_v a)
{
    lft_m m;
    lft_p_copy(&m, &a, sizeof m);
    return m;
}
LFT_P_INLINE lft_v LFT_P(unbits)(lft_m m)
{
    lft_v a;
    lft_p_copy(&a, &m, sizeof a);
    return a;
}
LFT_P_INLINE lft_m LFT_P(to_int)(lft_v a) { return (lft_m)a; }
LFT_P_INLINE lft_v LFT_P(to_real)(lft_m a) { return (lft_v)a; }
LFT_P_INLINE int   LFT_P(any)(lft_m m) { return m != 0; }

#else

typedef lft_real lft_v __attribute__((vector_size(LFT_P_LANES * LFT_P_REAL_BYTES), may_alias));
typedef lft_int  lft_m __attribute__((vector_size(LFT_P_LANES * LFT_P_REAL_BYTES), may_alias));

LFT_P_INLINE lft_v lft_splat(lft_real x)
{
    const lft_v zero = {0};
    return x - zero;
}
LFT_P_INLINE lft_m LFT_P(lt)(lft_v a, lft_v b) { return (lft_m)(a < b); }
LFT_P_INLINE lft_m LFT_P(eq)(lft_v a, lft_v b) { return (lft_m)(a == b); }
LFT_P_INLINE lft_m LFT_P(int_splat)(lft_int x)
{
    const lft_m zero = {0};
    return x - zero;
}
LFT_P_INLINE lft_m LFT_P(int_eq)(lft_m a, lft_m b) { return (lft_m)(a == b); }
LFT_P_INLINE lft_m LFT_P(bits)(lft_v a) { return (lft_m)a; }
LFT_P_INLINE lft_v LFT_P(unbits)(lft_m m) { return (lft_v)m; }
LFT_P_INLINE lft_m LFT_P(to_int)(lft_v a) { return __builtin_convertvector(a, lft_m); }
LFT_P_INLINE lft_v LFT_P(to_real)(lft_m a) { return __builtin_convertvector(a, lft_v); }
LFT_P_INLINE int   LFT_P(any)(lft_m m)
{
    lft_int bits = 0;
    int     l;
    for (l = 0; l < LFT_P_LANES; ++l) bits |= m[l];
    return bits != 0;
}

#endif

#define LFT_P_CHUNK 64 /* sites that are summed in the real type before the sum is widened to double */

/* Public arrays of reals as vectors: all of them come from arenas, which align to the widest register. */
LFT_P_INLINE lft_v *LFT_P(view)(lft_real *x) { return (lft_v *)(void *)x; }
LFT_P_INLINE const lft_v *LFT_P(const_view)(const lft_real *x) { return (const lft_v *)(const void *)x; }

LFT_P_INLINE void LFT_P(set_zero)(lft_v *x, int n)
{
    int i;
    for (i = 0; i < n; ++i) x[i] = lft_splat(0);
}

/* m ? a : b per lane */
LFT_P_INLINE lft_v lft_sel(lft_m m, lft_v a, lft_v b)
{
    return LFT_P(unbits)((m & LFT_P(bits)(a)) | (~m & LFT_P(bits)(b)));
}

/* sum[lane] += v[lane], in double. Passing a double vector of 16 lanes by value is no legal ABI: hence the pointer. */
LFT_P_INLINE void LFT_P(add_wide)(double *sum, lft_v v)
{
    lft_real x[LFT_P_LANES];
    int      l;
    lft_p_copy(x, &v, sizeof x);
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] += (double)x[l];
}

/* The sum over lanes, in a fixed order. */
LFT_P_INLINE double LFT_P(sum_lanes)(lft_v v)
{
    lft_real x[LFT_P_LANES];
    int      l, half;
    lft_p_copy(x, &v, sizeof x);
    LFT_P_UNROLL for (half = LFT_P_LANES / 2; half > 0; half /= 2)
    {
        LFT_P_UNROLL for (l = 0; l < half; ++l) x[l] += x[l + half];
    }
    return (double)x[0];
}

/* sum[i] = sum_lanes(x[i]), which x is lost in. Level by level: the halves of one vector alone would wait for each other; and as
 * many at a time as stay in the cache. */
static inline void LFT_P(sum_lanes_of)(lft_v *x, size_t n, double *sum)
{
    lft_real *a = (lft_real *)(void *)x;
    size_t    i, begin, end;
    int       l, half;
    for (begin = 0; begin < n; begin = end) {
        end = begin + LFT_P_CHUNK < n ? begin + LFT_P_CHUNK : n;
        LFT_P_UNROLL for (half = LFT_P_LANES / 2; half > 0; half /= 2)
        {
            for (i = begin; i < end; ++i) {
                lft_real *b = a + i * LFT_P_LANES;
                for (l = 0; l < half; ++l) b[l] += b[l + half];
            }
        }
        for (i = begin; i < end; ++i) sum[i] = (double)a[i * LFT_P_LANES];
    }
}

/* y = a + b x */
LFT_P_INLINE void LFT_P(line)(lft_v *y, const lft_v *a, double b, const lft_v *x, int n)
{
    const lft_real factor = (lft_real)b;
    int            i;
    for (i = 0; i < n; ++i) y[i] = a[i] + factor * x[i];
}

/* A vector from one double per lane. */
LFT_P_INLINE lft_v LFT_P(from_wide)(const double *w)
{
    lft_real x[LFT_P_LANES];
    lft_v    v;
    int      l;
    for (l = 0; l < LFT_P_LANES; ++l) x[l] = (lft_real)w[l];
    lft_p_copy(&v, x, sizeof v);
    return v;
}

/* ---- 11_elementary.h, code --------------------------------------------------------------------------------------- */
/* 11_elementary.h: exp, log, sine and cosine, square root, arctangent and tanh of all lanes at once. No libm, no per-lane if.
 * Offers (private), with the largest error of either type in ulp (float: of all floats), fused multiply-adds or not:
 *
 *   exp           1.02   every argument: overflow gives inf, underflow denormals and then 0, NaN gives NaN
 *   log           0.85   every argument: 0 gives -inf, below 0 NaN
 *   sincos        1.99   |x| <= 8192 (float), 1e5 (double), beside the zeros too; further out the absolute error grows
 *                        to an ulp of x and more, and the results stay in [-1, 1]; inf and NaN give NaN
 *   sincos_fast          float: of omega x with omega / pi rounded; absolute error 2e-7 at most, 4e-8 on average, where
 *                        the product is fused or short; not bounded for |x| > 1e7; inf and NaN give inf or NaN; half
 *                        of the time of sincos. double: sincos
 *   sqrt          1.25   0, inf and every normal number (a denormal loses accuracy); below 0 NaN
 *   atan          1.43   every argument
 *   tanh          1.43   every argument
 *   atan2(y, x)          finite numbers; 4 ulp of the angle
 *   wrap                 an angle in [-pi, pi], for |x| <= 1000; absolute error of an ulp of pi
 *
 * The sign of a zero is kept by sqrt, atan and tanh only. A real must be evaluated in its own type (FLT_EVAL_METHOD 0).
 * Under -ffast-math: 2 ulp, atan, sqrt and tanh 3, where arguments and results are normal numbers, for sqrt from 4 times the
 * smallest one; denormals may become 0; inf and NaN, given or due, become any value. */

/* ---- constants of the two real types -------------------------------------------------------------------------------
 * Polynomials stand lowest power first and minimise the largest relative error of their function (our own fits: Remez
 * exchange in 60 digits). The parts of a constant sum up to it; all but the last are so short that n times the part is
 * exact, fused or not, for every n that occurs. */

#if LFT_P_REAL_BYTES == 4

static const int      LFT_P(width) = 32, LFT_P(mantissa) = 23;
static const lft_int  LFT_P(sign_bit)       = INT32_MIN;
static const lft_int  LFT_P(infinity)       = 0x7f800000;
static const lft_int  LFT_P(root_seed)      = 0x5f5ff5a0;
static const lft_real LFT_P(round)          = 12582912.0F; /* 1.5 * 2^23: what is added to it is rounded to an integer */
static const lft_real LFT_P(scale_up)       = 16777216.0F; /* 2^(mantissa + 1): makes a denormal a normal number */
static const lft_real LFT_P(smallest)       = FLT_MIN;
static const lft_real LFT_P(sqrt_half)      = 0.707106781F;
static const lft_real LFT_P(per_ln2)        = 1.44269504F;
static const lft_real LFT_P(ln2)[]          = {0.693145752F, 1.42860677e-6F};
static const lft_real LFT_P(exp_end)[]      = {-104.0F, 89.0F}; /* beyond: 0 and infinity */
static const lft_real LFT_P(per_quarter)    = 0.636619772F;     /* quarter turns per radian, 2/pi */
static const lft_real LFT_P(quarter_turn)[] = {1.57080078F, -4.47034836e-6F, 1.58906914e-8F, 2.56334407e-12F};
static const lft_real LFT_P(pi_2)[]         = {1.57079637F, -4.371139e-8F}; /* rounded, and what is missing */
static const lft_real LFT_P(pi_4)[]         = {0.785398185F, -2.1855695e-8F};

/* (e^x - 1 - x) / x^2, |x| <= ln(2)/2 */
static const lft_real LFT_P(exp_terms)[] = {0.49999994F, 0.166665211F, 0.0416683853F, 0.00836869515F, 0.00138147001F};
/* (2 artanh(s) / s - 2) / s^2 in s^2, |s| <= (sqrt(2) - 1) / (sqrt(2) + 1) */
static const lft_real LFT_P(log_terms)[] = {0.666667759F, 0.399775863F, 0.298706949F};
/* (sin(x) / x - 1) / x^2 and (cos(x) - 1) / x^2 in x^2, |x| <= pi/4 */
static const lft_real LFT_P(sin_terms)[] = {-0.166666552F, 0.00833218917F, -0.000195182904F};
static const lft_real LFT_P(cos_terms)[] = {-0.499998838F, 0.0416557156F, -0.00135910173F};
/* (atan(x) / x - 1) / x^2 in x^2, |x| <= 1/2 */
static const lft_real LFT_P(atan_terms)[] = {-0.33333233F, 0.19994168F, -0.141742125F, 0.101558283F, -0.0512516573F};
/* (tanh(x) / x - 1) / x^2 in x^2, |x| <= 0.55 */
static const lft_real LFT_P(tanh_terms)[] = {-0.333333176F, 0.133325861F, -0.0538523107F, 0.0210716842F, -0.00627424852F};
static const lft_real LFT_P(tanh_end)     = 10.0F; /* beyond: 1 */

#else

static const int      LFT_P(width) = 64, LFT_P(mantissa) = 52;
static const lft_int  LFT_P(sign_bit)       = INT64_MIN;
static const lft_int  LFT_P(infinity)       = 0x7ff0000000000000;
static const lft_int  LFT_P(root_seed)      = 0x5febfeb400000000;
static const lft_real LFT_P(round)          = 6755399441055744.0; /* 1.5 * 2^52 */
static const lft_real LFT_P(scale_up)       = 9007199254740992.0;
static const lft_real LFT_P(smallest)       = DBL_MIN;
static const lft_real LFT_P(sqrt_half)      = 0.70710678118654752;
static const lft_real LFT_P(per_ln2)        = 1.4426950408889634;
static const lft_real LFT_P(ln2)[]          = {0.6931471805598903, 5.497923018708371e-14};
static const lft_real LFT_P(exp_end)[]      = {-746.0, 710.0};
static const lft_real LFT_P(per_quarter)    = 0.6366197723675814;
static const lft_real LFT_P(quarter_turn)[] = {1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23};
static const lft_real LFT_P(pi_2)[]         = {1.5707963267948966, 6.123233995736766e-17};
static const lft_real LFT_P(pi_4)[]         = {0.7853981633974483, 3.061616997868383e-17};

static const lft_real LFT_P(exp_terms)[] = {
    0.500000000000001,      0.16666666666666413,   0.04166666666653153,   0.008333333333494026,  0.0013888888943311055,
    0.00019841269506780412, 2.480149340023693e-05, 2.7557586685276638e-6, 2.763014866212492e-07, 2.4999841946524254e-8};
static const lft_real LFT_P(log_terms)[] = {0.6666666666666734, 0.3999999999941703,  0.2857142874189895,
                                            0.2222219862074822, 0.18183561961982203, 0.15314108705785295,
                                            0.14795388193691245};
static const lft_real LFT_P(sin_terms)[] = {-0.1666666666666663,   0.00833333333332184,     -0.00019841269829358495,
                                            2.755731353849423e-06, -2.5050734385218036e-08, 1.58954330214103e-10};
static const lft_real LFT_P(cos_terms)[] = {-0.5, 0.041666666666666595, -0.0013888888888873342, 2.4801587289001988e-05,
                                            -2.755731421697817e-07, 2.0875705382978004e-09, -1.1358748325596217e-11};
static const lft_real LFT_P(atan_terms)[] = {-0.3333333333333298,   0.19999999999903104,   -0.1428571427638555,
                                             0.11111110659652419,   -0.09090896246345488,  0.07692073957732717,
                                             -0.06663811207757753,  0.058583027143420396,  -0.05122015358505425,
                                             0.041864908119724986,  -0.027433773844326655, 0.01011515581539795};
static const lft_real LFT_P(tanh_terms)[] = {-0.33333333333332316,  0.13333333333168707,    -0.053968253876078509,
                                             0.021869485974787186,  -0.008863194503882595,  0.0035917196956794227,
                                             -0.0014532167469035371, 0.00057913698427163778, -0.00021030234479730507,
                                             5.1021438658298926e-05};
static const lft_real LFT_P(tanh_end)     = 20.0;

#endif

#define LFT_P_COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* ---- steps that the functions share ------------------------------------------------------------------------------ */

/* a << k. In C99 an int may not lose its sign bit in a shift, so one lane goes through the unsigned type. */
#if LFT_P_LANES == 1
LFT_P_INLINE lft_m LFT_P(shl)(lft_m a, int k) { return (lft_m)((uint64_t)a << k); }
#else
LFT_P_INLINE lft_m LFT_P(shl)(lft_m a, int k) { return a << k; }
#endif

/* a, of which the compiler forgets how it was made: under -ffast-math it would else cancel (a + round) - round, and join
 * the parts of pi. Everywhere else it keeps to the order that is written. gcc 12.2 loses its own barrier in loops over one lane
 * that it makes vectors of (exp: wrong in the first digit): there asm, which keeps them scalar: 20 ns a normal, not 8. */
#if !LFT_P_GNUC || !defined(__FAST_MATH__)
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a) { return a; }
#elif __GNUC__ >= 12 && !defined(__clang__) && LFT_P_LANES > 1
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a) { return __builtin_assoc_barrier(a); }
#else
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a)
{
#if defined(__SSE2__)
    __asm__("" : "+v"(a));
#elif defined(__aarch64__)
    __asm__("" : "+w"(a));
#else
    __asm__("" : "+m"(a));
#endif
    return a;
}
#endif

/* a with the bits of `sign` flipped */
LFT_P_INLINE lft_v LFT_P(flip)(lft_v a, lft_m sign) { return LFT_P(unbits)(LFT_P(bits)(a) ^ sign); }

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1) */
LFT_P_INLINE lft_v LFT_P(horner)(const lft_real *c, int n, lft_v x)
{
    lft_v p = lft_splat(c[n - 1]);
    while (--n > 0) p = p * x + c[n - 1];
    return p;
}

/* n + round of the integer n = nearest(x per_period); the lowest bits of n are those of the sum. */
LFT_P_INLINE lft_v LFT_P(nearest)(lft_v x, lft_real per_period)
{
    return LFT_P(opaque)(x * per_period + LFT_P(round));
}

/* x - n (period[0] + ... + period[parts - 1]) */
LFT_P_INLINE lft_v LFT_P(reduce)(lft_v x, lft_v n, const lft_real *period, int parts)
{
    int i;
    for (i = 0; i < parts; ++i) x = LFT_P(opaque)(x - n * period[i]);
    return x;
}

/* 2^n from q = n + round, for every n whose 2^n is a normal number */
LFT_P_INLINE lft_v LFT_P(exp2_int)(lft_v q)
{
    return LFT_P(unbits)(LFT_P(shl)(LFT_P(bits)(q), LFT_P(mantissa)) + LFT_P(bits)(lft_splat(1)));
}

/* 1 if a lane of x is infinite or NaN: a test of the exponent bits, which -ffast-math leaves alone. */
LFT_P_INLINE int LFT_P(any_nonfinite)(const lft_v *x, int n)
{
    const lft_m top = LFT_P(int_splat)(LFT_P(infinity));
    lft_m       bad = LFT_P(int_splat)(0);
    int         i;
    for (i = 0; i < n; ++i) bad |= LFT_P(int_eq)(LFT_P(bits)(x[i]) & top, top);
    return LFT_P(any)(bad);
}

/* ---- exp and log ------------------------------------------------------------------------------------------------- */

LFT_P_INLINE lft_v LFT_P(exp)(lft_v x)
{
    const lft_v low = lft_splat(LFT_P(exp_end)[0]), high = lft_splat(LFT_P(exp_end)[1]);
    lft_v       r, n, half;
    x    = lft_sel(LFT_P(lt)(high, x), high, x); /* in this order NaN stays */
    x    = lft_sel(LFT_P(lt)(x, low), low, x);
    n    = LFT_P(nearest)(x, LFT_P(per_ln2)) - LFT_P(round);
    r    = LFT_P(reduce)(x, n, LFT_P(ln2), LFT_P_COUNT(LFT_P(ln2)));
    r    = (r * r * LFT_P(horner)(LFT_P(exp_terms), LFT_P_COUNT(LFT_P(exp_terms)), r) + r) + 1;
    half = LFT_P(opaque)(n * (lft_real)0.5 + LFT_P(round)); /* 2^n in two factors: it may be inf or denormal */
    n    = LFT_P(opaque)(n - (half - LFT_P(round)));
    return LFT_P(opaque)(r * LFT_P(exp2_int)(half)) * LFT_P(exp2_int)(n + LFT_P(round));
}

/* log x for 0 < x < inf: x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f), h = f^2 / 2
 * log(1 + f) = 2 artanh(s) = f - h + s (h + s^2 terms(s^2)), in which the large term f is exact. */
LFT_P_INLINE lft_v LFT_P(log_positive)(lft_v x)
{
    const lft_m small = LFT_P(lt)(x, lft_splat(LFT_P(smallest)));
    const lft_m i     = LFT_P(bits)(lft_sel(small, x * LFT_P(scale_up), x)) & ~LFT_P(sign_bit);
    const lft_m above = i - LFT_P(bits)(lft_splat(LFT_P(sqrt_half)));
    lft_v       e, f, h, s, y;
    e = LFT_P(unbits)(LFT_P(bits)(lft_splat(LFT_P(round))) + (above >> LFT_P(mantissa))) - LFT_P(round);
    e = e - LFT_P(unbits)(small & LFT_P(bits)(lft_splat((lft_real)(LFT_P(mantissa) + 1))));
    f = LFT_P(unbits)(i - (above & (LFT_P(infinity) | LFT_P(sign_bit)))) - 1;
    s = f / (f + 2);
    h = f * f * (lft_real)0.5;
    y = s * s;
    y = y * LFT_P(horner)(LFT_P(log_terms), LFT_P_COUNT(LFT_P(log_terms)), y) + h;
    y = s * y + e * LFT_P(ln2)[1];
    return e * LFT_P(ln2)[0] - (LFT_P(opaque)(h - y) - f);
}

LFT_P_INLINE lft_v LFT_P(log)(lft_v x)
{
    const lft_v zero = lft_splat(0), inf = LFT_P(unbits)(LFT_P(int_splat)(LFT_P(infinity)));
    const lft_v nan     = LFT_P(unbits)(LFT_P(int_splat)(~LFT_P(sign_bit)));
    const lft_v special = lft_sel(LFT_P(eq)(x, zero), -inf, lft_sel(LFT_P(lt)(x, zero), nan, x));
    return lft_sel(LFT_P(lt)(zero, x) & LFT_P(lt)(x, inf), LFT_P(log_positive)(x), special);
}

/* ---- sine and cosine --------------------------------------------------------------------------------------------- */

/* n quarter turns and r: sin(x) = sin(r), cos(r), -sin(r), -cos(r) and cos(x) = cos(r), -sin(r), -cos(r), sin(r) for
 * n mod 4 = 0, 1, 2, 3. So bit 0 of n swaps and changes the sign of the cosine, then bit 1 changes both signs.
 * Where x is too large to be reduced, n is cut to its lowest bits and r to |r| < 2. The last part of pi/2 comes last:
 * in r it would round twice what is already larger than its sine. */
LFT_P_INLINE void LFT_P(sincos)(lft_v x, lft_v *s, lft_v *c)
{
    const int   last         = LFT_P_COUNT(LFT_P(quarter_turn)) - 1;
    const lft_m exponent_top = LFT_P(int_splat)(LFT_P(infinity) & ~(LFT_P(infinity) >> 1));
    const lft_m fraction     = LFT_P(int_splat)(~(LFT_P(infinity) | LFT_P(sign_bit)));
    const lft_m top          = LFT_P(int_splat)(LFT_P(infinity));
    lft_v       n, r, z, sine, cosine;
    lft_m       q, odd, both;
    q      = LFT_P(bits)(LFT_P(nearest)(x, LFT_P(per_quarter)));
    q      = (q & fraction) ^ LFT_P(bits)(lft_splat(LFT_P(scale_up) / 2));
    n      = LFT_P(opaque)(LFT_P(unbits)(q)) - LFT_P(round);
    r      = LFT_P(reduce)(x, n, LFT_P(quarter_turn), last);
    r      = LFT_P(unbits)((LFT_P(bits)(r) & ~exponent_top) | LFT_P(int_eq)(LFT_P(bits)(x) & top, top)); /* NaN for inf */
    z      = r * r;
    sine   = r * z * LFT_P(horner)(LFT_P(sin_terms), LFT_P_COUNT(LFT_P(sin_terms)), z) + r;
    sine   = LFT_P(opaque)(sine) - n * LFT_P(quarter_turn)[last];
    cosine = z * LFT_P(horner)(LFT_P(cos_terms), LFT_P_COUNT(LFT_P(cos_terms)), z) + 1;
    odd    = LFT_P(shl)(q, LFT_P(width) - 1);
    both   = LFT_P(shl)(q, LFT_P(width) - 2) & LFT_P(sign_bit);
    both   = both ^ ((LFT_P(bits)(sine) ^ LFT_P(bits)(cosine)) & (odd >> (LFT_P(width) - 1)));
    *s     = LFT_P(flip)(sine, both);
    *c     = LFT_P(flip)(cosine, both ^ odd);
}

/* sin and cos of omega x. In half turns the reduction is one exact subtraction, and nothing is swapped; but cos(pi r) near
 * its zeros is a difference of numbers near 1. */
#if LFT_P_REAL_BYTES == 4

static const lft_real LFT_P(per_half) = 0.318309886F; /* half turns per radian, 1/pi */
/* sin(pi r) / r and cos(pi r) in r^2, |r| <= 1/2: least absolute error */
static const lft_real LFT_P(sin_fast)[] = {3.1415925F, -5.1677022F, 2.54995775F, -0.597625315F, 0.0764334053F};
static const lft_real LFT_P(cos_fast)[] = {1.0F, -4.93479538F, 4.05844736F, -1.33206236F, 0.220006943F};

LFT_P_INLINE void LFT_P(sincos_fast)(lft_real omega, lft_v x, lft_v *s, lft_v *c)
{
    const lft_real scale = omega * LFT_P(per_half);
    const lft_v    q = LFT_P(nearest)(x, scale), r = x * scale - LFT_P(opaque)(q - LFT_P(round)), z = r * r;
    const lft_m    odd = LFT_P(shl)(LFT_P(bits)(q), LFT_P(width) - 1);
    *s = LFT_P(flip)(r * LFT_P(horner)(LFT_P(sin_fast), LFT_P_COUNT(LFT_P(sin_fast)), z), odd);
    *c = LFT_P(flip)(LFT_P(horner)(LFT_P(cos_fast), LFT_P_COUNT(LFT_P(cos_fast)), z), odd);
}

#else

LFT_P_INLINE void LFT_P(sincos_fast)(lft_real omega, lft_v x, lft_v *s, lft_v *c) { LFT_P(sincos)(omega * x, s, c); }

#endif

/* ---- square root, arctangent and tanh ----------------------------------------------------------------------------- */

/* 1/sqrt(x) from the bits of x and one step of y (a - b x y^2); seed, a and b fitted together leave 6.5e-4. Each further
 * step is of third order: 7e-10, then rounding. At last a step of Newton for the root itself. */
LFT_P_INLINE lft_v LFT_P(sqrt)(lft_v x)
{
    const lft_v zero = lft_splat(0), inf = LFT_P(unbits)(LFT_P(int_splat)(LFT_P(infinity)));
    const lft_v nan  = LFT_P(unbits)(LFT_P(int_splat)(~LFT_P(sign_bit)));
    lft_v       y, h;
    int         i;
    y = LFT_P(unbits)(LFT_P(root_seed) - ((LFT_P(bits)(x) & ~LFT_P(sign_bit)) >> 1));
    y = y * ((lft_real)1.18954213 - LFT_P(opaque)(x * y) * y * (lft_real)0.249041257); /* y * y may underflow */
    for (i = 0; i < LFT_P_REAL_BYTES / 4; ++i) {
        h = 1 - LFT_P(opaque)(x * y) * y;
        y = y + y * h * (h * (lft_real)0.375 + (lft_real)0.5);
    }
    h = x * y;
    y = y * (x * (lft_real)0.5 - LFT_P(opaque)(h * (lft_real)0.5) * h) + h; /* h * h may overflow */
    y = lft_sel(LFT_P(lt)(x, inf), y, x);
    return lft_sel(LFT_P(lt)(x, zero), nan, y);
}

/* atan(a) = atan(t), pi/4 + atan(t), pi/2 + atan(t) with t = a, (a - 1) / (a + 1), -1 / a for a up to 1/2, 2, inf */
LFT_P_INLINE lft_v LFT_P(atan)(lft_v x)
{
    const lft_v one  = lft_splat(1);
    const lft_m sign = LFT_P(bits)(x) & LFT_P(sign_bit);
    const lft_v a    = LFT_P(flip)(x, sign);
    const lft_m mid = LFT_P(lt)(lft_splat((lft_real)0.5), a), big = LFT_P(lt)(lft_splat(2), a);
    lft_v       t, z, y;
    t = lft_sel(big, -one, lft_sel(mid, a - one, a)) / lft_sel(big, a, lft_sel(mid, a + one, one));
    z = t * t;
    y = t * z * LFT_P(horner)(LFT_P(atan_terms), LFT_P_COUNT(LFT_P(atan_terms)), z);
    y = y + LFT_P(unbits)(mid & LFT_P(bits)(lft_sel(big, lft_splat(LFT_P(pi_2)[1]), lft_splat(LFT_P(pi_4)[1]))));
    y = LFT_P(opaque)(y + t);
    y = y + LFT_P(unbits)(mid & LFT_P(bits)(lft_sel(big, lft_splat(LFT_P(pi_2)[0]), lft_splat(LFT_P(pi_4)[0]))));
    return LFT_P(flip)(y, sign);
}

/* The angle of the point (x, y), in [-pi, pi]: the arctangent of the smaller coordinate over the larger. (0, 0): 0 */
LFT_P_INLINE lft_v LFT_P(atan2)(lft_v y, lft_v x)
{
    const lft_v zero = lft_splat(0);
    const lft_m sign = LFT_P(bits)(y) & LFT_P(sign_bit), left = LFT_P(lt)(x, zero);
    const lft_v a = LFT_P(flip)(x, LFT_P(bits)(x) & LFT_P(sign_bit)), b = LFT_P(flip)(y, sign);
    const lft_m steep = LFT_P(lt)(a, b);
    const lft_v most = lft_sel(steep, b, a), least = lft_sel(steep, a, b);
    lft_v       t    = LFT_P(atan)(least / lft_sel(LFT_P(eq)(most, zero), lft_splat(1), most));
    t = lft_sel(steep, LFT_P(pi_2)[0] - (t - LFT_P(pi_2)[1]), t);
    t = lft_sel(left, 2 * LFT_P(pi_2)[0] - (t - 2 * LFT_P(pi_2)[1]), t);
    return LFT_P(flip)(t, sign);
}

/* x less the nearest multiple of 2 pi, for |x| <= 1000 */
LFT_P_INLINE lft_v LFT_P(wrap)(lft_v x)
{
    const lft_v n = LFT_P(nearest)(x, (lft_real)0.25 * LFT_P(per_quarter)) - LFT_P(round);
    return LFT_P(reduce)(x, 4 * n, LFT_P(quarter_turn), LFT_P_COUNT(LFT_P(quarter_turn)));
}

/* tanh(a) = 1 - 2 / (e^2a + 1), and for small a, where that is a difference of numbers near 1, its series */
LFT_P_INLINE lft_v LFT_P(tanh)(lft_v x)
{
    const lft_v end  = lft_splat(LFT_P(tanh_end));
    const lft_m sign = LFT_P(bits)(x) & LFT_P(sign_bit);
    lft_v       a    = LFT_P(flip)(x, sign), z, small, large;
    a     = lft_sel(LFT_P(lt)(end, a), end, a); /* in this order NaN stays */
    z     = a * a;
    small = a * z * LFT_P(horner)(LFT_P(tanh_terms), LFT_P_COUNT(LFT_P(tanh_terms)), z) + a;
    large = 1 - 2 / (LFT_P(exp)(a + a) + 1);
    return LFT_P(flip)(lft_sel(LFT_P(lt)(a, lft_splat((lft_real)0.55)), small, large), sign);
}

#undef LFT_P_COUNT

/* ---- 99_close.h, code -------------------------------------------------------------------------------------------- */
/* 99_close.h: undefines every parameter and alias of the instance, so that the next one starts clean. */

#ifdef LFT_P_PRIVATE /* the user's own parameters wait for their turn */
#undef LFT_P_PRIVATE
#else
#undef LFT_NAME
#undef LFT_GROUP
#undef LFT_DIM
#undef LFT_REAL
#undef LFT_LANES
#undef LFT_UPTO
#endif
#undef LFT_
#undef LFT_P
#undef LFT_API
#undef LFT_P_LANES
#undef LFT_P_VECTOR_BYTES
#undef LFT_P_REAL_BYTES
#undef LFT_P_REAL_NAME
#undef LFT_P_GROUP_NAME
#undef LFT_P_SIGNED
#undef LFT_P_SIGNED2
#undef LFT_P_SIGNED3
#undef LFT_P_LINKS
#undef LFT_P_COLOURS
#undef LFT_P_LINK
#undef LFT_P_ALGEBRA
#undef LFT_P_HAAR
#undef LFT_P_METRIC
#undef LFT_P_SUM
#undef LFT_P_ORDERS
#undef LFT_P_SYMMETRIES
#undef LFT_P_SHAPE
#undef LFT_P_CLASSES
#undef LFT_P_LETTERS
#undef LFT_P_TRACES
#undef LFT_P_PATHS
#undef LFT_P_SITES
#undef LFT_P_STAGES
#undef LFT_P_MOVES
#undef LFT_P_SITE
#undef LFT_P_FORCES
#undef LFT_P_CELLS
#undef LFT_P_FINE
#undef LFT_P_RUNGS
#undef LFT_P_TOP
#undef LFT_P_ATTEMPTS
#undef lft_u
#undef lft_z
#undef lft_w
#undef lft_real
#undef lft_int
#undef lft_v
#undef lft_m
#undef lft_splat
#undef lft_sel

/* ---- 15_bessel.h, code ------------------------------------------------------------------------------------------- */
/* 15_bessel.h: modified Bessel functions and whole powers, for the characters of exp(beta Re tr U).
 * Offers (private): lft_p_bessel(), lft_p_power(). */

/* out[k] = exp(-x) I_k(x), 0 <= k < n, to rounding of the largest, x >= 0: Miller's recurrence I_k-1 = I_k+1 + (2k / x) I_k from
 * far above, normalised by e^x = I_0 + 2 sum I_k. All terms are positive. Far above: where I_k / I_0 ~ exp(-k^2 / 2x) is no
 * longer seen. */
LFT_P_STATIC void lft_p_bessel(double x, int n, double *out)
{
    const double large = 1e150;
    double       above = 0, here = 1, sum = 0;
    int          k, i;
    if (x < 1e-100) {
        for (k = 0; k < n; ++k) out[k] = k ? 0 : 1;
        return;
    }
    for (k = n + 30 + (int)(9 * lft_p_f64_p_sqrt(x)); k >= 0; --k) {
        const double below = above + 2 * k / x * here;
        if (k < n) out[k] = here;
        sum += k ? 2 * here : here;
        above = here, here = below;
        if (here < large) continue;
        for (i = k; i < n; ++i) out[i] /= large;
        sum /= large, above /= large, here /= large;
    }
    for (k = 0; k < n; ++k) out[k] /= sum;
}

/* x^n, n >= 0 */
LFT_P_STATIC double lft_p_power(double x, int n)
{
    double y = 1;
    for (; n > 0; n /= 2, x *= x) {
        if (n % 2) y *= x;
    }
    return y;
}

/* ---- 16_alias.h, code -------------------------------------------------------------------------------------------- */
/* 16_alias.h: a cell of many with given weights out of one uniform number, in constant time.
 * Offers (private): lft_p_alias, lft_p_alias_layout(), lft_p_alias_build(), lft_p_alias_pick().
 * Source: A. J. Walker, ACM Trans. Math. Softw. 3 (1977) 253; M. D. Vose, IEEE Trans. Softw. Eng. 17 (1991) 972. */

typedef struct lft_p_alias {
    int     n;
    double *weight; /* [n] as given */
    double *share;  /* [n] of column i that is cell i; the rest of it is cell other[i] */
    int    *other, *work; /* [n] */
} lft_p_alias;

LFT_P_STATIC void lft_p_alias_layout(lft_p_alias *t, int n, lft_arena *arena)
{
    t->n      = n;
    t->weight = (double *)lft_arena_alloc(arena, (size_t)n, sizeof(double));
    t->share  = (double *)lft_arena_alloc(arena, (size_t)n, sizeof(double));
    t->other  = (int *)lft_arena_alloc(arena, (size_t)n, sizeof(int));
    t->work   = (int *)lft_arena_alloc(arena, (size_t)n, sizeof(int));
}

/* From the weights, at least one of them positive. work: columns with too little from its beginning, with too much from its end. */
LFT_P_STATIC void lft_p_alias_build(lft_p_alias *t)
{
    double sum = 0;
    int    i, little = 0, much = t->n;
    for (i = 0; i < t->n; ++i) sum += t->weight[i];
    for (i = 0; i < t->n; ++i) {
        t->share[i] = t->weight[i] * t->n / sum;
        t->other[i] = i;
        t->work[t->share[i] < 1 ? little++ : --much] = i;
    }
    while (little > 0 && much < t->n) {
        const int poor = t->work[--little], rich = t->work[much];
        t->other[poor] = rich;
        t->share[rich] -= 1 - t->share[poor];
        if (t->share[rich] < 1) ++much, t->work[little++] = rich;
    }
    while (little > 0) t->share[t->work[--little]] = 1; /* rounding */
    for (; much < t->n; ++much) t->share[t->work[much]] = 1;
}

/* u in (0, 1): its whole part times n is the column, the rest decides. */
LFT_P_INLINE int lft_p_alias_pick(const lft_p_alias *t, double u)
{
    const double x = u * t->n;
    const int    i = x < t->n - 1 ? (int)x : t->n - 1;
    return x - i < t->share[i] ? i : t->other[i];
}

/* ---- 17_normal_equations.h, code --------------------------------------------------------------------------------- */
/* 17_normal_equations.h: least squares by normal equations: the step of Gauss and Newton.
 * Offers (private): lft_p_normal_size(), lft_p_normal_add(), lft_p_normal_about(), lft_p_normal_step(). */

/* Numbers that n parameters take: count, sum u, sum u^2, sum g[n], sum g u [n], sum g g^T [n][n] (j <= i). They only add up. */
LFT_P_STATIC size_t lft_p_normal_size(size_t n)
{
    return 3 + n * (n + 2);
}

/* A residual u with its gradient g[n]. */
LFT_P_STATIC void lft_p_normal_add(double *sum, size_t n, const double *g, double u)
{
    double *LFT_P_RESTRICT mean = sum + 3, *LFT_P_RESTRICT row = mean + 2 * n;
    size_t                 i, j;
    sum[0] += 1, sum[1] += u, sum[2] += u * u;
    for (i = 0; i < n; ++i, row += n) {
        const double x = g[i];
        mean[i] += x;
        mean[n + i] += x * u;
        for (j = 0; j <= i; ++j) row[j] += x * g[j];
    }
}

/* The sums become means: of u (sum[1]), of (u - centre)^2 (sum[2]) and A of g g^T; gradient[n] = those of g (u - centre): the
 * derivative of half of sum[2] along g. */
LFT_P_STATIC void lft_p_normal_about(double *sum, size_t n, double centre, double *gradient)
{
    double *mean = sum + 3, *a = mean + 2 * n;
    size_t  i, j;
    sum[1] /= sum[0];
    sum[2] = sum[2] / sum[0] + centre * (centre - 2 * sum[1]);
    for (i = 0; i < n; ++i) {
        gradient[i] = (mean[n + i] - mean[i] * centre) / sum[0];
        for (j = 0; j <= i; ++j) a[i * n + j] /= sum[0];
    }
}

/* After that: step[n] = -(A + ridge D)^-1 gradient, the least mean of (u + g step - centre)^2 but for the ridge, D = diag A + its
 * largest number / 10^6. Without that a parameter that does next to nothing, which may be nothing but rounding, would go anywhere:
 * so it is with the time dependence of a flow that is still the identity. 0 where g is 0. Returns the root mean square of g
 * step, not finite if A is singular. A is lost. */
LFT_P_STATIC double lft_p_normal_step(double *sum, size_t n, double ridge, const double *gradient, double *step)
{
    double *a = sum + 3 + 2 * n, change = 0, most = 0;
    size_t  i, j, k;
    for (i = 0; i < n; ++i) most = a[i * n + i] > most ? a[i * n + i] : most;
    for (i = 0; i < n; ++i) a[i * n + i] += ridge * (a[i * n + i] + 1e-6 * most) + (most > 0 ? 0 : 1);
    for (i = 0; i < n; ++i) { /* Cholesky: a = l l^T */
        for (j = 0; j <= i; ++j) {
            double x = a[i * n + j];
            for (k = 0; k < j; ++k) x -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = j < i ? x / a[j * n + j] : lft_p_f64_p_sqrt(x);
        }
    }
    for (i = 0; i < n; ++i) {
        double x = -gradient[i];
        for (k = 0; k < i; ++k) x -= a[i * n + k] * step[k];
        step[i] = x / a[i * n + i];
        change += step[i] * step[i];
    }
    for (i = n; i-- > 0;) {
        for (k = i + 1; k < n; ++k) step[i] -= a[k * n + i] * step[k];
        step[i] /= a[i * n + i];
    }
    return lft_p_f64_p_sqrt(change);
}

/* ---- 18_parameters.h, code --------------------------------------------------------------------------------------- */

LFT_P_STATIC size_t lft_declare(lft_parameters *set, const char *owner, const char *name, int rank, int n0, int n1,
                                int n2, int n3)
{
    size_t offset = set->count, count = 1;
    int    shape[4], i;
    shape[0] = n0, shape[1] = n1, shape[2] = n2, shape[3] = n3;
    for (i = 0; i < rank; ++i) count *= (size_t)shape[i];
    if (set->list) {
        lft_parameter *p = set->list + set->tensors;
        lft_p_text     t = {0, 0, 0};
        t.data           = p->name;
        t.size           = sizeof p->name;
        lft_p_put(&t, owner);
        lft_p_put(&t, ".");
        lft_p_put(&t, name);
        p->rank = rank;
        for (i = 0; i < rank; ++i) p->shape[i] = shape[i];
        p->offset = offset;
        p->count  = count;
    }
    set->tensors += 1;
    set->count += count;
    return offset;
}

LFT_P_STATIC lft_status lft_adam_init(lft_adam *adam, size_t n, double beta1, double beta2, double epsilon,
                                      lft_arena *arena, lft_error *error)
{
    adam->m       = (double *)lft_arena_alloc(arena, n, sizeof(double));
    adam->v       = (double *)lft_arena_alloc(arena, n, sizeof(double));
    adam->n       = n;
    adam->step    = 0;
    adam->beta1   = beta1 > 0 ? beta1 : 0.9;
    adam->beta2   = beta2 > 0 ? beta2 : 0.999;
    adam->epsilon = epsilon > 0 ? epsilon : 1e-8;
    return lft_arena_check(arena, error, "adam");
}

LFT_P_STATIC void lft_adam_step(lft_adam *adam, double *value, const double *gradient, double rate, const double *pace)
{
    const double t  = (double)++adam->step, b1 = adam->beta1, b2 = adam->beta2;
    const double c1 = 1 / (1 - lft_p_f64_p_exp(t * lft_p_f64_p_log(b1)));
    const double c2 = 1 / (1 - lft_p_f64_p_exp(t * lft_p_f64_p_log(b2)));
    size_t       i;
    for (i = 0; i < adam->n; ++i) {
        double g   = gradient[i];
        adam->m[i] = b1 * adam->m[i] + (1 - b1) * g;
        adam->v[i] = b2 * adam->v[i] + (1 - b2) * g * g;
        value[i] -= rate * (pace ? pace[i] : 1) * adam->m[i] * c1 / (lft_p_f64_p_sqrt(adam->v[i] * c2) + adam->epsilon);
    }
}

LFT_P_STATIC double lft_rate(const lft_schedule *s, uint64_t i)
{
    double x, sine, cosine, rise = 1;
    if (i + 1 < s->warmup) rise = (double)(i + 1) / (double)s->warmup;
    x = s->steps > 1 ? (double)i / (double)(s->steps - 1) : 0;
    if (x > 1) x = 1;
    switch (s->kind) {
    case LFT_SCHEDULE_CONSTANT: return rise * s->from;
    case LFT_SCHEDULE_LINEAR: return rise * (s->from + (s->to - s->from) * x);
    case LFT_SCHEDULE_EXPONENTIAL: return rise * s->from * lft_p_f64_p_exp(x * lft_p_f64_p_log(s->to / s->from));
    case LFT_SCHEDULE_COSINE: break;
    }
    lft_p_f64_p_sincos(x * 3.14159265358979323846, &sine, &cosine);
    return rise * (s->to + (s->from - s->to) * 0.5 * (1 + cosine));
}

LFT_P_STATIC double lft_clip_norm(double *gradient, size_t n, double most)
{
    double sum = 0, norm;
    size_t i;
    for (i = 0; i < n; ++i) sum += gradient[i] * gradient[i];
    norm = lft_p_f64_p_sqrt(sum);
    if (most > 0 && norm > most) {
        for (i = 0; i < n; ++i) gradient[i] *= most / norm;
    }
    return norm;
}

/* ---- 19_family.h, code ------------------------------------------------------------------------------------------- */

#define LFT_P_FAMILY_MOST 100 /* terms */

/* The degrees of each coupling's polynomial in the term after this one; 0 after the last. Term 0 has all zero. */
LFT_P_STATIC int lft_p_family_next(const lft_family *f, int *degree)
{
    int j, k, sum;
    for (j = 0; j < f->couplings; ++j) { /* as in counting */
        if (!(f->low[j] < f->high[j])) continue;
        degree[j] += 1;
        for (sum = 0, k = 0; k < f->couplings; ++k) sum += degree[k];
        if (sum <= f->degree) return 1;
        degree[j] = 0;
    }
    return 0;
}

LFT_P_STATIC int lft_p_family_terms(const lft_family *f)
{
    int degree[LFT_MAX_COUPLINGS] = {0}, terms = 1;
    while (f->degree > 0 && terms <= LFT_P_FAMILY_MOST && lft_p_family_next(f, degree)) ++terms;
    return terms;
}

LFT_P_STATIC lft_status lft_p_family_check(const lft_family *f, lft_error *error)
{
    int j;
    if (f->degree < 0 || f->degree > 20) return lft_p_fail_got(error, LFT_ERR_ARG, "family", "degree", "0 to 20", f->degree);
    if (f->couplings < 0 || f->couplings > LFT_MAX_COUPLINGS) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "family", "couplings", "at most LFT_MAX_COUPLINGS", f->couplings);
    }
    for (j = 0; f->degree && j < f->couplings; ++j) {
        if (lft_finite(f->low[j]) && lft_finite(f->high[j]) && f->low[j] <= f->high[j]) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, "family", "bounds", "finite numbers, low <= high, of coupling", j);
    }
    if (lft_p_family_terms(f) <= LFT_P_FAMILY_MOST) return LFT_OK;
    return lft_p_fail_got(error, LFT_ERR_ARG, "family", "terms", "at most " LFT_P_STRING(LFT_P_FAMILY_MOST) " for degree",
                          f->degree);
}

/* weight[terms] = T_b at the couplings. */
LFT_P_STATIC void lft_p_family_weights(const lft_family *f, const double *coupling, double *weight)
{
    int degree[LFT_MAX_COUPLINGS] = {0}, j, k;
    do {
        *weight = 1;
        for (j = 0; j < f->couplings; ++j) {
            const double c = degree[j] ? (2 * coupling[j] - f->high[j] - f->low[j]) / (f->high[j] - f->low[j]) : 0;
            double       before = 1, here = c;
            for (k = 1; k < degree[j]; ++k) {
                const double next = 2 * c * here - before;
                before            = here;
                here              = next;
            }
            if (degree[j]) *weight *= here;
        }
        ++weight;
    } while (f->degree > 0 && lft_p_family_next(f, degree));
}

/* pace[terms]: 1 / (1 + total degree)^2. At fixed couplings all terms move together: so theta goes not much further in a step of
 * the optimiser than without a family. */
LFT_P_STATIC void lft_p_family_pace(const lft_family *f, double *pace)
{
    int degree[LFT_MAX_COUPLINGS] = {0}, j, sum;
    do {
        for (sum = 0, j = 0; j < f->couplings; ++j) sum += degree[j];
        *pace++ = 1.0 / ((1 + sum) * (1 + sum));
    } while (f->degree > 0 && lft_p_family_next(f, degree));
}

/* ---- 20_random.h, code ------------------------------------------------------------------------------------------- */

/* Counters that are encrypted side by side. The loops over a block have a fixed length and no branches, so that
 * compilers turn them into vector code (gcc and clang at -O3), and no number depends on where a loop would have had its
 * remainder. 8 pairs fill the widest register; 16 are up to 10 % faster for long draws, and a quarter slower for the 36
 * sites of a 6^2 lattice. Measured with gcc 12 and AVX-512: 8 ns per normal, 4 of them for Philox and the uniforms. */
#define LFT_P_DRAW_BLOCK 8

#define LFT_P_UNIFORM_MOST (1.0 - 0.5 * DBL_EPSILON)

LFT_P_INLINE void lft_p_philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    int round;
    for (round = 0; round < 10; ++round) {
        const uint64_t p0 = (uint64_t)c[0] * 0xD2511F53u, p1 = (uint64_t)c[2] * 0xCD9E8D57u;
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
}

static inline void lft_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4];
    lft_p_copy(c, ctr, sizeof c);
    lft_p_philox(c, key[0], key[1]);
    lft_p_copy(out, c, sizeof c);
}

static inline lft_draw lft_draw_of(uint64_t seed, uint32_t purpose, uint64_t sample, uint32_t draw)
{
    lft_draw d;
    d.seed    = seed;
    d.sample  = sample;
    d.draw    = draw;
    d.purpose = purpose;
    return d;
}

LFT_P_INLINE void lft_p_draw_words(const lft_draw *d, uint32_t pair, uint32_t c[4])
{
    c[0] = pair;
    c[1] = d->draw;
    c[2] = (uint32_t)d->sample;
    c[3] = (d->purpose & 0xff) | (uint32_t)(d->sample >> 32) << 8;
    lft_p_philox(c, (uint32_t)d->seed, (uint32_t)(d->seed >> 32));
}

/* 53 bits as 31 and 22: int32_t to double is a vector instruction everywhere, uint64_t only from AVX-512 on; and a sum
 * of positive terms survives whatever order -ffast-math gives it. Rounding would take the largest v to 1. */
LFT_P_INLINE double lft_p_draw_uniform(uint32_t low, uint32_t high)
{
    const int32_t a = (int32_t)(high >> 1), b = (int32_t)((high & 1) << 21 | low >> 11);
    const double  u = ((double)a * 4194304.0 + ((double)b + 0.5)) * (0.5 * DBL_EPSILON);
    return u < LFT_P_UNIFORM_MOST ? u : LFT_P_UNIFORM_MOST;
}

static inline double lft_uniform(lft_draw d, uint32_t index)
{
    uint32_t c[4];
    lft_p_draw_words(&d, index / 2, c);
    return index % 2 ? lft_p_draw_uniform(c[2], c[3]) : lft_p_draw_uniform(c[0], c[1]);
}

LFT_P_INLINE void lft_p_uniform_block(const lft_draw *d, uint32_t pair, double u[2][LFT_P_DRAW_BLOCK])
{
    int i;
    for (i = 0; i < LFT_P_DRAW_BLOCK; ++i) {
        uint32_t c[4];
        lft_p_draw_words(d, pair + (uint32_t)i, c);
        u[0][i] = lft_p_draw_uniform(c[0], c[1]);
        u[1][i] = lft_p_draw_uniform(c[2], c[3]);
    }
}

LFT_P_INLINE void lft_p_normal_block(double u[2][LFT_P_DRAW_BLOCK])
{
    int i;
    for (i = 0; i < LFT_P_DRAW_BLOCK; ++i) {
        const double r = lft_p_f64_p_sqrt(-2.0 * lft_p_f64_p_log(u[0][i]));
        double       s, c;
        lft_p_f64_p_sincos(6.283185307179586477 * u[1][i], &s, &c);
        u[0][i] = r * c;
        u[1][i] = r * s;
    }
}

/* Whole blocks, then what is left of the last one. */
LFT_P_INLINE void lft_p_draw_bulk(const lft_draw *d, double *out, int n, int normal)
{
    double u[2][LFT_P_DRAW_BLOCK];
    int    at, i;
    for (at = 0; at < n; at += 2 * LFT_P_DRAW_BLOCK) {
        lft_p_uniform_block(d, (uint32_t)at / 2, u);
        if (normal) lft_p_normal_block(u);
        if (n - at < 2 * LFT_P_DRAW_BLOCK) break;
        for (i = 0; i < LFT_P_DRAW_BLOCK; ++i) {
            out[at + 2 * i]     = u[0][i];
            out[at + 2 * i + 1] = u[1][i];
        }
    }
    for (i = 0; i < n - at; ++i) out[at + i] = u[i % 2][i / 2];
}

static inline void lft_uniforms(lft_draw d, double *out, int n)
{
    lft_p_draw_bulk(&d, out, n, 0);
}

static inline void lft_normals(lft_draw d, double *out, int n)
{
    lft_p_draw_bulk(&d, out, n, 1);
}

/* ---- 21_series.h, code ------------------------------------------------------------------------------------------- */

/* Stored as bits: -ffast-math assumes that arithmetic gives no NaN, and may drop what would. */
LFT_P_STATIC void lft_p_set_nan(double *x)
{
    const uint64_t bits = 0x7ff8000000000000u;
    lft_p_copy(x, &bits, sizeof bits);
}

LFT_P_STATIC int lft_p_is_minus_infinity(double x)
{
    uint64_t bits;
    lft_p_copy(&bits, &x, sizeof bits);
    return bits == 0xfff0000000000000u;
}

/* ---- log-weights ------------------------------------------------------------------------------------------------- */

/* The largest log-weight. LFT_ERR_NONFINITE for NaN and +infinity, and if there is nothing but -infinity. */
LFT_P_STATIC lft_status lft_p_weigh_most(const double *logw, size_t n, double *most)
{
    size_t i;
    int    found = 0;
    *most        = 0;
    for (i = 0; i < n; ++i) {
        if (lft_p_is_minus_infinity(logw[i])) continue;
        if (!lft_finite(logw[i])) {
            lft_p_set_nan(most);
            return LFT_ERR_NONFINITE;
        }
        if (!found || logw[i] > *most) *most = logw[i];
        found = 1;
    }
    if (found) return LFT_OK;
    {
        const uint64_t bits = 0xfff0000000000000u;
        lft_p_copy(most, &bits, sizeof bits);
    }
    return LFT_ERR_NONFINITE;
}

LFT_P_STATIC lft_weights lft_weigh(const double *logw, size_t n)
{
    lft_weights r;
    double      most, mean = 0, squares = 0;
    size_t      i;
    r.n = n;
    lft_p_set_nan(&r.ess);
    lft_p_set_nan(&r.logz);
    lft_p_set_nan(&r.logz_error);
    r.status = n ? lft_p_weigh_most(logw, n, &most) : LFT_ERR_ARG;
    if (!n) return r;
    if (r.status != LFT_OK) {
        lft_p_copy(&r.logz, &most, sizeof most);
        return r;
    }
    /* Welford's updates: near ess = 1 the difference <w^2> - <w>^2 would be rounding. */
    for (i = 0; i < n; ++i) {
        const double x = lft_p_is_minus_infinity(logw[i]) ? -1000 : logw[i] - most;
        const double w = x > -700 ? lft_p_f64_p_exp(x) : 0; /* below: under the smallest normal double */
        const double d = w - mean;
        mean += d / (double)(i + 1);
        squares += d * (w - mean);
    }
    squares /= (double)n * mean * mean; /* relative variance = 1/ess - 1 */
    r.ess        = 1 / (1 + squares);
    r.logz       = most + lft_p_f64_p_log(mean);
    r.logz_error = lft_p_f64_p_sqrt(squares / (double)n);
    return r;
}

/* ---- series ------------------------------------------------------------------------------------------------------ */

LFT_P_STATIC lft_status lft_series_init(lft_series *s, int columns, int replicas, size_t capacity, lft_arena *arena,
                                        lft_error *e)
{
    const size_t rows = (size_t)columns * (size_t)replicas;
    lft_status   status;
    lft_p_zero(s, sizeof *s);
    if (columns < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "columns", "at least 1", columns);
    if (replicas < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "replicas", "at least 1", replicas);
    if (capacity < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "capacity", "at least 1", 0);
    if (capacity > SIZE_MAX / sizeof(double) || rows / (size_t)replicas != (size_t)columns) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "lft_series_init", "capacity", "what memory can hold", (double)capacity);
    }
    s->length = (size_t *)lft_arena_alloc(arena, (size_t)replicas, sizeof(size_t));
    s->data   = (double *)lft_arena_alloc(arena, rows, capacity * sizeof(double));
    status    = lft_arena_check(arena, e, "lft_series_init");
    if (status != LFT_OK) {
        lft_p_zero(s, sizeof *s);
        return status;
    }
    s->columns       = columns;
    s->replicas      = replicas;
    s->capacity      = capacity;
    s->window_factor = 1.5;
    return LFT_OK;
}

LFT_P_STATIC size_t lft_p_series_at(const lft_series *s, int column, int replica)
{
    return ((size_t)column * (size_t)s->replicas + (size_t)replica) * s->capacity;
}

LFT_P_STATIC lft_status lft_series_add(lft_series *s, int replica, const double *row)
{
    lft_status status = LFT_OK;
    size_t     at;
    int        c;
    if (replica < 0 || replica >= s->replicas) return LFT_ERR_ARG;
    if (!s->data || s->length[replica] >= s->capacity) return LFT_ERR_NOMEM;
    at = s->length[replica]++;
    for (c = 0; c < s->columns; ++c) {
        s->data[lft_p_series_at(s, c, replica) + at] = row[c];
        if (!lft_finite(row[c])) status = LFT_ERR_NONFINITE;
    }
    return status;
}

LFT_P_STATIC const double *lft_series_samples(const lft_series *s, int column, int replica)
{
    return s->data + lft_p_series_at(s, column, replica);
}

LFT_P_STATIC void lft_series_clear(lft_series *s)
{
    if (s->length) lft_p_zero(s->length, (size_t)s->replicas * sizeof(size_t));
}

/* ---- 22_gamma.h, code -------------------------------------------------------------------------------------------- */

/* ---- a line: one number per sample, a column or the projection of all columns ------------------------------------ */

#define LFT_P_LAGS 8

typedef struct lft_p_line {
    const double *data; /* [replica][stride] */
    const size_t *length;
    size_t        stride, n;
    int           replicas, filled; /* filled: those with samples */
} lft_p_line;

LFT_P_STATIC lft_p_line lft_p_line_of(const lft_series *s, const double *data)
{
    lft_p_line l;
    int        r;
    l.data     = data;
    l.length   = s->length;
    l.stride   = s->capacity;
    l.replicas = data ? s->replicas : 0;
    l.n        = 0;
    l.filled   = 0;
    for (r = 0; r < l.replicas; ++r) {
        l.n += l.length[r];
        l.filled += l.length[r] > 0;
    }
    return l;
}

/* Sums differences from the first number: then a constant series has exactly that mean. Eight partial sums become
 * vectors without a licence to reorder, and round less. */
LFT_P_STATIC double lft_p_mean(const double *x, size_t n)
{
    const double first = x[0];
    const size_t whole = n - n % 8;
    double       part[8] = {0, 0, 0, 0, 0, 0, 0, 0}, sum = 0;
    size_t       i, k;
    for (i = 0; i < whole; i += 8) {
        for (k = 0; k < 8; ++k) part[k] += x[i + k] - first;
    }
    for (; i < n; ++i) sum += x[i] - first;
    for (k = 0; k < 8; ++k) sum += part[k];
    return first + sum / (double)n;
}

LFT_P_STATIC double lft_p_line_replica_mean(const lft_p_line *l, int replica)
{
    return lft_p_mean(l->data + (size_t)replica * l->stride, l->length[replica]);
}

/* The mean over all samples, and sum_r N_r (m_r - mean)^2. */
LFT_P_STATIC double lft_p_line_mean(const lft_p_line *l, double *scatter)
{
    double first = 0, sum = 0, squares = 0;
    int    r, found = 0;
    for (r = 0; r < l->replicas; ++r) {
        double d;
        if (!l->length[r]) continue;
        d = lft_p_line_replica_mean(l, r);
        if (!found) first = d;
        found = 1;
        d -= first;
        sum += (double)l->length[r] * d;
        squares += (double)l->length[r] * d * d;
    }
    squares -= sum * sum / (double)l->n;
    *scatter = squares > 0 ? squares : 0;
    return first + sum / (double)l->n;
}

/* How many pairs of samples are t apart: N - R t, or more if there are replicas shorter than t. */
LFT_P_STATIC size_t lft_p_line_pairs(const lft_p_line *l, size_t t)
{
    size_t pairs = 0;
    int    r;
    for (r = 0; r < l->replicas; ++r) pairs += l->length[r] > t ? l->length[r] - t : 0;
    return pairs;
}

/* sum_i (x_i - mean)(y_i - mean) */
LFT_P_STATIC double lft_p_lagged_product(const double *x, const double *y, size_t n, double mean)
{
    const size_t whole   = n - n % 8;
    double       part[8] = {0, 0, 0, 0, 0, 0, 0, 0}, sum = 0;
    size_t       i, k;
    for (i = 0; i < whole; i += 8) {
        for (k = 0; k < 8; ++k) part[k] += (x[i + k] - mean) * (y[i + k] - mean);
    }
    for (; i < n; ++i) sum += (x[i] - mean) * (y[i] - mean);
    for (k = 0; k < 8; ++k) sum += part[k];
    return sum;
}

/* gamma[k] = Gamma(lag + k), or 0 if no replica is that long. Several lags at once, while a replica is in cache. */
LFT_P_STATIC void lft_p_line_gamma(const lft_p_line *l, size_t lag, double gamma[LFT_P_LAGS])
{
    size_t k;
    int    r;
    for (k = 0; k < LFT_P_LAGS; ++k) gamma[k] = 0;
    for (r = 0; r < l->replicas; ++r) {
        const double *x    = l->data + (size_t)r * l->stride;
        const size_t  n    = l->length[r];
        const double  mean = n > lag ? lft_p_line_replica_mean(l, r) : 0;
        for (k = lag; k < lag + LFT_P_LAGS && k < n; ++k) gamma[k - lag] += lft_p_lagged_product(x, x + k, n - k, mean);
    }
    for (k = 0; k < LFT_P_LAGS; ++k) {
        const size_t pairs = lft_p_line_pairs(l, lag + k);
        if (pairs) gamma[k] /= (double)pairs;
    }
}

LFT_P_STATIC const char *lft_doubt_str(int doubts)
{
#define LFT_P_DOUBT_TEXT(name, bit, text) text,
    static const char *const text[] = {LFT_P_DOUBT_LIST(LFT_P_DOUBT_TEXT) "reliable"};
#undef LFT_P_DOUBT_TEXT
    int i = 0;
    while (1 << i < LFT_P_DOUBT_END && !(doubts >> i & 1)) ++i;
    return text[i];
}

LFT_P_STATIC lft_estimate lft_p_estimate_doubt(lft_estimate r, int doubt)
{
    r.doubts |= doubt;
    r.reliable = r.doubts == 0;
    return r;
}

LFT_P_STATIC lft_estimate lft_p_estimate_nothing(size_t n)
{
    lft_estimate r;
    lft_p_zero(&r, sizeof r);
    lft_p_set_nan(&r.value);
    lft_p_set_nan(&r.error);
    lft_p_set_nan(&r.error_error);
    lft_p_set_nan(&r.tau_int);
    lft_p_set_nan(&r.tau_int_error);
    r.n = n;
    return lft_p_estimate_doubt(r, n ? LFT_DOUBT_NONFINITE : LFT_DOUBT_FEW);
}

/* Has the truncation error exp(-W/T) fallen below the statistical one? */
LFT_P_STATIC int lft_p_window_ends(double w, double tau, double n, double factor)
{
    double t, x;
    if (tau <= 0.5 + DBL_EPSILON) return 1; /* T = 0 */
    t = factor / lft_p_f64_p_log((2 * tau + 1) / (2 * tau - 1));
    x = -w / t;
    return (x > -700 ? lft_p_f64_p_exp(x) : 0) < t / lft_p_f64_p_sqrt(w * n);
}

/* Sums the autocorrelation up to the window: tau before the bias correction. */
LFT_P_STATIC double lft_p_line_window(const lft_p_line *l, double factor, double *gamma0, size_t *window, int *doubts)
{
    double gamma[LFT_P_LAGS], tau = 0.5;
    size_t w;
    lft_p_line_gamma(l, 0, gamma);
    *gamma0 = gamma[0];
    *window = 0;
    if (!(*gamma0 > 0) || !lft_finite(*gamma0)) return tau;
    for (w = 1;; ++w) {
        if (w % LFT_P_LAGS == 0) lft_p_line_gamma(l, w, gamma);
        tau += gamma[w % LFT_P_LAGS] / *gamma0;
        *window = w;
        if (lft_p_line_pairs(l, w + 1) < l->n - l->n / 2) {
            *doubts |= LFT_DOUBT_WINDOW;
            break;
        }
        if (lft_p_window_ends((double)w, tau, (double)l->n, factor)) break;
    }
    return tau > 0.5 ? tau : 0.5;
}

/* chi^2 with k degrees of freedom is more than 4 sigma too large. By its cube root, which is nearly normal (Wilson and
 * Hilferty). */
LFT_P_STATIC int lft_p_chi2_large(double chi2, double k)
{
    const double a = 2 / (9 * k);
    return chi2 > k && lft_p_f64_p_exp(lft_p_f64_p_log(chi2 / k) / 3) - (1 - a) > 4 * lft_p_f64_p_sqrt(a);
}

/* All replicas are constant: what error there is shows between them. */
LFT_P_STATIC lft_estimate lft_p_estimate_constant(lft_estimate r, double scatter, int filled)
{
    r.tau_int       = 0.5;
    r.tau_int_error = r.error = r.error_error = 0;
    if (scatter > 0 && filled > 1) {
        r.error       = lft_p_f64_p_sqrt(scatter / ((double)r.n * (filled - 1)));
        r.error_error = r.error / lft_p_f64_p_sqrt(2.0 * (filled - 1));
        r.spread      = 1;
    } else if (r.n == 1) {
        lft_p_set_nan(&r.error);
        lft_p_set_nan(&r.error_error);
    }
    return lft_p_estimate_doubt(r, LFT_DOUBT_CONSTANT);
}

/* value +- the error of the line's mean */
LFT_P_STATIC lft_estimate lft_p_line_estimate(const lft_p_line *l, double value, double factor)
{
    const double n = (double)l->n;
    lft_estimate r = lft_p_estimate_nothing(l->n);
    double       scatter, gamma0, tau, biased;
    size_t       window;
    if (!l->n || !lft_finite(value)) return r;
    r.value  = value;
    r.doubts = l->n < 5 ? LFT_DOUBT_FEW : 0;
    (void)lft_p_line_mean(l, &scatter);
    tau = lft_p_line_window(l, factor, &gamma0, &window, &r.doubts);
    if (!lft_finite(scatter) || !lft_finite(gamma0) || !lft_finite(tau)) {
        return lft_p_estimate_doubt(r, LFT_DOUBT_NONFINITE);
    }
    if (!(gamma0 > 0)) return lft_p_estimate_constant(r, scatter, l->filled);
    r.window        = (int)window;
    biased          = 2 * (double)window + 1;
    r.tau_int       = tau * (1 + biased / n) / (1 + 1 / n);
    r.tau_int_error = 2 * tau * lft_p_f64_p_sqrt((biased / 2 > tau ? biased / 2 - tau : tau - biased / 2) / n);
    r.error         = lft_p_f64_p_sqrt(2 * r.tau_int * gamma0 * (1 + 1 / n) / n);
    r.error_error   = r.error * lft_p_f64_p_sqrt(biased / (2 * n));
    if (n < 50 * r.tau_int) r.doubts |= LFT_DOUBT_LENGTH;
    if (l->filled > 1) {
        const double k = l->filled - 1, corrected = r.error * r.error * (1 + k * biased / n);
        r.spread = scatter / (n * corrected * k);
        if (biased * l->filled > n / 10) r.doubts |= LFT_DOUBT_REPLICA;
        if (lft_p_chi2_large(r.spread * k, k)) r.doubts |= LFT_DOUBT_SPREAD;
    }
    return lft_p_estimate_doubt(r, 0);
}

LFT_P_STATIC lft_estimate lft_gamma(const lft_series *s, int column)
{
    lft_p_line l;
    double     scatter;
    if (column < 0 || column >= s->columns || !s->data) return lft_p_estimate_nothing(0);
    l = lft_p_line_of(s, lft_series_samples(s, column, 0));
    return l.n ? lft_p_line_estimate(&l, lft_p_line_mean(&l, &scatter), s->window_factor) : lft_p_estimate_nothing(0);
}

typedef struct lft_p_derived_work {
    double *mean, *slope; /* [column] */
    double *line;         /* [replica][capacity] */
} lft_p_derived_work;

LFT_P_STATIC lft_p_derived_work lft_p_derived_layout(const lft_series *s, lft_arena *a)
{
    lft_p_derived_work w;
    w.mean  = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.slope = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.line  = (double *)lft_arena_alloc(a, (size_t)s->replicas, s->capacity * sizeof(double));
    return w;
}

LFT_P_STATIC size_t lft_gamma_bytes(const lft_series *s)
{
    lft_arena a = lft_arena_measure();
    (void)lft_p_derived_layout(s, &a);
    return a.need;
}

LFT_P_STATIC void lft_p_series_means(const lft_series *s, double *mean)
{
    double scatter;
    int    c;
    for (c = 0; c < s->columns; ++c) {
        const lft_p_line l = lft_p_line_of(s, lft_series_samples(s, c, 0));
        mean[c]            = lft_p_line_mean(&l, &scatter);
    }
}

/* sqrt(variance / N) of a column */
LFT_P_STATIC double lft_p_naive_error(const lft_series *s, int column, double mean)
{
    const lft_p_line l   = lft_p_line_of(s, lft_series_samples(s, column, 0));
    double           sum = 0;
    size_t           i;
    int              r;
    for (r = 0; r < l.replicas; ++r) {
        for (i = 0; i < l.length[r]; ++i) {
            const double d = l.data[(size_t)r * l.stride + i] - mean;
            sum += d * d;
        }
    }
    return lft_p_f64_p_sqrt(sum) / (double)l.n;
}

/* slope = df/dmean; a column that does not fluctuate needs none */
LFT_P_STATIC void lft_p_slopes(const lft_series *s, lft_derived f, void *ctx, double *mean, double *slope)
{
    int c;
    for (c = 0; c < s->columns; ++c) {
        const double here = mean[c], h = lft_p_naive_error(s, c, here) / 4, up = here + h, down = here - h;
        double       rise;
        slope[c] = 0;
        if (!(up > down)) continue;
        mean[c]  = up;
        rise     = f(mean, ctx);
        mean[c]  = down;
        rise    -= f(mean, ctx);
        mean[c]  = here;
        slope[c] = rise / (up - down);
    }
}

/* line_i = sum_c slope_c (a_ic - mean_c) */
LFT_P_STATIC void lft_p_project(const lft_series *s, const lft_p_derived_work *w)
{
    size_t i;
    int    c, r;
    for (c = 0; c < s->columns; ++c) {
        for (r = 0; r < s->replicas; ++r) {
            const double *a    = lft_series_samples(s, c, r);
            double       *line = w->line + (size_t)r * s->capacity;
            for (i = 0; i < s->length[r]; ++i) line[i] += w->slope[c] * (a[i] - w->mean[c]);
        }
    }
}

LFT_P_STATIC lft_estimate lft_gamma_of(const lft_series *s, lft_derived f, void *ctx, lft_arena scratch, lft_error *e)
{
    const size_t       n = lft_p_line_of(s, s->data).n;
    lft_p_derived_work w;
    lft_p_line         l;
    lft_estimate       r;
    double             value;
    if (!n) {
        (void)lft_p_fail(e, LFT_ERR_ARG, "lft_gamma_of", "no samples");
        return lft_p_estimate_nothing(0);
    }
    w = lft_p_derived_layout(s, &scratch);
    if (!w.line) {
        (void)lft_arena_check(&scratch, e, "lft_gamma_of");
        return lft_p_estimate_nothing(n);
    }
    lft_p_series_means(s, w.mean);
    value = f(w.mean, ctx);
    lft_p_slopes(s, f, ctx, w.mean, w.slope);
    lft_p_project(s, &w);
    l = lft_p_line_of(s, w.line);
    r = lft_p_line_estimate(&l, value, s->window_factor);
    if (r.doubts & LFT_DOUBT_NONFINITE) {
        (void)lft_p_fail(e, LFT_ERR_NONFINITE, "lft_gamma_of",
                         lft_finite(value) ? "the gradient or a sample is not finite" : "the function is not finite");
    }
    return r;
}

LFT_P_STATIC double lft_ratio(const double *mean, void *ctx)
{
    const int *columns = (const int *)ctx;
    return columns ? mean[columns[0]] / mean[columns[1]] : mean[1] / mean[0];
}

/* ---- 23_jackknife.h, code ---------------------------------------------------------------------------------------- */

typedef struct lft_p_jackknife_work {
    double *mean, *left;   /* [column] of all samples, of all but one bin */
    double *change, *odds; /* [bin] f_j - f, N / m_j - 1 */
} lft_p_jackknife_work;

LFT_P_STATIC lft_p_jackknife_work lft_p_jackknife_layout(const lft_series *s, int bins, lft_arena *a)
{
    const size_t         most = (size_t)(bins > 0 ? bins : 0) + (size_t)s->replicas; /* a replica rounds up by 1 */
    lft_p_jackknife_work w;
    w.mean   = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.left   = (double *)lft_arena_alloc(a, (size_t)s->columns, sizeof(double));
    w.change = (double *)lft_arena_alloc(a, most, sizeof(double));
    w.odds   = (double *)lft_arena_alloc(a, most, sizeof(double));
    return w;
}

LFT_P_STATIC size_t lft_jackknife_bytes(const lft_series *s, int bins)
{
    lft_arena a = lft_arena_measure();
    (void)lft_p_jackknife_layout(s, bins, &a);
    return a.need;
}

/* The share of a replica in the bins: in proportion, at least 1, at most one per sample. */
LFT_P_STATIC size_t lft_p_share(size_t length, size_t n, int bins)
{
    const size_t share = (size_t)((double)bins * ((double)length / (double)n) + 0.5);
    if (!share) return length > 0;
    return share < length ? share : length;
}

/* left = the means without samples from..from+m of a replica */
LFT_P_STATIC void lft_p_leave_out(const lft_series *s, int replica, size_t from, size_t m, size_t n,
                                  const lft_p_jackknife_work *w)
{
    size_t i;
    int    c;
    for (c = 0; c < s->columns; ++c) {
        const double *a   = lft_series_samples(s, c, replica) + from;
        double        sum = 0;
        for (i = 0; i < m; ++i) sum += a[i] - w->mean[c];
        w->left[c] = w->mean[c] - sum / (double)(n - m);
    }
}

/* Fills change[] and odds[]; the number of bins. */
LFT_P_STATIC int lft_p_jackknife_bins(const lft_series *s, lft_derived f, void *ctx, int bins, size_t n, double value,
                                      const lft_p_jackknife_work *w)
{
    int r, used = 0;
    for (r = 0; r < s->replicas; ++r) {
        const size_t share = lft_p_share(s->length[r], n, bins);
        size_t       k, from = 0;
        for (k = 0; k < share; ++k, ++used) {
            const size_t m = s->length[r] / share + (k < s->length[r] % share); /* the first bins take the remainder */
            if (m == n) return 1;
            lft_p_leave_out(s, r, from, m, n, w);
            w->change[used] = f(w->left, ctx) - value;
            w->odds[used]   = (double)(n - m) / (double)m;
            from += m;
        }
    }
    return used;
}

/* bias and error from change[] and odds[]; 0 if they are not finite */
LFT_P_STATIC int lft_p_jackknife_error(lft_jackknifed *r, const lft_p_jackknife_work *w)
{
    double bias = 0, squares = 0;
    int    j;
    for (j = 0; j < r->bins; ++j) bias += w->change[j] * (w->odds[j] / (1 + w->odds[j]));
    for (j = 0; j < r->bins; ++j) {
        const double d = bias - w->odds[j] * w->change[j]; /* pseudo-value minus corrected value */
        squares += d * d / w->odds[j];
    }
    if (!lft_finite(squares)) return 0;
    r->bias  = bias;
    r->error = lft_p_f64_p_sqrt(squares / r->bins);
    return 1;
}

LFT_P_STATIC lft_status lft_p_jackknife(const lft_series *s, lft_derived f, void *ctx, int bins, lft_jackknifed *r,
                                        lft_arena scratch, lft_error *e)
{
    static const char    where[] = "lft_jackknife";
    lft_p_jackknife_work w;
    double               value;
    if (!r->n) return lft_p_fail(e, LFT_ERR_ARG, where, "no samples");
    if (bins < 2) return lft_p_fail_got(e, LFT_ERR_ARG, where, "bins", "at least 2", bins);
    w = lft_p_jackknife_layout(s, bins, &scratch);
    if (!w.odds) return lft_arena_check(&scratch, e, where);
    lft_p_series_means(s, w.mean);
    value = f(w.mean, ctx);
    if (!lft_finite(value)) return lft_p_fail(e, LFT_ERR_NONFINITE, where, "the function is not finite");
    r->value = value;
    r->bins  = lft_p_jackknife_bins(s, f, ctx, bins, r->n, value, &w);
    if (r->bins < 2) return lft_p_fail_got(e, LFT_ERR_ARG, where, "bins that the samples allow", "at least 2", r->bins);
    if (lft_p_jackknife_error(r, &w)) return LFT_OK;
    return lft_p_fail(e, LFT_ERR_NONFINITE, where, "the function without one bin is not finite");
}

LFT_P_STATIC lft_jackknifed lft_jackknife(const lft_series *s, lft_derived f, void *ctx, int bins, lft_arena scratch,
                                          lft_error *e)
{
    lft_jackknifed r;
    lft_p_set_nan(&r.value);
    lft_p_set_nan(&r.error);
    lft_p_set_nan(&r.bias);
    r.bins = 0;
    r.n    = lft_p_line_of(s, s->data).n;
    (void)lft_p_jackknife(s, f, ctx, bins, &r, scratch, e);
    return r;
}

/* ---- 24_npy.h, code ---------------------------------------------------------------------------------------------- */

/* ---- writing ---- */

LFT_P_STATIC lft_status lft_npy_write_header(lft_writer to, lft_dtype dtype, int rank, const uint64_t *shape,
                                             lft_error *error)
{
    static const char  magic[] = "\x93NUMPY\x01";
    const lft_p_dtype *d       = lft_p_dtype_of(dtype);
    char               text[384], kind[2] = {0, 0}; /* 8 dimensions of 20 digits make 234 characters */
    unsigned char      length[2];
    lft_p_text         t = {0, 0, 0};
    lft_p_sink         s;
    uint64_t           bytes;
    int                i;
    if (!d->bytes) return lft_p_fail(error, LFT_ERR_ARG, "npy", "no such dtype");
    if (rank < 0 || rank > 8) return lft_p_fail_got(error, LFT_ERR_ARG, "npy", "rank", "0 to 8", (double)rank);
    if (!lft_p_product(rank, shape, d->bytes, &bytes)) {
        return lft_p_fail(error, LFT_ERR_ARG, "npy", "the shape has more than 2^64 bytes");
    }
    t.data  = text;
    t.size  = sizeof text;
    kind[0] = d->kind;
    lft_p_put(&t, d->bytes == 1 ? "{'descr': '|" : "{'descr': '<");
    lft_p_put(&t, kind);
    lft_p_put_u64(&t, d->bytes);
    lft_p_put(&t, "', 'fortran_order': False, 'shape': (");
    for (i = 0; i < rank; ++i) {
        if (i) lft_p_put(&t, ", ");
        lft_p_put_u64(&t, shape[i]);
    }
    lft_p_put(&t, rank == 1 ? ",), }" : "), }");
    while ((10 + t.used + 1) % 64) lft_p_put(&t, " ");
    lft_p_put(&t, "\n");
    lft_p_file_put(length, 2, t.used);
    lft_p_sink_open(&s, to);
    lft_p_sink_put(&s, magic, 8); /* with the terminating 0 as minor version */
    lft_p_sink_put(&s, length, 2);
    lft_p_sink_put(&s, text, t.used);
    return lft_p_sink_close(&s, "npy", error);
}

/* Numbers first, first + 1, ... of the array. */
LFT_P_STATIC lft_status lft_p_npy_put(lft_p_sink *s, lft_dtype dtype, const double *value, size_t first, size_t n,
                                      lft_error *error)
{
    const size_t  part = lft_p_dtype_of(dtype)->part;
    unsigned char bytes[8];
    uint64_t      bits = 0;
    size_t        i;
    if (!part) return lft_p_fail(error, LFT_ERR_ARG, "npy", "no such dtype");
    for (i = 0; i < n; ++i) {
        if (!lft_p_number_bits(dtype, value[i], &bits)) {
            lft_p_text t = lft_p_error_text(error, LFT_ERR_ARG, "npy", "value ");
            lft_p_put_u64(&t, first + i);
            lft_p_put(&t, ": expected a number that fits ");
            lft_p_put(&t, lft_dtype_str(dtype));
            lft_p_put(&t, ", got ");
            lft_p_put_f64(&t, value[i]);
            return LFT_ERR_ARG;
        }
        lft_p_file_put(bytes, part, bits);
        lft_p_sink_put(s, bytes, part);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status lft_npy_write(lft_writer to, lft_dtype dtype, const double *value, size_t n, lft_error *error)
{
    lft_p_sink s;
    lft_status status;
    lft_p_sink_open(&s, to);
    status = lft_p_npy_put(&s, dtype, value, 0, n, error);
    return status ? status : lft_p_sink_close(&s, "npy", error);
}

LFT_P_STATIC lft_status lft_npy_write_f32(lft_writer to, lft_dtype dtype, const float *value, size_t n,
                                          lft_error *error)
{
    lft_p_sink s;
    lft_status status = LFT_OK;
    double     wide[64];
    size_t     i, at, now;
    lft_p_sink_open(&s, to);
    for (at = 0; at < n && !status; at += now) {
        now = n - at < 64 ? n - at : 64;
        for (i = 0; i < now; ++i) wide[i] = (double)value[at + i];
        status = lft_p_npy_put(&s, dtype, wide, at, now, error);
    }
    return status ? status : lft_p_sink_close(&s, "npy", error);
}

/* ---- reading ---- */

/* '<f8' and the like. */
LFT_P_STATIC void lft_p_npy_descr(lft_p_source *s, lft_npy *npy)
{
    const uint64_t at = lft_p_place(s);
    char           brief[48];
    const char    *text  = lft_p_string(s, '\'', brief);
    uint64_t       bytes = 0;
    unsigned       i;
    npy->big_endian = text[0] == '>';
    if ((text[0] == '<' || text[0] == '>' || text[0] == '|') && text[1] && lft_p_parse_u64(text + 2, &bytes)) {
        for (i = 1; i < LFT_P_DTYPE_COUNT; ++i) {
            const lft_p_dtype *d = lft_p_dtype_of((lft_dtype)i);
            if (d->kind == text[1] && d->bytes == bytes && (text[0] != '|' || bytes == 1)) npy->dtype = (lft_dtype)i;
        }
    }
    if (!npy->dtype) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, at, "descr: expected < or > and f4 f8 c8 c16 u8 i8 u4 i4 u1, got ");
        lft_p_put_quoted(&t, text);
    }
}

LFT_P_STATIC void lft_p_npy_fortran(lft_p_source *s)
{
    const uint64_t at      = lft_p_place(s);
    const int      fortran = lft_p_peek(s) == 'T';
    const char    *word;
    for (word = fortran ? "True" : "False"; *word && !s->status; ++word) {
        if (lft_p_peek(s) != *word) lft_p_unexpected(s, "True or False");
        else lft_p_skip(s);
    }
    if (fortran) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, at,
                        "fortran_order: expected False, got True: save numpy.ascontiguousarray(a)");
    }
}

/* A tuple: (), (3,), (3, 4) or (3, 4,); Python 2 wrote 3L for a long. */
LFT_P_STATIC void lft_p_npy_shape(lft_p_source *s, lft_npy *npy)
{
    int comma = 1;
    (void)lft_p_want(s, '(', "'(' of the shape");
    while (!s->status && !lft_p_accept(s, ')')) {
        if (!comma) lft_p_unexpected(s, "',' or ')' in the shape");
        else if (npy->rank == 8) lft_p_unexpected(s, "at most 8 dimensions");
        else npy->shape[npy->rank++] = lft_p_integer(s);
        if (lft_p_peek(s) == 'L') lft_p_skip(s);
        comma = lft_p_accept(s, ',');
    }
    if (npy->rank == 1 && !comma) lft_p_unexpected(s, "a comma in a shape of rank 1: (n,)");
}

LFT_P_STATIC void lft_p_npy_dict(lft_p_source *s, lft_npy *npy)
{
    static const char *const key[] = {"descr", "fortran_order", "shape"};
    unsigned                 seen  = 0;
    int                      comma = 1;
    (void)lft_p_want(s, '{', "'{'");
    while (!s->status && !lft_p_accept(s, '}')) {
        if (!comma) lft_p_unexpected(s, "',' or '}'");
        switch (lft_p_key(s, '\'', key, &seen)) {
        case 0: lft_p_npy_descr(s, npy); break;
        case 1: lft_p_npy_fortran(s); break;
        case 2: lft_p_npy_shape(s, npy); break;
        default: break;
        }
        comma = lft_p_accept(s, ',');
    }
    if (seen != 7) (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected descr, fortran_order and shape before the end");
    lft_p_want_end(s);
}

/* Magic, version and length: after them the source is at the text. */
LFT_P_STATIC void lft_p_npy_magic(lft_p_source *s)
{
    static const char magic[] = "\x93NUMPY";
    unsigned char     b[8]    = {0, 0, 0, 0, 0, 0, 0, 0};
    size_t            i, bytes;
    (void)lft_p_take(s, b, 8);
    for (i = 0; i < 6; ++i) {
        if (b[i] != (unsigned char)magic[i]) (void)lft_p_bad(s, LFT_ERR_FORMAT, 0, "expected \\x93NUMPY: no npy file");
    }
    if (b[6] < 1 || b[6] > 3 || b[7]) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, 6, "version: expected 1.0, 2.0 or 3.0, got ");
        lft_p_put_u64(&t, b[6]);
        lft_p_put(&t, ".");
        lft_p_put_u64(&t, b[7]);
    }
    bytes = b[6] == 1 ? 2 : 4;
    if (!lft_p_take(s, b, bytes)) return;
    s->left = lft_p_file_get(b, bytes, 0);
    if (s->left > 1u << 20) { /* far beyond any header of rank 8 */
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, 8, "length of the header: expected at most 1048576, got ");
        lft_p_put_u64(&t, s->left);
    }
}

LFT_P_STATIC lft_status lft_npy_read_header(lft_reader from, lft_npy *npy, lft_error *error)
{
    unsigned char      window[128];
    const lft_p_dtype *d;
    lft_p_source       s;
    uint64_t           bytes = 0;
    lft_p_zero(npy, sizeof *npy);
    lft_p_source_open(&s, from, "npy", error);
    s.data = window;
    s.size = sizeof window;
    lft_p_npy_magic(&s);
    lft_p_npy_dict(&s, npy);
    d = lft_p_dtype_of(npy->dtype);
    if (!lft_p_product(npy->rank, npy->shape, d->bytes, &bytes)) {
        (void)lft_p_bad(&s, LFT_ERR_FORMAT, s.at, "the shape has more than 2^64 bytes");
    }
    if (s.status) lft_p_zero(npy, sizeof *npy);
    else npy->count = bytes / d->part;
    return s.status;
}

LFT_P_STATIC lft_status lft_npy_read(lft_reader from, const lft_npy *npy, double *out, size_t n, lft_error *error)
{
    const size_t  part = lft_p_dtype_of(npy->dtype)->part, most = 512 / (part ? part : 1);
    unsigned char buffer[512];
    lft_p_source  s;
    size_t        at, now, i;
    if (!part) return lft_p_fail(error, LFT_ERR_ARG, "npy", "no header has been read");
    if (n > npy->count) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "npy", "numbers to read", "no more than the file has", (double)n);
    }
    lft_p_source_open(&s, from, "npy data", error);
    for (at = 0; at < n; at += now) {
        now = n - at < most ? n - at : most;
        if (!lft_p_take(&s, buffer, now * part)) break;
        for (i = 0; i < now; ++i) {
            out[at + i] = lft_p_number_of(npy->dtype, lft_p_file_get(buffer + i * part, part, npy->big_endian));
        }
    }
    return s.status;
}

/* ---- 25_safetensors.h, code -------------------------------------------------------------------------------------- */

#define LFT_P_ST_HEADER_MOST 100000000u /* the limit of the reference implementation */

LFT_P_STATIC const lft_tensor *lft_safetensors_find(const lft_safetensors *doc, const char *name)
{
    int i;
    for (i = 0; i < doc->tensors; ++i) {
        if (lft_p_order(doc->tensor[i].name, name) == 0) return doc->tensor + i;
    }
    return NULL;
}

LFT_P_STATIC const char *lft_safetensors_meta(const lft_safetensors *doc, const char *key)
{
    int i;
    for (i = 0; i < doc->metas; ++i) {
        if (lft_p_order(doc->meta[i].key, key) == 0) return doc->meta[i].value;
    }
    return NULL;
}

LFT_P_STATIC size_t lft_tensor_count(const lft_tensor *t)
{
    const size_t part = lft_p_dtype_of(t->dtype)->part;
    return part ? t->bytes / part : 0;
}

LFT_P_STATIC double lft_tensor_get(const lft_tensor *t, size_t i)
{
    const size_t   part = lft_p_dtype_of(t->dtype)->part;
    const uint64_t nan  = (uint64_t)0x7ff8u << 48;
    if (i >= lft_tensor_count(t)) return lft_p_number_of(LFT_DTYPE_F64, nan);
    return lft_p_number_of(t->dtype, lft_p_host_get((const unsigned char *)t->data + i * part, part));
}

LFT_P_STATIC uint64_t lft_tensor_get_u64(const lft_tensor *t, size_t i)
{
    const lft_p_dtype *d = lft_p_dtype_of(t->dtype);
    uint64_t           v;
    if (i >= lft_tensor_count(t) || (d->kind != 'u' && d->kind != 'i')) return 0;
    v = lft_p_host_get((const unsigned char *)t->data + i * d->part, d->part);
    return d->kind == 'i' && v >> (8 * d->part - 1) ? 0 : v;
}

/* ---- writing ---- */

/* "safetensors: tensor 'name': what" */
LFT_P_STATIC lft_status lft_p_st_fail(lft_error *e, lft_status code, const char *name, const char *what)
{
    lft_p_text t = lft_p_error_text(e, code, "safetensors", "tensor ");
    lft_p_put_quoted(&t, name);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return code;
}

LFT_P_STATIC void lft_p_st_put_header(lft_p_sink *s, const lft_tensor *t, int n, const lft_text_pair *meta, int nmeta)
{
    uint64_t at = 0;
    int      i, k;
    for (i = 0; i < nmeta; ++i) {
        lft_p_sink_text(s, i ? "," : "{\"__metadata__\":{");
        lft_p_sink_string(s, meta[i].key);
        lft_p_sink_text(s, ":");
        lft_p_sink_string(s, meta[i].value);
    }
    if (nmeta) lft_p_sink_text(s, "}");
    for (i = 0; i < n; ++i, ++t) {
        lft_p_sink_text(s, i || nmeta ? "," : "{");
        lft_p_sink_string(s, t->name);
        lft_p_sink_text(s, ":{\"dtype\":\"");
        lft_p_sink_text(s, lft_dtype_str(t->dtype));
        lft_p_sink_text(s, "\",\"shape\":[");
        for (k = 0; k < t->rank; ++k) {
            if (k) lft_p_sink_text(s, ",");
            lft_p_sink_u64(s, t->shape[k]);
        }
        lft_p_sink_text(s, "],\"data_offsets\":[");
        lft_p_sink_u64(s, at);
        at += t->bytes;
        lft_p_sink_text(s, ",");
        lft_p_sink_u64(s, at);
        lft_p_sink_text(s, "]}");
    }
    lft_p_sink_text(s, n || nmeta ? "}" : "{}");
}

LFT_P_STATIC lft_status lft_p_st_check_tensor(const lft_tensor *t, lft_error *e)
{
    const size_t element = t->dtype == LFT_DTYPE_C128 ? 0 : lft_dtype_bytes(t->dtype);
    uint64_t     bytes   = 0;
    if (!t->name) return lft_p_fail(e, LFT_ERR_ARG, "safetensors", "a tensor without a name");
    if (!lft_p_utf8_valid(t->name)) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "the name is no UTF-8");
    if (lft_p_order(t->name, "__metadata__") == 0) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "a reserved name");
    if (!element) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "the format has no such dtype");
    if (t->rank < 0 || t->rank > 8) return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "expected a rank from 0 to 8");
    if (!lft_p_product(t->rank, t->shape, element, &bytes) || bytes != t->bytes) {
        return lft_p_st_fail(e, LFT_ERR_ARG, t->name, "bytes are not those of the shape");
    }
    return bytes && !t->data ? lft_p_st_fail(e, LFT_ERR_ARG, t->name, "no data") : LFT_OK;
}

LFT_P_STATIC lft_status lft_p_st_check(const lft_tensor *t, int n, const lft_text_pair *meta, int nmeta, lft_error *e)
{
    int i, k;
    if (n < 0 || nmeta < 0) return lft_p_fail(e, LFT_ERR_ARG, "safetensors", "a negative number of entries");
    for (i = 0; i < n; ++i) {
        lft_status status = lft_p_st_check_tensor(t + i, e);
        for (k = 0; k < i && !status; ++k) {
            if (lft_p_order(t[i].name, t[k].name) == 0) {
                status = lft_p_st_fail(e, LFT_ERR_ARG, t[i].name, "expected each name once");
            }
        }
        if (status) return status;
    }
    for (i = 0; i < nmeta; ++i) {
        if (!meta[i].key || !meta[i].value || !lft_p_utf8_valid(meta[i].key) || !lft_p_utf8_valid(meta[i].value)) {
            return lft_p_fail_got(e, LFT_ERR_ARG, "safetensors", "metadata", "key and value in UTF-8", (double)i);
        }
        for (k = 0; k < i; ++k) {
            if (lft_p_order(meta[i].key, meta[k].key) == 0) {
                return lft_p_fail_text(e, LFT_ERR_ARG, "safetensors", "metadata", "each key once", meta[i].key);
            }
        }
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status lft_safetensors_save(lft_writer to, const lft_tensor *tensor, int n, const lft_text_pair *meta,
                                             int nmeta, lft_error *error)
{
    const lft_writer nowhere = {NULL, NULL};
    unsigned char    bytes[8];
    lft_p_sink       s;
    lft_status       status = lft_p_st_check(tensor, n, meta, nmeta, error);
    uint64_t         length;
    int              i;
    size_t           k;
    if (status) return status;
    lft_p_sink_open(&s, nowhere);
    lft_p_st_put_header(&s, tensor, n, meta, nmeta);
    length = (s.at + 7) / 8 * 8;
    if (length > LFT_P_ST_HEADER_MOST) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "safetensors", "bytes of header", "at most 100000000",
                              (double)length);
    }
    lft_p_sink_open(&s, to);
    lft_p_file_put(bytes, 8, length);
    lft_p_sink_put(&s, bytes, 8);
    lft_p_st_put_header(&s, tensor, n, meta, nmeta);
    while (s.at < 8 + length) lft_p_sink_put(&s, " ", 1);
    for (i = 0; i < n && !s.failed; ++i) {
        const unsigned char *data = (const unsigned char *)tensor[i].data;
        const size_t         part = lft_p_dtype_of(tensor[i].dtype)->part;
        for (k = 0; k < tensor[i].bytes; k += part) {
            lft_p_file_put(bytes, part, lft_p_host_get(data + k, part));
            lft_p_sink_put(&s, bytes, part);
        }
    }
    return lft_p_sink_close(&s, "safetensors", error);
}

/* ---- reading: the same code parses the header twice, first to count, then to fill what was allocated ---- */

typedef struct lft_p_st {
    lft_p_source         in;
    int                  has_meta;
    size_t               tensors, metas;
    uint64_t             sum, end; /* of the bytes of all tensors; of the buffer */
    lft_tensor          *tensor;   /* these are filled if in.decode */
    lft_text_pair       *meta;
    const unsigned char *base;
} lft_p_st;

/* [1,2,...] of at most `most` integers; returns how many. */
LFT_P_STATIC int lft_p_st_list(lft_p_source *s, uint64_t *v, int most)
{
    int n = 0;
    (void)lft_p_want(s, '[', "'['");
    if (lft_p_accept(s, ']')) return 0;
    do {
        if (n == most) lft_p_unexpected(s, most == 2 ? "two offsets" : "at most 8 dimensions");
        else v[n++] = lft_p_integer(s);
    } while (lft_p_accept(s, ','));
    (void)lft_p_want(s, ']', "',' or ']'");
    return n;
}

LFT_P_STATIC lft_dtype lft_p_st_dtype(lft_p_source *s)
{
    const uint64_t at = lft_p_place(s);
    char           brief[48];
    const char    *word = lft_p_string(s, '"', brief);
    lft_p_text     t;
    unsigned       i;
    for (i = 1; i < LFT_P_DTYPE_COUNT; ++i) {
        const lft_dtype d = (lft_dtype)i;
        if (d != LFT_DTYPE_C128 && lft_p_order(word, lft_dtype_str(d)) == 0) return d;
    }
    t = lft_p_bad(s, LFT_ERR_FORMAT, at, "dtype: expected F64, F32, C64, U64, I64, U32, I32 or U8, got ");
    lft_p_put_quoted(&t, word);
    return LFT_DTYPE_NONE;
}

/* {"dtype":...,"shape":...,"data_offsets":...} in any order */
LFT_P_STATIC void lft_p_st_info(lft_p_source *s, lft_tensor *t, uint64_t offset[2])
{
    static const char *const key[] = {"dtype", "shape", "data_offsets"};
    unsigned                 seen  = 0;
    int                      two   = 0;
    (void)lft_p_want(s, '{', "'{' of a tensor");
    do {
        switch (lft_p_key(s, '"', key, &seen)) {
        case 0: t->dtype = lft_p_st_dtype(s); break;
        case 1: t->rank = lft_p_st_list(s, t->shape, 8); break;
        case 2: two = lft_p_st_list(s, offset, 2); break;
        default: break;
        }
    } while (lft_p_accept(s, ','));
    if (seen != 7 || two != 2) lft_p_unexpected(s, "dtype, shape and two data_offsets before this");
    (void)lft_p_want(s, '}', "',' or '}' of a tensor");
}

LFT_P_STATIC void lft_p_st_tensor(lft_p_st *p, const char *name)
{
    const uint64_t at        = lft_p_place(&p->in);
    uint64_t       offset[2] = {0, 0}, bytes = 0;
    lft_tensor     t;
    lft_p_zero(&t, sizeof t);
    lft_p_st_info(&p->in, &t, offset);
    if (p->in.status) return;
    if (!lft_p_product(t.rank, t.shape, lft_dtype_bytes(t.dtype), &bytes) || bytes > UINT64_MAX - p->sum) {
        lft_p_text text = lft_p_bad(&p->in, LFT_ERR_FORMAT, at, "more than 2^64 bytes with tensor ");
        lft_p_put_quoted(&text, name);
    } else if (offset[1] < offset[0] || offset[1] - offset[0] != bytes) {
        lft_p_text text = lft_p_bad(&p->in, LFT_ERR_FORMAT, at, "data_offsets: expected the ");
        lft_p_put_u64(&text, bytes);
        lft_p_put(&text, " bytes of the shape, got ");
        lft_p_put_u64(&text, offset[0]);
        lft_p_put(&text, " to ");
        lft_p_put_u64(&text, offset[1]);
        lft_p_put(&text, " in tensor ");
        lft_p_put_quoted(&text, name);
    } else if (p->in.decode) {
        t.name                = name;
        t.data                = p->base + offset[0];
        t.bytes               = (size_t)bytes;
        p->tensor[p->tensors] = t;
    }
    if (offset[1] > p->end) p->end = offset[1];
    p->sum += bytes;
    p->tensors += 1;
}

LFT_P_STATIC void lft_p_st_metadata(lft_p_st *p)
{
    lft_p_source *s = &p->in;
    char          brief[48];
    lft_text_pair pair;
    if (p->has_meta) lft_p_unexpected(s, "__metadata__ only once");
    p->has_meta = 1;
    (void)lft_p_want(s, '{', "'{' of the metadata");
    if (lft_p_accept(s, '}')) return;
    do {
        pair.key = lft_p_string(s, '"', brief);
        (void)lft_p_want(s, ':', "':'");
        pair.value = lft_p_string(s, '"', brief);
        if (s->decode && !s->status) p->meta[p->metas] = pair;
        p->metas += 1;
    } while (lft_p_accept(s, ','));
    (void)lft_p_want(s, '}', "',' or '}' of the metadata");
}

/* The whole header. There is no recursion, since the format has no depth. */
LFT_P_STATIC lft_status lft_p_st_header(lft_p_st *p)
{
    lft_p_source *s = &p->in;
    char          brief[48];
    p->has_meta = 0;
    p->tensors = p->metas = 0;
    p->sum = p->end = 0;
    s->at           = 8;
    if (lft_p_peek(s) != '{') lft_p_unexpected(s, "'{' as the first character");
    (void)lft_p_accept(s, '{');
    if (!lft_p_accept(s, '}')) {
        do {
            const char *name = lft_p_string(s, '"', brief);
            (void)lft_p_want(s, ':', "':'");
            if (lft_p_order(name, "__metadata__") == 0) lft_p_st_metadata(p);
            else lft_p_st_tensor(p, name);
        } while (lft_p_accept(s, ','));
        (void)lft_p_want(s, '}', "',' or '}'");
    }
    lft_p_want_end(s);
    if (p->sum != p->end) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "data_offsets overlap or leave holes: expected an end at ");
        lft_p_put_u64(&t, p->sum);
        lft_p_put(&t, ", got ");
        lft_p_put_u64(&t, p->end);
    }
    return s->status;
}

/* ---- order and uniqueness. Both kinds of entries begin with a pointer to their name in the header ---- */

LFT_P_STATIC int lft_p_st_name_before(const void *a, const void *b)
{
    return lft_p_order(*(const char *const *)a, *(const char *const *)b) < 0;
}

LFT_P_STATIC int lft_p_st_data_before(const void *a, const void *b)
{
    const lft_tensor    *s = (const lft_tensor *)a, *t = (const lft_tensor *)b;
    const unsigned char *x = (const unsigned char *)s->data, *y = (const unsigned char *)t->data;
    if (x != y) return x < y;
    if (s->bytes != t->bytes) return s->bytes < t->bytes; /* empty tensors first */
    return s->name < t->name;
}

LFT_P_STATIC void lft_p_st_swap(unsigned char *a, unsigned char *b, size_t size)
{
    unsigned char c[sizeof(lft_tensor)];
    lft_p_copy(c, a, size);
    lft_p_copy(a, b, size);
    lft_p_copy(b, c, size);
}

/* Heapsort: neither a stranger's file nor its order may make it slow or deep. */
LFT_P_STATIC void lft_p_st_sort(void *entries, size_t n, size_t size, int (*before)(const void *, const void *))
{
    unsigned char *x    = (unsigned char *)entries;
    size_t         heap = n / 2, end = n, root, child;
    while (end > 1) {
        if (heap) --heap;
        else lft_p_st_swap(x, x + --end * size, size);
        for (root = heap; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && before(x + child * size, x + (child + 1) * size)) ++child;
            if (!before(x + root * size, x + child * size)) break;
            lft_p_st_swap(x + root * size, x + child * size, size);
        }
    }
}

/* Sorts by name and refuses duplicates. */
LFT_P_STATIC void lft_p_st_unique(lft_p_source *s, void *entries, size_t n, size_t size)
{
    const unsigned char *x = (const unsigned char *)entries;
    size_t               i;
    lft_p_st_sort(entries, n, size, lft_p_st_name_before);
    for (i = 1; i < n && !s->status; ++i) {
        const char *name;
        lft_p_text  t;
        if (lft_p_st_name_before(x + (i - 1) * size, x + i * size)) continue;
        lft_p_copy(&name, x + i * size, sizeof name);
        t = lft_p_bad(s, LFT_ERR_FORMAT, 8 + (uint64_t)(name - (const char *)s->data),
                      "expected each name once, got again ");
        lft_p_put_quoted(&t, name);
    }
}

/* Names once each; then the tensors in the order of their data, end to end. */
LFT_P_STATIC lft_status lft_p_st_arrange(lft_p_st *p)
{
    const unsigned char *end = p->base;
    size_t               i;
    lft_p_st_unique(&p->in, p->tensor, p->tensors, sizeof *p->tensor);
    lft_p_st_unique(&p->in, p->meta, p->metas, sizeof *p->meta);
    lft_p_st_sort(p->tensor, p->tensors, sizeof *p->tensor, lft_p_st_data_before);
    for (i = 0; i < p->tensors && !p->in.status; ++i) {
        const lft_tensor *t = p->tensor + i;
        if ((const unsigned char *)t->data != end) {
            lft_p_text text = lft_p_bad(&p->in, LFT_ERR_FORMAT, 8 + (uint64_t)(t->name - (const char *)p->in.data),
                                        "data_offsets: a hole or an overlap before tensor ");
            lft_p_put_quoted(&text, t->name);
        }
        end += t->bytes;
    }
    return p->in.status;
}

/* ---- loading ---- */

/* The buffer up to the end of the file, then each number from the file's byte order to the machine's. */
LFT_P_STATIC lft_status lft_p_st_data(lft_p_st *p, unsigned char *data)
{
    lft_p_source *s = &p->in;
    unsigned char more;
    size_t        i, k;
    if (!lft_p_take(s, data, (size_t)p->end)) return s->status;
    if (s->from.read(s->from.user, &more, 1) != 0) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected the end of the file, got more data");
    }
    for (i = 0; i < p->tensors; ++i) {
        const size_t part = lft_p_dtype_of(p->tensor[i].dtype)->part, bytes = p->tensor[i].bytes;
        for (k = 0; k < bytes; k += part, data += part) lft_p_host_put(data, part, lft_p_file_get(data, part, 0));
    }
    return s->status;
}

/* After the length. Without memory for the header it streams by, so that all that the file needs is counted. */
LFT_P_STATIC lft_status lft_p_st_load(lft_p_st *p, lft_arena *arena, size_t length)
{
    unsigned char  window[128];
    unsigned char *text = (unsigned char *)lft_arena_alloc(arena, length, 1), *data;
    lft_status     status;
    p->in.data = text ? text : window;
    p->in.size = text ? length : sizeof window;
    p->in.left = length;
    status     = lft_p_st_header(p);
    if (status) return status;
    p->tensor = (lft_tensor *)lft_arena_alloc(arena, p->tensors, sizeof *p->tensor);
    p->meta   = (lft_text_pair *)lft_arena_alloc(arena, p->metas, sizeof *p->meta);
    data      = (unsigned char *)lft_arena_alloc(arena, p->end < SIZE_MAX / 2 ? (size_t)p->end : SIZE_MAX / 2, 1);
    status    = lft_arena_check(arena, p->in.error, p->in.where);
    if (status || lft_arena_measuring(arena)) {
        p->tensors = p->metas = 0;
        return status;
    }
    p->in.decode = 1;
    p->in.used   = 0;
    p->base      = data;
    status       = lft_p_st_header(p);
    if (!status) status = lft_p_st_arrange(p);
    return status ? status : lft_p_st_data(p, data);
}

LFT_P_STATIC lft_status lft_safetensors_load(lft_reader from, lft_arena *arena, lft_safetensors *doc, lft_error *error)
{
    const lft_arena mark = *arena;
    unsigned char   b[8];
    uint64_t        length;
    lft_p_st        p;
    lft_status      status;
    lft_p_zero(doc, sizeof *doc);
    lft_p_zero(&p, sizeof p);
    lft_p_source_open(&p.in, from, "safetensors", error);
    if (!lft_p_take(&p.in, b, 8)) return p.in.status;
    length = lft_p_file_get(b, 8, 0);
    if (length < 2 || length > LFT_P_ST_HEADER_MOST) {
        lft_p_text t = lft_p_bad(&p.in, LFT_ERR_FORMAT, 0, "length of the header: expected 2 to 100000000, got ");
        lft_p_put_u64(&t, length);
        return p.in.status;
    }
    status = lft_p_st_load(&p, arena, (size_t)length);
    if (status && status != LFT_ERR_NOMEM) *arena = mark;
    if (status) return status;
    doc->tensor  = p.tensor;
    doc->meta    = p.meta;
    doc->tensors = (int)p.tensors;
    doc->metas   = (int)p.metas;
    return LFT_OK;
}

#undef LFT_P_ST_HEADER_MOST

/* ---- 26_links.h, code -------------------------------------------------------------------------------------------- */

#define LFT_P_LINKS_COLOURS 8
#define LFT_P_LINKS_SITES   ((uint64_t)1 << 24)
#define LFT_P_LINKS_NUMBERS (2 * LFT_P_LINKS_COLOURS * LFT_P_LINKS_COLOURS)
#define LFT_P_LINKS_BYTES   (8 * LFT_MAX_DIM * LFT_P_LINKS_NUMBERS) /* of a site; openQCD's 8 links of SU(3) are less */

LFT_P_STATIC const char *lft_gauge_format_str(lft_gauge_format format)
{
#define LFT_P_GAUGE_FORMAT_TEXT(code, name) name,
    static const char *const text[] = {"none", LFT_P_GAUGE_FORMAT_LIST(LFT_P_GAUGE_FORMAT_TEXT)};
#undef LFT_P_GAUGE_FORMAT_TEXT
    return text[(unsigned)format < LFT_P_GAUGE_FORMAT_COUNT ? (unsigned)format : 0u];
}

/* ---- sizes ---- */

/* dim extents, each 1 or more, with few enough sites that no product of sizes overflows; 0 if they are not. */
LFT_P_STATIC uint64_t lft_p_links_sites(int dim, const int *extent)
{
    uint64_t sites = 1;
    int      mu;
    for (mu = 0; mu < dim; ++mu) {
        if (extent[mu] < 1 || (uint64_t)extent[mu] > LFT_P_LINKS_SITES / sites) return 0;
        sites *= (uint64_t)extent[mu];
    }
    return sites;
}

LFT_P_STATIC size_t lft_p_links_bytes(const lft_gauge_file *f) /* of one link in the file */
{
    return (size_t)(2 * f->rows * f->colours) * lft_dtype_bytes(f->dtype);
}

/* A number of a header as an extent; what does not fit becomes -1, which lft_p_links_sites() refuses. */
LFT_P_STATIC int lft_p_links_extent(uint64_t v)
{
    return v <= LFT_P_LINKS_SITES ? (int)v : -1;
}

/* To the site after x in the file's order; after the last comes the first. */
LFT_P_STATIC void lft_p_links_next(const lft_gauge_file *f, int *x)
{
    int mu;
    for (mu = f->dim - 1; mu >= 0 && ++x[mu] == f->extent[mu]; --mu) x[mu] = 0;
}

LFT_P_STATIC void lft_p_put_hex(lft_p_text *t, uint32_t v)
{
    char digits[9];
    int  i;
    for (i = 7; i >= 0; --i) {
        digits[i] = "0123456789abcdef"[v & 15];
        v >>= 4;
    }
    digits[8] = 0;
    lft_p_put(t, digits);
}

/* All of text as a hexadecimal number below 2^32, with or without 0x. */
LFT_P_STATIC int lft_p_parse_hex(const char *text, uint32_t *v)
{
    *v = 0;
    if (text[0] == '0' && (text[1] | 32) == 'x') text += 2;
    if (!*text) return 0;
    for (; *text; ++text) {
        const int letter = *text | 32;
        if (*v >> 28) return 0;
        if (*text >= '0' && *text <= '9') *v = *v << 4 | (uint32_t)(*text - '0');
        else if (letter >= 'a' && letter <= 'f') *v = *v << 4 | (uint32_t)(letter - 'a' + 10);
        else return 0;
    }
    return 1;
}

/* "site (0, 1, 2, 3), direction 0" */
LFT_P_STATIC void lft_p_put_link(lft_p_text *t, const lft_gauge_file *f, const int *x, int mu)
{
    int k;
    for (k = 0; k < f->dim; ++k) {
        lft_p_put(t, k ? ", " : "site (");
        lft_p_put_u64(t, (uint64_t)x[k]);
    }
    lft_p_put(t, "), direction ");
    lft_p_put_u64(t, (uint64_t)mu);
}

/* ---- matrices ---- */

/* The third row of an SU(3) matrix: the conjugate of the cross product of the first two. */
LFT_P_STATIC void lft_p_links_third_row(double *u)
{
    const double *a = u, *b = u + 6;
    int           c;
    for (c = 0; c < 3; ++c) {
        const int i = 2 * ((c + 1) % 3), k = 2 * ((c + 2) % 3);
        u[12 + 2 * c] = (a[i] * b[k] - a[i + 1] * b[k + 1]) - (a[k] * b[i] - a[k + 1] * b[i + 1]);
        u[13 + 2 * c] = (a[k] * b[i + 1] + a[k + 1] * b[i]) - (a[i] * b[k + 1] + a[i + 1] * b[k]);
    }
}

/* The largest entry of |rows of u u^+ - 1| in its first `rows` rows; what overflows is DBL_MAX. */
LFT_P_STATIC double lft_p_links_unitarity(const double *u, int colours, int rows)
{
    double most = 0;
    int    i, k, c;
    for (i = 0; i < rows; ++i) {
        for (k = 0; k <= i; ++k) {
            const double *a = u + 2 * colours * i, *b = u + 2 * colours * k;
            double        re = i == k ? -1 : 0, im = 0;
            for (c = 0; c < 2 * colours; c += 2) {
                re += a[c] * b[c] + a[c + 1] * b[c + 1];
                im += a[c + 1] * b[c] - a[c] * b[c + 1];
            }
            if (!lft_finite(re) || !lft_finite(im)) return DBL_MAX;
            re = re < 0 ? -re : re;
            im = im < 0 ? -im : im;
            if (re > most) most = re;
            if (im > most) most = im;
        }
    }
    return most;
}

/* Re tr u / N */
LFT_P_STATIC double lft_p_links_trace(const double *u, int colours)
{
    double sum = 0;
    int    i;
    for (i = 0; i < colours; ++i) sum += u[2 * (colours + 1) * i];
    return sum / colours;
}

/* c = a b */
LFT_P_STATIC void lft_p_links_product(double *c, const double *a, const double *b, int colours)
{
    int i, k, j;
    for (i = 0; i < colours; ++i) {
        for (k = 0; k < colours; ++k) {
            double re = 0, im = 0;
            for (j = 0; j < colours; ++j) {
                const double *x = a + 2 * (colours * i + j), *y = b + 2 * (colours * j + k);
                re += x[0] * y[0] - x[1] * y[1];
                im += x[0] * y[1] + x[1] * y[0];
            }
            c[2 * (colours * i + k)]     = re;
            c[2 * (colours * i + k) + 1] = im;
        }
    }
}

/* ---- checksums ---- */

/* CRC-32 with the polynomial of zlib, four bits at a time. */
LFT_P_STATIC uint32_t lft_p_crc32(const unsigned char *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
                                       0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
                                       0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
    uint32_t              crc       = 0xffffffffu;
    size_t                i;
    for (i = 0; i < n; ++i) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* A shift by 32 is no operation of C: a rotation by 0 needs care. */
LFT_P_STATIC uint32_t lft_p_rotate(uint32_t v, unsigned by)
{
    return by ? v << by | v >> (32 - by) : v;
}

/* A payload on its way. The sums are taken of what is in the file, whichever of them the format has. */
typedef struct lft_p_links {
    const lft_gauge_file *file;
    int                   big_endian;
    uint32_t              words, crc[2]; /* of NERSC; of scidac-checksum */
    double                trace, unitarity;
    uint64_t              links;
    double                u[LFT_P_LINKS_NUMBERS];
    unsigned char         bytes[LFT_P_LINKS_BYTES];
} lft_p_links;

/* Takes the bytes of a site, the `rank`-th, into the checksum. */
LFT_P_STATIC void lft_p_links_crc(lft_p_links *p, size_t n, uint64_t rank)
{
    const uint32_t crc = lft_p_crc32(p->bytes, n);
    p->crc[0] ^= lft_p_rotate(crc, (unsigned)(rank % 29));
    p->crc[1] ^= lft_p_rotate(crc, (unsigned)(rank % 31));
}

/* What the links gave. */
LFT_P_STATIC void lft_p_links_found(const lft_p_links *p, lft_gauge_facts *found)
{
    lft_p_zero(found, sizeof *found);
    found->has_link_trace = p->links > 0 && lft_finite(p->trace);
    if (found->has_link_trace) found->link_trace = p->trace / (double)p->links;
    found->has_checksum = p->file->format != LFT_OPENQCD;
    if (p->file->format == LFT_NERSC) found->checksum[0] = p->words;
    if (p->file->format == LFT_ILDG) lft_p_copy(found->checksum, p->crc, sizeof p->crc);
}

/* ---- reading ---- */

/* The numbers of the file's rows; returns the sum of their 32-bit words. */
LFT_P_STATIC uint32_t lft_p_links_unpack(const lft_gauge_file *f, const unsigned char *bytes, int big_endian, double *u)
{
    const size_t part = lft_dtype_bytes(f->dtype);
    uint32_t     sum  = 0;
    int          i;
    for (i = 0; i < 2 * f->rows * f->colours; ++i) {
        const uint64_t bits = lft_p_file_get(bytes + (size_t)i * part, part, big_endian);
        sum += (uint32_t)(bits & 0xffffffffu) + (uint32_t)(bits >> 32);
        u[i] = lft_p_number_of(f->dtype, bits);
    }
    return sum;
}

/* Hands over the link at `bytes`, which is at that place of the file. */
LFT_P_STATIC void lft_p_links_put(lft_p_links *p, lft_p_source *s, const unsigned char *bytes, uint64_t at, const int *x,
                                  int mu, lft_gauge_put put, void *user)
{
    const lft_gauge_file *f = p->file;
    double                d;
    int                   i;
    p->words += lft_p_links_unpack(f, bytes, p->big_endian, p->u);
    if (f->rows < f->colours) lft_p_links_third_row(p->u);
    for (i = 0; i < 2 * f->colours * f->colours && !s->status; ++i) {
        if (!lft_finite(p->u[i])) {
            lft_p_text t = lft_p_bad(s, LFT_ERR_NONFINITE, at, "");
            lft_p_put_link(&t, f, x, mu);
            lft_p_put(&t, ": not a finite number");
        }
    }
    if (s->status) return;
    d = lft_p_links_unitarity(p->u, f->colours, f->colours);
    if (d > p->unitarity) p->unitarity = d;
    p->trace += lft_p_links_trace(p->u, f->colours);
    p->links += 1;
    s->status = (lft_status)put(user, x, mu, p->u);
}

/* A header that names no byte order: the links of the first site are unitary in one of the two, and noise in the other. */
LFT_P_STATIC void lft_p_links_guess(lft_p_links *p, lft_p_source *s, uint64_t at)
{
    const lft_gauge_file *f     = p->file;
    double                d[2] = {0, 0};
    int                   big, mu, i;
    for (big = 0; big < 2; ++big) {
        for (mu = 0; mu < f->dim; ++mu) {
            double here;
            (void)lft_p_links_unpack(f, p->bytes + (size_t)mu * lft_p_links_bytes(f), big, p->u);
            here = lft_p_links_unitarity(p->u, f->colours, f->rows);
            for (i = 0; i < 2 * f->rows * f->colours; ++i) {
                if (!lft_finite(p->u[i])) here = DBL_MAX;
            }
            if (here > d[big]) d[big] = here;
        }
    }
    p->big_endian = d[1] < d[0];
    if (d[p->big_endian] > 0.01) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, at, "byte order: expected unitary links in one of the two, got |UU^+ - 1| = ");
        lft_p_put_f64(&t, d[1]);
        lft_p_put(&t, " and ");
        lft_p_put_f64(&t, d[0]);
    }
}

/* All sites of a payload in the order that NERSC and ILDG share: x fastest, then direction (x first), row, column. */
LFT_P_STATIC void lft_p_links_read(lft_p_links *p, lft_p_source *s, lft_gauge_put put, void *user)
{
    const lft_gauge_file *f     = p->file;
    const uint64_t        sites = lft_p_links_sites(f->dim, f->extent);
    const size_t          link = lft_p_links_bytes(f), site = (size_t)f->dim * link;
    int                   x[LFT_MAX_DIM] = {0}, k;
    uint64_t              rank;
    for (rank = 0; rank < sites; ++rank) {
        const uint64_t at = s->at;
        if (!lft_p_take(s, p->bytes, site)) return;
        if (p->big_endian < 0) lft_p_links_guess(p, s, at);
        if (f->format == LFT_ILDG) lft_p_links_crc(p, site, rank);
        for (k = 0; k < f->dim && !s->status; ++k) {
            const size_t skip = (size_t)k * link;
            lft_p_links_put(p, s, p->bytes + skip, at + skip, x, f->dim - 1 - k, put, user);
        }
        if (s->status) return;
        lft_p_links_next(f, x);
    }
}

/* Nothing may follow the links: more would mean that extents or numbers are not what the header says. */
LFT_P_STATIC void lft_p_links_end(lft_p_source *s)
{
    unsigned char more;
    if (!s->status && s->from.read(s->from.user, &more, 1) != 0) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected the end of the file after the links, got more data");
    }
}

/* The checksums that are stated against those that were found. */
LFT_P_STATIC void lft_p_links_compare(lft_p_source *s, const lft_gauge_facts *stated, const lft_gauge_facts *found, int n)
{
    lft_p_text t;
    int        i, same = 1;
    for (i = 0; i < n; ++i) same &= stated->checksum[i] == found->checksum[i];
    if (s->status || !stated->has_checksum || same) return;
    t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "checksum of the links: expected");
    for (i = 0; i < 2 * n; ++i) {
        lft_p_put(&t, i == n ? ", got " : " ");
        lft_p_put_hex(&t, i < n ? stated->checksum[i] : found->checksum[i - n]);
    }
}

/* ---- writing: numbers are big-endian ---- */

/* "NERSC: site (0, 1, 2, 3), direction 0: what" */
LFT_P_STATIC lft_status lft_p_links_fail(const lft_gauge_file *f, lft_error *e, lft_status code, const int *x, int mu,
                                         const char *what)
{
    lft_p_text t = lft_p_error_text(e, code, lft_gauge_format_str(f->format), "");
    lft_p_put_link(&t, f, x, mu);
    lft_p_put(&t, ": ");
    lft_p_put(&t, what);
    return code;
}

/* Asks for a link, which has to be finite. */
LFT_P_STATIC lft_status lft_p_links_get(const lft_gauge_file *f, const int *x, int mu, lft_gauge_get get, void *user,
                                        double *u, lft_error *e)
{
    lft_status status;
    int        i;
    lft_p_zero(u, (size_t)(2 * f->colours * f->colours) * sizeof *u); /* nothing old, whatever get does */
    status = (lft_status)get(user, x, mu, u);
    for (i = 0; i < 2 * f->colours * f->colours && !status; ++i) {
        if (!lft_finite(u[i])) return lft_p_links_fail(f, e, LFT_ERR_NONFINITE, x, mu, "not a finite number");
    }
    return status;
}

/* A third row that the first two would not give back must not get lost. */
LFT_P_STATIC int lft_p_links_two_rows_suffice(const double *u)
{
    double v[18];
    int    i;
    lft_p_copy(v, u, sizeof v);
    lft_p_links_third_row(v);
    for (i = 12; i < 18; ++i) {
        const double d = v[i] - u[i];
        if (!lft_finite(d) || d > 1e-4 || d < -1e-4) return 0;
    }
    return 1;
}

/* The file's rows of a link as bytes, and their sum. */
LFT_P_STATIC lft_status lft_p_links_pack(lft_p_links *p, unsigned char *bytes, const int *x, int mu, lft_error *e)
{
    const lft_gauge_file *f    = p->file;
    const size_t          part = lft_dtype_bytes(f->dtype);
    uint64_t              bits = 0;
    size_t                k;
    int                   i;
    if (f->rows < f->colours && !lft_p_links_two_rows_suffice(p->u)) {
        return lft_p_links_fail(f, e, LFT_ERR_ARG, x, mu, "expected a matrix of SU(3), got one that needs all rows");
    }
    for (i = 0; i < 2 * f->rows * f->colours; ++i) {
        if (!lft_p_number_bits(f->dtype, p->u[i], &bits)) {
            return lft_p_links_fail(f, e, LFT_ERR_ARG, x, mu, "expected numbers that fit F32, got a larger one");
        }
        for (k = 0; k < part; ++k) *bytes++ = (unsigned char)(bits >> 8 * (part - 1 - k) & 0xff);
        p->words += (uint32_t)(bits & 0xffffffffu) + (uint32_t)(bits >> 32);
    }
    p->trace += lft_p_links_trace(p->u, f->colours);
    p->links += 1;
    return LFT_OK;
}

/* All sites; with a sink that only counts, it only takes the sums. */
LFT_P_STATIC lft_status lft_p_links_write(lft_p_links *p, lft_p_sink *to, lft_gauge_get get, void *user, lft_error *e)
{
    const lft_gauge_file *f     = p->file;
    const uint64_t        sites = lft_p_links_sites(f->dim, f->extent);
    const size_t          link = lft_p_links_bytes(f), site = (size_t)f->dim * link;
    int                   x[LFT_MAX_DIM] = {0}, k;
    uint64_t              rank;
    for (rank = 0; rank < sites && !to->failed; ++rank) {
        for (k = 0; k < f->dim; ++k) {
            const int  mu     = f->dim - 1 - k;
            lft_status status = lft_p_links_get(f, x, mu, get, user, p->u, e);
            if (!status) status = lft_p_links_pack(p, p->bytes + (size_t)k * link, x, mu, e);
            if (status) return status;
        }
        if (f->format == LFT_ILDG) lft_p_links_crc(p, site, rank);
        lft_p_sink_put(to, p->bytes, site);
        lft_p_links_next(f, x);
    }
    return LFT_OK;
}

/* ---- 27_nersc.h, code -------------------------------------------------------------------------------------------- */
/* 27_nersc.h: gauge files of the NERSC archive: text up to END_HEADER, then the links. Source: the Gauge Connection's
 * description of its format, and files of other codes.
 * Offers (private): lft_p_nersc_header(), lft_p_nersc_write().
 *
 * DATATYPE tells what is there. The standard's are 4D_SU3_GAUGE (two rows of each matrix, the third is the conjugate of
 * their cross product) and 4D_SU3_GAUGE_3x3 (all rows). In the same manner, but this library's own:
 *   4D_SU2_GAUGE_2x2, 4D_SU4_GAUGE_4x4, ...   all rows of N x N; 4D_SU2_GAUGE has them too, as the second of two is needed
 *   4D_U1_GAUGE                               one complex number of modulus 1 per link
 *   2D_..., 3D_...                            fewer dimensions: only DIMENSION_1 and _2 (and _3), x and y (and z) */

#define LFT_P_NERSC_HEADER_MOST 65536u

/* ---- decimal numbers ---- */

LFT_P_STATIC double lft_p_ten_to(int e) /* exactly, for 0 <= e <= 22 */
{
    double v = 1;
    while (e-- > 0) v *= 10;
    return v;
}

/* As "%.15g" prints a finite number, but that the last digit may be off by one. */
LFT_P_STATIC void lft_p_put_g15(lft_p_text *t, double v)
{
    char     digits[17];
    double   w;
    uint64_t n = 0;
    int      e = 0, i, used;
    if (v < 0) {
        lft_p_put(t, "-");
        v = -v;
    }
    if (!(v > 0)) {
        lft_p_put(t, "0");
        return;
    }
    for (w = v; w >= 10; w /= 10) ++e;
    for (; w < 1; w *= 10) --e;
    /* One rounding where a power of ten is exact. */
    w = e < 14 && e >= -8 ? v * lft_p_ten_to(14 - e) : w * 1e14;
    n = (uint64_t)(w + 0.5);
    if (n > 999999999999999u) { /* 9.9... rounds up to 10 */
        n /= 10;
        ++e;
    }
    for (i = 14; i >= 0; --i) {
        digits[i] = (char)('0' + (int)(n % 10));
        n /= 10;
    }
    for (used = 15; used > 1 && digits[used - 1] == '0';) --used;
    digits[used] = 0;
    if (e >= -4 && e < 15) {
        char one[2] = {0, 0};
        if (e < 0) lft_p_put(t, "0.");
        for (i = e + 1; i < 0; ++i) lft_p_put(t, "0");
        for (i = 0; i < used || i <= e; ++i) {
            if (e >= 0 && i == e + 1) lft_p_put(t, ".");
            one[0] = i < used ? digits[i] : '0';
            lft_p_put(t, one);
        }
        return;
    }
    {
        char first[3] = {0, 0, 0};
        first[0]      = digits[0];
        first[1]      = used > 1 ? '.' : 0;
        lft_p_put(t, first);
    }
    lft_p_put(t, digits + 1);
    lft_p_put(t, e < 0 ? "e-" : "e+");
    if (e > -10 && e < 10) lft_p_put(t, "0");
    lft_p_put_u64(t, (uint64_t)(e < 0 ? -e : e));
}

/* All of text as a finite decimal number, correct to about 1e-15; 0 if it is none. */
LFT_P_STATIC int lft_p_parse_f64(const char *text, double *v)
{
    const int minus = *text == '-';
    uint64_t  n     = 0;
    int       e = 0, x = 0, digits = 0, point = 0, minus_x;
    if (*text == '-' || *text == '+') ++text;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); ++text) {
        if (*text == '.') point = 1;
        else {
            const int kept = n < 100000000000000000u; /* eighteen digits */
            if (kept) n = 10 * n + (uint64_t)(*text - '0');
            digits = 1;
            e += !kept - point;
        }
    }
    if (!digits) return 0;
    if (*text == 'e' || *text == 'E') {
        ++text;
        minus_x = *text == '-';
        if (*text == '-' || *text == '+') ++text;
        if (!*text) return 0;
        for (; *text >= '0' && *text <= '9'; ++text) {
            if (x < 10000) x = 10 * x + (*text - '0');
        }
        e += minus_x ? -x : x;
    }
    if (*text) return 0;
    *v = minus ? -(double)n : (double)n;
    if (n == 0) return 1;
    if (e > 400) return 0;
    if (e < -400) e = -400;
    for (; e >= 22; e -= 22) *v *= lft_p_ten_to(22);
    for (; e <= -22; e += 22) *v /= lft_p_ten_to(22);
    if (e > 0) *v *= lft_p_ten_to(e);
    if (e < 0) *v /= lft_p_ten_to(-e);
    return lft_finite(*v);
}

/* ---- reading ---- */

enum { LFT_P_NERSC_DATATYPE, LFT_P_NERSC_CHECKSUM, LFT_P_NERSC_TRACE, LFT_P_NERSC_PLAQUETTE, LFT_P_NERSC_FLOATING,
       LFT_P_NERSC_DIMENSION, LFT_P_NERSC_KEYS = LFT_P_NERSC_DIMENSION + LFT_MAX_DIM };

LFT_P_STATIC const char *lft_p_nersc_key(int key)
{
    static const char *const name[] = {"DATATYPE",       "CHECKSUM",    "LINK_TRACE",  "PLAQUETTE",  "FLOATING_POINT",
                                       "DIMENSION_1",    "DIMENSION_2", "DIMENSION_3", "DIMENSION_4"};
    return name[key];
}

/* A line of the header: "KEY = value", cut into its two words. */
typedef struct lft_p_nersc {
    lft_p_source *s;
    uint64_t      line, at; /* its number, from 1, and its place */
    unsigned      seen;     /* the keys, as bits */
    int           extent[LFT_MAX_DIM]; /* x first */
    char          text[256];
    const char   *key, *value;
} lft_p_nersc;

/* "NERSC header: byte 57: line 3: KEY: expected ..., got '...'" */
LFT_P_STATIC void lft_p_nersc_bad(lft_p_nersc *h, const char *expected)
{
    lft_p_text t = lft_p_bad(h->s, LFT_ERR_FORMAT, h->at, "line ");
    lft_p_put_u64(&t, h->line);
    lft_p_put(&t, ": ");
    if (*h->key) {
        lft_p_put(&t, h->key);
        lft_p_put(&t, ": ");
    }
    lft_p_put(&t, "expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_quoted(&t, h->value);
}

/* The next line, of which used characters are there already; byte by byte, since nothing beyond the header may be read.
 * What is longer than the buffer is cut: only free text is. A line without = is a key without a value. */
LFT_P_STATIC void lft_p_nersc_line(lft_p_nersc *h, size_t used)
{
    unsigned char c = 0;
    char         *end, *equals;
    h->at  = h->s->at - used;
    h->key = h->value = "";
    h->line += 1;
    while (lft_p_take(h->s, &c, 1) && c != '\n') {
        if (h->s->at > LFT_P_NERSC_HEADER_MOST) lft_p_nersc_bad(h, "END_HEADER within 65536 bytes");
        else if (c < 32 && c != '\t' && c != '\r') {
            lft_p_text t = lft_p_bad(h->s, LFT_ERR_FORMAT, h->s->at - 1, "expected text, got byte ");
            lft_p_put_u64(&t, c);
        } else if (used + 1 < sizeof h->text) h->text[used++] = (char)c;
    }
    end = h->text + used;
    for (equals = h->text; equals < end && *equals != '=';) ++equals;
    if (equals < end) h->value = lft_p_trim(equals + 1, end);
    h->key = lft_p_trim(h->text, equals);
}

/* 1, and past it, if the text begins with the word. */
LFT_P_STATIC int lft_p_nersc_past(const char **text, const char *word)
{
    const char *p = *text;
    for (; *word; ++word, ++p) {
        if (*p != *word) return 0;
    }
    *text = p;
    return 1;
}

/* 4D_SU3_GAUGE_3x3 and its like; see the top. */
LFT_P_STATIC int lft_p_nersc_datatype(const char *p, lft_gauge_file *f)
{
    if (*p < '2' || *p > '0' + LFT_MAX_DIM) return 0;
    f->dim = *p++ - '0';
    if (lft_p_nersc_past(&p, "D_U1_GAUGE")) {
        f->colours = f->rows = 1;
        return !*p;
    }
    if (!lft_p_nersc_past(&p, "D_SU") || *p < '2' || *p > '0' + LFT_P_LINKS_COLOURS) return 0;
    f->colours = *p++ - '0';
    f->rows    = f->colours == 3 ? 2 : f->colours;
    if (!lft_p_nersc_past(&p, "_GAUGE")) return 0;
    if (!*p) return f->colours <= 3;
    f->rows = f->colours;
    if (!lft_p_nersc_past(&p, "_")) return 0;
    return p[0] == '0' + f->colours && (p[1] | 32) == 'x' && p[2] == '0' + f->colours && !p[3];
}

LFT_P_STATIC int lft_p_nersc_floating(const char *p, lft_gauge_file *f)
{
    if (lft_p_nersc_past(&p, "IEEE32")) f->dtype = LFT_DTYPE_F32;
    else if (lft_p_nersc_past(&p, "IEEE64")) f->dtype = LFT_DTYPE_F64;
    else return 0;
    f->big_endian = lft_p_nersc_past(&p, "BIG") ? 1 : lft_p_nersc_past(&p, "LITTLE") ? 0 : -1;
    return !*p;
}

/* A line whose key is one of ours. */
LFT_P_STATIC void lft_p_nersc_value(lft_p_nersc *h, int key, lft_gauge_file *f)
{
    uint64_t n = 0;
    if (h->seen >> key & 1) lft_p_nersc_bad(h, "this key only once");
    h->seen |= 1u << key;
    switch (key) {
    case LFT_P_NERSC_DATATYPE:
        if (!lft_p_nersc_datatype(h->value, f)) lft_p_nersc_bad(h, "4D_SU3_GAUGE, 4D_SU3_GAUGE_3x3, 2D_U1_GAUGE or the like");
        break;
    case LFT_P_NERSC_CHECKSUM:
        f->stated.has_checksum = lft_p_parse_hex(h->value, &f->stated.checksum[0]);
        if (!f->stated.has_checksum) lft_p_nersc_bad(h, "a hexadecimal number below 2^32");
        break;
    case LFT_P_NERSC_TRACE:
        f->stated.has_link_trace = lft_p_parse_f64(h->value, &f->stated.link_trace);
        if (!f->stated.has_link_trace) lft_p_nersc_bad(h, "a finite number");
        break;
    case LFT_P_NERSC_PLAQUETTE:
        f->stated.has_plaquette = lft_p_parse_f64(h->value, &f->stated.plaquette);
        if (!f->stated.has_plaquette) lft_p_nersc_bad(h, "a finite number");
        break;
    case LFT_P_NERSC_FLOATING:
        if (!lft_p_nersc_floating(h->value, f)) lft_p_nersc_bad(h, "IEEE32 or IEEE64, and BIG, LITTLE or nothing");
        break;
    default:
        if (!lft_p_parse_u64(h->value, &n) || n < 1 || n > LFT_P_LINKS_SITES) lft_p_nersc_bad(h, "an integer from 1 to 2^24");
        h->extent[key - LFT_P_NERSC_DIMENSION] = lft_p_links_extent(n);
    }
}

/* Is everything there that the links need, and does it fit together? */
LFT_P_STATIC void lft_p_nersc_check(lft_p_nersc *h, lft_gauge_file *f)
{
    int key, k;
    for (key = 0; key < LFT_P_NERSC_KEYS && !h->s->status; ++key) {
        const int seen = (int)(h->seen >> key & 1), direction = key - LFT_P_NERSC_DIMENSION;
        if (key > LFT_P_NERSC_DATATYPE && key < LFT_P_NERSC_FLOATING) continue;
        if (seen != (direction < f->dim)) {
            lft_p_text t = lft_p_bad(h->s, LFT_ERR_FORMAT, h->at, seen ? "expected no " : "expected ");
            lft_p_put(&t, lft_p_nersc_key(key));
            lft_p_put(&t, seen ? " with this DATATYPE" : " before END_HEADER");
        }
    }
    for (k = 0; k < f->dim; ++k) f->extent[k] = h->extent[f->dim - 1 - k];
    if (!h->s->status && !lft_p_links_sites(f->dim, f->extent)) {
        (void)lft_p_bad(h->s, LFT_ERR_FORMAT, h->at, "DIMENSION_1, ...: expected at most 2^24 sites in all, got more");
    }
}

/* The rest of the header after the first four bytes, which are "BEGI". */
LFT_P_STATIC void lft_p_nersc_header(lft_p_source *s, lft_gauge_file *f)
{
    lft_p_nersc h;
    int         key;
    lft_p_zero(&h, sizeof h);
    h.s      = s;
    s->where = "NERSC header";
    lft_p_copy(h.text, "BEGI", 4);
    lft_p_nersc_line(&h, 4);
    if (lft_p_order(h.key, "BEGIN_HEADER")) {
        h.value = h.key;
        h.key   = "";
        lft_p_nersc_bad(&h, "BEGIN_HEADER");
    }
    for (;;) {
        lft_p_nersc_line(&h, 0);
        if (s->status || lft_p_order(h.key, "END_HEADER") == 0) break;
        for (key = 0; key < LFT_P_NERSC_KEYS && lft_p_order(h.key, lft_p_nersc_key(key)); ++key) {}
        if (key < LFT_P_NERSC_KEYS) lft_p_nersc_value(&h, key, f);
        if (s->status) break;
    }
    lft_p_nersc_check(&h, f);
}

/* ---- writing ---- */

/* Re tr P / N of all plaquettes. Four links each, asked for again: nothing is stored. */
LFT_P_STATIC lft_status lft_p_nersc_plaquette(const lft_gauge_file *f, lft_gauge_get get, void *user, double *plaquette,
                                              lft_error *e)
{
    double         a[LFT_P_LINKS_NUMBERS], b[LFT_P_LINKS_NUMBERS], ab[2][LFT_P_LINKS_NUMBERS], sum = 0;
    const uint64_t sites           = lft_p_links_sites(f->dim, f->extent);
    int            x[LFT_MAX_DIM] = {0}, y[LFT_MAX_DIM], mu, nu, side, i;
    uint64_t       rank;
    for (rank = 0; rank < sites; ++rank) {
        for (mu = 1; mu < f->dim; ++mu) {
            for (nu = 0; nu < mu; ++nu) {
                for (side = 0; side < 2; ++side) { /* two ways round: the trace of one times the other's adjoint */
                    const int  first = side ? nu : mu, second = side ? mu : nu;
                    lft_status status = lft_p_links_get(f, x, first, get, user, a, e);
                    lft_p_copy(y, x, sizeof y);
                    y[first] = x[first] + 1 < f->extent[first] ? x[first] + 1 : 0;
                    if (!status) status = lft_p_links_get(f, y, second, get, user, b, e);
                    if (status) return status;
                    lft_p_links_product(ab[side], a, b, f->colours);
                }
                for (i = 0; i < 2 * f->colours * f->colours; ++i) sum += ab[0][i] * ab[1][i];
            }
        }
        lft_p_links_next(f, x);
    }
    *plaquette = sum / ((double)sites * f->colours * (f->dim * (f->dim - 1) / 2));
    return LFT_OK;
}

LFT_P_STATIC void lft_p_nersc_put(lft_p_sink *to, const char *key, int number, const char *value)
{
    lft_p_sink_text(to, key);
    if (number) lft_p_sink_u64(to, (uint64_t)number);
    lft_p_sink_text(to, " = ");
    lft_p_sink_text(to, value);
    lft_p_sink_text(to, "\n");
}

LFT_P_STATIC void lft_p_nersc_put_header(lft_p_sink *to, const lft_gauge_file *f, const lft_gauge_facts *facts)
{
    char       word[48];
    lft_p_text t = {0, 0, 0};
    int        k;
    t.data = word;
    t.size = sizeof word;
    lft_p_sink_text(to, "BEGIN_HEADER\n");
    lft_p_nersc_put(to, "HDR_VERSION", 0, "1.0");
    lft_p_put_u64(&t, (uint64_t)f->dim);
    lft_p_put(&t, f->colours > 1 ? "D_SU" : "D_U");
    lft_p_put_u64(&t, (uint64_t)f->colours);
    lft_p_put(&t, "_GAUGE");
    if (f->colours > 1 && f->rows == f->colours) {
        lft_p_put(&t, "_");
        lft_p_put_u64(&t, (uint64_t)f->colours);
        lft_p_put(&t, "x");
        lft_p_put_u64(&t, (uint64_t)f->colours);
    }
    lft_p_nersc_put(to, "DATATYPE", 0, word);
    lft_p_nersc_put(to, "STORAGE_FORMAT", 0, "1.0");
    for (k = 1; k <= f->dim; ++k) {
        t.used = 0;
        lft_p_put_u64(&t, (uint64_t)f->extent[f->dim - k]);
        lft_p_nersc_put(to, "DIMENSION_", k, word);
    }
    t.used = 0;
    lft_p_put_g15(&t, facts->link_trace);
    lft_p_nersc_put(to, "LINK_TRACE", 0, word);
    t.used = 0;
    lft_p_put_g15(&t, facts->plaquette);
    lft_p_nersc_put(to, "PLAQUETTE", 0, word);
    for (k = 1; k <= f->dim; ++k) lft_p_nersc_put(to, "BOUNDARY_", k, "PERIODIC");
    t.used = 0;
    lft_p_put_hex(&t, facts->checksum[0]);
    lft_p_nersc_put(to, "CHECKSUM", 0, word);
    lft_p_nersc_put(to, "ENSEMBLE_ID", 0, "lftflow");
    lft_p_nersc_put(to, "ENSEMBLE_LABEL", 0, "lftflow");
    lft_p_nersc_put(to, "SEQUENCE_NUMBER", 0, "0");
    lft_p_nersc_put(to, "CREATOR", 0, "lftflow " LFT_VERSION);
    lft_p_nersc_put(to, "FLOATING_POINT", 0, f->dtype == LFT_DTYPE_F32 ? "IEEE32BIG" : "IEEE64BIG");
    lft_p_sink_text(to, "END_HEADER\n");
}

/* The header states what the links have to give: so they are asked for once to learn it, and again to be written. */
LFT_P_STATIC lft_status lft_p_nersc_write(lft_p_links *p, lft_p_sink *to, lft_gauge_get get, void *user, lft_error *e)
{
    const lft_writer nowhere = {NULL, NULL};
    lft_p_sink       count;
    lft_gauge_facts  facts;
    lft_status       status;
    lft_p_sink_open(&count, nowhere);
    status = lft_p_links_write(p, &count, get, user, e);
    lft_p_links_found(p, &facts);
    if (!status) status = lft_p_nersc_plaquette(p->file, get, user, &facts.plaquette, e);
    if (status) return status;
    if (!facts.has_link_trace || !lft_finite(facts.plaquette)) {
        return lft_p_fail(e, LFT_ERR_NONFINITE, "NERSC", "link trace or plaquette is not a finite number");
    }
    lft_p_nersc_put_header(to, p->file, &facts);
    p->words = 0;
    status   = lft_p_links_write(p, to, get, user, e);
    if (!status && !to->failed && p->words != facts.checksum[0]) {
        status = lft_p_fail(e, LFT_ERR_ARG, "NERSC", "get: expected the same links when asked for them again");
    }
    return status;
}

#undef LFT_P_NERSC_HEADER_MOST

/* ---- 28_ildg.h, code --------------------------------------------------------------------------------------------- */
/* 28_ildg.h: gauge files of the International Lattice Data Grid: records of LIME. Source: ILDG binary file format 1.2, the
 * c-lime library's reader, and files of other codes.
 * Offers (private): lft_p_ildg_header(), lft_p_ildg_rest(), lft_p_ildg_write().
 *
 * A record is a header of 144 bytes (magic, version, flags, length of the data, type), the data, and padding to a multiple of
 * 8. Records of interest are ildg-format (XML), ildg-binary-data (the links) and, behind it as a rule, scidac-checksum (XML);
 * all others are skipped. There is no standard for fewer than four dimensions. */

#define LFT_P_LIME_HEADER   144
#define LFT_P_LIME_XML_MOST ((uint64_t)1 << 20)

/* ---- records ---- */

typedef struct lft_p_lime {
    uint64_t length;
    int      ends; /* the record is the last of its message */
    char     type[129];
} lft_p_lime;

/* The next header, of which `have` bytes are in raw already. 0 at the end of the file, or after a failure. */
LFT_P_STATIC int lft_p_lime_next(lft_p_source *s, lft_p_lime *r, unsigned char raw[LFT_P_LIME_HEADER], size_t have)
{
    const uint64_t at = s->at - have;
    size_t         got;
    lft_p_text     t;
    s->where = "LIME record";
    got      = s->status ? 0 : s->from.read(s->from.user, raw + have, LFT_P_LIME_HEADER - have);
    if (s->status || (got == 0 && have == 0)) return 0;
    if (got != LFT_P_LIME_HEADER - have) {
        t = lft_p_bad(s, LFT_ERR_IO, at, "the data end early: expected a header of 144 bytes, got ");
        lft_p_put_u64(&t, got + have);
        return 0;
    }
    s->at = at + LFT_P_LIME_HEADER;
    if (lft_p_file_get(raw, 4, 1) != 0x456789abu) {
        t = lft_p_bad(s, LFT_ERR_FORMAT, at, "magic: expected 456789ab, got ");
        lft_p_put_hex(&t, (uint32_t)lft_p_file_get(raw, 4, 1));
    } else if (lft_p_file_get(raw + 4, 2, 1) != 1) {
        t = lft_p_bad(s, LFT_ERR_FORMAT, at + 4, "version: expected 1, got ");
        lft_p_put_u64(&t, lft_p_file_get(raw + 4, 2, 1));
    } else if ((raw[6] >> 7) != (unsigned)r->ends) { /* the reference library stops at this, too */
        (void)lft_p_bad(s, LFT_ERR_FORMAT, at + 6,
                        r->ends ? "flags: expected the begin of a message" : "flags: expected no begin within a message");
    }
    r->ends   = raw[6] >> 6 & 1;
    r->length = lft_p_file_get(raw + 8, 8, 1);
    lft_p_copy(r->type, raw + 16, 128);
    r->type[128] = 0;
    if (r->length >> 62) {
        t = lft_p_bad(s, LFT_ERR_FORMAT, at + 8, "length of ");
        lft_p_put_quoted(&t, r->type);
        lft_p_put(&t, ": expected less than 2^62 bytes, got ");
        lft_p_put_u64(&t, r->length);
    }
    return !s->status;
}

/* Past n bytes. */
LFT_P_STATIC void lft_p_lime_skip(lft_p_source *s, uint64_t n)
{
    unsigned char some[256];
    for (; n && !s->status; n -= n < sizeof some ? n : sizeof some) {
        (void)lft_p_take(s, some, n < sizeof some ? (size_t)n : sizeof some);
    }
}

LFT_P_STATIC uint64_t lft_p_lime_padding(uint64_t length)
{
    return (8 - length % 8) % 8;
}

/* ---- XML: elements with text, wherever they stand. Attributes, prefixes and what is no element are passed over ---- */

/* Past the rest of a tag, of which '<' and what the caller has looked at are gone; 1 if it ended with "/>". */
LFT_P_STATIC int lft_p_xml_tag_end(lft_p_source *s)
{
    int c, before = 0, quote = 0;
    while ((c = lft_p_peek(s)) >= 0) {
        lft_p_skip(s);
        if (quote) quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'') quote = c;
        else if (c == '>') return before == '/';
        before = c;
    }
    lft_p_unexpected(s, "'>' of a tag");
    return 0;
}

/* Past a comment, a declaration or a processing instruction, after its "<!" or "<?". */
LFT_P_STATIC void lft_p_xml_aside(lft_p_source *s)
{
    int c, dashes = 0, comment = 0, n;
    for (n = 0; (c = lft_p_peek(s)) >= 0; ++n) {
        lft_p_skip(s);
        if (n == 1 && c == '-' && dashes == 1) {
            comment = 1;
            dashes  = 0;
            continue;
        }
        if (c == '>' && (!comment || dashes >= 2)) return;
        dashes = c == '-' ? (dashes < 2 ? dashes + 1 : 2) : 0;
    }
    lft_p_unexpected(s, "'>'");
}

/* An element: its name without prefix, and its text without white space around it; both cut, which no name and no value
 * that matters is long enough for. */
typedef struct lft_p_xml {
    uint64_t    at;
    char        name[24], text[48];
    const char *value;
} lft_p_xml;

/* The next element; 0 after the last, or after a failure. An element that has others in it comes with the text before
 * them. */
LFT_P_STATIC int lft_p_xml_next(lft_p_source *s, lft_p_xml *e)
{
    size_t n = 0;
    int    c, empty;
    for (;;) {
        while ((c = lft_p_peek(s)) >= 0 && c != '<') lft_p_skip(s);
        if (c < 0) return 0;
        e->at = s->at;
        lft_p_skip(s);
        c = lft_p_peek(s);
        if (c == '!' || c == '?') {
            lft_p_skip(s);
            lft_p_xml_aside(s);
        } else if (c == '/') (void)lft_p_xml_tag_end(s);
        else break;
    }
    for (; (c = lft_p_peek(s)) > ' ' && c != '>' && c != '/'; lft_p_skip(s)) {
        if (c == ':') n = 0;
        else if (n + 1 < sizeof e->name) e->name[n++] = (char)(unsigned char)c;
    }
    e->name[n] = 0;
    empty      = lft_p_xml_tag_end(s);
    for (n = 0; !empty && (c = lft_p_peek(s)) >= 0 && c != '<'; lft_p_skip(s)) {
        if (n + 1 < sizeof e->text) e->text[n++] = (char)(unsigned char)c;
    }
    e->value = lft_p_trim(e->text, e->text + n);
    return !s->status;
}

/* "ILDG ildg-format: byte 123: lx: expected ..., got '...'" */
LFT_P_STATIC void lft_p_xml_bad(lft_p_source *s, const lft_p_xml *e, const char *expected)
{
    lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, e->at, e->name);
    lft_p_put(&t, ": expected ");
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_quoted(&t, e->value);
}

/* All of a record of XML, with its padding: value(s, e, ctx) for each element. */
LFT_P_STATIC void lft_p_xml_read(lft_p_source *s, const lft_p_lime *r, const char *where,
                                 void (*value)(lft_p_source *s, const lft_p_xml *e, void *ctx), void *ctx)
{
    unsigned char window[128];
    lft_p_xml     e;
    s->where = where;
    if (r->length > LFT_P_LIME_XML_MOST) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER + 8, "length: expected at most 1048576, got ");
        lft_p_put_u64(&t, r->length);
        return;
    }
    s->data = window;
    s->size = sizeof window;
    s->left = r->length;
    s->held = s->used = 0;
    while (lft_p_xml_next(s, &e)) value(s, &e, ctx);
    s->data = NULL;
    s->size = s->held = s->used = 0;
    lft_p_lime_skip(s, lft_p_lime_padding(r->length));
}

/* ---- reading ---- */

/* "su3gauge" and the like: N, or 0 */
LFT_P_STATIC int lft_p_ildg_colours(const char *field)
{
    int n = 0;
    if (lft_p_order(field, "u1gauge") == 0) return 1;
    if (field[0] == 's' && field[1] == 'u' && field[2] >= '2' && field[2] <= '0' + LFT_P_LINKS_COLOURS) n = field[2] - '0';
    return n && lft_p_order(field + 3, "gauge") == 0 ? n : 0;
}

typedef struct lft_p_ildg {
    lft_gauge_file *file;
    unsigned        seen; /* bits of the elements */
} lft_p_ildg;

/* An element of ildg-format. */
LFT_P_STATIC void lft_p_ildg_format(lft_p_source *s, const lft_p_xml *e, void *ctx)
{
    static const char *const name[] = {"lt", "lz", "ly", "lx", "field", "precision"};
    lft_p_ildg              *r      = (lft_p_ildg *)ctx;
    uint64_t                 n      = 0;
    int                      k;
    for (k = 0; k < 6 && lft_p_order(e->name, name[k]); ++k) {}
    if (k == 6) return;
    if (r->seen >> k & 1) lft_p_xml_bad(s, e, "this element only once");
    r->seen |= 1u << k;
    if (k == 4) {
        r->file->colours = lft_p_ildg_colours(e->value);
        if (!r->file->colours) lft_p_xml_bad(s, e, "su3gauge, su2gauge, u1gauge or the like");
        return;
    }
    if (!lft_p_parse_u64(e->value, &n)) n = 0;
    if (k == 5) {
        r->file->dtype = n == 64 ? LFT_DTYPE_F64 : LFT_DTYPE_F32;
        if (n != 32 && n != 64) lft_p_xml_bad(s, e, "32 or 64");
        return;
    }
    if (n < 1 || n > LFT_P_LINKS_SITES) lft_p_xml_bad(s, e, "an integer from 1 to 2^24");
    r->file->extent[k] = lft_p_links_extent(n);
}

/* An element of scidac-checksum. */
LFT_P_STATIC void lft_p_ildg_sums(lft_p_source *s, const lft_p_xml *e, void *ctx)
{
    lft_p_ildg *r = (lft_p_ildg *)ctx;
    const int   k = lft_p_order(e->name, "suma") == 0 ? 0 : 1;
    if (k && lft_p_order(e->name, "sumb")) return;
    if (r->seen >> k & 1) lft_p_xml_bad(s, e, "this element only once");
    r->seen |= 1u << k;
    if (!lft_p_parse_hex(e->value, &r->file->stated.checksum[k])) lft_p_xml_bad(s, e, "a hexadecimal number below 2^32");
}

LFT_P_STATIC void lft_p_ildg_read_format(lft_p_source *s, const lft_p_lime *r, lft_gauge_file *f)
{
    lft_p_ildg p;
    p.file = f;
    p.seen = 0;
    if (f->dim) (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER, "expected ildg-format only once");
    lft_p_xml_read(s, r, "ILDG ildg-format", lft_p_ildg_format, &p);
    if (p.seen != 63) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected field, precision, lx, ly, lz and lt before the end of the record");
    }
    f->dim = 4;
}

LFT_P_STATIC void lft_p_ildg_read_sums(lft_p_source *s, const lft_p_lime *r, lft_gauge_file *f)
{
    lft_p_ildg p;
    p.file = f;
    p.seen = 0;
    if (f->stated.has_checksum) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER, "expected scidac-checksum only once");
    }
    lft_p_xml_read(s, r, "ILDG scidac-checksum", lft_p_ildg_sums, &p);
    if (p.seen != 3) (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected suma and sumb before the end of the record");
    f->stated.has_checksum = 1;
}

/* 1 if links of this size and type have that length in all; 0 as well if there can be none. */
LFT_P_STATIC int lft_p_ildg_fits(const lft_gauge_file *f, uint64_t length)
{
    const uint64_t sites = lft_p_links_sites(f->dim, f->extent);
    return sites && length == sites * (uint64_t)f->dim * lft_p_links_bytes(f);
}

/* What no record says is what the caller says; colours and dtype may be read off the length, which fits one pair only. */
LFT_P_STATIC void lft_p_ildg_hint(lft_p_source *s, const lft_p_lime *r, const lft_gauge_hint *hint, lft_gauge_file *f)
{
    lft_gauge_file one = *f;
    int            n, wide;
    if (!hint || lft_p_links_sites(4, hint->extent) == 0) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "no ildg-format record before the links: expected extents from the caller");
        return;
    }
    lft_p_copy(one.extent, hint->extent, sizeof one.extent);
    one.dim = 4;
    for (n = 1; n <= LFT_P_LINKS_COLOURS; ++n) {
        for (wide = 0; wide < 2; ++wide) {
            one.colours = one.rows = n;
            one.dtype              = wide ? LFT_DTYPE_F64 : LFT_DTYPE_F32;
            if ((hint->colours && hint->colours != n) || (hint->dtype && hint->dtype != one.dtype)) continue;
            if (lft_p_ildg_fits(&one, r->length)) *f = one;
        }
    }
    if (!f->dim) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected a length that fits what the caller says, got ");
        lft_p_put_u64(&t, r->length);
    }
}

/* The records up to the links, after the first four bytes. */
LFT_P_STATIC void lft_p_ildg_header(lft_p_source *s, const unsigned char first[4], const lft_gauge_hint *hint,
                                    lft_gauge_file *f)
{
    unsigned char raw[LFT_P_LIME_HEADER];
    size_t        have = 4;
    lft_p_lime    r;
    lft_p_zero(&r, sizeof r);
    lft_p_copy(raw, first, have);
    r.ends = 1;
    for (; lft_p_lime_next(s, &r, raw, have); have = 0) {
        if (lft_p_order(r.type, "ildg-format") == 0) lft_p_ildg_read_format(s, &r, f);
        else if (lft_p_order(r.type, "scidac-checksum") == 0) lft_p_ildg_read_sums(s, &r, f);
        else if (lft_p_order(r.type, "ildg-binary-data") == 0) break;
        else {
            lft_p_lime_skip(s, r.length);
            lft_p_lime_skip(s, lft_p_lime_padding(r.length));
        }
    }
    if (s->status) return;
    if (lft_p_order(r.type, "ildg-binary-data")) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "expected a record ildg-binary-data, got the end of the file");
        return;
    }
    s->where      = "ILDG ildg-binary-data";
    f->big_endian = 1;
    f->ready      = 1 + r.ends; /* for the records that follow */
    if (!f->dim) lft_p_ildg_hint(s, &r, hint, f);
    f->rows = f->colours;
    if (s->status) return;
    if (!lft_p_links_sites(4, f->extent)) {
        (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at, "lx, ly, lz, lt: expected at most 2^24 sites in all, got more");
    } else if (!lft_p_ildg_fits(f, r.length)) {
        lft_p_text t = lft_p_bad(s, LFT_ERR_FORMAT, s->at, "length: expected ");
        lft_p_put_u64(&t, lft_p_links_sites(4, f->extent) * 4 * lft_p_links_bytes(f));
        lft_p_put(&t, " for this field, precision and extents, got ");
        lft_p_put_u64(&t, r.length);
    }
}

/* What stands behind the links, to the end of the file. */
LFT_P_STATIC void lft_p_ildg_rest(lft_p_source *s, lft_gauge_file *f)
{
    const uint64_t sites = lft_p_links_sites(f->dim, f->extent);
    unsigned char  raw[LFT_P_LIME_HEADER];
    lft_p_lime     r;
    r.ends = f->ready - 1;
    lft_p_lime_skip(s, lft_p_lime_padding(sites * (uint64_t)f->dim * lft_p_links_bytes(f)));
    while (lft_p_lime_next(s, &r, raw, 0)) {
        if (lft_p_order(r.type, "scidac-checksum") == 0) lft_p_ildg_read_sums(s, &r, f);
        else if (lft_p_order(r.type, "ildg-binary-data") == 0) {
            (void)lft_p_bad(s, LFT_ERR_FORMAT, s->at - LFT_P_LIME_HEADER, "expected one configuration in the file, got another");
        } else {
            lft_p_lime_skip(s, r.length);
            lft_p_lime_skip(s, lft_p_lime_padding(r.length));
        }
    }
    s->where = "ILDG scidac-checksum";
}

/* ---- writing ---- */

LFT_P_STATIC void lft_p_lime_put(lft_p_sink *to, const char *type, uint64_t length, int begins, int ends)
{
    unsigned char raw[LFT_P_LIME_HEADER] = {0x45, 0x67, 0x89, 0xab, 0, 1};
    int           i;
    raw[6] = (unsigned char)(begins << 7 | ends << 6);
    for (i = 0; i < 8; ++i) raw[8 + i] = (unsigned char)(length >> 8 * (7 - i) & 0xff);
    for (i = 0; type[i]; ++i) raw[16 + i] = (unsigned char)type[i];
    lft_p_sink_put(to, raw, sizeof raw);
}

LFT_P_STATIC void lft_p_lime_pad(lft_p_sink *to, uint64_t length)
{
    static const unsigned char zero[8] = {0};
    lft_p_sink_put(to, zero, (size_t)lft_p_lime_padding(length));
}

/* A record of XML. */
LFT_P_STATIC void lft_p_lime_put_xml(lft_p_sink *to, const char *type, const lft_p_text *xml, int begins, int ends)
{
    lft_p_lime_put(to, type, xml->used, begins, ends);
    lft_p_sink_put(to, xml->data, xml->used);
    lft_p_lime_pad(to, xml->used);
}

/* "  <name>" and "</name>\n" around what is put between them. */
LFT_P_STATIC void lft_p_xml_open(lft_p_text *t, const char *name)
{
    lft_p_put(t, "  <");
    lft_p_put(t, name);
    lft_p_put(t, ">");
}

LFT_P_STATIC void lft_p_xml_close(lft_p_text *t, const char *name)
{
    lft_p_put(t, "</");
    lft_p_put(t, name);
    lft_p_put(t, ">\n");
}

LFT_P_STATIC void lft_p_ildg_put_format(lft_p_sink *to, const lft_gauge_file *f)
{
    static const char *const name[] = {"lx", "ly", "lz", "lt"};
    char                     xml[640]; /* it takes at most 430 */
    lft_p_text               t = {0, 0, 0};
    int                      k;
    t.data = xml;
    t.size = sizeof xml;
    lft_p_put(&t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<ildgFormat xmlns=\"http://www.lqcd.org/ildg\"\n"
                  "            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
                  "            xsi:schemaLocation=\"http://www.lqcd.org/ildg filefmt.xsd\">\n"
                  "  <version>1.0</version>\n");
    lft_p_xml_open(&t, "field");
    lft_p_put(&t, f->colours > 1 ? "su" : "u");
    lft_p_put_u64(&t, (uint64_t)f->colours);
    lft_p_put(&t, "gauge");
    lft_p_xml_close(&t, "field");
    lft_p_xml_open(&t, "precision");
    lft_p_put_u64(&t, 8 * lft_dtype_bytes(f->dtype));
    lft_p_xml_close(&t, "precision");
    for (k = 0; k < 4; ++k) {
        lft_p_xml_open(&t, name[k]);
        lft_p_put_u64(&t, (uint64_t)f->extent[3 - k]);
        lft_p_xml_close(&t, name[k]);
    }
    lft_p_put(&t, "</ildgFormat>\n");
    lft_p_lime_put_xml(to, "ildg-format", &t, 1, 0);
}

LFT_P_STATIC void lft_p_ildg_put_sums(lft_p_sink *to, const uint32_t *crc)
{
    static const char *const name[] = {"suma", "sumb"};
    char                     xml[256];
    lft_p_text               t = {0, 0, 0};
    int                      k;
    t.data = xml;
    t.size = sizeof xml;
    lft_p_put(&t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scidacChecksum>\n  <version>1.0</version>\n");
    for (k = 0; k < 2; ++k) {
        lft_p_xml_open(&t, name[k]);
        lft_p_put_hex(&t, crc[k]);
        lft_p_xml_close(&t, name[k]);
    }
    lft_p_put(&t, "</scidacChecksum>\n");
    lft_p_lime_put_xml(to, "scidac-checksum", &t, 0, 1);
}

/* Three records, one message. The checksum comes last: each link is asked for once. */
LFT_P_STATIC lft_status lft_p_ildg_write(lft_p_links *p, lft_p_sink *to, lft_gauge_get get, void *user, lft_error *e)
{
    const lft_gauge_file *f      = p->file;
    const uint64_t        length = lft_p_links_sites(f->dim, f->extent) * 4 * lft_p_links_bytes(f);
    lft_status            status;
    lft_p_ildg_put_format(to, f);
    lft_p_lime_put(to, "ildg-binary-data", length, 0, 0);
    status = lft_p_links_write(p, to, get, user, e);
    if (status) return status;
    lft_p_lime_pad(to, length);
    lft_p_ildg_put_sums(to, p->crc);
    return LFT_OK;
}

#undef LFT_P_LIME_HEADER
#undef LFT_P_LIME_XML_MOST

/* ---- 29_gauge_file.h, code --------------------------------------------------------------------------------------- */

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

#endif /* LFT_P_COMMON */

/* ---- template room: once per instance, opened by LFT_NAME ---------------------------------------------------------- */
#ifdef LFT_NAME

/* ---- 09_instance.h, declarations --------------------------------------------------------------------------------- */
/* 09_instance.h: opens an instance: checks its parameters, then the names and types that the other rooms use.
 * Parameters: LFT_NAME, LFT_GROUP, LFT_DIM, LFT_REAL, LFT_LANES, LFT_UPTO. 99_close.h undefines every one. */

#ifndef LFT_GROUP
#error "lftflow: LFT_GROUP is not defined; legal values: LFT_SCALAR, LFT_U1, LFT_SU2, LFT_SU3"
#elif LFT_GROUP < LFT_SCALAR || LFT_GROUP > LFT_SU3
#error "lftflow: unknown LFT_GROUP; legal values: LFT_SCALAR, LFT_U1, LFT_SU2, LFT_SU3"
#endif
#ifndef LFT_DIM
#error "lftflow: LFT_DIM is not defined; legal values: 1, 2, 3, 4"
#elif LFT_DIM < 1 || LFT_DIM > LFT_MAX_DIM
#error "lftflow: LFT_DIM is out of range; legal values: 1, 2, 3, 4"
#elif LFT_DIM == 1 && LFT_GROUP != LFT_SCALAR
#error "lftflow: LFT_DIM is 1: there are no plaquettes; legal values for gauge groups: 2, 3, 4"
#endif
#ifndef LFT_REAL
#define LFT_REAL LFT_F64
#elif LFT_REAL != LFT_F32 && LFT_REAL != LFT_F64
#error "lftflow: unknown LFT_REAL; legal values: LFT_F32, LFT_F64"
#endif
#ifndef LFT_UPTO
#define LFT_UPTO LFT_TRAIN
#elif LFT_UPTO != LFT_FIELDS && LFT_UPTO != LFT_SAMPLE && LFT_UPTO != LFT_TRAIN
#error "lftflow: unknown LFT_UPTO; legal values: LFT_FIELDS, LFT_SAMPLE, LFT_TRAIN"
#endif

/* Lanes: configurations that one vector holds. The widest enabled register is the default and the limit. */
#if !LFT_P_GNUC
#define LFT_P_VECTOR_BYTES 0
#elif defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define LFT_P_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define LFT_P_VECTOR_BYTES 32
#elif defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__)) || defined(__wasm_simd128__)
#define LFT_P_VECTOR_BYTES 16
#else
#define LFT_P_VECTOR_BYTES 0
#endif
#if LFT_REAL == LFT_F32
#define LFT_P_REAL_BYTES 4
#else
#define LFT_P_REAL_BYTES 8
#endif
#if defined(LFT_LANES)
#define LFT_P_LANES LFT_LANES
#elif LFT_P_VECTOR_BYTES
#define LFT_P_LANES (LFT_P_VECTOR_BYTES / LFT_P_REAL_BYTES)
#else
#define LFT_P_LANES 1
#endif
#if LFT_P_LANES != 1 && LFT_P_LANES != 2 && LFT_P_LANES != 4 && LFT_P_LANES != 8 && LFT_P_LANES != 16
#error "lftflow: LFT_LANES must be 1, 2, 4, 8 or 16"
#elif LFT_P_LANES > 1 && LFT_P_LANES * LFT_P_REAL_BYTES > LFT_P_VECTOR_BYTES
#error "lftflow: LFT_LANES is wider than the widest vector register that this compilation enables"
#endif

/* Public names LFT_(action) -> phi4_2d_action, private names LFT_P(site) -> phi4_2d_p_site. */
#define LFT_(name)  LFT_P_PASTE(LFT_NAME, name)
#define LFT_P(name) LFT_P_PASTE(LFT_NAME, LFT_P_PASTE2(p, name))

#if defined(LFT_STATIC)
#define LFT_API static inline
#elif defined(__cplusplus)
#define LFT_API extern "C" /* C and C++ files of one program share an implementation */
#else
#define LFT_API extern
#endif

/* A symbol that carries the parameters: a caller that was compiled with others, or without an implementation, stops at
 * link time with a name that says what is missing, e.g. phi4_2d_flow_init_scalar_2d_f32_v1. */
#if LFT_REAL == LFT_F32
typedef float LFT_(real);
#define LFT_P_REAL_NAME f32
#else
typedef double LFT_(real);
#define LFT_P_REAL_NAME f64
#endif
#define LFT_P_GROUP_NAME         LFT_P_PASTE(LFT_P_GROUP, LFT_GROUP)
#define LFT_P_SIGNED3(n, g, d, r) n##_##g##_##d##d_##r##_v1
#define LFT_P_SIGNED2(n, g, d, r) LFT_P_SIGNED3(n, g, d, r)
#define LFT_P_SIGNED(name)       LFT_P_SIGNED2(LFT_(name), LFT_P_GROUP_NAME, LFT_DIM, LFT_P_REAL_NAME)

#define lft_real LFT_(real)

/* ---- 40_lattice.h, declarations ---------------------------------------------------------------------------------- */
/* 40_lattice.h: a periodic hypercubic lattice in LFT_DIM dimensions with run-time extents.
 * Offers: LFT_(lattice), LFT_(lattice_init)(), LFT_(lanes)().
 * Sites are numbered in row-major order: the last axis runs fastest. */

typedef struct LFT_(lattice) {
    int extent[LFT_DIM];
    int volume; /* number of sites, the product of the extents */
} LFT_(lattice);

/* Sets up a lattice. Any extent >= 1 is legal (an axis of extent 1 or 2 bonds a site to itself or twice to the same
 * neighbour, as the periodic sums say). LFT_ERR_ARG for an extent < 1 or more than 2^24 sites. */
static inline lft_status LFT_(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error);

/* Lanes of the implementation: how many configurations one group of a batch holds. Known at run time only, because the
 * implementation may have been compiled for another machine than its caller. */
LFT_API int LFT_(lanes)(void);

LFT_API lft_status LFT_P_SIGNED(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error);

static inline lft_status LFT_(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error)
{
    return LFT_P_SIGNED(lattice_init)(lattice, extent, error);
}

/* ---- 41_field.h, declarations ------------------------------------------------------------------------------------ */
/* 41_field.h: batches of field configurations.
 * Offers: LFT_(batch), LFT_(batch_init)(), LFT_(momenta_init)(), LFT_(batch_bytes)(), LFT_(batch_get)(), LFT_(batch_set)(). */

/* n configurations, stored [group][site][link][number][lane] with configuration i in lane i % lanes of group i / lanes.
 *   scalar   one number per site, phi
 *   U(1)     an angle per link; link mu of a site, 0 <= mu < LFT_DIM, leads to the next site along axis mu
 *   SU(2)    4 numbers per link: c0 + i (c1 sigma1 + c2 sigma2 + c3 sigma3)
 *   SU(3)    18 per link: the matrix row by row, real parts before imaginary ones
 * The lanes that the last group has to spare hold valid configurations that nothing reads. */
typedef struct LFT_(batch) {
    LFT_(lattice) lattice;
    lft_real     *data;
    int           n, groups, lanes;
    int           reals; /* of a site */
} LFT_(batch);

/* Lays a batch of n cold configurations out in the arena: fields 0, links 1. LFT_ERR_ARG for n < 1, LFT_ERR_NOMEM. */
LFT_API lft_status LFT_(batch_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                    lft_error *error);

/* The same for forces and momenta, n times 0: one algebra element per link, in the place of its numbers (scalar, U(1): 1,
 * SU(2): 3, SU(3): 8). */
LFT_API lft_status LFT_(momenta_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                      lft_error *error);

/* Bytes that batch_init takes from an arena of any alignment. */
LFT_API size_t LFT_(batch_bytes)(const LFT_(lattice) *lattice, int n);

/* Configuration i as a plain array of volume x reals numbers, in the order of the batch (sites row-major), out of and into
 * the batch. 0 <= i < n. */
LFT_API void LFT_(batch_get)(const LFT_(batch) *batch, int i, lft_real *phi);
LFT_API void LFT_(batch_set)(LFT_(batch) *batch, int i, const lft_real *phi);

#if LFT_GROUP != LFT_SCALAR

/* ---- 42_gauge.h, declarations ------------------------------------------------------------------------------------ */
/* 42_gauge.h: what every action and observable of a gauge field is made of: rectangles of links, and what they push.
 * Offers: LFT_(gauge_transform)(); private: LFT_P(walk), LFT_P(walk_of)(), LFT_P(way)(), LFT_P(rectangle)(), LFT_P(staples)(). */

/* A random gauge transformation of every configuration: U_mu(x) -> g(x) U_mu(x) g(x + mu)^+ with g(x) from the invariant measure.
 * What it changes is no observable. Configuration i takes the random numbers of sample draw.sample + i, site x those of the
 * draw number draw.draw + x. Scratch: gauge_transform_bytes(). LFT_ERR_NOMEM; text in *error (may be NULL). O(n volume). */
LFT_API lft_status LFT_(gauge_transform)(LFT_(batch) *x, lft_draw draw, lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(gauge_transform_bytes)(const LFT_(lattice) *lattice);

/* ---- 44_wilson_flow.h, declarations ------------------------------------------------------------------------------ */
/* 44_wilson_flow.h: the Wilson flow, which smooths gauge fields.
 * Offers: LFT_(wilson_flow)(), LFT_(wilson_flow_bytes)(); private: LFT_P(flow_step)(). */

/* Flows every configuration of the batch, in place, by the time step * steps:
 *   dV/dt = Z(V) V,  Z = -g0^2 T^a d^a S_W
 * with S_W the plain plaquette action of coupling g0, whatever the theory is: Z^a = 2 sum of d^a Re tr P over the plaquettes P
 * through the link for SU(N), and the sum of d cos(theta_P) / d theta for U(1). For smooth fields both are
 * dA_mu/dt = D_nu F_nu,mu: time is in units of a^2, and the smoothing radius is sqrt(2 LFT_DIM t).
 * Each step is a Runge-Kutta step of third order on the group, W1 = exp(Z0/4) V, W2 = exp(8/9 Z1 - 17/36 Z0) W1,
 * V' = exp(3/4 Z2 - 8/9 Z1 + 17/36 Z0) W2, the Z times step. Stable up to a step of about 0.15 in four dimensions.
 * A negative step flows back, which magnifies rounding errors.
 * Scratch: wilson_flow_bytes(). LFT_ERR_ARG: steps < 0, or a step that is not finite; LFT_ERR_NOMEM; LFT_ERR_NONFINITE: a link is
 * not finite at the end. Text in *error (may be NULL). O(n steps volume). Source: M. Luescher, arXiv:1006.4518, appendix C. */
LFT_API lft_status LFT_(wilson_flow)(LFT_(batch) *x, double step, int steps, lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(wilson_flow_bytes)(const LFT_(lattice) *lattice);

/* ---- 46_configuration.h, declarations ---------------------------------------------------------------------------- */
/* 46_configuration.h: gauge configurations of a batch from and to files of the community (29_gauge_file.h).
 * Offers: LFT_(configuration_read)(), LFT_(configuration_write)(). */

/* The links of a file, whose header lft_gauge_read_header() has read, become configuration i of the batch; then all that
 * lft_gauge_read_links() says of them is in *file. They are taken as they are: file->unitarity says how far from unitary; LFT_F32
 * rounds them; SU(2) keeps the quaternion part, U(1) the angle.
 * LFT_ERR_MISMATCH: other dimensions, extents or colours than those of the batch; LFT_ERR_ARG: i; else as
 * lft_gauge_read_links(): the configuration is then partly new. O(volume). */
LFT_API lft_status LFT_(configuration_read)(LFT_(batch) *x, int i, lft_gauge_file *file, lft_error *error);

/* Configuration i as a file. Of *file its format counts, and dtype and rows where they are not 0; dim, extents and colours are
 * set. Status as lft_gauge_write(). O(volume). */
LFT_API lft_status LFT_(configuration_write)(const LFT_(batch) *x, int i, lft_writer to, lft_gauge_file *file,
                                             lft_error *error);

#endif

/* ---- 50_theory.h, declarations ----------------------------------------------------------------------------------- */
/* 50_theory.h: what a theory is: an action, its gradient and its couplings.
 * Offers: LFT_(theory), LFT_(action)(), LFT_(force)(). The theories themselves are the rooms 51 and on; a user's own is
 * the same table. */

typedef struct LFT_(theory) LFT_(theory);
struct LFT_(theory) {
    const char        *name; /* e.g. "phi4" */
    int                couplings;
    const char *const *coupling_name; /* [couplings] */
    double             coupling[LFT_MAX_COUPLINGS];
    void              *user; /* for a user's own action */
    /* S[lane] of the LFT_(lanes)() configurations of one group, in the order of a batch, summed in double in a fixed order; and
     * the gradient where dS is not NULL: dS/dphi[site][lane], of links d^a S[site][mu][a][lane], d^a f(U) =
     * d/ds f(exp(s T^a) U) with tr T^a T^b = -1/2 delta^ab (U(1): d/d angle). phi and dS do not overlap. */
    void (*action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *phi, double *S, lft_real *dS);
};

/* S[i] of every configuration of a batch. O(n volume). */
LFT_API void LFT_(action)(const LFT_(theory) *theory, const LFT_(batch) *phi, double *S);

/* The molecular-dynamics force -dS of every configuration; force: as many momenta of the same lattice. */
LFT_API void LFT_(force)(const LFT_(theory) *theory, const LFT_(batch) *phi, LFT_(batch) *force);

#if LFT_GROUP == LFT_SCALAR

/* ---- 51_phi4.h, declarations ------------------------------------------------------------------------------------- */
/* 51_phi4.h: the scalar phi^4 theory.
 * Offers: LFT_(phi4_init)(). */

/* S = sum_x [ sum_mu (phi(x+mu) - phi(x))^2 + m2 phi(x)^2 + lambda phi(x)^4 ]      (2110.02673 eq. 2; no factors 1/2)
 * From other conventions: 1/2 (d phi)^2 + 1/2 M^2 phi^2 + g/24 phi^4 is phi = phi_other/sqrt 2, m2 = M^2, lambda = g/6.
 * Couplings: m2, lambda. LFT_ERR_ARG if one is not finite or if the action has no lower bound: lambda < 0, or lambda = 0
 * with m2 <= 0. */
LFT_API lft_status LFT_(phi4_init)(LFT_(theory) *theory, double m2, double lambda, lft_error *error);

#else

/* ---- 52_wilson.h, declarations ----------------------------------------------------------------------------------- */
/* 52_wilson.h: gauge fields with plaquettes and rectangles: Wilson's action and its improvements.
 * Offers: LFT_(wilson_init)(). */

/* S = -(beta / N) sum_x sum_{mu < nu} { c0 Re tr P_mu,nu(x) + c1 Re tr [ R_2mu,nu(x) + R_mu,2nu(x) ] },   c0 = 1 - 8 c1,
 * with plaquettes P and 1 x 2 rectangles R; N = 1 and Re tr P = cos of the plaquette's angle for U(1). S = 0 at beta = 0;
 * beta is 2N / g^2 for SU(N), 1 / g^2 for U(1).
 *   c1 = 0       Wilson
 *   c1 = -1/12   Symanzik, tree level (Luescher and Weisz, Commun. Math. Phys. 97 (1985) 59)
 *   c1 = -0.331  Iwasaki (UTHEP-118)
 * Couplings: beta, c1. LFT_ERR_ARG if one is not finite. */
LFT_API lft_status LFT_(wilson_init)(LFT_(theory) *theory, double beta, double c1, lft_error *error);

#endif
#if LFT_UPTO >= LFT_SAMPLE

/* ---- 64_prior.h, declarations ------------------------------------------------------------------------------------ */
/* 64_prior.h: what a prior is: the density that a flow starts from.
 * Offers: lft_prior_kind. An instance has one of the rooms 75 and 76; both of them offer (private) the same words:
 *
 *   LFT_P(prior)             a struct with the member kind
 *   prior_check(kind, code, where, what, error)   `code` unless the room has that kind
 *   prior_init(p, kind, mass2, target, lattice, set, arena, error)   kind, mass2, target[mu] 0: the default. Its parameters
 *                            are the first
 *   prior_spec(p, number)    the two numbers of model files: kind, mass2
 *   prior_start(p, theta), prior_prepare(p, theta), prior_transfer(p, theta, from, source)   as of a layer
 *   prior_scratch(p)         bytes of scratch that each of the functions below stays within
 *   prior_draw(p, d, z, logq, scratch)   one group of draws, sample numbers d.sample + lane, and their log-densities
 *   prior_logq(p, z, logq, score, scratch)   logq[lane] of given z and, where score is not NULL, grad log q
 *   prior_gradient_count(p)  numbers of the gradient: the parameters at the beginning of theta
 *   prior_backward(p, z, dz, dlogq, gradient, scratch)   gradient += that by the parameters of a function with the derivative
 *                            dz by z and weight dlogq[lane] in front of log q(z), for fixed random numbers
 *   prior_scale(p, x, transposed, scratch)   x becomes z of the random numbers x, or the derivative by z the one by them:
 *                            the variables in which the prior's density is the standard one, for HMC through a flow */

#ifndef LFT_P_PRIOR_KIND
#define LFT_P_PRIOR_KIND
typedef enum lft_prior_kind {
    LFT_PRIOR_FREE = 1, /* scalars: sigma(k) learnable, at first the free field's 1/sqrt(2 (khat^2 + m2)); their default */
    LFT_PRIOR_NORMAL,   /* scalars: sigma = 1, no parameters */
    LFT_PRIOR_HAAR      /* gauge groups: every link independent with the invariant measure; theirs, no parameters */
} lft_prior_kind;
#endif

/* ---- 65_layer.h, declarations ------------------------------------------------------------------------------------ */
/* 65_layer.h: what a layer of a flow is: a table of functions over one group of configurations.
 * Offers: LFT_(layer), LFT_(layer_ops). The layers themselves are the rooms 70 and on; a user's own is the same table. */

typedef struct LFT_(layer) LFT_(layer);
#define LFT_P_SPEC_MOST 32

/* A layer is an invertible map x_out = f(x_in) of the LFT_(lanes)() configurations of one group, in the order of a batch:
 *   scalar   field [site][lane], derivatives the same; densities by the Lebesgue measure
 *   gauge    field [site][mu][number][lane], derivatives [site][mu][a][lane], a = 1 for U(1), to 3 for SU(2), to 8 for SU(3):
 *            d^a f(U) = d/ds f(exp(s T^a) U), as of an action; densities by the invariant measure, normalised to 1. If x_in
 *            moves as exp(s w^a T^a) U and x_out then as exp(s v^a T^a) f(U), the Jacobian is the matrix of v by w
 * x_in and x_out are fields, score and dx derivatives.
 * All functions return LFT_OK or an error with its text; `scratch` is memory of scratch_bytes. Nothing allocates after init.
 * The gradient of the parameters is collected in a layer's own form (gradient_count doubles, e.g. of tables that are
 * derived from the parameters) and converted by `collect`, so that lanes, groups and threads only ever add up. */
typedef struct LFT_(layer_ops) {
    const char *kind; /* e.g. "continuous": names the layer in model files */

    /* Reads layer->desc, sets the extents of layer->out and the sizes, lays its state out in the arena, and declares its
     * parameters. Runs twice, first over a measuring arena with set->list == NULL. An arena that is too small is the
     * flow's to report. */
    lft_status (*init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena, lft_error *error);

    /* Sets the initial parameters, zero before: the layer is the identity or near it. And their pace, 1 before. */
    void (*start)(const LFT_(layer) *layer, double *theta, double *pace);

    /* Derives the tables from the parameters (and the couplings, for conditional layers). Once per step, not per group. */
    void (*prepare)(LFT_(layer) *layer, const double *theta);

    /* logdet[lane] += log |det d x_out / d x_in|. Where score is not NULL it holds grad log q at x_in and is replaced by
     * grad log q at x_out. Where tape is not NULL, what backward needs goes there. x_out may be x_in. LFT_ERR_NONFINITE if
     * a lane is not finite; the other lanes are right all the same. */
    lft_status (*forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out, double *logdet, lft_real *score,
                          void *tape, lft_arena scratch, lft_error *error);

    /* The inverse of the same discrete map; logdet[lane] += log |det d x_in / d x_out|, minus what forward adds. */
    lft_status (*inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                          lft_arena scratch, lft_error *error);

    /* Vector-Jacobian product, exact for the map that forward computed: dx holds the derivative by x_out and is replaced
     * by that by x_in; dlogdet[lane]; where gradient is not NULL it is added to. NULL in an instance without training. */
    lft_status (*backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx, const double *dlogdet,
                           double *gradient, lft_arena scratch, lft_error *error);

    /* dtheta += the gradient of the parameters from the layer's own form. */
    void (*collect)(const LFT_(layer) *layer, double *gradient, double *dtheta);

    /* Sets the number of integration steps; prepare must follow. LFT_ERR_ARG beyond what init provided for. NULL for layers
     * without steps. */
    lft_status (*refine)(LFT_(layer) *layer, int steps, lft_error *error);

    /* Parameters that do on this layer's extents what `source` does on those of `from`, a layer of the same spec, at least
     * about: the start of a training. NULL where the same parameters do. */
    void (*transfer)(const LFT_(layer) *layer, double *theta, const LFT_(layer) *from, const double *source);

    /* For model files. spec: the integers that build this layer again, at most 32; returns how many. Of a layer with
     * steps the last two are its steps at present and the most that it provides for; those before say what the parameters
     * mean. read: a desc in the arena out of n such integers; LFT_ERR_FORMAT if there are too few of them, LFT_ERR_NOMEM. NULL
     * for layers that are never stored. */
    int (*spec)(const LFT_(layer) *layer, int64_t *number);
    lft_status (*read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error);

    /* Instead of forward (NULL then), for a layer that draws a part of x_out, the rest of which is x_in or a map of it:
     * logdet[lane] -= log q(x_out | x_in), so that q(x_out) = q(x_in) q(x_out | x_in). Lane l takes the random numbers of sample
     * d.sample + l, attempts those of samples a multiple of 2^32 further; d.draw differs from layer to layer. `inverse` gives
     * the x_in of x_out and logdet += log q(x_out | x_in); backward is by x_in for fixed random numbers, and NULL where that has
     * no meaning (draws that are rejected). NULL for maps. */
    lft_status (*draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out, double *logdet,
                       lft_real *score, void *tape, lft_arena scratch, lft_error *error);
} LFT_(layer_ops);

struct LFT_(layer) {
    const LFT_(layer_ops) *ops;
    const void            *desc;
    LFT_(lattice)          in, out;
    size_t                 params; /* offset of the layer's parameters in theta */
    size_t                 scratch_bytes, tape_bytes, gradient_count;
    int                    per_lane; /* 1: the own form of the gradient is [gradient_count / lanes][lanes], not summed over lanes */
    int                    steps; /* integration steps at present, 0 for layers without */
    void                  *state; /* the layer's own */
};

#if LFT_GROUP == LFT_SCALAR

/* ---- 70_continuous.h, declarations ------------------------------------------------------------------------------- */
/* 70_continuous.h: the equivariant continuous flow as a layer: d phi/dt = v(phi, t) from t = 0 to 1 by Runge-Kutta 4.
 * Offers: LFT_(continuous_desc), LFT_(continuous)() (the layer's table). */

#ifndef LFT_P_TIME_BASIS
#define LFT_P_TIME_BASIS
/* Functions of time K_a(t), a = 0 ... nodes - 1, that the kernels are combinations of. */
typedef enum lft_time_basis {
    LFT_TIME_COSINE = 1, /* cos(pi a t) / (1 + a^2): smooth, weights that decay; the default */
    LFT_TIME_HAT         /* piecewise linear on equidistant knots (2110.02673): let the knots fall on steps */
} lft_time_basis;
#endif

/* Zero means the default, -1 none. Defaults: 9 sines, linear feature, 2 gates, 2 zero-mode terms, cosine basis of 6 nodes,
 * 12 steps, at most 4 times as many after refinement. */
typedef struct LFT_(continuous_desc) {
    int            sines;  /* features sin(omega_f phi), omega learnable */
    int            linear; /* the feature phi: -1 leaves it out */
    int            gates;  /* even gates cos(eta_j phi) */
    int            zeros;  /* odd terms sin(kappa_q M) in the mean field M */
    lft_time_basis basis;
    int            nodes;
    int            steps, most_steps;
} LFT_(continuous_desc);

/* The layer's table. v and its divergence are those of 62_velocity.h, integrated together by the classical Runge-Kutta
 * method. log q is that of the integrated divergence; it differs from the log-density of the discrete map by the epsilon
 * that LFT_(flow_logq_error)() measures. Equivariant under translations, the hypercubic group (permutations of equal axes
 * only) and phi -> -phi. The inverse solves each step by relaxed iteration to rounding: LFT_ERR_NOCONV if the step is
 * too long for that. LFT_ERR_NONFINITE names the step. */
LFT_API const LFT_(layer_ops) *LFT_(continuous)(void);

#else

/* ---- 71_gauge_continuous.h, declarations ------------------------------------------------------------------------- */
/* 71_gauge_continuous.h: the gauge-equivariant continuous flow as a layer: dU/dt = Z(U, t) U from t = 0 to 1, on the group.
 * Offers: lft_group_integrator, LFT_(continuous_desc), LFT_(continuous)() (the layer's table), _loops, _loop, _scale. */

#ifndef LFT_P_GROUP_INTEGRATOR
#define LFT_P_GROUP_INTEGRATOR
typedef enum lft_group_integrator {
    LFT_LUESCHER_RK3 = 1,  /* third order, 3 stages, 3 exponentials (1006.4518, appendix C) */
    LFT_CROUCH_GROSSMAN_2, /* second order, 2 stages: the midpoint */
    LFT_CROUCH_GROSSMAN_3, /* third order, 3 stages, 6 exponentials (J. Nonlinear Sci. 3 (1993) 1) */
    LFT_COMMUTATOR_FREE_4  /* fourth order, 4 stages, 5 exponentials (Celledoni, Marthinsen and Owren,
                              Future Gener. Comput. Syst. 19 (2003) 341); the default */
} lft_group_integrator;
#endif

/* Zero means the default. */
typedef struct LFT_(continuous_desc) {
    int                  loops; /* classes of loops: 1 the plaquettes, then those of the trivializing map order by order, up to
                                   as many as there are room for; by default those of its second order (below) */
    int                  nodes; /* Legendre polynomials of time that each coefficient is a sum of: 4. That of the plaquette keeps
                                   its shape, a polynomial of degree order - 1: another pace along the same way is the same map */
    lft_group_integrator integrator;
    int                  steps, most_steps; /* 12; 4 steps */
    int                  order; /* coefficients at the start: 0 none, the identity; 1 to 4, of a doubled axis to 8: the trivializing
                                   map to leading, next to leading order in beta, and so on; needs all classes of that order, and
                                   nodes >= order but for a doubled axis */
    int                  cut_off; /* 1: the start is not expanded in beta: its equation is solved in the classes up to that order */
    double               beta;  /* of the Wilson action that the order is for */
    double               from;  /* beta of what the map begins with, as LFT_(flow_carry)() does; 0: Haar */
    int                  doubled; /* axis + 1: only new links of a doubled axis move, those across it at odd coordinates */
} LFT_(continuous_desc);

/* The layer's table. Z = -T^a d^a S~ with S~ = sum_i c_i(t) W_i(U), the classes of Wilson loops W_i of 66_loop_classes.h; log det
 * is the integral of -d^a d^a S~. Equivariant under gauge transformations, translations, charge conjugation and permutations of
 * equal axes; under reflections to the order of the integrator, which multiplies links from one side. With order > 0 it is the
 * trivializing map of 0907.5491 to that order, without training. Classes of loops to each order:
 *   d = 2   U(1) 1, 4, 13, 66   SU(2) 1, 4, 15, 125   SU(3) 1, 7, 37
 *   d = 3   U(1) 1, 6, 39       SU(2) 1, 6, 47        SU(3) 1, 11
 *   d = 4   U(1) 1, 6           SU(2) 1, 6            SU(3) 1, 11      beyond that there is no room for all of an order
 * With cut_off the map's equation is solved in the classes to the order, and right to that order, too: for U(1) and SU(2) in two
 * dimensions that is the better start, for SU(3) the worse one.
 * Of a doubled axis S~ is a sum over loops through new links, d^a runs over them, and all others are what the flow is conditioned
 * on: the layer behind an LFT_(doubling)() by two. Equivariant under gauge transformations, charge conjugation, translations along
 * the axis by two and whatever the other axes have. With order > 0 it is the trivializing map of the new links given the others,
 * always cut off. There are more classes, a link's sides being told apart:
 *   d = 2   U(1) 1, 3, 6, 10    SU(2) 1, 3, 6, 14     SU(3) 1, 6, 15, 43
 *   d = 3   U(1) 2, 9, 51       SU(2) 2, 9, 60        SU(3) 2, 17
 *   d = 4   U(1) 2, 11, 88      SU(2) 2, 11, 106      SU(3) 2, 21
 * LFT_ERR_ARG for extents < 2 with the plaquettes alone, < 3 with those of order 2, and so on: there loops close around the
 * lattice, or plaquettes share two links, and are of other classes; of a doubled axis only links that move count, so that in two
 * dimensions any extents will do, but for that of the axis, which is even. LFT_ERR_NONFINITE names the step. The inverse solves
 * each step by relaxed iteration: LFT_ERR_NOCONV if the steps are too long. flow_init takes up to 750 kB of stack (SU(3)
 * beyond two dimensions; else 600). */
LFT_API const LFT_(layer_ops) *LFT_(continuous)(void);

/* How many classes of loops there are to an order, 1 to 8; 0 where there is no room for all of them. doubled: as in the desc. */
LFT_API int LFT_(continuous_loops)(int doubled, int order);

/* text = a member of class `number`, from 0, cut to size: "tr xyXY" is the loop of steps along x, y, back along x, back along y;
 * z and t are the other axes; where there are more traces the steps between their beginnings stand in brackets, and those of
 * the first from an even slice of a doubled axis. Of U(1) one loop that has all links. LFT_ERR_ARG where there is no such class. */
LFT_API lft_status LFT_(continuous_loop)(int doubled, int number, char *text, size_t size);

/* Multiplies the coefficients of a layer of this table, in flow->params.value, by ratio to the power of their classes' order, which
 * is what those of the trivializing map do to leading order when beta becomes ratio beta: the start at another coupling, from a
 * model. flow_prepare must follow. */
LFT_API void LFT_(continuous_scale)(const LFT_(layer) *layer, double *value, double ratio);

#endif
#if LFT_GROUP == LFT_SCALAR

/* ---- 72_coupling.h, declarations --------------------------------------------------------------------------------- */
/* 72_coupling.h: affine coupling with a convolutional net as a layer.
 * Offers: LFT_(coupling_desc), LFT_(coupling)() (the layer's table).
 * Source: RealNVP 1605.08803; for lattice fields 1904.12072 and the tutorial 2101.08176. */

/* Zero means the default. Layers that follow each other take turns with the parity. */
typedef struct LFT_(coupling_desc) {
    int    parity;    /* 0 or 1: sites with (x_0 + x_1 + ...) mod 2 == parity are active, the others frozen */
    int    hidden[8]; /* channels between the convolutions, up to a 0: {8, 8}; hidden[0] = -1: a single convolution */
    int    kernel;    /* taps per axis, odd: 3 */
    double bound;     /* s and t are bound tanh(...): 1; -1: what the last convolution gives */
    int    z2;        /* 1: s even and t odd in phi, so that x' is odd; twice the work */
} LFT_(coupling_desc);

/* The layer's table.
 *   active sites  x' = e^s x + t,  log det = sum of s;   frozen sites  x' = x;   (s, t) = net of the frozen field, 0 elsewhere
 *   z2            s = [s(phi) + s(-phi)] / 2,  t = [t(phi) - t(-phi)] / 2
 * The net (63_convnet.h): 1 -> hidden -> 2 channels, LeakyReLU 0.01 between them. Parameters weight<i> [out][in][kernel^d] and
 * bias<i> [out] in PyTorch's order. Inverse, log-det and score are exact to rounding. It commutes with translations by an even
 * number of sites. An odd extent puts two sites of one parity side by side, at the boundary: the map is as exact as any, but
 * has no such symmetry along that axis. At the start the last convolution is zero, which is the identity; those before have
 * small random weights, always the same. LFT_ERR_NONFINITE names the layer.
 * O(kernel^d sum of in * out) per site, forward; three times that backward. */
LFT_API const LFT_(layer_ops) *LFT_(coupling)(void);

/* ---- 73_scalar_doubling.h, declarations -------------------------------------------------------------------------- */
/* 73_scalar_doubling.h: from a coarse lattice of a scalar field to a finer one: between any two slices along an axis a new one.
 * Offers: LFT_(doubling_desc), LFT_(doubling)() (the layer's table).
 * Source: multiscale flows for gauge theories, 2404.10819; the Gaussian, by integrating sites of the free field out. */

/* Zero means the default. */
typedef struct LFT_(doubling_desc) {
    int    axis;            /* along which there will be twice as many slices */
    int    sines;           /* features of the coarse field beside the field itself: 2; -1 none */
    double mass2;           /* of the free field that the layer at first continues to the new sites: (4 / largest extent of the
                               target)^2 */
    int    target[LFT_DIM]; /* extents of the lattice on which that lives, multiples of those after this layer, whose sites are
                               every (target / extent)-th of it: those after this layer */
} LFT_(doubling_desc);

/* The layer's table. Slices 2j of the new lattice are the coarse ones, phi_j; those in between are drawn, on slice 2j + 1
 *   m + exp(w) z,   z = H (sigma eta), eta ~ N(0, 1), H the Hartley transform over all new sites,
 *   m = K_0 * s + sum_f K_f * sin(omega_f s),   w = sum_f W_f * (cos(omega_f s) - 1),   s = (phi_j + phi_{j+1}) / 2,
 * with kernels and sigma that are even along every axis and tied over the permutations of the axes across the doubled one, so
 *   log q(new | coarse) = sum_k [-eta(k)^2 / 2 - log sigma(k)] - V/2 log 2 pi - sum_x w(x).
 * Parameters: log_sigma [orbits], kernel [1 + 2 sines][orbits] (K_0, K_f, W_f), frequency [sines]. At the start K_f = W_f = 0, and
 * K_0, sigma are the free field's: with C the variance of its mode of momentum p on the lattice after the layer, C' that of p +
 * pi along the axis, and k = 2 p that of the coarse lattice,
 *   K_0(k) = (C - C') / (C + C') / cos p,   sigma(k)^2 = 2 C C' / (C + C'),
 * which from a coarse field with the variances (C + C') / 2 makes the free field exactly.
 * Commutes with phi -> -phi, in distribution with translations by 2 along the axis, by 1 along others, with reflections and
 * the permutations of equal axes across. The inverse leaves the new sites out; its logdet has their density.
 * LFT_ERR_ARG: axis, sines, target; LFT_ERR_NONFINITE. O(volume log volume). */
LFT_API const LFT_(layer_ops) *LFT_(doubling)(void);

#else

/* ---- 74_circle.h, declarations ----------------------------------------------------------------------------------- */
/* 74_circle.h: U(1) in two dimensions: the new links of a doubled axis, each on its circle, by a map with a known density.
 * Offers: LFT_(circle_desc), LFT_(circle)() (the layer's table), _scale. */

/* Zero means the default. */
typedef struct LFT_(circle_desc) {
    int    doubled;   /* axis + 1: only new links of a doubled axis move, those across it at odd coordinates; required */
    int    harmonics; /* K: 12, up to 64 */
    double beta;      /* c_1 at the start, all others 0 */
} LFT_(circle_desc);

/* The layer's table, for U(1) in two dimensions, behind an LFT_(doubling)() by two with Haar links. A new link of angle theta has
 * two plaquettes beside it, of angles w = theta + a and P - w, where P, their sum, is the coarse one. Given the other links it gets
 *   f(w) = exp(u(w) + u(P - w)) / (its mean over the circle),   u(w) = sum_k c_k cos k w, k = 1 ... K,
 * the density that Wilson's action has on all scales, with u = log kappa of 47_characters.h. With x = w - P/2 it is even in x,
 *   log f + constant = sum_k 2 c_k cos(k P/2) cos k x,   f = 1 + 2 sum_n a_n cos n x,
 * and x + sum_n (2/n) a_n sin n x = w_in - P/2 is the map from a uniform w_in: solved by Newton's method, differentiated as an
 * implicit function. The mean and a_n are sums over as many points of the circle, up to 512, as leave 1e-13 of them out. log
 * det = -log f: no integration, no epsilon but rounding. Equivariant under gauge transformations, charge conjugation, reflections
 * and translations of the coarse lattice. Source: the conditional densities of 2404.10819, here as series.
 * LFT_ERR_ARG: another group or dimension, doubled, an odd extent of the axis, harmonics, beta. LFT_ERR_NONFINITE: a link was not
 * finite, or the densities are too narrow for 512 points. O(points (points + attempts + K)) per new link. */
LFT_API const LFT_(layer_ops) *LFT_(circle)(void);

/* Multiplies c_k of a layer of this table, in flow->params.value, by ratio: the start at another coupling, from a model, and exact
 * on the finest lattice. flow_prepare must follow. */
LFT_API void LFT_(circle_scale)(const LFT_(layer) *layer, double *value, double ratio);

/* ---- 74_doubling.h, declarations --------------------------------------------------------------------------------- */
/* 74_doubling.h: from a coarse lattice to a finer one: every slice along an axis becomes two.
 * Offers: lft_conditional, LFT_(doubling_desc), LFT_(doubling)(), LFT_(torus_desc), LFT_(torus)() (the layers' tables).
 * Source: multiscale flows for gauge theories, 2404.10819; the exact weights of two dimensions, Migdal 1975. */

#ifndef LFT_P_CONDITIONAL
#define LFT_P_CONDITIONAL
typedef enum lft_conditional {
    LFT_CONDITIONAL_HAAR = 1, /* new links independent with the invariant measure, a start for the layers that follow */
    LFT_CONDITIONAL_EXACT     /* two dimensions: given the coarse links, those of Wilson's plaquette action */
} lft_conditional;
#endif

/* Zero means the default. */
typedef struct LFT_(doubling_desc) {
    int             axis;        /* of which slices become two */
    int             extent;      /* of it, afterwards: twice what it was; or less, and slice i of n becomes those from floor(i
                                    extent / n) to below floor((i + 1) extent / n), one or two */
    lft_conditional conditional; /* Haar */
    double          beta;        /* exact: of the action, 0 to 100 */
    int             target[LFT_DIM]; /* exact: extents at which the action lives: those after this layer. Site i of n along an axis
                                    of L stands for those from floor(i L / n) to below floor((i + 1) L / n), so a plaquette for k of
                                    them, with the density kappa_k of their sum over links in between */
    int             fixed_gauge; /* 1: V = 1 (below); 0: V from the invariant measure */
} LFT_(doubling_desc);

/* The layer's table. A link U along the axis at a slice that becomes two: V at the first and V^+ U at the second, V from the
 * invariant measure. The other links of the coarse slice are those of the first one, those of the second are drawn: by Haar, or
 * exactly: U between its plaquettes of a and b with the density
 *   kappa_a(A U) kappa_b(U^+ B) / kappa_a+b(A B),   kappa_k = sum_r d_r u_r^k chi_r (47_characters.h says more).
 * No parameters. The inverse multiplies the links along the axis and forgets the others; its logdet has the density of what
 * was drawn. It commutes with gauge transformations, in distribution, and with those translations of the coarse lattice that
 * keep what the slices become. The exact conditional has no backward: it draws by rejection.
 * With fixed_gauge V is 1, a draw less: the links are 1 and U. That is a gauge transform of what V would have made, by V at the
 * second slices, so that behind layers that commute with gauge transformations, as all of the library do, its gauge-invariant
 * observables and log q are what they would have been: log q is still the density of all links by the invariant measure, the same
 * for all of a gauge orbit, the inverse forgets V as before, and the gradients of a training are the same. But samples are now of
 * one gauge at the new sites: what depends on the gauge means nothing, until a random gauge transformation of them,
 * LFT_(gauge_transform)(), gives them the density q in all links. Not for layers of one's own that depend on the gauge.
 * Samples below 2^32. LFT_ERR_ARG: axis, extent; exact: not two dimensions, beta, targets in which the slices do not nest, or a
 * beta so large that rounding of kappa, which is of kappa(1), leaves less than 1e-6 of its smallest value; fixed_gauge.
 * LFT_ERR_NONFINITE: a link was not finite, or none was accepted in 2^20 attempts. O(volume), mean attempts of an exact link
 * kappa_b(1), b >= a; two single plaquettes: U(1) and SU(2) as of the heat bath, SU(3) a few. */
LFT_API const LFT_(layer_ops) *LFT_(doubling)(void);

typedef struct LFT_(torus_desc) {
    double beta;            /* 0 to 100 */
    int    target[LFT_DIM]; /* extents at which the action lives: 1 for 0 */
} LFT_(torus_desc);

/* The layer's table. Where the exact doubling begins: a lattice of one site in two dimensions, the links U_0, U_1 of which are
 * drawn anew with the density kappa_V(U_0 U_1 U_0^+ U_1^+) / sum_r u_r^V, V the volume of the targets, by rejection. U(1): 1.
 * Its inverse gives the links themselves, of which the Haar prior knows nothing. LFT_ERR_ARG, LFT_ERR_NONFINITE: as above. */
LFT_API const LFT_(layer_ops) *LFT_(torus)(void);

#endif

/* ---- 80_flow.h, declarations ------------------------------------------------------------------------------------- */
/* 80_flow.h: a flow is a prior and layers, with the exact log-density of what they really compute.
 * Offers: LFT_(flow_desc), LFT_(flow), LFT_(flow_init)(), _bytes, _prepare, _at, _refine, _sample, _logq, _map, _inverse;
 *         lft_logq_error. */

#ifndef LFT_P_LOGQ_ERROR
#define LFT_P_LOGQ_ERROR
/* epsilon = log q - log q_exact over n samples of the flow, where q_exact is the density of the discrete map Phi_h.
 *   std        the bias of an observable O from a chain with weights exp(-S)/q is at most sigma_O std, to first order
 *   mean       the shift of log Z: log Z = log mean w + mean, to first order
 *   mean_error std / sqrt n, and std_error = std / sqrt(2 (n - 1)); all zero for coupling flows, up to rounding */
typedef struct lft_logq_error {
    double std, mean, std_error, mean_error;
    int    n;
} lft_logq_error;
#endif

/* One layer of a flow: a table such as LFT_(continuous)() and the desc that it reads. */
typedef struct LFT_(layer_desc) {
    const LFT_(layer_ops) *ops;
    const void            *desc;
} LFT_(layer_desc);

/* Zero means the default. */
typedef struct LFT_(flow_desc) {
    int                      extent[LFT_DIM];
    lft_prior_kind           prior;       /* scalars: free field; gauge groups: Haar */
    double                   prior_mass2; /* m2 at which the free field starts: (4 / largest extent of the target)^2 */
    int                      prior_target[LFT_DIM]; /* extents of the lattice of which the free field at first has every
                                              (target / extent)-th site: the extents */
    LFT_(continuous_desc)    continuous;  /* the one layer of a flow without a list of layers */
    const LFT_(layer_desc)  *layer;       /* [layers], from the prior to the samples */
    int                      layers;
    lft_family               family; /* of couplings, each with parameters of its own; none */
    lft_pool                 pool; /* serial; threads are part of the byte query */
} LFT_(flow_desc);

typedef struct LFT_(flow) {
    LFT_(lattice)  lattice; /* of the samples */
    LFT_(layer)   *layer;
    int            layers;
    lft_parameters params; /* params.value may be changed; flow_prepare must follow. Of a family these are the coefficients:
                              those of T_0 under the parameters' names, those of T_b with "termb." in front */
    lft_family     family;
    double         coupling[LFT_MAX_COUPLINGS]; /* of a family: those that it is at; at first the middle */
    lft_pool       pool;
    lft_error      error; /* of the last call that failed */
    void          *state;
} LFT_(flow);

/* Lays a flow out in the arena, with the parameters of its start: every layer the identity or near it. LFT_ERR_ARG,
 * LFT_ERR_NOMEM; text in *error (may be NULL). After it, nothing allocates. */
LFT_P_STATIC lft_status LFT_(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena, lft_error *error);

/* Bytes that flow_init takes from an arena of any alignment; 0 if the desc is not legal. */
LFT_API size_t LFT_(flow_bytes)(const LFT_(flow_desc) *desc);

/* Derives all tables from flow->params.value, of a family at flow->coupling. */
LFT_API void LFT_(flow_prepare)(LFT_(flow) *flow);

/* Brings a family to these couplings, those of a theory, and prepares. LFT_ERR_ARG beyond its bounds; LFT_ERR_MISMATCH for
 * another number of couplings, or for a flow that is no family. */
LFT_API lft_status LFT_(flow_at)(LFT_(flow) *flow, const double *coupling, int couplings);

/* Integration steps of every layer that has them; prepares. LFT_ERR_ARG beyond most_steps. */
LFT_API lft_status LFT_(flow_refine)(LFT_(flow) *flow, int steps);

/* Fills a batch with samples number first ... first + n - 1 of the seed, and logq[n] with their log-densities. The same
 * number is the same sample in any batch, for any number of threads. LFT_ERR_NONFINITE, LFT_ERR_MISMATCH (extents). */
LFT_API lft_status LFT_(flow_sample)(LFT_(flow) *flow, uint64_t seed, uint64_t first, LFT_(batch) *x, double *logq);

/* logq[n] of given configurations, by the inverse of the same discrete map. LFT_ERR_NOCONV if that cannot be computed. */
LFT_API lft_status LFT_(flow_logq)(LFT_(flow) *flow, const LFT_(batch) *x, double *logq);

/* x = f(z) with logdet[n] = log |det df/dz|, and back: z = f^-1(x) with logdet[n] = log |det df^-1/dx|. x may be z where the
 * extents agree. The prior is left out. LFT_ERR_ARG for a flow with layers that draw; flow_inverse knows what they were given. */
LFT_API lft_status LFT_(flow_map)(LFT_(flow) *flow, const LFT_(batch) *z, LFT_(batch) *x, double *logdet);
LFT_API lft_status LFT_(flow_inverse)(LFT_(flow) *flow, const LFT_(batch) *x, LFT_(batch) *z, double *logdet);

LFT_API lft_status LFT_P_SIGNED(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena,
                                           lft_error *error);

LFT_P_STATIC lft_status LFT_(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena, lft_error *error)
{
    return LFT_P_SIGNED(flow_init)(flow, desc, arena, error);
}

#if LFT_GROUP != LFT_SCALAR

/* ---- 81_exact.h, declarations ------------------------------------------------------------------------------------ */
/* 81_exact.h: Wilson's plaquette action in two dimensions, sampled without approximation.
 * Offers: LFT_(exact_desc)(), LFT_(exact_bytes)(), LFT_(exact_logz)(). */

/* A desc of the flow whose samples have the density exp(-S) / Z, S = -(beta / N) sum Re tr P (U(1): -beta sum cos), in two
 * dimensions: the Haar prior of one site, the torus layer, and exact doublings of the axes in turn until the extents are
 * reached, any extents (74_doubling.h). Its log q is -S - log Z to rounding, of samples and of given configurations: all
 * weights are equal, the ESS is 1 and samples are independent. The layers are laid out in the arena and have to last until
 * flow_init returns; desc->pool may be set. LFT_ERR_ARG: extents, dimensions other than 2, beta below 0 or above 100 (flow_init
 * refuses more, see LFT_(doubling)()); LFT_ERR_NOMEM; text in *error (may be NULL). exact_bytes: what it takes from an arena. */
LFT_API lft_status LFT_(exact_desc)(LFT_(flow_desc) *desc, const int *extent, double beta, lft_arena *arena, lft_error *error);
LFT_API size_t LFT_(exact_bytes)(void);

/* *logz = log int dU exp(-S) = V log lambda_0 + log sum_r (lambda_r / lambda_0)^V on the torus of V plaquettes, to rounding; Haar
 * measures normalised to 1: 0 at beta = 0. Status as above; scratch: 64 kB are enough. */
LFT_API lft_status LFT_(exact_logz)(const int *extent, double beta, double *logz, lft_arena scratch, lft_error *error);

/* ---- 81_multiscale.h, declarations ------------------------------------------------------------------------------- */
/* 81_multiscale.h: flows of gauge fields from coarse lattices to fine ones.
 * Offers: LFT_(multiscale_desc), LFT_(multiscale)(), LFT_(multiscale_part)(), LFT_(multiscale_bytes)().
 * Source: 2404.10819; couplings of coarse lattices as of A. A. Migdal and L. P. Kadanoff (Ann. Phys. 100 (1976) 359). */

/* Zero means the default. */
typedef struct LFT_(multiscale_desc) {
    int                   from[LFT_DIM];   /* extents of the prior: 1 in two dimensions, otherwise the least from 2 on */
    int                   extent[LFT_DIM]; /* of the samples: those times powers of two */
    int                   refine;          /* 1: behind each doubling also a flow of all links, at first the identity */
    int                   fixed_gauge;     /* 1: of all doublings (74_doubling.h): the same log q, samples of one gauge */
    int                   harmonics;       /* U(1) in two dimensions, > 0: of circle maps (74_circle.h) in place of flows */
    LFT_(continuous_desc) flow;            /* of each flow, `doubled` apart: beta is that of the finest lattice; loops, by default
                                              those of order max(1, order), are fewer where a lattice is too small for them */
} LFT_(multiscale_desc);

/* A desc of a flow from the Haar prior on the extents `from`: there a flow of all links, if no extent is 1; then the axes in turn,
 * those first that have farthest to go, each doubling with Haar links (74_doubling.h) followed by the flow of the new links
 * given the others (71_gauge_continuous.h, doubled). With order > 0 that is at first the trivializing map for Wilson's action at
 * the coupling of its lattice: of a plaquette, going back over a doubling, u(beta') = u(beta)^2 if it lies along the axis, and
 * beta' = 2 beta otherwise, with u = lambda_f / lambda_0 of 47_characters.h; of a flow the mean over the plaquettes along its axis.
 * In two dimensions the coarse action is a plaquette action to leading order in u, and the conditionals are of one link each: any
 * order is possible on any lattice. In more dimensions a flow of order n takes extents across the axis of n + 1, and takes a
 * lower order on smaller lattices; across extents of 1, the plaquettes along the axis alone and the identity to begin with.
 * Circle maps begin with c_1 = that coupling, with order > 0, or as the identity.
 * The layers are laid out in the arena and have to last until flow_init returns; desc->pool may be set. LFT_ERR_ARG: extents,
 * beta below 0 or above 100, loops (flow_init refuses more); LFT_ERR_NOMEM; text in *error (may be NULL). multiscale_bytes:
 * what it takes from an arena. */
LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error);
LFT_API size_t LFT_(multiscale_bytes)(void);

/* The first layers of that flow, as far as the first so many doublings and what follows each: a flow of a coarser lattice, of which
 * *beta is the mean coupling of all plaquettes, as above. Its parameters are the first ones of the whole flow's: scales can be
 * trained one after the other, those before frozen (lft_train_desc), and then all together. LFT_ERR_ARG also if there are not so
 * many doublings, or no layers. */
LFT_API lft_status LFT_(multiscale_part)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, int doublings, double *beta,
                                         lft_arena *arena, lft_error *error);

#else

/* ---- 81_scalar_multiscale.h, declarations ------------------------------------------------------------------------ */
/* 81_scalar_multiscale.h: flows of scalar fields from coarse lattices to fine ones.
 * Offers: LFT_(multiscale_desc), LFT_(multiscale)(), LFT_(multiscale_bytes)(). Source: 2404.10819, which has gauge fields. */

/* Zero means the default. */
typedef struct LFT_(multiscale_desc) {
    int                   from[LFT_DIM];   /* extents of the prior: the samples', halved while they are even and above 4 */
    int                   extent[LFT_DIM]; /* of the samples: those times powers of two */
    int                   refine;          /* 1: a continuous flow behind every doubling; else where no axis has farther to go than
                                              another, and at the end */
    int                   sines;           /* of the doublings: 2; -1 none */
    double                mass2;           /* of the free field at the start: (4 / largest extent)^2 */
    LFT_(continuous_desc) flow;            /* of all scales */
} LFT_(multiscale_desc);

/* A desc of a flow from a Gaussian prior on the extents `from`: there a continuous flow; then the axes in turn, those first that
 * have farthest to go, by doublings (73_scalar_doubling.h) and continuous flows of all sites (70_continuous.h). The prior is at
 * first the free field of the finest lattice on the sites that stay, the doublings continue it and the flows are the identity, so
 * that all of it is the free field at the start: to rounding if every axis is doubled as often as the others or has an extent of
 * its own, otherwise as near as the tied spectrum of the prior comes. The layers are laid out in the arena and have to last until
 * flow_init returns; desc->pool and desc->prior may be set. LFT_ERR_ARG: extents (flow_init refuses more); LFT_ERR_NOMEM; text in
 * *error (may be NULL). multiscale_bytes: what it takes from an arena. */
LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error);
LFT_API size_t LFT_(multiscale_bytes)(void);

#endif

/* ---- 81_transfer.h, declarations --------------------------------------------------------------------------------- */
/* 81_transfer.h: a trained flow as the start of another lattice's.
 * Offers: LFT_(flow_transfer)(). */

/* Sets the parameters of `flow` to what does on its extents about what those of `from` do on theirs, and prepares it: kernels
 * are padded with zeros, or folded, the prior's spectrum is interpolated, nets are copied. On fields with the period of both
 * lattices the two flows do the same, but for the prior (and unless axes become equal that were not). The flows have the same
 * prior and layers, of which the integration steps may differ and stay as they are; LFT_ERR_MISMATCH otherwise, with nothing
 * changed. A flow that draws on its way to finer lattices may have more layers than `from`, whose are then the last ones: the
 * same scales, seen from the samples. Text in flow->error. Of a family, the flow at its present couplings is taken; a family gets
 * it for all couplings alike. */
LFT_API lft_status LFT_(flow_transfer)(LFT_(flow) *flow, const LFT_(flow) *from);

/* ---- 82_carry.h, declarations ------------------------------------------------------------------------------------ */
/* 82_carry.h: configurations of one theory carried to another by a flow: correlated ensembles.
 * Offers: LFT_(flow_carry)(). */

/* y = f(x), and logw[n] = S_from(x) - S_to(y) + log |det df/dx|. If the x are an ensemble of `from`, then for any flow
 *   <O>_to = <w O(y)> / <w>,   <w> = Z_to / Z_from,   w = exp(logw)
 * and O(x) - w O(y) / <w> fluctuates as little as y is near x: <O>_from - <O>_to has a smaller error than two runs, and, where f is
 * nearer to what leads from one theory to the other than the identity, than reweighting. A flow of gauge fields begins as such a
 * map with continuous.from and .beta. LFT_ERR_ARG where x is y; otherwise errors as of LFT_(flow_map)(). Source: 2401.10874. */
LFT_API lft_status LFT_(flow_carry)(LFT_(flow) *flow, const LFT_(theory) *from, const LFT_(theory) *to, const LFT_(batch) *x,
                                    LFT_(batch) *y, double *logw);

/* ---- 82_metropolis.h, declarations ------------------------------------------------------------------------------- */
/* 82_metropolis.h: independence Metropolis: the samples of a flow, accepted or rejected, are an exact Markov chain.
 * Offers: LFT_(chain_desc), LFT_(chain), LFT_(chain_init)(), LFT_(chain_bytes)(), LFT_(chain_next)(), LFT_(chain_start)(). */

/* Zero means the default. */
typedef struct LFT_(chain_desc) {
    int      chains; /* independent chains, which advance together: 64 */
    uint64_t seed;   /* of proposals and decisions; every number is a seed, 0 too */
} LFT_(chain_desc);

/* Chains whose proposals are a flow's samples. All that a chain is stands in these members and may be saved and put back:
 * rounds is the address of the random numbers to come. acceptance = accepted / (steps chains). */
typedef struct LFT_(chain) {
    LFT_(flow)         *flow;
    const LFT_(theory) *theory;
    int                 chains;
    uint64_t            seed;
    LFT_(batch)         x;        /* the current configurations, one per chain */
    LFT_(batch)         proposal; /* the last round of proposals, accepted or not */
    double             *logw;     /* [chains] log-weights -S - log q of x */
    double             *proposal_logw; /* [chains] those of the last round: independent samples of the flow, whatever the
                                          chains make of them, so lft_weigh() of all rounds gives ESS and log Z */
    uint64_t           *run;       /* [chains] steps since the chain last moved */
    uint64_t            rounds;    /* of proposals so far: those of the start and one per step */
    uint64_t            steps;     /* calls of chain_next */
    uint64_t            accepted;  /* of all chains */
    uint64_t            nonfinite; /* proposals without a finite log-weight, those of the start included */
    uint64_t            longest;   /* rejection run of any chain */
    lft_error           error;     /* of the last call that failed */
} LFT_(chain);

/* Lays the chains out in the arena and starts each from its first proposal of finite log-weight. Flow and theory must
 * outlive the chains; the couplings and the parameters may not change between two steps. LFT_ERR_ARG, LFT_ERR_NOMEM, what
 * flow_sample returns, and LFT_ERR_NONFINITE if a chain found no start in 1000 rounds. */
LFT_API lft_status LFT_(chain_init)(LFT_(chain) *chain, LFT_(flow) *flow, const LFT_(theory) *theory,
                                    const LFT_(chain_desc) *desc, lft_arena *arena, lft_error *error);

/* Bytes that chain_init takes from an arena of any alignment for a flow on this lattice; 0 if the desc is not legal. */
LFT_API size_t LFT_(chain_bytes)(const LFT_(lattice) *lattice, const LFT_(chain_desc) *desc);

/* One step of every chain: chain c proposes x' = sample number rounds * chains + c of the flow, and moves there with
 * probability min(1, w(x') / w(x)), w = exp(-S - log q). A proposal without a finite log-weight (an action that overflows, a
 * flow that does) is not accepted. The same for any number of lanes and threads, the latter bit for bit.
 * Returns what flow_sample returns but LFT_ERR_NONFINITE; the chains then stay as they are. */
LFT_API lft_status LFT_(chain_next)(LFT_(chain) *chain);

/* Goes on from these configurations, the i-th in chain i, e.g. after a trajectory of HMC in between: a chain that mixes two
 * samplers of the same density. Their log q is computed, by the inverse of the flow. LFT_ERR_MISMATCH if extents or number
 * differ, or what flow_logq returns; LFT_ERR_NONFINITE if a log-weight is not finite; the chains then stay as they are. */
LFT_API lft_status LFT_(chain_start)(LFT_(chain) *chain, const LFT_(batch) *x);

/* ---- 83_hmc.h, declarations -------------------------------------------------------------------------------------- */
/* 83_hmc.h: Hybrid Monte Carlo, many independent chains at a time: the reference that flows are compared with.
 * Offers: lft_integrator, lft_start, LFT_(hmc_desc), LFT_(hmc), LFT_(hmc_init)(), LFT_(hmc_bytes)(), LFT_(hmc_start)(),
 *         LFT_(hmc_next)(), LFT_(hmc_thermalise)(), LFT_(hmc_thermalise_next)(), LFT_(hmc_reversibility)(). */

#ifndef LFT_P_HMC_ENUMS
#define LFT_P_HMC_ENUMS
/* How the equations of motion of H = sum pi^2 / 2 + S are integrated. P(h): pi -= h dS, Q(h): phi += h pi or, for links,
 * U = exp(h pi^a T^a) U. All are reversible and preserve volume. Those of second order have <dH> proportional to V h^4; Omelyan's
 * step takes two forces instead of one, but is so much more accurate that it needs fewer in all. That of fourth order, <dH>
 * proportional to V h^8, takes five: for large lattices and high acceptance. */
typedef enum lft_integrator {
    LFT_LEAPFROG = 1, /* P(h/2) Q(h) P(h/2) */
    LFT_OMELYAN,      /* P(z h) Q(h/2) P((1 - 2z) h) Q(h/2) P(z h), z = 0.1931833275037836, the default. Omelyan, Mryglod,
                         Folk, Comput. Phys. Commun. 151 (2003) 272, eq. 31 */
    LFT_FOURTH        /* P(a h) Q(b h) P(c h) Q(d h) P((1/2 - a - c) h) Q((1 - 2 (b + d)) h) and back. The same, eqs. 71, 72 */
} lft_integrator;

typedef enum lft_start {
    LFT_START_COLD = 1, /* phi = 0, links 1, the default */
    LFT_START_HOT       /* phi(x) ~ N(0, 1), links with the invariant measure */
} lft_start;
#endif

/* Zero means the default, -1 none. */
typedef struct LFT_(hmc_desc) {
    int            extent[LFT_DIM];
    int            chains;     /* independent chains, which advance together: 64 */
    lft_integrator integrator; /* Omelyan */
    double         length;     /* of a trajectory, in the time of H above: 1 */
    double         jitter;     /* trajectories have length times 1 - jitter to 1 + jitter, uniformly: 0.2, below 1. A fixed
                                  length that is a period of some mode would never move that mode */
    int            steps;      /* per trajectory. By default hmc_thermalise chooses them, and it is 10 before */
    double         acceptance; /* that it aims at: 0.8. Cost alone would have it at 0.65 for both integrators, with hardly
                                  any difference in between, but then chains stick longer */
    lft_start      start;      /* cold */
    uint64_t       seed;       /* every number is a seed, 0 too */
    lft_pool       pool;       /* serial; threads are part of the byte query */
} LFT_(hmc_desc);

/* The chains. The next trajectory depends on x, steps, desc.length and drawn alone: with these saved a run resumes; in the
 * middle of hmc_thermalise, with tuning too.
 * acceptance = accepted / (trajectories chains); exp_dH / (trajectories chains) is 1 within its error for an exact chain in
 * equilibrium: for that error put the mean of exp(-dH[c]) over the chains, or each by itself, into a series. With coarse
 * steps on a small lattice, states that hardly ever occur carry part of that mean: then it looks too small. */
typedef struct LFT_(hmc) {
    LFT_(hmc_desc)      desc; /* with the defaults filled in */
    const LFT_(theory) *theory;
    LFT_(batch)         x;            /* the current configurations, one per chain */
    double             *dH;           /* [chains] H(end) - H(beginning) of the last trajectory, accepted or not */
    int                 steps;        /* per trajectory */
    uint64_t            drawn;        /* trajectories ever: the address of the random numbers to come */
    uint64_t            trajectories; /* of each chain since init or the last hmc_thermalise; the sums below count from there */
    uint64_t            accepted;     /* of all chains */
    uint64_t            nonfinite;    /* trajectories that overflowed and were rejected */
    double              exp_dH;       /* sum of exp(-dH) over trajectories and chains */
    double              tuning[2];    /* of hmc_thermalise: log of the step size, and its sum in the second half */
    lft_error           error;        /* of the last call that failed */
    void               *state;
} LFT_(hmc);

/* Lays the chains out in the arena. The theory must outlive them; its couplings may be changed between trajectories.
 * LFT_ERR_ARG, LFT_ERR_NOMEM; text in *error (may be NULL). After it, nothing allocates. */
static inline lft_status LFT_(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                        lft_arena *arena, lft_error *error);

/* Bytes that hmc_init takes from an arena of any alignment; 0 if the desc is not legal. */
LFT_API size_t LFT_(hmc_bytes)(const LFT_(hmc_desc) *desc);

/* Goes on from these configurations, the i-th for chain i. LFT_ERR_MISMATCH if extents or number differ. */
LFT_API lft_status LFT_(hmc_start)(LFT_(hmc) *hmc, const LFT_(batch) *x);

/* One trajectory of every chain: normal momenta, integration, accepted with probability min(1, exp(-dH)). Chain c depends on
 * the seed, c, drawn and its configuration, not on the number of chains, lanes or threads (bit for bit except for lanes).
 * Energies are summed in double. LFT_ERR_NONFINITE: the action of a current configuration is not finite; that chain stays
 * where it is. O(chains steps volume). */
LFT_API lft_status LFT_(hmc_next)(LFT_(hmc) *hmc);

/* n trajectories; where desc.steps is 0 they choose the number of steps for those that follow. After each one the step size
 * e is changed by log e += g (a - acceptance), a being the mean of min(1, exp(-dH)) over the chains, g = 1 in the first half
 * and k^-0.6 in the k-th trajectory of the second; the geometric mean of the second half's step sizes, shortened until it
 * divides the length, is then kept. A few tens are enough for that, and the chains have to reach equilibrium before the
 * second half begins. The sums start afresh. LFT_ERR_NONFINITE as above; LFT_ERR_NOCONV if more than 10000 steps were
 * needed. */
LFT_API lft_status LFT_(hmc_thermalise)(LFT_(hmc) *hmc, int n);

/* The i-th of these n trajectories alone, 0 <= i < n, for callers that look up in between: hmc_thermalise is all of them in turn.
 * The sums start afresh with each. */
LFT_API lft_status LFT_(hmc_thermalise_next)(LFT_(hmc) *hmc, int i, int n);

/* Integrates the next trajectory, turns the momenta round and integrates back, without changing any chain: the largest
 * |change| of a number of the fields over sites and chains, and the largest |change of H| over chains. Both are rounding
 * errors, magnified by the instability of the trajectory. LFT_ERR_NONFINITE. */
LFT_API lft_status LFT_(hmc_reversibility)(LFT_(hmc) *hmc, double *dphi, double *dH);

LFT_API lft_status LFT_P_SIGNED(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                          lft_arena *arena, lft_error *error);

static inline lft_status LFT_(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                        lft_arena *arena, lft_error *error)
{
    return LFT_P_SIGNED(hmc_init)(hmc, theory, desc, arena, error);
}

#if LFT_GROUP != LFT_SCALAR

/* ---- 84_heatbath.h, declarations --------------------------------------------------------------------------------- */
/* 84_heatbath.h: heat bath with overrelaxation for Wilson's plaquette action, many independent chains at a time.
 * Offers: LFT_(heatbath_desc), LFT_(heatbath), LFT_(heatbath_init)(), LFT_(heatbath_bytes)(), LFT_(heatbath_start)(),
 *         LFT_(heatbath_next)(), LFT_(heatbath_thermalise)(). */

/* Zero means the default, -1 none. */
typedef struct LFT_(heatbath_desc) {
    int       extent[LFT_DIM]; /* at least 2: a plaquette may not hold a link twice */
    int       chains;          /* independent chains, which advance together: 64 */
    int       overrelax;       /* sweeps of overrelaxation after each sweep of the heat bath: 2 */
    lft_start start;           /* cold; a hot start is that of HMC with the same seed */
    uint64_t  seed;            /* every number is a seed, 0 too */
    lft_pool  pool;            /* serial; lane groups are the tasks */
} LFT_(heatbath_desc);

/* The chains. The next update depends on x, desc.overrelax, the couplings and drawn alone: with these saved a run resumes. */
typedef struct LFT_(heatbath) {
    LFT_(heatbath_desc) desc; /* with the defaults filled in */
    const LFT_(theory) *theory;
    LFT_(batch)         x;      /* the current configurations, one per chain */
    uint64_t            drawn;  /* updates ever: the address of the random numbers to come, which repeat after 2^32 */
    uint64_t            sweeps; /* of each chain, of both kinds, since init or the last heatbath_thermalise */
    lft_error           error;  /* of the last call that failed */
    void               *state;
} LFT_(heatbath);

/* Lays the chains out in the arena. The theory is "wilson" with c1 = 0 and must outlive them; beta may be changed between
 * updates, and have either sign. LFT_ERR_ARG: extents below 2, another theory, c1; LFT_ERR_NOMEM; text in *error (may be
 * NULL). After it, nothing allocates. */
static inline lft_status LFT_(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                             const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error);

/* Bytes that heatbath_init takes from an arena of any alignment; 0 if the desc is not legal. */
LFT_API size_t LFT_(heatbath_bytes)(const LFT_(heatbath_desc) *desc);

/* Goes on from these configurations, the i-th for chain i. LFT_ERR_MISMATCH if extents or number differ. */
LFT_API lft_status LFT_(heatbath_start)(LFT_(heatbath) *bath, const LFT_(batch) *x);

/* One update of every chain: a sweep in which each link is drawn anew given its staples, then desc.overrelax sweeps in which
 * each link is moved as far as it goes at constant action; then all links are made unitary again. A sweep goes through the
 * links in the order of memory, so each sees those before it already changed. SU(2): Kennedy and Pendleton with a tighter
 * envelope; SU(3): Cabibbo and Marinari, three subgroups SU(2); U(1): Best and Fisher. Chain c depends on the seed, c, drawn and
 * its configuration, not on the number of chains, lanes or threads (bit for bit except for lanes: rounding may decide
 * between two attempts). LFT_ERR_ARG: as init; LFT_ERR_NONFINITE: a link of a chain, or beta times its staples, was not
 * finite; the other chains have advanced. O(chains volume (1 + overrelax)). */
LFT_API lft_status LFT_(heatbath_next)(LFT_(heatbath) *bath);

/* n updates; the sweeps count from there. */
LFT_API lft_status LFT_(heatbath_thermalise)(LFT_(heatbath) *bath, int n);

LFT_API lft_status LFT_P_SIGNED(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                               const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error);

static inline lft_status LFT_(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                             const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error)
{
    return LFT_P_SIGNED(heatbath_init)(bath, theory, desc, arena, error);
}

#endif
#if LFT_GROUP == LFT_SCALAR

/* ---- 86_scalar_observables.h, declarations ----------------------------------------------------------------------- */
/* 86_scalar_observables.h: what is measured on scalar fields, and what is derived from it.
 * Offers: lft_column, LFT_(observables_count)(), LFT_(measure)(), LFT_(measure_into)(), LFT_(measure_bytes)();
 *         lft_observable, LFT_(observable_name)(), LFT_(observe)(), LFT_(derived)(). */

/* A measurement of a configuration is a row of these numbers, with V sites, <phi> = (1/V) sum_x phi(x), and the time axes:
 * axis 0 and those of the same extent L. Along one of them s(t) is the sum of phi over the sites of slice t. */
#ifndef LFT_P_OBSERVABLES
#define LFT_P_OBSERVABLES
typedef enum lft_column {
    LFT_COLUMN_M,      /* m = <phi>, the mean field */
    LFT_COLUMN_ABS_M,  /* |m| */
    LFT_COLUMN_M2,     /* m^2 */
    LFT_COLUMN_M4,     /* m^4 */
    LFT_COLUMN_PHI2,   /* <phi^2>, the mean over the sites */
    LFT_COLUMN_PHI4,   /* <phi^4> */
    LFT_COLUMN_ACTION, /* S / V */
    LFT_COLUMN_KMIN,   /* |sum_t s(t) e^(2 pi i t / L)|^2 / V, mean over the time axes: the smallest momentum, normalised so
                          that a free field gives 1 / (2 (khat^2 + m2)) */
    LFT_COLUMN_C       /* the first of L/2 + 1 columns C(t) = (1/V) sum_t' s(t') s(t' + t), t = 0 ... L/2, mean over the time
                          axes: the correlator of slices at zero momentum. C(L - t) = C(t), and sum_t C(t) = V m^2 */
} lft_column;

/* name, what it is: with expectation values of the columns in brackets, and G(t) = <C(t)> for all t */
#define LFT_P_OBSERVABLE_LIST(X)                                                                               \
    X(LFT_CHI2, "chi2")         /* V <m^2>: the connected susceptibility, because <m> = 0 by phi -> -phi */    \
    X(LFT_MASS_L, "mass_l")     /* m_p L, m_p = mean over t = 1 ... L-1 of arcosh[(G(t-1)+G(t+1)) / 2 G(t)] */ \
    X(LFT_XI_2ND, "xi_2nd")     /* sqrt(chi2 / F - 1) / (2 sin(pi / L)), F = <KMIN> */                         \
    X(LFT_BINDER, "binder")     /* U = 1 - <m^4> / 3 <m^2>^2 */                                                \
    X(LFT_ABS_M, "abs_m")       /* <|m|> */                                                                    \
    X(LFT_PHI2, "phi2")         /* <phi^2> */                                                                  \
    X(LFT_PHI4, "phi4")         /* <phi^4> */                                                                  \
    X(LFT_IDENTITY, "identity") /* <S> / V + lambda <phi^4>: exactly 1/2 in phi^4 theory, for all couplings */

#define LFT_P_OBSERVABLE_ENUM(code, name) code,
typedef enum lft_observable { LFT_P_OBSERVABLE_LIST(LFT_P_OBSERVABLE_ENUM) LFT_OBSERVABLES } lft_observable;
#undef LFT_P_OBSERVABLE_ENUM
#endif

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

/* Numbers in a row: LFT_COLUMN_C + L/2 + 1. */
LFT_API int LFT_(observables_count)(const LFT_(lattice) *lattice);

/* rows[n][count] of the configurations of a batch, summed in double and in a fixed order: the same whatever else is in the
 * batch. Scratch: measure_bytes(). LFT_ERR_NOMEM; text in *error (may be NULL). O(n (V + L^2)). */
LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(batch) *x, double *rows, lft_arena scratch,
                                 lft_error *error);

/* Appends the row of configuration i to replica i of a series of observables_count() columns: chains are replicas.
 * LFT_ERR_MISMATCH if numbers of columns, or replicas and configurations differ; LFT_ERR_NOMEM if a replica was full, which
 * is left as it is; LFT_ERR_NONFINITE if a number is not finite (stored all the same, see lft_series_add). */
LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(batch) *x, lft_series *series,
                                      lft_arena scratch, lft_error *error);

/* Scratch of both, the alignment of the arena's base included. */
LFT_API size_t LFT_(measure_bytes)(const LFT_(lattice) *lattice);

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

/* "chi2", ... for 0 <= observable < LFT_OBSERVABLES, else NULL. */
LFT_API const char *LFT_(observable_name)(int observable);

/* An observable (an lft_observable) of a series that measure_into filled, with the error of the Gamma method. Not a number, and
 * not reliable, where it is not defined: mass_l at L = 1 or if noise takes a ratio below 1; xi_2nd at L = 1 or if it takes F
 * above chi2; identity in other theories than phi4. Slopes are analytic, for at small masses a fraction of a naive error of
 * one G(t), the others fixed, would take a ratio below 1.
 * Scratch: lft_gamma_bytes(). Status through error (may be NULL) as lft_gamma_of; LFT_ERR_MISMATCH for other columns. */
LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(lattice) *lattice,
                                   int observable, lft_arena scratch, lft_error *error);

/* The same function of the means of the columns as an lft_derived, e.g. for lft_jackknife; ctx: an LFT_(derived_of). */
typedef struct LFT_(derived_of) {
    const LFT_(theory)  *theory;
    const LFT_(lattice) *lattice;
    int                  observable;
} LFT_(derived_of);
LFT_API double LFT_(derived)(const double *mean, void *ctx);

#else

/* ---- 87_gauge_observables.h, declarations ------------------------------------------------------------------------ */
/* 87_gauge_observables.h: what is measured on gauge fields, and what is derived from it.
 * Offers: LFT_(observables), LFT_(observables_check)(), LFT_(observables_count)(), LFT_(measure)(), LFT_(measure_into)(),
 *         LFT_(measure_bytes)(); LFT_(observable_name)(), LFT_(observable_find)(), LFT_(observe)(), LFT_(derived)(). */

#ifndef LFT_P_GAUGE_OBSERVABLES
#define LFT_P_GAUGE_OBSERVABLES
#define LFT_OBSERVABLE_TEXT 32 /* bytes of a name, at most */
#endif

/* What is measured: beyond the lattice zero means nothing, or the default. One desc belongs to all functions below.
 *
 * A measurement of a configuration is a row of numbers, one per observable in this order, and at its end one per step of
 * the flow. V sites, N colours (U(1): 1), axis 0 is time; <...> is the mean over sites, and over planes where there are more
 *   action            S / V of the theory
 *   plaquette         <Re tr P> / N over all planes: 1 at U = 1
 *   plaquette_space   the same over the planes without axis 0; not in two dimensions, which have none
 *   plaquette_time    over those with axis 0
 *   polyakov_re       <Re tr L> / N, L the product of the links along axis 0 around the lattice, mean over the other axes
 *   polyakov_im       <Im tr L> / N; not for SU(2), whose traces are real
 *   polyakov_abs      |<tr L> / N|, of the mean over the volume
 *   q, q2             Q and Q^2, the topological charge:
 *                     U(1), two dimensions: (1 / 2 pi) sum of the plaquettes' angles in (-pi, pi], an integer; P_01 goes along
 *                     axis 0 first; never flowed
 *                     four dimensions: (1 / 32 pi^2) sum eps_mnrs Re tr F_mn F_rs, eps_0123 = 1, with the clover F below; after
 *                     flow_time if there is one. Next to an integer on smooth fields only
 *                     not defined elsewhere, and left out
 *   wilson_RxT        <Re tr W> / N of the loops of R x T links, 1 <= R <= max_R, 1 <= T <= max_T. All axes are alike: every
 *                     plane counts in both orientations, and only R <= T is listed. With static_only T runs along axis 0, R along
 *                     the other axes, and all R and T are listed. A side must be shorter than its axis; planes with
 *                     a shorter axis do not count
 * With a flow time, of the configuration after the Wilson flow (see wilson_flow) to t = flow_time:
 *   energy_flow       E(t) = (1/V) sum_x F^a_mn F^a_mn / 4, summed over m, n and a (U(1): F_mn F_mn / 4), with the clover
 *                     F = (1/8i) [C - C^+] without its trace, C the sum of the four plaquettes that begin and end at x
 *   t2_energy_flow    t^2 E(t)
 *   t0                the flow time at which t^2 E(t) = 0.3, E the mean of the ensemble
 *   w0                the square root of that at which t d/dt [t^2 E(t)] = 0.3; both in units of a
 * For them a row holds t^2 E at every step of the flow; t0 and w0 are found between steps, by cubic polynomials through the four
 * nearest and derivatives from five. They are no numbers where 0.3 is not reached, w0 up to two steps before the flow
 * ends. Sources: M. Luescher, arXiv:1006.4518; S. Borsanyi et al., arXiv:1203.4469. */
typedef struct LFT_(observables) {
    LFT_(lattice) lattice;
    int           max_R, max_T; /* Wilson loops up to R x T */
    int           static_only;  /* 1: those of the static potential */
    double        flow_time;
    double        flow_step; /* 0.05; made smaller so that it divides flow_time. Larger ones than 0.15 are not stable */
} LFT_(observables);

/* LFT_ERR_ARG, with text in *error (may be NULL), for loops that do not fit into any plane, max_R > max_T without static_only, one
 * of both alone, or a flow that is not finite, negative, or longer than 100000 steps. */
LFT_API lft_status LFT_(observables_check)(const LFT_(observables) *o, lft_error *error);

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

/* Numbers in a row; 0 if the desc is not legal. */
LFT_API int LFT_(observables_count)(const LFT_(observables) *o);

/* rows[n][count] of the configurations of a batch, summed in double and in a fixed order: the same whatever else is in the
 * batch, which stays as it is. Scratch: measure_bytes(). LFT_ERR_ARG as observables_check; LFT_ERR_MISMATCH for other extents;
 * LFT_ERR_NOMEM; text in *error (may be NULL). O(n V (dim^2 (1 + max_R max_T) + steps of the flow)). */
LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x, double *rows,
                                 lft_arena scratch, lft_error *error);

/* Appends the row of configuration i to replica i of a series of observables_count() columns: chains are replicas. Status as
 * measure, and LFT_ERR_MISMATCH if numbers of columns, or replicas and configurations differ; LFT_ERR_NOMEM if a replica was full,
 * which is left as it is; LFT_ERR_NONFINITE if a number is not finite (stored all the same, see lft_series_add). */
LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x,
                                      lft_series *series, lft_arena scratch, lft_error *error);

/* Scratch of both, the alignment of the arena's base included; 0 if the desc is not legal. */
LFT_API size_t LFT_(measure_bytes)(const LFT_(observables) *o);

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

/* "action", ... for 0 <= observable, NULL beyond the last one. text[LFT_OBSERVABLE_TEXT] is used for names that have to be made. */
LFT_API const char *LFT_(observable_name)(const LFT_(observables) *o, int observable, char *text);

/* The observable of that name, -1 if there is none. */
LFT_API int LFT_(observable_find)(const LFT_(observables) *o, const char *name);

/* An observable of a series that measure_into filled, with the error of the Gamma method and analytic slopes. Not a number, and not
 * reliable, where it is not defined: t0 and w0 that were not reached. theory is not used (NULL): calls look alike for all groups.
 * Scratch: lft_gamma_bytes(). Status through error (may be NULL) as lft_gamma_of; LFT_ERR_MISMATCH for other columns. */
LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(observables) *o,
                                   int observable, lft_arena scratch, lft_error *error);

/* The same function of the means of the columns as an lft_derived, e.g. for lft_jackknife; ctx: an LFT_(derived_of). */
typedef struct LFT_(derived_of) {
    const LFT_(observables) *observables;
    int                      observable;
} LFT_(derived_of);
LFT_API double LFT_(derived)(const double *mean, void *ctx);

#endif

/* ---- 88_model.h, declarations ------------------------------------------------------------------------------------ */
/* 88_model.h: flows as files: safetensors documents that hold all that rebuilds a flow bit for bit.
 * Offers: LFT_(model_info), LFT_(model_info_of)(), LFT_(model_save)(), LFT_(model_bytes)(). 89_model_read.h reads them.
 *
 * Format 1. Metadata (strings, for people and for finding one's way): format "lftflow-model", format_version "1", version (of
 * the library), theory, group "scalar", "u1", "su2" or "su3", dim "2", extent "6x6", couplings "m2 lambda", prior "free",
 * "normal" or "haar", layers "1", layer0 "continuous", seed. Tensors (the numbers themselves; later versions may append numbers
 * and tensors):
 *   couplings        F64 [couplings] in the order of the metadata
 *   extent           U64 [dim] of the prior
 *   prior.spec       F64 [2] lft_prior_kind, mass2 of the start (Haar: 0)
 *   layer0.spec ...  I64 [] see LFT_(layer_ops)
 *   <parameters>     F64 (or F32, rounded) under their own names, e.g. layer0.kernel
 *   family           F64 [1 + 2 couplings] degree, lower and upper bounds; only of a family, whose couplings are those at present
 *   logq_error       F64 [5] std, mean, std_error, mean_error, n; left out if it has not been measured
 *   training         U64 [3] seed, steps, batch
 *   training.result  F64 [4] seconds, loss, ess, number of samples of that ess
 * A checkpoint (93_checkpoint.h) is a model with more tensors. */

/* What a model file says beside the flow. Zero where nothing is known. */
typedef struct LFT_(model_info) {
    char           theory[32]; /* theory->name */
    int            couplings;
    char           coupling_name[LFT_MAX_COUPLINGS][16];
    double         coupling[LFT_MAX_COUPLINGS];
    lft_logq_error logq_error;         /* n = 0: not measured */
    uint64_t       seed, steps, batch; /* of the training */
    double         seconds, loss;      /* of the training */
    double         ess;                /* of ess_n independent samples */
    uint64_t       ess_n;
    char           version[16]; /* of the library that wrote the file; model_save writes its own */
    int            f32; /* for model_save: parameters rounded to single precision, in files of half the size */
} LFT_(model_info);

/* An info with the name and the couplings of the theory, the rest zero. */
LFT_API void LFT_(model_info_of)(LFT_(model_info) *info, const LFT_(theory) *theory);

/* Writes the model: the flow with its parameters and its present integration steps. An f32 and an f64 instance write the same
 * file. Scratch: model_bytes(), enough for parameters of either type. LFT_ERR_ARG for a layer that cannot be stored,
 * LFT_ERR_NOMEM, LFT_ERR_IO. O(parameters). */
LFT_API lft_status LFT_(model_save)(const LFT_(flow) *flow, const LFT_(model_info) *info, lft_writer to,
                                    lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(model_bytes)(const LFT_(flow) *flow);

/* ---- 89_model_read.h, declarations ------------------------------------------------------------------------------- */
/* 89_model_read.h: flows from files (88_model.h says what is in them).
 * Offers: LFT_(model_desc)(), LFT_(model_restore)(). In order: lft_safetensors_load(), model_desc, flow_init, model_restore. */

/* A desc for LFT_(flow_init)() out of a loaded document: extents, prior and layers; the pool is left to the caller. The descs
 * of the layers are laid out in the arena, a few hundred bytes each, and have to last until flow_init returns. own: tables of
 * layers that this library does not have, up to a NULL; or NULL. info may be NULL.
 * LFT_ERR_MISMATCH: a model of another group or dimension, or with a layer of unknown kind (f32 and f64 instances load the
 * same models); LFT_ERR_FORMAT: no model, of a newer format, or a tensor is missing or is not as above; LFT_ERR_NOMEM. */
LFT_API lft_status LFT_(model_desc)(const lft_safetensors *doc, const LFT_(layer_ops) *const *own, LFT_(flow_desc) *desc,
                                    LFT_(model_info) *info, lft_arena *arena, lft_error *error);

/* Copies all parameters and the present integration steps into a flow of the same shape, and prepares it: its log q is then
 * that of the flow that was saved, bit for bit on the same machine and lanes. The flow may have been built by hand, e.g. with
 * other most_steps. LFT_ERR_MISMATCH: another extent, prior, layer or shape; LFT_ERR_FORMAT: a tensor is missing;
 * LFT_ERR_NONFINITE: a parameter is NaN or infinite; LFT_ERR_ARG: more integration steps than the flow provides for. After an
 * error the parameters are as they were. */
LFT_API lft_status LFT_(model_restore)(LFT_(flow) *flow, const lft_safetensors *doc, lft_error *error);

#endif
#if LFT_UPTO >= LFT_TRAIN

/* ---- 90_exactness.h, declarations -------------------------------------------------------------------------------- */
/* 90_exactness.h: how far log q is from the log-density of the map that the code really computes.
 * Offers: LFT_(flow_logq_error)(), LFT_(flow_logq_error_bytes)(). */

/* Measures epsilon on samples number first ... first + n - 1 of the seed: the Jacobian of Phi_h from its exact
 * vector-Jacobian products, its determinant by an LU decomposition. O(n (D/lanes backward passes + D^3)) with D numbers that
 * move a configuration: the sites, or the links times 1, 3 or 8. Layers that draw have no such error: the maps between them are
 * measured one after the other. Maps have to keep their extents; LFT_ERR_MISMATCH otherwise, LFT_ERR_ARG for n < 1. */
LFT_API lft_status LFT_(flow_logq_error)(LFT_(flow) *flow, uint64_t seed, uint64_t first, int n, lft_logq_error *out,
                                         lft_arena scratch);

/* Bytes of scratch of flow_logq_error. O(D^2): 8 MiB at D = 1024. */
LFT_API size_t LFT_(flow_logq_error_bytes)(const LFT_(flow) *flow);

/* ---- 91_pullback.h, declarations --------------------------------------------------------------------------------- */
/* 91_pullback.h: a theory in the variables of a flow: HMC through the flow as a change of variables.
 * Offers: LFT_(pullback), LFT_(pullback_init)(), _bytes, _map. */

/* S'(eta) = S(f(z)) - log |det df/dz|, z = H(sigma eta) as the flow's prior draws it, of links z = eta: if eta has the density
 * exp(-S'), then f(z) has the density exp(-S), whatever the flow is; and S' = sum eta^2 / 2 + const, of links const, for a
 * flow that samples exp(-S) exactly (trivializing map, 0907.5491). As exact as log q is: see LFT_(flow_logq_error)(). An action
 * costs a sample of the flow, its gradient about four. */
typedef struct LFT_(pullback) {
    LFT_(theory)        theory; /* for hmc_init and others; serial pools only, for its work has no threads */
    LFT_(flow)         *flow;
    const LFT_(theory) *base; /* S */
    lft_status          status; /* of the first action that failed: its S is not finite, and a trajectory is rejected */
    void               *state;
} LFT_(pullback);

/* Flow, base and *pullback stay where they are as long as pullback->theory is used. The flow keeps its extents: LFT_ERR_ARG
 * otherwise; LFT_ERR_NOMEM; text in flow->error. */
LFT_API lft_status LFT_(pullback_init)(LFT_(pullback) *pullback, LFT_(flow) *flow, const LFT_(theory) *base,
                                       lft_arena *arena);
LFT_API size_t LFT_(pullback_bytes)(LFT_(flow) *flow);

/* x = f(z(eta)) of every configuration; x may be eta. Errors as of LFT_(flow_map)(), text in flow->error. */
LFT_API lft_status LFT_(pullback_map)(LFT_(pullback) *pullback, const LFT_(batch) *eta, LFT_(batch) *x);

/* ---- 92_trainer.h, declarations ---------------------------------------------------------------------------------- */
/* 92_trainer.h: what a training consists of: its desc, the trainer, and gradients of the reverse Kullback-Leibler divergence.
 * Offers: lft_train_desc, lft_train_report, LFT_(trainer), LFT_(trainer_init)(), _bytes, LFT_(train_gradient)(). The steps are in
 * 94_training.h.
 *
 * loss = mean of log q(x) + S(x) over samples of the flow = KL(q || p) - log Z: it may be negative. */

#ifndef LFT_P_TRAIN_DESC
#define LFT_P_TRAIN_DESC
typedef enum lft_estimator {
    LFT_PATH_GRADIENT = 1, /* through the samples alone, with grad log q carried along the flow: no variance at the
                              optimum (2206.09016; 2207.08219); the default */
    LFT_TOTAL_GRADIENT,    /* the derivative of the loss, or of log w, of the same draws from the prior */
    LFT_NATURAL_GRADIENT   /* Gauss-Newton: of log q at the same samples. The step is then the natural gradient of the reverse
                              Kullback-Leibler divergence, the inverse of Fisher's matrix times its gradient */
} lft_estimator;

typedef enum lft_optimizer {
    LFT_ADAM = 1,    /* on the loss; the default */
    LFT_GAUSS_NEWTON /* on the mean of (log w - log Z)^2, with log Z as the batches so far have it, by the normal equations of a
                        batch: few steps, each as long as the log-weights stay where they are known. For layers of few
                        parameters, 4 at least, that keep their gradients apart lane by lane; needs batch well above the number
                        of parameters. With the total gradient the mean also falls where samples leave what is not yet
                        right, so that a flow may end without a part of the configurations, weights all alike and log Z too
                        low; the natural gradient compares densities where they are, at half as much time again per step */
} lft_optimizer;

/* What happened in a step, for the caller's progress line. */
typedef struct lft_train_report {
    uint64_t       step, steps;      /* steps done, steps in all */
    double         loss, ess;        /* of the step's batch: its ess overestimates, see LFT_(flow_sample) with a large n */
    double         rate, norm;       /* learning rate, norm of the gradient before clipping */
    int            integration_steps;
    lft_logq_error guard;            /* of the last check, n = 0 before */
    int            refined, rolled_back; /* so far */
} lft_train_report;

/* Zero means the default, in brackets. */
typedef struct lft_train_desc {
    uint64_t          steps;      /* [1000] */
    int               batch;      /* samples per gradient [256] */
    int               accumulate; /* gradients per step, of new samples each [1] */
    lft_optimizer     optimizer;
    lft_estimator     estimator; /* [path; Gauss-Newton: natural for flows with layers that draw, otherwise total] */
    int               frozen;    /* the first so many layers keep their parameters, and with any of them the prior [0]; nothing goes
                                    back through them. The guard refines their integration, too */
    double            rate, last_rate; /* learning rate [0.01; Gauss-Newton 1: the whole step], at the end [rate / 50] */
    lft_schedule_kind schedule;        /* [cosine] */
    uint64_t          warmup;          /* steps [steps / 50] */
    double            clip;            /* norm of the gradient [10]; Gauss-Newton: standard deviation of the change of the
                                          log-weights [1]; -1: never */
    double            ridge;           /* of Gauss-Newton, relative, at the end [1e-4]; it starts at .1 */
    double            beta1, beta2;    /* [.9, .99] */
    uint64_t          seed;
    int               slots;         /* partial sums of the gradient: at most this many threads work [8] */
    int               guard_every;   /* steps between checks [100]; -1: no guard */
    int               guard_samples; /* [4; 2 above 256 sites, or numbers of algebra elements] */
    double            guard_std, guard_mean; /* the largest epsilon that is tolerated [1e-3, 1e-2] */
    int (*report)(void *user, const lft_train_report *r); /* called after every step; nonzero stops */
    void *user;
} lft_train_desc;
#endif

typedef struct LFT_(trainer) {
    LFT_(flow)          *flow;
    const LFT_(theory)  *theory;
    lft_train_desc       desc; /* defaults filled in */
    lft_adam             adam;
    uint64_t             step; /* done */
    double               rate_scale; /* halved by every roll-back */
    lft_train_report     report;
    double              *logw; /* [batch] -S - log q of the last gradient */
    double              *gradient, *sum; /* of one part, and of all parts where they are accumulated */
    struct {
        double  *value, *m, *v;
        uint64_t step, adam_step;
    } good; /* the last state that passed the guard */
    void *state;
} LFT_(trainer);

/* Lays a trainer for the flow out in the arena. The flow keeps its parameters: training goes on from them. LFT_ERR_ARG,
 * LFT_ERR_NOMEM; text in flow->error. */
LFT_API lft_status LFT_(trainer_init)(LFT_(trainer) *trainer, LFT_(flow) *flow, const LFT_(theory) *theory,
                                      const lft_train_desc *desc, lft_arena *arena);
LFT_API size_t LFT_(trainer_bytes)(LFT_(flow) *flow, const lft_train_desc *desc);

/* Loss and its gradient by all parameters (trainer->gradient, trainer->logw) on samples first ... first + batch - 1, for
 * tests and other optimisers; 0 of those that are frozen. Of Gauss-Newton the gradient is that of half its mean of squares, for
 * fixed log Z, at fixed draws or at fixed samples. */
LFT_API lft_status LFT_(train_gradient)(LFT_(trainer) *trainer, uint64_t first, double *loss);

/* ---- 93_checkpoint.h, declarations ------------------------------------------------------------------------------- */
/* 93_checkpoint.h: training that stops and goes on bit for bit.
 * Offers: LFT_(trainer_save)(), LFT_(trainer_save_bytes)(), LFT_(trainer_desc)(), LFT_(trainer_resume)().
 *
 * A checkpoint is a model (88_model.h) with real ("f32", "f64") and lanes in the metadata, on which the bits of what follows
 * depend, and with these tensors beside:
 *   trainer.counters   U64 [6] step, step of Adam, step and step of Adam of the last good state, refined, rolled_back
 *   trainer.numbers    F64 [5] rate_scale, and of the last step loss, ess, rate, norm
 *   trainer.guard      F64 [5] of its last check: std, mean, std_error, mean_error, n
 *   trainer.adam_m, _v, trainer.good_value, _m, _v   F64 [parameters]
 *   trainer.whole      U64 [12] seed, steps, warmup, batch, accumulate, estimator, schedule, slots, guard_every (0: no guard),
 *                      guard_samples, optimizer, frozen
 *   trainer.real       F64 [8] rate, last_rate, clip, beta1, beta2, guard_std, guard_mean, ridge
 * To go on: lft_safetensors_load, model_desc, flow_init, trainer_desc, trainer_init, trainer_resume. */

/* Writes a checkpoint. Of *info, which may be NULL, what the trainer does not know itself is taken: seconds, logq_error, ess.
 * Scratch: trainer_save_bytes(). LFT_ERR_ARG for a layer that cannot be stored, LFT_ERR_NOMEM, LFT_ERR_IO; text in *error. */
LFT_API lft_status LFT_(trainer_save)(const LFT_(trainer) *trainer, const LFT_(model_info) *info, lft_writer to,
                                      lft_arena scratch, lft_error *error);
LFT_API size_t LFT_(trainer_save_bytes)(const LFT_(trainer) *trainer);

/* The desc of the training that a checkpoint is of, for trainer_init; report and user are NULL. LFT_ERR_FORMAT if the document is
 * no checkpoint, e.g. a model whose training has ended. */
LFT_API lft_status LFT_(trainer_desc)(const lft_safetensors *doc, lft_train_desc *desc, lft_error *error);

/* Puts a trainer, and its flow by model_restore, into the state of the checkpoint. With the same desc, machine and lanes what
 * follows is bit for bit what would have followed; other numbers of threads are the same. A desc with other steps or rates, or
 * other layers frozen, is legal: training then goes on under these. Errors as model_restore, in the flow's error too;
 * LFT_ERR_FORMAT for missing tensors, LFT_ERR_MISMATCH for those of another size. After an error start anew: trainer_init. */
LFT_API lft_status LFT_(trainer_resume)(LFT_(trainer) *trainer, const lft_safetensors *doc);

/* ---- 94_training.h, declarations --------------------------------------------------------------------------------- */
/* 94_training.h: training by Adam or Gauss-Newton steps, and a guard against the integrator's error.
 * Offers: LFT_(train_step)(), LFT_(train_rest)(), LFT_(train)(). */

/* The guard. Every guard_every steps, and at the end, epsilon is measured as by LFT_(flow_logq_error)(). Within the bounds
 * the state is saved as good. Beyond them the integration steps grow by half, twice at most; if that does not mend it (the
 * optimiser has gone after the integrator's error), training returns to the last good state and goes on at half the
 * learning rate. So does a step whose loss or gradient is not finite. Where no layer integrates there is no such error:
 * nothing is measured, and every guard_every steps the state whose loss was finite is saved as good.
 * A family is trained at couplings that are drawn for each gradient from its box (the theory's own are not used); loss and
 * ess of a step, and epsilon of a check, are those at the last of them. */

/* One step of the optimizer, and the guard when it is due. trainer->report tells about it. Errors in flow->error: LFT_ERR_NONFINITE
 * or LFT_ERR_NOCONV when ten roll-backs have not helped; the flow then holds the last good parameters. */
LFT_API lft_status LFT_(train_step)(LFT_(trainer) *trainer);

/* All steps that are left; LFT_STOPPED when the report callback says so. */
LFT_API lft_status LFT_(train_rest)(LFT_(trainer) *trainer);

/* The whole of it in one call, with the trainer in scratch memory. */
LFT_API lft_status LFT_(train)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_train_desc *desc,
                               lft_arena scratch);

#endif

#if defined(LFT_IMPLEMENTATION) || defined(LFT_STATIC)

/* ---- 10_lanes.h, code -------------------------------------------------------------------------------------------- */
/* 10_lanes.h: one vector, one configuration per lane. The only room that knows what a vector is.
 * Offers (private): lft_v, lft_m, lft_splat(); lt, eq, sel, any, bits, unbits, to_int, to_real; load/store of doubles.
 *
 * On GCC and Clang lft_v is a vector-extension type, so kernels are plain infix C; with one lane it is the real type
 * itself and the same source is portable C99. Masks are all-ones or all-zeros per lane. */

#define lft_v     LFT_P(v)
#define lft_m     LFT_P(m)
#define lft_int   LFT_P(int)
#define lft_splat LFT_P(splat)
#define lft_sel   LFT_P(sel)

#if LFT_P_REAL_BYTES == 4
typedef int32_t lft_int; /* the integer as wide as a real */
#else
typedef int64_t lft_int;
#endif

#if LFT_P_LANES == 1

typedef lft_real lft_v;
typedef lft_int  lft_m;

LFT_P_INLINE lft_v lft_splat(lft_real x) { return x; }
LFT_P_INLINE lft_m LFT_P(lt)(lft_v a, lft_v b) { return -(lft_int)(a < b); }
LFT_P_INLINE lft_m LFT_P(eq)(lft_v a, lft_v b) { return -(lft_int)(a == b); }
LFT_P_INLINE lft_m LFT_P(int_splat)(lft_int x) { return x; }
LFT_P_INLINE lft_m LFT_P(int_eq)(lft_m a, lft_m b) { return -(lft_int)(a == b); }
LFT_P_INLINE lft_m LFT_P(bits)(lft_v a)
{
    lft_m m;
    lft_p_copy(&m, &a, sizeof m);
    return m;
}
LFT_P_INLINE lft_v LFT_P(unbits)(lft_m m)
{
    lft_v a;
    lft_p_copy(&a, &m, sizeof a);
    return a;
}
LFT_P_INLINE lft_m LFT_P(to_int)(lft_v a) { return (lft_m)a; }
LFT_P_INLINE lft_v LFT_P(to_real)(lft_m a) { return (lft_v)a; }
LFT_P_INLINE int   LFT_P(any)(lft_m m) { return m != 0; }

#else

typedef lft_real lft_v __attribute__((vector_size(LFT_P_LANES * LFT_P_REAL_BYTES), may_alias));
typedef lft_int  lft_m __attribute__((vector_size(LFT_P_LANES * LFT_P_REAL_BYTES), may_alias));

LFT_P_INLINE lft_v lft_splat(lft_real x)
{
    const lft_v zero = {0};
    return x - zero;
}
LFT_P_INLINE lft_m LFT_P(lt)(lft_v a, lft_v b) { return (lft_m)(a < b); }
LFT_P_INLINE lft_m LFT_P(eq)(lft_v a, lft_v b) { return (lft_m)(a == b); }
LFT_P_INLINE lft_m LFT_P(int_splat)(lft_int x)
{
    const lft_m zero = {0};
    return x - zero;
}
LFT_P_INLINE lft_m LFT_P(int_eq)(lft_m a, lft_m b) { return (lft_m)(a == b); }
LFT_P_INLINE lft_m LFT_P(bits)(lft_v a) { return (lft_m)a; }
LFT_P_INLINE lft_v LFT_P(unbits)(lft_m m) { return (lft_v)m; }
LFT_P_INLINE lft_m LFT_P(to_int)(lft_v a) { return __builtin_convertvector(a, lft_m); }
LFT_P_INLINE lft_v LFT_P(to_real)(lft_m a) { return __builtin_convertvector(a, lft_v); }
LFT_P_INLINE int   LFT_P(any)(lft_m m)
{
    lft_int bits = 0;
    int     l;
    for (l = 0; l < LFT_P_LANES; ++l) bits |= m[l];
    return bits != 0;
}

#endif

#define LFT_P_CHUNK 64 /* sites that are summed in the real type before the sum is widened to double */

/* Public arrays of reals as vectors: all of them come from arenas, which align to the widest register. */
LFT_P_INLINE lft_v *LFT_P(view)(lft_real *x) { return (lft_v *)(void *)x; }
LFT_P_INLINE const lft_v *LFT_P(const_view)(const lft_real *x) { return (const lft_v *)(const void *)x; }

LFT_P_INLINE void LFT_P(set_zero)(lft_v *x, int n)
{
    int i;
    for (i = 0; i < n; ++i) x[i] = lft_splat(0);
}

/* m ? a : b per lane */
LFT_P_INLINE lft_v lft_sel(lft_m m, lft_v a, lft_v b)
{
    return LFT_P(unbits)((m & LFT_P(bits)(a)) | (~m & LFT_P(bits)(b)));
}

/* sum[lane] += v[lane], in double. Passing a double vector of 16 lanes by value is no legal ABI: hence the pointer. */
LFT_P_INLINE void LFT_P(add_wide)(double *sum, lft_v v)
{
    lft_real x[LFT_P_LANES];
    int      l;
    lft_p_copy(x, &v, sizeof x);
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] += (double)x[l];
}

/* The sum over lanes, in a fixed order. */
LFT_P_INLINE double LFT_P(sum_lanes)(lft_v v)
{
    lft_real x[LFT_P_LANES];
    int      l, half;
    lft_p_copy(x, &v, sizeof x);
    LFT_P_UNROLL for (half = LFT_P_LANES / 2; half > 0; half /= 2)
    {
        LFT_P_UNROLL for (l = 0; l < half; ++l) x[l] += x[l + half];
    }
    return (double)x[0];
}

/* sum[i] = sum_lanes(x[i]), which x is lost in. Level by level: the halves of one vector alone would wait for each other; and as
 * many at a time as stay in the cache. */
static inline void LFT_P(sum_lanes_of)(lft_v *x, size_t n, double *sum)
{
    lft_real *a = (lft_real *)(void *)x;
    size_t    i, begin, end;
    int       l, half;
    for (begin = 0; begin < n; begin = end) {
        end = begin + LFT_P_CHUNK < n ? begin + LFT_P_CHUNK : n;
        LFT_P_UNROLL for (half = LFT_P_LANES / 2; half > 0; half /= 2)
        {
            for (i = begin; i < end; ++i) {
                lft_real *b = a + i * LFT_P_LANES;
                for (l = 0; l < half; ++l) b[l] += b[l + half];
            }
        }
        for (i = begin; i < end; ++i) sum[i] = (double)a[i * LFT_P_LANES];
    }
}

/* y = a + b x */
LFT_P_INLINE void LFT_P(line)(lft_v *y, const lft_v *a, double b, const lft_v *x, int n)
{
    const lft_real factor = (lft_real)b;
    int            i;
    for (i = 0; i < n; ++i) y[i] = a[i] + factor * x[i];
}

/* A vector from one double per lane. */
LFT_P_INLINE lft_v LFT_P(from_wide)(const double *w)
{
    lft_real x[LFT_P_LANES];
    lft_v    v;
    int      l;
    for (l = 0; l < LFT_P_LANES; ++l) x[l] = (lft_real)w[l];
    lft_p_copy(&v, x, sizeof v);
    return v;
}

/* ---- 11_elementary.h, code --------------------------------------------------------------------------------------- */
/* 11_elementary.h: exp, log, sine and cosine, square root, arctangent and tanh of all lanes at once. No libm, no per-lane if.
 * Offers (private), with the largest error of either type in ulp (float: of all floats), fused multiply-adds or not:
 *
 *   exp           1.02   every argument: overflow gives inf, underflow denormals and then 0, NaN gives NaN
 *   log           0.85   every argument: 0 gives -inf, below 0 NaN
 *   sincos        1.99   |x| <= 8192 (float), 1e5 (double), beside the zeros too; further out the absolute error grows
 *                        to an ulp of x and more, and the results stay in [-1, 1]; inf and NaN give NaN
 *   sincos_fast          float: of omega x with omega / pi rounded; absolute error 2e-7 at most, 4e-8 on average, where
 *                        the product is fused or short; not bounded for |x| > 1e7; inf and NaN give inf or NaN; half
 *                        of the time of sincos. double: sincos
 *   sqrt          1.25   0, inf and every normal number (a denormal loses accuracy); below 0 NaN
 *   atan          1.43   every argument
 *   tanh          1.43   every argument
 *   atan2(y, x)          finite numbers; 4 ulp of the angle
 *   wrap                 an angle in [-pi, pi], for |x| <= 1000; absolute error of an ulp of pi
 *
 * The sign of a zero is kept by sqrt, atan and tanh only. A real must be evaluated in its own type (FLT_EVAL_METHOD 0).
 * Under -ffast-math: 2 ulp, atan, sqrt and tanh 3, where arguments and results are normal numbers, for sqrt from 4 times the
 * smallest one; denormals may become 0; inf and NaN, given or due, become any value. */

/* ---- constants of the two real types -------------------------------------------------------------------------------
 * Polynomials stand lowest power first and minimise the largest relative error of their function (our own fits: Remez
 * exchange in 60 digits). The parts of a constant sum up to it; all but the last are so short that n times the part is
 * exact, fused or not, for every n that occurs. */

#if LFT_P_REAL_BYTES == 4

static const int      LFT_P(width) = 32, LFT_P(mantissa) = 23;
static const lft_int  LFT_P(sign_bit)       = INT32_MIN;
static const lft_int  LFT_P(infinity)       = 0x7f800000;
static const lft_int  LFT_P(root_seed)      = 0x5f5ff5a0;
static const lft_real LFT_P(round)          = 12582912.0F; /* 1.5 * 2^23: what is added to it is rounded to an integer */
static const lft_real LFT_P(scale_up)       = 16777216.0F; /* 2^(mantissa + 1): makes a denormal a normal number */
static const lft_real LFT_P(smallest)       = FLT_MIN;
static const lft_real LFT_P(sqrt_half)      = 0.707106781F;
static const lft_real LFT_P(per_ln2)        = 1.44269504F;
static const lft_real LFT_P(ln2)[]          = {0.693145752F, 1.42860677e-6F};
static const lft_real LFT_P(exp_end)[]      = {-104.0F, 89.0F}; /* beyond: 0 and infinity */
static const lft_real LFT_P(per_quarter)    = 0.636619772F;     /* quarter turns per radian, 2/pi */
static const lft_real LFT_P(quarter_turn)[] = {1.57080078F, -4.47034836e-6F, 1.58906914e-8F, 2.56334407e-12F};
static const lft_real LFT_P(pi_2)[]         = {1.57079637F, -4.371139e-8F}; /* rounded, and what is missing */
static const lft_real LFT_P(pi_4)[]         = {0.785398185F, -2.1855695e-8F};

/* (e^x - 1 - x) / x^2, |x| <= ln(2)/2 */
static const lft_real LFT_P(exp_terms)[] = {0.49999994F, 0.166665211F, 0.0416683853F, 0.00836869515F, 0.00138147001F};
/* (2 artanh(s) / s - 2) / s^2 in s^2, |s| <= (sqrt(2) - 1) / (sqrt(2) + 1) */
static const lft_real LFT_P(log_terms)[] = {0.666667759F, 0.399775863F, 0.298706949F};
/* (sin(x) / x - 1) / x^2 and (cos(x) - 1) / x^2 in x^2, |x| <= pi/4 */
static const lft_real LFT_P(sin_terms)[] = {-0.166666552F, 0.00833218917F, -0.000195182904F};
static const lft_real LFT_P(cos_terms)[] = {-0.499998838F, 0.0416557156F, -0.00135910173F};
/* (atan(x) / x - 1) / x^2 in x^2, |x| <= 1/2 */
static const lft_real LFT_P(atan_terms)[] = {-0.33333233F, 0.19994168F, -0.141742125F, 0.101558283F, -0.0512516573F};
/* (tanh(x) / x - 1) / x^2 in x^2, |x| <= 0.55 */
static const lft_real LFT_P(tanh_terms)[] = {-0.333333176F, 0.133325861F, -0.0538523107F, 0.0210716842F, -0.00627424852F};
static const lft_real LFT_P(tanh_end)     = 10.0F; /* beyond: 1 */

#else

static const int      LFT_P(width) = 64, LFT_P(mantissa) = 52;
static const lft_int  LFT_P(sign_bit)       = INT64_MIN;
static const lft_int  LFT_P(infinity)       = 0x7ff0000000000000;
static const lft_int  LFT_P(root_seed)      = 0x5febfeb400000000;
static const lft_real LFT_P(round)          = 6755399441055744.0; /* 1.5 * 2^52 */
static const lft_real LFT_P(scale_up)       = 9007199254740992.0;
static const lft_real LFT_P(smallest)       = DBL_MIN;
static const lft_real LFT_P(sqrt_half)      = 0.70710678118654752;
static const lft_real LFT_P(per_ln2)        = 1.4426950408889634;
static const lft_real LFT_P(ln2)[]          = {0.6931471805598903, 5.497923018708371e-14};
static const lft_real LFT_P(exp_end)[]      = {-746.0, 710.0};
static const lft_real LFT_P(per_quarter)    = 0.6366197723675814;
static const lft_real LFT_P(quarter_turn)[] = {1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23};
static const lft_real LFT_P(pi_2)[]         = {1.5707963267948966, 6.123233995736766e-17};
static const lft_real LFT_P(pi_4)[]         = {0.7853981633974483, 3.061616997868383e-17};

static const lft_real LFT_P(exp_terms)[] = {
    0.500000000000001,      0.16666666666666413,   0.04166666666653153,   0.008333333333494026,  0.0013888888943311055,
    0.00019841269506780412, 2.480149340023693e-05, 2.7557586685276638e-6, 2.763014866212492e-07, 2.4999841946524254e-8};
static const lft_real LFT_P(log_terms)[] = {0.6666666666666734, 0.3999999999941703,  0.2857142874189895,
                                            0.2222219862074822, 0.18183561961982203, 0.15314108705785295,
                                            0.14795388193691245};
static const lft_real LFT_P(sin_terms)[] = {-0.1666666666666663,   0.00833333333332184,     -0.00019841269829358495,
                                            2.755731353849423e-06, -2.5050734385218036e-08, 1.58954330214103e-10};
static const lft_real LFT_P(cos_terms)[] = {-0.5, 0.041666666666666595, -0.0013888888888873342, 2.4801587289001988e-05,
                                            -2.755731421697817e-07, 2.0875705382978004e-09, -1.1358748325596217e-11};
static const lft_real LFT_P(atan_terms)[] = {-0.3333333333333298,   0.19999999999903104,   -0.1428571427638555,
                                             0.11111110659652419,   -0.09090896246345488,  0.07692073957732717,
                                             -0.06663811207757753,  0.058583027143420396,  -0.05122015358505425,
                                             0.041864908119724986,  -0.027433773844326655, 0.01011515581539795};
static const lft_real LFT_P(tanh_terms)[] = {-0.33333333333332316,  0.13333333333168707,    -0.053968253876078509,
                                             0.021869485974787186,  -0.008863194503882595,  0.0035917196956794227,
                                             -0.0014532167469035371, 0.00057913698427163778, -0.00021030234479730507,
                                             5.1021438658298926e-05};
static const lft_real LFT_P(tanh_end)     = 20.0;

#endif

#define LFT_P_COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* ---- steps that the functions share ------------------------------------------------------------------------------ */

/* a << k. In C99 an int may not lose its sign bit in a shift, so one lane goes through the unsigned type. */
#if LFT_P_LANES == 1
LFT_P_INLINE lft_m LFT_P(shl)(lft_m a, int k) { return (lft_m)((uint64_t)a << k); }
#else
LFT_P_INLINE lft_m LFT_P(shl)(lft_m a, int k) { return a << k; }
#endif

/* a, of which the compiler forgets how it was made: under -ffast-math it would else cancel (a + round) - round, and join
 * the parts of pi. Everywhere else it keeps to the order that is written. gcc 12.2 loses its own barrier in loops over one lane
 * that it makes vectors of (exp: wrong in the first digit): there asm, which keeps them scalar: 20 ns a normal, not 8. */
#if !LFT_P_GNUC || !defined(__FAST_MATH__)
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a) { return a; }
#elif __GNUC__ >= 12 && !defined(__clang__) && LFT_P_LANES > 1
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a) { return __builtin_assoc_barrier(a); }
#else
LFT_P_INLINE lft_v LFT_P(opaque)(lft_v a)
{
#if defined(__SSE2__)
    __asm__("" : "+v"(a));
#elif defined(__aarch64__)
    __asm__("" : "+w"(a));
#else
    __asm__("" : "+m"(a));
#endif
    return a;
}
#endif

/* a with the bits of `sign` flipped */
LFT_P_INLINE lft_v LFT_P(flip)(lft_v a, lft_m sign) { return LFT_P(unbits)(LFT_P(bits)(a) ^ sign); }

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1) */
LFT_P_INLINE lft_v LFT_P(horner)(const lft_real *c, int n, lft_v x)
{
    lft_v p = lft_splat(c[n - 1]);
    while (--n > 0) p = p * x + c[n - 1];
    return p;
}

/* n + round of the integer n = nearest(x per_period); the lowest bits of n are those of the sum. */
LFT_P_INLINE lft_v LFT_P(nearest)(lft_v x, lft_real per_period)
{
    return LFT_P(opaque)(x * per_period + LFT_P(round));
}

/* x - n (period[0] + ... + period[parts - 1]) */
LFT_P_INLINE lft_v LFT_P(reduce)(lft_v x, lft_v n, const lft_real *period, int parts)
{
    int i;
    for (i = 0; i < parts; ++i) x = LFT_P(opaque)(x - n * period[i]);
    return x;
}

/* 2^n from q = n + round, for every n whose 2^n is a normal number */
LFT_P_INLINE lft_v LFT_P(exp2_int)(lft_v q)
{
    return LFT_P(unbits)(LFT_P(shl)(LFT_P(bits)(q), LFT_P(mantissa)) + LFT_P(bits)(lft_splat(1)));
}

/* 1 if a lane of x is infinite or NaN: a test of the exponent bits, which -ffast-math leaves alone. */
LFT_P_INLINE int LFT_P(any_nonfinite)(const lft_v *x, int n)
{
    const lft_m top = LFT_P(int_splat)(LFT_P(infinity));
    lft_m       bad = LFT_P(int_splat)(0);
    int         i;
    for (i = 0; i < n; ++i) bad |= LFT_P(int_eq)(LFT_P(bits)(x[i]) & top, top);
    return LFT_P(any)(bad);
}

/* ---- exp and log ------------------------------------------------------------------------------------------------- */

LFT_P_INLINE lft_v LFT_P(exp)(lft_v x)
{
    const lft_v low = lft_splat(LFT_P(exp_end)[0]), high = lft_splat(LFT_P(exp_end)[1]);
    lft_v       r, n, half;
    x    = lft_sel(LFT_P(lt)(high, x), high, x); /* in this order NaN stays */
    x    = lft_sel(LFT_P(lt)(x, low), low, x);
    n    = LFT_P(nearest)(x, LFT_P(per_ln2)) - LFT_P(round);
    r    = LFT_P(reduce)(x, n, LFT_P(ln2), LFT_P_COUNT(LFT_P(ln2)));
    r    = (r * r * LFT_P(horner)(LFT_P(exp_terms), LFT_P_COUNT(LFT_P(exp_terms)), r) + r) + 1;
    half = LFT_P(opaque)(n * (lft_real)0.5 + LFT_P(round)); /* 2^n in two factors: it may be inf or denormal */
    n    = LFT_P(opaque)(n - (half - LFT_P(round)));
    return LFT_P(opaque)(r * LFT_P(exp2_int)(half)) * LFT_P(exp2_int)(n + LFT_P(round));
}

/* log x for 0 < x < inf: x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f), h = f^2 / 2
 * log(1 + f) = 2 artanh(s) = f - h + s (h + s^2 terms(s^2)), in which the large term f is exact. */
LFT_P_INLINE lft_v LFT_P(log_positive)(lft_v x)
{
    const lft_m small = LFT_P(lt)(x, lft_splat(LFT_P(smallest)));
    const lft_m i     = LFT_P(bits)(lft_sel(small, x * LFT_P(scale_up), x)) & ~LFT_P(sign_bit);
    const lft_m above = i - LFT_P(bits)(lft_splat(LFT_P(sqrt_half)));
    lft_v       e, f, h, s, y;
    e = LFT_P(unbits)(LFT_P(bits)(lft_splat(LFT_P(round))) + (above >> LFT_P(mantissa))) - LFT_P(round);
    e = e - LFT_P(unbits)(small & LFT_P(bits)(lft_splat((lft_real)(LFT_P(mantissa) + 1))));
    f = LFT_P(unbits)(i - (above & (LFT_P(infinity) | LFT_P(sign_bit)))) - 1;
    s = f / (f + 2);
    h = f * f * (lft_real)0.5;
    y = s * s;
    y = y * LFT_P(horner)(LFT_P(log_terms), LFT_P_COUNT(LFT_P(log_terms)), y) + h;
    y = s * y + e * LFT_P(ln2)[1];
    return e * LFT_P(ln2)[0] - (LFT_P(opaque)(h - y) - f);
}

LFT_P_INLINE lft_v LFT_P(log)(lft_v x)
{
    const lft_v zero = lft_splat(0), inf = LFT_P(unbits)(LFT_P(int_splat)(LFT_P(infinity)));
    const lft_v nan     = LFT_P(unbits)(LFT_P(int_splat)(~LFT_P(sign_bit)));
    const lft_v special = lft_sel(LFT_P(eq)(x, zero), -inf, lft_sel(LFT_P(lt)(x, zero), nan, x));
    return lft_sel(LFT_P(lt)(zero, x) & LFT_P(lt)(x, inf), LFT_P(log_positive)(x), special);
}

/* ---- sine and cosine --------------------------------------------------------------------------------------------- */

/* n quarter turns and r: sin(x) = sin(r), cos(r), -sin(r), -cos(r) and cos(x) = cos(r), -sin(r), -cos(r), sin(r) for
 * n mod 4 = 0, 1, 2, 3. So bit 0 of n swaps and changes the sign of the cosine, then bit 1 changes both signs.
 * Where x is too large to be reduced, n is cut to its lowest bits and r to |r| < 2. The last part of pi/2 comes last:
 * in r it would round twice what is already larger than its sine. */
LFT_P_INLINE void LFT_P(sincos)(lft_v x, lft_v *s, lft_v *c)
{
    const int   last         = LFT_P_COUNT(LFT_P(quarter_turn)) - 1;
    const lft_m exponent_top = LFT_P(int_splat)(LFT_P(infinity) & ~(LFT_P(infinity) >> 1));
    const lft_m fraction     = LFT_P(int_splat)(~(LFT_P(infinity) | LFT_P(sign_bit)));
    const lft_m top          = LFT_P(int_splat)(LFT_P(infinity));
    lft_v       n, r, z, sine, cosine;
    lft_m       q, odd, both;
    q      = LFT_P(bits)(LFT_P(nearest)(x, LFT_P(per_quarter)));
    q      = (q & fraction) ^ LFT_P(bits)(lft_splat(LFT_P(scale_up) / 2));
    n      = LFT_P(opaque)(LFT_P(unbits)(q)) - LFT_P(round);
    r      = LFT_P(reduce)(x, n, LFT_P(quarter_turn), last);
    r      = LFT_P(unbits)((LFT_P(bits)(r) & ~exponent_top) | LFT_P(int_eq)(LFT_P(bits)(x) & top, top)); /* NaN for inf */
    z      = r * r;
    sine   = r * z * LFT_P(horner)(LFT_P(sin_terms), LFT_P_COUNT(LFT_P(sin_terms)), z) + r;
    sine   = LFT_P(opaque)(sine) - n * LFT_P(quarter_turn)[last];
    cosine = z * LFT_P(horner)(LFT_P(cos_terms), LFT_P_COUNT(LFT_P(cos_terms)), z) + 1;
    odd    = LFT_P(shl)(q, LFT_P(width) - 1);
    both   = LFT_P(shl)(q, LFT_P(width) - 2) & LFT_P(sign_bit);
    both   = both ^ ((LFT_P(bits)(sine) ^ LFT_P(bits)(cosine)) & (odd >> (LFT_P(width) - 1)));
    *s     = LFT_P(flip)(sine, both);
    *c     = LFT_P(flip)(cosine, both ^ odd);
}

/* sin and cos of omega x. In half turns the reduction is one exact subtraction, and nothing is swapped; but cos(pi r) near
 * its zeros is a difference of numbers near 1. */
#if LFT_P_REAL_BYTES == 4

static const lft_real LFT_P(per_half) = 0.318309886F; /* half turns per radian, 1/pi */
/* sin(pi r) / r and cos(pi r) in r^2, |r| <= 1/2: least absolute error */
static const lft_real LFT_P(sin_fast)[] = {3.1415925F, -5.1677022F, 2.54995775F, -0.597625315F, 0.0764334053F};
static const lft_real LFT_P(cos_fast)[] = {1.0F, -4.93479538F, 4.05844736F, -1.33206236F, 0.220006943F};

LFT_P_INLINE void LFT_P(sincos_fast)(lft_real omega, lft_v x, lft_v *s, lft_v *c)
{
    const lft_real scale = omega * LFT_P(per_half);
    const lft_v    q = LFT_P(nearest)(x, scale), r = x * scale - LFT_P(opaque)(q - LFT_P(round)), z = r * r;
    const lft_m    odd = LFT_P(shl)(LFT_P(bits)(q), LFT_P(width) - 1);
    *s = LFT_P(flip)(r * LFT_P(horner)(LFT_P(sin_fast), LFT_P_COUNT(LFT_P(sin_fast)), z), odd);
    *c = LFT_P(flip)(LFT_P(horner)(LFT_P(cos_fast), LFT_P_COUNT(LFT_P(cos_fast)), z), odd);
}

#else

LFT_P_INLINE void LFT_P(sincos_fast)(lft_real omega, lft_v x, lft_v *s, lft_v *c) { LFT_P(sincos)(omega * x, s, c); }

#endif

/* ---- square root, arctangent and tanh ----------------------------------------------------------------------------- */

/* 1/sqrt(x) from the bits of x and one step of y (a - b x y^2); seed, a and b fitted together leave 6.5e-4. Each further
 * step is of third order: 7e-10, then rounding. At last a step of Newton for the root itself. */
LFT_P_INLINE lft_v LFT_P(sqrt)(lft_v x)
{
    const lft_v zero = lft_splat(0), inf = LFT_P(unbits)(LFT_P(int_splat)(LFT_P(infinity)));
    const lft_v nan  = LFT_P(unbits)(LFT_P(int_splat)(~LFT_P(sign_bit)));
    lft_v       y, h;
    int         i;
    y = LFT_P(unbits)(LFT_P(root_seed) - ((LFT_P(bits)(x) & ~LFT_P(sign_bit)) >> 1));
    y = y * ((lft_real)1.18954213 - LFT_P(opaque)(x * y) * y * (lft_real)0.249041257); /* y * y may underflow */
    for (i = 0; i < LFT_P_REAL_BYTES / 4; ++i) {
        h = 1 - LFT_P(opaque)(x * y) * y;
        y = y + y * h * (h * (lft_real)0.375 + (lft_real)0.5);
    }
    h = x * y;
    y = y * (x * (lft_real)0.5 - LFT_P(opaque)(h * (lft_real)0.5) * h) + h; /* h * h may overflow */
    y = lft_sel(LFT_P(lt)(x, inf), y, x);
    return lft_sel(LFT_P(lt)(x, zero), nan, y);
}

/* atan(a) = atan(t), pi/4 + atan(t), pi/2 + atan(t) with t = a, (a - 1) / (a + 1), -1 / a for a up to 1/2, 2, inf */
LFT_P_INLINE lft_v LFT_P(atan)(lft_v x)
{
    const lft_v one  = lft_splat(1);
    const lft_m sign = LFT_P(bits)(x) & LFT_P(sign_bit);
    const lft_v a    = LFT_P(flip)(x, sign);
    const lft_m mid = LFT_P(lt)(lft_splat((lft_real)0.5), a), big = LFT_P(lt)(lft_splat(2), a);
    lft_v       t, z, y;
    t = lft_sel(big, -one, lft_sel(mid, a - one, a)) / lft_sel(big, a, lft_sel(mid, a + one, one));
    z = t * t;
    y = t * z * LFT_P(horner)(LFT_P(atan_terms), LFT_P_COUNT(LFT_P(atan_terms)), z);
    y = y + LFT_P(unbits)(mid & LFT_P(bits)(lft_sel(big, lft_splat(LFT_P(pi_2)[1]), lft_splat(LFT_P(pi_4)[1]))));
    y = LFT_P(opaque)(y + t);
    y = y + LFT_P(unbits)(mid & LFT_P(bits)(lft_sel(big, lft_splat(LFT_P(pi_2)[0]), lft_splat(LFT_P(pi_4)[0]))));
    return LFT_P(flip)(y, sign);
}

/* The angle of the point (x, y), in [-pi, pi]: the arctangent of the smaller coordinate over the larger. (0, 0): 0 */
LFT_P_INLINE lft_v LFT_P(atan2)(lft_v y, lft_v x)
{
    const lft_v zero = lft_splat(0);
    const lft_m sign = LFT_P(bits)(y) & LFT_P(sign_bit), left = LFT_P(lt)(x, zero);
    const lft_v a = LFT_P(flip)(x, LFT_P(bits)(x) & LFT_P(sign_bit)), b = LFT_P(flip)(y, sign);
    const lft_m steep = LFT_P(lt)(a, b);
    const lft_v most = lft_sel(steep, b, a), least = lft_sel(steep, a, b);
    lft_v       t    = LFT_P(atan)(least / lft_sel(LFT_P(eq)(most, zero), lft_splat(1), most));
    t = lft_sel(steep, LFT_P(pi_2)[0] - (t - LFT_P(pi_2)[1]), t);
    t = lft_sel(left, 2 * LFT_P(pi_2)[0] - (t - 2 * LFT_P(pi_2)[1]), t);
    return LFT_P(flip)(t, sign);
}

/* x less the nearest multiple of 2 pi, for |x| <= 1000 */
LFT_P_INLINE lft_v LFT_P(wrap)(lft_v x)
{
    const lft_v n = LFT_P(nearest)(x, (lft_real)0.25 * LFT_P(per_quarter)) - LFT_P(round);
    return LFT_P(reduce)(x, 4 * n, LFT_P(quarter_turn), LFT_P_COUNT(LFT_P(quarter_turn)));
}

/* tanh(a) = 1 - 2 / (e^2a + 1), and for small a, where that is a difference of numbers near 1, its series */
LFT_P_INLINE lft_v LFT_P(tanh)(lft_v x)
{
    const lft_v end  = lft_splat(LFT_P(tanh_end));
    const lft_m sign = LFT_P(bits)(x) & LFT_P(sign_bit);
    lft_v       a    = LFT_P(flip)(x, sign), z, small, large;
    a     = lft_sel(LFT_P(lt)(end, a), end, a); /* in this order NaN stays */
    z     = a * a;
    small = a * z * LFT_P(horner)(LFT_P(tanh_terms), LFT_P_COUNT(LFT_P(tanh_terms)), z) + a;
    large = 1 - 2 / (LFT_P(exp)(a + a) + 1);
    return LFT_P(flip)(lft_sel(LFT_P(lt)(a, lft_splat((lft_real)0.55)), small, large), sign);
}

#undef LFT_P_COUNT

/* ---- 12_fixed_point.h, code -------------------------------------------------------------------------------------- */
/* 12_fixed_point.h: how steps are solved backward: a fixed point by relaxed iteration.
 * Offers (private): LFT_P(largest)(), LFT_P(relaxation)(). */

/* The largest |x| of a group of finite numbers, over all lanes. */
static inline double LFT_P(largest)(const lft_v *x, int n)
{
    lft_v    most = lft_splat(0);
    lft_real lane[LFT_P_LANES];
    double   largest = 0;
    int      i;
    for (i = 0; i < n; ++i) {
        const lft_v m = lft_sel(LFT_P(lt)(x[i], lft_splat(0)), -x[i], x[i]);
        most          = lft_sel(LFT_P(lt)(most, m), m, most);
    }
    lft_p_copy(lane, &most, sizeof most);
    for (i = 0; i < LFT_P_LANES; ++i) largest = (double)lane[i] > largest ? (double)lane[i] : largest;
    return largest;
}

/* The weight of the next correction of a fixed point, lane by lane, from two residuals in a row (Aitken's, for vectors: Irons
 * and Tuck, Int. J. Numer. Meth. Eng. 1 (1969) 275). Where the step stretches by more than 2, plain iteration diverges. */
static inline lft_v LFT_P(relaxation)(const lft_v *now, const lft_v *before, int n, lft_v weight)
{
    const lft_v least = lft_splat((lft_real)0.05), most = lft_splat((lft_real)1.5);
    lft_v       along = lft_splat(0), square = lft_splat((lft_real)1e-36);
    int         i;
    for (i = 0; i < n; ++i) {
        const lft_v d = now[i] - before[i];
        along += before[i] * d;
        square += d * d;
    }
    weight = -weight * along / square;
    weight = lft_sel(LFT_P(lt)(weight, most), weight, most);
    return lft_sel(LFT_P(lt)(least, weight), weight, least);
}

#if LFT_GROUP != LFT_SCALAR

/* ---- 29_lane_draws.h, code --------------------------------------------------------------------------------------- */
/* 29_lane_draws.h: random numbers of all lanes at once, for what is drawn link by link and rejected lane by lane.
 * Offers (private): uniforms(), quaternion(), direction(), nonfinite(); crew, crew_start(), crew_assign(), crew_uniforms(),
 *                   crew_settle(), crew_move(), crew_move_wide(). */

#if LFT_P_REAL_BYTES == 4
static const lft_real LFT_P(half_place) = FLT_EPSILON / 2; /* half of the last place of numbers from 1 to 2 */
#else
static const lft_real LFT_P(half_place) = DBL_EPSILON / 2;
#endif

/* u[0..3], u[4]: independent uniform numbers in (0, 1) for lane l from sample d->sample + l, as many bits as the real has:
 * 4 words of Philox (double: of two calls, at `pair` and pair + 1) fill the mantissas of u[0..3] with their high bits, and what is
 * left of them makes u[4] (double: 48 bits). The loop over lanes has a fixed length and no branches: compilers make vectors
 * of it. */
LFT_P_INLINE void LFT_P(uniforms)(const lft_draw *d, uint32_t pair, lft_v u[5])
{
    lft_int m[5][LFT_P_LANES];
    int     i, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        uint32_t c[2][4];
        for (i = 0; i < LFT_P_REAL_BYTES / 4; ++i) {
            c[i][0] = pair + (uint32_t)i;
            c[i][1] = d->draw;
            c[i][2] = (uint32_t)d->sample + (uint32_t)l;
            c[i][3] = (d->purpose & 0xff) | (uint32_t)(d->sample >> 32) << 8;
            lft_p_philox(c[i], (uint32_t)d->seed, (uint32_t)(d->seed >> 32));
        }
#if LFT_P_REAL_BYTES == 4
        for (i = 0; i < 4; ++i) m[i][l] = (int32_t)(c[0][i] >> 9);
        m[4][l] = (int32_t)((c[0][0] & 0x1ff) << 14 | (c[0][1] & 0x1ff) << 5 | (c[0][2] & 0x1ff) >> 4);
#else
        for (i = 0; i < 4; ++i) m[i][l] = (int64_t)((uint64_t)c[i / 2][2 * (i % 2) + 1] << 20 | c[i / 2][2 * (i % 2)] >> 12);
        m[4][l] = (int64_t)((uint64_t)(c[0][0] & 0xfff) << 40 | (uint64_t)(c[0][2] & 0xfff) << 28 |
                            (c[1][0] & 0xfff) << 16 | (c[1][2] & 0xfff) << 4);
#endif
    }
    for (i = 0; i < 5; ++i) { /* 1.m - 1, and half of the last place: exact */
        lft_m bits;
        lft_p_copy(&bits, m[i], sizeof bits);
        u[i] = LFT_P(unbits)(bits | LFT_P(bits)(lft_splat(1))) - (1 - LFT_P(half_place));
    }
}

/* The mask of lanes that are infinite or NaN, by the bits of the exponent. */
LFT_P_INLINE lft_m LFT_P(nonfinite)(lft_v x)
{
    const lft_m top = LFT_P(int_splat)(LFT_P(infinity));
    return LFT_P(int_eq)(LFT_P(bits)(x) & top, top);
}

/* A unit quaternion with density proportional to exp(alpha x0), alpha >= 0, on the sphere. The mask of lanes where alpha is
 * not finite: x is 1 there. Lane l has the random numbers of sample d.sample + l, attempt a those of a 2^32 further.
 *
 * delta = 1 - x0 has the density sqrt(delta) sqrt(1 - delta / 2) exp(-alpha delta). Kennedy and Pendleton (Phys. Lett.
 * 156B (1985) 393) draw from sqrt(delta) exp(-alpha delta), half the square of a normal vector n over alpha, and accept with
 * probability sqrt(1 - delta / 2), which fails as alpha goes to 0. Here the concave log sqrt(1 - delta / 2) is bounded by a
 * tangent of slope -c instead of the constant 0, any c >= 1/4: n^2 / 2 over alpha + c, and accepted with the square root of
 *   p = (1 - delta / 2) 4c exp(2 c delta - 4c + 1) <= 1.
 * With c below, close to the best, that is 0.56 at alpha = 0, 0.81 at 1, 0.94 at 2 and 1 - 0.3 / alpha^2 for large alpha.
 * The direction of n is that of the other components. */
LFT_P_STATIC lft_m LFT_P(quaternion)(lft_draw d, uint32_t pair, lft_v alpha, lft_v x[4])
{
    const lft_real turn = (lft_real)6.283185307179586;
    const lft_m    bad  = LFT_P(nonfinite)(alpha);
    const lft_v    zero = lft_splat(0), c = (lft_real)0.25 + (lft_real)0.75 / (1 + 2 * alpha), rate = 1 / (alpha + c);
    lft_m          open = ~bad, take;
    lft_v          u[5], n[3], r, s, delta, left;
    int            i;
    x[0] = lft_splat(1), x[1] = x[2] = x[3] = zero;
    for (; LFT_P(any)(open); d.sample += (uint64_t)1 << 32) {
        LFT_P(uniforms)(&d, pair, u);
        r = LFT_P(sqrt)(-2 * LFT_P(log_positive)(u[0]));
        LFT_P(sincos_fast)(turn, u[1], &s, n);
        n[0] *= r, n[1] = r * s;
        r = LFT_P(sqrt)(-2 * LFT_P(log_positive)(u[2]));
        LFT_P(sincos_fast)(turn, u[3], &s, n + 2);
        n[2] *= r;
        delta = (lft_real)0.5 * (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) * rate;
        left  = 1 - (lft_real)0.5 * delta;
        take  = open & LFT_P(lt)(u[4] * u[4], 4 * left * c * LFT_P(exp)(2 * c * (delta - 2) + 1));
        s     = LFT_P(sqrt)(lft_sel(LFT_P(lt)(zero, left), left, zero) * rate); /* |n| s = sqrt(1 - (1 - delta)^2) */
        x[0]  = lft_sel(take, 1 - delta, x[0]);
        LFT_P_UNROLL for (i = 0; i < 3; ++i) x[i + 1] = lft_sel(take, n[i] * s, x[i + 1]);
        open &= ~take;
    }
    return bad;
}

/* The quaternion w as its length and its direction; 1 where the length is negligible, and not finite where w is not. */
LFT_P_INLINE lft_v LFT_P(direction)(const lft_v w[4], lft_v v[4])
{
    const lft_v square = w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + w[3] * w[3];
    const lft_m small  = LFT_P(lt)(square, lft_splat((lft_real)1e-30)) & ~LFT_P(nonfinite)(square); /* NaN with -ffast-math */
    const lft_v length = LFT_P(sqrt)(lft_sel(small, lft_splat(1), square)), x = 1 / length;
    int         i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) v[i] = lft_sel(small, lft_splat(i ? 0 : 1), w[i] * x);
    return lft_sel(small, lft_splat(0), length);
}

/* ---- long rejections ---------------------------------------------------------------------------------------------------
 * Where many attempts fail, lanes that have accepted would wait for the last one. A crew lets them make its next attempts: the
 * attempts of a sample have numbers, and the first that is accepted counts, whichever lane made it. */

#define LFT_P_ATTEMPTS 1048576 /* of a sample, at most */

typedef struct LFT_P(crew) {
    int      open, list[LFT_P_LANES];             /* lanes that have not accepted yet */
    int      of[LFT_P_LANES];                     /* whose attempt each lane makes */
    uint32_t number[LFT_P_LANES];                 /* and which */
    uint32_t next[LFT_P_LANES];                   /* the attempts of each lane so far */
    int      from[LFT_P_LANES];                   /* the lane that has just accepted for this one, or -1 */
} LFT_P(crew);

/* bad: lanes that make no attempt. */
LFT_P_STATIC void LFT_P(crew_start)(LFT_P(crew) *c, lft_m bad)
{
    lft_int not_open[LFT_P_LANES];
    int     l;
    lft_p_copy(not_open, &bad, sizeof not_open);
    for (l = 0, c->open = 0; l < LFT_P_LANES; ++l) {
        c->next[l] = 0;
        if (!not_open[l]) c->list[c->open++] = l;
    }
}

/* The work of the next round; 0 if there is none, or too many attempts have failed. */
LFT_P_STATIC int LFT_P(crew_assign)(LFT_P(crew) *c)
{
    int l;
    if (!c->open || c->next[c->list[0]] >= LFT_P_ATTEMPTS) return 0;
    for (l = 0; l < LFT_P_LANES; ++l) {
        c->of[l]     = c->list[l % c->open];
        c->number[l] = c->next[c->of[l]]++;
    }
    return 1;
}

/* u[2 pairs][lane]: the numbers 2 pair ... of d for sample and attempt of each lane: of the sample d->sample + of + 2^32 number. */
LFT_P_STATIC void LFT_P(crew_uniforms)(const LFT_P(crew) *crew, const lft_draw *d, uint32_t pair, int pairs,
                                       double (*u)[LFT_P_LANES])
{
    uint32_t low[LFT_P_LANES], high[LFT_P_LANES];
    int      i, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        const uint64_t sample = d->sample + (uint64_t)crew->of[l] + ((uint64_t)crew->number[l] << 32);
        low[l]  = (uint32_t)sample;
        high[l] = (d->purpose & 0xff) | (uint32_t)(sample >> 32) << 8;
    }
    for (i = 0; i < pairs; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            uint32_t c[4];
            c[0] = pair + (uint32_t)i, c[1] = d->draw, c[2] = low[l], c[3] = high[l];
            lft_p_philox(c, (uint32_t)d->seed, (uint32_t)(d->seed >> 32));
            u[2 * i][l]     = lft_p_draw_uniform(c[0], c[1]);
            u[2 * i + 1][l] = lft_p_draw_uniform(c[2], c[3]);
        }
    }
}

/* Attempts with bound < value are accepted. */
LFT_P_STATIC void LFT_P(crew_settle)(LFT_P(crew) *c, const double *bound, const double *value)
{
    int i, l, open = 0;
    for (l = 0; l < LFT_P_LANES; ++l) c->from[l] = -1;
    for (l = LFT_P_LANES - 1; l >= 0; --l) {
        if (bound[l] < value[l]) c->from[c->of[l]] = l;
    }
    for (i = 0; i < c->open; ++i) {
        if (c->from[c->list[i]] < 0) c->list[open++] = c->list[i];
    }
    c->open = open;
}

/* What has been accepted, x of the lane that made it, to the lane that it is for. */
LFT_P_INLINE void LFT_P(crew_move)(const LFT_P(crew) *c, lft_v *to, lft_v x)
{
    lft_real a[LFT_P_LANES], b[LFT_P_LANES];
    int      l;
    lft_p_copy(a, to, sizeof a);
    lft_p_copy(b, &x, sizeof b);
    for (l = 0; l < LFT_P_LANES; ++l) a[l] = c->from[l] < 0 ? a[l] : b[c->from[l]];
    lft_p_copy(to, a, sizeof a);
}

LFT_P_INLINE void LFT_P(crew_move_wide)(const LFT_P(crew) *c, lft_v *to, const double *x)
{
    LFT_P(crew_move)(c, to, LFT_P(from_wide)(x));
}

#endif

/* ---- 30_group.h, code -------------------------------------------------------------------------------------------- */
/* 30_group.h: what a group is. An instance has one of the rooms 31 to 34; all of them offer (private) the same words:
 *
 *   LFT_P_LINKS     links of a site               real 1, gauge groups LFT_DIM
 *   LFT_P_COLOURS   N: a link is a unitary N x N matrix (U(1): a phase; real: a number)
 *   LFT_P_LINK      reals of a stored link        real 1, U(1) 1 (the angle), SU(2) 4, SU(3) 18
 *   LFT_P_ALGEBRA   reals of an algebra element   real 1, U(1) 1, SU(2) 3, SU(3) 8
 *   LFT_P_HAAR      normal numbers that a random link takes
 *   LFT_P_METRIC    -1 / tr T^a T^a: X = z^a T^a has z^a = -LFT_P_METRIC tr T^a X; U(1) 1, SU(N) 2, not for the real numbers
 *   move(link, z, h)    link = exp(h z^a T^a) link, in memory
 *   unit(link)          rounding errors off: unitary again, U(1): the angle in [-pi, pi]. Idempotent to rounding
 *   one(link)           1; real: 0
 *   haar(link, normal)  a link with the invariant measure from independent normal numbers; real: N(0, 1)
 * and those of links more:
 *   lft_u           a link or a product of links: struct { lft_v c[LFT_P_LINK] }
 *   lft_z           an algebra element z^a T^a: struct { lft_v c[LFT_P_ALGEBRA] }
 *   lft_w           a sum of links and of their products, LFT_P_SUM reals
 *   get, put            a link from and to memory; a link in memory is an lft_u too
 *   mul(a, b), mul_adj(a, b) = a b^+, adj_mul(a, b) = a^+ b, adjoint; the result is neither factor
 *   exp_of(z), log_of(u)    log: the shortest z with exp z = u
 *   eigen(u, x, phase)      u = x diag(exp(i phase)) x^+, x in the group, phases in [-pi, pi], their sum a multiple of 2 pi;
 *                           to rounding, however close eigenvalues are
 *   trace(u, g)         Re tr u, and where g is not NULL the gradient g^a = d^a Re tr u
 *   trace_im(u)
 *   carry(u, z)         u^+ z u: the algebra element z, seen from the far end of u
 *   matrix_of(c, u), numbers_of(u, c)    in double, outside of lanes: the N x N matrix of the numbers of a link, and back
 *   sum_none, sum_add(w, x, u), sum_trace(u, w)    w = 0, w += x u, Re tr u w
 *   sum_of(link)        the matrix of a link in memory
 *   sum_mul(w, a, b)    w += a b, either adjoint; w is neither
 *   sum_scaled(w, x, a) w += x a or x a^+, lane by lane;   sum_times(w, re, im, a)   with x = re + i im
 *   sum_traces(w, re, im)   tr w;   sum_inner(a, b, re, im)   tr a b or tr a b^+; im may be NULL
 *   sum_gradient(w, g)  g^a = Re tr T^a w;   sum_turned(w, z, a)   w = z^a T^a a
 *   bracket(a, b)       [a, b] of algebra elements
 *   heat(link, w, k, d, place)  the link drawn anew with the density exp(k Re tr U w) by the invariant measure, SU(3): in three
 *                       subgroups SU(2) in turn, each given the rest. Lane l takes the random numbers of sample d.sample + l
 *                       at `place`, which differs from link to link. The mask of lanes where w is not finite
 *   reflect(link, w)    the link moved as far as it goes with Re tr U w as it is. An involution that preserves the
 *                       invariant measure, SU(3): three of them
 *
 * Conventions: T^a antihermitian, tr T^a T^b = -1/2 delta^ab: i sigma^a / 2, i lambda^a / 2; U(1): i, so that z is an
 * angle. (d^a f)(U) = d/ds f(exp(s T^a) U) at s = 0. A scalar field is a link of the additive group of the real numbers
 * with T = 1: exp(z) phi = phi + z. So Hybrid Monte Carlo is the same for all. */

/* Vectors of a site: of its links, and of an algebra element each. */
#define LFT_P_SITE   (LFT_P_LINKS * LFT_P_LINK)
#define LFT_P_FORCES (LFT_P_LINKS * LFT_P_ALGEBRA)

#if LFT_GROUP == LFT_SCALAR

/* ---- 31_real.h, code --------------------------------------------------------------------------------------------- */
/* 31_real.h: the real numbers with addition: the group of a scalar field. Offers what 30_group.h says of every group. */

#define LFT_P_LINKS   1
#define LFT_P_COLOURS 1
#define LFT_P_LINK    1
#define LFT_P_ALGEBRA 1
#define LFT_P_HAAR    1

LFT_P_INLINE void LFT_P(move)(lft_v *link, const lft_v *z, lft_real h) { *link += h * *z; }
LFT_P_INLINE void LFT_P(unit)(lft_v *link) { (void)link; }
LFT_P_INLINE void LFT_P(one)(lft_v *link) { *link = lft_splat(0); }
LFT_P_INLINE void LFT_P(haar)(lft_v *link, const lft_v *normal) { *link = *normal; }

#elif LFT_GROUP == LFT_U1

/* ---- 32_u1.h, code ----------------------------------------------------------------------------------------------- */
/* 32_u1.h: U(1), stored as the angle of a phase. Offers what 30_group.h says. A product is a sum of angles, so that a path
 * costs no multiplication; what needs the phase itself takes one sine and cosine. */

#define LFT_P_LINKS   LFT_DIM
#define LFT_P_COLOURS 1
#define LFT_P_LINK    1
#define LFT_P_ALGEBRA 1
#define LFT_P_HAAR    2
#define LFT_P_METRIC  1
#define LFT_P_SUM     2

#define lft_u LFT_P(u)
#define lft_z LFT_P(z)
#define lft_w LFT_P(w)
typedef struct lft_u { lft_v c[1]; } lft_u;
typedef struct lft_z { lft_v c[1]; } lft_z;
typedef struct lft_w { lft_v c[2]; } lft_w; /* real and imaginary part */

LFT_P_INLINE void LFT_P(get)(const lft_v *link, lft_u *u) { u->c[0] = *link; }
LFT_P_INLINE void LFT_P(put)(lft_v *link, const lft_u *u) { *link = u->c[0]; }
LFT_P_INLINE void LFT_P(mul)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = a->c[0] + b->c[0]; }
LFT_P_INLINE void LFT_P(mul_adj)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = a->c[0] - b->c[0]; }
LFT_P_INLINE void LFT_P(adj_mul)(lft_u *c, const lft_u *a, const lft_u *b) { c->c[0] = b->c[0] - a->c[0]; }
LFT_P_INLINE void LFT_P(adjoint)(lft_u *c, const lft_u *a) { c->c[0] = -a->c[0]; }

LFT_P_INLINE void LFT_P(exp_of)(lft_u *u, const lft_z *z) { u->c[0] = z->c[0]; }
LFT_P_INLINE void LFT_P(log_of)(lft_z *z, const lft_u *u) { z->c[0] = LFT_P(wrap)(u->c[0]); }
LFT_P_INLINE void LFT_P(eigen)(const lft_u *u, lft_u *x, lft_v *phase)
{
    x->c[0]  = lft_splat(0);
    phase[0] = LFT_P(wrap)(u->c[0]);
}

LFT_P_INLINE lft_v LFT_P(trace)(const lft_u *u, lft_z *gradient)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    if (gradient) gradient->c[0] = -s;
    return c;
}

LFT_P_INLINE lft_v LFT_P(trace_im)(const lft_u *u)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    return s;
}

LFT_P_INLINE void LFT_P(carry)(const lft_u *u, lft_z *z)
{
    (void)u;
    (void)z;
}

LFT_P_INLINE void LFT_P(sum_none)(lft_w *w) { w->c[0] = w->c[1] = lft_splat(0); }
LFT_P_INLINE void LFT_P(sum_add)(lft_w *w, lft_real x, const lft_u *u)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    w->c[0] += x * c;
    w->c[1] += x * s;
}
LFT_P_INLINE lft_v LFT_P(sum_trace)(const lft_u *u, const lft_w *w)
{
    lft_v s, c;
    LFT_P(sincos)(u->c[0], &s, &c);
    return c * w->c[0] - s * w->c[1];
}

LFT_P_INLINE void LFT_P(sum_of)(const lft_v *link, lft_w *w) { LFT_P(sincos)(*link, w->c + 1, w->c); }
LFT_P_INLINE void LFT_P(sum_mul)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    const lft_v ai = adjoint_a ? -a->c[1] : a->c[1], bi = adjoint_b ? -b->c[1] : b->c[1];
    c->c[0] += a->c[0] * b->c[0] - ai * bi;
    c->c[1] += a->c[0] * bi + ai * b->c[0];
}
LFT_P_INLINE void LFT_P(sum_times)(lft_w *w, lft_v re, lft_v im, const lft_w *a, int adjoint)
{
    const lft_v ai = adjoint ? -a->c[1] : a->c[1];
    w->c[0] += re * a->c[0] - im * ai;
    w->c[1] += re * ai + im * a->c[0];
}
LFT_P_INLINE void LFT_P(sum_scaled)(lft_w *w, lft_v x, const lft_w *a, int adjoint)
{
    LFT_P(sum_times)(w, x, lft_splat(0), a, adjoint);
}
LFT_P_INLINE void LFT_P(sum_traces)(const lft_w *w, lft_v *re, lft_v *im) { *re = w->c[0], *im = w->c[1]; }
LFT_P_INLINE void LFT_P(sum_inner)(const lft_w *a, const lft_w *b, int adjoint, lft_v *re, lft_v *im)
{
    const lft_v bi = adjoint ? -b->c[1] : b->c[1];
    *re = a->c[0] * b->c[0] - a->c[1] * bi;
    if (im) *im = a->c[1] * b->c[0] + a->c[0] * bi;
}
LFT_P_INLINE void LFT_P(sum_gradient)(const lft_w *w, lft_z *g) { g->c[0] = -w->c[1]; }
LFT_P_INLINE void LFT_P(sum_turned)(lft_w *w, const lft_z *z, const lft_w *a)
{
    w->c[0] = -z->c[0] * a->c[1];
    w->c[1] = z->c[0] * a->c[0];
}
LFT_P_INLINE void LFT_P(bracket)(lft_z *c, const lft_z *a, const lft_z *b)
{
    (void)a, (void)b;
    c->c[0] = lft_splat(0);
}

LFT_P_INLINE void LFT_P(move)(lft_v *link, const lft_v *z, lft_real h) { *link += h * *z; }
LFT_P_INLINE void LFT_P(unit)(lft_v *link) { *link = LFT_P(wrap)(*link); }
LFT_P_INLINE void LFT_P(one)(lft_v *link) { *link = lft_splat(0); }
LFT_P_INLINE void LFT_P(haar)(lft_v *link, const lft_v *normal) { *link = LFT_P(atan2)(normal[0], normal[1]); }

LFT_P_STATIC void LFT_P(matrix_of)(const double *c, double *u) { lft_p_f64_p_sincos(c[0], u + 1, u); }
LFT_P_STATIC void LFT_P(numbers_of)(const double *u, double *c) { c[0] = lft_p_f64_p_atan2(u[1], u[0]); }

/* theta = phi - arg w, phi with density exp(kappa cos phi), kappa = k |w|. Best and Fisher (Appl. Statist. 28 (1979) 152)
 * draw tan(phi / 2) from a Cauchy distribution, here written so that kappa = 0 is no exception: with S, C the sine and cosine of a
 * uniform angle, tan(phi / 2) = S / (C sqrt(1 + b)); y = sin^2(phi / 2) = S^2 / (1 + b C^2) is accepted with probability
 *   (1 + b y) exp(-2 kappa y) q exp(1 - q),   q = 2 kappa / b = 1 / (1 + 2 kappa / (1 + sqrt(1 + 4 kappa^2))),
 * 1 at kappa = 0 and 0.66 for large kappa. Two attempts at a time. */
LFT_P_STATIC lft_m LFT_P(heat)(lft_v *link, const lft_w *w, lft_real k, lft_draw d, uint32_t place)
{
    const lft_real pi   = (lft_real)3.141592653589793;
    const lft_v    re = k * w->c[0], im = k * w->c[1], kappa = LFT_P(sqrt)(re * re + im * im);
    const lft_m    bad  = LFT_P(nonfinite)(kappa);
    const lft_v    grow = 1 + 2 * kappa / (1 + LFT_P(sqrt)(1 + 4 * kappa * kappa)), b = 2 * kappa * grow, q = 1 / grow;
    const lft_v    most = q * LFT_P(exp)(1 - q);
    lft_m          open = ~bad, take;
    lft_v          u[5], s, c, y, sine = lft_splat(0), cosine = lft_splat(1);
    int            i;
    for (; LFT_P(any)(open); d.sample += (uint64_t)1 << 32) {
        LFT_P(uniforms)(&d, 2 * place, u);
        LFT_P_UNROLL for (i = 0; i < 4; i += 2)
        {
            LFT_P(sincos_fast)(pi, u[i] - (lft_real)0.5, &s, &c);
            y      = s * s / (1 + b * c * c);
            take   = open & LFT_P(lt)(u[i + 1], (1 + b * y) * LFT_P(exp)(-2 * kappa * y) * most);
            sine   = lft_sel(take, s, sine);
            cosine = lft_sel(take, c, cosine);
            open &= ~take;
        }
    }
    *link = 2 * LFT_P(atan2)(sine, cosine * LFT_P(sqrt)(1 + b)) - LFT_P(atan2)(im, re);
    return bad;
}

LFT_P_STATIC void LFT_P(reflect)(lft_v *link, const lft_w *w)
{
    *link = LFT_P(wrap)(-2 * LFT_P(atan2)(w->c[1], w->c[0]) - *link);
}

#elif LFT_GROUP == LFT_SU2

/* ---- 33_su2.h, code ---------------------------------------------------------------------------------------------- */
/* 33_su2.h: SU(2) as unit quaternions u = c0 + i (c1 sigma1 + c2 sigma2 + c3 sigma3). Offers what 30_group.h says. Sums of
 * links are quaternions too. */

#define LFT_P_LINKS   LFT_DIM
#define LFT_P_COLOURS 2
#define LFT_P_LINK    4
#define LFT_P_ALGEBRA 3
#define LFT_P_HAAR    4
#define LFT_P_METRIC  2
#define LFT_P_SUM     4

#define lft_u LFT_P(u)
#define lft_z LFT_P(z)
#define lft_w LFT_P(u)
typedef struct lft_u { lft_v c[4]; } lft_u;
typedef struct lft_z { lft_v c[3]; } lft_z;

LFT_P_INLINE void LFT_P(get)(const lft_v *link, lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) u->c[i] = link[i];
}

LFT_P_INLINE void LFT_P(put)(lft_v *link, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) link[i] = u->c[i];
}

LFT_P_INLINE void LFT_P(adjoint)(lft_u *c, const lft_u *a)
{
    c->c[0] = a->c[0];
    c->c[1] = -a->c[1], c->c[2] = -a->c[2], c->c[3] = -a->c[3];
}

/* (a0 + i a sigma)(b0 + i b sigma) = a0 b0 - a b + i (a0 b + b0 a - a x b) sigma */
LFT_P_INLINE void LFT_P(mul)(lft_u *c, const lft_u *a_, const lft_u *b_)
{
    const lft_v *a = a_->c, *b = b_->c;
    lft_u        r;
    r.c[0] = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3];
    r.c[1] = a[0] * b[1] + a[1] * b[0] - a[2] * b[3] + a[3] * b[2];
    r.c[2] = a[0] * b[2] + a[2] * b[0] - a[3] * b[1] + a[1] * b[3];
    r.c[3] = a[0] * b[3] + a[3] * b[0] - a[1] * b[2] + a[2] * b[1];
    *c     = r;
}

LFT_P_INLINE void LFT_P(mul_adj)(lft_u *c, const lft_u *a, const lft_u *b)
{
    lft_u t;
    LFT_P(adjoint)(&t, b);
    LFT_P(mul)(c, a, &t);
}

LFT_P_INLINE void LFT_P(adj_mul)(lft_u *c, const lft_u *a, const lft_u *b)
{
    lft_u t;
    LFT_P(adjoint)(&t, a);
    LFT_P(mul)(c, &t, b);
}

/* exp(i z sigma / 2) = cos(r/2) + i sigma z sin(r/2) / r, r = |z|; below 1e-15 (f32: 1e-8) the second factor is 1/2 */
LFT_P_INLINE void LFT_P(exp_of)(lft_u *u, const lft_z *z)
{
    const lft_v r2 = z->c[0] * z->c[0] + z->c[1] * z->c[1] + z->c[2] * z->c[2], least = lft_splat((lft_real)1e-30);
    const lft_m small = LFT_P(lt)(r2, least);
    const lft_v half = (lft_real)0.5 * LFT_P(sqrt)(lft_sel(small, least, r2));
    lft_v       s, c;
    LFT_P(sincos)(half, &s, &c);
    s       = lft_sel(small, lft_splat((lft_real)0.5), (lft_real)0.5 * s / half);
    u->c[0] = c;
    u->c[1] = s * z->c[0], u->c[2] = s * z->c[1], u->c[3] = s * z->c[2];
}

/* z = 2 atan2(|c|, c0) c / |c|. At u = -1 every direction is as short: that of c, or the first where c is 0. */
LFT_P_INLINE void LFT_P(log_of)(lft_z *z, const lft_u *u)
{
    const lft_v r2 = u->c[1] * u->c[1] + u->c[2] * u->c[2] + u->c[3] * u->c[3], least = lft_splat((lft_real)1e-30);
    const lft_m small = LFT_P(lt)(r2, least), back = small & LFT_P(lt)(u->c[0], lft_splat(0));
    const lft_v r = LFT_P(sqrt)(lft_sel(small, least, r2));
    const lft_v scale = lft_sel(small, lft_splat(2), 2 * LFT_P(atan2)(r, u->c[0]) / r);
    z->c[0] = lft_sel(back, lft_splat((lft_real)6.283185307179586), scale * u->c[1]);
    z->c[1] = scale * u->c[2], z->c[2] = scale * u->c[3];
}

/* x turns the third axis to c / |c|, or to its opposite where that is nearer, which exchanges the phases. */
LFT_P_INLINE void LFT_P(eigen)(const lft_u *u, lft_u *x, lft_v *phase)
{
    const lft_v r2 = u->c[1] * u->c[1] + u->c[2] * u->c[2] + u->c[3] * u->c[3], least = lft_splat((lft_real)1e-30);
    const lft_m small = LFT_P(lt)(r2, least), down = LFT_P(lt)(u->c[3], lft_splat(0)) & ~small;
    const lft_v r = LFT_P(sqrt)(lft_sel(small, least, r2)), sign = lft_sel(down, lft_splat(-1), lft_splat(1));
    const lft_v up = lft_sel(small, lft_splat(1), sign * u->c[3] / r) + 1;
    const lft_v n1 = lft_sel(small, lft_splat(0), sign * u->c[1] / r), n2 = lft_sel(small, lft_splat(0), sign * u->c[2] / r);
    const lft_v scale = 1 / LFT_P(sqrt)(up * up + n1 * n1 + n2 * n2);
    x->c[0] = scale * up, x->c[1] = scale * n2, x->c[2] = -scale * n1, x->c[3] = lft_splat(0);
    phase[0] = sign * LFT_P(atan2)(lft_sel(small, lft_splat(0), r), u->c[0]);
    phase[1] = -phase[0];
}

/* Re tr u = 2 c0, d^a Re tr u = Re tr (i sigma^a / 2) u = -c_a */
LFT_P_INLINE lft_v LFT_P(trace)(const lft_u *u, lft_z *gradient)
{
    if (gradient) gradient->c[0] = -u->c[1], gradient->c[1] = -u->c[2], gradient->c[2] = -u->c[3];
    return u->c[0] + u->c[0];
}

LFT_P_INLINE lft_v LFT_P(trace_im)(const lft_u *u)
{
    (void)u;
    return lft_splat(0);
}

/* The rotation z - 2 c0 (c x z)' + ...: u^+ z u with z as the quaternion without real part. */
LFT_P_INLINE void LFT_P(carry)(const lft_u *u, lft_z *z)
{
    const lft_v *c = u->c;
    lft_v        x, y, w;
    x = 2 * (c[2] * z->c[2] - c[3] * z->c[1]);
    y = 2 * (c[3] * z->c[0] - c[1] * z->c[2]);
    w = 2 * (c[1] * z->c[1] - c[2] * z->c[0]);
    z->c[0] += c[0] * x + (c[2] * w - c[3] * y);
    z->c[1] += c[0] * y + (c[3] * x - c[1] * w);
    z->c[2] += c[0] * w + (c[1] * y - c[2] * x);
}

LFT_P_INLINE void LFT_P(sum_none)(lft_w *w) { w->c[0] = w->c[1] = w->c[2] = w->c[3] = lft_splat(0); }
LFT_P_INLINE void LFT_P(sum_add)(lft_w *w, lft_real x, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) w->c[i] += x * u->c[i];
}
LFT_P_INLINE lft_v LFT_P(sum_trace)(const lft_u *u, const lft_w *w)
{
    return 2 * (u->c[0] * w->c[0] - u->c[1] * w->c[1] - u->c[2] * w->c[2] - u->c[3] * w->c[3]);
}

LFT_P_INLINE void LFT_P(sum_of)(const lft_v *link, lft_w *w) { LFT_P(get)(link, w); }
LFT_P_INLINE void LFT_P(sum_mul)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    lft_u x = *a, y = *b, r;
    if (adjoint_a) LFT_P(adjoint)(&x, a);
    if (adjoint_b) LFT_P(adjoint)(&y, b);
    LFT_P(mul)(&r, &x, &y);
    LFT_P(sum_add)(c, 1, &r);
}
LFT_P_INLINE void LFT_P(sum_scaled)(lft_w *w, lft_v x, const lft_w *a, int adjoint)
{
    const lft_v y = adjoint ? -x : x;
    w->c[0] += x * a->c[0];
    w->c[1] += y * a->c[1], w->c[2] += y * a->c[2], w->c[3] += y * a->c[3];
}
LFT_P_INLINE void LFT_P(sum_times)(lft_w *w, lft_v re, lft_v im, const lft_w *a, int adjoint)
{
    (void)im; /* has no part in Re tr w^+ dw */
    LFT_P(sum_scaled)(w, re, a, adjoint);
}
LFT_P_INLINE void LFT_P(sum_traces)(const lft_w *w, lft_v *re, lft_v *im) { *re = 2 * w->c[0], *im = lft_splat(0); }
LFT_P_INLINE void LFT_P(sum_inner)(const lft_w *a, const lft_w *b, int adjoint, lft_v *re, lft_v *im)
{
    const lft_v x = a->c[1] * b->c[1] + a->c[2] * b->c[2] + a->c[3] * b->c[3];
    *re = 2 * (adjoint ? a->c[0] * b->c[0] + x : a->c[0] * b->c[0] - x);
    if (im) *im = lft_splat(0);
}
LFT_P_INLINE void LFT_P(sum_gradient)(const lft_w *w, lft_z *g) { (void)LFT_P(trace)(w, g); }
LFT_P_INLINE void LFT_P(sum_turned)(lft_w *w, const lft_z *z, const lft_w *a)
{
    lft_u x;
    x.c[0] = lft_splat(0);
    x.c[1] = (lft_real)0.5 * z->c[0], x.c[2] = (lft_real)0.5 * z->c[1], x.c[3] = (lft_real)0.5 * z->c[2];
    LFT_P(mul)(w, &x, a);
}
/* [T^a, T^b] = -epsilon^abc T^c */
LFT_P_INLINE void LFT_P(bracket)(lft_z *c, const lft_z *a, const lft_z *b)
{
    lft_z r;
    r.c[0] = a->c[2] * b->c[1] - a->c[1] * b->c[2];
    r.c[1] = a->c[0] * b->c[2] - a->c[2] * b->c[0];
    r.c[2] = a->c[1] * b->c[0] - a->c[0] * b->c[1];
    *c     = r;
}

LFT_P_INLINE void LFT_P(move)(lft_v *link, const lft_v *z_, lft_real h)
{
    lft_z z;
    lft_u u, e;
    z.c[0] = h * z_[0], z.c[1] = h * z_[1], z.c[2] = h * z_[2];
    LFT_P(exp_of)(&e, &z);
    LFT_P(get)(link, &u);
    LFT_P(mul)((lft_u *)link, &e, &u);
}

LFT_P_INLINE void LFT_P(unit)(lft_v *link)
{
    const lft_v x = 1 / LFT_P(sqrt)(link[0] * link[0] + link[1] * link[1] + link[2] * link[2] + link[3] * link[3]);
    int         i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) link[i] *= x;
}

LFT_P_INLINE void LFT_P(one)(lft_v *link)
{
    link[0] = lft_splat(1);
    link[1] = link[2] = link[3] = lft_splat(0);
}

/* A direction in four dimensions. */
LFT_P_INLINE void LFT_P(haar)(lft_v *link, const lft_v *normal)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) link[i] = normal[i];
    LFT_P(unit)(link);
}

/* c0 + i c3, c2 + i c1; -c2 + i c1, c0 - i c3 */
LFT_P_STATIC void LFT_P(matrix_of)(const double *c, double *u)
{
    u[0] = u[6] = c[0], u[1] = c[3], u[7] = -c[3];
    u[2] = c[2], u[4] = -c[2], u[3] = u[5] = c[1];
}

LFT_P_STATIC void LFT_P(numbers_of)(const double *u, double *c)
{
    c[0] = 0.5 * (u[0] + u[6]), c[3] = 0.5 * (u[1] - u[7]);
    c[2] = 0.5 * (u[2] - u[4]), c[1] = 0.5 * (u[3] + u[5]);
}

/* U = X V^+ with V = w / |w|: k Re tr U w = 2 k |w| x0 */
LFT_P_STATIC lft_m LFT_P(heat)(lft_v *link, const lft_w *w, lft_real k, lft_draw d, uint32_t place)
{
    lft_u v, x, u;
    lft_m bad;
    int   i;
    LFT_P_UNROLL for (i = 0; i < 4; ++i) v.c[i] = k * w->c[i];
    bad = LFT_P(quaternion)(d, 2 * place, 2 * LFT_P(direction)(v.c, v.c), x.c);
    LFT_P(mul_adj)(&u, &x, &v);
    LFT_P(put)(link, &u);
    return bad;
}

/* V^+ U^+ V^+ */
LFT_P_STATIC void LFT_P(reflect)(lft_v *link, const lft_w *w)
{
    lft_u u, v, x;
    (void)LFT_P(direction)(w->c, v.c);
    LFT_P(get)(link, &u);
    LFT_P(mul)(&x, &u, &v); /* V^+ U^+ V^+ = (V U V)^+ */
    LFT_P(mul)(&u, &v, &x);
    LFT_P(adjoint)(&x, &u);
    LFT_P(put)(link, &x);
}

#elif LFT_GROUP == LFT_SU3

/* ---- 34_su3.h, code ---------------------------------------------------------------------------------------------- */
/* 34_su3.h: SU(3) as 3 x 3 complex matrices, row by row, real parts before imaginary ones. Offers what 30_group.h says. Sums
 * of links are matrices too. */

#define LFT_P_LINKS   LFT_DIM
#define LFT_P_COLOURS 3
#define LFT_P_LINK    18
#define LFT_P_ALGEBRA 8
#define LFT_P_HAAR    12
#define LFT_P_METRIC  2
#define LFT_P_SUM     18

#define lft_u LFT_P(u)
#define lft_z LFT_P(z)
#define lft_w LFT_P(u)
typedef struct lft_u { lft_v c[18]; } lft_u;
typedef struct lft_z { lft_v c[8]; } lft_z;

static const lft_real LFT_P(sqrt3) = (lft_real)1.7320508075688773;

/* places of the real parts */
#define LFT_P_RE(i, j) (6 * (i) + 2 * (j))
#define LFT_P_IM(i, j) (6 * (i) + 2 * (j) + 1)

LFT_P_INLINE void LFT_P(get)(const lft_v *link, lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) u->c[i] = link[i];
}

LFT_P_INLINE void LFT_P(put)(lft_v *link, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) link[i] = u->c[i];
}

LFT_P_INLINE void LFT_P(adjoint)(lft_u *c, const lft_u *a)
{
    lft_u r;
    int   i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            r.c[LFT_P_RE(i, j)] = a->c[LFT_P_RE(j, i)];
            r.c[LFT_P_IM(i, j)] = -a->c[LFT_P_IM(j, i)];
        }
    }
    *c = r;
}

/* c = a b or, with add, c += a b, either of them adjoint: constants after inlining. c is neither a nor b. 27 complex products:
 * 108 multiplications, of which 90 are fused with an addition. */
LFT_P_INLINE void LFT_P(multiply)(lft_v *LFT_P_RESTRICT c, int add, const lft_v *a, int adjoint_a, const lft_v *b, int adjoint_b)
{
    int i, j, k;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            lft_v re = lft_splat(0), im = re;
            LFT_P_UNROLL for (k = 0; k < 3; ++k)
            {
                const int   at = adjoint_a ? LFT_P_RE(k, i) : LFT_P_RE(i, k), bt = adjoint_b ? LFT_P_RE(j, k) : LFT_P_RE(k, j);
                const lft_v ar = a[at], ai = a[at + 1], br = b[bt], bi = b[bt + 1];
                re = k ? re + ar * br : ar * br;
                re = adjoint_a == adjoint_b ? re - ai * bi : re + ai * bi;
                im = k ? (adjoint_b ? im - ar * bi : im + ar * bi) : adjoint_b ? -(ar * bi) : ar * bi;
                im = adjoint_a ? im - ai * br : im + ai * br;
            }
            if (add) re += c[LFT_P_RE(i, j)], im += c[LFT_P_IM(i, j)];
            c[LFT_P_RE(i, j)] = re;
            c[LFT_P_IM(i, j)] = im;
        }
    }
}

LFT_P_INLINE void LFT_P(product)(lft_v *c, const lft_v *a, int adjoint_a, const lft_v *b, int adjoint_b)
{
    LFT_P(multiply)(c, 0, a, adjoint_a, b, adjoint_b);
}

LFT_P_STATIC void LFT_P(mul)(lft_u *c, const lft_u *a, const lft_u *b) { LFT_P(product)(c->c, a->c, 0, b->c, 0); }
LFT_P_STATIC void LFT_P(mul_adj)(lft_u *c, const lft_u *a, const lft_u *b) { LFT_P(product)(c->c, a->c, 0, b->c, 1); }
LFT_P_STATIC void LFT_P(adj_mul)(lft_u *c, const lft_u *a, const lft_u *b) { LFT_P(product)(c->c, a->c, 1, b->c, 0); }

/* The hermitian H = z^a lambda^a / 2: diagonal h[0..2], H12 = h[3] + i h[4], H13 = h[5] + i h[6], H23 = h[7] + i h[8] */
LFT_P_INLINE void LFT_P(hermitian)(const lft_z *z, lft_v h[9])
{
    const lft_real half   = (lft_real)0.5;
    const lft_v    eighth = z->c[7] * (1 / LFT_P(sqrt3));
    h[0] = half * (eighth + z->c[2]), h[1] = half * (eighth - z->c[2]), h[2] = -eighth;
    h[3] = half * z->c[0], h[4] = -half * z->c[1];
    h[5] = half * z->c[3], h[6] = -half * z->c[4];
    h[7] = half * z->c[5], h[8] = -half * z->c[6];
}

/* s = h^2 in the same places. */
LFT_P_INLINE void LFT_P(hermitian_square)(const lft_v h[9], lft_v s[9])
{
    const lft_v n12 = h[3] * h[3] + h[4] * h[4], n13 = h[5] * h[5] + h[6] * h[6], n23 = h[7] * h[7] + h[8] * h[8];
    s[0] = h[0] * h[0] + n12 + n13, s[1] = h[1] * h[1] + n12 + n23, s[2] = h[2] * h[2] + n13 + n23;
    s[3] = h[3] * (h[0] + h[1]) + (h[5] * h[7] + h[6] * h[8]); /* H13 conj(H23) */
    s[4] = h[4] * (h[0] + h[1]) + (h[6] * h[7] - h[5] * h[8]);
    s[5] = h[5] * (h[0] + h[2]) + (h[3] * h[7] - h[4] * h[8]); /* H12 H23 */
    s[6] = h[6] * (h[0] + h[2]) + (h[3] * h[8] + h[4] * h[7]);
    s[7] = h[7] * (h[1] + h[2]) + (h[3] * h[5] + h[4] * h[6]); /* conj(H12) H13 */
    s[8] = h[8] * (h[1] + h[2]) + (h[3] * h[6] - h[4] * h[5]);
}

/* 1 / n! */
static const lft_real LFT_P(exp_series_terms)[] = {
    (lft_real)1.0,                    (lft_real)1.0,                    (lft_real)0.5,
    (lft_real)0.16666666666666667,    (lft_real)0.041666666666666667,   (lft_real)0.0083333333333333333,
    (lft_real)0.0013888888888888889,  (lft_real)0.00019841269841269841, (lft_real)2.4801587301587302e-5,
    (lft_real)2.7557319223985891e-6,  (lft_real)2.7557319223985891e-7,  (lft_real)2.5052108385441719e-8,
    (lft_real)2.0876756987868099e-9,  (lft_real)1.6059043836821615e-10, (lft_real)1.1470745597729725e-11,
    (lft_real)7.6471637318198165e-13, (lft_real)4.7794773323873853e-14, (lft_real)2.8114572543455208e-15,
    (lft_real)1.5619206968586226e-16};
#if LFT_P_REAL_BYTES == 4
enum { LFT_P(exp_series_last) = 11 };
#else
enum { LFT_P(exp_series_last) = 18 };
#endif

/* exp(iH) = f0 + f1 H + f2 H^2 by the theorem of Cayley and Hamilton, H^3 = p H + q with p = tr H^2 / 2, q = det H. The
 * coefficients are summed as the power series (every power of H is such a polynomial), which knows no exceptions where
 * eigenvalues coincide; above |eigenvalue| = 1, of H / 2^k, and squared k times. f[0..5]: f0, f1, f2, real and imaginary. */
LFT_P_STATIC void LFT_P(exp_series)(lft_v p, lft_v q, lft_v f[6])
{
    const lft_v most = lft_splat((lft_real)0.75); /* no eigenvalue exceeds sqrt(4 p / 3) */
    lft_v       g[6], a, b;
    int         n, k;
    for (k = 0; k < 60 && LFT_P(any)(LFT_P(lt)(most, p)); ++k) p *= (lft_real)0.25, q *= (lft_real)0.125;
    for (n = 0; n < 6; ++n) f[n] = lft_splat(0);
    for (n = LFT_P(exp_series_last); n >= 0; --n) { /* f H + i^n / n! */
        const lft_real x = n & 2 ? -LFT_P(exp_series_terms)[n] : LFT_P(exp_series_terms)[n];
        a = q * f[4], b = q * f[5];
        if (n & 1) b += x;
        else a += x;
        g[2] = f[0] + p * f[4], g[3] = f[1] + p * f[5];
        f[4] = f[2], f[5] = f[3];
        f[0] = a, f[1] = b, f[2] = g[2], f[3] = g[3];
    }
    for (; k > 0; --k) { /* the square, in powers of 2 H */
        const lft_v re = 2 * (f[2] * f[4] - f[3] * f[5]), im = 2 * (f[2] * f[5] + f[3] * f[4]); /* 2 f1 f2 */
        a    = f[4] * f[4] - f[5] * f[5]; /* f2^2 */
        b    = 2 * f[4] * f[5];
        g[0] = f[0] * f[0] - f[1] * f[1] + q * re, g[1] = 2 * f[0] * f[1] + q * im;
        g[2] = f[0] * f[2] - f[1] * f[3] + (lft_real)0.5 * (p * re + q * a);
        g[3] = f[0] * f[3] + f[1] * f[2] + (lft_real)0.5 * (p * im + q * b);
        g[4] = (lft_real)0.25 * (f[2] * f[2] - f[3] * f[3] + 2 * (f[0] * f[4] - f[1] * f[5]) + p * a);
        g[5] = (lft_real)0.25 * (2 * (f[2] * f[3] + f[0] * f[5] + f[1] * f[4]) + p * b);
        for (n = 0; n < 6; ++n) f[n] = g[n];
        p *= 4, q *= 8;
    }
}

LFT_P_STATIC void LFT_P(exp_of)(lft_u *u, const lft_z *z)
{
    static const int at[3] = {LFT_P_RE(0, 1), LFT_P_RE(0, 2), LFT_P_RE(1, 2)};
    static const int to[3] = {LFT_P_RE(1, 0), LFT_P_RE(2, 0), LFT_P_RE(2, 1)};
    lft_v h[9], s[9], f[6], p, q;
    int   i;
    LFT_P(hermitian)(z, h);
    LFT_P(hermitian_square)(h, s);
    p = (lft_real)0.5 * (s[0] + s[1] + s[2]);
    q = h[0] * (h[1] * h[2] - h[7] * h[7] - h[8] * h[8]) - h[1] * (h[5] * h[5] + h[6] * h[6]) -
        h[2] * (h[3] * h[3] + h[4] * h[4]) + 2 * (h[5] * (h[3] * h[7] - h[4] * h[8]) + h[6] * (h[3] * h[8] + h[4] * h[7]));
    LFT_P(exp_series)(p, q, f);
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        const lft_v *a = h + 3 + 2 * i, *b = s + 3 + 2 * i; /* the element above the diagonal; below stand their conjugates */
        u->c[LFT_P_RE(i, i)] = f[0] + f[2] * h[i] + f[4] * s[i];
        u->c[LFT_P_IM(i, i)] = f[1] + f[3] * h[i] + f[5] * s[i];
        u->c[at[i]]     = f[2] * a[0] - f[3] * a[1] + f[4] * b[0] - f[5] * b[1];
        u->c[at[i] + 1] = f[2] * a[1] + f[3] * a[0] + f[4] * b[1] + f[5] * b[0];
        u->c[to[i]]     = f[2] * a[0] + f[3] * a[1] + f[4] * b[0] + f[5] * b[1];
        u->c[to[i] + 1] = f[3] * a[0] - f[2] * a[1] + f[5] * b[0] - f[4] * b[1];
    }
}

/* d^a Re tr u = Re tr (i lambda^a / 2) u = -Im tr lambda^a u / 2 */
LFT_P_INLINE lft_v LFT_P(trace)(const lft_u *u, lft_z *gradient)
{
    const lft_v   *c    = u->c;
    const lft_real half = (lft_real)0.5;
    if (gradient) {
        lft_v *g = gradient->c;
        g[0] = -half * (c[LFT_P_IM(0, 1)] + c[LFT_P_IM(1, 0)]), g[1] = half * (c[LFT_P_RE(1, 0)] - c[LFT_P_RE(0, 1)]);
        g[3] = -half * (c[LFT_P_IM(0, 2)] + c[LFT_P_IM(2, 0)]), g[4] = half * (c[LFT_P_RE(2, 0)] - c[LFT_P_RE(0, 2)]);
        g[5] = -half * (c[LFT_P_IM(1, 2)] + c[LFT_P_IM(2, 1)]), g[6] = half * (c[LFT_P_RE(2, 1)] - c[LFT_P_RE(1, 2)]);
        g[2] = half * (c[LFT_P_IM(1, 1)] - c[LFT_P_IM(0, 0)]);
        g[7] = (2 * c[LFT_P_IM(2, 2)] - c[LFT_P_IM(0, 0)] - c[LFT_P_IM(1, 1)]) * (half / LFT_P(sqrt3));
    }
    return c[LFT_P_RE(0, 0)] + c[LFT_P_RE(1, 1)] + c[LFT_P_RE(2, 2)];
}

LFT_P_INLINE lft_v LFT_P(trace_im)(const lft_u *u)
{
    return u->c[LFT_P_IM(0, 0)] + u->c[LFT_P_IM(1, 1)] + u->c[LFT_P_IM(2, 2)];
}

/* R = u^+ H u with z = (H), H hermitian: only what is above the diagonal of R, and two elements of it. */
LFT_P_STATIC void LFT_P(carry)(const lft_u *u, lft_z *z)
{
    static const int pair[3][2] = {{0, 1}, {0, 2}, {1, 2}}, to[3] = {0, 3, 5};
    lft_v            h[9], m[18], diagonal[2]; /* m = H u */
    int              i, j, k;
    LFT_P(hermitian)(z, h);
    LFT_P_UNROLL for (j = 0; j < 3; ++j)
    {
        const lft_v *c0 = u->c + LFT_P_RE(0, j), *c1 = u->c + LFT_P_RE(1, j), *c2 = u->c + LFT_P_RE(2, j);
        m[LFT_P_RE(0, j)] = h[0] * c0[0] + h[3] * c1[0] - h[4] * c1[1] + h[5] * c2[0] - h[6] * c2[1];
        m[LFT_P_IM(0, j)] = h[0] * c0[1] + h[3] * c1[1] + h[4] * c1[0] + h[5] * c2[1] + h[6] * c2[0];
        m[LFT_P_RE(1, j)] = h[3] * c0[0] + h[4] * c0[1] + h[1] * c1[0] + h[7] * c2[0] - h[8] * c2[1];
        m[LFT_P_IM(1, j)] = h[3] * c0[1] - h[4] * c0[0] + h[1] * c1[1] + h[7] * c2[1] + h[8] * c2[0];
        m[LFT_P_RE(2, j)] = h[5] * c0[0] + h[6] * c0[1] + h[7] * c1[0] + h[8] * c1[1] + h[2] * c2[0];
        m[LFT_P_IM(2, j)] = h[5] * c0[1] - h[6] * c0[0] + h[7] * c1[1] - h[8] * c1[0] + h[2] * c2[1];
    }
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        lft_v re = lft_splat(0), im = re;
        LFT_P_UNROLL for (k = 0; k < 3; ++k)
        {
            const lft_v *a = u->c + LFT_P_RE(k, pair[i][0]), *b = m + LFT_P_RE(k, pair[i][1]);
            re += a[0] * b[0] + a[1] * b[1];
            im += a[0] * b[1] - a[1] * b[0];
        }
        z->c[to[i]]     = 2 * re;
        z->c[to[i] + 1] = -2 * im;
    }
    LFT_P_UNROLL for (i = 0; i < 2; ++i)
    {
        diagonal[i] = lft_splat(0);
        LFT_P_UNROLL for (k = 0; k < 3; ++k)
        {
            diagonal[i] += u->c[LFT_P_RE(k, i)] * m[LFT_P_RE(k, i)] + u->c[LFT_P_IM(k, i)] * m[LFT_P_IM(k, i)];
        }
    }
    z->c[2] = diagonal[0] - diagonal[1];
    z->c[7] = LFT_P(sqrt3) * (diagonal[0] + diagonal[1]);
}

/* ---- eigenvalues ---------------------------------------------------------------------------------------------------- */

#define LFT_P_SWEEPS 7 /* convergence is quadratic */

static const lft_real LFT_P(negligible) = LFT_P_REAL_BYTES == 4 ? (lft_real)1e-15 : (lft_real)1e-33; /* squares of rounding */

/* The 2 x 2 block (p, q) of a normal matrix m is a + (v + i w) sigma with real v and w; where the whole matrix is nearly
 * diagonal they are nearly parallel. The rotation turns the axis n along which (n v)^2 + (n w)^2 is largest to the third one
 * (Cardoso and Souloumiac, SIAM J. Matrix Anal. Appl. 17 (1996) 161, for one matrix): m = r m' r^+, x = x r. */
LFT_P_INLINE void LFT_P(rotate)(lft_v *m, lft_v *x, int p, int q)
{
    const lft_real half = (lft_real)0.5;
    const int      pp = LFT_P_RE(p, p), pq = LFT_P_RE(p, q), qp = LFT_P_RE(q, p), qq = LFT_P_RE(q, q);
    const lft_v    one = lft_splat(1), zero = lft_splat(0);
    /* m_pq = v1 - i v2 + i (w1 - i w2), m_qp = v1 + i v2 + i (w1 + i w2) */
    lft_v v[3] = {half * (m[pq] + m[qp]), half * (m[qp + 1] - m[pq + 1]), half * (m[pp] - m[qq])};
    lft_v w[3] = {half * (m[pq + 1] + m[qp + 1]), half * (m[pq] - m[qp]), half * (m[pp + 1] - m[qq + 1])};
    lft_v vv = v[0] * v[0] + v[1] * v[1] + v[2] * v[2], ww = w[0] * w[0] + w[1] * w[1] + w[2] * w[2];
    lft_v vw = v[0] * w[0] + v[1] * w[1] + v[2] * w[2], size = vv + ww, scale, d, root, a, b, n[3], c, s_re, s_im, sign;
    lft_m same, first; /* a multiple of 1 to rounding: left alone */
    int   i;
    same  = LFT_P(lt)(size, lft_splat(LFT_P(negligible)));
    scale = 1 / lft_sel(same, one, size);
    vv *= scale, ww *= scale, vw *= scale;
    d     = half * (vv - ww);
    root  = LFT_P(sqrt)(d * d + vw * vw);
    first = LFT_P(lt)(zero, d);
    a     = lft_sel(first, d + root, vw), b = lft_sel(first, vw, root - d);
    a     = lft_sel(LFT_P(lt)(root, lft_splat(LFT_P(negligible))), one, a); /* every axis in their plane is as good */
    scale = LFT_P(sqrt)(scale);
    LFT_P_UNROLL for (i = 0; i < 3; ++i) n[i] = scale * (a * v[i] + b * w[i]);
    scale = 1 / LFT_P(sqrt)(lft_sel(same, one, n[0] * n[0] + n[1] * n[1] + n[2] * n[2]));
    sign  = lft_sel(LFT_P(lt)(n[2], zero), -scale, scale); /* to the nearer end of the axis: the smaller rotation */
    c     = lft_sel(same, one, LFT_P(sqrt)(half * (1 + sign * n[2])));
    s_re  = lft_sel(same, zero, half * sign * n[0] / c), s_im = lft_sel(same, zero, half * sign * n[1] / c);
    LFT_P_UNROLL for (i = 0; i < 3; ++i) /* columns: p' = c p + s q, q' = c q - conj(s) p */
    {
        lft_v *const to[2] = {m, x};
        int          k;
        LFT_P_UNROLL for (k = 0; k < 2; ++k)
        {
            lft_v *at = to[k] + LFT_P_RE(i, p), *bt = to[k] + LFT_P_RE(i, q);
            const lft_v ar = at[0], ai = at[1], br = bt[0], bi = bt[1];
            at[0] = c * ar + s_re * br - s_im * bi, at[1] = c * ai + s_re * bi + s_im * br;
            bt[0] = c * br - s_re * ar - s_im * ai, bt[1] = c * bi - s_re * ai + s_im * ar;
        }
    }
    LFT_P_UNROLL for (i = 0; i < 3; ++i) /* rows: p' = c p + conj(s) q, q' = c q - s p */
    {
        lft_v      *at = m + LFT_P_RE(p, i), *bt = m + LFT_P_RE(q, i);
        const lft_v ar = at[0], ai = at[1], br = bt[0], bi = bt[1];
        at[0] = c * ar + s_re * br + s_im * bi, at[1] = c * ai + s_re * bi - s_im * br;
        bt[0] = c * br - s_re * ar + s_im * ai, bt[1] = c * bi - s_re * ai - s_im * ar;
    }
}

/* Jacobi's rotations, a fixed number: to rounding for every matrix, coinciding eigenvalues or not. */
LFT_P_STATIC void LFT_P(eigen)(const lft_u *u, lft_u *x, lft_v *phase)
{
    lft_u m = *u;
    int   i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) x->c[i] = lft_splat(i % 8 ? 0 : 1);
    for (i = 0; i < LFT_P_SWEEPS; ++i) {
        LFT_P(rotate)(m.c, x->c, 0, 1);
        LFT_P(rotate)(m.c, x->c, 0, 2);
        LFT_P(rotate)(m.c, x->c, 1, 2);
    }
    LFT_P_UNROLL for (i = 0; i < 3; ++i) phase[i] = LFT_P(atan2)(m.c[LFT_P_IM(i, i)], m.c[LFT_P_RE(i, i)]);
}

/* z = -i log u: the phases, of which the largest is taken back by 2 pi if their sum is 2 pi, the smallest forward if it is
 * -2 pi: then they add up to 0. */
LFT_P_STATIC void LFT_P(log_of)(lft_z *z, const lft_u *u)
{
    const lft_real turn = (lft_real)6.283185307179586;
    lft_v          phase[3], sum, most, least, h[9];
    lft_u          x;
    int            i, k;
    LFT_P(eigen)(u, &x, phase);
    sum   = phase[0] + phase[1] + phase[2];
    most  = lft_sel(LFT_P(lt)(phase[0], phase[1]), phase[1], phase[0]);
    most  = lft_sel(LFT_P(lt)(most, phase[2]), phase[2], most);
    least = lft_sel(LFT_P(lt)(phase[1], phase[0]), phase[1], phase[0]);
    least = lft_sel(LFT_P(lt)(phase[2], least), phase[2], least);
    {
        lft_m high = LFT_P(lt)(lft_splat((lft_real)3), sum), low = LFT_P(lt)(sum, lft_splat((lft_real)-3));
        for (i = 0; i < 3; ++i) { /* one of them, though two may be alike */
            const lft_m down = high & LFT_P(eq)(phase[i], most), up = low & LFT_P(eq)(phase[i], least);
            phase[i] = lft_sel(down, phase[i] - turn, lft_sel(up, phase[i] + turn, phase[i]));
            high &= ~down;
            low &= ~up;
        }
    }
    for (k = 0; k < 9; ++k) h[k] = lft_splat(0);
    for (k = 0; k < 3; ++k) { /* H = sum_k phase_k x_k x_k^+ */
        const lft_v *a = x.c + LFT_P_RE(0, k), *b = x.c + LFT_P_RE(1, k), *c = x.c + LFT_P_RE(2, k);
        h[0] += phase[k] * (a[0] * a[0] + a[1] * a[1]), h[1] += phase[k] * (b[0] * b[0] + b[1] * b[1]);
        h[2] += phase[k] * (c[0] * c[0] + c[1] * c[1]);
        h[3] += phase[k] * (a[0] * b[0] + a[1] * b[1]), h[4] += phase[k] * (a[1] * b[0] - a[0] * b[1]);
        h[5] += phase[k] * (a[0] * c[0] + a[1] * c[1]), h[6] += phase[k] * (a[1] * c[0] - a[0] * c[1]);
        h[7] += phase[k] * (b[0] * c[0] + b[1] * c[1]), h[8] += phase[k] * (b[1] * c[0] - b[0] * c[1]);
    }
    z->c[0] = 2 * h[3], z->c[1] = -2 * h[4], z->c[3] = 2 * h[5], z->c[4] = -2 * h[6], z->c[5] = 2 * h[7], z->c[6] = -2 * h[8];
    z->c[2] = h[0] - h[1], z->c[7] = LFT_P(sqrt3) * (lft_real)(1.0 / 3) * (h[0] + h[1] - 2 * h[2]);
}

/* ---- sums, and links in memory --------------------------------------------------------------------------------------- */

LFT_P_INLINE void LFT_P(sum_none)(lft_w *w)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) w->c[i] = lft_splat(0);
}

LFT_P_INLINE void LFT_P(sum_add)(lft_w *w, lft_real x, const lft_u *u)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) w->c[i] += x * u->c[i];
}

LFT_P_INLINE lft_v LFT_P(sum_trace)(const lft_u *u, const lft_w *w)
{
    lft_v sum = lft_splat(0);
    int   i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            sum += u->c[LFT_P_RE(i, j)] * w->c[LFT_P_RE(j, i)] - u->c[LFT_P_IM(i, j)] * w->c[LFT_P_IM(j, i)];
        }
    }
    return sum;
}

LFT_P_INLINE void LFT_P(sum_of)(const lft_v *link, lft_w *w) { LFT_P(get)(link, w); }
LFT_P_STATIC void LFT_P(sum_mul)(lft_w *c, const lft_w *a, int adjoint_a, const lft_w *b, int adjoint_b)
{
    if (adjoint_a && adjoint_b) LFT_P(multiply)(c->c, 1, a->c, 1, b->c, 1);
    else if (adjoint_a) LFT_P(multiply)(c->c, 1, a->c, 1, b->c, 0);
    else if (adjoint_b) LFT_P(multiply)(c->c, 1, a->c, 0, b->c, 1);
    else LFT_P(multiply)(c->c, 1, a->c, 0, b->c, 0);
}
LFT_P_INLINE void LFT_P(sum_scaled)(lft_w *w, lft_v x, const lft_w *a, int adjoint)
{
    int i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            const int at = adjoint ? LFT_P_RE(j, i) : LFT_P_RE(i, j);
            w->c[LFT_P_RE(i, j)] += x * a->c[at];
            w->c[LFT_P_IM(i, j)] += (adjoint ? -x : x) * a->c[at + 1];
        }
    }
}
LFT_P_INLINE void LFT_P(sum_times)(lft_w *w, lft_v re, lft_v im, const lft_w *a, int adjoint)
{
    const lft_v sign = adjoint ? -re : re, cross = adjoint ? -im : im;
    int         i, j;
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            const int at = adjoint ? LFT_P_RE(j, i) : LFT_P_RE(i, j);
            w->c[LFT_P_RE(i, j)] += re * a->c[at] - cross * a->c[at + 1];
            w->c[LFT_P_IM(i, j)] += sign * a->c[at + 1] + im * a->c[at];
        }
    }
}
LFT_P_INLINE void LFT_P(sum_traces)(const lft_w *w, lft_v *re, lft_v *im)
{
    *re = LFT_P(trace)(w, NULL);
    *im = LFT_P(trace_im)(w);
}
LFT_P_INLINE void LFT_P(sum_inner)(const lft_w *a, const lft_w *b, int adjoint, lft_v *re, lft_v *im)
{
    int i, j;
    *re = lft_splat(0);
    if (im) *im = lft_splat(0);
    LFT_P_UNROLL for (i = 0; i < 3; ++i)
    {
        LFT_P_UNROLL for (j = 0; j < 3; ++j)
        {
            const int   k = LFT_P_RE(i, j), at = adjoint ? k : LFT_P_RE(j, i);
            const lft_v bi = adjoint ? -b->c[at + 1] : b->c[at + 1];
            *re += a->c[k] * b->c[at] - a->c[k + 1] * bi;
            if (im) *im += a->c[k] * bi + a->c[k + 1] * b->c[at];
        }
    }
}
LFT_P_INLINE void LFT_P(sum_gradient)(const lft_w *w, lft_z *g) { (void)LFT_P(trace)(w, g); }
/* i H a with the hermitian H of z */
LFT_P_STATIC void LFT_P(sum_turned)(lft_w *w, const lft_z *z, const lft_w *a)
{
    lft_v h[9];
    lft_u m;
    int   i;
    LFT_P(hermitian)(z, h);
    LFT_P_UNROLL for (i = 0; i < 3; ++i) m.c[LFT_P_RE(i, i)] = lft_splat(0), m.c[LFT_P_IM(i, i)] = h[i];
    m.c[LFT_P_RE(0, 1)] = -h[4], m.c[LFT_P_IM(0, 1)] = h[3], m.c[LFT_P_RE(1, 0)] = h[4], m.c[LFT_P_IM(1, 0)] = h[3];
    m.c[LFT_P_RE(0, 2)] = -h[6], m.c[LFT_P_IM(0, 2)] = h[5], m.c[LFT_P_RE(2, 0)] = h[6], m.c[LFT_P_IM(2, 0)] = h[5];
    m.c[LFT_P_RE(1, 2)] = -h[8], m.c[LFT_P_IM(1, 2)] = h[7], m.c[LFT_P_RE(2, 1)] = h[8], m.c[LFT_P_IM(2, 1)] = h[7];
    LFT_P(product)(w->c, m.c, 0, a->c, 0);
}
/* [T^a, T^b] = -f^abc T^c */
LFT_P_STATIC void LFT_P(bracket)(lft_z *c, const lft_z *a_, const lft_z *b_)
{
    static const int      at[9][3] = {{0, 1, 2}, {0, 3, 6}, {1, 3, 5}, {1, 4, 6}, {2, 3, 4},
                                      {0, 4, 5}, {2, 5, 6}, {3, 4, 7}, {5, 6, 7}};
    static const lft_real f[9] = {1, (lft_real)0.5, (lft_real)0.5, (lft_real)0.5, (lft_real)0.5, (lft_real)-0.5, (lft_real)-0.5,
                                  (lft_real)0.8660254037844386, (lft_real)0.8660254037844386};
    const lft_v          *a = a_->c, *b = b_->c;
    lft_z                 r;
    int                   n;
    LFT_P_UNROLL for (n = 0; n < 8; ++n) r.c[n] = lft_splat(0);
    LFT_P_UNROLL for (n = 0; n < 9; ++n)
    {
        const int i = at[n][0], j = at[n][1], k = at[n][2];
        r.c[k] -= f[n] * (a[i] * b[j] - a[j] * b[i]);
        r.c[i] -= f[n] * (a[j] * b[k] - a[k] * b[j]);
        r.c[j] -= f[n] * (a[k] * b[i] - a[i] * b[k]);
    }
    *c = r;
}

LFT_P_STATIC void LFT_P(move)(lft_v *link, const lft_v *z_, lft_real h)
{
    lft_z z;
    lft_u u, e;
    int   i;
    LFT_P_UNROLL for (i = 0; i < 8; ++i) z.c[i] = h * z_[i];
    LFT_P(exp_of)(&e, &z);
    LFT_P(get)(link, &u);
    LFT_P(product)(link, e.c, 0, u.c, 0);
}

/* v / |v| of a row */
LFT_P_INLINE void LFT_P(row_unit)(lft_v *v)
{
    const lft_v x = 1 / LFT_P(sqrt)(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + v[3] * v[3] + v[4] * v[4] + v[5] * v[5]);
    int         i;
    LFT_P_UNROLL for (i = 0; i < 6; ++i) v[i] *= x;
}

/* Gram and Schmidt for two rows; the third is the conjugate of their cross product. */
LFT_P_STATIC void LFT_P(unit)(lft_v *link)
{
    lft_v *a = link, *b = link + 6, *c = link + 12, re = lft_splat(0), im = re;
    int    i;
    LFT_P(row_unit)(a);
    LFT_P_UNROLL for (i = 0; i < 6; i += 2)
    {
        re += a[i] * b[i] + a[i + 1] * b[i + 1];
        im += a[i] * b[i + 1] - a[i + 1] * b[i];
    }
    LFT_P_UNROLL for (i = 0; i < 6; i += 2)
    {
        b[i] -= re * a[i] - im * a[i + 1];
        b[i + 1] -= re * a[i + 1] + im * a[i];
    }
    LFT_P(row_unit)(b);
    LFT_P_UNROLL for (i = 0; i < 6; i += 2)
    {
        const int j = (i + 2) % 6, k = (i + 4) % 6;
        c[i]     = a[j] * b[k] - a[j + 1] * b[k + 1] - (a[k] * b[j] - a[k + 1] * b[j + 1]);
        c[i + 1] = a[k] * b[j + 1] + a[k + 1] * b[j] - (a[j] * b[k + 1] + a[j + 1] * b[k]);
    }
}

LFT_P_INLINE void LFT_P(one)(lft_v *link)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 18; ++i) link[i] = lft_splat(i % 8 ? 0 : 1);
}

/* Two random rows, made orthonormal. */
LFT_P_STATIC void LFT_P(haar)(lft_v *link, const lft_v *normal)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < 12; ++i) link[i] = normal[i];
    LFT_P(unit)(link);
}

LFT_P_STATIC void LFT_P(matrix_of)(const double *c, double *u) { lft_p_copy(u, c, 18 * sizeof *u); }
LFT_P_STATIC void LFT_P(numbers_of)(const double *u, double *c) { lft_p_copy(c, u, 18 * sizeof *c); }

#undef LFT_P_SWEEPS

/* Rows i and j of m times the quaternion a from the left: (a0 + i a3, a2 + i a1; -a2 + i a1, a0 - i a3). */
LFT_P_INLINE void LFT_P(turn_rows)(lft_v *m, int i, int j, const lft_v a[4])
{
    lft_v *p = m + LFT_P_RE(i, 0), *q = m + LFT_P_RE(j, 0);
    int    n;
    LFT_P_UNROLL for (n = 0; n < 6; n += 2)
    {
        const lft_v pr = p[n], pi = p[n + 1], qr = q[n], qi = q[n + 1];
        p[n]     = a[0] * pr - a[3] * pi + a[2] * qr - a[1] * qi;
        p[n + 1] = a[0] * pi + a[3] * pr + a[2] * qi + a[1] * qr;
        q[n]     = a[0] * qr + a[3] * qi - a[2] * pr - a[1] * pi;
        q[n + 1] = a[0] * qi - a[3] * qr - a[2] * pi + a[1] * pr;
    }
}

/* v with Re tr a m = 2 (a0 v0 - a v) + what does not depend on a, a quaternion in rows and columns i and j */
LFT_P_INLINE void LFT_P(subgroup)(const lft_v *m, int i, int j, lft_real half, lft_v v[4])
{
    v[0] = half * (m[LFT_P_RE(i, i)] + m[LFT_P_RE(j, j)]);
    v[1] = half * (m[LFT_P_IM(i, j)] + m[LFT_P_IM(j, i)]);
    v[2] = half * (m[LFT_P_RE(i, j)] - m[LFT_P_RE(j, i)]);
    v[3] = half * (m[LFT_P_IM(i, i)] - m[LFT_P_IM(j, j)]);
}

/* Cabibbo and Marinari (Phys. Lett. 119B (1982) 387): U becomes a U with a in one SU(2) after the other, m = U w follows. */
LFT_P_STATIC lft_m LFT_P(heat)(lft_v *link, const lft_w *w, lft_real k, lft_draw d, uint32_t place)
{
    static const int pair[3][2] = {{0, 1}, {0, 2}, {1, 2}};
    lft_m            bad        = LFT_P(int_splat)(0);
    lft_u            u, m;
    lft_v            v[4], x[4], a[4], alpha;
    int              n;
    LFT_P(get)(link, &u);
    LFT_P(product)(m.c, u.c, 0, w->c, 0);
    LFT_P_UNROLL for (n = 0; n < 3; ++n)
    {
        const int i = pair[n][0], j = pair[n][1];
        LFT_P(subgroup)(m.c, i, j, (lft_real)0.5 * k, v);
        alpha = 2 * LFT_P(direction)(v, v);
        bad |= LFT_P(quaternion)(d, 2 * (4 * place + (uint32_t)n), alpha, x);
        a[0] = x[0] * v[0] + x[1] * v[1] + x[2] * v[2] + x[3] * v[3]; /* x v^+ */
        a[1] = x[1] * v[0] - x[0] * v[1] + x[2] * v[3] - x[3] * v[2];
        a[2] = x[2] * v[0] - x[0] * v[2] + x[3] * v[1] - x[1] * v[3];
        a[3] = x[3] * v[0] - x[0] * v[3] + x[1] * v[2] - x[2] * v[1];
        LFT_P(turn_rows)(u.c, i, j, a);
        if (n < 2) LFT_P(turn_rows)(m.c, i, j, a);
    }
    LFT_P(put)(link, &u);
    return bad;
}

/* In each subgroup 1 becomes V^+ 1 V^+. */
LFT_P_STATIC void LFT_P(reflect)(lft_v *link, const lft_w *w)
{
    static const int pair[3][2] = {{0, 1}, {0, 2}, {1, 2}};
    lft_u            u, m;
    lft_v            v[4], a[4];
    int              n;
    LFT_P(get)(link, &u);
    LFT_P(product)(m.c, u.c, 0, w->c, 0);
    LFT_P_UNROLL for (n = 0; n < 3; ++n)
    {
        const int i = pair[n][0], j = pair[n][1];
        LFT_P(subgroup)(m.c, i, j, (lft_real)0.5, v);
        (void)LFT_P(direction)(v, v);
        a[0] = 2 * v[0] * v[0] - 1;
        a[1] = -2 * v[0] * v[1], a[2] = -2 * v[0] * v[2], a[3] = -2 * v[0] * v[3];
        LFT_P(turn_rows)(u.c, i, j, a);
        if (n < 2) LFT_P(turn_rows)(m.c, i, j, a);
    }
    LFT_P(put)(link, &u);
}

#endif

/* ---- 40_lattice.h, code ------------------------------------------------------------------------------------------ */

LFT_API int LFT_(lanes)(void)
{
    return LFT_P_LANES;
}

LFT_API lft_status LFT_P_SIGNED(lattice_init)(LFT_(lattice) *lattice, const int *extent, lft_error *error)
{
    const int most = 1 << 24;
    int       mu, volume = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (extent[mu] < 1) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "lattice", "extent", "an integer >= 1", extent[mu]);
        }
        if (extent[mu] > most / volume) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "lattice", "volume", "at most 2^24 sites",
                                  (double)volume * extent[mu]);
        }
        volume *= extent[mu];
        lattice->extent[mu] = extent[mu];
    }
    lattice->volume = volume;
    return LFT_OK;
}

/* Length of a row, the run of sites along the last axis. */
LFT_P_INLINE int LFT_P(row_length)(const LFT_(lattice) *lattice)
{
    return lattice->extent[LFT_DIM - 1];
}

/* First sites of the rows above and below a row along each axis but the last. O(LFT_DIM), once per row. */
static inline void LFT_P(neighbour_rows)(const LFT_(lattice) *lattice, int row, int *up, int *down)
{
    int stride = LFT_P(row_length)(lattice), rest = row, mu;
    int site   = row * stride;
    for (mu = LFT_DIM - 2; mu >= 0; --mu) {
        int extent = lattice->extent[mu], x = rest % extent;
        up[mu]     = site + (x + 1 < extent ? stride : stride * (1 - extent));
        down[mu]   = site - (x > 0 ? stride : stride * (1 - extent));
        rest /= extent;
        stride *= extent;
    }
    (void)rest;
}

/* A site and its coordinates; one step along the axes. */
typedef struct LFT_P(place) {
    int site, x[LFT_DIM];
} LFT_P(place);

/* Distance in sites of neighbours along each axis. */
LFT_P_INLINE void LFT_P(strides)(const LFT_(lattice) *lattice, int *stride)
{
    int mu, n = 1;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        stride[mu] = n;
        n *= lattice->extent[mu];
    }
}

LFT_P_INLINE void LFT_P(up)(const LFT_(lattice) *lattice, const int *stride, LFT_P(place) *p, int mu)
{
    if (++p->x[mu] < lattice->extent[mu]) p->site += stride[mu];
    else {
        p->x[mu] = 0;
        p->site -= stride[mu] * (lattice->extent[mu] - 1);
    }
}

LFT_P_INLINE void LFT_P(down)(const LFT_(lattice) *lattice, const int *stride, LFT_P(place) *p, int mu)
{
    if (--p->x[mu] >= 0) p->site -= stride[mu];
    else {
        p->x[mu] = lattice->extent[mu] - 1;
        p->site += stride[mu] * (lattice->extent[mu] - 1);
    }
}

/* The next site in the order of memory; after the last one the first again. */
LFT_P_INLINE void LFT_P(next_place)(const LFT_(lattice) *lattice, LFT_P(place) *p)
{
    int mu;
    ++p->site;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        if (++p->x[mu] < lattice->extent[mu]) return;
        p->x[mu] = 0;
    }
    p->site = 0;
}

LFT_P_INLINE LFT_P(place) LFT_P(first_place)(void)
{
    LFT_P(place) p;
    int          mu;
    p.site = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) p.x[mu] = 0;
    return p;
}

static inline int LFT_P(same_lattice)(const LFT_(lattice) *a, const LFT_(lattice) *b)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (a->extent[mu] != b->extent[mu]) return 0;
    }
    return 1;
}

/* ---- 41_field.h, code -------------------------------------------------------------------------------------------- */

/* of one configuration of each lane */
LFT_P_INLINE size_t LFT_P(group_reals)(const LFT_(batch) *batch)
{
    return (size_t)batch->lattice.volume * (size_t)batch->reals * LFT_P_LANES;
}

LFT_P_INLINE lft_real *LFT_P(group)(const LFT_(batch) *batch, int group)
{
    return batch->data + LFT_P(group_reals)(batch) * (size_t)group;
}

/* Vectors of one group: of its configurations, and of an algebra element for each link (derivatives, scores, momenta). */
LFT_P_INLINE size_t LFT_P(field_vectors)(const LFT_(lattice) *lattice)
{
    return (size_t)lattice->volume * LFT_P_SITE;
}

LFT_P_INLINE size_t LFT_P(force_vectors)(const LFT_(lattice) *lattice)
{
    return (size_t)lattice->volume * LFT_P_FORCES;
}

/* Vectors of scratch. */
LFT_P_STATIC lft_v *LFT_P(vectors)(lft_arena *arena, size_t n)
{
    return (lft_v *)lft_arena_take(arena, n, sizeof(lft_v));
}

/* n normal numbers for each configuration of one group: lane l gets those of sample d.sample + l. work: n doubles. */
LFT_P_STATIC void LFT_P(group_normals)(lft_draw d, int n, lft_v *to_, double *work)
{
    lft_real *to = (lft_real *)to_;
    int       l, x;
    for (l = 0; l < LFT_P_LANES; ++l, ++d.sample) {
        lft_normals(d, work, n);
        for (x = 0; x < n; ++x) to[x * LFT_P_LANES + l] = (lft_real)work[x];
    }
}

/* n links with the invariant measure (numbers: N(0, 1)) for one group. Those of link i have the draw number d.draw + i. */
LFT_P_STATIC void LFT_P(haar_of)(lft_draw d, int n, lft_v *to)
{
    lft_v  normal[LFT_P_HAAR];
    double work[LFT_P_HAAR];
    int    i;
    for (i = 0; i < n; ++i, ++d.draw, to += LFT_P_LINK) {
        LFT_P(group_normals)(d, LFT_P_HAAR, normal, work);
        LFT_P(haar)(to, normal);
    }
}

/* All links of one group. */
LFT_P_STATIC void LFT_P(group_haar)(lft_draw d, const LFT_(lattice) *lattice, lft_v *to)
{
    LFT_P(haar_of)(d, lattice->volume * LFT_P_LINKS, to);
}

LFT_P_STATIC lft_status LFT_P(batch_layout)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, int reals,
                                            lft_arena *arena, lft_error *error)
{
    if (n < 1) return lft_p_fail_got(error, LFT_ERR_ARG, "batch", "n", "at least 1", n);
    batch->lattice = *lattice;
    batch->n       = n;
    batch->lanes   = LFT_P_LANES;
    batch->groups  = n / LFT_P_LANES + (n % LFT_P_LANES != 0);
    batch->reals   = reals;
    batch->data    = (lft_real *)lft_arena_alloc(arena, LFT_P(group_reals)(batch) * (size_t)batch->groups, sizeof(lft_real));
    return lft_arena_check(arena, error, "batch");
}

LFT_API lft_status LFT_(batch_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                    lft_error *error)
{
    lft_status status = LFT_P(batch_layout)(batch, lattice, n, LFT_P_SITE, arena, error);
    size_t     i, links = (size_t)lattice->volume * LFT_P_LINKS;
    lft_v     *link;
    if (status || lft_arena_measuring(arena)) return status;
    link = LFT_P(view)(batch->data);
    for (i = 0; i < links * (size_t)batch->groups; ++i) LFT_P(one)(link + i * LFT_P_LINK);
    return LFT_OK;
}

LFT_API lft_status LFT_(momenta_init)(LFT_(batch) *batch, const LFT_(lattice) *lattice, int n, lft_arena *arena,
                                      lft_error *error)
{
    return LFT_P(batch_layout)(batch, lattice, n, LFT_P_FORCES, arena, error);
}

/* Chains start from the configurations of a batch, which has to be of their shape. */
LFT_P_STATIC lft_status LFT_P(batch_start)(LFT_(batch) *chains, const LFT_(batch) *from, const char *where, lft_error *error)
{
    if (!LFT_P(same_lattice)(&from->lattice, &chains->lattice)) {
        return lft_p_fail(error, LFT_ERR_MISMATCH, where, "the batch has other extents than the chains");
    }
    if (from->n != chains->n) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "configurations to start from", "one per chain", from->n);
    }
    lft_p_copy(chains->data, from->data, LFT_P(group_reals)(from) * (size_t)from->groups * sizeof(lft_real));
    return LFT_OK;
}

LFT_API size_t LFT_(batch_bytes)(const LFT_(lattice) *lattice, int n)
{
    lft_arena    arena = lft_arena_measure();
    LFT_(batch)  batch;
    return LFT_(batch_init)(&batch, lattice, n, &arena, NULL) == LFT_OK ? arena.need : 0;
}

LFT_API void LFT_(batch_get)(const LFT_(batch) *batch, int i, lft_real *phi)
{
    const lft_real *from = LFT_P(group)(batch, i / LFT_P_LANES) + i % LFT_P_LANES;
    const int       n = batch->lattice.volume * batch->reals;
    int             x;
    for (x = 0; x < n; ++x) phi[x] = from[(size_t)x * LFT_P_LANES];
}

LFT_API void LFT_(batch_set)(LFT_(batch) *batch, int i, const lft_real *phi)
{
    lft_real *to = LFT_P(group)(batch, i / LFT_P_LANES) + i % LFT_P_LANES;
    int       x;
    for (x = 0; x < batch->lattice.volume * batch->reals; ++x) to[(size_t)x * LFT_P_LANES] = phi[x];
}

#if LFT_GROUP != LFT_SCALAR

/* ---- 42_gauge.h, code -------------------------------------------------------------------------------------------- */

#define LFT_P_WAY 3 /* links from a corner of a rectangle to the opposite one */

typedef struct LFT_P(walk) {
    const LFT_(lattice) *lattice;
    int                  stride[LFT_DIM];
} LFT_P(walk);

LFT_P_INLINE LFT_P(walk) LFT_P(walk_of)(const LFT_(lattice) *lattice)
{
    LFT_P(walk) w;
    w.lattice = lattice;
    LFT_P(strides)(lattice, w.stride);
    return w;
}

/* From p a steps along mu, then b along nu: the numbers of the a + b links. */
LFT_P_INLINE void LFT_P(way)(const LFT_P(walk) *w, LFT_P(place) p, int mu, int a, int nu, int b, int *link)
{
    int i;
    LFT_P_UNROLL for (i = 0; i < a + b; ++i)
    {
        const int axis = i < a ? mu : nu;
        link[i] = p.site * LFT_DIM + axis;
        if (i + 1 < a + b) LFT_P(up)(w->lattice, w->stride, &p, axis);
    }
}

LFT_P_INLINE const lft_u *LFT_P(link)(const lft_v *links, int i)
{
    return (const lft_u *)(links + i * LFT_P_LINK);
}

/* u = the product of n links, 2 or 3 */
LFT_P_INLINE void LFT_P(path)(const lft_v *links, const int *link, int n, lft_u *u)
{
    lft_u two;
    LFT_P(mul)(n > 2 ? &two : u, LFT_P(link)(links, link[0]), LFT_P(link)(links, link[1]));
    if (n > 2) LFT_P(mul)(u, &two, LFT_P(link)(links, link[2]));
}

/* Adds sign z, carried along the path, to the forces on its links. */
LFT_P_INLINE void LFT_P(push)(const lft_v *links, const int *link, int n, lft_z z, lft_real sign, lft_v *force)
{
    int i, k;
    LFT_P_UNROLL for (i = 0; i < n; ++i)
    {
        lft_v *to = force + link[i] * LFT_P_ALGEBRA;
        LFT_P_UNROLL for (k = 0; k < LFT_P_ALGEBRA; ++k) to[k] += sign * z.c[k];
        if (i + 1 == n) break;
        LFT_P(carry)(LFT_P(link)(links, link[i]), &z);
    }
}

/* Re tr of the a x b rectangle with a corner at p, a and b constant after inlining, a + b <= LFT_P_WAY; where force is not
 * NULL, x times its gradient by every link is added there. The loop U is the way by mu and nu, and back the way by nu and mu. Seen
 * from p its gradient g is that of the first link; that of a later link on the way there is g carried along the way, that of
 * a link on the way back minus g carried along it. Every occurrence of a link counts, so that extents of 1 are right too. */
LFT_P_INLINE lft_v LFT_P(rectangle)(const LFT_P(walk) *w, const lft_v *links, LFT_P(place) p, int mu, int a, int nu, int b,
                                    lft_real x, lft_v *force)
{
    int   there[LFT_P_WAY], back[LFT_P_WAY];
    lft_u u, v, loop;
    lft_z g;
    lft_v trace;
    LFT_P(way)(w, p, mu, a, nu, b, there);
    LFT_P(way)(w, p, nu, b, mu, a, back);
    LFT_P(path)(links, there, a + b, &u);
    LFT_P(path)(links, back, a + b, &v);
    LFT_P(mul_adj)(&loop, &u, &v);
    trace = LFT_P(trace)(&loop, force ? &g : NULL);
    if (force) {
        LFT_P(push)(links, there, a + b, g, x, force);
        LFT_P(push)(links, back, a + b, g, -x, force);
    }
    return trace;
}

/* w = the sum of the staples of link mu at p: Re tr (U w) is the sum of Re tr over the plaquettes through the link. */
LFT_P_STATIC void LFT_P(staples)(const LFT_P(walk) *walk, const lft_v *links, LFT_P(place) p, int mu, lft_w *w)
{
    LFT_P(place) q = p, r;
    lft_u        two, three;
    int          nu;
    LFT_P(up)(walk->lattice, walk->stride, &q, mu);
    LFT_P(sum_none)(w);
    for (nu = 0; nu < LFT_DIM; ++nu) {
        int along, across, end;
        if (nu == mu) continue;
        r = p; /* U_nu(x + mu) U_mu(x + nu)^+ U_nu(x)^+ */
        LFT_P(up)(walk->lattice, walk->stride, &r, nu);
        LFT_P(mul_adj)(&two, LFT_P(link)(links, q.site * LFT_DIM + nu), LFT_P(link)(links, r.site * LFT_DIM + mu));
        LFT_P(mul_adj)(&three, &two, LFT_P(link)(links, p.site * LFT_DIM + nu));
        LFT_P(sum_add)(w, 1, &three);
        r = p; /* U_nu(x + mu - nu)^+ U_mu(x - nu)^+ U_nu(x - nu) */
        LFT_P(down)(walk->lattice, walk->stride, &r, nu);
        along = r.site * LFT_DIM + mu, across = r.site * LFT_DIM + nu;
        LFT_P(up)(walk->lattice, walk->stride, &r, mu);
        end = r.site * LFT_DIM + nu;
        LFT_P(mul)(&two, LFT_P(link)(links, along), LFT_P(link)(links, end));
        LFT_P(adj_mul)(&three, &two, LFT_P(link)(links, across));
        LFT_P(sum_add)(w, 1, &three);
    }
}

/* ---- gauge transformations ------------------------------------------------------------------------------------------- */

LFT_API size_t LFT_(gauge_transform_bytes)(const LFT_(lattice) *lattice)
{
    lft_arena measure = lft_arena_measure();
    (void)LFT_P(vectors)(&measure, (size_t)lattice->volume * LFT_P_LINK);
    return measure.need;
}

LFT_P_STATIC void LFT_P(transform_group)(const LFT_P(walk) *walk, const lft_v *g, lft_v *links)
{
    LFT_P(place) p = LFT_P(first_place)(), q;
    lft_u        u;
    int          x, mu;
    for (x = 0; x < walk->lattice->volume; ++x, LFT_P(next_place)(walk->lattice, &p)) {
        for (mu = 0; mu < LFT_DIM; ++mu, links += LFT_P_LINK) {
            q = p;
            LFT_P(up)(walk->lattice, walk->stride, &q, mu);
            LFT_P(mul)(&u, LFT_P(link)(g, x), LFT_P(link)(links, 0));
            LFT_P(mul_adj)((lft_u *)links, &u, LFT_P(link)(g, q.site));
            LFT_P(unit)(links);
        }
    }
}

LFT_API lft_status LFT_(gauge_transform)(LFT_(batch) *x, lft_draw draw, lft_arena scratch, lft_error *error)
{
    const LFT_P(walk) walk   = LFT_P(walk_of)(&x->lattice);
    lft_v            *g      = LFT_P(vectors)(&scratch, (size_t)x->lattice.volume * LFT_P_LINK);
    const lft_status  status = lft_arena_check(&scratch, error, "gauge_transform");
    int               group;
    for (group = 0; group < x->groups && !status; ++group, draw.sample += LFT_P_LANES) {
        LFT_P(haar_of)(draw, x->lattice.volume, g);
        LFT_P(transform_group)(&walk, g, LFT_P(view)(LFT_P(group)(x, group)));
    }
    return status;
}

/* ---- 43_field_strength.h, code ----------------------------------------------------------------------------------- */
/* 43_field_strength.h: the field strength of a gauge field, its energy and its topological charge, by clover leaves.
 * Offers (private): LFT_P_PLANES, LFT_P(field_strength)(), LFT_P(field_energy)(), LFT_P(field_charge)(). */

#define LFT_P_PLANES (LFT_DIM * (LFT_DIM - 1) / 2) /* mu < nu: 01, 02, 03, 12, 13, 23 */

/* F += z */
LFT_P_INLINE void LFT_P(leaf_add)(lft_v *F, const lft_z *z)
{
    int k;
    LFT_P_UNROLL for (k = 0; k < LFT_P_ALGEBRA; ++k) F[k] += z->c[k];
}

/* The plaquette with its lowest corner at p, as a leaf of the clovers at all of its corners: from the next corner it is
 * U_mu^+ P U_mu. Three products and three carries make four leaves, and repeated links count as often as they occur. */
LFT_P_INLINE void LFT_P(leaves)(const LFT_P(walk) *w, const lft_v *links, LFT_P(place) p, int mu, int nu, lft_v *F)
{
    const size_t site = (size_t)(LFT_P_PLANES * LFT_P_ALGEBRA);
    LFT_P(place) q = p, r, s = p;
    const lft_u *a, *b, *c, *d;
    lft_u        u, v, loop;
    lft_z        z, far;
    LFT_P(up)(w->lattice, w->stride, &q, mu);
    LFT_P(up)(w->lattice, w->stride, &s, nu);
    r = q;
    LFT_P(up)(w->lattice, w->stride, &r, nu);
    a = LFT_P(link)(links, p.site * LFT_DIM + mu), b = LFT_P(link)(links, q.site * LFT_DIM + nu);
    c = LFT_P(link)(links, s.site * LFT_DIM + mu), d = LFT_P(link)(links, p.site * LFT_DIM + nu);
    LFT_P(mul)(&u, a, b);
    LFT_P(mul)(&v, d, c);
    LFT_P(mul_adj)(&loop, &u, &v);
    (void)LFT_P(trace)(&loop, &z);
    LFT_P(leaf_add)(F + site * (size_t)p.site, &z);
    far = z;
    LFT_P(carry)(d, &far);
    LFT_P(leaf_add)(F + site * (size_t)s.site, &far);
    LFT_P(carry)(a, &z);
    LFT_P(leaf_add)(F + site * (size_t)q.site, &z);
    LFT_P(carry)(b, &z);
    LFT_P(leaf_add)(F + site * (size_t)r.site, &z);
}

/* F[site][plane][a] = sum of d^a Re tr over the four leaves. With C the sum of the leaves themselves, the field strength is
 * G_mu,nu = [C - C^+] / 8 without its trace = G^a T^a, G^a = -(LFT_P_METRIC / 4) F^a. */
LFT_P_STATIC void LFT_P(field_strength)(const LFT_P(walk) *walk, const lft_v *links, lft_v *F)
{
    LFT_P(place) p = LFT_P(first_place)();
    int          x, mu, nu;
    LFT_P(set_zero)(F, walk->lattice->volume * LFT_P_PLANES * LFT_P_ALGEBRA);
    for (x = 0; x < walk->lattice->volume; ++x, LFT_P(next_place)(walk->lattice, &p)) {
        lft_v *plane = F;
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu, plane += LFT_P_ALGEBRA) {
                LFT_P(leaves)(walk, links, p, mu, nu, plane);
            }
        }
    }
}

/* E[lane] = (1/V) sum_x G^a_mu,nu G^a_mu,nu / 4, summed over mu, nu and a */
LFT_P_STATIC void LFT_P(field_energy)(const LFT_(lattice) *lattice, const lft_v *F, double *E)
{
    const int    site  = LFT_P_PLANES * LFT_P_ALGEBRA;
    const double scale = LFT_P_METRIC * LFT_P_METRIC / (32.0 * lattice->volume);
    int          x, k, l;
    for (l = 0; l < LFT_P_LANES; ++l) E[l] = 0;
    for (x = 0; x < lattice->volume; ++x, F += site) {
        lft_v sum = lft_splat(0);
        for (k = 0; k < site; ++k) sum += F[k] * F[k];
        LFT_P(add_wide)(E, sum);
    }
    for (l = 0; l < LFT_P_LANES; ++l) E[l] *= scale;
}

/* Q[lane] = -(1 / 32 pi^2) sum_x eps_mnrs tr G_mn G_rs = (1 / 4 pi^2 METRIC) sum_x (G_01 G_23 - G_02 G_13 + G_03 G_12), in
 * four dimensions. */
LFT_P_STATIC void LFT_P(field_charge)(const LFT_(lattice) *lattice, const lft_v *F, double *Q)
{
    const double scale = LFT_P_METRIC / (64 * 9.86960440108935861883);
    int          x, k, l;
    for (l = 0; l < LFT_P_LANES; ++l) Q[l] = 0;
    for (x = 0; x < lattice->volume; ++x, F += LFT_P_PLANES * LFT_P_ALGEBRA) {
        lft_v sum = lft_splat(0);
        for (k = 0; k < LFT_P_ALGEBRA; ++k) {
            const lft_v *f = F + k;
            sum += f[0] * f[5 * LFT_P_ALGEBRA] - f[LFT_P_ALGEBRA] * f[4 * LFT_P_ALGEBRA] +
                   f[2 * LFT_P_ALGEBRA] * f[3 * LFT_P_ALGEBRA];
        }
        LFT_P(add_wide)(Q, sum);
    }
    for (l = 0; l < LFT_P_LANES; ++l) Q[l] *= scale;
}

/* ---- 44_wilson_flow.h, code -------------------------------------------------------------------------------------- */

/* Z = b Z + x times the gradient of the sum of Re tr P over all plaquettes */
LFT_P_STATIC void LFT_P(flow_force)(const LFT_P(walk) *walk, const lft_v *links, lft_real b, lft_real x, lft_v *Z)
{
    const int    n = walk->lattice->volume * LFT_P_FORCES;
    LFT_P(place) p = LFT_P(first_place)();
    int          i, mu, nu;
    for (i = 0; i < n; ++i) Z[i] *= b;
    for (i = 0; i < walk->lattice->volume; ++i, LFT_P(next_place)(walk->lattice, &p)) {
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu) (void)LFT_P(rectangle)(walk, links, p, mu, 1, nu, 1, x, Z);
        }
    }
}

/* One step of one group. With Y the exponent of a stage that of the next is
 *   Z0 / 4,   8/9 Z1 - 17/9 Y,   3/4 Z2 - Y
 * so that one set of algebra elements, scratch, holds all of it. */
LFT_P_STATIC void LFT_P(flow_step)(const LFT_P(walk) *walk, lft_v *links, double step, lft_v *Y)
{
    static const double a[3] = {1.0 / 4, 8.0 / 9, 3.0 / 4}, b[3] = {0, -17.0 / 9, -1};
    const int           n = walk->lattice->volume * LFT_DIM;
    int                 stage, i;
    LFT_P(set_zero)(Y, walk->lattice->volume * LFT_P_FORCES);
    for (stage = 0; stage < 3; ++stage) {
        LFT_P(flow_force)(walk, links, (lft_real)b[stage], (lft_real)(LFT_P_METRIC * step * a[stage]), Y);
        for (i = 0; i < n; ++i) LFT_P(move)(links + i * LFT_P_LINK, Y + i * LFT_P_ALGEBRA, 1);
    }
    for (i = 0; i < n; ++i) LFT_P(unit)(links + i * LFT_P_LINK);
}

LFT_API size_t LFT_(wilson_flow_bytes)(const LFT_(lattice) *lattice)
{
    lft_arena measure = lft_arena_measure();
    (void)LFT_P(vectors)(&measure, (size_t)lattice->volume * LFT_P_FORCES);
    return measure.need;
}

LFT_API lft_status LFT_(wilson_flow)(LFT_(batch) *x, double step, int steps, lft_arena scratch, lft_error *error)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(&x->lattice);
    lft_v            *Y    = LFT_P(vectors)(&scratch, (size_t)x->lattice.volume * LFT_P_FORCES);
    lft_status        status;
    int               group, i;
    if (!lft_finite(step)) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson_flow", "step", "a finite number", step);
    if (steps < 0) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson_flow", "steps", "an integer >= 0", steps);
    status = lft_arena_check(&scratch, error, "wilson_flow");
    if (status) return status;
    for (group = 0; group < x->groups; ++group) {
        lft_v *links = LFT_P(view)(LFT_P(group)(x, group));
        for (i = 0; i < steps; ++i) LFT_P(flow_step)(&walk, links, step, Y);
        if (!status && LFT_P(any_nonfinite)(links, x->lattice.volume * LFT_P_SITE)) {
            status = lft_p_fail_got(error, LFT_ERR_NONFINITE, "wilson_flow", "links of the group of configuration",
                                    "finite numbers", group * LFT_P_LANES);
        }
    }
    return status;
}

/* ---- 45_loops.h, code -------------------------------------------------------------------------------------------- */
/* 45_loops.h: traces of long loops of a gauge field: Polyakov and Wilson loops, each line of links multiplied once.
 * Offers (private): LFT_P(polyakov)(); LFT_P(loops), LFT_P(loops_count)(), LFT_P(loop_column)(), LFT_P(loop_fits)(),
 *                   LFT_P(loops_work)(), LFT_P(wilson_loops)(). */

/* re[lane] + i im[lane] = the mean of tr / N of the closed lines along axis 0. */
LFT_P_STATIC void LFT_P(polyakov)(const LFT_(lattice) *lattice, const lft_v *links, double *re, double *im)
{
    const int    lines = lattice->volume / lattice->extent[0], step = lines * LFT_DIM * LFT_P_LINK;
    const double scale = 1.0 / ((double)lines * LFT_P_COLOURS);
    lft_u        line[2]; /* in turns */
    int          x, t, l;
    for (l = 0; l < LFT_P_LANES; ++l) re[l] = im[l] = 0;
    for (x = 0; x < lines; ++x) {
        const lft_v *link = links + x * LFT_DIM * LFT_P_LINK;
        LFT_P(get)(link, line);
        for (t = 1; t < lattice->extent[0]; ++t) {
            LFT_P(mul)(line + t % 2, line + (t + 1) % 2, (const lft_u *)(link + t * step));
        }
        LFT_P(add_wide)(re, LFT_P(trace)(line + (t + 1) % 2, NULL));
        LFT_P(add_wide)(im, LFT_P(trace_im)(line + (t + 1) % 2));
    }
    for (l = 0; l < LFT_P_LANES; ++l) re[l] *= scale, im[l] *= scale;
}

/* ---- Wilson loops ----------------------------------------------------------------------------------------------------- */

/* Loops of R x T links, R <= max_R, T <= max_T. static_only: T along axis 0, R along another one. Else the two sides are alike,
 * only R <= T is listed, and both orientations of every plane count. An axis must be longer than the side along it. */
typedef struct LFT_P(loops) {
    int max_R, max_T, static_only;
} LFT_P(loops);

/* Their place in the order R = 1: T = ..., R = 2: T = ...; -1 for those that are not listed. */
LFT_P_STATIC int LFT_P(loop_column)(const LFT_P(loops) *loops, int R, int T)
{
    if (loops->static_only) return (R - 1) * loops->max_T + T - 1;
    return R > T ? -1 : (R - 1) * loops->max_T - (R - 1) * (R - 2) / 2 + T - R;
}

LFT_P_STATIC int LFT_P(loops_count)(const LFT_P(loops) *loops)
{
    return loops->max_R > 0 ? LFT_P(loop_column)(loops, loops->max_R, loops->max_T) + 1 : 0;
}

/* Does the loop with R links along mu and T along nu count? A square one is the same with mu and nu exchanged. */
LFT_P_STATIC int LFT_P(loop_fits)(const LFT_(lattice) *lattice, const LFT_P(loops) *loops, int mu, int R, int nu, int T)
{
    if (mu == nu || R >= lattice->extent[mu] || T >= lattice->extent[nu]) return 0;
    return loops->static_only ? nu == 0 : R < T || (R == T && mu < nu);
}

/* Lines within one plane, a along mu and b along nu. */
typedef struct LFT_P(plane) {
    const LFT_(lattice) *lattice;
    int                  mu, nu, a, b; /* axes and their extents */
    int                  step[2];      /* in vectors of the links */
    lft_v               *across;       /* [a][b] R links along mu */
    lft_v               *along;        /* [T - 1][a][b] T links along nu */
} LFT_P(plane);

/* For the largest plane: across, and along behind it. */
LFT_P_STATIC lft_v *LFT_P(loops_work)(const LFT_(lattice) *lattice, const LFT_P(loops) *loops, lft_arena *arena)
{
    size_t most = 0;
    int    mu, nu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < mu; ++nu) {
            const size_t sites = (size_t)lattice->extent[mu] * (size_t)lattice->extent[nu];
            if (sites > most) most = sites;
        }
    }
    return loops->max_R > 0 ? LFT_P(vectors)(arena, most * (size_t)(loops->max_T + 1) * LFT_P_LINK) : NULL;
}

/* line(a, b) = before(a, b) times the link `from` steps further along the axis; the link itself for from = 0 */
LFT_P_STATIC void LFT_P(lengthen)(const LFT_P(plane) *p, const lft_v *links, int axis, int from, const lft_v *before,
                                  lft_v *line)
{
    lft_u u;
    int   a, b;
    for (a = 0; a < p->a; ++a) {
        for (b = 0; b < p->b; ++b, before += LFT_P_LINK, line += LFT_P_LINK) {
            const int i = axis == p->mu ? (a + from) % p->a : a, j = axis == p->nu ? (b + from) % p->b : b;
            const lft_v *next = links + i * p->step[0] + j * p->step[1] + axis * LFT_P_LINK;
            if (from) LFT_P(mul)(&u, (const lft_u *)before, (const lft_u *)next); /* before may be the line */
            else LFT_P(get)(next, &u);
            LFT_P(put)(line, &u);
        }
    }
}

/* sum[lane] += Re tr of the loops R x T with a corner at each site of the plane */
LFT_P_STATIC void LFT_P(plane_loops)(const LFT_P(plane) *p, int R, int T, double *sum)
{
    const lft_v *along = p->along + (T - 1) * p->a * p->b * LFT_P_LINK;
    lft_u        u, v, loop;
    int          a, b;
    for (a = 0; a < p->a; ++a) {
        lft_v row = lft_splat(0);
        for (b = 0; b < p->b; ++b) {
            LFT_P(mul)(&u, LFT_P(link)(p->across, a * p->b + b), LFT_P(link)(along, (a + R) % p->a * p->b + b));
            LFT_P(mul)(&v, LFT_P(link)(along, a * p->b + b), LFT_P(link)(p->across, a * p->b + (b + T) % p->b));
            LFT_P(mul_adj)(&loop, &u, &v);
            row += LFT_P(trace)(&loop, NULL);
        }
        LFT_P(add_wide)(sum, row);
    }
}

/* All loops of one plane; links: those of its first site. */
LFT_P_STATIC void LFT_P(one_plane)(const LFT_P(plane) *p, const lft_v *links, const LFT_P(loops) *loops, double *sum)
{
    const int size = p->a * p->b * LFT_P_LINK;
    int       R, T;
    for (T = 1; T <= loops->max_T && T < p->b; ++T) {
        LFT_P(lengthen)(p, links, p->nu, T - 1, p->along + (T > 1 ? T - 2 : 0) * size, p->along + (T - 1) * size);
    }
    for (R = 1; R <= loops->max_R && R < p->a; ++R) {
        LFT_P(lengthen)(p, links, p->mu, R - 1, p->across, p->across);
        for (T = 1; T <= loops->max_T; ++T) {
            if (!LFT_P(loop_fits)(p->lattice, loops, p->mu, R, p->nu, T)) continue;
            LFT_P(plane_loops)(p, R, T, sum + LFT_P(loop_column)(loops, R, T) * LFT_P_LANES);
        }
    }
}

/* Planes that count in the mean of a loop. */
LFT_P_STATIC int LFT_P(loop_planes)(const LFT_(lattice) *lattice, const LFT_P(loops) *loops, int R, int T)
{
    int mu, nu, n = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) n += LFT_P(loop_fits)(lattice, loops, mu, R, nu, T);
    }
    return n;
}

/* W[loop][lane] = the means of Re tr / N. In a plane lines grow by one link at a time, so that a loop costs three products at a
 * site, whatever its size. work: loops_work(). O(V dim^2 (max_R max_T)). */
LFT_P_STATIC void LFT_P(wilson_loops)(const LFT_(lattice) *lattice, const lft_v *links, const LFT_P(loops) *loops,
                                      lft_v *work, double *W)
{
    int stride[LFT_DIM], mu, nu, x, R, T, l;
    for (l = 0; l < LFT_P(loops_count)(loops) * LFT_P_LANES; ++l) W[l] = 0;
    LFT_P(strides)(lattice, stride);
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) {
            LFT_P(plane) p;
            if (mu == nu || (loops->static_only && nu > 0)) continue;
            p.lattice = lattice;
            p.mu = mu, p.nu = nu, p.a = lattice->extent[mu], p.b = lattice->extent[nu];
            p.step[0] = stride[mu] * LFT_DIM * LFT_P_LINK, p.step[1] = stride[nu] * LFT_DIM * LFT_P_LINK;
            p.across = work;
            p.along  = work + p.a * p.b * LFT_P_LINK;
            for (x = 0; x < lattice->volume; ++x) {
                if (x / stride[mu] % p.a || x / stride[nu] % p.b) continue;
                LFT_P(one_plane)(&p, links + x * LFT_DIM * LFT_P_LINK, loops, W);
            }
        }
    }
    for (R = 1; R <= loops->max_R; ++R) {
        for (T = loops->static_only ? 1 : R; T <= loops->max_T; ++T) {
            double      *w     = W + LFT_P(loop_column)(loops, R, T) * LFT_P_LANES;
            const double terms = (double)LFT_P(loop_planes)(lattice, loops, R, T) * lattice->volume;
            for (l = 0; l < LFT_P_LANES; ++l) w[l] /= terms * LFT_P_COLOURS;
        }
    }
}

/* ---- 46_configuration.h, code ------------------------------------------------------------------------------------ */

/* One configuration of a batch. */
typedef struct LFT_P(one_of) {
    const LFT_(lattice) *lattice;
    lft_real            *data; /* number k: data[k LFT_P_LANES] */
} LFT_P(one_of);

LFT_P_STATIC LFT_P(one_of) LFT_P(one_of_batch)(const LFT_(batch) *x, int i)
{
    LFT_P(one_of) one;
    one.lattice = &x->lattice;
    one.data    = LFT_P(group)(x, i / LFT_P_LANES) + i % LFT_P_LANES;
    return one;
}

LFT_P_STATIC lft_real *LFT_P(one_link)(const LFT_P(one_of) *one, const int x[LFT_MAX_DIM], int mu)
{
    size_t site = 0;
    int    nu;
    for (nu = 0; nu < LFT_DIM; ++nu) site = site * (size_t)one->lattice->extent[nu] + (size_t)x[nu];
    return one->data + (site * LFT_DIM + (size_t)mu) * LFT_P_LINK * LFT_P_LANES;
}

LFT_P_STATIC int LFT_P(configuration_put)(void *user, const int x[LFT_MAX_DIM], int mu, const double *u)
{
    lft_real *to = LFT_P(one_link)((const LFT_P(one_of) *)user, x, mu);
    double    c[LFT_P_LINK];
    int       k;
    LFT_P(numbers_of)(u, c);
    for (k = 0; k < LFT_P_LINK; ++k) to[k * LFT_P_LANES] = (lft_real)c[k];
    return 0;
}

LFT_P_STATIC int LFT_P(configuration_get)(void *user, const int x[LFT_MAX_DIM], int mu, double *u)
{
    const lft_real *from = LFT_P(one_link)((const LFT_P(one_of) *)user, x, mu);
    double          c[LFT_P_LINK];
    int             k;
    for (k = 0; k < LFT_P_LINK; ++k) c[k] = (double)from[k * LFT_P_LANES];
    LFT_P(matrix_of)(c, u);
    return 0;
}

LFT_API lft_status LFT_(configuration_read)(LFT_(batch) *x, int i, lft_gauge_file *file, lft_error *error)
{
    static const char where[] = "configuration";
    LFT_P(one_of)     one;
    int               mu;
    if (i < 0 || i >= x->n) return lft_p_fail_got(error, LFT_ERR_ARG, where, "number", "one of the batch", i);
    if (file->dim != LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "dimensions", LFT_P_STRING(LFT_DIM), file->dim);
    }
    if (file->colours != LFT_P_COLOURS) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "colours", LFT_P_STRING(LFT_P_COLOURS), file->colours);
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (file->extent[mu] == x->lattice.extent[mu]) continue;
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, where, "extent", "that of the batch", file->extent[mu]);
    }
    one = LFT_P(one_of_batch)(x, i);
    return lft_gauge_read_links(file, LFT_P(configuration_put), &one, error);
}

LFT_API lft_status LFT_(configuration_write)(const LFT_(batch) *x, int i, lft_writer to, lft_gauge_file *file,
                                             lft_error *error)
{
    LFT_P(one_of) one;
    int           mu;
    if (i < 0 || i >= x->n) return lft_p_fail_got(error, LFT_ERR_ARG, "configuration", "number", "one of the batch", i);
    one           = LFT_P(one_of_batch)(x, i);
    file->dim     = LFT_DIM;
    file->colours = LFT_P_COLOURS;
    for (mu = 0; mu < LFT_DIM; ++mu) file->extent[mu] = x->lattice.extent[mu];
    return lft_gauge_write(to, file, LFT_P(configuration_get), &one, error);
}

#endif
#if LFT_UPTO >= LFT_SAMPLE
#if LFT_GROUP != LFT_SCALAR

/* ---- 47_characters.h, code --------------------------------------------------------------------------------------- */
/* 47_characters.h: what is known exactly of exp(beta / N Re tr U), and how to draw from it. An instance of a gauge group has one
 * of the rooms 48; all of them offer (private) the same words:
 *
 *   exp(beta / N Re tr U) = sum_r d_r lambda_r chi_r(U),   u_r = lambda_r / lambda_0,
 *   kappa_k(U) = sum_r d_r u_r^k chi_r(U),   int dU kappa_k(U) = 1,   int dU kappa_a(A U) kappa_b(U^+ B) = kappa_a+b(A B):
 * the weight of k plaquettes of two dimensions in one (A. A. Migdal, Sov. Phys. JETP 42 (1975) 413), as a density.
 *
 *   characters_init(c, beta, arena)           the u_r, to rounding of the largest; nothing of it is used after kernel_init
 *   characters_sum(c, k)                      sum_r u_r^k
 *   kernel_init(k, c, area, draws, arena)     kappa of that area; with what drawing from it takes, if it will be drawn from
 *   kernel_value(k, re, im, value)            value[lane] = kappa of a matrix with the trace re + i im (SU(2): re alone)
 *   split(small, large, d, pair, p, w)        w with the density kappa_small(w) kappa_large(w^+ p) / kappa_sum(p); the areas
 *                                             do not decrease. Random numbers: pair ... pair + 7 of d. 1: p is not finite, or
 *                                             2^20 attempts failed
 *
 * kappa_1 is an exponential, the others are sums: their rounding error is one of kappa(1), so that of log kappa(U) grows to
 * kappa(1) / kappa(U) roundings: rarely, as kappa is the density. `least` is about the smallest kappa there is. */

typedef struct LFT_P(characters) {
    double  beta;
    double  log_first; /* log lambda_0 */
    int     count;     /* of u, as the room numbers them */
    double *u;
} LFT_P(characters);

typedef struct LFT_P(kernel) {
    int         area, terms;
    double     *c;               /* the coefficients of the sum */
    double      slope, constant; /* log kappa_1 = slope Re tr + constant */
    double      most, least;     /* kappa(1), and the smallest value met */
    lft_p_alias table;           /* cells of the classes with a bound of the density on each */
    lft_p_alias *ladder;         /* SU(3): those of exp(x Re tr) for a ladder of x; NULL for other groups */
} LFT_P(kernel);

/* A link with the invariant measure from LFT_P_HAAR uniform numbers. */
LFT_P_STATIC void LFT_P(haar_from)(double (*u)[LFT_P_LANES], lft_v *link)
{
    lft_v normal[LFT_P_HAAR];
    int   i, l;
    for (i = 0; i < LFT_P_HAAR; i += 2) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double r = lft_p_f64_p_sqrt(-2.0 * lft_p_f64_p_log(u[i][l]));
            double       s, c;
            lft_p_f64_p_sincos(6.283185307179586477 * u[i + 1][l], &s, &c);
            u[i][l] = r * c, u[i + 1][l] = r * s;
        }
        normal[i] = LFT_P(from_wide)(u[i]), normal[i + 1] = LFT_P(from_wide)(u[i + 1]);
    }
    LFT_P(haar)(link, normal);
}

LFT_P_INLINE void LFT_P(to_wide)(double *to, lft_v x)
{
    int l;
    for (l = 0; l < LFT_P_LANES; ++l) to[l] = 0;
    LFT_P(add_wide)(to, x);
}

/* The trace of a product of links, in double. */
LFT_P_STATIC void LFT_P(wide_trace)(const lft_u *u, double *re, double *im)
{
    lft_w w;
    lft_v x, y;
    LFT_P(sum_of)(u->c, &w);
    LFT_P(sum_traces)(&w, &x, &y);
    LFT_P(to_wide)(re, x);
    LFT_P(to_wide)(im, y);
}

/* exp(slope Re tr + constant) */
LFT_P_STATIC void LFT_P(kernel_one)(const LFT_P(kernel) *k, const double *re, double *value)
{
    int l;
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = lft_p_f64_p_exp(k->slope * re[l] + k->constant);
}

LFT_P_STATIC void LFT_P(kernel_start)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area)
{
    lft_p_zero(k, sizeof *k);
    k->area     = area;
    k->slope    = c->beta / LFT_P_COLOURS;
    k->constant = -c->log_first;
}

#endif
#if LFT_GROUP == LFT_SU2

/* ---- 48_su2_kernel.h, code --------------------------------------------------------------------------------------- */
/* 48_su2_kernel.h: SU(2): lambda_n = 2 I_n(beta) / beta for the dimension n = 1, 2, ..., U = cos psi + i sin psi (m sigma),
 * kappa_k = sum_n n u_n^k sin(n psi) / sin(psi). Offers what 47_characters.h says. */

#define LFT_P_CELLS 128

/* u[n - 1] = I_n / I_1 */
LFT_P_STATIC void LFT_P(characters_init)(LFT_P(characters) *c, double beta, lft_arena *arena)
{
    int n;
    c->beta  = beta;
    c->count = 20 + (int)(7 * lft_p_f64_p_sqrt(beta));
    c->u     = (double *)lft_arena_alloc(arena, (size_t)c->count + 1, sizeof(double));
    if (!c->u) return;
    if (beta < 1e-8) { /* I_n / I_1 = (beta / 2)^(n - 1) / n! */
        c->log_first = 0;
        for (n = 0; n < c->count; ++n) c->u[n] = n ? n == 1 ? 0.25 * beta : 0 : 1;
        return;
    }
    lft_p_bessel(beta, c->count + 1, c->u);
    c->log_first = beta + lft_p_f64_p_log(2 * c->u[1] / beta);
    for (n = 0; n < c->count; ++n) c->u[n] = c->u[n + 1];
    for (n = c->count - 1; n >= 0; --n) c->u[n] /= c->u[0];
}

LFT_P_STATIC double LFT_P(characters_sum)(const LFT_P(characters) *c, int k)
{
    double sum = 0;
    int    n;
    for (n = c->count - 1; n >= 0; --n) sum += lft_p_power(c->u[n], k);
    return sum;
}

/* Clenshaw's rule for Chebyshev polynomials of the second kind in cos psi, half of the trace. */
LFT_P_STATIC void LFT_P(kernel_value)(const LFT_P(kernel) *k, const double *re, const double *im, double *value)
{
    double x[LFT_P_LANES], y[LFT_P_LANES];
    int    n, l;
    (void)im;
    if (k->area == 1) {
        LFT_P(kernel_one)(k, re, value);
        return;
    }
    for (l = 0; l < LFT_P_LANES; ++l) x[l] = y[l] = 0;
    for (n = k->terms - 1; n >= 0; --n) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double next = re[l] * x[l] - y[l] + k->c[n];
            y[l] = x[l], x[l] = next;
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = x[l];
}

LFT_P_STATIC double LFT_P(kernel_at_one)(const LFT_P(kernel) *k, double psi)
{
    double re[LFT_P_LANES], value[LFT_P_LANES], s, c;
    int    l;
    lft_p_f64_p_sincos(psi, &s, &c);
    for (l = 0; l < LFT_P_LANES; ++l) re[l] = 2 * c;
    LFT_P(kernel_value)(k, re, re, value);
    return value[0];
}

/* The density of psi is (2 / pi) sin^2 psi kappa; kappa falls from 0 to pi: bounded by its value at the lower end of a cell, and
 * sin^2 by that at the end nearer to pi/2. */
LFT_P_STATIC void LFT_P(kernel_init)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area, int draws, lft_arena *arena)
{
    const double pi = 3.14159265358979323846;
    int          n;
    LFT_P(kernel_start)(k, c, area);
    k->c = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (draws) lft_p_alias_layout(&k->table, LFT_P_CELLS, arena);
    if (!c->u || !k->c || (draws && !k->table.work)) return;
    for (n = 0; n < c->count; ++n) {
        k->c[n] = (n + 1) * lft_p_power(c->u[n], area);
        if ((n + 1) * k->c[n] > 1e-19) k->terms = n + 1;
    }
    k->most  = LFT_P(kernel_at_one)(k, 0);
    k->least = LFT_P(kernel_at_one)(k, pi);
    for (n = 0; draws && n < LFT_P_CELLS; ++n) {
        const double low = pi / LFT_P_CELLS * n, high = pi / LFT_P_CELLS * (n + 1);
        double       s, cosine;
        lft_p_f64_p_sincos(n < LFT_P_CELLS / 2 ? high : low, &s, &cosine);
        k->table.weight[n] = (1 + 1e-6) * s * s * LFT_P(kernel_at_one)(k, low);
    }
    if (draws) lft_p_alias_build(&k->table);
}

/* w out of kappa_small by cells of psi and a direction; the value of kappa_small there, times sin^2, beside the bound. */
LFT_P_STATIC void LFT_P(kernel_draw)(const LFT_P(kernel) *k, double (*u)[LFT_P_LANES], double (*w)[LFT_P_LANES], double *value,
                                     double *bound)
{
    double re[LFT_P_LANES], s[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int cell = lft_p_alias_pick(&k->table, u[0][l]);
        re[l]    = 3.14159265358979323846 / LFT_P_CELLS * (cell + u[1][l]);
        bound[l] = k->table.weight[cell];
    }
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(re[l], s + l, w[0] + l);
    for (l = 0; l < LFT_P_LANES; ++l) {
        double z = 2 * u[2][l] - 1, r = s[l] * lft_p_f64_p_sqrt(1 - z * z), sine, cosine;
        lft_p_f64_p_sincos(6.283185307179586477 * u[3][l], &sine, &cosine);
        w[1][l] = r * cosine, w[2][l] = r * sine, w[3][l] = s[l] * z;
        re[l]   = 2 * w[0][l];
    }
    LFT_P(kernel_value)(k, re, re, value);
    for (l = 0; l < LFT_P_LANES; ++l) value[l] *= s[l] * s[l];
}

/* Two single plaquettes: one staple, as of the heat bath. Else w from kappa_small, accepted with kappa_large(w^+ p) over
 * kappa_large(1). */
LFT_P_STATIC int LFT_P(split)(const LFT_P(kernel) *small, const LFT_P(kernel) *large, lft_draw d, uint32_t pair, const lft_u *p,
                              lft_u *w)
{
    const lft_m bad = LFT_P(nonfinite)(p->c[0] + p->c[1] + p->c[2] + p->c[3]);
    LFT_P(crew) crew;
    lft_u       x;
    double      u[6][LFT_P_LANES], loop[4][LFT_P_LANES], number[4][LFT_P_LANES], re[LFT_P_LANES];
    double      value[LFT_P_LANES], bound[LFT_P_LANES], other[LFT_P_LANES];
    int         i, l;
    LFT_P(one)(w->c);
    if (large->area == 1) {
        LFT_P(adjoint)(&x, p);
        x.c[0] += 1;
        return LFT_P(any)(LFT_P(heat)(w->c, &x, (lft_real)small->slope, d, pair / 2));
    }
    for (i = 0; i < 4; ++i) LFT_P(to_wide)(loop[i], p->c[i]);
    LFT_P(crew_start)(&crew, bad);
    while (LFT_P(crew_assign)(&crew)) {
        LFT_P(crew_uniforms)(&crew, &d, pair, 3, u);
        LFT_P(kernel_draw)(small, u, number, value, bound);
        for (l = 0; l < LFT_P_LANES; ++l) { /* tr w^+ p */
            const int at = crew.of[l];
            re[l] = 2 * (number[0][l] * loop[0][at] + number[1][l] * loop[1][at] + number[2][l] * loop[2][at] +
                         number[3][l] * loop[3][at]);
            bound[l] *= u[4][l] * large->most;
        }
        LFT_P(kernel_value)(large, re, re, other);
        for (l = 0; l < LFT_P_LANES; ++l) value[l] *= other[l];
        LFT_P(crew_settle)(&crew, bound, value);
        for (i = 0; i < 4; ++i) LFT_P(crew_move_wide)(&crew, w->c + i, number[i]);
    }
    return crew.open > 0 || LFT_P(any)(bad);
}

#elif LFT_GROUP == LFT_SU3

/* ---- 48_su3_kernel.h, code --------------------------------------------------------------------------------------- */
/* 48_su3_kernel.h: SU(3): representations (p, q) of dimension d = (p + 1)(q + 1)(p + q + 2) / 2. A class is that of
 * diag(exp i alpha), alpha_1 + alpha_2 + alpha_3 = 0, and the density of (alpha_1, alpha_2) is H / (2 pi)^2,
 * H = prod_i<j |e^i alpha_i - e^i alpha_j|^2 / 6. Offers what 47_characters.h says.
 *
 * With the complete symmetric polynomials h_n = t h_n-1 - t^* h_n-2 + h_n-3 of the trace t, at most (n + 1)(n + 2) / 2,
 *   chi_pq = h_p+q h_q - h_p+q+1 h_q-1  (Jacobi and Trudi):
 * no denominator vanishes where eigenvalues coincide. chi_pq and chi_qp are conjugate and have the same u; those with p >= q are
 * numbered by m = p + q and n = q <= m / 2. */

#define LFT_P_CELLS 48 /* of an angle */
#define LFT_P_FINE  (2 * LFT_P_CELLS)
#define LFT_P_RUNGS 16 /* of the ladder, above 0 */
#define LFT_P_TOP   48 /* rows of a sum, at most */

/* The place of (m, n); of (m, 0): how many there are below m. */
LFT_P_INLINE int LFT_P(pair_of)(int m, int n) { return m + (m - 1) * (m - 1) / 4 + n; }
LFT_P_INLINE double LFT_P(dimension)(int m, int n) { return 0.5 * (m - n + 1) * (n + 1) * (m + 2); }

/* Values of m; u^2 d^2 is below 1e-19 beyond, for the betas that rounding leaves. */
LFT_P_INLINE int LFT_P(rows_of)(double beta)
{
    const double m = 5 + 6 * lft_p_f64_p_sqrt(beta);
    return m < LFT_P_TOP - 2 ? (int)m : LFT_P_TOP - 2;
}

/* h[n][lane], n < rows */
LFT_P_STATIC void LFT_P(symmetric)(int rows, const double *re, const double *im, double (*hr)[LFT_P_LANES],
                                   double (*hi)[LFT_P_LANES])
{
    int n, l;
    for (n = 0; n < rows; ++n) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            double x = n ? 0 : 1, y = 0;
            if (n > 0) x += re[l] * hr[n - 1][l] - im[l] * hi[n - 1][l], y += re[l] * hi[n - 1][l] + im[l] * hr[n - 1][l];
            if (n > 1) x -= re[l] * hr[n - 2][l] + im[l] * hi[n - 2][l], y -= re[l] * hi[n - 2][l] - im[l] * hr[n - 2][l];
            if (n > 2) x += hr[n - 3][l], y += hi[n - 3][l];
            hr[n][l] = x, hi[n][l] = y;
        }
    }
}

/* prod_i<j |e^i alpha_i - e^i alpha_j|^2 / 6 */
LFT_P_INLINE double LFT_P(class_density)(const double c[3], const double s[3])
{
    return (2 - 2 * (c[0] * c[1] + s[0] * s[1])) * (2 - 2 * (c[1] * c[2] + s[1] * s[2])) *
           (2 - 2 * (c[2] * c[0] + s[2] * s[0])) / 6;
}

/* Cosines and sines of the third angle. */
LFT_P_INLINE void LFT_P(third_angle)(double c[3], double s[3])
{
    c[2] = c[0] * c[1] - s[0] * s[1];
    s[2] = -(s[0] * c[1] + c[0] * s[1]);
}

/* d_r lambda_r = int dU exp(beta / 3 Re tr U) chi_r(U), by equal steps in both angles, which converges exponentially. */
LFT_P_STATIC void LFT_P(characters_init)(LFT_P(characters) *c, double beta, lft_arena *arena)
{
    const int    rows = LFT_P(rows_of)(beta), steps = 2 * (rows + 10 + (int)(beta / 6));
    const double step = 6.283185307179586477 / steps;
    double       re[LFT_P_LANES], im[LFT_P_LANES], hr[LFT_P_TOP][LFT_P_LANES], hi[LFT_P_TOP][LFT_P_LANES];
    int          i, j, l, m, n;
    c->beta  = beta;
    c->count = LFT_P(pair_of)(rows, 0);
    c->u     = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (!c->u) return;
    for (i = 0; i < steps; ++i) {
        for (j = 0; j < steps; ++j) {
            double x[3], y[3], weight;
            lft_p_f64_p_sincos(step * i, y, x);
            lft_p_f64_p_sincos(step * j, y + 1, x + 1);
            LFT_P(third_angle)(x, y);
            for (l = 0; l < LFT_P_LANES; ++l) re[l] = x[0] + x[1] + x[2], im[l] = y[0] + y[1] + y[2];
            weight = LFT_P(class_density)(x, y) * lft_p_f64_p_exp(beta / 3 * (re[0] - 3)) / ((double)steps * steps);
            LFT_P(symmetric)(rows + 1, re, im, hr, hi);
            for (m = 0; m < rows; ++m) {
                for (n = 0; n <= m / 2; ++n) {
                    double chi = hr[m][0] * hr[n][0] - hi[m][0] * hi[n][0];
                    if (n) chi -= hr[m + 1][0] * hr[n - 1][0] - hi[m + 1][0] * hi[n - 1][0];
                    c->u[LFT_P(pair_of)(m, n)] += weight * chi;
                }
            }
        }
    }
    c->log_first = beta + lft_p_f64_p_log(c->u[0]);
    for (m = rows - 1; m >= 0; --m) {
        for (n = m / 2; n >= 0; --n) c->u[LFT_P(pair_of)(m, n)] /= LFT_P(dimension)(m, n) * c->u[0];
    }
}

LFT_P_STATIC double LFT_P(characters_sum)(const LFT_P(characters) *c, int k)
{
    double sum = 0;
    int    m, n;
    for (m = LFT_P(rows_of)(c->beta) - 1; m >= 0; --m) {
        for (n = m / 2; n >= 0; --n) sum += (m == 2 * n ? 1 : 2) * lft_p_power(c->u[LFT_P(pair_of)(m, n)], k);
    }
    return sum;
}

/* Re sum_mn c_mn h_m h_n */
LFT_P_STATIC void LFT_P(kernel_value)(const LFT_P(kernel) *k, const double *re, const double *im, double *value)
{
    double        hr[LFT_P_TOP][LFT_P_LANES], hi[LFT_P_TOP][LFT_P_LANES], x[LFT_P_LANES], y[LFT_P_LANES];
    const double *c = k->c;
    int           m, n, l;
    if (k->area == 1) {
        LFT_P(kernel_one)(k, re, value);
        return;
    }
    LFT_P(symmetric)(k->terms, re, im, hr, hi);
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = 0;
    for (m = 0; m < k->terms; ++m) {
        for (l = 0; l < LFT_P_LANES; ++l) x[l] = y[l] = 0;
        for (n = 0; n <= m / 2; ++n, ++c) {
            for (l = 0; l < LFT_P_LANES; ++l) x[l] += *c * hr[n][l], y[l] += *c * hi[n][l];
        }
        for (l = 0; l < LFT_P_LANES; ++l) value[l] += x[l] * hr[m][l] - y[l] * hi[m][l];
    }
}

/* ---- cells ---------------------------------------------------------------------------------------------------------- */

/* Row i of LFT_P_FINE points: the density by the angles, of a kernel or, without one, of exp(x (Re tr - 3)). */
LFT_P_STATIC void LFT_P(density_row)(const LFT_P(kernel) *k, double x, int i, double *row)
{
    const double step = 6.283185307179586477 / LFT_P_FINE;
    double       re[LFT_P_LANES], im[LFT_P_LANES], density[LFT_P_LANES], value[LFT_P_LANES];
    int          j, l;
    for (j = 0; j < LFT_P_FINE; j += LFT_P_LANES) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            double c[3], s[3];
            lft_p_f64_p_sincos(step * i, s, c);
            lft_p_f64_p_sincos(step * (j + l), s + 1, c + 1);
            LFT_P(third_angle)(c, s);
            re[l] = c[0] + c[1] + c[2], im[l] = s[0] + s[1] + s[2];
            density[l] = LFT_P(class_density)(c, s);
            value[l]   = lft_p_f64_p_exp(x * (re[l] - 3));
        }
        if (k) LFT_P(kernel_value)(k, re, im, value);
        for (l = 0; l < LFT_P_LANES; ++l) row[j + l] = density[l] * value[l];
    }
}

/* A bound of the density on each cell of two steps by two: its largest value at the corners of the steps, and twice the error of
 * the bilinear interpolation between them, an eighth of the second differences. */
LFT_P_STATIC void LFT_P(bound_cells)(const LFT_P(kernel) *k, double x, lft_p_alias *table)
{
    double row[5][LFT_P_FINE];
    int    i, j, a, b;
    for (a = 0; a < 3; ++a) LFT_P(density_row)(k, x, a - 1, row[a + 2]);
    for (i = 0; i < LFT_P_CELLS; ++i) {
        for (a = 0; a < 3; ++a) lft_p_copy(row[a], row[a + 2], sizeof row[a]);
        for (a = 3; a < 5; ++a) LFT_P(density_row)(k, x, 2 * i + a - 1, row[a]);
        for (j = 0; j < LFT_P_CELLS; ++j) {
            double most = 0, along = 0, across = 0;
            for (a = 1; a < 4; ++a) {
                for (b = 2 * j + LFT_P_FINE; b < 2 * j + LFT_P_FINE + 3; ++b) {
                    const int    at = b % LFT_P_FINE, before = (b - 1) % LFT_P_FINE, after = (b + 1) % LFT_P_FINE;
                    const double f = row[a][at];
                    double       d = row[a + 1][at] - 2 * f + row[a - 1][at], e = row[a][after] - 2 * f + row[a][before];
                    d = d < 0 ? -d : d, e = e < 0 ? -e : e;
                    most   = f > most ? f : most;
                    along  = d > along ? d : along;
                    across = e > across ? e : across;
                }
            }
            table->weight[i * LFT_P_CELLS + j] = most + 0.25 * (along + across);
        }
    }
    lft_p_alias_build(table);
}

/* The smallest value on a coarse grid of classes, which has the centre of the group. */
LFT_P_STATIC double LFT_P(kernel_least)(const LFT_P(kernel) *k)
{
    const int    steps = 24;
    const double step  = 6.283185307179586477 / steps;
    double       re[LFT_P_LANES], im[LFT_P_LANES], value[LFT_P_LANES], least = k->most;
    int          i, j, l;
    for (i = 0; i < steps; ++i) {
        for (j = 0; j < steps; ++j) {
            double c[3], s[3];
            lft_p_f64_p_sincos(step * i, s, c);
            lft_p_f64_p_sincos(step * j, s + 1, c + 1);
            LFT_P(third_angle)(c, s);
            for (l = 0; l < LFT_P_LANES; ++l) re[l] = c[0] + c[1] + c[2], im[l] = s[0] + s[1] + s[2];
            LFT_P(kernel_value)(k, re, im, value);
            least = value[0] < least ? value[0] : least;
        }
    }
    return least;
}

LFT_P_STATIC void LFT_P(kernel_sum)(LFT_P(kernel) *k, const LFT_P(characters) *c)
{
    const int rows = LFT_P(rows_of)(c->beta);
    int       m, n;
    for (m = 0; m < rows; ++m) {
        for (n = 0; n <= m / 2; ++n) {
            const double d = LFT_P(dimension)(m, n);
            const double x = (m == 2 * n ? 1 : 2) * d * lft_p_power(c->u[LFT_P(pair_of)(m, n)], k->area);
            if (!(x * d > 1e-19)) continue;
            k->c[LFT_P(pair_of)(m, n)] += x;
            if (n) k->c[LFT_P(pair_of)(m + 1, n - 1)] -= x;
            k->terms = n ? m + 2 : k->terms > m + 1 ? k->terms : m + 1;
        }
    }
}

LFT_P_STATIC void LFT_P(kernel_init)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area, int draws, lft_arena *arena)
{
    double three[LFT_P_LANES], zero[LFT_P_LANES], value[LFT_P_LANES];
    int    i, l, laid = 1;
    LFT_P(kernel_start)(k, c, area);
    k->c = (double *)lft_arena_alloc(arena, (size_t)LFT_P(pair_of)(LFT_P(rows_of)(c->beta) + 1, 0), sizeof(double));
    if (draws) lft_p_alias_layout(&k->table, LFT_P_CELLS * LFT_P_CELLS, arena);
    if (draws && area == 1) {
        lft_p_alias none;
        k->ladder = (lft_p_alias *)lft_arena_alloc(arena, LFT_P_RUNGS + 1, sizeof(lft_p_alias));
        for (i = 0; i <= LFT_P_RUNGS; ++i) {
            lft_p_alias *rung = k->ladder ? k->ladder + i : &none;
            lft_p_alias_layout(rung, LFT_P_CELLS * LFT_P_CELLS, arena);
            laid = laid && rung->work != NULL;
        }
    }
    if (!c->u || !k->c || (draws && !k->table.work) || !laid) return;
    for (l = 0; l < LFT_P_LANES; ++l) three[l] = 3, zero[l] = 0;
    LFT_P(kernel_sum)(k, c);
    LFT_P(kernel_value)(k, three, zero, value);
    k->most  = value[0];
    k->least = LFT_P(kernel_least)(k);
    if (draws) LFT_P(bound_cells)(k, 0, &k->table);
    for (i = 0; k->ladder && i <= LFT_P_RUNGS; ++i) LFT_P(bound_cells)(NULL, k->slope * 2 * i / LFT_P_RUNGS, k->ladder + i);
}

/* ---- drawing --------------------------------------------------------------------------------------------------------- */

/* An attempt: w = z diag(e^i alpha) z^+ with z from the invariant measure. */
typedef struct LFT_P(attempt) {
    lft_u  z;
    double re[3][LFT_P_LANES], im[3][LFT_P_LANES]; /* e^i alpha */
    double tr[LFT_P_LANES], ti[LFT_P_LANES];
    double density[LFT_P_LANES], bound[LFT_P_LANES];
    double dr[3][LFT_P_LANES], di[3][LFT_P_LANES]; /* the diagonal of w */
} LFT_P(attempt);

/* alpha from the cells of table[lane], numbers 12 to 14 of u, and z from those before. */
LFT_P_STATIC void LFT_P(attempt_of)(LFT_P(attempt) *a, const lft_p_alias *const *table, double (*u)[LFT_P_LANES])
{
    const double step = 6.283185307179586477 / LFT_P_CELLS;
    double       share[LFT_P_LANES];
    int          i, j, l;
    LFT_P(haar_from)(u, a->z.c);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int cell = lft_p_alias_pick(table[l], u[12][l]);
        a->re[2][l]    = step * (cell / LFT_P_CELLS + u[13][l]);
        a->im[2][l]    = step * (cell % LFT_P_CELLS + u[14][l]);
        a->bound[l]    = table[l]->weight[cell];
    }
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(a->re[2][l], a->im[0] + l, a->re[0] + l);
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(a->im[2][l], a->im[1] + l, a->re[1] + l);
    for (l = 0; l < LFT_P_LANES; ++l) {
        double c[3], s[3];
        c[0] = a->re[0][l], c[1] = a->re[1][l], s[0] = a->im[0][l], s[1] = a->im[1][l];
        LFT_P(third_angle)(c, s);
        a->re[2][l] = c[2], a->im[2][l] = s[2];
        a->tr[l] = c[0] + c[1] + c[2], a->ti[l] = s[0] + s[1] + s[2];
        a->density[l] = LFT_P(class_density)(c, s);
    }
    for (j = 0; j < 3; ++j) {
        for (l = 0; l < LFT_P_LANES; ++l) a->dr[j][l] = a->di[j][l] = 0;
        for (i = 0; i < 3; ++i) {
            const lft_v re = a->z.c[LFT_P_RE(j, i)], im = a->z.c[LFT_P_IM(j, i)];
            LFT_P(to_wide)(share, re * re + im * im);
            for (l = 0; l < LFT_P_LANES; ++l) a->dr[j][l] += share[l] * a->re[i][l], a->di[j][l] += share[l] * a->im[i][l];
        }
    }
}

/* e^i phase, the half of it, and for two single plaquettes the rung of each lane: Re tr w (1 + p^+) = Re tr y D with
 * w = y p^1/2 and D = diag(2 cos(phase / 2)); phases add up to 0, so that p^1/2 is of the group. */
typedef struct LFT_P(halves) {
    double             re[3][LFT_P_LANES], im[3][LFT_P_LANES], d[3][LFT_P_LANES], half_im[3][LFT_P_LANES];
    double             least[LFT_P_LANES], most[LFT_P_LANES]; /* c, and sum |D - c| */
    const lft_p_alias *table[LFT_P_LANES];
} LFT_P(halves);

LFT_P_STATIC void LFT_P(halves_of)(LFT_P(halves) *h, const LFT_P(kernel) *k, const lft_v *phase)
{
    const double pi = 3.14159265358979323846;
    double       angle[3][LFT_P_LANES];
    int          i, l;
    for (i = 0; i < 3; ++i) LFT_P(to_wide)(angle[i], phase[i]);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double sum = angle[0][l] + angle[1][l] + angle[2][l], turn = sum > pi ? -2 * pi : sum < -pi ? 2 * pi : 0;
        double       least = 2;
        int          far = 0, rung;
        for (i = 1; i < 3; ++i) far = turn * angle[i][l] < turn * angle[far][l] ? i : far;
        angle[far][l] += turn;
        for (i = 0; i < 3; ++i) {
            double s, c;
            lft_p_f64_p_sincos(0.5 * angle[i][l], &s, &c);
            h->re[i][l] = c * c - s * s, h->im[i][l] = 2 * s * c;
            h->d[i][l] = 2 * c, h->half_im[i][l] = s;
            least = 2 * c < least ? 2 * c : least;
        }
        rung        = least > 0 ? (int)(least * (0.5 * LFT_P_RUNGS)) : 0;
        h->least[l] = rung * (2.0 / LFT_P_RUNGS);
        h->most[l]  = 0;
        for (i = 0; i < 3; ++i) {
            const double more = h->d[i][l] - h->least[l];
            h->most[l] += more < 0 ? -more : more;
        }
        h->table[l] = k->ladder ? k->ladder + rung : &k->table;
    }
}

/* tr w^+ p of an attempt w, where p has the eigenvalues h.re + i h.im. */
LFT_P_STATIC void LFT_P(rest_trace)(const LFT_P(attempt) *a, const LFT_P(halves) *h, const int *of, double *re, double *im)
{
    int j, l;
    for (l = 0; l < LFT_P_LANES; ++l) re[l] = im[l] = 0;
    for (j = 0; j < 3; ++j) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double hr = h->re[j][of[l]], hi = h->im[j][of[l]];
            re[l] += a->dr[j][l] * hr + a->di[j][l] * hi;
            im[l] += a->dr[j][l] * hi - a->di[j][l] * hr;
        }
    }
}

/* w from kappa_small, accepted with kappa_large(w^+ p) / kappa_large(1), in the basis in which p is diagonal. Two single
 * plaquettes: y from the rung c Re tr y below, accepted with exp(slope [Re tr y (D - c) - sum |D - c|]). */
LFT_P_STATIC int LFT_P(split)(const LFT_P(kernel) *small, const LFT_P(kernel) *large, lft_draw d, uint32_t pair, const lft_u *p,
                              lft_u *w)
{
    const int          ones = large->area == 1 && small->ladder;
    const lft_m        bad  = LFT_P(nonfinite)(LFT_P(trace)(p, NULL));
    const lft_p_alias *table[LFT_P_LANES];
    LFT_P(crew)        crew;
    LFT_P(attempt)     a;
    LFT_P(halves)      h;
    lft_v              phase[3], kept_re[3], kept_im[3];
    lft_u              basis, z, x;
    double             u[16][LFT_P_LANES], value[LFT_P_LANES], other[LFT_P_LANES], re[LFT_P_LANES], im[LFT_P_LANES];
    int                j, l;
    LFT_P(eigen)(p, &basis, phase);
    LFT_P(halves_of)(&h, small, phase);
    LFT_P(one)(z.c);
    for (j = 0; j < 3; ++j) kept_re[j] = lft_splat(1), kept_im[j] = lft_splat(0);
    LFT_P(crew_start)(&crew, bad);
    while (LFT_P(crew_assign)(&crew)) {
        const int *of = crew.of;
        LFT_P(crew_uniforms)(&crew, &d, pair, 8, u);
        for (l = 0; l < LFT_P_LANES; ++l) table[l] = ones ? h.table[of[l]] : &small->table;
        LFT_P(attempt_of)(&a, table, u);
        if (ones) {
            for (l = 0; l < LFT_P_LANES; ++l) {
                re[l] = a.dr[0][l] * h.d[0][of[l]] + a.dr[1][l] * h.d[1][of[l]] + a.dr[2][l] * h.d[2][of[l]];
                re[l] = small->slope * (re[l] - 3 * h.least[of[l]] - h.most[of[l]]);
            }
            for (l = 0; l < LFT_P_LANES; ++l) value[l] = lft_p_f64_p_exp(re[l]);
            for (l = 0; l < LFT_P_LANES; ++l) other[l] = u[15][l] * a.bound[l];
        } else {
            LFT_P(rest_trace)(&a, &h, of, re, im);
            LFT_P(kernel_value)(large, re, im, value);
            LFT_P(kernel_value)(small, a.tr, a.ti, other);
            for (l = 0; l < LFT_P_LANES; ++l) {
                value[l] *= other[l];
                other[l] = u[15][l] * a.bound[l] * large->most;
            }
        }
        for (l = 0; l < LFT_P_LANES; ++l) value[l] *= a.density[l];
        LFT_P(crew_settle)(&crew, other, value);
        for (j = 0; j < 18; ++j) LFT_P(crew_move)(&crew, z.c + j, a.z.c[j]);
        for (j = 0; j < 3; ++j) {
            LFT_P(crew_move_wide)(&crew, kept_re + j, a.re[j]);
            LFT_P(crew_move_wide)(&crew, kept_im + j, a.im[j]);
        }
    }
    x = z;
    for (j = 0; j < 9; ++j) { /* columns times e^i alpha */
        const lft_v c = x.c[2 * j], s = x.c[2 * j + 1];
        x.c[2 * j]     = c * kept_re[j % 3] - s * kept_im[j % 3];
        x.c[2 * j + 1] = c * kept_im[j % 3] + s * kept_re[j % 3];
    }
    LFT_P(mul_adj)(w, &x, &z);
    for (j = 0; j < 9 && ones; ++j) { /* and y times p^1/2 */
        const lft_v c = w->c[2 * j], s = w->c[2 * j + 1];
        double      half[LFT_P_LANES];
        lft_v       hr, hi;
        for (l = 0; l < LFT_P_LANES; ++l) half[l] = 0.5 * h.d[j % 3][l];
        hr = LFT_P(from_wide)(half), hi = LFT_P(from_wide)(h.half_im[j % 3]);
        w->c[2 * j]     = c * hr - s * hi;
        w->c[2 * j + 1] = c * hi + s * hr;
    }
    LFT_P(mul)(&x, &basis, w);
    LFT_P(mul_adj)(w, &x, &basis);
    return crew.open > 0 || LFT_P(any)(bad);
}

#elif LFT_GROUP == LFT_U1

/* ---- 48_u1_kernel.h, code ---------------------------------------------------------------------------------------- */
/* 48_u1_kernel.h: U(1): lambda_n = I_n(beta), kappa_k(theta) = 1 + 2 sum_n>0 u_n^k cos n theta. Offers what 47_characters.h
 * says. */

#define LFT_P_CELLS 256

LFT_P_STATIC void LFT_P(characters_init)(LFT_P(characters) *c, double beta, lft_arena *arena)
{
    int n;
    c->beta  = beta;
    c->count = 20 + (int)(7 * lft_p_f64_p_sqrt(beta));
    c->u     = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (!c->u) return;
    lft_p_bessel(beta, c->count, c->u);
    c->log_first = beta + lft_p_f64_p_log(c->u[0]);
    for (n = c->count - 1; n >= 0; --n) c->u[n] /= c->u[0];
}

LFT_P_STATIC double LFT_P(characters_sum)(const LFT_P(characters) *c, int k)
{
    double sum = 0;
    int    n;
    for (n = c->count - 1; n >= 0; --n) sum += (n ? 2 : 1) * lft_p_power(c->u[n], k);
    return sum;
}

/* The sum by Horner's rule in e^i theta, whose powers do not grow. */
LFT_P_STATIC void LFT_P(kernel_value)(const LFT_P(kernel) *k, const double *re, const double *im, double *value)
{
    double x[LFT_P_LANES], y[LFT_P_LANES];
    int    n, l;
    if (k->area == 1) {
        LFT_P(kernel_one)(k, re, value);
        return;
    }
    for (l = 0; l < LFT_P_LANES; ++l) x[l] = y[l] = 0;
    for (n = k->terms - 1; n >= 0; --n) {
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double next = x[l] * re[l] - y[l] * im[l] + k->c[n];
            y[l] = x[l] * im[l] + y[l] * re[l];
            x[l] = next;
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) value[l] = x[l];
}

/* At angles, one per lane. */
LFT_P_STATIC void LFT_P(kernel_at)(const LFT_P(kernel) *k, const double *angle, double *value)
{
    double re[LFT_P_LANES], im[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) lft_p_f64_p_sincos(angle[l], im + l, re + l);
    LFT_P(kernel_value)(k, re, im, value);
}

LFT_P_STATIC double LFT_P(kernel_at_one)(const LFT_P(kernel) *k, double angle)
{
    double at[LFT_P_LANES], value[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) at[l] = angle;
    LFT_P(kernel_at)(k, at, value);
    return value[0];
}

/* kappa falls from 0 to pi: its bound on a cell of [-pi, pi] is the value at the end nearer to 0. */
LFT_P_STATIC void LFT_P(kernel_init)(LFT_P(kernel) *k, const LFT_P(characters) *c, int area, int draws, lft_arena *arena)
{
    const double pi = 3.14159265358979323846;
    int          n;
    LFT_P(kernel_start)(k, c, area);
    k->c = (double *)lft_arena_alloc(arena, (size_t)c->count, sizeof(double));
    if (draws) lft_p_alias_layout(&k->table, LFT_P_CELLS, arena);
    if (!c->u || !k->c || (draws && !k->table.work)) return;
    for (n = 0; n < c->count; ++n) {
        k->c[n] = (n ? 2 : 1) * lft_p_power(c->u[n], area);
        if (k->c[n] > 1e-19) k->terms = n + 1;
    }
    k->most  = LFT_P(kernel_at_one)(k, 0);
    k->least = LFT_P(kernel_at_one)(k, pi);
    for (n = 0; draws && n < LFT_P_CELLS; ++n) {
        const int end = n < LFT_P_CELLS / 2 ? LFT_P_CELLS / 2 - n - 1 : n - LFT_P_CELLS / 2;
        k->table.weight[n] = (1 + 1e-6) * LFT_P(kernel_at_one)(k, 2 * pi / LFT_P_CELLS * end);
    }
    if (draws) lft_p_alias_build(&k->table);
}

/* Two single plaquettes: exp(beta cos) of both is one cosine, as of the heat bath. Else w from kappa_small by cells, accepted
 * with kappa_large(p - w) / kappa_large(0). */
LFT_P_STATIC int LFT_P(split)(const LFT_P(kernel) *small, const LFT_P(kernel) *large, lft_draw d, uint32_t pair, const lft_u *p,
                              lft_u *w)
{
    const double width = 6.283185307179586477 / LFT_P_CELLS;
    const lft_m  bad   = LFT_P(nonfinite)(p->c[0]);
    LFT_P(crew)  crew;
    double       u[4][LFT_P_LANES], loop[LFT_P_LANES], rest[LFT_P_LANES], value[LFT_P_LANES], other[LFT_P_LANES];
    int          l;
    LFT_P(to_wide)(loop, p->c[0]);
    w->c[0] = lft_splat(0);
    if (large->area == 1) {
        lft_w staple;
        LFT_P(sum_of)(p->c, &staple);
        staple.c[0] += 1, staple.c[1] = -staple.c[1];
        return LFT_P(any)(LFT_P(heat)(w->c, &staple, (lft_real)small->slope, d, pair / 2));
    }
    LFT_P(crew_start)(&crew, bad);
    while (LFT_P(crew_assign)(&crew)) {
        LFT_P(crew_uniforms)(&crew, &d, pair, 2, u);
        for (l = 0; l < LFT_P_LANES; ++l) {
            const int cell = lft_p_alias_pick(&small->table, u[0][l]);
            u[3][l] = ((double)(cell - LFT_P_CELLS / 2) + u[1][l]) * width;
            u[2][l] *= small->table.weight[cell] * large->most;
            rest[l] = loop[crew.of[l]] - u[3][l];
        }
        LFT_P(kernel_at)(small, u[3], value);
        LFT_P(kernel_at)(large, rest, other);
        for (l = 0; l < LFT_P_LANES; ++l) value[l] *= other[l];
        LFT_P(crew_settle)(&crew, u[2], value);
        LFT_P(crew_move_wide)(&crew, w->c, u[3]);
    }
    return crew.open > 0 || LFT_P(any)(bad);
}

#endif
#endif

/* ---- 50_theory.h, code ------------------------------------------------------------------------------------------- */

LFT_API void LFT_(action)(const LFT_(theory) *theory, const LFT_(batch) *phi, double *S)
{
    double s[LFT_P_LANES];
    int    g, l;
    for (g = 0; g < phi->groups; ++g) {
        theory->action(theory, &phi->lattice, LFT_P(group)(phi, g), s, NULL);
        for (l = 0; l < LFT_P_LANES && g * LFT_P_LANES + l < phi->n; ++l) S[g * LFT_P_LANES + l] = s[l];
    }
}

LFT_API void LFT_(force)(const LFT_(theory) *theory, const LFT_(batch) *phi, LFT_(batch) *force)
{
    double s[LFT_P_LANES];
    size_t i, n = LFT_P(group_reals)(force);
    int    g;
    for (g = 0; g < phi->groups; ++g) {
        lft_real *f = LFT_P(group)(force, g);
        theory->action(theory, &phi->lattice, LFT_P(group)(phi, g), s, f);
        for (i = 0; i < n; ++i) f[i] = -f[i];
    }
}

#if LFT_GROUP == LFT_SCALAR

/* ---- 51_phi4.h, code --------------------------------------------------------------------------------------------- */

/* With n(x) the sum of the 2d neighbours: S = sum phi [(2d + m2) phi + lambda phi^3 - n],
 * dS/dphi = 2 [(2d + m2) phi + 2 lambda phi^3 - n]. Each link enters S twice, once from either end. */
static inline void LFT_P(phi4_action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *phi_,
                                      double *S, lft_real *dS_)
{
    const lft_v   *phi    = LFT_P(const_view)(phi_);
    lft_v         *dS     = dS_ ? LFT_P(view)(dS_) : NULL;
    const int      length = LFT_P(row_length)(lattice), rows = lattice->volume / length;
    const lft_real mass   = (lft_real)(2 * LFT_DIM + theory->coupling[0]), lambda = (lft_real)theory->coupling[1];
    int            up[LFT_DIM], down[LFT_DIM], row, x, mu;
    for (x = 0; x < LFT_P_LANES; ++x) S[x] = 0;
    for (row = 0; row < rows; ++row) {
        const lft_v *here = phi + row * length;
        lft_v        sum  = lft_splat(0);
        LFT_P(neighbour_rows)(lattice, row, up, down);
        for (x = 0; x < length; ++x) {
            lft_v p = here[x], n = here[x + 1 < length ? x + 1 : 0] + here[x > 0 ? x - 1 : length - 1];
            lft_v linear, cubic;
            for (mu = 0; mu < LFT_DIM - 1; ++mu) n += phi[up[mu] + x] + phi[down[mu] + x];
            linear = mass * p - n;
            cubic  = lambda * p * p * p;
            sum += p * (linear + cubic);
            if (dS) dS[row * length + x] = 2 * (linear + 2 * cubic);
        }
        LFT_P(add_wide)(S, sum);
    }
}

LFT_API lft_status LFT_(phi4_init)(LFT_(theory) *theory, double m2, double lambda, lft_error *error)
{
    static const char *const names[] = {"m2", "lambda"};
    if (!lft_finite(m2)) return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "m2", "a finite number", m2);
    if (!lft_finite(lambda)) return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "lambda", "a finite number", lambda);
    if (lambda < 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "lambda (the action has no lower bound)", ">= 0", lambda);
    }
    if (lambda <= 0 && m2 <= 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "phi4", "m2 (no lower bound at lambda = 0)", "> 0", m2);
    }
    lft_p_zero(theory, sizeof *theory);
    theory->name          = "phi4";
    theory->couplings     = 2;
    theory->coupling_name = names;
    theory->coupling[0]   = m2;
    theory->coupling[1]   = lambda;
    theory->action        = LFT_P(phi4_action);
    return LFT_OK;
}

#else

/* ---- 52_wilson.h, code ------------------------------------------------------------------------------------------- */

/* Each plaquette and rectangle is multiplied once and pushes all of its links. */
LFT_P_STATIC void LFT_P(wilson_action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *links_,
                                       double *S, lft_real *dS_)
{
    const lft_v      *links = LFT_P(const_view)(links_);
    lft_v            *dS    = dS_ ? LFT_P(view)(dS_) : NULL;
    const LFT_P(walk) walk  = LFT_P(walk_of)(lattice);
    const double      beta = theory->coupling[0] / LFT_P_COLOURS, c1 = theory->coupling[1];
    const lft_real    one = (lft_real)(-beta * (1 - 8 * c1)), two = (lft_real)(-beta * c1);
    const int         improved = c1 < 0 || c1 > 0;
    LFT_P(place)      p        = LFT_P(first_place)();
    int               x, l, mu, nu;
    for (l = 0; l < LFT_P_LANES; ++l) S[l] = 0;
    if (dS) LFT_P(set_zero)(dS, lattice->volume * LFT_P_FORCES);
    for (x = 0; x < lattice->volume; ++x, LFT_P(next_place)(lattice, &p)) {
        lft_v sum = lft_splat(0);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu) {
                sum += one * LFT_P(rectangle)(&walk, links, p, mu, 1, nu, 1, one, dS);
                if (!improved) continue;
                sum += two * LFT_P(rectangle)(&walk, links, p, mu, 2, nu, 1, two, dS);
                sum += two * LFT_P(rectangle)(&walk, links, p, mu, 1, nu, 2, two, dS);
            }
        }
        LFT_P(add_wide)(S, sum);
    }
}

LFT_API lft_status LFT_(wilson_init)(LFT_(theory) *theory, double beta, double c1, lft_error *error)
{
    static const char *const names[] = {"beta", "c1"};
    if (!lft_finite(beta)) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson", "beta", "a finite number", beta);
    if (!lft_finite(c1)) return lft_p_fail_got(error, LFT_ERR_ARG, "wilson", "c1", "a finite number", c1);
    lft_p_zero(theory, sizeof *theory);
    theory->name          = "wilson";
    theory->couplings     = 2;
    theory->coupling_name = names;
    theory->coupling[0]   = beta;
    theory->coupling[1]   = c1;
    theory->action        = LFT_P(wilson_action);
    return LFT_OK;
}

#endif
#if LFT_UPTO >= LFT_SAMPLE
#if LFT_GROUP == LFT_SCALAR

/* ---- 60_hartley.h, code ------------------------------------------------------------------------------------------ */
/* 60_hartley.h: the separable Hartley transform of a field, for any extents.
 * Offers (private): LFT_P(hartley), LFT_P(hartley_init)(), LFT_P(hartley_apply)(), _rows() and _columns(), its two parts,
 *                   LFT_P(hartley_flops)().
 *
 *   (H f)(k) = prod_mu L_mu^{-1/2} sum_x f(x) prod_mu cas(2 pi k_mu x_mu / L_mu),   cas = cos + sin
 *
 * Real, orthogonal and its own inverse. A convolution with a kernel that is even along every axis is diagonal in it.
 *
 * One axis of extent L: with e_j = f_j + f_{L-j} and o_j = f_j - f_{L-j}, (Hf)_k = c_k + s_k and (Hf)_{L-k} = c_k - s_k,
 * where c_k = sum_j e_j cos(2 pi jk/L) and s_k = sum_j o_j sin(2 pi jk/L). While the period P is even, cos and sin are
 * even or odd under j -> P/2 - j according to the parity of k: one butterfly splits off the odd k and leaves the same
 * problem of period P/2. What remains are small dense products, which run near the peak of the machine. */

#define LFT_P_HARTLEY_FIXED 32 /* the largest extent with unrolled code */
#define LFT_P_HARTLEY_DENSE 4  /* periods up to this one are not split */
#if LFT_P_VECTOR_BYTES == 64
#define LFT_P_HARTLEY_LINES 4 /* lines at a time: 2 momenta x (cos, sin) x 4 lines fill half of 32 registers */
#else
#define LFT_P_HARTLEY_LINES 2
#endif

typedef struct LFT_P(hartley_axis) {
    int             extent;
    const lft_real *coefficient; /* of all classes, in the order in which they are used */
} LFT_P(hartley_axis);

typedef struct LFT_P(hartley) {
    LFT_(lattice)       lattice;
    LFT_P(hartley_axis) axis[LFT_DIM]; /* equal extents share their coefficients */
} LFT_P(hartley);

/* One class: the momenta first + step*i, and the rows of a line that they are sums over. Row j of a line holds e_j, row
 * L - j holds o_j; a split leaves the half problem at small j and puts the rows of the odd momenta at P/2 - j, so that
 * everything happens in place. */
typedef struct LFT_P(hartley_class) {
    int first, step, count;
    int e_at, e_n, o_at, o_n;
} LFT_P(hartley_class);

LFT_P_INLINE int LFT_P(hartley_splits)(int period)
{
    return period % 2 == 0 && period > LFT_P_HARTLEY_DENSE;
}

/* The odd momenta of level 0, 1, ... while the period extent >> level splits; all the momenta of the first that does not. */
LFT_P_INLINE LFT_P(hartley_class) LFT_P(hartley_class_of)(int extent, int level)
{
    LFT_P(hartley_class) c;
    int                  period = extent >> level, half = period / 2;
    if (LFT_P(hartley_splits)(period)) {
        c.first = 1 << level, c.step = 2 << level, c.count = (half + 1) / 2;
        c.e_at = half / 2 + 1, c.e_n = half - half / 2;
        c.o_at = extent - half + 1, c.o_n = half / 2;
    } else {
        c.first = 0, c.step = 1 << level, c.count = half + 1;
        c.e_at = 0, c.e_n = half + 1;
        c.o_n = (period - 1) / 2, c.o_at = extent - c.o_n;
    }
    return c;
}

/* Coefficients of an extent in the order of use; returns how many there are; to == NULL only counts. */
LFT_P_STATIC size_t LFT_P(hartley_coefficients)(int extent, lft_real *to)
{
    const double scale = 1 / lft_p_f64_p_sqrt((double)extent);
    size_t       n     = 0;
    int          level, i, r, more;
    for (level = 0, more = 1; more; ++level) {
        LFT_P(hartley_class) c = LFT_P(hartley_class_of)(extent, level);
        int half               = (extent >> level) / 2;
        more                   = LFT_P(hartley_splits)(extent >> level);
        if (!to) n += (size_t)c.count * (size_t)(c.e_n + c.o_n);
        for (i = 0; to && i < c.count; ++i) {
            for (r = 0; r < c.e_n + c.o_n; ++r, ++n) {
                int     row = r < c.e_n ? c.e_at + r : extent - (c.o_at + r - c.e_n);
                int64_t jk  = (int64_t)(more ? half - row : row) * (c.first + c.step * i);
                double  s, co;
                lft_p_f64_p_sincos(6.283185307179586476925 * (double)(jk % extent) / extent, &s, &co);
                to[n] = (lft_real)(scale * (r < c.e_n ? co : s));
            }
        }
    }
    return n;
}

LFT_P_STATIC void LFT_P(hartley_init)(LFT_P(hartley) *h, const LFT_(lattice) *lattice, lft_arena *arena)
{
    int mu, nu;
    h->lattice = *lattice;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        const int extent = lattice->extent[mu];
        for (nu = 0; lattice->extent[nu] != extent; ++nu) {}
        h->axis[mu].extent = extent;
        if (nu < mu) {
            h->axis[mu] = h->axis[nu];
        } else {
            size_t    n               = LFT_P(hartley_coefficients)(extent, NULL);
            lft_real *w               = (lft_real *)lft_arena_alloc(arena, n, sizeof(lft_real));
            h->axis[mu].coefficient = w;
            if (w) LFT_P(hartley_coefficients)(extent, w);
        }
    }
}

/* Vectors of scratch that hartley_apply needs. */
static inline size_t LFT_P(hartley_panel)(const LFT_(lattice) *lattice)
{
    int mu, most = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) most = lattice->extent[mu] > most ? lattice->extent[mu] : most;
    return (size_t)most * LFT_P_HARTLEY_LINES;
}

/* One line of an extent that is a constant at the call: all loops unroll, and the line lives in registers. */
LFT_P_INLINE void LFT_P(hartley_fixed)(const int extent, const lft_real *w, lft_v *x, int element)
{
    lft_v p[LFT_P_HARTLEY_FIXED];
    int   i, j, r, level;
    p[0] = x[0];
    LFT_P_UNROLL for (j = 1; j < (extent + 1) / 2; ++j)
    {
        lft_v a = x[j * element], b = x[(extent - j) * element];
        p[j]          = a + b;
        p[extent - j] = a - b;
    }
    if (extent % 2 == 0) p[extent / 2] = x[extent / 2 * element];
    LFT_P_UNROLL for (level = 0; level < 5; ++level)
    {
        const LFT_P(hartley_class) c = LFT_P(hartley_class_of)(extent, level);
        const int split = LFT_P(hartley_splits)(extent >> level), half = (extent >> level) / 2;
        if (split) {
            LFT_P_UNROLL for (j = 0; j < (half + 1) / 2; ++j)
            {
                lft_v a = p[j], b = p[half - j];
                p[j]        = a + b;
                p[half - j] = a - b;
            }
            LFT_P_UNROLL for (j = 1; j < (half + 1) / 2; ++j)
            {
                lft_v a = p[extent - j], b = p[extent - half + j];
                p[extent - j]        = a - b;
                p[extent - half + j] = a + b;
            }
        }
        LFT_P_UNROLL for (i = 0; i < c.count; ++i)
        {
            const int k    = c.first + c.step * i;
            lft_v     even = lft_splat(0), odd = lft_splat(0);
            LFT_P_UNROLL for (r = 0; r < c.e_n; ++r) even += w[r] * p[c.e_at + r];
            w += c.e_n;
            LFT_P_UNROLL for (r = 0; r < c.o_n; ++r) odd += w[r] * p[c.o_at + r];
            w += c.o_n;
            x[(k ? extent - k : 0) * element] = even - odd;
            x[k * element]                    = even + odd; /* odd is 0 where k is its own mirror */
        }
        if (!split) break;
    }
}

/* Reads `lines` lines into the panel, with all butterflies. */
LFT_P_INLINE void LFT_P(hartley_fold)(int extent, const lft_v *x, int element, int line, int lines, lft_v *panel)
{
    int j, l, period = extent;
    for (l = 0; l < lines; ++l) panel[l] = x[l * line];
    for (j = 1; 2 * j < extent; ++j) {
        for (l = 0; l < lines; ++l) {
            lft_v a = x[j * element + l * line], b = x[(extent - j) * element + l * line];
            panel[j * lines + l]            = a + b;
            panel[(extent - j) * lines + l] = a - b;
        }
    }
    if (2 * j == extent) {
        for (l = 0; l < lines; ++l) panel[j * lines + l] = x[j * element + l * line];
    }
    for (; LFT_P(hartley_splits)(period); period /= 2) {
        int half = period / 2;
        for (j = 0; 2 * j < half; ++j) {
            lft_v *p = panel + j * lines, *q = panel + (half - j) * lines;
            for (l = 0; l < lines; ++l) {
                lft_v a = p[l], b = q[l];
                p[l] = a + b;
                q[l] = a - b;
            }
        }
        for (j = 1; 2 * j < half; ++j) {
            lft_v *p = panel + (extent - j) * lines, *q = panel + (extent - half + j) * lines;
            for (l = 0; l < lines; ++l) {
                lft_v a = p[l], b = q[l];
                p[l] = a - b;
                q[l] = a + b;
            }
        }
    }
}

/* Momenta i and, if `two`, i + 1 of a class, from the panel to their places and their mirrors. `two` and `lines` are
 * constants after inlining, so that the sums live in registers. */
LFT_P_INLINE void LFT_P(hartley_tile)(LFT_P(hartley_class) c, int i, int two, const lft_real *w, const lft_v *panel,
                                      int extent, lft_v *x, int element, int line, int lines)
{
    const int    row = c.e_n + c.o_n, momenta = 1 + two;
    const lft_v *e = panel + c.e_at * lines, *o = panel + c.o_at * lines;
    lft_v        even[2][LFT_P_HARTLEY_LINES], odd[2][LFT_P_HARTLEY_LINES];
    int          r, m, l;
    w += i * row;
    for (m = 0; m < momenta; ++m) {
        for (l = 0; l < lines; ++l) even[m][l] = odd[m][l] = lft_splat(0);
    }
    for (r = 0; r < c.e_n; ++r) {
        for (m = 0; m < momenta; ++m) {
            for (l = 0; l < lines; ++l) even[m][l] += w[m * row + r] * e[r * lines + l];
        }
    }
    w += c.e_n;
    for (r = 0; r < c.o_n; ++r) {
        for (m = 0; m < momenta; ++m) {
            for (l = 0; l < lines; ++l) odd[m][l] += w[m * row + r] * o[r * lines + l];
        }
    }
    for (m = 0; m < momenta; ++m) {
        int k = c.first + c.step * (i + m), mirror = k ? extent - k : 0;
        for (l = 0; l < lines; ++l) {
            x[mirror * element + l * line] = even[m][l] - odd[m][l];
            x[k * element + l * line]      = even[m][l] + odd[m][l];
        }
    }
}

LFT_P_INLINE void LFT_P(hartley_general)(const LFT_P(hartley_axis) *axis, lft_v *x, int element, int line, int lines,
                                         lft_v *panel)
{
    const lft_real *w = axis->coefficient;
    int             extent = axis->extent, level, i, more;
    LFT_P(hartley_fold)(extent, x, element, line, lines, panel);
    for (level = 0, more = 1; more; ++level) {
        const LFT_P(hartley_class) c = LFT_P(hartley_class_of)(extent, level);
        for (i = 0; i + 2 <= c.count; i += 2) {
            LFT_P(hartley_tile)(c, i, 1, w, panel, extent, x, element, line, lines);
        }
        if (i < c.count) LFT_P(hartley_tile)(c, i, 0, w, panel, extent, x, element, line, lines);
        w += c.count * (c.e_n + c.o_n);
        more = LFT_P(hartley_splits)(extent >> level);
    }
}

/* n lines that start `line` vectors apart. The extents with unrolled code are those of the usual lattices; it is three
 * times as fast at L = 6 and 12 as the general code, whose short loops mispredict their ends. */
LFT_P_NOINLINE void LFT_P(hartley_lines)(const LFT_P(hartley_axis) *axis, lft_v *x, int element, int line, int n,
                                         lft_v *panel)
{
    const lft_real *w = axis->coefficient;
    int             i = 0;
    switch (axis->extent) {
    case 2: for (; i < n; ++i) LFT_P(hartley_fixed)(2, w, x + i * line, element); return;
    case 3: for (; i < n; ++i) LFT_P(hartley_fixed)(3, w, x + i * line, element); return;
    case 4: for (; i < n; ++i) LFT_P(hartley_fixed)(4, w, x + i * line, element); return;
    case 5: for (; i < n; ++i) LFT_P(hartley_fixed)(5, w, x + i * line, element); return;
    case 6: for (; i < n; ++i) LFT_P(hartley_fixed)(6, w, x + i * line, element); return;
    case 8: for (; i < n; ++i) LFT_P(hartley_fixed)(8, w, x + i * line, element); return;
    case 10: for (; i < n; ++i) LFT_P(hartley_fixed)(10, w, x + i * line, element); return;
    case 12: for (; i < n; ++i) LFT_P(hartley_fixed)(12, w, x + i * line, element); return;
    case 16: for (; i < n; ++i) LFT_P(hartley_fixed)(16, w, x + i * line, element); return;
    case 20: for (; i < n; ++i) LFT_P(hartley_fixed)(20, w, x + i * line, element); return;
    case LFT_P_HARTLEY_FIXED:
        for (; i < n; ++i) LFT_P(hartley_fixed)(LFT_P_HARTLEY_FIXED, w, x + i * line, element);
        return;
    default: break;
    }
    for (; i + LFT_P_HARTLEY_LINES <= n; i += LFT_P_HARTLEY_LINES) {
        LFT_P(hartley_general)(axis, x + i * line, element, line, LFT_P_HARTLEY_LINES, panel);
    }
    for (; i < n; ++i) LFT_P(hartley_general)(axis, x + i * line, element, line, 1, panel);
}

/* One part of the transform: along the last axis, of `rows` rows from x on that start `row` vectors apart. panel:
 * hartley_panel() vectors of scratch. */
static inline void LFT_P(hartley_rows)(const LFT_P(hartley) *h, lft_v *x, int rows, int row, lft_v *panel)
{
    const LFT_P(hartley_axis) *axis = h->axis + LFT_DIM - 1;
    if (axis->extent > 1) LFT_P(hartley_lines)(axis, x, 1, row, rows, panel);
}

/* The other part: along all other axes, of the whole field. The two may come in either order. What stands between the rows is
 * lost. */
static inline void LFT_P(hartley_columns)(const LFT_P(hartley) *h, lft_v *x, int row, lft_v *panel)
{
    const int length = h->axis[LFT_DIM - 1].extent, size = h->lattice.volume / length * row;
    int       mu, at, inner = row;
    for (mu = LFT_DIM - 2; mu >= 0; --mu) {
        const int extent = h->axis[mu].extent;
        for (at = 0; extent > 1 && at < size; at += extent * inner) {
            LFT_P(hartley_lines)(h->axis + mu, x + at, inner, 1, mu == LFT_DIM - 2 ? length : inner, panel);
        }
        inner *= extent;
    }
}

/* x[site] <- (H x)[momentum], in place, both in row-major order. */
static inline void LFT_P(hartley_apply)(const LFT_P(hartley) *h, lft_v *x, lft_v *panel)
{
    const int length = h->axis[LFT_DIM - 1].extent;
    LFT_P(hartley_rows)(h, x, h->lattice.volume / length, length, panel);
    LFT_P(hartley_columns)(h, x, length, panel);
}

/* Floating-point operations of one transform of one lane: for the benchmark's fraction of peak. */
static inline double LFT_P(hartley_flops)(const LFT_(lattice) *lattice)
{
    double flops = 0;
    int    mu, period;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        int    extent = lattice->extent[mu];
        double line   = 2.0 * (double)LFT_P(hartley_coefficients)(extent, NULL) + 2.0 * extent; /* first, last butterfly */
        for (period = extent; LFT_P(hartley_splits)(period); period /= 2) line += period;
        if (extent > 1) flops += line * lattice->volume / extent;
    }
    return flops;
}

/* ---- 61_spectrum.h, code ----------------------------------------------------------------------------------------- */
/* 61_spectrum.h: kernels that are even along every axis and tied over the hypercubic group, in position and in momentum.
 * Offers (private): LFT_P(spectrum), LFT_P(spectrum_init)(), LFT_P(spectrum_of_kernel)() and its transpose,
 *                   LFT_P(spectrum_product)(), _add_product, _dot, _mix, _unmix, _transfer.
 *
 * The compact index of a displacement (or a momentum) folds every component to min(r, L - r): prod (L_mu/2 + 1) entries,
 * row-major. The orbits are those of the permutations of axes of equal extent, one axis left alone if it is `apart`, in order of
 * their smallest compact index.
 * The eigenvalue of the convolution with a kernel w is  lambda(k) = sum_r w(r) prod_mu cos(2 pi k_mu r_mu / L_mu). */

typedef struct LFT_P(spectrum) {
    LFT_(lattice) lattice;
    int           half[LFT_DIM];   /* L/2 + 1 */
    int           apart;           /* an axis unlike those of equal extent, or -1 */
    int           count, orbits;   /* compact entries, orbits */
    int          *orbit;           /* [count] */
    int          *compact;         /* [volume] the compact index of each momentum */
    double       *cosine[LFT_DIM]; /* [half][half]: times the number of displacements that fold to r */
} LFT_P(spectrum);

/* Number of sites that fold to a compact index. */
static inline int LFT_P(spectrum_multiplicity)(const LFT_P(spectrum) *s, int compact)
{
    int mu, times = 1;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        int r = compact % s->half[mu];
        times *= r > 0 && 2 * r < s->lattice.extent[mu] ? 2 : 1;
        compact /= s->half[mu];
    }
    return times;
}

/* The smallest compact index of the orbit: components of equal axes in ascending order. */
LFT_P_STATIC int LFT_P(spectrum_representative)(const LFT_P(spectrum) *s, int compact)
{
    int r[LFT_DIM], mu, nu, index = 0;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        r[mu] = compact % s->half[mu];
        compact /= s->half[mu];
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = mu + 1; nu < LFT_DIM; ++nu) {
            if (s->lattice.extent[mu] == s->lattice.extent[nu] && mu != s->apart && nu != s->apart && r[nu] < r[mu]) {
                int swap = r[mu];
                r[mu]    = r[nu];
                r[nu]    = swap;
            }
        }
    }
    for (mu = 0; mu < LFT_DIM; ++mu) index = index * s->half[mu] + r[mu];
    return index;
}

LFT_P_STATIC void LFT_P(spectrum_init)(LFT_P(spectrum) *s, const LFT_(lattice) *lattice, int apart, lft_arena *arena)
{
    int mu, i, j;
    s->lattice = *lattice;
    s->apart   = apart;
    s->count   = 1;
    s->orbits  = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        s->half[mu] = lattice->extent[mu] / 2 + 1;
        s->count *= s->half[mu];
    }
    for (i = 0; i < s->count; ++i) s->orbits += LFT_P(spectrum_representative)(s, i) == i;
    s->orbit   = (int *)lft_arena_alloc(arena, (size_t)s->count, sizeof(int));
    s->compact = (int *)lft_arena_alloc(arena, (size_t)lattice->volume, sizeof(int));
    for (mu = 0; mu < LFT_DIM; ++mu) {
        const int h      = s->half[mu], extent = lattice->extent[mu];
        double   *cosine = (double *)lft_arena_alloc(arena, (size_t)h * (size_t)h, sizeof(double)), sine;
        s->cosine[mu]    = cosine;
        for (i = 0; cosine && i < h; ++i) {
            for (j = 0; j < h; ++j) {
                lft_p_f64_p_sincos(6.283185307179586476925 * (double)((int64_t)i * j % extent) / extent, &sine,
                                   cosine + i * h + j);
                if (j > 0 && 2 * j < extent) cosine[i * h + j] *= 2;
            }
        }
    }
    if (!s->orbit || !s->compact) return;
    for (i = 0, j = 0; i < s->count; ++i) {
        int r       = LFT_P(spectrum_representative)(s, i);
        s->orbit[i] = r == i ? j++ : s->orbit[r];
    }
    for (i = 0; i < lattice->volume; ++i) {
        int rest = i, stride = 1;
        for (s->compact[i] = 0, mu = LFT_DIM - 1; mu >= 0; --mu) {
            int extent = lattice->extent[mu], k = rest % extent;
            s->compact[i] += stride * (2 * k < extent ? k : (extent - k) % extent);
            rest /= extent;
            stride *= s->half[mu];
        }
    }
}

/* r^2 of a compact index: the squared length of the displacement. */
static inline int LFT_P(spectrum_distance2)(const LFT_P(spectrum) *s, int compact)
{
    int mu, sum = 0;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        int r = compact % s->half[mu];
        sum += r * r;
        compact /= s->half[mu];
    }
    return sum;
}

/* One axis of the separable sum: out(k) = sum_r C[k][r] in(r), or with C transposed. */
static inline void LFT_P(spectrum_axis)(const LFT_P(spectrum) *s, int mu, int transposed, const double *in, double *out)
{
    const int     h = s->half[mu];
    const double *c = s->cosine[mu];
    int           inner = 1, nu, o, i, k, r;
    for (nu = mu + 1; nu < LFT_DIM; ++nu) inner *= s->half[nu];
    for (o = 0; o < s->count / (h * inner); ++o) {
        for (k = 0; k < h; ++k) {
            for (i = 0; i < inner; ++i) {
                double sum = 0;
                for (r = 0; r < h; ++r) {
                    sum += (transposed ? c[r * h + k] : c[k * h + r]) * in[(o * h + r) * inner + i];
                }
                out[(o * h + k) * inner + i] = sum;
            }
        }
    }
}

/* lambda[count] from a kernel[orbits]. work: 2 count doubles. O(count sum half). */
static inline void LFT_P(spectrum_of_kernel)(const LFT_P(spectrum) *s, const double *kernel, double *lambda, double *work)
{
    int mu, i;
    for (i = 0; i < s->count; ++i) work[i] = kernel[s->orbit[i]];
    for (mu = 0; mu < LFT_DIM; ++mu) {
        double *to = mu == LFT_DIM - 1 ? lambda : work + (mu % 2 == 0 ? s->count : 0);
        LFT_P(spectrum_axis)(s, mu, 0, work + (mu % 2 == 0 ? 0 : s->count), to);
    }
}

/* dkernel += C^T dlambda, the transpose of spectrum_of_kernel. */
static inline void LFT_P(spectrum_of_kernel_backward)(const LFT_P(spectrum) *s, const double *dlambda, double *dkernel,
                                                      double *work)
{
    const double *from = dlambda;
    int           mu, i;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        double *to = work + (mu % 2 == 0 ? 0 : s->count);
        LFT_P(spectrum_axis)(s, mu, 1, from, to);
        from = to;
    }
    for (i = 0; i < s->count; ++i) dkernel[s->orbit[i]] += from[i];
}

/* y(k) = lambda(k) x(k) */
LFT_P_INLINE void LFT_P(spectrum_product)(const LFT_P(spectrum) *s, const lft_real *lambda, const lft_v *x, lft_v *y)
{
    const int *compact = s->compact, volume = s->lattice.volume;
    int        k;
    for (k = 0; k < volume; ++k) y[k] = lambda[compact[k]] * x[k];
}

/* y(k) += lambda(k) x(k) */
LFT_P_INLINE void LFT_P(spectrum_add_product)(const LFT_P(spectrum) *s, const lft_real *lambda, const lft_v *x, lft_v *y)
{
    const int *compact = s->compact, volume = s->lattice.volume;
    int        k;
    for (k = 0; k < volume; ++k) y[k] += lambda[compact[k]] * x[k];
}

/* dlambda[compact(k)] += x(k) y(k), lane by lane: the derivative of y . (lambda x). */
LFT_P_INLINE void LFT_P(spectrum_dot)(const LFT_P(spectrum) *s, const lft_v *x, const lft_v *y, lft_v *dlambda)
{
    const int *compact = s->compact, volume = s->lattice.volume;
    int        k;
    for (k = 0; k < volume; ++k) dlambda[compact[k]] += x[k] * y[k];
}

/* Kernels from many fields x_f to many fields y_j: lambda[orbits][sets][features], the fields `apart` from each other, and their
 * rows `row`. A few features at a time, whose loops are unrolled so that they live in registers; and a momentum with its mirror
 * image along the last axis, which has the same kernels. */
enum { LFT_P(spectrum_fields) = 5 };

typedef struct LFT_P(spectrum_mixing) {
    const LFT_P(spectrum) *spectrum;
    int                    sets, features, apart, row;
} LFT_P(spectrum_mixing);

/* So many of the features from f on at once as there is unrolled code for. */
LFT_P_INLINE int LFT_P(spectrum_at_once)(int f, int features)
{
    const int most = LFT_P(spectrum_fields), rest = features - f;
    return rest >= most ? most : rest == most - 1 ? rest : 1;
}

/* At one momentum and, if `momenta` is 2, at its mirror image: y_j = sum_f lambda_jf x_f, or that added. */
LFT_P_INLINE void LFT_P(spectrum_mix_at)(const LFT_P(spectrum_mixing) *m, int n, int momenta, int mirror, int add,
                                         const lft_real *lambda, const lft_v *x, lft_v *y)
{
    const lft_v zero = lft_splat(0);
    lft_v       here[LFT_P(spectrum_fields)], there[LFT_P(spectrum_fields)];
    int         f, j;
    LFT_P_UNROLL for (f = 0; f < n; ++f, x += m->apart)
    {
        here[f]  = x[0];
        there[f] = x[mirror];
    }
    for (j = 0; j < m->sets; ++j, y += m->apart, lambda += m->features) {
        lft_v sum = add ? y[0] : zero, other = add ? y[mirror] : zero;
        LFT_P_UNROLL for (f = 0; f < n; ++f)
        {
            sum += lambda[f] * here[f];
            if (momenta > 1) other += lambda[f] * there[f];
        }
        y[0] = sum;
        if (momenta > 1) y[mirror] = other;
    }
}

LFT_P_INLINE void LFT_P(spectrum_mix_of)(const LFT_P(spectrum_mixing) *m, int n, int add, const lft_real *lambda, const lft_v *x,
                                         lft_v *y)
{
    const LFT_P(spectrum) *s = m->spectrum;
    const int              length = LFT_P(row_length)(&s->lattice), step = m->sets * m->features;
    int                    row, k;
    for (row = 0; row < s->lattice.volume / length; ++row, x += m->row, y += m->row) {
        const int *orbit = s->orbit + s->compact[row * length];
        for (k = 0; 2 * k <= length && k < length; ++k) {
            const lft_real *at     = lambda + orbit[k] * step;
            const int       mirror = length - 2 * k;
            if (k && mirror) LFT_P(spectrum_mix_at)(m, n, 2, mirror, add, at, x + k, y + k);
            else LFT_P(spectrum_mix_at)(m, n, 1, 0, add, at, x + k, y + k);
        }
    }
}

/* y_j(k) = sum_f lambda_jf(k) x_f(k), f < n, or that added; n from spectrum_at_once, lambda from the first of these on. */
LFT_P_NOINLINE void LFT_P(spectrum_mix)(const LFT_P(spectrum_mixing) *m, int n, int add, const lft_real *lambda, const lft_v *x,
                                        lft_v *y)
{
    const int most = LFT_P(spectrum_fields);
    if (n == most) LFT_P(spectrum_mix_of)(m, LFT_P(spectrum_fields), add, lambda, x, y);
    else if (n == most - 1) LFT_P(spectrum_mix_of)(m, LFT_P(spectrum_fields) - 1, add, lambda, x, y);
    else LFT_P(spectrum_mix_of)(m, 1, add, lambda, x, y);
}

/* What is wanted of a transpose: y_j as above but not y_0, added or not, if y is not NULL; dlambda, if it is not NULL. */
typedef struct LFT_P(spectrum_wanted) {
    lft_v *y, *dlambda;
    int    add;
} LFT_P(spectrum_wanted);

LFT_P_INLINE void LFT_P(spectrum_unmix_at)(const LFT_P(spectrum_mixing) *m, int n, int want, int momenta, int mirror, int add,
                                           const lft_real *lambda, lft_v *x, const lft_v *dy, lft_v *y, lft_v *dlambda)
{
    const lft_v zero = lft_splat(0);
    lft_v       here[LFT_P(spectrum_fields)], there[LFT_P(spectrum_fields)];
    lft_v       dhere[LFT_P(spectrum_fields)], dthere[LFT_P(spectrum_fields)];
    int         f, j;
    LFT_P_UNROLL for (f = 0; f < n; ++f)
    {
        here[f]  = x[f * m->apart];
        there[f] = x[f * m->apart + mirror];
        dhere[f] = dthere[f] = zero;
    }
    for (j = 0; j < m->sets; ++j, dy += m->apart, lambda += m->features) {
        const lft_v d = dy[0], e = dy[mirror];
        LFT_P_UNROLL for (f = 0; f < n; ++f)
        {
            dhere[f] += lambda[f] * d;
            if (momenta > 1) dthere[f] += lambda[f] * e;
            if (want) dlambda[f] += momenta > 1 ? here[f] * d + there[f] * e : here[f] * d;
        }
        if (want) dlambda += m->features;
        if (y && j) {
            lft_v sum, other;
            y += m->apart;
            sum = add ? y[0] : zero, other = add ? y[mirror] : zero;
            LFT_P_UNROLL for (f = 0; f < n; ++f)
            {
                sum += lambda[f] * here[f];
                if (momenta > 1) other += lambda[f] * there[f];
            }
            y[0] = sum;
            if (momenta > 1) y[mirror] = other;
        }
    }
    LFT_P_UNROLL for (f = 0; f < n; ++f)
    {
        x[f * m->apart] = dhere[f];
        if (momenta > 1) x[f * m->apart + mirror] = dthere[f];
    }
}

LFT_P_INLINE void LFT_P(spectrum_unmix_of)(const LFT_P(spectrum_mixing) *m, int n, int want, const lft_real *lambda, lft_v *x,
                                           const lft_v *dy, const LFT_P(spectrum_wanted) *w)
{
    const LFT_P(spectrum) *s = m->spectrum;
    const int              length = LFT_P(row_length)(&s->lattice), step = m->sets * m->features;
    int                    row, k;
    for (row = 0; row < s->lattice.volume / length; ++row) {
        const int *orbit = s->orbit + s->compact[row * length];
        for (k = 0; 2 * k <= length && k < length; ++k) {
            const lft_real *at     = lambda + orbit[k] * step;
            lft_v          *d      = want ? w->dlambda + orbit[k] * step : NULL, *y = w->y ? w->y + row * m->row + k : NULL;
            const int       mirror = length - 2 * k, i = row * m->row + k;
            if (k && mirror) LFT_P(spectrum_unmix_at)(m, n, want, 2, mirror, w->add, at, x + i, dy + i, y, d);
            else LFT_P(spectrum_unmix_at)(m, n, want, 1, 0, w->add, at, x + i, dy + i, y, d);
        }
    }
}

/* The transpose of spectrum_mix: x_f(k) = sum_j lambda_jf(k) dy_j(k), in the place of the features x_f. These are read before
 * where something is wanted of them: the y_j; dlambda_jf[orbit(k)] += x_f(k) dy_j(k), lane by lane, which is the derivative of
 * sum_j dy_j . y_j. */
LFT_P_NOINLINE void LFT_P(spectrum_unmix)(const LFT_P(spectrum_mixing) *m, int n, const lft_real *lambda, lft_v *x,
                                          const lft_v *dy, const LFT_P(spectrum_wanted) *w)
{
    const int most = LFT_P(spectrum_fields);
    if (n == most && w->dlambda) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields), 1, lambda, x, dy, w);
    else if (n == most) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields), 0, lambda, x, dy, w);
    else if (n == most - 1 && w->dlambda) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields) - 1, 1, lambda, x, dy, w);
    else if (n == most - 1) LFT_P(spectrum_unmix_of)(m, LFT_P(spectrum_fields) - 1, 0, lambda, x, dy, w);
    else if (w->dlambda) LFT_P(spectrum_unmix_of)(m, 1, 1, lambda, x, dy, w);
    else LFT_P(spectrum_unmix_of)(m, 1, 0, lambda, x, dy, w);
}

/* A kernel of another lattice on this one: every displacement keeps its weight, shared where it has two images (+-L/2), summed
 * where the new extents make one of several. On fields with the period of both lattices the two kernels do the same, if
 * axes of equal extent were so before: the value of an orbit is that at its first displacement. */
LFT_P_STATIC void LFT_P(spectrum_transfer)(const LFT_P(spectrum) *s, double *kernel, const LFT_P(spectrum) *from,
                                           const double *source)
{
    int i, mu;
    for (i = 0; i < s->orbits; ++i) kernel[i] = 0;
    for (i = 0; i < from->count; ++i) {
        int rest = i, stride = 1, to = 0;
        for (mu = LFT_DIM - 1; mu >= 0; --mu) {
            const int extent = s->lattice.extent[mu], r = rest % from->half[mu] % extent;
            to += stride * (2 * r < extent ? r : extent - r);
            rest /= from->half[mu];
            stride *= s->half[mu];
        }
        if (LFT_P(spectrum_representative)(s, to) != to) continue;
        kernel[s->orbit[to]] += source[from->orbit[i]] * LFT_P(spectrum_multiplicity)(from, i) /
                                LFT_P(spectrum_multiplicity)(s, to);
    }
}

/* ---- 62_velocity.h, code ----------------------------------------------------------------------------------------- */
/* 62_velocity.h: the velocity of the equivariant continuous flow, its divergence, and the gradient of both.
 * Offers (private): LFT_P(velocity), LFT_P(velocity_init)(), LFT_P(velocity_fields), LFT_P(velocity_forward)(),
 *                   LFT_P(velocity_backward)().
 *
 *   v_x(phi, t) = sum_j g_j(phi_x) u_j(x) + z(M),     u_j(x) = sum_f sum_y W_jf(x - y; t) s_f(phi_y)
 *   features  s_f(phi) = sin(omega_f phi), and phi itself as the last one if `linear`
 *   gates     g_0 = 1, g_j(phi) = cos(eta_j phi): even, so that v stays odd in phi
 *   zero mode z(M) = sum_q zeta_q(t) sin(kappa_q M),  M the mean of phi
 *   div v     = sum_x sum_j [ g_j(phi_x) a_j(x) + g_j'(phi_x) u_j(x) ] + z'(M),  a_j(x) = sum_f W_jf(0; t) s_f'(phi_x)
 * (2110.02673 eq. 8 and 2207.00283 without gates and zero mode.) The kernels act in momentum space, where they are
 * diagonal: one transform for each feature and one for each gate. A few features at a time are in work, so that they are
 * read once where they are mixed; and a stretch of whole rows at a time, so that what is done with one feature after the
 * other, the transform along the rows included, finds it in the first cache. */

typedef struct LFT_P(velocity) {
    LFT_P(spectrum) spectrum;
    LFT_P(hartley)  hartley;
    int             volume, sines, features, gates, zeros; /* features = sines + linear */
    int             stretch;    /* sites: as many rows as make LFT_P_CHUNK, at least one */
    int             row, apart; /* of the fields in work, from row to row and from field to field: no large powers of 2, as
                                   columns, and a site of all fields, would meet in the same lines of the cache */
    int             times; /* at which the time-dependent tables are given */
    lft_real       *omega, *eta, *kappa; /* [sines], [gates], [zeros] */
    lft_real       *lambda; /* [times][spectrum.orbits][1 + gates][features] */
    lft_real       *origin; /* [times][1 + gates][features]: W_jf(0) */
    lft_real       *zeta;   /* [times][zeros] */
} LFT_P(velocity);

/* Derivatives at one time, summed over the lanes but for lambda's, whose sum can wait until a time is done with. */
typedef struct LFT_P(velocity_gradient) {
    lft_v  *lambda; /* shapes as above, without the times */
    double *origin, *zeta;
    double *omega, *eta, *kappa;
} LFT_P(velocity_gradient);

/* Fields to work in. u, a, gate and gsine outlive an evaluation. */
typedef struct LFT_P(velocity_fields) {
    lft_v *hat;               /* [spectrum_fields][apart]: transforms of features, or of their cotangents */
    lft_v *u;                 /* [1 + gates][apart]: u_j */
    lft_v *a, *gate, *gsine;  /* [gates][apart]: a_j, cos and sin of eta_j phi */
    lft_v *du;                /* [1 + gates][apart]: cotangents of the u_j, for backward */
    lft_v *part;              /* [spectrum_fields][2 + gates]: lanes of sums of the gradient: by omega, by W_jf(0) */
} LFT_P(velocity_fields);

LFT_P_STATIC void LFT_P(velocity_init)(LFT_P(velocity) *u, const LFT_(lattice) *lattice, int sines, int linear, int gates,
                                       int zeros, int times, lft_arena *arena)
{
    size_t    kernels = (size_t)times * (size_t)(1 + gates) * (size_t)(sines + linear);
    const int length  = LFT_P(row_length)(lattice);
    LFT_P(spectrum_init)(&u->spectrum, lattice, -1, arena);
    LFT_P(hartley_init)(&u->hartley, lattice, arena);
    u->volume   = lattice->volume;
    u->sines    = sines;
    u->features = sines + linear;
    u->gates    = gates;
    u->zeros    = zeros;
    u->times    = times;
    u->row      = length;
    u->stretch  = length < LFT_P_CHUNK ? LFT_P_CHUNK / length * length : length;
    if (LFT_DIM > 1 && length % (LFT_P_CHUNK / 2) == 0) { /* then a stretch is one row: only these are apart */
        u->row     = length + 1;
        u->stretch = length;
    }
    u->apart = u->volume / length * u->row;
    if (u->apart % LFT_P_CHUNK == 0) u->apart += LFT_P_CHUNK / 16;
    u->omega    = (lft_real *)lft_arena_alloc(arena, (size_t)sines, sizeof(lft_real));
    u->eta      = (lft_real *)lft_arena_alloc(arena, (size_t)gates, sizeof(lft_real));
    u->kappa    = (lft_real *)lft_arena_alloc(arena, (size_t)zeros, sizeof(lft_real));
    u->lambda   = (lft_real *)lft_arena_alloc(arena, kernels * (size_t)u->spectrum.orbits, sizeof(lft_real));
    u->origin   = (lft_real *)lft_arena_alloc(arena, kernels, sizeof(lft_real));
    u->zeta     = (lft_real *)lft_arena_alloc(arena, (size_t)(times * zeros), sizeof(lft_real));
}

LFT_P_STATIC LFT_P(velocity_fields) LFT_P(velocity_scratch)(const LFT_P(velocity) *u, int backward, lft_arena *arena)
{
    LFT_P(velocity_fields) w;
    const size_t field = (size_t)u->apart, gated = field * (size_t)u->gates;
    const int    most   = LFT_P(spectrum_fields);
    w.hat   = LFT_P(vectors)(arena, field * (size_t)(u->features < most ? u->features : most));
    w.u     = LFT_P(vectors)(arena, field + gated);
    w.a     = LFT_P(vectors)(arena, gated);
    w.gate  = LFT_P(vectors)(arena, gated);
    w.gsine = LFT_P(vectors)(arena, gated);
    w.du    = LFT_P(vectors)(arena, backward ? field + gated : 0);
    w.part  = LFT_P(vectors)(arena, backward ? (size_t)(most * (2 + u->gates)) : 0);
    return w;
}

/* Of gate j and feature f at time t: the entry of `origin`, and that of `lambda` at momentum 0. */
LFT_P_INLINE size_t LFT_P(velocity_kernel)(const LFT_P(velocity) *u, int t, int j, int f)
{
    return ((size_t)t * (size_t)(1 + u->gates) + (size_t)j) * (size_t)u->features + (size_t)f;
}

LFT_P_INLINE size_t LFT_P(velocity_lambda)(const LFT_P(velocity) *u, int t, int j, int f)
{
    return (size_t)t * (size_t)u->spectrum.orbits * (size_t)((1 + u->gates) * u->features) + (size_t)(j * u->features + f);
}

LFT_P_INLINE LFT_P(spectrum_mixing) LFT_P(velocity_mixing)(const LFT_P(velocity) *u)
{
    LFT_P(spectrum_mixing) m;
    m.spectrum = &u->spectrum;
    m.sets     = 1 + u->gates;
    m.features = u->features;
    m.apart    = u->apart;
    m.row      = u->row;
    return m;
}

/* Where the site `begin` of phi, the first of a row, is in the fields in work. */
LFT_P_INLINE int LFT_P(velocity_at)(const LFT_P(velocity) *u, int begin)
{
    return begin / LFT_P(row_length)(&u->spectrum.lattice) * u->row;
}

/* The transform along the rows from site `begin` to `end` of a field in work */
LFT_P_INLINE void LFT_P(velocity_rows)(const LFT_P(velocity) *u, lft_v *x, int begin, int end, lft_v *panel)
{
    const int rows = (end - begin) / LFT_P(row_length)(&u->spectrum.lattice);
    LFT_P(hartley_rows)(&u->hartley, x + LFT_P(velocity_at)(u, begin), rows, u->row, panel);
}

/* Ends of pieces: of the stretch that begins at a site, of the chunk. */
LFT_P_INLINE int LFT_P(velocity_end)(int begin, int length, int end)
{
    return begin + length < end ? begin + length : end;
}

/* Sines and cosines at n sites, where wanted; the sum of the cosines. */
LFT_P_INLINE lft_v LFT_P(velocity_sines)(lft_real omega, const lft_v *phi, int n, lft_v *sine, lft_v *cosine)
{
    lft_v sum = lft_splat(0);
    int   x;
    for (x = 0; x < n; ++x) {
        lft_v s, c;
        LFT_P(sincos_fast)(omega, phi[x], &s, &c);
        sine[x] = s;
        if (cosine) {
            cosine[x] = c;
            sum += c;
        }
    }
    return sum;
}

/* The mean of the field, summed in double. */
static inline lft_v LFT_P(velocity_mean)(const lft_v *phi, int volume)
{
    double sum[LFT_P_LANES];
    int    l, x, end;
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] = 0;
    for (x = 0; x < volume;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) part += phi[x];
        LFT_P(add_wide)(sum, part);
    }
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] /= volume;
    return LFT_P(from_wide)(sum);
}

/* cos and sin of eta_j phi */
static inline void LFT_P(velocity_gates)(const LFT_P(velocity) *u, const lft_v *phi, const LFT_P(velocity_fields) *w)
{
    const int volume = u->volume;
    int       j;
    for (j = 0; j < u->gates; ++j) {
        (void)LFT_P(velocity_sines)(u->eta[j], phi, volume, w->gsine + j * u->apart, w->gate + j * u->apart);
    }
}

/* v = sum_j g_j u_j, div += sum_x sum_j (g_j a_j + g_j' u_j), j > 0, of the u_j that are back but along the rows. */
static inline void LFT_P(velocity_sum)(const LFT_P(velocity) *u, const LFT_P(velocity_fields) *w, lft_v *v, double *div,
                                       lft_v *panel)
{
    const int volume = u->volume;
    int       j, x, begin, stretch, end;
    for (begin = 0; begin < volume; begin = stretch) {
        const int at = LFT_P(velocity_at)(u, begin);
        stretch      = LFT_P(velocity_end)(begin, u->stretch, volume);
        for (j = 0; j <= u->gates; ++j) LFT_P(velocity_rows)(u, w->u + j * u->apart, begin, stretch, panel);
        lft_p_copy(v + begin, w->u + at, (size_t)(stretch - begin) * sizeof(lft_v));
        for (j = 0; j < u->gates; ++j) {
            const lft_v   *a = w->a + j * u->apart, *uj = w->u + (1 + j) * u->apart + at - begin;
            const lft_v   *gate = w->gate + j * u->apart, *gsine = w->gsine + j * u->apart;
            const lft_real eta = u->eta[j];
            for (x = begin; x < stretch;) {
                lft_v part = lft_splat(0);
                for (end = LFT_P(velocity_end)(x, LFT_P_CHUNK, stretch); x < end; ++x) {
                    part += gate[x] * a[x] - eta * gsine[x] * uj[x];
                    v[x] += gate[x] * uj[x];
                }
                LFT_P(add_wide)(div, part);
            }
        }
    }
}

/* Features f ... f + n - 1, transformed. Where `slopes` is wanted their shares of the a_j too, and, unless div is NULL, of
 * div. */
static inline void LFT_P(velocity_features)(const LFT_P(velocity) *u, int t, int f, int n, int slopes, const lft_v *phi,
                                            const LFT_P(velocity_fields) *w, double *div, lft_v *panel)
{
    const int       volume = u->volume;
    const lft_real *origin = u->origin + LFT_P(velocity_kernel)(u, t, 0, f);
    lft_v           cosine[LFT_P_CHUNK];
    int             i, j, x, begin, stretch, at, m;
    for (begin = 0; begin < volume; begin = stretch) {
        stretch = LFT_P(velocity_end)(begin, u->stretch, volume);
        for (at = begin; at < stretch; at += m) {
            lft_v part = lft_splat(0);
            m          = LFT_P(velocity_end)(at, LFT_P_CHUNK, stretch) - at;
            for (j = 0; j < u->gates && slopes && f == 0; ++j) LFT_P(set_zero)(w->a + j * u->apart + at, m);
            for (i = 0; i < n; ++i) {
                lft_v   *hat   = w->hat + i * u->apart + LFT_P(velocity_at)(u, begin) + at - begin;
                lft_real omega = 1;
                lft_v    sum   = lft_splat((lft_real)m);
                if (f + i >= u->sines) {
                    lft_p_copy(hat, phi + at, (size_t)m * sizeof(lft_v));
                    for (x = 0; x < m; ++x) cosine[x] = lft_splat(1);
                } else {
                    omega = u->omega[f + i];
                    if (slopes) sum = LFT_P(velocity_sines)(omega, phi + at, m, hat, cosine);
                    else (void)LFT_P(velocity_sines)(omega, phi + at, m, hat, NULL);
                }
                part += origin[i] * omega * sum;
                for (j = 0; j < u->gates && slopes; ++j) {
                    const lft_real slope = origin[(1 + j) * u->features + i] * omega;
                    lft_v         *a     = w->a + j * u->apart + at;
                    for (x = 0; x < m; ++x) a[x] += slope * cosine[x];
                }
            }
            if (div) LFT_P(add_wide)(div, part);
        }
        for (i = 0; i < n; ++i) LFT_P(velocity_rows)(u, w->hat + i * u->apart, begin, stretch, panel);
    }
    for (i = 0; i < n; ++i) LFT_P(hartley_columns)(&u->hartley, w->hat + i * u->apart, u->row, panel);
}

static inline void LFT_P(velocity_zero_mode)(const LFT_P(velocity) *u, int t, const lft_v *phi, lft_v *v, double *div)
{
    const lft_v mean = LFT_P(velocity_mean)(phi, u->volume);
    lft_v       z = lft_splat(0), dz = lft_splat(0);
    int         q, x;
    for (q = 0; q < u->zeros; ++q) {
        lft_real zeta = u->zeta[t * u->zeros + q];
        lft_v    s, c;
        LFT_P(sincos)(u->kappa[q] * mean, &s, &c);
        z += zeta * s;
        dz += zeta * u->kappa[q] * c;
    }
    LFT_P(add_wide)(div, dz);
    for (x = 0; x < u->volume; ++x) v[x] += z;
}

/* v[volume] and div[lane] at phi and time t. panel: hartley_panel vectors. */
LFT_P_NOINLINE void LFT_P(velocity_forward)(const LFT_P(velocity) *u, int t, const lft_v *phi,
                                            const LFT_P(velocity_fields) *w, lft_v *v, double *div, lft_v *panel)
{
    const LFT_P(spectrum_mixing) m = LFT_P(velocity_mixing)(u);
    int                          f, j, l, n;
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
    LFT_P(velocity_gates)(u, phi, w);
    for (f = 0; f < u->features; f += n) {
        n = LFT_P(spectrum_at_once)(f, u->features);
        LFT_P(velocity_features)(u, t, f, n, 1, phi, w, div, panel);
        LFT_P(spectrum_mix)(&m, n, f > 0, u->lambda + LFT_P(velocity_lambda)(u, t, 0, f), w->hat, w->u);
    }
    for (j = 0; j <= u->gates; ++j) LFT_P(hartley_columns)(&u->hartley, w->u + j * u->apart, u->row, panel);
    LFT_P(velocity_sum)(u, w, v, div, panel);
    if (u->zeros) LFT_P(velocity_zero_mode)(u, t, phi, v, div);
}

/* The cotangents of the u_j, transformed. */
static inline void LFT_P(velocity_cotangents)(const LFT_P(velocity) *u, const LFT_P(velocity_fields) *w, const lft_v *dv,
                                              lft_v ddiv, lft_v *panel)
{
    const int volume = u->volume;
    int       j, x, begin, end;
    for (j = 0; j <= u->gates; ++j) {
        lft_v *duj = w->du + j * u->apart, *to;
        for (begin = 0; begin < volume; begin = end) {
            end = LFT_P(velocity_end)(begin, u->stretch, volume);
            to  = duj + LFT_P(velocity_at)(u, begin) - begin;
            if (j) {
                const lft_v *gate = w->gate + (j - 1) * u->apart, *gsine = w->gsine + (j - 1) * u->apart;
                const lft_v  slope = u->eta[j - 1] * ddiv;
                for (x = begin; x < end; ++x) to[x] = gate[x] * dv[x] - slope * gsine[x];
            } else {
                lft_p_copy(to + begin, dv + begin, (size_t)(end - begin) * sizeof(lft_v));
            }
            LFT_P(velocity_rows)(u, duj, begin, end, panel);
        }
        LFT_P(hartley_columns)(&u->hartley, duj, u->row, panel);
    }
}

/* The gates' own part of the gradient at sites from `begin` to `end`. spread: ddiv is not 0; else the a_j may be anything. */
LFT_P_INLINE void LFT_P(velocity_gates_backward)(const LFT_P(velocity) *u, int spread, const lft_v *phi,
                                                 const LFT_P(velocity_fields) *w, const lft_v *dv, lft_v ddiv, int begin, int end,
                                                 lft_v *dphi, const LFT_P(velocity_gradient) *d)
{
    const int at = LFT_P(velocity_at)(u, begin) - begin;
    int       j, x;
    for (j = 0; j < u->gates; ++j) {
        const lft_v   *a = w->a + j * u->apart, *uj = w->u + (1 + j) * u->apart + at;
        const lft_v   *gate = w->gate + j * u->apart, *gsine = w->gsine + j * u->apart;
        const lft_real eta  = u->eta[j];
        lft_v          deta = lft_splat(0);
        for (x = begin; x < end; ++x) {
            lft_v dg = uj[x] * dv[x]; /* cotangent of g */
            if (spread) {
                const lft_v dslope = ddiv * uj[x]; /* of g' */
                dg += ddiv * a[x];
                dphi[x] -= eta * eta * gate[x] * dslope;
                deta -= (gsine[x] + eta * phi[x] * gate[x]) * dslope;
            }
            dphi[x] -= eta * gsine[x] * dg;
            deta -= phi[x] * gsine[x] * dg;
        }
        if (d) d->eta[j] += LFT_P(sum_lanes)(deta);
    }
}

static inline void LFT_P(velocity_zero_backward)(const LFT_P(velocity) *u, int t, const lft_v *phi, const lft_v *dv,
                                                 lft_v ddiv, lft_v *dphi, const LFT_P(velocity_gradient) *d)
{
    const lft_v    mean   = LFT_P(velocity_mean)(phi, u->volume);
    const lft_real volume = (lft_real)u->volume;
    lft_v          dz = LFT_P(velocity_mean)(dv, u->volume) * volume, dmean = lft_splat(0);
    int            q, x;
    for (q = 0; q < u->zeros; ++q) {
        const lft_real zeta = u->zeta[t * u->zeros + q], kappa = u->kappa[q];
        lft_v          s, c;
        LFT_P(sincos)(kappa * mean, &s, &c);
        dmean += zeta * kappa * (c * dz - kappa * s * ddiv);
        if (d) {
            d->zeta[q] += LFT_P(sum_lanes)(s * dz + kappa * c * ddiv);
            d->kappa[q] += (double)zeta * LFT_P(sum_lanes)(mean * c * dz + (c - kappa * mean * s) * ddiv);
        }
    }
    dmean = dmean / volume;
    for (x = 0; x < u->volume; ++x) dphi[x] += dmean;
}

/* dphi += of sine feature f at n <= LFT_P_CHUNK sites, given ds, the cotangent of s_f(phi_x). weight: sum_j g_j W_jf(0).
 * Constants after inlining: want, whether part[0] += the derivative by omega and part[1 + j] += sum_x g_j cos(omega phi);
 * spread, whether ddiv is not 0: else weight and these sums are not wanted. gate: from the first of these sites on. */
LFT_P_INLINE void LFT_P(velocity_sine_backward)(const LFT_P(velocity) *u, int f, int want, int spread, const lft_v *phi, int n,
                                                const lft_v *weight, const lft_v *ds, const lft_v *gate, lft_v ddiv, lft_v *dphi,
                                                lft_v *part)
{
    const lft_real omega  = u->omega[f];
    const lft_v    scale  = ddiv * omega;
    lft_v          domega = lft_splat(0), sum = lft_splat(0), cosine[LFT_P_CHUNK];
    int            j, x;
    for (x = 0; x < n; ++x) {
        lft_v s, c, slope;
        LFT_P(sincos_fast)(omega, phi[x], &s, &c);
        slope = c * ds[x];
        if (spread) slope -= scale * weight[x] * s;
        if (want) domega += phi[x] * slope;
        if (want && spread) {
            domega += ddiv * weight[x] * c;
            sum += c;
            cosine[x] = c;
        }
        dphi[x] += omega * slope;
    }
    if (want) part[0] += domega;
    if (!want || !spread) return;
    part[1] += sum;
    for (j = 0; j < u->gates; ++j, gate += u->apart) {
        for (sum = lft_splat(0), x = 0; x < n; ++x) sum += gate[x] * cosine[x];
        part[2 + j] += sum;
    }
}

/* The linear feature: its slope is 1, so the divergence depends on phi through the gates only. */
LFT_P_INLINE void LFT_P(velocity_linear_backward)(const LFT_P(velocity) *u, int n, const lft_v *ds, const lft_v *gate, lft_v *dphi,
                                                  lft_v *part)
{
    int j, x;
    for (x = 0; x < n; ++x) dphi[x] += ds[x];
    part[1] += lft_splat((lft_real)n);
    for (j = 0; j < u->gates; ++j, gate += u->apart) {
        lft_v sum = lft_splat(0);
        for (x = 0; x < n; ++x) sum += gate[x];
        part[2 + j] += sum;
    }
}

/* dphi, at sites from `begin` to `end`, += of the features f ... f + n - 1, whose cotangents stand transformed in w->hat. */
LFT_P_INLINE void LFT_P(velocity_features_backward)(const LFT_P(velocity) *u, int t, int f, int n, int want, int spread,
                                                    const lft_v *phi, const LFT_P(velocity_fields) *w, lft_v ddiv, int begin,
                                                    int end, lft_v *dphi)
{
    const int shift = LFT_P(velocity_at)(u, begin) - begin;
    lft_v     weight[LFT_P_CHUNK];
    int       i, j, x, at, m;
    for (at = begin; at < end; at += m) {
        m = LFT_P(velocity_end)(at, LFT_P_CHUNK, end) - at;
        for (i = 0; i < n; ++i) {
            const lft_real *origin = u->origin + LFT_P(velocity_kernel)(u, t, 0, f + i);
            const lft_v    *ds = w->hat + i * u->apart + shift + at, *gate = w->gate + at;
            lft_v          *part = w->part + i * (2 + u->gates);
            if (f + i >= u->sines) {
                LFT_P(velocity_linear_backward)(u, m, ds, gate, dphi + at, part);
                continue;
            }
            for (x = 0; spread && x < m; ++x) weight[x] = lft_splat(origin[0]);
            for (j = 0; spread && j < u->gates; ++j) {
                const lft_real share = origin[(1 + j) * u->features];
                for (x = 0; x < m; ++x) weight[x] += share * gate[j * u->apart + x];
            }
            LFT_P(velocity_sine_backward)(u, f + i, want, spread, phi + at, m, weight, ds, gate, ddiv, dphi + at, part);
        }
    }
}

/* The sums of the features f ... f + n - 1 into the gradient. */
static inline void LFT_P(velocity_collect)(const LFT_P(velocity) *u, int f, int n, const LFT_P(velocity_fields) *w, lft_v ddiv,
                                           const LFT_P(velocity_gradient) *d)
{
    const lft_v *part = w->part;
    int          i, j;
    for (i = f; i < f + n; ++i, part += 2 + u->gates) {
        const lft_v scale = ddiv * (i < u->sines ? u->omega[i] : 1);
        if (i < u->sines) d->omega[i] += LFT_P(sum_lanes)(part[0]);
        for (j = 0; j <= u->gates; ++j) d->origin[j * u->features + i] += LFT_P(sum_lanes)(part[1 + j] * scale);
    }
}

/* dphi = dv . (d v/d phi) + ddiv (d div/d phi) at phi and time t, and, where d is not NULL, the same for all parameters
 * added to d. `follows`: w is as velocity_forward left it at the same phi and t. dphi and dv do not overlap. Every feature
 * is computed anew, and transformed anew where its transform matters: to keep them all costs more than that. */
LFT_P_NOINLINE void LFT_P(velocity_backward)(const LFT_P(velocity) *u, int t, const lft_v *phi, int follows,
                                             const LFT_P(velocity_fields) *w, const lft_v *dv, lft_v ddiv, lft_v *dphi,
                                             const LFT_P(velocity_gradient) *d, lft_v *panel)
{
    const LFT_P(spectrum_mixing) m = LFT_P(velocity_mixing)(u);
    const LFT_P(hartley)        *h = &u->hartley;
    const int                    volume = u->volume;
    const int                    anew = !follows && u->gates > 0;
    const int                    spread = LFT_P(any)(~LFT_P(eq)(ddiv, lft_splat(0)));
    LFT_P(spectrum_wanted)       wanted;
    int                          f, i, j, n, begin, end;
    LFT_P(set_zero)(dphi, volume);
    if (anew) LFT_P(velocity_gates)(u, phi, w);
    LFT_P(velocity_cotangents)(u, w, dv, ddiv, panel);
    for (f = 0; f < u->features; f += n) {
        n = LFT_P(spectrum_at_once)(f, u->features);
        if (d || anew) LFT_P(velocity_features)(u, t, f, n, anew && spread, phi, w, NULL, panel);
        wanted.y       = anew ? w->u : NULL;
        wanted.dlambda = d ? d->lambda + LFT_P(velocity_lambda)(u, 0, 0, f) : NULL;
        wanted.add     = f > 0;
        LFT_P(spectrum_unmix)(&m, n, u->lambda + LFT_P(velocity_lambda)(u, t, 0, f), w->hat, w->du, &wanted);
        LFT_P(set_zero)(w->part, n * (2 + u->gates));
        for (i = 0; i < n; ++i) LFT_P(hartley_columns)(h, w->hat + i * u->apart, u->row, panel);
        for (begin = 0; begin < volume; begin = end) {
            end = LFT_P(velocity_end)(begin, u->stretch, volume);
            for (i = 0; i < n; ++i) LFT_P(velocity_rows)(u, w->hat + i * u->apart, begin, end, panel);
            if (!spread) LFT_P(velocity_features_backward)(u, t, f, n, 1, 0, phi, w, ddiv, begin, end, dphi);
            else if (d) LFT_P(velocity_features_backward)(u, t, f, n, 1, 1, phi, w, ddiv, begin, end, dphi);
            else LFT_P(velocity_features_backward)(u, t, f, n, 0, 1, phi, w, ddiv, begin, end, dphi);
        }
        if (d) LFT_P(velocity_collect)(u, f, n, w, ddiv, d);
    }
    for (j = 1; anew && j <= u->gates; ++j) LFT_P(hartley_columns)(h, w->u + j * u->apart, u->row, panel);
    for (begin = 0; begin < volume && u->gates; begin = end) {
        end = LFT_P(velocity_end)(begin, u->stretch, volume);
        for (j = 1; anew && j <= u->gates; ++j) LFT_P(velocity_rows)(u, w->u + j * u->apart, begin, end, panel);
        if (spread) LFT_P(velocity_gates_backward)(u, 1, phi, w, dv, ddiv, begin, end, dphi, d);
        else LFT_P(velocity_gates_backward)(u, 0, phi, w, dv, ddiv, begin, end, dphi, d);
    }
    if (u->zeros) LFT_P(velocity_zero_backward)(u, t, phi, dv, ddiv, dphi, d);
}

/* ---- 63_convnet.h, code ------------------------------------------------------------------------------------------ */
/* 63_convnet.h: a convolutional net on the periodic lattice.
 * Offers (private): LFT_P(convnet), LFT_P(convnet_init)(), _start, _prepare, _scratch, _output, _forward, _backward.
 *
 *   y_o(x) = b_o + sum_i sum_r w_oi(r) phi_i(x + r),  r in {-k/2 ... k/2}^LFT_DIM, sites modulo the extents
 * (cross-correlation, as PyTorch's Conv2d with circular padding). Between the convolutions stands LeakyReLU with slope 0.01,
 * at the end bound * tanh(y) or nothing. Fields are [channel][site]; those between the convolutions stand in a halo, so that
 * the next one reads them where they are. A block of a few channels times a few sites of a row is computed in registers. The
 * derivative by the input is a convolution too, with the taps reversed and the channels exchanged. */

#define LFT_P_CONV_MOST 9 /* convolutions of a net */

/* A block: accumulators, and one row of operands, have to fit into 32 registers (AVX-512) or 16. */
#if LFT_P_VECTOR_BYTES == 64
enum { LFT_P(conv_outs) = 4, LFT_P(conv_sites) = 4, LFT_P(conv_taps) = 3 };
#else
enum { LFT_P(conv_outs) = 4, LFT_P(conv_sites) = 2, LFT_P(conv_taps) = 3 };
#endif

typedef struct LFT_P(convnet) {
    LFT_(lattice) lattice;
    int           layers;                        /* convolutions */
    int           channels[LFT_P_CONV_MOST + 1]; /* of the input, what is between, and the output */
    int           kernel, taps, tap_rows;        /* extent per axis; kernel^LFT_DIM, kernel^(LFT_DIM - 1) */
    int           rows, padded_rows, padded;     /* rows of the lattice; rows and sites with the halo */
    int           centre;                        /* from the padded site of the first tap to that of the middle one */
    double        bound;                         /* 0: linear at the end */
    int           even;     /* every extent is: neighbours of a site then have the other parity, across the boundary too */
    int          *tap_row;  /* [tap_rows] padded sites from the first tap to the first of each row of taps */
    unsigned char *tap_odd; /* [tap_rows] 1 where the first tap of a row meets a site of the other parity */
    int          *row_at;   /* [rows] the padded site that the first tap meets at the first site of a row */
    int          *row_from; /* [padded_rows] the padded site where the row begins of which a copy stands there */
    const unsigned char *first; /* [rows] NULL, or the first of every other site of a row where the output is wanted, and the
                                   input zero: it is computed there, 0 elsewhere, and the derivative by the input elsewhere */
    lft_real     *weight[LFT_P_CONV_MOST];     /* [in][taps][out], out rounded up to an even number */
    lft_real     *transposed[LFT_P_CONV_MOST]; /* [out][taps, reversed][in], in rounded up */
    lft_real     *bias[LFT_P_CONV_MOST];       /* [out] rounded up */
    size_t        weight_at[LFT_P_CONV_MOST], bias_at[LFT_P_CONV_MOST]; /* in theta; the parameters begin at weight_at[0] */
    size_t        field_at[LFT_P_CONV_MOST + 1], tape; /* in the tape: the input and what each convolution makes of it, of
                                                          which all but the last stand in their halo */
    size_t        parameters;
} LFT_P(convnet);

/* Memory to work in; the last four for backward, the last two for its gradient. */
typedef struct LFT_P(convnet_work) {
    lft_v  *panel; /* the input, or the cotangent of the output, with their halo */
    lft_v  *d[2];  /* cotangents of one convolution's output and input */
    lft_v  *table; /* the gradient of its weights, lane by lane ... */
    double *sum;   /* ... and summed */
} LFT_P(convnet_work);

LFT_P_INLINE int LFT_P(conv_even)(int channels) { return (channels + 1) / 2 * 2; }

/* The most channels of any field, rounded up. */
LFT_P_STATIC size_t LFT_P(convnet_widest)(const LFT_P(convnet) *net)
{
    int l, most = 2;
    for (l = 0; l <= net->layers; ++l) {
        if (LFT_P(conv_even)(net->channels[l]) > most) most = LFT_P(conv_even)(net->channels[l]);
    }
    return (size_t)most;
}

/* The tables of the halo. */
LFT_P_STATIC void LFT_P(convnet_rows)(LFT_P(convnet) *net)
{
    const int *extent = net->lattice.extent, halo = net->kernel - 1;
    int        i, mu, rest, at, from, stride, site, odd;
    for (i = 0; i < net->tap_rows; ++i) {
        odd = LFT_DIM * (halo / 2);
        for (at = 0, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            at += rest % net->kernel * stride;
            odd += rest % net->kernel;
            rest /= net->kernel;
            stride *= extent[mu] + halo;
        }
        net->tap_row[i] = at;
        net->tap_odd[i] = (unsigned char)(odd % 2);
    }
    for (i = 0; i < net->rows; ++i) {
        for (at = 0, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            at += rest % extent[mu] * stride;
            rest /= extent[mu];
            stride *= extent[mu] + halo;
        }
        net->row_at[i] = at;
    }
    for (i = 0; i < net->padded_rows; ++i) {
        for (from = halo / 2, rest = i, stride = extent[LFT_DIM - 1] + halo, mu = LFT_DIM - 2; mu >= 0; --mu) {
            site = (rest % (extent[mu] + halo) - halo / 2) % extent[mu];
            from += ((site < 0 ? site + extent[mu] : site) + halo / 2) * stride;
            rest /= extent[mu] + halo;
            stride *= extent[mu] + halo;
        }
        net->row_from[i] = from;
    }
    net->centre = net->tap_row[net->tap_rows / 2] + halo / 2;
}

/* Sizes, tables and parameters of a net with channels[layers + 1]; "weight0" [out][in][taps], "bias0" [out], ... Runs over a
 * measuring arena too. LFT_ERR_ARG for an even kernel or one beyond 15, for no channel or too many, for too wide a halo. */
LFT_P_STATIC lft_status LFT_P(convnet_init)(LFT_P(convnet) *net, const LFT_(lattice) *lattice, const int *channels, int layers,
                                            int kernel, double bound, const char *name, lft_parameters *set,
                                            lft_arena *arena, lft_error *error)
{
    const int most   = 1 << 28;
    double    padded = 1;
    int       l, mu;
    if (kernel < 1 || kernel > 15 || kernel % 2 == 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "kernel", "an odd number from 1 to 15", kernel);
    }
    if (layers < 1 || layers > LFT_P_CONV_MOST) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "layers",
                              "1 to " LFT_P_STRING(LFT_P_CONV_MOST), layers);
    }
    for (l = 0; l <= layers; ++l) {
        if (channels[l] >= 1 && channels[l] <= 1000) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "channels", "1 to 1000", channels[l]);
    }
    for (net->even = 1, mu = 0; mu < LFT_DIM; ++mu) {
        padded *= lattice->extent[mu] + kernel - 1;
        if (lattice->extent[mu] % 2) net->even = 0;
    }
    if (padded > most) return lft_p_fail_got(error, LFT_ERR_ARG, "convolution", "sites with halo", "at most 2^28", padded);
    net->lattice  = *lattice;
    net->layers   = layers;
    net->kernel   = kernel;
    net->bound    = bound;
    net->tap_rows = 1;
    for (mu = 1; mu < LFT_DIM; ++mu) net->tap_rows *= kernel;
    net->taps        = net->tap_rows * kernel;
    net->padded      = (int)padded;
    net->padded_rows = net->padded / (LFT_P(row_length)(lattice) + kernel - 1);
    net->rows        = lattice->volume / LFT_P(row_length)(lattice);
    net->tap_row     = (int *)lft_arena_alloc(arena, (size_t)net->tap_rows, sizeof(int));
    net->tap_odd     = (unsigned char *)lft_arena_alloc(arena, (size_t)net->tap_rows, 1);
    net->row_at      = (int *)lft_arena_alloc(arena, (size_t)net->rows, sizeof(int));
    net->row_from    = (int *)lft_arena_alloc(arena, (size_t)net->padded_rows, sizeof(int));
    net->first       = NULL;
    net->centre      = 0;
    net->parameters  = set->count;
    net->channels[0] = channels[0];
    net->field_at[0] = 0;
    net->tape        = (size_t)channels[0] * (size_t)lattice->volume;
    for (l = 0; l < layers; ++l) {
        const int    in = channels[l], out = channels[l + 1];
        const size_t taps = (size_t)net->taps, wide_in = (size_t)LFT_P(conv_even)(in), wide_out = (size_t)LFT_P(conv_even)(out);
        char         weight[8] = "weight0", bias[8] = "bias0";
        weight[6] = bias[4] = (char)('0' + l);
        net->channels[l + 1] = out;
        net->field_at[l + 1] = net->tape;
        net->tape += wide_out * (size_t)(l < layers - 1 ? net->padded : lattice->volume);
        net->weight[l]     = (lft_real *)lft_arena_alloc(arena, (size_t)in * taps * wide_out, sizeof(lft_real));
        net->transposed[l] = (lft_real *)lft_arena_alloc(arena, (size_t)out * taps * wide_in, sizeof(lft_real));
        net->bias[l]       = (lft_real *)lft_arena_alloc(arena, wide_out, sizeof(lft_real));
        net->weight_at[l]  = lft_declare(set, name, weight, 3, out, in, net->taps, 0);
        net->bias_at[l]    = lft_declare(set, name, bias, 1, out, 0, 0, 0);
    }
    net->parameters = set->count - net->parameters;
    if (net->tap_row && net->tap_odd && net->row_at && net->row_from) LFT_P(convnet_rows)(net);
    return LFT_OK;
}

/* Uniform in +-1/sqrt(in taps), weights and biases, as PyTorch starts them; the last convolution is zero. Numbers of
 * `sample`. */
LFT_P_STATIC void LFT_P(convnet_start)(const LFT_P(convnet) *net, double *theta, uint64_t sample)
{
    int l;
    for (l = 0; l < net->layers - 1; ++l) {
        const size_t   weights = (size_t)(net->channels[l] * net->taps), n = (weights + 1) * (size_t)net->channels[l + 1];
        const double   size = 1 / lft_p_f64_p_sqrt((double)weights);
        const lft_draw d    = lft_draw_of(0, LFT_DRAW_INIT, sample, (uint32_t)l);
        size_t         i;
        for (i = 0; i < n; ++i) theta[net->weight_at[l] + i] = size * (2 * lft_uniform(d, (uint32_t)i) - 1);
    }
}

LFT_P_STATIC void LFT_P(convnet_prepare)(LFT_P(convnet) *net, const double *theta)
{
    int l, o, i, t;
    for (l = 0; l < net->layers; ++l) {
        const int     in = net->channels[l], out = net->channels[l + 1], taps = net->taps;
        const int     wide_in = LFT_P(conv_even)(in), wide_out = LFT_P(conv_even)(out);
        const double *from = theta + net->weight_at[l];
        for (o = 0; o < out; ++o) {
            net->bias[l][o] = (lft_real)theta[net->bias_at[l] + (size_t)o];
            for (i = 0; i < in; ++i) {
                for (t = 0; t < taps; ++t, ++from) {
                    net->weight[l][(size_t)(i * taps + t) * (size_t)wide_out + (size_t)o]                = (lft_real)*from;
                    net->transposed[l][(size_t)(o * taps + taps - 1 - t) * (size_t)wide_in + (size_t)i] = (lft_real)*from;
                }
            }
        }
    }
}

/* Scratch for forward; with backward > 0 for backward too, and with backward > 1 for its gradient. */
LFT_P_STATIC LFT_P(convnet_work) LFT_P(convnet_scratch)(const LFT_P(convnet) *net, int backward, lft_arena *arena)
{
    const size_t         padded = (size_t)net->padded, field = LFT_P(convnet_widest)(net) * padded;
    const int            ends = net->channels[0] > net->channels[net->layers] ? net->channels[0] : net->channels[net->layers];
    LFT_P(convnet_work)  w;
    size_t               most = 0, n;
    int                  l;
    for (l = 0; l < net->layers && backward > 1; ++l) {
        n    = (size_t)LFT_P(conv_even)(net->channels[l + 1]) * ((size_t)net->channels[l] * (size_t)net->taps + 1);
        most = n > most ? n : most;
    }
    w.panel = LFT_P(vectors)(arena, (size_t)ends * padded);
    w.d[0]  = LFT_P(vectors)(arena, backward ? field : 0);
    w.d[1]  = LFT_P(vectors)(arena, backward ? field : 0);
    w.table = LFT_P(vectors)(arena, most);
    w.sum   = (double *)lft_arena_take(arena, most, sizeof(double));
    return w;
}

/* Of fields with a halo or without: from channel to channel, and from a channel's begin to that of a row. */
LFT_P_INLINE size_t LFT_P(conv_apart)(const LFT_P(convnet) *net, int halo)
{
    return (size_t)(halo ? net->padded : net->lattice.volume);
}

LFT_P_INLINE int LFT_P(conv_begin)(const LFT_P(convnet) *net, int halo, int row)
{
    return halo ? net->row_at[row] + net->centre : row * LFT_P(row_length)(&net->lattice);
}

/* The halo of fields that stand in one: every padded row is a copy of a row, continued periodically, however short it is. */
LFT_P_STATIC void LFT_P(conv_halo)(const LFT_P(convnet) *net, lft_v *to, int channels)
{
    const int length = LFT_P(row_length)(&net->lattice), halo = net->kernel / 2;
    int       c, row, x;
    for (c = 0; c < channels; ++c) {
        const lft_v *field = to;
        for (row = 0; row < net->padded_rows; ++row, to += length + 2 * halo) {
            const lft_v *source = field + net->row_from[row];
            if (source != to + halo) {
                for (x = 0; x < length; ++x) to[halo + x] = source[x];
            }
            for (x = halo - 1; x >= 0; --x) to[x] = to[x + length];
            for (x = halo + length; x < length + 2 * halo; ++x) to[x] = to[x - length];
        }
    }
}

/* Fields without one, with a halo */
LFT_P_STATIC void LFT_P(conv_pad)(const LFT_P(convnet) *net, const lft_v *from, int channels, lft_v *to)
{
    const int length = LFT_P(row_length)(&net->lattice);
    int       c, row, x;
    for (c = 0; c < channels; ++c) {
        for (row = 0; row < net->rows; ++row, from += length) {
            lft_v *at = to + (size_t)c * (size_t)net->padded + LFT_P(conv_begin)(net, 1, row);
            for (x = 0; x < length; ++x) at[x] = from[x];
        }
    }
    LFT_P(conv_halo)(net, to, channels);
}

/* What a convolution reads: fields with halo, weights of `stride` outputs, biases or NULL; and where it computes. */
typedef enum LFT_P(conv_where) {
    LFT_P(conv_everywhere),
    LFT_P(conv_firsts),       /* at the sites net->first and every other one after it */
    LFT_P(conv_others),       /* at those between them */
    LFT_P(conv_firsts_zero),  /* everywhere, where the fields are zero at the first ones: half of the taps */
    LFT_P(conv_others_zero)
} LFT_P(conv_where);

typedef struct LFT_P(conv) {
    const lft_v      *from;
    const lft_real   *weight, *bias;
    LFT_P(conv_where) where;
    int               ins, stride, leaky, halo; /* halo: what it writes stands in one */
} LFT_P(conv);

/* Half of the taps, if the lattice allows for it; worth its code for 3 taps. */
LFT_P_INLINE LFT_P(conv_where) LFT_P(conv_thin)(const LFT_P(convnet) *net, LFT_P(conv_where) where)
{
    return net->first && net->even && net->kernel == 3 ? where : LFT_P(conv_everywhere);
}

LFT_P_INLINE lft_v LFT_P(leaky)(lft_v x)
{
    return lft_sel(LFT_P(lt)(x, lft_splat(0)), x * (lft_real)0.01, x);
}

LFT_P_INLINE void LFT_P(conv_tap)(const lft_real *w, const lft_v *a, int outs, int sites, int step,
                                  lft_v sum[LFT_P(conv_outs)][LFT_P(conv_sites)])
{
    int p, x;
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (x = 0; x < sites; ++x) sum[p][x] += w[p] * a[x * step];
    }
}

/* Constants after inlining: channels and sites of a block, so that the sums stay in registers; distance of the sites; the
 * kernel where it is 3, so that taps share what they read; thin: every other tap. */
typedef struct LFT_P(conv_shape) {
    int outs, sites, step, kernel, thin;
} LFT_P(conv_shape);

/* Channels o ... of `to`, which lie `apart`, at sites of a row whose first tap meets the padded site `at`. thin: taps whose sum
 * of coordinates is odd if `odd`. */
LFT_P_INLINE void LFT_P(conv_block)(const LFT_P(convnet) *net, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int o, int at,
                                    size_t apart, lft_v *to)
{
    const int       tap_rows = net->tap_rows, stride = c->stride, leaky = c->leaky;
    const lft_real *w    = c->weight + o;
    const lft_v    *from = c->from + at;
    lft_v           sum[LFT_P(conv_outs)][LFT_P(conv_sites)];
    int             i, r, k, p, x;
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p)
    {
        LFT_P_UNROLL for (x = 0; x < f.sites; ++x) sum[p][x] = lft_splat(c->bias ? c->bias[o + p] : 0);
    }
    for (i = 0; i < c->ins; ++i, from += net->padded) {
        for (r = 0; r < tap_rows; ++r, w += f.kernel * stride) {
            const lft_v *a = from + net->tap_row[r];
            if (f.thin) {
                for (k = (odd + net->tap_odd[r]) % 2; k < f.kernel; k += 2) {
                    LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
                }
            } else if (f.kernel == 3) {
                LFT_P_UNROLL for (k = 0; k < 3; ++k) LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
            } else {
                for (k = 0; k < f.kernel; ++k) LFT_P(conv_tap)(w + k * stride, a + k, f.outs, f.sites, f.step, sum);
            }
        }
    }
    to += (size_t)o * apart;
    LFT_P_UNROLL for (p = 0; p < f.outs; ++p, to += apart)
    {
        LFT_P_UNROLL for (x = 0; x < f.sites; ++x) to[x * f.step] = leaky ? LFT_P(leaky)(sum[p][x]) : sum[p][x];
    }
}

/* The sites of row `row` from `begin` on; the last block overlaps the one before where their number asks for it. */
LFT_P_INLINE void LFT_P(conv_row)(const LFT_P(convnet) *net, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int o, int begin,
                                  int row, lft_v *to)
{
    const int    count = (LFT_P(row_length)(&net->lattice) - begin + f.step - 1) / f.step, at = net->row_at[row];
    const size_t apart = LFT_P(conv_apart)(net, c->halo);
    int          j, x;
    to += LFT_P(conv_begin)(net, c->halo, row);
    if (count < f.sites) {
        for (f.sites = 1, f.kernel = net->kernel, x = begin, j = 0; j < count; ++j, x += f.step) {
            LFT_P(conv_block)(net, c, f, odd, o, at + x, apart, to + x);
        }
        return;
    }
    for (j = 0; j < count; j += f.sites) {
        if (j > count - f.sites) j = count - f.sites;
        x = begin + j * f.step;
        LFT_P(conv_block)(net, c, f, odd, o, at + x, apart, to + x);
    }
}

/* All channels, c->stride of them, of a row */
LFT_P_INLINE void LFT_P(conv_outs_of)(const LFT_P(convnet) *net, const LFT_P(conv) *c, LFT_P(conv_shape) f, int odd, int begin,
                                      int row, lft_v *to)
{
    int o;
    f.outs = LFT_P(conv_outs);
    for (o = 0; o + f.outs <= c->stride; o += f.outs) LFT_P(conv_row)(net, c, f, odd, o, begin, row, to);
    f.outs = 2;
    for (; o < c->stride; o += 2) LFT_P(conv_row)(net, c, f, odd, o, begin, row, to);
}

LFT_P_INLINE void LFT_P(conv_all)(const LFT_P(convnet) *net, const LFT_P(conv) *c, int kernel, lft_v *to)
{
    LFT_P(conv_shape) f;
    int               row, zeros, i, o;
    f.sites = LFT_P(conv_sites), f.kernel = kernel, f.outs = 2;
    for (row = 0; row < net->rows; ++row) {
        const int first = net->first ? net->first[row] : 0;
        if (c->where == LFT_P(conv_everywhere)) {
            f.step = 1, f.thin = 0;
            LFT_P(conv_outs_of)(net, c, f, 0, 0, row, to);
        } else if (c->where == LFT_P(conv_firsts) || c->where == LFT_P(conv_others)) { /* of one or two channels */
            f.step = 2, f.thin = 0;
            i      = c->where == LFT_P(conv_firsts) ? first : 1 - first;
            for (o = 0; o < c->stride; o += 2) LFT_P(conv_row)(net, c, f, 0, o, i, row, to);
        } else if (kernel == 3) {
            f.step = 2, f.thin = 1;
            zeros  = c->where == LFT_P(conv_others_zero);
            for (i = 0; i < 2; ++i) LFT_P(conv_outs_of)(net, c, f, i == zeros, i ? 1 - first : first, row, to);
        }
    }
}

LFT_P_NOINLINE void LFT_P(conv_apply)(const LFT_P(convnet) *net, const LFT_P(conv) *c, lft_v *to)
{
    if (net->kernel == 3) LFT_P(conv_all)(net, c, 3, to);
    else LFT_P(conv_all)(net, c, net->kernel, to);
}

/* The field of channels[layers] that forward left on its tape. */
LFT_P_INLINE const lft_v *LFT_P(convnet_output)(const LFT_P(convnet) *net, const lft_v *tape)
{
    return tape + net->field_at[net->layers];
}

/* out = bound tanh(out), where it is wanted */
LFT_P_STATIC void LFT_P(conv_end)(const LFT_P(convnet) *net, lft_v *out)
{
    const lft_real bound  = (lft_real)net->bound;
    const int      length = LFT_P(row_length)(&net->lattice), step = net->first ? 2 : 1;
    int            c, row, x;
    for (c = 0; c < net->channels[net->layers]; ++c) {
        for (row = 0; row < net->rows; ++row, out += length) {
            for (x = net->first ? net->first[row] : 0; x < length; x += step) out[x] = bound * LFT_P(tanh)(out[x]);
        }
    }
}

/* The net of the input at the head of tape[net->tape], [channels[0]][volume]; all that it makes of it follows there. */
LFT_P_STATIC void LFT_P(convnet_forward)(const LFT_P(convnet) *net, lft_v *tape, const LFT_P(convnet_work) *w)
{
    const int   last = net->layers - 1;
    LFT_P(conv) c;
    lft_v      *to;
    int         l;
    LFT_P(conv_pad)(net, tape, net->channels[0], w->panel);
    for (c.from = w->panel, l = 0; l <= last; ++l, c.from = to) {
        to       = tape + net->field_at[l + 1];
        c.weight = net->weight[l], c.bias = net->bias[l];
        c.ins = net->channels[l], c.stride = LFT_P(conv_even)(net->channels[l + 1]), c.leaky = c.halo = l < last;
        c.where = l || l == last ? LFT_P(conv_everywhere) : LFT_P(conv_thin)(net, LFT_P(conv_firsts_zero));
        if (l == last && net->first) {
            c.where = LFT_P(conv_firsts);
            LFT_P(set_zero)(to, c.stride * net->lattice.volume);
        }
        LFT_P(conv_apply)(net, &c, to);
        if (c.halo) LFT_P(conv_halo)(net, to, c.stride);
    }
    if (net->bound > 0) LFT_P(conv_end)(net, tape + net->field_at[last + 1]);
}

/* dw[p][t], outs times taps of them, = sum over sites of dy_p(x) a(x + t); a: with halo, at the first of the taps. Channels of
 * dw are `apart`. last: dy is of the last convolution, whose fields have no halo and may be wanted at every other site. */
LFT_P_INLINE void LFT_P(conv_weights_block)(const LFT_P(convnet) *net, const lft_v *a, const lft_v *dy, int last, int outs,
                                            int taps, size_t apart, lft_v *dw)
{
    const unsigned char *first  = last ? net->first : NULL;
    const size_t         dy_apart = LFT_P(conv_apart)(net, !last);
    const int            length = LFT_P(row_length)(&net->lattice), step = first ? 2 : 1;
    lft_v     sum[LFT_P(conv_outs)][LFT_P(conv_taps)];
    int       row, x, p, t;
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (t = 0; t < taps; ++t) sum[p][t] = lft_splat(0);
    }
    for (row = 0; row < net->rows; ++row) {
        const lft_v *b = a + net->row_at[row], *from = dy + LFT_P(conv_begin)(net, !last, row);
        for (x = first ? first[row] : 0; x < length; x += step) {
            LFT_P_UNROLL for (p = 0; p < outs; ++p)
            {
                const lft_v d = from[(size_t)p * dy_apart + (size_t)x];
                LFT_P_UNROLL for (t = 0; t < taps; ++t) sum[p][t] += d * b[x + t];
            }
        }
    }
    LFT_P_UNROLL for (p = 0; p < outs; ++p)
    {
        LFT_P_UNROLL for (t = 0; t < taps; ++t) dw[(size_t)p * apart + (size_t)t] = sum[p][t];
    }
}

/* All taps of `outs` channels, constant after inlining, from their first: dw as above, [outs][in][taps]. */
LFT_P_INLINE void LFT_P(conv_weights_of)(const LFT_P(convnet) *net, int outs, int in, const lft_v *padded,
                                         const lft_v *dy, int last, lft_v *dw)
{
    const int    kernel = net->kernel;
    const size_t apart  = (size_t)in * (size_t)net->taps;
    int          i, r, k;
    for (i = 0; i < in; ++i, padded += net->padded) {
        for (r = 0; r < net->tap_rows; ++r) {
            const lft_v *a = padded + net->tap_row[r];
            for (k = 0; k + LFT_P(conv_taps) <= kernel; k += LFT_P(conv_taps), dw += LFT_P(conv_taps)) {
                LFT_P(conv_weights_block)(net, a + k, dy, last, outs, LFT_P(conv_taps), apart, dw);
            }
            for (; k < kernel; ++k, ++dw) LFT_P(conv_weights_block)(net, a + k, dy, last, outs, 1, apart, dw);
        }
    }
}

/* gradient += of the weights and biases of convolution l, given its input with halo and the cotangent dy of its output. */
LFT_P_NOINLINE void LFT_P(conv_weights)(const LFT_P(convnet) *net, int l, const lft_v *padded, const lft_v *dy,
                                        const LFT_P(convnet_work) *w, double *gradient)
{
    const int    in = net->channels[l], out = net->channels[l + 1], last = l == net->layers - 1;
    const int    length = LFT_P(row_length)(&net->lattice);
    const size_t apart = (size_t)in * (size_t)net->taps, weights = apart * (size_t)out, dy_apart = LFT_P(conv_apart)(net, !last);
    lft_v       *dw = w->table, *dbias = w->table + weights;
    size_t       j;
    int          o, outs, row, x;
    for (o = 0; o < out; o += outs, dw += (size_t)outs * apart) {
        const lft_v *d = dy + (size_t)o * dy_apart;
        outs           = out - o >= LFT_P(conv_outs) ? LFT_P(conv_outs) : out - o >= 2 ? 2 : 1;
        if (outs == LFT_P(conv_outs)) LFT_P(conv_weights_of)(net, LFT_P(conv_outs), in, padded, d, last, dw);
        else if (outs == 2) LFT_P(conv_weights_of)(net, 2, in, padded, d, last, dw);
        else LFT_P(conv_weights_of)(net, 1, in, padded, d, last, dw);
    }
    for (o = 0; o < out; ++o) {
        dbias[o] = lft_splat(0);
        for (row = 0; row < net->rows; ++row) {
            const lft_v *d = dy + (size_t)o * dy_apart + LFT_P(conv_begin)(net, !last, row);
            for (x = 0; x < length; ++x) dbias[o] += d[x];
        }
    }
    LFT_P(sum_lanes_of)(w->table, weights + (size_t)out, w->sum);
    gradient += net->weight_at[l] - net->weight_at[0]; /* the biases follow */
    for (j = 0; j < weights + (size_t)out; ++j) gradient[j] += w->sum[j];
}

/* dy of the output becomes that of what the last step of convolution l was applied to: tanh, LeakyReLU or nothing. */
LFT_P_STATIC void LFT_P(conv_slope)(const LFT_P(convnet) *net, int l, const lft_v *y, lft_v *dy)
{
    const int      length = LFT_P(row_length)(&net->lattice), last = l == net->layers - 1;
    const lft_real bound = (lft_real)net->bound, inverse = bound > 0 ? 1 / bound : 0;
    int            c, row, x;
    for (c = 0; c < net->channels[l + 1]; ++c) {
        for (row = 0; row < net->rows; ++row) {
            const size_t at = (size_t)c * LFT_P(conv_apart)(net, !last) + (size_t)LFT_P(conv_begin)(net, !last, row);
            const lft_v *from = y + at;
            lft_v       *d    = dy + at;
            for (x = 0; !last && x < length; ++x) {
                d[x] = lft_sel(LFT_P(lt)(lft_splat(0), from[x]), d[x], d[x] * (lft_real)0.01);
            }
            for (x = 0; last && bound > 0 && x < length; ++x) d[x] *= bound - from[x] * from[x] * inverse;
        }
    }
}

/* Vector-Jacobian product at the tape of a forward call: dout [channels[layers]][volume], which is lost, becomes the
 * derivative by the input, which stands in w until the next call. Where gradient is not NULL, the derivatives by the
 * parameters, summed over lanes, are added to its net->parameters numbers, in their order. */
LFT_P_STATIC const lft_v *LFT_P(convnet_backward)(const LFT_P(convnet) *net, const lft_v *tape, lft_v *dout, double *gradient,
                                                  const LFT_P(convnet_work) *w)
{
    lft_v      *dy = dout;
    LFT_P(conv) c;
    int         l;
    for (l = net->layers - 1; l >= 0; --l) {
        LFT_P(conv_slope)(net, l, tape + net->field_at[l + 1], dy);
        if (gradient) {
            if (l == 0) LFT_P(conv_pad)(net, tape, net->channels[0], w->panel);
            LFT_P(conv_weights)(net, l, l ? tape + net->field_at[l] : w->panel, dy, w, gradient);
        }
        c.from = dy;
        if (dy != dout) LFT_P(conv_halo)(net, dy, net->channels[l + 1]);
        else {
            LFT_P(conv_pad)(net, dy, net->channels[l + 1], w->panel);
            c.from = w->panel;
        }
        c.weight = net->transposed[l], c.bias = NULL, c.leaky = 0, c.halo = l > 0;
        c.ins = net->channels[l + 1], c.stride = LFT_P(conv_even)(net->channels[l]);
        c.where = dy == dout ? LFT_P(conv_thin)(net, LFT_P(conv_others_zero)) : LFT_P(conv_everywhere);
        if (l == 0 && net->first) c.where = LFT_P(conv_others);
        dy = w->d[l % 2];
        LFT_P(conv_apply)(net, &c, dy);
    }
    return dy;
}

/* ---- 64_gaussian.h, code ----------------------------------------------------------------------------------------- */
/* 64_gaussian.h: a Gaussian field whose spectrum is tied over the lattice's symmetries, and that of the free field.
 * Offers (private): LFT_P(gaussian), LFT_P(gaussian_init)(), _prepare, _draw, _logq, _backward, _scale, _scratch, _transfer;
 *                   LFT_P(free_mass2)(), LFT_P(free_variance)(), LFT_P(free_target)().
 *
 *   z = H (sigma eta), eta ~ N(0, 1):  log q(z) = -sum_k [ (H z)(k)^2 / 2 sigma(k)^2 + log sigma(k) ] - V/2 log 2 pi
 * with sigma even along every axis; H is the Hartley transform. Its user keeps log sigma [orbits] among his parameters. */

typedef struct LFT_P(gaussian) {
    int             white; /* 1: sigma = 1, without parameters */
    LFT_P(spectrum) spectrum;
    LFT_P(hartley)  hartley;
    lft_real       *sigma, *inverse; /* [count] sigma, 1/sigma */
    double          constant; /* -sum log sigma - V/2 log 2 pi */
} LFT_P(gaussian);

/* ---- the free field S = sum (d phi)^2 + m2 phi^2 ---------------------------------------------------------------------- */

/* m2 where none is given: a correlation length of a quarter of the largest extent. */
LFT_P_STATIC double LFT_P(free_mass2)(double mass2, const int *extent)
{
    int mu, largest = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) largest = extent[mu] > largest ? extent[mu] : largest;
    return mass2 > 0 ? mass2 : 16.0 / ((double)largest * largest);
}

/* The lattice that the free field lives on, `extent` where nothing is given: of its sites every (target / extent)-th is taken. */
LFT_P_STATIC lft_status LFT_P(free_target)(int *target, const int *given, const int *extent, const char *where, lft_error *error)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        target[mu] = given[mu] ? given[mu] : extent[mu];
        if (target[mu] > 0 && target[mu] <= 1 << 24 && target[mu] % extent[mu] == 0) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "target", "a multiple of the extent", target[mu]);
    }
    return LFT_OK;
}

/* <|phi(k)|^2> on every (target / extent)-th site: the mean of 1 / 2 (khat^2 + m2) over the momenta of the target that are
 * 2 pi k_mu / extent_mu there; khat^2 = sum_mu 4 sin^2 of half of a momentum. O(volume of the target / that of the extents). */
LFT_P_STATIC double LFT_P(free_variance)(const int *extent, const int *target, double mass2, const double *k)
{
    double sum = 0;
    int    mu, i, n = 1;
    for (mu = 0; mu < LFT_DIM; ++mu) n *= target[mu] / extent[mu];
    for (i = 0; i < n; ++i) {
        double khat2 = 0, sine, cosine;
        int    rest = i;
        for (mu = 0; mu < LFT_DIM; ++mu) {
            const int times = target[mu] / extent[mu];
            lft_p_f64_p_sincos(6.283185307179586476925 * (k[mu] + rest % times * extent[mu]) / target[mu], &sine, &cosine);
            khat2 += 2 - 2 * cosine;
            rest /= times;
        }
        sum += 0.5 / (khat2 + mass2);
    }
    return sum / n;
}

/* The momentum of a compact index. */
LFT_P_STATIC void LFT_P(gaussian_momentum)(const LFT_P(spectrum) *s, int compact, double *k)
{
    int mu;
    for (mu = LFT_DIM - 1; mu >= 0; --mu) {
        k[mu] = compact % s->half[mu];
        compact /= s->half[mu];
    }
}

/* ---- the field -------------------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(gaussian_init)(LFT_P(gaussian) *p, const LFT_(lattice) *lattice, int apart, int white, lft_arena *arena)
{
    size_t count;
    p->white = white;
    LFT_P(spectrum_init)(&p->spectrum, lattice, apart, arena);
    LFT_P(hartley_init)(&p->hartley, lattice, arena);
    count      = (size_t)p->spectrum.count;
    p->sigma   = (lft_real *)lft_arena_alloc(arena, count, sizeof(lft_real));
    p->inverse = (lft_real *)lft_arena_alloc(arena, count, sizeof(lft_real));
}

/* 1/sigma^2 of another lattice between its momenta, linear in each khat_mu^2, as the free field's is. */
LFT_P_STATIC void LFT_P(gaussian_transfer)(const LFT_P(gaussian) *p, double *log_sigma, const LFT_P(gaussian) *from,
                                           const double *source)
{
    const LFT_P(spectrum) *s = &p->spectrum, *other = &from->spectrum;
    int                    i, corner, mu;
    for (i = 0; !p->white && i < s->count; ++i) {
        double sum = 0;
        for (corner = 0; corner < 1 << LFT_DIM; ++corner) {
            double weight = 1;
            int    rest = i, at = 0, stride = 1;
            for (mu = LFT_DIM - 1; mu >= 0; --mu) {
                const int    extent = other->lattice.extent[mu], last = other->half[mu] - 1;
                const double k = (double)(rest % s->half[mu]) * extent / s->lattice.extent[mu], two_pi = 6.283185307179586476925;
                const int    low = (int)k < last ? (int)k : last, high = low < last ? low + 1 : last;
                double       sine, here, below, above;
                lft_p_f64_p_sincos(two_pi * k / extent, &sine, &here);
                lft_p_f64_p_sincos(two_pi * low / extent, &sine, &below);
                lft_p_f64_p_sincos(two_pi * high / extent, &sine, &above);
                here = low < high ? (below - here) / (below - above) : 0;
                weight *= corner >> mu & 1 ? here : 1 - here;
                at += stride * (corner >> mu & 1 ? high : low);
                rest /= s->half[mu];
                stride *= other->half[mu];
            }
            sum += weight * lft_p_f64_p_exp(-2 * source[other->orbit[at]]);
        }
        log_sigma[s->orbit[i]] = -0.5 * lft_p_f64_p_log(sum);
    }
}

LFT_P_STATIC void LFT_P(gaussian_prepare)(LFT_P(gaussian) *p, const double *log_sigma)
{
    const double half_log_2pi = 0.918938533204672741780;
    int          i;
    p->constant = -half_log_2pi * p->spectrum.lattice.volume;
    for (i = 0; i < p->spectrum.count; ++i) {
        const double value = p->white ? 0 : log_sigma[p->spectrum.orbit[i]];
        p->sigma[i]   = (lft_real)lft_p_f64_p_exp(value);
        p->inverse[i] = (lft_real)lft_p_f64_p_exp(-value);
        p->constant -= value * LFT_P(spectrum_multiplicity)(&p->spectrum, i);
    }
}

/* logq[lane] = constant - sum eta^2 / 2 */
LFT_P_STATIC void LFT_P(gaussian_density)(const LFT_P(gaussian) *p, const lft_v *eta, double *logq)
{
    int x, l, end, volume = p->spectrum.lattice.volume;
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = 0;
    for (x = 0; x < volume;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) part += eta[x] * eta[x];
        LFT_P(add_wide)(logq, part);
    }
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = p->constant - 0.5 * logq[l];
}

LFT_P_STATIC size_t LFT_P(gaussian_scratch)(const LFT_P(gaussian) *p)
{
    lft_arena measure = lft_arena_measure();
    size_t    volume  = (size_t)p->spectrum.lattice.volume;
    (void)LFT_P(vectors)(&measure, LFT_P(hartley_panel)(&p->spectrum.lattice));
    (void)LFT_P(vectors)(&measure, volume);
    (void)LFT_P(vectors)(&measure, volume);
    (void)lft_arena_take(&measure, volume, sizeof(double));
    (void)LFT_P(vectors)(&measure, LFT_UPTO >= LFT_TRAIN ? (size_t)p->spectrum.count : 0);
    return measure.need;
}

/* x = H(sigma x), or its transpose x = sigma H x. */
LFT_P_STATIC void LFT_P(gaussian_scale)(const LFT_P(gaussian) *p, lft_v *x, int transposed, lft_arena scratch)
{
    lft_v *panel = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    if (p->white) return;
    if (transposed) LFT_P(hartley_apply)(&p->hartley, x, panel);
    LFT_P(spectrum_product)(&p->spectrum, p->sigma, x, x);
    if (!transposed) LFT_P(hartley_apply)(&p->hartley, x, panel);
}

LFT_P_STATIC void LFT_P(gaussian_draw)(const LFT_P(gaussian) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    const int volume = p->spectrum.lattice.volume;
    lft_v    *eta    = LFT_P(vectors)(&scratch, (size_t)volume);
    double   *work   = (double *)lft_arena_take(&scratch, (size_t)volume, sizeof(double));
    int       x;
    LFT_P(group_normals)(d, volume, eta, work);
    LFT_P(gaussian_density)(p, eta, logq);
    for (x = 0; x < volume; ++x) z[x] = eta[x];
    LFT_P(gaussian_scale)(p, z, 0, scratch);
}

/* grad log q = -H (H z / sigma^2) */
LFT_P_STATIC void LFT_P(gaussian_logq)(const LFT_P(gaussian) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    const int volume = p->spectrum.lattice.volume;
    lft_v    *panel  = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    lft_v    *eta    = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *zhat   = LFT_P(vectors)(&scratch, (size_t)volume);
    int       x;
    for (x = 0; x < volume; ++x) zhat[x] = z[x];
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    LFT_P(spectrum_product)(&p->spectrum, p->inverse, zhat, eta);
    LFT_P(gaussian_density)(p, eta, logq);
    if (!score) return;
    LFT_P(spectrum_product)(&p->spectrum, p->inverse, eta, zhat);
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    for (x = 0; x < volume; ++x) score[x] = -zhat[x];
}

/* By log sigma at fixed eta: z = H (sigma eta), log q(z(eta)) = const - sum log sigma. */
LFT_P_STATIC void LFT_P(gaussian_backward)(const LFT_P(gaussian) *p, const lft_v *z, const lft_v *dz, const double *dlogq,
                                           double *gradient, lft_arena scratch)
{
    const int volume  = p->spectrum.lattice.volume;
    lft_v    *panel   = LFT_P(vectors)(&scratch, LFT_P(hartley_panel)(&p->spectrum.lattice));
    lft_v    *zhat    = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *dzhat   = LFT_P(vectors)(&scratch, (size_t)volume);
    lft_v    *dlambda = LFT_P(vectors)(&scratch, (size_t)p->spectrum.count);
    double    sum     = 0;
    int       x, l;
    if (p->white) return;
    for (l = 0; l < LFT_P_LANES; ++l) sum += dlogq[l];
    for (x = 0; x < volume; ++x) zhat[x] = z[x], dzhat[x] = dz[x];
    LFT_P(hartley_apply)(&p->hartley, zhat, panel);
    LFT_P(hartley_apply)(&p->hartley, dzhat, panel);
    LFT_P(set_zero)(dlambda, p->spectrum.count);
    LFT_P(spectrum_dot)(&p->spectrum, zhat, dzhat, dlambda);
    for (x = 0; x < p->spectrum.count; ++x) {
        gradient[p->spectrum.orbit[x]] +=
            LFT_P(sum_lanes)(dlambda[x]) - sum * LFT_P(spectrum_multiplicity)(&p->spectrum, x);
    }
}

#endif

/* ---- 64_prior.h, code -------------------------------------------------------------------------------------------- */

static const char *const LFT_P(prior_name)[] = {"", "free", "normal", "haar"}; /* in the metadata of models, by kind */

#if LFT_GROUP != LFT_SCALAR

/* ---- 66_loop_classes.h, code ------------------------------------------------------------------------------------- */
/* 66_loop_classes.h: products of traces of closed paths, their classes, and what derivatives make of them. Symbols, no fields.
 * Offers (private): LFT_P(traces), LFT_P(classes), LFT_P(classes_find)(), _laplacian, _times_plaquettes, LFT_P(traces_member)(),
 * _moving, _reversed, _home, _normal, LFT_P(letter_moves)(), LFT_P(path_walk)(); LFT_P_CLASSES, _ORDERS, _SYMMETRIES.
 *
 * A path is a list of links, each as it is or adjoint; the trace of a closed one is a Wilson loop. A class is the sum of all
 * images of one product of traces under translations, the hypercubic group and reversal of all paths at once (complex
 * conjugation), each image once: real and invariant. With
 *   sum_a T^a X T^a = -(tr X - X / N) / 2,   sum_a tr T^a X tr T^a Y = -(tr X Y - tr X tr Y / N) / 2;   U(1): T = i
 * derivatives only cut and join traces, so that of two kinds of expressions nothing but the coefficients has to be worked out:
 *   L W_i = -sum_l d_l^a d_l^a W_i = sum_j D_ij W_j + constant
 *   sum_l d_l^a W_0 d_l^a W_i      = sum_j G_ij W_j + constant,   W_0 the plaquettes
 * The classes of order n are those that appear in the n-th order of the trivializing map (0907.5491): W_0 is that of order 1, the
 * others are found by G from those of the order before, and by D. Paths that go back on themselves are cut off; and so that
 * classes are independent: in U(1) only the number of times that each link is passed counts. In SU(2) all traces are real and
 * tr A tr B = tr A B + tr A B^+. In SU(3) tr X X Y = tr X tr X Y - (tr X)^* tr Y + tr X^+ Y.
 *
 * Of a doubled axis only the new links move, those across it at odd coordinates: l runs over them, and the images are those under
 * what leaves them where they are: translations along the axis by two, the axis turned round, all that the others have. Then
 * there are two classes of plaquettes, along the axis and, from three dimensions on, across it where links are new; the others,
 * and all other products of links that stay, are constants of both expressions. */

#define LFT_P_ORDERS  (LFT_DIM == 2 && LFT_P_COLOURS < 3 ? 8 : 4) /* beyond there is no room for the classes */
#define LFT_P_CLASSES (LFT_DIM > 2 && LFT_P_COLOURS == 3 ? 160 : 128)
#define LFT_P_LETTERS (4 * (LFT_P_ORDERS + 1)) /* of a class of the last order times a plaquette */
#define LFT_P_TRACES  (LFT_P_ORDERS + 2)
#define LFT_P_SYMMETRIES ((1 << LFT_DIM) * (LFT_DIM == 4 ? 24 : LFT_DIM == 3 ? 6 : LFT_DIM)) /* of the hypercubic group */

/* A letter is a link on a path: its site, its direction, and whether it is adjoint. */
typedef struct LFT_P(traces) {
    int doubled; /* axis + 1, 0: none */
    int traces, length[LFT_P_TRACES], letter[LFT_P_TRACES][LFT_P_LETTERS];
} LFT_P(traces);

typedef struct LFT_P(classes) {
    int           count, full; /* full: more were found than there is room for */
    int           moving; /* of them, the first: those with links that move */
    LFT_P(traces)  one[LFT_P_CLASSES]; /* a member of each */
    int           size[LFT_P_CLASSES]; /* members, translations apart */
    int           upto[LFT_P_ORDERS + 1]; /* moving classes of orders up to this */
} LFT_P(classes);

/* What an expression is in classes: the coefficients, last the constant. */
typedef struct LFT_P(in_classes) {
    double c[LFT_P_CLASSES + 1];
} LFT_P(in_classes);

/* ---- letters --------------------------------------------------------------------------------------------------------- */

LFT_P_STATIC int LFT_P(letter_of)(const int *x, int mu, int adjoint)
{
    int i, site = 0;
    for (i = 0; i < LFT_DIM; ++i) site = site * 32 + x[i] + 16;
    return (site * 4 + mu) * 2 + adjoint;
}

LFT_P_INLINE int LFT_P(letter_adjoint)(int letter) { return letter & 1; }
LFT_P_INLINE int LFT_P(letter_axis)(int letter) { return letter >> 1 & 3; }
LFT_P_INLINE int LFT_P(letter_link)(int letter) { return letter >> 1; }

LFT_P_STATIC void LFT_P(letter_site)(int letter, int *x)
{
    int i, site = letter >> 3;
    for (i = LFT_DIM - 1; i >= 0; --i) {
        x[i] = site % 32 - 16;
        site /= 32;
    }
}

/* Whether it is a link that moves. */
LFT_P_STATIC int LFT_P(letter_moves)(int letter, int doubled)
{
    int x[LFT_DIM];
    LFT_P(letter_site)(letter, x);
    return !doubled || (LFT_P(letter_axis)(letter) != doubled - 1 && (x[doubled - 1] & 1));
}

/* The site that a path is at before this link. */
LFT_P_STATIC void LFT_P(letter_begin)(int letter, int *x)
{
    LFT_P(letter_site)(letter, x);
    x[LFT_P(letter_axis)(letter)] += LFT_P(letter_adjoint)(letter);
}

/* ---- paths ----------------------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(path_reversed)(int *to, const int *from, int n)
{
    int i;
    for (i = 0; i < n; ++i) to[i] = from[n - 1 - i] ^ 1;
}

/* to = n letters of a closed path of `length` from number `begin` on. */
LFT_P_STATIC void LFT_P(path_part)(int *to, const int *path, int length, int begin, int n)
{
    int i;
    for (i = 0; i < n; ++i) to[i] = path[(begin + i) % length];
}

LFT_P_STATIC int LFT_P(path_compare)(const int *a, const int *b, int n)
{
    int i;
    for (i = 0; i < n && a[i] == b[i]; ++i) {}
    return i == n ? 0 : a[i] < b[i] ? -1 : 1;
}

LFT_P_STATIC void LFT_P(path_sort)(int *path, int n)
{
    int i, k;
    for (i = 1; i < n; ++i) {
        const int letter = path[i];
        for (k = i; k > 0 && path[k - 1] > letter; --k) path[k] = path[k - 1];
        path[k] = letter;
    }
}

/* Links that are passed back and forth are cut off: neighbours on the path; of U(1) wherever they are. */
LFT_P_STATIC int LFT_P(path_trimmed)(int *path, int n)
{
    int i, k, m;
    for (i = 0; i < n; ++i) {
        for (k = i + 1; k < n; ++k) {
            const int neighbours = k == i + 1 || (i == 0 && k == n - 1);
            if (path[i] != (path[k] ^ 1) || (LFT_P_COLOURS > 1 && !neighbours)) continue;
            for (m = i + 1; m < n; ++m) {
                if (m != k) path[m - (m < k ? 1 : 2)] = path[m];
            }
            n -= 2, i = -1;
            break;
        }
    }
    return n;
}

/* Whether a letter begins where the other one ends. */
LFT_P_STATIC int LFT_P(letter_follows)(int letter, int before)
{
    int x[LFT_DIM], y[LFT_DIM];
    LFT_P(letter_begin)(letter, x);
    LFT_P(letter_begin)(before ^ 1, y);
    return LFT_P(path_compare)(x, y, LFT_DIM) == 0;
}

/* The links of U(1) in an order in which they can be walked along: circles, each begun where one before it passes. */
LFT_P_STATIC void LFT_P(path_walk)(int *path, int n)
{
    int left[LFT_P_LETTERS], done, at = 0, i, k;
    lft_p_copy(left, path, (size_t)n * sizeof(int));
    for (done = 0; done < n; ++done) {
        for (i = 0; i < n - done && at > 0 && !LFT_P(letter_follows)(left[i], path[at - 1]); ++i) {}
        for (k = done; k > 0 && i == n - done; --k) {
            for (i = 0; i < n - done && !LFT_P(letter_follows)(left[i], path[k - 1]); ++i) {}
            at = k;
        }
        if (i == n - done) i = 0, at = done;
        for (k = done; k > at; --k) path[k] = path[k - 1];
        path[at++] = left[i];
        for (k = i + 1; k < n - done; ++k) left[k - 1] = left[k];
    }
}

/* The first letter is chosen; of U(1), all of their order; of SU(2), the direction. */
LFT_P_STATIC void LFT_P(path_normal)(int *path, int n)
{
    int best[LFT_P_LETTERS], turned[LFT_P_LETTERS], other[LFT_P_LETTERS], i, reversed;
    if (LFT_P_COLOURS == 1) {
        LFT_P(path_sort)(path, n);
        return;
    }
    lft_p_copy(best, path, (size_t)n * sizeof(int));
    for (reversed = 0; reversed < (LFT_P_COLOURS == 2 ? 2 : 1); ++reversed) {
        if (reversed) LFT_P(path_reversed)(other, path, n);
        for (i = 0; i < n; ++i) {
            if ((reversed ? other : path)[i] > best[0]) continue;
            LFT_P(path_part)(turned, reversed ? other : path, n, i, n);
            if (LFT_P(path_compare)(turned, best, n) < 0) lft_p_copy(best, turned, (size_t)n * sizeof(int));
        }
    }
    lft_p_copy(path, best, (size_t)n * sizeof(int));
}

/* ---- products of traces ---------------------------------------------------------------------------------------------- */

/* How many links of it move. */
LFT_P_STATIC int LFT_P(traces_moving)(const LFT_P(traces) *p)
{
    int t, i, n = 0;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) n += LFT_P(letter_moves)(p->letter[t][i], p->doubled);
    }
    return n;
}

LFT_P_STATIC void LFT_P(traces_add)(LFT_P(traces) *p, const int *path, int n)
{
    lft_p_copy(p->letter[p->traces], path, (size_t)n * sizeof(int));
    p->length[p->traces++] = n;
}

LFT_P_STATIC void LFT_P(traces_remove)(LFT_P(traces) *p, int t)
{
    for (--p->traces; t < p->traces && t + 1 < LFT_P_TRACES; ++t) { /* the bound is for compilers */
        p->length[t] = p->length[t + 1];
        lft_p_copy(p->letter[t], p->letter[t + 1], sizeof p->letter[t]);
    }
}

LFT_P_STATIC void LFT_P(traces_reversed)(LFT_P(traces) *to, const LFT_P(traces) *from)
{
    int t;
    *to = *from;
    for (t = 0; t < from->traces; ++t) LFT_P(path_reversed)(to->letter[t], from->letter[t], from->length[t]);
}

/* -1, 0, 1; of products with the same lengths. */
LFT_P_STATIC int LFT_P(traces_compare)(const LFT_P(traces) *a, const LFT_P(traces) *b)
{
    int t, order = 0;
    for (t = 0; t < a->traces && !order; ++t) order = LFT_P(path_compare)(a->letter[t], b->letter[t], a->length[t]);
    return order;
}

LFT_P_STATIC int LFT_P(traces_same)(const LFT_P(traces) *a, const LFT_P(traces) *b)
{
    int t;
    if (a->traces != b->traces) return 0;
    for (t = 0; t < a->traces; ++t) {
        if (a->length[t] != b->length[t]) return 0;
    }
    return LFT_P(traces_compare)(a, b) == 0;
}

/* Moved to where the least coordinate of its links along each axis is 0; of a doubled axis 0 or 1. */
LFT_P_STATIC void LFT_P(traces_home)(LFT_P(traces) *p)
{
    int x[LFT_DIM], least[LFT_DIM], t, i, mu, move = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) least[mu] = 1000;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) {
            LFT_P(letter_site)(p->letter[t][i], x);
            for (mu = 0; mu < LFT_DIM; ++mu) least[mu] = x[mu] < least[mu] ? x[mu] : least[mu];
        }
    }
    if (p->doubled) least[p->doubled - 1] &= ~1;
    for (mu = 0; mu < LFT_DIM; ++mu) move = move * 32 + least[mu];
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) p->letter[t][i] -= 8 * move;
    }
}

/* One form of all translated ones and of all ways to write them. */
LFT_P_STATIC void LFT_P(traces_normal)(LFT_P(traces) *p)
{
    int t, k;
    LFT_P(traces_home)(p);
    for (t = 0; t < p->traces; ++t) LFT_P(path_normal)(p->letter[t], p->length[t]);
    for (t = 1; t < p->traces; ++t) { /* sorted by length and letters */
        const LFT_P(traces) q = *p;
        for (k = t; k > 0; --k) {
            const int n = q.length[t];
            if (p->length[k - 1] < n) break;
            if (p->length[k - 1] == n && LFT_P(path_compare)(p->letter[k - 1], q.letter[t], n) <= 0) break;
            p->length[k] = p->length[k - 1];
            lft_p_copy(p->letter[k], p->letter[k - 1], sizeof p->letter[k]);
        }
        p->length[k] = q.length[t];
        lft_p_copy(p->letter[k], q.letter[t], sizeof p->letter[k]);
    }
}

/* The hypercubic group: axis i becomes axis to[i], and is turned round where turn[i] is 1. Element g < 2^d d!. */
LFT_P_STATIC void LFT_P(symmetry)(int g, int *to, int *turn)
{
    int i, k, code = g >> LFT_DIM;
    for (i = 0; i < LFT_DIM; ++i) turn[i] = g >> i & 1;
    for (i = 0; i < LFT_DIM; ++i) { /* axis i goes to place code % (i + 1) of those before it */
        const int at = code % (i + 1);
        code /= i + 1;
        for (k = 0; k < i; ++k) to[k] += to[k] >= at;
        to[i] = at;
    }
}

/* The image of p under element g, in normal form; 0 where that does not leave a doubled axis where it is. */
LFT_P_STATIC int LFT_P(traces_member)(LFT_P(traces) *to, const LFT_P(traces) *p, int g)
{
    int axis[LFT_DIM], turn[LFT_DIM], x[LFT_DIM], y[LFT_DIM], t, i, mu;
    LFT_P(symmetry)(g, axis, turn);
    if (p->doubled && axis[p->doubled - 1] != p->doubled - 1) return 0;
    *to = *p;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) {
            const int letter = p->letter[t][i], along = LFT_P(letter_axis)(letter);
            LFT_P(letter_site)(letter, x);
            for (mu = 0; mu < LFT_DIM; ++mu) y[axis[mu]] = turn[mu] ? -x[mu] : x[mu];
            y[axis[along]] -= turn[along];
            to->letter[t][i] = LFT_P(letter_of)(y, axis[along], LFT_P(letter_adjoint)(letter) ^ turn[along]);
        }
    }
    LFT_P(traces_normal)(to);
    return 1;
}

/* The class of p; a new one where it is none yet. -1 where there is no more room. */
LFT_P_STATIC int LFT_P(class_of)(LFT_P(classes) *s, const LFT_P(traces) *p)
{
    LFT_P(traces) best = *p, q, r;
    int          g, i, reversed, elements = 0, same = 0;
    LFT_P(traces_normal)(&best);
    for (i = 0; i < s->count; ++i) {
        if (LFT_P(traces_same)(s->one + i, &best)) return i;
    }
    for (g = 0; g < LFT_P_SYMMETRIES; ++g) {
        if (!LFT_P(traces_member)(&q, p, g)) continue;
        for (reversed = 0; reversed < 2; ++reversed, ++elements) {
            int order;
            if (reversed) {
                LFT_P(traces_reversed)(&r, &q);
                q = r;
                LFT_P(traces_normal)(&q);
            }
            order = LFT_P(traces_compare)(&q, &best);
            if (order < 0) best = q, same = 0;
            same += order <= 0;
        }
    }
    for (i = 0; i < s->count; ++i) {
        if (LFT_P(traces_same)(s->one + i, &best)) return i;
    }
    if (s->count == LFT_P_CLASSES) {
        s->full = 1;
        return -1;
    }
    s->one[s->count]  = best;
    s->size[s->count] = elements / same;
    return s->count++;
}

/* ---- expressions in classes -------------------------------------------------------------------------------------------- */

/* SU(2): tr A tr B of two traces through one site, q and r the two that it becomes; 0 where there are none. */
LFT_P_STATIC int LFT_P(traces_joined)(const LFT_P(traces) *p, LFT_P(traces) *q, LFT_P(traces) *r)
{
    int x[LFT_DIM], y[LFT_DIM], t, u, i, k, n, m;
    for (t = 1; t < p->traces; ++t) {
        for (u = 0; u < t; ++u) {
            for (i = 0; i < p->length[t]; ++i) {
                for (k = 0; k < p->length[u]; ++k) {
                    LFT_P(letter_begin)(p->letter[t][i], x);
                    LFT_P(letter_begin)(p->letter[u][k], y);
                    if (LFT_P(path_compare)(x, y, LFT_DIM)) continue;
                    n = p->length[t], m = p->length[u];
                    *q = *p;
                    LFT_P(path_part)(q->letter[t], p->letter[t], n, i, n);
                    *r = *q;
                    LFT_P(path_part)(q->letter[t] + n, p->letter[u], m, k, m);
                    LFT_P(path_reversed)(r->letter[t] + n, q->letter[t] + n, m);
                    q->length[t] = r->length[t] = n + m;
                    LFT_P(traces_remove)(q, u);
                    LFT_P(traces_remove)(r, u);
                    return 1;
                }
            }
        }
    }
    return 0;
}

/* SU(3): a path that is passed twice in a row, n letters in trace t, which is turned to begin with it; n = 0: none. */
LFT_P_STATIC int LFT_P(traces_square)(LFT_P(traces) *p, int *trace)
{
    int path[LFT_P_LETTERS], t, i, n;
    for (t = 0; t < p->traces; ++t) {
        for (n = 1; 2 * n <= p->length[t]; ++n) {
            for (i = 0; i < p->length[t]; ++i) {
                LFT_P(path_part)(path, p->letter[t], p->length[t], i, p->length[t]);
                if (LFT_P(path_compare)(path, path + n, n)) continue;
                lft_p_copy(p->letter[t], path, sizeof path);
                *trace = t;
                return n;
            }
        }
    }
    return 0;
}

/* row += x p */
LFT_P_STATIC void LFT_P(collect)(LFT_P(classes) *s, const LFT_P(traces) *from, double x, LFT_P(in_classes) *row)
{
    LFT_P(traces) p = *from, q, r;
    int          path[LFT_P_LETTERS], back[LFT_P_LETTERS], t, n, m, i;
    for (t = p.traces - 1; t >= 0; --t) {
        if (LFT_P_COLOURS == 1 && t > 0) {
            lft_p_copy(p.letter[0] + p.length[0], p.letter[t], (size_t)p.length[t] * sizeof(int));
            p.length[0] += p.length[t], p.length[t] = 0;
        }
        p.length[t] = LFT_P(path_trimmed)(p.letter[t], p.length[t]);
        if (p.length[t]) continue;
        x *= LFT_P_COLOURS;
        LFT_P(traces_remove)(&p, t);
    }
    if (!p.traces) {
        row->c[LFT_P_CLASSES] += x;
    } else if (LFT_P_COLOURS == 2 && LFT_P(traces_joined)(&p, &q, &r)) {
        LFT_P(collect)(s, &q, x, row);
        LFT_P(collect)(s, &r, x, row);
    } else if (LFT_P_COLOURS == 3 && (n = LFT_P(traces_square)(&p, &t)) > 0) {
        m = p.length[t] - 2 * n; /* X X Y: X of n letters, Y of m */
        lft_p_copy(path, p.letter[t], sizeof path);
        LFT_P(path_reversed)(back, path, n);
        LFT_P(traces_remove)(&p, t);
        q = p;
        LFT_P(traces_add)(&q, path, n);
        LFT_P(traces_add)(&q, path + n, n + m);
        LFT_P(collect)(s, &q, x, row);
        q = p;
        LFT_P(traces_add)(&q, back, n);
        LFT_P(traces_add)(&q, path + 2 * n, m);
        LFT_P(collect)(s, &q, -x, row);
        lft_p_copy(back + n, path + 2 * n, (size_t)m * sizeof(int));
        LFT_P(traces_add)(&p, back, n + m);
        LFT_P(collect)(s, &p, x, row);
    } else {
        i = LFT_P(class_of)(s, &p);
        if (i >= 0) row->c[i] += x;
    }
}

/* row += x sum_a of p with T^a in front of the links at letter i of trace t and letter k of trace u, as a derivative puts it. */
LFT_P_STATIC void LFT_P(contract)(LFT_P(classes) *s, const LFT_P(traces) *p, int t, int i, int u, int k, double x,
                                  LFT_P(in_classes) *row)
{
    const int    one = LFT_P(letter_adjoint)(p->letter[t][i]), two = LFT_P(letter_adjoint)(p->letter[u][k]);
    const int    n = p->length[t], m = p->length[u];
    int          from = i + one, to = k + two; /* -U^+ T: behind an adjoint link */
    LFT_P(traces) q = *p;
    if (one != two) x = -x;
    if (LFT_P_COLOURS == 1) {
        LFT_P(collect)(s, p, -x, row);
        return;
    }
    if (t == u) {
        if (from > to) from = k + two, to = i + one;
        LFT_P(path_part)(q.letter[q.traces], p->letter[t], n, from, to - from);
        q.length[q.traces++] = to - from;
        LFT_P(path_part)(q.letter[t], p->letter[t], n, to, n - (to - from));
        q.length[t] = n - (to - from);
    } else {
        LFT_P(path_part)(q.letter[t], p->letter[t], n, from, n);
        LFT_P(path_part)(q.letter[t] + n, p->letter[u], m, to, m);
        q.length[t] = n + m;
        LFT_P(traces_remove)(&q, u);
    }
    LFT_P(collect)(s, &q, -0.5 * x, row);
    LFT_P(collect)(s, p, 0.5 * x / LFT_P_COLOURS, row);
}

/* From what one member gives to what the class gives: each class is all of its members. */
LFT_P_STATIC void LFT_P(of_class)(const LFT_P(classes) *s, int i, LFT_P(in_classes) *row)
{
    int j;
    for (j = 0; j < s->count; ++j) row->c[j] *= (double)s->size[i] / s->size[j];
    row->c[LFT_P_CLASSES] *= s->size[i];
}

/* L W_i; the constant is that of one site. New classes are added. */
LFT_P_STATIC void LFT_P(classes_laplacian)(LFT_P(classes) *s, int i, LFT_P(in_classes) *row)
{
    const double       N = LFT_P_COLOURS, casimir = LFT_P_COLOURS == 1 ? 1 : (N * N - 1) / (2 * N);
    const LFT_P(traces) p = s->one[i];
    int                t, u, k, m;
    lft_p_zero(row, sizeof *row);
    row->c[i] = casimir * LFT_P(traces_moving)(&p);
    for (t = 0; t < p.traces; ++t) {
        for (k = 0; k < p.length[t]; ++k) {
            for (u = 0; u <= t && LFT_P(letter_moves)(p.letter[t][k], p.doubled); ++u) {
                for (m = 0; m < (u == t ? k : p.length[u]); ++m) {
                    if (LFT_P(letter_link)(p.letter[t][k]) != LFT_P(letter_link)(p.letter[u][m])) continue;
                    LFT_P(contract)(s, &p, t, k, u, m, -2, row);
                }
            }
        }
    }
    LFT_P(of_class)(s, i, row);
}

/* The path around the plaquette at x. */
LFT_P_STATIC void LFT_P(path_plaquette)(const int *x, int mu, int nu, int *path)
{
    int y[LFT_DIM], z[LFT_DIM];
    lft_p_copy(y, x, sizeof y);
    lft_p_copy(z, x, sizeof z);
    y[mu] += 1, z[nu] += 1;
    path[0] = LFT_P(letter_of)(x, mu, 0), path[1] = LFT_P(letter_of)(y, nu, 0);
    path[2] = LFT_P(letter_of)(z, mu, 1), path[3] = LFT_P(letter_of)(x, nu, 1);
}

/* sum_l d_l^a W_0 d_l^a W_i, likewise. */
LFT_P_STATIC void LFT_P(classes_times_plaquettes)(LFT_P(classes) *s, int i, LFT_P(in_classes) *row)
{
    LFT_P(traces) p = s->one[i];
    const int    last = p.traces++;
    int          path[4], x[LFT_DIM], t, k, m, nu, below, reversed;
    lft_p_zero(row, sizeof *row);
    p.length[last] = 4;
    for (t = 0; t < last; ++t) {
        for (k = 0; k < p.length[t]; ++k) {
            const int letter = p.letter[t][k], mu = LFT_P(letter_axis)(letter);
            for (nu = 0; nu < LFT_DIM && LFT_P(letter_moves)(letter, p.doubled); ++nu) {
                for (below = 0; nu != mu && below < 2; ++below) {
                    LFT_P(letter_site)(letter, x);
                    x[nu] -= below;
                    LFT_P(path_plaquette)(x, mu, nu, path);
                    for (reversed = 0; reversed < 2; ++reversed) {
                        if (reversed) LFT_P(path_reversed)(p.letter[last], path, 4);
                        else lft_p_copy(p.letter[last], path, sizeof path);
                        for (m = 0; LFT_P(letter_link)(p.letter[last][m]) != LFT_P(letter_link)(letter); ++m) {}
                        LFT_P(contract)(s, &p, t, k, last, m, 1, row);
                    }
                }
            }
        }
    }
    LFT_P(of_class)(s, i, row);
}

/* Classes without links that move go behind the others, which keep their order. */
LFT_P_STATIC void LFT_P(classes_sort)(LFT_P(classes) *s)
{
    int i, k;
    for (i = s->moving; i < s->count; ++i) {
        const LFT_P(traces) one = s->one[i];
        const int           size = s->size[i];
        if (!LFT_P(traces_moving)(&one)) continue;
        for (k = i; k > s->moving; --k) s->one[k] = s->one[k - 1], s->size[k] = s->size[k - 1];
        s->one[k] = one, s->size[k] = size;
        ++s->moving;
    }
}

/* All classes, order by order, until there are `wanted` that move. upto of an order that there is no room for is 0. */
LFT_P_STATIC void LFT_P(classes_find)(LFT_P(classes) *s, int doubled, int wanted)
{
    const int         along = doubled ? doubled - 1 : 0, across = (along + 1) % LFT_DIM;
    LFT_P(in_classes) row;
    LFT_P(traces)      plaquette;
    int               x[LFT_DIM], order, i, closed = 0;
    lft_p_zero(s, sizeof *s);
    lft_p_zero(&plaquette, sizeof plaquette);
    lft_p_zero(x, sizeof x);
    plaquette.traces = 1, plaquette.length[0] = 4, plaquette.doubled = doubled;
    LFT_P(path_plaquette)(x, along, across, plaquette.letter[0]);
    (void)LFT_P(class_of)(s, &plaquette);
    x[along] = 1;
    if (doubled && LFT_DIM > 2) {
        LFT_P(path_plaquette)(x, across, (along + 2) % LFT_DIM, plaquette.letter[0]);
        (void)LFT_P(class_of)(s, &plaquette);
    }
    for (order = 1; order <= LFT_P_ORDERS; ++order) {
        for (i = order > 2 ? s->upto[order - 2] : 0; order > 1 && i < s->upto[order - 1]; ++i) {
            LFT_P(classes_times_plaquettes)(s, i, &row);
        }
        for (; closed < s->count && !s->full; ++closed) LFT_P(classes_laplacian)(s, closed, &row);
        LFT_P(classes_sort)(s);
        if (s->full) return;
        s->upto[order] = s->moving;
        if (s->moving >= wanted) return;
    }
}

/* ---- 67_loop_program.h, code ------------------------------------------------------------------------------------- */
/* 67_loop_program.h: how classes of Wilson loops are computed at a site, with their derivatives of first and second order.
 * Offers (private): LFT_P(program) and its parts, LFT_P(program_fields), LFT_P(program_links)(), _runs, _moves, _at, _forward,
 * _traces, _values, _cotangents, _backward.
 *
 * A program is a list that is gone through at every site: paths from the links nearby, each a product of two, links or earlier
 * paths, either adjoint, so that loops share what they have in common; traces of products of two paths; products of traces.
 * Paths of a site are computed, used and differentiated before the next site: they stay in the nearest cache, and only links and
 * their cotangents go through memory. The cotangent A' of A is defined by df = Re tr A'^+ dA. Of a product C = A B, with dots for
 * the derivative along a direction:
 *   C. = A. B + A B.     A' += C' B^+,  B' += A^+ C'     A'. += C'. B^+ + C' B.^+,  B'. += A^+ C'. + A.^+ C' */

#define LFT_P_SITES 512 /* of a program, at most */

/* A link at one of the program's sites, where path < 0; otherwise an earlier path. */
typedef struct LFT_P(factor) {
    int path, site, axis, adjoint;
} LFT_P(factor);

typedef struct LFT_P(longer_path) {
    LFT_P(factor) a, b;
} LFT_P(longer_path);

/* tr X Y or, with y.adjoint, tr X Y^+. The imaginary part is needed where it is multiplied with another. */
typedef struct LFT_P(loop) {
    LFT_P(factor) x, y;
    int           two_parts;
} LFT_P(loop);

/* weight Re prod tr, with some of the traces conjugate. */
typedef struct LFT_P(monomial) {
    int    number; /* of the class that it belongs to */
    int    traces, trace[LFT_P_TRACES], conjugate[LFT_P_TRACES];
    double weight;
} LFT_P(monomial);

typedef struct LFT_P(program_step) { /* from one of the sites before: axis + 1 up, -(axis + 1) down */
    int from, step;
} LFT_P(program_step);

typedef struct LFT_P(program) {
    LFT_(lattice)    lattice;
    int              stride[LFT_DIM];
    int              doubled; /* axis + 1: it runs at even slices, and only new links move; 0: none */
    int              sites, paths, loops, monomials, classes;
    LFT_P(program_step)     *site; /* site 0 is the one that the program is at */
    LFT_P(longer_path)  *path;
    LFT_P(loop)     *loop;
    LFT_P(monomial) *monomial;
} LFT_P(program);

/* ---- paths and their derivatives ------------------------------------------------------------------------------------------ */

/* Four fields of links with the paths of a site: values, cotangents and, or NULL, derivatives of both; and of the traces. */
typedef struct LFT_P(program_fields) {
    lft_w *value, *path, *bar, *path_bar, *dot, *path_dot, *dot_bar, *path_dot_bar;
    lft_v *trace, *trace_dot, *trace_bar, *trace_dot_bar; /* [loops][2], real and imaginary */
    int   *site; /* where the program's sites are */
} LFT_P(program_fields);

/* Fields of links: [site][direction]. */
LFT_P_STATIC void LFT_P(program_links)(const LFT_P(program) *g, const lft_v *links, lft_w *value)
{
    int i;
    for (i = 0; i < g->lattice.volume * LFT_DIM; ++i) LFT_P(sum_of)(links + i * LFT_P_LINK, value + i);
}

/* Whether the program runs at p, and whether link i moves. */
LFT_P_INLINE int LFT_P(program_runs)(const LFT_P(program) *g, const LFT_P(place) *p)
{
    return !g->doubled || !(p->x[g->doubled - 1] & 1);
}
LFT_P_INLINE int LFT_P(program_moves)(const LFT_P(program) *g, int i)
{
    const int mu = g->doubled - 1;
    return mu < 0 || (i % LFT_DIM != mu && (i / LFT_DIM / g->stride[mu] % g->lattice.extent[mu] & 1));
}

/* Brings the program to the site p. */
LFT_P_STATIC void LFT_P(program_at)(const LFT_P(program) *g, LFT_P(place) p, const LFT_P(program_fields) *f)
{
    LFT_P(place) at[LFT_P_SITES];
    int          i;
    at[0]      = p;
    f->site[0] = p.site;
    for (i = 1; i < g->sites; ++i) {
        const int step = g->site[i].step;
        at[i] = at[g->site[i].from];
        if (step > 0) LFT_P(up)(&g->lattice, g->stride, at + i, step - 1);
        else LFT_P(down)(&g->lattice, g->stride, at + i, -step - 1);
        f->site[i] = at[i].site;
    }
}

/* A factor among links and paths of one kind. */
LFT_P_INLINE lft_w *LFT_P(program_factor)(const LFT_P(program_fields) *f, const LFT_P(factor) *factor, lft_w *link, lft_w *path)
{
    return factor->path < 0 ? link + f->site[factor->site] * LFT_DIM + factor->axis : path + factor->path;
}

/* All paths; where f->dot is not NULL, also their derivatives from those of the links. */
LFT_P_STATIC void LFT_P(program_forward)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    int i;
    for (i = 0; i < g->paths; ++i) {
        const LFT_P(longer_path) *t = g->path + i;
        const lft_w          *a = LFT_P(program_factor)(f, &t->a, f->value, f->path), *b;
        b = LFT_P(program_factor)(f, &t->b, f->value, f->path);
        LFT_P(sum_none)(f->path + i);
        LFT_P(sum_mul)(f->path + i, a, t->a.adjoint, b, t->b.adjoint);
        if (!f->dot) continue;
        LFT_P(sum_none)(f->path_dot + i);
        LFT_P(sum_mul)(f->path_dot + i, LFT_P(program_factor)(f, &t->a, f->dot, f->path_dot), t->a.adjoint, b, t->b.adjoint);
        LFT_P(sum_mul)(f->path_dot + i, a, t->a.adjoint, LFT_P(program_factor)(f, &t->b, f->dot, f->path_dot), t->b.adjoint);
    }
}

/* a' and b' of c = a b, where a may be the adjoint of a field: its cotangent is c' b^+, that of the field b c'^+. */
LFT_P_STATIC void LFT_P(path_back)(const LFT_P(longer_path) *t, const lft_w *a, const lft_w *b, const lft_w *bar, lft_w *bar_a,
                                      lft_w *bar_b)
{
    if (t->a.adjoint) LFT_P(sum_mul)(bar_a, b, t->b.adjoint, bar, 1);
    else LFT_P(sum_mul)(bar_a, bar, 0, b, !t->b.adjoint);
    if (t->b.adjoint) LFT_P(sum_mul)(bar_b, bar, 1, a, t->a.adjoint);
    else LFT_P(sum_mul)(bar_b, a, !t->a.adjoint, bar, 0);
}

/* What the cotangents of the paths add to those of the links; with derivatives also those of that. */
LFT_P_STATIC void LFT_P(program_backward)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    int i;
    for (i = g->paths - 1; i >= 0; --i) {
        const LFT_P(longer_path) *t = g->path + i;
        const lft_w          *a = LFT_P(program_factor)(f, &t->a, f->value, f->path);
        const lft_w          *b = LFT_P(program_factor)(f, &t->b, f->value, f->path);
        lft_w                *to_a = LFT_P(program_factor)(f, &t->a, f->bar, f->path_bar);
        lft_w                *to_b = LFT_P(program_factor)(f, &t->b, f->bar, f->path_bar);
        LFT_P(path_back)(t, a, b, f->path_bar + i, to_a, to_b);
        if (!f->dot) continue;
        to_a = LFT_P(program_factor)(f, &t->a, f->dot_bar, f->path_dot_bar);
        to_b = LFT_P(program_factor)(f, &t->b, f->dot_bar, f->path_dot_bar);
        LFT_P(path_back)(t, a, b, f->path_dot_bar + i, to_a, to_b);
        a = LFT_P(program_factor)(f, &t->a, f->dot, f->path_dot);
        b = LFT_P(program_factor)(f, &t->b, f->dot, f->path_dot);
        LFT_P(path_back)(t, a, b, f->path_bar + i, to_a, to_b);
    }
}

/* ---- traces and their products --------------------------------------------------------------------------------------------- */

/* All traces, with their derivatives as above. */
LFT_P_STATIC void LFT_P(program_traces)(const LFT_P(program) *g, const LFT_P(program_fields) *f)
{
    lft_v re, im;
    int   i;
    for (i = 0; i < g->loops; ++i) {
        const LFT_P(loop) *t = g->loop + i;
        const lft_w       *x = LFT_P(program_factor)(f, &t->x, f->value, f->path), *y;
        lft_v             *to = f->trace + 2 * i, *dot = f->trace_dot + 2 * i;
        y = LFT_P(program_factor)(f, &t->y, f->value, f->path);
        LFT_P(sum_inner)(x, y, t->y.adjoint, to, t->two_parts ? to + 1 : NULL);
        if (!t->two_parts) to[1] = lft_splat(0);
        if (!f->dot) continue;
        LFT_P(sum_inner)(LFT_P(program_factor)(f, &t->x, f->dot, f->path_dot), y, t->y.adjoint, dot, t->two_parts ? dot + 1 : NULL);
        LFT_P(sum_inner)(x, LFT_P(program_factor)(f, &t->y, f->dot, f->path_dot), t->y.adjoint, &re, t->two_parts ? &im : NULL);
        dot[0] += re;
        if (t->two_parts) dot[1] += im;
        else dot[1] = lft_splat(0);
    }
}

/* The product of the traces of a monomial but number `without`, and its derivative where there are derivatives. */
LFT_P_INLINE void LFT_P(monomial_product)(const LFT_P(monomial) *m, int without, const LFT_P(program_fields) *f, int derivative,
                                          lft_v *p, lft_v *dot)
{
    int t, factors = 0;
    p[0] = lft_splat(1), p[1] = dot[0] = dot[1] = lft_splat(0);
    for (t = 0; t < m->traces; ++t) {
        const lft_v   *a = f->trace + 2 * m->trace[t], *b = f->trace_dot + 2 * m->trace[t];
        const lft_real sign = m->conjugate[t] ? -1 : 1;
        const lft_v    re = a[0], im = sign * a[1], old_re = p[0], old_im = p[1];
        if (t == without) continue;
        if (!factors++) {
            p[0] = re, p[1] = im;
            if (derivative) dot[0] = b[0], dot[1] = sign * b[1];
            continue;
        }
        if (derivative) {
            const lft_v more_re = b[0], more_im = sign * b[1], dot_re = dot[0], dot_im = dot[1];
            dot[0] = dot_re * re - dot_im * im + old_re * more_re - old_im * more_im;
            dot[1] = dot_re * im + dot_im * re + old_re * more_im + old_im * more_re;
        }
        p[0] = old_re * re - old_im * im;
        p[1] = old_re * im + old_im * re;
    }
}

/* value[class] += those at the site and, not NULL, rate[class] += their derivatives. */
LFT_P_STATIC void LFT_P(program_values)(const LFT_P(program) *g, const LFT_P(program_fields) *f, lft_v *value, lft_v *rate)
{
    lft_v p[2], dot[2];
    int   i;
    for (i = 0; i < g->monomials; ++i) {
        const LFT_P(monomial) *m = g->monomial + i;
        const lft_real         weight = (lft_real)m->weight;
        LFT_P(monomial_product)(m, -1, f, rate != NULL, p, dot);
        value[m->number] += weight * p[0];
        if (rate) rate[m->number] += weight * dot[0];
    }
}

/* x' and y' from the gradient t' of tr X Y: X' += t' Y^+, Y' += t' X^+; of tr X Y^+: X' += t' Y, Y' += t'^* X. */
LFT_P_STATIC void LFT_P(loop_back)(const LFT_P(loop) *t, const lft_v *bar, const lft_w *x, const lft_w *y, lft_w *to_x, lft_w *to_y)
{
    if (t->two_parts) {
        LFT_P(sum_times)(to_x, bar[0], bar[1], y, !t->y.adjoint);
        LFT_P(sum_times)(to_y, bar[0], t->y.adjoint ? -bar[1] : bar[1], x, !t->y.adjoint);
    } else {
        LFT_P(sum_scaled)(to_x, bar[0], y, !t->y.adjoint);
        LFT_P(sum_scaled)(to_y, bar[0], x, !t->y.adjoint);
    }
}

/* From the gradient of a trace, and its derivative, to the cotangents of its factors. */
LFT_P_STATIC void LFT_P(program_loop_back)(const LFT_P(loop) *t, const LFT_P(program_fields) *f, const lft_v *bar,
                                           const lft_v *dot_bar)
{
    const lft_w *x = LFT_P(program_factor)(f, &t->x, f->value, f->path), *y = LFT_P(program_factor)(f, &t->y, f->value, f->path);
    lft_w       *to_x = LFT_P(program_factor)(f, &t->x, f->bar, f->path_bar);
    lft_w       *to_y = LFT_P(program_factor)(f, &t->y, f->bar, f->path_bar);
    LFT_P(loop_back)(t, bar, x, y, to_x, to_y);
    if (!f->dot) return;
    to_x = LFT_P(program_factor)(f, &t->x, f->dot_bar, f->path_dot_bar);
    to_y = LFT_P(program_factor)(f, &t->y, f->dot_bar, f->path_dot_bar);
    LFT_P(loop_back)(t, dot_bar, x, y, to_x, to_y);
    x = LFT_P(program_factor)(f, &t->x, f->dot, f->path_dot);
    y = LFT_P(program_factor)(f, &t->y, f->dot, f->path_dot);
    LFT_P(loop_back)(t, bar, x, y, to_x, to_y);
}

/* path_bar = cotangents of sum_i e_i W_i at the site; with derivatives path_dot_bar = those of them, and x[lane] times the
 * cotangents of sum_i e2_i W_i. */
LFT_P_STATIC void LFT_P(program_cotangents)(const LFT_P(program) *g, const LFT_P(program_fields) *f, const double *e,
                                            const double *e2, lft_v x)
{
    const int second = f->dot != NULL;
    lft_v     p[2], dot[2];
    int       i, t;
    LFT_P(set_zero)(f->trace_bar, 2 * g->loops);
    LFT_P(set_zero)((lft_v *)f->path_bar, g->paths * LFT_P_SUM);
    if (second) LFT_P(set_zero)(f->trace_dot_bar, 2 * g->loops);
    if (second) LFT_P(set_zero)((lft_v *)f->path_dot_bar, g->paths * LFT_P_SUM);
    for (i = 0; i < g->monomials; ++i) { /* Re t R has the gradient (Re R, -Im R), Re t^* R (Re R, Im R) */
        const LFT_P(monomial) *m = g->monomial + i;
        const lft_real         weight = (lft_real)(e[m->number] * m->weight);
        if (m->traces == 1) {
            f->trace_bar[2 * m->trace[0]] += weight;
            if (second) f->trace_dot_bar[2 * m->trace[0]] += (lft_real)(e2[m->number] * m->weight) * x;
            continue;
        }
        for (t = 0; t < m->traces; ++t) {
            const lft_real sign = m->conjugate[t] ? 1 : -1;
            lft_v         *bar = f->trace_bar + 2 * m->trace[t], *dot_bar = f->trace_dot_bar + 2 * m->trace[t];
            LFT_P(monomial_product)(m, t, f, second, p, dot);
            bar[0] += weight * p[0];
            bar[1] += sign * weight * p[1];
            if (second) {
                const lft_v also = (lft_real)(e2[m->number] * m->weight) * x;
                dot_bar[0] += weight * dot[0] + also * p[0];
                dot_bar[1] += sign * (weight * dot[1] + also * p[1]);
            }
        }
    }
    for (i = 0; i < g->loops; ++i) LFT_P(program_loop_back)(g->loop + i, f, f->trace_bar + 2 * i, f->trace_dot_bar + 2 * i);
}

/* ---- 68_loop_draft.h, code --------------------------------------------------------------------------------------- */
/* 68_loop_draft.h: from classes of Wilson loops to a program that computes them.
 * Offers (private): LFT_P(program_build)().
 *
 * Loop by loop, a loop is moved to the place and cut in two where that costs least; and so are the paths that are new. A product of
 * matrices costs the less the more loops have that path somewhere, so that staples come first. */

#define LFT_P_PATHS (LFT_DIM < 4 ? 2048 : 8192) /* of a program, at most; traces, too */

/* What is looked up while a program is built: paths by a number that their letters make. And how many loops a path is a part of,
 * somewhere on the lattice and in either direction, at a number that few other paths share: what such a path costs is shared. */
typedef struct LFT_P(draft) {
    LFT_P(program) *program;
    int             full, counting, code[LFT_P_SITES];
    uint64_t        key[LFT_P_PATHS];
    int             table[2 * LFT_P_PATHS], x[LFT_P_PATHS], y[LFT_P_PATHS];
    unsigned short  uses[4 * LFT_P_PATHS];
} LFT_P(draft);

LFT_P_STATIC uint64_t LFT_P(path_key)(const int *path, int n)
{
    uint64_t key = 1469598103934665603u;
    int      i;
    for (i = 0; i < n; ++i) key = (key ^ (uint64_t)path[i]) * 1099511628211u;
    return key ^ key >> 29;
}

/* Where the path is in the table, or where it would be. */
LFT_P_STATIC int *LFT_P(draft_slot)(LFT_P(draft) *d, uint64_t key)
{
    unsigned at = (unsigned)(key % (2 * LFT_P_PATHS));
    while (d->table[at] && d->key[d->table[at] - 1] != key) at = (at + 1) % (2 * LFT_P_PATHS);
    return d->table + at;
}

/* The number of a path, -1 if it is none yet. */
LFT_P_STATIC int LFT_P(draft_find)(LFT_P(draft) *d, const int *path, int n)
{
    return *LFT_P(draft_slot)(d, LFT_P(path_key)(path, n)) - 1;
}

/* The same, as it is or, *reversed, the other way. */
LFT_P_STATIC int LFT_P(draft_find_either)(LFT_P(draft) *d, const int *path, int n, int *reversed)
{
    int back[LFT_P_LETTERS] = {0}, at = LFT_P(draft_find)(d, path, n);
    *reversed = at < 0;
    if (at >= 0) return at;
    LFT_P(path_reversed)(back, path, n);
    return LFT_P(draft_find)(d, back, n);
}

LFT_P_STATIC unsigned short *LFT_P(draft_uses)(LFT_P(draft) *d, const int *path, int n)
{
    LFT_P(traces) here, back;
    here.traces = 1, here.length[0] = n, here.doubled = d->program->doubled;
    lft_p_copy(here.letter[0], path, (size_t)n * sizeof(int));
    LFT_P(traces_home)(&here);
    LFT_P(traces_reversed)(&back, &here);
    return d->uses + (LFT_P(path_key)(here.letter[0], n) ^ LFT_P(path_key)(back.letter[0], n)) % (4 * LFT_P_PATHS);
}

/* What the n letters of a closed path from number i on still cost: cost[i][n]. */
typedef struct LFT_P(draft_costs) {
    int    path[2 * LFT_P_LETTERS], length;
    double cost[LFT_P_LETTERS][LFT_P_LETTERS];
} LFT_P(draft_costs);

LFT_P_STATIC void LFT_P(draft_price)(LFT_P(draft) *d, const int *loop, int length, LFT_P(draft_costs) *c)
{
    int i, n, m, reversed;
    c->length = length;
    LFT_P(path_part)(c->path, loop, length, 0, 2 * length);
    for (n = 1; n < length; ++n) {
        for (i = 0; i < length; ++i) {
            double least = 1000;
            for (m = 1; m < n; ++m) {
                const double cost = c->cost[i][m] + c->cost[(i + m) % length][n - m];
                least = cost < least ? cost : least;
            }
            c->cost[i][n] = 0;
            if (n == 1 || LFT_P(draft_find_either)(d, c->path + i, n, &reversed) >= 0) continue;
            c->cost[i][n] = least + 1.0 / (1 + *LFT_P(draft_uses)(d, c->path + i, n));
        }
    }
}

/* The cheapest way to cut the loop in two: the first part has *n letters from number *begin on. What it costs is returned. */
LFT_P_STATIC double LFT_P(draft_cut)(const LFT_P(draft_costs) *c, int *begin, int *n)
{
    double best = 1000;
    int    i, k;
    for (i = 0; i < c->length; ++i) {
        for (k = 1; k < c->length; ++k) {
            const double cost = c->cost[i][k] + c->cost[(i + k) % c->length][c->length - k];
            if (cost < best) best = cost, *begin = i, *n = k;
        }
    }
    return best;
}

/* The number of a site, given by the letter of any of its links. */
LFT_P_STATIC int LFT_P(draft_site)(LFT_P(draft) *d, int letter)
{
    LFT_P(program) *g = d->program;
    int             x[LFT_DIM], i, mu, from = 0, step = 0;
    LFT_P(letter_site)(letter, x);
    for (i = 0; i < g->sites; ++i) {
        if (d->code[i] == letter >> 3) return i;
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (x[mu]) step = x[mu] > 0 ? mu + 1 : -(mu + 1);
    }
    if (step) {
        x[(step > 0 ? step : -step) - 1] -= step > 0 ? 1 : -1;
        from = LFT_P(draft_site)(d, LFT_P(letter_of)(x, 0, 0));
    }
    if (g->sites == LFT_P_SITES) {
        d->full = 1;
        return 0;
    }
    d->code[g->sites] = letter >> 3;
    if (g->site) g->site[g->sites].from = from, g->site[g->sites].step = step;
    return g->sites++;
}

/* A path as a factor: a link, or a path that is there already, as it is or reversed, or a new one, cut where that costs least. */
LFT_P_STATIC LFT_P(factor) LFT_P(draft_factor)(LFT_P(draft) *d, const int *path, int n)
{
    LFT_P(program)     *g = d->program;
    LFT_P(draft_costs)  c;
    LFT_P(longer_path)  p;
    LFT_P(factor)       f;
    int                 i, cut = 1, closed[LFT_P_LETTERS];
    double              best = 1000;
    lft_p_zero(&f, sizeof f);
    f.path = -1;
    if (n == 1) {
        f.site = LFT_P(draft_site)(d, path[0]);
        f.axis = LFT_P(letter_axis)(path[0]), f.adjoint = LFT_P(letter_adjoint)(path[0]);
        return f;
    }
    f.path = LFT_P(draft_find_either)(d, path, n, &f.adjoint);
    if (f.path >= 0) return f;
    lft_p_copy(closed, path, (size_t)n * sizeof(int));
    closed[n] = 0; /* no letter: no path has it */
    LFT_P(draft_price)(d, closed, n + 1, &c);
    for (i = 1; i < n; ++i) {
        if (c.cost[0][i] + c.cost[i][n - i] < best) best = c.cost[0][i] + c.cost[i][n - i], cut = i;
    }
    p.a = LFT_P(draft_factor)(d, path, cut), p.b = LFT_P(draft_factor)(d, path + cut, n - cut);
    f.path = g->paths, f.adjoint = 0;
    if (g->paths == LFT_P_PATHS) {
        d->full = 1;
        f.path  = 0;
        return f;
    }
    if (g->path) g->path[g->paths] = p;
    d->key[g->paths] = LFT_P(path_key)(path, n);
    *LFT_P(draft_slot)(d, d->key[g->paths]) = g->paths + 1;
    ++g->paths;
    return f;
}

/* The number of the trace of a loop; *conjugate: of its complex conjugate. */
LFT_P_STATIC int LFT_P(draft_loop)(LFT_P(draft) *d, const int *loop, int length, int two_parts, int *conjugate)
{
    LFT_P(program)     *g = d->program;
    LFT_P(draft_costs)  c;
    LFT_P(factor)       x, y;
    int                 begin = 0, n = 2, i;
    int                 one, two;
    LFT_P(draft_price)(d, loop, length, &c);
    (void)LFT_P(draft_cut)(&c, &begin, &n);
    x = LFT_P(draft_factor)(d, c.path + begin, n);
    y = LFT_P(draft_factor)(d, c.path + (begin + n) % length, length - n);
    *conjugate = x.adjoint; /* tr X^+ Y = (tr X Y^+)^* */
    y.adjoint ^= x.adjoint, x.adjoint = 0;
    one = x.path < 0 ? -1 - x.site * LFT_DIM - x.axis : x.path;
    two = 2 * (y.path < 0 ? -1 - y.site * LFT_DIM - y.axis : y.path) + y.adjoint;
    for (i = 0; i < g->loops && !(d->x[i] == one && d->y[i] == two); ++i) {}
    if (i == LFT_P_PATHS) {
        d->full = 1;
        return 0;
    }
    if (i == g->loops) d->x[i] = one, d->y[i] = two, ++g->loops;
    if (g->loop) g->loop[i].x = x, g->loop[i].y = y, g->loop[i].two_parts |= two_parts;
    return i;
}

/* A product of traces, moved so that it takes the fewest new paths: with some link's beginning at the origin, or beside it
 * along a doubled axis. */
LFT_P_STATIC void LFT_P(draft_product)(LFT_P(draft) *d, const LFT_P(traces) *p, int number, double weight)
{
    LFT_P(program) *g = d->program;
    LFT_P(monomial) m;
    LFT_P(traces)    q = *p, best_q = *p;
    LFT_P(draft_costs) costs;
    int             origin[LFT_DIM], begin, n, t, i, u, k, mu;
    double          best = 1000, cost;
    for (t = 0; t < p->traces; ++t) {
        for (i = 0; i < p->length[t]; ++i) {
            int move = 0;
            cost = 0;
            LFT_P(letter_begin)(p->letter[t][i], origin);
            if (p->doubled) origin[p->doubled - 1] &= ~1;
            for (mu = 0; mu < LFT_DIM; ++mu) move = move * 32 + origin[mu];
            for (u = 0; u < p->traces; ++u) {
                for (k = 0; k < p->length[u]; ++k) q.letter[u][k] = p->letter[u][k] - 8 * move;
                LFT_P(draft_price)(d, q.letter[u], p->length[u], &costs);
                cost += LFT_P(draft_cut)(&costs, &begin, &n);
            }
            if (cost < best) best = cost, best_q = q;
        }
    }
    lft_p_zero(&m, sizeof m);
    m.number = number, m.traces = p->traces, m.weight = weight;
    for (t = 0; t < p->traces; ++t) {
        m.trace[t] = LFT_P(draft_loop)(d, best_q.letter[t], p->length[t], p->traces > 1, m.conjugate + t);
    }
    if (g->monomial) g->monomial[g->monomials] = m;
    ++g->monomials;
}

/* Counts the parts of all loops. */
LFT_P_STATIC void LFT_P(draft_count)(LFT_P(draft) *d, const LFT_P(traces) *p)
{
    int path[2 * LFT_P_LETTERS], t, i, n;
    for (t = 0; t < p->traces; ++t) {
        LFT_P(path_part)(path, p->letter[t], p->length[t], 0, 2 * p->length[t]);
        for (i = 0; i < p->length[t]; ++i) {
            for (n = 2; n < p->length[t]; ++n) ++*LFT_P(draft_uses)(d, path + i, n);
        }
    }
}

/* All members of a class, complex conjugates once. 0 if they are not as many as it has. */
LFT_P_STATIC int LFT_P(draft_class)(LFT_P(draft) *d, const LFT_P(classes) *classes, int number)
{
    uint64_t     seen[LFT_P_SYMMETRIES];
    LFT_P(traces) p, q;
    int          g, i, n = 0, members = 0;
    for (g = 0; g < LFT_P_SYMMETRIES; ++g) {
        const LFT_P(traces) *first = &p;
        uint64_t             key = 0;
        int                  order;
        if (!LFT_P(traces_member)(&p, classes->one + number, g)) continue;
        LFT_P(traces_reversed)(&q, &p);
        LFT_P(traces_normal)(&q);
        order = LFT_P(traces_compare)(&p, &q);
        if (order > 0) first = &q;
        for (i = 0; i < first->traces; ++i) key = key * 1099511628211u + LFT_P(path_key)(first->letter[i], first->length[i]);
        for (i = 0; i < n && seen[i] != key; ++i) {}
        if (i < n) continue;
        seen[n++] = key;
        members += order ? 2 : 1;
        if (LFT_P_COLOURS == 1) LFT_P(path_walk)(p.letter[0], p.length[0]);
        if (d->counting) LFT_P(draft_count)(d, &p);
        else LFT_P(draft_product)(d, &p, number, order ? 2 : 1);
    }
    return members == classes->size[number];
}

/* The program of the first `count` classes. Runs over a measuring arena, too. LFT_ERR_ARG where it would be too long. */
LFT_P_STATIC lft_status LFT_P(program_build)(LFT_P(program) *g, const LFT_(lattice) *lattice, const LFT_P(classes) *classes,
                                             int count, lft_arena *arena, lft_error *error)
{
    LFT_P(draft) d;
    const int    here[LFT_DIM] = {0};
    int          pass, i, right = 1;
    lft_p_zero(g, sizeof *g);
    lft_p_zero(&d, sizeof d);
    g->lattice = *lattice, g->classes = count, g->doubled = classes->one[0].doubled;
    LFT_P(strides)(lattice, g->stride);
    d.program  = g;
    d.counting = 1;
    for (i = 0; i < count; ++i) right = LFT_P(draft_class)(&d, classes, i) && right;
    d.counting = 0;
    for (pass = 0; pass < 2; ++pass) { /* the first to know how long it is */
        lft_p_zero(d.table, sizeof d.table);
        g->sites = g->paths = g->loops = g->monomials = 0;
        (void)LFT_P(draft_site)(&d, LFT_P(letter_of)(here, 0, 0));
        for (i = 0; i < count; ++i) right = LFT_P(draft_class)(&d, classes, i) && right;
        if (d.full || !right) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "fewer: their paths are too many", count);
        }
        if (pass) break;
        g->site     = (LFT_P(program_step) *)lft_arena_alloc(arena, (size_t)g->sites, sizeof *g->site);
        g->path     = (LFT_P(longer_path) *)lft_arena_alloc(arena, (size_t)g->paths, sizeof *g->path);
        g->loop     = (LFT_P(loop) *)lft_arena_alloc(arena, (size_t)g->loops, sizeof *g->loop);
        g->monomial = (LFT_P(monomial) *)lft_arena_alloc(arena, (size_t)g->monomials, sizeof *g->monomial);
        if (!g->monomial || !g->site || !g->path || !g->loop) return LFT_OK;
    }
    return LFT_OK;
}

/* ---- 69_potential.h, code ---------------------------------------------------------------------------------------- */
/* 69_potential.h: potentials made of Wilson loops, with force and divergence.
 * Offers (private): LFT_P(potential), LFT_P(potential_classes)(), _init, _start, _fields, _force, _backward.
 *
 *   S~(U) = sum_i c_i W_i(U),   force Z_l^a = -d_l^a S~,   divergence -sum d_l^a d_l^a S~ = sum_i c_i L W_i
 * with the classes W_i of 66_loop_classes.h: L W_i = sum_j D_ij W_j + const, the divergence costs nothing beside the W_j. Of a
 * doubled axis l are the new links, the others have no force. */

typedef struct LFT_P(potential) {
    LFT_P(program) program;
    int            classes;    /* with coefficients: the first of those that the program computes */
    int            orders;     /* of the trivializing map that all classes are there for */
    int            upto[LFT_P_ORDERS + 1]; /* classes of orders up to this; 0 where not all were looked for */
    int            extent[LFT_DIM]; /* the least: on a smaller lattice links of a loop that move are one and the same */
    double        *closure;    /* [classes][all of the program's + 1]: D_ij, last the constant */
} LFT_P(potential);

/* How many classes there are to an order; 0 where there is no room for them. */
LFT_P_STATIC int LFT_P(potential_classes)(int doubled, int order)
{
    LFT_P(classes) classes;
    int            wanted = 1;
    do {
        LFT_P(classes_find)(&classes, doubled, wanted);
        wanted = classes.moving + 1;
    } while (!classes.full && !classes.upto[order]);
    return classes.upto[order];
}

/* The extents that keep the links of p apart that move, as those of s, which all axes but a doubled one share. */
LFT_P_STATIC void LFT_P(potential_extent)(LFT_P(potential) *s, const LFT_P(traces) *p)
{
    int x[LFT_DIM], least[LFT_DIM], most[LFT_DIM], t, k, mu, nu;
    for (mu = 0; mu < LFT_DIM; ++mu) least[mu] = 1000, most[mu] = -1000;
    for (t = 0; t < p->traces; ++t) {
        for (k = 0; k < p->length[t]; ++k) {
            if (!LFT_P(letter_moves)(p->letter[t][k], p->doubled)) continue;
            LFT_P(letter_site)(p->letter[t][k], x);
            for (mu = 0; mu < LFT_DIM; ++mu) {
                least[mu] = x[mu] < least[mu] ? x[mu] : least[mu];
                most[mu]  = x[mu] > most[mu] ? x[mu] : most[mu];
            }
        }
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) {
            const int extent = most[nu] - least[nu] + 1;
            if ((mu == p->doubled - 1) == (nu == p->doubled - 1) && extent > s->extent[mu]) s->extent[mu] = extent;
        }
    }
}

/* With `wanted` classes or as many as there are. Runs over a measuring arena, too. */
LFT_P_STATIC lft_status LFT_P(potential_init)(LFT_P(potential) *s, const LFT_(lattice) *lattice, int doubled, int wanted,
                                              lft_arena *arena, lft_error *error)
{
    LFT_P(classes)    classes;
    LFT_P(in_classes) row;
    int               all, i, j;
    lft_status        status;
    lft_p_zero(s, sizeof *s);
    LFT_P(classes_find)(&classes, doubled, wanted);
    s->classes = all = wanted < classes.moving ? wanted : classes.moving;
    classes.full = 0;
    for (i = 0; i < s->classes; ++i) {
        LFT_P(classes_laplacian)(&classes, i, &row);
        if (classes.full) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "fewer: their divergence takes too many classes", i);
        }
        for (j = all; j < classes.count; ++j) all = row.c[j] < 0 || row.c[j] > 0 ? j + 1 : all;
    }
    lft_p_copy(s->upto, classes.upto, sizeof s->upto);
    while (s->orders < LFT_P_ORDERS && classes.upto[s->orders + 1] > 0 && classes.upto[s->orders + 1] <= s->classes) ++s->orders;
    for (i = 0; i < all; ++i) LFT_P(potential_extent)(s, classes.one + i);
    status = LFT_P(program_build)(&s->program, lattice, &classes, all, arena, error);
    if (status) return status;
    s->closure = (double *)lft_arena_alloc(arena, (size_t)s->classes * (size_t)(all + 1), sizeof(double));
    for (i = 0; s->closure && i < s->classes; ++i) {
        LFT_P(classes_laplacian)(&classes, i, &row);
        lft_p_copy(s->closure + i * (all + 1), row.c, (size_t)all * sizeof(double));
        s->closure[i * (all + 1) + all] = lattice->volume / (doubled ? 2 : 1) * row.c[LFT_P_CLASSES];
    }
    return LFT_OK;
}

/* x = a^-1 b, a[n][n] and b are overwritten: Gauss with pivots. */
LFT_P_STATIC void LFT_P(potential_gauss)(double *a, double *b, int n)
{
    int i, j, k;
    for (k = 0; k < n; ++k) {
        int    pivot = k;
        double most = 0, swap;
        for (i = k; i < n; ++i) {
            const double size = a[i * n + k] < 0 ? -a[i * n + k] : a[i * n + k];
            if (size > most) most = size, pivot = i;
        }
        for (j = k; j < n; ++j) swap = a[k * n + j], a[k * n + j] = a[pivot * n + j], a[pivot * n + j] = swap;
        swap = b[k], b[k] = b[pivot], b[pivot] = swap;
        for (i = k + 1; i < n; ++i) {
            const double factor = a[i * n + k] / a[k * n + k];
            for (j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
            b[i] -= factor * b[k];
        }
    }
    for (k = n - 1; k >= 0; --k) {
        for (j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
        b[k] /= a[k * n + k];
    }
}

/* a[j][i] = D_ij and, not NULL, g[j][i] = G_ij / (2 N) of the first n classes, all others cut off: from the coefficients of W those
 * of L W and, with S of beta 1, of -sum d_l^a S d_l^a W. */
LFT_P_STATIC void LFT_P(potential_matrices)(LFT_P(classes) *classes, int n, double *a, double *g)
{
    LFT_P(in_classes) row;
    int               i, j;
    for (i = 0; i < n; ++i) {
        LFT_P(classes_laplacian)(classes, i, &row);
        for (j = 0; j < n; ++j) a[j * n + i] = row.c[j];
        if (!g) continue;
        LFT_P(classes_times_plaquettes)(classes, i, &row);
        for (j = 0; j < n; ++j) g[j * n + i] = row.c[j] / (2 * LFT_P_COLOURS);
    }
}

/* The coefficients of S at beta = 1: -1/N times the sum of one trace per plaquette, of which classes have both directions but for
 * SU(2). */
LFT_P_STATIC void LFT_P(potential_action)(const LFT_P(classes) *classes, double *c, int n)
{
    int i;
    for (i = 0; i < n; ++i) c[i] = i < classes->upto[1] ? -1.0 / LFT_P_COLOURS * (LFT_P_COLOURS == 2 ? 1 : 0.5) : 0;
}

/* The trivializing map of the Wilson action S to an order in beta, S~ = sum_k t^k S~_k with
 *   L S~_0 = S,   L S~_k = -sum d_l^a S d_l^a S~_{k-1}, constants apart (0907.5491)
 * at beta = 1. c[k][class], k < order. */
LFT_P_STATIC void LFT_P(potential_start)(const LFT_P(potential) *s, int order, double (*c)[LFT_P_CLASSES])
{
    LFT_P(classes)    classes;
    LFT_P(in_classes) row;
    double            a[LFT_P_CLASSES * LFT_P_CLASSES];
    int               all, i, j, k;
    LFT_P(classes_find)(&classes, s->program.doubled, s->classes);
    for (k = 0; k < order; ++k) {
        lft_p_zero(c[k], sizeof c[k]);
        all = classes.upto[k + 1];
        if (k == 0) LFT_P(potential_action)(&classes, c[k], all);
        for (i = 0; k > 0 && i < classes.upto[k]; ++i) {
            LFT_P(classes_times_plaquettes)(&classes, i, &row);
            for (j = 0; j < all; ++j) c[k][j] += c[k - 1][i] * row.c[j] / (2 * LFT_P_COLOURS);
        }
        LFT_P(potential_matrices)(&classes, all, a, NULL);
        LFT_P(potential_gauss)(a, c[k], all);
    }
}

/* The same where the map has come to each of `points` beta, for beta to grow by 1, not expanded in beta but in the classes to that
 * order, all others cut off: with S of beta 1,
 *   L S~ + beta sum d_l^a S d_l^a S~ = S, constants apart
 * Of a doubled axis it is the trivializing map of the new links for any others, what these alone make up is a constant, too; there
 * the cut is one of harmonics of a link, and converges where the expansion in beta does not. c[point][class] */
LFT_P_STATIC void LFT_P(potential_solve)(const LFT_P(potential) *s, int order, int points, const double *beta,
                                         double (*c)[LFT_P_CLASSES])
{
    LFT_P(classes) classes;
    double         a[LFT_P_CLASSES * LFT_P_CLASSES], g[LFT_P_CLASSES * LFT_P_CLASSES], both[LFT_P_CLASSES * LFT_P_CLASSES];
    int            all, i, k;
    LFT_P(classes_find)(&classes, s->program.doubled, s->classes);
    all = classes.upto[order];
    LFT_P(potential_matrices)(&classes, all, a, g);
    for (k = 0; k < points; ++k) {
        lft_p_zero(c[k], sizeof c[k]);
        LFT_P(potential_action)(&classes, c[k], all);
        for (i = 0; i < all * all; ++i) both[i] = a[i] - beta[k] * g[i];
        LFT_P(potential_gauss)(both, c[k], all);
    }
}

/* ---- force and divergence ---------------------------------------------------------------------------------------------- */

/* What a sweep works in. */
LFT_P_STATIC LFT_P(program_fields) LFT_P(potential_fields)(const LFT_P(potential) *s, int backward, lft_arena *arena)
{
    const LFT_P(program) *g = &s->program;
    const size_t          links = (size_t)g->lattice.volume * LFT_DIM, paths = (size_t)g->paths, loops = 2 * (size_t)g->loops;
    LFT_P(program_fields) f;
    f.site          = (int *)lft_arena_alloc(arena, (size_t)g->sites, sizeof(int));
    f.value         = (lft_w *)lft_arena_take(arena, links, sizeof(lft_w));
    f.bar           = (lft_w *)lft_arena_take(arena, links, sizeof(lft_w));
    f.path          = (lft_w *)lft_arena_take(arena, paths, sizeof(lft_w));
    f.path_bar      = (lft_w *)lft_arena_take(arena, paths, sizeof(lft_w));
    f.dot           = (lft_w *)lft_arena_take(arena, backward ? links : 0, sizeof(lft_w));
    f.dot_bar       = (lft_w *)lft_arena_take(arena, backward ? links : 0, sizeof(lft_w));
    f.path_dot      = (lft_w *)lft_arena_take(arena, backward ? paths : 0, sizeof(lft_w));
    f.path_dot_bar  = (lft_w *)lft_arena_take(arena, backward ? paths : 0, sizeof(lft_w));
    f.trace         = LFT_P(vectors)(arena, loops);
    f.trace_bar     = LFT_P(vectors)(arena, loops);
    f.trace_dot     = LFT_P(vectors)(arena, backward ? loops : 0);
    f.trace_dot_bar = LFT_P(vectors)(arena, backward ? loops : 0);
    return f;
}

/* d_j = sum_i c_i D_ij: the divergence is sum_j d_j W_j + the constant that is returned. */
LFT_P_STATIC double LFT_P(potential_laplacian)(const LFT_P(potential) *s, const double *c, double *d)
{
    const int all = s->program.classes;
    double    constant = 0;
    int       i, j;
    for (j = 0; j < all; ++j) d[j] = 0;
    for (i = 0; i < s->classes; ++i) {
        const double *row = s->closure + i * (all + 1);
        for (j = 0; j < all; ++j) d[j] += c[i] * row[j];
        constant += c[i] * row[all];
    }
    return constant;
}

/* e = -c for all of the program's classes. */
LFT_P_STATIC void LFT_P(potential_weights)(const LFT_P(potential) *s, const double *c, double *e)
{
    int i;
    for (i = 0; i < s->program.classes; ++i) e[i] = i < s->classes ? -c[i] : 0;
}

/* W[class][lane] += those of a site. */
LFT_P_STATIC void LFT_P(potential_sum)(const LFT_P(potential) *s, const lft_v *part, double (*W)[LFT_P_LANES])
{
    int i;
    for (i = 0; i < s->program.classes; ++i) LFT_P(add_wide)(W[i], part[i]);
}

/* Z of every link, 0 of one that does not move, and div[lane]. */
LFT_P_STATIC void LFT_P(potential_force)(const LFT_P(potential) *s, const double *c, const lft_v *links, lft_v *Z, double *div,
                                         LFT_P(program_fields) f)
{
    const LFT_P(program) *g = &s->program;
    const int             volume = g->lattice.volume;
    lft_w                 u;
    double                W[LFT_P_CLASSES][LFT_P_LANES], e[LFT_P_CLASSES], d[LFT_P_CLASSES], constant;
    LFT_P(place)          p = LFT_P(first_place)();
    int                   x, i, l;
    f.dot = NULL;
    LFT_P(program_links)(g, links, f.value);
    LFT_P(potential_weights)(s, c, e);
    LFT_P(set_zero)((lft_v *)f.bar, volume * LFT_DIM * LFT_P_SUM);
    lft_p_zero(W, (size_t)g->classes * sizeof W[0]);
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&g->lattice, &p)) {
        lft_v part[LFT_P_CLASSES];
        if (!LFT_P(program_runs)(g, &p)) continue;
        LFT_P(set_zero)(part, g->classes);
        LFT_P(program_at)(g, p, &f);
        LFT_P(program_forward)(g, &f);
        LFT_P(program_traces)(g, &f);
        LFT_P(program_values)(g, &f, part, NULL);
        LFT_P(potential_sum)(s, part, W);
        LFT_P(program_cotangents)(g, &f, e, NULL, lft_splat(0));
        LFT_P(program_backward)(g, &f);
    }
    LFT_P(set_zero)(Z, volume * LFT_DIM * LFT_P_ALGEBRA);
    for (i = 0; i < volume * LFT_DIM; ++i) {
        if (!LFT_P(program_moves)(g, i)) continue;
        LFT_P(sum_none)(&u);
        LFT_P(sum_mul)(&u, f.value + i, 0, f.bar + i, 1);
        LFT_P(sum_gradient)(&u, (lft_z *)(Z + i * LFT_P_ALGEBRA));
    }
    constant = LFT_P(potential_laplacian)(s, c, d);
    for (l = 0; l < LFT_P_LANES; ++l) {
        div[l] = constant;
        for (i = 0; i < g->classes; ++i) div[l] += d[i] * W[i][l];
    }
}

/* Of Phi = sum y Z + kappa[lane] div: to = its gradient by the links, dc[class][lane] += that by the coefficients, not NULL. With
 * U. = y U: sum y Z = -S~., and the gradient of a derivative along U. = y U by U is
 *   Re tr T^a (U U'.^+ + U. U'^+) + [g, y]^a,   g^a = Re tr T^a U U'^+
 * where y counts as 0 of a link that does not move. */
LFT_P_STATIC void LFT_P(potential_backward)(const LFT_P(potential) *s, const double *c, const lft_v *links, const lft_v *y,
                                            const double *kappa, lft_v *to, double *dc, LFT_P(program_fields) f)
{
    const LFT_P(program) *g = &s->program;
    const int             all = g->classes, volume = g->lattice.volume, links_n = volume * LFT_DIM;
    const lft_v           weight = LFT_P(from_wide)(kappa);
    lft_w                 u, v;
    double                W[LFT_P_CLASSES][LFT_P_LANES], W_dot[LFT_P_CLASSES][LFT_P_LANES];
    double                e[LFT_P_CLASSES], d[LFT_P_CLASSES];
    lft_z                 gradient, turn;
    LFT_P(place)          p = LFT_P(first_place)();
    int                   x, i, j, k, l;
    LFT_P(program_links)(g, links, f.value);
    LFT_P(set_zero)((lft_v *)f.dot, links_n * LFT_P_SUM);
    for (i = 0; i < links_n; ++i) {
        if (LFT_P(program_moves)(g, i)) LFT_P(sum_turned)(f.dot + i, (const lft_z *)(y + i * LFT_P_ALGEBRA), f.value + i);
    }
    LFT_P(potential_weights)(s, c, e);
    (void)LFT_P(potential_laplacian)(s, c, d);
    LFT_P(set_zero)((lft_v *)f.bar, links_n * LFT_P_SUM);
    LFT_P(set_zero)((lft_v *)f.dot_bar, links_n * LFT_P_SUM);
    lft_p_zero(W, (size_t)all * sizeof W[0]);
    lft_p_zero(W_dot, (size_t)all * sizeof W_dot[0]);
    for (x = 0; x < volume; ++x, LFT_P(next_place)(&g->lattice, &p)) {
        lft_v part[LFT_P_CLASSES], rate[LFT_P_CLASSES];
        if (!LFT_P(program_runs)(g, &p)) continue;
        LFT_P(program_at)(g, p, &f);
        LFT_P(program_forward)(g, &f);
        LFT_P(program_traces)(g, &f);
        if (dc) {
            LFT_P(set_zero)(part, all);
            LFT_P(set_zero)(rate, all);
            LFT_P(program_values)(g, &f, part, rate);
            LFT_P(potential_sum)(s, part, W);
            LFT_P(potential_sum)(s, rate, W_dot);
        }
        LFT_P(program_cotangents)(g, &f, e, d, weight);
        LFT_P(program_backward)(g, &f);
    }
    for (i = 0; i < links_n; ++i) {
        lft_z *out = (lft_z *)(to + i * LFT_P_ALGEBRA);
        LFT_P(sum_none)(&u);
        LFT_P(sum_none)(&v);
        LFT_P(sum_mul)(&u, f.value + i, 0, f.bar + i, 1);
        LFT_P(sum_mul)(&v, f.value + i, 0, f.dot_bar + i, 1);
        LFT_P(sum_mul)(&v, f.dot + i, 0, f.bar + i, 1);
        LFT_P(sum_gradient)(&u, &gradient);
        LFT_P(sum_gradient)(&v, out);
        if (!LFT_P(program_moves)(g, i)) continue;
        LFT_P(bracket)(&turn, &gradient, (const lft_z *)(y + i * LFT_P_ALGEBRA));
        for (k = 0; k < LFT_P_ALGEBRA; ++k) out->c[k] += turn.c[k];
    }
    for (i = 0; dc && i < s->classes; ++i) {
        const double *row = s->closure + i * (all + 1);
        for (l = 0; l < LFT_P_LANES; ++l) {
            double laplacian = row[all];
            for (j = 0; j < all; ++j) laplacian += row[j] * W[j][l];
            dc[i * LFT_P_LANES + l] += kappa[l] * laplacian - W_dot[i][l];
        }
    }
}

#endif
#if LFT_GROUP == LFT_SCALAR

/* ---- 70_continuous.h, code --------------------------------------------------------------------------------------- */

typedef struct LFT_P(continuous) {
    LFT_(continuous_desc) desc; /* defaults filled in, no negative numbers */
    LFT_P(velocity)       u;
    double               *basis; /* [times][nodes] at t = i/(2 steps) */
    double               *node;  /* [nodes] spectra of one kernel and work: prepare's scratch */
    size_t                kernel, frequency, gate_frequency, zero_amplitude, zero_frequency; /* offsets in theta */
} LFT_P(continuous);

LFT_P_STATIC int LFT_P(default_to)(int value, int otherwise)
{
    return value == 0 ? otherwise : value < 0 ? 0 : value;
}

LFT_P_STATIC lft_status LFT_P(continuous_defaults)(LFT_(continuous_desc) *d, lft_error *error)
{
    d->sines  = LFT_P(default_to)(d->sines, 9);
    d->linear = LFT_P(default_to)(d->linear, 1) != 0;
    d->gates  = LFT_P(default_to)(d->gates, 2);
    d->zeros  = LFT_P(default_to)(d->zeros, 2);
    d->nodes  = LFT_P(default_to)(d->nodes, 6);
    d->steps  = LFT_P(default_to)(d->steps, 12);
    if (!d->basis) d->basis = LFT_TIME_COSINE;
    d->most_steps = LFT_P(default_to)(d->most_steps, 4 * d->steps);
    if (d->sines > 1000) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "sines", "at most 1000", d->sines);
    if (d->gates > 100) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "gates", "at most 100", d->gates);
    if (d->zeros > 100) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "zeros", "at most 100", d->zeros);
    if (d->sines + d->linear < 1) return lft_p_fail(error, LFT_ERR_ARG, "continuous", "neither sines nor linear feature");
    if (d->nodes < 1 || d->nodes > 1000 || (d->basis == LFT_TIME_HAT && d->nodes < 2)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "nodes", "1 (hats: 2) to 1000", d->nodes);
    }
    if (d->basis != LFT_TIME_COSINE && d->basis != LFT_TIME_HAT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "basis", "1 (cosine) or 2 (hat)", (int)d->basis);
    }
    if (d->steps < 1 || d->most_steps < d->steps || d->most_steps > 100000) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "most_steps", "steps to 100000", d->most_steps);
    }
    return LFT_OK;
}

/* K_a(t) at all the times of the present number of steps. */
LFT_P_STATIC void LFT_P(continuous_basis)(LFT_P(continuous) *s, int steps)
{
    int i, a;
    for (i = 0; i <= 2 * steps; ++i) {
        double t = (double)i / (2 * steps), *k = s->basis + i * s->desc.nodes;
        for (a = 0; a < s->desc.nodes; ++a) {
            double sine, hat;
            if (s->desc.basis == LFT_TIME_HAT) {
                hat  = t * (s->desc.nodes - 1) - a;
                hat  = 1 - (hat < 0 ? -hat : hat);
                k[a] = hat > 0 ? hat : 0;
            } else {
                lft_p_f64_p_sincos(3.14159265358979323846 * a * t, &sine, k + a);
                k[a] /= 1 + (double)a * a;
            }
        }
    }
    s->u.times = 2 * steps + 1;
}

LFT_P_STATIC size_t LFT_P(continuous_gradient_count)(const LFT_P(continuous) *s)
{
    size_t kernels = (size_t)(1 + s->u.gates) * (size_t)s->u.features;
    return (size_t)s->desc.nodes * (kernels * (size_t)(s->u.spectrum.orbits + 1) + (size_t)s->u.zeros) +
           (size_t)(s->u.sines + s->u.gates + s->u.zeros);
}

/* The layer's own form of the gradient: [nodes] blocks of (lambda, origin, zeta), then omega, eta, kappa. */
typedef struct LFT_P(continuous_parts) {
    double *lambda, *origin, *zeta, *omega, *eta, *kappa;
} LFT_P(continuous_parts);

LFT_P_STATIC LFT_P(continuous_parts) LFT_P(continuous_gradient)(const LFT_P(continuous) *s, double *gradient, int node)
{
    LFT_P(continuous_parts) d;
    size_t kernels = (size_t)(1 + s->u.gates) * (size_t)s->u.features, orbits = (size_t)s->u.spectrum.orbits;
    size_t block = kernels * (orbits + 1) + (size_t)s->u.zeros;
    d.lambda     = gradient + block * (size_t)node;
    d.origin     = d.lambda + kernels * orbits;
    d.zeta       = d.origin + kernels;
    d.omega      = gradient + block * (size_t)s->desc.nodes;
    d.eta        = d.omega + s->u.sines;
    d.kappa      = d.eta + s->u.gates;
    return d;
}

LFT_P_STATIC size_t LFT_P(continuous_block)(const LFT_P(continuous) *s)
{
    return (size_t)(1 + s->u.gates) * (size_t)s->u.features * (size_t)(s->u.spectrum.orbits + 1) + (size_t)s->u.zeros;
}

/* Everything that one evaluation or one backward step works in. */
typedef enum LFT_P(continuous_use) {
    LFT_P(for_value),
    LFT_P(for_inverse),
    LFT_P(for_score),
    LFT_P(for_backward)
} LFT_P(continuous_use);
typedef struct LFT_P(continuous_work) {
    LFT_P(velocity_fields) fields;
    lft_v  *stage, *k, *sum, *panel; /* field and velocity of a stage, weighted sum of the stages, scratch */
    lft_v  *next, *old;              /* inverse: the end of a step, the iterate before */
    lft_v  *dv, *dphi, *dsum;        /* with a score or backward: cotangents of a stage, and their sum */
    lft_v  *lambda;                  /* backward: gradient at one time, by the spectra in lanes ... */
    double *now;                     /* ... and by the other tables, with room for the spectra */
} LFT_P(continuous_work);

LFT_P_STATIC LFT_P(continuous_work) LFT_P(continuous_scratch)(const LFT_P(continuous) *s, LFT_P(continuous_use) use,
                                                              lft_arena *arena)
{
    LFT_P(continuous_work) w;
    const size_t volume = (size_t)s->u.volume, gradients = use >= LFT_P(for_score) ? volume : 0;
    const size_t iterates = use == LFT_P(for_inverse) ? volume : 0;
    const size_t block = use == LFT_P(for_backward) ? LFT_P(continuous_block)(s) : 0;
    w.fields = LFT_P(velocity_scratch)(&s->u, use >= LFT_P(for_score), arena);
    w.stage  = LFT_P(vectors)(arena, volume);
    w.k      = LFT_P(vectors)(arena, volume);
    w.sum    = LFT_P(vectors)(arena, volume);
    w.panel  = LFT_P(vectors)(arena, LFT_P(hartley_panel)(&s->u.spectrum.lattice));
    w.next   = LFT_P(vectors)(arena, iterates);
    w.old    = LFT_P(vectors)(arena, iterates);
    w.dv     = LFT_P(vectors)(arena, gradients);
    w.dphi   = LFT_P(vectors)(arena, gradients);
    w.dsum   = LFT_P(vectors)(arena, gradients);
    w.lambda = (lft_v *)lft_arena_alloc(arena, block, sizeof(lft_v));
    w.now    = (double *)lft_arena_alloc(arena, block, sizeof(double));
    return w;
}

LFT_P_STATIC lft_status LFT_P(continuous_init)(LFT_(layer) *layer, const char *name, lft_parameters *set,
                                               lft_arena *arena, lft_error *error)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    int                use;
    lft_status         status;
    size_t             nodes;
    layer->state = s;
    if (!s) s = &local; /* measuring, or full: lft_arena_check below tells */
    lft_p_copy(&s->desc, layer->desc, sizeof s->desc);
    status = LFT_P(continuous_defaults)(&s->desc, error);
    if (status) return status;
    layer->out   = layer->in;
    layer->steps = s->desc.steps;
    LFT_P(velocity_init)(&s->u, &layer->in, s->desc.sines, s->desc.linear, s->desc.gates, s->desc.zeros,
                         2 * s->desc.most_steps + 1, arena);
    nodes    = (size_t)s->desc.nodes;
    s->basis = (double *)lft_arena_alloc(arena, (size_t)(2 * s->desc.most_steps + 1) * nodes, sizeof(double));
    s->node  = (double *)lft_arena_alloc(arena, (nodes + 3) * (size_t)s->u.spectrum.count, sizeof(double));
    layer->params     = set->count;
    s->kernel         = lft_declare(set, name, "kernel", 4, 1 + s->u.gates, s->u.features, s->desc.nodes,
                                    s->u.spectrum.orbits);
    s->frequency      = lft_declare(set, name, "frequency", 1, s->u.sines, 0, 0, 0);
    s->gate_frequency = lft_declare(set, name, "gate_frequency", 1, s->u.gates, 0, 0, 0);
    s->zero_amplitude = lft_declare(set, name, "zero_amplitude", 2, s->u.zeros, s->desc.nodes, 0, 0);
    s->zero_frequency = lft_declare(set, name, "zero_frequency", 1, s->u.zeros, 0, 0, 0);
    layer->tape_bytes     = 4 * (size_t)s->desc.most_steps * (size_t)s->u.volume * sizeof(lft_v);
    layer->gradient_count = LFT_P(continuous_gradient_count)(s);
    for (use = LFT_P(for_value); use <= (LFT_UPTO >= LFT_TRAIN ? LFT_P(for_backward) : LFT_P(for_inverse)); ++use) {
        lft_arena measure = lft_arena_measure();
        (void)LFT_P(continuous_scratch)(s, (LFT_P(continuous_use))use, &measure);
        if (measure.need > layer->scratch_bytes) layer->scratch_bytes = measure.need;
    }
    if (lft_arena_measuring(arena) || lft_arena_check(arena, NULL, "")) return LFT_OK; /* the flow reports the need of all */
    LFT_P(continuous_basis)(s, layer->steps);
    return LFT_OK;
}

/* Kernels zero: the identity. Frequencies cover the scales of a field of variance 0.1 to 1. All sites of an orbit move
 * together and all orbits do, so far ones are paced down: else a step of the optimiser would grow with the volume. */
LFT_P_STATIC void LFT_P(continuous_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const LFT_P(spectrum)   *sp = &s->u.spectrum;
    const int                kernels = (1 + s->u.gates) * s->u.features * s->desc.nodes;
    int                      i, k;
    for (i = 0; i < s->u.sines; ++i) theta[s->frequency + (size_t)i] = 0.5 + 0.5 * i;
    for (i = 0; i < s->u.gates; ++i) theta[s->gate_frequency + (size_t)i] = 1 + i;
    for (i = 0; i < s->u.zeros; ++i) theta[s->zero_frequency + (size_t)i] = 2 * (1 + i);
    for (i = 0; i < sp->count; ++i) {
        const double far = 1 + LFT_P(spectrum_distance2)(sp, i);
        for (k = 0; k < kernels; ++k) pace[s->kernel + (size_t)(k * sp->orbits + sp->orbit[i])] = 1 / far;
    }
}

LFT_P_STATIC void LFT_P(continuous_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)layer->state;
    LFT_P(velocity)   *u = &s->u;
    const int          count = u->spectrum.count, orbits = u->spectrum.orbits, nodes = s->desc.nodes;
    const int          kernels = (1 + u->gates) * u->features;
    double            *sum = s->node + nodes * count, *work = sum + count;
    int                j, f, a, t, i;
    for (i = 0; i < u->sines; ++i) u->omega[i] = (lft_real)theta[s->frequency + (size_t)i];
    for (i = 0; i < u->gates; ++i) u->eta[i] = (lft_real)theta[s->gate_frequency + (size_t)i];
    for (i = 0; i < u->zeros; ++i) u->kappa[i] = (lft_real)theta[s->zero_frequency + (size_t)i];
    for (j = 0; j <= u->gates; ++j) {
        for (f = 0; f < u->features; ++f) {
            const double *kernel = theta + s->kernel + (size_t)((j * u->features + f) * nodes) * (size_t)orbits;
            for (a = 0; a < nodes; ++a) {
                LFT_P(spectrum_of_kernel)(&u->spectrum, kernel + a * orbits, s->node + a * count, work);
            }
            for (t = 0; t < u->times; ++t) {
                const double *k = s->basis + t * nodes;
                lft_real     *to = u->lambda + LFT_P(velocity_lambda)(u, t, j, f);
                double        origin = 0;
                for (i = 0; i < count; ++i) sum[i] = 0;
                for (a = 0; a < nodes; ++a) {
                    const double *from = s->node + a * count;
                    origin += k[a] * kernel[a * orbits];
                    for (i = 0; k[a] != 0 && i < count; ++i) sum[i] += k[a] * from[i];
                }
                for (i = 0; i < count; ++i) to[u->spectrum.orbit[i] * kernels] = (lft_real)sum[i];
                u->origin[LFT_P(velocity_kernel)(u, t, j, f)] = (lft_real)origin;
            }
        }
    }
    for (t = 0; t < u->times; ++t) {
        for (i = 0; i < u->zeros; ++i) {
            double zeta = 0;
            for (a = 0; a < nodes; ++a) {
                zeta += s->basis[t * nodes + a] * theta[s->zero_amplitude + (size_t)(i * nodes + a)];
            }
            u->zeta[t * u->zeros + i] = (lft_real)zeta;
        }
    }
}

/* The classical Runge-Kutta method: stage i is evaluated at phi + h to[i] k_{i-1}, weight[i] is its share. */
static const double LFT_P(rk4_to)[4]     = {0, 0.5, 0.5, 1};
static const double LFT_P(rk4_weight)[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};

LFT_P_INLINE int LFT_P(rk4_time)(int step, int stage)
{
    return 2 * step + (stage + 1) / 2;
}

LFT_P_INLINE void LFT_P(add_line)(lft_v *y, double b, const lft_v *x, int n)
{
    LFT_P(line)(y, y, b, x, n);
}

/* One step from phi, forth (sign = 1) or back in time (-1): w->sum = sum_i h weight_i k_i, div[lane] += the same sum of the
 * divergences. The fields of the stages go to tape[4][volume] where it is not NULL. With a score s = grad log q, which obeys
 * ds/dt = -(dv/dphi)^T s - grad div v, w->dsum = the increment of s. */
static inline void LFT_P(continuous_step)(const LFT_P(continuous) *s, int steps, int step, int sign, const lft_v *phi,
                                          const lft_v *score, double *div, lft_v *tape, LFT_P(continuous_work) *w)
{
    const int    volume = s->u.volume;
    const double h      = (double)sign / steps;
    double       rate[LFT_P_LANES];
    int          i, l;
    LFT_P(set_zero)(w->sum, volume);
    if (score) LFT_P(set_zero)(w->dsum, volume);
    for (i = 0; i < 4; ++i) {
        const double to = h * LFT_P(rk4_to)[i], weight = h * LFT_P(rk4_weight)[i];
        const int    t  = LFT_P(rk4_time)(step, sign > 0 ? i : 3 - i);
        lft_v       *at = tape ? tape + (size_t)i * (size_t)volume : w->stage;
        LFT_P(line)(at, phi, to, i ? w->k : phi, volume);
        LFT_P(velocity_forward)(&s->u, t, at, &w->fields, w->k, rate, w->panel);
        LFT_P(add_line)(w->sum, weight, w->k, volume);
        for (l = 0; l < LFT_P_LANES; ++l) div[l] += weight * rate[l];
        if (LFT_UPTO < LFT_TRAIN || !score) continue;
        LFT_P(line)(w->dv, score, -to, i ? w->dphi : score, volume);
        LFT_P(velocity_backward)(&s->u, t, at, 1, &w->fields, w->dv, lft_splat(1), w->dphi, NULL, w->panel);
        LFT_P(add_line)(w->dsum, -weight, w->dphi, volume);
    }
}

/* NaN and infinity stop here, with the step in which they arose. */
static inline lft_status LFT_P(continuous_check)(const lft_v *phi, int volume, const double *logdet, int step,
                                                 lft_error *error)
{
    const char *what = LFT_P(any_nonfinite)(phi, volume) ? "field" : NULL;
    int         l;
    for (l = 0; l < LFT_P_LANES; ++l) what = lft_finite(logdet[l]) ? what : "log-det";
    if (!what) return LFT_OK;
    return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous", what, "finite numbers after step", step);
}

LFT_P_STATIC lft_status LFT_P(continuous_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out,
                                                  double *logdet, lft_real *score, void *tape, lft_arena scratch,
                                                  lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, score ? LFT_P(for_score) : LFT_P(for_value), &scratch);
    const int                volume = s->u.volume, steps = layer->steps;
    lft_v                   *phi = LFT_P(view)(x_out), *saved = (lft_v *)tape;
    lft_v                   *s_now  = score ? LFT_P(view)(score) : NULL;
    lft_status               status = LFT_OK;
    int                      i;
    if (x_out != x_in) lft_p_copy(x_out, x_in, (size_t)volume * sizeof(lft_v));
    for (i = 0; i < steps; ++i) { /* to the end for the lanes that are finite */
        LFT_P(continuous_step)(s, steps, i, 1, phi, s_now, logdet, saved ? saved + 4 * (size_t)i * (size_t)volume : NULL, &w);
        LFT_P(add_line)(phi, 1, w.sum, volume);
        if (score) LFT_P(add_line)(s_now, 1, w.dsum, volume);
        if (!status) status = LFT_P(continuous_check)(phi, volume, logdet, i, error);
    }
    return status;
}

/* Solves phi + (increment of the step from phi) = w->next. A step back in time is where it begins, O(h^5) away. At rounding
 * level the residual stops to fall. */
static inline lft_status LFT_P(continuous_step_back)(const LFT_P(continuous) *s, int steps, int step, lft_v *phi,
                                                     double *div, LFT_P(continuous_work) *w, lft_error *error)
{
    const double epsilon = LFT_P_REAL_BYTES == 4 ? 1.1920929e-07 : 2.220446049250313e-16;
    const int    most = 200, volume = s->u.volume;
    double       size, distance, before = 1e300;
    lft_v        weight = lft_splat(1);
    int          i, l, x;
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
    LFT_P(continuous_step)(s, steps, step, -1, w->next, NULL, div, NULL, w);
    LFT_P(line)(phi, w->next, 1, w->sum, volume);
    for (i = 0; i < most; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
        LFT_P(continuous_step)(s, steps, step, 1, phi, NULL, div, NULL, w);
        for (x = 0; x < volume; ++x) w->sum[x] = w->next[x] - phi[x] - w->sum[x];
        if (LFT_P(any_nonfinite)(w->sum, volume)) {
            return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous inverse", "field", "finite numbers before step", step);
        }
        size     = LFT_P(largest)(w->next, volume);
        distance = LFT_P(largest)(w->sum, volume);
        if (distance <= 2 * epsilon * size || (distance >= before && distance < 100 * epsilon * size)) return LFT_OK;
        if (i) weight = LFT_P(relaxation)(w->sum, w->old, volume, weight);
        for (x = 0; x < volume; ++x) {
            phi[x] += weight * w->sum[x];
            w->old[x] = w->sum[x];
        }
        before = distance;
    }
    return lft_p_fail_got(error, LFT_ERR_NOCONV, "continuous inverse", "fixed point, number of integration steps too small",
                          "convergence", distance);
}

LFT_P_STATIC lft_status LFT_P(continuous_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in,
                                                  double *logdet, lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, LFT_P(for_inverse), &scratch);
    const int                volume = s->u.volume, steps = layer->steps;
    lft_v                   *phi    = LFT_P(view)(x_in);
    lft_status               status = LFT_OK;
    double                   div[LFT_P_LANES];
    int                      i, l;
    if (x_in != x_out) lft_p_copy(x_in, x_out, (size_t)volume * sizeof(lft_v));
    for (i = steps - 1; i >= 0 && !status; --i) {
        lft_p_copy(w.next, phi, (size_t)volume * sizeof(lft_v));
        status = LFT_P(continuous_step_back)(s, steps, i, phi, div, &w, error);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= div[l];
    }
    return status;
}

/* Adds the gradient at one time to those of the nodes that the kernel at that time is made of. */
static inline void LFT_P(continuous_spread)(const LFT_P(continuous) *s, int t, lft_v *lambda, double *now,
                                            double *gradient)
{
    const size_t block = LFT_P(continuous_block)(s);
    const size_t spectra = (size_t)(1 + s->u.gates) * (size_t)s->u.features * (size_t)s->u.spectrum.orbits;
    size_t       i;
    int          a;
    LFT_P(sum_lanes_of)(lambda, spectra, now);
    for (a = 0; a < s->desc.nodes; ++a) {
        const double k  = s->basis[t * s->desc.nodes + a];
        double      *to = gradient + block * (size_t)a;
        for (i = 0; k != 0 && i < block; ++i) to[i] += k * now[i];
    }
    lft_p_zero(lambda, spectra * sizeof(lft_v));
    lft_p_zero(now, block * sizeof(double));
}

/* The stages of each step are differentiated, the last one first: dv_i = h weight_i dx + h to_{i+1} dphi_{i+1},
 * dx += sum of all dphi_i. Stages 1 and 2 are at one time, and so are stage 3 and stage 0 of the next step. */
LFT_P_STATIC lft_status LFT_P(continuous_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx,
                                                   const double *dlogdet, double *gradient, lft_arena scratch,
                                                   lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, LFT_P(for_backward), &scratch);
    const int                volume = s->u.volume, steps = layer->steps;
    const double             h      = 1.0 / steps;
    LFT_P(velocity_gradient) now;
    lft_v                   *d = LFT_P(view)(dx);
    double                   weighted[LFT_P_LANES];
    int                      step, i, l, x;
    (void)error;
    if (gradient) { /* tables of the present time, frequencies of all times */
        LFT_P(continuous_parts) all = LFT_P(continuous_gradient)(s, gradient, 0);
        LFT_P(continuous_parts) one = LFT_P(continuous_gradient)(s, w.now, 0);
        now.lambda = w.lambda, now.origin = one.origin, now.zeta = one.zeta;
        now.omega = all.omega, now.eta = all.eta, now.kappa = all.kappa;
    }
    for (step = steps - 1; step >= 0; --step) {
        LFT_P(set_zero)(w.dsum, volume);
        for (i = 3; i >= 0; --i) {
            const lft_v   *phi = (const lft_v *)tape + (size_t)(4 * step + i) * (size_t)volume;
            const int      t = LFT_P(rk4_time)(step, i);
            const lft_real share = (lft_real)(h * LFT_P(rk4_weight)[i]);
            const lft_real next  = i < 3 ? (lft_real)(h * LFT_P(rk4_to)[i + 1]) : 0;
            for (l = 0; l < LFT_P_LANES; ++l) weighted[l] = h * LFT_P(rk4_weight)[i] * dlogdet[l];
            if (i < 3) {
                for (x = 0; x < volume; ++x) w.dv[x] = share * d[x] + next * w.dphi[x];
            } else {
                for (x = 0; x < volume; ++x) w.dv[x] = share * d[x];
            }
            LFT_P(velocity_backward)(&s->u, t, phi, 0, &w.fields, w.dv, LFT_P(from_wide)(weighted), w.dphi,
                                     gradient ? &now : NULL, w.panel);
            LFT_P(add_line)(w.dsum, 1, w.dphi, volume);
            if (gradient && (i % 2 == 1 || step + i == 0)) LFT_P(continuous_spread)(s, t, w.lambda, w.now, gradient);
        }
        LFT_P(add_line)(d, 1, w.dsum, volume);
    }
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(continuous_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const LFT_P(velocity)   *u = &s->u;
    const int                nodes = s->desc.nodes, orbits = u->spectrum.orbits, count = u->spectrum.count;
    const int                kernels = (1 + u->gates) * u->features;
    int                      a, j, f, i, first;
    for (a = 0; a < nodes; ++a) {
        LFT_P(continuous_parts) d = LFT_P(continuous_gradient)(s, gradient, a);
        for (j = 0; j <= u->gates; ++j) {
            for (f = 0; f < u->features; ++f) {
                const int entry   = j * u->features + f;
                double   *dkernel = dtheta + s->kernel + (size_t)(entry * nodes + a) * (size_t)orbits;
                for (first = 0, i = 0; i < count; ++i) { /* one momentum may stand for its orbit: kernels are tied alike */
                    s->node[i] = u->spectrum.orbit[i] == first ? d.lambda[first++ * kernels + entry] : 0;
                }
                LFT_P(spectrum_of_kernel_backward)(&u->spectrum, s->node, dkernel, s->node + count);
                dkernel[0] += d.origin[entry];
            }
        }
        for (i = 0; i < u->zeros; ++i) dtheta[s->zero_amplitude + (size_t)(i * nodes + a)] += d.zeta[i];
        if (a) continue;
        for (i = 0; i < u->sines; ++i) dtheta[s->frequency + (size_t)i] += d.omega[i];
        for (i = 0; i < u->gates; ++i) dtheta[s->gate_frequency + (size_t)i] += d.eta[i];
        for (i = 0; i < u->zeros; ++i) dtheta[s->zero_frequency + (size_t)i] += d.kappa[i];
    }
}

LFT_P_STATIC lft_status LFT_P(continuous_refine)(LFT_(layer) *layer, int steps, lft_error *error)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)layer->state;
    if (steps < 1 || steps > s->desc.most_steps) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "steps", "1 to most_steps", steps);
    }
    layer->steps = steps;
    LFT_P(continuous_basis)(s, steps);
    return LFT_OK;
}

/* Kernels are padded with zeros (or folded), the rest does not know the extents. */
LFT_P_STATIC void LFT_P(continuous_transfer)(const LFT_(layer) *layer, double *theta, const LFT_(layer) *from,
                                             const double *source)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state, *other = (const LFT_P(continuous) *)from->state;
    const size_t             orbits = (size_t)s->u.spectrum.orbits, others = (size_t)other->u.spectrum.orbits;
    const size_t             kernels = (size_t)((1 + s->u.gates) * s->u.features * s->desc.nodes);
    const size_t             rest = (size_t)(s->u.sines + s->u.gates + s->u.zeros * (1 + s->desc.nodes));
    size_t                   k;
    for (k = 0; k < kernels; ++k) {
        LFT_P(spectrum_transfer)(&s->u.spectrum, theta + s->kernel + k * orbits, &other->u.spectrum,
                                 source + other->kernel + k * others);
    }
    lft_p_copy(theta + s->frequency, source + other->frequency, rest * sizeof(double));
}

LFT_P_STATIC int LFT_P(continuous_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(continuous_desc) *d = &((const LFT_P(continuous) *)layer->state)->desc;
    number[0] = d->sines;
    number[1] = d->linear;
    number[2] = d->gates;
    number[3] = d->zeros;
    number[4] = (int64_t)d->basis;
    number[5] = d->nodes;
    number[6] = layer->steps;
    number[7] = d->most_steps;
    return 8;
}

/* A count that is 0 was asked for as -1. Values beyond an int become one that init refuses. */
static inline int LFT_P(continuous_count)(int64_t number)
{
    return number == 0 ? -1 : number > 0 && number <= 1000000 ? (int)number : 1000001;
}

LFT_P_STATIC lft_status LFT_P(continuous_read)(const int64_t *number, int n, lft_arena *arena, const void **desc,
                                               lft_error *error)
{
    LFT_(continuous_desc) *d = (LFT_(continuous_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    *desc = d;
    if (n < 8) return lft_p_fail_got(error, LFT_ERR_FORMAT, "continuous", "numbers of the specification", "8", n);
    if (!d) return lft_arena_check(arena, error, "continuous");
    d->sines      = LFT_P(continuous_count)(number[0]);
    d->linear     = LFT_P(continuous_count)(number[1]);
    d->gates      = LFT_P(continuous_count)(number[2]);
    d->zeros      = LFT_P(continuous_count)(number[3]);
    d->basis      = number[4] == LFT_TIME_HAT ? LFT_TIME_HAT : LFT_TIME_COSINE;
    d->nodes      = LFT_P(continuous_count)(number[5]);
    d->steps      = LFT_P(continuous_count)(number[6]);
    d->most_steps = LFT_P(continuous_count)(number[7]);
    if (number[4] != (int64_t)d->basis) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "continuous", "basis", "1 (cosine) or 2 (hat)", (double)number[4]);
    }
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(continuous)(void)
{
    static const LFT_(layer_ops) ops = {"continuous",
                                        LFT_P(continuous_init),
                                        LFT_P(continuous_start),
                                        LFT_P(continuous_prepare),
                                        LFT_P(continuous_forward),
                                        LFT_P(continuous_inverse),
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(continuous_backward) : NULL,
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(continuous_collect) : NULL,
                                        LFT_P(continuous_refine),
                                        LFT_P(continuous_transfer),
                                        LFT_P(continuous_spec),
                                        LFT_P(continuous_read),
                                        NULL};
    return &ops;
}

#else

/* ---- 71_gauge_continuous.h, code --------------------------------------------------------------------------------- */

LFT_API int LFT_(continuous_loops)(int doubled, int order)
{
    return order < 1 || order > LFT_P_ORDERS || doubled < 0 || doubled > LFT_DIM ? 0 : LFT_P(potential_classes)(doubled, order);
}

LFT_P_STATIC void LFT_P(put_steps)(lft_p_text *t, int axis, int steps)
{
    static const char *const name[2] = {"x\0y\0z\0t", "X\0Y\0Z\0T"};
    for (; steps > 0; --steps) lft_p_put(t, name[0] + 2 * axis);
    for (; steps < 0; ++steps) lft_p_put(t, name[1] + 2 * axis);
}

LFT_API lft_status LFT_(continuous_loop)(int doubled, int number, char *text, size_t size)
{
    LFT_P(classes) classes;
    LFT_P(traces)  p;
    lft_p_text     to;
    int            x[LFT_DIM], y[LFT_DIM], t, i, mu;
    to.data = text, to.used = 0, to.size = size;
    lft_p_put(&to, "");
    if (doubled < 0 || doubled > LFT_DIM) return LFT_ERR_ARG;
    LFT_P(classes_find)(&classes, doubled, number + 1);
    if (number < 0 || number >= classes.moving) return LFT_ERR_ARG;
    p = classes.one[number];
    if (LFT_P_COLOURS == 1) LFT_P(path_walk)(p.letter[0], p.length[0]);
    for (t = 0; t < p.traces; ++t) {
        LFT_P(letter_begin)(p.letter[t][0], x);
        LFT_P(letter_begin)(p.letter[0][0], y);
        if (doubled && !t) y[doubled - 1] &= ~1;
        lft_p_put(&to, t ? " " : "");
        if (LFT_P(path_compare)(x, y, LFT_DIM)) lft_p_put(&to, "(");
        for (mu = 0; mu < LFT_DIM; ++mu) LFT_P(put_steps)(&to, mu, x[mu] - y[mu]);
        lft_p_put(&to, LFT_P(path_compare)(x, y, LFT_DIM) ? ") tr " : "tr ");
        for (i = 0; i < p.length[t]; ++i) {
            LFT_P(put_steps)(&to, LFT_P(letter_axis)(p.letter[t][i]), LFT_P(letter_adjoint)(p.letter[t][i]) ? -1 : 1);
        }
    }
    return LFT_OK;
}

#define LFT_P_STAGES 4
#define LFT_P_SHAPE  4 /* coefficients of the plaquette */
#define LFT_P_MOVES  6

/* State 0 is the start of a step, state m = exp(h sum_k a[m - 1][k] K_k) state from[m - 1], K_k = Z(state at[k], t + c[k] h); the
 * last state is the end, and the integral of a function gets h sum_k b[k] times its values at the stages. */
typedef struct LFT_P(group_scheme) {
    int    moves, stages, from[LFT_P_MOVES], at[LFT_P_STAGES];
    double a[LFT_P_MOVES][LFT_P_STAGES], b[LFT_P_STAGES], c[LFT_P_STAGES];
} LFT_P(group_scheme);

LFT_P_STATIC const LFT_P(group_scheme) *LFT_P(group_scheme_of)(lft_group_integrator integrator)
{
    static const LFT_P(group_scheme) table[4] = {
        {3, 3, {0, 1, 2}, {0, 1, 2},
         {{1.0 / 4}, {-17.0 / 36, 8.0 / 9}, {17.0 / 36, -8.0 / 9, 3.0 / 4}}, {1.0 / 4, 0, 3.0 / 4}, {0, 1.0 / 4, 2.0 / 3}},
        {2, 2, {0, 0}, {0, 1}, {{1.0 / 2}, {0, 1}}, {0, 1}, {0, 1.0 / 2}},
        {6, 3, {0, 0, 2, 0, 4, 5}, {0, 1, 3},
         {{3.0 / 4}, {119.0 / 216}, {0, 17.0 / 108}, {13.0 / 51}, {0, -2.0 / 3}, {0, 0, 24.0 / 17}},
         {13.0 / 51, -2.0 / 3, 24.0 / 17}, {0, 3.0 / 4, 17.0 / 24}},
        {5, 4, {0, 0, 1, 0, 4}, {0, 1, 2, 3},
         {{1.0 / 2}, {0, 1.0 / 2}, {-1.0 / 2, 0, 1}, {1.0 / 4, 1.0 / 6, 1.0 / 6, -1.0 / 12},
          {-1.0 / 12, 1.0 / 6, 1.0 / 6, 1.0 / 4}},
         {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, {0, 1.0 / 2, 1.0 / 2, 1}}};
    return table + (integrator - LFT_LUESCHER_RK3);
}

typedef struct LFT_P(continuous) {
    LFT_(continuous_desc) desc; /* defaults filled in */
    LFT_P(potential)      potential;
    double               *coefficient; /* [count]: 2 for the plaquette, nodes for each of the others */
    size_t                params;
    int                   count;
    int                   links; /* of a configuration */
} LFT_P(continuous);

/* What a step works in. Backward: cotangents of the states and of the stages, too. */
typedef struct LFT_P(continuous_work) {
    lft_v               *state[LFT_P_MOVES + 1], *K[LFT_P_STAGES];
    lft_v               *bar[LFT_P_MOVES + 1], *K_bar[LFT_P_STAGES]; /* forward with a score: those of the scores */
    lft_v               *more, *old;
    double              *dc; /* [classes][lanes] */
    LFT_P(program_fields) potential;
} LFT_P(continuous_work);

LFT_P_STATIC LFT_P(continuous_work) LFT_P(continuous_scratch)(const LFT_P(continuous) *s, int backward, lft_arena *arena)
{
    const LFT_P(group_scheme) *scheme = LFT_P(group_scheme_of)(s->desc.integrator);
    const size_t               reals = (size_t)s->links * LFT_P_LINK, forces = (size_t)s->links * LFT_P_ALGEBRA;
    LFT_P(continuous_work)     w;
    int                        i;
    lft_p_zero(&w, sizeof w);
    for (i = 0; i <= scheme->moves; ++i) {
        w.state[i] = LFT_P(vectors)(arena, reals);
        if (backward) w.bar[i] = LFT_P(vectors)(arena, forces);
    }
    for (i = 0; i < scheme->stages; ++i) {
        w.K[i] = LFT_P(vectors)(arena, forces);
        if (backward) w.K_bar[i] = LFT_P(vectors)(arena, forces);
    }
    w.more = LFT_P(vectors)(arena, forces);
    w.old  = LFT_P(vectors)(arena, forces);
    w.dc   = (double *)lft_arena_alloc(arena, (size_t)s->potential.classes * LFT_P_LANES, sizeof(double));
    w.potential = LFT_P(potential_fields)(&s->potential, backward, arena);
    return w;
}

LFT_P_STATIC lft_status LFT_P(continuous_check_desc)(const LFT_(continuous_desc) *d, lft_error *error)
{
    if (d->doubled < 0 || d->doubled > LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "doubled", "0, or an axis + 1", d->doubled);
    }
    if (d->loops < 1) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "at least 1", d->loops);
    if (d->nodes < 1 || d->nodes > 100) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "nodes", "1 to 100", d->nodes);
    if (d->integrator < LFT_LUESCHER_RK3 || d->integrator > LFT_COMMUTATOR_FREE_4) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "integrator", "one of lft_group_integrator", (int)d->integrator);
    }
    if (d->steps < 1 || d->most_steps < d->steps || d->most_steps > 100000) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "most_steps", "steps to 100000", d->most_steps);
    }
    if (d->order < 0 || d->order > (d->doubled ? LFT_P_ORDERS : LFT_P_SHAPE)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "order",
                              LFT_DIM == 2 ? "0 to 4, of a doubled axis 8" : "0, 1, 2, 3 or 4", d->order);
    }
    if (d->order > d->nodes && !d->doubled && !d->cut_off) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "nodes", "at least the order", d->nodes);
    }
    if (!lft_finite(d->beta)) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "beta", "a finite number", d->beta);
    if (!lft_finite(d->from)) return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "from", "a finite number", d->from);
    return LFT_OK;
}

/* The classes against what is asked of them. */
LFT_P_STATIC lft_status LFT_P(continuous_check_loops)(const LFT_P(continuous) *s, lft_error *error)
{
    const LFT_P(potential) *p = &s->potential;
    lft_p_text              t;
    int                     mu;
    if (p->classes < s->desc.loops) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "fewer: so many classes are not known", s->desc.loops);
    }
    if (p->orders < s->desc.order) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "loops", "at least all of the order at the start", s->desc.loops);
    }
    if (s->desc.doubled && p->program.lattice.extent[s->desc.doubled - 1] % 2) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "extent", "an even one of the doubled axis",
                              p->program.lattice.extent[s->desc.doubled - 1]);
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (p->program.lattice.extent[mu] >= p->extent[mu]) continue;
        t = lft_p_error_text(error, LFT_ERR_ARG, "continuous", "extent: expected at least ");
        lft_p_put_u64(&t, (uint64_t)p->extent[mu]);
        lft_p_put(&t, " for these loops, which close around smaller lattices, got ");
        lft_p_put_u64(&t, (uint64_t)p->program.lattice.extent[mu]);
        return LFT_ERR_ARG;
    }
    return LFT_OK;
}

/* Where class i has its coefficients, and how many: of the plaquettes those of a polynomial of the highest order. */
LFT_P_INLINE int LFT_P(continuous_first)(const LFT_P(continuous) *s, int i)
{
    return i ? LFT_P_SHAPE + (i - 1) * s->desc.nodes : 0;
}
LFT_P_INLINE int LFT_P(continuous_nodes)(const LFT_P(continuous) *s, int i) { return i ? s->desc.nodes : LFT_P_SHAPE; }

LFT_P_STATIC lft_status LFT_P(continuous_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                               lft_error *error)
{
    LFT_P(continuous)     *s = (LFT_P(continuous) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(continuous_desc) *d;
    lft_arena              measure = lft_arena_measure();
    lft_status             status;
    layer->state = s;
    if (!s) s = &local;
    d = &s->desc;
    lft_p_copy(d, layer->desc, sizeof *d);
    if (!d->loops) d->loops = LFT_(continuous_loops)(d->doubled, 2);
    if (!d->nodes) d->nodes = 4;
    if (!d->integrator) d->integrator = LFT_COMMUTATOR_FREE_4;
    if (!d->steps) d->steps = 12;
    if (!d->most_steps) d->most_steps = 4 * d->steps;
    status = LFT_P(continuous_check_desc)(d, error);
    if (!status) status = LFT_P(potential_init)(&s->potential, &layer->in, d->doubled, d->loops, arena, error);
    if (!status) status = LFT_P(continuous_check_loops)(s, error);
    if (status) return status;
    s->links             = layer->in.volume * LFT_DIM;
    s->count             = LFT_P(continuous_first)(s, d->loops);
    s->coefficient       = (double *)lft_arena_alloc(arena, (size_t)s->count, sizeof(double));
    layer->out           = layer->in;
    layer->steps         = d->steps;
    layer->params        = set->count;
    s->params            = lft_declare(set, name, "plaquette", 1, LFT_P_SHAPE, 0, 0, 0);
    (void)lft_declare(set, name, "loop", 2, d->loops - 1, d->nodes, 0, 0);
    layer->tape_bytes    = (size_t)d->most_steps * (size_t)s->links * LFT_P_LINK * sizeof(lft_v);
    layer->gradient_count = (size_t)s->count * LFT_P_LANES;
    layer->per_lane      = 1;
    (void)LFT_P(continuous_scratch)(s, LFT_UPTO >= LFT_TRAIN, &measure);
    layer->scratch_bytes = measure.need;
    return LFT_OK;
}

/* Legendre polynomials of 2t - 1. */
LFT_P_STATIC void LFT_P(legendre)(double t, int n, double *p)
{
    const double x = 2 * t - 1;
    int          a;
    for (a = 0; a < n; ++a) p[a] = a < 2 ? (a ? x : 1) : ((2 * a - 1) * x * p[a - 1] - (a - 1) * p[a - 2]) / a;
}

/* The nearest polynomials to the trivializing map in the classes of an order, by eight points of Gauss. */
LFT_P_STATIC void LFT_P(continuous_start_solved)(const LFT_P(continuous) *s, double *to)
{
    static const double x[4] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
    static const double w[4] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};
    const double        way = s->desc.beta - s->desc.from;
    double              c[8][LFT_P_CLASSES], t[8], beta[8], p[8];
    int                 k, i, a;
    for (k = 0; k < 8; ++k) {
        t[k]    = 0.5 + (k % 2 ? 0.5 : -0.5) * x[k / 2];
        beta[k] = s->desc.from + way * t[k];
    }
    LFT_P(potential_solve)(&s->potential, s->desc.order, 8, beta, c);
    for (k = 0; k < 8; ++k) {
        LFT_P(legendre)(t[k], 8, p);
        for (i = 0; i < s->desc.loops; ++i) {
            for (a = 0; a < LFT_P(continuous_nodes)(s, i) && a < 8; ++a) {
                to[LFT_P(continuous_first)(s, i) + a] += way * 0.5 * w[k / 2] * (2 * a + 1) * p[a] * c[k][i];
            }
        }
    }
}

LFT_P_STATIC void LFT_P(continuous_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    /* t^k in Legendre polynomials of 2 t - 1 */
    static const double      power[LFT_P_SHAPE][LFT_P_SHAPE] = {
        {1}, {1.0 / 2, 1.0 / 2}, {1.0 / 3, 1.0 / 2, 1.0 / 6}, {1.0 / 4, 9.0 / 20, 1.0 / 4, 1.0 / 20}};
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const int                order = s->desc.order;
    const double             way = s->desc.beta - s->desc.from;
    double                   c[LFT_P_SHAPE][LFT_P_CLASSES], share;
    int                      i, a, k, m;
    for (a = 1; a < LFT_P_SHAPE; ++a) pace[s->params + (size_t)a] = 0;
    if ((s->desc.doubled || s->desc.cut_off) && order) {
        LFT_P(continuous_start_solved)(s, theta + s->params);
        return;
    }
    LFT_P(potential_start)(&s->potential, order, c);
    for (i = 0; i < s->desc.loops; ++i) {
        double *to = theta + s->params + LFT_P(continuous_first)(s, i);
        for (k = 0; k < order; ++k) { /* way (from + way t)^k, term by term */
            for (m = k, share = way; m >= 0; --m, share *= s->desc.from * (m + 1) / (k - m)) {
                for (a = 0; a <= m; ++a) to[a] += power[m][a] * c[k][i] * share * lft_p_power(way, m);
            }
        }
    }
}

LFT_API void LFT_(continuous_scale)(const LFT_(layer) *layer, double *value, double ratio)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    const int               *upto = s->potential.upto;
    int                      i, a, order = 1;
    for (i = 0; i < s->desc.loops; ++i) {
        double *c = value + s->params + LFT_P(continuous_first)(s, i);
        while (order < LFT_P_ORDERS && upto[order] > 0 && i >= upto[order]) ++order;
        for (a = 0; a < LFT_P(continuous_nodes)(s, i); ++a) c[a] *= lft_p_power(ratio, order);
    }
}

LFT_P_STATIC void LFT_P(continuous_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(continuous) *s = (LFT_P(continuous) *)layer->state;
    lft_p_copy(s->coefficient, theta + s->params, (size_t)s->count * sizeof(double));
}

LFT_P_STATIC void LFT_P(continuous_at)(const LFT_P(continuous) *s, double t, double *c)
{
    double p[100 + LFT_P_SHAPE];
    int    i, a;
    LFT_P(legendre)(t, s->desc.nodes + LFT_P_SHAPE, p);
    for (i = 0; i < s->desc.loops; ++i) {
        const double *from = s->coefficient + LFT_P(continuous_first)(s, i);
        for (c[i] = 0, a = 0; a < LFT_P(continuous_nodes)(s, i); ++a) c[i] += p[a] * from[a];
    }
}

/* X = h sum_k a_k K_k of one link. */
LFT_P_INLINE void LFT_P(continuous_exponent)(const double *a, int stages, double h, lft_v *const *K, int link, lft_z *X)
{
    int k, i;
    for (i = 0; i < LFT_P_ALGEBRA; ++i) X->c[i] = lft_splat(0);
    for (k = 0; k < stages; ++k) {
        const lft_real x = (lft_real)(h * a[k]);
        if (!(a[k] < 0 || a[k] > 0)) continue;
        for (i = 0; i < LFT_P_ALGEBRA; ++i) X->c[i] += x * K[k][link * LFT_P_ALGEBRA + i];
    }
}

/* A step of length h from w->state[0], at time t: all stages and states; div[lane] += what log det grows by. A score at
 * w->bar[0], not NULL, is transported along: with the left derivatives of log q
 *   ds/dt = -grad_U (s Z) - grad div Z - [s, Z] */
LFT_P_STATIC void LFT_P(continuous_step)(const LFT_P(continuous) *s, double t, double h, int score, double *div,
                                         LFT_P(continuous_work) *w)
{
    const LFT_P(group_scheme) *scheme = LFT_P(group_scheme_of)(s->desc.integrator);
    double                     c[LFT_P_CLASSES], rate[LFT_P_LANES], one[LFT_P_LANES];
    lft_z                      X;
    int                        m, k, i, j, l;
    for (l = 0; l < LFT_P_LANES; ++l) one[l] = 1;
    for (m = 0;; ++m) {
        for (k = 0; k < scheme->stages; ++k) {
            if (scheme->at[k] != m) continue;
            LFT_P(continuous_at)(s, t + scheme->c[k] * h, c);
            LFT_P(potential_force)(&s->potential, c, w->state[m], w->K[k], rate, w->potential);
            for (l = 0; l < LFT_P_LANES; ++l) div[l] += h * scheme->b[k] * rate[l];
            if (LFT_UPTO < LFT_TRAIN || !score) continue;
            LFT_P(potential_backward)(&s->potential, c, w->state[m], w->bar[m], one, w->K_bar[k], NULL, w->potential);
            for (i = 0; i < s->links; ++i) {
                lft_v *to = w->K_bar[k] + i * LFT_P_ALGEBRA;
                LFT_P(bracket)(&X, (const lft_z *)(w->bar[m] + i * LFT_P_ALGEBRA), (const lft_z *)(w->K[k] + i * LFT_P_ALGEBRA));
                for (j = 0; j < LFT_P_ALGEBRA; ++j) to[j] = -to[j] - X.c[j];
            }
        }
        if (m == scheme->moves) break;
        lft_p_copy(w->state[m + 1], w->state[scheme->from[m]], (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v));
        for (i = 0; i < s->links; ++i) {
            if (LFT_P(program_moves)(&s->potential.program, i)) {
                LFT_P(continuous_exponent)(scheme->a[m], scheme->stages, h, w->K, i, &X);
                LFT_P(move)(w->state[m + 1] + i * LFT_P_LINK, X.c, 1);
            }
            if (!score) continue;
            LFT_P(continuous_exponent)(scheme->a[m], scheme->stages, h, w->K_bar, i, &X);
            for (j = 0; j < LFT_P_ALGEBRA; ++j) {
                const int at = i * LFT_P_ALGEBRA + j;
                w->bar[m + 1][at] = w->bar[scheme->from[m]][at] + X.c[j];
            }
        }
    }
    for (i = 0; i < s->links; ++i) {
        if (LFT_P(program_moves)(&s->potential.program, i)) LFT_P(unit)(w->state[scheme->moves] + i * LFT_P_LINK);
    }
}

LFT_P_STATIC lft_status LFT_P(continuous_check)(const lft_v *links, int n, const double *logdet, int step, lft_error *error)
{
    const char *what = LFT_P(any_nonfinite)(links, n) ? "links" : NULL;
    int         l;
    for (l = 0; l < LFT_P_LANES; ++l) what = lft_finite(logdet[l]) ? what : "log-det";
    if (!what) return LFT_OK;
    return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous", what, "finite numbers after step", step);
}

LFT_P_STATIC lft_status LFT_P(continuous_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out, double *logdet,
                                                  lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, score != NULL, &scratch);
    const int                last   = LFT_P(group_scheme_of)(s->desc.integrator)->moves, n = s->links * LFT_P_LINK;
    const size_t             bytes  = (size_t)n * sizeof(lft_v), forces = (size_t)(s->links * LFT_P_ALGEBRA) * sizeof(lft_v);
    const double             h      = 1.0 / layer->steps;
    unsigned char           *saved  = (unsigned char *)tape;
    lft_status               status = LFT_OK;
    int                      i;
    lft_p_copy(w.state[0], x_in, bytes);
    if (score) lft_p_copy(w.bar[0], score, forces);
    for (i = 0; i < layer->steps; ++i) {
        if (saved) lft_p_copy(saved + (size_t)i * bytes, w.state[0], bytes);
        LFT_P(continuous_step)(s, i * h, h, score != NULL, logdet, &w);
        lft_p_copy(w.state[0], w.state[last], bytes);
        if (score) lft_p_copy(w.bar[0], w.bar[last], forces);
        if (!status) status = LFT_P(continuous_check)(w.state[0], n, logdet, i, error);
    }
    lft_p_copy(x_out, w.state[0], bytes);
    if (score) lft_p_copy(score, w.bar[0], forces);
    return status;
}

/* Solves (step from V) = next by V <- exp(weight z) V, exp z = next (step from V)^+ to first order, from a step back in time. At
 * rounding level z stops to fall. */
LFT_P_STATIC lft_status LFT_P(continuous_step_back)(const LFT_P(continuous) *s, int step, double h, const lft_v *next, double *div,
                                                    LFT_P(continuous_work) *w, lft_error *error)
{
    const double epsilon = LFT_P_REAL_BYTES == 4 ? 1.1920929e-07 : 2.220446049250313e-16;
    const int    last = LFT_P(group_scheme_of)(s->desc.integrator)->moves, most = 200, forces = s->links * LFT_P_ALGEBRA;
    const size_t bytes = (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v);
    lft_v        weight = lft_splat(1);
    double       distance = 0, before = 1e300;
    int          i, x, k, l;
    lft_p_copy(w->state[0], next, bytes);
    LFT_P(set_zero)(w->more, forces);
    for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
    LFT_P(continuous_step)(s, (step + 1) * h, -h, 0, div, w);
    lft_p_copy(w->state[0], w->state[last], bytes);
    for (i = 0; i < most; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) div[l] = 0;
        LFT_P(continuous_step)(s, step * h, h, 0, div, w);
        if (LFT_P(any_nonfinite)(w->state[last], s->links * LFT_P_LINK)) {
            return lft_p_fail_got(error, LFT_ERR_NONFINITE, "continuous inverse", "links", "finite numbers before step", step);
        }
        for (x = 0; x < s->links; ++x) {
            lft_z *z = (lft_z *)(w->more + x * LFT_P_ALGEBRA);
            lft_u  r;
            if (!LFT_P(program_moves)(&s->potential.program, x)) continue;
            LFT_P(mul_adj)(&r, (const lft_u *)(next + x * LFT_P_LINK), (const lft_u *)(w->state[last] + x * LFT_P_LINK));
            (void)LFT_P(trace)(&r, z);
            for (k = 0; k < LFT_P_ALGEBRA; ++k) z->c[k] *= -LFT_P_METRIC;
        }
        distance = LFT_P(largest)(w->more, forces);
        if (distance <= 2 * epsilon || (distance >= before && distance < 100 * epsilon)) return LFT_OK;
        if (i) weight = LFT_P(relaxation)(w->more, w->old, forces, weight);
        lft_p_copy(w->old, w->more, (size_t)forces * sizeof(lft_v));
        for (x = 0; x < s->links; ++x) {
            if (!LFT_P(program_moves)(&s->potential.program, x)) continue;
            for (k = 0; k < LFT_P_ALGEBRA; ++k) w->more[x * LFT_P_ALGEBRA + k] *= weight;
            LFT_P(move)(w->state[0] + x * LFT_P_LINK, w->more + x * LFT_P_ALGEBRA, 1);
            LFT_P(unit)(w->state[0] + x * LFT_P_LINK);
        }
        before = distance;
    }
    return lft_p_fail_got(error, LFT_ERR_NOCONV, "continuous inverse", "fixed point, number of integration steps too small",
                          "convergence", distance);
}

LFT_P_STATIC lft_status LFT_P(continuous_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                                  lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous) *s      = (const LFT_P(continuous) *)layer->state;
    LFT_P(continuous_work)   w      = LFT_P(continuous_scratch)(s, 0, &scratch);
    const size_t             bytes  = (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v);
    lft_v                   *x      = LFT_P(view)(x_in);
    lft_status               status = LFT_OK;
    double                   div[LFT_P_LANES];
    int                      i, l;
    if (x_in != x_out) lft_p_copy(x_in, x_out, bytes);
    for (i = layer->steps - 1; i >= 0 && !status; --i) {
        status = LFT_P(continuous_step_back)(s, i, 1.0 / layer->steps, x, div, &w, error);
        lft_p_copy(x, w.state[0], bytes);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= div[l];
    }
    return status;
}

/* v becomes the transposed differential of the exponential, sum_n (-ad X)^n v / (n + 1)!: of state = exp(X) from at fixed from,
 * from the derivative by the state that by X. */
LFT_P_STATIC void LFT_P(exp_transposed)(const lft_z *X, lft_z *v)
{
    lft_z term = *v;
    lft_m left;
    int   n, i;
    for (n = 2; n < 60; ++n) {
        LFT_P(bracket)(&term, &term, X); /* -[X, term] */
        left = LFT_P(int_splat)(0);
        for (i = 0; i < LFT_P_ALGEBRA; ++i) {
            const lft_v before = v->c[i];
            term.c[i] *= 1 / (lft_real)n;
            v->c[i] += term.c[i];
            left |= ~LFT_P(eq)(v->c[i], before);
        }
        if (!LFT_P(any)(left)) return;
    }
}

LFT_P_STATIC lft_status LFT_P(continuous_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                                   double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(continuous)   *s      = (const LFT_P(continuous) *)layer->state;
    const LFT_P(group_scheme) *scheme = LFT_P(group_scheme_of)(s->desc.integrator);
    LFT_P(continuous_work)     w      = LFT_P(continuous_scratch)(s, 1, &scratch);
    const size_t               bytes  = (size_t)(s->links * LFT_P_LINK) * sizeof(lft_v);
    const int                  forces = s->links * LFT_P_ALGEBRA;
    const double               h      = 1.0 / layer->steps;
    lft_v                     *dx     = LFT_P(view)(dx_);
    double                     c[LFT_P_CLASSES], kappa[LFT_P_LANES], unused[LFT_P_LANES], p[100 + LFT_P_SHAPE];
    int                        step, m, k, i, j, l, a;
    (void)error;
    for (step = layer->steps - 1; step >= 0; --step) {
        lft_p_copy(w.state[0], (const unsigned char *)tape + (size_t)step * bytes, bytes);
        for (l = 0; l < LFT_P_LANES; ++l) unused[l] = 0;
        LFT_P(continuous_step)(s, step * h, h, 0, unused, &w);
        for (m = 0; m < scheme->moves; ++m) LFT_P(set_zero)(w.bar[m], forces);
        for (k = 0; k < scheme->stages; ++k) LFT_P(set_zero)(w.K_bar[k], forces);
        lft_p_copy(w.bar[scheme->moves], dx, (size_t)forces * sizeof(lft_v));
        for (m = scheme->moves; m >= 0; --m) {
            for (k = scheme->stages - 1; k >= 0; --k) {
                if (scheme->at[k] != m) continue;
                LFT_P(continuous_at)(s, (step + scheme->c[k]) * h, c);
                for (l = 0; l < LFT_P_LANES; ++l) kappa[l] = h * scheme->b[k] * dlogdet[l];
                lft_p_zero(w.dc, (size_t)s->desc.loops * LFT_P_LANES * sizeof(double));
                LFT_P(potential_backward)(&s->potential, c, w.state[m], w.K_bar[k], kappa, w.more, gradient ? w.dc : NULL,
                                          w.potential);
                for (i = 0; i < forces; ++i) w.bar[m][i] += w.more[i];
                LFT_P(legendre)((step + scheme->c[k]) * h, s->desc.nodes + LFT_P_SHAPE, p);
                for (i = 0; gradient && i < s->desc.loops; ++i) {
                    for (a = 0; a < LFT_P(continuous_nodes)(s, i); ++a) {
                        double *to = gradient + (size_t)(LFT_P(continuous_first)(s, i) + a) * LFT_P_LANES;
                        for (l = 0; l < LFT_P_LANES; ++l) to[l] += p[a] * w.dc[i * LFT_P_LANES + l];
                    }
                }
            }
            if (!m) break;
            for (i = 0; i < s->links; ++i) {
                lft_v *from = w.bar[scheme->from[m - 1]] + i * LFT_P_ALGEBRA;
                lft_z  X, v, turned;
                lft_u  e;
                LFT_P(continuous_exponent)(scheme->a[m - 1], scheme->stages, h, w.K, i, &X);
                for (j = 0; j < LFT_P_ALGEBRA; ++j) v.c[j] = turned.c[j] = w.bar[m][i * LFT_P_ALGEBRA + j];
                LFT_P(exp_of)(&e, &X);
                LFT_P(carry)(&e, &turned);
                LFT_P(exp_transposed)(&X, &v);
                for (j = 0; j < LFT_P_ALGEBRA; ++j) from[j] += turned.c[j];
                for (k = 0; k < scheme->stages; ++k) {
                    const lft_real x = (lft_real)(h * scheme->a[m - 1][k]);
                    for (j = 0; j < LFT_P_ALGEBRA; ++j) w.K_bar[k][i * LFT_P_ALGEBRA + j] += x * v.c[j];
                }
            }
        }
        lft_p_copy(dx, w.bar[0], (size_t)forces * sizeof(lft_v));
    }
    return LFT_OK;
}

/* The own form has one gradient per lane. */
LFT_P_STATIC void LFT_P(continuous_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    int                      i, l;
    for (i = 0; i < s->count; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) dtheta[s->params + (size_t)i] += gradient[i * LFT_P_LANES + l];
    }
}

LFT_P_STATIC lft_status LFT_P(continuous_refine)(LFT_(layer) *layer, int steps, lft_error *error)
{
    const LFT_P(continuous) *s = (const LFT_P(continuous) *)layer->state;
    if (steps < 1 || steps > s->desc.most_steps) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "continuous", "steps", "1 to most_steps", steps);
    }
    layer->steps = steps;
    return LFT_OK;
}

/* loops, nodes, integrator, doubled (left out if 0), steps, most_steps */
LFT_P_STATIC int LFT_P(continuous_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(continuous_desc) *d = &((const LFT_P(continuous) *)layer->state)->desc;
    int                          n = 3;
    number[0] = d->loops, number[1] = d->nodes, number[2] = (int64_t)d->integrator;
    if (d->doubled) number[n++] = d->doubled;
    number[n++] = layer->steps;
    number[n++] = d->most_steps;
    return n;
}

LFT_P_STATIC lft_status LFT_P(continuous_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(continuous_desc) *d = (LFT_(continuous_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    const int              steps = n > 5 ? 4 : 3;
    int                    i;
    if (n < 5) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "numbers of a continuous layer", "5", n);
    *desc = d;
    if (!d) return lft_arena_check(arena, error, "model");
    for (i = 0; i < steps + 2; ++i) {
        if (number[i] < 1 || number[i] > 1000000) {
            return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a number of a continuous layer", "1 to 1000000",
                                  (double)number[i]);
        }
    }
    d->loops = (int)number[0], d->nodes = (int)number[1], d->integrator = (lft_group_integrator)number[2];
    d->doubled = steps > 3 ? (int)number[3] : 0;
    d->steps = (int)number[steps], d->most_steps = (int)number[steps + 1];
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(continuous)(void)
{
    static const LFT_(layer_ops) ops = {
        "loops",
        LFT_P(continuous_init),
        LFT_P(continuous_start),
        LFT_P(continuous_prepare),
        LFT_P(continuous_forward),
        LFT_P(continuous_inverse),
        LFT_UPTO >= LFT_TRAIN ? LFT_P(continuous_backward) : NULL,
        LFT_P(continuous_collect),
        LFT_P(continuous_refine),
        NULL,
        LFT_P(continuous_spec),
        LFT_P(continuous_read),
        NULL,
    };
    return &ops;
}

#endif
#if LFT_GROUP == LFT_SCALAR

/* ---- 72_coupling.h, code ----------------------------------------------------------------------------------------- */

#define LFT_P_HIDDEN_MOST 8

typedef struct LFT_P(coupling) {
    LFT_(coupling_desc) desc; /* defaults filled in; bound 0: none; hidden[0] = 0: none */
    LFT_P(convnet)      net;
    int                 nets;  /* 1, or 2 with z2: of phi and of -phi */
    unsigned char      *first; /* [rows] the first active site of each row: then every other one */
    char                name[24];
} LFT_P(coupling);

typedef enum LFT_P(coupling_use) { LFT_P(coupling_value), LFT_P(coupling_score), LFT_P(coupling_backward) } LFT_P(coupling_use);

typedef struct LFT_P(coupling_work) {
    lft_v               *tape; /* where the caller has none */
    LFT_P(convnet_work)  net;
    lft_v               *d, *dout; /* [2][volume] cotangents of s and t; of a net's outputs */
} LFT_P(coupling_work);

LFT_P_STATIC LFT_P(coupling_work) LFT_P(coupling_scratch)(const LFT_P(coupling) *s, LFT_P(coupling_use) use, lft_arena *arena)
{
    const size_t          pair = use == LFT_P(coupling_value) ? 0 : 2 * (size_t)s->net.lattice.volume;
    LFT_P(coupling_work)  w;
    w.tape = LFT_P(vectors)(arena, use == LFT_P(coupling_backward) ? 0 : (size_t)s->nets * s->net.tape);
    w.net  = LFT_P(convnet_scratch)(&s->net, (int)use, arena);
    w.d    = LFT_P(vectors)(arena, pair);
    w.dout = LFT_P(vectors)(arena, pair);
    return w;
}

/* Defaults; the number of hidden fields, or -1 and an error. */
LFT_P_STATIC int LFT_P(coupling_defaults)(LFT_(coupling_desc) *d, lft_error *error)
{
    int i, n = 0;
    if (d->parity < 0 || d->parity > 1) {
        (void)lft_p_fail_got(error, LFT_ERR_ARG, "coupling", "parity", "0 or 1", d->parity);
        return -1;
    }
    if (!lft_finite(d->bound)) {
        (void)lft_p_fail_got(error, LFT_ERR_ARG, "coupling", "bound", "a finite number", d->bound);
        return -1;
    }
    if (d->hidden[0] == 0) d->hidden[0] = d->hidden[1] = 8, d->hidden[2] = 0;
    if (d->hidden[0] == -1) d->hidden[0] = 0;
    while (n < LFT_P_HIDDEN_MOST && d->hidden[n]) ++n;
    for (i = n; i < LFT_P_HIDDEN_MOST; ++i) d->hidden[i] = 0;
    if (!d->kernel) d->kernel = 3;
    d->bound = d->bound > 0 ? d->bound : d->bound < 0 ? 0 : 1;
    d->z2    = d->z2 != 0;
    return n;
}

/* The first active site of each row. */
LFT_P_STATIC void LFT_P(coupling_rows)(LFT_P(coupling) *s)
{
    int row, rest, mu, sum;
    for (row = 0; row < s->net.rows; ++row) {
        for (sum = s->desc.parity, rest = row, mu = LFT_DIM - 2; mu >= 0; --mu) {
            sum += rest % s->net.lattice.extent[mu];
            rest /= s->net.lattice.extent[mu];
        }
        s->first[row] = (unsigned char)(sum % 2);
    }
}

LFT_P_STATIC lft_status LFT_P(coupling_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                             lft_error *error)
{
    LFT_P(coupling) *s = (LFT_P(coupling) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    int              channels[LFT_P_HIDDEN_MOST + 2], hidden, i, use;
    lft_p_text       text = {0, 0, 0};
    lft_status       status;
    layer->state = s;
    if (!s) s = &local; /* measuring, or full: the flow reports the need of all */
    lft_p_copy(&s->desc, layer->desc, sizeof s->desc);
    hidden = LFT_P(coupling_defaults)(&s->desc, error);
    if (hidden < 0) return LFT_ERR_ARG;
    channels[0] = 1;
    for (i = 0; i < hidden; ++i) channels[1 + i] = s->desc.hidden[i];
    channels[1 + hidden] = 2;
    text.data = s->name, text.size = sizeof s->name;
    lft_p_put(&text, name);
    layer->out    = layer->in;
    layer->params = set->count;
    s->nets       = s->desc.z2 ? 2 : 1;
    status        = LFT_P(convnet_init)(&s->net, &layer->in, channels, hidden + 1, s->desc.kernel, s->desc.bound, name, set,
                                        arena, error);
    if (status) return status;
    s->first = (unsigned char *)lft_arena_alloc(arena, (size_t)s->net.rows, 1);
    if (s->first) LFT_P(coupling_rows)(s);
    s->net.first = s->first;
    layer->gradient_count = s->net.parameters;
    layer->tape_bytes     = ((size_t)s->nets * s->net.tape + (size_t)layer->in.volume) * sizeof(lft_v);
    for (use = 0; use <= (LFT_UPTO >= LFT_TRAIN ? 2 : 0); ++use) {
        lft_arena measure = lft_arena_measure();
        (void)LFT_P(coupling_scratch)(s, (LFT_P(coupling_use))use, &measure);
        if (measure.need > layer->scratch_bytes) layer->scratch_bytes = measure.need;
    }
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(coupling_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    (void)pace;
    LFT_P(convnet_start)(&((const LFT_P(coupling) *)layer->state)->net, theta, layer->params);
}

LFT_P_STATIC void LFT_P(coupling_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(convnet_prepare)(&((LFT_P(coupling) *)layer->state)->net, theta);
}

/* The nets of the frozen part of x and, with z2, of its negative. */
LFT_P_STATIC void LFT_P(coupling_nets)(const LFT_P(coupling) *s, const lft_v *x, lft_v *tape, const LFT_P(coupling_work) *w)
{
    const int length = LFT_P(row_length)(&s->net.lattice);
    lft_v    *mirror = s->nets > 1 ? tape + s->net.tape : NULL;
    int       row, i, at;
    for (at = 0, row = 0; row < s->net.rows; ++row) {
        for (i = 0; i < length; ++i, ++at) {
            tape[at] = (i + s->first[row]) % 2 ? x[at] : lft_splat(0);
            if (mirror) mirror[at] = -tape[at];
        }
    }
    LFT_P(convnet_forward)(&s->net, tape, &w->net);
    if (mirror) LFT_P(convnet_forward)(&s->net, mirror, &w->net);
}

/* s and t, at sites from the head of a row */
typedef struct LFT_P(coupling_outputs) {
    const lft_v *s, *t, *s_mirror, *t_mirror;
} LFT_P(coupling_outputs);

LFT_P_STATIC LFT_P(coupling_outputs) LFT_P(coupling_outputs_of)(const LFT_P(coupling) *s, const lft_v *tape)
{
    LFT_P(coupling_outputs) o;
    o.s        = LFT_P(convnet_output)(&s->net, tape);
    o.t        = o.s + s->net.lattice.volume;
    o.s_mirror = s->nets > 1 ? o.s + s->net.tape : NULL;
    o.t_mirror = s->nets > 1 ? o.t + s->net.tape : NULL;
    return o;
}

LFT_P_INLINE void LFT_P(coupling_at)(const LFT_P(coupling_outputs) *o, int x, lft_v *s, lft_v *t)
{
    *s = o->s[x], *t = o->t[x];
    if (o->s_mirror) {
        *s = (*s + o->s_mirror[x]) * (lft_real)0.5;
        *t = (*t - o->t_mirror[x]) * (lft_real)0.5;
    }
}

/* The derivative of s and t in w->d through the nets: added, times sign, to dx at the frozen sites. */
LFT_P_STATIC void LFT_P(coupling_nets_backward)(const LFT_P(coupling) *s, const lft_v *tape, const LFT_P(coupling_work) *w,
                                                lft_real sign, lft_v *dx, double *gradient)
{
    const int length = LFT_P(row_length)(&s->net.lattice), volume = s->net.lattice.volume;
    int       n, row, x, at;
    for (n = 0; n < s->nets; ++n, tape += s->net.tape) {
        const lft_real share = s->nets > 1 ? (lft_real)0.5 : 1, t_share = n ? -share : share, x_share = n ? -sign : sign;
        const lft_v   *din;
        for (x = 0; x < volume; ++x) {
            w->dout[x]          = share * w->d[x];
            w->dout[volume + x] = t_share * w->d[volume + x];
        }
        din = LFT_P(convnet_backward)(&s->net, tape, w->dout, gradient, &w->net);
        for (at = 0, row = 0; row < s->net.rows; ++row, at += length) {
            for (x = 1 - s->first[row]; x < length; x += 2) dx[at + x] += x_share * din[at + x];
        }
    }
}

/* An error that says in which layer. */
LFT_P_STATIC lft_status LFT_P(coupling_check)(const LFT_P(coupling) *s, const lft_v *x, const double *logdet, lft_error *error)
{
    const char *what = LFT_P(any_nonfinite)(x, s->net.lattice.volume) ? "field" : NULL;
    lft_p_text  t;
    int         l;
    for (l = 0; l < LFT_P_LANES; ++l) what = lft_finite(logdet[l]) ? what : "log-det";
    if (!what) return LFT_OK;
    t = lft_p_error_text(error, LFT_ERR_NONFINITE, "coupling", what);
    lft_p_put(&t, ": expected finite numbers after ");
    lft_p_put(&t, s->name);
    return LFT_ERR_NONFINITE;
}

/* grad log q of x' = J^-T (grad log q - grad log det): e^-s times it at active sites, where the nets' outputs get the
 * derivatives 1 + score x of s and e^-s score of t. x: before the layer. */
LFT_P_STATIC void LFT_P(coupling_move_score)(const LFT_P(coupling) *s, const lft_v *x, const lft_v *tape, lft_v *score,
                                             const LFT_P(coupling_work) *w)
{
    const LFT_P(coupling_outputs) o = LFT_P(coupling_outputs_of)(s, tape);
    const int                     length = LFT_P(row_length)(&s->net.lattice), volume = s->net.lattice.volume;
    int                           row, i, at;
    LFT_P(set_zero)(w->d, 2 * volume);
    for (at = 0, row = 0; row < s->net.rows; ++row, at += length) {
        for (i = at + s->first[row]; i < at + length; i += 2) {
            lft_v scale, shift;
            LFT_P(coupling_at)(&o, i, &scale, &shift);
            w->d[i]          = score[i] * x[i] + 1;
            score[i]         = score[i] * LFT_P(exp)(-scale);
            w->d[volume + i] = score[i];
        }
    }
    LFT_P(coupling_nets_backward)(s, tape, w, -1, score, NULL);
}

/* The active sites there (x' = e^s x + t) or back, and their s added to logdet or taken from it. */
LFT_P_INLINE void LFT_P(coupling_apply)(const LFT_P(coupling) *s, const lft_v *tape, int back, lft_v *x, double *logdet)
{
    const LFT_P(coupling_outputs) o = LFT_P(coupling_outputs_of)(s, tape);
    const int                     length = LFT_P(row_length)(&s->net.lattice);
    int                           row, i, end, at;
    for (at = 0, row = 0; row < s->net.rows; ++row, at += length) {
        for (i = s->first[row]; i < length;) {
            lft_v part = lft_splat(0);
            for (end = i + LFT_P_CHUNK < length ? i + LFT_P_CHUNK : length; i < end; i += 2) {
                lft_v scale, shift;
                LFT_P(coupling_at)(&o, at + i, &scale, &shift);
                if (back) {
                    x[at + i] = (x[at + i] - shift) * LFT_P(exp)(-scale);
                    part -= scale;
                } else {
                    x[at + i] = x[at + i] * LFT_P(exp)(scale) + shift;
                    part += scale;
                }
            }
            LFT_P(add_wide)(logdet, part);
        }
    }
}

LFT_P_STATIC lft_status LFT_P(coupling_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out,
                                                double *logdet, lft_real *score, void *tape, lft_arena scratch,
                                                lft_error *error)
{
    const LFT_P(coupling)     *s = (const LFT_P(coupling) *)layer->state;
    const LFT_P(coupling_work) w =
        LFT_P(coupling_scratch)(s, score ? LFT_P(coupling_score) : LFT_P(coupling_value), &scratch);
    const size_t bytes = (size_t)s->net.lattice.volume * sizeof(lft_v);
    lft_v       *at = tape ? (lft_v *)tape : w.tape, *x = LFT_P(view)(x_out);
    if (x_out != x_in) lft_p_copy(x, x_in, bytes);
    if (tape) lft_p_copy(at + (size_t)s->nets * s->net.tape, x, bytes);
    LFT_P(coupling_nets)(s, x, at, &w);
    if (LFT_UPTO >= LFT_TRAIN && score) LFT_P(coupling_move_score)(s, x, at, LFT_P(view)(score), &w);
    LFT_P(coupling_apply)(s, at, 0, x, logdet);
    return LFT_P(coupling_check)(s, x, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(coupling_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in,
                                                double *logdet, lft_arena scratch, lft_error *error)
{
    const LFT_P(coupling)     *s = (const LFT_P(coupling) *)layer->state;
    const LFT_P(coupling_work) w = LFT_P(coupling_scratch)(s, LFT_P(coupling_value), &scratch);
    lft_v                     *x = LFT_P(view)(x_in);
    if (x_in != x_out) lft_p_copy(x, x_out, (size_t)s->net.lattice.volume * sizeof(lft_v));
    LFT_P(coupling_nets)(s, x, w.tape, &w);
    LFT_P(coupling_apply)(s, w.tape, 1, x, logdet);
    return LFT_P(coupling_check)(s, x, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(coupling_pull)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                             double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(coupling)        *s = (const LFT_P(coupling) *)layer->state;
    const LFT_P(coupling_work)    w = LFT_P(coupling_scratch)(s, LFT_P(coupling_backward), &scratch);
    const lft_v                  *at = (const lft_v *)tape, *x = at + (size_t)s->nets * s->net.tape;
    const LFT_P(coupling_outputs) o  = LFT_P(coupling_outputs_of)(s, at);
    const lft_v                   dl = LFT_P(from_wide)(dlogdet);
    const int                     length = LFT_P(row_length)(&s->net.lattice), volume = s->net.lattice.volume;
    lft_v                        *dx = LFT_P(view)(dx_);
    int                           row, i, begin;
    (void)error;
    LFT_P(set_zero)(w.d, 2 * volume);
    for (begin = 0, row = 0; row < s->net.rows; ++row, begin += length) {
        for (i = begin + s->first[row]; i < begin + length; i += 2) {
            lft_v scale, shift;
            LFT_P(coupling_at)(&o, i, &scale, &shift);
            w.d[volume + i] = dx[i];
            dx[i]           = dx[i] * LFT_P(exp)(scale);
            w.d[i]          = dx[i] * x[i] + dl;
        }
    }
    LFT_P(coupling_nets_backward)(s, at, &w, 1, dx, gradient);
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(coupling_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    size_t i;
    for (i = 0; i < layer->gradient_count; ++i) dtheta[layer->params + i] += gradient[i];
}

/* parity, kernel, z2, the bits of bound (0: none), hidden[8] (a 0 ends them) */
LFT_P_STATIC int LFT_P(coupling_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(coupling_desc) *d = &((const LFT_P(coupling) *)layer->state)->desc;
    int                        i;
    number[0] = d->parity;
    number[1] = d->kernel;
    number[2] = d->z2;
    lft_p_copy(number + 3, &d->bound, sizeof d->bound);
    for (i = 0; i < LFT_P_HIDDEN_MOST; ++i) number[4 + i] = d->hidden[i];
    return 4 + LFT_P_HIDDEN_MOST;
}

/* Values beyond an int become one that init refuses. */
static inline int LFT_P(coupling_number)(int64_t number)
{
    return number >= 0 && number <= 1000000 ? (int)number : 1000001;
}

LFT_P_STATIC lft_status LFT_P(coupling_read)(const int64_t *number, int n, lft_arena *arena, const void **desc,
                                             lft_error *error)
{
    LFT_(coupling_desc) *d = (LFT_(coupling_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int                  i;
    *desc = d;
    if (n < 4 + LFT_P_HIDDEN_MOST) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "coupling", "numbers of the specification", "12", n);
    }
    if (!d) return lft_arena_check(arena, error, "coupling");
    d->parity = LFT_P(coupling_number)(number[0]);
    d->kernel = LFT_P(coupling_number)(number[1]);
    d->z2     = number[2] != 0;
    lft_p_copy(&d->bound, number + 3, sizeof d->bound);
    if (!lft_finite(d->bound) || d->bound < 0) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "coupling", "bound", "a number >= 0", d->bound);
    }
    if (!(d->bound > 0)) d->bound = -1;
    for (i = 0; i < LFT_P_HIDDEN_MOST; ++i) d->hidden[i] = LFT_P(coupling_number)(number[4 + i]);
    if (d->hidden[0] == 0) d->hidden[0] = -1;
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(coupling)(void)
{
    static const LFT_(layer_ops) ops = {"coupling",
                                        LFT_P(coupling_init),
                                        LFT_P(coupling_start),
                                        LFT_P(coupling_prepare),
                                        LFT_P(coupling_forward),
                                        LFT_P(coupling_inverse),
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(coupling_pull) : NULL,
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(coupling_collect) : NULL,
                                        NULL,
                                        NULL,
                                        LFT_P(coupling_spec),
                                        LFT_P(coupling_read),
                                        NULL};
    return &ops;
}

/* ---- 73_scalar_doubling.h, code ---------------------------------------------------------------------------------- */

typedef struct LFT_P(doubling) {
    LFT_(doubling_desc) desc; /* defaults filled in, no negative numbers */
    LFT_P(gaussian)     noise; /* z, on a lattice like the coarse one */
    int                 features; /* 1 + 2 sines */
    size_t              log_sigma, kernel, frequency; /* offsets in theta */
    lft_real           *omega;  /* [sines] */
    lft_real           *lambda; /* [features][count] of K and W */
    double             *node;   /* [3][count] prepare's and collect's scratch */
} LFT_P(doubling);

/* What a call works in, [volume of the coarse lattice] each. */
typedef struct LFT_P(doubling_work) {
    lft_v    *s, *m, *w, *z, *field, *hat, *panel;
    lft_v    *dlambda; /* [count] */
    lft_arena rest;    /* for the noise */
} LFT_P(doubling_work);

LFT_P_STATIC LFT_P(doubling_work) LFT_P(doubling_scratch)(const LFT_P(doubling) *s, lft_arena *arena)
{
    const size_t         n = (size_t)s->noise.spectrum.lattice.volume, bytes = LFT_P(gaussian_scratch)(&s->noise);
    LFT_P(doubling_work) w;
    w.s       = LFT_P(vectors)(arena, n);
    w.m       = LFT_P(vectors)(arena, n);
    w.w       = LFT_P(vectors)(arena, n);
    w.z       = LFT_P(vectors)(arena, n);
    w.field   = LFT_P(vectors)(arena, n);
    w.hat     = LFT_P(vectors)(arena, n);
    w.panel   = LFT_P(vectors)(arena, LFT_P(hartley_panel)(&s->noise.spectrum.lattice));
    w.dlambda = LFT_P(vectors)(arena, LFT_UPTO >= LFT_TRAIN ? (size_t)s->noise.spectrum.count : 0);
    w.rest    = lft_arena_of(lft_arena_take(arena, bytes, 1), bytes);
    return w;
}

LFT_P_STATIC lft_status LFT_P(doubling_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                             lft_error *error)
{
    LFT_P(doubling)     *s = (LFT_P(doubling) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(doubling_desc) *d;
    lft_arena            measure = lft_arena_measure();
    lft_status           status;
    int                  count, orbits;
    layer->state = s;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    d = &s->desc;
    if (layer->desc) *d = *(const LFT_(doubling_desc) *)layer->desc;
    d->sines = d->sines == 0 ? 2 : d->sines < 0 ? 0 : d->sines;
    if (d->sines > 100) return lft_p_fail_got(error, LFT_ERR_ARG, name, "sines", "at most 100", d->sines);
    if (d->axis < 0 || d->axis >= LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, name, "axis", "0 to the dimensions - 1", d->axis);
    }
    layer->out = layer->in;
    layer->out.extent[d->axis] *= 2;
    status = LFT_P_SIGNED(lattice_init)(&layer->out, layer->out.extent, error);
    if (!status) status = LFT_P(free_target)(d->target, d->target, layer->out.extent, name, error);
    if (status) return status;
    d->mass2 = LFT_P(free_mass2)(d->mass2, d->target);
    LFT_P(gaussian_init)(&s->noise, &layer->in, d->axis, 0, arena);
    count        = s->noise.spectrum.count;
    orbits       = s->noise.spectrum.orbits;
    s->features  = 1 + 2 * d->sines;
    s->omega     = (lft_real *)lft_arena_alloc(arena, (size_t)d->sines, sizeof(lft_real));
    s->lambda    = (lft_real *)lft_arena_alloc(arena, (size_t)s->features * (size_t)count, sizeof(lft_real));
    s->node      = (double *)lft_arena_alloc(arena, 3 * (size_t)count, sizeof(double));
    s->log_sigma = lft_declare(set, name, "log_sigma", 1, orbits, 0, 0, 0);
    s->kernel    = lft_declare(set, name, "kernel", 2, s->features, orbits, 0, 0);
    s->frequency = lft_declare(set, name, "frequency", 1, d->sines, 0, 0, 0);
    (void)LFT_P(doubling_scratch)(s, &measure);
    layer->scratch_bytes  = measure.need;
    layer->tape_bytes     = 2 * (size_t)layer->in.volume * sizeof(lft_v); /* the coarse field and z */
    layer->gradient_count = (size_t)orbits + (size_t)s->features * (size_t)count + (size_t)d->sines;
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(doubling_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    const LFT_P(doubling)     *s  = (const LFT_P(doubling) *)layer->state;
    const LFT_(doubling_desc) *d  = &s->desc;
    const LFT_P(spectrum)     *sp = &s->noise.spectrum;
    const int                 *L = layer->out.extent, n = layer->in.extent[d->axis];
    double                    *filter = s->node, k[LFT_DIM], sine, cosine, one, other;
    int                        i, f;
    for (i = 0; i < d->sines; ++i) theta[s->frequency + (size_t)i] = 1 + i;
    for (i = 0; i < sp->count; ++i) {
        LFT_P(gaussian_momentum)(sp, i, k);
        one = LFT_P(free_variance)(L, d->target, d->mass2, k);
        k[d->axis] += n;
        other = LFT_P(free_variance)(L, d->target, d->mass2, k);
        theta[s->log_sigma + (size_t)sp->orbit[i]] = 0.5 * lft_p_f64_p_log(2 * one * other / (one + other));
        k[d->axis] -= n;
        if (2 * (int)k[d->axis] == n) { /* K_0 is a limit there, which s, being zero, does not see: near it */
            k[d->axis] -= 1e-4 * n;
            one = LFT_P(free_variance)(L, d->target, d->mass2, k);
            k[d->axis] += n;
            other = LFT_P(free_variance)(L, d->target, d->mass2, k);
            k[d->axis] -= n;
        }
        lft_p_f64_p_sincos(3.14159265358979323846 * k[d->axis] / n, &sine, &cosine);
        filter[sp->orbit[i]] = (one - other) / (one + other) / cosine;
    }
    LFT_P(spectrum_of_kernel)(sp, filter, filter, filter + sp->count); /* its own inverse, but for the volume */
    for (i = 0; i < sp->count; ++i) {
        const double far = 1 + LFT_P(spectrum_distance2)(sp, i);
        theta[s->kernel + (size_t)sp->orbit[i]] = filter[i] / layer->in.volume;
        for (f = 0; f < s->features; ++f) pace[s->kernel + (size_t)(f * sp->orbits + sp->orbit[i])] = 1 / far;
    }
}

LFT_P_STATIC void LFT_P(doubling_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(doubling)       *s  = (LFT_P(doubling) *)layer->state;
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    int                    f, i;
    LFT_P(gaussian_prepare)(&s->noise, theta + s->log_sigma);
    for (i = 0; i < s->desc.sines; ++i) s->omega[i] = (lft_real)theta[s->frequency + (size_t)i];
    for (f = 0; f < s->features; ++f) {
        LFT_P(spectrum_of_kernel)(sp, theta + s->kernel + (size_t)(f * sp->orbits), s->node, s->node + sp->count);
        for (i = 0; i < sp->count; ++i) s->lambda[f * sp->count + i] = (lft_real)s->node[i];
    }
}

/* ---- slices ------------------------------------------------------------------------------------------------------------ */

/* Sites of a slice that lie together in memory, and how many of such blocks the coarse lattice has; block b is of slice b mod n. */
typedef struct LFT_P(blocks) {
    int size, count, slices;
} LFT_P(blocks);

LFT_P_STATIC LFT_P(blocks) LFT_P(blocks_of)(const LFT_(layer) *layer)
{
    const int     axis = ((const LFT_P(doubling) *)layer->state)->desc.axis;
    LFT_P(blocks) b;
    int           mu;
    b.size   = 1;
    b.slices = layer->in.extent[axis];
    for (mu = axis + 1; mu < LFT_DIM; ++mu) b.size *= layer->in.extent[mu];
    b.count = layer->in.volume / b.size;
    return b;
}

/* The coarse field or the new one (odd = 1) of the lattice after the layer, and back. */
LFT_P_STATIC void LFT_P(doubling_take)(LFT_P(blocks) b, int odd, const lft_v *out, lft_v *part)
{
    int i;
    for (i = 0; i < b.count; ++i) {
        lft_p_copy(part + i * b.size, out + (2 * i + odd) * b.size, (size_t)b.size * sizeof(lft_v));
    }
}

LFT_P_STATIC void LFT_P(doubling_put)(LFT_P(blocks) b, int odd, const lft_v *part, lft_v *out)
{
    int i;
    for (i = 0; i < b.count; ++i) {
        lft_p_copy(out + (2 * i + odd) * b.size, part + i * b.size, (size_t)b.size * sizeof(lft_v));
    }
}

/* s = (phi_j + phi_{j+1}) / 2, and phi += its transpose of s. */
LFT_P_INLINE int LFT_P(next_block)(LFT_P(blocks) b, int i) { return (i + 1) % b.slices ? i + 1 : i + 1 - b.slices; }

LFT_P_STATIC void LFT_P(doubling_between)(LFT_P(blocks) b, const lft_v *phi, lft_v *s)
{
    const lft_real half = (lft_real)0.5;
    int            i, x;
    for (i = 0; i < b.count; ++i) {
        const lft_v *here = phi + i * b.size, *next = phi + LFT_P(next_block)(b, i) * b.size;
        for (x = 0; x < b.size; ++x) s[i * b.size + x] = half * (here[x] + next[x]);
    }
}

LFT_P_STATIC void LFT_P(doubling_between_back)(LFT_P(blocks) b, const lft_v *s, lft_v *phi)
{
    const lft_real half = (lft_real)0.5;
    int            i, x;
    for (i = 0; i < b.count; ++i) {
        lft_v *here = phi + i * b.size, *next = phi + LFT_P(next_block)(b, i) * b.size;
        for (x = 0; x < b.size; ++x) {
            const lft_v part = half * s[i * b.size + x];
            here[x] += part;
            next[x] += part;
        }
    }
}

/* ---- the conditional --------------------------------------------------------------------------------------------------- */

/* Feature f of s: itself, sines, cosines less 1. */
LFT_P_STATIC void LFT_P(doubling_feature)(const LFT_P(doubling) *p, int f, const lft_v *s, lft_v *to)
{
    const int volume = p->noise.spectrum.lattice.volume, sines = p->desc.sines;
    int       x;
    if (!f) {
        lft_p_copy(to, s, (size_t)volume * sizeof(lft_v));
        return;
    }
    for (x = 0; x < volume; ++x) {
        lft_v sine, cosine;
        LFT_P(sincos)(p->omega[(f - 1) % sines] * s[x], &sine, &cosine);
        if (f <= sines) to[x] = sine;
        else to[x] = cosine - 1;
    }
}

/* From the derivative by feature f that by s, onto ds; returns that by omega. */
LFT_P_STATIC double LFT_P(doubling_feature_back)(const LFT_P(doubling) *p, int f, const lft_v *s, const lft_v *d, lft_v *ds)
{
    const int volume = p->noise.spectrum.lattice.volume, sines = p->desc.sines;
    lft_real  omega;
    lft_v     sum = lft_splat(0);
    int       x;
    if (!f) {
        for (x = 0; x < volume; ++x) ds[x] += d[x];
        return 0;
    }
    omega = p->omega[(f - 1) % sines];
    for (x = 0; x < volume; ++x) {
        lft_v sine, cosine, slope = d[x];
        LFT_P(sincos)(omega * s[x], &sine, &cosine);
        if (f <= sines) slope *= cosine;
        else slope *= -sine;
        ds[x] += omega * slope;
        sum += s[x] * slope;
    }
    return LFT_P(sum_lanes)(sum);
}

/* m and w of w->s */
LFT_P_STATIC void LFT_P(doubling_conditional)(const LFT_P(doubling) *s, LFT_P(doubling_work) *w)
{
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    const int              volume = sp->lattice.volume;
    int                    f;
    LFT_P(set_zero)(w->m, volume);
    LFT_P(set_zero)(w->w, volume);
    for (f = 0; f < s->features; ++f) {
        LFT_P(doubling_feature)(s, f, w->s, w->hat);
        LFT_P(hartley_apply)(&s->noise.hartley, w->hat, w->panel);
        LFT_P(spectrum_add_product)(sp, s->lambda + f * sp->count, w->hat, f <= s->desc.sines ? w->m : w->w);
    }
    LFT_P(hartley_apply)(&s->noise.hartley, w->m, w->panel);
    if (s->desc.sines) LFT_P(hartley_apply)(&s->noise.hartley, w->w, w->panel);
}

/* From the derivatives dm, dw by m and w, which are lost, that by s of w->s; gradient of kernels and frequencies where not NULL. */
LFT_P_STATIC void LFT_P(doubling_conditional_back)(const LFT_P(doubling) *s, LFT_P(doubling_work) *w, lft_v *dm, lft_v *dw,
                                                   lft_v *ds, double *gradient)
{
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    const int              volume = sp->lattice.volume, sines = s->desc.sines, count = sp->count;
    int                    f, x;
    LFT_P(hartley_apply)(&s->noise.hartley, dm, w->panel);
    if (sines) LFT_P(hartley_apply)(&s->noise.hartley, dw, w->panel);
    LFT_P(set_zero)(ds, volume);
    for (f = 0; f < s->features; ++f) {
        const lft_v *d = f <= sines ? dm : dw;
        double       domega;
        if (gradient) {
            LFT_P(doubling_feature)(s, f, w->s, w->hat);
            LFT_P(hartley_apply)(&s->noise.hartley, w->hat, w->panel);
            LFT_P(set_zero)(w->dlambda, count);
            LFT_P(spectrum_dot)(sp, w->hat, d, w->dlambda);
            for (x = 0; x < count; ++x) gradient[sp->orbits + f * count + x] += LFT_P(sum_lanes)(w->dlambda[x]);
        }
        LFT_P(spectrum_product)(sp, s->lambda + f * count, d, w->hat);
        LFT_P(hartley_apply)(&s->noise.hartley, w->hat, w->panel);
        domega = LFT_P(doubling_feature_back)(s, f, w->s, w->hat, ds);
        if (gradient && f) gradient[sp->orbits + s->features * count + (f - 1) % sines] += domega;
    }
}

/* sum[lane] += sign sum_x w(x) */
LFT_P_STATIC void LFT_P(doubling_widths)(const lft_v *w, int volume, double sign, double *sum)
{
    double own[LFT_P_LANES];
    int    x, l, end;
    for (l = 0; l < LFT_P_LANES; ++l) own[l] = 0;
    for (x = 0; x < volume;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < volume ? x + LFT_P_CHUNK : volume; x < end; ++x) part += w[x];
        LFT_P(add_wide)(own, part);
    }
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] += sign * own[l];
}

/* ---- the table --------------------------------------------------------------------------------------------------------- */

/* The lattice after the layer out of the coarse field and w->z: logdet[lane] += sum w. s, m and w of *w are set. */
LFT_P_STATIC void LFT_P(doubling_place)(const LFT_(layer) *layer, LFT_P(doubling_work) *w, const lft_v *in, lft_v *out,
                                        double *logdet)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b = LFT_P(blocks_of)(layer);
    int                    x;
    LFT_P(doubling_between)(b, in, w->s);
    LFT_P(doubling_conditional)(s, w);
    LFT_P(doubling_widths)(w->w, layer->in.volume, 1, logdet);
    LFT_P(doubling_put)(b, 0, in, out);
    for (x = 0; x < layer->in.volume; ++x) w->field[x] = w->m[x] + LFT_P(exp)(w->w[x]) * w->z[x];
    LFT_P(doubling_put)(b, 1, w->field, out);
}

/* grad log q(x_in) becomes grad log q(x_out). With r = grad log q(z), z = exp(-w) (new - m): by new exp(-w) r, by m minus that,
 * by w -(r z + 1). */
LFT_P_STATIC void LFT_P(doubling_score)(const LFT_(layer) *layer, LFT_P(doubling_work) *w, lft_v *score)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b = LFT_P(blocks_of)(layer);
    const int              volume = layer->in.volume;
    double                 unused[LFT_P_LANES];
    int                    x;
    LFT_P(gaussian_logq)(&s->noise, w->z, unused, w->field, w->rest);
    for (x = 0; x < volume; ++x) {
        const lft_v r = w->field[x];
        w->m[x]     = -(LFT_P(exp)(-w->w[x]) * r);
        w->w[x]     = -(r * w->z[x]) - 1;
        w->field[x] = score[x]; /* of the coarse field, which will be spread out */
    }
    for (x = 0; x < volume; ++x) w->z[x] = -w->m[x];
    LFT_P(doubling_put)(b, 1, w->z, score);
    LFT_P(doubling_conditional_back)(s, w, w->m, w->w, w->z, NULL);
    LFT_P(doubling_between_back)(b, w->z, w->field);
    LFT_P(doubling_put)(b, 0, w->field, score);
}

LFT_P_STATIC lft_status LFT_P(doubling_check)(const lft_v *x, int volume, const double *logdet, lft_error *error)
{
    int failed = LFT_P(any_nonfinite)(x, volume), l;
    for (l = 0; l < LFT_P_LANES; ++l) failed |= !lft_finite(logdet[l]);
    if (!failed) return LFT_OK;
    return lft_p_fail(error, LFT_ERR_NONFINITE, "doubling", "field: expected finite numbers, got others");
}

LFT_P_STATIC lft_status LFT_P(doubling_draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out,
                                             double *logdet, lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    LFT_P(doubling_work)   w    = LFT_P(doubling_scratch)(s, &scratch);
    const size_t           part = (size_t)layer->in.volume;
    lft_v                 *kept = (lft_v *)tape;
    double                 logq[LFT_P_LANES];
    int                    l;
    LFT_P(gaussian_draw)(&s->noise, d, w.z, logq, w.rest);
    if (kept) lft_p_copy(kept, x_in, part * sizeof(lft_v));
    if (kept) lft_p_copy(kept + part, w.z, part * sizeof(lft_v));
    LFT_P(doubling_place)(layer, &w, LFT_P(const_view)(x_in), LFT_P(view)(x_out), logdet);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= logq[l];
    if (score) LFT_P(doubling_score)(layer, &w, LFT_P(view)(score));
    return LFT_P(doubling_check)(LFT_P(const_view)(x_out), layer->out.volume, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(doubling_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                                lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b = LFT_P(blocks_of)(layer);
    LFT_P(doubling_work)   w = LFT_P(doubling_scratch)(s, &scratch);
    double                 logq[LFT_P_LANES];
    int                    x, l;
    LFT_P(doubling_take)(b, 1, LFT_P(const_view)(x_out), w.z);
    LFT_P(doubling_take)(b, 0, LFT_P(const_view)(x_out), w.field);
    lft_p_copy(x_in, w.field, (size_t)layer->in.volume * sizeof(lft_v));
    LFT_P(doubling_between)(b, w.field, w.s);
    LFT_P(doubling_conditional)(s, &w);
    for (x = 0; x < layer->in.volume; ++x) w.z[x] = LFT_P(exp)(-w.w[x]) * (w.z[x] - w.m[x]);
    LFT_P(gaussian_logq)(&s->noise, w.z, logq, NULL, w.rest);
    LFT_P(doubling_widths)(w.w, layer->in.volume, -1, logdet);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] += logq[l];
    return LFT_P(doubling_check)(w.z, layer->in.volume, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(doubling_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                                 double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s  = (const LFT_P(doubling) *)layer->state;
    const LFT_P(blocks)    b  = LFT_P(blocks_of)(layer);
    LFT_P(doubling_work)   w  = LFT_P(doubling_scratch)(s, &scratch);
    const lft_v           *in = (const lft_v *)tape, *z = in + layer->in.volume;
    lft_v                 *dx = LFT_P(view)(dx_);
    const lft_v            dwidth = LFT_P(from_wide)(dlogdet);
    double                 dlogq[LFT_P_LANES];
    int                    x, l;
    (void)error;
    LFT_P(doubling_between)(b, in, w.s);
    LFT_P(doubling_conditional)(s, &w);
    LFT_P(doubling_take)(b, 1, dx, w.m); /* by new, and by m */
    LFT_P(doubling_take)(b, 0, dx, w.field);
    lft_p_copy(dx, w.field, (size_t)layer->in.volume * sizeof(lft_v));
    for (x = 0; x < layer->in.volume; ++x) {
        w.field[x] = LFT_P(exp)(w.w[x]) * w.m[x]; /* by z */
        w.w[x]     = w.field[x] * z[x] + dwidth;
    }
    for (l = 0; l < LFT_P_LANES; ++l) dlogq[l] = -dlogdet[l];
    if (gradient) LFT_P(gaussian_backward)(&s->noise, z, w.field, dlogq, gradient, w.rest);
    LFT_P(doubling_conditional_back)(s, &w, w.m, w.w, w.z, gradient);
    LFT_P(doubling_between_back)(b, w.z, dx);
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(doubling_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    const LFT_P(doubling) *s  = (const LFT_P(doubling) *)layer->state;
    const LFT_P(spectrum) *sp = &s->noise.spectrum;
    const double          *lambda = gradient + sp->orbits, *omega = lambda + s->features * sp->count;
    int                    i, f;
    for (i = 0; i < sp->orbits; ++i) dtheta[s->log_sigma + (size_t)i] += gradient[i];
    for (f = 0; f < s->features; ++f) {
        LFT_P(spectrum_of_kernel_backward)(sp, lambda + f * sp->count, dtheta + s->kernel + (size_t)(f * sp->orbits), s->node);
    }
    for (i = 0; i < s->desc.sines; ++i) dtheta[s->frequency + (size_t)i] += omega[i];
}

/* Kernels are padded with zeros (or folded), sigma is interpolated between momenta. */
LFT_P_STATIC void LFT_P(doubling_transfer)(const LFT_(layer) *layer, double *theta, const LFT_(layer) *from, const double *source)
{
    const LFT_P(doubling) *s = (const LFT_P(doubling) *)layer->state, *other = (const LFT_P(doubling) *)from->state;
    const size_t           orbits = (size_t)s->noise.spectrum.orbits, others = (size_t)other->noise.spectrum.orbits;
    size_t                 f;
    LFT_P(gaussian_transfer)(&s->noise, theta + s->log_sigma, &other->noise, source + other->log_sigma);
    for (f = 0; f < (size_t)s->features; ++f) {
        LFT_P(spectrum_transfer)(&s->noise.spectrum, theta + s->kernel + f * orbits, &other->noise.spectrum,
                                 source + other->kernel + f * others);
    }
    lft_p_copy(theta + s->frequency, source + other->frequency, (size_t)s->desc.sines * sizeof(double));
}

/* axis, sines: the free field is but the start. */
LFT_P_STATIC int LFT_P(doubling_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(doubling_desc) *d = &((const LFT_P(doubling) *)layer->state)->desc;
    number[0] = d->axis, number[1] = d->sines;
    return 2;
}

LFT_P_STATIC lft_status LFT_P(doubling_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(doubling_desc) *d = (LFT_(doubling_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    *desc = d;
    if (n < 2) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "numbers of a doubling layer", "2", n);
    if (!d) return lft_arena_check(arena, error, "model");
    if (number[0] < 0 || number[0] >= LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "axis of a doubling layer", "0 to the dimensions - 1",
                              (double)number[0]);
    }
    if (number[1] < 0 || number[1] > 100) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "sines of a doubling layer", "0 to 100", (double)number[1]);
    }
    d->axis  = (int)number[0];
    d->sines = number[1] ? (int)number[1] : -1;
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(doubling)(void)
{
    static const LFT_(layer_ops) ops = {"doubling",
                                        LFT_P(doubling_init),
                                        LFT_P(doubling_start),
                                        LFT_P(doubling_prepare),
                                        NULL,
                                        LFT_P(doubling_inverse),
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(doubling_backward) : NULL,
                                        LFT_UPTO >= LFT_TRAIN ? LFT_P(doubling_collect) : NULL,
                                        NULL,
                                        LFT_P(doubling_transfer),
                                        LFT_P(doubling_spec),
                                        LFT_P(doubling_read),
                                        LFT_P(doubling_draw)};
    return &ops;
}

#else

/* ---- 74_circle.h, code ------------------------------------------------------------------------------------------- */

#define LFT_P_POINTS    512
#define LFT_P_HARMONICS 64

typedef struct LFT_P(circle) {
    LFT_(circle_desc) desc; /* defaults filled in */
    double           *c;    /* [harmonics] */
    double           *wave; /* [points]: cos of point number i; room for 512 */
    size_t            params;
    int               points; /* 0: 512 would not be enough */
} LFT_P(circle);

/* One new link: where it is and the density that it has there, lane by lane. */
typedef struct LFT_P(circle_work) {
    int     link, side[6];      /* side: the others of its plaquettes, three of a and three of b */
    double *even, *odd, *gamma; /* [harmonics][lanes]: 2 cos k h, its derivative by h, and the former times c_k; h = P/2 */
    double *point;              /* [points / 2 + 1][lanes]: exp at the points */
    double *a;                  /* [points / 2 + harmonics][lanes]: a_n, a_0 = 1, 0 from points / 2 on */
    double  phase[LFT_P_LANES], h[LFT_P_LANES], x[LFT_P_LANES]; /* phase: a */
    double  logf[LFT_P_LANES], logf_x[LFT_P_LANES], logf_h[LFT_P_LANES], F_h[LFT_P_LANES], logz[LFT_P_LANES];
} LFT_P(circle_work);

static const int LFT_P(circle_sign)[6] = {1, -1, -1, 1, 1, -1};

/* ---- init ------------------------------------------------------------------------------------------------------------ */

LFT_P_STATIC LFT_P(circle_work) LFT_P(circle_scratch)(const LFT_P(circle) *s, lft_arena *arena)
{
    const size_t         harmonics = (size_t)s->desc.harmonics * LFT_P_LANES;
    LFT_P(circle_work)   w;
    lft_p_zero(&w, sizeof w);
    w.even  = (double *)lft_arena_alloc(arena, harmonics, sizeof(double));
    w.odd   = (double *)lft_arena_alloc(arena, harmonics, sizeof(double));
    w.gamma = (double *)lft_arena_alloc(arena, harmonics, sizeof(double));
    w.point = (double *)lft_arena_alloc(arena, (LFT_P_POINTS / 2 + 1) * LFT_P_LANES, sizeof(double));
    w.a     = (double *)lft_arena_alloc(arena, LFT_P_POINTS / 2 * LFT_P_LANES + harmonics, sizeof(double));
    return w;
}

LFT_P_STATIC lft_status LFT_P(circle_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                           lft_error *error)
{
    LFT_P(circle)     *s = (LFT_P(circle) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(circle_desc) *d;
    lft_arena          measure = lft_arena_measure();
    layer->state = s;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    d = &s->desc;
    if (layer->desc) lft_p_copy(d, layer->desc, sizeof *d);
    if (!d->harmonics) d->harmonics = 12;
    if (LFT_DIM != 2 || LFT_P_COLOURS != 1) return lft_p_fail(error, LFT_ERR_ARG, "circle", "expected U(1) in two dimensions");
    if (d->doubled < 1 || d->doubled > LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "doubled", "an axis + 1", d->doubled);
    }
    if (layer->in.extent[d->doubled - 1] % 2) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "extent", "an even one of the doubled axis",
                              layer->in.extent[d->doubled - 1]);
    }
    if (d->harmonics < 1 || d->harmonics > LFT_P_HARMONICS) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "harmonics", "1 to 64", d->harmonics);
    }
    if (!lft_finite(d->beta)) return lft_p_fail_got(error, LFT_ERR_ARG, "circle", "beta", "a finite number", d->beta);
    s->c                  = (double *)lft_arena_alloc(arena, (size_t)d->harmonics, sizeof(double));
    s->wave               = (double *)lft_arena_alloc(arena, LFT_P_POINTS, sizeof(double));
    layer->out            = layer->in;
    layer->params         = set->count;
    s->params             = lft_declare(set, name, "harmonics", 1, d->harmonics, 0, 0, 0);
    layer->tape_bytes     = LFT_P(field_vectors)(&layer->in) * sizeof(lft_v);
    layer->gradient_count = (size_t)d->harmonics * LFT_P_LANES;
    layer->per_lane       = 1;
    (void)LFT_P(circle_scratch)(s, &measure);
    layer->scratch_bytes = measure.need;
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(circle_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    const LFT_P(circle) *s = (const LFT_P(circle) *)layer->state;
    (void)pace;
    theta[s->params] = s->desc.beta;
}

LFT_API void LFT_(circle_scale)(const LFT_(layer) *layer, double *value, double ratio)
{
    const LFT_P(circle) *s = (const LFT_P(circle) *)layer->state;
    int                  k;
    for (k = 0; k < s->desc.harmonics; ++k) value[s->params + (size_t)k] *= ratio;
}

LFT_P_STATIC void LFT_P(circle_waves)(LFT_P(circle) *s, int points)
{
    double sine;
    int    i;
    s->points = points;
    for (i = 0; i < points; ++i) lft_p_f64_p_sincos(2 * 3.14159265358979323846 * i / points, &sine, s->wave + i);
}

/* Whether f of a coarse plaquette, P = 2 h, has no harmonics from points / 2 on. */
LFT_P_STATIC int LFT_P(circle_resolved)(const LFT_P(circle) *s, double h)
{
    const int half = s->points / 2, K = s->desc.harmonics;
    double    point[LFT_P_POINTS / 2 + 1], gamma[LFT_P_HARMONICS], sine, cosine, most = 0, mean = 0;
    int       j, k, n;
    for (k = 0; k < K; ++k) {
        lft_p_f64_p_sincos((k + 1) * h, &sine, &cosine);
        gamma[k] = 2 * s->c[k] * cosine;
    }
    for (j = 0; j <= half; ++j) {
        for (point[j] = 0, k = 0; k < K; ++k) point[j] += gamma[k] * s->wave[(k + 1) * j % s->points];
        if (!j || point[j] > most) most = point[j];
    }
    for (j = 0; j <= half; ++j) {
        point[j] = lft_p_f64_p_exp(point[j] - most) * (j % half ? 2 : 1);
        mean += point[j];
    }
    if (!lft_finite(mean)) return 0;
    for (n = half - 4; n < half; ++n) {
        double a = 0;
        for (j = 0; j <= half; ++j) a += point[j] * s->wave[n * j % s->points];
        if (!(a * a < 1e-26 * mean * mean)) return 0;
    }
    return 1;
}

LFT_P_STATIC void LFT_P(circle_prepare)(LFT_(layer) *layer, const double *theta)
{
    LFT_P(circle) *s = (LFT_P(circle) *)layer->state;
    int            points, i;
    lft_p_copy(s->c, theta + s->params, (size_t)s->desc.harmonics * sizeof(double));
    for (points = 32; points <= LFT_P_POINTS; points += points / 2 > 64 ? 64 : points / 2) {
        LFT_P(circle_waves)(s, points);
        for (i = 0; i <= 8 && LFT_P(circle_resolved)(s, i * 3.14159265358979323846 / 16); ++i) {}
        if (i > 8) return;
    }
    s->points = 0;
}

/* ---- the density of a link --------------------------------------------------------------------------------------------- */

/* number[lane] of a field */
LFT_P_INLINE double LFT_P(lane_of)(const lft_v *field, int i, int l)
{
    return (double)((const lft_real *)(const void *)(field + i * LFT_P_LINK))[l];
}

/* x in [-pi, pi] but for a multiple of 2 pi */
LFT_P_INLINE double LFT_P(wrap_wide)(double x)
{
    const double turns = x / (2 * 3.14159265358979323846);
    if (!(turns < 1e9 && -turns < 1e9)) return x;
    return x - 2 * 3.14159265358979323846 * (double)(int64_t)(turns < 0 ? turns - 0.5 : turns + 0.5);
}

/* The link across the axis at p: its plaquettes and their density. */
LFT_P_STATIC void LFT_P(circle_density)(const LFT_P(circle) *s, const LFT_P(walk) *walk, const LFT_P(place) *p, const lft_v *links,
                                        LFT_P(circle_work) *w)
{
    const int    mu = s->desc.doubled - 1, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0, half = s->points / 2, K = s->desc.harmonics;
    LFT_P(place) before = *p, behind = *p, above = *p, corner;
    double       most[LFT_P_LANES], sum[LFT_P_LANES];
    int          i, j, k, n, l;
    LFT_P(down)(walk->lattice, walk->stride, &before, mu);
    LFT_P(up)(walk->lattice, walk->stride, &behind, mu);
    LFT_P(up)(walk->lattice, walk->stride, &above, nu);
    corner = above;
    LFT_P(down)(walk->lattice, walk->stride, &corner, mu);
    w->link    = p->site * LFT_DIM + nu;
    w->side[0] = before.site * LFT_DIM + mu, w->side[1] = before.site * LFT_DIM + nu, w->side[2] = corner.site * LFT_DIM + mu;
    w->side[3] = p->site * LFT_DIM + mu, w->side[4] = behind.site * LFT_DIM + nu, w->side[5] = above.site * LFT_DIM + mu;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double phase[2] = {0, 0}, sine, cosine, s0 = 0, c0 = 1;
        for (i = 0; i < 6; ++i) phase[i / 3] += LFT_P(circle_sign)[i] * LFT_P(lane_of)(links, w->side[i], l);
        w->phase[l] = phase[0];
        w->h[l]     = 0.5 * LFT_P(wrap_wide)(phase[0] + phase[1]);
        lft_p_f64_p_sincos(w->h[l], &sine, &cosine);
        for (k = 0; k < K; ++k) {
            const double turned = c0 * cosine - s0 * sine;
            s0 = s0 * cosine + c0 * sine, c0 = turned;
            w->even[k * LFT_P_LANES + l]  = 2 * c0;
            w->odd[k * LFT_P_LANES + l]   = -2 * (k + 1) * s0;
            w->gamma[k * LFT_P_LANES + l] = 2 * c0 * s->c[k];
        }
        most[l] = -1e300, sum[l] = 0;
    }
    for (j = 0; j <= half; ++j) {
        double *LFT_P_RESTRICT to = w->point + j * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) to[l] = 0;
        for (k = 0; k < K; ++k) {
            const double  wave = s->wave[(k + 1) * j % s->points];
            const double *from = w->gamma + k * LFT_P_LANES;
            for (l = 0; l < LFT_P_LANES; ++l) to[l] += wave * from[l];
        }
        for (l = 0; l < LFT_P_LANES; ++l) most[l] = to[l] > most[l] ? to[l] : most[l];
    }
    for (j = 0; j <= half; ++j) {
        double *to = w->point + j * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) {
            to[l] = lft_p_f64_p_exp(to[l] - most[l]) * (j % half ? 2 : 1);
            sum[l] += to[l];
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) w->a[l] = 1, w->logz[l] = most[l] + lft_p_f64_p_log(sum[l] / s->points);
    for (n = 1; n < half; ++n) {
        double *LFT_P_RESTRICT to = w->a + n * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) to[l] = 0;
        for (j = 0; j <= half; ++j) {
            const double  wave = s->wave[n * j % s->points];
            const double *from = w->point + j * LFT_P_LANES;
            for (l = 0; l < LFT_P_LANES; ++l) to[l] += wave * from[l];
        }
        for (l = 0; l < LFT_P_LANES; ++l) to[l] /= sum[l];
    }
    for (n = half * LFT_P_LANES; n < (half + s->desc.harmonics) * LFT_P_LANES; ++n) w->a[n] = 0;
}

/* F = x + sum (2/n) a_n sin n x and its derivative f. */
LFT_P_STATIC void LFT_P(circle_map)(const LFT_P(circle) *s, const LFT_P(circle_work) *w, const double *x, double *F, double *f)
{
    double sine[LFT_P_LANES], cosine[LFT_P_LANES], sn[LFT_P_LANES], cn[LFT_P_LANES];
    int    n, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        lft_p_f64_p_sincos(x[l], sine + l, cosine + l);
        sn[l] = 0, cn[l] = 1, F[l] = x[l], f[l] = 1;
    }
    for (n = 1; n < s->points / 2; ++n) {
        const double *a = w->a + n * LFT_P_LANES, share = 2.0 / n;
        for (l = 0; l < LFT_P_LANES; ++l) {
            const double turned = cn[l] * cosine[l] - sn[l] * sine[l];
            sn[l] = sn[l] * cosine[l] + cn[l] * sine[l], cn[l] = turned;
            F[l] += share * a[l] * sn[l];
            f[l] += 2 * a[l] * turned;
        }
    }
}

/* w->x with F(x) = v, both odd: Newton's method between bounds that close. */
LFT_P_STATIC void LFT_P(circle_solve)(const LFT_P(circle) *s, LFT_P(circle_work) *w, const double *v)
{
    const double pi = 3.14159265358979323846;
    double       low[LFT_P_LANES], high[LFT_P_LANES], F[LFT_P_LANES], f[LFT_P_LANES], goal[LFT_P_LANES];
    int          i, l, done[LFT_P_LANES], open = 1;
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double to = LFT_P(wrap_wide)(v[l]);
        low[l] = 0, high[l] = pi, w->x[l] = goal[l] = to < 0 ? -to : to, done[l] = 0;
    }
    for (i = 0; i < 60 && open; ++i) {
        LFT_P(circle_map)(s, w, w->x, F, f);
        for (open = 0, l = 0; l < LFT_P_LANES; ++l) {
            const double x = w->x[l], newton = x - (F[l] - goal[l]) / f[l];
            double       next;
            low[l]  = F[l] < goal[l] ? x : low[l];
            high[l] = F[l] < goal[l] ? high[l] : x;
            next    = newton >= low[l] && newton <= high[l] ? newton : 0.5 * (low[l] + high[l]);
            w->x[l] = done[l] ? x : next;
            done[l] |= next - x < 1e-9 && x - next < 1e-9; /* the step after that would be of 1e-16 */
            open |= !done[l];
        }
    }
    for (l = 0; l < LFT_P_LANES; ++l) w->x[l] = LFT_P(wrap_wide)(v[l]) < 0 ? -w->x[l] : w->x[l];
}

/* x of the link as it is in a field, and log f there. */
LFT_P_STATIC void LFT_P(circle_at)(const LFT_P(circle) *s, const lft_v *links, LFT_P(circle_work) *w)
{
    int k, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double sine, cosine, sn = 0, cn = 1, turned;
        w->x[l] = LFT_P(wrap_wide)(LFT_P(lane_of)(links, w->link, l) + w->phase[l] - w->h[l]);
        lft_p_f64_p_sincos(w->x[l], &sine, &cosine);
        w->logf[l] = -w->logz[l], w->logf_x[l] = w->logf_h[l] = 0;
        for (k = 0; k < s->desc.harmonics; ++k) {
            const int at = k * LFT_P_LANES + l;
            turned = cn * cosine - sn * sine;
            sn = sn * cosine + cn * sine, cn = turned;
            w->logf[l] += w->gamma[at] * cn;
            w->logf_x[l] -= (k + 1) * w->gamma[at] * sn;
            w->logf_h[l] += s->c[k] * w->odd[at] * (cn - w->a[at + LFT_P_LANES]);
        }
    }
}

/* D[lane] = the integral of f (cos k x - a_k) from 0 to x: F changes by it with gamma_k. */
LFT_P_STATIC void LFT_P(circle_integral)(const LFT_P(circle) *s, const LFT_P(circle_work) *w, const double *sines, int k, double *D)
{
    const double *ak = w->a + k * LFT_P_LANES;
    int           n, l;
    for (l = 0; l < LFT_P_LANES; ++l) D[l] = 0;
    for (n = 1; n < s->points / 2; ++n) {
        const int     away = (n - k) * (n > k) + (k - n) * (n < k); /* no branch: gcc 12 -O3 splits such a loop wrongly */
        const double *an = w->a + n * LFT_P_LANES, *sine = sines + n * LFT_P_LANES;
        const double *less = w->a + away * LFT_P_LANES, *more = an + k * LFT_P_LANES;
        for (l = 0; l < LFT_P_LANES; ++l) D[l] += sine[l] * (0.5 * (less[l] + more[l]) - ak[l] * an[l]);
    }
}

/* F_h, and where cot_v is not NULL gradient[k][lane] -= cot_v F_c + kappa d log f / d c_k. The points are lost. */
LFT_P_STATIC void LFT_P(circle_slopes)(const LFT_P(circle) *s, LFT_P(circle_work) *w, const double *cot_v, const double *kappa,
                                       double *gradient)
{
    double D[LFT_P_LANES], *sines = w->point;
    int    k, n, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double sine, cosine, sn = 0, cn = 1, turned;
        lft_p_f64_p_sincos(w->x[l], &sine, &cosine);
        for (n = 1; n < s->points / 2; ++n) {
            turned = cn * cosine - sn * sine;
            sn = sn * cosine + cn * sine, cn = turned;
            sines[n * LFT_P_LANES + l] = 2.0 / n * sn;
        }
        w->F_h[l] = 0;
    }
    for (k = 1; k <= s->desc.harmonics; ++k) {
        const double *even = w->even + (k - 1) * LFT_P_LANES, *odd = w->odd + (k - 1) * LFT_P_LANES;
        LFT_P(circle_integral)(s, w, sines, k, D);
        for (l = 0; l < LFT_P_LANES; ++l) w->F_h[l] += s->c[k - 1] * odd[l] * D[l];
        for (l = 0; cot_v && l < LFT_P_LANES; ++l) {
            double sine, cosine;
            lft_p_f64_p_sincos(k * w->x[l], &sine, &cosine);
            gradient[(k - 1) * LFT_P_LANES + l] -=
                even[l] * (cot_v[l] * D[l] + kappa[l] * (cosine - w->a[k * LFT_P_LANES + l]));
        }
    }
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

LFT_P_INLINE int LFT_P(circle_moves)(const LFT_P(circle) *s, const LFT_P(place) *p) { return p->x[s->desc.doubled - 1] % 2; }

/* number of an algebra element += share[lane] */
LFT_P_INLINE void LFT_P(circle_add)(lft_v *force, int link, double sign, const double *share)
{
    double sum[LFT_P_LANES];
    int    l;
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] = sign * share[l];
    force[link * LFT_P_ALGEBRA] += LFT_P(from_wide)(sum);
}

LFT_P_STATIC lft_status LFT_P(circle_check)(const LFT_P(circle) *s, const double *logdet, lft_error *error)
{
    int l, bad = 0;
    for (l = 0; l < LFT_P_LANES; ++l) bad |= !lft_finite(logdet[l]);
    if (!s->points) return lft_p_fail(error, LFT_ERR_NONFINITE, "circle", "expected densities that 512 points of a circle resolve");
    return bad ? lft_p_fail(error, LFT_ERR_NONFINITE, "circle", "a link that is not finite") : LFT_OK;
}

/* The score of a link's density: score_in times d theta_in, and d log f, by all links. */
LFT_P_STATIC void LFT_P(circle_score)(const LFT_P(circle) *s, LFT_P(circle_work) *w, lft_v *score)
{
    double own[LFT_P_LANES], before[LFT_P_LANES], behind[LFT_P_LANES];
    int    i, l;
    LFT_P(circle_slopes)(s, w, NULL, NULL, NULL);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double in = (double)((const lft_real *)(const void *)(score + w->link * LFT_P_ALGEBRA))[l];
        const double f = lft_p_f64_p_exp(w->logf[l]), turn = 0.5 * (in * (w->F_h[l] + 1) + w->logf_h[l]);
        own[l]    = in * (f - 1) + w->logf_x[l];
        before[l] = turn - in + 0.5 * (in * f + w->logf_x[l]);
        behind[l] = turn - 0.5 * (in * f + w->logf_x[l]);
    }
    LFT_P(circle_add)(score, w->link, 1, own);
    for (i = 0; i < 6; ++i) LFT_P(circle_add)(score, w->side[i], LFT_P(circle_sign)[i], i < 3 ? before : behind);
}

LFT_P_STATIC lft_status LFT_P(circle_forward)(const LFT_(layer) *layer, const lft_real *x_in, lft_real *x_out, double *logdet,
                                              lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(circle) *s     = (const LFT_P(circle) *)layer->state;
    const LFT_P(walk)    walk  = LFT_P(walk_of)(&layer->in);
    const size_t         bytes = LFT_P(field_vectors)(&layer->in) * sizeof(lft_v);
    LFT_P(circle_work)   w     = LFT_P(circle_scratch)(s, &scratch);
    LFT_P(place)         p     = LFT_P(first_place)();
    lft_v               *links = LFT_P(view)(x_out);
    double               v[LFT_P_LANES];
    int                  y, l;
    if (x_out != x_in) lft_p_copy(x_out, x_in, bytes);
    for (y = 0; y < layer->in.volume && s->points; ++y, LFT_P(next_place)(&layer->in, &p)) {
        if (!LFT_P(circle_moves)(s, &p)) continue;
        LFT_P(circle_density)(s, &walk, &p, links, &w);
        for (l = 0; l < LFT_P_LANES; ++l) v[l] = LFT_P(lane_of)(links, w.link, l) + w.phase[l] - w.h[l];
        LFT_P(circle_solve)(s, &w, v);
        for (l = 0; l < LFT_P_LANES; ++l) v[l] = LFT_P(wrap_wide)(w.x[l] + w.h[l] - w.phase[l]);
        links[w.link * LFT_P_LINK] = LFT_P(from_wide)(v);
        LFT_P(circle_at)(s, links, &w);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] -= w.logf[l];
        if (score) LFT_P(circle_score)(s, &w, LFT_P(view)(score));
    }
    if (tape) lft_p_copy(tape, x_out, bytes);
    return LFT_P(circle_check)(s, logdet, error);
}

LFT_P_STATIC lft_status LFT_P(circle_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                              lft_arena scratch, lft_error *error)
{
    const LFT_P(circle) *s     = (const LFT_P(circle) *)layer->state;
    const LFT_P(walk)    walk  = LFT_P(walk_of)(&layer->in);
    LFT_P(circle_work)   w     = LFT_P(circle_scratch)(s, &scratch);
    LFT_P(place)         p     = LFT_P(first_place)();
    lft_v               *links = LFT_P(view)(x_in);
    double               F[LFT_P_LANES], f[LFT_P_LANES];
    int                  y, l;
    if (x_in != x_out) lft_p_copy(x_in, x_out, LFT_P(field_vectors)(&layer->in) * sizeof(lft_v));
    for (y = 0; y < layer->in.volume && s->points; ++y, LFT_P(next_place)(&layer->in, &p)) {
        if (!LFT_P(circle_moves)(s, &p)) continue;
        LFT_P(circle_density)(s, &walk, &p, links, &w);
        LFT_P(circle_at)(s, links, &w);
        LFT_P(circle_map)(s, &w, w.x, F, f);
        for (l = 0; l < LFT_P_LANES; ++l) {
            logdet[l] += w.logf[l];
            F[l] = LFT_P(wrap_wide)(F[l] + w.h[l] - w.phase[l]);
        }
        links[w.link * LFT_P_LINK] = LFT_P(from_wide)(F);
    }
    return LFT_P(circle_check)(s, logdet, error);
}

/* From x(v, h, c) with v = w_in - h: dx = (dv - F_h dh - F_c dc) / f. */
LFT_P_STATIC lft_status LFT_P(circle_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                               double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(circle) *s     = (const LFT_P(circle) *)layer->state;
    const LFT_P(walk)    walk  = LFT_P(walk_of)(&layer->in);
    const lft_v         *links = (const lft_v *)tape;
    LFT_P(circle_work)   w     = LFT_P(circle_scratch)(s, &scratch);
    LFT_P(place)         p     = LFT_P(first_place)();
    lft_v               *dx    = LFT_P(view)(dx_);
    double               cot_v[LFT_P_LANES], own[LFT_P_LANES], before[LFT_P_LANES], behind[LFT_P_LANES];
    int                  y, i, l;
    (void)error;
    for (y = 0; y < layer->in.volume; ++y, LFT_P(next_place)(&layer->in, &p)) {
        if (!LFT_P(circle_moves)(s, &p)) continue;
        LFT_P(circle_density)(s, &walk, &p, links, &w);
        LFT_P(circle_at)(s, links, &w);
        for (l = 0; l < LFT_P_LANES; ++l) {
            own[l]   = (double)((const lft_real *)(const void *)(dx + w.link * LFT_P_ALGEBRA))[l];
            cot_v[l] = (own[l] - dlogdet[l] * w.logf_x[l]) * lft_p_f64_p_exp(-w.logf[l]);
        }
        LFT_P(circle_slopes)(s, &w, gradient ? cot_v : NULL, dlogdet, gradient);
        for (l = 0; l < LFT_P_LANES; ++l) {
            behind[l] = 0.5 * (own[l] - dlogdet[l] * w.logf_h[l] - cot_v[l] * (w.F_h[l] + 1));
            before[l] = behind[l] + cot_v[l] - own[l];
            own[l]    = cot_v[l] - own[l];
        }
        LFT_P(circle_add)(dx, w.link, 1, own);
        for (i = 0; i < 6; ++i) LFT_P(circle_add)(dx, w.side[i], LFT_P(circle_sign)[i], i < 3 ? before : behind);
    }
    return LFT_OK;
}

/* The own form has one gradient per lane. */
LFT_P_STATIC void LFT_P(circle_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    const LFT_P(circle) *s = (const LFT_P(circle) *)layer->state;
    int                  i, l;
    for (i = 0; i < s->desc.harmonics; ++i) {
        for (l = 0; l < LFT_P_LANES; ++l) dtheta[s->params + (size_t)i] += gradient[i * LFT_P_LANES + l];
    }
}

/* doubled, harmonics */
LFT_P_STATIC int LFT_P(circle_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(circle_desc) *d = &((const LFT_P(circle) *)layer->state)->desc;
    number[0] = d->doubled, number[1] = d->harmonics;
    return 2;
}

LFT_P_STATIC lft_status LFT_P(circle_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(circle_desc) *d = (LFT_(circle_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int                i;
    if (n < 2) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "numbers of a circle layer", "2", n);
    *desc = d;
    if (!d) return lft_arena_check(arena, error, "model");
    lft_p_zero(d, sizeof *d);
    for (i = 0; i < 2; ++i) {
        if (number[i] >= 1 && number[i] <= LFT_P_HARMONICS) continue;
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a number of a circle layer", "1 to 64", (double)number[i]);
    }
    d->doubled = (int)number[0], d->harmonics = (int)number[1];
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(circle)(void)
{
    static const LFT_(layer_ops) ops = {
        "circle",
        LFT_P(circle_init),
        LFT_P(circle_start),
        LFT_P(circle_prepare),
        LFT_P(circle_forward),
        LFT_P(circle_inverse),
        LFT_UPTO >= LFT_TRAIN ? LFT_P(circle_backward) : NULL,
        LFT_P(circle_collect),
        NULL,
        NULL,
        LFT_P(circle_spec),
        LFT_P(circle_read),
        NULL,
    };
    return &ops;
}

#undef LFT_P_POINTS
#undef LFT_P_HARMONICS

/* ---- 74_doubling.h, code ----------------------------------------------------------------------------------------- */

#define LFT_P_PAIRS 8 /* of uniform numbers for a link and attempt, at most */
#define LFT_P_AREAS 4 /* distinct areas: two lengths along each axis, at most */

typedef struct LFT_P(doubling) {
    LFT_(doubling_desc)  desc; /* defaults filled in */
    LFT_P(characters)    characters;
    LFT_P(kernel)       *fine, *coarse; /* [LFT_P_AREAS] */
    int                  fines, coarses;
    double               constant; /* the torus: -log sum_r u_r^V */
    char                 name[24];
} LFT_P(doubling);

/* ---- areas ---------------------------------------------------------------------------------------------------------- */

/* The first of L sites that site i of n stands for. */
LFT_P_INLINE int LFT_P(site_from)(int i, int n, int L) { return (int)((int64_t)i * L / n); }
LFT_P_INLINE int LFT_P(site_length)(int i, int n, int L)
{
    return LFT_P(site_from)(i + 1, n, L) - LFT_P(site_from)(i, n, L);
}

/* The slice of n that slice j of extent comes from. */
LFT_P_INLINE int LFT_P(slice_of)(int j, int n, int extent) { return (int)((((int64_t)j + 1) * n - 1) / extent); }

LFT_P_STATIC const LFT_P(kernel) *LFT_P(kernel_of)(const LFT_P(kernel) *k, int n, int area)
{
    int i;
    for (i = 0; i + 1 < n && k[i].area != area; ++i) {}
    return k + i;
}

/* Notes an area that occurs, and whether it is drawn from. */
LFT_P_STATIC void LFT_P(note_area)(int *area, int *draws, int *n, int one, int drawn)
{
    int i;
    for (i = 0; i < *n && area[i] != one; ++i) {}
    if (i == LFT_P_AREAS) return; /* lengths of an axis differ by one */
    if (i == *n) area[i] = one, draws[i] = 0, *n += 1;
    draws[i] = draws[i] || drawn;
}

LFT_P_STATIC lft_status LFT_P(kernels_check)(const LFT_P(kernel) *k, int n, double beta, const char *where, lft_error *error)
{
    int i;
    for (i = 0; k && i < n; ++i) {
        if (k[i].area == 1 || !k[i].terms || k[i].least * 4e9 > k[i].most) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "beta", "one at which kappa keeps 1e-6 of its smallest value", beta);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(exact_check)(double beta, const char *where, lft_error *error)
{
    if (LFT_DIM != 2) return lft_p_fail_got(error, LFT_ERR_ARG, where, "dimensions of exact weights", "2", LFT_DIM);
    if (!lft_finite(beta) || beta < 0 || beta > 100) return lft_p_fail_got(error, LFT_ERR_ARG, where, "beta", "0 to 100", beta);
    return LFT_OK;
}

/* Kernels of all areas; over a measuring arena, their memory. */
LFT_P_STATIC LFT_P(kernel) *LFT_P(kernels_of)(const LFT_P(characters) *c, const int *area, const int *draws, int n,
                                              lft_arena *arena)
{
    LFT_P(kernel) *list = (LFT_P(kernel) *)lft_arena_alloc(arena, LFT_P_AREAS, sizeof *list), none;
    int            i;
    for (i = 0; i < n; ++i) LFT_P(kernel_init)(list ? list + i : &none, c, area[i], draws[i], arena);
    return list;
}

/* All weights that a doubling needs, which are of the plaquettes beside the links that are drawn. */
LFT_P_STATIC lft_status LFT_P(doubling_weights)(LFT_P(doubling) *s, const LFT_(layer) *layer, lft_arena *arena, lft_error *error)
{
    const LFT_(doubling_desc) *d = &s->desc;
    const int mu = d->axis, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0, n = layer->in.extent[mu], L = d->target[mu];
    int       fine[LFT_P_AREAS], coarse[LFT_P_AREAS], draws[LFT_P_AREAS], none[LFT_P_AREAS], i, j;
    for (i = 0; i < n; ++i) {
        const int first = LFT_P(site_from)(i, n, d->extent);
        if (LFT_P(site_from)(first, d->extent, L) != LFT_P(site_from)(i, n, L)) {
            return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "extent", "twice what it was, or the target's", d->extent);
        }
        if (LFT_P(site_length)(i, n, d->extent) == 1) continue;
        for (j = 0; j < layer->in.extent[nu]; ++j) {
            const int across = LFT_P(site_length)(j, layer->in.extent[nu], d->target[nu]);
            const int a = LFT_P(site_length)(first, d->extent, L) * across;
            const int b = LFT_P(site_length)(first + 1, d->extent, L) * across;
            LFT_P(note_area)(fine, draws, &s->fines, a, a <= b);
            LFT_P(note_area)(fine, draws, &s->fines, b, b < a);
            LFT_P(note_area)(coarse, none, &s->coarses, a + b, 0);
        }
    }
    LFT_P(characters_init)(&s->characters, d->beta, arena);
    s->fine   = LFT_P(kernels_of)(&s->characters, fine, draws, s->fines, arena);
    s->coarse = LFT_P(kernels_of)(&s->characters, coarse, none, s->coarses, arena);
    if (LFT_P(kernels_check)(s->fine, s->fines, d->beta, s->name, error)) return LFT_ERR_ARG;
    return LFT_P(kernels_check)(s->coarse, s->coarses, d->beta, s->name, error);
}

/* log kappa of a matrix, times sign, onto sum[lane]. */
LFT_P_STATIC void LFT_P(kernel_log)(const LFT_P(kernel) *k, const lft_u *u, double sign, double *sum)
{
    double re[LFT_P_LANES], im[LFT_P_LANES], value[LFT_P_LANES];
    int    l;
    LFT_P(wide_trace)(u, re, im);
    if (k->area == 1) {
        for (l = 0; l < LFT_P_LANES; ++l) sum[l] += sign * (k->slope * re[l] + k->constant);
        return;
    }
    LFT_P(kernel_value)(k, re, im, value);
    for (l = 0; l < LFT_P_LANES; ++l) sum[l] += sign * lft_p_f64_p_log(value[l]);
}

/* ---- doubling: init -------------------------------------------------------------------------------------------------- */

LFT_P_STATIC lft_status LFT_P(doubling_defaults)(LFT_P(doubling) *s, LFT_(layer) *layer, lft_error *error)
{
    LFT_(doubling_desc) *d = &s->desc;
    int                  mu, n;
    if (d->axis < 0 || d->axis >= LFT_DIM) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "axis", "0 to the dimensions - 1", d->axis);
    }
    n = layer->in.extent[d->axis];
    if (!d->extent) d->extent = 2 * n;
    if (d->extent <= n || d->extent > 2 * n) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "extent", "more than before and at most twice that", d->extent);
    }
    if (!d->conditional) d->conditional = LFT_CONDITIONAL_HAAR;
    if (d->conditional != LFT_CONDITIONAL_HAAR && d->conditional != LFT_CONDITIONAL_EXACT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "conditional", "1 (Haar) or 2 (exact)", (int)d->conditional);
    }
    if (d->fixed_gauge != 0 && d->fixed_gauge != 1) {
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "fixed_gauge", "0 or 1", d->fixed_gauge);
    }
    layer->out = layer->in;
    layer->out.extent[d->axis] = d->extent;
    if (LFT_P_SIGNED(lattice_init)(&layer->out, layer->out.extent, error)) return LFT_ERR_ARG;
    if (d->conditional == LFT_CONDITIONAL_HAAR) return LFT_OK;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (!d->target[mu]) d->target[mu] = layer->out.extent[mu];
        if (d->target[mu] >= layer->out.extent[mu] && d->target[mu] <= 1 << 24) continue;
        return lft_p_fail_got(error, LFT_ERR_ARG, s->name, "target", "at least the extent after the layer", d->target[mu]);
    }
    return LFT_P(exact_check)(d->beta, s->name, error);
}

LFT_P_STATIC lft_status LFT_P(doubling_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                             lft_error *error)
{
    LFT_P(doubling) *s = (LFT_P(doubling) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    lft_p_text       t = {0, 0, 0};
    lft_arena        measure = lft_arena_measure();
    lft_status       status;
    (void)set;
    layer->state = s;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    t.data = s->name, t.size = sizeof s->name;
    lft_p_put(&t, name);
    if (layer->desc) s->desc = *(const LFT_(doubling_desc) *)layer->desc;
    status = LFT_P(doubling_defaults)(s, layer, error);
    if (!status && s->desc.conditional == LFT_CONDITIONAL_EXACT) status = LFT_P(doubling_weights)(s, layer, arena, error);
    (void)LFT_P(vectors)(&measure, LFT_P(force_vectors)(&layer->in)); /* of a score, or a derivative */
    layer->scratch_bytes = measure.need;
    layer->tape_bytes    = s->desc.fixed_gauge ? 0 : (size_t)layer->in.volume * LFT_P_LINK * sizeof(lft_v); /* V */
    return status;
}

/* ---- doubling: links -------------------------------------------------------------------------------------------------- */

/* Where a site of the fine lattice comes from. */
typedef struct LFT_P(origin) {
    int site;   /* of the coarse lattice */
    int second; /* 1: of the second of two slices */
    int two;    /* 1: of two slices */
} LFT_P(origin);

LFT_P_STATIC LFT_P(origin) LFT_P(origin_of)(const LFT_(layer) *layer, int axis, const LFT_P(place) *p)
{
    const int      n = layer->in.extent[axis], extent = layer->out.extent[axis], i = LFT_P(slice_of)(p->x[axis], n, extent);
    LFT_P(origin)  o;
    int            mu;
    o.second = p->x[axis] - LFT_P(site_from)(i, n, extent);
    o.two    = LFT_P(site_length)(i, n, extent) == 2;
    for (mu = 0, o.site = 0; mu < LFT_DIM; ++mu) o.site = o.site * layer->in.extent[mu] + (mu == axis ? i : p->x[mu]);
    return o;
}

/* Link number i of a drawing layer, with the invariant measure. */
LFT_P_STATIC void LFT_P(haar_link)(const lft_draw *d, int i, lft_v *link)
{
    double      u[2 * LFT_P_PAIRS][LFT_P_LANES];
    LFT_P(crew) all;
    LFT_P(crew_start)(&all, LFT_P(int_splat)(0));
    (void)LFT_P(crew_assign)(&all);
    LFT_P(crew_uniforms)(&all, d, (uint32_t)i * LFT_P_PAIRS, LFT_P_HAAR / 2, u);
    LFT_P(haar_from)(u, link);
}

/* All links but those that the exact conditional draws. */
LFT_P_STATIC void LFT_P(doubling_links)(const LFT_(layer) *layer, const LFT_(doubling_desc) *desc, const lft_draw *d,
                                        const lft_v *in, lft_v *out)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(&layer->out);
    LFT_P(place)      p = LFT_P(first_place)();
    int               y, mu;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, desc->axis, &p);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            const int    i    = y * LFT_DIM + mu;
            lft_v       *to   = out + i * LFT_P_LINK;
            const lft_u *from = LFT_P(link)(in, o.site * LFT_DIM + mu);
            if (mu == desc->axis ? !o.two || (desc->fixed_gauge && o.second) : !o.second) {
                LFT_P(put)(to, from);
            } else if (mu == desc->axis && desc->fixed_gauge) {
                LFT_P(one)(to);
            } else if (mu == desc->axis && o.second) {
                LFT_P(adj_mul)((lft_u *)to, LFT_P(link)(out, i - walk.stride[mu] * LFT_DIM), from);
                LFT_P(unit)(to);
            } else if (mu == desc->axis || desc->conditional == LFT_CONDITIONAL_HAAR) {
                LFT_P(haar_link)(d, i, to);
            }
        }
    }
}

/* The plaquettes beside the link across the axis at p, of a second slice: A U before it and U^+ B behind, of the areas a and b. */
typedef struct LFT_P(between) {
    lft_u                A, B;
    const LFT_P(kernel) *before, *behind, *both;
} LFT_P(between);

LFT_P_STATIC void LFT_P(between_of)(const LFT_P(doubling) *s, const LFT_(layer) *layer, const LFT_P(walk) *walk,
                                    const LFT_P(place) *p, const lft_v *links, LFT_P(between) *w)
{
    const int    mu = s->desc.axis, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0, extent = layer->out.extent[mu];
    const int    across = LFT_P(site_length)(p->x[nu], layer->out.extent[nu], s->desc.target[nu]);
    const int    a = across * LFT_P(site_length)(p->x[mu] - 1, extent, s->desc.target[mu]);
    const int    b = across * LFT_P(site_length)(p->x[mu], extent, s->desc.target[mu]);
    LFT_P(place) q = *p, above = *p, before;
    lft_u        two;
    LFT_P(up)(walk->lattice, walk->stride, &q, mu);
    LFT_P(up)(walk->lattice, walk->stride, &above, nu);
    LFT_P(mul)(&two, LFT_P(link)(links, p->site * LFT_DIM + mu), LFT_P(link)(links, q.site * LFT_DIM + nu));
    LFT_P(mul_adj)(&w->B, &two, LFT_P(link)(links, above.site * LFT_DIM + mu));
    before = *p;
    LFT_P(down)(walk->lattice, walk->stride, &before, mu);
    LFT_P(down)(walk->lattice, walk->stride, &above, mu);
    LFT_P(mul)(&two, LFT_P(link)(links, before.site * LFT_DIM + nu), LFT_P(link)(links, above.site * LFT_DIM + mu));
    LFT_P(adj_mul)(&w->A, &two, LFT_P(link)(links, before.site * LFT_DIM + mu));
    w->before = LFT_P(kernel_of)(s->fine, s->fines, a);
    w->behind = LFT_P(kernel_of)(s->fine, s->fines, b);
    w->both   = LFT_P(kernel_of)(s->coarse, s->coarses, a + b);
}

/* U out of A B = P: A U = w from the smaller area, or U^+ B. */
LFT_P_STATIC int LFT_P(between_draw)(const LFT_P(between) *b, lft_draw d, int i, lft_v *link)
{
    const int swap = b->behind->area < b->before->area;
    lft_u     loop, w;
    int       failed;
    LFT_P(mul)(&loop, &b->A, &b->B);
    failed = LFT_P(split)(swap ? b->behind : b->before, swap ? b->before : b->behind, d, (uint32_t)i * LFT_P_PAIRS, &loop, &w);
    if (swap) LFT_P(mul_adj)((lft_u *)link, &b->B, &w);
    else LFT_P(adj_mul)((lft_u *)link, &b->A, &w);
    LFT_P(unit)(link);
    return failed;
}

/* sum[lane] += sign log q of the conditional links, which are drawn before where drawn, the same links, is not NULL. */
LFT_P_STATIC lft_status LFT_P(doubling_exact)(const LFT_(layer) *layer, const lft_draw *d, lft_v *drawn, const lft_v *links,
                                              double sign, double *sum, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    const LFT_P(walk)      walk = LFT_P(walk_of)(&layer->out);
    const int              mu = s->desc.axis, nu = LFT_DIM - 1 - mu > 0 ? 1 : 0;
    LFT_P(place)           p = LFT_P(first_place)();
    int                    y, l, failed = 0;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const int      i = y * LFT_DIM + nu;
        LFT_P(between) w;
        lft_u          loop;
        if (!LFT_P(origin_of)(layer, mu, &p).second) continue;
        LFT_P(between_of)(s, layer, &walk, &p, links, &w);
        if (drawn) failed |= LFT_P(between_draw)(&w, *d, i, drawn + i * LFT_P_LINK);
        LFT_P(mul)(&loop, &w.A, LFT_P(link)(links, i));
        LFT_P(kernel_log)(w.before, &loop, sign, sum);
        LFT_P(adj_mul)(&loop, LFT_P(link)(links, i), &w.B);
        LFT_P(kernel_log)(w.behind, &loop, sign, sum);
        LFT_P(mul)(&loop, &w.A, &w.B);
        LFT_P(kernel_log)(w.both, &loop, -sign, sum);
    }
    for (l = 0; l < LFT_P_LANES; ++l) failed |= !lft_finite(sum[l]);
    if (!failed) return LFT_OK;
    return lft_p_fail(error, LFT_ERR_NONFINITE, s->name, "a link that is not finite, or that could not be drawn");
}

/* ---- doubling: the table ----------------------------------------------------------------------------------------------- */

/* V of the coarse link at in-site o.site, where a slice becomes two. */
LFT_P_STATIC void LFT_P(doubling_keep)(const LFT_(layer) *layer, int axis, const lft_v *out, lft_v *tape)
{
    LFT_P(place) p = LFT_P(first_place)();
    int          y;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, axis, &p);
        if (!o.second) LFT_P(put)(tape + o.site * LFT_P_LINK, LFT_P(link)(out, y * LFT_DIM + axis));
    }
}

/* grad log q: V and V^+ U take that of U, the latter carried along V; what was drawn by Haar has none. */
LFT_P_STATIC void LFT_P(doubling_score)(const LFT_(layer) *layer, int axis, const lft_v *out, lft_v *score, lft_arena scratch)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(&layer->out);
    const size_t      n    = LFT_P(force_vectors)(&layer->in);
    lft_v            *from = LFT_P(vectors)(&scratch, n);
    LFT_P(place)      p = LFT_P(first_place)();
    int               y, mu, k;
    lft_p_copy(from, score, n * sizeof(lft_v));
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, axis, &p);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            lft_v       *to = score + (y * LFT_DIM + mu) * LFT_P_ALGEBRA;
            const lft_v *s  = from + (o.site * LFT_DIM + mu) * LFT_P_ALGEBRA;
            lft_z        z;
            for (k = 0; k < LFT_P_ALGEBRA; ++k) z.c[k] = mu != axis && o.second ? lft_splat(0) : s[k];
            if (mu == axis && o.second) LFT_P(carry)(LFT_P(link)(out, (y - walk.stride[mu]) * LFT_DIM + mu), &z);
            for (k = 0; k < LFT_P_ALGEBRA; ++k) to[k] = z.c[k];
        }
    }
}

LFT_P_STATIC lft_status LFT_P(doubling_draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out,
                                             double *logdet, lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s   = (const LFT_P(doubling) *)layer->state;
    lft_v                 *out = LFT_P(view)(x_out);
    lft_status             status = LFT_OK;
    LFT_P(doubling_links)(layer, &s->desc, &d, LFT_P(const_view)(x_in), out);
    if (s->desc.conditional == LFT_CONDITIONAL_EXACT) {
        if (score) return lft_p_fail(error, LFT_ERR_ARG, s->name, "the exact conditional has no derivatives");
        status = LFT_P(doubling_exact)(layer, &d, out, out, -1, logdet, error);
    }
    if (tape && !s->desc.fixed_gauge) LFT_P(doubling_keep)(layer, s->desc.axis, out, (lft_v *)tape);
    if (score) LFT_P(doubling_score)(layer, s->desc.axis, out, LFT_P(view)(score), scratch);
    return status;
}

LFT_P_STATIC lft_status LFT_P(doubling_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                                lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    const LFT_P(walk)      walk = LFT_P(walk_of)(&layer->out);
    const lft_v           *out  = LFT_P(const_view)(x_out);
    lft_v                 *in   = LFT_P(view)(x_in);
    LFT_P(place)           p = LFT_P(first_place)();
    int                    y, mu;
    (void)scratch;
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, s->desc.axis, &p);
        for (mu = 0; mu < LFT_DIM && !o.second; ++mu) {
            const int i = y * LFT_DIM + mu;
            lft_v    *to = in + (o.site * LFT_DIM + mu) * LFT_P_LINK;
            if (mu != s->desc.axis || !o.two) {
                LFT_P(put)(to, LFT_P(link)(out, i));
                continue;
            }
            LFT_P(mul)((lft_u *)to, LFT_P(link)(out, i), LFT_P(link)(out, i + walk.stride[mu] * LFT_DIM));
            LFT_P(unit)(to);
        }
    }
    if (s->desc.conditional == LFT_CONDITIONAL_HAAR) return LFT_OK;
    return LFT_P(doubling_exact)(layer, NULL, NULL, out, 1, logdet, error);
}

/* Of V^+ U carried back along V; that of V is lost, V does not depend on x_in. */
LFT_P_STATIC lft_status LFT_P(doubling_backward)(const LFT_(layer) *layer, const void *tape, lft_real *dx_, const double *dlogdet,
                                                 double *gradient, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s    = (const LFT_P(doubling) *)layer->state;
    const lft_v           *kept = (const lft_v *)tape;
    const size_t           n    = LFT_P(force_vectors)(&layer->in);
    lft_v                 *dx = LFT_P(view)(dx_), *to = LFT_P(vectors)(&scratch, n);
    LFT_P(place)           p = LFT_P(first_place)();
    int                    y, mu, k;
    (void)dlogdet, (void)gradient;
    if (s->desc.conditional != LFT_CONDITIONAL_HAAR) {
        return lft_p_fail(error, LFT_ERR_ARG, s->name, "the exact conditional has no derivatives");
    }
    for (y = 0; y < layer->out.volume; ++y, LFT_P(next_place)(&layer->out, &p)) {
        const LFT_P(origin) o = LFT_P(origin_of)(layer, s->desc.axis, &p);
        for (mu = 0; mu < LFT_DIM; ++mu) {
            lft_u adjoint;
            lft_z z;
            if (mu == s->desc.axis ? o.two && !o.second : o.second) continue;
            for (k = 0; k < LFT_P_ALGEBRA; ++k) z.c[k] = dx[(y * LFT_DIM + mu) * LFT_P_ALGEBRA + k];
            if (mu == s->desc.axis && o.two && !s->desc.fixed_gauge) {
                LFT_P(adjoint)(&adjoint, LFT_P(link)(kept, o.site));
                LFT_P(carry)(&adjoint, &z);
            }
            for (k = 0; k < LFT_P_ALGEBRA; ++k) to[(o.site * LFT_DIM + mu) * LFT_P_ALGEBRA + k] = z.c[k];
        }
    }
    lft_p_copy(dx, to, n * sizeof(lft_v));
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(nothing_to_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    (void)layer, (void)theta, (void)pace;
}

LFT_P_STATIC void LFT_P(nothing_to_prepare)(LFT_(layer) *layer, const double *theta)
{
    (void)layer, (void)theta;
}

LFT_P_STATIC void LFT_P(nothing_to_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    (void)layer, (void)gradient, (void)dtheta;
}

/* A double as two integers, and back. */
LFT_P_STATIC void LFT_P(put_beta)(double beta, int64_t *number)
{
    uint64_t bits;
    lft_p_copy(&bits, &beta, sizeof bits);
    number[0] = (int64_t)(bits >> 32), number[1] = (int64_t)(bits & 0xffffffffu);
}

LFT_P_STATIC double LFT_P(get_beta)(const int64_t *number)
{
    const uint64_t bits = (uint64_t)number[0] << 32 | ((uint64_t)number[1] & 0xffffffffu);
    double         beta;
    lft_p_copy(&beta, &bits, sizeof beta);
    return beta;
}

LFT_P_STATIC lft_status LFT_P(read_count)(int n, int expected, const char *what, lft_error *error)
{
    return n >= expected ? LFT_OK : lft_p_fail_got(error, LFT_ERR_FORMAT, "model", what, "more of them", n);
}

#define LFT_P_FIXED_GAUGE 256 /* a bit beside the conditional */

/* axis, extent, conditional, beta (2), targets */
LFT_P_STATIC int LFT_P(doubling_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(doubling_desc) *d = &((const LFT_P(doubling) *)layer->state)->desc;
    int                        mu;
    number[0] = d->axis, number[1] = d->extent, number[2] = (int64_t)d->conditional | (d->fixed_gauge ? LFT_P_FIXED_GAUGE : 0);
    LFT_P(put_beta)(d->beta, number + 3);
    for (mu = 0; mu < LFT_DIM; ++mu) number[5 + mu] = d->target[mu];
    return 5 + LFT_DIM;
}

LFT_P_STATIC lft_status LFT_P(doubling_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(doubling_desc) *d = (LFT_(doubling_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int                  i;
    *desc = d;
    if (LFT_P(read_count)(n, 5 + LFT_DIM, "numbers of a doubling layer", error)) return LFT_ERR_FORMAT;
    if (!d) return lft_arena_check(arena, error, "model");
    for (i = 0; i < 5 + LFT_DIM; ++i) {
        if (i == 3 || i == 4 || (number[i] >= 0 && number[i] <= 1 << 24)) continue;
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a number of a doubling layer", "0 to 2^24", (double)number[i]);
    }
    d->axis = (int)number[0], d->extent = (int)number[1], d->fixed_gauge = (number[2] & LFT_P_FIXED_GAUGE) != 0;
    d->conditional = (lft_conditional)(number[2] & ~(int64_t)LFT_P_FIXED_GAUGE);
    d->beta = LFT_P(get_beta)(number + 3);
    for (i = 0; i < LFT_DIM; ++i) d->target[i] = (int)number[5 + i];
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(doubling)(void)
{
    static const LFT_(layer_ops) ops = {
        "doubling",
        LFT_P(doubling_init),
        LFT_P(nothing_to_start),
        LFT_P(nothing_to_prepare),
        NULL,
        LFT_P(doubling_inverse),
        LFT_UPTO >= LFT_TRAIN ? LFT_P(doubling_backward) : NULL,
        LFT_P(nothing_to_collect),
        NULL,
        NULL,
        LFT_P(doubling_spec),
        LFT_P(doubling_read),
        LFT_P(doubling_draw),
    };
    return &ops;
}

/* ---- the torus of one site --------------------------------------------------------------------------------------------- */

LFT_P_STATIC lft_status LFT_P(torus_init)(LFT_(layer) *layer, const char *name, lft_parameters *set, lft_arena *arena,
                                          lft_error *error)
{
    LFT_P(doubling) *s = (LFT_P(doubling) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    lft_p_text       t = {0, 0, 0};
    lft_status       status;
    int              mu, area = 1, none = 0;
    (void)set;
    layer->state = s;
    layer->out   = layer->in;
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    t.data = s->name, t.size = sizeof s->name;
    lft_p_put(&t, name);
    if (layer->desc) {
        const LFT_(torus_desc) *d = (const LFT_(torus_desc) *)layer->desc;
        s->desc.beta = d->beta;
        for (mu = 0; mu < LFT_DIM; ++mu) s->desc.target[mu] = d->target[mu];
    }
    status = LFT_P(exact_check)(s->desc.beta, s->name, error);
    if (!status && layer->in.volume != 1) {
        status = lft_p_fail_got(error, LFT_ERR_ARG, s->name, "sites of a lattice to begin with", "1", layer->in.volume);
    }
    for (mu = 0; mu < LFT_DIM && !status; ++mu) {
        int *L = s->desc.target + mu;
        if (!*L) *L = 1;
        if (*L < 1 || *L > (1 << 24) / area) {
            status = lft_p_fail_got(error, LFT_ERR_ARG, s->name, "target", "1 or more, 2^24 sites at most", *L);
        } else area *= *L;
    }
    if (status) return status;
    LFT_P(characters_init)(&s->characters, s->desc.beta, arena);
    s->coarse  = LFT_P(kernels_of)(&s->characters, &area, &none, 1, arena);
    s->coarses = 1;
    if (s->characters.u) s->constant = -lft_p_f64_p_log(LFT_P(characters_sum)(&s->characters, area));
    return LFT_P(kernels_check)(s->coarse, 1, s->desc.beta, s->name, error);
}

/* The plaquette U_0 U_1 U_0^+ U_1^+ */
LFT_P_STATIC void LFT_P(torus_loop)(const lft_v *links, lft_u *loop)
{
    const lft_u *a = LFT_P(link)(links, 0), *b = LFT_P(link)(links, 1);
    lft_u        there, back;
    LFT_P(mul)(&there, a, b);
    LFT_P(mul)(&back, b, a);
    LFT_P(mul_adj)(loop, &there, &back);
}

LFT_P_STATIC lft_status LFT_P(torus_logq)(const LFT_P(doubling) *s, const lft_v *links, double sign, double *sum, int failed,
                                          lft_error *error)
{
    lft_u loop;
    int   l;
    LFT_P(torus_loop)(links, &loop);
    LFT_P(kernel_log)(s->coarse, &loop, sign, sum);
    for (l = 0; l < LFT_P_LANES; ++l) {
        sum[l] += sign * s->constant;
        failed |= !lft_finite(sum[l]);
    }
    if (!failed) return LFT_OK;
    return lft_p_fail(error, LFT_ERR_NONFINITE, s->name, "a link that is not finite, or that could not be drawn");
}

LFT_P_STATIC lft_status LFT_P(torus_draw)(const LFT_(layer) *layer, lft_draw d, const lft_real *x_in, lft_real *x_out,
                                          double *logdet, lft_real *score, void *tape, lft_arena scratch, lft_error *error)
{
    const LFT_P(doubling) *s     = (const LFT_P(doubling) *)layer->state;
    lft_v                 *links = LFT_P(view)(x_out), next[LFT_DIM * LFT_P_LINK];
    LFT_P(crew)            crew;
    lft_u                  loop;
    double                 re[LFT_P_LANES], im[LFT_P_LANES], value[LFT_P_LANES], u[2 * LFT_P_PAIRS][LFT_P_LANES];
    int                    k, l;
    (void)x_in, (void)tape, (void)scratch;
    if (score) return lft_p_fail(error, LFT_ERR_ARG, s->name, "a draw by rejection has no derivatives");
    LFT_P(crew_start)(&crew, LFT_P(int_splat)(0));
    while (LFT_P(crew_assign)(&crew)) {
        for (k = 0; k < LFT_DIM; ++k) {
            LFT_P(crew_uniforms)(&crew, &d, (uint32_t)k * LFT_P_PAIRS, LFT_P_HAAR / 2, u);
            LFT_P(haar_from)(u, next + k * LFT_P_LINK);
        }
        LFT_P(crew_uniforms)(&crew, &d, LFT_DIM * LFT_P_PAIRS, 1, u);
        LFT_P(torus_loop)(next, &loop);
        LFT_P(wide_trace)(&loop, re, im);
        LFT_P(kernel_value)(s->coarse, re, im, value);
        for (l = 0; l < LFT_P_LANES; ++l) u[0][l] *= s->coarse->most;
        LFT_P(crew_settle)(&crew, u[0], value);
        for (k = 0; k < LFT_DIM * LFT_P_LINK; ++k) LFT_P(crew_move)(&crew, links + k, next[k]);
    }
    return LFT_P(torus_logq)(s, links, -1, logdet, crew.open > 0, error);
}

LFT_P_STATIC lft_status LFT_P(torus_inverse)(const LFT_(layer) *layer, const lft_real *x_out, lft_real *x_in, double *logdet,
                                             lft_arena scratch, lft_error *error)
{
    (void)scratch;
    if (x_in != x_out) lft_p_copy(x_in, x_out, LFT_P(field_vectors)(&layer->in) * sizeof(lft_v));
    return LFT_P(torus_logq)((const LFT_P(doubling) *)layer->state, LFT_P(const_view)(x_out), 1, logdet, 0, error);
}

/* beta (2), targets */
LFT_P_STATIC int LFT_P(torus_spec)(const LFT_(layer) *layer, int64_t *number)
{
    const LFT_(doubling_desc) *d = &((const LFT_P(doubling) *)layer->state)->desc;
    int                        mu;
    LFT_P(put_beta)(d->beta, number);
    for (mu = 0; mu < LFT_DIM; ++mu) number[2 + mu] = d->target[mu];
    return 2 + LFT_DIM;
}

LFT_P_STATIC lft_status LFT_P(torus_read)(const int64_t *number, int n, lft_arena *arena, const void **desc, lft_error *error)
{
    LFT_(torus_desc) *d = (LFT_(torus_desc) *)lft_arena_alloc(arena, 1, sizeof *d);
    int               mu;
    *desc = d;
    if (LFT_P(read_count)(n, 2 + LFT_DIM, "numbers of a torus layer", error)) return LFT_ERR_FORMAT;
    if (!d) return lft_arena_check(arena, error, "model");
    d->beta = LFT_P(get_beta)(number);
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (number[2 + mu] < 1 || number[2 + mu] > 1 << 24) {
            return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "a target of a torus layer", "1 to 2^24", (double)number[2 + mu]);
        }
        d->target[mu] = (int)number[2 + mu];
    }
    return LFT_OK;
}

LFT_API const LFT_(layer_ops) *LFT_(torus)(void)
{
    static const LFT_(layer_ops) ops = {
        "torus",
        LFT_P(torus_init),
        LFT_P(nothing_to_start),
        LFT_P(nothing_to_prepare),
        NULL,
        LFT_P(torus_inverse),
        NULL,
        LFT_P(nothing_to_collect),
        NULL,
        NULL,
        LFT_P(torus_spec),
        LFT_P(torus_read),
        LFT_P(torus_draw),
    };
    return &ops;
}

#undef LFT_P_PAIRS
#undef LFT_P_AREAS
#undef LFT_P_FIXED_GAUGE

#endif
#if LFT_GROUP == LFT_SCALAR

/* ---- 75_gaussian_prior.h, code ----------------------------------------------------------------------------------- */
/* 75_gaussian_prior.h: the Gaussian that a flow of scalar fields starts from. Offers what 64_prior.h says.
 * The field of 64_gaussian.h, sigma learnable and at first the free field's, or 1. */

typedef struct LFT_P(prior) {
    lft_prior_kind  kind;
    double          mass2; /* of the free field at the start */
    int             target[LFT_DIM]; /* of which the lattice is a part */
    LFT_P(gaussian) field;
    size_t          params; /* offset of log sigma [orbits] */
} LFT_P(prior);

LFT_P_STATIC lft_status LFT_P(prior_check)(double kind, lft_status code, const char *where, const char *what, lft_error *error)
{
    if (kind == (double)(int)LFT_PRIOR_FREE || kind == (double)(int)LFT_PRIOR_NORMAL) return LFT_OK;
    return lft_p_fail_got(error, code, where, what, "1 (free) or 2 (normal)", kind);
}

LFT_P_STATIC lft_status LFT_P(prior_init)(LFT_P(prior) *p, lft_prior_kind kind, double mass2, const int *target,
                                          const LFT_(lattice) *lattice, lft_parameters *set, lft_arena *arena, lft_error *error)
{
    lft_status status;
    p->kind = kind ? kind : LFT_PRIOR_FREE;
    if (LFT_P(prior_check)((double)(int)p->kind, LFT_ERR_ARG, "flow", "prior", error)) return LFT_ERR_ARG;
    status   = LFT_P(free_target)(p->target, target, lattice->extent, "flow", error);
    p->mass2 = LFT_P(free_mass2)(mass2, p->target);
    if (status) return status;
    LFT_P(gaussian_init)(&p->field, lattice, -1, p->kind == LFT_PRIOR_NORMAL, arena);
    p->params = set->count;
    if (p->kind == LFT_PRIOR_FREE) lft_declare(set, "prior", "log_sigma", 1, p->field.spectrum.orbits, 0, 0, 0);
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(prior_spec)(const LFT_P(prior) *p, double *number)
{
    number[0] = (double)(int)p->kind, number[1] = p->mass2;
}

LFT_P_STATIC void LFT_P(prior_start)(const LFT_P(prior) *p, double *theta)
{
    const LFT_P(spectrum) *s = &p->field.spectrum;
    double                 k[LFT_DIM];
    int                    i;
    for (i = 0; !p->field.white && i < s->count; ++i) {
        LFT_P(gaussian_momentum)(s, i, k);
        theta[p->params + (size_t)s->orbit[i]] =
            0.5 * lft_p_f64_p_log(LFT_P(free_variance)(s->lattice.extent, p->target, p->mass2, k));
    }
}

LFT_P_STATIC void LFT_P(prior_transfer)(const LFT_P(prior) *p, double *theta, const LFT_P(prior) *from, const double *source)
{
    LFT_P(gaussian_transfer)(&p->field, theta + p->params, &from->field, source + from->params);
}

LFT_P_STATIC void LFT_P(prior_prepare)(LFT_P(prior) *p, const double *theta)
{
    LFT_P(gaussian_prepare)(&p->field, theta + p->params);
}

LFT_P_STATIC size_t LFT_P(prior_scratch)(const LFT_P(prior) *p) { return LFT_P(gaussian_scratch)(&p->field); }

LFT_P_STATIC void LFT_P(prior_scale)(const LFT_P(prior) *p, lft_v *x, int transposed, lft_arena scratch)
{
    LFT_P(gaussian_scale)(&p->field, x, transposed, scratch);
}

LFT_P_STATIC void LFT_P(prior_draw)(const LFT_P(prior) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    LFT_P(gaussian_draw)(&p->field, d, z, logq, scratch);
}

LFT_P_STATIC void LFT_P(prior_logq)(const LFT_P(prior) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    LFT_P(gaussian_logq)(&p->field, z, logq, score, scratch);
}

LFT_P_STATIC size_t LFT_P(prior_gradient_count)(const LFT_P(prior) *p)
{
    return p->field.white ? 0 : (size_t)p->field.spectrum.orbits;
}

LFT_P_STATIC void LFT_P(prior_backward)(const LFT_P(prior) *p, const lft_v *z, const lft_v *dz, const double *dlogq,
                                        double *gradient, lft_arena scratch)
{
    LFT_P(gaussian_backward)(&p->field, z, dz, dlogq, gradient + p->params, scratch);
}

#else

/* ---- 76_haar_prior.h, code --------------------------------------------------------------------------------------- */
/* 76_haar_prior.h: the invariant measure that a flow of links starts from. Offers what 64_prior.h says.
 * Densities of links are by the invariant measure, normalised to 1: log q(z) = 0, and so is its gradient. */

typedef struct LFT_P(prior) {
    lft_prior_kind kind;
    LFT_(lattice)  lattice;
} LFT_P(prior);

LFT_P_STATIC lft_status LFT_P(prior_check)(double kind, lft_status code, const char *where, const char *what, lft_error *error)
{
    if (kind == (double)(int)LFT_PRIOR_HAAR) return LFT_OK;
    return lft_p_fail_got(error, code, where, what, "3 (Haar), the prior of gauge groups", kind);
}

LFT_P_STATIC lft_status LFT_P(prior_init)(LFT_P(prior) *p, lft_prior_kind kind, double mass2, const int *target,
                                          const LFT_(lattice) *lattice, lft_parameters *set, lft_arena *arena, lft_error *error)
{
    (void)mass2, (void)target, (void)set, (void)arena;
    p->kind    = kind ? kind : LFT_PRIOR_HAAR;
    p->lattice = *lattice;
    return LFT_P(prior_check)((double)(int)p->kind, LFT_ERR_ARG, "flow", "prior", error);
}

LFT_P_STATIC void LFT_P(prior_spec)(const LFT_P(prior) *p, double *number)
{
    number[0] = (double)(int)p->kind, number[1] = 0;
}

LFT_P_STATIC void LFT_P(prior_start)(const LFT_P(prior) *p, double *theta)
{
    (void)p, (void)theta;
}

LFT_P_STATIC void LFT_P(prior_transfer)(const LFT_P(prior) *p, double *theta, const LFT_P(prior) *from, const double *source)
{
    (void)p, (void)theta, (void)from, (void)source;
}

LFT_P_STATIC void LFT_P(prior_prepare)(LFT_P(prior) *p, const double *theta)
{
    (void)p, (void)theta;
}

LFT_P_STATIC size_t LFT_P(prior_scratch)(const LFT_P(prior) *p)
{
    (void)p;
    return 0;
}

/* Link i of a sample has the draw number d.draw + i. */
LFT_P_STATIC void LFT_P(prior_draw)(const LFT_P(prior) *p, lft_draw d, lft_v *z, double *logq, lft_arena scratch)
{
    int l;
    (void)scratch;
    LFT_P(group_haar)(d, &p->lattice, z);
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = 0;
}

LFT_P_STATIC void LFT_P(prior_logq)(const LFT_P(prior) *p, const lft_v *z, double *logq, lft_v *score, lft_arena scratch)
{
    int l;
    (void)z, (void)scratch;
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] = 0;
    if (score) LFT_P(set_zero)(score, p->lattice.volume * LFT_P_FORCES);
}

LFT_P_STATIC size_t LFT_P(prior_gradient_count)(const LFT_P(prior) *p)
{
    (void)p;
    return 0;
}

LFT_P_STATIC void LFT_P(prior_backward)(const LFT_P(prior) *p, const lft_v *z, const lft_v *dz, const double *dlogq,
                                        double *gradient, lft_arena scratch)
{
    (void)p, (void)z, (void)dz, (void)dlogq, (void)gradient, (void)scratch;
}

LFT_P_STATIC void LFT_P(prior_scale)(const LFT_P(prior) *p, lft_v *x, int transposed, lft_arena scratch)
{
    (void)p, (void)x, (void)transposed, (void)scratch;
}

#endif

/* ---- 80_flow.h, code --------------------------------------------------------------------------------------------- */

/* What one thread works in. */
typedef struct LFT_P(flow_work) {
    lft_v    *x, *other, *score; /* one group at the largest extents: field, second buffer where extents change, derivative */
    lft_arena scratch;
    int       failed; /* 1 + the first group that failed, 0 for none */
    lft_error error, first; /* of the group at work; of the first that failed */
} LFT_P(flow_work);

typedef struct LFT_P(flow_state) {
    LFT_P(prior)      prior;
    LFT_P(flow_work) *work; /* [threads] */
    int               threads;
    size_t            volume; /* the largest of any layer */
    size_t            parameters; /* of the layers and the prior: params.count is that times terms */
    int               terms;      /* 1 for a flow that is no family */
    double           *theta;      /* [parameters] at the present couplings; params.value if there is one term */
} LFT_P(flow_state);

LFT_P_STATIC LFT_P(flow_state) *LFT_P(flow_state_of)(const LFT_(flow) *flow)
{
    return (LFT_P(flow_state) *)flow->state;
}

/* The coefficients of the terms 1, 2, ... of a family, like those that have been declared. */
LFT_P_STATIC void LFT_P(flow_declare_terms)(lft_parameters *set, int terms)
{
    const int    tensors = set->tensors;
    const size_t count   = set->count;
    int          b, i;
    if (!set->list) {
        set->tensors = tensors * terms;
        set->count   = count * (size_t)terms;
        return;
    }
    for (b = 1; b < terms; ++b) {
        char       owner[16];
        lft_p_text text = {0, 0, 0};
        text.data = owner, text.size = sizeof owner;
        lft_p_put(&text, "term");
        lft_p_put_u64(&text, (uint64_t)b);
        for (i = 0; i < tensors; ++i) {
            const lft_parameter *p = set->list + i;
            lft_declare(set, owner, p->name, p->rank, p->shape[0], p->shape[1], p->shape[2], p->shape[3]);
        }
    }
}

/* Sets up the prior and the layers; declares all parameters. */
LFT_P_STATIC lft_status LFT_P(flow_layout)(LFT_(flow) *flow, LFT_P(flow_state) *s, const LFT_(flow_desc) *desc,
                                           const LFT_(layer_desc) *list, lft_arena *arena, lft_error *error)
{
    LFT_(lattice) at;
    lft_status    status;
    int           i;
    lft_p_zero(&at, sizeof at); /* gcc 12 -O2 sees a path without it */
    status = LFT_(lattice_init)(&at, desc->extent, error);
    if (status) return status;
    s->volume              = (size_t)at.volume;
    flow->params.tensors   = 0;
    flow->params.count     = 0;
    status = LFT_P(prior_init)(&s->prior, desc->prior, desc->prior_mass2, desc->prior_target, &at, &flow->params, arena, error);
    if (status) return status;
    for (i = 0; i < flow->layers; ++i) {
        LFT_(layer)  local, *layer = flow->layer ? flow->layer + i : &local;
        char         name[24];
        lft_p_text   text = {0, 0, 0};
        text.data = name, text.size = sizeof name;
        lft_p_put(&text, "layer");
        lft_p_put_u64(&text, (uint64_t)i);
        lft_p_zero(layer, sizeof *layer);
        layer->ops  = list[i].ops;
        layer->desc = list[i].desc;
        layer->in   = at;
        layer->params = flow->params.count; /* also of a layer that has none */
        if (!layer->ops) {
            return lft_p_fail(error, LFT_ERR_ARG, "flow", "expected a list of layers with a table of functions each, got none");
        }
        status      = layer->ops->init(layer, name, &flow->params, arena, error);
        if (status) return status;
        at = layer->out;
        if ((size_t)at.volume > s->volume) s->volume = (size_t)at.volume;
        if (layer->scratch_bytes > s->work[0].scratch.size) s->work[0].scratch.size = layer->scratch_bytes;
    }
    flow->lattice = at;
    s->parameters = flow->params.count;
    LFT_P(flow_declare_terms)(&flow->params, s->terms);
    return LFT_OK;
}

/* Everything, over a measuring or a real arena. The number of tensors is known after a first, counting layout. */
LFT_P_STATIC lft_status LFT_P(flow_build)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena,
                                          lft_error *error)
{
    LFT_P(flow_state)     counted, *s = (LFT_P(flow_state) *)lft_arena_alloc(arena, 1, sizeof *s);
    LFT_P(flow_work)      first;
    LFT_(layer_desc)      single;
    const LFT_(layer_desc) *list = desc->layers ? desc->layer : &single;
    lft_arena             measure = lft_arena_measure();
    lft_status            status;
    size_t                scratch;
    int                   i;
    lft_p_zero(&first, sizeof first);
    lft_p_zero(&counted, sizeof counted);
    single.ops   = LFT_(continuous)();
    single.desc  = &desc->continuous;
    counted.work = &first;
    status       = lft_p_family_check(&desc->family, error);
    if (status) return status;
    counted.terms = lft_p_family_terms(&desc->family);
    flow->layers = desc->layers ? desc->layers : 1;
    flow->layer  = NULL;
    flow->params.list = NULL;
    status = LFT_P(flow_layout)(flow, &counted, desc, list, &measure, error);
    if (status) return status;
    scratch = first.scratch.size;
    if (LFT_P(prior_scratch)(&counted.prior) > scratch) scratch = LFT_P(prior_scratch)(&counted.prior);

    flow->state        = s;
    flow->pool         = desc->pool;
    flow->layer        = (LFT_(layer) *)lft_arena_alloc(arena, (size_t)flow->layers, sizeof(LFT_(layer)));
    flow->params.list  = (lft_parameter *)lft_arena_alloc(arena, (size_t)flow->params.tensors, sizeof(lft_parameter));
    flow->params.value = (double *)lft_arena_alloc(arena, flow->params.count, sizeof(double));
    flow->params.pace  = (double *)lft_arena_alloc(arena, flow->params.count, sizeof(double));
    if (!s) s = &counted;
    s->volume  = counted.volume;
    s->terms   = counted.terms;
    s->theta   = flow->params.value;
    if (s->terms > 1) s->theta = (double *)lft_arena_alloc(arena, counted.parameters, sizeof(double));
    s->threads = lft_p_pool_threads(&flow->pool);
    s->work    = (LFT_P(flow_work) *)lft_arena_alloc(arena, (size_t)s->threads, sizeof *s->work);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(flow_work) *w = s->work ? s->work + i : &first;
        w->x       = LFT_P(vectors)(arena, s->volume * LFT_P_SITE);
        w->other   = LFT_P(vectors)(arena, s->volume * LFT_P_SITE);
        w->score   = LFT_P(vectors)(arena, LFT_UPTO >= LFT_TRAIN ? s->volume * LFT_P_FORCES : 0);
        w->scratch = lft_arena_of(lft_arena_take(arena, scratch, 1), scratch);
    }
    if (!s->work) s->work = &first;
    status = LFT_P(flow_layout)(flow, s, desc, list, arena, error);
    if (status) return status;
    return lft_arena_check(arena, error, "flow");
}

LFT_API lft_status LFT_P_SIGNED(flow_init)(LFT_(flow) *flow, const LFT_(flow_desc) *desc, lft_arena *arena,
                                           lft_error *error)
{
    LFT_P(flow_state) *s;
    double             pace[LFT_P_FAMILY_MOST];
    lft_status         status;
    size_t             k;
    int                i;
    lft_p_zero(flow, sizeof *flow);
    status = LFT_P(flow_build)(flow, desc, arena, error);
    if (status || lft_arena_measuring(arena)) return status;
    s = LFT_P(flow_state_of)(flow);
    LFT_P(prior_start)(&s->prior, flow->params.value);
    for (k = 0; k < s->parameters; ++k) flow->params.pace[k] = 1;
    for (i = 0; i < flow->layers; ++i) flow->layer[i].ops->start(flow->layer + i, flow->params.value, flow->params.pace);
    lft_p_family_pace(&desc->family, pace);
    for (k = s->parameters; k < flow->params.count; ++k) {
        flow->params.pace[k] = flow->params.pace[k % s->parameters] * pace[k / s->parameters];
    }
    flow->family = desc->family;
    for (i = 0; i < LFT_MAX_COUPLINGS; ++i) flow->coupling[i] = 0.5 * (flow->family.low[i] + flow->family.high[i]);
    LFT_(flow_prepare)(flow);
    return LFT_OK;
}

LFT_API size_t LFT_(flow_bytes)(const LFT_(flow_desc) *desc)
{
    LFT_(flow) flow;
    lft_arena  measure = lft_arena_measure();
    return LFT_P_SIGNED(flow_init)(&flow, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

LFT_API void LFT_(flow_prepare)(LFT_(flow) *flow)
{
    LFT_P(flow_state) *s = LFT_P(flow_state_of)(flow);
    double             weight[LFT_P_FAMILY_MOST];
    size_t             k;
    int                i;
    if (s->terms > 1) {
        lft_p_family_weights(&flow->family, flow->coupling, weight);
        for (k = 0; k < s->parameters; ++k) {
            double sum = flow->params.value[k];
            for (i = 1; i < s->terms; ++i) sum += weight[i] * flow->params.value[(size_t)i * s->parameters + k];
            s->theta[k] = sum;
        }
    }
    LFT_P(prior_prepare)(&s->prior, s->theta);
    for (i = 0; i < flow->layers; ++i) flow->layer[i].ops->prepare(flow->layer + i, s->theta);
}

LFT_API lft_status LFT_(flow_at)(LFT_(flow) *flow, const double *coupling, int couplings)
{
    const lft_family *f = &flow->family;
    int               i;
    if (!f->degree) return lft_p_fail(&flow->error, LFT_ERR_MISMATCH, "flow_at", "the flow is of one set of couplings, no family");
    if (couplings != f->couplings) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "flow_at", "couplings", "as many as the family has", couplings);
    }
    for (i = 0; i < couplings; ++i) {
        lft_p_text t;
        if (coupling[i] >= f->low[i] && coupling[i] <= f->high[i]) continue;
        t = lft_p_error_text(&flow->error, LFT_ERR_ARG, "flow_at", "coupling ");
        lft_p_put_u64(&t, (uint64_t)i);
        lft_p_put(&t, ": expected ");
        lft_p_put_f64(&t, f->low[i]);
        lft_p_put(&t, " to ");
        lft_p_put_f64(&t, f->high[i]);
        lft_p_put(&t, ", the bounds of the family, got ");
        lft_p_put_f64(&t, coupling[i]);
        return LFT_ERR_ARG;
    }
    lft_p_copy(flow->coupling, coupling, (size_t)couplings * sizeof(double));
    LFT_(flow_prepare)(flow);
    return LFT_OK;
}

LFT_API lft_status LFT_(flow_refine)(LFT_(flow) *flow, int steps)
{
    lft_status status = LFT_OK;
    int        i;
    for (i = 0; i < flow->layers && !status; ++i) {
        if (flow->layer[i].steps) status = flow->layer[i].ops->refine(flow->layer + i, steps, &flow->error);
    }
    if (!status) LFT_(flow_prepare)(flow);
    return status;
}

LFT_P_STATIC void LFT_P(copy_field)(lft_v *to, const lft_v *from, const LFT_(lattice) *lattice)
{
    if (to != from) lft_p_copy(to, from, LFT_P(field_vectors)(lattice) * sizeof(lft_v));
}

LFT_P_STATIC lft_status LFT_P(flow_no_map)(const LFT_(layer) *layer, lft_error *error)
{
    return lft_p_fail_text(error, LFT_ERR_ARG, "flow", "layer", "one that maps, not draws", layer->ops->kind);
}

/* Layer i, which maps or draws. */
LFT_P_STATIC lft_status LFT_P(flow_layer)(const LFT_(flow) *flow, int i, const lft_draw *d, lft_v *from, lft_v *to, double *logdet,
                                          lft_v *score, unsigned char *tape, lft_arena scratch, lft_error *error)
{
    const LFT_(layer) *layer = flow->layer + i;
    lft_draw           own;
    if (!layer->ops->draw) {
        return layer->ops->forward(layer, (lft_real *)from, (lft_real *)to, logdet, (lft_real *)score, tape, scratch, error);
    }
    if (!d) return LFT_P(flow_no_map)(layer, error);
    own = lft_draw_of(d->seed, LFT_DRAW_LAYER, d->sample, (d->purpose & 0xff) << 16 | (uint32_t)i);
    return layer->ops->draw(layer, own, (lft_real *)from, (lft_real *)to, logdet, (lft_real *)score, tape, scratch, error);
}

/* The group in w->x through all layers, also where a lane is not finite: the others may be wanted. d: the address of the
 * sample; NULL if none of them may draw. tape: of the layers from number `taped` on one behind the other, or NULL. */
LFT_P_STATIC lft_status LFT_P(flow_push)(const LFT_(flow) *flow, LFT_P(flow_work) *w, const lft_draw *d, double *logdet,
                                         lft_v *score, unsigned char *tape, int taped)
{
    lft_status status = LFT_OK, one;
    int        i;
    for (i = 0; i < flow->layers && (!status || status == LFT_ERR_NONFINITE); ++i) {
        unsigned char     *own   = i < taped ? NULL : tape;
        const LFT_(layer) *layer = flow->layer + i;
        lft_v             *to    = layer->in.volume == layer->out.volume ? w->x : w->other;
        one = LFT_P(flow_layer)(flow, i, d, w->x, to, logdet, score, own, w->scratch, status ? NULL : &w->error);
        if (!status || one != LFT_ERR_NONFINITE) status = one ? one : status;
        LFT_P(copy_field)(w->x, to, &layer->out);
        if (own) tape += layer->tape_bytes;
    }
    return status;
}

LFT_P_STATIC lft_status LFT_P(flow_pull)(const LFT_(flow) *flow, LFT_P(flow_work) *w, double *logdet)
{
    lft_status status = LFT_OK;
    int        i;
    for (i = flow->layers - 1; i >= 0 && !status; --i) {
        const LFT_(layer) *layer = flow->layer + i;
        status = layer->ops->inverse(layer, (lft_real *)w->x, (lft_real *)w->other, logdet, w->scratch, &w->error);
        LFT_P(copy_field)(w->x, w->other, &layer->in);
    }
    return status;
}

/* What the tasks of one call share. */
typedef struct LFT_P(flow_job) {
    LFT_(flow)        *flow;
    const LFT_(batch) *from;
    LFT_(batch)       *to;
    double            *out; /* [n] */
    lft_draw           draw;
} LFT_P(flow_job);

LFT_P_STATIC void LFT_P(flow_note)(LFT_P(flow_work) *w, int group, lft_status status)
{
    if (status && (!w->failed || group + 1 < w->failed)) {
        w->failed     = group + 1;
        w->first      = w->error;
        w->first.code = status;
    }
}

/* Runs one task per group; the error of the first group that failed becomes the flow's, whatever the threads. */
LFT_P_STATIC lft_status LFT_P(flow_run)(LFT_(flow) *flow, int groups, lft_task task, void *job)
{
    LFT_P(flow_state) *s = LFT_P(flow_state_of)(flow);
    LFT_P(flow_work)  *worst = NULL;
    int                i;
    for (i = 0; i < s->threads; ++i) s->work[i].failed = 0;
    lft_p_pool_run(&flow->pool, groups, task, job);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(flow_work) *w = s->work + i;
        if (w->failed && (!worst || w->failed < worst->failed)) worst = w;
    }
    if (!worst) return LFT_OK;
    flow->error = worst->first;
    return worst->first.code;
}

LFT_P_STATIC void LFT_P(flow_store)(double *out, int n, int group, const double *value)
{
    int l;
    for (l = 0; l < LFT_P_LANES && group * LFT_P_LANES + l < n; ++l) out[group * LFT_P_LANES + l] = value[l];
}

LFT_P_STATIC void LFT_P(flow_sample_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_state)     *s = LFT_P(flow_state_of)(job->flow);
    LFT_P(flow_work)      *w = s->work + thread;
    lft_draw               d = job->draw;
    double                 logq[LFT_P_LANES], logdet[LFT_P_LANES];
    int                    l;
    d.sample += (uint64_t)group * LFT_P_LANES;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(prior_draw)(&s->prior, d, w->x, logq, w->scratch);
    LFT_P(flow_note)(w, group, LFT_P(flow_push)(job->flow, w, &d, logdet, NULL, NULL, 0));
    for (l = 0; l < LFT_P_LANES; ++l) logq[l] -= logdet[l];
    LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    LFT_P(flow_store)(job->out, job->to->n, group, logq);
}

LFT_P_STATIC void LFT_P(flow_map_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_work)      *w = LFT_P(flow_state_of)(job->flow)->work + thread;
    double                 logdet[LFT_P_LANES];
    int                    l;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(copy_field)(w->x, LFT_P(view)(LFT_P(group)(job->from, group)), &job->from->lattice);
    LFT_P(flow_note)(w, group, LFT_P(flow_push)(job->flow, w, NULL, logdet, NULL, NULL, 0));
    LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    LFT_P(flow_store)(job->out, job->to->n, group, logdet);
}

/* The inverse; with job->to == NULL the log-density is stored instead of the log-det. */
LFT_P_STATIC void LFT_P(flow_inverse_task)(void *context, int group, int thread)
{
    const LFT_P(flow_job) *job = (const LFT_P(flow_job) *)context;
    LFT_P(flow_state)     *s = LFT_P(flow_state_of)(job->flow);
    LFT_P(flow_work)      *w = s->work + thread;
    double                 logdet[LFT_P_LANES], logq[LFT_P_LANES];
    int                    l;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    LFT_P(copy_field)(w->x, LFT_P(view)(LFT_P(group)(job->from, group)), &job->from->lattice);
    LFT_P(flow_note)(w, group, LFT_P(flow_pull)(job->flow, w, logdet));
    if (job->to) {
        LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(job->to, group)), w->x, &job->to->lattice);
    } else {
        LFT_P(prior_logq)(&s->prior, w->x, logq, NULL, w->scratch);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] += logq[l];
    }
    LFT_P(flow_store)(job->out, job->from->n, group, logdet);
}

LFT_P_STATIC lft_status LFT_P(flow_fits)(LFT_(flow) *flow, const LFT_(lattice) *a, const LFT_(lattice) *b)
{
    if (LFT_P(same_lattice)(a, b)) return LFT_OK;
    return lft_p_fail(&flow->error, LFT_ERR_MISMATCH, "flow", "the batch has other extents than the flow");
}

LFT_P_STATIC lft_status LFT_P(flow_start_job)(LFT_(flow) *flow, const LFT_(batch) *from, LFT_(batch) *to, double *out,
                                              lft_draw draw, lft_task task)
{
    LFT_P(flow_job) job;
    int             groups = from ? from->groups : to->groups;
    job.flow = flow, job.from = from, job.to = to, job.out = out, job.draw = draw;
    if (from && to && from->n != to->n) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "flow", "n", "batches of the same size", to->n);
    }
    return LFT_P(flow_run)(flow, groups, task, &job);
}

LFT_API lft_status LFT_(flow_sample)(LFT_(flow) *flow, uint64_t seed, uint64_t first, LFT_(batch) *x, double *logq)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, NULL, x, logq, lft_draw_of(seed, LFT_DRAW_PRIOR, first, 0),
                                 LFT_P(flow_sample_task));
}

LFT_API lft_status LFT_(flow_logq)(LFT_(flow) *flow, const LFT_(batch) *x, double *logq)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, x, NULL, logq, lft_draw_of(0, 0, 0, 0), LFT_P(flow_inverse_task));
}

LFT_API lft_status LFT_(flow_map)(LFT_(flow) *flow, const LFT_(batch) *z, LFT_(batch) *x, double *logdet)
{
    lft_status status = LFT_P(flow_fits)(flow, &z->lattice, &flow->layer[0].in);
    int        i;
    if (!status) status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    for (i = 0; i < flow->layers && !status; ++i) {
        if (flow->layer[i].ops->draw) status = LFT_P(flow_no_map)(flow->layer + i, &flow->error);
    }
    if (status) return status;
    return LFT_P(flow_start_job)(flow, z, x, logdet, lft_draw_of(0, 0, 0, 0), LFT_P(flow_map_task));
}

LFT_API lft_status LFT_(flow_inverse)(LFT_(flow) *flow, const LFT_(batch) *x, LFT_(batch) *z, double *logdet)
{
    lft_status status = LFT_P(flow_fits)(flow, &x->lattice, &flow->lattice);
    if (!status) status = LFT_P(flow_fits)(flow, &z->lattice, &flow->layer[0].in);
    if (status) return status;
    return LFT_P(flow_start_job)(flow, x, z, logdet, lft_draw_of(0, 0, 0, 0), LFT_P(flow_inverse_task));
}

/* ---- 80_scales.h, code ------------------------------------------------------------------------------------------- */
/* 80_scales.h: the way from a coarse lattice to a fine one by doubling axes.
 * Offers (private): LFT_P(scale_axes)(), LFT_P(scale_layer)(), LFT_P(most_doublings). */

enum { LFT_P(most_doublings) = 32 }; /* in all: a lattice has less than 2^31 sites */

/* axis[doublings] that lead from the extents `from` to `extent`: the axes in turn, those first that have farthest to go. Room for
 * most_doublings + 1. LFT_ERR_ARG if no powers of two lead there. */
LFT_P_STATIC lft_status LFT_P(scale_axes)(const int *from, const int *extent, int *axis, int *doublings, lft_error *error)
{
    int        at[LFT_DIM], mu, nu;
    lft_p_text t;
    for (mu = 0; mu < LFT_DIM; ++mu) at[mu] = from[mu];
    for (*doublings = 0;; ++*doublings) {
        for (nu = 0, mu = 1; mu < LFT_DIM; ++mu) {
            if ((int64_t)extent[mu] * at[nu] > (int64_t)extent[nu] * at[mu]) nu = mu;
        }
        if (at[nu] >= extent[nu] || *doublings == LFT_P(most_doublings)) break;
        axis[*doublings] = nu;
        at[nu] *= 2;
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (at[mu] == extent[mu]) continue;
        t = lft_p_error_text(error, LFT_ERR_ARG, "multiscale", "extent: expected ");
        lft_p_put_u64(&t, (uint64_t)from[mu]);
        lft_p_put(&t, ", where it begins, times a power of two, got ");
        lft_p_put_u64(&t, (uint64_t)extent[mu]);
        return LFT_ERR_ARG;
    }
    return LFT_OK;
}

/* One layer more behind a list of them. */
LFT_P_STATIC void LFT_P(scale_layer)(LFT_(layer_desc) *list, int *layers, const LFT_(layer_ops) *ops, const void *desc)
{
    list[*layers].ops  = ops;
    list[*layers].desc = desc;
    ++*layers;
}

#if LFT_GROUP != LFT_SCALAR

/* ---- 81_exact.h, code -------------------------------------------------------------------------------------------- */

#define LFT_P_HALVINGS (24 * LFT_DIM) /* an axis has at most 2^24 sites */

typedef struct LFT_P(exact_list) {
    LFT_(layer_desc)    layer[LFT_P_HALVINGS + 1];
    LFT_(doubling_desc) doubling[LFT_P_HALVINGS];
    LFT_(torus_desc)    torus;
} LFT_P(exact_list);

LFT_API size_t LFT_(exact_bytes)(void)
{
    return lft_p_arena_bytes(sizeof(LFT_P(exact_list)));
}

LFT_API lft_status LFT_(exact_desc)(LFT_(flow_desc) *desc, const int *extent, double beta, lft_arena *arena, lft_error *error)
{
    LFT_P(exact_list) *list = (LFT_P(exact_list) *)lft_arena_alloc(arena, 1, sizeof *list);
    LFT_(lattice)      lattice;
    lft_status         status = LFT_P(exact_check)(beta, "exact", error);
    int                at[LFT_DIM], mu, layers = 0;
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(&lattice, sizeof lattice);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, extent, error);
    if (status || !list) return status ? status : lft_arena_check(arena, error, "exact");
    list->torus.beta    = beta;
    list->layer[0].ops  = LFT_(torus)();
    list->layer[0].desc = &list->torus;
    for (mu = 0; mu < LFT_DIM; ++mu) at[mu] = desc->extent[mu] = 1, list->torus.target[mu] = extent[mu];
    for (;;) {
        LFT_(doubling_desc) *d = list->doubling + layers;
        int                  nu = 0;
        for (mu = 1; mu < LFT_DIM; ++mu) { /* the axis whose sites stand for most */
            if ((int64_t)extent[mu] * at[nu] > (int64_t)extent[nu] * at[mu]) nu = mu;
        }
        if (at[nu] == extent[nu]) break;
        at[nu] = 2 * at[nu] < extent[nu] ? 2 * at[nu] : extent[nu];
        d->axis = nu, d->extent = at[nu], d->conditional = LFT_CONDITIONAL_EXACT, d->beta = beta;
        for (mu = 0; mu < LFT_DIM; ++mu) d->target[mu] = extent[mu];
        layers += 1;
        list->layer[layers].ops  = LFT_(doubling)();
        list->layer[layers].desc = d;
    }
    desc->layer  = list->layer;
    desc->layers = layers + 1;
    return LFT_OK;
}

LFT_API lft_status LFT_(exact_logz)(const int *extent, double beta, double *logz, lft_arena scratch, lft_error *error)
{
    LFT_P(characters) c;
    LFT_(lattice)     lattice;
    lft_status        status = LFT_P(exact_check)(beta, "exact", error);
    lft_p_zero(&lattice, sizeof lattice);
    lft_p_zero(&c, sizeof c);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, extent, error);
    if (status) return status;
    LFT_P(characters_init)(&c, beta, &scratch);
    status = lft_arena_check(&scratch, error, "exact");
    if (!status) *logz = lattice.volume * c.log_first + lft_p_f64_p_log(LFT_P(characters_sum)(&c, lattice.volume));
    return status;
}

#undef LFT_P_HALVINGS

/* ---- 81_multiscale.h, code --------------------------------------------------------------------------------------- */

typedef struct LFT_P(scales) {
    LFT_(layer_desc)      layer[3 * LFT_P(most_doublings) + 1];
    LFT_(doubling_desc)   doubling[LFT_P(most_doublings)];
    LFT_(continuous_desc) flow[2 * LFT_P(most_doublings) + 1];
    LFT_(circle_desc)     circle[LFT_P(most_doublings)];
    double                work[4096]; /* for characters */
    int                   layers, flows, doublings;
} LFT_P(scales);

LFT_API size_t LFT_(multiscale_bytes)(void)
{
    return lft_p_arena_bytes(sizeof(LFT_P(scales)));
}

/* u of the fundamental representation, the mean of Re tr U / N of a plaquette of its own. */
LFT_P_STATIC double LFT_P(scale_mean)(LFT_P(scales) *s, double beta)
{
    LFT_P(characters) c;
    lft_arena         arena = lft_arena_of(s->work, sizeof s->work);
    LFT_P(characters_init)(&c, beta, &arena);
    return c.u ? c.u[1] : 0;
}

/* The coupling of two plaquettes in one, u(beta') = u(beta)^2, to six digits. */
LFT_P_STATIC double LFT_P(scale_pair)(LFT_P(scales) *s, double beta)
{
    const double u = LFT_P(scale_mean)(s, beta);
    double       low = 0, high = beta;
    int          i;
    for (i = 0; i < 20; ++i) {
        const double half = 0.5 * (low + high);
        if (LFT_P(scale_mean)(s, half) < u * u) low = half;
        else high = half;
    }
    return 0.5 * (low + high);
}

/* A flow of the new links of an axis, doubled = axis + 1, or of all. 0 where loops are not known. */
LFT_P_STATIC int LFT_P(scale_flow)(LFT_P(scales) *s, const LFT_(continuous_desc) *of, const int *at, int doubled, double beta,
                                   int order)
{
    LFT_(continuous_desc) *d = s->flow + s->flows;
    const int              any = doubled && LFT_DIM == 2; /* the plaquettes beside a link have it alone in common */
    int                    highest = of->order > 1 ? of->order : 1, least = 1 << 24, mu, room;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (mu != doubled - 1 && at[mu] < least) least = at[mu];
    }
    if (!doubled && least < 2) return 1;
    *d         = *of;
    d->doubled = doubled, d->beta = beta, d->order = order;
    while (!any && highest > 1 && highest >= least) --highest;
    if (d->order > highest) d->order = highest;
    room = any || !d->loops ? 0 : LFT_(continuous_loops)(doubled, least - 1);
    if (!d->loops) d->loops = LFT_(continuous_loops)(doubled, highest);
    if (room && d->loops > room) d->loops = room;
    if (!any && least == 1) d->loops = 1, d->order = 0;
    LFT_P(scale_layer)(s->layer, &s->layers, LFT_(continuous)(), d);
    ++s->flows;
    return d->loops > 0;
}

/* The prior's extents. */
LFT_P_STATIC void LFT_P(scale_from)(const LFT_(multiscale_desc) *of, int *from)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        from[mu] = of->from[mu] ? of->from[mu] : LFT_DIM == 2 ? 1 : of->extent[mu];
        while (!of->from[mu] && LFT_DIM > 2 && from[mu] % 2 == 0 && from[mu] > 2) from[mu] /= 2;
    }
}

/* The mean coupling of the plaquettes along an axis, or of all (axis < 0); and what they are on the lattice before. */
LFT_P_STATIC double LFT_P(scale_coupling)(double (*beta)[LFT_DIM], int axis)
{
    double sum = 0;
    int    mu, nu, n = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < mu; ++nu) {
            if (axis < 0 || mu == axis || nu == axis) sum += beta[mu][nu], ++n;
        }
    }
    return sum / n;
}

LFT_P_STATIC void LFT_P(scale_back)(LFT_P(scales) *s, double (*beta)[LFT_DIM], int axis)
{
    double was = -1, is = 0;
    int    mu, nu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < mu; ++nu) {
            double *b = beta[mu] + nu;
            if (mu != axis && nu != axis) {
                *b *= 2;
                continue;
            }
            if (*b < was || *b > was) was = *b, is = LFT_P(scale_pair)(s, was);
            *b = is;
        }
    }
}

/* All layers, or those of the first `part` doublings if it is not -1; *mean: the mean coupling there. */
LFT_P_STATIC lft_status LFT_P(scale_list)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, int part, double *mean,
                                          lft_arena *arena, lft_error *error)
{
    LFT_P(scales) *s = (LFT_P(scales) *)lft_arena_alloc(arena, 1, sizeof *s);
    LFT_(lattice)  lattice;
    double         beta[LFT_DIM][LFT_DIM], of_scale[LFT_P(most_doublings) + 1];
    lft_status     status;
    int            axis[LFT_P(most_doublings) + 1], at[LFT_DIM], doublings, i, mu, nu, known = 1;
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(&lattice, sizeof lattice);
    status = LFT_P_SIGNED(lattice_init)(&lattice, of->extent, error);
    LFT_P(scale_from)(of, at);
    if (!status) status = LFT_P(scale_axes)(at, of->extent, axis, &doublings, error);
    if (!status && (!lft_finite(of->flow.beta) || of->flow.beta < 0 || of->flow.beta > 100)) {
        status = lft_p_fail_got(error, LFT_ERR_ARG, "multiscale", "beta", "0 to 100", of->flow.beta);
    }
    if (status || !s) return status ? status : lft_arena_check(arena, error, "multiscale");
    for (mu = 0; mu < LFT_DIM; ++mu) {
        desc->extent[mu] = at[mu];
        for (nu = 0; nu < LFT_DIM; ++nu) beta[mu][nu] = of->flow.beta;
    }
    if (part > doublings) return lft_p_fail_got(error, LFT_ERR_ARG, "multiscale", "doublings", "as many as there are", part);
    if (part < 0) part = doublings;
    for (i = doublings; i-- > 0; LFT_P(scale_back)(s, beta, axis[i])) {
        if (i + 1 == part) *mean = LFT_P(scale_coupling)(beta, -1);
        of_scale[i] = LFT_P(scale_coupling)(beta, axis[i]);
    }
    if (!part) *mean = LFT_P(scale_coupling)(beta, -1);
    known = LFT_P(scale_flow)(s, &of->flow, at, 0, LFT_P(scale_coupling)(beta, -1), of->flow.order);
    for (i = 0; i < part; ++i) {
        LFT_(doubling_desc) *d = s->doubling + i;
        d->axis = axis[i], d->extent = at[axis[i]] *= 2, d->fixed_gauge = of->fixed_gauge;
        LFT_P(scale_layer)(s->layer, &s->layers, LFT_(doubling)(), d);
        if (of->harmonics) {
            LFT_(circle_desc) *c = s->circle + i;
            c->doubled = axis[i] + 1, c->harmonics = of->harmonics, c->beta = of->flow.order ? of_scale[i] : 0;
            LFT_P(scale_layer)(s->layer, &s->layers, LFT_(circle)(), c);
        } else known = LFT_P(scale_flow)(s, &of->flow, at, axis[i] + 1, of_scale[i], of->flow.order) && known;
        if (of->refine) known = LFT_P(scale_flow)(s, &of->flow, at, 0, 0, 0) && known;
    }
    if (!known) return lft_p_fail(error, LFT_ERR_ARG, "multiscale", "expected an order whose loops there is room for");
    if (!s->layers) return lft_p_fail(error, LFT_ERR_ARG, "multiscale", "expected extents to double, got none");
    desc->layer  = s->layer;
    desc->layers = s->layers;
    return LFT_OK;
}

LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error)
{
    double mean;
    return LFT_P(scale_list)(desc, of, -1, &mean, arena, error);
}

LFT_API lft_status LFT_(multiscale_part)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, int doublings, double *beta,
                                         lft_arena *arena, lft_error *error)
{
    *beta = 0;
    if (doublings < 0) return lft_p_fail_got(error, LFT_ERR_ARG, "multiscale", "doublings", "at least 0", doublings);
    return LFT_P(scale_list)(desc, of, doublings, beta, arena, error);
}

#else

/* ---- 81_scalar_multiscale.h, code -------------------------------------------------------------------------------- */

typedef struct LFT_P(scales) {
    LFT_(layer_desc)      layer[2 * LFT_P(most_doublings) + 1];
    LFT_(doubling_desc)   doubling[LFT_P(most_doublings)];
    LFT_(continuous_desc) flow; /* of all of them */
    int                   layers;
} LFT_P(scales);

LFT_API size_t LFT_(multiscale_bytes)(void)
{
    return lft_p_arena_bytes(sizeof(LFT_P(scales)));
}

/* Has every axis as far to go as the others? */
LFT_P_STATIC int LFT_P(scale_is_even)(const int *at, const int *extent)
{
    int mu, even = 1;
    for (mu = 1; mu < LFT_DIM; ++mu) even = even && (int64_t)extent[mu] * at[0] == (int64_t)extent[0] * at[mu];
    return even;
}

LFT_API lft_status LFT_(multiscale)(LFT_(flow_desc) *desc, const LFT_(multiscale_desc) *of, lft_arena *arena, lft_error *error)
{
    LFT_P(scales) *s = (LFT_P(scales) *)lft_arena_alloc(arena, 1, sizeof *s);
    LFT_(lattice)  lattice;
    lft_status     status;
    int            axis[LFT_P(most_doublings) + 1], at[LFT_DIM] = {0}, doublings = 0, i, mu; /* gcc 12 sees a path without */
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(&lattice, sizeof lattice);
    status = LFT_P_SIGNED(lattice_init)(&lattice, of->extent, error);
    for (mu = 0; mu < LFT_DIM && !status; ++mu) {
        at[mu] = of->from[mu] ? of->from[mu] : of->extent[mu];
        while (!of->from[mu] && at[mu] % 2 == 0 && at[mu] > 4) at[mu] /= 2;
        if (at[mu] < 1) status = lft_p_fail_got(error, LFT_ERR_ARG, "multiscale", "from", "integers >= 1", at[mu]);
    }
    if (!status) status = LFT_P(scale_axes)(at, of->extent, axis, &doublings, error);
    if (status || !s) return status ? status : lft_arena_check(arena, error, "multiscale");
    if (!doublings) return lft_p_fail(error, LFT_ERR_ARG, "multiscale", "expected extents to double, got none");
    s->flow = of->flow;
    for (mu = 0; mu < LFT_DIM; ++mu) desc->extent[mu] = at[mu], desc->prior_target[mu] = of->extent[mu];
    desc->prior_mass2 = of->mass2;
    LFT_P(scale_layer)(s->layer, &s->layers, LFT_(continuous)(), &s->flow);
    for (i = 0; i < doublings; ++i) {
        LFT_(doubling_desc) *d = s->doubling + i;
        d->axis = axis[i], d->sines = of->sines, d->mass2 = of->mass2;
        for (mu = 0; mu < LFT_DIM; ++mu) d->target[mu] = of->extent[mu];
        at[axis[i]] *= 2;
        LFT_P(scale_layer)(s->layer, &s->layers, LFT_(doubling)(), d);
        if (of->refine || i + 1 == doublings || LFT_P(scale_is_even)(at, of->extent)) {
            LFT_P(scale_layer)(s->layer, &s->layers, LFT_(continuous)(), &s->flow);
        }
    }
    desc->layer  = s->layer;
    desc->layers = s->layers;
    return LFT_OK;
}

#endif

/* ---- 81_transfer.h, code ----------------------------------------------------------------------------------------- */

/* Parameters of layer i. */
LFT_P_STATIC size_t LFT_P(transfer_count)(const LFT_(flow) *flow, int i)
{
    const size_t end = LFT_P(flow_state_of)(flow)->parameters;
    return (i + 1 < flow->layers ? flow->layer[i + 1].params : end) - flow->layer[i].params;
}

/* Layer i of `from` against the same one, seen from the last. */
LFT_P_STATIC lft_status LFT_P(transfer_check)(LFT_(flow) *flow, const LFT_(flow) *from, int i)
{
    const int          at = flow->layers - from->layers + i;
    const LFT_(layer) *layer = flow->layer + at, *other = from->layer + i;
    int64_t            own[LFT_P_SPEC_MOST], others[LFT_P_SPEC_MOST];
    int                n, k;
    if (layer->ops != other->ops) {
        return lft_p_fail_text(&flow->error, LFT_ERR_MISMATCH, "transfer", "layer", layer->ops->kind, other->ops->kind);
    }
    n = layer->ops->spec && LFT_P(transfer_count)(flow, at) ? layer->ops->spec(layer, own) : 0;
    if (n && other->ops->spec(other, others) != n) own[0] = others[0] + 1;
    if (layer->steps) n -= 2;
    for (k = 0; k < n && own[k] == others[k];) ++k;
    if (k < n) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "transfer", "layer",
                              "the same shape in both flows; they differ in number of the specification", k);
    }
    if (layer->ops->transfer || LFT_P(transfer_count)(flow, at) == LFT_P(transfer_count)(from, i)) return LFT_OK;
    return lft_p_fail_text(&flow->error, LFT_ERR_MISMATCH, "transfer", "layer", "one that transfers to other extents",
                           layer->ops->kind);
}

LFT_API lft_status LFT_(flow_transfer)(LFT_(flow) *flow, const LFT_(flow) *from)
{
    const LFT_P(prior) *prior = &LFT_P(flow_state_of)(flow)->prior, *other = &LFT_P(flow_state_of)(from)->prior;
    const double       *source = LFT_P(flow_state_of)(from)->theta;
    double             *theta  = flow->params.value;
    const size_t        count  = LFT_P(flow_state_of)(flow)->parameters;
    int                 i, more = flow->layers - from->layers, draws = 0;
    for (i = 0; i < flow->layers; ++i) draws += flow->layer[i].ops->draw != NULL;
    if (more < 0 || (more && !draws)) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "transfer", "layers", "the same number in both flows", from->layers);
    }
    if (prior->kind != other->kind) {
        return lft_p_fail(&flow->error, LFT_ERR_MISMATCH, "transfer", "the flows have different kinds of prior");
    }
    for (i = 0; i < from->layers; ++i) {
        if (LFT_P(transfer_check)(flow, from, i)) return LFT_ERR_MISMATCH;
    }
    LFT_P(prior_transfer)(prior, theta, other, source);
    for (i = 0; i < from->layers; ++i) {
        const LFT_(layer) *layer = flow->layer + more + i, *theirs = from->layer + i;
        if (layer->ops->transfer) layer->ops->transfer(layer, theta, theirs, source);
        else {
            lft_p_copy(theta + layer->params, source + theirs->params, LFT_P(transfer_count)(from, i) * sizeof(double));
        }
    }
    lft_p_zero(theta + count, (flow->params.count - count) * sizeof(double));
    LFT_(flow_prepare)(flow);
    return LFT_OK;
}

/* ---- 82_carry.h, code -------------------------------------------------------------------------------------------- */

LFT_API lft_status LFT_(flow_carry)(LFT_(flow) *flow, const LFT_(theory) *from, const LFT_(theory) *to, const LFT_(batch) *x,
                                    LFT_(batch) *y, double *logw)
{
    double     before[LFT_P_LANES], after[LFT_P_LANES];
    lft_status status;
    int        g, l;
    if (x->data == y->data) return lft_p_fail(&flow->error, LFT_ERR_ARG, "flow_carry", "expected two batches, got one: x is kept");
    status = LFT_(flow_map)(flow, x, y, logw);
    for (g = 0; g < x->groups && !status; ++g) {
        from->action(from, &x->lattice, LFT_P(group)(x, g), before, NULL);
        to->action(to, &y->lattice, LFT_P(group)(y, g), after, NULL);
        for (l = 0; l < LFT_P_LANES && g * LFT_P_LANES + l < x->n; ++l) logw[g * LFT_P_LANES + l] += before[l] - after[l];
    }
    return status;
}

/* ---- 82_metropolis.h, code --------------------------------------------------------------------------------------- */

LFT_P_STATIC lft_status LFT_P(chain_layout)(LFT_(chain) *chain, const LFT_(lattice) *lattice,
                                            const LFT_(chain_desc) *desc, lft_arena *arena, lft_error *error)
{
    const int    chains = desc->chains ? desc->chains : 64;
    const size_t n      = (size_t)(chains > 0 ? chains : 0);
    lft_status   status;
    lft_p_zero(chain, sizeof *chain);
    chain->chains = chains;
    chain->seed   = desc->seed;
    status        = LFT_(batch_init)(&chain->x, lattice, chains, arena, error);
    if (status && status != LFT_ERR_NOMEM) return status;
    (void)LFT_(batch_init)(&chain->proposal, lattice, chains, arena, NULL);
    chain->logw          = (double *)lft_arena_alloc(arena, n, sizeof(double));
    chain->proposal_logw = (double *)lft_arena_alloc(arena, n, sizeof(double));
    chain->run           = (uint64_t *)lft_arena_alloc(arena, n, sizeof(uint64_t));
    return lft_arena_check(arena, error, "chain"); /* with the need of all */
}

LFT_API size_t LFT_(chain_bytes)(const LFT_(lattice) *lattice, const LFT_(chain_desc) *desc)
{
    LFT_(chain) chain;
    lft_arena   measure = lft_arena_measure();
    return LFT_P(chain_layout)(&chain, lattice, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

/* Does chain i move to its proposal? While the chains are started, those without a configuration take what is finite. */
LFT_P_STATIC int LFT_P(chain_moves)(const LFT_(chain) *chain, int i)
{
    const double   d = chain->proposal_logw[i] - chain->logw[i];
    const uint64_t number = chain->rounds * (uint64_t)chain->chains + (uint64_t)i;
    if (!lft_finite(chain->proposal_logw[i])) return 0;
    if (!lft_finite(chain->logw[i])) return 1;
    if (!chain->steps) return 0;
    return d >= 0 || lft_uniform(lft_draw_of(chain->seed, LFT_DRAW_ACCEPT, number, 0), 0) < lft_p_f64_p_exp(d);
}

/* One group of proposals: their log-weights out of log q, the decisions, and the moves. */
LFT_P_STATIC void LFT_P(chain_task)(void *context, int group, int thread)
{
    LFT_(chain)   *chain = (LFT_(chain) *)context;
    const lft_v   *from  = LFT_P(view)(LFT_P(group)(&chain->proposal, group));
    lft_v         *to    = LFT_P(view)(LFT_P(group)(&chain->x, group));
    double         S[LFT_P_LANES], moves[LFT_P_LANES];
    const size_t   n     = LFT_P(field_vectors)(&chain->x.lattice);
    lft_m          mask;
    size_t         x;
    int            l, any = 0;
    (void)thread;
    chain->theory->action(chain->theory, &chain->x.lattice, (const lft_real *)from, S, NULL);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int i = group * LFT_P_LANES + l;
        moves[l]    = 0;
        if (i >= chain->chains) continue;
        chain->proposal_logw[i] = -S[l] - chain->proposal_logw[i];
        chain->run[i] += 1;
        if (!LFT_P(chain_moves)(chain, i)) continue;
        chain->logw[i] = chain->proposal_logw[i];
        chain->run[i]  = 0;
        moves[l]       = 1;
        any            = 1;
    }
    mask = LFT_P(lt)(lft_splat(0), LFT_P(from_wide)(moves));
    for (x = 0; any && x < n; ++x) to[x] = lft_sel(mask, from[x], to[x]);
}

/* One round of proposals. A flow that overflows in one lane has still computed the others: their log-weights tell. */
LFT_P_STATIC lft_status LFT_P(chain_round)(LFT_(chain) *chain)
{
    const uint64_t first  = chain->rounds * (uint64_t)chain->chains;
    lft_status     status = LFT_(flow_sample)(chain->flow, chain->seed, first, &chain->proposal, chain->proposal_logw);
    int            i;
    if (status && status != LFT_ERR_NONFINITE) {
        chain->error = chain->flow->error;
        return status;
    }
    lft_p_pool_run(&chain->flow->pool, chain->x.groups, LFT_P(chain_task), chain);
    chain->rounds += 1;
    for (i = 0; i < chain->chains; ++i) {
        if (!lft_finite(chain->proposal_logw[i])) chain->nonfinite += 1;
    }
    return LFT_OK;
}

LFT_P_STATIC int LFT_P(chain_missing)(const LFT_(chain) *chain)
{
    int i, missing = 0;
    for (i = 0; i < chain->chains; ++i) missing += !lft_finite(chain->logw[i]);
    return missing;
}

LFT_API lft_status LFT_(chain_init)(LFT_(chain) *chain, LFT_(flow) *flow, const LFT_(theory) *theory,
                                    const LFT_(chain_desc) *desc, lft_arena *arena, lft_error *error)
{
    const int  most   = 1000;
    lft_status status = LFT_P(chain_layout)(chain, &flow->lattice, desc, arena, error);
    int        i, missing = chain->chains;
    chain->flow   = flow;
    chain->theory = theory;
    if (status || lft_arena_measuring(arena)) return status;
    for (i = 0; i < chain->chains; ++i) lft_p_set_nan(chain->logw + i); /* has no configuration yet */
    for (i = 0; i < most && missing && !status; ++i) {
        status  = LFT_P(chain_round)(chain);
        missing = LFT_P(chain_missing)(chain);
    }
    if (!status && missing) {
        status = lft_p_fail_got(&chain->error, LFT_ERR_NONFINITE, "chain",
                                "chains without a proposal of finite log-weight in 1000 rounds", "0", missing);
    }
    if (status && error) *error = chain->error;
    for (i = 0; i < chain->chains; ++i) chain->run[i] = 0;
    return status;
}

LFT_API lft_status LFT_(chain_next)(LFT_(chain) *chain)
{
    lft_status status;
    int        i;
    chain->steps += 1;
    status = LFT_P(chain_round)(chain);
    if (status) {
        chain->steps -= 1;
        return status;
    }
    for (i = 0; i < chain->chains; ++i) {
        if (!chain->run[i]) chain->accepted += 1;
        if (chain->run[i] > chain->longest) chain->longest = chain->run[i];
    }
    return LFT_OK;
}

/* The room of the last proposals, which are over, takes the new log-weights until they are known to be good. */
LFT_API lft_status LFT_(chain_start)(LFT_(chain) *chain, const LFT_(batch) *x)
{
    double    *logw = chain->proposal_logw, S[LFT_P_LANES];
    lft_status status;
    int        g, l, i;
    if (x->n != chain->chains) {
        return lft_p_fail_got(&chain->error, LFT_ERR_MISMATCH, "chain", "configurations to start from", "one per chain", x->n);
    }
    status = LFT_(flow_logq)(chain->flow, x, logw);
    if (status) {
        chain->error = chain->flow->error;
        return status;
    }
    for (g = 0; g < x->groups; ++g) {
        chain->theory->action(chain->theory, &x->lattice, LFT_P(group)(x, g), S, NULL);
        for (l = 0; l < LFT_P_LANES && g * LFT_P_LANES + l < x->n; ++l) {
            i       = g * LFT_P_LANES + l;
            logw[i] = -S[l] - logw[i];
            if (lft_finite(logw[i])) continue;
            return lft_p_fail_got(&chain->error, LFT_ERR_NONFINITE, "chain", "log-weight", "a finite number in chain", i);
        }
    }
    lft_p_copy(chain->logw, logw, (size_t)chain->chains * sizeof(double));
    lft_p_copy(chain->x.data, x->data, LFT_P(group_reals)(x) * (size_t)x->groups * sizeof(lft_real));
    for (i = 0; i < chain->chains; ++i) chain->run[i] = 0;
    return LFT_OK;
}

/* ---- 83_hmc.h, code ---------------------------------------------------------------------------------------------- */

/* What one thread works in. */
typedef struct LFT_P(hmc_work) {
    lft_v  *phi, *pi, *dS; /* one group: field, momenta, gradient of S */
    double *normal;        /* as many as momenta */
    int     failed;        /* 1 + the first chain that failed, 0 for none */
    int     accepted;
    double  dphi, dH;      /* the worst so far: reversibility */
} LFT_P(hmc_work);

typedef struct LFT_P(hmc_state) {
    LFT_P(hmc_work) *work; /* [threads] */
    int              threads;
} LFT_P(hmc_state);

/* What the tasks of one trajectory share. */
typedef struct LFT_P(hmc_job) {
    LFT_(hmc) *hmc;
    uint32_t   trajectory; /* counted from 1; draw 0 is the start */
    double     step;
    int        steps;
} LFT_P(hmc_job);

static inline LFT_P(hmc_state) *LFT_P(hmc_state_of)(const LFT_(hmc) *hmc)
{
    return (LFT_P(hmc_state) *)hmc->state;
}

/* ---- setting up --------------------------------------------------------------------------------------------------- */

static inline lft_status LFT_P(hmc_defaults)(LFT_(hmc_desc) *d, lft_error *error)
{
    if (!d->chains) d->chains = 64;
    if (!d->integrator) d->integrator = LFT_OMELYAN;
    if (!d->start) d->start = LFT_START_COLD;
    if (d->length <= 0 && d->length >= 0) d->length = 1;
    if (d->jitter <= 0) d->jitter = d->jitter < 0 ? 0 : 0.2;
    if (d->acceptance <= 0 && d->acceptance >= 0) d->acceptance = 0.8;
    if (d->integrator != LFT_LEAPFROG && d->integrator != LFT_OMELYAN && d->integrator != LFT_FOURTH) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "integrator", "1 (leapfrog), 2 (Omelyan) or 3 (fourth order)",
                              (int)d->integrator);
    }
    if (d->start != LFT_START_COLD && d->start != LFT_START_HOT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "start", "1 (cold) or 2 (hot)", (int)d->start);
    }
    if (!(d->length > 0) || !lft_finite(d->length)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "length", "a number > 0", d->length);
    }
    if (!(d->jitter < 1) || !lft_finite(d->jitter)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "jitter", "a number < 1", d->jitter);
    }
    if (d->steps < 0) return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "steps", "an integer >= 0", d->steps);
    if (!(d->acceptance > 0 && d->acceptance < 1) || !lft_finite(d->acceptance)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "hmc", "acceptance", "between 0 and 1", d->acceptance);
    }
    return LFT_OK;
}

static inline lft_status LFT_P(hmc_layout)(LFT_(hmc) *hmc, const LFT_(hmc_desc) *desc, lft_arena *arena,
                                           lft_error *error)
{
    LFT_P(hmc_state) *s = (LFT_P(hmc_state) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    LFT_(lattice)     lattice;
    lft_status        status;
    size_t            volume;
    int               i;
    lft_p_zero(hmc, sizeof *hmc);
    lft_p_zero(&lattice, sizeof lattice);
    hmc->desc  = *desc;
    hmc->state = s;
    status     = LFT_P(hmc_defaults)(&hmc->desc, error);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, desc->extent, error);
    if (!status) status = LFT_(batch_init)(&hmc->x, &lattice, hmc->desc.chains, arena, error);
    if (status && status != LFT_ERR_NOMEM) return status; /* the check below has the need of all */
    if (!s) s = &local;
    volume     = (size_t)lattice.volume;
    hmc->dH    = (double *)lft_arena_alloc(arena, (size_t)hmc->desc.chains, sizeof(double));
    hmc->steps = hmc->desc.steps ? hmc->desc.steps : 10;
    s->threads = lft_p_pool_threads(&hmc->desc.pool);
    s->work    = (LFT_P(hmc_work) *)lft_arena_alloc(arena, (size_t)s->threads, sizeof *s->work);
    for (i = 0; i < s->threads; ++i) {
        LFT_P(hmc_work) first, *w = s->work ? s->work + i : &first;
        w->phi    = LFT_P(vectors)(arena, volume * LFT_P_SITE);
        w->pi     = LFT_P(vectors)(arena, volume * LFT_P_FORCES);
        w->dS     = LFT_P(vectors)(arena, volume * LFT_P_FORCES);
        w->normal = (double *)lft_arena_take(arena, volume * LFT_P_FORCES, sizeof(double));
    }
    return lft_arena_check(arena, error, "hmc");
}

static inline void LFT_P(hmc_hot_task)(void *context, int group, int thread)
{
    const LFT_P(hmc_job) *job = (const LFT_P(hmc_job) *)context;
    LFT_(hmc)            *hmc = job->hmc;
    (void)thread;
    LFT_P(group_haar)(lft_draw_of(hmc->desc.seed, LFT_DRAW_INIT, (uint64_t)group * LFT_P_LANES, 0), &hmc->x.lattice,
                      LFT_P(view)(LFT_P(group)(&hmc->x, group)));
}

LFT_API lft_status LFT_P_SIGNED(hmc_init)(LFT_(hmc) *hmc, const LFT_(theory) *theory, const LFT_(hmc_desc) *desc,
                                          lft_arena *arena, lft_error *error)
{
    LFT_P(hmc_job) job;
    lft_status     status = LFT_P(hmc_layout)(hmc, desc, arena, error);
    hmc->theory = theory;
    if (status || lft_arena_measuring(arena)) return status;
    job.hmc = hmc;
    if (hmc->desc.start == LFT_START_HOT) {
        lft_p_pool_run(&hmc->desc.pool, hmc->x.groups, LFT_P(hmc_hot_task), &job);
    }
    return LFT_OK;
}

LFT_API size_t LFT_(hmc_bytes)(const LFT_(hmc_desc) *desc)
{
    LFT_(hmc) hmc;
    lft_arena measure = lft_arena_measure();
    return LFT_P(hmc_layout)(&hmc, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

LFT_API lft_status LFT_(hmc_start)(LFT_(hmc) *hmc, const LFT_(batch) *x)
{
    return LFT_P(batch_start)(&hmc->x, x, "hmc", &hmc->error);
}

/* ---- one group ------------------------------------------------------------------------------------------------------ */

/* P(a) and Q(b) of n links in one sweep */
LFT_P_INLINE void LFT_P(hmc_kick)(lft_v *phi, lft_v *pi, const lft_v *dS, double a, double b, int n)
{
    const lft_real ra = (lft_real)a, rb = (lft_real)b;
    int            i, k;
    for (i = 0; i < n; ++i, phi += LFT_P_LINK, pi += LFT_P_ALGEBRA, dS += LFT_P_ALGEBRA) {
        for (k = 0; k < LFT_P_ALGEBRA; ++k) pi[k] -= ra * dS[k];
        LFT_P(move)(phi, pi, rb);
    }
}

/* K[lane] = sum pi^2 / 2 of n numbers */
static inline void LFT_P(hmc_kinetic)(const lft_v *pi, int n, double *K)
{
    int x, l, end;
    for (l = 0; l < LFT_P_LANES; ++l) K[l] = 0;
    for (x = 0; x < n;) {
        lft_v part = lft_splat(0);
        for (end = x + LFT_P_CHUNK < n ? x + LFT_P_CHUNK : n; x < end; ++x) part += pi[x] * pi[x];
        LFT_P(add_wide)(K, part);
    }
    for (l = 0; l < LFT_P_LANES; ++l) K[l] *= 0.5;
}

/* The kicks of one step and the drifts between them, in units of it; the last kick of a step and the first of the next are
 * one. */
typedef struct LFT_P(hmc_scheme) {
    int    kicks; /* of a step, the last one not counted */
    double kick[6], drift[5];
} LFT_P(hmc_scheme);

static inline const LFT_P(hmc_scheme) *LFT_P(hmc_scheme_of)(lft_integrator integrator)
{
    static const LFT_P(hmc_scheme) table[] = {
        {1, {0.5, 0.5, 0, 0, 0, 0}, {1, 0, 0, 0, 0}},
        {2, {0.1931833275037836, 0.6136333449924328, 0.1931833275037836, 0, 0, 0}, {0.5, 0.5, 0, 0, 0}},
        {5,
         {0.08398315262876693, 0.6822365335719091, -0.26621968620067603, -0.26621968620067603, 0.6822365335719091,
          0.08398315262876693},
         {0.2539785108410595, -0.03230286765269967, 0.55664871362328034, -0.03230286765269967, 0.2539785108410595}}};
    return table + (integrator - LFT_LEAPFROG);
}

/* A trajectory of w->phi, w->pi; H[lane] at its two ends. */
static inline void LFT_P(hmc_integrate)(const LFT_P(hmc_job) *job, LFT_P(hmc_work) *w, double *H0, double *H1)
{
    const LFT_(hmc)          *hmc     = job->hmc;
    const LFT_(lattice)      *lattice = &hmc->x.lattice;
    const LFT_P(hmc_scheme)  *scheme  = LFT_P(hmc_scheme_of)(hmc->desc.integrator);
    const int                 links = lattice->volume * LFT_P_LINKS, reals = lattice->volume * LFT_P_FORCES;
    const double              h = job->step, last = scheme->kick[scheme->kicks];
    double                    S[LFT_P_LANES], K[LFT_P_LANES];
    int                       step, i, l;
    LFT_P(hmc_kinetic)(w->pi, reals, K);
    hmc->theory->action(hmc->theory, lattice, (const lft_real *)w->phi, S, (lft_real *)w->dS);
    for (l = 0; l < LFT_P_LANES; ++l) H0[l] = S[l] + K[l];
    for (step = 0; step < job->steps; ++step) {
        for (i = 0; i < scheme->kicks; ++i) {
            const double kick = scheme->kick[i] + (i == 0 && step > 0 ? last : 0);
            LFT_P(hmc_kick)(w->phi, w->pi, w->dS, h * kick, h * scheme->drift[i], links);
            hmc->theory->action(hmc->theory, lattice, (const lft_real *)w->phi, S, (lft_real *)w->dS);
        }
    }
    for (i = 0; i < reals; ++i) w->pi[i] -= (lft_real)(h * last) * w->dS[i];
    LFT_P(hmc_kinetic)(w->pi, reals, K);
    for (l = 0; l < LFT_P_LANES; ++l) H1[l] = S[l] + K[l];
}

/* The group's configurations and new momenta into w. */
static inline void LFT_P(hmc_begin)(const LFT_P(hmc_job) *job, int group, LFT_P(hmc_work) *w)
{
    const LFT_(hmc) *hmc    = job->hmc;
    const lft_draw   d =
        lft_draw_of(hmc->desc.seed, LFT_DRAW_MOMENTA, (uint64_t)group * LFT_P_LANES, job->trajectory);
    lft_p_copy(w->phi, LFT_P(group)(&hmc->x, group), LFT_P(group_reals)(&hmc->x) * sizeof(lft_real));
    LFT_P(group_normals)(d, hmc->x.lattice.volume * LFT_P_FORCES, w->pi, w->normal);
}

static inline void LFT_P(hmc_note)(LFT_P(hmc_work) *w, int chain)
{
    if (!w->failed || chain + 1 < w->failed) w->failed = chain + 1;
}

static inline void LFT_P(hmc_task)(void *context, int group, int thread)
{
    const LFT_P(hmc_job) *job = (const LFT_P(hmc_job) *)context;
    LFT_(hmc)            *hmc = job->hmc;
    LFT_P(hmc_work)      *w   = LFT_P(hmc_state_of)(hmc)->work + thread;
    lft_v                *to  = LFT_P(view)(LFT_P(group)(&hmc->x, group));
    double                H0[LFT_P_LANES], H1[LFT_P_LANES], moves[LFT_P_LANES];
    lft_m                 mask;
    int                   l, x;
    LFT_P(hmc_begin)(job, group, w);
    LFT_P(hmc_integrate)(job, w, H0, H1);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const int      c  = group * LFT_P_LANES + l;
        const double   dH = H1[l] - H0[l];
        const lft_draw d  = lft_draw_of(hmc->desc.seed, LFT_DRAW_ACCEPT, (uint64_t)c, job->trajectory);
        moves[l]          = 0;
        if (c >= hmc->x.n) continue;
        hmc->dH[c] = dH;
        if (!lft_finite(H0[l])) LFT_P(hmc_note)(w, c);
        if (!lft_finite(dH) || (dH > 0 && lft_uniform(d, 0) >= lft_p_f64_p_exp(-dH))) continue;
        moves[l] = 1;
        w->accepted += 1;
    }
    mask = LFT_P(lt)(lft_splat(0), LFT_P(from_wide)(moves));
    for (x = 0; x < hmc->x.lattice.volume * LFT_P_LINKS; ++x) LFT_P(unit)(w->phi + x * LFT_P_LINK);
    for (x = 0; x < hmc->x.lattice.volume * LFT_P_SITE; ++x) to[x] = lft_sel(mask, w->phi[x], to[x]);
}

/* There and back: w->phi returns to the configuration, and H with it. */
static inline void LFT_P(hmc_return_task)(void *context, int group, int thread)
{
    const LFT_P(hmc_job) *job  = (const LFT_P(hmc_job) *)context;
    const LFT_(batch)    *x    = &job->hmc->x;
    LFT_P(hmc_work)      *w    = LFT_P(hmc_state_of)(job->hmc)->work + thread;
    const lft_real       *was  = LFT_P(group)(x, group), *is = (const lft_real *)w->phi;
    const int             left = x->n - group * LFT_P_LANES, used = left < LFT_P_LANES ? left : LFT_P_LANES;
    double                H0[LFT_P_LANES], H1[LFT_P_LANES], H2[LFT_P_LANES];
    int                   l, i;
    LFT_P(hmc_begin)(job, group, w);
    LFT_P(hmc_integrate)(job, w, H0, H1);
    for (i = 0; i < x->lattice.volume * LFT_P_FORCES; ++i) w->pi[i] = -w->pi[i];
    LFT_P(hmc_integrate)(job, w, H1, H2);
    for (l = 0; l < used; ++l) {
        double d = H2[l] - H0[l];
        if (!lft_finite(d)) LFT_P(hmc_note)(w, group * LFT_P_LANES + l);
        d     = d < 0 ? -d : d;
        w->dH = d > w->dH ? d : w->dH;
        for (i = 0; i < x->lattice.volume * LFT_P_SITE; ++i) {
            d       = (double)is[i * LFT_P_LANES + l] - (double)was[i * LFT_P_LANES + l];
            d       = d < 0 ? -d : d;
            w->dphi = d > w->dphi ? d : w->dphi;
        }
    }
}

/* ---- all chains ----------------------------------------------------------------------------------------------------- */

/* Runs the next trajectory with this step, but for jitter. LFT_ERR_NONFINITE and its text if a chain failed. */
static inline lft_status LFT_P(hmc_run)(LFT_(hmc) *hmc, double step, int steps, lft_task task)
{
    LFT_P(hmc_state) *s = LFT_P(hmc_state_of)(hmc);
    LFT_P(hmc_job)    job;
    double            u;
    int               i, failed = 0;
    job.hmc        = hmc;
    job.trajectory = (uint32_t)hmc->drawn + 1;
    job.steps      = steps;
    /* the number of a chain that there never is */
    u        = lft_uniform(lft_draw_of(hmc->desc.seed, LFT_DRAW_MOMENTA, ((uint64_t)1 << 56) - 1, job.trajectory), 0);
    job.step = step * (1 + hmc->desc.jitter * (2 * u - 1));
    for (i = 0; i < s->threads; ++i) {
        s->work[i].failed = s->work[i].accepted = 0;
        s->work[i].dphi = s->work[i].dH = 0;
    }
    lft_p_pool_run(&hmc->desc.pool, hmc->x.groups, task, &job);
    for (i = 0; i < s->threads; ++i) {
        const int f = s->work[i].failed;
        if (f && (!failed || f < failed)) failed = f;
    }
    if (!failed) return LFT_OK;
    return lft_p_fail_got(&hmc->error, LFT_ERR_NONFINITE, "hmc", "first chain whose energy is not finite", "none",
                          failed - 1);
}

/* One trajectory of every chain; the mean of min(1, exp(-dH)). */
static inline lft_status LFT_P(hmc_step)(LFT_(hmc) *hmc, double step, int steps, double *probability)
{
    LFT_P(hmc_state) *s      = LFT_P(hmc_state_of)(hmc);
    lft_status        status = LFT_P(hmc_run)(hmc, step, steps, LFT_P(hmc_task));
    double            sum = 0;
    int               i;
    for (i = 0; i < s->threads; ++i) hmc->accepted += (uint64_t)s->work[i].accepted;
    for (i = 0; i < hmc->x.n; ++i) {
        const double e = lft_finite(hmc->dH[i]) ? lft_p_f64_p_exp(-hmc->dH[i]) : 0;
        if (!lft_finite(hmc->dH[i])) hmc->nonfinite += 1;
        hmc->exp_dH += e;
        sum += e < 1 ? e : 1;
    }
    hmc->drawn += 1;
    hmc->trajectories += 1;
    *probability = sum / hmc->x.n;
    return status;
}

LFT_API lft_status LFT_(hmc_next)(LFT_(hmc) *hmc)
{
    double probability;
    return LFT_P(hmc_step)(hmc, hmc->desc.length / hmc->steps, hmc->steps, &probability);
}

LFT_API lft_status LFT_(hmc_reversibility)(LFT_(hmc) *hmc, double *dphi, double *dH)
{
    LFT_P(hmc_state) *s = LFT_P(hmc_state_of)(hmc);
    lft_status        status =
        LFT_P(hmc_run)(hmc, hmc->desc.length / hmc->steps, hmc->steps, LFT_P(hmc_return_task));
    int i;
    for (*dphi = *dH = 0, i = 0; i < s->threads; ++i) {
        if (s->work[i].dphi > *dphi) *dphi = s->work[i].dphi;
        if (s->work[i].dH > *dH) *dH = s->work[i].dH;
    }
    return status;
}

/* ---- tuning --------------------------------------------------------------------------------------------------------- */

#define LFT_P_HMC_MOST_STEPS 10000

/* Steps of this size that a trajectory of the chosen length takes, rounded after adding `up`. */
static inline int LFT_P(hmc_steps_of)(const LFT_(hmc) *hmc, double step, double up)
{
    const double steps = hmc->desc.length / step + up;
    return steps < 1 ? 1 : steps < LFT_P_HMC_MOST_STEPS ? (int)steps : LFT_P_HMC_MOST_STEPS;
}

/* The step size varies continuously and the number of steps follows: with the length held fixed, an acceptance between
 * those of two numbers of steps would never be seen. */
static inline lft_status LFT_P(hmc_tune)(LFT_(hmc) *hmc, int i, int n)
{
    const int    half = n / 2;
    const double gain = i < half ? 1 : lft_p_f64_p_exp(-0.6 * lft_p_f64_p_log(1.0 + i - half));
    double      *log_step = hmc->tuning, *sum = hmc->tuning + 1, step, a;
    lft_status   status;
    if (i == 0) *log_step = lft_p_f64_p_log(hmc->desc.length / hmc->steps), *sum = 0;
    step   = lft_p_f64_p_exp(*log_step);
    status = LFT_P(hmc_step)(hmc, step, LFT_P(hmc_steps_of)(hmc, step, 0.5), &a);
    if (i >= half) *sum += *log_step;
    *log_step += gain * (a - hmc->desc.acceptance);
    if (status || i + 1 < n) return status;
    step       = lft_p_f64_p_exp(*sum / (n - half));
    hmc->steps = LFT_P(hmc_steps_of)(hmc, step, 0.999999);
    if (hmc->steps < LFT_P_HMC_MOST_STEPS) return LFT_OK;
    return lft_p_fail_got(&hmc->error, LFT_ERR_NOCONV, "hmc", "tuning of the acceptance, steps per trajectory",
                          "at most 10000", hmc->desc.length / step);
}

LFT_API lft_status LFT_(hmc_thermalise_next)(LFT_(hmc) *hmc, int i, int n)
{
    const lft_status status = hmc->desc.steps ? LFT_(hmc_next)(hmc) : LFT_P(hmc_tune)(hmc, i, n);
    hmc->trajectories = hmc->accepted = hmc->nonfinite = 0;
    hmc->exp_dH       = 0;
    return status;
}

LFT_API lft_status LFT_(hmc_thermalise)(LFT_(hmc) *hmc, int n)
{
    lft_status status = LFT_OK;
    int        i;
    hmc->trajectories = hmc->accepted = hmc->nonfinite = 0;
    hmc->exp_dH       = 0;
    for (i = 0; i < n && !status; ++i) status = LFT_(hmc_thermalise_next)(hmc, i, n);
    return status;
}

#if LFT_GROUP != LFT_SCALAR

/* ---- 84_heatbath.h, code ----------------------------------------------------------------------------------------- */

/* ---- setting up --------------------------------------------------------------------------------------------------- */

static inline lft_status LFT_P(heatbath_defaults)(LFT_(heatbath_desc) *d, lft_error *error)
{
    int mu;
    if (!d->chains) d->chains = 64;
    if (!d->overrelax) d->overrelax = 2;
    if (!d->start) d->start = LFT_START_COLD;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (d->extent[mu] < 2) {
            return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "extent",
                                  "at least 2 (else a link stands twice in its plaquettes)", d->extent[mu]);
        }
    }
    if (d->overrelax < -1) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "overrelax", "an integer >= -1", d->overrelax);
    }
    if (d->start != LFT_START_COLD && d->start != LFT_START_HOT) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "start", "1 (cold) or 2 (hot)", (int)d->start);
    }
    return LFT_OK;
}

/* The conditional density of a link is known for one theory only. */
static inline lft_status LFT_P(heatbath_theory)(const LFT_(theory) *theory, lft_error *error)
{
    if (lft_p_order(theory->name, "wilson") != 0) {
        return lft_p_fail(error, LFT_ERR_ARG, "heat bath", "the theory is not \"wilson\"");
    }
    if (theory->coupling[1] < 0 || theory->coupling[1] > 0 || !lft_finite(theory->coupling[1])) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "c1, the weight of rectangles", "0", theory->coupling[1]);
    }
    if (!lft_finite(theory->coupling[0])) {
        return lft_p_fail_got(error, LFT_ERR_ARG, "heat bath", "beta", "a finite number", theory->coupling[0]);
    }
    return LFT_OK;
}

/* The state is one number for each lane group: 1 + the first chain that failed, 0 for none. */
static inline lft_status LFT_P(heatbath_layout)(LFT_(heatbath) *bath, const LFT_(heatbath_desc) *desc, lft_arena *arena,
                                                lft_error *error)
{
    LFT_(lattice) lattice;
    lft_status    status;
    lft_p_zero(bath, sizeof *bath);
    lft_p_zero(&lattice, sizeof lattice);
    bath->desc = *desc;
    status     = LFT_P(heatbath_defaults)(&bath->desc, error);
    if (!status) status = LFT_P_SIGNED(lattice_init)(&lattice, desc->extent, error);
    if (!status) status = LFT_(batch_init)(&bath->x, &lattice, bath->desc.chains, arena, error);
    if (status && status != LFT_ERR_NOMEM) return status; /* the check below has the need of all */
    bath->state = lft_arena_alloc(arena, (size_t)bath->x.groups, sizeof(int));
    return lft_arena_check(arena, error, "heat bath");
}

static inline void LFT_P(heatbath_hot_task)(void *context, int group, int thread)
{
    const LFT_(heatbath) *bath = (const LFT_(heatbath) *)context;
    (void)thread;
    LFT_P(group_haar)(lft_draw_of(bath->desc.seed, LFT_DRAW_INIT, (uint64_t)group * LFT_P_LANES, 0), &bath->x.lattice,
                      LFT_P(view)(LFT_P(group)(&bath->x, group)));
}

LFT_API lft_status LFT_P_SIGNED(heatbath_init)(LFT_(heatbath) *bath, const LFT_(theory) *theory,
                                               const LFT_(heatbath_desc) *desc, lft_arena *arena, lft_error *error)
{
    lft_status status = LFT_P(heatbath_layout)(bath, desc, arena, error);
    bath->theory = theory;
    if (!status) status = LFT_P(heatbath_theory)(theory, error);
    if (status || lft_arena_measuring(arena)) return status;
    if (bath->desc.start == LFT_START_HOT) {
        lft_p_pool_run(&bath->desc.pool, bath->x.groups, LFT_P(heatbath_hot_task), bath);
    }
    return LFT_OK;
}

LFT_API size_t LFT_(heatbath_bytes)(const LFT_(heatbath_desc) *desc)
{
    LFT_(heatbath) bath;
    lft_arena      measure = lft_arena_measure();
    return LFT_P(heatbath_layout)(&bath, desc, &measure, NULL) == LFT_OK ? measure.need : 0;
}

LFT_API lft_status LFT_(heatbath_start)(LFT_(heatbath) *bath, const LFT_(batch) *x)
{
    return LFT_P(batch_start)(&bath->x, x, "heat bath", &bath->error);
}

/* ---- one group ------------------------------------------------------------------------------------------------------ */

/* Draws every link of a group, k = beta / N; the mask of lanes that met a number that is not finite. */
static inline lft_m LFT_P(heat_sweep)(const LFT_P(walk) *walk, lft_v *links, lft_real k, const lft_draw *d)
{
    LFT_P(place) p   = LFT_P(first_place)();
    lft_m        bad = LFT_P(int_splat)(0);
    lft_w        w;
    int          x, mu;
    for (x = 0; x < walk->lattice->volume; ++x, LFT_P(next_place)(walk->lattice, &p)) {
        for (mu = 0; mu < LFT_DIM; ++mu) {
            const int link = x * LFT_DIM + mu;
            LFT_P(staples)(walk, links, p, mu, &w);
            bad |= LFT_P(heat)(links + link * LFT_P_LINK, &w, k, *d, (uint32_t)link);
        }
    }
    return bad;
}

static inline void LFT_P(reflect_sweep)(const LFT_P(walk) *walk, lft_v *links)
{
    LFT_P(place) p = LFT_P(first_place)();
    lft_w        w;
    int          x, mu;
    for (x = 0; x < walk->lattice->volume; ++x, LFT_P(next_place)(walk->lattice, &p)) {
        for (mu = 0; mu < LFT_DIM; ++mu) {
            LFT_P(staples)(walk, links, p, mu, &w);
            LFT_P(reflect)(links + (x * LFT_DIM + mu) * LFT_P_LINK, &w);
        }
    }
}

static inline void LFT_P(heatbath_task)(void *context, int group, int thread)
{
    const LFT_(heatbath) *bath  = (const LFT_(heatbath) *)context;
    const LFT_P(walk)     walk  = LFT_P(walk_of)(&bath->x.lattice);
    const lft_draw        d     = lft_draw_of(bath->desc.seed, LFT_DRAW_HEATBATH, (uint64_t)group * LFT_P_LANES,
                                              (uint32_t)bath->drawn);
    const lft_real        k     = (lft_real)(bath->theory->coupling[0] / LFT_P_COLOURS);
    lft_v                *links = LFT_P(view)(LFT_P(group)(&bath->x, group));
    const lft_m           bad   = LFT_P(heat_sweep)(&walk, links, k, &d);
    lft_int               of[LFT_P_LANES];
    int                   i, failed = 0;
    (void)thread;
    for (i = 0; i < bath->desc.overrelax; ++i) LFT_P(reflect_sweep)(&walk, links);
    for (i = 0; i < bath->x.lattice.volume * LFT_P_LINKS; ++i) LFT_P(unit)(links + i * LFT_P_LINK);
    lft_p_copy(of, &bad, sizeof of);
    for (i = LFT_P_LANES - 1; i >= 0; --i) {
        const int chain = group * LFT_P_LANES + i;
        if (of[i] && chain < bath->x.n) failed = chain + 1;
    }
    ((int *)bath->state)[group] = failed;
}

/* ---- all chains ----------------------------------------------------------------------------------------------------- */

LFT_API lft_status LFT_(heatbath_next)(LFT_(heatbath) *bath)
{
    const int *failed = (const int *)bath->state;
    lft_status status = LFT_P(heatbath_theory)(bath->theory, &bath->error);
    int        i;
    if (status) return status;
    lft_p_pool_run(&bath->desc.pool, bath->x.groups, LFT_P(heatbath_task), bath);
    bath->drawn += 1;
    bath->sweeps += 1 + (uint64_t)(bath->desc.overrelax > 0 ? bath->desc.overrelax : 0);
    for (i = 0; i < bath->x.groups && !failed[i]; ++i) {}
    if (i == bath->x.groups) return LFT_OK;
    return lft_p_fail_got(&bath->error, LFT_ERR_NONFINITE, "heat bath", "first chain whose links are not finite", "none",
                          failed[i] - 1);
}

LFT_API lft_status LFT_(heatbath_thermalise)(LFT_(heatbath) *bath, int n)
{
    lft_status status = LFT_OK;
    int        i;
    for (i = 0; i < n && !status; ++i) status = LFT_(heatbath_next)(bath);
    bath->sweeps = 0;
    return status;
}

#endif

/* ---- 85_measurement.h, code -------------------------------------------------------------------------------------- */
/* 85_measurement.h: rows of numbers from batches, and estimates from rows: what the observables of all groups share.
 * Offers (private): LFT_P(measured), LFT_P(measure_rows_of)(), LFT_P(measure_append)(); LFT_P(observed),
 *                   LFT_P(observe_series)(). */

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

typedef struct LFT_P(measured) {
    int         count; /* numbers in a row */
    double     *rows;  /* [lane][count] of one group */
    const void *context;
    void (*group)(const void *context, const LFT_(batch) *x, int group); /* fills the rows */
} LFT_P(measured);

/* rows[n][count] of a batch. */
LFT_P_STATIC void LFT_P(measure_rows_of)(const LFT_P(measured) *m, const LFT_(batch) *x, double *rows)
{
    const size_t count = (size_t)m->count;
    int          g;
    for (g = 0; g < x->groups; ++g) {
        const int left = x->n - g * LFT_P_LANES;
        m->group(m->context, x, g);
        lft_p_copy(rows + (size_t)(g * LFT_P_LANES) * count, m->rows,
                   (size_t)(left < LFT_P_LANES ? left : LFT_P_LANES) * count * sizeof(double));
    }
}

/* The row of configuration i to replica i of the series. */
LFT_P_STATIC lft_status LFT_P(measure_append)(const LFT_P(measured) *m, const LFT_(batch) *x, lft_series *series,
                                              lft_error *error)
{
    lft_status status = LFT_OK;
    int        i;
    if (series->columns != m->count) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, "measure", "columns of the series", "observables_count()",
                              series->columns);
    }
    if (series->replicas != x->n) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, "measure", "replicas of the series", "one per configuration",
                              series->replicas);
    }
    for (i = 0; i < x->n; ++i) {
        const int  lane = i % LFT_P_LANES;
        lft_status added;
        if (lane == 0) m->group(m->context, x, i / LFT_P_LANES);
        added = lft_series_add(series, i, m->rows + lane * m->count);
        if (!added || status) continue;
        status = lft_p_fail_got(error, added, "measure", added == LFT_ERR_NOMEM ? "capacity" : "observables",
                                added == LFT_ERR_NOMEM ? "room for a sample, replica" : "finite numbers, configuration", i);
    }
    return status;
}

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

/* A function of the means of the columns, which adds its slopes d value / d mean where slope is not NULL. */
typedef struct LFT_P(observed) {
    int         count; /* columns */
    const char *name;
    const void *context;
    double (*value)(const void *context, const double *mean, double *slope);
} LFT_P(observed);

/* As lft_gamma_of, with the function's own slopes. */
LFT_P_STATIC lft_estimate LFT_P(observe_series)(const LFT_P(observed) *of, const lft_series *series, lft_arena scratch,
                                                lft_error *error)
{
    const size_t       n = series->data ? lft_p_line_of(series, series->data).n : 0;
    lft_p_derived_work w;
    lft_p_line         line;
    lft_estimate       r;
    double             value;
    if (series->columns != of->count) {
        (void)lft_p_fail_got(error, LFT_ERR_MISMATCH, "observe", "columns of the series", "observables_count()",
                             series->columns);
        return lft_p_estimate_nothing(0);
    }
    if (!n) {
        (void)lft_p_fail(error, LFT_ERR_ARG, "observe", "no samples");
        return lft_p_estimate_nothing(0);
    }
    w = lft_p_derived_layout(series, &scratch);
    if (lft_arena_check(&scratch, error, "observe")) return lft_p_estimate_nothing(n);
    lft_p_series_means(series, w.mean);
    value = of->value(of->context, w.mean, w.slope);
    lft_p_project(series, &w);
    line = lft_p_line_of(series, w.line);
    r    = lft_p_line_estimate(&line, value, series->window_factor);
    if (r.doubts & LFT_DOUBT_NONFINITE) {
        (void)lft_p_fail_text(error, LFT_ERR_NONFINITE, "observe", of->name, "a finite number",
                              lft_finite(value) ? "a sample that is none" : "a function that is not defined here");
    }
    return r;
}

#if LFT_GROUP == LFT_SCALAR

/* ---- 86_scalar_observables.h, code ------------------------------------------------------------------------------- */

LFT_API int LFT_(observables_count)(const LFT_(lattice) *lattice)
{
    return LFT_COLUMN_C + lattice->extent[0] / 2 + 1;
}

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

typedef struct LFT_P(measure_work) {
    double *slice; /* [time axis][L][lane] s(t) */
    double *c;     /* [L/2 + 1][lane] C(t) */
    double *rows;  /* [lane][count] */
    lft_v  *panel; /* [length of a row] sums over rows */
} LFT_P(measure_work);

/* One group's sums over the sites. */
typedef struct LFT_P(measure_sums) {
    double phi2[LFT_P_LANES], phi4[LFT_P_LANES], action[LFT_P_LANES];
} LFT_P(measure_sums);

/* Which of the time axes an axis is, -1 for none; their number. */
LFT_P_STATIC int LFT_P(time_axes)(const LFT_(lattice) *lattice, int which[LFT_DIM])
{
    int mu, n = 0;
    for (mu = 0; mu < LFT_DIM; ++mu) which[mu] = lattice->extent[mu] == lattice->extent[0] ? n++ : -1;
    return n;
}

LFT_P_STATIC LFT_P(measure_work) LFT_P(measure_layout)(const LFT_(lattice) *lattice, lft_arena *arena)
{
    const size_t        L = (size_t)lattice->extent[0], line = LFT_P_LANES * sizeof(double);
    int                 which[LFT_DIM], axes = LFT_P(time_axes)(lattice, which);
    LFT_P(measure_work) w;
    w.slice = (double *)lft_arena_take(arena, (size_t)axes * L, line);
    w.c     = (double *)lft_arena_take(arena, L / 2 + 1, line);
    w.rows  = (double *)lft_arena_take(arena, (size_t)LFT_(observables_count)(lattice), line);
    w.panel = LFT_P(vectors)(arena, (size_t)LFT_P(row_length)(lattice));
    return w;
}

LFT_API size_t LFT_(measure_bytes)(const LFT_(lattice) *lattice)
{
    lft_arena measure = lft_arena_measure();
    (void)LFT_P(measure_layout)(lattice, &measure);
    return measure.need;
}

/* Adds the panel to the slices across the last axis, where that is a time axis, and clears it. */
LFT_P_STATIC void LFT_P(measure_flush)(lft_v *panel, int length, double *slice)
{
    int x;
    for (x = 0; x < length; ++x) {
        if (slice) LFT_P(add_wide)(slice + x * LFT_P_LANES, panel[x]);
        panel[x] = lft_splat(0);
    }
}

/* All sums over the sites, in one sweep: sums of at most LFT_P_CHUNK numbers in the real type, those of them in double. */
LFT_P_STATIC void LFT_P(measure_sweep)(const LFT_(lattice) *lattice, const lft_v *phi, const LFT_P(measure_work) *w,
                                       LFT_P(measure_sums) *sums)
{
    const int length = LFT_P(row_length)(lattice), rows = lattice->volume / length, L = lattice->extent[0];
    int       which[LFT_DIM], row, x, end, mu, rest;
    double   *across;
    lft_p_zero(w->slice, (size_t)(LFT_P(time_axes)(lattice, which) * L) * LFT_P_LANES * sizeof(double));
    across = which[LFT_DIM - 1] < 0 ? NULL : w->slice + which[LFT_DIM - 1] * L * LFT_P_LANES;
    for (x = 0; x < LFT_P_LANES; ++x) sums->phi2[x] = sums->phi4[x] = 0;
    LFT_P(measure_flush)(w->panel, length, NULL);
    for (row = 0; row < rows; ++row) {
        for (x = 0; x < length;) {
            lft_v one = lft_splat(0), two = one, four = one;
            for (end = length - x < LFT_P_CHUNK ? length : x + LFT_P_CHUNK; x < end; ++x) {
                const lft_v p = phi[row * length + x], q = p * p;
                w->panel[x] += p;
                one += p;
                two += q;
                four += q * q;
            }
            LFT_P(add_wide)(sums->phi2, two);
            LFT_P(add_wide)(sums->phi4, four);
            for (mu = LFT_DIM - 2, rest = row; mu >= 0; --mu) {
                const int t = rest % lattice->extent[mu];
                rest /= lattice->extent[mu];
                if (which[mu] >= 0) LFT_P(add_wide)(w->slice + (which[mu] * L + t) * LFT_P_LANES, one);
            }
        }
        if (row % LFT_P_CHUNK == LFT_P_CHUNK - 1 || row == rows - 1) LFT_P(measure_flush)(w->panel, length, across);
    }
}

/* C(t) from the slices: sum_t' s(t') s(t' + t) over all time axes. */
LFT_P_STATIC void LFT_P(measure_correlator)(const LFT_(lattice) *lattice, const LFT_P(measure_work) *w)
{
    const int    L = lattice->extent[0];
    int          which[LFT_DIM], axes = LFT_P(time_axes)(lattice, which), t, i, a, l;
    const double scale = 1 / ((double)axes * lattice->volume);
    for (t = 0; t <= L / 2; ++t) {
        double sum[LFT_P_LANES];
        for (l = 0; l < LFT_P_LANES; ++l) sum[l] = 0;
        for (a = 0; a < axes; ++a) {
            const double *s = w->slice + a * L * LFT_P_LANES;
            for (i = 0; i < L; ++i) {
                const double *here = s + i * LFT_P_LANES, *there = s + (i + t < L ? i + t : i + t - L) * LFT_P_LANES;
                for (l = 0; l < LFT_P_LANES; ++l) sum[l] += here[l] * there[l];
            }
        }
        for (l = 0; l < LFT_P_LANES; ++l) w->c[t * LFT_P_LANES + l] = scale * sum[l];
    }
}

/* KMIN is sum_t C(t) cos(2 pi t / L) over all L times, configuration by configuration. */
LFT_P_STATIC void LFT_P(measure_rows)(const LFT_(lattice) *lattice, const LFT_P(measure_work) *w,
                                      const LFT_P(measure_sums) *sums)
{
    const int    L = lattice->extent[0], count = LFT_(observables_count)(lattice);
    const double scale = 1 / (double)lattice->volume;
    int          t, l;
    for (l = 0; l < LFT_P_LANES; ++l) {
        double *row = w->rows + l * count, m = 0;
        for (t = 0; t < L; ++t) m += w->slice[t * LFT_P_LANES + l];
        m *= scale;
        row[LFT_COLUMN_M]      = m;
        row[LFT_COLUMN_ABS_M]  = m < 0 ? -m : m;
        row[LFT_COLUMN_M2]     = m * m;
        row[LFT_COLUMN_M4]     = m * m * m * m;
        row[LFT_COLUMN_PHI2]   = scale * sums->phi2[l];
        row[LFT_COLUMN_PHI4]   = scale * sums->phi4[l];
        row[LFT_COLUMN_ACTION] = scale * sums->action[l];
        row[LFT_COLUMN_KMIN]   = 0;
    }
    for (t = 0; t <= L / 2; ++t) {
        const int times = t == 0 || 2 * t == L ? 1 : 2;
        double    sine, cosine;
        lft_p_f64_p_sincos(6.283185307179586476925 * t / L, &sine, &cosine);
        for (l = 0; l < LFT_P_LANES; ++l) {
            double *row = w->rows + l * count;
            row[LFT_COLUMN_KMIN] += times * cosine * w->c[t * LFT_P_LANES + l];
            row[LFT_COLUMN_C + t] = w->c[t * LFT_P_LANES + l];
        }
    }
}

typedef struct LFT_P(measure_job) {
    const LFT_(theory) *theory;
    LFT_P(measure_work) work;
} LFT_P(measure_job);

/* The rows of one group. */
LFT_P_STATIC void LFT_P(measure_group)(const void *context, const LFT_(batch) *x, int group)
{
    const LFT_P(measure_job) *job = (const LFT_P(measure_job) *)context;
    const lft_real           *phi = LFT_P(group)(x, group);
    LFT_P(measure_sums)       sums;
    job->theory->action(job->theory, &x->lattice, phi, sums.action, NULL);
    LFT_P(measure_sweep)(&x->lattice, LFT_P(const_view)(phi), &job->work, &sums);
    LFT_P(measure_correlator)(&x->lattice, &job->work);
    LFT_P(measure_rows)(&x->lattice, &job->work, &sums);
}

LFT_P_STATIC LFT_P(measured) LFT_P(measured_of)(const LFT_(theory) *theory, const LFT_(lattice) *lattice,
                                                LFT_P(measure_job) *job, lft_arena *scratch)
{
    LFT_P(measured) m;
    job->theory = theory;
    job->work   = LFT_P(measure_layout)(lattice, scratch);
    m.count     = LFT_(observables_count)(lattice);
    m.rows      = job->work.rows;
    m.context   = job;
    m.group     = LFT_P(measure_group);
    return m;
}

LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(batch) *x, double *rows, lft_arena scratch,
                                 lft_error *error)
{
    LFT_P(measure_job)    job;
    const LFT_P(measured) m      = LFT_P(measured_of)(theory, &x->lattice, &job, &scratch);
    const lft_status      status = lft_arena_check(&scratch, error, "measure");
    if (!status) LFT_P(measure_rows_of)(&m, x, rows);
    return status;
}

LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(batch) *x, lft_series *series,
                                      lft_arena scratch, lft_error *error)
{
    LFT_P(measure_job)    job;
    const LFT_P(measured) m      = LFT_P(measured_of)(theory, &x->lattice, &job, &scratch);
    const lft_status      status = lft_arena_check(&scratch, error, "measure");
    return status ? status : LFT_P(measure_append)(&m, x, series, error);
}

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

LFT_API const char *LFT_(observable_name)(int observable)
{
#define LFT_P_OBSERVABLE_TEXT(code, name) name,
    static const char *const text[] = {LFT_P_OBSERVABLE_LIST(LFT_P_OBSERVABLE_TEXT)};
#undef LFT_P_OBSERVABLE_TEXT
    return observable >= 0 && observable < LFT_OBSERVABLES ? text[observable] : NULL;
}

/* Each of these returns the value and, where slope is not NULL, adds d value / d mean to it. */

/* <column> times a factor */
LFT_P_STATIC double LFT_P(observe_mean)(int column, double factor, const double *mean, double *slope)
{
    if (slope) slope[column] += factor;
    return factor * mean[column];
}

LFT_P_STATIC double LFT_P(observe_mass)(int L, const double *mean, double *slope)
{
    const double *G = mean + LFT_COLUMN_C;
    double        sum = 0, r, root;
    int           t;
    if (L < 2) lft_p_set_nan(&sum);
    for (t = 1; t < L; ++t) {
        const int before = t - 1 < L - t + 1 ? t - 1 : L - t + 1, here = t < L - t ? t : L - t;
        const int after  = t + 1 < L - t - 1 ? t + 1 : L - t - 1;
        r = (G[before] + G[after]) / (2 * G[here]);
        if (!(r >= 1)) {
            lft_p_set_nan(&sum);
            return sum;
        }
        root = lft_p_f64_p_sqrt((r - 1) * (r + 1));
        sum += lft_p_f64_p_log(r + root);
        if (!slope) continue;
        root *= 2 * G[here] * (L - 1) / L;
        slope[LFT_COLUMN_C + before] += 1 / root;
        slope[LFT_COLUMN_C + after] += 1 / root;
        slope[LFT_COLUMN_C + here] -= 2 * r / root;
    }
    return L < 2 ? sum : sum * L / (L - 1);
}

LFT_P_STATIC double LFT_P(observe_xi)(const LFT_(lattice) *lattice, const double *mean, double *slope)
{
    const double chi2 = lattice->volume * mean[LFT_COLUMN_M2], F = mean[LFT_COLUMN_KMIN], x = chi2 / F - 1;
    double       sine, cosine, xi;
    lft_p_f64_p_sincos(3.14159265358979323846 / lattice->extent[0], &sine, &cosine);
    if (lattice->extent[0] < 2 || !(x >= 0)) {
        lft_p_set_nan(&xi);
        return xi;
    }
    xi = lft_p_f64_p_sqrt(x) / (2 * sine);
    if (slope) {
        const double dx = 1 / (8 * sine * sine * xi); /* d xi / dx */
        slope[LFT_COLUMN_M2] += dx * lattice->volume / F;
        slope[LFT_COLUMN_KMIN] -= dx * chi2 / (F * F);
    }
    return xi;
}

LFT_P_STATIC double LFT_P(observe_binder)(const double *mean, double *slope)
{
    const double m2 = mean[LFT_COLUMN_M2], m4 = mean[LFT_COLUMN_M4];
    if (slope) {
        slope[LFT_COLUMN_M4] -= 1 / (3 * m2 * m2);
        slope[LFT_COLUMN_M2] += 2 * m4 / (3 * m2 * m2 * m2);
    }
    return 1 - m4 / (3 * m2 * m2);
}

LFT_P_STATIC double LFT_P(observe_identity)(const LFT_(theory) *theory, const double *mean, double *slope)
{
    static const char phi4[] = "phi4";
    double            value;
    int               i;
    for (i = 0; i < 5; ++i) {
        if (theory->name[i] == phi4[i]) continue;
        lft_p_set_nan(&value);
        return value;
    }
    value = LFT_P(observe_mean)(LFT_COLUMN_ACTION, 1, mean, slope);
    return value + LFT_P(observe_mean)(LFT_COLUMN_PHI4, theory->coupling[1], mean, slope);
}

LFT_P_STATIC double LFT_P(observe_value)(const void *context, const double *mean, double *slope)
{
    const LFT_(derived_of) *of = (const LFT_(derived_of) *)context;
    double                  nothing;
    switch (of->observable) {
    case LFT_CHI2: return LFT_P(observe_mean)(LFT_COLUMN_M2, of->lattice->volume, mean, slope);
    case LFT_MASS_L: return LFT_P(observe_mass)(of->lattice->extent[0], mean, slope);
    case LFT_XI_2ND: return LFT_P(observe_xi)(of->lattice, mean, slope);
    case LFT_BINDER: return LFT_P(observe_binder)(mean, slope);
    case LFT_ABS_M: return LFT_P(observe_mean)(LFT_COLUMN_ABS_M, 1, mean, slope);
    case LFT_PHI2: return LFT_P(observe_mean)(LFT_COLUMN_PHI2, 1, mean, slope);
    case LFT_PHI4: return LFT_P(observe_mean)(LFT_COLUMN_PHI4, 1, mean, slope);
    case LFT_IDENTITY: return LFT_P(observe_identity)(of->theory, mean, slope);
    default: lft_p_set_nan(&nothing); return nothing;
    }
}

LFT_API double LFT_(derived)(const double *mean, void *ctx)
{
    return LFT_P(observe_value)(ctx, mean, NULL);
}

LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(lattice) *lattice,
                                   int observable, lft_arena scratch, lft_error *error)
{
    LFT_(derived_of) of;
    LFT_P(observed)  observed;
    of.theory        = theory;
    of.lattice       = lattice;
    of.observable    = observable;
    observed.count   = LFT_(observables_count)(lattice);
    observed.name    = LFT_(observable_name)(observable);
    observed.context = &of;
    observed.value   = LFT_P(observe_value);
    if (observed.name) return LFT_P(observe_series)(&observed, series, scratch, error);
    (void)lft_p_fail_got(error, LFT_ERR_ARG, "observe", "observable", "0 to LFT_OBSERVABLES - 1", observable);
    return lft_p_estimate_nothing(0);
}

#else

/* ---- 87_gauge_observables.h, code -------------------------------------------------------------------------------- */

/* ---- what a row holds ----------------------------------------------------------------------------------------------- */

enum {
    LFT_P(row_action),
    LFT_P(row_plaquette),
    LFT_P(row_space),
    LFT_P(row_time),
    LFT_P(row_re),
    LFT_P(row_im),
    LFT_P(row_abs),
    LFT_P(row_q),
    LFT_P(row_q2),
    LFT_P(row_kinds)
};
enum { LFT_P(row_energy), LFT_P(row_t2_energy), LFT_P(row_t0), LFT_P(row_w0), LFT_P(row_derived) };

/* Is there such a column? */
LFT_P_STATIC int LFT_P(row_has)(int kind)
{
    switch (kind) {
    case LFT_P(row_space): return LFT_DIM > 2;
    case LFT_P(row_im): return LFT_P_COLOURS != 2;
    case LFT_P(row_q):
    case LFT_P(row_q2): return LFT_DIM == 4 || (LFT_DIM == 2 && LFT_P_COLOURS == 1);
    default: return 1;
    }
}

typedef struct LFT_P(row_form) {
    LFT_P(loops) loops;
    int          kinds, wilson, steps, count; /* columns of each sort, in this order, and of all */
    double       step;
} LFT_P(row_form);

LFT_P_STATIC LFT_P(row_form) LFT_P(row_form_of)(const LFT_(observables) *o)
{
    const double     step = o->flow_step > 0 ? o->flow_step : 0.05;
    LFT_P(row_form) f;
    int              kind;
    f.loops.max_R = o->max_R, f.loops.max_T = o->max_T, f.loops.static_only = o->static_only;
    for (f.kinds = 0, kind = 0; kind < LFT_P(row_kinds); ++kind) f.kinds += LFT_P(row_has)(kind);
    f.wilson = LFT_P(loops_count)(&f.loops);
    f.steps  = o->flow_time > 0 ? (int)(o->flow_time / step + (1 - 1e-9)) : 0;
    if (o->flow_time > 0 && f.steps < 1) f.steps = 1;
    f.step  = f.steps ? o->flow_time / f.steps : 0;
    f.count = f.kinds + f.wilson + f.steps;
    return f;
}

LFT_API lft_status LFT_(observables_check)(const LFT_(observables) *o, lft_error *error)
{
    static const char where[] = "observables";
    const double      step    = o->flow_step > 0 ? o->flow_step : 0.05;
    int               mu, nu, fits = 0;
    if (o->max_R < 0 || (o->max_R == 0 && o->max_T)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "max_R", "both of max_R and max_T, or none", o->max_R);
    }
    if (o->max_R && (o->max_T < 1 || (o->max_R > o->max_T && !o->static_only))) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "max_T", "at least max_R; 1 with static_only", o->max_T);
    }
    for (mu = 0; mu < LFT_DIM; ++mu) {
        for (nu = 0; nu < LFT_DIM; ++nu) {
            if (mu == nu || (o->static_only && nu > 0)) continue;
            fits |= o->max_R < o->lattice.extent[mu] && o->max_T < o->lattice.extent[nu];
        }
    }
    if (o->max_R && !fits) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "max_T", "loops shorter than the axes of some plane", o->max_T);
    }
    if (!lft_finite(o->flow_time) || o->flow_time < 0) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "flow_time", "a number >= 0", o->flow_time);
    }
    if (!lft_finite(o->flow_step) || o->flow_step < 0 || !(o->flow_time / step < 1e5)) {
        return lft_p_fail_got(error, LFT_ERR_ARG, where, "flow_step", "a number >= 0, and at most 100000 steps", o->flow_step);
    }
    return LFT_OK;
}

LFT_API int LFT_(observables_count)(const LFT_(observables) *o)
{
    return LFT_(observables_check)(o, NULL) ? 0 : LFT_P(row_form_of)(o).count;
}

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

typedef struct LFT_P(gauge_job) {
    const LFT_(theory) *theory;
    LFT_P(row_form)     form;
    double             *rows;  /* [lane][count] */
    double             *loops; /* [loop][lane] */
    double             *grid;  /* [step of the flow][lane] t^2 E */
    lft_v              *lines; /* for Wilson loops */
    lft_v              *links; /* what flows */
    lft_v              *field; /* what drives it, or the field strength */
} LFT_P(gauge_job);

LFT_P_STATIC LFT_P(gauge_job) LFT_P(gauge_layout)(const LFT_(theory) *theory, const LFT_(observables) *o, lft_arena *arena)
{
    const size_t     line = LFT_P_LANES * sizeof(double), volume = (size_t)o->lattice.volume;
    const size_t     planes = LFT_P_PLANES * LFT_P_ALGEBRA, forces = LFT_P_FORCES;
    LFT_P(gauge_job) job;
    job.theory = theory;
    job.form   = LFT_P(row_form_of)(o);
    job.rows   = (double *)lft_arena_take(arena, (size_t)job.form.count, line);
    job.loops  = (double *)lft_arena_take(arena, (size_t)job.form.wilson, line);
    job.grid   = (double *)lft_arena_take(arena, (size_t)job.form.steps, line);
    job.lines  = LFT_P(loops_work)(&o->lattice, &job.form.loops, arena);
    job.links = job.field = NULL;
    if (job.form.steps) job.links = LFT_P(vectors)(arena, volume * LFT_P_SITE);
    if (job.form.steps || LFT_DIM == 4) job.field = LFT_P(vectors)(arena, volume * (planes > forces ? planes : forces));
    return job;
}

LFT_API size_t LFT_(measure_bytes)(const LFT_(observables) *o)
{
    lft_arena measure = lft_arena_measure();
    if (LFT_(observables_check)(o, NULL)) return 0;
    (void)LFT_P(gauge_layout)(NULL, o, &measure);
    return measure.need;
}

/* The angle of a phase: of the plaquette in the plane 01 at p, for U(1). */
LFT_P_STATIC lft_v LFT_P(plaquette_angle)(const LFT_P(walk) *walk, const lft_v *links, LFT_P(place) p)
{
    int   there[2], back[2];
    lft_u u, v, loop;
    LFT_P(way)(walk, p, 0, 1, 1, 1, there);
    LFT_P(way)(walk, p, 1, 1, 0, 1, back);
    LFT_P(path)(links, there, 2, &u);
    LFT_P(path)(links, back, 2, &v);
    LFT_P(mul_adj)(&loop, &u, &v);
    return LFT_P(atan2)(LFT_P(trace_im)(&loop), LFT_P(trace)(&loop, NULL));
}

/* The plaquettes' means; and of U(1) in two dimensions Q, for the angles of all plaquettes add up to a multiple of 2 pi. */
LFT_P_STATIC void LFT_P(measure_plaquettes)(const LFT_(lattice) *lattice, const lft_v *links, double (*sums)[LFT_P_LANES])
{
    const LFT_P(walk) walk   = LFT_P(walk_of)(lattice);
    const int         charge = LFT_DIM == 2 && LFT_P_COLOURS == 1;
    const double      norm = (double)lattice->volume * LFT_P_COLOURS, times = LFT_DIM - 1, spaces = LFT_P_PLANES - times;
    double           *space = sums[LFT_P(row_space)], *time = sums[LFT_P(row_time)], *q = sums[LFT_P(row_q)];
    LFT_P(place)      p = LFT_P(first_place)();
    int               x, mu, nu, l;
    for (l = 0; l < LFT_P_LANES; ++l) space[l] = time[l] = q[l] = 0;
    for (x = 0; x < lattice->volume; ++x, LFT_P(next_place)(lattice, &p)) {
        lft_v across = lft_splat(0), along = across;
        for (mu = 0; mu < LFT_DIM; ++mu) {
            for (nu = mu + 1; nu < LFT_DIM; ++nu) {
                const lft_v trace = LFT_P(rectangle)(&walk, links, p, mu, 1, nu, 1, 0, NULL);
                if (mu == 0) along += trace;
                else across += trace;
            }
        }
        LFT_P(add_wide)(space, across);
        LFT_P(add_wide)(time, along);
        if (charge) LFT_P(add_wide)(q, LFT_P(plaquette_angle)(&walk, links, p));
    }
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double turns = q[l] / 6.283185307179586476925;
        sums[LFT_P(row_plaquette)][l] = (space[l] + time[l]) / (norm * LFT_P_PLANES);
        space[l] /= norm * (spaces > 0 ? spaces : 1);
        time[l] /= norm * times;
        q[l] = lft_finite(turns) ? (double)(int64_t)(turns < 0 ? turns - 0.5 : turns + 0.5) : turns;
    }
}

/* t^2 E at every step of the flow, and Q at its end; of the configuration itself where there is no flow. */
LFT_P_STATIC void LFT_P(measure_flow)(const LFT_P(gauge_job) *job, const LFT_(lattice) *lattice, const lft_v *links, double *Q)
{
    const LFT_P(walk) walk = LFT_P(walk_of)(lattice);
    int               i, l;
    if (job->form.steps) {
        lft_p_copy(job->links, links, (size_t)lattice->volume * LFT_P_SITE * sizeof(lft_v));
        links = job->links;
    }
    for (i = 0; i < job->form.steps; ++i) {
        const double t = job->form.step * (i + 1);
        double      *E = job->grid + i * LFT_P_LANES;
        LFT_P(flow_step)(&walk, job->links, job->form.step, job->field);
        LFT_P(field_strength)(&walk, links, job->field);
        LFT_P(field_energy)(lattice, job->field, E);
        for (l = 0; l < LFT_P_LANES; ++l) E[l] *= t * t;
    }
    if (LFT_DIM != 4) return;
    if (!job->form.steps) LFT_P(field_strength)(&walk, links, job->field);
    LFT_P(field_charge)(lattice, job->field, Q);
}

/* The rows of one group. */
LFT_P_STATIC void LFT_P(gauge_group)(const void *context, const LFT_(batch) *x, int group)
{
    const LFT_P(gauge_job) *job   = (const LFT_P(gauge_job) *)context;
    const lft_real         *data  = LFT_P(group)(x, group);
    const lft_v            *links = LFT_P(const_view)(data);
    double                  sums[LFT_P(row_kinds)][LFT_P_LANES];
    int                     kind, i, l;
    job->theory->action(job->theory, &x->lattice, data, sums[LFT_P(row_action)], NULL);
    LFT_P(measure_plaquettes)(&x->lattice, links, sums);
    LFT_P(polyakov)(&x->lattice, links, sums[LFT_P(row_re)], sums[LFT_P(row_im)]);
    LFT_P(wilson_loops)(&x->lattice, links, &job->form.loops, job->lines, job->loops);
    LFT_P(measure_flow)(job, &x->lattice, links, sums[LFT_P(row_q)]);
    for (l = 0; l < LFT_P_LANES; ++l) {
        const double re = sums[LFT_P(row_re)][l], im = sums[LFT_P(row_im)][l], q = sums[LFT_P(row_q)][l];
        double      *to = job->rows + l * job->form.count;
        sums[LFT_P(row_action)][l] /= x->lattice.volume;
        sums[LFT_P(row_abs)][l] = lft_p_f64_p_sqrt(re * re + im * im);
        sums[LFT_P(row_q2)][l]  = q * q;
        for (kind = 0; kind < LFT_P(row_kinds); ++kind) {
            if (LFT_P(row_has)(kind)) *to++ = sums[kind][l];
        }
        for (i = 0; i < job->form.wilson; ++i) *to++ = job->loops[i * LFT_P_LANES + l];
        for (i = 0; i < job->form.steps; ++i) *to++ = job->grid[i * LFT_P_LANES + l];
    }
}

LFT_P_STATIC lft_status LFT_P(gauge_check)(const LFT_(observables) *o, const LFT_(batch) *x, lft_error *error)
{
    const lft_status status = LFT_(observables_check)(o, error);
    if (status || LFT_P(same_lattice)(&x->lattice, &o->lattice)) return status;
    return lft_p_fail(error, LFT_ERR_MISMATCH, "measure", "the batch has other extents than the observables");
}

LFT_P_STATIC LFT_P(measured) LFT_P(measured_of)(const LFT_(theory) *theory, const LFT_(observables) *o, LFT_P(gauge_job) *job,
                                                lft_arena *scratch)
{
    LFT_P(measured) m;
    *job      = LFT_P(gauge_layout)(theory, o, scratch);
    m.count   = job->form.count;
    m.rows    = job->rows;
    m.context = job;
    m.group   = LFT_P(gauge_group);
    return m;
}

LFT_API lft_status LFT_(measure)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x, double *rows,
                                 lft_arena scratch, lft_error *error)
{
    lft_status       status = LFT_P(gauge_check)(o, x, error);
    LFT_P(gauge_job) job;
    LFT_P(measured)  m;
    if (status) return status;
    m      = LFT_P(measured_of)(theory, o, &job, &scratch);
    status = lft_arena_check(&scratch, error, "measure");
    if (!status) LFT_P(measure_rows_of)(&m, x, rows);
    return status;
}

LFT_API lft_status LFT_(measure_into)(const LFT_(theory) *theory, const LFT_(observables) *o, const LFT_(batch) *x,
                                      lft_series *series, lft_arena scratch, lft_error *error)
{
    lft_status       status = LFT_P(gauge_check)(o, x, error);
    LFT_P(gauge_job) job;
    LFT_P(measured)  m;
    if (status) return status;
    m      = LFT_P(measured_of)(theory, o, &job, &scratch);
    status = lft_arena_check(&scratch, error, "measure");
    return status ? status : LFT_P(measure_append)(&m, x, series, error);
}

/* ---- deriving ------------------------------------------------------------------------------------------------------- */

LFT_API const char *LFT_(observable_name)(const LFT_(observables) *o, int observable, char *text)
{
    static const char *const kinds[]   = {"action",      "plaquette",   "plaquette_space", "plaquette_time", "polyakov_re",
                                          "polyakov_im", "polyakov_abs", "q",              "q2"};
    static const char *const derived[] = {"energy_flow", "t2_energy_flow", "t0", "w0"};
    LFT_P(row_form)          f;
    lft_p_text               t;
    int                      kind, R, T, i = observable;
    if (i < 0 || LFT_(observables_check)(o, NULL)) return NULL;
    f = LFT_P(row_form_of)(o);
    for (kind = 0; kind < LFT_P(row_kinds); ++kind) {
        if (LFT_P(row_has)(kind) && i-- == 0) return kinds[kind];
    }
    if (i >= f.wilson) {
        i -= f.wilson;
        return f.steps && i < LFT_P(row_derived) ? derived[i] : NULL;
    }
    t.data = text, t.used = 0, t.size = LFT_OBSERVABLE_TEXT;
    for (R = 1; R <= f.loops.max_R; ++R) {
        for (T = 1; T <= f.loops.max_T; ++T) {
            if (LFT_P(loop_column)(&f.loops, R, T) != i) continue;
            lft_p_put(&t, "wilson_");
            lft_p_put_u64(&t, (uint64_t)R);
            lft_p_put(&t, "x");
            lft_p_put_u64(&t, (uint64_t)T);
            return text;
        }
    }
    return NULL;
}

LFT_API int LFT_(observable_find)(const LFT_(observables) *o, const char *name)
{
    char        text[LFT_OBSERVABLE_TEXT];
    const char *other;
    int         i, k;
    for (i = 0; (other = LFT_(observable_name)(o, i, text)) != NULL; ++i) {
        for (k = 0; other[k] && other[k] == name[k]; ++k) continue;
        if (other[k] == name[k]) return i;
    }
    return -1;
}

/* A curve over the steps of the flow, known at the nodes first ... last: y = t^2 E, or t dy/dt by five points, which leaves out two
 * nodes at either end. y[i - 1] is that of node i, and 0 at node 0. */
typedef struct LFT_P(curve) {
    const double *y;
    int           first, last, derivative;
} LFT_P(curve);

static const double LFT_P(five_points)[5] = {1.0 / 12, -8.0 / 12, 0, 8.0 / 12, -1.0 / 12};

LFT_P_STATIC double LFT_P(curve_at)(const LFT_P(curve) *c, int node)
{
    double sum = 0;
    int    k;
    if (!c->derivative) return node ? c->y[node - 1] : 0;
    for (k = 0; k < 5; ++k) {
        const int other = node + k - 2;
        sum += node * LFT_P(five_points)[k] * (other ? c->y[other - 1] : 0);
    }
    return sum;
}

/* slope += x d(value at the node) / dy */
LFT_P_STATIC void LFT_P(curve_slope)(const LFT_P(curve) *c, int node, double x, double *slope)
{
    int k;
    if (!c->derivative) {
        if (node) slope[node - 1] += x;
        return;
    }
    for (k = 0; k < 5; ++k) {
        const int other = node + k - 2;
        if (other) slope[other - 1] += x * node * LFT_P(five_points)[k];
    }
}

/* The polynomials that are 1 at one of the nodes from ... from + n - 1 and 0 at the others, at s; d: their derivatives. */
LFT_P_STATIC void LFT_P(lagrange)(int from, int n, double s, double *value, double *d)
{
    int i, j, k;
    for (i = 0; i < n; ++i) {
        value[i] = 1, d[i] = 0;
        for (j = 0; j < n; ++j) {
            double term = 1.0 / (i - j + (i == j));
            if (i == j) continue;
            value[i] *= term * (s - from - j);
            for (k = 0; k < n; ++k) {
                if (k != i && k != j) term *= (s - from - k) / (i - k);
            }
            d[i] += term;
        }
    }
}

/* The first node after which the curve rises to the level, -1 if there is none. */
LFT_P_STATIC int LFT_P(curve_reaches)(const LFT_P(curve) *c, double level)
{
    int i;
    for (i = c->first; i < c->last; ++i) {
        if (LFT_P(curve_at)(c, i) < level && LFT_P(curve_at)(c, i + 1) >= level) return i;
    }
    return -1;
}

/* Where, in steps, the curve first rises to the level, NaN if it does not; its slopes are added where slope is not NULL. */
LFT_P_STATIC double LFT_P(curve_solve)(const LFT_P(curve) *c, double level, double *slope)
{
    const int n = c->last - c->first < 3 ? c->last - c->first + 1 : 4, at = LFT_P(curve_reaches)(c, level);
    double    value[4], d[4], low = at, high = at + 1, rise, s;
    int       from = at - 1, i, k;
    lft_p_set_nan(&s);
    if (at < 0) return s;
    if (from > c->last - n + 1) from = c->last - n + 1;
    if (from < c->first) from = c->first;
    for (k = 0; k < 60; ++k) { /* the polynomial is the curve at the nodes, so that it crosses the level between them */
        double sum = 0;
        s = 0.5 * (low + high);
        LFT_P(lagrange)(from, n, s, value, d);
        for (i = 0; i < n; ++i) sum += value[i] * LFT_P(curve_at)(c, from + i);
        if (sum < level) low = s;
        else high = s;
    }
    for (rise = 0, i = 0; i < n; ++i) rise += d[i] * LFT_P(curve_at)(c, from + i);
    for (i = 0; i < n && slope; ++i) LFT_P(curve_slope)(c, from + i, -value[i] / rise, slope);
    return s;
}

/* t0, or w0 = the root of a time */
LFT_P_STATIC double LFT_P(observe_scale)(const LFT_P(row_form) *f, int derivative, const double *y, double *slope)
{
    LFT_P(curve) c;
    double       t, root;
    int          i;
    c.y          = y;
    c.derivative = derivative;
    c.first      = derivative ? 2 : 0;
    c.last       = derivative ? f->steps - 2 : f->steps;
    t            = f->step * LFT_P(curve_solve)(&c, 0.3, slope);
    root         = derivative && lft_finite(t) ? lft_p_f64_p_sqrt(t) : t;
    for (i = 0; i < f->steps && slope; ++i) slope[i] *= derivative ? f->step / (2 * root) : f->step;
    return root;
}

LFT_P_STATIC double LFT_P(observe_value)(const void *context, const double *mean, double *slope)
{
    const LFT_(derived_of) *of    = (const LFT_(derived_of) *)context;
    const LFT_P(row_form)   f     = LFT_P(row_form_of)(of->observables);
    const int               means = f.kinds + f.wilson, last = f.count - 1;
    const double            t     = f.step * f.steps;
    double                  value = 1;
    if (of->observable < means) {
        if (slope) slope[of->observable] = 1;
        return mean[of->observable];
    }
    switch (of->observable - means) {
    case LFT_P(row_energy): value = 1 / (t * t); break;
    case LFT_P(row_t2_energy): break;
    case LFT_P(row_t0): return LFT_P(observe_scale)(&f, 0, mean + means, slope ? slope + means : NULL);
    case LFT_P(row_w0): return LFT_P(observe_scale)(&f, 1, mean + means, slope ? slope + means : NULL);
    default: lft_p_set_nan(&value); return value;
    }
    if (slope) slope[last] = value;
    return value * mean[last];
}

LFT_API double LFT_(derived)(const double *mean, void *ctx)
{
    return LFT_P(observe_value)(ctx, mean, NULL);
}

LFT_API lft_estimate LFT_(observe)(const lft_series *series, const LFT_(theory) *theory, const LFT_(observables) *o,
                                   int observable, lft_arena scratch, lft_error *error)
{
    char             text[LFT_OBSERVABLE_TEXT];
    LFT_(derived_of) of;
    LFT_P(observed)  observed;
    (void)theory;
    of.observables   = o;
    of.observable    = observable;
    observed.count   = LFT_(observables_count)(o);
    observed.name    = LFT_(observable_name)(o, observable, text);
    observed.context = &of;
    observed.value   = LFT_P(observe_value);
    if (observed.name) return LFT_P(observe_series)(&observed, series, scratch, error);
    (void)lft_p_fail_got(error, LFT_ERR_ARG, "observe", "observable", "one that has a name", observable);
    return lft_p_estimate_nothing(0);
}

#endif
#if LFT_GROUP != LFT_SCALAR

/* ---- 88_gauge_layers.h, code ------------------------------------------------------------------------------------- */
/* 88_gauge_layers.h: the layers that model files of gauge groups may name.
 * Offers (private): LFT_P(layer_kind)(). */

/* Table number i; NULL beyond the last. */
LFT_P_STATIC const LFT_(layer_ops) *LFT_P(layer_kind)(int i)
{
    return i == 0 ? LFT_(continuous)() : i == 1 ? LFT_(doubling)() : i == 2 ? LFT_(torus)() : i == 3 ? LFT_(circle)() : NULL;
}

#endif

/* ---- 88_model.h, code -------------------------------------------------------------------------------------------- */

#define LFT_P_MODEL_FORMAT 1

/* ---- texts --------------------------------------------------------------------------------------------------------- */

/* An empty text over a buffer. */
LFT_P_STATIC lft_p_text LFT_P(model_text)(char *data, size_t size)
{
    lft_p_text t = {0, 0, 0};
    t.data       = data;
    t.size       = size;
    lft_p_put(&t, "");
    return t;
}

/* "layer3.spec" */
LFT_P_STATIC void LFT_P(model_layer_name)(char *data, size_t size, int i, const char *end)
{
    lft_p_text t = LFT_P(model_text)(data, size);
    lft_p_put(&t, "layer");
    lft_p_put_u64(&t, (uint64_t)i);
    lft_p_put(&t, end);
}

/* "model: 'name': expected ", to be continued. */
LFT_P_STATIC lft_p_text LFT_P(model_bad)(lft_error *error, lft_status code, const char *name)
{
    lft_p_text t = lft_p_error_text(error, code, "model", "");
    lft_p_put_quoted(&t, name);
    lft_p_put(&t, ": expected ");
    return t;
}

/* "model: 'name': expected ..., got 'value'" */
LFT_P_STATIC lft_status LFT_P(model_unlike)(lft_error *error, lft_status code, const char *name, const char *expected,
                                            const char *value)
{
    lft_p_text t = LFT_P(model_bad)(error, code, name);
    lft_p_put(&t, expected);
    lft_p_put(&t, ", got ");
    lft_p_put_quoted(&t, value);
    return code;
}

LFT_P_STATIC void LFT_P(model_put_extent)(lft_p_text *t, const int *extent)
{
    int mu;
    for (mu = 0; mu < LFT_DIM; ++mu) {
        if (mu) lft_p_put(t, "x");
        lft_p_put_u64(t, (uint64_t)extent[mu]);
    }
}

LFT_API void LFT_(model_info_of)(LFT_(model_info) *info, const LFT_(theory) *theory)
{
    lft_p_text t;
    int        i;
    lft_p_zero(info, sizeof *info);
    t = LFT_P(model_text)(info->theory, sizeof info->theory);
    lft_p_put(&t, theory->name);
    info->couplings = theory->couplings;
    for (i = 0; i < theory->couplings; ++i) {
        t = LFT_P(model_text)(info->coupling_name[i], sizeof info->coupling_name[i]);
        lft_p_put(&t, theory->coupling_name[i]);
        info->coupling[i] = theory->coupling[i];
    }
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/* A document under construction, in scratch memory. Over a measuring arena it only counts. */
typedef struct LFT_P(model_list) {
    lft_tensor    *tensor;
    lft_text_pair *meta;
    int            tensors, metas, most_tensors, most_metas, lost; /* lost: entries beyond the most */
    lft_arena     *arena;
} LFT_P(model_list);

/* Room for a model of this flow and, of a checkpoint, `more` tensors and two values of metadata. */
LFT_P_STATIC LFT_P(model_list) LFT_P(model_list_of)(const LFT_(flow) *flow, int more, lft_arena *arena)
{
    LFT_P(model_list) list;
    list.most_tensors = flow->params.tensors + flow->layers + 7 + more;
    list.most_metas   = flow->layers + 11 + (more ? 2 : 0);
    list.tensors = list.metas = list.lost = 0;
    list.arena  = arena;
    list.tensor = (lft_tensor *)lft_arena_alloc(arena, (size_t)list.most_tensors, sizeof(lft_tensor));
    list.meta   = (lft_text_pair *)lft_arena_alloc(arena, (size_t)list.most_metas, sizeof(lft_text_pair));
    return list;
}

/* A tensor that lies elsewhere, of 8-byte numbers or F32. */
LFT_P_STATIC void LFT_P(model_refer)(LFT_P(model_list) *list, const char *name, lft_dtype dtype, const void *data, int rank,
                                     const int *shape)
{
    lft_tensor *t = list->tensor + list->tensors;
    int         i;
    if (list->tensors == list->most_tensors) list->lost += 1;
    if (!list->tensor || list->tensors == list->most_tensors) return;
    list->tensors += 1;
    t->name  = name;
    t->dtype = dtype;
    t->rank  = rank;
    t->bytes = dtype == LFT_DTYPE_F32 ? 4 : 8;
    t->data  = data;
    for (i = 0; i < rank; ++i) {
        t->shape[i] = (uint64_t)shape[i];
        t->bytes *= (size_t)shape[i];
    }
}

/* A tensor of n 8-byte numbers that are copied. */
LFT_P_STATIC void LFT_P(model_add)(LFT_P(model_list) *list, const char *name, lft_dtype dtype, const void *data, int n)
{
    void *copy = lft_arena_take(list->arena, (size_t)n, 8);
    if (!copy) return;
    lft_p_copy(copy, data, (size_t)n * 8);
    LFT_P(model_refer)(list, name, dtype, copy, 1, &n);
}

/* A parameter tensor, copied as F32. */
LFT_P_STATIC void LFT_P(model_add_f32)(LFT_P(model_list) *list, const lft_parameter *p, const double *value)
{
    float *copy = (float *)lft_arena_take(list->arena, p->count, sizeof(float));
    size_t k;
    if (!copy) return;
    for (k = 0; k < p->count; ++k) copy[k] = (float)value[k];
    LFT_P(model_refer)(list, p->name, LFT_DTYPE_F32, copy, p->rank, p->shape);
}

/* Room for one name or value: a text of up to 63 characters. */
LFT_P_STATIC lft_p_text LFT_P(model_new_text)(LFT_P(model_list) *list)
{
    lft_p_text t = {0, 0, 0};
    t.data       = (char *)lft_arena_alloc(list->arena, 1, 64);
    t.size       = t.data ? 64 : 0;
    return t;
}

LFT_P_STATIC void LFT_P(model_say)(LFT_P(model_list) *list, const char *key, const char *value)
{
    if (list->metas == list->most_metas) list->lost += 1;
    if (!list->meta || !key || !value || list->metas == list->most_metas) return;
    list->meta[list->metas].key   = key;
    list->meta[list->metas].value = value;
    list->metas += 1;
}

LFT_P_STATIC void LFT_P(model_say_number)(LFT_P(model_list) *list, const char *key, uint64_t value)
{
    lft_p_text t = LFT_P(model_new_text)(list);
    lft_p_put_u64(&t, value);
    LFT_P(model_say)(list, key, t.data);
}

LFT_P_STATIC void LFT_P(model_metadata)(LFT_P(model_list) *list, const LFT_(flow) *flow, const LFT_(model_info) *info)
{
    lft_p_text t;
    int        i;
    LFT_P(model_say)(list, "format", "lftflow-model");
    LFT_P(model_say_number)(list, "format_version", LFT_P_MODEL_FORMAT);
    LFT_P(model_say)(list, "version", LFT_VERSION);
    LFT_P(model_say)(list, "theory", info->theory);
    LFT_P(model_say)(list, "group", LFT_P_STRING(LFT_P_GROUP_NAME));
    LFT_P(model_say_number)(list, "dim", LFT_DIM);
    t = LFT_P(model_new_text)(list);
    LFT_P(model_put_extent)(&t, flow->layer[0].in.extent);
    LFT_P(model_say)(list, "extent", t.data);
    t.data = (char *)lft_arena_alloc(list->arena, LFT_MAX_COUPLINGS, sizeof info->coupling_name[0]);
    t.size = t.data ? LFT_MAX_COUPLINGS * sizeof info->coupling_name[0] : 0;
    t.used = 0;
    for (i = 0; i < info->couplings; ++i) {
        if (i) lft_p_put(&t, " ");
        lft_p_put(&t, info->coupling_name[i]);
    }
    LFT_P(model_say)(list, "couplings", t.data);
    LFT_P(model_say)(list, "prior", LFT_P(prior_name)[LFT_P(flow_state_of)(flow)->prior.kind]);
    LFT_P(model_say_number)(list, "seed", info->seed);
    LFT_P(model_say_number)(list, "layers", (uint64_t)flow->layers);
    for (i = 0; i < flow->layers; ++i) {
        t = LFT_P(model_new_text)(list);
        LFT_P(model_layer_name)(t.data, t.size, i, "");
        LFT_P(model_say)(list, t.data, flow->layer[i].ops->kind);
    }
}

LFT_P_STATIC lft_status LFT_P(model_layers)(LFT_P(model_list) *list, const LFT_(flow) *flow, int f32, lft_error *error)
{
    int64_t    number[LFT_P_SPEC_MOST];
    lft_p_text t;
    int        i;
    for (i = 0; i < flow->layers; ++i) {
        const LFT_(layer) *layer = flow->layer + i;
        if (!layer->ops->spec || !layer->ops->read) {
            return lft_p_fail_text(error, LFT_ERR_ARG, "model", "layer", "one that can be stored", layer->ops->kind);
        }
        t = LFT_P(model_new_text)(list);
        LFT_P(model_layer_name)(t.data, t.size, i, ".spec");
        LFT_P(model_add)(list, t.data, LFT_DTYPE_I64, number, layer->ops->spec(layer, number));
    }
    for (i = 0; i < flow->params.tensors; ++i) {
        const lft_parameter *p = flow->params.list + i;
        if (f32) LFT_P(model_add_f32)(list, p, flow->params.value + p->offset);
        else LFT_P(model_refer)(list, p->name, LFT_DTYPE_F64, flow->params.value + p->offset, p->rank, p->shape);
    }
    return LFT_OK;
}

/* All that is in a model. */
LFT_P_STATIC lft_status LFT_P(model_collect)(LFT_P(model_list) *list, const LFT_(flow) *flow, const LFT_(model_info) *info,
                                             lft_error *error)
{
    const lft_logq_error *e     = &info->logq_error;
    const lft_family     *family = &flow->family;
    uint64_t              whole[LFT_DIM + 3];
    double                real[1 + 2 * LFT_MAX_COUPLINGS + 4];
    int                   mu;
    LFT_P(model_metadata)(list, flow, info);
    LFT_P(model_add)(list, "couplings", LFT_DTYPE_F64, family->degree ? flow->coupling : info->coupling,
                     info->couplings);
    for (mu = 0; mu < LFT_DIM; ++mu) whole[mu] = (uint64_t)flow->layer[0].in.extent[mu];
    LFT_P(model_add)(list, "extent", LFT_DTYPE_U64, whole, LFT_DIM);
    LFT_P(prior_spec)(&LFT_P(flow_state_of)(flow)->prior, real);
    LFT_P(model_add)(list, "prior.spec", LFT_DTYPE_F64, real, 2);
    real[0] = family->degree;
    for (mu = 0; mu < family->couplings; ++mu) real[1 + mu] = family->low[mu], real[1 + family->couplings + mu] = family->high[mu];
    if (family->degree) LFT_P(model_add)(list, "family", LFT_DTYPE_F64, real, 1 + 2 * family->couplings);
    real[0] = e->std, real[1] = e->mean, real[2] = e->std_error, real[3] = e->mean_error, real[4] = e->n;
    if (e->n) LFT_P(model_add)(list, "logq_error", LFT_DTYPE_F64, real, 5);
    whole[0] = info->seed, whole[1] = info->steps, whole[2] = info->batch;
    LFT_P(model_add)(list, "training", LFT_DTYPE_U64, whole, 3);
    real[0] = info->seconds, real[1] = info->loss, real[2] = info->ess, real[3] = (double)info->ess_n;
    LFT_P(model_add)(list, "training.result", LFT_DTYPE_F64, real, 4);
    return LFT_P(model_layers)(list, flow, info->f32, error);
}

LFT_P_STATIC lft_status LFT_P(model_write)(const LFT_P(model_list) *list, lft_writer to, lft_error *error)
{
    lft_status status = lft_arena_check(list->arena, error, "model");
    if (status) return status;
    if (list->lost) return lft_p_fail_got(error, LFT_ERR_ARG, "model", "entries beyond the room for them", "0", list->lost);
    return lft_safetensors_save(to, list->tensor, list->tensors, list->meta, list->metas, error);
}

LFT_API lft_status LFT_(model_save)(const LFT_(flow) *flow, const LFT_(model_info) *info, lft_writer to,
                                    lft_arena scratch, lft_error *error)
{
    LFT_P(model_list) list   = LFT_P(model_list_of)(flow, 0, &scratch);
    lft_status        status = LFT_P(model_collect)(&list, flow, info, error);
    return status ? status : LFT_P(model_write)(&list, to, error);
}

/* An info of the largest size, for byte queries. */
LFT_P_STATIC void LFT_P(model_info_most)(LFT_(model_info) *info)
{
    lft_p_zero(info, sizeof *info);
    info->couplings    = LFT_MAX_COUPLINGS;
    info->logq_error.n = 1;
    info->f32          = 1;
}

LFT_API size_t LFT_(model_bytes)(const LFT_(flow) *flow)
{
    lft_arena         measure = lft_arena_measure();
    LFT_P(model_list) list    = LFT_P(model_list_of)(flow, 0, &measure);
    LFT_(model_info)  info;
    LFT_P(model_info_most)(&info);
    return LFT_P(model_collect)(&list, flow, &info, NULL) == LFT_OK ? measure.need : 0;
}

#if LFT_GROUP == LFT_SCALAR

/* ---- 88_scalar_layers.h, code ------------------------------------------------------------------------------------ */
/* 88_scalar_layers.h: the layers that model files of scalar fields may name.
 * Offers (private): LFT_P(layer_kind)(). */

/* Table number i; NULL beyond the last. */
LFT_P_STATIC const LFT_(layer_ops) *LFT_P(layer_kind)(int i)
{
    return i == 0 ? LFT_(continuous)() : i == 1 ? LFT_(coupling)() : i == 2 ? LFT_(doubling)() : NULL;
}

#endif

/* ---- 89_model_read.h, code --------------------------------------------------------------------------------------- */

/* The tensor of that name with at least `least` numbers; NULL and an error otherwise. */
LFT_P_STATIC const lft_tensor *LFT_P(model_find)(const lft_safetensors *doc, const char *name, size_t least,
                                                 lft_error *error)
{
    const lft_tensor *t = lft_safetensors_find(doc, name);
    lft_p_text        text;
    if (t && lft_tensor_count(t) >= least) return t;
    text = LFT_P(model_bad)(error, LFT_ERR_FORMAT, name);
    lft_p_put(&text, "a tensor of at least ");
    lft_p_put_u64(&text, least);
    lft_p_put(&text, " numbers, got ");
    if (t) lft_p_put_u64(&text, lft_tensor_count(t));
    else lft_p_put(&text, "none");
    return NULL;
}

/* A value of the metadata; NULL and an error if it is not there. */
LFT_P_STATIC const char *LFT_P(model_meta)(const lft_safetensors *doc, const char *key, lft_error *error)
{
    const char *value = lft_safetensors_meta(doc, key);
    lft_p_text  t;
    if (value) return value;
    t = LFT_P(model_bad)(error, LFT_ERR_FORMAT, key);
    lft_p_put(&t, "a value in the metadata of a model, got none");
    return NULL;
}

/* Number i of a tensor of integers; those beyond -10^15 are all one. */
LFT_P_STATIC int64_t LFT_P(model_integer)(const lft_tensor *t, size_t i)
{
    const uint64_t u = lft_tensor_get_u64(t, i);
    const double   x = lft_tensor_get(t, i);
    return u ? (int64_t)(u & INT64_MAX) : x > -1e15 && x < 1e15 ? (int64_t)x : (int64_t)-1e15;
}

/* 1 if x is an integer from 0 to most. */
LFT_P_STATIC int LFT_P(model_is_whole)(double x, double most)
{
    return x >= 0 && x <= most && (double)(int64_t)x == x;
}

/* A model, of a format that this version knows, for this group and dimension. */
LFT_P_STATIC lft_status LFT_P(model_check)(const lft_safetensors *doc, lft_error *error)
{
    static const char *const key[] = {"group", "dim"}, *const own[] = {LFT_P_STRING(LFT_P_GROUP_NAME),
                                                                      LFT_P_STRING(LFT_DIM)};
    const char *value = lft_safetensors_meta(doc, "format");
    uint64_t    version;
    int         i;
    if (!value || lft_p_order(value, "lftflow-model")) {
        return LFT_P(model_unlike)(error, LFT_ERR_FORMAT, "format", "'lftflow-model' in the metadata",
                                   value ? value : "");
    }
    value = LFT_P(model_meta)(doc, "format_version", error);
    if (!value) return LFT_ERR_FORMAT;
    if (!lft_p_parse_u64(value, &version) || version < 1 || version > LFT_P_MODEL_FORMAT) {
        return LFT_P(model_unlike)(error, LFT_ERR_FORMAT, "format_version", "1 (a newer one needs a newer lftflow.h)",
                                   value);
    }
    for (i = 0; i < 2; ++i) {
        value = LFT_P(model_meta)(doc, key[i], error);
        if (!value) return LFT_ERR_FORMAT;
        if (lft_p_order(value, own[i]) == 0) continue;
        return LFT_P(model_unlike)(error, LFT_ERR_MISMATCH, key[i], own[i], value);
    }
    return LFT_OK;
}

LFT_P_STATIC lft_status LFT_P(model_read_extent)(const lft_safetensors *doc, int *extent, lft_error *error)
{
    const lft_tensor *t = LFT_P(model_find)(doc, "extent", LFT_DIM, error);
    int               mu;
    for (mu = 0; t && mu < LFT_DIM; ++mu) {
        const uint64_t e = lft_tensor_get_u64(t, (size_t)mu);
        if (e < 1 || e > 1u << 24) {
            return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'extent'", "integers from 1 to 2^24",
                                  lft_tensor_get(t, (size_t)mu));
        }
        extent[mu] = (int)e;
    }
    return t ? LFT_OK : LFT_ERR_FORMAT;
}

LFT_P_STATIC lft_status LFT_P(model_read_prior)(const lft_safetensors *doc, lft_prior_kind *kind, double *mass2,
                                                lft_error *error)
{
    const lft_tensor *t = LFT_P(model_find)(doc, "prior.spec", 2, error);
    lft_status        status = t ? LFT_P(prior_check)(lft_tensor_get(t, 0), LFT_ERR_FORMAT, "model", "'prior.spec'", error)
                                 : LFT_ERR_FORMAT;
    if (status) return status;
    *kind  = (lft_prior_kind)(int)lft_tensor_get(t, 0);
    *mass2 = lft_tensor_get(t, 1);
    return LFT_OK;
}

/* The bounds of a family; a model without them is none. */
LFT_P_STATIC lft_status LFT_P(model_read_family)(const lft_safetensors *doc, lft_family *f, lft_error *error)
{
    const lft_tensor *t = lft_safetensors_find(doc, "family");
    size_t            n = t ? lft_tensor_count(t) : 0;
    int               i;
    lft_p_zero(f, sizeof *f);
    if (!t) return LFT_OK;
    if (n % 2 == 0 || n > 1 + 2 * LFT_MAX_COUPLINGS || !LFT_P(model_is_whole)(lft_tensor_get(t, 0), 20)) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'family'", "a degree up to 20 and two bounds per coupling, numbers",
                              (double)n);
    }
    f->degree    = (int)lft_tensor_get(t, 0);
    f->couplings = (int)(n / 2);
    for (i = 0; i < f->couplings; ++i) {
        f->low[i]  = lft_tensor_get(t, 1 + (size_t)i);
        f->high[i] = lft_tensor_get(t, 1 + (size_t)(f->couplings + i));
    }
    return lft_p_family_check(f, error) ? LFT_ERR_FORMAT : LFT_OK;
}

/* The table of that kind: this library's, or the caller's own. */
LFT_P_STATIC const LFT_(layer_ops) *LFT_P(model_ops)(const char *kind, const LFT_(layer_ops) *const *own)
{
    const LFT_(layer_ops) *ops;
    int                    i;
    for (; own && *own; ++own) {
        if (lft_p_order(kind, (*own)->kind) == 0) return *own;
    }
    for (i = 0; (ops = LFT_P(layer_kind)(i)) != NULL && lft_p_order(kind, ops->kind) != 0;) ++i;
    return ops;
}

/* The integers of "layer<i>.spec"; how many, or -1 and an error. */
LFT_P_STATIC int LFT_P(model_read_spec)(const lft_safetensors *doc, int i, int64_t *number, lft_error *error)
{
    char              name[32];
    const lft_tensor *t;
    size_t            n, k;
    LFT_P(model_layer_name)(name, sizeof name, i, ".spec");
    t = LFT_P(model_find)(doc, name, 1, error);
    if (t && t->dtype != LFT_DTYPE_I64) {
        (void)LFT_P(model_unlike)(error, LFT_ERR_FORMAT, name, "dtype I64", lft_dtype_str(t->dtype));
        t = NULL;
    }
    if (!t) return -1;
    n = lft_tensor_count(t) < LFT_P_SPEC_MOST ? lft_tensor_count(t) : LFT_P_SPEC_MOST;
    for (k = 0; k < n; ++k) number[k] = LFT_P(model_integer)(t, k);
    return (int)n;
}

LFT_P_STATIC lft_status LFT_P(model_read_layer)(const lft_safetensors *doc, int i, const LFT_(layer_ops) *const *own,
                                                LFT_(layer_desc) *to, lft_arena *arena, lft_error *error)
{
    int64_t     number[LFT_P_SPEC_MOST];
    char        name[32];
    const char *kind;
    int         n;
    LFT_P(model_layer_name)(name, sizeof name, i, "");
    kind = LFT_P(model_meta)(doc, name, error);
    if (!kind) return LFT_ERR_FORMAT;
    to->ops = LFT_P(model_ops)(kind, own);
    if (!to->ops || !to->ops->read) {
        return LFT_P(model_unlike)(error, LFT_ERR_MISMATCH, name, "a kind of layer that this instance has", kind);
    }
    n = LFT_P(model_read_spec)(doc, i, number, error);
    return n < 0 ? LFT_ERR_FORMAT : to->ops->read(number, n, arena, &to->desc, error);
}

LFT_P_STATIC lft_status LFT_P(model_read_layers)(const lft_safetensors *doc, const LFT_(layer_ops) *const *own,
                                                 LFT_(flow_desc) *desc, lft_arena *arena, lft_error *error)
{
    const char       *value = LFT_P(model_meta)(doc, "layers", error);
    LFT_(layer_desc) *list, single;
    lft_status        status = LFT_OK;
    uint64_t          layers;
    int               i;
    if (!value) return LFT_ERR_FORMAT;
    if (!lft_p_parse_u64(value, &layers) || layers < 1 || layers > 10000) {
        return LFT_P(model_unlike)(error, LFT_ERR_FORMAT, "layers", "1 to 10000", value);
    }
    desc->layers = (int)layers;
    desc->layer = list = (LFT_(layer_desc) *)lft_arena_alloc(arena, (size_t)layers, sizeof(LFT_(layer_desc)));
    for (i = 0; i < desc->layers && !status; ++i) {
        status = LFT_P(model_read_layer)(doc, i, own, list ? list + i : &single, arena, error);
    }
    return status ? status : lft_arena_check(arena, error, "model");
}

/* Word number `which` of a text. */
LFT_P_STATIC void LFT_P(model_word)(const char *text, int which, char *to, size_t size)
{
    lft_p_text t    = LFT_P(model_text)(to, size);
    char       c[2] = {0, 0};
    for (; *text; ++text) {
        if (*text == ' ') --which;
        else if (which == 0) {
            c[0] = *text;
            lft_p_put(&t, c);
        }
    }
}

LFT_P_STATIC lft_status LFT_P(model_read_couplings)(const lft_safetensors *doc, LFT_(model_info) *info, lft_error *error)
{
    const lft_tensor *couplings = LFT_P(model_find)(doc, "couplings", 0, error);
    const char       *theory = LFT_P(model_meta)(doc, "theory", error), *names = LFT_P(model_meta)(doc, "couplings", error);
    lft_p_text        t;
    int               i;
    if (!couplings || !theory || !names) return LFT_ERR_FORMAT;
    if (lft_tensor_count(couplings) > LFT_MAX_COUPLINGS) {
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'couplings'",
                              "at most LFT_MAX_COUPLINGS = " LFT_P_STRING(LFT_MAX_COUPLINGS),
                              (double)lft_tensor_count(couplings));
    }
    t = LFT_P(model_text)(info->theory, sizeof info->theory);
    lft_p_put(&t, theory);
    info->couplings = (int)lft_tensor_count(couplings);
    for (i = 0; i < info->couplings; ++i) {
        info->coupling[i] = lft_tensor_get(couplings, (size_t)i);
        LFT_P(model_word)(names, i, info->coupling_name[i], sizeof info->coupling_name[i]);
    }
    return LFT_OK;
}

/* What may be missing: it is then 0. */
LFT_P_STATIC void LFT_P(model_read_results)(const lft_safetensors *doc, LFT_(model_info) *info)
{
    const lft_tensor *e = lft_safetensors_find(doc, "logq_error"), *whole = lft_safetensors_find(doc, "training");
    const lft_tensor *real = lft_safetensors_find(doc, "training.result");
    const char       *version = lft_safetensors_meta(doc, "version");
    lft_p_text        t       = LFT_P(model_text)(info->version, sizeof info->version);
    if (version) lft_p_put(&t, version);
    if (e && lft_tensor_count(e) >= 5 && LFT_P(model_is_whole)(lft_tensor_get(e, 4), 1e9)) {
        info->logq_error.std        = lft_tensor_get(e, 0);
        info->logq_error.mean       = lft_tensor_get(e, 1);
        info->logq_error.std_error  = lft_tensor_get(e, 2);
        info->logq_error.mean_error = lft_tensor_get(e, 3);
        info->logq_error.n          = (int)lft_tensor_get(e, 4);
    }
    if (whole && lft_tensor_count(whole) >= 3) {
        info->seed  = lft_tensor_get_u64(whole, 0);
        info->steps = lft_tensor_get_u64(whole, 1);
        info->batch = lft_tensor_get_u64(whole, 2);
    }
    if (real && lft_tensor_count(real) >= 4) {
        info->seconds = lft_tensor_get(real, 0);
        info->loss    = lft_tensor_get(real, 1);
        info->ess     = lft_tensor_get(real, 2);
        if (LFT_P(model_is_whole)(lft_tensor_get(real, 3), 1e15)) info->ess_n = (uint64_t)lft_tensor_get(real, 3);
    }
}

LFT_API lft_status LFT_(model_desc)(const lft_safetensors *doc, const LFT_(layer_ops) *const *own, LFT_(flow_desc) *desc,
                                    LFT_(model_info) *info, lft_arena *arena, lft_error *error)
{
    LFT_(model_info) local;
    lft_status       status = LFT_P(model_check)(doc, error);
    if (!info) info = &local;
    lft_p_zero(desc, sizeof *desc);
    lft_p_zero(info, sizeof *info);
    if (!status) status = LFT_P(model_read_extent)(doc, desc->extent, error);
    if (!status) status = LFT_P(model_read_prior)(doc, &desc->prior, &desc->prior_mass2, error);
    if (!status) status = LFT_P(model_read_couplings)(doc, info, error);
    if (!status) status = LFT_P(model_read_family)(doc, &desc->family, error);
    if (!status) status = LFT_P(model_read_layers)(doc, own, desc, arena, error);
    if (!status) LFT_P(model_read_results)(doc, info);
    return status;
}

/* ---- restoring ----------------------------------------------------------------------------------------------------- */

LFT_P_STATIC void LFT_P(model_put_shape)(lft_p_text *t, int rank, const uint64_t *shape)
{
    int i;
    for (i = 0; i < rank; ++i) {
        if (i) lft_p_put(t, "x");
        lft_p_put_u64(t, shape[i]);
    }
    if (!rank) lft_p_put(t, "one number");
}

/* The tensor of a parameter: the same shape, nothing but numbers. */
LFT_P_STATIC lft_status LFT_P(model_check_parameter)(const lft_safetensors *doc, const lft_parameter *p, lft_error *error)
{
    const lft_tensor *t = LFT_P(model_find)(doc, p->name, p->count, error);
    uint64_t          shape[4];
    lft_p_text        text;
    size_t            k;
    int               i, same;
    if (!t) return LFT_ERR_FORMAT;
    for (i = 0, same = t->rank == p->rank; i < p->rank; ++i) {
        shape[i] = (uint64_t)p->shape[i];
        same     = same && t->shape[i] == shape[i];
    }
    if (!same || (t->dtype != LFT_DTYPE_F64 && t->dtype != LFT_DTYPE_F32)) {
        text = LFT_P(model_bad)(error, LFT_ERR_MISMATCH, p->name);
        lft_p_put(&text, "F64 ");
        LFT_P(model_put_shape)(&text, p->rank, shape);
        lft_p_put(&text, ", got ");
        lft_p_put(&text, lft_dtype_str(t->dtype));
        lft_p_put(&text, " ");
        LFT_P(model_put_shape)(&text, t->rank, t->shape);
        return LFT_ERR_MISMATCH;
    }
    for (k = 0; k < p->count; ++k) {
        if (lft_finite(lft_tensor_get(t, k))) continue;
        text = LFT_P(model_bad)(error, LFT_ERR_NONFINITE, p->name);
        lft_p_put(&text, "finite numbers, got another as number ");
        lft_p_put_u64(&text, k);
        return LFT_ERR_NONFINITE;
    }
    return LFT_OK;
}

/* Do the numbers mean the same to layer i? The steps of a layer that integrates are free. */
LFT_P_STATIC lft_status LFT_P(model_check_layer)(const LFT_(flow) *flow, const lft_safetensors *doc, int i, int *steps,
                                                 lft_error *error)
{
    const LFT_(layer) *layer = flow->layer + i;
    int64_t            own[LFT_P_SPEC_MOST], number[LFT_P_SPEC_MOST];
    const int          count = layer->ops->spec ? layer->ops->spec(layer, own) : 0;
    const int          n = LFT_P(model_read_spec)(doc, i, number, error), fixed = layer->steps ? count - 2 : count;
    char               name[32];
    int                k;
    LFT_P(model_layer_name)(name, sizeof name, i, ".spec");
    if (n < 0) return LFT_ERR_FORMAT;
    if (n < count) return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", name, "more numbers", n);
    for (k = 0; k < fixed; ++k) {
        lft_p_text t;
        if (own[k] == number[k]) continue;
        t = LFT_P(model_bad)(error, LFT_ERR_MISMATCH, name);
        lft_p_put_f64(&t, (double)own[k]);
        lft_p_put(&t, " (of this flow) as number ");
        lft_p_put_u64(&t, (uint64_t)k);
        lft_p_put(&t, ", got ");
        lft_p_put_f64(&t, (double)number[k]);
        return LFT_ERR_MISMATCH;
    }
    *steps = layer->steps && number[fixed] > 0 && number[fixed] < 1000000 ? (int)number[fixed] : 0;
    return LFT_OK;
}

/* The same family, and couplings within it. */
LFT_P_STATIC lft_status LFT_P(model_check_family)(const lft_family *own, const lft_safetensors *doc, lft_error *error)
{
    const lft_tensor *couplings = LFT_P(model_find)(doc, "couplings", (size_t)own->couplings, error);
    lft_family        f;
    lft_status        status = couplings ? LFT_P(model_read_family)(doc, &f, error) : LFT_ERR_FORMAT;
    int               i, same;
    if (status) return status;
    same = f.degree == own->degree && (!f.degree || f.couplings == own->couplings);
    for (i = 0; same && f.degree && i < f.couplings; ++i) {
        same = !(f.low[i] < own->low[i] || f.low[i] > own->low[i] || f.high[i] < own->high[i] || f.high[i] > own->high[i]);
    }
    if (!same) {
        return lft_p_fail_got(error, LFT_ERR_MISMATCH, "model", "'family'", "the flow's bounds and degree, others of degree",
                              f.degree);
    }
    for (i = 0; f.degree && i < f.couplings; ++i) {
        const double g = lft_tensor_get(couplings, (size_t)i);
        if (g >= f.low[i] && g <= f.high[i]) continue;
        return lft_p_fail_got(error, LFT_ERR_FORMAT, "model", "'couplings'", "numbers within the bounds of the family", g);
    }
    return LFT_OK;
}

/* All that can be wrong, before anything is changed. */
LFT_P_STATIC lft_status LFT_P(model_fits)(const LFT_(flow) *flow, const lft_safetensors *doc, lft_error *error)
{
    const LFT_P(prior) *prior  = &LFT_P(flow_state_of)(flow)->prior;
    lft_status          status = LFT_P(model_check)(doc, error);
    lft_prior_kind      kind   = prior->kind;
    int                 extent[LFT_DIM] = {0}, mu, i, steps; /* gcc 12 -O3 sees a path without the zeros */
    lft_p_text          t;
    double              mass2;
    if (!status) status = LFT_P(model_read_extent)(doc, extent, error);
    for (mu = 0; mu < LFT_DIM && !status; ++mu) {
        if (extent[mu] == flow->layer[0].in.extent[mu]) continue;
        t = LFT_P(model_bad)(error, LFT_ERR_MISMATCH, "extent");
        LFT_P(model_put_extent)(&t, flow->layer[0].in.extent);
        lft_p_put(&t, " (of this flow), got ");
        LFT_P(model_put_extent)(&t, extent);
        return LFT_ERR_MISMATCH;
    }
    if (!status) status = LFT_P(model_read_prior)(doc, &kind, &mass2, error);
    if (!status && kind != prior->kind) {
        status = lft_p_fail_got(error, LFT_ERR_MISMATCH, "model", "'prior.spec'", "the kind of the flow's prior", (int)kind);
    }
    if (!status) status = LFT_P(model_check_family)(&flow->family, doc, error);
    for (i = 0; i < flow->layers && !status; ++i) status = LFT_P(model_check_layer)(flow, doc, i, &steps, error);
    for (i = 0; i < flow->params.tensors && !status; ++i) {
        status = LFT_P(model_check_parameter)(doc, flow->params.list + i, error);
    }
    return status;
}

LFT_API lft_status LFT_(model_restore)(LFT_(flow) *flow, const lft_safetensors *doc, lft_error *error)
{
    lft_status status = LFT_P(model_fits)(flow, doc, error);
    size_t     k;
    int        i, steps = 0;
    for (i = 0; i < flow->layers && !status; ++i) {
        LFT_(layer) *layer = flow->layer + i;
        status             = LFT_P(model_check_layer)(flow, doc, i, &steps, error);
        if (!status && layer->steps) status = layer->ops->refine(layer, steps, error);
    }
    for (i = 0; i < flow->params.tensors && !status; ++i) {
        const lft_parameter *p = flow->params.list + i;
        const lft_tensor    *t = lft_safetensors_find(doc, p->name);
        for (k = 0; k < p->count; ++k) flow->params.value[p->offset + k] = lft_tensor_get(t, k);
    }
    for (i = 0; i < flow->family.couplings && flow->family.degree && !status; ++i) {
        flow->coupling[i] = lft_tensor_get(lft_safetensors_find(doc, "couplings"), (size_t)i);
    }
    LFT_(flow_prepare)(flow);
    return status;
}

#endif
#if LFT_UPTO >= LFT_TRAIN

/* ---- 90_exactness.h, code ---------------------------------------------------------------------------------------- */

/* log |det a| of a[n][n], which is overwritten; -infinity does not arise: a singular matrix gives a non-finite number. */
LFT_P_STATIC double LFT_P(log_det)(double *a, int n)
{
    double sum = 0;
    int    i, j, k;
    for (k = 0; k < n; ++k) {
        double *row = a + (size_t)k * (size_t)n, best = row[k] < 0 ? -row[k] : row[k];
        int     pivot = k;
        for (i = k + 1; i < n; ++i) {
            double v = a[(size_t)i * (size_t)n + (size_t)k];
            if ((v < 0 ? -v : v) > best) best = v < 0 ? -v : v, pivot = i;
        }
        sum += lft_p_f64_p_log(best);
        for (j = k; pivot != k && j < n; ++j) {
            double *other = a + (size_t)pivot * (size_t)n + j, swap = *other;
            *other = row[j];
            row[j] = swap;
        }
        for (i = k + 1; i < n; ++i) {
            double *LFT_P_RESTRICT to = a + (size_t)i * (size_t)n, factor = to[k] / row[k];
            for (j = k + 1; j < n; ++j) to[j] -= factor * row[j];
        }
    }
    return sum;
}

/* The tapes of the layers from `first` on, one behind the other. */
LFT_P_STATIC size_t LFT_P(flow_tape_bytes)(const LFT_(flow) *flow, int first)
{
    size_t bytes = 0;
    int    i;
    for (i = first; i < flow->layers; ++i) bytes += flow->layer[i].tape_bytes;
    return bytes;
}

/* dx at the samples becomes that before layer `first`; tape and gradient: of the layers from there on, gradient their own forms one
 * behind the other, or NULL. */
LFT_P_STATIC lft_status LFT_P(flow_backward)(const LFT_(flow) *flow, int first, LFT_P(flow_work) *w, const unsigned char *tape,
                                             lft_v *dx, const double *dlogdet, double *gradient)
{
    lft_status status = LFT_OK;
    size_t     count  = 0;
    int        i;
    tape += LFT_P(flow_tape_bytes)(flow, first);
    for (i = first; i < flow->layers; ++i) count += flow->layer[i].gradient_count;
    for (i = flow->layers - 1; i >= first && !status; --i) {
        const LFT_(layer) *layer = flow->layer + i;
        tape -= layer->tape_bytes;
        count -= layer->gradient_count;
        status = layer->ops->backward(layer, tape, (lft_real *)dx, dlogdet, gradient ? gradient + count : NULL, w->scratch,
                                      &w->error);
    }
    return status;
}

/* Rows of the Jacobian of one sample: task i does rows i lanes ... of them, one per lane. */
typedef struct LFT_P(jacobian_job) {
    LFT_(flow)          *flow;
    const unsigned char *tape;
    double              *matrix;
} LFT_P(jacobian_job);

LFT_P_STATIC void LFT_P(jacobian_task)(void *context, int block, int thread)
{
    const LFT_P(jacobian_job) *job    = (const LFT_P(jacobian_job) *)context;
    LFT_P(flow_work)          *w      = LFT_P(flow_state_of)(job->flow)->work + thread;
    const int                  n      = (int)LFT_P(force_vectors)(&job->flow->lattice);
    lft_real                  *dx     = (lft_real *)w->score;
    double                     zero[LFT_P_LANES];
    int                        l, x, row = block * LFT_P_LANES;
    for (l = 0; l < LFT_P_LANES; ++l) zero[l] = 0;
    LFT_P(set_zero)(w->score, n);
    for (l = 0; l < LFT_P_LANES && row + l < n; ++l) dx[(size_t)(row + l) * LFT_P_LANES + (size_t)l] = 1;
    LFT_P(flow_note)(w, block, LFT_P(flow_backward)(job->flow, 0, w, job->tape, w->score, zero, NULL));
    for (l = 0; l < LFT_P_LANES && row + l < n; ++l) {
        double *to = job->matrix + (size_t)(row + l) * (size_t)n;
        for (x = 0; x < n; ++x) to[x] = (double)dx[(size_t)x * LFT_P_LANES + (size_t)l];
    }
}

/* The same configuration in every lane: each lane will do another row. */
LFT_P_STATIC void LFT_P(spread_first)(lft_v *x, const LFT_(lattice) *lattice)
{
    const int reals = (int)LFT_P(field_vectors)(lattice);
    int       i;
    for (i = 0; i < reals; ++i) {
        lft_real first = ((lft_real *)x)[(size_t)i * LFT_P_LANES];
        x[i]           = lft_splat(first);
    }
}

/* *epsilon += that of a flow of maps from w->x, which it moves on. */
LFT_P_STATIC lft_status LFT_P(map_epsilon)(LFT_(flow) *flow, LFT_P(flow_work) *w, unsigned char *tape, double *matrix,
                                           double *epsilon)
{
    const int           n = (int)LFT_P(force_vectors)(&flow->lattice);
    LFT_P(jacobian_job) job;
    double              logdet[LFT_P_LANES];
    lft_status          status = LFT_P(flow_fits)(flow, &flow->lattice, &flow->layer[0].in);
    int                 l;
    if (status) return status;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    status = LFT_P(flow_push)(flow, w, NULL, logdet, NULL, tape, 0);
    if (status) {
        flow->error = w->error;
        return status;
    }
    job.flow = flow, job.tape = tape, job.matrix = matrix;
    status   = LFT_P(flow_run)(flow, (n + LFT_P_LANES - 1) / LFT_P_LANES, LFT_P(jacobian_task), &job);
    if (!status) *epsilon += LFT_P(log_det)(matrix, n) - logdet[0];
    return status;
}

/* epsilon of the sample with the given address. */
LFT_P_STATIC lft_status LFT_P(flow_epsilon)(LFT_(flow) *flow, lft_draw d, unsigned char *tape, double *matrix,
                                            double *epsilon)
{
    LFT_P(flow_state) *s = LFT_P(flow_state_of)(flow);
    LFT_P(flow_work)  *w = s->work;
    double             unused[LFT_P_LANES];
    lft_status         status = LFT_OK;
    int                i, end;
    *epsilon = 0;
    LFT_P(prior_draw)(&s->prior, d, w->x, unused, w->scratch);
    LFT_P(spread_first)(w->x, &flow->layer[0].in);
    for (i = 0; i < flow->layers && !status; i = end) {
        LFT_(flow) part = *flow;
        for (end = i; end < flow->layers && !flow->layer[end].ops->draw; ++end) {}
        part.layer += i, part.layers = end - i;
        if (end > i) {
            part.lattice = flow->layer[end - 1].out;
            status       = LFT_P(map_epsilon)(&part, w, tape, matrix, epsilon);
            if (status) flow->error = part.error;
            continue;
        }
        status = LFT_P(flow_layer)(flow, i, &d, w->x, w->other, unused, NULL, NULL, w->scratch, &flow->error);
        LFT_P(copy_field)(w->x, w->other, &flow->layer[i].out);
        LFT_P(spread_first)(w->x, &flow->layer[i].out);
        end = i + 1;
    }
    return status;
}

LFT_API lft_status LFT_(flow_logq_error)(LFT_(flow) *flow, uint64_t seed, uint64_t first, int n, lft_logq_error *out,
                                         lft_arena scratch)
{
    const size_t   rows   = LFT_P(flow_state_of)(flow)->volume * LFT_P_FORCES;
    unsigned char *tape   = (unsigned char *)lft_arena_take(&scratch, LFT_P(flow_tape_bytes)(flow, 0), 1);
    double        *matrix = (double *)lft_arena_take(&scratch, rows * rows, sizeof(double));
    double         sum = 0, square = 0, epsilon = 0;
    lft_status     status = lft_arena_check(&scratch, &flow->error, "flow_logq_error");
    int            i;
    if (status) return status;
    if (n < 1) return lft_p_fail_got(&flow->error, LFT_ERR_ARG, "flow_logq_error", "n", "at least 1", n);
    for (i = 0; i < n && !status; ++i) {
        status = LFT_P(flow_epsilon)(flow, lft_draw_of(seed, LFT_DRAW_PRIOR, first + (uint64_t)i, 0), tape, matrix,
                                     &epsilon);
        sum += epsilon;
        square += epsilon * epsilon;
    }
    if (status) return status;
    out->n    = n;
    out->mean = sum / n;
    square    = n > 1 ? (square - n * out->mean * out->mean) / (n - 1) : 0;
    out->std  = lft_p_f64_p_sqrt(square > 0 ? square : 0);
    out->mean_error = out->std / lft_p_f64_p_sqrt(n);
    out->std_error  = n > 1 ? out->std / lft_p_f64_p_sqrt(2.0 * (n - 1)) : 0;
    if (!lft_finite(out->mean + out->std)) {
        return lft_p_fail(&flow->error, LFT_ERR_NONFINITE, "flow_logq_error", "the Jacobian is singular or not finite");
    }
    return LFT_OK;
}

LFT_API size_t LFT_(flow_logq_error_bytes)(const LFT_(flow) *flow)
{
    lft_arena measure = lft_arena_measure();
    size_t    rows    = LFT_P(flow_state_of)(flow)->volume * LFT_P_FORCES;
    (void)lft_arena_take(&measure, LFT_P(flow_tape_bytes)(flow, 0), 1);
    (void)lft_arena_take(&measure, rows * rows, sizeof(double));
    return measure.need;
}

/* ---- 91_pullback.h, code ----------------------------------------------------------------------------------------- */

typedef struct LFT_P(pullback_state) {
    LFT_P(flow_work) work;
    unsigned char   *tape;
} LFT_P(pullback_state);

LFT_P_STATIC void LFT_P(pullback_action)(const LFT_(theory) *theory, const LFT_(lattice) *lattice, const lft_real *eta,
                                         double *S, lft_real *dS)
{
    LFT_(pullback)          *p     = (LFT_(pullback) *)theory->user;
    LFT_P(pullback_state)   *s     = (LFT_P(pullback_state) *)p->state;
    const LFT_P(flow_state) *f     = LFT_P(flow_state_of)(p->flow);
    lft_v                   *dx    = dS ? LFT_P(view)(dS) : NULL;
    double                   logdet[LFT_P_LANES], minus[LFT_P_LANES];
    lft_status               status;
    int                      l;
    LFT_P(copy_field)(s->work.x, LFT_P(const_view)(eta), lattice);
    LFT_P(prior_scale)(&f->prior, s->work.x, 0, s->work.scratch);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0, minus[l] = -1;
    status = LFT_P(flow_push)(p->flow, &s->work, NULL, logdet, NULL, dS ? s->tape : NULL, 0);
    p->base->action(p->base, lattice, (const lft_real *)s->work.x, S, dS);
    for (l = 0; l < LFT_P_LANES; ++l) {
        S[l] -= logdet[l];
        if (!status && !lft_finite(S[l])) status = LFT_ERR_NONFINITE;
    }
    if (dS) {
        const lft_status back = LFT_P(flow_backward)(p->flow, 0, &s->work, s->tape, dx, minus, NULL);
        if (!status) status = back;
        LFT_P(prior_scale)(&f->prior, dx, 1, s->work.scratch);
    }
    if (status && !p->status) p->status = status;
}

LFT_API lft_status LFT_(pullback_init)(LFT_(pullback) *p, LFT_(flow) *flow, const LFT_(theory) *base, lft_arena *arena)
{
    LFT_P(flow_state)     *f = LFT_P(flow_state_of)(flow);
    LFT_P(pullback_state) *s = (LFT_P(pullback_state) *)lft_arena_alloc(arena, 1, sizeof *s), local;
    const size_t           scratch = f->work[0].scratch.size;
    lft_status             status  = LFT_P(flow_fits)(flow, &flow->lattice, &flow->layer[0].in);
    lft_p_zero(p, sizeof *p);
    p->flow  = flow;
    p->base  = base;
    p->state = s;
    if (status) return lft_p_fail(&flow->error, LFT_ERR_ARG, "pullback", "expected a flow that keeps its extents, got doublings");
    if (!s) s = &local;
    lft_p_zero(s, sizeof *s);
    s->work.x       = LFT_P(vectors)(arena, f->volume * LFT_P_SITE);
    s->work.other   = LFT_P(vectors)(arena, f->volume * LFT_P_SITE);
    s->work.scratch = lft_arena_of(lft_arena_take(arena, scratch, 1), scratch);
    s->tape         = (unsigned char *)lft_arena_take(arena, LFT_P(flow_tape_bytes)(flow, 0), 1);
    if (base) p->theory = *base;
    p->theory.name   = "pullback";
    p->theory.user   = p;
    p->theory.action = LFT_P(pullback_action);
    return lft_arena_check(arena, &flow->error, "pullback");
}

LFT_API size_t LFT_(pullback_bytes)(LFT_(flow) *flow)
{
    LFT_(pullback) p;
    lft_arena      measure = lft_arena_measure();
    return LFT_(pullback_init)(&p, flow, NULL, &measure) == LFT_OK ? measure.need : 0;
}

LFT_API lft_status LFT_(pullback_map)(LFT_(pullback) *p, const LFT_(batch) *eta, LFT_(batch) *x)
{
    LFT_P(pullback_state) *s      = (LFT_P(pullback_state) *)p->state;
    lft_status             status = LFT_P(flow_fits)(p->flow, &eta->lattice, &p->flow->lattice), one;
    double                 logdet[LFT_P_LANES];
    int                    g, l;
    if (!status) status = LFT_P(flow_fits)(p->flow, &x->lattice, &eta->lattice);
    if (!status && x->n != eta->n) {
        status = lft_p_fail_got(&p->flow->error, LFT_ERR_MISMATCH, "pullback", "n", "batches of the same size", x->n);
    }
    for (g = 0; g < eta->groups && !(status && status != LFT_ERR_NONFINITE); ++g) {
        LFT_P(copy_field)(s->work.x, LFT_P(view)(LFT_P(group)(eta, g)), &eta->lattice);
        LFT_P(prior_scale)(&LFT_P(flow_state_of)(p->flow)->prior, s->work.x, 0, s->work.scratch);
        for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
        one = LFT_P(flow_push)(p->flow, &s->work, NULL, logdet, NULL, NULL, 0);
        if (one && !status) {
            status         = one;
            p->flow->error = s->work.error;
        }
        LFT_P(copy_field)(LFT_P(view)(LFT_P(group)(x, g)), s->work.x, &x->lattice);
    }
    return status;
}

/* ---- 92_trainer.h, code ------------------------------------------------------------------------------------------ */

/* What one thread needs beside the flow's own. */
typedef struct LFT_P(train_work) {
    lft_v         *z, *dx;
    unsigned char *tape;
    double        *own, *lane, *row; /* Gauss-Newton: gradients of a group, of one lane of it, and that by the parameters */
} LFT_P(train_work);

typedef struct LFT_P(train_state) {
    LFT_P(train_work) *work; /* [threads] */
    double            *slot; /* [slots][gradient counts of the prior and the layers] */
    size_t             slot_size;
    double            *normal; /* Gauss-Newton: [slots][normal_size] */
    size_t             normal_size;
    size_t             still; /* parameters of the frozen layers and of the prior with them, the first of each term */
    int                groups;
    uint64_t           first;
    LFT_(theory)       theory; /* at the present couplings of a family */
    unsigned char     *guard; /* scratch of the guard */
    size_t             guard_bytes;
} LFT_P(train_state);

LFT_P_STATIC lft_train_desc LFT_P(train_defaults)(const lft_train_desc *desc, size_t dimension, int draws)
{
    lft_train_desc d = *desc;
    if (!d.steps) d.steps = 1000;
    if (!d.batch) d.batch = 256;
    if (!d.accumulate) d.accumulate = 1;
    if (!d.optimizer) d.optimizer = LFT_ADAM;
    if (!d.estimator) d.estimator = d.optimizer == LFT_ADAM ? LFT_PATH_GRADIENT : draws ? LFT_NATURAL_GRADIENT : LFT_TOTAL_GRADIENT;
    if (!(d.rate > 0)) d.rate = d.optimizer == LFT_GAUSS_NEWTON ? 1 : 0.01;
    if (!(d.ridge > 0)) d.ridge = 1e-4;
    if (!(d.last_rate > 0)) d.last_rate = d.rate / 50;
    if (!d.warmup) d.warmup = d.steps / 50;
    if (!(d.clip > 0) && !(d.clip < 0)) d.clip = d.optimizer == LFT_GAUSS_NEWTON ? 1 : 10;
    if (!(d.beta2 > 0)) d.beta2 = 0.99;
    if (!d.slots) d.slots = 8;
    if (!d.guard_every) d.guard_every = 100;
    if (!d.guard_samples) d.guard_samples = dimension > 256 ? 2 : 4;
    if (!(d.guard_std > 0)) d.guard_std = 1e-3;
    if (!(d.guard_mean > 0)) d.guard_mean = 1e-2;
    return d;
}

LFT_P_STATIC lft_status LFT_P(train_check)(const lft_train_desc *d, lft_error *e)
{
    if (d->batch < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "batch", "at least 1", d->batch);
    if (d->accumulate < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "accumulate", "at least 1", d->accumulate);
    if (d->slots < 1) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "slots", "at least 1", d->slots);
    if (d->estimator == (d->optimizer == LFT_ADAM ? LFT_NATURAL_GRADIENT : LFT_PATH_GRADIENT)) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "estimator", "for Adam path or total, for Gauss-Newton total or natural",
                              (int)d->estimator);
    }
    if (!lft_finite(d->rate)) return lft_p_fail_got(e, LFT_ERR_ARG, "train", "rate", "a finite number", d->rate);
    if (d->guard_samples < 1) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "guard_samples", "at least 1", d->guard_samples);
    }
    return LFT_OK;
}

/* Are there layers to train, with the gradients that it takes? */
LFT_P_STATIC lft_status LFT_P(train_moving)(const LFT_(flow) *flow, const lft_train_desc *d, lft_error *e)
{
    const int    newton = d->optimizer == LFT_GAUSS_NEWTON;
    const size_t all    = LFT_P(flow_state_of)(flow)->parameters;
    int          i;
    if (d->frozen < 0 || d->frozen >= flow->layers || (d->frozen && flow->layer[d->frozen].params == all)) {
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "frozen", "layers with others behind them that have parameters", d->frozen);
    }
    for (i = d->frozen; newton && i < flow->layers; ++i) {
        if (flow->layer[i].per_lane || !flow->layer[i].gradient_count) continue;
        return lft_p_fail_got(e, LFT_ERR_ARG, "train", "layers for Gauss-Newton", "gradients lane by lane; not so layer", i);
    }
    for (i = d->estimator == LFT_TOTAL_GRADIENT ? d->frozen : 0; i < flow->layers; ++i) { /* the others carry grad log q */
        if (flow->layer[i].ops->backward) continue;
        return lft_p_fail_text(e, LFT_ERR_ARG, "train", "layer", "one with a gradient", flow->layer[i].ops->kind);
    }
    return LFT_OK;
}

/* Gradients of the prior that are wanted. */
LFT_P_STATIC size_t LFT_P(train_prior)(const LFT_(trainer) *t)
{
    return t->desc.frozen ? 0 : LFT_P(prior_gradient_count)(&LFT_P(flow_state_of)(t->flow)->prior);
}

/* The integration steps that layers have at present, the most of any. */
LFT_P_STATIC int LFT_P(train_integration_steps)(const LFT_(flow) *flow)
{
    int i, most = 0;
    for (i = 0; i < flow->layers; ++i) most = flow->layer[i].steps > most ? flow->layer[i].steps : most;
    return most;
}

LFT_API lft_status LFT_(trainer_init)(LFT_(trainer) *trainer, LFT_(flow) *flow, const LFT_(theory) *theory,
                                      const lft_train_desc *desc, lft_arena *arena)
{
    LFT_P(flow_state)  *f = LFT_P(flow_state_of)(flow);
    LFT_P(train_state)  local, *s = (LFT_P(train_state) *)lft_arena_alloc(arena, 1, sizeof *s);
    const size_t        n = flow->params.count;
    size_t              tape, still;
    lft_status          status;
    int                 measured, newton, draws = 0, i;
    lft_p_zero(trainer, sizeof *trainer);
    for (i = 0; i < flow->layers; ++i) draws |= flow->layer[i].ops->draw != NULL;
    trainer->flow       = flow;
    trainer->theory     = theory;
    trainer->desc       = LFT_P(train_defaults)(desc, LFT_P(force_vectors)(&flow->lattice), draws);
    trainer->rate_scale = 1;
    trainer->state      = s;
    status              = LFT_P(train_check)(&trainer->desc, &flow->error);
    if (!status) status = LFT_P(train_moving)(flow, &trainer->desc, &flow->error);
    if (status) return status;
    tape  = LFT_P(flow_tape_bytes)(flow, trainer->desc.frozen);
    still = trainer->desc.frozen ? flow->layer[trainer->desc.frozen].params : 0;
    if (theory && flow->family.degree && flow->family.couplings != theory->couplings) {
        return lft_p_fail_got(&flow->error, LFT_ERR_MISMATCH, "train", "couplings of the family", "those of the theory",
                              flow->family.couplings);
    }
    newton = trainer->desc.optimizer == LFT_GAUSS_NEWTON;
    if (newton && n < 4) { /* its state takes the place of four of Adam's numbers */
        return lft_p_fail_got(&flow->error, LFT_ERR_ARG, "train", "parameters for Gauss-Newton", "at least 4", (double)n);
    }
    if (newton && (size_t)trainer->desc.batch < n - still) { /* the equations would have a solution for any samples */
        return lft_p_fail_got(&flow->error, LFT_ERR_ARG, "train", "batch", "for Gauss-Newton at least as many as parameters",
                              trainer->desc.batch);
    }
    if (newton && (flow->family.degree || LFT_P(train_prior)(trainer))) {
        return lft_p_fail(&flow->error, LFT_ERR_ARG, "train",
                          "Gauss-Newton is for one set of couplings and a prior without parameters");
    }
    if (!s) s = &local;
    s->groups    = (trainer->desc.batch - 1) / LFT_P_LANES + 1;
    s->still     = still;
    s->slot_size = LFT_P(train_prior)(trainer);
    for (i = trainer->desc.frozen; i < flow->layers; ++i) s->slot_size += flow->layer[i].gradient_count;
    s->slot        = (double *)lft_arena_alloc(arena, s->slot_size * (size_t)trainer->desc.slots, sizeof(double));
    s->normal_size = newton ? lft_p_normal_size(n - still) : 0;
    s->normal      = (double *)lft_arena_alloc(arena, s->normal_size * (size_t)trainer->desc.slots, sizeof(double));
    measured       = trainer->desc.guard_every > 0 && LFT_P(train_integration_steps)(flow) > 0;
    s->guard_bytes = measured ? LFT_(flow_logq_error_bytes)(flow) : 0;
    s->guard       = (unsigned char *)lft_arena_take(arena, s->guard_bytes, 1);
    s->work        = (LFT_P(train_work) *)lft_arena_alloc(arena, (size_t)f->threads, sizeof *s->work);
    for (i = 0; i < f->threads; ++i) {
        LFT_P(train_work) w;
        w.z    = LFT_P(vectors)(arena, f->volume * LFT_P_SITE);
        w.dx   = LFT_P(vectors)(arena, f->volume * LFT_P_FORCES);
        w.tape = (unsigned char *)lft_arena_take(arena, tape, 1);
        w.own  = (double *)lft_arena_alloc(arena, newton ? s->slot_size : 0, sizeof(double));
        w.lane = (double *)lft_arena_alloc(arena, newton ? s->slot_size : 0, sizeof(double));
        w.row  = (double *)lft_arena_alloc(arena, newton ? n : 0, sizeof(double));
        if (s->work) s->work[i] = w;
    }
    trainer->gradient   = (double *)lft_arena_alloc(arena, n, sizeof(double));
    trainer->sum        = (double *)lft_arena_alloc(arena, trainer->desc.accumulate > 1 ? n : 0, sizeof(double));
    trainer->logw       = (double *)lft_arena_alloc(arena, (size_t)trainer->desc.batch, sizeof(double));
    trainer->good.value = (double *)lft_arena_alloc(arena, n, sizeof(double));
    trainer->good.m     = (double *)lft_arena_alloc(arena, n, sizeof(double));
    trainer->good.v     = (double *)lft_arena_alloc(arena, n, sizeof(double));
    status = lft_adam_init(&trainer->adam, n, trainer->desc.beta1, trainer->desc.beta2, 0, arena, &flow->error);
    if (status || lft_arena_measuring(arena)) return status;
    lft_p_copy(trainer->good.value, flow->params.value, n * sizeof(double));
    trainer->report.steps = trainer->desc.steps;
    return LFT_OK;
}

LFT_API size_t LFT_(trainer_bytes)(LFT_(flow) *flow, const lft_train_desc *desc)
{
    LFT_(trainer) trainer;
    lft_arena     measure = lft_arena_measure();
    return LFT_(trainer_init)(&trainer, flow, NULL, desc, &measure) == LFT_OK ? measure.need : 0;
}

/* One group of samples: log-weights, and the gradient of sum_lane weight[lane] (log q + S) added to the slot; natural: at fixed
 * samples, of log q alone. */
LFT_P_STATIC lft_status LFT_P(train_group)(LFT_(trainer) *t, LFT_P(flow_work) *w, LFT_P(train_work) *tw, int group,
                                           double *slot)
{
    const LFT_(flow)        *flow   = t->flow;
    const LFT_P(flow_state) *f      = LFT_P(flow_state_of)(flow);
    LFT_P(train_state)      *s      = (LFT_P(train_state) *)t->state;
    const int                newton = t->desc.optimizer == LFT_GAUSS_NEWTON, path = t->desc.estimator == LFT_PATH_GRADIENT;
    const int                natural = t->desc.estimator == LFT_NATURAL_GRADIENT;
    const size_t             n      = LFT_P(force_vectors)(&flow->lattice);
    double                   logq[LFT_P_LANES], logdet[LFT_P_LANES], S[LFT_P_LANES], weight[LFT_P_LANES];
    lft_draw                 d = lft_draw_of(t->desc.seed, LFT_DRAW_TRAIN, s->first + (uint64_t)group * LFT_P_LANES, 0);
    lft_status               status;
    lft_v                    share;
    size_t                   x;
    int                      l;
    LFT_P(prior_draw)(&f->prior, d, w->x, logq, w->scratch);
    LFT_P(copy_field)(tw->z, w->x, &flow->layer[0].in);
    if (path || natural) LFT_P(prior_logq)(&f->prior, tw->z, logq, w->score, w->scratch);
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = 0;
    status = LFT_P(flow_push)(flow, w, &d, logdet, path || natural ? w->score : NULL, tw->tape, t->desc.frozen);
    if (status) return status;
    s->theory.action(&s->theory, &flow->lattice, (lft_real *)w->x, S, (lft_real *)tw->dx);
    for (l = 0; l < LFT_P_LANES; ++l) {
        int i = group * LFT_P_LANES + l;
        weight[l] = i >= t->desc.batch ? 0 : newton ? 1 : 1.0 / t->desc.batch;
        if (i < t->desc.batch) t->logw[i] = logdet[l] - logq[l] - S[l];
    }
    share = LFT_P(from_wide)(weight);
    for (x = 0; path && x < n; ++x) tw->dx[x] += w->score[x];
    for (x = 0; natural && x < n; ++x) tw->dx[x] = -w->score[x]; /* takes the way of the samples off that of log q */
    for (x = 0; x < n; ++x) tw->dx[x] *= share;
    for (l = 0; l < LFT_P_LANES; ++l) logdet[l] = path ? 0 : -weight[l], logq[l] = path ? 0 : weight[l];
    status = LFT_P(flow_backward)(flow, t->desc.frozen, w, tw->tape, tw->dx, logdet, slot + LFT_P(train_prior)(t));
    if (!t->desc.frozen) LFT_P(prior_backward)(&f->prior, tw->z, tw->dx, logq, slot, w->scratch);
    return status;
}

/* Those gradients of a group, one sample after the other, into the normal equations. */
LFT_P_STATIC lft_status LFT_P(train_newton_group)(LFT_(trainer) *t, LFT_P(flow_work) *w, LFT_P(train_work) *tw, int group,
                                                  double *normal)
{
    const LFT_(flow)          *flow = t->flow;
    const LFT_P(train_state)  *s    = (const LFT_P(train_state) *)t->state;
    const size_t               n    = flow->params.count;
    lft_status                 status;
    size_t                     k;
    int                        i, l;
    lft_p_zero(tw->own, s->slot_size * sizeof(double));
    status = LFT_P(train_group)(t, w, tw, group, tw->own);
    for (l = 0; l < LFT_P_LANES && group * LFT_P_LANES + l < t->desc.batch && !status; ++l) {
        double *at = tw->lane;
        lft_p_zero(tw->row, n * sizeof(double));
        for (k = 0; k < s->slot_size; ++k) tw->lane[k] = k % LFT_P_LANES == (size_t)l ? tw->own[k] : 0;
        for (i = t->desc.frozen; i < flow->layers; ++i) {
            if (flow->layer[i].gradient_count) flow->layer[i].ops->collect(flow->layer + i, at, tw->row);
            at += flow->layer[i].gradient_count;
        }
        for (k = 0; k < n; ++k) tw->row[k] = flow->params.pace[k] > 0 ? tw->row[k] : 0; /* one that does not move */
        lft_p_normal_add(normal, n - s->still, tw->row + s->still, -t->logw[group * LFT_P_LANES + l]);
    }
    return status;
}

/* Slot i sums the groups i, i + slots, ... in this order, whoever runs it. */
LFT_P_STATIC void LFT_P(train_task)(void *context, int i, int thread)
{
    LFT_(trainer)      *t = (LFT_(trainer) *)context;
    LFT_P(train_state) *s = (LFT_P(train_state) *)t->state;
    LFT_P(flow_work)   *w = LFT_P(flow_state_of)(t->flow)->work + thread;
    int                 group;
    for (group = i; group < s->groups; group += t->desc.slots) {
        if (t->desc.optimizer == LFT_GAUSS_NEWTON) {
            double *normal = s->normal + s->normal_size * (size_t)i;
            LFT_P(flow_note)(w, group, LFT_P(train_newton_group)(t, w, s->work + thread, group, normal));
            continue;
        }
        LFT_P(flow_note)(w, group, LFT_P(train_group)(t, w, s->work + thread, group, s->slot + s->slot_size * (size_t)i));
    }
}

/* The gradient by theta becomes that by the coefficients of a family. */
LFT_P_STATIC void LFT_P(train_terms)(LFT_(trainer) *t)
{
    const LFT_P(flow_state) *f = LFT_P(flow_state_of)(t->flow);
    double                   weight[LFT_P_FAMILY_MOST];
    size_t                   k;
    int                      b;
    lft_p_family_weights(&t->flow->family, t->flow->coupling, weight);
    for (b = f->terms - 1; b > 0; --b) {
        double *to = t->gradient + (size_t)b * f->parameters;
        for (k = 0; k < f->parameters; ++k) to[k] = weight[b] * t->gradient[k];
    }
}

/* All groups of the samples from number `first` on; the sums of the slots into the first of them. */
LFT_P_STATIC lft_status LFT_P(train_sums)(LFT_(trainer) *t, uint64_t first, double *slot, size_t size)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    lft_status          status;
    size_t              k;
    int                 i;
    s->first  = first;
    s->theory = *t->theory;
    if (flow->family.degree) lft_p_copy(s->theory.coupling, flow->coupling, (size_t)s->theory.couplings * sizeof(double));
    lft_p_zero(slot, size * (size_t)t->desc.slots * sizeof(double));
    status = LFT_P(flow_run)(flow, t->desc.slots < s->groups ? t->desc.slots : s->groups, LFT_P(train_task), t);
    for (i = 1; i < t->desc.slots; ++i) {
        for (k = 0; k < size; ++k) slot[k] += slot[size * (size_t)i + k];
    }
    return status;
}

/* log Z as the batch has it, and how much it counts: as many samples as it is worth. */
LFT_P_STATIC void LFT_P(train_logz)(const LFT_(trainer) *t, double *logz, double *weight)
{
    const lft_weights w = lft_weigh(t->logw, (size_t)t->desc.batch);
    *logz   = w.logz;
    *weight = w.ess * t->desc.batch;
}

LFT_API lft_status LFT_(train_gradient)(LFT_(trainer) *t, uint64_t first, double *loss)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    const int           newton = t->desc.optimizer == LFT_GAUSS_NEWTON;
    const size_t        of_prior = LFT_P(train_prior)(t);
    double             *sum = newton ? s->normal : s->slot, *at;
    const lft_status    status = LFT_P(train_sums)(t, first, sum, newton ? s->normal_size : s->slot_size);
    double              of_batch, weight;
    size_t              k;
    int                 i;
    if (status) return status;
    for (*loss = 0, i = 0; i < t->desc.batch; ++i) *loss -= t->logw[i] / t->desc.batch;
    lft_p_zero(t->gradient, flow->params.count * sizeof(double));
    if (newton) {
        LFT_P(train_logz)(t, &of_batch, &weight);
        lft_p_normal_about(sum, flow->params.count - s->still, -(t->adam.v[2] + weight * of_batch) / (t->adam.v[3] + weight),
                           t->gradient + s->still);
        return LFT_OK;
    }
    for (k = 0; k < of_prior; ++k) t->gradient[k] += sum[k];
    at = sum + of_prior;
    for (i = t->desc.frozen; i < flow->layers; ++i) {
        flow->layer[i].ops->collect(flow->layer + i, at, t->gradient);
        at += flow->layer[i].gradient_count;
    }
    LFT_P(train_terms)(t);
    return LFT_OK;
}

/* ---- 93_checkpoint.h, code --------------------------------------------------------------------------------------- */

#define LFT_P_TRAINER_TENSORS 10

/* The vectors of a trainer, and their names. */
static const char *const LFT_P(trainer_vector_name)[5] = {"trainer.adam_m", "trainer.adam_v", "trainer.good_value",
                                                          "trainer.good_m", "trainer.good_v"};

LFT_P_STATIC double *LFT_P(trainer_vector)(const LFT_(trainer) *t, int i)
{
    switch (i) {
    case 0: return t->adam.m;
    case 1: return t->adam.v;
    case 2: return t->good.value;
    case 3: return t->good.m;
    default: return t->good.v;
    }
}

LFT_P_STATIC void LFT_P(trainer_collect_desc)(LFT_P(model_list) *list, const lft_train_desc *d)
{
    uint64_t whole[12];
    double   real[8];
    whole[0] = d->seed, whole[1] = d->steps, whole[2] = d->warmup;
    whole[3] = (uint64_t)d->batch, whole[4] = (uint64_t)d->accumulate;
    whole[5] = (uint64_t)d->estimator, whole[6] = (uint64_t)d->schedule, whole[7] = (uint64_t)d->slots;
    whole[8] = d->guard_every > 0 ? (uint64_t)d->guard_every : 0, whole[9] = (uint64_t)d->guard_samples;
    whole[10] = (uint64_t)d->optimizer, whole[11] = (uint64_t)d->frozen;
    real[0] = d->rate, real[1] = d->last_rate, real[2] = d->clip, real[3] = d->beta1, real[4] = d->beta2;
    real[5] = d->guard_std, real[6] = d->guard_mean, real[7] = d->ridge;
    LFT_P(model_add)(list, "trainer.whole", LFT_DTYPE_U64, whole, 12);
    LFT_P(model_add)(list, "trainer.real", LFT_DTYPE_F64, real, 8);
}

LFT_P_STATIC lft_status LFT_P(trainer_collect)(LFT_P(model_list) *list, const LFT_(trainer) *t, const LFT_(model_info) *info,
                                               lft_error *error)
{
    const lft_train_report *r      = &t->report;
    const int               n      = (int)t->adam.n;
    lft_status              status = LFT_P(model_collect)(list, t->flow, info, error);
    uint64_t                whole[6];
    double                  real[5];
    int                     i;
    whole[0] = t->step, whole[1] = t->adam.step, whole[2] = t->good.step, whole[3] = t->good.adam_step;
    whole[4] = (uint64_t)r->refined, whole[5] = (uint64_t)r->rolled_back;
    LFT_P(model_add)(list, "trainer.counters", LFT_DTYPE_U64, whole, 6);
    real[0] = t->rate_scale, real[1] = r->loss, real[2] = r->ess, real[3] = r->rate, real[4] = r->norm;
    LFT_P(model_add)(list, "trainer.numbers", LFT_DTYPE_F64, real, 5);
    real[0] = r->guard.std, real[1] = r->guard.mean, real[2] = r->guard.std_error, real[3] = r->guard.mean_error;
    real[4] = r->guard.n;
    LFT_P(model_add)(list, "trainer.guard", LFT_DTYPE_F64, real, 5);
    for (i = 0; i < 5; ++i) {
        LFT_P(model_refer)(list, LFT_P(trainer_vector_name)[i], LFT_DTYPE_F64, LFT_P(trainer_vector)(t, i), 1, &n);
    }
    LFT_P(trainer_collect_desc)(list, &t->desc);
    LFT_P(model_say)(list, "real", LFT_P_STRING(LFT_P_REAL_NAME));
    LFT_P(model_say_number)(list, "lanes", LFT_P_LANES);
    return status;
}

LFT_API lft_status LFT_(trainer_save)(const LFT_(trainer) *trainer, const LFT_(model_info) *info, lft_writer to,
                                      lft_arena scratch, lft_error *error)
{
    LFT_P(model_list) list = LFT_P(model_list_of)(trainer->flow, LFT_P_TRAINER_TENSORS, &scratch);
    LFT_(model_info)  whole;
    lft_status        status;
    LFT_(model_info_of)(&whole, trainer->theory);
    if (info) {
        whole.logq_error = info->logq_error;
        whole.seconds    = info->seconds;
        whole.ess        = info->ess;
        whole.ess_n      = info->ess_n;
    }
    whole.seed  = trainer->desc.seed;
    whole.steps = trainer->step;
    whole.batch = (uint64_t)trainer->desc.batch;
    whole.loss  = trainer->report.loss;
    status      = LFT_P(trainer_collect)(&list, trainer, &whole, error);
    return status ? status : LFT_P(model_write)(&list, to, error);
}

LFT_API size_t LFT_(trainer_save_bytes)(const LFT_(trainer) *trainer)
{
    lft_arena         measure = lft_arena_measure();
    LFT_P(model_list) list    = LFT_P(model_list_of)(trainer->flow, LFT_P_TRAINER_TENSORS, &measure);
    LFT_(model_info)  info;
    LFT_P(model_info_most)(&info);
    return LFT_P(trainer_collect)(&list, trainer, &info, NULL) == LFT_OK ? measure.need : 0;
}

/* A counter that has to fit an int; a larger one becomes the largest, which trainer_init refuses or cannot hold. */
LFT_P_STATIC int LFT_P(trainer_int)(const lft_tensor *t, size_t i)
{
    const uint64_t v = lft_tensor_get_u64(t, i);
    return v < INT32_MAX ? (int)v : INT32_MAX;
}

LFT_API lft_status LFT_(trainer_desc)(const lft_safetensors *doc, lft_train_desc *desc, lft_error *error)
{
    const lft_tensor *whole, *real;
    lft_p_zero(desc, sizeof *desc);
    if (!lft_safetensors_find(doc, "trainer.counters")) {
        return lft_p_fail(error, LFT_ERR_FORMAT, "checkpoint",
                          "expected the state of a training, got a model alone (its training has ended)");
    }
    whole = LFT_P(model_find)(doc, "trainer.whole", 10, error);
    real  = whole ? LFT_P(model_find)(doc, "trainer.real", 7, error) : NULL;
    if (!real) return LFT_ERR_FORMAT;
    desc->seed          = lft_tensor_get_u64(whole, 0);
    desc->steps         = lft_tensor_get_u64(whole, 1);
    desc->warmup        = lft_tensor_get_u64(whole, 2);
    desc->batch         = LFT_P(trainer_int)(whole, 3);
    desc->accumulate    = LFT_P(trainer_int)(whole, 4);
    desc->estimator     = (lft_estimator)(LFT_P(trainer_int)(whole, 5) & 3);
    desc->schedule      = (lft_schedule_kind)(LFT_P(trainer_int)(whole, 6) & 3);
    desc->slots         = LFT_P(trainer_int)(whole, 7);
    desc->guard_every   = LFT_P(trainer_int)(whole, 8) ? LFT_P(trainer_int)(whole, 8) : -1;
    desc->guard_samples = LFT_P(trainer_int)(whole, 9);
    desc->rate          = lft_tensor_get(real, 0);
    desc->last_rate     = lft_tensor_get(real, 1);
    desc->clip          = lft_tensor_get(real, 2);
    desc->beta1         = lft_tensor_get(real, 3);
    desc->beta2         = lft_tensor_get(real, 4);
    desc->guard_std     = lft_tensor_get(real, 5);
    desc->guard_mean    = lft_tensor_get(real, 6);
    if (lft_tensor_count(whole) < 11 || lft_tensor_count(real) < 8) return LFT_OK; /* of Adam, by an older version */
    if (LFT_P(trainer_int)(whole, 10) == LFT_GAUSS_NEWTON) {
        desc->optimizer = LFT_GAUSS_NEWTON;
        if (desc->estimator == LFT_PATH_GRADIENT) desc->estimator = LFT_TOTAL_GRADIENT; /* of an older version */
    }
    desc->ridge = lft_tensor_get(real, 7);
    if (lft_tensor_count(whole) >= 12) desc->frozen = LFT_P(trainer_int)(whole, 11);
    return LFT_OK;
}

/* Everything that resume reads is there and has the right size. */
LFT_P_STATIC lft_status LFT_P(trainer_fits)(const LFT_(trainer) *t, const lft_safetensors *doc, lft_error *error)
{
    int i;
    if (!LFT_P(model_find)(doc, "trainer.counters", 6, error) || !LFT_P(model_find)(doc, "trainer.numbers", 5, error) ||
        !LFT_P(model_find)(doc, "trainer.guard", 5, error)) {
        return LFT_ERR_FORMAT;
    }
    for (i = 0; i < 5; ++i) {
        const lft_tensor *v = LFT_P(model_find)(doc, LFT_P(trainer_vector_name)[i], t->adam.n, error);
        if (!v) return LFT_ERR_FORMAT;
        if (lft_tensor_count(v) != t->adam.n) {
            return lft_p_fail_got(error, LFT_ERR_MISMATCH, LFT_P(trainer_vector_name)[i], "numbers",
                                  "one per parameter of the flow", (double)lft_tensor_count(v));
        }
    }
    return LFT_OK;
}

LFT_API lft_status LFT_(trainer_resume)(LFT_(trainer) *t, const lft_safetensors *doc)
{
    lft_error        *error   = &t->flow->error;
    lft_status        status  = LFT_P(trainer_fits)(t, doc, error);
    const lft_tensor *whole   = lft_safetensors_find(doc, "trainer.counters");
    const lft_tensor *numbers = lft_safetensors_find(doc, "trainer.numbers");
    const lft_tensor *guard   = lft_safetensors_find(doc, "trainer.guard");
    lft_train_report *r       = &t->report;
    const size_t      parameters = LFT_P(flow_state_of)(t->flow)->parameters;
    const size_t      still      = ((const LFT_P(train_state) *)t->state)->still;
    size_t            k;
    int               i;
    if (!status) status = LFT_(model_restore)(t->flow, doc, error);
    if (status) return status;
    for (i = 0; i < 5; ++i) {
        const lft_tensor *v = lft_safetensors_find(doc, LFT_P(trainer_vector_name)[i]);
        double           *to = LFT_P(trainer_vector)(t, i);
        for (k = 0; k < t->adam.n; ++k) to[k] = lft_tensor_get(v, k);
        for (k = 0; i != 2 && t->desc.optimizer == LFT_ADAM && k < t->adam.n; ++k) { /* 2: parameters */
            if (k % parameters < still) to[k] = 0;
        }
    }
    t->step              = lft_tensor_get_u64(whole, 0);
    t->adam.step         = lft_tensor_get_u64(whole, 1);
    t->good.step         = lft_tensor_get_u64(whole, 2);
    t->good.adam_step    = lft_tensor_get_u64(whole, 3);
    t->rate_scale        = lft_tensor_get(numbers, 0);
    r->refined           = LFT_P(trainer_int)(whole, 4);
    r->rolled_back       = LFT_P(trainer_int)(whole, 5);
    r->step              = t->step;
    r->steps             = t->desc.steps;
    r->loss              = lft_tensor_get(numbers, 1);
    r->ess               = lft_tensor_get(numbers, 2);
    r->rate              = lft_tensor_get(numbers, 3);
    r->norm              = lft_tensor_get(numbers, 4);
    r->guard.std         = lft_tensor_get(guard, 0);
    r->guard.mean        = lft_tensor_get(guard, 1);
    r->guard.std_error   = lft_tensor_get(guard, 2);
    r->guard.mean_error  = lft_tensor_get(guard, 3);
    r->guard.n           = LFT_P(model_is_whole)(lft_tensor_get(guard, 4), 1e9) ? (int)lft_tensor_get(guard, 4) : 0;
    r->integration_steps = LFT_P(train_integration_steps)(t->flow);
    return LFT_OK;
}

/* ---- 94_training.h, code ----------------------------------------------------------------------------------------- */

/* A step of Gauss and Newton at `rate`, from new samples; norm: its change of the log-weights, 0 of one that is taken back. The
 * ridge is that of Levenberg and Marquardt: a step after which the mean of (log w - log Z)^2 is more than twice of what
 * it was is taken back, and the ridge grows tenfold; otherwise it shrinks to a third, to the desc's at least. It is log Z, from all
 * batches, and not the mean of the log-weights: an error of the integrator that is the same everywhere would cost nothing
 * otherwise, and the optimiser finds it. Its state is in that of Adam, so that checkpoints hold it: the parameters before the
 * step in m; that mean, the ridge, and log Z with what it counts in v. */
LFT_P_STATIC lft_status LFT_P(train_newton)(LFT_(trainer) *t, uint64_t first, double rate, double *loss, double *norm)
{
    LFT_(flow)         *flow = t->flow;
    LFT_P(train_state) *s    = (LFT_P(train_state) *)t->state;
    const size_t        n = flow->params.count;
    double             *step = s->work->row, *before = t->adam.m, *variance = t->adam.v, *ridge = t->adam.v + 1, mean = 0;
    double              logz, weight;
    const lft_status    status = LFT_(train_gradient)(t, first, &mean);
    const int           begun  = t->adam.step > 0;
    size_t              k;
    if (status && status != LFT_ERR_NONFINITE) return status;
    if (begun && (status || !(s->normal[2] <= 2 * *variance))) {
        lft_p_copy(flow->params.value, before, n * sizeof(double));
        *ridge *= 10;
        *norm = 0;
        return *ridge < 1e12 ? LFT_OK : LFT_ERR_NONFINITE;
    }
    if (status) return status;
    LFT_P(train_logz)(t, &logz, &weight);
    t->adam.v[2] += weight * logz, t->adam.v[3] += weight;
    *loss     = mean;
    *variance = s->normal[2];
    *ridge    = !begun ? 0.1 : *ridge / 3 > t->desc.ridge ? *ridge / 3 : t->desc.ridge;
    t->adam.step += 1;
    lft_p_copy(before, flow->params.value, n * sizeof(double));
    *norm = lft_p_normal_step(s->normal, n - s->still, *ridge, t->gradient + s->still, step);
    if (!lft_finite(*norm)) return LFT_ERR_NONFINITE;
    if (t->desc.clip > 0 && *norm > t->desc.clip) rate *= t->desc.clip / *norm;
    for (k = s->still; k < n; ++k) flow->params.value[k] += rate * step[k - s->still];
    return LFT_OK;
}

LFT_P_STATIC void LFT_P(train_mark_good)(LFT_(trainer) *t)
{
    const size_t bytes = t->adam.n * sizeof(double);
    lft_p_copy(t->good.value, t->flow->params.value, bytes);
    lft_p_copy(t->good.m, t->adam.m, bytes);
    lft_p_copy(t->good.v, t->adam.v, bytes);
    t->good.step      = t->step;
    t->good.adam_step = t->adam.step;
}

/* Back to the last good state, with half the learning rate. LFT_ERR_NOCONV after ten times: `why` says what keeps
 * happening. */
LFT_P_STATIC lft_status LFT_P(train_roll_back)(LFT_(trainer) *t, const char *why)
{
    const size_t bytes = t->adam.n * sizeof(double);
    lft_p_copy(t->flow->params.value, t->good.value, bytes);
    lft_p_copy(t->adam.m, t->good.m, bytes);
    lft_p_copy(t->adam.v, t->good.v, bytes);
    t->step      = t->good.step;
    t->adam.step = t->good.adam_step;
    t->rate_scale *= 0.5;
    LFT_(flow_prepare)(t->flow);
    if (++t->report.rolled_back < 10) return LFT_OK;
    return lft_p_fail_got(&t->flow->error, LFT_ERR_NOCONV, "train", why, "at most 9 roll-backs", t->report.rolled_back);
}

LFT_P_STATIC int LFT_P(train_within)(const LFT_(trainer) *t)
{
    const lft_logq_error *g = &t->report.guard;
    return g->std <= t->desc.guard_std && g->mean <= t->desc.guard_mean && -g->mean <= t->desc.guard_mean;
}

LFT_P_STATIC lft_status LFT_P(train_measure)(LFT_(trainer) *t)
{
    LFT_P(train_state) *s = (LFT_P(train_state) *)t->state;
    const uint64_t      first = t->step * (uint64_t)t->desc.guard_samples;
    return LFT_(flow_logq_error)(t->flow, t->desc.seed, first, t->desc.guard_samples, &t->report.guard,
                                 lft_arena_of(s->guard, s->guard_bytes));
}

/* Up to two refinements by half before the state is given up: one that is sound on a finer grid is worth its steps. */
LFT_P_STATIC lft_status LFT_P(train_guard)(LFT_(trainer) *t)
{
    int tries;
    for (tries = 0;; ++tries) {
        const int  steps  = LFT_P(train_integration_steps)(t->flow);
        lft_status status = LFT_P(train_measure)(t);
        if (!status && LFT_P(train_within)(t)) {
            LFT_P(train_mark_good)(t);
            return LFT_OK;
        }
        if (tries == 2 || LFT_(flow_refine)(t->flow, steps + (steps + 1) / 2)) break;
        t->report.refined += 1;
    }
    return LFT_P(train_roll_back)(t, "epsilon stays beyond the guard's bounds");
}

/* A family is trained at couplings from all over its box, more at its bounds, where polynomials need it. The flow's become the
 * couplings of this number; whether they were others. */
LFT_P_STATIC int LFT_P(train_draw_couplings)(LFT_(trainer) *t, uint64_t number)
{
    const lft_family *f = &t->flow->family;
    const lft_draw    d = lft_draw_of(t->desc.seed, LFT_DRAW_FAMILY, number, 0);
    double           *to = t->flow->coupling, sine, cosine;
    int               j, others = 0;
    for (j = 0; j < f->couplings; ++j) {
        const double before = to[j];
        lft_p_f64_p_sincos(3.14159265358979323846 * lft_uniform(d, (uint32_t)j), &sine, &cosine);
        to[j]  = 0.5 * (f->high[j] + f->low[j] + (f->high[j] - f->low[j]) * cosine);
        others = others || to[j] < before || to[j] > before;
    }
    return others;
}

/* The accumulated gradient in t->gradient; the loss and ess of its last part in the report. */
LFT_P_STATIC lft_status LFT_P(train_accumulate)(LFT_(trainer) *t, double *sum)
{
    const uint64_t batch = (uint64_t)t->desc.batch, parts = (uint64_t)t->desc.accumulate;
    lft_status     status = LFT_OK;
    uint64_t       part;
    size_t         k;
    double         loss = 0;
    for (part = 0; part < parts && !status; ++part) {
        if (t->flow->family.degree && LFT_P(train_draw_couplings)(t, t->step * parts + part)) LFT_(flow_prepare)(t->flow);
        status = LFT_(train_gradient)(t, (t->step * parts + part) * batch, &loss);
        if (parts == 1) continue;
        for (k = 0; k < t->adam.n; ++k) sum[k] = (part ? sum[k] : 0) + t->gradient[k] / (double)parts;
    }
    for (k = 0; parts > 1 && k < t->adam.n; ++k) t->gradient[k] = sum[k];
    t->report.loss = loss;
    t->report.ess  = lft_weigh(t->logw, (size_t)t->desc.batch).ess;
    return status;
}

LFT_API lft_status LFT_(train_step)(LFT_(trainer) *t)
{
    const lft_train_desc *d = &t->desc;
    const int             integrates = LFT_P(train_integration_steps)(t->flow) > 0;
    lft_train_report     *r = &t->report;
    lft_schedule          schedule;
    lft_status            status;
    schedule.kind = d->schedule, schedule.from = d->rate, schedule.to = d->last_rate;
    schedule.warmup = d->warmup, schedule.steps = d->steps;
    r->rate         = t->rate_scale * lft_rate(&schedule, t->step);
    if (d->optimizer == LFT_GAUSS_NEWTON) {
        status = LFT_P(train_newton)(t, t->step * (uint64_t)d->batch, r->rate, &r->loss, &r->norm);
        r->ess = lft_weigh(t->logw, (size_t)d->batch).ess;
    } else {
        status  = LFT_P(train_accumulate)(t, t->sum);
        r->norm = lft_clip_norm(t->gradient, t->adam.n, d->clip);
    }
    if (status && status != LFT_ERR_NONFINITE) return status;
    if (status || !lft_finite(r->loss) || !lft_finite(r->norm)) {
        status = LFT_P(train_roll_back)(t, "loss or gradient not finite");
    } else {
        if (!integrates && d->guard_every > 0 && t->step % (uint64_t)d->guard_every == 0) LFT_P(train_mark_good)(t);
        if (d->optimizer == LFT_ADAM) {
            lft_adam_step(&t->adam, t->flow->params.value, t->gradient, r->rate, t->flow->params.pace);
        }
        t->step += 1;
        if (t->flow->family.degree) { /* where the next step begins: so it need not prepare again */
            (void)LFT_P(train_draw_couplings)(t, t->step * (uint64_t)d->accumulate);
        }
        LFT_(flow_prepare)(t->flow);
        if (integrates && d->guard_every > 0 && (t->step % (uint64_t)d->guard_every == 0 || t->step == d->steps)) {
            status = LFT_P(train_guard)(t);
        }
    }
    r->step              = t->step;
    r->integration_steps = LFT_P(train_integration_steps)(t->flow);
    return status;
}

LFT_API lft_status LFT_(train_rest)(LFT_(trainer) *t)
{
    lft_status status = LFT_OK;
    while (!status && t->step < t->desc.steps) {
        status = LFT_(train_step)(t);
        if (!status && t->desc.report && t->desc.report(t->desc.user, &t->report)) status = LFT_STOPPED;
    }
    return status;
}

LFT_API lft_status LFT_(train)(LFT_(flow) *flow, const LFT_(theory) *theory, const lft_train_desc *desc, lft_arena scratch)
{
    LFT_(trainer) trainer;
    lft_status    status = LFT_(trainer_init)(&trainer, flow, theory, desc, &scratch);
    return status ? status : LFT_(train_rest)(&trainer);
}

#endif
#endif

/* ---- 99_close.h, code -------------------------------------------------------------------------------------------- */
/* 99_close.h: undefines every parameter and alias of the instance, so that the next one starts clean. */

#ifdef LFT_P_PRIVATE /* the user's own parameters wait for their turn */
#undef LFT_P_PRIVATE
#else
#undef LFT_NAME
#undef LFT_GROUP
#undef LFT_DIM
#undef LFT_REAL
#undef LFT_LANES
#undef LFT_UPTO
#endif
#undef LFT_
#undef LFT_P
#undef LFT_API
#undef LFT_P_LANES
#undef LFT_P_VECTOR_BYTES
#undef LFT_P_REAL_BYTES
#undef LFT_P_REAL_NAME
#undef LFT_P_GROUP_NAME
#undef LFT_P_SIGNED
#undef LFT_P_SIGNED2
#undef LFT_P_SIGNED3
#undef LFT_P_LINKS
#undef LFT_P_COLOURS
#undef LFT_P_LINK
#undef LFT_P_ALGEBRA
#undef LFT_P_HAAR
#undef LFT_P_METRIC
#undef LFT_P_SUM
#undef LFT_P_ORDERS
#undef LFT_P_SYMMETRIES
#undef LFT_P_SHAPE
#undef LFT_P_CLASSES
#undef LFT_P_LETTERS
#undef LFT_P_TRACES
#undef LFT_P_PATHS
#undef LFT_P_SITES
#undef LFT_P_STAGES
#undef LFT_P_MOVES
#undef LFT_P_SITE
#undef LFT_P_FORCES
#undef LFT_P_CELLS
#undef LFT_P_FINE
#undef LFT_P_RUNGS
#undef LFT_P_TOP
#undef LFT_P_ATTEMPTS
#undef lft_u
#undef lft_z
#undef lft_w
#undef lft_real
#undef lft_int
#undef lft_v
#undef lft_m
#undef lft_splat
#undef lft_sel

#endif /* LFT_NAME */
