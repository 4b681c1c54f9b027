/* Pools of ids. id_pool.h says what functions do. */
#include "id_pool.h"

#include "adass/kernels.h"
#include "adass/rng.h"
#include "shapes.h"
#include "sweep.h"

#include <stdlib.h>

static void draw(uint32_t *out, const bench_ids *what, size_t n)
{
    const size_t vocab = what->rows / what->fields;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        const uint64_t word = adass_mix_at(5, i);
        out[i] = what->ids == IDS_ZIPF ? bench_zipf_id(adass_unit(word), vocab)
                                       : (uint32_t)(word % vocab);
    }
}

/* Keeps the distinct ids of each call, moved together. */
static bool keep_distinct(bench_id_pool *pool)
{
    const size_t a_call = pool->what.a_call;
    uint32_t *unique = malloc(sizeof *unique * a_call);
    uint32_t *slots = malloc(sizeof *slots * adass_dedup_slots(a_call));
    const bool ok = unique != NULL && slots != NULL;
    size_t kept = 0;
    for (size_t c = 0; ok && c < pool->n_calls; c++) {
        const size_t n = adass_dedup_ids(unique, pool->group + c * a_call, pool->ids + c * a_call,
                                         1, a_call, SIZE_MAX, slots);
        for (size_t i = 0; i < n; i++)
            pool->ids[kept + i] = unique[i];
        kept += n;
        pool->starts[c + 1] = kept;
    }
    free(unique);
    free(slots);
    return ok;
}

bool bench_id_pool_make(bench_id_pool *pool, const bench_ids *what)
{
    const size_t calls = what->capacity / what->a_call;
    *pool = (bench_id_pool){ .what = *what, .n_calls = calls > 0 ? calls : 1 };
    const size_t n = pool->n_calls * what->a_call;
    pool->ids = malloc(sizeof *pool->ids * n);
    pool->starts = malloc(sizeof *pool->starts * (pool->n_calls + 1));
    if (what->distinct)
        pool->group = malloc(sizeof *pool->group * n);
    if (pool->ids == NULL || pool->starts == NULL || (what->distinct && pool->group == NULL))
        return false;
    draw(pool->ids, what, n);
    for (size_t c = 0; c <= pool->n_calls; c++)
        pool->starts[c] = c * what->a_call;
    if (what->distinct && !keep_distinct(pool))
        return false;
    pool->mean_ids = (double)pool->starts[pool->n_calls] / (double)pool->n_calls;
    return true;
}

void bench_id_pool_free(bench_id_pool *pool)
{
    free(pool->ids);
    free(pool->group);
    free(pool->starts);
    *pool = (bench_id_pool){ 0 };
}
