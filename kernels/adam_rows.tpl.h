/* adam_rows: lazy Adam on the touched rows of a table. Included once for each ISA. */
#include "adam.tpl.h"
#include "row.tpl.h"

ADASS_INLINE void adam_rows_sized(float *w, size_t w_stride, float *m, float *v,
                                  size_t moment_stride, const uint32_t *ids, const float *grads,
                                  size_t grads_ld, size_t n, const adass_adam *adam, size_t size)
{
    enum { AHEAD = 16 }; /* three rows each, read and written: fewer ahead than in a lookup */
    const adass_adam copy = *adam;
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n) {
            const size_t later = ids[i + AHEAD];
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
        float weight[VW], first[VW], second[VW], grad[VW];
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
