/* How SSEDS chooses from saliencies. */
#ifndef ADASS_METHODS_SSEDS_H
#define ADASS_METHODS_SSEDS_H

#include "adass/status.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Counts for each field how many of its columns are among the most salient ones overall. They are
 * taken by falling saliency, passing over those that do not fit into the budget any more, until
 * max_columns are taken.
 *
 * @param saliency  [n_fields x width]
 * @param sizes     out, [n_fields]
 * @return ADASS_OK; ADASS_EINVAL when not a single column fits; ADASS_ENOMEM
 */
adass_status adass_sseds_select(const double *saliency, const size_t *vocab, size_t n_fields,
                                size_t width, uint64_t budget, size_t max_columns, size_t *sizes,
                                adass_error *err);

#endif
