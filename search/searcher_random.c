/* The best of random assignments inside the budget: what every other searcher has to beat. */
#include "searcher.h"

#include "budget.h"

#include <stdlib.h>
#include <string.h>

adass_status adass_search_random(const adass_search_problem *problem, uint8_t *choice,
                                 adass_error *err)
{
    const adass_search_problem *p = problem;
    uint8_t *drawn = calloc(p->evaluations, p->n_fields);
    double *aucs = calloc(p->evaluations, sizeof *aucs);
    adass_status status =
        drawn != NULL && aucs != NULL
            ? ADASS_OK
            : adass_fail_memory(err, "the assignments", (double)(p->evaluations * p->n_fields));
    adass_rng rng;
    adass_rng_init(&rng, p->seed);
    for (size_t i = 0; i < p->evaluations && status == ADASS_OK; i++)
        adass_budget_draw(p->candidates, p->vocab, p->n_fields, p->budget, &rng,
                          drawn + i * p->n_fields);
    if (status == ADASS_OK)
        status = adass_search_measure(p, drawn, aucs, err);
    if (status == ADASS_OK) {
        size_t best = 0;
        for (size_t i = 1; i < p->evaluations; i++)
            best = aucs[i] > aucs[best] ? i : best;
        memcpy(choice, drawn + best * p->n_fields, p->n_fields);
    }
    free(drawn);
    free(aucs);
    return status;
}
