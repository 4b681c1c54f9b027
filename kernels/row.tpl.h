/* Work on one row, shared by the kernels that move rows. Included after an ISA's vector layer. */
#ifndef ADASS_ROW_TPL_H
#define ADASS_ROW_TPL_H

#include <stddef.h>

/*
 * Rows between the one that is copied and the one that is prefetched. A row from memory takes about
 * 100 ns and a copy from cache 3 to 5 ns.
 */
enum { PREFETCH_ROWS = 32, FLOATS_A_LINE = 16 };

static inline void row_prefetch(const float *row, size_t size)
{
    for (size_t k = 0; k < size; k += FLOATS_A_LINE)
        __builtin_prefetch(row + k);
}

static inline void row_copy(float *out, const float *row, size_t size)
{
    size_t k = 0;
    for (; k + VW <= size; k += VW)
        v_store(out + k, v_load(row + k));
    if (k < size)
        v_storen(out + k, v_loadn(row + k, size - k), size - k);
}

static inline void row_add(float *out, const float *row, size_t size)
{
    size_t k = 0;
    for (; k + VW <= size; k += VW)
        v_store(out + k, v_add(v_load(out + k), v_load(row + k)));
    if (k < size) {
        const size_t lanes = size - k;
        v_storen(out + k, v_add(v_loadn(out + k, lanes), v_loadn(row + k, lanes)), lanes);
    }
}

#endif
