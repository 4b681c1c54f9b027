/* fm_forward: second-order term over mixed sizes. Included once for each ISA. */
#include "adass/kernels.h"
#include "fields.tpl.h"
#include "fm.tpl.h"

/* ---- columns in the outer loop: a vector of them over all fields, its sums in registers ---- */

/* What a field has of columns [k, k + VW), and of those behind them. */
typedef struct fm_part {
    size_t offset; /* in the packed matrix */
    size_t left;   /* columns from k on, 1 or more */
} fm_part;

/* More than one field has: fields whose parts are more are taken in several passes. */
enum { FM_PARTS = 1024 };
_Static_assert((int)FM_PARTS >= (int)FM_VECTORS, "a pass takes a field at least");

/* The parts of some fields in the order of their columns, and fields in their order: made once a call. */
typedef struct fm_columns {
    size_t largest;         /* of all fields */
    bool begins, ends;      /* the first of all fields are here, the last */
    size_t end[FM_VECTORS]; /* parts up to those of columns [k, k + VW) at k / VW */
    fm_part parts[FM_PARTS];
} fm_columns;

/* Returns how many of the fields are taken. */
static inline size_t fm_columns_of(fm_columns *c, const adass_field_view *fields, size_t n_fields)
{
    size_t taken = 0, vectors = 0, n = 0;
    for (; taken < n_fields; taken++) {
        const adass_field_view *f = &fields[taken];
        vectors += (f->size + VW - 1) / VW;
        if (vectors > FM_PARTS)
            break;
        if (f->size > 0)
            c->parts[n++] = (fm_part){ f->offset, f->size };
    }
    size_t begin = 0;
    for (size_t k = 0; k < c->largest; k += VW) {
        const size_t end = n;
        for (; begin < end; begin++)
            if (c->parts[begin].left > VW)
                c->parts[n++] = (fm_part){ c->parts[begin].offset + VW, c->parts[begin].left - VW };
        c->end[k / VW] = end;
    }
    return taken;
}

ADASS_INLINE void fm_add(VF *sum, VF *squares, const float *x, size_t x_ld, size_t samples,
                         size_t lanes)
{
    for (size_t s = 0; s < samples; s++) {
        const VF a = v_once(v_loadn(x + s * x_ld, lanes));
        sum[s] = v_add(sum[s], a);
        squares[s] = v_fma(a, a, squares[s]);
    }
}

/* The usual numbers of lanes as constants; size 4 takes .7 of the time of one branch a row by AVX2. */
ADASS_INLINE void fm_add_part(VF *sum, VF *squares, const float *x, size_t x_ld, size_t samples,
                              size_t lanes)
{
    if (lanes >= VW)
        fm_add(sum, squares, x, x_ld, samples, VW);
    else if (lanes == 8)
        fm_add(sum, squares, x, x_ld, samples, 8);
    else if (lanes == 4)
        fm_add(sum, squares, x, x_ld, samples, 4);
    else if (lanes == 2)
        fm_add(sum, squares, x, x_ld, samples, 2);
    else
        fm_add(sum, squares, x, x_ld, samples, lanes);
}

/*
 * `samples` is a constant, at most FM_TILE; so it is below. `fetch`: the next tile is fetched while this one is
 * read, where a field's columns of a line begin the line that they end in, for the field before it asks for the
 * first.
 */
ADASS_INLINE void fm_by_columns(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                                const fm_columns *columns, size_t samples, bool fetch)
{
    VF squares[FM_TILE], total[FM_TILE];
    for (size_t s = 0; s < samples; s++)
        squares[s] = total[s] = v_zero();
    const fm_part *part = columns->parts;
    for (size_t k = 0; k < columns->largest; k += VW) {
        const size_t left = columns->largest - k;
        VF sum[FM_TILE];
        for (size_t s = 0; s < samples; s++)
            sum[s] = columns->begins ? v_zero() : v_loadn(sums + s * sums_ld + k, left);
        for (const fm_part *end = columns->parts + columns->end[k / VW]; part < end; part++) {
            const float *from = x + part->offset;
            for (size_t s = 0; fetch && k % LINE_FLOATS == 0 && s < samples; s++)
                __builtin_prefetch(from + (samples + s) * x_ld + LINE_FLOATS - 1);
            fm_add_part(sum, squares, from, x_ld, samples, part->left);
        }
        for (size_t s = 0; s < samples; s++) {
            v_storen(sums + s * sums_ld + k, sum[s], left);
            total[s] = v_fma(sum[s], sum[s], total[s]);
        }
    }
    for (size_t s = 0; s < samples; s++)
        y[s] += 0.5f * v_sum(v_sub(columns->ends ? total[s] : v_zero(), squares[s]));
}

/* ---- fields in the outer loop: runs of one size, whose rows are read in the order they lie ---- */

/* Samples and size are constants, and few enough that the sums stay in registers. */
ADASS_INLINE void fm_run_group(fm_sums *t, const float *x, size_t x_ld,
                               const adass_field_view *fields, size_t n, size_t first,
                               size_t samples, size_t size)
{
    const size_t vectors = (size + VW - 1) / VW;
    VF sum[FM_REGISTERS], squares[FM_TILE];
    fm_sums_load(sum, squares, t, first, samples, vectors);
    for (size_t f = 0; f < n; f++)
        for (size_t s = 0; s < samples; s++) {
            const float *from = x + (first + s) * x_ld + fields[f].offset;
            VF row_squares = v_zero();
            for (size_t v = 0; v < vectors; v++) {
                const size_t k = v * VW, lanes = size - k < VW ? size - k : VW;
                const VF a = v_once(v_loadn(from + k, lanes));
                sum[s * vectors + v] = v_add(sum[s * vectors + v], a);
                row_squares = v == 0 ? v_mul(a, a) : v_fma(a, a, row_squares);
            }
            squares[s] = v_add(squares[s], row_squares);
        }
    fm_sums_store(t, sum, squares, first, samples, vectors);
}

/* The same for any size, sums in memory. */
ADASS_INLINE void fm_run_any(fm_sums *t, const float *x, size_t x_ld,
                             const adass_field_view *fields, size_t n, size_t samples, size_t size)
{
    for (size_t f = 0; f < n; f++)
        for (size_t s = 0; s < samples; s++)
            for (size_t v = 0, k = 0; k < size; v++, k += VW) {
                const size_t lanes = size - k < VW ? size - k : VW;
                const VF a = v_loadn(x + s * x_ld + fields[f].offset + k, lanes);
                t->sum[s][v] = v_add(t->sum[s][v], a);
                t->squares[s] = v_fma(a, a, t->squares[s]);
            }
}

ADASS_INLINE void fm_run(fm_sums *t, const float *x, size_t x_ld, const adass_field_view *fields,
                         size_t n, size_t samples, size_t size)
{
    const size_t group = fm_group(size, samples);
    if (!__builtin_constant_p(size) || group == 0)
        fm_run_any(t, x, x_ld, fields, n, samples, size);
    else
        for (size_t first = 0; first < samples; first += group)
            fm_run_group(t, x, x_ld, fields, n, first, group, size);
}

#define FM_RUN(size) fm_run(&t, x, x_ld, fields + f, run, samples, size)

ADASS_INLINE void fm_by_fields(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                               const adass_field_view *fields, size_t n_fields, size_t largest,
                               size_t samples)
{
    fm_sums t;
    fm_sums_begin(&t, samples, largest);
    for (size_t f = 0, run; f < n_fields; f += run) {
        run = fields_of_a_size(fields + f, n_fields - f);
        ADASS_WITH_SIZE(fields[f].size, FM_RUN)
    }
    fm_sums_end(&t, samples, largest, y, sums, sums_ld);
}

/* ---- which of them ---- */

/*
 * Rows of several lines that follow one another are taken whole, field by field, where a tile and the next
 * do not fit into the first-level cache: column by column a line's neighbours are gone when their turn
 * comes. 39 fields of size 64, batch 16384, take 860 instead of 1270 ns a sample, batch 1024 440 instead
 * of 560 (Cascade Lake, AVX-512; AVX2 930 and 1350, 440 and 620). Where sizes alternate, the sums would
 * go through memory at every field.
 */
static inline bool fm_takes_fields(const adass_field_view *fields, size_t n_fields, size_t largest)
{
    return largest * sizeof(float) > LINE_BYTES && !fields_alternate(fields, n_fields);
}

static inline bool fm_two_tiles_fit(const adass_field_view *fields, size_t n_fields)
{
    enum { FIRST_LEVEL = 32 * 1024 };
    size_t floats = 0;
    for (size_t f = 0; f < n_fields; f++)
        floats += fields[f].size;
    return 2 * FM_TILE * floats * sizeof(float) <= FIRST_LEVEL;
}

ADASS_INLINE void fm_all_by_fields(float *y, float *sums, size_t sums_ld, const float *x,
                                   size_t x_ld, const adass_field_view *fields, size_t n_fields,
                                   size_t largest, size_t n)
{
    size_t b = 0;
    for (; b + FM_TILE <= n; b += FM_TILE)
        fm_by_fields(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, fields, n_fields,
                     largest, FM_TILE);
    for (; b < n; b++)
        fm_by_fields(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, fields, n_fields,
                     largest, 1);
}

/* Functions of their own, because lookup_fm sums by the first. */
static __attribute__((noinline)) void
ADASS_FN(fm_all_by_columns)(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                            const fm_columns *columns, size_t n)
{
    size_t b = 0;
    for (; b + FM_TILE <= n; b += FM_TILE)
        fm_by_columns(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, columns, FM_TILE,
                      false);
    for (; b < n; b++)
        fm_by_columns(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, columns, 1, false);
}

static __attribute__((noinline)) void
ADASS_FN(fm_tiles_fetched)(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                           const fm_columns *columns, size_t n)
{
    for (size_t b = 0; b + FM_TILE <= n; b += FM_TILE)
        fm_by_columns(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, columns, FM_TILE,
                      true);
}

static void ADASS_FN(fm_forward)(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                                 const adass_field_view *fields, size_t n_fields, size_t n)
{
    fm_columns columns;
    columns.largest = fields_largest(fields, n_fields);
    const bool fits = fm_two_tiles_fit(fields, n_fields);
    if (!fits && fm_takes_fields(fields, n_fields, columns.largest)) {
        fm_all_by_fields(y, sums, sums_ld, x, x_ld, fields, n_fields, columns.largest, n);
        return;
    }
    const size_t fetched =
        fits && n * x_ld * sizeof(float) > OUT_CACHED ? n / FM_TILE * FM_TILE : 0;
    for (size_t f = 0, taken; f < n_fields; f += taken) {
        taken = fm_columns_of(&columns, fields + f, n_fields - f);
        columns.begins = f == 0;
        columns.ends = f + taken == n_fields;
        ADASS_FN(fm_tiles_fetched)(y, sums, sums_ld, x, x_ld, &columns, fetched);
        ADASS_FN(fm_all_by_columns)
        (y + fetched, sums + fetched * sums_ld, sums_ld, x + fetched * x_ld, x_ld, &columns,
         n - fetched);
    }
}
