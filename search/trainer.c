/*
 * The training step. Two parallel passes:
 *
 * 1. over blocks of samples: lookup, forward, loss, and the backward chain down to the gradient of
 * the packed embeddings. All of it is local to the block;
 * 2. over parameter tasks: a run of rows of a dense layer, a bias, or one field's tables. Each
 * computes the whole gradient of its parameters
 *    (over all samples, in order) and applies Adam at once.
 *
 * Blocks and tasks are cut by shape alone, so no result depends on the number of threads.
 */
#include "adass/dense.h"
#include "adass/memory.h"
#include "adass/rng.h"
#include "adass/round.h"
#include "backbone.h"
#include "cross.h"
#include "forward.h"
#include "project.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/*
 * Rows of a weight matrix a task: its gradient (128 x 400 floats) stays in the second-level cache
 * until Adam has used it.
 */
enum { TASK_ROWS = 128 };

/* Sets the random numbers of rounding apart from those of dropout. */
#define ROUNDING 0x726f756e64u

typedef enum task_kind {
    TASK_WEIGHTS,
    TASK_BIAS,
    TASK_CROSS_WEIGHTS,
    TASK_CROSS_BIAS,
    TASK_CROSS_OUT,
    TASK_FIELD,
    TASK_LOGIT_BIAS
} task_kind;

typedef struct param_task {
    task_kind kind;
    size_t index;      /* layer, or view of the subnet */
    size_t begin, end; /* rows of the layer's (packed) weights */
    double cost;       /* rough, to begin the long tasks first */
} param_task;

/* One thread's work space. */
typedef struct scratch {
    float *grads;  /* a task's gradient */
    float *pairs;  /* [batch x largest size]: FM's share of it */
    float *dlogit; /* [batch]: dz added by group */
    float *rows;   /* [batch x largest size]: touched rows as floats, where a table has none: of
                         16 bits, and side by side for maps */
    float *cross;  /* [ADASS_BLOCK_SAMPLES x all.x_ld]: gradient down the cross layers */
    /* of maps: a block's x that nobody reads later, embeddings after the map, the map's gradient */
    float *x, *projected, *map_grad;
    uint32_t *unique; /* [batch] */
    uint32_t *group;  /* [batch] */
    uint32_t *slots;  /* [adass_dedup_slots(batch)] */
    adass_laps laps;
} scratch;

struct adass_trainer {
    adass_model *model;
    adass_compute compute;
    adass_trainer_config config;
    adass_subnet subnet;
    bool by_sample;  /* hooks see or change samples: FM's gradient is made for each of them */
    adass_block all; /* forward values of the whole batch; fleeting, there is no x, and
                        with pairs the sums become each sample's times its dz */
    float *dx;       /* [batch x all.x_ld]: through the MLP, and by sample through FM */
    float *deltas[ADASS_HIDDEN_MAX]; /* gradient before each hidden ReLU, [batch x outputs] */
    float *dz, *losses;              /* [batch] */
    uint32_t *columns;               /* [fields x column_ld()]: the batch's ids, field by field */
    param_task *tasks;
    size_t n_tasks;
    scratch *scratch; /* [threads] */
    double seconds;   /* wall time of all steps */
};

/* Everything one step hands to its parts. */
typedef struct step {
    adass_trainer *trainer;
    const adass_batch *batch;
    adass_dropout dropout;
    adass_adam dense, embedding;
    adass_adagrad adagrad; /* of embeddings, where it is the row optimizer */
    adass_field_gradient *gradients;
} step;

static size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

static size_t max_tasks(const adass_model *model)
{
    size_t n = model->n_fields + 1;
    for (size_t i = 0; i < model->n_layers; i++)
        n += model->layers[i].inputs / TASK_ROWS + 2;
    for (size_t i = 0; i < model->n_cross; i++)
        n += model->cross[i].inputs / TASK_ROWS + 3;
    return n;
}

/* Floats of a task's gradient at most. */
static size_t max_gradient(const adass_model *model, size_t batch)
{
    size_t n = batch * (model->largest + 1);
    for (size_t i = 0; i < model->n_layers; i++)
        n = max_size(n, TASK_ROWS * model->layers[i].outputs);
    for (size_t i = 0; i < model->n_cross; i++)
        n = max_size(n, TASK_ROWS * model->cross[i].outputs);
    return n;
}

/*
 * Ids between a field's and the next one's: a line more than the batch, so that the lines that are written at a time
 * do not fall into one set of the caches.
 */
static size_t column_ld(const adass_trainer *t) { return t->config.batch_size + 16; }

/* Whether fields have maps in front of FM. */
static bool has_maps(const adass_model *model) { return adass_model_projection_params(model) > 0; }

/* What maps need; false when memory is short. */
static bool alloc_maps(const adass_trainer *t, scratch *s)
{
    const size_t largest = t->model->largest;
    const size_t block = ADASS_BLOCK_SAMPLES, batch = t->config.batch_size;
    s->x = adass_alloc(t->all.fleeting ? block * t->all.x_ld * sizeof(float) : 0);
    s->projected = adass_alloc(max_size(block, batch) * largest * sizeof(float));
    s->map_grad = adass_alloc(largest * largest * sizeof(float));
    return s->x != NULL && s->projected != NULL && s->map_grad != NULL;
}

/* One thread's; false when memory is short. */
static bool alloc_scratch(const adass_trainer *t, scratch *s)
{
    const adass_model *model = t->model;
    const size_t batch = t->config.batch_size, largest = model->largest;
    const bool maps = has_maps(model), rows = maps || model->config.table_type != ADASS_F32;
    s->grads = adass_alloc(max_gradient(model, batch) * sizeof(float));
    s->pairs = adass_alloc(batch * largest * sizeof(float));
    s->dlogit = adass_alloc(batch * sizeof(float));
    s->unique = adass_alloc(batch * sizeof(uint32_t));
    s->group = adass_alloc(batch * sizeof(uint32_t));
    s->slots = adass_alloc(adass_dedup_slots(batch) * sizeof(uint32_t));
    if (rows)
        s->rows = adass_alloc(batch * largest * sizeof(float));
    if (model->n_cross > 0)
        s->cross = adass_alloc(ADASS_BLOCK_SAMPLES * t->all.x_ld * sizeof(float));
    return s->grads != NULL && s->pairs != NULL && s->dlogit != NULL && s->unique != NULL &&
           s->group != NULL && s->slots != NULL && (s->rows != NULL || !rows) &&
           (s->cross != NULL || model->n_cross == 0) && (!maps || alloc_maps(t, s));
}

static adass_status alloc_buffers(adass_trainer *t, adass_error *err)
{
    const adass_model *model = t->model;
    const size_t batch = t->config.batch_size;
    t->all.x_ld = adass_packed_ld(model->block[model->n_fields]);
    t->all.sums_ld = adass_packed_ld(model->largest);
    t->all.x = adass_alloc(t->all.fleeting ? 0 : batch * t->all.x_ld * sizeof(float));
    t->all.sums = adass_alloc(batch * t->all.sums_ld * sizeof(float));
    t->all.logits = adass_alloc(batch * sizeof(float));
    t->dx = adass_alloc(t->all.fleeting ? 0 : batch * t->all.x_ld * sizeof(float));
    t->dz = adass_alloc(batch * sizeof(float));
    t->losses = adass_alloc(batch * sizeof(float));
    t->columns = adass_alloc(model->n_fields * column_ld(t) * sizeof *t->columns);
    t->tasks = calloc(max_tasks(model), sizeof *t->tasks);
    t->scratch = calloc((size_t)t->compute.threads, sizeof *t->scratch);
    bool ok = t->all.x != NULL && t->all.sums != NULL && t->all.logits != NULL && t->dx != NULL &&
              t->dz != NULL && t->losses != NULL && t->columns != NULL && t->tasks != NULL &&
              t->scratch != NULL;
    for (size_t i = 0; i + 1 < model->n_layers; i++) {
        const size_t bytes = batch * model->layers[i].outputs * sizeof(float);
        t->all.activations[i] = adass_alloc(bytes);
        t->deltas[i] = adass_alloc(bytes);
        ok = ok && t->all.activations[i] != NULL && t->deltas[i] != NULL;
    }
    for (size_t i = 0; i < model->n_cross; i++) {
        const size_t bytes = batch * t->all.x_ld * sizeof(float);
        t->all.crossed[i] = adass_alloc(bytes);
        t->all.products[i] = adass_alloc(bytes);
        ok = ok && t->all.crossed[i] != NULL && t->all.products[i] != NULL;
    }
    for (int i = 0; t->scratch != NULL && i < t->compute.threads; i++)
        ok = alloc_scratch(t, &t->scratch[i]) && ok;
    if (!ok)
        return adass_fail_memory(err, "the training step's buffers",
                                 (double)(batch * t->all.x_ld) * 8.0);
    return ADASS_OK;
}

adass_status adass_trainer_create(adass_trainer **out, adass_model *model,
                                  const adass_compute *compute, const adass_trainer_config *config,
                                  adass_error *err)
{
    if (config->batch_size == 0 || config->batch_size > (1u << 24))
        return adass_fail(err, ADASS_EINVAL,
                          "a batch of %zu samples is not possible; 1 to 2^24 are",
                          config->batch_size);
    if (model->config.table_type == ADASS_INT8)
        return adass_fail(err, ADASS_EINVAL, "a model with tables of int8 is for prediction alone");
    const bool by_sample = config->hooks != NULL &&
                           (config->hooks->forward != NULL || config->hooks->backward != NULL);
    if (by_sample && has_maps(model))
        return adass_fail(err, ADASS_EINVAL,
                          "a method that changes embeddings or their gradients sample by sample "
                          "does not train maps: use alignment slice");
    adass_trainer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return adass_fail_memory(err, "a trainer", sizeof *t);
    t->model = model;
    t->compute = *compute;
    t->config = *config;
    t->all.hooks = config->hooks;
    t->by_sample = by_sample;
    t->all.fleeting = model->n_layers == 0 && !t->by_sample;
    adass_status status = adass_subnet_init(&t->subnet, model, err);
    if (status == ADASS_OK)
        status = alloc_buffers(t, err);
    if (status == ADASS_OK)
        status = adass_subnet_plan(&t->subnet, model, t->all.x_ld, t->compute.threads, err);
    if (status == ADASS_OK && (model->n_layers > 0 || has_maps(model)))
        status = adass_dense_check_room(compute->threads, err);
    if (status != ADASS_OK) {
        adass_trainer_destroy(t);
        return status;
    }
    *out = t;
    return ADASS_OK;
}

void adass_trainer_destroy(adass_trainer *trainer)
{
    if (trainer == NULL)
        return;
    adass_subnet_free(&trainer->subnet);
    float *owned[] = { trainer->all.x, trainer->all.sums, trainer->all.logits,
                       trainer->dx,    trainer->dz,       trainer->losses };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    for (size_t i = 0; i < ADASS_HIDDEN_MAX; i++) {
        free(trainer->all.activations[i]);
        free(trainer->deltas[i]);
    }
    for (size_t i = 0; i < ADASS_CROSS_LAYERS; i++) {
        free(trainer->all.crossed[i]);
        free(trainer->all.products[i]);
    }
    for (int i = 0; trainer->scratch != NULL && i < trainer->compute.threads; i++) {
        free(trainer->scratch[i].grads);
        free(trainer->scratch[i].pairs);
        free(trainer->scratch[i].dlogit);
        free(trainer->scratch[i].rows);
        free(trainer->scratch[i].cross);
        free(trainer->scratch[i].x);
        free(trainer->scratch[i].projected);
        free(trainer->scratch[i].map_grad);
        free(trainer->scratch[i].unique);
        free(trainer->scratch[i].group);
        free(trainer->scratch[i].slots);
    }
    free(trainer->columns);
    free(trainer->scratch);
    free(trainer->tasks);
    free(trainer);
}

/* ---- first pass: blocks of samples ---- */

/* The part of the batch's arrays that belongs to the samples from `first` on. */
static adass_block block_at(const adass_trainer *t, size_t first)
{
    adass_block block = t->all;
    block.x += t->all.fleeting ? 0 : first * block.x_ld;
    block.sums += first * block.sums_ld;
    block.logits += first;
    for (size_t i = 0; i + 1 < t->model->n_layers; i++)
        block.activations[i] += first * t->model->layers[i].outputs;
    for (size_t i = 0; i < t->model->n_cross; i++) {
        block.crossed[i] += first * block.x_ld;
        block.products[i] += first * block.x_ld;
    }
    return block;
}

/* Layer i's gradient of its input. */
static adass_status backward_layer(const adass_trainer *t, size_t i, float *down,
                                   const float *delta, size_t n, adass_error *err)
{
    const adass_layer *layer = &t->model->layers[i];
    if (i + 1 < t->model->n_layers && n == ADASS_BLOCK_SAMPLES)
        return adass_dense_plan_run(t->subnet.backward[i], down, delta, NULL, err);
    return adass_dense_backward_input(down, i == 0 ? t->all.x_ld : layer->inputs, delta,
                                      layer->outputs, i == 0 ? t->subnet.first_w : layer->w, n,
                                      i == 0 ? t->subnet.width : layer->inputs, layer->outputs,
                                      false, err);
}

/* Down the layers: deltas of the hidden layers, then the gradient of the packed embeddings. */
static adass_status backward_mlp(const step *s, const adass_block *block, size_t first, size_t n,
                                 adass_error *err)
{
    adass_trainer *t = s->trainer;
    const adass_model *model = t->model;
    const float scale = 1.0f / (1.0f - model->config.dropout);
    const float *delta = t->dz + first;
    for (size_t i = model->n_layers; i-- > 0;) {
        const adass_layer *layer = &model->layers[i];
        float *down =
            i == 0 ? t->dx + first * t->all.x_ld : t->deltas[i - 1] + first * layer->inputs;
        const adass_status status = backward_layer(t, i, down, delta, n, err);
        if (status != ADASS_OK)
            return status;
        adass_lap(block->laps, ADASS_PART_BACKWARD_INPUT);
        if (i > 0)
            t->compute.kernels->relu_backward(down, down, block->activations[i - 1],
                                              n * layer->inputs, scale);
        adass_lap(block->laps, ADASS_PART_LOSS);
        delta = down;
    }
    return ADASS_OK;
}

/* rows[b, k] *= by[b]. */
static void scale_rows(float *rows, size_t ld, const float *by, size_t n, size_t cols)
{
    for (size_t b = 0; b < n; b++)
        for (size_t k = 0; k < cols; k++)
            rows[b * ld + k] *= by[b];
}

/* n ids of a column, n a multiple of 4: with few addresses, which registers can hold. */
static inline void turn_line(uint32_t *to, const uint32_t *from, size_t ld, size_t n)
{
    for (size_t i = 0; i < n; i += 4, from += 4 * ld) {
        to[i] = from[0];
        to[i + 1] = from[ld];
        to[i + 2] = from[2 * ld];
        to[i + 3] = from[3 * ld];
    }
}

/* Puts the ids of n samples from `first` on field by field, a line of each at a time. */
static void turn_ids(const step *s, size_t first, size_t n)
{
    enum { TILE = 16 };
    const size_t n_fields = s->trainer->model->n_fields, ld = column_ld(s->trainer);
    const uint32_t *from = s->batch->ids + first * n_fields;
    uint32_t *to = s->trainer->columns + first;
    size_t b = 0;
    for (; b + TILE <= n; b += TILE) {
        const uint32_t *tile = from + b * n_fields;
        const uint32_t *next = b + 2 * TILE <= n ? tile + TILE * n_fields : tile;
        for (size_t f = 0; f < n_fields; f++) {
            __builtin_prefetch(to + f * ld + b + TILE, 1);
            __builtin_prefetch(next + f * TILE); /* as many lines as fields */
            turn_line(to + f * ld + b, tile + f, n_fields, TILE);
        }
    }
    for (; b < n; b++)
        for (size_t f = 0; f < n_fields; f++)
            to[f * ld + b] = from[b * n_fields + f];
}

static adass_status run_block(const step *s, size_t first, size_t n, adass_error *err)
{
    adass_trainer *t = s->trainer;
    const adass_kernels *kernels = t->compute.kernels;
    const adass_backbone backbone = t->model->config.backbone;
    adass_block block = block_at(t, first);
    scratch *mine = &t->scratch[omp_get_thread_num()];
    adass_laps *laps = block.laps = &mine->laps;
    block.projected = mine->projected;
    if (t->all.fleeting)
        block.x = mine->x;
    turn_ids(s, first, n);
    adass_dropout dropout = s->dropout;
    dropout.first_sample = first;
    adass_status status =
        adass_forward_block(t->model, kernels, &t->subnet,
                            s->batch->ids + first * t->model->n_fields, n, &dropout, &block, err);
    if (status != ADASS_OK)
        return status;
    kernels->bce(t->losses + first, t->dz + first, block.logits, s->batch->labels + first, n,
                 1.0f / (float)s->batch->n);
    adass_lap(laps, ADASS_PART_LOSS);
    if (adass_backbone_has_mlp(backbone))
        status = backward_mlp(s, &block, first, n, err);
    if (status == ADASS_OK && adass_backbone_has_cross(backbone)) {
        status = adass_cross_backward(&t->subnet, n, &block, t->dz + first, mine->cross,
                                      t->dx + first * t->all.x_ld, err);
        adass_lap(laps, ADASS_PART_BACKWARD_INPUT);
    }
    if (status == ADASS_OK && adass_backbone_has_pairs(backbone)) {
        if (t->by_sample)
            kernels->fm_backward(t->dx + first * t->all.x_ld, t->all.x_ld, t->dz + first, block.x,
                                 block.x_ld, block.sums, block.sums_ld, t->subnet.views,
                                 t->subnet.n_views, n, adass_backbone_has_mlp(backbone));
        else
            scale_rows(block.sums, block.sums_ld, t->dz + first, n, t->subnet.largest);
    }
    adass_lap(laps, ADASS_PART_LOSS);
    if (status == ADASS_OK && block.hooks != NULL && block.hooks->backward != NULL) {
        const adass_packed packed =
            adass_block_packed(t->model, &block, s->batch->ids + first * t->model->n_fields, first,
                               n, t->dx + first * t->all.x_ld);
        block.hooks->backward(block.hooks->user, &packed);
    }
    return status;
}

/* ---- second pass: parameters ---- */

/* The layer's input over the whole batch. */
static const float *layer_input(const adass_trainer *t, size_t layer, size_t *ld)
{
    *ld = layer == 0 ? t->all.x_ld : t->model->layers[layer].inputs;
    return layer == 0 ? t->all.x : t->all.activations[layer - 1];
}

static const float *layer_delta(const adass_trainer *t, size_t layer)
{
    return layer + 1 < t->model->n_layers ? t->deltas[layer] : t->dz;
}

/* Adam on rows [begin, end) of the packed first layer, which lie in the blocks of their fields. */
static void update_first_layer(const step *s, const float *grads, size_t begin, size_t end)
{
    adass_trainer *t = s->trainer;
    const adass_layer *layer = &t->model->layers[0];
    for (size_t v = 0; v < t->subnet.n_views; v++) {
        const adass_field_view *view = &t->subnet.views[v];
        const size_t from = max_size(begin, view->offset);
        const size_t view_end = view->offset + view->size;
        const size_t to = end < view_end ? end : view_end;
        if (from >= to)
            continue;
        const size_t row = t->model->block[t->subnet.field[v]] + from - view->offset;
        const size_t at = row * layer->outputs;
        t->compute.kernels->adam_dense(layer->w + at, layer->w_m + at, layer->w_v + at,
                                       grads + (from - begin) * layer->outputs,
                                       (to - from) * layer->outputs, &s->dense);
    }
}

static adass_status run_weights(const step *s, const param_task *task, scratch *work,
                                adass_error *err)
{
    adass_trainer *t = s->trainer;
    const adass_layer *layer = &t->model->layers[task->index];
    size_t ld;
    const float *input = layer_input(t, task->index, &ld);
    const adass_status status = adass_dense_backward_weights(
        work->grads, input + task->begin, ld, layer_delta(t, task->index), layer->outputs,
        s->batch->n, task->end - task->begin, layer->outputs, err);
    if (status != ADASS_OK)
        return status;
    adass_lap(&work->laps, ADASS_PART_BACKWARD_WEIGHTS);
    if (task->index == 0) {
        update_first_layer(s, work->grads, task->begin, task->end);
    } else {
        const size_t at = task->begin * layer->outputs;
        t->compute.kernels->adam_dense(layer->w + at, layer->w_m + at, layer->w_v + at, work->grads,
                                       (task->end - task->begin) * layer->outputs, &s->dense);
    }
    adass_lap(&work->laps, ADASS_PART_DENSE_UPDATE);
    return ADASS_OK;
}

static void run_bias(const step *s, const param_task *task, scratch *work)
{
    adass_trainer *t = s->trainer;
    const adass_kernels *kernels = t->compute.kernels;
    const adass_layer *layer = &t->model->layers[task->index];
    kernels->column_sums(work->grads, layer_delta(t, task->index), layer->outputs, s->batch->n,
                         layer->outputs);
    kernels->adam_dense(layer->bias, layer->bias_m, layer->bias_v, work->grads, layer->outputs,
                        &s->dense);
    adass_lap(&work->laps, ADASS_PART_BACKWARD_WEIGHTS);
}

static adass_status run_cross_weights(const step *s, const param_task *task, scratch *work,
                                      adass_error *err)
{
    const adass_trainer *t = s->trainer;
    const size_t ld = t->all.x_ld, width = t->subnet.width;
    const float *input = task->index == 0 ? t->all.x : t->all.crossed[task->index - 1];
    const adass_status status = adass_dense_backward_weights(
        work->grads, input + task->begin, ld, t->all.products[task->index], ld, s->batch->n,
        task->end - task->begin, width, err);
    if (status != ADASS_OK)
        return status;
    adass_lap(&work->laps, ADASS_PART_BACKWARD_WEIGHTS);
    adass_cross_update_weights(t->model, &t->subnet, t->compute.kernels,
                               &t->model->cross[task->index], work->grads, task->begin, task->end,
                               &s->dense);
    adass_lap(&work->laps, ADASS_PART_DENSE_UPDATE);
    return ADASS_OK;
}

static void run_cross_bias(const step *s, const param_task *task, scratch *work)
{
    const adass_trainer *t = s->trainer;
    const adass_kernels *kernels = t->compute.kernels;
    const adass_layer *layer = &t->model->cross[task->index];
    kernels->column_sums(work->grads, t->all.products[task->index], t->all.x_ld, s->batch->n,
                         t->subnet.width);
    adass_cross_update_vector(t->model, &t->subnet, kernels,
                              (adass_cross_vector){ layer->bias, layer->bias_m, layer->bias_v },
                              work->grads, &s->dense);
    adass_lap(&work->laps, ADASS_PART_BACKWARD_WEIGHTS);
}

static adass_status run_cross_out(const step *s, scratch *work, adass_error *err)
{
    const adass_trainer *t = s->trainer;
    adass_model *model = t->model;
    const adass_status status =
        adass_dense_backward_weights(work->grads, t->all.crossed[model->n_cross - 1], t->all.x_ld,
                                     t->dz, 1, s->batch->n, t->subnet.width, 1, err);
    if (status != ADASS_OK)
        return status;
    const adass_cross_vector out = { model->cross_out, model->cross_out_m, model->cross_out_v };
    adass_cross_update_vector(model, &t->subnet, t->compute.kernels, out, work->grads, &s->dense);
    adass_lap(&work->laps, ADASS_PART_BACKWARD_WEIGHTS);
    return ADASS_OK;
}

static void run_logit_bias(const step *s)
{
    adass_model *model = s->trainer->model;
    const adass_kernels *kernels = s->trainer->compute.kernels;
    float grad;
    kernels->column_sums(&grad, s->trainer->dz, 1, s->batch->n, 1);
    kernels->adam_dense(&model->bias, &model->bias_m, &model->bias_v, &grad, 1, &s->dense);
}

static void note_gradient(const step *s, const float *grads, size_t n, size_t size, size_t field)
{
    adass_field_gradient *note = &s->gradients[field];
    note->touched = n;
    s->trainer->compute.kernels->column_squares(note->squares, grads, size, n, size);
}

/*
 * FM's gradient of a row, which is the same x for all samples b of its group:
 * sum_b dz[b] (sums[b] - x) = sum_b dz[b] sums[b] - x sum_b dz[b].
 */
static void add_pairs(const step *s, const adass_field_view *view, scratch *work, size_t n)
{
    adass_trainer *t = s->trainer;
    const adass_kernels *kernels = t->compute.kernels;
    const bool has_mlp = !t->all.fleeting, direct = view->type == ADASS_F32;
    float *sums = has_mlp ? work->pairs : work->grads; /* else the gradient is FM's alone */
    kernels->dedup_accumulate(sums, view->size, t->all.sums, t->all.sums_ld, work->group,
                              s->batch->n, view->size);
    kernels->fm_backward_rows(work->grads, sums, work->dlogit, direct ? view->rows : work->rows,
                              direct ? view->stride : view->size, direct ? work->unique : NULL, n,
                              view->size, has_mlp);
}

/* FM's gradient of a field with a map: of the map, which is kept, and of the rows. */
static adass_status add_mapped_pairs(const step *s, size_t v, scratch *work, size_t n,
                                     adass_error *err)
{
    const adass_trainer *t = s->trainer;
    const size_t largest = t->subnet.largest;
    const adass_project_rows field = { .n = n,
                                       .rows = work->rows,
                                       .dlogit = work->dlogit,
                                       .pairs = work->pairs,
                                       .grads = work->grads,
                                       .mapped = work->projected,
                                       .map_grad = work->map_grad };
    t->compute.kernels->dedup_accumulate(work->pairs, largest, t->all.sums, t->all.sums_ld,
                                         work->group, s->batch->n, largest);
    return adass_project_backward(&t->subnet, t->compute.kernels, v, &field, !t->all.fleeting, err);
}

/* Rows ids[n] of w, with `width` of each of Adam's two moments a row, of which Adagrad has the second for its sums. */
static void optimize_rows(const step *s, float *w, size_t stride, float *moments, size_t width,
                          const uint32_t *ids, const float *grads, size_t n, size_t size)
{
    const adass_kernels *kernels = s->trainer->compute.kernels;
    if (s->trainer->config.row_optimizer == ADASS_ROWS_ADAGRAD)
        kernels->adagrad_rows(w, stride, moments + width, 2 * width, ids, grads, size, n, size,
                              &s->adagrad);
    else
        kernels->adam_rows(w, stride, moments, moments + width, 2 * width, ids, grads, size, n,
                           size, &s->embedding);
}

/* The touched rows of a table of 16 bits, which are rounded again when they are stored. */
static void update_halves(const step *s, adass_table *table, scratch *work, size_t n, size_t size,
                          uint32_t key)
{
    enum { AHEAD = 8 };
    static const uint32_t itself = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t row = work->unique[i];
        if (i + AHEAD < n)
            __builtin_prefetch(table->moments + work->unique[i + AHEAD] * 2 * table->width);
        float *m = table->moments + row * 2 * table->width, *x = work->rows + i * size;
        optimize_rows(s, x, size, m, table->width, &itself, work->grads + i * size, 1, size);
        adass_round_stochastic(table->type, (uint16_t *)table->compact + row * table->width, x,
                               size, (uint32_t)(row * ADASS_SIZE_MAX), key);
    }
}

static void update_rows(const step *s, size_t field, scratch *work, size_t n, size_t size)
{
    adass_trainer *t = s->trainer;
    adass_table *table = &t->model->tables[field];
    const adass_step_hooks *hooks = t->config.hooks;
    if (hooks != NULL && hooks->update != NULL)
        hooks->update(hooks->user, field, work->unique, work->grads, n, size);
    else if (table->type == ADASS_F32)
        optimize_rows(s, table->rows, table->width, table->moments, table->width, work->unique,
                      work->grads, n, size);
    else
        update_halves(s, table, work, n, size,
                      (uint32_t)adass_mix_at(t->model->config.seed ^ ROUNDING,
                                             t->model->steps * t->model->n_fields + field));
}

static adass_status run_field(const step *s, const param_task *task, scratch *work,
                              adass_error *err)
{
    adass_trainer *t = s->trainer;
    const adass_kernels *kernels = t->compute.kernels;
    const adass_backbone backbone = t->model->config.backbone;
    const adass_field_view *view = &t->subnet.views[task->index];
    const size_t field = t->subnet.field[task->index];
    const adass_table *table = &t->model->tables[field];
    const bool mapped = adass_subnet_projects(&t->subnet) && t->subnet.map[task->index] != NULL;
    adass_status status = ADASS_OK;
    const size_t n = adass_dedup_ids(work->unique, work->group, t->columns + field * column_ld(t),
                                     1, s->batch->n, table->vocab, work->slots);
    if (table->type != ADASS_F32 || mapped)
        kernels->lookup(work->rows, view->size, view->type, view->rows, view->stride, work->unique,
                        1, n, 1, view->size);
    if (!t->all.fleeting)
        kernels->dedup_accumulate(work->grads, view->size, t->dx + view->offset, t->all.x_ld,
                                  work->group, s->batch->n, view->size);
    if (adass_backbone_has_linear(backbone))
        kernels->linear_backward(work->dlogit, t->dz, work->group, s->batch->n);
    if (mapped)
        status = add_mapped_pairs(s, task->index, work, n, err);
    else if (adass_backbone_has_pairs(backbone) && !t->by_sample)
        add_pairs(s, view, work, n);
    if (status != ADASS_OK)
        return status;
    if (s->gradients != NULL)
        note_gradient(s, work->grads, n, view->size, field);
    adass_lap(&work->laps, ADASS_PART_DEDUP);
    update_rows(s, field, work, n, view->size);
    if (mapped)
        adass_project_update(t->model, &t->subnet, kernels, task->index, work->map_grad, &s->dense);
    if (table->linear != NULL)
        optimize_rows(s, table->linear, 1, table->linear_moments, 1, work->unique, work->dlogit, n,
                      1);
    adass_lap(&work->laps, ADASS_PART_ROW_UPDATE);
    return ADASS_OK;
}

static void add_task(adass_trainer *t, task_kind kind, size_t index, size_t begin, size_t end,
                     double cost)
{
    t->tasks[t->n_tasks++] =
        (param_task){ .kind = kind, .index = index, .begin = begin, .end = end, .cost = cost };
}

/* By falling cost, by insertion: qsort() may allocate, and there are few tasks. */
static void sort_tasks(param_task *tasks, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const param_task task = tasks[i];
        size_t at = i;
        for (; at > 0 && tasks[at - 1].cost < task.cost; at--)
            tasks[at] = tasks[at - 1];
        tasks[at] = task;
    }
}

static void plan_cross_tasks(adass_trainer *t)
{
    const size_t width = t->subnet.width;
    for (size_t i = 0; i < t->model->n_cross; i++) {
        for (size_t row = 0; row < width; row += TASK_ROWS) {
            const size_t end = row + TASK_ROWS < width ? row + TASK_ROWS : width;
            add_task(t, TASK_CROSS_WEIGHTS, i, row, end,
                     (double)(end - row) * (double)width / 16.0);
        }
        add_task(t, TASK_CROSS_BIAS, i, 0, 0, (double)width);
    }
    if (t->model->n_cross > 0)
        add_task(t, TASK_CROSS_OUT, 0, 0, 0, (double)width);
}

/* Of a field: samples that are grouped, and the rows that they touch, of which a small table has few. */
static double field_cost(const adass_trainer *t, size_t view)
{
    const size_t vocab = t->model->tables[t->subnet.field[view]].vocab;
    const double share = (double)vocab / (double)(vocab + t->config.batch_size);
    return 40.0 + (1.0 + 6.0 * share) * (double)t->subnet.views[view].size;
}

static void plan_tasks(adass_trainer *t)
{
    const adass_model *model = t->model;
    t->n_tasks = 0;
    if (t->config.frozen)
        return;
    for (size_t i = 0; i < model->n_layers; i++) {
        const size_t inputs = i == 0 ? t->subnet.width : model->layers[i].inputs;
        const double outputs = (double)model->layers[i].outputs;
        for (size_t row = 0; row < inputs; row += TASK_ROWS) {
            const size_t end = row + TASK_ROWS < inputs ? row + TASK_ROWS : inputs;
            add_task(t, TASK_WEIGHTS, i, row, end, (double)(end - row) * outputs / 16.0);
        }
        add_task(t, TASK_BIAS, i, 0, 0, outputs);
    }
    plan_cross_tasks(t);
    if (model->n_layers == 0)
        add_task(t, TASK_LOGIT_BIAS, 0, 0, 0, 1.0);
    for (size_t v = 0; v < t->subnet.n_views; v++)
        add_task(t, TASK_FIELD, v, 0, 0, field_cost(t, v));
    sort_tasks(t->tasks, t->n_tasks);
}

static adass_status run_task(const step *s, const param_task *task, adass_error *err)
{
    scratch *work = &s->trainer->scratch[omp_get_thread_num()];
    switch (task->kind) {
    case TASK_WEIGHTS:
        return run_weights(s, task, work, err);
    case TASK_BIAS:
        run_bias(s, task, work);
        return ADASS_OK;
    case TASK_CROSS_WEIGHTS:
        return run_cross_weights(s, task, work, err);
    case TASK_CROSS_BIAS:
        run_cross_bias(s, task, work);
        return ADASS_OK;
    case TASK_CROSS_OUT:
        return run_cross_out(s, work, err);
    case TASK_FIELD:
        return run_field(s, task, work, err);
    case TASK_LOGIT_BIAS:
        run_logit_bias(s);
        return ADASS_OK;
    }
    return ADASS_OK;
}

/* ---- the step ---- */

static const char *const row_optimizers[ADASS_N_ROW_OPTIMIZERS] = { "adam", "adagrad" };

const char *adass_row_optimizer_name(adass_row_optimizer optimizer)
{
    return row_optimizers[optimizer];
}

adass_status adass_row_optimizer_parse(const char *name, adass_row_optimizer *out, adass_error *err)
{
    for (size_t i = 0; i < ADASS_N_ROW_OPTIMIZERS; i++)
        if (strcmp(name, row_optimizers[i]) == 0) {
            *out = (adass_row_optimizer)i;
            return ADASS_OK;
        }
    return adass_fail(err, ADASS_EINVAL, "no row optimizer named '%s'; there are adam, adagrad",
                      name);
}

static adass_adam adam_at(const adass_trainer_config *config, uint64_t steps, double l2)
{
    const double t = (double)steps;
    return (adass_adam){
        .step_size = (float)(config->learning_rate / (1.0 - pow(config->beta1, t))),
        .beta1 = (float)config->beta1,
        .beta2 = (float)config->beta2,
        .rest1 = (float)(1.0 - config->beta1),
        .rest2 = (float)(1.0 - config->beta2),
        .epsilon = (float)config->epsilon,
        .inv_sqrt_bc2 = (float)(1.0 / sqrt(1.0 - pow(config->beta2, t))),
        .l2 = (float)l2,
    };
}

static step begin_step(adass_trainer *t, const adass_batch *batch, adass_field_gradient *gradients)
{
    adass_model *model = t->model;
    model->steps += !t->config.frozen;
    step s = {
        .trainer = t,
        .batch = batch,
        .dropout = { .rate = model->config.dropout },
        .dense = adam_at(&t->config, model->steps, 0.0),
        .embedding = adam_at(&t->config, model->steps, t->config.l2),
        .adagrad = { .learning_rate = (float)t->config.row_rate,
                     .epsilon = (float)(t->config.row_epsilon / (double)t->config.batch_size),
                     .l2 = (float)t->config.l2 },
        .gradients = gradients,
    };
    for (uint64_t i = 0; i < ADASS_HIDDEN_MAX; i++)
        s.dropout.keys[i] =
            (uint32_t)adass_mix_at(model->config.seed, model->steps * ADASS_HIDDEN_MAX + i);
    if (gradients != NULL)
        memset(gradients, 0, model->n_fields * sizeof *gradients);
    return s;
}

static double mean_loss(const adass_trainer *t, size_t n)
{
    double sum = 0.0;
    for (size_t b = 0; b < n; b++)
        sum += (double)t->losses[b];
    return sum / (double)n;
}

/* One thread's share of the step. The time between two loops is a wait for the others. */
static adass_status run_share(const step *s, adass_error *err)
{
    adass_trainer *t = s->trainer;
    adass_laps *laps = &t->scratch[omp_get_thread_num()].laps;
    const size_t hidden = t->model->n_layers > 0 ? t->model->n_layers - 1 : 0;
    adass_status status = ADASS_OK;
    adass_lap_begin(laps);
#pragma omp for schedule(dynamic)
    for (size_t i = 0; i < hidden; i++) {
        if (status == ADASS_OK)
            status = adass_subnet_pack(&t->subnet, t->model, i, err);
        adass_lap(laps, ADASS_PART_PACK);
    }
    adass_lap_begin(laps);
#pragma omp for schedule(dynamic)
    for (size_t begin = 0; begin < s->batch->n; begin += ADASS_BLOCK_SAMPLES) {
        const size_t left = s->batch->n - begin;
        if (status == ADASS_OK)
            status =
                run_block(s, begin, left < ADASS_BLOCK_SAMPLES ? left : ADASS_BLOCK_SAMPLES, err);
    }
    adass_lap_begin(laps);
#pragma omp for schedule(dynamic)
    for (size_t i = 0; i < t->n_tasks; i++)
        if (status == ADASS_OK)
            status = run_task(s, &t->tasks[i], err);
    return status;
}

static adass_status run_shares(const step *s, adass_error *err)
{
    adass_status result = ADASS_OK;
    adass_error first = { 0 };
#pragma omp parallel num_threads(s->trainer->compute.threads)
    {
        adass_dense_single_thread();
        adass_error mine = { 0 };
        const adass_status status = run_share(s, &mine);
        if (status != ADASS_OK) {
#pragma omp critical(adass_step)
            {
                result = status;
                first = mine;
            }
        }
    }
    return result == ADASS_OK ? ADASS_OK : adass_fail(err, result, "%s", first.message);
}

adass_status adass_trainer_step(adass_trainer *trainer, const size_t *sizes,
                                const adass_batch *batch, adass_field_gradient *gradients,
                                double *loss, adass_error *err)
{
    adass_trainer *t = trainer;
    const double began = adass_clock_seconds();
    adass_subnet_select(&t->subnet, t->model, sizes);
    plan_tasks(t);
    const step s = begin_step(t, batch, gradients);
    const adass_status status = run_shares(&s, err);
    if (status != ADASS_OK)
        return status;
    *loss = mean_loss(t, batch->n);
    t->seconds += adass_clock_seconds() - began;
    if (!isfinite(*loss))
        return adass_fail(err, ADASS_EINVAL,
                          "the loss of step %llu is not a number: training has diverged; use a "
                          "smaller learning rate",
                          (unsigned long long)t->model->steps);
    return ADASS_OK;
}

static const char *const part_names[ADASS_STEP_PARTS] = {
    [ADASS_PART_PACK] = "pack",
    [ADASS_PART_LOOKUP] = "lookup",
    [ADASS_PART_FORWARD] = "forward",
    [ADASS_PART_LOSS] = "loss",
    [ADASS_PART_BACKWARD_INPUT] = "backward_input",
    [ADASS_PART_BACKWARD_WEIGHTS] = "backward_weights",
    [ADASS_PART_DENSE_UPDATE] = "dense_update",
    [ADASS_PART_DEDUP] = "dedup",
    [ADASS_PART_ROW_UPDATE] = "row_update",
    [ADASS_PART_WAIT] = "wait",
};

const char *adass_step_part_name(adass_step_part part) { return part_names[part]; }

void adass_trainer_seconds(const adass_trainer *trainer, double seconds[ADASS_STEP_PARTS])
{
    double sum = 0.0;
    for (int part = 0; part < ADASS_PART_WAIT; part++) {
        seconds[part] = 0.0;
        for (int i = 0; i < trainer->compute.threads; i++)
            seconds[part] += trainer->scratch[i].laps.seconds[part];
        sum += seconds[part];
    }
    seconds[ADASS_PART_WAIT] = trainer->seconds * trainer->compute.threads - sum;
}
