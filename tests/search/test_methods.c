/*
 * Methods: each keeps the budget, gives the same answer for the same seed, and does what its
 * definition says.
 */
#include "budget.h"
#include "fixture.h"
#include "methods/autodim.h"
#include "methods/magprune.h"
#include "methods/mde.h"
#include "methods/method.h"
#include "methods/pep.h"
#include "methods/sseds.h"

#include "adass/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROWS = 6000, MAX_FIELDS = 48 };

typedef struct state {
    fixture base;
    adass_session *session;
    uint64_t rows; /* of all vocabularies: the parameters of size 1 */
} state;

static int set_up(void **out)
{
    static state s;
    adass_error err;
    if (fixture_open(&s.base, ROWS) != 0 ||
        adass_session_open(&s.session, s.base.dataset, &s.base.compute, NULL, &err) != ADASS_OK)
        return -1;
    for (size_t f = 0; f < s.base.dataset->n_fields; f++)
        s.rows += s.base.dataset->fields[f].vocab;
    *out = &s;
    return 0;
}

static int tear_down(void **out)
{
    state *s = *out;
    adass_session_close(s->session);
    fixture_close(&s->base);
    return 0;
}

static adass_run_config config_of(const state *s, const char *method, double budget)
{
    adass_run_config c = adass_run_config_default();
    snprintf(c.method, sizeof c.method, "%s", method);
    c.candidates = (adass_candidates){ .n = 4, .sizes = { 0, 2, 4, 8 } };
    c.budget = (uint64_t)(budget * 8.0 * (double)s->rows);
    c.model.hidden[0] = 16;
    c.model.hidden[1] = 8;
    c.train.max_epochs = 2;
    c.train.step.batch_size = c.supernet.step.batch_size = 300; /* more than one block */
    c.supernet.epochs = 1;
    c.search.iterations = 3;
    c.search.population = 8;
    c.search.eval_rows = 300;
    c.seed = 3;
    return c;
}

static adass_run_result run(const state *s, const adass_run_config *config, adass_model **model)
{
    adass_run_result result;
    adass_error err;
    if (adass_run(s->session, config, &result, model, &err) != ADASS_OK)
        fail_msg("%s: %s", config->method, err.message);
    return result;
}

static const char *const searched[] = {
    "random",   "heuristic", "mde", "autodim",  "sseds", "sseds-dims",
    "optembed", "dimgrow",   "pep", "magprune", "adass",
};

/* Whatever the method, the model that is trained has no more parameters than the budget. */
static void test_budget_is_kept(void **out)
{
    const state *s = *out;
    static const double budgets[] = { 0.15, 0.5, 1.0 };
    for (size_t m = 0; m < sizeof searched / sizeof searched[0]; m++)
        for (size_t b = 0; b < sizeof budgets / sizeof budgets[0]; b++) {
            const adass_run_config config = config_of(s, searched[m], budgets[b]);
            adass_run_result result = run(s, &config, NULL);
            if (result.params > config.budget || result.params == 0)
                fail_msg("%s at %g: %llu parameters, budget %llu", searched[m], budgets[b],
                         (unsigned long long)result.params, (unsigned long long)config.budget);
            assert_true(result.test.auc > 0.4 && result.test.auc < 1.0);
            adass_run_result_free(&result);
        }
}

/* The same seed gives the same sizes and the same metrics, on any number of threads. */
static void test_same_seed_same_run(void **out)
{
    const state *s = *out;
    adass_session *other = NULL;
    adass_error err;
    const adass_compute one = { .kernels = s->base.compute.kernels, .threads = 1 };
    assert_int_equal(adass_session_open(&other, s->base.dataset, &one, NULL, &err), ADASS_OK);
    for (size_t m = 0; m < sizeof searched / sizeof searched[0]; m++) {
        const adass_run_config config = config_of(s, searched[m], 0.4);
        adass_run_result a = run(s, &config, NULL), b;
        assert_int_equal(adass_run(other, &config, &b, NULL, &err), ADASS_OK);
        assert_memory_equal(a.sizes, b.sizes, a.n_fields * sizeof *a.sizes);
        assert_true(a.params == b.params && a.test.auc == b.test.auc &&
                    a.train.valid.logloss == b.train.valid.logloss);
        adass_run_result_free(&a);
        adass_run_result_free(&b);
    }
    adass_session_close(other);
}

static void count_steps(void *user, const char *stage, uint64_t done, uint64_t total,
                        const char *note)
{
    (void)done;
    (void)total;
    (void)note;
    size_t *steps = user;
    *steps += strcmp(stage, "train") == 0 || strcmp(stage, "autodim") == 0 ||
              strcmp(stage, "saliency") == 0;
}

static adass_session *new_session(const state *s, const adass_monitor *monitor)
{
    adass_session *session = NULL;
    adass_error err;
    assert_int_equal(adass_session_open(&session, s->base.dataset, &s->base.compute, monitor, &err),
                     ADASS_OK);
    return session;
}

/*
 * The model that a method looks at, and what it learns for whatever budget, are trained once for all of its
 * budgets, and by SSEDS for both ways of counting them; other settings train anew.
 */
static void test_one_pretraining(void **out)
{
    const state *s = *out;
    static const struct {
        const char *method;
        double budget, learning_rate;
        bool trains;
    } runs[] = { { "sseds", 0.5, 1e-3, true },       { "sseds", 0.3, 1e-3, false },
                 { "sseds-dims", 0.3, 1e-3, false }, { "sseds", 0.3, 2e-3, true },
                 { "optembed", 0.5, 1e-3, true },    { "optembed", 0.3, 1e-3, false },
                 { "autodim", 0.5, 1e-3, true },     { "autodim", 0.3, 1e-3, false },
                 { "autodim", 0.3, 2e-3, true } };
    size_t steps = 0;
    const adass_monitor monitor = { .progress = count_steps, .user = &steps };
    adass_session *session = new_session(s, &monitor);
    adass_error err;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        adass_run_config config = config_of(s, runs[i].method, runs[i].budget);
        config.train.step.learning_rate = runs[i].learning_rate;
        adass_run_result result, fresh;
        steps = 0;
        assert_int_equal(adass_run_find(session, &config, &result, &err), ADASS_OK);
        if ((steps > 0) != runs[i].trains)
            fail_msg("run %zu, %s: %zu steps", i, runs[i].method, steps);
        assert_true(result.found.supernet_seconds + result.found.search_seconds >
                    0.0); /* counted for each */
        adass_session *other = new_session(s, NULL);
        assert_int_equal(adass_run_find(other, &config, &fresh, &err), ADASS_OK);
        assert_memory_equal(result.sizes, fresh.sizes, result.n_fields * sizeof(size_t));
        adass_session_close(other);
        adass_run_result_free(&result);
        adass_run_result_free(&fresh);
    }
    adass_session_close(session);
}

/* Sizes found again are not trained again, nor is the model that MagPrune prunes for each budget. */
static void test_one_training(void **out)
{
    const state *s = *out;
    static const struct {
        const char *method;
        double budget;
        uint64_t train_seed;
        bool trains;
    } runs[] = { { "uniform", 0.5, 0, true },  { "uniform", 0.3, 0, false },
                 { "uniform", 0.3, 8, true },  { "random", 0.3, 8, true },
                 { "magprune", 0.5, 8, true }, { "magprune", 0.3, 8, false },
                 { "magprune", 0.3, 9, true } };
    size_t steps = 0;
    const adass_monitor monitor = { .progress = count_steps, .user = &steps };
    adass_session *session = new_session(s, &monitor);
    adass_error err;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        adass_run_config config = config_of(s, runs[i].method, runs[i].budget);
        adass_run_result result;
        config.size = 4; /* of uniform, which heeds no budget */
        config.train_seed = runs[i].train_seed;
        steps = 0;
        assert_int_equal(adass_run(session, &config, &result, NULL, &err), ADASS_OK);
        assert_true((steps > 0) == runs[i].trains);
        adass_session *other = new_session(s, NULL); /* which has nothing that could be copied */
        adass_run_result fresh;
        assert_int_equal(adass_run(other, &config, &fresh, NULL, &err), ADASS_OK);
        adass_session_close(other);
        assert_true(result.test.auc == fresh.test.auc && result.params == fresh.params &&
                    result.other_params == fresh.other_params && result.n_test == fresh.n_test &&
                    result.train.best_epoch == fresh.train.best_epoch &&
                    result.train.window_rows == fresh.train.window_rows &&
                    result.train.valid.auc == fresh.train.valid.auc &&
                    result.test.logloss == fresh.test.logloss &&
                    result.embedding_bytes == fresh.embedding_bytes &&
                    result.seconds >= result.train.seconds && result.train.seconds > 0.0);
        assert_memory_equal(result.test_logits, fresh.test_logits,
                            result.n_test * sizeof *result.test_logits);
        adass_run_result_free(&result);
        adass_run_result_free(&fresh);
    }
    adass_session_close(session);
}

/*
 * With alignment project every method's model has the maps that its sizes need, apart from the
 * budget; and what a session kept of slice serves neither training nor supernet of project.
 */
static void test_project(void **out)
{
    const state *s = *out;
    size_t steps = 0;
    const adass_monitor monitor = { .progress = count_steps, .user = &steps };
    adass_session *session = new_session(s, &monitor);
    adass_error err;
    for (size_t m = 0; m < sizeof searched / sizeof searched[0]; m++) {
        adass_run_config config = config_of(s, searched[m], 0.4);
        adass_run_result slice, project;
        config.train_seed = m + 1;
        assert_int_equal(adass_run(session, &config, &slice, NULL, &err), ADASS_OK);
        config.model.align = ADASS_ALIGN_PROJECT;
        steps = 0;
        assert_int_equal(adass_run(session, &config, &project, NULL, &err), ADASS_OK);
        assert_true(steps > 0);
        size_t largest = 0;
        uint64_t maps = 0;
        for (size_t f = 0; f < project.n_fields; f++)
            largest = project.sizes[f] > largest ? project.sizes[f] : largest;
        for (size_t f = 0; f < project.n_fields; f++)
            maps += project.sizes[f] < largest ? project.sizes[f] * largest : 0;
        assert_true(project.params <= config.budget && project.projection_params == maps);
        assert_int_equal(slice.projection_params, 0);
        adass_run_result_free(&slice);
        adass_run_result_free(&project);
    }
    adass_run_config config = config_of(s, "adass", 0.4);
    adass_run_result slice, project;
    config.retrain = ADASS_RETRAIN_NONE;
    assert_int_equal(adass_run(session, &config, &slice, NULL, &err), ADASS_OK);
    config.model.align = ADASS_ALIGN_PROJECT;
    assert_int_equal(adass_run(session, &config, &project, NULL, &err), ADASS_OK);
    assert_memory_not_equal(project.test_logits, slice.test_logits,
                            slice.n_test * sizeof *slice.test_logits);
    adass_run_result_free(&slice);
    adass_run_result_free(&project);
    adass_session_close(session);
}

/* ---- runs that are stopped ---- */

typedef struct stopper {
    int left;            /* ticks until the stop; below 0: never */
    const char *at;      /* only those of this stage count; NULL: all */
    size_t train, after; /* ticks seen of training, and of stages that come after it */
    bool now;
} stopper;

static void note_tick(void *user, const char *stage, uint64_t done, uint64_t total,
                      const char *note)
{
    stopper *s = user;
    (void)done;
    (void)total;
    (void)note;
    s->train += strcmp(stage, "train") == 0;
    s->after += strcmp(stage, "train") != 0;
    if (s->at == NULL || strcmp(stage, s->at) == 0)
        s->now = s->left >= 0 && s->left-- == 0;
}

static bool is_stopped(void *user) { return ((const stopper *)user)->now; }

/* What a run leaves. */
typedef struct outcome {
    adass_run_result result;
    adass_model *model;
    char *search; /* the data of the search's checkpoint at its end, or NULL */
    size_t n_search;
} outcome;

static void free_outcome(outcome *o)
{
    adass_run_result_free(&o->result);
    adass_model_destroy(o->model);
    free(o->search);
    *o = (outcome){ 0 };
}

/*
 * All of the search's checkpoint but the header and the seconds, which come first; or of what is learnt for
 * all budgets.
 */
static void read_search(const char *dir, outcome *o)
{
    char path[192];
    uint64_t header;
    snprintf(path, sizeof path, "%s/search.safetensors", dir);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(path, sizeof path, "%s/pretrain.safetensors", dir);
        file = fopen(path, "rb");
    }
    if (file == NULL)
        return;
    assert_true(fread(&header, sizeof header, 1, file) == 1 && fseek(file, 0, SEEK_END) == 0);
    const long begin = (long)(sizeof header + header + sizeof(double));
    o->n_search = (size_t)(ftell(file) - begin);
    o->search = malloc(o->n_search);
    assert_non_null(o->search);
    assert_int_equal(fseek(file, begin, SEEK_SET), 0);
    assert_true(fread(o->search, o->n_search, 1, file) == 1);
    fclose(file);
}

/* A run in a session of its own, with checkpoints. */
static adass_status run_stopped(const state *s, const adass_run_config *config, stopper *stops,
                                outcome *out)
{
    char dir[128];
    adass_error err;
    adass_session *session = NULL;
    const adass_monitor monitor = { .progress = note_tick, .stop = is_stopped, .user = stops };
    snprintf(dir, sizeof dir, "%s/checkpoints", s->base.dir);
    const adass_checkpoint_options kept = { .dir = dir, .every_seconds = 1e9, .resume = true };
    assert_int_equal(
        adass_session_open(&session, s->base.dataset, &s->base.compute, &monitor, &err), ADASS_OK);
    assert_int_equal(adass_session_keep_checkpoints(session, &kept, &err), ADASS_OK);
    *out = (outcome){ 0 };
    const adass_status status = adass_run(session, config, &out->result, &out->model, &err);
    if (status != ADASS_OK && status != ADASS_EINTERRUPTED)
        fail_msg("%s: %s", config->method, err.message);
    if (status == ADASS_OK) {
        read_search(dir, out);
        adass_session_remove_checkpoints(session, true);
    }
    adass_session_close(session);
    return status;
}

static void expect_same_run(const outcome *x, const outcome *y)
{
    const adass_run_result *a = &x->result, *b = &y->result;
    const size_t n = adass_model_param_count(x->model);
    float *params = malloc(2 * n * sizeof *params);
    assert_non_null(params);
    assert_memory_equal(a->sizes, b->sizes, a->n_fields * sizeof *a->sizes);
    assert_int_equal(adass_model_param_count(y->model), n);
    adass_model_store(x->model, params);
    adass_model_store(y->model, params + n);
    assert_memory_equal(params, params + n, n * sizeof *params);
    assert_true(a->params == b->params && a->test.auc == b->test.auc &&
                a->train.best_epoch == b->train.best_epoch &&
                a->found.inherited_auc == b->found.inherited_auc &&
                a->found.evaluations == b->found.evaluations);
    free(params);
    if (x->search == NULL) /* of methods without a search or steps of their own */
        return;
    assert_int_equal(x->n_search, y->n_search);
    assert_memory_equal(x->search, y->search, x->n_search);
}

/*
 * Stopped every few ticks, each time in a new session, a run ends with the same bits. Sizes grow up to
 * the budget; PEP is stopped after every step, that which reaches its budget included.
 */
static void test_stopped_runs(void **out)
{
    const state *s = *out;
    for (size_t m = 0; m < sizeof searched / sizeof searched[0]; m++) {
        const bool replays = strcmp(searched[m], "optembed") == 0; /* its evolution */
        const bool is_pep = strcmp(searched[m], "pep") == 0;
        adass_run_config config = config_of(s, searched[m], is_pep ? 0.9 : 0.15);
        config.train.step.learning_rate = 1e-2;
        config.train.max_epochs = config.supernet.epochs = 5;
        stopper never = { .left = -1 };
        outcome expected, got;
        adass_status status = ADASS_EINTERRUPTED;
        size_t n_stops = 0;
        assert_int_equal(run_stopped(s, &config, &never, &expected), ADASS_OK);
        adass_run_result plain = run(s, &config, NULL);
        assert_true(plain.test.auc == expected.result.test.auc);
        adass_run_result_free(&plain);
        for (; status == ADASS_EINTERRUPTED; n_stops++) {
            /* AdaS&S goes through its margins, and trains the finalist that was stopped, again */
            const int more = strcmp(searched[m], "adass") == 0 ? (int)n_stops / 8 : 0;
            stopper stops = { .left = replays ? 7 + 3 * (int)n_stops : is_pep ? 0 : 7 + more };
            assert_true(n_stops < 200);
            status = run_stopped(s, &config, &stops, &got);
            if (status == ADASS_OK)
                expect_same_run(&expected, &got);
            free_outcome(&got);
        }
        assert_true(n_stops > 4);
        free_outcome(&expected);
    }
}

/* Stopped after the model that a method looks at is trained, it is not trained again. */
static void test_pretraining_is_kept(void **out)
{
    const state *s = *out;
    static const char *const methods[][2] = { { "sseds", "saliency" }, { "optembed", "search" } };
    for (size_t m = 0; m < 2; m++) {
        const adass_run_config config = config_of(s, methods[m][0], 0.4);
        outcome got;
        stopper first = { .at = methods[m][1], .left = 2 };
        stopper second = { .at = methods[m][1], .left = 5 };
        assert_int_equal(run_stopped(s, &config, &first, &got), ADASS_EINTERRUPTED);
        free_outcome(&got);
        assert_true(first.train > 0 && first.after == 3);
        assert_int_equal(run_stopped(s, &config, &second, &got), ADASS_EINTERRUPTED);
        free_outcome(&got);
        assert_true(second.train == 0 && second.after == 6);
        stopper never = { .left = -1 };
        assert_int_equal(run_stopped(s, &config, &never, &got), ADASS_OK);
        free_outcome(&got);
    }
}

/* Likewise the training from the supernet's weights, stopped in the one from start values. */
static void test_continued_is_kept(void **out)
{
    const state *s = *out;
    const adass_run_config config = config_of(s, "adass", 0.4);
    stopper never = { .left = -1 }, stops = { .at = "train" }, again = { .left = -1 };
    outcome expected, got;
    assert_int_equal(run_stopped(s, &config, &never, &expected), ADASS_OK);
    const size_t steps = never.train / 2; /* of each training: as many epochs as it may have */
    assert_true(expected.result.train.epochs == config.train.max_epochs && steps > 8);
    stops.left = (int)(steps + 4);
    assert_int_equal(run_stopped(s, &config, &stops, &got), ADASS_EINTERRUPTED);
    free_outcome(&got);
    assert_int_equal(run_stopped(s, &config, &again, &got), ADASS_OK);
    assert_in_range(again.train, 1, steps);
    expect_same_run(&expected, &got);
    free_outcome(&expected);
    free_outcome(&got);
}

/* Stopped when its gates are learnt, AutoDim has them for another budget in another session. */
static void test_gates_are_kept(void **out)
{
    const state *s = *out;
    char path[160];
    outcome got, fresh;
    adass_run_config config = config_of(s, "autodim", 0.5);
    stopper stops = { .at = "train", .left = 0 }, other = { .at = "autodim", .left = 0 },
            never = { .left = -1 };
    assert_int_equal(run_stopped(s, &config, &stops, &got), ADASS_EINTERRUPTED);
    free_outcome(&got);
    assert_true(stops.after > 0);
    snprintf(path, sizeof path, "%s/checkpoints/train.safetensors", s->base.dir);
    assert_int_equal(remove(path), 0); /* of the one budget alone */
    config.budget = config_of(s, "autodim", 0.3).budget;
    assert_int_equal(run_stopped(s, &config, &other, &got), ADASS_OK);
    assert_int_equal(other.after, 0);
    assert_int_equal(run_stopped(s, &config, &never, &fresh), ADASS_OK);
    assert_true(never.after > 0);
    expect_same_run(&got, &fresh);
    free_outcome(&got);
    free_outcome(&fresh);
}

/* What one run left is no other's: budget, method, seed, settings. */
static void test_other_run_is_refused(void **out)
{
    const state *s = *out;
    adass_run_config config = config_of(s, "dimgrow", 0.4);
    adass_run_config others[] = { config, config, config, config };
    others[0].budget--;
    others[1].seed++;
    others[2].candidates.sizes[3] = 10;
    others[3].train.step.learning_rate *= 2.0;
    char dir[128];
    snprintf(dir, sizeof dir, "%s/checkpoints", s->base.dir);
    adass_run_result result;
    outcome got;
    stopper stops = { .left = 5 };
    assert_int_equal(run_stopped(s, &config, &stops, &got), ADASS_EINTERRUPTED);
    free_outcome(&got);
    for (size_t i = 0; i < 4; i++) {
        adass_session *session = NULL;
        adass_error err;
        const adass_checkpoint_options kept = { .dir = dir, .resume = true };
        assert_int_equal(
            adass_session_open(&session, s->base.dataset, &s->base.compute, NULL, &err), ADASS_OK);
        assert_int_equal(adass_session_keep_checkpoints(session, &kept, &err), ADASS_OK);
        assert_int_equal(adass_run_find(session, &others[i], &result, &err), ADASS_EINVAL);
        assert_non_null(strstr(err.message, "another configuration"));
        adass_run_result_free(&result);
        if (i == 3)
            adass_session_remove_checkpoints(session, true);
        adass_session_close(session);
    }
}

/* A budget that a method cannot keep is refused, not exceeded. */
static void test_impossible_budget(void **out)
{
    const state *s = *out;
    static const char *const refusing[] = {
        "random", "heuristic", "mde", "sseds", "optembed", "dimgrow", "adass",
    };
    for (size_t m = 0; m < sizeof refusing / sizeof refusing[0]; m++) {
        adass_run_config config = config_of(s, refusing[m], 1.0);
        config.budget = 2;
        adass_run_result result;
        adass_error err;
        assert_int_equal(adass_run_find(s->session, &config, &result, &err), ADASS_EINVAL);
        adass_run_result_free(&result);
    }
}

/* ---- the closed formulas ---- */

/*
 * Criteo_x4_001: d0 = 16, alpha = 0.3, no small-field threshold gives 965,550 parameters, and sizes
 * 8, 4, 3, 2, 1 to vocabularies of 44, 630, 1446, 11882, 39530.
 */
static void test_mde_formula(void **out)
{
    (void)out;
    static const size_t vocab[39] = { 44,     99,     122, 41,    220,    112,  80,    69,
                                      92,     6,      27,  37,    72,     1446, 554,   157339,
                                      117822, 306,    18,  11882, 630,    5,    39530, 5131,
                                      156656, 3176,   28,  11043, 148913, 12,   4560,  2003,
                                      5,      154564, 18,  17,    53031,  82,   40955 };
    size_t sizes[39];
    adass_mde_sizes(vocab, 39, 16, 0.3, 0, sizes);
    assert_int_equal(adass_sizes_params(vocab, sizes, 39), 965550);
    assert_int_equal(sizes[0], 8);
    assert_int_equal(sizes[20], 4);
    assert_int_equal(sizes[13], 3);
    assert_int_equal(sizes[19], 2);
    assert_int_equal(sizes[22], 1);
    adass_mde_sizes(vocab, 39, 16, 0.3, 200, sizes);
    assert_int_equal(sizes[0], 16); /* small fields keep the base */
}

/* In budget mode a larger size would not fit: alpha is as small as it can be. */
static void test_mde_uses_the_budget(void **out)
{
    const state *s = *out;
    const adass_run_config config = config_of(s, "mde", 0.6);
    adass_run_result result;
    adass_error err;
    assert_int_equal(adass_run_find(s->session, &config, &result, &err), ADASS_OK);
    size_t largest_vocab = 0;
    for (size_t f = 0; f < result.n_fields; f++) {
        const size_t v = s->base.dataset->fields[f].vocab;
        largest_vocab = v > largest_vocab ? v : largest_vocab;
        assert_true(result.sizes[f] >= 1 && result.sizes[f] <= 8);
        if (v <= 200)
            assert_int_equal(result.sizes[f], 8);
    }
    assert_true(result.params + 2 * largest_vocab > config.budget);
    adass_run_result_free(&result);
}

/* The methods that give every field a column keep any budget that has room for that. */
static void test_one_column_each(void **out)
{
    const state *s = *out;
    static const char *const methods[] = { "mde", "heuristic" };
    for (size_t m = 0; m < 2; m++) {
        adass_run_config config = config_of(s, methods[m], 1.0);
        config.candidates = (adass_candidates){ .n = 2, .sizes = { 1, 64 } };
        config.budget = s->rows;
        adass_run_result result;
        adass_error err;
        if (adass_run_find(s->session, &config, &result, &err) != ADASS_OK)
            fail_msg("%s", err.message);
        assert_true(result.params == s->rows);
        adass_run_result_free(&result);
    }
}

static void test_heuristic_formula(void **out)
{
    const state *s = *out;
    adass_run_config config = config_of(s, "heuristic", 1.0);
    config.candidates = (adass_candidates){ .n = 2, .sizes = { 1, 64 } };
    config.budget = UINT64_MAX / 2;
    adass_run_result result;
    adass_error err;
    assert_int_equal(adass_run_find(s->session, &config, &result, &err), ADASS_OK);
    for (size_t f = 0; f < result.n_fields; f++) {
        size_t root = 1; /* floor(V^(1/4)) in whole numbers */
        while ((root + 1) * (root + 1) * (root + 1) * (root + 1) <=
               s->base.dataset->fields[f].vocab)
            root++;
        assert_int_equal(result.sizes[f], 6 * root < 64 ? 6 * root : 64);
    }
    adass_run_result_free(&result);
}

/* ---- SSEDS ---- */

static void test_sseds_selection(void **out)
{
    (void)out;
    const double saliency[] = { 5.0, 1.0, 4.0, /* field 0 */ 3.0, 2.0, 0.5 /* field 1 */ };
    const size_t vocab[] = { 10, 3 };
    size_t sizes[2];
    adass_error err;
    /* by rank: 5 (10), 4 (20), 3 (23), 2 (26), 1 does not fit into 30, 0.5 (29) does */
    assert_int_equal(adass_sseds_select(saliency, vocab, 2, 3, 30, 6, sizes, &err), ADASS_OK);
    assert_int_equal(sizes[0], 2);
    assert_int_equal(sizes[1], 3);
    assert_int_equal(adass_sseds_select(saliency, vocab, 2, 3, 30, 3, sizes, &err), ADASS_OK);
    assert_int_equal(sizes[0], 2);
    assert_int_equal(sizes[1], 1);
    assert_int_equal(adass_sseds_select(saliency, vocab, 2, 3, 2, 6, sizes, &err), ADASS_EINVAL);
}

/*
 * Mean sizes that a method finds on planted data in which three of the eight fields carry nothing:
 * [0] of those, [1] of the others.
 */
static void sizes_by_use(const state *s, const adass_run_config *config, double mean[2])
{
    const adass_synth_options synth = {
        .shape = "tiny", .rows = 30000, .seed = 5, .null_fields = 3
    };
    char path[128];
    adass_dataset *dataset = NULL;
    adass_session *session = NULL;
    adass_error err;
    snprintf(path, sizeof path, "%s/null", s->base.dir);
    if (access(path, F_OK) != 0)
        assert_int_equal(adass_synth_write(&synth, path, &err), ADASS_OK);
    assert_int_equal(adass_dataset_open(&dataset, path, &err), ADASS_OK);
    assert_int_equal(adass_session_open(&session, dataset, &s->base.compute, NULL, &err), ADASS_OK);
    adass_run_result result;
    if (adass_run_find(session, config, &result, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    double n[2] = { 0 };
    mean[0] = mean[1] = 0.0;
    for (size_t f = 0; f < result.n_fields; f++) {
        const size_t useful = dataset->fields[f].true_rank > 0;
        mean[useful] += (double)result.sizes[f];
        n[useful] += 1.0;
    }
    assert_true(n[0] == 3.0);
    mean[0] /= n[0];
    mean[1] /= n[1];
    print_message("%s: mean size %.2f of useless, %.2f of useful fields\n", config->method, mean[0],
                  mean[1]);
    adass_run_result_free(&result);
    adass_session_close(session);
    adass_dataset_close(dataset);
}

/* The vocabularies play no part in the ranking of `sseds-dims`: useless columns come last. */
static void test_sseds_ranks_useless_fields_last(void **out)
{
    adass_run_config config = config_of(*out, "sseds-dims", 0.6);
    double mean[2];
    config.train.max_epochs = 6;
    config.train.step.learning_rate = 3e-3;
    sizes_by_use(*out, &config, mean);
    assert_true(mean[1] > 1.5 * mean[0]);
}

/* ---- DimGrow ---- */

/* Gates of fields that carry nothing do not open. */
static void test_dimgrow_leaves_useless_fields_small(void **out)
{
    adass_run_config config = config_of(*out, "dimgrow", 1.0);
    double mean[2];
    config.train.max_epochs = 6; /* of many more, gates open for what is learnt by heart */
    config.train.patience = 12;
    config.train.step.learning_rate = 3e-3;
    sizes_by_use(*out, &config, mean);
    assert_true(mean[1] > 1.0 && mean[1] > 1.5 * mean[0]);
}

/* FM's columns begin near 0, where their gradients are small: the penalty must not close gates meanwhile. */
static void test_dimgrow_grows_in_fm(void **out)
{
    adass_run_config config = config_of(*out, "dimgrow", 1.0);
    double mean[2];
    config.model.backbone = ADASS_FM;
    config.train.max_epochs = 20;
    sizes_by_use(*out, &config, mean);
    assert_true(mean[1] >= 4.0);
}

/* ---- PEP ---- */

/* The gradients by differences, away from the threshold; below it there are none. */
static void test_pep_gradient(void **out)
{
    (void)out;
    const double h = 1e-6;
    const adass_pep points[] = { { 0.3, -2.0 }, { -0.4, -1.5 }, { 0.05, -4.0 } };
    for (size_t i = 0; i < 3; i++) {
        const adass_pep p = points[i], g = adass_pep_gradient(p, 2.0);
        const double by_e = (adass_pep_weight((adass_pep){ p.e + h, p.s }) -
                             adass_pep_weight((adass_pep){ p.e - h, p.s })) /
                            (2.0 * h),
                     by_s = (adass_pep_weight((adass_pep){ p.e, p.s + h }) -
                             adass_pep_weight((adass_pep){ p.e, p.s - h })) /
                            (2.0 * h);
        assert_true(fabs(g.e - 2.0 * by_e) < 1e-6 && fabs(g.s - 2.0 * by_s) < 1e-6);
        assert_true(fabs(by_s) > 1e-3);
    }
    const adass_pep small = { 0.1, 0.0 }; /* the threshold is 0.5 */
    assert_true(adass_pep_weight(small) == 0.0);
    assert_true(adass_pep_gradient(small, 2.0).e == 0.0 && adass_pep_gradient(small, 2.0).s == 0.0);
}

/*
 * With epochs enough the thresholds come down to the budget by themselves, and the model that is
 * trained anew has weights where the mask has: no more, and hardly fewer.
 */
static void test_pep_mask(void **out)
{
    const state *s = *out;
    adass_run_config config = config_of(s, "pep", 0.3);
    config.train.max_epochs = 30;
    config.train.step.learning_rate = 1e-2;
    adass_model *model = NULL;
    adass_run_result result = run(s, &config, &model);
    uint64_t non_zeros = 0;
    for (size_t f = 0; f < model->n_fields; f++)
        for (size_t i = 0; i < model->tables[f].vocab * model->tables[f].width; i++)
            non_zeros += model->tables[f].rows[i] != 0.0f;
    print_message("pep: %llu non-zeros of a budget of %llu\n", (unsigned long long)non_zeros,
                  (unsigned long long)config.budget);
    assert_true(non_zeros == result.params && non_zeros <= config.budget);
    assert_true((double)non_zeros > 0.5 * (double)config.budget);
    assert_true(result.embedding_bytes == non_zeros * 5 + s->rows * 4);
    assert_true(result.found.search_seconds > 0.0);
    adass_model_destroy(model);
    adass_run_result_free(&result);
}

/* ---- AutoDim ---- */

/* The gate's gradient by differences, for a sum of its values with weights. */
static void test_autodim_gradient(void **out)
{
    (void)out;
    enum { K = 4 };
    const double alpha[K] = { 0.3, -0.2, 0.1, 0.5 }, noise[K] = { 0.2, 1.0, -0.3, 0.1 };
    const double weight[K] = { 1.0, -2.0, 0.5, 3.0 }, tau = 0.7, h = 1e-6;
    double p[K], by_alpha[K];
    adass_autodim_gate(alpha, noise, tau, K, p);
    adass_autodim_gradient(alpha, p, tau, K, weight, by_alpha);
    for (size_t i = 0; i < K; i++) {
        double value[2] = { 0 };
        for (int side = 0; side < 2; side++) {
            double moved[K];
            memcpy(moved, alpha, sizeof moved);
            moved[i] += side == 0 ? -h : h;
            adass_autodim_gate(moved, noise, tau, K, p);
            for (size_t k = 0; k < K; k++)
                value[side] += weight[k] * p[k];
        }
        assert_true(fabs((value[1] - value[0]) / (2.0 * h) - by_alpha[i]) < 1e-7);
        assert_true(fabs(by_alpha[i]) > 1e-3);
    }
}

/*
 * FM multiplies embeddings: normalised to unit variance, or trained far beyond the best epoch, they are
 * so much noise that the smallest sizes win in every field.
 */
static void test_autodim_keeps_useful_fields(void **out)
{
    adass_run_config config = config_of(*out, "autodim", 1.0);
    double mean[2];
    config.model.backbone = ADASS_FM;
    config.supernet.epochs = 50; /* at most */
    config.train.step.learning_rate = 3e-3;
    sizes_by_use(*out, &config, mean);
    assert_true(mean[1] >= 3.0 && mean[1] > 1.5 * mean[0]);
}

static void count_autodim(void *user, const char *stage, uint64_t done, uint64_t total,
                          const char *note)
{
    (void)done;
    (void)total;
    (void)note;
    *(size_t *)user += strcmp(stage, "autodim") == 0;
}

/*
 * At a rate at which every epoch is worse than the one before, the search stops after the second one with
 * gates: the first epoch, whose gates are equal but for its last step, is not the best one.
 */
static void test_autodim_warm_up_does_not_count(void **out)
{
    const state *s = *out;
    size_t steps = 0, batches;
    const adass_monitor monitor = { .progress = count_autodim, .user = &steps };
    adass_run_config config = config_of(s, "autodim", 0.5);
    adass_run_result result;
    adass_error err;
    adass_session *session = new_session(s, &monitor);
    config.supernet.epochs = 20; /* at most */
    config.train.patience = 1;
    config.train.step.learning_rate = 0.1;
    batches = (s->base.dataset->splits[ADASS_TRAIN].n + config.train.step.batch_size - 1) /
              config.train.step.batch_size;
    assert_int_equal(adass_run_find(session, &config, &result, &err), ADASS_OK);
    adass_run_result_free(&result);
    adass_session_close(session);
    print_message("AutoDim: %zu steps, %zu batches an epoch\n", steps, batches);
    assert_int_equal(steps, 3 * batches);
}

/* ---- MagPrune ---- */

static void test_magnitude_prune(void **out)
{
    const state *s = *out;
    const size_t vocab[] = { 5, 3 }, widths[] = { 2, 3 };
    const adass_model_config config = { .backbone = ADASS_FM, .init_std = 1.0f, .seed = 1 };
    adass_model *model = NULL;
    adass_error err;
    (void)s;
    assert_int_equal(adass_model_create(&model, &config, 2, vocab, widths, &err), ADASS_OK);
    for (size_t i = 0; i < 10; i++)
        model->tables[0].rows[i] = (i % 2 == 0 ? 1.0f : -1.0f) * (float)(i + 1);
    for (size_t i = 0; i < 9; i++)
        model->tables[1].rows[i] = -5.0f; /* nine ties with one of the first table */
    assert_true(adass_magnitude_prune(model, 19) == 19);
    assert_true(adass_magnitude_prune(model, 8) == 8);
    for (size_t i = 0; i < 10; i++) /* 5..10 stay: six, and the first two ties of the rest */
        assert_true((model->tables[0].rows[i] != 0.0f) == (i >= 4));
    for (size_t i = 0; i < 9; i++)
        assert_true((model->tables[1].rows[i] != 0.0f) == (i < 2));
    assert_true(adass_magnitude_prune(model, 0) == 0);
    adass_model_destroy(model);
}

/* Non-zeros are counted as parameters; stored by rows, they take more bytes than 4 each. */
static void test_magprune_counts(void **out)
{
    const state *s = *out;
    const adass_run_config config = config_of(s, "magprune", 0.3);
    adass_model *model = NULL;
    adass_run_result result = run(s, &config, &model);
    uint64_t non_zeros = 0;
    for (size_t f = 0; f < model->n_fields; f++)
        for (size_t i = 0; i < model->tables[f].vocab * model->tables[f].width; i++)
            non_zeros += model->tables[f].rows[i] != 0.0f;
    assert_true(non_zeros == config.budget && result.params == non_zeros);
    assert_true(result.embedding_bytes == non_zeros * 5 + s->rows * 4);
    adass_metrics valid;
    adass_evaluator *evaluator = NULL;
    adass_error err;
    assert_int_equal(
        adass_evaluator_open(&evaluator, s->base.dataset, ADASS_VALID, 0, &s->base.compute, &err),
        ADASS_OK);
    assert_int_equal(adass_evaluator_measure(evaluator, model, NULL, &valid, &err), ADASS_OK);
    assert_true(valid.auc == result.train.valid.auc); /* of the pruned model */
    adass_evaluator_close(evaluator);
    adass_model_destroy(model);
    adass_run_result_free(&result);
}

/* ---- inheriting ---- */

/* The inherited model predicts what the supernet's subnet predicts, and is not trained. */
static void test_inherit(void **out)
{
    const state *s = *out;
    adass_run_config config = config_of(s, "adass", 0.5);
    config.retrain = ADASS_RETRAIN_NONE;
    config.search.eval_rows = 0;
    adass_run_result result = run(s, &config, NULL);
    assert_int_equal(result.train.epochs, 0);
    assert_true(result.train.valid.auc == result.found.inherited_auc);
    adass_run_result_free(&result);
    adass_error err;
    config = config_of(s, "random", 0.5);
    config.retrain = ADASS_RETRAIN_NONE;
    assert_int_equal(adass_run_find(s->session, &config, &result, &err), ADASS_EINVAL);
    adass_run_result_free(&result);
}

/*
 * A training that begins with the inherited weights is what training the inherited model gives, the
 * same at another budget's turn, and nothing that a training from start values left is taken for it.
 */
static void test_continued(void **out)
{
    const state *s = *out;
    adass_error err;
    adass_run_config config = config_of(s, "adass", 0.5);
    config.retrain = ADASS_RETRAIN_ANEW;
    adass_run_result anew = run(s, &config, NULL);
    config.retrain = ADASS_RETRAIN_CONTINUED;
    adass_run_result result = run(s, &config, NULL), again;
    assert_memory_equal(result.sizes, anew.sizes, anew.n_fields * sizeof *anew.sizes);
    assert_true(result.train.epochs > 0 && result.test.logloss != anew.test.logloss);

    adass_model *model = NULL;
    config.retrain = ADASS_RETRAIN_NONE;
    adass_run_result inherited = run(s, &config, &model);
    adass_train_config train = config.train;
    adass_train_result trained;
    train.seed = adass_seed_derive(config.seed, ADASS_SEED_TRAIN);
    assert_int_equal(
        adass_train(model, s->base.dataset, &s->base.compute, &train, NULL, &trained, &err),
        ADASS_OK);
    assert_true(trained.valid.auc == result.train.valid.auc &&
                trained.best_epoch == result.train.best_epoch);
    adass_model_destroy(model);

    config.retrain = ADASS_RETRAIN_CONTINUED;
    again = run(s, &config, NULL);
    assert_true(again.test.logloss == result.test.logloss);
    adass_run_result_free(&again);
    config.retrain = ADASS_RETRAIN_ANEW;
    again = run(s, &config, NULL);
    assert_true(again.test.logloss == anew.test.logloss);
    adass_run_result_free(&again);
    adass_run_result_free(&inherited);
    adass_run_result_free(&result);
    adass_run_result_free(&anew);
    config = config_of(s, "random", 0.5);
    config.retrain = ADASS_RETRAIN_CONTINUED;
    assert_int_equal(adass_run_find(s->session, &config, &result, &err), ADASS_EINVAL);
    adass_run_result_free(&result);
}

/*
 * Of both trainings the model of better validation AUC, whichever that is: a supernet of one pass, and one that
 * has seen the rows so often that going on from it is too late.
 */
static void test_better(void **out)
{
    const state *s = *out;
    bool won[ADASS_N_RETRAINS] = { false };
    for (size_t i = 0; i < 2; i++) {
        adass_run_result r[3];
        for (size_t how = 0; how < 3; how++) {
            adass_run_config config = config_of(s, "adass", 0.5);
            config.supernet.epochs = i == 0 ? 1 : 30;
            config.search.finalists = 0.0;
            config.retrain = (adass_retrain)how;
            r[how] = run(s, &config, NULL);
        }
        const adass_run_result *better = &r[ADASS_RETRAIN_BETTER], *anew = &r[ADASS_RETRAIN_ANEW],
                               *continued = &r[ADASS_RETRAIN_CONTINUED];
        assert_true(anew->train.valid.auc != continued->train.valid.auc);
        const adass_run_result *best =
            continued->train.valid.auc > anew->train.valid.auc ? continued : anew;
        assert_int_equal(better->trained, best->trained);
        assert_true(better->train.valid.auc == best->train.valid.auc &&
                    better->test.logloss == best->test.logloss);
        won[best->trained] = true;
        for (size_t how = 0; how < 3; how++)
            adass_run_result_free(&r[how]);
    }
    assert_true(won[ADASS_RETRAIN_ANEW] && won[ADASS_RETRAIN_CONTINUED]);
    adass_run_config config = config_of(s, "random", 0.5);
    adass_run_result result = run(s, &config, NULL); /* it has no other way */
    assert_int_equal(result.trained, ADASS_RETRAIN_ANEW);
    adass_run_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_is_kept),
        cmocka_unit_test(test_same_seed_same_run),
        cmocka_unit_test(test_one_pretraining),
        cmocka_unit_test(test_one_training),
        cmocka_unit_test(test_project),
        cmocka_unit_test(test_stopped_runs),
        cmocka_unit_test(test_pretraining_is_kept),
        cmocka_unit_test(test_continued_is_kept),
        cmocka_unit_test(test_gates_are_kept),
        cmocka_unit_test(test_other_run_is_refused),
        cmocka_unit_test(test_impossible_budget),
        cmocka_unit_test(test_mde_formula),
        cmocka_unit_test(test_mde_uses_the_budget),
        cmocka_unit_test(test_heuristic_formula),
        cmocka_unit_test(test_one_column_each),
        cmocka_unit_test(test_sseds_selection),
        cmocka_unit_test(test_sseds_ranks_useless_fields_last),
        cmocka_unit_test(test_dimgrow_leaves_useless_fields_small),
        cmocka_unit_test(test_dimgrow_grows_in_fm),
        cmocka_unit_test(test_pep_gradient),
        cmocka_unit_test(test_pep_mask),
        cmocka_unit_test(test_autodim_gradient),
        cmocka_unit_test(test_autodim_keeps_useful_fields),
        cmocka_unit_test(test_autodim_warm_up_does_not_count),
        cmocka_unit_test(test_magnitude_prune),
        cmocka_unit_test(test_magprune_counts),
        cmocka_unit_test(test_inherit),
        cmocka_unit_test(test_continued),
        cmocka_unit_test(test_better),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
