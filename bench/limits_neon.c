/* The loops of the limits compiled for neon, with that ISA's flags (bench/CMakeLists.txt). */
#include "vec_neon.h"

#include "limits.tpl.h"

BENCH_DEFINE_LIMITS(neon)
