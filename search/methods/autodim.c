/*
 * AutoDim (Zhao et al., WWW 2021, arXiv 2006.14827; in the form of Hsword/Hetu with shared prefixes):
 * field f's embedding is sum_k p_fk BN(first c_k columns), zero-padded, with Gumbel gates
 * p_f = softmax((log softmax(alpha_f) + G) / tau), tau = max(0.01, 1 - 5e-5 t), t in batches of 2000
 * samples. Weights learn from training batches, alpha from validation batches, one after every ten
 * (first order), after a first part with equal gates. The size is that of the largest alpha, and the
 * model is trained anew.
 *
 * Ours: batch normalisation is over blocks of 256 samples; the length is that of a supernet's
 * training, a fifth of it with equal gates; AutoDim knows no budget, so the sizes are those of the
 * largest sum of log softmax(alpha) that keeps it, which are its own where they fit.
 */
#include "methods/autodim.h"

#include "adass/memory.h"
#include "adass/rng.h"
#include "budget.h"
#include "forward.h"
#include "knapsack.h"
#include "methods/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_PER_GATE_STEP = 10 };
static const double GATE_RATE = 1e-3, BN_EPSILON = 1e-5, WARM_UP = 0.2;

typedef struct search {
    const adass_method_setting *setting;
    const adass_candidates *candidates;
    size_t n_fields, width, packed, blocks; /* packed: n_fields x width */
    double *alpha, *m, *v;                  /* [n_fields x K], with Adam's moments */
    double *gate;                           /* [n_fields x K]: p of this step */
    float *share;                           /* [packed]: sum of p over sizes beyond the column */
    float *normal;                          /* [batch x packed]: BN(x) */
    float *inv_std;                         /* [blocks x packed] */
    double *by_block;                       /* [blocks x packed]: dL/dshare of each block */
    adass_rng rng;
    adass_steps weights, gates; /* of the gates: within the other's */
    adass_model *model;
} search;

/* ---- the gates of a step ---- */

static void softmax(const double *x, size_t n, double *p)
{
    double highest = x[0], total = 0.0;
    for (size_t k = 1; k < n; k++)
        highest = fmax(highest, x[k]);
    for (size_t k = 0; k < n; k++)
        total += p[k] = exp(x[k] - highest);
    for (size_t k = 0; k < n; k++)
        p[k] /= total;
}

static double gumbel(adass_rng *rng) { return -log(-log(adass_rng_unit(rng) + 1e-12) + 1e-12); }

void adass_autodim_gate(const double *alpha, const double *noise, double tau, size_t n, double *p)
{
    double logit[ADASS_CANDIDATES_MAX];
    softmax(alpha, n, p);
    for (size_t k = 0; k < n; k++)
        logit[k] = (log(p[k]) + noise[k]) / tau;
    softmax(logit, n, p);
}

static double temperature(const search *s)
{
    const double batches =
        (double)s->weights.done * (double)s->setting->config->train.step.batch_size / 2000.0;
    return fmax(0.01, 1.0 - 5e-5 * batches);
}

/* Whether gates are equal still. */
static bool is_warming_up(const search *s)
{
    const double total = (double)(s->weights.epochs * adass_batches_count(s->weights.batches));
    return (double)s->weights.done < WARM_UP * total;
}

static void draw_field(search *s, size_t f)
{
    const size_t n = s->candidates->n;
    double *p = s->gate + f * n, noise[ADASS_CANDIDATES_MAX];
    for (size_t k = 0; k < n; k++)
        noise[k] = gumbel(&s->rng);
    adass_autodim_gate(s->alpha + f * n, noise, temperature(s), n, p);
    for (size_t k = 0; k < n && is_warming_up(s); k++)
        p[k] = 1.0 / (double)n;
    for (size_t j = 0; j < s->width; j++) {
        double share = 0.0;
        for (size_t k = 0; k < n; k++)
            share += s->candidates->sizes[k] > j ? p[k] : 0.0;
        s->share[f * s->width + j] = (float)share;
    }
}

static void draw_gates(void *user)
{
    search *s = user;
    for (size_t f = 0; f < s->n_fields; f++)
        draw_field(s, f);
}

/* ---- between tables and model ---- */

static void normalise(void *user, const adass_packed *p)
{
    search *s = user;
    const double n = (double)p->n;
    for (size_t j = 0; j < s->packed; j++) {
        double mean = 0.0, variance = 0.0;
        for (size_t b = 0; b < p->n; b++)
            mean += (double)p->x[b * p->ld + j] / n;
        for (size_t b = 0; b < p->n; b++) {
            const double d = (double)p->x[b * p->ld + j] - mean;
            variance += d * d / n;
        }
        const double inv = 1.0 / sqrt(variance + BN_EPSILON);
        s->inv_std[p->block * s->packed + j] = (float)inv;
        for (size_t b = 0; b < p->n; b++) {
            float *x = &p->x[b * p->ld + j];
            const float normal = (float)(((double)*x - mean) * inv);
            s->normal[(p->first + b) * s->packed + j] = normal;
            *x = s->share[j] * normal;
        }
    }
}

static void normalise_back(void *user, const adass_packed *p)
{
    search *s = user;
    const double n = (double)p->n;
    for (size_t j = 0; j < s->packed; j++) {
        double sum = 0.0, with_normal = 0.0;
        for (size_t b = 0; b < p->n; b++) {
            const double dx = (double)p->dx[b * p->ld + j];
            sum += dx;
            with_normal += dx * (double)s->normal[(p->first + b) * s->packed + j];
        }
        s->by_block[p->block * s->packed + j] = with_normal;
        const double scale = (double)s->share[j] * (double)s->inv_std[p->block * s->packed + j];
        for (size_t b = 0; b < p->n; b++) {
            float *dx = &p->dx[b * p->ld + j];
            const double normal = (double)s->normal[(p->first + b) * s->packed + j];
            *dx = (float)(scale * ((double)*dx - sum / n - normal * with_normal / n));
        }
    }
}

/* ---- learning the gates ---- */

void adass_autodim_gradient(const double *alpha, const double *p, double tau, size_t n,
                            const double *by_gate, double *by_alpha)
{
    double base[ADASS_CANDIDATES_MAX], by_logit[ADASS_CANDIDATES_MAX], mean = 0.0, total = 0.0;
    softmax(alpha, n, base);
    for (size_t k = 0; k < n; k++)
        mean += p[k] * by_gate[k];
    for (size_t k = 0; k < n; k++) {
        by_logit[k] = p[k] * (by_gate[k] - mean) / tau;
        total += by_logit[k];
    }
    for (size_t k = 0; k < n; k++)
        by_alpha[k] = by_logit[k] - base[k] * total;
}

static void move_alpha(search *s, size_t at, double gradient)
{
    const double t = (double)s->gates.done;
    s->m[at] = 0.9 * s->m[at] + 0.1 * gradient;
    s->v[at] = 0.999 * s->v[at] + 0.001 * gradient * gradient;
    s->alpha[at] -= GATE_RATE * s->m[at] / (1.0 - pow(0.9, t)) /
                    (sqrt(s->v[at] / (1.0 - pow(0.999, t))) + 1e-8);
}

static adass_status learn_gates(void *user, size_t samples, adass_error *err)
{
    (void)err;
    search *s = user;
    const size_t n = s->candidates->n,
                 blocks = (samples + ADASS_BLOCK_SAMPLES - 1) / ADASS_BLOCK_SAMPLES;
    for (size_t f = 0; f < s->n_fields; f++) {
        double by_gate[ADASS_CANDIDATES_MAX] = { 0 }, by_alpha[ADASS_CANDIDATES_MAX];
        for (size_t j = 0; j < s->width; j++) {
            double by_share = 0.0;
            for (size_t i = 0; i < blocks; i++)
                by_share += s->by_block[i * s->packed + f * s->width + j];
            for (size_t k = 0; k < n; k++)
                by_gate[k] += s->candidates->sizes[k] > j ? by_share : 0.0;
        }
        adass_autodim_gradient(s->alpha + f * n, s->gate + f * n, temperature(s), n, by_gate,
                               by_alpha);
        for (size_t k = 0; k < n; k++)
            move_alpha(s, f * n + k, by_alpha[k]);
    }
    return ADASS_OK;
}

/* After each training step: now and then a step of the gates. */
static adass_status after_weights(void *user, size_t samples, adass_error *err)
{
    search *s = user;
    (void)samples;
    if (is_warming_up(s) || s->weights.done % STEPS_PER_GATE_STEP != 0)
        return ADASS_OK;
    return adass_steps_one(&s->gates, &s->weights, err);
}

static void list_state(void *user, adass_state *state)
{
    search *s = user;
    adass_steps_list_place(&s->gates, "gates", state);
    adass_state_add_u64(state, "random", s->rng.s, 4);
    adass_state_add_f64(state, "alpha", s->alpha, 3 * s->n_fields * s->candidates->n);
    adass_state_add_model(state, s->model);
}

/* ---- the method ---- */

static adass_status allocate(search *s, adass_error *err)
{
    const size_t cells = s->n_fields * s->candidates->n,
                 batch = s->setting->config->train.step.batch_size;
    s->packed = s->n_fields * s->width;
    s->blocks = (batch + ADASS_BLOCK_SAMPLES - 1) / ADASS_BLOCK_SAMPLES;
    s->gate = calloc(cells, sizeof *s->gate);
    s->share = calloc(s->packed, sizeof *s->share);
    s->normal = adass_alloc(batch * s->packed * sizeof *s->normal);
    s->inv_std = calloc(s->blocks * s->packed, sizeof *s->inv_std);
    s->by_block = calloc(s->blocks * s->packed, sizeof *s->by_block);
    return s->gate != NULL && s->share != NULL && s->normal != NULL && s->inv_std != NULL &&
                   s->by_block != NULL
               ? ADASS_OK
               : adass_fail_memory(err, "the gates", (double)(batch * s->packed) * 4.0);
}

static adass_status open_steps(search *s, const adass_step_hooks *hooks, adass_error *err)
{
    const adass_run_config *config = s->setting->config;
    adass_trainer_config step = config->train.step;
    step.hooks = hooks;
    adass_status status =
        adass_trainer_create(&s->weights.trainer, s->model, s->setting->compute, &step, err);
    step.frozen = true;
    if (status == ADASS_OK)
        status = adass_trainer_create(&s->gates.trainer, s->model, s->setting->compute, &step, err);
    if (status == ADASS_OK)
        status = adass_batches_open(&s->weights.batches, s->setting->dataset, ADASS_TRAIN,
                                    step.batch_size, 0, err);
    if (status == ADASS_OK)
        status = adass_batches_open(&s->gates.batches, s->setting->dataset, ADASS_VALID,
                                    step.batch_size, 0, err);
    return status;
}

static adass_status choose(const search *s, size_t *sizes, adass_error *err)
{
    const size_t n = s->candidates->n, cells = s->n_fields * n;
    double *value = calloc(cells, sizeof *value);
    uint64_t *cost = calloc(cells, sizeof *cost);
    uint8_t *choice = calloc(s->n_fields, 1);
    adass_status status = value != NULL && cost != NULL && choice != NULL
                              ? ADASS_OK
                              : adass_fail_memory(err, "the choice", (double)cells * 16.0);
    for (size_t c = 0; c < cells && status == ADASS_OK; c++) {
        if (c % n == 0)
            softmax(s->alpha + c, n, value + c);
        value[c] = log(value[c]);
        cost[c] = (uint64_t)s->setting->vocab[c / n] * s->candidates->sizes[c % n];
    }
    if (status == ADASS_OK)
        status = adass_knapsack_solve(value, cost, s->n_fields, n, s->setting->config->budget,
                                      choice, err);
    if (status == ADASS_OK &&
        adass_budget_params(s->candidates, s->setting->vocab, s->n_fields, choice) == 0)
        adass_budget_cheapest(s->candidates, s->setting->vocab, s->n_fields, choice);
    if (status == ADASS_OK)
        adass_sizes_from_choice(s->candidates, choice, s->n_fields, sizes);
    free(value);
    free(cost);
    free(choice);
    return status;
}

static void close_search(search *s)
{
    adass_batches_close(s->weights.batches);
    adass_batches_close(s->gates.batches);
    adass_trainer_destroy(s->weights.trainer);
    adass_trainer_destroy(s->gates.trainer);
    adass_model_destroy(s->model);
    free(s->gate);
    free(s->share);
    free(s->normal);
    free(s->inv_std);
    free(s->by_block);
}

/* Fills s->alpha, for any budget. */
static adass_status learn_alpha(void *user, double *seconds, adass_error *err)
{
    search *s = user;
    const adass_run_config *config = s->setting->config;
    const adass_step_hooks hooks = { .user = s, .forward = normalise, .backward = normalise_back };
    const adass_steps steps = { .setting = s->setting,
                                .seed = adass_seed_derive(config->seed, ADASS_SEED_PRETRAIN),
                                .epochs =
                                    adass_supernet_epochs(&config->supernet, s->setting->dataset),
                                .stage = "autodim",
                                .for_all_budgets = true,
                                .before = draw_gates,
                                .list = list_state,
                                .user = s };
    s->weights = s->gates = steps;
    s->weights.after = after_weights;
    s->gates.after = learn_gates;
    adass_rng_init(&s->rng, adass_seed_derive(config->seed, ADASS_SEED_GATES));
    adass_status status = allocate(s, err);
    if (status == ADASS_OK)
        status = adass_method_create_largest(s->setting, &s->model, err);
    if (status == ADASS_OK)
        status = open_steps(s, &hooks, err);
    if (status == ADASS_OK)
        status = adass_steps_run(&s->weights, err);
    if (status == ADASS_OK)
        *seconds += adass_keeper_seconds(&s->weights.keeper);
    close_search(s);
    return status;
}

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    const adass_run_config *config = setting->config;
    search s = { .setting = setting,
                 .candidates = &config->candidates,
                 .n_fields = setting->dataset->n_fields,
                 .width = config->candidates.sizes[config->candidates.n - 1] };
    const size_t cells = s.n_fields * s.candidates->n;
    adass_status status =
        adass_budget_check(s.candidates, setting->vocab, s.n_fields, config->budget, err);
    if (status != ADASS_OK)
        return status;
    s.alpha = calloc(3 * cells, sizeof *s.alpha);
    if (s.alpha == NULL)
        return adass_fail_memory(err, "the gates", (double)cells * 24.0);
    s.m = s.alpha + cells;
    s.v = s.m + cells;
    status =
        adass_method_learn(setting, learn_alpha, &s, s.alpha, cells, &found->search_seconds, err);
    if (status == ADASS_OK)
        status = choose(&s, sizes, err);
    free(s.alpha);
    return status;
}

const adass_method_kind adass_method_autodim = {
    .name = "autodim", .searches = true, .pretrains = true, .takes_epochs = true, .find = find
};
