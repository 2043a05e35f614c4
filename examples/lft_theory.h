/* lft_theory.h: theory and lattice of a command (a part of lft_commands.h). SPDX-License-Identifier: MIT-0 */

static void LFT(show_lattice)(cli *c, const LFT(lattice) *lattice, const LFT(theory) *theory, lft_pool pool)
{
    cli_result *r = c->result;
    int         mu;
    for (mu = 0; mu < LFT_CLI_DIM; ++mu) r->extent[mu] = lattice->extent[mu];
    r->has_lattice = 1;
    r->couplings   = theory ? theory->couplings : 0;
    for (mu = 0; mu < r->couplings; ++mu) {
        r->coupling_name[mu] = theory->coupling_name[mu];
        r->coupling[mu]      = theory->coupling[mu];
    }
    r->real          = sizeof(LFT(real)) == 8 ? "f64" : "f32";
    r->lanes         = (uint64_t)LFT(lanes)();
    r->threads       = pool.threads > 1 ? (uint64_t)pool.threads : 1;
}

#ifdef CLI_SCALAR
static lft_status LFT(read_theory)(cli *c, LFT(theory) *theory)
{
    lft_error e;
    double    m2, lambda;
    memset(&e, 0, sizeof e);
    (void)cli_required(c, "m2");
    (void)cli_required(c, "lambda");
    m2     = cli_real(c, "m2", 0);
    lambda = cli_real(c, "lambda", 0);
    if (c->error.code) return c->error.code;
    return cli_check(c, LFT(phi4_init)(theory, m2, lambda, &e), &e);
}
#else
static lft_status LFT(read_theory)(cli *c, LFT(theory) *theory)
{
    lft_error e;
    double    beta, c1;
    memset(&e, 0, sizeof e);
    (void)cli_required(c, "beta");
    beta = cli_real(c, "beta", 0);
    c1   = cli_real(c, "c1", 0);
    if (c->error.code) return c->error.code;
    return cli_check(c, LFT(wilson_init)(theory, beta, c1, &e), &e);
}
#endif
