/* copy_ids: ids of a sample, checked on the way. Included once for each ISA. */
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

static bool ADASS_FN(copy_ids)(uint32_t *out, const uint32_t *ids, const uint32_t *last, size_t n)
{
    VU above = u_set1(0);
    size_t i = 0;
    for (; i + COPY_LANES <= n; i += COPY_LANES)
        above = u_max(above, copy_ids_part(out + i, ids + i, last + i, COPY_LANES));
    if (i < n &&
        n >= COPY_LANES) { /* a whole vector that begins earlier instead of a part of one */
        i = n - COPY_LANES;
        above = u_max(above, copy_ids_part(out + i, ids + i, last + i, COPY_LANES));
    } else if (i < n) {
        above = u_max(above, copy_ids_part(out, ids, last, n));
    }
    return !u_any(above);
}
