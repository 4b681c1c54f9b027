/*
 * Evolution with the setting of OptEmbed (Lyu et al., arXiv 2208.04482): a generation is ten
 * mutated (each field with probability 0.1) and ten crossed-over copies of parents from the best
 * fifteen so far, whose fitness is the inherited AUC. OptEmbed knows no budget: ours shrinks every
 * newcomer into it (adass_budget_shrink()).
 */
#include "searcher.h"

#include "budget.h"

#include <stdlib.h>
#include <string.h>

enum { POPULATION = 20, MUTATED = 10, PARENTS = 15 };

typedef struct evolution {
    const adass_search_problem *problem;
    adass_rng rng;
    uint8_t *parents; /* [PARENTS x n_fields], by falling AUC, all different */
    double aucs[PARENTS];
    size_t n_parents, evaluated;
    uint8_t *child; /* [n_fields] */
} evolution;

static bool is_parent(const evolution *e, const uint8_t *choice)
{
    const size_t n = e->problem->n_fields;
    for (size_t i = 0; i < e->n_parents; i++)
        if (memcmp(e->parents + i * n, choice, n) == 0)
            return true;
    return false;
}

/* Takes the child among the parents if it is good enough. */
static void take_child(evolution *e, double auc)
{
    const size_t n = e->problem->n_fields;
    size_t at = e->n_parents;
    while (at > 0 && auc > e->aucs[at - 1])
        at--;
    if (at == PARENTS || is_parent(e, e->child))
        return;
    e->n_parents += e->n_parents < PARENTS;
    for (size_t i = e->n_parents - 1; i > at; i--) {
        memcpy(e->parents + i * n, e->parents + (i - 1) * n, n);
        e->aucs[i] = e->aucs[i - 1];
    }
    memcpy(e->parents + at * n, e->child, n);
    e->aucs[at] = auc;
}

static const uint8_t *random_parent(evolution *e)
{
    return e->parents + (size_t)adass_rng_below(&e->rng, e->n_parents) * e->problem->n_fields;
}

static void mutate(evolution *e)
{
    const adass_search_problem *p = e->problem;
    memcpy(e->child, random_parent(e), p->n_fields);
    for (size_t f = 0; f < p->n_fields; f++)
        if (adass_rng_unit(&e->rng) < 0.1)
            e->child[f] = (uint8_t)adass_rng_below(&e->rng, p->candidates->n);
}

/* One point, so that both parents give at least one field. */
static void cross(evolution *e)
{
    const size_t n = e->problem->n_fields;
    memcpy(e->child, random_parent(e), n);
    if (n < 2)
        return;
    const size_t point = 1 + (size_t)adass_rng_below(&e->rng, n - 1);
    memcpy(e->child + point, random_parent(e) + point, n - point);
}

static adass_status measure_child(evolution *e, adass_error *err)
{
    const adass_search_problem *p = e->problem;
    double auc;
    adass_budget_shrink(p->candidates, p->vocab, p->n_fields, p->budget, &e->rng, e->child);
    adass_status status = adass_subnet_scores_get(p->scores, e->child, &auc, err);
    if (status != ADASS_OK)
        return status;
    take_child(e, auc);
    return adass_search_tick(p, ++e->evaluated, err);
}

static adass_status evolve(evolution *e, adass_error *err)
{
    const adass_search_problem *p = e->problem;
    for (size_t i = 0; i < p->evaluations; i++) {
        if (i < POPULATION)
            adass_budget_draw(p->candidates, p->vocab, p->n_fields, p->budget, &e->rng, e->child);
        else if (i % POPULATION < MUTATED)
            mutate(e);
        else
            cross(e);
        const adass_status status = measure_child(e, err);
        if (status != ADASS_OK)
            return status;
    }
    return ADASS_OK;
}

adass_status adass_search_evolution(const adass_search_problem *problem, uint8_t *choice,
                                    adass_error *err)
{
    const size_t n = problem->n_fields;
    evolution e = { .problem = problem, .parents = calloc(PARENTS, n), .child = calloc(n, 1) };
    adass_rng_init(&e.rng, problem->seed);
    adass_status status = e.parents != NULL && e.child != NULL
                              ? evolve(&e, err)
                              : adass_fail_memory(err, "the evolution", (double)(PARENTS * n));
    if (status == ADASS_OK)
        memcpy(choice, e.parents, n);
    free(e.parents);
    free(e.child);
    return status;
}
