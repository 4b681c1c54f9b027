/* What a result must say about where and with what it was made. */
#include "machine.h"

#include "adass/dense.h"
#include "adass/kernels.h"
#include "adass/topology.h"
#include "adass_revision.h"
#include "harness.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_CHARS = 256 };

static void add_number(const char *key, size_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", value);
    adass_bench_add_context(key, text);
}

/*
 * The value of the first line of `path` that begins with `key` (all lines do for ""), "unknown"
 * where there is none.
 */
static void read_value(char out[LINE_CHARS], const char *path, const char *key)
{
    char line[LINE_CHARS];
    strcpy(out, "unknown");
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        const char *colon = *key != '\0' ? strchr(line, ':') : NULL;
        const char *value = colon != NULL ? colon + 1 : line;
        value += strspn(value, " \t");
        snprintf(out, LINE_CHARS, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    fclose(file);
}

static void add_cpu(void)
{
    char text[LINE_CHARS];
    read_value(text, "/proc/cpuinfo", "model name");
    adass_bench_add_context("cpu_model", text);
    read_value(text, "/proc/cpuinfo", "microcode");
    adass_bench_add_context("cpu_microcode", text);
    read_value(text, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "");
    adass_bench_add_context("cpu_governor", text);
    read_value(text, "/sys/kernel/mm/transparent_hugepage/enabled", "");
    adass_bench_add_context("transparent_hugepages", text);
}

/* How OpenMP's threads wait for one another, which decides much on a shared machine. */
static void add_openmp(void)
{
    add_number("openmp_threads", (size_t)omp_get_max_threads());
    const char *policy = getenv("OMP_WAIT_POLICY");
    adass_bench_add_context("openmp_wait_policy", policy != NULL ? policy : "default");
}

static adass_status add_isas(adass_error *err)
{
    const adass_kernels *kernels;
    const adass_status status = adass_kernels_get("best", &kernels, err);
    if (status != ADASS_OK)
        return status;
    adass_bench_add_context("isa", kernels->isa);
    char names[LINE_CHARS] = "";
    for (size_t i = 0; i < adass_isa_count(); i++)
        if (adass_isa_supported(i, NULL)) {
            const size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? " " : "",
                     adass_isa_name(i));
        }
    adass_bench_add_context("isa_available", names);
    return ADASS_OK;
}

static adass_status add_topology(adass_error *err)
{
    adass_topology *topology;
    const adass_status status = adass_topology_open(&topology, NULL, err);
    if (status != ADASS_OK)
        return status;
    adass_topology_counts counts;
    adass_topology_get_counts(topology, &counts);
    adass_topology_close(topology);
    add_number("packages", counts.packages);
    add_number("numa_nodes", counts.numa_nodes);
    add_number("l3_groups", counts.l3_groups);
    add_number("cores", counts.cores);
    add_number("processing_units", counts.pus);
    return ADASS_OK;
}

static void add_build(void)
{
    char onednn[32];
    adass_dense_version(onednn);
    adass_bench_add_context("onednn", onednn);
    adass_bench_add_context("compiler", ADASS_BENCH_COMPILER);
    adass_bench_add_context("compiler_flags", ADASS_BENCH_FLAGS);
    adass_bench_add_context("build_type", ADASS_BENCH_BUILD_TYPE);
    adass_bench_add_context("adass_version", ADASS_VERSION);
    adass_bench_add_context("revision", ADASS_REVISION);
}

adass_status bench_machine_describe(adass_error *err)
{
    add_cpu();
    add_build();
    add_openmp();
    const adass_status status = add_isas(err);
    return status == ADASS_OK ? add_topology(err) : status;
}
