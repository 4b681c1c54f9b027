/* The list of searchers. */
#include "searcher.h"

#include "adass/subnet_pass.h"

#include <string.h>

static const struct {
    const char *name;
    adass_searcher *search;
} searchers[] = {
    { "rl", NULL },
    { "evolution", adass_search_evolution },
    { "random", adass_search_random },
    { "knapsack", adass_search_knapsack },
};

adass_status adass_searcher_find(const char *name, adass_searcher **out, adass_error *err)
{
    char names[128] = "";
    for (size_t i = 0; i < sizeof searchers / sizeof searchers[0]; i++) {
        if (name == NULL || strcmp(name, searchers[i].name) == 0) {
            *out = searchers[i].search;
            return ADASS_OK;
        }
        strcat(names, i == 0 ? "" : ", ");
        strcat(names, searchers[i].name);
    }
    return adass_fail(err, ADASS_EINVAL, "no searcher named '%s'; there are %s", name, names);
}

adass_status adass_search_tick(const adass_search_problem *problem, size_t looked, adass_error *err)
{
    const adass_status status =
        adass_monitor_tick(problem->monitor, "search", looked, problem->evaluations, "", err);
    return adass_keeper_tick(problem->keeper, status, err);
}

adass_status adass_search_measure(const adass_search_problem *problem, const uint8_t *choices,
                                  double *aucs, adass_error *err)
{
    const adass_search_problem *p = problem;
    adass_status status = ADASS_OK;
    for (size_t i = 0, n; i < p->evaluations && status == ADASS_OK; i += n) {
        n = p->evaluations - i < ADASS_PASS_SUBNETS ? p->evaluations - i : ADASS_PASS_SUBNETS;
        status =
            adass_subnet_scores_get_all(p->scores, choices + i * p->n_fields, n, aucs + i, err);
        if (status == ADASS_OK)
            status = adass_search_tick(p, i + n, err);
    }
    return status;
}
