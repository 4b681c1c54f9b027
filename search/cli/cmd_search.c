/* adass search: a size assignment under a budget. */
#include "cli.h"
#include "file.h"
#include "methods/method.h"
#include "run_options.h"
#include "run_record.h"
#include "safetensors.h"
#include "sampler.h"
#include "searcher.h"

#include <stdio.h>

typedef struct arguments {
    adass_run_options run;
    adass_common common;
    const char *dataset, *method, *sampler, *candidates, *out, *inherit, *trained;
    double budget;
    size_t reference;
} arguments;

/*
 * --budget: up to 1 a fraction of the uniform model of size --reference, above a number of
 * parameters.
 */
static adass_status take_budget(arguments *a, const adass_dataset *dataset, adass_error *err)
{
    adass_run_config *c = &a->run.config;
    const size_t reference =
        a->reference != 0 ? a->reference : c->candidates.sizes[c->candidates.n - 1];
    double rows = 0.0;
    for (size_t f = 0; f < dataset->n_fields; f++)
        rows += (double)dataset->fields[f].vocab;
    const double params = a->budget <= 1.0 ? a->budget * rows * (double)reference : a->budget;
    if (!(params >= 1.0))
        return adass_fail(err, ADASS_EINVAL, "--budget %g is less than one parameter", a->budget);
    c->budget = (uint64_t)params;
    return ADASS_OK;
}

static void print_result(const adass_dataset *dataset, const arguments *a,
                         const adass_run_result *r)
{
    static const char *const weights[ADASS_N_RETRAINS] = {
        [ADASS_RETRAIN_ANEW] = "trained from start values",
        [ADASS_RETRAIN_CONTINUED] = "trained from the supernet's weights",
        [ADASS_RETRAIN_NONE] = "with the supernet's weights"
    };
    const adass_found *found = &r->found;
    printf("%-20s %12s %6s %8s\n", "field", "vocabulary", "size", "share");
    for (size_t f = 0; f < dataset->n_fields; f++) {
        const double params = (double)dataset->fields[f].vocab * (double)r->sizes[f];
        printf("%-20s %12zu %6zu %7.1f%%\n", dataset->fields[f].name, dataset->fields[f].vocab,
               r->sizes[f], r->params > 0 ? 100.0 * params / (double)r->params : 0.0);
    }
    printf("\nparameters    %llu of a budget of %llu\n", (unsigned long long)r->params,
           (unsigned long long)a->run.config.budget);
    if (found->evaluations > 0) {
        printf("inherited     AUC %.4f on validation rows; %zu subnets evaluated, %zu repairs\n",
               found->inherited_auc, found->evaluations, found->repairs);
        printf("seconds       %.1f supernet, %.1f search\n", found->supernet_seconds,
               found->search_seconds);
    }
    if (r->n_test > 0)
        printf("test          AUC %.4f, log-loss %.4f, %s\n", r->test.auc, r->test.logloss,
               weights[r->trained]);
}

static adass_status write_sizes(const arguments *a, const adass_dataset *dataset,
                                const adass_run_result *r, adass_error *err)
{
    const adass_run_config *c = &a->run.config;
    adass_sizes_file about = {
        .candidates = c->candidates, .params = r->params, .budget = c->budget, .seed = c->seed
    };
    snprintf(about.dataset, sizeof about.dataset, "%s", dataset->checksum);
    snprintf(about.method, sizeof about.method, "%s", c->method);
    return adass_sizes_write(a->out, dataset, r->sizes, &about, err);
}

static adass_status report(const arguments *a, const adass_dataset *dataset,
                           const adass_run_result *r, adass_error *err)
{
    adass_status status = a->out != NULL ? write_sizes(a, dataset, r, err) : ADASS_OK;
    json_t *record = NULL;
    if (status == ADASS_OK && a->common.json)
        status = adass_run_record(&a->run.config, r, dataset, &a->common.compute, &record, err);
    if (status != ADASS_OK)
        return status;
    if (a->common.json)
        adass_cli_print_json("search", record);
    else
        print_result(dataset, a, r);
    return ADASS_OK;
}

/* Where the model is written, or NULL. */
static const char *model_file(const arguments *a)
{
    return a->inherit != NULL ? a->inherit : a->trained;
}

/* The sizes, and where it is wanted a model of them, measured and written. */
static adass_status find(const arguments *a, adass_session *session, const adass_dataset *dataset,
                         adass_run_result *result, adass_error *err)
{
    if (model_file(a) == NULL)
        return adass_run_find(session, &a->run.config, result, err);
    adass_model *model = NULL;
    adass_status status = adass_run(session, &a->run.config, result, &model, err);
    if (status == ADASS_OK)
        status = adass_safetensors_write_model(model_file(a), model, dataset, err);
    adass_model_destroy(model);
    return status;
}

static adass_status search(void *user, adass_session *session, const adass_dataset *dataset,
                           adass_error *err)
{
    arguments *a = user;
    adass_run_result result = { 0 };
    adass_status status = take_budget(a, dataset, err);
    if (status == ADASS_OK && a->out != NULL)
        status = adass_file_check_writable(a->out, err);
    if (status == ADASS_OK && model_file(a) != NULL)
        status = adass_file_check_writable(model_file(a), err);
    if (status == ADASS_OK)
        status = find(a, session, dataset, &result, err);
    if (status == ADASS_OK)
        status = report(a, dataset, &result, err);
    adass_run_result_free(&result);
    return status;
}

/* Brings the options into the configuration, as far as no dataset is needed. */
static adass_status apply(arguments *a, adass_error *err)
{
    adass_run_config *c = &a->run.config;
    adass_status status = adass_run_options_apply(&a->run, a->common.seed, err);
    if (status == ADASS_OK && a->candidates != NULL)
        status = adass_candidates_parse(a->candidates, &c->candidates, err);
    const adass_method_kind *method = NULL;
    if (status == ADASS_OK)
        status = adass_method_find(a->method, &method, err);
    if (status == ADASS_OK && !method->searches)
        status = adass_fail(err, ADASS_EINVAL, "method '%s' does not search: use 'adass train'",
                            a->method);
    if (status == ADASS_OK && method->train != NULL)
        status = adass_fail(err, ADASS_EINVAL,
                            "method '%s' zeroes single weights and finds no sizes: it runs in "
                            "'adass reproduce'",
                            a->method);
    if (status == ADASS_OK && a->inherit != NULL && a->trained != NULL)
        status = adass_fail(err, ADASS_EINVAL,
                            "--inherit and --trained write models of different weights: give one");
    adass_searcher *searcher = NULL;
    if (status == ADASS_OK)
        status = adass_searcher_find(c->search.searcher, &searcher, err);
    const adass_sampler_kind *sampler = NULL;
    if (status == ADASS_OK)
        status = adass_sampler_find(a->sampler, &sampler, err);
    snprintf(c->method, sizeof c->method, "%s", a->method);
    c->supernet.sampler = a->sampler;
    c->retrain = a->inherit != NULL ? ADASS_RETRAIN_NONE : ADASS_RETRAIN_BETTER;
    return status;
}

static void add_options(arguments *a)
{
    adass_supernet_config *net = &a->run.config.supernet;
    adass_search_config *s = &a->run.config.search;
    const adass_option own[] = {
        { "method", "NAME",
          "adass, random, heuristic, mde, autodim, sseds, sseds-dims, optembed or dimgrow",
          ADASS_OPTION_STRING, .string = &a->method },
        { "budget", "X",
          "up to 1: fraction of the uniform model of size --reference; above: parameters",
          ADASS_OPTION_DOUBLE, .number = &a->budget, .min = 1e-9, .max = 0x1p53 },
        { "reference", "N", "see --budget (default: the largest candidate)", ADASS_OPTION_SIZE,
          .size = &a->reference, .min = 1, .max = ADASS_SIZE_MAX },
        { "candidates", "N,N,..", "candidate sizes, 0 drops a field (default: 0,2,4,8,16,24,32,48,64)",
          ADASS_OPTION_STRING, .string = &a->candidates },
        { "sampler", "NAME",
          "of the supernet's training: adaptive, uniform, sandwich, fair or pa-da",
          ADASS_OPTION_STRING, .string = &a->sampler },
        { "supernet-epochs", "N",
          "passes over the training rows (default: as many as 4,000 steps take, at most 50)",
          ADASS_OPTION_SIZE, .size = &net->epochs, .min = 1 },
        { "sampling-floor", "X", "adaptive: uniform share of the probabilities",
          ADASS_OPTION_DOUBLE, .number = &net->adaptive.floor, .max = 1.0 },
        { "sampling-temperature", "X", "adaptive: of the softmax over need", ADASS_OPTION_DOUBLE,
          .number = &net->adaptive.temperature, .min = 1e-3 },
        { "sampling-warmup", "X", "adaptive: share of steps drawn uniformly first",
          ADASS_OPTION_DOUBLE, .number = &net->adaptive.warmup, .max = 1.0 },
        { "sampling-coupling", "X", "adaptive: share of steps in which all fields draw alike",
          ADASS_OPTION_DOUBLE, .number = &net->adaptive.coupling, .max = 1.0 },
        { "searcher", "NAME", "on the supernet: rl, evolution, random or knapsack",
          ADASS_OPTION_STRING, .string = &s->searcher },
        { "eval-rows", "N", "validation rows of an evaluation, 0 for all", ADASS_OPTION_SIZE,
          .size = &s->eval_rows },
        { "iterations", "N", "of the policy search", ADASS_OPTION_SIZE, .size = &s->iterations,
          .min = 1 },
        { "population", "N", "assignments an iteration", ADASS_OPTION_SIZE, .size = &s->population,
          .min = 1 },
        { "policy-rate", "X", "learning rate of the policy", ADASS_OPTION_DOUBLE,
          .number = &s->learning_rate, .min = 1e-9 },
        { "entropy", "X", "entropy bonus at the beginning", ADASS_OPTION_DOUBLE,
          .number = &s->entropy },
        { "penalty", "X", "weight of the resource-competition penalty at the beginning",
          ADASS_OPTION_DOUBLE, .number = &s->penalty },
        { "penalty-rate", "X", "by which that weight follows the excess over the budget",
          ADASS_OPTION_DOUBLE, .number = &s->penalty_rate },
        { "closing", "X",
          "share of the iterations in which the budget falls to its value; 0: it binds at once",
          ADASS_OPTION_DOUBLE, .number = &s->closing, .max = 1.0 },
        { "equal-shares", NULL, "the penalty falls on all fields alike, without competition",
          ADASS_OPTION_FLAG, .flag = &s->equal_shares },
        { "sweeps", "N", "of the refinement over the fields, at most; 0 for none",
          ADASS_OPTION_SIZE, .size = &s->sweeps },
        { "finalists", "X",
          "steps for which finalists are trained, as a share of the supernet's; 0: none of them",
          ADASS_OPTION_DOUBLE, .number = &s->finalists, .max = 10.0 },
        { "inherit", "FILE",
          "write the model of the sizes with the supernet's weights (safetensors), and measure it",
          ADASS_OPTION_STRING, .string = &a->inherit },
        { "trained", "FILE",
          "train the model of the sizes too, write it (safetensors), and measure it",
          ADASS_OPTION_STRING, .string = &a->trained },
        { "out", "FILE", "write the sizes (sizes.json)", ADASS_OPTION_STRING, .string = &a->out },
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        adass_run_options_add(&a->run, own[i]);
}

static int run(int argc, char **argv)
{
    arguments a = {
        .common = ADASS_COMMON_DEFAULTS, .method = "adass", .sampler = "adaptive", .budget = 0.8
    };
    adass_run_options_init(&a.run);
    add_options(&a);
    const adass_usage usage = {
        .command = "search",
        .summary = "Finds an embedding size for each field under a budget of parameters.",
        .example = "adass search out/ml-1m --budget 0.5 --reference 64 --out sizes.json",
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
    if (apply(&a, &err) != ADASS_OK)
        return adass_cli_misuse("search", "%s", err.message);
    return adass_run_command("search", a.dataset, &a.common, &a.run, search, &a);
}

const adass_command adass_cmd_search = { .name = "search",
                                         .summary = "find embedding sizes under a budget",
                                         .run = run };
