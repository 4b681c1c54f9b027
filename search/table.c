/* Tables: rows from runs, then the three ways of showing them. */
#include "table.h"

#include "json_file.h"
#include "run_record.h"
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a cell's runs say ---- */

double adass_record_number(const json_t *record, const char *section, const char *key)
{
    return json_number_value(json_object_get(json_object_get(record, section), key));
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

/* Test AUC minus that of the reference, seed by seed. */
static adass_sample gain_of(const adass_cell *cell, const adass_cell *reference, double *work)
{
    for (size_t i = 0; i < cell->n; i++)
        work[i] = adass_record_number(cell->records[i], "metrics", "test_auc") -
                  adass_record_number(reference->records[i], "metrics", "test_auc");
    return adass_sample_of(work, cell->n);
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

static json_t *make_row(const adass_cell *cell, const adass_cell *reference,
                        const adass_dataset *dataset, double *work)
{
    const bool planted = dataset->teacher_auc > 0.0, uniform = cell->budget == 0.0;
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:b}", "dataset", dataset->name,
                            "backbone", adass_backbone_name(cell->backbone), "method", cell->method,
                            "size", uniform ? json_integer((json_int_t)cell->size) : json_null(),
                            "budget", uniform ? json_null() : json_real(cell->budget), "seeds",
                            (json_int_t)cell->n, "reference", cell == reference);
    add_sample(row, "auc", sample_of(cell, "metrics", "test_auc", work));
    add_sample(row, "gain", gain_of(cell, reference, work));
    add_sample(row, "logloss", sample_of(cell, "metrics", "test_logloss", work));
    add_sample(row, "params", sample_of(cell, "metrics", "params", work));
    json_object_set_new(row, "params_ratio",
                        json_real(sample_of(cell, "metrics", "params", work).mean /
                                  adass_record_number(reference->records[0], "metrics", "params")));
    json_object_set_new(row, "bytes_mean",
                        json_real(sample_of(cell, "metrics", "bytes", work).mean));
    if (!uniform) {
        add_stability(row, cell, dataset);
        if (planted)
            add_rank_correlation(row, cell, dataset);
    }
    static const char *const stages[] = { "total", "supernet", "search", "train" };
    static const char *const keys[] = { "seconds_mean", "supernet_seconds_mean",
                                        "search_seconds_mean", "train_seconds_mean" };
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        json_object_set_new(row, keys[i],
                            json_real(sample_of(cell, "seconds", stages[i], work).mean));
    return row;
}

static json_t *make_table(const char *suite, const adass_dataset *dataset, const adass_cell *cells,
                          size_t n_cells, const adass_compute *compute)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < n_cells; i++) {
        double *work = calloc(cells[i].n, sizeof *work);
        const adass_cell *reference = adass_best_uniform(cells, n_cells, cells[i].backbone);
        if (work != NULL)
            json_array_append_new(rows, make_row(&cells[i], reference, dataset, work));
        free(work);
    }
    json_t *teacher = dataset->teacher_auc > 0.0 ? json_real(dataset->teacher_auc) : json_null();
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:o}, s:o, s:o}", "format", "adass-table-1", "suite",
                     suite, "dataset", "name", dataset->name, "checksum", dataset->checksum,
                     "teacher_auc", teacher, "rows", rows, "provenance",
                     adass_provenance_json(compute));
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
    "logloss_mean",
    "logloss_std",
    "params_mean",
    "params_std",
    "params_ratio",
    "bytes_mean",
    "agreement",
    "log2_distance",
    "rank_correlation",
    "seconds_mean",
    "supernet_seconds_mean",
    "search_seconds_mean",
    "train_seconds_mean",
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

static void put_markdown_row(FILE *out, const json_t *row, bool planted)
{
    const json_t *size = json_object_get(row, "size");
    fprintf(out, "| %s", json_string_value(json_object_get(row, "method")));
    if (json_is_integer(size))
        fprintf(out, " %lld%s | ", (long long)json_integer_value(size),
                json_is_true(json_object_get(row, "reference")) ? " (best)" : "");
    else
        fprintf(out, " at %g | ", number(row, "budget"));
    put_interval(out, row, "auc_mean", "auc_ci95", 1.0, 4, "");
    fprintf(out, " | %.4f | ", number(row, "auc_std"));
    put_interval(out, row, "gain_mean", "gain_ci95", 1000.0, 1, "+");
    fprintf(out, " | %.4f | %.0f | %.2f | ", number(row, "logloss_mean"),
            number(row, "params_mean"), number(row, "params_ratio"));
    put_optional(out, row, "agreement");
    put_optional(out, row, "log2_distance");
    if (planted)
        put_optional(out, row, "rank_correlation");
    fprintf(out, "%.1f |\n", number(row, "seconds_mean"));
}

static void put_section(FILE *out, const json_t *table, const char *backbone, bool planted)
{
    fprintf(out, "\n## %s\n\n", backbone);
    fprintf(out,
            "| method | test AUC | std | gain, 1e-3 | log-loss | parameters | of best | agreement "
            "| log2 distance | %sseconds |\n",
            planted ? "rank corr. | " : "");
    fprintf(out, "|---|---|---|---|---|---|---|---|---|%s---|\n", planted ? "---|" : "");
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(table, "rows"), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "backbone")),
                                       backbone) == 0) put_markdown_row(out, row, planted);
}

static void put_markdown(FILE *out, const json_t *table, const adass_dataset *dataset, size_t seeds)
{
    const bool planted = dataset->teacher_auc > 0.0;
    const json_t *from = json_object_get(table, "provenance");
    fprintf(out, "# %s: %s\n\n", json_string_value(json_object_get(table, "suite")), dataset->name);
    fprintf(out, "%zu training, %zu validation, %zu test rows; %zu fields; %zu seeds.\n",
            dataset->splits[ADASS_TRAIN].n, dataset->splits[ADASS_VALID].n,
            dataset->splits[ADASS_TEST].n, dataset->n_fields, seeds);
    if (dataset->teacher_auc > 0.0)
        fprintf(out,
                "Test AUC of the true click probabilities, the ceiling of every model: %.4f.\n",
                dataset->teacher_auc);
    fprintf(out,
            "Embedding parameters; (best) is the uniform size of best mean validation AUC, to "
            "which budgets, gain and \"of best\" refer.\n"
            "± is half the 95 %% interval of the mean over seeds; the gain is paired by seed.\n");
    for (int b = 0; b < ADASS_N_BACKBONES; b++) {
        size_t i, found = 0;
        json_t *row;
        json_array_foreach(json_object_get(table, "rows"), i, row) found +=
            strcmp(json_string_value(json_object_get(row, "backbone")),
                   adass_backbone_name((adass_backbone)b)) == 0;
        if (found > 0)
            put_section(out, table, adass_backbone_name((adass_backbone)b), planted);
    }
    fprintf(out, "\nadass %s, revision %s; %s, ISA %s, %lld threads.\n",
            json_string_value(json_object_get(from, "version")),
            json_string_value(json_object_get(from, "revision")),
            json_string_value(json_object_get(from, "cpu")),
            json_string_value(json_object_get(from, "isa")),
            (long long)json_integer_value(json_object_get(from, "threads")));
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
    json_t *table = make_table(suite, dataset, cells, n_cells, compute);
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
