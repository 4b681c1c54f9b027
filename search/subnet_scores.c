/* Memo of subnet evaluations. */
#include "subnet_scores.h"

#include "adass/memory.h"
#include "adass/metrics.h"
#include "adass/rng.h"
#include "adass/subnet_pass.h"
#include "choice_memo.h"
#include "clock.h"
#include "delong.h"
#include "evaluator.h"
#include "search_memory.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* A race's rows are compared block by block; below this number of rows it would decide nothing. */
enum { RACE_BLOCKS = 128, RACE_FIRST_BLOCKS = RACE_BLOCKS / 8, RACE_ROWS_MIN = RACE_BLOCKS * 64 };

/* Standard errors on either side of an estimate: a field in some ten thousand is left wrongly. */
#define RACE_Z 4.0

struct adass_subnet_scores {
    const adass_model *model;
    adass_candidates candidates;
    const adass_evaluator *evaluator;
    adass_subnet_pass *pass;
    uint32_t *ids; /* [rows x n_fields], the evaluator's in random order */
    float *labels; /* [rows], likewise */
    float *logits; /* [ADASS_PASS_SUBNETS x rows], work space */
    size_t *sizes; /* [ADASS_PASS_SUBNETS x n_fields], work space */
    adass_choice_memo seen;
    double *aucs;                /* [seen.capacity] */
    adass_search_memory *memory; /* NULL: none */
    double remembered;           /* seconds */
};

/* ---- the memo ---- */

/* Room for the AUCs of all that there is room for. */
static adass_status grow_aucs(adass_subnet_scores *s, adass_error *err)
{
    double *aucs = realloc(s->aucs, s->seen.capacity * sizeof *aucs);
    if (aucs == NULL)
        return adass_fail_memory(err, "the subnets' scores", (double)s->seen.capacity * 8.0);
    s->aucs = aucs;
    return ADASS_OK;
}

/* An entry for an assignment that has none, and its AUC, NAN where the caller is to measure it. */
static adass_status add(adass_subnet_scores *s, const uint8_t *choice, adass_error *err)
{
    const adass_remembered_auc *known =
        s->memory != NULL ? adass_search_memory_auc(s->memory, choice) : NULL;
    adass_status status = adass_choice_memo_add(&s->seen, choice, err);
    if (status == ADASS_OK)
        status = grow_aucs(s, err);
    if (status != ADASS_OK)
        return status;
    s->aucs[s->seen.n - 1] = known != NULL ? known->auc : (double)NAN;
    s->remembered += known != NULL ? known->seconds : 0.0;
    return ADASS_OK;
}

/* Of an entry, measured within so many seconds. */
static adass_status set(adass_subnet_scores *s, size_t entry, double auc, double seconds,
                        adass_error *err)
{
    const adass_remembered_auc now = { .auc = auc, .seconds = seconds };
    s->aucs[entry] = auc;
    return s->memory != NULL ? adass_search_memory_put_auc(
                                   s->memory, s->seen.choices + entry * s->seen.n_fields, &now, err)
                             : ADASS_OK;
}

/* ---- rows in random order ---- */

static adass_status shuffle_rows(adass_subnet_scores *s, uint64_t seed, adass_error *err)
{
    const adass_evaluator *e = s->evaluator;
    const size_t n = e->n, n_fields = e->n_fields;
    uint32_t *order = malloc((n + 1) * sizeof *order);
    s->ids = adass_alloc(n * n_fields * sizeof *s->ids);
    s->labels = adass_alloc(n * sizeof *s->labels);
    s->logits = adass_alloc(ADASS_PASS_SUBNETS * n * sizeof *s->logits);
    if (order == NULL || s->ids == NULL || s->labels == NULL || s->logits == NULL) {
        free(order);
        return adass_fail_memory(err, "the rows to evaluate",
                                 (double)(n * (n_fields + ADASS_PASS_SUBNETS)) * 4.0);
    }
    adass_rng rng;
    adass_rng_init(&rng, seed);
    for (size_t i = 0; i < n; i++) { /* Fisher and Yates, inside out */
        const size_t j = (size_t)adass_rng_below(&rng, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(s->ids + i * n_fields, e->ids + order[i] * n_fields, n_fields * sizeof *s->ids);
        s->labels[i] = e->labels[order[i]];
    }
    free(order);
    return ADASS_OK;
}

adass_status adass_subnet_scores_create(adass_subnet_scores **out, const adass_model *model,
                                        const adass_candidates *candidates,
                                        const adass_evaluator *evaluator, uint64_t seed,
                                        adass_search_memory *memory, adass_error *err)
{
    adass_subnet_scores *s = calloc(1, sizeof *s);
    if (s == NULL)
        return adass_fail_memory(err, "the subnets' scores", sizeof *s);
    s->model = model;
    s->candidates = *candidates;
    s->evaluator = evaluator;
    s->memory = memory;
    s->sizes = calloc(ADASS_PASS_SUBNETS * model->n_fields, sizeof *s->sizes);
    adass_status status = s->sizes != NULL ? adass_choice_memo_init(&s->seen, model->n_fields, err)
                                           : adass_fail_memory(err, "the subnets' scores", 1024.0);
    if (status == ADASS_OK)
        status = grow_aucs(s, err);
    if (status == ADASS_OK)
        status = shuffle_rows(s, seed, err);
    if (status == ADASS_OK)
        status =
            adass_subnet_pass_create(&s->pass, model, &evaluator->compute,
                                     adass_pass_precision_for(model), s->ids, evaluator->n, err);
    if (status != ADASS_OK) {
        adass_subnet_scores_destroy(s);
        return status;
    }
    *out = s;
    return ADASS_OK;
}

/* ---- scores ---- */

/* AUCs of rows [first, first + n) of several subnets' logits, a subnet a thread; NaN: one class only. */
static adass_status auc_of_all(const adass_subnet_scores *s, float *const *logits, size_t n_subnets,
                               size_t first, size_t n, double *aucs, size_t aucs_ld,
                               adass_error *err)
{
    adass_status result = ADASS_OK;
    adass_error failure = { 0 };
#pragma omp parallel num_threads(s->evaluator->compute.threads)
    {
        omp_set_num_threads(1); /* of the sort: it belongs to this task */
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n_subnets; i++) {
            adass_error mine = { 0 };
            const adass_status status =
                adass_auc(logits[i] + first, s->labels + first, n, &aucs[i * aucs_ld], &mine);
            if (status != ADASS_OK) {
#pragma omp critical(adass_subnet_scores)
                {
                    result = status;
                    failure = mine;
                }
            }
        }
    }
    return result == ADASS_OK ? ADASS_OK : adass_fail(err, result, "%s", failure.message);
}

/* AUCs on all rows. */
static adass_status auc_of_rows(const adass_subnet_scores *s, float *const *logits,
                                size_t n_subnets, double *aucs, adass_error *err)
{
    const adass_status status = auc_of_all(s, logits, n_subnets, 0, s->evaluator->n, aucs, 1, err);
    return status == ADASS_OK && isnan(aucs[0]) ? adass_evaluator_no_auc(s->evaluator, err)
                                                : status;
}

/* Sizes of n_subnets <= ADASS_PASS_SUBNETS assignments, and their logits for rows [first, end). */
static adass_status run_pass(adass_subnet_scores *s, const uint8_t *const *choices,
                             size_t n_subnets, size_t first, size_t end, float *const *logits,
                             adass_error *err)
{
    const size_t n_fields = s->model->n_fields;
    for (size_t i = 0; i < n_subnets; i++)
        adass_sizes_from_choice(&s->candidates, choices[i], n_fields, s->sizes + i * n_fields);
    return adass_subnet_pass_run(s->pass, s->sizes, n_subnets, first, end, logits, err);
}

/* The entries, ADASS_PASS_SUBNETS at most, that have no AUC yet. */
static adass_status measure(adass_subnet_scores *s, const size_t *entries, size_t n,
                            adass_error *err)
{
    const double begin = adass_clock_seconds();
    const uint8_t *choices[ADASS_PASS_SUBNETS];
    float *logits[ADASS_PASS_SUBNETS];
    double aucs[ADASS_PASS_SUBNETS];
    for (size_t i = 0; i < n; i++) {
        choices[i] = s->seen.choices + entries[i] * s->seen.n_fields;
        logits[i] = s->logits + i * s->evaluator->n;
    }
    adass_status status = run_pass(s, choices, n, 0, s->evaluator->n, logits, err);
    if (status == ADASS_OK)
        status = auc_of_rows(s, logits, n, aucs, err);
    const double seconds = (adass_clock_seconds() - begin) / (double)n;
    for (size_t i = 0; i < n && status == ADASS_OK; i++)
        status = set(s, entries[i], aucs[i], seconds, err);
    return status;
}

adass_status adass_subnet_scores_get_all(adass_subnet_scores *scores, const uint8_t *choices,
                                         size_t n, double *aucs, adass_error *err)
{
    adass_subnet_scores *s = scores;
    const size_t n_fields = s->seen.n_fields;
    size_t entries[ADASS_PASS_SUBNETS], gathered = 0; /* of the pass */
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < n && status == ADASS_OK; i++) {
        const size_t entry = s->seen.n;
        if (adass_choice_memo_find(&s->seen, choices + i * n_fields) < entry)
            continue;
        status = add(s, choices + i * n_fields, err);
        if (status == ADASS_OK && isnan(s->aucs[entry]))
            entries[gathered++] = entry;
        if (status == ADASS_OK && gathered == ADASS_PASS_SUBNETS) {
            status = measure(s, entries, gathered, err);
            gathered = 0;
        }
    }
    if (status == ADASS_OK && gathered > 0)
        status = measure(s, entries, gathered, err);
    for (size_t i = 0; i < n && status == ADASS_OK; i++)
        aucs[i] = s->aucs[adass_choice_memo_find(&s->seen, choices + i * n_fields)];
    return status;
}

adass_status adass_subnet_scores_get(adass_subnet_scores *scores, const uint8_t *choice,
                                     double *auc, adass_error *err)
{
    return adass_subnet_scores_get_all(scores, choice, 1, auc, err);
}

/* ---- the race ---- */

typedef struct racer {
    size_t number; /* among the choices */
    const uint8_t *choice;
    float *logits;        /* [rows] */
    double auc;           /* on all rows */
    double price, margin; /* estimate and half its interval */
    double block_auc[RACE_BLOCKS];
} racer;

/* racers[0] is the base, which stays; those of [1, n) are in the race. */
typedef struct race {
    racer **racers;
    size_t n;
    const double *saved;
    float *logits; /* [all racers x rows] */
    racer *all;
} race;

static size_t block_begin(const adass_subnet_scores *s, size_t block)
{
    return s->evaluator->n * block / RACE_BLOCKS;
}

/* Logits of the racers for the rows of blocks [first, end). */
static adass_status run_blocks(adass_subnet_scores *s, const race *x, size_t first, size_t end,
                               adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t at = 0; at < x->n && status == ADASS_OK; at += ADASS_PASS_SUBNETS) {
        const uint8_t *choices[ADASS_PASS_SUBNETS];
        float *logits[ADASS_PASS_SUBNETS];
        size_t n = 0;
        for (; n < ADASS_PASS_SUBNETS && at + n < x->n; n++) {
            choices[n] = x->racers[at + n]->choice;
            logits[n] = x->racers[at + n]->logits;
        }
        status = run_pass(s, choices, n, block_begin(s, first), block_begin(s, end), logits, err);
    }
    return status;
}

static adass_status score_blocks(const adass_subnet_scores *s, const race *x, size_t first,
                                 size_t end, adass_error *err)
{
    adass_status result = ADASS_OK;
    adass_error failure = { 0 };
#pragma omp parallel num_threads(s->evaluator->compute.threads)
    {
        omp_set_num_threads(1);
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < x->n; i++)
            for (size_t b = first; b < end; b++) {
                adass_error mine = { 0 };
                const size_t begin = block_begin(s, b), n = block_begin(s, b + 1) - begin;
                const adass_status status =
                    adass_auc(x->racers[i]->logits + begin, s->labels + begin, n,
                              &x->racers[i]->block_auc[b], &mine);
                if (status != ADASS_OK) {
#pragma omp critical(adass_subnet_scores)
                    {
                        result = status;
                        failure = mine;
                    }
                }
            }
    }
    return result == ADASS_OK ? ADASS_OK : adass_fail(err, result, "%s", failure.message);
}

/*
 * Price and margin from the first `blocks` blocks: the mean of the differences in their AUCs, with
 * the standard error of a mean of that share of all blocks. False when too few hold both classes.
 */
static bool estimate(racer *r, const racer *base, double saved, size_t blocks)
{
    double sum = 0.0, squares = 0.0, n = 0.0;
    for (size_t b = 0; b < blocks; b++) {
        const double difference = base->block_auc[b] - r->block_auc[b];
        if (isnan(difference))
            continue;
        sum += difference;
        squares += difference * difference;
        n += 1.0;
    }
    if (n < RACE_FIRST_BLOCKS / 2)
        return false;
    const double mean = sum / n, variance = fmax(squares / n - mean * mean, 0.0) * n / (n - 1.0);
    const double unseen = 1.0 - (double)blocks / RACE_BLOCKS;
    r->price = mean / saved;
    r->margin = RACE_Z * sqrt(variance / n * unseen) / saved;
    return true;
}

/* Leaves those that cannot have the lowest price. */
static void drop_losers(race *x, size_t blocks)
{
    double most = INFINITY; /* that the lowest price can be */
    for (size_t i = 1; i < x->n; i++) {
        racer *r = x->racers[i];
        if (!estimate(r, x->racers[0], x->saved[r->number], blocks))
            return;
        most = fmin(most, r->price + r->margin);
    }
    size_t kept = 1;
    for (size_t i = 1; i < x->n; i++)
        if (x->racers[i]->price - x->racers[i]->margin <= most)
            x->racers[kept++] = x->racers[i];
    x->n = kept;
}

static adass_status run_race(adass_subnet_scores *s, race *x, adass_error *err)
{
    adass_status status = ADASS_OK;
    size_t done = 0;
    size_t end = s->evaluator->n >= RACE_ROWS_MIN ? RACE_FIRST_BLOCKS : RACE_BLOCKS;
    for (; done < RACE_BLOCKS && status == ADASS_OK; done = end, end *= 2) {
        status = run_blocks(s, x, done, end, err);
        if (status != ADASS_OK || end == RACE_BLOCKS)
            continue;
        status = score_blocks(s, x, done, end, err);
        if (status == ADASS_OK)
            drop_losers(x, end);
    }
    return status;
}

/* Keeps the AUC of a subnet measured on all rows beside others. */
static adass_status keep(adass_subnet_scores *s, const uint8_t *choice, double auc,
                         adass_error *err)
{
    const size_t entry = adass_choice_memo_find(&s->seen, choice);
    const adass_status status = entry == s->seen.n ? add(s, choice, err) : ADASS_OK;
    return status == ADASS_OK ? set(s, entry, auc, 0.0, err) : status;
}

/* The lowest price among those that ran to the end, whose AUCs are kept. */
static adass_status finish_race(adass_subnet_scores *s, const race *x, size_t *winner,
                                adass_error *err)
{
    double best = INFINITY;
    *winner = x->racers[1]->number;
    for (size_t i = 0; i < x->n; i++) {
        racer *r = x->racers[i];
        adass_status status = auc_of_rows(s, &r->logits, 1, &r->auc, err);
        if (status == ADASS_OK)
            status = keep(s, r->choice, r->auc, err);
        if (status != ADASS_OK)
            return status;
        if (i == 0)
            continue;
        const double price = (x->racers[0]->auc - r->auc) / x->saved[r->number];
        if (price < best) {
            best = price;
            *winner = r->number;
        }
    }
    return ADASS_OK;
}

adass_status adass_subnet_scores_race(adass_subnet_scores *scores, const uint8_t *base,
                                      const uint8_t *choices, const double *saved, size_t n,
                                      size_t *winner, adass_error *err)
{
    const size_t rows = scores->evaluator->n, n_fields = scores->model->n_fields;
    race x = { .racers = calloc(n + 1, sizeof *x.racers),
               .n = n + 1,
               .saved = saved,
               .logits = malloc((n + 1) * rows * sizeof *x.logits),
               .all = calloc(n + 1, sizeof *x.all) };
    adass_status status = ADASS_OK;
    if (x.racers == NULL || x.logits == NULL || x.all == NULL)
        status = adass_fail_memory(err, "a race of subnets", (double)((n + 1) * rows) * 4.0);
    for (size_t i = 0; i <= n && status == ADASS_OK; i++) {
        x.all[i] = (racer){ .number = i - 1,
                            .choice = i == 0 ? base : choices + (i - 1) * n_fields,
                            .logits = x.logits + i * rows };
        x.racers[i] = &x.all[i];
    }
    if (status == ADASS_OK)
        status = run_race(scores, &x, err);
    if (status == ADASS_OK)
        status = finish_race(scores, &x, winner, err);
    free(x.racers);
    free(x.logits);
    free(x.all);
    return status;
}

/* ---- the smallest that is as good ---- */

/* Placements [n_subnets x rows], a subnet a thread. */
static adass_status place_all(const adass_subnet_scores *s, float *const *logits, size_t n_subnets,
                              double *placements, adass_error *err)
{
    const size_t rows = s->evaluator->n;
    adass_status result = ADASS_OK;
#pragma omp parallel for num_threads(s->evaluator->compute.threads) schedule(dynamic)
    for (size_t i = 0; i < n_subnets; i++)
        if (adass_placements_add(logits[i], s->labels, rows, 1.0, placements + i * rows, NULL) !=
            ADASS_OK)
#pragma omp atomic write
            result = ADASS_ENOMEM;
    return result == ADASS_OK ? ADASS_OK
                              : adass_fail_memory(err, "the rows' ranks", (double)rows * 24.0);
}

/*
 * For each margin the first of the placements [best + 1, rows] that is not worse than those of the
 * best. The others' become their differences to them.
 */
static void first_as_good(const adass_subnet_scores *s, double *placements, size_t best,
                          const double *margins, size_t n_margins, size_t *winners)
{
    const size_t rows = s->evaluator->n;
    for (size_t m = 0; m < n_margins; m++)
        winners[m] = best;
    for (size_t i = best; i-- > 0;) {
        double *difference = placements + i * rows;
        for (size_t row = 0; row < rows; row++)
            difference[row] = placements[best * rows + row] - difference[row];
        const adass_delong test = adass_delong_of(difference, s->labels, rows);
        for (size_t m = 0; m < n_margins; m++)
            if (test.difference <= margins[m] * test.std_error)
                winners[m] = i;
    }
}

adass_status adass_subnet_scores_smallest(adass_subnet_scores *scores, const uint8_t *choices,
                                          size_t n, const double *margins, size_t n_margins,
                                          size_t *winners, adass_error *err)
{
    const adass_subnet_scores *s = scores;
    const size_t rows = s->evaluator->n;
    const uint8_t *pass[ADASS_CANDIDATES_MAX];
    float *logits[ADASS_CANDIDATES_MAX];
    double aucs[ADASS_CANDIDATES_MAX];
    for (size_t i = 0; i < n; i++) {
        pass[i] = choices + i * s->model->n_fields;
        logits[i] = s->logits + i * rows;
    }
    adass_status status = run_pass(scores, pass, n, 0, rows, logits, err);
    if (status == ADASS_OK)
        status = auc_of_rows(s, logits, n, aucs, err);
    for (size_t i = 0; i < n && status == ADASS_OK; i++)
        status = keep(scores, pass[i], aucs[i], err);
    if (status != ADASS_OK)
        return status;
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        best = aucs[i] > aucs[best] ? i : best;
    double *placements = calloc((best + 1) * rows, sizeof *placements);
    if (placements == NULL)
        return adass_fail_memory(err, "the rows' placements", (double)((best + 1) * rows) * 8.0);
    status = place_all(s, logits, best + 1, placements, err);
    if (status == ADASS_OK)
        first_as_good(s, placements, best, margins, n_margins, winners);
    free(placements);
    return status;
}

size_t adass_subnet_scores_count(const adass_subnet_scores *scores) { return scores->seen.n; }

double adass_subnet_scores_remembered_seconds(const adass_subnet_scores *scores)
{
    return scores->remembered;
}

void adass_subnet_scores_list_state(adass_subnet_scores *scores, adass_state *state)
{
    adass_subnet_scores *s = scores;
    if (state->from != NULL) {
        const size_t n = adass_safetensors_rows(state->from, "subnets.auc");
        s->seen.n = 0; /* none is valid until the file has been read */
        if (adass_choice_memo_reserve(&s->seen, n, NULL) != ADASS_OK ||
            grow_aucs(s, NULL) != ADASS_OK) {
            state->failed = true;
            return;
        }
        s->seen.n = n;
    }
    adass_state_add_f64(state, "subnets.auc", s->aucs, s->seen.n);
    adass_state_add_u8(state, "subnets.choice", s->seen.choices, s->seen.n * s->seen.n_fields);
    adass_state_add_f64(state, "subnets.remembered", &s->remembered, 1);
}

void adass_subnet_scores_restored(adass_subnet_scores *scores)
{
    adass_choice_memo_refill(&scores->seen);
}

void adass_subnet_scores_destroy(adass_subnet_scores *scores)
{
    if (scores == NULL)
        return;
    adass_subnet_pass_destroy(scores->pass);
    free(scores->ids);
    free(scores->labels);
    free(scores->logits);
    free(scores->sizes);
    adass_choice_memo_free(&scores->seen);
    free(scores->aucs);
    free(scores);
}
