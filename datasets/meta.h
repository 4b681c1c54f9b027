/*
 * meta.json of a prepared dataset.
 *
 *   {
 *     "format": "adass-dataset-1",
 *     "fields": [{"name": "user", "kind": "categorical", "vocab": 6041, "oov": 0, "true_rank": 16},
 *     ...],
 *     "rows": {"train": n, "valid": n, "test": n},
 *     "files": {"train/ids.npy": {"bytes": n, "checksum": "..."}, ..., "vocabulary.tsv": {...}},
 *     "teacher_auc": x,
 *     "made": {"by": ..., ...},
 *     "checksum": "..."
 *   }
 *
 * "true_rank" (0: the field carries nothing) and "teacher_auc" are there for planted data only, "vocabulary.tsv" where
 * it was asked for. "checksum" comes last and covers
 * every byte before it; the bytes from it on are fixed by it.
 * So no byte of the file can change unnoticed.
 */
#ifndef ADASS_META_H
#define ADASS_META_H

#include <jansson.h>
#include <stdbool.h>

#include "adass/dataset.h"

enum { ADASS_N_FILES = 2 * ADASS_N_SPLITS, ADASS_FIELDS_MAX = 1 << 16 };

/** From value to id (vocabulary_file.h). */
#define ADASS_VOCABULARY_FILE "vocabulary.tsv"

/** What meta.json says of one file. */
typedef struct adass_meta_file {
    size_t bytes;
    char checksum[ADASS_CHECKSUM_CHARS];
} adass_meta_file;

typedef struct adass_meta {
    size_t n_fields;
    adass_field *fields;
    size_t rows[ADASS_N_SPLITS];
    adass_meta_file files[ADASS_N_FILES];
    bool has_vocabulary;
    adass_meta_file vocabulary;
    double teacher_auc; /* 0 when unknown */
    char *made;         /* a JSON object as text; reading only */
    char checksum[ADASS_CHECKSUM_CHARS];
} adass_meta;

/** Path of file i inside the dataset: the ids and then the labels of each split. */
const char *adass_meta_file_name(size_t i);

/** `<dir>/<name>` in new memory, NULL when there is none. */
char *adass_path_join(const char *dir, const char *name);

/**
 * A whole number as JSON, which has none above 2^63 - 1: those become text. NULL when out of
 * memory.
 */
json_t *adass_json_u64(uint64_t value);

/** The text of meta.json in new memory, NULL when there is none. `made` is borrowed. */
char *adass_meta_format(const adass_meta *meta, json_t *made);

/**
 * Reads and checks meta.json of a dataset.
 *
 * @param out  to be freed with adass_meta_free(); untouched on error
 */
adass_status adass_meta_read(const char *dir, adass_meta *out, adass_error *err);

void adass_meta_free(adass_meta *meta);

#endif
