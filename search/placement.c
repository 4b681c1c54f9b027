/* Threads and tables on NUMA nodes. */
#include "placement.h"

#include <omp.h>
#include <stdlib.h>

adass_status adass_placer_init(adass_placer *out, const char *topology, int threads,
                               adass_error *err)
{
    const size_t n = (size_t)threads;
    *out = (adass_placer){ .n_threads = n };
    out->threads = calloc(n, sizeof *out->threads);
    out->nodes = calloc(n, sizeof *out->nodes);
    if (out->threads == NULL || out->nodes == NULL)
        return adass_fail_memory(err, "the placement plan", (double)(n * sizeof *out->threads));
    adass_status status = adass_topology_open(&out->topology, topology, err);
    if (status == ADASS_OK)
        status = adass_topology_plan(out->topology, n, out->threads, err);
    if (status == ADASS_OK)
        out->n_nodes = adass_topology_plan_nodes(out->topology, out->threads, n, out->nodes);
    return status;
}

/*
 * To the node, not to one processing unit: the reader's thread, which inherits the binding of the
 * thread that starts it, must not share that one's unit.
 */
bool adass_placer_bind_threads(const adass_placer *placer)
{
    if (placer->n_nodes < 2)
        return false;
    int failed = 0;
#pragma omp parallel num_threads((int)placer->n_threads) reduction(+ : failed)
    {
        const size_t thread = (size_t)omp_get_thread_num();
        failed += adass_topology_bind_to_node(placer->topology, &placer->threads[thread], NULL) !=
                  ADASS_OK;
    }
    return failed == 0;
}

size_t adass_placer_table_bytes(const adass_table *table)
{
    const size_t columns = table->width + (table->linear != NULL ? 1 : 0);
    const size_t rows =
        adass_type_stride(table->type, table->width) * adass_type_bytes(table->type);
    const size_t linear = table->linear != NULL ? sizeof(float) : 0;
    return table->vocab * (rows + linear + columns * 2 * sizeof(float)); /* two moments each */
}

static bool spread_array(const adass_placer *p, void *array, size_t bytes)
{
    return bytes == 0 || adass_topology_bind_memory(p->topology, array, bytes, p->nodes, p->n_nodes,
                                                    NULL) == ADASS_OK;
}

static bool spread_table(const adass_placer *p, const adass_table *t)
{
    const size_t n = t->vocab * t->width;
    const size_t rows = t->vocab * adass_type_stride(t->type, t->width) * adass_type_bytes(t->type);
    bool spread = spread_array(p, t->type == ADASS_F32 ? t->rows : t->compact, rows) &&
                  spread_array(p, t->moments, 2 * n * sizeof(float));
    if (t->linear != NULL)
        spread = spread && spread_array(p, t->linear, t->vocab * sizeof(float)) &&
                 spread_array(p, t->linear_moments, 2 * t->vocab * sizeof(float));
    return spread;
}

adass_status adass_placer_spread(const adass_placer *placer, const adass_model *model, bool *placed,
                                 adass_error *err)
{
    bool spread = true;
    if (placed != NULL)
        *placed = false;
    if (placer->n_nodes < 2)
        return ADASS_OK;
    size_t *bytes = calloc(model->n_fields, sizeof *bytes);
    adass_table_place *places = calloc(model->n_fields, sizeof *places);
    adass_status status =
        adass_fail_memory(err, "the placement plan", (double)model->n_fields * 24.0);
    if (bytes != NULL && places != NULL) {
        for (size_t f = 0; f < model->n_fields; f++)
            bytes[f] = adass_placer_table_bytes(&model->tables[f]);
        status = adass_tables_place(placer->nodes, placer->n_nodes, ADASS_TABLE_INTERLEAVED, bytes,
                                    model->n_fields, places, err);
    }
    for (size_t f = 0; f < model->n_fields && spread && status == ADASS_OK; f++)
        spread = spread_table(placer, &model->tables[f]);
    free(bytes);
    free(places);
    if (placed != NULL)
        *placed = spread && status == ADASS_OK;
    return status;
}

void adass_placer_free(adass_placer *placer)
{
    adass_topology_close(placer->topology);
    free(placer->threads);
    free(placer->nodes);
    *placer = (adass_placer){ 0 };
}
