/*
 * vocabulary.tsv of a dataset: from value to id, to encode new rows for a model that was trained on the dataset.
 *
 *   field TAB id TAB value
 *   site_id TAB 1 TAB 1fbe01fe
 *   ...
 *
 * A header, then the values of each vocabulary (of the fields in their order; fields of one list share theirs, under the list's
 * name) by their ids from 1 on. Backslash, tab, line feed and carriage return of a value are written as
 * \\, \t, \n and \r.
 */
#ifndef ADASS_VOCABULARY_FILE_H
#define ADASS_VOCABULARY_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "checksum.h"
#include "id_tables.h"

/** Gathers texts of values by their ids. */
typedef struct adass_value_texts adass_value_texts;

/**
 * @param tables  whose ids are meant; must outlive the texts. 8 bytes of memory are taken for each
 * @param beside  where a temporary file for the texts is made
 */
adass_status adass_value_texts_open(adass_value_texts **out, const adass_id_tables *tables,
                                    const char *beside, adass_error *err);

/** Whether the text of an id is there; may be asked while another thread adds some. */
bool adass_value_texts_have(const adass_value_texts *texts, size_t vocabulary, uint32_t id);

/** Adds a text; does nothing when the id has one. */
adass_status adass_value_texts_add(adass_value_texts *texts, size_t vocabulary, uint32_t id,
                                   const char *text, size_t length, adass_error *err);

/** Writes vocabulary.tsv; every id must have its text. The file is synced, and stays the caller's. */
adass_status adass_value_texts_write(adass_value_texts *texts, FILE *file, adass_error *err);

/** Accepts NULL. */
void adass_value_texts_close(adass_value_texts *texts);

/** Copies a vocabulary.tsv as it is; synced. */
adass_status adass_vocabulary_copy(const char *dir, FILE *file, adass_error *err);

/**
 * Reads vocabulary.tsv of a dataset into tables, and checks it against the dataset's meta.json.
 *
 * @param tables    made for the vocabularies that are expected, by name
 * @param checksum  out: that of the file
 */
adass_status adass_vocabulary_read(const char *dir, adass_id_tables *tables,
                                   char checksum[ADASS_CHECKSUM_CHARS], adass_error *err);

#endif
