/* The loops of the limits compiled for avx512, with that ISA's flags (bench/CMakeLists.txt). */
#include "vec_avx512.h"

#include "limits.tpl.h"

BENCH_DEFINE_LIMITS(avx512)
