/* linear_backward: gradient of the first-order term. Included once for each ISA. */
#include "adass/kernels.h"

static void ADASS_FN(linear_backward)(float *out, const float *dy, const uint32_t *group, size_t n)
{
    static const float nothing = -0.0f;
    /*
     * Groups come in order of first occurrence: a new one is always the next. Its sum begins with -0, which changes
     * no number: no branch, which a CPU could not foresee.
     */
    uint32_t next = 0;
    for (size_t i = 0; i < n; i++) {
        const float *from = group[i] == next ? &nothing : &out[group[i]];
        out[group[i]] = *from + dy[i];
        next += group[i] == next;
    }
}
