/*
 * MDE, mixed-dimension embeddings (Ginart et al., arXiv 1909.11810; the rule as in
 * facebookresearch/dlrm): the size falls with the vocabulary's power alpha. Budget mode as in
 * Hsword/Hetu: the smallest alpha in [0, 1] that keeps the budget; the base is the largest
 * candidate. Sizes are not rounded to candidates. Small fields keep the base size, as in DLRM's
 * defaults, as long as the budget allows it: with alpha at 1 and the budget still exceeded, they
 * follow the rule as well, and then the base falls.
 */
#include "methods/mde.h"

#include "budget.h"
#include "methods/method.h"

#include <math.h>

enum { SMALL_FIELD = 200 };

void adass_mde_sizes(const size_t *vocab, size_t n_fields, size_t base, double alpha,
                     size_t threshold, size_t *sizes)
{
    size_t least = vocab[0];
    for (size_t f = 1; f < n_fields; f++)
        least = vocab[f] < least ? vocab[f] : least;
    for (size_t f = 0; f < n_fields; f++) {
        const double size = rint((double)base * pow((double)least / (double)vocab[f], alpha));
        sizes[f] = vocab[f] <= threshold ? base : size >= 1.0 ? (size_t)size : 1;
    }
}

typedef struct rule {
    const size_t *vocab;
    size_t n_fields, base, threshold;
} rule;

static void sizes_at(const void *user, double t, size_t *sizes)
{
    const rule *r = user;
    adass_mde_sizes(r->vocab, r->n_fields, r->base, 1.0 - t, r->threshold, sizes);
}

/* At alpha = 1, the base scaled down to 1. */
static void small_sizes_at(const void *user, double t, size_t *sizes)
{
    const rule *r = user;
    const double base = rint(t * (double)r->base);
    adass_mde_sizes(r->vocab, r->n_fields, base >= 1.0 ? (size_t)base : 1, 1.0, 0, sizes);
}

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    (void)found;
    const adass_run_config *config = setting->config;
    rule r = { .vocab = setting->vocab,
               .n_fields = setting->dataset->n_fields,
               .base = config->candidates.sizes[config->candidates.n - 1],
               .threshold = SMALL_FIELD };
    const adass_status status = adass_budget_fit(setting->vocab, r.n_fields, config->budget,
                                                 sizes_at, &r, "mde", sizes, NULL);
    if (status == ADASS_OK)
        return status;
    r.threshold = 0;
    if (adass_budget_fit(setting->vocab, r.n_fields, config->budget, sizes_at, &r, "mde", sizes,
                         NULL) == ADASS_OK)
        return ADASS_OK;
    return adass_budget_fit(setting->vocab, r.n_fields, config->budget, small_sizes_at, &r, "mde",
                            sizes, err);
}

const adass_method_kind adass_method_mde = {
    .name = "mde", .searches = true, .cannot_drop = true, .find = find
};
