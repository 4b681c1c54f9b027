/*
 * A temporary file without a name: it is beside the output, may be larger than memory, and is gone
 * when it is closed, however the process ends.
 */
#ifndef ADASS_SPOOL_H
#define ADASS_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

typedef struct adass_spool adass_spool;

/** @param beside  a path; the file is made in the folder that this one would be in */
adass_status adass_spool_open(adass_spool **out, const char *beside, adass_error *err);

/** Appends n bytes; buffered. */
adass_status adass_spool_append(adass_spool *spool, const void *bytes, size_t n, adass_error *err);

/** Bytes appended so far. */
uint64_t adass_spool_bytes(const adass_spool *spool);

/** Hands what is buffered to the system; to be called between appending and reading. */
adass_status adass_spool_flush(adass_spool *spool, adass_error *err);

/** Reads n bytes that are there. */
adass_status adass_spool_read(const adass_spool *spool, uint64_t offset, void *bytes, size_t n,
                              adass_error *err);

/** The file, to be read from offset 0 on after a flush; the spool keeps it open. */
int adass_spool_fd(const adass_spool *spool);

/** Accepts NULL. */
void adass_spool_close(adass_spool *spool);

#endif
