/* The options of a model and its training, which `train` and `search` share. */
#ifndef ADASS_RUN_OPTIONS_H
#define ADASS_RUN_OPTIONS_H

#include "adass/run.h"
#include "options.h"

enum { ADASS_RUN_OPTIONS_MAX = 40 };

typedef struct adass_run_options {
    adass_run_config config; /* filled by adass_run_options_apply() */
    const char *model, *hidden;
    double dropout, init_std;
    adass_option list[ADASS_RUN_OPTIONS_MAX];
    size_t n;
} adass_run_options;

/** Begins with the defaults and the options of the model and the training step. */
void adass_run_options_init(adass_run_options *options);

/** Adds a command's own option. */
void adass_run_options_add(adass_run_options *options, adass_option option);

/** Brings what was parsed into the configuration. */
adass_status adass_run_options_apply(adass_run_options *options, uint64_t seed, adass_error *err);

#endif
