/* The machine's shape (on hwloc), and plans of which thread runs where and which table lies where. */
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

/**
 * Where one thread runs; indexes as the operating system numbers them. `numa_node` is the nearest
 * node that has memory: its own, or where that has none the first of the smallest part of the
 * machine around it that has some.
 */
typedef struct adass_placement {
    unsigned pu, core, numa_node;
} adass_placement;

/** A node and its memory, SIZE_MAX bytes where the topology states no node's memory. */
typedef struct adass_node {
    unsigned numa_node;
    size_t bytes;
} adass_node;

/** How tables are spread over nodes. */
typedef enum adass_table_rule {
    ADASS_TABLE_LOCAL,       /* whole, on the first node */
    ADASS_TABLE_INTERLEAVED, /* page by page over all nodes in turn */
    ADASS_TABLE_REPLICATED,  /* a copy on every node: for tables that are only read */
    ADASS_TABLE_SHARDED      /* every field's table whole on one node, bytes balanced */
} adass_table_rule;

/** Where one table lies. */
typedef struct adass_table_place {
    adass_table_rule rule; /* local (on `numa_node`), interleaved or replicated (on all nodes) */
    unsigned numa_node;
} adass_table_place;

enum { ADASS_BINDING_CHARS = 128 };

/** What is in force for a thread, as the operating system reports it. */
typedef struct adass_binding {
    char pus[ADASS_BINDING_CHARS];    /* a list, "0-3,8" */
    char memory[ADASS_BINDING_CHARS]; /* "bind:0", "interleave:0-1", "default", "unknown" */
} adass_binding;

/* ---- topologies ---- */

/**
 * Reads the topology of this machine, as far as this process may use it: processing units that a
 * cpuset or the process's affinity (taskset) excludes are not there. Open it before threads are
 * bound. Or takes one of a machine that is not here, to see its plans.
 *
 * @param description  NULL for this machine, else hwloc's synthetic description, such as
 *                     "package:2 [numa] core:8 pu:2", or the path of an XML file of hwloc's (lstopo
 *                     machine.xml), which ends in ".xml"
 * @param out          to be closed by the caller; untouched on failure
 *
 * @return ADASS_EINVAL for a description that hwloc does not understand, ADASS_EIO, ADASS_ENOMEM
 */
adass_status adass_topology_open(adass_topology **out, const char *description, adass_error *err);

/**
 * Leaves only some processing units, and with them the nodes, as a cpuset would.
 *
 * @param pus  a list, such as "0-3,8", in the operating system's numbers; unknown ones are ignored
 *
 * @return ADASS_EINVAL for a list that is none or leaves nothing; the topology is then as it was
 */
adass_status adass_topology_restrict(adass_topology *topology, const char *pus, adass_error *err);

void adass_topology_get_counts(const adass_topology *topology, adass_topology_counts *out);

/** Accepts NULL. */
void adass_topology_close(adass_topology *topology);

/* ---- plans: computed from any topology ---- */

/**
 * Places threads one a core, the NUMA nodes in turn, so that memory bandwidth is shared out evenly;
 * second hardware threads of a core are used only when all cores have one, and more threads than
 * processing units go around again. Cores without memory of their own come after those of the
 * node that they use. The plan of fewer threads is the beginning of that of more.
 *
 * @param out  [n_threads], the plan
 *
 * @return ADASS_EUNSUPPORTED where no processing unit is allowed, ADASS_ENOMEM
 */
adass_status adass_topology_plan(const adass_topology *topology, size_t n_threads,
                                 adass_placement *out, adass_error *err);

/**
 * The nodes of a plan's threads, in the order of their first thread.
 *
 * @param out  [n_threads]; as many as the return value are filled
 */
size_t adass_topology_plan_nodes(const adass_topology *topology, const adass_placement *plan,
                                 size_t n_threads, adass_node *out);

/**
 * Places tables on nodes under a rule, never more bytes on a node than it has. Sharding takes the
 * tables from the largest to the smallest (of equal ones the first first), each to the node that
 * holds the fewest bytes among those where it fits (the first of equal ones). While all fit
 * everywhere, the fullest node holds at most 4/3 - 1/(3 n_nodes) of the least possible (Graham,
 * Bounds on multiprocessing timing anomalies, 1969).
 *
 * @param nodes  [n_nodes], of adass_topology_plan_nodes(); at least one
 * @param bytes  [n_tables], the size of each table
 * @param out    [n_tables]; undefined on failure
 *
 * @return ADASS_ENOMEM where the tables do not fit under this rule; the message names the rule, the
 *         node and what serves instead. Sharding can fail where a cleverer packing would not.
 */
adass_status adass_tables_place(const adass_node *nodes, size_t n_nodes, adass_table_rule rule,
                                const size_t *bytes, size_t n_tables, adass_table_place *out,
                                adass_error *err);

/* ---- plans applied: ADASS_EUNSUPPORTED on a topology that is not this machine's ---- */

/**
 * Binds the calling thread to its processing unit.
 *
 * @return ADASS_EUNSUPPORTED where the operating system refuses
 */
adass_status adass_topology_bind(const adass_topology *topology, const adass_placement *placement,
                                 adass_error *err);

/**
 * Binds the calling thread to the processing units of its node, among which the operating system
 * may move it.
 *
 * @return ADASS_EUNSUPPORTED where the operating system refuses
 */
adass_status adass_topology_bind_to_node(const adass_topology *topology,
                                         const adass_placement *placement, adass_error *err);

/**
 * Lets memory that the calling thread is the first to touch come from its node alone.
 *
 * @return ADASS_EUNSUPPORTED where the operating system refuses, as some containers do
 */
adass_status adass_topology_bind_allocation(const adass_topology *topology,
                                            const adass_placement *placement, adass_error *err);

/**
 * Binds an area of memory to nodes, pages that are in use included: to one node, or page by page
 * over several in turn. Whole pages are bound; what shares the first or last with the area moves along.
 * A replicated table is one area a copy.
 *
 * @return ADASS_EUNSUPPORTED where the operating system refuses
 */
adass_status adass_topology_bind_memory(const adass_topology *topology, void *area, size_t bytes,
                                        const adass_node *nodes, size_t n_nodes, adass_error *err);

/** Reads back what is in force for the calling thread. @return ADASS_EUNSUPPORTED */
adass_status adass_topology_get_binding(const adass_topology *topology, adass_binding *out,
                                        adass_error *err);

/**
 * Reads back the rule of an area (as `memory` of adass_binding) and the nodes that its pages lie on
 * ("0-1"; "" while none has been touched).
 *
 * @return ADASS_EUNSUPPORTED
 */
adass_status adass_topology_get_memory(const adass_topology *topology, const void *area,
                                       size_t bytes, char rule[ADASS_BINDING_CHARS],
                                       char nodes[ADASS_BINDING_CHARS], adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
