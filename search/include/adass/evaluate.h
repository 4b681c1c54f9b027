/* Evaluation of models and subnets on the rows of a split. */
#ifndef ADASS_EVALUATE_H
#define ADASS_EVALUATE_H

#include "adass/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adass_metrics {
    double auc, logloss;
} adass_metrics;

typedef struct adass_evaluator adass_evaluator;

/**
 * Prepares a split, whose ids are checked here. The dataset must outlive the evaluator.
 *
 * @param max_rows  0 for all rows; else at most so many, evenly spaced over the split, the same for
 *         every model
 */
adass_status adass_evaluator_open(adass_evaluator **out, const adass_dataset *dataset,
                                  adass_split split, size_t max_rows, const adass_compute *compute,
                                  adass_error *err);

/**
 * AUC and log-loss of the subnet `sizes` (NULL: all of the width).
 *
 * @return ADASS_OK; ADASS_EINVAL when the model has diverged or the rows have one class only
 */
adass_status adass_evaluator_measure(adass_evaluator *evaluator, const adass_model *model,
                                     const size_t *sizes, adass_metrics *out, adass_error *err);

/**
 * Logits of the rows that were measured last, and their labels: [adass_evaluator_rows()] each. Both
 * belong to the evaluator.
 */
void adass_evaluator_scores(const adass_evaluator *evaluator, const float **logits,
                            const float **labels);

/** Rows that are measured. */
size_t adass_evaluator_rows(const adass_evaluator *evaluator);

/** Accepts NULL. */
void adass_evaluator_close(adass_evaluator *evaluator);

#ifdef __cplusplus
}
#endif

#endif
