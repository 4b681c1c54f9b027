/* linear_forward: first-order term. Included once for each ISA. */
#include "adass/kernels.h"

/*
 * VW samples side by side: fields are added in order in each lane, so that the bits do not
 * depend on VW.
 */
static inline void linear_part(float *y, const adass_field_view *fields, size_t n_fields,
                               const uint32_t *ids, size_t ids_ld)
{
    VF sum = v_load(y);
    float weights[VW];
    for (size_t f = 0; f < n_fields; f++) {
        const uint32_t *id = ids + fields[f].column;
        for (size_t i = 0; i < VW; i++)
            weights[i] = fields[f].linear[id[i * ids_ld] * fields[f].linear_stride];
        sum = v_add(sum, v_load(weights));
    }
    v_store(y, sum);
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
    for (; b + VW <= n; b += VW)
        linear_part(y + b, fields, n_fields, ids + b * ids_ld, ids_ld);
    for (; b < n; b++)
        y[b] = linear_one(y[b], fields, n_fields, ids + b * ids_ld);
}
