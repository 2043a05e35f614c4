/* two_instances.c: two instances with different parameters side by side in one file, after the common room alone. */
#include "lftflow.h"

#define LFT_IMPLEMENTATION
#include "phi4_2d.h"

#define LFT_NAME  phi4_3d
#define LFT_GROUP LFT_SCALAR
#define LFT_DIM   3
#define LFT_REAL  LFT_F64
#ifdef CASE_LANES
#define LFT_LANES CASE_LANES
#endif
#include "lftflow.h"
#undef LFT_IMPLEMENTATION

#define USE phi4_2d
#include "use.h"
#define USE phi4_3d
#include "use.h"

int main(void)
{
    const int first = phi4_2d_use(), second = phi4_3d_use();
    return first ? first : second;
}
