/* Models: parameters, start values, names. */
#include "adass/model.h"

#include "adass/memory.h"
#include "adass/rng.h"
#include "adass/round.h"
#include "backbone.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const backbone_names[ADASS_N_BACKBONES] = {
    [ADASS_FM] = "fm",         [ADASS_DNN] = "dnn", [ADASS_WDL] = "wdl",
    [ADASS_DEEPFM] = "deepfm", [ADASS_LR] = "lr",   [ADASS_DCNV2] = "dcnv2",
};

static const char *const align_names[ADASS_N_ALIGNS] = {
    [ADASS_ALIGN_SLICE] = "slice",
    [ADASS_ALIGN_PROJECT] = "project",
};

/* Streams of start values, apart from one another. */
enum { STREAM_TABLES = 1, STREAM_LAYERS = 1u << 20, STREAM_CROSS = 1u << 21 };

const char *adass_backbone_name(adass_backbone backbone) { return backbone_names[backbone]; }

adass_status adass_backbone_parse(const char *name, adass_backbone *out, adass_error *err)
{
    for (int i = 0; i < ADASS_N_BACKBONES; i++)
        if (strcmp(name, backbone_names[i]) == 0) {
            *out = (adass_backbone)i;
            return ADASS_OK;
        }
    return adass_fail(err, ADASS_EINVAL,
                      "no backbone named '%s'; there are fm, dnn, wdl, dcnv2, deepfm and lr", name);
}

const char *adass_align_name(adass_align align) { return align_names[align]; }

adass_status adass_align_parse(const char *name, adass_align *out, adass_error *err)
{
    for (int i = 0; i < ADASS_N_ALIGNS; i++)
        if (strcmp(name, align_names[i]) == 0) {
            *out = (adass_align)i;
            return ADASS_OK;
        }
    return adass_fail(err, ADASS_EINVAL, "no alignment named '%s'; there are slice and project",
                      name);
}

adass_status adass_align_check(adass_align align, adass_backbone backbone, adass_error *err)
{
    if (align == ADASS_ALIGN_SLICE || adass_backbone_has_pairs(backbone))
        return ADASS_OK;
    return adass_fail(
        err, ADASS_EINVAL,
        "alignment project maps embeddings in front of FM, which backbone %s does not "
        "have: use slice, or fm or deepfm",
        adass_backbone_name(backbone));
}

static adass_status check_config(const adass_model_config *config, size_t n_fields,
                                 const size_t *vocab, const size_t *widths, adass_error *err)
{
    if (n_fields == 0)
        return adass_fail(err, ADASS_EINVAL, "a model needs at least one field");
    const bool has_mlp = adass_backbone_has_mlp(config->backbone);
    if (has_mlp && (config->n_hidden == 0 || config->n_hidden > ADASS_HIDDEN_MAX))
        return adass_fail(err, ADASS_EINVAL, "backbone %s needs 1 to %d hidden layers, not %zu",
                          adass_backbone_name(config->backbone), ADASS_HIDDEN_MAX,
                          config->n_hidden);
    for (size_t i = 0; has_mlp && i < config->n_hidden; i++)
        if (config->hidden[i] == 0 || config->hidden[i] > 65536)
            return adass_fail(err, ADASS_EINVAL,
                              "hidden layer %zu has %zu units; 1 to 65536 are possible", i,
                              config->hidden[i]);
    const adass_status status = adass_align_check(config->align, config->backbone, err);
    if (status != ADASS_OK)
        return status;
    if (config->table_type == ADASS_INT8)
        return adass_fail(err, ADASS_EINVAL,
                          "tables of int8 cannot be trained; f32, bf16 and f16 can");
    if (!(config->dropout >= 0.0f && config->dropout < 1.0f))
        return adass_fail(err, ADASS_EINVAL, "dropout %g is outside [0, 1)",
                          (double)config->dropout);
    size_t total = 0;
    for (size_t f = 0; f < n_fields; f++) {
        if (widths[f] > ADASS_SIZE_MAX)
            return adass_fail(err, ADASS_EINVAL, "size %zu of field %zu is larger than %d",
                              widths[f], f, ADASS_SIZE_MAX);
        if (vocab[f] == 0 || vocab[f] > UINT32_MAX)
            return adass_fail(err, ADASS_EINVAL,
                              "field %zu has a vocabulary of %zu; 1 to 2^32 - 1 are possible", f,
                              vocab[f]);
        total += widths[f];
    }
    if (config->backbone == ADASS_LR && total > 0)
        return adass_fail(err, ADASS_EINVAL, "backbone lr has no embeddings: all its sizes are 0");
    if (config->backbone != ADASS_LR && total == 0)
        return adass_fail(err, ADASS_EINVAL, "all sizes are 0: the model would have no input");
    return ADASS_OK;
}

/* Zeroed floats; NULL is remembered in *failed, so that one check serves many allocations. */
static float *floats(size_t n, double *failed)
{
    float *p = adass_alloc(n * sizeof *p);
    if (p == NULL)
        *failed += (double)n * sizeof *p;
    return p;
}

/*
 * The next whole lines of the tables' memory; counted only while that is NULL. Arrays of no bytes
 * have a line, too: no two arrays are at the same address.
 */
static void *carve(char *memory, size_t *used, size_t bytes)
{
    enum { LINE_BYTES = 64 };
    void *p = memory != NULL ? memory + *used : NULL;
    *used += (bytes / LINE_BYTES + 1) * LINE_BYTES;
    return p;
}

/* Which arrays the tables of a model have beside their rows. */
typedef struct table_parts {
    bool linear, moments;
} table_parts;

/* Gives the tables their parts of the memory, whose size is returned. */
static size_t place_tables(adass_model *model, table_parts parts, char *memory)
{
    size_t used = 0;
    for (size_t f = 0; f < model->n_fields; f++) {
        adass_table *t = &model->tables[f];
        const size_t row_bytes = adass_type_stride(t->type, t->width) * adass_type_bytes(t->type);
        void *rows = carve(memory, &used, t->vocab * row_bytes);
        t->rows = t->type == ADASS_F32 ? rows : NULL;
        t->compact = t->type == ADASS_F32 ? NULL : rows;
        if (parts.moments)
            t->moments = carve(memory, &used, t->vocab * t->width * 2 * sizeof(float));
    }
    for (size_t f = 0; parts.linear && f < model->n_fields; f++)
        model->tables[f].linear = carve(memory, &used, model->tables[f].vocab * sizeof(float));
    for (size_t f = 0; parts.linear && parts.moments && f < model->n_fields; f++)
        model->tables[f].linear_moments =
            carve(memory, &used, model->tables[f].vocab * 2 * sizeof(float));
    return used;
}

/* Zeroed tables, whose vocabularies, widths and types are set. */
static void create_tables(adass_model *model, table_parts parts, double *failed)
{
    const size_t bytes = place_tables(model, parts, NULL);
    model->memory = adass_alloc(bytes);
    if (model->memory == NULL)
        *failed += (double)bytes;
    else
        (void)place_tables(model, parts, model->memory);
}

static void create_layer(adass_layer *layer, size_t inputs, size_t outputs, double *failed)
{
    layer->inputs = inputs;
    layer->outputs = outputs;
    layer->w = floats(inputs * outputs, failed);
    layer->w_m = floats(inputs * outputs, failed);
    layer->w_v = floats(inputs * outputs, failed);
    layer->bias = floats(outputs, failed);
    layer->bias_m = floats(outputs, failed);
    layer->bias_v = floats(outputs, failed);
}

static void create_cross(adass_model *model, double *failed)
{
    const size_t width = model->block[model->n_fields];
    model->n_cross = ADASS_CROSS_LAYERS;
    for (size_t i = 0; i < model->n_cross; i++)
        create_layer(&model->cross[i], width, width, failed);
    model->cross_out = floats(width, failed);
    model->cross_out_m = floats(width, failed);
    model->cross_out_v = floats(width, failed);
}

/* Maps of the fields whose widths need one. */
static void create_maps(adass_model *model, double *failed)
{
    for (size_t f = 0; f < model->n_fields; f++) {
        adass_table *t = &model->tables[f];
        if (t->width == 0 || (t->width == model->largest && !model->config.maps_for_all))
            continue;
        t->map = floats(t->width * model->largest, failed);
        t->map_m = floats(t->width * model->largest, failed);
        t->map_v = floats(t->width * model->largest, failed);
    }
}

/*
 * Element (row, column) of a table depends on the two alone: a narrower table begins with the same
 * columns.
 */
static void start_row(float *out, size_t row, size_t width, uint64_t seed, double std)
{
    for (size_t k = 0; k < width; k++) {
        const uint64_t at = 3 * (row * ADASS_SIZE_MAX + k);
        const double z = adass_normal(adass_mix_at(seed, at), adass_mix_at(seed, at + 1),
                                      adass_mix_at(seed, at + 2));
        out[k] = (float)(std * z);
    }
}

static void start_table(adass_table *table, uint64_t seed, double std)
{
#pragma omp parallel for schedule(static)
    for (size_t row = 0; row < table->vocab; row++) {
        float values[ADASS_SIZE_MAX];
        float *to = table->type == ADASS_F32 ? table->rows + row * table->width : values;
        start_row(to, row, table->width, seed, std);
        if (table->type != ADASS_F32)
            adass_round_stochastic(table->type, (uint16_t *)table->compact + row * table->width,
                                   values, table->width, (uint32_t)(row * ADASS_SIZE_MAX),
                                   (uint32_t)seed);
    }
}

static void start_weights(float *w, size_t inputs, size_t outputs, uint64_t seed)
{
    const double limit = sqrt(6.0 / (double)(inputs + outputs));
    for (size_t i = 0; i < inputs * outputs; i++)
        w[i] = (float)(limit * (2.0 * adass_unit(adass_mix_at(seed, i)) - 1.0));
}

static void start_layer(adass_layer *layer, uint64_t seed)
{
    start_weights(layer->w, layer->inputs, layer->outputs, seed);
}

/* The first rows of the identity. */
static void start_map(adass_table *table, size_t largest)
{
    for (size_t k = 0; table->map != NULL && k < table->width; k++)
        table->map[k * largest + k] = 1.0f;
}

static void start_values(adass_model *model)
{
    const adass_model_config *config = &model->config;
    for (size_t f = 0; f < model->n_fields; f++)
        start_table(&model->tables[f], adass_seed_derive(config->seed, STREAM_TABLES + f),
                    (double)config->init_std);
    for (size_t f = 0; f < model->n_fields; f++)
        start_map(&model->tables[f], model->largest);
    for (size_t i = 0; i < model->n_layers; i++)
        start_layer(&model->layers[i], adass_seed_derive(config->seed, STREAM_LAYERS + i));
    for (size_t i = 0; i < model->n_cross; i++)
        start_layer(&model->cross[i], adass_seed_derive(config->seed, STREAM_CROSS + i));
    if (model->n_cross > 0)
        start_weights(model->cross_out, model->block[model->n_fields], 1,
                      adass_seed_derive(config->seed, STREAM_CROSS + model->n_cross));
}

adass_status adass_model_create(adass_model **out, const adass_model_config *config,
                                size_t n_fields, const size_t *vocab, const size_t *widths,
                                adass_error *err)
{
    const adass_status status = check_config(config, n_fields, vocab, widths, err);
    if (status != ADASS_OK)
        return status;
    adass_model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return adass_fail_memory(err, "a model", sizeof *model);
    double failed = 0.0; /* bytes that could not be had */
    model->config = *config;
    model->tables = calloc(n_fields, sizeof *model->tables);
    model->block = calloc(n_fields + 1, sizeof *model->block);
    if (model->tables == NULL || model->block == NULL) {
        adass_model_destroy(model);
        return adass_fail_memory(err, "a model", (double)(n_fields * sizeof *model->tables));
    }
    model->n_fields = n_fields;
    for (size_t f = 0; f < n_fields; f++) {
        model->tables[f] =
            (adass_table){ .vocab = vocab[f], .width = widths[f], .type = config->table_type };
        model->block[f + 1] = model->block[f] + widths[f];
        model->largest = widths[f] > model->largest ? widths[f] : model->largest;
    }
    create_tables(
        model,
        (table_parts){ .linear = adass_backbone_has_linear(config->backbone), .moments = true },
        &failed);
    if (adass_backbone_has_mlp(config->backbone)) {
        model->n_layers = config->n_hidden + 1;
        for (size_t i = 0; i < model->n_layers; i++)
            create_layer(&model->layers[i], i == 0 ? model->block[n_fields] : config->hidden[i - 1],
                         i < config->n_hidden ? config->hidden[i] : 1, &failed);
    }
    if (adass_backbone_has_cross(config->backbone))
        create_cross(model, &failed);
    if (config->align == ADASS_ALIGN_PROJECT)
        create_maps(model, &failed);
    if (failed > 0.0) {
        adass_model_destroy(model);
        return adass_fail_memory(err, "the model's parameters", failed);
    }
    start_values(model);
    *out = model;
    return ADASS_OK;
}

static void destroy_layer(adass_layer *l)
{
    float *owned[] = { l->w, l->w_m, l->w_v, l->bias, l->bias_m, l->bias_v };
    for (size_t k = 0; k < sizeof owned / sizeof owned[0]; k++)
        free(owned[k]);
}

void adass_model_destroy(adass_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->n_layers; i++)
        destroy_layer(&model->layers[i]);
    for (size_t i = 0; i < model->n_cross; i++)
        destroy_layer(&model->cross[i]);
    free(model->cross_out);
    free(model->cross_out_m);
    free(model->cross_out_v);
    for (size_t f = 0; model->tables != NULL && f < model->n_fields; f++) {
        free(model->tables[f].map);
        free(model->tables[f].map_m);
        free(model->tables[f].map_v);
    }
    free(model->memory);
    free(model->tables);
    free(model->block);
    free(model);
}

static size_t map_count(const adass_model *model)
{
    size_t n = 0;
    for (size_t f = 0; f < model->n_fields; f++)
        n += model->tables[f].map != NULL;
    return n;
}

size_t adass_model_tensor_count(const adass_model *model)
{
    const size_t linear = adass_backbone_has_linear(model->config.backbone) ? model->n_fields : 0;
    const size_t cross = model->n_cross == 0 ? 0 : 2 * model->n_cross + 1;
    return model->n_fields + linear + (model->n_layers == 0 ? 1 : 2 * model->n_layers) + cross +
           map_count(model);
}

static void name_field(char *name, size_t chars, const char *what, size_t f,
                       const char *const *field_names)
{
    if (field_names != NULL)
        snprintf(name, chars, "%s.%s", what, field_names[f]);
    else
        snprintf(name, chars, "%s.%zu", what, f);
}

/* Weights and biases of the layers, in turn. */
static adass_tensor layer_tensor(const char *what, const adass_layer *layers, size_t i)
{
    const adass_layer *layer = &layers[i / 2];
    const bool weight = i % 2 == 0;
    adass_tensor t = { .data = weight ? layer->w : layer->bias,
                       .rows = weight ? layer->inputs : 1,
                       .cols = layer->outputs };
    snprintf(t.name, sizeof t.name, "%s.%zu.%s", what, i / 2, weight ? "weight" : "bias");
    return t;
}

/* The map of the i-th field that has one. */
static adass_tensor map_tensor(const adass_model *model, size_t i, const char *const *field_names)
{
    size_t f = 0;
    for (;; f++)
        if (model->tables[f].map != NULL && i-- == 0)
            break;
    adass_tensor t = { .data = model->tables[f].map,
                       .rows = model->tables[f].width,
                       .cols = model->largest };
    name_field(t.name, sizeof t.name, "projection", f, field_names);
    return t;
}

adass_tensor adass_model_tensor(adass_model *model, size_t i, const char *const *field_names)
{
    const size_t first_map = adass_model_tensor_count(model) - map_count(model);
    if (i >= first_map)
        return map_tensor(model, i - first_map, field_names);
    adass_tensor t = { .rows = 1, .cols = 1 };
    if (i < model->n_fields) {
        adass_table *table = &model->tables[i];
        name_field(t.name, sizeof t.name, "embedding", i, field_names);
        t.data = table->rows;
        t.halves = table->type == ADASS_BF16 || table->type == ADASS_F16 ? table->compact : NULL;
        t.type = table->type;
        t.rows = table->vocab;
        t.cols = table->width;
        return t;
    }
    i -= model->n_fields;
    if (adass_backbone_has_linear(model->config.backbone)) {
        if (i < model->n_fields) {
            name_field(t.name, sizeof t.name, "linear", i, field_names);
            t.data = model->tables[i].linear;
            t.rows = model->tables[i].vocab;
            return t;
        }
        i -= model->n_fields;
    }
    if (model->n_layers == 0) {
        snprintf(t.name, sizeof t.name, "bias");
        t.data = &model->bias;
        return t;
    }
    if (i < 2 * model->n_layers)
        return layer_tensor("mlp", model->layers, i);
    i -= 2 * model->n_layers;
    if (i < 2 * model->n_cross)
        return layer_tensor("cross", model->cross, i);
    snprintf(t.name, sizeof t.name, "cross.out");
    t.data = model->cross_out;
    t.rows = model->block[model->n_fields];
    return t;
}

/* Tensors are handed out as changeable; here they are only read. */
static adass_tensor tensor_of(const adass_model *model, size_t i)
{
    return adass_model_tensor((adass_model *)model, i, NULL);
}

size_t adass_model_param_count(const adass_model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < adass_model_tensor_count(model); i++) {
        const adass_tensor t = tensor_of(model, i);
        n += t.rows * t.cols;
    }
    return n;
}

void adass_model_store(const adass_model *model, float *values)
{
    for (size_t i = 0; i < adass_model_tensor_count(model); i++) {
        const adass_tensor t = tensor_of(model, i);
        if (t.type == ADASS_F32)
            memcpy(values, t.data, t.rows * t.cols * sizeof *values);
        else
            adass_widen(t.type, values, t.halves, t.rows * t.cols);
        values += t.rows * t.cols;
    }
}

void adass_model_restore(adass_model *model, const float *values)
{
    for (size_t i = 0; i < adass_model_tensor_count(model); i++) {
        const adass_tensor t = tensor_of(model, i);
        if (t.type == ADASS_F32)
            memcpy(t.data, values, t.rows * t.cols * sizeof *values);
        else /* exact: the values are the type's own */
            adass_round_stochastic(t.type, t.halves, values, t.rows * t.cols, 0, 0);
        values += t.rows * t.cols;
    }
}

size_t adass_model_projection_params(const adass_model *model)
{
    size_t n = 0;
    for (size_t f = 0; f < model->n_fields; f++)
        n += model->tables[f].map != NULL ? model->tables[f].width * model->largest : 0;
    return n;
}

size_t adass_model_other_params(const adass_model *model)
{
    size_t n = adass_model_param_count(model) - adass_model_projection_params(model);
    for (size_t f = 0; f < model->n_fields; f++) {
        const adass_table *table = &model->tables[f];
        n -= table->vocab * table->width;
        /* a dropped field's first-order weights are not used */
        if (table->width == 0 && table->linear != NULL && model->config.backbone != ADASS_LR)
            n -= table->vocab;
    }
    return n;
}

/* ---- copies for prediction ---- */

static float *copied(const float *from, size_t n, double *failed)
{
    float *to = floats(n, failed);
    if (to != NULL && from != NULL)
        memcpy(to, from, n * sizeof *to);
    return to;
}

static void quantize_table(adass_table *to, const adass_table *from, const adass_kernels *kernels)
{
    const size_t stride = adass_type_stride(to->type, to->width) * adass_type_bytes(to->type);
    for (size_t row = 0; row < from->vocab; row++) {
        float values[ADASS_SIZE_MAX];
        const float *x = values;
        if (from->type == ADASS_F32)
            x = from->rows + row * from->width;
        else
            adass_widen(from->type, values, (const uint16_t *)from->compact + row * from->width,
                        from->width);
        void *out = to->type == ADASS_F32 ? (void *)(to->rows + row * to->width)
                                          : (char *)to->compact + row * stride;
        if (to->type == ADASS_F32)
            memcpy(out, x, to->width * sizeof *x);
        else
            kernels->quantize_rows(to->type, out, adass_type_stride(to->type, to->width), x,
                                   to->width, 1, to->width);
    }
}

static void copy_tables(adass_model *to, const adass_model *from, const adass_kernels *kernels,
                        adass_type type, double *failed)
{
    const bool linear = from->tables[0].linear != NULL;
    for (size_t f = 0; f < from->n_fields; f++)
        to->tables[f] = (adass_table){ .vocab = from->tables[f].vocab,
                                       .width = from->tables[f].width,
                                       .type = type };
    create_tables(to, (table_parts){ .linear = linear }, failed);
    for (size_t f = 0; *failed <= 0.0 && f < from->n_fields; f++) {
        const adass_table *table = &from->tables[f];
        quantize_table(&to->tables[f], table, kernels);
        if (table->map != NULL)
            to->tables[f].map = copied(table->map, table->width * from->largest, failed);
        if (linear)
            memcpy(to->tables[f].linear, table->linear, table->vocab * sizeof *table->linear);
    }
}

static adass_layer copied_layer(const adass_layer *layer, double *failed)
{
    return (adass_layer){
        .inputs = layer->inputs,
        .outputs = layer->outputs,
        .w = copied(layer->w, layer->inputs * layer->outputs, failed),
        .bias = copied(layer->bias, layer->outputs, failed),
    };
}

static void copy_layers(adass_model *to, const adass_model *from, double *failed)
{
    for (size_t i = 0; i < from->n_layers; i++)
        to->layers[i] = copied_layer(&from->layers[i], failed);
    for (size_t i = 0; i < from->n_cross; i++)
        to->cross[i] = copied_layer(&from->cross[i], failed);
    if (from->n_cross > 0)
        to->cross_out = copied(from->cross_out, from->block[from->n_fields], failed);
}

adass_status adass_model_quantize(adass_model **out, const adass_model *model,
                                  const adass_kernels *kernels, adass_type type, adass_error *err)
{
    double failed = 0.0;
    adass_model *copy = calloc(1, sizeof *copy);
    if (copy == NULL)
        return adass_fail_memory(err, "a model", sizeof *copy);
    copy->config = model->config;
    copy->config.table_type = type;
    copy->n_fields = model->n_fields;
    copy->largest = model->largest;
    copy->n_layers = model->n_layers;
    copy->n_cross = model->n_cross;
    copy->bias = model->bias;
    copy->steps = model->steps;
    copy->tables = calloc(model->n_fields, sizeof *copy->tables);
    copy->block = calloc(model->n_fields + 1, sizeof *copy->block);
    if (copy->tables == NULL || copy->block == NULL) {
        adass_model_destroy(copy);
        return adass_fail_memory(err, "a model", (double)(model->n_fields * sizeof *copy->tables));
    }
    memcpy(copy->block, model->block, (model->n_fields + 1) * sizeof *copy->block);
    copy_tables(copy, model, kernels, type, &failed);
    copy_layers(copy, model, &failed);
    if (failed > 0.0) {
        adass_model_destroy(copy);
        return adass_fail_memory(err, "the copy's parameters", failed);
    }
    *out = copy;
    return ADASS_OK;
}
