/*
 * OptEmbed, its search of sizes (Lyu et al., CIKM 2022, arXiv 2208.04482; without the row mask). A
 * supernet of the largest size, in which every sample draws a size for each of its fields and keeps
 * that many columns, is trained until the first epoch without a gain in validation AUC at full
 * size; evolution then searches the sizes with inherited weights (searcher_evolution.c), and the
 * model is trained anew.
 *
 * Ours: the sizes are the candidates (0 among them, if it is one) instead of all from 1 up; the budget, which
 * OptEmbed does not know; and as many evaluations as the other searches have, for its 600.
 */
#include "methods/method.h"

#include "adass/rng.h"

#include <string.h>

typedef struct masks {
    const adass_candidates *candidates;
    size_t n_fields, width;
    uint64_t seed;
} masks;

/* Zeroes the columns beyond the size of each sample and field; both passes draw the same. */
static void mask(const masks *m, const adass_packed *p, float *x)
{
    const uint64_t key = adass_mix_at(m->seed, p->step);
    for (size_t b = 0; b < p->n; b++)
        for (size_t f = 0; f < m->n_fields; f++) {
            const uint64_t word = adass_mix_at(key, (p->first + b) * m->n_fields + f);
            const size_t k = (size_t)((word >> 32) * m->candidates->n >> 32);
            const size_t size = m->candidates->sizes[k];
            memset(x + b * p->ld + f * m->width + size, 0, (m->width - size) * sizeof *x);
        }
}

static void mask_forward(void *user, const adass_packed *p) { mask(user, p, p->x); }

static void mask_backward(void *user, const adass_packed *p) { mask(user, p, p->dx); }

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    const adass_run_config *config = setting->config;
    masks m = { .candidates = &config->candidates,
                .n_fields = setting->dataset->n_fields,
                .width = config->candidates.sizes[config->candidates.n - 1],
                .seed = adass_seed_derive(config->seed, ADASS_SEED_SUPERNET) };
    const adass_step_hooks hooks = { .user = &m,
                                     .forward = mask_forward,
                                     .backward = mask_backward };
    adass_model *supernet = NULL;
    adass_status status =
        adass_method_pretrain(setting, &hooks, 1, &supernet, &found->supernet_seconds, err);
    if (status == ADASS_OK)
        status = adass_method_search(setting, supernet, "evolution", sizes, found, err);
    return status;
}

const adass_method_kind adass_method_optembed = {
    .name = "optembed", .searches = true, .pretrains = true, .evaluates = true, .find = find
};
