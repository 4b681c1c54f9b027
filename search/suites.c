/* The suites. */
#include "suites.h"

#include <string.h>

typedef adass_suite suite_maker(void);

static adass_suite quick(void)
{
    adass_suite suite = {
        .name = "quick",
        .summary = "the main table in small: tiny planted data, DeepFM and FM, 3 seeds; minutes",
        .shape = "tiny",
        .n_backbones = 2,
        .backbones = { ADASS_DEEPFM, ADASS_FM },
        .uniform = adass_candidates_default(),
        .n_budgets = 2,
        .budgets = { 0.8, 0.5 },
        .seeds = 3,
        .config = adass_run_config_default(),
    };
    suite.config.search.iterations = 60; /* minutes on two cores */
    return suite;
}

static adass_suite planted(void)
{
    adass_suite suite = {
        .name = "planted",
        .summary =
            "400,000 planted rows of MovieLens-1M's shape, where the true ranks and the best "
            "possible AUC are known; DeepFM and FM, 3 seeds",
        .shape = "movielens",
        .rows = 400000,
        .n_backbones = 2,
        .backbones = { ADASS_DEEPFM, ADASS_FM },
        .uniform = adass_candidates_default(),
        .n_budgets = 2,
        .budgets = { 0.8, 0.5 },
        .seeds = 3,
        .config = adass_run_config_default(),
    };
    return suite;
}

static adass_suite movielens(void)
{
    adass_suite suite = {
        .name = "movielens",
        .summary =
            "MovieLens-1M (prepared by `adass data import movielens`); DeepFM and FM, 5 seeds",
        .hint = "adass data import movielens RAW_FOLDER DATASET",
        .n_backbones = 2,
        .backbones = { ADASS_DEEPFM, ADASS_FM },
        .uniform = adass_candidates_default(),
        .n_budgets = 2,
        .budgets = { 0.8, 0.5 },
        .seeds = 5,
        .config = adass_run_config_default(),
    };
    return suite;
}

static suite_maker *const makers[] = { quick, planted, movielens };

enum { N_SUITES = sizeof makers / sizeof makers[0] };

size_t adass_suite_count(void) { return N_SUITES; }

const char *adass_suite_name(size_t i) { return makers[i]().name; }

const char *adass_suite_summary(size_t i) { return makers[i]().summary; }

adass_status adass_suite_find(const char *name, adass_suite *out, adass_error *err)
{
    char names[128] = "";
    for (size_t i = 0; i < N_SUITES; i++) {
        const adass_suite suite = makers[i]();
        if (strcmp(name, suite.name) == 0) {
            *out = suite;
            return ADASS_OK;
        }
        strcat(names, i == 0 ? "" : ", ");
        strcat(names, suite.name);
    }
    return adass_fail(err, ADASS_EINVAL, "no suite named '%s'; there are %s", name, names);
}
