/* JSON and text files: read whole, written by adass_file_write(). */
#ifndef ADASS_JSON_FILE_H
#define ADASS_JSON_FILE_H

#include <jansson.h>

#include "adass/status.h"

/** Parses a file; errors name file, line and column. The caller owns *out. */
adass_status adass_json_read(const char *path, json_t **out, adass_error *err);

/** Writes `value` (borrowed) indented, with keys in the order of insertion. */
adass_status adass_json_write(const char *path, const json_t *value, adass_error *err);

/** Writes text as it is. */
adass_status adass_text_write(const char *path, const char *text, adass_error *err);

#endif
