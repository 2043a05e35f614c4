/* lft_commands.h: the commands, for one instance: included by lft.c once with CLI f64 (and CLI_WIDE, for what is done in
 * double precision only), once with CLI f32. LFT(flow) is f64_flow. SPDX-License-Identifier: MIT-0 */

#define CLI_PASTE2(a, b) a##_##b
#define CLI_PASTE(a, b)  CLI_PASTE2(a, b)
#define LFT(name)        CLI_PASTE(CLI, name)

#include "lft_theory.h"
#include "lft_flow.h"
#ifdef CLI_SCALAR
#include "lft_scalar_flow.h"
#include "lft_family.h"
#include "lft_scalar_watch.h"
#else
#include "lft_gauge_flow.h"
#include "lft_gauge_watch.h"
#endif
#include "lft_train.h"
#include "lft_record.h"
#include "lft_memory.h"
#include "lft_markov.h"
#include "lft_hmc.h"
#include "lft_chains.h"
#ifdef CLI_SCALAR
#include "lft_scalar_measure.h"
#include "lft_curve.h"
#include "lft_checks.h"
#include "lft_scalar_checks.h"
#else
#include "lft_heatbath.h"
#include "lft_correlate.h"
#include "lft_gauge_measure.h"
#include "lft_checks.h"
#include "lft_gauge_checks.h"
#endif

#undef LFT
#undef CLI_PASTE
#undef CLI_PASTE2
#undef CLI_WIDE
#undef CLI
