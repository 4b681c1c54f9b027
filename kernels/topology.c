/* The machine's shape, and placement of threads and tables, on hwloc. */
#include "adass/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct adass_topology {
    hwloc_topology_t hwloc;
};

static adass_status make_set(hwloc_bitmap_t *out, adass_error *err)
{
    *out = hwloc_bitmap_alloc();
    return *out != NULL ? ADASS_OK : adass_fail_memory(err, "a set of a topology's parts", 64);
}

/* What hwloc is to read; false when it does not understand the description. */
static bool set_source(hwloc_topology_t hwloc, const char *description)
{
    if (description == NULL)
        return hwloc_topology_set_flags(hwloc, HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM |
                                                   HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING) == 0;
    const size_t chars = strlen(description);
    if (chars > 4 && strcmp(description + chars - 4, ".xml") == 0)
        return hwloc_topology_set_xml(hwloc, description) == 0;
    return hwloc_topology_set_synthetic(hwloc, description) == 0;
}

adass_status adass_topology_open(adass_topology **out, const char *description, adass_error *err)
{
    adass_topology *topology = calloc(1, sizeof *topology);
    if (topology == NULL)
        return adass_fail_memory(err, "the topology", sizeof *topology);
    if (hwloc_topology_init(&topology->hwloc) != 0) {
        free(topology);
        return adass_fail(err, ADASS_EIO, "hwloc cannot be started: %s", strerror(errno));
    }
    const char *name = description != NULL ? description : "this machine";
    if (!set_source(topology->hwloc, description)) {
        adass_topology_close(topology);
        return adass_fail(err, ADASS_EINVAL,
                          "hwloc does not understand the topology '%s': a description such as "
                          "'package:2 [numa] core:8 pu:2', or an XML file of lstopo's",
                          name);
    }
    if (hwloc_topology_load(topology->hwloc) != 0) {
        adass_topology_close(topology);
        return adass_fail(err, description != NULL ? ADASS_EINVAL : ADASS_EIO,
                          "hwloc cannot read the topology of %s: %s", name, strerror(errno));
    }
    *out = topology;
    return ADASS_OK;
}

adass_status adass_topology_restrict(adass_topology *topology, const char *pus, adass_error *err)
{
    hwloc_bitmap_t set;
    adass_status status = make_set(&set, err);
    if (status != ADASS_OK)
        return status;
    if (hwloc_bitmap_list_sscanf(set, pus) != 0)
        status =
            adass_fail(err, ADASS_EINVAL, "'%s' is no list of processing units such as 0-3,8", pus);
    else if (hwloc_topology_restrict(topology->hwloc, set, HWLOC_RESTRICT_FLAG_REMOVE_CPULESS) != 0)
        status = adass_fail(err, ADASS_EINVAL, "none of the processing units %s is there", pus);
    hwloc_bitmap_free(set);
    return status;
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

static hwloc_obj_t get_node(const adass_topology *topology, size_t i)
{
    return hwloc_get_obj_by_type(topology->hwloc, HWLOC_OBJ_NUMANODE, (unsigned)i);
}

/* Whether memory sizes are stated at all: where no node has any, all count as having some. */
static bool knows_memory(const adass_topology *topology)
{
    for (size_t i = 0; i < count(topology, HWLOC_OBJ_NUMANODE); i++)
        if (get_node(topology, i)->attr->numanode.local_memory > 0)
            return true;
    return false;
}

/* ---- placement of threads ---- */

/* A processing unit with what decides when its turn comes. */
typedef struct candidate {
    adass_placement placement;
    unsigned node;      /* logical index of the node that it uses */
    bool foreign;       /* which is not its own */
    unsigned core;      /* logical index */
    unsigned core_rank; /* among the cores that use the node */
    unsigned smt;       /* among the core's hardware threads */
} candidate;

static void set_node(const adass_topology *topology, bool known, hwloc_obj_t pu, candidate *out)
{
    for (hwloc_obj_t part = pu; part != NULL; part = part->parent)
        for (size_t i = 0; i < count(topology, HWLOC_OBJ_NUMANODE); i++) {
            const hwloc_obj_t node = get_node(topology, i);
            if (!hwloc_bitmap_isset(part->nodeset, node->os_index) ||
                (known && node->attr->numanode.local_memory == 0))
                continue;
            out->placement.numa_node = node->os_index;
            out->node = (unsigned)i;
            out->foreign = part != pu;
            return;
        }
}

static void set_candidate(const adass_topology *topology, bool known, hwloc_obj_t pu,
                          candidate *out)
{
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology->hwloc, HWLOC_OBJ_CORE, pu);
    if (core == NULL)
        core = pu; /* a machine whose cores are not known */
    const hwloc_obj_t first =
        hwloc_get_obj_inside_cpuset_by_type(topology->hwloc, core->cpuset, HWLOC_OBJ_PU, 0);
    *out = (candidate){ .placement = { .pu = pu->os_index, .core = core->os_index },
                        .core = core->logical_index,
                        .smt = pu->logical_index - first->logical_index };
    set_node(topology, known, pu, out);
}

static int compare(unsigned a, unsigned b) { return (a > b) - (a < b); }

static int compare_in_node(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->node != b->node)
        return compare(a->node, b->node);
    if (a->foreign != b->foreign)
        return compare(a->foreign, b->foreign);
    return a->core != b->core ? compare(a->core, b->core) : compare(a->smt, b->smt);
}

static int compare_turn(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->smt != b->smt)
        return compare(a->smt, b->smt);
    return a->core_rank != b->core_rank ? compare(a->core_rank, b->core_rank)
                                        : compare(a->node, b->node);
}

/* All processing units in the order in which threads take them. */
static void order_pus(const adass_topology *topology, candidate *order, size_t pus)
{
    const bool known = knows_memory(topology);
    for (size_t i = 0; i < pus; i++)
        set_candidate(topology, known,
                      hwloc_get_obj_by_type(topology->hwloc, HWLOC_OBJ_PU, (unsigned)i), &order[i]);
    qsort(order, pus, sizeof *order, compare_in_node);
    for (size_t i = 1; i < pus; i++)
        if (order[i].node == order[i - 1].node)
            order[i].core_rank = order[i - 1].core_rank + (order[i].core != order[i - 1].core);
    qsort(order, pus, sizeof *order, compare_turn);
}

adass_status adass_topology_plan(const adass_topology *topology, size_t n_threads,
                                 adass_placement *out, adass_error *err)
{
    const size_t pus = count(topology, HWLOC_OBJ_PU);
    if (pus == 0)
        return adass_fail(err, ADASS_EUNSUPPORTED,
                          "hwloc shows no processing unit that is allowed");
    candidate *order = calloc(pus, sizeof *order);
    if (order == NULL)
        return adass_fail_memory(err, "the placement plan", (double)(pus * sizeof *order));
    order_pus(topology, order, pus);
    for (size_t i = 0; i < n_threads; i++)
        out[i] = order[i % pus].placement;
    free(order);
    return ADASS_OK;
}

/* ---- placement of tables ---- */

size_t adass_topology_plan_nodes(const adass_topology *topology, const adass_placement *plan,
                                 size_t n_threads, adass_node *out)
{
    const bool known = knows_memory(topology);
    size_t n = 0;
    for (size_t i = 0; i < n_threads; i++) {
        size_t k = 0;
        while (k < n && out[k].numa_node != plan[i].numa_node)
            k++;
        if (k < n)
            continue;
        const hwloc_obj_t node =
            hwloc_get_numanode_obj_by_os_index(topology->hwloc, plan[i].numa_node);
        const uint64_t bytes = known ? node->attr->numanode.local_memory : SIZE_MAX;
        out[n++] = (adass_node){ .numa_node = plan[i].numa_node,
                                 .bytes = bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX };
    }
    return n;
}

static double mebibytes(size_t bytes) { return (double)bytes / (1024.0 * 1024.0); }

/* Whether one of `parts` equal parts of every table fits on each of the nodes. */
static adass_status check_room(const adass_node *nodes, size_t n_nodes, const char *rule,
                               size_t parts, const size_t *bytes, size_t n_tables, adass_error *err)
{
    size_t total = 0; /* on one node */
    for (size_t t = 0; t < n_tables; t++) {
        const size_t part = bytes[t] / parts + (bytes[t] % parts != 0);
        total = part < SIZE_MAX - total ? total + part : SIZE_MAX;
    }
    for (size_t i = 0; i < n_nodes; i++)
        if (total > nodes[i].bytes)
            return adass_fail(err, ADASS_ENOMEM,
                              "%s tables need %.1f MiB on NUMA node %u, which has %.1f: %s", rule,
                              mebibytes(total), nodes[i].numa_node, mebibytes(nodes[i].bytes),
                              parts == 1 ? "shard or interleave them" : "use smaller tables");
    return ADASS_OK;
}

typedef struct sized_table {
    size_t bytes, table;
} sized_table;

static int compare_sizes(const void *left, const void *right)
{
    const sized_table *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return a->table < b->table ? -1 : 1;
}

/* The node that holds the fewest bytes among those with room; n_nodes where there is none. */
static size_t find_emptiest(const adass_node *nodes, const size_t *used, size_t n_nodes,
                            size_t bytes)
{
    size_t best = n_nodes;
    for (size_t i = 0; i < n_nodes; i++)
        if (bytes <= nodes[i].bytes - used[i] && (best == n_nodes || used[i] < used[best]))
            best = i;
    return best;
}

static adass_status shard(const adass_node *nodes, size_t n_nodes, const sized_table *order,
                          size_t n_tables, size_t *used, adass_table_place *out, adass_error *err)
{
    for (size_t t = 0; t < n_tables; t++) {
        const size_t node = find_emptiest(nodes, used, n_nodes, order[t].bytes);
        if (node == n_nodes)
            return adass_fail(err, ADASS_ENOMEM,
                              "sharded by field, table %zu of %.1f MiB fits on none of %zu NUMA "
                              "nodes: interleave the tables",
                              order[t].table, mebibytes(order[t].bytes), n_nodes);
        used[node] += order[t].bytes;
        out[order[t].table] =
            (adass_table_place){ .rule = ADASS_TABLE_LOCAL, .numa_node = nodes[node].numa_node };
    }
    return ADASS_OK;
}

static adass_status place_sharded(const adass_node *nodes, size_t n_nodes, const size_t *bytes,
                                  size_t n_tables, adass_table_place *out, adass_error *err)
{
    sized_table *order = calloc(n_tables + 1, sizeof *order);
    size_t *used = calloc(n_nodes, sizeof *used);
    adass_status status;
    if (order == NULL || used == NULL)
        status = adass_fail_memory(err, "the placement of tables",
                                   (double)((n_tables + 1) * sizeof *order));
    else {
        for (size_t t = 0; t < n_tables; t++)
            order[t] = (sized_table){ .bytes = bytes[t], .table = t };
        qsort(order, n_tables, sizeof *order, compare_sizes);
        status = shard(nodes, n_nodes, order, n_tables, used, out, err);
    }
    free(order);
    free(used);
    return status;
}

adass_status adass_tables_place(const adass_node *nodes, size_t n_nodes, adass_table_rule rule,
                                const size_t *bytes, size_t n_tables, adass_table_place *out,
                                adass_error *err)
{
    if (n_nodes == 0)
        return adass_fail(err, ADASS_EINVAL, "tables cannot be placed on no NUMA node");
    if (rule == ADASS_TABLE_SHARDED)
        return place_sharded(nodes, n_nodes, bytes, n_tables, out, err);
    for (size_t t = 0; t < n_tables; t++)
        out[t] = (adass_table_place){ .rule = rule, .numa_node = nodes[0].numa_node };
    switch (rule) {
    case ADASS_TABLE_LOCAL:
        return check_room(nodes, 1, "local", 1, bytes, n_tables, err);
    case ADASS_TABLE_INTERLEAVED:
        return check_room(nodes, n_nodes, "interleaved", n_nodes, bytes, n_tables, err);
    default:
        return check_room(nodes, n_nodes, "replicated", 1, bytes, n_tables, err);
    }
}

/* ---- plans applied ---- */

/*
 * A set to bind with, or to read a binding into. hwloc itself pretends to bind on a topology that is
 * not this machine's.
 */
static adass_status make_set_here(const adass_topology *topology, hwloc_bitmap_t *out,
                                  adass_error *err)
{
    if (hwloc_topology_is_thissystem(topology->hwloc))
        return make_set(out, err);
    return adass_fail(err, ADASS_EUNSUPPORTED,
                      "nothing can be bound on a topology that is not this machine's");
}

adass_status adass_topology_bind(const adass_topology *topology, const adass_placement *placement,
                                 adass_error *err)
{
    hwloc_bitmap_t set;
    adass_status status = make_set_here(topology, &set, err);
    if (status != ADASS_OK)
        return status;
    hwloc_bitmap_only(set, placement->pu);
    if (hwloc_set_cpubind(topology->hwloc, set, HWLOC_CPUBIND_THREAD) != 0)
        status =
            adass_fail(err, ADASS_EUNSUPPORTED, "cannot bind a thread to processing unit %u: %s",
                       placement->pu, strerror(errno));
    hwloc_bitmap_free(set);
    return status;
}

adass_status adass_topology_bind_to_node(const adass_topology *topology,
                                         const adass_placement *placement, adass_error *err)
{
    hwloc_bitmap_t set;
    adass_status status = make_set_here(topology, &set, err);
    if (status != ADASS_OK)
        return status;
    const hwloc_obj_t node =
        hwloc_get_numanode_obj_by_os_index(topology->hwloc, placement->numa_node);
    if (node != NULL && hwloc_bitmap_isset(node->cpuset, placement->pu))
        hwloc_bitmap_copy(set, node->cpuset);
    else
        hwloc_bitmap_only(set, placement->pu); /* whose node has no processing units of its own */
    if (hwloc_set_cpubind(topology->hwloc, set, HWLOC_CPUBIND_THREAD) != 0)
        status = adass_fail(err, ADASS_EUNSUPPORTED, "cannot bind a thread to NUMA node %u: %s",
                            placement->numa_node, strerror(errno));
    hwloc_bitmap_free(set);
    return status;
}

adass_status adass_topology_bind_allocation(const adass_topology *topology,
                                            const adass_placement *placement, adass_error *err)
{
    hwloc_bitmap_t set;
    adass_status status = make_set_here(topology, &set, err);
    if (status != ADASS_OK)
        return status;
    hwloc_bitmap_only(set, placement->numa_node);
    if (hwloc_set_membind(topology->hwloc, set, HWLOC_MEMBIND_BIND,
                          HWLOC_MEMBIND_THREAD | HWLOC_MEMBIND_STRICT | HWLOC_MEMBIND_BYNODESET))
        status =
            adass_fail(err, ADASS_EUNSUPPORTED, "cannot bind a thread's memory to NUMA node %u: %s",
                       placement->numa_node, strerror(errno));
    hwloc_bitmap_free(set);
    return status;
}

adass_status adass_topology_bind_memory(const adass_topology *topology, void *area, size_t bytes,
                                        const adass_node *nodes, size_t n_nodes, adass_error *err)
{
    hwloc_bitmap_t set;
    adass_status status = make_set_here(topology, &set, err);
    if (status != ADASS_OK)
        return status;
    for (size_t i = 0; i < n_nodes; i++)
        hwloc_bitmap_set(set, nodes[i].numa_node);
    if (hwloc_set_area_membind(topology->hwloc, area, bytes, set,
                               n_nodes > 1 ? HWLOC_MEMBIND_INTERLEAVE : HWLOC_MEMBIND_BIND,
                               HWLOC_MEMBIND_MIGRATE | HWLOC_MEMBIND_STRICT |
                                   HWLOC_MEMBIND_BYNODESET) != 0)
        status = adass_fail(err, ADASS_EUNSUPPORTED,
                            "cannot bind %.1f MiB of memory to %zu NUMA nodes: %s",
                            mebibytes(bytes), n_nodes, strerror(errno));
    hwloc_bitmap_free(set);
    return status;
}

static void print_memory(char out[ADASS_BINDING_CHARS], hwloc_membind_policy_t policy,
                         hwloc_const_bitmap_t nodes)
{
    char list[ADASS_BINDING_CHARS - 16];
    hwloc_bitmap_list_snprintf(list, sizeof list, nodes);
    switch (policy) {
    case HWLOC_MEMBIND_BIND:
        snprintf(out, ADASS_BINDING_CHARS, "bind:%s", list);
        break;
    case HWLOC_MEMBIND_INTERLEAVE:
        snprintf(out, ADASS_BINDING_CHARS, "interleave:%s", list);
        break;
    case HWLOC_MEMBIND_DEFAULT:
    case HWLOC_MEMBIND_FIRSTTOUCH:
        strcpy(out, "default");
        break;
    default:
        strcpy(out, "mixed");
    }
}

adass_status adass_topology_get_binding(const adass_topology *topology, adass_binding *out,
                                        adass_error *err)
{
    hwloc_bitmap_t set;
    hwloc_membind_policy_t policy;
    adass_status status = make_set_here(topology, &set, err);
    if (status != ADASS_OK)
        return status;
    if (hwloc_get_cpubind(topology->hwloc, set, HWLOC_CPUBIND_THREAD) != 0)
        status = adass_fail(err, ADASS_EUNSUPPORTED, "cannot read a thread's binding: %s",
                            strerror(errno));
    else
        hwloc_bitmap_list_snprintf(out->pus, sizeof out->pus, set);
    if (hwloc_get_membind(topology->hwloc, set, &policy,
                          HWLOC_MEMBIND_THREAD | HWLOC_MEMBIND_BYNODESET) == 0)
        print_memory(out->memory, policy, set);
    else
        strcpy(out->memory, "unknown");
    hwloc_bitmap_free(set);
    return status;
}

adass_status adass_topology_get_memory(const adass_topology *topology, const void *area,
                                       size_t bytes, char rule[ADASS_BINDING_CHARS],
                                       char nodes[ADASS_BINDING_CHARS], adass_error *err)
{
    hwloc_bitmap_t set;
    hwloc_membind_policy_t policy;
    adass_status status = make_set_here(topology, &set, err);
    if (status != ADASS_OK)
        return status;
    if (hwloc_get_area_membind(topology->hwloc, area, bytes, set, &policy,
                               HWLOC_MEMBIND_BYNODESET) == 0) {
        print_memory(rule, policy, set);
        if (hwloc_get_area_memlocation(topology->hwloc, area, bytes, set,
                                       HWLOC_MEMBIND_BYNODESET) == 0)
            hwloc_bitmap_list_snprintf(nodes, ADASS_BINDING_CHARS, set);
        else
            status = ADASS_EUNSUPPORTED;
    } else {
        status = ADASS_EUNSUPPORTED;
    }
    if (status != ADASS_OK)
        adass_fail(err, status, "cannot read where memory lies: %s", strerror(errno));
    hwloc_bitmap_free(set);
    return status;
}

void adass_topology_close(adass_topology *topology)
{
    if (topology == NULL)
        return;
    hwloc_topology_destroy(topology->hwloc);
    free(topology);
}
