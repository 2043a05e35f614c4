/* phi4_2d.h: a user's header, the parameters written once. Tests change them by CASE_*. */
#ifndef PHI4_2D_H
#define PHI4_2D_H

#ifndef CASE_DIM
#define CASE_DIM 2
#endif
#ifndef CASE_REAL
#define CASE_REAL LFT_F32
#endif

#define LFT_NAME  phi4_2d
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   CASE_DIM
#define LFT_REAL  CASE_REAL
#ifdef CASE_LANES
#define LFT_LANES CASE_LANES
#endif
#ifdef CASE_UPTO
#define LFT_UPTO CASE_UPTO
#endif
#include "lftflow.h"

#endif
