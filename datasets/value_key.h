/*
 * What stands for the text of a value while a table is imported: 128 bits of XXH3. Two of n values of
 * a field share a key with a probability of about n^2 / 2^129 while they are counted, and of n^2 / 2^97
 * where ids are looked up (id_tables.h keeps 96 bits): 6e-14 for 10^8 values.
 */
#ifndef ADASS_VALUE_KEY_H
#define ADASS_VALUE_KEY_H

#define XXH_INLINE_ALL /* a call for each cell would cost as much as the hash */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

typedef struct adass_key {
    uint64_t low, high; /* both 0: no value */
} adass_key;

static inline adass_key adass_key_of(const char *text, size_t length)
{
    const XXH128_hash_t hash = XXH3_128bits(text, length);
    return (adass_key){ hash.low64, hash.high64 };
}

static inline bool adass_key_is_none(adass_key key) { return (key.low | key.high) == 0; }

static inline bool adass_key_equal(adass_key a, adass_key b)
{
    return a.low == b.low && a.high == b.high;
}

#endif
