/* DCN-V2's cross layers. */
#include "cross.h"

#include "adass/dense.h"

#include <string.h>

/* ---- a subnet's weights ---- */

size_t adass_cross_room(const adass_model *model)
{
    const size_t width = model->block[model->n_fields];
    return model->n_cross == 0 ? 0 : model->n_cross * (width + 1) * width + width;
}

/* The subnet's elements of a vector over all columns. */
static void pack_vector(float *to, const float *from, const adass_subnet *subnet,
                        const adass_model *model)
{
    for (size_t v = 0; v < subnet->n_views; v++)
        memcpy(to + subnet->views[v].offset, from + model->block[subnet->field[v]],
               subnet->views[v].size * sizeof *to);
}

static void pack_weights(float *to, const adass_layer *layer, const adass_subnet *subnet,
                         const adass_model *model)
{
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        const size_t first = model->block[subnet->field[v]];
        for (size_t k = 0; k < view->size; k++)
            pack_vector(to + (view->offset + k) * subnet->width,
                        layer->w + (first + k) * layer->outputs, subnet, model);
    }
}

void adass_cross_pack(adass_subnet *subnet, const adass_model *model)
{
    float *next = subnet->cross;
    for (size_t l = 0; l < model->n_cross; l++) {
        pack_weights(next, &model->cross[l], subnet, model);
        subnet->cross_w[l] = next;
        next += subnet->width * subnet->width;
        pack_vector(next, model->cross[l].bias, subnet, model);
        subnet->cross_bias[l] = next;
        next += subnet->width;
    }
    pack_vector(next, model->cross_out, subnet, model);
    subnet->cross_out = next;
}

/* ---- blocks ---- */

size_t adass_cross_share_room(const adass_model *model, const adass_block *block, size_t n)
{
    return model->n_cross == 0 ? 0 : 2 * n * block->x_ld;
}

void adass_cross_share(adass_block *block, float *memory, size_t n)
{
    for (size_t l = 0; l < ADASS_CROSS_LAYERS; l++) {
        block->crossed[l] = memory;
        block->products[l] = memory + n * block->x_ld;
    }
}

/* to = x0 * product + from, elementwise; to may be from. */
static void cross(float *to, const float *x0, const float *product, const float *from, size_t n,
                  size_t ld, size_t width)
{
    for (size_t b = 0; b < n; b++)
        for (size_t at = b * ld; at < b * ld + width; at++)
            to[at] = x0[at] * product[at] + from[at];
}

adass_status adass_cross_forward(const adass_subnet *subnet, const adass_kernels *kernels, size_t n,
                                 const adass_block *block, adass_error *err)
{
    const size_t ld = block->x_ld, width = subnet->width;
    const float *from = block->x, no_bias = 0.0f;
    for (size_t l = 0; l < ADASS_CROSS_LAYERS; l++) {
        const adass_status status =
            adass_dense_forward(kernels, block->products[l], ld, from, ld, subnet->cross_w[l],
                                subnet->cross_bias[l], n, width, width, false, err);
        if (status != ADASS_OK)
            return status;
        cross(block->crossed[l], block->x, block->products[l], from, n, ld, width);
        from = block->crossed[l];
    }
    float z[ADASS_BLOCK_SAMPLES];
    const adass_status status = adass_dense_forward(kernels, z, 1, from, ld, subnet->cross_out,
                                                    &no_bias, n, width, 1, false, err);
    for (size_t b = 0; status == ADASS_OK && b < n; b++)
        block->logits[b] += z[b];
    return status;
}

/*
 * Through x_{l+1} = x_0 * product + x_l with the gradient g in x_{l+1}: adds the part that goes to
 * x_0 directly to dx, and replaces the product by its gradient.
 */
static void uncross(float *product, float *dx, const float *x0, const float *g, size_t n, size_t ld,
                    size_t width)
{
    for (size_t b = 0; b < n; b++)
        for (size_t at = b * ld; at < b * ld + width; at++) {
            dx[at] += g[at] * product[at];
            product[at] = g[at] * x0[at];
        }
}

adass_status adass_cross_backward(const adass_subnet *subnet, size_t n, const adass_block *block,
                                  const float *dz, float *work, float *dx, adass_error *err)
{
    const size_t ld = block->x_ld, width = subnet->width;
    for (size_t b = 0; b < n; b++)
        for (size_t k = 0; k < width; k++)
            work[b * ld + k] = dz[b] * subnet->cross_out[k];
    for (size_t l = ADASS_CROSS_LAYERS; l-- > 0;) {
        uncross(block->products[l], dx, block->x, work, n, ld, width);
        const adass_status status = adass_dense_backward_input(
            work, ld, block->products[l], ld, subnet->cross_w[l], n, width, width, true, err);
        if (status != ADASS_OK)
            return status;
    }
    for (size_t b = 0; b < n; b++)
        for (size_t k = 0; k < width; k++)
            dx[b * ld + k] += work[b * ld + k];
    return ADASS_OK;
}

/* ---- updates ---- */

void adass_cross_update_vector(const adass_model *model, const adass_subnet *subnet,
                               const adass_kernels *kernels, adass_cross_vector vector,
                               const float *grads, const adass_adam *adam)
{
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        const size_t at = model->block[subnet->field[v]];
        kernels->adam_dense(vector.w + at, vector.m + at, vector.v + at, grads + view->offset,
                            view->size, adam);
    }
}

void adass_cross_update_weights(const adass_model *model, const adass_subnet *subnet,
                                const adass_kernels *kernels, const adass_layer *layer,
                                const float *grads, size_t begin, size_t end,
                                const adass_adam *adam)
{
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        for (size_t k = 0; k < view->size; k++) {
            const size_t packed = view->offset + k;
            if (packed < begin || packed >= end)
                continue;
            const size_t at = (model->block[subnet->field[v]] + k) * layer->outputs;
            const adass_cross_vector row = { layer->w + at, layer->w_m + at, layer->w_v + at };
            adass_cross_update_vector(model, subnet, kernels, row,
                                      grads + (packed - begin) * subnet->width, adam);
        }
    }
}
