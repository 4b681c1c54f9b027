/* What is left of the search: the assignment found is settled field by field. */
#ifndef ADASS_REFINE_H
#define ADASS_REFINE_H

#include "searcher.h"

/**
 * Sweeps over the fields: each in turn gets the smallest size whose AUC, all other fields as they
 * are, is not more than one standard error below that of the field's best size (DeLong's, paired, on
 * the same rows). Only sizes that keep the budget are looked at. Ends with a sweep that changes
 * nothing, or after `sweeps`. Why it is there: adass/search.h. The one standard error rule is that of
 * Breiman et al. (Classification and Regression Trees, 1984).
 *
 * @param choice  [n_fields], inside the budget: refined
 * @param changes out: fields that were given another size, over all sweeps
 */
adass_status adass_refine(const adass_search_problem *problem, size_t sweeps, uint8_t *choice,
                          size_t *changes, adass_error *err);

#endif
