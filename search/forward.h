/* The forward pass of a subnet over one block of samples. */
#ifndef ADASS_FORWARD_H
#define ADASS_FORWARD_H

#include "laps.h"
#include "subnet.h"

/**
 * Where a block's values go; the same arrays serve the backward pass. Rows of matrices follow at
 * their `ld` (activations: the layer's outputs).
 */
typedef struct adass_block {
    float *x; /* packed embeddings, [n x x_ld]; unused when `fleeting` */
    size_t x_ld;
    float *sums; /* FM's, [n x sums_ld] */
    size_t sums_ld;
    /* dcnv2's, [n x x_ld] each: x_1 .. x_L, and what x_0 is multiplied by for each of them */
    float *crossed[ADASS_CROSS_LAYERS], *products[ADASS_CROSS_LAYERS];
    float *projected; /* of subnets with maps: [n x largest size], work space of one field */
    float *activations[ADASS_HIDDEN_MAX]; /* [n x outputs] after ReLU and dropout */
    float *logits;                        /* [n] */
    const adass_step_hooks *hooks;        /* of a training step, or NULL */
    bool fleeting;    /* nobody reads x after FM's sums are made: without maps it is not written */
    adass_laps *laps; /* the calling thread's, or NULL */
} adass_block;

/**
 * Dropout of one step: element e of hidden layer i is decided by (keys[i], first_sample * outputs +
 * e).
 */
typedef struct adass_dropout {
    float rate;
    uint32_t keys[ADASS_HIDDEN_MAX];
    size_t first_sample; /* number of the block's first sample in the batch */
} adass_dropout;

/** The block from sample `first` on, as hooks see it; dx NULL in the forward pass. */
static inline adass_packed adass_block_packed(const adass_model *model, const adass_block *block,
                                              const uint32_t *ids, size_t first, size_t n,
                                              float *dx)
{
    return (adass_packed){ .step = model->steps,
                           .block = first / ADASS_BLOCK_SAMPLES,
                           .first = first,
                           .n = n,
                           .ids = ids,
                           .ld = block->x_ld,
                           .x = block->x,
                           .dx = dx };
}

/**
 * Fills the block for the n samples of `ids` [n x model->n_fields].
 *
 * @param dropout  NULL where nothing is trained
 */
adass_status adass_forward_block(const adass_model *model, const adass_kernels *kernels,
                                 const adass_subnet *subnet, const uint32_t *ids, size_t n,
                                 const adass_dropout *dropout, const adass_block *block,
                                 adass_error *err);

#endif
