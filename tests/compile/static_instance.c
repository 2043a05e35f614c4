/* static_instance.c: everything private to the file; another file of the program may implement the same name. */
#define LFT_STATIC
#include "phi4_2d.h"

#define USE phi4_2d
#include "use.h"

int main(void)
{
    return phi4_2d_use();
}
