/* Counting the values of a field and giving them ids. */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

struct adass_vocabulary_value {
    uint64_t count; /* in the training split */
    uint64_t first; /* row of the first occurrence in the file, plus 1; 0: none */
    uint32_t value;
};

typedef struct adass_vocabulary_value seen;

static adass_status reserve(adass_vocabulary *v, size_t n, adass_error *err)
{
    if (n <= v->capacity)
        return ADASS_OK;
    const size_t capacity = n * 2 + 64;
    seen *values = realloc(v->values, capacity * sizeof *values);
    if (values == NULL)
        return adass_fail_memory(err, "a vocabulary", (double)capacity * sizeof *values);
    memset(values + v->capacity, 0, (capacity - v->capacity) * sizeof *values);
    v->values = values;
    v->capacity = capacity;
    return ADASS_OK;
}

adass_status adass_vocabulary_count(adass_vocabulary *v, uint32_t value, uint64_t row,
                                    bool in_training, adass_error *err)
{
    if (value >= v->n) {
        const adass_status status = reserve(v, (size_t)value + 1, err);
        if (status != ADASS_OK)
            return status;
        v->n = (size_t)value + 1;
    }
    seen *s = &v->values[value];
    if (s->first == 0)
        *s = (seen){ .first = row + 1, .value = value };
    s->count += in_training;
    return ADASS_OK;
}

static int by_frequency(const void *a, const void *b)
{
    const seen *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

adass_status adass_vocabulary_finish(adass_vocabulary *v, adass_error *err)
{
    v->ids = calloc(v->n + 1, sizeof *v->ids); /* + 1: never NULL for nothing */
    if (v->ids == NULL)
        return adass_fail_memory(err, "a vocabulary", (double)v->n * sizeof *v->ids);
    if (v->n > 0)
        qsort(v->values, v->n, sizeof *v->values, by_frequency);
    v->vocab = 1;
    for (size_t i = 0; i < v->n && v->values[i].count > 0; i++)
        v->ids[v->values[i].value] = (uint32_t)v->vocab++;
    free(v->values);
    v->values = NULL;
    return ADASS_OK;
}

void adass_vocabulary_free(adass_vocabulary *v)
{
    free(v->values);
    free(v->ids);
    *v = (adass_vocabulary){ 0 };
}
