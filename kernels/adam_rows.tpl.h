/* adam_rows: lazy Adam on the touched rows of a table. Included once for each ISA. */
#include "adam.tpl.h"
#include "row.tpl.h"

ADASS_INLINE void adam_rows_sized(float *w, size_t w_stride, float *m, float *v,
                                  size_t moment_stride, const uint32_t *ids, const float *grads,
                                  size_t grads_ld, size_t n, const adass_adam *adam, size_t size)
{
    enum { AHEAD = 8 }; /* three rows each, read and written: fewer ahead than in a lookup */
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

#define ADAM_ROWS(size)                                                                            \
    adam_rows_sized(w, w_stride, m, v, moment_stride, ids, grads, grads_ld, n, adam, size)

static void ADASS_FN(adam_rows)(float *w, size_t w_stride, float *m, float *v, size_t moment_stride,
                                const uint32_t *ids, const float *grads, size_t grads_ld, size_t n,
                                size_t size, const adass_adam *adam)
{
    ADASS_WITH_SIZE(size, ADAM_ROWS)
}
