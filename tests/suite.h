/* suite.h: a suite is a header that is included once per instance, after SUITE_NAME, SUITE_DIM and, optionally, SUITE_GROUP
 * (scalar), SUITE_REAL (f64) and SUITE_LANES. It begins with this file, which opens the instance and has what suites share, names
 * what it defines for the instance SUITE_(name), and ends with suite_end.h. */
#ifndef SUITE_COMMON
#define SUITE_COMMON
#include "lftflow.h"
#include "pool.h"
#include "test.h"
#include <stdlib.h>

#define SUITE_PASTE2(a, b) a##_##b
#define SUITE_PASTE(a, b)  SUITE_PASTE2(a, b)
#define SUITE_(name)       SUITE_PASTE(SUITE_NAME, name)

static const char *suite_case; /* what suite_name puts in front */
static char        suite_text[200];

static const char *suite_name(const char *what)
{
    snprintf(suite_text, sizeof suite_text, "%s: %s", suite_case, what);
    return suite_text;
}

static lft_pool suite_pool(void)
{
    static int threads = 3;
    return test_pool(&threads);
}
#endif

#ifndef SUITE_GROUP
#define SUITE_GROUP LFT_SCALAR
#endif
#ifndef SUITE_REAL
#define SUITE_REAL LFT_F64
#endif
#ifdef SUITE_LANES
#define LFT_LANES SUITE_LANES
#endif
#define LFT_STATIC
#define LFT_NAME  SUITE_NAME
#define LFT_GROUP SUITE_GROUP
#define LFT_DIM   SUITE_DIM
#define LFT_REAL  SUITE_REAL
#include "instance.h"
#undef LFT_STATIC

/* numbers of a link, and of an element of its algebra */
enum {
    SUITE_(reals)   = SUITE_GROUP == LFT_SU3 ? 18 : SUITE_GROUP == LFT_SU2 ? 4 : 1,
    SUITE_(algebra) = SUITE_GROUP == LFT_SU3 ? 8 : SUITE_GROUP == LFT_SU2 ? 3 : 1
};
