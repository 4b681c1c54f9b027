/* JSON files: read whole, written to a temporary name and renamed. */
#ifndef ADASS_JSON_FILE_H
#define ADASS_JSON_FILE_H

#include <jansson.h>

#include "adass/status.h"

/** Parses a file; errors name file, line and column. The caller owns *out. */
adass_status adass_json_read(const char *path, json_t **out, adass_error *err);

/** Writes `value` (borrowed) indented, with keys in the order of insertion. */
adass_status adass_json_write(const char *path, const json_t *value, adass_error *err);

/**
 * Whether a file could be written there, asked before long work: ADASS_OK, or ADASS_EIO as the
 * writing would fail later. Leaves nothing behind.
 */
adass_status adass_file_check_writable(const char *path, adass_error *err);

/** Writes text the same careful way. */
adass_status adass_text_write(const char *path, const char *text, adass_error *err);

#endif
