/*
 * MagPrune (in the form of the benchmark arXiv 2406.17335): a model of the largest size is trained,
 * and its embedding weights of smallest magnitude are zeroed until the budget's number is left. No
 * training follows.
 */
#include "methods/magprune.h"

#include "methods/method.h"
#include "run_record.h"

#include <stdlib.h>
#include <string.h>

/* Magnitudes order as the bits of the float without its sign. */
static uint32_t magnitude(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x7fffffffu;
}

static uint64_t count_field(const adass_table *t, uint32_t least)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t->vocab * t->width; i++)
        n += magnitude(t->rows[i]) >= least;
    return n;
}

static uint64_t count_from(const adass_model *model, uint32_t least)
{
    uint64_t n = 0;
    for (size_t f = 0; f < model->n_fields; f++)
        n += count_field(&model->tables[f], least);
    return n;
}

/* The smallest magnitude above 0 that at most `keep` weights reach. */
static uint32_t threshold_of(const adass_model *model, uint64_t keep)
{
    uint32_t low = 1, high = 0x7fffffffu; /* the answer lies in [low, high] */
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (count_from(model, middle) <= keep)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

uint64_t adass_magnitude_prune(adass_model *model, uint64_t keep)
{
    const uint32_t least = threshold_of(model, keep);
    const uint64_t sure = count_from(model, least);
    uint64_t ties = least > 1 ? keep - sure : 0; /* of the magnitude just below that may stay */
    uint64_t left = sure;
    for (size_t f = 0; f < model->n_fields; f++) {
        adass_table *t = &model->tables[f];
        for (size_t i = 0; i < t->vocab * t->width; i++) {
            const uint32_t m = magnitude(t->rows[i]);
            if (m >= least)
                continue;
            if (m + 1 == least && ties > 0) {
                ties--;
                left++;
            } else {
                t->rows[i] = 0.0f;
            }
        }
    }
    return left;
}

/* Hands a copy of the trained model over to the session, with the identity. */
static adass_status keep_copy(const adass_method_setting *setting, const adass_model *model,
                              const adass_train_result *result, char *identity, adass_error *err)
{
    adass_model *copy = NULL;
    const adass_status status = adass_method_create_largest(setting, &copy, err);
    if (status != ADASS_OK)
        return status;
    adass_model_inherit(copy, model);
    adass_session_keep_pretrained(setting->session, copy, identity, result);
    return ADASS_OK;
}

/* The model as it is before the pruning, which an earlier budget may have left with the session. */
static adass_status train_once(const adass_method_setting *setting, adass_model *model,
                               adass_run_result *out, adass_error *err)
{
    adass_run_config config = *setting->config;
    config.budget = 0; /* whichever it is */
    char *identity = adass_run_identity(ADASS_STAGE_TRAIN, &config, out->sizes, setting->dataset,
                                        setting->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "the training", 4096.0);
    const adass_model *kept = adass_session_pretrained(setting->session, identity, &out->train);
    if (kept != NULL) {
        adass_model_inherit(model, kept);
        free(identity);
        return ADASS_OK;
    }
    adass_status status = adass_method_train(setting, ADASS_STAGE_TRAIN, NULL, model, out, err);
    if (status == ADASS_OK)
        status = keep_copy(setting, model, &out->train, identity, err);
    if (status != ADASS_OK)
        free(identity);
    return status;
}

static adass_status train(const adass_method_setting *setting, adass_model *model,
                          adass_run_result *out, adass_error *err)
{
    adass_status status = train_once(setting, model, out, err);
    if (status != ADASS_OK)
        return status;
    adass_magnitude_prune(model, setting->config->budget);
    adass_method_count_non_zeros(model, setting->vocab, out);
    adass_evaluator *valid = NULL;
    status = adass_evaluator_open(&valid, setting->dataset, ADASS_VALID, 0, setting->compute, err);
    if (status == ADASS_OK)
        status = adass_evaluator_measure(valid, model, NULL, &out->train.valid, err);
    adass_evaluator_close(valid);
    return status;
}

const adass_method_kind adass_method_magprune = {
    .name = "magprune", .searches = true, .find = adass_method_find_largest, .train = train
};
