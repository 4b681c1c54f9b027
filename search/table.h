/* The table of a suite ("adass-table-1"): one row a cell, in Markdown, CSV and JSON. */
#ifndef ADASS_TABLE_H
#define ADASS_TABLE_H

#include <jansson.h>

#include "adass/run.h"

/** The runs of one method at one size or budget, over seeds. */
typedef struct adass_cell {
    adass_backbone backbone;
    const char *method;  /* the variant's name */
    size_t size;         /* uniform: the size; else 0 */
    double budget;       /* searched methods: fraction of the reference's parameters; else 0 */
    uint64_t max_params; /* that budget in parameters; else 0 */
    size_t trials;       /* of settings; 0: none, the default settings stand */
    size_t trial;        /* whose settings the runs have, or ADASS_NO_TRIAL: not known yet */
    double trial_gain;   /* validation AUC of that trial minus that of trial 0, the defaults */
    size_t n;            /* seeds */
    uint64_t first_seed;
    json_t **records; /* [n], "adass-run-1", by rising seed; owned by whoever made the cell */
} adass_cell;

/** Of a cell, some of whose trials are not there. */
#define ADASS_NO_TRIAL SIZE_MAX

/** Name of the files of run i: name[96]. */
void adass_cell_run_name(const adass_cell *cell, size_t i, char *name);

/** Name of the file of trial `trial` of the cell's row: name[96]. */
void adass_cell_trial_name(const adass_cell *cell, size_t trial, char *name);

/** A number of a run's record, by section ("metrics") and key. */
double adass_record_number(const json_t *record, const char *section, const char *key);

/**
 * The reference of a backbone: its uniform cell of best mean validation AUC, or NULL when there is
 * none.
 */
const adass_cell *adass_best_uniform(const adass_cell *cells, size_t n_cells,
                                     adass_backbone backbone);

/**
 * Writes table.json, table.csv and table.md into a folder.
 *
 * @param cells  complete, each backbone's uniform cells among them
 */
adass_status adass_table_write(const char *dir, const char *suite, const adass_dataset *dataset,
                               const adass_cell *cells, size_t n_cells,
                               const adass_compute *compute, adass_error *err);

#endif
