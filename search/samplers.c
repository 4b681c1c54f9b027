/* The list of samplers. */
#include "sampler.h"

#include <string.h>

static const adass_sampler_kind *const kinds[] = {
    &adass_sampler_adaptive, &adass_sampler_uniform, &adass_sampler_sandwich,
    &adass_sampler_fair,     &adass_sampler_pa_da,
};

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
