/*
 * Alignment `project`: a learned map of each field's embedding in front of FM (see adass/model.h).
 * A subnet packs the parts of the maps that it reads: [size x subnet->largest] each.
 */
#ifndef ADASS_PROJECT_H
#define ADASS_PROJECT_H

#include "forward.h"

/** Packs the maps of the subnet's views into subnet->maps, and tells the views without one apart. */
void adass_project_pack(adass_subnet *subnet, const adass_model *model);

/** Floats of block->projected for n samples; 0 for a model without maps. */
size_t adass_project_block_room(const adass_model *model, size_t n);

/**
 * The subnet's embeddings into block->x and, through the maps, FM of them into block->logits and
 * block->sums.
 *
 * @param ids  [n x ids_ld]
 */
adass_status adass_project_forward(const adass_subnet *subnet, const adass_kernels *kernels,
                                   const uint32_t *ids, size_t ids_ld, size_t n,
                                   const adass_block *block, adass_error *err);

/** One field's share of a batch, its n touched rows in turn; work space among it. D: subnet->largest. */
typedef struct adass_project_rows {
    size_t n;
    const float *rows;   /* [n x size]: the embeddings */
    const float *dlogit; /* [n]: dz added by row */
    float *pairs;        /* [n x D]: dz * sums added by row; becomes the gradient after the map */
    float *grads;        /* [n x size]: FM's part is added */
    float *mapped;       /* [n x D] */
    float *map_grad;     /* out, [size x D] */
} adass_project_rows;

/**
 * FM's gradient through the map of view v, in rows and map. That of the embedding y = x P after the
 * map is sum_b dz[b] (sums[b] - y) over the samples b of a row, as without a map.
 *
 * @param accumulate  whether grads has the MLP's part, to which FM's is added
 */
adass_status adass_project_backward(const adass_subnet *subnet, const adass_kernels *kernels,
                                    size_t v, const adass_project_rows *field, bool accumulate,
                                    adass_error *err);

/** Adam on the part of view v's map that the subnet reads. */
void adass_project_update(const adass_model *model, const adass_subnet *subnet,
                          const adass_kernels *kernels, size_t v, const float *map_grad,
                          const adass_adam *adam);

#endif
