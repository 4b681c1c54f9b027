/* Finalists: assignments around the one found and near uniform sizes, trained for a while. */
#include "finalists.h"

#include "adass/evaluate.h"
#include "adass/rng.h"
#include "clock.h"
#include "refine.h"
#include "search_memory.h"
#include "shrink.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double margins[] = { 0.0, 2.0, 4.0, 8.0, 16.0 };

enum {
    N_MARGINS = sizeof margins / sizeof margins[0],
    MOVES_MAX = 9,
    FINALISTS_MAX = 1 + N_MARGINS + 2 + MOVES_MAX,
    CHECKS = ADASS_FINALIST_CHECKS,
    ROWS_MAX = 500000, /* to compare on: more would tell nothing new */
    STREAM_ORDER = 3   /* of the rows; derived from the search's seed */
};

static const size_t NONE = SIZE_MAX;

/* 2 gave a finalist up, on Frappe, from which the winner was reached. */
static const double PATIENCE = 3.0;

struct adass_finalists {
    adass_finalists_setting setting;
    adass_batches *batches;
    adass_evaluator *valid;
    size_t *sizes;                      /* [n_fields], work space */
    uint64_t n;                         /* that are trained */
    size_t best;                        /* of those that have entered; NONE: nobody has */
    uint8_t *choices;                   /* [FINALISTS_MAX x n_fields] */
    double aucs[FINALISTS_MAX][CHECKS]; /* the best of each up to that check */
    double remembered;                  /* seconds */
};

typedef adass_finalists finals;

/* ---- one finalist ---- */

static uint8_t *choice_of(const finals *s, size_t i)
{
    return s->choices + i * s->setting.problem->n_fields;
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

static double auc_of(const finals *s, size_t i) { return s->aucs[i][CHECKS - 1]; }

/* Of finalist s->n at a check; what it has reached stands for the later ones too, should it give up. */
static void note(finals *s, size_t check, double auc)
{
    for (size_t c = check; c < CHECKS; c++)
        if (auc > s->aucs[s->n][c])
            s->aucs[s->n][c] = auc;
}

static adass_status measure(finals *s, const adass_model *model, size_t check, adass_error *err)
{
    adass_metrics metrics;
    const adass_status status = adass_evaluator_measure(s->valid, model, NULL, &metrics, err);
    if (status == ADASS_OK)
        note(s, check, metrics.auc);
    return status;
}

/*
 * Whether finalist s->n would have to gain more than PATIENCE times what the best gained from this
 * check on, only to be its equal.
 */
static bool is_hopeless(const finals *s, size_t check)
{
    if (s->best == NONE)
        return false;
    const double then = s->aucs[s->best][check];
    return then - s->aucs[s->n][check] > (PATIENCE - 1.0) * (auc_of(s, s->best) - then);
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

/*
 * Finalist s->n as it was trained for another budget. False: it is to be trained, for none was, or it
 * gave up where today it would not.
 */
static bool recall(finals *s, const uint8_t *choice)
{
    const adass_remembered_finalist *r =
        s->setting.memory != NULL ? adass_search_memory_finalist(s->setting.memory, choice) : NULL;
    bool hopeless = false;
    size_t check = 0;
    if (r == NULL)
        return false;
    memset(s->aucs[s->n], 0, sizeof s->aucs[s->n]);
    for (; check < r->checks && !hopeless; check++) {
        note(s, check, r->aucs[check]);
        hopeless = is_hopeless(s, check);
    }
    if (!hopeless && check < CHECKS)
        return false;
    s->remembered += r->seconds * (double)check / (double)r->checks;
    return true;
}

static adass_status remember(const finals *s, const uint8_t *choice, size_t checks, double seconds,
                             adass_error *err)
{
    adass_remembered_finalist r = { .checks = checks, .seconds = seconds };
    memcpy(r.aucs, s->aucs[s->n], checks * sizeof *r.aucs);
    return s->setting.memory != NULL
               ? adass_search_memory_put_finalist(s->setting.memory, choice, &r, err)
               : ADASS_OK;
}

/* Fills *checks: those that it reached. */
static adass_status train(finals *s, adass_model *model, size_t *checks, adass_error *err)
{
    const size_t steps = s->setting.steps;
    adass_trainer *trainer = NULL;
    uint64_t epoch = 0;
    size_t check = 0;
    bool hopeless = false;
    memset(s->aucs[s->n], 0, sizeof s->aucs[s->n]); /* of one that was stopped */
    adass_status status =
        adass_trainer_create(&trainer, model, s->setting.compute, s->setting.step, err);
    /* from the first batch on, wherever the finalist before has stopped */
    adass_batches_shuffle(s->batches, adass_seed_derive(s->setting.problem->seed, STREAM_ORDER),
                          epoch++);
    for (size_t step = 0; check < CHECKS && status == ADASS_OK && !hopeless; check++) {
        for (; step < steps * (check + 1) / CHECKS && status == ADASS_OK; step++)
            status = train_step(s, trainer, &epoch, step, err);
        if (status == ADASS_OK)
            status = measure(s, model, check, err);
        hopeless = is_hopeless(s, check);
    }
    *checks = check;
    adass_trainer_destroy(trainer);
    return status;
}

/* In the place after the last finalist, which it does not become. */
adass_status adass_finalists_measure(adass_finalists *finalists, const uint8_t *choice, double *auc,
                                     adass_error *err)
{
    finals *s = finalists;
    const double begin = adass_clock_seconds();
    adass_model *model = NULL;
    size_t checks = 0;
    adass_status status = ADASS_OK;
    assert(s->n < FINALISTS_MAX);
    if (!recall(s, choice)) {
        status = create_model(s, choice, &model, err);
        if (status == ADASS_OK)
            status = train(s, model, &checks, err);
        if (status == ADASS_OK)
            status = remember(s, choice, checks, adass_clock_seconds() - begin, err);
        adass_model_destroy(model);
    }
    *auc = auc_of(s, s->n);
    return status;
}

static void compare(finals *s, size_t i)
{
    if (s->best == NONE || auc_of(s, i) > auc_of(s, s->best))
        s->best = i;
}

/*
 * Trains and measures `choice`, unless it is no model in the budget or was trained before: after a
 * checkpoint, all that were enter once more, in the same order.
 */
static adass_status enter(finals *s, const uint8_t *choice, adass_error *err)
{
    const size_t n_fields = s->setting.problem->n_fields;
    const uint64_t params = adass_search_params(s->setting.problem, choice);
    if (params == 0 || params > s->setting.problem->budget)
        return ADASS_OK;
    for (size_t i = 0; i < s->n; i++)
        if (memcmp(choice_of(s, i), choice, n_fields) == 0) {
            compare(s, i);
            return ADASS_OK;
        }
    double auc;
    assert(s->n < FINALISTS_MAX);
    memcpy(choice_of(s, s->n), choice, n_fields);
    const adass_status status = adass_finalists_measure(s, choice, &auc, err);
    if (status == ADASS_OK)
        compare(s, s->n++);
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
    free(family);
    return status;
}

/* The largest candidate that all fields can have within the budget; 0 if none. */
static size_t largest_uniform(const finals *s, uint8_t *choice)
{
    const adass_search_problem *p = s->setting.problem;
    size_t k = 0;
    for (size_t next = 1; next < p->candidates->n; next++) {
        memset(choice, (int)next, p->n_fields);
        k = adass_search_params(s->setting.problem, choice) <= p->budget ? next : k;
    }
    return k;
}

/* That candidate everywhere, and the next one everywhere, shrunk into the budget. */
static adass_status enter_uniform(finals *s, uint8_t *choice, adass_error *err)
{
    const adass_search_problem *p = s->setting.problem;
    const size_t fits = largest_uniform(s, choice);
    uint64_t steps = 0;
    memset(choice, (int)fits, p->n_fields);
    adass_status status = enter(s, choice, err);
    if (status != ADASS_OK || fits + 1 == p->candidates->n)
        return status;
    memset(choice, (int)fits + 1, p->n_fields);
    status = adass_shrink(p, choice, &steps, err);
    return status == ADASS_OK ? enter(s, choice, err) : status;
}

/* What can be done to an assignment: to the fields of its largest candidate, or to all the others. */
enum { TOP_UP, REST_DOWN, TOP_DOWN, N_MOVES };

/* One candidate further; what has none stays. */
static void move(const finals *s, const uint8_t *choice, int kind, uint8_t *out)
{
    const adass_search_problem *p = s->setting.problem;
    uint8_t top = 0;
    for (size_t f = 0; f < p->n_fields; f++)
        top = choice[f] > top ? choice[f] : top;
    for (size_t f = 0; f < p->n_fields; f++) {
        const uint8_t k = choice[f];
        const uint8_t lower = k > 0 ? (uint8_t)(k - 1) : k;
        const uint8_t higher = (size_t)k + 1 < p->candidates->n ? (uint8_t)(k + 1) : k;
        out[f] = (k == top) != (kind == REST_DOWN) ? (kind == TOP_UP ? higher : lower) : k;
    }
}

/*
 * From the best so far, each move again as long as it makes it better, until none does. Where larger
 * sizes exceed the budget, the assignment is shrunk back into it, be it by one of the fields that grew.
 */
static adass_status climb(finals *s, uint8_t *moved, adass_error *err)
{
    adass_status status = ADASS_OK;
    uint64_t steps = 0;
    int kind = 0, failed = 0;
    for (int i = 0; i < MOVES_MAX && failed < N_MOVES && status == ADASS_OK; i++) {
        const size_t best = s->best;
        move(s, choice_of(s, best), kind, moved);
        if (kind == TOP_UP)
            status = adass_shrink(s->setting.problem, moved, &steps, err);
        if (status == ADASS_OK)
            status = enter(s, moved, err);
        failed = s->best != best ? 0 : failed + 1;
        kind = s->best != best ? kind : (kind + 1) % N_MOVES;
    }
    return status;
}

adass_status adass_finalists_choose(adass_finalists *finalists, uint8_t *choice, adass_error *err)
{
    finals *s = finalists;
    const size_t n_fields = s->setting.problem->n_fields;
    uint8_t *other = calloc(n_fields, 1);
    if (other == NULL)
        return adass_fail_memory(err, "the finalists", (double)n_fields);
    s->best = NONE;
    adass_status status = enter(s, choice, err);
    if (status == ADASS_OK)
        status = enter_family(s, choice, err);
    if (status == ADASS_OK)
        status = enter_uniform(s, other, err);
    if (status == ADASS_OK && s->best != NONE)
        status = climb(s, other, err);
    if (status == ADASS_OK && s->best != NONE)
        memcpy(choice, choice_of(s, s->best), n_fields);
    free(other);
    return status;
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
                   .choices = calloc(FINALISTS_MAX, n_fields),
                   .best = NONE };
    adass_status status = ADASS_OK;
    if (s->sizes == NULL || s->choices == NULL)
        status = adass_fail_memory(err, "the finalists", (double)(FINALISTS_MAX * n_fields));
    if (status == ADASS_OK)
        status = adass_batches_open(&s->batches, setting->dataset, ADASS_TRAIN,
                                    setting->step->batch_size, 0, err);
    if (status == ADASS_OK)
        status = adass_evaluator_open(&s->valid, setting->dataset, ADASS_VALID, ROWS_MAX,
                                      setting->compute, err);
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
    adass_state_add_u8(state, "finalists.choice", s->choices,
                       FINALISTS_MAX * s->setting.problem->n_fields);
    adass_state_add_f64(state, "finalists.auc", &s->aucs[0][0], FINALISTS_MAX * CHECKS);
    adass_state_add_f64(state, "finalists.remembered", &s->remembered, 1);
}

size_t adass_finalists_count(const adass_finalists *finalists) { return finalists->n; }

double adass_finalists_remembered_seconds(const adass_finalists *finalists)
{
    return finalists->remembered;
}

void adass_finalists_destroy(adass_finalists *finalists)
{
    if (finalists == NULL)
        return;
    adass_evaluator_close(finalists->valid);
    adass_batches_close(finalists->batches);
    free(finalists->choices);
    free(finalists->sizes);
    free(finalists);
}
