/* own_guard_trap.c: the trap: another header has already included the user's header, whose own include guard swallows
 * the second inclusion, and with it the implementation. This must stop at link time and name what is missing.
 * The way out: define LFT_IMPLEMENTATION before the first inclusion, best in a file of its own (two_files_b.c). */
#include "phi4_2d.h"

#define LFT_IMPLEMENTATION
#include "phi4_2d.h"

#define USE phi4_2d
#include "use.h"

int main(void)
{
    return phi4_2d_use();
}
