/* fm_backward: gradient of the second-order term. Included once for each ISA. */
#include "adass/kernels.h"

static inline void fm_backward_part(float *dx, VF dy, const float *x, const float *sums,
                                    size_t lanes, bool accumulate)
{
    VF g = v_mul(dy, v_sub(v_loadn(sums, lanes), v_loadn(x, lanes)));
    if (accumulate)
        g = v_add(v_loadn(dx, lanes), g);
    v_storen(dx, g, lanes);
}

static void ADASS_FN(fm_backward)(float *dx, size_t dx_ld, const float *dy, const float *x,
                                  size_t x_ld, const float *sums, size_t sums_ld,
                                  const adass_field_view *fields, size_t n_fields, size_t n,
                                  bool accumulate)
{
    for (size_t b = 0; b < n; b++) {
        const VF d = v_set1(dy[b]);
        for (size_t f = 0; f < n_fields; f++) {
            const size_t size = fields[f].size;
            float *to = dx + b * dx_ld + fields[f].offset;
            const float *from = x + b * x_ld + fields[f].offset;
            const float *s = sums + b * sums_ld;
            size_t k = 0;
            for (; k + VW <= size; k += VW)
                fm_backward_part(to + k, d, from + k, s + k, VW, accumulate);
            if (k < size)
                fm_backward_part(to + k, d, from + k, s + k, size - k, accumulate);
        }
    }
}
