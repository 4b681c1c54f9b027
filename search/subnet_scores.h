/*
 * Inherited validation AUC of subnets, each measured once, several in a pass over the rows
 * (subnet_pass.h). Where that shares embeddings, sums are made in another order, and an MLP in
 * bytes: good for comparing subnets with one another; adass_evaluator_measure() gives the model's
 * own AUC.
 */
#ifndef ADASS_SUBNET_SCORES_H
#define ADASS_SUBNET_SCORES_H

#include "adass/evaluate.h"
#include "adass/search.h"
#include "adass/sizes.h"
#include "state.h"

typedef struct adass_subnet_scores adass_subnet_scores;

/**
 * The model and the evaluator must outlive it, and the model must not change.
 *
 * @param seed    of the order in which adass_subnet_scores_race() takes the rows
 * @param memory  begun, with what earlier searches on the model have measured; NULL: none
 */
adass_status adass_subnet_scores_create(adass_subnet_scores **out, const adass_model *model,
                                        const adass_candidates *candidates,
                                        const adass_evaluator *evaluator, uint64_t seed,
                                        adass_search_memory *memory, adass_error *err);

/**
 * AUCs of the subnets that `choices` [n x n_fields] names. After a failure the scores can only be
 * destroyed.
 *
 * @param aucs  out, [n]
 */
adass_status adass_subnet_scores_get_all(adass_subnet_scores *scores, const uint8_t *choices,
                                         size_t n, double *aucs, adass_error *err);

/** AUC of one subnet; several at a time are faster. */
adass_status adass_subnet_scores_get(adass_subnet_scores *scores, const uint8_t *choice,
                                     double *auc, adass_error *err);

/**
 * The subnet that loses the least AUC to `base` for each unit of `saved`: the lowest
 *
 *   (A(base) - A(choice)) / saved,
 *
 * the first of equal ones. Rows are taken in a random order that the seed fixes; after an eighth, a
 * quarter and a half of them a subnet is left when even the lower end of its price's confidence
 * interval (RACE_Z standard errors) is above the upper end of another's. Differences are paired, on
 * the same rows; their errors are those of the mean over blocks of rows.
 *
 * @param base    [n_fields]
 * @param choices [n x n_fields], n >= 1
 * @param saved   [n], above 0
 * @param winner  out: its number
 */
adass_status adass_subnet_scores_race(adass_subnet_scores *scores, const uint8_t *base,
                                      const uint8_t *choices, const double *saved, size_t n,
                                      size_t *winner, adass_error *err);

/**
 * For each margin the first subnet whose AUC is not more than so many standard errors below the best
 * one's: those of the difference between the two, paired, by DeLong's method on all rows.
 *
 * @param choices [n x n_fields], 1 <= n <= ADASS_CANDIDATES_MAX; by rising size
 * @param margins [n_margins]
 * @param winners out, [n_margins]: their numbers
 */
adass_status adass_subnet_scores_smallest(adass_subnet_scores *scores, const uint8_t *choices,
                                          size_t n, const double *margins, size_t n_margins,
                                          size_t *winners, adass_error *err);

/** Number of different subnets measured on all rows so far, or remembered. */
size_t adass_subnet_scores_count(const adass_subnet_scores *scores);

/** Seconds that those took which were remembered, as far as they were measured for themselves. */
double adass_subnet_scores_remembered_seconds(const adass_subnet_scores *scores);

/**
 * Lists the subnets measured and their AUCs, for checkpoints; makes room for those of state->from.
 */
void adass_subnet_scores_list_state(adass_subnet_scores *scores, adass_state *state);

/** To be called when a checkpoint has been read into what the above listed. */
void adass_subnet_scores_restored(adass_subnet_scores *scores);

/** Accepts NULL. */
void adass_subnet_scores_destroy(adass_subnet_scores *scores);

#endif
