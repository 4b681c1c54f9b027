/* The suites' definitions. To add one: an entry in suites.c. */
#ifndef ADASS_SUITES_H
#define ADASS_SUITES_H

#include "adass/reproduce.h"

enum { ADASS_SUITE_BUDGETS_MAX = 8 };

typedef struct adass_suite {
    const char *name, *summary;
    const char *
        shape; /* of its planted data, made with seed 1; NULL for suites on a dataset that the user prepares */
    size_t rows;      /* of the planted data; 0 for the shape's own number */
    const char *hint; /* how to prepare the dataset; NULL for planted data */
    size_t n_backbones;
    adass_backbone backbones[ADASS_N_BACKBONES];
    adass_candidates uniform; /* sizes of the uniform runs */
    size_t n_budgets;
    double budgets[ADASS_SUITE_BUDGETS_MAX]; /* of the best uniform model's embedding parameters */
    size_t seeds;
    adass_run_config config; /* shared; backbone, method, budget, size and seed are set a run */
} adass_suite;

/** The suite of that name, or ADASS_EINVAL listing those there are. */
adass_status adass_suite_find(const char *name, adass_suite *out, adass_error *err);

/** adass_reproduce() of a suite that need not be in the list; options->suite is not looked at. */
adass_status adass_reproduce_suite(const adass_suite *suite, const adass_reproduce_options *options,
                                   const adass_compute *compute, const adass_monitor *monitor,
                                   adass_error *err);

#endif
