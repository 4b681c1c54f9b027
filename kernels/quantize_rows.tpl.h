/* quantize_rows: floats to rows of a table of another type. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

#include <float.h>
#include <math.h>

/* The largest magnitude in a row, as bits: those of a NaN are above all others. */
static inline uint32_t largest_bits(const float *x, size_t size)
{
    VU most = u_set1(0); /* without the sign, which is shifted out */
    size_t k = 0;
    for (; k + VW <= size; k += VW)
        most = u_max(most, u_shl(u_bits(v_load(x + k)), 1));
    if (k < size)
        most = u_max(most, u_shl(u_bits(v_loadn(x + k, size - k)), 1));
    return u_largest(most) >> 1;
}

/* The scale of a row of int8: 0 for a row that is as good as 0, NaN for one that is not finite. */
static inline float int8_scale(const float *x, size_t size)
{
    enum { INFINITE_BITS = 0x7f800000, STEPS = 127 };
    const uint32_t bits = largest_bits(x, size);
    if (bits >= INFINITE_BITS)
        return NAN;
    float largest;
    memcpy(&largest, &bits, sizeof largest);
    const float scale = largest / STEPS;
    return scale < FLT_MIN ? 0.0f : scale;
}

static inline void quantize_int8(char *row, const float *x, size_t size)
{
    const float scale = int8_scale(x, size);
    memcpy(row, &scale, sizeof scale);
    row += sizeof scale;
    if (!(scale > 0.0f)) {
        memset(row, 0, size);
        return;
    }
    const VF inverse = v_set1(1.0f / scale);
    size_t k = 0;
    for (; k + VW <= size; k += VW)
        v_storen_i8(row + k, v_mul(v_load(x + k), inverse), VW);
    if (k < size)
        v_storen_i8(row + k, v_mul(v_loadn(x + k, size - k), inverse), size - k);
}

ADASS_INLINE void quantize_halves(char *row, adass_type type, const float *x, size_t lanes)
{
    if (type == ADASS_BF16)
        v_storen_bf16(row, v_loadn(x, lanes), lanes);
    else
        v_storen_f16(row, v_loadn(x, lanes), lanes);
}

ADASS_INLINE void quantize_row(char *row, adass_type type, const float *x, size_t size)
{
    if (type == ADASS_F32)
        memcpy(row, x, size * sizeof *x);
    else if (type == ADASS_INT8)
        quantize_int8(row, x, size);
    else {
        size_t k = 0;
        for (; k + VW <= size; k += VW)
            quantize_halves(row + k * sizeof(uint16_t), type, x + k, VW);
        if (k < size)
            quantize_halves(row + k * sizeof(uint16_t), type, x + k, size - k);
    }
}

#define QUANTIZE_TYPE(type)                                                                        \
    for (size_t i = 0; i < n; i++)                                                                 \
    quantize_row((char *)rows + i * (stride * element_bytes(type)), type, x + i * x_ld, size)

static void ADASS_FN(quantize_rows)(adass_type type, void *rows, size_t stride, const float *x,
                                    size_t x_ld, size_t n, size_t size)
{
    if (type != ADASS_INT8 && stride == size &&
        x_ld == size) { /* one row after the other: as one */
        size *= n;
        n = n > 0;
    }
    ADASS_WITH_TYPE(type, QUANTIZE_TYPE)
}
