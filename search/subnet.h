/* A model seen through a size assignment: what the kernels need to run it. */
#ifndef ADASS_SUBNET_H
#define ADASS_SUBNET_H

#include "adass/model.h"

typedef struct adass_subnet {
    size_t n_views;
    adass_field_view *views; /* the fields of size > 0, packed one after the other */
    size_t *field;           /* [n_views]: number of the view's field */
    size_t width;            /* columns of the packed matrix: the sum of the sizes */
    size_t largest;          /* the largest size */
    const float *first_w;    /* [width x outputs of the first layer], or NULL for fm */
    float *packed;           /* owned: first_w where it is not the model's own */
} adass_subnet;

/** Room for any assignment of the model. */
adass_status adass_subnet_init(adass_subnet *subnet, const adass_model *model, adass_error *err);

/**
 * Points the subnet at `sizes` (NULL: all of the width) and packs the first layer's rows. Again
 * after each change of the model's weights.
 */
void adass_subnet_select(adass_subnet *subnet, const adass_model *model, const size_t *sizes);

void adass_subnet_free(adass_subnet *subnet);

#endif
