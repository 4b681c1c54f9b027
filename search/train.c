/* Training with early stopping. */
#include "adass/train.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct run {
    adass_model *model;
    float *best; /* the parameters of the best epoch */
    const adass_train_config *config;
    const adass_monitor *monitor;
    adass_batches *batches;
    adass_evaluator *valid;
    adass_trainer *trainer;
} run;

static adass_status run_epoch(run *r, size_t epoch, const adass_metrics *valid, adass_error *err)
{
    adass_batch batch;
    double sum = 0.0;
    size_t n = 0;
    for (;;) {
        double loss;
        adass_status status = adass_batches_next(r->batches, &batch, err);
        if (status != ADASS_OK || batch.n == 0)
            return status;
        status = adass_trainer_step(r->trainer, NULL, &batch, NULL, &loss, err);
        if (status != ADASS_OK)
            return status;
        sum += loss;
        n++;
        char note[96];
        if (epoch == 0)
            snprintf(note, sizeof note, "epoch 1, loss %.4f", sum / (double)n);
        else
            snprintf(note, sizeof note, "epoch %zu, loss %.4f, valid AUC %.4f", epoch + 1,
                     sum / (double)n, valid->auc);
        status =
            adass_monitor_tick(r->monitor, "train", epoch * adass_batches_count(r->batches) + n,
                               r->config->max_epochs * adass_batches_count(r->batches), note, err);
        if (status != ADASS_OK)
            return status;
    }
}

static adass_status run_epochs(run *r, adass_train_result *out, adass_error *err)
{
    adass_metrics now = { 0 };
    out->valid.auc = -1.0;
    adass_batches_shuffle(r->batches, r->config->seed, 0);
    for (size_t epoch = 0; epoch < r->config->max_epochs; epoch++) {
        adass_status status = run_epoch(r, epoch, &now, err);
        /* The next epoch's order is made while this one is evaluated. */
        adass_batches_shuffle(r->batches, r->config->seed, epoch + 1);
        if (status == ADASS_OK)
            status = adass_evaluator_measure(r->valid, r->model, NULL, &now, err);
        if (status != ADASS_OK)
            return status;
        out->epochs = epoch + 1;
        if (now.auc > out->valid.auc) {
            out->valid = now;
            out->best_epoch = epoch + 1;
            adass_model_store(r->model, r->best);
        } else if (epoch + 1 >= out->best_epoch + r->config->patience) {
            break;
        }
    }
    adass_model_restore(r->model, r->best);
    return ADASS_OK;
}

adass_status adass_train(adass_model *model, const adass_dataset *dataset,
                         const adass_compute *compute, const adass_train_config *config,
                         const adass_monitor *monitor, adass_train_result *out, adass_error *err)
{
    if (config->max_epochs == 0 || config->patience == 0)
        return adass_fail(err, ADASS_EINVAL,
                          "training needs at least one epoch and a patience of at least 1");
    const double began = adass_clock_seconds();
    run r = { .model = model, .config = config, .monitor = monitor };
    *out = (adass_train_result){ 0 };
    r.best = malloc(adass_model_param_count(model) * sizeof *r.best);
    if (r.best == NULL)
        return adass_fail_memory(err, "the best epoch's weights",
                                 (double)adass_model_param_count(model) * 4.0);
    adass_status status =
        adass_batches_open(&r.batches, dataset, ADASS_TRAIN, config->step.batch_size, 0, err);
    if (status == ADASS_OK)
        status = adass_evaluator_open(&r.valid, dataset, ADASS_VALID, 0, compute, err);
    if (status == ADASS_OK)
        status = adass_trainer_create(&r.trainer, model, compute, &config->step, err);
    if (status == ADASS_OK)
        status = run_epochs(&r, out, err);
    if (status == ADASS_OK)
        out->window_rows = adass_batches_window_rows(r.batches);
    adass_trainer_destroy(r.trainer);
    adass_evaluator_close(r.valid);
    adass_batches_close(r.batches);
    free(r.best);
    out->seconds = adass_clock_seconds() - began;
    return status;
}
