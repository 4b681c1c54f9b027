/*
 * DimGrow (arXiv 2505.12683; its gates are Shuffle Gate's, arXiv 2503.09315). Every field begins at
 * size 1. A column j of field f passes a gate g = sigmoid(5 theta): the model sees
 * g x + (1 - g) x', x' being the column shuffled over samples, so that a closed gate leaves the
 * column's distribution but no information. A penalty pulls gates down. A field whose gates are all
 * above 0.6 grows by a column, one with a gate below 0.01 gives its last one up. At the end the size
 * is the number of columns with theta > 0, and the model is trained anew.
 *
 * Ours: the budget is of parameters instead of columns; samples are shuffled within blocks of 256, for all
 * columns by one order that each begins at another place; the penalty's weight, which the paper tunes for each dataset
 * (0.005 to 0.1), is 0.0002 on every one. Adam moves a gate as far for a small gradient as for a large one, so
 * at 0.02 the penalty holds FM's gates, whose columns begin near 0, before these have learnt anything. For the
 * same reason a gate opens within some 80 steps at a learning rate of 1e-3, whatever its column is worth: sizes
 * depend on how long the model trains until its validation AUC falls, too.
 */
#include "methods/steps.h"

#include "adass/memory.h"
#include "adass/rng.h"
#include "forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SLOPE = 5.0, OPEN = 0.6, CLOSED = 0.01, PENALTY = 0.1 * 0.0002;

/* A column's gate, with Adam's moments. */
typedef struct gate {
    double theta, m, v, open; /* open: sigmoid(SLOPE theta) */
} gate;

typedef struct growth {
    const adass_method_setting *setting;
    size_t n_fields, width; /* width: the largest size */
    size_t *sizes;          /* [n_fields]: columns in use */
    uint64_t params;        /* of the sizes */
    gate *gates;            /* [n_fields x width] */
    gate **packed;          /* [n_packed]: gates of the packed columns, for this step */
    size_t n_packed, max_packed;
    float *difference; /* [batch x max_packed]: x - x' */
    double *by_block;  /* [blocks x max_packed]: dL/dg of each block's samples */
    uint64_t seed;
    double best; /* validation AUC of an epoch's end so far */
    uint64_t best_epoch;
    adass_steps steps;
    adass_step_hooks hooks;
    adass_model *model;
    adass_evaluator *valid;
} growth;

/* ---- the gates, between tables and model ---- */

static void shuffle(uint16_t *order, size_t n, uint64_t seed)
{
    adass_rng rng;
    adass_rng_init(&rng, seed);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint16_t)i;
    for (size_t i = n; i > 1; i--) {
        const size_t other = (size_t)adass_rng_below(&rng, i);
        const uint16_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static void pass_gates(void *user, const adass_packed *p)
{
    growth *g = user;
    uint16_t order[ADASS_BLOCK_SAMPLES];
    const uint64_t key = adass_mix_at(adass_mix_at(g->seed, p->step), p->block);
    shuffle(order, p->n, key);
    for (size_t j = 0; j < g->n_packed; j++) {
        float *difference = g->difference + p->first * g->max_packed + j;
        const float open = (float)g->packed[j]->open;
        const size_t begin = (size_t)(adass_mix_at(key, j) % p->n);
        for (size_t b = 0; b < p->n; b++) {
            const size_t at = begin + b < p->n ? begin + b : begin + b - p->n;
            difference[b * g->max_packed] = p->x[b * p->ld + j] - p->x[order[at] * p->ld + j];
        }
        for (size_t b = 0; b < p->n; b++) /* x' + g (x - x') = x - (1 - g) (x - x') */
            p->x[b * p->ld + j] -= (1.0f - open) * difference[b * g->max_packed];
    }
}

static void pass_back(void *user, const adass_packed *p)
{
    growth *g = user;
    double *sums = g->by_block + p->block * g->max_packed;
    memset(sums, 0, g->n_packed * sizeof *sums);
    for (size_t b = 0; b < p->n; b++) {
        const float *difference = g->difference + (p->first + b) * g->max_packed;
        float *dx = p->dx + b * p->ld;
        for (size_t j = 0; j < g->n_packed; j++) {
            sums[j] += (double)dx[j] * (double)difference[j];
            dx[j] *= (float)g->packed[j]->open; /* no gradient goes to the shuffled samples */
        }
    }
}

/* The gates of the columns in use, field after field. */
static void pack_gates(void *user)
{
    growth *g = user;
    g->n_packed = 0;
    for (size_t f = 0; f < g->n_fields; f++)
        for (size_t j = 0; j < g->sizes[f]; j++) {
            gate *x = &g->gates[f * g->width + j];
            x->open = 1.0 / (1.0 + exp(-SLOPE * x->theta));
            g->packed[g->n_packed++] = x;
        }
}

/* Adam on one gate. */
static void move_gate(const adass_trainer_config *c, uint64_t steps, gate *x, double gradient)
{
    x->m = c->beta1 * x->m + (1.0 - c->beta1) * gradient;
    x->v = c->beta2 * x->v + (1.0 - c->beta2) * gradient * gradient;
    const double m = x->m / (1.0 - pow(c->beta1, (double)steps)),
                 v = x->v / (1.0 - pow(c->beta2, (double)steps));
    x->theta -= c->learning_rate * m / (sqrt(v) + c->epsilon);
}

static void update_gates(growth *g, size_t samples)
{
    const size_t blocks = (samples + ADASS_BLOCK_SAMPLES - 1) / ADASS_BLOCK_SAMPLES;
    for (size_t j = 0; j < g->n_packed; j++) {
        gate *x = g->packed[j];
        const size_t column = (size_t)(x - g->gates) % g->width + 1;
        double gradient = PENALTY / (double)(column * g->n_packed);
        for (size_t i = 0; i < blocks; i++)
            gradient += g->by_block[i * g->max_packed + j];
        move_gate(&g->setting->config->train.step, g->steps.done, x,
                  gradient * SLOPE * x->open * (1.0 - x->open));
    }
}

/* ---- growing and shrinking ---- */

static void resize_field(growth *g, size_t f)
{
    gate *gates = g->gates + f * g->width;
    const size_t vocab = g->setting->vocab[f];
    double least = 1.0;
    for (size_t j = 0; j < g->sizes[f]; j++)
        least = fmin(least, gates[j].open);
    if (least > OPEN && g->sizes[f] < g->width && g->params + vocab <= g->setting->config->budget) {
        gates[g->sizes[f]++] = (gate){ 0 };
        g->params += vocab;
    } else if (least < CLOSED && g->sizes[f] > 1) {
        g->sizes[f]--;
        g->params -= vocab;
    }
}

/* Each step begins with another field, so that none is always first at the budget. */
static void resize(growth *g)
{
    for (size_t i = 0; i < g->n_fields; i++)
        resize_field(g, (size_t)((g->steps.done + i) % g->n_fields));
}

static adass_status after_step(void *user, size_t samples, adass_error *err)
{
    (void)err;
    growth *g = user;
    update_gates(g, samples);
    resize(g);
    return ADASS_OK;
}

/* Stops as training does. */
static adass_status end_epoch(void *user, adass_error *err)
{
    growth *g = user;
    adass_metrics now;
    const adass_status status = adass_evaluator_measure(g->valid, g->model, g->sizes, &now, err);
    if (status != ADASS_OK)
        return status;
    if (now.auc > g->best) {
        g->best = now.auc;
        g->best_epoch = g->steps.epoch;
    }
    g->steps.stop = g->steps.epoch >= g->best_epoch + g->setting->config->train.patience;
    return ADASS_OK;
}

static void list_state(void *user, adass_state *state)
{
    growth *g = user;
    adass_state_add_f64(state, "best", &g->best, 1);
    adass_state_add_u64(state, "best_epoch", &g->best_epoch, 1);
    adass_state_add_u64(state, "params", &g->params, 1);
    adass_state_add_u8(state, "sizes", (uint8_t *)g->sizes, g->n_fields * sizeof *g->sizes);
    adass_state_add_f64(state, "gates", &g->gates->theta,
                        g->max_packed * (sizeof(gate) / sizeof(double)));
    adass_state_add_model(state, g->model);
}

/* ---- the method ---- */

static adass_status check_budget(const growth *g, adass_error *err)
{
    const uint64_t budget = g->setting->config->budget;
    return g->params <= budget
               ? ADASS_OK
               : adass_fail(err, ADASS_EINVAL,
                            "method 'dimgrow' cannot keep a budget of %llu parameters: it begins "
                            "with size 1 in every field, %llu parameters; raise the budget",
                            (unsigned long long)budget, (unsigned long long)g->params);
}

static adass_status allocate(growth *g, adass_error *err)
{
    const size_t batch = g->setting->config->train.step.batch_size;
    const size_t blocks = (batch + ADASS_BLOCK_SAMPLES - 1) / ADASS_BLOCK_SAMPLES;
    g->max_packed = g->n_fields * g->width;
    g->gates = calloc(g->max_packed, sizeof *g->gates);
    g->packed = calloc(g->max_packed, sizeof *g->packed);
    g->difference = adass_alloc(batch * g->max_packed * sizeof *g->difference);
    g->by_block = calloc(blocks * g->max_packed, sizeof *g->by_block);
    return g->gates != NULL && g->packed != NULL && g->difference != NULL && g->by_block != NULL
               ? ADASS_OK
               : adass_fail_memory(err, "the gates", (double)(batch * g->max_packed) * 4.0);
}

static adass_status open(growth *g, adass_error *err)
{
    const adass_method_setting *s = g->setting;
    adass_trainer_config step = s->config->train.step;
    step.hooks = &g->hooks;
    g->steps = (adass_steps){ .setting = s,
                              .seed = g->seed,
                              .epochs = s->config->train.max_epochs,
                              .stage = "dimgrow",
                              .sizes = g->sizes,
                              .before = pack_gates,
                              .after = after_step,
                              .end_epoch = end_epoch,
                              .list = list_state,
                              .user = g };
    adass_status status = adass_method_create_largest(s, &g->model, err);
    if (status == ADASS_OK)
        status = adass_trainer_create(&g->steps.trainer, g->model, s->compute, &step, err);
    if (status == ADASS_OK)
        status =
            adass_batches_open(&g->steps.batches, s->dataset, ADASS_TRAIN, step.batch_size, 0, err);
    if (status == ADASS_OK)
        status = adass_evaluator_open(&g->valid, s->dataset, ADASS_VALID, 0, s->compute, err);
    return status;
}

/* The open columns; where none is, the field with the most open one keeps that. */
static void take_sizes(const growth *g, size_t *sizes)
{
    size_t total = 0, best = 0;
    for (size_t f = 0; f < g->n_fields; f++) {
        const size_t in_use = sizes[f];
        sizes[f] = 0;
        for (size_t j = 0; j < in_use; j++)
            sizes[f] += g->gates[f * g->width + j].theta > 0.0;
        total += sizes[f];
        if (g->gates[f * g->width].theta > g->gates[best * g->width].theta)
            best = f;
    }
    if (total == 0)
        sizes[best] = 1;
}

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    const adass_candidates *candidates = &setting->config->candidates;
    growth g = { .setting = setting,
                 .n_fields = setting->dataset->n_fields,
                 .width = candidates->sizes[candidates->n - 1],
                 .sizes = sizes,
                 .seed = adass_seed_derive(setting->config->seed, ADASS_SEED_PRETRAIN),
                 .best = -1.0 };
    g.hooks = (adass_step_hooks){ .user = &g, .forward = pass_gates, .backward = pass_back };
    for (size_t f = 0; f < g.n_fields; f++)
        sizes[f] = 1;
    g.params = adass_sizes_params(setting->vocab, sizes, g.n_fields);
    adass_status status = check_budget(&g, err);
    if (status == ADASS_OK)
        status = allocate(&g, err);
    if (status == ADASS_OK)
        status = open(&g, err);
    if (status == ADASS_OK)
        status = adass_steps_run(&g.steps, err);
    if (status == ADASS_OK) {
        take_sizes(&g, sizes);
        found->search_seconds = adass_keeper_seconds(&g.steps.keeper);
    }
    adass_evaluator_close(g.valid);
    adass_batches_close(g.steps.batches);
    adass_trainer_destroy(g.steps.trainer);
    adass_model_destroy(g.model);
    free(g.gates);
    free(g.packed);
    free(g.difference);
    free(g.by_block);
    return status;
}

const adass_method_kind adass_method_dimgrow = {
    .name = "dimgrow",
    .searches = true,
    .cannot_drop = true,
    .pretrains = true,
    .for_budget = true,
    .find = find,
};
