/* What kernels that sum by group share. Included once for each ISA. */
#ifndef ADASS_GROUPS_TPL_H
#define ADASS_GROUPS_TPL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sums by group begin with this, which changes no number: "the first of its group" as a branch is one that a CPU
 * cannot foresee.
 */
static const float NO_SUM = -0.0f;

/* Groups are numbered without a gap. */
static inline size_t groups_count(const uint32_t *group, size_t n)
{
    uint32_t last = 0;
    for (size_t i = 0; i < n; i++)
        last = group[i] > last ? group[i] : last;
    return n == 0 ? 0 : (size_t)last + 1;
}

#endif
