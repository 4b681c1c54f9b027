/* Cutting a model's embeddings to their largest weights. */
#ifndef ADASS_METHODS_MAGPRUNE_H
#define ADASS_METHODS_MAGPRUNE_H

#include "adass/model.h"

/**
 * Zeroes the embedding weights of smallest magnitude over all fields, until at most `keep` are not
 * zero; among equal ones the later go first. Returns how many are left.
 */
uint64_t adass_magnitude_prune(adass_model *model, uint64_t keep);

#endif
