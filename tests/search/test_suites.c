/* The suites' definitions: their uniform rows, and that what a row changes reaches its runs. */
#include "suites.h"

#include "fixture.h"
#include "json_file.h"
#include "run_record.h"
#include "table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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

/* A size that a search may choose has a uniform row in every suite; 0 has none. */
static void test_uniform_rows(void **state)
{
    (void)state;
    const adass_run_config config = adass_run_config_default();
    for (size_t i = 0; i < adass_suite_count(); i++) {
        adass_suite suite;
        adass_error err;
        assert_int_equal(adass_suite_find(adass_suite_name(i), &suite, &err), ADASS_OK);
        assert_int_equal(config.candidates.sizes[0], 0);
        assert_int_equal(suite.uniform.n, config.candidates.n - 1);
        assert_memory_equal(suite.uniform.sizes, config.candidates.sizes + 1,
                            suite.uniform.n * sizeof *suite.uniform.sizes);
        assert_int_equal(suite.uniform.sizes[suite.uniform.n - 1], 64);
    }
}

/* ---- rows of the ablation ---- */

/* What a row has in place of a run's default configuration; NULL and 0: the default. */
typedef struct wanted_row {
    const char *name, *sampler, *searcher;
    bool no_penalty, fixed_penalty, equal_shares, no_closing, no_sweeps, no_finalists;
    adass_retrain retrain;
    adass_align align;
    size_t epochs;
    adass_candidates candidates;
} wanted_row;

static const wanted_row wanted_rows[] = {
    { "adaptive-rl", .sampler = "adaptive", .searcher = "rl" },
    { "adaptive-evolution", .sampler = "adaptive", .searcher = "evolution" },
    { "adaptive-random", .sampler = "adaptive", .searcher = "random" },
    { "adaptive-knapsack", .sampler = "adaptive", .searcher = "knapsack" },
    { "uniform-rl", .sampler = "uniform", .searcher = "rl" },
    { "uniform-evolution", .sampler = "uniform", .searcher = "evolution" },
    { "uniform-random", .sampler = "uniform", .searcher = "random" },
    { "uniform-knapsack", .sampler = "uniform", .searcher = "knapsack" },
    { "sandwich-rl", .sampler = "sandwich", .searcher = "rl" },
    { "sandwich-evolution", .sampler = "sandwich", .searcher = "evolution" },
    { "sandwich-random", .sampler = "sandwich", .searcher = "random" },
    { "sandwich-knapsack", .sampler = "sandwich", .searcher = "knapsack" },
    { "fair-rl", .sampler = "fair", .searcher = "rl" },
    { "fair-evolution", .sampler = "fair", .searcher = "evolution" },
    { "fair-random", .sampler = "fair", .searcher = "random" },
    { "fair-knapsack", .sampler = "fair", .searcher = "knapsack" },
    { "pa-da-rl", .sampler = "pa-da", .searcher = "rl" },
    { "pa-da-evolution", .sampler = "pa-da", .searcher = "evolution" },
    { "pa-da-random", .sampler = "pa-da", .searcher = "random" },
    { "pa-da-knapsack", .sampler = "pa-da", .searcher = "knapsack" },
    { "no-penalty", .no_penalty = true },
    { "fixed-penalty", .fixed_penalty = true },
    { "no-competition", .equal_shares = true },
    { "no-closing", .no_closing = true },
    { "no-refinement", .no_sweeps = true },
    { "no-finalists", .no_finalists = true },
    { "policy", .no_sweeps = true, .no_finalists = true },
    { "policy-no-penalty", .no_sweeps = true, .no_finalists = true, .no_penalty = true },
    { "policy-fixed-penalty", .no_sweeps = true, .no_finalists = true, .fixed_penalty = true },
    { "policy-no-competition", .no_sweeps = true, .no_finalists = true, .equal_shares = true },
    { "policy-no-closing", .no_sweeps = true, .no_finalists = true, .no_closing = true },
    { "inherit", .retrain = ADASS_RETRAIN_NONE },
    { "anew", .retrain = ADASS_RETRAIN_ANEW },
    { "continued", .retrain = ADASS_RETRAIN_CONTINUED },
    { "without-0", .candidates = { 8, { 2, 4, 8, 16, 24, 32, 48, 64 } } },
    { "powers-of-2", .candidates = { 7, { 0, 2, 4, 8, 16, 32, 64 } } },
    { "few-sizes", .candidates = { 4, { 0, 4, 16, 64 } } },
    { "project", .align = ADASS_ALIGN_PROJECT },
    { "epochs-10", .epochs = 10 },
    { "epochs-40", .epochs = 40 },
};

enum { N_WANTED = sizeof wanted_rows / sizeof wanted_rows[0] };

static void apply_wanted(const wanted_row *w, adass_run_config *c)
{
    if (w->sampler != NULL)
        c->supernet.sampler = w->sampler;
    if (w->searcher != NULL)
        c->search.searcher = w->searcher;
    if (w->no_penalty)
        c->search.penalty = 0.0;
    if (w->no_penalty || w->fixed_penalty)
        c->search.penalty_rate = 0.0;
    if (w->no_closing)
        c->search.closing = 0.0;
    if (w->no_sweeps)
        c->search.sweeps = 0;
    if (w->no_finalists)
        c->search.finalists = 0.0;
    if (w->epochs > 0)
        c->supernet.epochs = w->epochs;
    if (w->candidates.n > 0)
        c->candidates = w->candidates;
    c->search.equal_shares = w->equal_shares;
    c->retrain = w->retrain;
    c->model.align = w->align;
}

static adass_suite the_ablation(void)
{
    adass_suite suite;
    adass_error err;
    assert_int_equal(adass_suite_find("ablation", &suite, &err), ADASS_OK);
    return suite;
}

static const adass_variant *row_named(const adass_suite *suite, const char *name)
{
    for (size_t v = 0; v < suite->n_variants; v++)
        if (strcmp(suite->variants[v].name, name) == 0)
            return &suite->variants[v];
    fail_msg("suite %s has no row %s", suite->name, name);
    return NULL;
}

/* Each row changes what its name says, and nothing else. */
static void test_rows_change_configuration(void **state)
{
    const fixture *x = *state;
    const adass_suite suite = the_ablation();
    assert_int_equal(suite.n_variants, N_WANTED);
    for (size_t i = 0; i < N_WANTED; i++) {
        adass_run_config got = suite.config, wanted = suite.config;
        got.model.backbone = wanted.model.backbone = ADASS_FM;
        adass_variant_apply(row_named(&suite, wanted_rows[i].name), &got);
        apply_wanted(&wanted_rows[i], &wanted);
        json_t *a = adass_run_config_json(&got, x->dataset),
               *b = adass_run_config_json(&wanted, x->dataset);
        if (!json_equal(a, b))
            fail_msg("row %s: %s\ninstead of %s", wanted_rows[i].name, json_dumps(a, JSON_COMPACT),
                     json_dumps(b, JSON_COMPACT));
        json_decref(a);
        json_decref(b);
    }
}

/* Few steps, few evaluations, and a budget that binds: every search's mode has to be shrunk into it. */
static adass_suite small_ablation(const adass_variant *rows, size_t n)
{
    adass_suite suite = the_ablation();
    suite.hint = "none";
    suite.backbones[0] = ADASS_FM;
    suite.backbones[1] = ADASS_DNN;
    suite.n_backbones = 2;
    suite.uniform = (adass_candidates){ .n = 2, .sizes = { 32, 64 } };
    suite.n_budgets = 1;
    suite.budgets[0] = 0.1;
    suite.seeds = 1;
    suite.variants = rows;
    suite.n_variants = n;
    suite.config.model.hidden[0] = suite.config.model.hidden[1] = 8;
    suite.config.train.max_epochs = 2;
    suite.config.train.step.batch_size = suite.config.supernet.step.batch_size = 256;
    suite.config.supernet.epochs = 1;
    suite.config.search.iterations = 4;
    suite.config.search.population = 4;
    suite.config.search.eval_rows = 200;
    return suite;
}

static json_t *run_of(const fixture *x, const char *backbone, const char *row)
{
    char path[192];
    json_t *record = NULL;
    adass_error err;
    snprintf(path, sizeof path, "%s/ablation/runs/%s-%s-budget0.1-seed7.json", x->dir, backbone,
             row);
    if (adass_json_read(path, &record, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    return record;
}

static double of_run(const fixture *x, const char *row, const char *section, const char *key)
{
    json_t *record = run_of(x, "fm", row);
    const double value = adass_record_number(record, section, key);
    json_decref(record);
    return value;
}

/* Whether the sizes found are among those. */
static bool has_sizes_of(const fixture *x, const char *row, const adass_candidates *candidates)
{
    json_t *record = run_of(x, "fm", row), *size;
    const char *name;
    size_t found = 0;
    json_object_foreach(json_object_get(record, "sizes"), name, size)
    {
        for (size_t k = 0; k < candidates->n; k++)
            found += (size_t)json_integer_value(size) == candidates->sizes[k];
    }
    json_decref(record);
    return found == x->dataset->n_fields;
}

static bool same_policy(const fixture *x, const char *one, const char *other)
{
    json_t *a = run_of(x, "fm", one), *b = run_of(x, "fm", other);
    const json_t *p = json_object_get(json_object_get(a, "found"), "policy"),
                 *q = json_object_get(json_object_get(b, "found"), "policy");
    assert_true(json_is_object(p) && json_is_object(q));
    const bool same = json_equal(p, q);
    json_decref(a);
    json_decref(b);
    return same;
}

/* Parameters of the maps that alignment project has for the sizes found: none where all are equal. */
static double maps_of(const fixture *x, const char *row)
{
    json_t *record = run_of(x, "fm", row), *size;
    const char *name;
    double largest = 0.0, maps = 0.0;
    json_object_foreach(json_object_get(record, "sizes"), name, size) largest =
        fmax(largest, json_number_value(size));
    json_object_foreach(json_object_get(record, "sizes"), name, size)
    {
        const double d = json_number_value(size);
        maps += d < largest ? d * largest : 0.0;
    }
    json_decref(record);
    return maps;
}

/* What the runs of the rows tell. */
static void check_effects(const fixture *x)
{
    assert_true(of_run(x, "adaptive-rl", "found", "lambda") != 0.0);
    assert_true(of_run(x, "adaptive-rl", "found", "lambda") != 0.3);
    assert_true(of_run(x, "no-penalty", "found", "lambda") == 0.0);
    assert_true(of_run(x, "fixed-penalty", "found", "lambda") == 0.3);
    /* what the first row on a supernet has measured serves the others */
    assert_true(of_run(x, "adaptive-rl", "seconds", "remembered") == 0.0);
    assert_true(of_run(x, "policy", "seconds", "remembered") > 0.0);
    assert_false(same_policy(x, "adaptive-rl", "no-penalty"));
    assert_false(same_policy(x, "adaptive-rl", "fixed-penalty"));
    assert_false(same_policy(x, "adaptive-rl", "no-competition"));
    assert_false(same_policy(x, "adaptive-rl", "no-closing"));
    assert_true(same_policy(x, "adaptive-rl", "policy"));
    assert_true(of_run(x, "policy", "found", "refined") == 0.0);
    assert_true(of_run(x, "policy", "found", "finalists") == 0.0);
    assert_true(of_run(x, "no-refinement", "found", "finalists") > 0.0);
    assert_true(of_run(x, "inherit", "metrics", "epochs") == 0.0);
    assert_true(of_run(x, "continued", "metrics", "continued") == 1.0);
    assert_true(of_run(x, "project", "metrics", "projection_params") == maps_of(x, "project"));
    assert_true(of_run(x, "adaptive-rl", "metrics", "projection_params") == 0.0);
    assert_true(of_run(x, "epochs-10", "found", "supernet_steps") ==
                10.0 * of_run(x, "adaptive-rl", "found", "supernet_steps"));
    for (size_t i = 0; i < N_WANTED; i++)
        if (wanted_rows[i].candidates.n > 0)
            assert_true(has_sizes_of(x, wanted_rows[i].name, &wanted_rows[i].candidates));
}

/* The records have the configuration, the searches what follows from it; DNN has no alignment. */
static void test_rows_reach_runs(void **state)
{
    static const char *const names[] = { "adaptive-rl", "no-penalty",  "fixed-penalty",
                                         "policy",      "inherit",     "no-competition",
                                         "no-closing",
                                         "continued",   "without-0",   "no-refinement",
                                         "few-sizes",   "powers-of-2", "project",
                                         "epochs-10" };
    enum { N = sizeof names / sizeof names[0] };
    const fixture *x = *state;
    adass_variant rows[N];
    char out[128], data[128], path[192];
    adass_error err;
    const adass_suite whole = the_ablation();
    for (size_t i = 0; i < N; i++)
        rows[i] = *row_named(&whole, names[i]);
    const adass_suite suite = small_ablation(rows, N);
    snprintf(out, sizeof out, "%s/ablation", x->dir);
    snprintf(data, sizeof data, "%s/data", x->dir);
    const adass_reproduce_options options = { .dataset = data, .out_dir = out, .seed = 7 };
    if (adass_reproduce_suite(&suite, &options, &x->compute, NULL, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < N_WANTED; i++) {
        snprintf(path, sizeof path, "%s/runs/fm-%s-budget0.1-seed7.json", out, wanted_rows[i].name);
        if (access(path, F_OK) != 0)
            continue;
        json_t *record = run_of(x, "fm", wanted_rows[i].name);
        adass_run_config wanted = suite.config;
        wanted.model.backbone = ADASS_FM;
        wanted.seed = 7;
        wanted.budget = (uint64_t)json_integer_value(json_object_get(record, "budget"));
        apply_wanted(&wanted_rows[i], &wanted);
        json_t *config = adass_run_config_json(&wanted, x->dataset);
        if (!json_equal(json_object_get(record, "config"), config))
            fail_msg("the run of row %s has another configuration", wanted_rows[i].name);
        json_decref(config);
        json_decref(record);
    }
    check_effects(x);
    json_decref(run_of(x, "dnn", "few-sizes"));
    snprintf(path, sizeof path, "%s/runs/dnn-project-budget0.1-seed7.json", out);
    assert_true(access(path, F_OK) != 0);
}

/* A budget that holds no two columns a field has no row of that, and the others all the same. */
static void test_row_that_cannot_keep_budget(void **state)
{
    const fixture *x = *state;
    char out[128], data[128], path[192];
    adass_error err;
    const adass_suite whole = the_ablation();
    const adass_variant rows[] = { *row_named(&whole, "without-0"),
                                   { .name = "random", .method = "random" } };
    adass_suite suite = small_ablation(rows, 2);
    suite.n_backbones = 1;
    suite.budgets[0] = 0.02;
    snprintf(out, sizeof out, "%s/narrow", x->dir);
    snprintf(data, sizeof data, "%s/data", x->dir);
    const adass_reproduce_options options = { .dataset = data, .out_dir = out, .seed = 7 };
    if (adass_reproduce_suite(&suite, &options, &x->compute, NULL, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/runs/fm-random-budget0.02-seed7.json", out);
    assert_true(access(path, F_OK) == 0);
    snprintf(path, sizeof path, "%s/runs/fm-without-0-budget0.02-seed7.json", out);
    assert_true(access(path, F_OK) != 0);
    snprintf(path, sizeof path, "%s/table.md", out);
    assert_true(access(path, F_OK) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform_rows),
        cmocka_unit_test(test_rows_change_configuration),
        cmocka_unit_test(test_rows_reach_runs),
        cmocka_unit_test(test_row_that_cannot_keep_budget),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
