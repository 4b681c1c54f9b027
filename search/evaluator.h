/* What an evaluator is made of, for those that predict its rows in their own way. */
#ifndef ADASS_EVALUATOR_H
#define ADASS_EVALUATOR_H

#include "adass/evaluate.h"

struct adass_evaluator {
    adass_compute compute;
    size_t n, n_fields;
    const uint32_t *ids; /* [n x n_fields]: the dataset's, or own_ids */
    uint32_t *own_ids;
    float *labels, *logits; /* [n] */
    char where[512];        /* for messages */
};

/** Fails: all rows have the same label. */
adass_status adass_evaluator_no_auc(const adass_evaluator *evaluator, adass_error *err);

#endif
