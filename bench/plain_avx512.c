/* The plain loops compiled for avx512, with that ISA's flags (bench/CMakeLists.txt). */
#define PLAIN_ISA avx512
#include "plain.tpl.h"
