/* Training: early stopping, the weights that are kept, what is measured, and refusals. */
#include "adass/train.h"
#include "fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static fixture x;
    *state = &x;
    return fixture_open(&x, 8000);
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static adass_model *new_model_of(const fixture *x, adass_backbone backbone)
{
    size_t vocab[16], widths[16];
    adass_model *model = NULL;
    adass_error err;
    for (size_t f = 0; f < x->dataset->n_fields; f++) {
        vocab[f] = x->dataset->fields[f].vocab;
        widths[f] = backbone == ADASS_LR ? 0 : 8;
    }
    const adass_model_config config = { .backbone = backbone, .init_std = 0.05f, .seed = 1 };
    if (adass_model_create(&model, &config, x->dataset->n_fields, vocab, widths, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    return model;
}

static adass_model *new_model(const fixture *x) { return new_model_of(x, ADASS_FM); }

static adass_train_config config_of(size_t epochs, size_t patience)
{
    return (adass_train_config){ .step = { .batch_size = 256,
                                           .learning_rate = 1e-2,
                                           .beta1 = 0.9,
                                           .beta2 = 0.999,
                                           .epsilon = 1e-8 },
                                 .max_epochs = epochs,
                                 .patience = patience,
                                 .seed = 2 };
}

static adass_metrics measure(const fixture *x, const adass_model *model, adass_split split,
                             size_t rows)
{
    adass_evaluator *evaluator = NULL;
    adass_metrics metrics;
    adass_error err;
    assert_int_equal(adass_evaluator_open(&evaluator, x->dataset, split, rows, &x->compute, &err),
                     ADASS_OK);
    assert_int_equal(adass_evaluator_measure(evaluator, model, NULL, &metrics, &err), ADASS_OK);
    assert_true(adass_evaluator_rows(evaluator) ==
                (rows != 0 ? rows : x->dataset->splits[split].n));
    adass_evaluator_close(evaluator);
    return metrics;
}

/*
 * A fast learning rate overfits soon: it stops `patience` epochs after the best, and the model has
 * the best epoch's weights.
 */
static void test_early_stopping(void **state)
{
    const fixture *x = *state;
    adass_error err;
    adass_train_result result, again;
    adass_model *model = new_model(x), *short_run = new_model(x);
    const adass_train_config config = config_of(60, 3);
    assert_int_equal(adass_train(model, x->dataset, &x->compute, &config, NULL, &result, &err),
                     ADASS_OK);
    assert_true(result.epochs < 60);
    assert_int_equal(result.epochs, result.best_epoch + 3);
    assert_int_equal(result.window_rows, x->dataset->splits[ADASS_TRAIN].n);
    const adass_metrics now = measure(x, model, ADASS_VALID, 0);
    assert_true(now.auc == result.valid.auc && now.logloss == result.valid.logloss);
    assert_true(now.auc > 0.55);

    const adass_train_config best_only =
        config_of(result.best_epoch, 3); /* stopped there by the limit: the same weights */
    assert_int_equal(
        adass_train(short_run, x->dataset, &x->compute, &best_only, NULL, &again, &err), ADASS_OK);
    assert_int_equal(again.best_epoch, result.best_epoch);
    assert_true(again.valid.auc == result.valid.auc);
    adass_model_destroy(model);
    adass_model_destroy(short_run);
}

/* A part of the rows gives another, near number; the same part each time. */
static void test_evaluation_rows(void **state)
{
    const fixture *x = *state;
    adass_error err;
    adass_train_result result;
    adass_model *model = new_model(x);
    const adass_train_config config = config_of(2, 1);
    assert_int_equal(adass_train(model, x->dataset, &x->compute, &config, NULL, &result, &err),
                     ADASS_OK);
    const adass_metrics all = measure(x, model, ADASS_VALID, 0),
                        half = measure(x, model, ADASS_VALID, 400),
                        same = measure(x, model, ADASS_VALID, 400);
    assert_true(half.auc == same.auc && half.auc != all.auc && fabs(half.auc - all.auc) < 0.15);
    adass_model_destroy(model);
}

/* Logistic regression learns the planted data's first order, with one weight a feature. */
static void test_logistic_regression(void **state)
{
    const fixture *x = *state;
    adass_error err;
    adass_train_result result;
    adass_model *model = new_model_of(x, ADASS_LR);
    size_t features = 0;
    for (size_t f = 0; f < x->dataset->n_fields; f++)
        features += x->dataset->fields[f].vocab;
    assert_int_equal(adass_model_param_count(model), features + 1);
    assert_int_equal(adass_model_other_params(model), features + 1);
    const adass_train_config config = config_of(20, 3);
    assert_int_equal(adass_train(model, x->dataset, &x->compute, &config, NULL, &result, &err),
                     ADASS_OK);
    assert_true(measure(x, model, ADASS_TEST, 0).auc > 0.55);
    adass_model_destroy(model);
}

static void test_refusals(void **state)
{
    const fixture *x = *state;
    adass_error err;
    adass_train_result result;
    adass_model *model = new_model(x);
    adass_train_config config = config_of(0, 1);
    assert_int_equal(adass_train(model, x->dataset, &x->compute, &config, NULL, &result, &err),
                     ADASS_EINVAL);
    config = config_of(1, 0);
    assert_int_equal(adass_train(model, x->dataset, &x->compute, &config, NULL, &result, &err),
                     ADASS_EINVAL);
    config = config_of(3, 1);
    config.step.learning_rate = 1e30; /* diverges, and says so */
    assert_int_equal(adass_train(model, x->dataset, &x->compute, &config, NULL, &result, &err),
                     ADASS_EINVAL);
    assert_non_null(strstr(err.message, "diverged"));
    adass_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_early_stopping),
        cmocka_unit_test(test_evaluation_rows),
        cmocka_unit_test(test_logistic_regression),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
