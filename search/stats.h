/* Statistics of a handful of runs. */
#ifndef ADASS_STATS_H
#define ADASS_STATS_H

#include <stddef.h>

/**
 * Mean, sample standard deviation (0 for one value) and half the width of the 95 % confidence
 * interval of the mean (Student's t; NaN for one value).
 */
typedef struct adass_sample {
    size_t n;
    double mean, std, half_width;
} adass_sample;

/** Of n >= 1 values. */
adass_sample adass_sample_of(const double *values, size_t n);

/** Of n >= 1 values, the lower one of two in the middle; changes their order. */
double adass_median(double *values, size_t n);

/**
 * Spearman's rank correlation of two lists, ties at their mean rank.
 *
 * @param work  [2 n], work space
 * @return in [-1, 1]; NaN when one list is constant
 */
double adass_spearman(const double *a, const double *b, size_t n, double *work);

/** Kendall's tau-b of two lists of n >= 2; NaN when one is constant. */
double adass_kendall(const double *a, const double *b, size_t n);

/**
 * log2 of a size, for distances between assignments; a dropped field counts as one octave below
 * size 1.
 */
double adass_log2_size(size_t size);

#endif
