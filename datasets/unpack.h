/* Bytes of a file, unpacked when it is a .gz, .zst or .xz by its first bytes, whatever its name. */
#ifndef ADASS_UNPACK_H
#define ADASS_UNPACK_H

#include <stddef.h>

#include "adass/status.h"

typedef struct adass_unpack adass_unpack;

adass_status adass_unpack_open(adass_unpack **out, const char *path, adass_error *err);

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
