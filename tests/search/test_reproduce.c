/* Suites: same runs from the same seed, taking up after an interruption, the tables' contents. */
#include "adass/rng.h"
#include "finalist.h"
#include "fixture.h"
#include "json_file.h"
#include "methods/method.h"
#include "stats.h"
#include "suites.h"
#include "table.h"
#include "trials.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef struct watch {
    size_t finished, trials, reused, ticks, stop_after;
} watch;

static int set_up(void **state)
{
    static fixture x;
    *state = &x;
    return fixture_open(&x, 4000);
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void count_finished(void *user, size_t done, size_t total, const char *run, double auc,
                           bool trial, bool reused)
{
    watch *w = user;
    assert_true(done <= total && run[0] != '\0' && auc > 0.4 && auc < 1.0);
    assert_true(trial == (strstr(run, "-trial") != NULL));
    w->finished++;
    w->trials += trial;
    w->reused += reused;
}

static bool stop_in_time(void *user)
{
    watch *w = user;
    return w->stop_after > 0 && ++w->ticks > w->stop_after;
}

static const adass_variant variants[] = {
    { .name = "random", .method = "random" },
    { .name = "adass", .method = "adass" },
};

static adass_suite small_suite(void)
{
    adass_suite suite = {
        .name = "small",
        .hint = "none",
        .n_backbones = 2,
        .backbones = { ADASS_DEEPFM, ADASS_FM },
        .uniform = { .n = 2, .sizes = { 2, 8 } },
        .n_budgets = 2,
        .budgets = { 0.8, 0.5 },
        .variants = variants,
        .n_variants = 2,
        .seeds = 2,
        .config = adass_run_config_default(),
    };
    suite.config.candidates = (adass_candidates){ .n = 3, .sizes = { 0, 2, 8 } };
    suite.config.model.hidden[0] = 16;
    suite.config.model.hidden[1] = 8;
    suite.config.train.max_epochs = 2;
    suite.config.train.step.batch_size = suite.config.supernet.step.batch_size = 256;
    suite.config.supernet.epochs = 1;
    suite.config.supernet.adaptive.interval = 1; /* the probabilities change in these few steps */
    suite.config.search.iterations = 3;
    suite.config.search.population = 4;
    suite.config.search.eval_rows = 200;
    return suite;
}

enum { RUNS = 2 * 2 * (2 + 2 * 2) };

/* The small suite, or a part of it, into folder `out` of the fixture. */
static adass_status reproduce_part(const fixture *x, const char *out, int threads, size_t trials,
                                   size_t shard, size_t *missing, watch *w)
{
    adass_error err;
    char dir[128], data[128];
    snprintf(dir, sizeof dir, "%s/%s", x->dir, out);
    snprintf(data, sizeof data, "%s/data", x->dir);
    const adass_suite suite = small_suite();
    const adass_reproduce_options options = { .dataset = data,
                                              .out_dir = dir,
                                              .seed = 7,
                                              .trials = trials,
                                              .shard = shard,
                                              .shards = shard > 0 ? 2 : 0,
                                              .missing = missing,
                                              .finished = count_finished,
                                              .user = w };
    const adass_monitor monitor = { .stop = stop_in_time, .user = w };
    const adass_compute compute = { .kernels = x->compute.kernels, .threads = threads };
    const adass_status status = adass_reproduce_suite(&suite, &options, &compute, &monitor, &err);
    if (status != ADASS_OK && status != ADASS_EINTERRUPTED)
        fprintf(stderr, "%s\n", err.message);
    return status;
}

static adass_status reproduce(const fixture *x, const char *out, int threads, watch *w)
{
    return reproduce_part(x, out, threads, 0, 0, NULL, w);
}

/* A run's record without what may differ: its times, and the number of threads. */
static json_t *comparable(const fixture *x, const char *out, const char *run)
{
    char path[256];
    json_t *record = NULL;
    adass_error err;
    snprintf(path, sizeof path, "%s/%s/runs/%s.json", x->dir, out, run);
    if (adass_json_read(path, &record, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    json_object_del(record, "seconds");
    json_object_del(json_object_get(record, "provenance"), "threads");
    return record;
}

static const char *const runs[] = {
    "deepfm-uniform-size2-seed7",   "deepfm-uniform-size8-seed8",   "deepfm-random-budget0.8-seed7",
    "deepfm-adass-budget0.8-seed7", "deepfm-adass-budget0.5-seed8", "fm-uniform-size8-seed7",
    "fm-random-budget0.5-seed8",    "fm-adass-budget0.5-seed7",
};

static void expect_same_runs(const fixture *x, const char *a, const char *b)
{
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        json_t *one = comparable(x, a, runs[i]), *other = comparable(x, b, runs[i]);
        if (!json_equal(one, other))
            fail_msg("%s differs between %s and %s", runs[i], a, b);
        json_decref(one);
        json_decref(other);
    }
}

/* The probabilities over time of a searched run, and none of one that has no supernet. */
static void check_sampling_over_time(const fixture *x, const char *out)
{
    json_t *run = comparable(x, out, "fm-adass-budget0.5-seed7");
    const json_t *found = json_object_get(run, "found");
    const json_t *trace = json_object_get(found, "sampling_over_time");
    const json_t *fields = json_object_get(trace, "thousandths");
    const json_t *rows = json_object_get(fields, "f3");
    const size_t n = json_array_size(rows);
    const json_int_t interval = json_integer_value(json_object_get(trace, "interval"));
    const json_int_t steps = json_integer_value(json_object_get(found, "supernet_steps"));
    assert_int_equal(json_object_size(fields), json_object_size(json_object_get(run, "sizes")));
    assert_true(interval > 0 && (json_int_t)n == steps / interval);
    assert_in_range(n, 2, ADASS_TRACE_POINTS);
    bool changes = false;
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        json_int_t sum = 0;
        assert_int_equal(json_array_size(row), 3);
        for (size_t k = 0; k < 3; k++)
            sum += json_integer_value(json_array_get(row, k));
        assert_in_range(sum, 998, 1002);
        changes = changes || !json_equal(row, json_array_get(rows, 0));
    }
    assert_true(changes);
    json_decref(run);
    run = comparable(x, out, "fm-uniform-size8-seed7");
    assert_null(json_object_get(json_object_get(run, "found"), "sampling_over_time"));
    json_decref(run);
}

static void test_same_seed_same_files(void **state)
{
    const fixture *x = *state;
    watch w = { 0 };
    assert_int_equal(reproduce(x, "a", 2, &w), ADASS_OK);
    assert_int_equal(w.finished, RUNS);
    check_sampling_over_time(x, "a");
    assert_int_equal(w.reused, 0);
    assert_int_equal(reproduce(x, "b", 2, &w), ADASS_OK);
    assert_int_equal(reproduce(x, "c", 1, &w),
                     ADASS_OK); /* nor does the number of threads matter */
    expect_same_runs(x, "a", "b");
    expect_same_runs(x, "a", "c");
}

/* Stopped twice in the middle, a suite ends with the same files, and does no complete run again. */
static void test_goes_on(void **state)
{
    const fixture *x = *state;
    watch w = { .stop_after = 40 };
    assert_int_equal(reproduce(x, "d", 2, &w), ADASS_EINTERRUPTED);
    const size_t first = w.finished;
    assert_true(first > 0 && first < RUNS);
    char table[128];
    snprintf(table, sizeof table, "%s/d/table.md", x->dir);
    assert_true(access(table, F_OK) != 0);
    w = (watch){ .stop_after = 150 };
    assert_int_equal(reproduce(x, "d", 2, &w), ADASS_EINTERRUPTED);
    assert_int_equal(w.reused, first);
    const size_t second = w.finished;
    assert_true(second > first && second < RUNS);
    w = (watch){ 0 };
    assert_int_equal(reproduce(x, "d", 2, &w), ADASS_OK);
    assert_int_equal(w.finished, RUNS);
    assert_int_equal(w.reused, second);
    expect_same_runs(x, "a", "d");
}

/* A run file that is damaged, or of another configuration, is done again. */
static void test_does_not_trust_other_files(void **state)
{
    const fixture *x = *state;
    char path[256];
    adass_error err;
    json_t *record = NULL;
    watch w = { 0 };
    snprintf(path, sizeof path, "%s/d/runs/%s.json", x->dir, runs[0]);
    assert_int_equal(adass_json_read(path, &record, &err), ADASS_OK);
    json_object_set_new(json_object_get(json_object_get(record, "config"), "train"),
                        "learning_rate", json_real(0.5));
    json_object_set_new(json_object_get(record, "metrics"), "test_auc", json_real(0.99));
    assert_int_equal(adass_json_write(path, record, &err), ADASS_OK);
    json_decref(record);
    snprintf(path, sizeof path, "%s/d/runs/%s.json", x->dir, runs[5]);
    assert_int_equal(adass_text_write(path, "{ \"format\": ", &err), ADASS_OK);
    assert_int_equal(reproduce(x, "d", 2, &w), ADASS_OK);
    assert_int_equal(w.reused, RUNS - 2);
    expect_same_runs(x, "a", "d");
}

static const json_t *find_row(const json_t *table, const char *backbone, const char *method,
                              double budget)
{
    size_t i;
    json_t *row;
    json_array_foreach(
        json_object_get(table, "rows"), i,
        row) if (strcmp(json_string_value(json_object_get(row, "backbone")), backbone) == 0 &&
                 strcmp(json_string_value(json_object_get(row, "method")), method) == 0 &&
                 (budget == 0.0 || fabs(json_number_value(json_object_get(row, "budget")) -
                                        budget) < 1e-9)) return row;
    fail_msg("no row %s %s %g", backbone, method, budget);
    return NULL;
}

/* A row's numbers, worked out again from the run files. */
static void test_table(void **state)
{
    const fixture *x = *state;
    char path[256];
    adass_error err;
    json_t *table = NULL;
    snprintf(path, sizeof path, "%s/a/table.json", x->dir);
    assert_int_equal(adass_json_read(path, &table, &err), ADASS_OK);
    assert_int_equal(json_array_size(json_object_get(table, "rows")), RUNS / 2);
    const json_t *row = find_row(table, "deepfm", "adass", 0.5);
    json_t *one = comparable(x, "a", "deepfm-adass-budget0.5-seed7"),
           *two = comparable(x, "a", "deepfm-adass-budget0.5-seed8");
    const double a = adass_record_number(one, "metrics", "test_auc"),
                 b = adass_record_number(two, "metrics", "test_auc");
    assert_true(fabs(json_number_value(json_object_get(row, "auc_mean")) - (a + b) / 2.0) < 1e-9);
    assert_true(fabs(json_number_value(json_object_get(row, "auc_std")) - fabs(a - b) / sqrt(2.0)) <
                1e-9);
    assert_true(json_number_value(json_object_get(row, "params_ratio")) <= 0.5 + 1e-9);
    assert_true(fabs(json_number_value(json_object_get(row, "continued")) -
                     (adass_record_number(one, "metrics", "continued") +
                      adass_record_number(two, "metrics", "continued")) /
                         2.0) < 1e-9);
    assert_null(json_object_get(find_row(table, "deepfm", "random", 0.5), "continued"));

    /* ranks of the two methods and the best uniform size; DeLong's p; the fields but the largest */
    const double rank = json_number_value(json_object_get(row, "rank")),
                 p = json_number_value(json_object_get(row, "delong_p"));
    assert_true(rank >= 1.0 && rank <= 3.0);
    assert_true(json_is_real(json_object_get(row, "delong_ci95")) && p >= 0.0 && p <= 1.0);
    const double rest_a = adass_record_number(one, "metrics", "params") -
                          adass_record_number(one, "field_params", "f0"),
                 rest_b = adass_record_number(two, "metrics", "params") -
                          adass_record_number(two, "field_params", "f0");
    assert_true(fabs(json_number_value(json_object_get(row, "params_rest_mean")) -
                     (rest_a + rest_b) / 2.0) < 1e-6);

    const json_t *sizes_a = json_object_get(one, "sizes"), *sizes_b = json_object_get(two, "sizes");
    size_t same = 0;
    const char *name;
    json_t *size;
    json_object_foreach((json_t *)sizes_a, name, size) same +=
        json_equal(size, json_object_get(sizes_b, name)) ? 1 : 0;
    assert_true(fabs(json_number_value(json_object_get(row, "agreement")) -
                     (double)same / (double)x->dataset->n_fields) < 1e-9);
    const json_t *correlation =
        json_object_get(row, "rank_correlation"); /* missing when a search gave one size to all */
    assert_true(correlation == NULL ||
                (json_number_value(correlation) >= -1.0 && json_number_value(correlation) <= 1.0));
    json_decref(one);
    json_decref(two);
    json_decref(table);

    static const char *const files[] = { "table.md", "table.csv" };
    for (size_t i = 0; i < 2; i++) { /* a line a row, at least */
        snprintf(path, sizeof path, "%s/a/%s", x->dir, files[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        size_t lines = 0;
        for (int c = fgetc(file); c != EOF; c = fgetc(file))
            lines += c == '\n';
        fclose(file);
        assert_true(lines > RUNS / 2);
    }
}

/* ---- shards ---- */

static void copy_runs(const fixture *x, const char *from, const char *to)
{
    char command[512];
    snprintf(command, sizeof command, "cp -u %s/%s/runs/* %s/%s/runs/", x->dir, from, x->dir, to);
    assert_int_equal(system(command), 0);
}

static size_t reproduce_shard(const fixture *x, const char *out, size_t trials, size_t shard,
                              watch *w)
{
    size_t missing = 0;
    assert_int_equal(reproduce_part(x, out, 2, trials, shard, &missing, w), ADASS_OK);
    return missing;
}

/*
 * Two processes share a suite: uniform sizes first, then, with the files of both, the searches; no
 * run is done twice, and the files are those of one process.
 */
static void test_shards(void **state)
{
    const fixture *x = *state;
    watch w = { 0 };
    char table[128];
    assert_true(reproduce_shard(x, "g", 0, 1, &w) > 0);
    assert_true(reproduce_shard(x, "h", 0, 2, &w) > 0);
    assert_int_equal(w.finished, 8); /* the uniform ones */
    copy_runs(x, "g", "h");
    copy_runs(x, "h", "g");
    assert_true(reproduce_shard(x, "g", 0, 1, &w) > 0);
    snprintf(table, sizeof table, "%s/g/table.md", x->dir);
    assert_true(access(table, F_OK) != 0);
    assert_true(reproduce_shard(x, "h", 0, 2, &w) > 0);
    copy_runs(x, "h", "g");
    assert_int_equal(w.finished - w.reused, RUNS);
    assert_int_equal(reproduce_shard(x, "g", 0, 1, &w), 0);
    assert_int_equal(w.finished - w.reused, RUNS);
    assert_true(access(table, F_OK) == 0);
    expect_same_runs(x, "a", "g");
}

/* ---- trials of settings ---- */

enum { TRIALS = 3, TRIAL_RUNS = 2 * TRIALS * (2 + 2) };

/* The space is the documented one, and the same for supernet and training, and for every backbone. */
static void test_trial_settings(void **state)
{
    (void)state;
    const adass_run_config defaults = adass_run_config_default();
    adass_run_config last = defaults;
    adass_trial_apply(0, &last);
    assert_memory_equal(&last, &defaults, sizeof last);
    double lowest = 1.0, highest = 0.0;
    for (size_t t = 1; t <= 32; t++) {
        adass_run_config c = defaults, fm = defaults;
        fm.model.backbone = ADASS_FM;
        adass_trial_apply(t, &c);
        adass_trial_apply(t, &fm);
        const adass_trainer_config *step = &c.train.step;
        assert_true(step->learning_rate >= 3e-4 && step->learning_rate <= 1e-2);
        assert_true(step->l2 >= 1e-8 && step->l2 <= 1e-4);
        assert_true(c.model.dropout >= 0.0f && c.model.dropout <= 0.5f);
        assert_true(fm.model.dropout == defaults.model.dropout);
        assert_memory_equal(&c.supernet.step, step, sizeof *step);
        assert_memory_equal(&fm.train.step, step, sizeof *step);
        assert_true(step->learning_rate != last.train.step.learning_rate ||
                    step->l2 != last.train.step.l2);
        lowest = fmin(lowest, step->learning_rate);
        highest = fmax(highest, step->learning_rate);
        last = c;
    }
    assert_true(lowest < 4e-4 && highest > 8e-3);
    assert_int_equal(adass_trial_best((double[]){ 0.6, 0.8, 0.7, 0.8 }, 4), 1);
}

/* Trial t of a row, checked to have seen no test row, and to be what a run alone gives. */
static double check_trial(const fixture *x, const char *row, size_t t)
{
    char name[96], path[256];
    snprintf(name, sizeof name, "%s-trial%zu", row, t);
    json_t *record = comparable(x, "t", name);
    const json_t *config = json_object_get(record, "config");
    adass_run_config wanted = small_suite().config;
    adass_trial_apply(t, &wanted);
    assert_true(adass_record_number(config, "train", "learning_rate") ==
                wanted.train.step.learning_rate);
    assert_true(adass_record_number(config, "train", "l2") == wanted.train.step.l2);
    assert_int_equal(json_integer_value(json_object_get(config, "seed")), 7 + 1000000);
    const json_t *metrics = json_object_get(record, "metrics");
    assert_null(json_object_get(metrics, "test_auc"));
    assert_null(json_object_get(metrics, "test_logloss"));
    snprintf(path, sizeof path, "%s/t/runs/%s.logits", x->dir, name);
    assert_true(access(path, F_OK) != 0);
    const double auc = json_number_value(json_object_get(metrics, "valid_auc"));
    json_decref(record);
    return auc;
}

/* All runs of a row have the settings of its best trial, which is returned, and so has its line. */
static size_t check_row(const fixture *x, const json_t *table, const char *backbone,
                        const char *method, const char *trials, const char *reported)
{
    double auc[TRIALS];
    char name[96];
    for (size_t t = 0; t < TRIALS; t++)
        auc[t] = check_trial(x, trials, t);
    const size_t best = adass_trial_best(auc, TRIALS);
    adass_run_config wanted = small_suite().config;
    adass_trial_apply(best, &wanted);
    for (int seed = 7; seed <= 8; seed++) {
        snprintf(name, sizeof name, "%s-seed%d", reported, seed);
        json_t *record = comparable(x, "t", name);
        const json_t *config = json_object_get(record, "config");
        assert_true(adass_record_number(config, "train", "learning_rate") ==
                    wanted.train.step.learning_rate);
        assert_true(adass_record_number(record, "metrics", "test_auc") > 0.4);
        assert_int_equal(json_integer_value(json_object_get(config, "seed")), seed);
        json_decref(record);
    }
    if (strcmp(method, "uniform") == 0)
        return best; /* several of that name */
    const json_t *row = find_row(table, backbone, method, 0.5);
    assert_int_equal(json_integer_value(json_object_get(row, "trial")), best);
    assert_true(json_number_value(json_object_get(row, "learning_rate")) ==
                wanted.train.step.learning_rate);
    assert_true(json_number_value(json_object_get(row, "l2")) == wanted.train.step.l2);
    assert_true(fabs(json_number_value(json_object_get(row, "trial_gain")) - (auc[best] - auc[0])) <
                1e-9);
    return best;
}

/* The supernet of a trial is that of its settings: a session of its own gives the same sizes and AUC. */
static void check_alone(const fixture *x)
{
    adass_error err;
    adass_session *session = NULL;
    adass_run_result result;
    json_t *record = comparable(x, "t", "fm-adass-budget0.8-trial2");
    const json_t *config = json_object_get(record, "config");
    adass_run_config c = small_suite().config;
    c.model.backbone = ADASS_FM;
    c.budget = (uint64_t)json_integer_value(json_object_get(config, "budget"));
    c.seed = 7 + 1000000;
    c.without_test = true;
    adass_trial_apply(2, &c);
    assert_int_equal(adass_session_open(&session, x->dataset, &x->compute, NULL, &err), ADASS_OK);
    assert_int_equal(adass_run(session, &c, &result, NULL, &err), ADASS_OK);
    assert_true(result.n_test == 0 && result.test_logits == NULL && result.test.auc == 0.0);
    assert_true(fabs(result.train.valid.auc - adass_record_number(record, "metrics", "valid_auc")) <
                1e-9);
    for (size_t f = 0; f < x->dataset->n_fields; f++)
        assert_int_equal(adass_record_number(record, "sizes", x->dataset->fields[f].name),
                         result.sizes[f]);
    adass_run_result_free(&result);
    adass_session_close(session);
    json_decref(record);
}

/* Whether a file of folder `t` has the text. */
static bool contains(const fixture *x, const char *folder, const char *file, const char *text)
{
    char path[256], content[65536];
    snprintf(path, sizeof path, "%s/%s/%s", x->dir, folder, file);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    const size_t n = fread(content, 1, sizeof content - 1, in);
    content[n] = '\0';
    fclose(in);
    return strstr(content, text) != NULL;
}

/* Stopped among its trials, a tuned suite goes on, and every row has the settings its trials chose. */
static void test_trials(void **state)
{
    const fixture *x = *state;
    char path[256];
    adass_error err;
    json_t *table = NULL;
    watch w = { .stop_after = 60 };
    assert_int_equal(reproduce_part(x, "t", 2, TRIALS, 0, NULL, &w), ADASS_EINTERRUPTED);
    const size_t first = w.finished;
    assert_true(w.trials > 0 && w.trials < TRIAL_RUNS);
    w = (watch){ 0 };
    assert_int_equal(reproduce_part(x, "t", 2, TRIALS, 0, NULL, &w), ADASS_OK);
    assert_int_equal(w.reused, first);
    assert_int_equal(w.finished, RUNS + TRIAL_RUNS);
    assert_int_equal(w.trials, TRIAL_RUNS);
    snprintf(path, sizeof path, "%s/t/table.json", x->dir);
    assert_int_equal(adass_json_read(path, &table, &err), ADASS_OK);
    assert_int_equal(json_integer_value(json_object_get(table, "trials")), TRIALS);
    assert_int_equal(json_array_size(json_object_get(table, "rows")), RUNS / 2);
    const size_t best =
        check_row(x, table, "deepfm", "uniform", "deepfm-uniform-size8", "deepfm-uniform-size8") +
        check_row(x, table, "fm", "uniform", "fm-uniform-size2", "fm-uniform-size2") +
        check_row(x, table, "fm", "random", "fm-random-budget0.8", "fm-random-budget0.5") +
        check_row(x, table, "deepfm", "adass", "deepfm-adass-budget0.8", "deepfm-adass-budget0.5") +
        check_row(x, table, "fm", "adass", "fm-adass-budget0.8", "fm-adass-budget0.8");
    assert_true(best > 0); /* else nothing was tuned */
    check_alone(x);
    assert_true(contains(x, "t", "table.md", "### Settings of deepfm"));
    assert_true(contains(x, "t", "table.md", "of 3 trials of settings"));
    assert_true(contains(x, "t", "table.csv", ",learning_rate,l2,dropout,trial,trial_gain\n"));
    json_decref(table);
}

/* With trials a row is one shard's, so that two rounds do here too. */
static void test_trials_in_shards(void **state)
{
    const fixture *x = *state;
    char one[160], other[160], command[400];
    watch w = { 0 };
    const char *const out[] = { "u", "v" };
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 2; i++)
            assert_true(reproduce_shard(x, out[i], TRIALS, i + 1, &w) > 0 ||
                        (round == 1 && i == 1));
        copy_runs(x, "u", "v");
        copy_runs(x, "v", "u");
    }
    assert_int_equal(w.finished - w.reused, RUNS + TRIAL_RUNS);
    assert_int_equal(reproduce_shard(x, "u", TRIALS, 1, &w), 0);
    assert_int_equal(w.finished - w.reused, RUNS + TRIAL_RUNS);
    expect_same_runs(x, "t", "u");
    snprintf(one, sizeof one, "%s/t/runs", x->dir);
    snprintf(other, sizeof other, "%s/u/runs", x->dir);
    snprintf(command, sizeof command, "[ \"$(ls %s)\" = \"$(ls %s)\" ]", one, other);
    assert_int_equal(system(command), 0);
}

/* ---- fidelity ---- */

enum { ASSIGNMENTS = 6, SAMPLERS = 5 };

static const char *const samplers[SAMPLERS] = { "adaptive", "uniform", "sandwich", "fair",
                                                "pa-da" };

/* DeepFM; a short training begins a second epoch. */
static adass_suite fidelity_suite(void)
{
    adass_suite suite = small_suite();
    suite.fidelity_assignments = ASSIGNMENTS;
    suite.config.search.finalists = 1.5;
    return suite;
}

/* Of the short trainings: whether they have begun, and the order of their ticks. */
typedef struct tick_watch {
    bool stop_then, begun;
    uint64_t ticks, last, total;
} tick_watch;

static void see_tick(void *user, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    tick_watch *w = user;
    if (strstr(stage, "-inherited-adaptive-seed7: finalists") == NULL)
        return;
    assert_true(done == w->last + 1 && done <= total);
    assert_non_null(strstr(note, " of 6"));
    w->begun = true;
    w->last = done;
    w->total = total;
}

static bool stop_then(void *user)
{
    const tick_watch *w = user;
    return w->stop_then && w->begun;
}

static adass_status measure_fidelity(const fixture *x, watch *w, tick_watch *ticks)
{
    adass_error err;
    char dir[128], data[128];
    snprintf(dir, sizeof dir, "%s/f", x->dir);
    snprintf(data, sizeof data, "%s/data", x->dir);
    const adass_suite suite = fidelity_suite();
    const adass_reproduce_options options = {
        .dataset = data, .out_dir = dir, .seed = 7, .finished = count_finished, .user = w
    };
    const adass_monitor monitor = { .progress = see_tick, .stop = stop_then, .user = ticks };
    return adass_reproduce_suite(&suite, &options, &x->compute, &monitor, &err);
}

static void read_list(const json_t *record, const char *key, double *values)
{
    const json_t *list = json_object_get(record, key);
    assert_int_equal(json_array_size(list), ASSIGNMENTS);
    for (size_t a = 0; a < ASSIGNMENTS; a++)
        values[a] = json_number_value(json_array_get(list, a));
}

/* Validation AUCs of the assignments, trained alone from a seed. */
static void read_alone(const fixture *x, int seed, double *values)
{
    char name[96];
    for (int a = 0; a < ASSIGNMENTS; a++) {
        snprintf(name, sizeof name, "deepfm-alone%02d-seed%d", a, seed);
        json_t *record = comparable(x, "f", name);
        values[a] = adass_record_number(record, "metrics", "valid_auc");
        json_decref(record);
    }
}

/* Tau of a record's list against stand-alone training, over both seeds of each. */
static double tau_again(const fixture *x, const char *sampler, const char *key)
{
    double sum = 0.0;
    for (int i = 7; i <= 8; i++)
        for (int j = 7; j <= 8; j++) {
            double a[ASSIGNMENTS], b[ASSIGNMENTS];
            char name[96];
            snprintf(name, sizeof name, "deepfm-inherited-%s-seed%d", sampler, i);
            json_t *record = comparable(x, "f", name);
            read_list(record, key, a);
            read_alone(x, j, b);
            sum += adass_kendall(a, b, ASSIGNMENTS);
            json_decref(record);
        }
    return sum / 4.0;
}

static void expect_number(const json_t *row, const char *key, double wanted)
{
    const double got = json_number_value(json_object_get(row, key));
    if (!(fabs(got - wanted) < 1e-9))
        fail_msg("%s: %.9f instead of %.9f", key, got, wanted);
}

static void expect_range(const json_t *row, const char *key)
{
    const json_t *range = json_object_get(row, key);
    assert_int_equal(json_array_size(range), 2);
    assert_true(json_number_value(json_array_get(range, 0)) <=
                json_number_value(json_array_get(range, 1)));
}

static void check_fidelity_table(const fixture *x)
{
    char path[160];
    adass_error err;
    json_t *table = NULL;
    double a[ASSIGNMENTS], b[ASSIGNMENTS];
    snprintf(path, sizeof path, "%s/f/table.json", x->dir);
    assert_int_equal(adass_json_read(path, &table, &err), ADASS_OK);
    const json_t *rows = json_object_get(table, "rows");
    assert_int_equal(json_array_size(rows), SAMPLERS);
    read_alone(x, 7, a);
    read_alone(x, 8, b);
    const double ceiling = adass_kendall(a, b, ASSIGNMENTS);
    const double uniform = tau_again(x, "uniform", "valid_auc");
    expect_number(table, "ceiling", ceiling);
    expect_number(table, "trained_share", 1.5);
    for (size_t i = 0; i < SAMPLERS; i++) {
        const json_t *row = json_array_get(rows, i);
        const double inherited = tau_again(x, samplers[i], "valid_auc"),
                     trained = tau_again(x, samplers[i], "trained_auc");
        expect_number(row, "tau", inherited);
        expect_number(row, "of_ceiling", inherited / ceiling);
        expect_number(row, "above_uniform", inherited - uniform);
        expect_number(row, "tau_trained", trained);
        expect_number(row, "of_ceiling_trained", trained / ceiling);
        expect_number(row, "trained_above_inherited", trained - inherited);
        expect_range(row, "tau_ci95");
        expect_range(row, "tau_trained_ci95");
        expect_range(row, "trained_above_inherited_ci95");
        assert_true(json_number_value(json_object_get(row, "trained_seconds")) > 0.0);
    }
    assert_true(contains(x, "f", "table.md", json_string_value(json_object_get(
                                                 json_object_get(table, "provenance"), "revision"))));
    json_decref(table);
}

/* A record's two lists are what its supernet's weights give: as they are, and trained on. */
static void check_measured(const fixture *x, const char *sampler)
{
    enum { MAX_FIELDS = 64 };
    size_t vocab[MAX_FIELDS], sizes[MAX_FIELDS];
    double inherited[ASSIGNMENTS], trained[ASSIGNMENTS];
    char name[96];
    adass_error err;
    adass_session *session;
    adass_evaluator *valid;
    adass_found found = { 0 };
    adass_metrics metrics;
    const adass_model *supernet;
    adass_run_config config = fidelity_suite().config;
    config.seed = 7;
    config.supernet.sampler = sampler;
    assert_true(x->dataset->n_fields <= MAX_FIELDS);
    for (size_t f = 0; f < x->dataset->n_fields; f++)
        vocab[f] = x->dataset->fields[f].vocab;
    assert_int_equal(adass_session_open(&session, x->dataset, &x->compute, NULL, &err), ADASS_OK);
    const adass_method_setting setting = { .session = session,
                                           .dataset = x->dataset,
                                           .vocab = vocab,
                                           .compute = &x->compute,
                                           .config = &config };
    assert_int_equal(adass_session_supernet(&setting, &supernet, &found, &err), ADASS_OK);
    assert_int_equal(adass_evaluator_open(&valid, x->dataset, ADASS_VALID, 0, &x->compute, &err),
                     ADASS_OK);
    snprintf(name, sizeof name, "deepfm-inherited-%s-seed7", sampler);
    json_t *record = comparable(x, "f", name);
    read_list(record, "valid_auc", inherited);
    read_list(record, "trained_auc", trained);
    expect_number(record, "trained_steps", (double)(size_t)(1.5 * (double)supernet->steps));
    for (int a = 0; a < ASSIGNMENTS; a++) {
        snprintf(name, sizeof name, "deepfm-alone%02d-seed7", a);
        json_t *alone = comparable(x, "f", name);
        for (size_t f = 0; f < x->dataset->n_fields; f++)
            sizes[f] = (size_t)adass_record_number(alone, "sizes", x->dataset->fields[f].name);
        json_decref(alone);
        assert_int_equal(adass_evaluator_measure(valid, supernet, sizes, &metrics, &err), ADASS_OK);
        assert_true(fabs(metrics.auc - inherited[a]) < 1e-9);
        const double auc = finalist_auc(x, &config.supernet.step, supernet, vocab, sizes,
                                        adass_seed_derive(config.seed, ADASS_SEED_SEARCH),
                                        (size_t)(1.5 * (double)supernet->steps));
        assert_true(fabs(auc - trained[a]) < 1e-9);
        assert_true(trained[a] != inherited[a]);
    }
    json_decref(record);
    adass_evaluator_close(valid);
    adass_found_free(&found);
    adass_session_close(session);
}

/* Without its second list, as older programs wrote it, a record is done again, to the same numbers. */
static void check_old_record(const fixture *x)
{
    double before[ASSIGNMENTS], after[ASSIGNMENTS];
    char path[192];
    adass_error err;
    watch w = { 0 };
    tick_watch ticks = { 0 };
    json_t *record = comparable(x, "f", "deepfm-inherited-adaptive-seed7");
    read_list(record, "trained_auc", before);
    json_object_del(record, "trained_auc");
    snprintf(path, sizeof path, "%s/f/runs/deepfm-inherited-adaptive-seed7.json", x->dir);
    assert_int_equal(adass_json_write(path, record, &err), ADASS_OK);
    json_decref(record);
    assert_int_equal(measure_fidelity(x, &w, &ticks), ADASS_OK);
    assert_true(ticks.begun && ticks.last == ticks.total);
    assert_int_equal(w.reused, ASSIGNMENTS * 2);
    record = comparable(x, "f", "deepfm-inherited-adaptive-seed7");
    read_list(record, "trained_auc", after);
    assert_memory_equal(before, after, sizeof before);
    json_decref(record);
}

/* Stopped in a short training, gone on with, found whole. */
static void test_fidelity(void **state)
{
    const fixture *x = *state;
    char path[192];
    watch w = { 0 };
    tick_watch ticks = { .stop_then = true };
    snprintf(path, sizeof path, "%s/f/runs/deepfm-inherited-adaptive-seed7.json", x->dir);
    assert_int_equal(measure_fidelity(x, &w, &ticks), ADASS_EINTERRUPTED);
    assert_true(ticks.begun && ticks.last < ticks.total);
    assert_true(access(path, F_OK) != 0);
    ticks = (tick_watch){ 0 };
    assert_int_equal(measure_fidelity(x, &w, &ticks), ADASS_OK);
    assert_true(ticks.begun && ticks.last == ticks.total);
    assert_int_equal(w.finished, ASSIGNMENTS * 2);
    ticks = (tick_watch){ 0 };
    assert_int_equal(measure_fidelity(x, &w, &ticks), ADASS_OK);
    assert_false(ticks.begun);
    assert_int_equal(w.reused, ASSIGNMENTS * 2);
    check_fidelity_table(x);
    check_measured(x, "adaptive");
    check_measured(x, "sandwich");
    check_old_record(x);
}

static void test_fidelity_refusals(void **state)
{
    const fixture *x = *state;
    adass_error err;
    char dir[128], data[128];
    snprintf(dir, sizeof dir, "%s/r", x->dir);
    snprintf(data, sizeof data, "%s/data", x->dir);
    adass_suite suite = fidelity_suite();
    adass_reproduce_options options = { .dataset = data, .out_dir = dir, .seed = 7, .trials = 1 };
    assert_int_equal(adass_reproduce_suite(&suite, &options, &x->compute, NULL, &err),
                     ADASS_EINVAL); /* trials of what? */
    options.trials = 0;
    suite.seeds = 1; /* no ceiling */
    assert_int_equal(adass_reproduce_suite(&suite, &options, &x->compute, NULL, &err),
                     ADASS_EINVAL);
    suite.seeds = 2;
    suite.config.search.finalists = 0.0;
    assert_int_equal(adass_reproduce_suite(&suite, &options, &x->compute, NULL, &err),
                     ADASS_EINVAL);
    assert_non_null(strstr(err.message, "no step"));
}

/* ---- finalists in suites ---- */

static adass_variant no_finalists(void)
{
    adass_suite suite;
    adass_error err;
    assert_int_equal(adass_suite_find("ablation", &suite, &err), ADASS_OK);
    for (size_t v = 0; v < suite.n_variants; v++)
        if (strcmp(suite.variants[v].name, "no-finalists") == 0)
            return suite.variants[v];
    fail_msg("ablation has no row without finalists");
    return (adass_variant){ 0 };
}

/* The row's record says so, and none was trained; the other row's search has some. */
static void test_row_without_finalists(void **state)
{
    const fixture *x = *state;
    const adass_variant rows[] = { no_finalists(), { .name = "adass", .method = "adass" } };
    adass_error err;
    char dir[128], data[128], name[96];
    snprintf(dir, sizeof dir, "%s/n", x->dir);
    snprintf(data, sizeof data, "%s/data", x->dir);
    adass_suite suite = small_suite();
    suite.backbones[0] = ADASS_FM;
    suite.n_backbones = suite.n_budgets = suite.seeds = 1;
    suite.variants = rows;
    const adass_reproduce_options options = { .dataset = data, .out_dir = dir, .seed = 7 };
    assert_int_equal(adass_reproduce_suite(&suite, &options, &x->compute, NULL, &err), ADASS_OK);
    for (size_t v = 0; v < 2; v++) {
        snprintf(name, sizeof name, "fm-%s-budget0.8-seed7", rows[v].name);
        json_t *record = comparable(x, "n", name);
        const json_t *search = json_object_get(json_object_get(record, "config"), "search");
        assert_true(json_is_number(json_object_get(search, "finalists")));
        expect_number(search, "finalists", v == 0 ? 0.0 : small_suite().config.search.finalists);
        const double trained = adass_record_number(record, "found", "finalists");
        assert_true(v == 0 ? trained == 0.0 : trained > 0.0);
        json_decref(record);
    }
}

/* ---- expected time ---- */

typedef struct clock_watch {
    double seconds;
    bool told;
} clock_watch;

static void see_seconds(void *user, double seconds)
{
    clock_watch *w = user;
    w->seconds = seconds;
    w->told = true;
}

static bool stop_when_told(void *user)
{
    const clock_watch *w = user;
    return w->told;
}

/* Of a suite of one searched row, or of fidelity, whose finalists have that share of the steps. */
static double expected_seconds(const fixture *x, double share, const char *searcher,
                               size_t assignments)
{
    const adass_variant row = { .name = "adass", .method = "adass", .searcher = searcher };
    adass_error err;
    char dir[128], data[128];
    clock_watch w = { 0 };
    snprintf(dir, sizeof dir, "%s/w", x->dir);
    snprintf(data, sizeof data, "%s/data", x->dir);
    adass_suite suite = small_suite();
    suite.variants = &row;
    suite.n_variants = 1;
    suite.fidelity_assignments = assignments;
    suite.config.search.finalists = share;
    const adass_reproduce_options options = {
        .dataset = data, .out_dir = dir, .seed = 7, .expected = see_seconds, .user = &w
    };
    const adass_monitor monitor = { .stop = stop_when_told, .user = &w };
    assert_int_equal(adass_reproduce_suite(&suite, &options, &x->compute, &monitor, &err),
                     ADASS_EINTERRUPTED);
    print_message("%g, %s, %zu assignments: %.3f s\n", share, searcher, assignments, w.seconds);
    return w.seconds;
}

/* Finalists that take 100,000 supernets show in the expected time where there are any. */
static void test_expected_time(void **state)
{
    const fixture *x = *state;
    const double none = expected_seconds(x, 0.0, "rl", 0);
    assert_true(none > 0.0);
    assert_true(expected_seconds(x, 1e5, "rl", 0) > 200.0 * none);
    assert_true(expected_seconds(x, 1e5, "random", 0) < 200.0 * none);
    assert_true(expected_seconds(x, 1e5, "rl", 6) > 200.0 * expected_seconds(x, 0.0, "rl", 6));
}

static void test_refusals(void **state)
{
    const fixture *x = *state;
    adass_error err;
    char dir[128], file[160];
    snprintf(dir, sizeof dir, "%s/e", x->dir);
    adass_reproduce_options options = { .suite = "quik", .out_dir = dir };
    assert_int_equal(adass_reproduce(&options, &x->compute, NULL, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "quick"));
    options.suite = "movielens"; /* on real data, which is not named */
    assert_int_equal(adass_reproduce(&options, &x->compute, NULL, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "--dataset"));
    snprintf(file, sizeof file, "%s/file", x->dir);
    assert_int_equal(adass_text_write(file, "x", &err), ADASS_OK);
    options.out_dir = file;
    options.suite = "quick";
    assert_int_equal(adass_reproduce(&options, &x->compute, NULL, &err), ADASS_EIO);
    assert_non_null(strstr(err.message, file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_files),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_does_not_trust_other_files),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_trial_settings),
        cmocka_unit_test(test_trials),
        cmocka_unit_test(test_trials_in_shards),
        cmocka_unit_test(test_fidelity),
        cmocka_unit_test(test_fidelity_refusals),
        cmocka_unit_test(test_row_without_finalists),
        cmocka_unit_test(test_expected_time),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
