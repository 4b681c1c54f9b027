/* Runs as JSON. */
#include "run_record.h"

#include "adass_revision.h"

#include <hwloc.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "adass/dense.h"
#include "backbone.h"
#include "methods/method.h"

static json_t *size_list(const size_t *sizes, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_integer((json_int_t)sizes[i]));
    return list;
}

static json_t *size_map(const adass_dataset *dataset, const size_t *sizes)
{
    json_t *map = json_object();
    for (size_t f = 0; f < dataset->n_fields; f++)
        json_object_set_new(map, dataset->fields[f].name, json_integer((json_int_t)sizes[f]));
    return map;
}

static json_t *param_map(const adass_dataset *dataset, const uint64_t *params)
{
    json_t *map = json_object();
    for (size_t f = 0; f < dataset->n_fields; f++)
        json_object_set_new(map, dataset->fields[f].name, json_integer((json_int_t)params[f]));
    return map;
}

static json_t *step_json(const adass_trainer_config *c)
{
    json_t *step = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "batch_size",
                             (json_int_t)c->batch_size, "learning_rate", c->learning_rate, "beta1",
                             c->beta1, "beta2", c->beta2, "epsilon", c->epsilon, "l2", c->l2);
    if (c->row_optimizer != ADASS_ROWS_ADAM)
        json_object_update_new(step,
                               json_pack("{s:s, s:f, s:f}", "row_optimizer",
                                         adass_row_optimizer_name(c->row_optimizer), "row_rate",
                                         c->row_rate, "row_epsilon", c->row_epsilon));
    return step;
}

/* A float as the shortest decimal that gives it back: 0.01, not 0.0099999998. */
static double decimal(float x)
{
    char text[32];
    double value = (double)x;
    snprintf(text, sizeof text, "%.7g", value);
    sscanf(text, "%lf", &value);
    return value;
}

static json_t *model_json(const adass_model_config *c)
{
    json_t *model =
        json_pack("{s:s, s:f, s:s}", "backbone", adass_backbone_name(c->backbone), "init_std",
                  decimal(c->init_std), "table_type", adass_type_name(c->table_type));
    if (adass_backbone_has_pairs(c->backbone))
        json_object_set_new(model, "align", json_string(adass_align_name(c->align)));
    if (!adass_backbone_has_mlp(c->backbone))
        return model;
    json_object_set_new(model, "hidden", size_list(c->hidden, c->n_hidden));
    json_object_set_new(model, "dropout", json_real(decimal(c->dropout)));
    if (adass_backbone_has_cross(c->backbone))
        json_object_set_new(model, "cross_layers", json_integer(ADASS_CROSS_LAYERS));
    return model;
}

static json_t *supernet_json(const adass_supernet_config *c, const adass_dataset *dataset)
{
    json_t *supernet =
        json_pack("{s:s, s:I, s:o}", "sampler", c->sampler, "epochs",
                  (json_int_t)adass_supernet_epochs(c, dataset), "step", step_json(&c->step));
    const adass_adaptive_config *a = &c->adaptive;
    if (strcmp(c->sampler, "adaptive") == 0)
        json_object_set_new(supernet, "adaptive",
                            json_pack("{s:f, s:f, s:f, s:f, s:f, s:I}", "floor", a->floor,
                                      "temperature", a->temperature, "warmup", a->warmup, "decay",
                                      a->decay, "coupling", a->coupling, "interval",
                                      (json_int_t)a->interval));
    return supernet;
}

static json_t *search_json(const adass_search_config *c)
{
    json_t *search = json_pack("{s:s, s:I, s:I, s:I}", "searcher", c->searcher, "eval_rows",
                               (json_int_t)c->eval_rows, "iterations", (json_int_t)c->iterations,
                               "population", (json_int_t)c->population);
    if (strcmp(c->searcher, "rl") == 0)
        json_object_update_new(
            search,
            json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:I, s:f}", "learning_rate",
                      c->learning_rate, "entropy", c->entropy, "baseline_decay", c->baseline_decay,
                      "penalty", c->penalty, "penalty_rate", c->penalty_rate, "closing", c->closing,
                      "equal_shares", c->equal_shares, "sweeps", (json_int_t)c->sweeps, "finalists",
                      c->finalists));
    return search;
}

static json_t *train_json(const adass_train_config *c)
{
    json_t *train = step_json(&c->step);
    json_object_set_new(train, "max_epochs", json_integer((json_int_t)c->max_epochs));
    json_object_set_new(train, "patience", json_integer((json_int_t)c->patience));
    return train;
}

json_t *adass_run_config_json(const adass_run_config *config, const adass_dataset *dataset)
{
    json_t *root = json_pack("{s:s, s:I, s:o, s:o}", "method", config->method, "seed",
                             (json_int_t)config->seed, "model", model_json(&config->model), "train",
                             train_json(&config->train));
    if (config->train_seed != 0)
        json_object_set_new(root, "train_seed", json_integer((json_int_t)config->train_seed));
    if (config->without_test)
        json_object_set_new(root, "without_test", json_true());
    const adass_method_kind *method = NULL;
    const bool known = adass_method_find(config->method, &method, NULL) == ADASS_OK;
    if (known && method->searches) {
        json_object_set_new(root, "budget", json_integer((json_int_t)config->budget));
        json_object_set_new(root, "candidates",
                            size_list(config->candidates.sizes, config->candidates.n));
    } else if (config->sizes != NULL) {
        json_object_set_new(root, "sizes", size_map(dataset, config->sizes));
    } else {
        json_object_set_new(root, "size", json_integer((json_int_t)config->size));
    }
    if (known && method->takes_epochs)
        json_object_set_new(
            root, "search_epochs",
            json_integer((json_int_t)adass_supernet_epochs(&config->supernet, dataset)));
    if (known && method->uses_supernet) {
        json_object_set_new(root, "supernet", supernet_json(&config->supernet, dataset));
        json_object_set_new(root, "search", search_json(&config->search));
        json_object_set_new(root, "retrain", json_string(adass_retrain_name(config->retrain)));
    } else if (known && method->evaluates) {
        const adass_search_config *c = &config->search;
        json_object_set_new(root, "search",
                            json_pack("{s:I, s:I}", "eval_rows", (json_int_t)c->eval_rows,
                                      "evaluations", (json_int_t)(c->iterations * c->population)));
    }
    return root;
}

/* The CPU's name as hwloc knows it. */
static void cpu_model(char *text, size_t chars)
{
    hwloc_topology_t topology;
    snprintf(text, chars, "unknown");
    if (hwloc_topology_init(&topology) != 0)
        return;
    if (hwloc_topology_load(topology) == 0) {
        const hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
        const char *name = package != NULL ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
        if (name != NULL)
            snprintf(text, chars, "%s", name);
    }
    hwloc_topology_destroy(topology);
}

#if defined(__clang__)
static const char compiler[] = __VERSION__; /* begins with the name */
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

/* What decides bits besides configuration and data. */
static json_t *build_json(const adass_compute *compute)
{
    char onednn[32];
    adass_dense_version(onednn);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "version", ADASS_VERSION, "revision",
                     ADASS_REVISION, "isa", compute->kernels->isa, "compiler", compiler, "onednn",
                     onednn, "onednn_isa", adass_dense_isa());
}

json_t *adass_provenance_json(const adass_compute *compute)
{
    char cpu[128];
    json_t *provenance = build_json(compute);
    cpu_model(cpu, sizeof cpu);
    json_object_set_new(provenance, "cpu", json_string(cpu));
    json_object_set_new(provenance, "threads", json_integer(compute->threads));
    return provenance;
}

void adass_provenance_put(FILE *out, const json_t *provenance)
{
    fprintf(out, "\nadass %s, revision %s; %s, ISA %s, %lld threads.\n",
            json_string_value(json_object_get(provenance, "version")),
            json_string_value(json_object_get(provenance, "revision")),
            json_string_value(json_object_get(provenance, "cpu")),
            json_string_value(json_object_get(provenance, "isa")),
            (long long)json_integer_value(json_object_get(provenance, "threads")));
}

/* What decides a pretraining, or what a method learns for all of its budgets. */
static json_t *pretrain_json(const adass_run_config *config, const adass_dataset *dataset)
{
    const adass_method_kind *method = NULL;
    const bool known = adass_method_find(config->method, &method, NULL) == ADASS_OK;
    json_t *root =
        json_pack("{s:s, s:o, s:o}", "method",
                  known && method->shares != NULL ? method->shares : config->method, "candidates",
                  size_list(config->candidates.sizes, config->candidates.n), "train",
                  train_json(&config->train));
    if (known && method->takes_epochs)
        json_object_set_new(
            root, "search_epochs",
            json_integer((json_int_t)adass_supernet_epochs(&config->supernet, dataset)));
    return root;
}

char *adass_run_identity(adass_stage stage, const adass_run_config *config, const size_t *sizes,
                         const adass_dataset *dataset, const adass_compute *compute)
{
    json_t *root = json_pack("{s:s, s:o, s:I, s:o}", "dataset", dataset->checksum, "build",
                             build_json(compute), "seed", (json_int_t)config->seed, "model",
                             model_json(&config->model));
    if (stage == ADASS_STAGE_TRAIN) {
        json_object_set_new(root, "sizes", size_list(sizes, dataset->n_fields));
        json_object_set_new(root, "train_seed", json_integer((json_int_t)config->train_seed));
        json_object_set_new(root, "train", train_json(&config->train));
        json_object_set_new(root, "without_test", json_boolean(config->without_test));
        if (adass_method_trains_itself(config->method)) { /* a mask: of a method, for a budget */
            json_object_set_new(root, "method", json_string(config->method));
            json_object_set_new(root, "budget", json_integer((json_int_t)config->budget));
        }
    } else if (stage == ADASS_STAGE_PRETRAIN) {
        json_object_update_new(root, pretrain_json(config, dataset));
    } else if (stage == ADASS_STAGE_SUPERNET) {
        json_object_set_new(root, "candidates",
                            size_list(config->candidates.sizes, config->candidates.n));
        json_object_set_new(root, "supernet", supernet_json(&config->supernet, dataset));
    } else {
        json_object_set_new(root, "config", adass_run_config_json(config, dataset));
    }
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

/* The rows of an [n_fields x K] matrix by field name; null where there is none. */
static json_t *matrix_json(const adass_dataset *dataset, const double *matrix, size_t columns)
{
    if (matrix == NULL)
        return json_null();
    json_t *map = json_object();
    for (size_t f = 0; f < dataset->n_fields; f++) {
        json_t *row = json_array();
        for (size_t k = 0; k < columns; k++)
            json_array_append_new(row, json_real(matrix[f * columns + k]));
        json_object_set_new(map, dataset->fields[f].name, row);
    }
    return map;
}

/*
 * The sampler's probabilities over time: by field name a row of K for every `interval` steps, in
 * thousandths, since they are there to be drawn; null where there is no supernet.
 */
static json_t *trace_json(const adass_dataset *dataset, const adass_found *found, size_t columns)
{
    if (found->trace == NULL)
        return json_null();
    json_t *map = json_object();
    for (size_t f = 0; f < dataset->n_fields; f++) {
        json_t *rows = json_array();
        for (uint64_t i = 0; i < found->n_trace; i++) {
            const double *p = found->trace + (i * dataset->n_fields + f) * columns;
            json_t *row = json_array();
            for (size_t k = 0; k < columns; k++)
                json_array_append_new(row, json_integer(lround(1000.0 * p[k])));
            json_array_append_new(rows, row);
        }
        json_object_set_new(map, dataset->fields[f].name, rows);
    }
    return json_pack("{s:I, s:o}", "interval", (json_int_t)found->trace_interval, "thousandths",
                     map);
}

static json_t *found_json(const adass_run_config *config, const adass_found *found,
                          const adass_dataset *dataset)
{
    const size_t k = config->candidates.n;
    return json_pack(
        "{s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o}", "supernet_steps",
        (json_int_t)found->supernet_steps, "drawn_params", found->drawn_params, "inherited_auc",
        found->inherited_auc, "evaluations", (json_int_t)found->evaluations, "repairs",
        (json_int_t)found->repairs, "refined", (json_int_t)found->refined, "finalists",
        (json_int_t)found->finalists, "lambda", found->lambda, "sampling_probability",
        matrix_json(dataset, found->probability, k), "sampling_over_time",
        trace_json(dataset, found, k), "policy", matrix_json(dataset, found->policy, k));
}

static json_t *metrics_json(const adass_run_result *r)
{
    const uint64_t bytes =
        r->embedding_bytes + (r->other_params + r->projection_params) * sizeof(float);
    json_t *metrics = json_pack(
        "{s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "valid_auc", r->train.valid.auc,
        "valid_logloss", r->train.valid.logloss, "params", (json_int_t)r->params, "other_params",
        (json_int_t)r->other_params, "projection_params", (json_int_t)r->projection_params, "bytes",
        (json_int_t)bytes, "epochs", (json_int_t)r->train.epochs, "best_epoch",
        (json_int_t)r->train.best_epoch, "window_rows", (json_int_t)r->train.window_rows,
        "continued", r->trained == ADASS_RETRAIN_CONTINUED);
    if (r->n_test > 0) {
        json_object_set_new(metrics, "test_auc", json_real(r->test.auc));
        json_object_set_new(metrics, "test_logloss", json_real(r->test.logloss));
    }
    return metrics;
}

adass_status adass_run_record(const adass_run_config *config, const adass_run_result *result,
                              const adass_dataset *dataset, const adass_compute *compute,
                              json_t **out, adass_error *err)
{
    const bool trained = result->train.valid.auc > 0.0;
    const adass_found *found = &result->found;
    json_t *budget = config->budget != 0 ? json_integer((json_int_t)config->budget) : json_null();
    json_t *root = json_pack(
        "{s:s, s:{s:s, s:s}, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o*, s:o*, s:{s:f, s:f, s:f, "
        "s:f, s:f}, s:o}",
        "format", "adass-run-1", "dataset", "name", dataset->name, "checksum", dataset->checksum,
        "backbone", adass_backbone_name(config->model.backbone), "method", config->method, "budget",
        budget, "seed", (json_int_t)config->seed, "config", adass_run_config_json(config, dataset),
        "sizes", size_map(dataset, result->sizes), "field_params",
        param_map(dataset, result->field_params), "metrics",
        trained ? metrics_json(result) : json_pack("{s:I}", "params", (json_int_t)result->params),
        "found", found->evaluations > 0 ? found_json(config, found, dataset) : NULL, "seconds",
        "supernet", found->supernet_seconds, "search", found->search_seconds, "remembered",
        found->remembered_seconds, "train", result->train.seconds, "total", result->seconds, "provenance",
        adass_provenance_json(compute));
    if (root == NULL)
        return adass_fail_memory(err, "the run's record", 65536.0);
    *out = root;
    return ADASS_OK;
}
