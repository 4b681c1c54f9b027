/* Rows of one field for several samples, for the kernels that read all fields. */
#ifndef ADASS_FIELDS_TPL_H
#define ADASS_FIELDS_TPL_H

#include "row.tpl.h"

/*
 * Samples are taken in tiles, field after field: a field's numbers and the branches on them then
 * serve several rows.
 */
enum { FIELDS_TILE = 4 };

/*
 * One field's rows, by value: a store through a vector type might change a struct in memory, so
 * that the compiler would read the view again after each.
 */
typedef struct field_rows {
    const char *rows;
    size_t stride_bytes;
    const uint32_t *ids; /* of the first sample */
    size_t ids_ld;
    bool straddles;
} field_rows;

ADASS_INLINE field_rows field_rows_of(const adass_field_view *field, const uint32_t *ids,
                                      size_t ids_ld)
{
    const size_t stride_bytes = field->stride * element_bytes(field->type);
    return (field_rows){ field->rows, stride_bytes, ids + field->column, ids_ld,
                         rows_straddle(field->rows, stride_bytes,
                                       slice_bytes(field->type, field->size)) };
}

ADASS_INLINE const char *field_row(field_rows f, size_t sample)
{
    return f.rows + f.ids[sample * f.ids_ld] * f.stride_bytes;
}

ADASS_INLINE void field_prefetch(field_rows f, size_t sample, size_t bytes)
{
    row_prefetch(field_row(f, sample), bytes, f.straddles);
}

/*
 * Samples between the one that is read and the one that is prefetched: whole tiles, with 32 rows or
 * more in between.
 */
static inline size_t fields_ahead(size_t n_fields)
{
    enum { ROWS = 32 };
    const size_t tiles = ROWS / (FIELDS_TILE * (n_fields + 1)) + 1;
    return tiles * FIELDS_TILE;
}

/* Prefetches the rows of the first samples, whose turn comes before any prefetching ahead. */
static inline void fields_prefetch(const adass_field_view *fields, size_t n_fields,
                                   const uint32_t *ids, size_t ids_ld, size_t samples)
{
    for (size_t f = 0; f < n_fields; f++) {
        const field_rows rows = field_rows_of(&fields[f], ids, ids_ld);
        const size_t bytes = slice_bytes(fields[f].type, fields[f].size);
        for (size_t s = 0; s < samples && fields[f].size > 0; s++)
            field_prefetch(rows, s, bytes);
    }
}

#endif
