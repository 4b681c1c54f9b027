/* One suite at work: what reproduce.c and fidelity.c share. */
#ifndef ADASS_SUITE_RUN_H
#define ADASS_SUITE_RUN_H

#include "suites.h"
#include "table.h"

/** That the suite `fidelity` compares. */
enum { ADASS_FIDELITY_SAMPLERS = 5 };

enum { ADASS_SUITE_CELLS_MAX = 512, ADASS_SUITE_PATH_CHARS = 4096, ADASS_SUITE_NAME_CHARS = 96 };

typedef struct adass_suite_run {
    const adass_reproduce_options *options;
    adass_suite suite;
    const adass_compute *compute;
    const adass_monitor *outer;
    adass_monitor monitor; /* the caller's, with the run's name before the stage */
    char label[ADASS_SUITE_NAME_CHARS];
    adass_dataset *dataset;
    adass_session *session;
    adass_cell cells[ADASS_SUITE_CELLS_MAX];
    size_t n_cells, done, total, missing;
} adass_suite_run;

/**
 * Does the run r->label, or takes it up from its file.
 *
 * @param mine    of this process's shard: to be done when there is no file
 * @param record  out; NULL when it is another shard's and not there, which r->missing counts
 */
adass_status adass_suite_run_one(adass_suite_run *r, const adass_run_config *config, bool mine,
                                 json_t **record, adass_error *err);

/** Whether unit `i` of work belongs to this process's shard. */
bool adass_suite_is_mine(const adass_suite_run *r, size_t i);

/** A record of r->label from this configuration, dataset and code, or NULL. */
json_t *adass_suite_read(const adass_suite_run *r, const json_t *config);

/** Roughly the seconds of the suite's runs, of this process's shard, were none done yet. */
adass_status adass_suite_expect(const adass_suite_run *r, double *seconds, adass_error *err);

/** The suite `fidelity`, up to its table (fidelity.c). */
adass_status adass_suite_run_fidelity(adass_suite_run *r, adass_error *err);

#endif
