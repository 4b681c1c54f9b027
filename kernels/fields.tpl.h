/* A prefetcher for the kernels that read the rows of all fields. Included after a vector layer. */
#ifndef ADASS_FIELDS_TPL_H
#define ADASS_FIELDS_TPL_H

#include "row.tpl.h"

/*
 * Samples are taken in tiles: a field's numbers and the branches on them then serve several rows.
 * The prefetcher goes through the same fields and tiles as the kernel, some steps ahead of it.
 */
typedef struct prefetcher {
    const adass_field_view *fields;
    size_t n_fields;
    const uint32_t *ids;
    size_t ids_ld, n, tile;
    size_t field, sample; /* the next to be prefetched */
} prefetcher;

/* The rows of one field for one tile. */
static inline void prefetcher_step(prefetcher *p)
{
    if (p->sample >= p->n)
        return;
    const adass_field_view *field = &p->fields[p->field];
    const size_t left = p->n - p->sample, count = left < p->tile ? left : p->tile;
    const uint32_t *ids = p->ids + p->sample * p->ids_ld + field->column;
    const size_t stride_bytes = field->stride * element_bytes(field->type);
    const size_t bytes = slice_bytes(field->type, field->size);
    const bool straddles = rows_straddle(field->rows, stride_bytes, bytes);
    for (size_t s = 0; s < count && field->size > 0; s++)
        row_prefetch((const char *)field->rows + ids[s * p->ids_ld] * stride_bytes, bytes,
                     straddles);
    if (++p->field == p->n_fields) {
        p->field = 0;
        p->sample += p->tile;
    }
}

/* Goes PREFETCH_ROWS rows ahead. */
static inline void prefetcher_start(prefetcher *p)
{
    for (size_t rows = 0; rows < PREFETCH_ROWS && p->n_fields > 0; rows += p->tile)
        prefetcher_step(p);
}

#endif
