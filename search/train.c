/* Training with early stopping. */
#include "adass/train.h"

#include "state.h"

#include <stdio.h>
#include <stdlib.h>

/* How far training is, and its best epoch so far. */
typedef struct progress {
    uint64_t epoch, batch; /* over: whole epochs, and batches of the one after */
    uint64_t best_epoch;   /* from 1 on; 0 before the first */
    uint64_t window_rows;  /* which decide the order of the rows */
    double loss_sum;       /* of those batches */
    adass_metrics last, best;
} progress;

typedef struct run {
    adass_model *model;
    float *best; /* the parameters of the best epoch */
    const adass_train_config *config;
    const adass_monitor *monitor;
    adass_batches *batches;
    adass_evaluator *valid;
    adass_trainer *trainer;
    adass_keeper keeper;
    progress at;
} run;

static void list_state(void *user, adass_state *state)
{
    run *r = user;
    progress *at = &r->at;
    adass_state_add_u64(state, "epoch", &at->epoch, 1);
    adass_state_add_u64(state, "batch", &at->batch, 1);
    adass_state_add_u64(state, "best_epoch", &at->best_epoch, 1);
    adass_state_add_u64(state, "window_rows", &at->window_rows, 1);
    adass_state_add_f64(state, "loss_sum", &at->loss_sum, 1);
    adass_state_add_f64(state, "last.auc", &at->last.auc, 1);
    adass_state_add_f64(state, "last.logloss", &at->last.logloss, 1);
    adass_state_add_f64(state, "best.auc", &at->best.auc, 1);
    adass_state_add_f64(state, "best.logloss", &at->best.logloss, 1);
    adass_state_add_f32(state, "best.params", r->best, adass_model_param_count(r->model));
    adass_state_add_model(state, r->model);
}

static adass_status tick(run *r, adass_error *err)
{
    const size_t count = adass_batches_count(r->batches);
    const progress *at = &r->at;
    const double loss = at->loss_sum / (double)at->batch;
    char note[96];
    if (at->epoch == 0)
        snprintf(note, sizeof note, "epoch 1, loss %.4f", loss);
    else
        snprintf(note, sizeof note, "epoch %llu, loss %.4f, valid AUC %.4f",
                 (unsigned long long)at->epoch + 1, loss, at->last.auc);
    const adass_status status =
        adass_monitor_tick(r->monitor, "train", at->epoch * count + at->batch,
                           r->config->max_epochs * count, note, err);
    return adass_keeper_tick(&r->keeper, status, err);
}

static adass_status run_epoch(run *r, adass_error *err)
{
    adass_batch batch;
    for (;;) {
        double loss;
        adass_status status = adass_batches_next(r->batches, &batch, err);
        if (status != ADASS_OK || batch.n == 0)
            return status;
        status = adass_trainer_step(r->trainer, NULL, &batch, NULL, &loss, err);
        if (status != ADASS_OK)
            return status;
        r->at.loss_sum += loss;
        r->at.batch++;
        status = tick(r, err);
        if (status != ADASS_OK)
            return status;
    }
}

static bool is_over(const run *r)
{
    const progress *at = &r->at;
    return at->epoch >= r->config->max_epochs || at->epoch >= at->best_epoch + r->config->patience;
}

static void count_epoch(run *r)
{
    progress *at = &r->at;
    at->epoch++;
    at->batch = 0;
    at->loss_sum = 0.0;
    if (at->best_epoch == 0 || at->last.auc > at->best.auc) {
        at->best = at->last;
        at->best_epoch = at->epoch;
        adass_model_store(r->model, r->best);
    }
}

/* All that are left; none where the checkpoint is of the end. */
static adass_status run_epochs(run *r, adass_error *err)
{
    adass_status status = ADASS_OK;
    const bool complete = is_over(r);
    adass_batches_shuffle_from(r->batches, r->config->seed, r->at.epoch, r->at.batch);
    while (status == ADASS_OK && !is_over(r)) {
        status = run_epoch(r, err);
        /* The next epoch's order is made while this one is evaluated. */
        adass_batches_shuffle(r->batches, r->config->seed, r->at.epoch + 1);
        if (status == ADASS_OK)
            status = adass_evaluator_measure(r->valid, r->model, NULL, &r->at.last, err);
        if (status == ADASS_OK)
            count_epoch(r);
    }
    const adass_checkpoint *checkpoint = r->config->checkpoint;
    if (status == ADASS_OK && !complete && checkpoint != NULL && checkpoint->keep_end)
        status = adass_keeper_save(&r->keeper, err);
    if (status == ADASS_OK)
        adass_model_restore(r->model, r->best);
    return status;
}

adass_status adass_train(adass_model *model, const adass_dataset *dataset,
                         const adass_compute *compute, const adass_train_config *config,
                         const adass_monitor *monitor, adass_train_result *out, adass_error *err)
{
    if (config->max_epochs == 0 || config->patience == 0)
        return adass_fail(err, ADASS_EINVAL,
                          "training needs at least one epoch and a patience of at least 1");
    run r = { .model = model, .config = config, .monitor = monitor };
    *out = (adass_train_result){ 0 };
    r.best = malloc(adass_model_param_count(model) * sizeof *r.best);
    if (r.best == NULL)
        return adass_fail_memory(err, "the best epoch's weights",
                                 (double)adass_model_param_count(model) * 4.0);
    adass_status status = adass_keeper_begin(&r.keeper, config->checkpoint, list_state, &r, err);
    if (status == ADASS_OK)
        status =
            adass_batches_open(&r.batches, dataset, ADASS_TRAIN, config->step.batch_size, 0, err);
    if (status == ADASS_OK)
        status = adass_keeper_check_order(&r.keeper, r.batches, &r.at.window_rows, err);
    if (status == ADASS_OK)
        status = adass_evaluator_open(&r.valid, dataset, ADASS_VALID, 0, compute, err);
    if (status == ADASS_OK)
        status = adass_trainer_create(&r.trainer, model, compute, &config->step, err);
    if (status == ADASS_OK)
        status = run_epochs(&r, err);
    if (status == ADASS_OK)
        *out = (adass_train_result){ .epochs = r.at.epoch,
                                     .best_epoch = r.at.best_epoch,
                                     .valid = r.at.best,
                                     .window_rows = r.at.window_rows };
    adass_trainer_destroy(r.trainer);
    adass_evaluator_close(r.valid);
    adass_batches_close(r.batches);
    free(r.best);
    out->seconds = adass_keeper_seconds(&r.keeper);
    return status;
}
