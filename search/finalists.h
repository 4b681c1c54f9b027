/*
 * The last choice of the search. Assignments around the refined one and near uniform sizes are trained
 * for a short while, and compared by what they have become. In the supernet a size is judged by weights
 * that serve all other sizes as well: those of a user's columns, say, hold what they learnt with a large
 * context table, which a small one takes away. A model of its own moves such things to other columns
 * within some hundred steps.
 */
#ifndef ADASS_FINALISTS_H
#define ADASS_FINALISTS_H

#include "adass/dataset.h"
#include "adass/model.h"
#include "adass/search.h"
#include "searcher.h"

/** How often a finalist is measured while it is trained; the best counts, as in training. */
enum { ADASS_FINALIST_CHECKS = 4 };

typedef struct adass_finalists_setting {
    const adass_search_problem *problem; /* scores may be NULL if none is to be chosen */
    const adass_model *supernet;
    const adass_dataset *dataset;
    const adass_compute *compute;
    const adass_trainer_config *step; /* of the supernet's training */
    size_t steps;                     /* for which each finalist is trained, at least 1 */
    adass_search_memory *memory;      /* begun, of this supernet and step; NULL: none */
} adass_finalists_setting;

typedef struct adass_finalists adass_finalists;

/** Steps for which each is trained: a share of the supernet's, rounded down. */
static inline size_t adass_finalists_steps(double share, const adass_model *supernet)
{
    return (size_t)(share * (double)supernet->steps);
}

/** What the setting points to must outlive it; the setting itself is copied. */
adass_status adass_finalists_create(adass_finalists **out, const adass_finalists_setting *setting,
                                    adass_error *err);

/** Lists the finalists that are trained, for checkpoints; one that was not through begins anew. */
void adass_finalists_list_state(adass_finalists *finalists, adass_state *state);

/**
 * The finalists are:
 * - `choice`;
 * - what becomes of it with all fields at once at the smallest size that in the supernet is within m
 *   standard errors of the field's best, for m = 0, 2, 4, 8 and 16;
 * - the largest candidate that all fields can have within the budget, and the next one for all, shrunk
 *   into the budget (adass_shrink()): so the search need not lose to uniform sizes for want of looking;
 * - what moves of the best so far make of it, each again as long as it helps, at most nine in all: the
 *   fields of its largest size to the next candidate (shrunk into the budget, where that exceeds it),
 *   all others to the one below, or those of the largest size to the one below. Two fields interact over
 *   the components that both have, so that none of them gains by growing alone, and a useless field is
 *   in the way of all.
 * Each begins with the supernet's weights and Adam's moments at 0, sees the same batches, and counts
 * with the best of four validation AUCs on the way. One gives up at a check where it would have to gain
 * three times what the best so far gained from there on (where that gained nothing: at all), only to be its
 * equal. The best wins, an earlier one where two are equal.
 *
 * @param choice  [n_fields], inside the budget; so is the winner, which takes its place
 */
adass_status adass_finalists_choose(adass_finalists *finalists, uint8_t *choice, adass_error *err);

/**
 * Trains and measures an assignment as a finalist, without making it one: for those that only want to
 * know. Not after adass_finalists_choose(), whose finalists may have taken all room.
 *
 * @param choice  [n_fields], at least one of the sizes above 0; the budget plays no part
 * @param auc     out: the best of its four validation AUCs
 */
adass_status adass_finalists_measure(adass_finalists *finalists, const uint8_t *choice, double *auc,
                                     adass_error *err);

/** Number of finalists, whether trained or remembered. */
size_t adass_finalists_count(const adass_finalists *finalists);

/** Seconds that those took which were remembered. */
double adass_finalists_remembered_seconds(const adass_finalists *finalists);

/** Accepts NULL. */
void adass_finalists_destroy(adass_finalists *finalists);

#endif
