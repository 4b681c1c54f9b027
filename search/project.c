/* Maps of embeddings in front of FM. */
#include "project.h"

#include "adass/dense.h"

#include <string.h>

static const float no_bias[ADASS_SIZE_MAX] = { 0.0f };

/* ---- a subnet's maps ---- */

void adass_project_pack(adass_subnet *subnet, const adass_model *model)
{
    const size_t outputs = subnet->largest;
    float *next = subnet->maps;
    subnet->n_plain = 0;
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        const adass_table *table = &model->tables[subnet->field[v]];
        subnet->map[v] = NULL;
        if (table->map == NULL || view->size == outputs) {
            subnet->plain[subnet->n_plain++] = *view;
            continue;
        }
        for (size_t k = 0; k < view->size; k++)
            memcpy(next + k * outputs, table->map + k * model->largest, outputs * sizeof *next);
        subnet->map[v] = next;
        next += view->size * outputs;
    }
}

/* ---- blocks ---- */

size_t adass_project_block_room(const adass_model *model, size_t n)
{
    return adass_model_projection_params(model) == 0 ? 0 : n * model->largest;
}

/* <sums, y>, before y is added to the sums. In lanes, which the compiler can keep in vectors. */
static float meet(float *restrict sums, const float *restrict y, size_t n)
{
    enum { LANES = 8 };
    float lanes[LANES] = { 0.0f }, dot = 0.0f;
    size_t k = 0;
    for (; k + LANES <= n; k += LANES)
        for (size_t i = 0; i < LANES; i++) {
            lanes[i] += sums[k + i] * y[k + i];
            sums[k + i] += y[k + i];
        }
    for (; k < n; k++) {
        dot += sums[k] * y[k];
        sums[k] += y[k];
    }
    for (size_t i = 0; i < LANES; i++)
        dot += lanes[i];
    return dot;
}

/*
 * The views without a map first, among them one of the largest size, so that the sums are there.
 * Each of the others meets the sum of those before it: each pair once, and no squares to subtract.
 */
adass_status adass_project_forward(const adass_subnet *subnet, const adass_kernels *kernels,
                                   const uint32_t *ids, size_t ids_ld, size_t n,
                                   const adass_block *block, adass_error *err)
{
    const size_t outputs = subnet->largest;
    kernels->lookup_fm(block->logits, block->sums, block->sums_ld, block->x, block->x_ld,
                       subnet->plain, subnet->n_plain, ids, ids_ld, n);
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        if (subnet->map[v] == NULL)
            continue;
        kernels->lookup_fields(block->x, block->x_ld, view, 1, ids, ids_ld, n);
        const adass_status status = adass_dense_forward(
            kernels, block->projected, outputs, block->x + view->offset, block->x_ld,
            subnet->map[v], no_bias, n, view->size, outputs, false, err);
        if (status != ADASS_OK)
            return status;
        for (size_t b = 0; b < n; b++)
            block->logits[b] +=
                meet(block->sums + b * block->sums_ld, block->projected + b * outputs, outputs);
    }
    return ADASS_OK;
}

/* ---- gradients ---- */

adass_status adass_project_backward(const adass_subnet *subnet, const adass_kernels *kernels,
                                    size_t v, const adass_project_rows *field, bool accumulate,
                                    adass_error *err)
{
    const size_t n = field->n, size = subnet->views[v].size, outputs = subnet->largest;
    const float *map = subnet->map[v];
    adass_status status = adass_dense_forward(kernels, field->mapped, outputs, field->rows, size,
                                              map, no_bias, n, size, outputs, false, err);
    if (status != ADASS_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < outputs; k++)
            field->pairs[i * outputs + k] -= field->dlogit[i] * field->mapped[i * outputs + k];
    status = adass_dense_backward_input(field->grads, size, field->pairs, outputs, map, n, size,
                                        outputs, accumulate, err);
    if (status != ADASS_OK)
        return status;
    return adass_dense_backward_weights(field->map_grad, field->rows, size, field->pairs, outputs,
                                        n, size, outputs, err);
}

void adass_project_update(const adass_model *model, const adass_subnet *subnet,
                          const adass_kernels *kernels, size_t v, const float *map_grad,
                          const adass_adam *adam)
{
    const adass_table *table = &model->tables[subnet->field[v]];
    for (size_t k = 0; k < subnet->views[v].size; k++) {
        const size_t at = k * model->largest;
        kernels->adam_dense(table->map + at, table->map_m + at, table->map_v + at,
                            map_grad + k * subnet->largest, subnet->largest, adam);
    }
}
