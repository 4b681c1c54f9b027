/* Budgets of embedding parameters: the one place where they are checked and kept. */
#ifndef ADASS_BUDGET_H
#define ADASS_BUDGET_H

#include "adass/rng.h"
#include "adass/sizes.h"

/** Embedding parameters of an assignment given by candidate numbers. */
uint64_t adass_budget_params(const adass_candidates *candidates, const size_t *vocab,
                             size_t n_fields, const uint8_t *choice);

/**
 * The cheapest assignment that leaves an input to the model: the smallest candidate everywhere, or,
 * where that drops every field, all dropped but the field whose next candidate costs least. Returns
 * its parameters.
 */
uint64_t adass_budget_cheapest(const adass_candidates *candidates, const size_t *vocab,
                               size_t n_fields, uint8_t *choice);

/** ADASS_EINVAL when even the cheapest assignment exceeds the budget. */
adass_status adass_budget_check(const adass_candidates *candidates, const size_t *vocab,
                                size_t n_fields, uint64_t budget, adass_error *err);

/**
 * Brings an assignment into the budget: a field drawn at random gets its next smaller candidate
 * until the budget is kept. Where that would drop every field, the cheapest assignment stands in.
 * The budget must have passed adass_budget_check().
 */
void adass_budget_shrink(const adass_candidates *candidates, const size_t *vocab, size_t n_fields,
                         uint64_t budget, adass_rng *rng, uint8_t *choice);

/** Uniform sizes, then adass_budget_shrink(). */
void adass_budget_draw(const adass_candidates *candidates, const size_t *vocab, size_t n_fields,
                       uint64_t budget, adass_rng *rng, uint8_t *choice);

/** Sizes[n_fields] of a closed formula with one free number t in [0, 1]; they must not fall in t. */
typedef void adass_size_rule(const void *user, double t, size_t *sizes);

/**
 * The sizes of the largest t that keeps the budget, by bisection.
 *
 * @param method  for the message
 * @return ADASS_OK; ADASS_EINVAL when t = 0 exceeds the budget
 */
adass_status adass_budget_fit(const size_t *vocab, size_t n_fields, uint64_t budget,
                              adass_size_rule *rule, const void *user, const char *method,
                              size_t *sizes, adass_error *err);

#endif
