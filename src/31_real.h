/* 31_real.h: the real numbers with addition: the group of a scalar field. Offers what 30_group.h says of every group. */
#if LFT_P_PHASE == LFT_P_CODE

#define LFT_P_LINKS   1
#define LFT_P_COLOURS 1
#define LFT_P_LINK    1
#define LFT_P_ALGEBRA 1
#define LFT_P_HAAR    1

LFT_P_INLINE void LFT_P(move)(lft_v *link, const lft_v *z, lft_real h) { *link += h * *z; }
LFT_P_INLINE void LFT_P(unit)(lft_v *link) { (void)link; }
LFT_P_INLINE void LFT_P(one)(lft_v *link) { *link = lft_splat(0); }
LFT_P_INLINE void LFT_P(haar)(lft_v *link, const lft_v *normal) { *link = *normal; }

#endif /* LFT_P_CODE */
