/* adass train: one model of given sizes. */
#include "adass/evaluate.h"
#include "cli.h"
#include "file.h"
#include "json_file.h"
#include "run_options.h"
#include "run_record.h"
#include "safetensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char DEFAULT_SIZES[] = "16";

typedef struct arguments {
    adass_run_options run;
    adass_common common;
    const char *dataset, *sizes, *out, *save, *table_type, *test_type_name;
    adass_type test_type; /* where it has a name */
} arguments;

/*
 * --sizes: a number is a uniform size, anything else a file; lr has sizes of 0. The caller frees
 * *owned.
 */
static adass_status take_sizes(arguments *a, const adass_dataset *dataset, size_t **owned,
                               adass_error *err)
{
    adass_run_config *c = &a->run.config;
    const bool lr = c->model.backbone == ADASS_LR;
    char *end;
    errno = 0;
    const unsigned long size = strtoul(a->sizes, &end, 10);
    if (!lr && end != a->sizes && *end == '\0' && *a->sizes != '-') {
        if (errno != 0 || size == 0 || size > ADASS_SIZE_MAX)
            return adass_fail(err, ADASS_EINVAL,
                              "--sizes %s: a uniform size is a number from 1 to %d", a->sizes,
                              ADASS_SIZE_MAX);
        snprintf(c->method, sizeof c->method, "uniform");
        c->size = size;
        return ADASS_OK;
    }
    *owned = calloc(dataset->n_fields, sizeof **owned);
    if (*owned == NULL)
        return adass_fail_memory(err, "a size assignment", (double)dataset->n_fields * 8.0);
    snprintf(c->method, sizeof c->method, "given");
    c->sizes = *owned;
    return lr ? ADASS_OK : adass_sizes_read(a->sizes, dataset, *owned, err);
}

/* An option's table type. */
static adass_status take_type(const char *option, const char *name, adass_type *out,
                              adass_error *err)
{
    for (int i = 0; i < ADASS_TYPES; i++)
        if (strcmp(name, adass_type_name((adass_type)i)) == 0) {
            *out = (adass_type)i;
            return ADASS_OK;
        }
    return adass_fail(err, ADASS_EINVAL, "--%s %s: the types are f32, bf16, f16 and int8", option,
                      name);
}

/* The test split again, by a copy of the model with tables of --test-type. */
static adass_status test_compact(const arguments *a, const adass_dataset *dataset,
                                 const adass_model *model, adass_metrics *out, adass_error *err)
{
    adass_model *copy = NULL;
    adass_evaluator *test = NULL;
    adass_status status =
        adass_model_quantize(&copy, model, a->common.compute.kernels, a->test_type, err);
    if (status == ADASS_OK)
        status = adass_evaluator_open(&test, dataset, ADASS_TEST, 0, &a->common.compute, err);
    if (status == ADASS_OK)
        status = adass_evaluator_measure(test, copy, NULL, out, err);
    adass_evaluator_close(test);
    adass_model_destroy(copy);
    return status;
}

static void print_result(const adass_run_result *r)
{
    printf("epochs        %zu, best %zu\n", r->train.epochs, r->train.best_epoch);
    printf("validation    AUC %.4f, log-loss %.4f\n", r->train.valid.auc, r->train.valid.logloss);
    printf("test          AUC %.4f, log-loss %.4f\n", r->test.auc, r->test.logloss);
    printf("parameters    %llu in embeddings, %llu others\n", (unsigned long long)r->params,
           (unsigned long long)r->other_params);
    if (r->projection_params > 0)
        printf("projections   %llu parameters more\n", (unsigned long long)r->projection_params);
    printf("seconds       %.1f\n", r->train.seconds);
}

static adass_status report(const arguments *a, const adass_run_result *result,
                           const adass_dataset *dataset, adass_model *model, adass_error *err)
{
    json_t *record = NULL;
    adass_metrics compact = { 0 };
    adass_status status =
        adass_run_record(&a->run.config, result, dataset, &a->common.compute, &record, err);
    if (status == ADASS_OK && a->test_type_name != NULL)
        status = test_compact(a, dataset, model, &compact, err);
    if (status == ADASS_OK && a->test_type_name != NULL)
        json_object_set_new(record, "compact",
                            json_pack("{s:s, s:f, s:f}", "table_type", a->test_type_name,
                                      "test_auc", compact.auc, "test_logloss", compact.logloss));
    if (status == ADASS_OK && a->save != NULL)
        status = adass_safetensors_write_model(a->save, model, dataset, err);
    if (status == ADASS_OK && a->out != NULL)
        status = adass_json_write(a->out, record, err);
    if (status == ADASS_OK && a->common.json)
        adass_cli_print_json("train", json_incref(record));
    else if (status == ADASS_OK)
        print_result(result);
    if (status == ADASS_OK && !a->common.json && a->test_type_name != NULL)
        printf("test, %-6s  AUC %.4f, log-loss %.4f\n", a->test_type_name, compact.auc,
               compact.logloss);
    json_decref(record);
    return status;
}

static adass_status train(void *user, adass_session *session, const adass_dataset *dataset,
                          adass_error *err)
{
    arguments *a = user;
    size_t *sizes = NULL;
    adass_run_result result = { 0 };
    adass_model *model = NULL;
    adass_status status = take_sizes(a, dataset, &sizes, err);
    if (status == ADASS_OK && a->out != NULL)
        status = adass_file_check_writable(a->out, err);
    if (status == ADASS_OK && a->save != NULL)
        status = adass_file_check_writable(a->save, err);
    if (status == ADASS_OK)
        status = adass_run(session, &a->run.config, &result, &model, err);
    if (status == ADASS_OK)
        status = report(a, &result, dataset, model, err);
    adass_model_destroy(model);
    adass_run_result_free(&result);
    free(sizes);
    return status;
}

static int run(int argc, char **argv)
{
    arguments a = { .common = ADASS_COMMON_DEFAULTS, .sizes = DEFAULT_SIZES, .table_type = "f32" };
    adass_run_options_init(&a.run);
    const adass_option own[] = {
        { "sizes", "N|FILE", "one size for all fields, or a sizes.json", ADASS_OPTION_STRING,
          .string = &a.sizes },
        { "epochs", "N", "at most", ADASS_OPTION_SIZE, .size = &a.run.config.train.max_epochs,
          .min = 1 },
        { "patience", "N", "stop after so many epochs without a better validation AUC",
          ADASS_OPTION_SIZE, .size = &a.run.config.train.patience, .min = 1 },
        { "table-type", "TYPE",
          "of the embeddings while training: f32, or bf16 or f16 with stochastic rounding",
          ADASS_OPTION_STRING, .string = &a.table_type },
        { "test-type", "TYPE", "measure the test split with tables of this type as well, int8 say",
          ADASS_OPTION_STRING, .string = &a.test_type_name },
        { "out", "FILE", "write the run's record (JSON)", ADASS_OPTION_STRING, .string = &a.out },
        { "save", "FILE", "write the model (safetensors)", ADASS_OPTION_STRING, .string = &a.save },
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        adass_run_options_add(&a.run, own[i]);
    const adass_usage usage = {
        .command = "train",
        .summary = "Trains a model of given embedding sizes with early stopping on the validation "
                   "split, and measures it once on the test split.",
        .example = "adass train out/ml-1m --model deepfm --sizes 16 --out run.json",
        .positional = { "DATASET" },
        .options = a.run.list,
        .n_options = a.run.n,
        .common = &a.common,
        .takes = ADASS_TAKES_COMPUTE | ADASS_TAKES_SEED | ADASS_TAKES_JSON,
    };
    int exit_status;
    if (!adass_options_parse(&usage, argc, argv, &a.dataset, &exit_status))
        return exit_status;
    adass_error err;
    if (adass_run_options_apply(&a.run, a.common.seed, &err) != ADASS_OK)
        return adass_cli_misuse("train", "%s", err.message);
    if (take_type("table-type", a.table_type, &a.run.config.model.table_type, &err) != ADASS_OK ||
        (a.test_type_name != NULL &&
         take_type("test-type", a.test_type_name, &a.test_type, &err) != ADASS_OK))
        return adass_cli_misuse("train", "%s", err.message);
    if (a.run.config.model.table_type == ADASS_INT8)
        return adass_cli_misuse("train", "--table-type: int8 is for --test-type alone");
    if (a.run.config.model.backbone == ADASS_LR && a.sizes != DEFAULT_SIZES)
        return adass_cli_misuse("train", "--sizes: lr has no embeddings");
    return adass_run_command("train", a.dataset, &a.common, &a.run, train, &a);
}

const adass_command adass_cmd_train = { .name = "train",
                                        .summary = "train a model of given embedding sizes",
                                        .run = run };
