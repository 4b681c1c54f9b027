/*
 * The sandwich rule (Yu and Huang, arXiv 1903.05134; four paths a step as in AttentiveNAS, arXiv
 * 2011.09011): the largest size everywhere, the smallest everywhere, and two random assignments.
 * Ours: the four have a batch and an update of their own, one after the other; the smallest is the
 * smallest size above 0, for a model without fields teaches nothing.
 */
#include "sampler.h"

#include <stdlib.h>
#include <string.h>

enum { PATHS = 4, LARGEST = 0, SMALLEST = 1 };

struct adass_sampler {
    size_t n_fields, n_candidates;
    uint8_t smallest; /* candidate above 0 */
};

static adass_status create(adass_sampler **out, const adass_sampler_setting *setting,
                           adass_error *err)
{
    adass_sampler *s = malloc(sizeof *s);
    if (s == NULL)
        return adass_fail_memory(err, "a sampler", sizeof *s);
    *s = (adass_sampler){ .n_fields = setting->n_fields,
                          .n_candidates = setting->candidates.n,
                          .smallest = setting->candidates.sizes[0] == 0 };
    *out = s;
    return ADASS_OK;
}

static void draw(adass_sampler *s, uint64_t step, adass_rng *rng, uint8_t *choice)
{
    const uint64_t path = step % PATHS;
    if (path == LARGEST) {
        memset(choice, (int)(s->n_candidates - 1), s->n_fields);
        return;
    }
    if (path == SMALLEST) {
        memset(choice, s->smallest, s->n_fields);
        return;
    }
    for (size_t f = 0; f < s->n_fields; f++)
        choice[f] = (uint8_t)adass_rng_below(rng, s->n_candidates);
}

static double probability(const adass_sampler *s, size_t f, size_t k)
{
    (void)f;
    const double fixed = (k == s->n_candidates - 1 ? 1.0 : 0.0) + (k == s->smallest ? 1.0 : 0.0);
    return fixed / PATHS + (PATHS - 2.0) / (PATHS * (double)s->n_candidates);
}

static void destroy(adass_sampler *s) { free(s); }

const adass_sampler_kind adass_sampler_sandwich = {
    .name = "sandwich",
    .create = create,
    .draw = draw,
    .probability = probability,
    .destroy = destroy,
};
