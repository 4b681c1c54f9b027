/*
 * lookup_fm: lookup_fields and fm_forward in one pass over the rows. Included once for each ISA,
 * after both.
 */
#include "adass/kernels.h"
#include "fields.tpl.h"
#include "fm.tpl.h"

enum { FM_VECTORS = (ADASS_SIZE_MAX + VW - 1) / VW };

/* What the samples of a tile have summed up so far: whole vectors, so that a load never spans two
   stores. */
typedef struct fm_sums {
    VF sum[FIELDS_TILE][FM_VECTORS]; /* over the fields, by columns */
    VF squares[FIELDS_TILE];         /* over fields and columns */
} fm_sums;

/* Sums that the registers hold beside what else is in use. */
enum { FM_REGISTERS = 8 };

/*
 * Some samples of a run of fields, from sample `first` of the tile on. Samples and size are
 * constants, and few enough that the sums stay in registers.
 */
ADASS_INLINE void run_fm_group(float *out, size_t out_ld, fm_sums *t, const field_run *run,
                               adass_type type, const uint32_t *ids, size_t ids_ld, size_t first,
                               size_t samples, size_t later, size_t size)
{
    const size_t vectors = (size + VW - 1) / VW;
    VF sum[FM_REGISTERS], squares[FIELDS_TILE];
    for (size_t s = 0; s < samples; s++) {
        squares[s] = t->squares[first + s];
        for (size_t v = 0; v < vectors; v++)
            sum[s * vectors + v] = t->sum[first + s][v];
    }
    const field_run r = *run;
    for (const adass_field_view *f = r.fields; f < r.fields + r.n; f++) {
        const uint32_t *id = ids + first * ids_ld + f->column;
        float *to = out == NULL ? NULL : out + first * out_ld + f->offset;
        for (size_t s = 0; s < samples; s++) {
            if (later > 0)
                row_prefetch(field_row(f, &r, id[s * ids_ld + later]), slice_bytes(type, size),
                             r.straddles);
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
    for (size_t s = 0; s < samples; s++) {
        t->squares[first + s] = squares[s];
        for (size_t v = 0; v < vectors; v++)
            t->sum[first + s][v] = sum[s * vectors + v];
    }
}

/* The same for any size, sums in memory. */
ADASS_INLINE void run_fm_any(float *out, size_t out_ld, fm_sums *t, const field_run *run,
                             adass_type type, const uint32_t *ids, size_t ids_ld, size_t samples,
                             size_t later, size_t size)
{
    for (size_t i = 0; i < run->n; i++) {
        const adass_field_view *f = &run->fields[i];
        for (size_t s = 0; s < samples; s++) {
            const uint32_t *id = ids + s * ids_ld + f->column;
            if (later > 0)
                row_prefetch(field_row(f, run, id[later]), slice_bytes(type, size), run->straddles);
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
                         size_t later, size_t size)
{
    const size_t vectors = (size + VW - 1) / VW;
    const size_t fit = vectors > 0 ? FM_REGISTERS / vectors : 0;
    const size_t group = fit < samples ? fit : samples;
    if (!__builtin_constant_p(size) || group == 0)
        run_fm_any(out, out_ld, t, run, type, ids, ids_ld, samples, later, size);
    else
        for (size_t first = 0; first < samples; first += group)
            run_fm_group(out, out_ld, t, run, type, ids, ids_ld, first, group, later, size);
}

#define RUN_FM_SIZE(size) run_fm(out, out_ld, t, run, type, ids, ids_ld, samples, later, size)

ADASS_INLINE void run_fm_typed(float *out, size_t out_ld, fm_sums *t, const field_run *run,
                               adass_type type, const uint32_t *ids, size_t ids_ld, size_t samples,
                               size_t later)
{
    ADASS_WITH_SIZE(run->fields->size, RUN_FM_SIZE)
}

#define RUN_FM_TYPE(type) run_fm_typed(out, out_ld, &t, &run, type, ids, ids_ld, samples, later)

/* All of some samples, a constant. */
ADASS_INLINE void fields_fm(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                            const adass_field_view *fields, size_t n_fields, size_t largest,
                            const uint32_t *ids, size_t ids_ld, size_t samples, size_t later)
{
    fm_sums t;
    for (size_t s = 0; s < samples; s++) {
        t.squares[s] = v_zero();
        for (size_t v = 0; v * VW < largest; v++)
            t.sum[s][v] = v_zero();
    }
    for (size_t f = 0; f < n_fields;) {
        const field_run run = field_run_of(fields + f, n_fields - f);
        ADASS_WITH_TYPE(run.fields->type, RUN_FM_TYPE)
        f += run.n;
    }
    for (size_t s = 0; s < samples; s++) {
        VF total = v_sub(v_zero(), t.squares[s]);
        for (size_t k = 0, v = 0; k < largest; k += VW, v++) {
            v_storen(sums + s * sums_ld + k, t.sum[s][v], largest - k);
            total = v_add(total, v_mul(t.sum[s][v], t.sum[s][v]));
        }
        y[s] += 0.5f * v_sum(total);
    }
}

static void ADASS_FN(lookup_fm)(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                                const adass_field_view *fields, size_t n_fields,
                                const uint32_t *ids, size_t ids_ld, size_t n)
{
    const size_t largest = fields_largest(fields, n_fields), ahead = fields_ahead(n_fields);
    fields_prefetch(fields, n_fields, ids, ids_ld, n < ahead ? n : ahead);
    size_t b = 0;
    for (; b + FIELDS_TILE <= n; b += FIELDS_TILE)
        fields_fm(y + b, sums + b * sums_ld, sums_ld, out == NULL ? NULL : out + b * out_ld, out_ld,
                  fields, n_fields, largest, ids + b * ids_ld, ids_ld, FIELDS_TILE,
                  b + FIELDS_TILE + ahead <= n ? ahead * ids_ld : 0);
    for (; b < n; b++)
        fields_fm(y + b, sums + b * sums_ld, sums_ld, out == NULL ? NULL : out + b * out_ld, out_ld,
                  fields, n_fields, largest, ids + b * ids_ld, ids_ld, 1, 0);
}
