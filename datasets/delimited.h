/* Lines of delimited text, split into cells, and errors that name a cell. */
#ifndef ADASS_DELIMITED_H
#define ADASS_DELIMITED_H

#include <stdbool.h>
#include <stdint.h>

#include "text_reader.h"

/** A part of a line. */
typedef struct adass_cell {
    const char *text;
    size_t length;
    size_t column; /* byte of the line that it begins at, from 1 */
} adass_cell;

typedef struct adass_dialect {
    const char *separator; /* one or more characters */
    bool
        quoted; /* cells may stand in "quotes", in which "" is a quote (RFC 4180); they may not contain new lines */
    size_t n_columns;
} adass_dialect;

/**
 * Splits a line; quoted cells are unquoted in place.
 *
 * @param cells  out, [n_columns]
 * @return ADASS_OK, or ADASS_EFORMAT when the number of columns differs or a quote is not closed
 */
adass_status adass_line_split(adass_line *line, const adass_dialect *dialect, adass_cell *cells,
                              adass_error *err);

/**
 * Fails with "file:line:column: what, '<text>'"; the text is cut to a readable length and made
 * printable.
 */
adass_status adass_fail_cell(adass_error *err, const adass_line *line, const adass_cell *cell,
                             const char *what);

/** Whether the cell holds exactly this text. */
bool adass_cell_is(const adass_cell *cell, const char *text);

/** A whole number below 2^64 without sign, blanks or needless zeros in front. */
bool adass_cell_whole(const adass_cell *cell, uint64_t *out);

#endif
