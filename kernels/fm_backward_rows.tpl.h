/* fm_backward_rows: gradient of the second-order term by rows of a table. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

ADASS_INLINE void fm_rows_part(float *grads, const float *summed, VF dy, const float *x,
                               size_t lanes, bool accumulate)
{
    VF g = v_sub(v_loadn(summed, lanes), v_mul(dy, v_loadn(x, lanes)));
    if (accumulate)
        g = v_add(v_loadn(grads, lanes), g);
    v_storen(grads, g, lanes);
}

ADASS_INLINE void fm_rows_sized(float *grads, const float *summed, const float *dy,
                                const float *rows, size_t stride, const uint32_t *ids, size_t n,
                                bool accumulate, size_t size)
{
    /* 0, 8, 16 and 32 ahead, of 1e6 rows of size 16: 45, 15.1, 14.1 and 13.5 ns a row, of size 64
       188, 52.8, 51.9 and 55.7 (Cascade Lake, AVX-512) */
    enum { AHEAD = 16 };
    for (size_t i = 0; i < n; i++) {
        if (ids != NULL && i + AHEAD < n)
            row_prefetch(rows + ids[i + AHEAD] * stride, size * sizeof *rows, false);
        const float *x = rows + (ids != NULL ? ids[i] : i) * stride;
        const VF by = v_set1(dy[i]);
        size_t k = 0;
        for (; k + VW <= size; k += VW)
            fm_rows_part(grads + i * size + k, summed + i * size + k, by, x + k, VW, accumulate);
        if (k < size)
            fm_rows_part(grads + i * size + k, summed + i * size + k, by, x + k, size - k,
                         accumulate);
    }
}

#define FM_BACKWARD_ROWS(size)                                                                     \
    fm_rows_sized(grads, summed, dy, rows, stride, ids, n, accumulate, size)

static void ADASS_FN(fm_backward_rows)(float *grads, const float *summed, const float *dy,
                                       const float *rows, size_t stride, const uint32_t *ids,
                                       size_t n, size_t size, bool accumulate)
{
    ADASS_WITH_SIZE(size, FM_BACKWARD_ROWS)
}
