/* test_fixed_gauge.c: doublings with V = 1, a gauge transform of those with V by Haar: all groups in two to four dimensions; exact
 * ones; files. */
#define SUITE_NAME  u2
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   2
#include "fixed_gauge_suite.h"
#define SUITE_NAME  su33
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   3
#include "fixed_gauge_suite.h"
#ifndef LFT_TEST_FEW
#define SUITE_NAME  u3
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   3
#include "fixed_gauge_suite.h"
#define SUITE_NAME  u4
#define SUITE_GROUP LFT_U1
#define SUITE_DIM   4
#include "fixed_gauge_suite.h"
#define SUITE_NAME  su22
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   2
#include "fixed_gauge_suite.h"
#define SUITE_NAME  su23
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   3
#include "fixed_gauge_suite.h"
#define SUITE_NAME  su24
#define SUITE_GROUP LFT_SU2
#define SUITE_DIM   4
#include "fixed_gauge_suite.h"
#define SUITE_NAME  su32
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   2
#include "fixed_gauge_suite.h"
#define SUITE_NAME  su34
#define SUITE_GROUP LFT_SU3
#define SUITE_DIM   4
#include "fixed_gauge_suite.h"
#endif

/* ---- exact doublings: all weights are equal, in any gauge --------------------------------------------------------------- */

static void test_exact(void)
{
    enum { N = 64 };
    static const int extent[2] = {3, 4};
    u2_flow_desc     desc;
    u2_doubling_desc d[8];
    u2_layer_desc    list[8];
    u2_flow          flow;
    u2_theory        theory;
    u2_batch         x;
    lft_arena        arena = lft_arena_of(gauge_memory, sizeof gauge_memory);
    lft_error        error = {LFT_OK, ""};
    double           S[N], logq[N], again[N], logz = 0, off = 0, apart = 0, unlike = 0;
    int              i, bad;
    bad = u2_exact_desc(&desc, extent, 2, &arena, &error) != LFT_OK;
    for (i = 0; i < desc.layers; ++i) {
        list[i] = desc.layer[i];
        if (list[i].ops != u2_doubling()) continue;
        d[i]             = *(const u2_doubling_desc *)list[i].desc;
        d[i].fixed_gauge = 1;
        list[i].desc     = d + i;
    }
    desc.layer = list;
    memset(&x, 0, sizeof x);
    bad |= u2_flow_init(&flow, &desc, &arena, &error) || u2_batch_init(&x, &flow.lattice, N, &arena, &error);
    bad |= u2_flow_sample(&flow, 3, 0, &x, logq) || u2_flow_logq(&flow, &x, again);
    bad |= u2_wilson_init(&theory, 2, 0, &error) || u2_exact_logz(extent, 2, &logz, arena, &error);
    u2_action(&theory, &x, S);
    for (i = 0; i < N; ++i) {
        gauge_worst(&off, logq[i] + S[i] + logz), gauge_worst(&apart, logq[i] - again[i]), gauge_worst(&unlike, S[i] - S[0]);
    }
    check_true("exact: no errors", !bad);
    check_below("exact: log q + S + log Z", off, 1e-12);
    check_below("exact: log q by the inverse", apart, 1e-12);
    check_true("exact: samples of different actions", unlike > 1);
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

static void test_spec(void)
{
    u2_flow_desc      desc, again;
    u2_doubling_desc  d;
    u2_layer_desc     one;
    u2_flow           flow, loaded, haar;
    u2_model_info     info;
    u2_theory         theory;
    lft_safetensors   doc;
    lft_memory        file;
    lft_arena         arena = lft_arena_of(gauge_memory, sizeof gauge_memory);
    lft_error         error = {LFT_OK, ""};
    static char       data[20000];
    int64_t           number[LFT_MAX_COUPLINGS + 32];
    const void       *read = NULL;
    int               bad = 0, n;
    memset(&desc, 0, sizeof desc), memset(&d, 0, sizeof d);
    desc.extent[0] = desc.extent[1] = 2;
    d.axis = 1, d.fixed_gauge = 1;
    one.ops = u2_doubling(), one.desc = &d;
    desc.layer = &one, desc.layers = 1;
    bad |= u2_flow_init(&flow, &desc, &arena, &error) || u2_wilson_init(&theory, 1, 0, &error);
    u2_model_info_of(&info, &theory);
    bad |= u2_model_save(&flow, &info, lft_memory_writer(&file, data, sizeof data), arena, &error) != LFT_OK;
    bad |= lft_safetensors_load(lft_memory_reader(&file, data, file.at), &arena, &doc, &error) != LFT_OK;
    bad |= u2_model_desc(&doc, NULL, &again, &info, &arena, &error) || u2_flow_init(&loaded, &again, &arena, &error);
    bad |= u2_model_restore(&loaded, &doc, &error) != LFT_OK;
    check_true("files: no errors", !bad);
    check_true("files: fixed_gauge is kept", !bad && ((const u2_doubling_desc *)again.layer->desc)->fixed_gauge == 1);
    check_true("files: and the conditional",
               !bad && ((const u2_doubling_desc *)again.layer->desc)->conditional == LFT_CONDITIONAL_HAAR);
    d.fixed_gauge = 0;
    bad |= u2_flow_init(&haar, &desc, &arena, &error) != LFT_OK;
    check_true("files: not for a flow with V by Haar", u2_model_restore(&haar, &doc, &error) == LFT_ERR_MISMATCH);
    n = haar.layer->ops->spec(haar.layer, number);
    check_true("files: those with V by Haar are as ever", n == 7 && number[2] == LFT_CONDITIONAL_HAAR);
    bad |= u2_doubling()->read(number, n, &arena, &read, &error) != LFT_OK;
    check_true("files: and load", !bad && ((const u2_doubling_desc *)read)->fixed_gauge == 0);
    d.fixed_gauge = 2;
    check_true("fixed_gauge 2 is refused",
               u2_flow_init(&haar, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "fixed_gauge") != NULL);
}

int main(void)
{
    test_exact();
    test_spec();
    u2_fixed_gauge("U(1) 2D");
    su33_fixed_gauge("SU(3) 3D");
#ifndef LFT_TEST_FEW
    u3_fixed_gauge("U(1) 3D");
    u4_fixed_gauge("U(1) 4D");
    su22_fixed_gauge("SU(2) 2D");
    su23_fixed_gauge("SU(2) 3D");
    su24_fixed_gauge("SU(2) 4D");
    su32_fixed_gauge("SU(3) 2D");
    su34_fixed_gauge("SU(3) 4D");
#endif
    return test_end();
}
