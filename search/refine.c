/* The refinement of an assignment, field by field. */
#include "refine.h"

#include "budget.h"

#include <stdlib.h>
#include <string.h>

/* Standard errors by which a smaller size may be below the best. */
static const double MARGIN = 1.0;

typedef struct refinement {
    const adass_search_problem *problem;
    uint8_t *options; /* [K x n_fields]: the assignment with each size of the field at hand */
    uint8_t *choice;  /* [n_fields] */
} refinement;

/* The sizes of field f that keep the budget and leave a model; by rising size. */
static size_t list_options(const refinement *r, size_t f, uint8_t *numbers)
{
    const adass_search_problem *p = r->problem;
    size_t n = 0;
    for (size_t k = 0; k < p->candidates->n; k++) {
        uint8_t *option = r->options + n * p->n_fields;
        memcpy(option, r->choice, p->n_fields);
        option[f] = (uint8_t)k;
        const uint64_t params = adass_budget_params(p->candidates, p->vocab, p->n_fields, option);
        if (params > 0 && params <= p->budget)
            numbers[n++] = (uint8_t)k;
    }
    return n;
}

static adass_status refine_field(const refinement *r, size_t f, adass_refinement *state,
                                 adass_error *err)
{
    uint8_t numbers[ADASS_CANDIDATES_MAX];
    size_t winner;
    const size_t n = list_options(r, f, numbers);
    const adass_status status =
        adass_subnet_scores_smallest(r->problem->scores, r->options, n, MARGIN, &winner, err);
    if (status != ADASS_OK)
        return status;
    const bool changed = numbers[winner] != r->choice[f];
    r->choice[f] = numbers[winner];
    state->done++;
    state->unchanged = changed ? 0 : state->unchanged + 1;
    state->changes += changed;
    return ADASS_OK;
}

adass_status adass_refine(const adass_search_problem *problem, size_t sweeps,
                          adass_refinement *state, uint8_t *choice, adass_error *err)
{
    const size_t n_fields = problem->n_fields;
    const refinement r = { .problem = problem,
                           .options = calloc(problem->candidates->n, n_fields),
                           .choice = choice };
    adass_status status =
        r.options != NULL ? ADASS_OK : adass_fail_memory(err, "the refinement", (double)n_fields);
    while (status == ADASS_OK && state->done < sweeps * n_fields && state->unchanged < n_fields) {
        status = refine_field(&r, state->done % n_fields, state, err);
        if (status == ADASS_OK)
            status = adass_monitor_tick(problem->monitor, "refinement", state->done,
                                        sweeps * n_fields, "", err);
        status = adass_keeper_tick(problem->keeper, status, err);
    }
    free(r.options);
    return status;
}
