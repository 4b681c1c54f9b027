/*
 * Batches of a split for training: shuffled by seed, gathered from the mapped files, never more
 * than one batch copied.
 */
#ifndef ADASS_BATCHES_H
#define ADASS_BATCHES_H

#include "adass/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/** n samples; the arrays belong to the reader and hold until the next call. */
typedef struct adass_batch {
    size_t n;
    const uint32_t *ids; /* [n x n_fields] */
    const float *labels; /* [n] */
} adass_batch;

typedef struct adass_batches adass_batches;

/**
 * Checks that every id of a split lies inside its field's vocabulary and every label in [0, 1],
 * which kernels take for granted.
 *
 * @return ADASS_OK, or ADASS_EFORMAT naming file and row
 */
adass_status adass_dataset_check_rows(const adass_dataset *dataset, adass_split split,
                                      adass_error *err);

/**
 * A reader over a split, whose ids are checked here. The dataset must outlive it.
 *
 * @param batch_size  samples a batch; the last one of an epoch may be smaller
 */
adass_status adass_batches_open(adass_batches **out, const adass_dataset *dataset,
                                adass_split split, size_t batch_size, adass_error *err);

/** Begins an epoch in a random order that depends on seed and epoch alone (a full permutation). */
void adass_batches_shuffle(adass_batches *batches, uint64_t seed, uint64_t epoch);

/** The next batch of the epoch; n is 0 when it is over. */
void adass_batches_next(adass_batches *batches, adass_batch *out);

/** The order of the present epoch: [rows], row numbers of the split. */
const uint32_t *adass_batches_order(const adass_batches *batches);

/** Number of batches of an epoch. */
size_t adass_batches_count(const adass_batches *batches);

/** Accepts NULL. */
void adass_batches_close(adass_batches *batches);

#ifdef __cplusplus
}
#endif

#endif
