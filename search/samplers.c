/* The list of samplers. */
#include "sampler.h"

#include <string.h>

static const adass_sampler_kind *const kinds[] = { &adass_sampler_uniform,
                                                   &adass_sampler_adaptive };

adass_status adass_sampler_find(const char *name, const adass_sampler_kind **out, adass_error *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(name, kinds[i]->name) == 0) {
            *out = kinds[i];
            return ADASS_OK;
        }
    return adass_fail(err, ADASS_EINVAL, "no sampler named '%s'; there are uniform and adaptive",
                      name);
}
