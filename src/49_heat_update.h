/* 49_heat_update.h: one update of a lane group by heat bath and overrelaxation for Wilson's plaquette action.
 * Offers (private): LFT_P(heat_update)(). */
#if LFT_P_PHASE == LFT_P_CODE

/* Draws every link of a group, k = beta / N; the mask of lanes that met a number that is not finite. */
LFT_P_STATIC lft_m LFT_P(heat_sweep)(const LFT_P(walk) *walk, lft_v *links, lft_real k, const lft_draw *d)
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

LFT_P_STATIC void LFT_P(reflect_sweep)(const LFT_P(walk) *walk, lft_v *links)
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

/* A sweep of the heat bath, k = beta / N, `overrelax` sweeps of overrelaxation, and all links are made unitary again. */
LFT_P_STATIC lft_m LFT_P(heat_update)(const LFT_P(walk) *walk, lft_v *links, lft_real k, int overrelax, const lft_draw *d)
{
    const lft_m bad = LFT_P(heat_sweep)(walk, links, k, d);
    int         i;
    for (i = 0; i < overrelax; ++i) LFT_P(reflect_sweep)(walk, links);
    for (i = 0; i < walk->lattice->volume * LFT_P_LINKS; ++i) LFT_P(unit)(links + i * LFT_P_LINK);
    return bad;
}

#endif /* LFT_P_CODE */
