/* Groups equal ids by a small hash table, so that the work does not depend on the vocabulary. */
#include "adass/kernels.h"
#include "adass/rng.h"

#include <string.h>

enum { EMPTY = 0 }; /* a slot holds the place in `unique` plus 1 */

size_t adass_dedup_slots(size_t n)
{
    size_t slots = 16;
    while (slots < 2 * n)
        slots *= 2;
    return slots;
}

size_t adass_dedup_ids(uint32_t *unique, uint32_t *group, const uint32_t *ids, size_t ids_ld,
                       size_t n, uint32_t *slots)
{
    const size_t n_slots = adass_dedup_slots(n), mask = n_slots - 1;
    memset(slots, EMPTY, n_slots * sizeof *slots);
    uint32_t n_unique = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = ids[i * ids_ld];
        size_t s = adass_mix32(id) & mask;
        while (slots[s] != EMPTY && unique[slots[s] - 1] != id)
            s = (s + 1) & mask;
        if (slots[s] == EMPTY) {
            unique[n_unique] = id;
            slots[s] = ++n_unique;
        }
        group[i] = slots[s] - 1;
    }
    return n_unique;
}
