/*
 * Trials of settings: every row of a suite's table tries the same list of them, and takes the one of best
 * validation AUC.
 */
#ifndef ADASS_TRIALS_H
#define ADASS_TRIALS_H

#include "adass/run.h"

/** Beyond the reported seeds, of which there are fewer. */
enum { ADASS_TRIAL_SEED = 1000000 };

/**
 * Sets what trial `trial` tries, of the supernet, a pretraining and the training alike. Trial 0 is the
 * configuration as it is. Trial t > 0 is point t of Halton's sequence in bases 2, 3 and 5 from a seeded
 * start, which fills the space evenly whatever the number of trials:
 * learning rate in [3e-4, 1e-2) and L2 in [1e-8, 1e-4), both by their logarithms, and dropout in [0, 0.5) of
 * backbones with an MLP; each rounded to two digits, so that a record holds it exactly.
 */
void adass_trial_apply(size_t trial, adass_run_config *config);

/** The trial of highest validation AUC, the first of equals; auc[n], n > 0. */
size_t adass_trial_best(const double *auc, size_t n);

#endif
