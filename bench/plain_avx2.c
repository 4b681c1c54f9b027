/* The plain loops compiled for avx2, with that ISA's flags (bench/CMakeLists.txt). */
#define PLAIN_ISA avx2
#include "plain.tpl.h"
