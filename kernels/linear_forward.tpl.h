/* linear_forward: first-order term. Included once for each ISA. */
#include "adass/kernels.h"

/*
 * Samples side by side, each with a sum in a register of its own, fields added in order. (Put together in memory
 * to whole vectors, the weights waited for the stores.)
 */
enum { LINEAR_TILE = 8 };

/* The weights of a field's ids in some samples, added to their sums. A constant stride of 1 spares a product each. */
#define LINEAR_ADD(stride)                                                                         \
    (s0 += linear[id[0] * (stride)], s1 += linear[id[ids_ld] * (stride)],                          \
     s2 += linear[id[2 * ids_ld] * (stride)], s3 += linear[id[3 * ids_ld] * (stride)],             \
     s4 += linear[id[4 * ids_ld] * (stride)], s5 += linear[id[5 * ids_ld] * (stride)],             \
     s6 += linear[id[6 * ids_ld] * (stride)], s7 += linear[id[7 * ids_ld] * (stride)])

static inline void linear_part(float *y, const adass_field_view *fields, size_t n_fields,
                               const uint32_t *ids, size_t ids_ld, size_t later)
{
    float s0 = y[0], s1 = y[1], s2 = y[2], s3 = y[3], s4 = y[4], s5 = y[5], s6 = y[6], s7 = y[7];
    for (size_t f = 0; f < n_fields; f++) {
        const uint32_t *id = ids + fields[f].column;
        const float *linear = fields[f].linear;
        if (later > 0)
            for (size_t t = 0; t < LINEAR_TILE; t++)
                __builtin_prefetch(linear + id[later + t * ids_ld] * fields[f].linear_stride);
        if (fields[f].linear_stride == 1)
            LINEAR_ADD(1);
        else
            LINEAR_ADD(fields[f].linear_stride);
    }
    y[0] = s0, y[1] = s1, y[2] = s2, y[3] = s3, y[4] = s4, y[5] = s5, y[6] = s6, y[7] = s7;
}

/* A sample that is left over. */
static inline float linear_one(float y, const adass_field_view *fields, size_t n_fields,
                               const uint32_t *ids)
{
    for (size_t f = 0; f < n_fields; f++)
        y += fields[f].linear[ids[fields[f].column] * fields[f].linear_stride];
    return y;
}

static void ADASS_FN(linear_forward)(float *y, const adass_field_view *fields, size_t n_fields,
                                     const uint32_t *ids, size_t ids_ld, size_t n)
{
    size_t b = 0;
    for (; b + LINEAR_TILE <= n; b += LINEAR_TILE)
        linear_part(y + b, fields, n_fields, ids + b * ids_ld, ids_ld,
                    b + 2 * LINEAR_TILE <= n ? LINEAR_TILE * ids_ld : 0);
    for (; b < n; b++)
        y[b] = linear_one(y[b], fields, n_fields, ids + b * ids_ld);
}
