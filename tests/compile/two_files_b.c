/* two_files_b.c: the file that holds the implementation, and nothing else. */
#define LFT_IMPLEMENTATION
#include "phi4_2d.h"
