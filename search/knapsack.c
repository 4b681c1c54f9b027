/* The multiple-choice knapsack, by Pareto fronts. */
#include "knapsack.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { FRONT_MAX = 1 << 18, RANGES = 1 << 17, CHOICES_MAX = 256 };

/* A way of choosing for the groups so far that no other is both cheaper and better than. */
typedef struct point {
    uint64_t cost;
    double value;
    uint32_t from; /* its point in the front before */
    uint8_t choice;
} point;

typedef struct front {
    point *points; /* by rising cost and rising value */
    size_t n, capacity;
} front;

static bool append(front *f, point p)
{
    if (f->n == f->capacity) {
        const size_t capacity = f->capacity == 0 ? 1024 : 2 * f->capacity;
        point *points = realloc(f->points, capacity * sizeof *points);
        if (points == NULL)
            return false;
        f->points = points;
        f->capacity = capacity;
    }
    f->points[f->n++] = p;
    return true;
}

/* Of each range of cost the last point, which is its best. */
static void thin(front *f, uint64_t budget)
{
    const double range = (double)budget / RANGES;
    size_t kept = 0;
    for (size_t i = 0; i < f->n; i++)
        if (i + 1 == f->n || floor((double)f->points[i].cost / range) !=
                                 floor((double)f->points[i + 1].cost / range))
            f->points[kept++] = f->points[i];
    f->n = kept;
}

/* The front before, extended by each choice of a group: a merge of sorted lists. */
static bool extend(const front *before, const double *value, const uint64_t *cost, size_t n_choices,
                   uint64_t budget, front *after)
{
    size_t at[CHOICES_MAX] = { 0 };
    for (;;) {
        size_t best = n_choices;
        point next = { 0 };
        for (size_t k = 0; k < n_choices; k++) {
            if (at[k] == before->n)
                continue;
            const point *p = &before->points[at[k]];
            const point here = { .cost = p->cost + cost[k],
                                 .value = p->value + value[k],
                                 .from = (uint32_t)at[k],
                                 .choice = (uint8_t)k };
            if (best == n_choices || here.cost < next.cost ||
                (here.cost == next.cost && here.value > next.value)) {
                best = k;
                next = here;
            }
        }
        if (best == n_choices || next.cost > budget)
            return true;
        at[best]++;
        if ((after->n == 0 || next.value > after->points[after->n - 1].value) &&
            !append(after, next))
            return false;
        if (after->n > FRONT_MAX)
            thin(after, budget);
    }
}

static adass_status solve(front *fronts, const double *value, const uint64_t *cost, size_t n_groups,
                          size_t n_choices, uint64_t budget, uint8_t *choice, adass_error *err)
{
    bool complete = append(&fronts[0], (point){ 0 });
    for (size_t g = 0; g < n_groups && complete; g++)
        complete = extend(&fronts[g], value + g * n_choices, cost + g * n_choices, n_choices,
                          budget, &fronts[g + 1]);
    if (!complete)
        return adass_fail_memory(err, "the knapsack's fronts", FRONT_MAX * sizeof(point));
    if (fronts[n_groups].n == 0)
        return adass_fail(err, ADASS_EINVAL, "no assignment keeps a budget of %llu parameters",
                          (unsigned long long)budget);
    size_t at = fronts[n_groups].n - 1;
    for (size_t g = n_groups; g-- > 0;) {
        const point *p = &fronts[g + 1].points[at];
        choice[g] = p->choice;
        at = p->from;
    }
    return ADASS_OK;
}

adass_status adass_knapsack_solve(const double *value, const uint64_t *cost, size_t n_groups,
                                  size_t n_choices, uint64_t budget, uint8_t *choice,
                                  adass_error *err)
{
    front *fronts = calloc(n_groups + 1, sizeof *fronts);
    if (fronts == NULL)
        return adass_fail_memory(err, "the knapsack's fronts", (double)n_groups * 32.0);
    const adass_status status =
        solve(fronts, value, cost, n_groups, n_choices, budget, choice, err);
    for (size_t g = 0; g <= n_groups; g++)
        free(fronts[g].points);
    free(fronts);
    return status;
}
