/*
 * Logits of several subnets on the same rows in one pass: a block of rows stays in the cache while
 * one subnet after the other is computed on it, so that its embeddings come from memory once.
 *
 * Where the CPU multiplies bytes several times as fast as floats (adass_bytes_fast()), an MLP
 * is computed in bytes; first-order weights and FM's pairs always in floats, from
 * embeddings that all subnets of the pass share.
 */
#ifndef ADASS_SUBNET_PASS_H
#define ADASS_SUBNET_PASS_H

#include "adass/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adass_subnet_pass adass_subnet_pass;

/** Subnets of a pass at most. */
enum { ADASS_PASS_SUBNETS = 32 };

/** How an MLP is computed. */
typedef enum adass_pass_precision {
    ADASS_PASS_FLOATS, /* the bits of adass_model_predict() */
    ADASS_PASS_BYTES
} adass_pass_precision;

/** What is faster here: bytes for a model with an MLP but no cross layers where
 * adass_bytes_fast(), else floats. */
adass_pass_precision adass_pass_precision_for(const adass_model *model);

/**
 * Prepares n rows, n < 2^31. Model and ids must outlive the pass and not change.
 *
 * @param ids        [n x n_fields], inside the vocabularies
 * @param precision  floats where the model has no MLP, or cross layers
 */
adass_status adass_subnet_pass_create(adass_subnet_pass **out, const adass_model *model,
                                      const adass_compute *compute, adass_pass_precision precision,
                                      const uint32_t *ids, size_t n, adass_error *err);

/** Accepts NULL. */
void adass_subnet_pass_destroy(adass_subnet_pass *pass);

/**
 * Logits of n_subnets <= ADASS_PASS_SUBNETS subnets for rows [first, end). Neither threads nor the
 * other subnets of the pass change a bit.
 *
 * @param sizes      [n_subnets x n_fields]
 * @param logits     [n_subnets]: where row 0 of each subnet's would be; other rows are left
 */
adass_status adass_subnet_pass_run(adass_subnet_pass *pass, const size_t *sizes, size_t n_subnets,
                                   size_t first, size_t end, float *const *logits,
                                   adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
