/*
 * Random sizes under the budget: what a search has to beat at the same number of trained
 * assignments.
 */
#include "methods/method.h"

#include "adass/rng.h"

#include <stdlib.h>

static adass_status find(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err)
{
    (void)found;
    const adass_run_config *config = setting->config;
    const size_t n_fields = setting->dataset->n_fields;
    uint8_t *choice = calloc(n_fields, 1);
    if (choice == NULL)
        return adass_fail_memory(err, "an assignment", (double)n_fields);
    const adass_status status =
        adass_random_assignment(&config->candidates, setting->vocab, n_fields, config->budget,
                                adass_seed_derive(config->seed, ADASS_SEED_SEARCH), choice, err);
    if (status == ADASS_OK)
        adass_sizes_from_choice(&config->candidates, choice, n_fields, sizes);
    free(choice);
    return status;
}

const adass_method_kind adass_method_random = { .name = "random", .searches = true, .find = find };
