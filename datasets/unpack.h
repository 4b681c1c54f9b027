/* Bytes of a file, unpacked when it is a .gz, .zst or .xz by its first bytes, whatever its name. */
#ifndef ADASS_UNPACK_H
#define ADASS_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

typedef struct adass_unpack adass_unpack;

adass_status adass_unpack_open(adass_unpack **out, const char *path, adass_error *err);

/** The file of a descriptor from its beginning; the descriptor stays the caller's. */
adass_status adass_unpack_open_fd(adass_unpack **out, int fd, const char *name, adass_error *err);

/** Bytes of the file, as it is stored, that were read so far. */
uint64_t adass_unpack_taken(const adass_unpack *unpack);

/** The descriptor of a file that is not packed, for reading at any place of it; -1 for a packed one. */
int adass_unpack_plain_fd(const adass_unpack *unpack);

/**
 * The next bytes.
 *
 * @param bytes  out, [capacity], capacity >= 1
 * @param n      out, how many there are; 0 at the end
 * @param why    out, on ADASS_EFORMAT (packed data that is damaged or cut) and ADASS_EIO: what is
 *         wrong
 */
adass_status adass_unpack_read(adass_unpack *unpack, void *bytes, size_t capacity, size_t *n,
                               const char **why);

/** Accepts NULL. */
void adass_unpack_close(adass_unpack *unpack);

#endif
