/* The kernels compiled for scalar, with that ISA's flags (kernels/CMakeLists.txt). */
#include "vec_scalar.h"

#include "all.tpl.h"

ADASS_DEFINE_TABLE(scalar)
