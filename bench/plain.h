/*
 * The kernels as plain loops (plain.tpl.h), compiled with an ISA's flags: what a compiler makes of
 * them is the baseline `auto`, and without its vectoriser `scalar`.
 */
#ifndef ADASS_BENCH_PLAIN_H
#define ADASS_BENCH_PLAIN_H

#include "adass/kernels.h"

extern const adass_kernels bench_plain_scalar;

/** The plain loops of an ISA, NULL where this build has none. */
const adass_kernels *bench_plain_get(const char *isa);

#endif
