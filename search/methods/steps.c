/* A loop of training steps. */
#include "methods/steps.h"

#include "run_record.h"

#include <stdio.h>
#include <stdlib.h>

void adass_steps_list_place(adass_steps *steps, const char *what, adass_state *state)
{
    const struct {
        const char *name;
        uint64_t *value;
    } place[] = { { "epoch", &steps->epoch },
                  { "batch", &steps->batch },
                  { "done", &steps->done },
                  { "stop", &steps->stop },
                  { "window_rows", &steps->window_rows } };
    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%s", what, place[i].name);
        adass_state_add_u64(state, name, place[i].value, 1);
    }
}

static void list_state(void *user, adass_state *state)
{
    adass_steps *s = user;
    adass_steps_list_place(s, "steps", state);
    s->list(s->user, state);
}

/* The order of the rows of the epoch at hand, from the place on. */
static adass_status begin_order(adass_steps *s, const adass_keeper *keeper, adass_error *err)
{
    adass_batches_shuffle_from(s->batches, s->seed, s->epoch, s->batch);
    s->begun = true;
    return adass_keeper_check_order(keeper, s->batches, &s->window_rows, err);
}

static adass_status one_step(adass_steps *s, const adass_batch *batch, adass_error *err)
{
    if (s->before != NULL)
        s->before(s->user);
    const adass_status status =
        adass_trainer_step(s->trainer, s->sizes, batch, NULL, &s->loss, err);
    if (status != ADASS_OK)
        return status;
    s->batch++;
    s->done++;
    return s->after(s->user, batch->n, err);
}

adass_status adass_steps_one(adass_steps *steps, const adass_steps *within, adass_error *err)
{
    adass_steps *s = steps;
    adass_batch batch;
    adass_status status = s->begun ? ADASS_OK : begin_order(s, &within->keeper, err);
    if (status == ADASS_OK)
        status = adass_batches_next(s->batches, &batch, err);
    if (status == ADASS_OK && batch.n == 0) {
        s->epoch++;
        s->batch = 0;
        adass_batches_shuffle(s->batches, s->seed, s->epoch);
        status = adass_batches_next(s->batches, &batch, err);
    }
    return status == ADASS_OK ? one_step(s, &batch, err) : status;
}

/* What is left of the epoch; a checkpoint holds whole steps only. */
static adass_status run_epoch(adass_steps *s, adass_error *err)
{
    const uint64_t total = s->epochs * adass_batches_count(s->batches);
    adass_status status = begin_order(s, &s->keeper, err);
    while (status == ADASS_OK && !s->stop) {
        adass_batch batch;
        status = adass_batches_next(s->batches, &batch, err);
        if (status != ADASS_OK || batch.n == 0)
            return status;
        status = one_step(s, &batch, err);
        if (status != ADASS_OK)
            return status;
        status = adass_monitor_tick(s->setting->monitor, s->stage, s->done, total, "", err);
        status = adass_keeper_tick(&s->keeper, status, err);
    }
    return status;
}

static adass_status run_epochs(adass_steps *s, adass_error *err)
{
    const bool complete = s->epoch == s->epochs;
    while (s->epoch < s->epochs) {
        adass_status status = run_epoch(s, err);
        if (status == ADASS_OK && s->end_epoch != NULL)
            status = s->end_epoch(s->user, err);
        if (status != ADASS_OK)
            return status;
        s->epoch = s->stop ? s->epochs : s->epoch + 1;
        s->batch = 0;
    }
    return complete ? ADASS_OK : adass_keeper_save(&s->keeper, err);
}

adass_status adass_steps_run(adass_steps *steps, adass_error *err)
{
    const adass_method_setting *setting = steps->setting;
    adass_checkpoint checkpoint;
    const adass_stage stage = steps->for_all_budgets ? ADASS_STAGE_PRETRAIN : ADASS_STAGE_SEARCH;
    char *identity =
        adass_run_identity(stage, setting->config, NULL, setting->dataset, setting->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "the search", 4096.0);
    adass_status status = adass_keeper_begin(
        &steps->keeper, adass_session_checkpoint(setting->session, stage, identity, &checkpoint),
        list_state, steps, err);
    if (status == ADASS_OK)
        status = run_epochs(steps, err);
    steps->keeper.config = NULL; /* which is this function's */
    free(identity);
    return status;
}
