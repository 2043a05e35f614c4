/* test_fixed_gauge.c: doublings with V = 1, a gauge transform of those with V by Haar: all groups in two to four dimensions; exact
 * ones; files. */
#define SUITE      "unit/fixed_gauge_suite.h"
#define SUITE_OF   (U1_2D | SU3_3D)
#define SUITE_REST (SU2_2D | SU3_2D | U1_3D | SU2_3D | U1_4D | SU2_4D | SU3_4D)
#include "../gauge_instances.h"

/* ---- exact doublings: all weights are equal, in any gauge --------------------------------------------------------------- */

static void test_exact(void)
{
    enum { N = 64 };
    static const int extent[2] = {3, 4};
    u1_flow_desc     desc;
    u1_doubling_desc d[8];
    u1_layer_desc    list[8];
    u1_flow          flow;
    u1_theory        theory;
    u1_batch         x;
    lft_arena        arena = lft_arena_of(gauge_memory, sizeof gauge_memory);
    lft_error        error = {LFT_OK, ""};
    double           S[N], logq[N], again[N], logz = 0, off = 0, apart = 0, unlike = 0;
    int              i, bad;
    bad = u1_exact_desc(&desc, extent, 2, &arena, &error) != LFT_OK;
    for (i = 0; i < desc.layers; ++i) {
        list[i] = desc.layer[i];
        if (list[i].ops != u1_doubling()) continue;
        d[i]             = *(const u1_doubling_desc *)list[i].desc;
        d[i].fixed_gauge = 1;
        list[i].desc     = d + i;
    }
    desc.layer = list;
    memset(&x, 0, sizeof x);
    bad |= u1_flow_init(&flow, &desc, &arena, &error) || u1_batch_init(&x, &flow.lattice, N, &arena, &error);
    bad |= u1_flow_sample(&flow, 3, 0, &x, logq) || u1_flow_logq(&flow, &x, again);
    bad |= u1_wilson_init(&theory, 2, 0, &error) || u1_exact_logz(extent, 2, &logz, arena, &error);
    u1_action(&theory, &x, S);
    for (i = 0; i < N; ++i) {
        test_worst(&off, logq[i] + S[i] + logz), test_worst(&apart, logq[i] - again[i]), test_worst(&unlike, S[i] - S[0]);
    }
    check_true("exact: no errors", !bad);
    check_below("exact: log q + S + log Z", off, 1e-12);
    check_below("exact: log q by the inverse", apart, 1e-12);
    check_true("exact: samples of different actions", unlike > 1);
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

static void test_spec(void)
{
    u1_flow_desc      desc, again;
    u1_doubling_desc  d;
    u1_layer_desc     one;
    u1_flow           flow, loaded, haar;
    u1_model_info     info;
    u1_theory         theory;
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
    one.ops = u1_doubling(), one.desc = &d;
    desc.layer = &one, desc.layers = 1;
    bad |= u1_flow_init(&flow, &desc, &arena, &error) || u1_wilson_init(&theory, 1, 0, &error);
    u1_model_info_of(&info, &theory);
    bad |= u1_model_save(&flow, &info, lft_memory_writer(&file, data, sizeof data), arena, &error) != LFT_OK;
    bad |= lft_safetensors_load(lft_memory_reader(&file, data, file.at), &arena, &doc, &error) != LFT_OK;
    bad |= u1_model_desc(&doc, NULL, &again, &info, &arena, &error) || u1_flow_init(&loaded, &again, &arena, &error);
    bad |= u1_model_restore(&loaded, &doc, &error) != LFT_OK;
    check_true("files: no errors", !bad);
    check_true("files: fixed_gauge is kept", !bad && ((const u1_doubling_desc *)again.layer->desc)->fixed_gauge == 1);
    check_true("files: and the conditional",
               !bad && ((const u1_doubling_desc *)again.layer->desc)->conditional == LFT_CONDITIONAL_HAAR);
    d.fixed_gauge = 0;
    bad |= u1_flow_init(&haar, &desc, &arena, &error) != LFT_OK;
    check_true("files: not for a flow with V by Haar", u1_model_restore(&haar, &doc, &error) == LFT_ERR_MISMATCH);
    n = haar.layer->ops->spec(haar.layer, number);
    check_true("files: those with V by Haar are as ever", n == 7 && number[2] == LFT_CONDITIONAL_HAAR);
    bad |= u1_doubling()->read(number, n, &arena, &read, &error) != LFT_OK;
    check_true("files: and load", !bad && ((const u1_doubling_desc *)read)->fixed_gauge == 0);
    d.fixed_gauge = 2;
    check_true("fixed_gauge 2 is refused",
               u1_flow_init(&haar, &desc, &arena, &error) == LFT_ERR_ARG && strstr(error.text, "fixed_gauge") != NULL);
}

int main(void)
{
    test_exact();
    test_spec();
#define SUITE_RUN fixed_gauge
#include "../gauge_instances.h"
    return test_end();
}
