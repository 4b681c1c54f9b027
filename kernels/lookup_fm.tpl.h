/*
 * lookup_fm: lookup_fields and fm_forward tile by tile. Included once for each ISA, after both.
 *
 * Adding each vector right after its load, columns of a vector's width at a time, takes 1.3 to 1.7
 * times as long at size 16 (Zen 3, AVX2, medians of 9): every pass finds the rows anew, and the
 * stores between keep the sums out of registers.
 */
#include "adass/kernels.h"
#include "fields.tpl.h"
#include "fm.tpl.h"

static void ADASS_FN(lookup_fm)(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                                const adass_field_view *fields, size_t n_fields,
                                const uint32_t *ids, size_t ids_ld, size_t n)
{
    const size_t largest = fields_largest(fields, n_fields), ahead = fields_ahead(n_fields);
    fields_prefetch(fields, n_fields, ids, ids_ld, n < ahead ? n : ahead);
    for (size_t b = 0; b < n; b += FIELDS_TILE) {
        const size_t count = n - b < FIELDS_TILE ? n - b : FIELDS_TILE;
        float *x = out + b * out_ld;
        fields_copy(x, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld, count,
                    b + FIELDS_TILE + ahead <= n ? ahead : 0);
        if (count == FM_TILE)
            fm_forward_tile(y + b, sums + b * sums_ld, sums_ld, x, out_ld, fields, n_fields,
                            largest, FM_TILE);
        else
            for (size_t i = 0; i < count; i++)
                fm_forward_tile(y + b + i, sums + (b + i) * sums_ld, sums_ld, x + i * out_ld,
                                out_ld, fields, n_fields, largest, 1);
    }
}
