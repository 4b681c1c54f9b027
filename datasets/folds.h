/*
 * Ten folds with the same share of positive labels: those of scikit-learn's StratifiedKFold(10, shuffle=True,
 * random_state=2018) since version 0.22, to the row, so that splits can be compared with published ones.
 */
#ifndef ADASS_FOLDS_H
#define ADASS_FOLDS_H

#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

enum { ADASS_FOLDS = 10, ADASS_NO_FOLD = 255, ADASS_FOLD_SEED = 2018 };

/**
 * @param rows  [n], in: labels 0 or 1, or ADASS_NO_FOLD for what is no row; out: the fold of each, 0 to 9
 * @return ADASS_OK; ADASS_EFORMAT when a label has fewer than ten rows; ADASS_ENOMEM
 */
adass_status adass_folds_stratify(uint8_t *rows, size_t n, adass_error *err);

#endif
