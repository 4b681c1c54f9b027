/* A model seen through a size assignment. */
#include "subnet.h"

#include "adass/memory.h"
#include "cross.h"
#include "project.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

adass_status adass_subnet_init(adass_subnet *subnet, const adass_model *model, adass_error *err)
{
    *subnet = (adass_subnet){ 0 };
    const size_t n = model->n_fields;
    const size_t packed = model->n_layers > 0 ? adass_packed_ld(model->block[n]) *
                                                    model->layers[0].outputs * sizeof(float)
                                              : 0;
    subnet->views = calloc(n + 1, sizeof *subnet->views);
    subnet->field = calloc(n + 1, sizeof *subnet->field);
    const size_t cross = adass_cross_room(model) * sizeof(float);
    const size_t maps = adass_model_projection_params(model) * sizeof(float);
    bool ok = true;
    if (maps > 0) {
        subnet->map = calloc(n, sizeof *subnet->map);
        subnet->plain = calloc(n, sizeof *subnet->plain);
        subnet->maps = malloc(maps);
        ok = subnet->map != NULL && subnet->plain != NULL && subnet->maps != NULL;
    }
    subnet->packed = adass_alloc(packed);
    subnet->cross = malloc(cross + 1); /* touched as far as sizes reach: a pass has many subnets */
    if (!ok || subnet->views == NULL || subnet->field == NULL || subnet->packed == NULL ||
        subnet->cross == NULL) {
        adass_subnet_free(subnet);
        return adass_fail_memory(err, "a subnet's first layers", (double)(packed + cross));
    }
    return ADASS_OK;
}

/*
 * The rows of the first layer that the subnet reaches, one block after the other, and rows of zeros
 * up to a multiple of 16: so few numbers of inputs are there that oneDNN's products for each can be
 * kept.
 */
static void pack_first_layer(adass_subnet *subnet, const adass_model *model)
{
    const adass_layer *first = &model->layers[0];
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        memcpy(subnet->packed + view->offset * first->outputs,
               first->w + model->block[subnet->field[v]] * first->outputs,
               view->size * first->outputs * sizeof *subnet->packed);
    }
    memset(subnet->packed + subnet->width * first->outputs, 0,
           (adass_packed_ld(subnet->width) - subnet->width) * first->outputs *
               sizeof *subnet->packed);
    subnet->first_w = subnet->packed;
}

void adass_subnet_select(adass_subnet *subnet, const adass_model *model, const size_t *sizes)
{
    subnet->n_views = subnet->width = subnet->largest = 0;
    for (size_t f = 0; f < model->n_fields; f++) {
        const adass_table *table = &model->tables[f];
        const size_t size = sizes != NULL ? sizes[f] : table->width;
        assert(size <= table->width);
        if (size == 0 && model->config.backbone != ADASS_LR)
            continue;
        subnet->field[subnet->n_views] = f;
        subnet->views[subnet->n_views++] = adass_subnet_view(table, f, size, subnet->width);
        subnet->width += size;
        subnet->largest = size > subnet->largest ? size : subnet->largest;
    }
    if (model->n_layers == 0)
        subnet->first_w = NULL;
    else if (subnet->width == model->block[model->n_fields] &&
             subnet->width == adass_packed_ld(subnet->width))
        subnet->first_w = model->layers[0].w;
    else
        pack_first_layer(subnet, model);
    if (model->n_cross > 0)
        adass_cross_pack(subnet, model);
    if (subnet->maps != NULL)
        adass_project_pack(subnet, model);
}

adass_status adass_subnet_plan(adass_subnet *subnet, const adass_model *model, size_t x_ld,
                               int threads, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t i = 0; status == ADASS_OK && i + 1 < model->n_layers; i++) {
        const adass_layer *layer = &model->layers[i];
        const adass_dense_plan_config config = { .backward = true,
                                                 .samples = ADASS_BLOCK_SAMPLES,
                                                 .outputs = layer->outputs,
                                                 .from_ld = layer->outputs,
                                                 .to_ld = i == 0 ? x_ld : layer->inputs,
                                                 .threads = threads };
        status = adass_dense_plan_create(&subnet->backward[i], &config, err);
    }
    return status;
}

adass_status adass_subnet_pack(adass_subnet *subnet, const adass_model *model, size_t i,
                               adass_error *err)
{
    const adass_layer *layer = &model->layers[i];
    return adass_dense_plan_pack(subnet->backward[i], i == 0 ? subnet->first_w : layer->w,
                                 i == 0 ? adass_packed_ld(subnet->width) : layer->inputs, err);
}

void adass_subnet_free(adass_subnet *subnet)
{
    for (size_t i = 0; i < ADASS_HIDDEN_MAX; i++)
        adass_dense_plan_destroy(subnet->backward[i]);
    free(subnet->views);
    free(subnet->field);
    free(subnet->packed);
    free(subnet->cross);
    free(subnet->map);
    free(subnet->plain);
    free(subnet->maps);
}
