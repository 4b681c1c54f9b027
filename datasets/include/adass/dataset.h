/*
 * A prepared dataset: a folder with meta.json and, for each split, ids.npy and labels.npy, mapped
 * into memory.
 *
 *   <dir>/meta.json            schema, rows a split, checksums, how it was made
 *   <dir>/<split>/ids.npy      uint32, rows x fields, C order;   split: train, valid, test
 *   <dir>/<split>/labels.npy   uint8 (0 or 1) or float32 (in [0, 1])
 */
#ifndef ADASS_DATASET_H
#define ADASS_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum adass_split { ADASS_TRAIN, ADASS_VALID, ADASS_TEST, ADASS_N_SPLITS } adass_split;

/** "train", "valid" or "test". */
const char *adass_split_name(adass_split split);

enum { ADASS_CHECKSUM_CHARS = 33 }; /* 128 bits of XXH3 in hexadecimal, and the end */

/** One column. Ids of the field lie in [0, vocab). */
typedef struct adass_field {
    char *name;
    size_t vocab;
    uint32_t oov;     /* the id of values that the training split does not have */
    size_t true_rank; /* planted data: of the field's true vectors, 0: it carries nothing; else 0 */
} adass_field;

/** The rows of one split; the arrays belong to the dataset. */
typedef struct adass_rows {
    size_t n;
    const uint32_t *ids;      /* [n x n_fields] */
    const uint8_t *labels_u8; /* [n], or NULL when the labels are floats */
    const float *labels_f32;  /* [n], or NULL when the labels are bytes */
} adass_rows;

typedef struct adass_dataset {
    char *dir;
    char *name; /* the last part of dir; UTF-8, other bytes are '?' */
    char checksum
        [ADASS_CHECKSUM_CHARS]; /* of meta.json, which holds those of the other files: it names the data */
    size_t n_fields;
    adass_field *fields;
    adass_rows splits[ADASS_N_SPLITS];
    double teacher_auc; /* planted data: test AUC of the true click probabilities; 0: unknown */
    char *made;         /* how it was made, a JSON object as text */
    struct adass_dataset_maps *maps; /* private */
} adass_dataset;

/**
 * Opens a prepared dataset read-only. Checks meta.json (with its own checksum) and that every
 * file's header and length are what it says; ids are checked against the vocabularies when they are
 * read (batches.h). Nothing is copied.
 *
 * @param out  the dataset, to be closed with adass_dataset_close(); untouched on error
 * @return ADASS_OK, ADASS_EIO, ADASS_EFORMAT or ADASS_ENOMEM; the message names the file
 */
adass_status adass_dataset_open(adass_dataset **out, const char *dir, adass_error *err);

/**
 * Reads every file and compares its checksum with meta.json's. ADASS_EFORMAT names the first file
 * that differs.
 */
adass_status adass_dataset_verify(const adass_dataset *dataset, adass_error *err);

/** Label of row i as a float. */
static inline float adass_rows_label(const adass_rows *rows, size_t i)
{
    return rows->labels_u8 != NULL ? (float)rows->labels_u8[i] : rows->labels_f32[i];
}

/** Share of positive labels (the mean label) of a split, NaN for an empty one. */
double adass_rows_label_rate(const adass_rows *rows);

/** Accepts NULL. */
void adass_dataset_close(adass_dataset *dataset);

#ifdef __cplusplus
}
#endif

#endif
