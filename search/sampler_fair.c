/*
 * Strict fairness (FairNAS: Chu et al., arXiv 1907.01845): in K steps every field goes through its K
 * candidates once, in an order drawn anew for each field. Ours: each of the K paths has a batch and
 * an update of its own, where the paper sums the gradients of K paths over one batch.
 */
#include "sampler.h"

#include <stdlib.h>

struct adass_sampler {
    size_t n_fields, n_candidates;
    uint64_t *order; /* [n_fields x K] */
};

static void destroy(adass_sampler *s)
{
    if (s == NULL)
        return;
    free(s->order);
    free(s);
}

static adass_status create(adass_sampler **out, const adass_sampler_setting *setting,
                           adass_error *err)
{
    const size_t cells = setting->n_fields * setting->candidates.n;
    adass_sampler *s = calloc(1, sizeof *s);
    uint64_t *order = calloc(cells, sizeof *order);
    if (s == NULL || order == NULL) {
        free(s);
        free(order);
        return adass_fail_memory(err, "a sampler", (double)(cells * sizeof *order));
    }
    *s = (adass_sampler){ .n_fields = setting->n_fields,
                          .n_candidates = setting->candidates.n,
                          .order = order };
    *out = s;
    return ADASS_OK;
}

/* Fisher and Yates's shuffle. */
static void shuffle(uint64_t *order, size_t n, adass_rng *rng)
{
    for (size_t k = 0; k < n; k++)
        order[k] = k;
    for (size_t k = n; k > 1; k--) {
        const size_t other = (size_t)adass_rng_below(rng, k);
        const uint64_t kept = order[k - 1];
        order[k - 1] = order[other];
        order[other] = kept;
    }
}

static void draw(adass_sampler *s, uint64_t step, adass_rng *rng, uint8_t *choice)
{
    const size_t n = s->n_candidates, at = step % n;
    for (size_t f = 0; f < s->n_fields; f++) {
        if (at == 0)
            shuffle(s->order + f * n, n, rng);
        choice[f] = (uint8_t)s->order[f * n + at];
    }
}

static double probability(const adass_sampler *s, size_t f, size_t k)
{
    (void)f;
    (void)k;
    return 1.0 / (double)s->n_candidates;
}

static void list_state(adass_sampler *s, adass_state *state)
{
    adass_state_add_u64(state, "sampler.order", s->order, s->n_fields * s->n_candidates);
}

const adass_sampler_kind adass_sampler_fair = {
    .name = "fair",
    .create = create,
    .draw = draw,
    .probability = probability,
    .list_state = list_state,
    .destroy = destroy,
};
