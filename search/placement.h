/*
 * Where the threads and tables of training are, on a machine of several NUMA nodes. Threads are
 * bound to their nodes by the plan of adass_topology_plan(); tables and Adam's moments are spread
 * page by page over these nodes: every thread reads rows of all tables, so that each node then
 * serves the same part of all lookups, whatever the vocabularies. On one node nothing is bound.
 *
 * Placement changes no result, and no machine must allow it: where the operating system refuses,
 * training goes on without.
 */
#ifndef ADASS_PLACEMENT_H
#define ADASS_PLACEMENT_H

#include "adass/model.h"
#include "adass/topology.h"

typedef struct adass_placer {
    adass_topology *topology;
    size_t n_threads, n_nodes;
    adass_placement *threads; /* [n_threads]: the plan */
    adass_node *nodes;        /* [n_threads], of which n_nodes are filled */
} adass_placer;

/**
 * Plans for a number of threads.
 *
 * @param topology  NULL for this machine, else as in adass_topology_open()
 * @param out       to be freed with adass_placer_free(), on errors too
 */
adass_status adass_placer_init(adass_placer *out, const char *topology, int threads,
                               adass_error *err);

/** Binds OpenMP's threads to their nodes where there are several. Returns whether it did. */
bool adass_placer_bind_threads(const adass_placer *placer);

/** The bytes of a field's table, moments and first-order weights. */
size_t adass_placer_table_bytes(const adass_table *table);

/**
 * Spreads a model's tables over the nodes where there are several.
 *
 * @param placed  out, whether it did; may be NULL
 * @return ADASS_OK, or ADASS_ENOMEM when the nodes do not have that memory
 */
adass_status adass_placer_spread(const adass_placer *placer, const adass_model *model, bool *placed,
                                 adass_error *err);

void adass_placer_free(adass_placer *placer);

#endif
