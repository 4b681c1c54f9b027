/* The list of samplers, and what some of them share. */
#include "sampler.h"

#include <string.h>

static const adass_sampler_kind *const kinds[] = {
    &adass_sampler_adaptive, &adass_sampler_uniform, &adass_sampler_sandwich,
    &adass_sampler_fair,     &adass_sampler_pa_da,
};

bool adass_sampler_draw_by(const double *probabilities, const adass_candidates *candidates,
                           size_t n_fields, adass_rng *rng, const double *common, uint8_t *choice)
{
    bool any = false;
    for (size_t f = 0; f < n_fields; f++) {
        const double *p = probabilities + f * candidates->n;
        double u = common != NULL ? *common : adass_rng_unit(rng);
        size_t k = 0;
        while (k + 1 < candidates->n && u >= p[k])
            u -= p[k++];
        choice[f] = (uint8_t)k;
        any = any || candidates->sizes[k] > 0;
    }
    return any;
}

adass_status adass_sampler_find(const char *name, const adass_sampler_kind **out, adass_error *err)
{
    char names[128] = "";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i]->name) == 0) {
            *out = kinds[i];
            return ADASS_OK;
        }
        strcat(names, i == 0 ? "" : ", ");
        strcat(names, kinds[i]->name);
    }
    return adass_fail(err, ADASS_EINVAL, "no sampler named '%s'; there are %s", name, names);
}
