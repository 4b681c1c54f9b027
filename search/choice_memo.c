/* The numbers of assignments. */
#include "choice_memo.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { CAPACITY_AT_FIRST = 1024 };

/* The slot of an assignment: its own, or the empty one that it would get. */
static size_t slot_of(const adass_choice_memo *m, const uint8_t *choice)
{
    size_t at = XXH3_64bits(choice, m->n_fields) & (m->n_slots - 1);
    while (m->slots[at] != 0 &&
           memcmp(m->choices + (m->slots[at] - 1) * m->n_fields, choice, m->n_fields) != 0)
        at = (at + 1) & (m->n_slots - 1);
    return at;
}

void adass_choice_memo_refill(adass_choice_memo *memo)
{
    memset(memo->slots, 0, memo->n_slots * sizeof *memo->slots);
    for (size_t i = 0; i < memo->n; i++)
        memo->slots[slot_of(memo, memo->choices + i * memo->n_fields)] = i + 1;
}

/* With the table at most half full. */
adass_status adass_choice_memo_reserve(adass_choice_memo *memo, size_t capacity, adass_error *err)
{
    size_t rounded = memo->capacity > 0 ? memo->capacity : CAPACITY_AT_FIRST;
    while (rounded < capacity)
        rounded *= 2;
    if (rounded == memo->capacity)
        return ADASS_OK;
    uint8_t *choices = realloc(memo->choices, rounded * memo->n_fields);
    if (choices != NULL)
        memo->choices = choices;
    size_t *slots = malloc(2 * rounded * sizeof *slots);
    if (choices == NULL || slots == NULL) {
        free(slots);
        return adass_fail_memory(err, "the assignments seen", (double)rounded * 32.0);
    }
    free(memo->slots);
    memo->slots = slots;
    memo->n_slots = 2 * rounded;
    memo->capacity = rounded;
    adass_choice_memo_refill(memo);
    return ADASS_OK;
}

adass_status adass_choice_memo_init(adass_choice_memo *memo, size_t n_fields, adass_error *err)
{
    *memo = (adass_choice_memo){ .n_fields = n_fields };
    return adass_choice_memo_reserve(memo, 1, err);
}

void adass_choice_memo_free(adass_choice_memo *memo)
{
    free(memo->choices);
    free(memo->slots);
    *memo = (adass_choice_memo){ 0 };
}

size_t adass_choice_memo_find(const adass_choice_memo *memo, const uint8_t *choice)
{
    const size_t entry = memo->slots[slot_of(memo, choice)];
    return entry > 0 ? entry - 1 : memo->n;
}

adass_status adass_choice_memo_add(adass_choice_memo *memo, const uint8_t *choice, adass_error *err)
{
    const adass_status status = adass_choice_memo_reserve(memo, memo->n + 1, err);
    if (status != ADASS_OK)
        return status;
    memcpy(memo->choices + memo->n * memo->n_fields, choice, memo->n_fields);
    memo->slots[slot_of(memo, choice)] = memo->n + 1;
    memo->n++;
    return ADASS_OK;
}
