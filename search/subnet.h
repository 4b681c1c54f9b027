/* A model seen through a size assignment: what the kernels need to run it. */
#ifndef ADASS_SUBNET_H
#define ADASS_SUBNET_H

#include "adass/dense.h"
#include "adass/model.h"

/*
 * Samples a block: enough for the GEMMs to run at full rate, few enough for the activations to stay
 * in the second-level cache.
 */
enum { ADASS_BLOCK_SAMPLES = 256 };

typedef struct adass_subnet {
    size_t n_views;
    adass_field_view *views; /* the fields of size > 0, packed one after the other */
    size_t *field;           /* [n_views]: number of the view's field */
    size_t width;            /* columns of the packed matrix: the sum of the sizes */
    size_t largest;          /* the largest size */
    /* of a model with maps: by view, [size x largest] in `maps`, or NULL; and the views with NULL */
    const float **map; /* [n_views] */
    adass_field_view *plain;
    size_t n_plain;
    float *maps;
    const float *first_w; /* [width x outputs of the first layer], or NULL for fm */
    float *packed;        /* owned: first_w where it is not the model's own */
    /* of dcnv2, packed alike: [width x width], [width] and [width]; in `cross`, owned */
    const float *cross_w[ADASS_CROSS_LAYERS], *cross_bias[ADASS_CROSS_LAYERS], *cross_out;
    float *cross;
    /* of the hidden layers: gradients of whole blocks' inputs; NULL without adass_subnet_plan() */
    adass_dense_plan *backward[ADASS_HIDDEN_MAX];
} adass_subnet;

/** Whether FM sees any field of the subnet through a map. */
static inline bool adass_subnet_projects(const adass_subnet *subnet)
{
    return subnet->maps != NULL && subnet->n_plain < subnet->n_views;
}

/** Leading dimension of packed matrices of `width` columns: whole cache lines. */
static inline size_t adass_packed_ld(size_t width) { return (width + 15) / 16 * 16; }

/** The first `size` columns of field f's table, of whatever type, at `offset` of a packed matrix. */
static inline adass_field_view adass_subnet_view(const adass_table *table, size_t f, size_t size,
                                                 size_t offset)
{
    return (adass_field_view){
        .rows = table->type == ADASS_F32 ? table->rows : table->compact,
        .stride = adass_type_stride(table->type, table->width),
        .type = table->type,
        .linear = table->linear,
        .linear_stride = 1,
        .size = size,
        .offset = offset,
        .column = f,
    };
}

/** Room for any assignment of the model. */
adass_status adass_subnet_init(adass_subnet *subnet, const adass_model *model, adass_error *err);

/**
 * Points the subnet at `sizes` (NULL: all of the width) and packs the first layer's rows. Again
 * after each change of the model's weights.
 */
void adass_subnet_select(adass_subnet *subnet, const adass_model *model, const size_t *sizes);

/**
 * Makes the hidden layers' backward products of whole blocks with packed weights; blocks of fewer
 * samples go without. (Forward, oneDNN's sgemm is as fast as its matmul with packed weights or
 * faster: 121 against 113 GFLOP/s on one core of a Cascade Lake. Backward it is 86 against 115.)
 *
 * @param x_ld     of the gradient of the packed matrix; a multiple of 16
 * @param threads  that compute blocks, numbers 0 on
 */
adass_status adass_subnet_plan(adass_subnet *subnet, const adass_model *model, size_t x_ld,
                               int threads, adass_error *err);

/** Packs the weights of hidden layer i after adass_subnet_select(); each layer by any thread. */
adass_status adass_subnet_pack(adass_subnet *subnet, const adass_model *model, size_t i,
                               adass_error *err);

void adass_subnet_free(adass_subnet *subnet);

#endif
