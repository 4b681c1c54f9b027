/* What a finalist's training gives, by the trainer alone: for tests of search/finalists.h. */
#ifndef ADASS_TEST_FINALIST_H
#define ADASS_TEST_FINALIST_H

#include "fixture.h"

#include "adass/evaluate.h"
#include "adass/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/*
 * Validation AUC of sizes [n_fields] that are trained on from the supernet's weights, the best of those
 * after each quarter of the steps. The seed is the search's, from which finalists.c has that of the rows.
 */
static inline double finalist_auc(const fixture *x, const adass_trainer_config *step,
                                  const adass_model *supernet, const size_t *vocab,
                                  const size_t *sizes, uint64_t seed, size_t steps)
{
    const uint64_t order = adass_seed_derive(seed, 3);
    adass_error err;
    adass_model *model;
    adass_trainer *trainer;
    adass_batches *batches;
    adass_evaluator *valid;
    double best = 0.0;
    assert_int_equal(
        adass_model_create(&model, &supernet->config, x->dataset->n_fields, vocab, sizes, &err),
        ADASS_OK);
    adass_model_inherit(model, supernet);
    assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, step, &err), ADASS_OK);
    assert_int_equal(
        adass_batches_open(&batches, x->dataset, ADASS_TRAIN, step->batch_size, 0, &err), ADASS_OK);
    assert_int_equal(adass_evaluator_open(&valid, x->dataset, ADASS_VALID, 0, &x->compute, &err),
                     ADASS_OK);
    uint64_t epoch = 0;
    adass_batches_shuffle(batches, order, epoch++);
    for (size_t i = 1; i <= steps;) {
        adass_batch batch;
        adass_metrics metrics;
        double loss;
        assert_int_equal(adass_batches_next(batches, &batch, &err), ADASS_OK);
        if (batch.n == 0) {
            adass_batches_shuffle(batches, order, epoch++);
            continue;
        }
        assert_int_equal(adass_trainer_step(trainer, NULL, &batch, NULL, &loss, &err), ADASS_OK);
        bool check = false;
        for (size_t quarter = 1; quarter <= 4; quarter++)
            check = check || i == steps * quarter / 4;
        i++;
        if (!check)
            continue;
        assert_int_equal(adass_evaluator_measure(valid, model, NULL, &metrics, &err), ADASS_OK);
        best = fmax(best, metrics.auc);
    }
    adass_evaluator_close(valid);
    adass_batches_close(batches);
    adass_trainer_destroy(trainer);
    adass_model_destroy(model);
    return best;
}

#endif
