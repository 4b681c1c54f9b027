/* fm_backward: gradient of the second-order term. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

/* Samples that one look at a field's numbers serves. */
enum { FM_BACKWARD_TILE = 4 };

typedef struct fm_gradient {
    const float *dy, *sums;
    size_t dx_ld, x_ld, sums_ld, samples;
    bool accumulate;
} fm_gradient;

ADASS_INLINE void fm_backward_part(float *dx, VF dy, const float *x, const float *sums,
                                   size_t lanes, bool accumulate)
{
    VF g = v_mul(dy, v_sub(v_loadn(sums, lanes), v_loadn(x, lanes)));
    if (accumulate)
        g = v_add(v_loadn(dx, lanes), g);
    v_storen(dx, g, lanes);
}

/* One field of all samples of a tile. */
ADASS_INLINE void fm_backward_field(float *dx, const float *x, fm_gradient t, size_t size)
{
    for (size_t s = 0; s < t.samples; s++) {
        const VF dy = v_set1(t.dy[s]);
        float *to = dx + s * t.dx_ld;
        const float *from = x + s * t.x_ld, *sums = t.sums + s * t.sums_ld;
        size_t k = 0;
        for (; k + VW <= size; k += VW)
            fm_backward_part(to + k, dy, from + k, sums + k, VW, t.accumulate);
        if (k < size)
            fm_backward_part(to + k, dy, from + k, sums + k, size - k, t.accumulate);
    }
}

#define FM_BACKWARD_FIELD(size) fm_backward_field(dx + offset, x + offset, t, size)

static void ADASS_FN(fm_backward)(float *dx, size_t dx_ld, const float *dy, const float *x,
                                  size_t x_ld, const float *sums, size_t sums_ld,
                                  const adass_field_view *fields, size_t n_fields, size_t n,
                                  bool accumulate)
{
    for (size_t b = 0; b < n; b += FM_BACKWARD_TILE) {
        const size_t samples = n - b < FM_BACKWARD_TILE ? n - b : FM_BACKWARD_TILE;
        const fm_gradient t = { dy, sums, dx_ld, x_ld, sums_ld, samples, accumulate };
        for (size_t f = 0; f < n_fields; f++) {
            const size_t offset = fields[f].offset;
            ADASS_WITH_SIZE(fields[f].size, FM_BACKWARD_FIELD)
        }
        dx += FM_BACKWARD_TILE * dx_ld;
        x += FM_BACKWARD_TILE * x_ld;
        dy += FM_BACKWARD_TILE;
        sums += FM_BACKWARD_TILE * sums_ld;
    }
}
