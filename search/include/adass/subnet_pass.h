/*
 * Logits of several subnets on the same rows in one pass: a block of rows stays in the cache while
 * one subnet after the other is computed on it, so that its embeddings come from memory once.
 *
 * FM's pairs and first-order weights are computed in floats, from embeddings that all subnets of
 * the pass share. Where the CPU multiplies bytes several times as fast as floats
 * (adass_bytes_fast()), so are those of a model with an MLP, which is then computed in bytes.
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

/** How the logits are computed. */
typedef enum adass_pass_precision {
    ADASS_PASS_FLOATS, /* the bits of adass_model_predict() */
    ADASS_PASS_SHARED  /* embeddings looked up once for all subnets of the pass, the MLP in bytes */
} adass_pass_precision;

/** What is faster here: shared where it can be, but for models with an MLP where not
 * adass_bytes_fast(). */
adass_pass_precision adass_pass_precision_for(const adass_model *model);

/**
 * Prepares n rows, n < 2^31. Model and ids must outlive the pass and not change.
 *
 * @param ids        [n x n_fields], inside the vocabularies
 * @param precision  floats all the same for models with cross layers, of alignment project, with an MLP over bf16 or f16
 *                   tables, or with neither pairs nor an MLP
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
