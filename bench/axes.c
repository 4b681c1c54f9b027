/* What every family varies. */
#include "axes.h"

#include "adass/topology.h"

adass_status bench_axes_init(bench_axes *axes, adass_error *err)
{
    *axes = (bench_axes){ 0 };
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
