/* Texts to numbers: 0, 1, 2, ... in the order of first occurrence. */
#ifndef ADASS_DICTIONARY_H
#define ADASS_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

/** To be initialised with zeros; holds up to 2^32 - 2 texts. */
typedef struct adass_dictionary {
    uint32_t n;   /* texts */
    size_t *ends; /* [n], of each text in `texts` */
    char *texts;  /* one behind the other */
    uint64_t *
        slots; /* [n_slots] open addressing: the hash's upper half, number + 1 in the lower; 0: free */
    size_t n_slots; /* a power of two */
    size_t ends_capacity, texts_capacity;
} adass_dictionary;

/**
 * The number of a text, which is added when it is new.
 *
 * @param number  out; it is the former `n` when the text is new
 */
adass_status adass_dictionary_add(adass_dictionary *d, const char *text, size_t length,
                                  uint32_t *number, adass_error *err);

/** The number of a text; false when it is not there. */
bool adass_dictionary_find(const adass_dictionary *d, const char *text, size_t length,
                           uint32_t *number);

void adass_dictionary_free(adass_dictionary *d);

#endif
