/* A stand-alone model from a supernet's weights. */
#include "adass/model.h"

#include "adass/round.h"

#include <assert.h>
#include <string.h>

static void inherit_table(adass_table *to, const adass_table *from)
{
    assert(to->vocab == from->vocab && to->width <= from->width && to->type == ADASS_F32);
    for (size_t row = 0; row < to->vocab; row++)
        if (from->type == ADASS_F32)
            memcpy(to->rows + row * to->width, from->rows + row * from->width,
                   to->width * sizeof *to->rows);
        else
            adass_widen(from->type, to->rows + row * to->width,
                        (const uint16_t *)from->compact + row * from->width, to->width);
    if (to->linear != NULL)
        memcpy(to->linear, from->linear, to->vocab * sizeof *to->linear);
}

/* The first rows and columns of each field's map. */
static void inherit_map(adass_model *to, const adass_model *from, size_t f)
{
    const adass_table *table = &to->tables[f], *wide = &from->tables[f];
    assert(table->map == NULL || wide->map != NULL);
    for (size_t k = 0; table->map != NULL && k < table->width; k++)
        memcpy(table->map + k * to->largest, wide->map + k * from->largest,
               to->largest * sizeof *table->map);
}

/* The first rows of each field's block. */
static void inherit_first_layer(adass_model *to, const adass_model *from)
{
    const size_t outputs = to->layers[0].outputs;
    for (size_t f = 0; f < to->n_fields; f++)
        memcpy(to->layers[0].w + to->block[f] * outputs,
               from->layers[0].w + from->block[f] * outputs,
               to->tables[f].width * outputs * sizeof(float));
}

/* The elements of each field's block, of a vector over all columns. */
static void inherit_vector(float *to, const float *from, const adass_model *model,
                           const adass_model *source)
{
    for (size_t f = 0; f < model->n_fields; f++)
        memcpy(to + model->block[f], from + source->block[f], model->tables[f].width * sizeof *to);
}

static void inherit_cross(adass_model *to, const adass_model *from)
{
    for (size_t l = 0; l < to->n_cross; l++) {
        adass_layer *layer = &to->cross[l];
        const adass_layer *wide = &from->cross[l];
        for (size_t f = 0; f < to->n_fields; f++)
            for (size_t k = 0; k < to->tables[f].width; k++)
                inherit_vector(layer->w + (to->block[f] + k) * layer->outputs,
                               wide->w + (from->block[f] + k) * wide->outputs, to, from);
        inherit_vector(layer->bias, wide->bias, to, from);
    }
    if (to->n_cross > 0)
        inherit_vector(to->cross_out, from->cross_out, to, from);
}

void adass_model_inherit(adass_model *model, const adass_model *source)
{
    assert(model->n_fields == source->n_fields && model->n_layers == source->n_layers);
    for (size_t f = 0; f < model->n_fields; f++) {
        inherit_table(&model->tables[f], &source->tables[f]);
        inherit_map(model, source, f);
    }
    for (size_t i = 0; i < model->n_layers; i++) {
        adass_layer *to = &model->layers[i];
        const adass_layer *from = &source->layers[i];
        assert(to->outputs == from->outputs && (i == 0 || to->inputs == from->inputs));
        if (i == 0)
            inherit_first_layer(model, source);
        else
            memcpy(to->w, from->w, to->inputs * to->outputs * sizeof *to->w);
        memcpy(to->bias, from->bias, to->outputs * sizeof *to->bias);
    }
    inherit_cross(model, source);
    model->bias = source->bias;
}
