/* The forward pass, and prediction with it. */
#include "forward.h"

#include "adass/dense.h"
#include "adass/memory.h"
#include "backbone.h"
#include "cross.h"
#include "project.h"

#include <assert.h>
#include <stdlib.h>

/* @param z  out, [n]: the MLP's part of the logits */
static adass_status forward_mlp(const adass_model *model, const adass_kernels *kernels,
                                const adass_subnet *subnet, size_t n, const adass_dropout *dropout,
                                const adass_block *block, float *z, adass_error *err)
{
    const float *input = block->x;
    size_t input_ld = block->x_ld;
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < model->n_layers && status == ADASS_OK; i++) {
        const adass_layer *layer = &model->layers[i];
        const bool hidden = i + 1 < model->n_layers;
        float *output = hidden ? block->activations[i] : z;
        status = adass_dense_forward(
            kernels, output, layer->outputs, input, input_ld, i == 0 ? subnet->first_w : layer->w,
            layer->bias, n, i == 0 ? subnet->width : layer->inputs, layer->outputs, hidden, err);
        adass_lap(block->laps, ADASS_PART_FORWARD);
        if (hidden && dropout != NULL && dropout->rate > 0.0f)
            kernels->dropout(output, n * layer->outputs,
                             (uint32_t)(dropout->first_sample * layer->outputs), dropout->keys[i],
                             (uint32_t)((double)dropout->rate * 0x1p32),
                             1.0f / (1.0f - dropout->rate));
        adass_lap(block->laps, ADASS_PART_LOSS);
        input = output;
        input_ld = layer->outputs;
    }
    return status;
}

/*
 * Packed embeddings of n samples from `first` on, and the logits without the MLP's part. FM's sums
 * are made while the rows are in the first-level cache, but for a hook that changes them before.
 */
static adass_status look_up(const adass_model *model, const adass_kernels *kernels,
                            const adass_subnet *subnet, const uint32_t *ids, size_t first, size_t n,
                            const adass_block *block, adass_error *err)
{
    const adass_backbone backbone = model->config.backbone;
    const size_t ids_ld = model->n_fields;
    const bool pairs = adass_backbone_has_pairs(backbone);
    const bool hooked = block->hooks != NULL && block->hooks->forward != NULL;
    for (size_t b = 0; b < n; b++)
        block->logits[b] = model->n_layers == 0 ? model->bias : 0.0f;
    adass_status status = ADASS_OK;
    if (adass_subnet_projects(subnet))
        status = adass_project_forward(subnet, kernels, ids, ids_ld, n, block, err);
    else if (pairs && !hooked)
        kernels->lookup_fm(block->logits, block->sums, block->sums_ld,
                           block->fleeting ? NULL : block->x, block->x_ld, subnet->views,
                           subnet->n_views, ids, ids_ld, n);
    else
        kernels->lookup_fields(block->x, block->x_ld, subnet->views, subnet->n_views, ids, ids_ld,
                               n);
    if (hooked) {
        const adass_packed packed = adass_block_packed(model, block, ids, first, n, NULL);
        block->hooks->forward(block->hooks->user, &packed);
    }
    if (pairs && hooked)
        kernels->fm_forward(block->logits, block->sums, block->sums_ld, block->x, block->x_ld,
                            subnet->views, subnet->n_views, n);
    if (adass_backbone_has_linear(backbone))
        kernels->linear_forward(block->logits, subnet->views, subnet->n_views, ids, ids_ld, n);
    adass_lap(block->laps, ADASS_PART_LOOKUP);
    return status;
}

adass_status adass_forward_block(const adass_model *model, const adass_kernels *kernels,
                                 const adass_subnet *subnet, const uint32_t *ids, size_t n,
                                 const adass_dropout *dropout, const adass_block *block,
                                 adass_error *err)
{
    assert(n <= ADASS_BLOCK_SAMPLES);
    const size_t first = dropout != NULL ? dropout->first_sample : 0;
    adass_status status = look_up(model, kernels, subnet, ids, first, n, block, err);
    if (status != ADASS_OK || model->n_layers == 0)
        return status;
    float z[ADASS_BLOCK_SAMPLES];
    status = forward_mlp(model, kernels, subnet, n, dropout, block, z, err);
    for (size_t b = 0; status == ADASS_OK && b < n; b++)
        block->logits[b] += z[b];
    if (status == ADASS_OK && model->n_cross > 0)
        status = adass_cross_forward(subnet, kernels, n, block, err);
    adass_lap(block->laps, ADASS_PART_FORWARD);
    return status;
}

/* One thread's buffers for prediction, in one allocation; logits are set for each block. */
static float *block_alloc(const adass_model *model, const adass_subnet *subnet, adass_block *block)
{
    const size_t n = ADASS_BLOCK_SAMPLES;
    block->x_ld = adass_packed_ld(subnet->width);
    block->sums_ld = adass_packed_ld(subnet->largest);
    size_t total = n * (block->x_ld + block->sums_ld);
    for (size_t i = 0; i + 1 < model->n_layers; i++)
        total += n * model->layers[i].outputs;
    total += adass_cross_share_room(model, block, n) + adass_project_block_room(model, n);
    float *memory = adass_alloc(total * sizeof *memory);
    if (memory == NULL)
        return NULL;
    block->x = memory;
    block->sums = block->x + n * block->x_ld;
    block->projected = block->sums + n * block->sums_ld;
    float *next = block->projected + adass_project_block_room(model, n);
    for (size_t i = 0; i + 1 < model->n_layers; i++) {
        block->activations[i] = next;
        next += n * model->layers[i].outputs;
    }
    if (model->n_cross > 0)
        adass_cross_share(block, next, n);
    return memory;
}

static adass_status predict_blocks(const adass_model *model, const adass_compute *compute,
                                   const adass_subnet *subnet, const uint32_t *ids, size_t n,
                                   float *logits, adass_error *err)
{
    adass_status result = ADASS_OK;
    adass_error first = { 0 };
#pragma omp parallel num_threads(compute->threads)
    {
        adass_dense_single_thread();
        adass_error mine = { 0 };
        adass_block block = { .fleeting = model->n_layers == 0 };
        float *memory = block_alloc(model, subnet, &block);
        adass_status status =
            memory != NULL ? ADASS_OK : adass_fail_memory(&mine, "prediction", 0.0);
#pragma omp for schedule(dynamic)
        for (size_t begin = 0; begin < n; begin += ADASS_BLOCK_SAMPLES) {
            if (status != ADASS_OK)
                continue;
            const size_t left = n - begin;
            block.logits = logits + begin;
            status = adass_forward_block(
                model, compute->kernels, subnet, ids + begin * model->n_fields,
                left < ADASS_BLOCK_SAMPLES ? left : ADASS_BLOCK_SAMPLES, NULL, &block, &mine);
        }
        if (status != ADASS_OK) {
#pragma omp critical(adass_predict)
            {
                result = status;
                first = mine;
            }
        }
        free(memory);
    }
    return result == ADASS_OK ? ADASS_OK : adass_fail(err, result, "%s", first.message);
}

adass_status adass_model_predict(const adass_model *model, const adass_compute *compute,
                                 const size_t *sizes, const uint32_t *ids, size_t n, float *logits,
                                 adass_error *err)
{
    adass_subnet subnet;
    adass_status status = adass_subnet_init(&subnet, model, err);
    if (status != ADASS_OK)
        return status;
    adass_subnet_select(&subnet, model, sizes);
    status = predict_blocks(model, compute, &subnet, ids, n, logits, err);
    adass_subnet_free(&subnet);
    return status;
}
