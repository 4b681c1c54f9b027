/*
 * Path importance sampling of PA&DA (Lu et al., arXiv 2302.14772): candidate k of a field is drawn
 * with probability tau g_k / sum g + (1 - tau) / K, where g_k is the gradient norm of the choice,
 * averaged as (old + new) / 2 within the epoch, and tau the share of the epochs that are over.
 *
 * Ours: with nested slices the norm grows with the size and with the rows that a batch touches, so it
 * is the root mean square over the slice's elements in the touched rows. Size 0 has no gradient and
 * counts as average. Sampling data by importance as well, the paper's other half, is left out: all
 * samplers here see the same rows.
 */
#include "sampler.h"

#include <math.h>
#include <stdlib.h>

struct adass_sampler {
    size_t n_fields;
    adass_candidates candidates;
    uint64_t total_steps, epochs;
    double *norm;          /* [n_fields x K], of this epoch; 0 before the first */
    double *probabilities; /* [n_fields x K] */
};

static void destroy(adass_sampler *s)
{
    if (s == NULL)
        return;
    free(s->norm);
    free(s->probabilities);
    free(s);
}

static adass_status create(adass_sampler **out, const adass_sampler_setting *setting,
                           adass_error *err)
{
    const size_t cells = setting->n_fields * setting->candidates.n;
    adass_sampler *s = calloc(1, sizeof *s);
    if (s == NULL)
        return adass_fail_memory(err, "a sampler", sizeof *s);
    *s = (adass_sampler){
        .n_fields = setting->n_fields,
        .candidates = setting->candidates,
        .total_steps = setting->total_steps,
        .epochs = setting->epochs,
        .norm = calloc(cells, sizeof *s->norm),
        .probabilities = malloc(cells * sizeof *s->probabilities),
    };
    if (s->norm == NULL || s->probabilities == NULL) {
        destroy(s);
        return adass_fail_memory(err, "a sampler", (double)cells * 16.0);
    }
    for (size_t i = 0; i < cells; i++)
        s->probabilities[i] = 1.0 / (double)setting->candidates.n;
    *out = s;
    return ADASS_OK;
}

static void draw(adass_sampler *s, uint64_t step, adass_rng *rng, uint8_t *choice)
{
    (void)step;
    while (!adass_sampler_draw_by(s->probabilities, &s->candidates, s->n_fields, rng, NULL, choice))
        continue;
}

/* Root mean square gradient of the slice's elements in the touched rows. */
static double slice_norm(const adass_field_gradient *g, size_t size)
{
    double squares = 0.0;
    for (size_t column = 0; column < size; column++)
        squares += (double)g->squares[column];
    const double elements = (double)size * (double)g->touched;
    return elements > 0.0 ? sqrt(squares / elements) : 0.0;
}

/* At the end of an epoch: the probabilities of the next, from the norms of this one. */
static void refresh_field(adass_sampler *s, size_t f, double tau)
{
    const size_t n = s->candidates.n;
    double *norm = s->norm + f * n, known = 0.0, sum = 0.0;
    for (size_t k = 0; k < n; k++) {
        known += norm[k] > 0.0;
        sum += norm[k];
    }
    const double mean = known > 0.0 ? sum / known : 1.0;
    sum += ((double)n - known) * mean;
    for (size_t k = 0; k < n; k++) {
        const double g = norm[k] > 0.0 ? norm[k] : mean;
        s->probabilities[f * n + k] = tau * g / sum + (1.0 - tau) / (double)n;
        norm[k] = 0.0;
    }
}

static void observe(adass_sampler *s, uint64_t step, const uint8_t *choice, double loss,
                    const adass_field_gradient *gradients)
{
    (void)loss;
    const size_t n = s->candidates.n;
    for (size_t f = 0; f < s->n_fields; f++) {
        double *norm = &s->norm[f * n + choice[f]];
        const double now = slice_norm(&gradients[f], s->candidates.sizes[choice[f]]);
        *norm = *norm > 0.0 ? (*norm + now) / 2.0 : now;
    }
    const uint64_t epoch_steps = s->total_steps / s->epochs, over = step + 1;
    if (over % epoch_steps != 0)
        return;
    const double tau = (double)(over / epoch_steps) / (double)s->epochs;
    for (size_t f = 0; f < s->n_fields; f++)
        refresh_field(s, f, tau);
}

static double probability(const adass_sampler *s, size_t f, size_t k)
{
    return s->probabilities[f * s->candidates.n + k];
}

static void list_state(adass_sampler *s, adass_state *state)
{
    const size_t cells = s->n_fields * s->candidates.n;
    adass_state_add_f64(state, "sampler.norm", s->norm, cells);
    adass_state_add_f64(state, "sampler.probabilities", s->probabilities, cells);
}

const adass_sampler_kind adass_sampler_pa_da = {
    .name = "pa-da",
    .wants_gradients = true,
    .create = create,
    .draw = draw,
    .observe = observe,
    .probability = probability,
    .list_state = list_state,
    .destroy = destroy,
};
