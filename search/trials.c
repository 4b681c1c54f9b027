/* Trials of settings. */
#include "trials.h"

#include "adass/rng.h"
#include "backbone.h"

#include <math.h>
#include <stdio.h>

enum { START_SEED = 1 };

/* Coordinate `axis` = 0, 1, 2 of point t, in [0, 1): the digits of t in base 2, 3, 5 behind the point. */
static double coordinate(size_t t, size_t axis)
{
    static const size_t bases[] = { 2, 3, 5 };
    double place = adass_unit(adass_mix_at(START_SEED, axis)), digit = 1.0;
    for (; t > 0; t /= bases[axis]) {
        digit /= (double)bases[axis];
        place += digit * (double)(t % bases[axis]);
    }
    return place - floor(place);
}

static double two_digits(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.1e", x);
    sscanf(text, "%lf", &x);
    return x;
}

static double between_logs(double low, double high, double x)
{
    return two_digits(low * pow(high / low, x));
}

void adass_trial_apply(size_t trial, adass_run_config *config)
{
    if (trial == 0)
        return;
    adass_trainer_config *const steps[] = { &config->train.step, &config->supernet.step };
    for (size_t i = 0; i < 2; i++) {
        steps[i]->learning_rate = between_logs(3e-4, 1e-2, coordinate(trial, 0));
        steps[i]->l2 = between_logs(1e-8, 1e-4, coordinate(trial, 1));
    }
    if (adass_backbone_has_mlp(config->model.backbone))
        config->model.dropout = (float)two_digits(0.5 * coordinate(trial, 2));
}

size_t adass_trial_best(const double *auc, size_t n)
{
    size_t best = 0;
    for (size_t t = 1; t < n; t++)
        if (auc[t] > auc[best])
            best = t;
    return best;
}
