/*
 * Checkpoints: a stage that is stopped anywhere and taken up again ends with the same bits;
 * what is damaged or of another run is told; a stage that fails leaves the last checkpoint.
 */
#include "checkpoints.h"
#include "fixture.h"
#include "state.h"

#include "adass/search.h"
#include "adass/supernet.h"
#include "adass/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { FIELDS_MAX = 16, CANDIDATES = 4 };

typedef struct context {
    fixture fixture;
    char path[128];
    adass_checkpoint checkpoint;
    const char *sampler, *searcher;
    adass_type table_type;
    double finalists; /* of searches: steps of each, as a share of 40 */
    adass_align align;
} context;

static int set_up(void **state)
{
    static context x;
    *state = &x;
    if (fixture_open(&x.fixture, 1500) != 0)
        return -1;
    snprintf(x.path, sizeof x.path, "%s/checkpoint", x.fixture.dir);
    x.sampler = "adaptive";
    x.searcher = "rl";
    x.checkpoint = (adass_checkpoint){
        .path = x.path, .identity = "this", .every_seconds = 1e9, .resume = true
    };
    return 0;
}

static int tear_down(void **state)
{
    context *x = *state;
    fixture_close(&x->fixture);
    return 0;
}

/* Stops a stage at its first tick once `left` ticks are over; never when it is below 0. */
static bool stop_after(void *user)
{
    int *left = user;
    return *left >= 0 && (*left)-- == 0;
}

static const adass_trainer_config step_config = { .batch_size = 256,
                                                  .learning_rate = 1e-2,
                                                  .beta1 = 0.9,
                                                  .beta2 = 0.999,
                                                  .epsilon = 1e-8,
                                                  .l2 = 1e-5 };

static const adass_candidates candidates = { .n = CANDIDATES, .sizes = { 0, 2, 4, 8 } };

/* Every other field has `odd` columns, the others 8. */
static adass_model *new_model_of(const context *x, adass_backbone backbone, size_t odd)
{
    const adass_dataset *dataset = x->fixture.dataset;
    size_t vocab[FIELDS_MAX], widths[FIELDS_MAX];
    adass_model *model = NULL;
    adass_error err;
    for (size_t f = 0; f < dataset->n_fields; f++) {
        vocab[f] = dataset->fields[f].vocab;
        widths[f] = backbone == ADASS_LR ? 0 : f % 2 == 0 ? 8 : odd;
    }
    const adass_model_config config = { .backbone = backbone,
                                        .n_hidden = 2,
                                        .hidden = { 16, 8 },
                                        .dropout = 0.2f,
                                        .init_std = 0.05f,
                                        .table_type = x->table_type,
                                        .align = x->align,
                                        .maps_for_all = true,
                                        .seed = 1 };
    if (adass_model_create(&model, &config, dataset->n_fields, vocab, widths, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    return model;
}

static adass_model *new_model(const context *x, adass_backbone backbone)
{
    return new_model_of(x, backbone, 8);
}

/* What a stage leaves; compared byte by byte. */
typedef struct outcome {
    float *params;
    size_t n;
    adass_train_result train;
    uint64_t steps;
    double drawn_params, probability[FIELDS_MAX * CANDIDATES];
    uint64_t n_trace;
    double trace[ADASS_TRACE_POINTS * FIELDS_MAX * CANDIDATES];
    size_t evaluations, repairs, finalists;
    double inherited_auc, lambda, policy[FIELDS_MAX * CANDIDATES]; /* of rl */
    uint8_t choice[FIELDS_MAX];
} outcome;

static void store_model(outcome *o, const adass_model *model)
{
    o->n = adass_model_param_count(model);
    o->params = malloc(o->n * sizeof *o->params);
    assert_non_null(o->params);
    adass_model_store(model, o->params);
}

typedef adass_status (*run_stage)(const context *x, adass_backbone backbone,
                                  const adass_checkpoint *checkpoint, int stop, outcome *o,
                                  adass_error *err);

static adass_status run_train(const context *x, adass_backbone backbone,
                              const adass_checkpoint *checkpoint, int stop, outcome *o,
                              adass_error *err)
{
    const adass_monitor monitor = { .stop = stop_after, .user = &stop };
    const adass_train_config config = {
        .step = step_config, .max_epochs = 6, .patience = 2, .seed = 2, .checkpoint = checkpoint
    };
    adass_model *model = new_model_of(x, backbone, x->align == ADASS_ALIGN_PROJECT ? 2 : 8);
    const adass_status status = adass_train(model, x->fixture.dataset, &x->fixture.compute, &config,
                                            &monitor, &o->train, err);
    store_model(o, model);
    o->train.seconds = 0.0;
    adass_model_destroy(model);
    return status;
}

static adass_status train_supernet(const context *x, adass_model *model,
                                   const adass_checkpoint *checkpoint, int stop, outcome *o,
                                   adass_error *err)
{
    const adass_monitor monitor = { .stop = stop_after, .user = &stop };
    const adass_supernet_config config = {
        .sampler = x->sampler,
        .adaptive = { .floor = 0.3,
                      .temperature = 1.0,
                      .warmup = 0.2,
                      .decay = 0.9,
                      .coupling = 0.5,
                      .interval = 3 },
        .step = step_config,
        .epochs = 3,
        .seed = 3,
        .checkpoint = checkpoint,
    };
    adass_supernet_result result;
    const adass_status status =
        adass_supernet_train(model, &candidates, x->fixture.dataset, &x->fixture.compute, &config,
                             &monitor, &result, err);
    const size_t cells = model->n_fields * CANDIDATES;
    if (status == ADASS_OK) {
        memcpy(o->probability, result.probability, cells * sizeof *o->probability);
        memcpy(o->trace, result.trace, ADASS_TRACE_POINTS * cells * sizeof *o->trace);
        assert_int_equal(result.n_trace, result.steps / result.trace_interval);
        assert_in_range(result.n_trace, 1, ADASS_TRACE_POINTS);
    }
    o->n_trace = result.n_trace;
    o->steps = result.steps;
    o->drawn_params = result.drawn_params;
    adass_supernet_result_free(&result);
    return status;
}

static adass_status run_supernet(const context *x, adass_backbone backbone,
                                 const adass_checkpoint *checkpoint, int stop, outcome *o,
                                 adass_error *err)
{
    adass_model *model = new_model(x, backbone);
    const adass_status status = train_supernet(x, model, checkpoint, stop, o, err);
    store_model(o, model);
    adass_model_destroy(model);
    return status;
}

/* On start values: subnets differ in AUC all the same. */
static adass_status run_search(const context *x, adass_backbone backbone,
                               const adass_checkpoint *checkpoint, int stop, outcome *o,
                               adass_error *err)
{
    const adass_monitor monitor = { .stop = stop_after, .user = &stop };
    const adass_search_config config = {
        .searcher = x->searcher,
        .iterations = 12,
        .population = 5,
        .learning_rate = 1.0,
        .entropy = 0.02,
        .baseline_decay = 0.8,
        .penalty = 1.0,
        .penalty_rate = 1.0,
        .closing = 0.7,
        .sweeps = 1,
        .finalists = x->finalists,
        .step = step_config,
        .seed = 4,
        .checkpoint = checkpoint,
    };
    adass_search_result result;
    adass_model *model = new_model(x, backbone);
    model->steps = 40;
    const adass_status status =
        adass_search(model, &candidates, x->fixture.dataset, &x->fixture.compute, 10000, &config,
                     &monitor, o->choice, &result, err);
    if (status == ADASS_OK && result.policy != NULL)
        memcpy(o->policy, result.policy, model->n_fields * CANDIDATES * sizeof *o->policy);
    o->evaluations = result.evaluations;
    o->repairs = result.repairs;
    o->finalists = result.finalists;
    o->inherited_auc = result.inherited_auc;
    o->lambda = result.lambda;
    store_model(o, model);
    adass_search_result_free(&result);
    adass_model_destroy(model);
    return status;
}

/* Runs a stage without checkpoints; then stopped after every so many ticks, until it ends. */
static void expect_same_bits(const context *x, run_stage run, adass_backbone backbone)
{
    const bool replays = strcmp(x->searcher, "rl") != 0 || x->finalists > 0.0;
    adass_error err;
    outcome expected = { 0 };
    assert_int_equal(run(x, backbone, NULL, -1, &expected, &err), ADASS_OK);
    for (int every = backbone == ADASS_FM ? 0 : 4; every < 8; every += 4) {
        adass_status status = ADASS_EINTERRUPTED;
        outcome got = { 0 };
        for (int stops = 0; status == ADASS_EINTERRUPTED; stops++) {
            assert_true(stops < 200);
            free(got.params);
            got = (outcome){ 0 };
            /*
             * A searcher goes through what it had looked at again, and a finalist is trained anew: so
             * they must be let further.
             */
            const int stop = replays ? (every + 1) * (stops + 1) : every;
            status = run(x, backbone, &x->checkpoint, stop, &got, &err);
        }
        if (status != ADASS_OK)
            fail_msg("%s", err.message);
        assert_memory_equal(got.params, expected.params, got.n * sizeof *got.params);
        free(got.params);
        got.params = expected.params;
        assert_memory_equal(&got, &expected, sizeof got);
        unlink(x->path);
    }
    free(expected.params);
}

static void test_same_bits(void **state)
{
    static const run_stage stages[] = { run_train, run_supernet, run_search };
    static const adass_backbone backbones[] = { ADASS_FM, ADASS_DEEPFM, ADASS_WDL, ADASS_DCNV2 };
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        for (size_t b = 0; b < sizeof backbones / sizeof backbones[0]; b++)
            expect_same_bits(*state, stages[i], backbones[b]);
    expect_same_bits(*state, run_train, ADASS_LR);
}

/* The end of a search is saved: nothing of it is done again, and so nothing can stop it. */
static void test_finished_search_is_kept(void **state)
{
    const context *x = *state;
    adass_error err;
    outcome first = { 0 }, again = { 0 };
    assert_int_equal(run_search(x, ADASS_FM, &x->checkpoint, -1, &first, &err), ADASS_OK);
    assert_int_equal(run_search(x, ADASS_FM, &x->checkpoint, 0, &again, &err), ADASS_OK);
    free(again.params);
    again.params = first.params;
    assert_memory_equal(&again, &first, sizeof first);
    free(first.params);
    unlink(x->path);
}

/* Rounding of compact tables is random, and comes from the step as well. */
static void test_compact_tables(void **state)
{
    context x = *(const context *)*state;
    for (x.table_type = ADASS_BF16; x.table_type <= ADASS_F16; x.table_type++)
        expect_same_bits(&x, run_train, ADASS_DEEPFM);
}

static void test_maps(void **state)
{
    context x = *(const context *)*state;
    x.align = ADASS_ALIGN_PROJECT;
    expect_same_bits(&x, run_train, ADASS_FM);
    expect_same_bits(&x, run_supernet, ADASS_DEEPFM);
    expect_same_bits(&x, run_search, ADASS_FM);
}

static void test_samplers_and_searchers(void **state)
{
    static const char *const samplers[] = { "uniform", "sandwich", "fair", "pa-da" };
    static const char *const searchers[] = { "evolution", "random", "knapsack" };
    context x = *(const context *)*state;
    for (size_t i = 0; i < sizeof samplers / sizeof samplers[0]; i++) {
        x.sampler = samplers[i];
        expect_same_bits(&x, run_supernet, ADASS_DEEPFM);
    }
    x.sampler = "uniform";
    for (size_t i = 0; i < sizeof searchers / sizeof searchers[0]; i++) {
        x.searcher = searchers[i];
        expect_same_bits(&x, run_search, ADASS_DEEPFM);
    }
}

/* Stopped while they are trained and between them; a supernet of 16 bits too. */
static void test_finalists(void **state)
{
    context x = *(const context *)*state;
    adass_error err;
    outcome o = { 0 };
    x.finalists = 0.1;
    assert_int_equal(run_search(&x, ADASS_FM, NULL, -1, &o, &err), ADASS_OK);
    assert_in_range(o.finalists, 2, 17);
    free(o.params);
    static const adass_backbone backbones[] = { ADASS_FM, ADASS_DEEPFM, ADASS_DCNV2 };
    for (size_t b = 0; b < sizeof backbones / sizeof backbones[0]; b++)
        expect_same_bits(&x, run_search, backbones[b]);
    x.table_type = ADASS_BF16;
    expect_same_bits(&x, run_search, ADASS_FM);
}

/* The same on any number of threads, a stop and another number in between included. */
static void test_threads(void **state)
{
    context x = *(const context *)*state;
    static const run_stage stages[] = { run_train, run_supernet, run_search };
    x.finalists = 0.1;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        outcome expected = { 0 };
        adass_error err;
        x.fixture.compute.threads = 1;
        assert_int_equal(stages[i](&x, ADASS_DEEPFM, NULL, -1, &expected, &err), ADASS_OK);
        for (int threads = 2; threads <= 3; threads++) {
            outcome got = { 0 };
            x.fixture.compute.threads = threads;
            assert_int_equal(stages[i](&x, ADASS_DEEPFM, &x.checkpoint, 5, &got, &err),
                             ADASS_EINTERRUPTED);
            free(got.params);
            got = (outcome){ 0 };
            x.fixture.compute.threads = 4 - threads;
            assert_int_equal(stages[i](&x, ADASS_DEEPFM, &x.checkpoint, -1, &got, &err), ADASS_OK);
            assert_memory_equal(got.params, expected.params, got.n * sizeof *got.params);
            free(got.params);
            got.params = expected.params;
            assert_memory_equal(&got, &expected, sizeof got);
            unlink(x.path);
        }
        free(expected.params);
    }
}

static char *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*n);
    assert_true(bytes != NULL && fread(bytes, 1, *n, file) == *n);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

static void expect_failure(const context *x, const adass_checkpoint *checkpoint,
                           adass_status expected, const char *text)
{
    adass_error err;
    outcome o = { 0 };
    const adass_status status = run_train(x, ADASS_FM, checkpoint, 1, &o, &err);
    free(o.params);
    if (status != expected || strstr(err.message, text) == NULL)
        fail_msg("status %d, %s", (int)status, err.message);
}

/* A bit of the header, of its beginning, of the data; and a file that is cut off anywhere. */
static void test_damage(void **state)
{
    const context *x = *state;
    size_t n;
    expect_failure(x, &x->checkpoint, ADASS_EINTERRUPTED, "stopped");
    char *bytes = read_file(x->path, &n);
    for (size_t i = 0; i < 200; i++) {
        const size_t at = i < 100 ? i : (i - 100) * (n / 100);
        if (at >= 8 && bytes[at] == ' ')
            continue; /* the header's padding means nothing */
        bytes[at] ^= (char)(1 << i % 8);
        write_file(x->path, bytes, n);
        expect_failure(x, &x->checkpoint, ADASS_EFORMAT, x->path);
        bytes[at] ^= (char)(1 << i % 8);
    }
    for (size_t i = 0; i < 50; i++) {
        write_file(x->path, bytes, i < 10 ? i : i * (n / 50));
        expect_failure(x, &x->checkpoint, ADASS_EFORMAT, "the file is damaged");
        expect_failure(x, &x->checkpoint, ADASS_EFORMAT, "remove it");
    }
    write_file(x->path, bytes, n);
    expect_failure(x, &x->checkpoint, ADASS_EINTERRUPTED, "stopped");
    unlink(x->path);
    free(bytes);
}

static void test_other_run(void **state)
{
    const context *x = *state;
    adass_checkpoint other = x->checkpoint;
    adass_error err;
    outcome o = { 0 };
    expect_failure(x, &x->checkpoint, ADASS_EINTERRUPTED, "stopped");
    other.identity = "that";
    expect_failure(x, &other, ADASS_EINVAL, "another configuration");
    other.replace = true;
    expect_failure(x, &other, ADASS_EINTERRUPTED, "stopped");
    expect_failure(x, &x->checkpoint, ADASS_EINVAL, x->path); /* it has been replaced */
    other.identity = x->checkpoint.identity;                  /* of another model all the same */
    unlink(x->path);
    expect_failure(x, &x->checkpoint, ADASS_EINTERRUPTED, "stopped");
    assert_int_equal(run_train(x, ADASS_DEEPFM, &x->checkpoint, 1, &o, &err), ADASS_EFORMAT);
    assert_non_null(strstr(err.message, "missing or of another shape"));
    free(o.params);
    unlink(x->path);
}

/* Weights that diverge leave the checkpoint of the steps before, byte by byte. */
static void test_divergence(void **state)
{
    const context *x = *state;
    adass_checkpoint every_step = x->checkpoint;
    adass_error err;
    adass_train_result result;
    adass_train_config config = {
        .step = step_config, .max_epochs = 3, .patience = 1, .checkpoint = &x->checkpoint
    };
    size_t n, m;
    expect_failure(x, &x->checkpoint, ADASS_EINTERRUPTED, "stopped");
    char *before = read_file(x->path, &n);
    adass_model *model = new_model(x, ADASS_FM);
    config.step.learning_rate = 1e30;
    assert_int_equal(
        adass_train(model, x->fixture.dataset, &x->fixture.compute, &config, NULL, &result, &err),
        ADASS_EINVAL);
    assert_non_null(strstr(err.message, "diverged"));
    char *after = read_file(x->path, &m);
    assert_int_equal(n, m);
    assert_memory_equal(before, after, n);
    every_step.every_seconds = 0.0; /* still one that is whole, when it is replaced at every step */
    config.checkpoint = &every_step;
    assert_int_equal(
        adass_train(model, x->fixture.dataset, &x->fixture.compute, &config, NULL, &result, &err),
        ADASS_EINVAL);
    adass_safetensors *file = NULL;
    assert_int_equal(adass_safetensors_open(&file, x->path, &err), ADASS_OK);
    assert_int_equal(adass_safetensors_rows(file, "epoch"), 1);
    adass_safetensors_close(file);
    adass_model_destroy(model);
    free(before);
    free(after);
    unlink(x->path);
}

/* A checkpoint of a machine whose memory cuts the split into other windows is refused. */
static void test_other_memory(void **state)
{
    const context *x = *state;
    const adass_keeper keeper = { .config = &x->checkpoint };
    adass_batches *batches = NULL;
    adass_error err;
    uint64_t rows = 0;
    assert_int_equal(adass_batches_open(&batches, x->fixture.dataset, ADASS_TRAIN, 64, 0, &err),
                     ADASS_OK);
    assert_int_equal(adass_keeper_check_order(&keeper, batches, &rows, &err), ADASS_OK);
    assert_int_equal(rows, x->fixture.dataset->splits[ADASS_TRAIN].n);
    assert_int_equal(adass_keeper_check_order(&keeper, batches, &rows, &err), ADASS_OK);
    rows--;
    assert_int_equal(adass_keeper_check_order(&keeper, batches, &rows, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "another memory"));
    adass_batches_close(batches);
}

static void test_folder(void **state)
{
    const context *x = *state;
    char dir[128], path[192];
    adass_error err;
    adass_checkpoints *folder = NULL, *second = NULL;
    snprintf(dir, sizeof dir, "%s/a/b", x->fixture.dir);
    adass_checkpoint_options options = { .dir = dir };
    assert_int_equal(adass_checkpoints_open(&folder, &options, &err), ADASS_OK);
    assert_int_equal(adass_checkpoints_open(&second, &options, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "another run"));
    const adass_checkpoint train = adass_checkpoints_of(folder, ADASS_STAGE_TRAIN, "i");
    write_file(train.path, "x", 1);
    snprintf(path, sizeof path, "%s.tmp-12345", train.path);
    write_file(path, "x", 1);
    adass_checkpoints_close(folder);
    assert_int_equal(access(dir, F_OK), 0);
    assert_int_equal(adass_checkpoints_open(&second, &options, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "--resume"));
    options.resume = true;
    assert_int_equal(adass_checkpoints_open(&folder, &options, &err), ADASS_OK);
    assert_int_equal(access(path, F_OK), -1);
    adass_checkpoints_remove(folder, ADASS_STAGE_TRAIN);
    adass_checkpoints_close(folder);
    assert_int_equal(access(dir, F_OK), -1);
    options.dir = "/dev/null/x";
    assert_int_equal(adass_checkpoints_open(&folder, &options, &err), ADASS_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_compact_tables),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_finished_search_is_kept),
        cmocka_unit_test(test_samplers_and_searchers),
        cmocka_unit_test(test_finalists),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_other_run),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_other_memory),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
