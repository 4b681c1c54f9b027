/* sgd_rows: gradient descent on the touched rows of a table. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

ADASS_INLINE void sgd_part(float *w, const float *grads, size_t lanes, VF rate, VF l2)
{
    const VF weight = v_loadn(w, lanes);
    const VF g = v_add(v_loadn(grads, lanes), v_mul(l2, weight));
    v_storen(w, v_sub(weight, v_mul(rate, g)), lanes);
}

ADASS_INLINE void sgd_rows_sized(float *w, size_t w_stride, const uint32_t *ids, const float *grads,
                                 size_t grads_ld, size_t n, const adass_sgd *sgd, size_t size)
{
    enum { AHEAD = 16 };
    const VF rate = v_set1(sgd->learning_rate), l2 = v_set1(sgd->l2);
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            row_prefetch(w + ids[i + AHEAD] * w_stride, size * sizeof *w, false);
        float *row = w + ids[i] * w_stride;
        const float *grad = grads + i * grads_ld;
        size_t k = 0;
        for (; k + VW <= size; k += VW)
            sgd_part(row + k, grad + k, VW, rate, l2);
        if (k < size)
            sgd_part(row + k, grad + k, size - k, rate, l2);
    }
}

#define SGD_ROWS(size) sgd_rows_sized(w, w_stride, ids, grads, grads_ld, n, sgd, size)

static void ADASS_FN(sgd_rows)(float *w, size_t w_stride, const uint32_t *ids, const float *grads,
                               size_t grads_ld, size_t n, size_t size, const adass_sgd *sgd)
{
    ADASS_WITH_SIZE(size, SGD_ROWS)
}
