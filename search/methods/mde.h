/* The rule of mixed-dimension embeddings. */
#ifndef ADASS_METHODS_MDE_H
#define ADASS_METHODS_MDE_H

#include <stddef.h>

/**
 * d_f = max(1, round(base (n_min / n_f)^alpha)), at most base, where n_min is the smallest
 * vocabulary; fields of up to `threshold` features keep the base size.
 */
void adass_mde_sizes(const size_t *vocab, size_t n_fields, size_t base, double alpha,
                     size_t threshold, size_t *sizes);

#endif
