/* fm_forward: second-order term over mixed sizes. Included once for each ISA. */
#include "adass/kernels.h"

/*
 * Columns [k, k + lanes) of one sample: the sums over the fields that reach this far stay in a
 * register; *squares takes the squares.
 */
static inline VF fm_block(const float *x, const adass_field_view *fields, size_t n_fields, size_t k,
                          VF *squares)
{
    VF sum = v_zero();
    for (size_t f = 0; f < n_fields; f++) {
        if (fields[f].size <= k)
            continue;
        const VF v = v_loadn(x + fields[f].offset + k, fields[f].size - k);
        sum = v_add(sum, v);
        *squares = v_fma(v, v, *squares);
    }
    return sum;
}

static void ADASS_FN(fm_forward)(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                                 const adass_field_view *fields, size_t n_fields, size_t n)
{
    size_t largest = 0;
    for (size_t f = 0; f < n_fields; f++)
        largest = fields[f].size > largest ? fields[f].size : largest;
    for (size_t b = 0; b < n; b++) {
        VF squares = v_zero(), total = v_zero();
        for (size_t k = 0; k < largest; k += VW) {
            const VF sum = fm_block(x + b * x_ld, fields, n_fields, k, &squares);
            v_storen(sums + b * sums_ld + k, sum, largest - k);
            total = v_fma(sum, sum, total);
        }
        y[b] += 0.5f * v_sum(v_sub(total, squares));
    }
}
