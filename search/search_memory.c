/* What was measured on one supernet, over its budgets. */
#include "search_memory.h"

#include "choice_memo.h"

#include <stdlib.h>

struct adass_search_memory {
    adass_search_memory_key key;
    adass_choice_memo subnets, finalists;
    adass_remembered_auc *aucs;         /* [subnets.capacity] */
    adass_remembered_finalist *trained; /* [finalists.capacity] */
};

adass_status adass_search_memory_create(adass_search_memory **out, adass_error *err)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? ADASS_OK : adass_fail_memory(err, "the search's memory", sizeof **out);
}

static void forget_finalists(adass_search_memory *memory)
{
    adass_choice_memo_free(&memory->finalists);
    free(memory->trained);
    memory->trained = NULL;
    memory->key.finalists_steps = 0;
}

static void forget(adass_search_memory *memory)
{
    forget_finalists(memory);
    adass_choice_memo_free(&memory->subnets);
    free(memory->aucs);
    *memory = (adass_search_memory){ 0 };
}

void adass_search_memory_destroy(adass_search_memory *memory)
{
    if (memory == NULL)
        return;
    forget(memory);
    free(memory);
}

static adass_status begin_finalists(adass_search_memory *memory, size_t steps, adass_error *err)
{
    if (steps == 0 || memory->key.finalists_steps == steps)
        return ADASS_OK;
    forget_finalists(memory);
    const adass_status status =
        adass_choice_memo_init(&memory->finalists, memory->key.n_fields, err);
    if (status == ADASS_OK)
        memory->key.finalists_steps = steps;
    return status;
}

adass_status adass_search_memory_begin(adass_search_memory *memory,
                                       const adass_search_memory_key *key, adass_error *err)
{
    adass_status status = ADASS_OK;
    if (memory->key.n_fields != key->n_fields || memory->key.eval_rows != key->eval_rows ||
        memory->key.seed != key->seed) {
        forget(memory);
        status = adass_choice_memo_init(&memory->subnets, key->n_fields, err);
        memory->key = *key;
        memory->key.finalists_steps = 0;
    }
    if (status == ADASS_OK)
        status = begin_finalists(memory, key->finalists_steps, err);
    if (status != ADASS_OK)
        forget(memory);
    return status;
}

const adass_remembered_auc *adass_search_memory_auc(const adass_search_memory *memory,
                                                    const uint8_t *choice)
{
    const size_t i = adass_choice_memo_find(&memory->subnets, choice);
    return i < memory->subnets.n ? &memory->aucs[i] : NULL;
}

/*
 * The place of choice[n_fields] in *values, a list of elements of `size` bytes beside the memo: its own, or
 * a new one at the end. SIZE_MAX when memory is short.
 */
static size_t place_of(adass_choice_memo *memo, const uint8_t *choice, void **values, size_t size)
{
    const size_t i = adass_choice_memo_find(memo, choice);
    if (i < memo->n)
        return i;
    if (adass_choice_memo_add(memo, choice, NULL) != ADASS_OK)
        return SIZE_MAX;
    void *more = realloc(*values, memo->capacity * size);
    if (more == NULL) {
        memo->n--; /* without a value it must not be found */
        adass_choice_memo_refill(memo);
        return SIZE_MAX;
    }
    *values = more;
    return i;
}

adass_status adass_search_memory_put_auc(adass_search_memory *memory, const uint8_t *choice,
                                         const adass_remembered_auc *remembered, adass_error *err)
{
    if (adass_search_memory_auc(memory, choice) != NULL)
        return ADASS_OK;
    void *values = memory->aucs;
    const size_t i = place_of(&memory->subnets, choice, &values, sizeof *memory->aucs);
    memory->aucs = values;
    if (i == SIZE_MAX)
        return adass_fail_memory(err, "the search's memory", (double)memory->subnets.n * 32.0);
    memory->aucs[i] = *remembered;
    return ADASS_OK;
}

const adass_remembered_finalist *adass_search_memory_finalist(const adass_search_memory *memory,
                                                              const uint8_t *choice)
{
    const size_t i = adass_choice_memo_find(&memory->finalists, choice);
    return i < memory->finalists.n ? &memory->trained[i] : NULL;
}

adass_status adass_search_memory_put_finalist(adass_search_memory *memory, const uint8_t *choice,
                                              const adass_remembered_finalist *remembered,
                                              adass_error *err)
{
    void *values = memory->trained;
    const size_t i = place_of(&memory->finalists, choice, &values, sizeof *memory->trained);
    memory->trained = values;
    if (i == SIZE_MAX)
        return adass_fail_memory(err, "the search's memory", (double)memory->finalists.n * 64.0);
    memory->trained[i] = *remembered;
    return ADASS_OK;
}
