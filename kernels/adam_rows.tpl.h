/* adam_rows: lazy Adam on the touched rows of a table. Included once for each ISA. */
#include "adam.tpl.h"
#include "row.tpl.h"

/*
 * Rows ahead that are prefetched: three of each, read and written, and so fewer than in a lookup. 0,
 * 8, 16 and 32 ahead, ns a row (Cascade Lake, AVX-512, medians in turn): 1e6 rows of size 4 50, 24.3,
 * 21.8, 22.7; of size 16 90, 37.0, 36.4, 37.1; 3e5 of size 64 252, 129, 134, 141, 1e4 71, 46, 51, 59.
 */
ADASS_INLINE size_t update_far(size_t size) { return size <= 32 ? 16 : 8; }

ADASS_INLINE void adam_rows_sized(float *w, size_t w_stride, float *m, float *v,
                                  size_t moment_stride, const uint32_t *ids, const float *grads,
                                  size_t grads_ld, size_t n, const adass_adam *adam, size_t size)
{
    const size_t far = update_far(size);
    const adass_adam copy = *adam;
    for (size_t i = 0; i < n; i++) {
        if (i + far < n) {
            const size_t later = ids[i + far];
            row_prefetch(w + later * w_stride, size * sizeof *w, false);
            row_prefetch(m + later * moment_stride, size * sizeof *m, false);
            row_prefetch(v + later * moment_stride, size * sizeof *v, false);
        }
        const size_t at = ids[i] * moment_stride;
        adam_run(w + ids[i] * w_stride, m + at, v + at, grads + i * grads_ld, size, &copy);
    }
}

/* Rows of one column: as many side by side as a vector holds, each in its lane. */
static inline void adam_singles(float *w, size_t w_stride, float *m, float *v, size_t moment_stride,
                                const uint32_t *ids, const float *grads, size_t grads_ld, size_t n,
                                const adass_adam *adam)
{
    const adass_adam copy = *adam;
    for (size_t i = 0; i < n; i += VW) {
        const size_t lanes = n - i < VW ? n - i : VW;
        float weight[VW] = { 0 }, first[VW] = { 0 }, second[VW] = { 0 }, grad[VW] = { 0 };
        for (size_t k = 0; k < lanes; k++) {
            if (i + k + VW < n) {
                const size_t later = ids[i + k + VW];
                row_prefetch(w + later * w_stride, sizeof *w, false);
                row_prefetch(m + later * moment_stride, sizeof *m, false);
                row_prefetch(v + later * moment_stride, sizeof *v, false);
            }
            weight[k] = w[ids[i + k] * w_stride];
            first[k] = m[ids[i + k] * moment_stride];
            second[k] = v[ids[i + k] * moment_stride];
            grad[k] = grads[(i + k) * grads_ld];
        }
        adam_part(weight, first, second, grad, lanes, &copy);
        for (size_t k = 0; k < lanes; k++) {
            w[ids[i + k] * w_stride] = weight[k];
            m[ids[i + k] * moment_stride] = first[k];
            v[ids[i + k] * moment_stride] = second[k];
        }
    }
}

#define ADAM_ROWS(size)                                                                            \
    adam_rows_sized(w, w_stride, m, v, moment_stride, ids, grads, grads_ld, n, adam, size)

static void ADASS_FN(adam_rows)(float *w, size_t w_stride, float *m, float *v, size_t moment_stride,
                                const uint32_t *ids, const float *grads, size_t grads_ld, size_t n,
                                size_t size, const adass_adam *adam)
{
    if (size == 1)
        adam_singles(w, w_stride, m, v, moment_stride, ids, grads, grads_ld, n, adam);
    else
        ADASS_WITH_SIZE(size, ADAM_ROWS)
}
