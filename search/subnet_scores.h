/* Inherited validation AUC of subnets, each measured once. */
#ifndef ADASS_SUBNET_SCORES_H
#define ADASS_SUBNET_SCORES_H

#include "adass/evaluate.h"
#include "adass/sizes.h"
#include "state.h"

typedef struct adass_subnet_scores adass_subnet_scores;

/** The model and the evaluator must outlive it, and the model must not change. */
adass_status adass_subnet_scores_create(adass_subnet_scores **out, const adass_model *model,
                                        const adass_candidates *candidates,
                                        adass_evaluator *evaluator, adass_error *err);

/** AUC of the subnet that `choice` [n_fields] names. */
adass_status adass_subnet_scores_get(adass_subnet_scores *scores, const uint8_t *choice,
                                     double *auc, adass_error *err);

/** Number of different subnets measured so far. */
size_t adass_subnet_scores_count(const adass_subnet_scores *scores);

/**
 * Lists the subnets measured and their AUCs, for checkpoints; makes room for those of state->from.
 */
void adass_subnet_scores_list_state(adass_subnet_scores *scores, adass_state *state);

/** To be called when a checkpoint has been read into what the above listed. */
void adass_subnet_scores_restored(adass_subnet_scores *scores);

/** Accepts NULL. */
void adass_subnet_scores_destroy(adass_subnet_scores *scores);

#endif
