/* linear_backward: gradient of the first-order term. Included once for each ISA. */
#include "adass/kernels.h"

static void ADASS_FN(linear_backward)(float *out, const float *dy, const uint32_t *group, size_t n)
{
    uint32_t next = 0; /* groups come in order of first occurrence: a new one is always the next */
    for (size_t i = 0; i < n; i++)
        if (group[i] == next)
            out[next++] = dy[i];
        else
            out[group[i]] += dy[i];
}
