/* copy_ids: samples' ids, checked on the way. Included once for each ISA. */
#include "adass/kernels.h"

/*
 * At most eight lanes: of a row of 156 bytes, which begins anywhere in a line, every vector of a line's length would lie in
 * two of them.
 */
enum { COPY_LANES = VW < 8 ? VW : 8 };

/* Lanes other than 0 of the result are those of ids above their last one. */
static inline VU copy_ids_part(uint32_t *out, const uint32_t *ids, const uint32_t *last,
                               size_t lanes)
{
    const VU x = u_loadn(ids, lanes), limit = u_loadn(last, lanes);
    u_storen(out, x, lanes);
    return u_xor(u_max(x, limit), limit);
}

static inline bool copy_ids_sample(uint32_t *out, const uint32_t *ids, const uint32_t *last,
                                   size_t n_fields)
{
    VU above = u_set1(0);
    size_t f = 0;
    for (; f + COPY_LANES <= n_fields; f += COPY_LANES)
        above = u_max(above, copy_ids_part(out + f, ids + f, last + f, COPY_LANES));
    if (f < n_fields && f > 0) { /* a whole vector that begins earlier instead of a part of one */
        f = n_fields - COPY_LANES;
        above = u_max(above, copy_ids_part(out + f, ids + f, last + f, COPY_LANES));
    } else if (f < n_fields) {
        above = u_max(above, copy_ids_part(out, ids, last, n_fields));
    }
    return !u_any(above);
}

static size_t ADASS_FN(copy_ids)(uint32_t *out, const uint32_t *const *ids, size_t n,
                                 const uint32_t *last, size_t n_fields)
{
    for (size_t i = 0; i < n; i++)
        if (!copy_ids_sample(out + i * n_fields, ids[i], last, n_fields))
            return i;
    return n;
}
