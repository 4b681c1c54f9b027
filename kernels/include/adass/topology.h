/* The machine's shape (on hwloc) and a plan of which thread runs where. */
#ifndef ADASS_TOPOLOGY_H
#define ADASS_TOPOLOGY_H

#include <stddef.h>

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adass_topology adass_topology;

/** How many of each there are among those that this process may use. */
typedef struct adass_topology_counts {
    size_t packages, numa_nodes, l3_groups, cores, pus;
} adass_topology_counts;

/** Where one thread runs; indexes as the operating system numbers them. */
typedef struct adass_placement {
    unsigned pu, core, numa_node;
} adass_placement;

/**
 * Reads the topology of this machine, or builds one from hwloc's synthetic description, to see
 * plans for machines that are not here.
 *
 * @param synthetic  NULL for this machine, else e.g. "package:2 [numa] core:8 pu:2"
 */
adass_status adass_topology_open(adass_topology **out, const char *synthetic, adass_error *err);

void adass_topology_get_counts(const adass_topology *topology, adass_topology_counts *out);

/**
 * Places threads one a core, the NUMA nodes in turn, so that memory bandwidth is shared out evenly;
 * second hardware threads of a core are used only when all cores have one, and more threads than
 * processing units go around again.
 *
 * @param out  [n_threads], the plan
 */
adass_status adass_topology_plan(const adass_topology *topology, size_t n_threads,
                                 adass_placement *out, adass_error *err);

/** Binds the calling thread to its processing unit. */
adass_status adass_topology_bind(const adass_topology *topology, const adass_placement *placement,
                                 adass_error *err);

/** Accepts NULL. */
void adass_topology_close(adass_topology *topology);

#ifdef __cplusplus
}
#endif

#endif
