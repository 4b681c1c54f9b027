/*
 * Runs: a method's sizes, the training of them, the measurement; and the session that keeps the
 * supernet.
 */
#include "adass/run.h"

#include "adass/rng.h"
#include "clock.h"
#include "methods/method.h"
#include "placement.h"
#include "run_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct adass_session {
    const adass_dataset *dataset;
    adass_compute compute;
    const adass_monitor *monitor;
    size_t *vocab; /* [n_fields] */
    adass_placer placer;
    /* the supernet kept, and what it was made from */
    adass_model *supernet;
    char *made_from;
    adass_supernet_result stage1;
    adass_search_memory *memory; /* of the searches on it */
    /* likewise a model that a method looks at before it chooses; one of the two at a time */
    adass_model *pretrained;
    char *pretrained_from;
    adass_train_result pretraining;
    /* and numbers that a method learnt for all of its budgets */
    double *learnt;
    char *learnt_from;
    double learnt_seconds;
    /* what training and measuring the last assignment gave: budgets that do not bind find it again */
    adass_run_result trained;
    char *trained_from;
    adass_checkpoints *checkpoints; /* NULL: none are kept */
};

adass_run_config adass_run_config_default(void)
{
    const adass_trainer_config step = { .batch_size = 2048,
                                        .learning_rate = 1e-3,
                                        .beta1 = 0.9,
                                        .beta2 = 0.999,
                                        .epsilon = 1e-8,
                                        .l2 = 1e-5,
                                        .row_rate = 0.05,
                                        .row_epsilon = 16.0 };
    return (adass_run_config){
        .method = "adass",
        .candidates = adass_candidates_default(),
        .model = { .backbone = ADASS_DEEPFM,
                   .n_hidden = 2,
                   .hidden = { 128, 64 },
                   .init_std = 0.01f },
        .train = { .step = step, .max_epochs = 100, .patience = 2 },
        .supernet = { .sampler = "adaptive",
                      .adaptive = { .floor = 0.5,
                                    .temperature = 1.0,
                                    .warmup = 0.2,
                                    .decay = 0.99,
                                    .coupling = 0.8,
                                    .interval = 50 },
                      .step = step },
        .search = { .searcher = "rl",
                    .eval_rows = 50000,
                    .iterations = 50,
                    .population = 24,
                    .learning_rate = 1.0,
                    .entropy = 0.02,
                    .baseline_decay = 0.8,
                    .penalty = 0.3,
                    .penalty_rate = 0.3,
                    .closing = 0.7,
                    .sweeps = 3,
                    .finalists = 0.2 },
        .seed = 1,
    };
}

const char *adass_retrain_name(adass_retrain retrain)
{
    static const char *const names[ADASS_N_RETRAINS] = { "better", "anew", "continued", "none" };
    return names[retrain];
}

/* ---- the session ---- */

adass_status adass_session_open(adass_session **out, const adass_dataset *dataset,
                                const adass_compute *compute, const adass_monitor *monitor,
                                adass_error *err)
{
    adass_session *s = calloc(1, sizeof *s);
    size_t *vocab = calloc(dataset->n_fields, sizeof *vocab);
    if (s == NULL || vocab == NULL) {
        free(s);
        free(vocab);
        return adass_fail_memory(err, "a session", (double)(dataset->n_fields * sizeof *vocab));
    }
    *s = (adass_session){
        .dataset = dataset, .compute = *compute, .monitor = monitor, .vocab = vocab
    };
    for (size_t f = 0; f < dataset->n_fields; f++)
        vocab[f] = dataset->fields[f].vocab;
    const adass_status status = adass_placer_init(&s->placer, NULL, compute->threads, err);
    if (status != ADASS_OK) {
        adass_session_close(s);
        return status;
    }
    (void)adass_placer_bind_threads(&s->placer);
    *out = s;
    return ADASS_OK;
}

adass_status adass_session_keep_checkpoints(adass_session *session,
                                            const adass_checkpoint_options *options,
                                            adass_error *err)
{
    return adass_checkpoints_open(&session->checkpoints, options, err);
}

void adass_session_remove_checkpoints(adass_session *session, bool shared)
{
    if (session->checkpoints == NULL)
        return;
    adass_checkpoints_remove(session->checkpoints, ADASS_STAGE_TRAIN);
    adass_checkpoints_remove(session->checkpoints, ADASS_STAGE_CONTINUE);
    adass_checkpoints_remove(session->checkpoints, ADASS_STAGE_SEARCH);
    if (!shared)
        return;
    adass_checkpoints_remove(session->checkpoints, ADASS_STAGE_PRETRAIN);
    adass_checkpoints_remove(session->checkpoints, ADASS_STAGE_SUPERNET);
}

const adass_checkpoint *adass_session_checkpoint(const adass_session *session, adass_stage stage,
                                                 const char *identity, adass_checkpoint *storage)
{
    if (session->checkpoints == NULL)
        return NULL;
    *storage = adass_checkpoints_of(session->checkpoints, stage, identity);
    return storage;
}

static void forget_supernet(adass_session *s)
{
    adass_model_destroy(s->supernet);
    s->supernet = NULL;
    free(s->made_from);
    s->made_from = NULL;
    adass_supernet_result_free(&s->stage1);
    adass_search_memory_destroy(s->memory);
    s->memory = NULL;
}

static void forget_pretrained(adass_session *s)
{
    adass_model_destroy(s->pretrained);
    s->pretrained = NULL;
    free(s->pretrained_from);
    s->pretrained_from = NULL;
}

adass_model *adass_session_pretrained(const adass_session *session, const char *identity,
                                      adass_train_result *result)
{
    if (session->pretrained_from == NULL || strcmp(session->pretrained_from, identity) != 0)
        return NULL;
    *result = session->pretraining;
    return session->pretrained;
}

void adass_session_keep_pretrained(adass_session *session, adass_model *model, char *identity,
                                   const adass_train_result *result)
{
    forget_pretrained(session);
    session->pretrained = model;
    session->pretrained_from = identity;
    session->pretraining = *result;
}

static void forget_learnt(adass_session *s)
{
    free(s->learnt);
    s->learnt = NULL;
    free(s->learnt_from);
    s->learnt_from = NULL;
}

const double *adass_session_learnt(const adass_session *session, const char *identity,
                                   double *seconds)
{
    if (session->learnt_from == NULL || strcmp(session->learnt_from, identity) != 0)
        return NULL;
    *seconds = session->learnt_seconds;
    return session->learnt;
}

void adass_session_keep_learnt(adass_session *session, double *values, char *identity,
                               double seconds)
{
    forget_learnt(session);
    session->learnt = values;
    session->learnt_from = identity;
    session->learnt_seconds = seconds;
}

static void forget_trained(adass_session *s)
{
    adass_run_result_free(&s->trained);
    free(s->trained_from);
    s->trained_from = NULL;
}

void adass_session_close(adass_session *session)
{
    if (session == NULL)
        return;
    forget_supernet(session);
    forget_pretrained(session);
    forget_learnt(session);
    forget_trained(session);
    adass_checkpoints_close(session->checkpoints);
    adass_placer_free(&session->placer);
    free(session->vocab);
    free(session);
}

static adass_status create_supernet(adass_session *s, const adass_run_config *config,
                                    adass_error *err)
{
    const size_t n = s->dataset->n_fields;
    size_t *widths = calloc(n, sizeof *widths);
    if (widths == NULL)
        return adass_fail_memory(err, "the supernet", (double)(n * sizeof *widths));
    for (size_t f = 0; f < n; f++)
        widths[f] = config->candidates.sizes[config->candidates.n - 1];
    adass_model_config model = config->model;
    model.seed = adass_seed_derive(config->seed, ADASS_SEED_SUPERNET_MODEL);
    model.maps_for_all = true;
    adass_status status = adass_model_create(&s->supernet, &model, n, s->vocab, widths, err);
    free(widths);
    if (status == ADASS_OK)
        status = adass_placer_spread(&s->placer, s->supernet, NULL, err);
    return status;
}

static adass_status train_supernet(adass_session *s, const adass_run_config *config,
                                   const char *identity, adass_error *err)
{
    adass_status status = create_supernet(s, config, err);
    if (status != ADASS_OK)
        return status;
    adass_checkpoint checkpoint;
    adass_supernet_config c = config->supernet;
    c.seed = adass_seed_derive(config->seed, ADASS_SEED_SUPERNET);
    c.checkpoint = adass_session_checkpoint(s, ADASS_STAGE_SUPERNET, identity, &checkpoint);
    return adass_supernet_train(s->supernet, &config->candidates, s->dataset, &s->compute, &c,
                                s->monitor, &s->stage1, err);
}

/* The supernet of `config`, unless it is there already. */
static adass_status provide_supernet(adass_session *s, const adass_run_config *config,
                                     adass_error *err)
{
    char *identity =
        adass_run_identity(ADASS_STAGE_SUPERNET, config, NULL, s->dataset, &s->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "the supernet", 4096.0);
    if (s->made_from != NULL && strcmp(s->made_from, identity) == 0) {
        free(identity);
        return ADASS_OK;
    }
    forget_supernet(s);
    forget_pretrained(s);
    s->made_from = identity;
    adass_status status = adass_search_memory_create(&s->memory, err);
    if (status == ADASS_OK)
        status = train_supernet(s, config, identity, err);
    if (status != ADASS_OK)
        forget_supernet(s);
    return status;
}

adass_status adass_session_supernet(const adass_method_setting *setting, const adass_model **out,
                                    adass_found *found, adass_error *err)
{
    adass_session *s = setting->session;
    const adass_status status = provide_supernet(s, setting->config, err);
    if (status != ADASS_OK)
        return status;
    const size_t cells = s->dataset->n_fields * setting->config->candidates.n;
    const size_t traced = ADASS_TRACE_POINTS * cells;
    found->probability = malloc(cells * sizeof *found->probability);
    found->trace = malloc(traced * sizeof *found->trace);
    if (found->probability == NULL || found->trace == NULL)
        return adass_fail_memory(err, "the sampler's record",
                                 (double)((cells + traced) * sizeof(double)));
    memcpy(found->probability, s->stage1.probability, cells * sizeof *found->probability);
    memcpy(found->trace, s->stage1.trace, traced * sizeof *found->trace);
    found->trace_interval = s->stage1.trace_interval;
    found->n_trace = s->stage1.n_trace;
    found->supernet_seconds = s->stage1.seconds;
    found->supernet_steps = s->stage1.steps;
    found->drawn_params = s->stage1.drawn_params;
    *out = s->supernet;
    return ADASS_OK;
}

adass_search_memory *adass_session_search_memory(const adass_session *session,
                                                 const adass_model *model)
{
    return model == session->supernet ? session->memory : NULL;
}

/* ---- a run ---- */

static adass_status check_config(const adass_run_config *config, adass_error *err)
{
    const adass_candidates *c = &config->candidates;
    if (config->model.backbone == ADASS_LR)
        return adass_fail(err, ADASS_EINVAL,
                          "backbone lr has no embeddings whose sizes could be searched: use 'adass "
                          "train', or search with another backbone");
    if (c->n < 2 || c->n > ADASS_CANDIDATES_MAX)
        return adass_fail(err, ADASS_EINVAL, "a search needs 2 to %d candidate sizes, not %zu",
                          ADASS_CANDIDATES_MAX, c->n);
    if (config->budget == 0)
        return adass_fail(err, ADASS_EINVAL, "method '%s' needs a budget", config->method);
    return ADASS_OK;
}

static bool needs_supernet(adass_retrain retrain)
{
    return retrain == ADASS_RETRAIN_CONTINUED || retrain == ADASS_RETRAIN_NONE;
}

/* What the method of a configuration works with. */
static adass_method_setting setting_of(adass_session *session, const adass_run_config *config)
{
    return (adass_method_setting){
        .session = session,
        .dataset = session->dataset,
        .vocab = session->vocab,
        .compute = &session->compute,
        .monitor = session->monitor,
        .config = config,
    };
}

adass_status adass_run_find(adass_session *session, const adass_run_config *config,
                            adass_run_result *out, adass_error *err)
{
    const adass_dataset *dataset = session->dataset;
    *out = (adass_run_result){ .n_fields = dataset->n_fields };
    const adass_method_kind *method = NULL;
    adass_status status = adass_method_find(config->method, &method, err);
    if (status == ADASS_OK && method->searches)
        status = check_config(config, err);
    if (status == ADASS_OK && needs_supernet(config->retrain) && !method->uses_supernet)
        status = adass_fail(err, ADASS_EINVAL,
                            "method '%s' has no supernet whose weights could be inherited",
                            config->method);
    if (status != ADASS_OK)
        return status;
    out->sizes = calloc(dataset->n_fields, sizeof *out->sizes);
    out->field_params = calloc(dataset->n_fields, sizeof *out->field_params);
    if (out->sizes == NULL || out->field_params == NULL)
        return adass_fail_memory(err, "a size assignment",
                                 (double)(dataset->n_fields * sizeof *out->sizes));
    const adass_method_setting setting = setting_of(session, config);
    status = method->find(&setting, out->sizes, &out->found, err);
    if (status != ADASS_OK)
        return status;
    out->params = adass_sizes_params(session->vocab, out->sizes, dataset->n_fields);
    for (size_t f = 0; f < dataset->n_fields; f++)
        out->field_params[f] = (uint64_t)session->vocab[f] * out->sizes[f];
    out->embedding_bytes = out->params * sizeof(float);
    assert(!method->searches || method->train != NULL || out->params <= config->budget);
    out->seconds = out->found.supernet_seconds + out->found.search_seconds;
    return ADASS_OK;
}

static adass_status measure_valid(adass_session *s, const adass_model *model, adass_metrics *out,
                                  adass_error *err)
{
    adass_evaluator *valid = NULL;
    adass_status status =
        adass_evaluator_open(&valid, s->dataset, ADASS_VALID, 0, &s->compute, err);
    if (status == ADASS_OK)
        status = adass_evaluator_measure(valid, model, NULL, out, err);
    adass_evaluator_close(valid);
    return status;
}

/* Keeps the logits too, for comparing models row by row. */
static adass_status measure_test(adass_session *s, const adass_model *model, adass_run_result *out,
                                 adass_error *err)
{
    adass_evaluator *test = NULL;
    const float *logits, *labels;
    adass_status status = adass_evaluator_open(&test, s->dataset, ADASS_TEST, 0, &s->compute, err);
    if (status == ADASS_OK)
        status = adass_evaluator_measure(test, model, NULL, &out->test, err);
    if (status == ADASS_OK) {
        out->n_test = adass_evaluator_rows(test);
        out->test_logits = malloc(out->n_test * sizeof *out->test_logits);
        if (out->test_logits == NULL)
            status = adass_fail_memory(err, "the test rows' logits", (double)out->n_test * 4.0);
    }
    if (status == ADASS_OK) {
        adass_evaluator_scores(test, &logits, &labels);
        memcpy(out->test_logits, logits, out->n_test * sizeof *logits);
    }
    adass_evaluator_close(test);
    return status;
}

static uint64_t training_seed(const adass_run_config *config)
{
    return config->train_seed != 0 ? config->train_seed : config->seed;
}

/* Fills out->train; `how` is not ADASS_RETRAIN_BETTER. */
static adass_status fill_weights(adass_session *s, const adass_run_config *config,
                                 const adass_method_kind *method, adass_retrain how,
                                 adass_model *model, adass_run_result *out, adass_error *err)
{
    const adass_method_setting setting = setting_of(s, config);
    const adass_stage stage =
        how == ADASS_RETRAIN_CONTINUED ? ADASS_STAGE_CONTINUE : ADASS_STAGE_TRAIN;
    out->trained = how;
    if (how != ADASS_RETRAIN_ANEW)
        adass_model_inherit(model, s->supernet);
    if (how == ADASS_RETRAIN_NONE)
        return measure_valid(s, model, &out->train.valid, err);
    if (method->train == NULL)
        return adass_method_train(&setting, stage, NULL, model, out, err);
    const adass_status status = method->train(&setting, model, out, err);
    assert(status != ADASS_OK || out->params <= config->budget);
    return status;
}

/* A new model of the sizes found. */
static adass_status train_one(adass_session *s, const adass_run_config *config,
                              const adass_method_kind *method, adass_retrain how,
                              adass_run_result *out, adass_model **model, adass_error *err)
{
    adass_model_config c = config->model;
    c.seed = adass_seed_derive(training_seed(config), ADASS_SEED_MODEL);
    adass_status status =
        adass_model_create(model, &c, s->dataset->n_fields, s->vocab, out->sizes, err);
    if (status == ADASS_OK)
        status = adass_placer_spread(&s->placer, *model, NULL, err);
    return status == ADASS_OK ? fill_weights(s, config, method, how, *model, out, err) : status;
}

/* The training whose end a checkpoint keeps comes first. */
static adass_status train_both(adass_session *s, const adass_run_config *config,
                               const adass_method_kind *method, adass_run_result *out,
                               adass_model **model, adass_error *err)
{
    adass_model *continued = NULL;
    adass_status status =
        train_one(s, config, method, ADASS_RETRAIN_CONTINUED, out, &continued, err);
    const adass_train_result first = out->train;
    if (status == ADASS_OK)
        status = train_one(s, config, method, ADASS_RETRAIN_ANEW, out, model, err);
    const double seconds = first.seconds + out->train.seconds;
    if (status == ADASS_OK && first.valid.auc > out->train.valid.auc) {
        adass_model_destroy(*model);
        *model = continued;
        out->train = first;
        out->trained = ADASS_RETRAIN_CONTINUED;
    } else {
        adass_model_destroy(continued);
    }
    out->train.seconds = seconds;
    return status;
}

static adass_status train_found(adass_session *s, const adass_run_config *run,
                                adass_run_result *out, adass_model **model, adass_error *err)
{
    const adass_method_kind *method = NULL;
    adass_status status = adass_method_find(run->method, &method, err);
    if (status != ADASS_OK)
        return status;
    adass_run_config config = *run;
    config.train.seed = adass_seed_derive(training_seed(run), ADASS_SEED_TRAIN);
    const bool better = config.retrain == ADASS_RETRAIN_BETTER;
    if (better && method->uses_supernet)
        status = train_both(s, &config, method, out, model, err);
    else
        status = train_one(s, &config, method, better ? ADASS_RETRAIN_ANEW : config.retrain, out,
                           model, err);
    out->seconds += out->train.seconds;
    if (status != ADASS_OK)
        return status;
    out->other_params = adass_model_other_params(*model);
    out->projection_params = adass_model_projection_params(*model);
    return config.without_test ? ADASS_OK : measure_test(s, *model, out, err);
}

/* Copies what training gave. */
static adass_status copy_trained(adass_run_result *to, const adass_run_result *from,
                                 adass_error *err)
{
    if (from->n_test > 0) {
        to->test_logits = malloc(from->n_test * sizeof *to->test_logits);
        if (to->test_logits == NULL)
            return adass_fail_memory(err, "the test rows' logits", (double)from->n_test * 4.0);
        memcpy(to->test_logits, from->test_logits, from->n_test * sizeof *to->test_logits);
    }
    to->n_test = from->n_test;
    to->other_params = from->other_params;
    to->projection_params = from->projection_params;
    to->trained = from->trained;
    to->train = from->train;
    to->test = from->test;
    to->seconds += from->train.seconds;
    return ADASS_OK;
}

static adass_status train_new(adass_session *session, const adass_run_config *config,
                              adass_run_result *out, adass_model **model, adass_error *err)
{
    adass_model *trained = NULL;
    const adass_status status = train_found(session, config, out, &trained, err);
    if (status == ADASS_OK && model != NULL)
        *model = trained;
    else
        adass_model_destroy(trained);
    return status;
}

/* As train_new(), unless the last run without a model wanted trained just that. */
static adass_status train_once(adass_session *s, const adass_run_config *config,
                               adass_run_result *out, adass_error *err)
{
    char *identity =
        adass_run_identity(ADASS_STAGE_TRAIN, config, out->sizes, s->dataset, &s->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "a training", 4096.0);
    if (s->trained_from != NULL && strcmp(s->trained_from, identity) == 0) {
        free(identity);
        return copy_trained(out, &s->trained, err);
    }
    forget_trained(s);
    adass_status status = train_new(s, config, out, NULL, err);
    if (status == ADASS_OK)
        status = copy_trained(&s->trained, out, err);
    if (status == ADASS_OK)
        s->trained_from = identity;
    else
        free(identity);
    return status;
}

/* Whether the run's model depends on the method by the sizes alone. */
static bool is_of_sizes_alone(const adass_run_config *config)
{
    const adass_method_kind *method = NULL;
    if (adass_method_find(config->method, &method, NULL) != ADASS_OK || method->train != NULL)
        return false;
    return !method->uses_supernet || config->retrain == ADASS_RETRAIN_ANEW;
}

adass_status adass_run(adass_session *session, const adass_run_config *config,
                       adass_run_result *out, adass_model **model, adass_error *err)
{
    const adass_status status = adass_run_find(session, config, out, err);
    if (status != ADASS_OK)
        return status;
    return model == NULL && is_of_sizes_alone(config) ? train_once(session, config, out, err)
                                                      : train_new(session, config, out, model, err);
}

void adass_found_free(adass_found *found)
{
    free(found->probability);
    free(found->trace);
    free(found->policy);
    *found = (adass_found){ 0 };
}

void adass_run_result_free(adass_run_result *result)
{
    free(result->sizes);
    free(result->field_params);
    free(result->test_logits);
    adass_found_free(&result->found);
    *result = (adass_run_result){ 0 };
}
