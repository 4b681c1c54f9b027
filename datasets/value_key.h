/*
 * What stands for the text of a value while a table is imported: 96 bits. Up to eight bytes they are the text itself,
 * in another order of bits, and its length; above, 95 bits of XXH3: two of n such values of a field share a key with a
 * probability of about n^2 / 2^96, which is 1.3e-13 for 10^8 values.
 */
#ifndef ADASS_VALUE_KEY_H
#define ADASS_VALUE_KEY_H

#define XXH_INLINE_ALL /* a call for each cell would cost as much as the hash */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

#include "adass/rng.h"

typedef struct adass_key {
    uint64_t low;
    uint32_t high; /* both 0: no value */
} adass_key;

static inline uint32_t adass_load_32(const char *text)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

/* A number that no other text of the same length, up to 8, has. */
static inline uint64_t adass_short_word(const char *text, size_t length)
{
    if (length >= 4) /* the two overlap where there are less than 8 bytes */
        return adass_load_32(text) | (uint64_t)adass_load_32(text + length - 4) << 32;
    const unsigned char *bytes = (const unsigned char *)text;
    return length == 0
               ? 0
               : bytes[0] | (uint64_t)bytes[length / 2] << 8 | (uint64_t)bytes[length - 1] << 16;
}

/* Most values of the field's tables are short, and a bijection costs less than the hash of a text. */
static inline adass_key adass_key_of(const char *text, size_t length)
{
    if (length <= 8)
        return (adass_key){ adass_mix64(adass_short_word(text, length)), (uint32_t)length + 1 };
    const XXH128_hash_t hash = XXH3_128bits(text, length);
    return (adass_key){ hash.low64, (uint32_t)hash.high64 | UINT32_C(1) << 31 };
}

/* The key of a text, or none where there is no text. */
static inline adass_key adass_key_of_value(const char *text, size_t length)
{
    return text != NULL ? adass_key_of(text, length) : (adass_key){ 0, 0 };
}

static inline bool adass_key_is_none(adass_key key) { return key.high == 0; }

static inline bool adass_key_equal(adass_key a, adass_key b)
{
    return a.low == b.low && a.high == b.high;
}

#endif
