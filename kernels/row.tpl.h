/* Work on one row, shared by the kernels that move rows. Included after an ISA's vector layer. */
#ifndef ADASS_ROW_TPL_H
#define ADASS_ROW_TPL_H

#include "adass/kernels.h"

#include <string.h>

/* For bodies that are written once and compiled for each constant type or size handed to them. */
#define ADASS_INLINE static inline __attribute__((always_inline))

enum { LINE_BYTES = 64 };

/*
 * Rows between the one that is read and the one that is prefetched: size 4 gains a tenth from 64
 * instead of 32 (f32, pooling 1, 1e6 rows, Zen 3), size 16 at 16 takes a tenth longer than at 32
 * (Cascade Lake). A bare loop without prefetching takes 5 times as long there.
 */
ADASS_INLINE size_t rows_far(size_t bytes) { return bytes <= 32 ? 64 : 32; }

/*
 * Calls CALL(size) with the usual candidate sizes as constants, for which the loops over columns
 * unroll into registers.
 */
#define ADASS_WITH_SIZE(size, CALL)                                                                \
    switch (size) {                                                                                \
    case 2:                                                                                        \
        CALL(2);                                                                                   \
        break;                                                                                     \
    case 4:                                                                                        \
        CALL(4);                                                                                   \
        break;                                                                                     \
    case 8:                                                                                        \
        CALL(8);                                                                                   \
        break;                                                                                     \
    case 16:                                                                                       \
        CALL(16);                                                                                  \
        break;                                                                                     \
    case 32:                                                                                       \
        CALL(32);                                                                                  \
        break;                                                                                     \
    case 64:                                                                                       \
        CALL(64);                                                                                  \
        break;                                                                                     \
    case 128:                                                                                      \
        CALL(128);                                                                                 \
        break;                                                                                     \
    default:                                                                                       \
        CALL(size);                                                                                \
        break;                                                                                     \
    }

/* Calls CALL(type) with the type as a constant. */
#define ADASS_WITH_TYPE(type, CALL)                                                                \
    switch (type) {                                                                                \
    case ADASS_F32:                                                                                \
        CALL(ADASS_F32);                                                                           \
        break;                                                                                     \
    case ADASS_BF16:                                                                               \
        CALL(ADASS_BF16);                                                                          \
        break;                                                                                     \
    case ADASS_F16:                                                                                \
        CALL(ADASS_F16);                                                                           \
        break;                                                                                     \
    case ADASS_INT8:                                                                               \
        CALL(ADASS_INT8);                                                                          \
        break;                                                                                     \
    }

ADASS_INLINE size_t element_bytes(adass_type type)
{
    return type == ADASS_F32 ? sizeof(float) : type == ADASS_INT8 ? 1 : sizeof(uint16_t);
}

/* Bytes of the first `size` columns, with the scale in front of those of int8. */
ADASS_INLINE size_t slice_bytes(adass_type type, size_t size)
{
    return size * element_bytes(type) + (type == ADASS_INT8 ? sizeof(float) : 0);
}

/* A row being read: where its columns begin, and the factor of int8. */
typedef struct table_row {
    const char *columns;
    VF scale;
} table_row;

ADASS_INLINE table_row row_begin(const char *begin, adass_type type)
{
    if (type != ADASS_INT8)
        return (table_row){ begin, v_zero() };
    float scale; /* at any byte */
    memcpy(&scale, begin, sizeof scale);
    return (table_row){ begin + sizeof scale, v_set1(scale) };
}

ADASS_INLINE table_row row_at(const void *rows, size_t stride, adass_type type, size_t id)
{
    return row_begin((const char *)rows + id * (stride * element_bytes(type)), type);
}

/* Columns [k, k + lanes) as floats. */
ADASS_INLINE VF row_load(table_row r, adass_type type, size_t k, size_t lanes)
{
    const char *p = r.columns + k * element_bytes(type);
    switch (type) {
    case ADASS_BF16:
        return v_loadn_bf16(p, lanes);
    case ADASS_F16:
        return v_loadn_f16(p, lanes);
    case ADASS_INT8:
        return v_mul(r.scale, v_loadn_i8(p, lanes));
    default:
        return v_loadn((const float *)(const void *)p, lanes);
    }
}

/*
 * Whether a row of `bytes` may touch one line more than bytes / 64 rounded up: rows begin at
 * multiples of the largest power of two in `rows` and `stride_bytes`.
 */
static inline bool rows_straddle(const void *rows, size_t stride_bytes, size_t bytes)
{
    const size_t begins = (size_t)(uintptr_t)rows | stride_bytes | LINE_BYTES;
    const size_t alignment = begins & (~begins + 1);
    return bytes > 0 && (bytes - 1) % LINE_BYTES >= alignment;
}

/* Brings all lines of the row into the cache. */
ADASS_INLINE void row_prefetch(const void *row, size_t bytes, bool straddles)
{
    for (size_t at = 0; at < bytes; at += LINE_BYTES)
        __builtin_prefetch((const char *)row + at);
    if (straddles)
        __builtin_prefetch((const char *)row + bytes - 1);
}

/*
 * Rows of more than two lines in two steps: far ahead the first line, near by all of them. A core
 * waits for about a dozen lines at a time, and a row far ahead should take few of them. Against every
 * second line far ahead, and near by four rows ahead, sizes 64 and 128 take .88 to 1.06 times as long
 * with pooling 20, mostly less (Cascade Lake, from the second-level cache to memory).
 */
ADASS_INLINE void row_prefetch_steps(const char *far, const char *near, size_t bytes,
                                     bool straddles)
{
    if (bytes <= 2 * LINE_BYTES) {
        row_prefetch(far, bytes, straddles);
        return;
    }
    __builtin_prefetch(far);
    row_prefetch(near, bytes, straddles);
}

/* Rows ahead of the near step. */
enum { ROWS_NEAR = 8 };

ADASS_INLINE void row_copy(float *out, table_row r, adass_type type, size_t size)
{
    size_t k = 0;
    for (; k + VW <= size; k += VW)
        v_store(out + k, row_load(r, type, k, VW));
    if (k < size)
        v_storen(out + k, row_load(r, type, k, size - k), size - k);
}

/* out[k] = x, k < n. */
ADASS_INLINE void run_fill(float *out, float x, size_t n)
{
    for (size_t k = 0; k < n; k += VW)
        v_storen(out + k, v_set1(x), n - k < VW ? n - k : VW);
}

/* out[k] += x[k], k < n. */
ADASS_INLINE void run_add(float *out, const float *x, size_t n)
{
    size_t k = 0;
    for (; k + VW <= n; k += VW)
        v_store(out + k, v_add(v_load(out + k), v_load(x + k)));
    if (k < n)
        v_storen(out + k, v_add(v_loadn(out + k, n - k), v_loadn(x + k, n - k)), n - k);
}

#endif
