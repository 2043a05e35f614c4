/* test_model.c: models and checkpoints: what is saved comes back bit for bit, what does not fit is refused with a reason,
 * training goes on as if it had never stopped. */
#define LFT_STATIC
#define LFT_NAME f32
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM 2
#define LFT_REAL LFT_F32
#include "../instance.h"

#define LFT_NAME f64
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM 2
#include "../instance.h"

/* An instance without training loads models as well. */
#define LFT_NAME three
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM 3
#define LFT_UPTO LFT_SAMPLE
#include "../instance.h"

#include "../test.h"
#include "../pool.h"
#include <stdlib.h>

static LFT_ARENA(memory, 4 << 20);
static LFT_ARENA(memory2, 4 << 20);
static LFT_ARENA(more_memory, 1 << 20);
static unsigned char file[1 << 18], file2[1 << 18];
static size_t        file_size;

/* With OpenMP, real threads. */
static lft_pool pool_of(int threads)
{
    static int number;
    lft_pool   pool = lft_pool_openmp(threads);
    number          = threads;
    return pool.run ? pool : test_pool(&number);
}

/* What follows cannot do without. */
static void check_loaded(const char *name, const lft_error *e, lft_status status)
{
    check_true(name, status == LFT_OK);
    if (!status) return;
    printf("    %s\n", e->text);
    (void)test_end();
    exit(1);
}

#define CASE f32
#include "model_case.h"
#define CASE f64
#include "model_case.h"

/* One file for both real types: the f64 flow is the same map up to the rounding of the f32 one. */
static void test_other_real(void)
{
    static double  a[40], b[40];
    lft_arena      arena = f32_arena();
    f32_flow_desc  d;
    f32_model_info info;
    f64_model_info back;
    f32_flow       flow;
    f64_flow       wide;
    lft_error      e;
    size_t         size, again;
    double         most = 0;
    int            i;
    f32_desc(&d, lft_pool_openmp(1));
    f32_make(&flow, &d, &arena);
    f32_fingerprint(&flow, a);
    f32_info(&info);
    size = f32_save(&flow, &info, file, sizeof file);
    check_loaded("f32 to f64: loaded", &e, f64_load(file, size, &wide, &back, &arena, &e));
    f64_fingerprint(&wide, b);
    for (i = 0; i < 40; ++i) most = fabs(a[i] - b[i]) > most ? fabs(a[i] - b[i]) : most;
    check_below("f32 to f64: log q", most, 1e-4);
    again = f64_save(&wide, &back, file2, sizeof file2);
    check_true("f32 to f64: saved again, the same bytes", again == size && !memcmp(file, file2, size));
}

static void test_other_dimension(void)
{
    lft_arena        arena = f32_arena();
    f32_flow_desc    d;
    f32_model_info   info;
    f32_flow         flow;
    three_flow_desc  cubic;
    three_flow       solid;
    three_model_info solid_info;
    lft_safetensors  doc;
    lft_memory       m;
    lft_error        e;
    size_t           size;
    f32_desc(&d, lft_pool_openmp(1));
    f32_make(&flow, &d, &arena);
    f32_info(&info);
    size = f32_save(&flow, &info, file, sizeof file);
    check_true("another dimension: read",
               lft_safetensors_load(lft_memory_reader(&m, file, size), &arena, &doc, &e) == LFT_OK);
    check_true("another dimension: refused", three_model_desc(&doc, NULL, &cubic, NULL, &arena, &e) == LFT_ERR_MISMATCH &&
                                                 strstr(e.text, "'dim': expected 3, got '2'"));
    memset(&cubic, 0, sizeof cubic);
    memset(&solid_info, 0, sizeof solid_info);
    cubic.extent[0] = cubic.extent[1] = cubic.extent[2] = 2;
    check_true("no training: saved and loaded",
               three_flow_init(&solid, &cubic, &arena, &e) == LFT_OK &&
                   three_model_save(&solid, &solid_info, lft_memory_writer(&m, file, sizeof file),
                                    lft_arena_of(more_memory, sizeof more_memory), &e) == LFT_OK &&
                   lft_safetensors_load(lft_memory_reader(&m, file, m.at), &arena, &doc, &e) == LFT_OK &&
                   three_model_desc(&doc, NULL, &cubic, NULL, &arena, &e) == LFT_OK &&
                   three_model_restore(&solid, &doc, &e) == LFT_OK);
}

/* A model alone is no checkpoint, and a damaged checkpoint says what is missing. */
static void test_checkpoint_errors(void)
{
    lft_arena       arena = f64_arena(), mark;
    f64_run         r, other;
    f64_model_info  info;
    lft_train_desc  desc;
    lft_safetensors doc;
    lft_memory      m;
    lft_error       e;
    size_t          size, i;
    f64_begin(&r, lft_pool_openmp(1), &arena);
    f64_info(&info);
    size = f64_save(&r.flow, &info, file, sizeof file);
    mark = arena;
    check_true("a model is no checkpoint",
               lft_safetensors_load(lft_memory_reader(&m, file, size), &arena, &doc, &e) == LFT_OK &&
                   f64_trainer_desc(&doc, &desc, &e) == LFT_ERR_FORMAT && strstr(e.text, "got a model alone"));
    arena = mark;
    size  = f64_checkpoint(&r, file, sizeof file);
    for (i = 8; i < 4000 && memcmp(file + i, "trainer.good_m", 14); ++i) {}
    file[i + 13] = 'k';
    check_true("a checkpoint without one of its tensors",
               f64_go_on(&other, file, size, lft_pool_openmp(1), &arena, &e) == LFT_ERR_FORMAT &&
                   strstr(e.text, "'trainer.good_m': expected a tensor of at least"));
}

int main(void)
{
    f32_test_all();
    f64_test_all();
    test_other_real();
    test_other_dimension();
    test_checkpoint_errors();
    return test_end();
}
