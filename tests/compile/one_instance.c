/* one_instance.c: an instance and its implementation in one file; also freestanding, and without vectors. */
#define LFT_IMPLEMENTATION
#include "phi4_2d.h"

#define USE phi4_2d
#include "use.h"

int main(void)
{
    return phi4_2d_use();
}
