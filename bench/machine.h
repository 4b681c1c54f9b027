/* What a result must say about where and with what it was made. */
#ifndef ADASS_BENCH_MACHINE_H
#define ADASS_BENCH_MACHINE_H

#include "adass/status.h"

/**
 * Adds CPU, instruction sets, topology, huge pages, compiler, library versions and the source's
 * revision to the results' context.
 */
adass_status bench_machine_describe(adass_error *err);

#endif
