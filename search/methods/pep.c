/*
 * PEP, plug-in embedding pruning (Liu et al., ICLR 2021, arXiv 2101.07577): every embedding weight e
 * has a learned threshold, w = sign(e) max(|e| - sigmoid(s), 0). Adam with L2 on all of e and s, also
 * of rows that a batch does not touch, pulls s up; when the non-zero weights have come down to the
 * budget, their places are the mask. The masked model is trained anew from its start values.
 *
 * Ours: the thresholds start at a hundredth of the start values' spread, and s has a learning rate of
 * its own, with which its drift, about the learning rate a step, brings them to that spread in five
 * epochs, however many steps an epoch has (the paper tunes the start a dataset); should the budget
 * not be reached within the run's epochs, the smallest weights are cut from the mask.
 */
#include "methods/pep.h"

#include "adass/memory.h"
#include "adass/rng.h"
#include "methods/magprune.h"
#include "methods/steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS_TO_SPREAD = 5 };
static const double FIRST_THRESHOLD = 0.01; /* of the start values' spread */

static double sigmoid(double s) { return 1.0 / (1.0 + exp(-s)); }

static double logit(double p) { return log(p / (1.0 - p)); }

double adass_pep_weight(adass_pep p)
{
    const double left = fabs(p.e) - sigmoid(p.s);
    return left > 0.0 ? copysign(left, p.e) : 0.0;
}

adass_pep adass_pep_gradient(adass_pep p, double by_weight)
{
    const double threshold = sigmoid(p.s);
    if (fabs(p.e) <= threshold)
        return (adass_pep){ 0.0, 0.0 };
    return (adass_pep){ .e = by_weight,
                        .s = -copysign(1.0, p.e) * threshold * (1.0 - threshold) * by_weight };
}

/* ---- the search of the mask ---- */

/* A weight with Adam's moments; floats, for there is one for every weight of the tables. */
typedef struct cell {
    float e, s, e_m, e_v, s_m, s_v;
} cell;

typedef struct pruning {
    const adass_method_setting *setting;
    adass_model *model;   /* whose rows are the thresholded weights */
    cell **cells;         /* [n_fields]: [vocab x width] */
    uint32_t **batch_row; /* [n_fields]: [vocab]: number of the row in the batch + 1, or 0 */
    double s_rate;        /* learning rate of s */
    uint64_t *non_zeros;  /* [n_fields] */
    adass_steps steps;
} pruning;

typedef struct adam {
    double beta1, beta2, epsilon, l2, e_step, s_step, inv_bc2;
} adam;

static adam adam_now(const pruning *x)
{
    const adass_trainer_config *c = &x->setting->config->train.step;
    const double t = (double)x->model->steps;
    return (adam){ .beta1 = c->beta1,
                   .beta2 = c->beta2,
                   .epsilon = c->epsilon,
                   .l2 = c->l2,
                   .e_step = c->learning_rate / (1.0 - pow(c->beta1, t)),
                   .s_step = x->s_rate / (1.0 - pow(c->beta1, t)),
                   .inv_bc2 = 1.0 / (1.0 - pow(c->beta2, t)) };
}

static float move(const adam *a, double step, float value, float *m, float *v, double gradient)
{
    const double g = gradient + a->l2 * (double)value;
    const double first = a->beta1 * (double)*m + (1.0 - a->beta1) * g,
                 second = a->beta2 * (double)*v + (1.0 - a->beta2) * g * g;
    *m = (float)first;
    *v = (float)second;
    return (float)((double)value - step * first / (sqrt(second * a->inv_bc2) + a->epsilon));
}

/* Adam on e and s of one weight, which is returned. */
static float update_cell(const adam *a, cell *c, double by_weight)
{
    const adass_pep g = adass_pep_gradient((adass_pep){ (double)c->e, (double)c->s }, by_weight);
    c->e = move(a, a->e_step, c->e, &c->e_m, &c->e_v, g.e);
    c->s = move(a, a->s_step, c->s, &c->s_m, &c->s_v, g.s);
    return (float)adass_pep_weight((adass_pep){ (double)c->e, (double)c->s });
}

/* The whole table, for L2 moves the rows that are not in the batch too. */
static void update_table(void *user, size_t f, const uint32_t *rows, const float *grads, size_t n,
                         size_t size)
{
    pruning *x = user;
    adass_table *t = &x->model->tables[f];
    const adam a = adam_now(x);
    uint32_t *batch_row = x->batch_row[f];
    uint64_t non_zeros = 0;
    for (size_t i = 0; i < n; i++)
        batch_row[rows[i]] = (uint32_t)i + 1;
    for (size_t row = 0; row < t->vocab; row++) {
        const float *g = batch_row[row] > 0 ? grads + (batch_row[row] - 1) * size : NULL;
        for (size_t k = 0; k < size; k++) {
            const size_t at = row * t->width + k;
            t->rows[at] = update_cell(&a, &x->cells[f][at], g != NULL ? (double)g[k] : 0.0);
            non_zeros += t->rows[at] != 0.0f;
        }
    }
    for (size_t i = 0; i < n; i++)
        batch_row[rows[i]] = 0;
    x->non_zeros[f] = non_zeros;
}

static adass_status look_at_budget(void *user, size_t samples, adass_error *err)
{
    (void)samples;
    (void)err;
    pruning *x = user;
    uint64_t non_zeros = 0;
    for (size_t f = 0; f < x->model->n_fields; f++)
        non_zeros += x->non_zeros[f];
    x->steps.stop = non_zeros <= x->setting->config->budget;
    return ADASS_OK;
}

static void list_state(void *user, adass_state *state)
{
    pruning *x = user;
    adass_state_add_model(state, x->model);
    for (size_t f = 0; f < x->model->n_fields; f++) {
        const adass_table *t = &x->model->tables[f];
        char name[32];
        snprintf(name, sizeof name, "pep.%zu", f);
        adass_state_add_f32(state, name, &x->cells[f]->e,
                            t->vocab * t->width * (sizeof(cell) / sizeof(float)));
    }
}

static adass_status start_cells(pruning *x, double s0, adass_error *err)
{
    const size_t n = x->model->n_fields;
    x->cells = calloc(n, sizeof *x->cells);
    x->batch_row = calloc(n, sizeof *x->batch_row);
    x->non_zeros = calloc(n, sizeof *x->non_zeros);
    bool complete = x->cells != NULL && x->batch_row != NULL && x->non_zeros != NULL;
    for (size_t f = 0; f < n && complete; f++) {
        adass_table *t = &x->model->tables[f];
        x->cells[f] = adass_alloc(t->vocab * t->width * sizeof *x->cells[f]);
        x->batch_row[f] = calloc(t->vocab, sizeof *x->batch_row[f]);
        complete = x->cells[f] != NULL && x->batch_row[f] != NULL;
        for (size_t i = 0; i < t->vocab * t->width && complete; i++) {
            x->cells[f][i] = (cell){ .e = t->rows[i], .s = (float)s0 };
            t->rows[i] = (float)adass_pep_weight((adass_pep){ (double)t->rows[i], s0 });
        }
    }
    return complete ? ADASS_OK : adass_fail_memory(err, "the thresholds", 65536.0);
}

static void free_cells(pruning *x)
{
    for (size_t f = 0; x->cells != NULL && x->batch_row != NULL && f < x->model->n_fields; f++) {
        free(x->cells[f]);
        free(x->batch_row[f]);
    }
    free(x->cells);
    free(x->batch_row);
    free(x->non_zeros);
}

static adass_status prune(pruning *x, const adass_step_hooks *hooks, adass_error *err)
{
    const adass_run_config *config = x->setting->config;
    adass_trainer_config step = config->train.step;
    adass_steps *steps = &x->steps;
    *steps = (adass_steps){ .setting = x->setting,
                            .seed = adass_seed_derive(config->seed, ADASS_SEED_PRETRAIN),
                            .epochs = config->train.max_epochs,
                            .stage = "pep",
                            .after = look_at_budget,
                            .list = list_state,
                            .user = x };
    step.hooks = hooks;
    adass_status status =
        adass_trainer_create(&steps->trainer, x->model, x->setting->compute, &step, err);
    if (status == ADASS_OK)
        status = adass_batches_open(&steps->batches, x->setting->dataset, ADASS_TRAIN,
                                    step.batch_size, 0, err);
    if (status == ADASS_OK) {
        /* thresholds lie between 0 and 1, whatever the spread is */
        const double spread = fmin(fmax((double)config->model.init_std, 1e-6), 0.5);
        const double first = logit(FIRST_THRESHOLD * spread);
        const double drift_steps = (double)(EPOCHS_TO_SPREAD * adass_batches_count(steps->batches));
        x->s_rate = (logit(spread) - first) / drift_steps;
        status = start_cells(x, first, err);
    }
    if (status == ADASS_OK)
        status = adass_steps_run(steps, err);
    adass_batches_close(steps->batches);
    adass_trainer_destroy(steps->trainer);
    return status;
}

/* ---- training under the mask ---- */

typedef struct mask {
    const adass_model *pruned; /* zero where the mask is */
} mask;

/* No gradient reaches a masked weight, which is 0: so it stays, with and without L2. */
static void mask_gradient(void *user, const adass_packed *p)
{
    const mask *m = user;
    const size_t n_fields = m->pruned->n_fields;
    for (size_t b = 0; b < p->n; b++) {
        float *dx = p->dx + b * p->ld;
        for (size_t f = 0; f < n_fields; f++) {
            const adass_table *t = &m->pruned->tables[f];
            const float *row = t->rows + p->ids[b * n_fields + f] * t->width;
            for (size_t k = 0; k < t->width; k++)
                dx[k] = row[k] != 0.0f ? dx[k] : 0.0f;
            dx += t->width;
        }
    }
}

static adass_status train_masked(const adass_method_setting *setting, const adass_model *pruned,
                                 adass_model *model, adass_run_result *out, adass_error *err)
{
    mask m = { .pruned = pruned };
    const adass_step_hooks hooks = { .user = &m, .backward = mask_gradient };
    for (size_t f = 0; f < model->n_fields; f++) {
        adass_table *t = &model->tables[f];
        for (size_t i = 0; i < t->vocab * t->width; i++)
            t->rows[i] = pruned->tables[f].rows[i] != 0.0f ? t->rows[i] : 0.0f;
    }
    return adass_method_train(setting, ADASS_STAGE_TRAIN, &hooks, model, out, err);
}

static adass_status train(const adass_method_setting *setting, adass_model *model,
                          adass_run_result *out, adass_error *err)
{
    const size_t n = setting->dataset->n_fields;
    pruning x = { .setting = setting };
    const adass_step_hooks hooks = { .user = &x, .update = update_table };
    size_t *widths = calloc(n, sizeof *widths);
    if (widths == NULL)
        return adass_fail_memory(err, "a model's sizes", (double)n * 8.0);
    for (size_t f = 0; f < n; f++)
        widths[f] = model->tables[f].width;
    /* of the same start values as the model that is trained anew */
    adass_status status =
        adass_model_create(&x.model, &model->config, n, setting->vocab, widths, err);
    free(widths);
    if (status == ADASS_OK)
        status = prune(&x, &hooks, err);
    if (status == ADASS_OK) {
        adass_magnitude_prune(x.model, setting->config->budget);
        out->found.search_seconds = adass_keeper_seconds(&x.steps.keeper);
        out->seconds += out->found.search_seconds;
        status = train_masked(setting, x.model, model, out, err);
    }
    if (status == ADASS_OK)
        adass_method_count_non_zeros(model, setting->vocab, out);
    if (x.model != NULL)
        free_cells(&x);
    adass_model_destroy(x.model);
    return status;
}

const adass_method_kind adass_method_pep = {
    .name = "pep",
    .searches = true,
    .pretrains = true,
    .for_budget = true,
    .find = adass_method_find_largest,
    .train = train,
};
