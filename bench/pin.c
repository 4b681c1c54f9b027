/* Binding a case's OpenMP threads to cores, on the placement plan of the kernels' topology. */
#include "pin.h"

#include "adass/topology.h"

#include <omp.h>
#include <stdlib.h>

static adass_status bind_team(const adass_topology *topology, const adass_placement *plan,
                              int threads, adass_error *err)
{
    adass_status result = ADASS_OK;
#pragma omp parallel num_threads(threads)
    {
        adass_error mine;
        const adass_status status =
            adass_topology_bind(topology, &plan[omp_get_thread_num()], &mine);
        if (status != ADASS_OK) {
#pragma omp critical(adass_pin)
            result = adass_fail(err, status, "%s", mine.message);
        }
    }
    return result;
}

adass_status adass_pin_threads(int threads, adass_error *err)
{
    adass_topology *topology = NULL;
    adass_placement *plan = calloc((size_t)threads, sizeof *plan);
    adass_status status = plan != NULL ? adass_topology_open(&topology, NULL, err)
                                       : adass_fail_memory(err, "the placement plan", 0.0);
    if (status == ADASS_OK)
        status = adass_topology_plan(topology, (size_t)threads, plan, err);
    if (status == ADASS_OK)
        status = bind_team(topology, plan, threads, err);
    adass_topology_close(topology);
    free(plan);
    return status;
}
