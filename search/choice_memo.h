/* Numbers the assignments that it has seen: an open-addressing table over a list. */
#ifndef ADASS_CHOICE_MEMO_H
#define ADASS_CHOICE_MEMO_H

#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

typedef struct adass_choice_memo {
    size_t n_fields;
    size_t n, capacity;     /* assignments, and room for them */
    uint8_t *choices;       /* [capacity x n_fields] */
    size_t *slots, n_slots; /* number + 1, or 0; n_slots is a power of two */
} adass_choice_memo;

/** An empty one, with room for a thousand. ADASS_OK or ADASS_ENOMEM; to be freed on errors too. */
adass_status adass_choice_memo_init(adass_choice_memo *memo, size_t n_fields, adass_error *err);

/** All members are 0 afterwards. */
void adass_choice_memo_free(adass_choice_memo *memo);

/** The number of choice[n_fields], or memo->n. */
size_t adass_choice_memo_find(const adass_choice_memo *memo, const uint8_t *choice);

/** Enters choice[n_fields], which it has not, as number memo->n. ADASS_OK or ADASS_ENOMEM. */
adass_status adass_choice_memo_add(adass_choice_memo *memo, const uint8_t *choice,
                                   adass_error *err);

/** Room for `capacity` assignments at least. ADASS_OK or ADASS_ENOMEM. */
adass_status adass_choice_memo_reserve(adass_choice_memo *memo, size_t capacity, adass_error *err);

/** To be called when others have filled choices[n x n_fields]. */
void adass_choice_memo_refill(adass_choice_memo *memo);

#endif
