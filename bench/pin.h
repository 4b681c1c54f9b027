/* Binding a case's OpenMP threads to cores, and their memory to nodes. */
#ifndef ADASS_BENCH_PIN_H
#define ADASS_BENCH_PIN_H

#include "adass/status.h"
#include "adass/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum adass_pin_mode {
    ADASS_PIN_NONE,
    ADASS_PIN_CORE, /* one thread a core, nodes in turn, as adass_topology_plan() places them */
    ADASS_PIN_NUMA  /* also what a thread is the first to touch comes from its own node */
} adass_pin_mode;

/**
 * Binds the `threads` OpenMP threads of the calling thread's team. Parallel regions of as many
 * threads that follow run on the same ones.
 *
 * @param topology  of this machine, opened before anything was bound
 * @param got       [threads], what was read back from the operating system, or NULL
 *
 * @return ADASS_EUNSUPPORTED where the operating system refuses, ADASS_ENOMEM
 */
adass_status adass_pin_threads(const adass_topology *topology, adass_pin_mode mode, int threads,
                               adass_binding *got, adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
