/* Checksums of files and bytes: 128 bits of XXH3 as 32 hexadecimal digits. */
#ifndef ADASS_CHECKSUM_H
#define ADASS_CHECKSUM_H

#include <stddef.h>
#include <xxhash.h>

#include "adass/dataset.h"

/** A hash as text. */
void adass_checksum_text(XXH128_hash_t hash, char out[ADASS_CHECKSUM_CHARS]);

/** Checksum of n bytes. */
void adass_checksum_bytes(const void *bytes, size_t n, char out[ADASS_CHECKSUM_CHARS]);

/**
 * Reads a file to its end.
 *
 * @param bytes  out, the length of the file
 * @return ADASS_OK, or ADASS_EIO naming the file
 */
adass_status adass_checksum_file(const char *path, char out[ADASS_CHECKSUM_CHARS], size_t *bytes,
                                 adass_error *err);

#endif
