/* lft_memory.h: info --memory (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

static void LFT(info_byte)(cli *c, const char *narrow, const char *wide, size_t bytes)
{
    cli_result *r = c->result;
    const char *name = sizeof(LFT(real)) == 8 ? wide : narrow;
    r->timing[r->timings].name  = name;
    r->timing[r->timings].value = (double)bytes;
    r->timings += 1;
    if (!c->json) printf("  %-26s %12llu bytes\n", name, (unsigned long long)bytes);
}

static lft_status LFT(info_memory)(cli *c)
{
    LFT(flow_desc)  d;
    LFT(flow)       flow;
    LFT(chain_desc) chain;
    LFT(hmc_desc)   hmc;
    LFT(watch)      watch;
    lft_train_desc  t;
    size_t          training;
    memset(&t, 0, sizeof t);
    memset(&chain, 0, sizeof chain);
    memset(&hmc, 0, sizeof hmc);
    cli_train_options(c, &t);
    chain.chains = hmc.chains = (int)cli_count(c, "chains", 64, 1, 100000);
    if (LFT(read_flow_desc)(c, &d) || LFT(make_flow)(c, &flow, &d)) return c->error.code;
    memcpy(hmc.extent, flow.lattice.extent, sizeof hmc.extent);
    if (LFT(read_watch)(c, &flow.lattice, &watch)) return c->error.code;
    training = LFT(flow_bytes)(&d) + LFT(trainer_bytes)(&flow, &t);
    LFT(show_lattice)(c, &flow.lattice, NULL, d.pool);
    LFT(show_flow)(c, &flow);
    LFT(info_byte)(c, "flow_f32", "flow_f64", LFT(flow_bytes)(&d));
    LFT(info_byte)(c, "flow_and_training_f32", "flow_and_training_f64", training);
    LFT(info_byte)(c, "chain_f32", "chain_f64", LFT(chain_bytes)(&flow.lattice, &chain));
    LFT(info_byte)(c, "hmc_f32", "hmc_f64", LFT(hmc_bytes)(&hmc));
    LFT(info_byte)(c, "measure_f32", "measure_f64", LFT(watch_bytes)(&watch));
    LFT(info_byte)(c, "logq_error_f32", "logq_error_f64", LFT(flow_logq_error_bytes)(&flow));
    LFT(info_byte)(c, "model_save_f32", "model_save_f64", LFT(model_bytes)(&flow));
    cli_release(c);
    return c->error.code;
}
