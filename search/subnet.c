/* A model seen through a size assignment. */
#include "subnet.h"

#include "adass/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

adass_status adass_subnet_init(adass_subnet *subnet, const adass_model *model, adass_error *err)
{
    *subnet = (adass_subnet){ 0 };
    const size_t n = model->n_fields;
    const size_t packed =
        model->n_layers > 0 ? model->block[n] * model->layers[0].outputs * sizeof(float) : 0;
    subnet->views = calloc(n + 1, sizeof *subnet->views);
    subnet->field = calloc(n + 1, sizeof *subnet->field);
    subnet->packed = adass_alloc(packed);
    if (subnet->views == NULL || subnet->field == NULL || subnet->packed == NULL) {
        adass_subnet_free(subnet);
        return adass_fail_memory(err, "a subnet's first layer", (double)packed);
    }
    return ADASS_OK;
}

/* The rows of the first layer that the subnet reaches, one block after the other. */
static void pack_first_layer(adass_subnet *subnet, const adass_model *model)
{
    const adass_layer *first = &model->layers[0];
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        memcpy(subnet->packed + view->offset * first->outputs,
               first->w + model->block[subnet->field[v]] * first->outputs,
               view->size * first->outputs * sizeof *subnet->packed);
    }
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
        subnet->views[subnet->n_views++] = (adass_field_view){
            .rows = table->rows,
            .stride = table->width,
            .linear = table->linear,
            .linear_stride = 1,
            .size = size,
            .offset = subnet->width,
            .column = f,
        };
        subnet->width += size;
        subnet->largest = size > subnet->largest ? size : subnet->largest;
    }
    if (model->n_layers == 0)
        subnet->first_w = NULL;
    else if (subnet->width == model->block[model->n_fields])
        subnet->first_w = model->layers[0].w;
    else
        pack_first_layer(subnet, model);
}

void adass_subnet_free(adass_subnet *subnet)
{
    free(subnet->views);
    free(subnet->field);
    free(subnet->packed);
}
