/*
 * lookup_fm: lookup_fields and fm_forward in one pass over the rows. Included once for each ISA,
 * after both.
 */
#include "adass/kernels.h"
#include "fields.tpl.h"
#include "fm.tpl.h"

_Static_assert((int)FIELDS_TILE == (int)FM_TILE, "one tile serves both");

/*
 * Some samples of a run of fields, from sample `first` of the tile on. Samples and size are
 * constants, and few enough that the sums stay in registers.
 */
ADASS_INLINE void run_fm_group(float *out, size_t out_ld, fm_sums *t, const field_run *run,
                               adass_type type, const uint32_t *ids, size_t ids_ld, size_t first,
                               size_t samples, fields_later later, size_t size)
{
    const size_t vectors = (size + VW - 1) / VW;
    VF sum[FM_REGISTERS], squares[FM_TILE];
    fm_sums_load(sum, squares, t, first, samples, vectors);
    const field_run r = *run;
    for (const adass_field_view *f = r.fields; f < r.fields + r.n; f++) {
        const uint32_t *id = ids + first * ids_ld + f->column;
        float *to = out == NULL ? NULL : out + first * out_ld + f->offset;
        for (size_t s = 0; s < samples; s++) {
            if (later.ids > 0)
                row_prefetch(field_row(f, &r, id[s * ids_ld + later.ids]), slice_bytes(type, size),
                             r.straddles);
            if (later.out > 0 && size >= OUT_COLUMNS)
                out_prefetch(to + s * out_ld + later.out, size);
            const table_row row = row_begin(field_row(f, &r, id[s * ids_ld]), type);
            VF row_squares = v_zero();
            for (size_t v = 0; v < vectors; v++) {
                const size_t k = v * VW, lanes = size - k < VW ? size - k : VW;
                const VF x = row_load(row, type, k, lanes);
                if (to != NULL)
                    v_storen(to + s * out_ld + k, x, lanes);
                sum[s * vectors + v] = v_add(sum[s * vectors + v], x);
                row_squares = v == 0 ? v_mul(x, x) : v_fma(x, x, row_squares);
            }
            squares[s] = v_add(squares[s], row_squares);
        }
    }
    fm_sums_store(t, sum, squares, first, samples, vectors);
}

/* The same for any size, sums in memory. */
ADASS_INLINE void run_fm_any(float *out, size_t out_ld, fm_sums *t, const field_run *run,
                             adass_type type, const uint32_t *ids, size_t ids_ld, size_t samples,
                             fields_later later, size_t size)
{
    for (size_t i = 0; i < run->n; i++) {
        const adass_field_view *f = &run->fields[i];
        for (size_t s = 0; s < samples; s++) {
            const uint32_t *id = ids + s * ids_ld + f->column;
            if (later.ids > 0)
                row_prefetch(field_row(f, run, id[later.ids]), slice_bytes(type, size),
                             run->straddles);
            const table_row row = row_begin(field_row(f, run, *id), type);
            VF squares = v_zero();
            for (size_t v = 0, k = 0; k < size; v++, k += VW) {
                const size_t lanes = size - k < VW ? size - k : VW;
                const VF x = row_load(row, type, k, lanes);
                if (out != NULL)
                    v_storen(out + s * out_ld + f->offset + k, x, lanes);
                t->sum[s][v] = v_add(t->sum[s][v], x);
                squares = v_fma(x, x, squares);
            }
            t->squares[s] = v_add(t->squares[s], squares);
        }
    }
}

ADASS_INLINE void run_fm(float *out, size_t out_ld, fm_sums *t, const field_run *run,
                         adass_type type, const uint32_t *ids, size_t ids_ld, size_t samples,
                         fields_later later, size_t size)
{
    const size_t group = fm_group(size, samples);
    if (!__builtin_constant_p(size) || group == 0)
        run_fm_any(out, out_ld, t, run, type, ids, ids_ld, samples, later, size);
    else
        for (size_t first = 0; first < samples; first += group)
            run_fm_group(out, out_ld, t, run, type, ids, ids_ld, first, group, later, size);
}

#define RUN_FM_SIZE(size) run_fm(out, out_ld, t, run, type, ids, ids_ld, samples, later, size)

ADASS_INLINE void run_fm_typed(float *out, size_t out_ld, fm_sums *t, const field_run *run,
                               adass_type type, const uint32_t *ids, size_t ids_ld, size_t samples,
                               fields_later later)
{
    ADASS_WITH_SIZE(run->fields->size, RUN_FM_SIZE)
}

#define RUN_FM_TYPE(type) run_fm_typed(out, out_ld, &t, &run, type, ids, ids_ld, samples, later)

/* Some samples. */
ADASS_INLINE void fields_fm(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                            const adass_field_view *fields, size_t n_fields, size_t largest,
                            const uint32_t *ids, size_t ids_ld, size_t samples, fields_later later)
{
    fm_sums t;
    fm_sums_begin(&t, samples, largest);
    for (size_t f = 0; f < n_fields;) {
        const field_run run = field_run_of(fields + f, n_fields - f);
        ADASS_WITH_TYPE(run.fields->type, RUN_FM_TYPE)
        f += run.n;
    }
    fm_sums_end(&t, samples, largest, y, sums, sums_ld);
}

static __attribute__((noinline)) void ADASS_FN(one_fm)(float *y, float *sums, size_t sums_ld,
                                                       float *out, size_t out_ld,
                                                       const adass_field_view *fields,
                                                       size_t n_fields, size_t largest,
                                                       const uint32_t *ids, size_t ids_ld)
{
    fields_fm(y, sums, sums_ld, out, out_ld, fields, n_fields, largest, ids, ids_ld, 1,
              (fields_later){ 0, 0 });
}

/* Whole tiles; inlined for out_later = 0, which leaves the registers to the sums. */
ADASS_INLINE void tiles_fm(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                           const adass_field_view *fields, size_t n_fields, size_t largest,
                           const uint32_t *ids, size_t ids_ld, size_t n, size_t out_later)
{
    const size_t ahead = fields_ahead(n_fields);
    for (size_t b = 0; b + FIELDS_TILE <= n; b += FIELDS_TILE)
        fields_fm(y + b, sums + b * sums_ld, sums_ld, out == NULL ? NULL : out + b * out_ld, out_ld,
                  fields, n_fields, largest, ids + b * ids_ld, ids_ld, FIELDS_TILE,
                  (fields_later){ b + FIELDS_TILE + ahead <= n ? ahead * ids_ld : 0, out_later });
}

/* In functions of their own: together they leave gcc fewer registers, and size 64 takes 1.7 times as long. */
static __attribute__((noinline)) void
ADASS_FN(tiles_fm_cached)(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                          const adass_field_view *fields, size_t n_fields, size_t largest,
                          const uint32_t *ids, size_t ids_ld, size_t n)
{
    tiles_fm(y, sums, sums_ld, out, out_ld, fields, n_fields, largest, ids, ids_ld, n, 0);
}

static __attribute__((noinline)) void
ADASS_FN(tiles_fm_large)(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                         const adass_field_view *fields, size_t n_fields, size_t largest,
                         const uint32_t *ids, size_t ids_ld, size_t n, size_t out_later)
{
    tiles_fm(y, sums, sums_ld, out, out_ld, fields, n_fields, largest, ids, ids_ld, n, out_later);
}

/* Sums as rows come. Single samples go as those of any size do, with the same bits. */
static inline void fm_by_rows(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                              const adass_field_view *fields, size_t n_fields, const uint32_t *ids,
                              size_t ids_ld, size_t n)
{
    const size_t largest = fields_largest(fields, n_fields), whole = n / FIELDS_TILE * FIELDS_TILE;
    const size_t out_later = out == NULL ? 0 : fields_out_later(n, out_ld);
    if (out_later == 0)
        ADASS_FN(tiles_fm_cached)
    (y, sums, sums_ld, out, out_ld, fields, n_fields, largest, ids, ids_ld, n);
    else ADASS_FN(tiles_fm_large)(y, sums, sums_ld, out, out_ld, fields, n_fields, largest, ids,
                                  ids_ld, n, out_later);
    for (size_t b = whole; b < n; b++)
        ADASS_FN(one_fm)
    (y + b, sums + b * sums_ld, sums_ld, out == NULL ? NULL : out + b * out_ld, out_ld, fields,
     n_fields, largest, ids + b * ids_ld, ids_ld);
}

/*
 * ---- where sizes alternate and a tile fits into the first-level cache: rows are copied, and summed from there ----
 *
 * Rows as they come would have their sums in memory at every field: 39 fields of sizes 2 to 64 of 1e3 rows, batch 4096,
 * take 405 instead of 544 ns a sample (AVX2 385, 492), batch 64 325 instead of 347 (328, 395; Cascade Lake). Runs of
 * size 16 copied first take 157 instead of 130.
 */

enum { NEAR_FIELDS = GROUPED_FIELDS, NEAR_FLOATS = 4096 };

/* Samples of which all rows fit; 0: not those of a tile. */
static inline size_t near_samples(const adass_field_view *fields, size_t n_fields)
{
    size_t floats = 1;
    for (size_t f = 0; f < n_fields; f++)
        floats += fields[f].size;
    return n_fields > NEAR_FIELDS ? 0 : NEAR_FLOATS / floats / FM_TILE * FM_TILE;
}

/* Where nobody wants the output, its place and the fields within it. */
typedef struct near_rows {
    adass_field_view fields[NEAR_FIELDS];
    float rows[NEAR_FLOATS];
    size_t row_floats;
} near_rows;

static inline void near_rows_of(near_rows *near, const adass_field_view *fields, size_t n_fields)
{
    near->row_floats = 0;
    for (size_t f = 0; f < n_fields; f++) {
        near->fields[f] = fields[f];
        near->fields[f].offset = near->row_floats;
        near->row_floats += fields[f].size;
    }
}

static inline void fm_by_copies(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                                const adass_field_view *fields, size_t n_fields,
                                const uint32_t *ids, size_t ids_ld, size_t n, size_t at_once)
{
    near_rows near;
    fm_columns columns;
    const bool kept = out != NULL;
    if (!kept) {
        near_rows_of(&near, fields, n_fields);
        fields = near.fields;
        out_ld = near.row_floats;
    }
    columns.largest = fields_largest(fields, n_fields);
    columns.begins = columns.ends = true;
    fm_columns_of(&columns, fields, n_fields);
    const size_t out_later = kept ? fields_out_later(n, out_ld) : 0;
    adass_field_view grouped[GROUPED_FIELDS];
    fields = fields_grouped(grouped, fields, n_fields, n);
    for (size_t b = 0; b < n; b += at_once) {
        const size_t samples = n - b < at_once ? n - b : at_once;
        float *rows = kept ? out + b * out_ld : near.rows;
        fields_copy_some(rows, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld, samples, n - b,
                         out_later);
        ADASS_FN(fm_all_by_columns)
        (y + b, sums + b * sums_ld, sums_ld, rows, out_ld, &columns, samples);
    }
}

static void ADASS_FN(lookup_fm)(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                                const adass_field_view *fields, size_t n_fields,
                                const uint32_t *ids, size_t ids_ld, size_t n)
{
    const size_t near = fields_alternate(fields, n_fields) ? near_samples(fields, n_fields) : 0,
                 ahead = fields_ahead(n_fields);
    fields_prefetch(fields, n_fields, ids, ids_ld, n < ahead ? n : ahead);
    if (near > 0)
        fm_by_copies(y, sums, sums_ld, out, out_ld, fields, n_fields, ids, ids_ld, n, near);
    else
        fm_by_rows(y, sums, sums_ld, out, out_ld, fields, n_fields, ids, ids_ld, n);
}
