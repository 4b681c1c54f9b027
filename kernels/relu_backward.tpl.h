/* relu_backward: gradient through ReLU and dropout. Included once for each ISA. */
#include "adass/kernels.h"

static inline void relu_backward_part(float *dz, const float *da, const float *a, size_t lanes,
                                      VF scale)
{
    const VF g = v_mul(v_loadn(da, lanes), scale);
    v_storen(dz, v_if_positive(v_loadn(a, lanes), g, v_zero()), lanes);
}

/*
 * A plain loop takes about as long where the compiler vectorises it (AVX-512: .92 to 1.01), and gcc does so on AVX2
 * with -fno-trapping-math only: without, it takes 8 to 10 times as long in the caches.
 */
static void ADASS_FN(relu_backward)(float *dz, const float *da, const float *a, size_t n,
                                    float scale)
{
    const VF s = v_set1(scale);
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        relu_backward_part(dz + i, da + i, a + i, VW, s);
    if (i < n)
        relu_backward_part(dz + i, da + i, a + i, n - i, s);
}
