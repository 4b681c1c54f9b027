/*
 * SSEDS, single-shot embedding dimension search (Qu et al., SIGIR 2022, arXiv 2204.03281): a model
 * of the largest size is trained; one sweep over the training rows measures for each column j of
 * field f the mean over batches of |dL/dm_fj|, m a mask of ones on the column; the globally most
 * salient columns are kept, their number is the field's size, and the model is trained anew.
 *
 * The two ways of counting the budget: `sseds` takes columns until their parameters fill it;
 * `sseds-dims` takes at most the budget's share of all columns. Ours: `sseds-dims` passes over
 * columns that would exceed the budget of parameters, so that no method exceeds it.
 */
#include "methods/sseds.h"

#include "adass/batches.h"
#include "adass/rng.h"
#include "forward.h"
#include "methods/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the choice ---- */

typedef struct column {
    double saliency;
    size_t number; /* field x width + column */
} column;

static int by_falling_saliency(const void *a, const void *b)
{
    const column *x = a, *y = b;
    if (x->saliency != y->saliency)
        return x->saliency < y->saliency ? 1 : -1;
    return x->number < y->number ? -1 : x->number > y->number;
}

adass_status adass_sseds_select(const double *saliency, const size_t *vocab, size_t n_fields,
                                size_t width, uint64_t budget, size_t max_columns, size_t *sizes,
                                adass_error *err)
{
    const size_t n = n_fields * width;
    column *columns = malloc(n * sizeof *columns);
    if (columns == NULL)
        return adass_fail_memory(err, "the ranking of columns", (double)(n * sizeof *columns));
    for (size_t i = 0; i < n; i++)
        columns[i] = (column){ .saliency = saliency[i], .number = i };
    qsort(columns, n, sizeof *columns, by_falling_saliency);
    uint64_t left = budget;
    size_t taken = 0;
    memset(sizes, 0, n_fields * sizeof *sizes);
    for (size_t i = 0; i < n && taken < max_columns; i++) {
        const size_t f = columns[i].number / width;
        if (vocab[f] > left)
            continue;
        left -= vocab[f];
        sizes[f]++;
        taken++;
    }
    free(columns);
    return taken > 0 ? ADASS_OK
                     : adass_fail(err, ADASS_EINVAL,
                                  "a budget of %llu parameters has no room for one column of any "
                                  "field; raise it",
                                  (unsigned long long)budget);
}

/* ---- the sweep ---- */

typedef struct sweep {
    const adass_method_setting *setting;
    size_t width;     /* of the packed matrix: n_fields x the largest size */
    size_t n_blocks;  /* of a batch at most */
    double *by_block; /* [n_blocks x width]: dL/dm of each block's samples */
    double *saliency; /* [width] */
    adass_step_hooks hooks;
} sweep;

/* dL/dm_fj = sum over the samples of x_fj dL/dx_fj. */
static void note_block(void *user, const adass_packed *p)
{
    sweep *s = user;
    double *sums = s->by_block + p->block * s->width;
    memset(sums, 0, s->width * sizeof *sums);
    for (size_t b = 0; b < p->n; b++) {
        const float *x = p->x + b * p->ld, *dx = p->dx + b * p->ld;
        for (size_t j = 0; j < s->width; j++)
            sums[j] += (double)x[j] * (double)dx[j];
    }
}

static adass_status note_batch(void *user, size_t samples, adass_error *err)
{
    (void)err;
    sweep *s = user;
    const size_t blocks = (samples + ADASS_BLOCK_SAMPLES - 1) / ADASS_BLOCK_SAMPLES;
    for (size_t j = 0; j < s->width; j++) {
        double sum = 0.0;
        for (size_t i = 0; i < blocks; i++)
            sum += s->by_block[i * s->width + j];
        s->saliency[j] += fabs(sum);
    }
    return ADASS_OK;
}

static void list_state(void *user, adass_state *state)
{
    sweep *s = user;
    adass_state_add_f64(state, "saliency", s->saliency, s->width);
}

/* Fills s->saliency for a trained model, which is left with its dropout off; adds to *seconds. */
static adass_status run_sweep(sweep *s, adass_model *model, double *seconds, adass_error *err)
{
    const adass_method_setting *setting = s->setting;
    adass_trainer_config config = setting->config->train.step;
    config.frozen = true;
    config.hooks = &s->hooks;
    s->n_blocks = (config.batch_size + ADASS_BLOCK_SAMPLES - 1) / ADASS_BLOCK_SAMPLES;
    s->by_block = calloc(s->n_blocks * s->width, sizeof *s->by_block);
    if (s->by_block == NULL)
        return adass_fail_memory(err, "the columns' saliencies",
                                 (double)(s->n_blocks * s->width * sizeof(double)));
    model->config.dropout = 0.0f;
    adass_trainer *trainer = NULL;
    adass_batches *batches = NULL;
    adass_status status = adass_trainer_create(&trainer, model, setting->compute, &config, err);
    if (status == ADASS_OK)
        status =
            adass_batches_open(&batches, setting->dataset, ADASS_TRAIN, config.batch_size, 0, err);
    if (status == ADASS_OK) {
        adass_steps steps = { .setting = setting,
                              .trainer = trainer,
                              .batches = batches,
                              .seed = adass_seed_derive(setting->config->seed, ADASS_SEED_SEARCH),
                              .epochs = 1,
                              .stage = "saliency",
                              .after = note_batch,
                              .list = list_state,
                              .user = s };
        status = adass_steps_run(&steps, err);
        *seconds += adass_keeper_seconds(&steps.keeper);
    }
    adass_batches_close(batches);
    adass_trainer_destroy(trainer);
    return status;
}

/* ---- the method ---- */

/* Fills s->saliency, for any budget. */
static adass_status learn(void *user, double *seconds, adass_error *err)
{
    sweep *s = user;
    adass_model *model = NULL;
    adass_status status = adass_method_pretrain(
        s->setting, NULL, s->setting->config->train.patience, &model, seconds, err);
    if (status == ADASS_OK)
        status = run_sweep(s, model, seconds, err);
    free(s->by_block);
    return status;
}

static adass_status choose(const sweep *s, bool count_dims, size_t *sizes, adass_error *err)
{
    const adass_method_setting *setting = s->setting;
    const size_t n_fields = setting->dataset->n_fields, width = s->width / n_fields;
    double rows = 0.0;
    for (size_t f = 0; f < n_fields; f++)
        rows += (double)setting->vocab[f];
    const uint64_t budget = setting->config->budget;
    const double share = (double)budget / (rows * (double)width);
    size_t columns = s->width;
    if (count_dims && share < 1.0)
        columns = (size_t)fmax(1.0, floor(share * (double)s->width));
    return adass_sseds_select(s->saliency, setting->vocab, n_fields, width, budget, columns, sizes,
                              err);
}

static adass_status find_counting(const adass_method_setting *setting, bool count_dims,
                                  size_t *sizes, adass_found *found, adass_error *err)
{
    const adass_candidates *candidates = &setting->config->candidates;
    sweep s = { .setting = setting,
                .width = setting->dataset->n_fields * candidates->sizes[candidates->n - 1] };
    s.hooks = (adass_step_hooks){ .user = &s, .backward = note_block };
    s.saliency = calloc(s.width, sizeof *s.saliency);
    if (s.saliency == NULL)
        return adass_fail_memory(err, "the columns' saliencies", (double)s.width * 8.0);
    adass_status status =
        adass_method_learn(setting, learn, &s, s.saliency, s.width, &found->search_seconds, err);
    if (status == ADASS_OK)
        status = choose(&s, count_dims, sizes, err);
    free(s.saliency);
    return status;
}

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    return find_counting(setting, false, sizes, found, err);
}

static adass_status find_dims(const adass_method_setting *setting, size_t *sizes,
                              adass_found *found, adass_error *err)
{
    return find_counting(setting, true, sizes, found, err);
}

const adass_method_kind adass_method_sseds = {
    .name = "sseds", .searches = true, .pretrains = true, .find = find
};
const adass_method_kind adass_method_sseds_dims = {
    .name = "sseds-dims",
    .searches = true,
    .pretrains = true,
    .shares = "sseds",
    .find = find_dims,
};
