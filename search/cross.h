/*
 * DCN-V2's cross layers (Wang et al., arXiv 2008.13535) over the packed embeddings x_0 of a block:
 * x_{l+1} = x_0 * (x_l W_l + b_l) + x_l, elementwise, and <v, x_L> of the last one as their part of
 * the logit. A subnet reads the rows and columns of W_l and the elements of b_l and v that belong to
 * its columns of x_0.
 */
#ifndef ADASS_CROSS_H
#define ADASS_CROSS_H

#include "forward.h"

/** Floats of a subnet's packed cross weights at most; 0 for a backbone without. */
size_t adass_cross_room(const adass_model *model);

/** Packs what the subnet's views reach into subnet->cross. */
void adass_cross_pack(adass_subnet *subnet, const adass_model *model);

/** Floats that adass_cross_share() takes for n samples; 0 for a backbone without cross layers. */
size_t adass_cross_share_room(const adass_model *model, const adass_block *block, size_t n);

/** For prediction: all layers of the block in the same memory. */
void adass_cross_share(adass_block *block, float *memory, size_t n);

/**
 * Fills block->crossed and block->products from the n rows of block->x, and adds the cross layers'
 * part to block->logits.
 */
adass_status adass_cross_forward(const adass_subnet *subnet, const adass_kernels *kernels, size_t n,
                                 const adass_block *block, adass_error *err);

/**
 * Adds the cross layers' part of the gradient in x to dx, and leaves in block->products that in each
 * layer's product.
 *
 * @param dz    [n]: gradient of the logits
 * @param work  [n x x_ld]
 * @param dx    [n x x_ld]
 */
adass_status adass_cross_backward(const adass_subnet *subnet, size_t n, const adass_block *block,
                                  const float *dz, float *work, float *dx, adass_error *err);

/** One vector over all columns of the model's packed embeddings, with Adam's moments. */
typedef struct adass_cross_vector {
    float *w, *m, *v;
} adass_cross_vector;

/** Adam on the subnet's elements of a vector; grads [subnet->width]. */
void adass_cross_update_vector(const adass_model *model, const adass_subnet *subnet,
                               const adass_kernels *kernels, adass_cross_vector vector,
                               const float *grads, const adass_adam *adam);

/** Adam on the subnet's rows [begin, end) of a layer's weights; grads [end - begin x width]. */
void adass_cross_update_weights(const adass_model *model, const adass_subnet *subnet,
                                const adass_kernels *kernels, const adass_layer *layer,
                                const float *grads, size_t begin, size_t end,
                                const adass_adam *adam);

#endif
