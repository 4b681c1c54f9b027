/* What families share. axes.h says what functions do. */
#include "axes.h"

#include "adass/topology.h"

#include <stdio.h>

adass_status bench_axes_init(bench_axes *axes, adass_error *err)
{
    *axes = (bench_axes){ .rates = bench_rates_create() };
    if (axes->rates == NULL)
        return adass_fail_memory(err, "the table of rates", 0.0);
    for (size_t i = 0; i < adass_isa_count() && axes->n_isas < BENCH_ISAS_MAX; i++) {
        if (!adass_isa_supported(i, NULL))
            continue;
        const adass_status status =
            adass_kernels_get(adass_isa_name(i), &axes->isas[axes->n_isas++], err);
        if (status != ADASS_OK)
            return status;
    }
    adass_topology *topology;
    const adass_status status = adass_topology_open(&topology, NULL, err);
    if (status != ADASS_OK)
        return status;
    adass_topology_counts counts;
    adass_topology_get_counts(topology, &counts);
    adass_topology_close(topology);
    const int cores = counts.cores > 0 ? (int)counts.cores : 1;
    axes->threads[axes->n_threads++] = 1;
    if (cores >= 2)
        axes->threads[axes->n_threads++] = 2;
    if (cores > 2)
        axes->threads[axes->n_threads++] = cores;
    return ADASS_OK;
}

void bench_axes_free(bench_axes *axes)
{
    bench_rates_destroy(axes->rates);
    axes->rates = NULL;
}

bench_runner bench_axes_runner(const bench_axes *axes, const char *isa, int threads)
{
    return (bench_runner){ .compute = bench_limit_loops_get(isa),
                           .memory = bench_limit_loops_get(axes->isas[0]->isa),
                           .threads = threads };
}

void bench_set_limit(adass_bench_state *state, const bench_limit *limit, double calls)
{
    char label[48];
    snprintf(label, sizeof label, "bound by %s", limit->bound);
    adass_bench_set_label(state, label);
    adass_bench_set_rate(state, "of_limit", limit->seconds * calls);
}
