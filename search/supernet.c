/* Stage 1: training the supernet. */
#include "adass/supernet.h"

#include "sampler.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>

/* Streams of random numbers derived from the supernet's seed. */
enum { STREAM_DRAWS = 1u << 30 }; /* far from the epochs, whose order has streams 0, 1, ... */

typedef struct run {
    adass_model *model;
    const adass_candidates *candidates;
    const adass_supernet_config *config;
    const adass_monitor *monitor;
    adass_batches *batches;
    adass_trainer *trainer;
    const adass_sampler_kind *kind;
    adass_sampler *sampler;
    uint64_t epochs;                 /* in all */
    adass_field_gradient *gradients; /* [n_fields], or NULL */
    uint8_t *choice;                 /* [n_fields] */
    size_t *sizes, *vocab;           /* [n_fields] */
    adass_rng rng;
    adass_supernet_result *out;
    adass_keeper keeper;
    uint64_t epoch, batch; /* over: whole epochs, and batches of the one after */
    uint64_t window_rows;  /* which decide the order of the rows */
    double mean_loss;      /* running, for the note */
} run;

size_t adass_supernet_epochs(const adass_supernet_config *config, const adass_dataset *dataset)
{
    if (config->epochs > 0)
        return config->epochs;
    /* a batch of 0 samples is the reader's to refuse */
    const size_t batch = config->step.batch_size > 0 ? config->step.batch_size : 1;
    const size_t rows = (size_t)dataset->splits[ADASS_TRAIN].n;
    const size_t steps = rows > 0 ? (rows - 1) / batch + 1 : 1;
    const size_t epochs = (ADASS_SUPERNET_STEPS - 1) / steps + 1;
    return epochs < ADASS_SUPERNET_EPOCHS_MAX ? epochs : ADASS_SUPERNET_EPOCHS_MAX;
}

static void list_state(void *user, adass_state *state)
{
    run *r = user;
    adass_state_add_u64(state, "epoch", &r->epoch, 1);
    adass_state_add_u64(state, "batch", &r->batch, 1);
    adass_state_add_u64(state, "window_rows", &r->window_rows, 1);
    adass_state_add_u64(state, "random", r->rng.s, 4);
    adass_state_add_u64(state, "steps", &r->out->steps, 1);
    adass_state_add_f64(state, "mean_loss", &r->mean_loss, 1);
    adass_state_add_f64(state, "drawn_params", &r->out->drawn_params, 1);
    adass_state_add_u64(state, "n_trace", &r->out->n_trace, 1);
    adass_state_add_f64(state, "trace", r->out->trace,
                        ADASS_TRACE_POINTS * r->model->n_fields * r->candidates->n);
    if (r->kind->list_state != NULL)
        r->kind->list_state(r->sampler, state);
    adass_state_add_model(state, r->model);
}

static adass_status check_widths(const adass_model *model, const adass_candidates *candidates,
                                 adass_error *err)
{
    const size_t largest = candidates->sizes[candidates->n - 1];
    for (size_t f = 0; f < model->n_fields; f++)
        if (model->tables[f].width != largest)
            return adass_fail(
                err, ADASS_EINVAL,
                "field %zu of the supernet has width %zu, not the largest candidate size %zu", f,
                model->tables[f].width, largest);
    return ADASS_OK;
}

static adass_status prepare(run *r, const adass_dataset *dataset, const adass_compute *compute,
                            adass_error *err)
{
    const size_t n_fields = r->model->n_fields, cells = n_fields * r->candidates->n;
    adass_status status = check_widths(r->model, r->candidates, err);
    if (status == ADASS_OK)
        status = adass_sampler_find(r->config->sampler, &r->kind, err);
    if (status == ADASS_OK)
        status = adass_batches_open(&r->batches, dataset, ADASS_TRAIN, r->config->step.batch_size,
                                    0, err);
    if (status == ADASS_OK)
        status = adass_trainer_create(&r->trainer, r->model, compute, &r->config->step, err);
    if (status != ADASS_OK)
        return status;
    const adass_sampler_setting setting = {
        .n_fields = n_fields,
        .candidates = *r->candidates,
        .total_steps = r->epochs * adass_batches_count(r->batches),
        .epochs = r->epochs,
        .adaptive = r->config->adaptive,
    };
    status = r->kind->create(&r->sampler, &setting, err);
    if (status != ADASS_OK)
        return status;
    r->choice = calloc(n_fields, sizeof *r->choice);
    r->sizes = calloc(n_fields, sizeof *r->sizes);
    r->vocab = calloc(n_fields, sizeof *r->vocab);
    r->out->probability = calloc(cells, sizeof *r->out->probability);
    r->out->trace = calloc(ADASS_TRACE_POINTS * cells, sizeof *r->out->trace);
    r->out->trace_interval = (setting.total_steps + ADASS_TRACE_POINTS - 1) / ADASS_TRACE_POINTS;
    if (r->kind->wants_gradients)
        r->gradients = calloc(n_fields, sizeof *r->gradients);
    if (r->choice == NULL || r->sizes == NULL || r->vocab == NULL || r->out->probability == NULL ||
        r->out->trace == NULL || (r->kind->wants_gradients && r->gradients == NULL))
        return adass_fail_memory(err, "the supernet's training", (double)cells * 32.0);
    for (size_t f = 0; f < n_fields; f++)
        r->vocab[f] = r->model->tables[f].vocab;
    adass_rng_init(&r->rng, adass_seed_derive(r->config->seed, STREAM_DRAWS));
    return ADASS_OK;
}

static void store_probabilities(const run *r, double *out)
{
    for (size_t f = 0; f < r->model->n_fields; f++)
        for (size_t k = 0; k < r->candidates->n; k++)
            out[f * r->candidates->n + k] = r->kind->probability(r->sampler, f, k);
}

static adass_status train_batch(run *r, const adass_batch *batch, double *loss, adass_error *err)
{
    r->kind->draw(r->sampler, r->out->steps, &r->rng, r->choice);
    adass_sizes_from_choice(r->candidates, r->choice, r->model->n_fields, r->sizes);
    const adass_status status =
        adass_trainer_step(r->trainer, r->sizes, batch, r->gradients, loss, err);
    if (status != ADASS_OK)
        return status;
    if (r->kind->observe != NULL)
        r->kind->observe(r->sampler, r->out->steps, r->choice, *loss, r->gradients);
    r->out->steps++;
    if (r->out->steps % r->out->trace_interval == 0)
        store_probabilities(r, r->out->trace +
                                   r->out->n_trace++ * r->model->n_fields * r->candidates->n);
    r->out->drawn_params += (double)adass_sizes_params(r->vocab, r->sizes, r->model->n_fields);
    return ADASS_OK;
}

static adass_status tick(run *r, adass_error *err)
{
    const uint64_t total = r->epochs * adass_batches_count(r->batches);
    char note[64];
    snprintf(note, sizeof note, "epoch %llu, loss %.4f", (unsigned long long)r->epoch + 1,
             r->mean_loss);
    const adass_status status =
        adass_monitor_tick(r->monitor, "supernet", r->out->steps, total, note, err);
    return adass_keeper_tick(&r->keeper, status, err);
}

static adass_status run_epoch(run *r, adass_error *err)
{
    adass_batches_shuffle_from(r->batches, r->config->seed, r->epoch, r->batch);
    for (;;) {
        adass_batch batch;
        double loss;
        adass_status status = adass_batches_next(r->batches, &batch, err);
        if (status != ADASS_OK || batch.n == 0)
            return status;
        status = train_batch(r, &batch, &loss, err);
        if (status != ADASS_OK)
            return status;
        r->batch++;
        r->mean_loss = r->out->steps == 1 ? loss : 0.99 * r->mean_loss + 0.01 * loss;
        status = tick(r, err);
        if (status != ADASS_OK)
            return status;
    }
}

/* All that are left; the trained supernet stays in the checkpoint, for the stages after. */
static adass_status run_epochs(run *r, adass_error *err)
{
    const bool trained = r->epoch == r->epochs;
    for (; r->epoch < r->epochs; r->epoch++, r->batch = 0) {
        const adass_status status = run_epoch(r, err);
        if (status != ADASS_OK)
            return status;
    }
    const adass_status status = trained ? ADASS_OK : adass_keeper_save(&r->keeper, err);
    store_probabilities(r, r->out->probability);
    r->out->drawn_params /= (double)r->out->steps;
    return status;
}

adass_status adass_supernet_train(adass_model *model, const adass_candidates *candidates,
                                  const adass_dataset *dataset, const adass_compute *compute,
                                  const adass_supernet_config *config, const adass_monitor *monitor,
                                  adass_supernet_result *out, adass_error *err)
{
    *out = (adass_supernet_result){ 0 };
    run r = { .model = model,
              .candidates = candidates,
              .config = config,
              .monitor = monitor,
              .out = out,
              .epochs = adass_supernet_epochs(config, dataset) };
    adass_status status = prepare(&r, dataset, compute, err);
    if (status == ADASS_OK)
        status = adass_keeper_begin(&r.keeper, config->checkpoint, list_state, &r, err);
    if (status == ADASS_OK)
        status = adass_keeper_check_order(&r.keeper, r.batches, &r.window_rows, err);
    if (status == ADASS_OK)
        status = run_epochs(&r, err);
    out->seconds = status == ADASS_OK ? adass_keeper_seconds(&r.keeper) : 0.0;
    if (r.kind != NULL)
        r.kind->destroy(r.sampler);
    adass_trainer_destroy(r.trainer);
    adass_batches_close(r.batches);
    free(r.gradients);
    free(r.choice);
    free(r.sizes);
    free(r.vocab);
    return status;
}

void adass_supernet_result_free(adass_supernet_result *result)
{
    free(result->probability);
    free(result->trace);
    result->probability = result->trace = NULL;
}
