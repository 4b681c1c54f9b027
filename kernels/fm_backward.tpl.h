/* fm_backward: gradient of the second-order term. Included once for each ISA. */
#include "adass/kernels.h"
#include "fields.tpl.h"

/* Samples that one branch on a field's size serves. */
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

/*
 * Fields of one size, sample by sample: the order in which they lie. `fetch`: each line is fetched 16
 * lines before it is written. Where whole lines are written in this order and are not in the
 * second-level cache, 39 fields of size 64, batch 1024, take 1.10 instead of 2.18 us a sample by
 * AVX-512 and 1.22 by AVX2, batch 16384 1.84 instead of 2.35 (AVX2 1.70, 1.78); size 16, batch 16384,
 * .43 instead of .49 (Cascade Lake). Fields alone among others of other sizes would take a quarter longer.
 */
ADASS_INLINE void fm_backward_run(float *dx, const float *x, fm_gradient t,
                                  const adass_field_view *fields, size_t n, bool fetch, size_t size)
{
    enum { LATER = 256 };
    for (size_t s = 0; s < t.samples; s++) {
        const VF dy = v_set1(t.dy[s]);
        const float *sums = t.sums + s * t.sums_ld;
        for (size_t f = 0; f < n; f++) {
            float *to = dx + s * t.dx_ld + fields[f].offset;
            const float *from = x + s * t.x_ld + fields[f].offset;
            if (fetch)
                out_prefetch(to + LATER, size);
            size_t k = 0;
            for (; k + VW <= size; k += VW)
                fm_backward_part(to + k, dy, from + k, sums + k, VW, t.accumulate);
            if (k < size)
                fm_backward_part(to + k, dy, from + k, sums + k, size - k, t.accumulate);
        }
    }
}

#define FM_BACKWARD_RUN(size)                                                                      \
    if (is_large && run > 1 && size >= LINE_BYTES / sizeof(float))                                 \
        fm_backward_run(dx, x, t, fields + f, run, true, size);                                    \
    else                                                                                           \
        fm_backward_run(dx, x, t, fields + f, run, false, size)

static void ADASS_FN(fm_backward)(float *dx, size_t dx_ld, const float *dy, const float *x,
                                  size_t x_ld, const float *sums, size_t sums_ld,
                                  const adass_field_view *fields, size_t n_fields, size_t n,
                                  bool accumulate)
{
    const bool is_large = n * dx_ld * sizeof(float) > OUT_CACHED;
    for (size_t b = 0; b < n; b += FM_BACKWARD_TILE) {
        const size_t samples = n - b < FM_BACKWARD_TILE ? n - b : FM_BACKWARD_TILE;
        const fm_gradient t = { dy, sums, dx_ld, x_ld, sums_ld, samples, accumulate };
        for (size_t f = 0, run; f < n_fields; f += run) {
            run = fields_of_a_size(fields + f, n_fields - f);
            ADASS_WITH_SIZE(fields[f].size, FM_BACKWARD_RUN)
        }
        dx += FM_BACKWARD_TILE * dx_ld;
        x += FM_BACKWARD_TILE * x_ld;
        dy += FM_BACKWARD_TILE;
        sums += FM_BACKWARD_TILE * sums_ld;
    }
}
