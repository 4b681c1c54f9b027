/* Measures of prediction over arrays of scores and labels. */
#ifndef ADASS_METRICS_H
#define ADASS_METRICS_H

#include <stddef.h>

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Area under the ROC curve, exact: the share of (positive, negative) pairs in which the positive
 * has the higher score, ties counted half (Mann and Whitney 1947). Pairs are counted in integers,
 * up to 2^63 of them, in parallel on OpenMP's threads: every number of threads gives the same bits.
 * A radix sort, so that the cost grows with n alone.
 *
 * @param scores  [n], left as they are; any monotone scores; logits will do. -0 and 0 are equal
 * @param labels  [n]; above 0.5 is positive
 * @param out     in [0, 1]; NaN when one class is empty
 * @return ADASS_OK, ADASS_EINVAL when a score is NaN, or ADASS_ENOMEM (work space: 8 n bytes, and 16 KiB a
 *         thread)
 */
adass_status adass_auc(const float *scores, const float *labels, size_t n, double *out,
                       adass_error *err);

/** Mean log-loss of logits against labels in [0, 1], computed in double; 0 for n = 0. */
double adass_logloss(const float *logits, const float *labels, size_t n);

#ifdef __cplusplus
}
#endif

#endif
