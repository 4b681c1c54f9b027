/* The MLP of a model in bytes. */
#include "int8_mlp.h"

#include "adass/dense.h"
#include "adass/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ZERO = 128,
    STEPS = 127,
    CHUNK = 16, /* bytes that are copied at a time */
    TILE = 16,  /* samples whose packed bytes stay in the first-level cache */
    AHEAD = 64 /* bytes before the first activation: room for its row's scale, on a line's border */
};

/* The rows of one field that are looked up at all. */
typedef struct byte_table {
    size_t stride;
    uint8_t *rows; /* [distinct x stride], whole chunks */
    uint32_t *row; /* [n]: which of them a sample has */
    float *scale;  /* [width] */
} byte_table;

typedef struct byte_layer {
    int8_t *w;                 /* [inputs x outputs] */
    adass_bytes_layer *packed; /* NULL for the first, which each subnet packs for itself */
    float *scale;              /* [outputs] */
} byte_layer;

struct adass_int8_mlp {
    const adass_model *model;
    size_t most_outputs; /* of a layer */
    byte_table *tables;  /* [n_fields] */
    byte_layer layers[ADASS_HIDDEN_MAX];
};

/* ---- bytes of the tables ---- */

static size_t round_up(size_t n) { return (n + CHUNK - 1) / CHUNK * CHUNK; }

static void quantize_table(byte_table *t, const adass_table *table, const uint32_t *unique,
                           size_t distinct)
{
    for (size_t k = 0; k < table->width; k++)
        t->scale[k] = 0.0f;
    for (size_t i = 0; i < distinct; i++)
        for (size_t k = 0; k < table->width; k++)
            t->scale[k] = fmaxf(t->scale[k], fabsf(table->rows[unique[i] * table->width + k]));
    for (size_t k = 0; k < table->width; k++)
        t->scale[k] /= STEPS;
    for (size_t i = 0; i < distinct; i++)
        for (size_t k = 0; k < table->width; k++) {
            const float x = table->rows[unique[i] * table->width + k];
            const long steps = t->scale[k] > 0.0f ? lrintf(x / t->scale[k]) : 0;
            t->rows[i * t->stride + k] = (uint8_t)(ZERO + steps);
        }
}

/* Field f, and its work space; false when memory is short. */
static bool make_table(adass_int8_mlp *mlp, size_t f, const uint32_t *ids, size_t n)
{
    const adass_table *table = &mlp->model->tables[f];
    byte_table *t = &mlp->tables[f];
    uint32_t *unique = malloc((n + 1) * sizeof *unique);
    uint32_t *slots = malloc(adass_dedup_slots(n) * sizeof *slots);
    bool ok = unique != NULL && slots != NULL;
    if (ok) {
        const size_t distinct = adass_dedup_ids(unique, t->row, ids + f, mlp->model->n_fields, n,
                                                mlp->model->tables[f].vocab, slots);
        t->stride = round_up(table->width);
        t->rows = adass_alloc(distinct * t->stride);
        ok = t->rows != NULL;
        if (ok)
            quantize_table(t, table, unique, distinct);
    }
    free(unique);
    free(slots);
    return ok;
}

static bool make_tables(adass_int8_mlp *mlp, const adass_compute *compute, const uint32_t *ids,
                        size_t n)
{
    bool ok = true;
    for (size_t f = 0; f < mlp->model->n_fields; f++) {
        mlp->tables[f].row = malloc((n + 1) * sizeof *mlp->tables[f].row);
        mlp->tables[f].scale = malloc((mlp->model->tables[f].width + 1) * sizeof(float));
        ok = ok && mlp->tables[f].row != NULL && mlp->tables[f].scale != NULL;
    }
    if (!ok)
        return false;
#pragma omp parallel for schedule(dynamic) num_threads(compute->threads) reduction(&& : ok)
    for (size_t f = 0; f < mlp->model->n_fields; f++)
        ok = make_table(mlp, f, ids, n) && ok;
    return ok;
}

/* ---- bytes of the layers ---- */

/* @param input_scale  [inputs], or NULL for ones */
static bool make_layer(byte_layer *out, const adass_layer *layer, const float *input_scale)
{
    const size_t inputs = layer->inputs, outputs = layer->outputs;
    out->w = malloc(inputs * outputs);
    out->scale = calloc(outputs, sizeof *out->scale);
    if (out->w == NULL || out->scale == NULL)
        return false;
    for (size_t i = 0; i < inputs; i++)
        for (size_t o = 0; o < outputs; o++) {
            const float w =
                layer->w[i * outputs + o] * (input_scale != NULL ? input_scale[i] : 1.0f);
            out->scale[o] = fmaxf(out->scale[o], fabsf(w) / STEPS);
        }
    for (size_t i = 0; i < inputs; i++)
        for (size_t o = 0; o < outputs; o++) {
            const float w =
                layer->w[i * outputs + o] * (input_scale != NULL ? input_scale[i] : 1.0f);
            out->w[i * outputs + o] =
                (int8_t)(out->scale[o] > 0.0f ? lrintf(w / out->scale[o]) : 0);
        }
    return true;
}

static bool make_layers(adass_int8_mlp *mlp)
{
    const adass_model *model = mlp->model;
    float *input_scale = malloc(model->block[model->n_fields] * sizeof *input_scale);
    if (input_scale == NULL)
        return false;
    for (size_t f = 0; f < model->n_fields; f++)
        memcpy(input_scale + model->block[f], mlp->tables[f].scale,
               model->tables[f].width * sizeof *input_scale);
    bool ok = true;
    for (size_t i = 0; ok && i + 1 < model->n_layers; i++) {
        ok = make_layer(&mlp->layers[i], &model->layers[i], i == 0 ? input_scale : NULL);
        if (model->layers[i].outputs > mlp->most_outputs)
            mlp->most_outputs = model->layers[i].outputs;
    }
    free(input_scale);
    return ok;
}

static adass_status pack_layers(adass_int8_mlp *mlp, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t i = 1; i + 1 < mlp->model->n_layers && status == ADASS_OK; i++) {
        const adass_layer *layer = &mlp->model->layers[i];
        status = adass_bytes_layer_create(&mlp->layers[i].packed, mlp->layers[i].w, layer->inputs,
                                          layer->outputs, ADASS_INT8_SAMPLES, layer->inputs, err);
    }
    return status;
}

adass_status adass_int8_mlp_create(adass_int8_mlp **out, const adass_model *model,
                                   const adass_compute *compute, const uint32_t *ids, size_t n,
                                   adass_error *err)
{
    adass_int8_mlp *mlp = calloc(1, sizeof *mlp);
    if (mlp == NULL)
        return adass_fail_memory(err, "a model in bytes", sizeof *mlp);
    mlp->model = model;
    mlp->tables = calloc(model->n_fields, sizeof *mlp->tables);
    if (mlp->tables == NULL || !make_tables(mlp, compute, ids, n) || !make_layers(mlp)) {
        adass_int8_mlp_destroy(mlp);
        return adass_fail_memory(err, "a model in bytes", (double)(n * model->n_fields) * 4.0);
    }
    const adass_status status = pack_layers(mlp, err);
    if (status != ADASS_OK) {
        adass_int8_mlp_destroy(mlp);
        return status;
    }
    *out = mlp;
    return ADASS_OK;
}

void adass_int8_mlp_destroy(adass_int8_mlp *mlp)
{
    if (mlp == NULL)
        return;
    for (size_t f = 0; mlp->tables != NULL && f < mlp->model->n_fields; f++) {
        free(mlp->tables[f].rows);
        free(mlp->tables[f].row);
        free(mlp->tables[f].scale);
    }
    for (size_t i = 0; i < ADASS_HIDDEN_MAX; i++) {
        free(mlp->layers[i].w);
        free(mlp->layers[i].scale);
        adass_bytes_layer_destroy(mlp->layers[i].packed);
    }
    free(mlp->tables);
    free(mlp);
}

/* ---- a subnet ---- */

adass_status adass_int8_subnet_init(adass_int8_subnet *out, const adass_int8_mlp *mlp,
                                    adass_error *err)
{
    const size_t outputs = mlp->model->layers[0].outputs, inputs = mlp->model->layers[0].inputs;
    *out = (adass_int8_subnet){ .w = malloc(inputs * outputs),
                                .bias = malloc(outputs * sizeof *out->bias) };
    if (out->w != NULL && out->bias != NULL)
        return ADASS_OK;
    adass_int8_subnet_free(out);
    return adass_fail_memory(err, "a subnet's first layer", (double)(inputs * outputs));
}

/* A byte of x stands for ZERO less. */
static void correct_bias(adass_int8_subnet *out, const adass_int8_mlp *mlp, size_t width)
{
    const adass_layer *layer = &mlp->model->layers[0];
    for (size_t o = 0; o < layer->outputs; o++)
        out->bias[o] = 0.0f; /* sums of bytes, exact */
    for (size_t i = 0; i < width; i++)
        for (size_t o = 0; o < layer->outputs; o++)
            out->bias[o] += (float)out->w[i * layer->outputs + o];
    for (size_t o = 0; o < layer->outputs; o++)
        out->bias[o] = layer->bias[o] - (float)ZERO * mlp->layers[0].scale[o] * out->bias[o];
}

adass_status adass_int8_subnet_select(adass_int8_subnet *out, const adass_int8_mlp *mlp,
                                      const adass_subnet *subnet, adass_error *err)
{
    const size_t outputs = mlp->model->layers[0].outputs;
    for (size_t v = 0; v < subnet->n_views; v++) {
        const adass_field_view *view = &subnet->views[v];
        memcpy(out->w + view->offset * outputs,
               mlp->layers[0].w + mlp->model->block[subnet->field[v]] * outputs,
               view->size * outputs);
    }
    correct_bias(out, mlp, subnet->width);
    adass_bytes_layer_destroy(out->first);
    out->first = NULL;
    return adass_bytes_layer_create(&out->first, out->w, subnet->width, outputs, ADASS_INT8_SAMPLES,
                                    subnet->width, err);
}

void adass_int8_subnet_free(adass_int8_subnet *subnet)
{
    free(subnet->w);
    free(subnet->bias);
    adass_bytes_layer_destroy(subnet->first);
    *subnet = (adass_int8_subnet){ 0 };
}

/* ---- forward ---- */

adass_status adass_int8_block_init(adass_int8_block *out, const adass_int8_mlp *mlp,
                                   adass_error *err)
{
    const size_t n = ADASS_INT8_SAMPLES, inputs = mlp->model->layers[0].inputs;
    const size_t outputs = mlp->most_outputs;
    *out = (adass_int8_block){ .x = adass_alloc(n * inputs),
                               .sums = adass_alloc(n * outputs * sizeof *out->sums),
                               .y = adass_alloc(n * outputs * sizeof *out->y),
                               .bytes = adass_alloc(AHEAD + n * outputs),
                               .row_scale = adass_alloc(n * sizeof *out->row_scale),
                               .no_scale = adass_alloc(n * sizeof *out->no_scale) };
    if (out->x == NULL || out->sums == NULL || out->y == NULL || out->bytes == NULL ||
        out->row_scale == NULL || out->no_scale == NULL) {
        adass_int8_block_free(out);
        return adass_fail_memory(err, "prediction in bytes", (double)(n * (inputs + 9 * outputs)));
    }
    for (size_t i = 0; i < n; i++)
        out->no_scale[i] = 1.0f;
    return ADASS_OK;
}

void adass_int8_block_free(adass_int8_block *block)
{
    free(block->x);
    free(block->sums);
    free(block->y);
    free(block->bytes);
    free(block->row_scale);
    free(block->no_scale);
    *block = (adass_int8_block){ 0 };
}

/*
 * One field's column of the packed matrix. Whole chunks are copied: what they reach beyond the
 * field is written again by the next one.
 */
static void copy_chunks(uint8_t *x, size_t x_ld, const byte_table *t, size_t size,
                        const uint32_t *row, size_t n)
{
    if (size <= CHUNK) {
        for (size_t b = 0; b < n; b++)
            memcpy(x + b * x_ld, t->rows + row[b] * t->stride, CHUNK);
        return;
    }
    for (size_t b = 0; b < n; b++)
        for (size_t k = 0; k < size; k += CHUNK)
            memcpy(x + b * x_ld + k, t->rows + row[b] * t->stride + k, CHUNK);
}

/* The same of a field whose chunks would reach the next sample. */
static void copy_exactly(uint8_t *x, size_t x_ld, const byte_table *t, size_t size,
                         const uint32_t *row, size_t n)
{
    for (size_t b = 0; b < n; b++)
        memcpy(x + b * x_ld, t->rows + row[b] * t->stride, size);
}

/* The packed matrix of n samples from `first` on, rows one after the other. */
static void pack_samples(const adass_int8_mlp *mlp, const adass_subnet *subnet, size_t first,
                         size_t n, uint8_t *x)
{
    const size_t x_ld = subnet->width;
    for (size_t b = 0; b < n; b += TILE)
        for (size_t v = 0; v < subnet->n_views; v++) {
            const adass_field_view *view = &subnet->views[v];
            const byte_table *t = &mlp->tables[subnet->field[v]];
            const bool beyond = view->offset + round_up(view->size) > x_ld;
            (beyond ? copy_exactly : copy_chunks)(x + b * x_ld + view->offset, x_ld, t, view->size,
                                                  t->row + first + b, n - b < TILE ? n - b : TILE);
        }
}

/* Activations of the last hidden layer. */
static void activate(const adass_kernels *kernels, const adass_int8_block *block, size_t n,
                     size_t outputs, const float *row_scale, const float *col_scale,
                     const float *bias)
{
    kernels->dequantize_relu(block->y, outputs, block->sums, row_scale, col_scale, bias, n,
                             outputs);
}

/*
 * Bytes of the activations, rows one after the other, a sample at a time while its activations are
 * in the first-level cache. A row's scale is written before it, where the row above ends: that one
 * comes after it.
 */
static void activate_bytes(const adass_kernels *kernels, const adass_int8_block *block, size_t n,
                           size_t outputs, const float *row_scale, const float *col_scale,
                           const float *bias)
{
    for (size_t b = n; b-- > 0;) {
        uint8_t *row = block->bytes + AHEAD + b * outputs - sizeof(float);
        kernels->dequantize_relu(block->y, outputs, block->sums + b * outputs, row_scale + b,
                                 col_scale, bias, 1, outputs);
        kernels->quantize_rows(ADASS_INT8, row, 0, block->y, outputs, 1, outputs);
        memcpy(&block->row_scale[b], row, sizeof *block->row_scale);
    }
}

adass_status adass_int8_forward(const adass_int8_mlp *mlp, const adass_kernels *kernels,
                                const adass_subnet *subnet, const adass_int8_subnet *bytes,
                                size_t first, size_t n, const adass_int8_block *block,
                                float *logits, adass_error *err)
{
    const adass_layer *layer = mlp->model->layers;
    const size_t last = mlp->model->n_layers - 1;
    pack_samples(mlp, subnet, first, n, block->x);
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < last && status == ADASS_OK; i++) {
        status = i == 0 ? adass_bytes_layer_run(bytes->first, block->sums, block->x, err)
                        : adass_bytes_layer_run(mlp->layers[i].packed, block->sums,
                                                block->bytes + AHEAD, err);
        if (status == ADASS_OK)
            (i + 1 < last ? activate_bytes : activate)(
                kernels, block, n, layer[i].outputs, i == 0 ? block->no_scale : block->row_scale,
                mlp->layers[i].scale, i == 0 ? bytes->bias : layer[i].bias);
    }
    if (status == ADASS_OK) /* one output: a row times a matrix is 4 times as fast as the reverse */
        status = adass_dense_backward_input(logits, n, layer[last].w, layer[last].inputs, block->y,
                                            1, n, layer[last].inputs, false, err);
    for (size_t b = 0; b < n && status == ADASS_OK; b++)
        logits[b] += layer[last].bias[0];
    return status;
}
