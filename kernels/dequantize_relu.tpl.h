/* dequantize_relu: the end of a dense layer of bytes. Included once for each ISA. */
#include "adass/kernels.h"

static inline void dequantize_relu_part(float *y, const int32_t *sums, VF row_scale,
                                        const float *col_scale, const float *bias, size_t lanes)
{
    const VF scale = v_mul(row_scale, v_loadn(col_scale, lanes));
    const VF a = v_add(v_mul(v_loadn_i32(sums, lanes), scale), v_loadn(bias, lanes));
    v_storen(y, v_max(a, v_zero()), lanes);
}

static void ADASS_FN(dequantize_relu)(float *y, size_t ld, const int32_t *sums,
                                      const float *row_scale, const float *col_scale,
                                      const float *bias, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        float *to = y + r * ld;
        const int32_t *from = sums + r * cols;
        const VF scale = v_set1(row_scale[r]);
        size_t c = 0;
        for (; c + VW <= cols; c += VW)
            dequantize_relu_part(to + c, from + c, scale, col_scale + c, bias + c, VW);
        if (c < cols)
            dequantize_relu_part(to + c, from + c, scale, col_scale + c, bias + c, cols - c);
    }
}
