/* `adass info`: the machine, the kernels in force and why, the placement of threads, libraries. */
#include "cli.h"
#include "options.h"
#include "run_record.h"

#include "adass/dense.h"
#include "adass/topology.h"

#include <hwloc.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

typedef struct machine {
    const adass_compute *compute;
    const char *reason; /* why this ISA */
    adass_topology_counts counts;
    adass_placement *plan; /* [compute->threads] */
    adass_node *nodes;     /* [n_nodes], those of the plan */
    size_t n_nodes;
} machine;

/* Who chose the ISA, in the order in which adass_kernels_get() asks. */
static const char *isa_reason(const adass_common *common)
{
    const char *variable = getenv("ADASS_ISA");
    if (common->isa != NULL && strcmp(common->isa, "best") != 0)
        return "named by --isa";
    if (variable != NULL && *variable != '\0' && strcmp(variable, "best") != 0)
        return "named by ADASS_ISA";
    return "the best that runs here";
}

static adass_status machine_read(machine *m, const adass_common *common, const char *description,
                                 adass_error *err)
{
    const size_t threads = common->threads;
    *m = (machine){ .compute = &common->compute, .reason = isa_reason(common) };
    adass_topology *topology = NULL;
    adass_status status = adass_topology_open(&topology, description, err);
    if (status != ADASS_OK)
        return status;
    adass_topology_get_counts(topology, &m->counts);
    m->plan = calloc(threads, sizeof *m->plan);
    m->nodes = calloc(threads, sizeof *m->nodes);
    if (m->plan == NULL || m->nodes == NULL)
        status = adass_fail_memory(err, "the placement plan", (double)(threads * sizeof *m->plan));
    else
        status = adass_topology_plan(topology, threads, m->plan, err);
    if (status == ADASS_OK)
        m->n_nodes = adass_topology_plan_nodes(topology, m->plan, threads, m->nodes);
    adass_topology_close(topology);
    return status;
}

/* Versions of the libraries that are loaded; hwloc can tell that of its headers only. */
static json_t *libraries_json(void)
{
    char onednn[32];
    adass_dense_version(onednn);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "onednn", onednn, "hwloc", HWLOC_VERSION,
                     "jansson", jansson_version_str(), "zlib", zlibVersion(), "zstd",
                     ZSTD_versionString(), "lzma", lzma_version_string());
}

/* ---- as JSON ---- */

static json_t *isas_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < adass_isa_count(); i++) {
        const char *why = NULL;
        const bool supported = adass_isa_supported(i, &why);
        json_array_append_new(list, json_pack("{s:s, s:b, s:s*}", "name", adass_isa_name(i),
                                              "supported", supported, "why_not", why));
    }
    return list;
}

static json_t *plan_json(const machine *m)
{
    json_t *list = json_array();
    for (int i = 0; i < m->compute->threads; i++)
        json_array_append_new(list, json_pack("{s:i, s:i, s:i}", "pu", (int)m->plan[i].pu, "core",
                                              (int)m->plan[i].core, "numa_node",
                                              (int)m->plan[i].numa_node));
    return list;
}

/* The nodes on which tables would lie; "bytes" is null where the memory is not known. */
static json_t *nodes_json(const machine *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->n_nodes; i++)
        json_array_append_new(list, json_pack("{s:i, s:o}", "numa_node", (int)m->nodes[i].numa_node,
                                              "bytes",
                                              m->nodes[i].bytes < SIZE_MAX
                                                  ? json_integer((json_int_t)m->nodes[i].bytes)
                                                  : json_null()));
    return list;
}

static json_t *machine_json(const machine *m)
{
    const adass_topology_counts *c = &m->counts;
    return json_pack("{s:o, s:o, s:s, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:o, s:o}", "provenance",
                     adass_provenance_json(m->compute), "isas", isas_json(), "isa_reason",
                     m->reason, "topology", "packages", (json_int_t)c->packages, "numa_nodes",
                     (json_int_t)c->numa_nodes, "l3_groups", (json_int_t)c->l3_groups, "cores",
                     (json_int_t)c->cores, "pus", (json_int_t)c->pus, "placement_plan",
                     plan_json(m), "table_nodes", nodes_json(m), "libraries", libraries_json());
}

/* ---- as text ---- */

enum { LABEL = 11 };

static void print_isas(const machine *m)
{
    for (size_t i = 0; i < adass_isa_count(); i++) {
        const char *why = NULL;
        const char *name = adass_isa_name(i);
        printf("%-*s  %-7s ", LABEL, i == 0 ? "ISAs" : "", name);
        if (!adass_isa_supported(i, &why))
            printf("no: %s\n", why);
        else if (strcmp(name, m->compute->kernels->isa) == 0)
            printf("yes, in force: %s\n", m->reason);
        else
            puts("yes");
    }
}

static void print_count(size_t n, const char *what, const char *end)
{
    printf("%zu %s%s%s", n, what, n == 1 ? "" : "s", end);
}

static void print_topology(const adass_topology_counts *c)
{
    printf("%-*s  ", LABEL, "topology");
    print_count(c->packages, "package", ", ");
    print_count(c->numa_nodes, "NUMA node", ", ");
    print_count(c->l3_groups, "L3 group", ", ");
    print_count(c->cores, "core", ", ");
    print_count(c->pus, "processing unit", "\n");
}

static bool node_seen(const machine *m, int thread)
{
    for (int i = 0; i < thread; i++)
        if (m->plan[i].numa_node == m->plan[thread].numa_node)
            return true;
    return false;
}

/* One line a NUMA node: the processing units of its threads. */
static void print_plan(const machine *m)
{
    printf("%-*s  ", LABEL, "placement");
    print_count((size_t)m->compute->threads, "thread", "\n");
    for (int i = 0; i < m->compute->threads; i++) {
        const unsigned node = m->plan[i].numa_node;
        if (node_seen(m, i))
            continue;
        printf("%-*s  NUMA node %u: processing units", LABEL, "", node);
        for (int j = i; j < m->compute->threads; j++)
            if (m->plan[j].numa_node == node)
                printf(" %u", m->plan[j].pu);
        putchar('\n');
    }
}

/* What fits where: one copy of all tables on every node, or their parts over all nodes. */
static void print_tables(const machine *m)
{
    size_t least = SIZE_MAX;
    double sum = 0.0;
    for (size_t i = 0; i < m->n_nodes; i++) {
        least = m->nodes[i].bytes < least ? m->nodes[i].bytes : least;
        sum += (double)m->nodes[i].bytes;
    }
    printf("%-*s  on ", LABEL, "tables");
    print_count(m->n_nodes, "NUMA node", ": ");
    const double gib = 1024.0 * 1024.0 * 1024.0;
    if (least == SIZE_MAX)
        puts("their memory is not known");
    else if (m->n_nodes == 1)
        printf("%.1f GiB\n", sum / gib);
    else
        printf("replicated up to %.1f GiB, sharded by field up to %.1f GiB\n", (double)least / gib,
               sum / gib);
}

static int print_text(const machine *m)
{
    json_t *provenance = adass_provenance_json(m->compute), *libraries = libraries_json();
    static const char *const keys[] = { "version", "revision", "compiler", "cpu" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        printf("%-*s  %s\n", LABEL, keys[i],
               json_string_value(json_object_get(provenance, keys[i])));
    print_isas(m);
    print_topology(&m->counts);
    print_plan(m);
    print_tables(m);
    const char *name;
    json_t *version;
    bool first = true;
    json_object_foreach(libraries, name, version)
    {
        printf("%-*s  %-7s %s\n", LABEL, first ? "libraries" : "", name,
               json_string_value(version));
        first = false;
    }
    json_decref(provenance);
    json_decref(libraries);
    return ADASS_EXIT_OK;
}

static int run(int argc, char **argv)
{
    adass_common common = ADASS_COMMON_DEFAULTS;
    const char *topology = NULL;
    const adass_option options[] = {
        { "topology", "WHAT",
          "plan for another machine: hwloc's description, or a .xml of lstopo's",
          ADASS_OPTION_STRING, .string = &topology },
    };
    const adass_usage usage = {
        .command = "info",
        .summary =
            "Shows the CPU, the kernels in force and why, where threads and tables would be\n"
            "placed, and the versions of the libraries.",
        .example = "adass info --threads 4 --topology 'package:2 [numa] core:8 pu:2'",
        .options = options,
        .n_options = 1,
        .common = &common,
        .takes = ADASS_TAKES_COMPUTE | ADASS_TAKES_JSON,
    };
    int status;
    if (!adass_options_parse(&usage, argc, argv, NULL, &status))
        return status;
    machine m;
    adass_error err;
    if (machine_read(&m, &common, topology, &err) != ADASS_OK)
        status = adass_cli_fail(usage.command, &err);
    else if (common.json)
        status = adass_cli_print_json(usage.command, machine_json(&m));
    else
        status = print_text(&m);
    free(m.plan);
    free(m.nodes);
    return status;
}

const adass_command adass_cmd_info = { "info", "CPU, kernels and why, topology, libraries", run };
