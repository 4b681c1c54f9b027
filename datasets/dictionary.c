/* Texts to numbers, by open addressing. */
#include "dictionary.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_SLOTS = 64 };

#define HASH_BITS UINT64_C(0xffffffff00000000)

static bool holds(const adass_dictionary *d, uint32_t number, const char *text, size_t length)
{
    const size_t begin = number > 0 ? d->ends[number - 1] : 0;
    return d->ends[number] - begin == length && memcmp(d->texts + begin, text, length) == 0;
}

/* Where the text is, or the free slot where it would be. There is always a free one. */
static size_t probe(const adass_dictionary *d, uint64_t hash, const char *text, size_t length)
{
    size_t i = (size_t)hash & (d->n_slots - 1);
    for (; d->slots[i] != 0; i = (i + 1) & (d->n_slots - 1))
        if (((d->slots[i] ^ hash) & HASH_BITS) == 0 &&
            holds(d, (uint32_t)d->slots[i] - 1, text, length))
            break;
    return i;
}

bool adass_dictionary_find(const adass_dictionary *d, const char *text, size_t length,
                           uint32_t *number)
{
    if (d->n == 0)
        return false;
    const uint64_t slot = d->slots[probe(d, XXH3_64bits(text, length), text, length)];
    *number = (uint32_t)slot - 1;
    return slot != 0;
}

/* Twice the slots; every text is hashed again, since a slot keeps half of the hash only. */
static adass_status grow_slots(adass_dictionary *d, adass_error *err)
{
    const size_t n_slots = d->n_slots > 0 ? d->n_slots * 2 : FIRST_SLOTS;
    uint64_t *slots = calloc(n_slots, sizeof *slots);
    if (slots == NULL)
        return adass_fail_memory(err, "a dictionary", (double)n_slots * sizeof *slots);
    free(d->slots);
    d->slots = slots;
    d->n_slots = n_slots;
    for (uint32_t k = 0; k < d->n; k++) {
        const size_t begin = k > 0 ? d->ends[k - 1] : 0;
        const uint64_t hash = XXH3_64bits(d->texts + begin, d->ends[k] - begin);
        size_t i = (size_t)hash & (n_slots - 1);
        while (slots[i] != 0)
            i = (i + 1) & (n_slots - 1);
        slots[i] = (hash & HASH_BITS) | (k + 1);
    }
    return ADASS_OK;
}

static adass_status reserve(adass_dictionary *d, size_t length, adass_error *err)
{
    const size_t used = d->n > 0 ? d->ends[d->n - 1] : 0;
    if (d->n == d->ends_capacity) {
        const size_t capacity = d->ends_capacity * 2 + FIRST_SLOTS;
        size_t *ends = realloc(d->ends, capacity * sizeof *ends);
        if (ends == NULL)
            return adass_fail_memory(err, "a dictionary", (double)capacity * sizeof *ends);
        d->ends = ends;
        d->ends_capacity = capacity;
    }
    if (d->texts_capacity - used <= length) { /* <=: never NULL, even for the empty text */
        const size_t capacity = d->texts_capacity * 2 + length + 1;
        char *texts = realloc(d->texts, capacity);
        if (texts == NULL)
            return adass_fail_memory(err, "a dictionary", (double)capacity);
        d->texts = texts;
        d->texts_capacity = capacity;
    }
    return ADASS_OK;
}

adass_status adass_dictionary_add(adass_dictionary *d, const char *text, size_t length,
                                  uint32_t *number, adass_error *err)
{
    if (adass_dictionary_find(d, text, length, number))
        return ADASS_OK;
    if (d->n == UINT32_MAX - 1)
        return adass_fail(err, ADASS_EFORMAT, "a column has more than %u different values", d->n);
    adass_status status = reserve(d, length, err);
    if (status == ADASS_OK && d->n >= d->n_slots / 2)
        status = grow_slots(d, err);
    if (status != ADASS_OK)
        return status;
    const size_t used = d->n > 0 ? d->ends[d->n - 1] : 0;
    const uint64_t hash = XXH3_64bits(text, length);
    d->slots[probe(d, hash, text, length)] = (hash & HASH_BITS) | (d->n + 1);
    memcpy(d->texts + used, text, length);
    d->ends[d->n] = used + length;
    *number = d->n++;
    return ADASS_OK;
}

void adass_dictionary_free(adass_dictionary *d)
{
    free(d->ends);
    free(d->texts);
    free(d->slots);
    *d = (adass_dictionary){ 0 };
}
