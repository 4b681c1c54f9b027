/* column_sums: the gradient of a bias. Included once for each ISA. */
#include "columns.tpl.h"

static void ADASS_FN(column_sums)(float *out, const float *x, size_t x_ld, size_t rows, size_t cols)
{
    columns_add(out, x, x_ld, rows, cols, false);
}
