/* The folder of a run's checkpoints, one file a stage. */
#ifndef ADASS_CHECKPOINTS_H
#define ADASS_CHECKPOINTS_H

#include "adass/checkpoint.h"
#include "adass/run.h"

typedef enum adass_stage {
    ADASS_STAGE_PRETRAIN, /* of methods that look at a trained model before they choose */
    ADASS_STAGE_SUPERNET,
    ADASS_STAGE_SEARCH,
    ADASS_STAGE_CONTINUE, /* the training from the supernet's weights */
    ADASS_STAGE_TRAIN,
    ADASS_N_STAGES
} adass_stage;

typedef struct adass_checkpoints adass_checkpoints;

/**
 * Makes the folder, with those above it, locks it against other processes, and removes what killed
 * writers left.
 *
 * @param out  to be closed with adass_checkpoints_close()
 * @return ADASS_OK; ADASS_EINVAL when it has checkpoints and the options are not to resume, or when
 *         another process uses it; ADASS_EIO; ADASS_ENOMEM
 */
adass_status adass_checkpoints_open(adass_checkpoints **out,
                                    const adass_checkpoint_options *options, adass_error *err);

/** The checkpoint of a stage; its path belongs to `checkpoints`. */
adass_checkpoint adass_checkpoints_of(const adass_checkpoints *checkpoints, adass_stage stage,
                                      const char *identity);

/** Removes the file of a stage, if there is one. */
void adass_checkpoints_remove(const adass_checkpoints *checkpoints, adass_stage stage);

/** Accepts NULL. A folder that is empty is removed. */
void adass_checkpoints_close(adass_checkpoints *checkpoints);

#endif
