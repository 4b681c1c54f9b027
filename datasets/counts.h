/*
 * How often each value of each vocabulary occurs: counted by many threads in tables of bounded memory, which
 * are written to a temporary file as sorted runs where the bound is reached, and merged at the end.
 *
 * A thread numbers the values of a vocabulary as it meets them. Unless something was written out, the numbers lead to
 * the ids at the end, so that nobody needs to look for a value twice.
 */
#ifndef ADASS_COUNTS_H
#define ADASS_COUNTS_H

#include "adass/status.h"
#include "value_key.h"

typedef struct adass_count {
    uint64_t low; /* the key's halves */
    uint32_t high;
    uint32_t number; /* from 1 on; 0: a free slot */
    uint64_t count;
    uint64_t first; /* place of the first occurrence that counts; no two values have the same */
} adass_count;

typedef struct adass_count_table {
    adass_count *slots; /* open addressing; their number is a power of two */
    size_t mask;
    size_t n, limit; /* values, and how many there may be before it grows */
    uint32_t *ids;   /* [n + 1] by number, once all is counted; 0 where a value was not kept */
} adass_count_table;

typedef struct adass_counts adass_counts;

/** What one thread counts in. */
typedef struct adass_counter {
    adass_counts *counts;
    adass_count_table *tables; /* [n_vocabularies] */
    size_t bytes;              /* of the tables */
    size_t largest;            /* slots of the largest table so far */
} adass_counter;

/** Bytes that the tables of a thread need at the least. */
size_t adass_counts_bytes_min(size_t n_vocabularies);

/**
 * @param bytes   bound of all tables, at least threads * adass_counts_bytes_min(); while runs are merged, half as much
 *                again is used
 * @param beside  where the temporary file is made, should it be needed
 */
adass_status adass_counts_open(adass_counts **out, size_t n_vocabularies, int threads, size_t bytes,
                               const char *beside, adass_error *err);

adass_counter *adass_counts_counter(adass_counts *counts, int thread);

/** Where the value is or would be; to be asked for some time before it is counted. */
static inline void adass_counter_prefetch(const adass_counter *c, size_t vocabulary, adass_key key)
{
    const adass_count_table *t = &c->tables[vocabulary];
    __builtin_prefetch(&t->slots[key.low & t->mask], 1);
}

/** Adds a value that is not there, with a count of 0; there may be no space for it yet. NULL: failed, see `status`. */
adass_count *adass_counter_insert(adass_counter *c, size_t vocabulary, adass_key key,
                                  adass_status *status, adass_error *err);

/** A value, for its occurrences to be counted, until the next call; NULL: failed, see `status`. */
static inline adass_count *adass_counter_find(adass_counter *c, size_t vocabulary, adass_key key,
                                              adass_status *status, adass_error *err)
{
    const adass_count_table *t = &c->tables[vocabulary];
    size_t i = (size_t)key.low & t->mask;
    for (; t->slots[i].number != 0; i = (i + 1) & t->mask)
        if (t->slots[i].low == key.low && t->slots[i].high == key.high)
            return &t->slots[i];
    return adass_counter_insert(c, vocabulary, key, status, err);
}

/** Counts one occurrence. */
static inline void adass_count_one(adass_count *value, uint64_t place)
{
    value->count++;
    if (place < value->first)
        value->first = place;
}

/** To be called when all is counted: writes out what could not be merged in memory. */
adass_status adass_counts_settle(adass_counts *counts, adass_error *err);

/** Whether the bound was reached, here or before: numbers mean nothing from then on. Any thread may ask. */
bool adass_counts_spilled(const adass_counts *counts);

/** What is done with the values of a vocabulary that are kept: [n], by falling count, then by first occurrence. */
typedef adass_status adass_counts_use(void *user, size_t vocabulary, adass_count *values, size_t n,
                                      adass_error *err);

/**
 * After adass_counts_settle(), hands over the values that occur at least `min_count` times: in any order of vocabularies, from several threads
 * when nothing was spilled, else one after the other. Frees the tables on the way; their `ids` remain when nothing was
 * spilled.
 *
 * @param names  [n_vocabularies], for messages
 * @return ADASS_OK, what `use` failed with, or ADASS_ENOMEM when the values of a single vocabulary do not fit
 *         the bound
 */
adass_status adass_counts_finish(adass_counts *counts, uint64_t min_count, const char *const *names,
                                 adass_counts_use *use, void *user, adass_error *err);

/** Accepts NULL. */
void adass_counts_close(adass_counts *counts);

#endif
