/*
 * lookup and the row copy that lookup_fields shares. Included once for each ISA, after its vector
 * layer.
 */
#include "adass/kernels.h"
#include "row.tpl.h"

static void ADASS_FN(lookup)(float *out, size_t out_ld, const float *rows, size_t stride,
                             const uint32_t *ids, size_t ids_ld, size_t n, size_t size)
{
    const size_t ahead = PREFETCH_ROWS;
    for (size_t i = 0; i < n; i++) {
        if (i + ahead < n)
            row_prefetch(rows + ids[(i + ahead) * ids_ld] * stride, size);
        row_copy(out + i * out_ld, rows + ids[i * ids_ld] * stride, size);
    }
}
