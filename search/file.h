/* Files of results: written under a temporary name, brought to the disk, then renamed. */
#ifndef ADASS_FILE_H
#define ADASS_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "adass/status.h"

/** Puts a file's content; false when writing fails, with the reason in errno. */
typedef bool (*adass_file_put)(FILE *file, const void *user);

/**
 * Writes a file of which a reader, or a crash at any moment, sees all or nothing: where there was a
 * file of that name, it stays as it was until the new one is on the disk.
 *
 * @return ADASS_OK; ADASS_EINVAL for a path that is too long; ADASS_EIO naming path, reason and
 *         remedy. On errors nothing is left behind
 */
adass_status adass_file_write(const char *path, adass_file_put put, const void *user,
                              adass_error *err);

/** Makes a folder with those above it, as far as they are missing; ADASS_EINVAL or ADASS_EIO. */
adass_status adass_folder_make(const char *path, adass_error *err);

/**
 * Whether a file could be written there, asked before long work: ADASS_OK, or ADASS_EIO as the
 * writing would fail later. Leaves nothing behind.
 */
adass_status adass_file_check_writable(const char *path, adass_error *err);

#endif
