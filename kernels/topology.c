/* The machine's shape and thread placement, on hwloc. */
#include "adass/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct adass_topology {
    hwloc_topology_t hwloc;
};

adass_status adass_topology_open(adass_topology **out, const char *synthetic, adass_error *err)
{
    adass_topology *topology = calloc(1, sizeof *topology);
    if (topology == NULL)
        return adass_fail_memory(err, "the topology", sizeof *topology);
    if (hwloc_topology_init(&topology->hwloc) != 0) {
        free(topology);
        return adass_fail(err, ADASS_EIO, "hwloc cannot be started: %s", strerror(errno));
    }
    if (synthetic != NULL && hwloc_topology_set_synthetic(topology->hwloc, synthetic) != 0) {
        adass_topology_close(topology);
        return adass_fail(err, ADASS_EINVAL, "hwloc does not understand the topology '%s'",
                          synthetic);
    }
    if (hwloc_topology_load(topology->hwloc) != 0) {
        adass_topology_close(topology);
        return adass_fail(err, ADASS_EIO, "hwloc cannot read the topology: %s", strerror(errno));
    }
    *out = topology;
    return ADASS_OK;
}

static size_t count(const adass_topology *topology, hwloc_obj_type_t type)
{
    const int n = hwloc_get_nbobjs_by_type(topology->hwloc, type);
    return n > 0 ? (size_t)n : 0;
}

void adass_topology_get_counts(const adass_topology *topology, adass_topology_counts *out)
{
    *out = (adass_topology_counts){
        .packages = count(topology, HWLOC_OBJ_PACKAGE),
        .numa_nodes = count(topology, HWLOC_OBJ_NUMANODE),
        .l3_groups = count(topology, HWLOC_OBJ_L3CACHE),
        .cores = count(topology, HWLOC_OBJ_CORE),
        .pus = count(topology, HWLOC_OBJ_PU),
    };
}

/* Hardware thread `smt` of core `core` on node `node`, or NULL where there are fewer. */
static hwloc_obj_t find_pu(const adass_topology *topology, hwloc_obj_t node, size_t core,
                           size_t smt)
{
    const hwloc_obj_t c = hwloc_get_obj_inside_cpuset_by_type(topology->hwloc, node->cpuset,
                                                              HWLOC_OBJ_CORE, (unsigned)core);
    if (c == NULL)
        return NULL;
    return hwloc_get_obj_inside_cpuset_by_type(topology->hwloc, c->cpuset, HWLOC_OBJ_PU,
                                               (unsigned)smt);
}

/*
 * All processing units in the order in which threads take them: nodes in turn, then cores, then
 * hardware threads.
 */
static size_t order_pus(const adass_topology *topology, adass_placement *order)
{
    const size_t nodes = count(topology, HWLOC_OBJ_NUMANODE), pus = count(topology, HWLOC_OBJ_PU);
    size_t n = 0;
    for (size_t smt = 0; smt < pus && n < pus; smt++)
        for (size_t core = 0; core < pus && n < pus; core++)
            for (size_t i = 0; i < nodes && n < pus; i++) {
                const hwloc_obj_t node =
                    hwloc_get_obj_by_type(topology->hwloc, HWLOC_OBJ_NUMANODE, (unsigned)i);
                const hwloc_obj_t pu = find_pu(topology, node, core, smt);
                if (pu == NULL)
                    continue;
                const hwloc_obj_t parent =
                    hwloc_get_ancestor_obj_by_type(topology->hwloc, HWLOC_OBJ_CORE, pu);
                order[n++] = (adass_placement){ .pu = pu->os_index,
                                                .core = parent != NULL ? parent->os_index : 0,
                                                .numa_node = node->os_index };
            }
    return n;
}

adass_status adass_topology_plan(const adass_topology *topology, size_t n_threads,
                                 adass_placement *out, adass_error *err)
{
    const size_t pus = count(topology, HWLOC_OBJ_PU);
    adass_placement *order = calloc(pus + 1, sizeof *order);
    if (order == NULL)
        return adass_fail_memory(err, "the placement plan", (double)((pus + 1) * sizeof *order));
    const size_t n = order_pus(topology, order);
    for (size_t i = 0; n > 0 && i < n_threads; i++)
        out[i] = order[i % n];
    free(order);
    if (n == 0)
        return adass_fail(err, ADASS_EUNSUPPORTED, "hwloc shows no core on any NUMA node");
    return ADASS_OK;
}

adass_status adass_topology_bind(const adass_topology *topology, const adass_placement *placement,
                                 adass_error *err)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    if (set == NULL)
        return adass_fail_memory(err, "a CPU set", 64);
    hwloc_bitmap_only(set, placement->pu);
    const int failed = hwloc_set_cpubind(topology->hwloc, set, HWLOC_CPUBIND_THREAD);
    const int reason = errno;
    hwloc_bitmap_free(set);
    if (failed)
        return adass_fail(err, ADASS_EUNSUPPORTED, "cannot bind a thread to processing unit %u: %s",
                          placement->pu, strerror(reason));
    return ADASS_OK;
}

void adass_topology_close(adass_topology *topology)
{
    if (topology == NULL)
        return;
    hwloc_topology_destroy(topology->hwloc);
    free(topology);
}
