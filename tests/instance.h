/* instance.h: an instance of the library in a test, after #define LFT_NAME and others; with as many lanes as the runner says, where
 * the test does not. */
#if defined(LFT_TEST_LANES) && !defined(LFT_LANES)
#define LFT_LANES LFT_TEST_LANES
#endif
#include "lftflow.h"
