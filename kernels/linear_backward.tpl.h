/* linear_backward: gradient of the first-order term. Included once for each ISA. */
#include "adass/kernels.h"

static void ADASS_FN(linear_backward)(float *out, const float *dy, const uint32_t *group, size_t n)
{
    /*
     * Sums begin with -0, which changes no number: "new" as a branch is one that a CPU cannot
     * foresee.
     */
    uint32_t groups = 0;
    for (size_t i = 0; i < n; i++)
        groups = group[i] >= groups ? group[i] + 1 : groups;
    for (size_t g = 0; g < groups; g++)
        out[g] = -0.0f;
    for (size_t i = 0; i < n; i++)
        out[group[i]] += dy[i];
}
