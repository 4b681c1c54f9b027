/*
 * What several methods share: a trained model of the largest size, a search on it, the training of
 * the run's own model, and the bytes of sparse tables.
 */
#include "methods/method.h"

#include "adass/rng.h"
#include "run_record.h"

#include <stdlib.h>
#include <string.h>

adass_status adass_method_create_largest(const adass_method_setting *setting, adass_model **out,
                                         adass_error *err)
{
    const adass_run_config *config = setting->config;
    const size_t n = setting->dataset->n_fields;
    size_t *widths = calloc(n, sizeof *widths);
    if (widths == NULL)
        return adass_fail_memory(err, "a model's sizes", (double)(n * sizeof *widths));
    for (size_t f = 0; f < n; f++)
        widths[f] = config->candidates.sizes[config->candidates.n - 1];
    adass_model_config model = config->model;
    model.seed = adass_seed_derive(config->seed, ADASS_SEED_PRETRAIN_MODEL);
    const adass_status status = adass_model_create(out, &model, n, setting->vocab, widths, err);
    free(widths);
    return status;
}

static adass_status train_new(const adass_method_setting *setting, const char *identity,
                              const adass_step_hooks *hooks, size_t patience, adass_model **out,
                              adass_train_result *result, adass_error *err)
{
    adass_model *model = NULL;
    adass_status status = adass_method_create_largest(setting, &model, err);
    if (status != ADASS_OK)
        return status;
    adass_train_config train = setting->config->train;
    adass_checkpoint checkpoint;
    train.checkpoint =
        adass_session_checkpoint(setting->session, ADASS_STAGE_PRETRAIN, identity, &checkpoint);
    train.seed = adass_seed_derive(setting->config->seed, ADASS_SEED_PRETRAIN);
    train.patience = patience;
    train.step.hooks = hooks;
    status = adass_train(model, setting->dataset, setting->compute, &train, setting->monitor,
                         result, err);
    if (status == ADASS_OK)
        *out = model;
    else
        adass_model_destroy(model);
    return status;
}

adass_status adass_method_pretrain(const adass_method_setting *setting,
                                   const adass_step_hooks *hooks, size_t patience,
                                   adass_model **out, double *seconds, adass_error *err)
{
    char *identity = adass_run_identity(ADASS_STAGE_PRETRAIN, setting->config, NULL,
                                        setting->dataset, setting->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "the training", 4096.0);
    adass_train_result result = { 0 };
    adass_status status = ADASS_OK;
    *out = adass_session_pretrained(setting->session, identity, &result);
    const bool is_new = *out == NULL;
    if (is_new)
        status = train_new(setting, identity, hooks, patience, out, &result, err);
    *seconds = result.seconds;
    if (is_new && status == ADASS_OK)
        adass_session_keep_pretrained(setting->session, *out, identity, &result);
    else
        free(identity);
    return status;
}

/* Copies what was learnt into the session, which has `identity` then. */
static adass_status keep_learnt(adass_session *session, const double *values, size_t n,
                                char *identity, double seconds, adass_error *err)
{
    double *copy = malloc(n * sizeof *copy);
    if (copy == NULL)
        return adass_fail_memory(err, "what a method learnt", (double)n * 8.0);
    memcpy(copy, values, n * sizeof *copy);
    adass_session_keep_learnt(session, copy, identity, seconds);
    return ADASS_OK;
}

adass_status
adass_method_learn(const adass_method_setting *setting,
                   adass_status (*learn)(void *user, double *seconds, adass_error *err), void *user,
                   double *values, size_t n, double *seconds, adass_error *err)
{
    char *identity = adass_run_identity(ADASS_STAGE_PRETRAIN, setting->config, NULL,
                                        setting->dataset, setting->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "what a method learns", 4096.0);
    const double *kept = adass_session_learnt(setting->session, identity, seconds);
    if (kept != NULL) {
        memcpy(values, kept, n * sizeof *values);
        free(identity);
        return ADASS_OK;
    }
    *seconds = 0.0;
    adass_status status = learn(user, seconds, err);
    if (status == ADASS_OK)
        status = keep_learnt(setting->session, values, n, identity, *seconds, err);
    if (status != ADASS_OK)
        free(identity);
    return status;
}

static adass_status search(const adass_method_setting *setting, const adass_model *model,
                           const char *searcher, uint8_t *choice, adass_found *found,
                           adass_error *err)
{
    const adass_run_config *config = setting->config;
    adass_search_config c = config->search;
    adass_checkpoint checkpoint;
    char *identity =
        adass_run_identity(ADASS_STAGE_SEARCH, config, NULL, setting->dataset, setting->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "the search", 4096.0);
    c.checkpoint =
        adass_session_checkpoint(setting->session, ADASS_STAGE_SEARCH, identity, &checkpoint);
    c.seed = adass_seed_derive(config->seed, ADASS_SEED_SEARCH);
    c.step = config->supernet.step;
    c.memory = adass_session_search_memory(setting->session, model);
    if (searcher != NULL)
        c.searcher = searcher;
    adass_search_result result;
    const adass_status status =
        adass_search(model, &config->candidates, setting->dataset, setting->compute, config->budget,
                     &c, setting->monitor, choice, &result, err);
    free(identity);
    found->search_seconds = result.seconds + result.remembered_seconds;
    found->remembered_seconds = result.remembered_seconds;
    found->inherited_auc = result.inherited_auc;
    found->evaluations = result.evaluations;
    found->repairs = result.repairs;
    found->refined = result.refined;
    found->finalists = result.finalists;
    found->lambda = result.lambda;
    found->policy = result.policy; /* handed over */
    return status;
}

adass_status adass_method_search(const adass_method_setting *setting, const adass_model *model,
                                 const char *searcher, size_t *sizes, adass_found *found,
                                 adass_error *err)
{
    const size_t n_fields = setting->dataset->n_fields;
    uint8_t *choice = calloc(n_fields, 1);
    if (choice == NULL)
        return adass_fail_memory(err, "an assignment", (double)n_fields);
    const adass_status status = search(setting, model, searcher, choice, found, err);
    if (status == ADASS_OK)
        adass_sizes_from_choice(&setting->config->candidates, choice, n_fields, sizes);
    free(choice);
    return status;
}

adass_status adass_method_train(const adass_method_setting *setting, adass_stage stage,
                                const adass_step_hooks *hooks, adass_model *model,
                                adass_run_result *out, adass_error *err)
{
    adass_train_config train = setting->config->train;
    adass_checkpoint checkpoint;
    char *identity =
        adass_run_identity(stage, setting->config, out->sizes, setting->dataset, setting->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "the training", 4096.0);
    train.checkpoint = adass_session_checkpoint(setting->session, stage, identity, &checkpoint);
    train.step.hooks = hooks;
    const adass_status status = adass_train(model, setting->dataset, setting->compute, &train,
                                            setting->monitor, &out->train, err);
    free(identity);
    return status;
}

adass_status adass_method_find_largest(const adass_method_setting *setting, size_t *sizes,
                                       adass_found *found, adass_error *err)
{
    (void)found;
    (void)err;
    const adass_candidates *candidates = &setting->config->candidates;
    for (size_t f = 0; f < setting->dataset->n_fields; f++)
        sizes[f] = candidates->sizes[candidates->n - 1];
    return ADASS_OK;
}

uint64_t adass_method_sparse_bytes(uint64_t non_zeros, const size_t *vocab, size_t n_fields)
{
    uint64_t rows = 0;
    for (size_t f = 0; f < n_fields; f++)
        rows += vocab[f];
    return non_zeros * (sizeof(float) + 1) + rows * sizeof(uint32_t);
}

void adass_method_count_non_zeros(const adass_model *model, const size_t *vocab,
                                  adass_run_result *out)
{
    out->params = 0;
    for (size_t f = 0; f < model->n_fields; f++) {
        const adass_table *t = &model->tables[f];
        out->field_params[f] = 0;
        for (size_t i = 0; i < t->vocab * t->width; i++)
            out->field_params[f] += t->rows[i] != 0.0f;
        out->params += out->field_params[f];
    }
    out->embedding_bytes = adass_method_sparse_bytes(out->params, vocab, model->n_fields);
}
