/* dropout: in place, by a hash of the element's number. Included once for each ISA. */
#include "adass/kernels.h"

/* adass_mix32 of rng.h, lane by lane. */
static inline VU mix32(VU x)
{
    x = u_mul(u_xor(x, u_shr(x, 16)), u_set1(0x7feb352du));
    x = u_mul(u_xor(x, u_shr(x, 15)), u_set1(0x846ca68bu));
    return u_xor(x, u_shr(x, 16));
}

static inline void dropout_part(float *a, size_t lanes, uint32_t first, VU key, VU threshold,
                                VF scale)
{
    const VU hash = mix32(u_xor(mix32(u_count(first)), key));
    v_storen(a, v_if_ge(hash, threshold, v_mul(v_loadn(a, lanes), scale)), lanes);
}

static void ADASS_FN(dropout)(float *a, size_t n, uint32_t first, uint32_t key, uint32_t threshold,
                              float scale)
{
    const VU k = u_set1(key), t = u_set1(threshold);
    const VF s = v_set1(scale);
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        dropout_part(a + i, VW, first + (uint32_t)i, k, t, s);
    if (i < n)
        dropout_part(a + i, n - i, first + (uint32_t)i, k, t, s);
}
