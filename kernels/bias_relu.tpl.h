/* bias_relu: the end of a dense layer. Included once for each ISA. */
#include "adass/kernels.h"

static inline void bias_relu_part(float *y, const float *bias, size_t lanes, bool relu)
{
    const VF a = v_add(v_loadn(y, lanes), v_loadn(bias, lanes));
    v_storen(y, relu ? v_max(a, v_zero()) : a, lanes);
}

static void ADASS_FN(bias_relu)(float *y, size_t ld, const float *bias, size_t rows, size_t cols,
                                bool relu)
{
    for (size_t r = 0; r < rows; r++) {
        float *row = y + r * ld;
        size_t c = 0;
        for (; c + VW <= cols; c += VW)
            bias_relu_part(row + c, bias + c, VW, relu);
        if (c < cols)
            bias_relu_part(row + c, bias + c, cols - c, relu);
    }
}
