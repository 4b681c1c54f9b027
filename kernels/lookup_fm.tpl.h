/* lookup_fm: lookup_fields and fm_forward in one pass. Included once for each ISA. */
#include "adass/kernels.h"
#include "fields.tpl.h"
#include "fm.tpl.h"

/* Columns [k, k + lanes) of one field: into the packed matrix and into the sums. */
ADASS_INLINE void lookup_fm_field(fm_tile *t, float *out, size_t out_ld,
                                  const adass_field_view *field, adass_type type,
                                  const uint32_t *ids, size_t ids_ld, size_t k, size_t lanes,
                                  size_t samples)
{
    for (size_t s = 0; s < samples; s++) {
        const table_row r = row_at(field->rows, field->stride, type, ids[s * ids_ld]);
        const VF x = row_load(r, type, k, lanes);
        v_storen(out + s * out_ld + k, x, lanes);
        fm_tile_add(t, s, x);
    }
}

#define LOOKUP_FM_FULL(type)                                                                       \
    lookup_fm_field(&t, out + field->offset, out_ld, field, type, ids + field->column, ids_ld, k,  \
                    VW, samples)
#define LOOKUP_FM_PART(type)                                                                       \
    lookup_fm_field(&t, out + field->offset, out_ld, field, type, ids + field->column, ids_ld, k,  \
                    field->size - k, samples)

/* `samples` is a constant, at most FM_TILE. */
ADASS_INLINE void lookup_fm_tile(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                                 const adass_field_view *fields, size_t n_fields,
                                 const uint32_t *ids, size_t ids_ld, size_t largest, size_t samples,
                                 prefetcher *ahead)
{
    fm_tile t;
    fm_tile_begin(&t, samples);
    for (size_t k = 0; k < largest; k += VW) {
        for (size_t f = 0; f < n_fields; f++) {
            const adass_field_view *field = &fields[f];
            if (k == 0)
                prefetcher_step(ahead);
            if (field->size >= k + VW)
                ADASS_WITH_TYPE(field->type, LOOKUP_FM_FULL)
            else if (field->size > k)
                ADASS_WITH_TYPE(field->type, LOOKUP_FM_PART)
        }
        fm_tile_store(&t, samples, sums + k, sums_ld, largest - k);
    }
    fm_tile_end(&t, samples, y);
}

static void ADASS_FN(lookup_fm)(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                                const adass_field_view *fields, size_t n_fields,
                                const uint32_t *ids, size_t ids_ld, size_t n)
{
    const size_t largest = fields_largest(fields, n_fields);
    prefetcher ahead = { fields, n_fields, ids, ids_ld, n, FM_TILE, 0, 0 };
    prefetcher_start(&ahead);
    size_t b = 0;
    for (; b + FM_TILE <= n; b += FM_TILE)
        lookup_fm_tile(y + b, sums + b * sums_ld, sums_ld, out + b * out_ld, out_ld, fields,
                       n_fields, ids + b * ids_ld, ids_ld, largest, FM_TILE, &ahead);
    for (; b < n; b++)
        lookup_fm_tile(y + b, sums + b * sums_ld, sums_ld, out + b * out_ld, out_ld, fields,
                       n_fields, ids + b * ids_ld, ids_ld, largest, 1, &ahead);
}
