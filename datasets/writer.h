/*
 * Writes a prepared dataset: streamed into a temporary folder beside the target, renamed when
 * complete and synced.
 */
#ifndef ADASS_WRITER_H
#define ADASS_WRITER_H

#include <jansson.h>
#include <stdio.h>

#include "adass/dataset.h"
#include "npy.h"

typedef struct adass_writer adass_writer;

/** Fails when `dir` exists, so that this can be told before work that a writer has to wait for. */
adass_status adass_writer_check(const char *dir, adass_error *err);

/**
 * Begins a dataset. Fails at once when `dir` exists or its parent is not writable. Removes what
 * writers of the same `dir` left behind when they were killed.
 */
adass_status adass_writer_open(adass_writer **out, const char *dir, size_t n_fields,
                               adass_error *err);

/** Appends n rows to a split. ids: [n x n_fields]; labels: [n], 0 or 1. */
adass_status adass_writer_add(adass_writer *writer, adass_split split, const uint32_t *ids,
                              const uint8_t *labels, size_t n, adass_error *err);

/** How many rows each split will have; optional, before the first: the checksums are then made of what is written. */
void adass_writer_expect(adass_writer *writer, const uint64_t rows[ADASS_N_SPLITS]);

/** As adass_writer_add(); a full buffer of ids is left to adass_npy_write_later(). */
adass_status adass_writer_add_later(adass_writer *writer, adass_split split, const uint32_t *ids,
                                    const uint8_t *labels, size_t n, adass_npy_later *later,
                                    adass_error *err);

/**
 * The file vocabulary.tsv of the dataset, to be written and closed before adass_writer_finish().
 */
adass_status adass_writer_create_vocabulary(adass_writer *writer, FILE **out, adass_error *err);

/**
 * Completes the headers, writes meta.json with the checksums, syncs, renames to the final name.
 *
 * @param fields       [n_fields], the schema
 * @param teacher_auc  planted data's ceiling, 0 when unknown
 * @param made         a JSON object: how it was made; borrowed
 */
adass_status adass_writer_finish(adass_writer *writer, const adass_field *fields,
                                 double teacher_auc, json_t *made, adass_error *err);

/** Frees the writer; removes the temporary folder unless finished. Accepts NULL. */
void adass_writer_close(adass_writer *writer);

#endif
