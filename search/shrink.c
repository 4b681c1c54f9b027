/* The way into the budget that costs least. */
#include "shrink.h"

#include "budget.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct shrinking {
    const adass_search_problem *problem;
    uint8_t *options; /* [n_fields x n_fields]: the assignment with one field smaller */
    double *saved;    /* [n_fields]: parameters of each option */
} shrinking;

/* Whether only field f has a size above 0. */
static bool is_last_field(const adass_search_problem *p, const uint8_t *choice, size_t f)
{
    for (size_t g = 0; g < p->n_fields; g++)
        if (g != f && p->candidates->sizes[choice[g]] > 0)
            return false;
    return true;
}

/* Parameters that field f saves when it shrinks; 0: it cannot. */
static double saved_by(const adass_search_problem *p, const uint8_t *choice, size_t f)
{
    const size_t *sizes = p->candidates->sizes;
    const uint8_t k = choice[f];
    if (k == 0 || (sizes[k - 1] == 0 && is_last_field(p, choice, f)))
        return 0.0;
    return (double)p->vocab[f] * (double)(sizes[k] - sizes[k - 1]);
}

/* The least that is worth a step: with as much from every field the budget would be kept. */
static double least_saved(const adass_search_problem *p, const uint8_t *choice)
{
    const double excess = (double)(adass_search_params(p, choice) - p->budget);
    double largest = 0.0;
    for (size_t f = 0; f < p->n_fields; f++)
        largest = fmax(largest, saved_by(p, choice, f));
    return fmin(excess, largest) / (double)p->n_fields;
}

static size_t list_options(const shrinking *s, const uint8_t *choice)
{
    const adass_search_problem *p = s->problem;
    const double least = least_saved(p, choice);
    size_t n = 0;
    for (size_t f = 0; f < p->n_fields; f++) {
        const double saved = saved_by(p, choice, f);
        if (saved == 0.0 || saved < least)
            continue;
        uint8_t *option = s->options + n * p->n_fields;
        memcpy(option, choice, p->n_fields);
        option[f]--;
        s->saved[n++] = saved;
    }
    return n;
}

static adass_status shrink_one(const shrinking *s, uint8_t *choice, adass_error *err)
{
    const adass_search_problem *p = s->problem;
    const size_t n = list_options(s, choice);
    size_t best;
    if (n == 0) {
        adass_budget_cheapest(p->candidates, p->vocab, p->n_fields, choice);
        return ADASS_OK;
    }
    const adass_status status =
        adass_subnet_scores_race(p->scores, choice, s->options, s->saved, n, &best, err);
    if (status == ADASS_OK)
        memcpy(choice, s->options + best * p->n_fields, p->n_fields);
    return status;
}

adass_status adass_shrink(const adass_search_problem *problem, uint8_t *choice, uint64_t *steps,
                          adass_error *err)
{
    const size_t n = problem->n_fields;
    const shrinking s = { .problem = problem,
                          .options = calloc(n, n),
                          .saved = calloc(n, sizeof *s.saved) };
    adass_status status = ADASS_OK;
    if (s.options == NULL || s.saved == NULL)
        status = adass_fail_memory(err, "the shrinking", (double)(n * (n + sizeof *s.saved)));
    if (adass_search_params(problem, choice) == 0) /* a model of no field is none */
        adass_budget_cheapest(problem->candidates, problem->vocab, n, choice);
    for (; status == ADASS_OK && adass_search_params(problem, choice) > problem->budget; (*steps)++)
        status = shrink_one(&s, choice, err);
    free(s.options);
    free(s.saved);
    return status;
}
