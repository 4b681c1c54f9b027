/* fm_forward: second-order term over mixed sizes. Included once for each ISA. */
#include "adass/kernels.h"
#include "fm.tpl.h"

/* `samples` is a constant, at most FM_TILE. */
ADASS_INLINE void fm_forward_tile(float *y, float *sums, size_t sums_ld, const float *x,
                                  size_t x_ld, const adass_field_view *fields, size_t n_fields,
                                  size_t largest, size_t samples)
{
    fm_tile t;
    fm_tile_begin(&t, samples);
    for (size_t k = 0; k < largest; k += VW) {
        for (size_t f = 0; f < n_fields; f++) {
            const float *from = x + fields[f].offset + k;
            if (fields[f].size >= k + VW)
                for (size_t s = 0; s < samples; s++)
                    fm_tile_add(&t, s, v_load(from + s * x_ld));
            else if (fields[f].size > k)
                for (size_t s = 0; s < samples; s++)
                    fm_tile_add(&t, s, v_loadn(from + s * x_ld, fields[f].size - k));
        }
        fm_tile_store(&t, samples, sums + k, sums_ld, largest - k);
    }
    fm_tile_end(&t, samples, y);
}

static void ADASS_FN(fm_forward)(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                                 const adass_field_view *fields, size_t n_fields, size_t n)
{
    const size_t largest = fields_largest(fields, n_fields);
    size_t b = 0;
    for (; b + FM_TILE <= n; b += FM_TILE)
        fm_forward_tile(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, fields, n_fields,
                        largest, FM_TILE);
    for (; b < n; b++)
        fm_forward_tile(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, fields, n_fields,
                        largest, 1);
}
