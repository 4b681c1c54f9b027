/* column_sums: the gradient of a bias. Included once for each ISA. */
#include "row.tpl.h"

#include "adass/kernels.h"

#include <string.h>

static void ADASS_FN(column_sums)(float *out, const float *x, size_t x_ld, size_t rows, size_t cols)
{
    memset(out, 0, cols * sizeof *out);
    for (size_t r = 0; r < rows; r++)
        run_add(out, x + r * x_ld, cols);
}
