/*
 * Batches of a split for training: shuffled by seed, gathered from the mapped files by a thread of
 * the reader's own while the batch before is computed on. Never more than two batches are copied.
 *
 * A split that fits into memory is read in the order of a full permutation. A larger one would then
 * be read from disk row by row, so it is cut into blocks of about 1 MiB of neighbouring rows; the
 * blocks come in random order, and the rows of a *window* of blocks, half of the memory, are
 * permuted together while the next window is read ahead. What that costs in randomness: all rows of
 * a block come within one window, and a window is a random sample of blocks, not of rows. Where
 * neighbouring rows are alike (files sorted by time or user), the mean of a window of W blocks
 * varies as that of W samples, not of all its rows; with thousands of blocks a window that is little.
 */
#ifndef ADASS_BATCHES_H
#define ADASS_BATCHES_H

#include "adass/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * n samples, laid out as the kernels read them: a sample's ids side by side. The arrays belong to
 * the reader and hold until its next call.
 */
typedef struct adass_batch {
    size_t n;
    const uint32_t *ids; /* [n x n_fields], each inside its field's vocabulary */
    const float *labels; /* [n], in [0, 1] */
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
 * A reader over a split, with its thread. The dataset must outlive it. One thread at a time may
 * call its functions.
 *
 * @param batch_size    samples a batch; the last one of an epoch may be smaller
 * @param memory_bytes  what may be kept in memory of the split: it decides between the full
 *                      permutation and blocks, and so the order of the rows. 0 is half of the
 *                      machine's memory; give a number to have the same order on every machine
 * @return ADASS_OK; ADASS_EINVAL for an empty batch or split; ADASS_ENOMEM; ADASS_EIO when no
 *         thread can be started
 */
adass_status adass_batches_open(adass_batches **out, const adass_dataset *dataset,
                                adass_split split, size_t batch_size, size_t memory_bytes,
                                adass_error *err);

/**
 * Begins an epoch in a random order that depends on the split, memory_bytes, seed and epoch alone,
 * wherever the epoch before was. Returns at once: the reader's thread does the work.
 */
void adass_batches_shuffle(adass_batches *batches, uint64_t seed, uint64_t epoch);

/**
 * The same from batch `first` on, at most adass_batches_count(): those before are neither read nor
 * given. For work that goes on in the middle of an epoch.
 */
void adass_batches_shuffle_from(adass_batches *batches, uint64_t seed, uint64_t epoch,
                                size_t first);

/**
 * The next batch of the epoch, which is waited for; n is 0 when the epoch is over or none was begun.
 *
 * @return ADASS_OK, or ADASS_EFORMAT when a row of the batch has an id outside its vocabulary or a
 *         label outside [0, 1]: file and row are named, `out` is untouched, the epoch cannot go on
 */
adass_status adass_batches_next(adass_batches *batches, adass_batch *out, adass_error *err);

/** Number of batches of an epoch. */
size_t adass_batches_count(const adass_batches *batches);

/** Rows that are permuted together: all of the split, or those of a window. */
size_t adass_batches_window_rows(const adass_batches *batches);

/** Stops the thread, whatever it is doing, and frees the reader. Accepts NULL. */
void adass_batches_close(adass_batches *batches);

#ifdef __cplusplus
}
#endif

#endif
