/* The kernels over vec_avx512.h with the intrinsics of immintrin.h beside this file. */
#include "vec_avx512.h"

#undef ADASS_FN
#define ADASS_FN(op) adass_##op##_avx512_emulated

#include "all.tpl.h"

ADASS_DEFINE_TABLE(avx512_emulated)
