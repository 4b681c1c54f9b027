/* A loop of training steps. */
#include "methods/steps.h"

static adass_status one_step(adass_steps *s, const adass_batch *batch, adass_error *err)
{
    double loss;
    if (s->before != NULL)
        s->before(s->user);
    const adass_status status = adass_trainer_step(s->trainer, s->sizes, batch, NULL, &loss, err);
    if (status != ADASS_OK)
        return status;
    s->done++;
    s->after(s->user, batch->n);
    return adass_monitor_tick(s->setting->monitor, s->stage, s->done, s->total, "", err);
}

adass_status adass_steps_one(adass_steps *steps, adass_error *err)
{
    adass_batch batch;
    adass_status status = adass_batches_next(steps->batches, &batch, err);
    if (status == ADASS_OK && batch.n == 0) {
        adass_batches_shuffle(steps->batches, steps->seed, steps->epochs++);
        status = adass_batches_next(steps->batches, &batch, err);
    }
    return status == ADASS_OK ? one_step(steps, &batch, err) : status;
}

adass_status adass_steps_epoch(adass_steps *steps, uint64_t epoch, adass_error *err)
{
    adass_batches_shuffle(steps->batches, steps->seed, epoch);
    while (!steps->stop) {
        adass_batch batch;
        adass_status status = adass_batches_next(steps->batches, &batch, err);
        if (status != ADASS_OK || batch.n == 0)
            return status;
        status = one_step(steps, &batch, err);
        if (status != ADASS_OK)
            return status;
    }
    return ADASS_OK;
}
