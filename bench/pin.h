/* Binding a case's OpenMP threads to cores. */
#ifndef ADASS_BENCH_PIN_H
#define ADASS_BENCH_PIN_H

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Binds each of the `threads` OpenMP threads of the calling thread's team as adass_topology_plan()
 * places them. Parallel regions of as many threads that follow run on the same ones.
 */
adass_status adass_pin_threads(int threads, adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
