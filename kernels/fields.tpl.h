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
 * Fields after one another that differ in where their rows, ids and columns are, but not in how a
 * row is read: a branch on type and size serves them all.
 */
typedef struct field_run {
    const adass_field_view *fields;
    size_t n;
    size_t stride_bytes;
    bool straddles;
} field_run;

/* The run that begins with the first of n fields. */
static inline field_run field_run_of(const adass_field_view *fields, size_t n)
{
    const adass_field_view *first = &fields[0];
    uintptr_t begins = 0;
    size_t i = 0;
    for (; i < n && fields[i].size == first->size && fields[i].type == first->type &&
           fields[i].stride == first->stride;
         i++)
        begins |= (uintptr_t)fields[i].rows; /* aligned as the least aligned of them */
    const size_t stride_bytes = first->stride * element_bytes(first->type);
    return (field_run){ fields, i, stride_bytes,
                        rows_straddle((const void *)begins, stride_bytes,
                                      slice_bytes(first->type, first->size)) };
}

ADASS_INLINE const char *field_row(const adass_field_view *field, const field_run *run, uint32_t id)
{
    return (const char *)field->rows + id * run->stride_bytes;
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

enum { LINE_FLOATS = LINE_BYTES / sizeof(float) };

/* The fields from the first on that have its size. */
static inline size_t fields_of_a_size(const adass_field_view *fields, size_t n)
{
    size_t i = 1;
    while (i < n && fields[i].size == fields[0].size)
        i++;
    return i;
}

/* Whether runs of a size have less than two fields each. */
static inline bool fields_alternate(const adass_field_view *fields, size_t n_fields)
{
    size_t runs = 0;
    for (size_t f = 0; f < n_fields; f += fields_of_a_size(fields + f, n_fields - f))
        runs++;
    return 2 * runs > n_fields;
}

/* Fields that are put into another order, and samples for which that pays. */
enum { GROUPED_FIELDS = 128, GROUPED_SAMPLES = 16 };

/*
 * The fields in `to`, those that a run may have together after one another; as they are where they are too many
 * or serve few samples. For kernels that may take fields in any order: lookup_fields of 39 fields of sizes 2 to 64,
 * 1e3 rows, batch 64, takes .87 of the time, with 1e6 rows .9 to .97 (Cascade Lake).
 */
static inline const adass_field_view *fields_grouped(adass_field_view *to,
                                                     const adass_field_view *fields,
                                                     size_t n_fields, size_t samples)
{
    if (n_fields > GROUPED_FIELDS || samples < GROUPED_SAMPLES)
        return fields;
    bool taken[GROUPED_FIELDS] = { false };
    for (size_t f = 0, n = 0; f < n_fields; f++)
        for (size_t i = f; !taken[f] && i < n_fields; i++)
            if (fields[i].size == fields[f].size && fields[i].type == fields[f].type &&
                fields[i].stride == fields[f].stride) {
                to[n++] = fields[i];
                taken[i] = i > f;
            }
    return to;
}

/* How far ahead is prefetched, 0 for not at all. */
typedef struct fields_later {
    size_t ids; /* rows of the ids that come so many places later */
    size_t out; /* the output so many floats later, to be written */
} fields_later;

/*
 * An output larger than OUT_CACHED is not in the second-level cache, and each store would wait for its
 * line: 39 fields of sizes 2 to 64, 25,000 rows each, batch 4096, take 54 ns a row without prefetching
 * it and 38 with (Cascade Lake; 8 tiles ahead 41), in lookup_fm 35 and 25 ns, of size 16 22 and 15.
 * In the cache it costs: 39 fields of size 64, batch 64 (640 KB), take 1.5 times as long. Fields
 * below OUT_COLUMNS have several to a line, and would ask for it again.
 */
enum { OUT_CACHED = 1024 * 1024, OUT_TILES = 4, OUT_COLUMNS = 8 };

static inline size_t fields_out_later(size_t n, size_t out_ld)
{
    return n * out_ld * sizeof(float) > OUT_CACHED ? OUT_TILES * FIELDS_TILE * out_ld : 0;
}

/* Lines of the output from the last column back: the field before asks for that of the first. */
ADASS_INLINE void out_prefetch(const float *out, size_t size)
{
    for (size_t k = size; k > 0; k -= k < LINE_FLOATS ? k : LINE_FLOATS)
        __builtin_prefetch(out + k - 1, 1);
}

/* Prefetches the rows of the first samples, whose turn comes before any prefetching ahead. */
static inline void fields_prefetch(const adass_field_view *fields, size_t n_fields,
                                   const uint32_t *ids, size_t ids_ld, size_t samples)
{
    for (size_t f = 0; f < n_fields;) {
        const field_run run = field_run_of(fields + f, n_fields - f);
        const size_t bytes = slice_bytes(fields[f].type, fields[f].size), end = f + run.n;
        for (; f < end; f++)
            for (size_t s = 0; s < samples && fields[f].size > 0; s++)
                row_prefetch(field_row(&fields[f], &run, ids[s * ids_ld + fields[f].column]), bytes,
                             run.straddles);
    }
}

#endif
