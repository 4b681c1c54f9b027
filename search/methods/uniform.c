/* One size for every field: the usual way, and the baseline of every table. */
#include "methods/method.h"

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    (void)found;
    if (setting->config->size == 0)
        return adass_fail(err, ADASS_EINVAL, "method 'uniform' needs a size of at least 1");
    for (size_t f = 0; f < setting->dataset->n_fields; f++)
        sizes[f] = setting->config->size;
    return ADASS_OK;
}

const adass_method_kind adass_method_uniform = { .name = "uniform", .find = find };
