/*
 * Subnets scored several in a pass: in floats the bits of a prediction; in bytes close to it; neither
 * threads nor company change a bit; a race finds the subnet that full evaluations find, and the smallest that is
 * as good is so by DeLong's test.
 */
#include "fixture.h"

#include "adass/dense_bytes.h"
#include "adass/rng.h"
#include "adass/subnet_pass.h"
#include "adass/supernet.h"
#include "delong.h"
#include "evaluator.h"
#include "subnet_scores.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROWS = 100000, MAX_FIELDS = 16, SUBNETS = 20, WIDTH = 32 };

typedef struct state {
    fixture base;
    adass_candidates candidates;
    adass_model *models[ADASS_N_BACKBONES];
    size_t n_fields, n; /* n: validation rows */
    uint8_t choices[SUBNETS * MAX_FIELDS];
    size_t sizes[SUBNETS * MAX_FIELDS];
    float *all[SUBNETS], *want; /* [n] each */
} state;

static adass_model *trained_of(const state *s, adass_backbone backbone, adass_type table_type,
                               adass_align align)
{
    size_t vocab[MAX_FIELDS], widths[MAX_FIELDS];
    for (size_t f = 0; f < s->n_fields; f++) {
        vocab[f] = s->base.dataset->fields[f].vocab;
        widths[f] = WIDTH;
    }
    const adass_model_config config = { .backbone = backbone,
                                        .table_type = table_type,
                                        .align = align,
                                        .maps_for_all = true,
                                        .n_hidden = 2,
                                        .hidden = { 48, 20 },
                                        .init_std = 0.05f,
                                        .seed = 1 };
    const adass_supernet_config training = { .sampler = "uniform",
                                             .step = { .batch_size = 512,
                                                       .learning_rate = 3e-3,
                                                       .beta1 = 0.9,
                                                       .beta2 = 0.999,
                                                       .epsilon = 1e-8 },
                                             .epochs = 1,
                                             .seed = 1 };
    adass_supernet_result result;
    adass_model *model;
    adass_error err;
    if (adass_model_create(&model, &config, s->n_fields, vocab, widths, &err) != ADASS_OK ||
        adass_supernet_train(model, &s->candidates, s->base.dataset, &s->base.compute, &training,
                             NULL, &result, &err) != ADASS_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    adass_supernet_result_free(&result);
    return model;
}

static adass_model *trained(const state *s, adass_backbone backbone, adass_type table_type)
{
    return trained_of(s, backbone, table_type, ADASS_ALIGN_SLICE);
}

static int set_up(void **out)
{
    static state s;
    if (fixture_open(&s.base, ROWS) != 0)
        return -1;
    s.candidates = (adass_candidates){ .n = 5, .sizes = { 0, 2, 7, 16, WIDTH } };
    s.n_fields = s.base.dataset->n_fields;
    s.n = s.base.dataset->splits[ADASS_VALID].n;
    s.models[ADASS_FM] = trained(&s, ADASS_FM, ADASS_F32);
    s.models[ADASS_DEEPFM] = trained(&s, ADASS_DEEPFM, ADASS_F32);
    s.models[ADASS_DNN] = trained(&s, ADASS_DNN, ADASS_F32);
    s.models[ADASS_DCNV2] = trained(&s, ADASS_DCNV2, ADASS_F32);
    adass_rng rng;
    adass_rng_init(&rng, 4);
    for (size_t i = 0; i < SUBNETS * s.n_fields; i++)
        s.choices[i] = (uint8_t)adass_rng_below(&rng, s.candidates.n);
    for (size_t i = 0; i < SUBNETS; i++) {
        adass_sizes_from_choice(&s.candidates, s.choices + i * s.n_fields, s.n_fields,
                                s.sizes + i * s.n_fields);
        s.all[i] = calloc(s.n, sizeof *s.all[i]);
    }
    s.want = calloc(s.n, sizeof *s.want);
    *out = &s;
    return s.want != NULL ? 0 : -1;
}

static int tear_down(void **out)
{
    state *s = *out;
    for (size_t i = 0; i < ADASS_N_BACKBONES; i++)
        adass_model_destroy(s->models[i]);
    for (size_t i = 0; i < SUBNETS; i++)
        free(s->all[i]);
    free(s->want);
    fixture_close(&s->base);
    return 0;
}

static const uint32_t *rows_of(const state *s) { return s->base.dataset->splits[ADASS_VALID].ids; }

static adass_subnet_pass *new_pass(const state *s, const adass_model *model, int threads,
                                   adass_pass_precision precision)
{
    adass_compute compute = s->base.compute;
    adass_subnet_pass *pass;
    adass_error err;
    compute.threads = threads;
    assert_int_equal(
        adass_subnet_pass_create(&pass, model, &compute, precision, rows_of(s), s->n, &err),
        ADASS_OK);
    return pass;
}

static void run(adass_subnet_pass *pass, const size_t *sizes, size_t n, size_t first, size_t end,
                float *const *logits)
{
    adass_error err;
    assert_int_equal(adass_subnet_pass_run(pass, sizes, n, first, end, logits, &err), ADASS_OK);
}

static void predict(const state *s, const adass_model *model, const size_t *sizes)
{
    adass_error err;
    assert_int_equal(
        adass_model_predict(model, &s->base.compute, sizes, rows_of(s), s->n, s->want, &err),
        ADASS_OK);
}

static void check_floats(const state *s, const adass_model *model, adass_pass_precision precision)
{
    adass_subnet_pass *pass = new_pass(s, model, 2, precision);
    run(pass, s->sizes, SUBNETS, 0, s->n, s->all);
    for (size_t i = 0; i < SUBNETS; i++) {
        predict(s, model, s->sizes + i * s->n_fields);
        assert_memory_equal(s->all[i], s->want, s->n * sizeof *s->want);
    }
    adass_subnet_pass_destroy(pass);
}

/* Cross layers and maps are asked for sharing, which they cannot. */
static void test_floats(void **out)
{
    const state *s = *out;
    check_floats(s, s->models[ADASS_FM], ADASS_PASS_FLOATS);
    check_floats(s, s->models[ADASS_DEEPFM], ADASS_PASS_FLOATS);
    check_floats(s, s->models[ADASS_DCNV2], ADASS_PASS_SHARED);
    static const adass_backbone mapped[] = { ADASS_FM, ADASS_DEEPFM };
    for (size_t i = 0; i < 2; i++) {
        adass_model *model = trained_of(s, mapped[i], ADASS_F32, ADASS_ALIGN_PROJECT);
        assert_true(adass_pass_precision_for(model) == ADASS_PASS_FLOATS);
        check_floats(s, model, ADASS_PASS_SHARED);
        adass_model_destroy(model);
    }
}

/* Root of the mean squared difference to the floats' logits, against their standard deviation. */
static double relative_error(const state *s, const float *logits)
{
    double mean = 0.0, variance = 0.0, error = 0.0;
    for (size_t r = 0; r < s->n; r++)
        mean += (double)s->want[r] / (double)s->n;
    for (size_t r = 0; r < s->n; r++) {
        const double deviation = (double)s->want[r] - mean;
        const double difference = (double)logits[r] - (double)s->want[r];
        variance += deviation * deviation;
        error += difference * difference;
    }
    return sqrt(error / variance);
}

static void test_shared(void **out)
{
    const state *s = *out;
    static const adass_backbone backbones[] = { ADASS_FM, ADASS_DEEPFM, ADASS_DNN };
    static const double bounds[] = { 1e-5, 0.02, 0.02 };
    float *alone = calloc(s->n, sizeof *alone);
    for (size_t b = 0; b < (adass_bytes_fast() ? 3 : 1); b++) {
        const adass_model *model = s->models[backbones[b]];
        adass_subnet_pass *pass = new_pass(s, model, 2, ADASS_PASS_SHARED);
        adass_subnet_pass *other = new_pass(s, model, 3, ADASS_PASS_SHARED);
        run(pass, s->sizes, SUBNETS, 0, s->n, s->all);
        for (size_t i = 0; i < SUBNETS; i++) {
            const size_t *sizes = s->sizes + i * s->n_fields;
            predict(s, model, sizes);
            assert_true(relative_error(s, s->all[i]) < bounds[b]);
            run(other, sizes, 1, 0, s->n / 3, &alone); /* with other threads, alone, in parts */
            run(other, sizes, 1, s->n / 3, s->n, &alone);
            assert_memory_equal(s->all[i], alone, s->n * sizeof *alone);
        }
        adass_subnet_pass_destroy(pass);
        adass_subnet_pass_destroy(other);
    }
    free(alone);
}

/* Tables of 16 bits are shared by FM's subnets, and make an MLP's be computed in floats. */
static void test_compact_tables(void **out)
{
    const state *s = *out;
    for (adass_type type = ADASS_BF16; type <= ADASS_F16; type++) {
        adass_model *models[] = { trained(s, ADASS_FM, type), trained(s, ADASS_DEEPFM, type) };
        assert_true(adass_pass_precision_for(models[0]) == ADASS_PASS_SHARED);
        assert_true(adass_pass_precision_for(models[1]) == ADASS_PASS_FLOATS);
        for (size_t m = 0; m < 2; m++) {
            adass_subnet_pass *pass = new_pass(s, models[m], 2, ADASS_PASS_SHARED);
            run(pass, s->sizes, SUBNETS, 0, s->n, s->all);
            for (size_t i = 0; i < SUBNETS; i++) {
                predict(s, models[m], s->sizes + i * s->n_fields);
                assert_true(relative_error(s, s->all[i]) <= (m == 0 ? 1e-5 : 0.0));
            }
            adass_subnet_pass_destroy(pass);
            adass_model_destroy(models[m]);
        }
    }
}

static adass_subnet_scores *new_scores(const state *s, const adass_model *model,
                                       adass_evaluator *evaluator)
{
    adass_subnet_scores *scores;
    adass_error err;
    assert_int_equal(adass_subnet_scores_create(&scores, model, &s->candidates, evaluator, 9, NULL, &err),
                     ADASS_OK);
    return scores;
}

static adass_evaluator *new_evaluator(const state *s, size_t rows)
{
    adass_evaluator *evaluator;
    adass_error err;
    assert_int_equal(adass_evaluator_open(&evaluator, s->base.dataset, ADASS_VALID, rows,
                                          &s->base.compute, &err),
                     ADASS_OK);
    return evaluator;
}

static void test_scores(void **out)
{
    const state *s = *out;
    adass_error err;
    adass_metrics metrics;
    double aucs[2 * SUBNETS], auc;
    uint8_t twice[2 * SUBNETS * MAX_FIELDS]; /* each subnet a second time */
    memcpy(twice, s->choices, SUBNETS * s->n_fields);
    memcpy(twice + SUBNETS * s->n_fields, s->choices, SUBNETS * s->n_fields);
    adass_evaluator *evaluator = new_evaluator(s, 3000);
    adass_subnet_scores *scores = new_scores(s, s->models[ADASS_FM], evaluator);
    assert_int_equal(adass_subnet_scores_get(scores, s->choices, &auc, &err), ADASS_OK);
    assert_int_equal(adass_subnet_scores_get_all(scores, twice, 2 * SUBNETS, aucs, &err), ADASS_OK);
    assert_int_equal(adass_subnet_scores_count(scores), SUBNETS);
    assert_true(auc == aucs[0]);
    for (size_t i = 0; i < SUBNETS; i++) {
        assert_int_equal(adass_evaluator_measure(evaluator, s->models[ADASS_FM],
                                                 s->sizes + i * s->n_fields, &metrics, &err),
                         ADASS_OK);
        assert_true(fabs(aucs[i] - metrics.auc) < 1e-5 && aucs[i + SUBNETS] == aucs[i]);
    }
    adass_subnet_scores_destroy(scores);
    adass_evaluator_close(evaluator);
}

/* From each subnet, the field to shrink: by a race, and by full evaluations. */
static void test_race(void **out)
{
    const state *s = *out;
    const adass_model *model = s->models[ADASS_DEEPFM];
    adass_error err;
    adass_evaluator *evaluator = new_evaluator(s, 0);
    adass_subnet_scores *racing = new_scores(s, model, evaluator);
    adass_subnet_scores *full = new_scores(s, model, evaluator);
    for (size_t i = 0; i < SUBNETS; i++) {
        const uint8_t *base = s->choices + i * s->n_fields;
        uint8_t options[MAX_FIELDS * MAX_FIELDS];
        double saved[MAX_FIELDS], aucs[MAX_FIELDS], before, best = INFINITY;
        size_t n = 0, winner, want = 0;
        for (size_t f = 0; f < s->n_fields; f++)
            if (base[f] > 0) {
                memcpy(options + n * s->n_fields, base, s->n_fields);
                options[n * s->n_fields + f]--;
                saved[n++] = (double)s->base.dataset->fields[f].vocab;
            }
        if (n < 2)
            continue;
        assert_int_equal(adass_subnet_scores_race(racing, base, options, saved, n, &winner, &err),
                         ADASS_OK);
        assert_int_equal(adass_subnet_scores_get(full, base, &before, &err), ADASS_OK);
        assert_int_equal(adass_subnet_scores_get_all(full, options, n, aucs, &err), ADASS_OK);
        for (size_t k = 0; k < n; k++)
            if ((before - aucs[k]) / saved[k] < best) {
                best = (before - aucs[k]) / saved[k];
                want = k;
            }
        assert_int_equal(winner, want);
    }
    printf("subnets that ran to the end: %zu of %zu\n", adass_subnet_scores_count(racing),
           adass_subnet_scores_count(full));
    assert_true(adass_subnet_scores_count(racing) < adass_subnet_scores_count(full));
    adass_subnet_scores_destroy(racing);
    adass_subnet_scores_destroy(full);
    adass_evaluator_close(evaluator);
}

/* Any margin of standard errors: the first whose difference to the best, by DeLong's test, is within it. */
static void test_smallest(void **out)
{
    const state *s = *out;
    const adass_model *model = s->models[ADASS_FM];
    adass_error err;
    adass_evaluator *evaluator = new_evaluator(s, 0);
    adass_subnet_scores *scores = new_scores(s, model, evaluator);
    const float *labels = evaluator->labels;
    double *placements = calloc(s->candidates.n * s->n, sizeof *placements);
    size_t seen[MAX_FIELDS] = { 0 };
    for (size_t f = 0; f < s->n_fields; f++) {
        uint8_t options[MAX_FIELDS * MAX_FIELDS];
        double aucs[MAX_FIELDS];
        size_t sizes[MAX_FIELDS];
        const size_t n = s->candidates.n;
        size_t best = 0, winner;
        memset(placements, 0, n * s->n * sizeof *placements);
        for (size_t k = 0; k < n; k++) {
            memcpy(options + k * s->n_fields, s->choices, s->n_fields);
            options[k * s->n_fields + f] = (uint8_t)k;
            adass_sizes_from_choice(&s->candidates, options + k * s->n_fields, s->n_fields, sizes);
            predict(s, model, sizes);
            assert_int_equal(
                adass_placements_add(s->want, labels, s->n, 1.0, placements + k * s->n, &err),
                ADASS_OK);
        }
        assert_int_equal(adass_subnet_scores_get_all(scores, options, n, aucs, &err), ADASS_OK);
        for (size_t k = 1; k < n; k++)
            best = aucs[k] > aucs[best] ? k : best;
        assert_int_equal(
            adass_subnet_scores_smallest(scores, options, n, &(double){ 1e9 }, 1, &winner, &err),
            ADASS_OK);
        assert_int_equal(winner, 0);
        assert_int_equal(
            adass_subnet_scores_smallest(scores, options, n, &(double){ 1.0 }, 1, &winner, &err),
            ADASS_OK);
        for (size_t k = 0; k <= winner && k < best; k++) {
            double *difference = calloc(s->n, sizeof *difference);
            for (size_t row = 0; row < s->n; row++)
                difference[row] = placements[best * s->n + row] - placements[k * s->n + row];
            const adass_delong test = adass_delong_of(difference, labels, s->n);
            assert_true((test.difference <= test.std_error) == (k == winner));
            free(difference);
        }
        seen[winner]++;
    }
    assert_true(seen[0] < s->n_fields); /* some field needs a size */
    free(placements);
    adass_subnet_scores_destroy(scores);
    adass_evaluator_close(evaluator);
}

/* What it measures is kept as any other measurement, and counts. */
static void test_smallest_counts(void **out)
{
    const state *s = *out;
    adass_error err;
    adass_evaluator *evaluator = new_evaluator(s, 0);
    adass_subnet_scores *scores = new_scores(s, s->models[ADASS_FM], evaluator);
    adass_subnet_scores *others = new_scores(s, s->models[ADASS_FM], evaluator);
    const size_t n = s->candidates.n;
    uint8_t options[MAX_FIELDS * MAX_FIELDS];
    double aucs[MAX_FIELDS], expected[MAX_FIELDS];
    size_t winner;
    for (size_t k = 0; k < n; k++) {
        memcpy(options + k * s->n_fields, s->choices, s->n_fields);
        options[k * s->n_fields] = (uint8_t)k;
    }
    assert_int_equal(
        adass_subnet_scores_smallest(scores, options, n, &(double){ 1.0 }, 1, &winner, &err),
        ADASS_OK);
    assert_int_equal(adass_subnet_scores_count(scores), n);
    assert_int_equal(adass_subnet_scores_get_all(scores, options, n, aucs, &err), ADASS_OK);
    assert_int_equal(adass_subnet_scores_count(scores), n);
    assert_int_equal(adass_subnet_scores_get_all(others, options, n, expected, &err), ADASS_OK);
    assert_memory_equal(aucs, expected, n * sizeof *aucs);
    adass_subnet_scores_destroy(scores);
    adass_subnet_scores_destroy(others);
    adass_evaluator_close(evaluator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_compact_tables),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_smallest_counts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
