/* 08_private.h: opens the instance that the common room uses for itself: double, one lane, names lft_p_f64_p_exp.
 * It sets what 09_instance.h derives from the user's parameters, and leaves those untouched. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_PRIVATE
#define LFT_P(name)      LFT_P_PASTE2(lft_p_f64_p, name)
#define LFT_P_LANES      1
#define LFT_P_REAL_BYTES 8
typedef double lft_p_f64_p_real;
#define lft_real lft_p_f64_p_real

#endif /* LFT_P_CODE */
