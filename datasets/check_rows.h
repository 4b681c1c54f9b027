/* What is wrong with a row of a split. */
#ifndef ADASS_CHECK_ROWS_H
#define ADASS_CHECK_ROWS_H

#include "adass/dataset.h"

/**
 * ADASS_EFORMAT with the file, the row and the first id outside its vocabulary, else the label
 * outside [0, 1]. One of the two must be so.
 */
adass_status adass_row_fail(const adass_dataset *dataset, adass_split split, size_t row,
                            adass_error *err);

#endif
