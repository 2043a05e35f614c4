/* two_files_a.c: the user's file: declarations only. Linked with two_files_b.c, and alone where that must fail. */
#include "phi4_2d.h"

#define USE phi4_2d
#include "use.h"

int main(void)
{
    return phi4_2d_use();
}
