/*
 * lookup_fields: the embeddings of all fields of a block of samples, packed. Included once for each
 * ISA.
 */
#include "adass/kernels.h"
#include "fields.tpl.h"

ADASS_INLINE void field_copy(float *out, size_t out_ld, const adass_field_view *field,
                             adass_type type, const uint32_t *ids, size_t ids_ld, size_t n,
                             size_t size)
{
    for (size_t i = 0; i < n; i++)
        row_copy(out + i * out_ld, row_at(field->rows, field->stride, type, ids[i * ids_ld]), type,
                 size);
}

#define FIELD_COPY_SIZE(size) field_copy(out, out_ld, field, type, ids, ids_ld, n, size)

ADASS_INLINE void field_copy_typed(float *out, size_t out_ld, const adass_field_view *field,
                                   adass_type type, const uint32_t *ids, size_t ids_ld, size_t n)
{
    ADASS_WITH_SIZE(field->size, FIELD_COPY_SIZE)
}

#define FIELD_COPY_TYPE(type)                                                                      \
    field_copy_typed(out + b * out_ld + field->offset, out_ld, field, type,                        \
                     ids + b * ids_ld + field->column, ids_ld, count)

static void ADASS_FN(lookup_fields)(float *out, size_t out_ld, const adass_field_view *fields,
                                    size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t n)
{
    enum { TILE = 8 };
    prefetcher ahead = { fields, n_fields, ids, ids_ld, n, TILE, 0, 0 };
    prefetcher_start(&ahead);
    for (size_t b = 0; b < n; b += TILE) {
        const size_t count = n - b < TILE ? n - b : TILE;
        for (size_t f = 0; f < n_fields; f++) {
            const adass_field_view *field = &fields[f];
            prefetcher_step(&ahead);
            ADASS_WITH_TYPE(field->type, FIELD_COPY_TYPE)
        }
    }
}
