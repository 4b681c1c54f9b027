/* Lines of a text, parsed by a row format: what targets of such formats share. */
#ifndef ADASS_FUZZ_LINES_H
#define ADASS_FUZZ_LINES_H

#include "fuzz.h"
#include "row_format.h"

/**
 * Parses each line of a text as a reader hands it out: without NUL bytes, and in memory of its own. The first one goes
 * to the format's header() where there is one. Every row that is accepted must hold what row_format.h promises.
 */
void fuzz_parse_lines(const adass_row_format *format, fuzz_input text);

#endif
