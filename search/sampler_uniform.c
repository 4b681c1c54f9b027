/* Every candidate of every field with the same probability (SPOS: Guo et al., arXiv 1904.00420). */
#include "sampler.h"

#include <stdlib.h>

struct adass_sampler {
    size_t n_fields, n_candidates;
};

static adass_status create(adass_sampler **out, const adass_sampler_setting *setting,
                           adass_error *err)
{
    adass_sampler *s = malloc(sizeof *s);
    if (s == NULL)
        return adass_fail_memory(err, "a sampler", sizeof *s);
    *s = (adass_sampler){ .n_fields = setting->n_fields, .n_candidates = setting->candidates.n };
    *out = s;
    return ADASS_OK;
}

static void draw(adass_sampler *s, uint64_t step, adass_rng *rng, uint8_t *choice)
{
    (void)step;
    for (size_t f = 0; f < s->n_fields; f++)
        choice[f] = (uint8_t)adass_rng_below(rng, s->n_candidates);
}

static double probability(const adass_sampler *s, size_t f, size_t k)
{
    (void)f;
    (void)k;
    return 1.0 / (double)s->n_candidates;
}

static void destroy(adass_sampler *s) { free(s); }

const adass_sampler_kind adass_sampler_uniform = {
    .name = "uniform",
    .create = create,
    .draw = draw,
    .probability = probability,
    .destroy = destroy,
};
