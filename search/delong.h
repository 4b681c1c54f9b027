/* Differences of AUC on the same test rows: DeLong, DeLong and Clarke-Pearson (Biometrics 1988). */
#ifndef ADASS_DELONG_H
#define ADASS_DELONG_H

#include "adass/status.h"

#include <stddef.h>

/**
 * Placement of every row: of a positive the share of the negatives that score below it, of a
 * negative the share of the positives that score above it, ties half. The mean over either class
 * is the AUC. By midranks (Sun and Xu, IEEE SPL 2014), in n log n.
 *
 * @param scores      [n], no NaN
 * @param labels      [n]; above 0.5 is positive; both classes are there
 * @param weight      placements are multiplied by it and added to what stands in `placements`
 * @param placements  [n]
 */
adass_status adass_placements_add(const float *scores, const float *labels, size_t n, double weight,
                                  double *placements, adass_error *err);

/** A difference of AUCs, its standard error over samples of test rows, and the two-sided p. */
typedef struct adass_delong {
    double difference, std_error, p;
} adass_delong;

/**
 * @param difference  [n]: placements of a model minus those of another; or of the means over the
 *                    seeds of each, for the difference of mean AUCs
 * @param labels      [n]
 */
adass_delong adass_delong_of(const double *difference, const float *labels, size_t n);

#endif
