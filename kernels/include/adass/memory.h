/* Memory for tables and matrices. */
#ifndef ADASS_MEMORY_H
#define ADASS_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Zeroed memory, aligned to a cache line; large blocks ask for huge pages and are touched here, so
 * that no page fault falls into a later measurement.
 *
 * @return NULL when there is none; to be freed with free(). 0 bytes give a valid pointer.
 */
void *adass_alloc(size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
