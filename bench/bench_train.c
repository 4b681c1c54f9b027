/*
 * Families `train`, `supernet`, `predict` and `evaluate`: whole steps of a model with Criteo's
 * fields, and the evaluation of a subnet: the logits of some batches and their AUC. An item is a
 * sample.
 *
 * sizes:masked2-64 is the supernet's step as it is done without slices: all columns of the width are
 * computed, and those beyond the drawn sizes set to zero on the way forward and back.
 *
 * Batches come from a pool that holds more of them than any cache, ids by a power law, so that the
 * tables are touched as in training. Models are made when the first case asks for them and are then
 * shared: a case goes on training where the one before stopped, which costs the same.
 */
#include "axes.h"
#include "harness.h"
#include "shapes.h"
#include "step_rows.h"

#include "adass/metrics.h"
#include "adass/model.h"
#include "adass/rng.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL_BATCHES = 32,
    POOL_ROWS = POOL_BATCHES * BENCH_BATCH,
    CHECKED_SAMPLES = 8,
    EVALUATED_BATCHES = 4 /* for an AUC */
};

/* The kinds of step; the names are the families. */
typedef enum step_kind {
    STEP_TRAIN,
    STEP_SUPERNET,
    STEP_MASKED,
    STEP_PREDICT,
    STEP_EVALUATE,
    STEP_ROWS /* a training step's accesses to tables alone */
} step_kind;

typedef struct variant {
    step_kind kind;
    const char *family;
    adass_backbone backbone;
    size_t width;
    const char *sizes; /* as the name says it */
    bool small;        /* of the small set */
    size_t batch;
    size_t times; /* Criteo's vocabularies, each so many times as large: 1 or LARGE */
} variant;

enum { LARGE = 12 }; /* 10.9 million rows */

static const variant variants[] = {
    { STEP_TRAIN, "train", ADASS_DEEPFM, 16, "size:16", true, BENCH_BATCH, 1 },
    { STEP_TRAIN, "train", ADASS_DEEPFM, 16, "size:16", false, 512, 1 },
    { STEP_TRAIN, "train", ADASS_DEEPFM, 16, "size:16/rows:1.09e7", false, BENCH_BATCH, LARGE },
    { STEP_TRAIN, "train", ADASS_DNN, 16, "size:16", false, BENCH_BATCH, 1 },
    { STEP_TRAIN, "train", ADASS_FM, 16, "size:16", false, BENCH_BATCH, 1 },
    { STEP_ROWS, "limits", ADASS_FM, 16, "what:step_rows/size:16", false, BENCH_BATCH, 1 },
    { STEP_SUPERNET, "supernet", ADASS_DEEPFM, 64, "width:64/sizes:uniform2-64", false, BENCH_BATCH,
      1 },
    { STEP_MASKED, "supernet", ADASS_DEEPFM, 64, "width:64/sizes:masked2-64", false, BENCH_BATCH,
      1 },
    { STEP_PREDICT, "predict", ADASS_DEEPFM, 16, "size:16", false, BENCH_BATCH, 1 },
    { STEP_PREDICT, "predict", ADASS_DEEPFM, 16, "size:16", false, 512, 1 },
    { STEP_PREDICT, "predict", ADASS_DEEPFM, 16, "size:16/rows:1.09e7", false, BENCH_BATCH, LARGE },
    { STEP_EVALUATE, "evaluate", ADASS_DEEPFM, 64, "width:64/sizes:uniform2-64", false, BENCH_BATCH,
      1 },
};

enum { N_VARIANTS = sizeof variants / sizeof variants[0] };

/* Sizes of the supernet's steps: each field's drawn from these. */
static const size_t candidates[] = { 2, 4, 8, 16, 32, 64 };

enum { N_CANDIDATES = sizeof candidates / sizeof candidates[0], MEAN_CANDIDATE = 21 };

typedef struct train train;

typedef struct train_case {
    train *shared;
    const bench_axes *axes;
    const adass_kernels *kernels;
    int threads;
    size_t variant;
} train_case;

struct train {
    adass_model *models[N_VARIANTS];
    uint32_t *ids[2]; /* [POOL_ROWS x BENCH_CRITEO_FIELDS] of the vocabularies, of the large ones */
    float *labels;    /* [POOL_ROWS], a quarter of them 1 */
    bench_step_rows rows;
    train_case cases[N_VARIANTS * BENCH_ISAS_MAX * BENCH_THREADS_MAX];
};

/* One case while it runs. */
typedef struct run {
    const variant *variant;
    adass_model *model;
    adass_compute compute;
    adass_trainer *trainer;
    adass_step_hooks hooks; /* of masked steps */
    adass_rng rng;
    size_t sizes[BENCH_CRITEO_FIELDS];
    float logits[EVALUATED_BATCHES * BENCH_BATCH];
} run;

static size_t vocab_of(const variant *v, size_t f) { return v->times * bench_criteo_vocab[f]; }

static bool make_pool(train *shared, const variant *v)
{
    uint32_t **ids = &shared->ids[v->times == LARGE];
    if (*ids != NULL && shared->labels != NULL)
        return true;
    free(shared->labels);
    *ids = malloc(sizeof **ids * POOL_ROWS * BENCH_CRITEO_FIELDS);
    shared->labels = malloc(sizeof *shared->labels * POOL_ROWS);
    if (*ids == NULL || shared->labels == NULL)
        return false;
    adass_rng rng;
    adass_rng_init(&rng, 1);
    for (size_t i = 0; i < POOL_ROWS; i++) {
        for (size_t f = 0; f < BENCH_CRITEO_FIELDS; f++)
            (*ids)[i * BENCH_CRITEO_FIELDS + f] =
                bench_zipf_id(adass_rng_unit(&rng), vocab_of(v, f));
        shared->labels[i] = adass_rng_unit(&rng) < 0.25 ? 1.0f : 0.0f;
    }
    return true;
}

static adass_status make_model(train *shared, size_t which, adass_error *err)
{
    if (shared->models[which] != NULL)
        return ADASS_OK;
    adass_model_config config = { .backbone = variants[which].backbone,
                                  .n_hidden = BENCH_HIDDEN_LAYERS,
                                  .init_std = 0.01f,
                                  .seed = 1 };
    for (size_t i = 0; i < BENCH_HIDDEN_LAYERS; i++)
        config.hidden[i] = BENCH_HIDDEN;
    size_t widths[BENCH_CRITEO_FIELDS], vocab[BENCH_CRITEO_FIELDS];
    for (size_t f = 0; f < BENCH_CRITEO_FIELDS; f++) {
        widths[f] = variants[which].width;
        vocab[f] = vocab_of(&variants[which], f);
    }
    return adass_model_create(&shared->models[which], &config, BENCH_CRITEO_FIELDS, vocab, widths,
                              err);
}

/* Batch i; an evaluation's reaches into those that follow. */
static adass_batch batch_at(const train *shared, const variant *v, size_t i)
{
    const size_t reach = v->kind == STEP_EVALUATE ? EVALUATED_BATCHES * v->batch : v->batch;
    const size_t first = i * v->batch % (POOL_ROWS - reach + v->batch);
    return (adass_batch){ .n = v->batch,
                          .ids = shared->ids[v->times == LARGE] + first * BENCH_CRITEO_FIELDS,
                          .labels = shared->labels + first };
}

static bool trains(const variant *v)
{
    return v->kind == STEP_TRAIN || v->kind == STEP_SUPERNET || v->kind == STEP_MASKED;
}

static bool is_subnet(const variant *v)
{
    return v->kind == STEP_SUPERNET || v->kind == STEP_MASKED || v->kind == STEP_EVALUATE;
}

/* The sizes of the next step; a subnet's are drawn. */
static void next_sizes(run *r)
{
    for (size_t f = 0; f < BENCH_CRITEO_FIELDS; f++)
        r->sizes[f] = is_subnet(r->variant) ? candidates[adass_rng_below(&r->rng, N_CANDIDATES)]
                                            : r->variant->width;
}

/* Zeroes the columns beyond the drawn sizes, in x or in its gradient. */
static void mask(const run *r, const adass_packed *packed, float *columns)
{
    const size_t width = r->variant->width;
    for (size_t i = 0; i < packed->n; i++)
        for (size_t f = 0; f < BENCH_CRITEO_FIELDS; f++)
            memset(columns + i * packed->ld + f * width + r->sizes[f], 0,
                   (width - r->sizes[f]) * sizeof *columns);
}

static void mask_forward(void *user, const adass_packed *packed) { mask(user, packed, packed->x); }

static void mask_backward(void *user, const adass_packed *packed)
{
    mask(user, packed, packed->dx);
}

/* The AUC of the subnet of the next sizes on the batches from `batch` on. */
static adass_status evaluate(run *r, const adass_batch *batch, double *auc, adass_error *err)
{
    const size_t n = EVALUATED_BATCHES * BENCH_BATCH;
    next_sizes(r);
    const adass_status status =
        adass_model_predict(r->model, &r->compute, r->sizes, batch->ids, n, r->logits, err);
    return status == ADASS_OK ? adass_auc(r->logits, batch->labels, n, auc, err) : status;
}

/* One step; *result is a training step's loss or an evaluation's AUC. */
static adass_status run_step(run *r, const adass_batch *batch, double *result, adass_error *err)
{
    if (r->variant->kind == STEP_PREDICT)
        return adass_model_predict(r->model, &r->compute, r->sizes, batch->ids, batch->n, r->logits,
                                   err);
    if (r->variant->kind == STEP_EVALUATE)
        return evaluate(r, batch, result, err);
    next_sizes(r);
    return adass_trainer_step(r->trainer, r->variant->kind == STEP_MASKED ? NULL : r->sizes, batch,
                              NULL, result, err);
}

/* ---- the check: plain loops in double ---- */

static double plain_mlp(const adass_model *model, const size_t *sizes, const double *x)
{
    double now[BENCH_HIDDEN], next[BENCH_HIDDEN];
    for (size_t l = 0; l < model->n_layers; l++) {
        const adass_layer *layer = &model->layers[l];
        for (size_t o = 0; o < layer->outputs; o++) {
            double sum = (double)layer->bias[o];
            if (l == 0)
                for (size_t f = 0; f < model->n_fields; f++)
                    for (size_t k = 0; k < sizes[f]; k++)
                        sum += x[model->block[f] + k] *
                               (double)layer->w[(model->block[f] + k) * layer->outputs + o];
            else
                for (size_t i = 0; i < layer->inputs; i++)
                    sum += now[i] * (double)layer->w[i * layer->outputs + o];
            next[o] = l + 1 < model->n_layers && sum < 0.0 ? 0.0 : sum;
        }
        for (size_t o = 0; o < layer->outputs; o++)
            now[o] = next[o];
    }
    return now[0];
}

static double plain_pairs(const adass_model *model, const size_t *sizes, const double *x)
{
    double sum = 0.0;
    for (size_t f = 0; f < model->n_fields; f++)
        for (size_t g = 0; g < f; g++)
            for (size_t k = 0; k < sizes[f] && k < sizes[g]; k++)
                sum += x[model->block[f] + k] * x[model->block[g] + k];
    return sum;
}

static double plain_logit(const adass_model *model, const size_t *sizes, const uint32_t *ids)
{
    double x[BENCH_CRITEO_FIELDS * ADASS_SIZE_MAX] = { 0 };
    double z = (double)model->bias;
    for (size_t f = 0; f < model->n_fields; f++) {
        const adass_table *table = &model->tables[f];
        for (size_t k = 0; k < sizes[f]; k++)
            x[model->block[f] + k] = (double)table->rows[ids[f] * table->width + k];
        if (table->linear != NULL)
            z += (double)table->linear[ids[f]];
    }
    if (model->config.backbone != ADASS_DNN)
        z += plain_pairs(model, sizes, x);
    if (model->config.backbone != ADASS_FM)
        z += plain_mlp(model, sizes, x);
    return z;
}

/*
 * Logits of some samples against plain loops, and the training step's loss against the logits' own.
 * Both are steps, so they warm up too.
 */
static adass_status check(run *r, const adass_batch *batch, adass_error *err)
{
    const adass_rng before = r->rng;
    next_sizes(r);
    adass_status status =
        adass_model_predict(r->model, &r->compute, r->sizes, batch->ids, batch->n, r->logits, err);
    if (status != ADASS_OK)
        return status;
    for (size_t i = 0; i < CHECKED_SAMPLES; i++) {
        const double want = plain_logit(r->model, r->sizes, batch->ids + i * BENCH_CRITEO_FIELDS);
        if (!(fabs((double)r->logits[i] - want) <= 1e-4 * (1.0 + fabs(want))))
            return adass_fail(err, ADASS_EINVAL,
                              "wrong result: logit %zu is %g, plain loops give %g", i,
                              (double)r->logits[i], want);
    }
    const double want = adass_logloss(r->logits, batch->labels, batch->n);
    double loss = want;
    r->rng = before; /* the same sizes again */
    status = run_step(r, batch, &loss, err);
    if (r->variant->kind == STEP_EVALUATE)
        return status;
    if (status == ADASS_OK && !(fabs(loss - want) <= 1e-5 * (1.0 + want)))
        return adass_fail(err, ADASS_EINVAL,
                          "wrong result: the step's loss is %g, that of its logits %g", loss, want);
    return status;
}

/* ---- cases ---- */

static adass_status begin(run *r, const train_case *c, adass_error *err)
{
    if (!make_pool(c->shared, r->variant))
        return adass_fail_memory(err, "the batches", 4.0 * POOL_ROWS * (BENCH_CRITEO_FIELDS + 1));
    const adass_status status = make_model(c->shared, c->variant, err);
    if (status != ADASS_OK)
        return status;
    r->model = c->shared->models[c->variant];
    r->compute = (adass_compute){ .kernels = c->kernels, .threads = c->threads };
    adass_rng_init(&r->rng, 2);
    next_sizes(r);
    const bool masked = r->variant->kind == STEP_MASKED;
    r->hooks = (adass_step_hooks){ .user = r, .forward = mask_forward, .backward = mask_backward };
    const adass_trainer_config config = { .batch_size = r->variant->batch,
                                          .hooks = masked ? &r->hooks : NULL,
                                          .learning_rate = 1e-3,
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-8 };
    return adass_trainer_create(&r->trainer, r->model, &r->compute, &config, err);
}

/* Distinct ids of the first batch, field by field. */
static double distinct_ids(const train *shared, const variant *v)
{
    const adass_batch batch = batch_at(shared, v, 0);
    uint32_t *memory = malloc((2 * v->batch + adass_dedup_slots(v->batch)) * sizeof *memory);
    size_t n = 0;
    for (size_t f = 0; memory != NULL && f < BENCH_CRITEO_FIELDS; f++)
        n += adass_dedup_ids(memory, memory + v->batch, batch.ids + f, BENCH_CRITEO_FIELDS,
                             v->batch, vocab_of(v, f), memory + 2 * v->batch);
    free(memory);
    return (double)n;
}

static void add_rows(bench_cost *cost, double count, size_t bytes, bool written)
{
    bench_rows *rows = &cost->rows[cost->n_rows++];
    *rows = cost->rows[0];
    rows->count = count;
    rows->bytes = bytes;
    rows->distinct = written ? BENCH_BATCH * BENCH_CRITEO_FIELDS : 0;
    rows->written = written;
}

/*
 * One thread's share of a step: the lookups and the products, forward and (twice) backward, and the
 * rows changed, which are two: weights and moments. So it is with first-order weights.
 */
static bench_cost cost_of(const train *shared, const variant *v, int threads)
{
    const size_t size =
        v->kind == STEP_SUPERNET || v->kind == STEP_EVALUATE ? MEAN_CANDIDATE : v->width;
    double products = 0.0, inputs = (double)(BENCH_CRITEO_FIELDS * size);
    for (size_t l = 0; l < BENCH_HIDDEN_LAYERS; l++, inputs = BENCH_HIDDEN)
        products += inputs * BENCH_HIDDEN;
    products = v->backbone == ADASS_FM ? 0.0 : products + BENCH_HIDDEN;
    size_t rows = 0;
    for (size_t f = 0; f < BENCH_CRITEO_FIELDS; f++)
        rows += vocab_of(v, f);
    const double passes = trains(v) ? 3.0 : 1.0;
    const double samples =
        (double)(v->kind == STEP_EVALUATE ? EVALUATED_BATCHES * v->batch : v->batch);
    bench_cost cost =
        bench_cost_model(samples / threads, products, passes, BENCH_CRITEO_FIELDS, rows,
                         size * sizeof(float) / BENCH_LINE_BYTES * BENCH_LINE_BYTES);
    const bool linear = v->backbone != ADASS_DNN;
    if (linear)
        add_rows(&cost, cost.rows[0].count, sizeof(float), false);
    const double distinct = trains(v) ? distinct_ids(shared, v) / threads : 0.0;
    for (size_t moments = 0; trains(v) && moments < 2; moments++) {
        add_rows(&cost, distinct, cost.rows[0].bytes * (1 + moments), true);
        if (linear)
            add_rows(&cost, distinct, sizeof(float) * (1 + moments), true);
    }
    return cost;
}

/* Each part's share of the steps' time, as counters. */
static void set_parts(adass_bench_state *state, const adass_trainer *trainer)
{
    double seconds[ADASS_STEP_PARTS], sum = 0.0;
    adass_trainer_seconds(trainer, seconds);
    for (int i = 0; i < ADASS_STEP_PARTS; i++)
        sum += seconds[i];
    for (int i = 0; i < ADASS_STEP_PARTS; i++) {
        char name[64];
        snprintf(name, sizeof name, "part_%s", adass_step_part_name((adass_step_part)i));
        adass_bench_set_counter(state, name, seconds[i] / sum);
    }
}

/* Prefetched so far ahead as is best here: of 16, 32 and 64 places, each over all batches. */
static size_t best_ahead(const bench_step_rows *rows, const bench_limit_loops *loops, int threads)
{
    double least = INFINITY;
    size_t best = 0;
    for (size_t ahead = 16; ahead <= 64; ahead *= 2) {
        const double began = omp_get_wtime();
        for (size_t i = 0; i < rows->n_batches; i++)
            bench_step_rows_run(rows, loops, i, threads, ahead);
        const double seconds = omp_get_wtime() - began;
        best = seconds < least ? ahead : best;
        least = seconds < least ? seconds : least;
    }
    return best;
}

static void run_rows(adass_bench_state *state, void *user)
{
    const train_case *c = user;
    train *shared = c->shared;
    const variant *v = &variants[c->variant];
    const bench_limit_loops *loops = bench_limit_loops_get(c->kernels->isa);
    adass_error err;
    adass_status status = make_model(shared, c->variant, &err);
    if (status == ADASS_OK && shared->rows.lines == NULL &&
        !(make_pool(shared, v) && bench_step_rows_make(&shared->rows, shared->models[c->variant],
                                                       shared->ids[0], v->batch, POOL_BATCHES)))
        status = adass_fail_memory(&err, "lists of rows", 0.0);
    if (status != ADASS_OK)
        adass_bench_skip(state, "%s", err.message);
    const size_t ahead = status == ADASS_OK ? best_ahead(&shared->rows, loops, c->threads) : 0;
    for (size_t i = 0; status == ADASS_OK && adass_bench_next(state); i++)
        bench_step_rows_run(&shared->rows, loops, i, c->threads, ahead);
    adass_bench_set_items(state, (double)v->batch);
    adass_bench_set_counter(state, "ahead", (double)ahead);
}

static void run_case(adass_bench_state *state, void *user)
{
    const train_case *c = user;
    adass_error err;
    run r = { .variant = &variants[c->variant] };
    adass_batch batch;
    adass_status status = begin(&r, c, &err);
    if (status == ADASS_OK) {
        batch = batch_at(c->shared, r.variant, 0);
        status = check(&r, &batch, &err);
    }
    double loss = 0.0;
    for (size_t i = 1; status == ADASS_OK && adass_bench_next(state); i++) {
        batch = batch_at(c->shared, r.variant, i);
        status = run_step(&r, &batch, &loss, &err);
    }
    if (status != ADASS_OK)
        adass_bench_skip(state, "%s", err.message);
    const bench_cost cost = cost_of(c->shared, r.variant, c->threads);
    const bench_runner runner = bench_axes_runner(c->axes, c->axes->isas[0]->isa, c->threads);
    const bench_limit limit = bench_rates_limit(c->axes->rates, &cost, &runner);
    adass_bench_set_items(state, cost.items * c->threads);
    bench_set_limit(state, &limit, 1.0);
    if (status == ADASS_OK && trains(r.variant))
        set_parts(state, r.trainer);
    adass_trainer_destroy(r.trainer);
}

static void register_case(train *shared, train_case *c)
{
    c->shared = shared;
    const variant *v = &variants[c->variant];
    char name[BENCH_NAME_CHARS];
    snprintf(name, sizeof name,
             "%s/isa:%s/type:f32/backbone:%s/shape:criteo/%s/batch:%zu/threads:%d", v->family,
             c->kernels->isa, adass_backbone_name(v->backbone), v->sizes, v->batch, c->threads);
    adass_bench_register(&(adass_bench_case){ .name = name,
                                              .run = v->kind == STEP_ROWS ? run_rows : run_case,
                                              .user = c,
                                              .threads = c->threads,
                                              .small = v->small });
}

static void *create(const bench_axes *axes)
{
    train *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    train_case *next = shared->cases;
    for (size_t v = 0; v < N_VARIANTS; v++)
        for (size_t i = 0; i < axes->n_isas; i++)
            for (size_t t = 0; t < axes->n_threads; t++, next++) {
                *next = (train_case){ .axes = axes,
                                      .kernels = axes->isas[i],
                                      .threads = axes->threads[t],
                                      .variant = v };
                register_case(shared, next);
            }
    return shared;
}

static void destroy(void *user)
{
    train *shared = user;
    if (shared == NULL)
        return;
    for (size_t i = 0; i < N_VARIANTS; i++)
        adass_model_destroy(shared->models[i]);
    bench_step_rows_free(&shared->rows);
    free(shared->ids[0]);
    free(shared->ids[1]);
    free(shared->labels);
    free(shared);
}

const bench_family bench_train = { create, destroy };
