/* adagrad_rowwise: Adagrad with one sum of squares a row. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

#include <math.h>

/* Partial sums of the squares, the same on every ISA so that the bits are; a multiple of any VW. */
enum { SQUARES_PARTS = 16 };

ADASS_INLINE VF rowwise_gradient(const float *w, const float *grads, size_t lanes, VF l2)
{
    return v_add(v_loadn(grads, lanes), v_mul(l2, v_loadn(w, lanes)));
}

/* sum_k g_k^2 in the contract's order. */
ADASS_INLINE float rowwise_squares(const float *w, const float *grads, size_t size, VF l2)
{
    VF sum[SQUARES_PARTS / VW];
    for (size_t p = 0; p < SQUARES_PARTS / VW; p++)
        sum[p] = v_zero();
    for (size_t first = 0; first < size; first += SQUARES_PARTS)
        for (size_t p = 0; p < SQUARES_PARTS / VW && first + p * VW < size; p++) {
            const size_t k = first + p * VW;
            const VF g = rowwise_gradient(w + k, grads + k, size - k, l2);
            sum[p] = v_add(sum[p], v_mul(g, g));
        }
    for (size_t half = SQUARES_PARTS / VW / 2; half > 0; half /= 2)
        for (size_t p = 0; p < half; p++)
            sum[p] = v_add(sum[p], sum[p + half]);
    return v_sum_halves(sum[0]);
}

ADASS_INLINE void rowwise_update(float *w, const float *grads, size_t size, VF l2, VF step)
{
    for (size_t k = 0; k < size; k += VW) {
        const size_t lanes = size - k;
        const VF g = rowwise_gradient(w + k, grads + k, lanes, l2);
        v_storen(w + k, v_sub(v_loadn(w + k, lanes), v_mul(step, g)), lanes);
    }
}

ADASS_INLINE void rowwise_sized(float *w, size_t w_stride, float *squares, const uint32_t *ids,
                                const float *grads, size_t grads_ld, size_t n, size_t size,
                                const adass_adagrad *adagrad)
{
    enum { AHEAD = 16 };
    const VF l2 = v_set1(adagrad->l2);
    for (size_t i = 0; i < n && size > 0; i++) {
        if (i + AHEAD < n) {
            row_prefetch(w + ids[i + AHEAD] * w_stride, size * sizeof *w, false);
            __builtin_prefetch(squares + ids[i + AHEAD]);
        }
        float *row = w + ids[i] * w_stride, *sum = squares + ids[i];
        const float *grad = grads + i * grads_ld;
        *sum += rowwise_squares(row, grad, size, l2) / (float)size;
        const float root = sqrtf(*sum);
        rowwise_update(row, grad, size, l2,
                       v_set1(adagrad->learning_rate / (root + adagrad->epsilon)));
    }
}

#define ADAGRAD_ROWWISE(size)                                                                      \
    rowwise_sized(w, w_stride, squares, ids, grads, grads_ld, n, size, adagrad)

static void ADASS_FN(adagrad_rowwise)(float *w, size_t w_stride, float *squares,
                                      const uint32_t *ids, const float *grads, size_t grads_ld,
                                      size_t n, size_t size, const adass_adagrad *adagrad)
{
    ADASS_WITH_SIZE(size, ADAGRAD_ROWWISE)
}
