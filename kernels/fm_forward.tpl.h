/* fm_forward: second-order term over mixed sizes. Included once for each ISA. */
#include "adass/kernels.h"
#include "fields.tpl.h"
#include "fm.tpl.h"

/* ---- columns in the outer loop: a vector of them over all fields, its sums in registers ---- */

ADASS_INLINE void fm_columns_add(fm_tile *t, const float *x, size_t x_ld, size_t samples,
                                 size_t lanes)
{
    for (size_t s = 0; s < samples; s++)
        fm_tile_add(t, s, v_loadn(x + s * x_ld, lanes));
}

/* The usual numbers of lanes as constants; size 4 takes .7 of the time of one branch a row by AVX2. */
ADASS_INLINE void fm_columns_part(fm_tile *t, const float *x, size_t x_ld, size_t samples,
                                  size_t lanes)
{
    if (lanes == 4)
        fm_columns_add(t, x, x_ld, samples, 4);
    else if (lanes == 2)
        fm_columns_add(t, x, x_ld, samples, 2);
    else if (lanes == 8 && VW > 8)
        fm_columns_add(t, x, x_ld, samples, 8);
    else
        fm_columns_add(t, x, x_ld, samples, lanes);
}

/* `samples` is a constant, at most FM_TILE; so it is below. */
ADASS_INLINE void fm_by_columns(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                                const adass_field_view *fields, size_t n_fields, size_t largest,
                                size_t samples)
{
    fm_tile t;
    fm_tile_begin(&t, samples);
    for (size_t k = 0; k < largest; k += VW) {
        for (size_t f = 0; f < n_fields; f++) {
            const float *from = x + fields[f].offset + k;
            if (fields[f].size >= k + VW)
                fm_columns_add(&t, from, x_ld, samples, VW);
            else if (fields[f].size > k)
                fm_columns_part(&t, from, x_ld, samples, fields[f].size - k);
        }
        fm_tile_store(&t, samples, sums + k, sums_ld, largest - k);
    }
    fm_tile_end(&t, samples, y);
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
 * Rows of several lines that follow one another are taken whole, field by field: column by column a
 * line's neighbours are gone when their turn comes. 39 fields of size 64, batch 16384, take 900
 * instead of 1300 ns a sample, batch 1024 460 instead of 550 (Cascade Lake, AVX-512; AVX2 940 and
 * 1370, 450 and 620); 2 to 64 in rising order .75 to .9 of the time. Where sizes alternate, the sums
 * would go through memory at every field: 155 instead of 103 ns in the second-level cache.
 */
static inline bool fm_takes_fields(const adass_field_view *fields, size_t n_fields, size_t largest)
{
    size_t runs = 0;
    for (size_t f = 0; f < n_fields; f += fields_of_a_size(fields + f, n_fields - f))
        runs++;
    return largest * sizeof(float) > LINE_BYTES && 2 * runs <= n_fields;
}

#define FM_TILES(TILE)                                                                             \
    for (; b + FM_TILE <= n; b += FM_TILE)                                                         \
        TILE(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, fields, n_fields, largest,    \
             FM_TILE);                                                                             \
    for (; b < n; b++)                                                                             \
        TILE(y + b, sums + b * sums_ld, sums_ld, x + b * x_ld, x_ld, fields, n_fields, largest, 1);

static void ADASS_FN(fm_forward)(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                                 const adass_field_view *fields, size_t n_fields, size_t n)
{
    const size_t largest = fields_largest(fields, n_fields);
    size_t b = 0;
    if (fm_takes_fields(fields, n_fields, largest)) {
        FM_TILES(fm_by_fields)
    } else {
        FM_TILES(fm_by_columns)
    }
}
