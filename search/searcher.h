/*
 * Searchers: ways of finding an assignment on a trained supernet, beside the policy of search.c.
 * One file a searcher; searchers.c lists them.
 */
#ifndef ADASS_SEARCHER_H
#define ADASS_SEARCHER_H

#include "adass/monitor.h"
#include "budget.h"
#include "state.h"
#include "subnet_scores.h"

/** What a searcher works with. */
typedef struct adass_search_problem {
    const adass_candidates *candidates;
    const size_t *vocab; /* [n_fields] */
    size_t n_fields;
    uint64_t budget;    /* has passed adass_budget_check() */
    size_t evaluations; /* assignments that may be looked at */
    uint64_t seed;
    adass_subnet_scores *scores;
    const adass_monitor *monitor; /* may be NULL */
    adass_keeper *keeper;         /* may be NULL */
} adass_search_problem;

/** Embedding parameters of an assignment, choice[n_fields]. */
static inline uint64_t adass_search_params(const adass_search_problem *problem,
                                           const uint8_t *choice)
{
    return adass_budget_params(problem->candidates, problem->vocab, problem->n_fields, choice);
}

/**
 * To be called after each of the problem's evaluations, `looked` of which are over. A search that is
 * resumed begins anew and finds again what it has measured; so a searcher may only depend on the
 * problem.
 *
 * @return as adass_keeper_tick()
 */
adass_status adass_search_tick(const adass_search_problem *problem, size_t looked,
                               adass_error *err);

/**
 * Measures as many assignments as the problem has evaluations, several in a pass, with the calls of
 * adass_search_tick().
 *
 * @param choices  [evaluations x n_fields]
 * @param aucs     out, [evaluations]
 */
adass_status adass_search_measure(const adass_search_problem *problem, const uint8_t *choices,
                                  double *aucs, adass_error *err);

/** Fills choice[n_fields], inside the budget. */
typedef adass_status adass_searcher(const adass_search_problem *problem, uint8_t *choice,
                                    adass_error *err);

adass_searcher adass_search_evolution, adass_search_random, adass_search_knapsack;

/** The searcher of that name, NULL for "rl" or NULL; or ADASS_EINVAL listing those there are. */
adass_status adass_searcher_find(const char *name, adass_searcher **out, adass_error *err);

#endif
