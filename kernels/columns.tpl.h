/* Sums over the rows of a matrix, shared by column_sums and column_squares. */
#ifndef ADASS_COLUMNS_TPL_H
#define ADASS_COLUMNS_TPL_H

#include "row.tpl.h"

#include <string.h>

/* Rows that are added for one load and store of the sums; one at a time took 1.4 times as long. */
enum { COLUMNS_ROWS = 4 };

/* A vector of columns of some rows, in their order. */
ADASS_INLINE void columns_part(float *out, const float *x, size_t x_ld, size_t rows, size_t lanes,
                               bool squares)
{
    VF sum = v_loadn(out, lanes);
    for (size_t r = 0; r < rows; r++) {
        const VF v = v_loadn(x + r * x_ld, lanes);
        sum = v_add(sum, squares ? v_mul(v, v) : v);
    }
    v_storen(out, sum, lanes);
}

ADASS_INLINE void columns_rows(float *out, const float *x, size_t x_ld, size_t rows, size_t cols,
                               bool squares)
{
    size_t c = 0;
    for (; c + VW <= cols; c += VW)
        columns_part(out + c, x + c, x_ld, rows, VW, squares);
    if (c < cols)
        columns_part(out + c, x + c, x_ld, rows, cols - c, squares);
}

/* out[c] = the sum over r of x[r, c], or of its square. */
ADASS_INLINE void columns_add(float *out, const float *x, size_t x_ld, size_t rows, size_t cols,
                              bool squares)
{
    memset(out, 0, cols * sizeof *out);
    size_t r = 0;
    for (; r + COLUMNS_ROWS <= rows; r += COLUMNS_ROWS)
        columns_rows(out, x + r * x_ld, x_ld, COLUMNS_ROWS, cols, squares);
    for (; r < rows; r++)
        columns_rows(out, x + r * x_ld, x_ld, 1, cols, squares);
}

#endif
