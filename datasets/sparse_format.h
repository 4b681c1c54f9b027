/*
 * Rows of sparse text, as of LIBSVM and LIBFFM, whose features are categories:
 *
 *   label feature:1 feature:1 ...              libsvm: the place of an entry is its field
 *   label field:feature:1 field:feature:1 ...  libffm
 *
 * with blanks or tabs between, and behind the last entry as well. The label is 1, or 0 or -1 for a negative row. Fields and
 * features are whole numbers without sign; features of different fields are different, even under the same number. All
 * values must be 1: others are no category. Fields are called field_0 and so on.
 *
 * libsvm: all rows have as many entries as the first line of the first file, and none is missing.
 * libffm: the fields are those that occur in the input, by their number; one that a row lacks is missing there (OOV id); none
 * may be in a row twice.
 */
#ifndef ADASS_SPARSE_FORMAT_H
#define ADASS_SPARSE_FORMAT_H

#include "adass/import.h"
#include "blocks.h"
#include "row_format.h"

typedef struct adass_sparse_format adass_sparse_format;

/** Whether the importer of that name is one of these: "libsvm", "libffm". */
bool adass_sparse_format_is(const char *name);

/**
 * Finds the fields: of `options->vocabulary`, else of the input (libffm: in a pass of its own, in which rows that
 * cannot be taken apart count for nothing).
 *
 * @return ADASS_OK; ADASS_EFORMAT when there are no fields; ADASS_EINVAL when the vocabulary's dataset has others
 *         than field_<number>; ADASS_ENOMEM; as adass_blocks_run() and adass_dataset_open()
 */
adass_status adass_sparse_format_create(adass_sparse_format **out, const char *name,
                                        adass_inputs *inputs, const adass_table_options *options,
                                        adass_error *err);

const adass_row_format *adass_sparse_format_rows(const adass_sparse_format *format);

/** Accepts NULL. */
void adass_sparse_format_destroy(adass_sparse_format *format);

#endif
