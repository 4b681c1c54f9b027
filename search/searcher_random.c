/* The best of random assignments inside the budget: what every other searcher has to beat. */
#include "searcher.h"

#include "budget.h"

#include <stdlib.h>
#include <string.h>

static adass_status draw_all(const adass_search_problem *p, uint8_t *drawn, uint8_t *choice,
                             adass_error *err)
{
    double best = -1.0;
    adass_rng rng;
    adass_rng_init(&rng, p->seed);
    for (size_t i = 0; i < p->evaluations; i++) {
        double auc;
        adass_budget_draw(p->candidates, p->vocab, p->n_fields, p->budget, &rng, drawn);
        adass_status status = adass_subnet_scores_get(p->scores, drawn, &auc, err);
        if (status == ADASS_OK && auc > best) {
            best = auc;
            memcpy(choice, drawn, p->n_fields);
        }
        if (status == ADASS_OK)
            status = adass_search_tick(p, i + 1, err);
        if (status != ADASS_OK)
            return status;
    }
    return ADASS_OK;
}

adass_status adass_search_random(const adass_search_problem *problem, uint8_t *choice,
                                 adass_error *err)
{
    uint8_t *drawn = calloc(problem->n_fields, 1);
    if (drawn == NULL)
        return adass_fail_memory(err, "an assignment", (double)problem->n_fields);
    const adass_status status = draw_all(problem, drawn, choice, err);
    free(drawn);
    return status;
}
