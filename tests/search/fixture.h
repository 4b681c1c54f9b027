/* A small planted dataset in a temporary folder, and what computes. */
#ifndef ADASS_TEST_FIXTURE_H
#define ADASS_TEST_FIXTURE_H

#include "adass/dataset.h"
#include "adass/model.h"
#include "adass/synth.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct fixture {
    char dir[64]; /* temporary folder, removed with everything in it at the end */
    adass_dataset *dataset;
    adass_compute compute;
} fixture;

static inline int remove_entry(const char *path, const struct stat *about, int type,
                               struct FTW *place)
{
    (void)about;
    (void)type;
    (void)place;
    return remove(path);
}

static inline void remove_folder(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* rows of shape `tiny` under <dir>/data; 0, or -1 with a message. */
static inline int fixture_open(fixture *x, size_t rows)
{
    adass_error err;
    char path[128];
    const adass_synth_options synth = { .shape = "tiny", .rows = rows, .seed = 5 };
    *x = (fixture){ .dir = "/tmp/adass-test-XXXXXX", .compute = { .threads = 2 } };
    if (mkdtemp(x->dir) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/data", x->dir);
    if (adass_kernels_get("best", &x->compute.kernels, &err) == ADASS_OK &&
        adass_synth_write(&synth, path, &err) == ADASS_OK &&
        adass_dataset_open(&x->dataset, path, &err) == ADASS_OK)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    return -1;
}

static inline void fixture_close(fixture *x)
{
    adass_dataset_close(x->dataset);
    remove_folder(x->dir);
}

#endif
