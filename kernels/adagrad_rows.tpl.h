/* adagrad_rows: Adagrad on the touched rows of a table. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

ADASS_INLINE void adagrad_part(float *w, float *squares, const float *grads, size_t lanes,
                               const adass_adagrad *adagrad)
{
    const VF weight = v_loadn(w, lanes);
    const VF g = v_add(v_loadn(grads, lanes), v_mul(v_set1(adagrad->l2), weight));
    const VF sum = v_add(v_loadn(squares, lanes), v_mul(g, g));
    const VF root = v_add(v_sqrtn(sum, lanes), v_set1(adagrad->epsilon));
    v_storen(squares, sum, lanes);
    v_storen(w, v_sub(weight, v_divn(v_mul(v_set1(adagrad->learning_rate), g), root, lanes)),
             lanes);
}

ADASS_INLINE void adagrad_rows_sized(float *w, size_t w_stride, float *squares,
                                     size_t squares_stride, const uint32_t *ids, const float *grads,
                                     size_t grads_ld, size_t n, const adass_adagrad *adagrad,
                                     size_t size)
{
    enum { AHEAD = 12 }; /* two rows each, read and written */
    const adass_adagrad copy = *adagrad;
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n) {
            row_prefetch(w + ids[i + AHEAD] * w_stride, size * sizeof *w, false);
            row_prefetch(squares + ids[i + AHEAD] * squares_stride, size * sizeof *w, false);
        }
        float *row = w + ids[i] * w_stride, *row_squares = squares + ids[i] * squares_stride;
        const float *grad = grads + i * grads_ld;
        size_t k = 0;
        for (; k + VW <= size; k += VW)
            adagrad_part(row + k, row_squares + k, grad + k, VW, &copy);
        if (k < size)
            adagrad_part(row + k, row_squares + k, grad + k, size - k, &copy);
    }
}

#define ADAGRAD_ROWS(size)                                                                         \
    adagrad_rows_sized(w, w_stride, squares, squares_stride, ids, grads, grads_ld, n, adagrad, size)

static void ADASS_FN(adagrad_rows)(float *w, size_t w_stride, float *squares, size_t squares_stride,
                                   const uint32_t *ids, const float *grads, size_t grads_ld,
                                   size_t n, size_t size, const adass_adagrad *adagrad)
{
    ADASS_WITH_SIZE(size, ADAGRAD_ROWS)
}
