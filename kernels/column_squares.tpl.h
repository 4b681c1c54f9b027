/* column_squares: squared gradient norms by column. Included once for each ISA. */
#include "columns.tpl.h"

static void ADASS_FN(column_squares)(float *out, const float *x, size_t x_ld, size_t rows,
                                     size_t cols)
{
    columns_add(out, x, x_ld, rows, cols, true);
}
