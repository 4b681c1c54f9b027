/* Memo of subnet evaluations: an open-addressing table keyed by the assignment. */
#include "subnet_scores.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct adass_subnet_scores {
    const adass_model *model;
    adass_candidates candidates;
    adass_evaluator *evaluator;
    size_t *sizes;          /* [n_fields], work space */
    size_t n, capacity;     /* entries, and room for them */
    uint8_t *choices;       /* [capacity x n_fields] */
    double *aucs;           /* [capacity] */
    size_t *slots, n_slots; /* entry + 1, or 0; n_slots is a power of two */
};

/* Enters all entries into the empty slots. */
static void fill_slots(adass_subnet_scores *s)
{
    const size_t n_fields = s->model->n_fields;
    for (size_t i = 0; i < s->n; i++) {
        size_t at = XXH3_64bits(s->choices + i * n_fields, n_fields) & (s->n_slots - 1);
        while (s->slots[at] != 0)
            at = (at + 1) & (s->n_slots - 1);
        s->slots[at] = i + 1;
    }
}

/* Room for `capacity` entries, with the table at most half full. */
static adass_status grow(adass_subnet_scores *s, size_t capacity, adass_error *err)
{
    const size_t n_fields = s->model->n_fields, n_slots = 2 * capacity;
    uint8_t *choices = realloc(s->choices, capacity * n_fields);
    if (choices != NULL)
        s->choices = choices;
    double *aucs = realloc(s->aucs, capacity * sizeof *aucs);
    if (aucs != NULL)
        s->aucs = aucs;
    size_t *slots = calloc(n_slots, sizeof *slots);
    if (choices == NULL || aucs == NULL || slots == NULL) {
        free(slots);
        return adass_fail_memory(err, "the subnets' scores", (double)capacity * 32.0);
    }
    free(s->slots);
    s->slots = slots;
    s->n_slots = n_slots;
    s->capacity = capacity;
    fill_slots(s);
    return ADASS_OK;
}

adass_status adass_subnet_scores_create(adass_subnet_scores **out, const adass_model *model,
                                        const adass_candidates *candidates,
                                        adass_evaluator *evaluator, adass_error *err)
{
    adass_subnet_scores *s = calloc(1, sizeof *s);
    if (s == NULL)
        return adass_fail_memory(err, "the subnets' scores", sizeof *s);
    s->model = model;
    s->candidates = *candidates;
    s->evaluator = evaluator;
    s->sizes = calloc(model->n_fields, sizeof *s->sizes);
    adass_status status = s->sizes != NULL ? grow(s, 1024, err)
                                           : adass_fail_memory(err, "the subnets' scores", 1024.0);
    if (status != ADASS_OK) {
        adass_subnet_scores_destroy(s);
        return status;
    }
    *out = s;
    return ADASS_OK;
}

adass_status adass_subnet_scores_get(adass_subnet_scores *scores, const uint8_t *choice,
                                     double *auc, adass_error *err)
{
    adass_subnet_scores *s = scores;
    const size_t n_fields = s->model->n_fields;
    if (s->n == s->capacity) {
        const adass_status status = grow(s, 2 * s->capacity, err);
        if (status != ADASS_OK)
            return status;
    }
    size_t at = XXH3_64bits(choice, n_fields) & (s->n_slots - 1);
    while (s->slots[at] != 0) {
        const size_t entry = s->slots[at] - 1;
        if (memcmp(s->choices + entry * n_fields, choice, n_fields) == 0) {
            *auc = s->aucs[entry];
            return ADASS_OK;
        }
        at = (at + 1) & (s->n_slots - 1);
    }
    adass_metrics metrics;
    adass_sizes_from_choice(&s->candidates, choice, n_fields, s->sizes);
    const adass_status status =
        adass_evaluator_measure(s->evaluator, s->model, s->sizes, &metrics, err);
    if (status != ADASS_OK)
        return status;
    memcpy(s->choices + s->n * n_fields, choice, n_fields);
    s->aucs[s->n] = metrics.auc;
    s->slots[at] = ++s->n;
    *auc = metrics.auc;
    return ADASS_OK;
}

size_t adass_subnet_scores_count(const adass_subnet_scores *scores) { return scores->n; }

void adass_subnet_scores_list_state(adass_subnet_scores *scores, adass_state *state)
{
    adass_subnet_scores *s = scores;
    if (state->from != NULL) {
        size_t capacity = s->capacity;
        s->n = 0; /* none is valid until the file has been read */
        while (capacity < adass_safetensors_rows(state->from, "subnets.auc"))
            capacity *= 2;
        if (grow(s, capacity, NULL) != ADASS_OK) {
            state->failed = true;
            return;
        }
        s->n = adass_safetensors_rows(state->from, "subnets.auc");
    }
    adass_state_add_f64(state, "subnets.auc", s->aucs, s->n);
    adass_state_add_u8(state, "subnets.choice", s->choices, s->n * s->model->n_fields);
}

void adass_subnet_scores_restored(adass_subnet_scores *scores)
{
    memset(scores->slots, 0, scores->n_slots * sizeof *scores->slots);
    fill_slots(scores);
}

void adass_subnet_scores_destroy(adass_subnet_scores *scores)
{
    if (scores == NULL)
        return;
    free(scores->sizes);
    free(scores->choices);
    free(scores->aucs);
    free(scores->slots);
    free(scores);
}
