/* The loops of the limits compiled for scalar, with that ISA's flags (bench/CMakeLists.txt). */
#include "vec_scalar.h"

#include "limits.tpl.h"

BENCH_DEFINE_LIMITS(scalar)
