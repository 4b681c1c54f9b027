/* The multiple-choice knapsack problem. */
#ifndef ADASS_KNAPSACK_H
#define ADASS_KNAPSACK_H

#include "adass/status.h"

#include <stddef.h>
#include <stdint.h>

/**
 * One choice for each group such that the values' sum is largest and the costs' sum at most the
 * budget: dynamic programming over the Pareto front of (cost, value). Exact as long as a front has
 * at most 2^18 points; a longer one is thinned to the best point in each of 2^17 equal ranges of
 * cost, which keeps the budget, at a loss of value below the answer for a budget smaller by
 * n_groups 2^-17 of it.
 *
 * @param value, cost  [n_groups x n_choices]
 * @param choice       out, [n_groups]
 * @return ADASS_OK; ADASS_EINVAL when no choices keep the budget; ADASS_ENOMEM
 */
adass_status adass_knapsack_solve(const double *value, const uint64_t *cost, size_t n_groups,
                                  size_t n_choices, uint64_t budget, uint8_t *choice,
                                  adass_error *err);

#endif
