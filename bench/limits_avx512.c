/* The loops of the limits compiled for avx512, with that ISA's flags (bench/CMakeLists.txt). */
#include "vec_avx512.h"

#define BENCH_STORE_PAST(p, x) _mm512_stream_ps(p, x)

#include "limits.tpl.h"

BENCH_DEFINE_LIMITS(avx512)
