/*
 * The second-order term of a tile of samples, shared by fm_forward and lookup_fm. Included after a
 * vector layer.
 */
#ifndef ADASS_FM_TPL_H
#define ADASS_FM_TPL_H

#include "row.tpl.h"

/*
 * Samples side by side: the sum and the squares of each are a chain of dependent operations over
 * the fields, and one alone would wait for their latency.
 */
enum { FM_TILE = 4 };

enum { FM_VECTORS = (ADASS_SIZE_MAX + VW - 1) / VW };

/* Sums where rows are taken whole, in whole vectors, so that a load never spans two stores. */
typedef struct fm_sums {
    VF sum[FM_TILE][FM_VECTORS]; /* over the fields, by columns */
    VF squares[FM_TILE];         /* over fields and columns */
} fm_sums;

/* Sums that the registers hold beside what else is in use. */
enum { FM_REGISTERS = 8 };

/* Samples of a tile whose sums of rows of a constant size the registers hold; 0: not one. */
ADASS_INLINE size_t fm_group(size_t size, size_t samples)
{
    const size_t vectors = (size + VW - 1) / VW;
    const size_t fit = vectors > 0 ? FM_REGISTERS / vectors : 0;
    return fit < samples ? fit : samples;
}

ADASS_INLINE void fm_sums_begin(fm_sums *t, size_t samples, size_t largest)
{
    for (size_t s = 0; s < samples; s++) {
        t->squares[s] = v_zero();
        for (size_t v = 0; v * VW < largest; v++)
            t->sum[s][v] = v_zero();
    }
}

ADASS_INLINE void fm_sums_end(const fm_sums *t, size_t samples, size_t largest, float *y,
                              float *sums, size_t sums_ld)
{
    for (size_t s = 0; s < samples; s++) {
        VF total = v_sub(v_zero(), t->squares[s]);
        for (size_t k = 0, v = 0; k < largest; k += VW, v++) {
            v_storen(sums + s * sums_ld + k, t->sum[s][v], largest - k);
            total = v_add(total, v_mul(t->sum[s][v], t->sum[s][v]));
        }
        y[s] += 0.5f * v_sum(total);
    }
}

/* Registers of `samples` samples from sample `first` of the tile on, and back. */
ADASS_INLINE void fm_sums_load(VF *sum, VF *squares, const fm_sums *t, size_t first, size_t samples,
                               size_t vectors)
{
    for (size_t s = 0; s < samples; s++) {
        squares[s] = t->squares[first + s];
        for (size_t v = 0; v < vectors; v++)
            sum[s * vectors + v] = t->sum[first + s][v];
    }
}

ADASS_INLINE void fm_sums_store(fm_sums *t, const VF *sum, const VF *squares, size_t first,
                                size_t samples, size_t vectors)
{
    for (size_t s = 0; s < samples; s++) {
        t->squares[first + s] = squares[s];
        for (size_t v = 0; v < vectors; v++)
            t->sum[first + s][v] = sum[s * vectors + v];
    }
}

static inline size_t fields_largest(const adass_field_view *fields, size_t n_fields)
{
    size_t largest = 0;
    for (size_t f = 0; f < n_fields; f++)
        largest = fields[f].size > largest ? fields[f].size : largest;
    return largest;
}

#endif
