/* Assignments that exceed the budget, brought into it by what the supernet says. */
#ifndef ADASS_SHRINK_H
#define ADASS_SHRINK_H

#include "searcher.h"

/**
 * Shrinks, one candidate at a time, the field that loses the least inherited AUC for each parameter
 * that it saves, until the budget is kept. Only fields are considered that save at least an n-th of
 * what is too much, or of what the best of them saves, n being the number of fields: hundreds of
 * steps of fields of a few features would not bring it nearer. An assignment that drops every field,
 * or could only be shrunk to such, becomes the cheapest one (adass_budget_cheapest()).
 *
 * @param choice  [n_fields], inside the budget on return
 * @param steps   counts on: shrinkings that this took
 */
adass_status adass_shrink(const adass_search_problem *problem, uint8_t *choice, uint64_t *steps,
                          adass_error *err);

#endif
