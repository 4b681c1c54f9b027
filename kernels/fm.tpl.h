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

typedef struct fm_tile {
    VF sum[FM_TILE], squares[FM_TILE]; /* over the fields, of the columns at hand */
    VF total[FM_TILE];                 /* over the columns before: of sum^2 - squares */
} fm_tile;

ADASS_INLINE void fm_tile_add(fm_tile *t, size_t sample, VF x)
{
    t->sum[sample] = v_add(t->sum[sample], x);
    t->squares[sample] = v_fma(x, x, t->squares[sample]);
}

/* Ends columns [k, k + VW). */
ADASS_INLINE void fm_tile_store(fm_tile *t, size_t samples, float *sums, size_t sums_ld,
                                size_t lanes)
{
    for (size_t s = 0; s < samples; s++) {
        v_storen(sums + s * sums_ld, t->sum[s], lanes);
        t->total[s] = v_add(t->total[s], v_sub(v_mul(t->sum[s], t->sum[s]), t->squares[s]));
        t->sum[s] = t->squares[s] = v_zero();
    }
}

ADASS_INLINE void fm_tile_end(const fm_tile *t, size_t samples, float *y)
{
    for (size_t s = 0; s < samples; s++)
        y[s] += 0.5f * v_sum(t->total[s]);
}

ADASS_INLINE void fm_tile_begin(fm_tile *t, size_t samples)
{
    for (size_t s = 0; s < samples; s++)
        t->squares[s] = t->total[s] = t->sum[s] = v_zero();
}

static inline size_t fields_largest(const adass_field_view *fields, size_t n_fields)
{
    size_t largest = 0;
    for (size_t f = 0; f < n_fields; f++)
        largest = fields[f].size > largest ? fields[f].size : largest;
    return largest;
}

#endif
