/* 79_no_continuous.h: gauge groups without a continuous layer of the library's own: their flows are lists of layers.
 * Offers: LFT_(continuous_desc), LFT_(continuous)(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

typedef struct LFT_(continuous_desc) {
    int steps;
} LFT_(continuous_desc);

/* NULL: there is none. */
LFT_API const LFT_(layer_ops) *LFT_(continuous)(void);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_API const LFT_(layer_ops) *LFT_(continuous)(void)
{
    return NULL;
}

#endif /* LFT_P_CODE */
