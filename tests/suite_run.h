/* suite_run.h: in a function, the tests of a suite (suite.h) that are named SUITE_RUN, for one instance. */
SUITE_(SUITE_RUN)(SUITE_TEXT);
#include "suite_end.h"
