/* test_upto.c: an instance that stops before training, or at the fields, computes what the whole one does, and stays
 * within its smaller memory. */
#include "../test.h"
#include <stdlib.h>

#define LFT_STATIC
#define LFT_NAME  all
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#include "../instance.h"
#define LFT_NAME  sampler
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_UPTO  LFT_SAMPLE
#include "../instance.h"
#define LFT_NAME  fields
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   2
#define LFT_UPTO  LFT_FIELDS
#include "../instance.h"

enum { L = 5, V = L * L, N = 19, STRIP = 4096 };

static unsigned char memory[8 << 20], more[8 << 20];

int main(void)
{
    const int         extent[2] = {L, L};
    static double     x[2][N * V], z[2][N * V], logq[2][N], back[2][N], there[2][N], S[3][N], phi[V];
    all_flow_desc     desc;
    all_flow          flow;
    all_theory        theory;
    all_batch         batch;
    sampler_flow_desc smaller;
    sampler_flow      sampler;
    sampler_theory    its_theory;
    sampler_batch     its_batch;
    fields_theory     last_theory;
    fields_lattice    lattice;
    fields_batch      last_batch;
    lft_arena         arena;
    double           *noise;
    size_t            bytes, i;
    int               k, touched = 0;

    memset(&desc, 0, sizeof desc);
    memset(&smaller, 0, sizeof smaller);
    desc.extent[0] = desc.extent[1] = smaller.extent[0] = smaller.extent[1] = L;
    desc.continuous.steps = smaller.continuous.steps = 6;
    bytes = all_flow_bytes(&desc);
    arena = lft_arena_of(memory, bytes);
    check_true("the whole instance: init", all_flow_init(&flow, &desc, &arena, NULL) == LFT_OK);
    check_true("a sampler needs less memory", sampler_flow_bytes(&smaller) < bytes);
    bytes = sampler_flow_bytes(&smaller);
    memset(more, 0xa5, bytes + STRIP);
    arena = lft_arena_of(more, bytes);
    check_true("the sampler: init", sampler_flow_init(&sampler, &smaller, &arena, NULL) == LFT_OK);
    check_true("as many parameters", sampler.params.count == flow.params.count);

    noise = (double *)malloc(flow.params.count * sizeof(double));
    lft_normals(lft_draw_of(1, LFT_DRAW_USER, 0, 0), noise, (int)flow.params.count);
    for (i = 0; i < flow.params.count; ++i) {
        flow.params.value[i] += 0.02 * noise[i];
        sampler.params.value[i] = flow.params.value[i];
    }
    free(noise);
    all_flow_prepare(&flow);
    sampler_flow_prepare(&sampler);

    bytes = all_flow_bytes(&desc);
    arena = lft_arena_of(memory + bytes, sizeof memory - bytes);
    all_phi4_init(&theory, -1, 2, NULL);
    all_batch_init(&batch, &flow.lattice, N, &arena, NULL);
    check_true("whole: sample", all_flow_sample(&flow, 1, 0, &batch, logq[0]) == LFT_OK);
    check_true("whole: log q", all_flow_logq(&flow, &batch, back[0]) == LFT_OK);
    all_action(&theory, &batch, S[0]);
    for (k = 0; k < N; ++k) all_batch_get(&batch, k, x[0] + k * V);
    check_true("whole: inverse", all_flow_inverse(&flow, &batch, &batch, there[0]) == LFT_OK);
    for (k = 0; k < N; ++k) all_batch_get(&batch, k, z[0] + k * V);

    sampler_phi4_init(&its_theory, -1, 2, NULL);
    sampler_batch_init(&its_batch, &sampler.lattice, N, &arena, NULL);
    check_true("sampler: sample", sampler_flow_sample(&sampler, 1, 0, &its_batch, logq[1]) == LFT_OK);
    check_true("sampler: log q", sampler_flow_logq(&sampler, &its_batch, back[1]) == LFT_OK);
    sampler_action(&its_theory, &its_batch, S[1]);
    for (k = 0; k < N; ++k) sampler_batch_get(&its_batch, k, x[1] + k * V);
    check_true("sampler: inverse", sampler_flow_inverse(&sampler, &its_batch, &its_batch, there[1]) == LFT_OK);
    for (k = 0; k < N; ++k) sampler_batch_get(&its_batch, k, z[1] + k * V);

    fields_phi4_init(&last_theory, -1, 2, NULL);
    check_true("fields: lattice", fields_lattice_init(&lattice, extent, NULL) == LFT_OK);
    fields_batch_init(&last_batch, &lattice, N, &arena, NULL);
    for (k = 0; k < N; ++k) {
        memcpy(phi, x[0] + k * V, sizeof phi);
        fields_batch_set(&last_batch, k, phi);
    }
    fields_action(&last_theory, &last_batch, S[2]);

    check_below("samples", test_apart(x[0], x[1], N * V), 1e-13);
    check_below("log q", test_apart(logq[0], logq[1], N), 1e-12);
    check_below("log q by the inverse", test_apart(back[0], back[1], N), 1e-12);
    check_below("log q: both ways", test_apart(back[1], logq[1], N), 1e-12);
    check_below("inverse", test_apart(z[0], z[1], N * V), 1e-13);
    check_below("log-det", test_apart(there[0], there[1], N), 1e-12);
    check_below("action", test_apart(S[0], S[1], N), 1e-12);
    check_below("action, fields alone", test_apart(S[0], S[2], N), 1e-12);
    bytes = sampler_flow_bytes(&smaller);
    for (k = 0; k < STRIP; ++k) touched += more[bytes + (size_t)k] != 0xa5;
    check_near("bytes written behind the sampler", touched, 0, 0);
    return test_end();
}
