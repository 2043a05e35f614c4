/* instance.h: an instance of the library in a test, after #define LFT_NAME and others; with as many lanes as the runner says. */
#ifdef LFT_TEST_LANES
#define LFT_LANES LFT_TEST_LANES
#endif
#include "lftflow.h"
