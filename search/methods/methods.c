/* The list of methods. */
#include "methods/method.h"

#include <string.h>

static const adass_method_kind *const kinds[] = {
    &adass_method_given,    &adass_method_uniform, &adass_method_random, &adass_method_heuristic,
    &adass_method_mde,      &adass_method_autodim, &adass_method_sseds,  &adass_method_sseds_dims,
    &adass_method_optembed, &adass_method_dimgrow, &adass_method_pep,    &adass_method_magprune,
    &adass_method_adass,
};

adass_status adass_method_find(const char *name, const adass_method_kind **out, adass_error *err)
{
    char names[256] = "";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i]->name) == 0) {
            *out = kinds[i];
            return ADASS_OK;
        }
        strcat(names, i == 0 ? "" : ", ");
        strcat(names, kinds[i]->name);
    }
    return adass_fail(err, ADASS_EINVAL, "no method named '%s'; there are %s", name, names);
}

bool adass_method_trains_itself(const char *name)
{
    const adass_method_kind *method = NULL;
    return adass_method_find(name, &method, NULL) == ADASS_OK && method->train != NULL;
}
