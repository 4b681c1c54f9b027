/* The kernels compiled for neon, with that ISA's flags (kernels/CMakeLists.txt). */
#include "vec_neon.h"

#include "all.tpl.h"

ADASS_DEFINE_TABLE(neon)
