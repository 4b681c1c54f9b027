/*
 * Fidelity: does the supernet rank assignments as stand-alone training does? Random assignments are
 * trained alone, once a seed; supernets of each sampler and seed give their inherited AUC on the
 * same validation rows, and the AUC that they have after the short training of the search's finalists.
 * Kendall's tau between each of these and the stand-alone AUC stands beside the noise ceiling, tau
 * between two stand-alone trainings with different seeds. Intervals: 95 %, by resampling the assignments.
 */
#include "suite_run.h"

#include "adass/rng.h"
#include "clock.h"
#include "finalists.h"
#include "json_file.h"
#include "methods/method.h"
#include "run_record.h"
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    N_SAMPLERS = ADASS_FIDELITY_SAMPLERS,
    N_TAUS = 2 * N_SAMPLERS + 1, /* of inherited AUC, of AUC after short training, the ceiling */
    CEILING = N_TAUS - 1,
    RESAMPLES = 2000
};

static const char *const samplers[N_SAMPLERS] = { "adaptive", "uniform", "sandwich", "fair",
                                                  "pa-da" };

typedef struct fidelity {
    adass_suite_run *run;
    size_t n, n_fields, seeds; /* n: assignments */
    uint8_t *choices;          /* [n x n_fields]: candidate numbers */
    size_t *sizes;             /* [n x n_fields] */
    double *alone;             /* [seeds x n]: stand-alone validation AUC */
    double *aucs; /* [2 x N_SAMPLERS x seeds x n]: inherited; after the short training */
    /* means over seeds: of one supernet; of the short trainings of all assignments */
    double supernet_seconds[N_SAMPLERS], trained_seconds[N_SAMPLERS];
} fidelity;

/* What a supernet says of the assignments. */
typedef struct measured {
    double *inherited, *trained; /* [n], AUCs */
    double supernet_seconds, trained_seconds;
    size_t steps; /* of a short training */
} measured;

/* ---- assignments ---- */

static void draw_assignments(fidelity *x)
{
    const adass_candidates *c = &x->run->suite.config.candidates;
    adass_rng rng;
    adass_rng_init(&rng, adass_seed_derive(x->run->options->seed, ADASS_SEED_SEARCH));
    for (size_t a = 0; a < x->n; a++) {
        uint8_t *choice = x->choices + a * x->n_fields;
        size_t *sizes = x->sizes + a * x->n_fields, total;
        do {
            total = 0;
            for (size_t f = 0; f < x->n_fields; f++) {
                choice[f] = (uint8_t)adass_rng_below(&rng, c->n);
                sizes[f] = c->sizes[choice[f]];
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

/* ---- on supernets ---- */

/* AUCs of all assignments with the supernet's weights, on all validation rows. */
static adass_status measure_inherited(const fidelity *x, const adass_model *supernet, measured *m,
                                      adass_error *err)
{
    const adass_suite_run *r = x->run;
    adass_evaluator *valid = NULL;
    adass_status status = adass_evaluator_open(&valid, r->dataset, ADASS_VALID, 0, r->compute, err);
    for (size_t a = 0; a < x->n && status == ADASS_OK; a++) {
        adass_metrics metrics;
        status =
            adass_evaluator_measure(valid, supernet, x->sizes + a * x->n_fields, &metrics, err);
        m->inherited[a] = metrics.auc;
    }
    adass_evaluator_close(valid);
    return status;
}

/* The short trainings as one stage. */
typedef struct stage {
    const fidelity *x;
    size_t a; /* the assignment that is trained */
} stage;

static void report_stage(void *user, const char *name, uint64_t done, uint64_t total,
                         const char *note)
{
    const stage *s = user;
    const adass_monitor *outer = &s->x->run->monitor;
    char text[48];
    (void)note;
    snprintf(text, sizeof text, "assignment %zu of %zu", s->a + 1, s->x->n);
    outer->progress(outer->user, name, s->a * total + done, s->x->n * total, text);
}

static bool stop_stage(void *user)
{
    const stage *s = user;
    return s->x->run->monitor.stop(s->x->run->monitor.user);
}

/* AUCs of all assignments after the short training that the search gives its finalists. */
static adass_status measure_trained(const fidelity *x, const adass_method_setting *setting,
                                    const adass_model *supernet, measured *m, adass_error *err)
{
    const adass_run_config *config = setting->config;
    const double began = adass_clock_seconds();
    stage now = { .x = x };
    const adass_monitor monitor = { .progress = report_stage, .stop = stop_stage, .user = &now };
    const adass_search_problem problem = {
        .candidates = &config->candidates,
        .vocab = setting->vocab,
        .n_fields = x->n_fields,
        .seed = adass_seed_derive(config->seed, ADASS_SEED_SEARCH),
        .monitor = &monitor,
    };
    const adass_finalists_setting finals = {
        .problem = &problem,
        .supernet = supernet,
        .dataset = setting->dataset,
        .compute = setting->compute,
        .step = &config->supernet.step,
        .steps = adass_finalists_steps(config->search.finalists, supernet),
    };
    if (finals.steps == 0)
        return adass_fail(err, ADASS_EINVAL,
                          "finalists trained for %g of the supernet's %zu steps have no step: "
                          "fidelity needs a larger share or a longer supernet training",
                          config->search.finalists, (size_t)supernet->steps);
    adass_finalists *finalists = NULL;
    adass_status status = adass_finalists_create(&finalists, &finals, err);
    for (; now.a < x->n && status == ADASS_OK; now.a++)
        status = adass_finalists_measure(finalists, x->choices + now.a * x->n_fields,
                                         &m->trained[now.a], err);
    adass_finalists_destroy(finalists);
    m->steps = finals.steps;
    m->trained_seconds = adass_clock_seconds() - began;
    return status;
}

static adass_status measure(const fidelity *x, const adass_run_config *config, measured *m,
                            adass_error *err)
{
    const adass_suite_run *r = x->run;
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
    adass_status status = adass_session_supernet(&setting, &supernet, &found, err);
    if (status == ADASS_OK)
        status = measure_inherited(x, supernet, m, err);
    if (status == ADASS_OK)
        status = measure_trained(x, &setting, supernet, m, err);
    m->supernet_seconds = found.supernet_seconds;
    adass_found_free(&found);
    free(vocab);
    return status;
}

static json_t *list_of(const double *values, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(values[i]));
    return list;
}

static adass_status write_measured(const fidelity *x, const adass_run_config *config,
                                   const measured *m, adass_error *err)
{
    const adass_suite_run *r = x->run;
    char path[ADASS_SUITE_PATH_CHARS];
    json_t *record = json_pack(
        "{s:s, s:{s:s, s:s}, s:o, s:o, s:f, s:o, s:I, s:f, s:o}", "format", "adass-inherited-2",
        "dataset", "name", r->dataset->name, "checksum", r->dataset->checksum, "config",
        adass_run_config_json(config, r->dataset), "valid_auc", list_of(m->inherited, x->n),
        "seconds", m->supernet_seconds, "trained_auc", list_of(m->trained, x->n), "trained_steps",
        (json_int_t)m->steps, "trained_seconds", m->trained_seconds, "provenance",
        adass_provenance_json(r->compute));
    if (record == NULL)
        return adass_fail_memory(err, "the AUCs of the assignments", 65536.0);
    snprintf(path, sizeof path, "%s/runs/%s.json", r->options->out_dir, r->label);
    const adass_status status = adass_json_write(path, record, err);
    json_decref(record);
    return status;
}

static bool take_list(const json_t *record, const char *key, size_t n, double *values)
{
    const json_t *list = json_object_get(record, key);
    if (json_array_size(list) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        values[i] = json_number_value(json_array_get(list, i));
    return true;
}

/* Whether the record is there and has all of it. */
static bool read_measured(const fidelity *x, const adass_run_config *config, measured *m)
{
    json_t *wanted = adass_run_config_json(config, x->run->dataset);
    json_t *record = adass_suite_read(x->run, wanted);
    json_decref(wanted);
    const bool whole = take_list(record, "valid_auc", x->n, m->inherited) &&
                       take_list(record, "trained_auc", x->n, m->trained);
    m->supernet_seconds = json_number_value(json_object_get(record, "seconds"));
    m->trained_seconds = json_number_value(json_object_get(record, "trained_seconds"));
    json_decref(record);
    return whole;
}

static adass_status ask_supernet(fidelity *x, size_t s, size_t seed, adass_error *err)
{
    adass_suite_run *r = x->run;
    adass_run_config config = config_of(x, seed);
    const size_t at = (s * x->seeds + seed) * x->n;
    measured m = { .inherited = x->aucs + at,
                   .trained = x->aucs + N_SAMPLERS * x->seeds * x->n + at };
    config.supernet.sampler = samplers[s];
    config.budget = 1; /* plays no part */
    snprintf(r->label, sizeof r->label, "%s-inherited-%s-seed%llu",
             adass_backbone_name(config.model.backbone), samplers[s],
             (unsigned long long)config.seed);
    adass_status status = ADASS_OK;
    if (!read_measured(x, &config, &m)) {
        if (adass_suite_is_mine(r, s * x->seeds + seed)) {
            status = measure(x, &config, &m, err);
            if (status == ADASS_OK)
                status = write_measured(x, &config, &m, err);
        } else {
            r->missing++;
        }
    }
    x->supernet_seconds[s] += m.supernet_seconds / (double)x->seeds;
    x->trained_seconds[s] += m.trained_seconds / (double)x->seeds;
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

/* taus[N_TAUS] */
static void all_taus(const fidelity *x, const size_t *order, double *work, double *taus)
{
    for (size_t s = 0; s < CEILING; s++)
        taus[s] = mean_tau(x, x->aucs + s * x->seeds * x->n, x->alone, false, order, work);
    taus[CEILING] = mean_tau(x, x->alone, x->alone, true, order, work);
}

/* Of a row: tau `i`, divided by another ('/') or less another ('-') where `op` says so. */
typedef struct figure {
    const char *key;
    size_t i;
    char op;
    size_t other;
} figure;

static double value_of(const figure *f, const double *taus)
{
    if (f->op == '/')
        return taus[f->i] / taus[f->other];
    return taus[f->i] - (f->op == '-' ? taus[f->other] : 0.0);
}

/* values: [RESAMPLES], work space */
static void put_figure(json_t *row, const figure *f, const double *taus, const double *resample,
                       double *values)
{
    char key[48];
    for (size_t i = 0; i < RESAMPLES; i++)
        values[i] = value_of(f, resample + i * N_TAUS);
    qsort(values, RESAMPLES, sizeof *values, by_value);
    json_object_set_new(row, f->key, json_real(value_of(f, taus)));
    snprintf(key, sizeof key, "%s_ci95", f->key);
    json_object_set_new(
        row, key,
        json_pack("[f, f]", values[RESAMPLES / 40], values[RESAMPLES - 1 - RESAMPLES / 40]));
}

/*
 * @param taus     [N_TAUS]
 * @param resample [RESAMPLES x N_TAUS]
 * @param values   [RESAMPLES], work space
 */
static json_t *make_row(const fidelity *x, size_t s, const double *taus, const double *resample,
                        double *values)
{
    enum { UNIFORM = 1 };
    const size_t t = N_SAMPLERS + s; /* after the short training */
    const figure figures[] = {
        { .key = "tau", .i = s },
        { "of_ceiling", s, '/', CEILING },
        { "above_uniform", s, '-', UNIFORM },
        { .key = "tau_trained", .i = t },
        { "of_ceiling_trained", t, '/', CEILING },
        { "trained_above_inherited", t, '-', s },
    };
    json_t *row = json_pack("{s:s, s:f, s:f}", "sampler", samplers[s], "supernet_seconds",
                            x->supernet_seconds[s], "trained_seconds", x->trained_seconds[s]);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        put_figure(row, &figures[i], taus, resample, values);
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
        all_taus(x, order, work, resample + i * N_TAUS);
    }
}

static json_t *make_table(const fidelity *x)
{
    double taus[N_TAUS];
    size_t *order = calloc(x->n, sizeof *order);
    double *work = calloc(2 * x->n + RESAMPLES, sizeof *work);
    double *resample = calloc((size_t)RESAMPLES * N_TAUS, sizeof *resample);
    json_t *table = NULL;
    if (order != NULL && work != NULL && resample != NULL) {
        resample_taus(x, order, work, taus, resample);
        json_t *rows = json_array();
        for (size_t s = 0; s < N_SAMPLERS; s++)
            json_array_append_new(rows, make_row(x, s, taus, resample, work + 2 * x->n));
        table = json_pack("{s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:o, s:o}", "format",
                          "adass-fidelity-2", "dataset", x->run->dataset->name, "backbone",
                          adass_backbone_name(x->run->suite.backbones[0]), "assignments",
                          (json_int_t)x->n, "seeds", (json_int_t)x->seeds, "ceiling", taus[CEILING],
                          "trained_share", x->run->suite.config.search.finalists, "rows", rows,
                          "provenance", adass_provenance_json(x->run->compute));
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
    static const struct {
        const char *key, *format;
    } columns[] = {
        { "tau", " %.3f (%.3f to %.3f) |" },
        { "of_ceiling", " %.3f (%.3f to %.3f) |" },
        { "above_uniform", " %+.3f (%+.3f to %+.3f) |" },
        { "tau_trained", " %.3f (%.3f to %.3f) |" },
        { "of_ceiling_trained", " %.3f (%.3f to %.3f) |" },
        { "trained_above_inherited", " %+.3f (%+.3f to %+.3f) |" },
    };
    fprintf(out, "| %s |", json_string_value(json_object_get(row, "sampler")));
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        char interval[48];
        snprintf(interval, sizeof interval, "%s_ci95", columns[i].key);
        fprintf(out, columns[i].format, json_number_value(json_object_get(row, columns[i].key)),
                at(row, interval, 0), at(row, interval, 1));
    }
    fprintf(out, " %.1f | %.1f |\n", json_number_value(json_object_get(row, "supernet_seconds")),
            json_number_value(json_object_get(row, "trained_seconds")));
}

static void put_markdown(FILE *out, const fidelity *x, const json_t *table)
{
    fprintf(out,
            "# fidelity: %s, %s\n\n%zu random assignments, %zu seeds. Noise ceiling: tau %.3f "
            "between two stand-alone trainings.\n`trained`: each assignment trained on from the "
            "supernet's weights for %g of the supernet's steps, as the search's finalists "
            "are.\nIntervals: 95 %%, by resampling the assignments.\n\n"
            "| sampler | tau | of the ceiling | above uniform | tau, trained | of the ceiling, "
            "trained | trained above inherited | seconds of a supernet | of %zu short trainings "
            "|\n|---|---|---|---|---|---|---|---|---|\n",
            x->run->dataset->name, json_string_value(json_object_get(table, "backbone")), x->n,
            x->seeds, json_number_value(json_object_get(table, "ceiling")),
            x->run->suite.config.search.finalists, x->n);
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(table, "rows"), i, row) put_row(out, row);
    adass_provenance_put(out, json_object_get(table, "provenance"));
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
            status = ask_supernet(x, s, i, err);
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
    x.choices = calloc(x.n, x.n_fields);
    x.sizes = calloc(x.n * x.n_fields, sizeof *x.sizes);
    x.alone = calloc(x.seeds * x.n, sizeof *x.alone);
    x.aucs = calloc(2 * N_SAMPLERS * x.seeds * x.n, sizeof *x.aucs);
    r->total = (N_SAMPLERS + x.n) * x.seeds;
    const bool room = x.choices != NULL && x.sizes != NULL && x.alone != NULL && x.aucs != NULL;
    const adass_status status =
        room ? run_all(&x, err) : adass_fail_memory(err, "the assignments", 65536.0);
    free(x.choices);
    free(x.sizes);
    free(x.alone);
    free(x.aucs);
    return status;
}
