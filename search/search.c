/* Stage 2: the policy, its reward, and the guarantee that the budget is kept. */
#include "adass/search.h"

#include "adass/dense.h"
#include "adass/rng.h"
#include "budget.h"
#include "finalists.h"
#include "refine.h"
#include "search_memory.h"
#include "searcher.h"
#include "shrink.h"
#include "state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct run {
    const adass_candidates *candidates;
    const adass_search_config *config;
    const adass_monitor *monitor;
    size_t n_fields, n_cells; /* n_cells: n_fields x K */
    double budget, first_params; /* the latter: expected of the uniform policy */
    size_t *vocab, *sizes; /* [n_fields] */
    adass_subnet_scores *scores;
    double *theta, *policy, *gradient; /* [n_cells] */
    double *baseline;                  /* [n_fields] */
    uint8_t *population;               /* [population x n_fields] */
    double *aucs, *params;             /* [population] */
    double sigma, lambda;
    adass_rng rng;
    uint64_t iteration; /* that are over */
    uint8_t *choice;    /* [n_fields], the caller's: filled once the iterations are over */
    uint64_t fitted;    /* the choice is there, inside the budget */
    uint64_t repairs;   /* that this took */
    adass_refinement refinement;
    adass_search_problem problem;
    adass_finalists *finalists; /* NULL: none */
    uint64_t chosen;            /* among them: the choice is final */
    adass_keeper keeper;
} run;

static void list_state(void *user, adass_state *state)
{
    run *r = user;
    adass_state_add_u64(state, "iteration", &r->iteration, 1);
    adass_state_add_u64(state, "random", r->rng.s, 4);
    adass_state_add_f64(state, "sigma", &r->sigma, 1);
    adass_state_add_f64(state, "lambda", &r->lambda, 1);
    adass_state_add_f64(state, "theta", r->theta, r->n_cells);
    adass_state_add_f64(state, "baseline", r->baseline, r->n_fields);
    adass_state_add_u8(state, "choice", r->choice, r->n_fields);
    adass_state_add_u64(state, "fitted", &r->fitted, 1);
    adass_state_add_u64(state, "repairs", &r->repairs, 1);
    adass_state_add_u64(state, "refinement.done", &r->refinement.done, 1);
    adass_state_add_u64(state, "refinement.unchanged", &r->refinement.unchanged, 1);
    adass_state_add_u64(state, "refinement.changes", &r->refinement.changes, 1);
    adass_state_add_u64(state, "chosen", &r->chosen, 1);
    if (r->finalists != NULL)
        adass_finalists_list_state(r->finalists, state);
    adass_subnet_scores_list_state(r->scores, state);
}

static double params_of(run *r, const uint8_t *choice)
{
    adass_sizes_from_choice(r->candidates, choice, r->n_fields, r->sizes);
    return (double)adass_sizes_params(r->vocab, r->sizes, r->n_fields);
}

/* ---- the policy ---- */

static void softmax(const double *theta, double *p, size_t n)
{
    double highest = theta[0], total = 0.0;
    for (size_t k = 1; k < n; k++)
        highest = fmax(highest, theta[k]);
    for (size_t k = 0; k < n; k++) {
        p[k] = exp(theta[k] - highest);
        total += p[k];
    }
    for (size_t k = 0; k < n; k++)
        p[k] /= total;
}

static void refresh_policy(run *r)
{
    for (size_t at = 0; at < r->n_cells; at += r->candidates->n)
        softmax(r->theta + at, r->policy + at, r->candidates->n);
}

static void draw(run *r, uint8_t *choice)
{
    const size_t n = r->candidates->n;
    for (size_t f = 0; f < r->n_fields; f++) {
        const double *p = r->policy + f * n;
        double u = adass_rng_unit(&r->rng);
        size_t k = 0;
        while (k + 1 < n && u >= p[k])
            u -= p[k++];
        choice[f] = (uint8_t)k;
    }
}

static double expected_params(const run *r)
{
    const size_t n = r->candidates->n;
    double expected = 0.0;
    for (size_t f = 0; f < r->n_fields; f++)
        for (size_t k = 0; k < n; k++)
            expected +=
                r->policy[f * n + k] * (double)r->vocab[f] * (double)r->candidates->sizes[k];
    return expected;
}

/* What the policy is held to in this iteration. */
static double budget_now(const run *r)
{
    const double closing = r->config->closing * (double)r->config->iterations;
    const double done = (double)r->iteration + 1.0;
    return done >= closing || r->first_params <= r->budget
               ? r->budget
               : r->first_params * pow(r->budget / r->first_params, done / closing);
}

/* ---- one iteration ---- */

static adass_status measure_population(run *r, adass_error *err)
{
    for (size_t i = 0; i < r->config->population; i++) {
        uint8_t *choice = r->population + i * r->n_fields;
        draw(r, choice);
        r->params[i] = params_of(r, choice);
    }
    return adass_subnet_scores_get_all(r->scores, r->population, r->config->population, r->aucs,
                                       err);
}

/* The unit of rewards: how far AUCs of the first, uniform policy's subnets lie apart. */
static void measure_sigma(run *r)
{
    const double n = (double)r->config->population;
    double mean = 0.0, variance = 0.0;
    for (size_t i = 0; i < r->config->population; i++)
        mean += r->aucs[i] / n;
    for (size_t i = 0; i < r->config->population; i++)
        variance += (r->aucs[i] - mean) * (r->aucs[i] - mean) / n;
    r->sigma =
        fmax(sqrt(variance), 1e-4); /* below a hundredth of a point of AUC differences are noise */
}

static double reward(const run *r, size_t i, size_t f)
{
    const uint8_t *choice = r->population + i * r->n_fields;
    const double over = fmax(0.0, r->params[i] / budget_now(r) - 1.0);
    const double share = r->config->equal_shares
                             ? 1.0 / (double)r->n_fields
                             : (double)r->vocab[f] * (double)r->candidates->sizes[choice[f]] /
                                   fmax(r->params[i], 1.0);
    return r->aucs[i] / r->sigma - r->lambda * over * (double)r->n_fields * share;
}

/* Adds the gradient of field f: REINFORCE over the population, then the entropy bonus. */
static void field_gradient(run *r, size_t f, bool first, double entropy)
{
    const size_t n = r->candidates->n, population = r->config->population;
    const double *p = r->policy + f * n;
    double *g = r->gradient + f * n;
    double mean = 0.0;
    memset(g, 0, n * sizeof *g);
    for (size_t i = 0; i < population; i++)
        mean += reward(r, i, f) / (double)population;
    if (first)
        r->baseline[f] = mean;
    for (size_t i = 0; i < population; i++) {
        const double advantage = (reward(r, i, f) - r->baseline[f]) / (double)population;
        const uint8_t chosen = r->population[i * r->n_fields + f];
        for (size_t k = 0; k < n; k++)
            g[k] += advantage * ((k == chosen ? 1.0 : 0.0) - p[k]);
    }
    r->baseline[f] =
        r->config->baseline_decay * r->baseline[f] + (1.0 - r->config->baseline_decay) * mean;

    double h = 0.0; /* entropy; its gradient is -p_k (log p_k + h) */
    for (size_t k = 0; k < n; k++)
        h -= p[k] * log(fmax(p[k], 1e-300));
    for (size_t k = 0; k < n; k++)
        g[k] -= entropy * p[k] * (log(fmax(p[k], 1e-300)) + h);
}

static adass_status iterate(run *r, adass_error *err)
{
    const adass_search_config *c = r->config;
    const bool first = r->iteration == 0;
    const double left = 1.0 - (double)r->iteration / (double)c->iterations;
    adass_status status = measure_population(r, err);
    if (status != ADASS_OK)
        return status;
    if (first)
        measure_sigma(r);
    for (size_t f = 0; f < r->n_fields; f++)
        field_gradient(r, f, first, c->entropy * left);
    for (size_t i = 0; i < r->n_cells; i++)
        r->theta[i] += c->learning_rate * r->gradient[i];
    refresh_policy(r);
    const double over = expected_params(r) / budget_now(r) - 1.0;
    r->lambda = fmax(0.0, r->lambda + c->penalty_rate * over);
    return ADASS_OK;
}

static adass_status run_iterations(run *r, adass_error *err)
{
    refresh_policy(r);
    while (r->iteration < r->config->iterations) {
        adass_status status = iterate(r, err);
        if (status != ADASS_OK)
            return status;
        r->iteration++;
        double mean = 0.0;
        for (size_t j = 0; j < r->config->population; j++)
            mean += r->aucs[j] / (double)r->config->population;
        char note[96];
        snprintf(note, sizeof note, "AUC %.4f, expected parameters %.2f of the budget, lambda %.1f",
                 mean, expected_params(r) / r->budget, r->lambda);
        status = adass_monitor_tick(r->monitor, "search", r->iteration, r->config->iterations, note,
                                    err);
        status = adass_keeper_tick(&r->keeper, status, err);
        if (status != ADASS_OK)
            return status;
    }
    return ADASS_OK;
}

/* ---- the answer ---- */

static void mode(const run *r, uint8_t *choice)
{
    const size_t n = r->candidates->n;
    for (size_t f = 0; f < r->n_fields; f++) {
        size_t best = 0;
        for (size_t k = 1; k < n; k++)
            if (r->policy[f * n + k] > r->policy[f * n + best])
                best = k;
        choice[f] = (uint8_t)best;
    }
}

/* For what works on assignments alone. */
static adass_search_problem problem_of(run *r)
{
    return (adass_search_problem){
        .candidates = r->candidates,
        .vocab = r->vocab,
        .n_fields = r->n_fields,
        .budget = (uint64_t)r->budget,
        .evaluations = r->config->iterations * r->config->population,
        .seed = r->config->seed,
        .scores = r->scores,
        .monitor = r->monitor,
        .keeper = &r->keeper,
    };
}

/* The policy's mode, shrunk into the budget. */
static adass_status fit_mode(run *r, adass_error *err)
{
    mode(r, r->choice);
    const adass_status status = adass_shrink(&r->problem, r->choice, &r->repairs, err);
    r->fitted = status == ADASS_OK;
    return status;
}

static adass_status search_by_policy(run *r, adass_error *err)
{
    const adass_search_problem *problem = &r->problem;
    adass_status status = run_iterations(r, err);
    if (status == ADASS_OK && !r->fitted)
        status = fit_mode(r, err);
    if (status == ADASS_OK)
        status = adass_refine(problem, r->config->sweeps, &r->refinement, r->choice, err);
    if (status != ADASS_OK || r->finalists == NULL || r->chosen)
        return status;
    status = adass_finalists_choose(r->finalists, r->choice, err);
    r->chosen = status == ADASS_OK;
    return status;
}

/* In floats, whatever the scores were measured in. */
static adass_status measure_answer(run *r, adass_evaluator *evaluator, const adass_model *model,
                                   const uint8_t *choice, adass_search_result *out,
                                   adass_error *err)
{
    adass_metrics metrics;
    out->params = (uint64_t)params_of(r, choice); /* leaves its sizes in r->sizes */
    const adass_status status = adass_evaluator_measure(evaluator, model, r->sizes, &metrics, err);
    if (status == ADASS_OK)
        out->inherited_auc = metrics.auc;
    return status;
}

/* Where the policy searches and the supernet was trained for long enough. */
static adass_status prepare_finalists(run *r, const adass_model *supernet,
                                      const adass_dataset *dataset, const adass_compute *compute,
                                      adass_error *err)
{
    const adass_finalists_setting setting = {
        .problem = &r->problem,
        .supernet = supernet,
        .dataset = dataset,
        .compute = compute,
        .step = &r->config->step,
        .steps = adass_finalists_steps(r->config->finalists, supernet),
        .memory = r->config->memory,
    };
    return setting.steps > 0 ? adass_finalists_create(&r->finalists, &setting, err) : ADASS_OK;
}

/* ---- the whole ---- */

static adass_status check_config(const adass_search_config *c, adass_error *err)
{
    if (c->iterations == 0 || c->population == 0 || !(c->learning_rate > 0.0) ||
        !(c->entropy >= 0.0) || !(c->penalty >= 0.0) ||
        !(c->baseline_decay >= 0.0 && c->baseline_decay < 1.0) || !(c->penalty_rate >= 0.0) ||
        !(c->closing >= 0.0 && c->closing <= 1.0) || !(c->finalists >= 0.0))
        return adass_fail(err, ADASS_EINVAL,
                          "the search needs at least one iteration and a population of one, a "
                          "learning rate above 0, entropy, penalty, penalty rate and finalists' "
                          "share of steps of at least 0, a baseline decay in [0, 1), and a closing "
                          "of the budget in [0, 1]");
    return ADASS_OK;
}

static adass_status allocate(run *r, adass_error *err)
{
    const size_t population = r->config->population;
    r->sizes = calloc(r->n_fields, sizeof *r->sizes);
    r->theta = calloc(r->n_cells, sizeof *r->theta);
    r->gradient = calloc(r->n_cells, sizeof *r->gradient);
    r->policy = calloc(r->n_cells, sizeof *r->policy);
    r->baseline = calloc(r->n_fields, sizeof *r->baseline);
    r->population = calloc(population, r->n_fields);
    r->aucs = calloc(population, sizeof *r->aucs);
    r->params = calloc(population, sizeof *r->params);
    if (r->sizes == NULL || r->theta == NULL || r->gradient == NULL || r->policy == NULL ||
        r->baseline == NULL || r->population == NULL || r->aucs == NULL || r->params == NULL)
        return adass_fail_memory(err, "the search",
                                 (double)(r->n_cells * 24 + population * r->n_fields));
    return ADASS_OK;
}

static adass_status begin_memory(const run *r, const adass_model *model,
                                 const adass_evaluator *evaluator, adass_error *err)
{
    const adass_search_memory_key key = {
        .n_fields = r->n_fields,
        .eval_rows = adass_evaluator_rows(evaluator),
        .finalists_steps = adass_finalists_steps(r->config->finalists, model),
        .seed = r->config->seed,
    };
    return r->config->memory != NULL ? adass_search_memory_begin(r->config->memory, &key, err)
                                     : ADASS_OK;
}

/* From the beginning, or from what a checkpoint has brought. */
static adass_status search(run *r, adass_searcher *searcher, adass_search_result *out,
                           adass_error *err)
{
    adass_subnet_scores_restored(r->scores);
    const adass_status status =
        searcher != NULL ? searcher(&r->problem, r->choice, err) : search_by_policy(r, err);
    out->seconds = adass_keeper_seconds(&r->keeper);
    out->repairs = r->repairs;
    out->refined = r->refinement.changes;
    out->remembered_seconds = adass_subnet_scores_remembered_seconds(r->scores);
    if (r->finalists != NULL) {
        out->finalists = adass_finalists_count(r->finalists);
        out->remembered_seconds += adass_finalists_remembered_seconds(r->finalists);
    }
    return status;
}

adass_status adass_search(const adass_model *model, const adass_candidates *candidates,
                          const adass_dataset *dataset, const adass_compute *compute,
                          uint64_t budget, const adass_search_config *config,
                          const adass_monitor *monitor, uint8_t *choice, adass_search_result *out,
                          adass_error *err)
{
    *out = (adass_search_result){ 0 };
    run r = {
        .candidates = candidates,
        .config = config,
        .monitor = monitor,
        .n_fields = model->n_fields,
        .n_cells = model->n_fields * candidates->n,
        .budget = (double)budget,
        .vocab = calloc(model->n_fields, sizeof *r.vocab),
        .lambda = config->penalty,
        .choice = choice,
    };
    adass_evaluator *evaluator = NULL;
    adass_searcher *searcher = NULL;
    adass_status status = check_config(config, err);
    if (status == ADASS_OK)
        status = adass_searcher_find(config->searcher, &searcher, err);
    if (status == ADASS_OK && r.vocab == NULL)
        status = adass_fail_memory(err, "the search", (double)model->n_fields * 8.0);
    for (size_t f = 0; f < model->n_fields && r.vocab != NULL; f++)
        r.vocab[f] = model->tables[f].vocab;
    if (status == ADASS_OK)
        status = adass_budget_check(candidates, r.vocab, r.n_fields, budget, err);
    if (status == ADASS_OK)
        status = allocate(&r, err);
    if (status == ADASS_OK) {
        refresh_policy(&r);
        r.first_params = expected_params(&r);
    }
    if (status == ADASS_OK)
        status =
            adass_evaluator_open(&evaluator, dataset, ADASS_VALID, config->eval_rows, compute, err);
    if (status == ADASS_OK)
        status = begin_memory(&r, model, evaluator, err);
    if (status == ADASS_OK)
        status = adass_subnet_scores_create(&r.scores, model, candidates, evaluator, config->seed,
                                            config->memory, err);
    if (status == ADASS_OK && model->n_layers > 0)
        status = adass_dense_check_room(compute->threads, err);
    adass_rng_init(&r.rng, config->seed);
    if (status == ADASS_OK) {
        r.problem = problem_of(&r);
        if (searcher == NULL)
            status = prepare_finalists(&r, model, dataset, compute, err);
    }
    if (status == ADASS_OK)
        status = adass_keeper_begin(&r.keeper, config->checkpoint, list_state, &r, err);
    if (status == ADASS_OK)
        status = search(&r, searcher, out, err);
    if (status == ADASS_OK)
        status = adass_keeper_save(&r.keeper, err); /* for a training after it that is stopped */
    if (status == ADASS_OK)
        status = measure_answer(&r, evaluator, model, choice, out, err);
    if (r.scores != NULL)
        out->evaluations = adass_subnet_scores_count(r.scores);
    if (searcher == NULL) {
        out->lambda = r.lambda;
        out->policy = r.policy; /* handed over */
    } else {
        free(r.policy);
    }
    adass_finalists_destroy(r.finalists);
    adass_subnet_scores_destroy(r.scores);
    adass_evaluator_close(evaluator);
    free(r.vocab);
    free(r.sizes);
    free(r.theta);
    free(r.gradient);
    free(r.baseline);
    free(r.population);
    free(r.aucs);
    free(r.params);
    return status;
}

void adass_search_result_free(adass_search_result *result)
{
    free(result->policy);
    result->policy = NULL;
}
