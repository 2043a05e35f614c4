/* test_user_flow.c: flows of links: samples, densities, gradients, models, training that resumes, for each group, with a
 * layer of the user's own; and the same samples for any lanes. */
#define LFT_STATIC
#define LFT_NAME  u1
#define LFT_GROUP LFT_U1
#define LFT_DIM   3
#include "../instance.h"

#define LFT_NAME  su2
#define LFT_GROUP LFT_SU2
#define LFT_DIM   4
#define LFT_REAL  LFT_F32
#include "../instance.h"

#define LFT_NAME  su3
#define LFT_GROUP LFT_SU3
#define LFT_DIM   2
#include "../instance.h"

#define LFT_NAME  lane
#define LFT_GROUP LFT_SU3
#define LFT_DIM   2
#define LFT_LANES 1
#include "lftflow.h"

#include "../test.h"
#include "../pool.h"
#include <stdlib.h>

#define KICK         u1
#define KICK_COLOURS 1
#define KICK_DIM     3
#include "../kick_instance.h"
#define KICK         su2
#define KICK_COLOURS 2
#define KICK_DIM     4
#include "../kick_instance.h"
#define KICK         su3
#define KICK_COLOURS 3
#define KICK_DIM     2
#include "../kick_instance.h"
#define KICK         lane
#define KICK_COLOURS 3
#define KICK_DIM     2
#include "../kick_instance.h"

static LFT_ARENA(memory, 8 << 20);
static LFT_ARENA(more_memory, 8 << 20);
static unsigned char file[1 << 18];

static lft_arena suite_arena(void)
{
    return lft_arena_of(memory, sizeof memory);
}

/* With OpenMP, real threads. */
static lft_pool suite_pool(int threads)
{
    static int number;
    lft_pool   pool = lft_pool_openmp(threads);
    number          = threads;
    return pool.run ? pool : test_pool(&number);
}

#define SUITE         u1
#define SUITE_NAME    "U(1), three dimensions"
#define SUITE_COLOURS 1
#define SUITE_DIM     3
#include "user_flow_suite.h"
#define SUITE         su2
#define SUITE_NAME    "SU(2), four dimensions, single precision"
#define SUITE_COLOURS 2
#define SUITE_DIM     4
#include "user_flow_suite.h"
#define SUITE         su3
#define SUITE_NAME    "SU(3), two dimensions"
#define SUITE_COLOURS 3
#define SUITE_DIM     2
#include "user_flow_suite.h"

/* One lane, and what the machine has. */
static void test_lanes(void)
{
    static const int extent[] = {2, 2};
    static double    one[11], all[11], a[144], b[144];
    lft_arena        arena = suite_arena();
    su3_flow         flow;
    lane_flow        single;
    su3_batch        x;
    lane_batch       y;
    lft_error        e;
    int              i, k;
    double           worst = 0, apart = 0;
    memset(&x, 0, sizeof x), memset(&y, 0, sizeof y);
    printf("---- lanes: 1 and %d\n", su3_lanes());
    check_true("lanes: flows", !su3_make(&flow, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e) &&
                                   !lane_make(&single, extent, 2, 0.3, 0.4, suite_pool(1), &arena, &e));
    check_true("lanes: samples", !su3_batch_init(&x, &flow.lattice, 11, &arena, &e) &&
                                     !lane_batch_init(&y, &single.lattice, 11, &arena, &e) &&
                                     !su3_flow_sample(&flow, 6, 100, &x, all) && !lane_flow_sample(&single, 6, 100, &y, one));
    for (i = 0; i < 11; ++i) {
        su3_batch_get(&x, i, a);
        lane_batch_get(&y, i, b);
        for (k = 0; k < 144; ++k) apart = fmax(apart, fabs(a[k] - b[k]));
        worst = fmax(worst, fabs(all[i] - one[i]));
    }
    check_below("lanes: the same links", apart, 1e-12);
    check_below("lanes: the same log q", worst, 1e-11);
}

/* A model is one of a group and a dimension. */
static void test_mismatch(void)
{
    static const int extent[] = {1, 2, 1};
    lft_arena        arena = suite_arena();
    lft_safetensors  doc;
    lft_memory       m;
    lft_error        e;
    u1_flow          flow;
    su2_flow_desc    d2;
    su3_flow_desc    d3;
    size_t           size;
    printf("---- models of other groups\n");
    check_true("mismatch: a flow", u1_make(&flow, extent, 1, 0.3, 0.4, suite_pool(1), &arena, &e) == LFT_OK);
    size = u1_save(&flow, NULL, file, sizeof file);
    check_true("mismatch: a file", lft_safetensors_load(lft_memory_reader(&m, file, size), &arena, &doc, &e) == LFT_OK);
    check_true("mismatch: U(1) is not SU(2)", su2_model_desc(&doc, NULL, &d2, NULL, &arena, &e) == LFT_ERR_MISMATCH &&
                                                  strstr(e.text, "'group': expected su2, got 'u1'"));
    check_true("mismatch: nor SU(3)", su3_model_desc(&doc, NULL, &d3, NULL, &arena, &e) == LFT_ERR_MISMATCH &&
                                          strstr(e.text, "'group': expected su3, got 'u1'"));
    {
        static const int two[] = {2, 2};
        su3_flow         other;
        lane_flow_desc   d;
        lft_text_pair   *pair;
        int              i;
        check_true("mismatch: a flow", su3_make(&other, two, 1, 0.3, 0.4, suite_pool(1), &arena, &e) == LFT_OK);
        size = su3_save(&other, NULL, file, sizeof file);
        check_true("mismatch: a file", lft_safetensors_load(lft_memory_reader(&m, file, size), &arena, &doc, &e) == LFT_OK);
        pair = (lft_text_pair *)(uintptr_t)doc.meta;
        for (i = 0; i < doc.metas; ++i) {
            if (!strcmp(pair[i].key, "dim")) pair[i].value = "4";
        }
        check_true("mismatch: four dimensions are not two", lane_model_desc(&doc, NULL, &d, NULL, &arena, &e) == LFT_ERR_MISMATCH &&
                                                                strstr(e.text, "'dim': expected 2, got '4'"));
    }
}

int main(void)
{
    static const int e1[] = {2, 1, 3}, e2[] = {1, 2, 1, 1}, e3[] = {2, 1};
    u1_suite(e1, 19);
    su2_suite(e2, 5);
    su3_suite(e3, 3);
    test_lanes();
    test_mismatch();
    return test_end();
}
