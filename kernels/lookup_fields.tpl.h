/*
 * lookup_fields: the embeddings of all fields of a block of samples, packed. Included once for each
 * ISA.
 */
#include "adass/kernels.h"
#include "fields.tpl.h"

ADASS_INLINE void run_copy(float *out, size_t out_ld, const field_run *run, adass_type type,
                           const uint32_t *ids, size_t ids_ld, size_t samples, fields_later later,
                           size_t size)
{
    for (const adass_field_view *f = run->fields; f < run->fields + run->n; f++) {
        const uint32_t *id = ids + f->column;
        float *to = out + f->offset;
        const field_run r = *run;
        for (size_t s = 0; s < samples; s++) {
            if (later.ids > 0)
                row_prefetch(field_row(f, &r, id[s * ids_ld + later.ids]), slice_bytes(type, size),
                             r.straddles);
            if (later.out > 0 && size >= OUT_COLUMNS)
                out_prefetch(to + s * out_ld + later.out, size);
            row_copy(to + s * out_ld, row_begin(field_row(f, &r, id[s * ids_ld]), type), type,
                     size);
        }
    }
}

#define RUN_COPY_SIZE(size) run_copy(out, out_ld, run, type, ids, ids_ld, samples, later, size)

ADASS_INLINE void run_copy_typed(float *out, size_t out_ld, const field_run *run, adass_type type,
                                 const uint32_t *ids, size_t ids_ld, size_t samples,
                                 fields_later later)
{
    ADASS_WITH_SIZE(run->fields->size, RUN_COPY_SIZE)
}

#define RUN_COPY_TYPE(type) run_copy_typed(out, out_ld, &run, type, ids, ids_ld, samples, later)

/* All fields of some samples, a constant. */
ADASS_INLINE void fields_copy(float *out, size_t out_ld, const adass_field_view *fields,
                              size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t samples,
                              fields_later later)
{
    for (size_t f = 0; f < n_fields;) {
        const field_run run = field_run_of(fields + f, n_fields - f);
        ADASS_WITH_TYPE(run.fields->type, RUN_COPY_TYPE)
        f += run.n;
    }
}

/*
 * The first `samples` of n samples, of which those behind them have their rows fetched; inlined for out_later = 0,
 * which leaves the registers to the rest.
 */
ADASS_INLINE void tiles_copy(float *out, size_t out_ld, const adass_field_view *fields,
                             size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t samples,
                             size_t n, size_t out_later)
{
    const size_t ahead = fields_ahead(n_fields);
    for (size_t b = 0; b + FIELDS_TILE <= samples; b += FIELDS_TILE)
        fields_copy(out + b * out_ld, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld,
                    FIELDS_TILE,
                    (fields_later){ b + FIELDS_TILE + ahead <= n ? ahead * ids_ld : 0, out_later });
}

/* Functions of their own, because lookup_fm copies by them too. */
static __attribute__((noinline)) void
ADASS_FN(samples_copy)(float *out, size_t out_ld, const adass_field_view *fields, size_t n_fields,
                       const uint32_t *ids, size_t ids_ld, size_t samples, size_t n)
{
    tiles_copy(out, out_ld, fields, n_fields, ids, ids_ld, samples, n, 0);
    for (size_t b = samples / FIELDS_TILE * FIELDS_TILE; b < samples; b++)
        fields_copy(out + b * out_ld, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld, 1,
                    (fields_later){ 0, 0 });
}

static __attribute__((noinline)) void ADASS_FN(tiles_copy_far)(float *out, size_t out_ld,
                                                               const adass_field_view *fields,
                                                               size_t n_fields, const uint32_t *ids,
                                                               size_t ids_ld, size_t samples,
                                                               size_t n, size_t out_later)
{
    tiles_copy(out, out_ld, fields, n_fields, ids, ids_ld, samples, n, out_later);
}

/* The first `samples` of n samples into an output whose lines come `out_later` floats later, 0 for a near one. */
static inline void fields_copy_some(float *out, size_t out_ld, const adass_field_view *fields,
                                    size_t n_fields, const uint32_t *ids, size_t ids_ld,
                                    size_t samples, size_t n, size_t out_later)
{
    const size_t far = out_later > 0 ? samples / FIELDS_TILE * FIELDS_TILE : 0;
    if (far > 0)
        ADASS_FN(tiles_copy_far)
    (out, out_ld, fields, n_fields, ids, ids_ld, far, n, out_later);
    if (far < samples)
        ADASS_FN(samples_copy)
    (out + far * out_ld, out_ld, fields, n_fields, ids + far * ids_ld, ids_ld, samples - far,
     n - far);
}

static void ADASS_FN(lookup_fields)(float *out, size_t out_ld, const adass_field_view *fields,
                                    size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t n)
{
    const size_t ahead = fields_ahead(n_fields);
    adass_field_view grouped[GROUPED_FIELDS];
    fields = fields_grouped(grouped, fields, n_fields, n);
    fields_prefetch(fields, n_fields, ids, ids_ld, n < ahead ? n : ahead);
    fields_copy_some(out, out_ld, fields, n_fields, ids, ids_ld, n, n, fields_out_later(n, out_ld));
}
