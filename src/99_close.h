/* 99_close.h: undefines every parameter and alias of the instance, so that the next one starts clean. */
#if LFT_P_PHASE == LFT_P_CODE

#ifdef LFT_P_PRIVATE /* the user's own parameters wait for their turn */
#undef LFT_P_PRIVATE
#else
#undef LFT_NAME
#undef LFT_GROUP
#undef LFT_DIM
#undef LFT_REAL
#undef LFT_LANES
#undef LFT_UPTO
#endif
#undef LFT_
#undef LFT_P
#undef LFT_API
#undef LFT_P_LANES
#undef LFT_P_VECTOR_BYTES
#undef LFT_P_REAL_BYTES
#undef LFT_P_REAL_NAME
#undef LFT_P_GROUP_NAME
#undef LFT_P_SIGNED
#undef LFT_P_SIGNED2
#undef LFT_P_SIGNED3
#undef LFT_P_LINKS
#undef LFT_P_COLOURS
#undef LFT_P_LINK
#undef LFT_P_ALGEBRA
#undef LFT_P_HAAR
#undef LFT_P_METRIC
#undef LFT_P_SUM
#undef LFT_P_ORDERS
#undef LFT_P_SYMMETRIES
#undef LFT_P_SHAPE
#undef LFT_P_CLASSES
#undef LFT_P_LETTERS
#undef LFT_P_TRACES
#undef LFT_P_PATHS
#undef LFT_P_LOOPS
#undef LFT_P_KEY
#undef LFT_P_SITES
#undef LFT_P_REACH
#undef LFT_P_ORBITS
#undef LFT_P_PLANES
#undef LFT_P_AROUND
#undef LFT_P_COUPLES
#undef LFT_P_FEATURES
#undef LFT_P_BLOCK
#undef LFT_P_STAGES
#undef LFT_P_MOVES
#undef LFT_P_SITE
#undef LFT_P_FORCES
#undef LFT_P_CELLS
#undef LFT_P_FINE
#undef LFT_P_RUNGS
#undef LFT_P_TOP
#undef LFT_P_ATTEMPTS
#undef LFT_P_PAIRS
#undef LFT_P_AREAS
#undef lft_u
#undef lft_z
#undef lft_w
#undef lft_real
#undef lft_int
#undef lft_v
#undef lft_m
#undef lft_splat
#undef lft_sel

#endif /* LFT_P_CODE */
