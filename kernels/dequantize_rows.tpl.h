/* dequantize_rows: rows of a table as floats. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

#define DEQUANTIZE_TYPE(type)                                                                      \
    for (size_t i = 0; i < n; i++)                                                                 \
    row_copy(out + i * out_ld, row_at(rows, stride, type, i), type, size)

static void ADASS_FN(dequantize_rows)(float *out, size_t out_ld, adass_type type, const void *rows,
                                      size_t stride, size_t n, size_t size)
{
    ADASS_WITH_TYPE(type, DEQUANTIZE_TYPE)
}
