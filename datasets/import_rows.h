/*
 * The engine of imports: from lines to a dataset, whatever the format of a line is. A pass counts the values of
 * the training split, another one encodes; before them, a protocol may need a pass for the labels or the number
 * of lines.
 */
#ifndef ADASS_IMPORT_ROWS_H
#define ADASS_IMPORT_ROWS_H

#include "adass/import.h"
#include "blocks.h"
#include "row_format.h"

/**
 * @param by       how it was made, for meta.json: "import criteo"
 * @param format   how lines become rows
 * @param inputs   where they come from
 * @param options  `min_count`, `memory_bytes`, `threads` and `ratio` must be set; `inputs` and `schema` are not read
 * @param report   out, bad rows and warnings are added
 */
adass_status adass_import_rows(const char *by, const adass_row_format *format, adass_inputs *inputs,
                               const adass_table_options *options, const char *out_dir,
                               adass_import_report *report, adass_error *err);

/** Fails for a line that is too long, is no UTF-8, or holds a NUL byte. */
adass_status adass_line_check(const adass_line *line, adass_error *err);

/** Adds a warning, cut to the space there is; the last ones are left out when there are too many. */
void adass_report_warn(adass_import_report *report, const char *format, ...) ADASS_PRINTF(2, 3);

#endif
