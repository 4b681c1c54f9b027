/*
 * Sizes by vocabulary: 6 floor(V^(1/4)), the rule of the DCN paper (Wang et al., arXiv 1708.05123)
 * in the form of the library DeepCTR. Ours: sizes are capped at the largest candidate, and scaled
 * down together, none below 1, where they exceed the budget.
 */
#include "methods/method.h"

#include "budget.h"

#include <math.h>

typedef struct rule {
    const size_t *vocab;
    size_t n_fields, largest;
} rule;

static void sizes_at(const void *user, double t, size_t *sizes)
{
    const rule *r = user;
    for (size_t f = 0; f < r->n_fields; f++) {
        const double wanted = 6.0 * floor(pow((double)r->vocab[f], 0.25) + 1e-9);
        const double size = floor(t * fmin(wanted, (double)r->largest));
        sizes[f] = size >= 1.0 ? (size_t)size : 1;
    }
}

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    (void)found;
    const adass_run_config *config = setting->config;
    const rule r = { .vocab = setting->vocab,
                     .n_fields = setting->dataset->n_fields,
                     .largest = config->candidates.sizes[config->candidates.n - 1] };
    return adass_budget_fit(setting->vocab, r.n_fields, config->budget, sizes_at, &r, "heuristic",
                            sizes, err);
}

const adass_method_kind adass_method_heuristic = {
    .name = "heuristic", .searches = true, .cannot_drop = true, .find = find
};
