/* 88_gauge_layers.h: the layers that model files of gauge groups may name.
 * Offers (private): LFT_P(layer_kind)(). */
#if LFT_P_PHASE == LFT_P_CODE

/* Table number i; NULL beyond the last. */
LFT_P_STATIC const LFT_(layer_ops) *LFT_P(layer_kind)(int i)
{
    return i == 0 ? LFT_(continuous)() : i == 1 ? LFT_(doubling)() : i == 2 ? LFT_(torus)() : i == 3 ? LFT_(circle)() : NULL;
}

#endif /* LFT_P_CODE */
