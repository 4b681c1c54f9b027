/*
 * How long a suite will take, before it starts: training steps are measured for a second at the
 * largest and the smallest uniform size, and between them taken as linear. What counts is the median
 * step, which a stall of the machine does not move. A guess: early stopping decides how many epochs a
 * training has.
 */
#include "suite_run.h"

#include "clock.h"
#include "finalists.h"
#include "methods/method.h"
#include "stats.h"

#include <stdlib.h>
#include <string.h>

/* As a rule: epochs of a training, sweeps of a refinement, finalists of a search. */
enum { EPOCHS = 8, SWEEPS = 2, FINALISTS = 9 };

static const double PROBE_SECONDS = 1.0;

/* Steps to be measured, whether they take longer than a second or not at all so long. */
enum { STEPS_MIN = 5, STEPS_MAX = 512 };

/* Seconds for one row of a batch, its reading included. */
static adass_status probe_steps(adass_trainer *trainer, adass_batches *batches, double *seconds,
                                adass_error *err)
{
    const double began = adass_clock_seconds();
    double steps[STEPS_MAX], now = began;
    size_t n = 0;
    adass_batches_shuffle(batches, 1, 0);
    while (n < STEPS_MAX && (n < STEPS_MIN || now - began < PROBE_SECONDS)) {
        adass_batch batch;
        double loss;
        adass_status status = adass_batches_next(batches, &batch, err);
        if (status == ADASS_OK && batch.n == 0)
            break;
        if (status == ADASS_OK)
            status = adass_trainer_step(trainer, NULL, &batch, NULL, &loss, err);
        if (status != ADASS_OK)
            return status;
        const double before = now;
        now = adass_clock_seconds();
        steps[n++] = (now - before) / (double)batch.n;
    }
    *seconds = adass_median(steps, n);
    return ADASS_OK;
}

/* Seconds of training for one row, at a uniform size. */
static adass_status probe(const adass_suite_run *r, adass_backbone backbone, size_t size,
                          double *seconds, adass_error *err)
{
    const size_t n = r->dataset->n_fields;
    size_t *vocab = calloc(2 * n, sizeof *vocab);
    if (vocab == NULL)
        return adass_fail_memory(err, "the sizes", (double)n * 16.0);
    for (size_t f = 0; f < n; f++) {
        vocab[f] = r->dataset->fields[f].vocab;
        vocab[n + f] = size;
    }
    adass_model_config config = r->suite.config.model;
    config.backbone = backbone;
    const adass_trainer_config *step = &r->suite.config.train.step;
    adass_model *model = NULL;
    adass_trainer *trainer = NULL;
    adass_batches *batches = NULL;
    adass_status status = adass_model_create(&model, &config, n, vocab, vocab + n, err);
    if (status == ADASS_OK)
        status = adass_trainer_create(&trainer, model, r->compute, step, err);
    if (status == ADASS_OK)
        status = adass_batches_open(&batches, r->dataset, ADASS_TRAIN, step->batch_size, 0, err);
    if (status == ADASS_OK)
        status = probe_steps(trainer, batches, seconds, err);
    adass_batches_close(batches);
    adass_trainer_destroy(trainer);
    adass_model_destroy(model);
    free(vocab);
    return status;
}

/* One pass over `rows` rows; the forward pass is a third of a step. */
static double pass_seconds(const adass_suite_run *r, double rows, double training)
{
    return rows / (double)r->dataset->splits[ADASS_TRAIN].n * training / EPOCHS / 3.0;
}

static double supernet_trainings(const adass_suite_run *r, const adass_run_config *config)
{
    return (double)adass_supernet_epochs(&config->supernet, r->dataset) / EPOCHS;
}

/* The short training of one finalist; 0 without any. */
static double finalist_seconds(const adass_suite_run *r, const adass_run_config *config,
                               double training)
{
    const double share = config->search.finalists;
    const double rows = (double)r->dataset->splits[ADASS_VALID].n;
    return share > 0.0 ? share * supernet_trainings(r, config) * training +
                             ADASS_FINALIST_CHECKS * pass_seconds(r, rows, training)
                       : 0.0;
}

/* The policy's evaluations, and what comes after them when it is the policy that searches. */
static double search_seconds(const adass_suite_run *r, const adass_run_config *config,
                             double training)
{
    const adass_search_config *c = &config->search;
    const double eval_rows =
        c->eval_rows > 0 ? (double)c->eval_rows : (double)r->dataset->splits[ADASS_VALID].n;
    const double evaluated = (double)(c->iterations * c->population) / 2.0; /* half come again */
    if (strcmp(c->searcher, "rl") != 0)
        return pass_seconds(r, evaluated * eval_rows, training);
    const double sweeps = c->sweeps > 0 ? SWEEPS : 0.0;
    const double refined = sweeps * (double)(r->dataset->n_fields * config->candidates.n);
    return pass_seconds(r, (evaluated + refined) * eval_rows, training) +
           FINALISTS * finalist_seconds(r, config, training);
}

/* Of the sizes found. */
static double trainings(const adass_run_config *config, const adass_method_kind *method)
{
    if (config->retrain == ADASS_RETRAIN_NONE)
        return 0.0;
    return method->uses_supernet && config->retrain == ADASS_RETRAIN_BETTER ? 2.0 : 1.0;
}

/* Of one seed of a variant at `budgets` budgets; small, large: seconds of a training. */
static double variant_seconds(const adass_suite_run *r, const adass_variant *variant,
                              double budgets, double small, double large)
{
    const adass_method_kind *method = NULL;
    const double middle = (small + large) / 2.0;
    adass_run_config config = r->suite.config;
    adass_variant_apply(variant, &config);
    if (adass_method_find(variant->method, &method, NULL) != ADASS_OK)
        return 0.0;
    const double train = trainings(&config, method) * middle;
    const double supernet = supernet_trainings(r, &config);
    if (!method->uses_supernet) {
        const double pretraining = method->takes_epochs ? supernet * large : large;
        return budgets * train +
               (method->pretrains ? pretraining : 0.0) * (method->for_budget ? budgets : 1.0);
    }
    return supernet * middle + budgets * (train + search_seconds(r, &config, middle));
}

/* Stand-alone trainings, supernets, and each assignment inherited and trained for a while in these. */
static double fidelity_seconds(const adass_suite_run *r, double middle)
{
    const adass_suite *s = &r->suite;
    const double n = (double)s->fidelity_assignments;
    const double valid = (double)r->dataset->splits[ADASS_VALID].n;
    const double assignment =
        pass_seconds(r, valid, middle) + finalist_seconds(r, &s->config, middle);
    return (double)s->seeds *
           (n * middle + ADASS_FIDELITY_SAMPLERS *
                             (supernet_trainings(r, &s->config) * middle + n * assignment));
}

static double backbone_seconds(const adass_suite_run *r, double small, double large)
{
    const adass_suite *s = &r->suite;
    const double narrow = (double)s->uniform.sizes[0],
                 wide = (double)s->uniform.sizes[s->uniform.n - 1];
    double seconds = 0.0;
    if (s->fidelity_assignments > 0)
        return fidelity_seconds(r, (small + large) / 2.0);
    const double seeds = (double)s->seeds, trials = (double)r->options->trials;
    for (size_t k = 0; k < s->uniform.n; k++) {
        const double at = ((double)s->uniform.sizes[k] - narrow) / (wide - narrow);
        seconds += (seeds + trials) * (small + at * (large - small));
    }
    for (size_t v = 0; v < s->n_variants; v++) {
        const adass_variant *variant = &s->variants[v];
        seconds += seeds * variant_seconds(r, variant, (double)s->n_budgets, small, large) +
                   trials * variant_seconds(r, variant, 1.0, small, large);
    }
    return seconds;
}

adass_status adass_suite_expect(const adass_suite_run *r, double *seconds, adass_error *err)
{
    const adass_suite *s = &r->suite;
    const double rows = (double)r->dataset->splits[ADASS_TRAIN].n * EPOCHS;
    *seconds = 0.0;
    for (size_t b = 0; b < s->n_backbones; b++) {
        double small, large;
        adass_status status = probe(r, s->backbones[b], s->uniform.sizes[0], &small, err);
        if (status == ADASS_OK)
            status = probe(r, s->backbones[b], s->uniform.sizes[s->uniform.n - 1], &large, err);
        if (status != ADASS_OK)
            return status;
        *seconds += backbone_seconds(r, small * rows, large * rows);
    }
    if (r->options->shards > 0)
        *seconds /= (double)r->options->shards;
    return ADASS_OK;
}
