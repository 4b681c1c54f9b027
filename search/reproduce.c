/* Runs suites: plans the cells, does or takes up each run, writes the table. */
#include "adass/reproduce.h"

#include "adass/synth.h"
#include "json_file.h"
#include "run_record.h"
#include "suites.h"
#include "table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_CELLS = 128, PATH_CHARS = 4096, NAME_CHARS = 96, PLANTED_SEED = 1 };

/* The methods that search; the uniform sizes come first by themselves. */
static const char *const searched[] = { "random", "adass" };

enum { N_SEARCHED = sizeof searched / sizeof searched[0] };

typedef struct suite_run {
    const adass_reproduce_options *options;
    adass_suite suite;
    const adass_compute *compute;
    const adass_monitor *outer;
    adass_monitor monitor; /* the caller's, with the run's name before the stage */
    char label[NAME_CHARS];
    adass_dataset *dataset;
    adass_session *session;
    adass_cell cells[MAX_CELLS];
    size_t n_cells, done, total;
} suite_run;

/* ---- progress ---- */

static void report(void *user, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    const suite_run *r = user;
    char text[NAME_CHARS + 64];
    snprintf(text, sizeof text, "%zu/%zu %s: %s", r->done + 1, r->total, r->label, stage);
    if (r->outer->progress != NULL)
        r->outer->progress(r->outer->user, text, done, total, note);
}

static bool asked_to_stop(void *user)
{
    const suite_run *r = user;
    return r->outer->stop != NULL && r->outer->stop(r->outer->user);
}

/* ---- folders and the dataset ---- */

static adass_status make_folder(const char *path, adass_error *err)
{
    struct stat about;
    if (mkdir(path, 0777) == 0)
        return ADASS_OK;
    if (errno == EEXIST && stat(path, &about) == 0) {
        if (S_ISDIR(about.st_mode))
            return ADASS_OK;
        errno = ENOTDIR;
    }
    return adass_fail(err, ADASS_EIO, "%s: the folder cannot be created: %s", path,
                      strerror(errno));
}

/* Folder `part` in the output folder, with those above it. */
static adass_status make_folders(const char *out_dir, const char *part, adass_error *err)
{
    char path[PATH_CHARS];
    if (*out_dir == '\0' || strlen(out_dir) >= sizeof path - NAME_CHARS)
        return adass_fail(err, ADASS_EINVAL,
                          "the output folder '%s': the name is empty or too long", out_dir);
    adass_status status = ADASS_OK;
    for (size_t i = 1; i <= strlen(out_dir) && status == ADASS_OK; i++)
        if (out_dir[i] == '/' || out_dir[i] == '\0') {
            snprintf(path, sizeof path, "%.*s", (int)i, out_dir);
            status = make_folder(path, err);
        }
    snprintf(path, sizeof path, "%s/%s", out_dir, part);
    return status == ADASS_OK ? make_folder(path, err) : status;
}

/* Whether planted data was made as the suite wants it; an interrupted suite finds its own. */
static adass_status check_planted(const suite_run *r, const char *path, adass_error *err)
{
    json_t *made = json_loads(r->dataset->made, 0, NULL);
    const char *shape = json_string_value(json_object_get(made, "shape"));
    const json_int_t rows = json_integer_value(json_object_get(made, "rows"));
    const bool same = shape != NULL && strcmp(shape, r->suite.shape) == 0 &&
                      json_integer_value(json_object_get(made, "seed")) == PLANTED_SEED &&
                      (r->suite.rows == 0 || (size_t)rows == r->suite.rows);
    json_decref(made);
    return same ? ADASS_OK
                : adass_fail(
                      err, ADASS_EINVAL,
                      "%s: not the planted data of suite '%s'; remove it, and it is made again",
                      path, r->suite.name);
}

static adass_status open_planted(suite_run *r, adass_error *err)
{
    char path[PATH_CHARS];
    const adass_synth_options synth = {
        .shape = r->suite.shape, .rows = r->suite.rows, .seed = PLANTED_SEED, .monitor = &r->monitor
    };
    adass_status status = make_folders(r->options->out_dir, "data", err);
    snprintf(path, sizeof path, "%s/data/%s", r->options->out_dir, r->suite.shape);
    if (status == ADASS_OK && access(path, F_OK) != 0)
        status = adass_synth_write(&synth, path, err);
    if (status == ADASS_OK)
        status = adass_dataset_open(&r->dataset, path, err);
    return status == ADASS_OK ? check_planted(r, path, err) : status;
}

static adass_status open_dataset(suite_run *r, adass_error *err)
{
    if (r->suite.shape != NULL && r->options->dataset != NULL)
        return adass_fail(err, ADASS_EINVAL, "suite '%s' makes its own data: leave the dataset out",
                          r->suite.name);
    if (r->suite.shape != NULL)
        return open_planted(r, err);
    if (r->options->dataset == NULL)
        return adass_fail(
            err, ADASS_EINVAL,
            "suite '%s' needs a dataset: prepare one with '%s' and name it by --dataset",
            r->suite.name, r->suite.hint);
    return adass_dataset_open(&r->dataset, r->options->dataset, err);
}

/* ---- one run ---- */

static void name_run(const adass_cell *cell, uint64_t seed, char name[NAME_CHARS])
{
    char which[32];
    if (cell->budget > 0.0)
        snprintf(which, sizeof which, "budget%g", cell->budget);
    else
        snprintf(which, sizeof which, "size%zu", cell->size);
    snprintf(name, NAME_CHARS, "%s-%s-%s-seed%llu", adass_backbone_name(cell->backbone),
             cell->method, which, (unsigned long long)seed);
}

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
static bool still_valid(const suite_run *r, const json_t *record, const char *path,
                        const adass_run_config *config)
{
    static const char *const decisive[] = { "version", "revision",   "isa",
                                            "onednn",  "onednn_isa", "compiler" };
    json_t *wanted = adass_run_config_json(config, r->dataset),
           *from = adass_provenance_json(r->compute);
    const json_t *was_from = json_object_get(record, "provenance");
    const char *checksum =
        json_string_value(json_object_get(json_object_get(record, "dataset"), "checksum"));
    bool valid = wanted != NULL && json_equal(json_object_get(record, "config"), wanted) &&
                 checksum != NULL && strcmp(checksum, r->dataset->checksum) == 0 &&
                 json_is_real(json_object_get(json_object_get(record, "metrics"), "test_auc")) &&
                 of_this_program(json_object_get(from, "revision"), path);
    for (size_t i = 0; i < sizeof decisive / sizeof decisive[0]; i++)
        valid = valid && same_text(json_object_get(was_from, decisive[i]),
                                   json_object_get(from, decisive[i]));
    json_decref(wanted);
    json_decref(from);
    return valid;
}

static adass_status do_run(suite_run *r, const adass_run_config *config, const char *path,
                           json_t **out, adass_error *err)
{
    adass_run_result result;
    adass_status status = adass_run(r->session, config, &result, NULL, err);
    if (status == ADASS_OK)
        status = adass_run_record(config, &result, r->dataset, r->compute, out, err);
    if (status == ADASS_OK)
        status = adass_json_write(path, *out, err);
    adass_run_result_free(&result);
    return status;
}

static adass_status run_one(suite_run *r, adass_cell *cell, size_t i, uint64_t budget,
                            adass_error *err)
{
    adass_run_config config = r->suite.config;
    snprintf(config.method, sizeof config.method, "%s", cell->method);
    config.model.backbone = cell->backbone;
    config.size = cell->size;
    config.budget = budget;
    config.seed = r->options->seed + i;

    char path[PATH_CHARS];
    name_run(cell, config.seed, r->label);
    snprintf(path, sizeof path, "%s/runs/%s.json", r->options->out_dir, r->label);
    json_t *record = NULL;
    bool reused = false;
    if (access(path, F_OK) == 0 && adass_json_read(path, &record, NULL) == ADASS_OK) {
        reused = still_valid(r, record, path, &config);
        if (!reused) {
            json_decref(record);
            record = NULL;
        }
    }
    adass_status status = adass_monitor_tick(&r->monitor, "begins", 0, 1, "", err);
    if (status == ADASS_OK && !reused)
        status = do_run(r, &config, path, &record, err);
    cell->records[i] = record;
    if (status != ADASS_OK)
        return status;
    r->done++;
    if (r->options->finished != NULL)
        r->options->finished(r->options->user, r->done, r->total, r->label,
                             adass_record_number(record, "metrics", "test_auc"), reused);
    return ADASS_OK;
}

/* ---- the cells ---- */

static adass_cell *add_cell(suite_run *r, adass_backbone backbone, const char *method, size_t size,
                            double budget, adass_error *err)
{
    json_t **records = calloc(r->suite.seeds, sizeof *records);
    if (records == NULL || r->n_cells == MAX_CELLS) {
        free(records);
        adass_fail_memory(err, "the suite's runs", (double)r->suite.seeds * 8.0);
        return NULL;
    }
    adass_cell *cell = &r->cells[r->n_cells++];
    *cell = (adass_cell){ .backbone = backbone,
                          .method = method,
                          .size = size,
                          .budget = budget,
                          .n = r->suite.seeds,
                          .records = records };
    return cell;
}

static adass_status run_uniform(suite_run *r, adass_backbone backbone, adass_error *err)
{
    for (size_t k = 0; k < r->suite.uniform.n; k++) {
        adass_cell *cell = add_cell(r, backbone, "uniform", r->suite.uniform.sizes[k], 0.0, err);
        if (cell == NULL)
            return ADASS_ENOMEM;
        for (size_t i = 0; i < cell->n; i++) {
            const adass_status status = run_one(r, cell, i, 0, err);
            if (status != ADASS_OK)
                return status;
        }
    }
    return ADASS_OK;
}

/* Seeds outside, budgets inside: the supernet of a seed serves every budget. */
static adass_status run_searched(suite_run *r, adass_backbone backbone, adass_error *err)
{
    const adass_cell *reference = adass_best_uniform(r->cells, r->n_cells, backbone);
    const double params = adass_record_number(reference->records[0], "metrics", "params");
    adass_cell *cells[N_SEARCHED][ADASS_SUITE_BUDGETS_MAX];
    for (size_t m = 0; m < N_SEARCHED; m++)
        for (size_t b = 0; b < r->suite.n_budgets; b++) {
            cells[m][b] = add_cell(r, backbone, searched[m], 0, r->suite.budgets[b], err);
            if (cells[m][b] == NULL)
                return ADASS_ENOMEM;
        }
    for (size_t i = 0; i < r->suite.seeds; i++)
        for (size_t m = 0; m < N_SEARCHED; m++)
            for (size_t b = 0; b < r->suite.n_budgets; b++) {
                const uint64_t budget = (uint64_t)floor(r->suite.budgets[b] * params);
                const adass_status status = run_one(r, cells[m][b], i, budget, err);
                if (status != ADASS_OK)
                    return status;
            }
    return ADASS_OK;
}

static adass_status run_suite(suite_run *r, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t b = 0; b < r->suite.n_backbones && status == ADASS_OK; b++) {
        status = run_uniform(r, r->suite.backbones[b], err);
        if (status == ADASS_OK)
            status = run_searched(r, r->suite.backbones[b], err);
    }
    if (status == ADASS_OK)
        status = adass_table_write(r->options->out_dir, r->suite.name, r->dataset, r->cells,
                                   r->n_cells, r->compute, err);
    return status;
}

static void free_cells(suite_run *r)
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
    suite_run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return adass_fail_memory(err, "the suite", sizeof *r);
    r->options = options;
    r->suite = *suite;
    r->compute = compute;
    r->outer = monitor != NULL ? monitor : &silent;
    r->monitor = (adass_monitor){ .progress = report, .stop = asked_to_stop, .user = r };
    if (options->seeds != 0)
        r->suite.seeds = options->seeds;
    r->total =
        suite->n_backbones * r->suite.seeds * (suite->uniform.n + N_SEARCHED * suite->n_budgets);
    adass_status status = open_dataset(r, err);
    if (status == ADASS_OK)
        status = make_folders(options->out_dir, "runs", err);
    if (status == ADASS_OK)
        status = adass_session_open(&r->session, r->dataset, compute, &r->monitor, err);
    if (status == ADASS_OK)
        status = run_suite(r, err);
    free_cells(r);
    adass_session_close(r->session);
    adass_dataset_close(r->dataset);
    free(r);
    return status;
}

adass_status adass_reproduce(const adass_reproduce_options *options, const adass_compute *compute,
                             const adass_monitor *monitor, adass_error *err)
{
    adass_suite suite;
    const adass_status status = adass_suite_find(options->suite, &suite, err);
    return status == ADASS_OK ? adass_reproduce_suite(&suite, options, compute, monitor, err)
                              : status;
}
