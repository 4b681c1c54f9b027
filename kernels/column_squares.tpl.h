/* column_squares: squared gradient norms by column. Included once for each ISA. */
#include "adass/kernels.h"

#include <string.h>

static inline void column_squares_part(float *out, const float *x, size_t lanes)
{
    const VF v = v_loadn(x, lanes);
    v_storen(out, v_add(v_loadn(out, lanes), v_mul(v, v)), lanes);
}

static void ADASS_FN(column_squares)(float *out, const float *x, size_t x_ld, size_t rows,
                                     size_t cols)
{
    memset(out, 0, cols * sizeof *out);
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * x_ld;
        size_t c = 0;
        for (; c + VW <= cols; c += VW)
            column_squares_part(out + c, row + c, VW);
        if (c < cols)
            column_squares_part(out + c, row + c, cols - c);
    }
}
