/* Candidate sizes, size assignments, budgets, and the file that carries them. */
#ifndef ADASS_SIZES_H
#define ADASS_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/dataset.h"
#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ADASS_CANDIDATES_MAX = 16 };

/** The sizes c_1 < ... < c_K that a field may have; c_1 may be 0 (the field is dropped). */
typedef struct adass_candidates {
    size_t n;
    size_t sizes[ADASS_CANDIDATES_MAX];
} adass_candidates;

/** 0, 2, 4, 8, 16, 24, 32, 48, 64: of searches, and but for 0 of the uniform rows of tables. */
adass_candidates adass_candidates_default(void);

/** From "2,4,8": rising, 0..ADASS_SIZE_MAX, at least two. ADASS_EINVAL says what is wrong. */
adass_status adass_candidates_parse(const char *text, adass_candidates *out, adass_error *err);

/** sum_f vocab_f * size_f: the embedding parameters of a size assignment. */
uint64_t adass_sizes_params(const size_t *vocab, const size_t *sizes, size_t n_fields);

/**
 * Sizes of an assignment that is given by candidate numbers: sizes[f] =
 * candidates.sizes[choice[f]].
 */
void adass_sizes_from_choice(const adass_candidates *candidates, const uint8_t *choice,
                             size_t n_fields, size_t *sizes);

/** What sizes.json holds. */
typedef struct adass_sizes_file {
    char dataset[ADASS_CHECKSUM_CHARS]; /* checksum of the dataset that the sizes were found on */
    adass_candidates candidates;
    uint64_t params;
    uint64_t budget; /* parameters; 0 for none */
    char method[32];
    uint64_t seed;
} adass_sizes_file;

/** Writes sizes.json ("adass-sizes-1") to a temporary name and renames it. */
adass_status adass_sizes_write(const char *path, const adass_dataset *dataset, const size_t *sizes,
                               const adass_sizes_file *about, adass_error *err);

/**
 * Reads the sizes of a dataset's fields from sizes.json.
 *
 * @param sizes  out, [dataset->n_fields]
 * @return ADASS_OK; ADASS_EFORMAT when the file is not of the format, or its fields are not the
 *         dataset's (each is named); ADASS_EIO
 */
adass_status adass_sizes_read(const char *path, const adass_dataset *dataset, size_t *sizes,
                              adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
