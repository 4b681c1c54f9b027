/* The kernels compiled for avx2, with that ISA's flags (kernels/CMakeLists.txt). */
#include "vec_avx2.h"

#include "all.tpl.h"

ADASS_DEFINE_TABLE(avx2)
