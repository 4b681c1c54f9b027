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

static adass_status refine_field(const refinement *r, size_t f, size_t *changes, adass_error *err)
{
    uint8_t numbers[ADASS_CANDIDATES_MAX];
    size_t winner;
    const size_t n = list_options(r, f, numbers);
    const adass_status status =
        adass_subnet_scores_smallest(r->problem->scores, r->options, n, MARGIN, &winner, err);
    if (status != ADASS_OK)
        return status;
    *changes += numbers[winner] != r->choice[f];
    r->choice[f] = numbers[winner];
    return ADASS_OK;
}

static adass_status sweep(const refinement *r, size_t done, size_t sweeps, size_t *changes,
                          adass_error *err)
{
    const adass_search_problem *p = r->problem;
    for (size_t f = 0; f < p->n_fields; f++) {
        adass_status status = refine_field(r, f, changes, err);
        if (status == ADASS_OK)
            status = adass_monitor_tick(p->monitor, "refinement", done * p->n_fields + f + 1,
                                        sweeps * p->n_fields, "", err);
        status = adass_keeper_tick(p->keeper, status, err);
        if (status != ADASS_OK)
            return status;
    }
    return ADASS_OK;
}

adass_status adass_refine(const adass_search_problem *problem, size_t sweeps, uint8_t *choice,
                          size_t *changes, adass_error *err)
{
    const refinement r = { .problem = problem,
                           .options = calloc(problem->candidates->n, problem->n_fields),
                           .choice = choice };
    *changes = 0;
    if (r.options == NULL)
        return adass_fail_memory(err, "the refinement",
                                 (double)(problem->candidates->n * problem->n_fields));
    adass_status status = ADASS_OK;
    for (size_t s = 0; s < sweeps && status == ADASS_OK; s++) {
        const size_t before = *changes;
        status = sweep(&r, s, sweeps, changes, err);
        if (*changes == before)
            break;
    }
    free(r.options);
    return status;
}
