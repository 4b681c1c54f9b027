/* linear_backward: gradient of the first-order term. Included once for each ISA. */
#include "adass/kernels.h"
#include "groups.tpl.h"

static void ADASS_FN(linear_backward)(float *out, const float *dy, const uint32_t *group, size_t n)
{
    const size_t groups = groups_count(group, n);
    for (size_t g = 0; g < groups; g++)
        out[g] = NO_SUM;
    for (size_t i = 0; i < n; i++)
        out[group[i]] += dy[i];
}
