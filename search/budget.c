/* Budgets: checks, the cheapest assignment, and the ways of fitting one into a budget. */
#include "budget.h"

#include "adass/search.h"

#include <stdlib.h>
#include <string.h>

uint64_t adass_budget_params(const adass_candidates *candidates, const size_t *vocab,
                             size_t n_fields, const uint8_t *choice)
{
    uint64_t params = 0;
    for (size_t f = 0; f < n_fields; f++)
        params += (uint64_t)vocab[f] * candidates->sizes[choice[f]];
    return params;
}

uint64_t adass_budget_cheapest(const adass_candidates *candidates, const size_t *vocab,
                               size_t n_fields, uint8_t *choice)
{
    memset(choice, 0, n_fields);
    if (candidates->sizes[0] > 0)
        return adass_budget_params(candidates, vocab, n_fields, choice);
    size_t least = 0;
    for (size_t f = 1; f < n_fields; f++)
        least = vocab[f] < vocab[least] ? f : least;
    choice[least] = 1;
    return (uint64_t)vocab[least] * candidates->sizes[1];
}

adass_status adass_budget_check(const adass_candidates *candidates, const size_t *vocab,
                                size_t n_fields, uint64_t budget, adass_error *err)
{
    uint8_t *choice = calloc(n_fields, 1);
    if (choice == NULL)
        return adass_fail_memory(err, "an assignment", (double)n_fields);
    const uint64_t least = adass_budget_cheapest(candidates, vocab, n_fields, choice);
    free(choice);
    if (least <= budget)
        return ADASS_OK;
    return adass_fail(err, ADASS_EINVAL,
                      "a budget of %llu parameters cannot be kept: the cheapest assignment needs "
                      "%llu; raise --budget or add a smaller candidate (0 drops a field)",
                      (unsigned long long)budget, (unsigned long long)least);
}

void adass_budget_shrink(const adass_candidates *candidates, const size_t *vocab, size_t n_fields,
                         uint64_t budget, adass_rng *rng, uint8_t *choice)
{
    uint64_t params = adass_budget_params(candidates, vocab, n_fields, choice);
    while (params > budget) {
        const size_t f = (size_t)adass_rng_below(rng, n_fields);
        if (choice[f] == 0)
            continue;
        params -=
            (uint64_t)vocab[f] * (candidates->sizes[choice[f]] - candidates->sizes[choice[f] - 1]);
        choice[f]--;
    }
    if (params == 0)
        adass_budget_cheapest(candidates, vocab, n_fields, choice);
}

void adass_budget_draw(const adass_candidates *candidates, const size_t *vocab, size_t n_fields,
                       uint64_t budget, adass_rng *rng, uint8_t *choice)
{
    for (size_t f = 0; f < n_fields; f++)
        choice[f] = (uint8_t)adass_rng_below(rng, candidates->n);
    adass_budget_shrink(candidates, vocab, n_fields, budget, rng, choice);
}

adass_status adass_budget_fit(const size_t *vocab, size_t n_fields, uint64_t budget,
                              adass_size_rule *rule, const void *user, const char *method,
                              size_t *sizes, adass_error *err)
{
    enum { HALVINGS = 50 };
    double low = 0.0, high = 1.0;
    rule(user, 1.0, sizes);
    if (adass_sizes_params(vocab, sizes, n_fields) <= budget)
        return ADASS_OK;
    rule(user, 0.0, sizes);
    const uint64_t least = adass_sizes_params(vocab, sizes, n_fields);
    if (least > budget)
        return adass_fail(err, ADASS_EINVAL,
                          "method '%s' cannot keep a budget of %llu parameters: its smallest sizes "
                          "need %llu; raise the budget",
                          method, (unsigned long long)budget, (unsigned long long)least);
    for (int i = 0; i < HALVINGS; i++) {
        const double middle = (low + high) / 2.0;
        rule(user, middle, sizes);
        if (adass_sizes_params(vocab, sizes, n_fields) <= budget)
            low = middle;
        else
            high = middle;
    }
    rule(user, low, sizes);
    return ADASS_OK;
}

adass_status adass_random_assignment(const adass_candidates *candidates, const size_t *vocab,
                                     size_t n_fields, uint64_t budget, uint64_t seed,
                                     uint8_t *choice, adass_error *err)
{
    enum { DRAWS = 10000 };
    adass_status status = adass_budget_check(candidates, vocab, n_fields, budget, err);
    if (status != ADASS_OK)
        return status;
    uint8_t *drawn = calloc(n_fields, 1);
    if (drawn == NULL)
        return adass_fail_memory(err, "an assignment", (double)n_fields);
    adass_rng rng;
    adass_rng_init(&rng, seed);
    uint64_t best = adass_budget_cheapest(candidates, vocab, n_fields, choice);
    for (int i = 0; i < DRAWS && (double)best < 0.9 * (double)budget; i++) {
        for (size_t f = 0; f < n_fields; f++)
            drawn[f] = (uint8_t)adass_rng_below(&rng, candidates->n);
        const uint64_t params = adass_budget_params(candidates, vocab, n_fields, drawn);
        if (params <= budget && params > best) {
            best = params;
            memcpy(choice, drawn, n_fields);
        }
    }
    free(drawn);
    return ADASS_OK;
}
