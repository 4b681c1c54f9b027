/* Training of a stand-alone model with early stopping. */
#ifndef ADASS_TRAIN_H
#define ADASS_TRAIN_H

#include "adass/checkpoint.h"
#include "adass/evaluate.h"
#include "adass/monitor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adass_train_config {
    adass_trainer_config step;
    size_t max_epochs;
    size_t patience; /* stop after so many epochs without a better validation AUC */
    uint64_t seed;   /* of the order of the rows */
    const adass_checkpoint *checkpoint; /* NULL: none is kept */
} adass_train_config;

typedef struct adass_train_result {
    size_t epochs, best_epoch; /* run, and that of the weights kept, from 1 on */
    adass_metrics valid;       /* of the weights kept */
    size_t window_rows;        /* permuted together: adass_batches_window_rows() */
    double seconds;            /* with those before it was resumed */
} adass_train_result;

/**
 * Trains on the train split, measures the validation split after each epoch, and leaves the model
 * with the weights of the best epoch. Does not look at the test split.
 */
adass_status adass_train(adass_model *model, const adass_dataset *dataset,
                         const adass_compute *compute, const adass_train_config *config,
                         const adass_monitor *monitor, adass_train_result *out, adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
