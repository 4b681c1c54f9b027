/* What `train` and `search` share: the options of a model and its training, and the frame around the work. */
#ifndef ADASS_RUN_OPTIONS_H
#define ADASS_RUN_OPTIONS_H

#include "adass/run.h"
#include "options.h"

enum { ADASS_RUN_OPTIONS_MAX = 40 };

typedef struct adass_run_options {
    adass_run_config config; /* filled by adass_run_options_apply() */
    const char *model, *hidden, *align, *row_optimizer;
    double dropout, init_std;
    adass_checkpoint_options checkpoints; /* without a dir, none are kept */
    adass_option list[ADASS_RUN_OPTIONS_MAX];
    size_t n;
} adass_run_options;

/** Begins with the defaults and the options of the model and the training step. */
void adass_run_options_init(adass_run_options *options);

/** Adds a command's own option. */
void adass_run_options_add(adass_run_options *options, adass_option option);

/** Brings what was parsed into the configuration; ADASS_EINVAL for what cannot be used. */
adass_status adass_run_options_apply(adass_run_options *options, uint64_t seed, adass_error *err);

/** A command's work on an open dataset. */
typedef adass_status (*adass_run_work)(void *user, adass_session *session,
                                       const adass_dataset *dataset, adass_error *err);

/**
 * Opens dataset and session, does the work with progress and Ctrl-C, and tells what failed and how
 * to go on. The checkpoints of work that is done are removed.
 *
 * @param command  "train"
 * @return exit status
 */
int adass_run_command(const char *command, const char *dataset, const adass_common *common,
                      const adass_run_options *options, adass_run_work work, void *user);

#endif
