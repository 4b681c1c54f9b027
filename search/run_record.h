/* A run as JSON ("adass-run-1"): everything needed to repeat it, and what came out. */
#ifndef ADASS_RUN_RECORD_H
#define ADASS_RUN_RECORD_H

#include <jansson.h>

#include "adass/run.h"
#include "checkpoints.h"

/** The configuration of a run, complete. NULL when memory is short; the caller's otherwise. */
json_t *adass_run_config_json(const adass_run_config *config, const adass_dataset *dataset);

/**
 * What decides the bits of a stage: its part of the configuration, the dataset, the ISA and the
 * build, as one text, for adass_checkpoint. NULL when memory is short; the caller's otherwise.
 *
 * @param sizes  of the model to be trained, [n_fields]; not looked at in other stages
 */
char *adass_run_identity(adass_stage stage, const adass_run_config *config, const size_t *sizes,
                         const adass_dataset *dataset, const adass_compute *compute);

/** Where a result comes from: version, revision, CPU, ISA, threads, libraries. */
json_t *adass_provenance_json(const adass_compute *compute);

/** The last line of a table in Markdown, from that. */
void adass_provenance_put(FILE *out, const json_t *provenance);

/**
 * The record of a run, or of a search alone (without metrics when nothing was measured on the test split).
 * Times, all of them, stand in "seconds".
 *
 * @param out  the caller's
 * @return ADASS_OK or ADASS_ENOMEM
 */
adass_status adass_run_record(const adass_run_config *config, const adass_run_result *result,
                              const adass_dataset *dataset, const adass_compute *compute,
                              json_t **out, adass_error *err);

#endif
