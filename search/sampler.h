/* Samplers: which assignment a supernet step trains. One file a sampler; samplers.c lists them. */
#ifndef ADASS_SAMPLER_H
#define ADASS_SAMPLER_H

#include "adass/model.h"
#include "adass/rng.h"
#include "adass/sizes.h"
#include "adass/supernet.h"
#include "state.h"

typedef struct adass_sampler adass_sampler;

/** What a sampler is made for. */
typedef struct adass_sampler_setting {
    size_t n_fields;
    adass_candidates candidates;
    uint64_t total_steps, epochs; /* of the supernet's training */
    adass_adaptive_config adaptive;
} adass_sampler_setting;

/** One kind of sampler. */
typedef struct adass_sampler_kind {
    const char *name;
    bool wants_gradients; /* observe() needs the embedding gradients */
    adass_status (*create)(adass_sampler **out, const adass_sampler_setting *setting,
                           adass_error *err);
    /** Draws choice[n_fields], candidate numbers, for a step; steps count from 0. */
    void (*draw)(adass_sampler *sampler, uint64_t step, adass_rng *rng, uint8_t *choice);
    /**
     * Learns from the step that trained `choice`; gradients may be NULL unless wants_gradients. NULL
     * for a sampler that does not learn.
     */
    void (*observe)(adass_sampler *sampler, uint64_t step, const uint8_t *choice, double loss,
                    const adass_field_gradient *gradients);
    /** Present probability of candidate k in field f. */
    double (*probability)(const adass_sampler *sampler, size_t f, size_t k);
    /** Lists all that draw() and observe() change, for checkpoints; NULL where they change nothing. */
    void (*list_state)(adass_sampler *sampler, adass_state *state);
    void (*destroy)(adass_sampler *sampler); /* accepts NULL */
} adass_sampler_kind;

extern const adass_sampler_kind adass_sampler_uniform, adass_sampler_sandwich, adass_sampler_fair,
    adass_sampler_pa_da, adass_sampler_adaptive;

/**
 * Draws a candidate for each field by rows of probabilities [n_fields x K].
 *
 * @param common  NULL: each field by a random number of its own; else all by this one, in [0, 1)
 * @return whether any field has a size above 0: a model without fields teaches nothing
 */
bool adass_sampler_draw_by(const double *probabilities, const adass_candidates *candidates,
                           size_t n_fields, adass_rng *rng, const double *common, uint8_t *choice);

/** The sampler of that name, or ADASS_EINVAL listing those there are. */
adass_status adass_sampler_find(const char *name, const adass_sampler_kind **out, adass_error *err);

#endif
