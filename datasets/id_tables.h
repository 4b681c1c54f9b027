/*
 * The ids of values: a table for each vocabulary. Where all tables together exceed the memory bound, they wait in a
 * temporary file, and are made for some of the vocabularies at a time.
 */
#ifndef ADASS_ID_TABLES_H
#define ADASS_ID_TABLES_H

#include "adass/status.h"
#include "value_key.h"

typedef struct adass_id_slot {
    uint64_t low;
    uint32_t high;
    uint32_t id; /* 0: a free slot */
} adass_id_slot;

typedef struct adass_id_table {
    adass_id_slot
        *slots; /* NULL while the table waits in the file; their number is a power of two */
    size_t mask;
    size_t n;        /* values, whose ids are 1 to n */
    uint64_t offset; /* in the file */
} adass_id_table;

typedef struct adass_id_tables {
    size_t n;
    adass_id_table *tables; /* [n] */
    const char *const *names;
    size_t bound; /* bytes */
    bool waiting; /* in the file */
    struct adass_spool *spool;
} adass_id_tables;

/**
 * @param names    [n], of the vocabularies; borrowed
 * @param bytes    bound of the tables that are in memory at one time
 * @param waiting  all go to a temporary file, which is made beside `beside`
 * @param out      to be freed with adass_id_tables_free() also on error
 */
adass_status adass_id_tables_init(adass_id_tables *out, size_t n, const char *const *names,
                                  size_t bytes, bool waiting, const char *beside, adass_error *err);

/** Tells how many values a vocabulary has, where they will never be looked for. ADASS_EFORMAT for too many. */
adass_status adass_id_tables_set_size(adass_id_tables *t, size_t vocabulary, size_t n,
                                      adass_error *err);

/**
 * Gives a vocabulary its values: value i of those that next() tells gets id i + 1.
 *
 * @param next  key of value i
 */
adass_status adass_id_tables_set(adass_id_tables *t, size_t vocabulary, size_t n,
                                 adass_key (*next)(const void *values, size_t i),
                                 const void *values, adass_error *err);

/**
 * Brings the tables of vocabularies [begin, *end) into memory, as many as fit the bound, and takes others out. When they
 * do not wait in a file, all are there already.
 *
 * @return ADASS_OK, or ADASS_ENOMEM naming the field whose table alone does not fit
 */
adass_status adass_id_tables_load(adass_id_tables *t, size_t begin, size_t *end, adass_error *err);

static inline void adass_id_tables_prefetch(const adass_id_tables *t, size_t vocabulary,
                                            adass_key key)
{
    const adass_id_table *table = &t->tables[vocabulary];
    __builtin_prefetch(&table->slots[key.low & table->mask]);
}

/** The id of a value; 0 (ADASS_OOV) for one that is not there. */
static inline uint32_t adass_id_tables_find(const adass_id_tables *t, size_t vocabulary,
                                            adass_key key)
{
    const adass_id_table *table = &t->tables[vocabulary];
    size_t i = (size_t)key.low & table->mask;
    for (; table->slots[i].id != 0; i = (i + 1) & table->mask)
        if (table->slots[i].low == key.low && table->slots[i].high == key.high)
            return table->slots[i].id;
    return 0;
}

void adass_id_tables_free(adass_id_tables *t);

#endif
