/*
 * AdaS&S: the supernet with adaptive sampling, then reinforcement learning under the budget (arXiv
 * 2411.07504).
 */
#include "methods/method.h"

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    const adass_model *supernet = NULL;
    const adass_status status = adass_session_supernet(setting, &supernet, found, err);
    return status == ADASS_OK ? adass_method_search(setting, supernet, NULL, sizes, found, err)
                              : status;
}

const adass_method_kind adass_method_adass = {
    .name = "adass", .searches = true, .uses_supernet = true, .find = find
};
