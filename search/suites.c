/* The suites. */
#include "suites.h"

#include <stdio.h>
#include <string.h>

typedef adass_suite suite_maker(void);

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

void adass_variant_apply(const adass_variant *v, adass_run_config *config)
{
    snprintf(config->method, sizeof config->method, "%s", v->method);
    if (v->sampler != NULL)
        config->supernet.sampler = v->sampler;
    if (v->searcher != NULL)
        config->search.searcher = v->searcher;
    if (v->no_penalty)
        config->search.penalty = config->search.penalty_rate = 0.0;
    if (v->fixed_penalty)
        config->search.penalty_rate = 0.0;
    if (v->no_closing)
        config->search.closing = 0.0;
    if (v->no_refinement)
        config->search.sweeps = 0;
    if (v->no_finalists)
        config->search.finalists = 0.0;
    if (v->supernet_epochs > 0)
        config->supernet.epochs = v->supernet_epochs;
    if (v->candidates.n > 0)
        config->candidates = v->candidates;
    config->model.align = v->align;
    config->search.equal_shares = v->equal_shares;
    config->retrain = v->retrain;
}

/* ---- the rows of the tables ---- */

static const adass_variant all_methods[] = {
    { .name = "random", .method = "random" },     { .name = "heuristic", .method = "heuristic" },
    { .name = "mde", .method = "mde" },           { .name = "autodim", .method = "autodim" },
    { .name = "sseds", .method = "sseds" },       { .name = "sseds-dims", .method = "sseds-dims" },
    { .name = "optembed", .method = "optembed" }, { .name = "dimgrow", .method = "dimgrow" },
    { .name = "pep", .method = "pep" },           { .name = "magprune", .method = "magprune" },
    { .name = "adass", .method = "adass" },
};

static const adass_variant few_methods[] = {
    { .name = "random", .method = "random" },
    { .name = "mde", .method = "mde" },
    { .name = "sseds", .method = "sseds" },
    { .name = "adass", .method = "adass" },
};

#define POWERS_OF_2 { .n = 7, .sizes = { 0, 2, 4, 8, 16, 32, 64 } }
#define FEW_SIZES { .n = 4, .sizes = { 0, 4, 16, 64 } }

/* Those that a seed decides, the 2 x 2 of samplers and searchers, and coarser candidates. */
static const adass_variant searches[] = {
    { .name = "random", .method = "random" },
    { .name = "sseds", .method = "sseds" },
    { .name = "optembed", .method = "optembed" },
    { .name = "dimgrow", .method = "dimgrow" },
    { .name = "adass", .method = "adass" },
    { .name = "adaptive-evolution", .method = "adass", .searcher = "evolution" },
    { .name = "uniform-rl", .method = "adass", .sampler = "uniform" },
    { .name = "uniform-evolution",
      .method = "adass",
      .sampler = "uniform",
      .searcher = "evolution" },
    { .name = "powers-of-2", .method = "adass", .candidates = POWERS_OF_2 },
    { .name = "few-sizes", .method = "adass", .candidates = FEW_SIZES },
};

/* Variants with the same supernet stand together: it is trained once. */
#define WITH_SEARCHERS(label, name_of_sampler)                                                     \
    { .name = label "-rl", .method = "adass", .sampler = name_of_sampler },                        \
        { .name = label "-evolution",                                                              \
          .method = "adass",                                                                       \
          .sampler = name_of_sampler,                                                              \
          .searcher = "evolution" },                                                               \
        { .name = label "-random",                                                                 \
          .method = "adass",                                                                       \
          .sampler = name_of_sampler,                                                              \
          .searcher = "random" },                                                                  \
    {                                                                                              \
        .name = label "-knapsack", .method = "adass", .sampler = name_of_sampler,                  \
        .searcher = "knapsack"                                                                     \
    }

static const adass_variant ablations[] = {
    WITH_SEARCHERS("adaptive", "adaptive"),
    { .name = "no-penalty", .method = "adass", .no_penalty = true },
    { .name = "fixed-penalty", .method = "adass", .fixed_penalty = true },
    { .name = "no-competition", .method = "adass", .equal_shares = true },
    { .name = "no-closing", .method = "adass", .no_closing = true },
    { .name = "no-refinement", .method = "adass", .no_refinement = true },
    { .name = "no-finalists", .method = "adass", .no_finalists = true },
    /* what comes after the policy makes good what a penalty has missed: alone it shows */
    { .name = "policy", .method = "adass", .no_refinement = true, .no_finalists = true },
    { .name = "policy-no-penalty",
      .method = "adass",
      .no_refinement = true,
      .no_finalists = true,
      .no_penalty = true },
    { .name = "policy-fixed-penalty",
      .method = "adass",
      .no_refinement = true,
      .no_finalists = true,
      .fixed_penalty = true },
    { .name = "policy-no-competition",
      .method = "adass",
      .no_refinement = true,
      .no_finalists = true,
      .equal_shares = true },
    { .name = "policy-no-closing",
      .method = "adass",
      .no_refinement = true,
      .no_finalists = true,
      .no_closing = true },
    { .name = "inherit", .method = "adass", .retrain = ADASS_RETRAIN_NONE },
    { .name = "anew", .method = "adass", .retrain = ADASS_RETRAIN_ANEW },
    { .name = "continued", .method = "adass", .retrain = ADASS_RETRAIN_CONTINUED },
    WITH_SEARCHERS("uniform", "uniform"),
    WITH_SEARCHERS("sandwich", "sandwich"),
    WITH_SEARCHERS("fair", "fair"),
    WITH_SEARCHERS("pa-da", "pa-da"),
    { .name = "without-0",
      .method = "adass",
      .candidates = { .n = 8, .sizes = { 2, 4, 8, 16, 24, 32, 48, 64 } } },
    { .name = "powers-of-2", .method = "adass", .candidates = POWERS_OF_2 },
    { .name = "few-sizes", .method = "adass", .candidates = FEW_SIZES },
    { .name = "project", .method = "adass", .align = ADASS_ALIGN_PROJECT },
    { .name = "epochs-10", .method = "adass", .supernet_epochs = 10 },
    { .name = "epochs-40", .method = "adass", .supernet_epochs = 40 },
};

_Static_assert(N_OF(ablations) <= ADASS_SUITE_VARIANTS_MAX, "rows of a suite");

/* ---- the suites ---- */

/* Every size that a search may choose, but for 0, which leaves no model. */
static adass_candidates uniform_sizes(void)
{
    const adass_candidates all = adass_candidates_default();
    adass_candidates uniform = { 0 };
    for (size_t k = 0; k < all.n; k++)
        if (all.sizes[k] > 0)
            uniform.sizes[uniform.n++] = all.sizes[k];
    return uniform;
}

/* What suites share: planted rows of MovieLens-1M's shape, every uniform size, DeepFM. */
static adass_suite base(const char *name, const char *summary)
{
    return (adass_suite){
        .name = name,
        .summary = summary,
        .shape = "movielens",
        .rows = 400000,
        .n_backbones = 1,
        .backbones = { ADASS_DEEPFM, ADASS_FM },
        .uniform = uniform_sizes(),
        .n_budgets = 2,
        .budgets = { 0.8, 0.5 },
        .variants = all_methods,
        .n_variants = N_OF(all_methods),
        .seeds = 3,
        .config = adass_run_config_default(),
    };
}

static adass_suite quick(void)
{
    adass_suite suite = base(
        "quick", "the main table in small: tiny planted data, DeepFM and FM, 3 seeds; minutes");
    suite.shape = "tiny";
    suite.rows = 200000;
    suite.n_backbones = 2;
    suite.variants = few_methods;
    suite.n_variants = N_OF(few_methods);
    return suite;
}

static adass_suite planted(void)
{
    adass_suite suite =
        base("planted", "AdaS&S, MDE and SSEDS on 400,000 planted rows, where the true ranks and "
                        "the best possible AUC are known; DeepFM and FM, 3 seeds");
    suite.n_backbones = 2;
    suite.variants = few_methods;
    suite.n_variants = N_OF(few_methods);
    return suite;
}

static adass_suite movielens(void)
{
    adass_suite suite =
        base("movielens",
             "the same on MovieLens-1M (prepared by `adass data import movielens`), 5 seeds");
    suite.shape = NULL;
    suite.hint = "adass data import movielens RAW_FOLDER DATASET";
    suite.n_backbones = 2;
    suite.variants = few_methods;
    suite.n_variants = N_OF(few_methods);
    suite.seeds = 5;
    return suite;
}

static adass_suite main_table(void)
{
    adass_suite suite =
        base("main", "every method at budgets 0.8, 0.5, 0.2 and 0.1; DeepFM and FM, 3 seeds");
    suite.n_backbones = 2;
    suite.n_budgets = 4;
    memcpy(suite.budgets, (double[]){ 0.8, 0.5, 0.2, 0.1 }, 4 * sizeof(double));
    return suite;
}

static adass_suite stability(void)
{
    adass_suite suite = base("stability", "5 search seeds, each result trained from the same seed: "
                                          "how far sizes and AUC lie apart");
    suite.variants = searches;
    suite.n_variants = N_OF(searches);
    suite.n_budgets = 1;
    suite.budgets[0] = 0.5;
    suite.seeds = 5;
    suite.one_training = true;
    return suite;
}

static adass_suite ablation(void)
{
    adass_suite suite = base("ablation", "samplers x searchers, penalty, competition, refinement, "
                                         "finalists, candidates, alignment, length of the "
                                         "supernet's training, inherited weights");
    suite.variants = ablations;
    suite.n_variants = N_OF(ablations);
    suite.budgets[0] = 0.5;
    suite.budgets[1] = 0.1; /* binds where half of the parameters is more than is of use */
    return suite;
}

static adass_suite fidelity(void)
{
    adass_suite suite =
        base("fidelity", "Kendall's tau of inherited AUC, and of AUC after the finalists' short "
                         "training, against stand-alone AUC over 40 random assignments, for each "
                         "sampler, beside the noise ceiling");
    suite.fidelity_assignments = 40;
    suite.seeds = 2;
    return suite;
}

static adass_suite budget(void)
{
    adass_suite suite = base("budget", "every method at budgets from 0.02 to 1; 2 seeds");
    suite.n_budgets = 8;
    memcpy(suite.budgets, (double[]){ 1.0, 0.8, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02 },
           8 * sizeof(double));
    suite.seeds = 2;
    return suite;
}

static adass_suite cost(void)
{
    adass_suite suite = base("cost", "seconds of supernet, search and training, 1 seed; nothing "
                                     "else should run beside it");
    suite.variants = searches;
    suite.n_variants = 5;
    suite.seeds = 1;
    return suite;
}

static adass_suite truth(void)
{
    adass_suite suite = base("truth", "rank correlation with the true ranks and the gap to the "
                                      "teacher; rows per feature go with --scale");
    suite.variants = searches;
    suite.n_variants = 5;
    suite.n_budgets = 3;
    memcpy(suite.budgets, (double[]){ 0.8, 0.5, 0.2 }, 3 * sizeof(double));
    return suite;
}

static suite_maker *const makers[] = { quick,    planted,  movielens, main_table, stability,
                                       ablation, fidelity, budget,    cost,       truth };

enum { N_SUITES = N_OF(makers) };

size_t adass_suite_count(void) { return N_SUITES; }

const char *adass_suite_name(size_t i) { return makers[i]().name; }

const char *adass_suite_summary(size_t i) { return makers[i]().summary; }

adass_status adass_suite_find(const char *name, adass_suite *out, adass_error *err)
{
    char names[256] = "";
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
