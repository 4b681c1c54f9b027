/*
 * lookup_fields: the embeddings of all fields of a block of samples, packed. Included once for each
 * ISA.
 */
#include "adass/kernels.h"
#include "row.tpl.h"

static void ADASS_FN(lookup_fields)(float *out, size_t out_ld, const adass_field_view *fields,
                                    size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t n)
{
    /* Samples ahead, so that about PREFETCH_ROWS rows lie between a row's prefetch and its use. */
    const size_t ahead = n_fields == 0 ? 1 : (PREFETCH_ROWS + n_fields - 1) / n_fields;
    for (size_t b = 0; b < n; b++) {
        const uint32_t *now = ids + b * ids_ld;
        const uint32_t *later = b + ahead < n ? now + ahead * ids_ld : NULL;
        for (size_t f = 0; f < n_fields; f++) {
            const adass_field_view *field = &fields[f];
            if (later != NULL)
                row_prefetch(field->rows + later[field->column] * field->stride, field->size);
            row_copy(out + b * out_ld + field->offset,
                     field->rows + now[field->column] * field->stride, field->size);
        }
    }
}
