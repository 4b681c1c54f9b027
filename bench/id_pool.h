/* Pools of ids: more of them than the caches hold rows, cut into calls, walked round and round. */
#ifndef ADASS_BENCH_ID_POOL_H
#define ADASS_BENCH_ID_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a pool holds. */
typedef struct bench_ids {
    size_t rows;     /* of all fields together, cut into `fields` tables of equal length */
    size_t fields;   /* at least 1; id i of a call is of field i % fields */
    size_t ids;      /* a bench_distribution */
    size_t a_call;   /* ids drawn for each call */
    bool distinct;   /* each id once a call, in the order of first occurrence (fields is 1) */
    size_t capacity; /* ids, about */
} bench_ids;

typedef struct bench_id_pool {
    bench_ids what;
    uint32_t *ids;   /* call c has ids[starts[c]..starts[c + 1]) */
    uint32_t *group; /* [capacity], of `distinct`: the place of each drawn id among a call's ids */
    size_t *starts;  /* [n_calls + 1] */
    size_t n_calls;
    double mean_ids; /* of a call */
} bench_id_pool;

/** False when memory is short; to be freed with bench_id_pool_free() in any case. */
bool bench_id_pool_make(bench_id_pool *pool, const bench_ids *what);

void bench_id_pool_free(bench_id_pool *pool);

#endif
