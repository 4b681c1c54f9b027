/* Imports of text: by a preset, by a schema file, or sparse. */
#include "import_rows.h"
#include "sample_negatives.h"
#include "sparse_format.h"
#include "table_format.h"
#include "table_presets.h"
#include "writer.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t default_memory_bytes = (size_t)8 << 30;
static const double whole_file_tolerance =
    0.01; /* of the published rows: else it is a part, and not compared */

enum { FIRST_LINE_BYTES = 1 << 14, LONGEST_NAME = 32, COMPARED_FIELDS_MAX = 8 };

/* ---- options ---- */

/* `usual`: taken when no ratio is asked for; all 0: 8, 1, 1. */
static adass_status check_ratio(double ratio[3], const double usual[3], adass_error *err)
{
    const double sum = ratio[0] + ratio[1] + ratio[2];
    if (sum == 0.0 && usual[0] > 0.0) {
        memcpy(ratio, usual, 3 * sizeof *ratio);
    } else if (sum == 0.0) {
        ratio[0] = 8.0;
        ratio[1] = ratio[2] = 1.0;
    } else if (!(ratio[0] >= 0.0 && ratio[1] >= 0.0 && ratio[2] >= 0.0 && isfinite(sum))) {
        return adass_fail(err, ADASS_EINVAL, "the ratio %g:%g:%g of the splits cannot be used",
                          ratio[0], ratio[1], ratio[2]);
    }
    return ADASS_OK;
}

static adass_status complete_options(adass_table_options *o, const adass_table_preset *preset,
                                     adass_error *err)
{
    static const adass_table_preset none = { .min_count = 1 };
    const adass_table_preset *usual = preset != NULL ? preset : &none;
    if (o->n_inputs == 0)
        return adass_fail(err, ADASS_EINVAL, "there is no input");
    if (o->min_count == 0)
        o->min_count = usual->min_count;
    if (o->memory_bytes == 0)
        o->memory_bytes = default_memory_bytes;
    if (o->threads <= 0)
        o->threads = omp_get_max_threads();
    return check_ratio(o->ratio, usual->ratio, err);
}

/* ---- published numbers ---- */

static void compare_vocabs(const adass_table_preset *preset, const adass_dataset *d,
                           adass_import_report *report)
{
    size_t ours = 0, published = 0, differing = 0;
    for (size_t f = 0; f < d->n_fields; f++) {
        ours += d->fields[f].vocab;
        published += preset->vocabs[f];
        if (d->fields[f].vocab != preset->vocabs[f] && ++differing <= COMPARED_FIELDS_MAX)
            adass_report_warn(
                report, "field %s: %zu features, published are %zu (OOV included, padding not)",
                d->fields[f].name, d->fields[f].vocab, preset->vocabs[f]);
    }
    if (differing > 0)
        adass_report_warn(report, "%zu features in all, published are %zu; %zu fields differ", ours,
                          published, differing);
}

static bool is_published_way(const adass_table_preset *preset, const adass_table_options *o)
{
    return o->protocol == preset->protocol && o->min_count == preset->min_count &&
           o->vocabulary == NULL && preset->vocabs[0] != 0 &&
           (o->protocol == ADASS_PROTOCOL_X4 ||
            memcmp(o->ratio, preset->ratio, sizeof o->ratio) == 0);
}

/* Where the whole file seems to have been imported. */
static adass_status compare_published(const adass_table_preset *preset,
                                      const adass_table_options *options, const char *dir,
                                      adass_import_report *report, adass_error *err)
{
    adass_dataset *d = NULL;
    const adass_status status = adass_dataset_open(&d, dir, err);
    if (status != ADASS_OK)
        return status;
    uint64_t rows = 0;
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        rows += d->splits[s].n;
    const double published = (double)preset->rows;
    if (fabs((double)rows - published) <= whole_file_tolerance * published) {
        if (rows != preset->rows)
            adass_report_warn(report, "%" PRIu64 " rows, published are %" PRIu64, rows,
                              preset->rows);
        if (is_published_way(preset, options))
            compare_vocabs(preset, d, report);
    }
    adass_dataset_close(d);
    return ADASS_OK;
}

/* ---- imports ---- */

/* `made`: as in adass_row_format. */
static adass_status import_by_schema(const char *format, const adass_table_schema *schema,
                                     adass_inputs *inputs, json_t *made,
                                     const adass_table_options *options, const char *out_dir,
                                     adass_import_report *report, adass_error *err)
{
    adass_table_format *table = NULL;
    char by[LONGEST_NAME];
    snprintf(by, sizeof by, "import %s", format);
    adass_status status = adass_table_format_create(&table, schema, err);
    if (status == ADASS_OK) {
        adass_row_format rows = *adass_table_format_rows(table);
        rows.made = made;
        status = adass_import_rows(by, &rows, inputs, options, out_dir, report, err);
    }
    adass_table_format_destroy(table);
    return status;
}

static adass_status import_with_negatives(const adass_table_preset *preset, adass_inputs *inputs,
                                          const adass_table_options *options, const char *out_dir,
                                          adass_import_report *report, adass_error *err)
{
    adass_inputs *sampled = NULL;
    json_t *made = NULL;
    adass_status status =
        adass_sample_negatives(inputs, options, out_dir, &sampled, &made, report, err);
    if (status == ADASS_OK)
        status = import_by_schema(preset->name, preset->schemas[0], sampled, made, options, out_dir,
                                  report, err);
    adass_inputs_close(sampled);
    json_decref(made);
    return status;
}

static adass_status import_sparse(const char *format, adass_inputs *inputs,
                                  const adass_table_options *options, const char *out_dir,
                                  adass_import_report *report, adass_error *err)
{
    adass_sparse_format *rows = NULL;
    char by[LONGEST_NAME];
    snprintf(by, sizeof by, "import %s", format);
    adass_status status = adass_sparse_format_create(&rows, format, inputs, options, err);
    if (status == ADASS_OK)
        status = adass_import_rows(by, adass_sparse_format_rows(rows), inputs, options, out_dir,
                                   report, err);
    adass_sparse_format_destroy(rows);
    return status;
}

/* The preset's layout that the input has. */
static adass_status choose_schema(const adass_table_preset *preset, const adass_inputs *inputs,
                                  const adass_table_schema **out, adass_error *err)
{
    *out = preset->schemas[0];
    if (preset->schemas[1] == NULL)
        return ADASS_OK;
    char line[FIRST_LINE_BYTES];
    const adass_status status = adass_inputs_first_line(inputs, line, sizeof line, err);
    if (status == ADASS_OK && strstr(line, preset->schemas[0]->separator) == NULL)
        *out = preset->schemas[1];
    return status;
}

static adass_status import_preset(const adass_table_preset *preset, adass_inputs *inputs,
                                  const adass_table_options *options, const char *out_dir,
                                  adass_import_report *report, adass_error *err)
{
    const adass_table_schema *schema;
    adass_status status = choose_schema(preset, inputs, &schema, err);
    if (status == ADASS_OK)
        status = preset->negatives
                     ? import_with_negatives(preset, inputs, options, out_dir, report, err)
                     : import_by_schema(preset->name, schema, inputs, NULL, options, out_dir,
                                        report, err);
    return status == ADASS_OK ? compare_published(preset, options, out_dir, report, err) : status;
}

static adass_status import_with(const char *format, const adass_table_preset *preset,
                                const adass_table_schema *schema, adass_table_options *options,
                                const char *out_dir, adass_import_report *report, adass_error *err)
{
    adass_inputs *inputs = NULL;
    adass_status status = complete_options(options, preset, err);
    if (status == ADASS_OK)
        status = adass_writer_check(out_dir, err);
    if (status == ADASS_OK)
        status = adass_inputs_open(&inputs, options->inputs, options->n_inputs, out_dir,
                                   options->monitor, err);
    if (status == ADASS_OK)
        status =
            preset != NULL ? import_preset(preset, inputs, options, out_dir, report, err)
            : adass_sparse_format_is(format)
                ? import_sparse(format, inputs, options, out_dir, report, err)
                : import_by_schema(format, schema, inputs, NULL, options, out_dir, report, err);
    adass_inputs_close(inputs);
    return status;
}

static adass_status find_schema(const char *format, const adass_table_preset *preset,
                                const char *path, adass_table_schema *schema, adass_error *err)
{
    const bool csv = strcmp(format, "csv") == 0;
    if (preset == NULL && !csv && !adass_sparse_format_is(format))
        return adass_fail(
            err, ADASS_EINVAL,
            "no importer named '%s'; there are criteo, avazu, kdd12, frappe, libsvm, libffm, csv",
            format);
    if (csv && path == NULL)
        return adass_fail(err, ADASS_EINVAL, "the format csv needs a schema file");
    if (!csv && path != NULL)
        return adass_fail(err, ADASS_EINVAL, "the format %s takes no schema file", format);
    return csv ? adass_table_schema_read(schema, path, err) : ADASS_OK;
}

adass_status adass_import_table(const char *format, const adass_table_options *options,
                                const char *out_dir, adass_import_report *report, adass_error *err)
{
    const adass_table_preset *preset = adass_table_preset_find(format);
    adass_table_schema schema = { 0 };
    adass_table_options completed = *options;
    adass_import_report *own = calloc(1, sizeof *own);
    if (own == NULL)
        return adass_fail_memory(err, "a report", (double)sizeof *own);
    adass_status status = find_schema(format, preset, options->schema, &schema, err);
    if (status == ADASS_OK)
        status = import_with(format, preset, &schema, &completed, out_dir, own, err);
    if (report != NULL)
        *report = *own;
    free(own);
    adass_table_schema_free(&schema);
    return status;
}
