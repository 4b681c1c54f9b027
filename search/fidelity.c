/*
 * Fidelity: does the supernet rank assignments as stand-alone training does? Random assignments are
 * trained alone, once a seed; supernets of each sampler and seed give their inherited AUC on the
 * same validation rows. Kendall's tau between the two stands beside the noise ceiling, tau between
 * two stand-alone trainings with different seeds. Intervals: 95 %, by resampling the assignments.
 */
#include "suite_run.h"

#include "adass/rng.h"
#include "json_file.h"
#include "methods/method.h"
#include "run_record.h"
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_SAMPLERS = ADASS_FIDELITY_SAMPLERS, RESAMPLES = 2000 };

static const char *const samplers[N_SAMPLERS] = { "adaptive", "uniform", "sandwich", "fair",
                                                  "pa-da" };

typedef struct fidelity {
    adass_suite_run *run;
    size_t n, n_fields, seeds;  /* n: assignments */
    size_t *sizes;              /* [n x n_fields] */
    double *alone;              /* [seeds x n]: stand-alone validation AUC */
    double *inherited;          /* [N_SAMPLERS x seeds x n] */
    double seconds[N_SAMPLERS]; /* of one supernet, mean over seeds */
} fidelity;

/* ---- assignments ---- */

static void draw_assignments(fidelity *x)
{
    const adass_candidates *c = &x->run->suite.config.candidates;
    adass_rng rng;
    adass_rng_init(&rng, adass_seed_derive(x->run->options->seed, ADASS_SEED_SEARCH));
    for (size_t a = 0; a < x->n; a++) {
        size_t *sizes = x->sizes + a * x->n_fields, total;
        do {
            total = 0;
            for (size_t f = 0; f < x->n_fields; f++) {
                sizes[f] = c->sizes[adass_rng_below(&rng, c->n)];
                total += sizes[f];
            }
        } while (total == 0);
    }
}

static adass_run_config config_of(const fidelity *x, size_t seed)
{
    adass_run_config config = x->run->suite.config;
    config.model.backbone = x->run->suite.backbones[0];
    config.seed = x->run->options->seed + seed;
    return config;
}

/* ---- stand-alone ---- */

static adass_status train_alone(fidelity *x, size_t seed, size_t a, adass_error *err)
{
    adass_suite_run *r = x->run;
    adass_run_config config = config_of(x, seed);
    snprintf(config.method, sizeof config.method, "given");
    config.sizes = x->sizes + a * x->n_fields;
    snprintf(r->label, sizeof r->label, "%s-alone%02zu-seed%llu",
             adass_backbone_name(config.model.backbone), a, (unsigned long long)config.seed);
    json_t *record = NULL;
    const adass_status status =
        adass_suite_run_one(r, &config, adass_suite_is_mine(r, seed * x->n + a), &record, err);
    if (record != NULL)
        x->alone[seed * x->n + a] = adass_record_number(record, "metrics", "valid_auc");
    json_decref(record);
    return status;
}

/* ---- inherited ---- */

/* AUCs of all assignments in the supernet of a configuration, on all validation rows. */
static adass_status measure_inherited(fidelity *x, const adass_run_config *config, double *aucs,
                                      double *seconds, adass_error *err)
{
    adass_suite_run *r = x->run;
    size_t *vocab = calloc(x->n_fields, sizeof *vocab);
    if (vocab == NULL)
        return adass_fail_memory(err, "the vocabularies", (double)x->n_fields * 8.0);
    for (size_t f = 0; f < x->n_fields; f++)
        vocab[f] = r->dataset->fields[f].vocab;
    const adass_method_setting setting = { .session = r->session,
                                           .dataset = r->dataset,
                                           .vocab = vocab,
                                           .compute = r->compute,
                                           .monitor = &r->monitor,
                                           .config = config };
    adass_found found = { 0 };
    const adass_model *supernet = NULL;
    adass_evaluator *valid = NULL;
    adass_status status = adass_session_supernet(&setting, &supernet, &found, err);
    if (status == ADASS_OK)
        status = adass_evaluator_open(&valid, r->dataset, ADASS_VALID, 0, r->compute, err);
    for (size_t a = 0; a < x->n && status == ADASS_OK; a++) {
        adass_metrics metrics;
        status =
            adass_evaluator_measure(valid, supernet, x->sizes + a * x->n_fields, &metrics, err);
        aucs[a] = metrics.auc;
    }
    *seconds = found.supernet_seconds;
    adass_found_free(&found);
    adass_evaluator_close(valid);
    free(vocab);
    return status;
}

static json_t *inherited_record(const fidelity *x, const adass_run_config *config,
                                const double *aucs, double seconds)
{
    const adass_suite_run *r = x->run;
    json_t *list = json_array();
    for (size_t a = 0; a < x->n; a++)
        json_array_append_new(list, json_real(aucs[a]));
    return json_pack("{s:s, s:{s:s, s:s}, s:o, s:o, s:f, s:o}", "format", "adass-inherited-1",
                     "dataset", "name", r->dataset->name, "checksum", r->dataset->checksum,
                     "config", adass_run_config_json(config, r->dataset), "valid_auc", list,
                     "seconds", seconds, "provenance", adass_provenance_json(r->compute));
}

static adass_status do_inherited(fidelity *x, const adass_run_config *config, double *aucs,
                                 double *seconds, adass_error *err)
{
    char path[ADASS_SUITE_PATH_CHARS];
    adass_status status = measure_inherited(x, config, aucs, seconds, err);
    if (status != ADASS_OK)
        return status;
    json_t *record = inherited_record(x, config, aucs, *seconds);
    if (record == NULL)
        return adass_fail_memory(err, "the inherited AUCs", 65536.0);
    snprintf(path, sizeof path, "%s/runs/%s.json", x->run->options->out_dir, x->run->label);
    status = adass_json_write(path, record, err);
    json_decref(record);
    return status;
}

static adass_status inherit(fidelity *x, size_t s, size_t seed, adass_error *err)
{
    adass_suite_run *r = x->run;
    adass_run_config config = config_of(x, seed);
    config.supernet.sampler = samplers[s];
    config.budget = 1; /* plays no part */
    snprintf(r->label, sizeof r->label, "%s-inherited-%s-seed%llu",
             adass_backbone_name(config.model.backbone), samplers[s],
             (unsigned long long)config.seed);
    double *aucs = x->inherited + (s * x->seeds + seed) * x->n, seconds = 0.0;
    json_t *wanted = adass_run_config_json(&config, r->dataset);
    json_t *record = adass_suite_read(r, wanted);
    json_decref(wanted);
    adass_status status = ADASS_OK;
    const json_t *list = json_object_get(record, "valid_auc");
    if (json_array_size(list) == x->n) {
        for (size_t a = 0; a < x->n; a++)
            aucs[a] = json_number_value(json_array_get(list, a));
        seconds = json_number_value(json_object_get(record, "seconds"));
    } else if (adass_suite_is_mine(r, s * x->seeds + seed)) {
        status = do_inherited(x, &config, aucs, &seconds, err);
    } else {
        r->missing++;
    }
    json_decref(record);
    x->seconds[s] += seconds / (double)x->seeds;
    r->done++;
    return status;
}

/* ---- the table ---- */

/* Mean tau over pairs of a list of `a` and one of `b`; `order` picks the assignments. */
static double mean_tau(const fidelity *x, const double *a, const double *b, bool same,
                       const size_t *order, double *work)
{
    double sum = 0.0, pairs = 0.0;
    for (size_t i = 0; i < x->seeds; i++)
        for (size_t j = 0; j < (same ? i : x->seeds); j++, pairs += 1.0) {
            for (size_t k = 0; k < x->n; k++) {
                work[k] = a[i * x->n + order[k]];
                work[x->n + k] = b[j * x->n + order[k]];
            }
            sum += adass_kendall(work, work + x->n, x->n);
        }
    return sum / pairs;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Taus of the samplers and, last, the ceiling: [N_SAMPLERS + 1]. */
static void all_taus(const fidelity *x, const size_t *order, double *work, double *taus)
{
    for (size_t s = 0; s < N_SAMPLERS; s++)
        taus[s] = mean_tau(x, x->inherited + s * x->seeds * x->n, x->alone, false, order, work);
    taus[N_SAMPLERS] = mean_tau(x, x->alone, x->alone, true, order, work);
}

static void put_range(json_t *row, const char *key, double *values)
{
    qsort(values, RESAMPLES, sizeof *values, by_value);
    json_object_set_new(
        row, key,
        json_pack("[f, f]", values[RESAMPLES / 40], values[RESAMPLES - 1 - RESAMPLES / 40]));
}

/*
 * @param taus     [N_SAMPLERS + 1]
 * @param resample [RESAMPLES x (N_SAMPLERS + 1)]
 * @param values   [RESAMPLES], work space
 */
static json_t *make_row(const fidelity *x, size_t s, const double *taus, const double *resample,
                        double *values)
{
    enum { UNIFORM = 1, N = N_SAMPLERS + 1 };
    const double ceiling = taus[N_SAMPLERS];
    json_t *row = json_pack("{s:s, s:f, s:f, s:f, s:f}", "sampler", samplers[s], "tau", taus[s],
                            "of_ceiling", taus[s] / ceiling, "above_uniform",
                            taus[s] - taus[UNIFORM], "supernet_seconds", x->seconds[s]);
    for (size_t i = 0; i < RESAMPLES; i++)
        values[i] = resample[i * N + s];
    put_range(row, "tau_ci95", values);
    for (size_t i = 0; i < RESAMPLES; i++)
        values[i] = resample[i * N + s] / resample[i * N + N_SAMPLERS];
    put_range(row, "of_ceiling_ci95", values);
    for (size_t i = 0; i < RESAMPLES; i++)
        values[i] = resample[i * N + s] - resample[i * N + UNIFORM];
    put_range(row, "above_uniform_ci95", values);
    return row;
}

static void resample_taus(const fidelity *x, size_t *order, double *work, double *taus,
                          double *resample)
{
    adass_rng rng;
    adass_rng_init(&rng, 1);
    for (size_t k = 0; k < x->n; k++)
        order[k] = k;
    all_taus(x, order, work, taus);
    for (size_t i = 0; i < RESAMPLES; i++) {
        for (size_t k = 0; k < x->n; k++)
            order[k] = (size_t)adass_rng_below(&rng, x->n);
        all_taus(x, order, work, resample + i * (N_SAMPLERS + 1));
    }
}

static json_t *make_table(const fidelity *x)
{
    double taus[N_SAMPLERS + 1];
    size_t *order = calloc(x->n, sizeof *order);
    double *work = calloc(2 * x->n + RESAMPLES, sizeof *work);
    double *resample = calloc((size_t)RESAMPLES * (N_SAMPLERS + 1), sizeof *resample);
    json_t *table = NULL;
    if (order != NULL && work != NULL && resample != NULL) {
        resample_taus(x, order, work, taus, resample);
        json_t *rows = json_array();
        for (size_t s = 0; s < N_SAMPLERS; s++)
            json_array_append_new(rows, make_row(x, s, taus, resample, work + 2 * x->n));
        table = json_pack(
            "{s:s, s:s, s:s, s:I, s:I, s:f, s:o, s:o}", "format", "adass-fidelity-1", "dataset",
            x->run->dataset->name, "backbone", adass_backbone_name(x->run->suite.backbones[0]),
            "assignments", (json_int_t)x->n, "seeds", (json_int_t)x->seeds, "ceiling",
            taus[N_SAMPLERS], "rows", rows, "provenance", adass_provenance_json(x->run->compute));
    }
    free(order);
    free(work);
    free(resample);
    return table;
}

static double at(const json_t *row, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(row, key), i));
}

static void put_row(FILE *out, const json_t *row)
{
    static const char *const keys[] = { "tau", "of_ceiling", "above_uniform" };
    fprintf(out, "| %s |", json_string_value(json_object_get(row, "sampler")));
    for (size_t i = 0; i < 3; i++) {
        char interval[32];
        snprintf(interval, sizeof interval, "%s_ci95", keys[i]);
        fprintf(out, i == 2 ? " %+.3f (%+.3f to %+.3f) |" : " %.3f (%.3f to %.3f) |",
                json_number_value(json_object_get(row, keys[i])), at(row, interval, 0),
                at(row, interval, 1));
    }
    fprintf(out, " %.1f |\n", json_number_value(json_object_get(row, "supernet_seconds")));
}

static void put_markdown(FILE *out, const fidelity *x, const json_t *table)
{
    fprintf(out,
            "# fidelity: %s, %s\n\n%zu random assignments, %zu seeds. Noise ceiling: tau %.3f "
            "between two stand-alone trainings.\nIntervals: 95 %%, by resampling the "
            "assignments.\n\n"
            "| sampler | tau | of the ceiling | above uniform | seconds of a supernet |\n"
            "|---|---|---|---|---|\n",
            x->run->dataset->name, json_string_value(json_object_get(table, "backbone")), x->n,
            x->seeds, json_number_value(json_object_get(table, "ceiling")));
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(table, "rows"), i, row) put_row(out, row);
}

static adass_status write_table(const fidelity *x, adass_error *err)
{
    char path[ADASS_SUITE_PATH_CHARS], *text = NULL;
    size_t chars = 0;
    json_t *table = make_table(x);
    FILE *out = open_memstream(&text, &chars);
    if (table == NULL || out == NULL)
        return adass_fail_memory(err, "the table", 65536.0);
    put_markdown(out, x, table);
    fclose(out);
    snprintf(path, sizeof path, "%s/table.json", x->run->options->out_dir);
    adass_status status = adass_json_write(path, table, err);
    snprintf(path, sizeof path, "%s/table.md", x->run->options->out_dir);
    if (status == ADASS_OK)
        status = adass_text_write(path, text, err);
    json_decref(table);
    free(text);
    return status;
}

static adass_status run_all(fidelity *x, adass_error *err)
{
    adass_status status = ADASS_OK;
    draw_assignments(x);
    for (size_t s = 0; s < N_SAMPLERS; s++)
        for (size_t i = 0; i < x->seeds && status == ADASS_OK; i++)
            status = inherit(x, s, i, err);
    for (size_t i = 0; i < x->seeds; i++)
        for (size_t a = 0; a < x->n && status == ADASS_OK; a++)
            status = train_alone(x, i, a, err);
    return status == ADASS_OK && x->run->missing == 0 ? write_table(x, err) : status;
}

adass_status adass_suite_run_fidelity(adass_suite_run *r, adass_error *err)
{
    fidelity x = { .run = r,
                   .n = r->suite.fidelity_assignments,
                   .n_fields = r->dataset->n_fields,
                   .seeds = r->suite.seeds };
    if (x.seeds < 2)
        return adass_fail(err, ADASS_EINVAL,
                          "the noise ceiling lies between two seeds: fidelity needs at least 2");
    x.sizes = calloc(x.n * x.n_fields, sizeof *x.sizes);
    x.alone = calloc(x.seeds * x.n, sizeof *x.alone);
    x.inherited = calloc(N_SAMPLERS * x.seeds * x.n, sizeof *x.inherited);
    r->total = (N_SAMPLERS + x.n) * x.seeds;
    const adass_status status = x.sizes != NULL && x.alone != NULL && x.inherited != NULL
                                    ? run_all(&x, err)
                                    : adass_fail_memory(err, "the assignments", 65536.0);
    free(x.sizes);
    free(x.alone);
    free(x.inherited);
    return status;
}
