/* The loops of the limits compiled for avx2, with that ISA's flags (bench/CMakeLists.txt). */
#include "vec_avx2.h"

#include "limits.tpl.h"

BENCH_DEFINE_LIMITS(avx2)
