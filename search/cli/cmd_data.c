/* `adass data`: makes, imports and shows datasets. */
#include "cmd_data.h"
#include "options.h"
#include "progress.h"

#include "adass/batches.h"
#include "adass/import.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- data show ---- */

/* Checksums, and ids inside the vocabularies. */
static adass_status verify(const adass_dataset *dataset, adass_error *err)
{
    adass_status status = adass_dataset_verify(dataset, err);
    for (int s = 0; s < ADASS_N_SPLITS && status == ADASS_OK; s++)
        status = adass_dataset_check_rows(dataset, (adass_split)s, err);
    return status;
}

static json_t *splits_json(const adass_dataset *dataset)
{
    json_t *splits = json_object();
    for (int s = 0; s < ADASS_N_SPLITS; s++) {
        const adass_rows *rows = &dataset->splits[s];
        const double rate = adass_rows_label_rate(rows);
        json_object_set_new(splits, adass_split_name((adass_split)s),
                            json_pack("{s:I, s:o}", "rows", (json_int_t)rows->n, "label_rate",
                                      isnan(rate) ? json_null() : json_real(rate)));
    }
    return splits;
}

/* A number that is 0 when unknown. */
static json_t *known(json_t *value, bool is_known)
{
    if (is_known)
        return value;
    json_decref(value);
    return json_null();
}

static json_t *fields_json(const adass_dataset *dataset)
{
    json_t *fields = json_array();
    for (size_t f = 0; f < dataset->n_fields; f++) {
        const adass_field *field = &dataset->fields[f];
        const json_int_t rank = (json_int_t)field->true_rank;
        json_array_append_new(
            fields, json_pack("{s:s, s:I, s:I, s:o}", "name", field->name, "vocab",
                              (json_int_t)field->vocab, "oov", (json_int_t)field->oov, "true_rank",
                              known(json_integer(rank), dataset->teacher_auc > 0.0)));
    }
    return fields;
}

static json_t *dataset_json(const adass_dataset *dataset, bool verified)
{
    const double auc = dataset->teacher_auc;
    json_t *dir = json_string(dataset->dir); /* NULL when it is not UTF-8 */
    return json_pack("{s:o, s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "dir",
                     dir != NULL ? dir : json_string(dataset->name), "name", dataset->name,
                     "checksum", dataset->checksum, "verified", verified, "made",
                     json_loads(dataset->made, 0, NULL), "splits", splits_json(dataset), "fields",
                     fields_json(dataset), "teacher_auc", known(json_real(auc), auc > 0.0));
}

static void print_splits(const adass_dataset *dataset)
{
    printf("\n%-8s  %12s  %10s\n", "split", "rows", "label rate");
    for (int s = 0; s < ADASS_N_SPLITS; s++) {
        const adass_rows *rows = &dataset->splits[s];
        printf("%-8s  %12zu", adass_split_name((adass_split)s), rows->n);
        if (rows->n > 0)
            printf("  %10.4f\n", adass_rows_label_rate(rows));
        else
            printf("  %10s\n", "-");
    }
}

static void print_fields(const adass_dataset *dataset)
{
    int width = (int)strlen("field");
    const bool planted = dataset->teacher_auc > 0.0;
    uint64_t total = 0;
    for (size_t f = 0; f < dataset->n_fields; f++) {
        const adass_field *field = &dataset->fields[f];
        const int chars = (int)strlen(field->name);
        width = chars > width ? chars : width;
        total += field->vocab;
    }
    printf("\n%-*s  %12s  %6s%s\n", width, "field", "vocabulary", "OOV id",
           planted ? "  true rank" : "");
    for (size_t f = 0; f < dataset->n_fields; f++) {
        const adass_field *field = &dataset->fields[f];
        printf("%-*s  %12zu  %6" PRIu32, width, field->name, field->vocab, field->oov);
        if (planted)
            printf("  %9zu", field->true_rank);
        putchar('\n');
    }
    printf("%-*s  %12" PRIu64 "\n", width, "total", total);
}

static int print_dataset(const adass_dataset *dataset, bool verified)
{
    printf("dataset   %s\nchecksum  %s%s\nmade      %s\n", dataset->dir, dataset->checksum,
           verified ? "  (every file read, and as it should be)" : "", dataset->made);
    if (dataset->teacher_auc > 0.0)
        printf("teacher   AUC %.5f on the test split: the ceiling for any model\n",
               dataset->teacher_auc);
    print_splits(dataset);
    print_fields(dataset);
    return ADASS_EXIT_OK;
}

static int run_show(int argc, char **argv)
{
    adass_common common = ADASS_COMMON_DEFAULTS;
    bool verified = false;
    const adass_option options[] = {
        { "verify", NULL, "read every file, compare its checksum, check every id",
          ADASS_OPTION_FLAG, .flag = &verified },
    };
    const adass_usage usage = {
        .command = "data show",
        .summary = "Shows a prepared dataset: fields, vocabularies, rows and label rate of each\n"
                   "split, and what is known of the truth where it was planted.",
        .example = "adass data show out/tiny --verify",
        .positional = { "DATASET" },
        .options = options,
        .n_options = 1,
        .common = &common,
        .takes = ADASS_TAKES_JSON,
    };
    const char *dir;
    int status;
    if (!adass_options_parse(&usage, argc, argv, &dir, &status))
        return status;
    adass_dataset *dataset = NULL;
    adass_error err;
    if (adass_dataset_open(&dataset, dir, &err) != ADASS_OK ||
        (verified && verify(dataset, &err) != ADASS_OK))
        status = adass_cli_fail(usage.command, &err);
    else if (common.json)
        status = adass_cli_print_json(usage.command, dataset_json(dataset, verified));
    else
        status = print_dataset(dataset, verified);
    adass_dataset_close(dataset);
    return status;
}

/* ---- data import ---- */

int adass_cli_print_written(const char *command, const char *dir)
{
    adass_dataset *dataset = NULL;
    adass_error err;
    if (adass_dataset_open(&dataset, dir, &err) != ADASS_OK)
        return adass_cli_fail(command, &err);
    printf("%s: %zu fields", dir, dataset->n_fields);
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        printf(", %zu %s rows", dataset->splits[s].n, adass_split_name((adass_split)s));
    putchar('\n');
    adass_dataset_close(dataset);
    return ADASS_EXIT_OK;
}

static int run_import_movielens(int argc, char **argv)
{
    adass_common common = ADASS_COMMON_DEFAULTS;
    adass_import_options import = { 0 };
    const adass_option options[] = {
        { "no-time", NULL, "leave out hour and weekday of the rating", ADASS_OPTION_FLAG,
          .flag = &import.no_time },
    };
    const adass_usage usage = {
        .command = "data import movielens",
        .summary = "Imports MovieLens from its folder RAW to the new folder OUT. 1M: ratings.dat\n"
                   "and others; 100K: u.data and others; latest: ratings.csv and movies.csv; each\n"
                   "plain, .gz, .zst or .xz. A rating of 4 or more is a positive label; the seed\n"
                   "is that of the random 8:1:1 split.",
        .example = "adass data import movielens ml-1m out/movielens-1m",
        .positional = { "RAW", "OUT" },
        .options = options,
        .n_options = 1,
        .common = &common,
        .takes = ADASS_TAKES_SEED,
    };
    const char *args[2];
    int status;
    if (!adass_options_parse(&usage, argc, argv, args, &status))
        return status;
    adass_error err;
    adass_progress progress;
    adass_progress_begin(&progress);
    import.seed = common.seed;
    import.monitor = &progress.monitor;
    const adass_status imported = adass_import_movielens(args[0], args[1], &import, &err);
    adass_progress_end(&progress);
    if (imported != ADASS_OK)
        return adass_cli_fail(usage.command, &err);
    return adass_cli_print_written(usage.command, args[1]);
}

/* ---- the tree of commands ---- */

static const adass_command import_movielens = { "movielens", "MovieLens 1M, 100K or latest",
                                                run_import_movielens };
static const adass_command *const importers[] = { &import_movielens };

static int run_import(int argc, char **argv)
{
    return adass_cli_group("data import", "adass data import movielens ml-1m out/movielens-1m",
                           importers, sizeof importers / sizeof importers[0], argc, argv);
}

static const adass_command data_import = { "import", "raw files to a prepared dataset",
                                           run_import };
static const adass_command data_show = { "show", "fields, vocabularies, label rates, checksums",
                                         run_show };
static const adass_command *const commands[] = { &data_import, &data_show, &adass_cmd_data_synth };

static int run(int argc, char **argv)
{
    return adass_cli_group("data", "adass data synth --shape tiny --rows 1e5 out/tiny", commands,
                           sizeof commands / sizeof commands[0], argc, argv);
}

const adass_command adass_cmd_data = { "data", "make, import and show datasets", run };
