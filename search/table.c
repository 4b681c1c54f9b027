/* Tables: rows from runs, then the three ways of showing them. */
#include "table.h"

#include "delong.h"
#include "json_file.h"
#include "methods/method.h"
#include "run_record.h"
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The uniform size that is usual where none is searched, over which gains are published. */
enum { USUAL_SIZE = 16 };

/* What the rows of one backbone share. */
typedef struct table_maker {
    const char *dir;
    const adass_dataset *dataset;
    const adass_cell *cells;
    size_t n_cells;
    const adass_cell *reference;
    const adass_cell *usual;      /* uniform USUAL_SIZE, or NULL */
    const adass_cell *largest;    /* uniform of the largest size */
    const float *labels;          /* of the test split, or NULL */
    double *reference_placements; /* mean over seeds, or NULL */
} table_maker;

/* ---- what a cell's runs say ---- */

double adass_record_number(const json_t *record, const char *section, const char *key)
{
    return json_number_value(json_object_get(json_object_get(record, section), key));
}

static void name_file(const adass_cell *cell, const char *what, uint64_t i, char *name)
{
    char which[32];
    if (cell->budget > 0.0)
        snprintf(which, sizeof which, "budget%g", cell->budget);
    else
        snprintf(which, sizeof which, "size%zu", cell->size);
    snprintf(name, 96, "%s-%s-%s-%s%llu", adass_backbone_name(cell->backbone), cell->method, which,
             what, (unsigned long long)i);
}

void adass_cell_run_name(const adass_cell *cell, size_t i, char *name)
{
    name_file(cell, "seed", cell->first_seed + i, name);
}

void adass_cell_trial_name(const adass_cell *cell, size_t trial, char *name)
{
    name_file(cell, "trial", trial, name);
}

static adass_sample sample_of(const adass_cell *cell, const char *section, const char *key,
                              double *work)
{
    for (size_t i = 0; i < cell->n; i++)
        work[i] = adass_record_number(cell->records[i], section, key);
    return adass_sample_of(work, cell->n);
}

const adass_cell *adass_best_uniform(const adass_cell *cells, size_t n_cells,
                                     adass_backbone backbone)
{
    const adass_cell *best = NULL;
    double best_auc = -1.0;
    for (size_t i = 0; i < n_cells; i++) {
        if (cells[i].backbone != backbone || strcmp(cells[i].method, "uniform") != 0)
            continue;
        double auc = 0.0;
        for (size_t s = 0; s < cells[i].n; s++)
            auc += adass_record_number(cells[i].records[s], "metrics", "valid_auc");
        if (auc > best_auc) {
            best = &cells[i];
            best_auc = auc;
        }
    }
    return best;
}

/* The backbone's uniform cell of that size, or NULL. */
static const adass_cell *uniform_of(const adass_cell *cells, size_t n_cells,
                                    adass_backbone backbone, size_t size)
{
    for (size_t i = 0; i < n_cells; i++)
        if (cells[i].backbone == backbone && cells[i].budget == 0.0 && cells[i].size == size)
            return &cells[i];
    return NULL;
}

static const adass_cell *largest_uniform(const adass_cell *cells, size_t n_cells,
                                         adass_backbone backbone)
{
    size_t largest = 0;
    for (size_t i = 0; i < n_cells; i++)
        if (cells[i].backbone == backbone && cells[i].budget == 0.0 && cells[i].size > largest)
            largest = cells[i].size;
    return uniform_of(cells, n_cells, backbone, largest);
}

/* Test AUC minus that of another cell, seed by seed. */
static adass_sample gain_of(const adass_cell *cell, const adass_cell *other, double *work)
{
    for (size_t i = 0; i < cell->n; i++)
        work[i] = adass_record_number(cell->records[i], "metrics", "test_auc") -
                  adass_record_number(other->records[i], "metrics", "test_auc");
    return adass_sample_of(work, cell->n);
}

/* ---- the test rows, one by one ---- */

/*
 * Mean placements of a cell's models over its seeds, [rows of the test split]: DeLong's components of
 * the mean AUC. NULL when the logits of a run are not there, or memory is short.
 */
static double *mean_placements(const char *dir, const adass_cell *cell, const float *labels,
                               size_t n)
{
    char path[4096], name[96];
    double *placements = calloc(n, sizeof *placements);
    float *logits = calloc(n, sizeof *logits);
    bool complete = placements != NULL && logits != NULL;
    for (size_t i = 0; i < cell->n && complete; i++) {
        adass_cell_run_name(cell, i, name);
        snprintf(path, sizeof path, "%s/runs/%s.logits", dir, name);
        FILE *file = fopen(path, "rb");
        complete = file != NULL && fread(logits, sizeof *logits, n, file) == n;
        if (file != NULL)
            fclose(file);
        complete = complete && adass_placements_add(logits, labels, n, 1.0 / (double)cell->n,
                                                    placements, NULL) == ADASS_OK;
    }
    free(logits);
    if (complete)
        return placements;
    free(placements);
    return NULL;
}

/* The test split's labels; NULL when memory is short. */
static float *test_labels(const adass_dataset *dataset)
{
    const adass_rows *test = &dataset->splits[ADASS_TEST];
    float *labels = calloc(test->n, sizeof *labels);
    for (size_t i = 0; i < test->n && labels != NULL; i++)
        labels[i] = adass_rows_label(test, i);
    return labels;
}

/* Sets the difference of mean AUCs from the reference over samples of test rows. */
static void add_delong(json_t *row, const table_maker *m, const adass_cell *cell)
{
    const size_t n = m->dataset->splits[ADASS_TEST].n;
    if (m->reference_placements == NULL || cell == m->reference)
        return;
    double *placements = mean_placements(m->dir, cell, m->labels, n);
    if (placements == NULL)
        return; /* the row then has no such members */
    for (size_t i = 0; i < n; i++)
        placements[i] -= m->reference_placements[i];
    const adass_delong d = adass_delong_of(placements, m->labels, n);
    json_object_set_new(row, "delong_ci95", json_real(1.959964 * d.std_error));
    json_object_set_new(row, "delong_p", json_real(d.p));
    free(placements);
}

/* ---- parameters ---- */

/* Name of the field of the largest vocabulary, which decides most of the parameters. */
static const char *dominating_field(const adass_dataset *dataset)
{
    size_t largest = 0;
    for (size_t f = 1; f < dataset->n_fields; f++)
        if (dataset->fields[f].vocab > dataset->fields[largest].vocab)
            largest = f;
    return dataset->fields[largest].name;
}

/* Mean embedding parameters of all fields but the dominating one. */
static double params_of_rest(const adass_cell *cell, const adass_dataset *dataset)
{
    const char *field = dominating_field(dataset);
    double sum = 0.0;
    for (size_t i = 0; i < cell->n; i++)
        sum += adass_record_number(cell->records[i], "metrics", "params") -
               adass_record_number(cell->records[i], "field_params", field);
    return sum / (double)cell->n;
}

static size_t size_in(const json_t *record, const char *field)
{
    return (size_t)json_integer_value(json_object_get(json_object_get(record, "sizes"), field));
}

/* Between two runs: share of fields of the same size, and mean |log2 d - log2 d'|. */
static void compare_sizes(const adass_dataset *dataset, const json_t *a, const json_t *b,
                          double *agreement, double *distance)
{
    const double n = (double)dataset->n_fields;
    for (size_t f = 0; f < dataset->n_fields; f++) {
        const char *name = dataset->fields[f].name;
        const size_t x = size_in(a, name), y = size_in(b, name);
        *agreement += (x == y) / n;
        *distance += fabs(adass_log2_size(x) - adass_log2_size(y)) / n;
    }
}

static void add_stability(json_t *row, const adass_cell *cell, const adass_dataset *dataset)
{
    double agreement = 0.0, distance = 0.0, pairs = 0.0;
    for (size_t i = 0; i < cell->n; i++)
        for (size_t j = 0; j < i; j++, pairs += 1.0)
            compare_sizes(dataset, cell->records[i], cell->records[j], &agreement, &distance);
    if (pairs == 0.0)
        return;
    json_object_set_new(row, "agreement", json_real(agreement / pairs));
    json_object_set_new(row, "log2_distance", json_real(distance / pairs));
}

static void add_rank_correlation(json_t *row, const adass_cell *cell, const adass_dataset *dataset)
{
    const size_t n = dataset->n_fields;
    double *work = calloc(4 * n, sizeof *work), mean = 0.0;
    if (work == NULL)
        return; /* the row then has no such member */
    for (size_t i = 0; i < cell->n; i++) {
        for (size_t f = 0; f < n; f++) {
            work[f] = (double)size_in(cell->records[i], dataset->fields[f].name);
            work[n + f] = (double)dataset->fields[f].true_rank;
        }
        mean += adass_spearman(work, work + n, n, work + 2 * n) / (double)cell->n;
    }
    free(work);
    if (!isnan(mean))
        json_object_set_new(row, "rank_correlation", json_real(mean));
}

/*
 * Sets `key` + "_mean", "_std" and, where it is known, "_ci95" (half the width of the interval of
 * the mean).
 */
static void add_sample(json_t *row, const char *key, adass_sample s)
{
    char name[64];
    snprintf(name, sizeof name, "%s_mean", key);
    json_object_set_new(row, name, json_real(s.mean));
    snprintf(name, sizeof name, "%s_std", key);
    json_object_set_new(row, name, json_real(s.std));
    snprintf(name, sizeof name, "%s_ci95", key);
    if (!isnan(s.half_width))
        json_object_set_new(row, name, json_real(s.half_width));
}

static double mean_auc(const adass_cell *cell)
{
    double auc = 0.0;
    for (size_t i = 0; i < cell->n; i++)
        auc += adass_record_number(cell->records[i], "metrics", "test_auc") / (double)cell->n;
    return auc;
}

/* Among the methods at the same budget and the reference, by mean test AUC: 1 is the best. */
static size_t rank_of(const table_maker *m, const adass_cell *cell)
{
    size_t rank = 1;
    for (size_t i = 0; i < m->n_cells; i++) {
        const adass_cell *other = &m->cells[i];
        const bool rival = other == m->reference ||
                           (other->backbone == cell->backbone && other->budget == cell->budget);
        rank += rival && mean_auc(other) > mean_auc(cell);
    }
    return rank;
}

/* Whether what the cell's method trains before it chooses serves every budget. */
static bool serves_all_budgets(const adass_cell *cell)
{
    const char *name = json_string_value(json_object_get(cell->records[0], "method"));
    const adass_method_kind *method = NULL;
    return name != NULL && adass_method_find(name, &method, NULL) == ADASS_OK &&
           (method->uses_supernet || (method->pretrains && !method->for_budget));
}

/*
 * Supernet and search, against one training of the largest uniform size; and what a further budget
 * costs. Methods that learn for all budgets at once, without a supernet, have that as their search.
 */
static void add_search_costs(json_t *row, const table_maker *m, const adass_cell *cell,
                             double *work)
{
    const double supernet = sample_of(cell, "seconds", "supernet", work).mean,
                 search = sample_of(cell, "seconds", "search", work).mean,
                 remembered = sample_of(cell, "seconds", "remembered", work).mean,
                 training = sample_of(m->largest, "seconds", "train", work).mean;
    if (!(training > 0.0))
        return;
    json_object_set_new(row, "search_cost", json_real((supernet + search) / training));
    if (serves_all_budgets(cell))
        json_object_set_new(row, "further_cost",
                            json_real(supernet > 0.0 ? (search - remembered) / training : 0.0));
}

static void add_params(json_t *row, const table_maker *m, const adass_cell *cell, double *work)
{
    const adass_sample params = sample_of(cell, "metrics", "params", work);
    add_sample(row, "params", params);
    json_object_set_new(row, "params_ratio",
                        json_real(params.mean / adass_record_number(m->reference->records[0],
                                                                    "metrics", "params")));
    const double rest = params_of_rest(cell, m->dataset),
                 of = params_of_rest(m->reference, m->dataset);
    json_object_set_new(row, "params_rest_mean", json_real(rest));
    if (of > 0.0)
        json_object_set_new(row, "params_rest_ratio", json_real(rest / of));
    json_object_set_new(row, "bytes_mean",
                        json_real(sample_of(cell, "metrics", "bytes", work).mean));
}

/* Share of the seeds whose model has gone on from the supernet's weights. */
static void add_continued(json_t *row, const adass_cell *cell, double *work)
{
    const json_t *config = json_object_get(cell->records[0], "config");
    if (json_object_get(config, "retrain") != NULL)
        json_object_set_new(row, "continued",
                            json_real(sample_of(cell, "metrics", "continued", work).mean));
}

static void add_seconds(json_t *row, const adass_cell *cell, double *work)
{
    static const char *const stages[] = { "total", "supernet", "search", "train" };
    static const char *const keys[] = { "seconds_mean", "supernet_seconds_mean",
                                        "search_seconds_mean", "train_seconds_mean" };
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        json_object_set_new(row, keys[i],
                            json_real(sample_of(cell, "seconds", stages[i], work).mean));
}

/* What the cell's runs were trained with, and how it was chosen. */
static void add_settings(json_t *row, const adass_cell *cell)
{
    const json_t *config = json_object_get(cell->records[0], "config");
    const json_t *train = json_object_get(config, "train");
    json_object_set(row, "learning_rate", json_object_get(train, "learning_rate"));
    json_object_set(row, "l2", json_object_get(train, "l2"));
    json_object_set(row, "dropout", json_object_get(json_object_get(config, "model"), "dropout"));
    if (cell->trials == 0)
        return;
    json_object_set_new(row, "trial", json_integer((json_int_t)cell->trial));
    json_object_set_new(row, "trial_gain", json_real(cell->trial_gain));
}

static json_t *make_row(const table_maker *m, const adass_cell *cell, double *work)
{
    const adass_dataset *dataset = m->dataset;
    const bool planted = dataset->teacher_auc > 0.0, uniform = cell->budget == 0.0;
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:b}", "dataset", dataset->name,
                            "backbone", adass_backbone_name(cell->backbone), "method", cell->method,
                            "size", uniform ? json_integer((json_int_t)cell->size) : json_null(),
                            "budget", uniform ? json_null() : json_real(cell->budget), "seeds",
                            (json_int_t)cell->n, "reference", cell == m->reference);
    add_sample(row, "auc", sample_of(cell, "metrics", "test_auc", work));
    add_sample(row, "gain", gain_of(cell, m->reference, work));
    json_object_set_new(row, "gain_percent",
                        json_real(100.0 * (mean_auc(cell) / mean_auc(m->reference) - 1.0)));
    if (m->usual != NULL)
        add_sample(row, "over16", gain_of(cell, m->usual, work));
    add_delong(row, m, cell);
    add_sample(row, "logloss", sample_of(cell, "metrics", "test_logloss", work));
    add_params(row, m, cell, work);
    if (!uniform) {
        json_object_set_new(row, "rank", json_integer((json_int_t)rank_of(m, cell)));
        add_stability(row, cell, dataset);
        if (planted)
            add_rank_correlation(row, cell, dataset);
        add_search_costs(row, m, cell, work);
        add_continued(row, cell, work);
    }
    add_seconds(row, cell, work);
    add_settings(row, cell);
    return row;
}

/* Appends the rows of one backbone. */
static void append_rows(json_t *rows, const char *dir, const adass_dataset *dataset,
                        const adass_cell *cells, size_t n_cells, adass_backbone backbone,
                        const float *labels)
{
    table_maker m = { .dir = dir,
                      .dataset = dataset,
                      .cells = cells,
                      .n_cells = n_cells,
                      .labels = labels,
                      .reference = adass_best_uniform(cells, n_cells, backbone),
                      .usual = uniform_of(cells, n_cells, backbone, USUAL_SIZE),
                      .largest = largest_uniform(cells, n_cells, backbone) };
    if (m.reference == NULL)
        return;
    double *work = calloc(m.reference->n, sizeof *work);
    if (labels != NULL)
        m.reference_placements =
            mean_placements(dir, m.reference, labels, dataset->splits[ADASS_TEST].n);
    for (size_t i = 0; i < n_cells && work != NULL; i++)
        if (cells[i].backbone == backbone)
            json_array_append_new(rows, make_row(&m, &cells[i], work));
    free(m.reference_placements);
    free(work);
}

static json_t *make_table(const char *dir, const char *suite, const adass_dataset *dataset,
                          const adass_cell *cells, size_t n_cells, const adass_compute *compute)
{
    json_t *rows = json_array();
    float *labels = test_labels(dataset);
    for (int b = 0; b < ADASS_N_BACKBONES; b++)
        append_rows(rows, dir, dataset, cells, n_cells, (adass_backbone)b, labels);
    free(labels);
    json_t *teacher = dataset->teacher_auc > 0.0 ? json_real(dataset->teacher_auc) : json_null();
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:o, s:s, s:I, s:o, s:o}", "format", "adass-table-1",
                     "suite", suite, "dataset", "name", dataset->name, "checksum",
                     dataset->checksum, "teacher_auc", teacher, "dominating_field",
                     dominating_field(dataset), "trials", (json_int_t)cells[0].trials, "rows", rows,
                     "provenance", adass_provenance_json(compute));
}

/* ---- CSV ---- */

static const char *const csv_columns[] = {
    "dataset",
    "backbone",
    "method",
    "size",
    "budget",
    "seeds",
    "reference",
    "auc_mean",
    "auc_std",
    "auc_ci95",
    "gain_mean",
    "gain_std",
    "gain_ci95",
    "gain_percent",
    "delong_ci95",
    "delong_p",
    "over16_mean",
    "over16_std",
    "over16_ci95",
    "rank",
    "logloss_mean",
    "logloss_std",
    "params_mean",
    "params_std",
    "params_ratio",
    "params_rest_mean",
    "params_rest_ratio",
    "bytes_mean",
    "agreement",
    "log2_distance",
    "rank_correlation",
    "seconds_mean",
    "supernet_seconds_mean",
    "search_seconds_mean",
    "train_seconds_mean",
    "search_cost",
    "further_cost",
    "continued",
    "learning_rate",
    "l2",
    "dropout",
    "trial",
    "trial_gain",
};

enum { CSV_COLUMNS = sizeof csv_columns / sizeof csv_columns[0] };

/* A name of a dataset may hold anything that a folder's name may. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', out);
}

static void put_csv_value(FILE *out, const json_t *value)
{
    if (json_is_string(value))
        put_quoted(out, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.10g", json_real_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "1" : "0", out);
}

static void put_csv(FILE *out, const json_t *table)
{
    for (size_t c = 0; c < CSV_COLUMNS; c++)
        fprintf(out, "%s%s", c == 0 ? "" : ",", csv_columns[c]);
    fputc('\n', out);
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(table, "rows"), i, row)
    {
        for (size_t c = 0; c < CSV_COLUMNS; c++) {
            if (c > 0)
                fputc(',', out);
            put_csv_value(out, json_object_get(row, csv_columns[c]));
        }
        fputc('\n', out);
    }
}

/* ---- Markdown ---- */

static double number(const json_t *row, const char *key)
{
    return json_number_value(json_object_get(row, key));
}

/* "mean ± half width", or the mean alone for one seed. */
static void put_interval(FILE *out, const json_t *row, const char *mean, const char *ci,
                         double scale, int digits, const char *sign)
{
    fprintf(out, *sign == '+' ? "%+.*f" : "%.*f", digits, scale * number(row, mean));
    if (json_object_get(row, ci) != NULL)
        fprintf(out, " ± %.*f", digits, scale * number(row, ci));
}

static void put_optional(FILE *out, const json_t *row, const char *key)
{
    if (json_object_get(row, key) != NULL)
        fprintf(out, "%.2f", number(row, key));
    fputs(" | ", out);
}

/* "12345", and with the dominating field left out "of best". */
static void put_params(FILE *out, const json_t *row)
{
    fprintf(out, "%.0f | %.2f | ", number(row, "params_mean"), number(row, "params_ratio"));
    put_optional(out, row, "params_rest_ratio");
    fprintf(out, "%.2f | ", number(row, "bytes_mean") / 1e6);
}

/* "| uniform 8 (best)", or "| adass" for the budget or the trials to follow. */
static void put_method(FILE *out, const json_t *row)
{
    const json_t *size = json_object_get(row, "size");
    fprintf(out, "| %s", json_string_value(json_object_get(row, "method")));
    if (json_is_integer(size))
        fprintf(out, " %lld%s", (long long)json_integer_value(size),
                json_is_true(json_object_get(row, "reference")) ? " (best)" : "");
}

static void put_markdown_row(FILE *out, const json_t *row, bool planted)
{
    const json_t *budget = json_object_get(row, "budget"), *rank = json_object_get(row, "rank");
    put_method(out, row);
    if (json_is_real(budget))
        fprintf(out, " at %g", json_real_value(budget));
    fprintf(out, " | ");
    put_interval(out, row, "auc_mean", "auc_ci95", 1.0, 4, "");
    fprintf(out, " | ");
    put_interval(out, row, "gain_mean", "gain_ci95", 1000.0, 1, "+");
    fprintf(out, " | ");
    if (json_object_get(row, "delong_p") != NULL)
        fprintf(out, "± %.1f, p %.2g", 1000.0 * number(row, "delong_ci95"),
                number(row, "delong_p"));
    fprintf(out, " | ");
    if (json_object_get(row, "over16_mean") != NULL)
        put_interval(out, row, "over16_mean", "over16_ci95", 1000.0, 1, "+");
    fprintf(out, " | ");
    if (rank != NULL)
        fprintf(out, "%lld", (long long)json_integer_value(rank));
    fprintf(out, " | %.4f | ", number(row, "logloss_mean"));
    put_params(out, row);
    put_optional(out, row, "agreement");
    put_optional(out, row, "log2_distance");
    if (planted)
        put_optional(out, row, "rank_correlation");
    put_optional(out, row, "search_cost");
    put_optional(out, row, "further_cost");
    put_optional(out, row, "continued");
    fprintf(out, "%.1f |\n", number(row, "seconds_mean"));
}

static void put_settings_row(FILE *out, const json_t *row)
{
    const json_t *dropout = json_object_get(row, "dropout");
    put_method(out, row);
    fprintf(out, " | %lld | %g | %g | ",
            (long long)json_integer_value(json_object_get(row, "trial")),
            number(row, "learning_rate"), number(row, "l2"));
    if (dropout != NULL)
        fprintf(out, "%g", json_number_value(dropout));
    fprintf(out, " | %+.1f |\n", 1000.0 * number(row, "trial_gain"));
}

/* A line for each uniform size and each method: its budgets have the same settings. */
static void put_settings(FILE *out, const json_t *table, const char *backbone)
{
    fprintf(out, "\n### Settings of %s\n\n", backbone);
    fprintf(out, "| method | trial | learning rate | L2 | dropout | gain by the trials, 1e-3 |\n");
    fprintf(out, "|---|---|---|---|---|---|\n");
    size_t i;
    json_t *row;
    const char *last = "";
    json_array_foreach(json_object_get(table, "rows"), i, row)
    {
        const char *method = json_string_value(json_object_get(row, "method"));
        if (strcmp(json_string_value(json_object_get(row, "backbone")), backbone) != 0)
            continue;
        if (json_is_integer(json_object_get(row, "size")) || strcmp(method, last) != 0)
            put_settings_row(out, row);
        last = method;
    }
}

static void put_section(FILE *out, const json_t *table, const char *backbone, bool planted)
{
    fprintf(out, "\n## %s\n\n", backbone);
    fprintf(
        out,
        "| method | test AUC | gain, 1e-3 | by test rows | over 16 | rank | log-loss | "
        "parameters | of best | rest of best | MB | agreement | log2 distance | %ssearch cost | "
        "further cost | continued | seconds |\n",
        planted ? "rank corr. | " : "");
    fprintf(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|%s---|---|---|---|\n",
            planted ? "---|" : "");
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(table, "rows"), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "backbone")),
                                       backbone) == 0) put_markdown_row(out, row, planted);
    if (json_integer_value(json_object_get(table, "trials")) > 0)
        put_settings(out, table, backbone);
}

/* What the columns are. */
static void put_explanation(FILE *out, const char *largest_field)
{
    fprintf(
        out,
        "Embedding parameters; (best) is the uniform size of best mean validation AUC, to which "
        "budgets, gain and \"of best\" refer.\n"
        "± is half the 95 %% interval of the mean over seeds; the gain is paired by seed. \"By "
        "test rows\": the same of the gain over samples of test rows (DeLong), and the p of no "
        "difference. \"Over 16\": the gain over uniform 16, the usual size, in 1e-3, paired too.\n"
        "Rank: among the methods of the same budget and the best uniform size, by AUC. \"Rest\" "
        "leaves field %s out, the largest. MB: of all parameters as stored. Search cost: supernet "
        "and search in trainings of the largest uniform size; further cost: of this budget, "
        "with what serves all budgets and what those before it have trained at hand. Continued: share of the seeds whose model "
        "goes on from the supernet's weights.\n",
        largest_field);
}

static void put_markdown(FILE *out, const json_t *table, const adass_dataset *dataset, size_t seeds)
{
    const bool planted = dataset->teacher_auc > 0.0;
    fprintf(out, "# %s: %s\n\n", json_string_value(json_object_get(table, "suite")), dataset->name);
    const json_int_t trials = json_integer_value(json_object_get(table, "trials"));
    fprintf(out, "%zu training, %zu validation, %zu test rows; %zu fields; %zu seeds",
            dataset->splits[ADASS_TRAIN].n, dataset->splits[ADASS_VALID].n,
            dataset->splits[ADASS_TEST].n, dataset->n_fields, seeds);
    if (trials > 0)
        fprintf(
            out,
            "; of %lld trials of settings for each uniform size and each method, with a seed of "
            "their own, the one of best validation AUC stands",
            (long long)trials);
    fprintf(out, ".\n");
    if (dataset->teacher_auc > 0.0)
        fprintf(out,
                "Test AUC of the true click probabilities, the ceiling of every model: %.4f.\n",
                dataset->teacher_auc);
    put_explanation(out, dominating_field(dataset));
    for (int b = 0; b < ADASS_N_BACKBONES; b++) {
        size_t i, found = 0;
        json_t *row;
        json_array_foreach(json_object_get(table, "rows"), i, row) found +=
            strcmp(json_string_value(json_object_get(row, "backbone")),
                   adass_backbone_name((adass_backbone)b)) == 0;
        if (found > 0)
            put_section(out, table, adass_backbone_name((adass_backbone)b), planted);
    }
    adass_provenance_put(out, json_object_get(table, "provenance"));
}

/* ---- files ---- */

static adass_status write_text(const char *dir, const char *name, const json_t *table,
                               const adass_dataset *dataset, size_t seeds, adass_error *err)
{
    char path[4096], *text = NULL;
    size_t chars = 0;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *out = open_memstream(&text, &chars);
    if (out == NULL)
        return adass_fail_memory(err, name, 65536.0);
    if (strcmp(name, "table.csv") == 0)
        put_csv(out, table);
    else
        put_markdown(out, table, dataset, seeds);
    const bool complete = !ferror(out);
    adass_status status = fclose(out) == 0 && complete ? adass_text_write(path, text, err)
                                                       : adass_fail_memory(err, name, 65536.0);
    free(text);
    return status;
}

adass_status adass_table_write(const char *dir, const char *suite, const adass_dataset *dataset,
                               const adass_cell *cells, size_t n_cells,
                               const adass_compute *compute, adass_error *err)
{
    char path[4096];
    json_t *table = make_table(dir, suite, dataset, cells, n_cells, compute);
    if (table == NULL)
        return adass_fail_memory(err, "the table", 65536.0);
    snprintf(path, sizeof path, "%s/table.json", dir);
    adass_status status = adass_json_write(path, table, err);
    if (status == ADASS_OK)
        status = write_text(dir, "table.csv", table, dataset, cells[0].n, err);
    if (status == ADASS_OK)
        status = write_text(dir, "table.md", table, dataset, cells[0].n, err);
    json_decref(table);
    return status;
}
