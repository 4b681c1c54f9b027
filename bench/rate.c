/* Measured rates and the limits that follow. rate.h says what functions do. */
#include "rate.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAY_STEP = 4096, POOL_IDS = 1 << 20 };

typedef struct measured {
    bench_probe_key key;
    double rate, when;
} measured;

struct bench_rates {
    measured *all;
    size_t n, capacity;
};

bench_rates *bench_rates_create(void) { return calloc(1, sizeof(bench_rates)); }

void bench_rates_destroy(bench_rates *rates)
{
    if (rates == NULL)
        return;
    free(rates->all);
    free(rates);
}

static bool same_ids(const bench_ids *a, const bench_ids *b)
{
    return a->rows == b->rows && a->fields == b->fields && a->ids == b->ids &&
           a->a_call == b->a_call && a->distinct == b->distinct && a->capacity == b->capacity;
}

static bool same_key(const bench_probe_key *a, const bench_probe_key *b)
{
    return a->kind == b->kind && a->loops == b->loops && a->threads == b->threads &&
           a->bytes == b->bytes && a->row_bytes == b->row_bytes && same_ids(&a->ids, &b->ids);
}

/* The place of a key, made when there is none; NULL when memory is short. */
static measured *place_of(bench_rates *rates, const bench_probe_key *key)
{
    for (size_t i = 0; i < rates->n; i++)
        if (same_key(&rates->all[i].key, key))
            return &rates->all[i];
    if (rates->n == rates->capacity) {
        const size_t capacity = 2 * rates->capacity + 16;
        measured *more = realloc(rates->all, capacity * sizeof *more);
        if (more == NULL)
            return NULL;
        rates->all = more;
        rates->capacity = capacity;
    }
    rates->all[rates->n] = (measured){ .key = *key, .when = -INFINITY };
    return &rates->all[rates->n++];
}

double bench_rates_get(bench_rates *rates, const bench_probe_key *key)
{
    const double keep = 60.0;
    measured *m = place_of(rates, key);
    if (m == NULL)
        return 0.0;
    if (omp_get_wtime() - m->when > keep) {
        const double rate = bench_probe_measure(key);
        m->rate = rate > m->rate ? rate : m->rate;
        m->when = omp_get_wtime();
    }
    return m->rate;
}

/* Seconds that every thread takes for `amount` of its own; infinite where no rate is known. */
static double seconds_of(bench_rates *rates, const bench_probe_key *key, double amount)
{
    if (amount <= 0.0)
        return 0.0;
    return amount * key->threads / bench_rates_get(rates, key);
}

/* What is read goes with what is written as a copy as far as it reaches. */
static double array_seconds(bench_rates *rates, const bench_cost *cost, const bench_runner *runner)
{
    const double both = fmin(cost->read, cost->written);
    const size_t bytes = (size_t)bench_cost_array_bytes(cost);
    bench_probe_key key = { .loops = runner->memory,
                            .threads = runner->threads,
                            .bytes = (bytes + ARRAY_STEP - 1) / ARRAY_STEP * ARRAY_STEP };
    key.kind = PROBE_COPY;
    double seconds = seconds_of(rates, &key, 2.0 * both);
    key.kind = PROBE_READ;
    seconds += seconds_of(rates, &key, cost->read - both);
    key.kind = PROBE_FILL;
    seconds += seconds_of(rates, &key, cost->written - both);
    key.kind = PROBE_UPDATE;
    return seconds + seconds_of(rates, &key, cost->updated);
}

static double row_seconds(bench_rates *rates, const bench_rows *rows, const bench_runner *runner)
{
    const size_t parts = rows->written ? (size_t)runner->threads : 1;
    const size_t a_call = rows->distinct > 0 ? rows->distinct : rows->fields * 1024;
    const bench_probe_key key = { .kind = rows->written  ? PROBE_UPDATE_ROWS
                                          : rows->copied ? PROBE_COPY_ROWS
                                                         : PROBE_READ_ROWS,
                                  .loops = runner->memory,
                                  .threads = runner->threads,
                                  .bytes = rows->copied ? (size_t)rows->count * rows->bytes : 0,
                                  .row_bytes = rows->bytes,
                                  .ids = { .rows = rows->table_rows / parts,
                                           .fields = rows->fields,
                                           .ids = rows->ids,
                                           .a_call = a_call,
                                           .distinct = rows->distinct > 0,
                                           .capacity = POOL_IDS } };
    return seconds_of(rates, &key, rows->count);
}

static void take_longer(bench_limit *limit, double seconds, const char *bound)
{
    if (seconds > limit->seconds)
        *limit = (bench_limit){ .seconds = seconds, .bound = bound };
}

bench_limit bench_rates_limit(bench_rates *rates, const bench_cost *cost,
                              const bench_runner *runner)
{
    bench_limit limit = { .bound = "nothing" };
    const bench_probe_key fma = { .kind = PROBE_FMA,
                                  .loops = runner->compute,
                                  .threads = runner->threads };
    bench_probe_key divide = fma;
    divide.kind = PROBE_DIVIDE;
    take_longer(&limit, seconds_of(rates, &fma, cost->multiplies), "multiply");
    take_longer(&limit, seconds_of(rates, &divide, cost->divisions), "divide");
    take_longer(&limit, array_seconds(rates, cost, runner), "arrays");
    double rows = 0.0;
    for (size_t i = 0; i < cost->n_rows; i++)
        rows += row_seconds(rates, &cost->rows[i], runner);
    take_longer(&limit, rows, "rows");
    if (!isfinite(limit.seconds))
        limit.seconds = 0.0;
    return limit;
}
