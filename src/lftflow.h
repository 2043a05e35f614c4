/* lftflow.h: lattice field theory sampled exactly with normalizing flows. SPDX-License-Identifier: MIT-0
 * The root: the lists of rooms, for their declarations and for their code; tools/amalgamate.sh joins them into ../lftflow.h. */

/* ---- common room: once per file ---------------------------------------------------------------------------------- */
#ifndef LFT_P_COMMON
#define LFT_P_COMMON

#define LFT_P_DECLARATIONS 1
#define LFT_P_CODE         2

#define LFT_P_PHASE LFT_P_DECLARATIONS
#include "common_rooms.h"
#undef LFT_P_PHASE
#define LFT_P_PHASE LFT_P_CODE
#include "common_rooms.h"
#undef LFT_P_PHASE

#endif /* LFT_P_COMMON */

/* ---- template room: once per instance, opened by LFT_NAME ---------------------------------------------------------- */
#ifdef LFT_NAME

#define LFT_P_PHASE LFT_P_DECLARATIONS
#include "instance_rooms.h"
#undef LFT_P_PHASE
#define LFT_P_PHASE LFT_P_CODE
#if defined(LFT_IMPLEMENTATION) || defined(LFT_STATIC)
#include "instance_rooms.h"
#endif
#include "99_close.h"
#undef LFT_P_PHASE

#endif /* LFT_NAME */
