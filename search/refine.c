/* The refinement of an assignment, field by field. */
#include "refine.h"

#include <stdlib.h>
#include <string.h>

/* Standard errors by which a smaller size may be below the best. */
static const double MARGIN = 1.0;

typedef struct refinement {
    const adass_search_problem *problem;
    uint8_t *options; /* [K x n_fields]: the assignment with each size of the field at hand */
} refinement;

/* The sizes of field f that keep the budget and leave a model, with the others of `choice`; by rising size. */
static size_t list_options(const refinement *r, const uint8_t *choice, size_t f, uint8_t *numbers)
{
    const adass_search_problem *p = r->problem;
    size_t n = 0;
    for (size_t k = 0; k < p->candidates->n; k++) {
        uint8_t *option = r->options + n * p->n_fields;
        memcpy(option, choice, p->n_fields);
        option[f] = (uint8_t)k;
        const uint64_t params = adass_search_params(p, option);
        if (params > 0 && params <= p->budget)
            numbers[n++] = (uint8_t)k;
    }
    return n;
}

/*
 * For each margin the smallest size of field f, a candidate number, whose AUC is within so many
 * standard errors of the field's best.
 */
static adass_status smallest(const refinement *r, const uint8_t *choice, size_t f,
                             const double *margins, size_t n_margins, size_t *winners,
                             adass_error *err)
{
    uint8_t numbers[ADASS_CANDIDATES_MAX];
    const size_t n = list_options(r, choice, f, numbers);
    const adass_status status = adass_subnet_scores_smallest(r->problem->scores, r->options, n,
                                                             margins, n_margins, winners, err);
    for (size_t m = 0; m < n_margins && status == ADASS_OK; m++)
        winners[m] = numbers[winners[m]];
    return status;
}

static adass_status refine_field(const refinement *r, size_t f, uint8_t *choice,
                                 adass_refinement *state, adass_error *err)
{
    size_t winner;
    const adass_status status = smallest(r, choice, f, &MARGIN, 1, &winner, err);
    if (status != ADASS_OK)
        return status;
    const bool changed = winner != choice[f];
    choice[f] = (uint8_t)winner;
    state->done++;
    state->unchanged = changed ? 0 : state->unchanged + 1;
    state->changes += changed;
    return ADASS_OK;
}

static adass_status begin(refinement *r, const adass_search_problem *problem, adass_error *err)
{
    *r = (refinement){ .problem = problem,
                       .options = calloc(problem->candidates->n, problem->n_fields) };
    return r->options != NULL ? ADASS_OK
                              : adass_fail_memory(err, "the refinement", (double)problem->n_fields);
}

adass_status adass_refine(const adass_search_problem *problem, size_t sweeps,
                          adass_refinement *state, uint8_t *choice, adass_error *err)
{
    const size_t n_fields = problem->n_fields;
    refinement r;
    adass_status status = begin(&r, problem, err);
    while (status == ADASS_OK && state->done < sweeps * n_fields && state->unchanged < n_fields) {
        status = refine_field(&r, state->done % n_fields, choice, state, err);
        if (status == ADASS_OK)
            status = adass_monitor_tick(problem->monitor, "refinement", state->done,
                                        sweeps * n_fields, "", err);
        status = adass_keeper_tick(problem->keeper, status, err);
    }
    free(r.options);
    return status;
}

adass_status adass_refine_family(const adass_search_problem *problem, const uint8_t *choice,
                                 const double *margins, size_t n_margins, uint8_t *family,
                                 adass_error *err)
{
    const size_t n_fields = problem->n_fields;
    size_t *winners = calloc(n_margins, sizeof *winners);
    refinement r;
    adass_status status = begin(&r, problem, err);
    if (status == ADASS_OK && winners == NULL)
        status = adass_fail_memory(err, "the refinement", (double)n_margins * 8.0);
    for (size_t f = 0; f < n_fields && status == ADASS_OK; f++) {
        status = smallest(&r, choice, f, margins, n_margins, winners, err);
        for (size_t m = 0; m < n_margins && status == ADASS_OK; m++)
            family[m * n_fields + f] = (uint8_t)winners[m];
        if (status == ADASS_OK)
            status = adass_monitor_tick(problem->monitor, "margins", f + 1, n_fields, "", err);
        status = adass_keeper_tick(problem->keeper, status, err);
    }
    free(winners);
    free(r.options);
    return status;
}
