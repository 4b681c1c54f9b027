/* Finalists: assignments around the one found, trained for a while. */
#include "finalists.h"

#include "adass/evaluate.h"
#include "adass/rng.h"
#include "budget.h"
#include "delong.h"
#include "refine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double margins[] = { 0.0, 1.0, 2.0, 4.0, 8.0, 16.0 };

enum {
    N_MARGINS = sizeof margins / sizeof margins[0],
    FINALISTS_MAX = N_MARGINS + 2,
    ROWS_MAX = 500000, /* to compare on: more would cost memory and tell nothing new */
    STREAM_ORDER = 3   /* of the rows; derived from the search's seed */
};

struct adass_finalists {
    adass_finalists_setting setting;
    adass_batches *batches;
    adass_evaluator *valid;
    size_t rows;      /* that are compared */
    size_t *sizes;    /* [n_fields], work space */
    uint64_t n;       /* that are trained */
    uint64_t family;  /* the first so many differ by their margins alone; 0: not known yet */
    uint8_t *choices; /* [FINALISTS_MAX x n_fields] */
    double aucs[FINALISTS_MAX]; /* the best of each while it was trained */
    double *placements;         /* [FINALISTS_MAX x rows], at that time */
};

typedef adass_finalists finals;

/* ---- one finalist ---- */

static uint8_t *choice_of(const finals *s, size_t i)
{
    return s->choices + i * s->setting.problem->n_fields;
}

static uint64_t params_of(const finals *s, const uint8_t *choice)
{
    const adass_search_problem *p = s->setting.problem;
    return adass_budget_params(p->candidates, p->vocab, p->n_fields, choice);
}

static adass_status create_model(const finals *s, const uint8_t *choice, adass_model **out,
                                 adass_error *err)
{
    const adass_search_problem *p = s->setting.problem;
    adass_model_config config = s->setting.supernet->config;
    config.table_type = ADASS_F32;
    config.maps_for_all = false;
    adass_sizes_from_choice(p->candidates, choice, p->n_fields, s->sizes);
    const adass_status status =
        adass_model_create(out, &config, p->n_fields, p->vocab, s->sizes, err);
    if (status == ADASS_OK)
        adass_model_inherit(*out, s->setting.supernet);
    return status;
}

static adass_status next_batch(const finals *s, uint64_t *epoch, adass_batch *batch,
                               adass_error *err)
{
    adass_status status = adass_batches_next(s->batches, batch, err);
    if (status == ADASS_OK && batch->n == 0) {
        adass_batches_shuffle(s->batches, adass_seed_derive(s->setting.problem->seed, STREAM_ORDER),
                              (*epoch)++);
        status = adass_batches_next(s->batches, batch, err);
    }
    return status;
}

/* Of finalist s->n; kept if it is the best so far. */
static adass_status measure(finals *s, const adass_model *model, adass_error *err)
{
    adass_metrics metrics;
    const float *logits, *labels;
    double *placements = s->placements + s->n * s->rows;
    const adass_status status = adass_evaluator_measure(s->valid, model, NULL, &metrics, err);
    if (status != ADASS_OK || metrics.auc <= s->aucs[s->n])
        return status;
    s->aucs[s->n] = metrics.auc;
    memset(placements, 0, s->rows * sizeof *placements);
    adass_evaluator_scores(s->valid, &logits, &labels);
    return adass_placements_add(logits, labels, s->rows, 1.0, placements, err);
}

static adass_status train_step(const finals *s, adass_trainer *trainer, uint64_t *epoch,
                               size_t step, adass_error *err)
{
    const adass_search_problem *p = s->setting.problem;
    adass_batch batch;
    double loss;
    char note[32];
    adass_status status = next_batch(s, epoch, &batch, err);
    if (status == ADASS_OK)
        status = adass_trainer_step(trainer, NULL, &batch, NULL, &loss, err);
    snprintf(note, sizeof note, "finalist %zu", (size_t)s->n + 1);
    if (status == ADASS_OK)
        status = adass_monitor_tick(p->monitor, "finalists", step + 1, s->setting.steps, note, err);
    return adass_keeper_tick(p->keeper, status, err);
}

static adass_status train(finals *s, adass_model *model, adass_error *err)
{
    const size_t steps = s->setting.steps;
    adass_trainer *trainer = NULL;
    uint64_t epoch = 0;
    s->aucs[s->n] = 0.0; /* of one that was stopped */
    adass_status status =
        adass_trainer_create(&trainer, model, s->setting.compute, s->setting.step, err);
    /* from the first batch on, wherever the finalist before has stopped */
    adass_batches_shuffle(s->batches, adass_seed_derive(s->setting.problem->seed, STREAM_ORDER),
                          epoch++);
    for (size_t step = 0, check = 1; check <= ADASS_FINALIST_CHECKS && status == ADASS_OK;
         check++) {
        for (; step < steps * check / ADASS_FINALIST_CHECKS && status == ADASS_OK; step++)
            status = train_step(s, trainer, &epoch, step, err);
        if (status == ADASS_OK)
            status = measure(s, model, err);
    }
    adass_trainer_destroy(trainer);
    return status;
}

/* In the place after the last finalist, which it does not become. */
adass_status adass_finalists_measure(adass_finalists *finalists, const uint8_t *choice, double *auc,
                                     adass_error *err)
{
    finals *s = finalists;
    adass_model *model = NULL;
    assert(s->n < FINALISTS_MAX);
    adass_status status = create_model(s, choice, &model, err);
    if (status == ADASS_OK)
        status = train(s, model, err);
    adass_model_destroy(model);
    *auc = s->aucs[s->n];
    return status;
}

/* Trains and measures `choice`, unless it is among the finalists already or is no model in the budget. */
static adass_status enter(finals *s, const uint8_t *choice, adass_error *err)
{
    const size_t n_fields = s->setting.problem->n_fields;
    const uint64_t params = params_of(s, choice);
    if (params == 0 || params > s->setting.problem->budget)
        return ADASS_OK;
    for (size_t i = 0; i < s->n; i++)
        if (memcmp(choice_of(s, i), choice, n_fields) == 0)
            return ADASS_OK;
    double auc;
    memcpy(choice_of(s, s->n), choice, n_fields);
    const adass_status status = adass_finalists_measure(s, choice, &auc, err);
    s->n += status == ADASS_OK;
    return status;
}

/* ---- who they are ---- */

static adass_status enter_family(finals *s, const uint8_t *choice, adass_error *err)
{
    const adass_search_problem *p = s->setting.problem;
    uint8_t *family = calloc(N_MARGINS, p->n_fields);
    if (family == NULL)
        return adass_fail_memory(err, "the finalists", (double)p->n_fields);
    adass_status status = adass_refine_family(p, choice, margins, N_MARGINS, family, err);
    for (size_t m = 0; m < N_MARGINS && status == ADASS_OK; m++)
        status = enter(s, family + m * p->n_fields, err);
    if (status == ADASS_OK && s->family == 0) /* else a checkpoint holds those after it too */
        s->family = s->n;
    free(family);
    return status;
}

/* Among the first n. */
static size_t best_of(const finals *s, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        best = s->aucs[i] > s->aucs[best] ? i : best;
    return best;
}

/* `choice` with the fields of its largest candidate, `top`, at `level`; none above. */
static void move_top(const uint8_t *choice, size_t n_fields, uint8_t top, uint8_t level,
                     uint8_t *out)
{
    for (size_t f = 0; f < n_fields; f++)
        out[f] = choice[f] == top ? level : choice[f];
}

static adass_status enter_levels(finals *s, adass_error *err)
{
    const adass_search_problem *p = s->setting.problem;
    const uint8_t *best = choice_of(s, best_of(s, s->family));
    uint8_t *moved = calloc(p->n_fields, 1);
    if (moved == NULL)
        return adass_fail_memory(err, "the finalists", (double)p->n_fields);
    uint8_t top = 0;
    for (size_t f = 0; f < p->n_fields; f++)
        top = best[f] > top ? best[f] : top;
    adass_status status = ADASS_OK;
    if ((size_t)top + 1 < p->candidates->n) {
        move_top(best, p->n_fields, top, (uint8_t)(top + 1), moved);
        status = enter(s, moved, err);
    }
    if (status == ADASS_OK && top > 0) {
        move_top(best, p->n_fields, top, (uint8_t)(top - 1), moved);
        status = enter(s, moved, err);
    }
    free(moved);
    return status;
}

/* ---- the winner ---- */

/* Whether finalist i is not more than one standard error below the best. */
static bool is_as_good(const finals *s, size_t i, size_t best, double *difference)
{
    const float *logits, *labels;
    adass_evaluator_scores(s->valid, &logits, &labels);
    for (size_t row = 0; row < s->rows; row++)
        difference[row] = s->placements[best * s->rows + row] - s->placements[i * s->rows + row];
    const adass_delong test = adass_delong_of(difference, labels, s->rows);
    return test.difference <= test.std_error;
}

static adass_status take_winner(const finals *s, uint8_t *choice, adass_error *err)
{
    double *difference = malloc(s->rows * sizeof *difference);
    if (difference == NULL)
        return adass_fail_memory(err, "the finalists", (double)s->rows * 8.0);
    const size_t best = best_of(s, s->n);
    size_t winner = best;
    for (size_t i = 0; i < s->n; i++)
        if (params_of(s, choice_of(s, i)) < params_of(s, choice_of(s, winner)) &&
            is_as_good(s, i, best, difference))
            winner = i;
    memcpy(choice, choice_of(s, winner), s->setting.problem->n_fields);
    free(difference);
    return ADASS_OK;
}

adass_status adass_finalists_choose(adass_finalists *finalists, uint8_t *choice, adass_error *err)
{
    adass_status status = enter_family(finalists, choice, err);
    if (status == ADASS_OK && finalists->n > 0)
        status = enter_levels(finalists, err);
    return status == ADASS_OK && finalists->n > 0 ? take_winner(finalists, choice, err) : status;
}

/* ---- the whole ---- */

adass_status adass_finalists_create(adass_finalists **out, const adass_finalists_setting *setting,
                                    adass_error *err)
{
    const size_t n_fields = setting->problem->n_fields;
    finals *s = calloc(1, sizeof *s);
    if (s == NULL)
        return adass_fail_memory(err, "the finalists", sizeof *s);
    *s = (finals){ .setting = *setting,
                   .sizes = calloc(n_fields, sizeof *s->sizes),
                   .choices = calloc(FINALISTS_MAX, n_fields) };
    adass_status status = ADASS_OK;
    if (s->sizes == NULL || s->choices == NULL)
        status = adass_fail_memory(err, "the finalists", (double)(FINALISTS_MAX * n_fields));
    if (status == ADASS_OK)
        status = adass_batches_open(&s->batches, setting->dataset, ADASS_TRAIN,
                                    setting->step->batch_size, 0, err);
    if (status == ADASS_OK)
        status = adass_evaluator_open(&s->valid, setting->dataset, ADASS_VALID, ROWS_MAX,
                                      setting->compute, err);
    if (status == ADASS_OK) {
        s->rows = adass_evaluator_rows(s->valid);
        s->placements = calloc(FINALISTS_MAX * s->rows, sizeof *s->placements);
        if (s->placements == NULL)
            status = adass_fail_memory(err, "the finalists' placements",
                                       (double)(FINALISTS_MAX * s->rows) * 8.0);
    }
    if (status == ADASS_OK)
        *out = s;
    else
        adass_finalists_destroy(s);
    return status;
}

void adass_finalists_list_state(adass_finalists *finalists, adass_state *state)
{
    finals *s = finalists;
    adass_state_add_u64(state, "finalists.n", &s->n, 1);
    adass_state_add_u64(state, "finalists.family", &s->family, 1);
    adass_state_add_u8(state, "finalists.choice", s->choices,
                       FINALISTS_MAX * s->setting.problem->n_fields);
    adass_state_add_f64(state, "finalists.auc", s->aucs, FINALISTS_MAX);
    adass_state_add_f64(state, "finalists.placements", s->placements, FINALISTS_MAX * s->rows);
}

size_t adass_finalists_count(const adass_finalists *finalists) { return finalists->n; }

void adass_finalists_destroy(adass_finalists *finalists)
{
    if (finalists == NULL)
        return;
    adass_evaluator_close(finalists->valid);
    adass_batches_close(finalists->batches);
    free(finalists->placements);
    free(finalists->choices);
    free(finalists->sizes);
    free(finalists);
}
