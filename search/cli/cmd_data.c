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

/* ---- data import of tables ---- */

static bool read_protocol(const char *command, const char *name, adass_protocol *out)
{
    static const char *const names[] = { "random", "chronological", "x4" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (adass_protocol)i;
            return true;
        }
    adass_cli_misuse(command, "--protocol: '%s' is none of random, chronological, x4", name);
    return false;
}

static bool read_ratio(const char *command, const char *text, double ratio[3])
{
    int length = 0;
    if (text[strspn(text, "0123456789.:")] == '\0' &&
        sscanf(text, "%lf:%lf:%lf%n", &ratio[0], &ratio[1], &ratio[2], &length) == 3 &&
        text[length] == '\0' && ratio[0] + ratio[1] + ratio[2] > 0.0)
        return true;
    adass_cli_misuse(command, "--ratio: '%s' is no ratio such as 8:1:1", text);
    return false;
}

static void tell_report(const char *command, const adass_import_report *report)
{
    for (size_t i = 0; i < report->n_warnings; i++)
        fprintf(stderr, "adass %s: warning: %s\n", command, report->warnings[i]);
    if (report->bad_rows > 0)
        fprintf(stderr, "adass %s: warning: %zu bad rows were left out\n", command,
                report->bad_rows);
}

static int import_table(const char *command, const char *format, adass_table_options *table,
                        const char *out)
{
    adass_error err;
    adass_progress progress;
    adass_import_report report;
    adass_progress_begin(&progress);
    table->monitor = &progress.monitor;
    const adass_status imported = adass_import_table(format, table, out, &report, &err);
    adass_progress_end(&progress);
    if (imported != ADASS_OK)
        return adass_cli_fail(command, &err);
    tell_report(command, &report);
    return adass_cli_print_written(command, out);
}

/* The command of one format; `summary` says what RAW is. */
static int run_import_table(const char *format, const char *summary, const char *example, int argc,
                            char **argv)
{
    adass_common common = ADASS_COMMON_DEFAULTS;
    adass_table_options table = { 0 };
    adass_arguments raw;
    const char *protocol = "random", *ratio = NULL;
    const adass_option options[] = {
        { "protocol", "NAME", "split: random, chronological, x4 (ten stratified folds, as BARS)",
          ADASS_OPTION_STRING, .string = &protocol },
        { "ratio", "A:B:C", "of train, valid, test; not for x4 (default: 8:1:1, frappe 7:2:1)",
          ADASS_OPTION_STRING, .string = &ratio },
        { "min-count", "N", "rarer values get no id (default: criteo, kdd12 10, avazu 2, others 1)",
          ADASS_OPTION_SIZE, .size = &table.min_count, .min = 1 },
        { "memory", "BYTES",
          "bound, with K, M or G (default: 8G); temporary files beside OUT do the rest",
          ADASS_OPTION_BYTES, .size = &table.memory_bytes },
        { "max-bad-rows", "N", "leave out up to N rows that cannot be used (default: none)",
          ADASS_OPTION_SIZE, .size = &table.max_bad_rows },
        { "write-vocab", NULL, "also write OUT/vocabulary.tsv, from value to id", ADASS_OPTION_FLAG,
          .flag = &table.write_vocabulary },
        { "vocab", "DATASET",
          "take the vocabulary of a dataset that was imported with --write-vocab",
          ADASS_OPTION_STRING, .string = &table.vocabulary },
        { "schema", "FILE", "what the columns are, as JSON", ADASS_OPTION_STRING,
          .string = &table.schema },
    };
    char command[64];
    snprintf(command, sizeof command, "data import %s", format);
    const bool csv = strcmp(format, "csv") == 0;
    const adass_usage usage = {
        .command = command,
        .summary = summary,
        .example = example,
        .positional = { "RAW", "OUT" },
        .many = &raw,
        .options = options,
        .n_options = sizeof options / sizeof options[0] - !csv, /* --schema is the last one */
        .common = &common,
        .takes = ADASS_TAKES_SEED | ADASS_TAKES_COMPUTE,
    };
    const char *args[2];
    int status;
    if (!adass_options_parse(&usage, argc, argv, args, &status))
        return status;
    if (!read_protocol(command, protocol, &table.protocol) ||
        (ratio != NULL && !read_ratio(command, ratio, table.ratio)))
        return ADASS_EXIT_USAGE;
    if (csv && table.schema == NULL)
        return adass_cli_misuse(command, "--schema is missing");
    table.inputs = raw.items;
    table.n_inputs = raw.n;
    table.seed = common.seed;
    table.threads = (int)common.threads;
    return import_table(command, format, &table, args[1]);
}

#define RAW_TEXT                                                                                   \
    "RAW: one or more files in their order, plain, .gz, .zst or .xz; - for standard input. OUT "   \
    "is\n"                                                                                         \
    "a new folder."

static int run_import_criteo(int argc, char **argv)
{
    return run_import_table(
        "criteo", "Imports the Criteo display advertising challenge (train.txt).\n" RAW_TEXT,
        "adass data import criteo train.txt out/criteo --protocol x4", argc, argv);
}

static int run_import_avazu(int argc, char **argv)
{
    return run_import_table("avazu",
                            "Imports Avazu's click-through rate prediction (train.csv).\n" RAW_TEXT,
                            "adass data import avazu train.gz out/avazu --protocol x4", argc, argv);
}

static int run_import_kdd12(int argc, char **argv)
{
    return run_import_table(
        "kdd12", "Imports KDD Cup 2012 track 2 (training.txt, or OpenML's CSV sample).\n" RAW_TEXT,
        "adass data import kdd12 training.txt out/kdd12", argc, argv);
}

static int run_import_frappe(int argc, char **argv)
{
    return run_import_table(
        "frappe",
        "Imports Frappe's log of app uses (frappe.csv). Each row is a positive one; two negative\n"
        "ones with apps that the user did not use in that context are drawn by the "
        "seed.\n" RAW_TEXT,
        "adass data import frappe frappe.csv out/frappe", argc, argv);
}

static int run_import_libsvm(int argc, char **argv)
{
    return run_import_table(
        "libsvm",
        "Imports lines of the form 'label feature:1 feature:1 ...'. An entry's place is its\n"
        "field: all rows have as many entries as the first. The label is 1, 0 or -1.\n" RAW_TEXT,
        "adass data import libsvm train.libsvm out/log", argc, argv);
}

static int run_import_libffm(int argc, char **argv)
{
    return run_import_table(
        "libffm",
        "Imports lines of the form 'label field:feature:1 field:feature:1 ...'. A field that a\n"
        "row lacks gets the OOV id. The label is 1, 0 or -1.\n" RAW_TEXT,
        "adass data import libffm train.ffm out/log", argc, argv);
}

static int run_import_csv(int argc, char **argv)
{
    return run_import_table(
        "csv",
        "Imports any text with a separator; a schema file says what its columns are\n"
        "(datasets/README.md).\n" RAW_TEXT,
        "adass data import csv log.csv out/log --schema log.json", argc, argv);
}

/* ---- the tree of commands ---- */

static const adass_command import_movielens = { "movielens", "MovieLens 1M, 100K or latest",
                                                run_import_movielens };
static const adass_command import_criteo = { "criteo", "Criteo display advertising challenge",
                                             run_import_criteo };
static const adass_command import_avazu = { "avazu", "Avazu click-through rate prediction",
                                            run_import_avazu };
static const adass_command import_kdd12 = { "kdd12", "KDD Cup 2012 track 2", run_import_kdd12 };
static const adass_command import_frappe = { "frappe", "Frappe app usage, negatives sampled",
                                             run_import_frappe };
static const adass_command import_libsvm = { "libsvm", "LIBSVM text of categories",
                                             run_import_libsvm };
static const adass_command import_libffm = { "libffm", "LIBFFM text of categories",
                                             run_import_libffm };
static const adass_command import_csv = { "csv", "any table, by a schema file", run_import_csv };
static const adass_command *const importers[] = { &import_criteo, &import_avazu,     &import_kdd12,
                                                  &import_frappe, &import_movielens, &import_libsvm,
                                                  &import_libffm, &import_csv };

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
