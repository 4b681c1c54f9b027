/*
 * Fit and solve: the AUCs of uniformly drawn assignments are fitted by an additive utility
 * A(a) = mean + sum_f u_f(a_f) (ridge regression on one-hot sizes), which the multiple-choice
 * knapsack then maximises under the budget. One set of evaluations serves every budget.
 */
#include "searcher.h"

#include "budget.h"
#include "knapsack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Added to the diagonal: worth one assignment a cell. */
static const double RIDGE = 1.0;

typedef struct fit {
    const adass_search_problem *problem;
    size_t cells;    /* n_fields x K */
    double *matrix;  /* [cells x cells]: how often two cells were drawn together */
    double *utility; /* [cells]: sums of the AUCs above the mean, then the solution */
    uint8_t *drawn;  /* [evaluations x n_fields] */
    double *aucs;    /* [evaluations] */
    uint64_t *cost;  /* [cells] */
} fit;

static adass_status allocate(fit *x, adass_error *err)
{
    const adass_search_problem *p = x->problem;
    x->matrix = calloc(x->cells * x->cells, sizeof *x->matrix);
    x->utility = calloc(x->cells, sizeof *x->utility);
    x->drawn = calloc(p->evaluations, p->n_fields);
    x->aucs = calloc(p->evaluations, sizeof *x->aucs);
    x->cost = calloc(x->cells, sizeof *x->cost);
    if (x->matrix == NULL || x->utility == NULL || x->drawn == NULL || x->aucs == NULL ||
        x->cost == NULL)
        return adass_fail_memory(err, "the utilities", (double)(x->cells * x->cells) * 8.0);
    return ADASS_OK;
}

static bool is_empty(const adass_search_problem *p, const uint8_t *choice)
{
    return adass_search_params(p, choice) == 0;
}

static void draw_all(fit *x)
{
    const adass_search_problem *p = x->problem;
    adass_rng rng;
    adass_rng_init(&rng, p->seed);
    for (size_t i = 0; i < p->evaluations; i++) {
        uint8_t *choice = x->drawn + i * p->n_fields;
        do
            for (size_t f = 0; f < p->n_fields; f++)
                choice[f] = (uint8_t)adass_rng_below(&rng, p->candidates->n);
        while (is_empty(p, choice));
    }
}

static void fill_equations(fit *x)
{
    const adass_search_problem *p = x->problem;
    const size_t k = p->candidates->n;
    double mean = 0.0;
    for (size_t i = 0; i < p->evaluations; i++)
        mean += x->aucs[i] / (double)p->evaluations;
    for (size_t i = 0; i < p->evaluations; i++) {
        const uint8_t *choice = x->drawn + i * p->n_fields;
        for (size_t f = 0; f < p->n_fields; f++) {
            double *row = x->matrix + (f * k + choice[f]) * x->cells;
            x->utility[f * k + choice[f]] += x->aucs[i] - mean;
            for (size_t g = 0; g < p->n_fields; g++)
                row[g * k + choice[g]] += 1.0;
        }
    }
    for (size_t c = 0; c < x->cells; c++)
        x->matrix[c * x->cells + c] += RIDGE;
}

/* Cholesky's decomposition in place, then the two triangular systems. */
static void solve_equations(double *a, double *b, size_t n)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = j; i < n; i++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
}

adass_status adass_search_knapsack(const adass_search_problem *problem, uint8_t *choice,
                                   adass_error *err)
{
    const adass_search_problem *p = problem;
    const size_t k = p->candidates->n;
    fit x = { .problem = p, .cells = p->n_fields * k };
    adass_status status = allocate(&x, err);
    if (status == ADASS_OK) {
        draw_all(&x);
        status = adass_search_measure(p, x.drawn, x.aucs, err);
    }
    if (status == ADASS_OK) {
        fill_equations(&x);
        solve_equations(x.matrix, x.utility, x.cells);
        for (size_t c = 0; c < x.cells; c++)
            x.cost[c] = (uint64_t)p->vocab[c / k] * p->candidates->sizes[c % k];
        status = adass_knapsack_solve(x.utility, x.cost, p->n_fields, k, p->budget, choice, err);
    }
    if (status == ADASS_OK && is_empty(p, choice))
        adass_budget_cheapest(p->candidates, p->vocab, p->n_fields, choice);
    free(x.matrix);
    free(x.utility);
    free(x.drawn);
    free(x.aucs);
    free(x.cost);
    return status;
}
