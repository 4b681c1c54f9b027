/* The kernels compiled for avx512, with that ISA's flags (kernels/CMakeLists.txt). */
#include "vec_avx512.h"

#include "all.tpl.h"

ADASS_DEFINE_TABLE(avx512)
