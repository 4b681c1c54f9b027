/* The loops of the limits compiled for avx2, with that ISA's flags (bench/CMakeLists.txt). */
#include "vec_avx2.h"

#define BENCH_STORE_PAST(p, x) _mm256_stream_ps(p, x)

#include "limits.tpl.h"

BENCH_DEFINE_LIMITS(avx2)
