/*
 * AdaS&S: the supernet with adaptive sampling, then reinforcement learning under the budget (arXiv
 * 2411.07504).
 */
#include "methods/method.h"

#include "adass/rng.h"
#include "run_record.h"

#include <stdlib.h>

static adass_status search(const adass_method_setting *setting, const adass_model *supernet,
                           uint8_t *choice, adass_found *found, adass_error *err)
{
    const adass_run_config *config = setting->config;
    adass_search_config c = config->search;
    c.seed = adass_seed_derive(config->seed, ADASS_SEED_SEARCH);
    adass_checkpoint checkpoint;
    char *identity =
        adass_run_identity(ADASS_STAGE_SEARCH, config, NULL, setting->dataset, setting->compute);
    if (identity == NULL)
        return adass_fail_memory(err, "the search", 4096.0);
    c.checkpoint =
        adass_session_checkpoint(setting->session, ADASS_STAGE_SEARCH, identity, &checkpoint);
    adass_search_result result;
    const adass_status status =
        adass_search(supernet, &config->candidates, setting->dataset, setting->compute,
                     config->budget, &c, setting->monitor, choice, &result, err);
    free(identity);
    found->search_seconds = result.seconds;
    found->inherited_auc = result.inherited_auc;
    found->evaluations = result.evaluations;
    found->repairs = result.repairs;
    found->refined = result.refined;
    found->lambda = result.lambda;
    found->policy = result.policy; /* handed over */
    return status;
}

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    const size_t n_fields = setting->dataset->n_fields;
    uint8_t *choice = calloc(n_fields, 1);
    if (choice == NULL)
        return adass_fail_memory(err, "an assignment", (double)n_fields);
    const adass_model *supernet = NULL;
    adass_status status = adass_session_supernet(setting, &supernet, found, err);
    if (status == ADASS_OK)
        status = search(setting, supernet, choice, found, err);
    if (status == ADASS_OK)
        adass_sizes_from_choice(&setting->config->candidates, choice, n_fields, sizes);
    free(choice);
    return status;
}

const adass_method_kind adass_method_adass = {
    .name = "adass", .searches = true, .uses_supernet = true, .find = find
};
