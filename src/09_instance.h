/* 09_instance.h: opens an instance: checks its parameters, then the names and types that the other rooms use.
 * Parameters: LFT_NAME, LFT_GROUP, LFT_DIM, LFT_REAL, LFT_LANES, LFT_UPTO. 99_close.h undefines every one. */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_GROUP
#error "lftflow: LFT_GROUP is not defined; legal values: LFT_SCALAR, LFT_U1, LFT_SU2, LFT_SU3"
#elif LFT_GROUP < LFT_SCALAR || LFT_GROUP > LFT_SU3
#error "lftflow: unknown LFT_GROUP; legal values: LFT_SCALAR, LFT_U1, LFT_SU2, LFT_SU3"
#endif
#ifndef LFT_DIM
#error "lftflow: LFT_DIM is not defined; legal values: 1, 2, 3, 4"
#elif LFT_DIM < 1 || LFT_DIM > LFT_MAX_DIM
#error "lftflow: LFT_DIM is out of range; legal values: 1, 2, 3, 4"
#elif LFT_DIM == 1 && LFT_GROUP != LFT_SCALAR
#error "lftflow: LFT_DIM is 1: there are no plaquettes; legal values for gauge groups: 2, 3, 4"
#endif
#ifndef LFT_REAL
#define LFT_REAL LFT_F64
#elif LFT_REAL != LFT_F32 && LFT_REAL != LFT_F64
#error "lftflow: unknown LFT_REAL; legal values: LFT_F32, LFT_F64"
#endif
#ifndef LFT_UPTO
#define LFT_UPTO LFT_TRAIN
#elif LFT_UPTO != LFT_FIELDS && LFT_UPTO != LFT_SAMPLE && LFT_UPTO != LFT_TRAIN
#error "lftflow: unknown LFT_UPTO; legal values: LFT_FIELDS, LFT_SAMPLE, LFT_TRAIN"
#endif

/* Lanes: configurations that one vector holds. The widest enabled register is the default and the limit. */
#if !LFT_P_GNUC
#define LFT_P_VECTOR_BYTES 0
#elif defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define LFT_P_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define LFT_P_VECTOR_BYTES 32
#elif defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__)) || defined(__wasm_simd128__)
#define LFT_P_VECTOR_BYTES 16
#else
#define LFT_P_VECTOR_BYTES 0
#endif
#if LFT_REAL == LFT_F32
#define LFT_P_REAL_BYTES 4
#else
#define LFT_P_REAL_BYTES 8
#endif
#if defined(LFT_LANES)
#define LFT_P_LANES LFT_LANES
#elif LFT_P_VECTOR_BYTES
#define LFT_P_LANES (LFT_P_VECTOR_BYTES / LFT_P_REAL_BYTES)
#else
#define LFT_P_LANES 1
#endif
#if LFT_P_LANES != 1 && LFT_P_LANES != 2 && LFT_P_LANES != 4 && LFT_P_LANES != 8 && LFT_P_LANES != 16
#error "lftflow: LFT_LANES must be 1, 2, 4, 8 or 16"
#elif LFT_P_LANES > 1 && LFT_P_LANES * LFT_P_REAL_BYTES > LFT_P_VECTOR_BYTES
#error "lftflow: LFT_LANES is wider than the widest vector register that this compilation enables"
#endif

/* Public names LFT_(action) -> phi4_2d_action, private names LFT_P(site) -> phi4_2d_p_site. */
#define LFT_(name)  LFT_P_PASTE(LFT_NAME, name)
#define LFT_P(name) LFT_P_PASTE(LFT_NAME, LFT_P_PASTE2(p, name))

#if defined(LFT_STATIC)
#define LFT_API static inline
#elif defined(__cplusplus)
#define LFT_API extern "C" /* C and C++ files of one program share an implementation */
#else
#define LFT_API extern
#endif

/* A symbol that carries the parameters: a caller that was compiled with others, or without an implementation, stops at
 * link time with a name that says what is missing, e.g. phi4_2d_flow_init_scalar_2d_f32_v1. */
#if LFT_REAL == LFT_F32
typedef float LFT_(real);
#define LFT_P_REAL_NAME f32
#else
typedef double LFT_(real);
#define LFT_P_REAL_NAME f64
#endif
#define LFT_P_GROUP_NAME         LFT_P_PASTE(LFT_P_GROUP, LFT_GROUP)
#define LFT_P_SIGNED3(n, g, d, r) n##_##g##_##d##d_##r##_v1
#define LFT_P_SIGNED2(n, g, d, r) LFT_P_SIGNED3(n, g, d, r)
#define LFT_P_SIGNED(name)       LFT_P_SIGNED2(LFT_(name), LFT_P_GROUP_NAME, LFT_DIM, LFT_P_REAL_NAME)

#define lft_real LFT_(real)

#endif /* LFT_P_DECLARATIONS */
