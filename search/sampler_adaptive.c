/*
 * Adaptive sampling: sizes whose columns are least trained are drawn more often. The definition
 * stands in adass/supernet.h.
 */
#include "sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct adass_sampler {
    adass_sampler_setting setting;
    double mean_loss; /* running mean over all steps */
    double *
        gradient; /* [n_fields x K]: running mean of the root mean square gradient of a column group; 0 before the first */
    double *
        loss; /* [n_fields x K]: running mean of loss - mean_loss of the steps that drew the size */
    double *probabilities; /* [n_fields x K] */
};

static void destroy(adass_sampler *s)
{
    if (s == NULL)
        return;
    free(s->gradient);
    free(s->loss);
    free(s->probabilities);
    free(s);
}

static adass_status create(adass_sampler **out, const adass_sampler_setting *setting,
                           adass_error *err)
{
    const adass_adaptive_config *c = &setting->adaptive;
    if (!(c->floor >= 0.0 && c->floor <= 1.0) || !(c->temperature > 0.0) || !(c->warmup >= 0.0) ||
        !(c->decay > 0.0 && c->decay < 1.0) || !(c->coupling >= 0.0 && c->coupling <= 1.0) ||
        c->interval == 0)
        return adass_fail(
            err, ADASS_EINVAL,
            "adaptive sampling needs a floor in [0, 1], a temperature above 0, a warm-up of at "
            "least 0, a decay in (0, 1), a coupling in [0, 1] and an interval of at least 1");
    adass_sampler *s = calloc(1, sizeof *s);
    if (s == NULL)
        return adass_fail_memory(err, "a sampler", sizeof *s);
    const size_t cells = setting->n_fields * setting->candidates.n;
    s->setting = *setting;
    s->gradient = calloc(cells, sizeof *s->gradient);
    s->loss = calloc(cells, sizeof *s->loss);
    s->probabilities = malloc(cells * sizeof *s->probabilities);
    if (s->gradient == NULL || s->loss == NULL || s->probabilities == NULL) {
        destroy(s);
        return adass_fail_memory(err, "a sampler", (double)cells * 24.0);
    }
    for (size_t i = 0; i < cells; i++)
        s->probabilities[i] = 1.0 / (double)setting->candidates.n;
    *out = s;
    return ADASS_OK;
}

/* One of no field is drawn again, not coupled, since coupled fields are dropped together. */
static void draw(adass_sampler *s, uint64_t step, adass_rng *rng, uint8_t *choice)
{
    const adass_sampler_setting *setting = &s->setting;
    (void)step;
    bool coupled = adass_rng_unit(rng) < setting->adaptive.coupling;
    bool any;
    do {
        const double common = adass_rng_unit(rng);
        any = adass_sampler_draw_by(s->probabilities, &setting->candidates, setting->n_fields, rng,
                                    coupled ? &common : NULL, choice);
        coupled = false;
    } while (!any);
}

/* Root mean square gradient of the columns (c_{k-1}, c_k] over the touched rows. */
static double group_gradient(const adass_candidates *candidates, size_t k,
                             const adass_field_gradient *g)
{
    const size_t begin = k == 0 ? 0 : candidates->sizes[k - 1], end = candidates->sizes[k];
    double squares = 0.0;
    for (size_t column = begin; column < end; column++)
        squares += (double)g->squares[column];
    const double elements = (double)(end - begin) * (double)g->touched;
    return elements > 0.0 ? sqrt(squares / elements) : 0.0;
}

static void move(double *mean, double value, double decay)
{
    *mean = decay * *mean + (1.0 - decay) * value;
}

/*
 * Mean 0 and standard deviation 1 over those of the n cells that are known; 0 for the others, and
 * everywhere where the known do not differ.
 */
static void standardise(double *x, const bool *known, size_t n)
{
    double count = 0.0, mean = 0.0, variance = 0.0;
    for (size_t k = 0; k < n; k++)
        count += known[k];
    for (size_t k = 0; k < n; k++)
        mean += known[k] ? x[k] / count : 0.0;
    for (size_t k = 0; k < n; k++)
        variance += known[k] ? (x[k] - mean) * (x[k] - mean) / count : 0.0;
    const double scale = variance > 1e-24 ? 1.0 / sqrt(variance) : 0.0;
    for (size_t k = 0; k < n; k++)
        x[k] = known[k] ? (x[k] - mean) * scale : 0.0;
}

static void refresh_field(adass_sampler *s, size_t f)
{
    const size_t n = s->setting.candidates.n;
    const adass_adaptive_config *c = &s->setting.adaptive;
    const double *gradient_mean = s->gradient + f * n;
    double gradient[ADASS_CANDIDATES_MAX], need[ADASS_CANDIDATES_MAX];
    bool trains[ADASS_CANDIDATES_MAX] = { 0 }, has_gradient[ADASS_CANDIDATES_MAX] = { 0 };
    for (size_t k = 0; k < n; k++) {
        /*
         * Size 0 has no columns: it has nothing to train, and a loss that no training lowers. It
         * counts as average.
         */
        trains[k] = s->setting.candidates.sizes[k] > 0;
        has_gradient[k] = gradient_mean[k] > 0.0;
        gradient[k] = has_gradient[k] ? log(gradient_mean[k]) : 0.0;
        need[k] = s->loss[f * n + k];
    }
    standardise(gradient, has_gradient, n);
    standardise(need, trains, n);
    double highest = -INFINITY, total = 0.0;
    for (size_t k = 0; k < n; k++) {
        need[k] += gradient[k];
        highest = fmax(highest, need[k]);
    }
    for (size_t k = 0; k < n; k++) {
        need[k] = exp((need[k] - highest) / c->temperature);
        total += need[k];
    }
    for (size_t k = 0; k < n; k++)
        s->probabilities[f * n + k] = c->floor / (double)n + (1.0 - c->floor) * need[k] / total;
}

static void observe(adass_sampler *s, uint64_t step, const uint8_t *choice, double loss,
                    const adass_field_gradient *gradients)
{
    const adass_sampler_setting *setting = &s->setting;
    const size_t n = setting->candidates.n;
    const double decay = setting->adaptive.decay;
    if (step == 0)
        s->mean_loss = loss;
    move(&s->mean_loss, loss, decay);
    for (size_t f = 0; f < setting->n_fields; f++) {
        move(&s->loss[f * n + choice[f]], loss - s->mean_loss, decay);
        for (size_t k = 0; k <= choice[f]; k++) {
            double *mean = &s->gradient[f * n + k];
            const double now = group_gradient(&setting->candidates, k, &gradients[f]);
            if (*mean == 0.0)
                *mean = now;
            else
                move(mean, now, decay);
        }
    }
    const uint64_t over = step + 1;
    if ((double)over >= setting->adaptive.warmup * (double)setting->total_steps &&
        over % setting->adaptive.interval == 0)
        for (size_t f = 0; f < setting->n_fields; f++)
            refresh_field(s, f);
}

static double probability(const adass_sampler *s, size_t f, size_t k)
{
    return s->probabilities[f * s->setting.candidates.n + k];
}

static void list_state(adass_sampler *s, adass_state *state)
{
    const size_t cells = s->setting.n_fields * s->setting.candidates.n;
    adass_state_add_f64(state, "sampler.mean_loss", &s->mean_loss, 1);
    adass_state_add_f64(state, "sampler.gradient", s->gradient, cells);
    adass_state_add_f64(state, "sampler.loss", s->loss, cells);
    adass_state_add_f64(state, "sampler.probabilities", s->probabilities, cells);
}

const adass_sampler_kind adass_sampler_adaptive = {
    .name = "adaptive",
    .wants_gradients = true,
    .create = create,
    .draw = draw,
    .observe = observe,
    .probability = probability,
    .list_state = list_state,
    .destroy = destroy,
};
