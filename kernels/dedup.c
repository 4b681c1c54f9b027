/* Groups equal ids: by a small hash table, so that the work does not depend on the vocabulary, unless that is small. */
#include "adass/kernels.h"

#include <string.h>

enum { EMPTY = 0 }; /* a slot holds the place in `unique` plus 1 */

/*
 * Multiplicative hashing (Knuth, TAOCP 3, 6.4): 2^32 / the golden ratio. Ids that lie side by side, as frequent ones do
 * in a vocabulary sorted by frequency, get slots far from one another, so that fewer meet than by a random hash.
 */
static const uint32_t GOLDEN = 2654435769u;

size_t adass_dedup_slots(size_t n)
{
    size_t slots = 16;
    while (slots < 2 * n)
        slots *= 2;
    return slots;
}

/*
 * A slot for each id there can be, which holds its place in `unique`, or the largest number. "New" is no branch here
 * either.
 */
static size_t dedup_direct(uint32_t *unique, uint32_t *group, const uint32_t *ids, size_t ids_ld,
                           size_t n, uint32_t *slots, size_t vocab)
{
    memset(slots, 0xff, vocab * sizeof *slots);
    uint32_t n_unique = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = ids[i * ids_ld], slot = slots[id];
        const uint32_t place = slot < n_unique ? slot : n_unique;
        unique[n_unique] = id;
        slots[id] = place;
        group[i] = place;
        n_unique += slot >= n_unique;
    }
    return n_unique;
}

/*
 * Where a slot sends an id: to the place noted, or to the next new one. The id is written there first, so that
 * "new" and "found" are no branch, which a CPU could not foresee.
 */
static inline uint32_t place_of(uint32_t slot, uint32_t n_unique)
{
    return slot == EMPTY ? n_unique : slot - 1;
}

size_t adass_dedup_ids(uint32_t *unique, uint32_t *group, const uint32_t *ids, size_t ids_ld,
                       size_t n, size_t vocab, uint32_t *slots)
{
    const size_t n_slots = adass_dedup_slots(n), mask = n_slots - 1;
    if (vocab <= n_slots)
        return dedup_direct(unique, group, ids, ids_ld, n, slots, vocab);
    const int shift =
        32 - __builtin_ctzll(n_slots); /* a power of two: the upper bits decide the slot */
    memset(slots, EMPTY, n_slots * sizeof *slots);
    uint32_t n_unique = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = ids[i * ids_ld];
        size_t s = (id * GOLDEN) >> shift;
        uint32_t place = place_of(slots[s], n_unique);
        unique[n_unique] = id;
        while (unique[place] != id) {
            s = (s + 1) & mask;
            place = place_of(slots[s], n_unique);
        }
        slots[s] = place + 1;
        group[i] = place;
        n_unique = place + 1 > n_unique ? place + 1 : n_unique;
    }
    return n_unique;
}
