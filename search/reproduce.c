/* Runs suites: plans the cells, does or takes up each run, writes the table. */
#include "adass/reproduce.h"

#include "adass/synth.h"
#include "file.h"
#include "json_file.h"
#include "methods/method.h"
#include "run_record.h"
#include "suite_run.h"
#include "trials.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLANTED_SEED = 1 };

/* ---- progress ---- */

static void report(void *user, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    const adass_suite_run *r = user;
    char text[ADASS_SUITE_NAME_CHARS + 64];
    snprintf(text, sizeof text, "%zu/%zu %s: %s", r->done + 1, r->total, r->label, stage);
    if (r->outer->progress != NULL)
        r->outer->progress(r->outer->user, text, done, total, note);
}

static bool asked_to_stop(void *user)
{
    const adass_suite_run *r = user;
    return r->outer->stop != NULL && r->outer->stop(r->outer->user);
}

/* ---- folders and the dataset ---- */

/* Folder `part` in the output folder. */
static adass_status make_part(const char *out_dir, const char *part, adass_error *err)
{
    char path[ADASS_SUITE_PATH_CHARS];
    if (*out_dir == '\0' || strlen(out_dir) >= sizeof path - ADASS_SUITE_NAME_CHARS)
        return adass_fail(err, ADASS_EINVAL,
                          "the output folder '%s': the name is empty or too long", out_dir);
    snprintf(path, sizeof path, "%s/%s", out_dir, part);
    return adass_folder_make(path, err);
}

/* Whether planted data was made as the suite wants it; an interrupted suite finds its own. */
static adass_status check_planted(const adass_suite_run *r, const adass_synth_options *wanted,
                                  const char *path, adass_error *err)
{
    json_t *made = json_loads(r->dataset->made, 0, NULL);
    const char *shape = json_string_value(json_object_get(made, "shape"));
    const json_int_t rows = json_integer_value(json_object_get(made, "rows"));
    const bool same = shape != NULL && strcmp(shape, wanted->shape) == 0 &&
                      json_integer_value(json_object_get(made, "seed")) == PLANTED_SEED &&
                      (wanted->rows == 0 || (size_t)rows == wanted->rows);
    json_decref(made);
    return same ? ADASS_OK
                : adass_fail(
                      err, ADASS_EINVAL,
                      "%s: not the planted data of suite '%s'; remove it, and it is made again",
                      path, r->suite.name);
}

static adass_status open_planted(adass_suite_run *r, adass_error *err)
{
    char path[ADASS_SUITE_PATH_CHARS];
    const adass_reproduce_options *o = r->options;
    const double scale = o->scale > 0.0 ? o->scale : 1.0;
    const adass_synth_options synth = {
        .shape = o->shape != NULL ? o->shape : r->suite.shape,
        .rows = (size_t)(scale * (double)r->suite.rows),
        .seed = PLANTED_SEED,
        .monitor = &r->monitor,
    };
    adass_status status = make_part(o->out_dir, "data", err);
    snprintf(path, sizeof path, "%s/data/%s", o->out_dir, synth.shape);
    if (status == ADASS_OK && access(path, F_OK) != 0)
        status = adass_synth_write(&synth, path, err);
    if (status == ADASS_OK)
        status = adass_dataset_open(&r->dataset, path, err);
    return status == ADASS_OK ? check_planted(r, &synth, path, err) : status;
}

static adass_status open_dataset(adass_suite_run *r, adass_error *err)
{
    const adass_reproduce_options *o = r->options;
    if (o->dataset != NULL && (o->shape != NULL || o->scale > 0.0))
        return adass_fail(err, ADASS_EINVAL,
                          "a shape and a scale are of planted data: leave them or the dataset out");
    if (o->dataset != NULL)
        return adass_dataset_open(&r->dataset, o->dataset, err);
    if (r->suite.shape != NULL)
        return open_planted(r, err);
    return adass_fail(err, ADASS_EINVAL,
                      "suite '%s' needs a dataset: prepare one with '%s' and name it by --dataset",
                      r->suite.name, r->suite.hint);
}

/* ---- one run ---- */

static bool same_text(const json_t *a, const json_t *b)
{
    return json_is_string(a) && json_is_string(b) &&
           strcmp(json_string_value(a), json_string_value(b)) == 0;
}

/*
 * A revision names the code unless the tree was changed or is unknown; then the file must be
 * younger than the program.
 */
static bool of_this_program(const json_t *revision, const char *path)
{
    struct stat program, file;
    const char *text = json_string_value(revision);
    if (text == NULL)
        return false;
    if (strstr(text, "-dirty") == NULL && strcmp(text, "unknown") != 0)
        return true;
    return stat("/proc/self/exe", &program) == 0 && stat(path, &file) == 0 &&
           file.st_mtime >= program.st_mtime;
}

/*
 * Whether a record is of this configuration, dataset and code, so that doing the run again would
 * give the same.
 */
static bool still_valid(const adass_suite_run *r, const json_t *record, const char *path,
                        const json_t *config)
{
    static const char *const decisive[] = { "version", "revision",   "isa",
                                            "onednn",  "onednn_isa", "compiler" };
    json_t *from = adass_provenance_json(r->compute);
    const json_t *was_from = json_object_get(record, "provenance");
    const char *checksum =
        json_string_value(json_object_get(json_object_get(record, "dataset"), "checksum"));
    bool valid = config != NULL && json_equal(json_object_get(record, "config"), config) &&
                 checksum != NULL && strcmp(checksum, r->dataset->checksum) == 0 &&
                 of_this_program(json_object_get(from, "revision"), path);
    for (size_t i = 0; i < sizeof decisive / sizeof decisive[0]; i++)
        valid = valid && same_text(json_object_get(was_from, decisive[i]),
                                   json_object_get(from, decisive[i]));
    json_decref(from);
    return valid;
}

static void path_of_run(const adass_suite_run *r, const char *ending,
                        char path[ADASS_SUITE_PATH_CHARS])
{
    snprintf(path, ADASS_SUITE_PATH_CHARS, "%s/runs/%s.%s", r->options->out_dir, r->label, ending);
}

json_t *adass_suite_read(const adass_suite_run *r, const json_t *config)
{
    char path[ADASS_SUITE_PATH_CHARS];
    json_t *record = NULL;
    path_of_run(r, "json", path);
    if (access(path, F_OK) != 0 || adass_json_read(path, &record, NULL) != ADASS_OK)
        return NULL;
    if (still_valid(r, record, path, config))
        return record;
    json_decref(record);
    return NULL;
}

static bool put_logits(FILE *file, const void *user)
{
    const adass_run_result *r = user;
    return fwrite(r->test_logits, sizeof *r->test_logits, r->n_test, file) == r->n_test;
}

/* Before the record, which says that the run is complete. */
static adass_status write_logits(const adass_suite_run *r, const adass_run_result *result,
                                 adass_error *err)
{
    char path[ADASS_SUITE_PATH_CHARS];
    path_of_run(r, "logits", path);
    return adass_file_write(path, put_logits, result, err);
}

static adass_status do_run(adass_suite_run *r, const adass_run_config *config, json_t **out,
                           adass_error *err)
{
    char path[ADASS_SUITE_PATH_CHARS];
    adass_run_result result;
    adass_status status = adass_run(r->session, config, &result, NULL, err);
    if (status == ADASS_OK)
        status = adass_run_record(config, &result, r->dataset, r->compute, out, err);
    if (status == ADASS_OK && !config->without_test)
        status = write_logits(r, &result, err);
    path_of_run(r, "json", path);
    if (status == ADASS_OK)
        status = adass_json_write(path, *out, err);
    if (status == ADASS_OK)
        adass_session_remove_checkpoints(r->session, false);
    adass_run_result_free(&result);
    return status;
}

bool adass_suite_is_mine(const adass_suite_run *r, size_t i)
{
    return r->options->shards == 0 || i % r->options->shards + 1 == r->options->shard;
}

adass_status adass_suite_run_one(adass_suite_run *r, const adass_run_config *config, bool mine,
                                 json_t **record, adass_error *err)
{
    json_t *wanted = adass_run_config_json(config, r->dataset);
    json_t *there = adass_suite_read(r, wanted);
    const bool reused = there != NULL;
    json_decref(wanted);
    *record = there;
    adass_status status = adass_monitor_tick(&r->monitor, "begins", 0, 1, "", err);
    if (status == ADASS_OK && !reused && mine)
        status = do_run(r, config, record, err);
    if (status != ADASS_OK)
        return status;
    r->done++;
    r->missing += *record == NULL;
    const char *metric = config->without_test ? "valid_auc" : "test_auc";
    if (r->options->finished != NULL && *record != NULL)
        r->options->finished(r->options->user, r->done, r->total, r->label,
                             adass_record_number(*record, "metrics", metric), config->without_test,
                             reused);
    return ADASS_OK;
}

/* Of a cell's runs, with the settings of a trial. */
static adass_run_config config_of(const adass_suite_run *r, const adass_cell *cell,
                                  const adass_variant *variant, size_t trial)
{
    adass_run_config config = r->suite.config;
    adass_variant_apply(variant, &config);
    config.model.backbone = cell->backbone;
    config.size = cell->size;
    config.budget = cell->max_params;
    adass_trial_apply(trial, &config);
    return config;
}

/* Run i of a cell, which is missing as long as trials of its row are. */
static adass_status run_cell(adass_suite_run *r, adass_cell *cell, size_t i,
                             const adass_variant *variant, bool mine, adass_error *err)
{
    if (cell->trial == ADASS_NO_TRIAL) {
        r->done++;
        r->missing++;
        return ADASS_OK;
    }
    adass_run_config config = config_of(r, cell, variant, cell->trial);
    config.seed = r->options->seed + i;
    config.train_seed = r->suite.one_training ? r->options->seed : 0;
    adass_cell_run_name(cell, i, r->label);
    return adass_suite_run_one(r, &config, mine, &cell->records[i], err);
}

/* ---- trials of settings ---- */

/* Fills *auc: of validation, NAN where the trial is not there. */
static adass_status run_trial(adass_suite_run *r, const adass_cell *cell,
                              const adass_variant *variant, size_t trial, bool mine, double *auc,
                              adass_error *err)
{
    json_t *record = NULL;
    adass_run_config config = config_of(r, cell, variant, trial);
    config.seed = r->options->seed + ADASS_TRIAL_SEED;
    config.without_test = true;
    adass_cell_trial_name(cell, trial, r->label);
    const adass_status status = adass_suite_run_one(r, &config, mine, &record, err);
    *auc = record != NULL ? adass_record_number(record, "metrics", "valid_auc") : NAN;
    json_decref(record);
    return status;
}

/* The cell takes the settings of the best of its row's trials, auc[n]. */
static void take_best_trial(adass_cell *cell, const double *auc, size_t n)
{
    cell->trials = n;
    for (size_t t = 0; t < n; t++)
        if (isnan(auc[t])) {
            cell->trial = ADASS_NO_TRIAL;
            return;
        }
    cell->trial = n > 0 ? adass_trial_best(auc, n) : 0;
    cell->trial_gain = n > 0 ? auc[cell->trial] - auc[0] : 0.0;
}

/* ---- the cells ---- */

static adass_cell *add_cell(adass_suite_run *r, adass_backbone backbone, const char *name,
                            size_t size, double budget, uint64_t max_params, adass_error *err)
{
    json_t **records = calloc(r->suite.seeds, sizeof *records);
    if (records == NULL || r->n_cells == ADASS_SUITE_CELLS_MAX) {
        free(records);
        adass_fail_memory(err, "the suite's runs", (double)r->suite.seeds * 8.0);
        return NULL;
    }
    adass_cell *cell = &r->cells[r->n_cells++];
    *cell = (adass_cell){ .backbone = backbone,
                          .method = name,
                          .size = size,
                          .budget = budget,
                          .max_params = max_params,
                          .n = r->suite.seeds,
                          .first_seed = r->options->seed,
                          .records = records };
    return cell;
}

/* A shard's unit: `run`, or with trials, for which a row's runs wait, the row. */
static bool is_mine(const adass_suite_run *r, size_t run, size_t row)
{
    return adass_suite_is_mine(r, r->options->trials > 0 ? row : run);
}

/* Uniform size k: its trials, auc[trials + 1] being work space, and its seeds. */
static adass_status run_size(adass_suite_run *r, adass_backbone backbone, size_t k, double *auc,
                             adass_error *err)
{
    static const adass_variant uniform = { .name = "uniform", .method = "uniform" };
    const size_t trials = r->options->trials;
    adass_cell *cell = add_cell(r, backbone, "uniform", r->suite.uniform.sizes[k], 0.0, 0, err);
    adass_status status = cell != NULL ? ADASS_OK : ADASS_ENOMEM;
    for (size_t t = 0; t < trials && status == ADASS_OK; t++)
        status = run_trial(r, cell, &uniform, t, adass_suite_is_mine(r, k), &auc[t], err);
    if (status == ADASS_OK)
        take_best_trial(cell, auc, trials);
    for (size_t i = 0; i < r->suite.seeds && status == ADASS_OK; i++)
        status = run_cell(r, cell, i, &uniform, is_mine(r, k * cell->n + i, k), err);
    return status;
}

static adass_status run_uniform(adass_suite_run *r, adass_backbone backbone, adass_error *err)
{
    double *auc = calloc(r->options->trials + 1, sizeof *auc);
    adass_status status = auc != NULL ? ADASS_OK : adass_fail_memory(err, "the trials", 4096.0);
    for (size_t k = 0; k < r->suite.uniform.n && status == ADASS_OK; k++)
        status = run_size(r, backbone, k, auc, err);
    free(auc);
    return status;
}

/* Columns that every field has at least, by the method or the candidates of a variant. */
static size_t least_columns(const adass_suite_run *r, const adass_variant *variant)
{
    adass_run_config config = r->suite.config;
    adass_variant_apply(variant, &config);
    const adass_method_kind *method = NULL;
    const bool whole = adass_method_find(variant->method, &method, NULL) == ADASS_OK &&
                       method->cannot_drop && config.candidates.sizes[0] == 0;
    return whole ? 1 : config.candidates.sizes[0];
}

/* Not every variant can keep every budget, and not every backbone has every alignment. */
static bool can_do(const adass_suite_run *r, adass_backbone backbone, const adass_variant *variant,
                   uint64_t budget)
{
    uint64_t rows = 0;
    for (size_t f = 0; f < r->dataset->n_fields; f++)
        rows += r->dataset->fields[f].vocab;
    return adass_align_check(variant->align, backbone, NULL) == ADASS_OK &&
           rows * least_columns(r, variant) <= budget;
}

/* Trial t of a variant, at its first budget. */
static adass_status try_variant(adass_suite_run *r, size_t v, adass_cell *const *cells, size_t t,
                                double *auc, adass_error *err)
{
    size_t b = 0;
    while (b < r->suite.n_budgets && cells[b] == NULL)
        b++;
    if (b == r->suite.n_budgets) {
        r->done++;
        return ADASS_OK;
    }
    return run_trial(r, cells[b], &r->suite.variants[v], t, adass_suite_is_mine(r, v), auc, err);
}

/* Trials outside, variants inside: the supernet of a trial serves what is alike. */
static adass_status try_variants(adass_suite_run *r, adass_cell *const *cells, adass_error *err)
{
    const size_t n = r->suite.n_variants, n_budgets = r->suite.n_budgets;
    const size_t trials = r->options->trials;
    double *auc = calloc(n * trials + 1, sizeof *auc);
    adass_status status = auc != NULL ? ADASS_OK : adass_fail_memory(err, "the trials", 4096.0);
    for (size_t t = 0; t < trials && status == ADASS_OK; t++)
        for (size_t v = 0; v < n && status == ADASS_OK; v++)
            status = try_variant(r, v, cells + v * n_budgets, t, &auc[v * trials + t], err);
    for (size_t c = 0; c < n * n_budgets && status == ADASS_OK; c++)
        if (cells[c] != NULL)
            take_best_trial(cells[c], auc + c / n_budgets * trials, trials);
    free(auc);
    return status;
}

/* Seed i of a variant at every budget, one shard's, for they share a supernet. */
static adass_status run_variant(adass_suite_run *r, size_t v, adass_cell *const *cells, size_t i,
                                adass_error *err)
{
    const bool mine = is_mine(r, i * r->suite.n_variants + v, v);
    for (size_t b = 0; b < r->suite.n_budgets; b++) {
        if (cells[b] == NULL) {
            r->done++;
            continue;
        }
        const adass_status status = run_cell(r, cells[b], i, &r->suite.variants[v], mine, err);
        if (status != ADASS_OK)
            return status;
    }
    return ADASS_OK;
}

/* cells[n_variants x n_budgets]: NULL where a variant cannot do it. */
static adass_status add_searched(adass_suite_run *r, adass_backbone backbone, adass_cell **cells,
                                 adass_error *err)
{
    const adass_suite *suite = &r->suite;
    const adass_cell *best = adass_best_uniform(r->cells, r->n_cells, backbone);
    const double reference = adass_record_number(best->records[0], "metrics", "params");
    for (size_t c = 0; c < suite->n_variants * suite->n_budgets; c++) {
        const adass_variant *variant = &suite->variants[c / suite->n_budgets];
        const double budget = suite->budgets[c % suite->n_budgets];
        const uint64_t max_params = (uint64_t)floor(budget * reference);
        if (!can_do(r, backbone, variant, max_params))
            continue;
        cells[c] = add_cell(r, backbone, variant->name, 0, budget, max_params, err);
        if (cells[c] == NULL)
            return ADASS_ENOMEM;
    }
    return ADASS_OK;
}

/* Seeds outside, variants and budgets inside: the supernet of a seed serves what is alike. */
static adass_status run_searched(adass_suite_run *r, adass_backbone backbone, adass_error *err)
{
    const adass_suite *suite = &r->suite;
    adass_cell **cells = calloc(suite->n_variants * suite->n_budgets, sizeof *cells);
    adass_status status = cells != NULL ? add_searched(r, backbone, cells, err)
                                        : adass_fail_memory(err, "the cells", 4096.0);
    if (status == ADASS_OK)
        status = try_variants(r, cells, err);
    for (size_t i = 0; i < suite->seeds && status == ADASS_OK; i++)
        for (size_t v = 0; v < suite->n_variants && status == ADASS_OK; v++)
            status = run_variant(r, v, cells + v * suite->n_budgets, i, err);
    free(cells);
    return status;
}

static adass_status run_suite(adass_suite_run *r, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t b = 0; b < r->suite.n_backbones && status == ADASS_OK; b++) {
        const size_t missing = r->missing;
        status = run_uniform(r, r->suite.backbones[b], err);
        if (status == ADASS_OK && r->missing == missing)
            status = run_searched(r, r->suite.backbones[b], err);
    }
    if (status == ADASS_OK && r->missing == 0)
        status = adass_table_write(r->options->out_dir, r->suite.name, r->dataset, r->cells,
                                   r->n_cells, r->compute, err);
    return status;
}

/* What is there is gone on with where it is of the run that comes next, and replaced where not. */
static adass_status keep_checkpoints(adass_suite_run *r, adass_error *err)
{
    char path[ADASS_SUITE_PATH_CHARS];
    if (r->options->shards > 0) /* whose processes share the folder */
        snprintf(path, sizeof path, "%s/checkpoints-%zu", r->options->out_dir, r->options->shard);
    else
        snprintf(path, sizeof path, "%s/checkpoints", r->options->out_dir);
    const adass_checkpoint_options options = {
        .dir = path, .every_seconds = 300.0, .resume = true, .replace = true
    };
    return adass_session_keep_checkpoints(r->session, &options, err);
}

static adass_status tell_time(const adass_suite_run *r, adass_error *err)
{
    double seconds;
    if (r->options->expected == NULL)
        return ADASS_OK;
    const adass_status status = adass_suite_expect(r, &seconds, err);
    if (status == ADASS_OK)
        r->options->expected(r->options->user, seconds);
    return status;
}

static void free_cells(adass_suite_run *r)
{
    for (size_t c = 0; c < r->n_cells; c++) {
        for (size_t i = 0; i < r->cells[c].n; i++)
            json_decref(r->cells[c].records[i]);
        free(r->cells[c].records);
    }
}

adass_status adass_reproduce_suite(const adass_suite *suite, const adass_reproduce_options *options,
                                   const adass_compute *compute, const adass_monitor *monitor,
                                   adass_error *err)
{
    static const adass_monitor silent = { 0 };
    if (options->shards > 0 && (options->shard < 1 || options->shard > options->shards))
        return adass_fail(err, ADASS_EINVAL, "shard %zu of %zu: shards are numbered from 1 on",
                          options->shard, options->shards);
    if (options->trials > 0 && suite->fidelity_assignments > 0)
        return adass_fail(err, ADASS_EINVAL,
                          "suite '%s' has no rows whose settings could be tuned: leave trials out",
                          suite->name);
    adass_suite_run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return adass_fail_memory(err, "the suite", sizeof *r);
    r->options = options;
    r->suite = *suite;
    r->compute = compute;
    r->outer = monitor != NULL ? monitor : &silent;
    r->monitor = (adass_monitor){ .progress = report, .stop = asked_to_stop, .user = r };
    if (options->seeds != 0)
        r->suite.seeds = options->seeds;
    r->total = suite->n_backbones *
               (r->suite.seeds * (suite->uniform.n + suite->n_variants * suite->n_budgets) +
                options->trials * (suite->uniform.n + suite->n_variants));
    adass_status status = open_dataset(r, err);
    if (status == ADASS_OK)
        status = make_part(options->out_dir, "runs", err);
    if (status == ADASS_OK)
        status = adass_session_open(&r->session, r->dataset, compute, &r->monitor, err);
    if (status == ADASS_OK)
        status = keep_checkpoints(r, err);
    if (status == ADASS_OK)
        status = tell_time(r, err);
    if (status == ADASS_OK)
        status =
            suite->fidelity_assignments > 0 ? adass_suite_run_fidelity(r, err) : run_suite(r, err);
    if (status == ADASS_OK)
        adass_session_remove_checkpoints(r->session, true);
    if (options->missing != NULL)
        *options->missing = r->missing;
    free_cells(r);
    adass_session_close(r->session);
    adass_dataset_close(r->dataset);
    free(r);
    return status;
}

/* The next name of a list such as "fm,dcnv2", cut to fit; false at the end. */
static bool next_name(const char **list, char *name, size_t size)
{
    if (**list == '\0')
        return false;
    const size_t chars = strcspn(*list, ",");
    snprintf(name, size, "%.*s", (int)(chars < size ? chars : size - 1), *list);
    *list += chars + ((*list)[chars] == ',');
    return true;
}

static adass_status choose_backbones(adass_suite *suite, const char *models, adass_error *err)
{
    char name[16];
    suite->n_backbones = 0;
    while (next_name(&models, name, sizeof name)) {
        adass_backbone backbone;
        const adass_status status = adass_backbone_parse(name, &backbone, err);
        if (status != ADASS_OK)
            return status;
        if (backbone == ADASS_LR)
            return adass_fail(err, ADASS_EINVAL,
                              "backbone lr has no embeddings whose sizes could be compared");
        for (size_t i = 0; i < suite->n_backbones; i++)
            if (suite->backbones[i] == backbone)
                return adass_fail(err, ADASS_EINVAL, "backbone %s is named twice", name);
        suite->backbones[suite->n_backbones++] = backbone;
    }
    return ADASS_OK;
}

/* Fails, listing the rows that the suite has. */
static adass_status no_variant(const adass_suite *suite, const char *name, adass_error *err)
{
    char names[1024] = "";
    for (size_t v = 0; v < suite->n_variants; v++) {
        strcat(names, v == 0 ? "" : ", ");
        strcat(names, suite->variants[v].name);
    }
    return adass_fail(err, ADASS_EINVAL, "suite %s has no row named '%s'; there are %s",
                      suite->name, name, names);
}

/* kept[suite->n_variants]: the rows named, in the suite's order; for the suite to point to. */
static adass_status choose_variants(adass_suite *suite, const char *rows, adass_variant *kept,
                                    adass_error *err)
{
    bool named[ADASS_SUITE_VARIANTS_MAX] = { 0 };
    char name[32];
    size_t n = 0;
    while (next_name(&rows, name, sizeof name)) {
        size_t v = 0;
        while (v < suite->n_variants && strcmp(suite->variants[v].name, name) != 0)
            v++;
        if (v == suite->n_variants)
            return no_variant(suite, name, err);
        named[v] = true;
    }
    for (size_t v = 0; v < suite->n_variants; v++)
        if (named[v])
            kept[n++] = suite->variants[v];
    suite->variants = kept;
    suite->n_variants = n;
    return ADASS_OK;
}

adass_status adass_reproduce(const adass_reproduce_options *options, const adass_compute *compute,
                             const adass_monitor *monitor, adass_error *err)
{
    adass_suite suite;
    adass_variant kept[ADASS_SUITE_VARIANTS_MAX];
    adass_status status = adass_suite_find(options->suite, &suite, err);
    if (status == ADASS_OK && options->models != NULL)
        status = choose_backbones(&suite, options->models, err);
    if (status == ADASS_OK && options->rows != NULL)
        status = choose_variants(&suite, options->rows, kept, err);
    return status == ADASS_OK ? adass_reproduce_suite(&suite, options, compute, monitor, err)
                              : status;
}
