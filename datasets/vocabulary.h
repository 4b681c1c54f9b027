/*
 * Vocabulary of one field: which ids its values get. Values come as small numbers (of a dictionary,
 * or an hour); those of the training split get ids from 1 on by falling frequency there, ties in
 * the order of first occurrence in the file; all others get ADASS_OOV.
 */
#ifndef ADASS_VOCABULARY_H
#define ADASS_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

enum { ADASS_OOV = 0 };

/** To be initialised with zeros. */
typedef struct adass_vocabulary {
    struct adass_vocabulary_value *values; /* while counting */
    uint32_t *ids;                         /* [n], afterwards */
    size_t n, capacity;
    size_t vocab; /* number of ids, OOV included; 0 while counting */
} adass_vocabulary;

/** Counts one occurrence. */
adass_status adass_vocabulary_count(adass_vocabulary *v, uint32_t value, uint64_t row,
                                    bool in_training, adass_error *err);

/** Gives out the ids. */
adass_status adass_vocabulary_finish(adass_vocabulary *v, adass_error *err);

/** The id of a value, after adass_vocabulary_finish(). */
static inline uint32_t adass_vocabulary_id(const adass_vocabulary *v, uint32_t value)
{
    return value < v->n ? v->ids[value] : (uint32_t)ADASS_OOV;
}

void adass_vocabulary_free(adass_vocabulary *v);

#endif
