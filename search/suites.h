/* The suites' definitions. To add one: an entry in suites.c. */
#ifndef ADASS_SUITES_H
#define ADASS_SUITES_H

#include "adass/reproduce.h"

enum { ADASS_SUITE_BUDGETS_MAX = 8, ADASS_SUITE_VARIANTS_MAX = 64 };

/**
 * A row of the tables at each budget: a method, and what it changes of the suite's configuration.
 * NULL, 0 and false leave that as it is.
 */
typedef struct adass_variant {
    const char *name; /* in tables and names of files; unlike the others' of the suite */
    const char *method;
    const char *sampler, *searcher;
    bool no_penalty;    /* only the repair keeps the budget */
    bool fixed_penalty; /* lambda stays what it is at the beginning */
    bool no_closing;    /* the budget binds the policy at once */
    bool equal_shares, no_refinement, no_finalists;
    adass_align align; /* a row for backbones that have it */
    adass_retrain retrain;
    size_t supernet_epochs;
    adass_candidates candidates;
} adass_variant;

/** Sets what the variant changes. */
void adass_variant_apply(const adass_variant *variant, adass_run_config *config);

typedef struct adass_suite {
    const char *name, *summary;
    const char *
        shape; /* of its planted data, made with seed 1, unless a dataset is named; NULL for suites on a dataset that the user prepares */
    size_t rows;      /* of the planted data; 0 for the shape's own number */
    const char *hint; /* how to prepare the dataset; NULL for planted data */
    size_t n_backbones;
    adass_backbone backbones[ADASS_N_BACKBONES];
    adass_candidates uniform; /* sizes of the uniform runs */
    size_t n_budgets;
    double budgets[ADASS_SUITE_BUDGETS_MAX]; /* of the best uniform model's embedding parameters */
    const adass_variant *variants;           /* [n_variants] at each budget */
    size_t n_variants;
    size_t seeds;
    bool
        one_training; /* seeds are the search's: the models found are trained from the first seed */
    /** Above 0: no table of methods, but fidelity.h's, over so many random assignments. */
    size_t fidelity_assignments;
    adass_run_config config; /* shared; backbone, method, budget, size and seed are set a run */
} adass_suite;

/** The suite of that name, or ADASS_EINVAL listing those there are. */
adass_status adass_suite_find(const char *name, adass_suite *out, adass_error *err);

/** adass_reproduce() of a suite that need not be in the list; options->suite is not looked at. */
adass_status adass_reproduce_suite(const adass_suite *suite, const adass_reproduce_options *options,
                                   const adass_compute *compute, const adass_monitor *monitor,
                                   adass_error *err);

#endif
