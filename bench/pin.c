/* Binding a case's OpenMP threads and memory, on the placement plan of the kernels' topology. */
#include "pin.h"

#include <omp.h>
#include <stdlib.h>

static adass_status bind_thread(const adass_topology *topology, adass_pin_mode mode,
                                const adass_placement *placement, adass_binding *got,
                                adass_error *err)
{
    adass_status status = adass_topology_bind(topology, placement, err);
    if (status == ADASS_OK && mode == ADASS_PIN_NUMA)
        status = adass_topology_bind_allocation(topology, placement, err);
    if (status == ADASS_OK && got != NULL)
        status = adass_topology_get_binding(topology, got, err);
    return status;
}

adass_status adass_pin_threads(const adass_topology *topology, adass_pin_mode mode, int threads,
                               adass_binding *got, adass_error *err)
{
    if (mode == ADASS_PIN_NONE)
        return ADASS_OK;
    adass_placement *plan = calloc((size_t)threads, sizeof *plan);
    if (plan == NULL)
        return adass_fail_memory(err, "the placement plan", (double)threads * sizeof *plan);
    adass_status result = adass_topology_plan(topology, (size_t)threads, plan, err);
    if (result == ADASS_OK) {
#pragma omp parallel num_threads(threads)
        {
            const int i = omp_get_thread_num();
            adass_error mine;
            const adass_status status =
                bind_thread(topology, mode, &plan[i], got != NULL ? &got[i] : NULL, &mine);
            if (status != ADASS_OK) {
#pragma omp critical(adass_pin)
                result = adass_fail(err, status, "%s", mine.message);
            }
        }
    }
    free(plan);
    return result;
}
