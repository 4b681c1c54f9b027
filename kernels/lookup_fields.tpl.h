/*
 * lookup_fields: the embeddings of all fields of a block of samples, packed. Included once for each
 * ISA.
 */
#include "adass/kernels.h"
#include "fields.tpl.h"

/* `later` is how many samples ahead a row is prefetched; 0 for not at all. */
ADASS_INLINE void field_copy(float *out, size_t out_ld, field_rows f, adass_type type, size_t n,
                             size_t later, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        if (later > 0)
            field_prefetch(f, later + i, slice_bytes(type, size));
        row_copy(out + i * out_ld, row_begin(field_row(f, i), type), type, size);
    }
}

#define FIELD_COPY_SIZE(size) field_copy(out, out_ld, f, type, n, later, size)

ADASS_INLINE void field_copy_typed(float *out, size_t out_ld, field_rows f, adass_type type,
                                   size_t n, size_t later, size_t size)
{
    ADASS_WITH_SIZE(size, FIELD_COPY_SIZE)
}

#define FIELD_COPY_TYPE(type)                                                                      \
    field_copy_typed(out + field->offset, out_ld, rows, type, n, later, field->size)

/* All fields of n samples. */
ADASS_INLINE void fields_copy(float *out, size_t out_ld, const adass_field_view *fields,
                              size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t n,
                              size_t later)
{
    for (size_t f = 0; f < n_fields; f++) {
        const adass_field_view *field = &fields[f];
        const field_rows rows = field_rows_of(field, ids, ids_ld);
        ADASS_WITH_TYPE(field->type, FIELD_COPY_TYPE)
    }
}

static void ADASS_FN(lookup_fields)(float *out, size_t out_ld, const adass_field_view *fields,
                                    size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t n)
{
    const size_t ahead = fields_ahead(n_fields);
    fields_prefetch(fields, n_fields, ids, ids_ld, n < ahead ? n : ahead);
    size_t b = 0;
    for (; b + FIELDS_TILE + ahead <= n; b += FIELDS_TILE)
        fields_copy(out + b * out_ld, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld,
                    FIELDS_TILE, ahead);
    for (; b + FIELDS_TILE <= n; b += FIELDS_TILE)
        fields_copy(out + b * out_ld, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld,
                    FIELDS_TILE, 0);
    fields_copy(out + b * out_ld, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld, n - b, 0);
}
