/*
 * Suites: named sets of runs, done or taken up where they stopped, and the table of their results.
 */
#ifndef ADASS_REPRODUCE_H
#define ADASS_REPRODUCE_H

#include "adass/run.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adass_reproduce_options {
    const char *suite; /* a name of adass_suite_name() */
    const char
        *dataset; /* a prepared dataset's folder; NULL: suites on planted data make their own */
    const char *shape;  /* of planted data, in place of the suite's; NULL for that */
    const char *rows;   /* of the suite's rows only these, as "adass,random"; NULL for all */
    const char *models; /* backbones, as "fm,dcnv2", in place of the suite's; NULL for those */
    double scale;       /* multiplies the rows of planted data; 0 for 1 */
    const char *
        out_dir; /* created when missing; holds runs/, table.md, table.csv, table.json, and data/ of planted suites */
    size_t seeds;  /* 0 for the suite's own number */
    uint64_t seed; /* of the first; the others follow */
    /**
     * Above 0, each row of the table, that is each uniform size and each method, is tuned: so many runs,
     * at the suite's first budget that the method can keep, try settings (learning rate, L2, dropout; the
     * first those of the suite, search/trials.h has the rest) with the seed `seed` + 1000000, looking at the
     * validation split only; those of best validation AUC then hold for the row's seeds and budgets.
     */
    size_t trials;
    /**
     * With shards > 0, only runs of shard 1..shards are done; what the others have done is taken
     * from `runs/`, where their files may be copied. Where some are not there, `missing` counts
     * them, and no table is written; where they are the uniform ones, which fix the budgets, the
     * others wait for them. With trials, a row with all its runs is one shard's.
     */
    size_t shard, shards;
    size_t *missing; /* out; may be NULL */
    /**
     * Called before the first run with roughly the seconds of all runs of the shard, were none done
     * yet; may be NULL.
     */
    void (*expected)(void *user, double seconds);
    /**
     * Called after each run; may be NULL. `auc`: on the test split, and of a trial on the validation
     * split. `reused`: its file was there already, of the same configuration, dataset and revision.
     */
    void (*finished)(void *user, size_t done, size_t total, const char *run, double auc, bool trial,
                     bool reused);
    void *user;
} adass_reproduce_options;

/**
 * Runs a suite. On one dataset and for each backbone: every uniform size; then, with budgets as
 * fractions of the parameters of the uniform size whose mean validation AUC is best, the searched
 * methods; all over the same seeds, with settings tuned by trials where those are asked for. A method that
 * cannot keep a budget is left out there. Each run is
 * a file `runs/<run>.json` ("adass-run-1"), written when it is complete, so that an interrupted suite
 * goes on where it stopped; beside it `runs/<run>.logits`, its test rows' logits (float32), for
 * comparing models row by row. At the end the table is written as Markdown, CSV and JSON
 * ("adass-table-1").
 *
 * @return ADASS_OK; ADASS_EINTERRUPTED when the monitor stopped it; otherwise what failed
 */
adass_status adass_reproduce(const adass_reproduce_options *options, const adass_compute *compute,
                             const adass_monitor *monitor, adass_error *err);

/** Number of suites. */
size_t adass_suite_count(void);

/** Name of suite i < adass_suite_count(). */
const char *adass_suite_name(size_t i);

/** One line on what it does. */
const char *adass_suite_summary(size_t i);

#ifdef __cplusplus
}
#endif

#endif
