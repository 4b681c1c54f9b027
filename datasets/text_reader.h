/*
 * Lines of a text file, plain or packed (.gz, .zst, .xz by content). Ends of lines are LF or CR LF;
 * the last one may lack it. NUL bytes, lines above
 * ADASS_LINE_BYTES_MAX and packed data that is damaged or cut are errors that name file and line.
 */
#ifndef ADASS_TEXT_READER_H
#define ADASS_TEXT_READER_H

#include <stddef.h>

#include "adass/dataset.h"

enum { ADASS_LINE_BYTES_MAX = 1 << 20 }; /* without the end of the line */

typedef struct adass_text_reader adass_text_reader;

/** A line; the text is ended by 0, may be changed, and holds until the next one is read. */
typedef struct adass_line {
    const char *path; /* of the file, for messages */
    size_t number;    /* from 1 */
    char *text; /* NULL at the end of the file; number is then that of the line that would follow */
    size_t length;
} adass_line;

adass_status adass_text_reader_open(adass_text_reader **out, const char *path, adass_error *err);

/** The next line. */
adass_status adass_text_reader_next(adass_text_reader *reader, adass_line *out, adass_error *err);

/**
 * Checksum of all the text read so far, unpacked: the same for a file and its packed copies once
 * the end is reached.
 */
void adass_text_reader_checksum(const adass_text_reader *reader, char out[ADASS_CHECKSUM_CHARS]);

/** Accepts NULL. */
void adass_text_reader_close(adass_text_reader *reader);

#endif
