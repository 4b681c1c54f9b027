/*
 * AutoDim (Zhao et al., WWW 2021, arXiv 2006.14827; in the form of Hsword/Hetu with shared prefixes):
 * field f's embedding is sum_k p_fk BN(first c_k columns), zero-padded, with Gumbel gates
 * p_f = softmax((log softmax(alpha_f) + G) / tau), tau = max(0.01, 1 - 5e-5 t), t in batches of 2000
 * samples. Weights learn from training batches, alpha from validation batches, in turn (first order),
 * after a first epoch with equal gates. The epoch of the least validation loss is the one that counts,
 * as in Hetu; the size is that of the largest alpha, and the model is trained anew.
 *
 * Ours: batch normalisation is over blocks of 256 samples; what it gives has a factor, one for each field,
 * that is learnt from training batches and begins at the start values' spread. All sizes of a field share
 * it, so they stay comparable; without it FM multiplies embeddings of unit variance, its loss begins at
 * several times that of a constant, and the smallest sizes win whatever the data. The search stops as training
 * does, or when as long as a supernet's. AutoDim knows no budget, so the sizes are those of the largest sum of
 * log softmax(alpha) that keeps it, which are its own where they fit.
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

static const double GATE_RATE = 1e-3, BN_EPSILON = 1e-5, WARM_UP_MOST = 0.2; /* of all epochs */

typedef struct search {
    const adass_method_setting *setting;
    const adass_candidates *candidates;
    size_t n_fields, width, packed, blocks; /* packed: n_fields x width */
    double *alpha, *m, *v;                  /* [n_fields x K], with Adam's moments */
    double *best;                           /* [n_fields x K]: alpha of the best epoch */
    double *scale, *scale_m, *scale_v;      /* [n_fields]: the fields' factors, likewise */
    double *gate;                           /* [n_fields x K]: p of this step */
    float *share;                           /* [packed]: sum of p over sizes beyond the column */
    float *factor;                          /* [packed]: share times scale */
    float *normal;                          /* [batch x packed]: BN(x) */
    float *inv_std, *sums;                  /* [blocks x packed] */
    float *by_block;                        /* [blocks x packed]: dL/dfactor of each block */
    double loss, least_loss;                /* of the epoch's gate steps, and of the best epoch's */
    uint64_t gate_steps, best_epoch;
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
    const double epochs = fmin(1.0, WARM_UP_MOST * (double)s->weights.epochs);
    return (double)s->weights.done < epochs * (double)adass_batches_count(s->weights.batches);
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
        s->factor[f * s->width + j] = (float)(share * s->scale[f]);
    }
}

static void draw_gates(void *user)
{
    search *s = user;
    for (size_t f = 0; f < s->n_fields; f++)
        draw_field(s, f);
}

/* ---- between tables and model ---- */

/* Row by row, for x is stored so. */
static void measure(const search *s, const adass_packed *p, float *mean, float *inv)
{
    const size_t w = s->packed;
    const float share = 1.0f / (float)p->n;
    memset(mean, 0, w * sizeof *mean);
    memset(inv, 0, w * sizeof *inv);
    for (size_t b = 0; b < p->n; b++)
        for (size_t j = 0; j < w; j++)
            mean[j] += share * p->x[b * p->ld + j];
    for (size_t b = 0; b < p->n; b++)
        for (size_t j = 0; j < w; j++) {
            const float d = p->x[b * p->ld + j] - mean[j];
            inv[j] += share * d * d;
        }
    for (size_t j = 0; j < w; j++)
        inv[j] = 1.0f / sqrtf(inv[j] + (float)BN_EPSILON);
}

static void normalise(void *user, const adass_packed *p)
{
    search *s = user;
    const size_t w = s->packed;
    float *mean = s->sums + p->block * w, *inv = s->inv_std + p->block * w;
    measure(s, p, mean, inv);
    for (size_t b = 0; b < p->n; b++) {
        float *x = p->x + b * p->ld, *normal = s->normal + (p->first + b) * w;
        for (size_t j = 0; j < w; j++) {
            normal[j] = (x[j] - mean[j]) * inv[j];
            x[j] = s->factor[j] * normal[j];
        }
    }
}

static void normalise_back(void *user, const adass_packed *p)
{
    search *s = user;
    const size_t w = s->packed;
    const float share = 1.0f / (float)p->n, *inv = s->inv_std + p->block * w;
    float *sum = s->sums + p->block * w, *with_normal = s->by_block + p->block * w;
    memset(sum, 0, w * sizeof *sum);
    memset(with_normal, 0, w * sizeof *with_normal);
    for (size_t b = 0; b < p->n; b++) {
        const float *dx = p->dx + b * p->ld, *normal = s->normal + (p->first + b) * w;
        for (size_t j = 0; j < w; j++) {
            sum[j] += dx[j];
            with_normal[j] += dx[j] * normal[j];
        }
    }
    for (size_t b = 0; b < p->n; b++) {
        float *dx = p->dx + b * p->ld;
        const float *normal = s->normal + (p->first + b) * w;
        for (size_t j = 0; j < w; j++)
            dx[j] = s->factor[j] * inv[j] * (dx[j] - share * (sum[j] + normal[j] * with_normal[j]));
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

/* Adam on one number; t: its steps, with this one. */
static void move(double rate, double t, double *x, double *m, double *v, double gradient)
{
    *m = 0.9 * *m + 0.1 * gradient;
    *v = 0.999 * *v + 0.001 * gradient * gradient;
    *x -= rate * *m / (1.0 - pow(0.9, t)) / (sqrt(*v / (1.0 - pow(0.999, t))) + 1e-8);
}

/* dL/dfactor of a packed column. */
static double by_factor(const search *s, size_t column, size_t samples)
{
    double sum = 0.0;
    for (size_t first = 0, i = 0; first < samples; first += ADASS_BLOCK_SAMPLES, i++)
        sum += (double)s->by_block[i * s->packed + column];
    return sum;
}

static adass_status learn_gates(void *user, size_t samples, adass_error *err)
{
    (void)err;
    search *s = user;
    const size_t n = s->candidates->n;
    for (size_t f = 0; f < s->n_fields; f++) {
        double by_gate[ADASS_CANDIDATES_MAX] = { 0 }, by_alpha[ADASS_CANDIDATES_MAX];
        for (size_t j = 0; j < s->width; j++) {
            const double by_share = s->scale[f] * by_factor(s, f * s->width + j, samples);
            for (size_t k = 0; k < n; k++)
                by_gate[k] += s->candidates->sizes[k] > j ? by_share : 0.0;
        }
        adass_autodim_gradient(s->alpha + f * n, s->gate + f * n, temperature(s), n, by_gate,
                               by_alpha);
        for (size_t k = 0; k < n; k++)
            move(GATE_RATE, (double)s->gates.done, s->alpha + f * n + k, s->m + f * n + k,
                 s->v + f * n + k, by_alpha[k]);
    }
    s->loss += s->gates.loss;
    s->gate_steps++;
    return ADASS_OK;
}

static void learn_scales(search *s, size_t samples)
{
    const double rate = s->setting->config->train.step.learning_rate;
    for (size_t f = 0; f < s->n_fields; f++) {
        double gradient = 0.0;
        for (size_t c = f * s->width; c < (f + 1) * s->width; c++)
            gradient += (double)s->share[c] * by_factor(s, c, samples);
        move(rate, (double)s->weights.done, s->scale + f, s->scale_m + f, s->scale_v + f, gradient);
    }
}

/* Between training steps, steps of the gates. */
static adass_status after_weights(void *user, size_t samples, adass_error *err)
{
    search *s = user;
    learn_scales(s, samples);
    return is_warming_up(s) ? ADASS_OK : adass_steps_one(&s->gates, &s->weights, err);
}

/*
 * Stops as training does; what has been learnt past the best epoch is noise of the training rows. An epoch
 * that the warm-up had most of does not count: its loss is of few validation batches.
 */
static adass_status end_epoch(void *user, adass_error *err)
{
    search *s = user;
    (void)err;
    const double loss = s->loss / (double)s->gate_steps;
    const bool counts = 2 * s->gate_steps >= adass_batches_count(s->weights.batches);
    s->loss = 0.0;
    s->gate_steps = 0;
    if (!counts)
        return ADASS_OK;
    if (loss < s->least_loss) {
        s->least_loss = loss;
        s->best_epoch = s->weights.epoch;
        memcpy(s->best, s->alpha, s->n_fields * s->candidates->n * sizeof *s->best);
    }
    s->weights.stop = s->weights.epoch >= s->best_epoch + s->setting->config->train.patience;
    return ADASS_OK;
}

static void list_state(void *user, adass_state *state)
{
    search *s = user;
    adass_steps_list_place(&s->gates, "gates", state);
    adass_state_add_u64(state, "random", s->rng.s, 4);
    adass_state_add_f64(state, "alpha", s->alpha, 4 * s->n_fields * s->candidates->n);
    adass_state_add_f64(state, "scale", s->scale, 3 * s->n_fields);
    adass_state_add_f64(state, "loss", &s->loss, 1);
    adass_state_add_f64(state, "least_loss", &s->least_loss, 1);
    adass_state_add_u64(state, "gate_steps", &s->gate_steps, 1);
    adass_state_add_u64(state, "best_epoch", &s->best_epoch, 1);
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
    s->scale = calloc(3 * s->n_fields, sizeof *s->scale);
    s->share = calloc(s->packed, sizeof *s->share);
    s->factor = calloc(s->packed, sizeof *s->factor);
    s->normal = adass_alloc(batch * s->packed * sizeof *s->normal);
    s->inv_std = calloc(s->blocks * s->packed, sizeof *s->inv_std);
    s->sums = calloc(s->blocks * s->packed, sizeof *s->sums);
    s->by_block = calloc(s->blocks * s->packed, sizeof *s->by_block);
    if (s->gate == NULL || s->scale == NULL || s->share == NULL || s->factor == NULL ||
        s->normal == NULL || s->inv_std == NULL || s->sums == NULL || s->by_block == NULL)
        return adass_fail_memory(err, "the gates", (double)(batch * s->packed) * 4.0);
    s->scale_m = s->scale + s->n_fields;
    s->scale_v = s->scale_m + s->n_fields;
    for (size_t f = 0; f < s->n_fields; f++)
        s->scale[f] = (double)s->setting->config->model.init_std;
    return ADASS_OK;
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
    free(s->scale);
    free(s->share);
    free(s->factor);
    free(s->normal);
    free(s->inv_std);
    free(s->sums);
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
    s->weights.end_epoch = end_epoch;
    s->gates.after = learn_gates;
    adass_rng_init(&s->rng, adass_seed_derive(config->seed, ADASS_SEED_GATES));
    adass_status status = allocate(s, err);
    if (status == ADASS_OK)
        status = adass_method_create_largest(s->setting, &s->model, err);
    if (status == ADASS_OK)
        status = open_steps(s, &hooks, err);
    if (status == ADASS_OK)
        status = adass_steps_run(&s->weights, err);
    if (status == ADASS_OK) {
        *seconds += adass_keeper_seconds(&s->weights.keeper);
        memcpy(s->alpha, s->best, s->n_fields * s->candidates->n * sizeof *s->alpha);
    }
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
                 .width = config->candidates.sizes[config->candidates.n - 1],
                 .least_loss = INFINITY };
    const size_t cells = s.n_fields * s.candidates->n;
    adass_status status =
        adass_budget_check(s.candidates, setting->vocab, s.n_fields, config->budget, err);
    if (status != ADASS_OK)
        return status;
    s.alpha = calloc(4 * cells, sizeof *s.alpha);
    if (s.alpha == NULL)
        return adass_fail_memory(err, "the gates", (double)cells * 32.0);
    s.m = s.alpha + cells;
    s.v = s.m + cells;
    s.best = s.v + cells;
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
